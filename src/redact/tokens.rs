//! The tokens of JSON text with their places, found without a tree: it also works on text that is cut short,
//! nested a million deep, or not quite JSON, because a secret in such a body is a secret all the same.

use std::ops::Range;

use super::names::is_credential_name;

/// What a token is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// A member's name, quotes included.
    Name,
    /// A string value, quotes included.
    Text,
    /// A number, `true`, `false`, `null`, or rubbish.
    Bare,
}

/// A token and where it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Token {
    pub(super) at: Range<usize>,
    pub(super) kind: Kind,
    /// The credential-like member this value is in, itself or around it.
    pub(super) credential: Option<String>,
}

/// Whether a body looks like JSON.
pub(super) fn looks_like_json(text: &str) -> bool {
    text.trim_start_matches(['\u{feff}', ' ', '\t', '\r', '\n']).starts_with(['{', '[', '"'])
}

/// The tokens of `text`, in order.
pub(super) fn tokens(text: &str) -> Vec<Token> {
    let bytes = text.as_bytes();
    let mut found = Vec::new();
    // The credential-like name that surrounds each open bracket, if any.
    let mut around: Vec<Option<String>> = Vec::new();
    let mut pending: Option<String> = None;
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        let start = at;
        match byte {
            b'{' | b'[' => {
                let outer = pending.take().or_else(|| around.last().cloned().flatten());
                around.push(outer);
                at += 1;
            }
            b'}' | b']' => {
                around.pop();
                pending = None;
                at += 1;
            }
            b',' => {
                pending = None;
                at += 1;
            }
            b':' | b' ' | b'\t' | b'\r' | b'\n' => at += 1,
            b'"' => {
                at = string_end(bytes, at);
                if is_name(bytes, at) {
                    let name = decoded(text.get(start..at).unwrap_or_default());
                    pending = is_credential_name(&name).then_some(name);
                    found.push(Token { at: start..at, kind: Kind::Name, credential: None });
                } else {
                    let credential = pending.take().or_else(|| around.last().cloned().flatten());
                    found.push(Token { at: start..at, kind: Kind::Text, credential });
                }
            }
            _ => {
                at += 1;
                while bytes.get(at).is_some_and(|byte| !b"{}[],:\" \t\r\n".contains(byte)) {
                    at += 1;
                }
                let credential = pending.take().or_else(|| around.last().cloned().flatten());
                found.push(Token { at: start..at, kind: Kind::Bare, credential });
            }
        }
    }
    found
}

/// The end of the string that starts at `at`; the end of the text if it is never closed.
fn string_end(bytes: &[u8], at: usize) -> usize {
    let mut at = at + 1;
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'"' => return at + 1,
            b'\\' => at += 2,
            _ => at += 1,
        }
    }
    bytes.len()
}

fn is_name(bytes: &[u8], at: usize) -> bool {
    let after = bytes.get(at..).unwrap_or_default();
    after.iter().find(|byte| !b" \t\r\n".contains(byte)) == Some(&b':')
}

/// The text a string token stands for; its own inner text if it does not decode.
pub(super) fn decoded(token: &str) -> String {
    serde_json::from_str(token).unwrap_or_else(|_| inner(token).to_owned())
}

/// A string token without its quotes.
pub(super) fn inner(token: &str) -> &str {
    let token = token.strip_prefix('"').unwrap_or(token);
    token.strip_suffix('"').unwrap_or(token)
}

/// `text` as a JSON string literal.
pub(super) fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secrets(text: &str) -> Vec<&str> {
        tokens(text)
            .into_iter()
            .filter(|token| token.credential.is_some())
            .map(|token| &text[token.at])
            .collect()
    }

    #[test]
    fn values_are_found_by_the_name_before_or_around_them() {
        let text =
            r#"{"id": 7, "password" : "x", "a": {"Token": ["y", {"b": 12}], "c": "no"}, "d": "token"}"#;
        assert_eq!(secrets(text), [r#""x""#, r#""y""#, "12"]);
    }

    #[test]
    fn broken_json_is_searched_as_well() {
        assert_eq!(secrets(r#"{"secret":"ab"#), [r#""ab"#]);
        assert_eq!(secrets(r#"]]}{"p\u0061ssword": "x" }"#), [r#""x""#]);
        assert!(secrets("\"\\").is_empty());
    }
}

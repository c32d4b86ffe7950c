//! The tokens of JSON text with their places, found without a tree: it also works on text that is cut short,
//! nested a million deep, or not quite JSON, because a secret in such a body is a secret all the same.

use std::borrow::Cow;
use std::ops::Range;

use super::looks;
use super::names::Likeness;
use super::rules::Rules;
use super::structures;

/// What a token is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
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
    /// The credential-like name this value stands under: its member's, one around it, or one beside it.
    pub(super) credential: Option<Box<Credential>>,
}

/// A name that makes a value a credential.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Credential {
    pub(super) name: String,
    pub(super) likeness: Likeness,
}

/// Members whose value may name what stands beside them.
const NAMING: &[&str] =
    &["name", "key", "id", "parameter", "param", "property", "field", "label", "header", "attribute", "type"];
/// Members whose value is named by what stands beside them.
const HOLDING: &[&str] =
    &["value", "values", "val", "current_value", "default_value", "defaultvalue", "currentvalue"];
/// The same, if what stands there looks like a secret: a text for people stands there as well.
const TELLING: &[&str] = &["content", "data", "text", "default", "current", "secret_value"];

/// Brackets within each other that are told apart; what stands deeper is taken for part of the last of them.
const OPEN_MAX: usize = 1024;

/// About so many bytes a token has: room is made for them at once.
const TOKEN_BYTES: usize = 16;

/// Whether a body looks like JSON.
pub(super) fn looks_like_json(text: &str) -> bool {
    text.trim_start_matches(['\u{feff}', ' ', '\t', '\r', '\n']).starts_with(['{', '[', '"'])
}

/// An open object or list.
#[derive(Default)]
struct Open {
    /// The credential that surrounds it.
    around: Option<Credential>,
    is_list: bool,
    /// The credential that a member of it names, and whether any could.
    named: Option<Credential>,
    may_name: bool,
    /// The tokens of the members that such a name would speak of, and whether they must look like a secret.
    holding: Vec<(Range<usize>, bool)>,
    /// The texts of a list.
    texts: Vec<usize>,
    /// How this container is held by the one around it.
    held: Option<(usize, bool)>,
}

/// The tokens of `text`, in order.
pub(super) fn tokens(text: &str, rules: &Rules) -> Vec<Token> {
    if rules.has_names() {
        return read(text, rules).found;
    }
    structures::tokens(text, &mut || {
        let Reader { found, is_by_names, .. } = read(text, rules);
        let is_nameless = is_by_names && found.iter().all(|token| token.credential.is_none());
        (found, is_nameless)
    })
}

/// The same without what is known of structures.
fn read<'t>(text: &'t str, rules: &'t Rules) -> Reader<'t> {
    let mut reader = Reader {
        text,
        rules,
        found: Vec::with_capacity(text.len() / TOKEN_BYTES + 1),
        open: vec![Open::default()],
        deeper: 0,
        pending: None,
        is_by_names: true,
    };
    scan(text, &mut |mark| match mark {
        Mark::Opens { is_list } => reader.opens(is_list),
        Mark::Closes => reader.closes(),
        Mark::Comma => reader.pending = None,
        Mark::Token(at, Kind::Bare) => reader.value(at, Kind::Bare),
        Mark::Token(at, kind) => reader.string(at, kind == Kind::Name),
    });
    // Text that is cut short leaves objects open.
    reader.deeper = 0;
    while reader.open.len() > 1 {
        reader.closes();
    }
    reader.closes();
    reader
}

#[cfg(test)]
pub(super) fn read_slowly(text: &str, rules: &Rules) -> Vec<Token> {
    read(text, rules).found
}

/// Where the strings and bare values of `text` stand, in order, whatever they mean.
pub(super) fn strings_and_values(text: &str) -> Vec<(Range<usize>, Kind)> {
    let mut found = Vec::with_capacity(text.len() / TOKEN_BYTES + 1);
    scan(text, &mut |mark| {
        if let Mark::Token(at, kind) = mark {
            found.push((at, kind));
        }
    });
    found
}

/// What JSON text is made of.
pub(super) enum Mark {
    Opens { is_list: bool },
    Closes,
    Comma,
    Token(Range<usize>, Kind),
}

/// Shows each mark of a text in order: all that is told of it but for what stands in its strings and bare values.
pub(super) fn scan(text: &str, see: &mut impl FnMut(Mark)) {
    let bytes = text.as_bytes();
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        let start = at;
        at += 1;
        match byte {
            b'{' | b'[' => see(Mark::Opens { is_list: *byte == b'[' }),
            b'}' | b']' => see(Mark::Closes),
            b',' => see(Mark::Comma),
            b':' | b' ' | b'\t' | b'\r' | b'\n' => {}
            b'"' => {
                at = string_end(bytes, start);
                let kind = if is_name(bytes, at) { Kind::Name } else { Kind::Text };
                see(Mark::Token(start..at, kind));
            }
            _ => {
                while bytes.get(at).is_some_and(|byte| !is_sign(*byte)) {
                    at += 1;
                }
                see(Mark::Token(start..at, Kind::Bare));
            }
        }
    }
}

/// Whether a byte ends a bare value.
fn is_sign(byte: u8) -> bool {
    matches!(byte, b'{' | b'}' | b'[' | b']' | b',' | b':' | b'"' | b' ' | b'\t' | b'\r' | b'\n')
}

struct Reader<'t> {
    text: &'t str,
    rules: &'t Rules,
    found: Vec<Token>,
    open: Vec<Open>,
    /// How many brackets are open beyond those.
    deeper: usize,
    /// The name of the member whose value comes next.
    pending: Option<Cow<'t, str>>,
    /// Whether what was found follows from names and nesting alone: no value was asked what it is.
    is_by_names: bool,
}

impl<'t> Reader<'t> {
    fn credential(&self, name: &str) -> Option<Credential> {
        self.rules.likeness(name).map(|likeness| Credential { name: name.to_owned(), likeness })
    }

    /// The same for a text that may name what stands beside it.
    fn credential_in(&self, text: &str) -> Option<Credential> {
        self.rules.likeness_of_text(text).map(|likeness| Credential { name: text.to_owned(), likeness })
    }

    /// The credential that a value under `name` is one of here. Only a sure one covers all that is within it: a
    /// `session` is often an object that describes one.
    fn here(&self, name: Option<&str>) -> Option<Credential> {
        let own = name.and_then(|name| self.credential(name));
        own.or_else(|| self.open.last().and_then(|open| open.around.clone()))
    }

    fn opens(&mut self, is_list: bool) {
        if self.open.len() >= OPEN_MAX {
            self.deeper += 1;
            return;
        }
        let name = self.pending.take();
        let around = self.here(name.as_deref()).filter(|it| is_list || it.likeness == Likeness::Sure);
        let held = name.as_deref().and_then(held).map(|must_look| (self.found.len(), must_look));
        self.open.push(Open { around, is_list, held, ..Open::default() });
    }

    fn closes(&mut self) {
        self.pending = None;
        if let Some(fewer) = self.deeper.checked_sub(1) {
            self.deeper = fewer;
            return;
        }
        let Some(open) = self.open.pop() else { return };
        // Whether a value names what stands beside it depends on the value, and so do pairs.
        self.is_by_names &= (!open.may_name || open.holding.is_empty()) && open.texts.len() < 2;
        if let Some(named) = &open.named {
            for (tokens, must_look) in &open.holding {
                for token in self.found.get_mut(tokens.clone()).unwrap_or_default() {
                    let looks = || {
                        looks::secret(decoded(self.text.get(token.at.clone()).unwrap_or_default()).as_bytes())
                    };
                    if token.kind != Kind::Name && token.credential.is_none() && (!must_look || looks()) {
                        token.credential = Some(Box::new(named.clone()));
                    }
                }
            }
        }
        self.pair(&open.texts);
        if let (Some((from, must_look)), Some(outer)) = (open.held, self.open.last_mut()) {
            outer.holding.push((from..self.found.len(), must_look));
        }
        if self.open.is_empty() {
            self.open.push(Open::default());
        }
    }

    /// `["SEC", "abc"]`, and `"--token", "abc"` within a longer list.
    fn pair(&mut self, texts: &[usize]) {
        for (name, value) in texts.iter().zip(texts.iter().skip(1)) {
            let text = |place: &usize| {
                let at = self.found.get(*place).map(|token| token.at.clone()).unwrap_or_default();
                decoded(self.text.get(at).unwrap_or_default())
            };
            let (name, held) = (text(name), text(value));
            let is_flag = name.starts_with('-') && !held.starts_with('-');
            if (is_flag || (texts.len() == 2 && looks::secret(held.as_bytes())))
                && let Some(credential) = self.credential_in(&name)
                && let Some(token) = self.found.get_mut(*value)
            {
                token.credential = Some(Box::new(credential));
            }
        }
    }

    fn string(&mut self, at: Range<usize>, is_name: bool) {
        if is_name {
            let text: &'t str = self.text;
            self.pending = Some(decoded(text.get(at.clone()).unwrap_or_default()));
            self.found.push(Token { at, kind: Kind::Name, credential: None });
        } else {
            self.value(at, Kind::Text);
        }
    }

    fn value(&mut self, at: Range<usize>, kind: Kind) {
        let name = self.pending.take();
        let credential = self.here(name.as_deref());
        let place = self.found.len();
        let name = name.unwrap_or_default();
        let naming = kind == Kind::Text && is_in(&name, NAMING);
        let text: &'t str = self.text;
        let named = naming.then(|| decoded(text.get(at.clone()).unwrap_or_default()));
        let named = named.and_then(|name| self.credential_in(&name));
        if let Some(open) = self.open.last_mut() {
            if let Some(must_look) = held(&name) {
                open.holding.push((place..place + 1, must_look));
            }
            if open.is_list && kind == Kind::Text {
                open.texts.push(place);
            }
            open.may_name |= naming;
            open.named = named.or_else(|| open.named.take());
        }
        self.found.push(Token { at, kind, credential: credential.map(Box::new) });
    }
}

/// Whether a member may hold what another names; and if so, whether it must look like a secret.
fn held(name: &str) -> Option<bool> {
    if is_in(name, HOLDING) { Some(false) } else { is_in(name, TELLING).then_some(true) }
}

/// Whether a name is one of these, in small letters or not.
fn is_in(name: &str, names: &[&str]) -> bool {
    names.iter().any(|known| known.eq_ignore_ascii_case(name))
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
pub(super) fn decoded(token: &str) -> Cow<'_, str> {
    // Without an escape it stands for what is in it, whether it is well formed or not.
    match memchr::memchr(b'\\', token.as_bytes()) {
        None => Cow::Borrowed(inner(token)),
        Some(_) => serde_json::from_str(token)
            .map_or_else(|_| Cow::Borrowed(inner(token)), |text: String| text.into()),
    }
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
        tokens(text, &Rules::default())
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
        assert_eq!(secrets(r#"{"session":{"uid":"x"},"sessions":["y"],"session":"z"}"#), [r#""z""#]);
    }

    #[test]
    fn values_are_found_by_the_name_beside_them() {
        let text = r#"[{"name":"remoteUser","value":"svc"},{"value":["x"],"id":3,"name":"remotePassword"},
            {"key":"token","value":{"a":"y"},"text":"for people"},["SEC","5f0c7a1e-9d3b"],["state","token"],
            ["curl","--token","z","-v"]]"#;
        assert_eq!(secrets(text), [r#""x""#, r#""y""#, r#""5f0c7a1e-9d3b""#, r#""z""#]);
    }

    #[test]
    fn broken_json_is_searched_as_well() {
        assert_eq!(secrets(r#"{"secret":"ab"#), [r#""ab"#]);
        assert_eq!(secrets(r#"]]}{"p\u0061ssword": "x" }"#), [r#""x""#]);
        assert_eq!(secrets(r#"[{"name":"password","value":"x"#), [r#""x"#]);
        assert!(secrets("\"\\").is_empty());
    }
}

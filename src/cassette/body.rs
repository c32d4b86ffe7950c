//! How bytes stand in a cassette: JSON as JSON where nothing is lost by it, else lines of text, else base64.

use std::borrow::Cow;
use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use serde::Deserialize;
use serde::de::{self, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::pool::Pool;
use crate::json::quote;

/// Deeper JSON is kept as lines: its indentation would be longer than itself.
const DEPTH_MAX: usize = 32;

/// A body in a file.
pub(super) enum BodyForm<'t> {
    /// The value; the body is its text without insignificant white space.
    Json(&'t RawValue),
    /// Lines, joined by line feeds.
    Lines(Vec<String>),
    /// Anything else.
    Base64(Base64),
}

impl<'de: 't, 't> Deserialize<'de> for BodyForm<'t> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct OneOf;
        impl<'de> Visitor<'de> for OneOf {
            type Value = BodyForm<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a body: an object with one of `json`, `lines`, `base64`")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<BodyForm<'de>, A::Error> {
                let key = map.next_key::<String>()?.ok_or_else(|| de::Error::invalid_length(0, &self))?;
                let body = match key.as_str() {
                    "json" => BodyForm::Json(map.next_value()?),
                    "lines" => BodyForm::Lines(map.next_value()?),
                    "base64" => BodyForm::Base64(map.next_value()?),
                    _ => return Err(de::Error::unknown_field(&key, &["json", "lines", "base64"])),
                };
                match map.next_key::<String>()? {
                    Some(_) => Err(de::Error::custom("a body has just one of `json`, `lines`, `base64`")),
                    None => Ok(body),
                }
            }
        }
        deserializer.deserialize_map(OneOf)
    }
}

impl BodyForm<'_> {
    pub(super) fn bytes(self, pool: &mut Pool) -> Bytes {
        match self {
            Self::Json(value) => pool.compact(value.get()),
            Self::Lines(lines) => pool.bytes(lines.join("\n").as_bytes()),
            Self::Base64(bytes) => bytes.0,
        }
    }
}

/// The body as it is written, at this depth of indentation.
pub(super) fn write(out: &mut String, body: &[u8], indent: usize) {
    let pad = "  ".repeat(indent + 1);
    let end = "  ".repeat(indent);
    match std::str::from_utf8(body) {
        Ok(text) if is_compact_json(text) => {
            out.push_str(&format!("{{\n{pad}\"json\": "));
            pretty(out, text, indent + 1);
            out.push_str(&format!("\n{end}}}"));
        }
        Ok(text) if !text.chars().any(|c| c.is_control() && !matches!(c, '\t' | '\r' | '\n')) => {
            out.push_str(&format!("{{\n{pad}\"lines\": ["));
            let mut separator = "\n";
            for line in text.split('\n') {
                out.push_str(&format!("{separator}{pad}  {}", quote(line)));
                separator = ",\n";
            }
            out.push_str(&format!("\n{pad}]\n{end}}}"));
        }
        _ => out.push_str(&format!("{{\n{pad}\"base64\": \"{}\"\n{end}}}", STANDARD.encode(body))),
    }
}

/// Whether the text is one JSON value without insignificant white space, not too deep to be indented: then indenting
/// it and taking the white space out again gives the same bytes.
fn is_compact_json(text: &str) -> bool {
    let mut depth: usize = 0;
    let mut deepest = 0;
    for token in split(text) {
        match token {
            "{" | "[" => depth += 1,
            "}" | "]" => depth = depth.saturating_sub(1),
            _ => {}
        }
        deepest = deepest.max(depth);
    }
    deepest <= DEPTH_MAX && serde_json::from_str::<&RawValue>(text).is_ok() && compact(text) == text
}

/// Valid JSON cut into strings, punctuation and runs of anything else; white space between them is left out.
fn split(text: &str) -> impl Iterator<Item = &str> {
    let bytes = text.as_bytes();
    let mut at = 0;
    std::iter::from_fn(move || {
        while bytes.get(at).is_some_and(|byte| b" \t\r\n".contains(byte)) {
            at += 1;
        }
        let start = at;
        match bytes.get(at)? {
            b'"' => {
                at += 1;
                while let Some(byte) = bytes.get(at) {
                    at += if *byte == b'\\' { 2 } else { 1 };
                    if *byte == b'"' {
                        break;
                    }
                }
                at = at.min(bytes.len());
            }
            b'{' | b'}' | b'[' | b']' | b',' | b':' => at += 1,
            _ => {
                while bytes.get(at).is_some_and(|byte| !b"{}[],:\" \t\r\n".contains(byte)) {
                    at += 1;
                }
            }
        }
        Some(text.get(start..at).unwrap_or_default())
    })
}

fn compact(text: &str) -> String {
    split(text).collect()
}

/// Compact JSON, a member or element a line; empty containers stay on theirs.
fn pretty(out: &mut String, text: &str, indent: usize) {
    let mut depth = indent;
    let newline = |out: &mut String, depth: usize| {
        out.push('\n');
        out.push_str(&"  ".repeat(depth));
    };
    let mut tokens = split(text).peekable();
    while let Some(token) = tokens.next() {
        match token {
            "{" | "[" => {
                out.push_str(token);
                if let Some(close) = tokens.next_if(|next| matches!(*next, "}" | "]")) {
                    out.push_str(close);
                } else {
                    depth += 1;
                    newline(out, depth);
                }
            }
            "}" | "]" => {
                depth = depth.saturating_sub(1);
                newline(out, depth);
                out.push_str(token);
            }
            "," => {
                out.push(',');
                newline(out, depth);
            }
            ":" => out.push_str(": "),
            token => out.push_str(token),
        }
    }
}

/// Bytes in standard base64, padded; anything not canonical is an error.
pub(super) struct Base64(Bytes);

impl<'de> Deserialize<'de> for Base64 {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let bytes =
            STANDARD.decode(&text).map_err(|error| de::Error::custom(format!("no base64: {error}")))?;
        Ok(Self(bytes.into()))
    }
}

/// A short value, such as a header's: a string where it is text, else `{"base64": ...}`.
pub(super) struct Short<'t>(pub(super) Cow<'t, [u8]>);

impl Short<'_> {
    pub(super) fn write(value: &[u8]) -> String {
        match std::str::from_utf8(value) {
            Ok(text) if !text.chars().any(|c| c.is_control() && c != '\t') => quote(text),
            _ => format!("{{\"base64\": \"{}\"}}", STANDARD.encode(value)),
        }
    }
}

impl<'de: 't, 't> Deserialize<'de> for Short<'t> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Either;
        impl<'de> Visitor<'de> for Either {
            type Value = Short<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string, or {\"base64\": \"...\"} for one that is not text")
            }

            fn visit_borrowed_str<E: de::Error>(self, text: &'de str) -> Result<Short<'de>, E> {
                Ok(Short(text.as_bytes().into()))
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Short<'de>, E> {
                Ok(Short(text.as_bytes().to_vec().into()))
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Short<'de>, A::Error> {
                let Some(key) = map.next_key::<String>()? else {
                    return Err(de::Error::invalid_length(0, &self));
                };
                if key != "base64" {
                    return Err(de::Error::unknown_field(&key, &["base64"]));
                }
                let bytes: Base64 = map.next_value()?;
                match map.next_key::<String>()? {
                    Some(key) => Err(de::Error::unknown_field(&key, &["base64"])),
                    None => Ok(Short(bytes.0.to_vec().into())),
                }
            }
        }
        let value = deserializer.deserialize_any(Either)?;
        match value.0.iter().find(|byte| byte.is_ascii_control() && **byte != b'\t') {
            Some(byte) => Err(de::Error::custom(format!("byte 0x{byte:02x} may not stand in a head"))),
            None => Ok(value),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn form(body: &str) -> String {
        let mut out = String::new();
        write(&mut out, body.as_bytes(), 0);
        let back = serde_json::from_str::<BodyForm<'_>>(&out).unwrap().bytes(&mut Pool::default());
        assert_eq!(back, body.as_bytes(), "{out}");
        out
    }

    #[test]
    fn json_is_written_as_json_only_if_nothing_is_lost() {
        let kept = r#"{"a":1.00,"b":[1E5,123456789012345678901234567890,{}],"a":"x\u0041 \"{","$serde_json::private::RawValue":[]}"#;
        assert!(form(kept).contains("\"json\""), "{}", form(kept));
        for other in ["{\"a\": 1}", "{\"a\":1}\n", "{\"a\":01}", "[", "plain\r\ntext\n", "\u{feff}{}"] {
            assert!(form(other).contains("\"lines\""), "{other}");
        }
        assert!(form("a\0b").contains("base64"));
        let deep = format!("{}{}", "[".repeat(200), "]".repeat(200));
        assert!(form(&deep).contains("lines"));
    }
}

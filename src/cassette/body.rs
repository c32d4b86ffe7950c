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
use crate::json::push_quoted;
use crate::json::tokens::is_value;

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
    out.push_str("{\n");
    push_pad(out, indent + 1);
    match std::str::from_utf8(body) {
        Ok(text) if push_json(out, text, indent + 1) => {}
        Ok(text) if !text.chars().any(|c| c.is_control() && !matches!(c, '\t' | '\r' | '\n')) => {
            out.push_str("\"lines\": [");
            let mut separator = "\n";
            for line in text.split('\n') {
                out.push_str(separator);
                push_pad(out, indent + 2);
                push_quoted(out, line);
                separator = ",\n";
            }
            out.push('\n');
            push_pad(out, indent + 1);
            out.push(']');
        }
        _ => {
            out.push_str("\"base64\": \"");
            STANDARD.encode_string(body, out);
            out.push('"');
        }
    }
    out.push('\n');
    push_pad(out, indent);
    out.push('}');
}

/// The indentation of a line.
fn push_pad(out: &mut String, indent: usize) {
    const BLANKS: &str = "                                                                ";
    let mut left = indent * 2;
    while left > 0 {
        let part = left.min(BLANKS.len());
        out.push_str(BLANKS.get(..part).unwrap_or_default());
        left -= part;
    }
}

/// Writes a text as JSON, if it is one JSON value without insignificant white space, not too deep to be indented: then
/// indenting it and taking the white space out again gives the same bytes. Nothing is written if it is not.
fn push_json(out: &mut String, text: &str, indent: usize) -> bool {
    let is_json =
        text.starts_with(|c: char| !b" \t\r\n".contains(&u8::try_from(c).unwrap_or(b'x'))) && is_value(text);
    if !is_json {
        return false;
    }
    let before = out.len();
    out.push_str("\"json\": ");
    if pretty(out, text, indent).is_some() {
        return true;
    }
    out.truncate(before);
    false
}

/// Compact JSON, a member or element a line; empty containers stay on theirs. `None` for white space that means nothing,
/// and for more depth than is indented; what was written then is of no use.
fn pretty(out: &mut String, text: &str, indent: usize) -> Option<()> {
    let bytes = text.as_bytes();
    let (mut at, mut depth) = (0, 0);
    while let Some(byte) = bytes.get(at) {
        let start = at;
        at += 1;
        match byte {
            b'"' => {
                at = end_of_string(bytes, at);
                out.push_str(text.get(start..at)?);
            }
            b'{' | b'[' => {
                if depth == DEPTH_MAX {
                    return None;
                }
                out.push(char::from(*byte));
                if let Some(close @ (b'}' | b']')) = bytes.get(at) {
                    out.push(char::from(*close));
                    at += 1;
                } else {
                    depth += 1;
                    out.push('\n');
                    push_pad(out, indent + depth);
                }
            }
            b'}' | b']' => {
                depth = depth.saturating_sub(1);
                out.push('\n');
                push_pad(out, indent + depth);
                out.push(char::from(*byte));
            }
            b',' => {
                out.push_str(",\n");
                push_pad(out, indent + depth);
            }
            b':' => out.push_str(": "),
            b' ' | b'\t' | b'\r' | b'\n' => return None,
            _ => {
                while bytes.get(at).is_some_and(|byte| !b"{}[],:\" \t\r\n".contains(byte)) {
                    at += 1;
                }
                out.push_str(text.get(start..at)?);
            }
        }
    }
    Some(())
}

/// Where the string ends whose inside begins at `from`.
fn end_of_string(bytes: &[u8], from: usize) -> usize {
    let mut at = from;
    while let Some(found) = bytes.get(at..).and_then(|rest| memchr::memchr2(b'"', b'\\', rest)) {
        at += found + 1;
        if bytes.get(at - 1) == Some(&b'"') {
            return at;
        }
        at += 1;
    }
    bytes.len()
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
    pub(super) fn write(out: &mut String, value: &[u8]) {
        let is_plain = value.iter().fold(true, |plain, byte| plain & matches!(byte, b' '..=b'~'));
        match std::str::from_utf8(value) {
            Ok(text) if is_plain || !text.chars().any(|c| c.is_control() && c != '\t') => {
                push_quoted(out, text)
            }
            _ => {
                out.push_str("{\"base64\": \"");
                STANDARD.encode_string(value, out);
                out.push_str("\"}");
            }
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

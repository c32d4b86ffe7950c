//! One pass over JSON text that checks its grammar and hands on its tokens, without a tree.
//!
//! It is as strict as serde_json where that reads a value to throw it away, and refuses some of what that takes (nesting
//! beyond [`DEPTH_MAX`]); whoever uses it has another way for what it refuses.

use serde::de::IgnoredAny;

/// Containers inside each other; a bit each says of what kind they are.
const DEPTH_MAX: u32 = 60;

/// Bytes that end a string, are no text of their own in it, or are not ASCII.
static IS_ODD: [bool; 256] = {
    let mut odd = [false; 256];
    let mut byte = 0;
    while byte < odd.len() {
        odd[byte] = byte < 0x20 || byte >= 0x80 || byte == b'"' as usize || byte == b'\\' as usize;
        byte += 1;
    }
    odd
};

/// What is handed on, in the order of the text. White space between tokens is not.
pub(crate) trait Tokens {
    /// One of `{}[],:`.
    fn mark(&mut self, mark: u8);
    /// The name of a member, in its quotes.
    fn name(&mut self, quoted: &[u8]);
    /// A string, in its quotes.
    fn string(&mut self, quoted: &[u8]);
    /// A number, `true`, `false` or `null`.
    fn other(&mut self, text: &[u8]);
}

/// Where a value ended.
pub(crate) struct Walked {
    /// The byte behind it.
    pub(crate) end: usize,
    /// Whether it has no escapes and is ASCII.
    pub(crate) is_plain: bool,
}

/// Hands on the tokens of the value that begins at `at`; `None` if there is no valid one.
pub(crate) fn walk(text: &[u8], at: usize, tokens: &mut impl Tokens) -> Option<Walked> {
    let mut walk = Cursor { at, ..Cursor::new(text) };
    let (mut depth, mut objects) = (0_u32, 0_u64);
    loop {
        // A value begins here.
        walk.blanks();
        let byte = walk.peek()?;
        match byte {
            b'{' | b'[' => {
                walk.at += 1;
                tokens.mark(byte);
                if depth == DEPTH_MAX {
                    return None;
                }
                depth += 1;
                objects = objects << 1 | u64::from(byte == b'{');
                walk.blanks();
                if walk.peek()? != byte + 2 {
                    if byte == b'{' {
                        walk.name(tokens)?;
                    }
                    continue;
                }
            }
            b'"' => tokens.string(walk.string()?),
            _ => tokens.other(walk.other(byte)?),
        }
        // A value has ended, or an empty container is about to.
        loop {
            if depth == 0 {
                return Some(Walked { end: walk.at, is_plain: walk.is_plain });
            }
            walk.blanks();
            let is_object = objects & 1 == 1;
            match walk.next()? {
                b',' => {
                    tokens.mark(b',');
                    if is_object {
                        walk.blanks();
                        walk.name(tokens)?;
                    }
                    break;
                }
                b'}' if is_object => tokens.mark(b'}'),
                b']' if !is_object => tokens.mark(b']'),
                _ => return None,
            }
            depth -= 1;
            objects >>= 1;
        }
    }
}

/// Whether a whole text is one value; as serde_json judges it, and mostly faster.
pub(crate) fn is_value(text: &str) -> bool {
    // It may be nested deeper than this walk goes.
    walked(text).unwrap_or_else(|| serde_json::from_str::<IgnoredAny>(text).is_ok())
}

/// The same of a text that is not nested deeply: any other is none.
pub(super) fn is_shallow_value(text: &str) -> bool {
    walked(text).unwrap_or_default()
}

/// Whether nothing but blanks stands behind the value that a text begins with; `None` if the walk finds no value.
fn walked(text: &str) -> Option<bool> {
    let walked = walk(text.as_bytes(), 0, &mut Nobody)?;
    let rest = text.as_bytes().get(walked.end..)?;
    Some(rest.iter().all(|byte| matches!(byte, b' ' | b'\n' | b'\r' | b'\t')))
}

/// Whom nothing is handed on to.
struct Nobody;

impl Tokens for Nobody {
    fn mark(&mut self, _: u8) {}
    fn name(&mut self, _: &[u8]) {}
    fn string(&mut self, _: &[u8]) {}
    fn other(&mut self, _: &[u8]) {}
}

/// A place in JSON text, which moves over what is valid there.
pub(super) struct Cursor<'t> {
    text: &'t [u8],
    pub(super) at: usize,
    is_plain: bool,
}

impl<'t> Cursor<'t> {
    /// At the beginning.
    pub(super) fn new(text: &'t [u8]) -> Self {
        Self { text, at: 0, is_plain: true }
    }

    pub(super) fn peek(&self) -> Option<u8> {
        self.text.get(self.at).copied()
    }

    pub(super) fn next(&mut self) -> Option<u8> {
        let byte = self.peek()?;
        self.at += 1;
        Some(byte)
    }

    pub(super) fn blanks(&mut self) {
        while let Some(b' ' | b'\n' | b'\r' | b'\t') = self.peek() {
            self.at += 1;
        }
    }

    /// A member's name and the colon behind it.
    fn name(&mut self, tokens: &mut impl Tokens) -> Option<()> {
        tokens.name(self.string()?);
        self.blanks();
        (self.next()? == b':').then(|| tokens.mark(b':'))
    }

    /// A string, in its quotes.
    fn string(&mut self) -> Option<&'t [u8]> {
        self.string_with_escapes().map(|(quoted, _)| quoted)
    }

    /// The same, and whether any escape stands in it.
    pub(super) fn string_with_escapes(&mut self) -> Option<(&'t [u8], bool)> {
        let (from, mut has_escapes) = (self.at, false);
        if self.next()? != b'"' {
            return None;
        }
        let is_odd = |byte: &u8| IS_ODD.get(usize::from(*byte)).copied().unwrap_or(true);
        loop {
            self.at += self.text.get(self.at..)?.iter().position(is_odd)?;
            match self.next()? {
                b'"' => return Some((self.text.get(from..self.at)?, has_escapes)),
                b'\\' => {
                    has_escapes = true;
                    self.escape()?;
                }
                0..=0x1f => return None,
                _ => self.is_plain = false,
            }
        }
    }

    fn escape(&mut self) -> Option<()> {
        self.is_plain = false;
        match self.next()? {
            b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't' => Some(()),
            b'u' => {
                let digits = self.text.get(self.at..self.at + 4)?;
                self.at += 4;
                digits.iter().all(u8::is_ascii_hexdigit).then_some(())
            }
            _ => None,
        }
    }

    /// What is no string and no container, and begins with `first`.
    pub(super) fn other(&mut self, first: u8) -> Option<&'t [u8]> {
        let from = self.at;
        match first {
            b't' => self.word(b"true")?,
            b'f' => self.word(b"false")?,
            b'n' => self.word(b"null")?,
            _ => self.number()?,
        }
        self.text.get(from..self.at)
    }

    fn word(&mut self, word: &[u8]) -> Option<()> {
        let is_it = self.text.get(self.at..)?.starts_with(word);
        self.at += word.len();
        is_it.then_some(())
    }

    fn number(&mut self) -> Option<()> {
        if self.peek() == Some(b'-') {
            self.at += 1;
        }
        match self.peek()? {
            b'0' => self.at += 1,
            _ => self.digits()?,
        }
        if self.peek() == Some(b'.') {
            self.at += 1;
            self.digits()?;
        }
        if let Some(b'e' | b'E') = self.peek() {
            self.at += 1;
            if let Some(b'+' | b'-') = self.peek() {
                self.at += 1;
            }
            self.digits()?;
        }
        Some(())
    }

    /// At least one.
    fn digits(&mut self) -> Option<()> {
        let from = self.at;
        while self.peek().is_some_and(|byte| byte.is_ascii_digit()) {
            self.at += 1;
        }
        (self.at > from).then_some(())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::value::RawValue;

    use super::*;
    use crate::json::Json;

    /// Puts the tokens together again.
    impl Tokens for Vec<u8> {
        fn mark(&mut self, mark: u8) {
            self.push(mark);
        }

        fn name(&mut self, quoted: &[u8]) {
            self.extend_from_slice(quoted);
        }

        fn string(&mut self, quoted: &[u8]) {
            self.extend_from_slice(quoted);
        }

        fn other(&mut self, text: &[u8]) {
            self.extend_from_slice(text);
        }
    }

    /// The tokens of a text that is one value.
    fn walked(text: &str) -> Option<String> {
        let mut tokens = Vec::new();
        let walked = walk(text.as_bytes(), 0, &mut tokens)?;
        text[walked.end..].trim_matches([' ', '\n', '\t', '\r']).is_empty().then_some(())?;
        String::from_utf8(tokens).ok()
    }

    /// Whether a tree is made of a text, and whether that is told without one.
    fn is_read(text: &str, expected: bool) {
        assert_eq!(Json::parse(text).is_ok(), expected, "{text}");
        assert_eq!(Json::is_one(text), expected, "{text}");
    }

    #[test]
    fn a_value_is_taken_if_serde_json_takes_it_and_comes_out_without_blanks() {
        let values = [
            "{}",
            "[]",
            "[ ]",
            "{ }",
            "0",
            "-0",
            "-",
            "00",
            "01",
            "1.",
            "1.0",
            ".5",
            "1e",
            "1e5",
            "1E+05",
            "1e-",
            "+1",
            "true",
            "tru",
            "truex",
            "nul",
            "null",
            "false",
            "\"\"",
            "\"",
            "\"a\\\"",
            "\"\\u00e9\"",
            "\"\\u00g9\"",
            "\"\\x\"",
            "\"\\ud800\"",
            "\"\t\"",
            "\"\u{7f}\"",
            "\"é\"",
            "[1,2 , 3]",
            "[1,]",
            "[,1]",
            "[1 2]",
            "{\"a\":1}",
            "{\"a\" : [ { \"b\" : null } , [ ] , { } ] }",
            "{\"a\"}",
            "{\"a\":}",
            "{\"a\":1,}",
            "{a:1}",
            "{1:1}",
            "[1}",
            "{\"a\":1]",
            "[[]",
            "[]]",
            "",
            " ",
            "{,}",
            "[\"a\":1]",
            "{\"a\":1 \"b\":2}",
            "{\"a\"::1}",
            "[tru e]",
            "\u{a0}1",
            "1 ",
            " 1",
            "nan",
            "-a",
            "1.e5",
            "{\"a\":1,\"a\":2}",
            "12345678901234567890123",
        ];
        for text in values {
            let expected = serde_json::from_str::<&RawValue>(text).is_ok();
            assert_eq!(walked(text).is_some(), expected, "{text}");
            assert_eq!(is_value(text), expected, "{text}");
            is_read(text, expected && !text.contains("ud800"));
        }
        assert_eq!(
            walked(" {\"a \" : [ 1 , {} , \"x \\\" y\" ], \"b\":{ \"c\" :null}} ").as_deref(),
            Some("{\"a \":[1,{},\"x \\\" y\"],\"b\":{\"c\":null}}")
        );
    }

    #[test]
    fn every_text_with_one_byte_more_or_less_is_judged_as_serde_json_judges_it() {
        let whole = "{\"a\": [1.5e3, -0, {\"b\": \"x\\n\\u0041\"}, true], \"c\": {}}";
        for at in 0..whole.len() {
            let mut less = whole.to_owned();
            less.remove(at);
            let more = ["\"", "{", "}", "[", "]", ",", ":", "0", "-", ".", "e", "\\", " ", "t", "\n"];
            let more = more.iter().map(|byte| [&whole[..at], byte, &whole[at..]].concat());
            for text in more.chain([less]) {
                let expected = serde_json::from_str::<&RawValue>(&text).is_ok();
                assert_eq!(walked(&text).is_some(), expected, "{text}");
                assert_eq!(is_value(&text), expected, "{text}");
                is_read(&text, expected);
            }
        }
    }

    #[test]
    fn what_is_nested_too_deep_is_refused_and_not_followed() {
        let nested = |depth: usize| [vec!["["; depth], vec!["]"; depth]].concat().concat();
        assert!(walked(&nested(DEPTH_MAX as usize)).is_some());
        assert!(walked(&nested(DEPTH_MAX as usize + 1)).is_none());
        assert!(walked(&nested(1_000_000)).is_none());
        assert!(is_value(&nested(1_000_000)) && !is_value(&nested(100)[1..]));
    }
}

//! From text to tree. The syntax has been judged before the walk begins, so the walk only has to
//! find where values begin and end; it still answers with an error, never a panic, should the two ever disagree.

use std::borrow::Cow;

use serde_json::value::RawValue;

use super::{DEPTH_MAX, Json, JsonError, Kind, Member, VALUES_MAX, tokens};

/// Reads a whole text.
pub(super) fn parse(text: &str) -> Result<Json<'_>, JsonError> {
    // Skips iteratively, so depth is no danger before the walk limits it.
    if !tokens::is_value(text) {
        serde_json::from_str::<&RawValue>(text).map_err(|error| syntax(&error, (1, 0)))?;
    }
    let mut walk = Walk { text, at: 0, values: 0 };
    walk.skip_blank();
    walk.value(0)
}

/// A serde_json error, moved to where its text stands in the whole: `before` is that place's line and the bytes before
/// it in the line.
fn syntax(error: &serde_json::Error, before: (usize, usize)) -> JsonError {
    let suffix = format!(" at line {} column {}", error.line(), error.column());
    let full = error.to_string();
    let message = full.strip_suffix(&suffix).unwrap_or(&full).to_owned();
    JsonError::Syntax { message, line: before.0 + error.line() - 1, column: before.1 + error.column() }
}

struct Walk<'a> {
    text: &'a str,
    at: usize,
    /// Values begun so far.
    values: usize,
}

impl<'a> Walk<'a> {
    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn skip_while(&mut self, wanted: impl Fn(u8) -> bool) {
        while self.peek().is_some_and(&wanted) {
            self.at += 1;
        }
    }

    fn skip_blank(&mut self) {
        self.skip_while(|byte| matches!(byte, b' ' | b'\t' | b'\r' | b'\n'));
    }

    /// The text from `start` to here.
    fn since(&self, start: usize) -> &'a str {
        self.text.get(start..self.at).unwrap_or_default()
    }

    fn value(&mut self, depth: usize) -> Result<Json<'a>, JsonError> {
        let start = self.at;
        self.values += 1;
        let kind = match self.peek() {
            _ if self.values > VALUES_MAX => return Err(JsonError::TooMany),
            Some(b'{' | b'[') if depth == DEPTH_MAX => return Err(JsonError::TooDeep),
            Some(b'{') => Kind::Object(self.members(depth + 1)?),
            Some(b'[') => Kind::Array(self.elements(depth + 1)?),
            Some(b'"') => Kind::String(self.string()?),
            Some(b'-' | b'0'..=b'9') => {
                self.skip_while(|byte| matches!(byte, b'-' | b'+' | b'.' | b'e' | b'E' | b'0'..=b'9'));
                Kind::Number
            }
            _ => {
                self.skip_while(|byte| byte.is_ascii_lowercase());
                match self.since(start) {
                    "null" => Kind::Null,
                    "true" => Kind::Bool(true),
                    "false" => Kind::Bool(false),
                    _ => return Err(self.lost()),
                }
            }
        };
        Ok(Json { text: self.since(start), kind })
    }

    fn elements(&mut self, depth: usize) -> Result<Vec<Json<'a>>, JsonError> {
        let mut elements = Vec::new();
        if self.opened(b']') {
            return Ok(elements);
        }
        loop {
            elements.push(self.value(depth)?);
            if self.ended(b']')? {
                return Ok(elements);
            }
        }
    }

    fn members(&mut self, depth: usize) -> Result<Vec<Member<'a>>, JsonError> {
        let mut members = Vec::new();
        if self.opened(b'}') {
            return Ok(members);
        }
        loop {
            let name = self.string()?;
            self.skip_blank();
            if self.peek() != Some(b':') {
                return Err(self.lost());
            }
            self.at += 1;
            self.skip_blank();
            members.push((name, self.value(depth)?));
            if self.ended(b'}')? {
                return Ok(members);
            }
        }
    }

    /// Steps over the opening bracket; whether the container is empty and has been stepped over whole.
    fn opened(&mut self, close: u8) -> bool {
        self.at += 1;
        self.skip_blank();
        let empty = self.peek() == Some(close);
        self.at += usize::from(empty);
        empty
    }

    /// Steps over what follows a value: whether it was the closing bracket rather than a comma.
    fn ended(&mut self, close: u8) -> Result<bool, JsonError> {
        self.skip_blank();
        let next = self.peek();
        if next != Some(close) && next != Some(b',') {
            return Err(self.lost());
        }
        self.at += 1;
        if next == Some(close) {
            return Ok(true);
        }
        self.skip_blank();
        Ok(false)
    }

    fn string(&mut self) -> Result<Cow<'a, str>, JsonError> {
        let start = self.at;
        self.at += 1;
        let mut escapes = false;
        loop {
            match self.peek() {
                Some(b'"') => break,
                Some(b'\\') => {
                    escapes = true;
                    self.at += 2;
                }
                Some(_) => self.at += 1,
                None => return Err(self.lost()),
            }
        }
        self.at += 1;
        if escapes {
            // `RawValue` lets half a surrogate pair pass; decoding does not.
            let decoded = serde_json::from_str(self.since(start));
            return decoded.map(Cow::Owned).map_err(|error| syntax(&error, self.place(start)));
        }
        Ok(Cow::Borrowed(self.text.get(start + 1..self.at - 1).unwrap_or_default()))
    }

    /// The line of a byte, from 1, and the bytes before it in that line.
    fn place(&self, at: usize) -> (usize, usize) {
        let before = self.text.get(..at).unwrap_or_default();
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        (before.bytes().filter(|byte| *byte == b'\n').count() + 1, at - line_start)
    }

    fn lost(&self) -> JsonError {
        let (line, before) = self.place(self.at.min(self.text.len()));
        JsonError::Syntax { message: "expected a JSON value".to_owned(), line, column: before + 1 }
    }
}

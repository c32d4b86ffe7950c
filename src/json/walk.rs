//! From text to tree, and to what is wrong with a text, in serde_json's words.

use std::borrow::Cow;

use serde_json::value::RawValue;

use super::tokens::Cursor;
use super::{DEPTH_MAX, Json, JsonError, Kind, Member, VALUES_MAX};

/// About so many bytes a member has.
const MEMBER_BYTES: usize = 24;
/// For so many members at most room is made at once.
const ROOM_MAX: usize = 32;

/// Reads a whole text.
pub(super) fn parse(text: &str) -> Result<Json<'_>, JsonError> {
    let mut walk = Walk { text, cursor: Cursor::new(text.as_bytes()), values: 0 };
    walk.whole().map_err(|lost| match serde_json::from_str::<&RawValue>(text) {
        // It skips iteratively, so depth is no danger; what breaks the grammar comes before what is too much.
        Err(error) => syntax(&error, (1, 0)),
        Ok(_) => lost,
    })
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
    cursor: Cursor<'a>,
    /// Values begun so far.
    values: usize,
}

impl<'a> Walk<'a> {
    fn whole(&mut self) -> Result<Json<'a>, JsonError> {
        self.cursor.blanks();
        let value = self.value(0)?;
        self.cursor.blanks();
        if self.cursor.peek().is_some() { Err(self.lost()) } else { Ok(value) }
    }

    /// The text from `start` to here.
    fn since(&self, start: usize) -> &'a str {
        self.text.get(start..self.cursor.at).unwrap_or_default()
    }

    fn value(&mut self, depth: usize) -> Result<Json<'a>, JsonError> {
        let start = self.cursor.at;
        self.values += 1;
        let kind = match self.cursor.peek() {
            _ if self.values > VALUES_MAX => return Err(JsonError::TooMany),
            Some(b'{' | b'[') if depth == DEPTH_MAX => return Err(JsonError::TooDeep),
            Some(b'{') => Kind::Object(self.members(depth + 1)?),
            Some(b'[') => Kind::Array(self.elements(depth + 1)?),
            Some(b'"') => Kind::String(self.string()?),
            Some(first) => {
                self.cursor.other(first).ok_or_else(|| self.lost())?;
                match first {
                    b'n' => Kind::Null,
                    b't' => Kind::Bool(true),
                    b'f' => Kind::Bool(false),
                    _ => Kind::Number,
                }
            }
            None => return Err(self.lost()),
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
        if self.opened(b'}') {
            return Ok(Vec::new());
        }
        // Most texts are one object: room is made for its members at once, for those of others as they come.
        let room = if depth == 1 { (self.text.len() / MEMBER_BYTES).min(ROOM_MAX) } else { 0 };
        let mut members = Vec::with_capacity(room);
        loop {
            let name = self.string()?;
            self.cursor.blanks();
            if self.cursor.next() != Some(b':') {
                return Err(self.lost());
            }
            self.cursor.blanks();
            members.push((name, self.value(depth)?));
            if self.ended(b'}')? {
                return Ok(members);
            }
        }
    }

    /// Steps over the opening bracket; whether the container is empty and has been stepped over whole.
    fn opened(&mut self, close: u8) -> bool {
        self.cursor.at += 1;
        self.cursor.blanks();
        let empty = self.cursor.peek() == Some(close);
        self.cursor.at += usize::from(empty);
        empty
    }

    /// Steps over what follows a value: whether it was the closing bracket rather than a comma.
    fn ended(&mut self, close: u8) -> Result<bool, JsonError> {
        self.cursor.blanks();
        match self.cursor.next() {
            Some(b',') => {
                self.cursor.blanks();
                Ok(false)
            }
            Some(byte) if byte == close => Ok(true),
            _ => Err(self.lost()),
        }
    }

    fn string(&mut self) -> Result<Cow<'a, str>, JsonError> {
        let start = self.cursor.at;
        let (_, has_escapes) = self.cursor.string_with_escapes().ok_or_else(|| self.lost())?;
        if has_escapes {
            // The grammar lets half a surrogate pair pass; decoding does not.
            let decoded = serde_json::from_str(self.since(start));
            return decoded.map(Cow::Owned).map_err(|error| syntax(&error, self.place(start)));
        }
        Ok(Cow::Borrowed(self.text.get(start + 1..self.cursor.at - 1).unwrap_or_default()))
    }

    /// The line of a byte, from 1, and the bytes before it in that line.
    fn place(&self, at: usize) -> (usize, usize) {
        let before = self.text.get(..at).unwrap_or_default();
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        (before.bytes().filter(|byte| *byte == b'\n').count() + 1, at - line_start)
    }

    fn lost(&self) -> JsonError {
        let (line, before) = self.place(self.cursor.at.min(self.text.len()));
        JsonError::Syntax { message: "expected a JSON value".to_owned(), line, column: before + 1 }
    }
}

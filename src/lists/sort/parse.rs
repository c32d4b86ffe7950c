//! From text to sort keys, with the position of every key.

use std::ops::Range;

use super::{DEPTH_MAX, KEYS_MAX, Key, LENGTH_MAX, ListError, Sort};

/// What a text holds.
pub(super) struct Parsed {
    /// `None` for a blank text.
    pub(super) sort: Option<Sort>,
    /// Where the keys stand, their signs aside.
    pub(super) keys: Vec<Range<usize>>,
}

/// Parses a whole text.
pub(super) fn parse(text: &str) -> Result<Parsed, ListError> {
    if text.len() > LENGTH_MAX {
        let why = format!("`sort` has {} bytes; at most {LENGTH_MAX} are read", text.len());
        return Err(ListError::TooLarge { why, at: LENGTH_MAX..text.len() });
    }
    let mut parser = Parser { text, at: 0 };
    parser.skip_blank();
    if parser.at == text.len() {
        return Ok(Parsed { sort: None, keys: Vec::new() });
    }
    let (mut keys, mut places) = (Vec::new(), Vec::new());
    loop {
        let (key, place) = parser.key()?;
        if keys.len() == KEYS_MAX {
            return Err(ListError::TooLarge {
                why: format!("`sort` has more than {KEYS_MAX} keys"),
                at: place,
            });
        }
        keys.push(key);
        places.push(place);
        match parser.peek() {
            None => return Ok(Parsed { sort: Some(Sort(keys)), keys: places }),
            Some(',') => parser.at += 1,
            Some(_) => return Err(parser.unexpected()),
        }
    }
}

struct Parser<'t> {
    text: &'t str,
    at: usize,
}

impl Parser<'_> {
    fn peek(&self) -> Option<char> {
        self.text.get(self.at..)?.chars().next()
    }

    fn skip_blank(&mut self) {
        while matches!(self.peek(), Some(' ' | '\t')) {
            self.at += 1;
        }
    }

    fn key(&mut self) -> Result<(Key, Range<usize>), ListError> {
        self.skip_blank();
        let sign = self.peek().filter(|letter| matches!(letter, '+' | '-'));
        if sign.is_some() {
            self.at += 1;
            self.skip_blank();
        }
        let start = self.at;
        let mut path = vec![self.name()?];
        let mut end = self.at;
        self.skip_blank();
        let mut open = Vec::new();
        while self.peek() == Some('(') {
            if path.len() == DEPTH_MAX {
                let why = format!("names are nested deeper than {DEPTH_MAX} levels");
                return Err(ListError::TooLarge { why, at: self.at..self.at + 1 });
            }
            open.push(self.at);
            self.at += 1;
            self.skip_blank();
            path.push(self.name()?);
            self.skip_blank();
        }
        while let Some(opened) = open.pop() {
            match self.peek() {
                Some(')') => self.at += 1,
                None => {
                    let why = "this bracket is never closed; add `)`".to_owned();
                    return Err(ListError::Malformed { why, at: opened..opened + 1 });
                }
                Some(_) => return Err(self.unexpected()),
            }
            end = self.at;
            self.skip_blank();
        }
        Ok((Key { path, descending: sign == Some('-') }, start..end))
    }

    fn name(&mut self) -> Result<String, ListError> {
        let mut name = String::new();
        while let Some(letter) = self.peek() {
            if letter == '\\' {
                self.at += 1;
                let Some(escaped) = self.peek() else {
                    return Err(self.malformed("a backslash goes before a character; remove it"));
                };
                name.push(escaped);
                self.at += escaped.len_utf8();
            } else if letter.is_ascii_alphanumeric() || letter == '_' {
                name.push(letter);
                self.at += 1;
            } else {
                break;
            }
        }
        if name.is_empty() { Err(self.unexpected()) } else { Ok(name) }
    }

    fn unexpected(&self) -> ListError {
        match self.peek() {
            None | Some(',' | '(') => {
                self.malformed("the name of a member is missing here: write `+id,-status`")
            }
            Some(')') => self.malformed("this bracket closes nothing; remove it, or name a member before it"),
            Some('+' | '-') => self.malformed("one sign goes before each name"),
            Some('.' | '/') => self.malformed("QRadar has no paths in `sort`: write `a(b)`"),
            Some('%') => self.malformed("the value is percent-encoded twice; encode it once"),
            Some(letter) if letter.is_ascii_alphanumeric() || letter == '_' => {
                self.malformed("a comma is missing before this name; descending is a `-` before the name")
            }
            Some(letter) => self.malformed(&format!(
                "`{}` has no place in `sort`; within a name a backslash goes before it",
                letter.escape_debug()
            )),
        }
    }

    /// An error at the character that is next, or at the end.
    fn malformed(&self, why: &str) -> ListError {
        let width = self.peek().map_or(0, char::len_utf8);
        ListError::Malformed { why: why.to_owned(), at: self.at..self.at + width }
    }
}

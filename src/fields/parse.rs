//! From text to selector, by recursive descent, with the position of every name.

use std::collections::BTreeMap;
use std::ops::Range;

use super::{DEPTH_MAX, Field, FieldSelector, FieldsError, LENGTH_MAX, NAMES_MAX};

/// What a text holds.
pub(super) struct Parsed {
    /// `None` for a blank text.
    pub(super) selector: Option<FieldSelector>,
    /// Where the names stand, in text order, which is depth first.
    pub(super) names: Vec<Range<usize>>,
}

/// So many names of a level are looked through one by one: most levels have no more.
const FEW: usize = 8;

/// The names of a level so far, and where each began first.
#[derive(Default)]
struct Here<'t> {
    few: [(&'t str, usize); FEW],
    count: usize,
    more: BTreeMap<&'t str, usize>,
}

impl<'t> Here<'t> {
    /// Takes a name that begins here; where it stood before, if it did.
    fn note(&mut self, name: &'t str, start: usize) -> Option<usize> {
        let few = self.few.iter().take(self.count).find(|(known, _)| *known == name).map(|(_, first)| *first);
        let known = few.or_else(|| self.more.get(name).copied());
        if known.is_none() {
            match self.few.get_mut(self.count) {
                Some(free) => (*free, self.count) = ((name, start), self.count + 1),
                None => drop(self.more.insert(name, start)),
            }
        }
        known
    }
}

/// Parses a whole text.
pub(super) fn parse(text: &str) -> Result<Parsed, FieldsError> {
    if text.len() > LENGTH_MAX {
        let why = format!("`fields` has {} bytes; at most {LENGTH_MAX} are read", text.len());
        return Err(FieldsError::TooLarge { why, at: LENGTH_MAX..text.len() });
    }
    let mut parser = Parser { text, at: 0, names: Vec::new(), duplicate: None };
    parser.skip_blank();
    if parser.at == text.len() {
        return Ok(Parsed { selector: None, names: Vec::new() });
    }
    let selector = parser.level(1, None)?;
    match parser.duplicate {
        Some(duplicate) => Err(duplicate),
        None => Ok(Parsed { selector: Some(selector), names: parser.names }),
    }
}

struct Parser<'t> {
    text: &'t str,
    at: usize,
    names: Vec<Range<usize>>,
    /// The first one found; it counts only if the rest of the text is well formed.
    duplicate: Option<FieldsError>,
}

impl<'t> Parser<'t> {
    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn skip_blank(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t')) {
            self.at += 1;
        }
    }

    /// The fields of one level, up to and including the bracket that closes it. `opened` is where its own bracket
    /// stands; the top level has none and ends with the text.
    fn level(&mut self, depth: usize, opened: Option<usize>) -> Result<FieldSelector, FieldsError> {
        if depth > DEPTH_MAX {
            let why = format!("subfields are nested deeper than {DEPTH_MAX} levels");
            return Err(FieldsError::TooLarge { why, at: self.at - 1..self.at });
        }
        let mut fields = Vec::with_capacity(FEW);
        let mut here = Here::default();
        loop {
            self.skip_blank();
            let name = self.name(opened, &mut here)?;
            self.skip_blank();
            let mut subfields = None;
            if self.peek() == Some(b'(') {
                self.at += 1;
                subfields = Some(self.level(depth + 1, Some(self.at - 1))?);
                self.skip_blank();
            }
            fields.push(Field { name: name.to_owned(), subfields });
            match self.peek() {
                Some(b',') => self.at += 1,
                Some(b')') if opened.is_some() => {
                    self.at += 1;
                    return Ok(FieldSelector(fields));
                }
                None if opened.is_none() => return Ok(FieldSelector(fields)),
                _ => return Err(self.unexpected(opened)),
            }
        }
    }

    /// One name. `here` holds the names this level has so far.
    fn name(&mut self, opened: Option<usize>, here: &mut Here<'t>) -> Result<&'t str, FieldsError> {
        let start = self.at;
        while self.peek().is_some_and(|byte| byte.is_ascii_alphanumeric() || byte == b'_') {
            self.at += 1;
        }
        let place = start..self.at;
        let name = self.text.get(place.clone()).unwrap_or_default();
        if name.is_empty() {
            return Err(self.nameless(opened));
        }
        if self.names.len() == NAMES_MAX {
            let why = format!("`fields` has more than {NAMES_MAX} names");
            return Err(FieldsError::TooLarge { why, at: place });
        }
        self.names.push(place.clone());
        if let Some(first) = here.note(name, start) {
            let (name, first, again) = (name.to_owned(), first..first + name.len(), place);
            self.duplicate.get_or_insert(FieldsError::Duplicate { name, first, again });
        }
        Ok(name)
    }

    /// Where a name has to stand and does not.
    fn nameless(&self, opened: Option<usize>) -> FieldsError {
        match (self.peek(), opened) {
            (None, Some(opened)) => unclosed(opened),
            (None | Some(b',' | b')'), _) => self
                .malformed("a field name is missing here; remove the empty item or name a field".to_owned()),
            (Some(b'('), _) => self.malformed(
                "subfields need the name of their field before the bracket: write `a(b)`".to_owned(),
            ),
            _ => self.foreign(),
        }
    }

    /// After a field, where only a comma, a closing bracket or the end can stand.
    fn unexpected(&self, opened: Option<usize>) -> FieldsError {
        let why = match (self.peek(), opened) {
            (None, Some(opened)) => return unclosed(opened),
            (Some(b')'), _) => "this bracket closes nothing; remove it",
            (Some(b'('), _) => "subfields are given once: write `a(b,c)` in place of `a(b)(c)`",
            (Some(byte), _) if byte.is_ascii_alphanumeric() || byte == b'_' => {
                "a comma is missing before this name"
            }
            _ => return self.foreign(),
        };
        self.malformed(why.to_owned())
    }

    /// A character that has no place in the language.
    fn foreign(&self) -> FieldsError {
        let found = self.text.get(self.at..).and_then(|rest| rest.chars().next());
        let why = match found {
            Some('[' | ']' | '{' | '}') => {
                "QRadar writes subfields in round brackets: write `a(b)`".to_owned()
            }
            Some('.' | '/') => "QRadar has no paths in `fields`: write `a(b)`".to_owned(),
            Some('*') => "QRadar has no wildcards in `fields`; leave it out to get every field".to_owned(),
            Some('%') => "the value is percent-encoded twice; encode it once".to_owned(),
            Some(found) => {
                let shown = found.escape_debug();
                format!(
                    "`{shown}` has no place in `fields`; names are letters, digits and `_`, joined by commas"
                )
            }
            None => "the text ends too early".to_owned(),
        };
        self.malformed(why)
    }

    /// An error at the character that is next, or at the end.
    fn malformed(&self, why: String) -> FieldsError {
        let width = self.text.get(self.at..).and_then(|rest| rest.chars().next()).map_or(0, char::len_utf8);
        FieldsError::Malformed { why, at: self.at..self.at + width }
    }
}

fn unclosed(opened: usize) -> FieldsError {
    let why = "this bracket is never closed; add `)` after its last subfield".to_owned();
    FieldsError::Malformed { why, at: opened..opened + 1 }
}

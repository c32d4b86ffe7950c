//! What bodies are but for their values: names, nesting, and of what kind each value is.
//!
//! What is to be known of a body when a cassette is loaded, which members stand twice in it and what it adds to the shape
//! of its endpoint, follows from its structure alone. Most bodies of a cassette have one that was seen before.

use std::collections::HashMap;
use std::ops::Range;

use foldhash::quality::RandomState;

use crate::json::Json;
use crate::json::tokens::{self, Tokens};

/// How many structures are known; a cassette where each body has another has nothing from more.
const KNOWN_MAX: usize = 4096;
/// A longer structure is looked at each time.
const BYTES_MAX: usize = 4096;
/// A body's values are not all of its structure: a longer body is not walked for it.
const BODY_BYTES_MAX: usize = 64 * 1024;
/// An integer of more digits is kept as it is: how it is read may depend on its size.
const DIGITS_MAX: usize = 18;

/// Names a structure.
pub(super) type StructureId = u32;

/// The structures of the bodies of one cassette.
#[derive(Default)]
pub(super) struct Structures {
    known: HashMap<Vec<u8>, StructureId, RandomState>,
    /// Pointers of the members that stand twice, by structure.
    duplicates: Vec<Vec<String>>,
    scratch: Vec<u8>,
    names: Names,
}

/// The names of a body's members.
#[derive(Default)]
struct Names {
    /// The number of the object that each stands in, and where in the structure it stands.
    found: Vec<(u32, Range<usize>)>,
    /// The objects that are open, by their numbers.
    open: Vec<u32>,
    objects: u32,
    has_escapes: bool,
}

impl Structures {
    /// The structure of a body, and the members that stand twice in it; no structure if none is known for it.
    pub(super) fn look(&mut self, body: &[u8]) -> (Option<StructureId>, Vec<String>) {
        if body.is_empty() {
            return (None, Vec::new());
        }
        self.scratch.clear();
        self.names.clear();
        let structure = Structure { out: &mut self.scratch, names: &mut self.names };
        let walked = if body.len() <= BODY_BYTES_MAX { is_plain(body, structure) } else { None };
        let is_known = walked == Some(true);
        if is_known && let Some(known) = self.known.get(&self.scratch) {
            return (Some(*known), self.duplicates.get(*known as usize).cloned().unwrap_or_default());
        }
        // Names without escapes are alike where their texts are.
        let duplicates = match walked.is_some() && !self.names.has_escapes && self.has_each_name_once() {
            true => Vec::new(),
            false => Json::parse_bytes(body).map(|body| body.duplicates()).unwrap_or_default(),
        };
        if !is_known || self.scratch.len() > BYTES_MAX || self.duplicates.len() >= KNOWN_MAX {
            return (None, duplicates);
        }
        let fresh = StructureId::try_from(self.duplicates.len()).ok();
        if let Some(fresh) = fresh {
            self.known.insert(self.scratch.clone(), fresh);
            self.duplicates.push(duplicates.clone());
        }
        (fresh, duplicates)
    }

    /// Whether no two members of one object are called alike: then none stands twice.
    fn has_each_name_once(&self) -> bool {
        let name =
            |(object, at): &(u32, Range<usize>)| (*object, self.scratch.get(at.clone()).unwrap_or_default());
        let mut names: Vec<(u32, &[u8])> = self.names.found.iter().map(name).collect();
        names.sort_unstable();
        names.is_sorted_by(|one, next| one < next)
    }
}

impl Names {
    fn clear(&mut self) {
        self.found.clear();
        self.open.clear();
        self.objects = 0;
        self.has_escapes = false;
    }

    fn note(&mut self, at: Range<usize>) {
        self.found.push((self.open.last().copied().unwrap_or_default(), at));
    }
}

/// Writes down the structure of `body`, if it is one JSON value; whether that is a plain one.
fn is_plain(body: &[u8], mut structure: Structure<'_>) -> Option<bool> {
    let walked = tokens::walk(body, 0, &mut structure)?;
    body.get(walked.end..)?.is_empty().then_some(walked.is_plain)
}

/// Leaves values out.
struct Structure<'o> {
    out: &'o mut Vec<u8>,
    names: &'o mut Names,
}

impl Tokens for Structure<'_> {
    fn mark(&mut self, mark: u8) {
        self.out.push(mark);
        match mark {
            b'{' => {
                // No body that is walked has as many objects as there are numbers for them.
                self.names.objects += 1;
                self.names.open.push(self.names.objects);
            }
            b'}' => drop(self.names.open.pop()),
            _ => {}
        }
    }

    fn name(&mut self, quoted: &[u8]) {
        let start = self.out.len();
        self.out.extend_from_slice(quoted);
        self.names.has_escapes |= memchr::memchr(b'\\', quoted).is_some();
        self.names.note(start..self.out.len());
    }

    fn string(&mut self, _: &[u8]) {
        self.out.push(b's');
    }

    fn other(&mut self, text: &[u8]) {
        match text.first() {
            Some(b't' | b'f') => self.out.push(b'b'),
            Some(b'n') => self.out.push(b'n'),
            _ if text.len() <= DIGITS_MAX
                && text.iter().all(|byte| byte.is_ascii_digit() || *byte == b'-') =>
            {
                self.out.push(b'i');
            }
            _ => self.out.extend_from_slice(text),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_do_not_count_and_names_nesting_and_kinds_do() {
        let mut structures = Structures::default();
        let mut of = |body: &str| structures.look(body.as_bytes()).0;
        let first = of(r#"{"a":1,"b":["x",true,null,{}]}"#).unwrap();
        assert_eq!(of(r#"{"a":-22,"b":["y z",false,null,{}]}"#), Some(first));
        for other in [
            r#"{"a":1.0,"b":["x",true,null,{}]}"#,
            r#"{"a":12345678901234567890,"b":["x",true,null,{}]}"#,
            r#"{"c":1,"b":["x",true,null,{}]}"#,
            r#"{"a":"1","b":["x",true,null,{}]}"#,
            r#"{"a":1,"b":["x",true,null,[]]}"#,
            r#"{"a":1,"b":["x",true,null]}"#,
            r#"{"a":1,"b":["x",true,null,{}],"a":1}"#,
        ] {
            assert!(of(other).is_some_and(|other| other != first), "{other}");
        }
    }

    #[test]
    fn what_is_no_plain_json_has_no_structure() {
        for body in
            ["", "x", "{\"a\":1", "{\"a\":tru}", "{\"\\u0061\":1}", "{\"\u{e9}\":1}", "1 2", "{\"a\":1}\n"]
        {
            assert!(Structures::default().look(body.as_bytes()).0.is_none(), "{body}");
        }
    }

    #[test]
    fn members_that_stand_twice_are_found_however_often_the_structure_was_seen() {
        let mut structures = Structures::default();
        for body in [
            r#"{"a":1,"a":2}"#,
            r#"{"a":3,"a":4}"#,
            "{\"a\":3,\"\\u0061\":4}",
            r#"{"a":3}"#,
            r#"{"a":{"a":1},"b":[{"a":1},{"a":2}]}"#,
            r#"{"a":{"a":1,"b":{},"a":2},"b":[{"a":1},{"a":2,"a":3}]}"#,
            r#"{"a":[{"b":1}],"b":1,"a":2}"#,
            "{\"a\":\"\\n\",\"b\":\"\u{e9}\",\"\u{e9}\":1}",
            "{\"a\":\"\\n\",\"\u{e9}\":\"\u{e9}\",\"\u{e9}\":1}",
        ] {
            let expected = Json::parse(body).unwrap().duplicates();
            assert_eq!(structures.look(body.as_bytes()).1, expected, "{body}");
        }
    }
}

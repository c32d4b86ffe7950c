//! Structures of JSON in which no value is a credential by the names around it: what was found out for one text holds for
//! every other that has the same names, lists and objects in the same order. What a value is by its own looks is found
//! out each time.

use std::cell::RefCell;
use std::collections::HashSet;

use foldhash::quality::RandomState;

use super::tokens::{Kind, Mark, Token, scan};

/// How many structures are remembered; then they are forgotten and begun anew.
const STRUCTURES_MAX: usize = 512;
/// A longer one is not, nor one that is nested deeper.
const LENGTH_MAX: usize = 4096;
const OPEN_MAX: usize = 64;
/// About so many bytes a token has: room is made for them at once.
const TOKEN_BYTES: usize = 12;

thread_local! {
    static MEMORY: RefCell<Memory> = RefCell::default();
}

#[derive(Default)]
struct Memory {
    nameless: HashSet<Box<[u8]>, RandomState>,
    structure: Structure,
}

/// The tokens of a text: if its structure is known, none of them has a credential. Else `read` says what they are, and
/// whether that follows from the structure and there is none.
pub(super) fn tokens(text: &str, read: &mut dyn FnMut() -> (Vec<Token>, bool)) -> Vec<Token> {
    let known = MEMORY.with_borrow_mut(|memory| {
        let found = memory.structure.take(text);
        let structure = &memory.structure;
        (!structure.is_beyond && memory.nameless.contains(structure.key.as_slice())).then_some(found)
    });
    if let Some(found) = known {
        return found;
    }
    let (found, is_nameless) = read();
    if is_nameless {
        MEMORY.with_borrow_mut(|memory| memory.learn());
    }
    found
}

/// Forgets all structures.
#[cfg(test)]
pub(super) fn forget() {
    MEMORY.take();
}

impl Memory {
    fn learn(&mut self) {
        if self.structure.is_beyond {
            return;
        }
        if self.nameless.len() >= STRUCTURES_MAX {
            self.nameless.clear();
        }
        self.nameless.insert(self.structure.key.as_slice().into());
    }
}

/// All of a text that says what its names make of its values: its marks and names, without its values.
#[derive(Default)]
struct Structure {
    key: Vec<u8>,
    open: Vec<Open>,
    /// Whether it is too long or too deep to be known.
    is_beyond: bool,
}

/// A list or an object that is open.
struct Open {
    is_list: bool,
    /// Where the structures of the element of a list before this one, and of this one, begin in the key.
    before: Option<usize>,
    this: usize,
    /// How many marks this element has, those within its lists and objects apart: one of them is one mark.
    marks: usize,
}

impl Structure {
    /// Becomes the structure of this text; its tokens, none of them with a credential.
    fn take(&mut self, text: &str) -> Vec<Token> {
        self.key.clear();
        self.open.clear();
        self.is_beyond = false;
        let mut found = Vec::with_capacity(text.len() / TOKEN_BYTES + 1);
        scan(text, &mut |mark| {
            if !self.is_beyond {
                self.put(text, &mark);
            }
            if let Mark::Token(at, kind) = mark {
                found.push(Token { at, kind, credential: None });
            }
        });
        found
    }

    fn put(&mut self, text: &str, mark: &Mark) {
        let part = match mark {
            Mark::Opens { is_list } => {
                if *is_list {
                    "["
                } else {
                    "{"
                }
            }
            Mark::Closes => "}",
            Mark::Comma => ",",
            Mark::Token(at, Kind::Name) => text.get(at.clone()).unwrap_or_default(),
            Mark::Token(_, Kind::Text) => "t",
            Mark::Token(_, Kind::Bare) => "b",
        };
        if self.key.len() + part.len() > LENGTH_MAX || self.open.len() > OPEN_MAX {
            self.is_beyond = true;
            return;
        }
        let ends = matches!(mark, Mark::Closes | Mark::Comma);
        let has_gone = ends && self.ends_element();
        if !has_gone || !matches!(mark, Mark::Comma) {
            self.key.extend_from_slice(part.as_bytes());
        }
        match mark {
            Mark::Opens { is_list } => {
                self.counts_mark();
                self.open.push(Open { is_list: *is_list, before: None, this: self.key.len(), marks: 0 });
            }
            Mark::Closes => drop(self.open.pop()),
            Mark::Comma => {
                if let Some(open) = self.open.last_mut() {
                    (open.this, open.marks) = (self.key.len(), 0);
                }
            }
            Mark::Token(..) => self.counts_mark(),
        }
    }

    fn counts_mark(&mut self) {
        if let Some(open) = self.open.last_mut() {
            open.marks += 1;
        }
    }

    /// Of elements of a list that are an object or a list of one structure and nothing else, one stands for all that follow
    /// each other: they say nothing of each other. Whether this one went.
    fn ends_element(&mut self) -> bool {
        let Some(Open { is_list: true, before, this, marks }) = self.open.last_mut() else { return false };
        let element = self.key.get(*this..).unwrap_or_default();
        // In what is no JSON a text may stand behind it, which can name another.
        let is_container = *marks == 1 && matches!(element.first(), Some(b'{' | b'['));
        let last = before.and_then(|before| self.key.get(before..*this));
        // The one before has its comma behind it.
        if is_container && last.and_then(|last| last.strip_suffix(b",")) == Some(element) {
            self.key.truncate(*this);
            return true;
        }
        *before = Some(*this);
        false
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::rules::Rules;
    use super::super::tokens::{self, read_slowly};
    use super::*;

    fn structure(text: &str) -> String {
        let mut structure = Structure::default();
        structure.take(text);
        String::from_utf8(structure.key).unwrap()
    }

    #[test]
    fn equal_elements_of_a_list_are_one_and_values_are_none() {
        let one = structure(r#"{"a":[{"b":"x","c":[1]}],"d":null}"#);
        assert_eq!(one, r#"{"a"[{"b"t,"c"[b}}},"d"b}"#);
        let many = r#"{"a":[{"b":"y","c":[2]},{"b":"","c":[3]}, {"b":"z","c":[4]}],"d":7}"#;
        assert_ne!(structure(r#"["a"]"#), structure(r#"["a","b"]"#));
        let other = r#"[{"a":1},{"b":1},{"a":1}]"#;
        assert_eq!(structure(other), r#"[{"a"b},{"b"b},{"a"b}}"#);
        assert_eq!(structure(many).replace(",}", "}"), one);
    }

    #[test]
    fn a_text_behind_an_object_is_never_taken_for_the_one_before_it() {
        let rules = Rules::default();
        let first = r#"[{"a":1} "x",]"#;
        let second = r#"[{"a":1} "--token", {"a":2} "9f2c4e8a01b7"]"#;
        for text in [first, second] {
            assert_eq!(tokens::tokens(text, &rules), read_slowly(text, &rules), "{text}");
        }
        assert!(tokens::tokens(second, &rules).iter().any(|token| token.credential.is_some()));
    }

    /// Texts of few names, so that many have one structure; some are no JSON.
    fn text() -> impl Strategy<Value = String> {
        let leaf = prop::sample::select(vec![
            "1",
            "null",
            "\"x\"",
            "\"token\"",
            "\"password\"",
            "\"9f2c4e8a01b7\"",
            "\"--token\"",
            "\"-v\"",
            "",
        ]);
        let name = prop::sample::select(vec![
            "id",
            "name",
            "value",
            "values",
            "text",
            "token",
            "session",
            "a",
            "to\\u006ben",
            "key",
            "data",
        ]);
        leaf.prop_map(str::to_owned).prop_recursive(4, 24, 4, move |inner| {
            let member =
                (name.clone(), inner.clone()).prop_map(|(name, value)| format!("\"{name}\":{value}"));
            prop_oneof![
                prop::collection::vec(member, 0..4).prop_map(|members| format!("{{{}}}", members.join(","))),
                prop::collection::vec(inner.clone(), 0..4)
                    .prop_map(|elements| format!("[{}]", elements.join(","))),
                prop::collection::vec(inner.clone(), 1..3).prop_map(|texts| texts.join(",")),
                prop::collection::vec(
                    (inner.clone(), prop::sample::select(vec!["", " ", ",", ":", ",,", "]", "}"])),
                    0..6
                )
                .prop_map(
                    |all| all.into_iter().fold("[".to_owned(), |text, (one, sign)| text + &one + sign) + "]"
                ),
                (inner.clone(), 1..4_usize)
                    .prop_map(|(text, many)| format!("[{}]", vec![text; many].join(","))),
                (inner, 0..40_usize).prop_map(|(text, at)| text.get(..at).unwrap_or(&text).to_owned()),
            ]
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(4000))]
        #[test]
        fn a_text_of_a_known_structure_is_read_as_if_it_were_the_first(text in text()) {
            let rules = Rules::default();
            prop_assert_eq!(tokens::tokens(&text, &rules), read_slowly(&text, &rules));
        }
    }
}

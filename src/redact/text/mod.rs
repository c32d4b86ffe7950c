//! Credentials in any text, whatever its format: `token=...`, `SEC: ...`, `<password>...</password>`, a web token, the
//! password of a URL. Found by the name beside the value, or by the form of the value itself.

mod assign;
mod form;
mod markup;
mod table;

use std::ops::Range;

use super::looks;
use super::names::{Likeness, holds_placeholder};
use super::place::Place;
use super::rules::Rules;

/// A credential and where its value stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Find {
    pub(super) at: Range<usize>,
    pub(super) place: Place,
}

/// Which bytes a text holds: most texts lack what most searches begin with.
pub(super) struct Holds([bool; 256]);

impl Holds {
    fn of(bytes: &[u8]) -> Self {
        let mut holds = [false; 256];
        for byte in bytes {
            if let Some(there) = holds.get_mut(usize::from(*byte)) {
                *there = true;
            }
        }
        Self(holds)
    }

    fn all(&self, bytes: &[u8]) -> bool {
        bytes.iter().all(|byte| self.0.get(usize::from(*byte)) == Some(&true))
    }
}

/// Every credential in a text, in no order; some may overlap.
pub(super) fn find(bytes: &[u8], rules: &Rules) -> Vec<Find> {
    let holds = Holds::of(bytes);
    let mut found = Vec::new();
    if holds.all(b"=") || holds.all(b":") {
        assign::find(bytes, rules, &mut found);
    }
    if holds.all(b"<>") {
        markup::find(bytes, rules, &mut found);
    }
    form::find(bytes, &holds, rules, &mut found);
    rules.matches(bytes, &mut found);
    found
}

/// The credentials in the columns of a table with a first row of names; see [`table`].
pub(super) fn in_table(bytes: &[u8], rules: &Rules) -> Vec<Find> {
    table::find(bytes, rules)
}

/// So many signs without a letter or digit may be a secret; fewer are a bracket or a dash.
const SIGNS_MIN: usize = 4;

/// Words that stand for a value that is not there.
const NOTHING: &[&str] = &["null", "none", "nil", "true", "false", "undefined", "yes", "no"];

/// Whether a value beside a name is a secret's.
fn counts(likeness: Likeness, value: &[u8]) -> bool {
    let is_nothing = || NOTHING.iter().any(|word| value.eq_ignore_ascii_case(word.as_bytes()));
    let is_sign =
        value.len() < SIGNS_MIN && !value.iter().any(|byte| byte.is_ascii_alphanumeric() || !byte.is_ascii());
    match likeness {
        _ if value.trim_ascii().is_empty() || is_sign || holds_placeholder(value) => false,
        Likeness::Sure => !is_nothing(),
        Likeness::Maybe => looks::secret(value),
    }
}

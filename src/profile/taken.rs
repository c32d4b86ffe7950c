//! What a console was seen to take, though a rule of the gate says otherwise.

use std::collections::BTreeSet;
use std::fmt;

/// A rule of the gate, and what it spoke about in one request: `version 6.0`, `422/8 query note_text of POST /x`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Ground {
    /// The rule, as the ledger calls it.
    pub rule: &'static str,
    /// The value or the name it was about; empty if it is about nothing in particular.
    pub about: String,
}

impl Ground {
    pub(crate) fn new(rule: &'static str, about: impl Into<String>) -> Self {
        Self { rule, about: about.into() }
    }

    /// That the API has no other paths than the profiles'; `about` is method and path.
    pub(crate) fn of_path(about: String) -> Self {
        Self::new(Self::PATH, about)
    }

    /// What the rule about unknown paths is called.
    pub(crate) const PATH: &'static str = "path";
}

impl fmt::Display for Ground {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.rule, self.about)
    }
}

/// The rules that a recording speaks against: the gate leaves them out.
#[derive(Clone, Debug, Default)]
pub struct Taken {
    grounds: BTreeSet<Ground>,
}

impl Taken {
    /// Every rule stands.
    pub fn nothing() -> &'static Self {
        static NOTHING: Taken = Taken { grounds: BTreeSet::new() };
        &NOTHING
    }

    /// From now on this rule is left out where it is about the same; whether it was not yet.
    pub fn learn(&mut self, ground: Ground) -> bool {
        self.grounds.insert(ground)
    }

    /// What another recording speaks against, too.
    pub fn join(&mut self, other: &Self) {
        self.grounds.extend(other.grounds.iter().cloned());
    }

    pub(super) fn holds(&self, ground: &Ground) -> bool {
        !self.grounds.is_empty() && self.grounds.contains(ground)
    }
}

//! What a property says of one case: it holds, it is broken, or nothing can be said.

use crate::ledger::Standing;

/// A property's answer for one case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It was put to the test and holds. The notes are advice, never a fault.
    Held(Vec<String>),
    /// It is broken.
    Violated(Violation),
    /// The client cannot be asked: why.
    NotApplicable(String),
    /// Nothing put it to the test: why.
    NotReached(String),
    /// It was put to the test, and what came out says nothing: why.
    Inconclusive(String),
}

/// What shows that a property is broken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// One sentence for a person.
    pub because: String,
    /// Line by line: what the client was told, sent, got and reported, and the difference.
    pub evidence: Vec<String>,
}

impl Verdict {
    /// Held, without advice.
    pub(super) fn held() -> Self {
        Self::Held(Vec::new())
    }

    /// Not put to the test.
    pub(super) fn not_reached(why: impl Into<String>) -> Self {
        Self::NotReached(why.into())
    }

    /// Says nothing.
    pub(super) fn inconclusive(why: impl Into<String>) -> Self {
        Self::Inconclusive(why.into())
    }

    /// Broken.
    pub(super) fn violated(because: impl Into<String>, evidence: Vec<String>) -> Self {
        Self::Violated(Violation { because: because.into(), evidence })
    }

    /// Its kind, as a ledger writes it.
    pub(super) fn standing(&self) -> Standing {
        match self {
            Self::Held(_) => Standing::Held,
            Self::Violated(_) => Standing::Violated,
            Self::NotApplicable(_) => Standing::NotApplicable,
            Self::NotReached(_) => Standing::NotReached,
            Self::Inconclusive(_) => Standing::Inconclusive,
        }
    }

    /// Whether the property is broken.
    pub(super) fn is_violated(&self) -> bool {
        matches!(self, Self::Violated(_))
    }

    /// Which of several answers speaks for all cases: a violation outweighs all, a case that says nothing outweighs
    /// one that holds, and one that holds outweighs those that were never put to the test. One that does not apply says
    /// least of all.
    pub(super) fn weight(&self) -> u8 {
        match self {
            Self::NotApplicable(_) => 0,
            Self::NotReached(_) => 1,
            Self::Held(_) => 2,
            Self::Inconclusive(_) => 3,
            Self::Violated(_) => 4,
        }
    }
}

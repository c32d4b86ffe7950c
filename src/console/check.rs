//! What a rule is put to the test with: questions, and a pure look at the answers.

use std::fmt;

use super::question::{Answer, Question};
use super::rule::Rule;
use super::whole::Whole;

/// One test of one place of a console. Judging is pure: it sees answers and nothing else.
pub(super) trait Check: fmt::Debug + Send + Sync {
    /// The test in a few words: `fields=id,rules(id)`.
    fn case(&self) -> String;

    /// The rule it is first of all a test of.
    fn rule(&self) -> &'static Rule;

    /// What is asked, in order; `base` is the plain request for the place.
    fn questions(&self, base: &Question) -> Vec<Question>;

    /// What the answers say of each rule that this is a test of. `whole` is what the plain request gave both before and
    /// after; it is there for each check that asks for it.
    fn judge(&self, whole: Option<&Whole>, answers: &[Answer]) -> Vec<(&'static Rule, Finding)>;

    /// Whether it compares with the whole.
    fn compares(&self) -> bool {
        false
    }

    /// Simpler tests of the same kind, the simplest first.
    fn smaller(&self) -> Vec<Box<dyn Check>> {
        Vec::new()
    }
}

/// What answers say of a rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Finding {
    /// It was put to the test and holds.
    Holds,
    /// The console does otherwise.
    Departs(Departure),
    /// It was not put to the test, and why.
    NotReached(String),
    /// What came says nothing.
    Unclear(String),
}

/// How a console does otherwise.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Departure {
    /// In one sentence, without a full stop. What the console holds may stand in it.
    pub(super) because: String,
    /// The same without any value of the console's: it is kept in files that may be handed on.
    pub(super) kept: &'static str,
    /// What was to come.
    pub(super) expected: String,
    /// Which of the answers shows it.
    pub(super) at: usize,
}

impl Finding {
    /// `kept` says the same as `because`, without any value of the console's.
    pub(super) fn departs(
        kept: &'static str,
        because: impl Into<String>,
        expected: impl Into<String>,
    ) -> Self {
        Self::Departs(Departure { because: because.into(), kept, expected: expected.into(), at: 0 })
    }

    /// It is answered with another status than it should be, this one.
    pub(super) fn answered(status: impl std::fmt::Display, expected: impl Into<String>) -> Self {
        Self::departs("it is answered with another status", format!("it is answered with {status}"), expected)
    }

    /// The same, shown by another of the answers.
    #[must_use]
    pub(super) fn at(self, place: usize) -> Self {
        match self {
            Self::Departs(departure) => Self::Departs(Departure { at: place, ..departure }),
            other => other,
        }
    }
}

/// Why an answer says nothing of the rule that was asked about: the token may not, the console is in trouble, or it is no
/// console but a recording that does not have this.
pub(super) fn obstacle(answer: &Answer) -> Option<Finding> {
    match answer.status {
        401 => Some(Finding::NotReached(format!("the console does not take the token ({})", answer.named()))),
        403 => Some(Finding::NotReached(format!("this token may not ({})", answer.named()))),
        501 => Some(Finding::NotReached("501: a recording does not have this request".to_owned())),
        300..=399 => Some(Finding::NotReached(format!("{}: it is not followed", answer.status))),
        500..=599 => Some(Finding::Unclear(format!("the console answers {}", answer.named()))),
        _ => None,
    }
}

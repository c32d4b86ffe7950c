//! Who decides the exit code: [`Reasons`]. Whatever finds something out about a run puts it there with the exit code it
//! asks for; the weightiest decides. What each code means is [`Exit`].
//!
//! Those who put something there: the account itself ([`super::EndLine::weigh`]), `run/combine.rs`, `run/observed.rs`,
//! `run/whole.rs` (`[must] see`), `run/matrix.rs` and [`super::weigh_runs`] (many runs), [`super::Knowns`] (what is known asks for nothing),
//! `judge/engine/tally.rs`, `console/tally.rs`, `replay/mod.rs`, `emulate/mod.rs`, `record/summary.rs`, and of the verbs
//! `cli/demo.rs` (two
//! clients at once), `cli/judge.rs` (interrupted), `cli/check_adapter.rs` (a known answer that was not read),
//! `cli/doctor.rs` (trouble on the way), `cli/emulate.rs` (which owes nobody a fault), `cli/chaos.rs` (no fault fired), `cli/run.rs` (`--require-coverage`), `cli/outputs.rs` (a ledger that nobody read), `cli/report.rs` (one that was
//! cut short) and `cli/lint.rs` (nothing is run). Two things stand outside: what stops a verb before or after the run
//! (`cli/problem.rs`), and a defect of faultdeck (`cli/mod.rs`).

use serde::{Deserialize, Serialize};

use super::known::{Came, Known, KnownMark};

/// An exit code. CI scripts branch on these numbers, so they never change. The order is the precedence when several
/// apply: the greatest wins.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(into = "u8", try_from = "u8")]
pub enum Exit {
    /// 0: all that was asked for was put to the test and holds.
    #[default]
    Passed,
    /// 3: nothing was served, a planned fault never fired, a request missed or was refused, or the client could not be
    /// started.
    Inconclusive,
    /// 1: a property was violated, or the command under test did not do what the scenario says it must.
    Failed,
    /// 2: the user's input is wrong: an argument, a scenario, a cassette, a client file.
    BadInput,
    /// 70: faultdeck itself is broken.
    Defect,
}

impl Exit {
    /// Every code, by precedence.
    const ALL: [Self; 5] = [Self::Passed, Self::Inconclusive, Self::Failed, Self::BadInput, Self::Defect];

    /// The number the process ends with.
    pub fn code(self) -> u8 {
        match self {
            Self::Passed => 0,
            Self::Failed => 1,
            Self::BadInput => 2,
            Self::Inconclusive => 3,
            Self::Defect => 70,
        }
    }

    /// The code in a word or two.
    pub fn word(self) -> &'static str {
        match self {
            Self::Passed => "passed",
            Self::Failed => "failed",
            Self::BadInput => "wrong input",
            Self::Inconclusive => "inconclusive",
            Self::Defect => "a defect of faultdeck",
        }
    }

    /// The one that outranks the other: 70, 2, 1, 3, 0.
    #[must_use]
    fn and(self, other: Self) -> Self {
        self.max(other)
    }
}

impl From<Exit> for u8 {
    fn from(exit: Exit) -> Self {
        exit.code()
    }
}

/// No run ends with this code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0} is no exit code of faultdeck's")]
pub struct NoExit(u8);

impl TryFrom<u8> for Exit {
    type Error = NoExit;

    fn try_from(code: u8) -> Result<Self, NoExit> {
        Self::ALL.into_iter().find(|exit| exit.code() == code).ok_or(NoExit(code))
    }
}

/// One thing found out about a run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reason {
    /// The exit code it asks for.
    pub exit: Exit,
    /// What it is, in a sentence without a full stop.
    pub why: String,
    /// The property, if a verdict of this ledger tells the same.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub property: Option<String>,
    /// The known failure that it is about, and what became of that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub known: Option<Box<KnownMark>>,
}

/// All that was found out about a run, each with the exit code it asks for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reasons(Vec<Reason>);

impl Reasons {
    /// Adds something found out.
    pub fn push(&mut self, exit: Exit, why: impl Into<String>) {
        self.0.push(Reason { exit, why: why.into(), property: None, known: None });
    }

    /// Adds what the verdict on a property comes to.
    pub fn push_verdict(&mut self, exit: Exit, property: &str, why: impl Into<String>) {
        self.0.push(Reason { exit, why: why.into(), property: Some(property.to_owned()), known: None });
    }

    /// Adds that a known failure did not happen.
    pub(super) fn push_passed(&mut self, exit: Exit, entry: &Known, why: String) {
        let mark = KnownMark { entry: entry.clone(), came: Came::Passed };
        self.0.push(Reason { exit, why, property: None, known: Some(Box::new(mark)) });
    }

    /// Adds that so many requests were turned away: a client that cannot say what it wants was not put to the test.
    pub(crate) fn push_refused(&mut self, count: u64) {
        if count > 0 {
            let were = if count == 1 { "request was" } else { "requests were" };
            self.push(Exit::Inconclusive, format!("{count} {were} refused before anybody was asked"));
        }
    }

    /// The exit code: the weightiest that is asked for. Without any reason it is 0.
    pub fn exit(&self) -> Exit {
        self.0.iter().map(|reason| reason.exit).fold(Exit::Passed, Exit::and)
    }

    /// Why, in one sentence, the weightiest reason first. What went well is no news beside what did not.
    pub fn because(&self) -> String {
        let exit = self.exit();
        let mut shown: Vec<&Reason> =
            self.0.iter().filter(|reason| exit == Exit::Passed || reason.exit > Exit::Passed).collect();
        shown.sort_by_key(|reason| std::cmp::Reverse(reason.exit));
        shown.iter().map(|reason| reason.why.as_str()).collect::<Vec<_>>().join("; ")
    }

    /// What was found already.
    pub(crate) fn of(all: Vec<Reason>) -> Self {
        Self(all)
    }

    /// All of them, in the order they were found.
    pub fn into_all(self) -> Vec<Reason> {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_violation_outweighs_a_miss_and_a_defect_outweighs_all() {
        let order = [Exit::Defect, Exit::BadInput, Exit::Failed, Exit::Inconclusive, Exit::Passed];
        assert!(order.is_sorted_by(|a, b| a.and(*b) == *a && a != b));
        assert_eq!(order.map(Exit::code), [70, 2, 1, 3, 0]);
        assert!(Exit::ALL.into_iter().all(|exit| Exit::try_from(exit.code()) == Ok(exit)));
        assert!(Exit::try_from(4).is_err());
    }

    #[test]
    fn the_weightiest_reason_decides_and_is_told_first() {
        let mut reasons = Reasons::default();
        assert_eq!((reasons.exit(), reasons.because()), (Exit::Passed, String::new()));
        reasons.push(Exit::Passed, "the command passed");
        assert_eq!(reasons.because(), "the command passed");
        reasons.push(Exit::Inconclusive, "a request missed");
        reasons.push_verdict(Exit::Failed, "terminates", "terminates is violated");
        assert_eq!(reasons.exit(), Exit::Failed);
        assert_eq!(reasons.because(), "terminates is violated; a request missed");
    }
}

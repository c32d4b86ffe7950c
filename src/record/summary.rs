//! What a recording comes to.

use std::path::PathBuf;

use crate::ledger::{Exit, Reasons};

/// What a recording came to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// The cassette's file.
    pub path: PathBuf,
    /// Interactions in it.
    pub stored: usize,
    /// Interactions among them that a recording which was cut short had left.
    pub recovered: u64,
    /// Entries of a journal that were whole once and could not be read.
    pub damaged: u64,
    /// Requests answered here because writing was not allowed.
    pub refused_writes: u64,
    /// Requests that the listener turned away: they were none (a bad head, a foreign `Host`).
    pub refused: u64,
    /// Answers that came whole and could not be kept.
    pub not_stored: u64,
    /// Requests that were sent, and whose answer could not be read, came too late or was cut.
    pub unanswered: u64,
    /// Requests that did not reach the console: nothing of them was sent.
    pub unreachable: u64,
    /// Why, the first few.
    pub reasons: Vec<String>,
}

impl Summary {
    /// Everything found out about the recording, with what each asks for. A request that was let through has its
    /// interaction in the cassette, or the recording is not green.
    pub fn weigh(&self) -> Reasons {
        let mut reasons = Reasons::default();
        let lost = [
            (self.unreachable, Exit::Inconclusive, "did not reach the console"),
            (self.unanswered, Exit::Failed, "sent without an answer that could be read whole"),
            (self.not_stored, Exit::Failed, "answered, but not stored"),
        ];
        for (count, exit, what) in lost.into_iter().filter(|(count, ..)| *count > 0) {
            reasons.push(exit, format!("{count} request{} {what}", if count == 1 { "" } else { "s" }));
        }
        if self.damaged > 0 {
            let many = if self.damaged == 1 { "entry" } else { "entries" };
            reasons.push(Exit::Failed, format!("{} damaged {many} of the journal", self.damaged));
        }
        if self.refused > 0 {
            let many = if self.refused == 1 { "" } else { "s" };
            reasons.push(Exit::Inconclusive, format!("{} request{many} turned away", self.refused));
        }
        if self.stored == 0 {
            reasons.push(Exit::Inconclusive, "nothing was recorded");
        }
        reasons
    }
}

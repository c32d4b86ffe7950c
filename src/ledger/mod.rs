//! The ledger: all that a run was and did, as JSON lines. Reports are made from it alone.
//!
//! Every text in a ledger has been through [`crate::redact`] before it gets here. What differs between two equal runs
//! (durations, bytes that left in time, the order of connections) stands in [`Line::Timing`] and [`Line::Greeted`] only, so two runs with the same cassette,
//! scenario, seed and requests give the same multiset of all other lines.
//!
//! - `lines` holds the kinds of lines, `exchange` the one about a request, `late` what is made of a line only if it is read
//! - `coverage` is what a judgement put to the test
//! - `seen` is what a command was seen to do
//! - `known` is which failures a project knows, and what became of them
//! - `ran` is how the runs of a matrix ended, and what all of them come to
//! - `account` adds up what was served: one sum, for every verb and every report
//! - `merge` makes one ledger of many
//! - `exit` is what an exit code means, and who decides it: [`Reasons`], where every verb puts what it has found

mod account;
mod coverage;
mod exchange;
mod exit;
mod known;
mod late;
mod lines;
mod merge;
mod pieces;
mod ran;
mod seen;

use std::io::{self, Write};

use crate::redact::Numbering;

pub use account::{EndLine, Sum};
pub use coverage::{CoverageLine, DrawnCoverage, LawCoverage, Reached};
pub(crate) use exchange::OriginKind;
pub(crate) use exchange::without_address;
pub use exchange::{BODY_MAX, BodyText, Exchange, ExchangeKey, FaultLine, HeadLine, Origin};
pub use exit::{Exit, Reason, Reasons};
#[cfg(feature = "cli")]
pub(crate) use known::with_marks;
pub(crate) use known::{ALL_HELD, OfRun, asked_at};
pub use known::{Came, Known, KnownMark, Knowns};
pub use late::Late;
pub use lines::{
    GapLine, GreetedLine, Line, OutcomeLine, RefusedLine, RunLine, Standing, Timing, VerdictLine,
    exchange_to_json, needs_client_file,
};
pub use merge::{MergeError, Merged, Part, merge};
pub use pieces::ExchangePieces;
pub use ran::{RanLine, RunStanding, by_scenario, weigh_runs};
pub use seen::{EndpointSeen, RecordingUsed, SeenLine};

/// The version of the format, written in every [`RunLine`]. Readers read this version and older ones.
pub const FORMAT: u32 = 1;

/// Why a ledger cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum LedgerError {
    /// A line is not a line of ours.
    #[error("line {line} of the ledger cannot be read: {source}")]
    Line {
        /// Which, from 1.
        line: usize,
        /// Why.
        source: serde_json::Error,
    },
    /// It was written by a newer faultdeck.
    #[error(
        "the ledger is of format {found}; this faultdeck reads up to {FORMAT}: use the faultdeck that wrote it"
    )]
    TooNew {
        /// The format found.
        found: u32,
    },
    /// Its last line is not the closing one.
    #[error("the ledger ends at line {line} without its closing line: the run was cut short")]
    Cut {
        /// The last line, from 1.
        line: usize,
    },
    /// There is nothing in it.
    #[error("the ledger is empty")]
    Empty,
}

/// Reads a ledger.
///
/// # Errors
/// If a line is not JSON of a known kind, or the format is newer than [`FORMAT`].
pub fn read(text: &str) -> Result<Vec<Line>, LedgerError> {
    let mut lines = Vec::new();
    for (index, text) in text.lines().enumerate() {
        if text.trim().is_empty() {
            continue;
        }
        let line =
            serde_json::from_str(text).map_err(|source| LedgerError::Line { line: index + 1, source })?;
        if let Line::Run(run) = &line
            && run.format > FORMAT
        {
            return Err(LedgerError::TooNew { found: run.format });
        }
        lines.push(line);
    }
    if lines.is_empty() { Err(LedgerError::Empty) } else { Ok(lines) }
}

/// Writes `lines` in order.
///
/// # Errors
/// If `out` does not take them.
pub fn write(lines: &[Line], out: &mut dyn Write) -> io::Result<()> {
    for line in lines {
        out.write_all(line.to_json().map_err(io::Error::other)?.as_bytes())?;
    }
    out.flush()
}

/// The lines that equal runs share, sorted: no timing, nothing about connections (how many a client opens, and which of them
/// comes first, is a matter of luck); exchanges by session, endpoint, resource and occurrence. Secrets
/// are numbered as they come, and what comes first is a matter of luck: here they are numbered in the order of the lines.
pub fn stable(lines: &[Line]) -> Vec<String> {
    let mut texts: Vec<String> = lines
        .iter()
        .filter(|line| !matches!(line, Line::Timing(_) | Line::Greeted(_)))
        .filter_map(|line| line.to_json().ok())
        .collect();
    texts.sort_by_cached_key(|text| (Numbering::of_secrets().renumbered(text), text.clone()));
    let mut numbering = Numbering::of_secrets();
    let mut texts: Vec<String> = texts.iter().map(|text| numbering.renumbered(text)).collect();
    texts.sort();
    texts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_lines_are_equal_whatever_numbers_their_secrets_have() {
        let line = |nth, secret: u32| {
            let key = ExchangeKey { nth, ..ExchangeKey::default() };
            let target = format!("/x?token=fd-secret-{secret}");
            Line::Exchange(Box::new(Exchange { key, target, ..Exchange::default() }))
        };
        assert_eq!(
            stable(&[line(1, 1), line(2, 2), line(3, 1)]),
            stable(&[line(3, 4), line(2, 3), line(1, 4)])
        );
        assert_ne!(stable(&[line(1, 1), line(2, 2)]), stable(&[line(1, 1), line(2, 1)]));
        // Which connection comes first is a matter of luck.
        let greeted = GreetedLine { connection: Some(3), ..GreetedLine::default() };
        assert_eq!(stable(&[line(1, 1), Line::Greeted(greeted)]), stable(&[line(1, 1)]));
    }
}

//! A replay's lines, for whoever asks to have them in memory, and the bounds of it.

use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::ledger::Line;

use super::stream::{Event, Scribe};

/// Bytes of ledger lines kept in memory; what comes after is counted, not kept
/// ([`lost_lines`](crate::ledger::EndLine::lost_lines)).
const KEPT_MAX: usize = 256 * 1024 * 1024;

/// The lines so far.
#[derive(Debug, Default)]
pub(super) struct Kept(Mutex<Held>);

#[derive(Debug, Default)]
struct Held {
    scribe: Scribe,
    lines: Vec<Line>,
    weight: usize,
    lost: u64,
}

impl Kept {
    fn held(&self) -> MutexGuard<'_, Held> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Keeps the line of an event, if it still fits.
    pub(super) fn take(&self, event: &Event) {
        let mut held = self.held();
        if let Some(line) = held.scribe.line(event) {
            held.keep(line);
        }
    }

    pub(super) fn lines(&self) -> Vec<Line> {
        self.held().lines.clone()
    }

    pub(super) fn take_lines(&self) -> Vec<Line> {
        std::mem::take(&mut self.held().lines)
    }

    /// How many lines did not fit.
    pub(super) fn lost(&self) -> u64 {
        self.held().lost
    }
}

impl Held {
    fn keep(&mut self, line: Line) {
        let weight = line.weight();
        if self.weight + weight <= KEPT_MAX {
            self.weight += weight;
            self.lines.push(line);
        } else {
            // Nothing shorter may slip in later: what is kept is the start of the run, without gaps.
            self.weight = KEPT_MAX;
            self.lost += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ledger::{Exchange, Timing};

    #[test]
    fn lines_that_do_not_fit_are_counted() {
        let mut held = Held { weight: KEPT_MAX - 1000, ..Held::default() };
        let long = Exchange { target: "x".repeat(2000), ..Exchange::default() };
        held.keep(Line::Timing(Timing::default()));
        held.keep(Line::Exchange(Box::new(long)));
        held.keep(Line::Timing(Timing::default()));
        assert_eq!((held.lines.len(), held.lost), (1, 2));
    }
}

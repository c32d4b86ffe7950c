//! What a replay keeps for the ledger, and the bounds of it.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::ledger::{EndLine, Exchange, ExchangeKey, Line, RefusedLine, Sum, Timing};
use crate::serve::Performed;

/// Bytes of ledger lines kept in memory; what comes after is counted, not kept ([`EndLine::lost_lines`]).
const KEPT_MAX: usize = 256 * 1024 * 1024;

/// The lines so far, and what they come to.
#[derive(Default)]
pub(super) struct Kept {
    lines: Vec<Line>,
    weight: usize,
    /// Exchanges whose timing is still to come, by ticket.
    waiting: BTreeMap<u64, ExchangeKey>,
    ticket: u64,
    sum: Sum,
    lost: u64,
}

impl Kept {
    /// Keeps an exchange; returns the ticket for its timing.
    pub(super) fn take(&mut self, exchange: &Exchange) -> u64 {
        self.sum.count(exchange);
        self.ticket += 1;
        self.waiting.insert(self.ticket, exchange.key.clone());
        self.keep(Line::Exchange(Box::new(exchange.clone())));
        self.ticket
    }

    /// Keeps a request that was turned away.
    pub(super) fn refuse(&mut self, line: &RefusedLine) {
        self.sum.refused += 1;
        self.keep(Line::Refused(line.clone()));
    }

    /// Keeps what really happened to the exchange with this ticket.
    pub(super) fn performed(&mut self, ticket: u64, what: Performed) {
        let Some(key) = self.waiting.remove(&ticket) else { return };
        let micros = |time: Duration| u64::try_from(time.as_micros()).unwrap_or(u64::MAX);
        self.keep(Line::Timing(Timing {
            key,
            at_us: micros(what.at),
            took_us: micros(what.took),
            sent_bytes: what.sent_bytes,
            cut_short: what.cut_short,
        }));
    }

    /// Keeps a line, if it still fits.
    pub(super) fn keep(&mut self, line: Line) {
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

    pub(super) fn lines(&self) -> &[Line] {
        &self.lines
    }

    /// What was counted, whether or not its lines were kept.
    pub(super) fn account(&self) -> EndLine {
        EndLine { sum: self.sum, lost_lines: self.lost, ..EndLine::default() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_that_do_not_fit_are_counted() {
        let mut kept = Kept { weight: KEPT_MAX - 1000, ..Kept::default() };
        let long = Exchange { target: "x".repeat(2000), ..Exchange::default() };
        kept.keep(Line::Timing(Timing::default()));
        kept.take(&long);
        kept.keep(Line::Timing(Timing::default()));
        let account = kept.account();
        assert_eq!((kept.lines().len(), account.lost_lines, account.sum.served), (1, 2, 1));
    }
}

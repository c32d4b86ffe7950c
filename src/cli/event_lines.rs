//! The ledger's lines of what happens.

use std::collections::HashMap;
use std::sync::Arc;

use foldhash::quality::RandomState;

use super::alike::AlikeTexts;
use crate::ledger::{ExchangeKey, ExchangePieces, Line, exchange_to_json};
use crate::redact::Redactor;
use crate::replay::{Event, Scribe, Served, timing};

/// Makes lines of events that come in order. What was answered as before is written as before, but for its numbers.
#[derive(Default)]
pub(super) struct EventLines {
    scribe: Scribe,
    alike: AlikeTexts<Arc<ExchangePieces>>,
    /// Those of them whose timing is still to come, by ticket, and their `nth`: at most one for each open connection.
    waiting: HashMap<u64, (Arc<ExchangePieces>, u32), RandomState>,
}

impl EventLines {
    /// Adds the line of an event. An exchange is made of cleaned texts, and its timing of the exchange's; every other line
    /// is cleaned as a whole.
    pub(super) fn add(&mut self, event: &Event, redactor: &Redactor, text: &mut String) {
        match event {
            Event::Served { ticket, served } => self.served(*ticket, served, redactor, text),
            Event::Performed { ticket, what } => {
                if let Some((pieces, nth)) = self.waiting.remove(ticket) {
                    pieces.timing(text, nth, &timing(ExchangeKey::default(), what));
                } else if let Some(line) = self.scribe.line(event) {
                    text.push_str(&clean_line(&line, redactor));
                }
            }
            Event::Opened(_) | Event::Refused(_) | Event::Greeted(_) => {
                let line = self.scribe.line(event);
                text.push_str(&line.map_or_else(String::new, |line| clean_line(&line, redactor)));
            }
        }
    }

    fn served(&mut self, ticket: u64, served: &Served, redactor: &Redactor, text: &mut String) {
        let alike = served.alike();
        let known = alike.as_ref().and_then(|alike| self.alike.get(alike)).cloned();
        // Its texts may have been made long ago, when less was known to be secret: those stand for no others.
        let pieces = known.or_else(|| {
            let alike = alike.filter(|_| !served.is_outdated())?;
            let pieces = Arc::new(ExchangePieces::of(served.exchange())?);
            self.alike.keep(alike, Arc::clone(&pieces), pieces.weight());
            Some(pieces)
        });
        match pieces {
            Some(pieces) => {
                let times = served.times();
                pieces.exchange(text, times.nth, times.call, times.tick);
                self.waiting.insert(ticket, (pieces, times.nth));
            }
            None => {
                let line = exchange_to_json(self.scribe.exchange(ticket, served)).unwrap_or_default();
                match served.is_outdated() {
                    true => text.push_str(&redactor.json(&line)),
                    false => text.push_str(&line),
                }
            }
        }
    }
}

/// A line without what is secret.
pub(super) fn clean_line(line: &Line, redactor: &Redactor) -> String {
    line.to_json().map_or_else(|_| String::new(), |text| redactor.json(&text))
}

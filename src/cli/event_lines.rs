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
    alike: AlikeTexts<Option<Arc<ExchangePieces>>>,
    /// Those of them whose timing is still to come, by ticket, and their `nth`: at most one for each open connection.
    waiting: HashMap<u64, (Arc<ExchangePieces>, u32), RandomState>,
}

impl EventLines {
    /// Adds the line of an event. An exchange is made of cleaned texts, and its timing of the exchange's; every other line
    /// is cleaned as a whole.
    pub(super) fn add(&mut self, event: &Event, redactor: &Redactor, text: &mut String) {
        match event {
            Event::Served { ticket, served } => self.served(*ticket, served, text),
            Event::Performed { ticket, what } => {
                if let Some((pieces, nth)) = self.waiting.remove(ticket) {
                    pieces.timing(text, nth, &timing(ExchangeKey::default(), what));
                } else if let Some(line) = self.scribe.line(event) {
                    text.push_str(&line.to_json().unwrap_or_default());
                }
            }
            Event::Opened(_) | Event::Refused(_) => {
                let line = self.scribe.line(event);
                text.push_str(&line.map_or_else(String::new, |line| clean_line(&line, redactor)));
            }
        }
    }

    fn served(&mut self, ticket: u64, served: &Served, text: &mut String) {
        let make = || {
            let pieces = ExchangePieces::of(served.exchange()).map(Arc::new);
            let bytes = pieces.as_ref().map_or(0, |pieces| pieces.weight());
            (pieces, bytes)
        };
        match served.alike().and_then(|alike| self.alike.get_or_make(alike, make).clone()) {
            Some(pieces) => {
                let times = served.times();
                pieces.exchange(text, times.nth, times.call, times.tick);
                self.waiting.insert(ticket, (pieces, times.nth));
            }
            None => {
                text.push_str(&exchange_to_json(self.scribe.exchange(ticket, served)).unwrap_or_default());
            }
        }
    }
}

/// A line without what is secret.
pub(super) fn clean_line(line: &Line, redactor: &Redactor) -> String {
    line.to_json().map_or_else(|_| String::new(), |text| redactor.json(&text))
}

//! What a replay tells those who watch it, and how that becomes a ledger's lines.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use crate::ledger::{Exchange, ExchangeKey, GreetedLine, Line, RefusedLine, RunLine, Timing};
use crate::serve::Performed;

use super::served::Served;

/// One thing that happened. Events are cheap to clone and to hand on to another thread.
#[derive(Clone, Debug)]
pub enum Event {
    /// A session was opened.
    Opened(Arc<RunLine>),
    /// A request was served.
    Served {
        /// Comes back in [`Event::Performed`].
        ticket: u64,
        /// What was decided.
        served: Arc<Served>,
    },
    /// The listener turned a request away.
    Refused(Arc<RefusedLine>),
    /// A connection met a planned fault, or nobody is listened to from now on.
    Greeted(Arc<GreetedLine>),
    /// What really happened to the answer with this ticket.
    Performed {
        /// Which.
        ticket: u64,
        /// What.
        what: Performed,
    },
}

/// Called for each event, by whatever thread it happens in: what takes long belongs elsewhere.
pub type Watch = Arc<dyn Fn(&Event) + Send + Sync>;

/// Makes the ledger's lines of events that come in order.
#[derive(Debug, Default)]
pub struct Scribe {
    /// Exchanges whose timing is still to come, by ticket: at most one for each open connection.
    waiting: HashMap<u64, ExchangeKey>,
}

impl Scribe {
    /// The exchange of a request that was served; its timing comes under this ticket.
    pub fn exchange<'s>(&mut self, ticket: u64, served: &'s Served) -> &'s Exchange {
        let exchange = served.exchange();
        self.waiting.insert(ticket, exchange.key.clone());
        exchange
    }

    /// The line for an event; `None` for the timing of an exchange that was never told.
    pub fn line(&mut self, event: &Event) -> Option<Line> {
        Some(match event {
            Event::Opened(run) => Line::Run(RunLine::clone(run)),
            Event::Refused(refused) => Line::Refused(RefusedLine::clone(refused)),
            Event::Greeted(greeted) => Line::Greeted(GreetedLine::clone(greeted)),
            Event::Served { ticket, served } => {
                Line::Exchange(Box::new(self.exchange(*ticket, served).clone()))
            }
            Event::Performed { ticket, what } => Line::Timing(timing(self.waiting.remove(ticket)?, what)),
        })
    }
}

/// What happened to an answer, as a ledger has it.
pub fn timing(key: ExchangeKey, what: &Performed) -> Timing {
    let micros = |time: Duration| u64::try_from(time.as_micros()).unwrap_or(u64::MAX);
    Timing {
        key,
        at_us: micros(what.at),
        took_us: micros(what.took),
        sent_bytes: what.sent_bytes,
        cut_short: what.cut_short,
    }
}

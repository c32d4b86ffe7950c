//! [`Served`]: one request served, as compactly as it can be kept.
//!
//! A decision hands over what it has anyway: the request as it came, the answer as it goes. The texts of a ledger line
//! are made of it, cleaned, when somebody asks for them, and once.

use std::borrow::Cow;
use std::fmt;
use std::sync::{Arc, OnceLock};

use crate::cassette::{Index, base_for};
use crate::delivery::Delivery;
use crate::ledger::{BODY_MAX, BodyText, Exchange, ExchangeKey, FaultLine, HeadLine, Origin};
use crate::message::{Headers, Request, Response};
use crate::profile::Ground;
use crate::redact::Redactor;

use super::account::hash16;
use super::{Evidence, Setup};

/// A recorded body that is longer is named by its interaction, not repeated; short ones stay readable in place.
const REPEATED_MAX: usize = 4096;

/// What was decided for a request. Nothing in it has been cleaned: it leaves this module as [`Served`] alone.
pub(super) struct Record {
    pub(super) session: Arc<str>,
    pub(super) endpoint: &'static str,
    pub(super) counted: String,
    pub(super) nth: u32,
    pub(super) call: u32,
    pub(super) tick: Option<u32>,
    pub(super) state: Option<String>,
    pub(super) request: Request,
    pub(super) origin: Origin,
    /// The recording whose body is sent unchanged.
    pub(super) whole_body_of: Option<Index>,
    pub(super) projected: bool,
    pub(super) computed: Vec<String>,
    pub(super) faults: Vec<FaultLine>,
    pub(super) work_done: bool,
    pub(super) findings: Vec<String>,
    pub(super) taken: Vec<Ground>,
}

/// A request that was served, for those who watch a replay.
pub struct Served {
    setup: Arc<Setup>,
    /// The listener's own address, which means nothing in a ledger.
    listener: Arc<str>,
    record: Record,
    /// As it stood after every fault.
    response: Response,
    planned_bytes: u64,
    exchange: OnceLock<Exchange>,
}

impl fmt::Debug for Served {
    /// Without a word of the client's: none of it has been cleaned.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Served").field("nth", &self.record.nth).finish_non_exhaustive()
    }
}

impl Served {
    pub(super) fn new(setup: &Arc<Setup>, listener: Arc<str>, record: Record, delivery: &Delivery) -> Self {
        Self {
            setup: Arc::clone(setup),
            listener,
            record,
            response: delivery.response.clone(),
            planned_bytes: delivery.planned_bytes(),
            exchange: OnceLock::new(),
        }
    }

    /// The ledger's words for it, every text cleaned. They are made by the first call.
    pub fn exchange(&self) -> &Exchange {
        self.exchange.get_or_init(|| {
            let redactor = &self.setup.redactor;
            let request = redactor.request(&self.record.request);
            let response = redactor.response(&self.response);
            let mut exchange = Exchange {
                request_headers: lines(&request.headers),
                request_body: body(&request.body),
                response_headers: lines(&response.headers),
                response_body: self.named().unwrap_or_else(|| body(&response.body)),
                reason: String::from_utf8_lossy(&response.reason).into_owned(),
                ..self.decided_for(request)
            };
            self.leave_addresses(&mut exchange);
            exchange
        })
    }

    /// The same without heads and bodies: what a line about it shows.
    pub fn brief(&self) -> Cow<'_, Exchange> {
        self.exchange.get().map_or_else(
            || {
                let mut exchange = self.decided_for(self.setup.redactor.request(&self.record.request));
                self.leave_addresses(&mut exchange);
                Cow::Owned(exchange)
            },
            Cow::Borrowed,
        )
    }

    /// What the decision was, and the first line of the cleaned request.
    fn decided_for(&self, request: Request) -> Exchange {
        let record = self.record.exchange(&self.setup.redactor);
        let (method, target) = (request.method, request.target);
        Exchange { method, target, status: self.response.status, planned_bytes: self.planned_bytes, ..record }
    }

    /// A listener's own addresses mean nothing in a ledger: how it is called by itself, and by this request.
    fn leave_addresses(&self, exchange: &mut Exchange) {
        if self.listener.is_empty() {
            return;
        }
        exchange.leave_address(&self.listener);
        let base = base_for(&self.listener, &self.record.request);
        // A name without a port may be any word.
        let has_port = base.rsplit_once(':').is_some_and(|(_, port)| port.parse::<u16>().is_ok());
        if has_port && base != *self.listener {
            exchange.leave_address(&base);
        }
    }

    /// A long body that is a recording's own, by the recording's name.
    fn named(&self) -> Option<BodyText> {
        let index = self.record.whole_body_of.filter(|_| self.response.body.len() > REPEATED_MAX)?;
        let Evidence::Cassette(material) = &self.setup.evidence else { return None };
        let interaction = material.cassette().interactions.get(index)?;
        let same = interaction.response.body == self.response.body;
        same.then(|| BodyText::SameAs(interaction.id.clone()))
    }

    /// Whether a report has more to say about it than a count: a miss, or something worth a remark.
    pub fn is_remarkable(&self) -> bool {
        self.record.is_remarkable()
    }

    /// The planned faults that fired, in order.
    pub fn faults(&self) -> &[FaultLine] {
        &self.record.faults
    }

    /// About how many bytes of memory it takes.
    pub fn weight(&self) -> usize {
        const FIXED: usize = 2048;
        let record = &self.record;
        let lines = |headers: &Headers| {
            headers.iter().map(|line| line.name.len() + line.value.len() + 64).sum::<usize>()
        };
        let heads: usize = [&record.request.headers, &self.response.headers].into_iter().map(lines).sum();
        let shared = record.whole_body_of.is_some();
        let bodies = record.request.body.len() + if shared { 0 } else { self.response.body.len() };
        // Its texts, once they are made, hold all of it once more.
        2 * (FIXED + heads + bodies + record.request.target.len())
    }
}

impl Record {
    pub(super) fn is_remarkable(&self) -> bool {
        let missed = matches!(self.origin, Origin::Miss { .. });
        missed || !self.findings.is_empty() || !self.taken.is_empty()
    }

    /// What was decided, every text cleaned.
    fn exchange(&self, redactor: &Redactor) -> Exchange {
        let clean = |texts: &[String]| texts.iter().map(|text| redactor.text(text)).collect::<Vec<_>>();
        let origin = match &self.origin {
            Origin::Miss { cause, nearest } => Origin::Miss { cause: cause.clone(), nearest: clean(nearest) },
            origin => origin.clone(),
        };
        let fault = |fault: &FaultLine| FaultLine {
            did: redactor.text(&fault.did),
            members: clean(&fault.members),
            ..fault.clone()
        };
        Exchange {
            key: ExchangeKey {
                session: self.session.as_ref().to_owned(),
                endpoint: self.endpoint.to_owned(),
                resource: redactor.target(&self.counted),
                nth: self.nth,
            },
            call: self.call,
            tick: self.tick,
            state: self.state.as_ref().map(|state| redactor.text(state)),
            origin,
            projected: self.projected,
            computed: self.computed.clone(),
            faults: self.faults.iter().map(fault).collect(),
            work_done: self.work_done,
            findings: clean(&self.findings),
            taken: self.taken.iter().map(|ground| redactor.text(&ground.to_string())).collect(),
            ..Exchange::default()
        }
    }
}

fn lines(headers: &Headers) -> Vec<HeadLine> {
    headers.iter().map(|line| (line.name.clone(), line.text().into_owned())).collect()
}

fn body(bytes: &[u8]) -> BodyText {
    match std::str::from_utf8(bytes) {
        Ok("") => BodyText::Empty,
        Ok(text) if text.len() <= BODY_MAX => BodyText::Text(text.to_owned()),
        text => {
            let start = text.map_or("", |text| &text[..text.floor_char_boundary(BODY_MAX)]);
            BodyText::Cut { length: bytes.len() as u64, hash: hash16(bytes), start: start.to_owned() }
        }
    }
}

//! [`Served`]: one request served, as compactly as it can be kept.
//!
//! A decision hands over what it has anyway: the request as it came, the answer as it goes. The texts of a ledger line
//! are made of it, cleaned, when somebody asks for them, and once.

use std::borrow::Cow;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::{Arc, OnceLock};

use crate::cassette::{Index, base_for};
use crate::ledger::{BODY_MAX, BodyText, Exchange, ExchangeKey, FaultLine, HeadLine, Origin};
use crate::message::{Header, Headers, Request, Response};
use crate::profile::Ground;
use crate::redact::Redactor;

use super::account::hash16;
use super::counts::CountedAt;
use super::{Evidence, Setup};

/// A recorded body that is longer is named by its interaction, not repeated; short ones stay readable in place.
const REPEATED_MAX: usize = 4096;

/// What was decided for a request. Nothing in it has been cleaned: it leaves this module as [`Served`] alone.
pub(super) struct Record {
    pub(super) session: Arc<str>,
    pub(super) endpoint: &'static str,
    pub(super) counted: String,
    pub(super) state: Option<String>,
    pub(super) request: Arc<Request>,
    /// As it stood after every fault.
    pub(super) response: Response,
    pub(super) planned_bytes: u64,
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

/// Which time it was.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Time {
    pub(super) nth: u32,
    pub(super) call: u32,
    pub(super) tick: Option<u32>,
    /// Where it is counted.
    pub(super) counted_at: Option<CountedAt>,
}

/// A request that was served, for those who watch a replay.
pub struct Served {
    setup: Arc<Setup>,
    /// The listener's own address, which means nothing in a ledger.
    listener: Arc<str>,
    record: Arc<Record>,
    time: Time,
    /// Whether it was answered as the same request was before.
    is_again: bool,
    /// With what the redactor's generation was before it was made.
    exchange: OnceLock<(usize, Box<Exchange>)>,
}

/// What all have in common that were answered alike while nothing new was found to be secret: the texts of two that are
/// equal differ in [`Times`] alone.
#[derive(Clone)]
pub struct Alike {
    record: Arc<Record>,
    /// Of the redactor.
    generation: usize,
}

impl PartialEq for Alike {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.record, &other.record) && self.generation == other.generation
    }
}

impl Eq for Alike {}

impl Hash for Alike {
    fn hash<H: Hasher>(&self, state: &mut H) {
        Arc::as_ptr(&self.record).hash(state);
    }
}

impl fmt::Debug for Alike {
    /// As that of [`Served`].
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Alike").field("generation", &self.generation).finish_non_exhaustive()
    }
}

/// Which time a request was served.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Times {
    /// As [`ExchangeKey::nth`].
    pub nth: u32,
    /// As [`Exchange::call`].
    pub call: u32,
    /// As [`Exchange::tick`].
    pub tick: Option<u32>,
}

impl fmt::Debug for Served {
    /// Without a word of the client's: none of it has been cleaned.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Served").field("nth", &self.time.nth).finish_non_exhaustive()
    }
}

impl Served {
    pub(super) fn new(
        setup: &Arc<Setup>,
        listener: Arc<str>,
        (record, time): (Arc<Record>, Time),
        is_again: bool,
    ) -> Self {
        Self { setup: Arc::clone(setup), listener, record, time, is_again, exchange: OnceLock::new() }
    }

    /// What it has in common with others, if it was answered as the same request was before.
    pub fn alike(&self) -> Option<Alike> {
        let generation = || self.setup.redactor.generation();
        self.is_again.then(|| Alike { record: Arc::clone(&self.record), generation: generation() })
    }

    /// Which attempt it was, which call, and at which tick of the task.
    pub fn times(&self) -> Times {
        Times { nth: self.time.nth, call: self.time.call, tick: self.time.tick }
    }

    /// The ledger's words for it, every text cleaned. They are made by the first call.
    pub fn exchange(&self) -> &Exchange {
        &self.made().1
    }

    /// Whether the texts of [`exchange`](Self::exchange) were made before the last thing was learnt: then they may hold it.
    pub fn is_outdated(&self) -> bool {
        self.made().0 != self.setup.redactor.generation()
    }

    fn made(&self) -> &(usize, Box<Exchange>) {
        self.exchange.get_or_init(|| {
            let redactor = &self.setup.redactor;
            let generation = redactor.generation();
            let mut request = redactor.request(&self.record.request);
            let response = redactor.response(&self.record.response);
            let mut exchange = Exchange {
                request_headers: lines(std::mem::take(&mut request.headers)),
                request_body: body(&request.body),
                response_headers: lines(response.headers),
                response_body: self.named().unwrap_or_else(|| body(&response.body)),
                reason: String::from_utf8_lossy(&response.reason).into_owned(),
                ..self.decided_for(request)
            };
            self.leave_addresses(&mut exchange);
            (generation, Box::new(exchange))
        })
    }

    /// The same without heads and bodies: what a line about it shows.
    pub fn brief(&self) -> Cow<'_, Exchange> {
        let generation = self.setup.redactor.generation();
        if let Some((_, made)) = self.exchange.get().filter(|(made_at, _)| *made_at == generation) {
            return Cow::Borrowed(made);
        }
        let mut exchange = self.decided_for(self.setup.redactor.request(&self.record.request));
        self.leave_addresses(&mut exchange);
        Cow::Owned(exchange)
    }

    /// What the decision was, and the first line of the cleaned request.
    fn decided_for(&self, request: Request) -> Exchange {
        let (method, target) = (request.method, request.target);
        Exchange { method, target, ..self.record.exchange(self.time, &self.setup.redactor) }
    }

    /// A listener's own addresses mean nothing in a ledger: how it is called by itself, and by this request.
    fn leave_addresses(&self, exchange: &mut Exchange) {
        if self.listener.is_empty() {
            return;
        }
        exchange.leave_address(&self.listener);
        let base = base_for(&self.listener, &self.record.request);
        // A name without a port may be any word, but for one with a dot that somebody asked a proxy for.
        let is_proxied = self.record.request.scheme.is_some() && base.contains('.');
        let has_port = base.rsplit_once(':').is_some_and(|(_, port)| port.parse::<u16>().is_ok());
        if (has_port || is_proxied) && base != *self.listener {
            exchange.leave_address(&base);
        }
    }

    /// A long body that is a recording's own, by the recording's name.
    fn named(&self) -> Option<BodyText> {
        let index = self.record.whole_body_of.filter(|_| self.record.response.body.len() > REPEATED_MAX)?;
        let Evidence::Cassette(material) = &self.setup.evidence else { return None };
        let interaction = material.cassette().interactions.get(index)?;
        let same = interaction.response.body == self.record.response.body;
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
        // The record is others', too.
        const AGAIN: usize = 256;
        if self.is_again {
            return AGAIN;
        }
        let record = &self.record;
        let lines = |headers: &Headers| {
            headers.iter().map(|line| line.name.len() + line.value.len() + 64).sum::<usize>()
        };
        let heads: usize =
            [&record.request.headers, &self.record.response.headers].into_iter().map(lines).sum();
        let shared = record.whole_body_of.is_some();
        let bodies = record.request.body.len() + if shared { 0 } else { self.record.response.body.len() };
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
    fn exchange(&self, time: Time, redactor: &Redactor) -> Exchange {
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
                nth: time.nth,
            },
            call: time.call,
            tick: time.tick,
            status: self.response.status,
            planned_bytes: self.planned_bytes,
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

fn lines(headers: Headers) -> Vec<HeadLine> {
    let line = |line: Header| {
        let text = line.text().into_owned();
        (line.name, text)
    };
    headers.into_lines().map(line).collect()
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

//! One request served, with what was decided and why.

use memchr::memmem;
use serde::{Deserialize, Serialize};

/// Bodies longer than this are cut in the ledger, with their length and hash kept.
pub const BODY_MAX: usize = 64 * 1024;

/// A line of a message head.
pub type HeadLine = (String, String);

/// What identifies an exchange; [`super::Timing`] and evidence refer to it.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExchangeKey {
    /// The session.
    pub session: String,
    /// The endpoint's full id, or empty for a path that no profile knows.
    pub endpoint: String,
    /// The resource: the path up to its last id, else the collection; method and path where no profile knows it.
    pub resource: String,
    /// Which attempt on this endpoint and resource this is, from 1.
    pub nth: u32,
}

/// One request served.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Exchange {
    /// Session, endpoint, resource, occurrence.
    pub key: ExchangeKey,
    /// Which logical call this is, from 1: the same request repeated is one call.
    pub call: u32,
    /// The task's tick, from 0, if this is a poll.
    pub tick: Option<u32>,
    /// The task's state as the API spells it, if this is a poll or a creation that gives one.
    pub state: Option<String>,
    /// The request's method.
    pub method: String,
    /// The request's target, redacted.
    pub target: String,
    /// The request's header lines, redacted.
    pub request_headers: Vec<HeadLine>,
    /// The request's body.
    pub request_body: BodyText,
    /// The status sent, or that would have been sent.
    pub status: u16,
    /// The reason phrase.
    pub reason: String,
    /// The response's header lines, redacted.
    pub response_headers: Vec<HeadLine>,
    /// The response's body as decided, before a cut.
    pub response_body: BodyText,
    /// Where the answer came from.
    pub origin: Origin,
    /// Whether a `fields` selector was applied to a wider recording.
    pub projected: bool,
    /// What was computed from the recording, in order: `filter`, `sort`, `Range`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub computed: Vec<String>,
    /// The planned faults that fired, in order.
    pub faults: Vec<FaultLine>,
    /// Whether the console did the work the request asked for.
    pub work_done: bool,
    /// How many bytes of the answer were planned to be sent.
    pub planned_bytes: u64,
    /// Things worth a remark: duplicate members, a selector encoded twice, a parameter sent twice.
    pub findings: Vec<String>,
    /// Rules that would have refused it, or spoken against it, but for the recording: the rule, a blank, what it is about.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub taken: Vec<String>,
}

impl ExchangeKey {
    pub(super) fn weight(&self) -> usize {
        self.session.len() + self.endpoint.len() + self.resource.len()
    }
}

impl Exchange {
    pub(super) fn weight(&self) -> usize {
        const LINE: usize = 48;
        let heads = self.request_headers.iter().chain(&self.response_headers);
        let heads: usize = heads.map(|(name, value)| name.len() + value.len() + LINE).sum();
        let findings: usize =
            self.findings.iter().chain(&self.taken).map(|finding| finding.len() + LINE).sum();
        let nearest: usize = match &self.origin {
            Origin::Miss { nearest, .. } => nearest.iter().map(String::len).sum(),
            _ => 0,
        };
        self.key.weight()
            + self.target.len()
            + heads
            + findings
            + nearest
            + self.request_body.weight()
            + self.response_body.weight()
            + 256
    }
}

/// A body as a ledger keeps it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BodyText {
    /// No body.
    #[default]
    Empty,
    /// The text itself.
    Text(String),
    /// The same bytes as this recorded interaction's body.
    SameAs(String),
    /// Not text, or too long: its length, hash (16 hex digits of SHA-256) and the start as text.
    Cut {
        /// Bytes in all.
        length: u64,
        /// The hash.
        hash: String,
        /// The first part, at most [`BODY_MAX`] bytes; empty if not text.
        start: String,
    },
}

impl BodyText {
    pub(super) fn weight(&self) -> usize {
        match self {
            Self::Empty | Self::SameAs(_) => 0,
            Self::Text(text) | Self::Cut { start: text, .. } => text.len(),
        }
    }

    /// The text, where the ledger has all of it.
    pub fn text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            Self::Empty => Some(""),
            Self::SameAs(_) | Self::Cut { .. } => None,
        }
    }
}

/// Where an answer came from.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Origin {
    /// A recorded interaction, by its id.
    Recorded(String),
    /// A recorded poll whose state was put in place by a timeline.
    Timeline(String),
    /// A fresh task or case made after a recorded one.
    Created(String),
    /// Said by a rule of the API, not by a recording.
    Synthesised {
        /// Which rule.
        rule: String,
        /// What the rule rests on: documented, seen, one source, inferred, ours.
        source: String,
    },
    /// Said by the emulator's model.
    #[default]
    Model,
    /// Said by a fault in the console's place.
    Fault(String),
    /// Nothing fits.
    Miss {
        /// Why.
        cause: String,
        /// The three nearest recorded interactions, each with the part that differs.
        nearest: Vec<String>,
    },
}

/// What an account tells apart of where answers came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum OriginKind {
    Recorded,
    Synthesised,
    Modelled,
    Fault,
    Miss,
}

impl Origin {
    pub(crate) fn kind(&self) -> OriginKind {
        match self {
            Self::Recorded(_) | Self::Timeline(_) | Self::Created(_) => OriginKind::Recorded,
            Self::Synthesised { .. } => OriginKind::Synthesised,
            Self::Model => OriginKind::Modelled,
            Self::Fault(_) => OriginKind::Fault,
            Self::Miss { .. } => OriginKind::Miss,
        }
    }
}

/// A planned fault that fired.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FaultLine {
    /// The fault's kind, `latency`.
    pub kind: String,
    /// The planned fault's name or key.
    pub planned: String,
    /// What it did, in words: `held back 1612 ms`.
    pub did: String,
    /// The members of the answer that it took out, or called otherwise.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub members: Vec<String>,
    /// The number of the connection, if it waited for that. It depends on the order in which connections arrive.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub connection: Option<u64>,
}

/// `text` with `{base}` in place of a listener's own address `url`, with and without its scheme: its port differs from
/// run to run, and means nothing.
pub(crate) fn without_address(text: &str, url: &str) -> String {
    // Most clients write nothing where this is asked.
    if text.is_empty() {
        return String::new();
    }
    let authority = authority_of(url);
    if authority.is_empty() || !text.contains(authority) {
        return text.to_owned();
    }
    text.replace(url, "{base}").replace(authority, "{base}")
}

fn authority_of(url: &str) -> &str {
    url.split_once("://").map_or(url, |(_, authority)| authority)
}

impl Exchange {
    /// Puts `{base}` in place of the listener's own address, wherever it stands.
    pub(crate) fn leave_address(&mut self, url: &str) {
        let authority = memmem::Finder::new(authority_of(url));
        let lines = self.request_headers.iter_mut().chain(&mut self.response_headers);
        let bodies = [&mut self.request_body, &mut self.response_body];
        let bodies = bodies.into_iter().filter_map(|body| match body {
            BodyText::Text(text) => Some(text),
            _ => None,
        });
        for text in lines.map(|(_, value)| value).chain(bodies).chain([&mut self.target]) {
            if authority.find(text.as_bytes()).is_some() {
                *text = without_address(text, url);
            }
        }
    }
}

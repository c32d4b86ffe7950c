//! The ledger: all that a run was and did, as JSON lines. Reports are made from it alone.
//!
//! Every text in a ledger has been through [`crate::redact`] before it gets here. What differs between two equal runs
//! (durations, bytes that left in time) stands in [`Line::Timing`] only, so two runs with the same cassette,
//! scenario, seed and requests give the same multiset of all other lines.

use std::io::{self, Write};

use serde::{Deserialize, Serialize};

/// The version of the format, written in every [`RunLine`]. Readers read this version and older ones.
pub const FORMAT: u32 = 1;

/// Bodies longer than this are cut in the ledger, with their length and hash kept.
pub const BODY_MAX: usize = 64 * 1024;

/// One line.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Line {
    /// What a session is: the first line about it.
    Run(RunLine),
    /// One request served, with what was decided and why.
    Exchange(Box<Exchange>),
    /// What really happened on the wire for an exchange.
    Timing(Timing),
    /// What the client reported.
    Outcome(OutcomeLine),
    /// A property's answer.
    Verdict(VerdictLine),
    /// The closing account: the last line.
    End(EndLine),
}

/// What a session replays, for whom.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RunLine {
    /// [`FORMAT`].
    pub format: u32,
    /// The version of faultdeck that wrote this.
    pub faultdeck: String,
    /// The session's name; exchanges, outcomes and verdicts refer to it.
    pub session: String,
    /// `replay`, `judge`, `run` or `demo`.
    pub verb: String,
    /// The scenario's name, if one was on.
    pub scenario: Option<String>,
    /// The scenario's whole text.
    pub scenario_text: Option<String>,
    /// The cassette's name.
    pub cassette: Option<String>,
    /// 16 hex digits of the cassette's SHA-256.
    pub cassette_id: Option<String>,
    /// The seed.
    pub seed: u64,
    /// The client file's name, or empty.
    pub client: Option<String>,
    /// The job the client was given, if any.
    pub job: Option<String>,
    /// What the client claims of itself, as written in its file.
    pub claims: Option<String>,
    /// The command under test.
    pub command: Vec<String>,
}

/// A line of a message head.
pub type HeadLine = (String, String);

/// What identifies an exchange; [`Timing`] and evidence refer to it.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExchangeKey {
    /// The session.
    pub session: String,
    /// The endpoint's full id, or empty for a path that no profile knows.
    pub endpoint: String,
    /// The resource: the path up to its last id, else the collection.
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
    /// The planned faults that fired, in order.
    pub faults: Vec<FaultLine>,
    /// Whether the console did the work the request asked for.
    pub work_done: bool,
    /// How many bytes of the answer were planned to be sent.
    pub planned_bytes: u64,
    /// Things worth a remark: duplicate members, a selector encoded twice, a parameter sent twice.
    pub findings: Vec<String>,
}

impl ExchangeKey {
    fn weight(&self) -> usize {
        self.session.len() + self.endpoint.len() + self.resource.len()
    }
}

impl Exchange {
    fn weight(&self) -> usize {
        const LINE: usize = 48;
        let heads = self.request_headers.iter().chain(&self.response_headers);
        let heads: usize = heads.map(|(name, value)| name.len() + value.len() + LINE).sum();
        let findings: usize = self.findings.iter().map(|finding| finding.len() + LINE).sum();
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
    fn weight(&self) -> usize {
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

/// A planned fault that fired.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FaultLine {
    /// The fault's kind, `latency`.
    pub kind: String,
    /// The planned fault's name or key.
    pub planned: String,
    /// What it did, in words: `held back 1612 ms`.
    pub did: String,
}

/// What really happened on the wire.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Timing {
    /// Which exchange.
    pub key: ExchangeKey,
    /// Microseconds from the session's start to the request.
    pub at_us: u64,
    /// Microseconds from the request to the last byte or the end.
    pub took_us: u64,
    /// Bytes given to the socket.
    pub sent_bytes: u64,
    /// Whether the client went away before the plan was through.
    pub cut_short: bool,
}

/// What a client reported for its job.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OutcomeLine {
    /// The session it worked in.
    pub session: String,
    /// The job: `get`, `wait`, `create`.
    pub job: String,
    /// The outcome in one word or two: `done`, `not_found`, `timed out`.
    pub outcome: String,
    /// The resource it reported, as JSON text.
    pub task: Option<String>,
    /// The end of what it wrote on stderr.
    pub stderr: String,
}

/// A property's answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// It was put to the test and holds.
    Held,
    /// Nothing put it to the test.
    NotReached,
    /// It was put to the test, and what came out says nothing.
    Inconclusive,
    /// It is broken.
    Violated,
}

/// A property's answer for a scenario, or for the generated cases.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VerdictLine {
    /// The property's id.
    pub property: String,
    /// The scenario, or `generated`.
    pub scenario: String,
    /// The client.
    pub client: String,
    /// The answer.
    pub verdict: Standing,
    /// Whether the scenario asks for it (`hold`); if not, it informs only.
    pub required: bool,
    /// Why: one sentence.
    pub because: String,
    /// What shows it, line by line: the minimal case, requests, report, difference.
    pub evidence: Vec<String>,
    /// How many cases it was put to.
    pub cases: u32,
    /// The session whose exchanges show it.
    pub session: Option<String>,
    /// The file the counter-example was saved to.
    pub found: Option<String>,
    /// The exact command that shows it again.
    pub repeat: Option<String>,
}

/// The closing account.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EndLine {
    /// Requests served.
    pub served: u64,
    /// Answers that came from a recording, a timeline or a creation.
    pub recorded: u64,
    /// Answers that a rule gave.
    pub synthesised: u64,
    /// Requests that nothing fits.
    pub misses: u64,
    /// Faults that fired.
    pub faults: u64,
    /// Planned faults that had to fire and never did, by scenario and name.
    pub never_fired: Vec<String>,
    /// Lines that no longer fitted in memory: what they would say is missing from this ledger.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub lost_lines: u64,
    /// Sessions closed because too many were open; a later request to one starts it over.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub closed_sessions: u64,
    /// Connections dialled to another host: always 0 for a replay.
    pub dials: u64,
    /// What the command under test came to, in words, for `run`.
    pub command: Option<String>,
    /// The exit code this run asks for.
    pub exit: u8,
    /// Why, in one sentence.
    pub because: String,
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde wants it so")]
fn is_zero(count: &u64) -> bool {
    *count == 0
}

impl Line {
    /// About how many bytes of memory the line takes.
    pub fn weight(&self) -> usize {
        const FIXED: usize = 256;
        FIXED
            + match self {
                Self::Run(run) => run.scenario_text.as_ref().map_or(0, String::len),
                Self::Exchange(exchange) => exchange.weight(),
                Self::Timing(timing) => timing.key.weight(),
                Self::Outcome(outcome) => outcome.stderr.len() + outcome.task.as_ref().map_or(0, String::len),
                Self::Verdict(verdict) => verdict.evidence.iter().map(String::len).sum(),
                Self::End(_) => 0,
            }
    }

    /// The line as one line of JSON text, newline included.
    ///
    /// # Errors
    /// Only if a value cannot be written as JSON, which no line of ours does.
    pub fn to_json(&self) -> serde_json::Result<String> {
        serde_json::to_string(self).map(|text| text + "\n")
    }
}

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

/// `text` with `{base}` in place of a listener's own address `url`, with and without its scheme: its port differs from
/// run to run, and means nothing.
pub fn without_address(text: &str, url: &str) -> String {
    let authority = url.split_once("://").map_or(url, |(_, authority)| authority);
    if authority.is_empty() || !text.contains(authority) {
        return text.to_owned();
    }
    text.replace(url, "{base}").replace(authority, "{base}")
}

impl Exchange {
    /// Puts `{base}` in place of the listener's own address, wherever it stands.
    pub fn leave_address(&mut self, url: &str) {
        let lines = self.request_headers.iter_mut().chain(&mut self.response_headers);
        let bodies = [&mut self.request_body, &mut self.response_body];
        let bodies = bodies.into_iter().filter_map(|body| match body {
            BodyText::Text(text) => Some(text),
            _ => None,
        });
        for text in lines.map(|(_, value)| value).chain(bodies).chain([&mut self.target]) {
            *text = without_address(text, url);
        }
    }
}

/// The lines that equal runs share, sorted: no timing; exchanges by session, endpoint, resource and occurrence.
pub fn stable(lines: &[Line]) -> Vec<String> {
    let mut texts: Vec<String> = lines
        .iter()
        .filter(|line| !matches!(line, Line::Timing(_)))
        .filter_map(|line| line.to_json().ok())
        .collect();
    texts.sort();
    texts
}

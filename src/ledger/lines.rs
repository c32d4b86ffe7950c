//! The kinds of lines, but for the exchange.

use serde::{Deserialize, Serialize};

use super::account::EndLine;
use super::coverage::CoverageLine;
use super::exchange::{Exchange, ExchangeKey};
use super::known::{Came, KnownMark};
use super::late::Late;
use super::ran::RanLine;
use super::seen::SeenLine;

/// One line.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Line {
    /// What a session is: the first line about it.
    Run(RunLine),
    /// One request served, with what was decided and why.
    Exchange(Box<Exchange>),
    /// One request that was turned away before anybody was asked.
    Refused(RefusedLine),
    /// A planned fault of connections that came to pass.
    Greeted(GreetedLine),
    /// What really happened on the wire for an exchange.
    Timing(Timing),
    /// What the client reported.
    Outcome(OutcomeLine),
    /// A property's answer.
    Verdict(VerdictLine),
    /// How a run of a matrix ended: the last line about it.
    Ran(Box<RanLine>),
    /// What a judgement put to the test.
    Coverage(Box<CoverageLine>),
    /// What a command was seen to do.
    Seen(Box<SeenLine>),
    /// Lines that nobody read in time, and that were left out here.
    Gap(GapLine),
    /// The closing account: the last line.
    End(EndLine),
}

/// What a session replays, for whom.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RunLine {
    /// [`super::FORMAT`].
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
    pub cassette_id: Option<Late>,
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
    /// The console under test, and how it was asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub console: Option<String>,
}

/// A request that never became an exchange.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RefusedLine {
    /// The session of the listener.
    pub session: String,
    /// The status it was answered with.
    pub status: u16,
    /// Why, in words.
    pub why: String,
    /// Its first line, as far as it was read and can be shown, redacted; empty if there was none.
    pub head: String,
}

/// A connection that met a planned fault before its first request, or a time in which nobody is listened to: whether a client
/// met that one cannot be known, and it counts as no fault that fired.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GreetedLine {
    /// The session of the listener.
    pub session: String,
    /// Which connection of the listener it was, from 1; none where nobody is listened to. It depends on the order in which
    /// connections arrive.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub connection: Option<u64>,
    /// The fault's kind.
    pub kind: String,
    /// The planned fault's name, or all of it in a line.
    pub planned: String,
    /// What it did, in words.
    pub did: String,
}

/// Lines that were left out, in their place.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GapLine {
    /// How many.
    pub lines: u64,
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
    /// The client cannot be asked: it does not do the job. That is nobody's fault and asks for no exit code.
    NotApplicable,
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
    /// The file the counter-example was saved to. Where the property holds: the file of one that was found before, and is
    /// fixed.
    pub found: Option<String>,
    /// The exact command that shows it again.
    pub repeat: Option<String>,
    /// What the rule rests on that a console was put to: `documented`, `seen`, `one source`, `inferred`, `ours`. A verdict on a
    /// client has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rests_on: Option<String>,
    /// The known failure that a violation is, and whether it still counts as one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub known: Option<Box<KnownMark>>,
}

impl VerdictLine {
    /// What is said of a property that no case was put to, and why there was none.
    pub(crate) fn without_a_case(property: &str, scenario: &str, verdict: Standing, because: &str) -> Self {
        Self {
            property: property.to_owned(),
            scenario: scenario.to_owned(),
            client: String::new(),
            verdict,
            required: false,
            because: because.to_owned(),
            evidence: Vec::new(),
            cases: 0,
            session: None,
            found: None,
            repeat: None,
            rests_on: None,
            known: None,
        }
    }

    /// The known failure that a violation is, if it counts against nobody.
    pub fn let_pass(&self) -> Option<&KnownMark> {
        self.known.as_deref().filter(|mark| mark.came == Came::Failed)
    }
}

/// How the reason begins for which a law is not judged that the wire alone cannot show.
const NEEDS_CLIENT_FILE: &str = "needs a client file";

/// Whether a law was not judged because that needs a client file.
pub fn needs_client_file(verdict: &VerdictLine) -> bool {
    verdict.verdict == Standing::NotReached && verdict.because.starts_with(NEEDS_CLIENT_FILE)
}

/// An exchange as its line has it, where it is only written.
#[derive(Serialize)]
#[serde(rename_all = "snake_case")]
enum Shown<'a> {
    Exchange(&'a Exchange),
}

/// The line of an exchange as one line of JSON text, newline included.
///
/// # Errors
/// As [`Line::to_json`].
pub fn exchange_to_json(exchange: &Exchange) -> serde_json::Result<String> {
    let mut text = Vec::with_capacity(2048);
    serde_json::to_writer(&mut text, &Shown::Exchange(exchange))?;
    text.push(b'\n');
    // serde writes UTF-8 alone.
    Ok(String::from_utf8(text).unwrap_or_default())
}

impl Line {
    /// About how many bytes of memory the line takes.
    pub(crate) fn weight(&self) -> usize {
        const FIXED: usize = 256;
        FIXED
            + match self {
                Self::Run(run) => run.scenario_text.as_ref().map_or(0, String::len),
                Self::Exchange(exchange) => exchange.weight(),
                Self::Refused(refused) => refused.head.len() + refused.why.len(),
                Self::Greeted(greeted) => greeted.planned.len() + greeted.did.len(),
                Self::Timing(timing) => timing.key.weight(),
                Self::Outcome(outcome) => outcome.stderr.len() + outcome.task.as_ref().map_or(0, String::len),
                Self::Verdict(verdict) => verdict.evidence.iter().map(String::len).sum(),
                Self::Ran(ran) => ran.because.len() + ran.repeat.len(),
                Self::Coverage(_) | Self::Seen(_) | Self::Gap(_) | Self::End(_) => 0,
            }
    }

    /// The run of a matrix that a line is of, by [`RanLine::session`], if it is of one.
    pub fn run_of(&self) -> Option<String> {
        let session = match self {
            Self::Run(it) => &it.session,
            Self::Exchange(it) => &it.key.session,
            Self::Refused(it) => &it.session,
            Self::Greeted(it) => &it.session,
            Self::Timing(it) => &it.key.session,
            Self::Outcome(it) => &it.session,
            Self::Verdict(it) => it.session.as_ref()?,
            Self::Ran(it) => &it.session,
            Self::Coverage(_) | Self::Seen(_) | Self::Gap(_) | Self::End(_) => return None,
        };
        let (scenario, rest) = session.split_once('#')?;
        let digits = rest.split('@').next().unwrap_or_default();
        Some(format!("{scenario}#{digits}"))
    }

    /// The same as a line of a run of a matrix: its main session is called as the run is, others as well.
    #[must_use]
    pub(crate) fn of_run(mut self, run: &str, main: &str) -> Self {
        let session = match &mut self {
            Self::Run(it) => &mut it.session,
            Self::Exchange(it) => &mut it.key.session,
            Self::Refused(it) => &mut it.session,
            Self::Greeted(it) => &mut it.session,
            Self::Timing(it) => &mut it.key.session,
            Self::Outcome(it) => &mut it.session,
            Self::Verdict(it) => it.session.get_or_insert_with(|| main.to_owned()),
            Self::Ran(_) | Self::Coverage(_) | Self::Seen(_) | Self::Gap(_) | Self::End(_) => return self,
        };
        *session = if session == main { run.to_owned() } else { format!("{run}@{session}") };
        self
    }

    /// The line as one line of JSON text, newline included.
    ///
    /// # Errors
    /// Only if a value cannot be written as JSON, which no line of ours does.
    pub fn to_json(&self) -> serde_json::Result<String> {
        serde_json::to_string(self).map(|text| text + "\n")
    }
}

//! A case: what a client is asked to do, against which answers; and the run that came of it.

use std::sync::Arc;
use std::time::Duration;

use super::about::About;
use crate::client::{Claims, JobKind, Outcome, Report};
use crate::fields::{FieldSelector, FieldsError};
use crate::ledger::{Exchange, Timing};
use crate::redact::Redactor;
use crate::scenario::Scenario;
use crate::seed::Seed;

/// One thing a client is asked to do, and all that decides what it meets.
#[derive(Clone, Debug)]
pub struct Case {
    /// The job.
    pub job: JobKind,
    /// What it is about.
    pub about: About,
    /// How the task is spelt: `sample` or `prose`.
    pub dialect: String,
    /// The `fields` text the client is told to ask with; `None` is the whole resource.
    pub fields: Option<String>,
    /// Names and values of the parameters of the path that is asked, as text: an id may exceed 2^53.
    pub params: Vec<(String, String)>,
    /// The name of the case to create.
    pub name: Option<String>,
    /// What is sent with a write: the client file says it.
    pub body: Option<String>,
    /// The whole task, or another resource, as JSON text, if it was generated; else the scenario's cassette has one.
    pub task: Option<String>,
    /// What the console answers in the task's place: an alteration that must make no difference.
    pub answer: Option<Answer>,
    /// What goes wrong.
    pub scenario: Option<Arc<Scenario>>,
    /// How many milliseconds the client is told to leave between polls, at least.
    pub pace_ms: u64,
    /// The seed of the run.
    pub seed: Seed,
}

/// An answer that differs from the plain one in something the client must not care for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// What differs.
    pub alteration: Alteration,
    /// The answer's body.
    pub text: String,
}

/// What differs in an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Alteration {
    /// The members stand in another order.
    KeyOrder,
    /// Members that nobody asked for stand among the others.
    ExtraMembers,
    /// Line breaks and indentation.
    Blanks,
    /// This member is missing.
    LeftOut(String),
}

impl Alteration {
    /// In words, to follow "the same answer with".
    pub(super) fn words(&self) -> String {
        match self {
            Self::KeyOrder => "the keys in another order".to_owned(),
            Self::ExtraMembers => "members nobody asked for".to_owned(),
            Self::Blanks => "other white space".to_owned(),
            Self::LeftOut(name) => format!("`{name}` left out"),
        }
    }
}

impl Case {
    /// The selector the client is told to ask with; `None` is the whole resource.
    ///
    /// # Errors
    /// If the text is no selector, which is a case of its own: the console refuses it.
    pub(super) fn selector(&self) -> Result<Option<FieldSelector>, FieldsError> {
        match &self.fields {
            None => Ok(None),
            Some(text) => FieldSelector::parse(text),
        }
    }

    /// The id of what is asked for: the last of the path's parameters. `None` for a creation and for a list.
    pub(super) fn id(&self) -> Option<&str> {
        let last = self.params.last().filter(|_| !matches!(self.job, JobKind::Create | JobKind::List));
        last.map(|(_, value)| value.as_str())
    }

    /// What the client was told, in a line for a person.
    pub(super) fn task_line(&self) -> String {
        let asked = || format!("{} {}", self.about.asks.method, self.about.path(&self.params));
        let what = match (self.job, self.id(), &self.name) {
            (JobKind::Get, ..) if !self.about.is_usual => format!("get the answer of {}", asked()),
            (JobKind::Wait, ..) if !self.about.is_usual => format!("wait for the task of {}", asked()),
            (JobKind::Create, ..) if !self.about.is_usual => format!("make a task with {}", asked()),
            (JobKind::Send, ..) => format!("send {}", asked()),
            (JobKind::List, ..) => format!("list all of {}", asked()),
            (JobKind::Create, _, Some(name)) => format!("create the case `{name}`"),
            (JobKind::Create, _, None) => "create a case".to_owned(),
            (JobKind::Get, Some(id), _) => format!("get task {id}"),
            (JobKind::Wait, Some(id), _) => format!("wait for task {id}"),
            (JobKind::Get | JobKind::Wait, None, _) => "look at a task".to_owned(),
        };
        let fields = match &self.fields {
            Some(fields) => format!("with fields `{fields}`"),
            None if matches!(self.job, JobKind::Create | JobKind::List) => String::new(),
            None => "whole, without fields".to_owned(),
        };
        let scenario = self.scenario.as_ref().filter(|scenario| !scenario.name.is_empty());
        let under = scenario.map(|scenario| format!("under {}", scenario.name)).unwrap_or_default();
        let parts = [what, fields, under];
        let line: Vec<&str> = parts.iter().map(String::as_str).filter(|part| !part.is_empty()).collect();
        line.join(", ")
    }
}

/// What came of a case.
#[derive(Clone, Debug)]
pub struct Run {
    /// The case.
    pub case: Case,
    /// All requests of its session, in the order they were decided, redacted.
    pub exchanges: Vec<Exchange>,
    /// What happened on the wire, where it is known.
    pub timings: Vec<Timing>,
    /// What the client reported.
    pub report: Report,
    /// What the client claims of itself.
    pub claims: Claims,
    /// How long it ran, its start and its end included: what else a machine does makes it longer, never shorter.
    pub lasted: Duration,
    /// How often a connection met a planned fault before its first request.
    pub greeted: u64,
    /// Whether for a time nobody was listened to: whether a request was made then cannot be known.
    pub was_unheard: bool,
    /// What the client was told beside its job.
    pub given: Given,
    /// The requests that reached another host, to which the console had sent the client; redacted.
    pub strayed: Vec<Exchange>,
    /// The first requests that came when the client had reported, where it was waited for them.
    pub later: Vec<Exchange>,
}

/// What a client was told beside its job. What its file hands to nobody, it was not told.
#[derive(Clone, Debug, Default)]
pub struct Given {
    /// The least pause between polls, in milliseconds.
    pub pace_ms: Option<u64>,
    /// After how many milliseconds to give up the whole job.
    pub deadline_ms: Option<u64>,
    /// Whether it was handed the selector.
    pub fields: bool,
    /// Whether it was handed the name of the case to create.
    pub name: bool,
    /// Whether it was given a user and a password, to log in with.
    pub login: bool,
    /// Whether it was spoken to over TLS.
    pub over_tls: bool,
    /// Knows what the client was given to keep to itself, and nothing else.
    pub secrets: Redactor,
    /// What stands in an exchange where its token, its password or its session stood.
    pub placeholders: Arc<[String]>,
}

impl Run {
    /// Why nothing can be judged, if the client never ran or never called: a test of nothing is no pass.
    pub(super) fn vacuous(&self) -> Option<String> {
        if let Outcome::NotStarted { why } = &self.report.outcome {
            return Some(format!("the client could not be started: {why}"));
        }
        self.exchanges.is_empty().then(|| "the client sent no request".to_owned())
    }

    /// Why nobody can know whether the client asked, if it ended by itself before anybody was listened to.
    pub(super) fn unheard(&self) -> Option<String> {
        let is_unheard = self.exchanges.is_empty() && self.was_unheard && self.report.outcome.is_of_its_own();
        is_unheard.then(|| {
            "nobody was listened to for as long as the client ran: whether it asked cannot be known"
                .to_owned()
        })
    }

    /// What the client reported, in a line.
    pub(super) fn reported_line(&self) -> String {
        match &self.report.outcome {
            // A client may print its JSON over many lines; a line break never stands within a value.
            Outcome::Task { standing, task } => {
                let lines: Vec<&str> = task.lines().map(str::trim).collect();
                format!("{standing} {}", lines.join(" "))
            }
            other => other.to_string(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::judge::sample;

    #[test]
    fn what_is_reported_over_many_lines_is_told_in_one() {
        let task = "{\n  \"id\": 7,\n  \"name\": \"a  b\"\n}".to_owned();
        let mut run = sample::run(sample::get(None));
        run.report.outcome = Outcome::Task { standing: crate::client::Resting::Done, task };
        assert_eq!(run.reported_line(), r#"done { "id": 7, "name": "a  b" }"#);
    }

    #[test]
    fn of_who_ends_while_nobody_is_listened_to_nothing_is_known() {
        let is_unheard = |outcome: Outcome, was_unheard| {
            let mut run = sample::run(sample::get(None));
            (run.exchanges, run.was_unheard, run.report.outcome) = (Vec::new(), was_unheard, outcome);
            run.unheard().is_some()
        };
        let refused = Outcome::Error { text: "connection refused".to_owned() };
        assert!(is_unheard(refused.clone(), true) && is_unheard(Outcome::GaveUp, true));
        assert!(!is_unheard(refused, false) && !is_unheard(Outcome::TimedOut, true));
        assert!(!is_unheard(Outcome::Crashed { how: "signal 11".to_owned() }, true));
    }
}

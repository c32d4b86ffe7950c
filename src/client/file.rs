//! `clients/NAME.toml`: how to start and read a program under test.

use std::collections::BTreeMap;

use super::jobs::Asks;
use super::placeholder::Template;
use super::{Claims, JobKind, Outcome, Resting};
use crate::record::Upstream;
use crate::scenario::Mistakes;

/// Why a client cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// The file is wrong.
    #[error(transparent)]
    Invalid(#[from] Mistakes),
    /// The file cannot be read.
    #[error("cannot read {path}: {source}")]
    Io {
        /// The file.
        path: String,
        /// Why.
        source: std::io::Error,
    },
    /// No file and no embedded client has that name.
    #[error("no client `{name}`")]
    NoSuch {
        /// The name asked for.
        name: String,
        /// Names there are.
        known: Vec<String>,
    },
}

/// A client file, checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientFile {
    /// The file's stem.
    pub name: String,
    /// One line about the client.
    pub summary: String,
    /// What it can do.
    pub jobs: Vec<JobKind>,
    /// The dialects it knows; `sample` if the file does not say.
    pub dialects: Vec<String>,
    /// Milliseconds it has for one job.
    pub timeout_ms: u64,
    /// What it writes on standard output, if it is started anew for each job.
    pub stdout: Stdout,
    /// What its exit codes mean, if it is started anew for each job.
    pub exit: ExitMap,
    /// What it says of itself.
    pub claims: Claims,
    pub(super) adapter: Adapter,
    pub(super) asks: Vec<Asks>,
    pub(super) argv: Vec<Argument>,
    pub(super) env: Vec<(String, Template)>,
}

impl ClientFile {
    /// All that it hands to its program.
    pub(super) fn templates(&self) -> impl Iterator<Item = &Template> {
        let argv = self.argv.iter().flat_map(|argument| match argument {
            Argument::Bare(template) => std::slice::from_ref(template),
            Argument::Together(templates) => templates.as_slice(),
        });
        argv.chain(self.env.iter().map(|(_, template)| template))
    }
}

/// How a client is asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Adapter {
    /// A program started anew for each job.
    Exec,
    /// A program that is given one job after the other, on its standard input.
    Worker,
    /// A service that is given each job in a request of its own.
    Http(Service),
}

/// Where a service is asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Service {
    /// As it is written.
    pub(super) url: String,
    pub(super) host: Upstream,
    /// The path, and the query if there is one.
    pub(super) target: String,
}

/// What a program writes on standard output.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Stdout {
    /// One line of JSON that says what came of the job.
    #[default]
    Outcome,
    /// The resource itself and nothing else; its exit code says how it stands.
    Resource,
}

impl Stdout {
    pub(super) const WORDS: [(&'static str, Self); 2] =
        [("outcome", Self::Outcome), ("resource", Self::Resource)];
}

/// What an exit code means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ExitWord {
    /// A task was reported, and stands so.
    Task(Resting),
    /// There is no such task.
    NotFound,
    /// The console failed.
    ServerError,
    /// The console refused.
    Rejected,
    /// Stopped on purpose.
    GaveUp,
    /// Anything else.
    Error,
}

impl ExitWord {
    const ALL: [(Self, &'static str); 9] = [
        (Self::Task(Resting::Done), "done"),
        (Self::Task(Resting::Usable), "usable"),
        (Self::Task(Resting::Pending), "pending"),
        (Self::Task(Resting::Failed), "failed"),
        (Self::NotFound, "not_found"),
        (Self::ServerError, "server_error"),
        (Self::Rejected, "rejected"),
        (Self::GaveUp, "gave_up"),
        (Self::Error, "error"),
    ];

    /// As it is written in an exit map.
    pub(super) fn as_str(self) -> &'static str {
        Self::ALL.iter().find(|(word, _)| *word == self).map_or("error", |(_, text)| text)
    }

    /// Every word.
    pub(super) fn words() -> [&'static str; 9] {
        Self::ALL.map(|(_, text)| text)
    }

    /// The word an exact spelling names.
    pub(super) fn parse(text: &str) -> Option<Self> {
        Self::ALL.iter().find(|(_, each)| *each == text).map(|(word, _)| *word)
    }

    /// The word for an outcome; what is seen from outside is an error.
    pub(super) fn of(outcome: &Outcome) -> Self {
        match outcome {
            Outcome::Task { standing, .. } => Self::Task(*standing),
            Outcome::NotFound { .. } => Self::NotFound,
            Outcome::ServerError { .. } => Self::ServerError,
            Outcome::Rejected { .. } => Self::Rejected,
            Outcome::GaveUp => Self::GaveUp,
            _ => Self::Error,
        }
    }

    /// The outcome it stands for alone; none for a task, which needs one to report.
    pub(super) fn bare(self) -> Option<Outcome> {
        match self {
            Self::Task(_) => None,
            Self::NotFound => Some(Outcome::NotFound { code: None }),
            Self::ServerError => Some(Outcome::ServerError { code: None }),
            Self::Rejected => Some(Outcome::Rejected { code: None }),
            Self::GaveUp => Some(Outcome::GaveUp),
            Self::Error => Some(Outcome::Error { text: "its exit code says `error`".to_owned() }),
        }
    }
}

/// What exit codes mean.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ExitMap(pub(super) BTreeMap<i32, ExitWord>);

impl ExitMap {
    /// What a code means, if anything.
    pub(super) fn get(&self, code: i32) -> Option<ExitWord> {
        self.0.get(&code).copied()
    }

    /// Whether it names no code.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// One element of `argv`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Argument {
    /// Always given.
    Bare(Template),
    /// Given whole, or left out whole if one of its placeholders has no value.
    Together(Vec<Template>),
}

//! What the programs say in the end: one line of JSON, and an exit code.

use crate::json;

/// How a task stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Standing {
    Done,
    Usable,
    Pending,
}

impl Standing {
    /// From a task's state as the API spells it; what is not known is not claimed.
    pub(super) fn of_state(state: Option<&str>) -> Self {
        match state {
            Some("COMPLETE") => Self::Done,
            Some("PARTIALLY_COMPLETE") => Self::Usable,
            _ => Self::Pending,
        }
    }

    fn as_str(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Usable => "usable",
            Self::Pending => "pending",
        }
    }
}

/// What came of a job.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    /// A task, as JSON text on one line.
    Task { standing: Standing, task: String },
    /// 404/1002.
    NotFound,
    /// 5xx, with the console's code if it gave one.
    ServerError(Option<i128>),
    /// Another refusal.
    Rejected(Option<i128>),
    /// Stopped before the end was known.
    GaveUp,
    /// Anything else.
    Error(String),
    /// The program went down without a word on standard output.
    Crash { how: String },
}

impl Outcome {
    /// The outcome, as one line of JSON.
    pub(super) fn line(&self) -> String {
        match self {
            Self::Task { standing, task } => {
                format!(r#"{{"outcome":"task","standing":"{}","task":{task}}}"#, standing.as_str())
            }
            Self::NotFound => r#"{"outcome":"not_found","code":1002}"#.to_owned(),
            Self::ServerError(code) => with_code("server_error", *code),
            Self::Rejected(code) => with_code("rejected", *code),
            Self::GaveUp => r#"{"outcome":"gave_up"}"#.to_owned(),
            Self::Error(text) => format!(r#"{{"outcome":"error","text":{}}}"#, json::quote(text)),
            Self::Crash { .. } => String::new(),
        }
    }

    /// The exit code, as in the `exit` map of `clients/careful.toml`; 101 is what a Rust program exits with on a panic.
    pub(super) fn exit_code(&self) -> u8 {
        match self {
            Self::Task { standing: Standing::Done, .. } => 0,
            Self::Error(_) => 1,
            Self::Task { standing: Standing::Usable, .. } => 3,
            Self::NotFound => 4,
            Self::ServerError(_) => 5,
            Self::Rejected(_) => 6,
            Self::GaveUp => 7,
            Self::Task { standing: Standing::Pending, .. } => 8,
            Self::Crash { .. } => 101,
        }
    }
}

fn with_code(word: &str, code: Option<i128>) -> String {
    match code {
        Some(code) => format!(r#"{{"outcome":"{word}","code":{code}}}"#),
        None => format!(r#"{{"outcome":"{word}"}}"#),
    }
}

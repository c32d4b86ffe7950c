//! What the programs say in the end: one line of JSON, and an exit code.

use crate::json;

/// How a task stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Standing {
    Done,
    Usable,
    Pending,
    Failed,
}

/// The states of the API's tasks, as each kind of task spells them. No spelling means two things.
const DONE: [&str; 10] = [
    "COMPLETE",
    "COMPLETED",
    "COMPLETED_SUCCESSFULLY",
    "COMPLETED_WITH_ERRORS",
    "SUCCESS",
    "DONE",
    "INSTALLED",
    "INSTALLED_WITH_ERROR",
    "UNINSTALLED",
    "UPLOADED",
];
/// Cancelled ones too: nothing more will come of them.
const FAILED: [&str; 11] = [
    "ERROR",
    "EXCEPTION",
    "FAILED",
    "CONFLICT",
    "MISSING",
    "UNKNOWN",
    "CANCELED",
    "CANCELLED",
    "INSTALL_FAILED",
    "UNINSTALL_FAILED",
    "UNINSTALL_PREVIEW_FAILED",
];

impl Standing {
    /// From a task's state as the API spells it; what is not known is not claimed.
    pub(super) fn of_state(state: Option<&str>) -> Self {
        match state {
            Some(state) if DONE.contains(&state) => Self::Done,
            Some(state) if FAILED.contains(&state) => Self::Failed,
            Some("PARTIALLY_COMPLETE") => Self::Usable,
            _ => Self::Pending,
        }
    }

    fn as_str(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Usable => "usable",
            Self::Pending => "pending",
            Self::Failed => "failed",
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
            Self::Task { standing: Standing::Failed, .. } => 9,
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::profile::Profile;
    use crate::timeline::Phase;

    #[test]
    fn each_state_of_each_life_cycle_is_taken_for_what_it_is() {
        for life in Profile::builtin().lifecycles() {
            for (state, phase) in &life.phases {
                let expected = match phase {
                    Phase::Done => Standing::Done,
                    Phase::Partial => Standing::Usable,
                    Phase::Failed | Phase::Cancelled => Standing::Failed,
                    _ => Standing::Pending,
                };
                assert_eq!(Standing::of_state(Some(state)), expected, "{state} of {}", life.task);
            }
        }
    }
}

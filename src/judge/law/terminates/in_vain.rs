//! Whether a client ends whose connections never come to a request.

use super::{limit_in_words, violated};
use crate::client::Outcome;
use crate::judge::case::Run;
use crate::judge::verdict::Verdict;

/// Of a client whose connections all met a fault before a request: whether it ended all the same.
pub(super) fn judge(run: &Run) -> Verdict {
    let times = if run.greeted == 1 { "once".to_owned() } else { format!("{} times", run.greeted) };
    match (&run.report.outcome, limit_in_words(run)) {
        (Outcome::TimedOut, Some(limit)) => {
            violated(run, format!("it connected {times} in vain, {limit}, and did not stop"))
        }
        (Outcome::TimedOut, None) => {
            Verdict::inconclusive("no connection came to a request, and the client claims no limit")
        }
        (Outcome::Crashed { how }, _) => Verdict::inconclusive(format!("the client crashed: {how}")),
        (Outcome::NotStarted { why }, _) => {
            Verdict::not_reached(format!("the client could not be started: {why}"))
        }
        _ => Verdict::Held(vec![format!("it connected {times} in vain, and ended")]),
    }
}

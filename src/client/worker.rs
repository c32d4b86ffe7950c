//! A program that stays and is given one case after the other (`[worker]` in its file): many cases cost one start.
//!
//! There are as many as cases are run at a time. `docs/worker.md` is the protocol.

use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::case_line::case_line;
use super::child::{self, Captured, Ending, Said, Talking};
use super::outcome::read_outcome;
use super::{Job, JobKind, Outcome, Report};
use crate::json::{Json, Kind};

/// How long a worker may take to write its first line.
const START_WAIT: Duration = Duration::from_secs(5);
/// How often a worker is started again that has never answered a case; as often one that answered before and then
/// does not come up any more.
const RESTARTS_MAX: u32 = 20;
/// How much of what a worker complained of is told of one that did not come up, in characters.
const COMPLAINT_SHOWN: usize = 200;

/// The version of the protocol.
const VERSION: i128 = 1;

/// What a worker writes.
pub(super) const EXPECTED: &str = "\
as a line for each case, {\"case\":N,\"outcome\":\"task\",\"standing\":\"done\",\"task\":{...}} with the number of the case \
and the task as it came, or \"outcome\":\"not_found\", server_error, rejected, gave_up or error; before all of them, once, \
{\"faultdeck\":1,\"jobs\":[\"get\"]} with the jobs of its file; nothing else on standard output";

/// The workers of one client.
#[derive(Debug, Default)]
pub(super) struct Workers {
    idle: Mutex<Vec<Talking>>,
    cases: AtomicU64,
    has_answered: AtomicBool,
    /// How many were lost before the first answer.
    lost: AtomicU32,
}

/// Why there is no worker to ask.
enum Unready {
    /// It was not started, or was gone before its first line: nothing is known of the client.
    Gone(String),
    /// Its first line is missing, or another one.
    Unreadable(String, String),
}

impl Workers {
    fn idle(&self) -> MutexGuard<'_, Vec<Talking>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Gives a job to a worker that has none. `command` starts one, and says how long it has for a case.
    pub(super) async fn run(&self, command: &child::Command, jobs: &[JobKind], job: &Job) -> Report {
        let mut notes = Vec::new();
        let mut worker = match self.ready(command, jobs, &mut notes).await {
            Ok(worker) => worker,
            Err(report) => return report,
        };
        let case = self.cases.fetch_add(1, Ordering::Relaxed) + 1;
        let line = case_line(case, job);
        let spoken = match command.deadline {
            Some(deadline) => tokio::time::timeout(deadline, worker.ask(&line)).await.ok(),
            None => Some(worker.ask(&line).await),
        };
        let stderr = worker.complaints();
        if stderr.cut > 0 {
            notes.push(format!("{} bytes in the middle of its standard error were not kept", stderr.cut));
        }
        let (outcome, stdout, is_well) = came(spoken, case);
        if is_well {
            self.has_answered.store(true, Ordering::Relaxed);
            self.idle().push(worker);
        } else {
            self.lose();
        }
        Report { stderr: stderr.text(), stdout, notes, ..Report::of(outcome) }
    }

    /// Closes the input of all workers, and waits until they have ended, or were.
    pub(super) async fn end(&self) {
        let idle = std::mem::take(&mut *self.idle());
        let ending: Vec<_> = idle.into_iter().map(|worker| tokio::spawn(worker.stop())).collect();
        for one in ending {
            // A task that panicked has dropped its worker, which kills it.
            let _ = one.await;
        }
    }

    fn lose(&self) {
        if !self.has_answered.load(Ordering::Relaxed) {
            self.lost.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// A worker that waits for a case, or a new one; or the report of a client that has none.
    async fn ready(
        &self,
        command: &child::Command,
        jobs: &[JobKind],
        notes: &mut Vec<String>,
    ) -> Result<Talking, Report> {
        loop {
            let Some(mut worker) = self.idle().pop() else { break };
            if !worker.has_ended() {
                return Ok(worker);
            }
            notes.push("its worker had ended after the case before, and was started again".to_owned());
        }
        let mut last = String::new();
        for _ in 0..=RESTARTS_MAX {
            // One that ends in each case is judged by how it ends, once it has shown that it can be read.
            if self.lost.load(Ordering::Relaxed) > RESTARTS_MAX && !self.has_answered.load(Ordering::Relaxed)
            {
                last = "it never answered a case".to_owned();
                break;
            }
            match started(command, jobs).await {
                Ok(worker) => return Ok(worker),
                Err(Unready::Gone(why)) => last = why,
                Err(Unready::Unreadable(why, _)) if self.has_answered.load(Ordering::Relaxed) => last = why,
                Err(Unready::Unreadable(why, stdout)) => {
                    self.lose();
                    return Err(Report { stdout, ..Report::of(Outcome::Unreadable { why }) });
                }
            }
            if !self.has_answered.load(Ordering::Relaxed) {
                return Err(Report::not_started(last));
            }
        }
        Err(Report::not_started(format!("its worker was started again {RESTARTS_MAX} times: {last}")))
    }
}

/// Starts a worker and reads its first line.
async fn started(command: &child::Command, jobs: &[JobKind]) -> Result<Talking, Unready> {
    let mut worker = Talking::start(command).map_err(|error| Unready::Gone(error.to_string()))?;
    let first = tokio::time::timeout(START_WAIT, worker.listen()).await;
    let unreadable = |why: &str, line: &str| Err(Unready::Unreadable(why.to_owned(), line.to_owned()));
    match first {
        Err(_) => {
            let why = format!("its worker wrote no first line within {} s", START_WAIT.as_secs());
            unreadable(&why, "")
        }
        Ok(Said::TooMuch) => unreadable("the first line of its worker is too long", ""),
        Ok(Said::Ended(ending)) => Err(Unready::Gone(gone(ending, &worker.complaints()))),
        Ok(Said::Line(line)) => match greeted(&line, jobs) {
            Ok(()) => Ok(worker),
            Err(why) => unreadable(&why, &line),
        },
    }
}

fn gone(ending: Option<Ending>, stderr: &Captured) -> String {
    let how = ended(ending);
    let text = stderr.text();
    let complaint: String =
        text.trim().lines().next_back().unwrap_or_default().chars().take(COMPLAINT_SHOWN).collect();
    let complaint = if complaint.is_empty() { String::new() } else { format!(": {complaint}") };
    format!("its worker was gone before its first line ({how}){complaint}")
}

fn ended(ending: Option<Ending>) -> String {
    match ending {
        Some(Ending::Exited(code)) => format!("exit code {code}"),
        Some(Ending::Signalled(signal)) => format!("signal {signal}"),
        Some(Ending::TimedOut | Ending::Stopped) | None => "it closed its standard output".to_owned(),
    }
}

/// Whether the first line is `{"faultdeck":1,"jobs":[...]}` with all jobs of the file.
fn greeted(line: &str, jobs: &[JobKind]) -> Result<(), String> {
    let wrong = "the first line of its worker";
    let line = line.trim_start_matches('\u{feff}');
    let json = Json::parse(line).map_err(|error| format!("{wrong} is not JSON: {error}"))?;
    match json.member("faultdeck").and_then(Json::as_i128) {
        Some(VERSION) => {}
        Some(other) => return Err(format!("{wrong} speaks version {other} of the protocol, not {VERSION}")),
        None => return Err(format!("{wrong} has no member `faultdeck` that is {VERSION}")),
    }
    let Some(named) = json.member("jobs").filter(|jobs| matches!(jobs.kind(), Kind::Array(_))) else {
        return Err(format!("{wrong} has no member `jobs` that is a list"));
    };
    let does = |job: &&JobKind| named.elements().iter().any(|name| name.as_str() == Some(job.as_str()));
    match jobs.iter().find(|job| !does(job)) {
        None => Ok(()),
        Some(job) => Err(format!("{wrong} does not name the job `{job}`, which its file names")),
    }
}

/// What came of a case: the outcome, what stood on standard output, and whether the worker can have the next one.
fn came(spoken: Option<Said>, case: u64) -> (Outcome, String, bool) {
    let outcome = match spoken {
        None => Outcome::TimedOut,
        Some(Said::Line(line)) => {
            let read = read_reply(&line, case);
            let is_well = read.is_ok();
            return (read.unwrap_or_else(|why| Outcome::Unreadable { why }), line, is_well);
        }
        Some(Said::TooMuch) => {
            Outcome::Unreadable { why: "its worker wrote a line that is too long".to_owned() }
        }
        Some(Said::Ended(Some(Ending::Exited(0)))) => Outcome::Silent,
        Some(Said::Ended(Some(Ending::Exited(code)))) => {
            Outcome::Crashed { how: format!("exit code {code}, and no answer") }
        }
        Some(Said::Ended(ending @ Some(Ending::Signalled(_)))) => Outcome::Crashed { how: ended(ending) },
        Some(Said::Ended(ending)) => Outcome::Unreadable { why: ended(ending) },
    };
    (outcome, String::new(), false)
}

/// Reads `{"case":7,"outcome":"task",...}`; the outcome may stand in an object of its own, too:
/// `{"case":7,"outcome":{"outcome":"task",...}}`.
fn read_reply(line: &str, case: u64) -> Result<Outcome, String> {
    let line = line.trim_start_matches('\u{feff}');
    let json = Json::parse(line).map_err(|error| format!("the line of its worker is not JSON: {error}"))?;
    match json.member("case") {
        Some(number) if number.as_i128() == Some(i128::from(case)) => {}
        Some(number) => {
            return Err(format!(
                "the line of its worker is about case {}, and it was given case {case}",
                number.text()
            ));
        }
        None => return Err("the line of its worker has no member `case`".to_owned()),
    }
    match json.member("outcome") {
        Some(outcome) if outcome.member("outcome").is_some() => read_outcome(outcome.text()),
        _ => read_outcome(line),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::Resting;

    #[test]
    fn a_reply_is_an_outcome_with_the_number_of_its_case() {
        let task = r#"{"id":9007199254740993}"#.to_owned();
        let expected = Outcome::Task { standing: Resting::Done, task };
        let flat = r#"{"case":7,"outcome":"task","standing":"done","task":{"id":9007199254740993},"x":1}"#;
        let nested =
            r#"{"outcome":{"outcome":"task","standing":"done","task":{"id":9007199254740993}},"case":7}"#;
        assert_eq!(read_reply(flat, 7), Ok(expected.clone()));
        assert_eq!(read_reply(nested, 7), Ok(expected.clone()));
        assert_eq!(read_reply(&format!("\u{feff}{flat}"), 7), Ok(expected));
        for (line, word) in [
            (flat, "about case 7, and it was given case 8"),
            ("hello", "is not JSON"),
            (r#"{"outcome":"gave_up"}"#, "no member `case`"),
            (r#"{"case":8,"outcome":"fine"}"#, "the outcome is `fine`"),
            (r#"{"case":8,"outcome":{}}"#, "no member `outcome` that is a text"),
        ] {
            let why = read_reply(line, 8).unwrap_err();
            assert!(why.contains(word), "{line}: {why}");
        }
    }

    #[test]
    fn a_first_line_names_the_version_and_all_jobs_of_the_file() {
        let both = [JobKind::Get, JobKind::Wait];
        assert_eq!(greeted(r#"{"faultdeck":1,"jobs":["wait","get","sing"],"x":0}"#, &both), Ok(()));
        for (line, word) in [
            ("ready", "not JSON"),
            (r#"{"faultdeck":2,"jobs":["get","wait"]}"#, "version 2"),
            (r#"{"jobs":["get","wait"]}"#, "no member `faultdeck`"),
            (r#"{"faultdeck":1}"#, "no member `jobs`"),
            (r#"{"faultdeck":1,"jobs":["get"]}"#, "does not name the job `wait`"),
        ] {
            let why = greeted(line, &both).unwrap_err();
            assert!(why.contains(word), "{line}: {why}");
        }
    }
}

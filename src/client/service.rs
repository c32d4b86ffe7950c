//! A service that is given each case in a request of its own (`[http]` in its file). It may be there already, or be
//! started before the first case.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Mutex;

use super::child::{self, Ending, Said, Talking};
use super::file::Service;
use super::outcome::read_outcome;
use super::{Outcome, Report};
use crate::record::{ServiceError, is_there, post};

/// How long a service that is started may take until it takes connections.
const START_WAIT: Duration = Duration::from_secs(10);
/// How often it is looked for meanwhile.
const LOOK: Duration = Duration::from_millis(20);
/// How often it is looked whether one that was killed is gone.
const GONE_LOOKS: u32 = 100;
/// How often a service of ours is started again that never answered.
const RESTARTS_MAX: u32 = 20;

/// What a service answers.
pub(super) const EXPECTED: &str = "\
as the body of an answer 200, {\"outcome\":\"task\",\"standing\":\"done\",\"task\":{...}} with the task as it came, or \
{\"outcome\":\"not_found\"}, server_error, rejected, gave_up or error";

/// The service that was started for a client, if its file says so.
#[derive(Debug, Default)]
pub(super) struct Started {
    /// Held while a case is asked: it can be ended only with the one case that it hung on.
    running: Arc<Mutex<Running>>,
}

#[derive(Debug, Default)]
struct Running {
    program: Option<Talking>,
    has_answered: bool,
    starts: u32,
}

impl Started {
    /// Gives a case to the service. If `command` starts one, that is done first, and one case is given at a time.
    pub(super) async fn run(&self, service: &Service, command: &child::Command, job: &str) -> Report {
        let limit = command.deadline.unwrap_or(Duration::MAX);
        if command.argv.is_empty() {
            return report(ask(service, job, limit).await, String::new());
        }
        let mut running = self.running.lock().await;
        if let Err(why) = running.ready(service, command).await {
            return Report::not_started(why);
        }
        // Should the case be given up in the middle, the service goes with it.
        let Some(mut program) = running.program.take() else { return Report::not_started("it is gone") };
        let asked = tokio::select! {
            biased;
            asked = ask(service, job, limit) => asked,
            // What it logs is read meanwhile, so that it is not stuck with it.
            how = ended(&mut program) => Some(Err(ServiceError::Answer(format!("the service ended: {how}")))),
        };
        let report = report(asked, program.complaints().text());
        match report.outcome {
            Outcome::TimedOut | Outcome::Crashed { .. } | Outcome::Unreadable { .. } => {}
            _ => {
                running.has_answered = true;
                running.program = Some(program);
            }
        }
        report
    }

    /// Ends the service, if it was started here.
    pub(super) async fn end(&self) {
        if let Some(program) = self.running.lock().await.program.take() {
            program.stop().await;
        }
    }
}

impl Running {
    /// Sees to it that the service runs and takes connections.
    async fn ready(&mut self, service: &Service, command: &child::Command) -> Result<(), String> {
        if let Some(program) = &mut self.program
            && !program.has_ended()
        {
            return Ok(());
        }
        self.program = None;
        if self.starts > RESTARTS_MAX && !self.has_answered {
            return Err(format!("the service was started again {RESTARTS_MAX} times, and never answered"));
        }
        self.starts += 1;
        let mut looks = 0;
        // One that was killed may take a moment to vanish.
        while self.starts > 1 && looks < GONE_LOOKS && is_there(&service.host).await {
            tokio::time::sleep(LOOK).await;
            looks += 1;
        }
        if is_there(&service.host).await {
            return Err(format!("somebody else listens at {}; `argv` would start another one", service.url));
        }
        let mut program = Talking::start(command).map_err(|error| error.to_string())?;
        let came_up = tokio::time::timeout(START_WAIT, async {
            while !is_there(&service.host).await {
                tokio::time::sleep(LOOK).await;
            }
        });
        tokio::select! {
            biased;
            ending = ended(&mut program) => {
                let complaint = program.complaints().text();
                let complaint = complaint.trim().lines().next_back().unwrap_or_default();
                return Err(format!("the service was gone before it took a connection ({ending}) {complaint}"));
            }
            came_up = came_up => came_up.map_err(|_| {
                format!("the service did not take a connection at {} within {} s", service.url, START_WAIT.as_secs())
            })?,
        }
        self.program = Some(program);
        Ok(())
    }
}

/// What it writes is read until it ends.
async fn ended(program: &mut Talking) -> String {
    loop {
        match program.listen().await {
            Said::Ended(Some(Ending::Exited(code))) => return format!("exit code {code}"),
            Said::Ended(Some(Ending::Signalled(signal))) => return format!("signal {signal}"),
            Said::Ended(Some(_)) => return "it was ended".to_owned(),
            // It may log elsewhere: that is no end.
            Said::Ended(None) => std::future::pending().await,
            Said::Line(_) => {}
            Said::TooMuch => program.forget(),
        }
    }
}

async fn ask(service: &Service, job: &str, limit: Duration) -> Option<Result<(u16, String), ServiceError>> {
    tokio::time::timeout(limit, post(&service.host, &service.target, job)).await.ok()
}

fn report(asked: Option<Result<(u16, String), ServiceError>>, stderr: String) -> Report {
    let (outcome, stdout) = match asked {
        None => (Outcome::TimedOut, String::new()),
        Some(Ok((200, body))) => {
            let read = read_outcome(body.trim_start_matches('\u{feff}').trim());
            (read.unwrap_or_else(|why| Outcome::Unreadable { why }), body)
        }
        // What a framework makes of an exception in the code that it calls.
        Some(Ok((status @ 500..=599, body))) => {
            (Outcome::Crashed { how: format!("the service answered {status}") }, body)
        }
        Some(Ok((status, body))) => {
            let why = format!("the service answered {status}, not 200: is the path in its `url` right?");
            (Outcome::Unreadable { why }, body)
        }
        Some(Err(ServiceError::Unreached(error))) => {
            (Outcome::NotStarted { why: format!("the service is not there: {error}") }, String::new())
        }
        Some(Err(ServiceError::Answer(how))) => (Outcome::Crashed { how }, String::new()),
    };
    Report { stderr, stdout, ..Report::of(outcome) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_services_answer_is_the_outcome_and_any_other_status_is_none() {
        let outcome = |status, body: &str| report(Some(Ok((status, body.to_owned()))), String::new()).outcome;
        assert_eq!(outcome(200, "{\"outcome\":\"gave_up\"}\n"), Outcome::GaveUp);
        assert!(matches!(outcome(200, "<html>"), Outcome::Unreadable { .. }));
        assert!(matches!(outcome(404, "{\"outcome\":\"gave_up\"}"), Outcome::Unreadable { .. }));
        assert!(matches!(outcome(500, "Internal Server Error"), Outcome::Crashed { .. }));
        assert_eq!(report(None, String::new()).outcome, Outcome::TimedOut);
    }
}

//! The user's command: started, waited for, stopped.

use std::ffi::OsString;
use std::fmt;
use std::future::Future;
use std::os::unix::process::ExitStatusExt;
use std::process::ExitStatus;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process_group};
use tokio::process::Child;
use tokio::time::{sleep, timeout};

/// How long a command that was asked to end (SIGTERM) has before it is killed.
pub const GRACE: Duration = Duration::from_secs(5);

/// Whether a command gets a process group of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Group {
    /// It does: whatever it started is ended with it. For a command that nobody types at.
    Own,
    /// It stays in ours, so that it can read the terminal and gets Ctrl-C from it.
    Shared,
}

/// A command under test. It inherits the three standard streams.
#[derive(Clone, Debug)]
pub struct Command {
    /// The program and its arguments.
    pub argv: Vec<OsString>,
    /// Variables it gets beside its inherited environment.
    pub env: Vec<(String, OsString)>,
    /// How long it may take.
    pub limit: Duration,
    /// Whether it gets a process group of its own.
    pub group: Group,
}

/// How a command ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ended {
    /// By itself, with this exit code.
    Exited(i32),
    /// By a signal that was not ours.
    Killed(i32),
    /// It took longer than [`Command::limit`] and was ended.
    TimedOut(Duration),
    /// The user ended the run, and the command with it.
    Interrupted,
    /// It could not be started.
    NotStarted(String),
}

impl Ended {
    /// Whether it did its work and was content.
    pub fn passed(&self) -> bool {
        *self == Self::Exited(0)
    }
}

impl fmt::Display for Ended {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exited(0) => f.write_str("the command passed"),
            Self::Exited(code) => write!(f, "the command failed with exit code {code}"),
            Self::Killed(signal) => write!(f, "the command was ended by signal {signal}"),
            Self::TimedOut(limit) => write!(f, "the command took longer than {} s", limit.as_secs()),
            Self::Interrupted => f.write_str("the command was interrupted"),
            Self::NotStarted(why) => write!(f, "the command could not be started: {why}"),
        }
    }
}

impl Command {
    /// Runs it to its end; `stop` ends it early.
    pub async fn run(&self, stop: impl Future) -> Ended {
        let Some((program, arguments)) = self.argv.split_first() else {
            return Ended::NotStarted("no command is given".to_owned());
        };
        let mut command = tokio::process::Command::new(program);
        command.args(arguments).envs(self.env.iter().map(|(name, value)| (name, value))).kill_on_drop(true);
        if self.group == Group::Own {
            command.process_group(0);
        }
        let mut child = match command.spawn() {
            Ok(child) => child,
            Err(error) => return Ended::NotStarted(format!("{}: {error}", program.display())),
        };
        let leader = child.id().and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw);
        let ended = tokio::select! {
            biased;
            status = child.wait() => status.map_or_else(|error| Ended::NotStarted(error.to_string()), ended),
            _ = stop => {
                self.end(&mut child, leader).await;
                Ended::Interrupted
            }
            () = sleep(self.limit) => {
                self.end(&mut child, leader).await;
                Ended::TimedOut(self.limit)
            }
        };
        // What the command left behind must not go on talking to a console that is gone.
        self.signal(leader, Signal::KILL);
        ended
    }

    /// Asks the command to end, and makes it end.
    async fn end(&self, child: &mut Child, leader: Option<Pid>) {
        match self.group {
            Group::Own => self.signal(leader, Signal::TERM),
            Group::Shared => {
                if let Some(leader) = leader {
                    let _ = rustix::process::kill_process(leader, Signal::TERM);
                }
            }
        }
        if timeout(GRACE, child.wait()).await.is_err() {
            let _ = child.kill().await;
        }
    }

    /// Reaches the whole group of its own; a group that is gone is fine.
    fn signal(&self, leader: Option<Pid>, signal: Signal) {
        if let (Group::Own, Some(leader)) = (self.group, leader) {
            let _ = kill_process_group(leader, signal);
        }
    }
}

fn ended(status: ExitStatus) -> Ended {
    match (status.code(), status.signal()) {
        (Some(code), _) => Ended::Exited(code),
        (None, signal) => Ended::Killed(signal.unwrap_or(0)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::future::pending;

    fn shell(script: &str) -> Command {
        Command {
            argv: ["sh", "-c", script].map(OsString::from).to_vec(),
            env: vec![("FAULTDECK_URL".to_owned(), "http://127.0.0.1:1".into())],
            limit: Duration::from_secs(30),
            group: Group::Own,
        }
    }

    #[tokio::test]
    async fn a_command_ends_in_its_own_way() {
        assert_eq!(shell("exit 7").run(pending::<()>()).await, Ended::Exited(7));
        assert_eq!(shell("kill -9 $$").run(pending::<()>()).await, Ended::Killed(9));
        let missing = Command { argv: vec!["/no/such/program".into()], ..shell("") };
        assert!(matches!(missing.run(pending::<()>()).await, Ended::NotStarted(_)));
    }

    #[tokio::test]
    async fn a_command_gets_the_variables_it_is_handed() {
        assert!(shell("test \"$FAULTDECK_URL\" = http://127.0.0.1:1").run(pending::<()>()).await.passed());
    }

    #[tokio::test]
    async fn a_command_that_takes_too_long_is_ended_with_all_it_started() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("pid");
        let slow = Command {
            limit: Duration::from_millis(300),
            ..shell(&format!("sleep 600 & echo $! > {}; wait", file.display()))
        };
        assert!(matches!(slow.run(pending::<()>()).await, Ended::TimedOut(_)));
        let child: i32 = std::fs::read_to_string(&file).unwrap().trim().parse().unwrap();
        let gone = || !std::path::Path::new(&format!("/proc/{child}/stat")).exists() || is_zombie(child);
        for _ in 0..100 {
            if gone() {
                return;
            }
            sleep(Duration::from_millis(20)).await;
        }
        panic!("what the command started goes on");
    }

    fn is_zombie(pid: i32) -> bool {
        std::fs::read_to_string(format!("/proc/{pid}/stat")).is_ok_and(|stat| stat.contains(") Z "))
    }

    #[tokio::test]
    async fn a_run_that_is_stopped_stops_its_command() {
        assert_eq!(shell("sleep 600").run(async {}).await, Ended::Interrupted);
    }
}

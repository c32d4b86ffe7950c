//! The user's command: what it is given, and how it ended.

use std::ffi::OsString;
use std::fmt;
use std::future::Future;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use super::until::{Lookout, Until, either};
use super::variable::{Replayed, Variable};
use crate::client::child::{self, Ending, Environment, Group, Streams};

/// How long a command that was asked to end (SIGTERM) has before it is killed, if nobody says: a test suite has things to put
/// away.
pub const GRACE: Duration = Duration::from_secs(5);

/// A token for the command to send. Any would do: only its presence is looked at.
pub(super) const SEC: &str = "7a1f0c5e-0000-4000-8000-fa017dec0001";

/// What stands for the URL in a command's arguments.
const URL: &str = "{base_url}";

/// What a command runs in, besides the replay.
#[derive(Clone, Debug)]
pub struct Under {
    /// The variables it inherits; those that name the replay are added.
    pub environment: Environment,
    /// How long it may take.
    pub limit: Duration,
    /// Whether it gets a process group of its own.
    pub group: Group,
    /// How many seconds of the scenario pass in one: it is told so.
    pub time_scale: u32,
    /// What it is told of the replay under names of its own.
    pub variables: Vec<Variable>,
    /// After what it is asked to end, whichever comes first: that is no failure of a command that never ends by itself.
    pub until: Vec<Until>,
    /// How long it has to end then, before it is killed.
    pub grace: Duration,
    /// Whether its output is kept in place of being shown; then it has no input either.
    pub is_quiet: bool,
}

/// How a command ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ended {
    /// By itself, with this exit code.
    Exited(i32),
    /// By a signal that was not ours.
    Killed(i32),
    /// It took longer than it may, and was ended.
    TimedOut(Duration),
    /// It ran as long as it was to, and ended when it was asked to.
    Until(Until),
    /// It ran as long as it was to, and did not end when it was asked to: it was killed this much later.
    Clung(Duration),
    /// The user ended the run, and the command with it.
    Interrupted,
    /// It could not be started.
    NotStarted(String),
}

/// The exit codes with which a shell says that it could not run what it was told to.
const NOT_EXECUTABLE: i32 = 126;
const NOT_FOUND: i32 = 127;

impl Ended {
    /// Whether it did its work and was content.
    pub fn passed(&self) -> bool {
        matches!(self, Self::Exited(0) | Self::Until(_))
    }

    /// Whether it was ended because its time was up.
    pub(super) fn took_too_long(&self) -> bool {
        matches!(self, Self::TimedOut(_))
    }

    /// Whether it came to an end of its own choice, as a program does: what a scenario says of the command is about
    /// nothing else. A code above 128 is a choice, too: only a shell means a signal by it.
    pub fn lived(&self) -> bool {
        match self {
            Self::Exited(code) => ![NOT_EXECUTABLE, NOT_FOUND].contains(code),
            Self::Until(_) => true,
            _ => false,
        }
    }
}

impl fmt::Display for Ended {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exited(0) => f.write_str("the command passed"),
            Self::Exited(NOT_EXECUTABLE) => f.write_str("the command could not be executed (exit code 126)"),
            Self::Exited(NOT_FOUND) => f.write_str("the command was not found (exit code 127)"),
            Self::Exited(code @ 129..=192) => {
                write!(
                    f,
                    "the command failed with exit code {code} (in a shell: ended by signal {})",
                    code - 128
                )
            }
            Self::Exited(code) => write!(f, "the command failed with exit code {code}"),
            Self::Killed(signal) => write!(f, "the command was ended by signal {signal}"),
            Self::TimedOut(limit) => write!(f, "the command took longer than {} s", limit.as_secs()),
            Self::Until(until) => write!(f, "the command ran until {until}, and ended when it was asked to"),
            Self::Clung(grace) => {
                write!(f, "the command did not end within {} s of SIGTERM, and was killed", grace.as_secs())
            }
            Self::Interrupted => f.write_str("the command was interrupted"),
            Self::NotStarted(why) => write!(f, "the command could not be started: {why}"),
        }
    }
}

/// Runs a command against a replay to its end; `stop` ends it early. It keeps the three standard streams, unless
/// it is to be quiet: then what it wrote is handed back.
pub(super) async fn run(
    argv: &[OsString],
    under: &Under,
    replayed: &Replayed<'_>,
    lookout: &Lookout,
    stop: impl Future,
) -> (Ended, Option<String>) {
    let reached = Mutex::new(None);
    let stop = async {
        let until = either(stop, lookout).await;
        *reached.lock().unwrap_or_else(PoisonError::into_inner) = until;
    };
    let command = child::Command {
        argv: placed(argv.iter().map(|argument| with_url(argument, replayed.url)).collect(), replayed),
        environment: variables(under, replayed),
        folder: None,
        deadline: Some(under.limit),
        grace: under.grace,
        streams: if under.is_quiet { Streams::Captured } else { Streams::Shared },
        group: under.group,
    };
    let finished = match child::run_until(&command, stop).await {
        Ok(finished) => finished,
        Err(error) => return (Ended::NotStarted(error.to_string()), None),
    };
    let ended = match finished.ending {
        Ending::Exited(code) => Ended::Exited(code),
        Ending::Signalled(signal) => Ended::Killed(signal),
        Ending::TimedOut => Ended::TimedOut(under.limit),
        Ending::Stopped => match reached.into_inner().unwrap_or_else(PoisonError::into_inner) {
            Some(_) if finished.was_killed => Ended::Clung(under.grace),
            Some(until) => Ended::Until(until),
            None => Ended::Interrupted,
        },
    };
    let output = under.is_quiet.then(|| finished.stdout.text() + &finished.stderr.text());
    (ended, output)
}

/// `argument` with the URL in place of [`URL`].
fn with_url(argument: &OsString, url: &str) -> OsString {
    match argument.to_str() {
        Some(text) => text.replace(URL, url).into(),
        None => argument.clone(),
    }
}

/// The command, where it is to run.
fn placed(argv: Vec<OsString>, replayed: &Replayed<'_>) -> Vec<OsString> {
    match replayed.isolated {
        Some(isolated) if !argv.is_empty() => isolated.room.inside(argv),
        _ => argv,
    }
}

/// What the command finds of the replay in its environment.
fn variables(under: &Under, replayed: &Replayed<'_>) -> Environment {
    let mut environment = under.environment.clone();
    environment.set("FAULTDECK_URL", replayed.url);
    environment.set("FAULTDECK_TIME_SCALE", under.time_scale.to_string());
    environment.set("FAULTDECK_SEC", replayed.sec);
    if let Some(trusted) = replayed.trusted {
        trusted.put_into(&mut environment);
    }
    if replayed.is_proxy {
        environment.through(replayed.url);
    }
    if replayed.isolated.is_some() {
        environment.without_proxies();
    }
    // The last word is the user's.
    under.variables.iter().for_each(|variable| variable.set(&mut environment, replayed));
    environment
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run::trusted::Trusted;
    use std::future::pending;

    fn under(limit: Duration) -> Under {
        Under {
            environment: Environment::whole(std::env::vars_os()),
            limit,
            group: Group::Own,
            time_scale: 1,
            variables: Vec::new(),
            until: Vec::new(),
            grace: GRACE,
            is_quiet: false,
        }
    }

    async fn ran(argv: &[&str], stop: impl Future) -> Ended {
        let argv: Vec<OsString> = argv.iter().map(OsString::from).collect();
        let replayed = Replayed { url: "http://127.0.0.1:1", ..Replayed::default() };
        run(&argv, &under(Duration::from_secs(30)), &replayed, &Lookout::of(&[]), stop).await.0
    }

    #[tokio::test]
    async fn a_command_ends_in_its_own_way() {
        let shell = async |script| ran(&["sh", "-c", script], pending::<()>()).await;
        assert_eq!(shell("exit 7").await, Ended::Exited(7));
        assert_eq!(shell("kill -9 $$").await, Ended::Killed(9));
        assert_eq!(shell("no-such-program-at-all 2> /dev/null").await, Ended::Exited(127));
        let missing = ran(&["/no/such/program"], pending::<()>()).await;
        assert!(matches!(&missing, Ended::NotStarted(why) if why.contains("was not found")), "{missing}");
        let folder = ran(&["/"], pending::<()>()).await;
        assert!(matches!(&folder, Ended::NotStarted(why) if why.contains("may not be executed")), "{folder}");
    }

    #[test]
    fn only_a_command_that_chose_its_end_lived() {
        assert!([0, 1, 125, 128, 139, 255].map(Ended::Exited).iter().all(Ended::lived));
        let others = [
            Ended::Exited(126),
            Ended::Exited(127),
            Ended::Killed(11),
            Ended::NotStarted("x".into()),
            Ended::TimedOut(GRACE),
            Ended::Interrupted,
        ];
        assert!(!others.iter().any(Ended::lived));
        assert!(Ended::Exited(139).to_string().ends_with("(in a shell: ended by signal 11)"));
    }

    #[tokio::test]
    async fn a_command_finds_the_url_in_its_environment_and_where_its_arguments_want_it() {
        let script =
            "test \"$FAULTDECK_URL\" = http://127.0.0.1:1 && test \"$1\" = --url=http://127.0.0.1:1/x";
        assert!(ran(&["sh", "-c", script, "sh", "--url={base_url}/x"], pending::<()>()).await.passed());
    }

    #[tokio::test]
    async fn a_run_that_is_stopped_stops_its_command() {
        assert_eq!(ran(&["sleep", "600"], async {}).await, Ended::Interrupted);
    }

    #[test]
    fn with_tls_the_command_learns_whom_to_trust() {
        let under = Under { environment: Environment::default(), ..under(Duration::ZERO) };
        let trusted = Trusted::passing("ours", &under.environment).unwrap();
        let trusted = Some(&trusted);
        let replayed = Replayed { url: "https://h:1", trusted, ..Replayed::default() };
        let environment = variables(&under, &replayed);
        let ca_file = trusted.map(|trusted| trusted.ca_file.as_os_str());
        assert_eq!(environment.get("FAULTDECK_CA_FILE"), ca_file);
        assert!(environment.get("SSL_CERT_FILE").is_some());
        assert_eq!(environment.get("FAULTDECK_URL"), Some(std::ffi::OsStr::new("https://h:1")));
        assert_eq!(environment.get("HTTPS_PROXY"), None);
    }
}

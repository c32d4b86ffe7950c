//! A child process that leaves nothing behind: the one way in which programs are started and ended here.
//!
//! At its deadline, or when it is stopped, its group gets TERM and some time later KILL. When it has ended, by itself or
//! not, all that still descends from it is killed, also what has made a group or a session of its own (`setsid`, a
//! daemon): see `family`. The same holds when the future is dropped. A program starts with every signal at its default,
//! none blocked (`dispositions`), and none of this program's own descriptors but the three standard streams.
//!
//! A program can be given a network of its own: see [`room`].
//!
//! If this program itself is killed with `kill -9`, a [`Guard`] ends what it had started; without one, and out of reach
//! of safe code, children go on.

mod captured;
mod dispositions;
mod environment;
mod family;
mod guard;
mod program;
pub mod room;
mod talking;

use std::ffi::{OsStr, OsString};
use std::future::{Future, pending};
use std::io;
use std::os::unix::process::ExitStatusExt;
use std::path::PathBuf;
use std::pin::{Pin, pin};
use std::process::{ExitStatus, Stdio};
use std::sync::Mutex;
use std::time::Duration;

use rustix::process::Signal;

pub use captured::{Captured, KEPT};
pub use dispositions::ignored;
pub use environment::Environment;
pub(crate) use family::MARK;
pub use family::{end_all, take_charge};
pub use guard::{Guard, end_orphans_of};
pub(super) use talking::{Said, Talking};

use captured::{drain, kept};
use family::Family;

/// How long a judged program may take to end after TERM, and any to vanish after KILL.
const GRACE: Duration = Duration::from_secs(2);

/// How long output is still read after the program has ended and its descendants are gone.
const LAST_WORDS: Duration = Duration::from_millis(500);

/// A child's standard streams.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Streams {
    /// No input; output is read to the end, the first and last [`KEPT`] bytes of each kept.
    #[default]
    Captured,
    /// This program's own, all three.
    Shared,
    /// Three pipes: it is spoken to while it runs.
    Spoken,
}

/// Whether a child gets a process group of its own.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Group {
    /// It does. For a program that nobody types at.
    #[default]
    Own,
    /// It stays in ours, so that it can read the terminal and gets Ctrl-C from it.
    Shared,
}

/// A program to run.
#[derive(Clone, Debug)]
pub struct Command {
    /// The program and its arguments.
    pub argv: Vec<OsString>,
    /// Its whole environment.
    pub environment: Environment,
    /// The folder it starts in; this program's own if none.
    pub folder: Option<PathBuf>,
    /// After which time it is ended; never if none.
    pub deadline: Option<Duration>,
    /// How long it may take to end after TERM before it is killed.
    pub grace: Duration,
    /// Its standard streams.
    pub streams: Streams,
    /// Its process group.
    pub group: Group,
}

impl Default for Command {
    fn default() -> Self {
        Self {
            argv: Vec::new(),
            environment: Environment::default(),
            folder: None,
            deadline: None,
            grace: GRACE,
            streams: Streams::default(),
            group: Group::default(),
        }
    }
}

/// How a program ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// By itself, with this exit code.
    Exited(i32),
    /// By this signal, which was not ours.
    Signalled(i32),
    /// It was still there at its deadline, and was ended.
    TimedOut,
    /// It was still there when it was to be stopped, and was ended.
    Stopped,
}

/// A program that has ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finished {
    /// How.
    pub ending: Ending,
    /// Its standard output.
    pub stdout: Captured,
    /// Its standard error.
    pub stderr: Captured,
    /// Whether it had to be killed: it was asked to end, and did not.
    pub was_killed: bool,
}

/// A program could not be started: nothing was tested.
#[derive(Debug, thiserror::Error)]
pub enum NotStarted {
    /// There is no program in the command.
    #[error("the command is empty")]
    Empty,
    /// The system refused.
    #[error("`{program}` {}", refusal(source))]
    Refused {
        /// The program.
        program: String,
        /// Why: not there, not executable, no more processes allowed.
        source: io::Error,
    },
}

fn refusal(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::NotFound => format!("was not found: {error}"),
        io::ErrorKind::PermissionDenied => format!("may not be executed: {error}"),
        _ => format!("cannot be started: {error}"),
    }
}

/// Runs a program to its end; it and all that descends from it are gone when this returns, or is dropped.
///
/// # Errors
/// If it cannot be started.
pub async fn run(command: &Command) -> Result<Finished, NotStarted> {
    run_until(command, pending::<()>()).await
}

/// The same; `stop` ends the program early.
///
/// # Errors
/// If it cannot be started.
pub(crate) async fn run_until(command: &Command, stop: impl Future) -> Result<Finished, NotStarted> {
    let (mut child, mut family) = spawn(command)?;
    let (stdout, stderr) = (Mutex::new(Captured::default()), Mutex::new(Captured::default()));
    let pipes = (child.stdout.take(), child.stderr.take());
    let mut drains = pin!(async {
        tokio::join!(drain(pipes.0, &stdout), drain(pipes.1, &stderr));
    });
    let mut drained = false;
    let waited = tokio::select! {
        biased;
        // A terminal's Ctrl-C reaches program and command at once; it was the user who ended both.
        _ = stop => Waited::For(Ending::Stopped),
        status = beside(within(command.deadline, child.wait()), drains.as_mut(), &mut drained) => match status {
            Some(Ok(status)) => Waited::Ended(ending_of(status)),
            // A wait fails only if somebody else has reaped the program; nothing more can be learnt of it.
            Some(Err(_)) => Waited::Ended(Ending::Exited(-1)),
            None => Waited::For(Ending::TimedOut),
        },
    };
    let mut was_killed = false;
    let ending = match waited {
        Waited::Ended(ending) => ending,
        Waited::For(ending) => {
            family.signal(Signal::TERM);
            let leaving = within(Some(command.grace), child.wait());
            if beside(leaving, drains.as_mut(), &mut drained).await.is_none() {
                was_killed = true;
                family.signal(Signal::KILL);
                let _ = beside(within(Some(GRACE), child.wait()), drains.as_mut(), &mut drained).await;
            }
            ending
        }
    };
    beside(family.end(), drains.as_mut(), &mut drained).await;
    drop(family);
    if !drained {
        within(Some(LAST_WORDS), drains.as_mut()).await;
    }
    Ok(Finished { ending, stdout: kept(&stdout), stderr: kept(&stderr), was_killed })
}

/// What the wait for a program came to.
enum Waited {
    /// It has ended.
    Ended(Ending),
    /// It has not, and is to be ended for this reason.
    For(Ending),
}

fn spawn(command: &Command) -> Result<(tokio::process::Child, Family), NotStarted> {
    let (program, _) = command.argv.split_first().ok_or(NotStarted::Empty)?;
    let mark = family::new_mark();
    let found = program::found(program, &command.environment);
    let mut by_path = found.map(|file| builder(command, file.as_os_str(), &mark));
    let mut by_name = builder(command, program, &mark);
    dispositions::default_for_children();
    let spawn = || match by_path.as_mut().map(tokio::process::Command::spawn) {
        // A script without a first line that says who reads it: the search by name hands it to a shell.
        Some(Err(error)) if error.raw_os_error() == Some(rustix::io::Errno::NOEXEC.raw_os_error()) => {
            by_name.spawn()
        }
        Some(spawned) => spawned,
        None => by_name.spawn(),
    };
    family::born(spawn, mark, command.group)
        .map_err(|source| NotStarted::Refused { program: program.to_string_lossy().into_owned(), source })
}

/// The start of a program that lies at `file`, by whatever name it is asked for.
fn builder(command: &Command, file: &OsStr, mark: &str) -> tokio::process::Command {
    let mut builder = tokio::process::Command::new(file);
    let mut words = command.argv.iter();
    words.next().into_iter().for_each(|name| {
        builder.arg0(name);
    });
    builder.args(words).env_clear().envs(&command.environment.0).env(MARK, family::with_outer(mark));
    match command.streams {
        Streams::Captured => {
            builder.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        }
        Streams::Shared => {
            builder.stdin(Stdio::inherit()).stdout(Stdio::inherit()).stderr(Stdio::inherit());
        }
        Streams::Spoken => {
            builder.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        }
    }
    if command.group == Group::Own {
        builder.process_group(0);
    }
    builder.kill_on_drop(true);
    if let Some(folder) = &command.folder {
        builder.current_dir(folder);
    }
    builder
}

fn ending_of(status: ExitStatus) -> Ending {
    match (status.code(), status.signal()) {
        (Some(code), _) => Ending::Exited(code),
        (None, Some(signal)) => Ending::Signalled(signal),
        (None, None) => Ending::Exited(-1),
    }
}

/// `work`, or nothing if it takes longer than `limit`.
async fn within<T>(limit: Option<Duration>, work: impl Future<Output = T>) -> Option<T> {
    match limit {
        Some(limit) => tokio::time::timeout(limit, work).await.ok(),
        None => Some(work.await),
    }
}

/// `work`, while output goes on being read, so that a program is never stuck on a full pipe.
async fn beside<T>(
    work: impl Future<Output = T>,
    mut drains: Pin<&mut impl Future<Output = ()>>,
    drained: &mut bool,
) -> T {
    let mut work = pin!(work);
    loop {
        tokio::select! {
            biased;
            result = work.as_mut() => return result,
            () = drains.as_mut(), if !*drained => *drained = true,
        }
    }
}

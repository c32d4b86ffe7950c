//! A child process that leaves nothing behind: own process group, no input, bounded output, a hard end.
//!
//! The group gets TERM at the deadline and KILL two seconds later; whatever is left of it is killed when the program
//! has ended, and also when the future is dropped. Two things are out of reach without unsafe code: a descendant that
//! makes a session of its own (`setsid`) leaves the group and is not found again, and a program outlives this one if
//! this one is killed with `kill -9`.

use std::collections::{BTreeMap, VecDeque};
use std::ffi::{OsStr, OsString};
use std::future::Future;
use std::io;
use std::os::unix::process::ExitStatusExt;
use std::path::PathBuf;
use std::pin::{Pin, pin};
use std::process::{ExitStatus, Stdio};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process_group};
use tokio::io::{AsyncRead, AsyncReadExt};

/// Bytes kept of the start of each output, and as many of its end.
pub const KEPT: usize = 64 * 1024;

/// How long a program may take to end after TERM, and to vanish after KILL.
const GRACE: Duration = Duration::from_secs(2);

/// How long output is still read after the program has ended: a descendant outside the group may hold the pipe.
const LAST_WORDS: Duration = Duration::from_millis(500);

/// What a judged program may inherit. Everything else, proxies and tokens above all, would make two runs differ.
const INHERITED: [&str; 22] = [
    "PATH",
    "HOME",
    "USER",
    "LOGNAME",
    "SHELL",
    "LANG",
    "LANGUAGE",
    "TZ",
    "TMPDIR",
    "TEMP",
    "TMP",
    "VIRTUAL_ENV",
    "JAVA_HOME",
    "LD_LIBRARY_PATH",
    "SystemRoot",
    "SystemDrive",
    "ComSpec",
    "PATHEXT",
    "windir",
    "USERPROFILE",
    "APPDATA",
    "LOCALAPPDATA",
];

/// The variables a child is given; nothing else reaches it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Environment(BTreeMap<OsString, OsString>);

impl Environment {
    /// What a judged program gets of `vars`: a short list of names (`PATH`, `HOME`, the locale, temporary folders),
    /// no proxy, and `NO_PROXY=*`.
    pub fn clean(vars: impl IntoIterator<Item = (OsString, OsString)>) -> Self {
        let allowed = |name: &OsStr| {
            let name = name.to_string_lossy();
            name.starts_with("LC_") || INHERITED.contains(&name.as_ref())
        };
        let mut environment = Self(vars.into_iter().filter(|(name, _)| allowed(name)).collect());
        environment.set("NO_PROXY", "*");
        environment.set("no_proxy", "*");
        environment
    }

    /// All of `vars`, for a command of the user's own. Loopback is taken out of any proxy's reach.
    pub fn whole(vars: impl IntoIterator<Item = (OsString, OsString)>) -> Self {
        let mut environment = Self(vars.into_iter().collect());
        for name in ["NO_PROXY", "no_proxy"] {
            let mut value = environment.0.remove(OsStr::new(name)).unwrap_or_default();
            if !value.is_empty() {
                value.push(",");
            }
            value.push("127.0.0.1,localhost,::1");
            environment.set(name, value);
        }
        environment
    }

    /// Sets one variable.
    pub fn set(&mut self, name: impl Into<OsString>, value: impl Into<OsString>) {
        self.0.insert(name.into(), value.into());
    }

    /// The value of one variable.
    pub fn get(&self, name: &str) -> Option<&OsStr> {
        self.0.get(OsStr::new(name)).map(OsString::as_os_str)
    }
}

/// Where a child's output goes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Output {
    /// Read to the end, the first and last [`KEPT`] bytes of each kept.
    #[default]
    Captured,
    /// To this program's own output, unread.
    Inherited,
}

/// A program to run.
#[derive(Clone, Debug, Default)]
pub struct Command {
    /// The program and its arguments.
    pub argv: Vec<OsString>,
    /// Its whole environment.
    pub environment: Environment,
    /// The folder it starts in; this program's own if none.
    pub folder: Option<PathBuf>,
    /// After which time it is ended; never if none.
    pub deadline: Option<Duration>,
    /// Where its output goes.
    pub output: Output,
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
}

/// A program could not be started: nothing was tested.
#[derive(Debug, thiserror::Error)]
pub enum NotStarted {
    /// There is no program in the command.
    #[error("the command is empty")]
    Empty,
    /// The system refused.
    #[error("`{program}` cannot be started: {source}")]
    Refused {
        /// The program.
        program: String,
        /// Why: not there, not executable, no more processes allowed.
        source: io::Error,
    },
}

/// Output of a program: its start and its end, and how much is missing between.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Captured {
    head: Vec<u8>,
    tail: VecDeque<u8>,
    /// Bytes left out between start and end.
    pub cut: u64,
}

impl Captured {
    #[cfg(test)]
    pub(super) fn of(text: &str) -> Self {
        let mut captured = Self::default();
        captured.push(text.as_bytes());
        captured
    }

    fn push(&mut self, bytes: &[u8]) {
        let (head, rest) = bytes.split_at(bytes.len().min(KEPT - self.head.len()));
        self.head.extend_from_slice(head);
        self.tail.extend(rest);
        let over = self.tail.len().saturating_sub(KEPT);
        self.tail.drain(..over);
        self.cut += over as u64;
    }

    /// As text, bytes that are not UTF-8 replaced; a line of its own says how much is missing in the middle.
    pub fn text(&self) -> String {
        let (front, back) = self.tail.as_slices();
        let tail = [front, back].concat();
        if self.cut == 0 {
            return String::from_utf8_lossy(&[self.head.as_slice(), &tail].concat()).into_owned();
        }
        let (head, tail) = (String::from_utf8_lossy(&self.head), String::from_utf8_lossy(&tail));
        format!("{head}\n[{} bytes not kept]\n{tail}", self.cut)
    }
}

/// Runs a program to its end. Its standard input is empty; it and all of its group are gone when this returns, or is
/// dropped.
///
/// # Errors
/// If it cannot be started.
pub async fn run(command: &Command) -> Result<Finished, NotStarted> {
    let mut child = spawn(command)?;
    let group = Group::of(&child);
    let (stdout, stderr) = (Mutex::new(Captured::default()), Mutex::new(Captured::default()));
    let pipes = (child.stdout.take(), child.stderr.take());
    let mut drains = pin!(async {
        tokio::join!(drain(pipes.0, &stdout), drain(pipes.1, &stderr));
    });
    let mut drained = false;
    let ended = beside(within(command.deadline, child.wait()), drains.as_mut(), &mut drained).await;
    let ending = match ended {
        Some(Ok(status)) => ending_of(status),
        // A wait fails only if somebody else has reaped the program; nothing more can be learnt of it.
        Some(Err(_)) => Ending::Exited(-1),
        None => {
            group.signal(Signal::TERM);
            let leaving = within(Some(GRACE), child.wait());
            if beside(leaving, drains.as_mut(), &mut drained).await.is_none() {
                group.signal(Signal::KILL);
                let _ = beside(within(Some(GRACE), child.wait()), drains.as_mut(), &mut drained).await;
            }
            Ending::TimedOut
        }
    };
    drop(group);
    if !drained {
        within(Some(LAST_WORDS), drains.as_mut()).await;
    }
    Ok(Finished { ending, stdout: kept(&stdout), stderr: kept(&stderr) })
}

fn spawn(command: &Command) -> Result<tokio::process::Child, NotStarted> {
    let (program, arguments) = command.argv.split_first().ok_or(NotStarted::Empty)?;
    let pipe = || match command.output {
        Output::Captured => Stdio::piped(),
        Output::Inherited => Stdio::inherit(),
    };
    let mut builder = tokio::process::Command::new(program);
    builder.args(arguments).env_clear().envs(&command.environment.0);
    builder.stdin(Stdio::null()).stdout(pipe()).stderr(pipe());
    builder.process_group(0).kill_on_drop(true);
    if let Some(folder) = &command.folder {
        builder.current_dir(folder);
    }
    builder
        .spawn()
        .map_err(|source| NotStarted::Refused { program: program.to_string_lossy().into_owned(), source })
}

/// The child's process group. It is killed when this is dropped: at the end of [`run`], or when its future is dropped.
struct Group(Option<Pid>);

impl Group {
    fn of(child: &tokio::process::Child) -> Self {
        Self(child.id().and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw))
    }

    fn signal(&self, signal: Signal) {
        if let Some(group) = self.0 {
            // The only likely error is that the group is gone, which is what is wanted.
            let _ = kill_process_group(group, signal);
        }
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        self.signal(Signal::KILL);
    }
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

async fn drain(pipe: Option<impl AsyncRead + Unpin>, into: &Mutex<Captured>) {
    let Some(mut pipe) = pipe else { return };
    let mut buffer = vec![0; 16 * 1024];
    while let Ok(count @ 1..) = pipe.read(&mut buffer).await {
        if let Some(bytes) = buffer.get(..count) {
            into.lock().unwrap_or_else(PoisonError::into_inner).push(bytes);
        }
    }
}

fn kept(captured: &Mutex<Captured>) -> Captured {
    std::mem::take(&mut captured.lock().unwrap_or_else(PoisonError::into_inner))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_middle_of_long_output_is_cut() {
        let mut captured = Captured::default();
        for letter in [b'a', b'b', b'c', b'd'] {
            captured.push(&vec![letter; KEPT]);
        }
        let text = captured.text();
        assert_eq!(captured.cut, 2 * KEPT as u64);
        assert!(text.starts_with("aaa") && text.ends_with("ddd"), "start and end are kept");
        assert!(text.contains("\n[131072 bytes not kept]\n"));
        assert!(!text.contains('c') || !text.contains("ccc"), "the middle is gone");
    }

    #[test]
    fn a_clean_environment_holds_the_listed_names_and_no_proxy() {
        let vars = [("PATH", "/bin"), ("LC_ALL", "C"), ("HTTPS_PROXY", "http://x"), ("AWS_SECRET", "s")];
        let vars = vars.map(|(name, value)| (OsString::from(name), OsString::from(value)));
        let environment = Environment::clean(vars.clone());
        assert_eq!(environment.get("PATH"), Some(OsStr::new("/bin")));
        assert_eq!(environment.get("LC_ALL"), Some(OsStr::new("C")));
        assert_eq!(environment.get("NO_PROXY"), Some(OsStr::new("*")));
        assert_eq!(environment.get("HTTPS_PROXY"), None);
        assert_eq!(environment.get("AWS_SECRET"), None);
        let whole = Environment::whole(vars);
        assert_eq!(whole.get("AWS_SECRET"), Some(OsStr::new("s")));
        assert_eq!(whole.get("NO_PROXY"), Some(OsStr::new("127.0.0.1,localhost,::1")));
    }
}

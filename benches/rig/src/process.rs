//! Servers as processes of their own: how they are started, and what they have cost.

use std::fs::File;
use std::io::{BufRead, BufReader, Write};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};

/// The arguments of this program: `--name value` and `--name`.
pub(crate) struct Arguments(pub(crate) Vec<String>);

impl Arguments {
    pub(crate) fn flag(&self, name: &str) -> bool {
        self.0.iter().any(|word| word == name)
    }

    pub(crate) fn texts(&self, name: &str) -> Vec<&str> {
        let pairs = self.0.iter().zip(self.0.iter().skip(1));
        pairs.filter(|(word, _)| *word == name).map(|(_, value)| value.as_str()).collect()
    }

    /// Stops at a word that nobody knows: it would be left out silently.
    pub(crate) fn check(&self, flags: &[&str], with_values: &[&str]) -> Result<(), String> {
        let mut words = self.0.iter().map(String::as_str);
        while let Some(word) = words.next() {
            if with_values.contains(&word) {
                words.next().ok_or_else(|| format!("{word} takes a value"))?;
            } else if !flags.contains(&word) {
                return Err(format!(
                    "what is `{word}`? There are {} and {}",
                    flags.join(", "),
                    with_values.join(", ")
                ));
            }
        }
        Ok(())
    }

    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        self.texts(name).first().copied()
    }

    pub(crate) fn number(&self, name: &str) -> Result<Option<u64>, String> {
        let text = self.text(name);
        text.map(|text| text.parse().map_err(|_| format!("{name} takes a whole number, not `{text}`")))
            .transpose()
    }
}

/// Says where a floor listens, as faultdeck does.
pub(crate) fn announce(addr: SocketAddr) -> std::io::Result<()> {
    let mut out = std::io::stdout();
    writeln!(out, "http://{addr}")?;
    out.flush()
}

/// The processor of the servers and the one of the load, where there are two.
#[derive(Clone, Copy)]
pub(crate) struct Processors(Option<(usize, usize)>);

impl Processors {
    pub(crate) fn of_this_machine() -> Self {
        let Ok(allowed) = sched_getaffinity(None) else { return Self(None) };
        let mut allowed = (0..CpuSet::MAX_CPU).filter(|at| allowed.is_set(*at));
        Self(allowed.next().zip(allowed.next()))
    }

    fn pin(at: usize) {
        let mut one = CpuSet::new();
        one.set(at);
        // Where it is not allowed, the figures are only less steady.
        let _ = sched_setaffinity(None, &one);
    }

    /// Puts this thread, and what it starts from now on, to the processor of the servers.
    fn to_servers(self) {
        self.0.into_iter().for_each(|(servers, _)| Self::pin(servers));
    }

    /// Lets this thread, and what it starts from now on, be put wherever the system likes.
    pub(crate) fn to_both(self) {
        let Some((servers, load)) = self.0 else { return };
        let mut both = CpuSet::new();
        both.set(servers);
        both.set(load);
        let _ = sched_setaffinity(None, &both);
    }

    /// Puts this thread to the processor of the load.
    pub(crate) fn to_load(self) {
        self.0.into_iter().for_each(|(_, load)| Self::pin(load));
    }
}

/// A server that runs.
pub(crate) struct Server {
    child: Child,
    pub(crate) addr: SocketAddr,
    /// When it was started.
    pub(crate) began: Instant,
    errors: PathBuf,
}

/// On whose processor a server runs.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    /// It is what is measured.
    Measured,
    /// It only gives answers to what is measured.
    BesideTheLoad,
}

impl Server {
    /// Starts a program that prints its URL as its first line; what it prints on stderr goes to a file in `folder`.
    pub(crate) fn start<S: AsRef<str>>(
        program: &Path,
        arguments: &[S],
        folder: &Path,
        processors: Processors,
        place: Place,
    ) -> Result<Self, String> {
        let failed = |error: std::io::Error| format!("cannot start {}: {error}", program.display());
        static NUMBER: AtomicU64 = AtomicU64::new(0);
        let errors = folder.join(format!("stderr-{}", NUMBER.fetch_add(1, Ordering::Relaxed)));
        let stderr = File::create(&errors).map_err(failed)?;
        let mut command = Command::new(program);
        command
            .args(arguments.iter().map(AsRef::as_ref))
            .current_dir(folder)
            .env_remove("CI")
            .env("FAULTDECK_HOME", folder.join("home"))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(stderr);
        if place == Place::Measured {
            processors.to_servers();
        }
        let began = Instant::now();
        let child = command.spawn();
        processors.to_load();
        let mut child = child.map_err(failed)?;
        let mut url = String::new();
        if let Some(stdout) = child.stdout.take() {
            BufReader::new(stdout).read_line(&mut url).map_err(failed)?;
        }
        let addr = url.trim().strip_prefix("http://").and_then(|addr| addr.parse().ok());
        let Some(addr) = addr else {
            let _ = (child.kill(), child.wait());
            let reason = std::fs::read_to_string(&errors).unwrap_or_default();
            return Err(reason.lines().next().unwrap_or("it printed no URL").to_owned());
        };
        Ok(Self { child, addr, began, errors })
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// The processor time it has taken, user and system.
    pub(crate) fn cpu(&self) -> Duration {
        // The name in parentheses may hold blanks; the 12th and 13th fields behind it are ticks.
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.pid())).unwrap_or_default();
        let behind = stat.rsplit_once(')').map_or("", |(_, behind)| behind);
        let ticks: u64 =
            behind.split_whitespace().skip(11).take(2).filter_map(|field| field.parse::<u64>().ok()).sum();
        Duration::from_secs_f64(ticks as f64 / rustix::param::clock_ticks_per_second() as f64)
    }

    /// A line of its status in bytes: `VmRSS`, `VmHWM`.
    pub(crate) fn memory(&self, name: &str) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.pid())).unwrap_or_default();
        let line = status.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
        let kibibytes = line.and_then(|rest| rest.split_whitespace().next()?.parse::<u64>().ok());
        kibibytes.unwrap_or_default() * 1024
    }

    /// Asks it to end, as Ctrl-C does; gives how long that took, or nothing if it had to be killed.
    pub(crate) fn stop(mut self, patience: Duration) -> Option<Duration> {
        let began = Instant::now();
        if let Some(pid) = i32::try_from(self.pid()).ok().and_then(Pid::from_raw) {
            let _ = kill_process(pid, Signal::INT);
        }
        while began.elapsed() < patience {
            if let Ok(Some(_)) = self.child.try_wait() {
                return Some(began.elapsed());
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        None
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = (self.child.kill(), self.child.wait());
        let _ = std::fs::remove_file(&self.errors);
    }
}

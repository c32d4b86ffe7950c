//! A small process beside this one that outlives it, and then ends the programs that it has started.
//!
//! A process that is killed with `kill -9` can do nothing any more. Its end of a pipe closes all the same, and that is
//! what the guard waits for.

use std::ffi::OsString;
use std::io;
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use super::family::{self, kill_marked};

/// How long the guard looks for programs to end.
const LOOKING: Duration = Duration::from_secs(5);

/// The guard. It ends, with nothing to do, when this is dropped after all programs have ended.
#[derive(Debug)]
pub struct Guard {
    _waits_for_our_end: Child,
}

impl Guard {
    /// Starts the guard: `argv` and the name of this run as last argument. It must read its input to the end and then
    /// call [`end_orphans_of`] with that name.
    ///
    /// # Errors
    /// If it cannot be started.
    pub fn start(argv: &[OsString]) -> io::Result<Self> {
        let Some((program, arguments)) = argv.split_first() else {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "the command is empty"));
        };
        let mut command = Command::new(program);
        command.args(arguments).arg(family::run_name()).current_dir("/");
        // A group of its own: Ctrl-C and what ends the others' group do not reach it.
        command.process_group(0).stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
        family::kept(|| command.spawn()).map(|child| Self { _waits_for_our_end: child })
    }
}

/// Kills every program that the run of this name has started, and what descends from them.
pub fn end_orphans_of(run: &str) {
    let until = Instant::now() + LOOKING;
    let is_ours = |mark: &str| mark.strip_prefix(run).is_some_and(|rest| rest.starts_with('.'));
    while kill_marked(is_ours) > 0 && Instant::now() < until {
        std::thread::sleep(Duration::from_millis(10));
    }
}

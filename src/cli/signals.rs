//! The signals that ask for an end: the first one finishes in order, a second one ends the process at once.
//!
//! Ctrl-C, SIGTERM, a terminal that is closed (SIGHUP) and Ctrl-\ (SIGQUIT) all mean the same: what was recorded or
//! served is saved, and the exit code says what it came to. SIGQUIT's own way would be a core file, with every secret
//! that is in memory. SIGPIPE is ignored by the language's runtime: a reader that went away is an error of a write.

use std::io;

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::watch;

use super::output;
use super::problem::Problem;
use crate::client::child;

/// SIGXFSZ, the same number on all systems we know (Linux on MIPS apart).
const FILE_SIZE: i32 = 25;

/// Which signal asked for the end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stop {
    HangUp,
    Interrupt,
    Quit,
    Terminate,
}

impl Stop {
    /// What a shell expects of a process that this signal ended.
    fn code(self) -> i32 {
        128 + match self {
            Self::HangUp => 1,
            Self::Interrupt => 2,
            Self::Quit => 3,
            Self::Terminate => 15,
        }
    }
}

/// The signals of this process, listened to from here on.
#[derive(Clone, Debug)]
pub(super) struct Signals(watch::Receiver<Option<Stop>>);

impl Signals {
    /// Starts to listen.
    ///
    /// # Errors
    /// If the system does not let us.
    pub(super) fn listen() -> Result<Self, Problem> {
        let listen_to = |kind| {
            signal(kind)
                .map_err(|error: io::Error| Problem::input(format!("cannot listen for signals: {error}")))
        };
        let mut interrupts = listen_to(SignalKind::interrupt())?;
        let mut terminates = listen_to(SignalKind::terminate())?;
        let mut quits = listen_to(SignalKind::quit())?;
        // Whoever starts us under `nohup` wants us to outlive the terminal.
        let outlives = child::ignored().any(|number| number == SignalKind::hangup().as_raw_value());
        let mut hang_ups = if outlives { None } else { Some(listen_to(SignalKind::hangup())?) };
        let (sender, receiver) = watch::channel(None);
        tokio::spawn(async move {
            loop {
                let stop = tokio::select! {
                    biased;
                    _ = interrupts.recv() => Stop::Interrupt,
                    _ = terminates.recv() => Stop::Terminate,
                    _ = quits.recv() => Stop::Quit,
                    () = next(&mut hang_ups) => Stop::HangUp,
                };
                if sender.borrow().is_some() {
                    end_at_once(stop);
                }
                sender.send_replace(Some(stop));
            }
        });
        Ok(Self(receiver))
    }

    /// Resolves with the first signal, at once if it has already come.
    pub(super) async fn first(&mut self) -> Stop {
        let came = self.0.wait_for(Option::is_some).await.map(|stop| stop.unwrap_or(Stop::Interrupt));
        match came {
            Ok(stop) => stop,
            // The listening task never ends before the process does.
            Err(_) => std::future::pending().await,
        }
    }
}

async fn next(signals: &mut Option<Signal>) {
    match signals {
        Some(signals) => {
            let _ = signals.recv().await;
        }
        None => std::future::pending().await,
    }
}

/// Makes a quota on files an error of the write that meets it (`File too large`), instead of the end of the process.
pub(super) fn outlive_quotas() {
    // The handler stays when the stream of signals goes. Where there is none, the old end remains.
    let _ = signal(SignalKind::from_raw(FILE_SIZE));
}

/// Makes a crash leave no core file, which would hold every secret that is in memory. Programs that are started later
/// are not concerned: each new program begins with what is usual.
pub(super) fn leave_no_core_file() {
    // Where it cannot be had, or the system has no such thing, the user's own limit on core files remains.
    #[cfg(target_os = "linux")]
    let _ = rustix::process::set_dumpable_behavior(rustix::process::DumpableBehavior::NotDumpable);
}

#[expect(clippy::exit, reason = "a second signal means now, whatever is still running")]
fn end_at_once(stop: Stop) -> ! {
    output::last_word("stopped by a second signal; what was running is not finished");
    child::end_all();
    std::process::exit(stop.code())
}

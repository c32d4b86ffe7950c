//! Ctrl-C and SIGTERM: the first one finishes in order, a second one ends the process at once.

use std::io;

use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

use super::output;
use super::problem::Problem;

/// Which signal asked for the end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stop {
    Interrupt,
    Terminate,
}

impl Stop {
    /// What a shell expects of a process that this signal ended.
    fn code(self) -> i32 {
        match self {
            Self::Interrupt => 130,
            Self::Terminate => 143,
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
        let cannot = |error: io::Error| Problem::input(format!("cannot listen for signals: {error}"));
        let mut interrupts = signal(SignalKind::interrupt()).map_err(cannot)?;
        let mut terminates = signal(SignalKind::terminate()).map_err(cannot)?;
        let (sender, receiver) = watch::channel(None);
        tokio::spawn(async move {
            loop {
                let stop = tokio::select! {
                    biased;
                    _ = interrupts.recv() => Stop::Interrupt,
                    _ = terminates.recv() => Stop::Terminate,
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
        match self.0.wait_for(Option::is_some).await {
            Ok(stop) => stop.unwrap_or(Stop::Interrupt),
            // The listening task never ends before the process does.
            Err(_) => std::future::pending().await,
        }
    }
}

#[expect(clippy::exit, reason = "a second signal means now, whatever is still running")]
fn end_at_once(stop: Stop) -> ! {
    output::note("stopped by a second signal; what was running is not finished");
    crate::client::child::end_all();
    std::process::exit(stop.code())
}

//! A clock that is stepped by hand: SIGUSR1, or a line on standard input, is one tick.

use std::io::{self, BufRead as _};

use tokio::signal::unix::{SignalKind, signal};

use super::output;
use super::problem::Problem;
use crate::replay::Clock;
use crate::scenario::{self, Scenario};

/// Lets whoever runs a scenario with `clock = { by = "hand" }` step it; `reads` says whether lines on standard input
/// do, too. Anything else needs no hand.
///
/// # Errors
/// If the system does not let us listen for the signal.
pub(super) fn listen(scenario: Option<&Scenario>, clock: &Clock, reads: bool) -> Result<(), Problem> {
    if scenario.and_then(|scenario| scenario.clock) != Some(scenario::Clock::ByHand) {
        return Ok(());
    }
    let cannot = |error: io::Error| Problem::input(format!("cannot listen for SIGUSR1: {error}"));
    let mut signals = signal(SignalKind::user_defined1()).map_err(cannot)?;
    let by_signal = clock.clone();
    tokio::spawn(async move {
        while signals.recv().await.is_some() {
            step(&by_signal);
        }
    });
    let how = if reads { "press Enter, or send SIGUSR1" } else { "send SIGUSR1" };
    output::note(&format!(
        "the clock is stepped by hand: {how} to process {} for a tick",
        std::process::id()
    ));
    if reads {
        let by_line = clock.clone();
        // It is never waited for: a read of a terminal ends with the process.
        std::thread::spawn(move || {
            for _ in io::stdin().lock().split(b'\n').map_while(Result::ok) {
                step(&by_line);
            }
        });
    }
    Ok(())
}

fn step(clock: &Clock) {
    clock.step();
    output::note(&format!("tick {}", clock.steps()));
}

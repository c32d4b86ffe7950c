//! A clock that is stepped by hand: SIGUSR1, or a line on standard input or at the terminal, is one tick.

use std::io::{self, BufRead, BufReader, Read};

use tokio::signal::unix::{SignalKind, signal};

use super::output;
use super::problem::Problem;
use crate::files;
use crate::replay::Clock;
use crate::scenario::{self, Scenario};

/// Where lines come from that step the clock.
enum Lines {
    Input,
    /// Standard input held the scenario and is at its end: the terminal itself.
    Terminal(Box<dyn Read + Send>),
    Nowhere,
}

impl Lines {
    fn of(scenario: &Scenario, reads: bool) -> Self {
        match (reads, scenario.is_of_input()) {
            (false, _) => Self::Nowhere,
            (true, false) => Self::Input,
            (true, true) => {
                files::terminal().map_or(Self::Nowhere, |terminal| Self::Terminal(Box::new(terminal)))
            }
        }
    }

    /// How somebody steps the clock, in words.
    fn how(&self) -> &'static str {
        match self {
            Self::Input => "press Enter, or send SIGUSR1",
            Self::Terminal(_) => "press Enter at the terminal, or send SIGUSR1",
            Self::Nowhere => "send SIGUSR1",
        }
    }
}

/// Lets whoever runs a scenario with `clock = { by = "hand" }` step it; `reads` says whether lines on standard input
/// do, too. Anything else needs no hand.
///
/// # Errors
/// If the system does not let us listen for the signal.
pub(super) fn listen(scenario: Option<&Scenario>, clock: &Clock, reads: bool) -> Result<(), Problem> {
    let Some(scenario) = scenario.filter(|scenario| scenario.clock == Some(scenario::Clock::ByHand)) else {
        return Ok(());
    };
    let cannot = |error: io::Error| Problem::input(format!("cannot listen for SIGUSR1: {error}"));
    let mut signals = signal(SignalKind::user_defined1()).map_err(cannot)?;
    let by_signal = clock.clone();
    tokio::spawn(async move {
        while signals.recv().await.is_some() {
            step(&by_signal);
        }
    });
    let lines = Lines::of(scenario, reads);
    output::note(&format!(
        "the clock is stepped by hand: {} to process {} for a tick",
        lines.how(),
        std::process::id()
    ));
    if reads && matches!(lines, Lines::Nowhere) {
        output::note(
            "  standard input held the scenario and is at its end, and there is no terminal: no line steps it",
        );
    }
    let by_line = clock.clone();
    // It is never waited for: a read of a terminal ends with the process.
    match lines {
        Lines::Input => drop(std::thread::spawn(move || by_lines(io::stdin().lock(), &by_line))),
        Lines::Terminal(terminal) => {
            drop(std::thread::spawn(move || by_lines(BufReader::new(terminal), &by_line)));
        }
        Lines::Nowhere => {}
    }
    Ok(())
}

/// A tick for each line, as long as there are any.
fn by_lines(lines: impl BufRead, clock: &Clock) {
    for _ in lines.split(b'\n').map_while(Result::ok) {
        step(clock);
    }
    output::note("no more lines come: only SIGUSR1 steps the clock now");
}

fn step(clock: &Clock) {
    clock.step();
    output::note(&format!("tick {}", clock.steps()));
}

//! A scenario on standard input: `--scenario -`.

use std::io::{self, IsTerminal, Read};
use std::sync::{Mutex, PoisonError, mpsc};
use std::thread;
use std::time::Duration;

use super::problem::Problem;
use crate::files;
use crate::profile::Profile;
use crate::scenario::{Scenario, ScenarioError};

/// How it is asked for.
pub(super) const ARGUMENT: &str = "-";

/// The longest wait for its end.
const PATIENCE: Duration = Duration::from_secs(60);

/// What to add to a command line that does the same again: a name that a shell does not find says what is missing.
pub(super) const AGAIN: &str = "< THE-SAME-SCENARIO.toml";

/// What was read, until somebody takes it.
static TEXT: Mutex<Option<String>> = Mutex::new(None);

/// Reads standard input, if one of the scenarios is to come from there. This is done before signals are caught: whoever
/// has no patience ends the wait with Ctrl-C.
///
/// # Errors
/// If two are to come from there, nobody pipes anything in, or what comes is too much or no text.
pub(super) fn read(scenarios: &[&str]) -> Result<(), Problem> {
    match scenarios.iter().filter(|argument| **argument == ARGUMENT).count() {
        0 => return Ok(()),
        1 => {}
        _ => {
            return Err(Problem::input("standard input holds one scenario, not several")
                .help("give the others by name or file"));
        }
    }
    if io::stdin().is_terminal() {
        return Err(Problem::input("standard input is a terminal, so no scenario comes from it")
            .help("pipe one in: `--scenario - < scenarios/mine.toml`"));
    }
    let (send, come) = mpsc::channel();
    thread::spawn(move || send.send(all()));
    let cannot = |why: String| Problem::input(format!("cannot read a scenario from standard input: {why}"));
    let text = match come.recv_timeout(PATIENCE) {
        Ok(read) => read.map_err(cannot)?,
        Err(_) => return Err(cannot(format!("it has not ended in {} s", PATIENCE.as_secs()))),
    };
    *TEXT.lock().unwrap_or_else(PoisonError::into_inner) = Some(text);
    Ok(())
}

fn all() -> Result<String, String> {
    let most = Scenario::LARGEST_BYTES;
    let mut bytes = Vec::new();
    io::stdin().take(most + 1).read_to_end(&mut bytes).map_err(|error| error.to_string())?;
    files::text_of(bytes, most).map_err(|error| error.to_string())
}

/// The scenario that was read.
///
/// # Errors
/// If it has a mistake.
pub(super) fn scenario() -> Result<Scenario, ScenarioError> {
    let text = TEXT.lock().unwrap_or_else(PoisonError::into_inner).take().unwrap_or_default();
    Scenario::of_input(&text, Profile::builtin())
}

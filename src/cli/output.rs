//! The process's own streams. A reader that went away is no error of ours.
//!
//! A token that stands in the environment (`SEC_TOKEN`, `API_KEY`) or in the arguments is shown nowhere, wherever it
//! was pasted: all that is printed passes by here.

use std::ffi::OsString;
use std::io::{self, ErrorKind, Write};
use std::sync::OnceLock;

use super::problem::Problem;
use crate::redact::{Redactor, is_credential_name};

/// The secrets that the process was started with.
static GIVEN: OnceLock<Redactor> = OnceLock::new();

/// Learns the secrets that the process was started with. Only the first call counts.
pub(super) fn hide(arguments: &[OsString], environment: impl Iterator<Item = (OsString, OsString)>) {
    let redactor = Redactor::new();
    for (name, value) in environment {
        if is_credential_name(&name.to_string_lossy()) {
            redactor.learn(&value.to_string_lossy());
        }
    }
    let words: Vec<String> = arguments.iter().map(|word| word.to_string_lossy().into_owned()).collect();
    redactor.learn_arguments(&words);
    let _ = GIVEN.set(redactor);
}

fn hidden(text: &str) -> String {
    GIVEN.get().map_or_else(|| text.to_owned(), |redactor| redactor.text(text))
}

/// Writes data on standard output and sends it off.
///
/// # Errors
/// If it cannot be written for another reason than a closed pipe.
pub(super) fn data(text: &str) -> Result<(), Problem> {
    let mut out = anstream::stdout();
    match out.write_all(hidden(text).as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            Err(Problem::input(format!("cannot write to standard output: {error}")))
        }
        _ => Ok(()),
    }
}

/// Writes a line on standard error. If nobody reads it, nothing is lost that the ledger does not hold.
pub(super) fn note(line: &str) {
    let _ = writeln!(anstream::stderr(), "{}", hidden(line));
}

/// Whether a person sits at standard error: progress is shown to nobody else.
pub(super) fn is_watched() -> bool {
    io::IsTerminal::is_terminal(&io::stderr())
}

//! The process's own streams. A reader that went away is no error of ours.

use std::io::{self, ErrorKind, Write};

use super::problem::Problem;

/// Writes data on standard output and sends it off.
///
/// # Errors
/// If it cannot be written for another reason than a closed pipe.
pub(super) fn data(text: &str) -> Result<(), Problem> {
    let mut out = anstream::stdout();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            Err(Problem::input(format!("cannot write to standard output: {error}")))
        }
        _ => Ok(()),
    }
}

/// Writes a line on standard error. If nobody reads it, nothing is lost that the ledger does not hold.
pub(super) fn note(line: &str) {
    let _ = writeln!(anstream::stderr(), "{line}");
}

/// Whether a person sits at standard error: progress is shown to nobody else.
pub(super) fn is_watched() -> bool {
    io::IsTerminal::is_terminal(&io::stderr())
}

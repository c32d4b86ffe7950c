//! `faultdeck room`: what stands between `run --isolate` and its command. Hidden: nobody types it.

use std::ffi::OsString;
use std::io;
use std::process::ExitCode;

use super::output;
use crate::client::child::room;
use crate::report::visible;

/// The exit codes by which a shell says that a program is not there, and that it cannot be run.
const NOT_FOUND: u8 = 127;
const NOT_EXECUTABLE: u8 = 126;

/// `hold` furnishes the room and stays in it; `enter` becomes the command.
pub(super) fn run(arguments: &[OsString]) -> ExitCode {
    let Some((verb, rest)) = arguments.split_first() else { return ExitCode::from(NOT_EXECUTABLE) };
    match verb.to_str() {
        Some("hold") => match room::hold(rest) {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => {
                output::note(&visible(&error.to_string()));
                ExitCode::FAILURE
            }
        },
        Some("enter") => {
            let error = room::enter(rest);
            let program = rest.get(1).map(|program| program.to_string_lossy()).unwrap_or_default();
            output::note(&visible(&format!("`{program}`: {error}")));
            ExitCode::from(if error.kind() == io::ErrorKind::NotFound { NOT_FOUND } else { NOT_EXECUTABLE })
        }
        _ => ExitCode::from(NOT_EXECUTABLE),
    }
}

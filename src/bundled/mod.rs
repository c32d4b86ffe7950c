//! The careful and the careless client: ordinary programs over real sockets, run only in processes of their own.
//!
//! They are what faultdeck shows itself on. The careful client does what a program that talks to a console should do;
//! the careless one is the same program with the defects of [`DEFECTS`] switched on, one for each property that
//! `judge` knows. They share no code with the rest but [`crate::message`] and [`crate::json`]: a mistake in faultdeck's
//! own reading of the API must not hide itself.

mod address;
mod answer;
mod arguments;
mod branching;
mod defects;
mod jobs;
mod reading;
mod report;
mod selector;
mod session;
mod slips;
mod trust;
mod wire;

use std::ffi::OsString;
use std::io::Write;

pub(crate) use defects::check_defects;
pub use defects::{DEFECTS, Defect};
pub use slips::slips;

use arguments::Arguments;
use report::Outcome;

/// How the programs are called, for `--help` and mistakes.
const USAGE: &str = "\
usage: faultdeck client careful|careless get|wait|create|send|list|tour --base URL [--id ID] [--name NAME] [--fields FIELDS]
           [--path PATH] [--method METHOD] [--body JSON] [--polls PATH] [--id-member NAME] [--members LIST]
           [--sec TOKEN | --user NAME] [--ca-file FILE] [--pace-ms N] [--deadline-ms N] [--defect LIST]
--path asks another endpoint than that of a case's task, or of the offenses for `list`; it comes without /api, encoded. --polls is where `create` polls
what it made, by the id in --id-member. --members is for careless: what its types have.
With --user it logs in with the password in PASSWORD, goes on in the session it is given, and logs out at the end.
The token is read from SEC_TOKEN if --sec is not given, the CA file from SSL_CERT_FILE.
--defect is for careless alone: names with commas, `all` (the default) or `none`.
";

/// Exit code of a call with wrong arguments.
const WRONG_CALL: u8 = 2;

/// Runs one of the two programs. `arguments` are those after `client`, the program's name first; `environment` looks a
/// variable up. The outcome is written to `out` as one line of JSON, remarks to `err`; the result is the exit code.
pub fn run(
    arguments: &[OsString],
    environment: &dyn Fn(&str) -> Option<OsString>,
    out: &mut dyn Write,
    err: &mut dyn Write,
) -> u8 {
    if let Some((_, rest)) = arguments.split_first().filter(|(name, _)| *name == "branching") {
        return branching::run(rest, environment, out, err);
    }
    let outcome = match Arguments::parse(arguments, environment) {
        Ok(mut arguments) => {
            slips::as_given(&mut arguments);
            slips::reported(jobs::run(&arguments, err), &arguments)
        }
        Err(mistake) => {
            // Nobody may be listening; the exit code says it all the same.
            let _ = write!(err, "{mistake}\n{USAGE}");
            return WRONG_CALL;
        }
    };
    if let Outcome::Crash { how } = &outcome {
        let _ = writeln!(err, "the client crashed: {how}");
        return outcome.exit_code();
    }
    match writeln!(out, "{}", outcome.line()).and_then(|()| out.flush()) {
        Ok(()) => outcome.exit_code(),
        Err(_) => Outcome::Error(String::new()).exit_code(),
    }
}

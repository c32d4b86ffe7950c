//! `faultdeck client`: the bundled clients, as programs of their own. Hidden: `judge` and `demo` start them.

use std::env;
use std::ffi::OsString;
use std::io;

use crate::bundled;

/// Runs a bundled client, careful or careless, as an ordinary program.
#[derive(Debug, clap::Args)]
#[command(disable_help_flag = true)]
pub(super) struct Args {
    /// Its arguments; it reads them itself.
    #[arg(trailing_var_arg = true, allow_hyphen_values = true, num_args = 0..)]
    arguments: Vec<OsString>,
}

/// Gives back the client's own exit code, which means something else than faultdeck's.
pub(super) async fn run(args: Args) -> u8 {
    // It waits for answers as an ordinary program does, so it gets a thread that may wait.
    let work = move || {
        bundled::run(
            &args.arguments,
            &|name| env::var_os(name),
            &mut io::stdout().lock(),
            &mut io::stderr().lock(),
        )
    };
    tokio::task::spawn_blocking(work).await.unwrap_or(crate::ledger::Exit::Defect.code())
}

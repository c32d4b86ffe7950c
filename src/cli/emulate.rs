//! `faultdeck emulate`: a small console with no console at hand.

use std::sync::Arc;

use super::listen::Listen;
use super::output;
use super::problem::Problem;
use super::signals::Signals;
use crate::emulate::{Console, Emulator, Settings};
use crate::ledger::{Exit, RefusedLine};
use crate::report::refused_line;
use crate::seed::Seed;

/// Runs a small console in memory, until Ctrl-C: create a case, poll its task, list and get cases.
///
/// It answers from a model of the API, not from a recording; `record` can be tried against it.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  faultdeck emulate
  faultdeck emulate --seed 7 --dialect prose --listen 127.0.0.1:8080

Exit codes: 0 when it is stopped, 3 if a request was refused.")]
pub(super) struct Args {
    /// Where ids come from: equal seeds give equal ids.
    #[arg(long, value_name = "NUMBER", default_value = "1")]
    seed: Seed,
    /// How tasks spell their members: `sample` or `prose`, as the two halves of the documentation do.
    #[arg(long, value_name = "NAME", default_value = "sample")]
    dialect: String,
    /// Answers requests that carry no credentials, too.
    #[arg(long)]
    no_auth: bool,
    #[command(flatten)]
    listen: Listen,
}

pub(super) async fn run(args: Args) -> Result<Exit, Problem> {
    let mut signals = Signals::listen()?;
    let settings =
        Settings { seed: args.seed, dialect: args.dialect, no_auth: args.no_auth, ..Settings::default() };
    let console = Console::new(settings).map_err(Problem::input)?;
    let mut emulator = Emulator::new(console);
    if !args.listen.is_quiet() {
        emulator =
            emulator.watched(Arc::new(|refused: &RefusedLine| output::in_passing(&refused_line(refused))));
    }
    let emulator = Arc::new(emulator);
    let server = args.listen.start(Arc::clone(&emulator), |_| ()).await?;
    output::note("a small console in memory; stop with Ctrl-C");
    signals.first().await;
    server.stop().await;
    let reasons = emulator.weigh();
    if reasons.exit() != Exit::Passed {
        output::note(&reasons.because());
    }
    Ok(reasons.exit())
}

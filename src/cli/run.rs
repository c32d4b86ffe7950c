//! `faultdeck run`: your own command under a scenario.

use std::env;
use std::ffi::OsString;
use std::io::{self, IsTerminal};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use super::guard::Programs;
use super::listen::Tls;
use super::output;
use super::problem::Problem;
use super::report::{Outputs, ReportTo};
use super::setup::{Story, evidence_name};
use super::signals::Signals;
use crate::client::child::{Environment, Group};
use crate::ledger::Exit;
use crate::replay::{Setup, Watch};
use crate::report::{request_line, shell_word, visible};
use crate::run::{Plan, Under};

/// How long a command may take if `--timeout` does not say, in seconds.
const TIMEOUT_S: u64 = 3600;

/// Runs a command of yours against a replay, and says whether it did what the scenario asks for.
///
/// The command gets FAULTDECK_URL (scheme, host and port; no path) and FAULTDECK_SEC (a token to send as `SEC`); in
/// its arguments `{base_url}` stands for the same URL. With --tls it also gets FAULTDECK_CA_FILE, SSL_CERT_FILE,
/// REQUESTS_CA_BUNDLE, CURL_CA_BUNDLE and NODE_EXTRA_CA_CERTS. It keeps the terminal, its input and its output.
///
/// Three properties are judged from the wire alone: right-address, terminates and creates-once.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  faultdeck run --scenario builtin:slow-host -- pytest -q
  faultdeck run --scenario scenarios/mine.toml --report junit=report.xml -- npm test
  faultdeck run --cassette forensics/create-case -- ./poller --url {base_url}

Exit codes: 0 passed, 1 the command or a property failed, 3 nothing was tested (nothing served, a planned fault
never fired, a request missed, the command could not be started).")]
pub(super) struct Args {
    #[command(flatten)]
    story: Story,
    /// The cassette: a name below `cassettes/`, a `.json` file, or `builtin:NAME`. Wins over the scenario's.
    #[arg(long, value_name = "NAME|FILE")]
    cassette: Option<String>,
    /// Writes all that was served to this file, as JSON lines.
    #[arg(long, value_name = "FILE")]
    ledger: Option<PathBuf>,
    /// Writes a report: `junit=FILE`, `json=FILE` or `human=FILE`. Can be given several times.
    #[arg(long, value_name = "FORMAT=FILE")]
    report: Vec<ReportTo>,
    /// Ends the command, as failed, after this many seconds.
    #[arg(long, value_name = "SECONDS", default_value_t = TIMEOUT_S, value_parser = clap::value_parser!(u64).range(1..))]
    timeout: u64,
    /// Prints one line for each request, on standard error.
    #[arg(long)]
    trace: bool,
    #[command(flatten)]
    tls: Tls,
    /// The command and its arguments, after `--`.
    #[arg(last = true, required = true, value_name = "COMMAND")]
    command: Vec<OsString>,
}

pub(super) async fn run(args: Args) -> Result<Exit, Problem> {
    let mut signals = Signals::listen()?;
    let _programs = Programs::begin();
    let outputs = Outputs::new(args.ledger.clone(), args.report.clone())?;
    let setup = args.story.setup("run", args.cassette.as_deref())?;
    let redactor = setup.redactor.clone();
    output::note(&visible(&format!("running under {}, seed {}", of_what(&setup), setup.seed)));
    let repeat = repeat(&args);
    let watch: Watch = Arc::new(|exchange: &_| output::note(&request_line(exchange)));
    let plan = Plan {
        setup,
        tls: args.tls.identity()?,
        under: Under {
            environment: Environment::whole(env::vars_os()),
            limit: Duration::from_secs(args.timeout),
            group: if io::stdin().is_terminal() { Group::Shared } else { Group::Own },
        },
        command: args.command,
        must: None,
        watch: args.trace.then_some(watch),
        repeat: repeat.clone(),
    };
    let ran = crate::run::run(plan, signals.first()).await.map_err(Problem::input)?;
    let exit = outputs.finish(ran.lines, ran.end, &redactor)?;
    if exit != Exit::Passed {
        output::note(&format!("repeat it: {}", visible(&redactor.text(&repeat))));
    }
    Ok(exit)
}

fn of_what(setup: &Setup) -> String {
    let evidence = evidence_name(&setup.evidence);
    match &setup.scenario {
        Some(scenario) => format!("scenario {}, with {evidence}", scenario.name),
        None => format!("no scenario, with {evidence}"),
    }
}

/// The command line that does the same again.
fn repeat(args: &Args) -> String {
    let mut words = vec!["faultdeck".to_owned(), "run".to_owned()];
    let mut flag = |name: &str, value: &str| words.extend([name.to_owned(), shell_word(value)]);
    if let Some(scenario) = &args.story.scenario {
        flag("--scenario", scenario);
    }
    if let Some(cassette) = &args.cassette {
        flag("--cassette", cassette);
    }
    flag("--seed", &args.story.seed.to_string());
    if args.timeout != TIMEOUT_S {
        flag("--timeout", &args.timeout.to_string());
    }
    if args.story.no_auth {
        words.push("--no-auth".to_owned());
    }
    words.extend(args.tls.words().iter().map(|word| shell_word(word)));
    words.push("--".to_owned());
    words.extend(args.command.iter().map(|word| shell_word(&word.to_string_lossy())));
    words.join(" ")
}

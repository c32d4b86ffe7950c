//! `faultdeck run`: your own command under a scenario.

use std::env;
use std::ffi::OsString;
use std::io::{self, IsTerminal};
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use super::guard::Programs;
use super::listen::Tls;
use super::output;
use super::problem::Problem;
use super::repeat::Repeat;
use super::report::{Outputs, ReportTo, Shown};
use super::setup::{Story, a_line_each, evidence_name};
use super::signals::Signals;
use super::stdin;
use super::stepping;
use crate::cassette::FILE_MAX_BYTES;
use crate::client::child::{Environment, Group};
use crate::ledger::Exit;
use crate::redact::Redactor;
use crate::replay::Setup;
use crate::report::visible;
use crate::run::{Plan, Under, Variable};
use crate::scenario::{CommandMust, Scenario};

/// How long a command may take if `--timeout` does not say, in seconds.
const TIMEOUT_S: u64 = 3600;

/// Runs a command of yours against a replay, and says whether it did what the scenario asks for.
///
/// The command gets FAULTDECK_URL (scheme, host and port; no path) and FAULTDECK_SEC (a token to send as `SEC`); in
/// its arguments `{base_url}` stands for the same URL. With --tls it also gets FAULTDECK_CA_FILE, SSL_CERT_FILE,
/// REQUESTS_CA_BUNDLE, CURL_CA_BUNDLE and NODE_EXTRA_CA_CERTS. It keeps the terminal, its input and its output.
///
/// Some properties are judged from the wire alone; `faultdeck explain properties` names them.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  faultdeck run --scenario builtin:slow-host -- pytest -q
  faultdeck run --scenario scenarios/mine.toml --report junit=report.xml -- npm test
  faultdeck run --cassette forensics/create-case -- ./poller --url {base_url}

Exit codes: 0 passed; 1 a property or the command failed, crashed, was not found or could not be started; 3 nothing
was tested (nothing served, a planned fault never fired, a request missed or was refused).")]
pub(super) struct Args {
    #[command(flatten)]
    pub(super) story: Story,
    /// What the command must do under the scenario (of this name): `passes` unless the scenario's `[must]` or this says
    /// otherwise. A command that crashes, is not found or cannot be started fails in any case. Can be given several times.
    #[arg(long = "command", value_name = "[SCENARIO=]passes|fails|any")]
    must: Vec<CommandMay>,
    /// The cassette: a name below `cassettes/`, a `.json` file, or `builtin:NAME`. Wins over the scenario's.
    #[arg(long, value_name = "NAME|FILE")]
    cassette: Option<String>,
    /// Writes all that is served to this file, as JSON lines, while the command runs.
    #[arg(long, value_name = "FILE")]
    ledger: Option<PathBuf>,
    /// Writes a report: `junit=FILE`, `json=FILE` or `human=FILE`. Can be given several times.
    #[arg(long, value_name = "FORMAT=FILE")]
    report: Vec<ReportTo>,
    /// Ends the command, as failed, after this many seconds.
    #[arg(long, value_name = "SECONDS", default_value_t = TIMEOUT_S, value_parser = clap::value_parser!(u64).range(1..))]
    timeout: u64,
    /// Gives the command a variable of its own. In the text `{url}`, `{host}`, `{port}`, `{sec}` (a token) and `{ca_file}` (with
    /// --tls) stand for the replay's; `{{` is a brace. Can be given several times.
    #[arg(long = "env", value_name = "NAME=TEXT")]
    variables: Vec<String>,
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
    let mut outputs = Outputs::new(Shown::AsNote, args.ledger.clone(), args.report.clone())?;
    let setup = args.story.setup("run", args.cassette.as_deref())?;
    let redactor = setup.redactor.clone();
    let must = asked(&args.must, setup.scenario.as_deref(), args.story.scenario.as_deref())?;
    output::note(&visible(&format!("running under {}, seed {}", of_what(&setup), setup.seed)));
    let variables = variables(&args)?;
    let repeat = repeat(&args, &variables, &redactor);
    stepping::listen(setup.scenario.as_deref(), &setup.clock, false)?;
    let lines = args.trace.then(a_line_each);
    let watches = outputs.flow(&redactor)?.into_iter().chain(lines).collect();
    let plan = Plan {
        setup,
        tls: args.tls.identity()?,
        under: Under {
            environment: Environment::whole(env::vars_os()),
            limit: Duration::from_secs(args.timeout),
            group: if io::stdin().is_terminal() { Group::Shared } else { Group::Own },
            time_scale: args.story.time_scale,
            variables,
            is_quiet: false,
        },
        command: args.command,
        must,
        watches,
        repeat: repeat.line(),
    };
    let _programs = Programs::begin();
    let ran = crate::run::run(plan, signals.first()).await?;
    let exit = outputs.finish(ran.lines, ran.end, &redactor)?;
    // The first line and the last name the seed: whatever was seen, it is seen again.
    if exit != Exit::Passed || args.story.is_story() {
        output::note(&format!("repeat it: {}", redactor.text(&repeat.line())));
        if let Some(first) = repeat.first() {
            output::note(&format!("  {first}"));
        }
    }
    Ok(exit)
}

/// The variables of `--env`.
fn variables(args: &Args) -> Result<Vec<Variable>, Problem> {
    let variables = args.variables.iter().map(|text| Variable::parse(text)).collect::<Result<Vec<_>, _>>();
    let variables = variables.map_err(|error| Problem::input(format!("--env: {error}")))?;
    if let Some(name) = variables.iter().find_map(Variable::asks_for_a_ca)
        && !args.tls.is_asked_for()
    {
        let problem = format!("--env: `{name}` is to have {{ca_file}}, and plain http has none");
        return Err(Problem::input(problem).help("add `--tls`"));
    }
    Ok(variables)
}

/// `--command [SCENARIO=]passes|fails|any`.
#[derive(Clone, Debug, PartialEq, Eq)]
struct CommandMay {
    scenario: Option<String>,
    word: String,
    must: CommandMust,
}

impl FromStr for CommandMay {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (scenario, word) = text.rsplit_once('=').map_or((None, text), |(name, word)| (Some(name), word));
        let must = CommandMust::parse(word);
        let must = must.ok_or("write it as `passes`, `fails` or `any`, or as `SCENARIO=any`")?;
        Ok(Self { scenario: scenario.map(str::to_owned), word: word.to_owned(), must })
    }
}

/// What the flags say the command must do: one that names the scenario outranks one that names none.
fn asked(
    flags: &[CommandMay],
    scenario: Option<&Scenario>,
    argument: Option<&str>,
) -> Result<Option<CommandMust>, Problem> {
    let (mut own, mut any) = (None, None);
    for flag in flags {
        match flag.scenario.as_deref() {
            None => any = Some(flag.must),
            Some(name) if argument == Some(name) || scenario.is_some_and(|it| it.name == name) => {
                own = Some(flag.must);
            }
            Some(name) => {
                let runs =
                    scenario.map_or("none is".to_owned(), |scenario| format!("`{}` is", scenario.name));
                let problem = format!("--command is about the scenario `{name}`, and {runs} run here");
                return Err(
                    Problem::input(problem).help(format!("leave the name out: `--command {}`", flag.word))
                );
            }
        }
    }
    Ok(own.or(any))
}

fn of_what(setup: &Setup) -> String {
    let evidence = evidence_name(&setup.evidence);
    match &setup.scenario {
        Some(scenario) => format!("scenario {}, with {evidence}", scenario.name),
        None => format!("no scenario, with {evidence}"),
    }
}

/// The command line that does the same again.
fn repeat(args: &Args, variables: &[Variable], redactor: &Redactor) -> Repeat {
    let mut repeat = Repeat::of("run");
    if let Some(scenario) = &args.story.scenario {
        repeat.flag("--scenario", scenario);
    }
    args.story.faults.repeat(&mut repeat);
    if let Some(cassette) = &args.cassette {
        repeat.flag("--cassette", cassette);
    }
    if args.story.max_cassette != FILE_MAX_BYTES {
        repeat.flag("--max-cassette", &args.story.max_cassette.to_string());
    }
    for may in &args.must {
        let name = may.scenario.as_ref().map_or_else(String::new, |name| format!("{name}="));
        repeat.flag("--command", &format!("{name}{}", may.word));
    }
    repeat.flag("--seed", &args.story.seed.to_string());
    if args.story.time_scale != 1 {
        repeat.flag("--time-scale", &args.story.time_scale.to_string());
    }
    if args.timeout != TIMEOUT_S {
        repeat.flag("--timeout", &args.timeout.to_string());
    }
    if args.story.no_auth {
        repeat.word("--no-auth");
    }
    args.tls.words().iter().for_each(|word| repeat.word(word));
    variables.iter().filter(|one| one.is_all_ours()).for_each(|one| repeat.flag("--env", &one.written()));
    let theirs = variables.iter().filter(|one| !one.is_all_ours());
    let flags: Vec<String> = theirs.flat_map(|one| ["--env".to_owned(), one.written()]).collect();
    repeat.command(&flags, &args.command, env::vars_os(), redactor);
    if args.story.scenario.as_deref() == Some(stdin::ARGUMENT) {
        repeat.shell(stdin::AGAIN);
    }
    repeat
}

//! `faultdeck run`: your own command under a scenario.

use std::env;
use std::ffi::OsString;
use std::io::{self, IsTerminal};
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use super::chaos::{self, ChaosArgs};
use super::faults::Faults;
use super::guard::Programs;
use super::isolated::{self, Isolated};
use super::listen::Tls;
use super::matrix::{self, MatrixArgs, Named};
use super::output;
use super::problem::Problem;
use super::repeat::Repeat;
use super::report::{Outputs, ReportTo, Shown};
use super::settings::{self, BY_HAND};
use super::setup::{Story, a_line_each, evidence_name};
use super::signals::Signals;
use super::stdin;
use super::stepping;
use crate::cassette::FILE_MAX_BYTES;
use crate::client::child::{Environment, Group};
use crate::ledger::{EndLine, Exit, Knowns, Line, SeenLine, with_marks};
use crate::redact::Redactor;
use crate::replay::Setup;
use crate::report::{shell_word, visible};
use crate::run::{GRACE, Isolation, Plan, SeenFloor, Under, Until, Variable};
use crate::scenario::{CommandMust, Scenario};
use crate::seed::Seed;
use crate::serve::Proxy;
use crate::serve::tls::Identity;

/// How long a command may take if `--timeout` does not say, in seconds.
const TIMEOUT_S: u64 = 3600;

/// Runs a command of yours against a replay, and says whether it did what the scenario asks for.
///
/// The command gets FAULTDECK_URL (scheme, host and port; no path) and FAULTDECK_SEC (a token to send as `SEC`); in
/// its arguments `{base_url}` stands for the same URL. With --tls, --proxy or --isolate it also gets FAULTDECK_CA_FILE, and in
/// SSL_CERT_FILE, REQUESTS_CA_BUNDLE, CURL_CA_BUNDLE and NODE_EXTRA_CA_CERTS that authority beside those trusted before. It
/// keeps the terminal, its input and its output.
///
/// Some properties are judged from the wire alone; `faultdeck explain properties` names them.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  faultdeck run --scenario builtin:slow-host -- pytest -q
  faultdeck run --scenario scenarios/mine.toml --report junit=report.xml -- npm test
  faultdeck run --cassette forensics/create-case -- ./poller --url {base_url}
  faultdeck run --scenario slow-host --until task-done+2polls --until for=1m -- ./daemon
  faultdeck run --scenario task/ --scenario ariel/ --seeds 50 --jobs 2 --budget 10m -- ./poller
  faultdeck run --scenario slow-host --proxy -- ./poller          # which asks for https://console.example
  faultdeck run --scenario slow-host --isolate --as console.example -- ./poller
  faultdeck run --cassette forensics/create-case --chaos --seeds 50 --jobs 2 -- ./poller --url {base_url}

Exit codes: 0 passed; 1 a property or the command failed, crashed, was not found or could not be started; 3 nothing
was tested (nothing served, a planned fault never fired, a request missed or was refused).")]
pub(super) struct Args {
    /// What goes wrong: a name below `scenarios/`, a `.toml` file, `builtin:NAME`, or `-` for standard input; all of a
    /// folder, if it ends in `/`. Can be given several times: then the command is run under each.
    #[arg(long, value_name = "NAME|FILE|FOLDER/")]
    pub(super) scenario: Vec<String>,
    #[command(flatten)]
    pub(super) matrix: MatrixArgs,
    #[command(flatten)]
    pub(super) story: Story,
    /// What the command must do under the scenario (of this name): `passes` unless the scenario's `[must]` or this says
    /// otherwise. A command that crashes, is not found or cannot be started fails in any case. Can be given several times.
    #[arg(long = "command", value_name = "[SCENARIO=]passes|fails|any")]
    pub(super) must: Vec<CommandMay>,
    /// The cassette: a name below `cassettes/`, a `.json` file, or `builtin:NAME`. Wins over the scenario's.
    #[arg(long, value_name = "NAME|FILE")]
    pub(super) cassette: Option<String>,
    /// Writes all that is served to this file, as JSON lines, while the command runs.
    #[arg(long, value_name = "FILE")]
    pub(super) ledger: Option<PathBuf>,
    /// Writes a report, as `junit=FILE` says; `faultdeck report --help` lists the formats. Can be given several times.
    #[arg(long, value_name = "FORMAT=FILE")]
    pub(super) report: Vec<ReportTo>,
    /// Ends the command, as failed, after this many seconds: 3600 unless given; with --chaos 60, or ten times as long as the quiet
    /// run took.
    #[arg(long, value_name = "SECONDS", value_parser = clap::value_parser!(u64).range(1..))]
    pub(super) timeout: Option<u64>,
    /// Gives the command a variable of its own. In the text `{url}`, `{host}`, `{port}`, `{sec}` (a token) and `{ca_file}` (with
    /// --tls, --proxy or --isolate) stand for the replay's; `{{` is a brace. Can be given several times.
    #[arg(long = "env", value_name = "NAME=TEXT", group = BY_HAND)]
    variables: Vec<String>,
    /// Asks a command that never ends by itself to end (SIGTERM): `task-done` when it was shown that its task is over,
    /// `task-done+2polls` two polls later, `idle=10s` when it has asked for nothing for so long, `for=5m` so long after its
    /// start. Several: whichever comes first. A command that ends then has passed.
    #[arg(long, value_name = "CONDITION")]
    until: Vec<Until>,
    /// How many seconds it has to end then, before it is killed, which fails it.
    #[arg(long, value_name = "SECONDS", default_value_t = GRACE.as_secs(), value_parser = clap::value_parser!(u64).range(1..=3600))]
    grace: u64,
    /// What the command (all its runs together) must be seen to do, or the exit code is 3: shares of the recordings' endpoints and
    /// interactions, of the states of tasks, of the planned faults, and how deep a selector. In the report stands what was seen.
    #[arg(
        long,
        value_name = "endpoints=all,interactions=90%,states=all,faults=all,depth=2",
        conflicts_with = "shard"
    )]
    pub(super) require_coverage: Option<SeenFloor>,
    /// A word of what the command stands for in reports, and in the line that repeats the run: `pytest`, `test_a.py::test_b`.
    /// For test tools that start a run for each test; docs/integrations.md tells how. Can be given several times.
    #[arg(long, value_name = "WORD", allow_hyphen_values = true, hide_short_help = true)]
    stands_for: Vec<String>,
    /// Prints one line for each request, on standard error.
    #[arg(long)]
    pub(super) trace: bool,
    /// Is a forward proxy, too, and tells the command so (HTTP_PROXY, HTTPS_PROXY, and whom to trust): whatever host it
    /// asks for, over http or https, the replay answers. No host is contacted.
    #[arg(long, conflicts_with = "tls")]
    proxy: bool,
    #[command(flatten)]
    pub(super) isolated: Isolated,
    #[command(flatten)]
    pub(super) chaos: ChaosArgs,
    #[command(flatten)]
    pub(super) tls: Tls,
    /// The command and its arguments, after `--`.
    #[arg(last = true, required = true, value_name = "COMMAND")]
    command: Vec<OsString>,
}

pub(super) async fn run(args: Args) -> Result<Exit, Problem> {
    if args.chaos.is_asked_for() {
        return chaos::run(args).await;
    }
    let mut scenarios = matrix::scenarios(&args.scenario)?;
    if args.matrix.is_asked_for(scenarios.len()) {
        if !args.stands_for.is_empty() {
            let problem = "`--stands-for` is about one run, and these are several";
            return Err(Problem::input(problem).help("give one scenario and one seed"));
        }
        return matrix::run(args, scenarios).await;
    }
    let mut signals = Signals::listen()?;
    let mut outputs = Outputs::new(Shown::AsNote, args.ledger.clone(), args.report.clone())?;
    let (scenario, argument) = match scenarios.pop() {
        Some(Named { scenario, argument, .. }) => (Some(scenario), Some(argument)),
        None => (None, None),
    };
    let known = settings::knowns(&scenario)?;
    let setup = args.story.setup("run", scenario, args.cassette.as_deref())?;
    let redactor = setup.redactor.clone();
    let must = asked(&args.must, setup.scenario.as_deref(), argument.as_deref())?;
    output::note(&visible(&format!("running under {}, seed {}", of_what(&setup), setup.seed)));
    let variables = variables(&args)?;
    let faults = &args.story.faults;
    let repeat = repeat(&args, &args.must, argument.as_deref(), faults, setup.seed, &variables, &redactor);
    stepping::listen(setup.scenario.as_deref(), &setup.clock, false)?;
    let lines = args.trace.then(a_line_each);
    let watches = outputs.flow(&redactor)?.into_iter().chain(lines).collect();
    let is_shared = io::stdin().is_terminal();
    let plan = plan(&args, variables, setup, door(&args)?, must, repeat.line());
    let group = if is_shared { Group::Shared } else { Group::Own };
    let plan = Plan { under: Under { group, is_quiet: false, ..plan.under }, watches, known, ..plan };
    let _programs = Programs::begin();
    let mut ran = crate::run::run(plan, signals.first()).await?;
    let end = with_marks(seen_enough(&args, &ran.seen, ran.end), &ran.marks);
    ran.lines.push(Line::Seen(Box::new(ran.seen)));
    let exit = outputs.finish(ran.lines, end, &redactor)?;
    // The first line and the last name the seed: whatever was seen, it is seen again.
    if exit != Exit::Passed || argument.is_some() || !args.story.faults.is_empty() {
        output::note(&format!("repeat it: {}", redactor.text(&repeat.line())));
        if let Some(first) = repeat.first() {
            output::note(&format!("  {first}"));
        }
    }
    Ok(exit)
}

/// The account with what falls short of `--require-coverage`. Where there is no recording, a share of one cannot be told; what was
/// run stands in the ledger and the reports all the same.
pub(super) fn seen_enough(args: &Args, seen: &SeenLine, mut end: EndLine) -> EndLine {
    let Some(floor) = args.require_coverage else { return end };
    // Where nothing was asked, that is what is told.
    if end.sum.served == 0 {
        return end;
    }
    if floor.needs_a_recording() && seen.recordings.is_empty() {
        let why = "coverage: endpoints and interactions are those of a recording, and there is none here";
        end = end.also(Exit::Inconclusive, why);
    }
    for short in floor.short(seen) {
        end = end.also(Exit::Inconclusive, short);
    }
    end
}

/// The variables of `--env`.
///
/// # Errors
/// If one is not written as it must be, or asks for what there is not.
pub(super) fn variables(args: &Args) -> Result<Vec<Variable>, Problem> {
    let variables = args.variables.iter().map(|text| Variable::parse(text)).collect::<Result<Vec<_>, _>>();
    let variables = variables.map_err(|error| Problem::input(format!("--env: {error}")))?;
    if let Some(name) = variables.iter().find_map(Variable::asks_for_a_ca)
        && !args.tls.is_asked_for()
        && !args.proxy
        && !args.isolated.is_asked_for()
    {
        let problem = format!("--env: `{name}` is to have {{ca_file}}, and plain http has none");
        return Err(Problem::input(problem).help("add `--tls`, `--proxy` or `--isolate`"));
    }
    Ok(variables)
}

/// By which way a command comes to its replay.
#[derive(Clone, Debug)]
pub(super) struct Door {
    tls: Option<Identity>,
    proxy: Option<Proxy>,
    isolation: Option<Isolation>,
}

impl Door {
    /// Whether there can be a TLS handshake.
    pub(super) fn has_handshakes(&self) -> bool {
        self.tls.is_some() || self.proxy.is_some()
    }
}

/// What `--tls`, `--proxy` and `--isolate` say.
///
/// # Errors
/// If no certificate can be made or read, or this system has not what it takes.
pub(super) fn door(args: &Args) -> Result<Door, Problem> {
    let proxy = args.proxy.then(Proxy::for_now).transpose().map_err(Problem::input)?;
    let isolation = args.isolated.isolation()?;
    let tls = match &isolation {
        Some(isolation) => Some(isolated::identity(isolation)?),
        None => args.tls.identity()?,
    };
    Ok(Door { tls, proxy, isolation })
}

/// A run of the command, whose output is kept.
pub(super) fn plan(
    args: &Args,
    variables: Vec<Variable>,
    setup: Setup,
    door: Door,
    must: Option<CommandMust>,
    repeat: String,
) -> Plan {
    let under = Under {
        environment: Environment::whole(env::vars_os()),
        limit: Duration::from_secs(args.timeout.unwrap_or(TIMEOUT_S)),
        group: Group::Own,
        time_scale: args.story.time_scale,
        variables,
        until: args.until.clone(),
        grace: Duration::from_secs(args.grace),
        is_quiet: true,
    };
    let Door { tls, proxy, isolation } = door;
    Plan {
        setup,
        tls,
        proxy,
        isolation,
        is_drawn: false,
        under,
        command: args.command.clone(),
        stands_for: args.stands_for.clone(),
        must,
        watches: Vec::new(),
        known: Knowns::default(),
        repeat,
    }
}

/// The words of the command.
pub(super) fn words(args: &Args) -> Vec<String> {
    args.command.iter().map(|word| word.to_string_lossy().into_owned()).collect()
}

/// The command, for a person.
pub(super) fn shown(args: &Args, redactor: &Redactor) -> String {
    let words: Vec<String> = redactor.arguments(&words(args)).iter().map(|word| shell_word(word)).collect();
    visible(&redactor.text(&words.join(" "))).into_owned()
}

/// `--command [SCENARIO=]passes|fails|any`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct CommandMay {
    scenario: Option<String>,
    word: String,
    must: CommandMust,
}

impl CommandMay {
    /// Whatever it does: a crash apart.
    pub(super) fn any() -> Self {
        Self { scenario: None, word: "any".to_owned(), must: CommandMust::Any }
    }
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
///
/// # Errors
/// If one names a scenario that is not run.
pub(super) fn asked(
    flags: &[CommandMay],
    scenario: Option<&Scenario>,
    argument: Option<&str>,
) -> Result<Option<CommandMust>, Problem> {
    let (mut own, mut any) = (None, None);
    for flag in flags {
        match flag.scenario.as_deref() {
            None => any = Some(flag.must),
            Some(name) if is_about(name, scenario.map(|it| it.name.as_str()), argument) => {
                own = Some(flag.must)
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

/// Whether a name that a flag gives is that of a scenario: as it was asked for, whole, or the last part of it.
fn is_about(name: &str, scenario: Option<&str>, argument: Option<&str>) -> bool {
    let last = |it: &str| it.rsplit('/').next().is_some_and(|last| last == name);
    argument == Some(name) || scenario.is_some_and(|it| it == name || last(it))
}

/// The flags for one scenario of several: those that are about another of them (its name, and how it was asked for) are left
/// out.
pub(super) fn of_one(
    flags: &[CommandMay],
    one: (Option<&str>, Option<&str>),
    all: &[(String, String)],
) -> Vec<CommandMay> {
    let is_anothers = |name: &str| {
        !is_about(name, one.0, one.1)
            && all.iter().any(|(it, argument)| is_about(name, Some(it), Some(argument)))
    };
    flags.iter().filter(|flag| !flag.scenario.as_deref().is_some_and(is_anothers)).cloned().collect()
}

fn of_what(setup: &Setup) -> String {
    let evidence = evidence_name(&setup.evidence);
    match &setup.scenario {
        Some(scenario) => format!("scenario {}, with {evidence}", scenario.name),
        None => format!("no scenario, with {evidence}"),
    }
}

/// The command line that does a run again: under this scenario, these faults and this seed.
pub(super) fn repeat(
    args: &Args,
    flags: &[CommandMay],
    scenario: Option<&str>,
    faults: &Faults,
    seed: Seed,
    variables: &[Variable],
    redactor: &Redactor,
) -> Repeat {
    if !args.stands_for.is_empty() {
        return Repeat::of_words(&redactor.arguments(&args.stands_for));
    }
    let mut repeat = Repeat::of("run");
    if let Some(scenario) = scenario {
        repeat.flag("--scenario", scenario);
    }
    faults.repeat(&mut repeat);
    if let Some(cassette) = &args.cassette {
        repeat.flag("--cassette", cassette);
    }
    // What settings say would count again where nothing is said.
    let is_told = settings::speaks_of;
    if args.story.max_cassette != FILE_MAX_BYTES || is_told("max_cassette") {
        repeat.flag("--max-cassette", &args.story.max_cassette.to_string());
    }
    for may in flags {
        let name = may.scenario.as_ref().map_or_else(String::new, |name| format!("{name}="));
        repeat.flag("--command", &format!("{name}{}", may.word));
    }
    repeat.flag("--seed", &seed.to_string());
    if args.story.time_scale != 1 || is_told("time_scale") {
        repeat.flag("--time-scale", &args.story.time_scale.to_string());
    }
    if let Some(timeout) = args.timeout.filter(|timeout| *timeout != TIMEOUT_S || is_told("timeout")) {
        repeat.flag("--timeout", &timeout.to_string());
    }
    let is_of_many = args.matrix.is_asked_for(args.scenario.len()) || args.chaos.is_asked_for();
    if let Some(text) = args.require_coverage.filter(|_| !is_of_many) {
        repeat.flag("--require-coverage", &text.to_string());
    }
    args.until.iter().for_each(|until| repeat.flag("--until", &until.to_string()));
    if args.grace != GRACE.as_secs() || is_told("grace") {
        repeat.flag("--grace", &args.grace.to_string());
    }
    if args.story.no_auth {
        repeat.word("--no-auth");
    }
    if args.proxy {
        repeat.word("--proxy");
    }
    args.isolated.words().iter().for_each(|word| repeat.word(word));
    args.tls.words().iter().for_each(|word| repeat.word(word));
    variables.iter().filter(|one| one.is_all_ours()).for_each(|one| repeat.flag("--env", &one.written()));
    let theirs = variables.iter().filter(|one| !one.is_all_ours());
    let flags: Vec<String> = theirs.flat_map(|one| ["--env".to_owned(), one.written()]).collect();
    repeat.command(&flags, &args.command, env::vars_os(), redactor);
    if scenario == Some(stdin::ARGUMENT) {
        repeat.shell(stdin::AGAIN);
    }
    repeat
}

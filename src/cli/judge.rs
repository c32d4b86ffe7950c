//! `faultdeck judge`: a client against every property.

use std::env;
use std::ffi::OsString;
use std::path::PathBuf;
use std::sync::Arc;

use super::check_adapter;
use super::faults::Faults;
use super::guard::Programs;
use super::judge_console::Against;
use super::listen::Tls;
use super::observe;
use super::problem::Problem;
use super::profiles;
use super::progress;
use super::report::{Outputs, ReportTo, Shown, opened};
use super::settings;
use super::setup;
use super::signals::Signals;
use super::stdin;
use crate::cassette::FILE_MAX_BYTES;
use crate::client::child::Environment;
use crate::client::{self, Client, ClientError, Program};
use crate::judge::{Again, CoverageFloor, EvidenceOf, JudgeError, Plan, Repeat, judge};
use crate::ledger::{self, EndLine, Exit, Reasons, RunLine};
use crate::record;
use crate::replay::Auth;
use crate::report::shell_word;
use crate::scenario::{Scenario, Source};
use crate::seed::Seed;

/// Puts a client to generated requests and to scenarios, and says which properties it keeps.
///
/// With --observe no client file is needed: a command is run as it is, once where nothing goes wrong and once under each
/// of a few stories, and judged by its requests alone. It finds the address in FAULTDECK_URL (or where its arguments say
/// `{base_url}`) and a token in FAULTDECK_SEC. How it ends is its own affair, unless it crashes; what only its report
/// shows is named as not judged.
///
/// A client file says how to start the program and how to read what it reports. Without --scenario there are generated
/// `get` cases first, then every built-in scenario. What breaks a property is shrunk, saved as a scenario file that
/// runs first next time, and told with the command that repeats it.
///
/// With --tls the base URL is https. The program finds the certificate authority in FAULTDECK_CA_FILE, SSL_CERT_FILE,
/// REQUESTS_CA_BUNDLE, CURL_CA_BUNDLE and NODE_EXTRA_CA_CERTS, and `{ca_file}` stands for it in a client file.
///
/// With --upstream a console is judged in place of a client: against the rules of `fields`, `filter`, `sort`, `Range` and
/// the documented errors, by reading alone. A rule that the published pages state and the console breaks is a violation; any
/// other departure is an observation, which --profile-out keeps.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  faultdeck judge --observe -- ./poller --url {base_url}   # any command, no client file
  faultdeck judge builtin:careless --cases 50        # see one fail
  faultdeck judge clients/mine.toml --check-adapter  # is the client file right?
  faultdeck judge clients/mine.toml
  faultdeck judge clients/mine.toml --scenario lost-answer --report junit=report.xml
  faultdeck judge clients/mine.toml --tls --scenario tls/    # every scenario of a folder
  FAULTDECK_CONSOLE_SEC=... faultdeck judge --upstream https://console.example    # a console, read-only

Exit codes: 0 every property that must hold was put to the test and holds (with --observe: no request breaks one), 1 one
is violated, 2 what the client writes cannot be read although nothing goes wrong (what starts or reads it is wrong, not
the client), 3 one was not reached, or the client could not be started, or the command never called.")]
pub(super) struct Args {
    /// The client: a `.toml` file, a name below `clients/`, or `builtin:careful`, `builtin:careless`.
    #[arg(required_unless_present_any = ["observe", "upstream"])]
    client: Option<String>,
    /// Judges the command after `--` by its requests alone: no client file is needed.
    #[arg(long, requires = "command", conflicts_with_all = ["client", "check_adapter", "cases", "no_faults", "found", "jobs"])]
    observe: bool,
    /// Tries the client file with three known answers a job, and shows how the client is asked and what is read of it.
    /// Exit code 0 if all are read as they have to be, 2 if not.
    #[arg(long, conflicts_with_all = ["scenario", "lines", "cassette", "cases", "no_faults", "found", "jobs", "ledger", "report"])]
    check_adapter: bool,
    /// Only this scenario: a name below `scenarios/`, a `.toml` file, `builtin:NAME`, or `-` for
    /// standard input; every one of a folder with a slash: `task/`, `builtin:task/`. Can be given several times.
    #[arg(long, value_name = "NAME|FILE|FOLDER/")]
    pub(super) scenario: Vec<String>,
    #[command(flatten)]
    pub(super) faults: Faults,
    #[command(flatten)]
    pub(super) tls: Tls,
    /// The cassette for every scenario, in place of the one each names.
    #[arg(long, value_name = "NAME|FILE")]
    pub(super) cassette: Option<String>,
    /// How many generated cases; 100 if no scenario is named, else none.
    #[arg(long, value_name = "N")]
    cases: Option<u32>,
    /// Nothing goes wrong in the generated cases: many more of them in the same time.
    #[arg(long)]
    no_faults: bool,
    /// Fixes every random draw: the same seed gives the same cases.
    #[arg(long, value_name = "NUMBER", default_value = "1")]
    pub(super) seed: Seed,
    /// How many cases run at a time.
    #[arg(long, value_name = "N", default_value = "2", value_parser = clap::value_parser!(u16).range(1..=64))]
    jobs: u16,
    /// Where counter-examples are saved, and looked for.
    #[arg(long, value_name = "DIR", default_value = "scenarios/found")]
    found: PathBuf,
    /// What has to be put to the test, else the exit code is 3: `laws=100%` of those that can judge this client, `states=all`
    /// of the tasks it waits for, `faults=40%` of the kinds that its answers may meet, `depth=2` levels of a selector; with
    /// commas between several.
    #[arg(long, value_name = "SPEC")]
    require_coverage: Option<CoverageFloor>,
    /// Writes the sessions that show the verdicts to this file, as JSON lines.
    #[arg(long, value_name = "FILE")]
    pub(super) ledger: Option<PathBuf>,
    /// Writes a report, as `junit=FILE` says; `faultdeck report --help` lists the formats. Can be given several times.
    #[arg(long, value_name = "FORMAT=FILE")]
    pub(super) report: Vec<ReportTo>,
    /// With --observe: ends the command after this many seconds, under each story.
    #[arg(long, value_name = "SECONDS", default_value_t = observe::TIMEOUT_S,
        value_parser = clap::value_parser!(u64).range(1..))]
    pub(super) timeout: u64,
    /// With --observe: the command and its arguments, after `--`.
    #[arg(last = true, value_name = "COMMAND")]
    pub(super) command: Vec<OsString>,
    #[command(flatten)]
    against: Against,
}

/// What a client is judged on under the faults of the command line alone, unless it says otherwise.
pub(super) const CASSETTE: &str = "forensics/create-case";

pub(super) async fn run(args: Args) -> Result<Exit, Problem> {
    if !args.observe && (!args.command.is_empty() || args.timeout != observe::TIMEOUT_S) {
        let problem = "a command after `--`, and its `--timeout`, belong to `--observe`";
        return Err(
            Problem::input(problem).help("a client file names its program by itself, and how long it has")
        );
    }
    args.against.check()?;
    if args.against.is_given() {
        let outputs = Outputs::new(Shown::AsData, args.ledger.clone(), args.report.clone())?;
        return args.against.run(args.cases, args.seed, outputs).await;
    }
    // Without one it is a command that is observed: the arguments say so.
    let Some(name) = args.client.clone() else { return observe::run(args).await };
    let client = open(&name)?;
    if args.check_adapter {
        let _programs = Programs::begin();
        return check_adapter::check(&client, &args.tls).await;
    }
    judged(&args, &name, &client).await
}

/// Puts a client to all that the arguments say.
async fn judged(args: &Args, name: &str, client: &Program) -> Result<Exit, Problem> {
    let mut signals = Signals::listen()?;
    let outputs = Outputs::new(Shown::AsData, args.ledger.clone(), args.report.clone())?;
    let plan = plan(args, name)?;
    let known = settings::knowns(plan.scenarios.iter().map(|scenario| &**scenario))?;
    let _programs = Programs::begin();
    let opening = RunLine {
        format: ledger::FORMAT,
        faultdeck: env!("CARGO_PKG_VERSION").to_owned(),
        verb: "judge".to_owned(),
        client: Some(client.name().to_owned()),
        seed: args.seed.0,
        ..RunLine::default()
    };
    let tell = progress::teller(client.name());
    let judged = tokio::select! {
        biased;
        _ = signals.first() => {
            let mut reasons = Reasons::default();
            reasons.push(Exit::Inconclusive, "interrupted before every case was run");
            let end = EndLine::default().closed(reasons);
            return outputs.finish(opened(Vec::new(), opening), end, &plan.redactor);
        }
        judged = judge(&plan, client, &tell) => judged,
    };
    let judged = match judged {
        Ok(judged) => judged,
        Err(error) => {
            // Whoever reads the files alone must not take an empty one for a pass.
            let mut reasons = Reasons::default();
            reasons.push(Exit::BadInput, error.to_string());
            let end = EndLine::default().closed(reasons);
            outputs.finish(opened(Vec::new(), opening), end, &plan.redactor)?;
            return Err(error.into());
        }
    };
    let mut lines = judged.lines;
    let end = known.settle_judgement(&mut lines, judged.account, args.seed.0);
    let end = EndLine { dials: record::dials(), ..end };
    outputs.finish(opened(lines, opening), end, &plan.redactor)
}

fn plan(args: &Args, client: &str) -> Result<Plan, Problem> {
    let (cassette, seed) = (args.cassette.clone(), args.seed);
    let evidence: Arc<EvidenceOf> = Arc::new(move |scenario: &Scenario| {
        setup::evidence(cassette.as_deref(), Some(scenario), seed, Auth::Required, FILE_MAX_BYTES)
            .map_err(|problem| problem.message())
    });
    let mut plan = Plan::new(evidence);
    if let Some(identity) = args.tls.identity()? {
        plan = plan.over_tls(identity);
    } else {
        plan = plan.over_http();
    }
    plan.repeat = Some(repeat(client, &args.faults, &args.tls.words()));
    let named = scenarios(args)?;
    if !named.is_empty() {
        plan.scenarios = named;
        plan.left_out = Vec::new();
        plan.cases = 0;
    }
    plan.cases = args.cases.unwrap_or(plan.cases);
    plan.faults = !args.no_faults;
    plan.seed = args.seed;
    plan.jobs = usize::from(args.jobs);
    plan.found = Some(args.found.clone());
    plan.coverage = args.require_coverage.unwrap_or_default();
    Ok(plan)
}

/// The scenarios that the command line names, with the faults that stand there; these alone hold whatever they put to the test.
pub(super) fn scenarios(args: &Args) -> Result<Vec<Arc<Scenario>>, Problem> {
    let mut scenarios: Vec<Scenario> = Vec::new();
    for argument in &args.scenario {
        for scenario in setup::open_all(argument)? {
            // One that is named twice, by itself and by its folder, is the same.
            let is_new = |other: &Scenario| other.name != scenario.name || other.file != scenario.file;
            if scenarios.iter().all(is_new) {
                scenarios.extend(args.faults.put_into(Some(scenario))?);
            }
        }
    }
    if scenarios.is_empty()
        && let Some(mut alone) = args.faults.put_into(None)?
    {
        alone.source = Source::Cassette(Some(CASSETTE.to_owned()));
        scenarios.push(alone);
    }
    Ok(scenarios.into_iter().map(Arc::new).collect())
}

/// The command that shows a verdict on the client called `client` again.
pub(super) fn repeat(client: &str, faults: &Faults, tls: &[String]) -> Arc<Repeat> {
    let profiles: String =
        profiles::named().iter().map(|file| format!(" --profile {}", shell_word(file))).collect();
    let settings =
        settings::named().map_or(String::new(), |file| format!(" --settings {}", shell_word(file)));
    let tls: String = tls.iter().map(|word| format!(" {}", shell_word(word))).collect();
    let judge = format!("faultdeck judge {}{profiles}{settings}{tls}", shell_word(client));
    let faults = faults.words();
    Arc::new(move |again| match again {
        Again::Found(file) => format!("{judge} --scenario {}", shell_word(&file.display().to_string())),
        Again::Scenario(scenario, seed) => {
            let file = scenario.file.as_ref().map(|file| file.display().to_string());
            let name = file.unwrap_or_else(|| format!("builtin:{}", scenario.name));
            if scenario.is_of_input() {
                let (input, again) = (stdin::ARGUMENT, stdin::AGAIN);
                return format!("{judge} --scenario {input}{faults} --seed {seed} {again}");
            }
            let named = match scenario.is_of_faults() {
                true => String::new(),
                false => format!(" --scenario {}", shell_word(&name)),
            };
            format!("{judge}{named}{faults} --seed {seed}")
        }
        Again::Generated { cases, seed, faults } => {
            let clean = if *faults { "" } else { " --no-faults" };
            format!("{judge} --cases {cases}{clean} --seed {seed}")
        }
    })
}

/// Opens a client for programs started from here.
///
/// # Errors
/// If there is no such client, or its file is wrong.
pub(super) fn open(argument: &str) -> Result<Program, Problem> {
    let cannot = |error| Problem::input(format!("cannot tell where this program or its folder is: {error}"));
    let settings = client::Settings {
        faultdeck: env::current_exe().map_err(cannot)?,
        environment: Environment::clean(env::vars_os()),
        folder: env::current_dir().map_err(cannot)?,
    };
    Ok(client::open(argument, settings)?)
}

impl From<ClientError> for Problem {
    fn from(error: ClientError) -> Self {
        let problem = Self::input(&error);
        match error {
            ClientError::Invalid(mistakes) => Self::mistakes(mistakes),
            ClientError::NoSuch { known, .. } => problem.help(format!("there is {}", known.join(", "))),
            ClientError::Io { .. } => problem,
        }
    }
}

impl From<JudgeError> for Problem {
    fn from(error: JudgeError) -> Self {
        match error {
            JudgeError::Name(mistakes) => Self::mistakes(mistakes),
            JudgeError::Scenario(error) => error.into(),
            JudgeError::Handshakes { .. } => Self::input(&error)
                .help("add `--tls`: the client is then given an https URL, and the CA in {ca_file} and SSL_CERT_FILE"),
            JudgeError::Unreadable { ref expected, ref came, .. } => {
                Self::input(&error).help(format!("it has to write, {expected}")).help(if came.is_empty() {
                    "it wrote nothing".to_owned()
                } else {
                    format!("it wrote: {came}")
                })
            }
            other => Self::input(other),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::profile::Profile;

    #[test]
    fn a_scenario_from_standard_input_has_to_be_given_again() {
        let scenario = Scenario::of_input("summary = \"x\"\n", Profile::builtin()).unwrap();
        let line = repeat("mine", &Faults::default(), &[])(&Again::Scenario(&scenario, Seed(7)));
        assert_eq!(line, "faultdeck judge mine --scenario - --seed 7 < THE-SAME-SCENARIO.toml");
    }
}

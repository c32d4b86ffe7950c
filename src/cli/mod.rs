//! The command line: a skin over the library. One file per verb, arguments and `run`; this file is the list of verbs.
//!
//! Only here are errors rendered, colour chosen and the process's own streams written. Standard output carries what a
//! verb is run for: the report of `judge`, `demo` and `report`, what `lint` finds, what `explain` tells, a server's URL
//! and nothing beside it. Progress and errors go to standard error; so does the report of `run`, because standard output
//! is its command's, and that of a server that has ended.

mod alike;
mod ca;
mod chaos;
mod check_adapter;
mod ci;
mod client;
mod completions;
mod console;
mod day;
mod demo;
mod doctor;
mod emulate;
mod event_lines;
mod explain;
mod faults;
mod flowing;
mod guard;
mod help;
mod hidden;
mod home;
mod init;
mod isolated;
mod judge;
mod judge_console;
mod lesson;
mod lint;
mod listen;
mod man;
mod matrix;
mod observe;
mod offered;
mod output;
mod outputs;
mod private;
mod problem;
mod profile;
mod profiles;
mod progress;
mod queue;
mod record;
mod redacting;
mod repeat;
mod replay;
mod report;
mod rewriting;
mod room;
mod run;
mod seeds;
mod settings;
mod setup;
mod shard;
mod signals;
mod smallest;
mod stdin;
mod stepping;
mod story;
mod terminal;

use std::ffi::OsString;
use std::io;
use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, Ordering};

use clap::{ArgGroup, CommandFactory, FromArgMatches, Parser, Subcommand};

use crate::ledger::Exit;
use problem::Problem;

/// Stands in for a QRadar console: records real answers once, replays them offline with exactly the trouble you ask
/// for, and tells you whether your client coped.
#[derive(Debug, Parser)]
#[command(name = "faultdeck", version, max_term_width = 100)]
struct Cli {
    #[command(subcommand)]
    verb: Verb,
    #[command(flatten)]
    profiles: profiles::Profiles,
    #[command(flatten)]
    settings: settings::Asked,
}

#[derive(Debug, Subcommand)]
enum Verb {
    Demo(demo::Args),
    Init(init::Args),
    Record(record::Args),
    Replay(replay::Args),
    Run(run::Args),
    Judge(judge::Args),
    Emulate(emulate::Args),
    Report(report::Args),
    Explain(explain::Args),
    Lint(lint::Args),
    Profile(profile::Args),
    Ca(ca::Args),
    Doctor(doctor::Args),
    Completions(completions::Args),
    Man(man::Args),
    #[command(hide = true)]
    Guard(guard::Args),
}

/// The headings of `--help`, each with its verbs. A verb that stands under none is hidden.
const GROUPS: &[(&str, &[&str])] = &[
    ("Start here", &["demo", "init"]),
    ("Every day", &["record", "replay", "run", "judge", "report"]),
    ("Cassettes", &["lint"]),
    ("Other", &["emulate", "explain", "profile", "ca", "doctor", "completions", "man"]),
];

/// Set by the panic hook: whatever came after, the exit code is 70.
static DEFECT: AtomicBool = AtomicBool::new(false);

/// Makes a panic anywhere say what it is (a defect of faultdeck) and where, without the message, which may carry
/// recorded data; the process then ends with 70.
pub fn guard_against_defects() {
    std::panic::set_hook(Box::new(|panic| {
        DEFECT.store(true, Ordering::SeqCst);
        let place = panic
            .location()
            .map_or_else(String::new, |place| format!(" ({}:{})", place.file(), place.line()));
        output::note(&format!("error: this is a defect of faultdeck{place}; please report it"));
    }));
}

/// What the process ends with after a panic that reached the top.
pub fn defect() -> ExitCode {
    ExitCode::from(Exit::Defect.code())
}

/// Says that the runtime cannot be started.
pub fn cannot_start(error: &io::Error) -> ExitCode {
    output::note(&format!("error: cannot start: {error}"));
    ExitCode::from(Exit::Defect.code())
}

/// Runs a bundled client, if the command line starts one: `judge` does so hundreds of times, and it needs no runtime. Nor
/// does what stands between a command and the network of its own.
pub fn client(arguments: &[OsString]) -> Option<ExitCode> {
    let (verb, rest) = arguments.get(1..)?.split_first()?;
    match verb.to_str()? {
        "client" => Some(ExitCode::from(client::run(rest))),
        "room" => Some(room::run(rest)),
        _ => None,
    }
}

/// Runs one command line and returns what the process ends with.
pub async fn main(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let arguments: Vec<OsString> = arguments.into_iter().collect();
    output::hide(&arguments, std::env::vars_os());
    signals::outlive_quotas();
    let exit = match settings::put_into(built, arguments) {
        Ok(arguments) => of(arguments).await,
        Err(problem) => {
            problem.show();
            problem.exit()
        }
    };
    output::finish();
    let exit = if DEFECT.load(Ordering::SeqCst) { Exit::Defect } else { exit };
    ExitCode::from(exit.code())
}

/// What the arguments come to.
async fn of(arguments: Vec<OsString>) -> Exit {
    let parsed =
        command().try_get_matches_from(arguments).and_then(|matches| Cli::from_arg_matches(&matches));
    match parsed {
        Ok(cli) => {
            signals::leave_no_core_file();
            start(cli).await.unwrap_or_else(|problem| {
                problem.show();
                problem.exit()
            })
        }
        // Help and version are asked for and go to standard output; a wrong argument goes to standard error.
        Err(asked) => {
            let text = asked.render().ansi().to_string();
            if asked.use_stderr() {
                output::note(text.trim_end());
                if let Some(origin) = settings::origin() {
                    output::note(&origin);
                }
                Exit::BadInput
            } else {
                let _ = output::data(&text);
                Exit::Passed
            }
        }
    }
}

async fn start(cli: Cli) -> Result<Exit, Problem> {
    if !matches!(cli.verb, Verb::Guard(_) | Verb::Completions(_) | Verb::Man(_) | Verb::Init(_)) {
        cli.profiles.install()?;
    }
    stdin::read(&scenarios(&cli.verb))?;
    match cli.verb {
        Verb::Demo(args) => demo::run(args).await,
        Verb::Init(args) => init::run(&args),
        Verb::Record(args) => record::run(args).await,
        Verb::Replay(args) => replay::run(args).await,
        Verb::Run(args) => run::run(args).await,
        Verb::Judge(args) => judge::run(args).await,
        Verb::Emulate(args) => emulate::run(args).await,
        Verb::Report(args) => report::run(args),
        Verb::Explain(args) => explain::run(args),
        Verb::Lint(args) => lint::run(args),
        Verb::Profile(args) => profile::run(args).await,
        Verb::Ca(args) => ca::run(&args),
        Verb::Doctor(args) => doctor::run(args, cli.settings.file.as_deref()).await,
        Verb::Completions(args) => completions::run(args),
        Verb::Man(args) => man::run(args),
        Verb::Guard(args) => Ok(guard::run(&args)),
    }
}

/// The scenarios that a command line names.
fn scenarios(verb: &Verb) -> Vec<&str> {
    match verb {
        Verb::Replay(args) => args.scenario.as_deref().into_iter().collect(),
        Verb::Run(args) => args.scenario.iter().map(String::as_str).collect(),
        Verb::Judge(args) => args.scenario.iter().map(String::as_str).collect(),
        _ => Vec::new(),
    }
}

/// The whole command, with the verbs of `--help` under their headings.
fn command() -> clap::Command {
    help::grouped(Cli::command().mut_subcommands(with_by_hand), GROUPS)
}

/// A verb whose flags that no settings file may give a default are a group; they go together.
fn with_by_hand(verb: clap::Command) -> clap::Command {
    verb.group(ArgGroup::new(settings::BY_HAND).multiple(true)).mut_subcommands(with_by_hand)
}

/// The same, with all that it hands on to its verbs.
fn built() -> clap::Command {
    let mut command = command();
    command.build();
    command
}

/// What a text says as a settings file, `faultdeck.toml`.
///
/// # Errors
/// All its mistakes, each with its place and the way out.
pub fn settings_of(file: &str, text: &str) -> Result<crate::settings::Settings, crate::scenario::Mistakes> {
    settings::parse(file, text)
}

/// The JSON Schema of settings files, from the table of flags.
pub fn settings_schema() -> serde_json::Value {
    settings::schema()
}

//! `faultdeck judge --observe`: a command of the user's, judged from the wire alone.

use std::env;
use std::ffi::OsString;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use super::guard::Programs;
use super::judge::{Args, CASSETTE, scenarios};
use super::output;
use super::problem::Problem;
use super::progress;
use super::repeat::Repeat;
use super::report::{Outputs, Shown};
use super::settings;
use super::setup;
use super::signals::Signals;
use super::stdin;
use crate::cassette::FILE_MAX_BYTES;
use crate::client::child::{Environment, Group};
use crate::ledger::{Exit, Knowns};
use crate::profile::Profile;
use crate::redact::Redactor;
use crate::replay::{Auth, Clock, Outside, Setup};
use crate::report::visible;
use crate::run::{GRACE, Plan, Story, Under, observe};
use crate::scenario::Scenario;

/// How long a command may take under one story if `--timeout` does not say, in seconds.
pub(super) const TIMEOUT_S: u64 = 30;

/// What a command is observed under, after a run in which nothing goes wrong, unless it is told otherwise: the plain
/// troubles of a task that is polled, and of its creation.
const STORIES: [&str; 7] = [
    "task/partial-completion",
    "task/slow-host",
    "task/fails-then-heals",
    "task/not-found",
    "task/server-error",
    "task/html-page",
    "task/lost-answer",
];
/// What the run is called in which nothing goes wrong.
const CLEAN: &str = "clean";
/// How many lines are shown of what a command wrote that asked for nothing.
const LINES_SHOWN: usize = 10;

pub(super) async fn run(args: Args) -> Result<Exit, Problem> {
    let mut signals = Signals::listen()?;
    let outputs = Outputs::new(Shown::AsData, args.ledger.clone(), args.report.clone())?;
    let redactor = Redactor::new();
    let repeat = repeat(&args, &redactor);
    let stories = stories(&args, &redactor, &repeat.line())?;
    let known = settings::knowns(stories.iter().filter_map(|story| story.plan.setup.scenario.as_deref()))?;
    let _programs = Programs::begin();
    let tell = |name: &str| progress::step(&format!("under {}", visible(name)));
    let observed = observe(stories, signals.first(), &tell).await?;
    let (mut lines, output) = (observed.lines, observed.output);
    let end = known.settle_judgement(&mut lines, observed.end, args.seed.0);
    let exit = outputs.finish(lines, end, &redactor)?;
    if exit != Exit::Passed {
        for line in output.iter().flat_map(|output| last_lines(output)) {
            output::note(&format!("the command wrote: {}", visible(line)));
        }
        output::note(&format!("repeat it: {}", redactor.text(&repeat.line())));
        if let Some(first) = repeat.first() {
            output::note(&format!("  {first}"));
        }
    }
    Ok(exit)
}

fn last_lines(output: &str) -> impl Iterator<Item = &str> {
    let lines: Vec<&str> = output.trim_end().lines().collect();
    let from = lines.len().saturating_sub(LINES_SHOWN);
    lines.into_iter().skip(from)
}

fn stories(args: &Args, redactor: &Redactor, repeat: &str) -> Result<Vec<Story>, Problem> {
    let chosen = scenarios(args)?;
    let is_chosen = !chosen.is_empty();
    let scenarios: Vec<Option<Arc<Scenario>>> = match is_chosen {
        true => chosen.into_iter().map(Some).collect(),
        false => {
            let builtin = |name: &&str| Scenario::builtin(name, Profile::builtin()).map(Arc::new);
            std::iter::once(None).chain(STORIES.iter().map(builtin)).collect()
        }
    };
    let tls = args.tls.identity()?;
    let mut stories = Vec::new();
    for scenario in scenarios {
        let name = scenario.as_ref().map_or(CLEAN, |scenario| scenario.name.as_str()).to_owned();
        if tls.is_none() && scenario.as_ref().is_some_and(|scenario| scenario.needs_tls()) {
            let problem =
                format!("scenario {name}: what it plans happens in a TLS handshake, and this is plain http");
            return Err(Problem::input(problem).help("add `--tls`"));
        }
        // The run without a story has the recording of most of them.
        let cassette = args.cassette.as_deref().or(scenario.is_none().then_some(CASSETTE));
        let setup = Setup {
            evidence: setup::evidence(
                cassette,
                scenario.as_deref(),
                args.seed,
                Auth::Required,
                FILE_MAX_BYTES,
            )?,
            scenario,
            profile: Profile::builtin(),
            seed: args.seed,
            auth: Auth::Required,
            outside: Outside::Miss,
            redactor: redactor.clone(),
            verb: "judge".to_owned(),
            session: name.clone(),
            clock: Clock::scaled(NonZeroU32::MIN),
        };
        let under = Under {
            environment: Environment::whole(env::vars_os()),
            limit: Duration::from_secs(args.timeout),
            group: Group::Own,
            time_scale: 1,
            variables: Vec::new(),
            until: Vec::new(),
            grace: GRACE,
            is_quiet: true,
        };
        let plan = Plan {
            setup,
            command: args.command.clone(),
            stands_for: Vec::new(),
            under,
            must: None,
            tls: tls.clone(),
            proxy: None,
            isolation: None,
            is_drawn: false,
            watches: Vec::new(),
            repeat: repeat.to_owned(),
            known: Knowns::default(),
        };
        stories.push(Story { name, plan, is_chosen });
    }
    Ok(stories)
}

/// The command line that does the same again.
fn repeat(args: &Args, redactor: &Redactor) -> Repeat {
    let mut repeat = Repeat::of("judge");
    repeat.word("--observe");
    args.scenario.iter().for_each(|scenario| repeat.flag("--scenario", scenario));
    args.faults.repeat(&mut repeat);
    if let Some(cassette) = &args.cassette {
        repeat.flag("--cassette", cassette);
    }
    repeat.flag("--seed", &args.seed.to_string());
    if args.timeout != TIMEOUT_S {
        repeat.flag("--timeout", &args.timeout.to_string());
    }
    args.tls.words().iter().for_each(|word| repeat.word(word));
    let command: Vec<OsString> = args.command.clone();
    repeat.command(&[], &command, env::vars_os(), redactor);
    if args.scenario.iter().any(|scenario| scenario == stdin::ARGUMENT) {
        repeat.shell(stdin::AGAIN);
    }
    repeat
}

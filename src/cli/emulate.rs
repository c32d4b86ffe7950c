//! `faultdeck emulate`: a small console with no console at hand.

use std::num::NonZeroU32;
use std::sync::Arc;

use super::faults::Faults;
use super::listen::Listen;
use super::output;
use super::problem::Problem;
use super::replay;
use super::report::{Outputs, Shown};
use super::signals::Signals;
use crate::emulate::{Console, Emulator, Settings};
use crate::ledger::{EndLine, Exit, Reasons, RefusedLine};
use crate::profile::Profile;
use crate::redact::Redactor;
use crate::replay::{Auth, Clock, Evidence, MAIN, Outside, Replay, Setup};
use crate::report::{refused_line, visible};
use crate::scenario::Scenario;
use crate::seed::Seed;

/// Runs a small console in memory, until Ctrl-C: create a case, poll its task, list and get cases.
///
/// It answers from a model of the API, not from a recording; `record` can be tried against it. With `--fault` it
/// misbehaves as planned. With `--profile` and a file that `judge --upstream --profile-out` wrote it departs from the rules as
/// that console was seen to, as far as the file says how; the rest it names.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  faultdeck emulate
  faultdeck emulate --seed 7 --dialect prose --listen 127.0.0.1:8080
  faultdeck emulate --fault 'api-error:500/1020@case_create_tasks.get#3'

Exit codes: 0 when it is stopped, 3 if a request was refused.")]
pub(super) struct Args {
    /// Where ids and draws come from: equal seeds give equal ones.
    #[arg(long, value_name = "NUMBER", default_value = "1")]
    seed: Seed,
    /// How tasks spell their members: `sample` or `prose`, as the two halves of the documentation do.
    #[arg(long, value_name = "NAME", default_value = "sample")]
    dialect: String,
    /// Answers requests that carry no credentials, too.
    #[arg(long)]
    no_auth: bool,
    #[command(flatten)]
    faults: Faults,
    #[command(flatten)]
    listen: Listen,
}

impl Args {
    fn settings(&self) -> Settings {
        let (dialect, no_auth) = (self.dialect.clone(), self.no_auth);
        Settings { seed: self.seed, dialect, no_auth, ..Settings::default() }
    }
}

/// The same console behind planned faults: each session of it has its own.
async fn spoilt(args: &Args, scenario: Scenario, signals: Signals) -> Result<Exit, Problem> {
    tell_what_is_followed(&Console::new(args.settings()).map_err(Problem::input)?);
    let settings = args.settings();
    let make = move || -> crate::replay::Console {
        let mut console = Console::new(settings.clone()).expect("it was made once before");
        Box::new(move |request| console.answer(request))
    };
    let setup = Setup {
        evidence: Evidence::Console(Arc::new(make)),
        scenario: Some(Arc::new(scenario)),
        profile: Profile::builtin(),
        seed: args.seed,
        auth: if args.no_auth { Auth::Off } else { Auth::Required },
        outside: Outside::Page,
        redactor: Redactor::new(),
        verb: "emulate".to_owned(),
        session: MAIN.to_owned(),
        clock: Clock::scaled(NonZeroU32::MIN),
    };
    // Nobody has to ask it anything, and no fault has to fire.
    let end = |replay: &Replay| {
        let end = EndLine { never_fired: Vec::new(), ..replay.account() };
        let mut reasons = Reasons::default();
        reasons.push_refused(end.sum.refused);
        reasons.push(Exit::Passed, "it was stopped");
        end.closed(reasons)
    };
    let outputs = Outputs::new(Shown::AsNote, None, Vec::new())?;
    replay::serve(setup, &args.listen, signals, outputs, end).await
}

/// Says how far it follows what `judge --upstream --profile-out` wrote down of a console.
fn tell_what_is_followed(console: &Console) {
    let (followed, unfollowed) = console.follows();
    if followed > 0 {
        let many = if followed == 1 { "" } else { "s" };
        output::note(&format!("following {followed} observation{many} of a console"));
    }
    if !unfollowed.is_empty() {
        let list: Vec<_> = unfollowed.iter().map(|rule| visible(rule)).collect();
        output::note(&format!("not followed, for it is not known what comes instead: {}", list.join(", ")));
    }
}

pub(super) async fn run(args: Args) -> Result<Exit, Problem> {
    let mut signals = Signals::listen()?;
    if let Some(scenario) = args.faults.put_into(None)? {
        return spoilt(&args, scenario, signals).await;
    }
    let console = Console::new(args.settings()).map_err(Problem::input)?;
    tell_what_is_followed(&console);
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

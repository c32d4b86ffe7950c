//! `faultdeck replay`: a cassette over a real socket.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use super::listen::Listen;
use super::output;
use super::problem::Problem;
use super::report::{Outputs, ReportTo, Shown};
use super::setup::{self, Story, a_line_each, evidence_name};
use super::signals::Signals;
use super::stepping;
use crate::ledger::{EndLine, Exit};
use crate::replay::{Event, Evidence, Replay, Setup, Watch};
use crate::report::{Digest, shell_word, visible};

/// Answers from a cassette, with the trouble a scenario asks for, until Ctrl-C.
///
/// The URL is the only line on standard output. Every request gets a line on standard error: method, path, status,
/// where the answer came from, poll, state, faults. No other host is ever contacted.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  faultdeck replay forensics/create-case
  faultdeck replay --scenario builtin:slow-host        # the scenario names its cassette
  faultdeck replay my.json --listen 127.0.0.1:8080 --tls
  curl -H 'SEC: anything' http://127.0.0.1:8080/api/forensics/case_management/cases

Exit codes: 0 everything was answered, 3 nothing was asked, a request missed or was refused, or a planned fault
never fired.")]
pub(super) struct Args {
    /// The cassette: a name below `cassettes/`, a `.json` file, or `builtin:NAME`. Wins over the scenario's.
    cassette: Option<String>,
    /// What goes wrong: a name below `scenarios/`, a `.toml` file, `builtin:NAME`, or `-` for standard input.
    #[arg(long, value_name = "NAME|FILE")]
    pub(super) scenario: Option<String>,
    #[command(flatten)]
    story: Story,
    /// Writes all that is served to this file, as JSON lines, while it runs.
    #[arg(long, value_name = "FILE")]
    ledger: Option<PathBuf>,
    /// Writes a report when it ends, as `junit=FILE` says; `faultdeck report --help` lists the formats. Can be given several times.
    #[arg(long, value_name = "FORMAT=FILE")]
    report: Vec<ReportTo>,
    #[command(flatten)]
    listen: Listen,
}

pub(super) async fn run(args: Args) -> Result<Exit, Problem> {
    let signals = Signals::listen()?;
    let outputs = Outputs::new(Shown::AsNote, args.ledger, args.report)?;
    let scenario = args.scenario.as_deref().map(setup::open).transpose()?;
    let setup = args.story.setup("replay", scenario, args.cassette.as_deref())?;
    let end = |replay: &Replay| replay.closed();
    serve(setup, &args.listen, signals, outputs, end).await
}

/// Serves what `setup` says until a signal comes; `end` says what it came to.
///
/// # Errors
/// If it cannot listen, or a file cannot be written.
pub(super) async fn serve(
    setup: Setup,
    listen: &Listen,
    mut signals: Signals,
    mut outputs: Outputs,
    end: impl Fn(&Replay) -> EndLine,
) -> Result<Exit, Problem> {
    let begins = begins(&setup);
    let target = to_try(&setup);
    let redactor = setup.redactor.clone();
    let (scenario, clock, seed) = (setup.scenario.clone(), setup.clock.clone(), setup.seed);
    let digest = Arc::new(Mutex::new(Digest::default()));
    let mut replay = Replay::new(setup).noted(digesting(&digest));
    if let Some(ledger) = outputs.flow(&redactor)? {
        replay = replay.watched(ledger);
    }
    if !listen.is_quiet() {
        replay = replay.watched(a_line_each());
    }
    let replay = Arc::new(replay);
    let server = listen.start(Arc::clone(&replay), |url| replay.set_base(url)).await?;
    output::note(&visible(&begins));
    if let Some(target) = target {
        let url = shell_word(&format!("{}{target}", server.url()));
        output::note(&visible(&format!("try: curl -H 'SEC: any' {url}")));
    }
    stepping::listen(scenario.as_deref(), &clock, true)?;
    signals.first().await;
    server.stop().await;

    let end = EndLine { dials: crate::record::dials(), ..end(&replay) };
    let digest = std::mem::take(&mut *digest.lock().unwrap_or_else(PoisonError::into_inner));
    let exit = outputs.finish_flow(digest, end, &redactor)?;
    if scenario.is_some() {
        output::note(&format!("seed {seed}"));
    }
    Ok(exit)
}

/// Keeps what a report needs.
fn digesting(digest: &Arc<Mutex<Digest>>) -> Watch {
    let digest = Arc::clone(digest);
    Arc::new(move |event| {
        let digest = || digest.lock().unwrap_or_else(PoisonError::into_inner);
        match event {
            Event::Opened(run) => digest().run(run),
            Event::Refused(refused) => digest().refused(refused),
            Event::Greeted(greeted) => digest().greeted(greeted),
            Event::Served { served, .. } => {
                if served.is_remarkable() {
                    digest().remarkable(served.exchange());
                }
                if !served.faults().is_empty() {
                    digest().fired(served.faults());
                }
            }
            Event::Performed { .. } => {}
        }
    })
}

/// A recorded request to begin with, a poll if there is one: nobody knows by heart what a cassette holds.
fn to_try(setup: &Setup) -> Option<String> {
    let Evidence::Cassette(material) = &setup.evidence else { return None };
    let gets = || material.cassette().interactions.iter().filter(|it| it.request.method == "GET");
    let item = gets().find(|it| it.endpoint.ends_with('}')).or_else(|| gets().next());
    item.map(|it| it.request.target.clone())
}

/// What is said once it listens.
fn begins(setup: &Setup) -> String {
    let scenario =
        setup.scenario.as_ref().map_or_else(String::new, |scenario| format!(", scenario {}", scenario.name));
    let what = evidence_name(&setup.evidence);
    format!("replaying {what}{scenario}, seed {}; stop with Ctrl-C", setup.seed)
}

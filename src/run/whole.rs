//! A run from its first to its last moment: a listener, the command, and a closed ledger.

use std::ffi::OsString;
use std::future::Future;
use std::sync::Arc;

use super::combine::{combine, combine_drawn};
use super::command::{self, Ended, Under};
use super::isolated::{Isolation, NotRun};
use super::seen::{seen, unmet};
use super::trusted::Trusted;
use super::until::Lookout;
use super::variable::{Replayed, Variable};
use super::wire::verdicts;
use crate::ledger::{EndLine, Exit, KnownMark, Knowns, Line, OfRun, SeenLine, VerdictLine, asked_at};
use crate::profile::hits;
use crate::record;
use crate::replay::{Replay, Setup, Watch};
use crate::scenario::{CommandMust, Must, Scenario};
use crate::serve::tls::Identity;
use crate::serve::{Options, Proxy, Server, StartError};

/// What is run, and under what.
#[derive(Clone)]
pub struct Plan {
    /// What the replay is made of.
    pub setup: Setup,
    /// The program and its arguments; `{base_url}` stands for the replay's URL in them.
    pub command: Vec<OsString>,
    /// What the command stands for, in the ledger: the words of a test that a tool starts a run for. If none, for itself.
    pub stands_for: Vec<String>,
    /// What the command runs in.
    pub under: Under,
    /// What the command must do, if not what the scenario says.
    pub must: Option<CommandMust>,
    /// With it the replay speaks TLS.
    pub tls: Option<Identity>,
    /// With it the replay is a proxy, and the command is told to ask it as one.
    pub proxy: Option<Proxy>,
    /// With it the command reaches nobody but the replay; it needs an identity, which is for the console's name.
    pub isolation: Option<Isolation>,
    /// Whether what goes wrong was drawn: it may lead a client anywhere, so what no recording answers is told and nothing more.
    pub is_drawn: bool,
    /// Learn of each request.
    pub watches: Vec<Watch>,
    /// The command line that does the same again; it stands beside each verdict.
    pub repeat: String,
    /// Failures that are known of this scenario.
    pub known: Knowns,
}

/// What came of a run.
#[derive(Clone, Debug)]
pub struct Ran {
    /// The ledger but for its last line.
    pub lines: Vec<Line>,
    /// Its last line: the account, closed.
    pub end: EndLine,
    /// How the command ended.
    pub ended: Ended,
    /// What the command wrote, if that was kept.
    pub output: Option<String>,
    /// What it was seen to do.
    pub seen: SeenLine,
    /// What became of the failures that are known of it.
    pub marks: Vec<KnownMark>,
}

/// What a run came to, before anybody weighs it.
pub(super) struct Served {
    pub(super) lines: Vec<Line>,
    pub(super) account: EndLine,
    pub(super) verdicts: Vec<VerdictLine>,
    pub(super) ended: Ended,
    /// What the command wrote, if that was kept.
    pub(super) output: Option<String>,
    scenario: Option<Arc<Scenario>>,
    seen: SeenLine,
}

/// Runs the command of `plan` to its end; `stop` ends it early.
///
/// # Errors
/// If no listener can be had, or no network for the command alone.
pub async fn run(plan: Plan, stop: impl Future) -> Result<Ran, NotRun> {
    let (must, repeat, is_drawn) = (plan.must, plan.repeat.clone(), plan.is_drawn);
    let (known, seed) = (plan.known.clone(), plan.setup.seed.0);
    let Served { mut lines, account, mut verdicts, ended, scenario, output, seen } =
        served(plan, stop).await?;
    verdicts.iter_mut().for_each(|verdict| verdict.repeat = Some(repeat.clone()));
    let asked = scenario.as_ref().map_or_else(Must::default, |scenario| scenario.must.clone());
    let must = Must { command: must.unwrap_or(asked.command), ..asked };
    let end = EndLine { dials: record::dials(), command: Some(ended.to_string()), ..account };
    let mut reasons = match is_drawn && end.sum.faults > 0 {
        true => combine_drawn(&must, &ended, &end, &verdicts),
        false => combine(&must, &ended, &end, &verdicts),
    };
    // Where nothing was asked, that is what is told.
    if end.sum.served + end.sum.greeted > 0 {
        let unmet = unmet(&must.see, &lines, &end.sum, &seen);
        unmet.into_iter().for_each(|why| reasons.push(Exit::Failed, why));
    }
    let name = scenario.as_ref().map_or("", |scenario| scenario.name.as_str());
    let asked = |endpoint: &str| {
        lines.iter().filter_map(asked_at).any(|(_, place, asked)| hits(endpoint, &place, &asked))
    };
    let of_run = OfRun { scenario: name, seed, lived: ended.lived(), asked: &asked };
    let (reasons, marks) = known.settle_run(&of_run, &mut verdicts, reasons);
    lines.extend(verdicts.into_iter().map(Line::Verdict));
    Ok(Ran { lines, end: end.closed(reasons), ended, output, seen, marks })
}

/// A listener, the command, its end, and what the wire shows.
pub(super) async fn served(plan: Plan, stop: impl Future) -> Result<Served, NotRun> {
    let Plan { setup, command, stands_for, under, tls, proxy, isolation, watches, .. } = plan;
    let (scenario, redactor) = (setup.scenario.clone(), setup.redactor.clone());
    let words: Vec<String> = command.iter().map(|word| word.to_string_lossy().into_owned()).collect();
    redactor.learn_arguments(&words);
    let theirs = under.variables.iter().filter(|variable| !variable.is_all_ours());
    redactor.learn_arguments(&theirs.map(Variable::written).collect::<Vec<_>>());
    let trusted = match (&tls, &proxy) {
        (Some(identity), _) => Some(Trusted::kept(&identity.ca_file, &under.environment)),
        (None, Some(proxy)) => Some(Trusted::passing(proxy.ca_pem(), &under.environment)),
        (None, None) => None,
    };
    let trusted = trusted.transpose().map_err(StartError::Bundle)?;
    let is_proxy = proxy.is_some();
    let isolated = match &isolation {
        Some(isolation) => Some(isolation.open(trusted.as_ref().map(Trusted::bundle)).await?),
        None => None,
    };
    let kept = setup.clone();
    let mut replay =
        Replay::new(setup).of_command(if stands_for.is_empty() { &words } else { &stands_for }).keeping();
    for watch in watches {
        replay = replay.watched(watch);
    }
    let lookout = Lookout::of(&under.until);
    if let Some(watch) = lookout.watch() {
        replay = replay.watched(watch);
    }
    let replay = Arc::new(replay);
    let (listen, ground) =
        isolated.as_ref().map(|isolated| (isolated.listen, isolated.ground.clone())).unzip();
    let options = Options { listen, tls, proxy, ground, ..Options::default() };
    let server = Server::start(options, Arc::clone(&replay)).await?;
    replay.set_base(&server.url());
    let url = server.url();
    let (trusted, isolated) = (trusted.as_ref(), isolated.as_ref());
    let replayed = Replayed { url: &url, sec: command::SEC, trusted, is_proxy, isolated };
    let (ended, output) = command::run(&command, &under, &replayed, &lookout, stop).await;
    server.stop().await;
    let elsewhere = isolated.map(|isolated| isolated.elsewhere()).unwrap_or_default();
    let elsewhere = elsewhere.iter().map(|whom| redactor.text(whom)).collect();
    let lines = replay.lines();
    let verdicts = verdicts(scenario.as_deref(), &lines, &ended);
    let output = output.map(|output| redactor.text(&output));
    let account = EndLine { elsewhere, ..replay.account() };
    let seen = seen(&kept, &lines);
    Ok(Served { lines, account, verdicts, ended, output, scenario, seen })
}

//! Puts a client to a plan: runs the cases, confirms and shrinks what breaks a property, and says what came of it.
//!
//! - `adapter` asks first, with one clean case a job, whether the client can be read at all
//! - `known` shows what is made of a client where everybody knows what has to come of it
//! - `unit` says which cases there are: `made` makes the generated ones, of what `sower` draws and `generate` shrinks and the faults that
//!   `fault_plan` draws, and `staged` those of scenarios; `listed` makes the lists that are read to their end
//! - `evidence` is what a case is answered from, `slot` a listener that serves one case at a time, `trial` one case run in
//!   its turn (`turns`), `meeting` each of its runs, `kept` its lines, and `unplaced` takes the listener's port out of what is kept of it
//! - `elsewhere` is the other host to which a console may redirect its client
//! - `weigh` gives a property's one verdict over many cases: `confirm` runs again what breaks it, `shrink` makes that small
//!   with what `simpler` offers, `keep` keeps it on disk and `found` writes its file; `tally` is the
//!   sum, `coverage` what was put to the test, and `floor` what has to be

mod adapter;
#[cfg(test)]
mod asked_for;
mod confirm;
mod coverage;
mod elsewhere;
mod evidence;
mod fault_plan;
mod floor;
mod found;
mod generate;
mod keep;
mod kept;
mod known;
mod listed;
mod made;
mod meeting;
mod plan;
mod ports;
mod shrink;
mod simpler;
mod slot;
mod sower;
mod staged;
mod tally;
mod telling;
mod together;
mod trial;
mod turns;
mod unit;
mod unplaced;
mod weigh;

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use self::adapter::Adapter;
pub use self::floor::{CoverageFloor, FloorError};
pub(crate) use self::floor::{share_in_percent, short_of};
pub(crate) use self::generate::runner;
use self::keep::Keeper;
pub use self::known::{Known, known_answers};
pub use self::plan::{Again, Budget, EvidenceOf, JudgeError, Judged, Plan, Progress, Repeat};
use self::ports::Ports;
pub(crate) use self::simpler::milder;
use self::slot::Slot;
use self::tally::Tally;
use self::together::together;
use self::trial::{Bench, PASSWORD, TOKEN, Tried, placeholders};
use self::turns::Turns;
use self::unit::Unit;
use crate::client::{Client, Outcome};
use crate::judge::about::About;
use crate::judge::verdict::Verdict;
use crate::profile::Taken;
use crate::redact::Redactor;

/// Cases on their way for each that may keep the client busy: while it is, the next one is made ready and the one before
/// judged, so that it need not wait for that.
const LANES: usize = 2;

/// What is told while a plan runs.
pub type Tell<'a> = &'a (dyn Fn(Progress) + Send + Sync);

/// Puts `client` to `plan`. The same plan, seed and client give the same verdicts with the same evidence.
///
/// Counter-examples found before come first, then the generated cases, then the scenarios. A violation is confirmed by
/// running its case again, saved, shrunk, and saved again.
///
/// # Errors
/// If a scenario names a property that does not exist, what it is answered from cannot be had, no listener can be
/// opened, or what the client writes in a clean case cannot be read. A client that cannot be started is no error: the result says so, with exit code 3.
pub async fn judge<C: Client>(plan: &Plan, client: &C, tell: Tell<'_>) -> Result<Judged, JudgeError> {
    let units = units(plan, client)?;
    let secrets = Redactor::new();
    for secret in [TOKEN, PASSWORD] {
        plan.redactor.learn(secret);
        secrets.learn(secret);
    }
    let at_a_time = plan.jobs.max(1);
    let mut slots = Vec::new();
    for _ in 0..at_a_time.saturating_mul(LANES) {
        slots.push(Slot::start(plan.tls.as_ref()).await?);
    }
    let mut taken = Taken::default();
    units.iter().for_each(|unit| taken.join(&evidence::taken(&unit.trials)));
    let (redactor, verb) = (plan.redactor.clone(), plan.verb.clone());
    let placeholders = placeholders(&redactor);
    let ports = Ports::beginning_by(slots.first().map_or(0, Slot::port));
    let turns = Turns::of(at_a_time);
    let tls = plan.tls.clone();
    let bench = Bench { client, redactor, secrets, verb, placeholders, taken, tls, ports, turns };
    let mut tally = Tally::default();
    let units = match adapter::check(&bench, &slots, &units).await {
        Ok(Adapter::Reads) => units,
        Ok(Adapter::NotStarted(why)) => {
            tally.not_started(&why);
            Vec::new()
        }
        Err(unreadable) => {
            client.end().await;
            stop(slots).await;
            return Err(unreadable);
        }
    };
    tell(Progress::Plans { cases: units.iter().map(|unit| unit.trials.len()).sum() });
    for unit in &units {
        tell(Progress::Begins { name: unit.name.clone(), cases: unit.trials.len() });
        let keeper = Keeper::new(plan, unit, client.name());
        let tried = run(&bench, &slots, &keeper, unit, tell).await;
        if let Some(why) = not_started(&tried) {
            tally.not_started(&why);
            break;
        }
        tally.count(unit, &tried, &About::jobs(client));
        let at = weigh::At { plan, bench: &bench, slots: &slots, unit, keeper: &keeper, tell };
        for property in weigh::properties(unit, &tried) {
            let weighed = weigh::weigh(&at, property, &tried).await;
            tally.add(weighed, |ran| bench.lines(ran));
        }
    }
    client.end().await;
    stop(slots).await;
    tally.leave_out(plan, client.name());
    tally.cover(client, &plan.coverage);
    Ok(tally.judged())
}

async fn stop(slots: Vec<Slot>) {
    for slot in slots {
        slot.stop().await;
    }
}

/// All that is to be run, in order.
fn units<C: Client>(plan: &Plan, client: &C) -> Result<Vec<Unit>, JudgeError> {
    let mut units = Vec::new();
    if plan.cases > 0 {
        if let Some(folder) = &plan.found {
            let found = found::read(folder, client.name())?;
            // As with the built-in ones: without TLS there is no handshake to go wrong.
            for scenario in found.into_iter().filter(|it| plan.tls.is_some() || !it.needs_tls()) {
                units.push(unit::of_scenario(plan, &scenario, client)?);
            }
        }
        units.push(unit::generated(plan, client));
    }
    for scenario in &plan.scenarios {
        if let (None, Some(planned)) = (&plan.tls, scenario.of_handshakes().next()) {
            let planned = planned.inject.kind().to_owned();
            return Err(JudgeError::Handshakes { scenario: scenario.name.clone(), planned });
        }
        units.push(unit::of_scenario(plan, scenario, client)?);
    }
    Ok(units)
}

/// Runs every trial of a unit, one a slot at a time; the results stand in the order of the trials.
///
/// The first violation of each property is on disk before the next case runs.
async fn run<C: Client>(
    bench: &Bench<'_, C>,
    slots: &[Slot],
    keeper: &Keeper<'_>,
    unit: &Unit,
    tell: Tell<'_>,
) -> Vec<Tried> {
    let (next, done) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let results: Mutex<Vec<Option<Tried>>> = Mutex::new(vec![None; unit.trials.len()]);
    let (next, done, results) = (&next, &done, &results);
    let workers = slots.iter().map(|slot| async move {
        loop {
            let index = next.fetch_add(1, Ordering::Relaxed);
            let Some(trial) = unit.trials.get(index) else { break };
            let tried = bench.attempt(slot, trial).await;
            for (property, verdict, _) in &tried.answers {
                if let Verdict::Violated(violation) = verdict {
                    keeper.at_first_sight(property, &trial.case, &violation.because);
                }
            }
            let is_hopeless = matches!(tried.base.run.report.outcome, Outcome::NotStarted { .. });
            if let Some(place) = results.lock().unwrap_or_else(PoisonError::into_inner).get_mut(index) {
                *place = Some(tried);
            }
            if is_hopeless {
                break;
            }
            tell(Progress::Ran { done: done.fetch_add(1, Ordering::Relaxed) + 1, of: unit.trials.len() });
        }
    });
    together(workers.collect()).await;
    let mut results = results.lock().unwrap_or_else(PoisonError::into_inner);
    std::mem::take(&mut *results).into_iter().flatten().collect()
}

fn not_started(tried: &[Tried]) -> Option<String> {
    tried.iter().find_map(|tried| match &tried.base.run.report.outcome {
        Outcome::NotStarted { why } => Some(why.clone()),
        _ => None,
    })
}

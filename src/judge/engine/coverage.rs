//! Adds up what a judgement reached. A ledger says it, and a report shows it.

use std::collections::{BTreeMap, BTreeSet};

use super::fault_plan;
use super::trial::{Trial, Tried};
use super::unit::Unit;
use crate::client::{Client, JobKind};
use crate::judge::about::About;
use crate::judge::case::{Case, Run};
use crate::judge::law::PROPERTIES;
use crate::judge::verdict::Verdict;
use crate::judge::wire;
use crate::ledger::{CoverageLine, DrawnCoverage, LawCoverage, Reached};
use crate::timeline::Phase;

/// The sum so far.
#[derive(Debug, Default)]
pub(super) struct Coverage {
    /// By the law's place in the table, and the job.
    laws: BTreeMap<(usize, JobKind), LawCoverage>,
    states: BTreeSet<&'static str>,
    kinds: BTreeSet<String>,
    drawn: DrawnCoverage,
}

impl Coverage {
    /// Adds the cases of a unit.
    pub(super) fn count(&mut self, unit: &Unit, tried: &[Tried]) {
        for (trial, tried) in unit.trials.iter().zip(tried) {
            let run = &tried.base.run;
            let kinds: BTreeSet<&str> =
                run.exchanges.iter().flat_map(|it| &it.faults).map(|fault| fault.kind.as_str()).collect();
            let states: BTreeSet<&'static str> = shown(run).map(word).collect();
            self.kinds.extend(kinds.iter().map(|kind| (*kind).to_owned()));
            self.states.extend(&states);
            for (property, verdict, _) in &tried.answers {
                let place = PROPERTIES.iter().position(|one| one == property).unwrap_or(PROPERTIES.len());
                let law = self.laws.entry((place, run.case.job)).or_insert_with(|| LawCoverage {
                    property: property.id.to_owned(),
                    job: run.case.job.as_str().to_owned(),
                    ..LawCoverage::default()
                });
                law.judged += 1;
                if matches!(verdict, Verdict::NotReached(_) | Verdict::NotApplicable(_)) {
                    continue;
                }
                law.cases += 1;
                law.broken += u64::from(verdict.is_violated());
                kinds.iter().for_each(|kind| *law.faults.entry((*kind).to_owned()).or_default() += 1);
                states.iter().for_each(|state| *law.states.entry((*state).to_owned()).or_default() += 1);
            }
            if trial.sprout.is_some() {
                self.drawn(trial, run);
            }
        }
    }

    fn drawn(&mut self, trial: &Trial, run: &Run) {
        let (case, drawn) = (&trial.case, &mut self.drawn);
        let selector = case.selector().ok().flatten();
        let (wide, deep) =
            selector.as_ref().map_or((0, 0), |selector| (selector.widest(), selector.deepest()));
        let task = case.task.as_deref().unwrap_or_default();
        drawn.cases += 1;
        drawn.disturbed += u64::from(case.scenario.as_ref().is_some_and(|it| !it.faults.is_empty()));
        drawn.whole += u64::from(case.fields.is_none());
        drawn.deep += u64::from(deep >= 2);
        drawn.unicode += u64::from(!task.is_ascii() || !texts(case).all(str::is_ascii));
        drawn.empty += u64::from(["\"\"", "[]", "null"].iter().any(|empty| task.contains(empty)));
        drawn.errors += u64::from(run.exchanges.iter().any(|exchange| exchange.status >= 400));
        drawn.widest = drawn.widest.max(wide);
        drawn.deepest = drawn.deepest.max(deep);
    }

    /// What it comes to for this client.
    pub(super) fn line<C: Client>(self, client: &C) -> CoverageLine {
        let abouts = About::jobs(client);
        let is_reached = |id: &str| self.laws.values().any(|law| law.property == id && law.cases > 0);
        let not_reached = PROPERTIES.iter().filter(|property| property.job_among(client.jobs()).is_some());
        let not_reached = not_reached.filter(|property| !is_reached(property.id));
        let phases = abouts.iter().filter_map(|(job, about)| {
            let waits = matches!(job, JobKind::Wait | JobKind::Create);
            about.life.filter(|_| waits)
        });
        let known: BTreeSet<&str> =
            phases.flat_map(|life| &life.phases).map(|(_, phase)| word(*phase)).collect();
        let possible: BTreeSet<&str> =
            abouts.iter().flat_map(|(_, about)| fault_plan::possible(about)).collect();
        let split = |known: BTreeSet<&str>, reached: &dyn Fn(&str) -> bool| {
            let (reached, missing) = known.into_iter().map(str::to_owned).partition(|it| reached(it));
            Reached { reached, missing }
        };
        CoverageLine {
            client: client.name().to_owned(),
            laws_not_reached: not_reached.map(|property| property.id.to_owned()).collect(),
            states: split(known, &|state| self.states.contains(state)),
            faults: split(possible, &|kind| self.kinds.contains(kind)),
            laws: self.laws.into_values().collect(),
            drawn: self.drawn,
        }
    }
}

/// The phases of tasks that surely came to the client.
fn shown(run: &Run) -> impl Iterator<Item = Phase> {
    run.exchanges.iter().filter(|exchange| wire::is_surely_heard(exchange)).filter_map(wire::phase_shown)
}

fn word(phase: Phase) -> &'static str {
    match phase {
        Phase::Waiting => "waiting",
        Phase::Working => "working",
        Phase::Partial => "partial",
        Phase::Done => "done",
        Phase::Failed => "failed",
        Phase::Cancelled => "cancelled",
    }
}

fn texts(case: &Case) -> impl Iterator<Item = &str> {
    case.name.as_deref().into_iter().chain(case.params.iter().map(|(_, value)| value.as_str()))
}

//! One verdict for a property over all cases of a unit; a violation is confirmed, saved and shrunk on the way.

use std::fmt::Write as _;
use std::path::Path;

use super::Tell;
use super::confirm::{Example, LOOKS_AT_FLAKY, Looks};
use super::keep::Keeper;
use super::plan::{Again, Plan, Progress};
use super::shrink::shrink;
use super::slot::Slot;
use super::trial::{Bench, Ran, Trial, Tried};
use super::unit::{Unit, is_beside, is_in_a_foreign_spelling, travels};
use crate::client::{Client, JobKind};
use crate::judge::about::About;
use crate::judge::law::{PROPERTIES, Property};
use crate::judge::verdict::Verdict;
use crate::ledger::{Standing, VerdictLine};

/// How many cases that break a property are tried for one that breaks it each time.
const CANDIDATES: usize = 3;

/// Where and for whom a verdict is found.
pub(super) struct At<'a, C> {
    pub(super) plan: &'a Plan,
    pub(super) bench: &'a Bench<'a, C>,
    pub(super) slots: &'a [Slot],
    pub(super) unit: &'a Unit,
    pub(super) keeper: &'a Keeper<'a>,
    pub(super) tell: Tell<'a>,
}

/// A verdict, and the runs that show it.
#[derive(Debug)]
pub(super) struct Weighed {
    pub(super) line: VerdictLine,
    pub(super) shown: Vec<Ran>,
}

/// The properties of which a unit says something: those that must hold, and those that its cases put to the test.
pub(super) fn properties(unit: &Unit, tried: &[Tried]) -> Vec<&'static Property> {
    let says = |property: &'static Property| {
        answers(property, tried)
            .any(|(_, verdict, _)| matches!(verdict, Verdict::Held(_) | Verdict::Violated(_)))
    };
    PROPERTIES.iter().copied().filter(|property| unit.required.contains(property) || says(property)).collect()
}

/// The answers for one property: which trial, what, and the further runs it rests on.
fn answers<'t>(
    property: &'static Property,
    tried: &'t [Tried],
) -> impl Iterator<Item = (usize, &'t Verdict, &'t [Ran])> {
    tried.iter().enumerate().flat_map(move |(index, tried)| {
        let own = tried.answers.iter().filter(move |(one, _, _)| *one == property);
        own.map(move |(_, verdict, variants)| (index, verdict, variants.as_slice()))
    })
}

/// The verdict for one property.
pub(super) async fn weigh<C: Client>(
    at: &At<'_, C>,
    property: &'static Property,
    tried: &[Tried],
) -> Weighed {
    let cases =
        answers(property, tried).filter(|(_, verdict, _)| !matches!(verdict, Verdict::NotReached(_))).count();
    let broken: Vec<usize> = answers(property, tried)
        .filter(|(_, verdict, _)| verdict.is_violated())
        .map(|(index, _, _)| index)
        .collect();
    let mut flaky: Option<(usize, &Trial)> = None;
    if let (Some(slot), false) = (at.slots.first(), broken.is_empty()) {
        let looks = Looks { bench: at.bench, slot, property };
        for index in broken.iter().take(CANDIDATES) {
            let Some(trial) = at.unit.trials.get(*index) else { continue };
            if let Some(example) = looks.confirm(trial, tried.get(*index)).await
                && let Some(small) = smallest(at, &looks, example).await
            {
                return violated(at, property, small, cases);
            }
            flaky = flaky.or(Some((*index, trial)));
        }
        if let Some((index, trial)) = flaky {
            let times = looks.rate(trial).await;
            // Once not, or only when it was made smaller, and each time since: that is no flaky client.
            if times == LOOKS_AT_FLAKY
                && let Some(example) = looks.confirm(trial, None).await
            {
                return violated(at, property, Small { example, note: None }, cases);
            }
            at.keeper.drop(property);
            return once_broken(at, property, (times, cases), (index, tried));
        }
    }
    let mut heaviest: Option<(usize, &Verdict, u8)> = None;
    for (index, verdict, _) in answers(property, tried) {
        // Of what was drawn, many cases speak for one that says nothing.
        let is_drawn = at.unit.trials.get(index).is_some_and(|trial| trial.sprout.is_some());
        let weight = match verdict {
            Verdict::Inconclusive(_) if is_drawn => verdict.weight().min(Verdict::held().weight()),
            _ => verdict.weight(),
        };
        let is_equal = |old: &Verdict| matches!((old, verdict), (Verdict::Inconclusive(_), Verdict::Held(_)));
        if heaviest.is_none_or(|(_, old, most)| weight > most || (weight == most && is_equal(old))) {
            heaviest = Some((index, verdict, weight));
        }
    }
    // A client that is judged along alone need not come to what the law is about.
    let is_asked = property.job_among(at.bench.client.jobs()).is_some();
    let is_said =
        |(_, verdict, _): &(usize, &Verdict, u8)| is_asked || !matches!(verdict, Verdict::NotReached(_));
    let Some((index, verdict, _)) = heaviest.filter(is_said) else {
        return Weighed { line: line(at, property, &no_cases(at, property), 0), shown: Vec::new() };
    };
    let shown: Vec<Ran> = tried.get(index).map(|tried| tried.base.clone()).into_iter().collect();
    let mut line = line(at, property, verdict, cases);
    line.session = shown.first().map(|ran| ran.label.clone());
    if line.verdict == Standing::Held {
        // What a counter-example found before is fixed.
        line.found = at.unit.found.as_ref().map(|path| path.display().to_string());
    }
    Weighed { line, shown }
}

/// What was broken once and seldom again: how often, and what was seen then.
fn once_broken<C: Client>(
    at: &At<'_, C>,
    property: &'static Property,
    (times, cases): (u32, usize),
    (index, tried): (usize, &[Tried]),
) -> Weighed {
    let seen = answers(property, tried).find_map(|(one, verdict, variants)| match verdict {
        Verdict::Violated(violation) if one == index => Some((violation, variants)),
        _ => None,
    });
    let mut why = format!("flaky: broken {times} of {LOOKS_AT_FLAKY} times in the same case, run again");
    let Some((violation, variants)) = seen else {
        return Weighed { line: line(at, property, &Verdict::Inconclusive(why), cases), shown: Vec::new() };
    };
    let _ = write!(why, "; the first time: {}", violation.because);
    let mut line = line(at, property, &Verdict::Inconclusive(why), cases);
    line.evidence = violation.evidence.iter().map(|line| at.plan.redactor.text(line)).collect();
    let base = tried.get(index).map(|tried| &tried.base);
    let shown: Vec<Ran> = base.into_iter().chain(variants).cloned().collect();
    line.session = shown.first().map(|ran| ran.label.clone());
    Weighed { line, shown }
}

fn no_cases<C: Client>(at: &At<'_, C>, property: &Property) -> Verdict {
    if let Some(job) = property.job_among(at.bench.client.jobs()) {
        let jobs = About::jobs(at.bench.client);
        if at.unit.scenario.as_ref().is_some_and(|scenario| is_beside(scenario, &jobs)) {
            return Verdict::NotApplicable("what goes wrong here, no job of the client asks for".to_owned());
        }
        let is_foreign = |(one, about): &(JobKind, About)| {
            let scenario = at.unit.scenario.as_ref();
            *one == job && scenario.is_some_and(|it| is_in_a_foreign_spelling(it, at.bench.client, about))
        };
        if jobs.iter().any(is_foreign) {
            let why = "the client's file says that it reads one spelling of this task alone (`dialects`)";
            return Verdict::NotApplicable(why.to_owned());
        }
        // The stories that travel with the program are each about one family of endpoints.
        if let Some((_, about)) = jobs.iter().find(|(one, _)| *one == job)
            && at.unit.scenario.as_ref().is_some_and(|scenario| travels(scenario))
        {
            let why =
                format!("the client's `{job}` asks {}, and nothing here was recorded of it", about.asks.id);
            return Verdict::NotApplicable(why);
        }
        return Verdict::not_reached("nothing that answers here holds a task to ask for");
    }
    let jobs: Vec<String> = property.jobs.iter().map(|job| format!("`{job}`")).collect();
    Verdict::NotApplicable(format!("the client does not do the job {}", jobs.join(" or ")))
}

/// An example that is as small as it gets, and what has to be said of that.
struct Small {
    example: Example,
    note: Option<String>,
}

/// Saves a confirmed example, shrinks it, and confirms what came of that; `None` if the one it began with does not break
/// the property each time either.
async fn smallest<C: Client>(at: &At<'_, C>, looks: &Looks<'_, C>, example: Example) -> Option<Small> {
    // What nobody asked for is told as it is, and so is what a file holds: that is small already.
    if !at.keeper.counts(looks.property) || at.unit.found.is_some() {
        return Some(Small { example, note: None });
    }
    let _ = at.keeper.keep(looks.property, &example.trial.case, &example.violation.because);
    let first = example.trial.clone();
    let shrunk = shrink(looks, at.plan.budget, at.tell, example).await;
    if let Some(example) = looks.confirm(&shrunk.example.trial, None).await {
        return Some(Small { example, note: shrunk.note });
    }
    if !shrunk.is_smaller {
        return None;
    }
    let note =
        "shrinking led to a case that breaks it at times only: this is the one it began with".to_owned();
    Some(Small { example: looks.confirm(&first, None).await?, note: Some(note) })
}

/// Saves the smallest example, and says it all.
fn violated<C: Client>(
    at: &At<'_, C>,
    property: &'static Property,
    Small { example, note }: Small,
    cases: usize,
) -> Weighed {
    let case = &example.trial.case;
    let saved = at.keeper.keep(property, case, &example.violation.because);
    let verdict = Verdict::Violated(example.violation.clone());
    let mut line = line(at, property, &verdict, cases);
    line.session = example.shown.first().map(|ran| ran.label.clone());
    line.evidence.extend(planned(at, &example.trial));
    line.evidence.extend(note);
    let path = match saved {
        Some(Ok(path)) => {
            (at.tell)(Progress::Saved { path: path.clone() });
            Some(path)
        }
        Some(Err(why)) => {
            line.evidence.push(format!("not saved: {why}"));
            None
        }
        None => at.unit.found.clone(),
    };
    line.repeat = repeat(at, path.as_deref());
    line.found = path.map(|path| path.display().to_string());
    Weighed { line, shown: example.shown }
}

/// What goes wrong in a case whose scenario is none that the plan names.
fn planned<C>(at: &At<'_, C>, trial: &Trial) -> Vec<String> {
    let Some(scenario) = &trial.case.scenario else { return Vec::new() };
    if at.unit.scenario.as_ref().is_some_and(|own| own.faults == scenario.faults) {
        return Vec::new();
    }
    scenario
        .faults
        .iter()
        .map(|fault| format!("planned:  {}", at.plan.redactor.text(&fault.to_string())))
        .collect()
}

fn line<C: Client>(
    at: &At<'_, C>,
    property: &'static Property,
    verdict: &Verdict,
    cases: usize,
) -> VerdictLine {
    let (because, evidence) = match verdict {
        Verdict::Held(notes) => (property.summary.to_owned(), notes.clone()),
        Verdict::Violated(violation) => (violation.because.clone(), violation.evidence.clone()),
        Verdict::NotReached(why) | Verdict::Inconclusive(why) | Verdict::NotApplicable(why) => {
            (why.clone(), Vec::new())
        }
    };
    let redactor = &at.plan.redactor;
    let is_open = !matches!(verdict.standing(), Standing::Held | Standing::NotApplicable);
    VerdictLine {
        property: property.id.to_owned(),
        scenario: at.unit.name.clone(),
        client: at.bench.client.name().to_owned(),
        verdict: verdict.standing(),
        required: at.keeper.is_required(property) || (verdict.is_violated() && at.keeper.counts(property)),
        because: redactor.text(&because),
        evidence: evidence.iter().map(|line| redactor.text(line)).collect(),
        cases: u32::try_from(cases).unwrap_or(u32::MAX),
        session: None,
        found: None,
        repeat: if is_open && at.unit.scenario.is_some() { repeat(at, None) } else { None },
        rests_on: None,
        known: None,
    }
}

/// How it is shown again, if anybody can say so.
fn repeat<C>(at: &At<'_, C>, found: Option<&Path>) -> Option<String> {
    let again = match (found, &at.unit.scenario) {
        (Some(file), _) => Again::Found(file),
        (None, Some(scenario)) => Again::Scenario(scenario, at.plan.seed),
        (None, None) => Again::Generated { cases: at.plan.cases, seed: at.plan.seed, faults: at.plan.faults },
    };
    at.plan.repeat.as_ref().map(|repeat| repeat(&again))
}

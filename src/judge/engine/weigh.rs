//! One verdict for a property over all cases of a unit; a violation is confirmed, saved and shrunk on the way.

use std::path::{Path, PathBuf};
use std::time::Instant;

use super::Tell;
use super::found::{self, Finding};
use super::generate::Generated;
use super::plan::{Again, Plan, Progress};
use super::slot::Slot;
use super::trial::{Bench, Ran, Trial, Tried};
use super::unit::{Unit, is_beside, travels};
use crate::client::Client;
use crate::judge::about::About;
use crate::judge::case::Case;
use crate::judge::law::{PROPERTIES, Property};
use crate::judge::verdict::{Verdict, Violation};
use crate::ledger::{Standing, VerdictLine};

/// How often a violation is looked for again before it is believed, the first time included.
const LOOKS: u32 = 3;
/// How many cases that break a property are tried for one that breaks it each time.
const CANDIDATES: usize = 3;

/// Where and for whom a verdict is found.
pub(super) struct At<'a, C> {
    pub(super) plan: &'a Plan,
    pub(super) bench: &'a Bench<'a, C>,
    pub(super) slots: &'a [Slot],
    pub(super) unit: &'a Unit,
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
    let mut flaky = None;
    for index in broken.iter().take(CANDIDATES) {
        let Some(trial) = at.unit.trials.get(*index) else { continue };
        match confirm(at, property, trial, tried.get(*index)).await {
            Ok(example) => return violated(at, property, example, cases).await,
            Err(times) => flaky = flaky.or(Some(times)),
        }
    }
    if let Some(times) = flaky {
        let why = format!("flaky: broken {times} of {LOOKS} times in the same case");
        return Weighed { line: line(at, property, &Verdict::Inconclusive(why), cases), shown: Vec::new() };
    }
    let mut heaviest: Option<(usize, &Verdict, &[Ran])> = None;
    for answer in answers(property, tried) {
        if heaviest.is_none_or(|heaviest| answer.1.weight() > heaviest.1.weight()) {
            heaviest = Some(answer);
        }
    }
    let Some((index, verdict, _)) = heaviest else {
        return Weighed { line: line(at, property, &no_cases(at, property), 0), shown: Vec::new() };
    };
    let shown: Vec<Ran> = tried.get(index).map(|tried| tried.base.clone()).into_iter().collect();
    let mut line = line(at, property, verdict, cases);
    line.session = shown.first().map(|ran| ran.label.clone());
    Weighed { line, shown }
}

fn no_cases<C: Client>(at: &At<'_, C>, property: &Property) -> Verdict {
    if let Some(job) = property.job_among(at.bench.client.jobs()) {
        let jobs = About::jobs(at.bench.client);
        if at.unit.scenario.as_ref().is_some_and(|scenario| is_beside(scenario, &jobs)) {
            return Verdict::NotApplicable("what goes wrong here, no job of the client asks for".to_owned());
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

/// A case that breaks a property each time it is run.
struct Example {
    trial: Trial,
    violation: Violation,
    shown: Vec<Ran>,
}

/// Runs a case again; `Err` says how often it broke the property if not each time.
async fn confirm<C: Client>(
    at: &At<'_, C>,
    property: &'static Property,
    trial: &Trial,
    first: Option<&Tried>,
) -> Result<Example, u32> {
    let mut example = first.and_then(|tried| example(trial, property, tried));
    let mut times = u32::from(example.is_some());
    let further = LOOKS - times;
    for _ in 0..further {
        let Some(again) = look(at, property, trial).await else { continue };
        times += 1;
        example = example.or(Some(again));
    }
    match example {
        Some(example) if times == LOOKS => Ok(example),
        _ => Err(times),
    }
}

/// Runs a case for one property; `None` if it does not break it.
async fn look<C: Client>(at: &At<'_, C>, property: &'static Property, trial: &Trial) -> Option<Example> {
    let slot = at.slots.first()?;
    let trial = Trial { properties: vec![property], ..trial.clone() };
    let tried = at.bench.attempt(slot, &trial).await;
    example(&trial, property, &tried)
}

fn example(trial: &Trial, property: &'static Property, tried: &Tried) -> Option<Example> {
    let (_, verdict, variants) = tried.answers.iter().find(|(one, _, _)| *one == property)?;
    let Verdict::Violated(violation) = verdict else { return None };
    let shown = std::iter::once(&tried.base).chain(variants).cloned().collect();
    Some(Example { trial: trial.clone(), violation: violation.clone(), shown })
}

/// Saves, shrinks, saves again, and says it all.
async fn violated<C: Client>(
    at: &At<'_, C>,
    property: &'static Property,
    example: Example,
    cases: usize,
) -> Weighed {
    let first = save(at, property, &example);
    let example = shrink(at, property, example).await;
    let saved = save(at, property, &example);
    if let (Some(Ok(first)), Some(Ok(saved))) = (&first, &saved)
        && first != saved
    {
        // The smaller one stands for both. If the first stays, it is one more file that runs first.
        let _ = std::fs::remove_file(first);
    }
    let verdict = Verdict::Violated(example.violation.clone());
    let mut line = line(at, property, &verdict, cases);
    line.session = example.shown.first().map(|ran| ran.label.clone());
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

/// Saves a finding; `None` if there is no folder for it, it came from a file, or nobody asked for the property.
fn save<C: Client>(
    at: &At<'_, C>,
    property: &'static Property,
    example: &Example,
) -> Option<Result<PathBuf, String>> {
    let folder = at.plan.found.as_ref()?;
    if at.unit.found.is_some() || !is_required(at, property) {
        return None;
    }
    let finding = Finding {
        property,
        client: at.bench.client.name(),
        case: &example.trial.case,
        because: &example.violation.because,
    };
    let saved = found::save(folder, &finding, &at.plan.redactor);
    Some(saved.map_err(|error| format!("{}: {error}", folder.display())))
}

fn is_required<C>(at: &At<'_, C>, property: &'static Property) -> bool {
    // Faults of a command line come without a list: what they put to the test must hold.
    let is_of_faults = at.unit.scenario.as_ref().is_some_and(|scenario| scenario.is_of_faults());
    is_of_faults || at.unit.required.contains(&property)
}

/// Makes a generated case as small as it still breaks the property, within the budget.
async fn shrink<C: Client>(at: &At<'_, C>, property: &'static Property, example: Example) -> Example {
    let Some(sprout) = example.trial.sprout.clone() else { return example };
    let began = Instant::now();
    let (mut best, mut tries) = (example, 0);
    // Different steps lead to the same value at times; it is run once.
    let mut known: Vec<(Generated, bool)> = sprout.value().map(|value| (value, true)).into_iter().collect();
    let mut next = sprout.simpler();
    while let Some(candidate) = next
        && tries < at.plan.budget.tries
        && began.elapsed() < at.plan.budget.wall
    {
        let Some(value) = candidate.value() else { break };
        let breaks = match known.iter().find(|(one, _)| *one == value) {
            Some((_, breaks)) => *breaks,
            None => {
                tries += 1;
                (at.tell)(Progress::Shrinks { property: property.id.to_owned(), tries });
                let old = &best.trial.case;
                let case = value.clone().case((old.job, old.about), &old.dialect, old.seed);
                let case = Case { body: old.body.clone(), ..case };
                let trial = Trial { case, ..best.trial.clone() };
                let smaller = look(at, property, &trial).await;
                known.push((value, smaller.is_some()));
                smaller.map(|smaller| best = smaller).is_some()
            }
        };
        next = if breaks { candidate.simpler() } else { candidate.less_simple() };
    }
    best
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
        required: is_required(at, property),
        because: redactor.text(&because),
        evidence: evidence.iter().map(|line| redactor.text(line)).collect(),
        cases: u32::try_from(cases).unwrap_or(u32::MAX),
        session: None,
        found: None,
        repeat: if is_open && at.unit.scenario.is_some() { repeat(at, None) } else { None },
        rests_on: None,
    }
}

/// How it is shown again, if anybody can say so.
fn repeat<C>(at: &At<'_, C>, found: Option<&Path>) -> Option<String> {
    let again = match (found, &at.unit.scenario) {
        (Some(file), _) => Again::Found(file),
        (None, Some(scenario)) => Again::Scenario(scenario, at.plan.seed),
        (None, None) => Again::Generated(at.plan.cases, at.plan.seed),
    };
    at.plan.repeat.as_ref().map(|repeat| repeat(&again))
}

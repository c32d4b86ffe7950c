//! Which cases a scenario, a counter-example, or the generated part of a plan consists of: `made` and `staged` make them.

use std::path::PathBuf;
use std::sync::Arc;

use super::evidence;
use super::made::Made;
use super::plan::{JudgeError, Plan};
use super::staged::Maker;
use super::trial::Trial;
use crate::client::{Client, JobKind};
use crate::fault::{Effect, Fault};
use crate::judge::about::About;
use crate::judge::case::Case;
use crate::judge::law::{PROPERTIES, Property, property};
use crate::judge::names::resolve;
use crate::replay::Evidence;
use crate::scenario::{Case as FoundCase, PlannedFault, Scenario};

/// Cases that are judged together: a verdict a property.
#[derive(Debug)]
pub(super) struct Unit {
    /// The scenario's name, or `generated`.
    pub(super) name: String,
    pub(super) scenario: Option<Arc<Scenario>>,
    pub(super) trials: Vec<Trial>,
    /// The properties that must hold.
    pub(super) required: Vec<&'static Property>,
    /// The file, if it is a counter-example that was found before.
    pub(super) found: Option<PathBuf>,
}

/// The name of the unit of generated cases.
pub(super) const GENERATED: &str = "generated";

/// The properties of a case of this job that is run once.
pub(super) fn judged_in(job: JobKind) -> Vec<&'static Property> {
    let is_judged = |property: &&&Property| property.judges(job) && property.variants.is_none();
    PROPERTIES.iter().filter(is_judged).copied().collect()
}

/// The dialects in which a client is asked for something, at least one: those it knows, of those that there are.
pub(super) fn dialects_of<C: Client>(client: &C, about: &About) -> Vec<String> {
    let known = |dialect: &&String| about.renames(dialect).is_some();
    let dialects: Vec<String> = client.dialects().iter().filter(known).cloned().collect();
    if dialects.is_empty() { vec!["sample".to_owned()] } else { dialects }
}

/// Generated cases on a clean replay, and a few errors that a console may answer with.
pub(super) fn generated<C: Client>(plan: &Plan, client: &C) -> Unit {
    let mut trials = Vec::new();
    for (job, about) in About::jobs(client) {
        for dialect in dialects_of(client, &about) {
            let made = Made {
                seed: plan.seed,
                job,
                about,
                dialect: &dialect,
                body: client.body(),
                faults: plan.faults,
            };
            trials.extend(made.trials(plan.cases));
        }
    }
    let jobs = client.jobs();
    // What a drawn life puts to the test must hold; what it will be, nobody knows before.
    let is_certain =
        |trial: &Trial| trial.sprout.is_none() || !matches!(trial.case.job, JobKind::Wait | JobKind::Create);
    let is_put = |property: &Property| {
        let is_meant = |trial: &&Trial| property.jobs.contains(&trial.case.job) && is_certain(trial);
        let is_judged = |trial: &Trial| trial.properties.iter().any(|judged| judged.id == property.id);
        trials.iter().filter(is_meant).any(is_judged)
    };
    // What no job of the client shows is not applicable.
    let is_asked = |property: &&&Property| match property.generated {
        true => is_put(property) || property.job_among(jobs).is_none(),
        false => property.story.is_none() && is_put(property),
    };
    let required = PROPERTIES.iter().filter(is_asked).copied().collect();
    Unit { name: GENERATED.to_owned(), scenario: None, required, trials, found: None }
}

/// The cases of a scenario: for each job that its properties need, with and without a selector, in each dialect the
/// client speaks.
pub(super) fn of_scenario<C: Client>(
    plan: &Plan,
    scenario: &Arc<Scenario>,
    client: &C,
) -> Result<Unit, JudgeError> {
    let required = resolve(scenario)?;
    let scenario = &about_its_list(scenario, client);
    let evidence = || {
        (plan.evidence)(scenario).map_err(|why| JudgeError::Evidence { scenario: scenario.name.clone(), why })
    };
    let mut trials = Vec::new();
    if let Some(case) = &scenario.case {
        let own = if case.task.is_some() { None } else { Some(evidence()?) };
        trials.extend(found_trial(scenario, case, own, client));
    } else if !is_beside(scenario, &About::jobs(client)) {
        let recorded = evidence()?;
        let jobs = About::jobs(client)
            .into_iter()
            .filter(|(_, about)| !is_in_a_foreign_spelling(scenario, client, about));
        let dialects: Vec<(JobKind, About, Vec<String>)> =
            jobs.map(|(job, about)| (job, about, dialects_of(client, &about))).collect();
        let mut order: Vec<&String> = Vec::new();
        for dialect in dialects.iter().flat_map(|(_, _, dialects)| dialects) {
            if !order.contains(&dialect) {
                order.push(dialect);
            }
        }
        for dialect in order {
            for (job, about, _) in dialects.iter().filter(|(_, _, dialects)| dialects.contains(dialect)) {
                let spoken = evidence::in_dialect(&recorded, about, dialect);
                let maker = Maker {
                    scenario,
                    about: *about,
                    body: client.body(),
                    dialect,
                    seed: plan.seed,
                    evidence: &spoken,
                    required: &required,
                };
                trials.extend(maker.trials(*job, client.jobs()));
            }
        }
    }
    let found = scenario.case.as_ref().and(scenario.file.clone());
    Ok(Unit { name: scenario.name.clone(), scenario: Some(Arc::clone(scenario)), trials, required, found })
}

/// The same story about the list that a client reads: what befalls pages can befall those of any list. Only one that
/// travels with the program, and is about lists alone of which the client asks for none.
fn about_its_list<C: Client>(scenario: &Arc<Scenario>, client: &C) -> Arc<Scenario> {
    let jobs = About::jobs(client);
    let own = jobs.iter().find(|(job, _)| *job == JobKind::List).map(|(_, about)| about.asks.id.as_str());
    let is_list = |id: &str| {
        About::of(JobKind::List, id).is_some_and(|about| about.asks.is_list && about.asks.takes_range())
    };
    let is_of_lists =
        scenario.faults.iter().all(|planned| planned.when.endpoint.as_deref().is_some_and(is_list));
    let Some(own) = own.filter(|_| is_of_lists && is_beside(scenario, &jobs)) else {
        return Arc::clone(scenario);
    };
    let mut about_it = Scenario::clone(scenario);
    for planned in &mut about_it.faults {
        planned.when.endpoint = Some(own.to_owned());
    }
    Arc::new(about_it)
}

/// The planned faults that wait for a request which only jobs make that the client does not do, by their titles.
pub(super) fn out_of_reach(scenario: &Scenario, jobs: &[(JobKind, About)]) -> Vec<String> {
    let is_reached = |id: &str| jobs.iter().any(|(job, about)| about.reaches(*job, id));
    let waits_for =
        |planned: &&PlannedFault| planned.when.endpoint.as_deref().is_some_and(|id| !is_reached(id));
    scenario.faults.iter().filter(waits_for).map(|planned| scenario.title_of(planned)).collect()
}

/// Whether it is one of those in the program.
pub(super) fn travels(scenario: &Scenario) -> bool {
    scenario.file.is_none() && !scenario.is_of_faults() && !scenario.is_of_input()
}

/// Whether a story that travels with the program is about requests alone that the client never makes. One in a file is
/// the user's: if its faults are out of reach, somebody has to hear of it.
pub(super) fn is_beside(scenario: &Scenario, jobs: &[(JobKind, About)]) -> bool {
    let faults = scenario.faults.len();
    travels(scenario) && faults > 0 && out_of_reach(scenario, jobs).len() == faults
}

/// Whether a story that travels with the program answers in the other spelling of a task, and the client's file says that
/// it reads one alone. Of a file that is the user's, somebody has to hear what comes of it.
pub(super) fn is_in_a_foreign_spelling<C: Client>(scenario: &Scenario, client: &C, about: &About) -> bool {
    let respells = |planned: &PlannedFault| {
        Fault::row(planned.inject.kind()).is_some_and(|row| row.effect == Effect::Respelt)
    };
    let has_another = about.life.is_some_and(|life| !life.dialects.is_empty());
    has_another
        && travels(scenario)
        && scenario.faults.iter().any(respells)
        && dialects_of(client, about).len() < 2
}

/// The one case of a counter-example. What it is about stands in it, or is usual.
fn found_trial<C: Client>(
    scenario: &Arc<Scenario>,
    found: &FoundCase,
    evidence: Option<Evidence>,
    client: &C,
) -> Option<Trial> {
    let property = property(&found.property)?;
    let job = JobKind::parse(&found.job)?;
    let about = About::of(job, found.endpoint.as_deref().or(job.usual_endpoint())?)?;
    let evidence = evidence.map(|evidence| evidence::in_dialect(&evidence, &about, &found.dialect));
    let subject = evidence.as_ref().map(|evidence| evidence::subject(evidence, &about)).unwrap_or_default();
    let named = found.path.as_deref().and_then(|path| about.values(&format!("/api{path}")));
    let own = || {
        let id = evidence::id_of(&about, &crate::json::Json::parse(found.task.as_deref()?).ok()?)?;
        Some(vec![(about.params().last()?.to_owned(), id)])
    };
    let params = named.or_else(own).or(subject.params).unwrap_or_default();
    let case = Case {
        job,
        about,
        dialect: found.dialect.clone(),
        fields: found.fields.clone(),
        params: if job == JobKind::Create && found.path.is_none() { Vec::new() } else { params },
        name: (job == JobKind::Create).then(|| subject.name.unwrap_or_else(|| "Case1".to_owned())),
        body: client.body().filter(|_| job == JobKind::Send).map(str::to_owned),
        task: found.task.clone(),
        answer: None,
        scenario: Some(Arc::clone(scenario)),
        pace_ms: property.pace_ms(),
        seed: found.seed,
    };
    let label = format!("{}/{}", scenario.name, found.job);
    Some(Trial { label, case, evidence, properties: vec![property], sprout: None })
}

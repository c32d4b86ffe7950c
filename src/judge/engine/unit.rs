//! Which cases a scenario, a counter-example, or the generated part of a plan consists of. Which property is judged in
//! which of them, its row says.

use std::path::PathBuf;
use std::sync::Arc;

use super::evidence::{self, spelt};
use super::generate::{Sprout, plain};
use super::plan::{JudgeError, Plan};
use super::trial::Trial;
use crate::client::{Client, JobKind};
use crate::fault::Fault;
use crate::judge::case::Case;
use crate::judge::law::{PROPERTIES, Property, property};
use crate::judge::names::resolve;
use crate::judge::wire;
use crate::profile::Profile;
use crate::replay::Evidence;
use crate::scenario::{Case as FoundCase, Scenario, fault_toml};
use crate::seed::Seed;

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
/// Of how many generated cases one is run with its variants too.
const VARIED: u32 = 4;

/// The properties of a case of this job that is run once.
fn judged_in(job: JobKind) -> Vec<&'static Property> {
    let is_judged = |property: &&&Property| property.jobs.contains(&job) && property.variants.is_none();
    PROPERTIES.iter().filter(is_judged).copied().collect()
}

/// The properties that generated cases put to the test.
fn of_generated() -> impl Iterator<Item = &'static Property> {
    PROPERTIES.iter().copied().filter(|property| property.generated)
}

/// The dialects of the API that a client knows, at least one.
pub(super) fn dialects<C: Client>(client: &C) -> Vec<String> {
    let known = |dialect: &&String| wire::life().renames(dialect).is_some();
    let dialects: Vec<String> = client.dialects().iter().filter(known).cloned().collect();
    if dialects.is_empty() { vec!["sample".to_owned()] } else { dialects }
}

/// Generated `get` cases on a clean replay, and a few errors that a console may answer with.
pub(super) fn generated<C: Client>(plan: &Plan, client: &C) -> Unit {
    let mut trials = Vec::new();
    if client.jobs().contains(&JobKind::Get) {
        for dialect in dialects(client) {
            trials.extend((0..plan.cases).filter_map(|index| generated_trial(plan.seed, &dialect, index)));
            trials.extend(error_trials(plan.seed, &dialect));
        }
    }
    // Without `get`, what other jobs show is for the scenarios to ask; the rest is not applicable.
    let jobs = client.jobs();
    let is_asked = |property: &&Property| !trials.is_empty() || property.job_among(jobs).is_none();
    let required = of_generated().filter(is_asked).collect();
    Unit { name: GENERATED.to_owned(), scenario: None, required, trials, found: None }
}

fn generated_trial(seed: Seed, dialect: &str, index: u32) -> Option<Trial> {
    let sprout = Sprout::new(seed, dialect, index);
    let mut value = sprout.value()?;
    if index == 0 {
        // The whole resource is always among the cases.
        value.fields = None;
    }
    let is_varied = index.is_multiple_of(VARIED);
    let properties = of_generated().filter(|property| is_varied || property.variants.is_none());
    Some(Trial {
        label: format!("{GENERATED}/{dialect}/{:04}", index + 1),
        case: value.case(dialect, seed),
        evidence: None,
        properties: properties.collect(),
        sprout: (index > 0).then_some(sprout),
    })
}

/// Errors by asking wrongly: what it is called, and with which `fields`.
const MISTAKES: [(&str, &str); 2] = [("unknown-field", "id,nope"), ("field-twice", "id,id")];

fn error_trials(seed: Seed, dialect: &str) -> Vec<Trial> {
    let trial = |name: &str, fields: Option<&str>, scenario: Option<Arc<Scenario>>| Trial {
        label: format!("{GENERATED}/{dialect}/{name}"),
        case: Case { fields: fields.map(str::to_owned), scenario, ..plain(dialect).case(dialect, seed) },
        evidence: None,
        properties: of_generated().filter(|property| property.variants.is_none()).collect(),
        sprout: None,
    };
    let by_fault = Fault::errors()
        .into_iter()
        .filter_map(|(name, error)| Some(trial(name, None, Some(with_fault(name, &error)?))));
    let by_mistake = MISTAKES.iter().map(|(name, fields)| trial(name, Some(fields), None));
    by_fault.chain(by_mistake).collect()
}

/// A scenario in which every poll meets this fault.
fn with_fault(name: &str, fault: &Fault) -> Option<Arc<Scenario>> {
    let text = format!(
        "summary = \"Every poll is answered with: {name}.\"\n\n[[fault]]\nwhen = {{ endpoint = \
         \"{}\", nth = \"1-\" }}\ninject = {}\n",
        wire::TASK,
        fault_toml(fault)
    );
    Scenario::parse(name, name, &text, Profile::builtin()).ok().map(Arc::new)
}

/// The cases of a scenario: for each job that its properties need, with and without a selector, in each dialect the
/// client speaks.
pub(super) fn of_scenario<C: Client>(
    plan: &Plan,
    scenario: &Arc<Scenario>,
    client: &C,
) -> Result<Unit, JudgeError> {
    let required = resolve(scenario)?;
    let evidence = || {
        (plan.evidence)(scenario).map_err(|why| JudgeError::Evidence { scenario: scenario.name.clone(), why })
    };
    let mut trials = Vec::new();
    if let Some(case) = &scenario.case {
        let own = if case.task.is_some() { None } else { Some(evidence()?) };
        trials.extend(found_trial(scenario, case, own));
    } else {
        let recorded = evidence()?;
        for dialect in dialects(client) {
            let spoken = evidence::in_dialect(&recorded, &dialect);
            let maker = Maker {
                scenario,
                dialect: &dialect,
                seed: plan.seed,
                evidence: &spoken,
                required: &required,
            };
            trials.extend(maker.trials(client.jobs()));
        }
    }
    let found = scenario.case.as_ref().and(scenario.file.clone());
    Ok(Unit { name: scenario.name.clone(), scenario: Some(Arc::clone(scenario)), trials, required, found })
}

/// The one case of a counter-example.
fn found_trial(scenario: &Arc<Scenario>, found: &FoundCase, evidence: Option<Evidence>) -> Option<Trial> {
    let property = property(&found.property)?;
    let job = JobKind::parse(&found.job)?;
    let evidence = evidence.map(|evidence| evidence::in_dialect(&evidence, &found.dialect));
    let subject = evidence.as_ref().map(evidence::subject).unwrap_or_default();
    let own = found.task.as_deref().and_then(|task| {
        let json = crate::json::Json::parse(task).ok()?;
        Some(json.member(&wire::life().id)?.text().to_owned())
    });
    let case = Case {
        job,
        dialect: found.dialect.clone(),
        fields: found.fields.clone(),
        id: if job == JobKind::Create { None } else { own.or(subject.id) },
        name: (job == JobKind::Create).then(|| subject.name.unwrap_or_else(|| "Case1".to_owned())),
        task: found.task.clone(),
        answer: None,
        scenario: Some(Arc::clone(scenario)),
        seed: found.seed,
    };
    let label = format!("{}/{}", scenario.name, found.job);
    Some(Trial { label, case, evidence, properties: vec![property], sprout: None })
}

/// Makes the cases of a scenario in one dialect.
struct Maker<'a> {
    scenario: &'a Arc<Scenario>,
    dialect: &'a str,
    seed: Seed,
    evidence: &'a Evidence,
    required: &'a [&'static Property],
}

impl Maker<'_> {
    fn trials(&self, jobs: &[JobKind]) -> Vec<Trial> {
        let wanted = |job: JobKind| {
            let is_for = |property: &&Property| property.job_among(jobs) == Some(job);
            jobs.contains(&job) && (self.required.is_empty() || self.required.iter().any(is_for))
        };
        let subject = evidence::subject(self.evidence);
        let mut trials = Vec::new();
        if subject.id.is_some() {
            if wanted(JobKind::Get) {
                trials.extend(self.get(&subject));
            }
            if wanted(JobKind::Wait) {
                trials.extend(self.wait(&subject));
            }
        }
        if wanted(JobKind::Create) {
            let name = subject.name.clone().unwrap_or_else(|| "Case1".to_owned());
            let case = Case { name: Some(name), ..self.case(JobKind::Create, None) };
            trials.push(self.trial("create", 1, case, judged_in(JobKind::Create)));
        }
        trials
    }

    fn get(&self, subject: &evidence::Subject) -> Vec<Trial> {
        let selectors = [None, Some(&["id", "state"][..]), Some(&["case_id", "name"][..])];
        let mut trials: Vec<Trial> = (1..)
            .zip(selectors)
            .map(|(n, names)| {
                let case = Case { id: subject.id.clone(), ..self.case(JobKind::Get, names) };
                self.trial("get", n, case, judged_in(JobKind::Get))
            })
            .collect();
        let varied: Vec<&'static Property> =
            self.required.iter().copied().filter(|property| property.variants.is_some()).collect();
        if !varied.is_empty() {
            let selectors = [None, Some(&["id", "name", "state"][..])];
            trials.extend((1..).zip(selectors).map(|(n, names)| {
                let case = Case {
                    id: subject.id.clone(),
                    task: subject.task.clone(),
                    ..self.case(JobKind::Get, names)
                };
                self.trial("get-varied", n, case, varied.clone())
            }));
        }
        trials
    }

    /// A selector that keeps the state, or none.
    fn wait(&self, subject: &evidence::Subject) -> Vec<Trial> {
        (1..)
            .zip([None, Some(&["id", "state"][..])])
            .map(|(n, names)| {
                let case = Case { id: subject.id.clone(), ..self.case(JobKind::Wait, names) };
                self.trial("wait", n, case, judged_in(JobKind::Wait))
            })
            .collect()
    }

    fn case(&self, job: JobKind, names: Option<&[&str]>) -> Case {
        let spelt_out =
            |names: &[&str]| names.iter().map(|name| spelt(name, self.dialect)).collect::<Vec<_>>().join(",");
        Case {
            job,
            dialect: self.dialect.to_owned(),
            fields: names.map(spelt_out),
            id: None,
            name: None,
            task: None,
            answer: None,
            scenario: Some(Arc::clone(self.scenario)),
            seed: self.seed,
        }
    }

    /// Each case has a seed of its own, so that faults with a chance fall otherwise in each.
    fn trial(&self, kind: &str, n: u32, case: Case, properties: Vec<&'static Property>) -> Trial {
        let label = format!("{}/{}/{kind}-{n}", self.scenario.name, self.dialect);
        let word = self.seed.stream(&["judge", &label]).word() >> 1;
        let seed = if n == 1 { self.seed } else { Seed(word) };
        Trial {
            label,
            case: Case { seed, ..case },
            evidence: Some(self.evidence.clone()),
            properties,
            sprout: None,
        }
    }
}

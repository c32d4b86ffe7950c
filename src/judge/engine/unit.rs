//! Which cases a scenario, a counter-example, or the generated part of a plan consists of. Which property is judged in
//! which of them, its row says.

use std::path::PathBuf;
use std::sync::Arc;

use super::evidence::{self, spelt};
use super::generate::{Generated, Sprout, plain, plain_in};
use super::plan::{JudgeError, Plan};
use super::trial::Trial;
use crate::client::{Client, JobKind};
use crate::fault::Fault;
use crate::judge::about::About;
use crate::judge::case::Case;
use crate::judge::law::{PROPERTIES, Property, property};
use crate::judge::names::resolve;
use crate::profile::Profile;
use crate::replay::Evidence;
use crate::scenario::{Case as FoundCase, PlannedFault, Scenario, fault_toml};
use crate::seed::Seed;
use crate::timeline::Phase;

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
            let made = Made { seed: plan.seed, job, about, dialect: &dialect, body: client.body() };
            trials.extend(made.trials(plan.cases));
        }
    }
    let jobs = client.jobs();
    let is_put = |job: &JobKind| trials.iter().any(|trial| trial.case.job == *job);
    // Without `get`, what other jobs show is for the scenarios to ask; the rest is not applicable.
    let is_looked_at = is_put(&JobKind::Get) || is_put(&JobKind::Send);
    let is_asked = |property: &&&Property| match property.generated {
        true => is_looked_at || property.job_among(jobs).is_none(),
        false => property.jobs.iter().any(is_put),
    };
    let required = PROPERTIES.iter().filter(is_asked).copied().collect();
    Unit { name: GENERATED.to_owned(), scenario: None, required, trials, found: None }
}

/// Makes the generated cases of a job in one dialect.
struct Made<'a> {
    seed: Seed,
    job: JobKind,
    about: About,
    dialect: &'a str,
    body: Option<&'a str>,
}

impl Made<'_> {
    /// `get` and `send` are put to values of all kinds. What waits for a usual task meets it in the scenarios; of another
    /// task there are none, so its life is told here.
    fn trials(&self, cases: u32) -> Vec<Trial> {
        let mut trials = match self.job {
            JobKind::Get | JobKind::Send => {
                let drawn = (0..cases).filter_map(|index| self.drawn(index));
                drawn.chain(self.mistakes()).collect()
            }
            JobKind::Wait | JobKind::Create if self.about.is_usual => return Vec::new(),
            JobKind::Wait | JobKind::Create => self.ends(),
        };
        trials.extend(self.by_fault());
        trials
    }

    fn label(&self, name: &str) -> String {
        match self.job {
            JobKind::Get => format!("{GENERATED}/{}/{name}", self.dialect),
            job => format!("{GENERATED}/{job}/{}/{name}", self.dialect),
        }
    }

    fn trial(&self, name: &str, value: Generated, properties: Vec<&'static Property>) -> Trial {
        let case = Case {
            name: (self.job == JobKind::Create).then(|| "Case1".to_owned()),
            body: self.body.filter(|_| self.job == JobKind::Send).map(str::to_owned),
            ..value.case((self.job, self.about), self.dialect, self.seed)
        };
        Trial { label: self.label(name), case, evidence: None, properties, sprout: None }
    }

    fn drawn(&self, index: u32) -> Option<Trial> {
        let sprout = Sprout::new(self.seed, self.about, self.dialect, index);
        let mut value = sprout.value()?;
        if index == 0 {
            // The whole resource is always among the cases.
            value.fields = None;
        }
        let is_varied = index.is_multiple_of(VARIED);
        let properties = of_generated().filter(|property| is_varied || property.variants.is_none());
        let trial = self.trial(&format!("{:04}", index + 1), value, properties.collect());
        Some(Trial { sprout: (index > 0).then_some(sprout), ..trial })
    }

    /// Errors by asking wrongly.
    fn mistakes(&self) -> impl Iterator<Item = Trial> {
        MISTAKES.iter().map(|(name, fields)| {
            let plain = Generated { fields: Some((*fields).to_owned()), ..plain(&self.about, self.dialect) };
            self.trial(name, plain, self.plainly_judged())
        })
    }

    /// A task that comes to each of its ends.
    fn ends(&self) -> Vec<Trial> {
        let phases = self.about.life.map_or(&[][..], |life| &life.phases);
        let is_end = |phase: Phase| matches!(phase, Phase::Done | Phase::Failed | Phase::Cancelled);
        let ends = phases.iter().filter(|(_, phase)| is_end(*phase)).map(|(state, _)| state.as_str());
        // And one that comes no further than partly done, where there is such a thing.
        let partial = self.about.life.and_then(|life| life.spelling(Phase::Partial));
        let to = |state| {
            let value = plain_in(&self.about, self.dialect, Some(state));
            self.trial(state, value, self.plainly_judged())
        };
        ends.chain(partial).map(to).collect()
    }

    /// Every answer, or the one to the creation, is an error; or that one is lost.
    fn by_fault(&self) -> Vec<Trial> {
        let errors = Fault::errors().into_iter().map(|(name, fault)| (name, fault_toml(&fault)));
        let lost = (self.job == JobKind::Create).then(|| ("lost-answer", LOST.to_owned()));
        let trial = |(name, inject): (&str, String)| {
            let scenario = with_fault(name, &self.about.asks.id, &inject)?;
            let mut trial = self.trial(name, plain(&self.about, self.dialect), self.plainly_judged());
            trial.case.scenario = Some(scenario);
            Some(trial)
        };
        errors.chain(lost).filter_map(trial).collect()
    }

    fn plainly_judged(&self) -> Vec<&'static Property> {
        match self.job {
            JobKind::Get | JobKind::Send => {
                of_generated().filter(|property| property.variants.is_none()).collect()
            }
            job => judged_in(job),
        }
    }
}

/// Errors by asking wrongly: what it is called, and with which `fields`.
const MISTAKES: [(&str, &str); 2] = [("unknown-field", "id,nope"), ("field-twice", "id,id")];

/// The fault that takes an answer away.
const LOST: &str = "{ reset = { after_bytes = 0 } }";

/// A scenario in which whatever this endpoint is asked meets this fault.
fn with_fault(name: &str, endpoint: &str, inject: &str) -> Option<Arc<Scenario>> {
    let text = format!(
        "summary = \"Every answer of {endpoint} is: {name}.\"\nwrites = \"last\"\n\n[[fault]]\nwhen = {{ endpoint = \
         \"{endpoint}\", nth = \"1-\" }}\ninject = {inject}\n"
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
        trials.extend(found_trial(scenario, case, own, client));
    } else if !is_beside(scenario, &About::jobs(client)) {
        let recorded = evidence()?;
        let jobs = About::jobs(client);
        let dialects: Vec<(JobKind, About, Vec<String>)> =
            jobs.into_iter().map(|(job, about)| (job, about, dialects_of(client, &about))).collect();
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
        seed: found.seed,
    };
    let label = format!("{}/{}", scenario.name, found.job);
    Some(Trial { label, case, evidence, properties: vec![property], sprout: None })
}

/// Makes the cases of a scenario for one job in one dialect.
struct Maker<'a> {
    scenario: &'a Arc<Scenario>,
    about: About,
    body: Option<&'a str>,
    dialect: &'a str,
    seed: Seed,
    evidence: &'a Evidence,
    required: &'a [&'static Property],
}

impl Maker<'_> {
    fn trials(&self, job: JobKind, jobs: &[JobKind]) -> Vec<Trial> {
        // One job is enough for a property, but a fault has to be met by a job that asks what it waits for.
        let asks = Some(self.about.asks.id.as_str());
        let meets = self.scenario.faults.iter().any(|planned| planned.when.endpoint.as_deref() == asks);
        let is_for = |property: &&Property| {
            property.job_among(jobs) == Some(job) || (meets && property.jobs.contains(&job))
        };
        if !self.required.is_empty() && !self.required.iter().any(is_for) {
            return Vec::new();
        }
        let subject = evidence::subject(self.evidence, &self.about);
        match (job, subject.params.is_some()) {
            (JobKind::Get | JobKind::Send, true) => self.looks(job, &subject),
            (JobKind::Wait, true) => self.wait(&subject),
            // What is recorded of a usual creation, or makes one, answers any.
            // A story of the program about something else is not one of those.
            (JobKind::Create, is_recorded) if is_recorded || (self.about.is_usual && self.makes_any()) => {
                let name = subject.name.clone().unwrap_or_else(|| "Case1".to_owned());
                let params = subject.params.unwrap_or_default();
                let case = Case { name: Some(name), params, ..self.case(JobKind::Create, None) };
                vec![self.trial("create", 1, case, judged_in(JobKind::Create))]
            }
            _ => Vec::new(),
        }
    }

    /// Whether what answers may take a creation that was not recorded.
    fn makes_any(&self) -> bool {
        !travels(self.scenario) || matches!(self.evidence, Evidence::Console(_))
    }

    /// Selectors of which each resource has something, the whole resource first.
    fn selectors(&self, usual: &[&[&str]]) -> Vec<Option<String>> {
        let spelt_out = |names: &[&str]| {
            let spelt = names.iter().map(|name| spelt(&self.about, name, self.dialect));
            spelt.collect::<Vec<_>>().join(",")
        };
        let all = self.about.shows.shape.names();
        let known: Vec<String> = if self.about.life.is_some_and(|_| self.about.is_usual) {
            usual.iter().map(|names| spelt_out(names)).collect()
        } else {
            // The first members, and those that decide something.
            let deciding: Vec<&str> = all.iter().copied().filter(|name| self.about.decides(name)).collect();
            let some: Vec<&str> = all.iter().copied().take(usual.len().max(2)).collect();
            [deciding, some].iter().filter(|names| !names.is_empty()).map(|names| spelt_out(names)).collect()
        };
        std::iter::once(None).chain(known.into_iter().map(Some)).collect()
    }

    fn looks(&self, job: JobKind, subject: &evidence::Subject) -> Vec<Trial> {
        let params = || subject.params.clone().unwrap_or_default();
        let selectors = self.selectors(&[&["id", "state"], &["case_id", "name"]]);
        let mut trials: Vec<Trial> = (1..)
            .zip(selectors)
            .map(|(n, fields)| {
                let case = Case { params: params(), ..self.case(job, fields) };
                self.trial(job.as_str(), n, case, judged_in(job))
            })
            .collect();
        let varied: Vec<&'static Property> =
            self.required.iter().copied().filter(|property| property.variants.is_some()).collect();
        if !varied.is_empty() {
            let selectors = self.selectors(&[&["id", "name", "state"]]);
            trials.extend((1..).zip(selectors).map(|(n, fields)| {
                let task = subject.task.clone();
                let case = Case { params: params(), task, ..self.case(job, fields) };
                self.trial(&format!("{job}-varied"), n, case, varied.clone())
            }));
        }
        trials
    }

    /// A selector that keeps the state, or none.
    fn wait(&self, subject: &evidence::Subject) -> Vec<Trial> {
        (1..)
            .zip(self.selectors(&[&["id", "state"]]).into_iter().take(2))
            .map(|(n, fields)| {
                let params = subject.params.clone().unwrap_or_default();
                let case = Case { params, ..self.case(JobKind::Wait, fields) };
                self.trial("wait", n, case, judged_in(JobKind::Wait))
            })
            .collect()
    }

    fn case(&self, job: JobKind, fields: Option<String>) -> Case {
        Case {
            job,
            about: self.about,
            dialect: self.dialect.to_owned(),
            fields,
            params: Vec::new(),
            name: None,
            body: self.body.filter(|_| job == JobKind::Send).map(str::to_owned),
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

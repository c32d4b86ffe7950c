//! The cases of a scenario for one job in one dialect.

use std::sync::Arc;

use super::evidence::{self, spelt};
use super::listed;
use super::telling;
use super::trial::Trial;
use super::unit::{judged_in, travels};
use crate::client::JobKind;
use crate::judge::about::About;
use crate::judge::case::Case;
use crate::judge::law::{Property, USUAL_PACE_MS};
use crate::profile::Lifecycle;
use crate::replay::Evidence;
use crate::scenario::{PlannedFault, Scenario};
use crate::seed::Seed;

/// What the longest name is made of: capitals, small letters and digits.
const LETTERS: &str = "Aq7LongCaseNameZz09";

/// A name of letters and digits, as long as one may be; empty where there is no such limit.
fn longest_name(life: &Lifecycle) -> String {
    if life.name_member.is_none() { String::new() } else { LETTERS.chars().take(life.name_max).collect() }
}

/// Makes the cases of a scenario for one job in one dialect.
pub(super) struct Maker<'a> {
    pub(super) scenario: &'a Arc<Scenario>,
    pub(super) about: About,
    pub(super) body: Option<&'a str>,
    pub(super) dialect: &'a str,
    pub(super) seed: Seed,
    pub(super) evidence: &'a Evidence,
    pub(super) required: &'a [&'static Property],
}

impl Maker<'_> {
    pub(super) fn trials(&self, job: JobKind, jobs: &[JobKind]) -> Vec<Trial> {
        // One job is enough for a property, but a fault has to be met by a job that asks what it waits for.
        let asks = Some(self.about.asks.id.as_str());
        // What makes a usual task waits for it, too; elsewhere what is recorded may not answer any creation.
        let shows = Some(self.about.shows.id.as_str()).filter(|_| self.about.is_usual);
        let is_met = |endpoint: Option<&str>| endpoint.is_some() && (endpoint == asks || endpoint == shows);
        let meets = self.scenario.faults.iter().any(|planned| is_met(planned.when.endpoint.as_deref()));
        let is_for = |property: &&Property| {
            property.job_among(jobs) == Some(job) || (meets && property.jobs.contains(&job))
        };
        if !self.required.is_empty() && !self.required.iter().any(is_for) {
            return Vec::new();
        }
        let subject = evidence::subject(self.evidence, &self.about);
        match (job, subject.params.is_some()) {
            (JobKind::Get | JobKind::Send, true) if self.is_met_at_once() => self.looks(job, &subject),
            (JobKind::Wait, true) => self.wait(&subject),
            // What is recorded of a usual creation, or makes one, answers any.
            // A story of the program about something else is not one of those.
            (JobKind::Create, is_recorded) if is_recorded || (self.about.is_usual && self.makes_any()) => {
                let name = subject.name.clone().unwrap_or_else(|| "Case1".to_owned());
                self.create(name, subject.params.unwrap_or_default())
            }
            // A list of its own answers a story of the program; one in a file is told of what was recorded.
            (JobKind::List, _) if meets && travels(self.scenario) => self.own_lists(),
            (JobKind::List, true) => self.recorded_list(&subject),
            _ => Vec::new(),
        }
    }

    fn own_lists(&self) -> Vec<Trial> {
        let list = |(n, length)| {
            let made = listed::of_length(&self.about, self.dialect, length);
            let case = Case { params: made.params, task: Some(made.task), ..self.case(JobKind::List, None) };
            self.trial("list", n, case, judged_in(JobKind::List))
        };
        (1..).zip(listed::LENGTHS_OF_STORIES).map(list).collect()
    }

    fn recorded_list(&self, subject: &evidence::Subject) -> Vec<Trial> {
        let params = subject.params.clone().unwrap_or_default();
        let case = Case { params, ..self.case(JobKind::List, None) };
        vec![self.trial("list", 1, case, judged_in(JobKind::List))]
    }

    /// Whether one look can meet what goes wrong. In a story of the program that begins later it could show nothing; what a
    /// file says is the user's, who has to hear of a fault that never fired.
    fn is_met_at_once(&self) -> bool {
        let faults = &self.scenario.faults;
        let is_first = |planned: &PlannedFault| {
            let when = &planned.when;
            when.nth.holds(1) && when.call.is_none_or(|call| call.holds(1)) && when.after.is_none()
        };
        !travels(self.scenario) || faults.is_empty() || faults.iter().any(is_first)
    }

    /// A creation; where nothing goes wrong, another one with the longest name that there may be.
    fn create(&self, name: String, params: Vec<(String, String)>) -> Vec<Trial> {
        let is_plain = self.scenario.faults.is_empty();
        let longest = self.about.life.map(longest_name).filter(|long| is_plain && !long.is_empty());
        (1..)
            .zip(std::iter::once(name).chain(longest))
            .map(|(n, name)| {
                let params = params.clone();
                let case = Case { name: Some(name), params, ..self.case(JobKind::Create, None) };
                self.trial("create", n, case, judged_in(JobKind::Create))
            })
            .collect()
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
        let usual = || self.selectors(&[&["id", "name", "state"]]).into_iter().flatten().next();
        let selector = match self.about.is_usual {
            true => usual(),
            false => telling::with_the_state(&self.about, self.dialect),
        };
        (1..)
            .zip(std::iter::once(None).chain(selector.map(Some)))
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
            pace_ms: self.required.iter().map(|property| property.pace_ms()).max().unwrap_or(USUAL_PACE_MS),
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

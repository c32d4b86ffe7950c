//! Makes a case as small as it still breaks a property: first the fewest faults, then the simplest of each, then the
//! selector and the resource.
//!
//! The budget counts steps, so that shrinking ends at the same case on a slow machine. A step is taken only if the
//! smaller case breaks the property each time it is looked at.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;

use super::Tell;
use super::confirm::{Example, Looks};
use super::generate::{Sprout, plain_in};
use super::plan::{Budget, Progress};
use super::simpler::{fewer, milder, selectors};
use super::trial::Trial;
use crate::client::Client;
use crate::json::Json;
use crate::judge::case::Case;
use crate::scenario::Scenario;

/// How often a smaller case has to break the property. The smallest one is confirmed once more at the end.
const LOOKS_A_STEP: u32 = 2;

/// The smallest case that was found.
pub(super) struct Shrunk {
    pub(super) example: Example,
    /// Whether it is smaller than what it began with.
    pub(super) is_smaller: bool,
    /// Why it may not be the smallest, if it may not.
    pub(super) note: Option<String>,
}

/// Shrinks an example within the budget.
pub(super) async fn shrink<C: Client>(
    looks: &Looks<'_, C>,
    budget: Budget,
    tell: Tell<'_>,
    example: Example,
) -> Shrunk {
    let known = BTreeMap::from([(text_of(&example.trial.case), true)]);
    let mut hunt =
        Hunt { looks, budget, tell, best: example, known, tries: 0, steps: 0, began: Instant::now() };
    hunt.plan().await;
    match hunt.best.trial.sprout.clone() {
        Some(sprout) => hunt.drawn(sprout).await,
        None => hunt.selector().await,
    }
    let note = hunt.note();
    Shrunk { example: hunt.best, is_smaller: hunt.steps > 0, note }
}

struct Hunt<'a, C> {
    looks: &'a Looks<'a, C>,
    budget: Budget,
    tell: Tell<'a>,
    best: Example,
    /// Cases that were looked at, and whether they break the property. Different steps lead to the same case at times.
    known: BTreeMap<String, bool>,
    tries: u32,
    steps: u32,
    began: Instant,
}

impl<C: Client> Hunt<'_, C> {
    fn is_late(&self) -> bool {
        self.began.elapsed() >= self.budget.wall
    }

    fn is_used_up(&self) -> bool {
        self.tries >= self.budget.tries || self.is_late()
    }

    fn note(&self) -> Option<String> {
        match (self.tries >= self.budget.tries, self.is_late()) {
            (true, _) => {
                Some(format!("shrinking ended after {} tries: a smaller case may break it, too", self.tries))
            }
            (false, true) => Some(format!(
                "shrinking was stopped after {} s, the emergency stop: a smaller case may break it, too",
                self.budget.wall.as_secs()
            )),
            (false, false) => None,
        }
    }

    /// Whether this case breaks the property, too: then it is the best so far. `None` if the budget is used up.
    async fn takes(&mut self, case: Case) -> Option<bool> {
        let text = text_of(&case);
        if let Some(breaks) = self.known.get(&text) {
            return Some(*breaks);
        }
        if self.is_used_up() {
            return None;
        }
        self.tries += 1;
        (self.tell)(Progress::Shrinks { property: self.looks.property.id.to_owned(), tries: self.tries });
        let trial = Trial { case, ..self.best.trial.clone() };
        let smaller = self.looks.each_of(LOOKS_A_STEP, &trial, None).await;
        self.known.insert(text, smaller.is_some());
        let Some(smaller) = smaller else { return Some(false) };
        self.best = smaller;
        self.steps += 1;
        Some(true)
    }

    /// The fewest faults, then the simplest of each, until neither gets any further.
    async fn plan(&mut self) {
        loop {
            let before = self.steps;
            for simpler in [fewer, milder] {
                while self.plan_step(simpler).await {}
            }
            if self.steps == before {
                return;
            }
        }
    }

    /// Takes the first simpler plan that still breaks the property; whether there was one.
    async fn plan_step(&mut self, simpler: fn(&Scenario) -> Vec<Arc<Scenario>>) -> bool {
        let Some(scenario) = self.best.trial.case.scenario.clone() else { return false };
        for candidate in simpler(&scenario) {
            let scenario = self.is_of_use(&candidate).then_some(candidate);
            let case = Case { scenario, ..self.best.trial.case.clone() };
            match self.takes_anew(case).await {
                Some(false) => {}
                Some(true) => return true,
                None => return false,
            }
        }
        false
    }

    /// As [`Self::takes`]; a case that was looked at before is no step.
    async fn takes_anew(&mut self, case: Case) -> Option<bool> {
        let before = self.steps;
        self.takes(case).await.map(|_| self.steps > before)
    }

    /// Whether a scenario says anything to a case that has a task of its own.
    fn is_of_use(&self, scenario: &Arc<Scenario>) -> bool {
        let is_empty = scenario.faults.is_empty()
            && scenario.path.is_empty()
            && scenario.deployment.is_none()
            && scenario.polls_per_phase.is_none();
        !(is_empty && self.best.trial.evidence.is_none())
    }

    /// What was drawn shrinks by itself; but where nothing is needed of it, that is seen at once.
    async fn drawn(&mut self, sprout: Sprout) {
        let old = self.best.trial.case.clone();
        let plain = plain_in(&old.about, &old.dialect, state_of(&old).as_deref());
        let leap = Case { fields: old.fields.clone(), ..plain.put_into(&old) };
        if self.takes_anew(leap).await == Some(true) {
            return self.selector().await;
        }
        let mut next = sprout.simpler();
        while let Some(candidate) = next {
            let Some(value) = candidate.value() else { return };
            let case = value.put_into(&self.best.trial.case);
            next = match self.takes(case).await {
                Some(true) => candidate.simpler(),
                Some(false) => candidate.less_simple(),
                None => return,
            };
        }
    }

    /// A narrower selector, where none was drawn.
    async fn selector(&mut self) {
        while self.selector_step().await {}
    }

    async fn selector_step(&mut self) -> bool {
        let Some(fields) = self.best.trial.case.fields.clone() else { return false };
        for fields in selectors(&fields) {
            let case = Case { fields, ..self.best.trial.case.clone() };
            match self.takes_anew(case).await {
                Some(false) => {}
                Some(true) => return true,
                None => return false,
            }
        }
        false
    }
}

/// The state that the task of a case comes to.
fn state_of(case: &Case) -> Option<String> {
    let task = Json::parse(case.task.as_deref()?).ok()?;
    case.about.life?.state_of(&task).map(|(_, state)| state.to_owned())
}

/// All that tells one case of a trial from another.
fn text_of(case: &Case) -> String {
    let plan = case.scenario.as_ref().map(|scenario| scenario.to_toml());
    format!("{:?}\n{:?}\n{:?}\n{:?}\n{:?}", case.fields, case.params, case.name, case.task, plan)
}

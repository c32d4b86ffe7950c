//! The generated cases of a job: drawn ones, errors by asking wrongly, a task that comes to each end, and answers that
//! are errors; lists of all lengths. Which property is judged in which of them, its row says.

use std::sync::Arc;

use super::fault_plan::Draw;
use super::generate::{Generated, Sprout, plain, plain_in};
use super::listed;
use super::sower::Sower;
use super::telling;
use super::trial::Trial;
use super::unit::{GENERATED, judged_in};
use crate::client::JobKind;
use crate::fault::Fault;
use crate::judge::about::About;
use crate::judge::case::Case;
use crate::judge::law::{PROPERTIES, Property};
use crate::profile::Profile;
use crate::scenario::{Scenario, fault_toml};
use crate::seed::Seed;
use crate::timeline::Phase;

/// Of how many generated cases one is run with its variants too, those of one property; of twice as many with those of the
/// next.
const VARIED: u32 = 4;
/// Which of so many meets faults: never one with variants, which compare undisturbed answers.
const DISTURBED: u32 = 3;
/// Of how many generated cases one is for each job that waits: a task's life takes longer than an answer.
const LIVES: u32 = 5;

/// The properties that generated cases of this job put to the test.
fn of_generated(job: JobKind) -> impl Iterator<Item = &'static Property> {
    PROPERTIES.iter().copied().filter(move |property| property.generated && property.judges(job))
}

/// Makes the generated cases of a job in one dialect.
pub(super) struct Made<'a> {
    pub(super) seed: Seed,
    pub(super) job: JobKind,
    pub(super) about: About,
    pub(super) dialect: &'a str,
    pub(super) body: Option<&'a str>,
    /// Whether anything goes wrong.
    pub(super) faults: bool,
}

impl Made<'_> {
    /// `get` and `send` are put to values of all kinds, `wait` and `create` to lives of all kinds. What waits for a usual
    /// task comes to each of its ends in the scenarios; of another task there are none, so those are told here.
    pub(super) fn trials(&self, cases: u32) -> Vec<Trial> {
        let mut trials = match self.job {
            JobKind::Get | JobKind::Send => {
                let mut sower = self.sower();
                let drawn = (0..cases).filter_map(|index| self.drawn(&mut sower, index));
                drawn.chain(self.mistakes()).collect()
            }
            JobKind::Create if self.about.is_usual => {
                return self.told_fields().into_iter().chain(self.lives(cases)).collect();
            }
            JobKind::Wait if self.about.is_usual => return self.lives(cases),
            JobKind::Wait => self.ends().into_iter().chain(self.lives(cases)).collect(),
            JobKind::Create => self.ends().into_iter().chain(self.told_fields()).collect(),
            JobKind::List => self.lists(cases),
        };
        if self.faults {
            trials.extend(self.by_fault());
        }
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

    fn drawn(&self, sower: &mut Sower, index: u32) -> Option<Trial> {
        let (sprout, value) = sower.sow(index, |sprout| match index {
            // The whole resource is always among the cases.
            0 => sprout.whole(),
            // And a selector with brackets, where there is anything below a member.
            1 => sprout.nested(),
            _ => sprout,
        })?;
        let name = format!("{:04}", index + 1);
        let is_disturbed = self.job == JobKind::Get && index % VARIED == DISTURBED;
        if is_disturbed && let Some(scenario) = self.plan(index) {
            return Some(self.disturbed(&name, value, sprout, Some(scenario)));
        }
        let varied = of_generated(self.job).filter(|property| property.variants.is_some());
        let varied = (0..).zip(varied).filter(|(place, _)| index % (VARIED * (place + 1)) == *place);
        let once = of_generated(self.job).filter(|property| property.variants.is_none());
        let properties = once.chain(varied.map(|(_, property)| property));
        let trial = self.trial(&name, value, properties.collect());
        Some(Trial { sprout: Some(sprout), ..trial })
    }

    /// Tasks that come to an end, or never do, while this and that goes wrong on the way.
    fn lives(&self, cases: u32) -> Vec<Trial> {
        let mut sower = self.sower();
        let life = |index: u32| {
            // The first task that is waited for goes on for ever, and nothing goes wrong.
            let goes_on = index == 0 && self.job == JobKind::Wait;
            let (sprout, value) =
                sower.sow(index, |sprout| if goes_on { sprout.going_on() } else { sprout })?;
            let scenario = if goes_on { None } else { self.plan(index) };
            Some(self.disturbed(&format!("{:04}", index + 1), value, sprout, scenario))
        };
        (0..cases.div_ceil(LIVES)).filter_map(life).collect()
    }

    /// A creation that is told what to ask for, where its endpoint takes `fields`.
    fn told_fields(&self) -> Option<Trial> {
        self.about.asks.fields_in?;
        let fields = telling::with_the_state(&self.about, self.dialect)?;
        let value = Generated { fields: Some(fields), ..plain(&self.about, self.dialect) };
        // Nothing goes wrong, so what needs trouble is not asked.
        Some(self.trial("told-fields", value, of_generated(self.job).collect()))
    }

    /// Lists of all lengths, and some while this and that goes wrong.
    fn lists(&self, cases: u32) -> Vec<Trial> {
        let list = |length| listed::of_length(&self.about, self.dialect, length);
        let clean = listed::LENGTHS.into_iter();
        let clean =
            clean.map(|length| self.trial(&format!("of-{length}"), list(length), judged_in(self.job)));
        let lengths = listed::LENGTHS_OF_STORIES.into_iter().cycle();
        let disturbed = (0..cases.div_ceil(LIVES)).zip(lengths).filter_map(|(index, length)| {
            let mut trial = self.trial(&format!("{:04}", index + 1), list(length), judged_in(self.job));
            trial.case.scenario = Some(self.plan(index)?);
            Some(trial)
        });
        clean.chain(disturbed).collect()
    }

    fn disturbed(
        &self,
        name: &str,
        value: Generated,
        sprout: Sprout,
        scenario: Option<Arc<Scenario>>,
    ) -> Trial {
        // What only stories put to the test is told to be slow there.
        let judged = judged_in(self.job).into_iter().filter(|property| property.story.is_none());
        let mut trial = self.trial(name, value, judged.collect());
        trial.case.scenario = scenario;
        Trial { sprout: Some(sprout), ..trial }
    }

    fn sower(&self) -> Sower {
        Sower::new(self.seed, (self.job, self.about), self.dialect)
    }

    fn plan(&self, index: u32) -> Option<Arc<Scenario>> {
        let draw = Draw { seed: self.seed, job: self.job, about: &self.about, dialect: self.dialect, index };
        self.faults.then(|| draw.plan()).flatten()
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
        // Every other end is waited for with a selector.
        let selector =
            telling::with_the_state(&self.about, self.dialect).filter(|_| self.job == JobKind::Wait);
        let to = |(place, state): (usize, &str)| {
            let fields = selector.clone().filter(|_| place.is_multiple_of(2));
            let value = Generated { fields, ..plain_in(&self.about, self.dialect, Some(state)) };
            self.trial(state, value, self.plainly_judged())
        };
        ends.chain(partial).enumerate().map(to).collect()
    }

    /// Every answer, or the one to the creation, is an error; or that one is lost, or never comes.
    fn by_fault(&self) -> Vec<Trial> {
        let errors = Fault::errors().into_iter().map(|(name, fault)| (name, fault_toml(&fault)));
        let is_lost = |_: &(&str, &str)| self.job == JobKind::Create;
        let lost = LOST.into_iter().filter(is_lost).map(|(name, inject)| (name, inject.to_owned()));
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
                of_generated(self.job).filter(|property| property.variants.is_none()).collect()
            }
            job => judged_in(job),
        }
    }
}

/// Errors by asking wrongly: what it is called, and with which `fields`.
/// Brackets behind a name that is unknown everywhere are there for resources that have nothing below a member, and capitals
/// for those that have none in their names: they have to travel, too.
const MISTAKES: [(&str, &str); 3] =
    [("unknown-field", "id,nope"), ("field-twice", "id,id"), ("unknown-brackets", "id,noSuchName(below,it)")];

/// The faults that take an answer away: with the connection, and without a word.
const LOST: [(&str, &str); 2] =
    [("lost-answer", "{ reset = { after_bytes = 0 } }"), ("no-answer", "{ hang = {} }")];

/// A scenario in which whatever this endpoint is asked meets this fault.
pub(super) fn with_fault(name: &str, endpoint: &str, inject: &str) -> Option<Arc<Scenario>> {
    let text = format!(
        "summary = \"Every answer of {endpoint} is: {name}.\"\nwrites = \"last\"\n\n[[fault]]\nwhen = {{ endpoint = \
         \"{endpoint}\", nth = \"1-\" }}\ninject = {inject}\n"
    );
    Scenario::parse(name, name, &text, Profile::builtin()).ok().map(Arc::new)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::judge::sample;

    #[test]
    fn the_first_task_that_is_waited_for_goes_on_for_ever_and_no_other_does() {
        let lives = |job| {
            let about = sample::about(job);
            let made = Made { seed: Seed(1), job, about, dialect: "sample", body: None, faults: true };
            made.trials(100)
        };
        let goes_on =
            |trial: &Trial| trial.case.task.as_ref().is_some_and(|task| task.contains("\"PROCESSING\""));
        let waited = lives(JobKind::Wait);
        assert!(goes_on(&waited[0]) && waited[0].case.scenario.is_none());
        assert_eq!(waited.iter().filter(|trial| goes_on(trial)).count(), 1);
        assert!(!lives(JobKind::Create).iter().any(goes_on));
    }
}

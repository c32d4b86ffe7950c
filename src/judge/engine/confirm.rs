//! Whether a case breaks a property each time, and how often if not.

use super::slot::Slot;
use super::trial::{Bench, Ran, Trial, Tried};
use crate::client::{Client, Outcome};
use crate::judge::law::Property;
use crate::judge::verdict::{Verdict, Violation};

/// How often a violation is looked for before it is believed, the first time included.
pub(super) const LOOKS: u32 = 3;
/// How often a case that breaks a property at times is run to say how often it does.
pub(super) const LOOKS_AT_FLAKY: u32 = 10;

/// A case that breaks a property.
pub(super) struct Example {
    pub(super) trial: Trial,
    pub(super) violation: Violation,
    /// The runs that show it.
    pub(super) shown: Vec<Ran>,
}

/// Whether the same runs came to the same reports. A property that compares runs is broken by any client that does not
/// report the same of the same, which is another matter.
fn is_alike(one: &Example, other: &Example) -> bool {
    let reports = |example: &Example| -> Vec<Outcome> {
        example.shown.iter().map(|ran| ran.run.report.outcome.clone()).collect()
    };
    reports(one) == reports(other)
}

/// Where cases are run again for one property.
pub(super) struct Looks<'a, C> {
    pub(super) bench: &'a Bench<'a, C>,
    pub(super) slot: &'a Slot,
    pub(super) property: &'static Property,
}

impl<C: Client> Looks<'_, C> {
    /// What shows that a case breaks the property each time; `None` if it does not. What its first run came to may be
    /// known.
    pub(super) async fn confirm(&self, trial: &Trial, first: Option<&Tried>) -> Option<Example> {
        self.each_of(LOOKS, trial, first).await
    }

    /// Runs a case so often at most; `None` as soon as it does not break the property.
    pub(super) async fn each_of(&self, looks: u32, trial: &Trial, first: Option<&Tried>) -> Option<Example> {
        let mut example = match first {
            Some(tried) => Some(self.example(trial, tried)?),
            None => None,
        };
        for _ in u32::from(example.is_some())..looks {
            let again = self.look(trial).await?;
            if let Some(before) = &example
                && self.property.variants.is_some()
                && !is_alike(before, &again)
            {
                return None;
            }
            example = example.or(Some(again));
        }
        example
    }

    /// How often a case breaks the property, of [`LOOKS_AT_FLAKY`] times.
    pub(super) async fn rate(&self, trial: &Trial) -> u32 {
        let mut broken = 0;
        for _ in 0..LOOKS_AT_FLAKY {
            broken += u32::from(self.look(trial).await.is_some());
        }
        broken
    }

    /// Runs a case once; `None` if it does not break the property.
    async fn look(&self, trial: &Trial) -> Option<Example> {
        let trial = Trial { properties: vec![self.property], ..trial.clone() };
        let tried = self.bench.attempt(self.slot, &trial).await;
        self.example(&trial, &tried)
    }

    fn example(&self, trial: &Trial, tried: &Tried) -> Option<Example> {
        let (_, verdict, variants) = tried.answers.iter().find(|(one, _, _)| *one == self.property)?;
        let Verdict::Violated(violation) = verdict else { return None };
        let shown = std::iter::once(&tried.base).chain(variants).cloned().collect();
        Some(Example { trial: trial.clone(), violation: violation.clone(), shown })
    }
}

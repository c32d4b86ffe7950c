//! Draws one generated case after the other.

use std::collections::BTreeMap;

use proptest::strategy::BoxedStrategy;

use super::generate::{BLOCK, Generated, Knobs, Sprout};
use crate::client::JobKind;
use crate::judge::about::About;
use crate::seed::Seed;

/// Draws the cases of a job in one dialect. What they are drawn by is made once for all that turn the same knobs.
pub(super) struct Sower {
    seed: Seed,
    job: JobKind,
    about: About,
    dialect: String,
    strategies: BTreeMap<Knobs, BoxedStrategy<Generated>>,
    /// The knobs of the block that was drawn from last.
    block: Option<(u32, Knobs)>,
}

impl Sower {
    pub(super) fn new(seed: Seed, (job, about): (JobKind, About), dialect: &str) -> Self {
        let dialect = dialect.to_owned();
        Self { seed, job, about, dialect, strategies: BTreeMap::new(), block: None }
    }

    /// The case with this number, as `alter` has it; `None` only if the generator gave up, which no generator of ours does.
    pub(super) fn sow(
        &mut self,
        index: u32,
        alter: impl FnOnce(Sprout) -> Sprout,
    ) -> Option<(Sprout, Generated)> {
        let sprout = alter(Sprout::new(self.seed, (self.job, self.about), &self.dialect, index));
        let block = index / BLOCK;
        let knobs = match self.block {
            Some((known, knobs)) if known == block => knobs,
            _ => sprout.knobs(),
        };
        self.block = Some((block, knobs));
        let strategy = self.strategies.entry(knobs).or_insert_with(|| sprout.strategy(knobs));
        let value = sprout.value_by(strategy)?;
        Some((sprout, value))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::judge::sample;

    #[test]
    fn what_is_drawn_one_after_the_other_is_what_each_is_by_itself() {
        let about = (JobKind::Get, sample::about(JobKind::Get));
        let value = |index| Sprout::new(Seed(1), about, "sample", index).value().unwrap();
        let mut sower = Sower::new(Seed(1), about, "sample");
        for index in (0..40).chain([3, 39]) {
            let (sprout, drawn) = sower.sow(index, |sprout| sprout).unwrap();
            assert_eq!((&drawn, Some(&drawn)), (&value(index), sprout.value().as_ref()));
        }
        let (sprout, whole) = sower.sow(5, Sprout::whole).unwrap();
        assert_eq!((&whole.fields, sprout.value().as_ref()), (&None, Some(&whole)));
    }
}

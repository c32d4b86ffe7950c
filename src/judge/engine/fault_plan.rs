//! What goes wrong in a generated case, and how fast its task lives: drawn from the fault table, as a swarm.
//!
//! Cases of one block turn the same few knobs, drawn for the block: which kinds of faults there are, how many, how late
//! and how long. So combinations meet that no list holds, and none drowns in all the others.

use std::sync::Arc;

use proptest::collection::vec;
use proptest::strategy::{BoxedStrategy, Just, Strategy, Union, ValueTree};
use proptest::test_runner::TestRunner;

use super::generate::{BLOCK, runner};
use crate::client::JobKind;
use crate::fault::{At, Fault};
use crate::judge::about::About;
use crate::profile::{Endpoint, Profile};
use crate::scenario::{Nth, Scenario, fault_toml};
use crate::seed::{Ratio, Seed};

/// How a scenario asks for an error that no page documents.
const UNDOCUMENTED: &str = "undocumented = true";
/// The most faults of a case.
const FAULTS_MOST: usize = 4;
/// The latest occasion of a fault that comes once, for who asks once and for who asks again and again.
const LATEST: [u32; 2] = [3, 8];
/// Which case a plan is drawn for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Draw<'a> {
    pub(super) seed: Seed,
    pub(super) job: JobKind,
    pub(super) about: &'a About,
    pub(super) dialect: &'a str,
    pub(super) index: u32,
}

/// What was drawn.
#[derive(Debug)]
struct Drawn {
    scenario: Option<Arc<Scenario>>,
    /// Faults that were drawn, and those of them that no scenario may plan there: for the health of the generator.
    #[cfg_attr(not(test), allow(dead_code, reason = "a test looks at it"))]
    counts: (usize, usize),
}

/// The knobs of a block.
struct Swarm {
    /// At each endpoint of the job, the faults that may befall it.
    targets: Vec<(&'static Endpoint, BoxedStrategy<Fault>)>,
    most: usize,
    is_late: bool,
    lasts: bool,
}

impl Draw<'_> {
    /// The scenario of the case; none where nothing goes wrong.
    pub(super) fn plan(self) -> Option<Arc<Scenario>> {
        self.drawn().scenario
    }

    fn drawn(self) -> Drawn {
        let mut runner = runner(self.seed, &["judge", "plan", &self.key(), &self.index.to_string()]);
        let swarm = self.swarm(&mut runner);
        let polls = match self.job {
            JobKind::Wait | JobKind::Create => drawn(&polls_per_phase(), &mut runner).flatten(),
            JobKind::Get | JobKind::Send | JobKind::List => None,
        };
        let faults = drawn(&swarm.faults(self.job), &mut runner).unwrap_or_default();
        let count = faults.len();
        let mut text = "summary = \"A story that was drawn.\"\nwrites = \"last\"\n".to_owned();
        text.extend(polls.map(|polls| format!("polls_per_phase = {polls}\n")));
        let head = text.len();
        let mut rejected = 0;
        for (endpoint, nth, fault) in faults {
            let planned = format!(
                "\n[[fault]]\nwhen = {{ endpoint = \"{}\", nth = \"{nth}\" }}\ninject = {}\noptional = true\n",
                endpoint.id,
                fault_toml(&fault)
            );
            // What no page documents, no law can hold against anybody.
            let is_legal = !fault.is_identity()
                && !planned.contains(UNDOCUMENTED)
                && parsed(&format!("{}{planned}", &text[..head])).is_some();
            if is_legal { text.push_str(&planned) } else { rejected += 1 }
        }
        let is_plain = polls.is_none() && text.len() == head;
        Drawn { scenario: if is_plain { None } else { parsed(&text) }, counts: (count, rejected) }
    }

    fn key(self) -> String {
        format!("{} {} {}", self.job, self.about.asks.id, self.dialect)
    }

    fn swarm(self, runner: &mut TestRunner) -> Swarm {
        let block = (self.index / BLOCK).to_string();
        let key = self.key();
        let turns = |knob: &str, hits: u32, of: u32| {
            let ratio = Ratio::new(hits, of).ok();
            ratio.is_some_and(|ratio| self.seed.stream(&["judge", "swarm", &key, &block, knob]).chance(ratio))
        };
        let is_on = |(kind, _): &(&str, BoxedStrategy<Fault>)| turns(kind, 1, 3);
        let mut endpoints = vec![self.about.asks];
        if self.about.shows.id != self.about.asks.id {
            endpoints.push(self.about.shows);
        }
        let target = |endpoint: &'static Endpoint| {
            let kinds = kinds(endpoint, runner).into_iter().filter(is_on);
            let kinds: Vec<BoxedStrategy<Fault>> = kinds.map(|(_, strategy)| strategy).collect();
            (!kinds.is_empty()).then(|| (endpoint, Union::new(kinds).boxed()))
        };
        Swarm {
            targets: endpoints.into_iter().filter_map(target).collect(),
            most: if turns("several", 1, 2) { FAULTS_MOST } else { 1 },
            is_late: turns("late", 1, 2),
            lasts: turns("lasts", 1, 4),
        }
    }
}

impl Swarm {
    fn faults(&self, job: JobKind) -> BoxedStrategy<Vec<(&'static Endpoint, Nth, Fault)>> {
        let waits = matches!(job, JobKind::Wait | JobKind::Create);
        let latest = match (self.is_late, LATEST) {
            (false, _) => 1,
            (true, [_, of_waits]) if waits => of_waits,
            (true, [of_looks, _]) => of_looks,
        };
        let once = (1..=latest).prop_map(|n| Nth::Between(n, Some(n))).boxed();
        let few = (1..=latest, 1..4_u32).prop_map(|(n, more)| Nth::Between(n, Some(n + more))).boxed();
        let mut occasions = vec![(4, once), (2, few)];
        if self.lasts {
            occasions.push((2, (1..=latest).prop_map(|n| Nth::Between(n, None)).boxed()));
            occasions.push((1, (2..5_u32).prop_map(Nth::Every).boxed()));
        }
        let occasions = Union::new_weighted(occasions).boxed();
        let planned = self.targets.iter().map(|(endpoint, faults)| {
            let endpoint: &'static Endpoint = endpoint;
            (occasions.clone(), faults.clone()).prop_map(move |(nth, fault)| (endpoint, nth, fault)).boxed()
        });
        let planned: Vec<_> = planned.collect();
        if planned.is_empty() {
            return Just(Vec::new()).boxed();
        }
        vec(Union::new(planned), 0..=self.most).boxed()
    }
}

/// The kinds of faults that an answer of this endpoint may meet.
fn kinds(endpoint: &'static Endpoint, runner: &mut TestRunner) -> Vec<(&'static str, BoxedStrategy<Fault>)> {
    let life =
        Profile::builtin().task_of(&endpoint.id).or_else(|| Profile::builtin().created_by(&endpoint.id));
    let of_table = Fault::strategies(At::Response).into_iter();
    of_table
        .filter(|(_, strategy)| {
            drawn(strategy, runner).is_some_and(|fault| fault.never_at(endpoint, life).is_none())
        })
        .collect()
}

/// The kinds of faults that answers to this job's requests may meet.
pub(super) fn possible(about: &About) -> Vec<&'static str> {
    let mut runner = runner(Seed(1), &["judge", "possible"]);
    let of = [about.asks, about.shows].map(|endpoint| kinds(endpoint, &mut runner));
    of.into_iter().flatten().map(|(kind, _)| kind).collect()
}

fn polls_per_phase() -> BoxedStrategy<Option<u32>> {
    Union::new_weighted(vec![(2, Just(None).boxed()), (1, (1..=3_u32).prop_map(Some).boxed())]).boxed()
}

fn drawn<T: std::fmt::Debug>(strategy: &BoxedStrategy<T>, runner: &mut TestRunner) -> Option<T> {
    strategy.new_tree(runner).ok().map(|tree| tree.current())
}

/// A scenario that can be read; it has no name, for nobody can ask for it.
fn parsed(text: &str) -> Option<Arc<Scenario>> {
    Scenario::parse("", "a story that was drawn", text, Profile::builtin()).ok().map(Arc::new)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::judge::sample;

    fn plans(job: JobKind) -> Vec<Drawn> {
        let about = sample::about(job);
        let draw = |index| Draw { seed: Seed(1), job, about: &about, dialect: "sample", index };
        (0..400).map(|index| draw(index).drawn()).collect()
    }

    #[test]
    fn no_more_than_a_fifth_of_all_draws_is_rejected() {
        for job in [JobKind::Get, JobKind::Wait, JobKind::Create] {
            let plans = plans(job);
            let drawn: usize = plans.iter().map(|plan| plan.counts.0).sum();
            let rejected: usize = plans.iter().map(|plan| plan.counts.1).sum();
            assert!(drawn > 200 && rejected * 5 <= drawn, "{job}: {rejected} of {drawn} rejected");
        }
    }

    #[test]
    fn draws_reach_most_kinds_and_every_number_of_faults() {
        for job in [JobKind::Get, JobKind::Wait] {
            let plans = plans(job);
            let scenarios: Vec<_> = plans.iter().filter_map(|plan| plan.scenario.clone()).collect();
            let faults = scenarios.iter().flat_map(|it| it.faults.iter().map(|fault| fault.inject.kind()));
            let kinds: BTreeSet<&str> = faults.collect();
            assert!(kinds.len() > 30, "{job}: only {kinds:?}");
            let counts: BTreeSet<usize> = scenarios.iter().map(|it| it.faults.len()).collect();
            assert!((1..=4).all(|count| counts.contains(&count)), "{job}: {counts:?}");
        }
    }

    #[test]
    fn a_block_has_a_few_kinds_only_and_the_same_case_is_the_same() {
        let (one, two) = (plans(JobKind::Get), plans(JobKind::Get));
        let text = |plan: &Drawn| plan.scenario.as_ref().map(|it| it.to_toml());
        assert_eq!(one.iter().map(text).collect::<Vec<_>>(), two.iter().map(text).collect::<Vec<_>>());
        for block in one.chunks(BLOCK as usize) {
            let faults = block.iter().filter_map(|plan| plan.scenario.as_ref()).flat_map(|it| &it.faults);
            let kinds: BTreeSet<&str> = faults.map(|fault| fault.inject.kind()).collect();
            assert!(kinds.len() < 25, "{kinds:?}");
        }
    }
}

//! Generated cases, and how one shrinks. The generators are proptest's; the runner is driven by our seed alone, and no
//! `PROPTEST_*` variable has a say.

use proptest::prelude::any;
use proptest::strategy::{BoxedStrategy, Strategy, Union, ValueTree};
use proptest::test_runner::{Config, RngAlgorithm, RngSeed, TestRng, TestRunner};

use super::evidence::spelt;
use crate::client::JobKind;
use crate::fields::{Shape, strategy};
use crate::json::replace;
use crate::judge::case::Case;
use crate::judge::wire;
use crate::profile::Profile;
use crate::seed::Seed;

/// A selector and a task.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Generated {
    /// The `fields` text; `None` is the whole resource.
    pub(super) fields: Option<String>,
    /// The task.
    pub(super) task: String,
    /// Its id.
    pub(super) id: String,
}

impl Generated {
    /// The `get` case it is.
    pub(super) fn case(self, dialect: &str, seed: Seed) -> Case {
        Case {
            job: JobKind::Get,
            dialect: dialect.to_owned(),
            fields: self.fields,
            id: Some(self.id),
            name: None,
            task: Some(self.task),
            answer: None,
            scenario: None,
            seed,
        }
    }
}

/// One generated value and what has been made of it by shrinking. It is made anew from the seed at each look, so that
/// nothing of it is held while a client runs.
#[derive(Clone, Debug)]
pub(super) struct Sprout {
    seed: Seed,
    dialect: String,
    index: u32,
    moves: Vec<Move>,
}

/// A step of shrinking.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Move {
    Simplify,
    Complicate,
}

impl Sprout {
    /// The case number `index` of a dialect.
    pub(super) fn new(seed: Seed, dialect: &str, index: u32) -> Self {
        Self { seed, dialect: dialect.to_owned(), index, moves: Vec::new() }
    }

    /// What it is now. `None` only if the generator gave up, which no generator of ours does.
    pub(super) fn value(&self) -> Option<Generated> {
        self.tree().map(|tree| tree.current())
    }

    /// A simpler one, if there is one.
    pub(super) fn simpler(&self) -> Option<Self> {
        self.moved(Move::Simplify)
    }

    /// After a simpler one that was too simple: something between the two, if there is anything.
    pub(super) fn less_simple(&self) -> Option<Self> {
        self.moved(Move::Complicate)
    }

    fn moved(&self, step: Move) -> Option<Self> {
        let mut tree = self.tree()?;
        apply(&mut tree, step).then(|| {
            let mut next = self.clone();
            next.moves.push(step);
            next
        })
    }

    fn tree(&self) -> Option<Box<dyn ValueTree<Value = Generated>>> {
        let key = self.seed.derive(&["judge", "generated", &self.dialect, &self.index.to_string()]);
        let mut runner = TestRunner::new_with_rng(config(), TestRng::from_seed(RngAlgorithm::ChaCha, &key));
        let mut tree = cases(&self.dialect).new_tree(&mut runner).ok()?;
        for step in &self.moves {
            apply(&mut tree, *step);
        }
        Some(tree)
    }
}

fn apply(tree: &mut Box<dyn ValueTree<Value = Generated>>, step: Move) -> bool {
    match step {
        Move::Simplify => tree.simplify(),
        Move::Complicate => tree.complicate(),
    }
}

/// Every setting that the environment could have changed, put back.
fn config() -> Config {
    Config {
        cases: 1,
        max_local_rejects: 65_536,
        max_global_rejects: 1_024,
        max_flat_map_regens: 1_000_000,
        failure_persistence: None,
        source_file: None,
        test_name: None,
        max_shrink_time: 0,
        max_shrink_iters: u32::MAX,
        max_default_size_range: 100,
        verbose: 0,
        rng_algorithm: RngAlgorithm::ChaCha,
        rng_seed: RngSeed::Random,
        ..Config::default()
    }
}

/// The shape of the task in a dialect.
fn shape(dialect: &str) -> Option<Shape> {
    let endpoint = Profile::builtin().endpoint(wire::TASK)?;
    let renames = wire::life().renames(dialect)?;
    let renames: Vec<(&str, &str)> = renames.iter().map(|(from, to)| (from.as_str(), to.as_str())).collect();
    Some(endpoint.shape.renamed(&renames))
}

fn cases(dialect: &str) -> BoxedStrategy<Generated> {
    let shape = shape(dialect).unwrap_or(Shape::Object(Vec::new()));
    let fields = proptest::option::weighted(0.85, (strategy::selectors(&shape), any::<bool>()));
    let ids = Union::new_weighted(vec![(3, 1..1000_u64), (1, (1 << 53)..i64::MAX.unsigned_abs())]);
    let pointer = format!("/{}", spelt(&wire::life().id, dialect));
    (fields, strategy::resources(&shape), ids)
        .prop_map(move |(fields, task, id)| {
            let id = id.to_string();
            let fields = fields.map(|(selector, spaced)| {
                let text = selector.to_string();
                if spaced { text.replace(',', ", ") } else { text }
            });
            Generated { fields, task: replace(&task, &[(&pointer, &id)]), id }
        })
        .boxed()
}

/// A plain task in a dialect, for cases where the task is not the point.
pub(super) fn plain(dialect: &str) -> Generated {
    let member = |name: &str| spelt(name, dialect);
    let task = format!(
        r#"{{"assigned_to":["admin"],"case_id":7,"id":42,"{}":"Case1","{}":"COMPLETE"}}"#,
        member("name"),
        member("state")
    );
    Generated { fields: None, task, id: "42".to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::Json;

    fn value(index: u32) -> Generated {
        Sprout::new(Seed(1), "sample", index).value().unwrap()
    }

    #[test]
    fn the_same_seed_gives_the_same_cases() {
        assert_eq!((0..20).map(value).collect::<Vec<_>>(), (0..20).map(value).collect::<Vec<_>>());
        assert_ne!(value(0), value(1));
    }

    #[test]
    fn a_case_is_a_task_with_its_own_id_and_a_selector_or_none() {
        let all: Vec<Generated> = (0..200).map(value).collect();
        for one in &all {
            assert_eq!(Json::parse(&one.task).unwrap().member("id").unwrap().text(), one.id);
        }
        let share = all.iter().filter(|one| one.fields.is_none()).count();
        assert!((10..60).contains(&share), "{share} of 200 ask for the whole resource");
        assert!(all.iter().any(|one| one.id.parse::<u64>().unwrap() > 1 << 53));
    }

    #[test]
    fn shrinking_ends_at_something_small() {
        let mut sprout = Sprout::new(Seed(1), "prose", 3);
        for _ in 0..2000 {
            match sprout.simpler() {
                Some(simpler) => sprout = simpler,
                None => break,
            }
        }
        let smallest = sprout.value().unwrap();
        assert!(smallest.task.len() < 120 && smallest.id == "1", "{smallest:?}");
    }
}

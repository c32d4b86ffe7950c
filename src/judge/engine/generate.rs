//! Generated cases, and how one shrinks. The generators are proptest's; the runner is driven by our seed alone, and no
//! `PROPTEST_*` variable has a say.

use proptest::collection::vec;
use proptest::prelude::any;
use proptest::sample::select;
use proptest::strategy::{BoxedStrategy, Strategy, Union, ValueTree};
use proptest::test_runner::{Config, RngAlgorithm, RngSeed, TestRng, TestRunner};

use super::evidence::spelt;
use crate::client::JobKind;
use crate::fields::{Scalar, Shape, strategy};
use crate::json::{quote, replace};
use crate::judge::about::About;
use crate::judge::case::Case;
use crate::judge::law::USUAL_PACE_MS;
use crate::profile::{Parameter, ParameterKind};
use crate::seed::Seed;
use crate::timeline::Phase;

/// A selector and a resource.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Generated {
    /// The `fields` text; `None` is the whole resource.
    pub(super) fields: Option<String>,
    /// The resource: a task, another element, or a list.
    pub(super) task: String,
    /// Names and values of the parameters of its path.
    pub(super) params: Vec<(String, String)>,
}

impl Generated {
    /// The case of a job it is.
    pub(super) fn case(self, (job, about): (JobKind, About), dialect: &str, seed: Seed) -> Case {
        Case {
            job,
            about,
            dialect: dialect.to_owned(),
            fields: self.fields,
            params: self.params,
            name: None,
            body: None,
            task: Some(self.task),
            answer: None,
            scenario: None,
            pace_ms: USUAL_PACE_MS,
            seed,
        }
    }
}

/// One generated value and what has been made of it by shrinking. It is made anew from the seed at each look, so that
/// nothing of it is held while a client runs.
#[derive(Clone, Debug)]
pub(super) struct Sprout {
    seed: Seed,
    about: About,
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
    pub(super) fn new(seed: Seed, about: About, dialect: &str, index: u32) -> Self {
        Self { seed, about, dialect: dialect.to_owned(), index, moves: Vec::new() }
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
        let mut tree = cases(&self.about, &self.dialect).new_tree(&mut runner).ok()?;
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

fn cases(about: &About, dialect: &str) -> BoxedStrategy<Generated> {
    let shape = about.shape(dialect).unwrap_or(Shape::Object(Vec::new()));
    let fields = proptest::option::weighted(0.85, (strategy::selectors(&shape), any::<bool>()));
    let resource = strategy::resources(&shape);
    let resources = if about.shows.is_list {
        vec(resource, 0..4).prop_map(|all| format!("[{}]", all.join(","))).boxed()
    } else {
        resource
    };
    let names: Vec<&'static str> = about.params().collect();
    let values: Vec<BoxedStrategy<String>> = names.iter().map(|name| value(about, name)).collect();
    let (about, dialect) = (*about, dialect.to_owned());
    (fields, resources, values)
        .prop_map(move |(fields, task, values)| {
            let fields = fields.map(|(selector, spaced)| {
                let text = selector.to_string();
                if spaced { text.replace(',', ", ") } else { text }
            });
            let params: Vec<(String, String)> =
                names.iter().map(|name| (*name).to_owned()).zip(values).collect();
            Generated { fields, task: with_id(&about, &dialect, task, &params), params }
        })
        .boxed()
}

/// The parameter of the path that is asked.
fn is_number(about: &About, name: &str) -> bool {
    let is_it = |known: &&Parameter| known.kind == ParameterKind::Path && known.name == name;
    about.asks.parameters.iter().find(is_it).is_some_and(|known| known.is_integer())
}

/// Values of a path's parameter: numbers also beyond 2^53; texts also with what has to be encoded in a path.
fn value(about: &About, name: &str) -> BoxedStrategy<String> {
    if is_number(about, name) {
        return Union::new_weighted(vec![(3, 1..1000_u64), (1, (1 << 53)..i64::MAX.unsigned_abs())])
            .prop_map(|id| id.to_string())
            .boxed();
    }
    const PIECES: [&str; 12] = ["a", "b", "7", "Z", "-", "_", ".", " ", "&", "?", "+", "é"];
    // A dot alone is no name of a segment.
    (select(&PIECES[..4]), vec(select(&PIECES[..]), 0..6))
        .prop_map(|(first, rest)| format!("{first}{}", rest.concat()))
        .boxed()
}

/// The resource with the last value of its path in the member that holds it.
fn with_id(about: &About, dialect: &str, resource: String, params: &[(String, String)]) -> String {
    let (Some(member), Some((name, value)), false) = (about.id_member(), params.last(), about.shows.is_list)
    else {
        return resource;
    };
    let id = if is_number(about, name) { value.clone() } else { quote(value) };
    replace(&resource, &[(&format!("/{}", spelt(about, member, dialect)), &id)])
}

/// A plain resource in a dialect, for cases where the resource is not the point. A task is done.
pub(super) fn plain(about: &About, dialect: &str) -> Generated {
    let done = about.life.and_then(|life| life.spelling(Phase::Done));
    plain_in(about, dialect, done)
}

/// The same in this state.
pub(super) fn plain_in(about: &About, dialect: &str, state: Option<&str>) -> Generated {
    let mut task = about.shape(dialect).map_or_else(|| "{}".to_owned(), |shape| plain_text(&shape));
    if let (Some(life), Some(state)) = (about.life, state) {
        for member in &life.state {
            task = replace(&task, &[(&format!("/{member}"), &quote(state))]);
        }
    }
    if about.shows.is_list {
        task = format!("[{task}]");
    }
    let params: Vec<(String, String)> =
        about.params().map(|name| (name.to_owned(), "42".to_owned())).collect();
    let task = if about.asks.id == about.shows.id {
        with_id(about, dialect, task, &params)
    } else {
        // What is to be made has an id of its own kind.
        task
    };
    Generated { fields: None, task, params }
}

/// The plainest value of a shape: every member, one element a list.
fn plain_text(shape: &Shape) -> String {
    match shape {
        Shape::Object(members) => {
            let members =
                members.iter().map(|(name, shape)| format!("{}:{}", quote(name), plain_text(shape)));
            format!("{{{}}}", members.collect::<Vec<_>>().join(","))
        }
        Shape::List(element) => format!("[{}]", plain_text(element)),
        Shape::Any => "null".to_owned(),
        Shape::Scalar(Scalar::Bool) => "true".to_owned(),
        Shape::Scalar(Scalar::Integer) => "7".to_owned(),
        Shape::Scalar(Scalar::Number) => "1.5".to_owned(),
        Shape::Scalar(Scalar::OneOf(choices)) => quote(choices.first().map_or("", String::as_str)),
        Shape::Scalar(Scalar::String) => "\"Case1\"".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::Json;
    use crate::judge::sample;

    fn value(index: u32) -> Generated {
        Sprout::new(Seed(1), sample::about(JobKind::Get), "sample", index).value().unwrap()
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
            assert_eq!(Json::parse(&one.task).unwrap().member("id").unwrap().text(), one.params[0].1);
        }
        let share = all.iter().filter(|one| one.fields.is_none()).count();
        assert!((10..60).contains(&share), "{share} of 200 ask for the whole resource");
        assert!(all.iter().any(|one| one.params[0].1.parse::<u64>().unwrap() > 1 << 53));
    }

    #[test]
    fn shrinking_ends_at_something_small() {
        let mut sprout = Sprout::new(Seed(1), sample::about(JobKind::Get), "prose", 3);
        for _ in 0..2000 {
            match sprout.simpler() {
                Some(simpler) => sprout = simpler,
                None => break,
            }
        }
        let smallest = sprout.value().unwrap();
        assert!(smallest.task.len() < 120 && smallest.params[0].1 == "1", "{smallest:?}");
    }
}

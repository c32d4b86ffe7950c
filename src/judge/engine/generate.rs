//! Generated cases, and how one shrinks. The generators are proptest's; the runner is driven by our seed alone, and no
//! `PROPTEST_*` variable has a say.

use proptest::collection::vec;
use proptest::prelude::any;
use proptest::sample::select;
use proptest::strategy::{BoxedStrategy, Just, Strategy, Union, ValueTree};
use proptest::test_runner::{Config, RngAlgorithm, RngSeed, TestRng, TestRunner};

use super::evidence::spelt;
use super::telling;
use crate::client::JobKind;
use crate::fields::{DEPTH_MAX, Field, FieldSelector, Scalar, Shape, strategy};
use crate::json::{quote, replace};
use crate::judge::about::About;
use crate::judge::case::Case;
use crate::judge::law::USUAL_PACE_MS;
use crate::profile::{Endpoint, Parameter, ParameterKind};
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
    /// The same case with this selector and resource.
    pub(super) fn put_into(self, case: &Case) -> Case {
        Case { fields: self.fields, params: self.params, task: Some(self.task), ..case.clone() }
    }

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
    job: JobKind,
    about: About,
    dialect: String,
    index: u32,
    /// Whether the whole resource is asked for, whatever was drawn.
    is_whole: bool,
    /// Whether its selector has brackets, whatever was drawn.
    is_nested: bool,
    /// Whether its task comes to no end, whatever was drawn.
    goes_on: bool,
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
    pub(super) fn new(seed: Seed, (job, about): (JobKind, About), dialect: &str, index: u32) -> Self {
        Self {
            seed,
            job,
            about,
            dialect: dialect.to_owned(),
            index,
            is_whole: false,
            is_nested: false,
            goes_on: false,
            moves: Vec::new(),
        }
    }

    /// The same for the whole resource.
    pub(super) fn whole(self) -> Self {
        Self { is_whole: true, ..self }
    }

    /// The same with brackets in its selector, where the resource has members below members.
    pub(super) fn nested(self) -> Self {
        Self { is_nested: true, ..self }
    }

    /// The same with a task that is worked on for ever, where a task has a life.
    pub(super) fn going_on(self) -> Self {
        Self { goes_on: true, ..self }
    }

    /// What it is now. `None` only if the generator gave up, which no generator of ours does.
    pub(super) fn value(&self) -> Option<Generated> {
        self.value_by(&self.strategy(self.knobs()))
    }

    /// The same, where what draws it was made before.
    pub(super) fn value_by(&self, cases: &BoxedStrategy<Generated>) -> Option<Generated> {
        let value = self.tree(cases)?.current();
        let working = self.about.life.filter(|_| self.goes_on).and_then(|life| life.spelling(Phase::Working));
        Some(match (self.is_whole, self.is_nested, working) {
            (true, ..) => Generated { fields: None, ..value },
            (_, true, _) => Generated { fields: self.bracketed(value.fields), ..value },
            (.., Some(working)) => {
                Generated { task: in_state(&self.about, &self.dialect, value.task, working), ..value }
            }
            _ => value,
        })
    }

    /// A simpler one, if there is one.
    pub(super) fn simpler(&self) -> Option<Self> {
        self.moved(Move::Simplify)
    }

    /// After a simpler one that was too simple: something between the two, if there is anything.
    pub(super) fn less_simple(&self) -> Option<Self> {
        self.moved(Move::Complicate)
    }

    /// A selector with brackets in it; as it was where there is nothing to put into them.
    fn bracketed(&self, fields: Option<String>) -> Option<String> {
        let has_brackets = fields.as_ref().is_some_and(|fields| fields.contains('('));
        let Some(nested) =
            self.about.shape(&self.dialect).filter(|_| !has_brackets).and_then(telling::nested)
        else {
            return fields;
        };
        let drawn = fields.as_deref().and_then(|fields| FieldSelector::parse(fields).ok().flatten());
        let others = drawn.iter().flat_map(FieldSelector::fields).filter(|field| field.name != nested.name);
        let others: Vec<Field> = others.cloned().collect();
        FieldSelector::of([vec![nested], others].concat()).map(|selector| selector.to_string())
    }

    fn moved(&self, step: Move) -> Option<Self> {
        let mut tree = self.tree(&self.strategy(self.knobs()))?;
        apply(&mut tree, step).then(|| {
            let mut next = self.clone();
            next.moves.push(step);
            next
        })
    }

    /// What its block of cases turns.
    pub(super) fn knobs(&self) -> Knobs {
        Knobs::of(self.seed, &self.about.asks.id, self.index / BLOCK)
    }

    /// What draws it with these knobs.
    pub(super) fn strategy(&self, knobs: Knobs) -> BoxedStrategy<Generated> {
        cases((self.job, &self.about), &self.dialect, knobs)
    }

    fn tree(&self, cases: &BoxedStrategy<Generated>) -> Option<Box<dyn ValueTree<Value = Generated>>> {
        let index = self.index.to_string();
        let key: &[&str] = match self.job {
            JobKind::Get | JobKind::Send => &["judge", "generated", &self.dialect, &index],
            job => &["judge", "generated", job.as_str(), &self.dialect, &index],
        };
        let mut tree = cases.new_tree(&mut runner(self.seed, key)).ok()?;
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

/// Where the draws of a key come from.
pub(crate) fn runner(seed: Seed, key: &[&str]) -> TestRunner {
    TestRunner::new_with_rng(config(), TestRng::from_seed(RngAlgorithm::ChaCha, &seed.derive(key)))
}

/// So many cases turn the same knobs.
pub(super) const BLOCK: u32 = 8;

/// What is odd in a block of cases: a swarm, so that what is rare alone meets what is rare beside it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Knobs {
    values: strategy::Knobs,
    big_ids: bool,
    /// How deep selectors go.
    depth: usize,
    spaced: bool,
}

impl Knobs {
    fn of(seed: Seed, endpoint: &str, block: u32) -> Self {
        let mut stream = seed.stream(&["judge", "knobs", endpoint, &block.to_string()]);
        let mut turns = |of: u64| stream.below(of) > 0;
        Self {
            values: strategy::Knobs { odd_text: turns(3), edges: turns(3) },
            big_ids: turns(2),
            depth: if turns(3) { DEPTH_MAX } else { 0 },
            spaced: turns(2),
        }
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

fn cases((job, about): (JobKind, &About), dialect: &str, knobs: Knobs) -> BoxedStrategy<Generated> {
    let shape = about.shape(dialect).unwrap_or(Shape::Object(Vec::new()));
    let spaced = if knobs.spaced { any::<bool>().boxed() } else { Just(false).boxed() };
    let selectors = (strategy::selectors_to(&shape, knobs.depth), spaced);
    let fields = match job {
        // It asks for all that it is answered with.
        JobKind::Create => Just(None).boxed(),
        _ => proptest::option::weighted(0.85, selectors).boxed(),
    };
    let resource = strategy::resources_with(&shape, knobs.values);
    let resources = if about.shows.is_list {
        vec(resource, 0..4).prop_map(|all| format!("[{}]", all.join(","))).boxed()
    } else {
        resource
    };
    let names: Vec<&'static str> = about.params().collect();
    let values: Vec<BoxedStrategy<String>> =
        names.iter().map(|name| value(about.asks, name, knobs.big_ids)).collect();
    let made = about.life.filter(|_| job == JobKind::Create).and_then(|_| last_param(about.shows));
    let made =
        made.map(|name| value(about.shows, name, knobs.big_ids)).unwrap_or(Just(String::new()).boxed());
    let (about, dialect) = (*about, dialect.to_owned());
    (fields, resources, values, made, ends(job, &about))
        .prop_map(move |(fields, task, values, made, end)| {
            let keeps = if job == JobKind::Wait { deciding(&about, &dialect) } else { Vec::new() };
            let fields = fields.map(|(selector, spaced)| {
                let text = with_names(&selector, &keeps);
                if spaced { text.replace(',', ", ") } else { text }
            });
            let params: Vec<(String, String)> =
                names.iter().map(|name| (*name).to_owned()).zip(values).collect();
            let task = match job {
                JobKind::Create => with_own_id(&about, &dialect, task, &made),
                _ => with_id(&about, &dialect, task, &params),
            };
            let task = end.map_or(task.clone(), |state| in_state(&about, &dialect, task, &state));
            Generated { fields, task, params }
        })
        .boxed()
}

/// The states that a task which is waited for may come to, done first; none for other jobs.
fn ends(job: JobKind, about: &About) -> BoxedStrategy<Option<String>> {
    let Some(life) = about.life.filter(|_| matches!(job, JobKind::Wait | JobKind::Create)) else {
        return Just(None).boxed();
    };
    let weight = |phase: Phase| match phase {
        Phase::Done => Some(6),
        Phase::Failed | Phase::Cancelled | Phase::Partial => Some(1),
        Phase::Waiting | Phase::Working => None,
    };
    let mut ends: Vec<_> = (life.phases.iter())
        .filter_map(|(state, phase)| Some((weight(*phase)?, Just(Some(state.clone())).boxed())))
        .collect();
    ends.sort_by_key(|(weight, _)| std::cmp::Reverse(*weight));
    if ends.is_empty() { Just(None).boxed() } else { Union::new_weighted(ends).boxed() }
}

/// The names without which whoever waits cannot decide: the id and the state, as the dialect spells them.
fn deciding(about: &About, dialect: &str) -> Vec<String> {
    let names =
        about.shape(dialect).map(|shape| shape.names().into_iter().map(str::to_owned).collect::<Vec<_>>());
    let id = about.id_member().map(|id| spelt(about, id, dialect));
    let states = about.life.iter().flat_map(|life| life.state.iter().cloned());
    let known = names.unwrap_or_default();
    id.into_iter().chain(states).filter(|name| known.contains(name)).collect()
}

/// A selector's text with these names in it, too.
fn with_names(selector: &FieldSelector, names: &[String]) -> String {
    let missing = names.iter().filter(|name| !selector.selects(name));
    missing.fold(selector.to_string(), |text, name| format!("{text},{name}"))
}

/// A task in this state.
fn in_state(about: &About, dialect: &str, task: String, state: &str) -> String {
    let members = about.life.iter().flat_map(|life| &life.state);
    members.fold(task, |task, member| {
        replace(&task, &[(&format!("/{}", spelt(about, member, dialect)), &quote(state))])
    })
}

/// A task that is made, with an id of its own.
fn with_own_id(about: &About, dialect: &str, task: String, id: &str) -> String {
    let (Some(member), Some(name)) = (about.id_member(), last_param(about.shows)) else { return task };
    let id = if is_number(about.shows, name) { id.to_owned() } else { quote(id) };
    replace(&task, &[(&format!("/{}", spelt(about, member, dialect)), &id)])
}

fn last_param(endpoint: &'static Endpoint) -> Option<&'static str> {
    let last = endpoint.template.rsplit('/').next()?;
    last.strip_prefix('{')?.strip_suffix('}')
}

/// The parameter of the path that is asked.
fn is_number(endpoint: &Endpoint, name: &str) -> bool {
    let is_it = |known: &&Parameter| known.kind == ParameterKind::Path && known.name == name;
    endpoint.parameters.iter().find(is_it).is_some_and(|known| known.is_integer())
}

/// Ids that no console need have and a client must not alter: none, and negative ones, which a number of 64 bits with a
/// sign may be.
const EDGES: [i64; 4] = [0, -1, i64::MIN, i64::MAX];

/// Values of a path's parameter: numbers also beyond 2^53, none and negative; texts also with what has to be encoded in a path.
fn value(endpoint: &Endpoint, name: &str, big: bool) -> BoxedStrategy<String> {
    if is_number(endpoint, name) {
        let (small, big_ones) = ((3, (1..1000_i64).boxed()), (1, ((1 << 53)..i64::MAX).boxed()));
        let edges = (1, select(&EDGES[..]).boxed());
        let ids = if big { vec![small, big_ones, edges] } else { vec![small] };
        return Union::new_weighted(ids).prop_map(|id| id.to_string()).boxed();
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
    let id = if is_number(about.asks, name) { value.clone() } else { quote(value) };
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
pub(super) fn plain_text(shape: &Shape) -> String {
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
        Sprout::new(Seed(1), (JobKind::Get, sample::about(JobKind::Get)), "sample", index).value().unwrap()
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
        let ids: Vec<i64> = all.iter().map(|one| one.params[0].1.parse().unwrap()).collect();
        assert!(ids.iter().any(|id| *id > 1 << 53) && ids.contains(&0) && ids.contains(&-1), "{ids:?}");
    }

    #[test]
    fn a_selector_with_brackets_is_drawn_wherever_there_is_anything_below_a_member() {
        for endpoint in ["GET /siem/offenses/{offense_id}", "GET /help/endpoints"] {
            let about = About::of(JobKind::Get, endpoint).unwrap();
            for seed in 1..20 {
                let sprout = Sprout::new(Seed(seed), (JobKind::Get, about), "sample", 1).nested();
                let fields = sprout.value().unwrap().fields.unwrap();
                assert!(fields.contains('('), "{endpoint}, {seed}: {fields}");
                FieldSelector::parse_for(&fields, &about.shape("sample").unwrap()).unwrap();
            }
        }
        let flat = sample::about(JobKind::Get);
        let sprout = Sprout::new(Seed(1), (JobKind::Get, flat), "sample", 1);
        assert_eq!(sprout.clone().nested().value(), sprout.value());
    }

    #[test]
    fn shrinking_ends_at_something_small() {
        let mut sprout = Sprout::new(Seed(1), (JobKind::Get, sample::about(JobKind::Get)), "prose", 3);
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

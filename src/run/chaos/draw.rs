//! The plan of a seed.

use proptest::strategy::{BoxedStrategy, Strategy, ValueTree};
use proptest::test_runner::TestRunner;

use super::{Seen, in_a_line};
use crate::fault::{At, Fault};
use crate::judge::runner;
use crate::profile::Profile;
use crate::scenario::{Nth, PlannedFault, Scenario, fault_toml};
use crate::seed::{Seed, Stream};

/// The most faults of a plan.
const FAULTS_MOST: u64 = 4;
/// How many draws there are for them: some cannot be planned where they were drawn for.
const DRAWS: u32 = 40;
/// Of so many kinds of faults one is in the swarm of a seed.
const KINDS_ONE_IN: u64 = 3;
/// Of so many faults one befalls a connection.
const CONNECTIONS_ONE_IN: u64 = 6;
/// The last connection that one befalls.
const CONNECTION_LAST: u64 = 3;
/// Of so many faults one may wait for an occasion that there was not where nothing went wrong.
const BEYOND_ONE_IN: u64 = 4;
/// The latest occasion of a fault, however often a resource is asked for.
const LATEST: u32 = 20;
/// How many occasions in a row a fault lasts at most: it passes, so that whoever is patient comes to an end.
const IN_A_ROW: u64 = 3;
/// How a scenario asks for an error that no page documents: a client cannot be held to know it.
const UNDOCUMENTED: &str = "undocumented = true";

/// A kind of fault, and how it is drawn.
type Kind = (&'static str, BoxedStrategy<Fault>);

/// The faults of a seed over what was seen, each as `--fault` takes it; the same each time. `has_handshakes` says whether
/// connections begin with one of TLS.
///
/// None depends on time or on the order in which requests arrive, and none lasts: who tries again, or waits, gets through.
pub fn plan(seed: Seed, seen: &Seen, has_handshakes: bool) -> Vec<String> {
    let mut stream = seed.stream(&["chaos", "plan"]);
    let mut runner = runner(seed, &["chaos", "faults"]);
    let is_on = |(name, _): &Kind| seed.stream(&["chaos", "kind", name]).below(KINDS_ONE_IN) == 0;
    let swarm = |at| {
        let (on, off): (Vec<Kind>, Vec<Kind>) = Fault::strategies(at).into_iter().partition(is_on);
        if on.is_empty() { off } else { on }
    };
    let (of_answers, of_connections) = (swarm(At::Response), swarm(At::Connection));
    let most = stream.below(FAULTS_MOST).saturating_add(1);
    let mut lines: Vec<String> = Vec::new();
    for _ in 0..DRAWS {
        if lines.len() as u64 >= most {
            break;
        }
        let planned = match stream.below(CONNECTIONS_ONE_IN) {
            0 => of_connection(&of_connections, has_handshakes, &mut stream, &mut runner),
            _ => of_answer(&of_answers, seen, &mut stream, &mut runner),
        };
        if let Some(line) = planned.map(|planned| in_a_line(&planned)).filter(|line| !lines.contains(line)) {
            lines.push(line);
        }
    }
    lines
}

/// A fault of an answer of a place that was seen.
fn of_answer(
    kinds: &[Kind],
    seen: &Seen,
    stream: &mut Stream,
    runner: &mut TestRunner,
) -> Option<PlannedFault> {
    let (place, times) = nth(seen.places.iter(), seen.places.len(), stream)?;
    let fault = drawn(kinds, stream, runner)?;
    // At times once more than it was asked for: who tries again meets one at that, too.
    let more = u32::from(stream.below(BEYOND_ONE_IN) == 0);
    let latest = times.saturating_add(more).min(LATEST);
    let first = u32::try_from(stream.below(u64::from(latest))).unwrap_or(0).saturating_add(1);
    let more = match stream.below(2) {
        0 => 0,
        _ => u32::try_from(stream.below(IN_A_ROW)).unwrap_or(0),
    };
    let profile = Profile::builtin();
    let endpoint = profile.endpoint(place);
    let life = profile.task_of(place).or_else(|| profile.created_by(place));
    if endpoint.is_some_and(|endpoint| fault.never_at(endpoint, life).is_some()) {
        return None;
    }
    let nth = Nth::Between(first, Some(first.saturating_add(more)));
    planned(&format!("endpoint = {}, nth = \"{nth}\"", toml::Value::from(place.as_str())), &fault)
}

/// A fault of one of the first connections.
fn of_connection(
    kinds: &[Kind],
    has_handshakes: bool,
    stream: &mut Stream,
    runner: &mut TestRunner,
) -> Option<PlannedFault> {
    let fault = drawn(kinds, stream, runner)?;
    let needs_one = fault.greets().is_some_and(|greets| greets.trouble().is_some());
    // The first one most often: many clients have no other.
    let number = match stream.below(2) {
        0 => 1,
        _ => stream.below(CONNECTION_LAST).saturating_add(1),
    };
    if needs_one && !has_handshakes { None } else { planned(&format!("connection = \"{number}\""), &fault) }
}

fn drawn(kinds: &[Kind], stream: &mut Stream, runner: &mut TestRunner) -> Option<Fault> {
    let (_, strategy) = nth(kinds.iter(), kinds.len(), stream)?;
    Some(strategy.new_tree(runner).ok()?.current())
}

fn nth<T>(mut all: impl Iterator<Item = T>, count: usize, stream: &mut Stream) -> Option<T> {
    if count == 0 {
        return None;
    }
    all.nth(usize::try_from(stream.below(count as u64)).unwrap_or(0))
}

/// The fault with when it fires, if a scenario may plan it.
fn planned(when: &str, fault: &Fault) -> Option<PlannedFault> {
    let inject = fault_toml(fault);
    if fault.is_identity() || inject.contains(UNDOCUMENTED) {
        return None;
    }
    let text = format!(
        "summary = \"drawn\"\n\n[[fault]]\nwhen = {{ {when} }}\ninject = {inject}\noptional = true\n"
    );
    let mut scenario = Scenario::parse("", "a fault that was drawn", &text, Profile::builtin()).ok()?;
    // What depends on the connection's number is the same each time a client comes by itself.
    let is_repeatable = |it: &PlannedFault| {
        it.when.connection.is_some() || (!it.depends_on_order() && it.inject.quota().is_none())
    };
    scenario.faults.pop().filter(is_repeatable)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    const POLLS: &str = "GET /forensics/case_management/case_create_tasks/{id}";
    const LIST: &str = "GET /forensics/case_management/cases";

    fn seen() -> Seen {
        Seen { places: [(POLLS.to_owned(), 5), (LIST.to_owned(), 1)].into() }
    }

    fn plans(has_handshakes: bool) -> Vec<Vec<String>> {
        (1..=300).map(|seed| plan(Seed(seed), &seen(), has_handshakes)).collect()
    }

    #[test]
    fn a_seed_has_the_same_plan_each_time_and_every_plan_can_be_run() {
        let (one, two) = (plans(true), plans(true));
        assert_eq!(one, two);
        for lines in &one {
            assert!((1..=4).contains(&lines.len()), "{lines:?}");
            let scenario = Scenario::of_faults(lines, Profile::builtin()).unwrap();
            assert!(scenario.faults.iter().all(|planned| planned.optional), "{lines:?}");
            assert!(scenario.faults.iter().map(in_a_line).eq(lines.iter().cloned()), "{lines:?}");
        }
    }

    #[test]
    fn plans_reach_most_kinds_every_place_and_every_number_of_faults() {
        let all = plans(true);
        let faults = |lines: &Vec<String>| Scenario::of_faults(lines, Profile::builtin()).unwrap().faults;
        let kinds: BTreeSet<&str> =
            all.iter().flat_map(faults).map(|planned| planned.inject.kind()).collect();
        assert!(kinds.len() > 50, "{}: {kinds:?}", kinds.len());
        let aims: BTreeSet<Option<String>> =
            all.iter().flat_map(faults).map(|planned| planned.when.endpoint).collect();
        assert_eq!(aims, BTreeSet::from([None, Some(POLLS.to_owned()), Some(LIST.to_owned())]));
        let counts: BTreeSet<usize> = all.iter().map(Vec::len).collect();
        assert_eq!(counts, BTreeSet::from([1, 2, 3, 4]));
    }

    #[test]
    fn a_plan_has_few_kinds_that_come_again_and_no_handshake_where_there_is_none() {
        for lines in plans(false) {
            let scenario = Scenario::of_faults(&lines, Profile::builtin()).unwrap();
            assert!(!scenario.needs_tls(), "{lines:?}");
        }
    }

    #[test]
    fn what_was_not_seen_meets_nothing() {
        for seed in 1..=50 {
            let lines = plan(Seed(seed), &Seen::default(), false);
            assert!(lines.iter().all(|line| line.contains("connection=")), "{lines:?}");
        }
    }
}

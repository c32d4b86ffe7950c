//! The laws of scenarios: what is written reads back, and what fires depends on nothing but its own key.

use crate::laws;

use faultdeck::cassette::{MatchRules, Normal};
use faultdeck::fault::{At, Fault, Greets};
use faultdeck::profile::Profile;
use faultdeck::scenario::{
    Case, Clock, CommandMust, Must, Named, Nth, Of, PlannedFault, Repeats, Scenario, See, Seen, Source, Span,
    Statuses, When, Writes,
};
use faultdeck::seed::{Ratio, Seed};
use faultdeck::timeline::{Deployment, HostChange, HostState, ManagedHost, PathStep};
use laws::holds;
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::{Just, Strategy, any, prop_assert, prop_assert_eq, prop_oneof};
use proptest::sample::select;
use proptest::test_runner::TestCaseError;

const CASES: u32 = 5_000;

fn texts() -> impl Strategy<Value = String> {
    let odd = [
        "",
        "a \"quoted\" \\ text",
        "line\nline\ttab",
        "größe 日本 \u{7f}\u{1}",
        "''' \"\"\"",
        "x = 1 # [y]",
    ];
    prop_oneof![select(odd.to_vec()).prop_map(str::to_owned), crate::laws::text("[ -~]{0,12}")]
}

fn names() -> impl Strategy<Value = String> {
    crate::laws::text("[a-zA-Z][a-zA-Z0-9._-]{0,10}")
}

/// Names of parameters and pointers into a body.
fn texts_of_names() -> impl Strategy<Value = String> {
    prop_oneof![names(), names().prop_map(|name| format!("/größe \"{name}\"/0"))]
}

fn nths() -> impl Strategy<Value = Nth> {
    prop_oneof![
        Just(Nth::ALL),
        (1..9u32, option::of(0..9u32))
            .prop_map(|(first, more)| Nth::Between(first, more.map(|more| first + more))),
        (1..9u32).prop_map(Nth::Every),
    ]
}

fn spans() -> impl Strategy<Value = Span> {
    (0..9u64, option::of(0..9u64))
        .prop_map(|(first, more)| Span { first, last: more.map(|more| first + more) })
}

/// What a query can carry: anything on one line.
fn texts_of_values() -> impl Strategy<Value = String> {
    crate::laws::text("[ -~é]{0,12}")
}

fn planned() -> impl Strategy<Value = PlannedFault> {
    let endpoints: Vec<String> = Profile::builtin().ids().map(str::to_owned).collect();
    let chances = (0..4u32, 0..4u32).prop_map(|(hits, more)| Ratio::new(hits, hits + more + 1).unwrap());
    let when = (
        option::of(select(endpoints)),
        nths(),
        select(&[Of::Resource, Of::Endpoint][..]),
        option::of(chances),
    );
    let late = (option::of(nths()), option::of(spans()), option::of(spans()), option::of(1..9u32));
    let words =
        (option::of(names()), option::of(names()), vec((names(), option::of(texts_of_values())), 0..3));
    let state = option::of(select(&["done", "partial", "PARTIALLY_COMPLETE", "EXECUTE"][..]));
    let conditions = (late, words, state, option::of(nths()));
    let of_answers = (Fault::strategy(At::Response), when, conditions, any::<bool>()).prop_map(
        |(inject, when, conditions, optional)| {
            let (endpoint, nth, of, chance) = when;
            let ((call, tick, since_start_ms, most), (session, resource, query), state, connection) =
                conditions;
            // Every endpoint but the help documents its own errors only; any request may meet the framework's.
            let endpoint = if inject.answers().is_some() { None } else { endpoint };
            // Some kinds can never happen at some endpoints, and are refused there.
            let can_happen = |id: &String| {
                let profile = Profile::builtin();
                inject.never_at(profile.by_name(id).unwrap(), profile.task_of(id)).is_none()
            };
            let endpoint = endpoint.filter(can_happen);
            let (resource, state) = (resource.map(|path| format!("/{path}*")), state.map(str::to_owned));
            let when =
                When { endpoint, nth, of, call, session, resource, query, state, tick, ..When::default() };
            let when = When { since_start_ms, connection, chance, most, ..when };
            PlannedFault { name: None, when, optional, inject, key: String::new() }
        },
    );
    prop_oneof![4 => of_answers, 1 => planned_for_connections()]
}

fn planned_for_connections() -> impl Strategy<Value = PlannedFault> {
    let chances = (0..4u32, 0..4u32).prop_map(|(hits, more)| Ratio::new(hits, hits + more + 1).unwrap());
    let when = (option::of(nths()), spans(), any::<bool>(), option::of(chances));
    (Fault::strategy(At::Connection), when, any::<bool>()).prop_map(|(inject, when, optional)| {
        let (connection, span, is_timed, chance) = when;
        let is_absence = inject.greets() == Some(Greets::Absence);
        let connection = connection.filter(|_| !is_absence);
        let since_start_ms = (is_absence || is_timed).then_some(span);
        let when = When { connection, since_start_ms, chance, ..When::default() };
        PlannedFault { name: None, when, optional, inject, key: String::new() }
    })
}

fn lives() -> impl Strategy<Value = (Option<Deployment>, Vec<PathStep>, Option<u32>)> {
    use HostState::{Done, Down, Removed, Working};
    let change = (0..9u32, select(&[Working, Done, Down, Removed][..]));
    let changes = vec(change.prop_map(|(at, becomes)| HostChange { at, becomes }), 0..4);
    let deployment = (0..4u32, vec(changes, 1..4)).prop_map(|(picked_up_at, hosts)| {
        let host = |(n, changes)| ManagedHost { name: format!("mh \"{n}\""), changes };
        Deployment { picked_up_at, hosts: hosts.into_iter().enumerate().map(host).collect() }
    });
    let values = [
        "1",
        "-7",
        "123456789012345678901234567890",
        "1.50",
        "1e5",
        "true",
        "\"a\\nb\"",
        "[1,[]]",
        "{\"a\":{\"b\":2}}",
    ];
    let set = vec((texts(), select(values.to_vec())), 1..4).prop_map(|members| {
        let mut set: Vec<(String, String)> =
            members.into_iter().map(|(name, value)| (name, value.to_owned())).collect();
        set.sort();
        set.dedup_by(|one, other| one.0 == other.0);
        set
    });
    let path = vec((1..5u32, set), 1..4).prop_map(|steps| {
        let mut at = 0;
        let step = |(after, set)| {
            at += after;
            PathStep { at, set }
        };
        steps.into_iter().map(step).collect::<Vec<_>>()
    });
    prop_oneof![
        Just((None, Vec::new(), None)),
        deployment.prop_map(|deployment| (Some(deployment), Vec::new(), None)),
        path.prop_map(|path| (None, path, None)),
        (1..50u32).prop_map(|polls| (None, Vec::new(), Some(polls))),
    ]
}

fn musts() -> impl Strategy<Value = Must> {
    let commands = select(&[CommandMust::Passes, CommandMust::Fails, CommandMust::Any][..]);
    (proptest::collection::btree_set(names(), 0..4), commands, sees()).prop_map(|(hold, command, see)| Must {
        hold: hold.into_iter().map(|name| Named { name, at: 0..0 }).collect(),
        command,
        see,
    })
}

fn sees() -> impl Strategy<Value = See> {
    let statuses = prop_oneof![(100..=999u16).prop_map(Statuses::One), (1..=9u16).prop_map(Statuses::Class)];
    let endpoints = select(&["GET /siem/offenses", "GET /api/**", "POST /x/*"][..]).prop_map(str::to_owned);
    let faults = select(&["latency", "close"][..]).prop_map(str::to_owned);
    let row = (endpoints, option::of(statuses), option::of(faults), 0..9u64, option::of(9..99u64)).prop_map(
        |(endpoint, status, fault, min, max)| Seen { endpoint: Some(endpoint), status, fault, min, max },
    );
    (option::of(1..9u64), option::of(9..99u64), vec(row, 0..4), any::<bool>(), any::<bool>()).prop_map(
        |(requests_min, requests_max, requests, every_interaction, nothing_missed)| See {
            requests_min,
            requests_max,
            requests,
            every_interaction,
            nothing_missed,
        },
    )
}

fn cases() -> impl Strategy<Value = Case> {
    let task = select(&["{\"id\":9007199254740993,\"name\":\"\\u00e9 'x' \\\"\"}", "{}", "[1.00, 1E5]"][..]);
    let asked = option::of((names(), texts()));
    ([names(), names(), names(), names()], asked, option::of(texts()), option::of(task), any::<u64>())
        .prop_map(|([property, client, job, dialect], asked, fields, task, seed)| Case {
            endpoint: asked.as_ref().map(|(endpoint, _)| endpoint.clone()),
            path: asked.map(|(_, path)| path),
            property,
            client,
            job,
            dialect,
            fields,
            task: task.map(str::to_owned),
            seed: Seed(seed),
        })
}

fn scenarios() -> impl Strategy<Value = Scenario> {
    let source = prop_oneof![
        Just(Source::Cassette(None)),
        names().prop_map(|name| Source::Cassette(Some(name))),
        Just(Source::Emulate)
    ];
    let repeats = select(&[Repeats::Last, Repeats::Error, Repeats::Cycle][..]);
    let writes = select(&[Writes::Once, Writes::Repeat, Writes::Last][..]);
    let normal = select(Normal::WORDS.map(|(_, normal)| normal).to_vec());
    let matching = (
        vec(names(), 0..3),
        proptest::collection::btree_map(texts_of_names(), normal, 0..3),
        option::of(any::<bool>()),
    )
        .prop_map(|(names, normalise, loose)| MatchRules {
            headers: names.iter().map(|name| format!("X-{name}")).collect(),
            ignore: names,
            normalise,
            loose,
        });
    let writes = (writes, matching);
    let switches = (repeats, any::<bool>(), option::of(1..9_999u64), writes);
    let story = (
        texts(),
        source,
        musts(),
        lives(),
        switches,
        vec((planned(), any::<bool>()), 0..5),
        option::of(cases()),
    );
    story.prop_map(|(summary, source, must, (deployment, path, polls_per_phase), switches, faults, case)| {
        let named = |(n, (fault, named)): (usize, (PlannedFault, bool))| PlannedFault {
            name: named.then(|| format!("fault-{n}")),
            ..fault
        };
        Scenario {
            name: "generated".to_owned(),
            summary,
            text: String::new(),
            source,
            must,
            deployment,
            path,
            polls_per_phase,
            clock: switches.2.map(|ms| if ms % 5 == 0 { Clock::ByHand } else { Clock::Every(ms) }),
            repeats: switches.0,
            writes: switches.3.0,
            matching: switches.3.1,
            unknown_id_misses: switches.1,
            faults: faults.into_iter().enumerate().map(named).collect(),
            case,
            file: None,
        }
    })
}

fn parse(text: &str) -> Scenario {
    Scenario::parse("generated", "generated.toml", text, Profile::builtin())
        .unwrap_or_else(|error| panic!("{error:?}"))
}

/// Without what says where it was written: the text, places in it, and the keys, which reading assigns.
fn without_places(mut scenario: Scenario) -> Scenario {
    scenario.text.clear();
    scenario.must.hold.iter_mut().for_each(|named| named.at = 0..0);
    scenario.faults.iter_mut().for_each(|fault| fault.key.clear());
    scenario
}

#[test]
fn what_is_written_reads_back_the_same() {
    holds(CASES, scenarios(), |scenario| {
        let text = scenario.to_toml();
        let read = parse(&text);
        prop_assert_eq!(read.to_toml(), text, "writing again gives the same text");
        let keys: Vec<String> = read.faults.iter().map(|fault| fault.key.clone()).collect();
        prop_assert!(keys.iter().enumerate().all(|(n, key)| !key.is_empty() && !keys[..n].contains(key)));
        prop_assert_eq!(without_places(read), without_places(scenario));
        Ok(())
    });
}

#[test]
fn every_builtin_scenario_reads_back_the_same() {
    for (name, _) in Scenario::builtins() {
        let scenario = Scenario::builtin(name, Profile::builtin()).unwrap();
        let mut again = parse(&scenario.to_toml());
        again.name.clone_from(&scenario.name);
        let keys =
            |scenario: &Scenario| scenario.faults.iter().map(|fault| fault.key.clone()).collect::<Vec<_>>();
        assert_eq!(keys(&again), keys(&scenario));
        assert_eq!(without_places(again), without_places(scenario));
    }
}

#[test]
fn every_occurrence_reads_back_and_holds_where_it_says() {
    holds(CASES, (nths(), 0..40u32), |(nth, n)| {
        prop_assert_eq!(nth.to_string().parse::<Nth>(), Ok(nth));
        let expected = match nth {
            Nth::Between(first, last) => (first..=last.unwrap_or(u32::MAX)).contains(&n),
            Nth::Every(step) => n != 0 && n.is_multiple_of(step),
        };
        prop_assert_eq!(nth.holds(n), expected);
        Ok(())
    });
}

/// Which of the first occurrences of some resources each fault fires on.
fn firing(fault: &PlannedFault) -> Vec<bool> {
    let endpoint = fault.when.endpoint.as_deref().unwrap_or("GET /x");
    let resources = ["/api/a/1", "/api/a/2", "/api/b"];
    let places = resources.iter().flat_map(|resource| (1..9).map(move |nth| (resource, nth)));
    places.map(|(resource, nth)| fault.fires(Seed(5), "main", endpoint, resource, nth)).collect()
}

#[test]
fn a_fault_in_one_line_is_the_same_fault() {
    holds(CASES, (planned(), any::<bool>()), |(fault, named)| {
        let name = named.then(|| "a.name".to_owned());
        let fault = PlannedFault { name, ..fault };
        let scenario = Scenario { faults: vec![fault], ..parse("") };
        let read = parse(&scenario.to_toml()).faults;
        let lines: Vec<String> = read.iter().map(ToString::to_string).collect();
        let again = Scenario::of_faults(&lines, Profile::builtin());
        let again = again.map_err(|error| TestCaseError::fail(format!("{lines:?}: {error}")))?;
        prop_assert_eq!(&again.faults, &read, "{:?}", lines);
        Ok(())
    });
}

#[test]
fn adding_a_fault_rolls_no_other_again() {
    let story = vec(planned(), 1..5);
    holds(CASES, (story, planned(), any::<usize>()), |(faults, new, place)| {
        let with = |faults: Vec<PlannedFault>| {
            let scenario = Scenario { faults, ..parse("") };
            parse(&scenario.to_toml()).faults
        };
        // An equal fault put before another takes its ordinal; that is the one case where places matter.
        let is_equal = |fault: &PlannedFault| {
            let plain = |fault: &PlannedFault| PlannedFault { optional: false, ..fault.clone() };
            plain(fault) == plain(&new)
        };
        let place = if faults.iter().any(is_equal) { faults.len() } else { place % (faults.len() + 1) };
        let mut more = faults.clone();
        more.insert(place, new.clone());
        let (before, mut after) = (with(faults), with(more));
        after.remove(place);
        prop_assert_eq!(
            before.iter().map(firing).collect::<Vec<_>>(),
            after.iter().map(firing).collect::<Vec<_>>()
        );
        Ok(())
    });
}

#[test]
fn a_fault_fires_only_where_it_is_meant_to_and_without_a_chance_always_there() {
    holds(CASES, planned(), |fault| {
        let When { endpoint, nth, of, chance, .. } = fault.when;
        let fault = PlannedFault { when: When { endpoint, nth, of, chance, ..When::default() }, ..fault };
        for nth in 1..12 {
            let other = fault.when.endpoint.is_some()
                && fault.fires(Seed(1), "main", "GET /other", "/api/other", nth);
            prop_assert!(!other);
            let endpoint = fault.when.endpoint.clone().unwrap_or_default();
            let fires = fault.fires(Seed(1), "main", &endpoint, "/api/a", nth);
            prop_assert!(!fires || fault.when.nth.holds(nth));
            match fault.when.chance {
                None => prop_assert_eq!(fires, fault.when.nth.holds(nth)),
                Some(chance) => prop_assert!(!fires || !chance.is_never()),
            }
            prop_assert_eq!(fires, fault.fires(Seed(1), "main", &endpoint, "/api/a", nth));
        }
        Ok(())
    });
}

#[test]
fn a_fault_without_strength_or_with_leave_need_not_fire() {
    let must = |text: &str| {
        let fault = &parse(&format!("[[fault]]\n{text}\n")).faults[0];
        (fault.must_fire(), fault.must_fire_somewhere())
    };
    assert_eq!(must("inject = { hang = {} }"), (true, true));
    assert_eq!(must("inject = { hang = {} }\nwhen = { chance = \"1/10\" }"), (false, true));
    assert_eq!(must("inject = { hang = {} }\nwhen = { chance = \"0/1\" }"), (false, false));
    assert_eq!(must("inject = { latency = { ms = 0 } }"), (false, false));
    assert_eq!(must("inject = { hang = {} }\noptional = true"), (false, false));
}

#[test]
fn the_draws_of_a_named_fault_are_pinned() {
    let fault =
        &parse("[[fault]]\nname = \"now-and-then\"\nwhen = { chance = \"1/2\" }\ninject = { hang = {} }\n")
            .faults[0];
    let pattern: String = (1..=16)
        .map(|nth| if fault.fires(Seed(1), "main", "GET /x", "/api/x", nth) { '#' } else { '.' })
        .collect();
    assert_eq!(pattern, PINNED);
}

const PINNED: &str = "#.##.#.##......#";

#[test]
fn what_is_written_is_what_the_schema_describes() {
    let schema = serde_json::from_str(faultdeck::schemas::SCENARIO.text).unwrap();
    let validator = jsonschema::draft7::new(&schema).unwrap();
    holds(CASES, scenarios(), |mut scenario| {
        // Which properties there are, the schema knows and the generator does not.
        scenario.must.hold.clear();
        let text = scenario.to_toml();
        // The values of a path may be of any size, which TOML's own readers do not all take.
        let document: toml::Table = text.replace("123456789012345678901234567890", "1").parse().unwrap();
        let document = serde_json::to_value(document).unwrap();
        let held: Vec<String> = validator.iter_errors(&document).map(|error| error.to_string()).collect();
        prop_assert!(held.is_empty(), "{text}\n{}", held.join("\n"));
        let marked = faultdeck::schemas::SCENARIO.line() + &text;
        prop_assert_eq!(without_places(parse(&marked)), without_places(parse(&text)));
        Ok(())
    });
}

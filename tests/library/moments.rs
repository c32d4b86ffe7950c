//! When a planned fault fires: each condition in a session that is asked, and all of them whatever order clients come in.

use crate::evidence;

use std::collections::BTreeMap;
use std::sync::{Arc, Barrier};
use std::time::Duration;

use evidence::*;
use faultdeck::ledger::Line;
use faultdeck::replay::Replay;
use faultdeck::seed::Seed;

const TASK: &str = "/api/forensics/case_management/case_create_tasks/7";

/// A task that waits, works and is done, and what else is asked for.
fn tape() -> faultdeck::cassette::Cassette {
    let states = ["WAITING", "PROCESSING", "PROCESSING", "COMPLETE"].map(task);
    let mut pairs: Vec<_> = states.iter().map(|body| (get(TASK), 200, body.as_str())).collect();
    pairs.push((get("/console/page?id=1&open=yes"), 200, "{\"a\":1}"));
    pairs.push((get("/console/page?id=2"), 200, "{\"a\":2}"));
    cassette(pairs)
}

/// Which of these requests met the fault, the first being 1. A number stands for the milliseconds it is asked at.
fn met(when: &str, asked: &[(&str, u64)]) -> Vec<usize> {
    let scenario = format!(
        "summary = \"x\"\n[[fault]]\nwhen = {{ {when} }}\ninject = {{ reset = {{ after_bytes = 1 }} }}\n"
    );
    met_under(&scenario, asked)
}

fn met_under(scenario: &str, asked: &[(&str, u64)]) -> Vec<usize> {
    let replay = replay_seeded(tape(), Some(scenario), 1);
    let firing = |(at, (target, ms)): (usize, &(&str, u64))| {
        let before = fired(&replay);
        let _ = replay.decide(get(target), Duration::from_millis(*ms));
        (fired(&replay) > before).then_some(at + 1)
    };
    asked.iter().enumerate().filter_map(firing).collect()
}

/// How many resets there were.
fn fired(replay: &Replay) -> usize {
    let resets = |line: &Line| match line {
        Line::Exchange(exchange) => exchange.faults.iter().filter(|fault| fault.kind == "reset").count(),
        _ => 0,
    };
    replay.lines().iter().map(resets).sum()
}

fn polls(count: usize) -> Vec<(&'static str, u64)> {
    vec![(TASK, 0); count]
}

#[test]
fn a_state_is_that_of_the_answer_by_its_name_or_its_phase() {
    assert_eq!(met("state = \"PROCESSING\"", &polls(6)), [2, 3]);
    assert_eq!(met("state = \"working\"", &polls(6)), [2, 3]);
    assert_eq!(met("state = \"done\", nth = \"5-\"", &polls(6)), [5, 6]);
    assert_eq!(met("state = \"partial\"", &polls(6)), [0; 0]);
}

#[test]
fn a_tick_a_call_and_a_cap_count_what_they_say() {
    assert_eq!(met("tick = \"0-1\"", &polls(4)), [1, 2]);
    // The same request again at once is the same call.
    let asked = [
        (TASK, 0),
        (TASK, 0),
        ("/api/forensics/case_management/case_create_tasks/7?fields=state", 0),
        (TASK, 0),
    ];
    assert_eq!(met("call = \"1\"", &asked), [1, 2]);
    assert_eq!(met("call = \"2-\"", &asked), [3, 4]);
    assert_eq!(met("most = 2", &polls(5)), [1, 2]);
    assert_eq!(met("nth = \"1-3\"", &polls(5)), [1, 2, 3], "then it heals");
}

#[test]
fn a_resource_a_query_and_a_session_are_looked_at() {
    let asked = [
        ("/console/page?id=1&open=yes", 0),
        ("/console/page?id=2", 0),
        ("/@other/console/page?id=2", 0),
        (TASK, 0),
    ];
    assert_eq!(met("resource = \"/console/*\", nth = \"1-\"", &asked), [1, 2, 3]);
    assert_eq!(met("query = [\"id=2\"]", &asked), [2, 3]);
    assert_eq!(met("query = [\"open\", \"id=1\"]", &asked), [1]);
    assert_eq!(met("session = \"ot*\"", &asked), [3]);
    assert_eq!(met("session = \"main\", endpoint = \"GET /console/**\"", &asked), [1, 2]);
}

#[test]
fn an_outage_is_a_window_of_time_on_anything() {
    let asked = [(TASK, 100), (TASK, 2_000), ("/console/page?id=2", 3_000), (TASK, 5_000), (TASK, 5_001)];
    assert_eq!(met("since_start_ms = \"2000-5000\"", &asked), [2, 3, 4]);
}

#[test]
fn a_fault_comes_after_another_of_its_session() {
    let scenario = "summary = \"x\"\n\
        [[fault]]\nname = \"first\"\nwhen = { nth = \"2\", endpoint = \"case_create_tasks.get\" }\n\
        inject = { latency = { ms = 5 } }\n\
        [[fault]]\nwhen = { after = \"first\" }\ninject = { reset = { after_bytes = 1 } }\n";
    let asked =
        [(TASK, 0), (TASK, 0), ("/console/page?id=2", 0), ("/@other/console/page?id=2", 0), (TASK, 0)];
    assert_eq!(met_under(scenario, &asked), [3, 5]);
}

/// Trouble that each client meets by itself: nothing in it looks at the time, or at more than a session.
const TROUBLE: &str = r#"
summary = "x"
[[fault]]
when = { chance = "1/3" }
inject = { latency = { ms = 5, jitter_ms = 50 } }
[[fault]]
when = { state = "working", chance = "1/2" }
inject = { truncate = { body_bytes = 5 } }
[[fault]]
name = "second"
when = { nth = "2" }
inject = { api-error = { status = 401, code = 18 } }
[[fault]]
when = { after = "second", most = 1 }
inject = { reset = { after_bytes = 9 } }
"#;

/// What a client asks, in this order, each in a session of its own.
const SCRIPT: [&str; 5] = [TASK, "/console/page?id=2", TASK, TASK, "/console/page?id=1&open=yes"];
const CLIENTS: usize = 8;

fn ask(replay: &Replay, client: usize, step: usize) {
    let _ = replay.decide(get(&format!("/@c{client}{}", SCRIPT[step])), Duration::from_millis(1));
}

/// The exchanges of each session, in its own order.
fn by_session(replay: &Replay) -> BTreeMap<String, Vec<String>> {
    let mut sessions: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for line in replay.lines() {
        if let Line::Exchange(exchange) = &line {
            let session = exchange.key.session.clone();
            sessions.entry(session).or_default().push(line.to_json().unwrap());
        }
    }
    sessions
}

#[test]
fn ten_thousand_interleavings_of_eight_clients_give_the_same_ledgers() {
    let setup = setup_seeded(tape(), Some(TROUBLE), 7);
    let begun = || Replay::new(setup.clone()).keeping();
    let alone = begun();
    (0..CLIENTS).for_each(|client| (0..SCRIPT.len()).for_each(|step| ask(&alone, client, step)));
    let expected = by_session(&alone);
    assert_eq!(expected.len(), CLIENTS);
    let spoilt = expected.values().flatten().filter(|line| line.contains("\"kind\":\"reset\"")).count();
    assert_eq!(spoilt, CLIENTS, "each meets what comes after the second request of a thing");
    let mut draws = Seed(7).stream(&["interleavings"]);
    for round in 0..10_000 {
        let replay = begun();
        let mut steps = [0; CLIENTS];
        let mut left: Vec<usize> = (0..CLIENTS).collect();
        while !left.is_empty() {
            let at = usize::try_from(draws.below(left.len() as u64)).unwrap();
            let client = left[at];
            ask(&replay, client, steps[client]);
            steps[client] += 1;
            if steps[client] == SCRIPT.len() {
                left.swap_remove(at);
            }
        }
        assert_eq!(by_session(&replay), expected, "round {round}");
    }
}

#[test]
fn sixty_four_threads_meet_what_one_meets() {
    let ask_all = |replay: &Replay, client: usize| {
        (0..SCRIPT.len()).for_each(|step| {
            let target = format!("/@t{client}{}", SCRIPT[step]);
            let _ = replay.decide(get(&target), Duration::from_millis(1));
        });
    };
    let alone = replay_seeded(tape(), Some(TROUBLE), 7);
    (0..64).for_each(|client| ask_all(&alone, client));
    let crowd = Arc::new(replay_seeded(tape(), Some(TROUBLE), 7));
    let barrier = Arc::new(Barrier::new(64));
    std::thread::scope(|scope| {
        for client in 0..64 {
            let (crowd, barrier) = (Arc::clone(&crowd), Arc::clone(&barrier));
            scope.spawn(move || {
                barrier.wait();
                ask_all(&crowd, client);
            });
        }
    });
    assert_eq!(by_session(&crowd), by_session(&alone));
}

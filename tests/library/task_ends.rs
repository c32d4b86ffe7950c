//! What hangs on the end of a task: its results, and a poll that waits for it.

use crate::evidence;

use evidence::{answer, cassette, exchanges, get, replay};
use faultdeck::ledger::Origin;
use faultdeck::message::Request;

const SEARCH: &str = "/api/ariel/searches/s-1";
const RESULTS: &str = "/api/ariel/searches/s-1/results";

fn state(state: &str) -> String {
    format!(r#"{{"search_id":"s-1","status":"{state}"}}"#)
}

/// A search polled through these states, and what its results were.
fn recorded(states: &[&str], results: &[(u16, &str)]) -> faultdeck::cassette::Cassette {
    let bodies: Vec<String> = states.iter().map(|name| state(name)).collect();
    let mut all: Vec<(Request, u16, &str)> =
        bodies.iter().map(|body| (get(SEARCH), 200, body.as_str())).collect();
    all.extend(results.iter().map(|(status, body)| (get(RESULTS), *status, *body)));
    cassette(all)
}

const EVENTS: &str = r#"{"events":[]}"#;

#[test]
fn results_are_not_there_until_the_task_is_done_however_often_it_is_polled() {
    for each in [1, 7] {
        let scenario = format!("summary = \"x\"\npolls_per_phase = {each}\n");
        let tape = recorded(&["WAIT", "EXECUTE", "COMPLETED"], &[(200, EVENTS)]);
        let replay = replay(tape, Some(&scenario));
        for _ in 0..each * 2 {
            answer(&replay, get(SEARCH));
            let (status, body) = answer(&replay, get(RESULTS));
            assert!(status == 404 && body.contains(r#""code":1003"#), "{body}");
        }
        let early = exchanges(&replay).pop().unwrap();
        assert!(matches!(early.origin, Origin::Synthesised { source, .. } if source == "documented"));
        assert!(answer(&replay, get(SEARCH)).1.contains("COMPLETED"));
        assert_eq!(answer(&replay, get(RESULTS)), (200, EVENTS.to_owned()));
    }
}

#[test]
fn what_the_recording_shows_outranks_that() {
    // An early request of its own, which is told first.
    let replay_of = |tape| replay(tape, None);
    let both = replay_of(recorded(&["WAIT", "COMPLETED"], &[(404, r#"{"code":1}"#), (200, EVENTS)]));
    answer(&both, get(SEARCH));
    assert_eq!(answer(&both, get(RESULTS)), (404, r#"{"code":1}"#.to_owned()));
    // No end was recorded, or the client never polled: nothing is known.
    let endless = replay_of(recorded(&["WAIT"], &[(200, EVENTS)]));
    answer(&endless, get(SEARCH));
    assert_eq!(answer(&endless, get(RESULTS)).0, 200);
    let unpolled = replay_of(recorded(&["WAIT", "COMPLETED"], &[(200, EVENTS)]));
    assert_eq!(answer(&unpolled, get(RESULTS)).0, 200);
}

#[test]
fn a_poll_that_waits_is_206_while_the_task_is_on_its_way_and_one_that_does_not_is_200() {
    let waiting = || get(SEARCH).with("Prefer", "respond-async, wait=3");
    let replay_of = |first: Request, status| {
        let body = state("EXECUTE");
        let done = state("COMPLETED");
        replay(cassette(vec![(first.clone(), status, body.as_str()), (first, 200, done.as_str())]), None)
    };
    let plain = replay_of(get(SEARCH), 200);
    assert_eq!([answer(&plain, waiting()).0, answer(&plain, waiting()).0], [206, 200]);
    let patient = replay_of(waiting(), 206);
    assert_eq!([answer(&patient, get(SEARCH)).0, answer(&patient, get(SEARCH)).0], [200, 200]);
    let same = replay_of(waiting(), 200);
    assert_eq!(answer(&same, waiting()).0, 200, "the console did so");
}

#[test]
fn a_cancel_ends_a_task_for_who_sends_it_and_for_nobody_else() {
    let cancel = || evidence::post(&format!("{SEARCH}?status=CANCELED"), "");
    let (on, off) = (state("EXECUTE"), state("CANCELED"));
    let tape = || {
        let polls = [
            (get(SEARCH), 200, on.as_str()),
            (cancel(), 200, off.as_str()),
            (get(SEARCH), 200, off.as_str()),
        ];
        cassette(polls.into())
    };
    for scenario in [None, Some("summary = \"x\"\npolls_per_phase = 3\n")] {
        let patient = replay(tape(), scenario);
        for _ in 0..9 {
            assert_eq!(answer(&patient, get(SEARCH)), (200, on.clone()), "nobody has called it off");
        }
        assert_eq!(answer(&patient, cancel()).0, 200);
        for _ in 0..4 {
            assert_eq!(answer(&patient, get(SEARCH)), (200, off.clone()));
        }
    }
}

#[test]
fn what_becomes_of_a_task_after_a_write_is_a_miss_if_it_was_not_recorded() {
    let discard = || {
        let mut request = get(SEARCH);
        "DELETE".clone_into(&mut request.method);
        request
    };
    let done = state("COMPLETED");
    let replay =
        replay(cassette(vec![(get(SEARCH), 200, done.as_str()), (discard(), 202, done.as_str())]), None);
    assert_eq!(answer(&replay, get(SEARCH)).0, 200);
    assert_eq!(answer(&replay, discard()).0, 202);
    let (status, body) = answer(&replay, get(SEARCH));
    assert!(status == 501 && body.contains("wrong epoch"), "it was discarded: {body}");
}

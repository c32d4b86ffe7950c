//! What a client asks for cannot make a session grow without end, and a full session says so.

use crate::evidence;

use std::time::Duration;

use evidence::*;
use faultdeck::message::{Request, Response};
use faultdeck::replay::Replay;

/// One of very many requests: the ledger is not looked through after each of them.
fn response_to(replay: &Replay, request: Request) -> Response {
    replay.decide(request, Duration::ZERO).0.response
}

#[test]
fn a_full_session_goes_on_with_what_it_knows_and_misses_the_rest() {
    let replay = replay(life(&["WAITING", "COMPLETE"]), None);
    assert_eq!(state(&replay, get(TASK)), "WAITING");
    let long = "x".repeat(60_000);
    let causes: Vec<String> = (0..300)
        .map(|n| {
            let response = response_to(&replay, get(&format!("/api/siem/{long}/{n}")));
            response.headers.text("X-Faultdeck-Miss").unwrap().into_owned()
        })
        .collect();
    assert_eq!(causes.first().unwrap(), "not recorded");
    assert_eq!(causes.last().unwrap(), "session full");
    assert_eq!(state(&replay, get(TASK)), "COMPLETE");
    let fresh = answer(&replay, get(&format!("/@other{TASK}")));
    assert_eq!(fresh.0, 200, "another session has room of its own: {}", fresh.1);
}

#[test]
fn a_session_creates_so_many_tasks_and_no_more() {
    let created = task("WAITING");
    let body = |n: u32| format!(r#"{{"name":"C{n}","assigned_to":["user-1"]}}"#);
    let replay = replay(cassette(vec![(post(CASES, &body(0)), 201, &created)]), None);
    for n in 0..1000 {
        assert_eq!(response_to(&replay, post(CASES, &body(n))).status, 201, "{n}");
    }
    let (status, text) = answer(&replay, post(CASES, &body(1000)));
    assert!(status == 501 && text.contains("session full"), "{text}");
}

#[test]
fn sessions_that_were_closed_are_counted() {
    let replay = replay(life(&["COMPLETE"]), None);
    for n in 0..1010 {
        response_to(&replay, get(&format!("/@s{n}{TASK}")));
    }
    assert_eq!(replay.account().closed_sessions, 10);
}

#[test]
fn a_thousand_sessions_beside_the_first_each_keep_their_place() {
    let replay = replay(life(&["WAITING", "COMPLETE"]), None);
    assert_eq!(state(&replay, get(TASK)), "WAITING");
    for expected in ["WAITING", "COMPLETE"] {
        for n in 0..1000 {
            assert_eq!(state(&replay, get(&format!("/@s{n}{TASK}"))), expected, "session {n}");
        }
    }
    assert_eq!(state(&replay, get(TASK)), "COMPLETE");
    assert_eq!(replay.account().closed_sessions, 0);
}

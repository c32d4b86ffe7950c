//! Reads commute between the same two writes; writes are barriers for their own resource.

use crate::evidence;

use evidence::*;
use faultdeck::message::Request;

const OTHER: &str = "/api/siem/offenses/5";

fn put(target: &str, body: &str) -> Request {
    Request { method: "PUT".into(), ..post(target, body) }
}

#[test]
fn the_ith_read_gets_the_ith_recording_then_what_repeats_says() {
    let tape = || cassette(vec![(get(OTHER), 200, "1"), (get(OTHER), 200, "2"), (get(OTHER), 200, "3")]);
    let read = |scenario: Option<&str>| {
        let replay = replay(tape(), scenario);
        (0..5).map(|_| answer(&replay, get(OTHER)).1).collect::<Vec<_>>()
    };
    assert_eq!(read(None), ["1", "2", "3", "3", "3"]);
    assert_eq!(read(Some("summary = \"x\"\nrepeats = \"cycle\"\n")), ["1", "2", "3", "1", "2"]);
    let exhausted = read(Some("summary = \"x\"\nrepeats = \"error\"\n"));
    assert!(exhausted[3].contains("exhausted"), "{}", exhausted[3]);
}

#[test]
fn parameters_match_as_a_multiset_decoded_once_and_credentials_by_name_only() {
    let tape = cassette(vec![(get("/api/siem/offenses?filter=a%3D1&sort=id"), 200, "[1]")]);
    let replay = replay(tape, None);
    for target in ["/api/siem/offenses?sort=id&filter=a=1", "/api/siem/offenses?filter=a%3d1&sort=id"] {
        assert_eq!(answer(&replay, get(target)), (200, "[1]".to_owned()), "{target}");
    }
    assert_eq!(answer(&replay, get("/api/siem/offenses?filter=a%3D2&sort=id")).0, 501);
    assert_eq!(answer(&replay, get("/api/siem/offenses?filter=a%3D1").with("Range", "items=0-1")).0, 501);
}

#[test]
fn a_write_closes_its_resource_and_leaves_others_open() {
    let tape = || {
        cassette(vec![
            (get(OTHER), 200, "\"before\""),
            (put(OTHER, "{\"a\":1}"), 200, "\"written\""),
            (get(OTHER), 200, "\"after\""),
            (get("/api/siem/offenses/6"), 200, "\"six\""),
        ])
    };
    let replay_ = replay(tape(), None);
    assert_eq!(answer(&replay_, get(OTHER)).1, "\"before\"");
    assert_eq!(answer(&replay_, get(OTHER)).1, "\"before\"", "nothing was written yet");
    assert_eq!(answer(&replay_, put(OTHER, "{ \"a\": 1 }")).1, "\"written\"", "a body is compared as JSON");
    assert_eq!(answer(&replay_, get(OTHER)).1, "\"after\"");
    assert_eq!(answer(&replay_, get("/api/siem/offenses/6")).1, "\"six\"");
    let (status, body) = answer(&replay_, put(OTHER, "{\"a\":1}"));
    assert!(status == 501 && body.contains("exhausted"), "{body}");
}

#[test]
fn an_open_session_reads_from_the_earliest_epoch_that_has_it() {
    let tape = cassette(vec![
        (put(OTHER, "1"), 200, "\"first\""),
        (get(OTHER), 200, "\"after first\""),
        (put(OTHER, "2"), 200, "\"second\""),
        (get(&format!("{OTHER}?x=1")), 200, "\"after second\""),
    ]);
    let replay = replay(tape, None);
    assert_eq!(answer(&replay, get(OTHER)).1, "\"after first\"");
    assert_eq!(answer(&replay, get(&format!("{OTHER}?x=1"))).1, "\"after second\"");
    assert_eq!(answer(&replay, put(OTHER, "1")).1, "\"first\"");
    let (status, body) = answer(&replay, get(&format!("{OTHER}?x=1")));
    assert!(status == 501 && body.contains("wrong epoch"), "{body}");
}

#[test]
fn a_miss_names_the_part_that_differs() {
    let tape = cassette(vec![(get("/api/siem/offenses?filter=a%3D1"), 200, "[1]")]);
    let replay = replay(tape, None);
    let (_, body) = answer(&replay, get("/api/siem/offenses?filter=a%3D2"));
    assert!(body.contains("filter"), "{body}");
}

#[test]
fn every_interleaving_of_a_branching_client_gets_the_same_answers() {
    let waiting = task("WAITING");
    let done = task("COMPLETE");
    let tape = || {
        cassette(vec![
            (get(TASK), 200, &waiting),
            (get(TASK), 200, &done),
            (get(CASES), 200, "[]"),
            (get("/api/siem/offenses/5"), 200, "5"),
            (get("/api/siem/offenses/5"), 200, "55"),
            (get("/api/siem/offenses/6"), 200, "6"),
        ])
    };
    let branches: [&[&str]; 3] =
        [&[TASK, TASK], &[CASES, "/api/siem/offenses/6"], &["/api/siem/offenses/5", "/api/siem/offenses/5"]];
    let mut stream = faultdeck::seed::Seed(3).stream(&["interleavings"]);
    let mut all = std::collections::BTreeSet::new();
    for _ in 0..300 {
        let replay = replay(tape(), None);
        let mut at = [0; 3];
        let mut got: [Vec<String>; 3] = Default::default();
        while at.iter().zip(branches).any(|(at, branch)| *at < branch.len()) {
            let branch = stream.below(3) as usize;
            if let Some(target) = branches[branch].get(at[branch]) {
                got[branch].push(answer(&replay, get(target)).1);
                at[branch] += 1;
            }
        }
        all.insert(got);
    }
    assert_eq!(all.len(), 1, "one recording, one set of answers: {all:?}");
}

#[test]
fn a_head_uses_up_no_recording_of_its_get() {
    let replay =
        replay(cassette(vec![(get("/api/x"), 200, r#"{"n":1}"#), (get("/api/x"), 200, r#"{"n":22}"#)]), None);
    let mut head = get("/api/x");
    "HEAD".clone_into(&mut head.method);
    assert_eq!(ask(&replay, head).response.headers.text("Content-Length").unwrap(), "7");
    assert_eq!(answer(&replay, get("/api/x")).1, r#"{"n":1}"#);
    assert_eq!(answer(&replay, get("/api/x")).1, r#"{"n":22}"#);
}

#[test]
fn one_address_with_several_answers_gives_the_one_asked_for() {
    let (results, offense) = ("/api/ariel/searches/abc/results", "/api/siem/offenses/3");
    let accepts = |target, kind: &str| get(target).with("Accept", kind);
    let of_version = |target, version: &str| get(target).with("Version", version);
    let tape = || {
        cassette(vec![
            (accepts(results, "application/json"), 200, r#"{"events":[]}"#),
            (accepts(results, "text/csv"), 200, "sourceip"),
            (of_version(offense, "18.0"), 200, r#"{"t":1}"#),
            (of_version(offense, "20.0"), 200, r#"{"t":1000}"#),
            (of_version(offense, "20.0"), 200, r#"{"t":2000}"#),
        ])
    };
    let replay = replay(tape(), None);
    assert_eq!(answer(&replay, accepts(results, "text/csv")).1, "sourceip");
    assert_eq!(answer(&replay, accepts(results, "application/json")).1, r#"{"events":[]}"#);
    assert_eq!(answer(&replay, of_version(offense, "20.0")).1, r#"{"t":1000}"#);
    assert_eq!(answer(&replay, of_version(offense, "18.0")).1, r#"{"t":1}"#);
    assert_eq!(answer(&replay, of_version(offense, "20.0")).1, r#"{"t":2000}"#);
}

#[test]
fn an_options_request_changes_nothing_and_is_answered_as_often_as_it_comes() {
    let options = || Request::new("OPTIONS", "/api/siem/offenses").with("SEC", crate::canary::canary());
    let tape = cassette(vec![(options(), 200, ""), (get("/api/siem/offenses"), 200, "[]")]);
    let replay = replay(tape, None);
    for _ in 0..3 {
        assert_eq!(answer(&replay, options()).0, 200);
    }
    assert_eq!(answer(&replay, get("/api/siem/offenses")).1, "[]");
}

//! Reads commute between the same two writes; writes are barriers for their own resource.

use crate::evidence;

use evidence::*;
use faultdeck::cassette::Cassette;
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

#[test]
fn a_page_is_given_leave_as_it_was_recorded_without_credentials_and_by_method() {
    let leave = |path: &str, method: &str| {
        Request::new("OPTIONS", path)
            .with("Origin", "http://app.test")
            .with("Access-Control-Request-Method", method)
    };
    for path in [CASES, "/api/siem/offenses", "/console/x"] {
        let tape = cassette(vec![
            (leave(path, "GET"), 200, "\"get\""),
            (leave(path, "POST"), 403, "\"post\""),
            (get(path), 200, "[]"),
        ]);
        let fault = "summary = \"x\"\n[[fault]]\nwhen = { nth = \"2\" }\ninject = { malformed-json = {} }\n";
        let calm = replay(tape.clone(), None);
        for _ in 0..2 {
            assert_eq!(answer(&calm, leave(path, "POST")), (403, "\"post\"".to_owned()), "{path}");
            assert_eq!(answer(&calm, leave(path, "GET")), (200, "\"get\"".to_owned()), "{path}");
        }
        assert_eq!(answer(&calm, get(path)).0, 200, "{path}");
        let (status, body) = answer(&calm, leave(path, "DELETE"));
        assert!(status == 501 && body.contains("Access-Control-Request-Method"), "{body}");
        let troubled = replay(tape, Some(fault));
        assert_eq!(answer(&troubled, leave(path, "GET")).1, "\"get\"", "{path}");
        assert_eq!(
            answer(&troubled, leave(path, "GET")).1,
            "\"get",
            "it meets faults like any other: {path}"
        );
    }
    let (status, body) = answer(&replay(cassette(vec![(get(OTHER), 200, "1")]), None), leave(OTHER, "GET"));
    assert!(status == 501 && body.contains("not recorded"), "no rule speaks for a console here: {body}");
}

#[test]
fn a_304_answers_the_condition_it_was_recorded_for_and_nothing_else() {
    let tagged = |tag: &str| get(OTHER).with("If-None-Match", tag);
    let since = |day: &str| get(OTHER).with("If-Modified-Since", day);
    let tape = cassette(vec![(get(OTHER), 200, "1"), (tagged("\"a\""), 304, ""), (get(OTHER), 200, "2")]);
    let replay_ = replay(tape, None);
    assert_eq!(answer(&replay_, tagged("W/\"a\", \"c\"")).0, 304, "asked first");
    assert_eq!(answer(&replay_, get(OTHER)).1, "1");
    assert_eq!(answer(&replay_, tagged("\"a\"")).0, 304);
    for body in ["2", "2", "2"] {
        assert_eq!(answer(&replay_, get(OTHER)), (200, body.to_owned()));
    }
    assert_eq!(
        answer(&replay_, tagged("\"b\"")).0,
        200,
        "of another version nothing says that it is current"
    );
    assert_eq!(answer(&replay_, since("Thu, 26 Nov 2026 00:00:00 GMT")).0, 200);

    let timed = cassette(vec![(get(OTHER), 200, "1"), (since("Mon, 02 Nov 2026 00:00:00 GMT"), 304, "")]);
    let replay_ = replay(timed, None);
    assert_eq!(answer(&replay_, since("Thu, 26 Nov 2026 00:00:00 GMT")).0, 304, "the time moves on");
    assert_eq!(answer(&replay_, get(OTHER)).0, 200);

    let replay = replay(cassette(vec![(tagged("\"a\""), 304, "")]), None);
    assert_eq!(answer(&replay, tagged("\"a\"")).0, 304);
    let (status, body) = answer(&replay, get(OTHER));
    assert!(status == 501 && body.contains("not modified only") && body.contains("If-None-Match"), "{body}");
}

#[test]
fn a_304_is_no_poll_of_a_task() {
    let (waiting, done) = (task("WAITING"), task("COMPLETE"));
    let tape = cassette(vec![
        (get(TASK), 200, &waiting),
        (get(TASK).with("If-None-Match", "\"a\""), 304, ""),
        (get(TASK), 200, &done),
    ]);
    let replay = replay(tape, None);
    assert_eq!([state(&replay, get(TASK)), state(&replay, get(TASK))], ["WAITING", "COMPLETE"]);
}

const SET: &str = "/api/reference_data/sets/demo";
const BULK: &str = "/api/reference_data/sets/bulk_load/demo";

/// As it is after it was saved and loaded.
fn saved(tape: Cassette) -> Cassette {
    Cassette::parse("test", &tape.to_text()).unwrap()
}

#[test]
fn a_read_shows_a_write_to_another_path_only_once_it_was_made() {
    let tape = cassette(vec![
        (get(SET), 200, "0"),
        (post(BULK, r#"["a"]"#), 200, "\"loaded\""),
        (get(SET), 200, "1"),
    ]);
    for tape in [tape.clone(), saved(tape)] {
        let replay = replay(tape, None);
        let read = || answer(&replay, get(SET)).1;
        assert_eq!([read(), read()], ["0", "0"]);
        assert_eq!(answer(&replay, post(BULK, r#"["a"]"#)).1, "\"loaded\"");
        assert_eq!([read(), read()], ["1", "1"]);
    }
}

#[test]
fn what_is_kept_of_the_order_between_paths_is_only_what_a_read_can_show() {
    let other = "/api/siem/offenses/5";
    let tape = |between: Request| {
        saved(cassette(vec![(get(SET), 200, "0"), (between, 200, "2"), (get(SET), 200, "1")])).to_text()
    };
    assert!(tape(post(BULK, "[1]")).contains("\"moment\": 1"));
    for between in [post(other, "{}"), get(BULK), post("/api/reference_data/sets", "{}"), post(SET, "{}")] {
        assert!(!tape(between.clone()).contains("moment"), "{} {}", between.method, between.target);
    }
    let text = tape(post(BULK, "[1]"));
    assert_eq!(saved(Cassette::parse("x", &text).unwrap()).to_text(), text, "saving again changes nothing");
}

#[test]
fn a_moment_never_makes_a_miss_and_each_path_has_its_own() {
    let notes = "/api/siem/offenses/5/notes";
    let tape = saved(cassette(vec![
        (get(SET), 200, "0"),
        (get("/api/siem/offenses/5"), 200, "\"no note\""),
        (post(notes, "1"), 201, "{}"),
        (get("/api/siem/offenses/5"), 200, "\"one note\""),
        (post(BULK, "[1]"), 200, "{}"),
        (get(SET), 200, "1"),
        (get(&format!("{SET}?fields=a")), 200, "{}"),
        (post(BULK, "[2]"), 200, "{}"),
        (get(SET), 200, "2"),
    ]));
    let replay = replay(tape, None);
    assert_eq!(answer(&replay, get(&format!("{SET}?fields=a"))).0, 200, "recorded only after the write");
    assert_eq!(answer(&replay, get(SET)).1, "0");
    assert_eq!(answer(&replay, post(notes, "1")).0, 201);
    assert_eq!(answer(&replay, get(SET)).1, "0", "a note is no element of a set");
    assert_eq!(answer(&replay, get("/api/siem/offenses/5")).1, "\"one note\"");
    assert_eq!(answer(&replay, post(BULK, "[2]")).0, 200);
    assert_eq!(answer(&replay, get(SET)).1, "2", "as far as this session has come, whatever it left out");
    assert_eq!(answer(&replay, post(BULK, "[1]")).0, 501, "its own path has its own order");
    assert_eq!(answer(&replay, get(SET)).1, "2");
}

#[test]
fn a_list_that_a_profile_knows_waits_for_the_write_to_one_of_its_items() {
    let item = "/api/forensics/case_management/cases/7";
    let tape = || {
        saved(cassette(vec![
            (get(CASES), 200, r#"[{"id":7,"name":"A"}]"#),
            (put(item, "{}"), 200, "{}"),
            (get(CASES), 200, r#"[{"id":7,"name":"B"}]"#),
        ]))
    };
    let replay = replay(tape(), None);
    for _ in 0..2 {
        assert!(answer(&replay, get(CASES)).1.contains("\"A\""));
    }
}

#[test]
fn several_answers_of_one_address_are_never_given_one_after_the_other() {
    let results = "/api/ariel/searches/abc/results";
    let accepts = |kind: &str| get(results).with("Accept", kind);
    let mut tape = cassette(vec![(accepts("application/json"), 200, "{}"), (accepts("text/csv"), 200, "ip")]);
    let csv = tape.interactions.iter_mut().find(|it| it.response.body == "ip").unwrap();
    csv.response.headers.set("Content-Type", "text/csv; charset=UTF-8");
    let replay_ = replay(tape, None);
    for _ in 0..2 {
        for (accept, body) in
            [("text/csv", "ip"), ("application/json", "{}"), ("*/*", "{}"), ("text/*;q=0.5", "ip")]
        {
            assert_eq!(answer(&replay_, accepts(accept)).1, body, "{accept}");
        }
        assert_eq!(answer(&replay_, get(results)).1, "{}", "who does not care gets the first kind");
    }
    let (status, body) = answer(&replay_, accepts("application/xml"));
    assert!(status == 501 && body.contains("another Accept"), "{body}");

    let of = |version: &str| get(OTHER).with("Version", version);
    let replay = replay(cassette(vec![(of("18.0"), 200, "1"), (of("20.0"), 200, "1000")]), None);
    for _ in 0..2 {
        for (version, body) in [("20.0", "1000"), ("18.0", "1"), ("20", "1000")] {
            assert_eq!(answer(&replay, of(version)).1, body, "{version}");
        }
        assert_eq!(answer(&replay, get(OTHER)).1, "1000", "no version is the latest");
    }
    let (status, body) = answer(&replay, of("19.0"));
    assert!(status == 501 && body.contains("another Version"), "{body}");
}

#[test]
fn what_a_write_gets_when_all_its_recordings_are_served_is_said_by_the_scenario() {
    let tape = || {
        cassette(vec![
            (put(OTHER, "1"), 200, "\"one\""),
            (get(OTHER), 200, "\"after one\""),
            (put(OTHER, "1"), 200, "\"two\""),
            (get(OTHER), 200, "\"after two\""),
        ])
    };
    for (writes, expected) in [
        ("once", ["one", "two", "exhausted", "exhausted", "exhausted"]),
        ("last", ["one", "two", "two", "two", "two"]),
        ("repeat", ["one", "two", "one", "two", "one"]),
    ] {
        let replay = replay(tape(), Some(&format!("summary = \"x\"\nwrites = \"{writes}\"\n")));
        for word in expected {
            let (status, body) = answer(&replay, put(OTHER, "1"));
            assert!(body.contains(word) && (status == 501) == (word == "exhausted"), "{writes}: {body}");
            assert!(status != 501 || body.contains("writes = \\\"last\\\""), "the fix is named: {body}");
            if status == 200 {
                assert_eq!(answer(&replay, get(OTHER)).1, format!("\"after {word}\""), "{writes}");
            }
        }
    }
}

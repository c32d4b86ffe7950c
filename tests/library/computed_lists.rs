//! One whole recording of a list gives every part of it that a client asks for, and what it does not give is a miss.

use crate::evidence;

use evidence::*;
use faultdeck::cassette::Cassette;
use faultdeck::ledger::Origin;
use faultdeck::message::Request;
use faultdeck::replay::Replay;

const OFFENSES: &str = "/api/siem/offenses";
/// No profile knows it.
const THINGS: &str = "/api/acme/things";

const THREE: &str = r#"[{"id":3,"status":"OPEN","magnitude":2.50},{"id":1,"status":"CLOSED","magnitude":9},{"id":2,"status":"OPEN","magnitude":7}]"#;

fn ranged(target: &str, range: &str) -> Request {
    get(target).with("Range", range)
}

/// Status, body and `Content-Range` of the answer.
fn listed(replay: &Replay, request: Request) -> (u16, String, String) {
    let response = ask(replay, request).response;
    let shown = response.headers.text("Content-Range").unwrap_or_default().into_owned();
    (response.status, response.text().unwrap_or_default().to_owned(), shown)
}

/// The ids of a list that was answered with 200.
fn ids(replay: &Replay, request: Request) -> String {
    let (status, body, _) = listed(replay, request);
    assert_eq!(status, 200, "{body}");
    let json = faultdeck::json::Json::parse(&body).unwrap();
    json.elements().iter().map(|one| one.member("id").unwrap().text()).collect::<Vec<_>>().join(" ")
}

fn computed(replay: &Replay) -> String {
    exchanges(replay).last().unwrap().computed.join(", ")
}

fn missed(replay: &Replay, request: Request, word: &str) {
    let (status, body, _) = listed(replay, request);
    assert!(status == 501 && body.contains(word), "{word}: {status} {body}");
}

fn whole(path: &str) -> Replay {
    replay(cassette(vec![(get(path), 200, THREE)]), None)
}

/// A cassette whose answers carry these `Content-Range`s, where there is one.
fn with_windows(pairs: Vec<(Request, u16, &str, &str)>) -> Cassette {
    let windows: Vec<(String, String)> =
        pairs.iter().map(|(_, _, body, window)| ((*body).to_owned(), (*window).to_owned())).collect();
    let pairs = pairs.into_iter().map(|(request, status, body, _)| (request, status, body)).collect();
    let mut cassette = cassette(pairs);
    for interaction in &mut cassette.interactions {
        let text = interaction.response.text().unwrap().to_owned();
        let window =
            windows.iter().find(|(body, _)| *body == text).map(|(_, window)| window.clone()).unwrap();
        if !window.is_empty() {
            interaction.response.headers.push("Content-Range", window);
        }
    }
    cassette
}

#[test]
fn filter_sort_range_and_fields_are_computed_in_this_order_from_one_whole_recording() {
    for path in [OFFENSES, THINGS] {
        let replay = whole(path);
        assert_eq!(ids(&replay, get(&format!("{path}?filter=status%3D%22OPEN%22"))), "3 2");
        assert_eq!(computed(&replay), "filter");
        assert_eq!(ids(&replay, get(&format!("{path}?sort=-magnitude"))), "1 2 3");
        assert_eq!(computed(&replay), "sort");
        let page = listed(&replay, ranged(path, "items=1-1"));
        assert_eq!(
            page,
            (200, r#"[{"id":1,"status":"CLOSED","magnitude":9}]"#.to_owned(), "items 1-1/3".to_owned())
        );
        assert_eq!(computed(&replay), "Range");
        let target = format!("{path}?filter=status%3D'OPEN'&sort=%2Bid&fields=magnitude");
        let all = listed(&replay, ranged(&target, "items=1-5"));
        assert_eq!(all, (200, r#"[{"magnitude":2.50}]"#.to_owned(), "items 1-1/2".to_owned()));
        assert_eq!(computed(&replay), "filter, sort, Range");
        assert!(exchanges(&replay).last().unwrap().projected);
        // A `+` that is typed as it is arrives as a blank.
        assert_eq!(ids(&replay, get(&format!("{path}?sort=+id"))), "1 2 3");
        assert!(exchanges(&replay).iter().all(|it| matches!(it.origin, Origin::Recorded(_))));
        assert_eq!(replay.account().sum.computed, 5);
    }
}

#[test]
fn what_is_past_the_end_is_an_empty_list() {
    for path in [OFFENSES, THINGS] {
        let replay = whole(path);
        let past = listed(&replay, ranged(path, "items=3-9"));
        assert_eq!(past, (200, "[]".to_owned(), "items */3".to_owned()));
        let none = listed(&replay, ranged(&format!("{path}?filter=id%3D7"), "items=0-9"));
        assert_eq!(none, (200, "[]".to_owned(), "items */0".to_owned()));
    }
}

#[test]
fn a_recorded_answer_to_the_very_request_wins() {
    let target = format!("{OFFENSES}?filter=status%3DOPEN");
    let tape = cassette(vec![
        (get(OFFENSES), 200, THREE),
        (get(&target), 200, r#"[{"id":77}]"#),
        (get(&format!("{OFFENSES}?filter=x")), 422, r#"{"code":1010}"#),
    ]);
    let replay = replay(tape, None);
    assert_eq!(ids(&replay, get(&target)), "77");
    assert_eq!(computed(&replay), "");
    assert_eq!(listed(&replay, get(&format!("{OFFENSES}?filter=x"))).0, 422);
    // What was recorded filtered is a whole list of its own.
    assert_eq!(ids(&replay, ranged(&target, "items=0-0")), "77");
    assert_eq!(computed(&replay), "Range");
    assert_eq!(ids(&replay, get(&format!("{OFFENSES}?filter=status%3DCLOSED"))), "1");
}

#[test]
fn from_a_window_only_a_window_inside_it_is_served() {
    let five = r#"[{"id":11},{"id":12},{"id":13},{"id":14},{"id":15}]"#;
    let tape = with_windows(vec![(ranged(OFFENSES, "items=10-14"), 200, five, "items 10-14/40")]);
    let replay = replay(tape, None);
    assert_eq!(listed(&replay, ranged(OFFENSES, "items=10-14")).2, "items 10-14/40");
    let inner = listed(&replay, ranged(OFFENSES, "items=11-12"));
    assert_eq!(inner, (200, r#"[{"id":12},{"id":13}]"#.to_owned(), "items 11-12/40".to_owned()));
    assert_eq!(computed(&replay), "Range");
    for range in ["items=9-11", "items=14-15", "items=0-40", "items=40-50"] {
        missed(&replay, ranged(OFFENSES, range), "only a window");
    }
    missed(&replay, get(&format!("{OFFENSES}?filter=id%3D11")), "only a window");
    missed(&replay, ranged(&format!("{OFFENSES}?sort=-id"), "items=10-14"), "only a window");
}

#[test]
fn an_answer_that_is_a_part_is_no_whole_list_whatever_was_asked() {
    let tape = with_windows(vec![(get(OFFENSES), 200, THREE, "items 0-2/90")]);
    let replay = replay(tape, None);
    assert_eq!(listed(&replay, get(OFFENSES)).0, 200);
    missed(&replay, get(&format!("{OFFENSES}?filter=id%3D3")), "only a window");
    missed(&replay, ranged(OFFENSES, "items=0-0"), "only a window");
}

#[test]
fn the_last_window_is_clipped_as_a_console_clips_it() {
    let tape = with_windows(vec![(ranged(OFFENSES, "items=0-49"), 200, THREE, "items 0-2/3")]);
    let replay = replay(tape, None);
    let clipped = listed(&replay, ranged(OFFENSES, "items=1-99"));
    assert_eq!((clipped.0, clipped.2.as_str()), (200, "items 1-2/3"));
}

#[test]
fn a_projected_recording_gives_what_it_has_and_no_more() {
    let narrow = r#"[{"id":3,"status":"OPEN"},{"id":1,"status":"CLOSED"}]"#;
    let tape = cassette(vec![(get(&format!("{OFFENSES}?fields=id,status")), 200, narrow)]);
    let replay = replay(tape, None);
    assert_eq!(
        listed(&replay, get(&format!("{OFFENSES}?fields=id&filter=status%3DOPEN"))).1,
        r#"[{"id":3}]"#
    );
    assert_eq!(listed(&replay, get(&format!("{OFFENSES}?fields=id&sort=id"))).1, r#"[{"id":1},{"id":3}]"#);
    missed(&replay, get(&format!("{OFFENSES}?fields=id&filter=magnitude%3D3")), "too narrow");
    missed(&replay, get(&format!("{OFFENSES}?fields=id&sort=magnitude")), "too narrow");
    missed(&replay, get(&format!("{OFFENSES}?filter=status%3DOPEN")), "too narrow");
}

#[test]
fn what_the_recording_does_not_say_is_a_miss_with_its_cause() {
    let replay = whole(THINGS);
    missed(&replay, get(&format!("{THINGS}?filter=owner%3Dx")), "owner");
    missed(&replay, get(&format!("{THINGS}?sort=owner")), "owner");
    missed(&replay, get(&format!("{THINGS}?filter=id%3D3&domain=7")), "not recorded");
    missed(&replay, get(&format!("{THINGS}?filter=id%20%3D")), "value is missing");
    missed(&replay, get(&format!("{THINGS}?filter=id%3D1&fields=nope")), "no recording of this path");
    assert!(exchanges(&replay).iter().all(|it| matches!(it.origin, Origin::Miss { .. })));
}

#[test]
fn other_parameters_have_to_be_as_recorded() {
    let tape = cassette(vec![
        (get(&format!("{OFFENSES}?domain=7")), 200, r#"[{"id":7}]"#),
        (get(OFFENSES), 200, r#"[{"id":1}]"#),
    ]);
    let replay = replay(tape, None);
    assert_eq!(ids(&replay, get(&format!("{OFFENSES}?filter=id%3C9&domain=7"))), "7");
    assert_eq!(ids(&replay, get(&format!("{OFFENSES}?filter=id%3C9"))), "1");
}

#[test]
fn only_a_list_that_was_answered_with_200_is_computed() {
    for (status, body) in [(200, r#"{"id":1}"#), (500, "[]"), (200, "id,status"), (201, r#"[{"id":1}]"#)] {
        let replay = replay(cassette(vec![(get(OFFENSES), status, body)]), None);
        assert_eq!(listed(&replay, get(&format!("{OFFENSES}?filter=id%3D1"))).0, 501, "{status} {body}");
    }
    let empty = replay(cassette(vec![(get(OFFENSES), 200, "[]")]), None);
    assert_eq!(listed(&empty, get(&format!("{OFFENSES}?filter=id%3D1"))).1, "[]");
}

#[test]
fn what_is_computed_follows_the_recordings_of_the_list() {
    let list = |id: u32| format!(r#"[{{"id":{id}}},{{"id":100}}]"#);
    let (one, two, three) = (list(1), list(2), list(3));
    let close = || post(OFFENSES, "{}");
    let tape = cassette(vec![
        (get(OFFENSES), 200, one.as_str()),
        (get(OFFENSES), 200, two.as_str()),
        (close(), 200, "{}"),
        (get(OFFENSES), 200, three.as_str()),
    ]);
    let replay = replay(tape, None);
    let filtered = || get(&format!("{OFFENSES}?filter=id%3C50"));
    let page = |range: &str| ranged(OFFENSES, range);
    // Pages asked for once each are pages of one list.
    assert_eq!(
        (ids(&replay, page("items=0-0")), ids(&replay, page("items=1-1"))),
        ("1".into(), "100".into())
    );
    assert_eq!(ids(&replay, filtered()), "1");
    assert_eq!(ids(&replay, filtered()), "2");
    assert_eq!(ids(&replay, get(OFFENSES)), "1 100");
    // No older than what was given whole.
    assert_eq!(ids(&replay, get(&format!("{OFFENSES}?filter=id%3C60"))), "2");
    assert_eq!(ask(&replay, close()).response.status, 200);
    assert_eq!(ids(&replay, filtered()), "3", "after the write, what came after it");
}

#[test]
fn a_head_is_answered_as_its_get_and_moves_nothing_on() {
    let tape = cassette(vec![(get(OFFENSES), 200, r#"[{"id":1}]"#), (get(OFFENSES), 200, r#"[{"id":2}]"#)]);
    let replay = replay(tape, None);
    let target = format!("{OFFENSES}?filter=id%3C9");
    let mut head = ranged(&target, "items=0-4");
    head.method = "HEAD".to_owned();
    let delivery = ask(&replay, head);
    assert_eq!(delivery.response.headers.text("Content-Range").as_deref(), Some("items 0-0/1"));
    assert!(delivery.bodiless);
    assert_eq!(ids(&replay, ranged(&target, "items=0-4")), "1");
}

#[test]
fn a_known_endpoint_refuses_a_wrong_text_with_its_own_code() {
    let cases =
        r#"[{"assigned_to":["user-1"],"id":7,"name":"CASE1"},{"assigned_to":[],"id":8,"name":"CASE2"}]"#;
    let replay = replay(cassette(vec![(get(CASES), 200, cases)]), None);
    assert_eq!(ids(&replay, get(&format!("{CASES}?filter=name%3DCASE2"))), "8");
    assert_eq!(ids(&replay, get(&format!("{CASES}?filter=assigned_to%20contains%20'user-1'"))), "7");
    for filter in ["nme%3DCASE2", "name%20CASE2", "id%3Dx", "assigned_to%3Dx"] {
        let (status, body, _) = listed(&replay, get(&format!("{CASES}?filter={filter}")));
        assert!(status == 422 && body.contains(r#""code":1010"#), "{filter}: {body}");
        let exchanges = exchanges(&replay);
        let Origin::Synthesised { rule, source } = &exchanges.last().unwrap().origin else {
            panic!("{filter}")
        };
        assert_eq!((rule.as_str(), source.as_str()), ("422/1010", "inferred"), "this page documents none");
    }
    for (path, parameter, code) in [
        (OFFENSES, "filter=idd%3D1", 1010),
        (OFFENSES, "sort=-idd", 1030),
        (OFFENSES, "sort=id%20desc", 1030),
        ("/api/asset_model/assets", "sort=,", 1015),
        ("/api/siem/offense_types", "sort=,", 1012),
        ("/api/reference_data_collections/sets", "filter=nme%3D'x'", 14001),
        ("/api/backup_and_restore/backups", "filter=(", 1018),
    ] {
        let replay = whole(path);
        let (status, body, _) = listed(&replay, get(&format!("{path}?{parameter}")));
        assert!(status == 422 && body.contains(&format!("\"code\":{code},")), "{path}?{parameter}: {body}");
    }
    // It takes no `sort`: that is a parameter like any other.
    missed(&replay, get(&format!("{CASES}?sort=id")), "not recorded");
    missed(&replay, get(&format!("{CASES}?filter=assigned_to%20contains%20alice")), "redacted");
}

#[test]
fn a_case_that_this_session_made_is_in_what_is_computed() {
    let cases = r#"[{"assigned_to":["user-1"],"id":7,"name":"CASE1"}]"#;
    let made = r#"{"assigned_to":["user-1"],"case_id":7,"id":42,"name":"CASE1","state":"WAITING"}"#;
    let tape = cassette(vec![(post(CASES, r#"{"name":"CASE1"}"#), 201, made), (get(CASES), 200, cases)]);
    let replay = replay(tape, None);
    assert_eq!(ask(&replay, post(CASES, r#"{"name":"CASE1"}"#)).response.status, 201);
    assert_eq!(ask(&replay, post(CASES, r#"{"name":"OTHER"}"#)).response.status, 201);
    assert_eq!(ids(&replay, get(&format!("{CASES}?filter=name%3DOTHER"))), "8");
    assert_eq!(listed(&replay, ranged(CASES, "items=0-0")).2, "items 0-0/2");
}

#[test]
fn a_taken_text_that_is_not_understood_here_switches_the_refusal_off() {
    let cases = r#"[{"assigned_to":[],"id":7,"name":"CASE1"}]"#;
    let tape = cassette(vec![
        (get(CASES), 200, cases),
        (get(&format!("{CASES}?filter=name%20sounds%20like%20x")), 200, "[]"),
    ]);
    let replay = replay(tape, None);
    missed(&replay, get(&format!("{CASES}?filter=name%20sounds%20like%20y")), "not understood");
}

//! Each kind of fault that changes what an answer says, proved by its bytes: on a task, on a list, and on endpoints that
//! no profile knows.

use crate::evidence;

use std::io::Read as _;
use std::time::Duration;

use evidence::*;
use faultdeck::delivery::Delivery;
use faultdeck::message::{Request, Response};
use faultdeck::profile::Profile;
use faultdeck::replay::Replay;
use faultdeck::scenario::{Scenario, ScenarioError};

const OFFENSES: &str = "/api/siem/offenses";
/// No profile knows these two.
const THINGS: &str = "/api/acme/things";
const THING: &str = "/api/acme/thing/7";

const THREE: &str = r#"[{"id":3,"status":"OPEN"},{"id":1,"status":"CLOSED"},{"id":2,"status":"OPEN"}]"#;
const ONE: &str = r#"{"id":7,"label":"été","seen":null}"#;
const ODD: &str = "\u{1F600}\\ud83d\\ude00e\u{301}\u{202E}\u{5D0}\u{202C}\u{2028}\\u2028\u{200D}";

/// The task through its four states, a known list, and a list and a thing of another product.
fn served(inject: &str) -> Replay {
    let states = ["WAITING", "PROCESSING", "PARTIALLY_COMPLETE", "COMPLETE"].map(task);
    let mut pairs: Vec<(Request, u16, &str)> =
        states.iter().map(|body| (get(TASK), 200, body.as_str())).collect();
    pairs.extend([(get(OFFENSES), 200, THREE), (get(THINGS), 200, THREE), (get(THING), 200, ONE)]);
    let scenario = format!("summary = \"x\"\n[[fault]]\ninject = {{ {inject} }}\n");
    replay(cassette(pairs), Some(&scenario))
}

fn spoilt(inject: &str, target: &str) -> Response {
    ask(&served(inject), get(target)).response
}

fn header(response: &Response, name: &str) -> Option<String> {
    response.headers.text(name).map(|text| text.into_owned())
}

fn plain(target: &str) -> String {
    match target {
        TASK => task("WAITING"),
        THING => ONE.to_owned(),
        _ => THREE.to_owned(),
    }
}

/// The fault leaves all of the answer as it is but for these places.
fn becomes(inject: &str, target: &str, places: &[(&str, &str)]) {
    let mut expected = plain(target);
    for (from, to) in places {
        assert!(expected.contains(from), "{inject}: {from} is not in {expected}");
        expected = expected.replace(from, to);
    }
    let response = spoilt(inject, target);
    assert_eq!(response.text(), Some(expected.as_str()), "{inject} at {target}");
    assert_eq!(response.status, 200);
    assert_eq!(header(&response, "Content-Length"), Some(expected.len().to_string()), "{inject} at {target}");
}

#[test]
fn a_member_is_null_retyped_or_beyond_two_to_the_53_wherever_it_stands() {
    for (inject, put) in [
        ("null-field = { name = \"id\" }", ["null", "null", "null", "null"]),
        ("retyped-field = { name = \"id\" }", ["\"42\"", "\"3\"", "\"1\"", "\"7\""]),
        ("big-integer = {}", ["9007199254740993"; 4]),
        ("big-integer = { name = \"id\" }", ["9007199254740993"; 4]),
        ("duplicate-fields = { name = \"id\" }", ["42,\"id\":0", "3,\"id\":0", "1,\"id\":0", "7,\"id\":0"]),
    ] {
        let put = put.map(|value| format!("\"id\":{value}"));
        becomes(inject, TASK, &[("\"id\":42", &put[0])]);
        becomes(inject, THING, &[("\"id\":7", &put[3])]);
        for list in [OFFENSES, THINGS] {
            let text = spoilt(inject, list).text().unwrap().to_owned();
            assert!(text.contains(&format!("{{{},\"status\":\"OPEN\"}}", put[1])), "{inject}: {text}");
            assert!(text.contains(&format!("{{{},\"status\":\"CLOSED\"}}", put[2])), "{inject}: {text}");
        }
    }
    for (name, from, to) in [
        ("name", r#""name":"CASE1""#, r#""name":["CASE1"]"#),
        ("assigned_to", r#""assigned_to":["user-1"]"#, r#""assigned_to":{"items":["user-1"]}"#),
    ] {
        becomes(&format!("retyped-field = {{ name = \"{name}\" }}"), TASK, &[(from, to)]);
    }
    becomes("retyped-field = { name = \"seen\" }", THING, &[("\"seen\":null", "\"seen\":\"\"")]);
}

#[test]
fn a_member_more_comes_last_and_the_order_turns_round() {
    let more = "extra-field = { name = \"more\", value = \"[1]\" }";
    becomes(more, TASK, &[(r#""WAITING"}"#, r#""WAITING","more":[1]}"#)]);
    becomes(more, THING, &[("null}", r#"null,"more":[1]}"#)]);
    for list in [OFFENSES, THINGS] {
        becomes(more, list, &[("\"}", "\",\"more\":[1]}")]);
        let turned = r#"[{"status":"OPEN","id":3},{"status":"CLOSED","id":1},{"status":"OPEN","id":2}]"#;
        assert_eq!(spoilt("reordered-fields = {}", list).text(), Some(turned));
    }
    let turned = r#"{"state":"WAITING","name":"CASE1","id":42,"case_id":7,"assigned_to":["user-1"]}"#;
    assert_eq!(spoilt("reordered-fields = {}", TASK).text(), Some(turned));
    assert_eq!(spoilt("reordered-fields = {}", THING).text(), Some(r#"{"seen":null,"label":"été","id":7}"#));
}

#[test]
fn odd_characters_come_raw_and_escaped_and_never_in_the_state() {
    becomes("odd-unicode = {}", TASK, &[("CASE1", &format!("CASE1{ODD}"))]);
    becomes("odd-unicode = {}", THING, &[("été", &format!("été{ODD}"))]);
    becomes("odd-unicode = { name = \"status\" }", THINGS, &[("\"}", &format!("{ODD}\"}}"))]);
}

#[test]
fn what_no_parser_takes_comes_with_a_right_length() {
    for target in [TASK, OFFENSES, THINGS, THING] {
        let whole = plain(target).into_bytes();
        let marked = spoilt("byte-order-mark = {}", target);
        assert_eq!(&marked.body[..], [&b"\xef\xbb\xbf"[..], &whole].concat());
        let half = spoilt("malformed-json = { at = \"middle\" }", target);
        assert_eq!(&half.body[..], &whole[..half.body.len()]);
        assert!(half.body.len().abs_diff(whole.len() / 2) <= 1);
        let empty = spoilt("empty-body = {}", target);
        assert_eq!((empty.status, empty.body.len()), (200, 0));
        let latin = spoilt("latin-1 = {}", target);
        assert!(std::str::from_utf8(&latin.body).is_err() && latin.body.contains(&0xe9));
        let packed = spoilt("corrupt-gzip = {}", target);
        assert_eq!(header(&packed, "Content-Encoding").as_deref(), Some("gzip"));
        assert!(packed.body.starts_with(b"\x1f\x8b"));
        let mut unpacked = Vec::new();
        assert!(flate2::read::GzDecoder::new(&packed.body[..]).read_to_end(&mut unpacked).is_err());
        for response in [marked, half, empty, latin, packed] {
            assert_eq!(header(&response, "Content-Length"), Some(response.body.len().to_string()));
            assert!(header(&response, "Content-Type").unwrap().starts_with("application/json"));
        }
    }
    assert_eq!(&spoilt("latin-1 = {}", THING).body[..], b"{\"id\":7,\"label\":\"\xe9t\xe9\",\"seen\":null}");
    for list in [OFFENSES, THINGS] {
        let lines = "{\"id\":3,\"status\":\"OPEN\"}\n{\"id\":1,\"status\":\"CLOSED\"}\n{\"id\":2,\"status\":\"OPEN\"}\n";
        assert_eq!(spoilt("ndjson = {}", list).text(), Some(lines));
    }
}

#[test]
fn a_head_calls_the_body_what_it_is_not_and_the_body_stays() {
    for target in [TASK, OFFENSES, THINGS, THING] {
        let missing = spoilt("wrong-content-type = {}", target);
        assert_eq!((header(&missing, "Content-Type"), missing.text()), (None, Some(&*plain(target))));
        let other = spoilt("wrong-content-type = { value = \"text/html\" }", target);
        let expected = (Some("text/html".to_owned()), Some(plain(target)));
        assert_eq!((header(&other, "Content-Type"), other.text().map(str::to_owned)), expected);
        let old = ask(&served("deprecated-version = {}"), get(target).with("Version", "20.0")).response;
        assert_eq!(old.text(), Some(&*plain(target)));
        assert!(header(&old, "Deprecated").unwrap().contains("20.0"));
    }
}

#[test]
fn any_error_comes_on_any_endpoint_with_and_without_a_code() {
    for target in [TASK, OFFENSES, THINGS, THING] {
        let busy = spoilt("api-error = { status = 503, undocumented = true, retry_after_s = 7 }", target);
        assert_eq!((busy.status, header(&busy, "Retry-After").as_deref()), (503, Some("7")));
        assert!(busy.text().unwrap().starts_with(r#"{"http_response":{"code":503,"#));
        assert!(!busy.text().unwrap().contains(r#"},"code":"#));
        let coded = spoilt("api-error = { status = 418, code = 7, undocumented = true }", target);
        assert_eq!((coded.status, header(&coded, "Retry-After")), (418, None));
        assert!(coded.text().unwrap().contains(r#"},"code":7,"#));
        let login = spoilt("login-page = {}", target);
        assert!(login.status == 200 && login.text().unwrap().contains("<form"));
        assert_eq!(header(&login, "Content-Type").as_deref(), Some("text/html;charset=UTF-8"));
        let moved = spoilt("login-page = { redirect = true }", target);
        assert_eq!((moved.status, header(&moved, "Location").as_deref()), (302, Some("/console/logon.jsp")));
        // Relative: it leads back to the same address whatever stands before it.
        let circle = spoilt("redirect = {}", &format!("{target}?fields=id"));
        let last = target.rsplit('/').next().unwrap();
        let back = format!("./{last}?fields=id");
        assert_eq!((circle.status, header(&circle, "Location"), circle.body.len()), (302, Some(back), 0));
        let away = spoilt("redirect = { status = 308, to = \"https://other.example/api\" }", target);
        assert_eq!(
            (away.status, header(&away, "Location").as_deref()),
            (308, Some("https://other.example/api"))
        );
        let gone = ask(&served("removed-version = {}"), get(target).with("Version", "20.0")).response;
        assert!(gone.status == 422 && gone.text().unwrap().contains("Version (20.0) from header"));
        // Nobody takes the newest version away.
        assert_eq!(spoilt("removed-version = {}", target).text(), Some(&*plain(target)));
    }
}

/// Asks at this time of the run.
fn at(replay: &Replay, target: &str, ms: u64) -> Response {
    replay.decide(get(target), Duration::from_millis(ms)).0.response
}

#[test]
fn a_quota_lets_so_many_pass_in_each_window_and_says_when_the_next_begins() {
    let replay = served("rate-limit = { requests = 2, window_ms = 2500 }");
    let times = [0, 10, 20, 2400, 2500, 2600, 4999, 5000];
    let came: Vec<(u16, Option<String>)> = (times.iter())
        .map(|ms| at(&replay, if ms % 20 == 0 { THINGS } else { THING }, *ms))
        .map(|response| (response.status, header(&response, "Retry-After")))
        .collect();
    let no = |seconds: &str| (429, Some(seconds.to_owned()));
    let yes = || (200, None);
    assert_eq!(came, [yes(), yes(), no("3"), no("1"), yes(), yes(), no("1"), yes()]);

    let replay = served("rate-limit = { requests = 3, window_ms = 0, status = 503 }");
    let came: Vec<u16> = (0..6).map(|n| at(&replay, TASK, n * 1_000_000).status).collect();
    assert_eq!(came, [200, 200, 200, 503, 503, 503]);
    // What was refused was not done: the next poll shows the state that comes then.
    let last = exchanges(&replay);
    assert!(last.iter().filter(|exchange| exchange.status == 503).all(|exchange| !exchange.work_done));
}

#[test]
fn each_session_has_a_quota_of_its_own() {
    let replay = served("rate-limit = { requests = 1, window_ms = 0 }");
    for session in ["", "/@a", "/@b"] {
        let came: Vec<u16> = (0..3).map(|_| at(&replay, &format!("{session}{THING}"), 0).status).collect();
        assert_eq!(came, [200, 429, 429], "{session}");
    }
}

/// The states that so many polls show; `none` where an answer has none.
fn states(inject: &str, polls: usize) -> Vec<String> {
    let replay = served(inject);
    (0..polls)
        .map(|_| {
            let (status, body) = answer(&replay, get(TASK));
            let json = faultdeck::json::Json::parse(&body).unwrap();
            let state = json.member("state").and_then(|state| state.as_str()).unwrap_or("none").to_owned();
            if status == 200 { state } else { status.to_string() }
        })
        .collect()
}

#[test]
fn a_task_stalls_goes_back_vanishes_or_is_in_no_known_state() {
    let (waits, works, partly, done) = ("WAITING", "PROCESSING", "PARTIALLY_COMPLETE", "COMPLETE");
    for (inject, expected) in [
        ("unknown-state = { becomes = \"ARCHIVED\" }", ["ARCHIVED"; 5]),
        ("missing-state = {}", ["none"; 5]),
        ("stalled-task = {}", [waits, works, works, works, works]),
        ("stalled-task = { phase = \"waiting\" }", [waits; 5]),
        ("stalled-task = { phase = \"partial\" }", [waits, works, partly, partly, partly]),
        ("regressed-state = {}", [waits, waits, works, partly, partly]),
        ("flapping-state = {}", [waits, waits, partly, partly, done]),
        ("finished-at-once = {}", [done; 5]),
        ("vanished-task = {}", [waits, "404", "404", "404", "404"]),
    ] {
        assert_eq!(states(inject, 5), expected, "{inject}");
    }
    becomes("unknown-state = { becomes = \"ARCHIVED\" }", TASK, &[("WAITING", "ARCHIVED")]);
    becomes("late-result-id = {}", TASK, &[("\"case_id\":7", "\"case_id\":null")]);
    let replay = served("vanished-task = {}");
    ask(&replay, get(TASK));
    let gone = answer(&replay, get(TASK)).1;
    assert!(gone.contains(r#""code":1002,"description":"No case create task was found"#), "{gone}");
}

#[test]
fn faults_of_a_task_leave_all_else_alone() {
    for inject in ["missing-state = {}", "stalled-task = {}", "finished-at-once = {}", "vanished-task = {}"] {
        let replay = served(inject);
        for target in [OFFENSES, OFFENSES, THINGS, THINGS, THING, THING] {
            assert_eq!(answer(&replay, get(target)), (200, plain(target)), "{inject} at {target}");
        }
        assert!(exchanges(&replay).iter().all(|exchange| exchange.faults.is_empty()));
    }
}

const SEARCH: &str = "/api/ariel/searches/s-1";

/// A search of another family, with a progress and a state of failure.
fn search(inject: &str, recorded: &str) -> String {
    let scenario = format!("summary = \"x\"\n[[fault]]\ninject = {{ {inject} }}\n");
    let replay = replay(cassette(vec![(get(SEARCH), 200, recorded)]), Some(&scenario));
    answer(&replay, get(SEARCH)).1
}

#[test]
fn progress_goes_along_with_the_state_in_the_words_of_the_family() {
    let executing = r#"{"progress":46,"search_id":"s-1","status":"EXECUTE"}"#;
    let completed = r#"{"progress":100,"search_id":"s-1","status":"COMPLETED"}"#;
    for (inject, recorded, expected) in [
        ("finished-at-once = {}", executing, completed),
        ("regressed-state = {}", executing, r#"{"progress":0,"search_id":"s-1","status":"WAIT"}"#),
        ("regressed-state = {}", completed, r#"{"progress":50,"search_id":"s-1","status":"EXECUTE"}"#),
        (
            "stalled-task = { phase = \"waiting\" }",
            completed,
            r#"{"progress":0,"search_id":"s-1","status":"WAIT"}"#,
        ),
        ("failed-task = {}", executing, r#"{"progress":46,"search_id":"s-1","status":"ERROR"}"#),
    ] {
        assert_eq!(search(inject, recorded), expected, "{inject}");
    }
}

fn page(target: &str, range: &str) -> Request {
    get(target).with("Range", range)
}

/// The ids of a page, and its `Content-Range`.
fn listed(delivery: &Delivery) -> (String, String) {
    let text = delivery.response.text().unwrap();
    assert_eq!(delivery.response.status, 200, "{text}");
    let json = faultdeck::json::Json::parse(text).unwrap();
    let ids: Vec<&str> = json.elements().iter().map(|one| one.member("id").unwrap().text()).collect();
    (ids.join(" "), header(&delivery.response, "Content-Range").unwrap_or_default())
}

#[test]
fn pages_are_short_overlap_are_empty_at_the_end_or_do_not_say_where_they_stand() {
    for list in [OFFENSES, THINGS] {
        for (inject, range, ids, says) in [
            ("short-page = {}", "items=0-1", "3", "items 0-1/3"),
            ("overlapping-page = {}", "items=1-2", "3 1", "items 1-2/3"),
            ("overlapping-page = {}", "items=0-1", "3 1", "items 0-1/3"),
            ("changing-total = {}", "items=0-1", "3 1", "items 0-1/4"),
            ("empty-last-page = {}", "items=2-3", "", "items */3"),
            ("empty-last-page = {}", "items=0-1", "3 1", "items 0-1/3"),
            ("wrong-content-range = {}", "items=0-1", "3 1", ""),
            ("wrong-content-range = { value = \"star\" }", "items=0-1", "3 1", "items */3"),
            ("ignored-range = {}", "items=0-1", "3 1 2", ""),
        ] {
            let shown = listed(&ask(&served(inject), page(list, range)));
            assert_eq!(shown, (ids.to_owned(), says.to_owned()), "{inject} at {list} {range}");
        }
        let growing = served("changing-total = {}");
        let totals: Vec<String> = (0..3).map(|_| listed(&ask(&growing, page(list, "items=0-0"))).1).collect();
        assert_eq!(totals, ["items 0-0/4", "items 0-0/5", "items 0-0/6"]);
        assert_eq!(listed(&ask(&served("short-page = {}"), get(list))).0, "3 1");
    }
}

#[test]
fn the_console_does_not_see_fields_or_leaves_out_one_that_was_asked_for() {
    for (inject, fields, expected) in [
        ("ignored-fields = {}", "id,state", task("WAITING")),
        ("over-projected = {}", "id,state", r#"{"id":42}"#.to_owned()),
        ("over-projected = { name = \"id\" }", "id,state", r#"{"state":"WAITING"}"#.to_owned()),
        ("over-projected = { name = \"name\" }", "id,state", r#"{"id":42,"state":"WAITING"}"#.to_owned()),
    ] {
        let asked = get(&format!("{TASK}?fields={fields}"));
        assert_eq!(answer(&served(inject), asked), (200, expected), "{inject}");
    }
    for (target, whole, narrow) in
        [(THING, ONE, r#"{"id":7}"#), (THINGS, THREE, r#"[{"id":3},{"id":1},{"id":2}]"#)]
    {
        let ask_for = |names: &str| get(&format!("{target}?x=1&fields={names}"));
        let pairs = vec![(get(&format!("{target}?x=1")), 200, whole)];
        let with = |inject: &str| {
            let scenario = format!("summary = \"x\"\n[[fault]]\ninject = {{ {inject} }}\n");
            replay(cassette(pairs.clone()), Some(&scenario))
        };
        assert_eq!(answer(&with("ignored-fields = {}"), ask_for("id")).1, whole);
        let other = if target == THING { "label" } else { "status" };
        assert_eq!(answer(&with("over-projected = {}"), ask_for(&format!("id,{other}"))).1, narrow);
    }
}

#[test]
fn what_a_fault_made_of_the_request_stands_in_the_ledger() {
    let replay = served("ignored-range = {}");
    ask(&replay, page(OFFENSES, "items=0-1"));
    let exchange = exchanges(&replay).pop().unwrap();
    assert_eq!(exchange.faults[0].did, "answered as if no `Range` had been asked for");
    assert!(exchange.work_done);
}

#[test]
fn a_fault_that_can_never_happen_at_an_endpoint_is_refused_there() {
    let refused = |inject: &str, endpoint: &str| {
        let text = format!("[[fault]]\nwhen = {{ endpoint = \"{endpoint}\" }}\ninject = {{ {inject} }}\n");
        match Scenario::parse("x", "x.toml", &text, Profile::builtin()) {
            Ok(_) => false,
            Err(ScenarioError::Invalid(diagnostic)) => {
                diagnostic.to_string().contains("can never happen here")
            }
            Err(other) => panic!("{other}"),
        }
    };
    let (task, search, list) =
        ("case_create_tasks.get", "GET /ariel/searches/{search_id}", "GET /siem/offenses");
    for (inject, endpoint, is_refused) in [
        ("failed-task = {}", task, true),
        ("failed-task = {}", search, false),
        ("stalled-task = { phase = \"partial\" }", task, false),
        ("stalled-task = { phase = \"partial\" }", search, true),
        ("late-result-id = {}", task, false),
        ("late-result-id = {}", search, true),
        ("vanished-task = {}", task, false),
        ("vanished-task = {}", search, false),
        ("vanished-task = {}", "cases.post", true),
        ("finished-at-once = {}", "cases.post", false),
        ("finished-at-once = {}", list, true),
        ("missing-state = {}", list, true),
        ("short-page = {}", list, false),
        ("short-page = {}", task, true),
        ("ignored-range = {}", "GET /acme/**", false),
        ("missing-state = {}", "GET /acme/**", false),
    ] {
        assert_eq!(refused(inject, endpoint), is_refused, "{inject} at {endpoint}");
    }
}

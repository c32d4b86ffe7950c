//! What a recording shows the console to have taken switches off the rule that says otherwise.

use crate::evidence;

use evidence::*;
use faultdeck::cassette::Cassette;
use faultdeck::judge::from_wire;
use faultdeck::ledger::{Origin, Standing};
use faultdeck::message::{Request, Response};
use faultdeck::replay::Replay;

const NOTES: &str = "/api/siem/offenses/7/notes";

fn of_version(version: &str, target: &str) -> Request {
    get(target).with("Version", version)
}

fn origin(replay: &Replay) -> Origin {
    exchanges(replay).pop().unwrap().origin
}

/// Whether the gate gave this answer. That a cassette has other ids than this one is no rule of the gate.
fn is_rule(origin: &Origin) -> bool {
    matches!(origin, Origin::Synthesised { rule, .. } if rule != "unknown id")
}

/// Every fault that takes part in an answer, at once: an error in its place, and what is done to it on the way.
const FAULTS: &str = "summary = \"x\"\n[[fault]]\nwhen = { nth = \"1\" }\ninject = { api-error = { status = 500, code = 1020 } }\n[[fault]]\nwhen = { nth = \"2\" }\ninject = { drop-field = { name = \"state\" } }\n[[fault]]\nwhen = { nth = \"3\" }\ninject = { malformed-json = {} }\n";

fn kinds(replay: &Replay) -> Vec<String> {
    exchanges(replay).into_iter().flat_map(|exchange| exchange.faults).map(|fault| fault.kind).collect()
}

#[test]
fn faults_fire_under_a_version_that_the_recording_shows_to_be_taken() {
    let done = task("COMPLETE");
    let held = cassette(vec![(of_version("6.0", TASK), 200, &done)]);
    let replay = replay(held, Some(FAULTS));
    for _ in 0..3 {
        ask(&replay, of_version("6.0", TASK));
    }
    assert_eq!(kinds(&replay), ["api-error", "drop-field", "malformed-json"]);
}

#[test]
fn under_a_taken_version_what_was_not_recorded_is_a_miss_and_no_refusal() {
    let done = task("COMPLETE");
    let held = cassette(vec![(of_version("6.0", TASK), 200, &done)]);
    let replay = replay(held, None);
    for spelling in ["6.0", "6", " 6.0 "] {
        let (status, body) = answer(&replay, of_version(spelling, "/api/siem/offenses"));
        assert!(status == 501 && body.contains("not recorded"), "{spelling}: {body}");
    }
    for version in ["3.0", "7.0", "latest"] {
        for target in ["/api/siem/offenses", TASK] {
            let (status, body) = answer(&replay, of_version(version, target));
            assert!(status == 422 && body.contains("Version"), "{version} {target}: {body}");
        }
    }
    assert_eq!(answer(&replay, get(TASK)), (200, done), "without a version it is the newest");
}

#[test]
fn a_version_that_the_console_refused_stays_refused_with_its_own_words() {
    let refused = r#"{"http_response":{"code":422,"message":""},"code":0,"message":"Version (6.0) is gone"}"#;
    let done = task("COMPLETE");
    let held = cassette(vec![(of_version("6.0", TASK), 422, refused), (get(TASK), 200, &done)]);
    let replay = replay(held, None);
    assert_eq!(answer(&replay, of_version("6.0", TASK)), (422, refused.to_owned()));
    assert_eq!(answer(&replay, of_version("6.0", "/api/siem/offenses")).0, 422);
    let (status, body) = answer(&replay, of_version("5.0", TASK));
    assert!(status == 422 && body.contains("5.0") && !body.contains("6.0"), "{body}");
    assert_eq!(answer(&replay, get(TASK)), (200, done));
}

#[test]
fn an_endpoints_own_error_shows_that_the_version_was_taken_and_a_page_shows_nothing() {
    let no_such = r#"{"http_response":{"code":404,"message":""},"code":1002,"message":"none"}"#;
    let replay_of =
        |status: u16, body: &str| replay(cassette(vec![(of_version("6.0", TASK), status, body)]), None);
    let shown = replay_of(404, no_such);
    assert_eq!(answer(&shown, of_version("6.0", "/api/siem/offenses")).0, 501);
    let broken = replay_of(503, "{}");
    assert_eq!(answer(&broken, of_version("6.0", "/api/siem/offenses")).0, 422);
    let mut held = cassette(vec![(of_version("6.0", TASK), 200, "{}")]);
    held.interactions[0].response = Response::with_body(200, "text/html", "<html>log in</html>");
    let page = replay(held, None);
    assert_eq!(answer(&page, of_version("6.0", "/api/siem/offenses")).0, 422);
    assert_eq!(answer(&page, of_version("6.0", TASK)).1, "<html>log in</html>");
}

#[test]
fn a_task_polled_under_an_old_version_lives_as_any_other() {
    let bodies = ["WAITING", "PROCESSING", "COMPLETE"].map(task);
    let held = cassette(bodies.iter().map(|body| (of_version("9.1", TASK), 200, body.as_str())).collect());
    let replay = replay(held, Some("summary = \"x\"\npolls_per_phase = 2\n"));
    let seen: Vec<String> = (0..6).map(|_| state(&replay, of_version("9.1", TASK))).collect();
    assert_eq!(seen, ["WAITING", "WAITING", "PROCESSING", "PROCESSING", "COMPLETE", "COMPLETE"]);
}

/// Requests to a known endpoint that a rule refuses, each with one of the same kind that was not recorded.
fn odd_requests() -> Vec<(Request, Request)> {
    let recovery = |body: &str| post("/api/forensics/capture/recoveries", body);
    vec![
        // An endpoint that the profiles do not have, below a root that they hold whole.
        (get("/api/forensics/older/thing"), get("/api/forensics/older/other")),
        // A method that the endpoint does not have.
        (post(TASK, "{}"), post(&TASK.replace("42", "43"), "{}")),
        // An id that is no integer.
        (get(&TASK.replace("42", "case-42")), get(&TASK.replace("42", "case-43"))),
        // No body, and a body that is no object.
        (recovery(""), recovery(" ")),
        (recovery("[1]"), recovery("[2]")),
        // A range of a form that nobody has seen.
        (get(CASES).with("Range", "items=0-"), get(CASES).with("Range", "items=5-")),
        // A selector that is none.
        (get(&format!("{TASK}?fields=id,id")), get(&format!("{TASK}?fields=state,state"))),
    ]
}

#[test]
fn whatever_the_console_took_is_answered_meets_faults_and_leaves_the_rest_to_misses() {
    for (recorded, other) in odd_requests() {
        let shown = format!("{} {} {:?}", recorded.method, recorded.target, recorded.body);
        let held = || cassette(vec![(recorded.clone(), 200, r#"{"id":1,"case_id":2,"state":"COMPLETE"}"#)]);
        let fine = replay(held(), None);
        assert_eq!(answer(&fine, recorded.clone()).0, 200, "{shown}");
        ask(&fine, other);
        assert!(!is_rule(&origin(&fine)), "{shown}: {:?}", origin(&fine));
        let text = "summary = \"x\"\n[[fault]]\nwhen = {}\ninject = { malformed-json = {} }\n";
        let spoilt = replay(held(), Some(text));
        ask(&spoilt, recorded.clone());
        assert_eq!(kinds(&spoilt), ["malformed-json"], "{shown}");
    }
}

#[test]
fn an_older_client_keeps_its_paths_and_its_parameters() {
    let older = |request: Request| request.with("Version", "9.1");
    let load =
        |name: &str| older(post(&format!("/api/reference_data/sets/bulk_load/{name}"), r#"["a","b"]"#));
    // The API of today asks for an `element_type`.
    let make = |name: &str| older(post(&format!("/api/reference_data/sets?name={name}"), ""));
    let held = || {
        let set = r#"{"name":"one","number_of_elements":2}"#;
        cassette(vec![(load("one"), 200, set), (make("one"), 201, set)])
    };
    let fine = replay(held(), None);
    for (request, status) in [(load("one"), 200), (make("one"), 201), (load("two"), 501), (make("two"), 501)]
    {
        let shown = request.target.clone();
        assert_eq!(answer(&fine, request).0, status, "{shown}");
    }
    assert!(violated(&fine).is_empty(), "{:?}", violated(&fine));
    let spoilt =
        replay(held(), Some("summary = \"x\"\n[[fault]]\nwhen = {}\ninject = { malformed-json = {} }\n"));
    [load("one"), make("one")].into_iter().for_each(|request| drop(ask(&spoilt, request)));
    assert_eq!(kinds(&spoilt), ["malformed-json", "malformed-json"]);
    let strict = replay(life(&["COMPLETE"]), None);
    assert_eq!(answer(&strict, post("/api/reference_data/sets?name=one", "")).0, 422, "the rule is there");
}

#[test]
fn what_was_never_recorded_is_refused_by_the_rule_as_before() {
    let replay = replay(life(&["COMPLETE"]), None);
    for (recorded, other) in odd_requests() {
        for request in [recorded, other] {
            let shown = format!("{} {} {:?}", request.method, request.target, request.body);
            ask(&replay, request);
            assert!(is_rule(&origin(&replay)), "{shown}: {:?}", origin(&replay));
        }
    }
}

#[test]
fn a_name_that_was_asked_for_and_taken_is_known_even_if_no_answer_has_it() {
    let older = format!("{TASK}?fields=id,severity");
    let whole = task("COMPLETE");
    let replay = replay(cassette(vec![(get(&older), 200, r#"{"id":42}"#), (get(TASK), 200, &whole)]), None);
    assert_eq!(answer(&replay, get(&older)).1, r#"{"id":42}"#);
    assert_eq!(answer(&replay, get(&format!("{TASK}?fields=severity,state"))).1, r#"{"state":"COMPLETE"}"#);
    assert_eq!(answer(&replay, get(&format!("{TASK}?fields=weight"))).0, 422);
}

#[test]
fn an_answer_to_a_selector_that_is_none_is_lent_to_nobody() {
    let odd = format!("{NOTES}?fields=id,id");
    let replay = replay(cassette(vec![(get(&odd), 200, r#"[{"id":1}]"#)]), None);
    assert_eq!(answer(&replay, get(&odd)).0, 200);
    for target in [NOTES.to_owned(), format!("{NOTES}?fields=id"), format!("{NOTES}?fields=(")] {
        assert_eq!(answer(&replay, get(&target)).0, 501, "{target}");
    }
}

#[test]
fn a_console_that_asks_for_no_credentials_somewhere_is_believed_there() {
    let bare = |target: &str| Request::new("GET", target).with("Host", "console");
    let done = task("COMPLETE");
    let bearer = bare(CASES).with("Authorization", "Bearer fd-secret-1");
    let replay = replay(cassette(vec![(bare(TASK), 200, &done), (bearer, 200, "[]")]), None);
    assert_eq!(answer(&replay, bare(TASK)).0, 200);
    assert_eq!(answer(&replay, bare("/api/forensics/case_management/cases/1")).0, 401);
    let other = bare("/api/siem/offenses");
    assert_eq!(answer(&replay, other.clone().with("Authorization", "bearer another-token")).0, 501);
    assert_eq!(answer(&replay, other).0, 401);
}

#[test]
fn the_self_description_that_was_recorded_is_the_one_that_is_answered_from() {
    let versions = r#"[{"id":1,"version":"9.0"},{"id":2,"version":"10.0"}]"#;
    let replay = replay(cassette(vec![(get("/api/help/versions"), 200, versions)]), None);
    assert_eq!(answer(&replay, get("/api/help/versions")).1, versions);
    let narrow = answer(&replay, get("/api/help/versions?fields=version"));
    assert_eq!(narrow.1, r#"[{"version":"9.0"},{"version":"10.0"}]"#);
    assert!(answer(&replay, get("/api/help/resources?fields=path")).1.contains("/forensics"));
}

/// The judge's word on the requests of a replay, where it speaks against them.
fn violated(replay: &Replay) -> Vec<String> {
    let judged = from_wire(&replay.lines(), false).into_iter();
    judged.filter(|line| line.verdict == Standing::Violated).map(|line| line.because).collect()
}

fn ask_all(held: Cassette, scenario: Option<&str>, requests: &[Request]) -> Vec<String> {
    let replay = replay(held, scenario);
    requests.iter().for_each(|request| drop(ask(&replay, request.clone())));
    violated(&replay)
}

#[test]
fn no_property_speaks_against_what_the_recording_shows_to_be_taken() {
    let doubled = get(&format!("/{CASES}"));
    let wrong_method = post(TASK, "{}");
    let bare = Request::new("GET", TASK).with("Host", "console");
    let error =
        "summary = \"x\"\n[[fault]]\nwhen = {}\ninject = { api-error = { status = 500, code = 1020 } }\n";
    for request in [doubled, wrong_method, bare] {
        let shown = format!("{} {}", request.method, request.target);
        let held = || cassette(vec![(request.clone(), 200, "[]")]);
        for scenario in [None, Some(error)] {
            let spoken = ask_all(held(), scenario, std::slice::from_ref(&request));
            assert!(spoken.is_empty(), "{shown}: {spoken:?}");
        }
        let spoken = ask_all(life(&["COMPLETE"]), None, std::slice::from_ref(&request));
        assert_eq!(spoken.len(), 1, "{shown}: without the recording it is wrong");
    }
}

#[test]
fn a_page_in_place_of_an_answer_is_no_evidence_for_the_path() {
    let lost = get(&CASES.replace("/api", ""));
    let mut held = cassette(vec![(lost.clone(), 200, "{}")]);
    held.interactions[0].response = Response::with_body(200, "text/html", "<html>Application error</html>");
    let spoken = ask_all(held, None, std::slice::from_ref(&lost));
    assert!(spoken[0].contains("missing") && spoken[0].contains("outside /api/"), "{spoken:?}");
}

#[test]
fn a_parameter_that_was_taken_is_no_longer_said_to_be_ignored() {
    let older = format!("{TASK}?app_id=7");
    let done = task("COMPLETE");
    let odd = |replay: &Replay, target: &str| {
        ask(replay, get(target));
        let exchange = exchanges(replay).pop().unwrap();
        (exchange.findings.len(), exchange.taken)
    };
    let shown = replay(cassette(vec![(get(&older), 200, &done)]), None);
    let ground = "parameter query app_id of GET /forensics/case_management/case_create_tasks/{id}";
    assert_eq!(odd(&shown, &older), (0, vec![ground.to_owned()]));
    assert_eq!(odd(&shown, &format!("{TASK}?other=7")), (1, Vec::new()));
    assert_eq!(odd(&replay(life(&["COMPLETE"]), None), &older), (1, Vec::new()));
}

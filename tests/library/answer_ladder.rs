//! The first rung that answers wins, and each answer says which it was.

use crate::evidence;

use evidence::*;
use faultdeck::ledger::Origin;
use faultdeck::message::Request;

fn rule(replay: &faultdeck::replay::Replay) -> String {
    match &exchanges(replay).last().unwrap().origin {
        Origin::Synthesised { rule, .. } => rule.clone(),
        origin => format!("{origin:?}"),
    }
}

#[test]
fn rungs_answer_in_their_order() {
    let replay = replay(life(&["COMPLETE"]), None);
    let cases = [
        ("/elsewhere", 501, "outside /api"),
        ("/api/forensics/nope", 404, r#""code":4,"#),
        ("/api/forensics/case_management/case_create_tasks/42?fields=nope", 422, r#""code":30,"#),
        ("/api/forensics/case_management/case_create_tasks/42?fields=id,nope,id", 422, r#""code":31,"#),
        ("/api/forensics/case_management/case_create_tasks/42?fields=(", 422, r#""code":31,"#),
        ("/api/forensics/case_management/case_create_tasks/abc", 422, r#""code":11,"#),
        ("/api/forensics/case_management/case_create_tasks/43", 404, r#""code":1002,"#),
        ("/api/siem/offenses", 501, "not recorded"),
        ("/api/help/versions", 200, "26.0"),
    ];
    for (target, status, part) in cases {
        let (got, body) = answer(&replay, get(target));
        assert_eq!(got, status, "{target}: {body}");
        assert!(body.contains(part), "{target}: {body}");
    }
    let (status, body) = answer(&replay, Request::new("GET", TASK).with("Host", "x"));
    assert!(status == 401 && body.contains(r#""code":18,"#), "{body}");
}

#[test]
fn an_error_takes_the_place_of_the_answer_before_anything_happens_to_it_whatever_the_order_in_the_file() {
    let error = r#"api-error = { status = 500, code = 1020 }"#;
    for other in
        ["truncate = { body_bytes = 900000 }", "drop-field = { name = \"state\" }", "malformed-json = {}"]
    {
        let scenario = |faults: [&str; 2]| {
            let fault = |inject| format!("[[fault]]\nwhen = {{}}\ninject = {{ {inject} }}\n");
            format!("summary = \"x\"\n{}", faults.map(fault).concat())
        };
        for order in [[error, other], [other, error]] {
            let replay = replay(life(&["COMPLETE"]), Some(&scenario(order)));
            let (status, body) = answer(&replay, get(TASK));
            assert!(status == 500 && body.contains("1020"), "{order:?}: {body}");
            let faults = exchanges(&replay).pop().unwrap().faults;
            let kinds: Vec<&str> = faults.iter().map(|fault| fault.kind.as_str()).collect();
            assert_eq!(
                kinds,
                ["api-error"],
                "{other} did nothing to this answer, and is not said to have fired"
            );
        }
    }
    let both = format!(
        "summary = \"x\"\n[[fault]]\nwhen = {{}}\ninject = {{ malformed-chunk = {{}} }}\n[[fault]]\nwhen = {{}}\ninject = {{ {error} }}\n"
    );
    let replay = replay(life(&["COMPLETE"]), Some(&both));
    let delivery = ask(&replay, get(TASK));
    assert_eq!(delivery.response.status, 500);
    assert!(
        delivery.image().body.starts_with(b"no-number"),
        "the error suffers what was planned for the answer"
    );
}

#[test]
fn a_refused_poll_advances_no_tick() {
    let replay = replay(life(&["WAITING", "COMPLETE"]), None);
    answer(&replay, get(&format!("{TASK}?fields=nope")));
    assert_eq!(state(&replay, get(TASK)), "WAITING");
    assert_eq!(exchanges(&replay)[0].tick, None);
    assert_eq!(exchanges(&replay)[1].key.nth, 2, "a refused request counts as an occurrence");
}

#[test]
fn what_was_recorded_outranks_every_rule() {
    let odd = r#"{"code":30,"message":"as the real console said it"}"#;
    let good = task("COMPLETE");
    let target = format!("{TASK}?fields=nope");
    let replay = replay(cassette(vec![(get(&target), 422, odd), (get(TASK), 200, &good)]), None);
    assert_eq!(answer(&replay, get(&target)), (422, odd.to_owned()));
    assert!(matches!(exchanges(&replay)[0].origin, Origin::Recorded(_)));
    // Another refused request is still answered by the rule, and the recorded refusal is no poll of the task.
    assert_eq!(answer(&replay, get(&format!("{TASK}?fields=other"))).0, 422);
    assert_eq!(rule(&replay), rule(&replay));
    assert_eq!(answer(&replay, get(TASK)), (200, good));
}

#[test]
fn a_member_seen_in_the_recording_is_a_legal_field() {
    let body =
        r#"{"assigned_to":[],"case_id":7,"id":42,"name":"CASE1","state":"COMPLETE","extra":{"deep":1}}"#;
    let replay = replay(cassette(vec![(get(TASK), 200, body)]), None);
    assert_eq!(answer(&replay, get(&format!("{TASK}?fields=extra(deep)"))).1, r#"{"extra":{"deep":1}}"#);
}

#[test]
fn the_dialect_that_was_recorded_is_the_one_that_is_checked() {
    let body = r#"{"assigned_to":[],"case_id":7,"case_name":"CASE1","id":42,"status":"COMPLETE"}"#;
    let replay = replay(cassette(vec![(get(TASK), 200, body)]), None);
    assert_eq!(answer(&replay, get(&format!("{TASK}?fields=status"))).1, r#"{"status":"COMPLETE"}"#);
    assert_eq!(answer(&replay, get(&format!("{TASK}?fields=state"))).0, 422);
}

#[test]
fn an_unknown_id_misses_if_the_scenario_says_so() {
    let replay = replay(life(&["COMPLETE"]), Some("summary = \"x\"\nunknown_id = \"miss\"\n"));
    let (status, body) = answer(&replay, get("/api/forensics/case_management/case_create_tasks/43"));
    assert_eq!(status, 501);
    assert!(body.contains("nearest") && body.contains("42"), "a miss names what comes nearest: {body}");
}

#[test]
fn a_miss_is_delivered_unaltered_and_no_fault_counts_as_fired() {
    let text = "summary = \"x\"\n[[fault]]\nwhen = {}\ninject = { reset = {} }\n";
    let replay = replay(life(&["COMPLETE"]), Some(text));
    let delivery = ask(&replay, get("/api/siem/offenses"));
    assert!(delivery.is_plain() && delivery.response.status == 501);
    assert_eq!(replay.account().never_fired.len(), 1);
    ask(&replay, get(TASK));
    assert!(replay.account().never_fired.is_empty());
}

#[test]
fn work_not_done_consumes_no_recording_but_time_goes_on() {
    let text = "summary = \"x\"\n[[fault]]\nwhen = { endpoint = \"case_create_tasks.get\", nth = \"1\" }\ninject = { api-error = { status = 500, code = 1020 } }\n";
    let replay = replay(life(&["WAITING", "PROCESSING", "COMPLETE"]), Some(text));
    let (status, body) = answer(&replay, get(TASK));
    assert!(status == 500 && body.contains(r#""code":1020,"#), "{body}");
    assert_eq!(state(&replay, get(TASK)), "PROCESSING");
    assert!(!exchanges(&replay)[0].work_done && exchanges(&replay)[1].work_done);
}

#[test]
fn sessions_by_path_do_not_see_each_other() {
    let replay = replay(life(&["WAITING", "COMPLETE"]), None);
    assert_eq!(state(&replay, get(&format!("/@one{TASK}"))), "WAITING");
    assert_eq!(state(&replay, get(&format!("/@two{TASK}"))), "WAITING");
    assert_eq!(state(&replay, get(&format!("/@one{TASK}"))), "COMPLETE");
    assert_eq!(state(&replay, get(TASK)), "WAITING");
    let names: Vec<String> = exchanges(&replay).into_iter().map(|exchange| exchange.key.session).collect();
    assert_eq!(names, ["one", "two", "one", "main"]);
}

#[test]
fn duplicate_members_survive_and_are_reported() {
    let body = r#"{"assigned_to":[],"case_id":7,"id":42,"id":43,"name":"A","state":"COMPLETE","n":1.00,"big":123456789012345678901234567890}"#;
    let replay = replay(cassette(vec![(get(TASK), 200, body)]), None);
    assert_eq!(answer(&replay, get(TASK)).1, body);
    assert_eq!(
        answer(&replay, get(&format!("{TASK}?fields=n,id,big"))).1,
        r#"{"id":42,"n":1.00,"big":123456789012345678901234567890}"#
    );
    assert!(
        exchanges(&replay)[0].findings.iter().any(|finding| finding.contains("/id")),
        "{:?}",
        exchanges(&replay)[0].findings
    );
}

#[test]
fn a_recorded_refusal_gets_its_placeholders_back() {
    let mut held = cassette(vec![(get("/console/start"), 302, "")]);
    held.interactions[0].response.headers.push("Location", "{base}/console/login");
    let replay = replay(held, None);
    replay.set_base("http://127.0.0.1:9");
    let delivery = ask(&replay, get("/console/start"));
    assert_eq!(delivery.response.status, 302);
    // The client's own name for the listener, as its `Host` has it.
    assert_eq!(delivery.response.headers.text("Location").unwrap(), "http://console/console/login");
}

#[test]
fn recorded_refusals_with_and_without_credentials_are_counted_apart() {
    let target = format!("{TASK}?fields=nope");
    let bare = Request::new("GET", &target).with("Host", "console");
    let held = cassette(vec![
        (bare.clone(), 401, r#"{"a":1}"#),
        (get(&target), 422, r#"{"b":1}"#),
        (get(&target), 422, r#"{"b":2}"#),
    ]);
    let replay = replay(held, None);
    assert_eq!(answer(&replay, bare).1, r#"{"a":1}"#);
    assert_eq!(answer(&replay, get(&target)).1, r#"{"b":1}"#);
    assert_eq!(answer(&replay, get(&target)).1, r#"{"b":2}"#);
}

#[test]
fn a_length_that_does_not_fit_its_body_is_set_right_and_remarked_on() {
    let mut held = life(&["COMPLETE"]);
    let (whole, id) = (held.interactions[0].response.clone(), held.interactions[0].id.clone());
    for wrong in [&["1"][..], &["999"], &["x"], &["999", "1"]] {
        let response = &mut held.interactions[0].response;
        response.headers.remove("Content-Length");
        wrong.iter().for_each(|length| response.headers.push("Content-Length", *length));
        let replay = replay(held.clone(), None);
        assert_eq!(ask(&replay, get(TASK)).response, whole, "{wrong:?}");
        assert!(exchanges(&replay)[0].findings[0].contains(&id), "{wrong:?}");
    }
    held.interactions[0].response.headers.push("Transfer-Encoding", "chunked");
    let response = ask(&replay(held, None), get(TASK)).response;
    assert!(!response.headers.has("Content-Length") && response.headers.has("Transfer-Encoding"));
}

#[test]
fn the_listeners_own_address_is_nowhere_in_the_ledger() {
    let replay = replay(life(&["COMPLETE"]), None);
    replay.set_base("http://127.0.0.1:41234");
    let mut request =
        Request::new("GET", TASK).with("Host", "127.0.0.1:41234").with("SEC", "some-token-here");
    request.headers.push("Referer", "http://127.0.0.1:41234/x");
    answer(&replay, request);
    let text = replay.lines().iter().map(|line| line.to_json().unwrap()).collect::<String>();
    assert!(!text.contains("41234") && text.contains("\"{base}/x\""), "{text}");
}

//! What a client creates comes back wherever that task or case is answered.

use crate::evidence;

use evidence::*;
use faultdeck::cassette::Cassette;
use faultdeck::ledger::Origin;

const ITEM: &str = "/api/forensics/case_management/cases/7";

fn recorded() -> Cassette {
    let (created, waiting, done) = (task("WAITING"), task("WAITING"), task("COMPLETE"));
    let case = r#"{"assigned_to":["user-1"],"id":7,"name":"CASE1"}"#;
    let list = format!("[{case}]");
    cassette(vec![
        (get(CASES), 200, "[]"),
        (post(CASES, r#"{"name":"CASE1","assigned_to":["user-1"]}"#), 201, &created),
        (get(TASK), 200, &waiting),
        (get(TASK), 200, &done),
        (get(ITEM), 200, case),
        (get(CASES), 200, &list),
    ])
}

#[test]
fn the_recorded_creation_comes_back_byte_for_byte() {
    let replay = replay(recorded(), None);
    assert_eq!(answer(&replay, get(CASES)).1, "[]");
    assert_eq!(
        answer(&replay, post(CASES, r#"{"name":"CASE1","assigned_to":["user-1"]}"#)),
        (201, task("WAITING"))
    );
    assert!(matches!(exchanges(&replay)[1].origin, Origin::Recorded(_)));
    assert!(answer(&replay, get(CASES)).1.contains("CASE1"));
    assert_eq!(answer(&replay, get(TASK)).1, task("WAITING"));
}

#[test]
fn members_the_client_sent_replace_the_recorded_ones_everywhere() {
    let replay = replay(recorded(), None);
    let (status, body) = answer(&replay, post(CASES, r#"{"name":"OTHER9","assigned_to":["user-1"]}"#));
    assert_eq!(status, 201);
    for body in
        [body, answer(&replay, get(TASK)).1, answer(&replay, get(ITEM)).1, answer(&replay, get(CASES)).1]
    {
        assert!(body.contains(r#""name":"OTHER9""#) && !body.contains("CASE1"), "{body}");
    }
}

#[test]
fn further_creations_get_fresh_ids_after_the_greatest_recorded_and_walk_the_recorded_path() {
    let replay = replay(recorded(), None);
    answer(&replay, post(CASES, r#"{"name":"CASE1","assigned_to":["user-1"]}"#));
    let (status, body) = answer(&replay, post(CASES, r#"{"name":"CASE2","assigned_to":["user-1"]}"#));
    assert_eq!(status, 201, "{body}");
    assert!(
        body.contains(r#""id":43"#) && body.contains(r#""case_id":8"#) && body.contains("CASE2"),
        "{body}"
    );
    let fresh = "/api/forensics/case_management/case_create_tasks/43";
    assert_eq!(state(&replay, get(fresh)), "WAITING");
    assert_eq!(state(&replay, get(fresh)), "COMPLETE");
    assert!(answer(&replay, get("/api/forensics/case_management/cases/8")).1.contains(r#""id":8"#));
    let list = answer(&replay, get(CASES)).1;
    assert!(list.contains("CASE1") && list.contains("CASE2") && list.contains(r#""id":8"#), "{list}");
    assert_eq!(state(&replay, get(TASK)), "WAITING", "the first task keeps its own ticks");
}

#[test]
fn the_rules_of_a_name_are_kept() {
    let replay = replay(recorded(), None);
    answer(&replay, post(CASES, r#"{"name":"CASE1","assigned_to":["user-1"]}"#));
    for body in [
        r#"{"assigned_to":["user-1"]}"#,
        r#"{"name":"no spaces","assigned_to":["user-1"]}"#,
        r#"{"name":"ABCDEFGHIJKLMNOP","assigned_to":["user-1"]}"#,
        r#"{"name":"TWO","assigned_to":["user-1","user-2"]}"#,
        r#"{"name":"CASE1","assigned_to":["user-1"]}"#,
    ] {
        let (status, answer) = answer(&replay, post(CASES, body));
        assert!(status == 422 && answer.contains(r#""code":1005,"#), "{body}: {status} {answer}");
    }
}

#[test]
fn a_name_that_was_refused_can_be_used_after_it_was_free() {
    let replay = replay(recorded(), None);
    assert_eq!(answer(&replay, post(CASES, r#"{"name":"FREE","assigned_to":["user-1"]}"#)).0, 201);
    let (status, body) = answer(&replay, post(CASES, r#"{"name":"FREE","assigned_to":["user-1"]}"#));
    assert!(status == 422 && body.contains("The name FREE is already in use"), "{body}");
    assert_eq!(answer(&replay, post(CASES, r#"{"name":"FREE2","assigned_to":["user-1"]}"#)).0, 201);
}

#[test]
fn a_lost_answer_leaves_the_case_created() {
    let text = "summary = \"x\"\n[[fault]]\nwhen = { endpoint = \"cases.post\", nth = \"1\" }\ninject = { reset = { after_bytes = 0 } }\n";
    let replay = replay(recorded(), Some(text));
    let delivery = ask(&replay, post(CASES, r#"{"name":"LOST","assigned_to":["user-1"]}"#));
    assert_eq!(delivery.planned_bytes(), 0);
    assert!(answer(&replay, get(CASES)).1.contains("LOST"));
    assert!(exchanges(&replay)[0].work_done);
}

#[test]
fn a_cassette_without_an_accepted_creation_misses() {
    let replay = replay(life(&["COMPLETE"]), None);
    let (status, body) = answer(&replay, post(CASES, r#"{"name":"CASE1","assigned_to":["user-1"]}"#));
    assert!(status == 501 && body.contains("no creation recorded"), "{body}");
}

#[test]
fn the_fields_header_of_a_creation_is_heeded() {
    let replay = replay(recorded(), None);
    let (_, body) = answer(
        &replay,
        post(CASES, r#"{"name":"CASE1","assigned_to":["user-1"]}"#).with("fields", "id,state"),
    );
    assert_eq!(body, r#"{"id":42,"state":"WAITING"}"#);
}

#[test]
fn a_placeholder_user_matches_any_user_and_is_bound_for_the_session() {
    let replay = replay(recorded(), None);
    let (_, body) = answer(&replay, post(CASES, r#"{"name":"CASE1","assigned_to":["analyst7"]}"#));
    assert!(body.contains("analyst7") && !body.contains("user-1"), "{body}");
    let case = answer(&replay, get(ITEM)).1;
    assert!(case.contains("analyst7"), "{case}");
}

#[test]
fn an_answer_that_no_profile_knows_is_no_task() {
    let offense = r#"{"id":42,"name":"an offense"}"#;
    let mut held = recorded();
    held.interactions.extend(cassette(vec![(get("/api/siem/offenses/42"), 200, offense)]).interactions);
    let replay = replay(held, None);
    answer(&replay, post(CASES, r#"{"name":"OTHER9","assigned_to":["user-1"]}"#));
    assert_eq!(answer(&replay, get("/api/siem/offenses/42")).1, offense);
}

#[test]
fn the_greatest_id_there_is_stops_nobody() {
    let most = i128::MAX.to_string();
    let created = task("WAITING").replace("42", &most);
    let held = cassette(vec![(post(CASES, r#"{"name":"CASE1","assigned_to":["user-1"]}"#), 201, &created)]);
    let replay = replay(held, None);
    for name in ["CASE1", "CASE2", "CASE3"] {
        let body = format!(r#"{{"name":"{name}","assigned_to":["user-1"]}}"#);
        assert_eq!(answer(&replay, post(CASES, &body)).0, 201);
    }
}

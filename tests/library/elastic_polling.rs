//! One recording serves a client that polls 1, 7 or 500 times.

use crate::evidence;

use evidence::*;
use faultdeck::ledger::Origin;

const LIFE: &[&str] = &["WAITING", "PROCESSING", "PROCESSING", "PARTIALLY_COMPLETE", "COMPLETE"];

fn states(cassette: faultdeck::cassette::Cassette, scenario: Option<&str>, polls: usize) -> Vec<String> {
    let replay = replay(cassette, scenario);
    (0..polls).map(|_| state(&replay, get(TASK))).collect()
}

#[test]
fn without_a_scenario_the_recorded_sequence_comes_back_and_a_longer_one_stays_at_the_last() {
    let mut expected: Vec<&str> = LIFE.to_vec();
    expected.extend(["COMPLETE"; 5]);
    assert_eq!(states(life(LIFE), None, 10), expected);
    assert_eq!(states(life(LIFE), None, 1), ["WAITING"]);
}

#[test]
fn polls_per_phase_cuts_and_stretches() {
    let text = "summary = \"x\"\npolls_per_phase = 2\n";
    let expected = [
        "WAITING",
        "WAITING",
        "PROCESSING",
        "PROCESSING",
        "PARTIALLY_COMPLETE",
        "PARTIALLY_COMPLETE",
        "COMPLETE",
        "COMPLETE",
    ];
    assert_eq!(states(life(LIFE), Some(text), 8), expected);
}

#[test]
fn a_deployment_replaces_the_recorded_phases_whatever_was_recorded() {
    let text = r#"
summary = "x"
[deployment]
picked_up_at = 1
[[deployment.hosts]]
name = "console"
changes = [{ at = 2, becomes = "done" }]
[[deployment.hosts]]
name = "mh-2"
changes = [{ at = 1, becomes = "down" }, { at = 4, becomes = "removed" }]
"#;
    let expected =
        ["WAITING", "PROCESSING", "PARTIALLY_COMPLETE", "PARTIALLY_COMPLETE", "COMPLETE", "COMPLETE"];
    assert_eq!(states(life(LIFE), Some(text), 6), expected);
    // A recording of the last state alone lends its body to all of them.
    assert_eq!(states(life(&["COMPLETE"]), Some(text), 6), expected);
}

#[test]
fn a_state_put_in_place_is_told_as_such_and_keeps_all_else() {
    let replay = replay(
        life(&["COMPLETE"]),
        Some("summary = \"x\"\n[deployment]\nhosts = [{ name = \"console\" }]\n"),
    );
    assert_eq!(answer(&replay, get(TASK)), (200, task("WAITING")));
    assert!(matches!(exchanges(&replay)[0].origin, Origin::Timeline(_)));
    assert_eq!(exchanges(&replay)[0].state.as_deref(), Some("WAITING"));
}

#[test]
fn a_scripted_path_sets_members_from_its_polls_on() {
    let text = "summary = \"x\"\n[[path]]\nat = 1\nset = { state = \"PROCESSING\" }\n[[path]]\nat = 3\nset = { state = \"COMPLETE\" }\n";
    assert_eq!(
        states(life(LIFE), Some(text), 5),
        ["WAITING", "PROCESSING", "PROCESSING", "COMPLETE", "COMPLETE"]
    );
}

#[test]
fn any_fields_are_projected_from_a_whole_recording_and_count_as_polls() {
    let replay = replay(life(LIFE), None);
    assert_eq!(
        answer(&replay, get(&format!("{TASK}?fields=id,state"))),
        (200, r#"{"id":42,"state":"WAITING"}"#.into())
    );
    assert_eq!(
        answer(&replay, get(&format!("{TASK}?fields=state"))),
        (200, r#"{"state":"PROCESSING"}"#.into())
    );
    assert_eq!(exchanges(&replay)[1].tick, Some(1));
    assert!(exchanges(&replay)[1].projected);
}

#[test]
fn a_recording_with_few_fields_answers_those_and_misses_wider_ones() {
    let narrow =
        || cassette(vec![(get(&format!("{TASK}?fields=id,state")), 200, r#"{"id":42,"state":"WAITING"}"#)]);
    let replay_ = replay(narrow(), None);
    assert_eq!(answer(&replay_, get(&format!("{TASK}?fields=state"))).1, r#"{"state":"WAITING"}"#);
    let (status, body) = answer(&replay_, get(TASK));
    assert_eq!(status, 501);
    assert!(body.contains("recorded too narrow"), "{body}");
}

#[test]
fn a_recorded_error_keeps_its_place_and_is_never_rewritten() {
    let error = r#"{"http_response":{"code":500,"message":"Unexpected internal server error"},"code":1020,"description":"","details":{},"message":"x"}"#;
    let (waiting, done) = (task("WAITING"), task("COMPLETE"));
    let mixed =
        || cassette(vec![(get(TASK), 200, &waiting), (get(TASK), 500, error), (get(TASK), 200, &done)]);
    let replay_ = replay(mixed(), None);
    let statuses: Vec<u16> =
        (0..4).map(|_| answer(&replay_, get(&format!("{TASK}?fields=state"))).0).collect();
    assert_eq!(statuses, [200, 500, 200, 200]);

    let only = cassette(vec![(get(TASK), 500, error)]);
    let replay_ = replay(only, Some("summary = \"x\"\n[deployment]\nhosts = [{ name = \"console\" }]\n"));
    assert_eq!(answer(&replay_, get(TASK)), (500, error.to_owned()));
}

#[test]
fn head_looks_without_passing_a_tick() {
    let replay = replay(life(LIFE), None);
    let head = || faultdeck::message::Request { method: "HEAD".into(), ..get(TASK) };
    let delivery = ask(&replay, head());
    assert!(delivery.bodiless && delivery.image().body.is_empty());
    ask(&replay, head());
    assert_eq!(state(&replay, get(TASK)), "WAITING");
}

#[test]
fn a_clock_makes_ticks_of_time() {
    let text = "summary = \"x\"\nclock = { tick_ms = 100 }\n";
    let replay = replay(life(&["WAITING", "PROCESSING", "COMPLETE"]), Some(text));
    let at = |ms| {
        replay.decide(get(TASK), std::time::Duration::from_millis(ms)).0.response.text().unwrap().to_owned()
    };
    assert!(at(5000).contains("WAITING") && at(5099).contains("WAITING"));
    assert!(at(5100).contains("PROCESSING") && at(5999).contains("COMPLETE"));
}

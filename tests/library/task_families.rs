//! Tasks of every kind: who starts them, what calls them off, how far they are, on which hosts.

use crate::evidence;

use evidence::{answer, cassette, get, post, replay, state};
use faultdeck::message::Request;

const MAP: &str = "/api/reference_data/maps/users/dependents";
const TASK: &str = "/api/reference_data/map_dependent_tasks/7";

fn task(state: &str, progress: u32) -> String {
    format!(r#"{{"id":7,"maximum":8,"progress":{progress},"status":"{state}"}}"#)
}

fn walked(cancel: &[(Request, u16, &str)]) -> faultdeck::cassette::Cassette {
    let (queued, busy, done) = (task("QUEUED", 0), task("PROCESSING", 3), task("COMPLETED", 8));
    let mut all = vec![
        (get(MAP), 202, queued.as_str()),
        (get(TASK), 200, queued.as_str()),
        (get(TASK), 200, busy.as_str()),
        (get(TASK), 200, done.as_str()),
    ];
    all.extend(cancel.iter().cloned());
    cassette(all)
}

fn cancel() -> Request {
    post(TASK, r#"{"status":"CANCELLED"}"#)
}

#[test]
fn a_get_that_starts_a_task_starts_another_each_time() {
    let replay = replay(walked(&[]), None);
    assert!(answer(&replay, get(MAP)).1.contains("\"id\":7"));
    for _ in 0..3 {
        answer(&replay, get(TASK));
    }
    assert_eq!(state(&replay, get(TASK)), "COMPLETED");
    assert!(answer(&replay, get(MAP)).1.contains("\"id\":8"));
    assert_eq!(state(&replay, get("/api/reference_data/map_dependent_tasks/8")), "QUEUED");
    // A HEAD looks, and starts nothing.
    let mut head = get(MAP);
    "HEAD".clone_into(&mut head.method);
    assert_eq!(answer(&replay, head).0, 202);
    assert!(answer(&replay, get(MAP)).1.contains("\"id\":9"));
}

#[test]
fn what_was_started_with_fewer_fields_is_no_answer_to_who_asks_for_more() {
    let narrow = format!("{MAP}?fields=id");
    let replay = replay(cassette(vec![(get(&narrow), 202, r#"{"id":7}"#)]), None);
    let (status, body) = answer(&replay, get(MAP));
    assert!(status == 501 && body.contains("recorded too narrow"), "{body}");
    assert_eq!(answer(&replay, get(&narrow)), (202, r#"{"id":7}"#.to_owned()));
}

#[test]
fn a_cancel_that_comes_too_late_is_refused_as_documented() {
    let replay = replay(walked(&[]), None);
    for _ in 0..3 {
        answer(&replay, get(TASK));
    }
    let (status, body) = answer(&replay, cancel());
    assert!(status == 409 && body.contains("\"code\":1004"), "{body}");
    // A write that calls nothing off is none of its business.
    assert_eq!(answer(&replay, post(TASK, r#"{"status":"PAUSED"}"#)).0, 501);
}

#[test]
fn a_cancel_in_time_is_what_was_recorded_or_a_miss() {
    let replay = replay(walked(&[]), None);
    assert_eq!(answer(&replay, cancel()).0, 501, "nothing was polled");
    answer(&replay, get(TASK));
    assert_eq!(answer(&replay, cancel()).0, 501, "it still waits");
}

#[test]
fn a_console_that_took_a_late_cancel_outranks_the_page() {
    let taken = task("COMPLETED", 8);
    let replay = replay(walked(&[(cancel(), 200, &taken)]), None);
    for _ in 0..3 {
        answer(&replay, get(TASK));
    }
    assert_eq!(answer(&replay, cancel()), (200, taken));
}

#[test]
fn a_timeline_ends_with_the_cancel() {
    let (busy, off) = (task("PROCESSING", 3), task("CANCELLED", 3));
    let tape = cassette(vec![
        (get(TASK), 200, busy.as_str()),
        (cancel(), 200, off.as_str()),
        (get(TASK), 200, off.as_str()),
    ]);
    let scenario = "summary = \"x\"\n[deployment]\n[[deployment.hosts]]\nname = \"mh-1\"\n";
    let replay = replay(tape, Some(scenario));
    assert_eq!(state(&replay, get(TASK)), "QUEUED");
    assert_eq!(state(&replay, get(TASK)), "PROCESSING");
    assert_eq!(answer(&replay, cancel()).0, 200);
    assert_eq!(state(&replay, get(TASK)), "CANCELLED", "it does not go on");
}

const HOSTS: &str = r#"
summary = "Two hosts, one slower."
[deployment]
[[deployment.hosts]]
name = "console"
changes = [{ at = 2, becomes = "done" }]
[[deployment.hosts]]
name = "mh-2"
changes = [{ at = 1, becomes = "down" }, { at = 4, becomes = "done" }]
"#;

#[test]
fn progress_goes_with_the_state_that_a_timeline_puts_in_place() {
    let done = task("COMPLETED", 8);
    let replay = replay(cassette(vec![(get(TASK), 200, done.as_str())]), Some(HOSTS));
    let expected =
        [task("QUEUED", 0), task("PROCESSING", 0), task("PROCESSING", 4), task("PROCESSING", 4), done];
    for body in expected {
        assert_eq!(answer(&replay, get(TASK)).1, body);
    }
}

#[test]
fn a_path_brings_progress_along_unless_it_names_it() {
    let search = |state: &str, progress: u32| format!(r#"{{"progress":{progress},"status":"{state}"}}"#);
    let scenario = r#"
summary = "Done only late."
[[path]]
at = 0
set = { status = "WAIT" }
[[path]]
at = 1
set = { status = "EXECUTE" }
[[path]]
at = 2
set = { status = "EXECUTE", progress = 99 }
[[path]]
at = 3
set = { status = "COMPLETED" }
"#;
    let done = search("COMPLETED", 100);
    let url = "/api/ariel/searches/s-1";
    let replay = replay(cassette(vec![(get(url), 200, done.as_str())]), Some(scenario));
    for (state, progress) in [("WAIT", 0), ("EXECUTE", 50), ("EXECUTE", 99), ("COMPLETED", 100)] {
        assert_eq!(answer(&replay, get(url)).1, search(state, progress));
    }
}

#[test]
fn a_deploy_shows_what_each_host_does() {
    let url = "/api/staged_config/deploy_status";
    let deploy = |percent: u32, state: &str, hosts: [&str; 2]| {
        let host = |state: &str| format!(r#"{{"host_status":"{state}","ip":"host-1","status":"{state}"}}"#);
        let hosts = hosts.map(host).join(",");
        format!(r#"{{"hosts":[{hosts}],"percent_complete":{percent},"status":"{state}"}}"#)
    };
    let done = deploy(100, "COMPLETE", ["SUCCESS", "SUCCESS"]);
    let replay = replay(cassette(vec![(get(url), 200, done.as_str())]), Some(HOSTS));
    let expected = [
        deploy(0, "INITIALIZING", ["INITIATING", "INITIATING"]),
        deploy(0, "IN_PROGRESS", ["IN_PROGRESS", "TIMED_OUT"]),
        deploy(50, "IN_PROGRESS", ["SUCCESS", "TIMED_OUT"]),
        deploy(50, "IN_PROGRESS", ["SUCCESS", "TIMED_OUT"]),
        done,
    ];
    for body in expected {
        assert_eq!(answer(&replay, get(url)).1, body);
    }
}

//! Faults of content over a real socket, asked for in one line: what a client reads off the wire.

use crate::harness;

use harness::{Lab, Running, TASKS};

/// The shipped task, first look, under this fault.
fn first(lab: &Lab, fault: &str) -> (Running, String) {
    let server = lab.replay(&["--fault", fault]);
    let created = server.post(harness::CASES, r#"{"name":"CASE1","assigned_to":["admin"]}"#);
    assert_eq!(created.status(), 201, "{}", created.text());
    let json = created.text();
    let json = faultdeck::json::Json::parse(&json).unwrap();
    let id = json.member("id").unwrap().text().to_owned();
    (server, format!("{TASKS}/{id}"))
}

#[test]
fn the_bytes_of_the_body_are_those_of_the_fault_and_its_length_is_right() {
    let lab = Lab::new();
    let at = "@case_create_tasks.get";
    for (fault, starts, holds) in [
        ("byte-order-mark", &b"\xef\xbb\xbf{"[..], &b"WAITING"[..]),
        ("corrupt-gzip", b"\x1f\x8b", b""),
        ("null-field:name", b"{", b"\"name\":null"),
        ("retyped-field:id", b"{", b"\"id\":\""),
        ("duplicate-fields:id", b"{", b",\"id\":0"),
        ("big-integer:id", b"{", b"\"id\":9007199254740993"),
        ("odd-unicode:name", b"{", "\u{2028}\\u2028".as_bytes()),
        ("unknown-state:ARCHIVED", b"{", b"\"ARCHIVED\""),
        ("finished-at-once", b"{", b"\"COMPLETE\""),
        ("malformed-json:middle", b"{", b""),
        ("empty-body", b"", b""),
    ] {
        let (server, task) = first(&lab, &format!("{fault}{at}"));
        let answer = server.get(&task);
        assert_eq!(answer.status(), 200, "{fault}");
        assert!(answer.body.starts_with(starts), "{fault}: {}", answer.text());
        let found = holds.is_empty() || answer.body.windows(holds.len()).any(|part| part == holds);
        assert!(found, "{fault}: {}", answer.text());
        assert_eq!(answer.header("Content-Length"), Some(&*answer.body.len().to_string()), "{fault}");
        let finished = server.stop();
        assert_eq!(finished.code, Some(0), "{fault}: {}", finished.stderr);
    }
}

#[test]
fn the_head_is_that_of_the_fault() {
    let lab = Lab::new();
    for (fault, status, name, value) in [
        ("wrong-content-type", 200, "Content-Type", None),
        ("wrong-content-type:\"text/plain\"", 200, "Content-Type", Some("text/plain")),
        ("api-error:503/110,undocumented=true,retry_after_s=2", 503, "Retry-After", Some("2")),
        ("rate-limit:0,window_ms=0", 429, "Content-Type", Some("application/json;charset=UTF-8")),
        ("login-page:true", 302, "Location", Some("/console/logon.jsp")),
        ("redirect:307,to=\"https://other.example/\"", 307, "Location", Some("https://other.example/")),
        ("login-page", 200, "Content-Type", Some("text/html;charset=UTF-8")),
    ] {
        let (server, task) = first(&lab, &format!("{fault}@case_create_tasks.get"));
        let answer = server.get(&task);
        assert_eq!((answer.status(), answer.header(name)), (status, value), "{fault}");
        server.stop();
    }
}

#[test]
fn a_task_that_vanished_is_gone_from_the_second_look_on() {
    let lab = Lab::new();
    let (server, task) = first(&lab, "vanished-task@case_create_tasks.get");
    let came: Vec<u16> = (0..3).map(|_| server.get(&task).status()).collect();
    assert_eq!(came, [200, 404, 404]);
    server.stop();
}

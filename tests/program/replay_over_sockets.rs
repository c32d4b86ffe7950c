//! What a user sees with curl against a replay of the shipped cassette, over a real socket.

use crate::harness;

use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use harness::{CASES, Lab, Running, TASKS};

/// The id of the recorded task.
fn task_id(server: &Running) -> String {
    let created = server.post(CASES, &format!(r#"{{"name":"CASE{}","assigned_to":["admin"]}}"#, 1));
    assert_eq!(created.status(), 201, "{}", created.text());
    member(&created.text(), "id")
}

fn member(text: &str, name: &str) -> String {
    let json = faultdeck::json::Json::parse(text).unwrap_or_else(|error| panic!("{error}: {text}"));
    json.member(name).unwrap_or_else(|| panic!("no {name} in {text}")).text().to_owned()
}

fn names(text: &str) -> Vec<String> {
    let json = faultdeck::json::Json::parse(text).unwrap();
    let mut names: Vec<String> = json.members().iter().map(|(name, _)| name.to_string()).collect();
    names.sort();
    names
}

fn task(server: &Running) -> String {
    format!("{TASKS}/{}", task_id(server))
}

#[test]
fn the_whole_task_or_exactly_the_fields_asked_for() {
    let lab = Lab::new();
    let server = lab.replay(&[]);
    let task = task(&server);
    assert_eq!(names(&server.get(&task).text()), ["assigned_to", "case_id", "id", "name", "state"]);
    for fields in ["id,state", "id,%20state", "id%2cstate+", "id%2Cstate", "+state,id"] {
        let answer = server.get(&format!("{task}?fields={fields}"));
        assert_eq!(answer.status(), 200);
        assert_eq!(names(&answer.text()), ["id", "state"], "fields={fields}");
    }
}

#[test]
fn every_refusal_has_its_status_and_code() {
    let lab = Lab::new();
    let server = lab.replay(&[]);
    let task = task(&server);
    let cases = [
        (format!("{task}?fields=nope"), 422, "30"),
        (format!("{task}?fields=id,nope,id"), 422, "31"),
        (format!("{TASKS}/987654321"), 404, "1002"),
        ("/api/forensics/nope".to_owned(), 404, "4"),
    ];
    for (target, status, code) in cases {
        let answer = server.get(&target);
        assert_eq!((answer.status(), member(&answer.text(), "code")), (status, code.to_owned()), "{target}");
        assert!(answer.header("Content-Type").unwrap().starts_with("application/json"));
    }
    let unknown = server.get(&format!("{TASKS}/987654321")).text();
    assert_eq!(member(&unknown, "description"), "\"No case create task was found for the provided ID.\"");
    let naked = server
        .exchange(format!("GET {task} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").as_bytes())
        .unwrap();
    let naked = String::from_utf8_lossy(&naked).into_owned();
    assert!(naked.starts_with("HTTP/1.1 401 ") && naked.contains("\"code\":18,"), "{naked}");
}

#[test]
fn a_miss_is_a_501_that_says_why() {
    let lab = Lab::new();
    let server = lab.replay(&[]);
    let answer = server.get("/api/siem/offenses");
    assert_eq!(answer.status(), 501);
    assert!(answer.text().contains("not recorded") && answer.text().contains("nearest"), "{}", answer.text());
    let finished = server.stop();
    assert_eq!(finished.code, Some(3), "a miss is never green: {}", finished.stderr);
    assert!(
        finished.stderr.contains("/api/siem/offenses") && finished.stderr.contains("miss"),
        "{}",
        finished.stderr
    );
}

#[test]
fn server_error_is_500_1020_on_every_poll() {
    let lab = Lab::new();
    let server = lab.replay(&["--scenario", "server-error"]);
    let task = task(&server);
    for _ in 0..3 {
        let answer = server.get(&task);
        assert_eq!((answer.status(), member(&answer.text(), "code").as_str()), (500, "1020"));
    }
}

#[test]
fn not_found_is_404_1002_on_every_poll() {
    let lab = Lab::new();
    let server = lab.replay(&["--scenario", "not-found"]);
    let task = task(&server);
    let answer = server.get(&task);
    assert_eq!((answer.status(), member(&answer.text(), "code").as_str()), (404, "1002"));
}

#[test]
fn partial_completion_walks_all_four_states_whatever_the_polling_pace() {
    for pause in [0, 15] {
        let lab = Lab::new();
        let server = lab.replay(&["--scenario", "builtin:partial-completion"]);
        let task = task(&server);
        let mut states: Vec<String> = Vec::new();
        for _ in 0..60 {
            states.push(member(&server.get(&task).text(), "state"));
            std::thread::sleep(Duration::from_millis(pause));
        }
        let partial = states.iter().filter(|state| *state == "\"PARTIALLY_COMPLETE\"").count();
        assert!(partial >= 2, "several polls are partial: {states:?}");
        states.dedup();
        assert_eq!(states, ["\"WAITING\"", "\"PROCESSING\"", "\"PARTIALLY_COMPLETE\"", "\"COMPLETE\""]);
    }
}

#[test]
fn slow_host_holds_back_what_it_promises_and_never_less() {
    let lab = Lab::new();
    let server = lab.replay(&["--scenario", "slow-host", "--ledger", "ledger.jsonl"]);
    let task = task(&server);
    let mut took = Vec::new();
    for _ in 0..3 {
        let start = Instant::now();
        assert_eq!(server.get(&task).status(), 200);
        took.push(start.elapsed());
    }
    assert_eq!(server.stop().code, Some(0));
    let promised: Vec<u64> = lab
        .read("ledger.jsonl")
        .lines()
        .filter_map(|line| {
            let (_, rest) = line.split_once("held the answer back for ")?;
            rest.split(' ').next()?.parse().ok()
        })
        .collect();
    assert_eq!(promised.len(), 3);
    for (took, promised) in took.iter().zip(promised) {
        assert!(*took >= Duration::from_millis(promised), "{took:?} is early for {promised} ms");
    }
}

#[test]
fn a_client_with_a_shorter_time_out_sees_a_time_out() {
    let lab = Lab::new();
    let server = lab.replay(&["--scenario", "slow-host"]);
    let task = task(&server);
    let mut socket = TcpStream::connect(server.addr).unwrap();
    socket.set_read_timeout(Some(Duration::from_millis(60))).unwrap();
    write!(socket, "GET {task} HTTP/1.1\r\nHost: localhost\r\nSEC: {}\r\n\r\n", lab.canary()).unwrap();
    let error = socket.read(&mut [0; 1]).unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut), "{error}");
}

#[test]
fn lost_answer_is_a_reset_connection_and_the_case_is_there() {
    let lab = Lab::new();
    let server = lab.replay(&["--scenario", "lost-answer"]);
    let body = r#"{"name":"LOST1","assigned_to":["admin"]}"#;
    let error = server
        .try_request("POST", CASES, &[("Content-Type", "application/json")], body.as_bytes())
        .expect_err("the answer is lost");
    assert_eq!(error.kind(), ErrorKind::ConnectionReset, "{error}");
    assert!(server.get(CASES).text().contains("LOST1"));
}

#[test]
fn the_url_is_the_only_line_on_stdout_and_the_port_file_holds_the_port() {
    let lab = Lab::new();
    let server = lab.replay(&["--port-file", "port"]);
    assert_eq!(lab.read("port"), format!("{}\n", server.addr.port()));
    let _ = task(&server);
    let finished = server.stop();
    assert_eq!(finished.stdout, "", "nothing after the URL");
    assert_eq!(finished.code, Some(0), "{}", finished.stderr);
    assert!(
        finished.stderr.contains("POST") && finished.stderr.contains("201"),
        "one line a request: {}",
        finished.stderr
    );
}

#[test]
fn keep_alive_pipelining_and_head_work_over_one_connection() {
    let lab = Lab::new();
    let server = lab.replay(&[]);
    let task = task(&server);
    let one = format!("GET {task}?fields=id HTTP/1.1\r\nHost: localhost\r\nSEC: {}\r\n\r\n", lab.canary());
    let head = one.replace("GET ", "HEAD ");
    let last = one.replace("\r\n\r\n", "\r\nConnection: close\r\n\r\n");
    let answer = server.exchange(format!("{one}{head}{one}{last}").as_bytes()).unwrap();
    let text = String::from_utf8(answer).unwrap();
    assert_eq!(text.matches("HTTP/1.1 200 ").count(), 4, "{text}");
    assert_eq!(text.matches("{\"id\":").count(), 3, "{text}");
}

#[test]
fn python_requests_style_headers_in_any_case_are_fine() {
    let lab = Lab::new();
    let server = lab.replay(&[]);
    let task = task(&server);
    let text = format!(
        "GET {task} HTTP/1.1\r\nhost: localhost\r\nSec: {}\r\nUpgrade: h2c\r\nContent-Length: 0\r\nconnection: close\r\n\r\n",
        lab.canary()
    );
    let answer = server.exchange(text.as_bytes()).unwrap();
    assert!(answer.starts_with(b"HTTP/1.1 200 "), "{}", String::from_utf8_lossy(&answer));
}

//! What happens around a server changes nothing that it answers: it is stopped for a while, its files are broken while
//! it serves them, a fault stands in its scenario that never has its chance.

use crate::harness;

use std::io::{Read, Write};
use std::net::TcpStream;
use std::process::Command;
use std::time::Duration;

use harness::{CASES, Lab, Raw, Running, TASKS};

const CASSETTE: &str = include_str!("../../cassettes/forensics/create-case.json");

fn signal(running: &Running, name: &str) {
    let sent = Command::new("kill").args([&format!("-{name}"), &running.id().to_string()]).status();
    assert!(sent.unwrap().success());
}

fn connected(running: &Running) -> TcpStream {
    let stream = TcpStream::connect(running.addr).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    stream
}

/// All that comes until the end of the connection.
fn rest(name: &str, mut stream: TcpStream) -> String {
    let mut text = String::new();
    stream.read_to_string(&mut text).unwrap_or_else(|error| panic!("{name}: {error}"));
    text
}

#[test]
fn a_server_that_was_stopped_for_a_while_looks_before_it_gives_up_on_anybody() {
    let lab = Lab::new();
    let running = lab.replay(&[]);
    let request = format!("GET {CASES} HTTP/1.1\r\nHost: localhost\r\nSEC: x\r\nConnection: close\r\n\r\n");
    // One that has sent nothing yet, and one in the middle of its head.
    let mut silent = connected(&running);
    let mut half = connected(&running);
    half.write_all(&request.as_bytes()[..20]).unwrap();
    std::thread::sleep(Duration::from_millis(300));
    signal(&running, "STOP");
    silent.write_all(request.as_bytes()).unwrap();
    half.write_all(&request.as_bytes()[20..]).unwrap();
    let mut late = connected(&running);
    late.write_all(request.as_bytes()).unwrap();
    // Longer than the first byte or a whole head may take.
    std::thread::sleep(Duration::from_secs(11));
    signal(&running, "CONT");
    for (name, stream) in [("silent", silent), ("half", half), ("late", late)] {
        let answer = rest(name, stream);
        assert!(answer.starts_with("HTTP/1.1 200 "), "{name}: {answer}");
    }
    assert_eq!(running.get(CASES).status(), 200);
    assert_eq!(running.stop().code, Some(0));
}

/// A creation and its polls.
fn story(running: &Running) -> Vec<Raw> {
    let mut answers = vec![running.post(CASES, r#"{"name":"CASE1","assigned_to":["ana"]}"#)];
    let id: String = answers[0].text().split("\"id\":").nth(1).map_or_else(String::new, |rest| {
        rest.trim_start().chars().take_while(char::is_ascii_digit).collect()
    });
    answers.extend((0..8).map(|_| running.get(&format!("{TASKS}/{id}"))));
    answers
}

#[test]
fn a_cassette_and_a_scenario_that_are_broken_while_they_are_served_change_nothing() {
    let lab = Lab::new();
    lab.write("a.json", CASSETTE);
    lab.write("a.toml", "summary = \"x\"\npolls_per_phase = 2\n");
    let untouched = story(&lab.serve(&["replay", "a.json", "--scenario", "a.toml"]));
    let running = lab.serve(&["replay", "a.json", "--scenario", "a.toml"]);
    for garbage in ["", "{", "\0\u{1b}[2J", "summary = \"y\"\npolls_per_phase = 1\n"] {
        lab.write("a.json", garbage);
        lab.write("a.toml", garbage);
        assert_eq!(running.get(CASES).status(), 200);
    }
    assert_eq!(story(&running), untouched);
    assert_eq!(running.stop().code, Some(0));
}

#[test]
fn a_fault_without_a_chance_changes_neither_bytes_nor_time() {
    let lab = Lab::new();
    let fault = |inject: &str| format!("[[fault]]\nwhen = {{ chance = \"0/1\" }}\ninject = {{ {inject} }}\n");
    let faults = [
        "latency = { ms = 600000 }",
        "latency = { ms = 600000, spread = \"lognormal\", sigma_thousandths = 3000 }",
        "reset = { after_bytes = 0 }",
        "hang = {}",
        "malformed-json = {}",
        "bandwidth = { kb_per_s = 1 }",
        "stall = { ms = 600000 }",
        "dribble = { pieces = 2, over_ms = 600000 }",
        "slicer = { bytes = 1, pause_us = 10000000 }",
        "chunk = { bytes = 1 }",
        "slow-close = { ms = 600000 }",
        "drop-idle = { how = \"reset\" }",
        "longer-length = { by = 1 }",
        "shorter-length = { by = 1 }",
    ];
    let all: String = faults.iter().map(|inject| fault(inject)).collect();
    lab.write("never.toml", &format!("summary = \"x\"\n{all}"));
    let plain = story(&lab.replay(&[]));
    let running = lab.replay(&["--scenario", "never.toml", "--ledger", "l.jsonl"]);
    assert_eq!(story(&running), plain);
    let ended = running.stop();
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    assert!(!lab.read("l.jsonl").contains("\"faults\":[{"));
}

#[test]
fn a_fault_of_zero_strength_changes_neither_bytes_nor_time() {
    let lab = Lab::new();
    let faults = [
        "latency = { ms = 0 }",
        "latency = { ms = 600000, max_ms = 0 }",
        "latency = { ms = 0, spread = \"normal\" }",
        "bandwidth = { kb_per_s = 0 }",
        "stall = { ms = 0 }",
        "dribble = { pieces = 9, over_ms = 0 }",
        "slow-close = { ms = 0 }",
        "longer-length = { by = 0, ms = 600000 }",
        "shorter-length = { by = 0 }",
        "drop-field = { name = \"no_such_member\" }",
        "truncate = { body_bytes = 1000000 }",
    ];
    let all: String = faults.iter().map(|inject| format!("[[fault]]\ninject = {{ {inject} }}\n")).collect();
    lab.write("zero.toml", &format!("summary = \"x\"\n{all}"));
    let plain = lab.replay(&[]);
    let zero = lab.replay(&["--scenario", "zero.toml", "--ledger", "l.jsonl"]);
    assert_eq!(story(&zero), story(&plain));
    // In turns, so that what else the machine does meets both.
    let mut took = (Duration::ZERO, Duration::ZERO);
    for _ in 0..200 {
        for (running, took) in [(&plain, &mut took.0), (&zero, &mut took.1)] {
            let began = std::time::Instant::now();
            assert_eq!(running.get(CASES).status(), 200);
            *took += began.elapsed();
        }
    }
    println!("200 requests: {:?} without, {:?} with faults of no strength", took.0, took.1);
    assert!(took.1 < 3 * took.0 + Duration::from_millis(200), "{took:?}");
    zero.stop();
    assert!(!lab.read("l.jsonl").contains("\"faults\":[{"));
}

#[test]
fn many_that_start_at_one_time_each_have_a_port_of_their_own_and_write_it_down_whole() {
    let lab = Lab::new();
    let lab = &lab;
    let addresses: Vec<String> = std::thread::scope(|scope| {
        let start = |n: usize| {
            scope.spawn(move || {
                let port_file = format!("port-{n}");
                let running = lab.serve(&["emulate", "--port-file", &port_file]);
                assert_eq!(lab.read(&port_file).trim(), running.addr.port().to_string());
                assert_eq!(running.get(CASES).status(), 200);
                running
            })
        };
        let started: Vec<_> = (0..24).map(start).collect();
        let running: Vec<Running> = started.into_iter().map(|one| one.join().unwrap()).collect();
        running.iter().map(|one| one.addr.to_string()).collect()
    });
    let distinct: std::collections::BTreeSet<&String> = addresses.iter().collect();
    assert_eq!(distinct.len(), 24);
}

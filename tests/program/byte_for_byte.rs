//! What is recorded comes back byte for byte: status line, header lines in order and case, body bytes.

use crate::harness;

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};

use faultdeck::seed::Seed;
use harness::{CASES, Lab, Raw, Running, TASKS};

/// Records what `emulate` answers to `requests`, replays it, and gives both lists of answers.
fn twice(lab: &Lab, seed: &str, requests: &[(String, String, Option<String>)]) -> (Vec<Raw>, Vec<Raw>) {
    let console = lab.serve(&["emulate", "--seed", seed]);
    let recorder = lab.serve(&[
        "record",
        "--upstream",
        &console.url,
        "--cassette",
        "tape.json",
        "--allow-writes",
        "POST /forensics/case_management/cases",
    ]);
    let first = send(&recorder, requests);
    let finished = recorder.stop();
    assert_eq!(finished.code, Some(0), "{}", finished.stderr);
    assert_eq!(console.stop().code, Some(0));
    let replay = lab.serve(&["replay", "tape.json"]);
    let second = send(&replay, requests);
    let finished = replay.stop();
    assert_eq!(finished.code, Some(0), "{}", finished.stderr);
    (first, second)
}

fn send(server: &Running, requests: &[(String, String, Option<String>)]) -> Vec<Raw> {
    let ask = |(method, target, fields): &(String, String, Option<String>)| match (method.as_str(), fields) {
        ("GET", _) => server.get(target),
        (_, body) => server.post(target, body.as_deref().unwrap_or("")),
    };
    requests.iter().map(ask).collect()
}

#[test]
fn five_hundred_generated_requests_against_the_emulator() {
    let lab = Lab::new();
    let mut stream = Seed(11).stream(&["five hundred"]);
    // The emulator with a fixed seed gives its first task this id; it is asked, not assumed.
    let probe = lab.serve(&["emulate", "--seed", "5"]);
    let created = probe.post(CASES, r#"{"name":"PROBE","assigned_to":["admin"]}"#).text();
    drop(probe);
    let json = faultdeck::json::Json::parse(&created).unwrap();
    let id: i128 = json.member("id").unwrap().as_i128().unwrap();
    let case: i128 = json.member("case_id").unwrap().as_i128().unwrap();

    let mut requests = Vec::new();
    let names = ["id", "state", "name", "case_id", "assigned_to", "nope"];
    while requests.len() < 500 {
        let pick = stream.below(names.len() as u64) as usize;
        let other = stream.below(names.len() as u64) as usize;
        let request = match stream.below(12) {
            0 => (
                "POST",
                CASES.to_owned(),
                Some(format!(r#"{{"name":"N{}","assigned_to":["admin"]}}"#, requests.len())),
            ),
            1 => ("POST", CASES.to_owned(), Some(r#"{"name":"not legal!","assigned_to":[]}"#.to_owned())),
            2 => ("GET", CASES.to_owned(), None),
            3 => ("GET", format!("{CASES}?fields={}", names[pick]), None),
            4 => ("GET", format!("{CASES}/{}", case + i128::from(stream.below(4))), None),
            5 => ("GET", "/api/help/versions".to_owned(), None),
            6 => ("GET", format!("/api/forensics/nope{}", stream.below(3)), None),
            7 | 8 => (
                "GET",
                format!(
                    "{TASKS}/{}?fields={},{}",
                    id + i128::from(stream.below(6)),
                    names[pick],
                    names[other]
                ),
                None,
            ),
            _ => ("GET", format!("{TASKS}/{}", id + i128::from(stream.below(6))), None),
        };
        requests.push((request.0.to_owned(), request.1, request.2));
    }
    let (first, second) = twice(&lab, "5", &requests);
    for (place, (first, second)) in first.iter().zip(&second).enumerate() {
        assert_eq!(without_users(first), without_users(second), "request {place}: {:?}", requests[place]);
    }
}

/// What a cassette keeps no secret of: users are customer data, and come back as placeholders until a request names
/// them. So users, and the lengths that follow from them, are left out of the comparison.
fn without_users(raw: &Raw) -> (String, String) {
    let mut body = raw.text();
    let placeholders = (1..5).map(|n| format!("\"user-{n}\""));
    for user in placeholders.chain(["\"analyst\"".to_owned(), "\"admin\"".to_owned()]) {
        body = body.replace(&user, "\"U\"");
    }
    let head = raw.head.lines().filter(|line| body == raw.text() || !line.starts_with("Content-Length"));
    (head.collect::<Vec<_>>().join("\n"), body)
}

/// A console that answers each connection with the next of these bytes, the lab's own first request apart.
fn console(mut answers: Vec<Vec<u8>>) -> (String, std::thread::JoinHandle<Vec<Vec<u8>>>) {
    answers.insert(0, b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n".to_vec());
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let thread = std::thread::spawn(move || {
        let mut heads = Vec::new();
        for answer in answers {
            // The recorder connects once to see that somebody is there, and asks nothing.
            let (mut socket, head) = loop {
                let (mut socket, _) = listener.accept().unwrap();
                match read_head(&mut socket) {
                    head if head.is_empty() => continue,
                    head => break (socket, head),
                }
            };
            heads.push(head);
            socket.write_all(&answer).unwrap();
        }
        heads
    });
    (url, thread)
}

fn read_head(socket: &mut TcpStream) -> Vec<u8> {
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") && socket.read(&mut byte).unwrap() == 1 {
        head.push(byte[0]);
    }
    head
}

#[test]
fn a_console_with_odd_habits_comes_back_as_it_was() {
    let answers: Vec<&[u8]> = vec![
        b"HTTP/1.1 200 All Is   Well\r\nX-one: 1\r\nSet-Thing: a\r\nx-ONE: 2\r\nSet-Thing: b\r\ncontent-LENGTH: 11\r\nContent-Type: application/json\r\n\r\n{\"a\":1.00} ",
        b"HTTP/1.1 207 \r\nTransfer-Encoding: chunked\r\nVIA: odd\r\n\r\n3\r\n{\"a\r\n1\r\n\"\r\nc\r\n:1E5,\"b\":42}\r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nContent-Length: 58\r\n\r\n{\"n\":123456789012345678901234567890,\"n\":1,\"x\":0.10,\"y\":[]}",
        b"HTTP/1.1 404 Nichts da\r\nContent-Length: 3\r\nX-Bytes: \xff\xfe\r\n\r\n\x00\x01\x02",
    ];
    let lab = Lab::new();
    let (url, thread) = console(answers.iter().map(|answer| answer.to_vec()).collect());
    let recorder = lab.serve(&["record", "--upstream", &url, "--cassette", "odd.json"]);
    let targets: Vec<String> = (0..answers.len()).map(|n| format!("/api/odd/{n}")).collect();
    let ask = |server: &Running, target: &str| {
        let text = format!(
            "GET {target} HTTP/1.1\r\nHost: localhost\r\nSEC: {}\r\nX-Mixed: 1\r\nx-mixed: 2\r\nConnection: close\r\n\r\n",
            lab.canary()
        );
        server.exchange(text.as_bytes()).unwrap()
    };
    let live: Vec<Vec<u8>> = targets.iter().map(|target| ask(&recorder, target)).collect();
    assert_eq!(recorder.stop().code, Some(0));
    for (live, sent) in live.iter().zip(&answers) {
        assert_eq!(
            String::from_utf8_lossy(live),
            String::from_utf8_lossy(sent),
            "the recorder passes on what it got"
        );
    }
    let heads = thread.join().unwrap();
    let head = String::from_utf8_lossy(&heads[1]).into_owned();
    let (one, two) = (head.find("X-Mixed: 1"), head.find("x-mixed: 2"));
    assert!(one.is_some() && two > one, "requests go on as sent: {head}");

    let replay = lab.serve(&["replay", "odd.json"]);
    for (target, sent) in targets.iter().zip(&answers) {
        let got = ask(&replay, target);
        assert_eq!(String::from_utf8_lossy(&got), String::from_utf8_lossy(sent), "{target}");
        assert_eq!(got, *sent);
    }
}

#[test]
fn numbers_and_duplicates_survive_record_projection_and_report() {
    let body = r#"{"assigned_to":[],"case_id":9007199254740993,"id":123456789012345678,"name":"A","name":"B","state":"COMPLETE","x":1.00,"y":1E5}"#;
    let answer = format!(
        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    let lab = Lab::new();
    let (url, thread) = console(vec![answer.into_bytes()]);
    let recorder = lab.serve(&["record", "--upstream", &url, "--cassette", "n.json"]);
    let target = format!("{TASKS}/123456789012345678");
    assert_eq!(recorder.get(&target).text(), body);
    assert_eq!(recorder.stop().code, Some(0));
    thread.join().unwrap();

    let replay = lab.serve(&["replay", "n.json", "--ledger", "n.jsonl"]);
    assert_eq!(replay.get(&target).text(), body);
    assert_eq!(
        replay.get(&format!("{target}?fields=y,x,case_id,name")).text(),
        r#"{"case_id":9007199254740993,"name":"A","x":1.00,"y":1E5}"#
    );
    let finished = replay.stop();
    assert_eq!(finished.code, Some(0), "{}", finished.stderr);
    let report = lab.run(&["report", "n.jsonl"]);
    assert!(report.stdout.contains("/name") && report.stdout.contains("twice"), "{}", report.stdout);
    let json = lab.run(&["report", "n.jsonl", "--format", "json"]);
    assert!(lab.read("n.jsonl").contains("9007199254740993") && json.code == report.code);
}

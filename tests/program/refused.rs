//! A request that never became an exchange is printed, counted, listed, and keeps every verb from being green.

use crate::harness;

use harness::{CASES, Lab};

const REPLAY: [&str; 2] = ["replay", "builtin:forensics/create-case"];

/// Two `Host` lines: no two programs need understand this alike.
fn unfit(lab: &Lab) -> String {
    format!("GET {CASES}?access_token={} HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", lab.canary())
}

#[test]
fn a_replay_that_turned_a_request_away_says_so_everywhere_and_is_inconclusive() {
    let lab = Lab::new();
    let reports = ["--ledger", "l.jsonl", "--report", "json=r.json", "--report", "junit=r.xml"];
    let running = lab.serve(&[&REPLAY[..], &reports].concat());
    assert_eq!(running.get(CASES).status(), 200);
    let answer = running.exchange(unfit(&lab).as_bytes()).unwrap();
    assert!(answer.starts_with(b"HTTP/1.1 400 "), "{}", String::from_utf8_lossy(&answer));
    running.exchange(b"{\"password\":\"correct horse\"}\r\n\r\n").unwrap();
    let ended = running.stop();
    assert_eq!(ended.code, Some(3), "{}", ended.stderr);
    let line = format!("\nGET {CASES}?access_token=fd-secret-");
    assert!(ended.stderr.contains(&line), "printed like a request: {}", ended.stderr);
    assert!(ended.stderr.contains(" -> 400 REFUSED: "), "{}", ended.stderr);
    assert!(ended.stderr.contains("; 2 refused; "), "counted: {}", ended.stderr);
    assert!(ended.stderr.contains("2 requests were refused before anybody was asked"), "{}", ended.stderr);
    assert!(!ended.stderr.contains("correct horse"), "what is no request may be a body: {}", ended.stderr);
    for file in ["l.jsonl", "r.json", "r.xml"] {
        assert!(lab.read(file).contains(&format!("GET {CASES}?access_token=fd-secret-")), "{file}");
    }
    assert!(lab.read("l.jsonl").contains("{\"refused\":{\"session\":\"main\",\"status\":400,"));
    assert!(lab.read("r.json").contains("\"refused\": 2"));
    assert!(lab.read("r.xml").contains("<error message=\"exit 3 (inconclusive): 2 requests were refused"));
}

#[test]
fn a_console_in_memory_that_turned_a_request_away_is_inconclusive() {
    let lab = Lab::new();
    let running = lab.serve(&["emulate"]);
    assert_eq!(running.get(CASES).status(), 200);
    running.exchange(unfit(&lab).as_bytes()).unwrap();
    let ended = running.stop();
    assert_eq!(ended.code, Some(3), "{}", ended.stderr);
    assert!(ended.stderr.contains(" -> 400 REFUSED: "), "{}", ended.stderr);
    assert!(ended.stderr.contains("1 request was refused before anybody was asked"), "{}", ended.stderr);
}

#[test]
fn a_command_or_client_whose_request_was_turned_away_is_not_green() {
    let lab = Lab::new();
    lab.write(
        "client.py",
        "import os, socket, sys\n\
         host, port = sys.argv[1].split('//')[1].split(':')\n\
         def send(head):\n\
         \x20   s = socket.create_connection((host, int(port)))\n\
         \x20   s.sendall(head.encode())\n\
         \x20   while s.recv(65536): pass\n\
         send('GET /api/forensics/case_management/cases HTTP/1.1\\r\\nHost: %s:%s\\r\\nSEC: any\\r\\nConnection: close\\r\\n\\r\\n' % (host, port))\n\
         send('GET /api/forensics/case_management/cases HTTP/1.1\\r\\nHost: a\\r\\nHost: b\\r\\n\\r\\n')\n\
         print('{\"outcome\":\"gave_up\"}')\n",
    );
    let flags = ["run", "--cassette", "builtin:forensics/create-case", "--trace"];
    let run = lab.run(&[&flags[..], &["--", "python3", "client.py", "{base_url}"]].concat());
    assert_eq!(run.code, Some(3), "{}", run.stderr);
    assert!(run.stderr.contains(" -> 400 REFUSED: "), "{}", run.stderr);
    assert!(run.stderr.contains("1 request was refused before anybody was asked"), "{}", run.stderr);

    lab.write(
        "clients/c.toml",
        "summary = \"x\"\njobs = [\"get\"]\n[exec]\nargv = [\"python3\", \"client.py\", \"{base_url}\"]\n",
    );
    let judged = lab.run(&["judge", "clients/c.toml", "--cases", "1", "--report", "json=r.json"]);
    assert!(matches!(judged.code, Some(1 | 3)), "{}{}", judged.stdout, judged.stderr);
    assert!(lab.read("r.json").contains("refused before anybody was asked"), "{}", judged.stdout);
}

#[test]
fn a_planned_fault_that_never_fires_makes_a_replay_inconclusive() {
    let lab = Lab::new();
    let running = lab.serve(&[&REPLAY[..], &["--scenario", "server-error"]].concat());
    running.get(CASES);
    let ended = running.stop();
    assert_eq!(ended.code, Some(3), "{}", ended.stderr);
    assert!(ended.stderr.contains("never fired: server-error: lookup-fails"), "{}", ended.stderr);
}

//! Faults of connections over the real binary: what the system, curl and openssl say to whoever meets one, and what the
//! ledger says of it.

use crate::harness;

use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, Instant};

use harness::{CASES, Lab, Running};

const PATIENCE: Duration = Duration::from_secs(60);

/// What curl ends with, or nothing where there is no curl.
fn curl(arguments: &[&str], url: &str) -> Option<i32> {
    let mut command = Command::new("curl");
    command.args(["--silent", "--noproxy", "*", "--header", "SEC: x", "--output", "/dev/null"]);
    command.args(arguments).arg(format!("{url}{CASES}")).status().ok()?.code()
}

/// Whether curl ends so, where there is one.
fn curl_ends(with: &[i32], arguments: &[&str], url: &str, what: &str) {
    if let Some(code) = curl(arguments, url) {
        assert!(with.contains(&code), "{what}: curl ends with {code}, not with {with:?}");
    }
}

/// What a connection brings that asks for the cases, and how it ends.
fn ask(server: &Running) -> std::io::Result<Vec<u8>> {
    let mut socket = TcpStream::connect(server.addr)?;
    socket.set_read_timeout(Some(PATIENCE))?;
    socket.write_all(
        format!("GET {CASES} HTTP/1.1\r\nHost: a\r\nSEC: x\r\nConnection: close\r\n\r\n").as_bytes(),
    )?;
    let mut answer = Vec::new();
    socket.read_to_end(&mut answer)?;
    Ok(answer)
}

/// The first connection to a plain listener is the harness's own.
fn faulty(lab: &Lab, fault: &str) -> Running {
    lab.replay(&["--host", "*", "--fault", fault, "--ledger", "l.jsonl", "--report", "human=r.txt"])
}

fn ca_file(lab: &Lab) -> PathBuf {
    let folders = std::fs::read_dir(lab.file("home/ca")).unwrap();
    folders.map(|entry| entry.unwrap().path().join("ca.pem")).find(|file| file.exists()).unwrap()
}

#[test]
fn a_connection_is_refused_for_a_while_and_before_and_after_it_is_not() {
    let lab = Lab::new();
    let server = faulty(&lab, "refuse?since_start_ms=3000-6000");
    let connects = || TcpStream::connect(server.addr);
    let until = |wanted: bool| {
        let began = Instant::now();
        loop {
            match connects() {
                Ok(_) if wanted => return,
                Err(error) if !wanted => return assert_eq!(error.kind(), ErrorKind::ConnectionRefused),
                _ => std::thread::sleep(Duration::from_millis(10)),
            }
            assert!(began.elapsed() < PATIENCE);
        }
    };
    let mut before = connects().unwrap();
    assert!(ask(&server).unwrap().starts_with(b"HTTP/1.1 200 "));
    until(false);
    curl_ends(&[7], &[], &server.url, "refuse");
    // What was open goes on.
    before.write_all(format!("GET {CASES} HTTP/1.1\r\nHost: a\r\nSEC: x\r\n\r\n").as_bytes()).unwrap();
    let mut start = [0; 13];
    before.read_exact(&mut start).unwrap();
    assert_eq!(&start, b"HTTP/1.1 200 ");
    assert_eq!(connects().unwrap_err().kind(), ErrorKind::ConnectionRefused);
    until(true);
    assert!(ask(&server).unwrap().starts_with(b"HTTP/1.1 200 "));
    curl_ends(&[0], &[], &server.url, "afterwards");
    let ended = server.stop();
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    let words = "listened to nobody from 3000 to 6000 ms: whether a client met it cannot be known";
    let line = format!(
        "{{\"greeted\":{{\"session\":\"main\",\"kind\":\"refuse\",\"planned\":\"refuse?since_start_ms=3000-6000\",\"did\":\"{words}\"}}}}"
    );
    assert!(lab.read("l.jsonl").contains(&line), "{}", lab.read("l.jsonl"));
    assert!(lab.read("r.txt").contains(&format!("{words} [refuse]")), "{}", lab.read("r.txt"));
    assert!(ended.stderr.contains("; 0 faults fired; "), "neither fired nor never fired: {}", ended.stderr);
    assert!(ended.stderr.contains("whether a client met it cannot be known"), "{}", ended.stderr);
}

#[test]
fn a_connection_ends_before_its_first_request_and_the_ledger_says_which() {
    for (fault, kind, codes) in [
        // A busy machine can let curl see the reset before it sees the connection.
        ("connection-reset", Some(ErrorKind::ConnectionReset), &[7, 55, 56][..]),
        ("connection-close", None, &[52]),
        ("connection-limit:0/reset", Some(ErrorKind::ConnectionReset), &[7, 55, 56]),
        ("connection-limit:0", None, &[52]),
    ] {
        let lab = Lab::new();
        let server = faulty(&lab, &format!("{fault}?connection=2-3"));
        // Nothing is sent: a reset that meets a write can be called otherwise.
        let mut socket = TcpStream::connect(server.addr).unwrap();
        socket.set_read_timeout(Some(PATIENCE)).unwrap();
        let end = socket.read_to_end(&mut Vec::new());
        assert_eq!(end.err().map(|error| error.kind()), kind, "{fault}");
        curl_ends(codes, &[], &server.url, fault);
        if curl(&[], &server.url).is_none() {
            assert!(ask(&server).map_or(true, |answer| answer.is_empty()), "{fault}");
        }
        assert!(ask(&server).unwrap().starts_with(b"HTTP/1.1 200 "), "{fault}");
        let ended = server.stop();
        assert_eq!(ended.code, Some(0), "{fault}: {}", ended.stderr);
        let kind = fault.split(':').next().unwrap();
        assert!(
            ended.stderr.contains("connection 2 -> ") && ended.stderr.contains("2 faults fired"),
            "{}",
            ended.stderr
        );
        for connection in [2, 3] {
            let line = format!("{{\"session\":\"main\",\"connection\":{connection},\"kind\":\"{kind}\"");
            assert!(lab.read("l.jsonl").contains(&line), "{fault}: {}", lab.read("l.jsonl"));
        }
        assert!(lab.read("r.txt").contains(&format!("[{kind}] (2 times)")), "{}", lab.read("r.txt"));
        let reread = lab.run(&["report", "l.jsonl"]);
        assert!(reread.stdout.contains(&format!("[{kind}] (2 times)")), "{}{}", reread.stdout, reread.stderr);
    }
}

#[test]
fn a_connection_that_hangs_or_waits_is_left_to_the_clients_own_deadline() {
    let lab = Lab::new();
    let server = faulty(&lab, "connection-hang?connection=2");
    curl_ends(&[28], &["--max-time", "1"], &server.url, "hang");
    drop(server);
    let server = faulty(&lab, "slow-accept:700?connection=2-3");
    let began = Instant::now();
    assert!(ask(&server).unwrap().starts_with(b"HTTP/1.1 200 "));
    assert!(began.elapsed() >= Duration::from_millis(700));
    curl_ends(&[28], &["--max-time", "0.3"], &server.url, "slow");
    assert!(ask(&server).unwrap().starts_with(b"HTTP/1.1 200 "));
    assert_eq!(server.stop().code, Some(0));
}

#[test]
fn each_trouble_of_a_handshake_is_what_curl_and_openssl_call_it() {
    for (fault, code, word) in [
        ("tls-expired", 60, "certificate has expired"),
        ("tls-wrong-name", 60, "hostname mismatch"),
        ("tls-unknown-ca", 60, "unable to get local issuer certificate"),
        ("tls-alert:unrecognized_name", 35, "unrecognized name"),
        ("tls-alert", 35, "handshake failure"),
        ("tls-old-version", 35, "unsupported protocol"),
        ("tls-old-version:\"1.1\"", 35, "unsupported protocol"),
        ("tls-close", 35, "unexpected eof"),
        ("tls-reset", 35, "errno=104"),
        ("tls-hang", 28, ""),
    ] {
        let lab = Lab::new();
        let fault_line = format!("{fault}?connection=1-2");
        let server = lab.replay(&["--tls", "--fault", &fault_line, "--ledger", "l.jsonl"]);
        let ca = ca_file(&lab);
        let ca = ca.to_str().unwrap();
        let url = server.url.replace("127.0.0.1", "localhost");
        let arguments = ["--cacert", ca, "--max-time", "10"];
        let arguments = if code == 28 { ["--cacert", ca, "--max-time", "1"] } else { arguments };
        let Some(came) = curl(&arguments, &url) else { return };
        assert_eq!(came, code, "{fault}");
        let mut openssl = Command::new("openssl");
        openssl.args([
            "s_client",
            "-connect",
            &server.addr.to_string(),
            "-CAfile",
            ca,
            "-verify_return_error",
            "-min_protocol",
            "TLSv1.2",
        ]);
        openssl
            .args(["-verify_hostname", "localhost", "-servername", "localhost"])
            .stdin(std::process::Stdio::null());
        if code != 28
            && let Ok(output) = openssl.output()
        {
            let text = [output.stdout, output.stderr].concat();
            let text = String::from_utf8_lossy(&text).to_lowercase();
            assert!(text.contains(word), "{fault}: {text}");
        } else {
            let _ = curl(&arguments, &url);
        }
        assert_eq!(curl(&["--cacert", ca], &url), Some(0), "the third connection is well: {fault}");
        let ended = server.stop();
        assert_eq!(ended.code, Some(0), "{fault}: {}", ended.stderr);
        let kind = fault.split(':').next().unwrap();
        let lines = lab.read("l.jsonl").matches(&format!("\"kind\":\"{kind}\"")).count();
        assert_eq!(lines, 2, "{fault}: {}", lab.read("l.jsonl"));
    }
}

#[test]
fn a_fault_that_cannot_happen_is_refused_at_the_start() {
    let lab = Lab::new();
    let plain = lab.run(&["replay", "builtin:forensics/create-case", "--fault", "tls-expired"]);
    assert_eq!(plain.code, Some(2));
    assert!(
        plain.stderr.contains("speaks plain http") && plain.stderr.contains("`--tls`"),
        "{}",
        plain.stderr
    );
    let command = lab.run(&[
        "run",
        "--cassette",
        "builtin:forensics/create-case",
        "--fault",
        "tls-close",
        "--",
        "true",
    ]);
    assert_eq!((command.code, command.stderr.contains("`--tls`")), (Some(2), true), "{}", command.stderr);
    let judged = lab.run(&["judge", "builtin:careful", "--scenario", "builtin:faults/tls-close"]);
    assert_eq!(judged.code, Some(2));
    assert!(
        judged.stderr.contains("over plain http") && judged.stderr.contains("`--tls`"),
        "{}",
        judged.stderr
    );
    let never = lab.run(&["replay", "builtin:forensics/create-case", "--fault", "refuse"]);
    assert_eq!((never.code, never.stderr.contains("since_start_ms")), (Some(2), true), "{}", never.stderr);
}

#[test]
fn a_connection_that_met_its_fault_puts_a_command_to_the_test_and_one_that_met_none_does_not() {
    let lab = Lab::new();
    let script = "import os, socket\n\
                  host, port = os.environ['FAULTDECK_URL'].split('//')[1].split(':')\n\
                  s = socket.create_connection((host, int(port)))\n\
                  assert s.recv(1) == b''\n";
    lab.write("client.py", script);
    let run = |fault: &str| {
        let flags = ["run", "--cassette", "builtin:forensics/create-case", "--fault", fault];
        lab.run(&[&flags[..], &["--", "python3", "client.py"]].concat())
    };
    let met = run("connection-close?connection=1");
    assert_eq!(met.code, Some(0), "{}", met.stderr);
    // An outage that nobody is known to have met tests nothing.
    let flags = ["run", "--cassette", "builtin:forensics/create-case", "--fault", "refuse?since_start_ms=0-"];
    let unmet = lab.run(&[&flags[..], &["--", "true"]].concat());
    assert_eq!(unmet.code, Some(3), "{}", unmet.stderr);
    assert!(unmet.stderr.contains("whether a client met it cannot be known"), "{}", unmet.stderr);
    // One that began after the end was not even in force.
    let server = faulty(&lab, "refuse?since_start_ms=600000-");
    assert!(ask(&server).unwrap().starts_with(b"HTTP/1.1 200 "));
    let never = server.stop();
    assert_eq!(never.code, Some(3), "{}", never.stderr);
    assert!(
        never.stderr.contains("never fired: ") && !never.stderr.contains("cannot be known"),
        "{}",
        never.stderr
    );
}

/// What comes of a request, on a connection that is kept.
fn again(socket: &mut TcpStream) -> String {
    socket.write_all(format!("GET {CASES} HTTP/1.1\r\nHost: a\r\nSEC: x\r\n\r\n").as_bytes()).unwrap();
    let (mut answer, mut byte) = (Vec::new(), [0]);
    while !answer.ends_with(b"\r\n\r\n") {
        socket.read_exact(&mut byte).unwrap();
        answer.push(byte[0]);
    }
    let head = String::from_utf8(answer).unwrap();
    let length =
        head.lines().find_map(|line| line.to_lowercase().strip_prefix("content-length: ")?.parse().ok());
    socket.read_exact(&mut vec![0; length.unwrap()]).unwrap();
    head.split(' ').nth(1).unwrap().to_owned()
}

#[test]
fn every_answer_on_the_third_connection_is_a_503_and_no_other_is() {
    let lab = Lab::new();
    let server = faulty(&lab, "api-error:503,undocumented=true?connection=3");
    let mut sockets = [0; 3].map(|_| {
        let mut socket = TcpStream::connect(server.addr).unwrap();
        socket.set_read_timeout(Some(PATIENCE)).unwrap();
        // Whoever asks was accepted, in this order; the harness came before.
        let status = again(&mut socket);
        (socket, status)
    });
    let first: Vec<&str> = sockets.iter().map(|(_, status)| status.as_str()).collect();
    assert_eq!(first, ["200", "503", "200"]);
    for _ in 0..3 {
        let then: Vec<String> = sockets.iter_mut().map(|(socket, _)| again(socket)).collect();
        assert_eq!(then, ["200", "503", "200"]);
    }
    let ended = server.stop();
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    let ledger = lab.read("l.jsonl");
    assert_eq!(ledger.matches("\"connection\":3").count(), 4, "{ledger}");
    assert_eq!(
        ledger.matches("\"connection\":").count(),
        4,
        "where it does not matter it is not named: {ledger}"
    );
    let again = lab.run(&["report", "l.jsonl"]);
    assert!(again.stdout.contains("4 faults fired"), "{}", again.stdout);
}

#[test]
fn a_connection_is_counted_anew_for_each_case_that_is_judged() {
    let lab = Lab::new();
    lab.write(
        "s.toml",
        "summary = \"x\"\ncassette = \"builtin:forensics/create-case\"\n[must]\nhold = [\"terminates\"]\n\
         [[fault]]\nwhen = { connection = \"1\" }\ninject = { latency = { ms = 1 } }\n",
    );
    let judged =
        lab.run(&["judge", "builtin:careful", "--scenario", "s.toml", "--jobs", "1", "--ledger", "l.jsonl"]);
    assert_eq!(judged.code, Some(0), "{}{}", judged.stdout, judged.stderr);
    // What was put to the test has numbers of its own.
    let ledger = lab.read("l.jsonl");
    let ledger: Vec<&str> = ledger.lines().filter(|line| !line.starts_with("{\"coverage\"")).collect();
    let ledger = ledger.join("\n");
    let number = |name: &str| {
        let rest = ledger.rsplit(&format!("\"{name}\":")).next().unwrap();
        rest.split([',', '}']).next().unwrap().parse::<u32>().unwrap()
    };
    assert!(number("cases") > 1, "{ledger}");
    assert_eq!(number("faults"), number("cases"), "one connection of each case is the first: {ledger}");
}

#[test]
fn a_python_client_is_judged_over_tls_without_a_word_about_it_in_its_file() {
    let lab = Lab::new();
    // What Python trusts by itself is what SSL_CERT_FILE names.
    let script = "import json, os, sys, urllib.error, urllib.request\n\
                  url = sys.argv[1] + '/api/forensics/case_management/case_create_tasks/' + sys.argv[2]\n\
                  assert url.startswith('https://'), url\n\
                  ask = urllib.request.Request(url, headers={'SEC': 'x', 'Version': '26.0'})\n\
                  for _ in range(9):\n\
                  \x20   try:\n\
                  \x20       task = json.loads(urllib.request.urlopen(ask, timeout=1).read())\n\
                  \x20   except urllib.error.URLError as error:\n\
                  \x20       print(json.dumps({'outcome': 'error', 'text': str(error.reason)}))\n\
                  \x20       sys.exit(1)\n\
                  \x20   if task['state'] == 'COMPLETE':\n\
                  \x20       print(json.dumps({'outcome': 'task', 'standing': 'done', 'task': task}))\n\
                  \x20       sys.exit(0)\n\
                  print(json.dumps({'outcome': 'gave_up'}))\n";
    lab.write("client.py", script);
    lab.write(
        "clients/c.toml",
        "summary = \"x\"\njobs = [\"wait\"]\n[exec]\nargv = [\"python3\", \"client.py\", \"{base_url}\", [\"{id}\"]]\n\
         exit = { 0 = \"done\", 1 = \"error\" }\n",
    );
    let judged = |more: &[&str]| {
        let flags = ["judge", "clients/c.toml", "--tls", "--ledger", "l.jsonl"];
        lab.run(&[&flags[..], more].concat())
    };
    let well = judged(&["--scenario", "slow-host"]);
    assert!(
        well.stdout.contains("terminates") && !well.stdout.contains("VIOLATED"),
        "{}{}",
        well.stdout,
        well.stderr
    );
    assert!(lab.read("l.jsonl").contains("\"state\":\"COMPLETE\""), "{}", lab.read("l.jsonl"));
    // It takes no certificate that it should not, says so, and ends.
    let expired = judged(&["--scenario", "tls/tls-expired"]);
    assert_eq!(expired.code, Some(0), "{}{}", expired.stdout, expired.stderr);
    let ledger = lab.read("l.jsonl");
    assert!(
        ledger.contains("\"kind\":\"tls-expired\"") && ledger.contains("certificate has expired"),
        "{ledger}"
    );
    assert!(!ledger.contains("{\"exchange\":{"), "nothing was sent: {ledger}");
}

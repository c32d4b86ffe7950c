//! What every verb that listens promises: the URL alone on standard output, a port file, an orderly end.

use crate::canary;

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

struct Listening {
    child: Child,
    url: String,
    rest: BufReader<std::process::ChildStdout>,
}

impl Listening {
    fn start(arguments: &[&str], home: &Path) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_faultdeck"))
            .args(arguments)
            .env("FAULTDECK_HOME", home)
            .env("SEC_TOKEN", canary::canary())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut rest = BufReader::new(child.stdout.take().unwrap());
        let mut url = String::new();
        rest.read_line(&mut url).unwrap();
        Self { child, url, rest }
    }

    fn address(&self) -> String {
        self.url.trim_end().split_once("://").unwrap().1.to_owned()
    }

    fn signal(&self, signal: Signal) {
        let pid = Pid::from_raw(i32::try_from(self.child.id()).unwrap()).unwrap();
        kill_process(pid, signal).unwrap();
    }

    /// Exit code, what else came on standard output, standard error.
    fn end(mut self) -> (Option<i32>, String, String) {
        let (mut out, mut err) = (String::new(), String::new());
        self.child.stderr.take().unwrap().read_to_string(&mut err).unwrap();
        self.rest.read_to_string(&mut out).unwrap();
        canary::assert_clean("standard output", out.as_bytes());
        canary::assert_clean("standard error", err.as_bytes());
        (self.child.wait().unwrap().code(), out, err)
    }
}

fn get(address: &str, path: &str) -> String {
    get_of(address, address, path)
}

fn get_of(address: &str, host: &str, path: &str) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    let canary = canary::canary();
    let token = format!("SEC: {canary}\r\nX-Carried-Along: {canary}\r\n");
    write!(stream, "GET {path} HTTP/1.1\r\nHost: {host}\r\n{token}Connection: close\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

#[test]
fn the_url_is_the_only_line_on_standard_output_and_a_signal_ends_in_order() {
    let folder = canary::Folder::new();
    let port_file = folder.path().join("port");
    for signal in [Signal::INT, Signal::TERM] {
        let listening =
            Listening::start(&["emulate", "--port-file", port_file.to_str().unwrap()], folder.path());
        let address = listening.address();
        assert_eq!(listening.url, format!("http://{address}\n"));
        let port = fs::read_to_string(&port_file).unwrap();
        assert_eq!(format!("127.0.0.1:{}", port.trim_end()), address);
        assert!(get(&address, "/api/forensics/case_management/cases").starts_with("HTTP/1.1 200 "));
        listening.signal(signal);
        let (code, out, err) = listening.end();
        assert_eq!((code, out.as_str()), (Some(0), ""), "{err}");
    }
}

#[test]
fn a_second_signal_ends_it_at_once() {
    let folder = canary::Folder::new();
    for (signal, code) in [(Signal::INT, 130), (Signal::TERM, 143)] {
        let listening = Listening::start(&["emulate"], folder.path());
        // A request that never becomes whole keeps the orderly end waiting.
        let mut stuck = TcpStream::connect(listening.address()).unwrap();
        write!(stuck, "POST /api/x HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\n1").unwrap();
        sleep(Duration::from_millis(200));
        let began = Instant::now();
        listening.signal(signal);
        sleep(Duration::from_millis(200));
        listening.signal(signal);
        assert_eq!(listening.end().0, Some(code));
        assert!(began.elapsed() < Duration::from_secs(3), "{:?}", began.elapsed());
    }
}

#[test]
fn an_address_that_others_reach_needs_a_word_from_the_user() {
    let folder = canary::Folder::new();
    let listening = Listening::start(&["emulate", "--listen", "0.0.0.0:0"], folder.path());
    let (code, out, err) = listening.end();
    assert_eq!((code, out.as_str()), (Some(2), ""));
    assert!(err.contains("help: add `--expose`"), "{err}");
}

#[test]
fn with_tls_the_scheme_is_https_and_the_authority_is_named_on_standard_error() {
    let folder = canary::Folder::new();
    let listening = Listening::start(&["emulate", "--tls", "--tls-name", "console.test"], folder.path());
    assert!(listening.url.starts_with("https://127.0.0.1:"), "{}", listening.url);
    listening.signal(Signal::TERM);
    let (code, _, err) = listening.end();
    assert_eq!(code, Some(0));
    let line = err.lines().find_map(|line| line.strip_prefix("certificate authority: ")).unwrap();
    assert!(Path::new(line).starts_with(folder.path()) && Path::new(line).is_file(), "{err}");
}

#[test]
fn an_address_in_use_is_named() {
    let folder = canary::Folder::new();
    let first = Listening::start(&["emulate"], folder.path());
    let second = Listening::start(&["emulate", "--listen", &first.address()], folder.path());
    let (code, _, err) = second.end();
    assert_eq!(code, Some(2));
    assert!(err.contains(&format!("error: cannot listen on {}", first.address())), "{err}");
    first.signal(Signal::TERM);
    assert_eq!(first.end().0, Some(0));
}

const CASES: &str = "/api/forensics/case_management/cases";

#[test]
fn every_signal_that_asks_for_an_end_saves_what_was_served() {
    let folder = canary::Folder::new();
    for (place, signal) in [Signal::HUP, Signal::INT, Signal::QUIT, Signal::TERM].into_iter().enumerate() {
        let ledger = folder.path().join(format!("{place}.jsonl"));
        let arguments = ["replay", "builtin:forensics/create-case", "--ledger", ledger.to_str().unwrap()];
        let listening = Listening::start(&arguments, folder.path());
        assert!(get(&listening.address(), CASES).starts_with("HTTP/1.1 200 "));
        listening.signal(signal);
        assert_eq!(listening.end().0, Some(0), "{signal:?}");
        assert!(fs::read_to_string(&ledger).unwrap().contains(CASES), "{signal:?}");
    }
}

#[test]
fn whoever_starts_a_server_under_nohup_keeps_it_when_the_terminal_closes() {
    let folder = canary::Folder::new();
    let program = env!("CARGO_BIN_EXE_faultdeck");
    let mut child = Command::new("sh")
        .args(["-c", "trap '' HUP; exec \"$0\" emulate", program])
        .env("FAULTDECK_HOME", folder.path())
        .env("SEC_TOKEN", canary::canary())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut rest = BufReader::new(child.stdout.take().unwrap());
    let mut url = String::new();
    rest.read_line(&mut url).unwrap();
    let listening = Listening { child, url, rest };
    listening.signal(Signal::HUP);
    sleep(Duration::from_millis(200));
    assert!(get(&listening.address(), CASES).starts_with("HTTP/1.1 200 "));
    listening.signal(Signal::TERM);
    assert_eq!(listening.end().0, Some(0));
}

#[test]
fn a_server_whose_lines_nobody_reads_goes_on_serving_and_ends_in_time() {
    let folder = canary::Folder::new();
    let ledger = folder.path().join("l.jsonl");
    let arguments = ["replay", "builtin:forensics/create-case", "--ledger", ledger.to_str().unwrap()];
    let mut listening = Listening::start(&arguments, folder.path());
    let request = format!("GET {CASES}/1?{} HTTP/1.1\r\nHost: localhost\r\n\r\n", "x".repeat(100));
    let count = 1500;
    let mut stream = TcpStream::connect(listening.address()).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    let mut answers = BufReader::new(stream.try_clone().unwrap());
    for _ in 0..count {
        // In one piece: several small writes would wait for each other.
        stream.write_all(request.as_bytes()).unwrap();
        let mut length = 0;
        loop {
            let mut line = String::new();
            answers.read_line(&mut line).unwrap();
            if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
                length = value.trim().parse().unwrap();
            }
            if line == "\r\n" {
                break;
            }
            assert!(!line.is_empty(), "the server has hung up");
        }
        answers.read_exact(&mut vec![0; length]).unwrap();
    }
    let began = Instant::now();
    listening.signal(Signal::TERM);
    let code = loop {
        if let Some(status) = listening.child.try_wait().unwrap() {
            break status.code();
        }
        assert!(began.elapsed() < Duration::from_secs(60), "it does not end");
        sleep(Duration::from_millis(10));
    };
    assert!(code.is_some(), "a signal ended it");
    let lines = fs::read_to_string(&ledger).unwrap();
    assert_eq!(lines.lines().filter(|line| line.contains("\"exchange\"")).count(), count);
    assert_eq!(listening.end().0, code);
}

#[test]
fn a_reader_that_comes_late_is_told_how_many_lines_it_missed() {
    let folder = canary::Folder::new();
    let mut listening = Listening::start(&["emulate"], folder.path());
    let address = listening.address();
    let refused = format!("GET /{} b HTTP/1.1\r\n\r\n", "a".repeat(200));
    let count = 6000;
    for _ in 0..count {
        let mut stream = TcpStream::connect(&address).unwrap();
        stream.write_all(refused.as_bytes()).unwrap();
        stream.read_to_end(&mut Vec::new()).unwrap();
    }
    let mut all = String::new();
    let stderr = listening.child.stderr.take().unwrap();
    listening.child.stderr = None;
    listening.signal(Signal::TERM);
    BufReader::new(stderr).read_to_string(&mut all).unwrap();
    let shown = all.lines().filter(|line| line.contains(" REFUSED: ")).count();
    let missed: usize =
        all.lines().filter_map(|line| line.split_once(" lines were left out")?.0.parse::<usize>().ok()).sum();
    assert!(missed > 0 && shown + missed == count, "{shown} + {missed}");
    canary::assert_clean("standard error", all.as_bytes());
    assert!(listening.child.wait().unwrap().code().is_some());
}

#[test]
fn a_request_for_another_host_is_refused_aloud_unless_its_name_was_given() {
    let folder = canary::Folder::new();
    let listening = Listening::start(&["emulate"], folder.path());
    let answer = get_of(&listening.address(), "evil.test", CASES);
    assert!(answer.starts_with("HTTP/1.1 421 ") && answer.contains("--host NAME"), "{answer}");
    assert!(get_of(&listening.address(), "localhost", &format!("/@me{CASES}")).starts_with("HTTP/1.1 "));
    listening.signal(Signal::TERM);
    let err = listening.end().2;
    assert!(err.contains("421 REFUSED: this listener does not answer for `evil.test`"), "{err}");

    let given = ["emulate", "--host", "evil.test", "--host", "10.1.1.1"];
    let listening = Listening::start(&given, folder.path());
    for host in ["evil.test", "10.1.1.1:80", "localhost"] {
        assert!(get_of(&listening.address(), host, CASES).starts_with("HTTP/1.1 200 "), "{host}");
    }
    assert!(get_of(&listening.address(), "other.test", CASES).starts_with("HTTP/1.1 421 "));
    listening.signal(Signal::TERM);
    listening.end();
}

#[test]
fn an_exposed_listener_is_told_its_names() {
    let folder = canary::Folder::new();
    let exposed = ["emulate", "--listen", "0.0.0.0:0", "--expose"];
    let (code, _, err) = Listening::start(&exposed, folder.path()).end();
    assert_eq!(code, Some(2));
    assert!(err.contains("help: add `--host NAME`"), "{err}");
    for more in [["--host", "box.test"].as_slice(), &["--host", "*"], &["--tls", "--tls-name", "box.test"]] {
        let listening = Listening::start(&[&exposed, more].concat(), folder.path());
        assert!(listening.url.contains("://127.0.0.1:"), "{}", listening.url);
        listening.signal(Signal::TERM);
        assert_eq!(listening.end().0, Some(0));
    }
    let wrong = Listening::start(&["emulate", "--host", "http://box"], folder.path()).end();
    assert!(wrong.0 == Some(2) && wrong.2.contains("`http://box` is no name of a host"), "{}", wrong.2);
}

#[test]
fn a_quota_on_files_is_an_error_and_no_end() {
    let folder = canary::Folder::new();
    let program = env!("CARGO_BIN_EXE_faultdeck");
    let output = Command::new("sh")
        .args(["-c", "ulimit -f 1; exec \"$0\" lint --help >big 2>&1; exit $?", program])
        .current_dir(folder.path())
        .stdin(Stdio::null())
        .output()
        .unwrap();
    // Its help is longer than the quota allows.
    canary::assert_clean("standard output", &output.stdout);
    assert!(output.status.code().is_some(), "{output:?}");
}

#[test]
fn a_reader_that_went_away_is_no_error_and_the_server_goes_on() {
    let folder = canary::Folder::new();
    let mut listening = Listening::start(&["emulate"], folder.path());
    let address = listening.address();
    // Both pipes lose their reader, as after `| head -1`.
    drop(listening.child.stderr.take());
    let Listening { mut child, rest, .. } = listening;
    drop(rest);
    for _ in 0..20 {
        assert!(get_of(&address, "evil.test", CASES).starts_with("HTTP/1.1 421 "));
        assert!(get(&address, CASES).starts_with("HTTP/1.1 200 "));
    }
    kill_process(Pid::from_raw(i32::try_from(child.id()).unwrap()).unwrap(), Signal::TERM).unwrap();
    // Refused requests make it inconclusive; a panic would be 70.
    assert_eq!(child.wait().unwrap().code(), Some(3));
}

/// A small console with this limit of descriptors.
fn limited(folder: &canary::Folder, limit: &str) -> Listening {
    let mut child = Command::new("sh")
        .args(["-c", &format!("ulimit {limit}; exec \"$0\" emulate"), env!("CARGO_BIN_EXE_faultdeck")])
        .env("FAULTDECK_HOME", folder.path())
        .env("SEC_TOKEN", canary::canary())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut rest = BufReader::new(child.stdout.take().unwrap());
    let mut url = String::new();
    rest.read_line(&mut url).unwrap();
    Listening { child, url, rest }
}

#[test]
fn where_a_shell_gives_few_descriptors_and_the_system_more_it_takes_them() {
    let folder = canary::Folder::new();
    let listening = limited(&folder, "-Sn 48");
    let mut held: Vec<TcpStream> =
        (0..100).map(|_| TcpStream::connect(listening.address()).unwrap()).collect();
    let request = format!("GET {CASES} HTTP/1.1\r\nHost: localhost\r\nSEC: {}\r\n\r\n", canary::canary());
    for _ in 0..2 {
        for socket in &mut held {
            socket.write_all(request.as_bytes()).unwrap();
            let mut status = [0; 13];
            socket.read_exact(&mut status).unwrap();
            assert_eq!(&status, b"HTTP/1.1 200 ");
            let mut rest = [0; 4096];
            assert!(socket.read(&mut rest).unwrap() < rest.len(), "the whole answer");
        }
    }
    drop(held);
    listening.signal(Signal::TERM);
    assert_eq!(listening.end().0, Some(0));
}

#[test]
fn idle_connections_lock_nobody_out_when_descriptors_are_few() {
    let folder = canary::Folder::new();
    let listening = limited(&folder, "-n 48");
    let idle: Vec<TcpStream> = (0..100).map(|_| TcpStream::connect(listening.address()).unwrap()).collect();
    for _ in 0..3 {
        assert!(get(&listening.address(), CASES).starts_with("HTTP/1.1 200 "));
    }
    drop(idle);
    listening.signal(Signal::TERM);
    assert_eq!(listening.end().0, Some(0));
}

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
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    let canary = canary::canary();
    let token = format!("SEC: {canary}\r\nX-Carried-Along: {canary}\r\n");
    write!(stream, "GET {path} HTTP/1.1\r\nHost: {address}\r\n{token}Connection: close\r\n\r\n").unwrap();
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
        write!(stuck, "POST /api/x HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n1").unwrap();
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

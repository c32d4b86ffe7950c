//! Recorders that are killed at any moment, again and again: nothing that was committed is ever lost.
//!
//! `FAULTDECK_KILLS=500 cargo test --test program recording_kills -- --nocapture` for more of them, and
//! `FAULTDECK_KILL_SEED` for other moments.

use crate::harness::{Lab, token};
use crate::raw::raw_console;

use std::collections::BTreeSet;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::process::{Child, Command};
use std::sync::Mutex;
use std::time::{Duration, Instant};

/// As many as a test run has time for.
const KILLS: u64 = 20;
/// So many go on with one recording; then its cassette is made and looked through.
const KILLS_A_RECORDING: u64 = 10;
const CONNECTIONS: u64 = 8;
/// The latest moment of a kill, from the start of the process or from when it listens.
const LATEST_MS: u64 = 300;
/// How long a recorder may take until it listens.
const START_MAX: Duration = Duration::from_secs(20);

fn number(variable: &str, usual: u64) -> u64 {
    std::env::var(variable).map_or(usual, |value| value.parse().expect("a number"))
}

/// Numbers that look random enough for moments.
struct Moments(u64);

impl Moments {
    fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % end
    }
}

/// Asks for one target after the other over one connection, and notes each whose answer came to its end.
fn client(port: u16, name: &str, answered: &Mutex<BTreeSet<String>>) -> Option<()> {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).ok()?;
    stream.set_read_timeout(Some(Duration::from_secs(10))).ok()?;
    for n in 0.. {
        let target = format!("/api/{name}/{n}");
        let head = format!("GET {target} HTTP/1.1\r\nHost: localhost\r\nSEC: {}\r\n\r\n", token());
        stream.write_all(head.as_bytes()).ok()?;
        let mut answer = Vec::new();
        while !answer.ends_with(b"\r\n\r\n{}") {
            let mut part = [0; 1024];
            let read = stream.read(&mut part).ok().filter(|read| *read > 0)?;
            answer.extend_from_slice(&part[..read]);
        }
        answered.lock().unwrap().insert(target);
    }
    None
}

/// The port, once it is listened on; `None` if that moment has passed.
fn port(lab: &Lab, until: Instant) -> Option<u16> {
    while Instant::now() < until {
        let text = std::fs::read_to_string(lab.file("port")).unwrap_or_default();
        if let Some(port) = text.strip_suffix('\n') {
            return port.parse().ok();
        }
        std::thread::sleep(Duration::from_millis(1));
    }
    None
}

fn signal(child: &Child, name: &str) {
    // It may have ended by itself.
    let _ = Command::new("kill").args([&format!("-{name}"), &child.id().to_string()]).output();
}

#[test]
fn a_recorder_killed_at_any_moment_loses_nothing_that_was_committed() {
    let kills = number("FAULTDECK_KILLS", KILLS);
    let mut moments = Moments(number("FAULTDECK_KILL_SEED", 1));
    let (mut done, mut recorded, mut served) = (0, 0, 0);
    while done < kills {
        let round = KILLS_A_RECORDING.min(kills - done);
        let (interactions, rounds_that_served) = one_recording(round, done, &mut moments);
        done += round;
        recorded += interactions;
        served += rounds_that_served;
    }
    println!(
        "{done} kills, {served} of them while {CONNECTIONS} connections recorded: 0 committed interactions lost, 0 files unreadable, {recorded} interactions"
    );
    assert!(served * 2 > done, "most of them were recording: {served} of {done}");
}

/// Kills the recorders of one cassette, and makes sure of what is left; how many interactions that are, and how many of
/// the recorders had answered something.
fn one_recording(kills: u64, first: u64, moments: &mut Moments) -> (usize, u64) {
    let lab = Lab::new();
    let console = raw_console(|_| b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}".to_vec());
    let committed: Mutex<BTreeSet<String>> = Mutex::default();
    let (mut counted, mut served) = (0, 0);
    for round in 0..kills {
        let is_always = round % 2 == 0;
        let sync = if is_always { "always" } else { "grouped" };
        let _ = std::fs::remove_file(lab.file("port"));
        let mut child = lab.start(&[
            "record",
            "--upstream",
            &console,
            "--cassette",
            "c.json",
            "--port-file",
            "port",
            "--sync",
            sync,
            "--committed-file",
            "committed",
        ]);
        // Some die while they start, and while they take over what the one before them left.
        let listens = if moments.below(4) == 0 { None } else { port(&lab, Instant::now() + START_MAX) };
        let at = Instant::now() + Duration::from_millis(moments.below(LATEST_MS));
        let answered: Mutex<BTreeSet<String>> = Mutex::default();
        std::thread::scope(|scope| {
            if let Some(port) = listens.or_else(|| port(&lab, at)) {
                for n in 0..CONNECTIONS {
                    let (answered, name) = (&answered, format!("k{}/c{n}", first + round));
                    scope.spawn(move || client(port, &name, answered));
                }
            }
            std::thread::sleep(at.saturating_duration_since(Instant::now()));
            if round + 1 == kills {
                // The last is asked to end, and killed while it makes its cassette.
                signal(&child, "INT");
                std::thread::sleep(Duration::from_millis(moments.below(40)));
            }
            signal(&child, "KILL");
            child.wait().unwrap();
        });
        let answered = answered.into_inner().unwrap();
        served += u64::from(!answered.is_empty());
        if is_always {
            committed.lock().unwrap().extend(answered);
        }
        let lines = std::fs::read_to_string(lab.file("committed")).unwrap_or_default();
        counted =
            lines.lines().map(|line| line.parse::<usize>().expect("a count")).max().unwrap_or(0).max(counted);
        lab.show(&std::fs::read(lab.file("err")).unwrap());
    }
    // Whatever is there is readable, and becomes a cassette.
    let fixed = if counted > 0 { lab.run(&["lint", "--fix", "c.json"]) } else { return (0, served) };
    assert_eq!(fixed.code, Some(0), "{}{}", fixed.stdout, fixed.stderr);
    let text = lab.read("c.json");
    let targets: Vec<&str> = text
        .lines()
        .filter_map(|line| line.trim().strip_prefix("\"target\": \"")?.strip_suffix("\","))
        .collect();
    let there: BTreeSet<&str> = targets.iter().copied().collect();
    assert_eq!(there.len(), targets.len(), "none is there twice");
    let lost: Vec<String> = committed
        .into_inner()
        .unwrap()
        .into_iter()
        .filter(|target| !there.contains(target.as_str()))
        .collect();
    assert!(lost.is_empty(), "{} answers that had ended are lost: {lost:?}", lost.len());
    assert!(targets.len() >= counted, "{counted} were said to be committed, {} are there", targets.len());
    (targets.len(), served)
}

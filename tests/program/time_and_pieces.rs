//! Faults that are about time and pieces, over the real binary: what curl makes of each, and what the operating system
//! tells a raw socket.

use crate::harness;

use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::process::Command;
use std::time::{Duration, Instant};

use harness::{CASES, Lab, Running, token};

/// A replay in which every list of cases meets this.
fn under(lab: &Lab, inject: &str) -> Running {
    let endpoint = "GET /forensics/case_management/cases";
    let fault = format!("[[fault]]\nwhen = {{ endpoint = \"{endpoint}\" }}\ninject = {{ {inject} }}\n");
    lab.write("f.toml", &format!("summary = \"x\"\n{fault}"));
    lab.replay(&["--scenario", "f.toml"])
}

/// What came of a curl.
#[derive(Debug)]
struct Curled {
    exit: Option<i32>,
    body: Vec<u8>,
    /// Bytes of the head.
    head: f64,
    /// Seconds in all.
    took: f64,
    /// How often it had to connect, transfer by transfer.
    connects: Vec<String>,
}

/// Asks for the list of cases `times` times in one process; `None` where there is no curl.
fn curl(lab: &Lab, running: &Running, times: usize, more: &[&str]) -> Option<Curled> {
    let out = lab.file("body");
    let _ = std::fs::remove_file(&out);
    let mut command = Command::new("curl");
    command.args(["-sS", "--max-time", "20", "-H", &format!("SEC: {}", token())]);
    command.args(["-w", "%{size_header} %{time_total} %{num_connects}\n"]).args(more);
    for _ in 0..times {
        command.args(["-o", out.to_str().unwrap(), &format!("{}{CASES}", running.url)]);
    }
    let done = match command.output() {
        Ok(done) => done,
        Err(error) if error.kind() == ErrorKind::NotFound => {
            println!("no curl here: nothing was looked at");
            return None;
        }
        Err(error) => panic!("{error}"),
    };
    let text = String::from_utf8(done.stdout).unwrap();
    let words: Vec<Vec<&str>> = text.lines().map(|line| line.split(' ').collect()).collect();
    Some(Curled {
        exit: done.status.code(),
        body: std::fs::read(&out).unwrap_or_default(),
        head: words[0][0].parse().unwrap(),
        took: words.iter().map(|words| words[1].parse::<f64>().unwrap()).sum(),
        connects: words.iter().map(|words| words[2].to_owned()).collect(),
    })
}

#[test]
fn curl_gets_the_whole_answer_and_not_before_its_time() {
    let lab = Lab::new();
    let Some(plain) = curl(&lab, &lab.replay(&[]), 2, &[]) else { return };
    assert_eq!((plain.exit, &plain.connects[..]), (Some(0), &["1".to_owned(), "0".to_owned()][..]));
    let whole = [
        ("stall = { body_bytes = 1, ms = 300 }", 0.3),
        ("dribble = { pieces = 4, over_ms = 300 }", 0.3),
        ("slicer = { bytes = 9, vary_bytes = 3, pause_us = 2000 }", 0.02),
        ("chunk = { bytes = 3 }", 0.0),
        ("slow-close = { ms = 50 }", 0.0),
        ("drop-idle = {}", 0.0),
        ("drop-idle = { how = \"reset\" }", 0.0),
        ("latency = { ms = 400, jitter_ms = 20, spread = \"normal\" }", 0.2),
        ("latency = { ms = 200, spread = \"lognormal\", sigma_thousandths = 50, max_ms = 300 }", 0.1),
    ];
    for (inject, least) in whole {
        let came = curl(&lab, &under(&lab, inject), 1, &[]).unwrap();
        assert_eq!((came.exit, &came.body), (Some(0), &plain.body), "{inject}: {came:?}");
        assert!(came.took >= least, "{inject}: {came:?}");
    }
    let came = curl(&lab, &under(&lab, "bandwidth = { kb_per_s = 1 }"), 1, &[]).unwrap();
    assert_eq!((came.exit, &came.body), (Some(0), &plain.body));
    assert!(came.took >= (came.head + came.body.len() as f64) / 1000.0, "{came:?}");
}

#[test]
fn curl_sees_chunks_a_late_close_and_a_connection_that_is_gone() {
    let lab = Lab::new();
    let Some(plain) = curl(&lab, &lab.replay(&[]), 1, &[]) else { return };
    let raw = curl(&lab, &under(&lab, "chunk = { bytes = 3 }"), 1, &["--raw"]).unwrap();
    let first = [b"3\r\n", &plain.body[..3], b"\r\n3\r\n", &plain.body[3..6], b"\r\n"].concat();
    assert!(raw.body.starts_with(&first), "{}", String::from_utf8_lossy(&raw.body));
    // Whoever reads to the end of the connection waits for it.
    let slow = under(&lab, "slow-close = { ms = 300 }");
    let came = curl(&lab, &slow, 1, &["--ignore-content-length"]).unwrap();
    assert_eq!((came.exit, &came.body), (Some(0), &plain.body));
    assert!(came.took >= 0.3, "{came:?}");
    for inject in
        ["drop-idle = { how = \"close\" }", "drop-idle = { how = \"reset\" }", "slow-close = { ms = 1 }"]
    {
        let came = curl(&lab, &under(&lab, inject), 2, &[]).unwrap();
        assert_eq!((came.exit, &came.body), (Some(0), &plain.body), "{inject}");
        assert_eq!(came.connects, ["1", "1"], "{inject}");
    }
}

#[test]
fn curl_says_what_is_wrong_with_the_others() {
    let lab = Lab::new();
    let Some(plain) = curl(&lab, &lab.replay(&[]), 1, &[]) else { return };
    let full = plain.body.len();
    let short = &["--max-time", "0.3"][..];
    // 18: a part of a file; 28: the time was over; 52: nothing came; 56: a read failed.
    let wrong: [(&str, &[&str], i32, usize); 8] = [
        ("stall = { body_bytes = 5, ms = 20000 }", short, 28, 5),
        ("hang = {}", short, 28, 0),
        ("hang = { ms = 100 }", &[], 52, 0),
        ("reset = { ms = 100 }", &[], 56, 0),
        ("close = {}", &[], 52, 0),
        ("longer-length = { by = 7, ms = 100 }", &[], 18, full),
        ("longer-length = { by = 7, ms = 20000 }", short, 28, full),
        ("shorter-length = { by = 4 }", &[], 0, full - 4),
    ];
    for (inject, more, exit, bytes) in wrong {
        let came = curl(&lab, &under(&lab, inject), 1, more).unwrap();
        assert_eq!((came.exit, came.body.len()), (Some(exit), bytes), "{inject}: {came:?}");
        assert_eq!(came.body, plain.body[..bytes], "{inject}");
    }
}

/// How a connection goes on after what came on it.
#[derive(Debug, PartialEq)]
enum Ends {
    Kept,
    Fin,
    Rst,
}

/// What comes on a connection of one request, and how it ends, as the operating system says.
fn seen(running: &Running) -> (String, Ends, Duration) {
    let mut socket = TcpStream::connect(running.addr).unwrap();
    let request = format!("GET {CASES} HTTP/1.1\r\nHost: localhost\r\nSEC: {}\r\n\r\n", token());
    let began = Instant::now();
    socket.write_all(request.as_bytes()).unwrap();
    // Longer than any of them stays silent.
    socket.set_read_timeout(Some(Duration::from_millis(1500))).unwrap();
    let (mut all, mut piece) = (Vec::new(), [0; 4096]);
    let ends = loop {
        match socket.read(&mut piece) {
            Ok(0) => break Ends::Fin,
            Ok(length) => all.extend_from_slice(&piece[..length]),
            Err(error) if error.kind() == ErrorKind::ConnectionReset => break Ends::Rst,
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
                break Ends::Kept;
            }
            Err(error) => panic!("{error}"),
        }
    };
    (String::from_utf8(all).unwrap(), ends, began.elapsed())
}

#[test]
fn the_system_says_how_each_connection_goes_on() {
    let lab = Lab::new();
    let (plain, kept, _) = seen(&lab.replay(&[]));
    assert_eq!(kept, Ends::Kept);
    let (head, body) = plain.split_once("\r\n\r\n").unwrap();
    let announced = |length: usize| {
        let line = format!("Content-Length: {}", body.len());
        assert!(head.contains(&line), "{head}");
        plain.replace(&line, &format!("Content-Length: {length}"))
    };
    let same = || plain.clone();
    let expected = [
        ("bandwidth = { kb_per_s = 2 }", same(), Ends::Kept, plain.len() / 2),
        ("stall = { ms = 200 }", same(), Ends::Kept, 200),
        ("dribble = { pieces = 3, over_ms = 200 }", same(), Ends::Kept, 200),
        ("slicer = { bytes = 20, pause_us = 1000 }", same(), Ends::Kept, plain.len() / 20 - 1),
        ("drop-idle = { ms = 100 }", same(), Ends::Fin, 100),
        ("drop-idle = { how = \"reset\", ms = 100 }", same(), Ends::Rst, 100),
        ("slow-close = { ms = 100 }", format!("{head}\r\nConnection: close\r\n\r\n{body}"), Ends::Fin, 100),
        ("longer-length = { by = 7, ms = 100 }", announced(body.len() + 7), Ends::Fin, 100),
        ("shorter-length = { by = 7 }", announced(body.len() - 7), Ends::Fin, 0),
        ("hang = { ms = 100 }", String::new(), Ends::Fin, 100),
        ("reset = { after_bytes = 12, ms = 100 }", plain[..12].to_owned(), Ends::Rst, 100),
        ("close = { after_bytes = 12 }", plain[..12].to_owned(), Ends::Fin, 0),
    ];
    for (inject, wanted, ends, least_ms) in expected {
        let (came, ended, took) = seen(&under(&lab, inject));
        // Header lines of ours stand at the end; their order is of no account here.
        let lines = |text: &str| {
            let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
            lines.sort();
            lines
        };
        assert_eq!((lines(&came), ended), (lines(&wanted), ends), "{inject}");
        assert!(took >= Duration::from_millis(least_ms as u64), "{inject}: {took:?}");
    }
}

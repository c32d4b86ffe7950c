//! Disks that fail or are slow under a recorder: calls of the system that `strace` answers in its place.

use crate::harness::{Lab, token};
use crate::raw::raw_console;

use std::collections::BTreeSet;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// How many requests each recorder gets.
const REQUESTS: usize = 3;

fn fine(_: &str) -> Vec<u8> {
    b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}".to_vec()
}

/// Whether programs can be traced here; a test that cannot do without it says that it is skipped.
fn can_trace() -> bool {
    let traced = Command::new("strace").args(["-o", "/dev/null", "true"]).stderr(Stdio::null()).status();
    let can = traced.is_ok_and(|status| status.success());
    if !can {
        println!("skipped: there is no strace here, or it may trace nothing");
    }
    can
}

/// A recorder whose calls meet what `inject` says; and its port, if it came to listen.
fn recorder(lab: &Lab, console: &str, inject: &str, sync: &str) -> (Child, Option<u16>) {
    let _ = std::fs::remove_file(lab.file("port"));
    let mut child = Command::new("strace")
        // The tracer goes to the background: the child is the recorder itself.
        .args(["-D", "-f", "-qq", "-o", "/dev/null", "-e", "trace=fdatasync,fsync,pwrite64,rename", "-e"])
        .args([&format!("inject={inject}"), env!("CARGO_BIN_EXE_faultdeck"), "record", "--upstream", console])
        .args(["--cassette", "c.json", "--port-file", "port", "--sync", sync])
        .current_dir(lab.path())
        .env("FAULTDECK_HOME", lab.file("home"))
        .env("SEC_TOKEN", token())
        .env_remove("CI")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(std::fs::File::create(lab.file("err")).unwrap())
        .spawn()
        .unwrap();
    let until = Instant::now() + Duration::from_secs(20);
    while child.try_wait().unwrap().is_none() {
        let port = std::fs::read_to_string(lab.file("port")).unwrap_or_default();
        if let Some(port) = port.strip_suffix('\n') {
            return (child, port.parse().ok());
        }
        assert!(Instant::now() < until, "it neither listens nor ends");
        std::thread::sleep(Duration::from_millis(2));
    }
    (child, None)
}

/// Whether the answer came to its end.
fn get(port: u16, target: &str) -> bool {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    let head =
        format!("GET {target} HTTP/1.1\r\nHost: localhost\r\nSEC: {}\r\nConnection: close\r\n\r\n", token());
    stream.write_all(head.as_bytes()).unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).is_ok() && answer.ends_with(b"\r\n\r\n{}")
}

fn ended(mut child: Child) -> Option<i32> {
    let _ = Command::new("kill").args(["-INT", &child.id().to_string()]).output();
    child.wait().unwrap().code()
}

#[test]
fn a_disk_that_fails_at_any_call_loses_nothing_that_was_committed_and_is_never_a_silent_success() {
    if !can_trace() {
        return;
    }
    let console = raw_console(fine);
    let mut failures = 0;
    for call in ["pwrite64", "fdatasync", "fsync", "rename"] {
        for nth in 1..=4 {
            let lab = Lab::new();
            let what = format!("{call} {nth}");
            let (child, port) = recorder(&lab, &console, &format!("{call}:error=EIO:when={nth}"), "always");
            let targets = (0..REQUESTS).map(|n| format!("/api/x/{n}"));
            let committed: Vec<String> = match port {
                Some(port) => targets.filter(|target| get(port, target)).collect(),
                None => Vec::new(),
            };
            let code = ended(child);
            let stderr = lab.read("err");
            lab.show(stderr.as_bytes());
            failures += u32::from(stderr.contains("Input/output error"));
            if code == Some(0) {
                assert!(lab.file("c.json").exists(), "{what}: {stderr}");
                assert!(!lab.file("c.journal").exists(), "{what}: {stderr}");
            } else {
                assert!(
                    stderr.contains("error: ") && stderr.contains("Input/output error"),
                    "{what}: {stderr}"
                );
            }
            if committed.is_empty() {
                continue;
            }
            let fixed = lab.run(&["lint", "--fix", "c.json"]);
            assert_eq!(fixed.code, Some(0), "{what}: {}{}", fixed.stdout, fixed.stderr);
            let text = lab.read("c.json");
            let there: BTreeSet<&str> =
                text.lines().filter_map(|line| line.trim().strip_prefix("\"target\": ")).collect();
            for target in committed {
                assert!(
                    there.contains(format!("\"{target}\",").as_str()),
                    "{what}: {target} is lost: {there:?}"
                );
            }
        }
    }
    assert!(failures >= 8, "the calls did fail: {failures}");
}

#[test]
fn a_slow_disk_slows_no_request() {
    if !can_trace() {
        return;
    }
    let lab = Lab::new();
    let console = raw_console(fine);
    let (child, port) = recorder(&lab, &console, "fdatasync:delay_exit=1000000", "grouped");
    let port = port.unwrap();
    let began = Instant::now();
    for n in 0..10 {
        assert!(get(port, &format!("/api/x/{n}")));
    }
    let took = began.elapsed();
    assert!(took < Duration::from_secs(5), "ten requests took {took:?}, a sync takes a second");
    assert_eq!(ended(child), Some(0));
    lab.show(lab.read("err").as_bytes());
    assert_eq!(lab.read("c.json").matches("\"/api/x/").count(), 10);
}

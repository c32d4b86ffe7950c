//! A replay needs nothing from outside, and leaves nothing of what it knows behind: no key of its TLS, no core file.

use crate::harness;

use std::io::{BufRead, BufReader};
use std::os::unix::process::ExitStatusExt;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use harness::{Lab, files};

const FAULTDECK: &str = env!("CARGO_BIN_EXE_faultdeck");

/// A run whose command polls the recorded task to its end.
const RUN: [&str; 16] = [
    FAULTDECK,
    "run",
    "--tls",
    "--scenario",
    "mine.toml",
    "--",
    FAULTDECK,
    "client",
    "careful",
    "wait",
    "--base",
    "{base_url}",
    "--id",
    "956",
    "--pace-ms",
    "1",
];

fn lab() -> Lab {
    let lab = Lab::new();
    lab.write("mine.toml", "summary = \"s\"\ncassette = \"builtin:forensics/create-case\"\n");
    lab
}

#[test]
fn a_replay_works_where_there_is_no_network_and_with_any_word_for_a_token() {
    let lab = lab();
    let alone = |script: &str, rest: &[&str]| {
        let mut command = Command::new("timeout");
        command.args(["--signal=KILL", "60", "unshare", "-rn", "sh", "-c", script]).args(rest);
        command.env_clear().env("PATH", std::env::var("PATH").unwrap());
        command.env("FAULTDECK_HOME", lab.file("home")).env("SEC_TOKEN", "any").current_dir(lab.path());
        command.output().unwrap()
    };
    if !alone("ip link set lo up", &[]).status.success() {
        println!("skipped: this machine allows no network of one's own");
        return;
    }
    let ended = alone("ip link set lo up; exec \"$0\" \"$@\"", &RUN);
    lab.show(&ended.stdout);
    lab.show(&ended.stderr);
    let stderr = String::from_utf8_lossy(&ended.stderr);
    assert_eq!(ended.status.code(), Some(0), "{}{stderr}", String::from_utf8_lossy(&ended.stdout));
}

#[test]
fn no_variable_makes_it_write_the_keys_of_its_connections() {
    let lab = lab();
    let log = lab.file("keys.log").display().to_string();
    let ended = lab.run_with(&RUN[1..], &[("SSLKEYLOGFILE", &log)]);
    assert_eq!(ended.code, Some(0), "{}{}", ended.stdout, ended.stderr);
    let left: Vec<_> = files(lab.path()).into_iter().filter(|file| file.ends_with("keys.log")).collect();
    assert!(left.is_empty(), "{left:?}");
}

#[test]
fn a_crash_leaves_no_core_file() {
    let lab = lab();
    let mut child = Command::new("prlimit")
        .args(["--core=unlimited", FAULTDECK, "emulate"])
        .current_dir(lab.path())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut String::new()).unwrap();
    let sent = Command::new("kill").args(["-ABRT", &child.id().to_string()]).status().unwrap();
    assert!(sent.success());
    let until = Instant::now() + Duration::from_secs(20);
    let status = loop {
        if let Some(status) = child.try_wait().unwrap() {
            break status;
        }
        if Instant::now() > until {
            child.kill().unwrap();
        }
        std::thread::sleep(Duration::from_millis(5));
    };
    assert_eq!((status.signal(), status.core_dumped()), (Some(6), false));
}

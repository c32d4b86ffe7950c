//! `faultdeck record` as a process: what it prints, what it ends with, what is left of it when it is killed.

use crate::harness::{Lab, Running};
use crate::raw::raw_console;

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

fn fine(_: &str) -> Vec<u8> {
    b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}".to_vec()
}

/// The names in the lab that start with a dot.
fn hidden(lab: &Lab) -> Vec<String> {
    let names = std::fs::read_dir(lab.path()).unwrap().map(|entry| entry.unwrap().file_name());
    names.map(|name| name.to_string_lossy().into_owned()).filter(|name| name.starts_with('.')).collect()
}

#[test]
fn a_recorder_that_is_killed_leaves_a_journal_that_every_verb_knows_and_the_next_recorder_goes_on_with() {
    let lab = Lab::new();
    let console = raw_console(fine);
    let args = ["record", "--upstream", &console, "--cassette", "c.json", "--committed-file", "committed"];
    let killed = lab.serve(&args);
    for n in 0..5 {
        killed.get(&format!("/api/early/{n}"));
    }
    // With the one that the lab itself sends.
    let answered = Instant::now();
    while lab.read("committed").lines().last() != Some("6") {
        assert!(answered.elapsed() < Duration::from_secs(1), "committed 50 ms later, and the time of a sync");
        std::thread::sleep(Duration::from_millis(5));
    }
    assert!(killed.signal("KILL").code.is_none());
    assert_eq!(hidden(&lab), [".c.json.faultdeck-recording"], "the mark of a dead process");
    assert!(!lab.file("c.json").exists());

    let linted = lab.run(&["lint", "c.json"]);
    assert_eq!(linted.code, Some(1), "{}", linted.stderr);
    assert!(linted.stdout.contains("c.journal holds 6 interactions"), "{}", linted.stdout);
    assert!(linted.stdout.contains("`faultdeck lint --fix c.json` makes it of them"), "{}", linted.stdout);
    let replay = lab.serve(&["replay", "c.json"]);
    assert_eq!(replay.get("/api/early/4").text(), "{}");
    assert!(replay.stop().stderr.contains("warning: c.journal holds 6 interactions"));

    let next = lab.serve(&args);
    next.get("/api/late");
    let finished = next.stop();
    assert_eq!(finished.code, Some(0), "{}", finished.stderr);
    assert!(finished.stderr.contains("recovered 6 interactions from c.journal"), "{}", finished.stderr);
    assert!(finished.stderr.contains("8 interactions in c.json"), "{}", finished.stderr);
    assert!(hidden(&lab).is_empty() && !lab.file("c.journal").exists());
    assert_eq!(lab.run(&["lint", "c.json"]).code, Some(0), "it loads");
    assert!((0..5).all(|n| lab.read("c.json").contains(&format!("\"/api/early/{n}\""))));
}

#[test]
fn a_recording_that_was_to_replace_a_cassette_and_was_killed_is_never_thrown_away() {
    let lab = Lab::new();
    let console = raw_console(fine);
    let args = ["record", "--upstream", &console, "--cassette", "c.json", "--sync", "always"];
    let first = lab.serve(&args);
    first.get("/api/old");
    assert_eq!(first.stop().code, Some(0));
    let old = lab.read("c.json");
    let again = [&args[..], &["--overwrite"]].concat();
    let killed = lab.serve(&again);
    killed.get("/api/new");
    killed.signal("KILL");

    assert_eq!(lab.read("c.json"), old, "until a recording has ended its cassette is the old one");
    let refused = lab.run(&args);
    assert_eq!(refused.code, Some(2), "{}", refused.stderr);
    assert!(refused.stderr.contains("c.journal beside it holds 2 interactions"), "{}", refused.stderr);
    assert!(refused.stderr.contains("--overwrite goes on with that one"), "{}", refused.stderr);
    let linted = lab.run(&["lint", "--fix", "c.json"]);
    assert_eq!(linted.code, Some(1), "{}", linted.stderr);
    assert!(linted.stdout.contains("c.json does not have them"), "{}", linted.stdout);
    assert_eq!(lab.read("c.json"), old);

    let finished = lab.serve(&again).stop();
    assert_eq!(finished.code, Some(0), "{}", finished.stderr);
    let new = lab.read("c.json");
    assert!(new.contains("\"/api/new\"") && !new.contains("\"/api/old\""), "{new}");
}

#[test]
fn a_recorder_that_was_stopped_for_a_while_goes_on() {
    let lab = Lab::new();
    let console = raw_console(fine);
    let recorder = lab.serve(&["record", "--upstream", &console, "--cassette", "c.json", "--sync", "always"]);
    let signal = |name: &str| {
        let sent = Command::new("kill").args([name, &recorder.id().to_string()]).status().unwrap();
        assert!(sent.success());
    };
    recorder.get("/api/before");
    signal("-STOP");
    std::thread::sleep(Duration::from_secs(2));
    signal("-CONT");
    recorder.get("/api/after");
    let finished = recorder.stop();
    assert_eq!(finished.code, Some(0), "{}", finished.stderr);
    assert!(finished.stderr.contains("3 interactions in c.json"), "{}", finished.stderr);
}

#[test]
fn a_journal_of_a_killed_recorder_becomes_a_cassette_without_a_console() {
    let lab = Lab::new();
    let console = raw_console(fine);
    let args = ["record", "--upstream", &console, "--cassette", "mine", "--sync", "always"];
    let killed = lab.serve(&args);
    killed.get("/api/x");
    killed.signal("KILL");
    assert_eq!(lab.run(&["lint"]).code, Some(1), "it is found in its folder, too");
    let fixed = lab.run(&["lint", "--fix"]);
    assert_eq!(fixed.code, Some(0), "{}{}", fixed.stdout, fixed.stderr);
    assert!(fixed.stdout.contains("made of cassettes/mine.journal, 2 interactions"), "{}", fixed.stdout);
    assert!(lab.read("cassettes/mine.json").contains("\"/api/x\""));
    assert!(!lab.file("cassettes/mine.journal").exists());
}

#[test]
fn a_journal_that_is_left_by_a_kill_holds_no_secret_wherever_it_stood() {
    let lab = Lab::new();
    let token = lab.canary().to_owned();
    let console = raw_console(move |_| {
        let body = format!("{{\"note\":\"{token}\",\"password\":\"{token}\"}}");
        format!("HTTP/1.1 200 OK\r\nX-Echo: {token}\r\nContent-Length: {}\r\n\r\n{body}", body.len())
            .into_bytes()
    });
    let killed = lab.serve(&["record", "--upstream", &console, "--cassette", "c.json", "--sync", "always"]);
    for n in 0..20 {
        killed.get(&format!("/api/{n}?echo={}", lab.canary()));
    }
    killed.signal("KILL");
    assert!(lab.read("c.journal").contains("fd-secret-1"));
    // The lab looks through all its files when it goes.
}

#[test]
fn a_second_recorder_of_the_same_cassette_ends_at_once_and_names_the_first() {
    let lab = Lab::new();
    let console = raw_console(fine);
    let args = ["record", "--upstream", &console, "--cassette", "c.json"];
    let first = lab.serve(&args);
    let mark = lab.read(".c.json.faultdeck-recording");
    let second = lab.run(&args);
    assert_eq!(second.code, Some(2), "{}", second.stderr);
    assert!(second.stderr.contains(&format!("(process {})", mark.trim())), "{}", second.stderr);
    first.get("/api/x");
    assert_eq!(first.stop().code, Some(0));
    assert_eq!(lab.read("c.json").matches("\"/api/x\"").count(), 1);
}

#[test]
fn what_the_console_did_is_said_and_makes_the_exit_one() {
    let lab = Lab::new();
    let console = raw_console(|request| match request.contains("/api/odd") {
        true => {
            b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n".to_vec()
        }
        false => fine(request),
    });
    let recorder = lab.serve(&["record", "--upstream", &console, "--cassette", "c.json"]);
    assert_eq!(recorder.get("/api/fine").status(), 200);
    let odd = recorder.get("/api/odd");
    assert!(odd.status() == 502 && odd.text().contains("the request was sent"), "{}", odd.text());
    let finished = recorder.stop();
    assert_eq!(finished.code, Some(1), "{}", finished.stderr);
    let told = "the console's answer cannot be read: it has both Content-Length and Transfer-Encoding";
    assert!(finished.stderr.contains(&format!("GET /api/odd -> 502 {told}")), "{}", finished.stderr);
    assert!(finished.stderr.contains("1 request sent without an answer"), "{}", finished.stderr);
    assert!(!finished.stderr.contains("did not reach the console"), "{}", finished.stderr);
}

#[test]
fn a_console_that_is_away_is_named_at_the_start_with_the_fix_and_is_not_green() {
    let lab = Lab::new();
    let gone = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let recorder = lab.serve(&["record", "--upstream", &format!("http://{gone}"), "--cassette", "c.json"]);
    let answer = recorder.get("/api/x");
    assert!(answer.status() == 502 && answer.text().contains("nothing was sent"), "{}", answer.text());
    let finished = recorder.stop();
    assert_eq!(finished.code, Some(3), "{}", finished.stderr);
    let (start, rest) = finished.stderr.split_once("recording http://").expect(&finished.stderr);
    assert!(start.contains("warning: cannot connect to the console"), "{start}");
    assert!(start.contains("help: is --upstream right"), "{start}");
    assert!(rest.contains("did not reach the console"), "{rest}");
}

#[test]
fn the_wait_for_a_console_is_a_flag() {
    let lab = Lab::new();
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", silent.local_addr().unwrap());
    let args = ["record", "--upstream", &url, "--cassette", "c.json", "--console-timeout", "1"];
    let recorder = lab.serve(&args);
    let began = Instant::now();
    let answer = recorder.get("/api/x");
    assert!(answer.status() == 504 && answer.text().contains("within 1 s"), "{}", answer.text());
    assert!(began.elapsed() >= Duration::from_secs(1) && began.elapsed() < Duration::from_secs(10));
    assert_eq!(recorder.stop().code, Some(1));
    for wrong in ["0", "3601", "x"] {
        assert_eq!(lab.run(&[&args[..6], &[wrong]].concat()).code, Some(2), "{wrong}");
    }
}

#[test]
fn a_disk_that_takes_no_more_is_named_and_the_recording_goes_on_without_it() {
    let lab = Lab::new();
    let console = raw_console(|_| {
        let body = "x".repeat(20_000);
        format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{body}", body.len()).into_bytes()
    });
    let args = ["record", "--upstream", &console, "--cassette", "c.json", "--committed-file", "committed"];
    let recorder = lab.serve(&args);
    while lab.read("committed").is_empty() {
        std::thread::sleep(Duration::from_millis(5));
    }
    quota(&recorder, Some(8 * 1024));
    assert_eq!(recorder.get("/api/x").status(), 200);
    // Longer than a save and its next try.
    std::thread::sleep(Duration::from_millis(2500));
    assert_eq!(recorder.get("/api/y").status(), 200, "clients go on");
    assert!(!lab.file("c.json").exists(), "no half of a file");
    let finished = recorder.stop();
    assert_eq!(finished.code, Some(1), "{}", finished.stderr);
    let told = "the recording cannot be saved: ";
    assert_eq!(finished.stderr.matches(told).count(), 1, "{}", finished.stderr);
    assert!(finished.stderr.contains("c.journal: File too large"), "{}", finished.stderr);
    assert!(finished.stderr.contains("raise the limit on the length of files"), "{}", finished.stderr);
    assert!(finished.stderr.contains("error: the recording could not be saved"), "{}", finished.stderr);
    assert!(
        finished.stderr.contains("what is committed is safe in c.journal (interactions: 1)"),
        "{}",
        finished.stderr
    );
    assert!(hidden(&lab).is_empty(), "{:?}", hidden(&lab));
    // What was committed before is still there, and nothing half behind it.
    assert_eq!(lab.run(&["lint", "--fix", "c.json"]).code, Some(0));
    assert!(lab.read("c.json").contains("/api/plant") && !lab.read("c.json").contains("\"/api/x\""));
}

/// Limits the length of files that a process may write; `None` lifts it.
fn quota(running: &Running, bytes: Option<u64>) {
    let process = rustix::process::Pid::from_raw(i32::try_from(running.id()).unwrap());
    let limit = rustix::process::Rlimit { current: bytes, maximum: None };
    rustix::process::prlimit(process, rustix::process::Resource::Fsize, limit).unwrap();
}

const MOUNT: &str = "mount -t tmpfs -o size=64k tmpfs small";

/// A shell in a room of its own, where it may mount what it likes.
fn room(lab: &Lab, console: &str, script: &str) -> Command {
    let mut command = Command::new("unshare");
    command.args(["-rm", "sh", "-c", script, env!("CARGO_BIN_EXE_faultdeck"), console]);
    command.current_dir(lab.path()).env("SEC_TOKEN", lab.canary()).env_remove("CI");
    command.stdin(Stdio::null());
    command
}

/// Whether there can be a file system of one's own here; where a machine allows none, or the program cannot be reached
/// from there (its folder belongs to another user), the test says that it is skipped.
fn can_mount(lab: &Lab, console: &str) -> bool {
    std::fs::create_dir(lab.file("small")).unwrap();
    let mut asked = room(lab, console, &format!("{MOUNT} && \"$0\" --version"));
    let can = asked.stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok_and(|status| status.success());
    if !can {
        println!("skipped: this machine allows no file system of one's own");
    }
    can
}

#[test]
fn a_folder_that_cannot_be_written_is_named_before_anything_is_recorded() {
    let lab = Lab::new();
    let console = raw_console(fine);
    if !can_mount(&lab, &console) {
        return;
    }
    let script = format!(
        "{MOUNT} && mount -o remount,ro small && exec \"$0\" record --upstream \"$1\" --cassette small/c.json"
    );
    let output = room(&lab, &console, &script).output().unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{stderr}");
    assert!(stderr.contains("cannot write to small: Read-only file system"), "{stderr}");
    assert!(stderr.contains("make that folder writable"), "{stderr}");
}

#[test]
fn a_disk_that_is_full_is_named_and_what_was_committed_before_stays_whole() {
    let lab = Lab::new();
    let console = raw_console(|request| {
        let body = "x".repeat(if request.contains("/api/large") { 100_000 } else { 10 });
        format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{body}", body.len()).into_bytes()
    });
    let room = |script: &str| room(&lab, &console, script);
    if !can_mount(&lab, &console) {
        return;
    }
    let mount = MOUNT;
    // Only the recorder has the standard output that is read here: one that does not start ends the reading.
    let record = format!(
        "exec 3>&1 >&2; {mount}; \"$0\" record --upstream \"$1\" --cassette small/c.json >&3 3>&- & exec 3>&-; read end; kill -INT $!; wait $!; code=$?; \"$0\" lint --fix small/c.json >&2; cat small/c.json >&2; exit $code"
    );
    let mut child =
        room(&record).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut url = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut url).unwrap();
    if url.is_empty() {
        drop(child.stdin.take());
        panic!("the recorder did not start: {:?}", child.wait_with_output());
    }
    let get = |target: &str| {
        let mut stream = TcpStream::connect(url.trim().strip_prefix("http://").unwrap()).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        let head = format!(
            "GET {target} HTTP/1.1\r\nHost: localhost\r\nSEC: {}\r\nConnection: close\r\n\r\n",
            lab.canary()
        );
        stream.write_all(head.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
    };
    get("/api/small");
    // Longer than it takes until a save.
    std::thread::sleep(Duration::from_millis(2500));
    get("/api/large");
    get("/api/after");
    std::thread::sleep(Duration::from_millis(2500));
    child.stdin.take().unwrap().write_all(b"end\n").unwrap();
    let ended = child.wait_with_output().unwrap();
    lab.show(&ended.stderr);
    let stderr = String::from_utf8_lossy(&ended.stderr);
    assert_eq!(ended.status.code(), Some(1), "{stderr}");
    assert!(
        stderr.contains("the recording cannot be saved: ") && stderr.contains("No space left"),
        "{stderr}"
    );
    let (_, saved) = stderr.split_once("\n{\n").expect(&stderr);
    assert!(
        saved.contains("/api/small") && saved.trim_end().ends_with('}') && !saved.contains("/api/large"),
        "{saved}"
    );
}

//! A ledger is written while the run goes on, and nothing of an exchange is kept in memory.

use std::fs::{self, OpenOptions};
use std::io::Read;
use std::os::unix::fs::OpenOptionsExt;
use std::process::Command;
use std::thread::sleep;
use std::time::{Duration, Instant};

use crate::harness::{Lab, Running};
use faultdeck::ledger::{self, Line};

const TASK: &str = "/api/forensics/case_management/case_create_tasks/956";
/// As long as a line may take to the file.
const SOON: Duration = Duration::from_millis(500);

/// The resident set of a process, in KiB.
fn resident(running: &Running) -> usize {
    let status = fs::read_to_string(format!("/proc/{}/status", running.id())).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}

fn exchanges(text: &str) -> usize {
    text.lines().filter(|line| line.starts_with("{\"exchange\"")).count()
}

#[test]
fn a_replay_that_is_killed_has_written_what_it_served() {
    let lab = Lab::new();
    let replay = lab.replay(&["--ledger", "l.jsonl"]);
    let before = exchanges(&lab.read("l.jsonl"));
    (0..5).for_each(|_| assert_eq!(replay.get(TASK).status(), 200));
    sleep(SOON);
    drop(replay);
    let text = lab.read("l.jsonl");
    assert!(exchanges(&text) >= before + 5, "{text}");
    let lines = ledger::read(&text).unwrap();
    assert!(matches!(lines.first(), Some(Line::Run(_))) && !matches!(lines.last(), Some(Line::End(_))));
    let report = lab.run(&["report", "l.jsonl"]);
    assert!(report.stdout.contains("the run was cut short"), "{}", report.stdout);
}

#[test]
fn a_command_under_test_that_is_killed_with_its_run_has_left_its_ledger() {
    let lab = Lab::new();
    let script = "for n in 1 2 3; do curl -s -H 'SEC: any' \"$FAULTDECK_URL/api/forensics/case_management/case_create_tasks/956\"; done; sleep 60";
    let args = [
        "run",
        "--cassette",
        "builtin:forensics/create-case",
        "--ledger",
        "l.jsonl",
        "--",
        "sh",
        "-c",
        script,
    ];
    let mut run = lab.start(&args);
    let until = Instant::now() + Duration::from_secs(20);
    while exchanges(&fs::read_to_string(lab.file("l.jsonl")).unwrap_or_default()) < 3 {
        assert!(Instant::now() < until, "nothing is written while it runs");
        sleep(Duration::from_millis(20));
    }
    run.kill().unwrap();
    run.wait().unwrap();
    let lines = ledger::read(&lab.read("l.jsonl")).unwrap();
    assert!(
        matches!(lines.first(), Some(Line::Run(run)) if run.command.first().is_some_and(|word| word == "sh"))
    );
}

#[test]
fn a_ledger_that_was_taken_away_while_it_was_written_is_not_passed_over() {
    let asked =
        "curl -s -H 'SEC: any' \"$FAULTDECK_URL/api/forensics/case_management/case_create_tasks/956\"";
    for taken in
        ["rm l.jsonl", "rm l.jsonl; mkdir l.jsonl", "mv l.jsonl other", "rm l.jsonl; echo mine > l.jsonl"]
    {
        let lab = Lab::new();
        let script = format!("{asked} && {taken}");
        let args = ["run", "--cassette", "builtin:forensics/create-case", "--ledger", "l.jsonl"];
        let ended = lab.run(&[&args[..], &["--", "sh", "-c", &script]].concat());
        assert_eq!(ended.code, Some(2), "{taken}: {}", ended.stderr);
        assert!(ended.stderr.contains("l.jsonl"), "{taken}: {}", ended.stderr);
    }
    let lab = Lab::new();
    let args = ["run", "--cassette", "builtin:forensics/create-case", "--ledger", "l.jsonl"];
    let ended = lab.run(&[&args[..], &["--", "sh", "-c", &format!("{asked} && echo x >> other")]].concat());
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
}

#[test]
fn what_turns_out_to_be_a_secret_is_taken_out_of_what_was_written() {
    let lab = Lab::new();
    // What has gone to a terminal cannot be taken back.
    let replay = lab.replay(&["--quiet", "--ledger", "l.jsonl"]);
    let late = "zq81kk20ab77xy03";
    lab.hide(late);
    // Nothing about it says what it is.
    assert_eq!(replay.get(&format!("{TASK}?note={late}")).status(), 200);
    sleep(SOON);
    assert!(lab.read("l.jsonl").contains(late));
    replay.request("GET", TASK, &[("Cookie", &format!("SEC={late}"))], b"");
    sleep(SOON);
    let text = lab.read("l.jsonl");
    assert!(!text.contains(late) && exchanges(&text) >= 2, "{text}");
    // What is written after that goes to the same file.
    assert_eq!(replay.get(TASK).status(), 200);
    let served = exchanges(&text) + 1;
    replay.stop();
    let text = lab.read("l.jsonl");
    assert_eq!(exchanges(&text), served);
    assert!(matches!(ledger::read(&text).unwrap().last(), Some(Line::End(_))));
}

#[test]
fn what_is_served_again_and_again_has_its_numbers_and_hides_what_was_learnt_meanwhile() {
    let lab = Lab::new();
    let replay = lab.replay(&["--quiet", "--ledger", "l.jsonl"]);
    let late = "zq81kk20ab77xy04";
    lab.hide(late);
    let noted = format!("{TASK}?note={late}");
    (0..12).for_each(|_| assert_eq!(replay.get(&noted).status(), 200));
    replay.request("GET", TASK, &[("Cookie", &format!("SEC={late}"))], b"");
    (0..12).for_each(|_| assert_eq!(replay.get(&noted).status(), 200));
    replay.stop();
    let text = lab.read("l.jsonl");
    assert!(!text.contains(late), "{text}");
    let lines = ledger::read(&text).unwrap();
    let numbers: Vec<(u32, u32)> = lines
        .iter()
        .filter_map(|line| match line {
            Line::Exchange(exchange) => Some((exchange.key.nth, exchange.tick?)),
            _ => None,
        })
        .collect();
    assert_eq!(numbers, (1..=25).map(|nth| (nth, nth - 1)).collect::<Vec<_>>());
    let timed: Vec<u32> = lines
        .iter()
        .filter_map(|line| match line {
            Line::Timing(timing) if timing.key.resource.ends_with("case_create_tasks/956") => {
                assert!(timing.sent_bytes > 0 && !timing.cut_short);
                Some(timing.key.nth)
            }
            _ => None,
        })
        .collect();
    assert_eq!(timed, (1..=25).collect::<Vec<_>>());
}

#[test]
fn memory_stays_as_it_is_however_much_is_served() {
    let lab = Lab::new();
    for more in [&["--quiet"][..], &["--quiet", "--ledger", "l.jsonl"]] {
        let replay = lab.replay(more);
        let long = "x".repeat(30_000);
        let ask = || assert_eq!(replay.request("GET", TASK, &[("X-Long", &long)], b"").status(), 200);
        (0..200).for_each(|_| ask());
        let before = resident(&replay);
        (0..1200).for_each(|_| ask());
        let grown = resident(&replay).saturating_sub(before);
        // Kept in memory it would be 36 MB at least.
        assert!(grown < 12 * 1024, "{more:?}: {grown} KiB more");
    }
}

#[test]
fn a_ledger_that_nobody_reads_stops_no_server_and_its_gap_is_no_secret() {
    let lab = Lab::new();
    let fifo = lab.file("fifo");
    assert!(Command::new("mkfifo").arg(&fifo).status().unwrap().success());
    // It can be opened without a writer, and is read much later.
    let mut reader = OpenOptions::new().read(true).custom_flags(0o4000).open(&fifo).unwrap();
    let replay = lab.replay(&["--quiet", "--ledger", "fifo"]);
    let long = "x".repeat(60_000);
    for _ in 0..200 {
        assert_eq!(replay.request("GET", TASK, &[("X-Long", &long)], b"").status(), 200);
    }
    let finished = replay.stop();
    assert_eq!(finished.code, Some(1), "{}", finished.stderr);
    assert!(finished.stderr.contains("missing from the ledger"), "{}", finished.stderr);
    let mut start = [0; 4096];
    assert!(reader.read(&mut start).unwrap() > 0);
}

#[test]
fn a_ledger_that_is_read_from_a_pipe_is_whole() {
    let lab = Lab::new();
    let fifo = lab.file("fifo");
    assert!(Command::new("mkfifo").arg(&fifo).status().unwrap().success());
    let of_reader = fifo.clone();
    let reader = std::thread::spawn(move || fs::read_to_string(of_reader).unwrap());
    let replay = lab.replay(&["--quiet", "--ledger", "fifo"]);
    (0..100).for_each(|_| assert_eq!(replay.get(TASK).status(), 200));
    assert_eq!(replay.stop().code, Some(0));
    let text = reader.join().unwrap();
    lab.show(text.as_bytes());
    assert!(exchanges(&text) >= 100 && matches!(ledger::read(&text).unwrap().last(), Some(Line::End(_))));
}

#[test]
fn quiet_prints_no_line_for_a_request_and_the_account_all_the_same() {
    let lab = Lab::new();
    for (more, is_quiet) in [(&["--quiet"][..], true), (&[], false)] {
        let replay = lab.replay(more);
        assert_eq!(replay.get(TASK).status(), 200);
        assert_eq!(replay.get("/api/nowhere/at/all").status(), 501);
        let err = replay.stop().stderr;
        assert_eq!(!err.contains("-> 200 recorded"), is_quiet, "{err}");
        assert!(err.contains("GET /api/nowhere/at/all: not recorded"), "{err}");
        assert!(err.contains("1 from the recording"), "{err}");
    }
}

//! `--fault`, `--time-scale` and a clock that is stepped by hand, over the real binary.

use crate::harness;

use std::process::Command;
use std::time::{Duration, Instant};

use harness::{CASES, Lab, TASKS};

const CREATE_CASE: &str = "builtin:forensics/create-case";
/// The task that the shipped cassette holds.
const TASK: &str = "956";

#[test]
fn a_fault_needs_no_scenario_and_stands_in_the_ledger_as_it_was_typed() {
    let lab = Lab::new();
    let fault = "api-error:500/1020@case_create_tasks.get#2";
    let server = lab.replay(&["--fault", fault, "--ledger", "l.jsonl"]);
    let target = format!("{TASKS}/{TASK}");
    let statuses: Vec<u16> = (0..3).map(|_| server.get(&target).status()).collect();
    assert_eq!(statuses, [200, 500, 200]);
    let finished = server.stop();
    assert_eq!(finished.code, Some(0), "{}", finished.stderr);
    let in_full =
        fault.replace("case_create_tasks.get", "GET /forensics/case_management/case_create_tasks/{id}");
    assert!(lab.read("l.jsonl").contains(&in_full), "{}", lab.read("l.jsonl"));
}

#[test]
fn a_fault_that_never_fires_and_one_that_cannot_be_read_are_said_aloud() {
    let lab = Lab::new();
    let server = lab.replay(&["--fault", "hang#7"]);
    server.get(&format!("{TASKS}/{TASK}"));
    let finished = server.stop();
    assert_eq!(finished.code, Some(3));
    assert!(finished.stderr.contains("hang#7"), "{}", finished.stderr);

    let wrong = lab.run(&["replay", CREATE_CASE, "--fault", "hagn"]);
    assert_eq!(wrong.code, Some(2));
    assert!(wrong.stderr.contains("did you mean `hang`?"), "{}", wrong.stderr);
}

#[test]
fn faults_of_a_line_come_after_those_of_a_scenario_and_change_none_of_their_draws() {
    let lab = Lab::new();
    lab.write(
        "s.toml",
        "summary = \"x\"\n[[fault]]\nname = \"first\"\nwhen = { nth = \"1-\", chance = \"1/2\" }\n\
         inject = { api-error = { status = 401, code = 18 } }\n",
    );
    let statuses = |more: &[&str]| {
        let server = lab.replay(&[&["--scenario", "s.toml", "--seed", "5"], more].concat());
        (0..12).map(|_| server.get(&format!("{TASKS}/{TASK}")).status()).collect::<Vec<_>>()
    };
    let alone = statuses(&[]);
    let more = statuses(&["--fault", "api-error:500/1020@case_create_tasks.get#3-?after=first"]);
    assert!(alone.contains(&401) && alone.contains(&200), "{alone:?}");
    let kept = |status: u16, other: u16| status != 401 || other == 401;
    assert!(alone.iter().zip(&more).all(|(alone, more)| kept(*alone, *more)), "{alone:?} {more:?}");
    assert!(more.contains(&500), "{more:?}");
}

#[test]
fn the_small_console_misbehaves_as_planned_and_owes_nobody_a_fault() {
    let lab = Lab::new();
    let server = lab.serve(&["emulate", "--fault", "api-error:500/1020@cases.list#2", "--fault", "hang#99"]);
    let statuses: Vec<u16> = (0..3).map(|_| server.get(CASES).status()).collect();
    assert_eq!(statuses, [200, 500, 200]);
    let finished = server.stop();
    assert_eq!(finished.code, Some(0), "{}", finished.stderr);
}

#[test]
fn a_run_under_a_line_of_its_own_can_be_repeated() {
    let lab = Lab::new();
    let ask =
        format!("curl -s -o /dev/null -w '%{{http_code}} ' -H 'SEC: any' \"$FAULTDECK_URL{TASKS}/{TASK}\"");
    let script = format!("{ask}; {ask}; echo \"scale $FAULTDECK_TIME_SCALE\"");
    let fault = "api-error:500/1020@case_create_tasks.get#2";
    let run = lab.run(&["run", "--cassette", CREATE_CASE, "--fault", fault, "--", "sh", "-c", &script]);
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    assert!(run.stdout.starts_with("200 500 scale 1"), "{}", run.stdout);
    let last = run.stderr.lines().last().unwrap_or_default();
    assert!(
        last.starts_with("repeat it: faultdeck run ") && last.contains(fault) && last.contains("--seed 1"),
        "{last}"
    );
    assert!(run.stderr.lines().next().unwrap_or_default().contains("seed 1"), "{}", run.stderr);
}

#[test]
fn a_judged_client_meets_a_line_of_its_own() {
    let lab = Lab::new();
    let judged =
        lab.run(&["judge", "builtin:careful", "--fault", "api-error:500/1020@case_create_tasks.get#1-"]);
    assert_eq!(judged.code, Some(0), "{}{}", judged.stdout, judged.stderr);
    assert!(judged.stdout.contains("names-the-error"), "{}", judged.stdout);
}

#[test]
fn time_runs_faster_and_the_ledger_says_what_it_would_have_been() {
    let lab = Lab::new();
    let server = lab.replay(&[
        "--fault",
        "latency:30000@case_create_tasks.get",
        "--time-scale",
        "100",
        "--ledger",
        "l.jsonl",
    ]);
    let began = Instant::now();
    assert_eq!(server.get(&format!("{TASKS}/{TASK}")).status(), 200);
    let took = began.elapsed();
    assert!(took >= Duration::from_millis(300) && took < Duration::from_secs(10), "{took:?}");
    server.stop();
    let ledger = lab.read("l.jsonl");
    let timing = ledger
        .lines()
        .filter(|line| line.contains("took_us"))
        .find(|line| line.contains(TASKS.trim_start_matches("/api")));
    let timing = timing.unwrap();
    let after = timing.split("\"took_us\":").nth(1).unwrap();
    let micros: u64 = after.chars().take_while(char::is_ascii_digit).collect::<String>().parse().unwrap();
    assert!(micros >= 30_000_000, "{timing}");
}

#[test]
fn a_clock_is_stepped_by_a_signal() {
    let lab = Lab::new();
    lab.write(
        "s.toml",
        "summary = \"x\"\nclock = { by = \"hand\" }\n[deployment]\npicked_up_at = 1\n[[deployment.hosts]]\n\
         name = \"console\"\nchanges = [{ at = 2, becomes = \"done\" }]\n",
    );
    let server = lab.replay(&["--scenario", "s.toml"]);
    let state = || {
        let text = server.get(&format!("{TASKS}/{TASK}?fields=state")).text();
        text.split('"').nth(3).unwrap_or_default().to_owned()
    };
    assert_eq!([state(), state(), state()], ["WAITING"; 3], "polls do not move it");
    for expected in ["PROCESSING", "COMPLETE"] {
        let sent = Command::new("kill").args(["-USR1", &server.id().to_string()]).status().unwrap();
        assert!(sent.success());
        let until = Instant::now() + Duration::from_secs(20);
        while state() != expected && Instant::now() < until {
            std::thread::sleep(Duration::from_millis(10));
        }
        assert_eq!(state(), expected);
    }
}

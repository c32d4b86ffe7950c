//! `run --chaos`: trouble that is drawn over what a command asks for, and the smallest of it that the command fails under.

use crate::harness;

use std::path::Path;
use std::process::Command;

use faultdeck::ledger::{self, Line, RanLine, RunStanding};
use faultdeck::profile::Profile;
use faultdeck::scenario::Scenario;
use harness::{CASES, Finished, Lab, TASKS};

const FAULTDECK: &str = env!("CARGO_BIN_EXE_faultdeck");
const CASSETTE: [&str; 2] = ["--cassette", "builtin:forensics/create-case"];

fn run(lab: &Lab, flags: &[&str], command: &[&str]) -> Finished {
    lab.run(&[&["run"], &CASSETTE[..], flags, &["--"], command].concat())
}

fn careful(job: &str) -> Vec<String> {
    let of = match job {
        "create" => &["--name", "Fresh case 9"][..],
        _ => &["--id", "956"],
    };
    let base = [FAULTDECK, "client", "careful", job, "--base", "{base_url}"];
    base.iter().chain(of).chain(&["--pace-ms", "1"]).map(|word| (*word).to_owned()).collect()
}

/// Asks for the cases and for a task, once each, and crashes if it gets neither: one fault does it no harm.
fn needs_two() -> String {
    let ask =
        |target: &str| format!("curl -sf --max-time 3 -o /dev/null -H 'SEC: any' \"$FAULTDECK_URL{target}\"");
    format!(
        "{} || a=1; {} || b=1; [ \"$a$b\" = 11 ] && kill -ABRT $$; exit 0",
        ask(CASES),
        ask(&format!("{TASKS}/956"))
    )
}

fn runs(lab: &Lab) -> Vec<RanLine> {
    let lines = ledger::read(&lab.read("l.jsonl")).unwrap();
    let ran = lines.into_iter().filter_map(|line| match line {
        Line::Ran(ran) => Some(*ran),
        _ => None,
    });
    ran.collect()
}

/// The words of the line that repeats a run, without the program.
fn words(line: &str) -> Vec<String> {
    let shell = Command::new("sh").args(["-c", &format!("printf '%s\\n' {line}")]).output().unwrap();
    String::from_utf8(shell.stdout).unwrap().lines().skip(1).map(str::to_owned).collect()
}

#[test]
fn a_defect_that_needs_two_faults_ends_with_two_and_its_last_line_and_its_file_repeat_it() {
    let lab = Lab::new();
    let script = needs_two();
    let command = ["sh", "-c", &script];
    let flags = ["--chaos", "--seeds", "100", "--jobs", "2", "--save", "found.toml", "--ledger", "l.jsonl"];
    let found = run(&lab, &flags, &command);
    assert_eq!(found.code, Some(1), "{}", found.stderr);
    let all = runs(&lab);
    assert_eq!(all.len(), 100);
    let failed = all.iter().filter(|ran| ran.standing == RunStanding::Failed).count();
    assert!((1..100).contains(&failed), "{}", found.stderr);
    assert!(all.iter().all(|ran| ran.repeat.contains("--fault ")), "each run is told with its plan");
    assert!(
        found.stderr.contains("fails with 2 of its ") || found.stderr.contains("with all of its 2"),
        "{}",
        found.stderr
    );
    assert!(found.stderr.contains("3 of 3 times"), "{}", found.stderr);
    let last = found.stderr.lines().last().unwrap().strip_prefix("repeat it: ").unwrap().to_owned();
    assert_eq!(last.matches("--fault ").count(), 2, "{last}");
    let again = lab.run(&words(&last));
    assert!(again.code == Some(1) && again.stderr.contains("ended by signal 6"), "{last}\n{}", again.stderr);
    let file = lab.file("found.toml");
    let scenario = Scenario::load(&file, Profile::builtin()).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(scenario.faults.len(), 2);
    let seed = words(&last).into_iter().skip_while(|word| word != "--seed").nth(1).unwrap();
    let path = file.display().to_string();
    let from_file = lab.run(&["run", "--scenario", &path, "--seed", &seed, "--", "sh", "-c", &script]);
    assert!(from_file.code == Some(1) && from_file.stderr.contains("signal 6"), "{}", from_file.stderr);
    // What is there is not overwritten.
    let refused = run(&lab, &flags, &command);
    assert!(
        refused.code == Some(2) && refused.stderr.contains("another file for --save"),
        "{}",
        refused.stderr
    );
}

#[test]
fn the_same_seeds_have_the_same_plans_however_many_run_at_a_time() {
    let lab = Lab::new();
    let command = careful("wait");
    let command: Vec<&str> = command.iter().map(String::as_str).collect();
    let plans = |jobs: &str| {
        let flags = ["--chaos", "--seeds", "3..9", "--jobs", jobs, "--ledger", "l.jsonl"];
        let ran = run(&lab, &flags, &command);
        assert_eq!(ran.code, Some(0), "{}", ran.stderr);
        let mut all: Vec<(u64, String)> = runs(&lab).into_iter().map(|ran| (ran.seed, ran.repeat)).collect();
        all.sort();
        all
    };
    assert_eq!(plans("1"), plans("3"));
}

#[test]
fn a_careful_client_is_green_under_any_seed() {
    let lab = Lab::new();
    for job in ["get", "wait", "create"] {
        let command = careful(job);
        let command: Vec<&str> = command.iter().map(String::as_str).collect();
        // What it is asked for by a single look is not done yet, and it says so.
        let ran = run(&lab, &["--chaos", "--command", "any", "--seeds", "60", "--jobs", "2"], &command);
        assert_eq!(ran.code, Some(0), "{job}: {}", ran.stderr);
    }
}

#[test]
fn a_client_that_hangs_is_found_and_one_fault_is_left() {
    let lab = Lab::new();
    // It waits for an answer however long that takes, and asks again for ever where none can be read.
    let script = format!(
        "until curl -sf -o /dev/null -H 'SEC: any' \"$FAULTDECK_URL{CASES}\"; do [ -e /proc/self ] && sleep 600; done"
    );
    let found = run(
        &lab,
        &["--chaos", "--seeds", "8", "--jobs", "4", "--timeout", "1", "--again", "0"],
        &["sh", "-c", &script],
    );
    assert_eq!(found.code, Some(1), "{}", found.stderr);
    let last = found.stderr.lines().last().unwrap();
    assert!(last.contains("--timeout 1 ") && last.matches("--fault ").count() == 1, "{}", found.stderr);
    assert!(found.stderr.contains("took longer than 1 s"), "{}", found.stderr);
}

#[test]
fn a_command_that_fails_where_nothing_goes_wrong_is_told_so_and_nothing_is_drawn() {
    let lab = Lab::new();
    let fails = format!(
        "curl -s -o /dev/null -H 'SEC: any' \"$FAULTDECK_URL{CASES}\"; echo a word of its own; exit 4"
    );
    let ran = run(&lab, &["--chaos", "--seeds", "5"], &["sh", "-c", &fails]);
    assert_eq!(ran.code, Some(1), "{}", ran.stderr);
    assert!(
        ran.stderr.contains("has to pass before trouble says anything")
            && ran.stderr.contains("a word of its own")
    );
    assert!(!ran.stderr.contains("chaos#"), "{}", ran.stderr);
    let idle = run(&lab, &["--chaos", "--seeds", "5"], &["true"]);
    assert_eq!(idle.code, Some(3), "{}", idle.stderr);
}

#[test]
fn a_command_that_fails_by_itself_at_times_is_called_flaky_and_no_fault_is_blamed() {
    let lab = Lab::new();
    let ask = format!("curl -s -o /dev/null -H 'SEC: any' \"$FAULTDECK_URL{CASES}\"");
    // From its second run on it crashes, whatever it meets.
    let script = format!("{ask}; [ -e been ] && kill -ABRT $$; touch been");
    let ran = run(&lab, &["--chaos", "--seeds", "2", "--again", "0"], &["sh", "-c", &script]);
    assert_eq!(ran.code, Some(1), "{}", ran.stderr);
    assert!(ran.stderr.contains("none of the faults' doing"), "{}", ran.stderr);
    // Every second run.
    let script = format!(
        "{ask}; if [ -e odd ]; then rm odd; else touch odd; [ -e quiet ] && kill -ABRT $$; touch quiet; fi"
    );
    let ran = run(&lab, &["--chaos", "--seeds", "3"], &["sh", "-c", &script]);
    assert_eq!(ran.code, Some(3), "{}", ran.stderr);
    assert!(ran.stderr.contains("passed 1 of 1 times when it was run again"), "{}", ran.stderr);
}

#[test]
fn what_makes_no_sense_beside_it_is_refused() {
    let lab = Lab::new();
    for flags in [
        &["--chaos", "--scenario", "slow-host"][..],
        &["--chaos", "--fault", "hang"],
        &["--chaos", "--seed", "3"],
        &["--save", "x.toml"],
    ] {
        let ran = run(&lab, flags, &["true"]);
        assert_eq!(ran.code, Some(2), "{flags:?}: {}", ran.stderr);
    }
}

#[test]
fn every_command_of_the_page_about_chaos_does_what_it_says() {
    let lab = Lab::new();
    let text = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/chaos.md")).unwrap();
    let blocks = text.split("```").skip(1).step_by(2).filter(|block| !block.starts_with("text\n"));
    let bin = Path::new(FAULTDECK).parent().unwrap().display().to_string();
    let mut count = 0;
    for block in blocks {
        let output = Command::new("bash")
            .args(["-c", block])
            .current_dir(lab.path())
            .env("PATH", format!("{bin}:{}", std::env::var("PATH").unwrap()))
            .env_remove("CI")
            .output()
            .unwrap();
        lab.show(&output.stdout);
        lab.show(&output.stderr);
        let errors = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(0), "{block}\n{errors}");
        count += 1;
    }
    assert!(count >= 2, "{count}");
}

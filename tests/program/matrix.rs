//! `faultdeck run` over scenarios and seeds: one call, one table, one exit code.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::{Duration, Instant};

use faultdeck::ledger::{self, Line, RanLine, RunStanding};

use crate::harness::{Finished, Lab};

const FAULTDECK: &str = env!("CARGO_BIN_EXE_faultdeck");

/// Polls the recorded task to its end.
const WAIT: [&str; 10] =
    [FAULTDECK, "client", "careful", "wait", "--base", "{base_url}", "--id", "956", "--pace-ms", "1"];

fn run(lab: &Lab, flags: &[&str], command: &[&str]) -> Finished {
    let args = [&["run"], flags, &["--"], command].concat();
    lab.run(&args)
}

/// The first poll is answered 404 in about every second run.
fn by_chance(lab: &Lab) -> String {
    let text = "summary = \"s\"\ncassette = \"builtin:forensics/create-case\"\n\n[[fault]]\nname = \"gone\"\n\
                when = { endpoint = \"case_create_tasks.get\", nth = \"1\", chance = \"1/2\" }\n\
                inject = { api-error = { status = 404, code = 1002 } }\n";
    lab.write("chance.toml", text).display().to_string()
}

fn lines(file: &Path) -> Vec<Line> {
    ledger::read(&std::fs::read_to_string(file).unwrap()).unwrap()
}

fn runs(file: &Path) -> Vec<RanLine> {
    let ran = |line| match line {
        Line::Ran(ran) => Some(*ran),
        _ => None,
    };
    lines(file).into_iter().filter_map(ran).collect()
}

/// The lines of the table of runs.
fn table(text: &str) -> Vec<String> {
    let from = text.find("Runs\n").unwrap();
    text[from..].lines().take_while(|line| !line.is_empty()).map(str::to_owned).collect()
}

fn standings(file: &Path) -> BTreeMap<String, RunStanding> {
    runs(file).into_iter().map(|run| (run.session, run.standing)).collect()
}

#[test]
fn each_scenario_meets_each_seed_where_chance_decides_and_one_where_nothing_does() {
    let lab = Lab::new();
    let ledger = lab.file("l.jsonl");
    let (chance, file) = (by_chance(&lab), ledger.display().to_string());
    let flags =
        ["--scenario", &chance, "--scenario", "builtin:task/slow-host", "--seeds", "12", "--ledger", &file];
    let ran = run(&lab, &flags, &WAIT);
    assert_eq!(ran.code, Some(1), "{}", ran.stderr);
    let of = standings(&ledger);
    assert_eq!(of.len(), 13, "{of:?}");
    assert_eq!(of["task/slow-host#1"], RunStanding::Passed);
    let failed: Vec<RanLine> =
        runs(&ledger).into_iter().filter(|run| run.standing == RunStanding::Failed).collect();
    assert!((2..=10).contains(&failed.len()), "{of:?}");
    // The seed alone decides: each failed run fails again by itself, and the first passed one passes.
    let first = &failed[0];
    assert!(ran.stderr.contains(&format!("repeat it: {}", first.repeat)), "{}", ran.stderr);
    let alone = |seed: u64| run(&lab, &["--scenario", &chance, "--seed", &seed.to_string()], &WAIT).code;
    assert_eq!(alone(first.seed), Some(1));
    let passed = of.iter().find(|(name, it)| name.starts_with("chance#") && **it == RunStanding::Passed);
    assert_eq!(alone(passed.unwrap().0.split_once('#').unwrap().1.parse().unwrap()), Some(0));
}

#[test]
fn a_fault_without_a_name_that_chance_let_fire_is_not_told_as_silent() {
    let lab = Lab::new();
    let with = |chance: &str| {
        let fault = format!("latency:1?chance={chance}");
        run(&lab, &["--scenario", "builtin:task/slow-host", "--fault", &fault, "--seeds", "8"], &WAIT)
    };
    let ran = with("1/2");
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    let never = with("1/1000000");
    assert_eq!(never.code, Some(3), "{}", never.stderr);
    assert!(never.stderr.contains("never fired in any of its runs"), "{}", never.stderr);
}

#[test]
fn a_matrix_is_the_same_one_by_one_and_four_at_a_time() {
    let lab = Lab::new();
    let chance = by_chance(&lab);
    let stable = |jobs: &str| {
        let file = lab.file(&format!("{jobs}.jsonl"));
        let name = file.display().to_string();
        let flags = [
            "--scenario",
            &chance,
            "--scenario",
            "builtin:task/not-found",
            "--seeds",
            "3..9",
            "--jobs",
            jobs,
        ];
        let ran = run(&lab, &[&flags[..], &["--ledger", &name]].concat(), &WAIT);
        assert_eq!(ran.code, Some(1), "{}", ran.stderr);
        ledger::stable(&lines(&file))
    };
    assert_eq!(stable("1"), stable("4"));
}

#[test]
fn a_scenario_of_a_folder_that_the_command_never_comes_near_is_skipped_and_one_that_is_named_is_not() {
    let lab = Lab::new();
    let ledger = lab.file("l.jsonl");
    let file = ledger.display().to_string();
    let both = ["--scenario", "builtin:ariel/", "--scenario", "builtin:task/slow-host", "--ledger", &file];
    let ran = run(&lab, &both, &WAIT);
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    assert!(ran.stderr.contains("skipped, for the command asks for nothing that they are about: ariel/"));
    let of = standings(&ledger);
    assert!(of.len() > 2 && of.values().filter(|it| **it == RunStanding::Passed).count() == 1, "{of:?}");
    let alone = run(&lab, &["--scenario", "builtin:ariel/"], &WAIT);
    assert_eq!(alone.code, Some(3), "{}", alone.stderr);
    assert!(alone.stderr.contains("came near nothing that any scenario is about"), "{}", alone.stderr);
    let name = of.keys().find(|name| name.starts_with("ariel/")).unwrap().split_once('#').unwrap().0;
    let named = run(&lab, &["--scenario", &format!("builtin:{name}"), "--seeds", "1"], &WAIT);
    assert_ne!(named.code, Some(0), "{}", named.stderr);
}

#[test]
fn a_crash_is_no_reason_to_skip() {
    let lab = Lab::new();
    let asks = format!("{FAULTDECK} client careful get --base $FAULTDECK_URL --id 1; kill -SEGV $$");
    let ran = run(&lab, &["--scenario", "builtin:ariel/", "--jobs", "2"], &["sh", "-c", &asks]);
    assert_eq!(ran.code, Some(1), "{}", ran.stderr);
    assert!(ran.stderr.contains("ended by signal 11") && !ran.stderr.contains("skipped"), "{}", ran.stderr);
}

#[test]
fn what_the_command_must_do_is_said_for_one_scenario_of_many() {
    let lab = Lab::new();
    let fails =
        ["sh", "-c", "curl -sf -H 'SEC: any' {base_url}/api/forensics/case_management/case_create_tasks/956"];
    let all = [
        "--scenario",
        "slow-host",
        "--scenario",
        "builtin:task/server-error",
        "--scenario",
        "task/not-found",
    ];
    let may = |words: &[&'static str]| {
        let flags: Vec<&str> = words.iter().flat_map(|word| ["--command", word]).collect();
        run(&lab, &[&all[..], &flags].concat(), &fails)
    };
    let ran = may(&["server-error=fails", "task/not-found=any"]);
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    // The line that repeats a run names what is about that run, and can be run.
    let ran = may(&["server-error=fails"]);
    assert_eq!(ran.code, Some(1), "{}", ran.stderr);
    let repeat = ran.stderr.lines().find(|line| line.contains("repeat it: ")).unwrap().to_owned();
    assert!(repeat.contains("not-found") && !repeat.contains("--command"), "{repeat}");
    let ran = may(&["no-such=fails"]);
    assert_eq!(ran.code, Some(2), "{}", ran.stderr);
}

#[test]
fn a_run_of_a_scenario_that_was_changed_since_is_done_again() {
    let lab = Lab::new();
    let ledger = lab.file("l.jsonl").display().to_string();
    let story = |rest: &str| {
        let text = format!("summary = \"s\"\ncassette = \"builtin:forensics/create-case\"\n{rest}");
        lab.write("mine.toml", &text).display().to_string()
    };
    let mine = story("");
    let flags = ["--scenario", &mine, "--scenario", "builtin:task/slow-host", "--ledger", &ledger];
    assert_eq!(run(&lab, &flags, &WAIT).code, Some(0));
    story(
        "\n[[fault]]\nwhen = { endpoint = \"case_create_tasks.get\", nth = \"1-\" }\ninject = { api-error = { status = 404, code = 1002 } }\n",
    );
    let again = run(&lab, &[&flags[..], &["--resume"]].concat(), &WAIT);
    assert!(again.stderr.contains("1 run, 1 run over already"), "{}", again.stderr);
    assert_eq!(again.code, Some(1), "{}", again.stderr);
}

#[test]
fn a_clock_that_nobody_steps_is_refused_and_requests_are_shown_where_that_is_asked_for() {
    let lab = Lab::new();
    let text = "summary = \"s\"\ncassette = \"builtin:forensics/create-case\"\nclock = { by = \"hand\" }\n";
    let by_hand = lab.write("hand.toml", text).display().to_string();
    let refused = run(&lab, &["--scenario", &by_hand, "--seeds", "2"], &WAIT);
    assert!(refused.code == Some(2) && refused.stderr.contains("stepped by hand"), "{}", refused.stderr);
    let traced = run(&lab, &["--scenario", "builtin:task/slow-host", "--seeds", "2", "--trace"], &WAIT);
    assert!(traced.stderr.contains("case_create_tasks/956 -> 200"), "{}", traced.stderr);
}

#[test]
fn a_run_that_passes_when_it_is_run_again_is_flaky_and_neither_green_nor_red() {
    let lab = Lab::new();
    let script = format!("{} || exit 9; [ -e been ] && exit 0; touch been; exit 1", WAIT.join(" "));
    let flaky = run(&lab, &["--scenario", "builtin:task/slow-host", "--seeds", "1"], &["sh", "-c", &script]);
    assert_eq!(flaky.code, Some(3), "{}", flaky.stderr);
    assert!(flaky.stderr.contains("passed 1 of 1 times when it was run again"), "{}", flaky.stderr);
    let script = format!("{} || exit 9; [ -e was ] && exit 0; touch was; exit 1", WAIT.join(" "));
    let flags = ["--scenario", "builtin:task/slow-host", "--seeds", "1", "--again", "0"];
    let once = run(&lab, &flags, &["sh", "-c", &script]);
    assert_eq!(once.code, Some(1), "{}", once.stderr);
}

#[test]
fn what_was_not_run_is_not_green_and_a_later_call_goes_on_with_it() {
    let lab = Lab::new();
    let ledger = lab.file("l.jsonl");
    let (chance, file) = (by_chance(&lab), ledger.display().to_string());
    let script = format!("{}; [ -e ready ]", WAIT.join(" "));
    let command = ["sh", "-c", script.as_str()];
    let base =
        ["--scenario", &chance, "--scenario", "builtin:task/slow-host", "--seeds", "4", "--ledger", &file];
    let first = run(&lab, &[&base[..], &["--fail-fast"]].concat(), &command);
    assert_eq!(first.code, Some(1), "{}", first.stderr);
    let of = standings(&ledger);
    assert_eq!(of.values().filter(|it| **it == RunStanding::NotRun).count(), 4, "{of:?}");
    lab.write("ready", "");
    let second = run(&lab, &[&base[..], &["--resume"]].concat(), &command);
    assert!(second.stderr.contains("4 runs, 1 run over already"), "{}", second.stderr);
    assert_eq!(second.code, Some(1), "what failed before has failed: {}", second.stderr);
    let of = standings(&ledger);
    assert_eq!(of.values().filter(|it| **it == RunStanding::Failed).count(), 1, "{of:?}");
    assert_eq!(of.values().filter(|it| **it == RunStanding::Passed).count(), 4, "{of:?}");
    let other = run(&lab, &[&base[..], &["--resume"]].concat(), &["true"]);
    assert_eq!(other.code, Some(2), "{}", other.stderr);
    assert!(other.stderr.contains("another command"), "{}", other.stderr);
}

#[test]
fn a_ledger_that_was_torn_in_the_middle_of_a_line_is_gone_on_with() {
    let lab = Lab::new();
    let ledger = lab.file("l.jsonl");
    let file = ledger.display().to_string();
    let base = [
        "--scenario",
        "builtin:task/slow-host",
        "--scenario",
        "builtin:task/partial-completion",
        "--ledger",
        &file,
    ];
    assert_eq!(run(&lab, &base, &WAIT).code, Some(0));
    let whole = std::fs::read_to_string(&ledger).unwrap();
    let at = whole.find("{\"ran\":{\"session\":\"task/partial-completion#1\"").unwrap();
    std::fs::write(&ledger, &whole[..at + 20]).unwrap();
    let again = run(&lab, &[&base[..], &["--resume"]].concat(), &WAIT);
    assert_eq!(again.code, Some(0), "{}", again.stderr);
    assert!(again.stderr.contains("1 run, 1 run over already"), "{}", again.stderr);
    let whole = ledger::stable(&ledger::read(&whole).unwrap());
    assert_eq!(ledger::stable(&lines(&ledger)), whole);
}

#[test]
fn a_part_for_which_no_run_is_left_is_not_green_and_not_missed() {
    let lab = Lab::new();
    let part = |part: usize| {
        let file = lab.file(&format!("{part}.jsonl")).display().to_string();
        let flags = ["--scenario", "builtin:task/slow-host", "--scenario", "builtin:task/all-is-well"];
        let shard = format!("{part}/4");
        (run(&lab, &[&flags[..], &["--shard", &shard, "--ledger", &file]].concat(), &WAIT), file)
    };
    let parts: Vec<(Finished, String)> = (1..=4).map(part).collect();
    let codes: Vec<Option<i32>> = parts.iter().map(|(ran, _)| ran.code).collect();
    assert_eq!(codes, [Some(0), Some(0), Some(3), Some(3)], "{}", parts[0].0.stderr);
    assert!(parts[3].0.stderr.contains("there is nothing to run in this part"), "{}", parts[3].0.stderr);
    let merged = |of: &[usize]| {
        let files = of.iter().map(|part| parts[part - 1].1.as_str());
        let args: Vec<&str> = ["report"].into_iter().chain(files).chain(["--exit-code"]).collect();
        let report = lab.run(&args);
        (report.code, format!("{}{}", report.stdout, report.stderr))
    };
    let all = merged(&[4, 1, 3, 2]);
    assert_eq!((all.0, all.1.contains("missing")), (Some(0), false), "{}", all.1);
    // Who hands in those with runs alone has handed in all there is.
    assert_eq!(merged(&[1, 2]).0, Some(0));
    let one = merged(&[2, 3, 4]);
    assert!(one.0 == Some(3) && one.1.contains("1 of 4 parts of the matrix are missing"), "{}", one.1);
    let none = merged(&[3, 4]);
    assert!(none.0 == Some(3) && none.1.contains("there is nothing to run"), "{}", none.1);
}

#[test]
fn the_parts_of_a_matrix_come_to_the_whole_of_it_in_the_same_table() {
    let lab = Lab::new();
    let chance = by_chance(&lab);
    let all = |shard: &[&str], name: &str| {
        let file = lab.file(name);
        let path = file.display().to_string();
        let scenarios = ["--scenario", &chance, "--scenario", "builtin:task/slow-host"];
        run(&lab, &[&scenarios[..], &["--seeds", "6", "--ledger", &path], shard].concat(), &WAIT);
        path
    };
    let whole = all(&[], "whole.jsonl");
    let parts: Vec<String> =
        (1..=4).map(|part| all(&["--shard", &format!("{part}/4")], &format!("{part}.jsonl"))).collect();
    let merged = lab.file("merged.jsonl").display().to_string();
    let [one, two, three, four] = parts.as_slice() else { panic!("{parts:?}") };
    // In any order.
    let merge = lab.run(&["report", "merge", three, one, four, two, "--out", &merged]);
    assert_eq!(merge.code, Some(0), "{}", merge.stderr);
    let of = |path: &str| {
        let text = lab.run(&["report", path]).stdout;
        let exit = text.lines().find(|line| line.starts_with("exit ")).map(str::to_owned);
        let coverage: Vec<String> = text[text.find("Coverage\n").unwrap()..]
            .lines()
            .take_while(|line| !line.is_empty())
            .map(str::to_owned)
            .collect();
        ((table(&text), coverage), exit.unwrap(), lab.run(&["report", path, "--exit-code"]).code)
    };
    assert_eq!(of(&merged), of(&whole));
    assert_eq!(of(&merged).2, Some(1));
    // A part that nobody handed in has not passed.
    let three = lab.run(&[
        "report",
        "merge",
        one,
        four,
        two,
        "--out",
        &lab.file("three.jsonl").display().to_string(),
    ]);
    assert_eq!(three.code, Some(0), "{}", three.stderr);
    let three = lab.run(&["report", &lab.file("three.jsonl").display().to_string()]).stdout;
    assert!(three.contains("1 of 4 parts of the matrix are missing"), "{three}");
    let sorted = |path: &str| {
        let mut runs = runs(Path::new(path));
        runs.iter_mut().for_each(|run| (run.part, run.whole) = (None, None));
        runs.sort_by(|a, b| a.session.cmp(&b.session));
        runs
    };
    assert_eq!((sorted(&merged), sorted(&merged).len()), (sorted(&whole), 7));
}

#[test]
fn a_matrix_that_is_interrupted_ends_what_runs_and_says_what_did_not() {
    let lab = Lab::new();
    let ledger = lab.file("l.jsonl");
    let file = ledger.display().to_string();
    let flags = [
        "run",
        "--scenario",
        "builtin:task/slow-host",
        "--scenario",
        "builtin:task/not-found",
        "--ledger",
        &file,
    ];
    let mut child = lab.start(&[&flags[..], &["--", "sh", "-c", "touch begun; exec sleep 600"]].concat());
    let patience = Instant::now() + Duration::from_secs(30);
    while !lab.file("begun").exists() && Instant::now() < patience {
        std::thread::sleep(Duration::from_millis(5));
    }
    let pid = rustix::process::Pid::from_raw(i32::try_from(child.id()).unwrap()).unwrap();
    rustix::process::kill_process(pid, rustix::process::Signal::INT).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(3));
    let of = standings(&ledger);
    assert_eq!(of["task/not-found#1"], RunStanding::NotRun, "{of:?}");
    assert_eq!(of["task/slow-host#1"], RunStanding::NotRun, "a later call does it again: {of:?}");
}

#[test]
fn the_time_for_all_runs_ends_the_matrix_and_a_report_has_the_same_table() {
    let lab = Lab::new();
    let ledger = lab.file("l.jsonl");
    let (chance, file) = (by_chance(&lab), ledger.display().to_string());
    let script = format!("{}; sleep 0.6; true", WAIT.join(" "));
    let flags = ["--scenario", &chance, "--seeds", "50", "--budget", "1s", "--again", "0", "--ledger", &file];
    let ran = run(&lab, &flags, &["sh", "-c", &script]);
    assert_eq!(ran.code, Some(3), "{}", ran.stderr);
    assert!(ran.stderr.contains("the time for all was up"), "{}", ran.stderr);
    let report = lab.run(&["report", file.as_str()]);
    assert_eq!(table(&report.stdout), table(&ran.stderr));
}

/// Polls for ever.
fn daemon() -> String {
    format!(
        "{} || exit 9; while :; do {FAULTDECK} client careful get --base $FAULTDECK_URL --id 956; done",
        WAIT.join(" ")
    )
}

#[test]
fn a_poller_that_never_exits_goes_through_fifty_seeds() {
    let lab = Lab::new();
    let ledger = lab.file("l.jsonl");
    let text = "summary = \"s\"\ncassette = \"builtin:forensics/create-case\"\n\n[[fault]]\nname = \"late\"\n\
                when = { endpoint = \"case_create_tasks.get\", nth = \"1\" }\ninject = { latency = { ms = 1, jitter_ms = 5 } }\n";
    let (late, file) = (lab.write("late.toml", text).display().to_string(), ledger.display().to_string());
    let flags = [
        "--scenario",
        &late,
        "--seeds",
        "50",
        "--jobs",
        "2",
        "--until",
        "task-done+2polls",
        "--ledger",
        &file,
    ];
    let ran = run(&lab, &flags, &["sh", "-c", &daemon()]);
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    let of = standings(&ledger);
    assert!(of.len() == 50 && of.values().all(|it| *it == RunStanding::Passed), "{of:?}");
}

#[test]
fn a_command_that_does_not_end_when_it_is_asked_to_has_failed_and_one_that_is_idle_is_asked() {
    let lab = Lab::new();
    let asks = format!("{}; ", WAIT.join(" "));
    let stubborn = format!("trap '' TERM; {asks} while :; do sleep 0.2; done");
    let flags = ["--scenario", "builtin:task/slow-host", "--until", "idle=300ms", "--grace", "1"];
    let ran = run(&lab, &flags, &["sh", "-c", &stubborn]);
    assert_eq!(ran.code, Some(1), "{}", ran.stderr);
    assert!(ran.stderr.contains("did not end within 1 s of SIGTERM, and was killed"), "{}", ran.stderr);
    let meek = format!("{asks} exec sleep 600");
    let ran = run(&lab, &flags, &["sh", "-c", &meek]);
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    assert!(ran.stderr.contains("--until idle=300ms --grace 1"), "{}", ran.stderr);
    let wrong = run(&lab, &["--until", "done"], &["true"]);
    assert!(wrong.code == Some(2) && wrong.stderr.contains("task-done+2polls"), "{}", wrong.stderr);
    let nothing = run(
        &lab,
        &["--cassette", "builtin:forensics/create-case", "--until", "for=200ms"],
        &["sleep", "600"],
    );
    assert_eq!(nothing.code, Some(3), "nothing was asked: {}", nothing.stderr);
}

#[test]
fn a_run_of_a_cassette_that_was_changed_since_is_not_taken_over() {
    let lab = Lab::new();
    let shipped = Path::new(env!("CARGO_MANIFEST_DIR")).join("cassettes/forensics/create-case.json");
    let text = std::fs::read_to_string(shipped).unwrap();
    let mine = lab.write("mine.json", &text).display().to_string();
    let ledger = lab.file("l.jsonl").display().to_string();
    let flags = ["--cassette", &mine, "--seeds", "1", "--ledger", &ledger, "--resume"];
    assert_eq!(run(&lab, &flags, &WAIT).code, Some(0));
    let again = run(&lab, &flags, &WAIT);
    assert!(again.stderr.contains("1 run over already"), "{}", again.stderr);
    lab.write("mine.json", &text.replace("CASE1", "CASE2"));
    let changed = run(&lab, &flags, &WAIT);
    assert!(!changed.stderr.contains("over already"), "{}", changed.stderr);
}

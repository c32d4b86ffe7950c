//! `--scenario -`: a scenario on standard input; and all mistakes of one, wherever it comes from.

use std::io::{BufRead, BufReader, Write as _};
use std::process::{Command, Output, Stdio};

use crate::harness;

use harness::Lab;

const MISS: &str =
    "summary = \"x\"\ncassette = \"builtin:forensics/create-case\"\n[[fault]]\ninject = { hang = {} }\n";

/// The program with a text on its standard input.
fn fed(lab: &Lab, args: &[&str], input: &[u8]) -> Output {
    let mut child = Command::new(env!("CARGO_BIN_EXE_faultdeck"))
        .args(args)
        .current_dir(lab.path())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // A program that reads only so much ends before all is written.
    let _ = child.stdin.take().unwrap().write_all(input);
    let output = child.wait_with_output().unwrap();
    lab.show(&output.stdout);
    lab.show(&output.stderr);
    output
}

fn errors(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn a_scenario_from_standard_input_is_run_and_stands_in_the_ledger() {
    let lab = Lab::new();
    let ran = fed(&lab, &["run", "--scenario", "-", "--ledger", "l.jsonl", "--", "true"], MISS.as_bytes());
    assert_eq!(ran.status.code(), Some(3), "nothing was asked: {}", errors(&ran));
    let again = "faultdeck run --scenario - --seed 1 -- true < THE-SAME-SCENARIO.toml";
    assert!(errors(&ran).contains(&format!("repeat it: {again}")), "{}", errors(&ran));
    let ledger = lab.read("l.jsonl");
    assert!(
        ledger.contains("\"scenario\":\"stdin\"") && ledger.contains("inject = { hang = {} }"),
        "{ledger}"
    );
}

#[test]
fn judge_does_not_say_that_such_a_scenario_can_be_had_by_name() {
    let lab = Lab::new();
    let text =
        std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/scenarios/task/lost-answer.toml"));
    let judged = fed(
        &lab,
        &["judge", "builtin:careless", "--scenario", "-", "--found", "found"],
        text.unwrap().as_bytes(),
    );
    let report = String::from_utf8_lossy(&judged.stdout).into_owned() + &errors(&judged);
    assert_eq!(judged.status.code(), Some(1), "{report}");
    assert!(!report.contains("builtin:stdin") && !report.contains("--scenario stdin"), "{report}");
}

#[test]
fn what_is_too_much_or_no_text_or_no_scenario_is_refused() {
    let lab = Lab::new();
    for (input, why) in [
        (vec![b'#'; (1 << 20) + 1], "larger than 1 MiB"),
        (b"summary = \"x\"\n\xff".to_vec(), "not text in UTF-8 (line 2, byte 1)"),
        (b"summry = 1\n".to_vec(), "stdin:1:1"),
    ] {
        let refused = fed(&lab, &["replay", "--scenario", "-"], &input);
        assert_eq!(refused.status.code(), Some(2), "{}", errors(&refused));
        assert!(errors(&refused).contains(why), "{}", errors(&refused));
    }
    let twice = fed(&lab, &["judge", "builtin:careful", "--scenario", "-", "--scenario", "-"], b"");
    assert!(errors(&twice).contains("holds one scenario"), "{}", errors(&twice));
}

#[test]
fn every_mistake_of_a_file_is_shown_with_its_caret_and_counted() {
    let lab = Lab::new();
    let text = "summry = \"x\"\n\n[must]\nhold = [\"terminate\"]\n\n[[fault]]\ninject = { hnag = {} }\n\n[[fault]]\nwhen = { nth = 2 }\ninject = { hang = {} }\n";
    lab.write("scenarios/many.toml", text);
    for args in [&["replay", "--scenario", "many"][..], &["lint"]] {
        let refused = lab.run(args);
        assert_eq!(refused.code, Some(2), "{}", refused.stderr);
        let shown = refused.stdout + &refused.stderr;
        let places = ["many.toml:1:1", "many.toml:4:9", "many.toml:7:12", "many.toml:10:16"];
        let found: Vec<usize> = places.iter().filter_map(|place| shown.find(place)).collect();
        assert!(found.len() == 4 && found.is_sorted(), "{shown}");
        assert!(
            shown.contains("did you mean `terminates`?") && shown.contains("did you mean `hang`?"),
            "{shown}"
        );
        assert!(shown.contains("4 mistakes in scenarios/many.toml"), "{shown}");
    }
}

/// Whoever steps the clock of a task that is done at the second tick.
const BY_HAND: &str = "summary = \"x\"\ncassette = \"builtin:forensics/create-case\"\nclock = { by = \"hand\" }\n\
                       [[path]]\nat = 0\nset = { state = \"WAITING\" }\n[[path]]\nat = 1\nset = { state = \"COMPLETE\" }\n";

/// Reads lines up to one with this word.
fn until(lines: &mut impl BufRead, word: &str) -> String {
    let mut all = String::new();
    while !all.contains(word) {
        assert!(lines.read_line(&mut all).unwrap() > 0, "`{word}` never came: {all}");
    }
    all
}

#[test]
fn without_a_terminal_the_clock_of_such_a_scenario_is_stepped_by_a_signal_alone() {
    let lab = Lab::new();
    lab.write("s.toml", BY_HAND);
    // A session of its own has no terminal, whoever runs the tests.
    let mut child = Command::new("setsid")
        .args([env!("CARGO_BIN_EXE_faultdeck"), "replay", "--scenario", "-"])
        .current_dir(lab.path())
        .stdin(std::fs::File::open(lab.file("s.toml")).unwrap())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut errors = BufReader::new(child.stderr.take().unwrap());
    let words = until(&mut errors, "no line steps it");
    assert!(
        words.contains("stepped by hand: send SIGUSR1 to process ") && !words.contains("Enter"),
        "{words}"
    );
    let kill = |signal: &str| Command::new("kill").args([signal, &child.id().to_string()]).status().unwrap();
    assert!(kill("-USR1").success());
    until(&mut errors, "tick 1");
    assert!(kill("-INT").success());
    assert_eq!(child.wait().unwrap().code(), Some(3), "nothing was asked");
}

#[test]
fn at_a_terminal_enter_steps_the_clock_of_such_a_scenario() {
    // It gives the program a terminal. Where there is none of it, nothing is learnt.
    if Command::new("script").arg("--version").output().is_err() {
        return;
    }
    let lab = Lab::new();
    lab.write("s.toml", BY_HAND);
    let line = format!("'{}' replay --scenario - < s.toml", env!("CARGO_BIN_EXE_faultdeck"));
    let mut child = Command::new("script")
        .args(["-qefc", &line, "/dev/null"])
        .current_dir(lab.path())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut keys = child.stdin.take().unwrap();
    let mut shown = BufReader::new(child.stdout.take().unwrap());
    until(&mut shown, "press Enter at the terminal, or send SIGUSR1");
    keys.write_all(b"\n").unwrap();
    until(&mut shown, "tick 1");
    keys.write_all(b"\x03").unwrap();
    until(&mut shown, "nothing was asked");
    child.wait().unwrap();
}

//! `--scenario -`: a scenario on standard input; and all mistakes of one, wherever it comes from.

use std::io::Write as _;
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

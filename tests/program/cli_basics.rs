//! The command line before any verb does its work: help, wrong arguments, streams, exit codes.

use crate::canary;

use std::io::Read;
use std::process::{Command, Output, Stdio};

use faultdeck::ledger::{EndLine, Line, RunLine, Sum};
use snapbox::{assert_data_eq, file};

fn faultdeck(arguments: &[&str]) -> Output {
    let output = Command::new(env!("CARGO_BIN_EXE_faultdeck"))
        .args(arguments)
        .env("COLUMNS", "100")
        .env("SEC_TOKEN", canary::canary())
        .env_remove("CLICOLOR_FORCE")
        .stdin(Stdio::null())
        .output()
        .unwrap();
    canary::assert_clean("standard output", &output.stdout);
    canary::assert_clean("standard error", &output.stderr);
    output
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

fn ledger_file(folder: &canary::Folder, requests: u64) -> String {
    let run = RunLine { format: 1, faultdeck: "0.1.0".into(), verb: "replay".into(), ..RunLine::default() };
    let end =
        EndLine { sum: Sum { served: requests, recorded: requests, ..Sum::default() }, ..EndLine::default() };
    let mut bytes = Vec::new();
    faultdeck::ledger::write(&[Line::Run(run), Line::End(end)], &mut bytes).unwrap();
    let file = folder.path().join("run.jsonl");
    std::fs::write(&file, bytes).unwrap();
    file.to_str().unwrap().to_owned()
}

#[test]
fn help_goes_to_standard_output_and_lists_the_verbs_under_headings() {
    let output = faultdeck(&["--help"]);
    assert_eq!((output.status.code(), text(&output.stderr)), (Some(0), String::new()));
    assert_data_eq!(text(&output.stdout), file!["../snapshots/help.txt"].raw());
}

#[test]
fn every_verb_has_a_help_page_with_an_example() {
    let page = text(&faultdeck(&["--help"]).stdout);
    let verbs = page.lines().filter(|line| line.starts_with("  ") && !line.starts_with("   "));
    let verbs: Vec<&str> = verbs
        .filter_map(|line| line.split_whitespace().next())
        .filter(|word| word.chars().all(char::is_lowercase))
        .collect();
    assert!(verbs.len() >= 4, "{verbs:?}");
    for verb in verbs {
        let output = faultdeck(&[verb, "--help"]);
        assert_eq!(output.status.code(), Some(0), "{verb}");
        assert!(text(&output.stdout).contains(&format!("faultdeck {verb}")), "{verb}");
        assert!(text(&output.stdout).contains("Example"), "{verb} has no example");
    }
}

#[test]
fn a_wrong_argument_is_2_and_leaves_standard_output_alone() {
    for arguments in [&["no-such-verb"][..], &[], &["report"]] {
        let output = faultdeck(arguments);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        assert!(output.stdout.is_empty() && !output.stderr.is_empty(), "{arguments:?}");
    }
}

#[test]
fn a_file_that_cannot_be_read_is_named_with_the_fix() {
    let folder = canary::Folder::new();
    let file = folder.path().join("x.jsonl");
    std::fs::write(&file, "{\"run\":{\"format\":99}}\n").unwrap();
    let output = faultdeck(&["report", file.to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(2));
    let shown = text(&output.stderr);
    assert!(
        shown.starts_with("error: ") && shown.contains("x.jsonl") && shown.contains("\nhelp: "),
        "{shown}"
    );
}

#[test]
fn a_report_is_data_without_colour_when_nobody_watches() {
    let folder = canary::Folder::new();
    let output = faultdeck(&["report", &ledger_file(&folder, 3)]);
    assert_eq!((output.status.code(), text(&output.stderr)), (Some(0), String::new()));
    assert!(text(&output.stdout).contains("3 requests served") && !text(&output.stdout).contains('\u{1b}'));
}

#[test]
fn a_report_can_go_to_a_file() {
    let folder = canary::Folder::new();
    let out = folder.path().join("report.xml");
    let ledger = ledger_file(&folder, 3);
    let output = faultdeck(&["report", &ledger, "--format", "junit", "--out", out.to_str().unwrap()]);
    assert_eq!((output.status.code(), output.stdout.len()), (Some(0), 0));
    assert!(std::fs::read_to_string(out).unwrap().starts_with("<?xml"));
}

#[test]
fn a_reader_that_goes_away_is_no_error() {
    let mut child = Command::new(env!("CARGO_BIN_EXE_faultdeck"))
        .args(["completions", "bash"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let mut shown = String::new();
    child.stderr.take().unwrap().read_to_string(&mut shown).unwrap();
    assert_eq!((child.wait().unwrap().code(), shown), (Some(0), String::new()));
}

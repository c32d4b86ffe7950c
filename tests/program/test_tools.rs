//! What plugins and helpers of test tools lean on: a run whose command stands by for a test.

use std::io::{Read, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use crate::harness::{Finished, Lab};

const STORY: [&str; 5] = ["run", "--scenario", "lost-answer", "--seed", "7"];
const CREATES_TWICE: &str = r#"for i in 1 2; do curl -s -H 'SEC: any' -H 'Content-Type: application/json' -d '{"name":"A","assigned_to":["bob"]}' "$FAULTDECK_URL/api/forensics/case_management/cases"; done; true"#;
const TEST: [&str; 4] = ["--stands-for", "pytest", "--stands-for", "test_a.py::test_b[1 2]"];

fn created_twice(lab: &Lab, flags: &[&str]) -> Finished {
    lab.run(&[&STORY[..], flags, &["--", "sh", "-c", CREATES_TWICE]].concat())
}

#[test]
fn a_command_that_stands_for_a_test_is_called_by_it_and_is_repeated_as_it() {
    let lab = Lab::new();
    let report = ["--ledger", "run.jsonl", "--report", "json=run.json", "--report", "junit=run.xml"];
    let run = created_twice(&lab, &[&TEST[..], &report].concat());
    assert_eq!(run.code, Some(1), "{}", run.stderr);
    let line = "pytest 'test_a.py::test_b[1 2]'";
    for shown in
        [format!("  command   {line}"), format!("  repeat it: {line}"), format!("\nrepeat it: {line}")]
    {
        assert!(run.stderr.contains(&shown), "{shown}\n{}", run.stderr);
    }
    for file in ["run.jsonl", "run.json", "run.xml"] {
        let text = lab.read(file);
        assert!(text.contains("test_a.py::test_b[1 2]") && !text.contains("curl -s"), "{file}: {text}");
    }
}

#[test]
fn flags_of_a_test_are_words_and_a_secret_among_them_is_not_shown() {
    let lab = Lab::new();
    let token = lab.canary().to_owned();
    let words =
        ["--stands-for", "go", "--stands-for", "-run", "--stands-for", "--token", "--stands-for", &token];
    let run = created_twice(&lab, &[&words[..], &["--ledger", "run.jsonl"]].concat());
    assert_eq!(run.code, Some(1), "{}", run.stderr);
    assert!(run.stderr.contains("  command   go -run --token fd-secret-"), "{}", run.stderr);
    assert!(run.stderr.contains("\nrepeat it: go -run --token fd-secret-"), "{}", run.stderr);
}

#[test]
fn several_runs_stand_for_no_test() {
    let lab = Lab::new();
    let run = created_twice(&lab, &[&TEST[..], &["--scenario", "slow-host"]].concat());
    assert_eq!(run.code, Some(2), "{}", run.stderr);
    assert!(run.stderr.contains("`--stands-for` is about one run"), "{}", run.stderr);
}

#[test]
fn a_run_for_one_test_takes_folders_of_the_settings_and_no_defaults_of_flags() {
    let lab = Lab::new();
    lab.write(
        "faultdeck.toml",
        "scenarios = \"mine\"\n[run]\nseeds = 50\nfault = \"api-error:500/1020@cases.list\"\n",
    );
    let story = "summary = \"x\"\ncassette = \"forensics/create-case\"\n";
    lab.write("mine/own.toml", story);
    let asks = "curl -sf -H 'SEC: any' \"$FAULTDECK_URL/api/forensics/case_management/cases\"";
    let run = |flags: &[&str]| {
        let run = lab.run(&[&["run", "--scenario", "own"], flags, &["--", "sh", "-c", asks]].concat());
        (run.code, run.stderr)
    };
    let (code, said) = run(&TEST);
    assert!(code == Some(0) && !said.contains("from faultdeck.toml"), "{said}");
    let (code, said) = run(&[]);
    assert!(code != Some(0) && said.contains("from faultdeck.toml"), "{said}");
}

/// The command line of the page for those who write a helper.
fn of_page() -> String {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/integrations.md");
    let page = std::fs::read_to_string(page).unwrap();
    let block = page.split("```\n").find(|block| block.contains("env -0")).unwrap();
    block.replace("faultdeck run", &format!("exec {} run", env!("CARGO_BIN_EXE_faultdeck")))
}

/// Starts the command of the page, and reads what it tells up to its last byte.
fn stands_by(lab: &Lab) -> (Child, Vec<String>) {
    let mut child = Command::new("sh")
        .args(["-ec", &of_page()])
        .current_dir(lab.path())
        .env_remove("GITHUB_ACTIONS")
        .env_remove("GITHUB_STEP_SUMMARY")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let output = child.stdout.as_mut().unwrap();
    let mut told = Vec::new();
    while !told.ends_with(&[0, 0]) {
        let mut byte = [0];
        output.read_exact(&mut byte).unwrap();
        told.push(byte[0]);
    }
    let told = String::from_utf8(told).unwrap();
    (child, told.split('\0').map(str::to_owned).collect())
}

#[test]
fn a_helper_that_does_as_the_page_says_gets_a_console_and_a_verdict() {
    let lab = Lab::new();
    for (how, exit) in [("0\n", 0), ("1\n", 1), ("", 1)] {
        let (mut child, told) = stands_by(&lab);
        let url = told.iter().find_map(|entry| entry.strip_prefix("FAULTDECK_URL=")).unwrap();
        let proxy = told.iter().find_map(|entry| entry.strip_prefix("HTTPS_PROXY=")).unwrap();
        assert_eq!(url, proxy);
        let target = "api/forensics/case_management/case_create_tasks/956";
        let asked = Command::new("curl").args(["-sf", "-H", "SEC: any", &format!("{url}/{target}")]).output();
        assert!(asked.unwrap().status.success());
        // An input that ends without a word is a test whose process was killed.
        child.stdin.take().unwrap().write_all(how.as_bytes()).unwrap();
        assert_eq!(child.wait().unwrap().code(), Some(exit), "{how:?}");
        let report: serde_json::Value = serde_json::from_str(&lab.read("report.json")).unwrap();
        assert_eq!((&report["exit"], &report["counts"]["served"]), (&exit.into(), &1.into()));
        assert!(lab.read("report.txt").contains("  command   pytest test_a.py::test_b"));
        assert!(lab.read("run.jsonl").contains("\"exchange\":"));
    }
}

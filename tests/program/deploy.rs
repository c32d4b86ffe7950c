//! The files of `deploy/` do what their pages say: each is run, or checked, by what was made elsewhere.

use std::io::Write;
use std::path::Path;
use std::process::{Command, Output};

use crate::harness::Lab;

const FAULTDECK: &str = env!("CARGO_BIN_EXE_faultdeck");

/// What a script ends with where it lacks a program to run with.
const LACKS: i32 = 77;

/// Runs a script of the repository with the binary; none where it says that it cannot run here, which is said past what
/// holds back a passing test's words.
fn script(test: &str, name: &str, args: &[&str]) -> Option<Output> {
    let output = Command::new(Path::new(env!("CARGO_MANIFEST_DIR")).join(name))
        .args(args)
        .env("NO_COLOR", "1")
        .output()
        .unwrap();
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    if output.status.code() == Some(LACKS) {
        std::io::stderr().write_all(format!("SKIPPED: {test}: {err}").as_bytes()).unwrap();
        return None;
    }
    assert_eq!(output.status.code(), Some(0), "{out}{err}");
    Some(output)
}

#[test]
fn an_array_of_slurm_comes_to_the_table_of_one_whole_run() {
    let Some(ran) = script("an_array_of_slurm_*", "scripts/slurm", &[FAULTDECK]) else { return };
    let out = String::from_utf8_lossy(&ran.stdout);
    assert!(out.contains("passed: four elements of an array came to the table of one whole run"), "{out}");
}

/// A suite for the pages and files of `deploy/`: it polls a recorded task to its end.
fn suite(lab: &Lab) {
    let wait = "client careful wait --base \"$FAULTDECK_URL\" --sec any --id 956 --pace-ms 1";
    let file = lab.write("suite", &format!("#!/bin/sh\nexec {FAULTDECK} {wait}\n"));
    std::fs::set_permissions(file, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
}

/// Runs lines as a shell does that finds the binary.
fn shell(lab: &Lab, lines: &str) -> Output {
    let bin = Path::new(FAULTDECK).parent().unwrap().display();
    let output = Command::new("bash")
        .args(["-e", "-c", lines])
        .current_dir(lab.path())
        .env("PATH", format!("{bin}:{}", std::env::var("PATH").unwrap()))
        .env("NO_COLOR", "1")
        .env_remove("CI")
        .env_remove("GITHUB_ACTIONS")
        .output()
        .unwrap();
    lab.show(&output.stdout);
    lab.show(&output.stderr);
    output
}

#[test]
fn the_commands_of_the_page_about_machines_do_what_it_says() {
    let page = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/machines.md"));
    let page = page.unwrap();
    let block = page.split("```").nth(1).unwrap();
    let lab = Lab::new();
    suite(&lab);
    let parts = shell(&lab, block);
    assert_eq!(parts.status.code(), Some(0), "{}", String::from_utf8_lossy(&parts.stderr));
    let whole = shell(
        &lab,
        "faultdeck run --scenario auth/ --seeds 2 --ledger whole.jsonl -- ./suite || true; faultdeck report whole.jsonl",
    );
    let table = |output: &Output| {
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let lines = text.lines().skip_while(|line| *line != "Runs");
        lines.take_while(|line| !line.is_empty()).map(str::to_owned).collect::<Vec<_>>()
    };
    assert!(table(&whole).len() > 10, "{}", String::from_utf8_lossy(&whole.stdout));
    assert_eq!(table(&parts), table(&whole));
}

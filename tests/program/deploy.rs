//! The files of `deploy/` do what their pages say: each is run, or checked, by what was made elsewhere.

use std::io::Write;
use std::path::Path;
use std::process::{Command, Output};

use crate::harness::Lab;

const ROOT: &str = env!("CARGO_MANIFEST_DIR");
const FAULTDECK: &str = env!("CARGO_BIN_EXE_faultdeck");

/// What a script ends with where it lacks a program to run with.
const LACKS: i32 = 77;

/// Runs a script of the repository with the binary; none where it says that it cannot run here, which is said past what
/// holds back a passing test's words.
fn script(test: &str, name: &str, args: &[&str]) -> Option<Output> {
    let output = Command::new(Path::new(ROOT).join(name)).args(args).env("NO_COLOR", "1").output().unwrap();
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
    let page = std::fs::read_to_string(Path::new(ROOT).join("docs/machines.md"));
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
    assert!(table(&whole).len() > 10, "{}", String::from_utf8_lossy(&whole.stdout));
    assert_eq!(table(&parts), table(&whole));
}

/// Reads files of `deploy/` with `tests/outside/deploy.py`; none where its programs are not installed.
fn checked(lab: &Lab, test: &str, args: &[&str]) -> Option<Output> {
    let tools = Path::new(ROOT).join("target/outside-tools");
    if !tools.join("deploy.ok").exists() {
        let line = format!(
            "SKIPPED: {test}: kubernetes-validate and check-jsonschema are not there; scripts/outside-tools installs them\n"
        );
        std::io::stderr().write_all(line.as_bytes()).unwrap();
        return None;
    }
    let bin = Path::new(FAULTDECK).parent().unwrap().display();
    let output = Command::new(tools.join("venv/bin/python"))
        .arg(Path::new(ROOT).join("tests/outside/deploy.py"))
        .args(args)
        .current_dir(lab.path())
        .env("PATH", format!("{bin}:{}", std::env::var("PATH").unwrap()))
        .output()
        .unwrap();
    lab.show(&output.stdout);
    lab.show(&output.stderr);
    Some(output)
}

/// Both streams.
fn said(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

/// A file of `deploy/`, with some text in it replaced, in the lab.
fn changed(lab: &Lab, file: &str, old: &str, new: &str) -> String {
    let text = std::fs::read_to_string(Path::new(ROOT).join("deploy").join(file)).unwrap();
    assert!(text.contains(old), "{file}: {old}");
    lab.write(file, &text.replace(old, new)).display().to_string()
}

const JOB: &str = "kubernetes/matrix.yaml";
const MERGE: &str = "kubernetes/merge.yaml";

#[test]
fn the_jobs_of_kubernetes_are_as_its_published_schema_has_it_and_a_wrong_one_is_not() {
    let lab = Lab::new();
    let as_they_are = [JOB, MERGE].map(|file| changed(&lab, file, "faultdeck", "faultdeck"));
    let [job, merge] = &as_they_are;
    for version in ["1.29", "1.33", "1.37"] {
        let schema = checked(&lab, "the_jobs_of_kubernetes_*", &["kubernetes-schema", version, job, merge]);
        let Some(schema) = schema else { return };
        assert_eq!(schema.status.code(), Some(0), "{version}: {}", said(&schema));
    }
    for (old, new, why) in [
        ("completionMode:", "completionsMode:", "'completionsMode' was unexpected"),
        ("completions: 4", "completions: four", "'four' is not of type"),
        ("drop: [ALL]", "drop: ALL", "'ALL' is not of type"),
    ] {
        let wrong = changed(&lab, JOB, old, new);
        let schema = checked(&lab, "", &["kubernetes-schema", "1.33", &wrong]).unwrap();
        assert_eq!(schema.status.code(), Some(1), "{new}: {}", said(&schema));
        assert!(said(&schema).contains(why), "{new}: {}", said(&schema));
    }
}

#[test]
fn the_pods_of_kubernetes_may_do_nothing_that_they_need_not() {
    let lab = Lab::new();
    let [job, merge] = [JOB, MERGE].map(|file| changed(&lab, file, "faultdeck", "faultdeck"));
    let Some(closed) = checked(&lab, "the_pods_of_kubernetes_*", &["kubernetes-closed", &job, &merge]) else {
        return;
    };
    assert_eq!(closed.status.code(), Some(0), "{}", said(&closed));
    for (old, new, why) in [
        ("runAsNonRoot: true", "runAsNonRoot: false", "runAsNonRoot"),
        ("runAsUser: 65532", "runAsUser: 0", "a user that is not 0"),
        ("readOnlyRootFilesystem: true", "readOnlyRootFilesystem: false", "a read-only root"),
        ("automountServiceAccountToken: false", "automountServiceAccountToken: true", "no token"),
        ("drop: [ALL]", "drop: [NET_RAW]", "no capability"),
        (":1\n", ":latest\n", "no `latest`"),
    ] {
        for file in [JOB, MERGE] {
            let wrong = changed(&lab, file, old, new);
            let closed = checked(&lab, "", &["kubernetes-closed", &wrong]).unwrap();
            assert_eq!(closed.status.code(), Some(1), "{new}: {}", said(&closed));
            assert!(said(&closed).contains(why), "{new}: {}", said(&closed));
        }
    }
}

/// The lines of a table of runs.
fn table(output: &Output) -> Vec<String> {
    let text = String::from_utf8_lossy(&output.stdout);
    let lines = text.lines().skip_while(|line| *line != "Runs");
    lines.take_while(|line| !line.is_empty()).map(str::to_owned).collect()
}

#[test]
fn the_pods_of_an_indexed_job_come_to_the_table_of_one_whole_run() {
    let lab = Lab::new();
    suite(&lab);
    let job = changed(&lab, JOB, "- task/", "- auth/");
    let merge = changed(&lab, MERGE, "faultdeck", "faultdeck");
    std::fs::create_dir(lab.file("results")).unwrap();
    let results = lab.file("results").display().to_string();
    let ran = checked(&lab, "the_pods_of_an_indexed_job_*", &["kubernetes-run", &job, &merge, &results]);
    let Some(ran) = ran else { return };
    let whole = shell(
        &lab,
        "faultdeck run --scenario auth/ --seeds 50 --ledger whole.jsonl -- ./suite || true; faultdeck report whole.jsonl",
    );
    assert!(table(&whole).len() > 10, "{}", said(&whole));
    assert_eq!(table(&ran), table(&whole));
    assert_eq!(ran.status.code(), Some(1), "{}", said(&ran));
    assert!(lab.read("results/run-1-report.html").contains("auth/login-page"));
    // A part that is missing is not green.
    std::fs::remove_file(lab.file("results/run-1-part-2.jsonl")).unwrap();
    let merge = lab.run(&["report", "merge", "results/run-1-part-2.jsonl", "--out", "x"]);
    assert_eq!(merge.code, Some(2), "{}", merge.stderr);
}

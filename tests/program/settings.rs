//! `faultdeck.toml`: found, read, and told; what it may say and what it may not.

use std::os::unix::fs::symlink;
use std::path::Path;

use crate::harness::{Finished, Lab};

const SCENARIO: &str = "summary = \"s\"\ncassette = \"forensics/create-case\"\n\n[[fault]]\n\
    when = { endpoint = \"case_create_tasks.get\", nth = \"1\" }\ninject = { latency = { ms = 1, jitter_ms = 1 } }\n";
const GET: [&str; 5] =
    ["curl", "-sf", "-H", "SEC: any", "{base_url}/api/forensics/case_management/case_create_tasks/956"];

fn run(lab: &Lab, flags: &[&str]) -> Finished {
    lab.run(&[&["run"], flags, &["--"], &GET].concat())
}

/// A verb in a folder below the lab's.
fn below(lab: &Lab, folder: &str, args: &[&str]) -> Finished {
    let output = std::process::Command::new(env!("CARGO_BIN_EXE_faultdeck"))
        .args(args)
        .current_dir(lab.file(folder))
        .env("NO_COLOR", "1")
        .env_remove("CI")
        .env_remove("GITHUB_ACTIONS")
        .env_remove("GITHUB_STEP_SUMMARY")
        .stdin(std::process::Stdio::null())
        .output()
        .unwrap();
    lab.show(&output.stdout);
    lab.show(&output.stderr);
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    Finished { code: output.status.code(), stdout: text(&output.stdout), stderr: text(&output.stderr) }
}

#[test]
fn the_nearest_file_gives_folders_and_defaults_and_a_flag_wins() {
    let lab = Lab::new();
    lab.write("tests/faults/mine.toml", SCENARIO);
    lab.write("deep/er/.keep", "");
    lab.write(
        "faultdeck.toml",
        "scenarios = \"tests/faults\"\n[run]\nscenario = \"mine\"\nseeds = 3\nreport = [\"junit=r.xml\"]\n",
    );
    let args = [&["run", "--"], &GET[..]].concat();
    let ran = below(&lab, "deep/er", &args);
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    assert!(
        ran.stderr.contains("from ../../faultdeck.toml: scenario = mine, seeds = 3, report = junit=r.xml"),
        "{}",
        ran.stderr
    );
    assert!(ran.stderr.contains("3 runs: 3 passed") && lab.file("deep/er/r.xml").is_file(), "{}", ran.stderr);
    // What stands on the command line wins; what does not go with it is left aside, and both places are named.
    let ran = run(&lab, &["--seeds", "2"]);
    assert!(ran.stderr.contains("2 runs: 2 passed") && !ran.stderr.contains("seeds = 3"), "{}", ran.stderr);
    let ran = run(&lab, &["--seed", "7"]);
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    let aside = "faultdeck.toml:4: seeds = 3 is left aside: it does not go with `--seed` of the command line";
    assert!(ran.stderr.contains(aside) && ran.stderr.contains("seed 7"), "{}", ran.stderr);
    // And none at all.
    let ran = run(&lab, &["--settings", "none", "--scenario", "mine"]);
    assert!(ran.code == Some(2) && ran.stderr.contains("no scenario"), "{}", ran.stderr);
}

#[test]
fn the_top_of_a_project_is_as_far_as_it_is_looked_for() {
    let lab = Lab::new();
    lab.write("faultdeck.toml", "[run]\nseeds = \"nonsense\"\n");
    lab.write("project/.git/HEAD", "");
    lab.write("project/sub/.keep", "");
    assert_eq!(below(&lab, "project/sub", &["explain", "latency"]).code, Some(0));
    assert_eq!(
        below(&lab, "project/sub", &["explain", "latency", "--settings", "../../faultdeck.toml"]).code,
        Some(2)
    );
    lab.write("project/faultdeck.toml", "");
    assert_eq!(below(&lab, "project/sub", &["explain", "latency"]).code, Some(0));
}

#[test]
fn a_client_that_settings_name_is_judged_and_a_check_of_it_takes_no_number_of_cases() {
    let lab = Lab::new();
    lab.write(
        "faultdeck.toml",
        "[judge]\nclient = \"builtin:careful\"\ncases = 3\nscenario = \"task/slow-host\"\n",
    );
    let judged = lab.run(&["judge"]);
    assert_eq!(judged.code, Some(0), "{}{}", judged.stdout, judged.stderr);
    assert!(
        judged.stderr.contains("from faultdeck.toml: client = builtin:careful, cases = 3"),
        "{}",
        judged.stderr
    );
    let checked = lab.run(&["judge", "--check-adapter"]);
    assert_eq!(checked.code, Some(0), "{}", checked.stderr);
    let judged = lab.run(&["judge", "builtin:careless"]);
    assert_eq!(judged.code, Some(1), "{}{}", judged.stdout, judged.stderr);
}

#[test]
fn a_recording_goes_to_the_first_folder_that_settings_name() {
    let lab = Lab::new();
    lab.write("faultdeck.toml", "cassettes = [\"tests/deck\", \"others\"]\n");
    let console = lab.serve(&["emulate"]);
    let recorder = lab.serve(&["record", "--upstream", &console.url, "--cassette", "mine"]);
    assert_eq!(recorder.get("/api/forensics/case_management/cases").status(), 200);
    assert_eq!(recorder.signal("TERM").code, Some(0));
    assert!(lab.file("tests/deck/mine.json").is_file());
    let replay = lab.serve(&["replay", "mine"]);
    assert_eq!(replay.get("/api/forensics/case_management/cases").status(), 200);
}

/// Each of these would have a stranger's file decide what is the user's alone.
#[test]
fn what_a_stranger_wrote_dials_nobody_runs_nothing_and_writes_nowhere_else() {
    let lab = Lab::new();
    lab.write("outside/kept", "as it was");
    lab.write("home/.keep", "");
    let work = lab.file("work");
    std::fs::create_dir(&work).unwrap();
    symlink(lab.file("outside/kept"), work.join("report.xml")).unwrap();
    symlink(lab.file("outside/new"), work.join("dangling.xml")).unwrap();
    symlink(lab.file("outside"), work.join("linked")).unwrap();
    let args = [&["run", "--scenario", "task/slow-host", "--"], &GET[..]].concat();
    for hostile in [
        "[run]\nreport = [\"junit=report.xml\"]",
        "[run]\nreport = [\"junit=dangling.xml\"]",
        "[run]\nledger = \"../outside/kept\"",
        "[run]\nledger = \"linked/kept\"",
        "[run]\nledger = \"/tmp/faultdeck-not-here.jsonl\"",
        "[run]\nenv = [\"LD_PRELOAD=x.so\"]",
        "[run]\ncommand = \"touch ran\"",
        "cassettes = [\"linked\"]",
        "cassettes = [\"../outside\"]",
        "[record]\nupstream = \"http://127.0.0.1:9\"",
        "[judge]\nupstream = \"http://127.0.0.1:9\"",
        "[judge]\ninsecure = true",
        "[judge]\nrate = 1000",
        "[judge]\nprofile_out = \"profiles/x.toml\"",
        "[ca]\ntls_name = \"bank.example\"",
        "[replay]\nexpose = true",
        "[replay]\nlisten = \"0.0.0.0:0\"",
        "[replay]\ntls_name = \"bank.example\"",
        "[lint]\nfix = true",
        "[profile]\nupstream = \"http://127.0.0.1:9\"",
    ] {
        lab.write("work/faultdeck.toml", hostile);
        let ran = below(&lab, "work", &args);
        assert_eq!(ran.code, Some(2), "{hostile}: {}", ran.stderr);
        assert_eq!(ran.stdout, "", "{hostile}: the command was run");
    }
    assert_eq!(lab.read("outside/kept"), "as it was");
    assert!(!lab.file("outside/new").exists() && !Path::new("/tmp/faultdeck-not-here.jsonl").exists());
}

#[test]
fn what_is_no_file_or_too_large_is_refused_at_once() {
    let lab = Lab::new();
    let mode = rustix::fs::Mode::RUSR | rustix::fs::Mode::WUSR;
    rustix::fs::mkfifoat(rustix::fs::CWD, lab.file("faultdeck.toml"), mode).unwrap();
    let ran = run(&lab, &["--scenario", "task/slow-host"]);
    assert!(ran.code == Some(2) && ran.stderr.contains("this is a pipe, not a file"), "{}", ran.stderr);
    std::fs::remove_file(lab.file("faultdeck.toml")).unwrap();
    lab.write("faultdeck.toml", &"# x\n".repeat(100_000));
    let ran = run(&lab, &["--scenario", "task/slow-host"]);
    assert!(ran.code == Some(2) && ran.stderr.contains("larger than"), "{}", ran.stderr);
}

#[test]
fn a_secret_in_it_is_refused_and_not_shown() {
    let lab = Lab::new();
    lab.write("faultdeck.toml", &format!("[judge]\nclient = \"mine\"\nsec = \"{}\"\n", lab.canary()));
    let ran = run(&lab, &["--scenario", "task/slow-host"]);
    std::fs::remove_file(lab.file("faultdeck.toml")).unwrap();
    assert!(ran.code == Some(2) && ran.stderr.contains("FAULTDECK_CONSOLE_SEC"), "{}", ran.stderr);
}

#[test]
fn what_is_missing_beside_a_default_names_the_file() {
    let lab = Lab::new();
    lab.write("faultdeck.toml", "[run]\nresume = true\n");
    let ran = run(&lab, &["--scenario", "task/slow-host"]);
    assert_eq!(ran.code, Some(2), "{}", ran.stderr);
    assert!(
        ran.stderr.contains("--ledger")
            && ran.stderr.contains("faultdeck.toml adds to the command line: resume (line 2)"),
        "{}",
        ran.stderr
    );
}

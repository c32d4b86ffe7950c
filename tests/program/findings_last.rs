//! What a judgement has found is on disk at once, and comes first the next time.

use crate::harness;

use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use harness::Lab;

/// The counter-examples that are saved.
fn found(lab: &Lab) -> Vec<PathBuf> {
    let mut files = harness::files(&lab.file("scenarios/found"));
    files.retain(|file| file.extension().is_some_and(|ending| ending == "toml"));
    files
}

#[test]
fn a_judgement_that_is_killed_while_it_shrinks_leaves_its_finding_which_then_runs_first() {
    let lab = Lab::new();
    // The careless client, made so slow that shrinking takes a while.
    let slow = lab.write("slow.sh", "sleep 0.2\nexec \"$@\"\n").display().to_string();
    let client = include_str!("../../clients/careless.toml");
    let through = format!("\"sh\", \"{slow}\", \"{{faultdeck}}\", \"client\"");
    lab.write("slow.toml", &client.replace("\"{faultdeck}\", \"client\"", &through));
    lab.write("quiet.toml", "summary = \"x\"\ncassette = \"builtin:forensics/create-case\"\n");

    let mut judging = Command::new(env!("CARGO_BIN_EXE_faultdeck"))
        .args(["judge", "slow.toml", "--cases", "12", "--jobs", "8", "--scenario", "quiet.toml"])
        .current_dir(lab.path())
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let until = Instant::now() + Duration::from_secs(120);
    while found(&lab).is_empty() {
        assert!(Instant::now() < until, "nothing is found");
        std::thread::sleep(Duration::from_millis(5));
    }
    assert!(judging.try_wait().unwrap().is_none(), "it has ended already");
    judging.kill().unwrap();
    judging.wait().unwrap();

    let files = found(&lab);
    let name = files[0].file_stem().unwrap().to_string_lossy().into_owned();
    lab.write("fast.toml", client);
    std::fs::rename(lab.file("fast.toml"), lab.file("slow.toml")).unwrap();
    let args = ["judge", "slow.toml", "--cases", "1", "--scenario", "quiet.toml", "--ledger", "l.jsonl"];
    let again = lab.run(&args);
    assert_eq!(again.code, Some(1), "{}{}", again.stdout, again.stderr);
    let ledger = lab.read("l.jsonl");
    let first = ledger.lines().find(|line| line.contains("\"verdict\"")).unwrap();
    assert!(first.contains(&name) && first.contains("violated"), "{name}: {first}");
    assert!(again.stdout.contains("faultdeck judge slow.toml"), "no command repeats it: {}", again.stdout);

    // A client without the defect, under the same name: what was found is fixed.
    lab.write("careful.toml", include_str!("../../clients/careful.toml"));
    std::fs::rename(lab.file("careful.toml"), lab.file("slow.toml")).unwrap();
    let cured = lab.run(&args);
    assert!(cured.stdout.contains("holds now: scenarios/found/"), "{}{}", cured.stdout, cured.stderr);
    assert_ne!(cured.code, Some(1), "{}", cured.stdout);
}

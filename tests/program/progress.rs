//! How far a judgement is: one line that changes for a person, and nothing of a short run for anybody else.

use crate::harness;

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use harness::Lab;

const JUDGE: &[&str] = &["judge", "builtin:careful", "--cases", "40", "--scenario", "task/slow-host"];

#[test]
fn a_short_run_says_nothing_where_nobody_watches() {
    let (lab, began) = (Lab::new(), Instant::now());
    let finished = lab.run(JUDGE);
    assert_eq!(finished.code, Some(0), "{}", finished.stderr);
    // On a machine that is busy with something else it is no short one.
    if began.elapsed() < Duration::from_secs(10) {
        assert_eq!(finished.stderr, "");
    }
}

/// `script` makes a terminal; where it is not installed there is none.
#[test]
fn a_terminal_has_one_line_that_changes_and_is_gone_at_the_end() {
    let lab = Lab::new();
    let line = format!("{} {}", env!("CARGO_BIN_EXE_faultdeck"), JUDGE.join(" "));
    let mut script = Command::new("script");
    script.args(["-qec", &line, "/dev/null"]).current_dir(lab.path()).stdin(Stdio::null());
    let Ok(ended) = script.output() else { return };
    let text = String::from_utf8_lossy(&ended.stdout).into_owned();
    assert!(ended.status.success(), "{text}");
    let (progress, report) = text.split_once("Verdicts").unwrap_or_else(|| panic!("no report: {text}"));
    let changes = progress.matches("\rcareful: ").count();
    assert!(changes >= 3, "{changes} changes: {progress:?}");
    assert!(progress.contains(" cases") && progress.contains(" a second, about "), "{progress:?}");
    assert!(!report.contains("careful: "), "{report:?}");
}

/// A client that never answers has been started, and no case of it comes to its end for a minute.
#[test]
fn one_case_that_takes_long_is_told_of_where_nobody_watches() {
    let lab = Lab::new();
    lab.write(
        "slow.toml",
        "summary = \"Slow.\"\njobs = [\"get\"]\n\n[exec]\nargv = [\"sleep\", \"60\"]\ntimeout_ms = 60000\n",
    );
    let mut judge = Command::new(env!("CARGO_BIN_EXE_faultdeck"));
    judge.args(["judge", "slow.toml", "--cases", "1"]).current_dir(lab.path()).stdin(Stdio::null());
    let mut judge = judge.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(judge.stderr.take().unwrap()).read_line(&mut line).unwrap();
    assert!(judge.try_wait().unwrap().is_none(), "it has ended: {line}");
    let ended = Command::new("kill").args(["-INT", &judge.id().to_string()]).status().unwrap();
    judge.wait().unwrap();
    assert!(ended.success() && line.contains("slow: looking at what it writes"), "{line}");
}

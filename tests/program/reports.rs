//! Reports of ledgers alone: of one, of many, and one ledger of many.

use crate::harness;

use harness::{Lab, TASKS};

/// A run of `curl` under `scenario`, with its ledger in `file`.
fn ran(lab: &Lab, scenario: &str, seed: &str, file: &str) -> Option<i32> {
    let poll =
        format!("for _ in 1 2 3; do curl -s -H 'SEC: any' \"$FAULTDECK_URL{TASKS}/956\" > /dev/null; done");
    let flags = ["run", "--scenario", scenario, "--seed", seed, "--ledger", file];
    lab.run(&[&flags[..], &["--", "sh", "-c", &poll]].concat()).code
}

/// The account that closes a ledger.
fn end(ledger: &str) -> serde_json::Value {
    let last: serde_json::Value = serde_json::from_str(ledger.lines().last().unwrap()).unwrap();
    last["end"].clone()
}

#[test]
fn several_ledgers_make_one_report_and_one_ledger_whatever_their_order() {
    let lab = Lab::new();
    assert_eq!(ran(&lab, "slow-host", "1", "a.jsonl"), Some(0));
    assert_eq!(ran(&lab, "slow-host", "2", "b.jsonl"), Some(0));
    // A creation that nobody asks for never meets its fault.
    assert_eq!(ran(&lab, "lost-answer", "1", "c.jsonl"), Some(3));
    for (order, out) in
        [(["a.jsonl", "b.jsonl", "c.jsonl"], "one.jsonl"), (["c.jsonl", "b.jsonl", "a.jsonl"], "two.jsonl")]
    {
        let merged = lab.run(&[&["report", "merge"][..], &order, &["--out", out]].concat());
        assert_eq!((merged.code, merged.stdout.as_str(), merged.stderr.as_str()), (Some(0), "", ""));
    }
    assert_eq!(lab.read("one.jsonl"), lab.read("two.jsonl"));
    let end = end(&lab.read("one.jsonl"));
    assert_eq!((&end["served"], &end["exit"], &end["dials"]), (&9.into(), &3.into(), &0.into()));
    let report = lab.run(&["report", "c.jsonl", "a.jsonl", "b.jsonl", "--exit-code"]);
    assert_eq!(report.code, Some(3));
    assert!(report.stdout.contains("9 requests served") && report.stdout.contains("exit 3 (inconclusive)"));
    assert!(report.stdout.contains("run, seeds 1 to 2\n"), "{}", report.stdout);
    assert_eq!(report.stdout, lab.run(&["report", "two.jsonl"]).stdout);
    assert_eq!(lab.run(&["report", "two.jsonl"]).code, Some(0));
    assert_eq!(
        lab.run(&["report", "merge", "a.jsonl", "c.jsonl", "--out", "x", "--exit-code"]).code,
        Some(3)
    );
}

#[test]
fn a_ledger_that_is_given_twice_is_named_and_counts_once() {
    let lab = Lab::new();
    assert_eq!(ran(&lab, "slow-host", "1", "a.jsonl"), Some(0));
    assert_eq!(ran(&lab, "slow-host", "1", "again.jsonl"), Some(0));
    lab.write("copy.jsonl", &lab.read("a.jsonl"));
    let merged = lab.run(&["report", "merge", "copy.jsonl", "a.jsonl", "again.jsonl", "--out", "all.jsonl"]);
    assert_eq!(merged.code, Some(0));
    assert!(merged.stderr.contains("jsonl holds what "), "{}", merged.stderr);
    assert!(merged.stderr.contains("it is counted once\n"), "{}", merged.stderr);
    // The same seed run again is another run: its times are others.
    assert_eq!(end(&lab.read("all.jsonl"))["served"], 6);
}

#[test]
fn a_ledger_that_is_broken_or_cut_is_an_error_with_its_file_and_line() {
    let lab = Lab::new();
    assert_eq!(ran(&lab, "slow-host", "1", "a.jsonl"), Some(0));
    assert_eq!(ran(&lab, "slow-host", "2", "b.jsonl"), Some(0));
    let whole = lab.read("b.jsonl");
    let lines: Vec<&str> = whole.lines().collect();
    let count = lines.len();
    lab.write("b.jsonl", &(lines[..count - 1].join("\n") + "\n"));
    let merge = ["report", "merge", "a.jsonl", "b.jsonl", "--out", "all.jsonl"];
    let cut = lab.run(&merge);
    assert_eq!(cut.code, Some(2));
    let said = format!("cannot read b.jsonl: the ledger ends at line {} without its closing line", count - 1);
    assert!(cut.stderr.contains(&said), "{}", cut.stderr);
    assert!(!lab.file("all.jsonl").exists());
    lab.write("b.jsonl", &whole.replacen("\"nth\":2", "\"nth\":two", 1));
    let broken = lab.run(&["report", "a.jsonl", "b.jsonl"]);
    assert_eq!((broken.code, broken.stdout.as_str()), (Some(2), ""));
    assert!(broken.stderr.contains("cannot read b.jsonl: line "), "{}", broken.stderr);
}

/// Runs `command` under a scenario as a step of a workflow of GitHub's.
fn in_a_step(lab: &Lab, more: &[&str], command: &str) -> harness::Finished {
    let summary = lab.file("summary.md").display().to_string();
    let flags = ["run", "--scenario", "slow-host", "--ledger", "step.jsonl"];
    let env = [("GITHUB_ACTIONS", "true"), ("GITHUB_STEP_SUMMARY", &summary)];
    lab.run_with(&[&flags[..], more, &["--", "sh", "-c", command]].concat(), &env)
}

#[test]
fn what_a_command_wrote_is_no_command_to_the_runner_of_a_workflow() {
    let lab = Lab::new();
    let poll = format!(
        "curl -s -H 'SEC: any' \"$FAULTDECK_URL{TASKS}/956\"; echo; echo '::add-mask::a'; echo 'x ##[error]b'; exit 7"
    );
    let failed = in_a_step(&lab, &["--seeds", "2"], &poll);
    assert_eq!(failed.code, Some(1));
    for part in ["\n  : :add-mask::a\n", "\n  x ## [error]b\n"] {
        assert!(failed.stderr.contains(part), "{}", failed.stderr);
    }
    let obeyed = failed.stderr.lines().filter(|line| line.trim_start().starts_with("::"));
    assert!(obeyed.clone().all(|line| line.starts_with("::error ")), "{:?}", obeyed.collect::<Vec<_>>());
}

#[test]
fn a_step_of_a_workflow_gets_its_summary_and_annotations_by_itself_and_once() {
    let lab = Lab::new();
    lab.write("summary.md", "what another command wrote\n");
    let poll = format!("curl -s -H 'SEC: any' \"$FAULTDECK_URL{TASKS}/956\"; exit 7");
    let failed = in_a_step(&lab, &[], &poll);
    assert_eq!(failed.code, Some(1));
    let annotated = failed.stderr.lines().filter(|line| line.starts_with("::error ")).count();
    assert_eq!(annotated, 1, "{}", failed.stderr);
    assert!(!failed.stdout.contains("::error"), "{}", failed.stdout);
    let summary = lab.read("summary.md");
    assert!(
        summary.starts_with("what another command wrote\n## faultdeck run: failed (exit 1)\n"),
        "{summary}"
    );
    // The file named by hand is the same one: it is told once, and what it held stays.
    let path = format!("markdown={}", lab.file("summary.md").display());
    in_a_step(&lab, &["--report", &path], &poll);
    let summary = lab.read("summary.md");
    assert_eq!(summary.matches("## faultdeck run").count(), 2, "{summary}");
    assert!(summary.starts_with("what another command wrote\n"));
    // A report that is made of a ledger is asked for, and told where it was asked for.
    let env = [("GITHUB_STEP_SUMMARY", lab.file("summary.md").display().to_string())];
    let env: Vec<(&str, &str)> = env.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let made = lab.run_with(&["report", "step.jsonl", "--format", "github"], &env);
    assert!(
        made.stdout.starts_with("::error title=faultdeck%3A exit-code (") && made.stdout.lines().count() == 1
    );
    assert_eq!(lab.read("summary.md"), summary);
}

#[test]
fn a_summary_that_has_no_room_or_cannot_be_written_changes_nothing_about_a_run() {
    let lab = Lab::new();
    let poll = format!("curl -s -H 'SEC: any' \"$FAULTDECK_URL{TASKS}/956\"");
    lab.write("summary.md", &"x".repeat(1024 * 1024));
    let full = in_a_step(&lab, &[], &poll);
    assert!(full.code == Some(0) && full.stderr.contains("no room left"), "{}", full.stderr);
    assert_eq!(lab.read("summary.md").len(), 1024 * 1024);
    std::fs::remove_file(lab.file("summary.md")).unwrap();
    std::fs::create_dir(lab.file("summary.md")).unwrap();
    let wrong = in_a_step(&lab, &[], &poll);
    assert!(wrong.code == Some(0) && wrong.stderr.contains("cannot write"), "{}", wrong.stderr);
}

#[test]
fn a_matrix_is_told_run_by_run_in_every_format_that_lists_findings() {
    let lab = Lab::new();
    let poll = format!("curl -s -H 'SEC: any' \"$FAULTDECK_URL{TASKS}/956\" > /dev/null; exit 7");
    let flags = [
        "run",
        "--scenario",
        "slow-host",
        "--scenario",
        "server-error",
        "--seeds",
        "2",
        "--ledger",
        "all.jsonl",
    ];
    let ran = lab.run(&[&flags[..], &["--", "sh", "-c", &poll]].concat());
    assert_eq!(ran.code, Some(1), "{}", ran.stderr);
    let report = |format: &str| lab.run(&["report", "all.jsonl", "--format", format]).stdout;
    let github = report("github");
    let of_slow =
        github.lines().find(|line| line.contains("slow-host")).unwrap_or_else(|| panic!("{github}"));
    assert!(
        of_slow.starts_with("::error title=faultdeck%3A exit-code (")
            && of_slow.contains("%0Arepeat it: faultdeck run ")
    );
    let markdown = report("markdown");
    assert!(
        markdown.contains("### Runs\n\n| scenario | runs | came to | seeds |\n|---|---|---|---|\n"),
        "{markdown}"
    );
    for format in ["gitlab", "sarif"] {
        let value: serde_json::Value = serde_json::from_str(&report(format)).unwrap();
        assert!(value.to_string().contains("slow-host"), "{value}");
    }
}

#[test]
fn every_command_of_the_page_about_reports_does_what_it_says() {
    let page = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/reports.md");
    let page = std::fs::read_to_string(page).unwrap();
    // What is a piece of a file says so.
    let blocks = page.split("```").skip(1).step_by(2).filter(|block| block.starts_with('\n'));
    let blocks: Vec<&str> = blocks.collect();
    assert!(blocks.len() >= 4, "{blocks:?}");
    let lab = Lab::new();
    let folder =
        std::path::Path::new(env!("CARGO_BIN_EXE_faultdeck")).parent().unwrap().display().to_string();
    let shell = std::process::Command::new("sh")
        .args(["-ec", &blocks.concat()])
        .env("PATH", format!("{folder}:{}", std::env::var("PATH").unwrap_or_default()))
        .env_remove("GITHUB_STEP_SUMMARY")
        .current_dir(lab.path())
        .output()
        .unwrap();
    lab.show(&shell.stdout);
    lab.show(&shell.stderr);
    let (out, err) = (String::from_utf8_lossy(&shell.stdout), String::from_utf8_lossy(&shell.stderr));
    assert_eq!(shell.status.code(), Some(0), "{out}{err}");
    assert!(
        out.contains("## faultdeck run: passed (exit 0)\n") && out.contains("2 requests served"),
        "{out}"
    );
    assert!(lab.read("report.html").starts_with("<!DOCTYPE html>"));
    if let Ok(folder) = std::env::var("FAULTDECK_PAGES") {
        std::fs::write(format!("{folder}/run.html"), lab.read("report.html")).unwrap();
    }
    assert_eq!(lab.read("gl-code-quality-report.json").trim(), "[]");
    assert!(
        lab.read("report.sarif").contains("\"version\": \"2.1.0\"")
            && lab.read("report.xml").contains("<testsuites")
    );
    assert_eq!(end(&lab.read("all.jsonl"))["served"], 2);
}

#[test]
fn a_replay_says_in_its_page_where_its_exchanges_stand() {
    let lab = Lab::new();
    let flags = ["builtin:forensics/create-case", "--ledger", "run.jsonl", "--report", "html=page.html"];
    let running = lab.serve(&[&["replay"][..], &flags].concat());
    assert_eq!(running.get(&format!("{TASKS}/956")).status(), 200);
    assert_eq!(running.signal("TERM").code, Some(0));
    let page = lab.read("page.html");
    assert!(page.contains("faultdeck report FILE --format html") && !page.contains("<svg"), "{page}");
    let page = lab.run(&["report", "run.jsonl", "--format", "html"]).stdout;
    assert!(page.contains("<svg") && page.contains("<h3>Recorded</h3>"), "{page}");
}

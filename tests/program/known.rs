//! `[[known]]` failures: told and let pass until their day, and nothing else is let pass with them.

use faultdeck::ledger::{self, Came, Line, RunStanding};

use crate::harness::{Finished, Lab};

const FAULTDECK: &str = env!("CARGO_BIN_EXE_faultdeck");
const ASKS: &str =
    "curl -s -H 'SEC: any' $FAULTDECK_URL/api/forensics/case_management/case_create_tasks/956 > answer";
/// Polls the recorded task to its end.
const WAIT: [&str; 10] =
    [FAULTDECK, "client", "careful", "wait", "--base", "{base_url}", "--id", "956", "--pace-ms", "1"];
/// Creates again when the answer to a creation is lost.
const TWICE: [&str; 12] = [
    FAULTDECK,
    "client",
    "careless",
    "create",
    "--base",
    "{base_url}",
    "--name",
    "CASE9",
    "--defect",
    "posts-again",
    "--pace-ms",
    "1",
];

fn settings(lab: &Lab, entries: &[&str]) {
    let entries: String =
        entries.iter().map(|entry| format!("[[known]]\n{}\n", entry.replace("; ", "\n"))).collect();
    lab.write("faultdeck.toml", &entries);
}

fn shell(lab: &Lab, flags: &[&str], script: &str) -> Finished {
    lab.run(&[&["run", "--scenario", "task/slow-host"], flags, &["--", "sh", "-c", script]].concat())
}

const ENTRY: &str = "scenario = \"slow-host\"; reason = \"issue 41\"; until = 2099-12-31";

#[test]
fn a_command_that_fails_as_it_is_known_to_is_green_and_told_in_every_report() {
    let lab = Lab::new();
    settings(&lab, &[ENTRY]);
    let formats = ["junit", "sarif", "markdown", "html", "json", "github", "gitlab"];
    let reports: Vec<String> =
        formats.iter().map(|format| format!("--report={format}={format}.out")).collect();
    let flags: Vec<&str> = reports.iter().map(String::as_str).chain(["--ledger", "l.jsonl"]).collect();
    let ran = shell(&lab, &flags, &format!("{ASKS}; exit 1"));
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    assert!(
        ran.stderr
            .contains("Known failures\n  known: the command (task/slow-host), until 2099-12-31: issue 41"),
        "{}",
        ran.stderr
    );
    let of = |format: &str| lab.read(&format!("{format}.out"));
    assert!(of("junit").contains("<skipped") && !of("junit").contains("<failure"), "{}", of("junit"));
    let sarif: serde_json::Value = serde_json::from_str(&of("sarif")).unwrap();
    let suppressed = &sarif["runs"][0]["results"][0]["suppressions"][0];
    assert_eq!(suppressed["kind"], "external");
    assert!(suppressed["justification"].as_str().unwrap().contains("issue 41"), "{sarif}");
    assert!(of("markdown").contains("### Known failures") && of("html").contains("Known failures"));
    assert!(
        !of("github").contains("::error") && of("gitlab").trim() == "[]",
        "{}{}",
        of("github"),
        of("gitlab")
    );
    let json: serde_json::Value = serde_json::from_str(&of("json")).unwrap();
    assert_eq!(json["reasons"][0]["known"]["came"], "failed");
    // The ledger alone gives the same.
    let again = lab.run(&["report", "l.jsonl", "--exit-code"]);
    assert!(
        again.code == Some(0) && again.stdout.contains("known: the command (task/slow-host)"),
        "{}",
        again.stdout
    );
}

#[test]
fn a_crash_another_law_and_a_run_that_asked_nothing_are_never_let_pass() {
    let lab = Lab::new();
    settings(&lab, &[ENTRY]);
    let crashed = shell(&lab, &[], &format!("{ASKS}; kill -SEGV $$"));
    assert_eq!(crashed.code, Some(1), "{}", crashed.stderr);
    assert_eq!(shell(&lab, &[], "exit 1").code, Some(3));
    let missing = lab.run(&["run", "--scenario", "slow-host", "--", "./not-there"]);
    assert_eq!(missing.code, Some(1), "{}", missing.stderr);
    let broken = |must: &str| {
        lab.run(&[&["run", "--scenario", "task/lost-answer", "--command", must, "--"], &TWICE[..]].concat())
    };
    settings(&lab, &[&ENTRY.replace("slow-host", "lost-answer")]);
    let ran = broken("any");
    assert!(ran.code == Some(1) && ran.stderr.contains("creates-once is violated"), "{}", ran.stderr);
    // One that names it covers it, and not the command's own end.
    settings(
        &lab,
        &["scenario = \"lost-answer\"; property = \"creates-once\"; reason = \"r\"; until = 2099-12-31"],
    );
    let ran = broken("any");
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    let table = ran.stderr.lines().any(|line| line.contains("creates-once") && line.ends_with("known"));
    assert!(table && !ran.stderr.contains("VIOLATED"), "{}", ran.stderr);
    assert_eq!(broken("passes").code, Some(1));
}

#[test]
fn one_whose_day_is_over_is_red_and_says_so() {
    let lab = Lab::new();
    settings(&lab, &["scenario = \"slow-host\"; reason = \"issue 41\"; until = 2001-01-01"]);
    let ran = shell(&lab, &[], &format!("{ASKS}; exit 1"));
    assert_eq!(ran.code, Some(1), "{}", ran.stderr);
    assert!(ran.stderr.contains("it was known until 2001-01-01, which is over: issue 41"), "{}", ran.stderr);
    assert!(ran.stderr.contains("EXPIRED: the command (task/slow-host)"), "{}", ran.stderr);
}

#[test]
fn one_that_does_not_happen_is_told_and_fails_only_where_it_is_strict() {
    let lab = Lab::new();
    settings(&lab, &[ENTRY]);
    let ran = shell(&lab, &[], ASKS);
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    assert!(ran.stderr.contains("passes now: take the entry out"), "{}", ran.stderr);
    settings(&lab, &[&format!("{ENTRY}; strict = true")]);
    let ran = shell(&lab, &[], ASKS);
    assert!(ran.code == Some(1) && ran.stderr.contains("PASSES, and must not"), "{}", ran.stderr);
    // Under another seed it is not about this run.
    settings(&lab, &[&format!("{ENTRY}; strict = true; seed = 7")]);
    assert_eq!(shell(&lab, &[], ASKS).code, Some(0));
    // Where its endpoint was not asked for, nothing can be told, and nothing is covered.
    settings(&lab, &[&format!("{ENTRY}; strict = true; endpoint = \"offenses.list\"")]);
    assert_eq!(shell(&lab, &[], ASKS).code, Some(0));
    assert_eq!(shell(&lab, &[], &format!("{ASKS}; exit 1")).code, Some(1));
    settings(&lab, &[&format!("{ENTRY}; endpoint = \"case_create_tasks.get\"")]);
    assert_eq!(shell(&lab, &[], &format!("{ASKS}; exit 1")).code, Some(0));
}

#[test]
fn an_entry_about_nothing_is_an_error_with_its_line() {
    let lab = Lab::new();
    for (entry, wrong) in [
        (
            "scenario = \"slow-hots\"; reason = \"r\"; until = 2099-12-31",
            "faultdeck.toml:2: a known failure: no scenario",
        ),
        (
            "scenario = \"slow-host\"; endpoint = \"nonsense\"; reason = \"r\"; until = 2099-12-31",
            "faultdeck.toml:2: a known failure:",
        ),
        (
            "scenario = \"slow-host\"; property = \"terminate\"; reason = \"r\"; until = 2099-12-31",
            "did you mean `terminates`?",
        ),
        ("scenario = \"slow-host\"; reason = \"r\"", "`[[known]]` lacks `until`"),
        ("scenario = \"slow-host\"; until = 2099-12-31", "`[[known]]` lacks `reason`"),
        ("scenario = \"slow-host\"; reason = \"r\"; until = \"2099-12-31\"", "must be a day, not a text"),
    ] {
        settings(&lab, &[entry]);
        let ran = shell(&lab, &[], ASKS);
        assert!(ran.code == Some(2) && ran.stderr.contains(wrong), "{entry}: {}", ran.stderr);
    }
}

/// The first poll is answered 404 in about every second run.
const CHANCE: &str = "summary = \"s\"\ncassette = \"builtin:forensics/create-case\"\n\n[[fault]]\nname = \"gone\"\n\
    when = { endpoint = \"case_create_tasks.get\", nth = \"1\", chance = \"1/2\" }\n\
    inject = { api-error = { status = 404, code = 1002 } }\n";

#[test]
fn in_a_matrix_the_runs_that_fail_as_known_are_known_and_its_parts_come_to_the_same() {
    let lab = Lab::new();
    lab.write("scenarios/chance.toml", CHANCE);
    settings(&lab, &["scenario = \"chance\"; reason = \"issue 41\"; until = 2099-12-31"]);
    let run = |more: &[&str], file: &str| {
        let flags = ["run", "--scenario", "chance", "--seeds", "8", "--ledger", file];
        lab.run(&[&flags, more, &["--"], &WAIT[..]].concat())
    };
    let whole = run(&["--report", "junit=r.xml"], "whole.jsonl");
    assert_eq!(whole.code, Some(0), "{}", whole.stderr);
    let lines = ledger::read(&lab.read("whole.jsonl")).unwrap();
    let ran: Vec<_> =
        lines.iter().filter_map(|line| if let Line::Ran(ran) = line { Some(ran) } else { None }).collect();
    let known = ran.iter().filter(|run| run.standing == RunStanding::Known).count();
    let passed = ran.iter().filter(|run| run.standing == RunStanding::Passed).count();
    assert!(known > 0 && passed > 0 && known + passed == 8, "{ran:?}");
    assert!(ran.iter().all(|run| run.known.len() == 1));
    assert!(whole.stderr.contains(&format!("8 runs: {known} known, {passed} passed")), "{}", whole.stderr);
    // One that fails in some runs alone does not pass.
    assert!(!whole.stderr.contains("take the entry out"), "{}", whole.stderr);
    assert_eq!(lab.read("r.xml").matches("<skipped").count(), known, "{}", lab.read("r.xml"));
    run(&["--shard", "1/2"], "one.jsonl");
    run(&["--shard", "2/2"], "two.jsonl");
    assert_eq!(lab.run(&["report", "merge", "two.jsonl", "one.jsonl", "--out", "all.jsonl"]).code, Some(0));
    let last = |file: &str| {
        let text = lab.run(&["report", file]).stdout;
        let from = text.find("Known failures").unwrap_or_else(|| panic!("{text}"));
        let exit = text.lines().find(|line| line.starts_with("exit ")).unwrap().to_owned();
        (text[from..].lines().take(2).map(str::to_owned).collect::<Vec<_>>(), exit)
    };
    assert_eq!(last("all.jsonl"), last("whole.jsonl"));
    // Without the entry it is red; with one that did not fail in any run, that is told once all is together.
    settings(&lab, &["scenario = \"slow-host\"; reason = \"r\"; until = 2099-12-31; strict = true"]);
    assert_eq!(run(&[], "red.jsonl").code, Some(1));
    let strict = lab.run(
        &[&["run", "--scenario", "task/slow-host", "--seeds", "2", "--shard", "1/1", "--"], &WAIT[..]]
            .concat(),
    );
    assert!(
        strict.code == Some(1) && strict.stderr.contains("passes, although it is known to fail"),
        "{}",
        strict.stderr
    );
}

#[test]
fn a_violation_that_a_judgement_finds_is_known_by_its_law_and_its_scenario() {
    let lab = Lab::new();
    let text =
        std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/clients/careless.toml")).unwrap();
    let text = text.replace("\"--pace-ms\"", "\"--defect\", \"posts-again\", \"--pace-ms\"");
    lab.write("clients/mine.toml", &text);
    let judge = |more: &[&str]| {
        let flags = ["judge", "clients/mine.toml", "--scenario", "task/lost-answer", "--ledger", "l.jsonl"];
        lab.run(&[&flags, more].concat())
    };
    let plain = judge(&[]);
    assert!(plain.code == Some(1) && plain.stdout.contains("creates-once"), "{}", plain.stdout);
    let entry =
        "scenario = \"lost-answer\"; property = \"creates-once\"; reason = \"issue 7\"; until = 2099-12-31";
    settings(&lab, &[entry]);
    let known = judge(&["--report", "junit=r.xml"]);
    assert_eq!(known.code, Some(0), "{}{}", known.stdout, known.stderr);
    assert!(
        known.stdout.contains("known: creates-once (task/lost-answer), until 2099-12-31: issue 7"),
        "{}",
        known.stdout
    );
    assert!(known.stdout.contains("every other property that must hold"), "{}", known.stdout);
    assert!(!lab.read("r.xml").contains("<failure"), "{}", lab.read("r.xml"));
    let marks = ledger::read(&lab.read("l.jsonl")).unwrap();
    let came =
        marks.iter().filter_map(|line| if let Line::Verdict(it) = line { it.known.as_ref() } else { None });
    assert!(came.map(|mark| mark.came).eq([Came::Failed]));
    assert_eq!(lab.run(&["report", "l.jsonl", "--exit-code"]).code, Some(0));
    // The counter-example that was saved of it is the same failure.
    let mut found =
        std::fs::read_dir(lab.file("scenarios/found")).unwrap().map(|entry| entry.unwrap().path());
    let found = found.find(|path| path.extension().is_some_and(|end| end == "toml")).unwrap();
    let name = found.file_name().unwrap().to_string_lossy().into_owned();
    let again = judge(&["--scenario", &format!("scenarios/found/{name}")]);
    assert_eq!(again.code, Some(0), "{}", again.stdout);
    std::fs::remove_dir_all(lab.file("scenarios/found")).unwrap();
    // Another law, another scenario, no law at all, a day that is over: none of them covers it.
    for other in [
        entry.replace("creates-once", "terminates"),
        entry.replace("lost-answer", "slow-host"),
        entry.replace("property = \"creates-once\"; ", ""),
        entry.replace("2099", "2001"),
    ] {
        settings(&lab, &[&other]);
        assert_eq!(judge(&[]).code, Some(1), "{other}");
    }
    // A right client passes, and that is told.
    settings(&lab, &[&format!("{entry}; strict = true")]);
    let right = lab.run(&["judge", "builtin:careful", "--scenario", "task/lost-answer"]);
    assert!(
        right.code == Some(1) && right.stdout.contains("passes, although it is known to fail"),
        "{}",
        right.stdout
    );
}

#[test]
fn a_command_that_is_observed_is_let_break_what_is_known() {
    let lab = Lab::new();
    let observe =
        || lab.run(&[&["judge", "--observe", "--scenario", "task/lost-answer", "--"], &TWICE[..]].concat());
    assert_eq!(observe().code, Some(1));
    settings(
        &lab,
        &["scenario = \"lost-answer\"; property = \"creates-once\"; reason = \"r\"; until = 2099-12-31"],
    );
    let ran = observe();
    assert!(
        ran.code == Some(0) && ran.stdout.contains("known: creates-once (task/lost-answer)"),
        "{}",
        ran.stdout
    );
}

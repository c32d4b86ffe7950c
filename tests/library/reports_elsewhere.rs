//! Reports are what those take them for who read them: each is checked by something that was made elsewhere.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

use faultdeck::ledger::{
    BodyText, EndLine, Exchange, ExchangeKey, Exit, Line, Origin, Reasons, RunLine, Standing, Timing,
    VerdictLine,
};
use faultdeck::report::{self, Paint};
use serde_json::Value;

use crate::canary::Folder;
use crate::reports_from_a_ledger::{hostile, judged};

fn outside() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/outside")
}

/// Where `scripts/outside-tools` puts what it installs.
fn tools() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("target/outside-tools")
}

/// Says, past what holds back a passing test's words, that a check was left out.
fn skipped(test: &str, tool: &str) {
    let line = format!("SKIPPED: {test}: {tool} is not there; scripts/outside-tools installs it\n");
    std::io::stderr().write_all(line.as_bytes()).unwrap();
}

/// Has a report of each ledger read by `tests/outside/check.py`.
fn read_elsewhere(test: &str, format: &str, kind: &str) {
    let python = tools().join("venv/bin/python");
    if !tools().join("python.ok").exists() {
        return skipped(test, "Python with xmlschema, html5lib and markdown-it-py");
    }
    for (name, lines) in ledgers() {
        let folder = Folder::new();
        let file = folder.path().join("report");
        let text = report::Format::named(format).unwrap().make(&lines, Paint::Plain).unwrap();
        fs::write(&file, &text).unwrap();
        let check = outside().join("check.py");
        let ended = Command::new(&python).arg(check).arg(kind).arg(&file).output().unwrap();
        let said = String::from_utf8_lossy(&ended.stdout);
        assert!(ended.status.success(), "{name}: {said}{}\n{text}", String::from_utf8_lossy(&ended.stderr));
    }
}

/// Ledgers of all kinds: a usual one, a hostile one, one that was cut short, one with nothing wrong, one with much.
fn ledgers() -> Vec<(&'static str, Vec<Line>)> {
    let mut cut = judged();
    cut.truncate(3);
    let fine = vec![Line::End(EndLine::default())];
    vec![("usual", judged()), ("hostile", hostile()), ("cut", cut), ("fine", fine), ("much", many())]
}

/// Many failures of many laws.
fn many() -> Vec<Line> {
    let mut lines = judged();
    let end = lines.pop();
    let like = lines.iter().find_map(|line| match line {
        Line::Verdict(verdict) if verdict.verdict == Standing::Violated => Some(verdict.clone()),
        _ => None,
    });
    for law in 0..30 {
        for scenario in 0..10 {
            lines.push(Line::Verdict(VerdictLine {
                property: format!("law-{law}"),
                scenario: format!("scenario-{scenario}"),
                because: format!("the client asked {} times", law + scenario),
                ..like.clone().unwrap()
            }));
        }
    }
    lines.extend(end);
    lines
}

fn schema(name: &str) -> jsonschema::Validator {
    let text = fs::read_to_string(outside().join(name)).unwrap();
    let mut schema: Value = serde_json::from_str(&text).unwrap();
    // One pattern of the committee's schema is none: it closes a bracket that it never opened. No report of ours has a language.
    for of in ["run", "toolComponent"] {
        if let Some(language) = schema.pointer_mut(&format!("/definitions/{of}/properties/language")) {
            language.as_object_mut().unwrap().remove("pattern");
        }
    }
    jsonschema::draft7::new(&schema).unwrap()
}

fn is_valid(format: &str, schema_file: &str) -> Vec<Value> {
    let schema = schema(schema_file);
    let of = |(name, lines): (&str, Vec<Line>)| {
        let text = report::Format::named(format).unwrap().make(&lines, Paint::Plain).unwrap();
        let value: Value = serde_json::from_str(&text).unwrap();
        let wrong: Vec<String> =
            schema.iter_errors(&value).map(|error| format!("{}: {error}", error.instance_path())).collect();
        assert!(wrong.is_empty(), "{name}: {wrong:?}\n{text}");
        value
    };
    ledgers().into_iter().map(of).collect()
}

#[test]
fn sarif_is_what_the_schema_of_its_committee_says() {
    let reports = is_valid("sarif", "sarif-2.1.0.schema.json");
    let results = |at: usize| reports[at]["runs"][0]["results"].as_array().unwrap().clone();
    let first = &results(0)[0];
    assert_eq!((&first["ruleId"], &first["level"]), (&"creates-once".into(), &"error".into()));
    assert_eq!(
        first["locations"][0]["physicalLocation"]["artifactLocation"]["uri"],
        "scenarios/found/creates-once-1.toml"
    );
    assert_eq!(results(3).len(), 0, "nothing is wrong");
    assert_eq!(reports[2]["runs"][0]["invocations"][0]["executionSuccessful"], false);
    // The schema would find something.
    let mut wrong = reports[0].clone();
    wrong["runs"][0]["results"][0]["level"] = "bad".into();
    assert!(!schema("sarif-2.1.0.schema.json").is_valid(&wrong));
}

#[test]
fn a_code_quality_report_is_what_gitlab_asks_for_and_each_finding_has_a_fingerprint_of_its_own() {
    for report in is_valid("gitlab", "gitlab-code-quality.schema.json") {
        let findings = report.as_array().unwrap();
        let mut prints: Vec<&str> = findings.iter().map(|it| it["fingerprint"].as_str().unwrap()).collect();
        prints.sort_unstable();
        prints.dedup();
        assert_eq!(prints.len(), findings.len());
    }
}

#[test]
fn junit_is_what_the_schema_of_jenkins_says() {
    read_elsewhere("junit_is_what_the_schema_of_jenkins_says", "junit", "junit");
}

#[test]
fn markdown_is_rendered_with_its_table_and_folds_and_nothing_of_a_text_is_markup() {
    read_elsewhere("markdown_is_rendered_with_its_table_and_folds", "markdown", "markdown");
    for (_, lines) in ledgers() {
        assert!(report::markdown(&lines).len() <= report::MARKDOWN_MAX + 64 * 1024);
    }
}

#[test]
fn annotations_are_lines_of_their_own_ten_of_a_kind_and_say_how_many_more_there_are() {
    for (name, lines) in ledgers() {
        let text = report::github(&lines);
        let is_one =
            |line: &str| ["::error ", "::warning ", "::notice "].iter().any(|kind| line.starts_with(kind));
        assert!(text.lines().all(is_one), "{name}: {text}");
        for kind in ["::error ", "::warning "] {
            assert!(text.lines().filter(|line| line.starts_with(kind)).count() <= 10, "{name}: {text}");
        }
    }
    let much = report::github(&many());
    assert!(much.contains("::error title=faultdeck::and 293 more: see the report\n"), "{much}");
    assert!(report::github(&judged()).starts_with(
        "::error file=scenarios/found/creates-once-1.toml,title=faultdeck%3A creates-once (lost-answer%2C careless)::VIOLATED: the case was created 2 times%0Arepeat it: faultdeck judge careless "
    ));
    assert_eq!(report::github(&vec![Line::End(EndLine::default())]), "");
}

#[test]
fn no_format_hides_that_a_run_failed_without_a_verdict() {
    let mut reasons = Reasons::default();
    reasons.push(Exit::Failed, "the command failed with exit code 7");
    let lines = vec![Line::End(EndLine::default().closed(reasons))];
    for format in report::FORMATS {
        let text = format.make(&lines, Paint::Plain).unwrap();
        assert!(text.contains("the command failed with exit code 7"), "{}: {text}", format.name);
    }
}

#[test]
fn a_page_is_html_without_an_active_element_and_each_of_its_links_leads_to_a_place_in_it() {
    read_elsewhere("a_page_is_html_without_an_active_element", "html", "html");
}

#[test]
fn a_page_is_well_by_the_rules_of_html_validate() {
    let program = tools().join("node_modules/.bin/html-validate");
    if !program.exists() {
        return skipped("a_page_is_well_by_the_rules_of_html_validate", "html-validate");
    }
    for (name, lines) in ledgers() {
        let folder = Folder::new();
        let file = folder.path().join("page.html");
        fs::write(&file, report::html(&lines)).unwrap();
        let config = outside().join("html-validate.json");
        let ended = Command::new(&program).arg("--config").arg(config).arg(&file).output().unwrap();
        assert!(ended.status.success(), "{name}: {}", String::from_utf8_lossy(&ended.stdout));
    }
}

/// So many exchanges of a run, each with bodies of its own.
fn exchanges(count: u32, differ: bool) -> Vec<Line> {
    let mut lines =
        vec![Line::Run(RunLine { session: "main".into(), verb: "run".into(), ..RunLine::default() })];
    for nth in 1..=count {
        let key = ExchangeKey {
            session: "main".into(),
            endpoint: "GET /siem/offenses".into(),
            resource: "/api/siem/offenses".into(),
            nth,
        };
        let own = if differ { nth } else { 0 };
        let head = |name: &str| (name.to_owned(), "v".repeat(40));
        lines.push(Line::Exchange(Box::new(Exchange {
            key: key.clone(),
            call: nth,
            tick: Some(nth),
            state: Some("PROCESSING".into()),
            method: "GET".into(),
            target: format!("/api/siem/offenses?page={own}"),
            request_headers: ["Host", "SEC", "Accept", "User-Agent"].map(head).to_vec(),
            status: 200,
            response_headers: ["Content-Type", "Date", "Server"].map(head).to_vec(),
            response_body: BodyText::Text(format!("{{\"id\":{own},\"text\":\"{}\"}}", "<&>".repeat(500))),
            origin: Origin::Recorded("offenses.list-1".into()),
            work_done: true,
            ..Exchange::default()
        })));
        lines.push(Line::Timing(Timing {
            key,
            at_us: u64::from(nth) * 1000,
            took_us: 500,
            ..Timing::default()
        }));
    }
    lines.push(Line::End(EndLine::default()));
    lines
}

#[test]
fn ten_thousand_exchanges_fit_ten_megabytes_whether_they_differ_or_not() {
    let page = report::html(&exchanges(10_000, true));
    assert!(page.len() < 10_000_000, "{} bytes", page.len());
    assert!(page.len() > 4_000_000 && page.contains(" are left out: the ledger has all of them.</p>"));
    let equal = report::html(&exchanges(10_000, false));
    assert!(equal.contains("<b>(10000 times)</b>") && equal.len() < 1_000_000, "{} bytes", equal.len());
    if let Ok(folder) = std::env::var("FAULTDECK_PAGES") {
        fs::write(Path::new(&folder).join("differ.html"), page).unwrap();
    }
}

#[test]
fn a_page_says_what_was_recorded_and_what_was_served_and_nothing_that_the_ledger_has_not() {
    let page = report::html(&judged());
    for part in [
        "the recorded interaction <b>cases.post-1f2e3d4c</b>",
        "fault reset (lost): cut after 40 bytes, then reset",
        "nothing: said by the fault hang in the console&#39;s place",
        "nothing that fits: nothing recorded for GET /api/siem/offenses",
        "PARTIALLY_COMPLETE",
        "state of the task",
        "in the order in which they were asked (the ledger has no times)",
        "<td class=\"violated\">VIOLATED",
        "default-src &#39;none&#39;",
    ] {
        let part = part.replace("&#39;none&#39;", "'none'").replace("console&#39;s", "console's");
        assert!(page.contains(&part), "no `{part}` in {page}");
    }
}

#[test]
fn the_last_forty_lines_of_a_long_report_say_all_that_is_needed() {
    let text = report::human(&many(), Paint::Plain);
    let lines: Vec<&str> = text.lines().collect();
    assert!(lines.len() > 100, "{} lines", lines.len());
    // Two lines more follow it in the log of a command: how to repeat it.
    let last = lines[lines.len() - 38..].join("\n");
    for part in [
        "In short\n",
        "  violated: law-0 (10 times)\n",
        "  and 27 more laws\n",
        "VIOLATED: ",
        "repeat it: faultdeck judge careless",
        "the law:   faultdeck explain ",
        "5 requests served",
        "exit 1 (failed): ",
    ] {
        assert!(last.contains(part), "no `{part}` in\n{last}");
    }
    assert!(!report::human(&judged(), Paint::Plain).contains("In short"), "a short one says it once");
}

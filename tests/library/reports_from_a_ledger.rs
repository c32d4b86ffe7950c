//! Reports are made from the ledger alone; these are what a person, a program and a CI system get to read.

use faultdeck::ledger::{
    EndLine, EndpointSeen, Exchange, ExchangeKey, Exit, FaultLine, GreetedLine, Line, Origin, OutcomeLine,
    RanLine, Reasons, RecordingUsed, RefusedLine, RunLine, RunStanding, Standing, Sum, VerdictLine,
};
use faultdeck::report::{self, Paint};
use snapbox::{assert_data_eq, file};

fn run(session: &str, client: &str) -> Line {
    Line::Run(RunLine {
        format: 1,
        faultdeck: "0.1.0".into(),
        session: session.into(),
        verb: "judge".into(),
        scenario: Some("lost-answer".into()),
        cassette: Some("forensics/create-case".into()),
        seed: 1,
        client: Some(client.into()),
        ..RunLine::default()
    })
}

fn exchange(session: &str, nth: u32, method: &str, target: &str) -> Exchange {
    Exchange {
        key: ExchangeKey {
            session: session.into(),
            endpoint: "POST /forensics/case_management/cases".into(),
            resource: "/api/forensics/case_management/cases".into(),
            nth,
        },
        call: 1,
        method: method.into(),
        target: target.into(),
        status: 201,
        origin: Origin::Recorded("cases.post-1f2e3d4c".into()),
        work_done: true,
        ..Exchange::default()
    }
}

fn verdict(property: &str, client: &str, standing: Standing, because: &str) -> VerdictLine {
    VerdictLine {
        property: property.into(),
        scenario: "lost-answer".into(),
        client: client.into(),
        verdict: standing,
        required: true,
        because: because.into(),
        evidence: vec![],
        cases: 1,
        session: None,
        found: None,
        repeat: None,
        rests_on: None,
        known: None,
    }
}

/// What the run below comes to: two verdicts, and a fault that never fired.
fn reasons() -> Reasons {
    let mut reasons = Reasons::default();
    reasons.push_verdict(Exit::Failed, "creates-once", "careless violates creates-once");
    reasons.push(Exit::Inconclusive, "never fired: lost-answer: hang");
    reasons
}

/// A careful and a careless client under one scenario, with one of everything a report can show.
pub(crate) fn judged() -> Vec<Line> {
    let mut created = exchange("s2", 1, "POST", "/api/forensics/case_management/cases");
    created.planned_bytes = 40;
    created.faults = vec![FaultLine {
        kind: "reset".into(),
        planned: "lost".into(),
        did: "cut after 40 bytes, then reset".into(),
        ..FaultLine::default()
    }];
    let again = exchange("s2", 2, "POST", "/api/forensics/case_management/cases");
    let mut missed = exchange("s2", 1, "GET", "/api/siem/offenses?filter=\u{1b}[31m");
    missed.status = 501;
    missed.origin = Origin::Miss {
        cause: "nothing recorded for GET /api/siem/offenses".into(),
        nearest: vec!["cases.list-00c0ffee: another path".into(), "tasks.get-0badf00d: another path".into()],
    };
    let mut hung = exchange("s2", 3, "POST", "/api/forensics/case_management/cases");
    hung.origin = Origin::Fault("hang".into());
    hung.faults = vec![FaultLine {
        kind: "hang".into(),
        planned: "stuck".into(),
        did: "never answered".into(),
        ..FaultLine::default()
    }];
    let mut doubled = exchange("s1", 1, "GET", "/api/forensics/case_management/cases/7");
    doubled.findings = vec!["member /id stands twice; the first is used".into()];
    doubled.taken = vec!["version 6.0".into()];
    doubled.projected = true;
    doubled.state = Some("PARTIALLY_COMPLETE".into());
    doubled.tick = Some(3);

    let mut violated =
        verdict("creates-once", "careless", Standing::Violated, "the case was created 2 times");
    violated.evidence = vec!["POST 1: cut after 40 bytes\nPOST 2: 201, with an equal body".into()];
    violated.session = Some("s2".into());
    violated.found = Some("scenarios/found/creates-once-1.toml".into());
    violated.repeat = Some("faultdeck judge careless --scenario scenarios/found/creates-once-1.toml".into());
    let mut second = verdict("terminates", "careless", Standing::Violated, "still polling after 40 requests");
    second.repeat = Some("faultdeck judge careless --scenario builtin:lost-answer --seed 1".into());
    let mut extra = verdict("right-address", "careful", Standing::Held, "every request");
    extra.required = false;
    extra.cases = 64;
    let mut silent = verdict("names-the-error", "careful", Standing::NotReached, "no error was served");
    silent.required = false;

    vec![
        run("s1", "careful"),
        run("s2", "careless"),
        Line::Exchange(Box::new(doubled)),
        Line::Exchange(Box::new(created)),
        Line::Exchange(Box::new(again)),
        Line::Exchange(Box::new(missed)),
        Line::Exchange(Box::new(hung)),
        Line::Refused(RefusedLine {
            session: "s2".into(),
            status: 400,
            why: "the target holds a blank".into(),
            head: "GET /api/x y HTTP/1.1".into(),
        }),
        Line::Outcome(OutcomeLine {
            session: "s2".into(),
            job: "create".into(),
            outcome: "done".into(),
            task: Some(r#"{"id":7}"#.into()),
            stderr: "posting again\u{7}\n".into(),
        }),
        Line::Verdict(verdict("creates-once", "careful", Standing::Held, "one creation")),
        Line::Verdict(verdict("terminates", "careful", Standing::Inconclusive, "the client timed out")),
        Line::Verdict(extra),
        Line::Verdict(silent),
        Line::Verdict(violated),
        Line::Verdict(second),
        Line::End(
            EndLine {
                sum: Sum {
                    served: 5,
                    recorded: 3,
                    by_fault: 1,
                    misses: 1,
                    faults: 2,
                    refused: 1,
                    ..Sum::default()
                },
                never_fired: vec!["lost-answer: hang".into()],
                ..EndLine::default()
            }
            .closed(reasons()),
        ),
    ]
}

#[test]
fn a_person_reads_verdicts_the_first_counter_example_and_how_to_repeat_it() {
    let text = report::human(&judged(), Paint::Plain);
    assert_data_eq!(text, file!["../snapshots/report.human.txt"].raw());
}

#[test]
fn a_program_reads_one_stable_json_object() {
    let text = report::json(&judged()).unwrap();
    serde_json::from_str::<serde_json::Value>(&text).unwrap();
    assert_data_eq!(text, file!["../snapshots/report.json.txt"].raw());
}

fn ran(scenario: &str, seed: u64, standing: RunStanding) -> RanLine {
    RanLine {
        session: RanLine::session(scenario, seed),
        scenario: scenario.into(),
        seed,
        standing,
        because: format!("the command failed with exit code {seed}"),
        again: None,
        silent: Vec::new(),
        repeat: format!("faultdeck run --scenario {scenario} --seed {seed} -- ./poller"),
        part: None,
        whole: None,
        known: Vec::new(),
    }
}

#[test]
fn the_runs_of_a_matrix_stand_in_a_row_a_scenario_and_the_first_bad_one_says_how_to_do_it_again() {
    use RunStanding::{Failed, Flaky, Passed, Skipped};
    let runs = [
        ran("task/slow-host", 1, Passed),
        ran("task/slow-host", 2, Failed),
        ran("task/slow-host", 3, Flaky),
        ran("task/not-found", 1, Passed),
        ran("ariel/stalls", 1, Skipped),
    ];
    let lines: Vec<Line> = runs.into_iter().map(|run| Line::Ran(Box::new(run))).collect();
    let human = report::human(&lines, Paint::Plain);
    let expected = "\
Runs
  scenario        runs  came to                      seeds
  task/slow-host  3     1 FAILED, 1 flaky, 1 passed  2, 3
  task/not-found  1     1 passed
  skipped, for the command asks for nothing that they are about: ariel/stalls
  FAILED task/slow-host#2: the command failed with exit code 2
    repeat it: faultdeck run --scenario task/slow-host --seed 2 -- ./poller
";
    assert!(human.contains(expected), "{human}");
    let junit = report::junit(&lines).unwrap();
    for part in
        ["task/slow-host (runs)\" tests=\"3\" skipped=\"0\" errors=\"1\" failures=\"1\"", "name=\"seed 2\""]
    {
        assert!(junit.replace("disabled", "skipped").contains(part), "{junit}");
    }
    let json: serde_json::Value = serde_json::from_str(&report::json(&lines).unwrap()).unwrap();
    assert_eq!(json["runs"][1]["standing"], "failed");
}

#[test]
fn a_ci_system_reads_one_test_case_per_property_and_scenario() {
    let text = report::junit(&judged()).unwrap();
    assert_data_eq!(text, file!["../snapshots/report.junit.xml"].raw());
}

#[test]
fn colour_changes_no_word() {
    let painted = report::human(&judged(), Paint::Colour);
    let mut plain = String::new();
    let mut rest = painted.as_str();
    while let Some(start) = rest.find('\u{1b}') {
        plain.push_str(&rest[..start]);
        rest = rest[start..].split_once('m').unwrap().1;
    }
    plain.push_str(rest);
    assert_eq!(plain, report::human(&judged(), Paint::Plain));
}

/// What a stranger may have put in a ledger, wherever a text stands.
pub(crate) fn hostile() -> Vec<Line> {
    let hostile = "\u{1b}]0;x\u{7}\u{9b}2J\u{0}\u{202e}\u{ffff}]]><![CDATA[<img src=x>&\"'<script>alert(1)</script></pre>|`b` ::error::x%0A\n::error::y";
    let mut lines = judged();
    lines.push(Line::Greeted(GreetedLine { connection: Some(2), ..GreetedLine::default() }));
    lines.push(Line::Coverage(Box::default()));
    lines.push(Line::Seen(Box::default()));
    lines.push(Line::Ran(Box::new(ran("task/x", 7, RunStanding::Failed))));
    for line in &mut lines {
        match line {
            Line::Run(run) => run.scenario = Some(hostile.into()),
            Line::Exchange(exchange) => {
                exchange.target = hostile.into();
                exchange.state = Some(hostile.into());
                exchange.findings = vec![hostile.into()];
            }
            Line::Verdict(verdict) => {
                verdict.because = hostile.into();
                verdict.evidence = vec![hostile.into()];
                verdict.scenario = hostile.into();
                verdict.client.push_str(hostile);
                verdict.repeat = Some(hostile.into());
            }
            Line::Outcome(outcome) => outcome.stderr = hostile.into(),
            Line::Coverage(coverage) => {
                coverage.client = hostile.into();
                coverage.laws_not_reached = vec![hostile.into()];
                coverage.states.missing = vec![hostile.into()];
            }
            Line::Seen(seen) => {
                let states = [(hostile.to_owned(), 1)].into();
                let faults = [(hostile.to_owned(), 2)].into();
                let endpoint = EndpointSeen { requests: 1, states, faults, ..EndpointSeen::default() };
                seen.endpoints = [(hostile.to_owned(), endpoint)].into();
                let used = RecordingUsed { interactions: 2, unused: [hostile.to_owned()].into() };
                seen.recordings = [(hostile.to_owned(), used)].into();
                seen.faults.missing = vec![hostile.into()];
            }
            Line::Refused(refused) => {
                refused.head = hostile.into();
                refused.why = hostile.into();
            }
            Line::Greeted(greeted) => {
                greeted.kind = hostile.into();
                greeted.planned = hostile.into();
                greeted.did = hostile.into();
            }
            Line::Ran(ran) => {
                ran.session = hostile.into();
                ran.scenario = hostile.into();
                ran.because = hostile.into();
                ran.repeat = hostile.into();
            }
            Line::End(end) => end.because = hostile.into(),
            Line::Timing(_) | Line::Gap(_) => {}
        }
    }
    lines
}

#[test]
fn no_report_lets_a_control_character_out() {
    let lines = hostile();
    for format in report::FORMATS {
        let text = format.make(&lines, Paint::Plain).unwrap();
        let escaped =
            text.chars().find(|c| (c.is_control() && *c != '\n') || matches!(c, '\u{202e}' | '\u{ffff}'));
        assert_eq!(escaped, None, "{text}");
    }
    assert!(!report::junit(&lines).unwrap().contains("<img"));
}

#[test]
fn a_ledger_that_was_cut_short_is_not_green() {
    let mut lines = judged();
    lines.truncate(3);
    assert!(report::human(&lines, Paint::Plain).contains("was cut short"));
    assert!(report::json(&lines).unwrap().contains("\"exit\": null"));
    assert!(report::junit(&lines).unwrap().contains("errors=\"1\""));
}

#[test]
fn a_fault_that_nobody_can_know_of_is_neither_fired_nor_green_nor_an_error_in_any_report() {
    let planned = "outage: refuse, from 0 to 20 ms";
    let sum = Sum { served: 2, recorded: 2, ..Sum::default() };
    let end = EndLine { sum, in_force: vec![planned.into()], ..EndLine::default() };
    let absent = GreetedLine { kind: "refuse".into(), planned: "refuse".into(), ..GreetedLine::default() };
    let lines = [Line::Greeted(absent), Line::End(end.closed(Reasons::default()))];
    let human = report::human(&lines[..], Paint::Plain);
    assert!(human.contains("0 faults fired") && !human.contains("never fired"), "{human}");
    assert!(human.contains(&format!("whether a client met them cannot be known\n  {planned}\n")), "{human}");
    let json: serde_json::Value = serde_json::from_str(&report::json(&lines[..]).unwrap()).unwrap();
    assert_eq!(
        (&json["in_force"][0], &json["faults"], &json["never_fired"]),
        (&planned.into(), &serde_json::json!([]), &serde_json::json!([]))
    );
    let junit = report::junit(&lines[..]).unwrap();
    assert!(
        junit.contains("<skipped message=\"in force: whether a client met it cannot be known\"/>"),
        "{junit}"
    );
}

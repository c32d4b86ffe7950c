//! JUnit XML for CI systems: each property under each scenario is a test case, and so is the run as a whole.

use quick_junit::{NonSuccessKind, Report, SerializeError, TestCase, TestCaseStatus, TestSuite};

use super::account::{Account, word};
use super::content::Content;
use super::lines::{refused_line, request_line};
use super::visible;
use crate::ledger::{Came, EndLine, Exit, RanLine, RunStanding, Standing, VerdictLine, by_scenario};

/// The report as XML text.
///
/// A violation is a failure; a property that was asked for and got no answer is an error; one that was not asked for
/// is skipped, with what was seen as the reason. The last suite holds one case for the run: a run that tested nothing is
/// not green. What a verdict tells already is not told again there: then it is skipped, and says where to look.
///
/// # Errors
/// If the XML writer refuses, which it does only when out of memory.
pub fn junit<'a>(content: impl Into<Content<'a>>) -> Result<String, SerializeError> {
    let account = Account::of(content);
    let verb = account.runs.first().map_or("report", |run| run.verb.as_str());
    let mut report = Report::new(format!("faultdeck {}", visible(verb)));
    for suite in suites(&account) {
        report.add_test_suite(suite);
    }
    for suite in matrix_suites(&account) {
        report.add_test_suite(suite);
    }
    let mut whole = TestSuite::new("the run as a whole");
    whole.add_test_case(whole_run(&account));
    for planned in account.end.iter().flat_map(|end| &end.in_force) {
        whole.add_test_case(in_force(planned));
    }
    report.add_test_suite(whole);
    report.to_string()
}

/// A suite for each client and scenario, in ledger order.
fn suites(account: &Account<'_>) -> Vec<TestSuite> {
    let mut keys: Vec<(&str, &str)> = Vec::new();
    for verdict in &account.verdicts {
        let key = (verdict.client.as_str(), verdict.scenario.as_str());
        if !keys.contains(&key) {
            keys.push(key);
        }
    }
    let suite = |(client, scenario): (&str, &str)| {
        let mut suite = TestSuite::new(joined(client, scenario, " / "));
        let of = |verdict: &&&VerdictLine| verdict.client == client && verdict.scenario == scenario;
        for verdict in account.verdicts.iter().filter(of) {
            suite.add_test_case(case(account, verdict));
        }
        suite
    };
    keys.into_iter().map(suite).collect()
}

/// A suite for each scenario of a matrix, with a case for each seed.
fn matrix_suites(account: &Account<'_>) -> Vec<TestSuite> {
    let suite = |(scenario, runs): (&str, Vec<&RanLine>)| {
        let name = if scenario.is_empty() { "runs".into() } else { visible(scenario) };
        let mut suite = TestSuite::new(format!("{name} (runs)"));
        for run in runs {
            let mut status = match run.standing {
                RunStanding::Passed => TestCaseStatus::success(),
                RunStanding::Skipped | RunStanding::Known => TestCaseStatus::skipped(),
                RunStanding::Failed => TestCaseStatus::non_success(NonSuccessKind::Failure),
                RunStanding::NotRun | RunStanding::Inconclusive | RunStanding::Flaky => {
                    TestCaseStatus::non_success(NonSuccessKind::Error)
                }
            };
            if run.standing != RunStanding::Passed {
                status.set_message(visible(&run.because).as_ref());
                status.set_type(run.standing.word().to_lowercase());
            }
            if run.standing.exit() > Exit::Passed {
                status.set_description(format!("repeat it: {}", visible(&run.repeat)));
            }
            let mut case = TestCase::new(format!("seed {}", run.seed), status);
            case.set_classname(name.as_ref());
            suite.add_test_case(case);
        }
        suite
    };
    by_scenario(&account.ran).into_iter().map(suite).collect()
}

fn case(account: &Account<'_>, verdict: &VerdictLine) -> TestCase {
    let mut status = match (verdict.verdict, verdict.required) {
        (Standing::Held, _) => TestCaseStatus::success(),
        (Standing::Violated, true) if verdict.let_pass().is_some() => TestCaseStatus::skipped(),
        (Standing::Violated, true) => TestCaseStatus::non_success(NonSuccessKind::Failure),
        (Standing::NotReached | Standing::Inconclusive, true) => {
            TestCaseStatus::non_success(NonSuccessKind::Error)
        }
        (Standing::NotApplicable, _) | (_, false) => TestCaseStatus::skipped(),
    };
    if verdict.verdict != Standing::Held {
        let is_asked_for = verdict.required || verdict.verdict == Standing::NotApplicable;
        let asked = if is_asked_for { "" } else { " (for information only)" };
        status.set_message(format!("{}{asked}: {}", word(verdict.verdict), visible(&verdict.because)));
        status.set_type(word(verdict.verdict).to_lowercase());
        if let Some(mark) = verdict.let_pass() {
            status.set_message(format!(
                "known {}: {}",
                visible(&mark.entry.in_words()),
                visible(&verdict.because)
            ));
            status.set_type("known");
        }
        if verdict.verdict == Standing::Violated {
            status.set_description(description(account, verdict));
        }
    }
    // Under several seeds, a name would stand there several times.
    let seed = account.seed_of(verdict).filter(|_| account.seeds().len() > 1);
    let seed = seed.map_or_else(String::new, |seed| format!(" (seed {seed})"));
    let mut case = TestCase::new(format!("{}{seed}", visible(&verdict.property)), status);
    case.set_classname(joined(&verdict.client, &verdict.scenario, "."));
    case
}

fn joined(client: &str, scenario: &str, by: &str) -> String {
    let parts = [client, scenario];
    parts.iter().filter(|part| !part.is_empty()).map(|part| visible(part)).collect::<Vec<_>>().join(by)
}

fn description(account: &Account<'_>, verdict: &VerdictLine) -> String {
    let mut lines: Vec<String> = Vec::new();
    let evidence = verdict.evidence.iter().flat_map(|evidence| evidence.lines());
    lines.extend(evidence.map(|line| visible(line).into_owned()));
    if let Some(session) = &verdict.session {
        lines.extend(account.session(session).into_iter().map(request_line));
    }
    if let Some(found) = &verdict.found {
        lines.push(format!("saved as: {}", visible(found)));
    }
    if let Some(repeat) = &verdict.repeat {
        lines.push(format!("repeat it: {}", visible(repeat)));
    }
    lines.join("\n")
}

fn whole_run(account: &Account<'_>) -> TestCase {
    let mut status = match account.end {
        None => {
            let mut cut = TestCaseStatus::non_success(NonSuccessKind::Error);
            cut.set_message("the ledger has no closing line: the run was cut short");
            cut
        }
        Some(end) => ended(end),
    };
    if let Some(end) = account.end.filter(|end| end.exit != Exit::Passed) {
        status.set_type(end.exit.word());
        let never = end.never_fired.iter().map(|name| visible(name).into_owned());
        let refused = account.refused().into_iter().map(|(refused, _)| refused_line(refused));
        let greeted = account.greeted().into_iter();
        let greeted = greeted.map(|((kind, did), _)| format!("{} [{}]", visible(did), visible(kind)));
        status.set_description(never.chain(refused).chain(greeted).collect::<Vec<_>>().join("\n"));
    }
    let mut case = TestCase::new("exit code", status);
    case.set_classname("faultdeck");
    case
}

/// A fault of which nobody can know whether a client met it: neither a success nor a failure.
fn in_force(planned: &str) -> TestCase {
    let mut status = TestCaseStatus::skipped();
    status.set_message("in force: whether a client met it cannot be known");
    let mut case = TestCase::new(visible(planned).as_ref(), status);
    case.set_classname("faultdeck.planned");
    case
}

/// How the run as a whole stands, beside its verdicts.
fn ended(end: &EndLine) -> TestCaseStatus {
    let message = |because: &str| format!("exit {} ({}): {because}", end.exit.code(), end.exit.word());
    let is_news = |property: &Option<String>, exit: Exit| property.is_none() && exit > Exit::Passed;
    let own: Vec<_> = end.reasons.iter().filter(|reason| is_news(&reason.property, reason.exit)).collect();
    let worst = own.iter().map(|reason| reason.exit).max();
    let (mut status, because) = match (end.exit, worst) {
        (Exit::Passed, _) => return passed(end),
        // Each verdict is a case of its own, and fails there.
        (_, None) if !end.reasons.is_empty() => (TestCaseStatus::skipped(), "see the verdicts".to_owned()),
        (exit, worst) => {
            let kind = match worst.unwrap_or(exit) {
                Exit::Failed => NonSuccessKind::Failure,
                _ => NonSuccessKind::Error,
            };
            let whys: Vec<_> = own.iter().map(|reason| visible(&reason.why)).collect();
            let because = if own.is_empty() { visible(&end.because).into_owned() } else { whys.join("; ") };
            (TestCaseStatus::non_success(kind), because)
        }
    };
    status.set_message(message(&because));
    status
}

/// A run that passed; where that is because its failure is known, it is skipped.
fn passed(end: &EndLine) -> TestCaseStatus {
    let of_the_run = end.reasons.iter().filter(|reason| reason.property.is_none());
    let mut known =
        of_the_run.filter(|reason| reason.known.as_ref().is_some_and(|mark| mark.came == Came::Failed));
    match known.next() {
        None => TestCaseStatus::success(),
        Some(reason) => {
            let mut status = TestCaseStatus::skipped();
            status.set_message(visible(&reason.why).as_ref());
            status.set_type("known");
            status
        }
    }
}

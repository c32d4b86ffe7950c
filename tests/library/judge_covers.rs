//! A judgement says what it put to the test, and what was not tested never counts as held.
use crate::judging;

use std::sync::Arc;

use faultdeck::client::{InProcess, Job, JobKind, Outcome, Resting};
use faultdeck::judge::{CoverageFloor, Judged, Plan, judge};
use faultdeck::ledger::{CoverageLine, Exit, Line, Standing};
use faultdeck::report::{Paint, human, json};
use judging::{Defect, client, recording, seen};

fn plan(stories: &[&str]) -> Plan {
    let mut plan = Plan::new(Arc::new(|_| Ok(recording())));
    plan.scenarios.retain(|scenario| stories.contains(&scenario.name.as_str()));
    plan
}

fn coverage(judged: &Judged) -> &CoverageLine {
    let coverage = judged.lines.iter().find_map(|line| match line {
        Line::Coverage(coverage) => Some(&**coverage),
        _ => None,
    });
    coverage.unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_judgement_says_which_laws_faults_and_states_it_reached() {
    let plan = Plan { cases: 40, ..plan(&["task/not-found", "task/partial-completion"]) };
    let judged = judge(&plan, &client(Defect::Rounds), &|_| {}).await.unwrap();
    let line = coverage(&judged);
    let of = |property: &str| {
        line.laws.iter().find(|law| law.property == property && law.job == "get" && law.cases > 0).unwrap()
    };
    let reports = of("reports-what-it-got");
    assert!(reports.broken > 0 && reports.cases > reports.broken && reports.judged >= reports.cases);
    assert!(!of("names-the-error").faults.is_empty(), "{line:#?}");
    let partial = line.laws.iter().find(|law| law.property == "partial-is-usable-not-done").unwrap();
    assert!(partial.states.get("partial").is_some_and(|cases| *cases > 1), "{partial:#?}");
    assert!(line.states.reached.contains(&"done".to_owned()), "{line:#?}");
    let drawn = &line.drawn;
    assert!(drawn.cases >= 80 && drawn.disturbed > 0 && drawn.whole > 0, "{drawn:#?}");
    assert!(drawn.unicode > 0 && drawn.empty > 0 && drawn.errors > 0 && drawn.widest > 2, "{drawn:#?}");
    let shown = human(judged.lines.as_slice(), Paint::Plain);
    assert!(shown.contains("Coverage\n") && shown.contains("once in "), "{shown}");
    let summary: serde_json::Value = serde_json::from_str(&json(judged.lines.as_slice()).unwrap()).unwrap();
    assert_eq!(summary["coverage"][0]["drawn"]["cases"], drawn.cases);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn where_no_faults_are_asked_for_nothing_goes_wrong_in_generated_cases() {
    let plan = Plan { cases: 40, faults: false, ..plan(&[]) };
    let judged = judge(&plan, &client(Defect::None), &|_| {}).await.unwrap();
    let drawn = &coverage(&judged).drawn;
    assert_eq!((drawn.cases > 80, drawn.disturbed, drawn.errors), (true, 0, 0), "{drawn:#?}");
    assert!(judged.account.sum.faults == 0 && judged.account.exit == Exit::Passed, "{:?}", judged.account);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_falls_short_of_the_coverage_that_was_asked_for_is_inconclusive() {
    let client = client(Defect::None).with_jobs(&[JobKind::Get]);
    for (floor, exit) in [("laws=1%", Exit::Passed), ("laws=all", Exit::Inconclusive)] {
        let coverage: CoverageFloor = floor.parse().unwrap();
        let plan = Plan { cases: 20, coverage, ..plan(&[]) };
        let judged = judge(&plan, &client, &|_| {}).await.unwrap();
        assert_eq!(judged.account.exit, exit, "{floor}: {}", judged.account.because);
        let told = judged.account.reasons.iter().any(|reason| reason.why.starts_with("coverage: "));
        assert_eq!(told, exit == Exit::Inconclusive, "{:?}", judged.account.reasons);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_that_looks_once_at_a_task_that_goes_on_has_not_shown_that_it_ends() {
    let once = InProcess::new("once", |job: Job| async move {
        match seen(&job).await {
            Some((200, task)) => Outcome::Task { standing: Resting::Pending, task },
            _ => Outcome::GaveUp,
        }
    })
    .with_jobs(&[JobKind::Wait]);
    let plan = Plan { cases: 0, ..plan(&["task/lagging-managed-host"]) };
    let judged = judge(&plan, &once, &|_| {}).await.unwrap();
    let line = judged.verdicts.iter().find(|line| line.property == "terminates").unwrap();
    assert_eq!(line.verdict, Standing::NotReached, "{line:#?}");
    assert_eq!(judged.account.exit, Exit::Inconclusive);
    assert!(coverage(&judged).laws_not_reached.contains(&"terminates".to_owned()));
}

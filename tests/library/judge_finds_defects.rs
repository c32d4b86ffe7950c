//! Each property is broken by a client with one defect, and by no client without one.
use crate::judging;

use std::sync::Arc;

use faultdeck::client::{Client as _, InProcess, Job, JobKind, Outcome};
use faultdeck::judge::{JudgeError, Judged, PROPERTIES, Plan, Property, judge, property};
use faultdeck::ledger::{Exit, Standing};
use judging::{Defect, client, recording};

fn plan() -> Plan {
    let stories = ["not-found", "server-error", "partial-completion", "lagging-managed-host", "lost-answer"]
        .map(|name| format!("task/{name}"));
    let mut plan = Plan::new(Arc::new(|_| Ok(recording())));
    plan.scenarios.retain(|scenario| stories.contains(&scenario.name));
    Plan { cases: 40, ..plan }
}

async fn judged(plan: &Plan, defect: Defect) -> Judged {
    judge(plan, &client(defect), &|_| {}).await.unwrap()
}

fn violated(judged: &Judged) -> Vec<&str> {
    let mut found: Vec<&str> = (judged.verdicts.iter())
        .filter(|line| line.verdict == Standing::Violated)
        .map(|line| line.property.as_str())
        .collect();
    found.sort_unstable();
    found.dedup();
    found
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_careful_client_breaks_nothing_and_reaches_everything() {
    let judged = judged(&plan(), Defect::None).await;
    for line in &judged.verdicts {
        assert_eq!(line.verdict, Standing::Held, "{line:#?}");
    }
    assert_eq!(
        (judged.account.exit, judged.account.sum.misses),
        (Exit::Passed, 0),
        "{}",
        judged.account.because
    );
    let reached: std::collections::BTreeSet<&str> =
        judged.verdicts.iter().map(|line| line.property.as_str()).collect();
    // What only other stories or other jobs show is not among them.
    let jobs = [JobKind::Get, JobKind::Wait, JobKind::Create];
    let is_shown = |property: &&&Property| {
        property.story.is_none() && property.jobs.iter().any(|job| jobs.contains(job))
    };
    let all = PROPERTIES.iter().filter(is_shown);
    assert_eq!(reached, all.map(|property| property.id).collect());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_defect_breaks_its_property_and_no_other() {
    for (defect, property) in [
        (Defect::DropsFields, "asks-for-what-it-was-told"),
        (Defect::Rounds, "reports-what-it-got"),
        (Defect::ZeroFills, "invents-nothing"),
        (Defect::RefusesUnknown, "survives-the-unrequested"),
        (Defect::AnyMissIsNotFound, "names-the-error"),
        (Defect::Endless, "terminates"),
        (Defect::PartialIsDone, "partial-is-usable-not-done"),
        (Defect::CreatesAgain, "creates-once"),
    ] {
        let judged = judged(&plan(), defect).await;
        assert_eq!(violated(&judged), [property], "{defect:?}: {:#?}", judged.verdicts);
        assert_eq!(judged.account.exit, Exit::Failed, "{}", judged.account.because);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_doubled_api_breaks_the_address() {
    let judged = judged(&Plan { scenarios: Vec::new(), ..plan() }, Defect::DoubleApi).await;
    assert_eq!(violated(&judged), ["right-address"], "{:#?}", judged.verdicts);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_that_never_calls_is_no_pass() {
    let judged = judged(&plan(), Defect::NeverCalls).await;
    let account = &judged.account;
    assert_eq!((violated(&judged), account.exit), (vec![], Exit::Inconclusive), "{}", account.because);
    assert!(judged.verdicts.iter().all(|line| line.verdict == Standing::NotReached));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_flaky_client_is_called_flaky() {
    let judged = judged(&Plan { scenarios: Vec::new(), ..plan() }, Defect::RoundsAtTimes).await;
    let line = judged.verdicts.iter().find(|line| line.property == "reports-what-it-got").unwrap();
    assert_eq!(line.verdict, Standing::Inconclusive, "{line:#?}");
    assert!(line.because.contains("flaky"), "{}", line.because);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_that_cannot_be_read_where_nothing_goes_wrong_is_no_client_that_broke_a_property() {
    for (outcome, kind) in [(Outcome::Silent, "silent"), (Outcome::Unreadable { why: "odd".into() }, "odd")] {
        for job in [JobKind::Get, JobKind::Wait, JobKind::Create] {
            let silent = outcome.clone();
            let client =
                InProcess::new("mute", move |_| std::future::ready(silent.clone())).with_jobs(&[job]);
            let judged = judge(&plan(), &client, &|_| {}).await;
            let Err(JudgeError::Unreadable { job: asked, .. }) = judged else {
                panic!("{kind} {job}: {judged:?}")
            };
            assert_eq!(asked, job);
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_readable_at_first_is_judged_when_it_is_not_any_more() {
    // It is silent about every error, and only then.
    let client = InProcess::new("shy", |job: Job| {
        let careful = client(Defect::None);
        async move {
            match careful.run(&job).await.outcome {
                task @ Outcome::Task { .. } => task,
                _ => Outcome::Silent,
            }
        }
    })
    .with_jobs(&[JobKind::Get]);
    let plan = Plan { scenarios: Vec::new(), ..plan() };
    let judged = judge(&plan, &client, &|_| {}).await.unwrap();
    assert_eq!(violated(&judged), ["names-the-error"], "{:#?}", judged.verdicts);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_with_one_job_is_judged_by_what_that_job_shows() {
    let mut plan = plan();
    // There a client that only creates has nothing to wait for.
    plan.scenarios.retain(|scenario| scenario.name != "task/lost-answer");
    for job in [JobKind::Get, JobKind::Wait, JobKind::Create] {
        let client = client(Defect::None).with_jobs(&[job]);
        let judged = judge(&plan, &client, &|_| {}).await.unwrap();
        assert_eq!(judged.account.exit, Exit::Passed, "{job}: {}", judged.account.because);
        for line in &judged.verdicts {
            let law = property(&line.property).unwrap();
            if law.along.contains(&job) {
                assert!(matches!(line.verdict, Standing::Held | Standing::NotApplicable), "{job}: {line:#?}");
                continue;
            }
            let does = law.jobs.contains(&job);
            let expected = if does { Standing::Held } else { Standing::NotApplicable };
            assert_eq!(line.verdict, expected, "{job}: {line:#?}");
        }
    }
}

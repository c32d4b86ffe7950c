//! Each property is broken by a client with one defect, and by no client without one.
use crate::judging;

use std::sync::Arc;
use std::time::Duration;

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

/// The careful client with something done to what it reports of a job.
fn spoilt(
    jobs: &[JobKind],
    spoil: impl Fn(JobKind, Outcome) -> Outcome + Clone + Send + Sync + 'static,
) -> impl faultdeck::client::Client {
    InProcess::new("spoilt", move |job: Job| {
        let (careful, spoil) = (client(Defect::None), spoil.clone());
        async move { spoil(job.kind, careful.run(&job).await.outcome) }
    })
    .with_dialects(&["sample", "prose"])
    .with_jobs(jobs)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_error_that_ends_a_wait_and_is_told_for_another_breaks_the_law_about_errors() {
    let plan = Plan { cases: 0, ..plan() };
    let vague = |kind: JobKind, outcome: Outcome| match outcome {
        Outcome::ServerError { .. } if kind == JobKind::Wait => Outcome::Error { text: "oops".into() },
        outcome => outcome,
    };
    let judged =
        judge(&plan, &spoilt(&[JobKind::Get, JobKind::Wait, JobKind::Create], vague), &|_| {}).await.unwrap();
    assert_eq!(violated(&judged), ["names-the-error"], "{:#?}", judged.verdicts);
    let line = judged.verdicts.iter().find(|line| line.verdict == Standing::Violated).unwrap();
    assert!(line.scenario == "task/server-error" && line.because.contains("500/1020"), "{line:#?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_that_keeps_answers_for_the_next_time_breaks_the_laws_of_selectors() {
    let kept: Arc<std::sync::Mutex<std::collections::BTreeMap<String, Outcome>>> = Arc::default();
    let client = InProcess::new("keeps", move |job: Job| {
        let (careful, kept) = (client(Defect::None), Arc::clone(&kept));
        async move {
            if let Some(outcome) = kept.lock().unwrap().get(&job.path) {
                return outcome.clone();
            }
            let outcome = careful.run(&job).await.outcome;
            if matches!(outcome, Outcome::Task { .. }) {
                kept.lock().unwrap().insert(job.path, outcome.clone());
            }
            outcome
        }
    })
    .with_jobs(&[JobKind::Get]);
    let plan = Plan { scenarios: Vec::new(), ..plan() };
    let judged = judge(&plan, &client, &|_| {}).await.unwrap();
    let line = judged.verdicts.iter().find(|line| line.property == "selector-laws").unwrap();
    assert_eq!(line.verdict, Standing::Violated, "{line:#?}");
    assert!(line.because.contains("it sends no request, and reports a resource"), "{line:#?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_that_gives_up_long_before_it_was_told_to_does_not_end_where_it_should() {
    let mut plan = Plan { cases: 0, ..Plan::new(Arc::new(|_| Ok(recording()))) };
    plan.scenarios.retain(|scenario| scenario.name == "task/works-for-ever");
    for (ms, is_early) in [(40, true), (10_000, false)] {
        let client = InProcess::new("hasty", move |job: Job| {
            let pace_ms = job.pace_ms.max(8);
            let careful = client(Defect::None);
            async move {
                let job = Job { pace_ms, ..job };
                let done = careful.run(&job);
                match tokio::time::timeout(Duration::from_millis(ms), done).await {
                    Ok(report) => report.outcome,
                    Err(_) => Outcome::GaveUp,
                }
            }
        })
        .with_timeout_ms(1_500)
        .with_jobs(&[JobKind::Wait]);
        let judged = judge(&plan, &client, &|_| {}).await.unwrap();
        assert_eq!(violated(&judged).contains(&"terminates"), is_early, "{ms}: {:#?}", judged.verdicts);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_selector_that_loses_its_brackets_or_its_capitals_is_found_where_the_resource_has_neither() {
    fn without_brackets(text: &str) -> String {
        match (text.find('('), text.rfind(')')) {
            (Some(from), Some(to)) => [&text[..from], &text[to + 1..]].concat(),
            _ => text.to_owned(),
        }
    }
    type Spoil = fn(&str) -> String;
    let spoils: [(Spoil, bool); 3] =
        [(without_brackets, true), (str::to_lowercase, true), (str::to_owned, false)];
    let plan = Plan { scenarios: Vec::new(), ..plan() };
    for (spoil, is_found) in spoils {
        let client = InProcess::new("spoils", move |job: Job| {
            let careful = client(Defect::None);
            let job = Job { fields: job.fields.as_deref().map(spoil), ..job };
            async move { careful.run(&job).await.outcome }
        })
        .with_jobs(&[JobKind::Get]);
        let judged = judge(&plan, &client, &|_| {}).await.unwrap();
        assert_eq!(
            violated(&judged).contains(&"asks-for-what-it-was-told"),
            is_found,
            "{:#?}",
            judged.verdicts
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_token_that_gets_out_fails_a_judgement_in_whatever_story_it_does() {
    let mut plan = Plan { cases: 0, ..Plan::new(Arc::new(|_| Ok(recording()))) };
    plan.scenarios.retain(|scenario| scenario.name == "outage/bad-gateway");
    let asks = |plan: &Plan| {
        plan.scenarios.iter().any(|story| story.must.hold.iter().any(|law| law.name == "keeps-secrets"))
    };
    assert!(plan.scenarios.len() == 1 && !asks(&plan));
    for leaks in [true, false] {
        let client = InProcess::new("asks again", move |job: Job| {
            let careful = client(Defect::None);
            async move {
                let ended = careful.run(&job).await.outcome;
                if leaks && !matches!(ended, Outcome::Task { .. }) {
                    let id = job.id.as_ref().map(|id| format!("{id}?token={}", job.sec));
                    let _ = careful.run(&Job { id, fields: None, ..job }).await;
                }
                ended
            }
        })
        .with_jobs(&[JobKind::Get, JobKind::Wait]);
        let judged = judge(&plan, &client, &|_| {}).await.unwrap();
        let line = judged.verdicts.iter().find(|line| line.property == "keeps-secrets").unwrap();
        let expected = if leaks { (Standing::Violated, true) } else { (Standing::Held, false) };
        assert_eq!((line.verdict, line.required), expected, "{line:#?}");
        assert_eq!(judged.account.exit == Exit::Failed, leaks, "{}", judged.account.because);
    }
}

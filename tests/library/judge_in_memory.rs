//! A closure that asks through a door is judged as one that asks over a socket, in a fraction of the time.
use crate::judging;

use std::sync::Arc;

use faultdeck::client::{InProcess, Job, JobKind, Outcome, Resting, Through};
use faultdeck::json::Json;
use faultdeck::judge::{Plan, judge};
use faultdeck::ledger::{Exit, Standing};
use faultdeck::message::Request;
use faultdeck::replay::Door;
use judging::recording;

/// What a client makes of the answer to one request.
async fn got(job: Job, door: Door) -> Outcome {
    let query = job.fields.as_ref().map(|fields| {
        format!("?fields={}", form_urlencoded::byte_serialize(fields.as_bytes()).collect::<String>())
    });
    let target = format!("/api{}{}", job.path, query.unwrap_or_default());
    let request = Request::new("GET", &target).with("Host", "localhost").with("SEC", &job.sec);
    let Ok(answer) = door.ask(request.with("Version", "26.0")).await else {
        return Outcome::Error { text: "the connection broke".to_owned() };
    };
    let text = answer.text().unwrap_or_default().to_owned();
    let code = Json::parse(&text).ok().and_then(|body| body.member("code")?.text().parse().ok());
    match (answer.status, code) {
        (200, _) if Json::parse(&text).is_ok() => Outcome::Task { standing: Resting::Pending, task: text },
        (404, Some(1002)) => Outcome::NotFound { code },
        (500.., _) => Outcome::ServerError { code },
        (400.., _) => Outcome::Rejected { code },
        _ => Outcome::Error { text: "no answer of the API".to_owned() },
    }
}

fn plan() -> Plan {
    let mut plan = Plan::new(Arc::new(|_| Ok(recording())));
    plan.scenarios.retain(|it| ["task/not-found", "task/server-error"].contains(&it.name.as_str()));
    Plan { cases: 60, ..plan }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_without_a_socket_keeps_every_law_that_a_get_shows() {
    let client = InProcess::new("in memory", Through(got)).with_jobs(&[JobKind::Get]).with_timeout_ms(1_000);
    let judged = judge(&plan(), &client, &|_| {}).await.unwrap();
    assert_eq!(judged.account.exit, Exit::Passed, "{}", judged.account.because);
    assert!(judged.account.sum.served > 60 && judged.account.sum.faults > 0, "{:?}", judged.account.sum);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_without_a_socket_is_told_what_it_does_wrong() {
    let client =
        InProcess::new("in memory", Through(|job: Job, door: Door| got(Job { fields: None, ..job }, door)));
    let client = client.with_jobs(&[JobKind::Get]).with_timeout_ms(1_000);
    let judged = judge(&plan(), &client, &|_| {}).await.unwrap();
    let asks = judged.verdicts.iter().find(|line| line.property == "asks-for-what-it-was-told").unwrap();
    assert_eq!(asks.verdict, Standing::Violated, "{asks:#?}");
}

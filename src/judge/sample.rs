//! Hand-made cases, exchanges and runs for the tests of the properties.

use super::about::About;
use super::case::{Case, Given, Run};
use crate::client::{Claims, JobKind, Outcome, Report, Resting};
use crate::fault::{Effect, Fault};
use crate::ledger::{BodyText, Exchange, ExchangeKey, FaultLine};
use crate::redact::Redactor;
use crate::seed::Seed;

/// The token of every sample.
pub(super) const TOKEN: &str = "sample-token-5d81f04c";

/// Where the task of every sample stands.
pub(super) const PATH: &str = "/api/forensics/case_management/case_create_tasks/42";

/// What a job is about where no client file names another endpoint.
pub(super) fn about(job: JobKind) -> About {
    About::of(job, job.usual_endpoint().unwrap()).unwrap()
}

fn case(job: JobKind, fields: Option<&str>) -> Case {
    Case {
        job,
        about: about(job),
        dialect: "sample".into(),
        fields: fields.map(str::to_owned),
        params: if job == JobKind::Create { Vec::new() } else { vec![("id".into(), "42".into())] },
        name: None,
        body: None,
        task: None,
        answer: None,
        scenario: None,
        pace_ms: 1,
        seed: Seed(1),
    }
}

pub(super) fn get(fields: Option<&str>) -> Case {
    case(JobKind::Get, fields)
}

pub(super) fn wait(fields: Option<&str>) -> Case {
    case(JobKind::Wait, fields)
}

pub(super) fn create(name: &str) -> Case {
    Case { name: Some(name.into()), ..case(JobKind::Create, None) }
}

/// The whole list of this endpoint.
pub(super) fn list(endpoint: &str) -> Case {
    let about = About::of(JobKind::List, endpoint).unwrap();
    Case { job: JobKind::List, about, params: Vec::new(), ..get(None) }
}

/// A run without requests that gave up.
pub(super) fn run(case: Case) -> Run {
    Run {
        case,
        exchanges: Vec::new(),
        timings: Vec::new(),
        report: report(Outcome::GaveUp),
        claims: Claims::default(),
        lasted: std::time::Duration::from_secs(2),
        greeted: 0,
        was_unheard: false,
        given: given(),
        strayed: Vec::new(),
        later: Vec::new(),
    }
}

/// A client that was told its pace and its deadline, and given a token.
pub(super) fn given() -> Given {
    let secrets = Redactor::new();
    secrets.learn(TOKEN);
    Given {
        pace_ms: Some(1),
        deadline_ms: Some(3_000),
        fields: true,
        name: true,
        secrets,
        placeholders: ["fd-secret-1".to_owned()].into(),
        ..Given::default()
    }
}

pub(super) fn report(outcome: Outcome) -> Report {
    Report::of(outcome)
}

/// A `get` that got `got` and reported `reported`.
pub(super) fn reporting(fields: Option<&str>, got: &str, reported: &str) -> Run {
    let mut run = run(get(fields));
    run.exchanges = vec![poll(PATH, 200, got)];
    run.report.outcome = Outcome::Task { standing: Resting::Done, task: reported.into() };
    run
}

pub(super) fn poll(target: &str, status: u16, body: &str) -> Exchange {
    let endpoint =
        if target.contains("case_create_tasks") { about(JobKind::Get).shows.id.as_str() } else { "" };
    let resource = target.split('?').next().unwrap_or("").to_owned();
    Exchange {
        key: ExchangeKey { session: "s".into(), endpoint: endpoint.into(), resource, nth: 1 },
        method: "GET".into(),
        target: target.into(),
        request_headers: vec![("SEC".into(), "fd-secret-1".into())],
        status,
        response_body: BodyText::Text(body.into()),
        work_done: true,
        ..Exchange::default()
    }
}

/// A poll that shows this state.
pub(super) fn state(state: &str) -> Exchange {
    let body = format!(r#"{{"id":42,"state":"{state}"}}"#);
    Exchange { state: Some(state.into()), ..poll(PATH, 200, &body) }
}

pub(super) fn creation(name: &str, status: u16, body: &str) -> Exchange {
    let mut exchange = poll("/api/forensics/case_management/cases", status, body);
    exchange.key.endpoint = "POST /forensics/case_management/cases".into();
    exchange.method = "POST".into();
    exchange.request_body = BodyText::Text(format!(r#"{{"name":"{name}"}}"#));
    exchange
}

/// A fault of the first kind with this effect, fired.
pub(super) fn fault(effect: Effect) -> FaultLine {
    let row = Fault::CATALOGUE.iter().find(|row| row.effect == effect).unwrap();
    FaultLine {
        kind: row.name.into(),
        planned: row.name.into(),
        did: row.name.into(),
        ..FaultLine::default()
    }
}

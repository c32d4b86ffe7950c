//! Each property is put to the test on other endpoints than the usual ones, and is broken there by the same defects.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use faultdeck::client::{InProcess, Job, JobKind, Outcome, Resting};
use faultdeck::json::{Json, quote};
use faultdeck::judge::{Judged, Plan, judge};
use faultdeck::ledger::{Exit, Standing};
use faultdeck::profile::Profile;
use faultdeck::timeline::Phase;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// What is wrong with the client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Defect {
    None,
    DropsNested,
    FinalSlash,
    Rounds,
    ZeroFills,
    RefusesUnknown,
    AnyMissIsNotFound,
    Endless,
}

type Answered = Pin<Box<dyn Future<Output = Outcome> + Send>>;

/// A client that asks what it is told to, whatever that is.
fn client(defect: Defect) -> InProcess<impl Fn(Job) -> Answered + Send + Sync> {
    InProcess::new("other", move |job: Job| {
        Box::pin(async move {
            let limit = Duration::from_millis(job.deadline_ms);
            let work = async {
                match job.kind {
                    JobKind::Wait => wait(&job, defect).await,
                    _ => match ask(&job, defect).await {
                        Ok(text) => report(&text, defect),
                        Err(outcome) => outcome,
                    },
                }
            };
            tokio::time::timeout(limit, work).await.unwrap_or(Outcome::GaveUp)
        }) as Answered
    })
    .with_timeout_ms(1_000)
}

async fn wait(job: &Job, defect: Defect) -> Outcome {
    loop {
        let text = match ask(job, defect).await {
            Ok(text) => text,
            Err(outcome) => return outcome,
        };
        let state =
            Json::parse(&text).unwrap().member("status").and_then(Json::as_str).unwrap_or("").to_owned();
        let ends =
            ["SUCCESS", "COMPLETED", "FAILED", "EXCEPTION", "CONFLICT", "ERROR", "CANCELED", "CANCELLED"];
        let is_end =
            if defect == Defect::Endless { state == "COMPLETE" } else { ends.contains(&state.as_str()) };
        if is_end {
            let is_done = ["SUCCESS", "COMPLETED"].contains(&state.as_str());
            let standing = if is_done { Resting::Done } else { Resting::Failed };
            return Outcome::Task { standing, task: text };
        }
        tokio::time::sleep(Duration::from_millis(job.pace_ms)).await;
    }
}

fn report(text: &str, defect: Defect) -> Outcome {
    let json = Json::parse(text).unwrap();
    let is_list = text.starts_with('[');
    let all = if is_list { json.elements() } else { std::slice::from_ref(&json) };
    if defect == Defect::RefusesUnknown && all.iter().any(|one| one.member("unrequested").is_some()) {
        return Outcome::Error { text: "unknown member".into() };
    }
    let shown: Vec<String> = all.iter().map(|one| value(one, defect, true)).collect();
    let task = if is_list { format!("[{}]", shown.join(",")) } else { shown.concat() };
    Outcome::Task { standing: Resting::Pending, task }
}

fn value(json: &Json<'_>, defect: Defect, is_top: bool) -> String {
    let text = json.text().trim();
    if text.starts_with('[') {
        let all: Vec<String> = json.elements().iter().map(|one| value(one, defect, false)).collect();
        return format!("[{}]", all.join(","));
    }
    if text.starts_with('{') {
        let mut all: Vec<String> = (json.members().iter())
            .map(|(name, one)| format!("{}:{}", quote(name), value(one, defect, false)))
            .collect();
        if is_top && defect == Defect::ZeroFills && json.member("id").is_none() {
            all.push("\"id\":0".into());
        }
        return format!("{{{}}}", all.join(","));
    }
    match json.as_i128().filter(|_| defect == Defect::Rounds) {
        Some(number) => format!("{}", number as f64 as i128),
        None => text.to_owned(),
    }
}

async fn ask(job: &Job, defect: Defect) -> Result<String, Outcome> {
    let mut target = format!("/api{}", job.path);
    if defect == Defect::FinalSlash {
        target.push('/');
    }
    let mut header = String::new();
    if let Some(fields) = &job.fields {
        let fields = match (defect, fields.find('(')) {
            (Defect::DropsNested, Some(at)) => &fields[..at],
            _ => fields,
        };
        if job.kind == JobKind::Send {
            header = format!("fields: {fields}\r\n");
        } else {
            target.push_str(&format!("?fields={}", fields.replace(' ', "%20").replace(',', "%2C")));
        }
    }
    let host = job.base_url.strip_prefix("http://").unwrap();
    let body = job.body.clone().unwrap_or_default();
    let request = format!(
        "{} {target} HTTP/1.1\r\nHost: {host}\r\nSEC: {}\r\nVersion: 26.0\r\n{header}Connection: close\r\n\
         Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        job.method,
        job.sec,
        body.len()
    );
    let Some((status, text)) = send(host, &request).await else { return Err(Outcome::GaveUp) };
    let code =
        Json::parse(&text).ok().and_then(|json| json.member("code")?.as_i128()).map(|code| code as i64);
    match (status, code) {
        (200..=299, _) if Json::parse(&text).is_ok() => Ok(text),
        (404, Some(1002)) => Err(Outcome::NotFound { code }),
        (404, _) if defect == Defect::AnyMissIsNotFound => Err(Outcome::NotFound { code }),
        (422, _) => Err(Outcome::Rejected { code }),
        (500..=599, _) => Err(Outcome::ServerError { code }),
        _ => Err(Outcome::Error { text: format!("status {status}") }),
    }
}

async fn send(host: &str, request: &str) -> Option<(u16, String)> {
    let mut stream = TcpStream::connect(host).await.ok()?;
    stream.write_all(request.as_bytes()).await.ok()?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.ok()?;
    let answer = String::from_utf8(answer).ok()?;
    let (head, body) = answer.split_once("\r\n\r\n")?;
    Some((head.split(' ').nth(1)?.parse().ok()?, body.to_owned()))
}

async fn judged(job: JobKind, endpoint: &str, defect: Defect, cases: u32) -> Judged {
    let plan =
        Plan { cases, scenarios: Vec::new(), ..Plan::new(Arc::new(|_| Err("no scenario".to_owned()))) };
    let client = client(defect).with_jobs(&[job]).with_endpoint(job, endpoint).with_body("{}");
    judge(&plan, &client, &|_| {}).await.unwrap()
}

fn violated(judged: &Judged) -> Vec<&str> {
    let violated = judged.verdicts.iter().filter(|line| line.verdict == Standing::Violated);
    violated.map(|line| line.property.as_str()).collect()
}

/// Nested brackets; a list; a list of nested elements; a text in the path.
const GETS: [&str; 5] = [
    "GET /siem/offenses/{offense_id}",
    "GET /siem/offenses",
    "GET /help/endpoints",
    "GET /reference_data/sets/{name}",
    "GET /forensics/case_management/cases/{id}",
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_careful_client_keeps_every_property_on_any_get() {
    for endpoint in GETS {
        let judged = judged(JobKind::Get, endpoint, Defect::None, 12).await;
        for line in &judged.verdicts {
            let is_fine = matches!(line.verdict, Standing::Held | Standing::NotApplicable);
            assert!(is_fine, "{endpoint}: {line:#?}");
        }
        assert_eq!((judged.account.exit, judged.account.sum.misses), (Exit::Passed, 0), "{endpoint}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_defect_breaks_its_property_on_a_nested_list() {
    for (defect, property) in [
        (Defect::DropsNested, "asks-for-what-it-was-told"),
        (Defect::Rounds, "reports-what-it-got"),
        (Defect::ZeroFills, "invents-nothing"),
        (Defect::RefusesUnknown, "survives-the-unrequested"),
    ] {
        let judged = judged(JobKind::Get, "GET /help/endpoints", defect, 12).await;
        assert_eq!(violated(&judged), [property], "{defect:?}: {:#?}", judged.verdicts);
    }
    let judged = judged(JobKind::Get, "GET /help/versions", Defect::FinalSlash, 4).await;
    assert!(violated(&judged).contains(&"right-address"), "{:#?}", judged.verdicts);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_life_cycle_is_waited_for_to_each_of_its_ends() {
    for task in ["GET /forensics/capture/recovery_tasks/{id}", "GET /ariel/searches/{search_id}"] {
        let held = judged(JobKind::Wait, task, Defect::None, 1).await;
        for line in &held.verdicts {
            let is_fine = matches!(line.verdict, Standing::Held | Standing::NotApplicable);
            assert!(is_fine, "{line:#?}");
        }
        let terminates = held.verdicts.iter().find(|line| line.property == "terminates").unwrap();
        assert!(terminates.cases > 4, "{terminates:#?}");
        let endless = judged(JobKind::Wait, task, Defect::Endless, 1).await;
        assert_eq!(violated(&endless), ["terminates"], "{:#?}", endless.verdicts);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_life_cycle_of_the_profile_can_be_waited_for() {
    let client = |task: &str| {
        let life = Profile::builtin().task_of(task).unwrap();
        InProcess::new("patient", move |job: Job| {
            Box::pin(async move {
                let until = Instant::now() + Duration::from_millis(job.deadline_ms);
                while Instant::now() < until {
                    let text = match ask(&job, Defect::None).await {
                        Ok(text) => text,
                        Err(outcome) => return outcome,
                    };
                    let json = Json::parse(&text).unwrap();
                    let state =
                        life.state.iter().find_map(|member| json.member(member)?.as_str()).unwrap_or("");
                    let phase =
                        life.phases.iter().find(|(spelling, _)| spelling == state).map(|(_, phase)| *phase);
                    let standing = match phase {
                        Some(Phase::Done) => Some(Resting::Done),
                        Some(Phase::Failed | Phase::Cancelled) => Some(Resting::Failed),
                        _ => None,
                    };
                    if let Some(standing) = standing {
                        return Outcome::Task { standing, task: text };
                    }
                    if phase == Some(Phase::Partial) {
                        tokio::time::sleep(Duration::from_millis(1)).await;
                    }
                }
                Outcome::GaveUp
            }) as Answered
        })
        .with_jobs(&[JobKind::Wait])
        .with_endpoint(JobKind::Wait, task)
        // A task that goes on for ever is among those of each life cycle.
        .with_timeout_ms(1_000)
    };
    let mut count = 0;
    for life in Profile::builtin()
        .lifecycles()
        .filter(|life| life.task != "GET /forensics/case_management/case_create_tasks/{id}")
    {
        let plan = Plan { cases: 1, scenarios: Vec::new(), ..Plan::new(Arc::new(|_| Err(String::new()))) };
        let judged = judge(&plan, &client(&life.task), &|_| {}).await.unwrap();
        for property in ["terminates", "says-what-it-heard"] {
            let line = judged.verdicts.iter().find(|line| line.property == property).unwrap();
            assert_eq!(line.verdict, Standing::Held, "{}: {line:#?}", life.task);
        }
        count += 1;
    }
    assert!(count > 20, "{count}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_write_that_takes_fields_in_a_header_is_judged_by_the_job_send() {
    const WRITE: &str = "POST /analytics/rules/{id}";
    let held = judged(JobKind::Send, WRITE, Defect::None, 12).await;
    for line in &held.verdicts {
        let is_fine = matches!(line.verdict, Standing::Held | Standing::NotApplicable);
        assert!(is_fine, "{line:#?}");
    }
    assert_eq!((held.account.exit, held.account.sum.misses), (Exit::Passed, 0));
    let rounded = judged(JobKind::Send, WRITE, Defect::Rounds, 12).await;
    assert_eq!(violated(&rounded), ["reports-what-it-got"], "{:#?}", rounded.verdicts);
}

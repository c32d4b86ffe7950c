//! A small client as a closure, with one defect at a time, and a cassette for it to meet.
#![allow(missing_docs, unreachable_pub, clippy::unwrap_used)] // Shared by test files, not an interface.
#![allow(dead_code)] // Each test file uses its own part.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use faultdeck::cassette::{Cassette, Interaction, RecordedFrom};
use faultdeck::client::{Claims, InProcess, Job, JobKind, Outcome, Resting};
use faultdeck::json::{Json, quote};
use faultdeck::message::{Request, Response};
use faultdeck::profile::Profile;
use faultdeck::replay::{Evidence, Material};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// What is wrong with the client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Defect {
    None,
    DropsFields,
    DoubleApi,
    Rounds,
    ZeroFills,
    RefusesUnknown,
    AnyMissIsNotFound,
    Endless,
    PartialIsDone,
    CreatesAgain,
    RoundsAtTimes,
    NeverCalls,
}

static CALLS: AtomicU32 = AtomicU32::new(0);

/// The client.
pub fn client(
    defect: Defect,
) -> InProcess<impl Fn(Job) -> std::pin::Pin<Box<dyn Future<Output = Outcome> + Send>> + Send + Sync> {
    InProcess::new("small", move |job: Job| {
        Box::pin(async move {
            let limit = Duration::from_millis(job.deadline_ms);
            let work = Work { job: &job, defect };
            match tokio::time::timeout(limit, work.run()).await {
                Ok(outcome) => outcome,
                Err(_) => Outcome::GaveUp,
            }
        }) as std::pin::Pin<Box<dyn Future<Output = Outcome> + Send>>
    })
    .with_dialects(&["sample", "prose"])
    .with_claims(Claims { gives_up_after_ms: Some(600), ..Claims::default() })
    .with_timeout_ms(1_000)
}

struct Work<'j> {
    job: &'j Job,
    defect: Defect,
}

const TASKS: &str = "/forensics/case_management/case_create_tasks";
const CASES: &str = "/forensics/case_management/cases";

impl Work<'_> {
    async fn run(&self) -> Outcome {
        if self.defect == Defect::NeverCalls {
            return Outcome::GaveUp;
        }
        match (self.job.kind, self.job.id.clone()) {
            (JobKind::Get, Some(id)) => match self.poll(&id).await {
                Ok(text) => self.task(&text),
                Err(outcome) => outcome,
            },
            (JobKind::Wait, Some(id)) => self.wait(&id).await,
            _ => self.create().await,
        }
    }

    async fn wait(&self, id: &str) -> Outcome {
        loop {
            let text = match self.poll(id).await {
                Ok(text) => text,
                Err(outcome) => return outcome,
            };
            let state = state(&text);
            let is_end = match self.defect {
                Defect::Endless => state == "COMPLETED",
                Defect::PartialIsDone => state == "COMPLETE" || state == "PARTIALLY_COMPLETE",
                _ => state == "COMPLETE",
            };
            if is_end {
                return Outcome::Task { standing: Resting::Done, task: text };
            }
            tokio::time::sleep(Duration::from_millis(self.job.pace_ms)).await;
        }
    }

    async fn create(&self) -> Outcome {
        let name = self.job.name.clone().unwrap_or_default();
        let body = format!(r#"{{"assigned_to":[],"name":{}}}"#, quote(&name));
        let target = format!("/api{CASES}");
        let mut answer = self.ask("POST", &target, &body).await;
        if answer.is_none() && self.defect == Defect::CreatesAgain {
            answer = self.ask("POST", &target, &body).await;
        }
        let Some((201, text)) = answer else {
            let _ = self.ask("GET", &target, "").await;
            return Outcome::GaveUp;
        };
        let id = Json::parse(&text).unwrap().member("id").unwrap().text().to_owned();
        self.wait(&id).await
    }

    async fn poll(&self, id: &str) -> Result<String, Outcome> {
        let api = if self.defect == Defect::DoubleApi { "/api/api" } else { "/api" };
        let mut target = format!("{api}{TASKS}/{id}");
        if let Some(fields) = self.job.fields.as_ref().filter(|_| self.defect != Defect::DropsFields) {
            target.push_str(&format!("?fields={}", fields.replace(", ", "%2C%20").replace(',', "%2C")));
        }
        for _ in 0..3 {
            let Some((status, text)) = self.ask("GET", &target, "").await else { continue };
            let code = Json::parse(&text)
                .ok()
                .and_then(|json| json.member("code")?.as_i128())
                .map(|code| code as i64);
            return match (status, code) {
                (200, _) if Json::parse(&text).is_ok() => Ok(text),
                (404, Some(1002)) => Err(Outcome::NotFound { code }),
                (404, _) if self.defect == Defect::AnyMissIsNotFound => Err(Outcome::NotFound { code }),
                (422, _) => Err(Outcome::Rejected { code }),
                (500..=599, _) => Err(Outcome::ServerError { code }),
                _ => Err(Outcome::Error { text: format!("status {status}") }),
            };
        }
        Err(Outcome::GaveUp)
    }

    fn task(&self, text: &str) -> Outcome {
        let json = Json::parse(text).unwrap();
        if self.defect == Defect::RefusesUnknown && json.member("unrequested").is_some() {
            return Outcome::Error { text: "unknown member".into() };
        }
        let rounds = match self.defect {
            Defect::Rounds => true,
            Defect::RoundsAtTimes => CALLS.fetch_add(1, Ordering::Relaxed).is_multiple_of(2),
            _ => false,
        };
        let mut members: Vec<String> = json
            .members()
            .iter()
            .map(|(name, value)| format!("{}:{}", quote(name), self.value(value, rounds)))
            .collect();
        if self.defect == Defect::ZeroFills && json.member("case_id").is_none() {
            members.push("\"case_id\":0".into());
        }
        let standing = if state(text) == "COMPLETE" { Resting::Done } else { Resting::Pending };
        Outcome::Task { standing, task: format!("{{{}}}", members.join(",")) }
    }

    fn value(&self, value: &Json<'_>, rounds: bool) -> String {
        match value.as_i128().filter(|_| rounds) {
            Some(number) => format!("{}", number as f64 as i128),
            None => value.text().to_owned(),
        }
    }

    /// One request on a connection of its own; `None` if no whole answer came.
    async fn ask(&self, method: &str, target: &str, body: &str) -> Option<(u16, String)> {
        let host = self.job.base_url.strip_prefix("http://")?;
        let mut stream = TcpStream::connect(host).await.ok()?;
        let request = format!(
            "{method} {target} HTTP/1.1\r\nHost: {host}\r\nSEC: {}\r\nVersion: 26.0\r\nConnection: close\r\n\
             Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
            self.job.sec,
            body.len()
        );
        stream.write_all(request.as_bytes()).await.ok()?;
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).await.ok()?;
        let answer = String::from_utf8(answer).ok()?;
        let (head, body) = answer.split_once("\r\n\r\n")?;
        let length = head.lines().find_map(|line| {
            line.to_ascii_lowercase().strip_prefix("content-length: ")?.parse::<usize>().ok()
        });
        (length.is_none_or(|length| length == body.len()))
            .then_some((head.split(' ').nth(1)?.parse().ok()?, body.to_owned()))
    }
}

/// The answer to what a job asks for, asked once.
pub async fn seen(job: &Job) -> Option<(u16, String)> {
    let work = Work { job, defect: Defect::None };
    let mut target = format!("/api{}", job.path);
    if let Some(fields) = &job.fields {
        target.push_str(&format!("?fields={}", fields.replace(", ", "%2C%20").replace(',', "%2C")));
    }
    work.ask(&job.method, &target, "").await
}

fn state(text: &str) -> String {
    let json = Json::parse(text).unwrap();
    let state = json.member("state").or(json.member("status")).and_then(Json::as_str);
    state.unwrap_or("").to_owned()
}

/// A creation and its polls through all four states, as the shipped cassette has them.
pub fn recording() -> Evidence {
    let task =
        |state: &str| format!(r#"{{"assigned_to":[],"case_id":7,"id":42,"name":"Case1","state":"{state}"}}"#);
    let mut post = Request::new("POST", &format!("/api{CASES}")).with("SEC", "fd-secret-1");
    post.body = r#"{"assigned_to":[],"name":"Case1"}"#.into();
    let list = || Request::new("GET", &format!("/api{CASES}")).with("SEC", "fd-secret-1");
    let poll = || Request::new("GET", &format!("/api{TASKS}/42")).with("SEC", "fd-secret-1");
    let one = r#"[{"assigned_to":[],"id":6,"name":"Other"}]"#;
    let two = r#"[{"assigned_to":[],"id":6,"name":"Other"},{"assigned_to":[],"id":7,"name":"Case1"}]"#;
    let mut interactions = vec![
        interaction("GET", CASES, list(), Response::json(200, one)),
        interaction("POST", CASES, post, Response::json(201, task("WAITING"))),
    ];
    for state in ["WAITING", "PROCESSING", "PARTIALLY_COMPLETE", "COMPLETE"] {
        interactions.push(interaction(
            "GET",
            &format!("{TASKS}/{{id}}"),
            poll(),
            Response::json(200, task(state)),
        ));
    }
    interactions.push(interaction("GET", CASES, list(), Response::json(200, two)));
    let recorded_from = RecordedFrom { host: "host-1".into(), ..RecordedFrom::default() };
    let mut cassette = Cassette { name: "test".into(), recorded_from, interactions, ..Cassette::default() };
    cassette.canonicalise(Profile::builtin());
    Evidence::Cassette(Arc::new(Material::new(cassette, Profile::builtin())))
}

fn interaction(method: &str, template: &str, request: Request, response: Response) -> Interaction {
    Interaction {
        id: String::new(),
        endpoint: format!("{method} {template}").into(),
        request,
        response,
        by_recorder: false,
        moment: 0,
        notes: Vec::new(),
    }
}

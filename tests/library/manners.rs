//! The laws of manners, of secrets and of addresses, end to end: clients with one bad habit each, and right ones of other
//! styles, put to the stories by the engine.
use crate::judging;

use std::sync::Arc;
use std::time::Duration;

use faultdeck::client::{Claims, InProcess, Job, JobKind, Outcome, Resting};
use faultdeck::json::Json;
use faultdeck::judge::{Judged, Plan, judge};
use faultdeck::ledger::{Line, Standing, VerdictLine};
use faultdeck::profile::Profile;
use faultdeck::scenario::Scenario;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// What a client does in its own way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Habit {
    /// It leaves the pause it was told to leave, and asks a few times.
    None,
    Spins,
    Storms,
    ComesBackAtOnce,
    HasNoLimit,
    /// It follows redirects, with its token or without.
    Follows {
        with_token: bool,
    },
    /// It asks another path than the one it was told, in these words.
    Misspells(&'static str, &'static str),
    InVersion(&'static str),
}

struct Answer {
    status: u16,
    head: String,
    body: String,
}

impl Answer {
    fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().find_map(|line| {
            let (known, value) = line.split_once(": ")?;
            known.eq_ignore_ascii_case(name).then_some(value.trim())
        })
    }
}

/// One request on a connection of its own.
async fn ask(url: &str, token: Option<&str>, version: &str) -> Option<Answer> {
    let rest = url.strip_prefix("http://")?;
    let (host, target) = rest.split_at(rest.find('/')?);
    let mut stream = TcpStream::connect(host).await.ok()?;
    let token = token.map(|token| format!("SEC: {token}\r\n")).unwrap_or_default();
    let request = format!(
        "GET {target} HTTP/1.1\r\nHost: {host}\r\nVersion: {version}\r\n{token}Connection: close\r\n\r\n"
    );
    stream.write_all(request.as_bytes()).await.ok()?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.ok()?;
    let (head, body) = answer.split_once("\r\n\r\n")?;
    let status = head.split(' ').nth(1)?.parse().ok()?;
    Some(Answer { status, head: head.to_owned(), body: body.to_owned() })
}

fn state(text: &str) -> String {
    let Ok(json) = Json::parse(text) else { return String::new() };
    json.member("state").and_then(Json::as_str).unwrap_or_default().to_owned()
}

async fn work(job: Job, habit: Habit) -> Outcome {
    let mut url = format!("{}/api{}", job.base_url, job.path);
    let version = if let Habit::InVersion(version) = habit { version } else { "26.0" };
    if let Habit::Misspells(right, wrong) = habit {
        url = url.replace(right, wrong);
    }
    if let Some(fields) = &job.fields {
        let mark = if url.contains('?') { '&' } else { '?' };
        url.push_str(&format!("{mark}fields={}", fields.replace(", ", "%2C%20").replace(',', "%2C")));
    }
    let mut token = Some(job.sec.as_str());
    let mut failures = 0;
    loop {
        let answer = ask(&url, token, version).await;
        let mut pause = Duration::from_millis(job.pace_ms);
        match answer {
            Some(answer) if answer.status == 200 => {
                let task = |standing| Outcome::Task { standing, task: answer.body.clone() };
                match state(&answer.body).as_str() {
                    "COMPLETE" => return task(Resting::Done),
                    _ if job.kind == JobKind::Get => return task(Resting::Pending),
                    _ => {}
                }
            }
            Some(answer) if answer.status == 307 => {
                let Habit::Follows { with_token } = habit else {
                    return Outcome::Error { text: "redirected".into() };
                };
                answer.header("Location").unwrap_or_default().clone_into(&mut url);
                token = token.filter(|_| with_token);
                continue;
            }
            Some(answer) if answer.status < 500 && answer.status != 429 => {
                return Outcome::Rejected { code: None };
            }
            other => {
                failures += 1;
                let most = if habit == Habit::Storms { 12 } else { 3 };
                if failures > most {
                    return Outcome::GaveUp;
                }
                let wait = other.as_ref().and_then(|answer| answer.header("Retry-After")?.parse().ok());
                pause *= 1 << failures;
                if habit != Habit::ComesBackAtOnce {
                    pause = pause.max(Duration::from_secs(wait.unwrap_or(0)));
                }
            }
        }
        if !matches!(habit, Habit::Spins | Habit::Storms) {
            tokio::time::sleep(pause).await;
        }
    }
}

async fn judged_with(plan: Plan, habit: Habit, claims: Claims, job: JobKind) -> Judged {
    let client = InProcess::new("mannered", move |job: Job| async move {
        let limit = Duration::from_millis(job.deadline_ms);
        match habit {
            Habit::HasNoLimit => work(job, habit).await,
            _ => match tokio::time::timeout(limit, work(job, habit)).await {
                Ok(outcome) => outcome,
                Err(_) => Outcome::GaveUp,
            },
        }
    });
    let client = client.with_jobs(&[job]).with_claims(claims).with_timeout_ms(4_000);
    judge(&plan, &client, &|_| {}).await.unwrap()
}

fn plan() -> Plan {
    Plan::new(Arc::new(|_| Ok(judging::recording())))
}

async fn under(scenario: &str, habit: Habit, job: JobKind) -> Judged {
    let scenario = Scenario::builtin(scenario, Profile::builtin()).unwrap();
    judged_with(plan().only(Arc::new(scenario)), habit, Claims::default(), job).await
}

/// The verdict on the property.
fn of<'j>(judged: &'j Judged, property: &str) -> &'j VerdictLine {
    let found = judged.verdicts.iter().find(|line| line.property == property);
    found.unwrap_or_else(|| panic!("no {property}: {:#?}", judged.verdicts))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn impatience_of_each_kind_is_a_violation_and_patience_holds() {
    let property = "patient-not-greedy";
    for (scenario, habit, word) in [
        ("task/takes-its-time", Habit::Spins, "50 ms between polls"),
        ("outage/keeps-failing", Habit::Storms, "times more"),
        ("outage/rate-limit", Habit::ComesBackAtOnce, "Retry-After"),
        ("network/hang", Habit::HasNoLimit, "until it was ended"),
    ] {
        let broken = under(scenario, habit, JobKind::Wait).await;
        let line = of(&broken, property);
        assert_eq!(line.verdict, Standing::Violated, "{scenario}: {line:#?}");
        assert!(line.because.contains(word), "{scenario}: {}", line.because);
        let right = under(scenario, Habit::None, JobKind::Wait).await;
        let line = of(&right, property);
        assert_eq!(line.verdict, Standing::Held, "{scenario}: {line:#?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_client_carries_along_to_another_host_is_seen_there() {
    let scenario = "auth/led-to-another-host";
    for job in [JobKind::Get, JobKind::Wait] {
        let leaks = under(scenario, Habit::Follows { with_token: true }, job).await;
        let line = of(&leaks, "keeps-secrets");
        assert_eq!(line.verdict, Standing::Violated, "{line:#?}");
        assert!(line.because.contains("another host") && line.because.contains("SEC"), "{}", line.because);
        for habit in [Habit::None, Habit::Follows { with_token: false }] {
            let keeps = under(scenario, habit, job).await;
            assert_eq!(of(&keeps, "keeps-secrets").verdict, Standing::Held, "{habit:?}");
        }
        // The other host is called as the story calls it, whatever its port was.
        let kept: Vec<String> = leaks.lines.iter().map(|line: &Line| line.to_json().unwrap()).collect();
        let kept = kept.join("\n");
        assert!(kept.contains("console-2.example") && !kept.contains("localhost:"), "{kept}");
        assert!(!kept.contains("faultdeck-judge-token"), "{kept}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_slip_in_the_path_and_a_dead_version_break_the_address() {
    for (habit, word) in [
        (Habit::Misspells("case_create_tasks", "case_create_task"), "there is no path"),
        (Habit::Misspells("case_create_tasks", "CASE_create_tasks"), "there is no path"),
        (Habit::Misspells("/case_management", ""), "there is no path"),
        (Habit::Misspells("case_create_tasks/", "case_create_tasks?id="), "in the query alone"),
        (Habit::InVersion("3.0"), "in version 3.0"),
        (Habit::InVersion("322.0123"), "in version 322.0123"),
    ] {
        let plan = Plan { cases: 5, scenarios: Vec::new(), ..plan() };
        let judged = judged_with(plan, habit, Claims::default(), JobKind::Get).await;
        let line = of(&judged, "right-address");
        assert_eq!(line.verdict, Standing::Violated, "{habit:?}: {line:#?}");
        assert!(line.because.contains(word), "{habit:?}: {}", line.because);
    }
    let plan = Plan { cases: 5, scenarios: Vec::new(), ..plan() };
    let judged = judged_with(plan, Habit::None, Claims::default(), JobKind::Get).await;
    assert_eq!(of(&judged, "right-address").verdict, Standing::Held);
}

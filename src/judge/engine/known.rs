//! Known answers: what an adapter makes of a client is seen where everybody knows what has to come of it.

use std::sync::Arc;

use super::generate::{Generated, plain, plain_in};
use super::made::with_fault;
use super::plan::JudgeError;
use super::ports::Ports;
use super::slot::Slot;
use super::trial::{Bench, TOKEN, Trial, placeholders};
use super::turns::Turns;
use super::unit::dialects_of;
use crate::client::{Asked, Client, JobKind, OnPartial, Outcome, Report, Resting};
use crate::fault::Fault;
use crate::judge::about::About;
use crate::judge::case::Case;
use crate::judge::wire;
use crate::ledger::Exchange;
use crate::profile::Taken;
use crate::redact::Redactor;
use crate::scenario::{Scenario, fault_toml};
use crate::seed::Seed;
use crate::serve::tls::Identity;
use crate::timeline::Phase;

/// The name of the case to create.
const NAME: &str = "Case1";
/// How many requests a session shows of what the client asked.
const ASKED_SHOWN: usize = 3;

/// What was made of one known answer. All texts are redacted.
#[derive(Clone, Debug)]
pub struct Known {
    /// The job.
    pub job: JobKind,
    /// What the console answered, for a person.
    pub answer: String,
    /// How the client was asked.
    pub asked: Asked,
    /// The first requests it made, and how many in all.
    pub requests: (Vec<String>, usize),
    /// What it left behind.
    pub report: Report,
    /// What had to be read.
    pub expected: String,
    /// Whether it was.
    pub is_right: bool,
    /// What is wrong or odd, and what to do about it.
    pub remarks: Vec<String>,
}

/// An answer that is known, and what has to be read of a client that got it.
struct Answer {
    label: &'static str,
    words: String,
    value: Generated,
    scenario: Option<Arc<Scenario>>,
    expected: Expected,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Expected {
    Task(Option<Resting>),
    NotFound,
    ServerError,
}

impl Expected {
    fn words(self) -> String {
        match self {
            Self::Task(Some(standing)) => format!("a task that is `{standing}`"),
            Self::Task(None) => "a task".to_owned(),
            Self::NotFound => "`not_found`".to_owned(),
            Self::ServerError => "`server_error`, or `gave_up`".to_owned(),
        }
    }

    fn is_met(self, job: JobKind, report: &Report) -> bool {
        match (self, &report.outcome) {
            // An exit code of 0 says that the look went well, and no more: so the laws take it, too.
            (Self::Task(Some(_)), Outcome::Task { standing: Resting::Done, .. })
                if job == JobKind::Get && report.by_exit_code =>
            {
                true
            }
            (Self::Task(Some(wanted)), Outcome::Task { standing, .. }) => wanted == *standing,
            (Self::Task(None), Outcome::Task { .. }) => true,
            (Self::NotFound, Outcome::NotFound { .. }) => true,
            (Self::ServerError, Outcome::ServerError { .. } | Outcome::GaveUp) => true,
            _ => false,
        }
    }

    /// What a client file or a client has to do for it.
    fn fix(self) -> &'static str {
        match self {
            Self::Task(_) => {
                "write {\"outcome\":\"task\",\"standing\":\"...\",\"task\":{...}} with done for COMPLETE, usable for \
                 PARTIALLY_COMPLETE, pending for what is still on its way; with `stdout = \"resource\"` the exit map says it"
            }
            Self::NotFound => {
                "write {\"outcome\":\"not_found\",\"code\":1002}; with `stdout = \"resource\"` an exit code that the exit map \
                 calls not_found"
            }
            Self::ServerError => {
                "write {\"outcome\":\"server_error\",\"code\":1020}; with `stdout = \"resource\"` an exit code that the exit \
                 map calls server_error"
            }
        }
    }
}

/// Puts a client to three known answers a job, and says what was made of each.
///
/// # Errors
/// If no listener can be opened.
pub async fn known_answers<C: Client>(
    client: &C,
    tls: Option<&Identity>,
    redactor: &Redactor,
) -> Result<Vec<Known>, JudgeError> {
    redactor.learn(TOKEN);
    let slot = Slot::start(tls).await?;
    let (taken, verb) = (Taken::default(), "judge".to_owned());
    let secrets = Redactor::new();
    secrets.learn(TOKEN);
    let (redactor, placeholders) = (redactor.clone(), placeholders(redactor));
    let ports = Ports::beginning_by(slot.port());
    let (tls, turns) = (tls.cloned(), Turns::of(1));
    let bench = Bench { client, redactor, secrets, verb, placeholders, taken, tls, ports, turns };
    let mut all = Vec::new();
    for (job, about) in About::jobs(client) {
        let Some(dialect) = dialects_of(client, &about).into_iter().next() else { continue };
        for answer in answers((job, about), &dialect, client.claims().on_partial) {
            let case = Case {
                name: (job == JobKind::Create).then(|| NAME.to_owned()),
                body: client.body().filter(|_| job == JobKind::Send).map(str::to_owned),
                scenario: answer.scenario.clone(),
                ..answer.value.clone().case((job, about), &dialect, Seed(1))
            };
            all.push(known(&bench, &slot, case, &answer).await);
        }
    }
    client.end().await;
    slot.stop().await;
    Ok(all)
}

/// The three answers of a job.
fn answers((job, about): (JobKind, About), dialect: &str, on_partial: OnPartial) -> Vec<Answer> {
    let done = about.life.map(|_| Resting::Done);
    // Every task is partly done before it is done.
    let passes_partial =
        job != JobKind::Get && about.life.is_some_and(|life| life.spelling(Phase::Partial).is_some());
    let standing =
        if passes_partial && on_partial == OnPartial::Leaves { Some(Resting::Usable) } else { done };
    let what = match job {
        JobKind::Get | JobKind::Send => "200 with the resource",
        JobKind::List => "200 with the list",
        JobKind::Wait => "a task on its way to its end",
        JobKind::Create => "201, then a task on its way to its end",
    };
    let plain = |state: Option<&str>| match state {
        Some(state) => plain_in(&about, dialect, Some(state)),
        None => plain(&about, dialect),
    };
    let mut all = vec![Answer {
        label: "clean",
        words: what.to_owned(),
        value: plain(None),
        scenario: None,
        expected: Expected::Task(standing),
    }];
    let error = |case: &'static str, words: &str, expected| {
        let (_, fault) = Fault::errors().into_iter().find(|(name, _)| *name == case)?;
        // Of a creation the task that it made is looked at.
        let scenario = with_fault(case, &about.shows.id, &fault_toml(&fault))?;
        Some(Answer {
            label: case,
            words: words.to_owned(),
            value: plain(None),
            scenario: Some(scenario),
            expected,
        })
    };
    if job == JobKind::List {
        // A list is there, if only with nothing in it.
        all.extend(error("server-error", "500/1020, each time", Expected::ServerError));
        return all;
    }
    all.extend(error("no-such-task", "404/1002: there is no such task", Expected::NotFound));
    match about.life.and_then(|life| life.spelling(Phase::Partial)).filter(|_| job == JobKind::Get) {
        Some(partial) => all.push(Answer {
            label: "partial",
            words: format!("200 with a task that is {partial}"),
            value: plain(Some(partial)),
            scenario: None,
            expected: Expected::Task(Some(Resting::Usable)),
        }),
        None => all.extend(error("server-error", "500/1020, each time", Expected::ServerError)),
    }
    all
}

async fn known<C: Client>(bench: &Bench<'_, C>, slot: &Slot, case: Case, answer: &Answer) -> Known {
    let job = case.job;
    let label = format!("known/{job}/{}", answer.label);
    let trial = Trial { label: label.clone(), case, evidence: None, properties: Vec::new(), sprout: None };
    let asked = bench.client.asked(&bench.job(&trial.case, slot.url()));
    let ran = bench.run_alone(slot, &trial).await.run;
    let is_right = answer.expected.is_met(job, &ran.report);
    let mut remarks = remarks(&asked, &ran.exchanges, &ran.report);
    if !is_right {
        remarks.push(wrong(answer.expected, &ran.report.outcome, bench.client.expects()));
    }
    let shown = ran.exchanges.iter().take(ASKED_SHOWN);
    let requests =
        shown.map(|exchange| format!("{} -> {}", wire::sent_line(exchange), exchange.status)).collect();
    let clean = |text: &str| bench.redactor.text(text);
    Known {
        job,
        answer: answer.words.clone(),
        asked: Asked {
            command: bench.redactor.arguments(&asked.command).iter().map(|word| clean(word)).collect(),
            given: asked.given.map(|(way, text)| (way, clean(&text))),
        },
        requests: (requests, ran.exchanges.len()),
        report: Report {
            stdout: clean(&ran.report.stdout),
            stderr: clean(&ran.report.stderr),
            notes: ran.report.notes.iter().map(|note| clean(note)).collect(),
            by_exit_code: ran.report.by_exit_code,
            outcome: ran.report.outcome,
        },
        expected: answer.expected.words(),
        is_right,
        remarks: remarks.iter().map(|remark| clean(remark)).collect(),
    }
}

/// What is odd whatever was read.
fn remarks(asked: &Asked, exchanges: &[Exchange], report: &Report) -> Vec<String> {
    let mut remarks = Vec::new();
    let mut odd = |is_odd: bool, remark: &str| {
        if is_odd {
            remarks.push(remark.to_owned());
        }
    };
    odd(
        asked.command.iter().any(|word| word.contains(TOKEN)),
        "the token stands in an argument, which every user of the machine can read: give it in `env = { SEC_TOKEN = \
         \"{sec}\" }`",
    );
    odd(
        report.stdout.contains(TOKEN) || report.stderr.contains(TOKEN),
        "the client writes the token to its output",
    );
    let is_started = !matches!(report.outcome, Outcome::NotStarted { .. });
    odd(
        exchanges.is_empty() && is_started,
        "the client sent no request: does it get the address, {base_url}, and ask there?",
    );
    odd(
        exchanges.iter().any(|exchange| exchange.status == 401),
        "a request came without the token: the client finds it where `{sec}` stands in `env` or `argv`, or in the member \
         `sec` of a case",
    );
    // A console is left outside of its API.
    let outside =
        |exchange: &&Exchange| !wire::path(exchange).starts_with("/api/") && !wire::is_logout(exchange);
    if let Some(exchange) = exchanges.iter().find(outside) {
        let remark = "does not begin with /api: {base_url} ends before it, the client adds it";
        odd(true, &format!("{} {remark}", wire::path(exchange)));
    }
    report.notes.iter().for_each(|note| odd(true, note));
    remarks
}

/// Why another outcome came, as far as that can be told, and what to do.
fn wrong(expected: Expected, outcome: &Outcome, expects: &str) -> String {
    match outcome {
        Outcome::NotStarted { why } => format!("the client could not be started: {why}"),
        Outcome::TimedOut => {
            "it did not end in its time: `timeout_ms` is how long it has, `{deadline_ms}` when it should give up".to_owned()
        }
        Outcome::Silent | Outcome::Unreadable { .. } | Outcome::Crashed { .. } => {
            format!("nothing could be read: it has to write, {expects}")
        }
        _ => format!("the client or its file says another thing: {}", expected.fix()),
    }
}

//! One case put to a client: the replay it meets, the job it is given, and all that is kept of it.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::{Notify, Semaphore};

use super::elsewhere::{Arrived, Elsewhere};
use super::evidence;
use super::kept::Kept;
use super::ports::Ports;
use super::slot::Slot;
use super::unplaced;
use crate::client::{Claims, Client, Job, JobKind, Outcome, Report};
use crate::greeting::Reception;
use crate::judge::case::{Case, Given, Run};
use crate::judge::law::Property;
use crate::judge::law::terminates::{Endless, Failing};
use crate::judge::verdict::Verdict;
use crate::judge::wire;
use crate::ledger::{EndLine, Exchange, Line};
use crate::profile::{Profile, Taken};
use crate::redact::Redactor;
use crate::replay::{self, Auth, Clock, Door, Evidence, Outside, Replay, Setup};
use crate::serve::Answer;
use crate::serve::tls::Identity;

/// The token every client under test is given. It is no secret; it is there to be found where it must not be.
pub(super) const TOKEN: &str = "faultdeck-judge-token-7f3a9c";

/// Who logs in where a client's file asks for a user, and with what. No secrets either.
const USER: &str = "judge";
pub(super) const PASSWORD: &str = "faultdeck-judge-password-b1c7e2";
/// The session that is given to whoever logs in.
const SESSION_TOKEN: &str = "faultdeck-judge-session-4e90d1";

/// The session of every case: draws depend on it, and a case must draw the same when it is run again.
const SESSION: &str = "case";
/// From this many requests on a case is ended: it leads nowhere, and a ledger must stay a size to read.
const REQUESTS_MAX: usize = 20_000;

/// For how long it is waited for what a client asks when it has reported: many times the pace of such a case.
const LOOKED_AFTER: Duration = Duration::from_millis(40);

/// A case waiting to be put to a client.
#[derive(Clone, Debug)]
pub(super) struct Trial {
    /// Its name in ledgers, unique in a run.
    pub(super) label: String,
    /// The case.
    pub(super) case: Case,
    /// What it is answered from, unless it has a task of its own.
    pub(super) evidence: Option<Evidence>,
    /// The properties it is judged by.
    pub(super) properties: Vec<&'static Property>,
    /// What it shrinks from, if it was generated.
    pub(super) sprout: Option<super::generate::Sprout>,
}

/// What is kept of a run.
#[derive(Clone, Debug)]
pub(super) struct Ran {
    pub(super) run: Run,
    /// What its replay kept beside that. A ledger gets it from [`Bench::lines`]: few runs come to stand in one.
    kept: Option<Kept>,
    pub(super) account: EndLine,
    pub(super) label: String,
}

/// What is kept of a run beside what laws read.
struct Rest {
    kept: Option<Kept>,
    account: EndLine,
    label: String,
}

impl Ran {
    /// The run by itself: laws read several in a row.
    fn apart(self) -> (Run, Rest) {
        let Self { run, kept, account, label } = self;
        (run, Rest { kept, account, label })
    }
}

impl Rest {
    fn with(self, run: Run) -> Ran {
        let Self { kept, account, label } = self;
        Ran { run, kept, account, label }
    }
}

/// What came of a trial: the answer of each of its properties, with the runs it rests on, the plain one first.
#[derive(Clone, Debug)]
pub(super) struct Tried {
    pub(super) base: Ran,
    pub(super) answers: Vec<(&'static Property, Verdict, Vec<Ran>)>,
}

/// A client and what every case with it has in common.
pub(super) struct Bench<'c, C> {
    pub(super) client: &'c C,
    pub(super) redactor: Redactor,
    pub(super) verb: String,
    /// Knows what the client is given to keep to itself.
    pub(super) secrets: Redactor,
    /// What stands in a ledger where they stood.
    pub(super) placeholders: Arc<[String]>,
    /// What the scenarios' recordings show their console to take.
    pub(super) taken: Taken,
    /// With it the client is spoken to over TLS.
    pub(super) tls: Option<Identity>,
    /// Of the listeners that serve one case each.
    pub(super) ports: Ports,
    /// A place for each client that may be busy at a time. What is made ready and judged around it needs none.
    pub(super) places: Semaphore,
}

/// What stands where the client's token and password stood, once they are learnt.
pub(super) fn placeholders(redactor: &Redactor) -> Arc<[String]> {
    [TOKEN, PASSWORD].map(|secret| redactor.text(secret)).into()
}

impl<C: Client> Bench<'_, C> {
    /// Puts a trial to the client, with the variants of each of its properties.
    pub(super) async fn attempt(&self, slot: &Slot, trial: &Trial) -> Tried {
        let (plain, rest) = self.run(slot, trial, &trial.case, &trial.label).await.apart();
        let mut runs = vec![plain];
        let mut answers = Vec::with_capacity(trial.properties.len());
        for property in &trial.properties {
            let further = property.variants.map(|variants| variants(&trial.case)).unwrap_or_default();
            if further.is_empty() {
                answers.push((*property, (property.judge)(&runs), Vec::new()));
                continue;
            }
            let mut rests = Vec::new();
            for (index, case) in further.into_iter().enumerate() {
                let label = format!("{}/variant-{}", trial.label, index + 1);
                let (run, rest) = self.run(slot, trial, &case, &label).await.apart();
                runs.push(run);
                rests.push(rest);
            }
            let verdict = (property.judge)(&runs);
            let variants = runs.drain(1..).zip(rests).map(|(run, rest)| rest.with(run)).collect();
            answers.push((*property, verdict, variants));
        }
        let plain = runs.pop().expect("the plain run stays the first of the runs");
        Tried { base: rest.with(plain), answers }
    }

    /// Runs one case of a trial.
    pub(super) async fn run(&self, slot: &Slot, trial: &Trial, case: &Case, label: &str) -> Ran {
        let Some(evidence) = evidence::generated(case, &self.taken).or_else(|| trial.evidence.clone()) else {
            return self.not_run(case, label, "there is nothing to answer it from");
        };
        let mut setup = Setup {
            evidence: evidence.clone(),
            scenario: case.scenario.clone(),
            profile: Profile::builtin(),
            seed: case.seed,
            auth: if self.client.takes().login { Auth::GivesSession(SESSION_TOKEN) } else { Auth::Required },
            outside: Outside::Page,
            redactor: self.redactor.clone(),
            verb: self.verb.clone(),
            session: SESSION.to_owned(),
            clock: Clock::default(),
        };
        let elsewhere = match Elsewhere::of(&setup, self.tls.as_ref(), &self.ports).await {
            Ok(elsewhere) => elsewhere,
            Err(error) => return self.not_run(case, label, &error.to_string()),
        };
        if let Some(elsewhere) = &elsewhere {
            setup.scenario = Some(elsewhere.scenario());
        }
        let watch = Arc::new(Watch::of(case.job, self.client.claims()));
        let watching = Arc::clone(&watch);
        let replay = Replay::new(setup).keeping().seen_by(Arc::new(move |event| {
            if let replay::Event::Served { served, .. } = event {
                watching.see(served.exchange());
            }
        }));
        let replay = Arc::new(replay);
        // Connections are counted, and refused, by a listener of their own; and what a client that goes on sends later, or
        // keeps open, belongs to no other case.
        let is_asked_in_memory = self.client.asks_through_a_door();
        let is_shared = is_asked_in_memory
            || replay.reception() == Reception::default() && !self.client.outlives_its_cases();
        // Time begins with the listener, or later: nobody waits between it and the client.
        let place = self.places.acquire().await;
        let own = match is_shared {
            true => None,
            false => match Slot::alone(Arc::clone(&replay), self.tls.as_ref(), &self.ports).await {
                Ok(own) => Some(own),
                Err(error) => return self.not_run(case, label, &error.to_string()),
            },
        };
        let slot = own.as_ref().unwrap_or(slot);
        match is_asked_in_memory {
            true => replay.set_base(slot.url()),
            false if own.is_none() => slot.play(Arc::clone(&replay)),
            false => {}
        }
        let job = self.job(case, slot.url());
        let began = Instant::now();
        let done = async {
            match is_asked_in_memory {
                true => self.client.run_through(&job, Door::to(Arc::clone(&replay))).await,
                false => self.client.run(&job).await,
            }
        };
        let report = tokio::select! {
            report = done => report,
            () = watch.hopeless.notified() => Report::of(Outcome::TimedOut),
        };
        let lasted = began.elapsed();
        drop(place);
        let is_looked_after = own.is_some() && is_looked_after(trial, case);
        let in_time = if is_looked_after { watch.seen().requests } else { usize::MAX };
        if is_looked_after {
            tokio::time::sleep(LOOKED_AFTER).await;
        }
        if !is_asked_in_memory {
            slot.clear().await;
        }
        let mut report = unplaced::report(report, slot.url());
        if let Some(own) = own {
            own.stop().await;
        }
        let arrived = match elsewhere {
            Some(elsewhere) => elsewhere.stop().await,
            None => Arrived::default(),
        };
        let (mut lines, mut account) = (watch.cut(replay.take_lines()), replay.account());
        let later = later(&mut lines, in_time);
        arrived.leave_address(&mut lines, &mut report, &mut account);
        let (kept, exchanges, timings) = Kept::of(lines, |id| evidence::body_of(&evidence, id));
        let run = Run {
            case: case.clone(),
            exchanges,
            timings,
            report,
            claims: self.client.claims().clone(),
            lasted,
            greeted: account.sum.greeted,
            was_unheard: !account.in_force.is_empty(),
            given: self.given(&job),
            strayed: arrived.exchanges,
            later,
        };
        Ran { run, kept: Some(kept), account, label: label.to_owned() }
    }

    fn not_run(&self, case: &Case, label: &str, why: &str) -> Ran {
        let report = Report::not_started(why);
        let claims = self.client.claims().clone();
        let run = Run {
            case: case.clone(),
            exchanges: Vec::new(),
            timings: Vec::new(),
            report,
            claims,
            lasted: Duration::ZERO,
            greeted: 0,
            was_unheard: false,
            given: Given::default(),
            strayed: Vec::new(),
            later: Vec::new(),
        };
        Ran { run, kept: None, account: EndLine::default(), label: label.to_owned() }
    }

    /// What of a job the client was told.
    fn given(&self, job: &Job) -> Given {
        let takes = self.client.takes();
        Given {
            pace_ms: takes.pace.then_some(job.pace_ms),
            deadline_ms: takes.deadline.then_some(job.deadline_ms),
            login: takes.login,
            fields: takes.fields,
            name: takes.name,
            over_tls: self.tls.is_some(),
            secrets: self.secrets.clone(),
            placeholders: Arc::clone(&self.placeholders),
        }
    }

    /// What the client is told of a case.
    pub(super) fn job(&self, case: &Case, url: &str) -> Job {
        Job {
            kind: case.job,
            base_url: url.to_owned(),
            method: case.about.asks.method.clone(),
            path: case.about.path(&case.params),
            params: case.params.clone(),
            body: case.body.clone(),
            id: case.id().map(str::to_owned),
            name: case.name.clone(),
            fields: case.fields.clone(),
            sec: TOKEN.to_owned(),
            user: USER.to_owned(),
            password: PASSWORD.to_owned(),
            ca_file: self.tls.as_ref().map(|identity| identity.ca_file.clone()),
            pace_ms: case.pace_ms,
            // Leaves the client time to say that it gave up before it is ended.
            deadline_ms: self.client.timeout_ms() * 6 / 10,
        }
    }

    /// A run's part of the ledger: its lines under its own name, with what the client was and reported. Of a case that was
    /// not run there is none.
    pub(super) fn lines(&self, ran: Ran) -> Vec<Line> {
        let Ran { run: Run { case, report, exchanges, timings, .. }, kept, label, .. } = ran;
        let Some(kept) = kept else { return Vec::new() };
        let mut labelled: Vec<Line> = kept
            .lines(exchanges, timings)
            .into_iter()
            .map(|mut line| {
                match &mut line {
                    Line::Run(run) => {
                        label.clone_into(&mut run.session);
                        run.client = Some(self.client.name().to_owned());
                        run.job = Some(case.job.as_str().to_owned());
                        run.claims = Some(self.client.claims().to_string());
                    }
                    Line::Exchange(exchange) => label.clone_into(&mut exchange.key.session),
                    Line::Refused(refused) => label.clone_into(&mut refused.session),
                    Line::Greeted(greeted) => label.clone_into(&mut greeted.session),
                    Line::Timing(timing) => label.clone_into(&mut timing.key.session),
                    Line::Outcome(_) | Line::Verdict(_) | Line::Coverage(_) | Line::Gap(_) | Line::End(_) => {
                    }
                }
                line
            })
            .collect();
        let mut outcome = report.line(&label, case.job);
        outcome.outcome = self.redactor.text(&outcome.outcome);
        outcome.task = outcome.task.map(|task| self.redactor.text(&task));
        outcome.stderr = self.redactor.text(&outcome.stderr);
        labelled.push(Line::Outcome(outcome));
        labelled
    }
}

/// Whether it is waited for what a client asks when it has reported: where nothing goes wrong in a wait, in a story.
fn is_looked_after(trial: &Trial, case: &Case) -> bool {
    let is_plain = case.scenario.as_ref().is_some_and(|scenario| scenario.faults.is_empty());
    is_plain && case.job.waits() && trial.sprout.is_none()
}

/// Takes the requests that came when the client had reported out of the lines: no other law is about them.
fn later(lines: &mut Vec<Line>, in_time: usize) -> Vec<Exchange> {
    let all = lines.iter().filter_map(|line| match line {
        Line::Exchange(exchange) => Some(&**exchange),
        _ => None,
    });
    let late: Vec<Exchange> = all.skip(in_time).cloned().collect();
    let is_kept = |key: &crate::ledger::ExchangeKey| !late.iter().any(|late| late.key == *key);
    lines.retain(|line| match line {
        Line::Exchange(exchange) => is_kept(&exchange.key),
        Line::Timing(timing) => is_kept(&timing.key),
        _ => true,
    });
    late
}

/// Notices a run that can only end one way.
struct Watch {
    job: JobKind,
    claims: Claims,
    hopeless: Notify,
    seen: Mutex<Seen>,
}

/// What was seen of a run.
#[derive(Default)]
struct Seen {
    requests: usize,
    endless: Endless,
    failing: Failing,
    /// The request it was ended at. Whether further ones were heard is a matter of luck.
    cut: Option<usize>,
}

impl Watch {
    fn of(job: JobKind, claims: &Claims) -> Self {
        Self { job, claims: claims.clone(), hopeless: Notify::new(), seen: Mutex::default() }
    }

    fn seen(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn see(&self, exchange: &Exchange) {
        let mut seen = self.seen();
        seen.requests += 1;
        let heard = wire::is_surely_heard(exchange);
        let is_endless = match self.job {
            JobKind::Wait | JobKind::Create if wire::is_poll(exchange) => {
                let asked_on = seen.endless.see(exchange, heard);
                asked_on.is_some_and(|asked_on| asked_on.is_too_often(&self.claims))
            }
            JobKind::Get => {
                seen.failing.see(exchange, heard);
                seen.failing.is_too_often(&self.claims)
            }
            _ => false,
        };
        if seen.cut.is_none() && (is_endless || seen.requests >= REQUESTS_MAX) {
            seen.cut = Some(seen.requests);
            self.hopeless.notify_one();
        }
    }

    /// The lines up to the request that the run was ended at.
    fn cut(&self, mut lines: Vec<Line>) -> Vec<Line> {
        let Some(cut) = self.seen().cut else { return lines };
        let mut left = cut;
        let mut kept = BTreeSet::new();
        lines.retain(|line| match line {
            Line::Exchange(exchange) if left > 0 => {
                left -= 1;
                kept.insert(exchange.key.clone());
                true
            }
            Line::Exchange(_) => false,
            _ => true,
        });
        lines.retain(|line| !matches!(line, Line::Timing(timing) if !kept.contains(&timing.key)));
        lines
    }
}

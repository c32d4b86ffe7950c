//! One run: the console is made ready, the client meets it, and what came of it is looked back at.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::Notify;

use super::elsewhere::{Arrived, Elsewhere};
use super::evidence;
use super::kept::Kept;
use super::slot::{Begins, Slot};
use super::trial::{Bench, Ran, Trial};
use super::unplaced;
use crate::client::{Claims, Client, JobKind, Outcome, Report};
use crate::greeting::Reception;
use crate::judge::case::{Case, Given, Run};
use crate::judge::law::terminates::{Endless, Failing};
use crate::judge::wire;
use crate::ledger::{EndLine, Exchange, Line};
use crate::profile::Profile;
use crate::replay::{self, Auth, Clock, Door, Evidence, Outside, Replay, Setup};
use crate::serve::{Answer, StartError};

/// The session that is given to whoever logs in.
const SESSION_TOKEN: &str = "faultdeck-judge-session-4e90d1";

/// The session of every case: draws depend on it, and a case must draw the same when it is run again.
const SESSION: &str = "case";
/// From this many requests on a case is ended: it leads nowhere, and a ledger must stay a size to read.
const REQUESTS_MAX: usize = 20_000;

/// For how long it is waited for what a client asks when it has reported: many times the pace of such a case.
const LOOKED_AFTER: Duration = Duration::from_millis(40);

/// A console that waits for its client.
pub(super) struct Ready {
    case: Case,
    label: String,
    evidence: Evidence,
    replay: Arc<Replay>,
    watch: Arc<Watch>,
    elsewhere: Option<Elsewhere>,
    listener: Listener,
}

/// Where the client reaches its console.
enum Listener {
    /// At one that serves one case after the other, or through a door.
    Shared,
    /// At one that is there for this case alone.
    Own(Slot),
    /// The same, opened when the client comes: what is planned for connections is told from then on.
    OwnInTime,
}

/// A console and what its client has reported.
pub(super) struct Met {
    ready: Ready,
    own: Option<Slot>,
    given: Given,
    report: Report,
    lasted: Duration,
    /// The requests until the report, where it is looked at later ones, too.
    in_time: Option<usize>,
}

/// `Err` holds the run that never was.
pub(super) type Or<T> = Result<T, Box<Ran>>;

impl<C: Client> Bench<'_, C> {
    /// Makes the console ready for a case.
    pub(super) async fn make_ready(&self, trial: &Trial, case: Case, label: String) -> Or<Ready> {
        let evidence = evidence::generated(&case, &self.taken).or_else(|| trial.evidence.clone());
        let Some(evidence) = evidence else {
            return Err(self.not_run(case, label, "there is nothing to answer it from"));
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
            Err(error) => return Err(self.not_run(case, label, &error.to_string())),
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
        let listener = if self.client.asks_through_a_door() {
            Listener::Shared
        } else if replay.reception() != Reception::default() {
            Listener::OwnInTime
        } else if self.client.outlives_its_cases() {
            match self.listener(&replay, Begins::WithItsFirstRequest).await {
                Ok(slot) => Listener::Own(slot),
                Err(error) => return Err(self.not_run(case, label, &error.to_string())),
            }
        } else {
            Listener::Shared
        };
        Ok(Ready { case, label, evidence, replay, watch, elsewhere, listener })
    }

    async fn listener(&self, replay: &Arc<Replay>, begins: Begins) -> Result<Slot, StartError> {
        Slot::alone(Arc::clone(replay), begins, self.tls.as_ref(), &self.ports).await
    }

    /// Lets the client do its job: it must be its turn.
    pub(super) async fn meet(&self, shared: &Slot, trial: &Trial, ready: Or<Ready>) -> Or<Met> {
        let mut ready = ready?;
        let is_asked_in_memory = self.client.asks_through_a_door();
        let own = match std::mem::replace(&mut ready.listener, Listener::Shared) {
            Listener::Shared => None,
            Listener::Own(slot) => Some(slot),
            Listener::OwnInTime => match self.listener(&ready.replay, Begins::Now).await {
                Ok(slot) => Some(slot),
                Err(error) => return Err(self.not_run(ready.case, ready.label, &error.to_string())),
            },
        };
        let slot = own.as_ref().unwrap_or(shared);
        match is_asked_in_memory {
            true => ready.replay.set_base(slot.url()),
            false if own.is_none() => slot.play(Arc::clone(&ready.replay)),
            false => {}
        }
        let job = self.job(&ready.case, slot.url());
        let began = Instant::now();
        let done = async {
            match is_asked_in_memory {
                true => self.client.run_through(&job, Door::to(Arc::clone(&ready.replay))).await,
                false => self.client.run(&job).await,
            }
        };
        let report = tokio::select! {
            report = done => report,
            () = ready.watch.hopeless.notified() => Report::of(Outcome::TimedOut),
        };
        let lasted = began.elapsed();
        let is_looked_after = own.is_some() && is_looked_after(trial, &ready.case);
        let in_time = is_looked_after.then(|| ready.watch.seen().requests);
        if !is_looked_after && !is_asked_in_memory {
            slot.leave();
        }
        // One that others use is theirs next.
        if own.is_none() && !is_asked_in_memory {
            slot.settle().await;
        }
        let report = unplaced::report(report, slot.url());
        let given = self.given(&job);
        Ok(Met { ready, own, given, report, lasted, in_time })
    }

    /// What came of it.
    pub(super) async fn look_back(&self, met: Or<Met>) -> Ran {
        let Met { ready, own, given, mut report, lasted, in_time } = match met {
            Ok(met) => met,
            Err(not_run) => return *not_run,
        };
        let Ready { case, label, evidence, replay, watch, elsewhere, .. } = ready;
        if in_time.is_some() {
            tokio::time::sleep(LOOKED_AFTER).await;
        }
        if let Some(own) = own {
            own.leave();
            own.settle().await;
            own.stop().await;
        }
        let arrived = match elsewhere {
            Some(elsewhere) => elsewhere.stop().await,
            None => Arrived::default(),
        };
        let (mut lines, mut account) = (watch.cut(replay.take_lines()), replay.account());
        let later = in_time.map(|in_time| later(&mut lines, in_time)).unwrap_or_default();
        arrived.leave_address(&mut lines, &mut report, &mut account);
        let (kept, exchanges, timings) = Kept::of(lines, |id| evidence::body_of(&evidence, id));
        let run = Run {
            case,
            exchanges,
            timings,
            report,
            claims: self.client.claims().clone(),
            lasted,
            greeted: account.sum.greeted,
            was_unheard: !account.in_force.is_empty(),
            given,
            strayed: arrived.exchanges,
            later,
        };
        Ran { run, kept: Some(kept), account, label }
    }

    fn not_run(&self, case: Case, label: String, why: &str) -> Box<Ran> {
        let run = Run {
            case,
            exchanges: Vec::new(),
            timings: Vec::new(),
            report: Report::not_started(why),
            claims: self.client.claims().clone(),
            lasted: Duration::ZERO,
            greeted: 0,
            was_unheard: false,
            given: Given::default(),
            strayed: Vec::new(),
            later: Vec::new(),
        };
        Box::new(Ran { run, kept: None, account: EndLine::default(), label })
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

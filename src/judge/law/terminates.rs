//! `terminates`: a client comes to an end.

mod after_its_report;
mod early;
mod in_vain;
mod looks;
mod reading;

use std::collections::BTreeMap;
use std::fmt;

pub(in crate::judge) use self::looks::Failing;
use super::{Limit, Needs, Property};
use crate::client::{Claims, JobKind, Outcome};
use crate::judge::case::Run;
use crate::judge::verdict::Verdict;
use crate::judge::wire::{self, Suite};
use crate::ledger::Exchange;
use crate::timeline::Phase;

pub(super) static PROPERTY: Property = Property {
    id: "terminates",
    summary: "After the last state, a final error, or its own limit, the client stops: no endless poll.",
    long: "\
A task that is COMPLETE changes no more. A task that does not exist (404/1002) will not appear, and a request that is \
refused (401, 422) is refused again. A console that fails (5xx) may recover, but not because it is asked for ever. \
Polling on is polling for ever, at any pace. Where the console never comes to an end by itself (it hangs, a managed \
host stays down), the client has a limit of its own. `judge` and `run` count alike: the polls of one task in one \
session after the last state, or after an answer that stays the same. A list that is read page by page is at its end when \
pages bring nothing new.

Broken by: a set of last states that lacks this one, or spells it as another endpoint does (COMPLETED), even if the \
client gives up some polls later; taking every error for \"not yet\"; no limit where the client's file says that there \
is one, or hands `{deadline_ms}` on; giving up in less than half the time that its file claims (`gives_up_after_ms`), \
after fewer than 100 polls, or (if it claims nothing) of that after which it was told to give up, after fewer than 25, \
while the task went on and nothing went wrong; a single look (`get`) that is repeated after \
errors or lost answers until the client is ended, whatever limit it claims; polls that go on behind a report, as of a \
timer that nobody stopped (looked for where a client does many jobs in one process, and nothing goes wrong).

Not broken by: some more looks at a task that has ended, as many as the limits below say; more repetitions of a failed \
request if the client's file says so (`retries`); giving up; a task that stays partly done for ever, and a client that \
claims no limit: that is inconclusive. A test suite that looks at one task more often gives each test a session of \
its own (`/@NAME` behind the base URL).",
    jobs: &[JobKind::Wait, JobKind::Create, JobKind::List],
    along: &[JobKind::Get],
    report: Needs::Outcome,
    generated: true,
    story: None,
    variants: None,
    everywhere: false,
    limits: LIMITS,
    judge,
    in_a_suite: Some(asked_on),
};

/// So many polls after an answer that nothing can follow are taken for looking again.
const AGAIN: u32 = 20;
/// So many after an error, if the client then gives up without having understood it.
const BEFORE_GIVING_UP: u32 = 3;

static LIMITS: &[Limit] = &[
    Limit { most: AGAIN, of: "polls of a task after its last state, or after an error that stays the same" },
    Limit {
        most: BEFORE_GIVING_UP,
        of: "polls after an error that stays the same, if the client then gives up",
    },
    Limit { most: 0, of: "polls after the last state, if the client then gives up" },
    Limit { most: AGAIN, of: "pages of a list in a row that bring nothing new" },
];

fn judge(runs: &[Run]) -> Verdict {
    let Some(run) = runs.first() else { return Verdict::not_reached("no run") };
    if run.exchanges.is_empty() && run.greeted > 0 {
        return in_vain::judge(run);
    }
    if let Some(why) = run.unheard() {
        return Verdict::NotApplicable(why);
    }
    if let Some(why) = run.vacuous() {
        return Verdict::not_reached(why);
    }
    if let Some(verdict) = after_its_report::judge(run) {
        return verdict;
    }
    if run.case.job == JobKind::List {
        return reading::judge(run);
    }
    if !run.case.job.waits() {
        return looks::judge(run);
    }
    let polls: Vec<&Exchange> = run.exchanges.iter().filter(|exchange| wire::is_poll(exchange)).collect();
    if polls.is_empty() {
        return of_no_poll(run);
    }
    let mut endless = Endless::default();
    let mut worst: Option<AskedOn> = None;
    let was_ended = run.report.outcome == Outcome::TimedOut;
    for (place, poll) in (1..).zip(&polls) {
        // Whether the client had the very last answer when it was ended is chance, and must not change the count.
        let is_last_of_all = was_ended && place == polls.len();
        let heard = wire::is_delivered(run, poll) || (is_last_of_all && wire::is_surely_heard(poll));
        let asked_on = endless.see(poll, heard);
        if let Some(asked_on) = asked_on.filter(|asked_on| asked_on.is_too_often(&run.claims)) {
            worst = Some(asked_on);
        }
    }
    let last = polls.last().and_then(|poll| endless.of(poll));
    if let ([only], None) = (&polls[..], last)
        && wire::is_delivered(run, only)
        && goes_on(only)
        && !was_ended
    {
        return Verdict::not_reached("it looked once, at a task that goes on, and never came to wait");
    }
    match (worst, &run.report.outcome) {
        (Some(worst), Outcome::TimedOut) => violated(run, format!("{worst}, and did not stop")),
        (Some(worst), _) => violated(run, worst.to_string()),
        (None, Outcome::TimedOut) => match (last, limit_in_words(run)) {
            (Some(last), _) if last.end.is_final() => violated(run, format!("{last}, and did not stop")),
            (_, Some(limit)) => violated(run, format!("it {limit}, and did not stop")),
            (_, None) => {
                Verdict::inconclusive("the task never came to an end, and the client claims no limit")
            }
        },
        (None, _) if early::is_too_early(run) => {
            let limit = limit_in_words(run).unwrap_or_default();
            violated(run, format!("it {limit}, and stopped in less than half of that while the task went on"))
        }
        (None, Outcome::GaveUp) => match last.filter(|last| last.is_not_understood(&run.claims)) {
            Some(last) => violated(run, format!("{last}, and gave up")),
            None => Verdict::held(),
        },
        (None, Outcome::Crashed { how }) => Verdict::inconclusive(format!("the client crashed: {how}")),
        _ => Verdict::Held(
            last.filter(|last| last.times > 0).map(|last| last.to_string()).into_iter().collect(),
        ),
    }
}

/// Whoever lost the answer to its creation, and ended, knew of no task to wait for.
fn of_no_poll(run: &Run) -> Verdict {
    let is_lost = |exchange: &Exchange| wire::is_creation(exchange) && wire::is_broken(exchange);
    let ended = run.report.outcome.is_of_its_own();
    if run.case.job == JobKind::Create && ended && run.exchanges.iter().any(is_lost) {
        let why = "the answer to its creation was lost: it knew of no task to wait for, and ended";
        return Verdict::NotApplicable(why.to_owned());
    }
    Verdict::not_reached("it never asked for the task")
}

/// The limit a client has of its own, or was told, to follow "it".
fn limit_in_words(run: &Run) -> Option<String> {
    let given = || run.given.deadline_ms.map(|limit| format!("was told to give up after {limit} ms"));
    run.claims.gives_up_after_ms.map(|limit| format!("says it gives up after {limit} ms")).or_else(given)
}

fn violated(run: &Run, because: String) -> Verdict {
    Verdict::violated(because, wire::story(run))
}

/// An answer after which another poll brings nothing new.
#[derive(Clone, Debug, PartialEq, Eq)]
enum End {
    /// The task's last state.
    State(String),
    /// An error that will be the same the next time.
    Error(u16, Option<i128>),
    /// An error that may pass, with its status.
    MayPass(u16),
}

impl End {
    /// Reads an answer; `None` if polling on makes sense.
    fn of(poll: &Exchange) -> Option<Self> {
        match poll.status {
            200..=299 => last_state(poll).map(Self::State),
            408 | 425 | 429 | 500..=599 => Some(Self::MayPass(poll.status)),
            400..=499 => Some(Self::Error(poll.status, wire::error_code(poll))),
            _ => None,
        }
    }

    /// Whether nothing else will ever follow.
    fn is_final(&self) -> bool {
        !matches!(self, Self::MayPass(_))
    }

    /// Whether both say the same: of errors that may pass, one is like the other.
    fn is_like(&self, other: &Self) -> bool {
        self == other || matches!((self, other), (Self::MayPass(_), Self::MayPass(_)))
    }
}

impl fmt::Display for End {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::State(state) => write!(f, "the state {state}"),
            Self::Error(status, Some(code)) => write!(f, "the answer {status}/{code}"),
            Self::Error(status, None) | Self::MayPass(status) => write!(f, "the answer {status}"),
        }
    }
}

/// The phase that an answer shows. A ledger keeps no body that a recording has, but the state.
fn phase(poll: &Exchange) -> Option<Phase> {
    match poll.response_body.text() {
        Some(_) => wire::phase_shown(poll),
        None => wire::life_of(poll).zip(poll.state.as_deref()).and_then(|(life, state)| life.phase(state)),
    }
}

/// The state that an answer shows, if it is a last one.
fn last_state(poll: &Exchange) -> Option<String> {
    phase(poll).filter(|phase| phase.is_last())?;
    // A fault may have shown another state than the console would have.
    let shown = wire::state_shown(poll).or_else(|| poll.state.clone());
    Some(shown.unwrap_or_else(|| "that is its last".to_owned()))
}

/// Whether an answer shows that the task goes on.
fn goes_on(poll: &Exchange) -> bool {
    phase(poll).is_some_and(|phase| !phase.is_last())
}

/// How often a task was asked for after its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::judge) struct AskedOn {
    end: End,
    times: u32,
}

impl AskedOn {
    /// Whether that is more than looking again, given what the client says of itself.
    pub(in crate::judge) fn is_too_often(&self, claims: &Claims) -> bool {
        self.times > AGAIN.max(self.claimed(claims))
    }

    /// Whether a client that gave up then cannot have understood the answer.
    fn is_not_understood(&self, claims: &Claims) -> bool {
        match self.end {
            End::State(_) => self.times > 0,
            End::Error(..) => self.times > BEFORE_GIVING_UP.max(self.claimed(claims)),
            End::MayPass(_) => false,
        }
    }

    /// How often the client says that it repeats a request after such an answer.
    fn claimed(&self, claims: &Claims) -> u32 {
        match self.end {
            End::Error(status, _) | End::MayPass(status) if claims.retries_on.contains(&status) => {
                claims.retries_max
            }
            _ => 0,
        }
    }
}

impl fmt::Display for AskedOn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.times {
            0 => write!(f, "it had {}", self.end),
            1 => write!(f, "after {} it asked once more", self.end),
            times => write!(f, "after {} it asked {times} times more", self.end),
        }
    }
}

/// Sees polls as they come, and counts those after an end, for each task of each session.
#[derive(Clone, Debug, Default)]
pub(in crate::judge) struct Endless(BTreeMap<(String, String), AskedOn>);

impl Endless {
    /// Takes the next poll; `heard` says whether the client has its answer. Gives back what that task has come to.
    pub(in crate::judge) fn see(&mut self, poll: &Exchange, heard: bool) -> Option<AskedOn> {
        let task = (poll.key.session.clone(), poll.key.resource.clone());
        let before = self.0.remove(&task);
        let end = if heard { End::of(poll) } else { None };
        let now = match (before, end) {
            // What comes after the last state changes nothing, unless the task begins anew.
            (Some(AskedOn { end: End::State(state), times }), _) if !(heard && goes_on(poll)) => {
                Some(AskedOn { end: End::State(state), times: times.saturating_add(1) })
            }
            (Some(before), Some(end)) if before.end.is_like(&end) => {
                Some(AskedOn { end, times: before.times.saturating_add(1) })
            }
            (_, Some(end)) => Some(AskedOn { end, times: 0 }),
            // An answer that was not heard says nothing about those around it.
            (before, None) if !heard => before,
            (_, None) => None,
        };
        if let Some(now) = now.clone() {
            self.0.insert(task, now);
        }
        now
    }

    /// What the task of this poll has come to.
    fn of(&self, poll: &Exchange) -> Option<&AskedOn> {
        self.0.get(&(poll.key.session.clone(), poll.key.resource.clone()))
    }
}

/// Judged from the wire alone: the task that was asked for most often after its end.
fn asked_on(suite: &Suite<'_>) -> Option<(usize, String)> {
    let mut endless = Endless::default();
    let claims = Claims::default();
    let mut worst: Option<(usize, AskedOn)> = None;
    for (index, poll) in suite.exchanges.iter().enumerate().filter(|(_, exchange)| wire::is_poll(exchange)) {
        let Some(asked_on) = endless.see(poll, suite.is_delivered(poll)) else { continue };
        let is_worse = worst.as_ref().is_none_or(|(_, worst)| asked_on.times > worst.times);
        if is_worse && asked_on.is_too_often(&claims) {
            worst = Some((index, asked_on));
        }
    }
    let (index, asked_on, and) = match worst {
        Some((index, asked_on)) => (index, asked_on, ""),
        // A slow pace hides nothing: what had its end and still asked when its time was up would have asked for ever.
        None if suite.was_stopped => {
            let index = suite.exchanges.iter().rposition(|exchange| wire::is_poll(exchange))?;
            let last = endless.of(suite.exchanges.get(index)?)?;
            let goes_on = last.end.is_final() && last.times > 0;
            (index, goes_on.then(|| last.clone())?, ", and did not stop")
        }
        None => return None,
    };
    let resource = &suite.exchanges.get(index)?.key.resource;
    Some((index, format!("{resource}: {asked_on}{and}")))
}

#[cfg(test)]
mod tests;

//! `patient-not-greedy`: a client leaves the console time, and has an end of its own patience.
//!
//! Time is measured from one request to the next, each when all of it had come. A machine under load makes that longer
//! and never shorter than the client's own pause, so only what is too short speaks against a client. The one wait that is
//! too long is that for an answer which never comes, and there the client had to be ended.

use std::collections::BTreeMap;
use std::time::Duration;

use super::{Limit, Needs, Property, Story};
use crate::client::{JobKind, Outcome};
use crate::judge::case::Run;
use crate::judge::verdict::Verdict;
use crate::judge::wire;
use crate::ledger::{Exchange, ExchangeKey, Timing};
use crate::timeline::Phase;

pub(super) static PROPERTY: Property = Property {
    id: "patient-not-greedy",
    summary: "It leaves pauses between polls and before it repeats what failed, and does not wait for one answer for ever.",
    long: "\
A task takes as long as it takes; asking without a pause takes the console's time and learns nothing sooner. What failed is \
repeated after a pause, a few times: a console that is down is not helped by a storm of requests. `Retry-After` is an answer \
to when it makes sense to come back (RFC 9110, 10.2.3); that anything in front of a console sends it is ours, and a client \
is held to it only where an answer said so. An answer that never comes ends at a limit of the client's own.

Broken by: the same poll again and again in less than a quarter of the pause that the client was told to leave \
(`{pace_ms}`; if its file hands that to nobody, with no pause at all); a failed request repeated more often than the limits \
below and the file's `retries` say, without a pause (most of them within a quarter of the one it was told, or a third of them within an eighth); coming back in less than half the time that `Retry-After` asks for; still \
waiting for an answer long after the limit that the file claims (`request_timeout_ms`), or after the deadline it was told; \
ending a request only at that deadline, at twice the limit that the file claims or later.

Not broken by: pauses of any other length; pauses that do not grow; a first poll straight after the creation, which is \
advice. Whatever takes long is the machine's doing, and excuses. A client that waits for an answer until it is ended, and was \
told no limit and claims none, is inconclusive.",
    jobs: &[JobKind::Wait, JobKind::Create, JobKind::Get],
    along: &[],
    report: Needs::Nothing,
    generated: false,
    story: Some(Story { pace_ms: 50 }),
    variants: None,
    everywhere: false,
    limits: LIMITS,
    judge,
    in_a_suite: None,
};

/// So many repetitions of a failed request without a pause are no storm yet.
const STORM: u32 = 5;
/// From so many pauses on their median says something.
const PAUSES_MIN: usize = 5;
/// A shorter pace cannot be told from none.
const PACE_MIN_MS: u64 = 10;
/// What a client takes for a request and its answer without any pause, at least.
const NO_PAUSE: Duration = Duration::from_millis(2);
/// Which part of the pause it was told is none at all. Pauses that are drawn between nothing and it are longer.
const PART_OF_PACE: u32 = 4;
/// How far beyond its limit a client has to be waiting to be past it for sure, in percent of the limit.
const PAST_PERCENT: u64 = 150;

/// How many times its own limit a client has to have waited for one answer to have none, if it ended by itself.
const WAITED_OUT: u64 = 2;

static LIMITS: &[Limit] = &[Limit { most: STORM, of: "repetitions of a failed request without a pause" }];

fn judge(runs: &[Run]) -> Verdict {
    let Some(run) = runs.first() else { return Verdict::not_reached("no run") };
    if let Some(why) = run.vacuous() {
        return Verdict::not_reached(why);
    }
    if run.timings.is_empty() {
        return Verdict::not_reached("when its requests came is not known");
    }
    let asked = Asked::of(run);
    let finds = [no_pause(run, &asked), storm(run, &asked), too_soon(&asked), endless_wait(run, &asked)];
    let reached = finds.iter().any(|find| *find != Find::Nothing);
    let mut unclear = None;
    for find in finds {
        match find {
            Find::Broken(why) => return Verdict::violated(why, wire::story(run)),
            Find::Unclear(why) => unclear = Some(why),
            Find::Nothing | Find::Holds => {}
        }
    }
    match unclear {
        Some(why) => Verdict::inconclusive(why),
        None if reached => Verdict::Held(at_once_after_the_creation(run, &asked).into_iter().collect()),
        // One look, and a console that answers it: whoever only looks has nothing to be patient about.
        None if !run.case.job.waits() => {
            Verdict::NotApplicable("the client does not wait, and each look was answered at once".to_owned())
        }
        None => Verdict::not_reached("nothing here asks for patience: no five polls, no failure, no silence"),
    }
}

/// What one part of the law finds.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Find {
    /// Nothing put it to the test.
    Nothing,
    Holds,
    Broken(String),
    Unclear(String),
}

/// A request, and when all of it had come.
struct Sent<'r> {
    exchange: &'r Exchange,
    timing: &'r Timing,
}

impl Sent<'_> {
    fn at(&self) -> Duration {
        Duration::from_micros(self.timing.at_us)
    }

    fn is_delivered(&self) -> bool {
        wire::came_whole(self.exchange, Some(self.timing), true)
    }

    fn is_like(&self, other: &Self) -> bool {
        self.exchange.method == other.exchange.method && self.exchange.target == other.exchange.target
    }
}

/// The requests of which it is known when they came, in the order in which they were decided.
struct Asked<'r>(Vec<Sent<'r>>);

impl<'r> Asked<'r> {
    fn of(run: &'r Run) -> Self {
        let timings: BTreeMap<&ExchangeKey, &Timing> =
            run.timings.iter().map(|timing| (&timing.key, timing)).collect();
        let sent = |exchange: &'r Exchange| Some(Sent { exchange, timing: timings.get(&exchange.key)? });
        Self(run.exchanges.iter().filter_map(sent).collect())
    }

    /// Each request with the next one that is like it.
    fn pairs(&self) -> impl Iterator<Item = (&Sent<'r>, &Sent<'r>)> {
        self.0.iter().enumerate().filter_map(|(index, first)| {
            let next = self.0.get(index + 1..)?.iter().find(|next| next.is_like(first))?;
            Some((first, next))
        })
    }
}

fn between(first: &Sent<'_>, next: &Sent<'_>) -> Duration {
    next.at().saturating_sub(first.at())
}

fn median(times: &mut [Duration]) -> Option<Duration> {
    times.sort_unstable();
    times.get(times.len() / 2).copied()
}

/// What counts as no pause in this case; nothing does where the client was told to leave next to none.
fn no_pause_at_all(run: &Run) -> Option<Duration> {
    if run.case.pace_ms < PACE_MIN_MS {
        return None;
    }
    Some(match run.given.pace_ms {
        Some(pace) => Duration::from_millis(pace) / PART_OF_PACE,
        None => NO_PAUSE,
    })
}

/// Polls of a task that goes on, without a pause between them.
fn no_pause(run: &Run, asked: &Asked<'_>) -> Find {
    let Some(least) = no_pause_at_all(run) else { return Find::Nothing };
    let goes_on = |sent: &Sent<'_>| {
        let phase = wire::phase_shown(sent.exchange).filter(|_| sent.is_delivered());
        phase.is_some_and(|phase| !matches!(phase, Phase::Done | Phase::Failed | Phase::Cancelled))
    };
    let pairs = asked.pairs().filter(|(first, _)| goes_on(first));
    let mut pauses: Vec<Duration> = pairs.map(|(first, next)| between(first, next)).collect();
    if pauses.len() < PAUSES_MIN {
        return Find::Nothing;
    }
    let count = pauses.len();
    match median(&mut pauses) {
        Some(median) if median < least => {
            let pace = match run.given.pace_ms {
                Some(pace) => format!("it was told to leave {pace} ms between polls"),
                None => "it leaves no pause between polls".to_owned(),
            };
            Find::Broken(format!(
                "{pace}, and asked {count} times again, most of them within {} ms",
                ms_up(median)
            ))
        }
        _ => Find::Holds,
    }
}

/// Whether asking again may help: the answer says that something failed for now, or it never came.
fn failed(sent: &Sent<'_>) -> bool {
    let says_so = matches!(sent.exchange.status, 408 | 425 | 429 | 500..=599);
    !wire::is_miss(sent.exchange) && (says_so || !sent.is_delivered())
}

/// What failed, again and again without a pause.
fn storm(run: &Run, asked: &Asked<'_>) -> Find {
    let Some(least) = no_pause_at_all(run) else { return Find::Nothing };
    let mut chains: Vec<(&Sent<'_>, Vec<Duration>)> = Vec::new();
    let mut any = false;
    for sent in &asked.0 {
        let open = chains.iter_mut().rev().find(|(last, _)| last.is_like(sent));
        let is_failure = failed(sent);
        any |= is_failure;
        match open {
            Some((last, pauses)) if failed(last) => {
                pauses.push(between(last, sent));
                *last = sent;
            }
            _ if is_failure => chains.push((sent, Vec::new())),
            _ => {}
        }
    }
    for (last, mut pauses) in chains {
        let times = u32::try_from(pauses.len()).unwrap_or(u32::MAX);
        let claimed =
            if run.claims.retries_on.contains(&last.exchange.status) { run.claims.retries_max } else { 0 };
        let is_storm = times > STORM.max(claimed);
        if let Some(rushed) = rushed(&mut pauses, least).filter(|_| is_storm) {
            let what = format!("{} {}", last.exchange.method, wire::path(last.exchange));
            return Find::Broken(format!("{what} failed, and was sent {times} times more, {rushed}"));
        }
    }
    if any { Find::Holds } else { Find::Nothing }
}

/// Whether most of these were no pauses, or a third of them far from it, in words. What else a machine does makes them
/// longer: on one that is busy the shortest say most of what the client meant. Of pauses drawn between nothing and the pace
/// one in eight is below the lower bound.
fn rushed(pauses: &mut [Duration], least: Duration) -> Option<String> {
    if let Some(median) = median(pauses).filter(|median| *median < least) {
        return Some(format!("most of them within {} ms", ms_up(median)));
    }
    let third = pauses.get(pauses.len() / 3).filter(|third| **third < least / 2)?;
    Some(format!("a third of them within {} ms", ms_up(*third)))
}

/// For how long an answer asks to be left alone.
fn asked_for(exchange: &Exchange) -> Option<Duration> {
    let is_it = |line: &&(String, String)| line.0.eq_ignore_ascii_case("Retry-After");
    let (_, value) = exchange.response_headers.iter().find(is_it)?;
    // A date says nothing here: whose clock it was read by is not known.
    value.trim().parse().ok().filter(|seconds| *seconds > 0).map(Duration::from_secs)
}

/// The same request again before the time that an answer asked for.
fn too_soon(asked: &Asked<'_>) -> Find {
    let count =
        asked.0.iter().filter(|sent| sent.is_delivered() && asked_for(sent.exchange).is_some()).count();
    let early = asked.pairs().filter(|(first, _)| first.is_delivered()).find_map(|(first, next)| {
        let wait = asked_for(first.exchange)?;
        let pause = between(first, next);
        (pause < wait / 2).then_some((first, wait, pause))
    });
    match early {
        Some((first, wait, pause)) => Find::Broken(format!(
            "the answer {} asked it to come back after {} s (`Retry-After`), and it came within {} ms",
            first.exchange.status,
            wait.as_secs(),
            ms_up(pause)
        )),
        None if count > 0 => Find::Holds,
        None => Find::Nothing,
    }
}

/// An answer that never came, and was waited for until the client was ended.
fn endless_wait(run: &Run, asked: &Asked<'_>) -> Find {
    let Some(last) = asked.0.last() else { return Find::Nothing };
    let is_silent = |sent: &Sent<'_>| wire::is_broken(sent.exchange) && sent.timing.cut_short;
    let was_ended = run.report.outcome == Outcome::TimedOut;
    let left_by_itself = asked.0.iter().rev().skip(usize::from(was_ended)).any(is_silent);
    if let Some(why) = waited_out(run, asked, is_silent).filter(|_| !was_ended) {
        return Find::Broken(why);
    }
    if !was_ended || !is_silent(last) {
        return if left_by_itself { Find::Holds } else { Find::Nothing };
    }
    let waited = last.timing.took_us / 1_000;
    let is_past = |limit: u64| waited.saturating_mul(100) >= limit.saturating_mul(PAST_PERCENT);
    match (run.claims.request_timeout_ms, run.given.deadline_ms) {
        (Some(limit), _) if is_past(limit) => Find::Broken(format!(
            "its file says that it ends a request after {limit} ms, and it waited for an answer until it was ended"
        )),
        (None, Some(limit)) if is_past(limit) => Find::Broken(format!(
            "it was told to give up after {limit} ms, and waited for an answer until it was ended"
        )),
        (None, None) => Find::Unclear(
            "it waited for an answer until it was ended; its file claims no `request_timeout_ms`, and hands `{deadline_ms}` \
             to nobody"
                .to_owned(),
        ),
        // It has left others, and waits for this one no longer than it may.
        _ if left_by_itself => Find::Holds,
        _ => Find::Unclear("it waited for an answer until it was ended, and no longer than its file says".to_owned()),
    }
}

/// A claimed limit of one request that is none: the whole job's end was, far beyond it, and no answer that never came was
/// left before. One such wait may be the machine's doing; that it ends with the job each time is not.
fn waited_out(run: &Run, asked: &Asked<'_>, is_silent: impl Fn(&Sent<'_>) -> bool) -> Option<String> {
    let (limit, deadline) = (run.claims.request_timeout_ms?, run.given.deadline_ms?);
    let silent: Vec<&Sent<'_>> = asked.0.iter().filter(|sent| is_silent(sent)).collect();
    let [only] = silent.as_slice() else { return None };
    let is_last = asked.0.last().is_some_and(|last| last.exchange.key == only.exchange.key);
    let is_long = only.timing.took_us / 1_000 >= limit.saturating_mul(WAITED_OUT);
    // The limit of the job counts from the client's start, and a request is seen later.
    let ended_with_the_job =
        run.lasted >= Duration::from_millis(deadline) && run.report.outcome.is_of_its_own();
    (is_last && is_long && ended_with_the_job).then(|| {
        format!(
            "its file says that it ends a request after {limit} ms, and it waited for an answer until the {deadline} ms of the \
             whole job were over"
        )
    })
}

/// Advice: what was just made cannot be done yet.
fn at_once_after_the_creation(run: &Run, asked: &Asked<'_>) -> Option<String> {
    let least = no_pause_at_all(run)?;
    let made = asked.0.iter().position(|sent| wire::is_creation(sent.exchange))?;
    let (made, next) = (asked.0.get(made)?, asked.0.get(made + 1)?);
    (wire::is_poll(next.exchange) && between(made, next) < least)
        .then(|| "its first poll follows the creation at once: nothing can have happened by then".to_owned())
}

/// In milliseconds, rounded up to a power of two: how few they were differs from run to run.
fn ms_up(time: Duration) -> u64 {
    let ms = u64::try_from(time.as_micros().div_ceil(1_000)).unwrap_or(u64::MAX);
    ms.max(1).next_power_of_two()
}

#[cfg(test)]
mod tests;

//! `says-what-it-heard`: what the client says of a task is what it heard of it.

mod content;
mod standing;

use super::{Needs, Property};
use crate::client::{JobKind, Outcome, Resting};
use crate::json::Json;
use crate::judge::answers::{Heard, heard};
use crate::judge::case::Run;
use crate::judge::verdict::Verdict;
use crate::judge::wire;
use crate::ledger::{BodyText, Exchange};
use crate::timeline::Phase;

pub(super) static PROPERTY: Property = Property {
    id: "says-what-it-heard",
    summary: "What the client says of a task, its standing and its content, is what an answer said that came whole: \
              the latest one.",
    long: "\
A task is `done` when an answer said so, and `failed` or `usable` likewise. What is reported as the task is a task that \
came: all of it, and not one that a later answer has overtaken.

Broken by: `done` before any answer showed the last state, as of a client that creates and never looks again; `failed` \
because a poll failed, or because the state is one it does not know; `pending` or `usable` although the last answer \
showed the end; a task made out of an answer that broke off, was not JSON or never came; \
a task from an earlier poll, or from the creation, after a later answer showed another; an error in place of a task that came to its end undisturbed; \
ending without a word in the middle of a wait, or when the answer to a look breaks off: a crash, nothing on standard \
output, or nothing that can be read.

Not broken by: leaving members out, or adding those of an earlier answer that the last one does not have; a task from an \
answer that may have come (late, or cut behind its last byte); whatever a client makes of an answer that can be read in \
several ways. Of a look (`get`) the standing is judged only where the answer shows a state and the client writes an \
outcome: an exit code of 0 says no more than that the look went well. PARTIALLY_COMPLETE in a wait is judged by \
partial-is-usable-not-done.",
    jobs: &[JobKind::Wait, JobKind::Create, JobKind::Get],
    along: &[],
    report: Needs::Outcome,
    generated: true,
    story: None,
    variants: None,
    everywhere: false,
    limits: &[],
    judge,
    in_a_suite: None,
};

fn judge(runs: &[Run]) -> Verdict {
    let Some(run) = runs.first() else { return Verdict::not_reached("no run") };
    let reported = match &run.report.outcome {
        Outcome::Task { standing, task } => Some((*standing, task.as_str())),
        _ => None,
    };
    if run.exchanges.is_empty() && run.greeted > 0 && reported.is_some() {
        return violated(run, "no connection came to a request, and it reports a task");
    }
    if let Some(why) = run.vacuous() {
        return Verdict::not_reached(why);
    }
    match reported {
        Some((standing, task)) => of_task(run, standing, task),
        None => of_no_task(run),
    }
}

fn violated(run: &Run, because: impl Into<String>) -> Verdict {
    Verdict::violated(because, wire::story(run))
}

/// Whether the job comes to an end of its own: then the client has to know it.
fn waits(run: &Run) -> bool {
    matches!(run.case.job, JobKind::Wait | JobKind::Create)
}

/// Whether an answer of this request would hold the task.
fn tells(run: &Run, exchange: &Exchange) -> bool {
    run.case.about.is_asked(exchange) || (run.case.job == JobKind::Create && wire::is_creation(exchange))
}

/// What a good answer that may have been heard says, where the ledger has its text.
fn brought<'e>(run: &Run, exchange: &'e Exchange) -> Option<(Heard, Option<&'e str>)> {
    let how = heard(run, exchange);
    if how == Heard::No || !(200..300).contains(&exchange.status) {
        return None;
    }
    if exchange.response_body.text().is_none() {
        return Some((how, None));
    }
    let text = wire::data(exchange).filter(|text| Json::is_one(text))?;
    Some((how, Some(text)))
}

/// Whether there is an answer of which nobody can say what was read in it.
fn is_clouded(run: &Run) -> bool {
    run.exchanges.iter().any(|exchange| wire::is_unclear(exchange) && heard(run, exchange) == Heard::Perhaps)
}

/// The requests whose answers would hold the task.
fn asked(run: &Run) -> Vec<&Exchange> {
    run.exchanges.iter().filter(|exchange| tells(run, exchange)).collect()
}

/// A task is reported: it must be one that came, and stand as it was heard to.
fn of_task(run: &Run, standing: Resting, task: &str) -> Verdict {
    if is_clouded(run) {
        return Verdict::not_reached("an answer can be read in several ways");
    }
    let asked = asked(run);
    let came = asked.iter().any(|exchange| brought(run, exchange).is_some());
    if !came && !content::is_from_elsewhere(run, task) {
        // Who waited in vain may say so with nothing at all; who looks has an error to tell.
        let says_nothing = waits(run) && standing == Resting::Pending && content::is_empty(task);
        return match is_ours_to_judge(run, &asked) && !says_nothing {
            true => violated(run, "no answer came whole, and it reports a task"),
            false => Verdict::not_reached("no answer came whole"),
        };
    }
    let shown = standing::shown(run);
    if let Some(why) = standing::wrong(run, standing, &shown) {
        return violated(run, why);
    }
    if waits(run)
        && let Some(why) = content::wrong(run, task)
    {
        return violated(run, why);
    }
    let was_lost = asked.iter().any(|exchange| brought(run, exchange).is_none());
    if waits(run) || was_lost { Verdict::held() } else { standing::compared(run, &shown) }
}

/// Of a look that was answered with an error, or with nothing at all, other laws speak.
fn is_ours_to_judge(run: &Run, asked: &[&Exchange]) -> bool {
    let is_broken = |last: &&Exchange| heard(run, last) == Heard::No && last.response_body != BodyText::Empty;
    waits(run) || asked.last().is_some_and(is_broken)
}

/// No task is reported. Where one surely came to its end, and nothing went wrong, that is not what was heard.
fn of_no_task(run: &Run) -> Verdict {
    let outcome = &run.report.outcome;
    if *outcome == Outcome::TimedOut {
        return Verdict::not_reached("its time was up before it said anything");
    }
    if waits(run) && has_ended_well(run) {
        return match outcome {
            Outcome::GaveUp => Verdict::not_reached("it gave up as the task came to its end"),
            _ => violated(run, format!("the task came to its end, and it reports: {}", run.reported_line())),
        };
    }
    let asked = asked(run);
    if outcome.says_nothing() {
        let why = format!("it ends without a word of the task: {}", run.reported_line());
        // Who waits has something to say whatever comes. Of a look that was answered other laws speak.
        let was_cut = asked.last().is_some_and(|last| wire::is_broken(last));
        let has_to_say = waits(run) && !asked.is_empty() || was_cut;
        return if has_to_say { violated(run, why) } else { Verdict::not_reached(why) };
    }
    let is_sure = |exchange: &&Exchange| matches!(brought(run, exchange), Some((Heard::Surely, _)));
    let has_failed =
        |exchange: &&Exchange| matches!(wire::phase_shown(exchange), Some(Phase::Failed | Phase::Cancelled));
    let has_ended = |exchange: &&Exchange| wire::phase_shown(exchange).is_some_and(Phase::is_last);
    match outcome {
        _ if asked.is_empty() => Verdict::not_reached("it never asked for the task"),
        _ if !asked.iter().all(is_sure) => Verdict::held(),
        Outcome::GaveUp if waits(run) && !asked.iter().any(has_ended) => Verdict::held(),
        // That a task failed may be told as an error.
        Outcome::Error { .. } | Outcome::ServerError { .. } | Outcome::Rejected { .. }
            if asked.last().is_some_and(has_failed) =>
        {
            Verdict::held()
        }
        _ => Verdict::not_reached("it reports no task"),
    }
}

/// Whether the last thing the client surely heard is that the task is done, however often it heard so, and nothing went
/// wrong before.
fn has_ended_well(run: &Run) -> bool {
    let is_plain = |exchange: &Exchange| {
        exchange.faults.is_empty() && !wire::is_miss(exchange) && (200..300).contains(&exchange.status)
    };
    let is_done = |exchange: &Exchange| wire::phase_shown(exchange) == Some(Phase::Done);
    let Some(last) = wire::last_word(run) else { return false };
    run.exchanges.iter().filter(|exchange| !wire::is_logout(exchange)).all(is_plain)
        && run.case.about.is_asked(last)
        && heard(run, last) == Heard::Surely
        && is_done(last)
}

#[cfg(test)]
mod tests;

//! `terminates`: a client that waits comes to an end.

use super::{Property, alone};
use crate::client::{JobKind, Outcome};
use crate::judge::case::Run;
use crate::judge::verdict::Verdict;
use crate::judge::wire;
use crate::ledger::Exchange;
use crate::timeline::Phase;

pub(in crate::judge) const PROPERTY: Property = Property {
    id: "terminates",
    summary: "After the last state, a final error, or its own limit, the client stops: no endless poll.",
    long: "\
A task that is COMPLETE changes no more, and a task that does not exist (404/1002) will not appear: polling on is \
polling for ever. Where the console never comes to an end by itself (it fails, it hangs, a managed host stays down), \
the client has a limit of its own.

Broken by: a set of last states that lacks this one, or spells it as another endpoint does (COMPLETED); taking every \
error for \"not yet\"; no limit where the client's file says that there is one.

Not broken by: a few more requests to confirm the end; giving up; a task that stays partly done for ever, and a client \
that claims no limit: that is inconclusive.",
    job: JobKind::Wait,
    variants: alone,
    judge,
};

/// How many polls after the end are taken for a confirmation: for instance one more, whole.
const CONFIRMING: usize = 3;
/// The same in a test suite, where every test may look at a finished task.
const CONFIRMING_IN_A_SUITE: usize = 200;
/// From this many polls after the end on, a run is ended: nothing it does can change the verdict.
pub(in crate::judge) const HOPELESS: usize = 20;

fn judge(runs: &[Run]) -> Verdict {
    let Some(run) = runs.first() else { return Verdict::not_reached("no run") };
    if let Some(why) = run.vacuous() {
        return Verdict::not_reached(why);
    }
    let polls: Vec<&Exchange> = run.exchanges.iter().filter(|exchange| wire::is_poll(exchange)).collect();
    if polls.is_empty() {
        return Verdict::not_reached("it never asked for the task");
    }
    let end = polls.iter().position(|poll| wire::is_delivered(run, poll) && is_end(poll));
    let after = end.map_or(0, |end| polls.len() - 1 - end);
    if after > CONFIRMING {
        let what = end.and_then(|end| polls.get(end)).map(|poll| said(poll)).unwrap_or_default();
        return violated(run, format!("after {what} it asked {after} times more"));
    }
    match (&run.report.outcome, end) {
        (Outcome::TimedOut, Some(end)) => {
            let what = polls.get(end).map(|poll| said(poll)).unwrap_or_default();
            violated(run, format!("it had {what}, and did not stop"))
        }
        (Outcome::TimedOut, None) => match run.claims.gives_up_after_ms {
            Some(limit) => violated(run, format!("it says it gives up after {limit} ms, and did not stop")),
            None => Verdict::inconclusive("the task never came to an end, and the client claims no limit"),
        },
        (Outcome::Crashed { how }, _) => Verdict::inconclusive(format!("the client crashed: {how}")),
        _ => Verdict::held(),
    }
}

fn violated(run: &Run, because: String) -> Verdict {
    Verdict::violated(because, wire::story(run))
}

/// Whether this answer is the last that will ever be worth anything.
pub(in crate::judge) fn is_end(poll: &Exchange) -> bool {
    let is_last = matches!(wire::phase_shown(poll), Some(Phase::Done | Phase::Failed | Phase::Cancelled));
    is_last || (poll.status == 404 && wire::error_code(poll) == Some(1002))
}

fn said(poll: &Exchange) -> String {
    match &poll.state {
        Some(state) if poll.status == 200 => format!("the state {state}"),
        _ => format!("the answer {}", poll.status),
    }
}

/// Judged from the wire alone: a resource polled for ever after its end, by how often.
pub(in crate::judge) fn endless(exchanges: &[Exchange]) -> Option<(usize, String)> {
    let mut ended: Vec<(&str, usize)> = Vec::new();
    for (index, poll) in exchanges.iter().enumerate().filter(|(_, exchange)| wire::is_poll(exchange)) {
        let known = ended.iter_mut().find(|(resource, _)| *resource == poll.key.resource);
        match known {
            Some((_, times)) => *times += 1,
            None if is_end(poll) && !wire::is_broken(poll) => ended.push((&poll.key.resource, 0)),
            None => {}
        }
        if let Some((resource, times)) = ended.iter().find(|(_, times)| *times > CONFIRMING_IN_A_SUITE) {
            return Some((index, format!("{resource} was asked for more than {times} times after its end")));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::Resting;
    use crate::judge::sample;

    fn run(states: &[&str], outcome: Outcome) -> Run {
        let mut run = sample::run(sample::wait(None));
        run.exchanges = states.iter().map(|state| sample::state(state)).collect();
        run.report.outcome = outcome;
        run
    }

    fn done() -> Outcome {
        Outcome::Task { standing: Resting::Done, task: "{}".into() }
    }

    #[test]
    fn stopping_at_the_end_holds_and_so_does_confirming_it() {
        assert_eq!(judge(&[run(&["WAITING", "COMPLETE"], done())]), Verdict::held());
        assert_eq!(judge(&[run(&["WAITING", "COMPLETE", "COMPLETE"], done())]), Verdict::held());
        assert_eq!(judge(&[run(&["WAITING", "PARTIALLY_COMPLETE"], Outcome::GaveUp)]), Verdict::held());
    }

    #[test]
    fn polling_on_after_the_end_is_a_violation_even_if_it_stops_later() {
        let states = ["COMPLETE"; 12];
        let Verdict::Violated(violation) = judge(&[run(&states, Outcome::GaveUp)]) else { panic!() };
        assert_eq!(violation.because, "after the state COMPLETE it asked 11 times more");
        assert!(judge(&[run(&["COMPLETE"], Outcome::TimedOut)]).is_violated());
    }

    #[test]
    fn a_task_that_is_not_there_is_an_end() {
        let gone = r#"{"http_response":{},"code":1002}"#;
        let mut steady = run(&[], Outcome::TimedOut);
        steady.exchanges = (0..9).map(|_| sample::poll(sample::PATH, 404, gone)).collect();
        assert!(judge(std::slice::from_ref(&steady)).is_violated());
        steady.exchanges.truncate(1);
        steady.report.outcome = Outcome::NotFound { code: None };
        assert_eq!(judge(&[steady]), Verdict::held());
    }

    #[test]
    fn no_end_is_inconclusive_unless_the_client_says_it_has_a_limit() {
        let mut endless = run(&["PARTIALLY_COMPLETE"; 40], Outcome::TimedOut);
        assert!(matches!(judge(std::slice::from_ref(&endless)), Verdict::Inconclusive(_)));
        endless.claims.gives_up_after_ms = Some(300);
        assert!(judge(&[endless]).is_violated());
    }

    #[test]
    fn an_end_the_client_never_heard_of_is_no_end() {
        let mut lost = run(&["COMPLETE"; 9], Outcome::GaveUp);
        for exchange in &mut lost.exchanges {
            exchange.faults.push(sample::fault("reset"));
        }
        assert_eq!(judge(&[lost]), Verdict::held());
        assert!(matches!(judge(&[run(&[], done())]), Verdict::NotReached(_)));
    }

    #[test]
    fn a_suite_may_look_at_a_finished_task_in_every_test() {
        let polls = |count: usize| (0..count).map(|_| sample::state("COMPLETE")).collect::<Vec<_>>();
        assert_eq!(endless(&polls(150)), None);
        assert!(endless(&polls(300)).is_some());
    }
}

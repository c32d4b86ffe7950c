//! Giving up long before the client's own limit, while the task goes on.

use std::time::Duration;

use crate::client::{OnPartial, Outcome, Resting};
use crate::judge::case::Run;
use crate::judge::wire;
use crate::ledger::Exchange;
use crate::timeline::Phase;

/// From so many polls on a client may have counted them, however little time they took: it is told to leave next to
/// none between them.
const BY_NUMBER: usize = 100;
/// The same for a client that claims no limit, and was told when to give up: it may have one of its own beside.
const BY_NUMBER_UNCLAIMED: usize = 25;
/// Below its limit divided by this a client has clearly not come to it.
const CLEARLY: u32 = 2;

/// Whether the client stopped in less than half the time it claims, or was told to take, although nothing gave it a reason
/// to. What else the machine does makes a run longer, which only ever excuses.
pub(super) fn is_too_early(run: &Run) -> bool {
    let stopped =
        matches!(run.report.outcome, Outcome::GaveUp | Outcome::Task { standing: Resting::Pending, .. });
    let limits = [run.claims.gives_up_after_ms, run.given.deadline_ms];
    let Some(limit) = limits.into_iter().flatten().min().filter(|_| stopped) else { return false };
    let limit = Duration::from_millis(limit);
    let by_number = if run.claims.gives_up_after_ms.is_some() { BY_NUMBER } else { BY_NUMBER_UNCLAIMED };
    let polls: Vec<&Exchange> = run.exchanges.iter().filter(|exchange| wire::is_poll(exchange)).collect();
    run.lasted < limit / CLEARLY && polls.len() < by_number && goes_on(run, &polls)
}

/// Whether all that the client had was a task on its way, as a console shows it.
fn goes_on(run: &Run, polls: &[&Exchange]) -> bool {
    let is_plain = |exchange: &Exchange| {
        exchange.faults.is_empty()
            && (200..300).contains(&exchange.status)
            && wire::is_delivered(run, exchange)
    };
    let phases: Option<Vec<Phase>> = polls.iter().map(|poll| wire::phase_shown(poll)).collect();
    let Some(phases) = phases else { return false };
    // Of whoever claims nothing it is not known that partly done is no reason for it to leave.
    let waits = run.claims.on_partial == OnPartial::Waits && run.claims.gives_up_after_ms.is_some();
    let is_left = phases.contains(&Phase::Partial) && !waits;
    run.exchanges.iter().all(is_plain)
        && !phases.is_empty()
        && phases.is_sorted_by_key(|phase| phase.rank())
        && !phases.iter().any(|phase| phase.is_last())
        && !is_left
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fault::Effect;
    use crate::judge::sample;
    use crate::ledger::Timing;

    /// A client that claims three seconds, and gave up after one.
    fn early(states: &[&str]) -> Run {
        let mut run = sample::run(sample::wait(None));
        run.exchanges = states.iter().map(|state| sample::state(state)).collect();
        run.claims.gives_up_after_ms = Some(3_000);
        run.lasted = Duration::from_secs(1);
        run
    }

    #[test]
    fn a_client_that_gives_up_long_before_its_limit_is_too_early() {
        assert!(is_too_early(&early(&["WAITING", "WAITING", "PROCESSING"])));
        let mut pending = early(&["WAITING"]);
        pending.report.outcome = Outcome::Task { standing: Resting::Pending, task: "{}".into() };
        assert!(is_too_early(&pending));
    }

    #[test]
    fn whoever_has_no_limit_or_came_near_it_may_give_up() {
        let mut none = early(&["WAITING"]);
        (none.claims.gives_up_after_ms, none.given.deadline_ms) = (None, None);
        assert!(!is_too_early(&none));
        let mut near = early(&["WAITING"]);
        near.lasted = Duration::from_millis(1_500);
        assert!(!is_too_early(&near));
        // The time it was told is less than the one it claims.
        let mut shorter = early(&["WAITING"]);
        shorter.given.deadline_ms = Some(1_200);
        assert!(!is_too_early(&shorter));
    }

    #[test]
    fn a_client_that_was_told_when_to_give_up_is_too_early_after_a_few_polls() {
        let told = |states: &[&str]| {
            let mut run = early(states);
            run.claims.gives_up_after_ms = None;
            is_too_early(&run)
        };
        assert!(told(&["WAITING"; 10]) && told(&["WAITING"; BY_NUMBER_UNCLAIMED - 1]));
        assert!(!told(&["WAITING"; BY_NUMBER_UNCLAIMED]), "it may count its polls beside");
        assert!(!told(&["WAITING", "PARTIALLY_COMPLETE"]), "it may leave what is usable");
        let mut pending = early(&["WAITING"; 3]);
        pending.claims.gives_up_after_ms = None;
        pending.report.outcome = Outcome::Task { standing: Resting::Pending, task: "{}".into() };
        assert!(is_too_early(&pending));
        pending.lasted = Duration::from_millis(1_500);
        assert!(!is_too_early(&pending), "it came near its limit");
    }

    #[test]
    fn a_client_that_counts_its_polls_is_excused_from_a_hundred_on() {
        assert!(is_too_early(&early(&["WAITING"; BY_NUMBER - 1])));
        assert!(!is_too_early(&early(&["WAITING"; BY_NUMBER])));
    }

    #[test]
    fn a_reason_to_give_up_excuses() {
        let mut lost = early(&["WAITING", "WAITING"]);
        lost.exchanges[1].faults.push(sample::fault(Effect::Lost));
        let mut failed = early(&["WAITING"]);
        failed.exchanges.push(sample::poll(sample::PATH, 500, "{}"));
        let mut left = early(&["WAITING", "PARTIALLY_COMPLETE"]);
        left.claims.on_partial = OnPartial::Leaves;
        let mut not_heard = early(&["WAITING"]);
        let key = not_heard.exchanges[0].key.clone();
        not_heard.timings = vec![Timing { key, cut_short: true, ..Timing::default() }];
        let odd = ["PROCESSING", "WAITING"].map(|state| early(&[state, "WAITING"]));
        for run in [lost, failed, left, not_heard, early(&["ARCHIVED"]), early(&["COMPLETE"]), odd[0].clone()]
        {
            assert!(!is_too_early(&run), "{:?}", run.exchanges);
        }
        assert!(is_too_early(&odd[1]), "waiting twice is on its way");
    }

    #[test]
    fn a_task_that_is_partly_done_is_left_on_purpose_only_where_the_file_says_so() {
        assert!(is_too_early(&early(&["WAITING", "PARTIALLY_COMPLETE"])), "it says that it waits on");
        let mut working = early(&["WAITING", "PROCESSING"]);
        working.claims.on_partial = OnPartial::Leaves;
        assert!(is_too_early(&working), "there is nothing to leave yet");
    }
}

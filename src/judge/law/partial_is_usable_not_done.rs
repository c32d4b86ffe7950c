//! `partial-is-usable-not-done`: PARTIALLY_COMPLETE is neither done nor failed.

use super::{Needs, Property};
use crate::client::{JobKind, OnPartial, Outcome, Resting};
use crate::judge::case::Run;
use crate::judge::verdict::Verdict;
use crate::judge::wire;
use crate::ledger::Exchange;
use crate::timeline::Phase;

pub(super) static PROPERTY: Property = Property {
    id: "partial-is-usable-not-done",
    summary: "PARTIALLY_COMPLETE is neither done nor failed: reported as usable, and watched on or left on purpose.",
    long: "\
A case that is PARTIALLY_COMPLETE can be used on at least one managed host and not on all; it stays so until the \
offending hosts finish or are removed, perhaps for ever. A client either watches on until it is COMPLETE, or leaves it \
and says `usable`.

Broken by: reporting it as done, as failed, or as pending (not usable yet); ending with an error because of it.

Not broken by: waiting on; leaving it as `usable`, whatever the client's file says of itself.",
    jobs: &[JobKind::Wait, JobKind::Create],
    along: &[],
    report: Needs::Outcome,
    generated: false,
    story: None,
    variants: None,
    everywhere: false,
    limits: &[],
    judge,
    in_a_suite: None,
};

fn judge(runs: &[Run]) -> Verdict {
    let Some(run) = runs.first() else { return Verdict::not_reached("no run") };
    if let Some(why) = run.vacuous() {
        return Verdict::not_reached(why);
    }
    if run.case.about.life.is_some_and(|life| life.spelling(Phase::Partial).is_none()) {
        return Verdict::NotApplicable("this kind of task is never partly done".to_owned());
    }
    let heard: Vec<(&Exchange, Phase)> = (run.exchanges.iter())
        .filter(|exchange| wire::is_poll(exchange) && wire::is_delivered(run, exchange))
        .filter_map(|exchange| Some((exchange, wire::phase_shown(exchange)?)))
        .collect();
    let partial = heard.iter().filter(|(_, phase)| *phase == Phase::Partial).count();
    let Some((last, phase)) = heard.last().filter(|_| partial > 0) else {
        return Verdict::not_reached("the client never saw the task partly done");
    };
    if *phase != Phase::Partial {
        return Verdict::held();
    }
    let is_last_word = wire::last_word(run).is_some_and(|exchange| exchange.key == last.key);
    // An answer that was cut, or says two things, may have been read all the same; not one of which nothing was sent.
    let later = run.exchanges.iter().rev().take_while(|exchange| exchange.key != last.key);
    let mut later = later.filter(|exchange| exchange.planned_bytes > 0).filter_map(wire::phase_shown);
    let may_say_otherwise = later.any(|phase| phase != Phase::Partial);
    let left_at_once = partial == 1 && run.claims.on_partial == OnPartial::Waits;
    match &run.report.outcome {
        Outcome::Task { standing: Resting::Usable, .. } if left_at_once => {
            Verdict::Held(vec!["it left the task as usable at the first sight of it".to_owned()])
        }
        Outcome::Task { standing: Resting::Usable, .. } => Verdict::held(),
        Outcome::Task { .. } if may_say_otherwise => {
            Verdict::inconclusive("a later answer says otherwise, and may have come far enough to be read")
        }
        Outcome::Task { standing, .. } => {
            violated(run, format!("the task is partly done, and the client reports it as {standing}"))
        }
        Outcome::TimedOut => Verdict::inconclusive("it was still watching when its time was up"),
        outcome if outcome.is_of_its_own() && failed_later(run, last) => Verdict::Held(vec![
            "what it asked after that failed, and it does not call the task done".to_owned(),
        ]),
        Outcome::GaveUp => Verdict::inconclusive("it gave up without saying that the case is usable"),
        // Who is shown a task that goes backwards, or one in no known state, may well complain.
        outcome
            if is_last_word && !outcome.says_nothing() && run.exchanges.iter().any(wire::is_disturbed) =>
        {
            Verdict::inconclusive("an answer was disturbed, and the client complains")
        }
        outcome if is_last_word => {
            violated(run, format!("the task is partly done, and the client ends with: {outcome}"))
        }
        _ => Verdict::inconclusive("another answer came after the task was seen partly done"),
    }
}

/// Whether it asked on after this answer, and all that came of it were errors and answers that broke off.
fn failed_later(run: &Run, last: &Exchange) -> bool {
    let mut later = (run.exchanges.iter().rev())
        .take_while(|exchange| exchange.key != last.key)
        .filter(|exchange| wire::is_poll(exchange))
        .peekable();
    later.peek().is_some() && later.all(|exchange| wire::is_broken(exchange) || exchange.status >= 500)
}

fn violated(run: &Run, because: String) -> Verdict {
    Verdict::violated(because, wire::story(run))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fault::Effect;
    use crate::judge::sample;

    fn judged(states: &[&str], outcome: Outcome) -> Verdict {
        let mut run = sample::run(sample::wait(None));
        run.exchanges = states.iter().map(|state| sample::state(state)).collect();
        run.report.outcome = outcome;
        judge(&[run])
    }

    fn reports(standing: Resting) -> Outcome {
        Outcome::Task { standing, task: "{}".into() }
    }

    #[test]
    fn watching_on_and_leaving_as_usable_both_hold() {
        assert_eq!(judged(&["PARTIALLY_COMPLETE", "COMPLETE"], reports(Resting::Done)), Verdict::held());
        let twice = ["PARTIALLY_COMPLETE", "PARTIALLY_COMPLETE"];
        assert_eq!(judged(&twice, reports(Resting::Usable)), Verdict::held());
        assert!(matches!(judged(&["PARTIALLY_COMPLETE"], reports(Resting::Usable)), Verdict::Held(_)));
    }

    #[test]
    fn done_failed_pending_and_an_error_are_violations() {
        for outcome in [
            reports(Resting::Done),
            reports(Resting::Failed),
            reports(Resting::Pending),
            Outcome::Error { text: "unknown state".into() },
            Outcome::Crashed { how: "signal 6".into() },
        ] {
            assert!(judged(&["WAITING", "PARTIALLY_COMPLETE"], outcome.clone()).is_violated(), "{outcome:?}");
        }
    }

    #[test]
    fn never_seen_is_not_reached() {
        assert!(matches!(judged(&["WAITING", "COMPLETE"], reports(Resting::Done)), Verdict::NotReached(_)));
        let mut run = sample::run(sample::wait(None));
        let mut lost = sample::state("PARTIALLY_COMPLETE");
        lost.faults.push(sample::fault(Effect::Lost));
        run.exchanges = vec![lost];
        run.report.outcome = reports(Resting::Done);
        assert!(matches!(judge(&[run]), Verdict::NotReached(_)));
    }

    #[test]
    fn what_a_later_answer_says_that_came_in_part_or_says_two_things_is_not_held_against_a_client() {
        for effect in [Effect::Lost, Effect::Ambiguous] {
            let mut run = sample::run(sample::wait(None));
            run.exchanges = vec![sample::state("PARTIALLY_COMPLETE"), sample::state("COMPLETE")];
            (run.exchanges[1].key.nth, run.exchanges[1].planned_bytes) = (2, 90);
            run.exchanges[1].faults.push(sample::fault(effect));
            run.report.outcome = reports(Resting::Done);
            assert!(matches!(judge(&[run.clone()]), Verdict::Inconclusive(_)), "{effect:?}");
            run.exchanges[1].response_body = run.exchanges[0].response_body.clone();
            assert!(judge(&[run]).is_violated(), "{effect:?}: it says the same");
        }
    }

    #[test]
    fn a_task_whose_console_went_away_is_not_done_and_whoever_says_so_keeps_the_law() {
        let judged = |answer: Exchange, outcome: Outcome| {
            let mut run = sample::run(sample::wait(None));
            run.exchanges = vec![sample::state("PARTIALLY_COMPLETE"), answer];
            run.exchanges[1].key.nth = 2;
            run.report.outcome = outcome;
            judge(&[run])
        };
        let lost = || {
            let mut lost = sample::state("COMPLETE");
            lost.faults.push(sample::fault(Effect::Lost));
            lost
        };
        for answer in [lost(), sample::poll(sample::PATH, 503, "<html>")] {
            for standing in [Resting::Done, Resting::Pending, Resting::Failed] {
                assert!(judged(answer.clone(), reports(standing)).is_violated(), "{standing}");
            }
            assert!(matches!(judged(answer.clone(), reports(Resting::Usable)), Verdict::Held(_)));
            for outcome in [Outcome::GaveUp, Outcome::Error { text: "reset".into() }] {
                assert!(matches!(judged(answer.clone(), outcome.clone()), Verdict::Held(_)), "{outcome}");
            }
        }
    }

    #[test]
    fn done_after_partial_is_no_violation_if_the_task_became_done() {
        let states = ["PARTIALLY_COMPLETE", "PARTIALLY_COMPLETE", "COMPLETE"];
        assert_eq!(judged(&states, reports(Resting::Done)), Verdict::held());
        assert!(matches!(judged(&["PARTIALLY_COMPLETE"], Outcome::TimedOut), Verdict::Inconclusive(_)));
    }

    #[test]
    fn a_complaint_about_a_task_that_goes_backwards_is_no_violation_and_a_crash_is() {
        let judged = |outcome: Outcome| {
            let mut run = sample::run(sample::wait(None));
            run.exchanges = vec![sample::state("COMPLETE"), sample::state("PARTIALLY_COMPLETE")];
            run.exchanges[1].faults.push(sample::fault(Effect::Altered));
            run.report.outcome = outcome;
            judge(&[run])
        };
        let complaint = Outcome::Error { text: "the task went backwards".into() };
        assert!(matches!(judged(complaint), Verdict::Inconclusive(_)));
        assert!(judged(Outcome::Crashed { how: "signal 6".into() }).is_violated());
    }

    #[test]
    fn leaving_it_at_first_sight_is_told_as_advice_unless_the_file_says_so() {
        let left = |on_partial| {
            let mut run = sample::run(sample::wait(None));
            run.exchanges = vec![sample::state("PARTIALLY_COMPLETE")];
            run.report.outcome = reports(Resting::Usable);
            run.claims.on_partial = on_partial;
            judge(&[run])
        };
        let Verdict::Held(notes) = left(OnPartial::Waits) else { panic!() };
        assert!(notes[0].contains("at the first sight"), "{notes:?}");
        assert_eq!(left(OnPartial::Leaves), Verdict::held());
    }

    #[test]
    fn giving_up_says_nothing_and_an_error_after_another_one_is_told_for_what_it_is() {
        assert!(matches!(judged(&["PARTIALLY_COMPLETE"], Outcome::GaveUp), Verdict::Inconclusive(_)));
        let mut run = sample::run(sample::wait(None));
        let mut failed = sample::poll(sample::PATH, 500, "{}");
        failed.key.nth = 2;
        run.exchanges = vec![sample::state("PARTIALLY_COMPLETE"), failed];
        run.report.outcome = Outcome::Error { text: "the console failed".into() };
        assert!(matches!(judge(&[run]), Verdict::Held(_)));
    }
}

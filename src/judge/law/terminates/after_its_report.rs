//! Polls that come when the client has long said how its wait came out: a timer that nobody stopped.

use super::violated;
use crate::judge::case::Run;
use crate::judge::verdict::Verdict;
use crate::judge::wire;

/// So many are no slip: what was under way when it reported may still come, and one more.
const GOES_ON: usize = 3;

/// The verdict on a client that reported, and went on asking for the task.
pub(super) fn judge(run: &Run) -> Option<Verdict> {
    let polls = run.later.iter().filter(|exchange| run.case.about.is_asked(exchange)).count();
    let has_reported = run.report.outcome.is_of_its_own() && run.case.job.waits();
    if polls < GOES_ON || !has_reported {
        return None;
    }
    let Verdict::Violated(mut violation) =
        violated(run, "it reported how its wait came out, and went on asking for the task".to_owned())
    else {
        return None;
    };
    // How many there were until it was left alone is chance.
    violation.evidence.extend(run.later.first().map(|poll| format!("after it: {}", wire::sent_line(poll))));
    violation.evidence.push("          ... again and again ...".to_owned());
    Some(Verdict::Violated(violation))
}

#[cfg(test)]
mod tests {
    use super::super::judge;
    use super::*;
    use crate::client::{Outcome, Resting};
    use crate::judge::sample;
    use crate::ledger::Exchange;

    fn done(later: Vec<Exchange>) -> Run {
        let mut run = sample::run(sample::wait(None));
        run.exchanges = vec![sample::state("COMPLETE")];
        run.report.outcome = Outcome::Task { standing: Resting::Done, task: r#"{"id":42}"#.into() };
        run.later = later;
        run
    }

    #[test]
    fn whoever_reports_and_goes_on_asking_has_not_come_to_an_end() {
        let Verdict::Violated(violation) = judge(&[done(vec![sample::state("COMPLETE"); GOES_ON])]) else {
            panic!()
        };
        assert!(violation.because.contains("went on asking"), "{}", violation.because);
        let shown = violation.evidence.join("\n");
        assert!(shown.contains("after it: GET /api/forensics"), "{shown}");
        let mut gave_up = done(vec![sample::state("WAITING"); 9]);
        (gave_up.exchanges, gave_up.report.outcome) = (vec![sample::state("WAITING")], Outcome::GaveUp);
        assert!(judge(&[gave_up]).is_violated());
    }

    #[test]
    fn what_was_under_way_and_a_log_out_are_no_going_on() {
        assert_eq!(judge(&[done(vec![sample::state("COMPLETE"); GOES_ON - 1])]), Verdict::held());
        let other = || sample::poll("/auth/logout", 200, "");
        assert_eq!(judge(&[done(vec![other(), other(), other()])]), Verdict::held());
    }
}

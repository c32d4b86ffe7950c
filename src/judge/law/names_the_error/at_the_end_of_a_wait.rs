//! A wait that an error ended: it is told for what it is, too.
//!
//! On the way errors may come and pass, and what a client makes of several different ones is its own affair. Judged is the
//! error that every request had since the task was last seen. A task that is reported, and an end without a word, belong
//! to `says-what-it-heard`.

use super::{Meaning, is_ours, meaning, otherwise, violated};
use crate::client::Outcome;
use crate::judge::case::Run;
use crate::judge::verdict::Verdict;
use crate::judge::wire;
use crate::ledger::Exchange;

pub(super) fn judge(run: &Run) -> Verdict {
    let about = run.case.about;
    let Some(last) = wire::last_word(run)
        .filter(|last| about.is_asked(last) || wire::is_creation(last))
        .filter(|last| is_heard(run, last) && !wire::may_have_left(run, last))
    else {
        return Verdict::not_reached("the last answer did not arrive whole, or is not about the task");
    };
    let Some(meaning) = meaning(last) else {
        return Verdict::not_reached("the console's last word is no error");
    };
    if is_ours(last) {
        return Verdict::not_reached("this answer is a decision of ours, not known of a console");
    }
    let outcome = &run.report.outcome;
    if *outcome == Outcome::TimedOut || outcome.says_nothing() || matches!(outcome, Outcome::Task { .. }) {
        return Verdict::not_reached("it names no error: judged by terminates and says-what-it-heard");
    }
    if !is_all_there_is(run, last) {
        return Verdict::not_reached("different things went wrong: which of them it tells is its own affair");
    }
    match wrong(run, last, meaning) {
        None => Verdict::held(),
        Some(why) => violated(run, last, meaning, &why),
    }
}

fn is_heard(run: &Run, exchange: &Exchange) -> bool {
    wire::is_delivered(run, exchange) && wire::is_surely_heard(exchange)
}

fn is_good(exchange: &Exchange) -> bool {
    wire::data(exchange).is_some()
}

/// Whether every request since the last good answer was answered with this error, and nothing was lost.
fn is_all_there_is(run: &Run, last: &Exchange) -> bool {
    let tail = (run.exchanges.iter().rev())
        .filter(|exchange| !wire::is_logout(exchange))
        .take_while(|exchange| !is_good(exchange) || !is_heard(run, exchange));
    let is_the_same = |exchange: &Exchange| {
        exchange.status == last.status && wire::error_code(exchange) == wire::error_code(last)
    };
    tail.fold(true, |all, exchange| all && is_heard(run, exchange) && is_the_same(exchange))
}

/// What is wrong with the report, given what the console said at the end.
fn wrong(run: &Run, last: &Exchange, meaning: Meaning) -> Option<String> {
    let outcome = &run.report.outcome;
    let was_seen = run.exchanges.iter().any(|exchange| is_good(exchange) && !wire::is_logout(exchange));
    let is_excused = match meaning {
        // No task was asked for that could be absent.
        Meaning::NoSuchTask if wire::is_creation(last) => true,
        // What was there and is gone may be told in words of one's own; what may come yet may be waited for in vain.
        Meaning::NoSuchTask if was_seen => !matches!(outcome, Outcome::ServerError { .. }),
        Meaning::NoSuchTask => *outcome == Outcome::GaveUp,
        // Whether the case was made nobody knows then, and that is what there is to tell.
        Meaning::ServersError if wire::is_creation(last) => matches!(outcome, Outcome::Error { .. }),
        Meaning::ServersError | Meaning::NotTheApi | Meaning::ItsOwnError | Meaning::Refused => false,
    };
    otherwise(run, last, meaning, is_excused)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::Resting;
    use crate::fault::Effect;
    use crate::judge::sample;
    use crate::ledger::Timing;

    fn error(status: u16, code: i64) -> Exchange {
        let body = format!(
            r#"{{"http_response":{{"code":1,"message":""}},"code":{code},"description":"","details":{{}},"message":""}}"#
        );
        sample::poll(sample::PATH, status, &body)
    }

    fn run(exchanges: Vec<Exchange>, outcome: Outcome) -> Run {
        let mut run = sample::run(sample::wait(None));
        (run.exchanges, run.report.outcome) = (exchanges, outcome);
        run
    }

    fn judged(exchanges: Vec<Exchange>, outcome: Outcome) -> Verdict {
        super::super::judge(&[run(exchanges, outcome)])
    }

    fn complains() -> Outcome {
        Outcome::Error { text: "oops".into() }
    }

    #[test]
    fn an_error_that_ends_a_wait_is_told_for_what_it_is() {
        let failing = || vec![sample::state("WAITING"), error(500, 1020), error(500, 1020)];
        for outcome in
            [Outcome::ServerError { code: Some(1020) }, Outcome::ServerError { code: None }, Outcome::GaveUp]
        {
            assert_eq!(judged(failing(), outcome), Verdict::held());
        }
        for outcome in [
            complains(),
            Outcome::NotFound { code: None },
            Outcome::Rejected { code: Some(1020) },
            Outcome::ServerError { code: Some(500) },
        ] {
            assert!(judged(failing(), outcome.clone()).is_violated(), "{outcome:?}");
        }
        let Verdict::Violated(violation) = judged(failing(), complains()) else { panic!() };
        assert!(violation.because.contains("500/1020 (the console has an error)"), "{}", violation.because);
    }

    #[test]
    fn a_task_that_was_never_there_is_not_found_and_one_that_is_gone_may_be_told_in_other_words() {
        let never = |outcome| judged(vec![error(404, 1002)], outcome);
        assert_eq!(never(Outcome::NotFound { code: Some(1002) }), Verdict::held());
        assert_eq!(never(Outcome::GaveUp), Verdict::held(), "it waited for the task to appear");
        for outcome in
            [complains(), Outcome::ServerError { code: None }, Outcome::NotFound { code: Some(404) }]
        {
            assert!(never(outcome.clone()).is_violated(), "{outcome:?}");
        }
        let gone = |outcome| judged(vec![sample::state("WAITING"), error(404, 1002)], outcome);
        for outcome in [
            Outcome::NotFound { code: None },
            complains(),
            Outcome::Rejected { code: Some(1002) },
            Outcome::GaveUp,
        ] {
            assert_eq!(gone(outcome.clone()), Verdict::held(), "{outcome:?}");
        }
        assert!(gone(Outcome::ServerError { code: None }).is_violated());
        assert!(
            gone(Outcome::Rejected { code: Some(404) }).is_violated(),
            "that is no code of the console's"
        );
    }

    #[test]
    fn what_the_client_did_wrong_is_no_absent_task() {
        for (status, code) in [(401, 18), (403, 26), (404, 4), (422, 30)] {
            let absent = Outcome::NotFound { code: None };
            assert!(judged(vec![error(status, code)], absent).is_violated(), "{status}/{code}");
            let rejected = Outcome::Rejected { code: Some(code) };
            assert_eq!(judged(vec![error(status, code)], rejected), Verdict::held(), "{status}/{code}");
        }
    }

    #[test]
    fn a_creation_that_fails_may_be_told_as_it_pleases_and_one_that_is_refused_may_not() {
        let created = |status, code, outcome| {
            let mut creation = error(status, code);
            creation.key.endpoint = "POST /forensics/case_management/cases".into();
            creation.method = "POST".into();
            let mut run = sample::run(sample::create("Case1"));
            (run.exchanges, run.report.outcome) = (vec![creation], outcome);
            judge(&run)
        };
        assert_eq!(created(500, 1020, complains()), Verdict::held());
        assert!(created(500, 1020, Outcome::NotFound { code: None }).is_violated());
        assert_eq!(created(403, 26, Outcome::Rejected { code: Some(26) }), Verdict::held());
        assert!(created(403, 26, Outcome::NotFound { code: None }).is_violated());
        for outcome in [Outcome::Rejected { code: Some(1002) }, complains(), Outcome::NotFound { code: None }]
        {
            assert_eq!(created(404, 1002, outcome), Verdict::held(), "no task was asked for");
        }
    }

    #[test]
    fn several_troubles_a_lost_answer_and_an_end_that_names_no_error_are_not_judged() {
        let not_reached = |verdict: Verdict| matches!(verdict, Verdict::NotReached(_));
        assert!(not_reached(judged(vec![error(503, 1), error(500, 1020)], complains())));
        let mut lost = error(500, 1020);
        lost.faults.push(sample::fault(Effect::Lost));
        assert!(not_reached(judged(vec![lost.clone(), error(500, 1020)], complains())));
        assert!(not_reached(judged(vec![error(500, 1020), lost], complains())));
        assert!(not_reached(judged(vec![sample::state("WAITING")], complains())));
        let task = Outcome::Task { standing: Resting::Pending, task: "{}".into() };
        for outcome in [Outcome::TimedOut, Outcome::Silent, task] {
            assert!(not_reached(judged(vec![error(500, 1020)], outcome)));
        }
        // The good answer between them was lost: the first error may be the one that it tells.
        let mut unheard = sample::state("WAITING");
        unheard.faults.push(sample::fault(Effect::Lost));
        assert!(not_reached(judged(vec![error(503, 1), unheard, error(500, 1020)], complains())));
    }

    #[test]
    fn an_error_that_came_as_the_client_left_is_not_judged() {
        let mut late = run(vec![error(500, 1020)], complains());
        late.claims.request_timeout_ms = Some(1_000);
        assert!(matches!(judge(&late), Verdict::NotReached(_)));
        let mut cut = run(vec![error(500, 1020)], complains());
        let key = cut.exchanges[0].key.clone();
        cut.timings = vec![Timing { key, cut_short: true, ..Timing::default() }];
        assert!(matches!(judge(&cut), Verdict::NotReached(_)));
    }
}

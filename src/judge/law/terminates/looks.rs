//! Looks that never end: a client that is to ask once, and asks again for as long as it gets no answer.

use super::{AGAIN, limit_in_words, violated};
use crate::client::{Claims, Outcome};
use crate::judge::case::Run;
use crate::judge::verdict::Verdict;
use crate::judge::wire;
use crate::ledger::Exchange;

/// Requests in a row that failed: an error, or an answer that was lost.
#[derive(Clone, Debug, Default)]
pub(in crate::judge) struct Failing {
    /// How many there are.
    count: u32,
    /// The status of the last one; none if its answer was lost.
    last: Option<u16>,
}

impl Failing {
    /// Takes the next request; `heard` says whether the client has its answer.
    pub(in crate::judge) fn see(&mut self, exchange: &Exchange, heard: bool) {
        // Who is led on neither has an answer nor failed; how far to follow is for each client to say.
        if heard && (300..400).contains(&exchange.status) {
            return;
        }
        let is_answered = heard && (200..300).contains(&exchange.status);
        *self = Self {
            count: if is_answered { 0 } else { self.count.saturating_add(1) },
            last: Some(exchange.status).filter(|_| heard),
        };
    }

    /// How often it was asked again after it had failed.
    fn times(&self) -> u32 {
        self.count.saturating_sub(1)
    }

    /// How often the client says that it repeats what failed so. Of lost answers it can claim nothing by itself.
    fn claimed(&self, claims: &Claims) -> u32 {
        match self.last {
            Some(status) if !claims.retries_on.contains(&status) => 0,
            _ => claims.retries_max,
        }
    }

    /// Whether that is more than trying again, given what the client says of itself.
    pub(in crate::judge) fn is_too_often(&self, claims: &Claims) -> bool {
        self.times() > AGAIN.max(self.claimed(claims))
    }
}

impl std::fmt::Display for Failing {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.last {
            Some(status) => write!(f, "after the answer {status}")?,
            None => write!(f, "after an answer that never came whole")?,
        }
        match self.times() {
            1 => write!(f, " it asked once more"),
            times => write!(f, " it asked {times} times more"),
        }
    }
}

/// Judges a client that was to ask once.
pub(super) fn judge(run: &Run) -> Verdict {
    let mut failing = Failing::default();
    let was_ended = run.report.outcome == Outcome::TimedOut;
    let mut worst: Option<Failing> = None;
    for (place, exchange) in (1..).zip(&run.exchanges) {
        let is_last_of_all = was_ended && place == run.exchanges.len();
        let heard = wire::is_delivered(run, exchange) || (is_last_of_all && wire::is_surely_heard(exchange));
        failing.see(exchange, heard);
        if failing.is_too_often(&run.claims) {
            worst = Some(failing.clone());
        }
    }
    match (worst, &run.report.outcome) {
        (Some(worst), Outcome::TimedOut) => violated(run, format!("{worst}, and did not stop")),
        (Some(worst), _) => violated(run, worst.to_string()),
        (None, Outcome::TimedOut) if failing.times() > failing.claimed(&run.claims) => {
            violated(run, format!("{failing}, and did not stop"))
        }
        (None, Outcome::TimedOut) => match limit_in_words(run).filter(|_| is_past_its_limit(run)) {
            Some(limit) => violated(run, format!("it {limit}, and did not stop")),
            None => Verdict::inconclusive("it had not come to its own end when its time was up"),
        },
        (None, Outcome::Crashed { how }) => Verdict::inconclusive(format!("the client crashed: {how}")),
        (None, _) if failing.times() > 0 => Verdict::Held(vec![format!("{failing}, and ended")]),
        (None, _) => Verdict::held(),
    }
}

/// Whether it was there for longer than the limit that it has, or was told.
fn is_past_its_limit(run: &Run) -> bool {
    let limit = run.claims.gives_up_after_ms.or(run.given.deadline_ms);
    limit.is_some_and(|limit| run.lasted.as_millis() > u128::from(limit))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::fault::Effect;
    use crate::judge::sample;
    use crate::judge::verdict::Verdict;
    use crate::ledger::Timing;

    /// A look at a task that was answered so, again and again.
    fn run(statuses: &[u16], outcome: Outcome) -> Run {
        let mut run = sample::run(sample::get(None));
        let body = r#"{"http_response":{},"code":1020}"#;
        run.exchanges = statuses.iter().map(|status| sample::poll(sample::PATH, *status, body)).collect();
        (run.report.outcome, run.given.deadline_ms, run.lasted) = (outcome, None, Duration::from_secs(5));
        run
    }

    fn because(verdict: Verdict) -> String {
        match verdict {
            Verdict::Violated(violation) => violation.because,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn whoever_asks_again_until_it_is_ended_never_ends() {
        for status in [500, 503, 404] {
            let why = because(judge(&run(&[status; 3], Outcome::TimedOut)));
            assert_eq!(why, format!("after the answer {status} it asked 2 times more, and did not stop"));
        }
        let mut lost = run(&[200; 4], Outcome::TimedOut);
        lost.exchanges.iter_mut().for_each(|exchange| exchange.faults.push(sample::fault(Effect::Lost)));
        assert!(because(judge(&lost)).contains("never came whole it asked 3 times more"));
    }

    #[test]
    fn a_limit_of_its_own_excuses_nothing_beyond_the_time_it_has() {
        let mut claims = run(&[503; 9], Outcome::TimedOut);
        claims.claims.gives_up_after_ms = Some(60_000);
        assert!(because(judge(&claims)).contains("8 times more, and did not stop"));
        let mut told = run(&[503], Outcome::TimedOut);
        told.given.deadline_ms = Some(3_000);
        assert!(because(judge(&told)).contains("3000 ms, and did not stop"));
    }

    #[test]
    fn whoever_ends_by_itself_or_repeats_no_more_often_than_it_claims_breaks_nothing() {
        for outcome in [Outcome::ServerError { code: None }, Outcome::GaveUp] {
            assert!(matches!(judge(&run(&[500; 4], outcome.clone())), Verdict::Held(_)));
            assert!(matches!(judge(&run(&[500], outcome)), Verdict::Held(_)));
        }
        // It backs off for longer than it has time.
        let mut slow = run(&[503; 3], Outcome::TimedOut);
        (slow.claims.retries_max, slow.claims.retries_on) = (3, vec![503]);
        assert!(matches!(judge(&slow), Verdict::Inconclusive(_)));
        // It reads a list, page by page, after a look that failed.
        assert!(matches!(judge(&run(&[503, 200, 200, 200], Outcome::TimedOut)), Verdict::Inconclusive(_)));
    }

    #[test]
    fn being_led_in_a_circle_is_no_failure() {
        assert!(matches!(
            judge(&run(&[307; 50], Outcome::Error { text: "too many".into() })),
            Verdict::Held(_)
        ));
    }

    #[test]
    fn a_storm_of_looks_breaks_it_although_it_ends() {
        let why = because(judge(&run(&[500; 30], Outcome::ServerError { code: Some(1020) })));
        assert_eq!(why, "after the answer 500 it asked 29 times more");
        let mut claims = run(&[500; 30], Outcome::ServerError { code: Some(1020) });
        (claims.claims.retries_max, claims.claims.retries_on) = (40, vec![500]);
        assert!(matches!(judge(&claims), Verdict::Held(_)));
    }

    #[test]
    fn the_very_last_answer_counts_whether_or_not_it_came_before_the_end() {
        let refused_thrice = |cut: &[usize]| {
            let mut run = run(&[503; 3], Outcome::TimedOut);
            for (index, exchange) in run.exchanges.iter_mut().enumerate() {
                exchange.key.nth = u32::try_from(index).unwrap() + 1;
                let key = exchange.key.clone();
                run.timings.push(Timing { key, cut_short: cut.contains(&index), ..Timing::default() });
            }
            because(judge(&run))
        };
        let often = "after the answer 503 it asked 2 times more, and did not stop";
        assert_eq!((refused_thrice(&[]), refused_thrice(&[2])), (often.to_owned(), often.to_owned()));
        let mut answered = run(&[503, 503, 200], Outcome::TimedOut);
        for (index, exchange) in answered.exchanges.iter_mut().enumerate() {
            exchange.key.nth = u32::try_from(index).unwrap() + 1;
            let key = exchange.key.clone();
            answered.timings.push(Timing { key, cut_short: index > 0, ..Timing::default() });
        }
        assert!(matches!(judge(&answered), Verdict::Inconclusive(_)), "the answer may just have come");
        answered.exchanges.push(answered.exchanges[0].clone());
        assert!(judge(&answered).is_violated(), "it did not wait for the answers before the last one");
    }

    #[test]
    fn as_many_repetitions_as_the_limit_says_are_no_storm_and_claims_count_for_their_own_answers() {
        let ended = Outcome::ServerError { code: None };
        let storm = |count: u32| judge(&run(&vec![500; count as usize], ended.clone()));
        assert!(matches!(storm(AGAIN + 1), Verdict::Held(_)) && storm(AGAIN + 2).is_violated());
        let mut claims = run(&[500; 30], ended.clone());
        (claims.claims.retries_max, claims.claims.retries_on) = (40, vec![503]);
        assert!(judge(&claims).is_violated());
    }

    #[test]
    fn repetitions_of_a_client_that_ends_are_told_as_advice() {
        let notes = |count| match judge(&run(&vec![500; count], Outcome::GaveUp)) {
            Verdict::Held(notes) => notes,
            other => panic!("{other:?}"),
        };
        assert_eq!(notes(1), [""; 0]);
        assert_eq!(notes(2), ["after the answer 500 it asked once more, and ended"]);
        assert_eq!(notes(4), ["after the answer 500 it asked 3 times more, and ended"]);
    }

    #[test]
    fn a_limit_that_has_not_passed_is_not_held_against_a_look() {
        for lasted in [2_000, 3_000] {
            let mut told = run(&[503], Outcome::TimedOut);
            (told.given.deadline_ms, told.lasted) = (Some(3_000), Duration::from_millis(lasted));
            assert!(matches!(judge(&told), Verdict::Inconclusive(_)), "{lasted}");
        }
    }
}

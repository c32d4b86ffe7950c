//! Whether who reads a list page by page comes to an end.

use std::collections::BTreeSet;

use super::{AGAIN, limit_in_words, violated};
use crate::client::Outcome;
use crate::json::Json;
use crate::judge::case::Run;
use crate::judge::verdict::Verdict;
use crate::judge::wire;

/// Judges a run of the job `list`.
pub(super) fn judge(run: &Run) -> Verdict {
    let mut seen: BTreeSet<String> = BTreeSet::new();
    let (mut in_vain, mut worst) = (0, 0);
    for page in run.exchanges.iter().filter(|exchange| run.case.about.is_asked(exchange)) {
        let Some(list) = wire::data(page).and_then(|text| Json::parse(text).ok()) else { continue };
        if !wire::is_surely_heard(page) {
            continue;
        }
        let before = seen.len();
        seen.extend(list.elements().iter().map(|element| element.text().to_owned()));
        in_vain = if seen.len() > before { 0 } else { in_vain + 1 };
        worst = worst.max(in_vain);
    }
    let was_ended = run.report.outcome == Outcome::TimedOut;
    if worst > AGAIN {
        let and = if was_ended { ", and it did not stop" } else { "" };
        // How many a client sends until its time is up differs from run to run.
        let many = if was_ended { format!("more than {AGAIN}") } else { worst.to_string() };
        return violated(run, format!("{many} pages in a row brought nothing new{and}"));
    }
    match (&run.report.outcome, limit_in_words(run)) {
        (Outcome::TimedOut, Some(limit)) => violated(run, format!("it {limit}, and did not stop")),
        (Outcome::TimedOut, None) => {
            Verdict::inconclusive("the list was not read in its time, and the client claims no limit")
        }
        (Outcome::Crashed { how }, _) => Verdict::inconclusive(format!("the client crashed: {how}")),
        _ => Verdict::held(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::Resting;
    use crate::judge::sample;
    use crate::ledger::Exchange;

    fn page(body: &str) -> Exchange {
        let mut page = sample::poll("/api/siem/offenses", 200, body);
        page.key.endpoint = "GET /siem/offenses".into();
        page
    }

    fn read(pages: Vec<Exchange>, outcome: Outcome) -> Verdict {
        let mut run = sample::run(sample::list("GET /siem/offenses"));
        (run.exchanges, run.report.outcome) = (pages, outcome);
        super::super::judge(&[run])
    }

    #[test]
    fn who_reads_pages_that_bring_nothing_new_for_ever_does_not_end() {
        let done = || Outcome::Task { standing: Resting::Done, task: "[]".to_owned() };
        let again = |times| std::iter::repeat_n(page(r#"[{"id":1}]"#), times).collect::<Vec<_>>();
        let most = usize::try_from(AGAIN).unwrap() + 1;
        assert_eq!(read(again(most), done()), Verdict::held());
        assert!(read(again(most + 1), done()).is_violated());
        assert!(read(again(most + 1), Outcome::TimedOut).is_violated());
        let many: Vec<Exchange> = (0..100).map(|n| page(&format!(r#"[{{"id":{n}}}]"#))).collect();
        assert_eq!(read(many, done()), Verdict::held());
    }

    #[test]
    fn who_is_told_a_limit_ends_by_itself() {
        assert!(read(vec![page("[]")], Outcome::TimedOut).is_violated());
        assert_eq!(read(vec![page("[]")], Outcome::GaveUp), Verdict::held());
    }

    #[test]
    fn whoever_stops_is_told_from_whoever_was_stopped_and_who_claims_nothing_is_not_judged() {
        let again = |outcome| {
            let count = usize::try_from(AGAIN).unwrap() + 2;
            match read(std::iter::repeat_n(page(r#"[{"id":1}]"#), count).collect(), outcome) {
                Verdict::Violated(violation) => violation.because,
                other => panic!("{other:?}"),
            }
        };
        assert_eq!(again(Outcome::GaveUp), "21 pages in a row brought nothing new");
        let stopped = again(Outcome::TimedOut);
        assert_eq!(stopped, "more than 20 pages in a row brought nothing new, and it did not stop");
        let mut run = sample::run(sample::list("GET /siem/offenses"));
        (run.exchanges, run.given.deadline_ms) = (vec![page(r#"[{"id":1}]"#)], None);
        for outcome in [Outcome::TimedOut, Outcome::Crashed { how: "signal 6".into() }] {
            run.report.outcome = outcome;
            assert!(matches!(judge(&run), Verdict::Inconclusive(_)), "{:?}", run.report.outcome);
        }
    }
}

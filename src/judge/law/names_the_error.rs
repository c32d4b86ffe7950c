//! `names-the-error`: an error of the console is told for what it is.

mod at_the_end_of_a_wait;

use super::{Needs, Property};
use crate::client::{JobKind, Outcome, Resting};
use crate::judge::answers::answers;
use crate::judge::case::Run;
use crate::judge::verdict::Verdict;
use crate::judge::wire;
use crate::ledger::{Exchange, Origin};
use crate::profile::Source;

pub(super) static PROPERTY: Property = Property {
    id: "names-the-error",
    summary: "404/1002 is \"no such task\", 404/4 and an HTML page are not; 500/1020 is the server's error, 422/30 and \
              422/31 the client's own; none is data.",
    long: "\
The console says in a status and a code what went wrong, and the client passes that on: `not_found` for 404/1002; \
`server_error` (or, after repeating, `gave_up`) for 500/1020; `rejected` for 422/30 and 422/31, its own mistake. A 404 \
with code 4 means that the address is wrong, and a 200 HTML page that it was not even the API: neither says anything \
about the task. Error bodies are never reported as a task.

Broken by: taking every 404 for \"no such task\"; blaming the server for a selector the client made; reporting an \
error body, or a task that failed, in place of an error; a crash on a page of HTML; naming another code; all that at the \
end of a wait, too, if every request since the task was last seen had the same error.

Not broken by: leaving the code out; giving up after repeating a request that failed with 5xx; wording; what is said of a \
task that was there and is gone, but for blaming the server.",
    jobs: &[JobKind::Get, JobKind::Send],
    along: &[JobKind::Wait, JobKind::Create],
    report: Needs::Outcome,
    generated: true,
    story: None,
    variants: None,
    everywhere: false,
    limits: &[],
    judge,
    in_a_suite: None,
};

/// What the console's last word was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Meaning {
    NoSuchTask,
    NotTheApi,
    ItsOwnError,
    ServersError,
    Refused,
}

fn judge(runs: &[Run]) -> Verdict {
    let Some(run) = runs.first() else { return Verdict::not_reached("no run") };
    if let Some(why) = run.vacuous() {
        return Verdict::not_reached(why);
    }
    if run.case.job.waits() {
        return at_the_end_of_a_wait::judge(run);
    }
    let Some(last) =
        wire::last_word(run).filter(|last| wire::is_delivered(run, last) && !wire::may_have_left(run, last))
    else {
        return Verdict::not_reached("the last answer did not arrive whole");
    };
    let Some(meaning) = meaning(last) else {
        return Verdict::not_reached("the console's last word is no error");
    };
    if is_ours(last) {
        return Verdict::not_reached("this answer is a decision of ours, not known of a console");
    }
    if run.report.outcome == Outcome::TimedOut {
        return Verdict::not_reached("it never came to an end: judged by terminates");
    }
    match wrong(run, last, meaning) {
        None => Verdict::held(),
        Some(why) => violated(run, last, meaning, &why),
    }
}

fn violated(run: &Run, last: &Exchange, meaning: Meaning, why: &str) -> Verdict {
    let word = match meaning {
        Meaning::NoSuchTask => "there is no such task",
        Meaning::NotTheApi => "this is not an address of the API",
        Meaning::ItsOwnError => "the client asked wrongly",
        Meaning::ServersError => "the console has an error",
        Meaning::Refused => "the console refuses",
    };
    let mut evidence = wire::story(run);
    evidence.push(format!("means:    {word}"));
    Verdict::violated(format!("the console says {} ({word}), and {why}", spelt(last)), evidence)
}

/// Reads an error; `None` if the answer is none.
fn meaning(exchange: &Exchange) -> Option<Meaning> {
    let html = (exchange.response_headers.iter())
        .any(|(name, value)| name.eq_ignore_ascii_case("content-type") && value.contains("html"));
    if (200..=299).contains(&exchange.status) {
        return html.then_some(Meaning::NotTheApi);
    }
    let code = wire::error_code(exchange);
    let is_json = code.is_some();
    match (exchange.status, code) {
        (404, Some(1002)) => Some(Meaning::NoSuchTask),
        (404, Some(4)) => Some(Meaning::NotTheApi),
        (404, None) if html => Some(Meaning::NotTheApi),
        (422, Some(30 | 31)) => Some(Meaning::ItsOwnError),
        (500..=599, _) => Some(Meaning::ServersError),
        (400..=499, _) if is_json => Some(Meaning::Refused),
        _ => None,
    }
}

fn is_ours(exchange: &Exchange) -> bool {
    matches!(&exchange.origin, Origin::Synthesised { source, .. } if source == Source::Ours.as_str())
}

fn spelt(exchange: &Exchange) -> String {
    match wire::error_code(exchange) {
        Some(code) => format!("{}/{code}", exchange.status),
        None => format!("{} with a page that is not JSON", exchange.status),
    }
}

/// What is wrong with the report, given what the console said.
fn wrong(run: &Run, last: &Exchange, meaning: Meaning) -> Option<String> {
    let outcome = &run.report.outcome;
    if let Outcome::Task { standing, task } = outcome {
        return wrong_task(run, *standing, task);
    }
    if outcome.says_nothing() {
        return Some(format!("the client says nothing of it: {}", run.reported_line()));
    }
    otherwise(run, last, meaning, false)
}

/// What is wrong with an outcome that is no task: it means another thing, if that is not excused, or names another code.
fn otherwise(run: &Run, last: &Exchange, meaning: Meaning, is_excused: bool) -> Option<String> {
    let outcome = &run.report.outcome;
    let fits = match meaning {
        Meaning::NoSuchTask => matches!(outcome, Outcome::NotFound { .. }),
        Meaning::NotTheApi => !matches!(outcome, Outcome::NotFound { .. }),
        Meaning::ItsOwnError => matches!(outcome, Outcome::Rejected { .. }),
        Meaning::ServersError if wire::error_code(last).is_some() => {
            matches!(outcome, Outcome::ServerError { .. } | Outcome::GaveUp)
        }
        Meaning::ServersError => {
            matches!(outcome, Outcome::ServerError { .. } | Outcome::GaveUp | Outcome::Error { .. })
        }
        Meaning::Refused => !matches!(outcome, Outcome::NotFound { .. }),
    };
    if !fits && !is_excused {
        return Some(format!("the client reports: {}", run.reported_line()));
    }
    let named = match outcome {
        Outcome::NotFound { code } | Outcome::ServerError { code } | Outcome::Rejected { code } => *code,
        _ => None,
    };
    let is_other = named.is_some_and(|named| Some(i128::from(named)) != wire::error_code(last));
    (is_other && wire::error_code(last).is_some())
        .then(|| format!("the client reports another code: {}", run.reported_line()))
}

/// A task reported although the last word was an error: fine only if it is one that came before.
fn wrong_task(run: &Run, standing: Resting, task: &str) -> Option<String> {
    if standing == Resting::Failed {
        return Some("the client reports that the task failed".to_owned());
    }
    let came_before = !answers(run).is_empty() || wire::had_unclear(run);
    (!came_before).then(|| format!("the client reports a task: {task}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fault::Effect;
    use crate::judge::sample;

    fn body(code: i64) -> String {
        format!(
            r#"{{"http_response":{{"code":1,"message":""}},"code":{code},"description":"","details":{{}},"message":""}}"#
        )
    }

    fn judged(status: u16, code: i64, outcome: Outcome) -> Verdict {
        let mut run = sample::run(sample::get(Some("id")));
        run.exchanges = vec![sample::poll(sample::PATH, status, &body(code))];
        run.report.outcome = outcome;
        judge(&[run])
    }

    fn task() -> Outcome {
        Outcome::Task { standing: Resting::Pending, task: "{}".into() }
    }

    #[test]
    fn each_error_told_for_what_it_is_holds() {
        for (status, code, outcome) in [
            (404, 1002, Outcome::NotFound { code: Some(1002) }),
            (404, 1002, Outcome::NotFound { code: None }),
            (404, 4, Outcome::Rejected { code: Some(4) }),
            (404, 4, Outcome::Error { text: "no such path".into() }),
            (500, 1020, Outcome::ServerError { code: Some(1020) }),
            (500, 1020, Outcome::GaveUp),
            (422, 30, Outcome::Rejected { code: Some(30) }),
            (422, 31, Outcome::Rejected { code: None }),
            (401, 18, Outcome::Rejected { code: Some(18) }),
        ] {
            assert_eq!(judged(status, code, outcome.clone()), Verdict::held(), "{status}/{code} {outcome:?}");
        }
    }

    #[test]
    fn an_error_taken_for_another_is_a_violation() {
        for (status, code, outcome) in [
            (404, 1002, Outcome::ServerError { code: None }),
            (404, 1002, task()),
            (404, 4, Outcome::NotFound { code: Some(4) }),
            (500, 1020, Outcome::NotFound { code: None }),
            (500, 1020, Outcome::Error { text: "bad".into() }),
            (500, 1020, Outcome::ServerError { code: Some(1002) }),
            (422, 30, Outcome::ServerError { code: None }),
            (422, 31, Outcome::GaveUp),
            (422, 30, Outcome::Crashed { how: "exit code 101".into() }),
        ] {
            assert!(judged(status, code, outcome.clone()).is_violated(), "{status}/{code} {outcome:?}");
        }
    }

    #[test]
    fn a_page_of_html_is_neither_data_nor_an_absent_task() {
        let mut run = sample::run(sample::get(None));
        let mut exchange = sample::poll(sample::PATH, 200, "<html>");
        exchange.response_headers = vec![("Content-Type".into(), "text/html".into())];
        run.exchanges = vec![exchange];
        for (outcome, holds) in [
            (Outcome::Error { text: "not JSON".into() }, true),
            (Outcome::ServerError { code: None }, true),
            (Outcome::NotFound { code: None }, false),
            (task(), false),
        ] {
            run.report.outcome = outcome;
            assert_eq!(
                judge(std::slice::from_ref(&run)) == Verdict::held(),
                holds,
                "{:?}",
                run.report.outcome
            );
        }
    }

    #[test]
    fn data_a_lost_answer_and_an_endless_poll_are_not_reached() {
        let not_reached = |verdict| matches!(verdict, Verdict::NotReached(_));
        assert!(not_reached(judge(&[sample::reporting(None, "{}", "{}")])));
        assert!(not_reached(judged(404, 1002, Outcome::TimedOut)));
        let mut run = sample::run(sample::get(None));
        let mut exchange = sample::poll(sample::PATH, 500, &body(1020));
        exchange.faults.push(sample::fault(Effect::Lost));
        run.exchanges = vec![exchange];
        assert!(not_reached(judge(&[run])));
    }

    #[test]
    fn a_log_out_at_the_end_is_not_the_last_word() {
        let left = |status: u16, code: i64, outcome: Outcome| {
            let mut run = sample::run(sample::get(Some("id")));
            let mut logout = sample::poll("/auth/logout", 200, "<html>");
            logout.response_headers = vec![("Content-Type".into(), "text/html".into())];
            run.exchanges = vec![sample::poll(sample::PATH, status, &body(code)), logout];
            run.report.outcome = outcome;
            judge(&[run])
        };
        assert_eq!(left(404, 1002, Outcome::NotFound { code: Some(1002) }), Verdict::held());
        assert!(left(404, 4, Outcome::NotFound { code: None }).is_violated());
        assert!(left(500, 1020, task()).is_violated());
    }

    #[test]
    fn the_last_known_state_after_an_error_is_no_false_data() {
        let mut run = sample::run(sample::get(None));
        let seen = r#"{"id":42,"state":"PARTIALLY_COMPLETE"}"#;
        run.exchanges =
            vec![sample::poll(sample::PATH, 200, seen), sample::poll(sample::PATH, 500, &body(1020))];
        run.report.outcome = Outcome::Task { standing: Resting::Usable, task: seen.into() };
        assert_eq!(judge(std::slice::from_ref(&run)), Verdict::held());
        run.report.outcome = Outcome::Task { standing: Resting::Failed, task: seen.into() };
        assert!(judge(&[run]).is_violated());
    }

    #[test]
    fn a_task_from_an_answer_that_is_hard_to_read_is_no_false_data_after_an_error() {
        let mut run = sample::run(sample::wait(None));
        let seen = "{\"id\":42,\"id\":43,\"state\":\"WAITING\"}";
        run.exchanges =
            vec![sample::poll(sample::PATH, 200, seen), sample::poll(sample::PATH, 500, &body(1020))];
        run.exchanges[0].faults.push(sample::fault(Effect::Ambiguous));
        run.report.outcome = Outcome::Task { standing: Resting::Pending, task: "{\"id\":43}".into() };
        assert!(!judge(&[run]).is_violated());
    }

    /// An answer in this type of content that is no JSON, as a proxy gives one.
    fn page(status: u16, kind: &str) -> Exchange {
        let mut exchange = sample::poll(sample::PATH, status, "<html>");
        exchange.response_headers = vec![("Content-Type".into(), kind.into())];
        exchange
    }

    fn answered(exchange: Exchange, outcome: Outcome) -> Verdict {
        let mut run = sample::run(sample::get(Some("id")));
        run.exchanges = vec![exchange];
        run.report.outcome = outcome;
        judge(&[run])
    }

    #[test]
    fn a_page_in_place_of_an_error_says_nothing_about_the_task() {
        let absent = || Outcome::NotFound { code: None };
        let complains = || Outcome::Error { text: "no JSON".into() };
        assert!(answered(page(404, "text/html"), absent()).is_violated());
        assert_eq!(answered(page(404, "text/html"), complains()), Verdict::held());
        assert_eq!(
            answered(page(502, "text/html"), complains()),
            Verdict::held(),
            "it cannot be told which code it is"
        );
        // Who can say what is meant by a plain text?
        for status in [403, 404] {
            assert!(
                matches!(answered(page(status, "text/plain"), absent()), Verdict::NotReached(_)),
                "{status}"
            );
        }
        assert!(matches!(answered(page(200, "application/json"), complains()), Verdict::NotReached(_)));
    }

    #[test]
    fn a_violation_says_what_the_console_said_and_what_it_means() {
        for (status, code, words) in [
            (404, 1002, "404/1002 (there is no such task)"),
            (404, 4, "404/4 (this is not an address of the API)"),
            (422, 30, "422/30 (the client asked wrongly)"),
            (500, 1020, "500/1020 (the console has an error)"),
            (401, 18, "401/18 (the console refuses)"),
        ] {
            let Verdict::Violated(violation) = judged(status, code, task()) else {
                panic!("{status}/{code}")
            };
            assert!(violation.because.contains(words), "{}", violation.because);
        }
        let Verdict::Violated(violation) = answered(page(503, "text/html"), task()) else { panic!() };
        assert!(violation.because.contains("503 with a page that is not JSON"), "{}", violation.because);
    }

    #[test]
    fn an_answer_that_is_a_decision_of_ours_is_held_against_nobody() {
        let answer = |source: Source| {
            let mut exchange = sample::poll(sample::PATH, 422, &body(31));
            exchange.origin = Origin::Synthesised { rule: "422/31".into(), source: source.as_str().into() };
            answered(exchange, Outcome::GaveUp)
        };
        assert!(matches!(answer(Source::Ours), Verdict::NotReached(_)));
        assert!(answer(Source::Seen).is_violated());
    }
}

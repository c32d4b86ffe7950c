use super::*;
use crate::client::Resting;
use crate::fault::Effect;
use crate::judge::sample;
use crate::ledger::{BodyText, Line, Timing};

fn run(states: &[&str], outcome: Outcome) -> Run {
    let mut run = sample::run(sample::wait(None));
    run.exchanges = states.iter().map(|state| sample::state(state)).collect();
    run.report.outcome = outcome;
    run
}

fn errors(status: u16, count: usize, outcome: Outcome) -> Run {
    let mut run = run(&[], outcome);
    let body = r#"{"http_response":{},"code":7}"#;
    run.exchanges = (0..count).map(|_| sample::poll(sample::PATH, status, body)).collect();
    run
}

fn done() -> Outcome {
    Outcome::Task { standing: Resting::Done, task: "{}".into() }
}

fn because(verdict: Verdict) -> String {
    match verdict {
        Verdict::Violated(violation) => violation.because,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_client_that_gets_no_request_through_must_end_all_the_same() {
    let vain = |outcome, limit| {
        let mut run = run(&[], outcome);
        (run.greeted, run.claims.gives_up_after_ms, run.given.deadline_ms) = (3, limit, None);
        judge(&[run])
    };
    for ended in [Outcome::GaveUp, Outcome::Error { text: "TLS: expired".into() }] {
        assert_eq!(
            vain(ended, Some(500)),
            Verdict::Held(vec!["it connected 3 times in vain, and ended".into()])
        );
    }
    assert!(because(vain(Outcome::TimedOut, Some(500))).contains("gives up after 500 ms, and did not stop"));
    assert!(matches!(vain(Outcome::TimedOut, None), Verdict::Inconclusive(_)));
    assert!(matches!(judge(&[run(&[], Outcome::GaveUp)]), Verdict::NotReached(_)), "it never came at all");
}

#[test]
fn stopping_at_the_end_holds_and_so_does_looking_again() {
    assert_eq!(judge(&[run(&["WAITING", "COMPLETE"], done())]), Verdict::held());
    assert_eq!(judge(&[run(&["WAITING", "PARTIALLY_COMPLETE"], Outcome::GaveUp)]), Verdict::held());
    for again in [1, AGAIN as usize] {
        let states = vec!["COMPLETE"; again + 1];
        assert!(matches!(judge(&[run(&states, done())]), Verdict::Held(_)), "{again}");
    }
}

#[test]
fn polling_on_is_told_with_its_number_even_if_it_stops_later() {
    let states = vec!["COMPLETE"; 58];
    let verdict = judge(&[run(&states, done())]);
    assert_eq!(because(verdict), "after the state COMPLETE it asked 57 times more");
}

#[test]
fn a_slow_pace_hides_nothing_where_the_client_does_not_know_the_end() {
    let slow = |outcome| because(judge(&[run(&["COMPLETE"; 3], outcome)]));
    assert_eq!(slow(Outcome::GaveUp), "after the state COMPLETE it asked 2 times more, and gave up");
    assert_eq!(slow(Outcome::TimedOut), "after the state COMPLETE it asked 2 times more, and did not stop");
    let verdict = judge(&[run(&["COMPLETE"], Outcome::TimedOut)]);
    assert_eq!(because(verdict), "it had the state COMPLETE, and did not stop");
}

#[test]
fn an_error_that_stays_the_same_is_an_end() {
    for status in [401, 403, 404, 422] {
        let name = format!("after the answer {status}/7 it asked");
        let often = because(judge(&[errors(status, 40, Outcome::Error { text: String::new() })]));
        assert_eq!(often, format!("{name} 39 times more"));
        let slow = because(judge(&[errors(status, 5, Outcome::GaveUp)]));
        assert_eq!(slow, format!("{name} 4 times more, and gave up"));
        assert_eq!(judge(&[errors(status, 2, Outcome::GaveUp)]), Verdict::held());
        assert_eq!(judge(&[errors(status, 1, Outcome::NotFound { code: None })]), Verdict::held());
    }
    let mut mixed = errors(404, 15, Outcome::GaveUp);
    mixed.exchanges.extend(errors(422, 4, Outcome::GaveUp).exchanges);
    assert_eq!(judge(&[mixed]), Verdict::held(), "another error begins another count");
}

#[test]
fn a_console_that_fails_may_be_asked_again_as_often_as_the_client_says() {
    assert_eq!(judge(&[errors(503, 15, Outcome::GaveUp)]), Verdict::held());
    let mut patient = errors(500, 41, Outcome::GaveUp);
    assert_eq!(because(judge(&[patient.clone()])), "after the answer 500 it asked 40 times more");
    patient.claims.retries_max = 50;
    patient.claims.retries_on = vec![500];
    assert_eq!(judge(&[patient]), Verdict::held());
    let mut between = errors(500, 15, done());
    between.exchanges.push(sample::state("PROCESSING"));
    between.exchanges.extend(errors(502, 15, done()).exchanges);
    assert!(matches!(judge(&[between]), Verdict::Held(_)), "what came between begins another count");
}

#[test]
fn no_end_is_inconclusive_unless_the_client_has_a_limit_or_was_told_one() {
    let mut endless = run(&["PARTIALLY_COMPLETE"; 40], Outcome::TimedOut);
    let why = because(judge(std::slice::from_ref(&endless)));
    assert_eq!(why, "it was told to give up after 3000 ms, and did not stop");
    endless.given.deadline_ms = None;
    assert!(matches!(judge(std::slice::from_ref(&endless)), Verdict::Inconclusive(_)));
    endless.claims.gives_up_after_ms = Some(300);
    assert!(judge(&[endless]).is_violated());
}

#[test]
fn an_end_the_client_never_heard_of_is_no_end() {
    let mut lost = run(&["COMPLETE"; 40], Outcome::GaveUp);
    for exchange in &mut lost.exchanges {
        exchange.faults.push(sample::fault(Effect::Lost));
    }
    assert_eq!(judge(&[lost]), Verdict::held());
    assert!(matches!(judge(&[run(&[], done())]), Verdict::NotReached(_)));
}

#[test]
fn a_suite_is_counted_as_a_job_is() {
    let lines = |polls: Vec<Exchange>| -> Vec<Line> {
        polls.into_iter().map(|poll| Line::Exchange(Box::new(poll))).collect()
    };
    let complete = |session: &str| {
        let mut poll = sample::state("COMPLETE");
        poll.key.session = session.into();
        // As a ledger keeps an answer that a recording has.
        poll.response_body = BodyText::SameAs("x".into());
        poll
    };
    let found = |lines: &[Line]| asked_on(&Suite::of(lines, false)).map(|(_, why)| why);
    let few = lines((0..=AGAIN).map(|_| complete("s")).collect());
    assert_eq!(found(&few), None);
    let apart = lines((0..=AGAIN).flat_map(|_| [complete("one"), complete("two")]).collect());
    assert_eq!(found(&apart), None, "each session has a count of its own");
    let many = lines((0..30).map(|_| complete("s")).collect());
    assert_eq!(
        found(&many),
        Some(format!("{}: after the state COMPLETE it asked 29 times more", sample::PATH))
    );
    let slow = lines((0..3).map(|_| complete("s")).collect());
    let stopped = asked_on(&Suite::of(&slow, true)).map(|(_, why)| why);
    let why = "after the state COMPLETE it asked 2 times more, and did not stop";
    assert_eq!((found(&slow), stopped), (None, Some(format!("{}: {why}", sample::PATH))));
    let refused = lines(errors(401, 30, done()).exchanges);
    assert!(found(&refused).is_some_and(|why| why.contains("after the answer 401/7 it asked 29 times more")));
}

#[test]
fn the_state_that_a_fault_shows_is_the_one_that_counts() {
    let mut run = run(&["COMPLETE"; 30], done());
    for exchange in &mut run.exchanges {
        // The console would have shown that the task waits.
        exchange.state = Some("WAITING".into());
        exchange.faults.push(sample::fault(Effect::Altered));
    }
    let Verdict::Violated(violation) = judge(std::slice::from_ref(&run)) else { panic!() };
    assert!(violation.because.contains("COMPLETE"), "{}", violation.because);
    // What cannot be read for sure shows no end.
    for exchange in &mut run.exchanges {
        exchange.faults = vec![sample::fault(Effect::Ambiguous)];
    }
    assert!(!judge(&[run]).is_violated());
}

/// Three polls that are refused, of which these did not come whole to a client that was ended.
fn refused_thrice(cut: &[usize]) -> String {
    let mut run = errors(404, 3, Outcome::TimedOut);
    for (index, exchange) in run.exchanges.iter_mut().enumerate() {
        exchange.key.nth = u32::try_from(index).unwrap() + 1;
        let key = exchange.key.clone();
        run.timings.push(Timing { key, cut_short: cut.contains(&index), ..Timing::default() });
    }
    because(judge(&[run]))
}

#[test]
fn the_very_last_answer_counts_whether_or_not_it_came_before_the_end() {
    let often = |times: &str| format!("after the answer 404/7 it asked {times}, and did not stop");
    assert_eq!(refused_thrice(&[]), often("2 times more"));
    assert_eq!(refused_thrice(&[2]), often("2 times more"), "when the client is ended is chance");
    assert_eq!(refused_thrice(&[1]), often("once more"), "what it did not hear of it did not ask on after");
}

#[test]
fn one_look_at_a_task_that_goes_on_is_no_wait() {
    assert!(matches!(judge(&[run(&["PROCESSING"], Outcome::GaveUp)]), Verdict::NotReached(_)));
    assert!(judge(&[run(&["PROCESSING"], Outcome::TimedOut)]).is_violated(), "it hangs");
    assert_eq!(
        judge(&[run(&["ARCHIVED"], Outcome::GaveUp)]),
        Verdict::held(),
        "who can say that it goes on?"
    );
}

#[test]
fn whoever_never_stops_is_told_from_whoever_stops_late() {
    let often = because(judge(&[run(&["COMPLETE"; 30], Outcome::TimedOut)]));
    assert_eq!(often, "after the state COMPLETE it asked 29 times more, and did not stop");
    let Verdict::Held(notes) = judge(&[run(&["COMPLETE"; 2], done())]) else { panic!() };
    assert_eq!(notes, ["after the state COMPLETE it asked once more"]);
}

#[test]
fn a_crash_says_nothing_about_coming_to_an_end() {
    let crashed = || Outcome::Crashed { how: "signal 6".into() };
    assert!(matches!(judge(&[run(&["WAITING"; 2], crashed())]), Verdict::Inconclusive(_)));
    let mut vain = run(&[], crashed());
    vain.greeted = 3;
    assert!(matches!(judge(&[vain.clone()]), Verdict::Inconclusive(_)));
    vain.report.outcome = Outcome::NotStarted { why: "no such file".into() };
    assert!(matches!(judge(&[vain]), Verdict::NotReached(_)));
}

#[test]
fn giving_up_long_before_its_own_limit_is_told_with_the_limit() {
    let mut early = run(&["WAITING"; 2], Outcome::GaveUp);
    (early.claims.gives_up_after_ms, early.lasted) = (Some(3_000), std::time::Duration::from_secs(1));
    let why = because(judge(&[early]));
    assert_eq!(
        why,
        "it says it gives up after 3000 ms, and stopped in less than half of that while the task went on"
    );
}

#[test]
fn an_error_that_may_pass_is_no_end_of_the_task() {
    let mut failing = errors(500, 3, Outcome::TimedOut);
    assert!(
        because(judge(std::slice::from_ref(&failing))).starts_with("it was told to give up after 3000 ms")
    );
    failing.given.deadline_ms = None;
    assert!(matches!(judge(&[failing]), Verdict::Inconclusive(_)));
}

#[test]
fn a_task_that_begins_anew_has_not_ended_and_nothing_else_undoes_an_end() {
    let mut anew = run(&["COMPLETE"], Outcome::GaveUp);
    anew.exchanges.extend(run(&["PROCESSING"; 30], done()).exchanges);
    assert!(!judge(&[anew]).is_violated());
    let mut lost = run(&["COMPLETE"; 26], done());
    lost.exchanges.iter_mut().skip(1).for_each(|poll| poll.faults.push(sample::fault(Effect::Lost)));
    assert_eq!(because(judge(&[lost])), "after the state COMPLETE it asked 25 times more");
    let mut refused = run(&["COMPLETE"], done());
    refused.exchanges.extend(errors(404, 25, done()).exchanges);
    assert_eq!(because(judge(&[refused])), "after the state COMPLETE it asked 25 times more");
    let mut between = errors(404, 5, Outcome::TimedOut);
    between.exchanges[2].faults.push(sample::fault(Effect::Lost));
    assert_eq!(because(judge(&[between])), "after the answer 404/7 it asked 3 times more, and did not stop");
}

#[test]
fn three_repetitions_before_giving_up_are_no_lack_of_understanding() {
    let given_up = |count| judge(&[errors(404, count, Outcome::GaveUp)]);
    assert_eq!(given_up(BEFORE_GIVING_UP as usize + 1), Verdict::held());
    assert_eq!(judge(&[run(&["WAITING", "COMPLETE"], Outcome::GaveUp)]), Verdict::held(), "it came too late");
    assert!(given_up(BEFORE_GIVING_UP as usize + 2).is_violated());
}

#[test]
fn repetitions_that_are_claimed_of_another_answer_excuse_nothing() {
    let mut claims = errors(404, 25, Outcome::Error { text: String::new() });
    (claims.claims.retries_max, claims.claims.retries_on) = (30, vec![503]);
    assert_eq!(because(judge(&[claims])), "after the answer 404/7 it asked 24 times more");
}

#[test]
fn a_suite_that_was_ended_at_what_may_pass_or_at_its_first_look_is_not_held_to_an_end() {
    let stopped = |polls: Vec<Exchange>| {
        let lines: Vec<Line> = polls.into_iter().map(|poll| Line::Exchange(Box::new(poll))).collect();
        asked_on(&Suite::of(&lines, true)).map(|(_, why)| why)
    };
    assert_eq!(stopped(errors(500, 3, done()).exchanges), None);
    assert_eq!(stopped(run(&["WAITING", "COMPLETE"], done()).exchanges), None);
    assert!(stopped(run(&["COMPLETE", "COMPLETE"], done()).exchanges).is_some());
}

#[test]
fn whoever_lost_the_answer_to_its_creation_and_ended_has_nothing_to_wait_for() {
    let judged = |outcome: Outcome, is_lost: bool| {
        let mut run = sample::run(sample::create("Case1"));
        run.exchanges = vec![sample::creation("Case1", 201, "{}")];
        if is_lost {
            run.exchanges[0].faults.push(sample::fault(Effect::Lost));
        }
        run.report.outcome = outcome;
        judge(&[run])
    };
    assert!(matches!(judged(Outcome::GaveUp, true), Verdict::NotApplicable(_)));
    assert!(matches!(judged(Outcome::GaveUp, false), Verdict::NotReached(_)));
    assert!(matches!(judged(Outcome::TimedOut, true), Verdict::NotReached(_)));
}

use super::*;
use crate::client::Resting;
use crate::fault::Effect;
use crate::judge::case::Case;
use crate::judge::sample;

/// A wait at a pace of 50 ms whose requests came at these times, in milliseconds.
fn run(sent: Vec<(u64, Exchange)>) -> Run {
    let mut run = sample::run(sample::wait(None));
    (run.case.pace_ms, run.given.pace_ms) = (50, Some(50));
    run.report.outcome = Outcome::Task { standing: Resting::Done, task: "{}".into() };
    for (nth, (at, mut exchange)) in (1..).zip(sent) {
        exchange.key.nth = nth;
        let key = exchange.key.clone();
        run.timings.push(Timing { key, at_us: at * 1_000, took_us: 100, ..Timing::default() });
        run.exchanges.push(exchange);
    }
    run
}

fn polls(state: &str, times: &[u64]) -> Vec<(u64, Exchange)> {
    times.iter().map(|at| (*at, sample::state(state))).collect()
}

fn errors(status: u16, times: &[u64]) -> Vec<(u64, Exchange)> {
    times.iter().map(|at| (*at, sample::poll(sample::PATH, status, "{}"))).collect()
}

fn because(verdict: Verdict) -> String {
    match verdict {
        Verdict::Violated(violation) => violation.because,
        other => panic!("{other:?}"),
    }
}

fn holds(verdict: &Verdict) -> bool {
    matches!(verdict, Verdict::Held(_))
}

#[test]
fn polls_without_a_pause_break_it_and_slow_ones_never_do() {
    assert!(
        because(judge(&[run(polls("PROCESSING", &[0, 2, 4, 6, 8, 10]))])).contains("50 ms between polls")
    );
    assert!(holds(&judge(&[run(polls("PROCESSING", &[0, 50, 101, 152, 203, 260]))])));
    // Pauses drawn between nothing and the pace, and a machine that stood still.
    assert!(holds(&judge(&[run(polls("PROCESSING", &[0, 3, 33, 78, 96, 9_000]))])));
    assert!(matches!(judge(&[run(polls("PROCESSING", &[0, 1, 2, 3, 4]))]), Verdict::NotReached(_)));
}

#[test]
fn whoever_was_told_no_pace_is_held_to_leave_any_pause() {
    let untold = |times: &[u64]| {
        let mut run = run(polls("PROCESSING", times));
        run.given.pace_ms = None;
        judge(&[run])
    };
    assert!(holds(&untold(&[0, 5, 10, 15, 20, 25])));
    assert!(because(untold(&[0, 1, 2, 3, 4, 5])).contains("no pause"));
    // In a case that is not about pace nothing is too fast.
    let mut fast = run(polls("PROCESSING", &[0, 1, 2, 3, 4, 5, 6]));
    (fast.case.pace_ms, fast.given.pace_ms) = (1, Some(1));
    assert!(matches!(judge(&[fast]), Verdict::NotReached(_)));
}

#[test]
fn looking_twice_each_time_is_no_lack_of_a_pause() {
    let mut sent = Vec::new();
    for round in 0..8 {
        sent.push((round * 60, sample::state("PROCESSING")));
        let mut other = sample::state("PROCESSING");
        other.target.push_str("?fields=id%2Cstate");
        sent.push((round * 60 + 1, other));
    }
    assert!(holds(&judge(&[run(sent)])));
    // Nor is a task that has ended looked at for more.
    assert!(matches!(judge(&[run(polls("COMPLETE", &[0, 1, 2, 3, 4, 5, 6]))]), Verdict::NotReached(_)));
}

#[test]
fn a_storm_of_repetitions_breaks_it_unless_the_file_claims_it() {
    let times: Vec<u64> = (0..9).collect();
    let mut storm = run(errors(503, &times));
    assert!(because(judge(std::slice::from_ref(&storm))).ends_with("8 times more, most of them within 1 ms"));
    storm.claims.retries_max = 8;
    assert!(!holds(&judge(std::slice::from_ref(&storm))), "of 503 nothing is claimed");
    storm.claims.retries_on = vec![503];
    assert!(holds(&judge(&[storm])));
    assert!(holds(&judge(&[run(errors(503, &[0, 1, 2, 3, 4, 5]))])), "five are no storm");
    assert!(holds(&judge(&[run(errors(503, &[0, 50, 100, 150, 200, 250, 300, 350]))])), "paces");
    assert!(holds(&judge(&[run(errors(503, &[0, 20, 60, 140, 300, 620, 1_260, 2_540]))])), "backs off");
    assert!(
        matches!(judge(&[run(errors(404, &times))]), Verdict::NotReached(_)),
        "not to be repeated at all"
    );
}

#[test]
fn a_busy_machine_makes_no_patient_client_of_a_storm() {
    // Twenty repetitions at once, on a machine on which most take 20 ms and more.
    let times =
        [0, 3, 30, 55, 59, 81, 120, 124, 150, 171, 175, 198, 220, 224, 251, 272, 277, 310, 340, 345, 371];
    assert!(because(judge(&[run(errors(503, &times))])).contains("a third of them"));
    // The same machine stands still now and then before what a client with pauses of 20 ms and more sends.
    let slow: Vec<u64> = (0..21).map(|n| n * 20 + if n % 5 == 0 { 15 } else { 0 }).collect();
    assert!(holds(&judge(&[run(errors(503, &slow))])));
}

#[test]
fn failures_with_answers_between_them_are_no_storm() {
    let mut sent = Vec::new();
    for round in 0..8 {
        sent.extend(errors(503, &[round * 50]));
        sent.extend(polls("PROCESSING", &[round * 50 + 1]));
    }
    assert!(!judge(&[run(sent)]).is_violated());
}

#[test]
fn answers_that_are_lost_are_failures_too() {
    let lost = |at: u64| {
        let mut exchange = sample::state("PROCESSING");
        exchange.faults.push(sample::fault(Effect::Lost));
        (at, exchange)
    };
    assert!(because(judge(&[run((0..10).map(lost).collect())])).contains("failed"));
    assert!(holds(&judge(&[run((0..4).map(|n| lost(n * 30)).collect())])));
}

#[test]
fn whoever_is_asked_to_come_back_later_comes_later() {
    let with = |value: &str, next: u64| {
        let mut sent = errors(429, &[0, next]);
        sent[0].1.response_headers.push(("retry-after".into(), value.into()));
        judge(&[run(sent)])
    };
    assert!(because(with("1", 40)).contains("after 1 s"));
    assert!(holds(&with("1", 1_000)) && holds(&with("1", 900)));
    assert!(holds(&with("0", 1)) && holds(&with("Thu, 26 Nov 2026 20:00:00 GMT", 1)));
    let mut gave_up = errors(429, &[0]);
    gave_up[0].1.response_headers.push(("Retry-After".into(), "60".into()));
    assert!(holds(&judge(&[run(gave_up)])));
}

fn silent(waited_ms: u64, outcome: Outcome) -> Run {
    let mut silent = run(polls("PROCESSING", &[0]));
    silent.exchanges[0].faults.push(sample::fault(Effect::Lost));
    (silent.timings[0].took_us, silent.timings[0].cut_short) = (waited_ms * 1_000, true);
    silent.report.outcome = outcome;
    silent
}

#[test]
fn waiting_for_an_answer_past_the_limit_breaks_it() {
    let mut claimed = silent(4_990, Outcome::TimedOut);
    claimed.claims.request_timeout_ms = Some(1_000);
    assert!(because(judge(&[claimed])).contains("after 1000 ms"));
    let handed = silent(4_990, Outcome::TimedOut);
    assert!(because(judge(std::slice::from_ref(&handed))).contains("after 3000 ms"));
    let mut neither = handed;
    neither.given.deadline_ms = None;
    let Verdict::Inconclusive(why) = judge(&[neither]) else { panic!() };
    assert!(why.contains("claims no `request_timeout_ms`"), "{why}");
}

#[test]
fn leaving_an_answer_that_does_not_come_holds_however_long_it_took() {
    for waited in [10, 1_000, 4_900] {
        assert!(holds(&judge(&[silent(waited, Outcome::GaveUp)])), "{waited}");
    }
    // The last of several tries had just begun.
    let mut again = silent(50, Outcome::TimedOut);
    again.claims.request_timeout_ms = Some(1_000);
    assert!(!judge(&[again]).is_violated());
    // It may wait longer than it has here.
    let mut patient = silent(4_990, Outcome::TimedOut);
    patient.claims.request_timeout_ms = Some(60_000);
    assert!(matches!(judge(&[patient]), Verdict::Inconclusive(_)));
}

#[test]
fn a_limit_of_a_request_that_ends_only_with_the_whole_job_is_none() {
    let waited = |waited_ms: u64, lasted_ms: u64| {
        let mut run = silent(waited_ms, Outcome::GaveUp);
        run.claims.request_timeout_ms = Some(1_000);
        run.lasted = Duration::from_millis(lasted_ms);
        run
    };
    let why = because(judge(&[waited(2_900, 3_010)]));
    assert!(
        why.ends_with(
            "after 1000 ms, and it waited for an answer until the 3000 ms of the whole job were over"
        ),
        "{why}"
    );
    assert!(holds(&judge(&[waited(1_990, 3_010)])), "twice its limit is not over");
    assert!(holds(&judge(&[waited(2_900, 2_990)])), "a slow machine, and it ended by itself");
    let mut none = waited(2_900, 3_010);
    none.claims.request_timeout_ms = None;
    assert!(holds(&judge(&[none])), "it says nothing of a limit");
    let mut untold = waited(2_900, 3_010);
    untold.given.deadline_ms = None;
    assert!(holds(&judge(&[untold])));
    // It left one before: what came after was begun late.
    let mut twice = waited(2_900, 3_010);
    let (mut exchange, mut timing) = (twice.exchanges[0].clone(), twice.timings[0].clone());
    exchange.key.nth = 2;
    timing.key = exchange.key.clone();
    twice.exchanges.push(exchange);
    twice.timings.push(timing);
    assert!(holds(&judge(&[twice])));
    // It left that one, and went on.
    let mut on = waited(2_900, 3_010);
    let mut next = run(polls("COMPLETE", &[0, 2_950]));
    on.exchanges.push(next.exchanges.remove(1));
    on.timings.push(next.timings.remove(1));
    assert!(holds(&judge(&[on])));
}

#[test]
fn a_first_poll_straight_after_the_creation_is_advice() {
    let mut sent = vec![(0, sample::creation("Case1", 201, r#"{"id":42,"state":"WAITING"}"#))];
    sent.extend(polls("PROCESSING", &[1, 51, 101, 151, 201, 251]));
    let Verdict::Held(notes) = judge(&[run(sent)]) else { panic!() };
    assert!(notes[0].contains("at once"), "{notes:?}");
}

/// The same at a pace of 40 ms, of which 10 ms are the least that is a pause.
fn at_forty(mut run: Run) -> Verdict {
    (run.case.pace_ms, run.given.pace_ms) = (40, Some(40));
    judge(&[run])
}

#[test]
fn what_is_just_long_enough_is_a_pause() {
    let every = |pause: u64| (0..9).map(|n| n * pause).collect::<Vec<u64>>();
    assert!(holds(&at_forty(run(polls("PROCESSING", &every(10))))));
    let why = because(at_forty(run(polls("PROCESSING", &every(9)))));
    assert!(why.ends_with("most of them within 16 ms"), "{why}");
    assert!(holds(&at_forty(run(errors(503, &every(10))))));
    assert!(because(at_forty(run(errors(503, &every(9))))).contains("most of them within"));
    // Three of eight pauses of 5 ms are a third of them, and no shorter than an eighth of the pace.
    let third = |short: u64| {
        let times = [0, short, short * 2, short * 3].into_iter().chain((1..=5).map(|n| short * 3 + n * 40));
        at_forty(run(errors(503, &times.collect::<Vec<_>>())))
    };
    assert!(holds(&third(5)));
    assert!(because(third(4)).contains("a third of them within 4 ms"));
    // The shortest pace that can be told from none.
    let mut shortest = run(polls("PROCESSING", &every(1)));
    (shortest.case.pace_ms, shortest.given.pace_ms) = (PACE_MIN_MS, Some(PACE_MIN_MS));
    assert!(judge(&[shortest]).is_violated());
}

#[test]
fn one_look_that_is_answered_asks_for_no_patience() {
    let mut look = run(polls("COMPLETE", &[0]));
    look.case = Case { pace_ms: 50, ..sample::get(None) };
    assert!(matches!(judge(&[look]), Verdict::NotApplicable(_)));
}

#[test]
fn retry_after_is_heeded_beside_any_status_and_asks_for_nothing_where_it_says_zero() {
    let with = |value: &str, next: u64| {
        let mut sent = polls("COMPLETE", &[0, next]);
        sent[0].1.response_headers.push(("Retry-After".into(), value.into()));
        judge(&[run(sent)])
    };
    assert!(holds(&with("1", 500)), "half of the time");
    assert!(because(with("1", 499)).contains("the answer 200 asked it to come back after 1 s"));
    assert!(matches!(with("0", 1), Verdict::NotReached(_)));
}

#[test]
fn an_answer_that_broke_off_was_not_waited_for() {
    let mut reset = silent(4_990, Outcome::TimedOut);
    reset.timings[0].cut_short = false;
    assert!(!judge(&[reset]).is_violated());
}

#[test]
fn whoever_left_one_answer_may_be_waiting_for_the_next() {
    let mut again = silent(2_000, Outcome::TimedOut);
    let (mut exchange, mut timing) = (again.exchanges[0].clone(), again.timings[0].clone());
    exchange.key.nth = 2;
    timing.key = exchange.key.clone();
    again.exchanges.push(exchange);
    again.timings.push(timing);
    assert!(holds(&judge(std::slice::from_ref(&again))), "3000 ms have not passed");
    again.timings[1].took_us = 4_500_000;
    assert!(because(judge(&[again])).contains("after 3000 ms"));
}

#[test]
fn a_first_poll_after_a_pause_and_another_request_after_the_creation_need_no_advice() {
    let created = |second: (u64, Exchange)| {
        let mut sent = vec![(0, sample::creation("Case1", 201, r#"{"id":42,"state":"WAITING"}"#)), second];
        sent.extend(polls("PROCESSING", &[140, 180, 220, 260, 300, 340]));
        at_forty(run(sent))
    };
    assert_eq!(created((10, sample::state("WAITING"))), Verdict::held());
    assert_eq!(created((1, sample::poll("/api/help/versions", 200, "[]"))), Verdict::held());
    assert_ne!(created((9, sample::state("WAITING"))), Verdict::held());
}

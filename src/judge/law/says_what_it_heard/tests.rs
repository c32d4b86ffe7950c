//! Runs made by hand: what was heard, what was said.

use super::*;
use crate::fault::Effect;
use crate::judge::about::About;
use crate::judge::sample;
use crate::ledger::Timing;
use crate::profile::Profile;

fn reports(standing: Resting, task: &str) -> Outcome {
    Outcome::Task { standing, task: task.into() }
}

fn task(state: &str) -> String {
    format!(r#"{{"id":42,"state":"{state}"}}"#)
}

/// A wait that saw these states and says so.
fn waited(states: &[&str], outcome: Outcome) -> Run {
    let mut run = sample::run(sample::wait(None));
    run.exchanges = states.iter().map(|state| sample::state(state)).collect();
    run.report.outcome = outcome;
    run
}

fn looked(answer: Exchange, outcome: Outcome) -> Run {
    let mut run = sample::run(sample::get(None));
    run.exchanges = vec![answer];
    run.report.outcome = outcome;
    run
}

fn because(verdict: Verdict) -> String {
    match verdict {
        Verdict::Violated(violation) => violation.because,
        other => panic!("{other:?}"),
    }
}

fn broken(effect: Effect, body: &str) -> Exchange {
    let mut exchange = sample::poll(sample::PATH, 200, body);
    exchange.faults.push(sample::fault(effect));
    exchange
}

#[test]
fn what_was_heard_last_may_be_said() {
    let done = reports(Resting::Done, &task("COMPLETE"));
    assert_eq!(judge(&[waited(&["WAITING", "COMPLETE"], done)]), Verdict::held());
    let pending = reports(Resting::Pending, &task("PROCESSING"));
    assert_eq!(judge(&[waited(&["WAITING", "PROCESSING"], pending)]), Verdict::held());
    assert_eq!(judge(&[waited(&["WAITING"], Outcome::GaveUp)]), Verdict::held());
}

#[test]
fn a_log_out_at_the_end_hides_nothing_of_what_was_heard() {
    let left = |outcome: Outcome| {
        let mut run = waited(&["WAITING", "COMPLETE"], outcome);
        run.exchanges.push(sample::poll("/auth/logout", 200, "<html>"));
        judge(&[run])
    };
    assert_eq!(left(reports(Resting::Done, &task("COMPLETE"))), Verdict::held());
    assert!(because(left(Outcome::Error { text: "oops".into() })).contains("came to its end"));
}

#[test]
fn a_standing_that_no_answer_showed_is_a_violation() {
    for (states, standing) in [
        (&["WAITING", "PROCESSING"][..], Resting::Done),
        (&["WAITING"], Resting::Failed),
        (&["PROCESSING"], Resting::Usable),
        (&["WAITING", "COMPLETE"], Resting::Pending),
        (&["WAITING", "COMPLETE"], Resting::Failed),
        (&["PARTIALLY_COMPLETE", "COMPLETE"], Resting::Usable),
        (&["ARCHIVED"], Resting::Done),
        (&["ARCHIVED"], Resting::Failed),
    ] {
        let last = states.last().unwrap();
        let verdict = judge(&[waited(states, reports(standing, &task(last)))]);
        assert!(because(verdict).contains(&format!("as {standing}")), "{states:?} {standing}");
    }
}

#[test]
fn partly_done_at_the_end_of_a_wait_is_another_laws() {
    for standing in Resting::ALL {
        let run = waited(&["PARTIALLY_COMPLETE"], reports(standing, &task("PARTIALLY_COMPLETE")));
        assert_eq!(judge(&[run]), Verdict::held(), "{standing}");
    }
    let looked = |standing| {
        judge(&[looked(sample::state("PARTIALLY_COMPLETE"), reports(standing, &task("PARTIALLY_COMPLETE")))])
    };
    assert_eq!(looked(Resting::Usable), Verdict::held());
    assert!(looked(Resting::Done).is_violated() && looked(Resting::Failed).is_violated());
}

#[test]
fn a_word_of_another_kind_of_task_may_be_taken_for_what_it_is_there() {
    for state in ["COMPLETED", "complete", "SUCCESS"] {
        let run = waited(&["WAITING", state], reports(Resting::Done, &task(state)));
        assert_eq!(judge(&[run]), Verdict::held(), "{state}");
    }
    let pending = waited(&["WAITING", "ARCHIVED"], reports(Resting::Pending, &task("ARCHIVED")));
    assert_eq!(judge(&[pending]), Verdict::held());
}

#[test]
fn of_a_task_that_went_backwards_any_answer_may_be_taken() {
    let states = ["COMPLETE", "PROCESSING"];
    for (standing, state) in [(Resting::Done, "COMPLETE"), (Resting::Pending, "PROCESSING")] {
        assert_eq!(judge(&[waited(&states, reports(standing, &task(state)))]), Verdict::held(), "{state}");
    }
    assert!(judge(&[waited(&states, reports(Resting::Failed, &task("COMPLETE")))]).is_violated());
}

#[test]
fn a_task_that_a_later_answer_has_overtaken_is_stale() {
    let run = waited(&["WAITING", "COMPLETE"], reports(Resting::Done, &task("WAITING")));
    assert!(because(judge(&[run])).contains("an earlier answer"));
    let run = waited(&["WAITING", "COMPLETE"], reports(Resting::Done, r#"{"id":43,"state":"COMPLETE"}"#));
    assert_eq!(because(judge(&[run])), "`id` came as 42, and it reports 43");
    // The last one may have come too late.
    let mut run = waited(&["WAITING", "COMPLETE"], reports(Resting::Pending, &task("WAITING")));
    run.exchanges[1].faults.push(sample::fault(Effect::Whole));
    assert_eq!(judge(&[run.clone()]), Verdict::held());
    run.exchanges[1].faults.clear();
    let key = crate::ledger::ExchangeKey { nth: 2, ..run.exchanges[1].key.clone() };
    run.exchanges[1].key = key.clone();
    let first = Timing { key: run.exchanges[0].key.clone(), ..Timing::default() };
    run.timings = vec![first, Timing { key, cut_short: true, ..Timing::default() }];
    assert_eq!(judge(&[run]), Verdict::held());
}

#[test]
fn what_an_earlier_answer_had_beside_the_last_may_be_put_together() {
    let mut run = sample::run(sample::create("Case1"));
    let created = r#"{"id":42,"case_id":7,"name":"Case1","state":"WAITING","assigned_to":["x"]}"#;
    run.exchanges = vec![sample::creation("Case1", 201, created), sample::state("COMPLETE")];
    for reported in [
        r#"{"id":42,"case_id":7,"name":"Case1","assigned_to":[],"state":"COMPLETE"}"#,
        r#"{"id":"42","state":"COMPLETE","case_id":null}"#,
        r#"{"task":{"id":42},"case":7}"#,
    ] {
        run.report.outcome = reports(Resting::Done, reported);
        assert_eq!(judge(&[run.clone()]), Verdict::held(), "{reported}");
    }
    run.report.outcome = reports(Resting::Done, created);
    assert!(judge(&[run.clone()]).is_violated(), "the task as it was created");
    // Who looks at the case in the end may report it.
    let mut case = sample::poll("/api/forensics/case_management/cases/7", 200, r#"{"id":7,"name":"Case1"}"#);
    case.key.endpoint = "GET /forensics/case_management/cases/{id}".into();
    run.exchanges.push(case);
    run.report.outcome = reports(Resting::Done, r#"{"id":7,"name":"Case1"}"#);
    assert_eq!(judge(&[run]), Verdict::held());
}

#[test]
fn a_creation_that_is_never_watched_is_not_done() {
    let mut run = sample::run(sample::create("Case1"));
    run.exchanges = vec![sample::creation("Case1", 201, &task("WAITING"))];
    run.report.outcome = reports(Resting::Done, &task("WAITING"));
    assert!(because(judge(&[run.clone()])).contains("as done"));
    run.report.outcome = reports(Resting::Pending, &task("WAITING"));
    assert_eq!(judge(&[run.clone()]), Verdict::held());
    // A console that makes it at once has said so.
    run.exchanges = vec![sample::creation("Case1", 201, &task("COMPLETE"))];
    run.report.outcome = reports(Resting::Done, &task("COMPLETE"));
    assert_eq!(judge(&[run]), Verdict::held());
}

#[test]
fn a_task_where_no_answer_came_whole_is_made_up() {
    const HALF: &str = r#"{"id":42,"state":"COMPLETE""#;
    for (effect, body) in [(Effect::Lost, HALF), (Effect::Unreadable, HALF), (Effect::Lost, "")] {
        for run in [
            looked(broken(effect, body), reports(Resting::Done, &task("COMPLETE"))),
            Run {
                exchanges: vec![broken(effect, body)],
                ..waited(&[], reports(Resting::Done, &task("COMPLETE")))
            },
        ] {
            assert_eq!(because(judge(&[run])), "no answer came whole, and it reports a task", "{body}");
        }
        let complains = looked(broken(effect, body), Outcome::Error { text: "no JSON".into() });
        assert_eq!(judge(&[complains]), Verdict::held());
    }
    let mut refused = waited(&[], reports(Resting::Failed, &task("WAITING")));
    refused.exchanges = vec![sample::poll(sample::PATH, 404, r#"{"http_response":{},"code":1002}"#)];
    assert!(judge(&[refused.clone()]).is_violated());
    // Who knows nothing, and says so, makes nothing up.
    refused.report.outcome = reports(Resting::Pending, "{}");
    assert!(matches!(judge(&[refused]), Verdict::NotReached(_)));
    let mut vain = waited(&[], reports(Resting::Done, &task("COMPLETE")));
    vain.greeted = 2;
    assert!(judge(&[vain]).is_violated());
}

#[test]
fn an_answer_that_came_after_one_that_broke_may_be_reported() {
    let mut run = looked(broken(Effect::Lost, "{\"id\":42"), reports(Resting::Done, &task("COMPLETE")));
    run.exchanges.push(sample::state("COMPLETE"));
    assert_eq!(judge(&[run]), Verdict::held());
}

#[test]
fn an_answer_that_can_be_read_in_several_ways_is_not_judged() {
    for body in [r#"{"id":42,"state":"WAITING","state":"COMPLETE"}"#, "\u{feff}{\"id\":42}"] {
        let run = looked(broken(Effect::Ambiguous, body), reports(Resting::Done, &task("COMPLETE")));
        assert!(matches!(judge(&[run]), Verdict::NotReached(_)));
    }
}

#[test]
fn an_error_in_place_of_a_done_task_is_a_violation_unless_something_went_wrong() {
    let error = Outcome::Error { text: "unknown state".into() };
    let run = waited(&["WAITING", "COMPLETE"], error.clone());
    assert!(because(judge(std::slice::from_ref(&run))).contains("came to its end"));
    let crashed = Run { report: sample::report(Outcome::Crashed { how: "signal 6".into() }), ..run.clone() };
    assert!(judge(&[crashed]).is_violated());
    let mut disturbed = run;
    disturbed.exchanges[0].faults.push(sample::fault(Effect::Altered));
    assert!(!judge(&[disturbed]).is_violated());
    assert!(!judge(&[waited(&["WAITING", "COMPLETE"], Outcome::GaveUp)]).is_violated());
    // One that does not know the state, and looks a few times more before it says so.
    assert!(judge(&[waited(&["WAITING", "COMPLETE", "COMPLETE"], error.clone())]).is_violated());
    assert!(!judge(&[waited(&["WAITING"], error)]).is_violated());
}

#[test]
fn ending_without_a_word_is_a_violation_unless_another_law_speaks_of_it() {
    let words = [
        Outcome::Crashed { how: "exit code 255".into() },
        Outcome::Silent,
        Outcome::Unreadable { why: "{}".into() },
    ];
    for outcome in words {
        let mut wait = waited(&["WAITING", "PROCESSING"], outcome.clone());
        wait.exchanges.push(broken(Effect::Lost, &task("COMPLETE")));
        assert!(because(judge(&[wait])).contains("without a word"), "{outcome}");
        let cut = looked(broken(Effect::Lost, &task("COMPLETE")), outcome.clone());
        assert!(because(judge(&[cut])).contains("without a word"), "{outcome}");
        let refused = looked(sample::poll(sample::PATH, 500, "{}"), outcome.clone());
        assert!(matches!(judge(&[refused]), Verdict::NotReached(_)), "{outcome}");
        // It never came to ask.
        let mut other = waited(&["WAITING"], outcome.clone());
        other.exchanges[0].key.endpoint = "GET /help/versions".into();
        assert!(matches!(judge(&[other]), Verdict::NotReached(_)), "{outcome}");
    }
}

#[test]
fn an_exit_code_of_a_look_says_nothing_of_the_standing() {
    let mut run = looked(sample::state("WAITING"), reports(Resting::Done, &task("WAITING")));
    assert!(judge(&[run.clone()]).is_violated());
    run.report.by_exit_code = true;
    assert!(matches!(judge(&[run.clone()]), Verdict::NotApplicable(_)));
    run.exchanges[0].faults.push(sample::fault(Effect::Lost));
    assert!(judge(&[run]).is_violated(), "what did not come is made up in any case");
    let mut waited = waited(&["WAITING"], reports(Resting::Done, &task("WAITING")));
    waited.report.by_exit_code = true;
    assert!(judge(&[waited]).is_violated(), "after a wait the code says how the task stands");
}

#[test]
fn a_look_that_shows_no_state_says_nothing_of_the_standing() {
    let answer = || sample::poll(sample::PATH, 200, r#"{"id":42}"#);
    let run = looked(answer(), reports(Resting::Done, r#"{"id":42}"#));
    assert!(matches!(judge(&[run]), Verdict::NotReached(_)));
    let mut waited = waited(&[], reports(Resting::Done, r#"{"id":42}"#));
    waited.exchanges = vec![answer()];
    assert!(judge(&[waited]).is_violated());
    // Not even what it is not far enough for is held against a look.
    let late = looked(sample::state("COMPLETE"), reports(Resting::Pending, &task("COMPLETE")));
    assert_eq!(judge(&[late]), Verdict::held());
}

#[test]
fn a_body_that_the_ledger_does_not_keep_is_no_missing_answer() {
    let mut run = waited(&["COMPLETE"], reports(Resting::Done, &task("COMPLETE")));
    run.exchanges[0].response_body = crate::ledger::BodyText::SameAs("poll".into());
    assert_eq!(judge(&[run.clone()]), Verdict::held());
    run.exchanges[0].state = Some("WAITING".into());
    assert!(judge(&[run]).is_violated());
}

#[test]
fn every_life_cycle_is_judged_by_its_own_words() {
    let mut judged = 0;
    for life in Profile::builtin().lifecycles() {
        let about = About::of(JobKind::Wait, &life.task).unwrap();
        let Some(member) = life.state.first() else { continue };
        for (state, phase) in &life.phases {
            let body = format!(r#"{{"{member}":"{state}"}}"#);
            let verdict = |standing| {
                let mut run = waited(&[], reports(standing, &body));
                run.case.about = about;
                let mut poll = sample::poll("/api/x", 200, &body);
                poll.key.endpoint.clone_from(&life.task);
                run.exchanges = vec![poll];
                judge(&[run])
            };
            let right = match phase {
                Phase::Done => Resting::Done,
                Phase::Partial => Resting::Usable,
                Phase::Failed | Phase::Cancelled => Resting::Failed,
                Phase::Waiting | Phase::Working => Resting::Pending,
            };
            assert_eq!(verdict(right), Verdict::held(), "{} {state}", life.task);
            if !matches!(phase, Phase::Done | Phase::Partial) {
                assert!(verdict(Resting::Done).is_violated(), "{} {state}", life.task);
            }
            judged += 1;
        }
    }
    assert!(judged > 100, "{judged}");
}

#[test]
fn that_a_task_failed_may_be_told_as_an_error() {
    let about = About::of(JobKind::Wait, "GET /ariel/searches/{search_id}").unwrap();
    let judged = |state: &str, outcome: Outcome| {
        let mut run = waited(&[], outcome);
        run.case.about = about;
        let mut poll = sample::poll("/api/ariel/searches/a", 200, &format!(r#"{{"status":"{state}"}}"#));
        poll.key.endpoint = about.shows.id.clone();
        run.exchanges = vec![poll];
        judge(&[run])
    };
    let error = Outcome::Error { text: "the search failed".into() };
    assert_eq!(judged("ERROR", error.clone()), Verdict::held());
    assert_eq!(judged("CANCELED", error.clone()), Verdict::held());
    assert!(judged("COMPLETED", error).is_violated());
    assert!(judged("ERROR", reports(Resting::Done, r#"{"status":"ERROR"}"#)).is_violated());
}

/// An answer of the list of cases.
fn list(body: &str) -> Exchange {
    let mut list = sample::poll("/api/forensics/case_management/cases", 200, body);
    list.key.endpoint = "GET /forensics/case_management/cases".into();
    list
}

#[test]
fn whoever_asks_nothing_or_something_else_alone_is_not_judged() {
    let mut silent = waited(&[], reports(Resting::Done, &task("COMPLETE")));
    assert!(
        matches!(judge(&[silent.clone()]), Verdict::NotReached(_)),
        "other laws tell that it never asked"
    );
    silent.report.outcome = Outcome::GaveUp;
    silent.exchanges = vec![list("[]")];
    assert!(matches!(judge(&[silent]), Verdict::NotReached(_)));
}

#[test]
fn an_answer_to_something_else_is_not_the_latest_word_on_the_task() {
    let mut run = sample::run(sample::create("Case1"));
    run.exchanges = vec![
        sample::creation("Case1", 201, &task("WAITING")),
        sample::state("COMPLETE"),
        list(r#"{"id":7}"#),
    ];
    run.report.outcome = reports(Resting::Done, &task("COMPLETE"));
    assert_eq!(judge(&[run.clone()]), Verdict::held());
    run.case = sample::wait(None);
    run.exchanges.remove(0);
    run.exchanges.push(sample::creation("Case2", 201, r#"{"id":43,"state":"WAITING"}"#));
    assert_eq!(judge(&[run]), Verdict::held());
}

#[test]
fn who_waited_in_vain_may_say_so_with_nothing_alone() {
    let in_vain = |standing, task: &str| {
        let mut run = waited(&[], reports(standing, task));
        run.exchanges = vec![sample::poll(sample::PATH, 404, r#"{"http_response":{},"code":1002}"#)];
        judge(&[run])
    };
    for nothing in ["{}", "[]", "null", r#"{"id":null}"#, r#"[{"id":null}]"#] {
        assert!(matches!(in_vain(Resting::Pending, nothing), Verdict::NotReached(_)), "{nothing}");
        assert!(in_vain(Resting::Done, nothing).is_violated(), "{nothing}");
    }
    for made_up in [r#"{"id":42}"#, "42", r#"[{"id":42}]"#, r#"{"a":null,"id":42}"#] {
        assert!(in_vain(Resting::Pending, made_up).is_violated(), "{made_up}");
    }
}

#[test]
fn of_a_look_at_an_error_or_at_nothing_at_all_other_laws_speak() {
    let done = || reports(Resting::Done, &task("COMPLETE"));
    let refused = sample::poll(sample::PATH, 404, r#"{"http_response":{},"code":1002}"#);
    assert!(matches!(judge(&[looked(refused, done())]), Verdict::NotReached(_)));
    let mut nothing = broken(Effect::Unreadable, "");
    nothing.response_body = BodyText::Empty;
    assert!(matches!(judge(&[looked(nothing, done())]), Verdict::NotReached(_)));
}

#[test]
fn a_look_that_got_over_a_lost_answer_was_put_to_the_test() {
    let mut run = looked(broken(Effect::Lost, "{\"id\":42"), reports(Resting::Done, &task("WAITING")));
    run.exchanges.push(sample::state("WAITING"));
    run.report.by_exit_code = true;
    assert_eq!(judge(&[run.clone()]), Verdict::held());
    run.exchanges.remove(0);
    assert!(matches!(judge(&[run]), Verdict::NotApplicable(_)));
}

#[test]
fn without_a_task_something_must_have_gone_wrong_to_be_a_test() {
    let error = || Outcome::Error { text: "no".into() };
    assert!(matches!(judge(&[waited(&["WAITING"], error())]), Verdict::NotReached(_)));
    assert!(matches!(judge(&[looked(sample::state("WAITING"), Outcome::GaveUp)]), Verdict::NotReached(_)));
    let mut regressed = waited(&["COMPLETE", "WAITING"], Outcome::GaveUp);
    regressed.exchanges[1].faults.push(sample::fault(Effect::Altered));
    assert!(matches!(judge(&[regressed]), Verdict::NotReached(_)), "it had seen the end");
}

#[test]
fn what_a_list_shows_may_be_said_where_no_look_came_through() {
    let failed = || sample::poll(sample::PATH, 500, r#"{"http_response":{},"code":1020}"#);
    let judged = |shown: &str, standing, reported: &str| {
        let mut run = waited(&[], reports(standing, reported));
        run.exchanges = vec![failed(), list(&format!("[{shown}]"))];
        judge(&[run])
    };
    let done = task("COMPLETE");
    assert_eq!(judged(&done, Resting::Done, &done), Verdict::held());
    assert_eq!(judged(r#"{"id":42}"#, Resting::Done, r#"{"id":42}"#), Verdict::held(), "it shows no state");
    assert!(because(judged(&done, Resting::Done, r#"{"id":43}"#)).contains("no answer came whole"));
}

#[test]
fn results_and_lists_say_how_a_task_stands_and_other_answers_do_not() {
    let about = About::of(JobKind::Wait, "GET /ariel/searches/{search_id}").unwrap();
    let judged = |endpoint: &str, body: &str, standing| {
        let mut run = waited(&[], reports(standing, r#"{"status":"EXECUTE"}"#));
        run.case.about = about;
        let mut poll = sample::poll("/api/ariel/searches/a", 200, r#"{"status":"EXECUTE"}"#);
        poll.key.endpoint = about.shows.id.clone();
        let mut other = sample::poll("/api/other", 200, body);
        other.key.endpoint = endpoint.into();
        run.exchanges = vec![poll, other];
        judge(&[run])
    };
    let results = "GET /ariel/searches/{search_id}/results";
    assert_eq!(judged(results, r#"{"events":[]}"#, Resting::Done), Verdict::held());
    assert!(judged(results, r#"{"events":[]}"#, Resting::Failed).is_violated());
    assert!(judged("GET /help/versions", r#"{"events":[]}"#, Resting::Done).is_violated());
    assert_eq!(judged("GET /ariel/searches", r#"[{"status":"COMPLETED"}]"#, Resting::Done), Verdict::held());
    assert!(judged("GET /ariel/searches", r#"[{"status":"EXECUTE"}]"#, Resting::Done).is_violated());
}

#[test]
fn what_is_null_in_one_of_both_is_no_difference() {
    for (came, reported) in [
        (r#"{"id":42,"state":"COMPLETE","case_id":7}"#, r#"{"id":42,"state":"COMPLETE","case_id":null}"#),
        (r#"{"id":42,"state":"COMPLETE","case_id":null}"#, r#"{"id":42,"state":"COMPLETE","case_id":7}"#),
    ] {
        let mut run = waited(&["WAITING"], reports(Resting::Done, reported));
        run.exchanges.push(sample::poll(sample::PATH, 200, came));
        assert_eq!(judge(&[run]), Verdict::held(), "{reported}");
    }
}

#[test]
fn an_answer_that_did_not_come_puts_no_task_out_of_order() {
    let mut run = waited(&["WAITING", "COMPLETE", "PROCESSING"], reports(Resting::Pending, &task("WAITING")));
    run.exchanges[1].faults.push(sample::fault(Effect::Lost));
    assert!(because(judge(&[run])).contains("an earlier answer"));
}

#[test]
fn a_word_of_no_kind_may_be_taken_for_an_error_or_for_nothing_known() {
    for (standing, holds) in [(Resting::Pending, true), (Resting::Done, false)] {
        let run = waited(&["WITH_ERRORS"], reports(standing, &task("WITH_ERRORS")));
        assert_eq!(judge(&[run]) == Verdict::held(), holds, "{standing}");
    }
}

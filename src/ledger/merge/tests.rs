use super::*;
use crate::ledger::Sum;
use crate::ledger::stable;
use crate::ledger::{Exchange, ExchangeKey};
use crate::ledger::{Standing, Timing, VerdictLine};

/// A ledger of one run, as `run --ledger` writes it: two requests that took their time.
fn ran(scenario: &str, seed: u64, at_us: u64, exit: Exit) -> Vec<Line> {
    let key = |nth| ExchangeKey { session: MAIN.into(), nth, ..ExchangeKey::default() };
    let run = RunLine {
        session: MAIN.into(),
        verb: "run".into(),
        scenario: Some(scenario.into()),
        seed,
        ..RunLine::default()
    };
    let mut lines = vec![Line::Run(run)];
    for nth in 1..3 {
        lines.push(Line::Exchange(Box::new(Exchange { key: key(nth), ..Exchange::default() })));
        lines.push(Line::Timing(Timing {
            key: key(nth),
            at_us: at_us + u64::from(nth),
            ..Timing::default()
        }));
    }
    lines.push(Line::Verdict(VerdictLine {
        required: true,
        ..VerdictLine::without_a_case("a-law", scenario, Standing::Held, "")
    }));
    let mut reasons = Reasons::default();
    reasons.push(Exit::Passed, "the command passed");
    if exit != Exit::Passed {
        reasons.push(exit, "the command failed");
    }
    let sum = Sum { served: 2, modelled: 2, ..Sum::default() };
    let end = EndLine { sum, dials: 1, command: Some("passed".into()), ..EndLine::default() };
    lines.push(Line::End(end.closed(reasons)));
    lines
}

fn part(name: &str, lines: &[Line]) -> Part {
    let mut text = Vec::new();
    crate::ledger::write(lines, &mut text).unwrap();
    Part::read(name, &String::from_utf8(text).unwrap()).unwrap()
}

fn end(lines: &[Line]) -> EndLine {
    match lines.last() {
        Some(Line::End(end)) => end.clone(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn three_ledgers_are_one_in_any_order_and_the_weightiest_exit_stays() {
    let all = [
        ran("slow", 2, 10, Exit::Failed),
        ran("slow", 1, 20, Exit::Passed),
        ran("hung", 1, 30, Exit::Inconclusive),
    ];
    let merged = |order: [usize; 3]| {
        merge(order.map(|at| part(&format!("{at}.jsonl"), &all[at])).to_vec()).unwrap().lines
    };
    let lines = merged([0, 1, 2]);
    for order in [[0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]] {
        assert_eq!(merged(order), lines);
    }
    let end = end(&lines);
    assert_eq!((end.exit, end.sum.served, end.dials), (Exit::Failed, 6, 3));
    assert_eq!(
        end.because, "the command failed (slow, seed 2); the command failed (hung, seed 1)",
        "what failed says where"
    );
    assert_eq!(end.command.as_deref(), Some("passed"));
    let sessions: Vec<String> = names(&mut lines.clone());
    assert_eq!(sessions, ["hung#1", "slow#1", "slow#2"]);
    let of_verdict = |line: &Line| match line {
        Line::Verdict(verdict) => verdict.session.clone(),
        _ => None,
    };
    assert_eq!(lines.iter().filter_map(of_verdict).count(), 3);
}

#[test]
fn a_merged_ledger_can_be_merged_again() {
    let (a, b, c) =
        (ran("a", 1, 1, Exit::Passed), ran("b", 1, 1, Exit::Failed), ran("c", 1, 1, Exit::Passed));
    let two = merge(vec![part("a", &a), part("b", &b)]).unwrap().lines;
    let in_two_steps = merge(vec![part("c", &c), part("ab", &two)]).unwrap().lines;
    let at_once = merge(vec![part("a", &a), part("b", &b), part("c", &c)]).unwrap().lines;
    assert_eq!((end(&in_two_steps).sum, end(&in_two_steps).exit), (end(&at_once).sum, end(&at_once).exit));
    assert_eq!(end(&in_two_steps).because, end(&at_once).because);
    // Of one ledger nothing changes.
    assert_eq!(stable(&merge(vec![part("a", &a)]).unwrap().lines), stable(&a));
}

#[test]
fn the_same_run_twice_is_named_and_counted_once_and_an_equal_one_is_another() {
    let a = ran("a", 1, 1, Exit::Passed);
    let again = merge(vec![part("x", &a), part("y", &a), part("z", &a)]).unwrap();
    assert_eq!(end(&again.lines).sum.served, 2);
    let pair = |one: &str| (one.to_owned(), "x".to_owned());
    assert_eq!(again.doubled, [pair("y"), pair("z")]);
    // Run again, with the same seed: another run.
    let later = ran("a", 1, 99, Exit::Passed);
    let both = merge(vec![part("x", &a), part("y", &later)]).unwrap();
    assert_eq!((end(&both.lines).sum.served, both.doubled.len()), (4, 0));
    assert_eq!(names(&mut both.lines.clone()).len(), 2);
    // A part of what is merged already.
    let b = ran("b", 1, 1, Exit::Passed);
    let two = merge(vec![part("a", &a), part("b", &b)]).unwrap().lines;
    let again = merge(vec![part("a", &a), part("two", &two)]).unwrap();
    assert_eq!((end(&again.lines).sum.served, again.doubled.len()), (4, 1));
}

#[test]
fn two_ledgers_that_share_one_of_their_runs_cannot_be_told_apart_and_are_refused() {
    let [a, b, c] = ["a", "b", "c"].map(|name| ran(name, 7, 1, Exit::Passed));
    let ab = merge(vec![part("a", &a), part("b", &b)]).unwrap().lines;
    let bc = merge(vec![part("b", &b), part("c", &c)]).unwrap().lines;
    let error = merge(vec![part("ab", &ab), part("bc", &bc)]).unwrap_err().to_string();
    assert!(error.contains("`ab` and `bc` both hold the run of b with seed 7"), "{error}");
}

#[test]
fn files_put_together_by_hand_are_as_many_ledgers_and_the_first_failure_is_not_lost() {
    let mut lines = ran("a", 1, 1, Exit::Failed);
    lines.extend(ran("b", 1, 1, Exit::Passed));
    let merged = merge(vec![part("both", &lines)]).unwrap().lines;
    assert_eq!((end(&merged).exit, end(&merged).sum.served), (Exit::Failed, 4));
}

#[test]
fn a_ledger_that_was_cut_says_where() {
    let mut lines = ran("a", 1, 1, Exit::Passed);
    lines.pop();
    let mut text = Vec::new();
    crate::ledger::write(&lines, &mut text).unwrap();
    let text = String::from_utf8(text).unwrap();
    let error = Part::read("x", &text).unwrap_err().to_string();
    assert_eq!(error, "the ledger ends at line 6 without its closing line: the run was cut short");
    let error = Part::read("x", text.get(..text.len() - 20).unwrap()).unwrap_err().to_string();
    assert!(error.starts_with("line 6 of the ledger cannot be read: "), "{error}");
}

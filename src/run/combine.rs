//! What speaks for and against a run: the command's end, the wire and what the scenario says must hold.

use super::command::Ended;
use crate::ledger::{EndLine, Exit, Reason, Reasons, Standing, Sum, VerdictLine};
use crate::scenario::{CommandMust, Must};

/// Everything found out about a run, with what each asks for.
///
/// If nothing was served, and no connection met its fault, nothing was tested: then only the command's own failure outranks *inconclusive*.
pub(super) fn combine(must: &Must, ended: &Ended, end: &EndLine, verdicts: &[VerdictLine]) -> Reasons {
    let was_tested = end.sum.served + end.sum.greeted > 0;
    let mut reasons = Reasons::default();
    let (exit, why) = of_command(must.command, ended, was_tested);
    reasons.push(exit, why);
    for verdict in verdicts.iter().filter(|line| line.required && line.verdict == Standing::Violated) {
        let why = format!("{} is violated: {}", verdict.property, verdict.because);
        reasons.push_verdict(Exit::Failed, &verdict.property, why);
    }
    if !matches!(ended, Ended::NotStarted(_)) {
        end.weigh("nothing was asked of the console: does the command use FAULTDECK_URL?", &mut reasons);
    }
    reasons
}

/// The same where drawn trouble was met. It may lead a client to ask for what nobody recorded: that is told, and the client is
/// not held to get along without an answer.
pub(super) fn combine_drawn(must: &Must, ended: &Ended, end: &EndLine, verdicts: &[VerdictLine]) -> Reasons {
    let misses = end.sum.misses;
    let sum = Sum { misses: 0, ..end.sum };
    let reasons = combine(must, ended, &EndLine { sum, ..end.clone() }, verdicts);
    if misses == 0 {
        return reasons;
    }
    let is_its_own = |reason: &Reason| reason.property.is_some() || !ended.lived() && !ended.took_too_long();
    let softened = |reason: Reason| match reason.exit {
        Exit::Failed if !is_its_own(&reason) => Reason { exit: Exit::Inconclusive, ..reason },
        _ => reason,
    };
    let mut reasons = Reasons::of(reasons.into_all().into_iter().map(softened).collect());
    let asked = if misses == 1 { "1 request" } else { "requests" };
    reasons.push(Exit::Passed, format!("after trouble it made {asked} that no recording answers"));
    reasons
}

/// What the command's end comes to, beside what it must do.
pub(super) fn of_command(must: CommandMust, ended: &Ended, was_tested: bool) -> (Exit, String) {
    if *ended == Ended::Interrupted {
        return (Exit::Inconclusive, ended.to_string());
    }
    // A command that crashed, never ended or never began did not do what any scenario asks for.
    if !ended.lived() {
        return (Exit::Failed, ended.to_string());
    }
    match (must, ended.passed()) {
        (CommandMust::Any, true) | (CommandMust::Passes, true) => (Exit::Passed, ended.to_string()),
        (CommandMust::Any, false) => (Exit::Passed, format!("{ended}, which is allowed")),
        (CommandMust::Passes, false) => (Exit::Failed, ended.to_string()),
        (CommandMust::Fails, false) => (Exit::Passed, format!("{ended}, as it must")),
        (CommandMust::Fails, true) => {
            let exit = if was_tested { Exit::Failed } else { Exit::Inconclusive };
            (exit, format!("{ended}, but it must fail"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn must(command: CommandMust) -> Must {
        Must { command, ..Must::default() }
    }

    fn served(requests: u64) -> EndLine {
        EndLine { sum: Sum { served: requests, ..Sum::default() }, ..EndLine::default() }
    }

    fn missed(misses: u64) -> EndLine {
        EndLine { sum: Sum { served: 9, misses, ..Sum::default() }, ..EndLine::default() }
    }

    fn violated() -> VerdictLine {
        VerdictLine {
            property: "terminates".into(),
            scenario: "s".into(),
            client: String::new(),
            verdict: Standing::Violated,
            required: true,
            because: "still polling".into(),
            evidence: vec![],
            cases: 1,
            session: None,
            found: None,
            repeat: None,
            rests_on: None,
            known: None,
        }
    }

    #[test]
    fn the_command_and_what_it_must_do_decide() {
        let (good, bad) = (Ended::Exited(0), Ended::Exited(1));
        let table = [
            (CommandMust::Passes, &good, Exit::Passed),
            (CommandMust::Passes, &bad, Exit::Failed),
            (CommandMust::Fails, &good, Exit::Failed),
            (CommandMust::Fails, &bad, Exit::Passed),
            (CommandMust::Any, &good, Exit::Passed),
            (CommandMust::Any, &bad, Exit::Passed),
        ];
        for (command, ended, exit) in table {
            assert_eq!(combine(&must(command), ended, &served(3), &[]).exit(), exit, "{command:?} {ended:?}");
        }
    }

    #[test]
    fn a_run_that_asked_nothing_is_never_green() {
        let nothing = served(0);
        for command in [CommandMust::Passes, CommandMust::Fails, CommandMust::Any] {
            assert_eq!(combine(&must(command), &Ended::Exited(0), &nothing, &[]).exit(), Exit::Inconclusive);
        }
        assert_eq!(
            combine(&must(CommandMust::Fails), &Ended::Exited(1), &nothing, &[]).exit(),
            Exit::Inconclusive
        );
        assert_eq!(
            combine(&must(CommandMust::Passes), &Ended::Exited(1), &nothing, &[]).exit(),
            Exit::Failed
        );
    }

    #[test]
    fn a_violation_outweighs_a_miss_and_is_told_first() {
        let end = EndLine { never_fired: vec!["slow: reset".into()], ..missed(2) };
        let reasons = combine(&must(CommandMust::Passes), &Ended::Exited(0), &end, &[violated()]);
        let because = reasons.because();
        assert_eq!(reasons.exit(), Exit::Failed);
        assert!(
            because.starts_with("terminates is violated: still polling; never fired: slow: reset; "),
            "{because}"
        );
    }

    #[test]
    fn misses_and_silent_faults_are_inconclusive() {
        for end in [
            missed(1),
            EndLine { never_fired: vec!["x".into()], ..served(3) },
            EndLine { lost_lines: 1, ..served(3) },
        ] {
            assert_eq!(
                combine(&must(CommandMust::Any), &Ended::Exited(0), &end, &[]).exit(),
                Exit::Inconclusive
            );
        }
    }

    #[test]
    fn what_nobody_recorded_is_held_against_nobody_after_drawn_trouble() {
        let exit = |ended: Ended, misses, verdicts: &[VerdictLine]| {
            combine_drawn(&must(CommandMust::Passes), &ended, &missed(misses), verdicts).exit()
        };
        let took = Ended::TimedOut(std::time::Duration::from_secs(5));
        assert_eq!(exit(Ended::Exited(0), 2, &[]), Exit::Passed);
        for ended in [Ended::Exited(1), took.clone()] {
            assert_eq!(exit(ended.clone(), 2, &[]), Exit::Inconclusive, "{ended}");
            assert_eq!(exit(ended, 0, &[]), Exit::Failed);
        }
        // A crash and a broken law are the client's own all the same.
        assert_eq!(exit(Ended::Killed(11), 2, &[]), Exit::Failed);
        assert_eq!(exit(Ended::Exited(0), 2, &[violated()]), Exit::Failed);
    }

    #[test]
    fn a_command_that_was_cut_short_proves_nothing_and_one_that_did_not_live_fails() {
        for command in [CommandMust::Passes, CommandMust::Fails, CommandMust::Any] {
            let exit = |ended| combine(&must(command), &ended, &served(1), &[]).exit();
            assert_eq!(exit(Ended::Interrupted), Exit::Inconclusive);
            for ended in [
                Ended::NotStarted("x".into()),
                Ended::TimedOut(std::time::Duration::from_secs(5)),
                Ended::Killed(11),
                Ended::Exited(126),
                Ended::Exited(127),
            ] {
                assert_eq!(exit(ended), Exit::Failed);
            }
        }
    }
}

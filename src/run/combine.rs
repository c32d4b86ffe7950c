//! What a run comes to: the command's end, the wire and the scenario's `[must]`, by the order of [`Exit`].

use super::command::Ended;
use super::exit::Exit;
use crate::ledger::{EndLine, Standing, VerdictLine};
use crate::scenario::{CommandMust, Must};

/// The exit code of a run, and why, the weightiest reason first.
///
/// If nothing was served, nothing was tested: then only the command's own failure outranks *inconclusive*.
pub fn combine(must: &Must, ended: &Ended, end: &EndLine, verdicts: &[VerdictLine]) -> (Exit, String) {
    let mut reasons = vec![of_command(must.command, ended, end.served > 0)];
    let started = !matches!(ended, Ended::NotStarted(_));
    if end.served == 0 && started {
        reasons.push((
            Exit::Inconclusive,
            "nothing was asked of the console: does the command use FAULTDECK_URL?".to_owned(),
        ));
    }
    let violated =
        verdicts.iter().filter(|verdict| verdict.required && verdict.verdict == Standing::Violated);
    reasons.extend(
        violated
            .map(|verdict| (Exit::Failed, format!("{} is violated: {}", verdict.property, verdict.because))),
    );
    if let Some(most) = must.see.requests_max
        && end.served > most
    {
        reasons
            .push((Exit::Failed, format!("{} requests were made, at most {most} are allowed", end.served)));
    }
    if !end.never_fired.is_empty() && end.served > 0 {
        reasons.push((Exit::Inconclusive, format!("never fired: {}", end.never_fired.join(", "))));
    }
    if end.lost_lines > 0 {
        let why = "the run was too long for its ledger: its end was not judged".to_owned();
        reasons.push((Exit::Inconclusive, why));
    }
    if end.misses > 0 {
        let requests = if end.misses == 1 { "request was" } else { "requests were" };
        reasons.push((Exit::Inconclusive, format!("{} {requests} answered by no recording", end.misses)));
    }
    let exit = reasons.iter().map(|(exit, _)| *exit).fold(Exit::Passed, Exit::and);
    reasons.sort_by_key(|(exit, _)| std::cmp::Reverse(*exit));
    // What went well is no news beside what did not.
    let told = reasons.into_iter().filter(|(worth, _)| exit == Exit::Passed || *worth > Exit::Passed);
    (exit, told.map(|(_, why)| why).collect::<Vec<_>>().join("; "))
}

fn of_command(must: CommandMust, ended: &Ended, served: bool) -> (Exit, String) {
    match ended {
        Ended::NotStarted(_) | Ended::Interrupted => return (Exit::Inconclusive, ended.to_string()),
        // A command that never ends did not do what any scenario asks for.
        Ended::TimedOut(_) => return (Exit::Failed, ended.to_string()),
        Ended::Exited(_) | Ended::Killed(_) => {}
    }
    match (must, ended.passed()) {
        (CommandMust::Any, true) | (CommandMust::Passes, true) => (Exit::Passed, ended.to_string()),
        (CommandMust::Any, false) => (Exit::Passed, format!("{ended}, which this scenario allows")),
        (CommandMust::Passes, false) => (Exit::Failed, ended.to_string()),
        (CommandMust::Fails, false) => (Exit::Passed, format!("{ended}, as it must under this scenario")),
        (CommandMust::Fails, true) => {
            let exit = if served { Exit::Failed } else { Exit::Inconclusive };
            (exit, format!("{ended}, but under this scenario it must fail"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::See;

    fn must(command: CommandMust) -> Must {
        Must { command, ..Must::default() }
    }

    fn served(requests: u64) -> EndLine {
        EndLine { served: requests, ..EndLine::default() }
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
            assert_eq!(combine(&must(command), ended, &served(3), &[]).0, exit, "{command:?} {ended:?}");
        }
    }

    #[test]
    fn a_run_that_asked_nothing_is_never_green() {
        let nothing = served(0);
        for command in [CommandMust::Passes, CommandMust::Fails, CommandMust::Any] {
            assert_eq!(combine(&must(command), &Ended::Exited(0), &nothing, &[]).0, Exit::Inconclusive);
        }
        assert_eq!(
            combine(&must(CommandMust::Fails), &Ended::Exited(1), &nothing, &[]).0,
            Exit::Inconclusive
        );
        assert_eq!(combine(&must(CommandMust::Passes), &Ended::Exited(1), &nothing, &[]).0, Exit::Failed);
    }

    #[test]
    fn a_violation_outweighs_a_miss_and_is_told_first() {
        let end = EndLine { misses: 2, never_fired: vec!["slow: reset".into()], ..served(9) };
        let (exit, because) = combine(&must(CommandMust::Passes), &Ended::Exited(0), &end, &[violated()]);
        assert_eq!(exit, Exit::Failed);
        assert!(
            because.starts_with("terminates is violated: still polling; never fired: slow: reset; "),
            "{because}"
        );
    }

    #[test]
    fn misses_and_silent_faults_are_inconclusive() {
        for end in [
            EndLine { misses: 1, ..served(3) },
            EndLine { never_fired: vec!["x".into()], ..served(3) },
            EndLine { lost_lines: 1, ..served(3) },
        ] {
            assert_eq!(combine(&must(CommandMust::Any), &Ended::Exited(0), &end, &[]).0, Exit::Inconclusive);
        }
    }

    #[test]
    fn too_many_requests_break_see() {
        let must = Must { see: See { requests_max: Some(40) }, ..Must::default() };
        assert_eq!(combine(&must, &Ended::Exited(0), &served(40), &[]).0, Exit::Passed);
        assert_eq!(combine(&must, &Ended::Exited(0), &served(41), &[]).0, Exit::Failed);
    }

    #[test]
    fn a_command_that_was_cut_short_proves_nothing_and_one_that_hangs_fails() {
        for command in [CommandMust::Passes, CommandMust::Fails, CommandMust::Any] {
            let exit = |ended| combine(&must(command), &ended, &served(1), &[]).0;
            assert_eq!(exit(Ended::Interrupted), Exit::Inconclusive);
            assert_eq!(exit(Ended::NotStarted("x".into())), Exit::Inconclusive);
            assert_eq!(exit(Ended::TimedOut(super::super::command::GRACE)), Exit::Failed);
        }
    }
}

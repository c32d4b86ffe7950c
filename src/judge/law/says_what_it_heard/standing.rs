//! The standing: done, usable and failed are claims that an answer must have made before.

use super::content::each;
use super::{Heard, brought, tells, waits};
use crate::client::{JobKind, Resting};
use crate::json::Json;
use crate::judge::case::Run;
use crate::judge::verdict::Verdict;
use crate::judge::wire;
use crate::profile::{Lifecycle, Profile};
use crate::timeline::Phase;

/// A state that an answer showed.
pub(super) struct Shown {
    how: Heard,
    state: String,
    /// `None` for a word that this kind of task does not know.
    phase: Option<Phase>,
}

/// What is wrong with a standing, if anything; `shown` are the states that came.
pub(super) fn wrong(run: &Run, standing: Resting, shown: &[Shown]) -> Option<String> {
    let life = run.case.about.life?;
    if run.case.job == JobKind::Get && run.report.by_exit_code {
        return None;
    }
    if shown.is_empty() {
        return of_nothing_shown(run, standing);
    }
    let counted = if waits(run) { counted(shown) } else { shown };
    if waits(run) && counted.iter().any(|shown| shown.phase == Some(Phase::Partial)) {
        // Another law's.
        return None;
    }
    let fits = counted.iter().any(|shown| fits(run, standing, shown));
    if fits || said_elsewhere(run, life, standing) {
        return None;
    }
    let last = counted.last()?;
    Some(format!("it reports the task as {standing}; the last answer showed the state {}", last.state))
}

/// What a standing with which nothing is wrong comes to.
pub(super) fn compared(run: &Run, shown: &[Shown]) -> Verdict {
    if run.case.about.life.is_none() {
        return Verdict::NotApplicable("what it asks for is no task, and has no standing".to_owned());
    }
    if run.case.job == JobKind::Get && run.report.by_exit_code {
        let why = "its exit code says that the look went well, and nothing of how the task stands";
        return Verdict::NotApplicable(why.to_owned());
    }
    if shown.is_empty() { Verdict::not_reached("no answer showed a state") } else { Verdict::held() }
}

/// The states that came, in order; none of what is no task.
pub(super) fn shown(run: &Run) -> Vec<Shown> {
    let mut all = Vec::new();
    let Some(life) = run.case.about.life else { return all };
    for exchange in run.exchanges.iter().filter(|exchange| tells(run, exchange)) {
        let Some((how, text)) = brought(run, exchange) else { continue };
        // A ledger that does not keep the text keeps the state.
        let state = match text.and_then(|text| Json::parse(text).ok()) {
            Some(json) => life.state_of(&json).map(|(_, state)| state.to_owned()),
            None => exchange.state.clone(),
        };
        let Some(state) = state else { continue };
        all.push(Shown { how, phase: life.phase(&state), state });
    }
    all
}

/// Those a client may go by: the last one it surely heard and what came after. A task that went backwards, or stands in
/// a word of no kind, may be taken by any of them.
fn counted(shown: &[Shown]) -> &[Shown] {
    let ranks: Option<Vec<u8>> = shown.iter().map(|shown| shown.phase.map(Phase::rank)).collect();
    let goes_on = ranks.is_some_and(|ranks| ranks.is_sorted());
    if !goes_on {
        return shown;
    }
    let last = shown.iter().rposition(|shown| shown.how == Heard::Surely).unwrap_or(0);
    shown.get(last..).unwrap_or(shown)
}

/// No answer showed a state. Whoever looks may not have asked for one; whoever waits had nothing to go by.
fn of_nothing_shown(run: &Run, standing: Resting) -> Option<String> {
    let may_be_hidden = run.exchanges.iter().any(wire::is_disturbed);
    let says = waits(run) && standing != Resting::Pending && !may_be_hidden;
    let came = run.exchanges.iter().any(|exchange| tells(run, exchange) && brought(run, exchange).is_some());
    (says && came).then(|| format!("it reports the task as {standing}, and no answer showed a state"))
}

/// Whether a client may say so of a task in this state.
fn fits(run: &Run, standing: Resting, shown: &Shown) -> bool {
    let word = shown.state.to_ascii_uppercase();
    let meanings = meanings(shown);
    let means = |phase: Phase| meanings.contains(&phase);
    let is_plainly_failed = ["FAIL", "ERROR", "EXCEPTION"].iter().any(|part| word.contains(part));
    match standing {
        Resting::Done => means(Phase::Done),
        // An end with errors in single parts may be called either (ours).
        Resting::Usable => means(Phase::Partial) || (means(Phase::Done) && is_plainly_failed),
        Resting::Failed => {
            means(Phase::Failed) || means(Phase::Cancelled) || (means(Phase::Done) && is_plainly_failed)
        }
        // It stands for "not known" too: a client that waited must know an end that is plain.
        Resting::Pending => {
            !waits(run) || !(means(Phase::Done) || (means(Phase::Failed) && is_plainly_failed))
        }
    }
}

/// The kinds of state a word may stand for. One that this kind of task does not know may be that of another kind, or be
/// spelt in small letters: a client that takes it so guesses well.
fn meanings(shown: &Shown) -> Vec<Phase> {
    if let Some(phase) = shown.phase {
        return vec![phase];
    }
    let is_it = |spelling: &str| spelling.eq_ignore_ascii_case(&shown.state);
    let lives = Profile::builtin().lifecycles();
    lives
        .flat_map(|life| &life.phases)
        .filter(|(spelling, _)| is_it(spelling))
        .map(|(_, phase)| *phase)
        .collect()
}

/// Whether an answer to another request says so: a list that shows the task, the results that an end makes, the answer
/// to calling it off.
fn said_elsewhere(run: &Run, life: &Lifecycle, standing: Resting) -> bool {
    run.exchanges.iter().filter(|exchange| !tells(run, exchange)).any(|exchange| {
        let Some((how, text)) = brought(run, exchange) else { return false };
        let has_results = life.results.iter().any(|results| results.endpoint == exchange.key.endpoint);
        if has_results && standing == Resting::Done {
            return true;
        }
        let Some(json) = text.and_then(|text| Json::parse(text).ok()) else { return true };
        each(&json).iter().filter_map(|one| life.state_of(one)).any(|(_, state)| {
            let shown = Shown { how, state: state.to_owned(), phase: life.phase(state) };
            fits(run, standing, &shown)
        })
    })
}

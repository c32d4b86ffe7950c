//! The runs of a matrix: how each ended, and what all of them come to.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::exit::{Exit, Reasons};
use super::known::{Came, KnownMark, weigh_marks};

/// Of how many scenarios a reason is told.
const REASONS_NAMED: usize = 5;
/// How many seeds are named in a reason.
const SEEDS_NAMED: usize = 5;

/// What a run of a matrix came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RunStanding {
    /// Everything that was asked for holds.
    Passed,
    /// It failed as it is known to, and counts against nobody.
    Known,
    /// The command never came near what the scenario is about: it says nothing, and counts against nobody.
    Skipped,
    /// It never began: time was up, or an earlier one had failed.
    NotRun,
    /// It was run, and nothing was put to the test, or not all.
    Inconclusive,
    /// It failed, and passed when it was run again under the same seed.
    Flaky,
    /// The command, or a property, failed.
    Failed,
}

impl RunStanding {
    /// All of them, the weightiest last.
    pub const ALL: [Self; 7] = [
        Self::Passed,
        Self::Known,
        Self::Skipped,
        Self::NotRun,
        Self::Inconclusive,
        Self::Flaky,
        Self::Failed,
    ];

    /// In a word or two.
    pub fn word(self) -> &'static str {
        match self {
            Self::Passed => "passed",
            Self::Known => "known",
            Self::Skipped => "skipped",
            Self::NotRun => "not run",
            Self::Inconclusive => "inconclusive",
            Self::Flaky => "flaky",
            Self::Failed => "FAILED",
        }
    }

    /// What one such run asks for.
    pub fn exit(self) -> Exit {
        match self {
            Self::Passed | Self::Known | Self::Skipped => Exit::Passed,
            Self::NotRun | Self::Inconclusive | Self::Flaky => Exit::Inconclusive,
            Self::Failed => Exit::Failed,
        }
    }
}

/// How one run of a matrix ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RanLine {
    /// Its session: `SCENARIO#SEED`. Its exchanges and verdicts have it.
    pub session: String,
    /// The scenario; empty if there was none.
    pub scenario: String,
    /// The seed.
    pub seed: u64,
    /// What it came to.
    pub standing: RunStanding,
    /// Why, in one sentence.
    pub because: String,
    /// How often it was run again under the same seed, and how often it passed then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub again: Option<(u32, u32)>,
    /// Planned faults with a chance that did not fire here: one that fired in no run of its scenario put nothing to the test.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub silent: Vec<String>,
    /// The command line that does this run again.
    pub repeat: String,
    /// Which part of the matrix was run, of how many, if it was cut into parts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub part: Option<(usize, usize)>,
    /// How many runs the whole matrix has, if it was cut: a part beyond them has none, and is not missed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub whole: Option<usize>,
    /// The known failures that are about this run, and what became of each.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub known: Vec<KnownMark>,
}

/// All that is said of a part that has no run, for there are more parts than runs.
pub(super) const EMPTY_PART: &str = "there is nothing to run in this part of the matrix";

impl RanLine {
    /// The name of a run's session.
    pub fn session(scenario: &str, seed: u64) -> String {
        format!("{scenario}#{seed}")
    }
}

/// The runs of each scenario by seed; the scenario with the weightiest standing first, those alike by name. The order of the
/// runs does not matter.
pub fn by_scenario<'r>(runs: &[&'r RanLine]) -> Vec<(&'r str, Vec<&'r RanLine>)> {
    let mut of: BTreeMap<&str, Vec<&RanLine>> = BTreeMap::new();
    runs.iter().for_each(|run| of.entry(&run.scenario).or_default().push(run));
    of.values_mut().for_each(|group| group.sort_by_key(|run| (run.seed, run.standing)));
    let mut groups: Vec<_> = of.into_iter().collect();
    groups.sort_by_key(|(_, group)| Reverse(group.iter().map(|run| run.standing).max()));
    groups
}

/// What all runs come to: a reason for each scenario and standing, which names the first seeds. The order of the runs does
/// not matter.
pub fn weigh_runs(runs: &[&RanLine], reasons: &mut Reasons) {
    if runs.is_empty() {
        return reasons.push(Exit::Inconclusive, EMPTY_PART);
    }
    let mut counts: BTreeMap<RunStanding, usize> = BTreeMap::new();
    runs.iter().for_each(|run| *counts.entry(run.standing).or_default() += 1);
    let worst = counts.keys().map(|standing| standing.exit()).max().unwrap_or_default();
    let said: Vec<String> =
        counts.iter().rev().map(|(standing, count)| format!("{count} {}", standing.word())).collect();
    reasons.push(worst, format!("{} {}: {}", runs.len(), runs_of(runs.len()), said.join(", ")));
    let (mut named, mut more) = (0, Vec::new());
    for (scenario, group) in by_scenario(runs) {
        for standing in RunStanding::ALL {
            let these: Vec<&&RanLine> = group.iter().filter(|run| run.standing == standing).collect();
            if let (Some(first), true) = (these.first(), standing.exit() > Exit::Passed) {
                named += 1;
                if named > REASONS_NAMED {
                    more.push(standing.exit());
                    continue;
                }
                let name = if scenario.is_empty() { "without a scenario" } else { scenario };
                let of = format!("{} of {} {}", these.len(), group.len(), runs_of(group.len()));
                let why = format!("{name}: {of} {} ({}): {}", standing.word(), seeds(&these), first.because);
                reasons.push(standing.exit(), why);
            }
        }
        for fault in silent_everywhere(&group) {
            reasons.push(Exit::Inconclusive, format!("never fired in any of its runs: {fault}"));
        }
    }
    weigh_known(runs, reasons);
    if let Some(exit) = more.iter().max() {
        reasons.push(*exit, format!("and {} more like these: see the table of runs", more.len()));
    }
    if counts.keys().all(|standing| *standing == RunStanding::Skipped) {
        reasons.push(Exit::Inconclusive, "the command came near nothing that any scenario is about");
    }
}

/// What is known of the runs: what was let pass, by entry, and what did not happen in any run.
fn weigh_known(runs: &[&RanLine], reasons: &mut Reasons) {
    let mut passed: BTreeMap<&KnownMark, Vec<&&RanLine>> = BTreeMap::new();
    for run in runs {
        for mark in run.known.iter().filter(|mark| mark.came == Came::Failed) {
            passed.entry(mark).or_default().push(run);
        }
    }
    for (mark, mut these) in passed {
        these.sort_by_key(|run| run.seed);
        let (entry, count) = (&mark.entry, these.len());
        let why = format!(
            "{}: {count} {} known ({}) {}",
            entry.about(),
            runs_of(count),
            seeds(&these),
            entry.in_words()
        );
        reasons.push(Exit::Passed, why);
    }
    let marks: Vec<&KnownMark> = runs.iter().flat_map(|run| &run.known).collect();
    weigh_marks(&marks, reasons);
}

fn runs_of(count: usize) -> &'static str {
    if count == 1 { "run" } else { "runs" }
}

/// The parts of a matrix that `runs` lack: what nobody handed in has not passed. A part by itself lacks the others, and
/// says so only where all are put together.
pub(super) fn weigh_parts(runs: &[&RanLine], reasons: &mut Reasons) {
    let parts: BTreeSet<(usize, usize)> = runs.iter().filter_map(|run| run.part).collect();
    let numbers: BTreeSet<usize> = parts.iter().map(|(_, of)| *of).collect();
    for of in numbers {
        let there = parts.iter().filter(|(_, all)| *all == of).count();
        let wholes = runs.iter().filter(|run| run.part.is_some_and(|(_, all)| all == of));
        let with_runs = wholes.filter_map(|run| run.whole).max().map_or(of, |whole| whole.min(of));
        if there < with_runs {
            let missing = with_runs - there;
            reasons.push(Exit::Inconclusive, format!("{missing} of {of} parts of the matrix are missing"));
        }
    }
}

/// `seed 3`, `seeds 3, 7, 9 and 4 more`.
fn seeds(runs: &[&&RanLine]) -> String {
    let named: Vec<String> = runs.iter().take(SEEDS_NAMED).map(|run| run.seed.to_string()).collect();
    let more = runs.len().saturating_sub(SEEDS_NAMED);
    let word = if runs.len() == 1 { "seed" } else { "seeds" };
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    format!("{word} {}{more}", named.join(", "))
}

/// Faults that were silent in each run of their scenario in which they could have fired.
fn silent_everywhere<'r>(runs: &[&'r RanLine]) -> BTreeSet<&'r str> {
    let is_over = |run: &&&RanLine| !matches!(run.standing, RunStanding::NotRun | RunStanding::Skipped);
    // A command that fails as known may stop before anything else can happen to it.
    if runs.iter().filter(is_over).all(|run| run.standing == RunStanding::Known) {
        return BTreeSet::new();
    }
    let mut over = runs.iter().filter(is_over);
    let of = |run: &'r RanLine| run.silent.iter().map(String::as_str).collect::<BTreeSet<_>>();
    let Some(first) = over.next() else { return BTreeSet::new() };
    over.fold(of(first), |left, run| left.intersection(&of(run)).copied().collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ran(scenario: &str, seed: u64, standing: RunStanding, silent: &[&str]) -> RanLine {
        RanLine {
            session: RanLine::session(scenario, seed),
            scenario: scenario.to_owned(),
            seed,
            standing,
            because: format!("because of {seed}"),
            again: None,
            silent: silent.iter().map(|name| (*name).to_owned()).collect(),
            repeat: String::new(),
            part: None,
            whole: None,
            known: Vec::new(),
        }
    }

    fn weighed(runs: &[RanLine]) -> (Exit, String) {
        let mut reasons = Reasons::default();
        weigh_runs(&runs.iter().collect::<Vec<_>>(), &mut reasons);
        (reasons.exit(), reasons.because())
    }

    #[test]
    fn a_failure_outweighs_all_and_names_its_seeds_whatever_their_order() {
        use RunStanding::{Failed, Flaky, Passed};
        let mut runs = vec![ran("a", 1, Passed, &[]), ran("a", 9, Failed, &[]), ran("a", 2, Failed, &[])];
        runs.push(ran("b", 1, Flaky, &[]));
        let (exit, because) = weighed(&runs);
        assert_eq!(exit, Exit::Failed);
        assert_eq!(
            because,
            "4 runs: 2 FAILED, 1 flaky, 1 passed; a: 2 of 3 runs FAILED (seeds 2, 9): because of 2; \
             b: 1 of 1 run flaky (seed 1): because of 1"
        );
        runs.reverse();
        assert_eq!(weighed(&runs), (exit, because));
    }

    #[test]
    fn of_many_scenarios_the_first_are_told_and_the_others_counted() {
        let runs: Vec<RanLine> =
            (0..20).map(|n| ran(&format!("s{n:02}"), 1, RunStanding::Failed, &[])).collect();
        let (exit, because) = weighed(&runs);
        assert_eq!(exit, Exit::Failed);
        assert!(because.ends_with("; and 15 more like these: see the table of runs"), "{because}");
        assert!(because.contains("s04: ") && !because.contains("s05"), "{because}");
    }

    #[test]
    fn what_was_skipped_counts_only_if_all_was() {
        use RunStanding::{Passed, Skipped};
        assert_eq!(weighed(&[ran("a", 1, Skipped, &[]), ran("b", 1, Passed, &[])]).0, Exit::Passed);
        assert_eq!(weighed(&[ran("a", 1, Skipped, &[]), ran("b", 1, Skipped, &[])]).0, Exit::Inconclusive);
    }

    #[test]
    fn a_chance_that_never_came_up_in_any_run_is_told() {
        use RunStanding::{Passed, Skipped};
        let once = [ran("a", 1, Passed, &["x", "y"]), ran("a", 2, Passed, &["y"]), ran("a", 3, Skipped, &[])];
        let (exit, because) = weighed(&once);
        assert_eq!((exit, because.as_str()), (Exit::Inconclusive, "never fired in any of its runs: y"));
        assert_eq!(weighed(&[ran("a", 1, Passed, &["x"]), ran("a", 2, Passed, &[])]).0, Exit::Passed);
    }
}

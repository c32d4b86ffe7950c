//! The runs of a matrix: a row a scenario, and how to do the first failed ones again.

use std::collections::BTreeMap;

use super::account::Account;
use super::table::{Cell, aligned};
use super::{Paint, visible};
use crate::ledger::{RanLine, RunStanding, Standing, VerdictLine, by_scenario};

/// From how many rows on those are left out that all passed.
const ROWS_SHOWN: usize = 12;
/// How many seeds are named in a row.
const SEEDS_SHOWN: usize = 6;
/// For how many runs it is said how to do them again.
const REPEATS_SHOWN: usize = 5;
/// How many scenarios that were skipped are named.
const SKIPPED_SHOWN: usize = 12;

/// The table; nothing if there was one run.
pub(super) fn runs(account: &Account<'_>, paint: Paint) -> String {
    if account.ran.is_empty() {
        return String::new();
    }
    let groups = by_scenario(&account.ran);
    let is_all = |group: &[&RanLine], standing| group.iter().all(|run| run.standing == standing);
    let (skipped, shown): (Vec<_>, Vec<_>) =
        groups.into_iter().partition(|(_, group)| is_all(group, RunStanding::Skipped));
    // Of many rows those that all passed say the least.
    let is_folded = |group: &[&RanLine]| shown.len() > ROWS_SHOWN && is_all(group, RunStanding::Passed);
    let (folded, shown): (Vec<_>, Vec<_>) =
        shown.iter().map(|(name, group)| (*name, group.as_slice())).partition(|(_, group)| is_folded(group));
    let mut text = format!("{}\n", paint.heading("Runs"));
    if !shown.is_empty() {
        let head = ["scenario", "runs", "came to", "seeds"].map(Cell::plain);
        let rows = shown.iter().map(|(scenario, group)| row(scenario, group, paint));
        text.push_str(&aligned(&std::iter::once(head.to_vec()).chain(rows).collect::<Vec<_>>()));
    }
    if !folded.is_empty() {
        let many: usize = folded.iter().map(|(_, group)| group.len()).sum();
        text.push_str(&format!("  all passed: {} more scenarios, {many} runs\n", folded.len()));
    }
    if !skipped.is_empty() {
        let names: Vec<_> = skipped.iter().take(SKIPPED_SHOWN).map(|(name, _)| visible(name)).collect();
        let more = skipped.len().saturating_sub(SKIPPED_SHOWN);
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        text.push_str(&format!(
            "  skipped, for the command asks for nothing that they are about: {}{more}\n",
            names.join(", ")
        ));
    }
    text.push_str(&repeats(&account.ran, paint));
    text
}

pub(super) fn row(scenario: &str, group: &[&RanLine], paint: Paint) -> Vec<Cell> {
    let name = if scenario.is_empty() { "(none)".into() } else { visible(scenario) };
    let mut of: BTreeMap<RunStanding, Vec<u64>> = BTreeMap::new();
    group.iter().for_each(|run| of.entry(run.standing).or_default().push(run.seed));
    let count = |(standing, seeds): (&RunStanding, &Vec<u64>)| format!("{} {}", seeds.len(), standing.word());
    let came: Vec<String> = of.iter().rev().map(count).collect();
    let worst = of.keys().next_back().copied().unwrap_or(RunStanding::Passed);
    let came = came.join(", ");
    let painted = match worst {
        RunStanding::Failed => paint.bad(&came),
        RunStanding::Passed => paint.good(&came),
        RunStanding::Skipped | RunStanding::Known => came.clone(),
        RunStanding::NotRun | RunStanding::Inconclusive | RunStanding::Flaky => paint.doubtful(&came),
    };
    let bad = of.iter().rev().filter(|(standing, _)| **standing >= RunStanding::Inconclusive);
    let mut bad: Vec<u64> = bad.flat_map(|(_, seeds)| seeds.iter().copied()).collect();
    let more = bad.len().saturating_sub(SEEDS_SHOWN);
    bad.truncate(SEEDS_SHOWN);
    let mut seeds = bad.iter().map(u64::to_string).collect::<Vec<_>>().join(", ");
    if more > 0 {
        seeds.push_str(&format!(" and {more} more"));
    }
    vec![
        Cell::plain(name),
        Cell::plain(group.len().to_string()),
        Cell::painted(came, painted),
        Cell::plain(seeds),
    ]
}

/// The first run of each scenario that did not pass: why, and the command line that does it again.
pub(super) fn repeats(runs: &[&RanLine], paint: Paint) -> String {
    let mut first: Vec<&RanLine> = Vec::new();
    let is_bad = |run: &&&RanLine| run.standing >= RunStanding::Inconclusive;
    for run in runs.iter().filter(is_bad) {
        match first.iter_mut().find(|it| it.scenario == run.scenario) {
            Some(it)
                if (run.standing, std::cmp::Reverse(run.seed))
                    > (it.standing, std::cmp::Reverse(it.seed)) =>
            {
                *it = run;
            }
            Some(_) => {}
            None => first.push(run),
        }
    }
    // As in the table: parts that were merged come in another order than the whole.
    first.sort_by_key(|run| (std::cmp::Reverse(run.standing), run.scenario.as_str()));
    let mut text = String::new();
    for run in first.iter().take(REPEATS_SHOWN) {
        let word = match run.standing {
            RunStanding::Failed => paint.bad(run.standing.word()),
            standing => paint.doubtful(standing.word()),
        };
        text.push_str(&format!(
            "  {word} {}: {}\n    repeat it: {}\n",
            visible(&run.session),
            visible(&run.because),
            visible(&run.repeat)
        ));
    }
    let more = first.len().saturating_sub(REPEATS_SHOWN);
    if more > 0 {
        text.push_str(&format!("  and {more} more scenarios: see the ledger\n"));
    }
    text
}

/// Of the verdicts of many runs the weightiest one on each property under each scenario.
pub(super) fn weightiest<'a>(verdicts: Vec<&'a VerdictLine>) -> Vec<&'a VerdictLine> {
    let mut kept: Vec<&'a VerdictLine> = Vec::new();
    let mut places: BTreeMap<(&str, &str, &str), usize> = BTreeMap::new();
    for verdict in verdicts {
        let key = (verdict.property.as_str(), verdict.scenario.as_str(), verdict.client.as_str());
        let Some(place) = places.get(&key) else {
            places.insert(key, kept.len());
            kept.push(verdict);
            continue;
        };
        if let Some(known) = kept.get_mut(*place)
            && weight(verdict) > weight(known)
        {
            *known = verdict;
        }
    }
    kept
}

/// What was asked for before others, and of the violations those that are not known.
fn weight(verdict: &VerdictLine) -> (bool, Standing, bool) {
    (verdict.required, verdict.verdict, verdict.let_pass().is_none())
}

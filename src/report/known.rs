//! Known failures: what was let pass, whose day is over, and what did not happen.

use std::collections::BTreeMap;

use super::account::Account;
use super::{Paint, visible};
use crate::ledger::{Came, Known, KnownMark};

/// How many are told.
const SHOWN: usize = 50;

/// What became of an entry in all runs together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct KnownSum<'a> {
    entry: &'a Known,
    /// The weightiest.
    came: Came,
    /// In how many runs that came.
    times: usize,
}

impl KnownSum<'_> {
    /// The word for what became of it.
    pub(super) fn word(&self) -> &'static str {
        match self.came {
            Came::Failed => "known",
            Came::Expired => "EXPIRED",
            Came::Passed if self.entry.strict => "PASSES, and must not",
            Came::Passed => "passes now: take the entry out",
            Came::Open => "nothing can be told",
        }
    }

    /// All of it in a line.
    pub(super) fn in_words(&self) -> String {
        let times = if self.times > 1 { format!(" ({} times)", self.times) } else { String::new() };
        format!("{}: {}{times}, {}", self.word(), self.entry.about(), self.entry.in_words())
    }
}

/// Every entry of which the ledger says anything, what is red first.
pub(super) fn known<'a>(account: &Account<'a>) -> Vec<KnownSum<'a>> {
    let of_runs = account.ran.iter().flat_map(|run| &run.known);
    let of_reasons =
        account.end.iter().flat_map(|end| &end.reasons).filter_map(|reason| reason.known.as_deref());
    let marks: Vec<&KnownMark> = match account.ran.is_empty() {
        true => of_reasons.collect(),
        false => of_runs.collect(),
    };
    let mut of: BTreeMap<&Known, BTreeMap<Came, usize>> = BTreeMap::new();
    for mark in marks {
        *of.entry(&mark.entry).or_default().entry(mark.came).or_default() += 1;
    }
    let sum = |(entry, counts): (&'a Known, BTreeMap<Came, usize>)| {
        // That it passed counts only where it never failed, and is nothing beside a run of which nothing is known.
        let (came, times) = counts.into_iter().next_back()?;
        (came != Came::Open).then_some(KnownSum { entry, came, times })
    };
    let mut all: Vec<KnownSum<'a>> = of.into_iter().filter_map(sum).collect();
    all.sort_by_key(|sum| {
        std::cmp::Reverse((sum.came == Came::Expired, sum.entry.strict && sum.came == Came::Passed))
    });
    all
}

/// The section of the report for a person.
pub(super) fn section(account: &Account<'_>, paint: Paint) -> String {
    let all = known(account);
    if all.is_empty() {
        return String::new();
    }
    let mut text = format!("{}\n", paint.heading("Known failures"));
    for sum in all.iter().take(SHOWN) {
        let line = visible(&sum.in_words()).into_owned();
        let painted = match sum.came {
            Came::Expired => paint.bad(&line),
            Came::Passed if sum.entry.strict => paint.bad(&line),
            Came::Passed => paint.doubtful(&line),
            Came::Failed | Came::Open => line,
        };
        text.push_str(&format!("  {painted}\n"));
    }
    if all.len() > SHOWN {
        text.push_str(&format!("  and {} more: in the ledger\n", all.len() - SHOWN));
    }
    text
}

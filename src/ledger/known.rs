//! Failures that a project knows: they are told and count against nobody, until their day has come.
//!
//! An entry covers one kind of failure under one scenario. One that names a property covers a violation of it; one that names
//! none covers that the command failed, or did what `[must]` does not allow. Nothing covers a crash, a law that the entry does
//! not name, or a run that tested nothing. What became of an entry stands beside each run and verdict that it speaks of, so
//! a report needs the ledger alone.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::account::{EndLine, NEVER_FIRED};
use super::exit::{Exit, Reason, Reasons};
use super::lines::{Line, Standing, VerdictLine};
use crate::profile::hits;

/// The reason of a judgement in which nothing is left to say.
pub(crate) const ALL_HELD: &str = "every property that must hold was put to the test and holds";

/// A failure that is known.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Known {
    /// The scenario, by the name that runs and verdicts have; `generated` for the generated cases of a judgement.
    pub scenario: String,
    /// The property that is violated; without one the command fails.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub property: Option<String>,
    /// The only seed it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seed: Option<u64>,
    /// The endpoint without which the failure is another one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub endpoint: Option<String>,
    /// Why it is let pass.
    pub reason: String,
    /// The last day on which it is, as `2026-12-31`.
    pub until: String,
    /// Whether it is a failure if it does not happen.
    #[serde(default)]
    pub strict: bool,
}

/// What became of a known failure in a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Came {
    /// It did not happen, although it was put to the test.
    Passed,
    /// Nothing can be told.
    Open,
    /// It happened, and is let pass.
    Failed,
    /// It happened, and its day is over.
    Expired,
}

/// A known failure, and what became of it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KnownMark {
    /// The entry.
    pub entry: Known,
    /// What became of it.
    pub came: Came,
}

/// All known failures, on a day.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Knowns {
    entries: Vec<Known>,
    today: String,
}

/// A run, as far as entries look at it.
pub(crate) struct OfRun<'a> {
    pub(crate) scenario: &'a str,
    pub(crate) seed: u64,
    /// Whether the command came to an end of its own: a crash is never known.
    pub(crate) lived: bool,
    /// Whether an endpoint was asked for.
    pub(crate) asked: &'a dyn Fn(&str) -> bool,
}

impl Known {
    /// What it says, behind the word for what became of it.
    pub fn in_words(&self) -> String {
        format!("until {}: {}", self.until, self.reason)
    }

    /// Which failure it is about, in words.
    pub fn about(&self) -> String {
        let what = self.property.as_deref().unwrap_or("the command");
        let seed = self.seed.map_or_else(String::new, |seed| format!(", seed {seed}"));
        let at = self.endpoint.as_ref().map_or_else(String::new, |endpoint| format!(", {endpoint}"));
        format!("{what} ({}{seed}{at})", self.scenario)
    }
}

impl Knowns {
    /// These entries on the day `today`, written as `2026-12-31`.
    pub fn new(entries: Vec<Known>, today: impl Into<String>) -> Self {
        Self { entries, today: today.into() }
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    fn is_over(&self, entry: &Known) -> bool {
        entry.until < self.today
    }

    /// Settles what a run of a command came to: what is known asks for no exit code. Verdicts and reasons are marked, and the
    /// marks of the whole run handed back.
    pub(crate) fn settle_run(
        &self,
        run: &OfRun<'_>,
        verdicts: &mut [VerdictLine],
        reasons: Reasons,
    ) -> (Reasons, Vec<KnownMark>) {
        let is_of_it =
            |entry: &&Known| entry.scenario == run.scenario && entry.seed.is_none_or(|seed| seed == run.seed);
        let own: Vec<&Known> = self.entries.iter().filter(is_of_it).collect();
        if own.is_empty() {
            return (reasons, Vec::new());
        }
        let asked = |entry: &Known| entry.endpoint.as_deref().is_none_or(run.asked);
        let mut all = reasons.into_all();
        let mut marks: Vec<KnownMark> =
            own.iter().map(|entry| KnownMark { entry: (*entry).clone(), came: Came::Open }).collect();
        for reason in all.iter_mut().filter(|reason| reason.exit == Exit::Failed) {
            let is_meant = |entry: &Known| {
                entry.property == reason.property && (reason.property.is_some() || run.lived) && asked(entry)
            };
            // One that still holds outranks one whose day is over.
            let mut meant: Vec<&mut KnownMark> =
                marks.iter_mut().filter(|mark| is_meant(&mark.entry)).collect();
            meant.sort_by_key(|mark| self.is_over(&mark.entry));
            if let Some(mark) = meant.into_iter().next() {
                self.mark(mark, reason);
            }
        }
        let by_command = |mark: &KnownMark| mark.entry.property.is_none() && mark.came == Came::Failed;
        if marks.iter().any(by_command) {
            // A command that stops early meets no fault that comes later.
            let is_late = |reason: &&mut Reason| reason.why.starts_with(NEVER_FIRED);
            all.iter_mut().filter(is_late).for_each(|reason| reason.exit = Exit::Passed);
        }
        let is_well = all.iter().all(|reason| reason.exit == Exit::Passed);
        for mark in marks.iter_mut().filter(|mark| mark.came == Came::Open && is_well && asked(&mark.entry)) {
            mark.came = Came::Passed;
        }
        for verdict in verdicts.iter_mut().filter(|verdict| verdict.verdict == Standing::Violated) {
            let of_it = |mark: &&KnownMark| {
                mark.entry.property.as_ref() == Some(&verdict.property)
                    && matches!(mark.came, Came::Failed | Came::Expired)
            };
            verdict.known = marks.iter().find(of_it).cloned().map(Box::new);
        }
        (Reasons::of(all), marks)
    }

    /// Marks a reason as known.
    fn mark(&self, mark: &mut KnownMark, reason: &mut Reason) {
        if self.is_over(&mark.entry) {
            mark.came = Came::Expired;
            reason.why = format!("{}; {}", reason.why, expired(&mark.entry));
        } else {
            mark.came = Came::Failed;
            reason.exit = Exit::Passed;
            reason.why = format!("known {}: {}", mark.entry.in_words(), reason.why);
        }
        reason.known = Some(Box::new(mark.clone()));
    }

    /// Settles a judgement: verdicts that are known ask for no exit code. An entry without a property is not about one.
    pub fn settle_judgement(&self, lines: &mut [Line], end: EndLine, seed: u64) -> EndLine {
        if self.is_empty() {
            return end;
        }
        let mut all = end.reasons.clone();
        let asked: Vec<(String, String, String)> = lines.iter().filter_map(asked_at).collect();
        let mut marks: Vec<KnownMark> = Vec::new();
        for verdict in lines.iter_mut().filter_map(required) {
            marks.extend(self.settle_verdict(verdict, &asked, seed, &mut all));
        }
        self.settle_found(lines, &mut all);
        if marks.iter().any(|mark| mark.came == Came::Failed) {
            let others = ALL_HELD.replacen("every property", "every other property", 1);
            let of_all = all.iter_mut().filter(|reason| reason.why == ALL_HELD);
            of_all.for_each(|reason| reason.why.clone_from(&others));
        }
        let mut reasons = Reasons::of(all);
        weigh_marks(&marks.iter().collect::<Vec<_>>(), &mut reasons);
        end.closed(reasons)
    }

    /// What becomes of the entries that are about a verdict.
    fn settle_verdict(
        &self,
        verdict: &mut VerdictLine,
        asked: &[(String, String, String)],
        seed: u64,
        reasons: &mut [Reason],
    ) -> Vec<KnownMark> {
        let was_asked = |verdict: &VerdictLine, entry: &Known| {
            entry.endpoint.as_deref().is_none_or(|endpoint| {
                asked.iter().any(|(session, place, target)| {
                    verdict.session.as_ref() == Some(session) && hits(endpoint, place, target)
                })
            })
        };
        let is_meant = |entry: &&Known| {
            entry.scenario == verdict.scenario
                && entry.property.as_ref() == Some(&verdict.property)
                && entry.seed.is_none_or(|own| own == seed)
        };
        // One that still holds outranks one whose day is over.
        let mut meant: Vec<&Known> = self.entries.iter().filter(is_meant).collect();
        meant.sort_by_key(|entry| self.is_over(entry));
        let mut marks = Vec::new();
        for entry in meant {
            let mut mark = KnownMark { entry: entry.clone(), came: Came::Open };
            match verdict.verdict {
                Standing::Held => mark.came = Came::Passed,
                Standing::Violated if verdict.known.is_none() && was_asked(verdict, entry) => {
                    self.mark_verdict(verdict, &mut mark, reasons);
                }
                _ => {}
            }
            marks.push(mark);
        }
        marks
    }

    /// Marks a verdict, and its reason: each has one, and of those alike it does not matter which.
    fn mark_verdict(&self, verdict: &mut VerdictLine, mark: &mut KnownMark, reasons: &mut [Reason]) {
        let place = format!("{} in {}", verdict.property, verdict.scenario);
        let is_its_own = |reason: &&mut Reason| {
            reason.exit == Exit::Failed
                && reason.known.is_none()
                && reason.property.as_ref() == Some(&verdict.property)
                && (reason.why.ends_with(&place) || reason.why.ends_with(&verdict.because))
        };
        if let Some(reason) = reasons.iter_mut().find(is_its_own) {
            self.mark(mark, reason);
            verdict.known = Some(Box::new(mark.clone()));
        }
    }

    /// A counter-example that was saved of a known violation, and is run again by itself, is the same failure.
    fn settle_found(&self, lines: &mut [Line], reasons: &mut [Reason]) {
        let file_of = |verdict: &VerdictLine| Some((verdict.found.clone()?, verdict.property.clone()));
        let known: Vec<((String, String), KnownMark)> = lines
            .iter_mut()
            .filter_map(required)
            .filter_map(|verdict| Some((file_of(verdict)?, verdict.let_pass()?.clone())))
            .collect();
        for verdict in lines.iter_mut().filter_map(required) {
            let is_open = verdict.verdict == Standing::Violated && verdict.known.is_none();
            let same = file_of(verdict).filter(|_| is_open);
            if let Some((_, mark)) = known.iter().find(|(file, _)| same.as_ref() == Some(file)) {
                self.mark_verdict(verdict, &mut mark.clone(), reasons);
            }
        }
    }
}

/// A verdict on what must hold.
fn required(line: &mut Line) -> Option<&mut VerdictLine> {
    match line {
        Line::Verdict(verdict) if verdict.required => Some(verdict),
        _ => None,
    }
}

/// Session, endpoint, and method and path of an exchange.
pub(crate) fn asked_at(line: &Line) -> Option<(String, String, String)> {
    match line {
        Line::Exchange(it) => {
            let path = it.target.split('?').next().unwrap_or_default();
            Some((it.key.session.clone(), it.key.endpoint.clone(), format!("{} {path}", it.method)))
        }
        _ => None,
    }
}

/// What is said of a failure whose day is over.
fn expired(entry: &Known) -> String {
    format!("it was known until {}, which is over: {}", entry.until, entry.reason)
}

/// What entries come to that were put to the test and did not happen in any of their runs.
pub(crate) fn weigh_marks(marks: &[&KnownMark], reasons: &mut Reasons) {
    let mut of: BTreeMap<&Known, Vec<Came>> = BTreeMap::new();
    marks.iter().for_each(|mark| of.entry(&mark.entry).or_default().push(mark.came));
    for (entry, came) in of {
        if came.iter().all(|came| *came == Came::Passed) {
            let exit = if entry.strict { Exit::Failed } else { Exit::Passed };
            reasons.push_passed(
                exit,
                entry,
                format!(
                    "{} passes, although it is known to fail {}; take the entry out",
                    entry.about(),
                    entry.in_words()
                ),
            );
        }
    }
}

/// The account of a single run with what its known failures come to that did not happen.
#[cfg(feature = "cli")]
pub(crate) fn with_marks(end: EndLine, marks: &[KnownMark]) -> EndLine {
    let mut reasons = Reasons::of(end.reasons.clone());
    weigh_marks(&marks.iter().collect::<Vec<_>>(), &mut reasons);
    end.closed(reasons)
}

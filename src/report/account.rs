//! A ledger's lines, sorted by kind and counted.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use super::content::Content;
use super::runs::weightiest;
use crate::ledger::{
    CoverageLine, EndLine, Exchange, GreetedLine, Line, Origin, OutcomeLine, RanLine, RefusedLine, RunLine,
    SeenLine, Standing, Sum, VerdictLine,
};

/// What the lines of a ledger are about.
#[derive(Debug, Default)]
pub(super) struct Account<'a> {
    pub(super) runs: Vec<&'a RunLine>,
    /// With how often each came, where equal ones stand together.
    pub(super) exchanges: Vec<(&'a Exchange, usize)>,
    pub(super) refused: Vec<(&'a RefusedLine, usize)>,
    pub(super) greeted: Vec<(&'a GreetedLine, usize)>,
    pub(super) outcomes: Vec<&'a OutcomeLine>,
    pub(super) verdicts: Vec<&'a VerdictLine>,
    pub(super) coverage: Vec<&'a CoverageLine>,
    /// What a command was seen to do.
    pub(super) seen: Option<&'a SeenLine>,
    /// The runs of a matrix.
    pub(super) ran: Vec<&'a RanLine>,
    /// The closing line; a run that was cut short has none.
    pub(super) end: Option<&'a EndLine>,
    /// Misses, refusals and remarks that are counted alone.
    pub(super) passed_over: u64,
    sum: Sum,
}

/// Requests that missed for the same reason.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Miss<'a> {
    pub(super) method: &'a str,
    pub(super) target: &'a str,
    pub(super) cause: &'a str,
    pub(super) nearest: &'a [String],
}

/// Counts over all sessions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub(super) struct Counts {
    #[serde(flatten)]
    pub(super) sum: Sum,
    pub(super) dials: u64,
}

impl<'a> Account<'a> {
    pub(super) fn of(content: impl Into<Content<'a>>) -> Self {
        let Content { lines, passed_over, .. } = content.into();
        let sum = Sum::of(lines.iter().map(|(line, _)| *line));
        let mut account = Self { sum, passed_over, ..Self::default() };
        for (line, times) in lines {
            match line {
                Line::Run(run) => account.runs.push(run),
                Line::Exchange(exchange) => account.exchanges.push((exchange, times)),
                Line::Refused(refused) => account.refused.push((refused, times)),
                Line::Greeted(greeted) => account.greeted.push((greeted, times)),
                Line::Outcome(outcome) => account.outcomes.push(outcome),
                Line::Verdict(verdict) => account.verdicts.push(verdict),
                Line::Ran(ran) => account.ran.push(ran),
                Line::Coverage(coverage) => account.coverage.push(coverage),
                Line::Seen(seen) => account.seen = Some(seen),
                Line::End(end) => account.end = Some(end),
                Line::Timing(_) | Line::Gap(_) => {}
            }
        }
        if !account.ran.is_empty() {
            account.verdicts = weightiest(account.verdicts);
        }
        account
    }

    /// Whether a console was put to the test, and no client.
    pub(super) fn is_of_a_console(&self) -> bool {
        self.runs.iter().any(|run| run.console.is_some())
    }

    /// What the closing line counts; without one, what the exchanges come to.
    pub(super) fn counts(&self) -> Counts {
        match self.end {
            Some(end) => Counts { sum: end.sum, dials: end.dials },
            None => Counts { sum: self.sum, dials: 0 },
        }
    }

    /// The requests that were turned away, equal ones together, with how often each came.
    pub(super) fn refused(&self) -> Vec<(&'a RefusedLine, usize)> {
        counted(self.refused.iter().copied())
    }

    /// The misses, equal ones together, with how often each happened.
    pub(super) fn misses(&self) -> Vec<(Miss<'a>, usize)> {
        let misses = self.exchanges.iter().filter_map(|(exchange, times)| match &exchange.origin {
            Origin::Miss { cause, nearest } => {
                Some((Miss { method: &exchange.method, target: &exchange.target, cause, nearest }, *times))
            }
            _ => None,
        });
        counted(misses)
    }

    /// The findings, equal ones at one endpoint together, with how often each was made.
    pub(super) fn findings(&self) -> Vec<((&'a str, Cow<'a, str>), usize)> {
        counted(self.exchanges.iter().flat_map(|(exchange, times)| {
            let at = if exchange.key.endpoint.is_empty() { &exchange.target } else { &exchange.key.endpoint };
            let findings = exchange.findings.iter().map(|finding| Cow::Borrowed(finding.as_str()));
            let taken = exchange.taken.iter().map(|taken| {
                Cow::Owned(format!(
                    "a rule was left out, because the recording shows that a console takes it: {taken}"
                ))
            });
            findings.chain(taken).map(|finding| ((at.as_str(), finding), *times))
        }))
    }

    /// The faults that fired, by kind and planned fault, with how often each did.
    pub(super) fn fired(&self) -> Vec<((&'a str, &'a str), usize)> {
        let of_answers = self.exchanges.iter().flat_map(|(exchange, times)| {
            exchange.faults.iter().map(|fault| ((fault.kind.as_str(), fault.planned.as_str()), *times))
        });
        // Whether a client met what befell no connection cannot be known.
        let of_connections = (self.greeted.iter())
            .filter(|(greeted, _)| greeted.connection.is_some())
            .map(|(greeted, times)| ((greeted.kind.as_str(), greeted.planned.as_str()), *times));
        counted(of_answers.chain(of_connections))
    }

    /// What became of connections before a request, by kind and in words, with how often it did.
    pub(super) fn greeted(&self) -> Vec<((&'a str, &'a str), usize)> {
        counted(self.greeted.iter().map(|(it, times)| ((it.kind.as_str(), it.did.as_str()), *times)))
    }

    /// The verdicts that say *violated*, but for what is known: those the scenario asks for first, each group in ledger order.
    pub(super) fn violations(&self) -> Vec<&'a VerdictLine> {
        let is_news =
            |verdict: &&VerdictLine| verdict.verdict == Standing::Violated && verdict.let_pass().is_none();
        let mut violations: Vec<_> = self.verdicts.iter().copied().filter(is_news).collect();
        violations.sort_by_key(|verdict| !verdict.required);
        violations
    }

    /// The verdicts that a table shows: on what was asked for, and what is violated besides.
    pub(super) fn answered(&self) -> Vec<&'a VerdictLine> {
        let is_shown = |verdict: &&VerdictLine| {
            verdict.verdict != Standing::NotApplicable
                && (verdict.required || verdict.verdict == Standing::Violated)
        };
        self.verdicts.iter().copied().filter(is_shown).collect()
    }

    /// The counter-examples found before whose property holds now.
    pub(super) fn fixed(&self) -> impl Iterator<Item = &'a VerdictLine> {
        let is_fixed = |verdict: &&VerdictLine| verdict.verdict == Standing::Held && verdict.found.is_some();
        self.verdicts.iter().copied().filter(is_fixed)
    }

    /// The exchanges of one session, in ledger order.
    pub(super) fn session(&self, name: &str) -> Vec<&'a Exchange> {
        let exchanges = self.exchanges.iter().map(|(exchange, _)| *exchange);
        exchanges.filter(|exchange| exchange.key.session == name).collect()
    }

    /// The seeds of the runs, in order.
    pub(super) fn seeds(&self) -> Vec<u64> {
        let seeds: BTreeSet<u64> = self.runs.iter().map(|run| run.seed).collect();
        seeds.into_iter().collect()
    }

    /// The seed of the run that a verdict is about, where the ledger says which.
    pub(super) fn seed_of(&self, verdict: &VerdictLine) -> Option<u64> {
        let session = verdict.session.as_ref()?;
        self.runs.iter().find(|run| run.session == *session).map(|run| run.seed)
    }

    /// Distinct values of one thing about the runs, in order of first appearance.
    pub(super) fn distinct(&self, of: impl Fn(&'a RunLine) -> Option<&'a str>) -> Vec<&'a str> {
        let mut seen: Vec<&str> = Vec::new();
        for value in self.runs.iter().filter_map(|run| of(run)) {
            if !seen.contains(&value) {
                seen.push(value);
            }
        }
        seen
    }
}

fn counted<T: Ord>(things: impl Iterator<Item = (T, usize)>) -> Vec<(T, usize)> {
    let mut counts = BTreeMap::new();
    for (thing, times) in things {
        *counts.entry(thing).or_insert(0) += times;
    }
    counts.into_iter().collect()
}

/// A standing in words.
pub(super) fn word(standing: Standing) -> &'static str {
    match standing {
        Standing::Held => "held",
        Standing::NotApplicable => "not applicable",
        Standing::NotReached => "not reached",
        Standing::Inconclusive => "inconclusive",
        Standing::Violated => "VIOLATED",
    }
}

//! Adds up what came of all units, and says which exit code that is.

use std::collections::BTreeSet;

use super::plan::Judged;
use super::trial::Tried;
use super::unit::{GENERATED, Unit};
use super::weigh::Weighed;
use crate::ledger::{EndLine, Line, Standing, VerdictLine};

/// The sum so far.
#[derive(Debug, Default)]
pub(super) struct Tally {
    lines: Vec<Line>,
    verdicts: Vec<VerdictLine>,
    account: EndLine,
    kept: BTreeSet<String>,
    not_started: Option<String>,
}

impl Tally {
    /// Counts the requests of a unit's cases.
    pub(super) fn count(&mut self, unit: &Unit, tried: &[Tried]) {
        let mut silent: Option<Vec<String>> = None;
        for tried in tried {
            let variants = tried.answers.iter().flat_map(|(_, _, variants)| variants);
            for ran in std::iter::once(&tried.base).chain(variants) {
                let (sum, one) = (&mut self.account, &ran.account);
                sum.served += one.served;
                sum.recorded += one.recorded;
                sum.synthesised += one.synthesised;
                sum.misses += one.misses;
                sum.faults += one.faults;
                sum.dials += one.dials;
                let own = &one.never_fired;
                silent = Some(match silent {
                    None => own.clone(),
                    Some(all) => all.into_iter().filter(|name| own.contains(name)).collect(),
                });
            }
        }
        // A generated case has at most a scenario of its own; what no case of a scenario met never fired.
        if unit.name != GENERATED {
            self.account.never_fired.extend(silent.unwrap_or_default());
        }
    }

    /// The client cannot be started, so nothing can be said of it.
    pub(super) fn not_started(&mut self, why: &str) {
        self.not_started = Some(why.to_owned());
    }

    /// Adds a verdict and the sessions that show it.
    pub(super) fn add(&mut self, weighed: Weighed) {
        for ran in weighed.shown {
            if self.kept.insert(ran.label.clone()) {
                self.lines.extend(ran.lines);
            }
        }
        self.lines.push(Line::Verdict(weighed.line.clone()));
        self.verdicts.push(weighed.line);
    }

    /// The result.
    pub(super) fn judged(mut self) -> Judged {
        let (exit, because) = self.exit();
        self.account.exit = exit;
        self.account.because.clone_from(&because);
        Judged { lines: self.lines, verdicts: self.verdicts, account: self.account, exit, because }
    }

    /// A violation outweighs all else; then whatever leaves the judgement incomplete.
    fn exit(&self) -> (u8, String) {
        let required = |standing: Standing| {
            self.verdicts.iter().filter(move |line| line.required && line.verdict == standing)
        };
        let name = |line: &VerdictLine| format!("{} in {}", line.property, line.scenario);
        let violated: Vec<String> = required(Standing::Violated).map(name).collect();
        if !violated.is_empty() {
            return (1, format!("violated: {}", violated.join(", ")));
        }
        if let Some(why) = &self.not_started {
            return (3, format!("the client could not be started: {why}"));
        }
        let open: Vec<String> = required(Standing::NotReached)
            .map(|line| format!("{} was not reached", name(line)))
            .chain(required(Standing::Inconclusive).map(|line| format!("{} is inconclusive", name(line))))
            .chain(self.account.never_fired.iter().map(|fault| format!("the fault {fault} never fired")))
            .chain((self.account.misses > 0).then(|| format!("{} requests missed", self.account.misses)))
            .chain((self.account.served == 0).then(|| "nothing was served".to_owned()))
            .collect();
        if !open.is_empty() {
            return (3, open.join("; "));
        }
        (0, "every property that must hold was put to the test and holds".to_owned())
    }
}

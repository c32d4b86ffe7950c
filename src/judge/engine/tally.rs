//! Adds up what came of all units, and finds what speaks against them.

use std::collections::BTreeSet;

use super::coverage::Coverage;
use super::floor::CoverageFloor;
use super::plan::{Judged, Plan};
use super::trial::{Ran, Tried};
use super::unit::{GENERATED, Unit, out_of_reach, travels};
use super::weigh::Weighed;
use crate::client::{Client, JobKind};
use crate::judge::about::About;
use crate::judge::law::Property;
use crate::judge::verdict::Verdict;
use crate::ledger::{ALL_HELD, EndLine, Exit, Line, Reasons, Standing, VerdictLine};

/// The sum so far.
#[derive(Debug, Default)]
pub(super) struct Tally {
    lines: Vec<Line>,
    verdicts: Vec<VerdictLine>,
    account: EndLine,
    kept: BTreeSet<String>,
    coverage: Coverage,
    /// What the coverage falls short of.
    short: Vec<String>,
    not_started: Option<String>,
}

impl Tally {
    /// Counts the requests of a unit's cases.
    pub(super) fn count(&mut self, unit: &Unit, tried: &[Tried], jobs: &[(JobKind, About)]) {
        self.coverage.count(unit, tried);
        let mut silent: Option<Vec<String>> = None;
        for tried in tried {
            let variants = tried.answers.iter().flat_map(|(_, _, variants)| variants);
            for ran in std::iter::once(&tried.base).chain(variants) {
                self.account.sum += ran.account.sum;
                self.account.lost_lines += ran.account.lost_lines;
                for planned in &ran.account.in_force {
                    if !self.account.in_force.contains(planned) {
                        self.account.in_force.push(planned.clone());
                    }
                }
                let own = &ran.account.never_fired;
                silent = Some(match silent {
                    None => own.clone(),
                    Some(all) => all.into_iter().filter(|name| own.contains(name)).collect(),
                });
            }
        }
        // A generated case has at most a scenario of its own; what no case of a scenario met never fired. Of a story of the
        // program's that asks this client for nothing, nobody expects that.
        if unit.name != GENERATED && !asks_for_nothing(unit, tried) {
            let out_of_reach: Vec<String> =
                unit.scenario.iter().flat_map(|it| out_of_reach(it, jobs)).collect();
            let silent = silent.unwrap_or_default().into_iter().filter(|name| !out_of_reach.contains(name));
            self.account.never_fired.extend(silent);
        }
    }

    /// The client cannot be started, so nothing can be said of it.
    pub(super) fn not_started(&mut self, why: &str) {
        self.not_started = Some(why.to_owned());
    }

    /// Adds a verdict and the sessions that show it, with the lines of each.
    pub(super) fn add(&mut self, weighed: Weighed, lines: impl Fn(Ran) -> Vec<Line>) {
        for ran in weighed.shown {
            if self.kept.insert(ran.label.clone()) {
                self.lines.extend(lines(ran));
            }
        }
        self.add_verdict(weighed.line);
    }

    fn add_verdict(&mut self, line: VerdictLine) {
        self.lines.push(Line::Verdict(line.clone()));
        self.verdicts.push(line);
    }

    /// Names the properties of which no verdict speaks, because the scenarios that ask for them were left out.
    pub(super) fn leave_out(&mut self, plan: &Plan, client: &str) {
        let mut left_out: Vec<(&str, &str)> = Vec::new();
        for scenario in plan.left_out.iter().filter(|_| self.not_started.is_none()) {
            for named in &scenario.must.hold {
                let is_told = self.verdicts.iter().any(|verdict| verdict.property == named.name)
                    || left_out.iter().any(|(property, _)| *property == named.name);
                if !is_told {
                    left_out.push((&named.name, &scenario.name));
                }
            }
        }
        for (property, scenario) in left_out {
            let why = "it shows in TLS handshakes, and the client was spoken to over plain http: judged with `--tls`";
            let line = VerdictLine {
                client: client.to_owned(),
                required: true,
                ..VerdictLine::without_a_case(property, scenario, Standing::NotApplicable, why)
            };
            self.add_verdict(line);
        }
    }

    /// Says what was put to the test, and whether that is enough.
    pub(super) fn cover<C: Client>(&mut self, client: &C, floor: &CoverageFloor) {
        if self.not_started.is_none() {
            let line = std::mem::take(&mut self.coverage).line(client);
            self.short = floor.short(&line);
            self.lines.push(Line::Coverage(Box::new(line)));
        }
    }

    /// The result.
    pub(super) fn judged(self) -> Judged {
        let reasons = self.reasons();
        Judged { lines: self.lines, verdicts: self.verdicts, account: self.account.closed(reasons) }
    }

    /// A violation outweighs all else; then whatever leaves the judgement incomplete.
    fn reasons(&self) -> Reasons {
        let mut reasons = Reasons::default();
        let is_answer = |line: &VerdictLine| line.required && line.verdict != Standing::NotApplicable;
        if self.not_started.is_none() && !self.verdicts.iter().any(is_answer) {
            reasons.push(Exit::Inconclusive, "no property was put to the test");
        }
        for line in self.verdicts.iter().filter(|line| line.required) {
            let name = format!("{} in {}", line.property, line.scenario);
            let (exit, why) = match line.verdict {
                Standing::Held | Standing::NotApplicable => continue,
                Standing::Violated => (Exit::Failed, format!("violated: {name}")),
                Standing::NotReached => (Exit::Inconclusive, format!("{name} was not reached")),
                Standing::Inconclusive => (Exit::Inconclusive, format!("{name} is inconclusive")),
            };
            reasons.push_verdict(exit, &line.property, why);
        }
        for short in &self.short {
            reasons.push(Exit::Inconclusive, short.clone());
        }
        match &self.not_started {
            Some(why) => reasons.push(Exit::Inconclusive, format!("the client could not be started: {why}")),
            None => self.account.weigh("nothing was served", &mut reasons),
        }
        reasons.push(Exit::Passed, ALL_HELD);
        reasons
    }
}

/// Whether nothing that must hold in a story that travels with the program can be asked of the client.
fn asks_for_nothing(unit: &Unit, tried: &[Tried]) -> bool {
    let mut verdicts = tried.iter().flat_map(|tried| &tried.answers);
    let is_idle = |(property, verdict, _): &(&'static Property, Verdict, Vec<Ran>)| {
        !unit.required.contains(property) || matches!(verdict, Verdict::NotApplicable(_))
    };
    unit.scenario.as_ref().is_some_and(|scenario| travels(scenario)) && verdicts.all(is_idle)
}

//! The account of a run: one sum of what was served, and the line that closes a ledger.

use std::ops::AddAssign;

use serde::{Deserialize, Serialize};

use super::exchange::OriginKind;
use super::exit::{Exit, Reason, Reasons};
use super::lines::Line;

/// How many requests came, and what they were answered from. Each one served stands in exactly one of the five places
/// after `served`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sum {
    /// Requests served.
    pub served: u64,
    /// Answers that came from a recording, a timeline or a creation.
    pub recorded: u64,
    /// Of the recorded ones those whose filter, order or window was computed.
    #[serde(default)]
    pub computed: u64,
    /// Answers of a console that is a model.
    #[serde(default)]
    pub modelled: u64,
    /// Answers that a rule of the API gave.
    pub synthesised: u64,
    /// Answers that a fault made in the console's place.
    #[serde(default)]
    pub by_fault: u64,
    /// Requests that nothing fits.
    pub misses: u64,
    /// Faults that fired.
    pub faults: u64,
    /// Requests that were turned away before anybody was asked: a head that cannot be read, a host that is not ours.
    #[serde(default)]
    pub refused: u64,
    /// How often a connection met a planned fault before its first request.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub greeted: u64,
}

impl Sum {
    /// What `lines` come to.
    pub(crate) fn of<'a>(lines: impl IntoIterator<Item = &'a Line>) -> Self {
        let mut sum = Self::default();
        for line in lines {
            match line {
                Line::Exchange(it) => sum.count(it.origin.kind(), it.faults.len(), !it.computed.is_empty()),
                Line::Refused(_) => sum.refused += 1,
                Line::Greeted(it) if it.connection.is_some() => sum.greet(),
                _ => {}
            }
        }
        sum
    }

    /// Counts a fault that a connection has met.
    pub(crate) fn greet(&mut self) {
        self.faults += 1;
        self.greeted += 1;
    }

    /// Counts one request that was served.
    pub(crate) fn count(&mut self, origin: OriginKind, faults: usize, is_computed: bool) {
        self.served += 1;
        self.faults += faults as u64;
        self.computed += u64::from(is_computed);
        let place = match origin {
            OriginKind::Recorded => &mut self.recorded,
            OriginKind::Modelled => &mut self.modelled,
            OriginKind::Synthesised => &mut self.synthesised,
            OriginKind::Fault => &mut self.by_fault,
            OriginKind::Miss => &mut self.misses,
        };
        *place += 1;
    }
}

impl AddAssign for Sum {
    fn add_assign(&mut self, other: Self) {
        self.served += other.served;
        self.recorded += other.recorded;
        self.computed += other.computed;
        self.modelled += other.modelled;
        self.synthesised += other.synthesised;
        self.by_fault += other.by_fault;
        self.misses += other.misses;
        self.faults += other.faults;
        self.refused += other.refused;
        self.greeted += other.greeted;
    }
}

/// How the reason begins that planned faults did not fire.
pub(super) const NEVER_FIRED: &str = "never fired: ";

/// The closing account.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct EndLine {
    /// What was served; its members stand in the line itself.
    #[serde(flatten)]
    pub sum: Sum,
    /// Planned faults that had to fire and never did, by scenario and name.
    pub never_fired: Vec<String>,
    /// Planned faults that were in force, where nobody can know whether a client met them: by scenario and name, with the
    /// time. They count neither as fired nor as never fired.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub in_force: Vec<String>,
    /// Lines that no longer fitted in memory: what they would say is missing from this ledger.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub lost_lines: u64,
    /// Sessions closed because too many were open; a later request to one starts it over.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub closed_sessions: u64,
    /// Whom else a command wanted to reach that could reach its replay alone: names that it asked for, and how often it dialled
    /// an address.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub elsewhere: Vec<String>,
    /// Connections dialled to another host: always 0 for a replay.
    pub dials: u64,
    /// What the command under test came to, in words, for `run`.
    pub command: Option<String>,
    /// What this run comes to.
    pub exit: Exit,
    /// Why, in one sentence.
    pub because: String,
    /// The same, one by one: all that was found, in the order it was found.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub reasons: Vec<Reason>,
}

impl EndLine {
    /// What failed, in the order it was found.
    pub fn failures(&self) -> impl Iterator<Item = &Reason> {
        self.reasons.iter().filter(|reason| reason.exit == Exit::Failed)
    }

    /// Finds what any account shows against any run: nothing was tested, or not all that was to be. `idle` says in the
    /// verb's words that nothing was served.
    pub(crate) fn weigh(&self, idle: &str, reasons: &mut Reasons) {
        reasons.push_refused(self.sum.refused);
        // A connection that met its fault put a client to the test, even if that never came to ask for anything.
        let is_idle = self.sum.served == 0 && self.sum.greeted == 0;
        if !self.in_force.is_empty() {
            // That is nobody's fault, and is told beside what went well. A client that was never seen may have met it.
            let exit = if is_idle { Exit::Inconclusive } else { Exit::Passed };
            reasons
                .push(exit, format!("whether a client met it cannot be known: {}", self.in_force.join(", ")));
        }
        let mut open = |why: String| reasons.push(Exit::Inconclusive, why);
        if is_idle {
            open(idle.to_owned());
        } else if !self.never_fired.is_empty() {
            open(format!("{NEVER_FIRED}{}", self.never_fired.join(", ")));
        }
        if self.lost_lines > 0 {
            open("the run was too long for its ledger: its end was not judged".to_owned());
        }
        match self.sum.misses {
            0 => {}
            1 => open("1 request was answered by no recording".to_owned()),
            count => open(format!("{count} requests were answered by no recording")),
        }
    }

    /// A closed account with one reason more.
    #[must_use]
    pub fn also(mut self, exit: Exit, why: impl Into<String>) -> Self {
        let mut reasons = Reasons::of(std::mem::take(&mut self.reasons));
        reasons.push(exit, why);
        self.closed(reasons)
    }

    /// The account closed: with the exit code that `reasons` come to, and why.
    #[must_use]
    pub fn closed(mut self, reasons: Reasons) -> Self {
        self.exit = reasons.exit();
        self.because = reasons.because();
        self.reasons = reasons.into_all();
        self
    }
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde wants it so")]
fn is_zero(count: &u64) -> bool {
    *count == 0
}

#[cfg(test)]
mod tests {
    use super::super::exchange::Origin;
    use super::*;

    #[test]
    fn every_origin_has_a_place_of_its_own_and_they_add_up() {
        let miss = Origin::Miss { cause: "x".into(), nearest: vec![] };
        let rule = Origin::Synthesised { rule: "401/18".into(), source: "documented".into() };
        let id = || "x.get-1".to_owned();
        let origins = [
            Origin::Recorded(id()),
            Origin::Timeline(id()),
            Origin::Created(id()),
            Origin::Model,
            rule,
            Origin::Fault("hang".into()),
            miss,
        ];
        let mut sum = Sum::default();
        for origin in origins {
            sum.count(origin.kind(), 1, false);
        }
        assert_eq!((sum.recorded, sum.modelled, sum.synthesised, sum.by_fault, sum.misses), (3, 1, 1, 1, 1));
        assert_eq!(
            sum.served,
            sum.recorded + sum.modelled + sum.synthesised + sum.by_fault + sum.misses,
            "each request stands in one place"
        );
        let mut twice = sum;
        twice += sum;
        assert_eq!((twice.served, twice.faults), (14, 14));
    }

    #[test]
    fn an_account_without_fault_shows_nothing_and_each_defect_is_inconclusive() {
        let served = |sum| EndLine { sum, ..EndLine::default() };
        let good = served(Sum { served: 3, recorded: 3, ..Sum::default() });
        let exit = |end: &EndLine| {
            let mut reasons = Reasons::default();
            end.weigh("nothing was asked", &mut reasons);
            reasons.exit()
        };
        assert_eq!(exit(&good), Exit::Passed);
        assert_eq!(exit(&served(Sum { greeted: 1, faults: 1, ..Sum::default() })), Exit::Passed);
        for bad in [
            EndLine::default(),
            served(Sum { misses: 1, ..good.sum }),
            served(Sum { refused: 1, ..good.sum }),
            EndLine { never_fired: vec!["s: late".into()], ..good.clone() },
            EndLine { lost_lines: 1, ..good.clone() },
            // Nobody is known to have come while nobody was listened to.
            EndLine { in_force: vec!["s: refuse".into()], ..EndLine::default() },
        ] {
            assert_eq!(exit(&bad), Exit::Inconclusive, "{bad:?}");
        }
    }

    #[test]
    fn what_nobody_can_know_is_told_beside_what_went_well_and_asks_for_no_code() {
        let sum = Sum { served: 3, recorded: 3, ..Sum::default() };
        let end = EndLine { sum, in_force: vec!["s: refuse, from 0 to 20 ms".into()], ..EndLine::default() };
        let mut reasons = Reasons::default();
        end.weigh("nothing was asked", &mut reasons);
        let because = "whether a client met it cannot be known: s: refuse, from 0 to 20 ms";
        assert_eq!((reasons.exit(), reasons.because().as_str()), (Exit::Passed, because));
    }

    #[test]
    fn the_closing_line_of_an_older_ledger_is_read() {
        let old = r#"{"served":2,"recorded":1,"synthesised":0,"misses":1,"faults":0,"never_fired":[],"dials":0,"command":null,"exit":3,"because":"x"}"#;
        let end: EndLine = serde_json::from_str(old).unwrap();
        assert_eq!((end.sum.served, end.sum.by_fault, end.exit), (2, 0, Exit::Inconclusive));
    }
}

//! Judging a command of the user's from the wire alone: no task was given to it, so only a violation says anything.

use super::law::{PROPERTIES, Property};
use super::wire::{self, Suite};
use crate::ledger::{Line, Standing, VerdictLine};

/// What can be said of a whole test suite's requests, by each property that the wire shows; `was_stopped` says whether
/// it was ended because its time was up. Only *violated* counts; all else is not judged, and the line says so.
pub fn from_wire(lines: &[Line], was_stopped: bool) -> Vec<VerdictLine> {
    let suite = Suite::of(lines, was_stopped);
    let judged = |property: &&Property| Some(line(property, &suite, (property.in_a_suite?)(&suite)));
    PROPERTIES.iter().filter_map(judged).collect()
}

fn line(property: &Property, suite: &Suite<'_>, found: Option<(usize, String)>) -> VerdictLine {
    let shown = found.as_ref().and_then(|(index, _)| suite.exchanges.get(*index));
    let evidence = shown.map(|exchange| {
        vec![
            format!("sent:     {}", wire::sent_line(exchange)),
            format!("got:      {}", wire::got_line(exchange)),
        ]
    });
    VerdictLine {
        property: property.id.to_owned(),
        scenario: String::new(),
        client: String::new(),
        verdict: if found.is_some() { Standing::Violated } else { Standing::NotReached },
        required: false,
        because: found
            .map_or_else(|| "not judged: only a violation shows on the wire".to_owned(), |(_, why)| why),
        evidence: evidence.unwrap_or_default(),
        cases: 0,
        session: shown.map(|exchange| exchange.key.session.clone()),
        found: None,
        repeat: None,
        rests_on: None,
        known: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::judge::sample;
    use crate::ledger::Exchange;

    fn lines(exchanges: impl IntoIterator<Item = Exchange>) -> Vec<Line> {
        exchanges.into_iter().map(|exchange| Line::Exchange(Box::new(exchange))).collect()
    }

    #[test]
    fn a_clean_suite_is_not_judged_and_a_wrong_one_is_violated() {
        let clean = lines([sample::state("WAITING"), sample::state("COMPLETE")]);
        assert!(from_wire(&clean, false).iter().all(|line| line.verdict == Standing::NotReached));
        let wrong = lines([sample::poll("/api/api/forensics/case_management/cases", 404, "{}")]);
        let judged = from_wire(&wrong, false);
        let violated: Vec<&str> = (judged.iter())
            .filter(|line| line.verdict == Standing::Violated)
            .map(|line| line.property.as_str())
            .collect();
        assert_eq!(violated, ["right-address"]);
    }
}

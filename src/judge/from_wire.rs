//! Judging a command of the user's from the wire alone: no task was given to it, so only a violation says anything.

use super::law::{Property, creates_once as creates, right_address as address, terminates};
use super::wire;
use crate::ledger::{Exchange, Standing, VerdictLine};

/// What can be said of a whole test suite's requests: `right-address`, `terminates` and `creates-once`. Only
/// *violated* counts; all else is not judged, and is said to be so.
pub fn from_wire(exchanges: &[Exchange]) -> Vec<VerdictLine> {
    let found = [
        (&address::PROPERTY, address::wrongly_addressed(exchanges)),
        (&terminates::PROPERTY, terminates::endless(exchanges)),
        (&creates::PROPERTY, creates::repeated(exchanges, creates::Scope::Suite)),
    ];
    found.into_iter().map(|(property, found)| line(property, exchanges, found)).collect()
}

fn line(property: &Property, exchanges: &[Exchange], found: Option<(usize, String)>) -> VerdictLine {
    let shown = found.as_ref().and_then(|(index, _)| exchanges.get(*index));
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
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::judge::sample;

    #[test]
    fn a_clean_suite_is_not_judged_and_a_wrong_one_is_violated() {
        let clean = [sample::state("WAITING"), sample::state("COMPLETE")];
        assert!(from_wire(&clean).iter().all(|line| line.verdict == Standing::NotReached));
        let wrong = [sample::poll("/api/api/forensics/case_management/cases", 404, "{}")];
        let lines = from_wire(&wrong);
        let violated: Vec<&str> = (lines.iter())
            .filter(|line| line.verdict == Standing::Violated)
            .map(|line| line.property.as_str())
            .collect();
        assert_eq!(violated, ["right-address"]);
    }
}

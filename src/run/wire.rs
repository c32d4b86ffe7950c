//! The properties that the wire alone shows.

use super::command::Ended;
use crate::judge;
use crate::ledger::{Line, Standing, VerdictLine};
use crate::scenario::Scenario;

/// What can be said of a command from its requests, for each property that `scenario` holds and each that the wire
/// can show. Only *violated* counts, and only where the scenario holds the property; without a list of those, everywhere.
/// The rest is not judged, and held against nobody.
pub(super) fn verdicts(scenario: Option<&Scenario>, lines: &[Line], ended: &Ended) -> Vec<VerdictLine> {
    let was_stopped = matches!(ended, Ended::TimedOut(_));
    let held: Vec<&str> = scenario.map_or_else(Vec::new, |scenario| {
        scenario.must.hold.iter().map(|named| named.name.as_str()).collect()
    });
    // Faults of a command line alone come without a list, too.
    let has_no_list = scenario.is_none_or(Scenario::is_of_faults);
    let name = scenario.map_or("", |scenario| scenario.name.as_str());
    let mut verdicts = judge::from_wire(lines, was_stopped);
    for verdict in &mut verdicts {
        let asked = has_no_list || held.contains(&verdict.property.as_str());
        verdict.required = asked && verdict.verdict == Standing::Violated;
        name.clone_into(&mut verdict.scenario);
    }
    let hidden = held.iter().filter(|id| !verdicts.iter().any(|verdict| verdict.property == **id));
    let hidden: Vec<VerdictLine> = hidden.map(|id| not_judged(id, name)).collect();
    verdicts.extend(hidden);
    verdicts
}

fn not_judged(property: &str, scenario: &str) -> VerdictLine {
    let why = "the wire does not show it; `faultdeck judge` puts it to the test";
    VerdictLine::without_a_case(property, scenario, Standing::NotReached, why)
}

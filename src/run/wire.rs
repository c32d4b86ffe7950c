//! The properties that the wire alone shows.

use crate::ledger::{Line, Standing, VerdictLine};
use crate::scenario::Must;

/// A verdict for each property the scenario holds. One that the wire does not show is *not reached*, and not held
/// against anybody.
pub fn verdicts(must: &Must, scenario: &str, _lines: &[Line]) -> Vec<VerdictLine> {
    let not_judged = |property: &str| VerdictLine {
        property: property.to_owned(),
        scenario: scenario.to_owned(),
        client: String::new(),
        verdict: Standing::NotReached,
        required: false,
        because: "not judged: the wire alone does not show it; `faultdeck judge` puts it to the test"
            .to_owned(),
        evidence: Vec::new(),
        cases: 1,
        session: None,
        found: None,
        repeat: None,
    };
    must.hold.iter().map(|named| not_judged(&named.name)).collect()
}

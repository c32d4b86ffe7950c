//! The laws: one file a property, called by its id, and the table of them all.
//!
//! Ids are public: scenarios name them in `must.hold`, and `faultdeck explain` tells of them. A law judges what crossed
//! the wire and what the client reported. It starts nothing, and knows neither the engine nor the replay.

pub(super) mod asks_for_what_it_was_told;
pub(super) mod creates_once;
pub(super) mod invents_nothing;
pub(super) mod names_the_error;
pub(super) mod partial_is_usable_not_done;
pub(super) mod reports_what_it_got;
pub(super) mod right_address;
pub(super) mod survives_the_unrequested;
pub(super) mod terminates;

use crate::client::JobKind;
use crate::judge::case::{Case, Run};
use crate::judge::verdict::Verdict;

/// A law that a client of the API keeps, and how a run is judged by it.
///
/// Judging is pure: it sees what crossed the wire and what the client reported, and nothing else.
#[derive(Clone, Copy, Debug)]
pub struct Property {
    /// Its public id.
    pub id: &'static str,
    /// The law in one sentence.
    pub summary: &'static str,
    /// The law at length: what breaks it, what does not, and why it matters.
    pub long: &'static str,
    /// The job that puts it to the test.
    pub job: JobKind,
    /// Further cases whose runs are judged together with that of the case itself.
    pub variants: fn(&Case) -> Vec<Case>,
    /// The answer for the runs of a case and its variants, the case itself first.
    pub judge: fn(&[Run]) -> Verdict,
}

/// Every property, in the order reports show them.
pub static PROPERTIES: [Property; 9] = [
    asks_for_what_it_was_told::PROPERTY,
    right_address::PROPERTY,
    reports_what_it_got::PROPERTY,
    invents_nothing::PROPERTY,
    survives_the_unrequested::PROPERTY,
    names_the_error::PROPERTY,
    terminates::PROPERTY,
    partial_is_usable_not_done::PROPERTY,
    creates_once::PROPERTY,
];

/// The property with this id.
pub fn property(id: &str) -> Option<&'static Property> {
    PROPERTIES.iter().find(|property| property.id == id)
}

/// A property that needs no further cases.
fn alone(_: &Case) -> Vec<Case> {
    Vec::new()
}

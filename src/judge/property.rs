//! The table of properties. Ids are public: scenarios name them in `must.hold`, and `faultdeck explain` tells of them.

use super::case::{Case, Run};
use super::verdict::Verdict;
use super::{address, asks, creates, errors, invents, partial, reports, survives, terminates};
use crate::client::JobKind;

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
    asks::PROPERTY,
    address::PROPERTY,
    reports::PROPERTY,
    invents::PROPERTY,
    survives::PROPERTY,
    errors::PROPERTY,
    terminates::PROPERTY,
    partial::PROPERTY,
    creates::PROPERTY,
];

/// The property with this id.
pub fn property(id: &str) -> Option<&'static Property> {
    PROPERTIES.iter().find(|property| property.id == id)
}

/// A property that needs no further cases.
pub(super) fn alone(_: &Case) -> Vec<Case> {
    Vec::new()
}

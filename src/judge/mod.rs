//! Whether a client coped: properties, and the engine that puts them to the test.
//!
//! A [`Case`] is one thing a client is asked to do and what it meets; a [`Run`] is what came of it; a [`Property`]
//! judges runs and gives a [`Verdict`]. Judging is pure: it sees the wire and the report, and nothing else. What a
//! client claims of itself in its file excuses what it does, and wording that is a decision of ours is never asserted.
//!
//! - `property` is the table; `asks`, `address`, `reports`, `invents`, `survives`, `errors`, `terminates`, `partial` and
//!   `creates` hold one property each
//! - `wire` reads requests and answers out of a ledger's exchanges; `difference` compares JSON
//! - `names` resolves what a scenario says must hold

mod address;
mod asks;
mod case;
mod creates;
mod difference;
mod errors;
mod from_wire;
mod invents;
mod names;
mod partial;
mod property;
mod reports;
#[cfg(test)]
mod sample;
mod survives;
mod terminates;
mod verdict;
mod wire;

pub use case::{Alteration, Answer, Case, Run};
pub use from_wire::from_wire;
pub use names::{resolve, unknown_names};
pub use property::{PROPERTIES, Property, property};
pub use verdict::{Verdict, Violation};

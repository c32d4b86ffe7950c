//! Whether a client coped: properties, and the engine that puts them to the test.
//!
//! A [`Case`] is one thing a client is asked to do and what it meets; a [`Run`] is what came of it; a [`Property`]
//! judges runs and gives a [`Verdict`]. Judging is pure: it sees the wire and the report, and nothing else. What a
//! client claims of itself in its file excuses what it does, and wording that is a decision of ours is never asserted.
//!
//! - `property` is the table; `asks`, `address`, `reports`, `invents`, `survives`, `errors`, `terminates`, `partial` and
//!   `creates` hold one property each
//! - `wire` reads requests and answers out of a ledger's exchanges; `difference` compares JSON
//! - `names` resolves what a scenario says must hold; `from_wire` judges a command of the user's
//!
//! The engine: [`judge`] puts a client to a [`Plan`].
//!
//! - `unit` says which cases there are, `generate` makes tasks and selectors and shrinks them
//! - `evidence` is what a case is answered from, `slot` a listener that serves one case at a time, `trial` one case run,
//!   and `unplaced` takes the listener's port out of what is kept of it
//! - `weigh` gives a property's one verdict over many cases; `found` saves counter-examples; `tally` is the sum

mod address;
mod asks;
mod case;
mod creates;
mod difference;
mod engine;
mod errors;
mod evidence;
mod found;
mod from_wire;
mod generate;
mod invents;
mod names;
mod partial;
mod plan;
mod property;
mod reports;
#[cfg(test)]
mod sample;
mod slot;
mod survives;
mod tally;
mod terminates;
mod together;
mod trial;
mod unit;
mod unplaced;
mod verdict;
mod weigh;
mod wire;

pub use case::{Alteration, Answer, Case, Run};
pub use engine::{Tell, judge};
pub use from_wire::from_wire;
pub use names::{resolve, unknown_names};
pub use plan::{Budget, EvidenceOf, JudgeError, Judged, Plan, Progress};
pub use property::{PROPERTIES, Property, property};
pub use verdict::{Verdict, Violation};

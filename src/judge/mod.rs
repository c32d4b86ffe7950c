//! Whether a client coped: properties, and the engine that puts them to the test.
//!
//! A [`Case`] is one thing a client is asked to do and what it meets; a [`Run`] is what came of it; a [`Property`]
//! judges runs and gives a [`Verdict`]. Judging is pure: it sees the wire and the report, and nothing else. What a
//! client claims of itself in its file excuses what it does, and wording that is a decision of ours is never asserted.
//!
//! - `law/` holds the properties, one file each, and their table
//! - `lesson/` holds what a person is taught of each: why, on what ground, two examples, the fix
//! - `engine/` puts a client to a [`Plan`]: it makes cases, runs them, confirms and shrinks what breaks a property
//! - `about` is what a job asks; `case` and `verdict` are the words of both; `wire` reads requests and answers out of a
//!   ledger's exchanges,
//!   `answers` the tasks among them, `difference` compares JSON, and `near_miss` paths
//! - `names` resolves what a scenario says must hold; `from_wire` judges a command of the user's

mod about;
mod answers;
mod case;
mod difference;
mod engine;
mod from_wire;
mod law;
mod lesson;
mod names;
mod near_miss;
#[cfg(test)]
mod sample;
mod verdict;
mod wire;

pub use about::About;
pub use case::{Alteration, Answer, Case, Given, Run};
pub use engine::{
    Again, Budget, CoverageFloor, EvidenceOf, FloorError, JudgeError, Judged, Known, Plan, Progress, Repeat,
    Tell, judge, known_answers,
};
pub(crate) use engine::{milder, runner, share_in_percent, short_of};
pub use from_wire::from_wire;
pub use law::{InASuite, Limit, Needs, PROPERTIES, Property, Story, property};
pub use lesson::{Example, Fact, Fix, Lesson};
pub use names::{resolve, unknown_names, with_names};
pub use verdict::{Verdict, Violation};
pub use wire::Suite;
pub(crate) use wire::phase_shown;

//! A command of the user's, run under a scenario and judged from the wire alone.
//!
//! - `command` starts the command and sees it end
//! - `combine` finds what its end, the wire and the scenario's `[must]` say against the run
//! - `wire` judges the properties that the wire shows

mod combine;
mod command;
mod wire;

pub use combine::combine;
pub use command::{Command, Ended, GRACE, Group};
pub use wire::verdicts;

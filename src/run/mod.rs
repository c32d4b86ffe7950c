//! A command of the user's, run under a scenario and judged from the wire alone.
//!
//! - `command` starts the command and sees it end
//! - `combine` weighs its end, the wire and the scenario's `[must]`
//! - `wire` judges the properties that the wire shows
//! - [`Exit`] is what every verb's exit code means

mod combine;
mod command;
mod exit;
mod wire;

pub use combine::combine;
pub use command::{Command, Ended, GRACE, Group};
pub use exit::Exit;
pub use wire::verdicts;

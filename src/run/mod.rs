//! A command of the user's, run under a scenario and judged from the wire alone.
//!
//! - `whole` is the run: a listener, the command, its end, and a closed ledger
//! - `matrix` is many of them: scenarios and seeds
//! - `observed` is a command under one story after the other, judged from the wire alone
//! - `command` starts the command and says how it ended
//! - `chaos` draws what goes wrong, and makes a plan that fails as small as it still does
//! - `variable` is what a command is told of its replay under names of its own
//! - `trusted` are the certificates that it is handed
//! - `isolated` is a network of its own for a command, in which its replay is the only console
//! - `until` says when a command that never ends is asked to
//! - `combine` finds what its end, the wire and the scenario's `[must]` say against the run
//! - `seen` is what the command was seen to do, and what of it falls short of `[must] see`
//! - `floor` is how much of it must have been seen
//! - `wire` judges the properties that the wire shows

mod chaos;
mod combine;
mod command;
mod floor;
mod isolated;
mod matrix;
mod observed;
mod seen;
mod trusted;
mod until;
mod variable;
mod whole;
mod wire;

pub use chaos::{Budget, Seen, Tries, in_a_line, plan as chaos_plan, smallest};
pub use command::{Ended, GRACE, Under};
pub use floor::{SeenFloor, SeenFloorError};
pub use isolated::{ConsoleName, Isolation, NoConsole, NotRun};
pub use matrix::{Cell, Done, Matrix, matrix};
pub use observed::{Observed, Story, observe};
pub use seen::seen;
pub use until::Until;
pub use variable::{NoVariable, Variable};
pub use whole::{Plan, Ran, run};

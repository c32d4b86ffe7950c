//! A command of the user's, run under a scenario and judged from the wire alone.

mod exit;

pub use exit::Exit;

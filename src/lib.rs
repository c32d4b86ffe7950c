//! faultdeck stands in for a QRadar console: it records real answers once, replays them offline with exactly the
//! trouble you ask for, and tells you whether your client coped.
//!
//! The module list below is a map of the code, in the order the data flows; imports go down only.

// Vocabulary: words every module uses.
pub mod json;
pub mod message;
pub mod seed;
pub mod spelling;

pub mod delivery;
pub mod fields;
pub mod redact;
pub mod timeline;

pub mod profile;

// The sentence: record -> cassette -> scenario -> replay -> judge -> report.
pub mod cassette;
pub mod fault;
pub mod ledger;
pub mod scenario;

pub mod emulate;
pub mod record;
pub mod replay;
pub mod serve;

pub mod client;
pub mod judge;
pub mod report;
pub mod run;

pub mod bundled;
#[cfg(feature = "cli")]
pub mod cli;

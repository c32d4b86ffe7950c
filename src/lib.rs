//! faultdeck stands in for a QRadar console: it records real answers once, replays them offline with exactly the
//! trouble you ask for, and tells you whether your client coped.
//!
//! The module list below is a map of the code, in the order the data flows; imports go down only.

// Vocabulary: words every module uses.
pub mod message;
pub mod json;
pub mod seed;

pub mod fields;
pub mod timeline;
pub mod delivery;
pub mod redact;

pub mod profile;

// The sentence: record -> cassette -> scenario -> replay -> judge -> report.
pub mod cassette;
pub mod fault;
pub mod ledger;
pub mod scenario;

pub mod serve;
pub mod record;
pub mod replay;
pub mod emulate;

pub mod client;
pub mod judge;
pub mod run;
pub mod report;

pub mod bundled;
#[cfg(feature = "cli")]
pub mod cli;

//! Scenarios: a file that says what goes wrong, when, and what must still hold.
//!
//! Reading is in two passes. This module reads and checks everything it can know: keys, numbers, faults, endpoints.
//! Names of properties and of cassettes stay names with their place in the text; the layers that own them resolve
//! them. A scenario is also written: a shrunk counter-example becomes a file.

mod builtin;
mod error;
mod flags;
mod inject;
mod lookup;
mod matching;
mod one_line;
mod open;
mod parse;
mod planned;
mod see;
mod trigger;
mod when;
mod write;

#[cfg(feature = "cli")]
pub(crate) use lookup::in_a_line;
pub(crate) use when::Moment;
pub(crate) use write::fault_toml;

use std::path::PathBuf;

pub use error::ScenarioError;
pub use planned::{Nth, Of, PlannedFault};
pub use see::{See, Seen, Statuses};
pub use when::{Span, SpanError, When};

use crate::cassette::MatchRules;
use crate::seed::Seed;
use crate::timeline::{Deployment, PathStep};
use crate::written::read;
pub use crate::written::{Diagnostic, Mistakes, Named};

/// One named failure story.
#[derive(Clone, Debug, PartialEq)]
pub struct Scenario {
    /// The name it was asked for by, or the file's stem.
    pub name: String,
    /// The story in a sentence; may be empty.
    pub summary: String,
    /// The text it was read from (for the ledger).
    pub text: String,
    /// Where the answers come from.
    pub source: Source,
    /// What must hold.
    pub must: Must,
    /// The simulated managed hosts; excludes `path` and `polls_per_phase`.
    pub deployment: Option<Deployment>,
    /// The scripted life, ascending by tick; empty if there is none. Excludes `deployment` and `polls_per_phase`.
    pub path: Vec<PathStep>,
    /// How many polls each recorded phase lasts, 1 to 10,000.
    pub polls_per_phase: Option<u32>,
    /// What drives the task in place of polls.
    pub clock: Option<Clock>,
    /// What a read past its last recording gets.
    pub repeats: Repeats,
    /// What a write past its last recording gets. Creations are no matter of this: they repeat by themselves.
    pub writes: Writes,
    /// What counts in matching, beside what the cassette's own rules say.
    pub matching: MatchRules,
    /// `unknown_id = "miss"`: an id the cassette does not hold is a miss, not 404/1002.
    pub unknown_id_misses: bool,
    /// What goes wrong, in file order.
    pub faults: Vec<PlannedFault>,
    /// What a found counter-example carries.
    pub case: Option<Case>,
    /// The file it came from, if any: cassette names are looked up beside it.
    pub file: Option<PathBuf>,
}

/// Where the answers come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// `cassette = "..."`, or none given: the command line says.
    Cassette(Option<String>),
    /// `console = "emulate"`: the built-in console.
    Emulate,
}

/// What must hold.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Must {
    /// Ids of properties, without repeats.
    pub hold: Vec<Named>,
    /// What a command run under this scenario should do.
    pub command: CommandMust,
    /// What must be seen on the wire.
    pub see: See,
}

/// What a command run under a scenario should do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum CommandMust {
    /// It ends with 0. (Whatever is asked for here: a command that crashed or never began is never content.)
    #[default]
    Passes,
    /// It does not end with 0.
    Fails,
    /// Either.
    Any,
}

impl CommandMust {
    const WORDS: [(&'static str, Self); 3] =
        [("passes", Self::Passes), ("fails", Self::Fails), ("any", Self::Any)];

    /// The one that an exact spelling names.
    pub fn parse(text: &str) -> Option<Self> {
        Self::WORDS.into_iter().find(|(word, _)| *word == text).map(|(_, must)| must)
    }
}

/// What drives a task in place of polls. A run with a clock is not repeatable exactly, and is marked so.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Clock {
    /// Time: so many milliseconds since the first poll make one tick, 1 to 86,400,000.
    Every(u64),
    /// Whoever runs it, tick by tick.
    ByHand,
}

/// What a read past its last recording gets.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Repeats {
    /// The last recording again.
    #[default]
    Last,
    /// A miss.
    Error,
    /// The recordings from the first again.
    Cycle,
}

impl Repeats {
    const WORDS: [(&'static str, Self); 3] =
        [("last", Self::Last), ("error", Self::Error), ("cycle", Self::Cycle)];
}

/// What a write past its last recording gets.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Writes {
    /// A miss: what the console does with it a second time was not recorded.
    #[default]
    Once,
    /// The recordings from the first again.
    Repeat,
    /// The last recording again.
    Last,
}

impl Writes {
    const WORDS: [(&'static str, Self); 3] =
        [("once", Self::Once), ("repeat", Self::Repeat), ("last", Self::Last)];
}

/// What a found counter-example carries, so that the file alone repeats it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Case {
    /// The property it breaks.
    pub property: String,
    /// The client that broke it.
    pub client: String,
    /// The job it was given: `get`, `wait`, `create`, `send`.
    pub job: String,
    /// The full id of the endpoint that the job asked first, unless it is the usual one.
    pub endpoint: Option<String>,
    /// The path it asked, without `/api`.
    pub path: Option<String>,
    /// The dialect the task was spelt in.
    pub dialect: String,
    /// The `fields` text it was told to ask with, if any.
    pub fields: Option<String>,
    /// The task as JSON text, if it was generated.
    pub task: Option<String>,
    /// The seed of the run.
    pub seed: Seed,
}

//! Scenarios. (split: mod.rs, parse.rs, trigger.rs, write.rs, builtin.rs).
use std::ops::Range;
use std::path::{Path, PathBuf};
use crate::fault::Fault;
use crate::profile::Profile;
use crate::seed::{Ratio, Seed};
use crate::timeline::{Deployment, PathStep};

/// One named failure story.
#[derive(Clone, Debug)]
pub struct Scenario {
    /// File stem, or `builtin` name.
    pub name: String,
    pub summary: String,
    /// The text it was read from (for the ledger).
    pub text: String,
    pub source: Source,
    pub must: Must,
    pub deployment: Option<Deployment>,
    pub path: Vec<PathStep>,
    pub polls_per_phase: Option<u32>,
    pub clock: Option<Clock>,
    pub repeats: Repeats,
    /// `unknown_id = "miss"` turns rung 8 off.
    pub unknown_id_misses: bool,
    pub faults: Vec<PlannedFault>,
    pub case: Option<Case>,
    /// Where it came from, if a file: cassette names are looked up beside it.
    pub file: Option<PathBuf>,
}
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source { /// `cassette = "..."`, or none given
 Cassette(Option<String>), /// `console = "emulate"`
 Emulate }
#[derive(Clone, Debug, Default)]
pub struct Must { pub hold: Vec<Named>, pub command: CommandMust, pub see: See }
/// A name from the text, with its bytes, resolved by a higher layer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Named { pub name: String, pub at: Range<usize> }
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum CommandMust { #[default] Passes, Fails, Any }
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct See { pub requests_max: Option<u64> }
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Clock { pub tick_ms: u64 }
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Repeats { #[default] Last, Error, Cycle }
#[derive(Clone, Debug)]
pub struct PlannedFault {
    pub name: Option<String>,
    /// Full endpoint id; None = any.
    pub endpoint: Option<String>,
    pub nth: Nth,
    pub of: Of,
    pub chance: Option<Ratio>,
    pub optional: bool,
    pub inject: Fault,
    /// `name`, else hash of the canonical text plus ordinal among equals.
    pub key: String,
}
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Of { #[default] Resource, Endpoint }
/// `"3" | "2-4" | "3-" | "every 3"`, from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Nth { Between(u32, Option<u32>), Every(u32) }
impl Nth { pub fn holds(self, _n: u32) -> bool { todo!() } }
impl PlannedFault {
    /// Whether it fires on this occurrence. `stream` is keyed by (session, key, endpoint, resource, nth).
    pub fn fires(&self, _seed: Seed, _session: &str, _endpoint: &str, _resource: &str, _nth: u32) -> bool { todo!() }
    /// Whether a run in which it never fired is inconclusive.
    pub fn must_fire(&self) -> bool { todo!() }
}
/// What a found counter-example carries, so that the file alone repeats it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Case { pub property: String, pub client: String, pub job: String, pub dialect: String, pub fields: Option<String>, /// JSON text
 pub task: Option<String>, pub seed: Seed }
/// A mistake in a text: what, where, and the fix. `cli` renders it with a caret.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{file}: {message}")]
pub struct Diagnostic { pub file: String, pub text: String, pub message: String, pub at: Range<usize>, pub label: String, pub help: Option<String> }
#[derive(Debug, thiserror::Error)]
pub enum ScenarioError {
    #[error(transparent)] Invalid(Box<Diagnostic>),
    #[error("cannot read {path}: {source}")] Io { path: String, source: std::io::Error },
    #[error("no scenario `{name}`")] NoSuch { name: String, nearest: Vec<String> },
}
impl Scenario {
    pub fn parse(_name: &str, _file: &str, _text: &str, _profile: &Profile) -> Result<Self, ScenarioError> { todo!() }
    /// `builtin:NAME`, a path (ends in .toml), or a name: scenarios/ of the working folder, then builtin).
    pub fn open(_argument: &str, _profile: &Profile) -> Result<Self, ScenarioError> { todo!() }
    pub fn load(_path: &Path, _profile: &Profile) -> Result<Self, ScenarioError> { todo!() }
    /// Embedded ones: (name, text). The six stories first, then one per fault kind not used by them.
    pub fn builtins() -> &'static [(&'static str, &'static str)] { todo!() }
    pub fn builtin(_name: &str, _profile: &Profile) -> Option<Self> { todo!() }
    /// Writes a scenario (a shrunk counter-example) so that parse gives the same back.
    pub fn to_toml(&self) -> String { todo!() }
}

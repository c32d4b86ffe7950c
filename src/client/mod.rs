//! Clients under test. (split: mod.rs, file.rs (clients/NAME.toml), exec.rs, child.rs, in_process.rs, outcome.rs).
use std::future::Future;
use std::path::PathBuf;
use crate::ledger::OutcomeLine;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum JobKind { Get, Wait, Create }
/// What a client is asked to do.
#[derive(Clone, Debug)]
pub struct Job { pub kind: JobKind, pub base_url: String, /// task id, as text: may exceed 2^53
 pub id: Option<String>, /// case name for `create`
 pub name: Option<String>, pub fields: Option<String>, pub sec: String, pub ca_file: Option<PathBuf>, pub pace_ms: u64, pub deadline_ms: u64 }
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Resting { Done, Usable, Pending, Failed }
/// What came of it. The last four are seen from outside.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome { Task { standing: Resting, /// JSON text
 task: String }, NotFound { code: Option<i64> }, ServerError { code: Option<i64> }, Rejected { code: Option<i64> }, GaveUp, Error { text: String },
 TimedOut, Crashed { how: String }, Silent, NotStarted { why: String } }
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report { pub outcome: Outcome, pub stderr: String, pub stdout: String }
/// What a client says of itself; never held against it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claims { pub on_partial: OnPartial, pub sends_version: bool, pub retries_max: u32, pub retries_on: Vec<u16>, pub gives_up_after_ms: Option<u64> }
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnPartial { Waits, Leaves }
/// The program under test.
pub trait Client: Send + Sync {
    fn name(&self) -> &str;
    fn jobs(&self) -> &[JobKind];
    fn dialects(&self) -> &[String];
    fn claims(&self) -> &Claims;
    fn timeout_ms(&self) -> u64;
    fn run(&self, job: &Job) -> impl Future<Output = Report> + Send;
}
impl Report { pub fn line(&self, _session: &str, _job: JobKind) -> OutcomeLine { todo!() } }
/// A closure as a client, for Rust tests.
#[derive(Debug)]
pub struct InProcess<F> { pub f: F }
/// A program started anew for each job (`[exec]`).
#[derive(Clone, Debug)]
pub struct Exec {}
/// Opens clients/NAME.toml, `builtin:NAME`, or a name.
pub fn open(_argument: &str) -> Result<Exec, crate::scenario::ScenarioError> { todo!() }
/// A child process with hygiene, also used by `run`: own group, TERM then KILL, capped output, PDEATHSIG, clean end.
pub mod child {}

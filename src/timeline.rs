//! A task's life over ticks..
use serde::{Deserialize, Serialize};

/// A task's kind of state.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase { Waiting, Working, Partial, Done, Failed, Cancelled }
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Deployment { #[serde(default = "one")] pub picked_up_at: u32, pub hosts: Vec<ManagedHost> }
fn one() -> u32 { 1 }
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ManagedHost { pub name: String, #[serde(default)] pub changes: Vec<HostChange> }
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HostChange { pub at: u32, pub becomes: HostState }
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum HostState { Working, Done, Down, Removed }
impl Deployment {
    /// The phase at a tick ("Deployment to phase").
    pub fn phase_at(&self, _tick: u32) -> Phase { todo!() }
    /// The first tick from which nothing changes any more.
    pub fn settles(&self) -> u32 { todo!() }
}
/// One step of a scripted life: from poll `at` on, these members have these values (JSON text).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PathStep { pub at: u32, pub set: Vec<(String, String)> }
/// Cuts or stretches runs of one phase to `n` polls each: which recorded poll answers poll `tick`.
pub fn stretched<P: PartialEq>(_phases: &[P], _n: u32, _tick: u32) -> usize { todo!() }

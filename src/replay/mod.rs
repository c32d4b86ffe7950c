//! Sessions: decide an answer from evidence..
use std::sync::Arc;
use crate::cassette::Cassette;
use crate::ledger::{EndLine, Exchange, Line};
use crate::message::{Request, Response};
use crate::profile::Profile;
use crate::redact::Redactor;
use crate::scenario::Scenario;
use crate::seed::Seed;

/// A cassette made ready to answer from: index, shapes, dialect. Built once, shared by any number of sessions.
#[derive(Debug)]
pub struct Material {}
impl Material {
    /// Never fails: what a cassette lacks shows as misses.
    pub fn new(_cassette: Cassette, _profile: &'static Profile) -> Self { todo!() }
    pub fn cassette(&self) -> &Cassette { todo!() }
}
/// A console that is asked in a cassette's place (`console = "emulate"`): made anew for each session.
pub type ConsoleMaker = Arc<dyn Fn() -> Box<dyn FnMut(&Request) -> Response + Send> + Send + Sync>;
/// What answers are made from.
#[derive(Clone)]
pub enum Evidence { Cassette(Arc<Material>), Console(ConsoleMaker) }
/// Whether credentials are asked for (rung 2).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Auth { #[default] Required, Off }
/// All that a replay is made of.
#[derive(Clone)]
pub struct Setup {
    pub evidence: Evidence,
    pub scenario: Option<Arc<Scenario>>,
    pub profile: &'static Profile,
    pub seed: Seed,
    pub auth: Auth,
    /// Every text of the ledger goes through it.
    pub redactor: Redactor,
    /// `replay`, `judge`, `run`: goes to the run line.
    pub verb: String,
    /// The name of the first session: `main`, or the judge's name of a case. Seeds use it.
    pub session: String,
}
/// Called once per served request with the finished exchange, for the one line a request prints.
pub type Watch = Arc<dyn Fn(&Exchange) + Send + Sync>;
/// A running replay; implements `serve::Answer`.
pub struct Replay {}
impl Replay {
    pub fn new(_setup: Setup) -> Self { todo!() }
    pub fn watched(self, _watch: Watch) -> Self { todo!() }
    /// The listener's own `scheme://host:port`, known once it listens: `{base}` in answers becomes it.
    pub fn set_base(&self, _url: &str) { todo!() }
    /// All lines so far: run lines, exchanges, timings.
    pub fn lines(&self) -> Vec<Line> { todo!() }
    /// The account so far; `exit`, `because` and `command` are the caller's to fill.
    pub fn account(&self) -> EndLine { todo!() }
}

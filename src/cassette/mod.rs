//! A file of interactions. (split: mod.rs, format.rs, body.rs, matcher.rs, canonical.rs).
pub mod find;

use std::path::Path;
use crate::fields::FieldSelector;
use crate::message::{Request, Response};
use crate::profile::Profile;

#[derive(Clone, Debug, PartialEq)]
pub struct Cassette { pub name: String, pub recorded_from: RecordedFrom, pub interactions: Vec<Interaction> }
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RecordedFrom { pub host: String, pub api_version: Option<String>, pub tls: TlsTrust, pub encoding: String, pub redaction: String }
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TlsTrust { #[default] None, Verified, Pinned, Insecure }
#[derive(Clone, Debug, PartialEq)]
pub struct Interaction { pub id: String, /// full endpoint id, empty if opaque
 pub endpoint: String, pub request: Request, pub response: Response, /// fetched by the recorder, not asked by the client
 pub by_recorder: bool, pub notes: Vec<String> }
#[derive(Debug, thiserror::Error)]
pub enum CassetteError { #[error("{path}: {message}")] Invalid { path: String, message: String, line: usize, column: usize }, #[error("{path}: {source}")] Io { path: String, source: std::io::Error }, #[error("{path}: format {found}, newer than {supported}")] TooNew { path: String, found: u32, supported: u32 } }
impl Cassette {
    pub fn load(_path: &Path) -> Result<Self, CassetteError> { todo!() }
    pub fn parse(_name: &str, _text: &str) -> Result<Self, CassetteError> { todo!() }
    /// Canonical text: ids, order and placeholders are put right here. `to_text(parse(t)) == t` for files of ours.
    pub fn to_text(&self) -> String { todo!() }
    /// Atomic: temporary file beside it, synced, renamed; 0600.
    pub fn save(&self, _path: &Path) -> Result<(), CassetteError> { todo!() }
    /// Canonical order and stable ids, in place.
    pub fn canonicalise(&mut self, _profile: &Profile) { todo!() }
}
/// What must agree between a request and a recorded one: method, path, query without `fields` and
/// credentials' values as a multiset, Range, body as JSON else bytes.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct MatchKey { pub method: String, pub path: String, pub query: Vec<(String, String)>, pub range: Option<String>, pub body: String }
impl MatchKey { pub fn of(_request: &Request) -> Self { todo!() } 
    /// Stable 8 hex digits.
    pub fn hash8(&self) -> String { todo!() } }
/// An interaction's place in its cassette.
pub type Index = usize;
/// Finds interactions by key; built once per cassette, shared by all sessions. Holds no session state.
#[derive(Debug)]
pub struct Deck { /* by key, by resource, epochs, selectors */ }
#[derive(Clone, Debug)]
pub struct Slot { pub index: Index, pub epoch: usize, pub selector: Option<FieldSelector> }
impl Deck {
    pub fn new(_cassette: &Cassette, _profile: &Profile) -> Self { todo!() }
    /// All recordings under a key, in file order, with their epoch (writes answered 2xx cut a resource's recording) and selector.
    pub fn under(&self, _key: &MatchKey) -> &[Slot] { todo!() }
    /// The three nearest interactions, each with the part that differs, for a miss: (interaction id, what differs).
    pub fn nearest(&self, _key: &MatchKey) -> Vec<(String, String)> { todo!() }
}

//! The fault table. (one file per kind).
use crate::delivery::Delivery;
use crate::fields::FieldSelector;
use crate::profile::{Endpoint, Lifecycle};
use crate::seed::Stream;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum At { Connection, Response }
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Work { Done, NotDone }
/// What a fault may look at.
#[derive(Debug)]
pub struct Context<'a> { pub endpoint: Option<&'a Endpoint>, pub lifecycle: Option<&'a Lifecycle>, pub selector: Option<&'a FieldSelector>, pub stream: &'a mut Stream }
/// One kind of fault.
pub trait FaultKind: Sized {
    const SUMMARY: &'static str;
    const AT: At;
    const WORK: Work;
    /// Whether a request refused by the gate may meet it (latency, hang, reset, close, truncate).
    const MEETS_REFUSED: bool;
    /// Edits the delivery; says in words what it did, or None if it changed nothing.
    fn inject(&self, delivery: &mut Delivery, cx: &mut Context<'_>) -> Option<String>;
    fn is_identity(&self) -> bool { false }
    fn strategy() -> proptest::strategy::BoxedStrategy<Self>;
}
// macro faults! { "latency" => latency::Latency, ... } makes `enum Fault` with serde names, CATALOGUE, and dispatch of all the above.
/// Stub of what the macro generates.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub enum Fault {}
impl Fault {
    pub const CATALOGUE: &'static [Row] = &[];
    pub fn kind(&self) -> &'static str { todo!() }
    pub fn work(&self) -> Work { todo!() }
    pub fn meets_refused(&self) -> bool { todo!() }
    pub fn is_identity(&self) -> bool { todo!() }
    pub fn inject(&self, _delivery: &mut Delivery, _cx: &mut Context<'_>) -> Option<String> { todo!() }
    /// All kinds, simplest first.
    pub fn strategy() -> proptest::strategy::BoxedStrategy<Self> { todo!() }
}
#[derive(Debug)]
pub struct Row { pub name: &'static str, pub summary: &'static str, pub at: At, pub work: Work, pub example: &'static str }

//! The `fields` language. (split: mod.rs, parse.rs, project.rs, shape.rs, strategy.rs).
use std::ops::Range;
use crate::json::Json;

/// A parsed `fields` value; order kept, never empty. Equality is textual order; use `same` for meaning.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct FieldSelector(Vec<Field>);
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Field { pub name: String, pub subfields: Option<FieldSelector> }
/// Every error has one span (bytes of the text) and says the fix. `is_unknown` tells 422/30 from 422/31.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FieldsError {
    #[error("malformed")] Malformed { why: String, at: Range<usize> },
    #[error("field `{name}` is named twice at one level")] Duplicate { name: String, first: Range<usize>, again: Range<usize> },
    #[error("no field `{name}`")] Unknown { name: String, path: String, nearest: Option<String> },
    #[error("too large")] TooLarge { why: String },
}
impl FieldSelector {
    /// Blank or empty text is `Ok(None)`: the whole resource. Duplicates (anywhere) and bounds are errors here.
    pub fn parse(_text: &str) -> Result<Option<Self>, FieldsError> { todo!() }
    /// From parts already checked; the caller guarantees names are legal and unique. Errors if empty.
    pub fn of(_fields: Vec<Field>) -> Option<Self> { todo!() }
    pub fn fields(&self) -> &[Field] { &self.0 }
    /// The reference semantics: total, pure, idempotent. Compact text; each kept value is its own source text.
    pub fn project(&self, _value: &Json<'_>) -> String { todo!() }
    /// First unknown name in text order, depth first.
    pub fn check(&self, _shape: &Shape) -> Result<(), FieldsError> { todo!() }
    /// Whether everything `narrower` selects, this selects too.
    pub fn covers(&self, _narrower: &FieldSelector) -> bool { todo!() }
    /// Same meaning: names in any order at each level.
    pub fn same(&self, _other: &FieldSelector) -> bool { todo!() }
    /// Both together (`a` beside `a(b)` is `a`).
    pub fn union(&self, _other: &FieldSelector) -> FieldSelector { todo!() }
    /// Names in all, at every level.
    pub fn names(&self) -> usize { todo!() }
    /// Whether the top-level name is selected.
    pub fn selects(&self, _name: &str) -> bool { todo!() }
}
impl std::fmt::Display for FieldSelector { fn fmt(&self, _f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result { todo!() } }
/// What an endpoint can return: the tree a selector selects from. A list's shape is its element's, wrapped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Shape { Scalar(Scalar), Object(Vec<(String, Shape)>), List(Box<Shape>) }
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Scalar { Bool, Integer, Number, String, OneOf(Vec<String>) }
impl Shape {
    /// From a sample of the console's self-description (`"String <one of: A, B>"`, `42`, `"String"`, `true`, `42.5`).
    pub fn of_sample(_sample: &Json<'_>) -> Self { todo!() }
    /// Adds every member seen in a real value.
    pub fn absorb(&mut self, _value: &Json<'_>) { todo!() }
    /// The resource's own object shape: through lists to the element.
    pub fn element(&self) -> &Shape { todo!() }
    pub fn names(&self) -> Vec<&str> { todo!() }
    /// Every name at every level.
    pub fn full(&self) -> Option<FieldSelector> { todo!() }
    /// Renames members at the top level (of the element): a dialect.
    pub fn renamed(&self, _renames: &[(&str, &str)]) -> Shape { todo!() }
}
pub mod strategy {
    //! Generators. All shrink towards few names, small values.
    use super::{FieldSelector, Shape};
    use proptest::strategy::BoxedStrategy;
    /// Legal selectors of a shape.
    pub fn selectors(_shape: &Shape) -> BoxedStrategy<FieldSelector> { todo!() }
    /// JSON text of a resource of that shape: big integers, odd text, null and [] at times, members left out only if `partial`.
    pub fn resources(_shape: &Shape) -> BoxedStrategy<String> { todo!() }
    /// Another spelling of the same selector: blanks, and (if `encoded`) percent-encoding for a query string.
    pub fn spellings(_selector: &FieldSelector) -> BoxedStrategy<String> { todo!() }
    /// Texts that do not parse.
    pub fn malformed() -> BoxedStrategy<String> { todo!() }
}

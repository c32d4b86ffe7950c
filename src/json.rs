//! A lossless view of JSON text over serde_json's `RawValue`: number text, duplicate members and member order are
//! kept; every value knows its own source text.
use std::borrow::Cow;

/// A value and its source text..
#[derive(Clone, Debug)]
pub struct Json<'a> { text: &'a str, kind: Kind<'a> }
#[derive(Clone, Debug)]
pub enum Kind<'a> { Null, Bool(bool), Number, String(Cow<'a, str>), Array(Vec<Json<'a>>), Object(Vec<(Cow<'a, str>, Json<'a>)>) }
/// message carries line and column; depth over 128 is an error of its own.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum JsonError { #[error("{message} at line {line} column {column}")] Syntax { message: String, line: usize, column: usize }, #[error("nested deeper than 128")] TooDeep, #[error("not UTF-8")] NotUtf8 }
impl<'a> Json<'a> {
    pub fn parse(_text: &'a str) -> Result<Self, JsonError> { todo!() }
    pub fn parse_bytes(_bytes: &'a [u8]) -> Result<Self, JsonError> { todo!() }
    pub fn text(&self) -> &'a str { self.text }
    pub fn kind(&self) -> &Kind<'a> { &self.kind }
    /// First of duplicate members.
    pub fn member(&self, _name: &str) -> Option<&Json<'a>> { todo!() }
    /// RFC 6901 pointer, first of duplicates.
    pub fn pointer(&self, _pointer: &str) -> Option<&Json<'a>> { todo!() }
    pub fn elements(&self) -> &[Json<'a>] { todo!() }
    pub fn members(&self) -> &[(Cow<'a, str>, Json<'a>)] { todo!() }
    pub fn as_str(&self) -> Option<&str> { todo!() }
    /// Exact, if the number is an integer in range.
    pub fn as_i128(&self) -> Option<i128> { todo!() }
    pub fn is_null(&self) -> bool { todo!() }
    /// Same value: numbers by exact decimal value, members in any order (first of duplicates), arrays in order.
    pub fn same(&self, _other: &Json<'_>) -> bool { todo!() }
    /// Pointers of members that stand twice in one object.
    pub fn duplicates(&self) -> Vec<String> { todo!() }
    /// Without insignificant white space; every scalar keeps its source text.
    pub fn compact(&self) -> String { todo!() }
}
/// `text` (valid JSON) with the value at each pointer replaced by the given JSON text; a pointer that leads nowhere is skipped. All other bytes stay.
pub fn replace(_text: &str, _edits: &[(&str, &str)]) -> String { todo!() }
/// `text` with the member `name` of the object (or of each object in the array) taken out, all duplicates; other bytes stay.
pub fn remove_member(_text: &str, _name: &str) -> String { todo!() }
/// `text` with members of the object (or of each object in the array) renamed; other bytes stay.
pub fn rename_members(_text: &str, _renames: &[(&str, &str)]) -> String { todo!() }
/// `value` as a JSON string literal, quotes included.
pub fn quote(_value: &str) -> String { todo!() }

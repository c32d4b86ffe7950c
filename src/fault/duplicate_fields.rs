//! `duplicate-fields`: the same member twice, with two values.

use proptest::strategy::{BoxedStrategy, Strategy};
use serde::{Deserialize, Serialize};

use super::body::{MEMBER, edit_member, members};
use super::{Context, Did, Effect, FaultKind, Parameter, Work};
use crate::delivery::Delivery;
use crate::json::{Json, Kind, quote};

/// Repeats a member with another value.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DuplicateFields {
    /// The member's name at the top level of the resource; in a list, of each element.
    pub name: String,
}

impl FaultKind for DuplicateFields {
    const SUMMARY: &'static str = "One field comes twice, with two values.";
    const DOCS: &'static str = "\
In a successful JSON answer the member `name` comes twice, at the top level or in each element of a list: as it was, \
and right behind that with another value of the same type (for null: false).

JSON does not say which one counts: many programs take the last, some the first, some refuse (RFC 8259, section 4). \
So no value is right or wrong here. A client that crashes without a word fails; one that refuses the answer, and \
says so, is as good as one that takes either.";
    const EXAMPLE: &'static str = "inject = { duplicate-fields = { name = \"name\" } }";
    const PARAMETERS: &'static [Parameter] = &[MEMBER];
    const WORK: Work = Work::Done;
    const EFFECT: Effect = Effect::Ambiguous;

    fn inject(&self, delivery: &mut Delivery, _cx: &mut Context<'_>) -> Option<Did> {
        let put = edit_member(delivery, &self.name, |value| {
            Some(format!("{},{}:{}", value.text(), quote(&self.name), another(value)))
        });
        let words = format!("repeated `{}` with another value", self.name);
        put.then(|| Did { words, members: vec![self.name.clone()] })
    }

    fn strategy() -> BoxedStrategy<Self> {
        members().prop_map(|name| Self { name }).boxed()
    }
}

/// Another value of the same type.
fn another(value: &Json<'_>) -> &'static str {
    match value.kind() {
        Kind::Null | Kind::Bool(true) => "false",
        Kind::Bool(false) => "true",
        Kind::Number if value.as_i128() == Some(0) => "1",
        Kind::Number => "0",
        Kind::String(text) if text == "another" => "\"other\"",
        Kind::String(_) => "\"another\"",
        Kind::Array(elements) if elements.is_empty() => "[null]",
        Kind::Array(_) => "[]",
        Kind::Object(members) if members.is_empty() => "{\"another\":true}",
        Kind::Object(_) => "{}",
    }
}

//! `retyped-field`: a member's value has another type.

use proptest::strategy::{BoxedStrategy, Strategy};
use serde::{Deserialize, Serialize};

use super::body::{MEMBER, edit_member, members};
use super::{Context, Did, Effect, FaultKind, Parameter, Work};
use crate::delivery::Delivery;
use crate::json::{Json, Kind, quote};

/// Gives a member's value another JSON type.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RetypedField {
    /// The member's name at the top level of the resource; in a list, of each element.
    pub name: String,
}

impl FaultKind for RetypedField {
    const SUMMARY: &'static str = "One field has a value of another type.";
    const DOCS: &'static str = "\
In a successful JSON answer the value of the member `name` has another type, at the top level or in each element of \
a list: a number or a flag becomes the text of itself, a text that spells a whole number becomes that number, any \
other text a list with the text in it, an object a list with the object in it, a list an object that holds it as \
`items`, and null an empty text. Every other byte stays.

Types differ between versions, and between the page and the console (ids that are numbers here are texts there: \
seen). A client must either take the value as it came, or say clearly that it is not what it expected; it must not \
crash without a word, and not report a value that nobody sent.";
    const EXAMPLE: &'static str = "inject = { retyped-field = { name = \"id\" } }";
    const PARAMETERS: &'static [Parameter] = &[MEMBER];
    const WORK: Work = Work::Done;
    const EFFECT: Effect = Effect::Altered;

    fn inject(&self, delivery: &mut Delivery, _cx: &mut Context<'_>) -> Option<Did> {
        let put = edit_member(delivery, &self.name, |value| Some(retyped(value)));
        let words = format!("gave `{}` another type", self.name);
        put.then(|| Did { words, members: vec![self.name.clone()] })
    }

    fn strategy() -> BoxedStrategy<Self> {
        members().prop_map(|name| Self { name }).boxed()
    }
}

fn retyped(value: &Json<'_>) -> String {
    let text = value.text();
    match value.kind() {
        Kind::Null => "\"\"".to_owned(),
        Kind::Bool(_) | Kind::Number => quote(text),
        Kind::String(spelt)
            if Json::parse(spelt).is_ok_and(|json| json.text() == spelt && json.as_i128().is_some()) =>
        {
            spelt.to_string()
        }
        Kind::String(_) | Kind::Object(_) => format!("[{text}]"),
        Kind::Array(_) => format!("{{\"items\":{text}}}"),
    }
}

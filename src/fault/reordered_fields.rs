//! `reordered-fields`: the members in another order.

use proptest::strategy::{BoxedStrategy, Just, Strategy};
use serde::{Deserialize, Serialize};

use super::body::{edit_json, objects_at};
use super::{Context, Did, Effect, FaultKind, Parameter, Work};
use crate::delivery::Delivery;
use crate::json::{self, Json, quote};

/// Turns the members of each object round.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReorderedFields {}

impl FaultKind for ReorderedFields {
    const SUMMARY: &'static str = "The answer has its fields in another order.";
    const DOCS: &'static str = "\
A successful JSON answer has the members of the object, or of each element of a list, in the opposite order. Values \
stay as they are. An object with duplicate members is left alone.

The order of members means nothing in JSON, and `fields` does not set it (one source). A client that reads by place, \
or with a pattern over the text, fails here; any other sees no difference.";
    const EXAMPLE: &'static str = "inject = { reordered-fields = {} }";
    const PARAMETERS: &'static [Parameter] = &[];
    const WORK: Work = Work::Done;
    const EFFECT: Effect = Effect::Rewritten;

    fn inject(&self, delivery: &mut Delivery, _cx: &mut Context<'_>) -> Option<Did> {
        let turned = edit_json(delivery, |text, json| {
            if !json.duplicates().is_empty() {
                return None;
            }
            let edits: Vec<(String, String)> =
                objects_at(json).into_iter().map(|(at, object)| (at, turned_round(object))).collect();
            let edits: Vec<(&str, &str)> =
                edits.iter().map(|(at, new)| (at.as_str(), new.as_str())).collect();
            Some(json::replace(text, &edits))
                .filter(|_| objects_at(json).iter().any(|(_, it)| it.members().len() > 1))
        });
        turned.then(|| "turned the order of the members round".into())
    }

    fn strategy() -> BoxedStrategy<Self> {
        Just(Self {}).boxed()
    }
}

fn turned_round(object: &Json<'_>) -> String {
    let members = object.members().iter().rev();
    let members: Vec<String> =
        members.map(|(name, value)| format!("{}:{}", quote(name), value.text())).collect();
    format!("{{{}}}", members.join(","))
}

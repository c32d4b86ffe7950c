//! `extra-field`: a member that nobody asked for.

use proptest::sample::select;
use proptest::strategy::{BoxedStrategy, Strategy};
use serde::{Deserialize, Serialize};

use super::body::{edit_json, objects_at};
use super::{Context, Did, Effect, FaultKind, Mistake, Parameter, Takes, Work};
use crate::delivery::Delivery;
use crate::json::{self, Json, quote};

/// Adds a member to a successful answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExtraField {
    /// The member.
    pub name: String,
    /// Its value, as JSON text.
    #[serde(default = "yes", skip_serializing_if = "is_yes")]
    pub value: String,
}

impl FaultKind for ExtraField {
    const SUMMARY: &'static str = "The answer has a field more.";
    const DOCS: &'static str = "\
A successful JSON answer has the member `name` as well, with `value` for its value, as the last one of the object or \
of each element of a list. An object that has such a member is left alone.

New versions of the API add members, and consoles have undocumented ones (documented: a version's pages tell what is \
new). A client must not mind: it may pass the member on or leave it out, and reports all else as ever.";
    const EXAMPLE: &'static str = "inject = { extra-field = { name = \"unrequested\", value = \"[1]\" } }";
    const PARAMETERS: &'static [Parameter] = &[
        Parameter { name: "name", takes: Takes::Name, default: None, meaning: "the new member" },
        Parameter {
            name: "value",
            takes: Takes::Text,
            default: Some("true"),
            meaning: "its value, as JSON text",
        },
    ];
    const WORK: Work = Work::Done;
    const EFFECT: Effect = Effect::Altered;

    fn inject(&self, delivery: &mut Delivery, _cx: &mut Context<'_>) -> Option<Did> {
        let more = format!("{}:{}", quote(&self.name), self.value);
        let put = edit_json(delivery, |text, json| {
            let edits: Vec<(String, String)> = (objects_at(json).into_iter())
                .filter(|(_, object)| object.member(&self.name).is_none())
                .filter_map(|(at, object)| Some((at, with_more(object, &more)?)))
                .collect();
            let edits: Vec<(&str, &str)> =
                edits.iter().map(|(at, new)| (at.as_str(), new.as_str())).collect();
            (!edits.is_empty()).then(|| json::replace(text, &edits))
        });
        put.then(|| Did { words: format!("added `{}`", self.name), members: vec![self.name.clone()] })
    }

    fn check(&self) -> Result<(), Mistake> {
        match Json::parse(&self.value) {
            Ok(_) => Ok(()),
            Err(error) => {
                Err(Mistake { parameter: "value", why: format!("must be JSON, and is not: {error}") })
            }
        }
    }

    fn strategy() -> BoxedStrategy<Self> {
        select(&["true", "null", "{\"a\":[]}"][..])
            .prop_map(|value| Self { name: "more".to_owned(), value: value.to_owned() })
            .boxed()
    }
}

fn yes() -> String {
    "true".to_owned()
}

fn is_yes(value: &str) -> bool {
    value == "true"
}

/// The object with one more member at its end.
fn with_more(object: &Json<'_>, more: &str) -> Option<String> {
    let inside = object.text().strip_suffix('}')?;
    let comma = if object.members().is_empty() { "" } else { "," };
    Some(format!("{inside}{comma}{more}}}"))
}

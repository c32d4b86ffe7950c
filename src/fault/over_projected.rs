//! `over-projected`: a member that was asked for is left out.

use proptest::sample::select;
use proptest::strategy::{BoxedStrategy, Strategy};
use serde::{Deserialize, Serialize};

use super::body::{edit_json, objects};
use super::ignored_fields::asked_for;
use super::{Context, Did, Effect, FaultKind, Parameter, Takes, Work};
use crate::delivery::Delivery;
use crate::json::remove_member;

/// Leaves out a member that `fields` names.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OverProjected {
    /// The member; one is chosen if it is empty.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub name: String,
}

impl FaultKind for OverProjected {
    const SUMMARY: &'static str = "A field that was asked for in `fields` is left out.";
    const DOCS: &'static str = "\
A request that names members in `fields` is answered without one of them, as if it had not been named: `name`, or \
the last one named that the answer has. A request without `fields` is left alone, and so is a `name` that it does \
not ask for.

Hidden and removed members are left out without a word (inferred), where an unknown one is refused with 422/30. A \
client that needs the member says that it did not come; it must not report a value for it.";
    const EXAMPLE: &'static str = "inject = { over-projected = {} }";
    const PARAMETERS: &'static [Parameter] = &[Parameter {
        name: "name",
        takes: Takes::Text,
        default: Some("\"\""),
        meaning: "the member; if it is empty, the last one asked for that came",
    }];
    const WORK: Work = Work::Done;
    const EFFECT: Effect = Effect::Thinner;

    fn inject(&self, delivery: &mut Delivery, cx: &mut Context<'_>) -> Option<Did> {
        let asked = asked_for(cx.request, cx.endpoint)?;
        let mut left_out = String::new();
        let dropped = edit_json(delivery, |text, json| {
            let came = |name: &str| objects(json).any(|object| object.member(name).is_some());
            let mut names = asked.fields().iter().rev().map(|field| field.name.as_str());
            let name = names.find(|name| came(name) && (self.name.is_empty() || *name == self.name))?;
            name.clone_into(&mut left_out);
            Some(remove_member(text, name))
        });
        dropped.then(|| Did {
            words: format!("left `{left_out}` out, which was asked for"),
            members: vec![left_out],
        })
    }

    fn strategy() -> BoxedStrategy<Self> {
        select(&["", "name", "id", "absent"][..]).prop_map(|name| Self { name: name.to_owned() }).boxed()
    }
}

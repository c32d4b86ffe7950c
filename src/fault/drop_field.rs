//! `drop-field`: a member is missing from the answer.

use proptest::strategy::{BoxedStrategy, Strategy};
use serde::{Deserialize, Serialize};

use super::body::{edit_json, members, objects};
use super::{Context, Did, Effect, FaultKind, Parameter, Takes, Work};
use crate::delivery::Delivery;
use crate::json::remove_member;

/// Takes one member out of a successful answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DropField {
    /// The member's name at the top level of the resource; in a list, of each element.
    pub name: String,
}

impl FaultKind for DropField {
    const SUMMARY: &'static str = "One field is missing from the answer.";
    const DOCS: &'static str = "\
A successful JSON answer comes without the member `name`, at the top level or in each element of a list; every other \
byte of the body stays. Errors and other media types are left alone, and so is an answer that lacks the member anyway.

The API leaves out what an instance does not have, and documentation and reality differ now and then. A client must \
neither crash nor make up a value (0, an empty text) for what did not come.";
    const EXAMPLE: &'static str = "inject = { drop-field = { name = \"case_id\" } }";
    const PARAMETERS: &'static [Parameter] =
        &[Parameter { name: "name", takes: Takes::Name, default: None, meaning: "the member to take out" }];
    const WORK: Work = Work::Done;
    const EFFECT: Effect = Effect::Thinner;

    fn inject(&self, delivery: &mut Delivery, _cx: &mut Context<'_>) -> Option<Did> {
        let dropped = edit_json(delivery, |text, json| {
            let is_there = objects(json).any(|object| object.member(&self.name).is_some());
            is_there.then(|| remove_member(text, &self.name))
        });
        dropped.then(|| Did { words: format!("left `{}` out", self.name), members: vec![self.name.clone()] })
    }

    fn strategy() -> BoxedStrategy<Self> {
        members().prop_map(|name| Self { name }).boxed()
    }
}

//! `null-field`: a member is null.

use proptest::strategy::{BoxedStrategy, Strategy};
use serde::{Deserialize, Serialize};

use super::body::{MEMBER, edit_member, members};
use super::{Context, Did, Effect, FaultKind, Parameter, Work};
use crate::delivery::Delivery;

/// Puts null in the place of a member's value.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NullField {
    /// The member's name at the top level of the resource; in a list, of each element.
    pub name: String,
}

impl FaultKind for NullField {
    const SUMMARY: &'static str = "One field is null.";
    const DOCS: &'static str = "\
A successful JSON answer has null for the member `name`, at the top level or in each element of a list; every other \
byte of the body stays. Errors and other media types are left alone, and so is a member that is missing or null \
anyway.

The pages say of few members whether they can be null, and recordings show it of some (seen). A client must tell \
null from absent, from 0 and from an empty text; one that cannot do without the member says so.";
    const EXAMPLE: &'static str = "inject = { null-field = { name = \"case_id\" } }";
    const PARAMETERS: &'static [Parameter] = &[MEMBER];
    const WORK: Work = Work::Done;
    const EFFECT: Effect = Effect::Altered;

    fn inject(&self, delivery: &mut Delivery, _cx: &mut Context<'_>) -> Option<Did> {
        let put = edit_member(delivery, &self.name, |value| (!value.is_null()).then(|| "null".to_owned()));
        put.then(|| Did { words: format!("put null for `{}`", self.name), members: vec![self.name.clone()] })
    }

    fn strategy() -> BoxedStrategy<Self> {
        members().prop_map(|name| Self { name }).boxed()
    }
}

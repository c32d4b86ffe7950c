//! `ndjson`: a list as one value a line.

use proptest::strategy::{BoxedStrategy, Just, Strategy};
use serde::{Deserialize, Serialize};

use super::body::edit_json;
use super::{Context, Did, Effect, FaultKind, Parameter, Work};
use crate::delivery::Delivery;

/// Writes a list as one JSON value a line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ndjson {}

impl FaultKind for Ndjson {
    const SUMMARY: &'static str = "A list comes as one JSON value a line.";
    const DOCS: &'static str = "\
A successful JSON answer that is a list of two elements or more comes without its brackets and commas: each element \
on a line of its own. The head still says JSON. Anything else is left alone: a single line would be JSON again.

Exports and streams of other products do it (the API's own lists do not: documented). A client must say that it \
cannot read the answer; one that reads the first line alone reports one element of many as if it were all.";
    const EXAMPLE: &'static str = "inject = { ndjson = {} }";
    const PARAMETERS: &'static [Parameter] = &[];
    const WORK: Work = Work::Done;
    const EFFECT: Effect = Effect::Unreadable;

    fn inject(&self, delivery: &mut Delivery, _cx: &mut Context<'_>) -> Option<Did> {
        let lined = edit_json(delivery, |_, json| {
            let lines: Vec<String> = json.elements().iter().map(|element| element.compact() + "\n").collect();
            (lines.len() > 1).then(|| lines.concat())
        });
        lined.then(|| "sent the list as one JSON value a line".into())
    }

    fn strategy() -> BoxedStrategy<Self> {
        Just(Self {}).boxed()
    }
}

//! `big-integer`: a number that no double holds.

use proptest::sample::select;
use proptest::strategy::{BoxedStrategy, Strategy};
use serde::{Deserialize, Serialize};

use super::body::{edit_member, good_json, objects};
use super::{Context, Did, Effect, FaultKind, Parameter, Takes, Work};
use crate::delivery::Delivery;
use crate::json::{Json, Kind};

/// Puts an integer beyond 2^53 in the place of a number.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BigInteger {
    /// The member; one is chosen if it is empty.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub name: String,
}

impl FaultKind for BigInteger {
    const SUMMARY: &'static str = "A number is an integer beyond 2^53.";
    const DOCS: &'static str = "\
In a successful JSON answer the number `name`, at the top level or in each element of a list, is 9007199254740993 \
(2^53 + 1). Without `name` it is the member `id`, else the first whose name ends in `id`, else the first number.

Ids and counters of the API are 64 bits wide (documented: Long). A client that reads numbers into floating point \
reports 9007199254740992 and asks for another thing than it was given.";
    const EXAMPLE: &'static str = "inject = { big-integer = { name = \"id\" } }";
    const PARAMETERS: &'static [Parameter] = &[Parameter {
        name: "name",
        takes: Takes::Text,
        default: Some("\"\""),
        meaning: "the number; if it is empty, one that looks like an id",
    }];
    const WORK: Work = Work::Done;
    const EFFECT: Effect = Effect::Altered;

    fn inject(&self, delivery: &mut Delivery, _cx: &mut Context<'_>) -> Option<Did> {
        let mut name = self.name.clone();
        if name.is_empty() {
            let json = Json::parse(good_json(delivery)?).ok()?;
            name = chosen(&json)?;
        }
        let put = edit_member(delivery, &name, |value| {
            let big = if value.as_i128() == Some(BIG) { BIG + 2 } else { BIG };
            matches!(value.kind(), Kind::Number).then(|| big.to_string())
        });
        put.then(|| Did { words: format!("put an integer beyond 2^53 for `{name}`"), members: vec![name] })
    }

    fn strategy() -> BoxedStrategy<Self> {
        select(&["", "name", "id", "absent"][..]).prop_map(|name| Self { name: name.to_owned() }).boxed()
    }
}

/// The first integer that a double rounds.
const BIG: i128 = 9_007_199_254_740_993;

/// The number that looks most like an id.
fn chosen(json: &Json<'_>) -> Option<String> {
    let is_number = |value: &Json<'_>| matches!(value.kind(), Kind::Number);
    let mut numbers =
        objects(json).flat_map(Json::members).filter(|(_, value)| is_number(value)).map(|(name, _)| name);
    let all: Vec<_> = numbers.by_ref().collect();
    let chosen = (all.iter().find(|name| name.as_ref() == "id"))
        .or_else(|| all.iter().find(|name| name.ends_with("id")))
        .or_else(|| all.first())?;
    Some(chosen.to_string())
}

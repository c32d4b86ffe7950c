//! `renamed-keys`: the other dialect of the resource answers.

use proptest::strategy::{BoxedStrategy, Just, Strategy};
use serde::{Deserialize, Serialize};

use super::body::{edit_json, objects};
use super::{Context, Did, Effect, FaultKind, Parameter, Work};
use crate::delivery::Delivery;
use crate::json::{Json, rename_members};

/// Renames members to the other dialect of the resource.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RenamedKeys {}

impl FaultKind for RenamedKeys {
    const SUMMARY: &'static str = "The answer uses the other spelling of the keys.";
    const DOCS: &'static str = "\
The published page of the create task contradicts itself: its list of fields says `case_name` and `status`, its sample \
says `name` and `state`. This fault answers in the dialect that was not recorded, at the top level or in each element \
of a list; values and order stay. Endpoints with one dialect are left alone.

A robust client survives it, or says clearly which key it missed. It must not report an empty state as the task's, or \
poll for ever because the key it watches never comes.";
    const EXAMPLE: &'static str = "inject = { renamed-keys = {} }";
    const PARAMETERS: &'static [Parameter] = &[];
    const WORK: Work = Work::Done;
    const EFFECT: Effect = Effect::Respelt;

    fn inject(&self, delivery: &mut Delivery, cx: &mut Context<'_>) -> Option<Did> {
        let lifecycle = cx.lifecycle?;
        let mut renamed = Vec::new();
        edit_json(delivery, |text, json| {
            renamed = (lifecycle.dialects.iter())
                .map(|(_, renames)| applicable(json, renames))
                .find(|renames| !renames.is_empty())?;
            Some(rename_members(text, &renamed.iter().map(|(from, to)| (*from, *to)).collect::<Vec<_>>()))
        })
        .then(|| {
            let words: Vec<String> = renamed.iter().map(|(from, to)| format!("`{from}` to `{to}`")).collect();
            let members = renamed.iter().map(|(from, _)| (*from).to_owned()).collect();
            Did { words: format!("renamed {}", words.join(", ")), members }
        })
    }

    fn strategy() -> BoxedStrategy<Self> {
        Just(Self {}).boxed()
    }
}

/// The renames that lead from the dialect of `json` to the other one. A name that would meet its other spelling in
/// the same object is left alone: that would make a duplicate.
fn applicable<'r>(json: &Json<'_>, renames: &'r [(String, String)]) -> Vec<(&'r str, &'r str)> {
    let possible = |from: &str, to: &str| {
        objects(json).any(|object| object.member(from).is_some())
            && objects(json).all(|object| object.member(to).is_none())
    };
    let directed = |turn: fn(&(String, String)) -> (&str, &str)| -> Vec<(&'r str, &'r str)> {
        renames.iter().map(turn).filter(|(from, to)| possible(from, to)).collect()
    };
    let forth = directed(|(sample, other)| (sample, other));
    if forth.is_empty() { directed(|(sample, other)| (other, sample)) } else { forth }
}

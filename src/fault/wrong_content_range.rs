//! `wrong-content-range`: a page does not say which one it is.

use proptest::sample::select;
use proptest::strategy::{BoxedStrategy, Strategy};
use serde::{Deserialize, Serialize};

use super::page::{no_list, range_of};
use super::{Context, Did, Effect, FaultKind, Parameter, Takes, Work};
use crate::delivery::Delivery;
use crate::profile::{Endpoint, Lifecycle};

/// Removes the Content-Range, or leaves the places out of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WrongContentRange {
    /// What is wrong with it.
    #[serde(default, skip_serializing_if = "Wrong::is_missing")]
    pub value: Wrong,
}

impl FaultKind for WrongContentRange {
    const SUMMARY: &'static str = "A page of a list does not say where it stands.";
    const DOCS: &'static str = "\
A successful answer with a `Content-Range` comes without it (`missing`), or with the total alone, `items */TOTAL` \
(`star`), as consoles write it for an empty list (one source). The elements stay. Answers without a `Content-Range` \
are left alone.

A client must not crash for want of it: it goes by the length of the page, or says that it cannot tell whether there \
is more. It must not take a page for the whole list without a word.";
    const EXAMPLE: &'static str = "inject = { wrong-content-range = { value = \"star\" } }";
    const PARAMETERS: &'static [Parameter] = &[Parameter {
        name: "value",
        takes: Takes::Word(&["missing", "star"]),
        default: Some("\"missing\""),
        meaning: "what is wrong with it",
    }];
    const WORK: Work = Work::Done;
    const EFFECT: Effect = Effect::Altered;

    fn inject(&self, delivery: &mut Delivery, _cx: &mut Context<'_>) -> Option<Did> {
        let shown = range_of(delivery)?;
        let (_, total) = shown.rsplit_once('/')?;
        let star = format!("items */{total}");
        let headers = &mut delivery.response.headers;
        match self.value {
            Wrong::Missing => headers.remove("Content-Range"),
            Wrong::Star if star == shown => return None,
            Wrong::Star => headers.set("Content-Range", star),
        }
        Some(match self.value {
            Wrong::Missing => "left the Content-Range out".into(),
            Wrong::Star => "left the places out of the Content-Range".into(),
        })
    }

    fn never_at(&self, endpoint: &Endpoint, _lifecycle: Option<&Lifecycle>) -> Option<String> {
        no_list(endpoint)
    }

    fn strategy() -> BoxedStrategy<Self> {
        select(&[Wrong::Missing, Wrong::Star][..]).prop_map(|value| Self { value }).boxed()
    }
}

/// What is wrong with a Content-Range.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Wrong {
    /// It is not there.
    #[default]
    Missing,
    /// It has a star in the place of the places.
    Star,
}

impl Wrong {
    fn is_missing(&self) -> bool {
        *self == Self::Missing
    }
}

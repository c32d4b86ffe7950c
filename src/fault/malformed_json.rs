//! `malformed-json`: the body breaks off although the length is right.

use proptest::sample::select;
use proptest::strategy::{BoxedStrategy, Strategy};
use serde::{Deserialize, Serialize};

use super::body::edit_json;
use super::{Context, Did, Effect, FaultKind, Parameter, Takes, Work};
use crate::delivery::Delivery;
use crate::json::Kind;

/// Drops the end of the JSON text.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MalformedJson {
    /// Where it breaks off.
    #[serde(default, skip_serializing_if = "Break::is_at_end")]
    pub at: Break,
}

/// Where a text breaks off.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Break {
    /// Before its last byte.
    #[default]
    End,
    /// In its middle.
    Middle,
}

impl Break {
    fn is_at_end(&self) -> bool {
        *self == Self::End
    }
}

impl FaultKind for MalformedJson {
    const SUMMARY: &'static str = "The body is not quite JSON: its end is missing.";
    const DOCS: &'static str = "\
A successful JSON answer loses the last byte of its text, usually the closing brace, or with `at = \"middle\"` its second \
half; the Content-Length is right for what is sent, so HTTP has nothing to complain about. Errors and other media types are left alone, and so is a body \
that is a bare number, which would stay JSON.

It puts to the test whether a client reports an answer it cannot read as just that: no crash, no half-read task, no \
endless retry.";
    const EXAMPLE: &'static str = "inject = { malformed-json = {} }";
    const PARAMETERS: &'static [Parameter] = &[Parameter {
        name: "at",
        takes: Takes::Word(&["end", "middle"]),
        default: Some("\"end\""),
        meaning: "where it breaks off",
    }];
    const WORK: Work = Work::Done;
    const EFFECT: Effect = Effect::Unreadable;

    fn inject(&self, delivery: &mut Delivery, _cx: &mut Context<'_>) -> Option<Did> {
        let broken = edit_json(delivery, |text, json| {
            // White space after the text goes too: without it the last byte might be a line break, and nothing broken.
            let mut broken = text.trim_end().to_owned();
            match self.at {
                Break::End => drop(broken.pop()),
                Break::Middle => {
                    let half = broken.floor_char_boundary(broken.len() / 2);
                    broken.truncate(half);
                }
            }
            (!matches!(json.kind(), Kind::Number) && !broken.is_empty()).then_some(broken)
        });
        let what = match self.at {
            Break::End => "last byte",
            Break::Middle => "second half",
        };
        broken.then(|| format!("dropped the {what} of the JSON text").into())
    }

    fn strategy() -> BoxedStrategy<Self> {
        select(&[Break::End, Break::Middle][..]).prop_map(|at| Self { at }).boxed()
    }
}

//! `odd-unicode`: characters that programs stumble over.

use proptest::sample::select;
use proptest::strategy::{BoxedStrategy, Strategy};
use serde::{Deserialize, Serialize};

use super::body::{edit_member, good_json, objects};
use super::{Context, Did, Effect, FaultKind, Parameter, Takes, Work};
use crate::delivery::Delivery;
use crate::json::Json;

/// Adds unusual characters to a text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OddUnicode {
    /// The member; one is chosen if it is empty.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub name: String,
}

impl FaultKind for OddUnicode {
    const SUMMARY: &'static str = "A text has unusual characters in it.";
    const DOCS: &'static str = "\
In a successful JSON answer the text `name`, at the top level or in each element of a list, ends in characters that \
are legal and rare: one beyond the basic plane, raw and as a pair of escapes, a letter with a combining accent, a \
mark that turns the direction of writing round with Hebrew behind it, the line separator U+2028, raw and escaped, \
and a zero-width joiner. Without `name` it is the first text that is not the task's state.

Names come from people and from log sources of any language (documented: UTF-8). A client must report the text to \
the last character; one that cannot print it says so and does not crash.";
    const EXAMPLE: &'static str = "inject = { odd-unicode = { name = \"name\" } }";
    const PARAMETERS: &'static [Parameter] = &[Parameter {
        name: "name",
        takes: Takes::Text,
        default: Some("\"\""),
        meaning: "the text; if it is empty, the first that is not the state",
    }];
    const WORK: Work = Work::Done;
    const EFFECT: Effect = Effect::Altered;

    fn inject(&self, delivery: &mut Delivery, cx: &mut Context<'_>) -> Option<Did> {
        let mut name = self.name.clone();
        if name.is_empty() {
            let states = cx.lifecycle.map(|life| &life.state[..]).unwrap_or_default();
            let json = Json::parse(good_json(delivery)?).ok()?;
            let mut members = objects(&json).flat_map(Json::members);
            let found =
                members.find(|(name, value)| value.as_str().is_some() && !states.contains(&name.to_string()));
            name = found?.0.to_string();
        }
        let put = edit_member(delivery, &name, |value| {
            value.as_str()?;
            Some(format!("{}{ODD}\"", value.text().strip_suffix('"')?))
        });
        put.then(|| Did { words: format!("added unusual characters to `{name}`"), members: vec![name] })
    }

    fn strategy() -> BoxedStrategy<Self> {
        select(&["", "name", "id", "absent"][..]).prop_map(|name| Self { name: name.to_owned() }).boxed()
    }
}

/// As it stands in the JSON text.
const ODD: &str = "\u{1F600}\\ud83d\\ude00e\u{301}\u{202E}\u{5D0}\u{202C}\u{2028}\\u2028\u{200D}";

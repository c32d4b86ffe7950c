//! `api-error`: the console answers with one of its own errors.

use proptest::option;
use proptest::prop_oneof;
use proptest::sample::select;
use proptest::strategy::{BoxedStrategy, Strategy};
use serde::{Deserialize, Serialize};

use super::{Context, Did, Effect, FaultKind, Mistake, Parameter, Takes, Work};
use crate::delivery::{Delivery, Framing};
use crate::message::Response;
use crate::profile;

/// Answers with an error of the API, in the API's own error body.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ApiError {
    /// The HTTP status, 400 to 599.
    pub status: u16,
    /// The API's own code. Only an undocumented error may be without one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<u32>,
    /// Whether no page needs to know of it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub undocumented: bool,
    /// The seconds of a `Retry-After`, 0 to 86,400, if there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_after_s: Option<u32>,
}

impl ApiError {
    /// An error that a page knows.
    pub fn documented(status: u16, code: u32) -> Self {
        Self { status, code: Some(code), undocumented: false, retry_after_s: None }
    }

    /// Any other error, with a code or without one.
    pub fn undocumented(status: u16, code: Option<u32>) -> Self {
        Self { status, code, undocumented: true, retry_after_s: None }
    }

    /// Status and code as people write them.
    fn spelt(&self) -> String {
        self.code.map_or_else(|| self.status.to_string(), |code| format!("{}/{code}", self.status))
    }
}

/// The free text of an injected error. The API leaves it to the thrower, so no client may lean on it (ours).
pub(super) const MESSAGE: &str = "This error was injected by faultdeck.";

/// The errors that the framework answers before any endpoint runs, so on every endpoint (seen, or one source).
pub const FRAMEWORK_ERRORS: [(u16, u32); 9] =
    [(401, 18), (403, 26), (404, 4), (422, 8), (422, 10), (422, 11), (422, 30), (422, 31), (422, 36)];

/// Pairs that every console knows, for the generator: endpoint codes first, then framework codes.
const GENERATED: [(u16, u32); 6] = [(404, 1002), (500, 1020), (422, 1005), (403, 1009), (401, 18), (404, 4)];

impl FaultKind for ApiError {
    const SUMMARY: &'static str = "The console answers with an error of the API.";
    const DOCS: &'static str = "\
The console refuses or fails, and says so in the API's own error body: the status, the API's code, the description \
that the endpoint documents for it. The work is not done. The pair must be documented for the endpoint, or be one of \
the framework's (401/18, 403/26, 404/4, 422/8, 10, 11, 30, 31, 36). With `undocumented = true` any status and code will do, \
on any endpoint, also on one that no profile knows; without `code` the body has none (the form without one is ours). With \
`retry_after_s` the answer says in `Retry-After` when to come back, as proxies do and no page of the API does.

It puts to the test whether a client tells errors apart by status and code together: 404/1002 is `no such task`, \
404/4 is `no such path`, 500/1020 is trouble on the console and may be tried again with care. No error body is ever \
data, and none of them means `not yet`.";
    const EXAMPLE: &'static str = "inject = { api-error = { status = 500, code = 1020 } }";
    const PARAMETERS: &'static [Parameter] = &[
        Parameter {
            name: "status",
            takes: Takes::Number(400, 599),
            default: None,
            meaning: "the HTTP status",
        },
        Parameter {
            name: "code",
            takes: Takes::Number(0, 999_999_999),
            default: Some("none"),
            meaning: "the API's own code, as documented beside the status; only an undocumented error may lack it",
        },
        Parameter {
            name: "undocumented",
            takes: Takes::Flag,
            default: Some("false"),
            meaning: "whether an error that no page knows is meant",
        },
        Parameter {
            name: "retry_after_s",
            takes: Takes::Number(0, 86_400),
            default: Some("none"),
            meaning: "the seconds in a `Retry-After`; without it there is none",
        },
    ];
    const WORK: Work = Work::NotDone;
    const EFFECT: Effect = Effect::Replaced;

    fn inject(&self, delivery: &mut Delivery, cx: &mut Context<'_>) -> Option<Did> {
        delivery.response = self.response(cx);
        delivery.framing = Framing::AsRecorded;
        if let Some(seconds) = self.retry_after_s {
            delivery.response.headers.push("Retry-After", seconds.to_string());
        }
        Some(format!("answered {}", self.spelt()).into())
    }

    fn answers(&self) -> Option<(u16, u32)> {
        self.code.filter(|_| !self.undocumented).map(|code| (self.status, code))
    }

    fn check(&self) -> Result<(), Mistake> {
        if self.code.is_some() || self.undocumented {
            return Ok(());
        }
        let why = "is needed beside the status; without a code write undocumented = true".to_owned();
        Err(Mistake { parameter: "code", why })
    }

    fn errors() -> Vec<(&'static str, Self)> {
        let error = Self::documented;
        vec![
            ("no-such-task", error(404, 1002)),
            ("no-such-path", error(404, 4)),
            ("server-error", error(500, 1020)),
        ]
    }

    fn strategy() -> BoxedStrategy<Self> {
        let documented = select(&GENERATED[..]).prop_map(|(status, code)| Self::documented(status, code));
        let any =
            (400..=599u16, option::of(0..2000u32), option::of(0..5u32)).prop_map(|(status, code, after)| {
                Self { retry_after_s: after, ..Self::undocumented(status, code) }
            });
        prop_oneof![3 => documented, 1 => any].boxed()
    }
}

impl ApiError {
    fn response(&self, cx: &Context<'_>) -> Response {
        let Some(code) = self.code else { return profile::uncoded_error(self.status, MESSAGE) };
        let documented = cx.endpoint.and_then(|endpoint| endpoint.error(self.status, code));
        match documented {
            Some(error) => profile::error_response(self.status, code, &error.description, MESSAGE),
            None => profile::framework_error(self.status, code)
                .unwrap_or_else(|| profile::error_response(self.status, code, "", MESSAGE)),
        }
    }
}

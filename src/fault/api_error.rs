//! `api-error`: the console answers with one of its own errors.

use proptest::sample::select;
use proptest::strategy::{BoxedStrategy, Strategy};
use serde::{Deserialize, Serialize};

use super::{Context, Did, Effect, FaultKind, Parameter, Takes, Work};
use crate::delivery::{Delivery, Framing};
use crate::profile;

/// Answers with an error of the API, in the API's own error body.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ApiError {
    /// The HTTP status, 400 to 599.
    pub status: u16,
    /// The API's own code.
    pub code: u32,
}

/// The free text of an injected error. The API leaves it to the thrower, so no client may lean on it (ours).
const MESSAGE: &str = "This error was injected by faultdeck.";

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
the framework's (401/18, 403/26, 404/4, 422/8, 10, 11, 30, 31, 36).

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
            default: None,
            meaning: "the API's own code, as documented beside the status",
        },
    ];
    const WORK: Work = Work::NotDone;
    const EFFECT: Effect = Effect::Replaced;

    fn inject(&self, delivery: &mut Delivery, cx: &mut Context<'_>) -> Option<Did> {
        let documented = cx.endpoint.and_then(|endpoint| endpoint.error(self.status, self.code));
        let response = match documented {
            Some(error) => profile::error_response(self.status, self.code, &error.description, MESSAGE),
            None => profile::framework_error(self.status, self.code)
                .unwrap_or_else(|| profile::error_response(self.status, self.code, "", MESSAGE)),
        };
        delivery.response = response;
        delivery.framing = Framing::AsRecorded;
        Some(format!("answered {}/{}", self.status, self.code).into())
    }

    fn answers(&self) -> Option<(u16, u32)> {
        Some((self.status, self.code))
    }

    fn errors() -> Vec<(&'static str, Self)> {
        let error = |status, code| Self { status, code };
        vec![
            ("no-such-task", error(404, 1002)),
            ("no-such-path", error(404, 4)),
            ("server-error", error(500, 1020)),
        ]
    }

    fn strategy() -> BoxedStrategy<Self> {
        select(&GENERATED[..]).prop_map(|(status, code)| Self { status, code }).boxed()
    }
}

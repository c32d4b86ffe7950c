//! `rate-limit`: so many requests in a while, and no more.

use proptest::sample::select;
use proptest::strategy::{BoxedStrategy, Strategy};
use serde::{Deserialize, Serialize};

use super::{Context, Did, Effect, FaultKind, Parameter, Quota, Takes, Work};
use crate::delivery::{Delivery, Framing};
use crate::profile::uncoded_error;

/// Refuses what comes beyond a quota.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RateLimit {
    /// How many are answered in a window.
    pub requests: u32,
    /// How long a window lasts, in milliseconds; 0 is for ever.
    #[serde(default = "minute")]
    pub window_ms: u32,
    /// The status of a refusal.
    #[serde(default = "too_many")]
    pub status: u16,
}

impl FaultKind for RateLimit {
    const SUMMARY: &'static str = "The console answers so many requests in a while, and refuses the rest.";
    const DOCS: &'static str = "\
Of the requests that the fault is planned for, the console answers the first `requests` of each window of \
`window_ms` milliseconds; the others are answered with `status`, a JSON error body without a code, and `Retry-After` \
with the seconds that are left of the window, rounded up. Windows begin at the start of the run, each session has a \
quota of its own, and what is refused does not count. With `window_ms = 0` the window never ends, and there is no \
`Retry-After`. Which requests are refused depends on the order in which a session's requests arrive; where a window \
ends, it depends on the time.

The API documents no limit and no 429; proxies in front of it have them (ours). A client must wait as long as it is \
asked to, or give up and say so. It must not repeat at once, must not take a 429 for the end of the task, and must \
not create twice.";
    const EXAMPLE: &'static str = "inject = { rate-limit = { requests = 2, window_ms = 1000 } }";
    const PARAMETERS: &'static [Parameter] = &[
        Parameter {
            name: "requests",
            takes: Takes::Number(0, 1_000_000),
            default: None,
            meaning: "how many requests of a session are answered in a window",
        },
        Parameter {
            name: "window_ms",
            takes: Takes::Number(0, 86_400_000),
            default: Some("60000"),
            meaning: "how long a window lasts, in milliseconds; 0 is for ever",
        },
        Parameter {
            name: "status",
            takes: Takes::Number(400, 599),
            default: Some("429"),
            meaning: "the HTTP status of a refusal",
        },
    ];
    const WORK: Work = Work::NotDone;
    const EFFECT: Effect = Effect::Replaced;

    fn quota(&self) -> Option<Quota> {
        Some(Quota { requests: self.requests, window_ms: self.window_ms })
    }

    fn inject(&self, delivery: &mut Delivery, cx: &mut Context<'_>) -> Option<Did> {
        delivery.response = uncoded_error(self.status, "Too many requests.");
        delivery.framing = Framing::AsRecorded;
        let rest = self.quota().and_then(|quota| quota.rest(cx.at));
        let Some(rest) = rest else {
            return Some(format!("answered {}: the quota is used up", self.status).into());
        };
        let seconds = rest.as_millis().div_ceil(1000).max(1);
        delivery.response.headers.push("Retry-After", seconds.to_string());
        Some(format!("answered {}: the quota is used up for {seconds} s", self.status).into())
    }

    fn strategy() -> BoxedStrategy<Self> {
        (0..4u32, select(&[60_000, 1_000, 0][..]), select(&[429, 503][..]))
            .prop_map(|(requests, window_ms, status)| Self { requests, window_ms, status })
            .boxed()
    }
}

fn minute() -> u32 {
    60_000
}

fn too_many() -> u16 {
    429
}

//! `redirect`: the console sends its client elsewhere.

use proptest::sample::select;
use proptest::strategy::{BoxedStrategy, Strategy};
use serde::{Deserialize, Serialize};

use super::{Context, Did, Effect, FaultKind, Mistake, Parameter, Takes, Work};
use crate::delivery::{Delivery, Framing};
use crate::message::Response;

/// Answers with a redirect.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Redirect {
    /// The HTTP status: 301, 302, 303, 307 or 308; 302 unless given.
    #[serde(default = "found")]
    pub status: u16,
    /// Where to, as `Location` says it; the address that was asked for unless given.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub to: String,
}

fn found() -> u16 {
    302
}

/// The statuses that send a client elsewhere (RFC 9110, section 15.4).
const STATUSES: [u16; 5] = [301, 302, 303, 307, 308];

impl FaultKind for Redirect {
    const SUMMARY: &'static str = "The client is sent to another address.";
    const DOCS: &'static str = "\
A redirect comes in place of the answer, with an empty body and `Location`, and the work is not done. Without `to` it \
names the very address that was asked for, so that whoever follows is sent in a circle for as long as the fault fires. That \
something in front of a console redirects (to https, to another host after a failover, to a log-in) is ours, as proxies do it; \
the API's documentation knows no redirect.

It puts to the test whether a client follows at all, whether it stops in time where it is sent in a circle, whether it repeats \
a POST that it should not (301 to 303 make a GET of it in most clients, 307 and 308 do not), and whether it hands its `SEC` \
token to another host.";
    const EXAMPLE: &'static str =
        "inject = { redirect = { status = 307, to = \"https://console.example/api\" } }";
    const PARAMETERS: &'static [Parameter] = &[
        Parameter {
            name: "status",
            takes: Takes::Number(301, 308),
            default: Some("302"),
            meaning: "the HTTP status: 301, 302, 303, 307 or 308",
        },
        Parameter {
            name: "to",
            takes: Takes::Text,
            default: Some("\"\""),
            meaning: "where to, as `Location` says it; if empty, the address that was asked for",
        },
    ];
    const WORK: Work = Work::NotDone;
    const EFFECT: Effect = Effect::Replaced;

    fn inject(&self, delivery: &mut Delivery, cx: &mut Context<'_>) -> Option<Did> {
        let to = if self.to.is_empty() { itself(&cx.request.target) } else { self.to.clone() };
        let mut response = Response::with_body(self.status, "text/html;charset=UTF-8", "");
        response.headers.set("Location", to.clone());
        delivery.response = response;
        delivery.framing = Framing::AsRecorded;
        Some(match self.to.is_empty() {
            true => format!("answered {} to the address that was asked for", self.status).into(),
            false => format!("answered {} to {to}", self.status).into(),
        })
    }

    fn check(&self) -> Result<(), Mistake> {
        if !STATUSES.contains(&self.status) {
            let why = format!("must not be {}: only 301, 302, 303, 307 and 308 redirect", self.status);
            return Err(Mistake { parameter: "status", why });
        }
        if let Some(odd) = self.to.chars().find(|letter| !letter.is_ascii_graphic()) {
            let why = format!("must be an address as a header line holds it, and has {odd:?} in it");
            return Err(Mistake { parameter: "to", why });
        }
        Ok(())
    }

    fn strategy() -> BoxedStrategy<Self> {
        select(&STATUSES[..]).prop_map(|status| Self { status, to: String::new() }).boxed()
    }
}

/// The address that was asked for, as seen from itself: whatever stands before it, stands before this one, too.
fn itself(target: &str) -> String {
    let (path, query) = target.split_at(target.find('?').unwrap_or(target.len()));
    let last = path.rsplit('/').next().unwrap_or_default();
    format!("./{last}{query}")
}

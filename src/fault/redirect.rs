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

    fn leads_to(&self) -> Option<&str> {
        origin_and_rest(&self.to).map(|(origin, _)| origin)
    }

    fn leading_to(&self, origin: &str) -> Option<Self> {
        let (_, rest) = origin_and_rest(&self.to)?;
        Some(Self { to: format!("{origin}{rest}"), ..self.clone() })
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

/// `scheme://host:port` of an address that names a host, and what follows.
fn origin_and_rest(to: &str) -> Option<(&str, &str)> {
    let (scheme, after) = to.split_once("://").filter(|(scheme, _)| ["http", "https"].contains(scheme))?;
    let host = after.find(['/', '?', '#']).unwrap_or(after.len());
    Some(to.split_at(scheme.len() + "://".len() + host))
}

/// The address that was asked for, as seen from itself: whatever stands before it, stands before this one, too.
fn itself(target: &str) -> String {
    let (path, query) = target.split_at(target.find('?').unwrap_or(target.len()));
    let last = path.rsplit('/').next().unwrap_or_default();
    format!("./{last}{query}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_host_can_be_put_in_place_of_the_one_that_is_named() {
        let redirect = Redirect { status: 307, to: "https://console.example:8443/api/x?y=1".to_owned() };
        assert_eq!(redirect.leads_to(), Some("https://console.example:8443"));
        let led = redirect.leading_to("http://localhost:1").unwrap();
        assert_eq!((led.status, led.to.as_str()), (307, "http://localhost:1/api/x?y=1"));
        for itself in ["", "/api/y", "./y?z=http://a"] {
            let redirect = Redirect { status: 302, to: itself.to_owned() };
            assert_eq!((redirect.leads_to(), redirect.leading_to("http://localhost:1")), (None, None));
        }
    }
}

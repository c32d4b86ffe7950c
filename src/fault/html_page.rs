//! `html-page`: something in front of the API answers, in HTML.

use proptest::sample::select;
use proptest::strategy::{BoxedStrategy, Strategy};
use serde::{Deserialize, Serialize};

use super::{Context, Did, Effect, FaultKind, Mistake, Parameter, Takes, Work};
use crate::delivery::{Delivery, Framing};
use crate::message::{Response, usual_reason};

/// Answers with an HTML page instead of JSON.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HtmlPage {
    /// The HTTP status, 200 to 599, of those that may have a body; 503 unless given.
    #[serde(default = "unavailable")]
    pub status: u16,
}

fn unavailable() -> u16 {
    503
}

/// Statuses that never have a body.
const BODILESS: [u16; 3] = [204, 205, 304];

impl FaultKind for HtmlPage {
    const SUMMARY: &'static str = "A web page comes instead of JSON.";
    const DOCS: &'static str = "\
The web server in front of the API answers by itself, with a page for people, as happens while the API restarts after \
a deploy (reported often; the exact bytes are ours, after Apache's own pages). The work is not done. With `status = \
200` it is the page that a console sends for a path outside the API.

It puts to the test whether a client looks at status and media type before it reads JSON: it must neither crash in \
its parser, nor take the page for data, nor call it `no such task`.";
    const EXAMPLE: &'static str = "inject = { html-page = { status = 503 } }";
    const PARAMETERS: &'static [Parameter] = &[Parameter {
        name: "status",
        takes: Takes::Number(200, 599),
        default: Some("503"),
        meaning: "the HTTP status of the page",
    }];
    const WORK: Work = Work::NotDone;
    const EFFECT: Effect = Effect::Replaced;

    fn inject(&self, delivery: &mut Delivery, _cx: &mut Context<'_>) -> Option<Did> {
        delivery.response =
            Response::with_body(self.status, "text/html; charset=iso-8859-1", page(self.status));
        delivery.framing = Framing::AsRecorded;
        Some(format!("answered {} with an HTML page", self.status).into())
    }

    fn errors() -> Vec<(&'static str, Self)> {
        vec![("page-200", Self { status: 200 }), ("page-503", Self { status: 503 })]
    }

    fn check(&self) -> Result<(), Mistake> {
        if BODILESS.contains(&self.status) {
            let why = format!("must not be {}: such an answer has no body, so there is no page", self.status);
            return Err(Mistake { parameter: "status", why });
        }
        Ok(())
    }

    fn strategy() -> BoxedStrategy<Self> {
        select(&[503, 502, 500, 200][..]).prop_map(|status| Self { status }).boxed()
    }
}

fn page(status: u16) -> String {
    let reason = match usual_reason(status) {
        "" => "Unknown",
        reason => reason,
    };
    let text = match status {
        200..=299 => "The page you asked for is part of the console's own pages.",
        502 | 504 => "The proxy did not get a valid answer from the application.",
        503 => {
            "The server is temporarily unable to service your\nrequest due to maintenance downtime or capacity\n\
             problems. Please try again later."
        }
        _ => "The request could not be completed.",
    };
    format!(
        "<!DOCTYPE HTML PUBLIC \"-//IETF//DTD HTML 2.0//EN\">\n<html><head>\n<title>{status} {reason}</title>\n\
         </head><body>\n<h1>{reason}</h1>\n<p>{text}</p>\n</body></html>\n"
    )
}

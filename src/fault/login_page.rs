//! `login-page`: the console wants somebody to log in.

use proptest::sample::select;
use proptest::strategy::{BoxedStrategy, Strategy};
use serde::{Deserialize, Serialize};

use super::{Context, Did, Effect, FaultKind, Parameter, Takes, Work};
use crate::delivery::{Delivery, Framing};
use crate::message::Response;

/// Answers with the page where people log in, or a way to it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LoginPage {
    /// Whether a redirect to the page comes in its place.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub redirect: bool,
}

impl FaultKind for LoginPage {
    const SUMMARY: &'static str = "The login page comes instead of JSON.";
    const DOCS: &'static str = "\
The console answers as it answers a browser whose session is over: with a page for people that has a form in it, \
status 200 and `text/html`; with `redirect = true` with a 302 to `/console/logon.jsp`, which is no address of the \
API. The work is not done. That consoles have such pages outside the API was seen with published clients; that one \
comes in place of the API's own 401/18 is ours, as proxies that guard a console do it.

A client must see by media type and address that this is not the API, and say that it is not logged in: it must not \
parse the page, not report a task, not send its token along to another host, and not take the page for `no such \
task`.";
    const EXAMPLE: &'static str = "inject = { login-page = {} }";
    const PARAMETERS: &'static [Parameter] = &[Parameter {
        name: "redirect",
        takes: Takes::Flag,
        default: Some("false"),
        meaning: "whether a redirect to the page comes in its place",
    }];
    const WORK: Work = Work::NotDone;
    const EFFECT: Effect = Effect::Replaced;

    fn inject(&self, delivery: &mut Delivery, _cx: &mut Context<'_>) -> Option<Did> {
        delivery.framing = Framing::AsRecorded;
        if self.redirect {
            let mut response = Response::with_body(302, "text/html;charset=UTF-8", "");
            response.headers.set("Location", ADDRESS);
            delivery.response = response;
            return Some(format!("answered 302 to {ADDRESS}").into());
        }
        delivery.response = Response::with_body(200, "text/html;charset=UTF-8", PAGE);
        Some("answered 200 with the login page".into())
    }

    fn strategy() -> BoxedStrategy<Self> {
        select(&[false, true][..]).prop_map(|redirect| Self { redirect }).boxed()
    }
}

/// Where people log in (seen as a path outside the API; the exact name is ours).
const ADDRESS: &str = "/console/logon.jsp";

/// The exact bytes are ours.
const PAGE: &str = "<!DOCTYPE html>\n<html><head><title>Log in</title></head>\n<body><form method=\"post\" \
    action=\"/console/j_security_check\">\n<input name=\"j_username\"><input name=\"j_password\" type=\"password\">\n\
    <button>Log in</button></form></body></html>\n";

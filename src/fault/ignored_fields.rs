//! `ignored-fields`: the whole resource, although `fields` was asked.

use proptest::strategy::{BoxedStrategy, Just, Strategy};
use serde::{Deserialize, Serialize};

use super::body::is_good;
use super::{Context, Did, Effect, FaultKind, Parameter, Work};
use crate::delivery::Delivery;
use crate::fields::FieldSelector;
use crate::message::Request;
use crate::profile::{Endpoint, fields_text};
use percent_encoding::percent_decode_str;

/// Has the console not see `fields`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct IgnoredFields {}

impl FaultKind for IgnoredFields {
    const SUMMARY: &'static str = "The console answers the whole resource although `fields` was asked for.";
    const DOCS: &'static str = "\
The console does not see the `fields` of the request, in the query or in the header, and answers with the whole \
resource. A request without `fields` is left alone.

A parameter that an endpoint or an old version does not know is passed over in silence (inferred). A client must \
find the members that it asked for among the others, and must not take what it did not ask for as a reason to fail.";
    const EXAMPLE: &'static str = "inject = { ignored-fields = {} }";
    const PARAMETERS: &'static [Parameter] = &[];
    const WORK: Work = Work::Done;
    const EFFECT: Effect = Effect::Altered;

    fn hears(&self, request: &Request, endpoint: Option<&Endpoint>) -> Option<Request> {
        asked_for(request, endpoint)?;
        let mut heard = request.clone();
        heard.headers.remove("fields");
        if let Some((path, query)) = request.target.split_once('?') {
            let rest: Vec<&str> = query.split('&').filter(|pair| !is_fields(pair)).collect();
            heard.target =
                if rest.is_empty() { path.to_owned() } else { format!("{path}?{}", rest.join("&")) };
        }
        Some(heard)
    }

    fn inject(&self, delivery: &mut Delivery, cx: &mut Context<'_>) -> Option<Did> {
        let ignored = cx.heard && is_good(delivery) && asked_for(cx.request, cx.endpoint).is_some();
        ignored.then(|| "answered as if `fields` had not been asked for".into())
    }

    fn strategy() -> BoxedStrategy<Self> {
        Just(Self {}).boxed()
    }
}

/// What the request asks for, if it asks for a part.
pub(super) fn asked_for(request: &Request, endpoint: Option<&Endpoint>) -> Option<FieldSelector> {
    let text = endpoint.map_or_else(|| request.param("fields"), |endpoint| fields_text(endpoint, request))?;
    FieldSelector::parse(&text).ok().flatten()
}

fn is_fields(pair: &str) -> bool {
    let name = pair.split('=').next().unwrap_or_default();
    percent_decode_str(name).decode_utf8().is_ok_and(|name| name == "fields")
}

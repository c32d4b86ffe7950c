//! What a console was seen to do otherwise (`[[observed]]` in a file of profiles), and how far this one follows it.
//!
//! An observation says which rule does not hold, and how the wrong request was answered; no value of the console's stands in
//! it. So another status or code is followed, and so is that something is taken or passed over where we would refuse it or
//! look at it. What came instead of an answer in another form is not known, and not followed.

use std::borrow::Cow;

use crate::fields::{Field, FieldSelector, FieldsError};
use crate::lists::{RangeError, Window};
use crate::message::{Request, Response};
use crate::profile::{Endpoint, Observation, Profile, Version, error_response, fields_text};

/// How often a request is mended until the gate lets it pass: once for each rule about it.
pub(super) const MENDED_MOST: usize = 6;

/// How an answer is called that is given because it was seen.
const SEEN: &str = "A console was seen to answer so.";

/// Refusals that can be followed: the rule of the gate (in `fields` and `Range` several have one), and whether a console may
/// take what it is about instead.
const REFUSALS: [&str; 14] = [
    "no-credentials",
    "version-malformed",
    "version-removed",
    "no-such-path",
    "fields-unknown",
    "fields-named-twice",
    "fields-malformed",
    "fields-encoded-twice",
    "missing-parameter",
    "id-of-another-type",
    "range-malformed",
    "range-negative",
    "range-backwards",
    "no-such-id",
];
/// Of those, the ones about something that has no answer if it is taken.
const NEVER_TAKEN: [&str; 4] = ["no-such-path", "missing-parameter", "id-of-another-type", "no-such-id"];

/// What departs from the rules, as a console was seen to.
#[derive(Debug, Default)]
pub(super) struct Observed {
    followed: Vec<Seen>,
    /// Rules, and where, that cannot be followed.
    unfollowed: Vec<String>,
}

#[derive(Debug)]
struct Seen {
    rule: String,
    /// Empty for the console as a whole.
    endpoint: String,
    way: Way,
}

/// What the console does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    /// It refuses with this status and code.
    Refuses(u16, Option<u32>),
    /// It passes over what we would refuse, or look at.
    PassesOver,
    /// It succeeds with this status.
    Succeeds(u16),
    /// It leaves the header out.
    LeavesOut,
}

impl Observed {
    /// What the user's files say of this console.
    pub(super) fn of(profile: &Profile) -> Self {
        let mut observed = Self::default();
        for seen in profile.every_observed().filter(|seen| !seen.holds) {
            match way(seen) {
                Some(way) => observed.followed.push(Seen {
                    rule: seen.rule.clone(),
                    endpoint: seen.endpoint.clone(),
                    way,
                }),
                None => observed.unfollowed.push(match seen.endpoint.as_str() {
                    "" => seen.rule.clone(),
                    endpoint => format!("{} at {endpoint}", seen.rule),
                }),
            }
        }
        observed
    }

    /// How many are followed, and those that cannot be.
    pub(super) fn followed(&self) -> (usize, &[String]) {
        (self.followed.len(), &self.unfollowed)
    }

    fn way(&self, rule: &str, endpoint: Option<&Endpoint>) -> Option<Way> {
        let is_here = |seen: &&Seen| {
            seen.rule == rule
                && (seen.endpoint.is_empty() || endpoint.is_some_and(|endpoint| endpoint.id == seen.endpoint))
        };
        self.followed.iter().find(is_here).map(|seen| seen.way)
    }

    /// The request as this console looks at it: without what it passes over.
    pub(super) fn asked<'r>(&self, endpoint: Option<&Endpoint>, request: &'r Request) -> Cow<'r, Request> {
        let passes = self.way("fields-keep-the-named", endpoint) == Some(Way::PassesOver);
        match endpoint.filter(|_| passes && !self.followed.is_empty()) {
            Some(endpoint) if readable_fields(endpoint, request) => {
                Cow::Owned(with_fields(request, endpoint, None))
            }
            _ => Cow::Borrowed(request),
        }
    }

    /// What comes of a refusal by this rule of the gate, if a console was seen to do otherwise.
    pub(super) fn refusal(
        &self,
        gate_rule: &str,
        endpoint: Option<&Endpoint>,
        request: &Request,
    ) -> Option<Refused> {
        if self.followed.is_empty() {
            return None;
        }
        let rule = rule_of(gate_rule, endpoint, request)?;
        match self.way(rule, endpoint)? {
            Way::Refuses(status, code) => Some(Refused::Answered(refusal(status, code))),
            Way::PassesOver => Some(Refused::Asked(Box::new(without(rule, endpoint, request)?))),
            Way::Succeeds(_) | Way::LeavesOut => None,
        }
    }

    /// The answer as this console gives it.
    pub(super) fn answered(
        &self,
        endpoint: Option<&Endpoint>,
        request: &Request,
        response: Response,
    ) -> Response {
        if self.followed.is_empty() {
            return response;
        }
        let refuses = |rule: &str| match self.way(rule, endpoint)? {
            Way::Refuses(status, code) => Some(refusal(status, code)),
            _ => None,
        };
        let mut response = response;
        let has_id = endpoint.is_some_and(|endpoint| endpoint.template.contains('{'));
        if request.method == "HEAD"
            && let Some(refused) = refuses("head-is-its-get")
        {
            return refused;
        }
        if response.status == 404 && has_id {
            return refuses("no-such-id").unwrap_or(response);
        }
        if !response.headers.has("Content-Range") {
            return response;
        }
        let window = request.headers.text("Range").and_then(|text| Window::parse(&text).ok());
        if window.is_some_and(|window| window.first > 0)
            && response.text().is_some_and(|body| body.trim() == "[]")
            && let Some(refused) = refuses("range-beyond-the-end")
        {
            return refused;
        }
        if let Some(Way::Succeeds(status)) = self.way("range-answers-200", endpoint) {
            (response.status, response.reason) = (status, Response::new(status).reason);
        }
        if self.way("content-range-counts", endpoint) == Some(Way::LeavesOut) {
            response.headers.remove("Content-Range");
        }
        response
    }
}

/// What becomes of a refusal of ours.
pub(super) enum Refused {
    /// This is answered in its place.
    Answered(Response),
    /// The request is taken, as this one.
    Asked(Box<Request>),
}

/// What an observation makes this console do; `None` if that cannot be told.
fn way(seen: &Observation) -> Option<Way> {
    let answered = seen.answered.as_deref().and_then(status_and_code);
    let rule = seen.rule.as_str();
    match (rule, answered) {
        ("fields-keep-the-named", _) if seen.instead.as_deref() == Some(Observation::IS_THERE) => {
            Some(Way::PassesOver)
        }
        ("content-range-counts", _) if seen.instead.as_deref() == Some(Observation::NO_CONTENT_RANGE) => {
            Some(Way::LeavesOut)
        }
        ("range-answers-200", Some((status @ 201..=299, _))) => Some(Way::Succeeds(status)),
        ("head-is-its-get" | "range-beyond-the-end", Some((status @ 400..=599, code))) => {
            Some(Way::Refuses(status, code))
        }
        (rule, Some((400..=599, _))) if REFUSALS.contains(&rule) => {
            answered.map(|(status, code)| Way::Refuses(status, code))
        }
        (rule, Some((200..=299, _))) if REFUSALS.contains(&rule) && !NEVER_TAKEN.contains(&rule) => {
            Some(Way::PassesOver)
        }
        _ => None,
    }
}

/// `422/30`, or a status alone.
fn status_and_code(text: &str) -> Option<(u16, Option<u32>)> {
    match text.split_once('/') {
        Some((status, code)) => Some((status.parse().ok()?, Some(code.parse().ok()?))),
        None => Some((text.parse().ok()?, None)),
    }
}

fn refusal(status: u16, code: Option<u32>) -> Response {
    match code {
        Some(code) => error_response(status, code, "", SEEN),
        None => Response::new(status),
    }
}

/// The rule of the API that speaks where the gate refuses by one of its own.
fn rule_of(gate_rule: &str, endpoint: Option<&Endpoint>, request: &Request) -> Option<&'static str> {
    match gate_rule {
        "401/18" => Some("no-credentials"),
        "404/4" => Some("no-such-path"),
        "422/8" => Some("missing-parameter"),
        "422/11" => Some("id-of-another-type"),
        "version" => {
            let text = request.headers.text("Version")?;
            Some(if Version::try_from(text.trim().to_owned()).is_ok() {
                "version-removed"
            } else {
                "version-malformed"
            })
        }
        "422/30" => {
            // Of one below another it is not known which rule it is.
            let text = fields_text(endpoint?, request)?;
            (!text.contains('(')).then_some("fields-unknown")
        }
        "422/31" => match FieldSelector::parse(&fields_text(endpoint?, request)?) {
            Err(FieldsError::Duplicate { .. }) => Some("fields-named-twice"),
            Err(_) if fields_text(endpoint?, request)?.contains('%') => Some("fields-encoded-twice"),
            _ => Some("fields-malformed"),
        },
        "422/36" => {
            let text = request.headers.text("Range")?;
            Some(match Window::parse(&text) {
                Err(RangeError::Negative) => "range-negative",
                _ if is_backwards(&text) => "range-backwards",
                _ => "range-malformed",
            })
        }
        _ => None,
    }
}

fn is_backwards(range: &str) -> bool {
    let ends = range.strip_prefix("items=").and_then(|ends| ends.split_once('-'));
    let ends = ends.and_then(|(first, last)| Some((first.parse::<u64>().ok()?, last.parse::<u64>().ok()?)));
    ends.is_some_and(|(first, last)| first > last)
}

/// The request without what this rule has against it; `None` if there is nothing to leave out.
fn without(rule: &str, endpoint: Option<&Endpoint>, request: &Request) -> Option<Request> {
    let header = |name: &str| {
        let mut request = request.clone();
        request.headers.remove(name);
        request
    };
    match rule {
        "no-credentials" => Some(request.clone().with("SEC", "seen")),
        "version-malformed" | "version-removed" => Some(header("Version")),
        "range-malformed" | "range-negative" | "range-backwards" => Some(header("Range")),
        "fields-malformed" | "fields-encoded-twice" => Some(with_fields(request, endpoint?, None)),
        "fields-unknown" => {
            let known = endpoint?.shape.element().names();
            kept(request, endpoint?, |fields| {
                fields.into_iter().filter(|name| known.contains(&name.as_str())).collect()
            })
        }
        "fields-named-twice" => kept(request, endpoint?, |fields| {
            let mut once: Vec<String> = Vec::new();
            for name in fields {
                if !once.contains(&name) {
                    once.push(name);
                }
            }
            once
        }),
        _ => None,
    }
}

/// The request with those of its plain names that are kept.
fn kept(
    request: &Request,
    endpoint: &Endpoint,
    keep: impl FnOnce(Vec<String>) -> Vec<String>,
) -> Option<Request> {
    let text = fields_text(endpoint, request)?;
    if text.contains(['(', ')']) {
        return Some(with_fields(request, endpoint, None));
    }
    let names = text.split(',').map(|name| name.trim().to_owned()).filter(|name| !name.is_empty()).collect();
    let fields = keep(names).into_iter().map(|name| Field { name, subfields: None }).collect();
    Some(with_fields(request, endpoint, FieldSelector::of(fields).as_ref()))
}

/// Whether its `fields` are ones that the endpoint takes.
fn readable_fields(endpoint: &Endpoint, request: &Request) -> bool {
    let text = fields_text(endpoint, request);
    text.is_some_and(|text| FieldSelector::parse_for(&text, endpoint.shape.element()).is_ok())
}

/// The request with this selector in place of its own.
fn with_fields(request: &Request, endpoint: &Endpoint, selector: Option<&FieldSelector>) -> Request {
    let mut request = request.clone();
    if endpoint.fields_in == Some(crate::profile::Carrier::Header) {
        match selector {
            Some(selector) => request.headers.set("fields", selector.to_string()),
            None => request.headers.remove("fields"),
        }
        return request;
    }
    let (path, query) = request.target.split_once('?').unwrap_or((&request.target, ""));
    let is_other = |pair: &&str| !pair.is_empty() && pair.split('=').next() != Some("fields");
    let mut pairs: Vec<String> = query.split('&').filter(is_other).map(str::to_owned).collect();
    pairs.extend(selector.map(|selector| format!("fields={selector}")));
    request.target = if pairs.is_empty() { path.to_owned() } else { format!("{path}?{}", pairs.join("&")) };
    request
}

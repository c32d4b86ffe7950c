//! The gate: what any console answers by itself before an endpoint runs. Rungs 1 to 6 of the answer ladder.
//!
//! The order of rejection: a path outside `/api`, 401/18, the version, 404/4, `fields` (31, then 30), a missing
//! parameter (8), a missing body (10), a value of the wrong type (11), the range (36). That `fields` come before 8, 8
//! before 11 and 11 before an endpoint's own codes is from one source; the rest of the order is ours.

use std::collections::BTreeSet;

use super::error::{self, error_response, outside_page};
use super::taken::{Ground, Taken};
use super::{Carrier, Endpoint, Matched, Parameter, ParameterKind, Profile, Source, help};
use crate::fields::{FieldSelector, FieldsError, Shape};
use crate::json::{Json, Kind};
use crate::lists::{RangeError, Window};
use crate::message::{Request, Response};

/// What the gate is asked with.
#[derive(Clone, Debug)]
pub struct GateOptions<'a> {
    /// Whether requests without credentials pass.
    pub no_auth: bool,
    /// The shapes to check `fields` against.
    pub shape_of: &'a dyn ShapeOf,
    /// The rules that a recording speaks against.
    pub taken: &'a Taken,
    /// Whether every unknown path is answered 404/4 (an emulator does so), or only those below a complete root.
    pub closed: bool,
    /// Whether a path outside `/api/` is answered with the console's page, or let through as one that nobody knows.
    pub has_pages: bool,
}

/// Knows which shape an endpoint's answers have here.
pub trait ShapeOf: std::fmt::Debug {
    /// The shape to check `fields` against; `None` for the endpoint's own.
    fn shape_of(&self, endpoint: &Endpoint) -> Option<&Shape>;
}

/// The shapes of the profile, in the default dialect.
#[derive(Clone, Copy, Debug)]
pub struct OwnShapes;

impl ShapeOf for OwnShapes {
    fn shape_of(&self, _endpoint: &Endpoint) -> Option<&Shape> {
        None
    }
}

/// What came of a request at the gate.
#[derive(Clone, Debug)]
pub enum Gated<'p> {
    /// Refused, or answered from the self-description.
    Answered {
        /// The answer.
        response: Response,
        /// Which rule gave it: `outside /api`, `version`, `help`, or status and code, `422/30`.
        rule: &'static str,
        /// What the rule rests on.
        source: Source,
        /// Whether it was refused: it takes no part in polling then.
        refused: bool,
        /// What a recording of such a request that was not answered so speaks against.
        ground: Ground,
        /// Remarks about the request.
        findings: Vec<String>,
    },
    /// Goes on to the endpoint.
    Admitted(Admitted<'p>),
    /// A path that no profile knows, below no complete root.
    Opaque {
        /// The rules that would have refused it, but for the recording.
        waived: Vec<Ground>,
    },
}

/// A request that the endpoint gets to see.
#[derive(Clone, Debug)]
pub struct Admitted<'p> {
    /// Its endpoint.
    pub matched: Matched<'p>,
    /// What it asks for; `None` for the whole resource.
    pub selector: Option<FieldSelector>,
    /// Remarks about the request: something sent twice, encoded twice, or in a place where nobody looks.
    pub findings: Vec<String>,
    /// `Range: items=a-b`, zero-based and inclusive, on an endpoint that takes one.
    pub range: Option<Window>,
    /// Whether its `fields` or its range was taken by the console and cannot be read here: nothing but a recording of
    /// this very request answers it.
    pub unread: bool,
    /// The rules that would have refused it, but for the recording.
    pub waived: Vec<Ground>,
}

/// Why a request is refused: a framework error.
struct Refusal {
    status: u16,
    code: u32,
    rule: &'static str,
    source: Source,
    message: String,
    /// The value or the name that the rule speaks about, and where.
    about: String,
}

impl Refusal {
    /// `rule` is the status and the code in text.
    fn new(status: u16, code: u32, rule: &'static str, source: Source, message: impl Into<String>) -> Self {
        Self { status, code, rule, source, message: message.into(), about: String::new() }
    }

    fn about(self, about: impl Into<String>) -> Self {
        Self { about: about.into(), ..self }
    }

    fn answered<'p>(self, findings: Vec<String>) -> Gated<'p> {
        Gated::Answered {
            response: error_response(self.status, self.code, "", &self.message),
            rule: self.rule,
            source: self.source,
            refused: true,
            ground: Ground::new(self.rule, self.about),
            findings,
        }
    }
}

/// One request at the gate. Every rule hands what it has against the request to [`Self::refuse`], and goes on if that
/// lets it pass.
struct Keeper<'a> {
    profile: &'a Profile,
    request: &'a Request,
    options: &'a GateOptions<'a>,
    waived: Vec<Ground>,
}

impl Keeper<'_> {
    /// A recording outranks a rule of ours.
    fn refuse(&mut self, refusal: Refusal) -> Result<(), Refusal> {
        if self.waives(refusal.rule, &refusal.about) { Ok(()) } else { Err(refusal) }
    }

    fn waives(&mut self, rule: &'static str, about: &str) -> bool {
        let ground = Ground::new(rule, about);
        let holds = self.options.taken.holds(&ground);
        if holds {
            self.waived.push(ground);
        }
        holds
    }
}

/// Rungs 1 to 6 of the answer ladder: a function of the request and of what a recording shows of the console. A HEAD is
/// answered as its GET; leaving out the body is the caller's part.
pub fn gate<'p>(profile: &'p Profile, request: &Request, options: &GateOptions<'_>) -> Gated<'p> {
    let found = profile.find(&request.method, request.path());
    gate_at(profile, request, found, options)
}

/// The same for a request whose endpoint was found already.
pub(crate) fn gate_at<'p>(
    profile: &'p Profile,
    request: &Request,
    found: Option<Matched<'p>>,
    options: &GateOptions<'_>,
) -> Gated<'p> {
    let mut keeper = Keeper { profile, request, options, waived: Vec::new() };
    if !request.path().starts_with("/api/") {
        return if options.has_pages { outside_api() } else { Gated::Opaque { waived: Vec::new() } };
    }
    if let Err(refusal) = before_the_path(&mut keeper) {
        return refusal.answered(Vec::new());
    }
    let Some(matched) = found else {
        return match unknown(&mut keeper) {
            Ok(()) => Gated::Opaque { waived: keeper.waived },
            Err(refusal) => refusal.answered(Vec::new()),
        };
    };
    let endpoint = matched.endpoint;
    let findings = findings(&mut keeper, endpoint);
    let admitted = match admit(&mut keeper, matched) {
        Ok(admitted) => Admitted { findings, ..admitted },
        Err(refusal) => return refusal.answered(findings),
    };
    let described = endpoint.template.starts_with("/help/") && !keeper.waives("help", &endpoint.id);
    match described.then(|| help::answer(profile, &admitted, request)).flatten() {
        Some(response) => Gated::Answered {
            response,
            rule: "help",
            source: Source::Documented,
            refused: false,
            ground: Ground::new("help", &endpoint.id),
            findings: admitted.findings,
        },
        None => Gated::Admitted(Admitted { waived: keeper.waived, ..admitted }),
    }
}

/// Rung 1.
fn outside_api<'p>() -> Gated<'p> {
    Gated::Answered {
        response: outside_page(),
        rule: "outside /api",
        source: Source::OneSource,
        refused: true,
        ground: Ground::new("outside /api", ""),
        findings: Vec::new(),
    }
}

/// Rungs 2 and 3: what is wrong whatever the endpoint.
fn before_the_path(keeper: &mut Keeper<'_>) -> Result<(), Refusal> {
    let request = keeper.request;
    if !keeper.options.no_auth && !request.has_credentials() {
        let refusal = Refusal::new(401, 18, "401/18", Source::Seen, error::NO_CREDENTIALS);
        keeper.refuse(refusal.about(in_place_of_credentials(keeper.profile, request)))?;
    }
    let Some(version) = request.headers.text("Version") else { return Ok(()) };
    match keeper.profile.versions.refuse(&version) {
        // The texts were seen; the code number is not known, and 0 is ours.
        Some((source, message)) => {
            let refusal = Refusal::new(422, 0, "version", source, message);
            keeper.refuse(refusal.about(super::version::spelt(&version)))
        }
        None => Ok(()),
    }
}

/// What a request carries that might have been taken for a credential: another scheme of `Authorization`, the names of
/// cookies. One that carries nothing speaks of its own endpoint only.
fn in_place_of_credentials(profile: &Profile, request: &Request) -> String {
    let scheme = request.headers.text("Authorization");
    let scheme = scheme.as_deref().and_then(|text| text.split_whitespace().next()).map(str::to_lowercase);
    let mut carried: Vec<String> =
        scheme.into_iter().map(|scheme| format!("Authorization {scheme}")).collect();
    let mut cookies = BTreeSet::new();
    for line in request.headers.all("Cookie") {
        let line = String::from_utf8_lossy(line);
        let names =
            line.split(';').filter_map(|pair| pair.split_once('=')).map(|(name, _)| name.trim().to_owned());
        cookies.extend(names);
    }
    carried.extend(cookies.into_iter().map(|name| format!("Cookie {name}")));
    if carried.is_empty() {
        return place(profile, request);
    }
    carried.join(", ")
}

/// The endpoint of a request, else its method and path.
fn place(profile: &Profile, request: &Request) -> String {
    let found = profile.find(&request.method, request.path());
    found.map_or_else(|| format!("{} {}", request.method, request.path()), |found| found.endpoint.id.clone())
}

/// Rung 4: no endpoint has this method and path.
fn unknown(keeper: &mut Keeper<'_>) -> Result<(), Refusal> {
    let (profile, request) = (keeper.profile, keeper.request);
    let path = request.path().strip_prefix("/api").unwrap_or_default();
    let root = match profile.complete_root(path) {
        Some(root) => root,
        None if keeper.options.closed => "",
        None => return Ok(()),
    };
    let other_method = profile.of_path(request.path()).is_some();
    let source = if other_method { Source::Ours } else { Source::OneSource };
    // One endpoint more below a root that should be known whole, and it is not known whole.
    keeper.refuse(Refusal::new(404, 4, "404/4", source, error::unknown_path(path)).about(root))
}

/// Rungs 5 and 6.
fn admit<'p>(keeper: &mut Keeper<'_>, matched: Matched<'p>) -> Result<Admitted<'p>, Refusal> {
    let endpoint = matched.endpoint;
    let selector = selector(keeper, endpoint)?;
    missing_parameters(keeper, endpoint)?;
    missing_body(keeper, endpoint)?;
    wrong_types(keeper, &matched)?;
    let range = range(keeper, endpoint)?;
    let unread = selector.is_none() || range.is_none();
    let (selector, range) = (selector.flatten(), range.flatten());
    Ok(Admitted { matched, selector, range, unread, findings: Vec::new(), waived: Vec::new() })
}

/// The raw `fields` value a request carries in the place this endpoint takes it: of a query the first, decoded once;
/// of headers the first, as it stands.
pub(crate) fn fields_text(endpoint: &Endpoint, request: &Request) -> Option<String> {
    // Where a page names no place, the usual one.
    match endpoint.fields_in.unwrap_or(Carrier::Query) {
        Carrier::Query => request.param("fields"),
        Carrier::Header => request.headers.text("fields").map(|text| text.into_owned()),
    }
}

/// What is asked for; `None` within if it is all, `None` if a console took what cannot be read here.
fn selector(keeper: &mut Keeper<'_>, endpoint: &Endpoint) -> Result<Option<Option<FieldSelector>>, Refusal> {
    let Some(raw) = fields_text(endpoint, keeper.request) else { return Ok(Some(None)) };
    if endpoint.fields_in.is_none() {
        // No page says that it is refused.
        return Ok(Some(FieldSelector::parse(&raw).ok().flatten()));
    }
    let selector = match FieldSelector::parse(&raw) {
        Ok(None) => return Ok(Some(None)),
        Ok(Some(selector)) => selector,
        Err(error) => {
            return keeper.refuse(refused_fields(&raw, &error).about(&endpoint.id)).map(|()| None);
        }
    };
    let shape = keeper.options.shape_of.shape_of(endpoint).unwrap_or(&endpoint.shape);
    selector.check(shape.element()).map_err(|error| refused_fields(&raw, &error))?;
    Ok(Some(Some(selector)))
}

fn refused_fields(raw: &str, error: &FieldsError) -> Refusal {
    match error {
        FieldsError::Unknown { name, .. } => {
            Refusal::new(422, 30, "422/30", Source::OneSource, error::unknown_field(name))
        }
        FieldsError::Duplicate { name, .. } => {
            Refusal::new(422, 31, "422/31", Source::OneSource, error::repeated_field(raw, name))
        }
        FieldsError::Malformed { why, .. } | FieldsError::TooLarge { why, .. } => {
            Refusal::new(422, 31, "422/31", Source::Ours, error::invalid_fields(raw, why))
        }
    }
}

/// 422/8.
fn missing_parameters(keeper: &mut Keeper<'_>, endpoint: &Endpoint) -> Result<(), Refusal> {
    for parameter in endpoint.parameters.iter().filter(|parameter| parameter.required) {
        let (missing, place) = match parameter.kind {
            ParameterKind::Query => (keeper.request.param(&parameter.name).is_none(), "query"),
            ParameterKind::Header => (!keeper.request.headers.has(&parameter.name), "header"),
            ParameterKind::Path | ParameterKind::Body => continue,
        };
        if missing {
            let message = error::missing_parameter(&parameter.name, place);
            let refusal = Refusal::new(422, 8, "422/8", Source::Seen, message);
            keeper.refuse(refusal.about(format!("{place} {} of {}", parameter.name, endpoint.id)))?;
        }
    }
    Ok(())
}

/// 422/10.
fn missing_body(keeper: &mut Keeper<'_>, endpoint: &Endpoint) -> Result<(), Refusal> {
    match endpoint.body() {
        Some(body) if body.required && is_blank(&keeper.request.body) => {
            let refusal = Refusal::new(422, 10, "422/10", Source::Seen, error::missing_body(&body.name));
            keeper.refuse(refusal.about(format!("body {} of {}", body.name, endpoint.id)))
        }
        _ => Ok(()),
    }
}

/// 422/11: an integer that is none or has more than 64 bits, a body that is no JSON object.
fn wrong_types(keeper: &mut Keeper<'_>, matched: &Matched<'_>) -> Result<(), Refusal> {
    let (endpoint, request) = (matched.endpoint, keeper.request);
    let refusal = |place: &str, name: &str, content_type: &str, source: Source| {
        let message = error::untransformed(place, name, content_type);
        Refusal::new(422, 11, "422/11", source, message).about(format!("{place} {name} of {}", endpoint.id))
    };
    let is_integer = |text: &str| text.parse::<i64>().is_ok();
    for parameter in endpoint.parameters.iter().filter(|parameter| parameter.is_integer()) {
        let name = parameter.name.as_str();
        let in_path = || matched.path_params.iter().find(|(found, _)| found == name);
        match parameter.kind {
            ParameterKind::Path if in_path().is_some_and(|(_, value)| !is_integer(value)) => {
                keeper.refuse(refusal("path", name, "TEXT_PLAIN", Source::Ours))?;
            }
            ParameterKind::Query if request.param(name).is_some_and(|value| !is_integer(&value)) => {
                keeper.refuse(refusal("query", name, "TEXT_PLAIN", Source::Seen))?;
            }
            _ => {}
        }
    }
    match endpoint.body() {
        Some(body) if !is_blank(&request.body) && !is_what_it_should_be(body, &request.body) => {
            keeper.refuse(refusal("body", &body.name, "APPLICATION_JSON", Source::Ours))
        }
        _ => Ok(()),
    }
}

fn is_blank(body: &[u8]) -> bool {
    body.iter().all(u8::is_ascii_whitespace)
}

/// Whether a body is of the type its parameter has, where that can be told: an object, a list, any JSON.
fn is_what_it_should_be(parameter: &Parameter, body: &[u8]) -> bool {
    let value = Json::parse_bytes(body);
    let kind = value.as_ref().map(Json::kind).ok();
    match parameter.data_type.as_str() {
        _ if parameter.mime != "application/json" => true,
        "Object" => matches!(kind, Some(Kind::Object(_))),
        kind_of_list if kind_of_list.starts_with("Array") => matches!(kind, Some(Kind::Array(_))),
        "JSON" => kind.is_some(),
        _ => true,
    }
}

/// 422/36, where the endpoint takes a range; `None` within if there is none, `None` if a console took what cannot be read
/// here.
fn range(keeper: &mut Keeper<'_>, endpoint: &Endpoint) -> Result<Option<Option<Window>>, Refusal> {
    if endpoint.parameter(ParameterKind::Header, "Range").is_none() {
        return Ok(Some(None));
    }
    let Some(text) = keeper.request.headers.text("Range") else { return Ok(Some(None)) };
    match Window::parse(&text) {
        Ok(window) => Ok(Some(Some(window))),
        Err(error) => {
            let message = match error {
                RangeError::Syntax => error::RANGE_SYNTAX,
                RangeError::Negative => error::RANGE_NEGATIVE,
            };
            let refusal = Refusal::new(422, 36, "422/36", Source::Seen, message);
            keeper.refuse(refusal.about(&endpoint.id)).map(|()| None)
        }
    }
}

/// How many parameters of one request are remarked on.
const REMARKS_MAX: usize = 20;

/// What a recording with a query parameter that is none of the endpoint's speaks against.
pub(crate) fn stray(endpoint: &Endpoint, name: &str) -> Option<Ground> {
    let is_known = endpoint.parameter(ParameterKind::Query, name).is_some();
    (!is_known).then(|| Ground::new("parameter", format!("query {name} of {}", endpoint.id)))
}

/// Remarks about a request to a known endpoint; none of them changes the answer.
fn findings(keeper: &mut Keeper<'_>, endpoint: &Endpoint) -> Vec<String> {
    let request = keeper.request;
    let mut findings = Vec::new();
    let mut names = BTreeSet::new();
    for (name, _) in &request.params() {
        if findings.len() >= REMARKS_MAX {
            findings.push("more of its query parameters are odd, too".to_owned());
            break;
        }
        let first = names.insert(name.clone());
        let known = stray(endpoint, name).is_none_or(|ground| keeper.waives(ground.rule, &ground.about));
        if !first {
            findings.push(format!("query parameter `{name}` is sent more than once; the first is used"));
        } else if !known && endpoint.parameter(ParameterKind::Header, name).is_some() {
            findings
                .push(format!("`{name}` is sent as a query parameter; this endpoint takes it as a header"));
        } else if !known {
            let becomes = if name == "fields" { "taken as everywhere else" } else { "ignored" };
            findings.push(format!("query parameter `{name}` is none of this endpoint's; it is {becomes}"));
        }
    }
    if endpoint.fields_in == Some(Carrier::Header) && request.headers.all("fields").count() > 1 {
        findings.push("header `fields` is sent more than once; the first is used".to_owned());
    }
    if endpoint.fields_in == Some(Carrier::Query) && request.headers.has("fields") {
        findings.push("`fields` is sent as a header; this endpoint takes it as a query parameter".to_owned());
    }
    if encoded_twice(request) {
        findings.push("`fields` is encoded twice".to_owned());
    }
    findings
}

/// Whether a percent sign of the first `fields` in the query is itself encoded.
fn encoded_twice(request: &Request) -> bool {
    let pairs = request.query().unwrap_or_default().split('&');
    pairs
        .filter_map(|pair| pair.split_once('='))
        .any(|(name, value)| name == "fields" && value.contains("%25"))
}

//! What a cassette shows of its console: which rules of the gate do not hold there, which members its answers have,
//! which paths outside the profiles it answers.
//!
//! Evidence outranks rules: of every recorded request that the gate would have refused and the console did not, the rule
//! is left out where it is about the same value or name.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use foldhash::quality::RandomState;

use super::facts::Fact;
use super::structures::StructureId;
use super::{Cassette, Interaction, MatchKey};
use crate::fields::{FieldSelector, Shape};
use crate::json::Json;
use crate::message::{Request, Response};
use crate::profile::{
    Endpoint, GateOptions, Gated, Ground, Matched, OwnShapes, Profile, ShapeOf, Taken, fields_text, gate,
    gate_at, stray,
};

/// Rules that one recorded request can speak against; more than it can carry.
const GROUNDS_MAX: usize = 100;

/// The framework's codes that speak of an endpoint's own parameters: with one of these, version and path had passed.
const PAST_THE_PATH: [i128; 7] = [8, 10, 11, 26, 30, 31, 36];
/// From here on a code is an endpoint's own.
const ENDPOINT_CODES: i128 = 1000;
/// The rules about what comes before an endpoint.
const BEFORE_THE_ENDPOINT: [&str; 3] = ["401/18", "version", "404/4"];

/// What a cassette shows of its console.
#[derive(Debug, Default)]
pub struct Shown {
    taken: Taken,
    shapes: BTreeMap<String, Shape>,
    /// The shapes of paths that no profile knows, by method and path.
    unknown: BTreeMap<(String, String), Shape>,
    /// What no profile knows and was answered as an API answers: method, and path or another method's template.
    paths: BTreeSet<(String, String)>,
    /// Paths outside `/api/` that were asked for.
    outside: BTreeSet<String>,
}

/// How far a recorded request came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Came {
    /// It was done.
    Through,
    /// An endpoint, or the check of its parameters, said no.
    ToTheEndpoint,
}

impl Shown {
    /// What it shows, and which of its requests stand alone.
    pub(super) fn of(cassette: &Cassette, facts: &[Fact<'_>], profile: &Profile) -> (Self, Vec<bool>) {
        let mut shown = Self::default();
        let mut absorbed = Absorbed::default();
        for (interaction, fact) in cassette.interactions.iter().zip(facts) {
            shown.learn_shape(interaction, fact, profile, &mut absorbed);
            if let Some(key) = fact.key.as_ref().filter(|key| !key.path.starts_with("/api/")) {
                shown.outside.insert(key.path.clone());
            }
            if fact.came.is_some() && fact.endpoint.is_none() {
                shown.paths.extend(unknown_place(&interaction.request, profile));
            }
        }
        let pairs = || cassette.interactions.iter().zip(facts);
        let first: Vec<Sight> = pairs()
            .map(|(it, fact)| fact.sight.unwrap_or_else(|| shown.at_first_sight(&it.request, profile)))
            .collect();
        for ((interaction, fact), first) in pairs().zip(&first) {
            if let Some(came) = fact.came {
                shown.learn_rules(&interaction.request, fact, came, *first == Sight::Refused, profile);
            }
        }
        let alone = pairs().zip(first).map(|((interaction, _), first)| match first {
            Sight::Passes { alone } => alone,
            Sight::Refused => shown.stands_alone(&interaction.request, profile),
        });
        let alone = alone.collect();
        (shown, alone)
    }

    /// The rules that the recording speaks against.
    pub fn taken(&self) -> &Taken {
        &self.taken
    }

    /// Leaves out what other recordings of this console speak against, too.
    pub(crate) fn join(&mut self, taken: &Taken) {
        self.taken.join(taken);
    }

    /// What the recording shows of a request's path, where no profile knows it.
    pub fn path_of(&self, request: &Request, profile: &Profile) -> Option<Ground> {
        let place = unknown_place(request, profile).filter(|place| self.paths.contains(place))?;
        Some(Ground::of_path(format!("{} {}", place.0, place.1)))
    }

    /// Whether any of these names stands in the recordings of this path, which no profile knows. Of an empty list
    /// nothing is known, and nothing made up.
    pub fn has_any(&self, request: &Request, asked: &FieldSelector) -> bool {
        let shape = self.unknown.get(&(method(request), MatchKey::of(request).path));
        shape.is_none_or(|shape| shape.names().is_empty() || shape.has_any(asked))
    }

    /// Whether this path outside `/api/` was recorded.
    pub fn has_outside(&self, request: &Request) -> bool {
        !self.outside.is_empty() && self.outside.contains(&MatchKey::of(request).path)
    }

    /// Whether a recorded request is one that the console's gate refuses, or that cannot be read: its answer is lent to
    /// no other.
    fn stands_alone(&self, request: &Request, profile: &Profile) -> bool {
        if is_asking_leave(request) {
            return false;
        }
        match self.gate(request, profile) {
            Gated::Answered { refused, .. } => refused,
            Gated::Admitted(admitted) => admitted.unread,
            Gated::Opaque { .. } => has_odd_fields(request),
        }
    }

    /// What the gate says before a rule is left out.
    fn at_first_sight(&self, request: &Request, profile: &Profile) -> Sight {
        if is_asking_leave(request) {
            return Sight::Passes { alone: false };
        }
        Sight::of(&self.gate(request, profile), request)
    }

    fn gate<'p>(&self, request: &Request, profile: &'p Profile) -> Gated<'p> {
        let options = GateOptions {
            no_auth: false,
            shape_of: self,
            taken: &self.taken,
            closed: false,
            has_pages: false,
        };
        gate(profile, request, &options)
    }

    /// The gate is asked until it has nothing more against a request that the console took, where it has anything.
    fn learn_rules(
        &mut self,
        request: &Request,
        fact: &Fact<'_>,
        came: Came,
        is_refused: bool,
        profile: &Profile,
    ) {
        if is_asking_leave(request) {
            return;
        }
        if came == Came::Through
            && let Some(endpoint) = fact.endpoint
        {
            let params = request.params();
            for ground in params.iter().filter_map(|(name, _)| stray(endpoint, name)).take(GROUNDS_MAX) {
                self.taken.learn(ground);
            }
        }
        let asked = if is_refused { GROUNDS_MAX } else { 0 };
        for _ in 0..asked {
            let Gated::Answered { ground, .. } = self.gate(request, profile) else { return };
            let is_shown = came == Came::Through || BEFORE_THE_ENDPOINT.contains(&ground.rule);
            if !is_shown || !self.taken.learn(ground) {
                return;
            }
        }
    }

    /// The profile's sample in the dialect that was recorded, every member seen, every name that was asked for and taken.
    /// A body adds nothing that one of its structure has added before.
    fn learn_shape(
        &mut self,
        interaction: &Interaction,
        fact: &Fact<'_>,
        profile: &Profile,
        absorbed: &mut Absorbed,
    ) {
        if !interaction.response.is_success() {
            return;
        }
        let request = &interaction.request;
        if let Some((endpoint, structure)) = fact.endpoint.zip(fact.structure)
            && !absorbed.structures.insert((place_of(endpoint), structure))
        {
            if may_carry_fields(request)
                && let Some(asked) = asked_for(fields_text(endpoint, request))
            {
                self.shapes
                    .entry(endpoint.id.clone())
                    .or_insert_with(|| endpoint.shape.clone())
                    .admit(&asked);
            }
            return;
        }
        let Some(body) = interaction.response.text().and_then(|text| Json::parse(text).ok()) else { return };
        if let Some(endpoint) = fact.endpoint
            && !self.shapes.contains_key(&endpoint.id)
        {
            // Most answers hold what is published and no more: nothing is to be kept for them.
            let is_first = !absorbed.as_published.contains(&place_of(endpoint));
            let dialect = if is_first { recorded_dialect(profile, endpoint, &body) } else { None };
            if dialect.is_none() && !may_carry_fields(request) && endpoint.shape.holds(&body) {
                absorbed.as_published.insert(place_of(endpoint));
                return;
            }
            let first = dialect.unwrap_or_else(|| endpoint.shape.clone());
            self.shapes.insert(endpoint.id.clone(), first);
        }
        let (shape, asked) = match fact.endpoint {
            Some(endpoint) => {
                let Some(shape) = self.shapes.get_mut(&endpoint.id) else { return };
                (shape, fields_text(endpoint, request))
            }
            None => {
                let path = match &fact.key {
                    Some(key) => key.path.clone(),
                    None => MatchKey::of(request).path,
                };
                let place = (method(request), path);
                (self.unknown.entry(place).or_insert_with(|| Shape::of_value(&body)), request.param("fields"))
            }
        };
        shape.absorb(&body);
        if let Some(asked) = asked_for(asked) {
            shape.admit(&asked);
        }
    }
}

/// What the shapes have of the bodies so far, by where the endpoints are.
#[derive(Default)]
struct Absorbed {
    /// Which structures of bodies each endpoint's shape has.
    structures: HashSet<(usize, StructureId), RandomState>,
    /// The endpoints whose bodies hold what is published, as it is called there.
    as_published: HashSet<usize, RandomState>,
}

fn place_of(endpoint: &Endpoint) -> usize {
    std::ptr::from_ref(endpoint).addr()
}

/// What was asked for, where it can be read.
fn asked_for(text: Option<String>) -> Option<FieldSelector> {
    FieldSelector::parse(&text?).ok().flatten()
}

/// Most requests do not, and nothing has to be decoded to see it.
fn may_carry_fields(request: &Request) -> bool {
    request.query().is_some() || request.headers.has("fields")
}

/// What the gate says of a request before a rule is left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sight {
    /// It is let pass: no rule that is left out later is about it.
    Passes {
        /// Whether it cannot be read, and so answers no other request.
        alone: bool,
    },
    /// It is answered by the gate.
    Refused,
}

impl Sight {
    fn of(gated: &Gated<'_>, request: &Request) -> Self {
        match gated {
            Gated::Answered { .. } => Self::Refused,
            Gated::Admitted(admitted) => Self::Passes { alone: admitted.unread },
            Gated::Opaque { .. } => Self::Passes { alone: has_odd_fields(request) },
        }
    }
}

/// The same of a request by itself; nothing where the gate would have to know a shape.
pub(super) fn sight(request: &Request, found: Option<Matched<'_>>, profile: &Profile) -> Option<Sight> {
    if is_asking_leave(request) {
        return Some(Sight::Passes { alone: false });
    }
    if may_carry_fields(request) {
        return None;
    }
    let taken = Taken::default();
    let options =
        GateOptions { no_auth: false, shape_of: &OwnShapes, taken: &taken, closed: false, has_pages: false };
    Some(Sight::of(&gate_at(profile, request, found, &options), request))
}

impl ShapeOf for Shown {
    fn shape_of(&self, endpoint: &Endpoint) -> Option<&Shape> {
        self.shapes.get(&endpoint.id)
    }
}

/// Whether `fields` in the query cannot be read.
fn has_odd_fields(request: &Request) -> bool {
    request.param("fields").is_some_and(|text| FieldSelector::parse(&text).is_err())
}

/// No rule of the API is about OPTIONS: whoever asks leave for a page has no credentials yet.
fn is_asking_leave(request: &Request) -> bool {
    request.method == "OPTIONS"
}

/// Method and path of a request that no profile knows. Where the path is known with another method, the rule is that it
/// has no more methods: it is about the template.
fn unknown_place(request: &Request, profile: &Profile) -> Option<(String, String)> {
    let method = method(request);
    if profile.find(&method, request.path()).is_some() {
        return None;
    }
    let template = profile.of_path(request.path()).map(|found| found.endpoint.template.clone());
    Some((method, template.unwrap_or_else(|| MatchKey::of(request).path)))
}

/// A HEAD goes where its GET goes.
fn method(request: &Request) -> String {
    if request.method == "HEAD" { "GET".to_owned() } else { request.method.clone() }
}

/// A page is no answer of the API: a login, a proxy, `Application error`.
pub(super) fn came(response: &Response) -> Option<Came> {
    let content_type = response.headers.text("Content-Type").unwrap_or_default();
    let kind = content_type.trim_start().get(.."text/html".len());
    let is_page = kind.is_some_and(|kind| kind.eq_ignore_ascii_case("text/html"));
    if is_page {
        return None;
    }
    if response.is_success() || response.status == 304 {
        return Some(Came::Through);
    }
    let body = Json::parse(response.text()?).ok()?;
    let code = body.member("http_response").and(body.member("code"))?.as_i128()?;
    (code >= ENDPOINT_CODES || PAST_THE_PATH.contains(&code)).then_some(Came::ToTheEndpoint)
}

/// The endpoint's shape with the member names of the dialect that this body speaks, if it speaks another than is published.
fn recorded_dialect(profile: &Profile, endpoint: &Endpoint, body: &Json<'_>) -> Option<Shape> {
    let lifecycle = profile.task_of(&endpoint.id).or_else(|| profile.created_by(&endpoint.id))?;
    let (_, renames) = lifecycle.dialects.iter().find(|(_, renames)| {
        renames.iter().any(|(usual, other)| body.member(other).is_some() && body.member(usual).is_none())
    })?;
    let renames: Vec<_> = renames.iter().map(|(from, to)| (from.as_str(), to.as_str())).collect();
    Some(endpoint.shape.renamed(&renames))
}

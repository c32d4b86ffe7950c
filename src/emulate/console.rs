//! The model: from a request to its answer.

use std::borrow::Cow;

use super::family::{Counts, Family};
use super::observed::{MENDED_MOST, Observed, Refused};
use super::{NoSuchDialect, Settings};
use crate::fields::Shape;
use crate::json::Json;
use crate::message::{Request, Response};
use crate::profile::{
    Admitted, Endpoint, GateOptions, Gated, Profile, ShapeOf, Taken, answer_list, error_response,
    framework_error, gate, item_response,
};
use crate::timeline::Phase;

/// A QRadar console in memory. Equal settings and equal requests in equal order give equal answers.
#[derive(Debug)]
pub struct Console {
    profile: &'static Profile,
    settings: Settings,
    shapes: Shapes,
    families: Vec<Family>,
    observed: Observed,
}

/// The shapes of tasks in the dialect of this console.
#[derive(Debug, Default)]
struct Shapes(Vec<(String, Shape)>);

impl ShapeOf for Shapes {
    fn shape_of(&self, endpoint: &Endpoint) -> Option<&Shape> {
        self.0.iter().find(|(id, _)| *id == endpoint.id).map(|(_, shape)| shape)
    }
}

impl Console {
    /// A console that knows the endpoints of the profiles in the binary.
    ///
    /// # Errors
    /// If no task has the dialect asked for.
    pub fn new(settings: Settings) -> Result<Self, NoSuchDialect> {
        let profile = Profile::builtin();
        let families: Vec<Family> =
            profile.lifecycles().filter_map(|life| Family::of(profile, life, &settings)).collect();
        if settings.dialect != "sample" && families.iter().all(|family| !family.speaks(&settings.dialect)) {
            let mut known = vec!["sample".to_owned()];
            known.extend(profile.lifecycles().flat_map(|life| &life.dialects).map(|(name, _)| name.clone()));
            known.dedup();
            return Err(NoSuchDialect { dialect: settings.dialect, known });
        }
        let shapes = Shapes(families.iter().flat_map(Family::shapes).collect());
        let observed = Observed::of(profile);
        Ok(Self { profile, settings, shapes, families, observed })
    }

    /// How much of what the user's files say was seen of a console this one follows, and the rules that it cannot follow.
    pub fn follows(&self) -> (usize, &[String]) {
        self.observed.followed()
    }

    /// The answer to one request. A HEAD is answered as its GET, body included, but is no poll.
    pub fn answer(&mut self, request: &Request) -> Response {
        let endpoint = self.profile.find(&request.method, request.path()).map(|found| found.endpoint);
        let mut asked = self.observed.asked(endpoint, request);
        for _ in 0..MENDED_MOST {
            let (response, rule) = self.answered(&asked);
            match rule.and_then(|rule| self.observed.refusal(rule, endpoint, &asked)) {
                Some(Refused::Answered(response)) => return response,
                Some(Refused::Asked(mended)) => asked = Cow::Owned(*mended),
                None => return self.observed.answered(endpoint, &asked, response),
            }
        }
        // Each rule has something against it once: by then nothing is left.
        self.answered(&asked).0
    }

    /// The answer by the rules, and the one that refused it.
    fn answered(&mut self, request: &Request) -> (Response, Option<&'static str>) {
        let options = GateOptions {
            no_auth: self.settings.no_auth,
            shape_of: &self.shapes,
            taken: Taken::nothing(),
            closed: true,
            has_pages: true,
        };
        match gate(self.profile, request, &options) {
            Gated::Answered { response, rule, refused, .. } => (response, Some(rule).filter(|_| refused)),
            Gated::Admitted(admitted) => (self.run(&admitted, request), None),
            // A closed gate lets no unknown path through; were it to, this is the answer.
            Gated::Opaque { .. } => (framework_error(404, 4).unwrap_or_else(|| Response::new(404)), None),
        }
    }

    /// What the endpoint itself does.
    fn run(&mut self, admitted: &Admitted<'_>, request: &Request) -> Response {
        let endpoint = admitted.matched.endpoint;
        let id = Some(endpoint.id.as_str());
        let Some(family) = self.families.iter_mut().find(|family| family.has(&endpoint.id)) else {
            return without_a_model(admitted, request);
        };
        if family.life.creator(&endpoint.id).is_some() {
            return create(family, admitted, request);
        }
        if id == family.life.case_list.as_deref() {
            return answer_list(&family.cases(), admitted, request);
        }
        let asked = admitted.matched.path_params.last().map(|(_, value)| value.as_str()).unwrap_or_default();
        let counts = if request.method == "HEAD" { Counts::No } else { Counts::Yes };
        let found = match asked.parse::<i64>() {
            Err(_) => None,
            Ok(number) if id == family.life.case_item.as_deref() => family.case(number),
            Ok(number) => family.poll(number, &self.settings.deployment, counts),
        };
        match found {
            Some(text) => item_response(200, &text, admitted.selector.as_ref()),
            None => endpoint.not_found(asked).unwrap_or_else(|| nothing_documented(endpoint)),
        }
    }
}

/// A creation: 422/1005 for what the rules forbid, else the new task.
fn create(family: &mut Family, admitted: &Admitted<'_>, request: &Request) -> Response {
    let endpoint = admitted.matched.endpoint;
    let refusal = |status, code, message: &str| {
        let description = endpoint.error(status, code).map_or("", |error| error.description.as_str());
        error_response(status, code, description, message)
    };
    let Ok(body) = Json::parse_bytes(&request.body) else {
        return refusal(422, 1005, "The body is not JSON.");
    };
    if let Some(why) = family.life.refuses(&body) {
        return refusal(422, 1005, &why);
    }
    if let Some(name) = family.life.name_in(&body).filter(|name| family.is_taken(name)) {
        return refusal(422, 1005, &family.life.name_taken(name));
    }
    let status = endpoint.success.first().copied().unwrap_or(201);
    match family.create(&body) {
        Some(id) => item_response(status, &family.task(id, Phase::Waiting), admitted.selector.as_ref()),
        None => refusal(500, 1020, "This console holds no more cases."),
    }
}

/// An endpoint that the profiles know and this console has nothing behind: an empty list, nothing of that id, or a
/// creation that is not allowed here.
fn without_a_model(admitted: &Admitted<'_>, request: &Request) -> Response {
    let endpoint = admitted.matched.endpoint;
    match admitted.matched.path_params.last() {
        None if endpoint.is_list => {
            let mut response = answer_list(&[], admitted, request);
            // One page has no 200.
            if let (200, Some(status)) = (response.status, usual_success(endpoint)) {
                response.status = status;
                response.reason = Response::new(status).reason;
            }
            response
        }
        Some((_, id)) => endpoint.not_found(id).unwrap_or_else(|| nothing_documented(endpoint)),
        None => nothing_documented(endpoint),
    }
}

/// The status of success where the page has others than 200 alone.
fn usual_success(endpoint: &Endpoint) -> Option<u16> {
    endpoint.success.first().copied().filter(|_| !endpoint.success.contains(&200))
}

/// The first documented refusal, so that a client meets nothing that the page does not speak of.
fn nothing_documented(endpoint: &Endpoint) -> Response {
    const WHY: &str = "The built-in console does not do this.";
    match endpoint.errors.first() {
        Some(error) => error_response(error.status, error.code, &error.description, WHY),
        None => error_response(500, 1020, "", WHY),
    }
}

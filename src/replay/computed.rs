//! Lists computed from one recording: what `filter`, `sort` and `Range` leave of it.
//!
//! The recording is the one that the matcher would give for the list without what is computed, at this time and with
//! this session's creations in it. It has to be whole: status 200, a JSON array, no window. A recorded window gives the
//! narrower ones inside it, and nothing else. What is not in the recording is a miss and never made up.

use crate::cassette::MatchKey;
use crate::fields::FieldSelector;
use crate::json::Json;
use crate::ledger::Origin;
use crate::lists::{Asked, Filter, ListError, Sort, Window, window_of_answer};
use crate::message::{Request, Response};
use crate::profile::{Endpoint, Language, Source, refused_list};
use crate::redact::customer;
use crate::scenario::Repeats;

use super::Setup;
use super::account::Answer;
use super::lookup::{Candidates, Cause, Found, Step};
use super::material::Material;
use super::session::Session;
use super::turn::Turn;

/// What came of it.
pub(super) enum Computed {
    /// An answer: a list, or the refusal of a text that is wrong.
    Answer(Box<Answer>),
    /// Nothing recorded gives it.
    Lacking(Lacking),
    /// Nothing of this request can be computed.
    NoList,
}

/// Why a list cannot be computed.
pub(super) struct Lacking {
    pub(super) cause: &'static str,
    pub(super) help: String,
}

/// The languages and the window of a request.
struct Wanted {
    filter: Option<(String, Option<Filter>)>,
    sort: Option<(String, Option<Sort>)>,
    window: Option<Window>,
}

/// What is left to compute once a recording is chosen.
#[derive(Clone, Copy, PartialEq)]
struct Steps {
    filter: bool,
    sort: bool,
    window: bool,
}

/// Why a text is not applied.
enum Wrong {
    /// The text itself: a console refuses it.
    Text(Language, String, String),
    /// The recording does not say.
    Lacking(Lacking),
}

const ONLY_A_WINDOW: &str = "only a window of the list was recorded";
const UNREADABLE: &str = "cannot be computed";

fn lacking(cause: &'static str, help: impl Into<String>) -> Lacking {
    Lacking { cause, help: help.into() }
}

impl Session {
    /// The list that a request asks for, if it is a part of one that was recorded. `scope` is as in the matcher.
    pub(super) fn computed(
        &mut self,
        material: &Material,
        turn: &Turn,
        asked: Option<&FieldSelector>,
        (request, scope): (&Request, &str),
        setup: &Setup,
    ) -> Computed {
        if !matches!(request.method.as_str(), "GET" | "HEAD") {
            return Computed::NoList;
        }
        let endpoint = turn.matched.as_ref().map(|matched| matched.endpoint);
        let wanted = match Wanted::of(material, endpoint, request) {
            Ok(Some(wanted)) => wanted,
            Ok(None) => return Computed::NoList,
            Err(wrong) => return refusal_of(material, endpoint, wrong),
        };
        let live = MatchKey { method: "GET".into(), ..MatchKey::of(request) };
        let mut why = None;
        for steps in wanted.ways() {
            let whole = without(request, steps);
            match self.whole(
                material,
                turn,
                (&whole, &live, scope),
                wanted.covering(asked, steps).as_ref(),
                setup,
            ) {
                Ok(answer) => {
                    let found = self.apply(material, turn, answer, (&wanted, steps), asked, endpoint);
                    return match found {
                        Ok(answer) => Computed::Answer(Box::new(answer)),
                        Err(wrong) => refusal_of(material, endpoint, wrong),
                    };
                }
                Err(because) => why = because.or(why),
            }
        }
        if let Some(window) = wanted.window {
            let found = self.window_inside(material, turn, (request, &live, scope), (window, asked), setup);
            if let Some(answer) = found {
                return Computed::Answer(Box::new(answer));
            }
        }
        let is_window_recorded = || {
            let mut bases = wanted.ways().into_iter().map(|steps| MatchKey::of(&without(request, steps)));
            bases.any(|base| material.deck().windows_of(&base).next().is_some())
        };
        match why {
            Some(why) => Computed::Lacking(why),
            None if is_window_recorded() => Computed::Lacking(lacking(
                ONLY_A_WINDOW,
                "what stands outside it is not known: record the list once without `Range`, `filter` and `sort`, and every other is computed from that",
            )),
            None => Computed::NoList,
        }
    }

    /// The recorded list for a request that asks for all of it. `None` within: there is no recording of it at all.
    fn whole(
        &mut self,
        material: &Material,
        turn: &Turn,
        (whole, live, scope): (&Request, &MatchKey, &str),
        asked: Option<&FieldSelector>,
        setup: &Setup,
    ) -> Result<Answer, Option<Lacking>> {
        let key = MatchKey { method: "GET".into(), ..MatchKey::of(whole) };
        let index = self.peek(material, turn, (whole, &key, live, scope), asked, setup, Step::Stay);
        let found = match index {
            Ok(found) => found,
            Err(Cause::NotRecorded) => return Err(None),
            Err(cause) => return Err(Some(lacking(cause.as_str(), cause.help()))),
        };
        let recorded = &material.cassette().interactions[found.index].response;
        if recorded.status == 200 && recorded.headers.has("Content-Range") {
            return Err(Some(lacking(
                ONLY_A_WINDOW,
                "the console gave a part of the list only, and what stands outside it is not known: record the list whole",
            )));
        }
        if recorded.status != 200 || !is_array(recorded) {
            return Err(None);
        }
        if turn.request.method != "HEAD" {
            // Nothing hinders it now: the next time the next recording is due.
            let _ = self.peek(material, turn, (whole, &key, live, scope), asked, setup, Step::On);
        }
        self.learn_placeholders(material, found.index, whole, false);
        Ok(self.complete(turn, Answer::recorded(material, found.index), None))
    }

    fn peek(
        &mut self,
        material: &Material,
        turn: &Turn,
        (request, key, live, scope): (&Request, &MatchKey, &MatchKey, &str),
        asked: Option<&FieldSelector>,
        setup: &Setup,
        step: Step,
    ) -> Result<Found, Cause> {
        let slots = material.deck().under_bound(key, &self.cursors.bindings);
        let candidates = Candidates { key, slots, is_loose: false, scope, computes: Some(live) };
        let repeats = setup.scenario.as_ref().map_or(Repeats::Last, |scenario| scenario.repeats);
        self.cursors.read(material, (request, candidates), &turn.resource, asked, (repeats, step))
    }

    /// Filter, sort, range, then fields.
    fn apply(
        &self,
        material: &Material,
        turn: &Turn,
        mut answer: Answer,
        (wanted, steps): (&Wanted, Steps),
        asked: Option<&FieldSelector>,
        endpoint: Option<&Endpoint>,
    ) -> Result<Answer, Wrong> {
        let text = answer.response.text().unwrap_or_default().to_owned();
        let Ok(body) = Json::parse(&text) else {
            return Err(Wrong::Lacking(lacking(UNREADABLE, "the recorded list is no JSON: record it again")));
        };
        if let Some(cause) =
            answer.index.and_then(|index| super::ladder::hindrance(material, index, turn, asked))
        {
            return Err(Wrong::Lacking(lacking(cause.as_str(), cause.help())));
        }
        let elements = body.elements();
        let filter = wanted.filter.as_ref().filter(|_| steps.filter);
        let sort = wanted.sort.as_ref().filter(|_| steps.sort);
        let spelt = match filter {
            Some((text, Some(filter))) => {
                let is_hidden = |text: &str| customer::tokens(text).next().is_some();
                filter.suits(elements, &is_hidden).map_err(|error| wrong(Language::Filter, text, &error))?;
                let shape = endpoint.map(|endpoint| &endpoint.shape);
                Some(shape.map_or_else(|| filter.clone(), |shape| filter.spelt_for(shape)))
            }
            _ => None,
        };
        let sort_keys = match sort {
            Some((text, Some(sort))) => {
                sort.suits(elements).map_err(|error| wrong(Language::Sort, text, &error))?;
                Some(sort)
            }
            _ => None,
        };
        let of = Asked { filter: spelt.as_ref(), sort: sort_keys, window: wanted.window, selector: asked };
        let listed = of.of(elements);
        answer.response.set_body(listed.body);
        if let Some(shown) = listed.content_range {
            answer.response.headers.set("Content-Range", shown);
        }
        answer.projected = asked.is_some();
        answer.computed = steps.names();
        Ok(answer)
    }

    /// A window inside one that was recorded for the same list.
    fn window_inside(
        &mut self,
        material: &Material,
        turn: &Turn,
        (request, live, scope): (&Request, &MatchKey, &str),
        (window, asked): (Window, Option<&FieldSelector>),
        setup: &Setup,
    ) -> Option<Answer> {
        let wider: Vec<MatchKey> = material.deck().windows_of(live).cloned().collect();
        for key in wider {
            let request = Request { method: "GET".to_owned(), ..request.clone() };
            let found = self.peek(material, turn, (&request, &key, live, scope), asked, setup, Step::Stay);
            let Ok(found) = found else { continue };
            let recorded = &material.cassette().interactions[found.index].response;
            let Some((places, shown)) = inside(recorded, window) else { continue };
            if super::ladder::hindrance(material, found.index, turn, asked).is_some() {
                continue;
            }
            if turn.request.method != "HEAD" {
                let _ = self.peek(material, turn, (&request, &key, live, scope), asked, setup, Step::On);
            }
            let mut answer = self.complete(turn, Answer::recorded(material, found.index), None);
            let text = answer.response.text().unwrap_or_default().to_owned();
            let Ok(body) = Json::parse(&text) else { continue };
            let listed =
                Asked { window: Some(places), selector: asked, ..Asked::default() }.of(body.elements());
            answer.response.set_body(listed.body);
            answer.response.headers.set("Content-Range", shown);
            answer.projected = asked.is_some();
            answer.computed = vec!["Range".to_owned()];
            return Some(answer);
        }
        None
    }
}

/// Where a window stands in a recorded one, and what its `Content-Range` is; `None` if it is not inside it.
fn inside(recorded: &Response, window: Window) -> Option<(Window, String)> {
    let (held, total) = window_of_answer(&recorded.headers.text("Content-Range")?)?;
    let last = window.last.min(total - 1);
    let body = Json::parse_bytes(&recorded.body).ok()?;
    let is_complete = body.elements().len() as u64 == held.last - held.first + 1;
    let is_inside = recorded.is_success() && is_complete && held.first <= window.first && last <= held.last;
    (is_inside && window.first <= last).then(|| {
        let places = Window { first: window.first - held.first, last: last - held.first };
        (places, format!("items {}-{last}/{total}", window.first))
    })
}

fn is_array(response: &Response) -> bool {
    let first = response.body.iter().find(|byte| !byte.is_ascii_whitespace());
    first == Some(&b'[') && Json::parse_bytes(&response.body).is_ok()
}

/// The request without what is computed.
fn without(request: &Request, steps: Steps) -> Request {
    let mut whole = Request { method: "GET".to_owned(), ..request.clone() };
    if steps.window {
        whole.headers.remove("Range");
    }
    let leaves = |pair: &&str| {
        let name = form_urlencoded::parse(pair.as_bytes()).next().map(|(name, _)| name.into_owned());
        !(steps.filter && name.as_deref() == Some("filter") || steps.sort && name.as_deref() == Some("sort"))
    };
    if let Some((path, query)) = request.target.split_once('?') {
        let kept: Vec<&str> = query.split('&').filter(leaves).collect();
        whole.target = if kept.is_empty() { path.to_owned() } else { format!("{path}?{}", kept.join("&")) };
    }
    whole
}

impl Wanted {
    /// What a request asks for; `None` if it asks for a list as it is.
    fn of(
        material: &Material,
        endpoint: Option<&Endpoint>,
        request: &Request,
    ) -> Result<Option<Self>, Wrong> {
        let text = |language: Language| {
            let is_taken = endpoint.is_none_or(|endpoint| language.is_taken_by(endpoint));
            request.param(language.name()).filter(|_| is_taken)
        };
        let shape = endpoint.map(|endpoint| material.shape_for(endpoint));
        let (mut filter, mut sort) = (None, None);
        if let Some(text) = text(Language::Filter) {
            let parsed = Filter::parse(&text).and_then(|parsed| {
                if let (Some(parsed), Some(shape)) = (&parsed, shape) {
                    parsed.check(shape.element())?;
                }
                Ok(parsed)
            });
            filter = Some((text.clone(), parsed.map_err(|error| wrong(Language::Filter, &text, &error))?));
        }
        if let Some(text) = text(Language::Sort) {
            let parsed = Sort::parse(&text).and_then(|parsed| {
                if let (Some(parsed), Some(shape)) = (&parsed, shape) {
                    parsed.check(shape.element())?;
                }
                Ok(parsed)
            });
            sort = Some((text.clone(), parsed.map_err(|error| wrong(Language::Sort, &text, &error))?));
        }
        let takes_range = endpoint.is_none_or(Endpoint::takes_range);
        let range = request.headers.text("Range").filter(|_| takes_range);
        let window = range.and_then(|text| Window::parse(&text).ok());
        let is_asked = filter.is_some() || sort.is_some() || window.is_some();
        Ok(is_asked.then_some(Self { filter, sort, window }))
    }

    /// The ways to it, those that leave most to the recording first.
    fn ways(&self) -> Vec<Steps> {
        let window = self.window.is_some();
        let pairs = [(false, false), (false, true), (true, false), (true, true)];
        let all = pairs.into_iter().map(|(filter, sort)| Steps { filter, sort, window });
        all.filter(|steps| {
            (!steps.filter || self.filter.is_some())
                && (!steps.sort || self.sort.is_some())
                && (steps.filter || steps.sort || steps.window)
        })
        .collect()
    }

    /// What a recording must hold for these steps; `None` for all.
    fn covering(&self, asked: Option<&FieldSelector>, steps: Steps) -> Option<FieldSelector> {
        let mut selector = asked?.clone();
        if let Some((_, Some(filter))) = self.filter.as_ref().filter(|_| steps.filter) {
            selector = selector.union(&filter.selector()?);
        }
        if let Some((_, Some(sort))) = self.sort.as_ref().filter(|_| steps.sort) {
            selector = selector.union(&sort.selector()?);
        }
        Some(selector)
    }
}

impl Steps {
    /// As the ledger calls them.
    fn names(self) -> Vec<String> {
        let all = [(self.filter, "filter"), (self.sort, "sort"), (self.window, "Range")];
        all.into_iter().filter(|(is_done, _)| *is_done).map(|(_, name)| name.to_owned()).collect()
    }
}

fn wrong(language: Language, text: &str, error: &ListError) -> Wrong {
    let cause = match error {
        ListError::Hidden { .. } => "filtered by what is redacted",
        ListError::Absent { .. } => "a member that the recording has not",
        ListError::Orderless { .. } => "an order that is not known",
        _ => return Wrong::Text(language, text.to_owned(), error.to_string()),
    };
    let fix = match error {
        ListError::Hidden { .. } => "record this request, or ask by the placeholder".to_owned(),
        ListError::Absent { .. } => format!("correct `{}`, or record this request", language.name()),
        _ => "record this request".to_owned(),
    };
    Wrong::Lacking(lacking(cause, format!("{error}: {fix}")))
}

/// A wrong text is refused as the endpoint refuses it; where no profile knows the endpoint, or the console was seen to take
/// such a text, nothing is made up.
fn refusal_of(material: &Material, endpoint: Option<&Endpoint>, wrong: Wrong) -> Computed {
    let (language, text, why) = match wrong {
        Wrong::Lacking(why) => return Computed::Lacking(why),
        Wrong::Text(language, text, why) => (language, text, why),
    };
    let unread = || {
        let help = format!(
            "`{}` is not understood here: {why}; correct it, or record this request",
            language.name()
        );
        Computed::Lacking(lacking(UNREADABLE, help))
    };
    let Some(endpoint) = endpoint else { return unread() };
    if was_taken(material, endpoint, language) {
        return unread();
    }
    let (response, rule, source) = refused_list(endpoint, language, &text, &why);
    let origin = Origin::Synthesised { rule, source: Source::as_str(source).to_owned() };
    Computed::Answer(Box::new(Answer::made(response, origin)))
}

/// Whether a recording shows that the console took a text of this language that is not understood here.
fn was_taken(material: &Material, endpoint: &Endpoint, language: Language) -> bool {
    let shape = material.shape_for(endpoint).element();
    let is_strange = |text: &str| match language {
        Language::Filter => Filter::parse_for(text, shape).is_err(),
        Language::Sort => Sort::parse_for(text, shape).is_err(),
    };
    material.cassette().interactions.iter().any(|it| {
        *it.endpoint == *endpoint.id
            && it.response.is_success()
            && it.request.param(language.name()).is_some_and(|text| is_strange(&text))
    })
}

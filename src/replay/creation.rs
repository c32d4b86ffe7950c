//! Creations: what a client creates comes back wherever that task or case is answered.
//!
//! A fresh one has an id of its own, and answers from what was recorded below the id that it was made after.

use percent_encoding::percent_decode_str;

use crate::cassette::Index;
use crate::json::{self, Json, quote};
use crate::message::{Request, Response};
use crate::profile::{Endpoint, Lifecycle};
use crate::seed::Stream;

use super::fresh::{self, put_word};
use super::material::Material;

/// A text that is so long is an id wherever it stands alone; a shorter one may be an ordinary word.
const WORD_MIN: usize = 8;

/// A task and its case, as this session's client made them.
#[derive(Clone, Debug)]
pub(super) struct Creation {
    /// The endpoint that polls the task.
    pub(super) task_endpoint: String,
    /// The member of the task with its id; the answer that made it may call it otherwise.
    task_member: String,
    /// The endpoint that gives the case.
    case_endpoint: Option<String>,
    case_list: Option<String>,
    /// Ids as recorded and as served, as JSON text.
    task_id: Renamed,
    case_id: Option<Renamed>,
    /// Members put in place: the request's own name for it, response names, JSON text.
    echoes: Vec<Echo>,
}

#[derive(Clone, Debug)]
struct Echo {
    response_members: Vec<String>,
    value: String,
}

#[derive(Clone, Debug)]
struct Renamed {
    member: String,
    recorded: Id,
    served: Id,
}

/// An id as it stands in JSON, and in a path: a text without its quotes.
#[derive(Clone, Debug, PartialEq)]
struct Id {
    json: String,
    text: String,
}

impl Id {
    fn of(value: &Json<'_>) -> Self {
        let json = value.text().to_owned();
        Self { text: value.as_str().map_or_else(|| json.clone(), str::to_owned), json }
    }

    fn number(number: i128) -> Self {
        Self { json: number.to_string(), text: number.to_string() }
    }

    fn text(text: String) -> Self {
        Self { json: quote(&text), text }
    }

    fn is_text(&self) -> bool {
        self.json.starts_with('"')
    }
}

impl Renamed {
    fn is_fresh(&self) -> bool {
        self.recorded != self.served
    }
}

/// What fresh ids are made from.
pub(super) struct Fresh<'f> {
    /// How many there were before, and one.
    pub(super) number: i128,
    pub(super) stream: Stream,
    /// What this session has created already.
    pub(super) made: &'f [Creation],
}

impl Creation {
    /// The thing that a recorded creation made, or a fresh one after it.
    pub(super) fn of(
        material: &Material,
        index: Index,
        (lifecycle, creator): (&Lifecycle, &Endpoint),
        body: Option<&Json<'_>>,
        mut fresh: Option<Fresh<'_>>,
    ) -> Option<Self> {
        let response = &material.cassette().interactions[index].response;
        let answer = Json::parse(response.text()?).ok()?;
        let named = &lifecycle.creator(&creator.id)?.id;
        let mut renamed = |member: &str, places: &[(&str, &str)]| {
            let id = answer.member(member)?;
            let recorded = Id::of(id);
            let served = match (&mut fresh, id.as_str()) {
                (None, _) => recorded.clone(),
                (Some(fresh), None) => Id::number(material.greatest(places).saturating_add(fresh.number)),
                (Some(fresh), Some(text)) => {
                    let made = fresh.made;
                    let is_taken = |drawn: &str| {
                        drawn == text || material.is_id(drawn) || made.iter().any(|one| one.has_id(drawn))
                    };
                    Id::text(fresh::text(text, &mut fresh.stream, is_taken))
                }
            };
            Some(Renamed { member: member.to_owned(), recorded, served })
        };
        let creators = lifecycle.creators.iter();
        let mut places: Vec<(&str, &str)> =
            creators.clone().map(|creator| (creator.endpoint.as_str(), creator.id.as_str())).collect();
        places.push((&lifecycle.task, &lifecycle.id));
        let task_id = renamed(named, &places)?;
        let case_id = lifecycle.case.as_deref().and_then(|member| {
            let mut places: Vec<(&str, &str)> =
                creators.map(|creator| (creator.endpoint.as_str(), member)).collect();
            places.push((&lifecycle.task, member));
            let items = lifecycle.case_item.iter().chain(&lifecycle.case_list);
            places.extend(items.map(|item| (item.as_str(), "id")));
            renamed(member, &places)
        });
        let echoes = lifecycle.echoes.iter().filter_map(|(sent, members)| {
            let value = body?.member(sent)?.text().to_owned();
            Some(Echo { response_members: members.clone(), value })
        });
        Some(Self {
            task_endpoint: lifecycle.task.clone(),
            task_member: lifecycle.id.clone(),
            case_endpoint: lifecycle.case_item.clone(),
            case_list: lifecycle.case_list.clone(),
            task_id,
            case_id,
            echoes: echoes.collect(),
        })
    }

    /// Bytes of the client's own that it holds.
    pub(super) fn weight(&self) -> usize {
        let ids = [Some(&self.task_id), self.case_id.as_ref()].into_iter().flatten();
        let ids: usize = ids.map(|id| 2 * (id.recorded.json.len() + id.served.json.len())).sum();
        ids + self.echoes.iter().map(|echo| echo.value.len()).sum::<usize>()
    }

    pub(super) fn is_fresh(&self) -> bool {
        self.task_id.is_fresh()
    }

    /// The id it goes by, if that is a fresh one.
    pub(super) fn scope(&self) -> Option<&str> {
        self.is_fresh().then_some(self.task_id.served.text.as_str())
    }

    fn has_id(&self, text: &str) -> bool {
        self.task_id.recorded.text == text || self.task_id.served.text == text
    }

    /// Whether something with this name was created.
    pub(super) fn is_called(&self, member: &str, name: &Json<'_>) -> bool {
        self.echoes.iter().any(|echo| {
            echo.response_members.iter().any(|known| known == member)
                && Json::parse(&echo.value).is_ok_and(|value| value.same(name))
        })
    }

    /// If `path` is that of this creation's task or case, or below it: the path it was recorded under.
    pub(super) fn recorded_path(&self, path: &str) -> Option<String> {
        let case = self.case_endpoint.as_deref().zip(self.case_id.as_ref());
        let mut ids = [Some((self.task_endpoint.as_str(), &self.task_id)), case].into_iter().flatten();
        ids.find_map(|(endpoint, id)| with_id(endpoint, path, &id.served.text, &id.recorded.text))
    }

    /// The request as it was recorded, if it is about this creation and that has a fresh id: in the path, or a long text
    /// anywhere.
    pub(super) fn recorded_request(&self, request: &Request) -> Option<Request> {
        if !self.is_fresh() {
            return None;
        }
        let mut target = self.recorded_path(request.path()).map(|path| match request.query() {
            Some(query) => format!("{path}?{query}"),
            None => path,
        });
        let mut body = None;
        if let Some((old, new)) = self.word() {
            target = put_word(target.as_deref().unwrap_or(&request.target), new, old).or(target);
            body = std::str::from_utf8(&request.body).ok().and_then(|body| put_word(body, new, old));
        }
        if target.is_none() && body.is_none() {
            return None;
        }
        let mut recorded = request.clone();
        recorded.target = target.unwrap_or(recorded.target);
        if let Some(body) = body {
            recorded.set_body(body);
        }
        Some(recorded)
    }

    /// A fresh id that is a long text, recorded and served.
    fn word(&self) -> Option<(&str, &str)> {
        let Renamed { recorded, served, .. } = &self.task_id;
        let is_word = self.is_fresh() && recorded.is_text() && recorded.text.len() >= WORD_MIN;
        is_word.then_some((recorded.text.as_str(), served.text.as_str()))
    }

    /// The fresh id in the place of the recorded one: in links, and in the body wherever it is told apart from other
    /// words.
    pub(super) fn rename(&self, response: &mut Response) {
        if !self.is_fresh() {
            return;
        }
        let Renamed { recorded, served, .. } = &self.task_id;
        let word = self.word();
        for line in response.headers.iter_mut().filter(|line| line.is("Location") || word.is_some()) {
            let value = std::str::from_utf8(&line.value).ok();
            if let Some(value) = value.and_then(|value| put_word(value, &recorded.text, &served.text)) {
                line.value = value.into();
            }
        }
        let Some(text) = response.text() else { return };
        let body = match word {
            Some((old, new)) => put_word(text, old, new),
            None => self.with_members_renamed(text),
        };
        if let Some(body) = body {
            response.set_body(body);
        }
    }

    /// A short text is an id where it is all that a member of the answer holds.
    fn with_members_renamed(&self, text: &str) -> Option<String> {
        let Renamed { recorded, served, .. } = &self.task_id;
        let body = Json::parse(text).ok().filter(|_| recorded.is_text())?;
        let same = body.members().iter().filter(|(_, value)| value.as_str() == Some(recorded.text.as_str()));
        let places: Vec<String> =
            same.map(|(name, _)| format!("/{}", name.replace('~', "~0").replace('/', "~1"))).collect();
        let edits: Vec<(&str, &str)> =
            places.iter().map(|place| (place.as_str(), served.json.as_str())).collect();
        (!edits.is_empty()).then(|| json::replace(text, &edits))
    }

    /// The answer with this creation's ids and members in place, if it is about its task, its case, or a list that
    /// holds its case. A response that says the same already keeps its bytes.
    pub(super) fn put_into(&self, endpoint: &str, created_by: Option<&str>, response: &mut Response) {
        let Some(text) = response.text() else { return };
        let Ok(body) = Json::parse(text) else { return };
        let mut edits: Vec<(String, String)> = Vec::new();
        if Some(endpoint) == created_by {
            self.edit_task(&body, &self.task_id.member, &mut edits);
            self.edit_links(&body, &mut edits);
        } else if endpoint == self.task_endpoint {
            self.edit_task(&body, &self.task_member, &mut edits);
        } else if Some(endpoint) == self.case_endpoint.as_deref() {
            self.edit_case(&body, "", &mut edits);
        } else if Some(endpoint) == self.case_list.as_deref() {
            if self.is_fresh() {
                return self.append_to(response);
            }
            for (place, element) in body.elements().iter().enumerate() {
                self.edit_case(element, &format!("/{place}"), &mut edits);
            }
        }
        if !edits.is_empty() {
            let edits: Vec<(&str, &str)> =
                edits.iter().map(|(at, value)| (at.as_str(), value.as_str())).collect();
            response.set_body(json::replace(text, &edits));
        }
    }

    /// A fresh case joins a list that holds the case it was made after. A window of a list (`Content-Range`) is left
    /// as recorded: what stood behind it is not known.
    fn append_to(&self, response: &mut Response) {
        if response.headers.has("Content-Range") {
            return;
        }
        let Some(text) = response.text() else { return };
        let Ok(body) = Json::parse(text) else { return };
        let Some(case) = &self.case_id else { return };
        let is_template =
            |element: &&Json<'_>| element.member("id").is_some_and(|id| id.text() == case.recorded.json);
        let Some(template) = body.elements().iter().find(is_template) else { return };
        let mut edits = Vec::new();
        self.edit_case(template, "", &mut edits);
        let edits: Vec<(&str, &str)> =
            edits.iter().map(|(at, value)| (at.as_str(), value.as_str())).collect();
        let fresh = json::replace(template.text(), &edits);
        if let Some(end) = text.rfind(']') {
            response.set_body(format!("{},{fresh}{}", text[..end].trim_end(), &text[end..]));
        }
    }

    fn edit_task(&self, body: &Json<'_>, id: &str, edits: &mut Vec<(String, String)>) {
        if body.member(id).is_none_or(|id| id.text() != self.task_id.recorded.json) {
            return;
        }
        put(body, "", id, &self.task_id.served.json, edits);
        if let Some(case) = &self.case_id {
            put(body, "", &case.member, &case.served.json, edits);
        }
        self.echo(body, "", edits);
    }

    /// Members that hold the address of the task.
    fn edit_links(&self, body: &Json<'_>, edits: &mut Vec<(String, String)>) {
        let Renamed { recorded, served, .. } = &self.task_id;
        for (name, value) in body.members() {
            let Some(text) = value.as_str().filter(|_| self.is_fresh()) else { continue };
            let Some(start) = text.find("/api/") else { continue };
            if let Some(path) = with_id(&self.task_endpoint, &text[start..], &recorded.text, &served.text) {
                let pointer = name.replace('~', "~0").replace('/', "~1");
                edits.push((format!("/{pointer}"), quote(&format!("{}{path}", &text[..start]))));
            }
        }
    }

    fn edit_case(&self, body: &Json<'_>, at: &str, edits: &mut Vec<(String, String)>) {
        let Some(case) = &self.case_id else { return };
        if body.member("id").is_some_and(|id| id.text() == case.recorded.json) {
            put(body, at, "id", &case.served.json, edits);
            self.echo(body, at, edits);
        }
    }

    fn echo(&self, body: &Json<'_>, at: &str, edits: &mut Vec<(String, String)>) {
        for echo in &self.echoes {
            for member in &echo.response_members {
                put(body, at, member, &echo.value, edits);
            }
        }
    }
}

/// Puts `value` in place of an existing member that says something else.
fn put(body: &Json<'_>, at: &str, member: &str, value: &str, edits: &mut Vec<(String, String)>) {
    let Some(there) = body.member(member) else { return };
    if !Json::parse(value).is_ok_and(|value| value.same(there)) {
        edits.push((format!("{at}/{member}"), value.to_owned()));
    }
}

/// `path` with `new` for the last parameter of an endpoint, if it is that endpoint's, or below it, and has `old` there.
fn with_id(endpoint: &str, path: &str, old: &str, new: &str) -> Option<String> {
    if !path.contains(old) && !path.contains('%') {
        return None;
    }
    let (_, template) = endpoint.split_once(' ')?;
    let template: Vec<&str> = template.split('/').skip(1).collect();
    let is_parameter = |segment: &&str| segment.starts_with('{');
    let id = template.iter().rposition(is_parameter)?;
    let decoded = |segment: &str| percent_decode_str(segment).decode_utf8_lossy().into_owned();
    let mut segments: Vec<&str> = path.strip_prefix("/api/")?.split('/').collect();
    let fits =
        template.iter().zip(&segments).take(id).all(|(expected, found)| {
            is_parameter(expected) || expected == found || decoded(found) == **expected
        });
    if !fits || decoded(segments.get(id)?) != old {
        return None;
    }
    *segments.get_mut(id)? = new;
    Some(format!("/api/{}", segments.join("/")))
}

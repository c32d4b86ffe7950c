//! Creations: what a client creates comes back wherever that task or case is answered.
//!
//! A creation is answered by the first that fits: an unserved recorded one with an equal body; a refusal by the
//! profile's rules; the first unserved recorded one that was accepted; a fresh task that walks the first recorded
//! task's path, with ids after the greatest recorded ones.

use crate::cassette::{Index, same_but_for_placeholders};
use crate::json::{self, Json};
use crate::message::{Request, Response};
use crate::profile::{Endpoint, Lifecycle};

use super::lookup::Cursors;
use super::material::Material;

/// A task and its case, as this session's client made them.
#[derive(Clone, Debug)]
pub(super) struct Creation {
    /// The endpoint that polls the task.
    pub(super) task_endpoint: String,
    /// The endpoint that gives the case.
    case_endpoint: Option<String>,
    case_list: Option<String>,
    /// Ids as recorded and as told, as JSON text.
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
    recorded: String,
    served: String,
}

/// How a creation is answered.
#[derive(Debug)]
pub(super) enum Made {
    /// From this recorded creation.
    Recorded { index: Index, creation: Option<Box<Creation>> },
    /// After this recorded creation, with fresh ids.
    Fresh { index: Index, creation: Box<Creation> },
    /// 422/1005, with the message.
    Refused(String),
    /// No recorded creation was ever accepted.
    Miss,
}

/// Decides how a creation is answered; marks what it consumes.
pub(super) fn make(
    material: &Material,
    cursors: &mut Cursors,
    made: &[Creation],
    endpoint: &Endpoint,
    lifecycle: &Lifecycle,
    request: &Request,
) -> Made {
    let recorded = material.creations(&endpoint.id);
    let accepted = |index: &Index| material.cassette().interactions[*index].response.is_success();
    let body = std::str::from_utf8(&request.body).ok().and_then(|text| Json::parse(text).ok());

    if let Some(index) = recorded
        .iter()
        .copied()
        .find(|index| !cursors.is_written(*index) && equal_body(material, *index, request))
    {
        let creation = accepted(&index)
            .then(|| Creation::of(material, index, lifecycle, body.as_ref(), None))
            .flatten()
            .map(Box::new);
        return Made::Recorded { index, creation };
    }
    if let Some(message) = body.as_ref().and_then(|body| refusal(lifecycle, body, made)) {
        return Made::Refused(message);
    }
    if let Some(index) = recorded.iter().copied().find(|index| accepted(index) && !cursors.is_written(*index))
    {
        let creation = Creation::of(material, index, lifecycle, body.as_ref(), None).map(Box::new);
        return Made::Recorded { index, creation };
    }
    let Some(index) = recorded.iter().copied().find(accepted) else { return Made::Miss };
    let fresh = made.iter().filter(|creation| creation.is_fresh()).count() as i128 + 1;
    match Creation::of(material, index, lifecycle, body.as_ref(), Some(fresh)) {
        Some(creation) => Made::Fresh { index, creation: Box::new(creation) },
        None => Made::Recorded { index, creation: None },
    }
}

fn equal_body(material: &Material, index: Index, request: &Request) -> bool {
    same_but_for_placeholders(&material.cassette().interactions[index].request, request)
}

fn refusal(lifecycle: &Lifecycle, body: &Json<'_>, made: &[Creation]) -> Option<String> {
    if let Some(message) = lifecycle.refuses(body) {
        return Some(message);
    }
    let name = body.member(lifecycle.name_member.as_deref()?)?;
    let taken = made.iter().flat_map(|creation| &creation.echoes).any(|echo| {
        echo.response_members.iter().any(|member| Some(member) == lifecycle.name_member.as_ref())
            && Json::parse(&echo.value).is_ok_and(|value| value.same(name))
    });
    taken.then(|| lifecycle.name_taken(name.as_str().unwrap_or_else(|| name.text())))
}

impl Creation {
    fn of(
        material: &Material,
        index: Index,
        lifecycle: &Lifecycle,
        body: Option<&Json<'_>>,
        fresh: Option<i128>,
    ) -> Option<Self> {
        let response = &material.cassette().interactions[index].response;
        let answer = Json::parse(response.text()?).ok()?;
        let renamed = |member: &str, endpoints: &[&str]| {
            let recorded = answer.member(member)?.text().to_owned();
            let served = match fresh {
                Some(n) => material.greatest(endpoints, member).saturating_add(n).to_string(),
                None => recorded.clone(),
            };
            Some(Renamed { member: member.to_owned(), recorded, served })
        };
        let tasks: Vec<&str> =
            std::iter::once(&lifecycle.task).chain(&lifecycle.created_by).map(String::as_str).collect();
        let task_id = renamed(&lifecycle.id, &tasks)?;
        let case_id = lifecycle.case.as_deref().and_then(|member| {
            let mut renamed = renamed(member, &tasks)?;
            if let Some(n) = fresh {
                let items: Vec<&str> =
                    lifecycle.case_item.iter().chain(&lifecycle.case_list).map(String::as_str).collect();
                let greatest = material.greatest(&tasks, member).max(material.greatest(&items, "id"));
                renamed.served = greatest.saturating_add(n).to_string();
            }
            Some(renamed)
        });
        let echoes = lifecycle.echoes.iter().filter_map(|(sent, members)| {
            let value = body?.member(sent)?.text().to_owned();
            Some(Echo { response_members: members.clone(), value })
        });
        Some(Self {
            task_endpoint: lifecycle.task.clone(),
            case_endpoint: lifecycle.case_item.clone(),
            case_list: lifecycle.case_list.clone(),
            task_id,
            case_id,
            echoes: echoes.collect(),
        })
    }

    /// Bytes of the client's own that it holds.
    pub(super) fn weight(&self) -> usize {
        self.echoes.iter().map(|echo| echo.value.len()).sum()
    }

    fn is_fresh(&self) -> bool {
        self.task_id.recorded != self.task_id.served
    }

    /// If `path` (with this endpoint) is about this creation's task or case: the path it was recorded under.
    pub(super) fn recorded_path(&self, endpoint: &str, path: &str) -> Option<String> {
        let id = if endpoint == self.task_endpoint {
            &self.task_id
        } else if Some(endpoint) == self.case_endpoint.as_deref() {
            self.case_id.as_ref()?
        } else {
            return None;
        };
        let (parent, last) = path.rsplit_once('/')?;
        (last == id.served).then(|| format!("{parent}/{}", id.recorded))
    }

    /// The answer with this creation's ids and members in place, if it is about its task, its case, or a list that
    /// holds its case. A response that says the same already keeps its bytes.
    pub(super) fn put_into(&self, endpoint: &str, created_by: Option<&str>, response: &mut Response) {
        let Some(text) = response.text() else { return };
        let Ok(body) = Json::parse(text) else { return };
        let mut edits: Vec<(String, String)> = Vec::new();
        if endpoint == self.task_endpoint || Some(endpoint) == created_by {
            self.edit_task(&body, &mut edits);
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
            |element: &&Json<'_>| element.member("id").is_some_and(|id| id.text() == case.recorded);
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

    fn edit_task(&self, body: &Json<'_>, edits: &mut Vec<(String, String)>) {
        let is_ours = body.member(&self.task_id.member).is_some_and(|id| id.text() == self.task_id.recorded);
        if !is_ours {
            return;
        }
        for renamed in std::iter::once(&self.task_id).chain(&self.case_id) {
            put(body, "", &renamed.member, &renamed.served, edits);
        }
        self.echo(body, "", edits);
    }

    fn edit_case(&self, body: &Json<'_>, at: &str, edits: &mut Vec<(String, String)>) {
        let Some(case) = &self.case_id else { return };
        if body.member("id").is_some_and(|id| id.text() == case.recorded) {
            put(body, at, "id", &case.served, edits);
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

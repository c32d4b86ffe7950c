//! What a case is answered from: a task that was generated, or a scenario's own cassette in the client's dialect.

use std::sync::Arc;

use form_urlencoded::byte_serialize;

use super::generate::plain_text;
use super::trial::Trial;
use crate::cassette::{Cassette, Interaction, RecordedFrom};
use crate::client::JobKind;
use crate::json::{Json, quote, rename_members, replace};
use crate::judge::about::About;
use crate::judge::case::Case;
use crate::message::{Request, Response};
use crate::profile::{Carrier, Endpoint, Key, Lifecycle, Parameter, ParameterKind, Profile, Taken};
use crate::replay::{Evidence, Material};
use crate::timeline::Phase;

/// The answers of a case that has a resource of its own, as a cassette in memory, of a console that takes what is
/// `taken`. `None` if it has none.
///
/// A resource is there to be got or sent, a list to be read; a task is there to be waited for: it is seen in each phase before it stands
/// as the case says. A creation makes it first.
pub(super) fn generated(case: &Case, taken: &Taken) -> Option<Evidence> {
    let resource = case.task.as_deref()?;
    let interactions = match case.job {
        JobKind::Get | JobKind::Send | JobKind::List => shown(case, resource)?,
        JobKind::Wait => polls(case, resource, &case.about.path(&case.params)),
        JobKind::Create => {
            let id = Json::parse(resource).ok().and_then(|task| id_of(&case.about, &task));
            let polls = polls(case, resource, &case.about.path_shown(&case.params, id.as_deref()));
            let first = polls.first()?.response.text()?.to_owned();
            let (before, after) = lists(case, resource).unzip();
            let made = std::iter::once(creation(case, &first)).chain(polls);
            before.into_iter().chain(made).chain(after).collect()
        }
    };
    let recorded_from = RecordedFrom { host: "console".to_owned(), ..RecordedFrom::default() };
    let cassette =
        Cassette { name: "generated".to_owned(), recorded_from, interactions, ..Cassette::default() };
    Some(Evidence::Cassette(Arc::new(Material::new(cassette, Profile::builtin()).beside(taken))))
}

/// The body of the answer of this interaction, as text.
pub(super) fn body_of(evidence: &Evidence, id: &str) -> Option<String> {
    let Evidence::Cassette(material) = evidence else { return None };
    let found = material.cassette().interactions.iter().find(|one| one.id == id)?;
    found.response.text().map(str::to_owned)
}

/// What the recordings that a client is judged with show their console to take: it holds for generated cases, too.
pub(super) fn taken(trials: &[Trial]) -> Taken {
    let mut all = Taken::default();
    for trial in trials {
        if let Some(Evidence::Cassette(material)) = &trial.evidence {
            all.join(material.taken());
        }
    }
    all
}

/// The resource's own id, as it stands in a path.
pub(super) fn id_of(about: &About, resource: &Json<'_>) -> Option<String> {
    let id = resource.member(about.id_member()?)?;
    Some(id.as_str().unwrap_or(id.text()).to_owned())
}

/// The resource, and what a case says of its answer.
fn shown(case: &Case, resource: &str) -> Option<Vec<Interaction>> {
    let path = case.about.path(&case.params);
    let whole = interaction(case, &path, resource, "generated");
    let Some(answer) = &case.answer else { return Some(vec![whole]) };
    let fields = case.selector().ok()?.map(|selector| selector.to_string()).unwrap_or_default();
    if fields.is_empty() {
        return Some(vec![interaction(case, &path, &answer.text, "altered")]);
    }
    let altered = match case.about.shows.fields_in {
        Some(Carrier::Header) => {
            let mut altered = interaction(case, &path, &answer.text, "altered");
            altered.request.headers.push("fields", fields);
            altered
        }
        _ => interaction(case, &format!("{path}?fields={}", encoded(&fields)), &answer.text, "altered"),
    };
    // The whole resource answers whoever asks for something else.
    Some(vec![altered, Interaction { by_recorder: true, ..whole }])
}

/// A task on its way to where it stands.
fn polls(case: &Case, task: &str, path: &str) -> Vec<Interaction> {
    let mut texts = Vec::new();
    if let (Ok(json), Some(life)) = (Json::parse(task), case.about.life)
        && let Some((member, last)) = life.state_of(&json)
    {
        let rank = life.phase(last).map_or(u8::MAX, Phase::rank);
        let before = [Phase::Waiting, Phase::Working, Phase::Partial].into_iter();
        let before = before.filter(|phase| phase.rank() < rank).filter_map(|phase| life.spelling(phase));
        for state in before {
            texts.push(replace(task, &[(&format!("/{member}"), &quote(state))]));
        }
    }
    texts.push(task.to_owned());
    (1..).zip(&texts).map(|(n, text)| interaction(case, path, text, &format!("poll-{n}"))).collect()
}

/// What the list of what is made shows before and after, where there is one: whoever loses the answer to a creation
/// looks there.
fn lists(case: &Case, task: &str) -> Option<(Interaction, Interaction)> {
    let (profile, life) = (Profile::builtin(), case.about.life?);
    let endpoint = profile.endpoint(life.case_list.as_deref()?)?;
    let task = Json::parse(task).ok()?;
    let id = life
        .case
        .as_deref()
        .and_then(|member| task.member(&spelt(&case.about, member.trim_start_matches('/'), &case.dialect)));
    let members = life.echoes.iter().flat_map(|(_, members)| members).chain(&life.name_member);
    let names: Vec<&str> = members.map(|member| member.trim_start_matches('/')).collect();
    let name = case.name.as_deref().unwrap_or_default();
    let mut made = plain_text(&endpoint.shape);
    for member in endpoint.shape.names() {
        let value = match member {
            "id" => id.map_or_else(|| "7".to_owned(), |id| id.text().to_owned()),
            member if names.contains(&member) => quote(name),
            _ => continue,
        };
        made = replace(&made, &[(&format!("/{member}"), &value)]);
    }
    let list = |id: &str, body: String| {
        let mut list = interaction(case, &endpoint.template, &body, id);
        list.endpoint = endpoint.id.as_str().into();
        endpoint.method.clone_into(&mut list.request.method);
        list
    };
    Some((list("listed-before", "[]".to_owned()), list("listed-after", format!("[{made}]"))))
}

/// The case's creation, answered with a task. What tells it from others carries the case's name.
fn creation(case: &Case, task: &str) -> Interaction {
    let (about, name) = (&case.about, case.name.as_deref().unwrap_or_default());
    let mut target = about.path(&case.params);
    let mut body = Vec::new();
    let first = |life: &'static Lifecycle| match &life.key {
        Key::Members(names) => names.first(),
        Key::Whole => None,
    };
    for member in about.life.iter().flat_map(|life| life.name_member.iter().chain(first(life))) {
        let is_in_query = |known: &Parameter| known.kind == ParameterKind::Query && known.name == *member;
        if about.asks.parameters.iter().any(is_in_query) {
            let mark = if target.contains('?') { '&' } else { '?' };
            target.push_str(&format!("{mark}{member}={}", encoded(name)));
        } else {
            body.push(format!("{}:{}", quote(member), quote(name)));
        }
    }
    let mut creation = interaction(case, &target, task, "created");
    creation.endpoint = about.asks.id.as_str().into();
    about.asks.method.clone_into(&mut creation.request.method);
    creation.request.body =
        if body.is_empty() { String::new() } else { format!("{{{}}}", body.join(",")) }.into();
    creation.response = Response::json(201, task.to_owned());
    creation
}

fn encoded(text: &str) -> String {
    byte_serialize(text.as_bytes()).collect()
}

/// `path` is without `/api`.
fn interaction(case: &Case, path: &str, body: &str, id: &str) -> Interaction {
    let shows = case.about.shows;
    let mut request = Request::new(&shows.method, &format!("/api{path}")).with("SEC", "fd-secret-1");
    if case.job == JobKind::Send {
        request.body = case.body.clone().unwrap_or_default().into();
    }
    let status = shows.success.iter().copied().find(|status| *status != 204).unwrap_or(200);
    Interaction {
        id: id.to_owned(),
        endpoint: shows.id.as_str().into(),
        request,
        response: Response::json(status, body.to_owned()),
        by_recorder: false,
        moment: 0,
        notes: Vec::new(),
    }
}

/// What a scenario's cassette says about what clients are asked for.
#[derive(Clone, Debug, Default)]
pub(super) struct Subject {
    /// Names and values of the parameters of the first path asked; none if it is not asked at all.
    pub(super) params: Option<Vec<(String, String)>>,
    /// The first whole answer about it, as text.
    pub(super) task: Option<String>,
    /// The name of the first case created in it.
    pub(super) name: Option<String>,
}

/// Reads the subject out of what a scenario is answered from. A console in a cassette's place has none: its tasks
/// begin with a creation.
pub(super) fn subject(evidence: &Evidence, about: &About) -> Subject {
    let Evidence::Cassette(material) = evidence else { return Subject::default() };
    let interactions = &material.cassette().interactions;
    let of = |endpoint: &'static Endpoint| interactions.iter().filter(|one| *one.endpoint == *endpoint.id);
    let params = of(about.asks).find_map(|one| about.values(one.request.path()));
    let task = of(about.shows)
        .filter(|poll| poll.response.is_success() && poll.request.query().is_none())
        .find_map(|poll| poll.response.text().map(str::to_owned));
    let name = of(about.asks).filter(|one| one.response.is_success()).find_map(|one| {
        let json = Json::parse_bytes(&one.request.body).ok()?;
        about.life?.name_in(&json).map(str::to_owned)
    });
    Subject { params, task, name }
}

/// The dialect the task is spelt in.
pub(super) fn dialect_of(about: &About, task: &str) -> String {
    let Ok(json) = Json::parse(task) else { return "sample".to_owned() };
    let speaks = |renames: &[(String, String)]| {
        renames.iter().any(|(from, to)| json.member(to).is_some() && json.member(from).is_none())
    };
    let mut dialects = about.life.iter().flat_map(|life| &life.dialects);
    dialects.find(|(_, renames)| speaks(renames)).map_or("sample", |(name, _)| name).to_owned()
}

/// The same evidence with the resource spelt in `dialect`. Whatever is spelt so already, or cannot be, stays.
pub(super) fn in_dialect(evidence: &Evidence, about: &About, dialect: &str) -> Evidence {
    let Evidence::Cassette(material) = evidence else { return evidence.clone() };
    let spelt =
        subject(evidence, about).task.map_or_else(|| "sample".to_owned(), |task| dialect_of(about, &task));
    let Some(renames) = renames(about, &spelt, dialect) else { return evidence.clone() };
    let mut cassette = material.cassette().clone();
    for one in &mut cassette.interactions {
        let creates = about.life.is_some_and(|life| life.creator(&one.endpoint).is_some());
        let is_task = *one.endpoint == *about.shows.id || creates;
        if !is_task || !one.response.is_success() {
            continue;
        }
        if let Some(text) = one.response.text() {
            let renames: Vec<(&str, &str)> = renames.iter().map(|(a, b)| (a.as_str(), b.as_str())).collect();
            let renamed = rename_members(text, &renames);
            one.response.set_body(renamed);
        }
    }
    Evidence::Cassette(Arc::new(Material::new(cassette, Profile::builtin())))
}

/// How members spelt in one dialect are spelt in another; `None` if nothing is to be done.
fn renames(about: &About, from: &str, to: &str) -> Option<Vec<(String, String)>> {
    if from == to {
        return None;
    }
    let back: Vec<(String, String)> =
        about.renames(from)?.iter().map(|(sample, other)| (other.clone(), sample.clone())).collect();
    let onwards = about.renames(to)?;
    Some(if back.is_empty() { onwards.to_vec() } else { back })
}

/// A member of the sample as this dialect spells it.
pub(super) fn spelt(about: &About, member: &str, dialect: &str) -> String {
    let renames = about.renames(dialect).unwrap_or(&[]);
    renames.iter().find(|(from, _)| from == member).map_or(member, |(_, to)| to).to_owned()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::judge::sample;
    use crate::redact::Redactor;
    use crate::replay::{Auth, Clock, Outside, Replay, Setup};
    use crate::seed::Seed;

    #[test]
    fn a_generated_case_takes_what_the_recordings_show_to_be_taken() {
        let older = |request: Request| request.with("Version", "6.0");
        let case = Case { task: Some(r#"{"id":42,"state":"COMPLETE"}"#.to_owned()), ..sample::get(None) };
        let recorded = interaction(&case, "/siem/offenses", "[]", "recorded");
        let endpoint = "GET /siem/offenses".into();
        let recorded = Interaction { endpoint, request: older(recorded.request), ..recorded };
        let recorded_from = RecordedFrom { host: "console".to_owned(), ..RecordedFrom::default() };
        let cassette = Cassette {
            name: "old".to_owned(),
            recorded_from,
            interactions: vec![recorded],
            ..Cassette::default()
        };
        let old = Material::new(cassette, Profile::builtin());
        let status = |taken: &Taken| {
            let evidence = generated(&case, taken).unwrap();
            let setup = Setup {
                evidence,
                scenario: None,
                profile: Profile::builtin(),
                seed: Seed(1),
                auth: Auth::Required,
                outside: Outside::Page,
                redactor: Redactor::new(),
                verb: "judge".to_owned(),
                session: "case".to_owned(),
                clock: Clock::default(),
            };
            let asked = older(Request::new("GET", sample::PATH).with("SEC", "any"));
            Replay::new(setup).decide(asked, Duration::ZERO).0.response.status
        };
        assert_eq!((status(Taken::nothing()), status(old.taken())), (422, 200));
    }

    #[test]
    fn a_task_is_seen_in_each_phase_before_the_one_it_comes_to_and_in_none_behind_it() {
        for (last, seen) in [
            ("WAITING", &["WAITING"][..]),
            ("PROCESSING", &["WAITING", "PROCESSING"]),
            ("PARTIALLY_COMPLETE", &["WAITING", "PROCESSING", "PARTIALLY_COMPLETE"]),
            ("COMPLETE", &["WAITING", "PROCESSING", "PARTIALLY_COMPLETE", "COMPLETE"]),
        ] {
            let task = format!(r#"{{"id":42,"state":"{last}"}}"#);
            let polls = polls(&sample::wait(None), &task, sample::PATH);
            let text = |poll: &Interaction| poll.response.text().unwrap_or_default().to_owned();
            let states: Vec<String> = (polls.iter())
                .map(|poll| {
                    Json::parse(&text(poll)).unwrap().member("state").unwrap().as_str().unwrap().to_owned()
                })
                .collect();
            assert_eq!(states, seen);
        }
    }
}

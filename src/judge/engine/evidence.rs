//! What a case is answered from: a task that was generated, or a scenario's own cassette in the client's dialect.

use std::sync::Arc;

use form_urlencoded::byte_serialize;

use super::trial::Trial;
use crate::cassette::{Cassette, Interaction, RecordedFrom};
use crate::json::{Json, quote, rename_members};
use crate::judge::case::Case;
use crate::judge::wire;
use crate::message::{Request, Response};
use crate::profile::{Profile, Taken};
use crate::replay::{Evidence, Material};

/// The path of the task with this id.
fn task_path(id: &str) -> String {
    let template = wire::TASK.trim_start_matches("GET ");
    format!("/api{}", template.replace("{id}", id))
}

/// The answers of a generated case, as a cassette in memory, of a console that takes what is `taken`. `None` if the case
/// has no task of its own.
pub(super) fn generated(case: &Case, taken: &Taken) -> Option<Evidence> {
    let task = case.task.as_deref()?;
    let id = Json::parse(task).ok()?.member(&wire::life().id)?.text().to_owned();
    let whole = interaction(&task_path(&id), task, "generated");
    let interactions = match &case.answer {
        None => vec![whole],
        Some(answer) => {
            let fields = case.selector().ok()?.map(|selector| selector.to_string()).unwrap_or_default();
            let query =
                if fields.is_empty() { String::new() } else { format!("?fields={}", encoded(&fields)) };
            let altered = interaction(&format!("{}{query}", task_path(&id)), &answer.text, "altered");
            // The whole task answers whoever asks for something else.
            let lent = Interaction { by_recorder: true, ..whole };
            if query.is_empty() { vec![altered] } else { vec![altered, lent] }
        }
    };
    let recorded_from = RecordedFrom { host: "console".to_owned(), ..RecordedFrom::default() };
    let cassette = Cassette { name: "generated".to_owned(), recorded_from, interactions };
    Some(Evidence::Cassette(Arc::new(Material::new(cassette, Profile::builtin()).beside(taken))))
}

/// The answers of a creation: the case is made, and its task is done at once.
pub(super) fn created(name: &str, task: &str, taken: &Taken) -> Evidence {
    let id = Json::parse(task).ok().and_then(|task| Some(task.member(&wire::life().id)?.text().to_owned()));
    let created_by = wire::life().created_by.as_deref().unwrap_or_default();
    let mut creation =
        interaction(&format!("/api{}", created_by.trim_start_matches("POST ")), task, "created");
    created_by.clone_into(&mut creation.endpoint);
    "POST".clone_into(&mut creation.request.method);
    creation.request.body = format!(r#"{{"assigned_to":[],"name":{}}}"#, quote(name)).into();
    creation.response = Response::json(201, task.to_owned());
    let poll = interaction(&task_path(&id.unwrap_or_default()), task, "done");
    let recorded_from = RecordedFrom { host: "console".to_owned(), ..RecordedFrom::default() };
    let cassette = Cassette { name: "clean".to_owned(), recorded_from, interactions: vec![creation, poll] };
    Evidence::Cassette(Arc::new(Material::new(cassette, Profile::builtin()).beside(taken)))
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

fn encoded(text: &str) -> String {
    byte_serialize(text.as_bytes()).collect()
}

fn interaction(target: &str, body: &str, id: &str) -> Interaction {
    Interaction {
        id: id.to_owned(),
        endpoint: wire::TASK.to_owned(),
        request: Request::new("GET", target).with("SEC", "fd-secret-1"),
        response: Response::json(200, body.to_owned()),
        by_recorder: false,
        moment: 0,
        notes: Vec::new(),
    }
}

/// What a scenario's cassette says about the task that clients are asked about.
#[derive(Clone, Debug, Default)]
pub(super) struct Subject {
    /// The id of the first task in it.
    pub(super) id: Option<String>,
    /// The first whole answer about it, as text.
    pub(super) task: Option<String>,
    /// The name of the first case created in it.
    pub(super) name: Option<String>,
}

/// Reads the subject out of what a scenario is answered from. A console in a cassette's place has none: its tasks
/// begin with a creation.
pub(super) fn subject(evidence: &Evidence) -> Subject {
    let Evidence::Cassette(material) = evidence else { return Subject::default() };
    let interactions = &material.cassette().interactions;
    let polls = || interactions.iter().filter(|one| one.endpoint == wire::TASK);
    let id = polls().find_map(|poll| Some(wire::decode(poll.request.path().rsplit('/').next()?)));
    let task = polls()
        .filter(|poll| poll.response.is_success() && poll.request.query().is_none())
        .find_map(|poll| poll.response.text().map(str::to_owned));
    let created_by = wire::life().created_by.as_deref();
    let name = (interactions.iter().filter(|one| Some(one.endpoint.as_str()) == created_by))
        .filter(|one| one.response.is_success())
        .find_map(|one| {
            let json = Json::parse_bytes(&one.request.body).ok()?;
            wire::life().name_in(&json).map(str::to_owned)
        });
    Subject { id, task, name }
}

/// The dialect the task is spelt in.
pub(super) fn dialect_of(task: &str) -> String {
    let Ok(json) = Json::parse(task) else { return "sample".to_owned() };
    let speaks = |renames: &[(String, String)]| {
        renames.iter().any(|(from, to)| json.member(to).is_some() && json.member(from).is_none())
    };
    let dialect = wire::life().dialects.iter().find(|(_, renames)| speaks(renames));
    dialect.map_or("sample", |(name, _)| name).to_owned()
}

/// The same evidence with the task spelt in `dialect`. Whatever is spelt so already, or cannot be, stays.
pub(super) fn in_dialect(evidence: &Evidence, dialect: &str) -> Evidence {
    let Evidence::Cassette(material) = evidence else { return evidence.clone() };
    let spelt = subject(evidence).task.map_or_else(|| "sample".to_owned(), |task| dialect_of(&task));
    let Some(renames) = renames(&spelt, dialect) else { return evidence.clone() };
    let mut cassette = material.cassette().clone();
    let created_by = wire::life().created_by.as_deref();
    for one in &mut cassette.interactions {
        let is_task = one.endpoint == wire::TASK || Some(one.endpoint.as_str()) == created_by;
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
fn renames(from: &str, to: &str) -> Option<Vec<(String, String)>> {
    if from == to {
        return None;
    }
    let back: Vec<(String, String)> =
        wire::life().renames(from)?.iter().map(|(sample, other)| (other.clone(), sample.clone())).collect();
    let onwards = wire::life().renames(to)?;
    Some(if back.is_empty() { onwards.to_vec() } else { back })
}

/// A member of the sample as this dialect spells it.
pub(super) fn spelt(member: &str, dialect: &str) -> String {
    let renames = wire::life().renames(dialect).unwrap_or(&[]);
    renames.iter().find(|(from, _)| from == member).map_or(member, |(_, to)| to).to_owned()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::judge::sample;
    use crate::redact::Redactor;
    use crate::replay::{Auth, Outside, Replay, Setup};
    use crate::seed::Seed;

    #[test]
    fn a_generated_case_takes_what_the_recordings_show_to_be_taken() {
        let older = |request: Request| request.with("Version", "6.0");
        let recorded = interaction("/api/siem/offenses", "[]", "recorded");
        let recorded = Interaction { request: older(recorded.request), ..recorded };
        let recorded_from = RecordedFrom { host: "console".to_owned(), ..RecordedFrom::default() };
        let cassette = Cassette { name: "old".to_owned(), recorded_from, interactions: vec![recorded] };
        let old = Material::new(cassette, Profile::builtin());
        let case = Case { task: Some(r#"{"id":42,"state":"COMPLETE"}"#.to_owned()), ..sample::get(None) };
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
            };
            let asked = older(Request::new("GET", &task_path("42")).with("SEC", "any"));
            Replay::new(setup).decide(asked, Duration::ZERO).0.response.status
        };
        assert_eq!((status(Taken::nothing()), status(old.taken())), (422, 200));
    }
}

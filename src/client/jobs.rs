//! `jobs` of a client file: which jobs there are, and which endpoint each is about.
//!
//! `jobs = ["get", "wait"]` asks the usual endpoints; `[jobs.get]` names another.

use super::JobKind;
use crate::json::Json;
use crate::profile::{Carrier, Endpoint, Key, NameError, ParameterKind, Profile};
use crate::spelling::nearest;
use crate::written::read::{Entry, Read, every};

/// A job and the endpoint it asks first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Asks {
    pub(super) job: JobKind,
    /// Its full id.
    pub(super) endpoint: String,
    /// What `send` sends.
    pub(super) body: Option<String>,
}

/// How jobs are written.
pub(super) const HELP: &str = "write jobs = [\"get\", \"wait\"], or [jobs.get] with an endpoint of its own";

/// The jobs, each once, with what they ask.
pub(super) fn read(entry: &Entry<'_>) -> Read<Vec<Asks>> {
    let mut asks = match (entry.value().as_table(), entry.value().is_array()) {
        (Some(_), _) => of_tables(entry)?,
        (None, true) => of_words(entry)?,
        (None, false) => {
            let wanted = "a list of jobs, or a table for each of them";
            return Err(entry.wrong_kind(wanted, Some(HELP.to_owned())));
        }
    };
    asks.sort_by_key(|asks| asks.job);
    asks.dedup_by_key(|asks| asks.job);
    if asks.is_empty() {
        let help = "name at least one of get, wait, create".to_owned();
        return Err(entry.fail_without("a client without jobs cannot be judged", "here", Some(help)));
    }
    Ok(asks)
}

fn of_words(entry: &Entry<'_>) -> Read<Vec<Asks>> {
    let words = JobKind::ALL.map(|job| (job.as_str(), job));
    let jobs = every(entry.items(HELP)?.iter().map(|item| item.word(&words)))?;
    every(jobs.into_iter().map(|job| Ok(Asks { job, endpoint: usual(job, entry)?, body: None })))
}

fn of_tables(entry: &Entry<'_>) -> Read<Vec<Asks>> {
    let table = entry.table("`[jobs]`", &JobKind::ALL.map(JobKind::as_str), HELP)?;
    let asks = JobKind::ALL.map(|job| table.read(job.as_str(), |written| asked(job, written, entry)));
    Ok(every(asks)?.into_iter().flatten().collect())
}

fn asked(job: JobKind, written: &Entry<'_>, all: &Entry<'_>) -> Read<Asks> {
    let what = format!("`[jobs.{job}]`");
    let keys = written.table(&what, &["endpoint", "body"], HELP)?;
    let body = keys.read("body", |body| body_of(job, body));
    let endpoint = match keys.get("endpoint") {
        None => usual(job, all),
        Some(named) => named.text("").and_then(|name| {
            endpoint_of(job, name).map_err(|(message, help)| named.fail(message, "here", Some(help)))
        }),
    };
    Ok(Asks { job, endpoint: endpoint?, body: body? })
}

/// What a job asks if its file does not say.
fn usual(job: JobKind, all: &Entry<'_>) -> Read<String> {
    job.usual_endpoint().map(str::to_owned).ok_or_else(|| {
        let example = match job {
            JobKind::List => "GET /...\", a list that takes `Range`",
            _ => "POST /...\", a write that takes `fields`",
        };
        let help = format!("write [jobs.{job}] and below it endpoint = \"{example}");
        all.fail_without(format!("the job `{job}` needs an endpoint"), "here", Some(help))
    })
}

fn body_of(job: JobKind, body: &Entry<'_>) -> Read<String> {
    let wrong = |message: String, help: &str| body.fail(message, "here", Some(help.to_owned()));
    if job != JobKind::Send {
        return Err(wrong(format!("the job `{job}` has no body"), "only [jobs.send] has one; leave it out"));
    }
    let text = body.text("")?;
    match Json::parse(text) {
        Ok(_) => Ok(text.to_owned()),
        Err(error) => {
            Err(wrong(format!("`body` is not JSON: {error}"), "write what the client sends, as JSON text"))
        }
    }
}

/// The full id of an endpoint that this job can be about; else what is wrong and what to do.
fn endpoint_of(job: JobKind, name: &str) -> Result<String, (String, String)> {
    let profile = Profile::builtin();
    let endpoint = profile.by_name(name).map_err(|error| {
        let help = match &error {
            NameError::Unknown { nearest, .. } if nearest.is_empty() => {
                "write it as the API's pages do: GET /siem/offenses/{offense_id}".to_owned()
            }
            NameError::Unknown { nearest, .. } => quoted(nearest.iter().map(String::as_str)),
            NameError::Ambiguous { full, .. } => quoted(full.iter().map(String::as_str)),
        };
        (format!("no endpoint can be told by `{name}`"), help)
    })?;
    match unfit(job, endpoint) {
        None => Ok(endpoint.id.clone()),
        Some(why) => {
            let fitting = profile.endpoints().filter(|each| unfit(job, each).is_none());
            let near = nearest(&endpoint.id, fitting.map(|each| each.id.as_str()));
            Err((format!("`{}` {why}", endpoint.id), quoted(near.into_iter())))
        }
    }
}

fn quoted<'n>(names: impl Iterator<Item = &'n str>) -> String {
    let names: Vec<String> = names.map(|name| format!("`{name}`")).collect();
    if names.is_empty() {
        "name another endpoint".to_owned()
    } else {
        format!("did you mean {}?", names.join(" or "))
    }
}

/// Why a job cannot be about this endpoint, to follow its name.
fn unfit(job: JobKind, endpoint: &Endpoint) -> Option<String> {
    let profile = Profile::builtin();
    let needs = endpoint.parameters.iter().find(|parameter| {
        parameter.required && matches!(parameter.kind, ParameterKind::Query | ParameterKind::Header)
    });
    match job {
        JobKind::Get | JobKind::List if endpoint.method != "GET" => Some("is no GET".to_owned()),
        JobKind::List if !endpoint.is_list => Some("answers with no list".to_owned()),
        JobKind::List if !endpoint.takes_range() => Some("takes no `Range`".to_owned()),
        JobKind::Get if endpoint.fields_in.is_none() => Some("takes no `fields`".to_owned()),
        JobKind::Send if endpoint.method == "GET" => Some("is no write".to_owned()),
        JobKind::Send if endpoint.fields_in != Some(Carrier::Header) => {
            Some("takes no `fields` in a header".to_owned())
        }
        JobKind::Wait if profile.task_of(&endpoint.id).is_none() => {
            Some("polls no task of a life cycle that is known".to_owned())
        }
        JobKind::Create if profile.created_by(&endpoint.id).is_none() => {
            Some("makes no task of a life cycle that is known".to_owned())
        }
        JobKind::Create => {
            let life = profile.created_by(&endpoint.id)?;
            let sends_more = endpoint.body().is_some() || needs.is_some();
            (life.key == Key::Whole && sends_more)
                .then(|| "makes what its body or query says, for which no value can be made up".to_owned())
        }
        JobKind::Get | JobKind::Wait | JobKind::Send if endpoint.shape.names().is_empty() => {
            Some("has no members to ask for".to_owned())
        }
        JobKind::Get | JobKind::Wait | JobKind::Send | JobKind::List => needs.map(|parameter| {
            format!("needs the parameter `{}`, for which no value can be made up", parameter.name)
        }),
    }
}

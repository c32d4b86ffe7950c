//! `jobs` of a client file: which jobs there are, and which endpoint each is about.
//!
//! `jobs = ["get", "wait"]` asks the usual endpoints; `[jobs.get]` names another.

use std::fmt;
use std::ops::Range;

use serde::Deserialize;
use serde::de::{self, MapAccess, SeqAccess, Visitor};
use toml::Spanned;

use super::JobKind;
use crate::json::Json;
use crate::profile::{Carrier, Endpoint, Key, NameError, ParameterKind, Profile};
use crate::spelling::nearest;

/// A job and the endpoint it asks first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Asks {
    pub(super) job: JobKind,
    /// Its full id.
    pub(super) endpoint: String,
    /// What `send` sends.
    pub(super) body: Option<String>,
}

/// A mistake, its place, and what to write instead.
pub(super) struct Wrong {
    pub(super) at: Range<usize>,
    pub(super) message: String,
    pub(super) help: String,
}

/// As written: a list of jobs, or a table of them.
pub(super) struct RawJobs(Vec<(JobKind, RawJob)>);

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawJob {
    endpoint: Option<Spanned<String>>,
    body: Option<Spanned<String>>,
}

impl<'de> Deserialize<'de> for RawJobs {
    fn deserialize<D: de::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Either;
        impl<'de> Visitor<'de> for Either {
            type Value = RawJobs;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a list of jobs, or a table for each of them")
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<RawJobs, A::Error> {
                let mut jobs = Vec::new();
                while let Some(job) = list.next_element()? {
                    jobs.push((job, RawJob::default()));
                }
                Ok(RawJobs(jobs))
            }
            fn visit_map<A: MapAccess<'de>>(self, mut tables: A) -> Result<RawJobs, A::Error> {
                let mut jobs = Vec::new();
                while let Some(entry) = tables.next_entry()? {
                    jobs.push(entry);
                }
                Ok(RawJobs(jobs))
            }
        }
        deserializer.deserialize_any(Either)
    }
}

/// The jobs in their order, each once, with what they ask.
pub(super) fn checked(raw: &Spanned<RawJobs>) -> Result<Vec<Asks>, Wrong> {
    let mut asks: Vec<Asks> = Vec::new();
    for (job, written) in &raw.get_ref().0 {
        if !asks.iter().any(|known| known.job == *job) {
            asks.push(asked(*job, written, raw.span())?);
        }
    }
    asks.sort_by_key(|asks| asks.job);
    if asks.is_empty() {
        let (message, help) =
            ("a client without jobs cannot be judged", "name at least one of get, wait, create");
        return Err(Wrong { at: raw.span(), message: message.to_owned(), help: help.to_owned() });
    }
    Ok(asks)
}

fn asked(job: JobKind, written: &RawJob, all: Range<usize>) -> Result<Asks, Wrong> {
    let body = written.body.as_ref().map(|body| body_of(job, body)).transpose()?;
    let Some(named) = &written.endpoint else {
        let usual = job.usual_endpoint().ok_or_else(|| Wrong {
            at: all,
            message: format!("the job `{job}` needs an endpoint"),
            help: format!(
                "write [jobs.{job}] and below it endpoint = \"POST /...\", a write that takes `fields`"
            ),
        })?;
        return Ok(Asks { job, endpoint: usual.to_owned(), body });
    };
    let wrong = |(message, help)| Wrong { at: named.span(), message, help };
    let endpoint = endpoint_of(job, named.get_ref()).map_err(wrong)?;
    Ok(Asks { job, endpoint, body })
}

fn body_of(job: JobKind, body: &Spanned<String>) -> Result<String, Wrong> {
    let wrong = |message: String, help: &str| Wrong { at: body.span(), message, help: help.to_owned() };
    if job != JobKind::Send {
        return Err(wrong(format!("the job `{job}` has no body"), "only [jobs.send] has one; leave it out"));
    }
    match Json::parse(body.get_ref()) {
        Ok(_) => Ok(body.get_ref().clone()),
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
        JobKind::Get if endpoint.method != "GET" => Some("is no GET".to_owned()),
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
        JobKind::Get | JobKind::Wait | JobKind::Send => needs.map(|parameter| {
            format!("needs the parameter `{}`, for which no value can be made up", parameter.name)
        }),
    }
}

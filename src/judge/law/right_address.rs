//! `right-address`: every request goes where the API says, with a credential where the console looks for one.

use super::{Needs, Property};
use crate::client::JobKind;
use crate::json::Json;
use crate::judge::case::{Case, Run};
use crate::judge::near_miss;
use crate::judge::verdict::Verdict;
use crate::judge::wire::{self, Suite};
use crate::ledger::{Exchange, Origin};
use crate::profile::{Matched, Parameter, ParameterKind, Profile};

pub(super) static PROPERTY: Property = Property {
    id: "right-address",
    summary: "Every request goes to a documented address: /api once, the id in the path, the right method, a credential \
              in a header.",
    long: "\
A request goes to `/api/...`, with `/api` exactly once and no empty segment; the id stands in the path and nowhere \
else, exactly as it was given; the method is one the endpoint documents; `SEC` (or Basic, or the session's cookie) is \
there; and no credential ever stands in the URL, where proxies and histories keep it.

A request in a version that the console refuses (422) asks for nothing; with another version, or none, it would be answered.

Broken by: `/api/api/...` from a base URL that already had it; a forgotten `/api` (the console answers 200 with an \
HTML page); a trailing slash, as frameworks add one; two slashes in a row, from gluing texts; a slash sent as `%2F`, \
from encoding a whole path in place of its segments. That holds for every path that the API documents, and a path that \
is like none of them, or that a console has outside `/api` (`/auth/logout`), is not judged. The path that the job is about \
with a slip in it, if the right one is never asked: a name misspelt by a few letters (`case_create_task/42`), in another \
case, or left out; the id in the query and not in the path. Further: `?id=42` beside the path; an id rounded to a float; the case's id polled in place of the task's; a token \
as a query parameter; a missing credential; a dead `Version` with each request (that consoles refuse unknown and old \
ones was seen; which old ones are gone by now is inferred, and a recording that was made with one speaks for it).

Not broken by: other requests to unknown paths beside the right one; asking again in another version; a first request without a credential that is repeated with one after the 401; a missing `Version` \
header, which is advice only, unless the client's file says that it sends one.",
    jobs: &JobKind::ALL,
    along: &[],
    report: Needs::Nothing,
    generated: true,
    story: None,
    variants: None,
    everywhere: false,
    limits: &[],
    judge,
    in_a_suite: Some(wrongly_addressed),
};

/// Methods a console knows.
const METHODS: [&str; 5] = ["GET", "POST", "PUT", "PATCH", "DELETE"];

fn judge(runs: &[Run]) -> Verdict {
    let Some(run) = runs.first() else { return Verdict::not_reached("no run") };
    if let Some(why) = run.vacuous() {
        return Verdict::not_reached(why);
    }
    let wrong = first_wrong(run.exchanges.iter().collect::<Vec<_>>().as_slice());
    let wrong = wrong
        .or_else(|| against_the_job(run))
        .or_else(|| near_miss::missed(run))
        .or_else(|| dead_version(run));
    if let Some((wrong, why)) = wrong {
        return violated(run, wrong, &why);
    }
    let unversioned =
        run.exchanges.iter().position(|exchange| wire::headers(exchange, "Version").next().is_none());
    match unversioned {
        Some(index) if run.claims.sends_version => {
            violated(run, index, "its file says that it sends `Version`, and this request has none")
        }
        Some(_) => Verdict::Held(vec![
            "it sends no `Version` header: a console then answers in its latest version, whichever that is"
                .into(),
        ]),
        None => Verdict::held(),
    }
}

fn violated(run: &Run, wrong: usize, why: &str) -> Verdict {
    let mut evidence = vec![format!("told:     {}", run.case.task_line())];
    if let Some(exchange) = run.exchanges.get(wrong) {
        evidence.push(format!("sent:     {}", wire::sent_line(exchange)));
        evidence.push(format!("got:      {}", wire::got_line(exchange)));
    }
    evidence.push(format!("wrong:    {why}"));
    evidence.push(format!("reported: {}", run.reported_line()));
    Verdict::violated(why.to_owned(), evidence)
}

fn wrongly_addressed(suite: &Suite<'_>) -> Option<(usize, String)> {
    first_wrong(&suite.exchanges)
}

/// The first request that is wrong whatever the client was told: its place and what is wrong.
fn first_wrong(exchanges: &[&Exchange]) -> Option<(usize, String)> {
    exchanges.iter().enumerate().find_map(|(index, exchange)| {
        let later = exchanges.get(index + 1..).unwrap_or(&[]);
        let why = leak(exchange).or_else(|| wrong_path(exchange)).or_else(|| uncredited(exchange, later))?;
        Some((index, why))
    })
}

fn leak(exchange: &Exchange) -> Option<String> {
    wire::leaks(exchange).then(|| "a credential stands in the URL".to_owned())
}

/// Whether the path is a documented one, spelt wrongly. A path that is nothing like one of ours is not judged: a
/// client may have other business with its console. Nor is one that a recording shows the console to have answered.
fn wrong_path(exchange: &Exchange) -> Option<String> {
    let profile = Profile::builtin();
    let path = wire::path(exchange);
    if wire::is_taken(exchange, "path") || wire::is_taken(exchange, "422/11") || profile.is_outside(path) {
        return None;
    }
    let knows = |path: &str| METHODS.iter().any(|method| profile.find(method, path).is_some());
    if let Some(found) = profile.find(&exchange.method, path) {
        return swallowed(&found);
    }
    if knows(path) {
        return Some(format!("{} is not a method of this endpoint", exchange.method));
    }
    let spelt = path.to_ascii_lowercase();
    if spelt.contains("%2f") {
        let whole = spelt.replace("%2f", "/");
        let whole: Vec<&str> = whole.split('/').filter(|segment| !segment.is_empty()).collect();
        let is_one = whole.first() == Some(&"api") && knows(&format!("/{}", whole.join("/")));
        return is_one.then(|| ENCODED_SLASH.to_owned());
    }
    let segments: Vec<&str> = path.split('/').filter(|segment| !segment.is_empty()).collect();
    let apis = segments.iter().take_while(|segment| **segment == "api").count();
    let rest = segments.get(apis..).unwrap_or(&[]).join("/");
    if !knows(&format!("/api/{rest}")) {
        return None;
    }
    Some(match apis {
        _ if !path.starts_with("/api/") => {
            let wrong =
                if apis == 0 { "`/api` is missing from the path" } else { "the path has an empty segment" };
            format!("{wrong}: it lies outside /api/, where a console answers with an HTML page")
        }
        1 if path.ends_with('/') => "the path ends in a slash that the API does not document".to_owned(),
        1 => "the path has an empty segment".to_owned(),
        _ => format!("`/api` stands in the path {apis} times"),
    })
}

const ENCODED_SLASH: &str =
    "a slash between two segments is sent as `%2F`: the console takes it for a part of a name";

/// Whether a number in the path has swallowed the segments behind it: no number has a slash in it.
fn swallowed(found: &Matched<'_>) -> Option<String> {
    let is_number = |name: &str| {
        let is_it = |known: &&Parameter| known.kind == ParameterKind::Path && known.name == name;
        found.endpoint.parameters.iter().find(is_it).is_some_and(|known| known.is_integer())
    };
    let is_wrong = |(name, value): &(String, String)| value.contains('/') && is_number(name);
    found.path_params.iter().any(is_wrong).then(|| ENCODED_SLASH.to_owned())
}

/// Whether a credential is missing, and was not sent on being asked for one.
fn uncredited(exchange: &Exchange, later: &[&Exchange]) -> Option<String> {
    let is_free = wire::is_taken(exchange, "401/18") || !wire::path(exchange).starts_with("/api/");
    if is_free || wire::has_credentials(exchange) {
        return None;
    }
    let asked = exchange.status == 401
        && later.iter().any(|next| {
            next.method == exchange.method && next.target == exchange.target && wire::has_credentials(next)
        });
    (!asked).then(|| "neither `SEC` nor Basic credentials are sent".to_owned())
}

/// What is wrong given what the client was told: another id than told, or the id in a second place.
fn against_the_job(run: &Run) -> Option<(usize, String)> {
    let mut created = None;
    run.exchanges.iter().enumerate().find_map(|(index, exchange)| {
        let id = run.case.id().map(str::to_owned).or_else(|| created.clone().map(|(task, _)| task));
        if wire::is_creation(exchange) && wire::is_delivered(run, exchange) {
            created = ids_created(exchange).or_else(|| created.take());
        }
        let why = match (&id, run.case.about.is_asked(exchange)) {
            (Some(id), true) => {
                other_id(run, exchange, id, created.as_ref()).or_else(|| other_place(run, exchange))
            }
            _ => None,
        };
        why.or_else(|| wrote(&run.case, exchange))
            .or_else(|| id_in_query(exchange, id.as_deref()))
            .map(|why| (index, why))
    })
}

/// The task id and the case id of a creation's answer.
fn ids_created(exchange: &Exchange) -> Option<(String, Option<String>)> {
    let json = Json::parse(wire::data(exchange)?).ok()?;
    let life = wire::life_made(exchange)?;
    let case = life.case.as_deref().and_then(|case| json.member(case)).map(|id| id.text().to_owned());
    let id = json.member(&life.creator(&exchange.key.endpoint)?.id)?;
    Some((id.as_str().unwrap_or(id.text()).to_owned(), case))
}

fn other_id(
    run: &Run,
    exchange: &Exchange,
    id: &str,
    created: Option<&(String, Option<String>)>,
) -> Option<String> {
    let polled = wire::decode(wire::path(exchange).rsplit('/').next()?);
    if polled == id {
        return None;
    }
    let is_case = created.is_some_and(|(_, case)| case.as_deref() == Some(polled.as_str()));
    Some(if is_case {
        format!("it polls {polled}, which is the id of the case; the task's id is {id}")
    } else {
        let what = if run.case.about.life.is_some() { "task " } else { "" };
        format!("it asks for {what}{polled}, but the id is {id}")
    })
}

/// Whether another parameter of the path has another value than the client was told.
fn other_place(run: &Run, exchange: &Exchange) -> Option<String> {
    let found = Profile::builtin().find(&exchange.method, wire::path(exchange))?;
    found.path_params.iter().find_map(|(name, value)| {
        let (_, asked) = run.case.params.iter().find(|(known, _)| known == name)?;
        (run.case.job != JobKind::Create && asked != value)
            .then(|| format!("`{name}` in its path is {value}, but it was told {asked}"))
    })
}

/// Whether the console refuses the version that a request asks in, and it is never asked again in another.
fn dead_version(run: &Run) -> Option<(usize, String)> {
    let is_refused = |exchange: &Exchange| matches!(&exchange.origin, Origin::Synthesised { rule, .. } if rule == "version");
    run.exchanges.iter().enumerate().find_map(|(index, exchange)| {
        let later = run.exchanges.get(index + 1..).unwrap_or(&[]);
        let is_better = |next: &Exchange| wire::path(next) == wire::path(exchange) && !is_refused(next);
        if !is_refused(exchange) || later.iter().any(is_better) {
            return None;
        }
        let version = wire::headers(exchange, "Version").next().unwrap_or_default();
        Some((index, format!("it asks in version {}, which the console refuses", version.trim())))
    })
}

/// A job that only looks must not write.
fn wrote(case: &Case, exchange: &Exchange) -> Option<String> {
    let is_asked = exchange.key.endpoint == case.about.asks.id;
    (!is_asked && case.job != JobKind::Create && wire::is_creation(exchange))
        .then(|| format!("it was given the job `{}`, and creates something", case.job))
}

fn id_in_query(exchange: &Exchange, id: Option<&str>) -> Option<String> {
    if !exchange.key.endpoint.ends_with('}') || wire::is_taken(exchange, "parameter") {
        return None;
    }
    let endpoint = Profile::builtin().endpoint(&exchange.key.endpoint);
    let wrong = wire::params(exchange).into_iter().find(|param| {
        let name = param.name.to_ascii_lowercase();
        let is_id = name == "id" || (name.ends_with("id") && Some(param.value.as_str()) == id);
        is_id && !near_miss::takes(endpoint, &param.name)
    })?;
    Some(format!("the id stands in the query too: `{}={}`", wrong.name, wrong.raw))
}

#[cfg(test)]
mod tests;

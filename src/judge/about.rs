//! What a job is about: the endpoint it asks, whose answers are the resource, and the life cycle behind it.
//!
//! No law knows an endpoint by name. A client file may name another for each job; all else follows from the profile.

use std::fmt;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use crate::client::{Client, JobKind};
use crate::fields::Shape;
use crate::ledger::Exchange;
use crate::profile::{Endpoint, Lifecycle, Profile};

/// Unreserved characters stay, everything else is encoded.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// What a job is about.
#[derive(Clone, Copy)]
pub struct About {
    /// The endpoint that is asked first: the one the client file names.
    pub(super) asks: &'static Endpoint,
    /// The endpoint whose answers are the resource: where `asks` makes a task, the one that polls it.
    pub(super) shows: &'static Endpoint,
    /// The life cycle of the task, if the resource is one.
    pub(super) life: Option<&'static Lifecycle>,
    /// Whether it is what the job is about where a client file names nothing.
    pub(super) is_usual: bool,
}

impl fmt::Debug for About {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("About").field(&self.asks.id).field(&self.shows.id).finish()
    }
}

impl About {
    /// What a job is about that asks the endpoint with this full id; `None` if no profile knows it.
    pub fn of(job: JobKind, endpoint: &str) -> Option<Self> {
        let profile = Profile::builtin();
        let asks = profile.endpoint(endpoint)?;
        let (shows, life) = match job {
            JobKind::Create => {
                let life = profile.created_by(endpoint)?;
                (profile.endpoint(&life.task)?, Some(life))
            }
            JobKind::Get | JobKind::Wait | JobKind::Send => (asks, profile.task_of(endpoint)),
            JobKind::List => (asks, None),
        };
        Some(Self { asks, shows, life, is_usual: job.usual_endpoint() == Some(endpoint) })
    }

    /// What each job of a client is about, in the order of its jobs.
    pub(super) fn jobs<C: Client>(client: &C) -> Vec<(JobKind, Self)> {
        let about = |job: &JobKind| Some((*job, Self::of(*job, client.endpoint(*job)?)?));
        client.jobs().iter().filter_map(about).collect()
    }

    /// Whether this request asks for the resource.
    pub(super) fn is_asked(&self, exchange: &Exchange) -> bool {
        exchange.key.endpoint == self.shows.id && exchange.method == self.shows.method
    }

    /// Whether a client that does this job has reason to ask this endpoint.
    pub(super) fn reaches(&self, job: JobKind, endpoint: &str) -> bool {
        let of_life = |life: &Lifecycle| {
            let others = [&life.case_list, &life.case_item];
            life.creator(endpoint).is_some() || others.into_iter().any(|id| id.as_deref() == Some(endpoint))
        };
        endpoint == self.asks.id
            || endpoint == self.shows.id
            // What else a creation may ask is the client's own affair.
            || (job == JobKind::Create && (self.is_usual || self.life.is_some_and(of_life)))
    }

    /// The names of the path parameters of the endpoint that is asked.
    pub(super) fn params(&self) -> impl Iterator<Item = &'static str> + use<> {
        params_of(self.asks)
    }

    /// The path that is asked, without `/api`, with these values in it.
    pub(super) fn path(&self, values: &[(String, String)]) -> String {
        path(self.asks, values, None)
    }

    /// The path of the resource, where its own id, the last of its parameters, is this one.
    pub(super) fn path_shown(&self, values: &[(String, String)], id: Option<&str>) -> String {
        path(self.shows, values, id)
    }

    /// Names and values of the path parameters of `path` (with `/api`), decoded, if it is one of the endpoint asked.
    pub(super) fn values(&self, path: &str) -> Option<Vec<(String, String)>> {
        let found = Profile::builtin().find(&self.asks.method, path)?;
        (found.endpoint.id == self.asks.id).then_some(found.path_params)
    }

    /// How a dialect calls the resource's members; `None` for one that it does not have.
    pub(super) fn renames(&self, dialect: &str) -> Option<&'static [(String, String)]> {
        match self.life {
            Some(life) => life.renames(dialect),
            None => (dialect == "sample").then_some(&[]),
        }
    }

    /// The shape of the resource (of a list's element) in a dialect.
    pub(super) fn shape(&self, dialect: &str) -> Option<Shape> {
        let renames = self.renames(dialect)?;
        let renames: Vec<(&str, &str)> =
            renames.iter().map(|(from, to)| (from.as_str(), to.as_str())).collect();
        Some(self.shows.shape.renamed(&renames))
    }

    /// The member that holds what the last path parameter says. A life cycle names it; else it is called like the
    /// parameter, or `id` where that ends so.
    pub(super) fn id_member(&self) -> Option<&'static str> {
        if let Some(life) = self.life {
            return Some(life.id.as_str()).filter(|id| !id.is_empty());
        }
        let last = params_of(self.shows).last()?;
        let names = self.shows.shape.names();
        let is_id = last == "id" || last.ends_with("_id");
        names
            .iter()
            .find(|name| **name == last)
            .map(|_| last)
            .or((is_id && names.contains(&"id")).then_some("id"))
    }

    /// The member that tells an element of a list from the others, if the API's pages name one.
    pub(super) fn element_id(&self) -> Option<&'static str> {
        self.shows.shape.names().contains(&"id").then_some("id")
    }

    /// Whether this member decides what the resource is, or how it stands.
    pub(super) fn decides(&self, member: &str) -> bool {
        self.id_member() == Some(member)
            || self.life.is_some_and(|life| life.state.iter().any(|state| state == member))
    }
}

fn params_of(endpoint: &'static Endpoint) -> impl Iterator<Item = &'static str> + use<> {
    endpoint.template.split('/').filter_map(|segment| segment.strip_prefix('{')?.strip_suffix('}'))
}

fn path(endpoint: &'static Endpoint, values: &[(String, String)], id: Option<&str>) -> String {
    let last = id.and_then(|_| params_of(endpoint).last());
    let mut path = String::with_capacity(endpoint.template.len());
    for segment in endpoint.template.split('/').skip(1) {
        path.push('/');
        match segment.strip_prefix('{').and_then(|name| name.strip_suffix('}')) {
            None => path.push_str(segment),
            Some(name) => {
                let own = id.filter(|_| last == Some(name));
                let given = values.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str());
                path.extend(utf8_percent_encode(own.or(given).unwrap_or("1"), ENCODED));
            }
        }
    }
    path
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_creation_shows_the_task_that_it_makes() {
        let about = About::of(JobKind::Create, "POST /forensics/case_management/cases").unwrap();
        assert!(about.is_usual && about.life.is_some());
        assert_eq!(about.path(&[]), "/forensics/case_management/cases");
        let shown = about.path_shown(&[], Some("a/b c"));
        assert_eq!(shown, "/forensics/case_management/case_create_tasks/a%2Fb%20c");
        assert!(about.reaches(JobKind::Create, "GET /forensics/case_management/cases"));
        assert!(
            !About::of(JobKind::Get, &about.shows.id).unwrap().reaches(JobKind::Get, "GET /help/endpoints")
        );
    }

    #[test]
    fn a_path_gives_back_the_values_it_was_made_of() {
        let about = About::of(JobKind::Get, "GET /forensics/case_management/cases/{id}").unwrap();
        assert!(!about.is_usual);
        let values = vec![("id".to_owned(), "9007199254740993".to_owned())];
        assert_eq!(about.values(&format!("/api{}", about.path(&values))), Some(values));
        assert_eq!((about.id_member(), about.values("/api/help/versions")), (Some("id"), None));
    }
}

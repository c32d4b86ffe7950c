//! What the API promises: endpoints, life cycles, error bodies, and what any console answers by itself.
//!
//! Everything here is data from `profiles/`, in the shape of the console's own `GET /api/help/endpoints`, embedded in
//! the binary. The [gate](gate()) is rungs 1 to 6 of the answer ladder, a pure function of one request.

mod endpoint;
mod error;
mod filter;
mod gate;
mod help;
mod lifecycle;
mod listing;
mod load;
mod taken;
mod version;

use percent_encoding::percent_decode_str;

pub use endpoint::{ApiError, Carrier, Endpoint, Parameter, ParameterKind};
pub(crate) use error::error_response;
pub use error::framework_error;
pub use filter::{Filter, FilterError};
pub(crate) use gate::fields_text;
pub use gate::{Admitted, GateOptions, Gated, OwnShapes, ShapeOf, gate};
pub use lifecycle::Lifecycle;
pub(crate) use listing::{answer_list, item_response};
pub use load::ProfileError;
pub use taken::{Ground, Taken};
pub(crate) use version::spelt as spelt_version;
pub use version::{Version, Versions};

/// How sure we are of a rule; the words of `explain` and of the ledger.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// The published documentation says so.
    Documented,
    /// Captures, or several independent programs, show it.
    Seen,
    /// One source says so.
    OneSource,
    /// It follows from what is known.
    Inferred,
    /// A decision of ours; a recording may overturn it.
    Ours,
}

impl Source {
    /// As a ledger writes it.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Documented => "documented",
            Self::Seen => "seen",
            Self::OneSource => "one source",
            Self::Inferred => "inferred",
            Self::Ours => "ours",
        }
    }
}

/// All that is known of the API.
#[derive(Debug)]
pub struct Profile {
    /// The endpoints, in the order of the files.
    pub endpoints: Vec<Endpoint>,
    /// The life cycles.
    pub lifecycles: Vec<Lifecycle>,
    /// Roots below which every public endpoint is known: `/forensics`.
    pub complete: Vec<String>,
    /// What is known of versions.
    pub versions: Versions,
    /// The answers of `/api/help`.
    documents: help::Documents,
    /// For each number of segments, the endpoints with as many, by place.
    by_length: Vec<Vec<usize>>,
}

/// A request's endpoint.
#[derive(Clone, Debug)]
pub struct Matched<'p> {
    /// The endpoint.
    pub endpoint: &'p Endpoint,
    /// Names and decoded values of the path's parameters, in order.
    pub path_params: Vec<(String, String)>,
    /// The path up to its last parameter, else the collection; with `/api`, parameters decoded.
    pub resource: String,
}

/// Why a name stands for no endpoint.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    /// No endpoint is called so.
    #[error("no endpoint is called `{name}`{}", listed("; did you mean ", nearest))]
    Unknown {
        /// The name.
        name: String,
        /// Up to three names that look like it, the nearest first.
        nearest: Vec<String>,
    },
    /// Several endpoints have this short name.
    #[error("`{name}` is the short name of several endpoints; write one in full: {}", listed("", full))]
    Ambiguous {
        /// The short name.
        name: String,
        /// Their full ids.
        full: Vec<String>,
    },
}

fn listed(lead: &str, names: &[String]) -> String {
    if names.is_empty() {
        return String::new();
    }
    let quoted: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
    format!("{lead}{}", quoted.join(" or "))
}

impl Profile {
    /// The endpoint of a request: `path` is the raw path with `/api`. Literal segments win over parameters; a HEAD
    /// is its GET.
    pub fn find(&self, method: &str, path: &str) -> Option<Matched<'_>> {
        let method = if method == "HEAD" { "GET" } else { method };
        let segments: Vec<&str> = path.strip_prefix("/api/")?.split('/').collect();
        let candidates = self.by_length.get(segments.len())?;
        let endpoint = candidates
            .iter()
            .filter_map(|place| self.endpoints.get(*place))
            .filter(|endpoint| endpoint.method == method && fits(&endpoint.template, &segments))
            // The template whose first parameter comes latest: `false` sorts before `true`.
            .min_by_key(|endpoint| {
                template_segments(endpoint).map(endpoint::is_parameter).collect::<Vec<_>>()
            })?;
        Some(matched(endpoint, &segments))
    }

    /// An endpoint by full id or by short name.
    ///
    /// # Errors
    /// If there is none of that name, or a short name is not unique.
    pub fn by_name(&self, name: &str) -> Result<&Endpoint, NameError> {
        if let Some(endpoint) = self.endpoint(name) {
            return Ok(endpoint);
        }
        let called: Vec<&Endpoint> =
            self.endpoints.iter().filter(|endpoint| endpoint.short == name).collect();
        match called.as_slice() {
            [endpoint] => Ok(endpoint),
            [] => Err(NameError::Unknown { name: name.to_owned(), nearest: self.nearest(name) }),
            several => Err(NameError::Ambiguous {
                name: name.to_owned(),
                full: several.iter().map(|endpoint| endpoint.id.clone()).collect(),
            }),
        }
    }

    fn nearest(&self, name: &str) -> Vec<String> {
        let full = name.contains(' ');
        let names = self
            .endpoints
            .iter()
            .map(|endpoint| if full { endpoint.id.as_str() } else { endpoint.short.as_str() });
        crate::spelling::nearest(name, names).into_iter().map(str::to_owned).collect()
    }

    /// The endpoint with this full id.
    pub(crate) fn endpoint(&self, id: &str) -> Option<&Endpoint> {
        self.endpoints.iter().find(|endpoint| endpoint.id == id)
    }

    /// The life cycle whose task this endpoint polls.
    pub fn task_of(&self, endpoint_id: &str) -> Option<&Lifecycle> {
        self.lifecycles.iter().find(|life| life.task == endpoint_id)
    }

    /// The life cycle whose tasks this endpoint creates.
    pub(crate) fn created_by(&self, endpoint_id: &str) -> Option<&Lifecycle> {
        self.lifecycles.iter().find(|life| life.created_by.as_deref() == Some(endpoint_id))
    }

    /// The root of this path (without `/api`), if every public endpoint below it is known.
    pub(crate) fn complete_root(&self, path: &str) -> Option<&str> {
        let is_below = |root: &&String| {
            path.strip_prefix(root.as_str()).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        self.complete.iter().find(is_below).map(String::as_str)
    }
}

fn template_segments(endpoint: &Endpoint) -> impl Iterator<Item = &str> {
    endpoint.template.split('/').skip(1)
}

/// Whether the segments are those of the template; an empty one is no value of a parameter.
fn fits(template: &str, segments: &[&str]) -> bool {
    template.split('/').skip(1).zip(segments).all(|(expected, found)| {
        if endpoint::is_parameter(expected) {
            !found.is_empty()
        } else {
            expected == *found || (found.contains('%') && expected == decoded(found))
        }
    })
}

fn matched<'p>(endpoint: &'p Endpoint, segments: &[&str]) -> Matched<'p> {
    let mut path_params = Vec::new();
    let mut path = "/api".to_owned();
    let mut resource = None;
    for (expected, found) in template_segments(endpoint).zip(segments) {
        path.push('/');
        if endpoint::is_parameter(expected) {
            let value = decoded(found);
            path.push_str(&value);
            resource = Some(path.clone());
            path_params.push((expected.trim_matches(['{', '}']).to_owned(), value));
        } else {
            path.push_str(expected);
        }
    }
    Matched { endpoint, path_params, resource: resource.unwrap_or(path) }
}

fn decoded(segment: &str) -> String {
    percent_decode_str(segment).decode_utf8_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_finds_its_endpoint_and_resource() {
        let profile = Profile::builtin();
        for (method, path, short, resource) in [
            (
                "GET",
                "/api/forensics/case_management/cases",
                "cases.list",
                "/api/forensics/case_management/cases",
            ),
            (
                "HEAD",
                "/api/forensics/case_management/cases",
                "cases.list",
                "/api/forensics/case_management/cases",
            ),
            (
                "POST",
                "/api/forensics/case_management/cases",
                "cases.post",
                "/api/forensics/case_management/cases",
            ),
            (
                "GET",
                "/api/forensics/case_management/cases/7",
                "cases.get",
                "/api/forensics/case_management/cases/7",
            ),
            (
                "GET",
                "/api/forensics/case_management/cases/%37",
                "cases.get",
                "/api/forensics/case_management/cases/7",
            ),
            ("GET", "/api/help/endpoints/3", "endpoints.get", "/api/help/endpoints/3"),
        ] {
            let found = profile.find(method, path).unwrap();
            assert_eq!((found.endpoint.short.as_str(), found.resource.as_str()), (short, resource), "{path}");
        }
        for (method, path) in [
            ("GET", "/api/api/forensics/case_management/cases"),
            ("GET", "/forensics/case_management/cases"),
            ("GET", "/api/forensics/case_management/cases/"),
            ("GET", "/api/forensics/case_management/cases/7/x"),
            ("DELETE", "/api/forensics/case_management/cases/7"),
            ("get", "/api/forensics/case_management/cases/7"),
        ] {
            assert!(profile.find(method, path).is_none(), "{method} {path}");
        }
    }

    #[test]
    fn a_literal_segment_wins_over_a_parameter() {
        let profile = load::tests::with_endpoints(&["/sets/{name}", "/sets/bulk", "/{any}/bulk"]);
        let template = |path: &str| profile.find("GET", path).map(|found| found.endpoint.template.clone());
        assert_eq!(template("/api/sets/bulk").as_deref(), Some("/sets/bulk"));
        assert_eq!(template("/api/sets/other").as_deref(), Some("/sets/{name}"));
        assert_eq!(template("/api/maps/bulk").as_deref(), Some("/{any}/bulk"));
    }

    #[test]
    fn a_name_is_full_or_short_and_a_wrong_one_says_what_is_near() {
        let profile = Profile::builtin();
        assert_eq!(profile.by_name("cases.post").unwrap().id, "POST /forensics/case_management/cases");
        let full = "GET /forensics/case_management/case_create_tasks/{id}";
        assert_eq!(profile.by_name(full).unwrap().short, "case_create_tasks.get");
        let NameError::Unknown { nearest, .. } = profile.by_name("case.post").unwrap_err() else { panic!() };
        assert!(nearest.contains(&"cases.post".to_owned()), "{nearest:?}");
        let twice = load::tests::with_endpoints(&["/a/sets", "/b/sets"]);
        let error = twice.by_name("sets.list").unwrap_err();
        assert!(error.to_string().contains("`GET /a/sets` or `GET /b/sets`"), "{error}");
    }

    #[test]
    fn a_root_is_complete_for_its_own_paths_only() {
        let profile = Profile::builtin();
        let root = Some("/forensics");
        assert!(
            profile.complete_root("/forensics") == root && profile.complete_root("/forensics/nope") == root
        );
        assert_eq!(profile.complete_root("/forensicsx").or(profile.complete_root("/siem/offenses")), None);
    }
}

//! What the API promises: endpoints, life cycles, error bodies, and what any console answers by itself.
//!
//! Everything here is data from `profiles/`, embedded in the binary: all endpoints of the API, a file for each root. What
//! a run does not ask for is not read. The [gate](gate()) is rungs 1 to 6 of the answer ladder, a pure function of one
//! request.

mod aim;
mod area;
mod description;
mod endpoint;
mod error;
mod facts;
mod gate;
mod help;
mod lifecycle;
mod listing;
mod load;
mod names;
mod observation;
mod sections;
mod stands;
mod taken;
mod version;

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::OnceLock;

use percent_encoding::percent_decode_str;

pub(crate) use aim::{hits, wildcard};
use area::{Area, Entry};
pub use endpoint::{ApiError, Carrier, Endpoint, Parameter, ParameterKind};
pub use error::framework_error;
pub(crate) use error::{error_response, removed_version, uncoded_error};
pub use gate::{Admitted, GateOptions, Gated, OwnShapes, ShapeOf, gate};
pub(crate) use gate::{fields_text, gate_at, stray};
pub use lifecycle::{Cancel, Creator, HostSpelling, Hosts, Key, Lifecycle, Progress, Results, Total};
pub(crate) use listing::{Language, answer_list, item_response, refused_list};
pub use load::ProfileError;
pub use observation::Observation;
pub(crate) use stands::Stands;
pub use taken::{Ground, Taken};
pub(crate) use version::spelt as spelt_version;
pub use version::{Version, Versions};

/// Nearly all paths of the API have no more segments.
const SEGMENTS_MOSTLY: usize = 8;

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

/// Where an endpoint is known from, and the file that says so. What a console says of itself outranks what is published.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin<'p> {
    /// The published page, which a file in the binary has the facts of.
    Published(&'p str),
    /// A console's own answer to `GET /api/help/endpoints`.
    Console(&'p str),
    /// Somebody's own file.
    Own(&'p str),
}

/// All that is known of the API.
#[derive(Debug)]
pub struct Profile {
    /// Of two that describe an endpoint, the first counts.
    areas: Vec<Area>,
    /// How many of them, the first ones, may hold any root.
    own: usize,
    lifecycles: Vec<Lifecycle>,
    /// Roots below which every public endpoint is known, hidden ones included: `/forensics`.
    pub complete: Vec<String>,
    /// Roots outside `/api` that a console answers.
    outside: Vec<String>,
    /// What is known of versions.
    pub versions: Versions,
    /// The answers of `/api/help`.
    documents: OnceLock<help::Documents>,
    /// The endpoints that have each short name, by id.
    names: OnceLock<BTreeMap<String, Vec<String>>>,
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
    #[error("`{name}` is the short name of several endpoints; write one of {}", listed("", full))]
    Ambiguous {
        /// The short name.
        name: String,
        /// Names that tell them apart.
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
        let mut segments: Vec<&str> = Vec::with_capacity(SEGMENTS_MOSTLY);
        let rest = path.strip_prefix("/api/")?;
        let ends = memchr::memchr_iter(b'/', rest.as_bytes()).chain([rest.len()]);
        let mut from = 0;
        segments
            .extend(ends.map(|end| rest.get(std::mem::replace(&mut from, end + 1)..end).unwrap_or_default()));
        let root = decoded(segments.first()?);
        let is_escaped = path.contains('%');
        let fits = |entry: &&Entry| fits(entry, &segments, is_escaped) && entry.method() == method;
        // The template whose first parameter comes latest: `false` sorts before `true`.
        let mut best: Option<(&Area, &Entry)> = None;
        for area in self.areas_of(&root) {
            for entry in area.contents().of_length(segments.len()).filter(fits) {
                if best.is_none_or(|(_, held)| parameters(entry).lt(parameters(held))) {
                    best = Some((area, entry));
                }
            }
        }
        let (area, entry) = best?;
        Some(matched(area.endpoint(entry), entry, &segments))
    }

    /// Every endpoint. To name them all, [`ids`](Self::ids) reads less.
    pub fn endpoints(&self) -> impl Iterator<Item = &Endpoint> {
        self.entries().map(|(area, entry)| area.endpoint(entry))
    }

    /// The full id of every endpoint, in the order of the files.
    pub fn ids(&self) -> impl Iterator<Item = &str> {
        self.entries().map(|(_, entry)| entry.id.as_str())
    }

    /// Every entry that no earlier file replaces.
    fn entries(&self) -> impl Iterator<Item = (&Area, &Entry)> {
        self.areas.iter().enumerate().flat_map(move |(place, area)| {
            let is_first = move |entry: &&Entry| {
                let mut earlier = self.areas.iter().take(place.min(self.own));
                !earlier.any(|area| holds(area, &entry.id))
            };
            area.contents().entries.iter().filter(is_first).map(move |entry| (area, entry))
        })
    }

    /// The endpoint with this full id.
    pub(crate) fn endpoint(&self, id: &str) -> Option<&Endpoint> {
        self.areas_of(root_of(id)).find_map(|area| {
            let entry = area.contents().entries.iter().find(|entry| entry.id == id)?;
            Some(area.endpoint(entry))
        })
    }

    /// Where the endpoint with this full id is known from.
    pub fn origin(&self, id: &str) -> Option<Origin<'_>> {
        let area = self.areas_of(root_of(id)).find(|area| holds(area, id))?;
        let file = area.file();
        Some(match area.is_of_ones_own() {
            true if file.ends_with(".json") => Origin::Console(file),
            true => Origin::Own(file),
            false => Origin::Published(file),
        })
    }

    /// What a console was seen to do at this endpoint, and at any (`""`), by the user's own files.
    pub fn observed(&self, endpoint_id: &str) -> impl Iterator<Item = &Observation> {
        let areas = self.areas.iter().take(self.own);
        areas.flat_map(|area| &area.contents().observed).filter(move |it| it.endpoint == endpoint_id)
    }

    /// All that was seen, at any endpoint.
    pub fn every_observed(&self) -> impl Iterator<Item = &Observation> {
        self.areas.iter().take(self.own).flat_map(|area| &area.contents().observed)
    }

    /// The file that describes the endpoint with this full id.
    pub fn file_of(&self, id: &str) -> Option<&str> {
        self.areas_of(root_of(id)).find(|area| holds(area, id)).map(Area::file)
    }

    fn areas_of<'a>(&'a self, root: &str) -> impl Iterator<Item = &'a Area> {
        self.areas.iter().filter(move |area| area.may_hold(root))
    }

    /// Every life cycle.
    pub fn lifecycles(&self) -> impl Iterator<Item = &Lifecycle> {
        self.areas.iter().flat_map(|area| &area.contents().lifecycles).chain(&self.lifecycles)
    }

    /// The life cycles of a root: those that can concern this endpoint.
    fn lifecycles_near(&self, endpoint_id: &str) -> impl Iterator<Item = &Lifecycle> {
        let root = root_of(endpoint_id);
        let areas = self.areas.iter().filter(move |area| area.may_hold(root));
        areas.flat_map(|area| &area.contents().lifecycles).chain(&self.lifecycles)
    }

    /// The life cycle whose task this endpoint polls.
    pub fn task_of(&self, endpoint_id: &str) -> Option<&Lifecycle> {
        self.lifecycles_near(endpoint_id).find(|life| life.task == endpoint_id)
    }

    /// The life cycle on whose end this endpoint hangs, and how it is answered before.
    pub(crate) fn results_of(&self, endpoint_id: &str) -> Option<(&Lifecycle, &Results)> {
        self.lifecycles_near(endpoint_id).find_map(|life| {
            Some((life, life.results.iter().find(|results| results.endpoint == endpoint_id)?))
        })
    }

    /// The life cycle whose tasks this endpoint creates.
    pub(crate) fn created_by(&self, endpoint_id: &str) -> Option<&Lifecycle> {
        self.lifecycles_near(endpoint_id).find(|life| life.creator(endpoint_id).is_some())
    }

    /// The life cycle whose tasks this endpoint calls off.
    pub(crate) fn cancelled_by(&self, endpoint_id: &str) -> Option<(&Lifecycle, &Cancel)> {
        self.lifecycles_near(endpoint_id).find_map(|life| {
            Some((life, life.cancel.as_ref().filter(|cancel| cancel.endpoint == endpoint_id)?))
        })
    }

    /// An endpoint that has this path, whatever its method.
    pub(crate) fn of_path(&self, path: &str) -> Option<Matched<'_>> {
        ["GET", "POST", "PUT", "PATCH", "DELETE"].iter().find_map(|method| self.find(method, path))
    }

    /// Whether any endpoint stands below `/root`.
    fn has_root(&self, root: &str) -> bool {
        self.areas_of(root).any(|area| area.contents().entries.iter().any(|entry| root_of(&entry.id) == root))
    }

    /// The root of this path (without `/api`), if every public endpoint below it is known.
    pub(crate) fn complete_root(&self, path: &str) -> Option<&str> {
        self.complete.iter().find(|root| is_below(root, path)).map(String::as_str)
    }

    /// Whether a console has this path outside `/api`, whatever the API has of the same name.
    pub(crate) fn is_outside(&self, path: &str) -> bool {
        self.outside.iter().any(|root| is_below(root, path))
    }
}

fn is_below(root: &str, path: &str) -> bool {
    path.strip_prefix(root).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// Which segments of its template are parameters.
fn parameters(entry: &Entry) -> impl Iterator<Item = bool> {
    entry.segments().map(|(segment, _)| segment.is_parameter)
}

/// `siem` of `GET /siem/offenses`.
fn root_of(id: &str) -> &str {
    id.split('/').nth(1).unwrap_or_default()
}

fn holds(area: &Area, id: &str) -> bool {
    area.contents().entries.iter().any(|entry| entry.id == id)
}

/// Whether the segments are those of the template, as many; an empty one is no value of a parameter. Templates of a root
/// begin alike: the last one comes first.
fn fits(entry: &Entry, segments: &[&str], is_escaped: bool) -> bool {
    entry.segments().rev().zip(segments.iter().rev()).all(|((segment, expected), found)| {
        match segment.is_parameter {
            true => !found.is_empty(),
            false => expected == *found || (is_escaped && expected == decoded(found)),
        }
    })
}

fn matched<'p>(endpoint: &'p Endpoint, entry: &Entry, segments: &[&str]) -> Matched<'p> {
    let mut path_params = Vec::new();
    let mut path =
        String::with_capacity("/api".len() + segments.iter().map(|segment| 1 + segment.len()).sum::<usize>());
    path.push_str("/api");
    let mut resource_end = None;
    for ((segment, expected), found) in entry.segments().zip(segments) {
        path.push('/');
        if segment.is_parameter {
            let value = decoded(found);
            path.push_str(&value);
            resource_end = Some(path.len());
            path_params.push((expected.trim_matches(['{', '}']).to_owned(), value.into_owned()));
        } else {
            path.push_str(expected);
        }
    }
    path.truncate(resource_end.unwrap_or(path.len()));
    Matched { endpoint, path_params, resource: path }
}

fn decoded(segment: &str) -> Cow<'_, str> {
    match segment.contains('%') {
        true => Cow::Owned(percent_decode_str(segment).decode_utf8_lossy().into_owned()),
        false => Cow::Borrowed(segment),
    }
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
    fn a_root_is_complete_for_its_own_paths_only() {
        let profile = Profile::builtin();
        let root = Some("/forensics");
        assert!(
            profile.complete_root("/forensics") == root && profile.complete_root("/forensics/nope") == root
        );
        assert_eq!(profile.complete_root("/forensicsx").or(profile.complete_root("/siem/offenses")), None);
    }
}

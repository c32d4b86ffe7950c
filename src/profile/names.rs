//! What endpoints are called: in full, or by a short name.
//!
//! A short name is the end of a path and what is done to it: `offenses.get`, `ariel/searches.list`. The path's
//! parameters are left out, but for those at the end of a POST (`ariel/searches/{search_id}.post`) and those before
//! the last one. The name of an endpoint is the shortest that no other endpoint has.

use std::collections::BTreeMap;

use super::endpoint::is_parameter;
use super::{Endpoint, NameError, Profile};

impl Profile {
    /// An endpoint by full id or by short name.
    ///
    /// # Errors
    /// If there is none of that name, or a short name is not unique.
    pub fn by_name(&self, name: &str) -> Result<&Endpoint, NameError> {
        if name.contains(' ') {
            return self.endpoint(name).ok_or_else(|| self.unknown(name));
        }
        match self.called(name) {
            [] => Err(self.unknown(name)),
            [id] => self.endpoint(id).ok_or_else(|| self.unknown(name)),
            several => Err(NameError::Ambiguous {
                name: name.to_owned(),
                full: several.iter().map(|id| self.short_name(id)).collect(),
            }),
        }
    }

    /// The shortest name that only the endpoint with this id has; its id if there is none.
    pub fn short_name(&self, id: &str) -> String {
        ends_of(id).find(|end| self.called(end).len() == 1).unwrap_or_else(|| id.to_owned())
    }

    /// The ids of the endpoints with this short name.
    fn called(&self, name: &str) -> &[String] {
        let names = self.names.get_or_init(|| {
            let mut names: BTreeMap<String, Vec<String>> = BTreeMap::new();
            for id in self.ids() {
                for end in ends_of(id) {
                    names.entry(end).or_default().push(id.to_owned());
                }
            }
            names
        });
        names.get(name).map_or(&[], Vec::as_slice)
    }

    /// That there is none of this name, and what is near.
    pub(super) fn unknown(&self, name: &str) -> NameError {
        let shown = |id: &str| if name.contains(' ') { id.to_owned() } else { self.short_name(id) };
        let names: Vec<String> = self.ids().map(shown).collect();
        let nearest = crate::spelling::nearest(name, names.iter().map(String::as_str));
        NameError::Unknown {
            name: name.to_owned(),
            nearest: nearest.into_iter().map(str::to_owned).collect(),
        }
    }
}

/// The names of an endpoint, the shortest first.
fn ends_of(id: &str) -> impl Iterator<Item = String> + '_ {
    let (method, template) = id.split_once(' ').unwrap_or(("", id));
    let mut segments: Vec<&str> = template.split('/').skip(1).collect();
    let is_item = segments.last().is_some_and(|last| is_parameter(last));
    let verb = if method == "GET" && !is_item { "list".to_owned() } else { method.to_lowercase() };
    if is_item && method != "POST" {
        segments.pop();
    }
    let fixed = segments.iter().rposition(|segment| !is_parameter(segment)).map_or(0, |last| last + 1);
    let tail = segments.split_off(fixed);
    segments.retain(|segment| !is_parameter(segment));
    (0..segments.len()).rev().map(move |from| {
        let parts: Vec<&str> = segments.iter().skip(from).chain(&tail).copied().collect();
        format!("{}.{verb}", parts.join("/"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_short_name_is_an_end_of_the_path_and_what_is_done_to_it() {
        for (id, names) in [
            ("GET /forensics/cases", &["cases.list", "forensics/cases.list"][..]),
            ("GET /forensics/cases/{id}", &["cases.get", "forensics/cases.get"]),
            ("POST /ariel/searches/{id}", &["searches/{id}.post", "ariel/searches/{id}.post"]),
            (
                "GET /ariel/searches/{id}/results",
                &["results.list", "searches/results.list", "ariel/searches/results.list"],
            ),
            ("DELETE /sets/{name}/{value}", &["sets/{name}.delete"]),
        ] {
            assert_eq!(ends_of(id).collect::<Vec<_>>(), names, "{id}");
        }
    }

    #[test]
    fn every_endpoint_has_a_short_name_of_its_own_which_finds_it() {
        let profile = Profile::builtin();
        for id in profile.ids() {
            let name = profile.short_name(id);
            assert!(!name.contains(' '), "{id} has none");
            assert_eq!(profile.by_name(&name).unwrap().id, id);
        }
    }

    #[test]
    fn a_name_is_full_or_short_and_a_wrong_one_names_what_is_near() {
        let profile = Profile::builtin();
        assert_eq!(profile.by_name("cases.post").unwrap().id, "POST /forensics/case_management/cases");
        assert_eq!(profile.by_name("ariel/searches.get").unwrap().id, "GET /ariel/searches/{search_id}");
        assert_eq!(profile.by_name("GET /siem/offenses").unwrap().short, "offenses.list");
        let NameError::Unknown { nearest, .. } = profile.by_name("case.post").unwrap_err() else { panic!() };
        assert!(nearest.contains(&"cases.post".to_owned()), "{nearest:?}");
        let error = profile.by_name("searches.get").unwrap_err();
        assert!(error.to_string().contains("`ariel/searches.get`"), "{error}");
    }
}

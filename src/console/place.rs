//! Where an endpoint can be asked: its path with ids that are there.

use std::collections::BTreeMap;

use super::question::{Question, encoded};
use super::whole::{Whole, elements};
use crate::json::{Json, Kind};
use crate::profile::{Endpoint, Profile};

/// How many elements of a list are looked at for an id.
const LOOKED_AT: usize = 50;

/// Why no id is known.
const NO_LIST: &str = "no list says which ids there are: name one with --resource";
const NO_ELEMENT: &str = "the list that would have its id has none, or is not there";

/// An endpoint and what its path is filled with.
#[derive(Clone, Debug)]
pub(super) struct Place {
    pub(super) endpoint: &'static Endpoint,
    /// The plain request. Where no id is known, with one that nothing has.
    pub(super) base: Question,
    /// What it answers, if it does.
    pub(super) whole: Option<Whole>,
}

/// The lists that were read so far, by path.
pub(super) type Lists = BTreeMap<String, Option<Whole>>;

/// What an endpoint's path takes to be filled.
#[derive(Clone, Debug)]
pub(super) enum Filled {
    /// Here it is.
    Path(String),
    /// The list at this path has to be read first.
    Needs(&'static Endpoint, String),
    /// No id is known, and why; the path with ids that nothing has.
    Unknown(String, String),
}

/// How many parameters a template has.
pub(super) fn parameters(template: &str) -> usize {
    template.split('/').filter(|segment| segment.starts_with('{')).count()
}

/// The path of an endpoint, with `/api`, filled with ids out of the lists that were read.
pub(super) fn fill(profile: &'static Profile, template: &str, lists: &Lists) -> Filled {
    let (mut path, mut above) = ("/api".to_owned(), String::new());
    let mut lacking: Option<String> = None;
    for segment in template.split('/').skip(1) {
        let Some(name) = segment.strip_prefix('{').and_then(|rest| rest.strip_suffix('}')) else {
            path.push_str(&format!("/{segment}"));
            above.push_str(&format!("/{segment}"));
            continue;
        };
        let list = profile.endpoint(&format!("GET {above}")).filter(|it| it.is_list);
        let found = match (list, &lacking) {
            (_, Some(_)) => None,
            (None, None) => {
                lacking = Some(NO_LIST.to_owned());
                None
            }
            (Some(list), None) => match lists.get(&path) {
                None => return Filled::Needs(list, path),
                Some(whole) => {
                    let id = whole.as_ref().and_then(|whole| id_in(whole, name));
                    if id.is_none() {
                        lacking = Some(NO_ELEMENT.to_owned());
                    }
                    id
                }
            },
        };
        path.push_str(&format!("/{}", encoded(found.as_deref().unwrap_or("2147483646"))));
        above.push_str(&format!("/{segment}"));
    }
    match lacking {
        None => Filled::Path(path),
        Some(why) => Filled::Unknown(path, why),
    }
}

/// The first id in a list for a parameter of this name.
fn id_in(whole: &Whole, name: &str) -> Option<String> {
    let json = whole.json()?;
    let is_id = name == "id" || name.ends_with("_id");
    let members = [Some(name), is_id.then_some("id")];
    let texts = elements(&json).iter().take(LOOKED_AT);
    texts
        .filter_map(|element| members.iter().flatten().find_map(|member| id_of(element.member(member)?)))
        .next()
}

fn id_of(value: &Json<'_>) -> Option<String> {
    match value.kind() {
        Kind::Number => Some(value.text().to_owned()),
        Kind::String(text) if !text.is_empty() && *text != "." && *text != ".." => Some(text.to_string()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::console::whole::tests::whole;

    #[test]
    fn ids_come_out_of_the_list_above() {
        let profile = Profile::builtin();
        let template = "/siem/offenses/{offense_id}/notes/{note_id}";
        let mut lists = Lists::new();
        let needs = |lists: &Lists| match fill(profile, template, lists) {
            Filled::Needs(list, path) => (list.id.clone(), path),
            other => panic!("{other:?}"),
        };
        assert_eq!(needs(&lists), ("GET /siem/offenses".to_owned(), "/api/siem/offenses".to_owned()));
        lists.insert("/api/siem/offenses".to_owned(), Some(whole(r#"[{"x":1},{"id":7}]"#)));
        assert_eq!(needs(&lists).1, "/api/siem/offenses/7/notes");
        lists.insert("/api/siem/offenses/7/notes".to_owned(), Some(whole(r#"[{"id":9}]"#)));
        assert!(
            matches!(fill(profile, template, &lists), Filled::Path(path) if path == "/api/siem/offenses/7/notes/9")
        );
        lists.insert("/api/siem/offenses/7/notes".to_owned(), Some(whole("[]")));
        assert!(matches!(fill(profile, template, &lists), Filled::Unknown(..)));
        let task = "/forensics/case_management/case_create_tasks/{id}";
        let why = match fill(profile, task, &lists) {
            Filled::Unknown(_, why) => why,
            other => panic!("{other:?}"),
        };
        assert_eq!(why, NO_LIST);
    }
}

//! What is known of a list beside its pages: how an element is told from others, and what all of it is.

use std::collections::{BTreeMap, BTreeSet};

use crate::json::{Json, Kind, quote};
use crate::judge::case::Case;

/// What a case says of its list.
pub(super) struct Known {
    /// The member that tells an element from the others.
    id: Option<&'static str>,
    /// The elements of the whole list and how often each is there, if the case says so.
    all: Option<BTreeMap<String, usize>>,
}

impl Known {
    pub(super) fn of(case: &Case) -> Self {
        let known = Self { id: case.about.element_id(), all: None };
        let all = case.task.as_deref().and_then(|list| {
            let list = Json::parse(list).ok()?;
            let mut all = BTreeMap::new();
            list.elements().iter().for_each(|each| *all.entry(known.key(each)).or_default() += 1);
            Some(all)
        });
        Self { all, ..known }
    }

    /// What tells an element from the others: its id, else its value.
    pub(super) fn key(&self, element: &Json<'_>) -> String {
        let id = self.id.and_then(|name| Some((name, element.member(name)?)));
        id.map_or_else(|| canonical(element), |(name, id)| format!("{name} {}", canonical(id)))
    }

    /// Whether all of the list is known.
    pub(super) fn is_certain(&self) -> bool {
        self.all.is_some()
    }

    /// How often an element is there; `None` if that is not known.
    pub(super) fn times(&self, key: &str) -> Option<usize> {
        self.all.as_ref().map(|all| all.get(key).copied().unwrap_or_default())
    }

    /// Whether an element is none of the list.
    pub(super) fn is_foreign(&self, key: &str) -> bool {
        self.times(key) == Some(0)
    }

    /// Whether these are surely all elements.
    pub(super) fn is_all(&self, reported: &BTreeSet<&str>) -> bool {
        self.all.as_ref().is_some_and(|all| all.keys().all(|key| reported.contains(key.as_str())))
    }
}

/// A value as each spelling of it reads: members in order, numbers by what they are.
fn canonical(value: &Json<'_>) -> String {
    match value.kind() {
        Kind::Number => value.as_i128().map_or_else(|| value.text().to_owned(), |number| number.to_string()),
        Kind::String(text) => quote(text),
        Kind::Array(elements) => {
            format!("[{}]", elements.iter().map(canonical).collect::<Vec<_>>().join(","))
        }
        Kind::Object(members) => {
            let mut members: Vec<String> =
                members.iter().map(|(name, each)| format!("{}:{}", quote(name), canonical(each))).collect();
            members.sort_unstable();
            format!("{{{}}}", members.join(","))
        }
        Kind::Null | Kind::Bool(_) => value.text().to_owned(),
    }
}

//! Keeps counter-examples on disk from the first sight of a violation on: nothing that was found is lost when a judgement
//! is killed. What turns out smaller takes the place of what was kept before.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

use super::found::{self, Finding};
use super::plan::Plan;
use super::unit::Unit;
use crate::judge::case::Case;
use crate::judge::law::Property;

/// The counter-examples of a unit, the latest of each property.
pub(super) struct Keeper<'a> {
    plan: &'a Plan,
    unit: &'a Unit,
    client: &'a str,
    /// The files of this run. One that was there before it is nobody's to remove.
    own: Mutex<BTreeMap<&'static str, Kept>>,
}

#[derive(Clone, Debug)]
struct Kept {
    path: PathBuf,
    is_new: bool,
}

impl<'a> Keeper<'a> {
    pub(super) fn new(plan: &'a Plan, unit: &'a Unit, client: &'a str) -> Self {
        Self { plan, unit, client, own: Mutex::default() }
    }

    /// Whether this property must hold in the unit: faults of a command line and what was drawn come without a list, so
    /// whatever they put to the test must.
    pub(super) fn is_required(&self, property: &'static Property) -> bool {
        let has_no_list = match &self.unit.scenario {
            Some(scenario) => scenario.is_of_faults(),
            None => property.story.is_none(),
        };
        has_no_list || self.unit.required.contains(&property)
    }

    /// Whether it counts that this property is broken: it must hold, or must be broken nowhere.
    pub(super) fn counts(&self, property: &'static Property) -> bool {
        property.everywhere || self.is_required(property)
    }

    /// Keeps a violation, unless one of the property is kept already.
    pub(super) fn at_first_sight(&self, property: &'static Property, case: &Case, because: &str) {
        let is_first = !self.own().contains_key(property.id);
        if is_first {
            // Whoever cannot be written to says so when the case is confirmed.
            let _ = self.keep(property, case, because);
        }
    }

    /// Keeps a violation in place of what was kept before; `None` if there is no folder for it, it came from a file, or
    /// nobody asked for the property.
    pub(super) fn keep(
        &self,
        property: &'static Property,
        case: &Case,
        because: &str,
    ) -> Option<Result<PathBuf, String>> {
        let folder = self.plan.found.as_ref()?;
        if self.unit.found.is_some() || !self.counts(property) {
            return None;
        }
        let finding = Finding { property, client: self.client, case, because };
        let saved = found::save(folder, &finding, &self.plan.redactor);
        let (path, is_new) = match saved {
            Ok(saved) => saved,
            Err(error) => return Some(Err(format!("{}: {error}", folder.display()))),
        };
        let mut own = self.own();
        let before = own.remove(property.id);
        let is_same = before.as_ref().is_some_and(|before| before.path == path);
        let is_new = is_new || (is_same && before.as_ref().is_some_and(|before| before.is_new));
        own.insert(property.id, Kept { path: path.clone(), is_new });
        if let Some(before) = before.filter(|_| !is_same) {
            before.remove();
        }
        Some(Ok(path))
    }

    /// Drops what was kept of a property: it does not break each time.
    pub(super) fn drop(&self, property: &'static Property) {
        if let Some(kept) = self.own().remove(property.id) {
            kept.remove();
        }
    }

    fn own(&self) -> std::sync::MutexGuard<'_, BTreeMap<&'static str, Kept>> {
        self.own.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Kept {
    fn remove(&self) {
        if self.is_new {
            // If it stays, it is one more file that runs first.
            let _ = std::fs::remove_file(&self.path);
        }
    }
}

//! Putting elements in order.

use std::cmp::Ordering;

use super::{Key, ListError, Sort};
use crate::json::{Json, Kind, compare_numbers};

impl Sort {
    /// Whether the order of these elements is known: each key's member is there, and has values of one kind.
    ///
    /// # Errors
    /// [`ListError::Absent`] or [`ListError::Orderless`]; positions are those in the `Display` text.
    pub fn suits(&self, elements: &[Json<'_>]) -> Result<(), ListError> {
        let places = self.places();
        for (place, key) in self.0.iter().enumerate() {
            let at = places.get(place).cloned().unwrap_or_default();
            let mut values: Vec<&Json<'_>> = elements.iter().collect();
            for (depth, name) in key.path.iter().enumerate() {
                let found: Vec<&Json<'_>> = values.iter().filter_map(|value| value.member(name)).collect();
                if found.is_empty() && values.iter().any(|value| !value.is_null()) {
                    return Err(ListError::Absent { path: key.to(depth), at });
                }
                values = found;
            }
            let mut kinds = values.iter().filter_map(|value| kind_of(value));
            let first = kinds.next();
            let what = match kinds.find(|kind| Some(kind) != first.as_ref()) {
                Some(_) => Some("values of several kinds"),
                None => (first == Some(LIST)).then_some("lists or objects"),
            };
            if let Some(what) = what {
                return Err(ListError::Orderless { path: key.to(key.path.len()), what, at });
            }
        }
        Ok(())
    }

    /// Puts elements in order; equal ones keep theirs.
    pub fn apply(&self, elements: &mut [&Json<'_>]) {
        elements.sort_by(|one, two| {
            self.0
                .iter()
                .map(|key| key.compare(one, two))
                .find(|order| order.is_ne())
                .unwrap_or(Ordering::Equal)
        });
    }
}

impl Key {
    fn compare(&self, one: &Json<'_>, two: &Json<'_>) -> Ordering {
        let order = compare(self.value(one), self.value(two));
        if self.descending { order.reverse() } else { order }
    }

    fn value<'j, 'a>(&self, element: &'j Json<'a>) -> Option<&'j Json<'a>> {
        self.path.iter().try_fold(element, |value, name| value.member(name)).filter(|value| !value.is_null())
    }
}

/// Ascending: what is not there comes last, as in the console's own database.
fn compare(one: Option<&Json<'_>>, two: Option<&Json<'_>>) -> Ordering {
    let (one, two) = match (one, two) {
        (Some(one), Some(two)) => (one, two),
        (one, two) => return one.is_none().cmp(&two.is_none()),
    };
    match (one.kind(), two.kind()) {
        (Kind::Number, Kind::Number) => compare_numbers(one.text(), two.text()),
        (Kind::String(one), Kind::String(two)) => one.cmp(two),
        (Kind::Bool(one), Kind::Bool(two)) => one.cmp(two),
        // One order for all values, so that sorting is sound; `suits` keeps these away.
        _ => kind_of(one).cmp(&kind_of(two)),
    }
}

/// Lists and objects.
const LIST: u8 = 3;

/// The kind of a value by number; `None` for null.
fn kind_of(value: &Json<'_>) -> Option<u8> {
    match value.kind() {
        Kind::Null => None,
        Kind::Bool(_) => Some(0),
        Kind::Number => Some(1),
        Kind::String(_) => Some(2),
        Kind::Array(_) | Kind::Object(_) => Some(LIST),
    }
}

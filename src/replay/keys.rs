//! What a creation asks for: its key, where its life cycle names one.
//!
//! Two searches with different texts are different searches, whatever else they share. So a creation with a key is
//! answered from one with the same key; times and uuids of the client's own do not count if there is none.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use crate::cassette::{Bindings, Index, MatchKey, bind_texts};
use crate::json::Json;
use crate::message::Request;

/// The path, then each key member's value in the order of the life cycle.
pub(super) type Values = Vec<Option<String>>;

/// The recorded creations of one endpoint, by their keys.
#[derive(Debug, Default)]
pub(super) struct Keys {
    exact: BTreeMap<Values, Vec<Index>>,
    masked: OnceLock<BTreeMap<Values, Vec<Index>>>,
}

/// The path of a request, and its members by these names: in its query, its form, or its JSON object.
pub(super) fn key_of(request: &Request, names: &[String]) -> Values {
    values_of(&MatchKey::of(request), names)
}

/// The same of what counts of a request.
pub(super) fn values_of(key: &MatchKey, names: &[String]) -> Values {
    let body = Json::parse(&key.body).ok();
    let form = key.form().unwrap_or_default();
    let value = |name: &String| {
        let pair = key.query.iter().chain(&form).find(|(known, _)| known == name);
        let member = || {
            let member = body.as_ref()?.member(name).filter(|member| !member.is_null())?;
            Some(member.as_str().map_or_else(|| member.text().to_owned(), str::to_owned))
        };
        pair.map(|(_, value)| value.clone()).or_else(member)
    };
    std::iter::once(Some(key.path.clone())).chain(names.iter().map(value)).collect()
}

impl Keys {
    pub(super) fn file_away(&mut self, key: Values, index: Index) {
        self.exact.entry(key).or_default().push(index);
    }

    /// The creations with this key, in file order, and whether volatile values had to be left out to find them; without
    /// `loose` they may not. What a placeholder in a recorded key stands for, in `bound` or in this one, is the same.
    pub(super) fn under(
        &self,
        key: &Values,
        loose: Option<&dyn Fn(&str) -> String>,
        bound: &Bindings,
    ) -> (&[Index], bool) {
        if let Some(found) = found(&self.exact, key, bound) {
            return (found, false);
        }
        let Some(loose) = loose else { return (&[], false) };
        let mask = |key: &Values| -> Values { key.iter().map(|value| value.as_deref().map(loose)).collect() };
        let masked = self.masked.get_or_init(|| {
            let mut masked: BTreeMap<Values, Vec<Index>> = BTreeMap::new();
            for (key, indexes) in &self.exact {
                masked.entry(mask(key)).or_default().extend(indexes);
            }
            masked.values_mut().for_each(|indexes| indexes.sort_unstable());
            masked
        });
        (found(masked, &mask(key), bound).unwrap_or_default(), true)
    }
}

/// Under this very key, else under one that is the same but for its placeholders, the first in file order. One whose
/// placeholders stand for something else is what another asked for.
fn found<'k>(keys: &'k BTreeMap<Values, Vec<Index>>, key: &Values, bound: &Bindings) -> Option<&'k [Index]> {
    if let Some(indexes) = keys.get(key) {
        return Some(indexes);
    }
    let mut in_order: Vec<(&Values, &Vec<Index>)> = keys.iter().collect();
    in_order.sort_by_key(|(_, indexes)| indexes.first());
    let fits = |recorded: &Values| bind_key(recorded, key).is_some_and(|one| bound.agrees(&one));
    in_order.into_iter().find(|(recorded, _)| fits(recorded)).map(|(_, indexes)| indexes.as_slice())
}

pub(super) fn bind_key(recorded: &Values, live: &Values) -> Option<Bindings> {
    let same = recorded.len() == live.len()
        && recorded.iter().zip(live).all(|(one, two)| one.is_some() == two.is_some());
    let both = recorded.iter().zip(live).filter_map(|(one, two)| one.as_deref().zip(two.as_deref()));
    if same { bind_texts(both) } else { None }
}

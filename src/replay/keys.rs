//! What a creation asks for: its key, where its life cycle names one.
//!
//! Two searches with different texts are different searches, whatever else they share. So a creation with a key is
//! answered from one with the same key; times and uuids of the client's own do not count if there is none.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use crate::cassette::{Index, MatchKey};
use crate::json::Json;
use crate::message::Request;

/// Each key member's value, in the order of the life cycle.
pub(super) type Key = Vec<Option<String>>;

/// The recorded creations of one endpoint, by their keys.
#[derive(Debug, Default)]
pub(super) struct Keys {
    exact: BTreeMap<Key, Vec<Index>>,
    masked: OnceLock<BTreeMap<Key, Vec<Index>>>,
}

/// The members of a request by these names: in its query, its form, or its JSON object.
pub(super) fn key_of(request: &Request, names: &[String]) -> Key {
    let key = MatchKey::of(request);
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
    names.iter().map(value).collect()
}

impl Keys {
    pub(super) fn file_away(&mut self, key: Key, index: Index) {
        self.exact.entry(key).or_default().push(index);
    }

    /// The creations with this key, in file order, and whether volatile values had to be left out to find them.
    pub(super) fn under(&self, key: &Key, loose: &dyn Fn(&str) -> String) -> (&[Index], bool) {
        if let Some(found) = self.exact.get(key) {
            return (found, false);
        }
        let mask = |key: &Key| -> Key { key.iter().map(|value| value.as_deref().map(loose)).collect() };
        let masked = self.masked.get_or_init(|| {
            let mut masked: BTreeMap<Key, Vec<Index>> = BTreeMap::new();
            for (key, indexes) in &self.exact {
                masked.entry(mask(key)).or_default().extend(indexes);
            }
            masked.values_mut().for_each(|indexes| indexes.sort_unstable());
            masked
        });
        (masked.get(&mask(key)).map_or(&[], Vec::as_slice), true)
    }
}

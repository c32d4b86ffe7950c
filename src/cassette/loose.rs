//! The second step of matching, taken only where nothing recorded is the very request: volatile values do not count.

use std::collections::HashMap;

use super::deck::{Slot, has_placeholder};
use super::placeholders::{Bindings, bind_keys, first_bound};
use super::volatile::{self, Given};
use super::{Cassette, MatchKey};
use crate::message::Request;

/// Recordings whose requests hold volatile values, by their keys without these.
#[derive(Debug)]
pub(crate) struct Loose {
    given: Given,
    by_mask: HashMap<MatchKey, Vec<Slot>>,
    /// Those of the keys that hold placeholders, in file order.
    with_placeholders: Vec<MatchKey>,
}

impl Loose {
    /// Of slots in file order.
    pub(super) fn new<'s>(cassette: &Cassette, slots: impl Iterator<Item = &'s Slot>) -> Self {
        let given = Given::of(cassette);
        let mut by_mask: HashMap<MatchKey, Vec<Slot>> = HashMap::new();
        let mut with_placeholders = Vec::new();
        for slot in slots {
            let recorded = cassette.interactions.get(slot.index).map(|it| MatchKey::of(&it.request));
            if let Some(masked) = recorded.and_then(|key| volatile::masked(&key, &given)) {
                if has_placeholder(&masked) && !by_mask.contains_key(&masked) {
                    with_placeholders.push(masked.clone());
                }
                by_mask.entry(masked).or_default().push(slot.clone());
            }
        }
        Self { given, by_mask, with_placeholders }
    }

    /// All recordings of a request but for its volatile values, and the placeholders of the recorded one, in file order,
    /// and what they share.
    pub(crate) fn under(&self, key: &MatchKey, bound: &Bindings) -> Option<(MatchKey, &[Slot])> {
        if self.by_mask.is_empty() {
            return None;
        }
        let masked = volatile::masked(key, &self.given)?;
        if let Some(slots) = self.by_mask.get(&masked) {
            return Some((masked, slots));
        }
        let first =
            first_bound(self.with_placeholders.iter(), bound, |recorded| bind_keys(recorded, &masked))?;
        Some((first.clone(), self.by_mask.get(first)?))
    }

    /// What the placeholders of a recorded request stand for in one that differs from it by volatile values.
    pub(crate) fn bind(&self, recorded: &Request, live: &Request) -> Option<Bindings> {
        let masked = |request: &Request| volatile::masked(&MatchKey::of(request), &self.given);
        bind_keys(&masked(recorded)?, &masked(live)?)
    }

    /// A text without its volatile values.
    pub(crate) fn text(&self, text: &str) -> String {
        volatile::text_of(text, &self.given).into_owned()
    }
}

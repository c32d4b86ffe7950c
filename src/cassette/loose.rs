//! The second step of matching, taken only where nothing recorded is the very request: volatile values do not count.

use std::collections::HashMap;

use super::deck::Slot;
use super::volatile::{self, Given};
use super::{Cassette, MatchKey};

/// Recordings whose requests hold volatile values, by their keys without these.
#[derive(Debug)]
pub(crate) struct Loose {
    given: Given,
    by_mask: HashMap<MatchKey, Vec<Slot>>,
}

impl Loose {
    /// Of slots in file order.
    pub(super) fn new<'s>(cassette: &Cassette, slots: impl Iterator<Item = &'s Slot>) -> Self {
        let given = Given::of(cassette);
        let mut by_mask: HashMap<MatchKey, Vec<Slot>> = HashMap::new();
        for slot in slots {
            let recorded = cassette.interactions.get(slot.index).map(|it| MatchKey::of(&it.request));
            if let Some(masked) = recorded.and_then(|key| volatile::masked(&key, &given)) {
                by_mask.entry(masked).or_default().push(slot.clone());
            }
        }
        Self { given, by_mask }
    }

    /// All recordings of a request but for its volatile values, in file order, and what they share.
    pub(crate) fn under(&self, key: &MatchKey) -> Option<(MatchKey, &[Slot])> {
        if self.by_mask.is_empty() {
            return None;
        }
        let masked = volatile::masked(key, &self.given)?;
        let slots = self.by_mask.get(&masked)?;
        Some((masked, slots))
    }

    /// A text without its volatile values.
    pub(crate) fn text(&self, text: &str) -> String {
        volatile::text_of(text, &self.given).into_owned()
    }
}

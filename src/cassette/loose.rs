//! The second step of matching, taken only where nothing recorded is the very request: what a user's rules leave out
//! does not count, and then neither do volatile values.

use std::collections::HashMap;

use super::deck::{Frame, Slot, has_placeholder};
use super::placeholders::{Bindings, bind_keys, first_bound};
use super::rules::MatchRules;
use super::volatile::{self, Given};
use super::{Cassette, MatchKey};
use crate::message::Request;

/// Recordings by their keys as rules see them, and by these without volatile values.
#[derive(Debug)]
pub(crate) struct Loose {
    rules: MatchRules,
    given: Given,
    by_rules: Index,
    by_mask: Index,
}

/// Recordings by a key that leaves something out.
#[derive(Debug, Default)]
struct Index {
    by_key: HashMap<MatchKey, Vec<Slot>>,
    /// Keys with placeholders in them.
    with_placeholders: HashMap<Frame, Vec<MatchKey>>,
}

impl Index {
    fn file_away(&mut self, key: MatchKey, slot: &Slot) {
        if has_placeholder(&key) && !self.by_key.contains_key(&key) {
            self.with_placeholders.entry(Frame::of(&key)).or_default().push(key.clone());
        }
        self.by_key.entry(key).or_default().push(slot.clone());
    }

    /// What stands under a key, else under one whose placeholders can stand for what the key has.
    fn under(&self, key: &MatchKey, bound: &Bindings) -> Option<&[Slot]> {
        if let Some(slots) = self.by_key.get(key) {
            return Some(slots);
        }
        let recorded = self.with_placeholders.get(&Frame::of(key))?.iter();
        let first = first_bound(recorded, bound, |recorded| bind_keys(recorded, key))?;
        self.by_key.get(first).map(Vec::as_slice)
    }
}

/// Recordings that are a request but for some of its values, in file order, and the key that they share with it.
pub(crate) type Alike<'l> = (MatchKey, &'l [Slot]);

impl Loose {
    /// Of slots in file order.
    pub(super) fn new<'s>(
        cassette: &Cassette,
        rules: &MatchRules,
        slots: impl Iterator<Item = &'s Slot>,
    ) -> Self {
        let given = Given::of(cassette);
        let (mut by_rules, mut by_mask) = (Index::default(), Index::default());
        for slot in slots {
            let Some(interaction) = cassette.interactions.get(slot.index) else { continue };
            let seen = rules.seen(&MatchKey::of(&interaction.request));
            if let Some(masked) = volatile::masked(&seen, &given).filter(|_| rules.is_loose()) {
                by_mask.file_away(masked, slot);
            }
            if rules.change_keys() {
                by_rules.file_away(seen, slot);
            }
        }
        Self { rules: rules.clone(), given, by_rules, by_mask }
    }

    /// The rules it follows.
    pub(super) fn rules(&self) -> &MatchRules {
        &self.rules
    }

    /// What the rules say is the request; the key is none that a request has.
    pub(crate) fn by_rules(&self, key: &MatchKey, bound: &Bindings) -> Option<Alike<'_>> {
        let seen = self.rules.seen(key);
        let slots = self.by_rules.under(&seen, bound)?;
        Some((MatchKey { method: format!("{}\u{1}", seen.method).into(), ..seen }, slots))
    }

    /// What is the request but for its volatile values, and for what recorded placeholders stand for.
    pub(crate) fn by_mask(&self, key: &MatchKey, bound: &Bindings) -> Option<Alike<'_>> {
        let masked = volatile::masked(&self.rules.seen(key), &self.given)?;
        let slots = self.by_mask.under(&masked, bound)?;
        Some((masked, slots))
    }

    /// What the placeholders of a recorded request stand for in one that was matched loosely.
    pub(crate) fn bind(&self, recorded: &Request, live: &Request) -> Option<Bindings> {
        let masked = |request: &Request| {
            let seen = self.rules.seen(&MatchKey::of(request));
            volatile::masked(&seen, &self.given).unwrap_or(seen)
        };
        bind_keys(&masked(recorded), &masked(live))
    }

    /// A text without its volatile values.
    pub(crate) fn text(&self, text: &str) -> String {
        match self.rules.is_loose() {
            true => volatile::text_of(text, &self.given).into_owned(),
            false => text.to_owned(),
        }
    }
}

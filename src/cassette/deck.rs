//! [`Deck`]: finds interactions by match key. Built once per cassette, shared by all sessions; holds no session's state.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use foldhash::quality::RandomState;

use super::facts::Fact;
use super::loose::Loose;
use super::moments::{Moments, Related};
use super::placeholders::{Bindings, bind_keys, first_bound};
use super::rules::MatchRules;
use super::{Cassette, Interaction, MatchKey, Shown, nearest};
use crate::fields::FieldSelector;
use crate::profile::{Profile, fields_text};
use crate::redact::customer::tokens;

/// An interaction's place in its cassette.
pub type Index = usize;

/// For how many sets of rules the second step is kept ready.
const LOOSE_MAX: usize = 16;

/// A recording of a request.
#[derive(Clone, Debug)]
pub struct Slot {
    /// Its place in the cassette.
    pub index: Index,
    /// How many writes answered 2xx the same resource's recording has before it. A write belongs to the epoch it ends.
    pub epoch: usize,
    /// The `fields` that were asked for; `None` for the whole resource, and for a `fields` that does not parse.
    pub selector: Option<FieldSelector>,
    /// Whether the gate refuses such a request (no credentials, a wrong `fields`), or cannot read it though the console
    /// did. Such a recording answers the very same request only: it lends its answer to no other and is in no sequence.
    pub refused: bool,
    /// The moment of the last write elsewhere that changed what this read shows; 0 before the first.
    pub moment: u32,
    /// All such writes, where the recordings of this path come before and after some.
    pub related: Option<Related>,
}

/// Interactions by match key.
///
/// A write answered 2xx cuts the recording of its resource, which is its path up to the last `{id}`, or the collection
/// it is posted to, into epochs. The items of a collection are resources of their own: they have no epoch of its.
/// What the recorder fetched by itself ([`Interaction::by_recorder`]) is in no slot.
#[derive(Debug)]
pub struct Deck {
    /// The place of each key in `keys`.
    by_key: HashMap<Arc<MatchKey>, u32, RandomState>,
    /// By the places of their keys; in file order those of one key. Most keys have one: a list for each would take more
    /// than what is in it.
    slots: Vec<Slot>,
    /// Where the slots of each key end.
    ends: Vec<u32>,
    /// Recorded requests with placeholders in them, by what they cannot change; looked at one by one, in file order.
    with_placeholders: HashMap<Frame, Vec<Arc<MatchKey>>>,
    epochs: Vec<usize>,
    /// Whether a request stands alone: see [`Slot::refused`].
    alone: Vec<bool>,
    /// Each key once, with its first interaction, in file order.
    keys: Vec<(Arc<MatchKey>, Index)>,
    /// Those that ask for a window.
    ranged: Vec<Arc<MatchKey>>,
    /// Made by the first request that nothing matches; one for each set of rules.
    loose: Mutex<Vec<Arc<Loose>>>,
    shown: Shown,
}

impl Deck {
    /// Files every interaction under its key.
    pub fn new(cassette: &Cassette, profile: &Profile) -> Self {
        Self::of(cassette, &Fact::of_each(&cassette.interactions, profile), profile)
    }

    /// The same, of what is known of each interaction.
    pub(crate) fn of(cassette: &Cassette, facts: &[Fact<'_>], profile: &Profile) -> Self {
        let (shown, alone) = Shown::of(cassette, facts, profile);
        let mut deck = Self {
            by_key: HashMap::with_capacity_and_hasher(facts.len(), RandomState::default()),
            slots: Vec::with_capacity(facts.len()),
            ends: Vec::with_capacity(facts.len()),
            with_placeholders: HashMap::new(),
            epochs: Vec::with_capacity(cassette.interactions.len()),
            alone,
            keys: Vec::with_capacity(facts.len()),
            ranged: Vec::new(),
            loose: Mutex::default(),
            shown,
        };
        // Of a resource that nothing was written to there is nothing to say.
        let mut epochs: HashMap<&str, usize, RandomState> = HashMap::default();
        let moments = Moments::of(cassette, facts);
        let mut places = vec![0; facts.len()];
        for ((index, (interaction, fact)), place) in
            cassette.interactions.iter().zip(facts).enumerate().zip(&mut places)
        {
            let request = &interaction.request;
            let epoch = epochs.get(&*fact.resource).copied().unwrap_or_default();
            deck.epochs.push(epoch);
            if !request.is_read() && interaction.response.is_success() {
                epochs.insert(&fact.resource, epoch + 1);
            }
            if !interaction.by_recorder {
                *place = deck.file_away((index, epoch), interaction, fact, &moments);
            }
        }
        deck.put_in_order(&places);
        deck.by_key.shrink_to_fit();
        deck.keys.shrink_to_fit();
        deck.slots.shrink_to_fit();
        deck.ends.shrink_to_fit();
        deck
    }

    /// Puts a recording beside the others; gives the place of its key.
    fn file_away(
        &mut self,
        (index, epoch): (Index, usize),
        interaction: &Interaction,
        fact: &Fact<'_>,
        moments: &Moments,
    ) -> u32 {
        let (moment, related) = moments.of_read(index, interaction.request.path());
        let slot = Slot {
            moment,
            related: related.cloned(),
            index,
            epoch,
            selector: selector(interaction, fact),
            refused: self.stands_alone(index),
        };
        self.slots.push(slot);
        let key = &fact.key;
        // No memory holds as many keys as there are numbers for them.
        let fresh = u32::try_from(self.keys.len()).unwrap_or(u32::MAX);
        let place = *self.by_key.entry(Arc::clone(key)).or_insert(fresh);
        // The slots of each key are counted first.
        if let Some(count) = self.ends.get_mut(place as usize) {
            *count += 1;
            return place;
        }
        self.ends.push(1);
        self.keys.push((Arc::clone(key), index));
        if key.range.is_some() {
            self.ranged.push(Arc::clone(key));
        }
        if has_placeholder(key) {
            self.with_placeholders.entry(Frame::of(key)).or_default().push(Arc::clone(key));
        }
        place
    }

    /// Puts the slots of each key side by side. `places` has the place of the key of each interaction.
    fn put_in_order(&mut self, places: &[u32]) {
        // In a file that faultdeck wrote most are already.
        let place = |slot: &Slot| places.get(slot.index);
        if !self.slots.is_sorted_by_key(place) {
            self.slots.sort_by_key(place);
        }
        let mut end = 0;
        for count in &mut self.ends {
            end += *count;
            *count = end;
        }
    }

    fn under_this(&self, key: &MatchKey) -> Option<&[Slot]> {
        let place = *self.by_key.get(key)? as usize;
        let begin = match place.checked_sub(1) {
            Some(before) => *self.ends.get(before)?,
            None => 0,
        };
        self.slots.get(begin as usize..*self.ends.get(place)? as usize)
    }

    /// Whether this interaction answers its very request only: see [`Slot::refused`].
    pub(crate) fn stands_alone(&self, index: Index) -> bool {
        self.alone.get(index).copied().unwrap_or_default()
    }

    /// All recordings of a request, in file order: under this very key, else under one that is the same but for the
    /// placeholders in the recorded request. Mind [`Slot::refused`].
    pub fn under(&self, key: &MatchKey) -> &[Slot] {
        self.under_bound(key, &Bindings::default())
    }

    /// The same, where some placeholders stand for something already: of several recorded requests that fit, the first
    /// that does not say otherwise.
    pub(crate) fn under_bound(&self, key: &MatchKey, bound: &Bindings) -> &[Slot] {
        if let Some(slots) = self.under_this(key) {
            return slots;
        }
        let Some(candidates) = self.with_placeholders.get(&Frame::of(key)) else { return &[] };
        let first = first_bound(candidates.iter(), bound, |recorded| bind_keys(recorded, key));
        first.and_then(|recorded| self.under_this(recorded)).unwrap_or_default()
    }

    /// The second step, for a request that [`Deck::under`] finds nothing for. `cassette` is the one this was made of.
    pub(crate) fn loose(&self, cassette: &Cassette, rules: &MatchRules) -> Arc<Loose> {
        let mut made = self.loose.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(loose) = made.iter().find(|loose| loose.rules() == rules) {
            return Arc::clone(loose);
        }
        let mut slots: Vec<&Slot> = self.slots.iter().collect();
        slots.sort_by_key(|slot| slot.index);
        let loose = Arc::new(Loose::new(cassette, rules, slots.into_iter()));
        if made.len() >= LOOSE_MAX {
            made.remove(0);
        }
        made.push(Arc::clone(&loose));
        loose
    }

    /// The recorded requests that are this one but for the window that they ask for.
    pub(crate) fn windows_of<'d>(&'d self, key: &'d MatchKey) -> impl Iterator<Item = &'d MatchKey> {
        self.ranged.iter().map(|recorded| &**recorded).filter(move |recorded| {
            recorded.range != key.range
                && (&recorded.method, &recorded.path) == (&key.method, &key.path)
                && (&recorded.query, &recorded.body) == (&key.query, &key.body)
        })
    }

    /// What the cassette shows of its console.
    pub fn shown(&self) -> &Shown {
        &self.shown
    }

    pub(crate) fn shown_mut(&mut self) -> &mut Shown {
        &mut self.shown
    }

    /// The epoch of an interaction; 0 past the end of the cassette.
    pub fn epoch_of(&self, index: Index) -> usize {
        self.epochs.get(index).copied().unwrap_or_default()
    }

    /// The three nearest recorded requests, for a miss: the first interaction of each, and what differs, recorded against
    /// received.
    pub fn nearest(&self, key: &MatchKey) -> Vec<(Index, String)> {
        nearest::nearest(&self.keys, key)
    }
}

/// What is the same in a recorded request and in one that fits it.
#[derive(Debug, PartialEq, Eq, Hash)]
pub(super) struct Frame {
    method: String,
    segments: usize,
    names: Vec<String>,
}

impl Frame {
    pub(super) fn of(key: &MatchKey) -> Self {
        Self {
            method: key.method.clone().into_owned(),
            segments: key.path.split('/').count(),
            names: key.query.iter().map(|(name, _)| name.clone()).collect(),
        }
    }
}

/// Whether a key holds what stands for something else.
pub(super) fn has_placeholder(key: &MatchKey) -> bool {
    // There is one of these in every placeholder, and none in most keys.
    let may_hold = |text: &&str| text.bytes().any(|byte| matches!(byte, b'-' | b'.' | b':'));
    let values = key.query.iter().map(|(_, value)| value.as_str());
    values
        .chain([key.path.as_str(), key.body.as_str()])
        .filter(may_hold)
        .any(|text| text.contains("fd-secret-") || tokens(text).next().is_some())
}

/// An endpoint no profile knows is taken to carry `fields` in the query, as nearly all do.
fn selector(interaction: &Interaction, fact: &Fact<'_>) -> Option<FieldSelector> {
    let request = &interaction.request;
    let text = match fact.endpoint {
        Some(endpoint) => fields_text(endpoint, request),
        None => request.param("fields"),
    };
    FieldSelector::parse(&text?).ok().flatten()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::{Request, Response};

    #[test]
    fn all_recordings_of_a_request_are_found_in_file_order_wherever_they_stand() {
        let get = |path: &&str| Interaction {
            id: String::new(),
            endpoint: "".into(),
            request: Request::new("GET", path),
            response: Response::json(200, "{}"),
            by_recorder: path.ends_with("hidden"),
            moment: 0,
            notes: Vec::new(),
        };
        let paths = ["/x/b", "/x/a", "/x/hidden", "/x/b", "/x/c", "/x/a", "/x/b"];
        let cassette = Cassette { interactions: paths.iter().map(get).collect(), ..Cassette::default() };
        let deck = Deck::new(&cassette, Profile::builtin());
        let under = |path: &str| -> Vec<Index> {
            deck.under(&MatchKey::of(&Request::new("GET", path))).iter().map(|slot| slot.index).collect()
        };
        for (path, expected) in
            [("/x/a", &[1, 5][..]), ("/x/b", &[0, 3, 6]), ("/x/c", &[4]), ("/x/hidden", &[]), ("/x/d", &[])]
        {
            assert_eq!(under(path), expected, "{path}");
        }
    }
}

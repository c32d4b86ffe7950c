//! [`Deck`]: finds interactions by match key. Built once per cassette, shared by all sessions; holds no session's state.

use std::collections::HashMap;
use std::hash::BuildHasher;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use foldhash::quality::RandomState;
use hashbrown::HashTable;
use hashbrown::hash_table::Entry;

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
    /// Whether the gate refuses such a request (no credentials, a wrong `fields`), or cannot read it though the console
    /// did. Such a recording answers the very same request only: it lends its answer to no other and is in no sequence.
    pub refused: bool,
    /// The moment of the last write elsewhere that changed what this read shows; 0 before the first.
    pub moment: u32,
    /// What most recordings do not have.
    rare: Option<Box<Rare>>,
}

#[derive(Clone, Debug)]
struct Rare {
    selector: Option<FieldSelector>,
    related: Option<Related>,
}

impl Slot {
    /// The `fields` that were asked for; `None` for the whole resource, and for a `fields` that does not parse.
    pub fn selector(&self) -> Option<&FieldSelector> {
        self.rare.as_ref()?.selector.as_ref()
    }

    /// All writes elsewhere that changed what this read shows, where the recordings of this path come before and after
    /// some.
    pub fn related(&self) -> Option<&Related> {
        self.rare.as_ref()?.related.as_ref()
    }
}

/// Interactions by match key.
///
/// A write answered 2xx cuts the recording of its resource, which is its path up to the last `{id}`, or the collection
/// it is posted to, into epochs. The items of a collection are resources of their own: they have no epoch of its.
/// What the recorder fetched by itself ([`Interaction::by_recorder`]) is in no slot.
#[derive(Debug)]
pub struct Deck {
    cassette: Cassette,
    /// Each key's place, by its hash. The key itself is that of the first of its slots, and made of it again where
    /// somebody asks for one of this hash: kept, it would take more than the request that it is of.
    by_key: HashTable<u32>,
    hasher: RandomState,
    /// By the places of their keys; in file order those of one key. Most keys have one: a list for each would take more
    /// than what is in it.
    slots: Vec<Slot>,
    /// Where the slots of each key end; keys are in file order of their first.
    ends: Vec<u32>,
    /// Recorded requests with placeholders in them, by what they cannot change; looked at one by one, in file order.
    with_placeholders: HashMap<Frame, Vec<Arc<MatchKey>>>,
    epochs: Vec<u32>,
    /// Whether a request stands alone: see [`Slot::refused`].
    alone: Vec<bool>,
    /// Those that ask for a window.
    ranged: Vec<Arc<MatchKey>>,
    /// Each key once, with its first interaction, in file order; made by the first request that nothing matches.
    keys: OnceLock<Vec<(MatchKey, Index)>>,
    /// Made by the first request that nothing matches; one for each set of rules.
    loose: Mutex<Vec<Arc<Loose>>>,
    shown: Shown,
}

/// What is known of the keys while a deck is made.
#[derive(Default)]
struct Filed {
    /// The hash of each, by its place.
    hashes: Vec<u64>,
    /// The first interaction of each.
    firsts: Vec<Index>,
    /// The place of the key of each interaction.
    places: Vec<u32>,
}

impl Deck {
    /// Files every interaction under its key.
    pub fn new(cassette: Cassette, profile: &Profile) -> Self {
        let hasher = RandomState::default();
        let facts = Fact::of_each(&cassette.interactions, profile, &hasher);
        Self::of(cassette, &facts, hasher, profile)
    }

    /// The same, of what is known of each interaction; keys were hashed with `hasher`.
    pub(crate) fn of(cassette: Cassette, facts: &[Fact<'_>], hasher: RandomState, profile: &Profile) -> Self {
        let (shown, alone) = Shown::of(&cassette, facts, profile);
        let moments = Moments::of(&cassette, facts);
        let mut deck = Self {
            by_key: HashTable::with_capacity(facts.len()),
            hasher,
            slots: Vec::with_capacity(facts.len()),
            ends: Vec::with_capacity(facts.len()),
            with_placeholders: HashMap::new(),
            epochs: epochs(&cassette, facts),
            alone,
            ranged: Vec::new(),
            keys: OnceLock::new(),
            loose: Mutex::default(),
            shown,
            cassette,
        };
        let mut filed = Filed { places: vec![0; facts.len()], ..Filed::default() };
        for (index, fact) in facts.iter().enumerate() {
            deck.file_away(index, fact, &moments, &mut filed);
        }
        deck.put_in_order(&filed.places);
        let hash_of = |place: &u32| filed.hashes.get(*place as usize).copied().unwrap_or_default();
        deck.by_key.shrink_to_fit(hash_of);
        deck.slots.shrink_to_fit();
        deck.ends.shrink_to_fit();
        deck
    }

    /// Puts a recording beside the others.
    fn file_away(&mut self, index: Index, fact: &Fact<'_>, moments: &Moments, filed: &mut Filed) {
        let interactions = &self.cassette.interactions;
        let Some(interaction) = interactions.get(index).filter(|it| !it.by_recorder) else { return };
        let request = &interaction.request;
        let (moment, related) = moments.of_read(index, request.path());
        let (selector, related) = (selector(interaction, fact), related.cloned());
        let rare = (selector.is_some() || related.is_some()).then(|| Box::new(Rare { selector, related }));
        let (epoch, refused) = (self.epoch_of(index), self.stands_alone(index));
        self.slots.push(Slot { index, epoch, refused, moment, rare });
        let is_same = |place: &u32| {
            let first = filed.firsts.get(*place as usize).and_then(|first| interactions.get(*first));
            first
                .is_some_and(|first| *request == first.request || MatchKey::of(request).is_of(&first.request))
        };
        let hash_of = |place: &u32| filed.hashes.get(*place as usize).copied().unwrap_or_default();
        let place = match self.by_key.entry(fact.hash, is_same, hash_of) {
            Entry::Occupied(known) => *known.get(),
            Entry::Vacant(free) => {
                // No memory holds as many keys as there are numbers for them.
                let fresh = u32::try_from(self.ends.len()).unwrap_or(u32::MAX);
                free.insert(fresh);
                self.ends.push(0);
                filed.hashes.push(fact.hash);
                filed.firsts.push(index);
                if let Some(key) = &fact.key {
                    self.note(key);
                }
                fresh
            }
        };
        // The slots of each key are counted first.
        self.ends.iter_mut().skip(place as usize).take(1).for_each(|count| *count += 1);
        filed.places.iter_mut().skip(index).take(1).for_each(|of_this| *of_this = place);
    }

    /// Keeps a key that is looked for in another way than by its hash.
    fn note(&mut self, key: &Arc<MatchKey>) {
        if key.range.is_some() {
            self.ranged.push(Arc::clone(key));
        }
        if has_placeholder(key) {
            self.with_placeholders.entry(Frame::of(key)).or_default().push(Arc::clone(key));
        }
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

    /// The cassette that this was made of.
    pub fn cassette(&self) -> &Cassette {
        &self.cassette
    }

    /// The slots of the key that has this place.
    fn at(&self, place: u32) -> &[Slot] {
        let place = place as usize;
        let begin = place.checked_sub(1).map_or(Some(&0), |before| self.ends.get(before));
        let range = begin.zip(self.ends.get(place)).map(|(begin, end)| *begin as usize..*end as usize);
        range.and_then(|range| self.slots.get(range)).unwrap_or_default()
    }

    /// The first interaction of the key that has this place.
    fn first_at(&self, place: u32) -> Option<(Index, &Interaction)> {
        let index = self.at(place).first()?.index;
        Some((index, self.cassette.interactions.get(index)?))
    }

    fn under_this(&self, key: &MatchKey) -> Option<&[Slot]> {
        let is_it = |place: &u32| self.first_at(*place).is_some_and(|(_, first)| key.is_of(&first.request));
        self.by_key.find(self.hasher.hash_one(key), is_it).map(|place| self.at(*place))
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

    /// The second step, for a request that [`Deck::under`] finds nothing for.
    pub(crate) fn loose(&self, rules: &MatchRules) -> Arc<Loose> {
        let mut made = self.loose.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(loose) = made.iter().find(|loose| loose.rules() == rules) {
            return Arc::clone(loose);
        }
        let mut slots: Vec<&Slot> = self.slots.iter().collect();
        slots.sort_by_key(|slot| slot.index);
        let loose = Arc::new(Loose::new(&self.cassette, rules, slots.into_iter()));
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
        self.epochs.get(index).copied().unwrap_or_default() as usize
    }

    /// The three nearest recorded requests, for a miss: the first interaction of each, and what differs, recorded against
    /// received.
    pub fn nearest(&self, key: &MatchKey) -> Vec<(Index, String)> {
        let keys = self.keys.get_or_init(|| {
            let places = 0..u32::try_from(self.ends.len()).unwrap_or(u32::MAX);
            let firsts = places.filter_map(|place| self.first_at(place));
            firsts.map(|(index, first)| (MatchKey::of(&first.request), index)).collect()
        });
        nearest::nearest(keys, key)
    }
}

/// How many writes to its resource each interaction comes after.
fn epochs(cassette: &Cassette, facts: &[Fact<'_>]) -> Vec<u32> {
    // Of a resource that nothing was written to there is nothing to keep.
    let mut written: HashMap<&str, u32, RandomState> = HashMap::default();
    let mut epochs = Vec::with_capacity(facts.len());
    for (interaction, fact) in cassette.interactions.iter().zip(facts) {
        let resource = fact.resource.text(interaction);
        let epoch = written.get(resource).copied().unwrap_or_default();
        epochs.push(epoch);
        if !interaction.request.is_read() && interaction.response.is_success() {
            written.insert(resource, epoch + 1);
        }
    }
    epochs
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
        let deck = Deck::new(cassette, Profile::builtin());
        let under = |path: &str| -> Vec<Index> {
            deck.under(&MatchKey::of(&Request::new("GET", path))).iter().map(|slot| slot.index).collect()
        };
        for (path, expected) in
            [("/x/a", &[1, 5][..]), ("/x/b", &[0, 3, 6]), ("/x/c", &[4]), ("/x/hidden", &[]), ("/x/d", &[])]
        {
            assert_eq!(under(path), expected, "{path}");
        }
    }

    #[test]
    fn two_keys_of_one_hash_are_two_keys() {
        let get = |path: &str| Interaction {
            id: String::new(),
            endpoint: "".into(),
            request: Request::new("GET", path),
            response: Response::json(200, "{}"),
            by_recorder: false,
            moment: 0,
            notes: Vec::new(),
        };
        let interactions = ["/x/a", "/x/b", "/x/a", "/x/c"].map(get).into();
        let cassette = Cassette { interactions, ..Cassette::default() };
        let hasher = RandomState::default();
        let mut facts = Fact::of_each(&cassette.interactions, Profile::builtin(), &hasher);
        let asked = MatchKey::of(&Request::new("GET", "/x/b"));
        let hash = hasher.hash_one(&asked);
        facts.iter_mut().for_each(|fact| fact.hash = hash);
        let deck = Deck::of(cassette, &facts, hasher, Profile::builtin());
        let indexes = |slots: &[Slot]| slots.iter().map(|slot| slot.index).collect::<Vec<_>>();
        assert_eq!(indexes(deck.under(&asked)), [1]);
        assert_eq!(
            (0..3).map(|place| indexes(deck.at(place))).collect::<Vec<_>>(),
            [vec![0, 2], vec![1], vec![3]]
        );
    }
}

//! [`Material`]: a cassette made ready to answer from. Built once, shared by any number of sessions.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::hash::BuildHasher;
use std::sync::OnceLock;

use bytes::Bytes;
use foldhash::quality::RandomState;
use hashbrown::HashTable;
use hashbrown::hash_table::Entry;

use crate::cassette::{Cassette, Deck, Fact, Index, Interaction, MatchKey, Resources};
use crate::fields::FieldSelector;
use crate::json::Json;
use crate::message::{Headers, Request};
use crate::profile::{Endpoint, Key, Lifecycle, Profile, ShapeOf, Taken, fields_text, spelt_version};
use crate::timeline::Phase;

use super::keys::{Keys, key_of};

/// A cassette with its index and the state paths of its tasks.
#[derive(Debug)]
pub struct Material {
    deck: Deck,
    profile: &'static Profile,
    resources: Resources,
    hasher: RandomState,
    /// By their resources.
    paths: HashTable<Path>,
    creations: BTreeMap<String, Vec<Index>>,
    keys: BTreeMap<String, Keys>,
    /// Text ids of recorded creations.
    ids: BTreeSet<String>,
    /// The recorded resources of each endpoint.
    held: BTreeMap<String, Held>,
    /// The resources of each endpoint, as the file has it, that a console refused.
    refusals: BTreeMap<String, Held>,
    /// Where anything stands twice.
    duplicates: BTreeMap<Index, Vec<String>>,
    /// What the heads said whose lengths were put right.
    mended: BTreeMap<Index, Headers>,
    id: OnceLock<String>,
}

/// Some resources, each by an interaction that is about it.
type Held = HashTable<Place>;

/// An interaction's place in the cassette; no cassette that is read holds as many as there are numbers for them.
type Place = u32;

/// What was recorded of one task. Most tasks of a large cassette were polled once, and most are never asked for.
#[derive(Debug)]
struct Path {
    first: Place,
    /// The others, and what all are once somebody has asked.
    #[expect(clippy::box_collection, reason = "a list that is not there takes a third of an empty one")]
    others: Option<Box<Vec<Place>>>,
    #[expect(clippy::box_collection, reason = "the same")]
    polls: OnceLock<Box<Vec<Poll>>>,
}

/// What the life cycles have of an endpoint.
#[derive(Clone, Copy, Default)]
struct Part {
    creates: Option<&'static Lifecycle>,
    polls: Option<&'static Lifecycle>,
}

/// One recorded poll of a task.
#[derive(Clone, Debug)]
pub(super) struct Poll {
    pub(super) index: Index,
    /// The phase the task was in; a poll whose state is not in its body has the phase before it.
    pub(super) phase: Phase,
    pub(super) selector: Option<FieldSelector>,
    /// A 2xx answer with a JSON object; anything else is kept at its own place and never rewritten.
    pub(super) is_task: bool,
    /// The state, if the body holds it, as the API spells it.
    pub(super) state: Option<String>,
    /// Fetched by the recorder: lends its body, is no step.
    pub(super) lends_only: bool,
}

impl Material {
    /// Makes `cassette` ready. It never fails: what a cassette lacks shows as misses.
    pub fn new(mut cassette: Cassette, profile: &'static Profile) -> Self {
        let mended = mend_lengths(&mut cassette);
        let hasher = RandomState::default();
        let mut facts = Fact::of_each(&cassette.interactions, profile, &hasher);
        let deck = Deck::of(cassette, &facts, hasher.clone(), profile);
        let duplicates = facts.iter_mut().map(|fact| std::mem::take(&mut fact.duplicates)).enumerate();
        let mut material = Self {
            duplicates: duplicates.filter(|(_, pointers)| !pointers.is_empty()).collect(),
            id: OnceLock::new(),
            mended,
            resources: Resources::with_capacity(facts.len()),
            deck,
            profile,
            hasher,
            paths: HashTable::new(),
            creations: BTreeMap::new(),
            keys: BTreeMap::new(),
            ids: BTreeSet::new(),
            held: BTreeMap::new(),
            refusals: BTreeMap::new(),
        };
        let mut parts: HashMap<usize, Part, RandomState> = HashMap::default();
        for (index, fact) in facts.into_iter().enumerate() {
            material.resources.push(fact.resource);
            let Some(endpoint) = fact.endpoint else { continue };
            let part = parts.entry(std::ptr::from_ref(endpoint).addr()).or_insert_with(|| Part {
                creates: profile.created_by(&endpoint.id),
                polls: profile.task_of(&endpoint.id),
            });
            material.file_away(index, endpoint, *part);
        }
        material
    }

    /// The same, of a console of which other recordings show what it takes.
    #[must_use]
    pub(crate) fn beside(mut self, taken: &Taken) -> Self {
        self.deck.shown_mut().join(taken);
        self
    }

    /// The rules that it speaks against.
    pub(crate) fn taken(&self) -> &Taken {
        self.deck.shown().taken()
    }

    /// The cassette.
    pub fn cassette(&self) -> &Cassette {
        self.deck.cassette()
    }

    /// The shape of an endpoint's elements here: what was recorded of it beside what is published.
    pub(super) fn shape_for<'m>(&'m self, endpoint: &'m Endpoint) -> &'m crate::fields::Shape {
        self.deck.shown().shape_of(endpoint).unwrap_or(&endpoint.shape)
    }

    /// 16 hex digits of the SHA-256 of what the cassette holds, as it was before it was put right.
    pub(crate) fn id(&self) -> &str {
        self.id.get_or_init(|| self.cassette().digest(|index| self.mended.get(&index)))
    }

    pub(super) fn deck(&self) -> &Deck {
        &self.deck
    }

    /// The recorded polls of the task at this resource.
    pub(super) fn path(&self, resource: &str) -> Option<&[Poll]> {
        let is_it = |path: &Path| self.resource(path.first) == resource;
        let path = self.paths.find(self.hasher.hash_one(resource), is_it)?;
        let polls = path.polls.get_or_init(|| Box::new(self.polls(path)));
        if polls.is_empty() { None } else { Some(polls) }
    }

    fn polls(&self, path: &Path) -> Vec<Poll> {
        let others = path.others.iter().flat_map(|others| others.iter().copied());
        let mut polls: Vec<Poll> = Vec::new();
        for place in std::iter::once(path.first).chain(others) {
            let before = polls.last().map_or(Phase::Waiting, |poll| poll.phase);
            polls.extend(self.poll(place as Index, before));
        }
        polls.shrink_to_fit();
        polls
    }

    /// The resource of the interaction that has this place.
    fn resource(&self, place: Place) -> &str {
        self.resources.of(place as Index, &self.cassette().interactions).unwrap_or_default()
    }

    fn holds(&self, held: &Held, resource: &str) -> bool {
        held.find(self.hasher.hash_one(resource), |place| self.resource(*place) == resource).is_some()
    }

    fn poll(&self, index: Index, before: Phase) -> Option<Poll> {
        let interaction = self.cassette().interactions.get(index)?;
        let endpoint = self.profile.find(&interaction.request.method, interaction.request.path())?.endpoint;
        let lifecycle = self.profile.task_of(&endpoint.id)?;
        let selector = recorded_selector(endpoint, interaction).ok()?;
        // A recorded request that the gate refuses is no poll of the task, and a 304 says nothing of it.
        let refused = self.deck.stands_alone(index) && !interaction.by_recorder;
        let is_empty = interaction.response.status == 304;
        (!refused && !is_empty).then(|| poll_of(index, interaction, lifecycle, selector, before))
    }

    /// The recorded creations of this endpoint, in order.
    pub(super) fn creations(&self, endpoint: &str) -> &[Index] {
        self.creations.get(endpoint).map_or(&[], Vec::as_slice)
    }

    /// The same by what they ask for, where a life cycle says what that is.
    pub(super) fn keys(&self, endpoint: &str) -> Option<&Keys> {
        self.keys.get(endpoint)
    }

    /// Whether a recorded creation made something with this text for an id.
    pub(super) fn is_id(&self, text: &str) -> bool {
        self.ids.contains(text)
    }

    /// Whether the cassette holds this endpoint for another resource, and not for this one.
    pub(super) fn knows_others_only(&self, endpoint: &str, resource: &str) -> bool {
        self.held.get(endpoint).is_some_and(|held| !self.holds(held, resource))
    }

    /// Whether the recording has a refusal of this endpoint for this resource.
    pub(super) fn refuses(&self, endpoint: &str, resource: &str) -> bool {
        self.refusals.get(endpoint).is_some_and(|refused| self.holds(refused, resource))
    }

    /// The writes of this endpoint to this resource that a console took.
    pub(super) fn accepted(&self, endpoint: &str, resource: &str) -> impl Iterator<Item = (Index, &Request)> {
        let held =
            self.cassette().interactions.iter().enumerate().filter(move |(_, it)| *it.endpoint == *endpoint);
        held.filter(|(_, it)| it.response.is_success()).map(|(index, it)| (index, &it.request)).filter(
            move |(_, request)| {
                let found = self.profile.find(&request.method, request.path());
                found.is_some_and(|found| found.resource == resource)
            },
        )
    }

    /// The three nearest recorded requests, by the ids of their interactions, and what differs.
    pub(super) fn nearest(&self, key: &MatchKey) -> Vec<(String, String)> {
        let nearest = self.deck.nearest(key).into_iter();
        nearest
            .filter_map(|(index, differs)| {
                Some((self.cassette().interactions.get(index)?.id.clone(), differs))
            })
            .collect()
    }

    /// Pointers of the members that stand twice in this interaction's body.
    pub(super) fn duplicates(&self, index: Index) -> &[String] {
        self.duplicates.get(&index).map_or(&[], Vec::as_slice)
    }

    /// Whether this interaction's `Content-Length` did not fit its body.
    pub(super) fn is_mended(&self, index: Index) -> bool {
        self.mended.contains_key(&index)
    }

    /// The greatest id that any 2xx body holds in these places, an endpoint and its member, and at least 0.
    pub(super) fn greatest(&self, places: &[(&str, &str)]) -> i128 {
        let held = self.cassette().interactions.iter().filter(|it| it.response.is_success());
        let held = held.filter(|it| places.iter().any(|(endpoint, _)| *endpoint == &*it.endpoint));
        held.filter_map(|it| Some((&*it.endpoint, Json::parse(it.response.text()?).ok()?)))
            .flat_map(|(endpoint, body)| {
                let here = places.iter().filter(|(held, _)| **held == *endpoint);
                let of = |value: &Json<'_>| {
                    here.clone().filter_map(|(_, member)| value.member(member)?.as_i128()).max()
                };
                of(&body).into_iter().chain(body.elements().iter().filter_map(of)).collect::<Vec<_>>()
            })
            .max()
            .unwrap_or(0)
            .max(0)
    }

    fn file_away(&mut self, index: Index, endpoint: &'static Endpoint, part: Part) {
        let interactions = &self.deck.cassette().interactions;
        let (Some(interaction), Ok(place)) = (interactions.get(index), Place::try_from(index)) else {
            return;
        };
        let resource_of =
            |place: &Place| self.resources.of(*place as Index, interactions).unwrap_or_default();
        let resource = resource_of(&place);
        let hash = self.hasher.hash_one(resource);
        let hash_of = |place: &Place| self.hasher.hash_one(resource_of(place));
        let is_it = |place: &Place| resource_of(place) == resource;
        let refused =
            (!interaction.response.is_success()).then_some((&mut self.refusals, &*interaction.endpoint));
        for (held, endpoint) in std::iter::once((&mut self.held, endpoint.id.as_str())).chain(refused) {
            let held = match held.get_mut(endpoint) {
                Some(held) => held,
                None => held.entry(endpoint.to_owned()).or_default(),
            };
            held.entry(hash, is_it, hash_of).or_insert(place);
        }
        if part.polls.is_some() {
            match self.paths.entry(hash, |path| is_it(&path.first), |path| hash_of(&path.first)) {
                Entry::Occupied(path) => path.into_mut().others.get_or_insert_default().push(place),
                Entry::Vacant(free) => {
                    free.insert(Path { first: place, others: None, polls: OnceLock::new() });
                }
            }
        }
        if let Some(lifecycle) = part.creates {
            self.creations.entry(endpoint.id.clone()).or_default().push(index);
            if let Key::Members(names) = &lifecycle.key {
                let key = key_of(&interaction.request, names);
                self.keys.entry(endpoint.id.clone()).or_default().file_away(key, index);
            }
            let answer = interaction.response.text().and_then(|text| Json::parse(text).ok());
            let id = answer
                .as_ref()
                .and_then(|answer| answer.member(&lifecycle.creator(&endpoint.id)?.id)?.as_str());
            self.ids.extend(id.map(str::to_owned));
        }
    }
}

/// A `Content-Length` that does not fit the body (edited by hand) gives way to the true one, and any beside chunks to
/// none: a client would wait for bytes that never come, or take half a body for a whole one.
fn mend_lengths(cassette: &mut Cassette) -> BTreeMap<Index, Headers> {
    const NAME: &str = "Content-Length";
    let mut mended = BTreeMap::new();
    for (index, interaction) in cassette.interactions.iter_mut().enumerate() {
        let response = &mut interaction.response;
        let is_bodiless =
            interaction.request.method == "HEAD" || matches!(response.status, 100..=199 | 204 | 304);
        let is_chunked = response.headers.lists("Transfer-Encoding", "chunked");
        let (first, second) = {
            let mut lengths = response.headers.all(NAME);
            (lengths.next(), lengths.next())
        };
        let fits = match (first, second) {
            (None, _) => true,
            (Some(only), None) => !is_chunked && is_length(only, response.body.len()),
            (Some(_), Some(_)) => false,
        };
        if is_bodiless || fits {
            continue;
        }
        let length = response.body.len().to_string();
        let mut first = !is_chunked;
        let lines = response.headers.iter().filter_map(|line| match line.is(NAME) {
            true => std::mem::take(&mut first).then(|| (line.name.clone(), Bytes::from(length.clone()))),
            false => Some((line.name.clone(), line.value.clone())),
        });
        let lines: Headers = lines.collect();
        mended.insert(index, std::mem::replace(&mut response.headers, lines));
    }
    mended
}

/// Whether this is the text of a number, to the letter.
fn is_length(text: &[u8], length: usize) -> bool {
    let mut rest = length;
    let mut digits = text.iter().rev();
    loop {
        // The last digit of a number is one.
        let digit = b'0' + u8::try_from(rest % 10).unwrap_or_default();
        rest /= 10;
        match digits.next() {
            Some(found) if *found == digit && rest == 0 => return digits.next().is_none(),
            Some(found) if *found == digit => {}
            _ => return false,
        }
    }
}

fn recorded_selector(
    endpoint: &Endpoint,
    interaction: &Interaction,
) -> Result<Option<FieldSelector>, crate::fields::FieldsError> {
    fields_text(endpoint, &interaction.request).map_or(Ok(None), |text| FieldSelector::parse(&text))
}

fn poll_of(
    index: Index,
    interaction: &Interaction,
    lifecycle: &Lifecycle,
    selector: Option<FieldSelector>,
    before: Phase,
) -> Poll {
    let body = interaction.response.text().and_then(|text| Json::parse(text).ok());
    let is_task =
        interaction.response.is_success() && body.as_ref().is_some_and(|body| !body.members().is_empty());
    let state = body.as_ref().filter(|_| is_task).and_then(|body| state_of(lifecycle, body));
    let phase = state.as_deref().and_then(|state| lifecycle.phase(state)).unwrap_or(before);
    Poll { index, phase, selector, is_task, state, lends_only: interaction.by_recorder }
}

/// The task's state as the API spells it, under whichever of its names the body has.
pub(super) fn state_of(lifecycle: &Lifecycle, body: &Json<'_>) -> Option<String> {
    lifecycle.state.iter().find_map(|name| body.member(name)?.as_str().map(str::to_owned))
}

/// Whether two requests with one match key ask for the same: meaning of `fields`, presence of credentials.
pub(super) fn same_request(endpoint: Option<&Endpoint>, one: &Request, other: &Request) -> bool {
    let fields = |request| carried_fields(endpoint, request).unwrap_or_default();
    let (left, right) = (fields(one), fields(other));
    let same_fields = left == right
        || match (FieldSelector::parse(&left), FieldSelector::parse(&right)) {
            (Ok(Some(left)), Ok(Some(right))) => left.same(&right),
            (Ok(None), Ok(None)) => true,
            _ => false,
        };
    same_fields && one.has_credentials() == other.has_credentials()
}

/// Whether two requests ask for the same version of the API.
pub(super) fn same_version(one: &Request, other: &Request) -> bool {
    let version = |request: &Request| request.headers.text("Version").map(|text| spelt_version(&text));
    version(one) == version(other)
}

/// The `fields` of a request, where its endpoint takes them; an endpoint that no profile knows takes them in the query.
pub(super) fn carried_fields(endpoint: Option<&Endpoint>, request: &Request) -> Option<String> {
    endpoint.map_or_else(|| request.param("fields"), |endpoint| fields_text(endpoint, request))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_length_is_its_digits_and_nothing_else() {
        for length in [0, 1, 9, 10, 99, 100, 117, 4711, usize::MAX] {
            let text = length.to_string();
            assert!(is_length(text.as_bytes(), length));
            for other in [format!("0{text}"), format!("+{text}"), format!("{text} "), format!("{text}0")] {
                assert!(!is_length(other.as_bytes(), length), "{other:?}");
            }
            assert!(!is_length(&text.as_bytes()[1..], length));
            assert!(!is_length(text.as_bytes(), length ^ 1));
        }
    }
}

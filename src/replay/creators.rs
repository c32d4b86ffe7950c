//! How a creation is answered.
//!
//! By the first that fits: an unserved recorded one with an equal body; a refusal by the profile's rules; the first
//! unserved recorded one that was accepted; a fresh task that walks the first recorded task's path.
//!
//! Where the life cycle has a key (the text of a search, the name of a set, or all that is sent), only recorded creations
//! with this key come into question, and a refusal of it is repeated as often as it is asked for.

use crate::cassette::{Bindings, Index, MatchKey, MatchRules, Slot, same_but_for_placeholders};
use crate::fields::FieldSelector;
use crate::json::Json;
use crate::message::Request;
use crate::profile::{Endpoint, Key, Lifecycle, fields_text};
use crate::seed::Stream;

use super::creation::{Creation, Fresh};
use super::keys::{Values, bind_key, key_of, values_of};
use super::lookup::Cursors;
use super::material::Material;

/// How a creation is answered.
#[derive(Debug)]
pub(super) enum Made {
    /// From this recorded creation.
    Recorded { index: Index, creation: Option<Box<Creation>> },
    /// After this recorded creation, with fresh ids.
    Fresh { index: Index, creation: Box<Creation> },
    /// 422/1005, with the message.
    Refused(String),
    /// None with this key was recorded; these members decide, or all of it.
    OtherKey(Vec<String>),
    /// It was recorded with fewer fields.
    TooNarrow,
    /// No recorded creation was ever accepted.
    Miss,
}

/// What is asked for, and by whom.
pub(super) struct Asked<'a> {
    pub(super) endpoint: &'a Endpoint,
    pub(super) lifecycle: &'a Lifecycle,
    pub(super) request: &'a Request,
    /// The same with recorded ids in the place of fresh ones.
    pub(super) as_recorded: &'a Request,
    /// The fields it asks for.
    pub(super) selector: Option<&'a FieldSelector>,
    /// What this session has created already.
    pub(super) made: &'a [Creation],
    /// What a user says of matching.
    pub(super) rules: &'a MatchRules,
    /// What a fresh text id is drawn from.
    pub(super) stream: Stream,
}

/// Decides how a creation is answered; the flag says whether volatile values had to be left out.
pub(super) fn make(material: &Material, cursors: &Cursors, asked: Asked<'_>) -> (Made, bool) {
    let by_name = Key::Members(Vec::new());
    if asked.lifecycle.key != by_name {
        return by_key(material, cursors, asked);
    }
    let (lifecycle, request) = (asked.lifecycle, asked.request);
    let recorded = material.creations(&asked.endpoint.id);
    let body = std::str::from_utf8(&request.body).ok().and_then(|text| Json::parse(text).ok());
    let is_served = |index: &Index| cursors.is_written(*index, "");
    let as_recorded = |index: Index| Made::Recorded {
        index,
        creation: Creation::of(material, index, (lifecycle, asked.endpoint), body.as_ref(), None)
            .filter(|_| is_accepted(material, index))
            .map(Box::new),
    };
    let equal = |index: &&Index| !is_served(index) && equal_body(material, **index, request);
    if let Some(index) = recorded.iter().find(equal) {
        return (as_recorded(*index), false);
    }
    let shown = Rules { material, lifecycle, recorded };
    if let Some(message) = body.as_ref().and_then(|body| shown.refusal(body, asked.made)) {
        return (Made::Refused(message), false);
    }
    let mut accepted = recorded.iter().copied().filter(|index| is_accepted(material, *index)).peekable();
    let Some(first) = accepted.peek().copied() else { return (Made::Miss, false) };
    match accepted.find(|index| !is_served(index)) {
        Some(index) => (as_recorded(index), false),
        None => (fresh(material, first, asked, body.as_ref()), false),
    }
}

fn by_key(material: &Material, cursors: &Cursors, asked: Asked<'_>) -> (Made, bool) {
    let (lifecycle, request) = (asked.lifecycle, asked.request);
    if material.creations(&asked.endpoint.id).is_empty() {
        return (Made::Miss, false);
    }
    let (recorded, is_loose) = of_this_key(material, &asked, &cursors.bindings);
    // An error says what it says whatever was asked of it.
    let covers = |index: &Index| !is_accepted(material, *index) || covers(material, *index, &asked);
    let wide: Vec<Index> = recorded.iter().copied().filter(covers).collect();
    let body = std::str::from_utf8(&request.body).ok().and_then(|text| Json::parse(text).ok());
    let unserved = wide.iter().find(|index| !cursors.is_written(**index, ""));
    let accepted = wide.iter().find(|index| is_accepted(material, **index));
    let made = match (unserved, accepted, wide.last()) {
        (Some(index), ..) => {
            let creation = Creation::of(material, *index, (lifecycle, asked.endpoint), body.as_ref(), None);
            let creation = creation.filter(|_| is_accepted(material, *index)).map(Box::new);
            Made::Recorded { index: *index, creation }
        }
        (None, Some(first), _) => fresh(material, *first, asked, body.as_ref()),
        (None, None, Some(refused)) => Made::Recorded { index: *refused, creation: None },
        (None, None, None) if !recorded.is_empty() => Made::TooNarrow,
        (None, None, None) => Made::OtherKey(match &lifecycle.key {
            Key::Whole => Vec::new(),
            Key::Members(names) => names.clone(),
        }),
    };
    (made, is_loose)
}

/// Whether a recorded creation has all the fields that this one asks for.
fn covers(material: &Material, index: Index, asked: &Asked<'_>) -> bool {
    let recorded = &material.cassette().interactions[index].request;
    let held = fields_text(asked.endpoint, recorded).map(|text| FieldSelector::parse(&text));
    match held {
        None | Some(Ok(None)) => true,
        Some(Ok(Some(held))) => asked.selector.is_some_and(|asked| held.covers(asked)),
        Some(Err(_)) => false,
    }
}

/// The recorded creations with this key. A request that has none of its members has to be equal as a whole.
fn of_this_key(material: &Material, asked: &Asked<'_>, bound: &Bindings) -> (Vec<Index>, bool) {
    let loose = || material.deck().loose(asked.rules);
    let key: Values = match &asked.lifecycle.key {
        Key::Members(names) => key_of(asked.as_recorded, names),
        Key::Whole => Vec::new(),
    };
    if key.iter().skip(1).any(Option::is_some) {
        let Some(keys) = material.keys(&asked.endpoint.id) else { return (Vec::new(), false) };
        let mask = |text: &str| loose().text(text);
        let mask: Option<&dyn Fn(&str) -> String> = if asked.rules.is_loose() { Some(&mask) } else { None };
        let (recorded, is_loose) = keys.under(&key, mask, bound);
        if recorded.is_empty() && asked.rules.change_keys() {
            return (by_rules(material, asked, bound), true);
        }
        return (recorded.to_vec(), is_loose);
    }
    let whole = MatchKey::of(asked.as_recorded);
    let indexes = |slots: &[Slot]| slots.iter().filter(|slot| !slot.refused).map(|slot| slot.index).collect();
    let exact = material.deck().under_bound(&whole, bound);
    if !exact.is_empty() {
        return (indexes(exact), false);
    }
    let loose = loose();
    let mut alike = loose.by_rules(&whole, bound);
    if alike.is_none() {
        // A number in a path says what is meant: it is no volatile value.
        alike = loose.by_mask(&whole, bound).filter(|(masked, _)| masked.path == whole.path);
    }
    (alike.map_or_else(Vec::new, |(_, slots)| indexes(slots)), true)
}

/// The recorded creations with this key as a user's rules see it.
fn by_rules(material: &Material, asked: &Asked<'_>, bound: &Bindings) -> Vec<Index> {
    let Key::Members(names) = &asked.lifecycle.key else { return Vec::new() };
    let seen = |request: &Request| values_of(&asked.rules.seen(&MatchKey::of(request)), names);
    let live = seen(asked.as_recorded);
    let recorded = |index: &Index| seen(&material.cassette().interactions[*index].request);
    let fits = |index: &Index| bind_key(&recorded(index), &live).is_some_and(|one| bound.agrees(&one));
    material.creations(&asked.endpoint.id).iter().copied().filter(fits).collect()
}

fn fresh(material: &Material, after: Index, asked: Asked<'_>, body: Option<&Json<'_>>) -> Made {
    let number = asked.made.iter().filter(|creation| creation.is_fresh()).count() as i128 + 1;
    let fresh = Fresh { number, stream: asked.stream, made: asked.made };
    match Creation::of(material, after, (asked.lifecycle, asked.endpoint), body, Some(fresh)) {
        Some(creation) => Made::Fresh { index: after, creation: Box::new(creation) },
        None => Made::Recorded { index: after, creation: None },
    }
}

fn is_accepted(material: &Material, index: Index) -> bool {
    material.cassette().interactions[index].response.is_success()
}

fn equal_body(material: &Material, index: Index, request: &Request) -> bool {
    same_but_for_placeholders(&material.cassette().interactions[index].request, request)
}

/// The rules for a creation, without those that a recorded one broke and was accepted.
struct Rules<'a> {
    material: &'a Material,
    lifecycle: &'a Lifecycle,
    recorded: &'a [Index],
}

impl Rules<'_> {
    fn refusal(&self, body: &Json<'_>, made: &[Creation]) -> Option<String> {
        if let Some(message) = self.lifecycle.refuses(body)
            && !self.is_accepted_with(|body| self.lifecycle.refuses(body).as_ref() == Some(&message))
        {
            return Some(message);
        }
        let member = self.lifecycle.name_member.as_deref()?;
        let name = body.member(member)?;
        let taken =
            made.iter().any(|creation| creation.is_called(member, name)) && !self.is_name_given_twice(member);
        taken.then(|| self.lifecycle.name_taken(name.as_str().unwrap_or_else(|| name.text())))
    }

    fn is_accepted_with(&self, fits: impl Fn(&Json<'_>) -> bool) -> bool {
        self.bodies().any(|text| Json::parse(text).is_ok_and(|body| fits(&body)))
    }

    fn is_name_given_twice(&self, member: &str) -> bool {
        let names: Vec<String> = self
            .bodies()
            .filter_map(|text| Some(Json::parse(text).ok()?.member(member)?.as_str()?.to_owned()))
            .collect();
        names.iter().enumerate().any(|(place, name)| names.iter().skip(place + 1).any(|other| other == name))
    }

    /// The bodies of the recorded creations that were accepted.
    fn bodies(&self) -> impl Iterator<Item = &str> {
        let interactions = &self.material.cassette().interactions;
        let accepted = self.recorded.iter().filter(|index| is_accepted(self.material, **index));
        accepted.filter_map(|index| std::str::from_utf8(&interactions.get(*index)?.request.body).ok())
    }
}

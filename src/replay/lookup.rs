//! Causal matching: reads commute between the same two writes, writes are barriers for their resource only.
//!
//! A branching, parallel client replays green from one serial recording because nothing here asks in what order
//! unrelated requests came.

use std::collections::{BTreeMap, BTreeSet};

use crate::cassette::{Bindings, Index, MatchKey, Slot};
use crate::fields::FieldSelector;
use crate::message::Request;
use crate::scenario::{Repeats, Writes};

use super::material::Material;
use super::session::{ENTRY, HELD_MAX};
use super::{conditional, variant};

/// What a session remembers for the matcher.
#[derive(Debug, Default)]
pub(super) struct Cursors {
    /// Moves on with each read that another one may get something else after.
    moves: u64,
    /// Moves on with each write.
    writes: u64,
    /// By epoch and moment, too.
    reads: BTreeMap<(MatchKey, String, (usize, u32)), usize>,
    refused: BTreeMap<(MatchKey, String, bool), usize>,
    held: usize,
    /// Recorded reads that have answered something.
    served: BTreeSet<Index>,
    /// How often, and for which fresh id.
    written: BTreeMap<(Index, String), u32>,
    epochs: BTreeMap<String, usize>,
    /// What placeholders stand for.
    pub(super) bindings: Bindings,
}

/// A recorded interaction that answers, and whether a wider selector was recorded than asked for.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Found {
    pub(super) index: Index,
    pub(super) project: bool,
}

/// Why none does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Cause {
    NotRecorded,
    /// The same, outside `/api/`.
    Outside,
    /// A `fields` or a range that nobody can read here.
    Unread,
    TooNarrow,
    NoJson,
    UnknownField,
    WrongEpoch,
    /// Its recordings differ in this header, and none has the value asked for.
    OtherHeader(Header),
    /// A header that counts by a rule of the user's is another.
    OtherHeaders,
    /// Only a 304 was recorded, and the request sets no condition that it answers.
    NotModified,
    Exhausted,
    /// Each recording of this write has been served.
    Written,
    /// The session may remember nothing more.
    Full,
}

/// A header by which one address can have several answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Header {
    Accept,
    Version,
    /// What a page's browser asks leave for.
    Preflight,
}

/// Whether an answer counts as given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// The next one gets the next recording.
    On,
    /// A HEAD looks at what its GET would get.
    Stay,
}

impl Cause {
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::NotRecorded => "not recorded",
            Self::Outside => "not recorded, outside /api",
            Self::Unread => "not recorded, and cannot be read",
            Self::TooNarrow => "recorded too narrow",
            Self::NoJson => "recorded whole, and no JSON",
            Self::UnknownField => "fields that no recording has",
            Self::WrongEpoch => "wrong epoch",
            Self::OtherHeader(Header::Accept) => "recorded for another Accept",
            Self::OtherHeader(Header::Version) => "recorded for another Version",
            Self::OtherHeader(Header::Preflight) => "recorded for another Access-Control-Request-Method",
            Self::OtherHeaders => "recorded with other headers",
            Self::NotModified => "recorded as not modified only",
            Self::Exhausted | Self::Written => "exhausted",
            Self::Full => "session full",
        }
    }

    pub(super) fn help(self) -> &'static str {
        match self {
            Self::NotRecorded => {
                "record this request against a console (faultdeck record), or compare it with the nearest below"
            }
            Self::Outside => {
                "the API lives below /api/, once: elsewhere a console answers 200 with an HTML page. Correct the path, or record this request if it is meant"
            }
            Self::Unread => {
                "its `fields` or `Range` has no meaning that is known here: correct it, or record this very request"
            }
            Self::TooNarrow => {
                "the recording holds fewer fields than you ask for: record the request once without `fields`"
            }
            Self::NoJson => {
                "`fields` can only be left out of JSON: record the request once with the `fields` you ask for"
            }
            Self::UnknownField => {
                "no recording of this path has any of the fields you ask for: correct `fields`, or record the request with them"
            }
            Self::WrongEpoch => {
                "it was recorded only before or after a write that this session has (or has not) made yet: record it again in this order"
            }
            Self::OtherHeader(Header::Accept) => {
                "this request was recorded with several kinds of answers, and with none that `Accept` allows: ask for one of those, or record it with this `Accept`"
            }
            Self::OtherHeader(Header::Version) => {
                "this request was recorded in several versions of the API, and not in this one: send one of those in `Version`, or record it with this one"
            }
            Self::OtherHeader(Header::Preflight) => {
                "leave was recorded for other methods only: record the page once more with the request that it asks leave for"
            }
            Self::OtherHeaders => {
                "`headers` of [match], in the scenario or beside the cassette, names a header that has another value in the recording: send that, record it with this one, or take the header out of [match]"
            }
            Self::NotModified => {
                "a 304 answers the condition it was recorded for and nothing else: record the request once without `If-None-Match` and `If-Modified-Since`"
            }
            Self::Exhausted => {
                "with `repeats = \"error\"` each recorded answer is served once, and these have been: record it as often as your client asks, or take `repeats` out of the scenario"
            }
            Self::Written => {
                "each recorded write is served once, and this one has been: record it as often as your client sends it, or let it be answered again with `writes = \"last\"` (the last answer) or `writes = \"repeat\"` (all of them anew) in a scenario"
            }
            Self::Full => {
                "this session has been asked for more different things than it remembers: start a new one with /@NAME before the path"
            }
        }
    }
}

/// Recordings that may answer a request, and what they are counted under.
#[derive(Clone, Copy, Debug)]
pub(super) struct Candidates<'m> {
    pub(super) key: &'m MatchKey,
    pub(super) slots: &'m [Slot],
    /// They are the request but for its volatile values.
    pub(super) is_loose: bool,
    /// The fresh id that the request is about, in the place of the recorded one; empty for what was recorded itself.
    /// What was asked of one thing is not asked of another.
    pub(super) scope: &'m str,
    /// The request that is computed from them, if they are not its own: it is counted by itself.
    pub(super) computes: Option<&'m MatchKey>,
}

impl Cursors {
    /// A read: the i-th gets its selector's i-th recording of the epoch, then what `repeats` says. Of recordings that
    /// only resemble it the first that has answered nothing.
    pub(super) fn read(
        &mut self,
        material: &Material,
        (request, candidates): (&Request, Candidates<'_>),
        resource: &str,
        asked: Option<&FieldSelector>,
        (repeats, step): (Repeats, Step),
    ) -> Result<Found, Cause> {
        let key = candidates.key;
        let slots: Vec<&Slot> = candidates.slots.iter().filter(|slot| !slot.refused).collect();
        if slots.is_empty() {
            return Err(Cause::NotRecorded);
        }
        let (slots, condition) = conditional::fitting(material, request, slots)?;
        let closed = self.epochs.get(&scoped(resource, candidates.scope)).copied();
        let here: Vec<&Slot> =
            slots.iter().copied().filter(|slot| closed.is_none_or(|epoch| slot.epoch == epoch)).collect();
        let (here, variant) = variant::of(material, request, here)?;
        let Some((group, project)) = group(&here, asked) else {
            let elsewhere = group(&slots, asked).is_some();
            return Err(if elsewhere && closed.is_some() { Cause::WrongEpoch } else { Cause::TooNarrow });
        };
        let epoch = group.iter().map(|slot| slot.epoch).min().ok_or(Cause::NotRecorded)?;
        let group: Vec<&Slot> = group.into_iter().filter(|slot| slot.epoch == epoch).collect();
        let (group, moment) = self.of_the_moment(group, candidates.scope);
        let asked = [&text_of(asked), &variant, condition, "\n", candidates.scope].concat();
        let mut counted = (key.clone(), asked, (epoch, moment));
        let mut count = self.reads.get(&counted).copied();
        if let Some(live) = candidates.computes {
            // What is computed is never older than the whole that was given before.
            let whole = ["", &variant, condition, "\n", candidates.scope].concat();
            let given = self.reads.get(&(key.clone(), whole, (epoch, moment))).copied();
            counted.0 = live.clone();
            count = self.reads.get(&counted).copied().max(given);
        }
        let fresh = || group.iter().position(|slot| !self.served.contains(&slot.index));
        let place = if candidates.is_loose { fresh() } else { None };
        let place = place.or_else(|| place_of(count.unwrap_or_default(), group.len(), repeats));
        let place = place.ok_or(Cause::Exhausted)?;
        if count.is_none() {
            let room = weight(key) + counted.1.len();
            if self.held + room > HELD_MAX {
                return Err(Cause::Full);
            }
            if step == Step::On {
                self.held += room;
            }
        }
        let index = group[place].index;
        // Whoever is given the last one for good needs no counting any more.
        let is_last = repeats == Repeats::Last && count.is_some_and(|count| count >= group.len());
        if step == Step::On && !(is_last && self.served.contains(&index)) {
            self.moves += 1;
            self.reads.insert(counted, count.unwrap_or_default() + 1);
            self.served.insert(index);
        }
        Ok(Found { index, project })
    }

    /// What was recorded after the last write elsewhere that this session has made, of those that show in this read;
    /// before the first of them what was recorded before it. If nothing was, the earliest: it is better than nothing.
    fn of_the_moment<'s>(&self, slots: Vec<&'s Slot>, scope: &str) -> (Vec<&'s Slot>, u32) {
        let Some(related) = slots.iter().find_map(|slot| slot.related()) else { return (slots, 0) };
        let made = related.iter().rev().find(|(_, index)| self.is_written(*index, scope));
        let reached = made.map_or(0, |(moment, _)| *moment);
        let moments = || slots.iter().map(|slot| slot.moment);
        let due = moments().filter(|moment| *moment <= reached).max().or_else(|| moments().min());
        let due = due.unwrap_or_default();
        (slots.into_iter().filter(|slot| slot.moment == due).collect(), due)
    }

    /// A request the gate would refuse, but which was recorded: i-th by i-th, then the last.
    pub(super) fn refused(
        &mut self,
        key: &MatchKey,
        fields: &str,
        has_credentials: bool,
        recorded: &[Index],
    ) -> Option<Index> {
        let counted = (key.clone(), fields.to_owned(), has_credentials);
        if !self.refused.contains_key(&counted) {
            let room = weight(key) + fields.len();
            if self.held + room > HELD_MAX {
                return recorded.last().copied();
            }
            self.held += room;
        }
        let count = self.refused.entry(counted).or_default();
        let place = place_of(*count, recorded.len(), Repeats::Last)?;
        if *count < recorded.len() {
            *count += 1;
            self.moves += 1;
        }
        recorded.get(place).copied()
    }

    /// A write that creates nothing: each recorded one is served once, then what `writes` says.
    pub(super) fn write(
        &mut self,
        material: &Material,
        candidates: Candidates<'_>,
        resource: &str,
        writes: Writes,
    ) -> Result<Found, Cause> {
        let slots = candidates.slots;
        if slots.is_empty() {
            return Err(Cause::NotRecorded);
        }
        let scope = candidates.scope;
        let closed = self.epochs.get(&scoped(resource, scope)).copied();
        let unserved: Vec<&Slot> = slots.iter().filter(|slot| !self.is_written(slot.index, scope)).collect();
        let next = unserved.iter().copied().find(|slot| closed.is_none_or(|epoch| slot.epoch == epoch));
        let again = match writes {
            Writes::Once => None,
            Writes::Last => slots.iter().rfind(|slot| self.is_written(slot.index, scope)),
            Writes::Repeat => self.due_again(slots, scope),
        };
        let cause = if unserved.is_empty() { Cause::Written } else { Cause::WrongEpoch };
        let slot = next.or(again).ok_or(cause)?;
        let (index, epoch) = (slot.index, slot.epoch);
        self.wrote(material, (index, scope), (resource, epoch));
        Ok(Found { index, project: false })
    }

    /// Of the recorded writes that were served, the first of those that were served least.
    fn due_again<'s>(&self, slots: &'s [Slot], scope: &str) -> Option<&'s Slot> {
        let times = |slot: &&Slot| self.written.get(&(slot.index, scope.to_owned())).copied();
        slots.iter().filter(|slot| times(slot).is_some()).min_by_key(times)
    }

    /// The epoch that a write of this session has begun for a resource.
    pub(super) fn epoch(&self, resource: &str, scope: &str) -> Option<usize> {
        self.epochs.get(&scoped(resource, scope)).copied()
    }

    /// Whether any recorded write has been served that a console accepted.
    pub(super) fn have_written(&self) -> bool {
        !self.epochs.is_empty()
    }

    /// Grows with each read after which that or another one may get something else.
    pub(super) fn moves(&self) -> u64 {
        self.moves
    }

    /// Grows with each write that was served.
    pub(super) fn writes(&self) -> u64 {
        self.writes
    }

    /// Bytes of the client's own words that are remembered.
    pub(super) fn held(&self) -> usize {
        self.held
    }

    /// Whether this recorded write has been served for this fresh id.
    pub(super) fn is_written(&self, index: Index, scope: &str) -> bool {
        self.written.contains_key(&(index, scope.to_owned()))
    }

    /// A recorded write has been served: if it was accepted, its resource moves to the next epoch, and closes it.
    pub(super) fn wrote(
        &mut self,
        material: &Material,
        (index, scope): (Index, &str),
        (resource, epoch): (&str, usize),
    ) {
        if !scope.is_empty() && !self.is_written(index, scope) {
            self.held += ENTRY + scope.len();
        }
        self.writes += 1;
        let times = self.written.entry((index, scope.to_owned())).or_default();
        *times = times.saturating_add(1);
        let it = material.cassette().interactions.get(index);
        // A GET that starts a task changes nothing else.
        if it.is_some_and(|it| it.response.is_success() && !it.request.is_read()) {
            self.epochs.insert(scoped(resource, scope), epoch + 1);
        }
    }
}

/// The recordings whose selector is the one asked for, else those of the nearest that covers it: fewest names, then
/// first. The flag says whether the answer must be projected.
fn group<'s>(slots: &[&'s Slot], asked: Option<&FieldSelector>) -> Option<(Vec<&'s Slot>, bool)> {
    let same = |slot: &Slot, selector: Option<&FieldSelector>| match (slot.selector(), selector) {
        (None, None) => true,
        (Some(held), Some(asked)) => held.same(asked),
        _ => false,
    };
    let exact: Vec<&Slot> = slots.iter().copied().filter(|slot| same(slot, asked)).collect();
    if !exact.is_empty() {
        return Some((exact, false));
    }
    let asked = asked?;
    let covering = slots.iter().filter(|slot| slot.selector().is_none_or(|held| held.covers(asked)));
    let nearest = covering.min_by_key(|slot| slot.selector().map_or(usize::MAX, FieldSelector::names))?;
    let alike = slots.iter().copied().filter(|slot| same(slot, nearest.selector())).collect();
    Some((alike, true))
}

/// A resource as one fresh id sees it: what was written for another is no matter of its.
fn scoped(resource: &str, scope: &str) -> String {
    if scope.is_empty() { resource.to_owned() } else { format!("{resource}\n{scope}") }
}

/// What remembering a key costs.
fn weight(key: &MatchKey) -> usize {
    let query: usize = key.query.iter().map(|(name, value)| name.len() + value.len() + ENTRY / 4).sum();
    ENTRY + key.path.len() + key.body.len() + query
}

fn place_of(count: usize, len: usize, repeats: Repeats) -> Option<usize> {
    if count < len {
        return Some(count);
    }
    match repeats {
        Repeats::Last => len.checked_sub(1),
        Repeats::Cycle => count.checked_rem(len),
        Repeats::Error => None,
    }
}

fn text_of(selector: Option<&FieldSelector>) -> String {
    let Some(selector) = selector else { return String::new() };
    // Two spellings of one meaning share a count.
    let mut names: Vec<String> = selector.fields().iter().map(field_text).collect();
    names.sort();
    names.join(",")
}

fn field_text(field: &crate::fields::Field) -> String {
    match &field.subfields {
        None => field.name.clone(),
        Some(inner) => format!("{}({})", field.name, text_of(Some(inner))),
    }
}

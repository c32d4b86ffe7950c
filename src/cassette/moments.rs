//! Moments: after which write of another path a read was recorded.
//!
//! A write can change what another path shows: a bulk load fills a set, a note counts on its offense. A file has its
//! interactions by path, so what was recorded in between would be lost. Where a read was recorded both before and after
//! such a write, the write has a number, its *moment*, and the read has the number of the last one before it. Where
//! nothing of that kind happened there are no moments, and a recording depends on the order within each path alone.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use super::facts::Fact;
use super::{Cassette, Index, key};
use crate::message::Request;
use crate::profile::Profile;

/// How many writes below one root (`/ariel/searches`) are looked at; further ones hold no read back.
const RELATED_MAX: usize = 256;

/// Writes that change what a path shows, by their moments, ascending.
pub type Related = Arc<[(u32, Index)]>;

/// What the order of a recording says of writes and reads of other paths.
#[derive(Debug, Default)]
pub(super) struct Moments {
    /// By the path of the reads.
    related: HashMap<String, Related>,
    moments: Vec<u32>,
}

impl Moments {
    /// As the file has them, else as the order of the interactions gives them.
    pub(super) fn of(cassette: &Cassette, facts: &[Fact<'_>]) -> Self {
        let interactions = &cassette.interactions;
        let has_moments = interactions.iter().any(|it| it.moment > 0);
        if !has_moments && !(0..interactions.len()).any(|index| is_accepted(cassette, index)) {
            return Self::default();
        }
        let places = interactions.iter().zip(facts);
        let places: Vec<Place> =
            places.map(|(it, fact)| Place::at(&it.request, fact.resource.text(it).to_owned())).collect();
        let moments = moments(cassette, &places);
        let mut related = HashMap::new();
        if moments.iter().all(|moment| *moment == 0) {
            return Self { related, moments };
        }
        let numbered = |index: &Index| moments.get(*index).is_some_and(|moment| *moment > 0);
        let writes = by_root(
            &places,
            (0..places.len()).filter(|index| is_accepted(cassette, *index)).filter(numbered),
        );
        for (index, place) in places.iter().enumerate() {
            if !numbered(&index)
                || !cassette.interactions[index].request.is_read()
                || related.contains_key(&place.path)
            {
                continue;
            }
            let of_the_root = writes.get(place.root()).map_or(&[][..], Vec::as_slice);
            let mut found: Vec<(u32, Index)> = of_the_root
                .iter()
                .filter(|write| place.shows(&places[**write], &cassette.interactions[**write].request.method))
                .map(|write| (moments[*write], *write))
                .collect();
            found.sort_unstable();
            related.insert(place.path.clone(), found.into());
        }
        Self { related, moments }
    }

    /// The last of the writes that a read comes after, of those that change what it shows, and all of these.
    pub(super) fn of_read(&self, index: Index, path: &str) -> (u32, Option<&Related>) {
        let related = if self.related.is_empty() { None } else { self.related.get(&key::normal_path(path)) };
        let Some(related) = related else { return (0, None) };
        let moment = self.moments.get(index).copied().unwrap_or_default();
        let last = related.iter().rev().map(|(write, _)| *write).find(|write| *write <= moment);
        (last.unwrap_or_default(), Some(related))
    }
}

/// Puts moments into interactions that are in the order they were recorded in; those that have some keep them.
pub(super) fn put(cassette: &mut Cassette, profile: &Profile) {
    let places: Vec<Place> = cassette.interactions.iter().map(|it| Place::of(&it.request, profile)).collect();
    let moments = moments(cassette, &places);
    for (interaction, moment) in cassette.interactions.iter_mut().zip(moments) {
        interaction.moment = moment;
    }
}

fn moments(cassette: &Cassette, places: &[Place]) -> Vec<u32> {
    let interactions = &cassette.interactions;
    let mut moments: Vec<u32> = interactions.iter().map(|it| it.moment).collect();
    if moments.iter().any(|moment| *moment > 0) {
        return moments;
    }
    let accepted = (0..places.len()).filter(|index| is_accepted(cassette, *index));
    let writes = by_root(places, accepted);
    if writes.is_empty() {
        return moments;
    }
    let mut reads: BTreeMap<&str, Vec<Index>> = BTreeMap::new();
    for (index, interaction) in interactions.iter().enumerate() {
        if interaction.request.is_read() && !interaction.by_recorder {
            reads.entry(&places[index].path).or_default().push(index);
        }
    }
    let mut numbered = BTreeSet::new();
    for read in reads.values() {
        let (Some(first), Some(last)) = (read.first(), read.last()) else { continue };
        let place = &places[*first];
        let between = |write: &&Index| (*first..*last).contains(*write);
        let of_the_root = writes.get(place.root()).map_or(&[][..], Vec::as_slice);
        let mut telling = of_the_root
            .iter()
            .filter(between)
            .filter(|write| place.shows(&places[**write], &interactions[**write].request.method))
            .peekable();
        if telling.peek().is_some() {
            numbered.extend(read.iter().copied());
            numbered.extend(telling);
        }
    }
    let mut passed = 0;
    for index in numbered {
        passed += u32::from(!interactions[index].request.is_read());
        moments[index] = passed;
    }
    moments
}

fn is_accepted(cassette: &Cassette, index: Index) -> bool {
    let interaction = &cassette.interactions[index];
    !interaction.request.is_read() && interaction.response.is_success()
}

fn by_root(places: &[Place], indexes: impl Iterator<Item = Index>) -> HashMap<&str, Vec<Index>> {
    let mut found: HashMap<&str, Vec<Index>> = HashMap::new();
    for index in indexes {
        let writes = found.entry(places[index].root()).or_default();
        if writes.len() < RELATED_MAX {
            writes.push(index);
        }
    }
    found
}

/// Where a request goes.
struct Place {
    path: String,
    resource: String,
    /// Where each segment of the path ends, without `/api` and without empty ones: start and end.
    segments: Vec<(usize, usize)>,
}

impl Place {
    fn of(request: &Request, profile: &Profile) -> Self {
        let found = profile.find(&request.method, request.path());
        Self::at(request, found.map_or_else(|| request.path().to_owned(), |found| found.resource))
    }

    fn at(request: &Request, resource: String) -> Self {
        let path = key::normal_path(request.path());
        let mut segments = Vec::new();
        let mut start = 0;
        for segment in path.split('/') {
            let end = start + segment.len();
            let is_prefix = segments.is_empty() && segment == "api";
            if !segment.is_empty() && !is_prefix {
                segments.push((start, end));
            }
            start = end + 1;
        }
        Self { path, resource, segments }
    }

    fn segments(&self) -> impl DoubleEndedIterator<Item = &str> + ExactSizeIterator {
        self.segments.iter().map(|(start, end)| self.path.get(*start..*end).unwrap_or_default())
    }

    /// The path up to its second segment: what lies below different ones has nothing to do with each other.
    fn root(&self) -> &str {
        let end = self.segments.get(1).or_else(|| self.segments.last()).map_or(0, |(_, end)| *end);
        self.path.get(..end).unwrap_or_default()
    }

    /// Whether what a read of this path shows may have been changed by an accepted write elsewhere: to something
    /// below it, or to something above it. What is posted to something above is a thing of its own there. The writes
    /// of one resource are its epochs, and no matter of moments.
    fn shows(&self, write: &Place, method: &str) -> bool {
        if self.resource == write.resource || self.segments.len() < 2 {
            return false;
        }
        match self.segments.len() <= write.segments.len() {
            true => is_within(self.segments(), write.segments()),
            false => method != "POST" && is_within(write.segments(), self.segments()),
        }
    }
}

/// Whether all of `short` stand in `long`, in this order: `sets/demo` in `sets/bulk_load/demo`.
fn is_within<'s>(short: impl Iterator<Item = &'s str>, mut long: impl Iterator<Item = &'s str>) -> bool {
    let mut short = short;
    short.all(|segment| long.any(|other| other == segment))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shows(read: &str, method: &str, write: &str) -> bool {
        let of = |method, path| Place::of(&Request::new(method, path), Profile::builtin());
        let (read, write) = (of("GET", read), of(method, write));
        read.root() == write.root() && read.shows(&write, method)
    }

    #[test]
    fn a_write_is_seen_in_what_it_lies_below_and_in_what_lies_below_it() {
        let sets = "/api/reference_data/sets";
        for (read, method, write) in [
            ("demo", "POST", "bulk_load/demo"),
            ("demo", "POST", "bulk_load/SHARED/demo/0"),
            ("demo", "DELETE", "demo/10.0.0.9"),
            ("demo/dependents", "DELETE", "demo"),
        ] {
            assert!(shows(&format!("{sets}/{read}"), method, &format!("{sets}/{write}")), "{read} {write}");
        }
        assert!(shows(sets, "POST", &format!("{sets}/bulk_load/demo")), "a list shows its elements");
        assert!(shows("/api/siem/offenses", "POST", "/api/siem/offenses/5/notes"));
        assert!(shows("//api/siem/offenses", "POST", "//api/siem/offenses/5"));
    }

    #[test]
    fn a_write_elsewhere_is_not() {
        let searches = "/api/ariel/searches";
        assert!(!shows(&format!("{searches}/a"), "POST", searches), "another search is another thing");
        assert!(!shows(&format!("{searches}/a/results"), "DELETE", &format!("{searches}/b")));
        assert!(!shows("/api/siem/offenses/5/notes", "POST", "/api/siem/offenses/6/notes"));
        assert!(!shows("/api/reference_data/sets/demo", "POST", "/api/reference_data/maps/demo"));
        assert!(!shows("/api/siem/offenses/5", "POST", "/api/siem/offenses/5"), "an epoch says that");
        assert!(!shows("/api/siem/offenses/5", "POST", "/api/siem/offenses/5/notes"), "and that");
        assert!(!shows("/api/siem", "POST", "/api/siem/offenses"));
    }
}

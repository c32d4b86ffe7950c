//! What is found out once of each interaction, for all that is made of a cassette when it is loaded: its endpoint, its
//! resource, its key, and what stands twice in its body. Interactions know nothing of each other here, so they are looked
//! at in parallel.

use std::hash::BuildHasher;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::thread;

use foldhash::quality::RandomState;

use super::deck::has_placeholder;
use super::resources::Resource;
use super::shown::{Came, Sight, came, sight};
use super::structures::{StructureId, Structures};
use super::{Interaction, MatchKey};
use crate::profile::{Endpoint, Profile};

/// A part of so many interactions is worth a thread.
const PART_MIN: usize = 1000;
/// How many threads look at most; what is left to do is one after the other.
const THREADS_MAX: usize = 8;

/// What there is to know of an interaction by itself.
#[derive(Debug)]
pub(crate) struct Fact<'p> {
    pub(crate) endpoint: Option<&'p Endpoint>,
    /// Its path up to its last parameter, else its path.
    pub(crate) resource: Resource,
    /// The hash of its key.
    pub(super) hash: u64,
    /// The key itself where something in it is unusual: keys of all would take as much room as what was recorded.
    pub(super) key: Option<Arc<MatchKey>>,
    /// Pointers of the members that stand twice in the answer.
    pub(crate) duplicates: Vec<String>,
    /// What the answer's body is but for its values.
    pub(super) structure: Option<StructureId>,
    /// How far the request came.
    pub(super) came: Option<Came>,
    /// What the gate says of the request before anything is known of its console; nothing if that hangs on a shape.
    pub(super) sight: Option<Sight>,
}

impl<'p> Fact<'p> {
    /// Of each interaction, in order; keys are hashed with `hasher`.
    pub(crate) fn of_each(
        interactions: &[Interaction],
        profile: &'p Profile,
        hasher: &RandomState,
    ) -> Vec<Self> {
        let mut facts = in_parallel(interactions, |interaction| Self::of(interaction, profile, hasher));
        let mut structures = Structures::default();
        for (fact, interaction) in facts.iter_mut().zip(interactions) {
            (fact.structure, fact.duplicates) = structures.look(&interaction.response.body);
        }
        facts
    }

    fn of(interaction: &Interaction, profile: &'p Profile, hasher: &RandomState) -> Self {
        let request = &interaction.request;
        let found = profile.find(&request.method, request.path());
        let resource = found.as_ref().map_or_else(|| request.path(), |found| found.resource.as_str());
        let resource = Resource::of(resource, &request.target);
        let endpoint = found.as_ref().map(|found| found.endpoint);
        let key = MatchKey::of(request);
        let hash = hasher.hash_one(&key);
        let is_usual = endpoint.is_some()
            && key.range.is_none()
            && key.path.starts_with("/api/")
            && !has_placeholder(&key);
        Self {
            endpoint,
            resource,
            hash,
            key: (!is_usual).then(|| Arc::new(key)),
            duplicates: Vec::new(),
            structure: None,
            came: came(&interaction.response),
            sight: sight(request, found, profile),
        }
    }
}

/// How many threads are worth it on this machine.
pub(super) fn threads() -> usize {
    thread::available_parallelism().map_or(1, NonZeroUsize::get).min(THREADS_MAX)
}

/// `look` of each of these, in order; long lists are cut into parts for as many processors as there are.
pub(super) fn in_parallel<T: Sync, R: Send>(all: &[T], look: impl Fn(&T) -> R + Sync) -> Vec<R> {
    if all.len() < 2 * PART_MIN || threads() < 2 {
        return all.iter().map(look).collect();
    }
    let parts: Vec<&[T]> = all.chunks(all.len().div_ceil(threads())).collect();
    let found = each_in_a_thread(&parts, |part| part.iter().map(&look).collect::<Vec<R>>());
    let mut gathered = Vec::with_capacity(all.len());
    found.into_iter().for_each(|part| gathered.extend(part));
    gathered
}

/// `look` of each of these few parts, in order.
pub(super) fn each_in_a_thread<T: Sync, R: Send>(parts: &[T], look: impl Fn(&T) -> R + Sync) -> Vec<R> {
    let look = &look;
    thread::scope(|scope| {
        let begin = |part| (part, thread::Builder::new().spawn_scoped(scope, move || look(part)));
        let looking: Vec<_> = parts.iter().map(begin).collect();
        let end = |(part, thread): (&T, std::io::Result<thread::ScopedJoinHandle<'_, R>>)| {
            // Where there is no thread, or it came to nothing, the part is looked at here.
            thread.ok().and_then(|thread| thread.join().ok()).unwrap_or_else(|| look(part))
        };
        looking.into_iter().map(end).collect()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_found_in_parallel_is_in_order_however_much_there_is() {
        for many in [0, 1, 2 * PART_MIN - 1, 2 * PART_MIN, 2 * PART_MIN + 1, 10 * PART_MIN + 7] {
            let all: Vec<usize> = (0..many).collect();
            let expected: Vec<usize> = all.iter().map(|number| number * 3).collect();
            assert_eq!(in_parallel(&all, |number| number * 3), expected);
        }
    }
}

//! What is found out once of each interaction, for all that is made of a cassette when it is loaded: its endpoint, its
//! resource, its key, and what stands twice in its body. Interactions know nothing of each other here, so they are looked
//! at in parallel.

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::thread;

use super::shown::{Came, came};
use super::{Interaction, MatchKey};
use crate::json::Json;
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
    pub(crate) resource: Arc<str>,
    pub(crate) key: Arc<MatchKey>,
    /// Pointers of the members that stand twice in the answer.
    pub(crate) duplicates: Vec<String>,
    /// How far the request came.
    pub(super) came: Option<Came>,
}

impl<'p> Fact<'p> {
    /// Of each interaction, in order.
    pub(crate) fn of_each(interactions: &[Interaction], profile: &'p Profile) -> Vec<Self> {
        in_parallel(interactions, |interaction| Self::of(interaction, profile))
    }

    fn of(interaction: &Interaction, profile: &'p Profile) -> Self {
        let request = &interaction.request;
        let found = profile.find(&request.method, request.path());
        let (endpoint, resource) = match found {
            Some(found) => (Some(found.endpoint), found.resource.into()),
            None => (None, request.path().into()),
        };
        let duplicates = Json::parse_bytes(&interaction.response.body).map(|body| body.duplicates());
        Self {
            endpoint,
            resource,
            key: Arc::new(MatchKey::of(request)),
            duplicates: duplicates.unwrap_or_default(),
            came: came(&interaction.response),
        }
    }
}

/// `look` of each of these, in order; long lists are cut into parts for as many processors as there are.
pub(super) fn in_parallel<T: Sync, R: Send>(all: &[T], look: impl Fn(&T) -> R + Sync) -> Vec<R> {
    let threads = match all.len() < 2 * PART_MIN {
        true => 1,
        false => thread::available_parallelism().map_or(1, NonZeroUsize::get).min(THREADS_MAX),
    };
    if threads == 1 {
        return all.iter().map(look).collect();
    }
    let mut found = Vec::with_capacity(all.len());
    let part = all.len().div_ceil(threads);
    thread::scope(|scope| {
        let looking: Vec<_> = all
            .chunks(part)
            .map(|part| (part, scope.spawn(|| part.iter().map(&look).collect::<Vec<R>>())))
            .collect();
        for (part, looking) in looking {
            // A part whose thread came to nothing is looked at here, where a panic goes the usual way.
            found.extend(looking.join().unwrap_or_else(|_| part.iter().map(&look).collect()));
        }
    });
    found
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

//! What a session counts: how often each thing was asked for, and how often each task was polled.

use std::collections::HashMap;

use foldhash::quality::RandomState;

/// All that was asked for so far.
#[derive(Debug, Default)]
pub(super) struct Counts {
    resources: Vec<Seen>,
    /// By endpoint, then by resource: the place in `resources`.
    by_resource: HashMap<&'static str, HashMap<String, usize, RandomState>, RandomState>,
    endpoints: Vec<u32>,
    /// By endpoint, or by method and path where no profile knows it: the place in `endpoints`.
    by_endpoint: HashMap<String, usize, RandomState>,
}

/// What is known of one resource of one endpoint.
#[derive(Debug, Default)]
struct Seen {
    occurrences: u32,
    calls: u32,
    /// A hash of the last request: the same one again is the same call.
    last: Option<u64>,
    /// Polls so far.
    ticks: u32,
    /// Its endpoint, in `endpoints`.
    endpoint: usize,
}

/// The place of one resource of one endpoint.
#[derive(Clone, Copy, Debug)]
pub(super) struct CountedAt(usize);

/// Which time this is, from 1.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Nth {
    pub(super) of_resource: u32,
    pub(super) of_endpoint: u32,
    pub(super) call: u32,
}

impl Counts {
    pub(super) fn find(&self, endpoint: &str, resource: &str) -> Option<CountedAt> {
        self.by_resource.get(endpoint)?.get(resource).copied().map(CountedAt)
    }

    /// A place for what was not asked for before.
    pub(super) fn add(&mut self, endpoint: &'static str, resource: &str) -> CountedAt {
        let counted = if endpoint.is_empty() { resource } else { endpoint };
        let of_endpoint = self.by_endpoint.get(counted).copied().unwrap_or_else(|| {
            self.endpoints.push(0);
            self.by_endpoint.insert(counted.to_owned(), self.endpoints.len() - 1);
            self.endpoints.len() - 1
        });
        let at = self.resources.len();
        self.resources.push(Seen { endpoint: of_endpoint, ..Seen::default() });
        self.by_resource.entry(endpoint).or_default().insert(resource.to_owned(), at);
        CountedAt(at)
    }

    /// Counts one more request, whose hash is `call`.
    pub(super) fn count(&mut self, at: CountedAt, call: u64) -> Nth {
        let nth = self.next(at, call);
        if let Some(seen) = self.resources.get_mut(at.0) {
            (seen.occurrences, seen.calls, seen.last) = (nth.of_resource, nth.call, Some(call));
            if let Some(of_endpoint) = self.endpoints.get_mut(seen.endpoint) {
                *of_endpoint = nth.of_endpoint;
            }
        }
        nth
    }

    /// Which time the next request would be whose hash is `call`.
    pub(super) fn next(&self, at: CountedAt, call: u64) -> Nth {
        let Some(seen) = self.resources.get(at.0) else { return Nth::default() };
        let calls = if seen.last == Some(call) { seen.calls } else { seen.calls.saturating_add(1) };
        let of_endpoint = self.endpoints.get(seen.endpoint).map_or(0, |count| count.saturating_add(1));
        Nth { of_resource: seen.occurrences.saturating_add(1), of_endpoint, call: calls }
    }

    /// Counts a poll: how many there were before it.
    pub(super) fn tick(&mut self, at: CountedAt) -> u32 {
        let Some(seen) = self.resources.get_mut(at.0) else { return 0 };
        let tick = seen.ticks;
        next(&mut seen.ticks);
        tick
    }

    pub(super) fn ticks(&self, at: CountedAt) -> u32 {
        self.resources.get(at.0).map_or(0, |seen| seen.ticks)
    }
}

pub(super) fn next(count: &mut u32) -> u32 {
    *count = count.saturating_add(1);
    *count
}

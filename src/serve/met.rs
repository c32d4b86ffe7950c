//! [`Met`]: request heads that came before.
//!
//! A client that polls sends the same head again and again, byte for byte. What was made of it, by hyper and by whoever
//! answers, is the same each time, so it is made once and kept for as long as there is room. A head that a body follows is
//! never kept, nor one that asks for an interim answer.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use foldhash::quality::RandomState;

use super::io::Entrance;
use super::limits::{MET_BYTES_MAX, MET_MAX};
use crate::message::HttpVersion;

/// What a head takes beside its bytes, about: what was made of it, and a short answer.
const ENTRY: usize = 2048;
/// How often its bytes are held: as they came, in parts, and as a ledger has them.
const COPIES: usize = 4;

/// A whole request and what its head says of the connection.
#[derive(Debug)]
pub(super) struct Whole<T> {
    /// What its answer is made from.
    pub(super) asked: Arc<T>,
    /// Whether it is a HEAD.
    pub(super) head_only: bool,
    pub(super) version: HttpVersion,
    /// Whether its client wants the connection kept.
    pub(super) keep_alive: bool,
}

impl<T> Clone for Whole<T> {
    fn clone(&self) -> Self {
        Self { asked: Arc::clone(&self.asked), ..*self }
    }
}

/// The heads that a listener has met. When there are too many, those are forgotten that were not seen for longest.
#[derive(Debug)]
pub(super) struct Met<T>(Mutex<Ages<T>>);

/// Two ages of heads: a head that comes again is young again, and what is old when the young ones have filled their
/// half goes.
#[derive(Debug)]
struct Ages<T> {
    young: Age<T>,
    old: Age<T>,
    /// About what the young ones take.
    bytes: usize,
}

/// What a head decides it decides for the way that it came in.
type Age<T> = HashMap<Bytes, (Entrance, Whole<T>), RandomState>;

impl<T> Default for Met<T> {
    fn default() -> Self {
        Self(Mutex::new(Ages { young: Age::default(), old: Age::default(), bytes: 0 }))
    }
}

impl<T> Met<T> {
    /// What was made of this head when it came in this way.
    pub(super) fn get(&self, head: &[u8], at: Entrance) -> Option<Whole<T>> {
        let mut ages = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((place, whole)) = ages.young.get(head) {
            return (*place == at).then(|| whole.clone());
        }
        let (head, (place, whole)) = ages.old.remove_entry(head)?;
        let found = (place == at).then(|| whole.clone());
        ages.put(head, (place, whole));
        found
    }

    /// Keeps what was made of a head.
    pub(super) fn put(&self, head: Bytes, at: Entrance, whole: Whole<T>) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).put(head, (at, whole));
    }
}

impl<T> Ages<T> {
    fn put(&mut self, head: Bytes, met: (Entrance, Whole<T>)) {
        let weight = weight(&head);
        if self.young.len() >= MET_MAX / 2 || self.bytes + weight > MET_BYTES_MAX / 2 {
            self.old = std::mem::take(&mut self.young);
            self.bytes = 0;
        }
        if weight <= MET_BYTES_MAX / 2 {
            self.bytes += weight;
            self.young.insert(head, met);
        }
    }
}

fn weight(head: &Bytes) -> usize {
    ENTRY + COPIES * head.len()
}

#[cfg(test)]
mod tests {
    use std::net::{IpAddr, Ipv4Addr};

    use super::*;
    use crate::serve::io::Way;

    const HERE: Entrance = Entrance { at: IpAddr::V4(Ipv4Addr::LOCALHOST), port: 80, way: Way::Direct };

    fn whole(number: usize) -> Whole<usize> {
        let version = HttpVersion::Http11;
        Whole { asked: Arc::new(number), head_only: false, version, keep_alive: true }
    }

    fn head(number: usize) -> Bytes {
        format!("GET /{number} HTTP/1.1\r\n\r\n").into()
    }

    #[test]
    fn a_head_is_known_by_the_way_it_came_in() {
        let met = Met::default();
        met.put(head(1), HERE, whole(1));
        assert_eq!(met.get(&head(1), HERE).map(|whole| *whole.asked), Some(1));
        let at = Ipv4Addr::new(10, 0, 0, 1).into();
        assert!(met.get(&head(1), Entrance { at, ..HERE }).is_none());
        for way in [Way::Tunnel, Way::SecureTunnel] {
            assert!(met.get(&head(1), Entrance { way, ..HERE }).is_none());
        }
        assert!(met.get(&head(2), HERE).is_none());
    }

    #[test]
    fn what_comes_again_stays_and_what_does_not_goes() {
        let met = Met::default();
        met.put(head(0), HERE, whole(0));
        for number in 1..3 * MET_MAX {
            met.put(head(number), HERE, whole(number));
            assert!(met.get(&head(0), HERE).is_some(), "{number}");
        }
        assert!(met.get(&head(1), HERE).is_none());
        let ages = met.0.lock().unwrap();
        assert!(ages.young.len() + ages.old.len() <= MET_MAX);
    }

    #[test]
    fn bytes_are_bounded_too() {
        let met = Met::default();
        let long = "x".repeat(MET_BYTES_MAX / 16 / COPIES);
        for number in 0..40 {
            met.put(format!("{number}{long}").into(), HERE, whole(number));
        }
        let ages = met.0.lock().unwrap();
        let held: usize = ages.young.keys().chain(ages.old.keys()).map(weight).sum();
        assert!(held <= MET_BYTES_MAX && ages.young.len() > 1);
    }
}

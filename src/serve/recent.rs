//! [`Recent`]: what was made of bytes that came before.
//!
//! A client that polls sends the same head again and again, byte for byte, and most of its heads differ in the target alone.
//! What hyper says of a head, and what whoever answers makes of it, is the same each time, so it is made once and kept for
//! as long as there is room. A head that a body follows is never kept, nor one that asks for an interim answer.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use bytes::Bytes;
use foldhash::quality::RandomState;

use super::limits::{RECENT_BYTES_MAX, RECENT_MAX};

/// What was made of bytes that came before. When there is too much, that is forgotten which was not seen for longest.
#[derive(Debug)]
pub(super) struct Recent<V>(Mutex<Ages<V>>);

/// What comes again is young again, and what is old when the young ones have filled their half goes.
#[derive(Debug)]
struct Ages<V> {
    young: HashMap<Bytes, V, RandomState>,
    old: HashMap<Bytes, V, RandomState>,
    /// Bytes of the young ones.
    bytes: usize,
}

impl<V> Default for Recent<V> {
    fn default() -> Self {
        Self(Mutex::new(Ages { young: HashMap::default(), old: HashMap::default(), bytes: 0 }))
    }
}

impl<V: Clone> Recent<V> {
    /// What was made of these bytes.
    pub(super) fn get(&self, bytes: &[u8]) -> Option<V> {
        let mut ages = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(made) = ages.young.get(bytes) {
            return Some(made.clone());
        }
        let (bytes, made) = ages.old.remove_entry(bytes)?;
        ages.put(bytes, made.clone());
        Some(made)
    }

    /// Keeps what was made of these bytes.
    pub(super) fn put(&self, bytes: Bytes, made: V) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).put(bytes, made);
    }
}

impl<V> Ages<V> {
    fn put(&mut self, bytes: Bytes, made: V) {
        if self.young.len() >= RECENT_MAX / 2 || self.bytes + bytes.len() > RECENT_BYTES_MAX / 2 {
            self.old = std::mem::take(&mut self.young);
            self.bytes = 0;
        }
        if bytes.len() <= RECENT_BYTES_MAX / 2 {
            self.bytes += bytes.len();
            self.young.insert(bytes, made);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn head(number: usize) -> Bytes {
        format!("GET /{number} HTTP/1.1\r\n\r\n").into()
    }

    #[test]
    fn what_comes_again_stays_and_what_does_not_goes() {
        let recent = Recent::default();
        recent.put(head(0), 0);
        for number in 1..3 * RECENT_MAX {
            recent.put(head(number), number);
            assert_eq!(recent.get(&head(0)), Some(0), "{number}");
        }
        assert_eq!(recent.get(&head(1)), None);
        let ages = recent.0.lock().unwrap();
        assert!(ages.young.len() + ages.old.len() <= RECENT_MAX);
    }

    #[test]
    fn bytes_are_bounded_too() {
        let recent = Recent::default();
        let long = "x".repeat(RECENT_BYTES_MAX / 8);
        for number in 0..20 {
            recent.put(format!("{number}{long}").into(), number);
        }
        let ages = recent.0.lock().unwrap();
        let held: usize = ages.young.keys().chain(ages.old.keys()).map(Bytes::len).sum();
        assert!(held <= RECENT_BYTES_MAX && ages.young.len() > 1);
    }
}

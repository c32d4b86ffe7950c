//! What became of parts of messages, for as long as nothing new is learnt.

use std::collections::{HashMap, VecDeque};
use std::hash::{BuildHasher, BuildHasherDefault, Hasher};

use bytes::Bytes;
use foldhash::quality::RandomState;

/// The most that is remembered, in bytes; then the oldest go, one by one.
const HELD_MAX: usize = 4 * 1024 * 1024;
/// What a part takes beside its bytes, about. With it the number of parts is bounded, too.
const ENTRY: usize = 128;

/// What became of a part of a message: nothing, or what stands in its place.
#[derive(Clone, Debug, Default)]
pub(super) struct Cleaned {
    /// The name of a header line.
    pub(super) name: Option<String>,
    pub(super) value: Option<Bytes>,
}

impl Cleaned {
    /// Whether anything stands in its place.
    pub(super) fn is_other(&self) -> bool {
        self.name.is_some() || self.value.is_some()
    }

    fn bytes(&self) -> usize {
        self.name.as_ref().map_or(0, String::len) + self.value.as_ref().map_or(0, Bytes::len)
    }
}

/// A part that was cleaned.
struct Held {
    hash: u64,
    key: Box<[u8]>,
    cleaned: Cleaned,
    /// `Known::changes` when it was cleaned.
    since: usize,
}

impl Held {
    fn bytes(&self) -> usize {
        ENTRY + self.key.len() + self.cleaned.bytes()
    }
}

/// What became of the parts that were cleaned last. A part that is met all the time goes with the others of its age and
/// is cleaned once more: that costs less than to note each time that it was met.
#[derive(Default)]
pub(super) struct Memory {
    /// In the order they came.
    parts: VecDeque<Held>,
    /// How many have gone: what stands at a place in `parts` came as this many more.
    gone: usize,
    /// Which one has a hash: as nobody knows the key of the hashes, two parts with the same one are an accident, and
    /// the younger is found.
    places: HashMap<u64, usize, BuildHasherDefault<AsItIs>>,
    hasher: RandomState,
    held: usize,
}

impl Memory {
    pub(super) fn get(&self, key: &[u8], changes: usize) -> Option<Cleaned> {
        let place = *self.places.get(&self.hasher.hash_one(key))?;
        let held = self.parts.get(place.wrapping_sub(self.gone))?;
        (held.since == changes && *held.key == *key).then(|| held.cleaned.clone())
    }

    pub(super) fn put(&mut self, key: &[u8], cleaned: Cleaned, changes: usize) {
        let hash = self.hasher.hash_one(key);
        let new = Held { hash, key: key.into(), cleaned, since: changes };
        let bytes = new.bytes();
        while self.held + bytes > HELD_MAX && !self.parts.is_empty() {
            self.forget_oldest();
        }
        self.held += bytes;
        self.places.insert(hash, self.gone.wrapping_add(self.parts.len()));
        self.parts.push_back(new);
    }

    fn forget_oldest(&mut self) {
        let Some(oldest) = self.parts.pop_front() else { return };
        self.held -= oldest.bytes();
        // One that came again since is found at its later place.
        if self.places.get(&oldest.hash) == Some(&self.gone) {
            self.places.remove(&oldest.hash);
        }
        self.gone = self.gone.wrapping_add(1);
    }
}

/// What is looked up is a hash already.
#[derive(Default)]
struct AsItIs(u64);

impl Hasher for AsItIs {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        self.0 = bytes.iter().fold(self.0, |hash, byte| hash.rotate_left(8) ^ u64::from(*byte));
    }

    fn write_u64(&mut self, hash: u64) {
        self.0 = hash;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// So many parts of eight bytes have room.
    const PARTS_MAX: usize = HELD_MAX / (ENTRY + 8);

    fn key(n: usize) -> [u8; 8] {
        n.to_le_bytes()
    }

    #[test]
    fn what_came_last_is_remembered_however_much_came_before() {
        let mut memory = Memory::default();
        for n in 0..3 * PARTS_MAX {
            memory.put(&key(n), Cleaned::default(), 1);
            // None goes because of another that is like it: only the oldest do.
            let oldest = (n + 1).saturating_sub(PARTS_MAX);
            for held in [oldest, n / 2 + oldest / 2, n] {
                assert!(memory.get(&key(held), 1).is_some(), "{held} of {n}");
            }
            assert!(oldest == 0 || memory.get(&key(oldest - 1), 1).is_none());
        }
        assert_eq!((memory.held, memory.places.len()), (PARTS_MAX * (ENTRY + 8), PARTS_MAX));
    }

    #[test]
    fn what_was_cleaned_by_other_knowledge_is_not_remembered() {
        let mut memory = Memory::default();
        let shown =
            |value: &'static str| Cleaned { name: None, value: Some(Bytes::from_static(value.as_bytes())) };
        memory.put(b"k", shown("one"), 1);
        assert!(memory.get(b"k", 2).is_none());
        memory.put(b"k", shown("two"), 2);
        assert_eq!(memory.get(b"k", 2).and_then(|held| held.value).as_deref(), Some(&b"two"[..]));
        for n in 0..PARTS_MAX - 2 {
            memory.put(&key(n), Cleaned::default(), 2);
        }
        assert_eq!(memory.parts.len(), PARTS_MAX);
        memory.put(&key(PARTS_MAX), Cleaned::default(), 2);
        assert!(
            memory.gone == 1 && memory.get(b"k", 2).is_some(),
            "the first of the two is gone, the other is not"
        );
    }

    #[test]
    fn memory_is_bounded() {
        let mut memory = Memory::default();
        let long = |n: u32| [&n.to_le_bytes()[..], &[0; 50_000]].concat();
        for n in 0..200_u32 {
            memory.put(&long(n), Cleaned::default(), 0);
            assert!(memory.held <= HELD_MAX);
        }
        let many = memory.parts.len();
        assert_eq!(many, HELD_MAX / (ENTRY + 50_004));
        assert_eq!((memory.held, memory.places.len()), (many * (ENTRY + 50_004), many));
        assert!(memory.get(&long(199), 0).is_some() && memory.get(&long(100), 0).is_none());
    }
}

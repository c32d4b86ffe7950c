//! What became of parts of messages, for as long as nothing new is learnt. It is one table, in which a part has one place.

use std::hash::BuildHasher;

use bytes::Bytes;
use foldhash::quality::RandomState;

/// The most that is remembered, in bytes; then it is forgotten and begun anew.
const HELD_MAX: usize = 4 * 1024 * 1024;
/// So many parts have room at first, and at most.
const SLOTS_MIN: usize = 256;
const SLOTS_MAX: usize = 32 * 1024;

/// What became of a part of a message: nothing, or what stands in its place.
#[derive(Clone, Debug, Default)]
pub(super) struct Cleaned {
    /// The name of a header line.
    pub(super) name: Option<String>,
    pub(super) value: Option<Bytes>,
}

impl Cleaned {
    fn bytes(&self) -> usize {
        self.name.as_ref().map_or(0, String::len) + self.value.as_ref().map_or(0, Bytes::len)
    }
}

/// What became of the parts that were cleaned since the last thing was learnt.
#[derive(Default)]
pub(super) struct Memory {
    /// Each part has one place, by its hash; the next with the same place takes it.
    slots: Vec<Option<(Box<[u8]>, Cleaned)>>,
    hasher: RandomState,
    used: usize,
    held: usize,
    /// `Known::changes` when these were cleaned.
    since: usize,
}

impl Memory {
    pub(super) fn get(&self, key: &[u8], changes: usize) -> Option<Cleaned> {
        if self.since != changes {
            return None;
        }
        let (held, cleaned) = self.slots.get(self.slot_of(key))?.as_ref()?;
        (**held == *key).then(|| cleaned.clone())
    }

    fn slot_of(&self, key: &[u8]) -> usize {
        let slots = self.slots.len().max(1) as u64;
        usize::try_from(self.hasher.hash_one(key) % slots).unwrap_or_default()
    }

    /// Makes room for twice as many, up to [`SLOTS_MAX`].
    fn grow(&mut self) {
        let size = (self.slots.len() * 2).clamp(SLOTS_MIN, SLOTS_MAX);
        let held = std::mem::take(&mut self.slots);
        self.slots.resize_with(size, || None);
        (self.used, self.held) = (0, 0);
        held.into_iter().flatten().for_each(|(key, cleaned)| self.fill(key, cleaned));
    }

    fn fill(&mut self, key: Box<[u8]>, cleaned: Cleaned) {
        let slot = self.slot_of(&key);
        if let Some(slot) = self.slots.get_mut(slot) {
            match slot.take() {
                Some((key, cleaned)) => self.held -= key.len() + cleaned.bytes(),
                None => self.used += 1,
            }
            self.held += key.len() + cleaned.bytes();
            *slot = Some((key, cleaned));
        }
    }

    pub(super) fn put(&mut self, key: &[u8], cleaned: Cleaned, changes: usize) {
        let bytes = key.len() + cleaned.bytes();
        if self.since != changes || self.held + bytes > HELD_MAX {
            self.slots.clear();
            (self.since, self.used, self.held) = (changes, 0, 0);
        }
        if self.used * 2 >= self.slots.len() && self.slots.len() < SLOTS_MAX {
            self.grow();
        }
        self.fill(key.into(), cleaned);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_is_remembered_until_another_takes_its_place() {
        let mut memory = Memory::default();
        let key = |n: usize| n.to_le_bytes();
        for n in 0..2 * SLOTS_MAX {
            memory.put(&key(n), Cleaned::default(), 1);
            assert!(memory.get(&key(n), 1).is_some() && memory.get(&key(n), 2).is_none());
        }
        let held = (0..2 * SLOTS_MAX).filter(|n| memory.get(&key(*n), 1).is_some()).count();
        assert!(held == memory.used && held > SLOTS_MAX / 2 && memory.slots.len() == SLOTS_MAX, "{held}");
        assert_eq!(memory.held, held * 8);
    }

    #[test]
    fn memory_is_bounded() {
        let (mut memory, mut most) = (Memory::default(), 0);
        for n in 0..200_u32 {
            memory.put(&[&n.to_le_bytes()[..], &[0; 50_000]].concat(), Cleaned::default(), 0);
            assert!(memory.held <= HELD_MAX);
            most = memory.slots.iter().flatten().count().max(most);
        }
        // When it was full it was begun anew: how much it holds at the end depends on which places were taken twice.
        assert!(most > 10 && most < 100, "{most}");
    }
}

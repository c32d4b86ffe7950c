//! What the interactions of one file share: heads that stand in many of them are kept once, bodies side by side in
//! blocks. A cassette is mostly heads, and they are mostly the same.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use foldhash::quality::RandomState;

use crate::message::{Header, Headers};

/// How many different heads are looked up; a file where each is another has nothing from more.
const HEADS_MAX: usize = 4096;
/// How many different lines are looked up.
const LINES_MAX: usize = 65_536;
/// How many different names are looked up; the API has some hundreds.
const NAMES_MAX: usize = 4096;
/// A longer head, or line, is taken for one of its own.
const SHARED_BYTES_MAX: usize = 1024;
/// Bodies share blocks of this size; a longer body has its own.
const BLOCK_BYTES: usize = 1024 * 1024;

/// Gathers what one file's interactions have in common, while it is read.
#[derive(Default)]
pub(super) struct Pool {
    heads: HashMap<Vec<u8>, Arc<[Arc<Header>]>, RandomState>,
    lines: HashMap<Vec<u8>, Arc<Header>, RandomState>,
    names: HashSet<Arc<str>, RandomState>,
    /// Where keys are put together.
    key: Vec<u8>,
    block: BytesMut,
    /// Bytes of all bodies so far.
    used: usize,
}

impl Pool {
    /// Header lines; the same ones are the same memory.
    pub(super) fn headers(&mut self, lines: &[(&str, &[u8])]) -> Headers {
        if lines.is_empty() {
            return Headers::new();
        }
        let mut key = std::mem::take(&mut self.key);
        key.clear();
        lines.iter().for_each(|line| put(&mut key, line));
        let shared = self.heads.get(&key).map(Arc::clone).unwrap_or_else(|| {
            let head: Arc<[Arc<Header>]> = lines.iter().map(|line| self.line(line)).collect();
            if self.heads.len() < HEADS_MAX && key.len() <= SHARED_BYTES_MAX {
                self.heads.insert(key.clone(), Arc::clone(&head));
            }
            head
        });
        self.key = key;
        Headers::shared(shared)
    }

    fn line(&mut self, line: &(&str, &[u8])) -> Arc<Header> {
        let mut key = Vec::new();
        put(&mut key, line);
        if let Some(known) = self.lines.get(&key) {
            return Arc::clone(known);
        }
        let (name, value) = *line;
        let fresh = Arc::new(Header { name: name.to_owned(), value: Bytes::copy_from_slice(value) });
        if self.lines.len() < LINES_MAX && key.len() <= SHARED_BYTES_MAX {
            self.lines.insert(key, Arc::clone(&fresh));
        }
        fresh
    }

    /// A name that many have.
    pub(super) fn name(&mut self, name: &str) -> Arc<str> {
        if let Some(known) = self.names.get(name) {
            return Arc::clone(known);
        }
        let fresh: Arc<str> = name.into();
        if self.names.len() < NAMES_MAX && name.len() <= SHARED_BYTES_MAX {
            self.names.insert(Arc::clone(&fresh));
        }
        fresh
    }

    /// A body, beside the others.
    pub(super) fn bytes(&mut self, body: &[u8]) -> Bytes {
        self.room(body.len());
        self.block.extend_from_slice(body);
        self.used += body.len();
        self.block.split().freeze()
    }

    /// A JSON text without insignificant white space, beside the others. `text` is valid JSON.
    pub(super) fn compact(&mut self, text: &str) -> Bytes {
        self.room(text.len());
        let bytes = text.as_bytes();
        let (mut kept_from, mut in_string, mut escaped) = (0, false, false);
        for (at, byte) in bytes.iter().enumerate() {
            match byte {
                _ if escaped => escaped = false,
                b'\\' if in_string => escaped = true,
                b'"' => in_string = !in_string,
                b' ' | b'\t' | b'\r' | b'\n' if !in_string => {
                    self.block.extend_from_slice(bytes.get(kept_from..at).unwrap_or_default());
                    kept_from = at + 1;
                }
                _ => {}
            }
        }
        self.block.extend_from_slice(bytes.get(kept_from..).unwrap_or_default());
        self.used += self.block.len();
        self.block.split().freeze()
    }

    /// Makes room in a block: one is as long as all before it together, so that a short file takes no long one.
    fn room(&mut self, length: usize) {
        if self.block.capacity() < length {
            self.block = BytesMut::with_capacity(length.max(self.used.min(BLOCK_BYTES)));
        }
    }
}

/// A line in a key: its length before each part, so that no two lines are one key.
fn put(key: &mut Vec<u8>, (name, value): &(&str, &[u8])) {
    for part in [name.as_bytes(), value] {
        key.extend_from_slice(&(part.len() as u64).to_le_bytes());
        key.extend_from_slice(part);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pointers(headers: &Headers) -> Vec<*const Header> {
        headers.iter().map(std::ptr::from_ref).collect()
    }

    #[test]
    fn the_same_lines_are_the_same_memory_and_other_lines_are_not() {
        let mut pool = Pool::default();
        let one: &[(&str, &[u8])] = &[("A", b"1"), ("B", b"2")];
        let two: &[(&str, &[u8])] = &[("A", b"1"), ("B", b"3")];
        let (first, again, other) = (pool.headers(one), pool.headers(one), pool.headers(two));
        assert_eq!(pointers(&first), pointers(&again));
        assert_eq!(pointers(&first)[0], pointers(&other)[0]);
        assert_ne!(pointers(&first)[1], pointers(&other)[1]);
        assert_eq!(other.text("b").as_deref(), Some("3"));
        let (split, joined) = (pool.headers(&[("A", b"1B2")]), pool.headers(&[("A1", b"B2")]));
        assert_ne!(split, joined);
    }

    #[test]
    fn what_is_shared_is_edited_for_one_message_alone() {
        let mut pool = Pool::default();
        let lines: &[(&str, &[u8])] = &[("A", b"1"), ("B", b"2")];
        let (mut edited, untouched) = (pool.headers(lines), pool.headers(lines));
        edited.push("C", "3");
        edited.set("b", "4");
        edited.remove("a");
        let left: Vec<String> = edited.iter().map(|line| format!("{}={}", line.name, line.text())).collect();
        assert_eq!(left, ["B=4", "C=3"]);
        assert_eq!(untouched, lines.iter().map(|(name, value)| (*name, *value)).collect::<Headers>());
    }

    #[test]
    fn bodies_lie_side_by_side_and_say_what_they_said() {
        let mut pool = Pool::default();
        let bodies: Vec<Bytes> =
            (0..2000).map(|n| pool.compact(&format!("{{ \"n\" : [{n}, \"a \\\" b\"] }}"))).collect();
        for (n, body) in bodies.iter().enumerate() {
            assert_eq!(body, format!("{{\"n\":[{n},\"a \\\" b\"]}}").as_bytes());
        }
        let beside = bodies.windows(2).filter(|pair| {
            let ends = pair[0].as_ptr() as usize + pair[0].len();
            ends == pair[1].as_ptr() as usize
        });
        assert!(beside.count() > 1900);
        assert_eq!(pool.bytes(&[7; 3 * BLOCK_BYTES]), vec![7; 3 * BLOCK_BYTES]);
        assert!(pool.bytes(b"").is_empty());
    }
}

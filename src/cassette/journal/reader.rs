//! Reading a journal entry by entry: whole ones, damaged ones, and the one that was never written to its end.

use std::io::{self, BufRead, Read};

use super::entry::{HEAD_MAX, Head, Kind, is_begun};
use crate::cassette::FILE_MAX_BYTES;

/// So many zero bytes at the end are a piece that the disk never got, not a byte that changed.
const NEVER_WRITTEN: usize = 512;

/// What comes next in a journal.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// A whole entry, and where it begins and ends.
    Entry { entry: Entry, at: u64, end: u64 },
    /// Something that was whole once.
    Damaged { at: u64 },
    /// The last entry was begun and never finished: it was never committed.
    Torn { at: u64 },
}

/// A whole entry.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) kind: Kind,
    pub(super) place: u64,
    pub(super) text: String,
}

/// Reads a journal from its start.
#[derive(Debug)]
pub(super) struct Reader<R> {
    from: R,
    at: u64,
    /// A head that was found behind a damaged entry, and where it begins.
    found: Option<(Head, u64)>,
}

impl<R: BufRead> Reader<R> {
    pub(super) fn new(from: R) -> Self {
        Self { from, at: 0, found: None }
    }

    /// The next step; `None` at the end.
    pub(super) fn step(&mut self) -> io::Result<Option<Step>> {
        let (head, at) = match self.found.take() {
            Some(found) => found,
            None => {
                let at = self.at;
                let line = self.line(HEAD_MAX)?;
                if line.is_empty() {
                    return Ok(None);
                }
                match Head::parse(&line) {
                    Some(head) => (head, at),
                    None => return self.without_head(&line, at).map(Some),
                }
            }
        };
        if head.length > FILE_MAX_BYTES {
            return self.search(at, false, true).map(Some);
        }
        let mut text = Vec::new();
        let read = self.from.by_ref().take(head.length + 1).read_to_end(&mut text)?;
        self.at += read as u64;
        if (read as u64) < head.length + 1 {
            return Ok(Some(Step::Torn { at }));
        }
        let is_ended = text.pop() == Some(b'\n');
        let entry = if is_ended && head.fits(&text) {
            String::from_utf8(text).map_err(|error| error.into_bytes())
        } else {
            Err(text)
        };
        Ok(Some(match entry {
            Ok(text) => {
                Step::Entry { entry: Entry { kind: head.kind, place: head.place, text }, at, end: self.at }
            }
            Err(text) if is_empty_end(&text) && self.from.fill_buf()?.is_empty() => Step::Torn { at },
            Err(_) => Step::Damaged { at },
        }))
    }

    fn without_head(&mut self, line: &[u8], at: u64) -> io::Result<Step> {
        let written = line.iter().position(|byte| *byte == 0).unwrap_or(line.len());
        let (begun, rest) = line.split_at(written);
        // Whether all that was written of it could be the beginning of a head.
        let is_begun = is_begun(begun) && rest.iter().all(|byte| *byte == 0);
        if is_begun && rest.is_empty() && self.from.fill_buf()?.is_empty() {
            return Ok(Step::Torn { at });
        }
        self.search(at, is_begun && !rest.is_empty(), line.ends_with(b"\n"))
    }

    /// Passes over what is no entry, to the next that is one. `zeros`: whether it held nothing
    /// else so far; `is_start`: whether a line begins here.
    fn search(&mut self, at: u64, mut zeros: bool, mut is_start: bool) -> io::Result<Step> {
        loop {
            let start = self.at;
            let line = self.line(HEAD_MAX)?;
            if line.is_empty() {
                return Ok(if zeros { Step::Torn { at } } else { Step::Damaged { at } });
            }
            if is_start && let Some(head) = Head::parse(&line) {
                self.found = Some((head, start));
                return Ok(Step::Damaged { at });
            }
            is_start = line.ends_with(b"\n");
            zeros &= line.iter().all(|byte| *byte == 0);
        }
    }

    /// A line with its end, or as much of it as there is up to `most` bytes; empty at the end of the file.
    fn line(&mut self, most: usize) -> io::Result<Vec<u8>> {
        let mut line = Vec::new();
        self.from.by_ref().take(most as u64).read_until(b'\n', &mut line)?;
        self.at += line.len() as u64;
        Ok(line)
    }
}

fn is_empty_end(text: &[u8]) -> bool {
    text.iter().rev().take_while(|byte| **byte == 0).count() >= NEVER_WRITTEN.min(text.len().max(1))
}

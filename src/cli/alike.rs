//! Texts of requests that were answered alike: made once, and filled in for each.

use std::collections::HashMap;

use foldhash::quality::RandomState;

use crate::replay::Alike;

/// Texts that are kept, and about their bytes; when there are so many, all are made anew.
const KEPT_MAX: usize = 16 * 1024;
const BYTES_MAX: usize = 4 * 1024 * 1024;
/// What one takes beside its text.
const ENTRY: usize = 128;

/// Pieces of text by what they are about.
pub(super) struct AlikeTexts<P> {
    pieces: HashMap<Alike, P, RandomState>,
    bytes: usize,
}

impl<P> Default for AlikeTexts<P> {
    fn default() -> Self {
        Self { pieces: HashMap::default(), bytes: 0 }
    }
}

impl<P> AlikeTexts<P> {
    /// The pieces for all that are alike, if they are kept.
    pub(super) fn get(&self, alike: &Alike) -> Option<&P> {
        self.pieces.get(alike)
    }

    /// Keeps pieces of about so many bytes.
    pub(super) fn keep(&mut self, alike: Alike, pieces: P, bytes: usize) {
        if self.pieces.len() >= KEPT_MAX || self.bytes > BYTES_MAX {
            (self.bytes, self.pieces) = (0, HashMap::default());
        }
        self.bytes += bytes + ENTRY;
        self.pieces.insert(alike, pieces);
    }
}

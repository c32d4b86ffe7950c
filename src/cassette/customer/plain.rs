//! Pieces that hold no customer data, nor any word that could turn out to be a name: the same stand in most interactions.

use std::collections::HashSet;

use foldhash::quality::RandomState;

use super::Place;
use crate::redact::customer::{Piece, is_distinctive, tokens, words};

/// How many such pieces are remembered; then they are forgotten and begun anew.
const PIECES_MAX: usize = 2048;
/// Longer ones are not remembered.
const LENGTH_MAX: usize = 96;
/// Those under more names are not, either.
const NAMES_MAX: usize = 4;

/// What was found to be plain.
#[derive(Clone, Debug, Default)]
pub(super) struct Plain {
    pieces: HashSet<Box<[u8]>, RandomState>,
    /// Where keys are put together.
    key: Vec<u8>,
}

impl Plain {
    pub(super) fn holds(&mut self, place: Place, piece: Piece<'_>) -> bool {
        self.has_key(place, piece) && self.pieces.contains(self.key.as_slice())
    }

    /// Remembers a piece in which nothing was found, if it is plain.
    pub(super) fn take(&mut self, place: Place, piece: Piece<'_>) {
        let holds_name =
            || words(piece.text).any(|at| is_distinctive(piece.text.get(at).unwrap_or_default()));
        if self.has_key(place, piece) && tokens(piece.text).next().is_none() && !holds_name() {
            if self.pieces.len() >= PIECES_MAX {
                self.pieces.clear();
            }
            self.pieces.insert(self.key.as_slice().into());
        }
    }

    /// Puts together by what a piece is remembered: its text and the names it stands under. Whether it is at all: texts
    /// with numbers are mostly new, those in heads apart.
    fn has_key(&mut self, place: Place, piece: Piece<'_>) -> bool {
        let has_number = || piece.text.bytes().any(|byte| byte.is_ascii_digit());
        let is_long = piece.text.len() > LENGTH_MAX || piece.under.len() > NAMES_MAX;
        if is_long || (place != Place::Headers && has_number()) {
            return false;
        }
        self.key.clear();
        for part in piece.under.iter().chain([&piece.text]) {
            self.key.extend_from_slice(&part.len().to_le_bytes());
            self.key.extend_from_slice(part.as_bytes());
        }
        true
    }
}

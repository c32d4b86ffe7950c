//! A text in every form it can be read: as it stands, without its escapes, decoded, unpacked, and these within each other.

use std::ops::Range;

use super::coded::{self, Run};
use super::packed;
use super::readings::Readings;
use super::views::{Escapes, View};

/// How deep forms are taken off: JSON text in a JSON string, base64 in a target that was encoded twice.
const DEPTH: usize = 4;
/// How much is decoded in all, for each byte of the text and beyond it.
const BUDGET_PER_BYTE: usize = 64;
const BUDGET_MIN: usize = 64 * 1024;

/// One form of a text.
pub(super) struct Layer<'l> {
    pub(super) bytes: &'l [u8],
    /// Whether it reads as text, so that names in it mean something.
    pub(super) is_text: bool,
    place: &'l dyn Fn(Range<usize>) -> Range<usize>,
}

impl Layer<'_> {
    /// Where these bytes stand in the text: themselves, or the whole of what they were decoded from.
    pub(super) fn place(&self, at: Range<usize>) -> Range<usize> {
        (self.place)(at)
    }
}

/// Which forms are shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Depth {
    /// Without escapes only: each byte has a place of its own.
    Escapes,
    /// All of them.
    All,
}

/// Shows every form of `text` to `look`, itself first. Whether all of them were shown: what is decoded has a limit.
pub(super) fn each(text: &[u8], depth: Depth, look: &mut dyn FnMut(&Layer<'_>)) -> bool {
    let mut budget = text.len().saturating_mul(BUDGET_PER_BYTE).saturating_add(BUDGET_MIN);
    let whole = Layer { bytes: text, is_text: true, place: &|at| at };
    descend(&whole, (depth, DEPTH), &|_| false, &mut budget, look)
}

/// The runs that `is_shown` were decoded before, where they stood, and at least as deep.
fn descend(
    layer: &Layer<'_>,
    (kind, depth): (Depth, usize),
    is_shown: &dyn Fn(&Run) -> bool,
    budget: &mut usize,
    look: &mut dyn FnMut(&Layer<'_>),
) -> bool {
    look(layer);
    if depth == 0 {
        return true;
    }
    let readings = match kind {
        Depth::All => Readings::of(layer.bytes),
        Depth::Escapes => Readings::of_escapes(layer.bytes),
    };
    if readings.is_one() {
        return true;
    }
    let mut is_all = true;
    let runs = if kind == Depth::All { coded::runs(layer.bytes, readings) } else { Vec::new() };
    for escapes in Escapes::ALL {
        let Some(view) = View::of(layer.bytes, escapes, readings) else { continue };
        if !charge(budget, view.bytes.len()) {
            return false;
        }
        let place = |at: Range<usize>| layer.place(view.place(at));
        // Lines that were put together by trial name nothing; folded ones are not decoded any further.
        let is_folded = escapes == Escapes::Folded;
        let inner = Layer {
            bytes: &view.bytes,
            is_text: layer.is_text && (view.is_decoded || escapes == Escapes::Wide),
            place: &place,
        };
        // Most runs hold no escape: they stand in this layer as they stand in that view of it.
        let stands_here = |run: &Run| {
            let at = view.place(run.at.clone());
            at.len() == run.at.len() && coded::holds(&runs, &run.moved_to(at))
        };
        let depth = if is_folded { 0 } else { depth - 1 };
        is_all &= descend(&inner, (kind, depth), &stands_here, budget, look);
    }
    for run in runs.iter().filter(|run| !is_shown(run)) {
        let place = |_: Range<usize>| layer.place(run.at.clone());
        for bytes in run.decoded(layer.bytes) {
            if !charge(budget, bytes.len()) {
                return false;
            }
            let bytes = packed::unpacked_within(&bytes).unwrap_or(bytes);
            let is_text = reads_as_text(&bytes);
            // What is no text is searched for known values, and not decoded any further.
            let depth = if is_text { depth - 1 } else { 0 };
            let inner = Layer { bytes: &bytes, is_text, place: &place };
            is_all &= descend(&inner, (kind, depth), &|_| false, budget, look);
        }
    }
    is_all
}

fn charge(budget: &mut usize, bytes: usize) -> bool {
    let left = budget.checked_sub(bytes);
    *budget = left.unwrap_or(0);
    left.is_some()
}

/// Whether nearly all bytes are those of text, or of text with two bytes for a character.
fn reads_as_text(bytes: &[u8]) -> bool {
    let (mut odd, mut zeros) = (0, 0);
    for byte in bytes {
        let is_odd = (byte.is_ascii_control() && !byte.is_ascii_whitespace()) || !byte.is_ascii();
        odd += usize::from(is_odd);
        zeros += usize::from(*byte == 0);
    }
    odd * 8 <= bytes.len() || (zeros * 3 >= bytes.len() && (odd - zeros) * 8 <= bytes.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every form of a text, and where in it each stands.
    fn forms(text: &str) -> Vec<(Vec<u8>, Range<usize>)> {
        let mut all = Vec::new();
        each(text.as_bytes(), Depth::All, &mut |layer| {
            all.push((layer.bytes.to_vec(), layer.place(0..layer.bytes.len())));
        });
        all
    }

    #[test]
    fn a_run_without_escapes_is_decoded_once_however_often_the_text_around_it_is() {
        let run = "RkVEQ0JBOTg3NjU0MzIxMA";
        let text = format!("a%2520b {run}");
        let decoded = |(bytes, at): &&(Vec<u8>, Range<usize>)| {
            bytes.starts_with(b"FEDCBA") && *at == (text.len() - run.len()..text.len())
        };
        assert_eq!(forms(&text).iter().filter(decoded).count(), 1);
        // In the text it stands in two parts, too short for a run.
        let broken = format!("a%2520b {}%4E{}", &run[..12], &run[13..]);
        let is_decoded = |(bytes, _): &(Vec<u8>, Range<usize>)| bytes.starts_with(b"FEDCBA98");
        assert!(forms(&broken).iter().any(is_decoded), "{:?}", forms(&broken));
    }
}

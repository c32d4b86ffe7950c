//! Interactions on their way into the journal: their texts side by side in one buffer, which is used again.

use std::ops::Range;

use crate::cassette::Edit;

/// So much memory is kept for the next interactions.
const KEPT_BYTES: usize = 4 * 1024 * 1024;
const KEPT_MANY: usize = 16 * 1024;

/// Interactions that are not in the journal yet, in the order they came.
#[derive(Debug, Default)]
pub(super) struct Batch {
    texts: String,
    waiting: Vec<Waiting>,
}

/// One of them.
#[derive(Debug)]
struct Waiting {
    place: u64,
    /// How many secrets were known when it was cleaned.
    known: usize,
    at: Range<usize>,
    /// What it became when it was cleaned again.
    again: Option<String>,
}

impl Batch {
    /// Puts one in: its place in the recording, how many secrets were known when it was cleaned, and its text.
    pub(super) fn push(&mut self, place: u64, known: usize, text: &str) {
        let start = self.texts.len();
        self.texts.push_str(text);
        self.waiting.push(Waiting { place, known, at: start..self.texts.len(), again: None });
    }

    pub(super) fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    /// The places and texts.
    pub(super) fn iter(&self) -> impl Iterator<Item = (u64, &str)> {
        self.waiting.iter().map(|waiting| (waiting.place, text_of(&self.texts, waiting)))
    }

    /// The length of all texts.
    pub(super) fn bytes(&self) -> usize {
        self.iter().map(|(_, text)| text.len()).sum()
    }

    /// How many secrets were known when the first of those was cleaned that were cleaned before `known` were.
    pub(super) fn cleaned_at(&self, known: usize) -> Option<usize> {
        self.waiting.iter().map(|waiting| waiting.known).filter(|at| *at < known).min()
    }

    /// Looks again at those that were cleaned before `known` secrets were known.
    pub(super) fn clean(&mut self, known: usize, mut edit: impl FnMut(u64, &str) -> Edit) {
        let texts = &self.texts;
        self.waiting.retain_mut(|waiting| {
            if waiting.known >= known {
                return true;
            }
            waiting.known = known;
            match edit(waiting.place, text_of(texts, waiting)) {
                Edit::Keep => true,
                Edit::Replace(text) => {
                    waiting.again = Some(text);
                    true
                }
                Edit::Drop => false,
            }
        });
    }

    /// Puts those behind that came later.
    pub(super) fn append(&mut self, later: Self) {
        let shift = self.texts.len();
        self.texts.push_str(&later.texts);
        let shifted = |waiting: Waiting| {
            let at = waiting.at.start + shift..waiting.at.end + shift;
            Waiting { at, ..waiting }
        };
        self.waiting.extend(later.waiting.into_iter().map(shifted));
    }

    /// Takes all out, and keeps the memory.
    pub(super) fn clear(&mut self) {
        self.texts.clear();
        self.texts.shrink_to(KEPT_BYTES);
        self.waiting.clear();
        self.waiting.shrink_to(KEPT_MANY);
    }
}

fn text_of<'t>(texts: &'t str, waiting: &'t Waiting) -> &'t str {
    match &waiting.again {
        Some(text) => text,
        None => texts.get(waiting.at.clone()).unwrap_or_default(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(batch: &Batch) -> Vec<(u64, &str)> {
        batch.iter().collect()
    }

    #[test]
    fn what_is_put_behind_one_that_was_cleaned_again_stays_as_it_was() {
        let mut first = Batch::default();
        first.push(1, 0, "one");
        first.push(2, 5, "two");
        first.push(3, 0, "three");
        assert_eq!(first.cleaned_at(3), Some(0));
        first.clean(3, |place, _| if place == 1 { Edit::Replace("1".to_owned()) } else { Edit::Drop });
        assert_eq!(first.cleaned_at(3), None);
        let mut later = Batch::default();
        later.push(4, 5, "four");
        first.append(later);
        assert_eq!(shown(&first), [(1, "1"), (2, "two"), (4, "four")]);
        assert_eq!(first.bytes(), 8);
        first.clear();
        assert!(first.is_empty());
    }
}

//! What can be wrong with a `fields` text. Every error has one caret and says the fix.

use std::ops::Range;

/// Why a text is refused. Positions are bytes of the text that was read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FieldsError {
    /// The text breaks the grammar: 422 code 31 (ours).
    #[error("{why}")]
    Malformed {
        /// What is wrong, and the fix.
        why: String,
        /// The character that is wrong; empty at the end of the text.
        at: Range<usize>,
    },
    /// A name stands twice at one level: 422 code 31 (one source). It outranks an unknown name.
    #[error("field `{name}` is named twice at one level; name it once")]
    Duplicate {
        /// The bare name.
        name: String,
        /// Where it stands first.
        first: Range<usize>,
        /// Where it stands again.
        again: Range<usize>,
    },
    /// The endpoint has no such field: 422 code 30 (one source).
    #[error("no field `{path}` here{}", suggestion(nearest.as_deref()))]
    Unknown {
        /// The bare name.
        name: String,
        /// The name within those above it, as `fields` spells it: `rules(nme)`.
        path: String,
        /// The known name of that level that is spelt most alike.
        nearest: Option<String>,
        /// Where it stands.
        at: Range<usize>,
    },
    /// The text is past a bound of ours: 422 code 31 (ours).
    #[error("{why}")]
    TooLarge {
        /// Which bound, and what it is.
        why: String,
        /// What is over it.
        at: Range<usize>,
    },
}

impl FieldsError {
    /// Where the caret belongs.
    pub fn span(&self) -> Range<usize> {
        match self {
            Self::Malformed { at, .. } | Self::Unknown { at, .. } | Self::TooLarge { at, .. } => at.clone(),
            Self::Duplicate { again, .. } => again.clone(),
        }
    }

    /// Whether the console would answer 422 code 30; all others are code 31.
    pub fn is_unknown(&self) -> bool {
        matches!(self, Self::Unknown { .. })
    }
}

fn suggestion(nearest: Option<&str>) -> String {
    nearest.map_or_else(|| "; remove it".to_owned(), |name| format!("; did you mean `{name}`?"))
}

/// The known name that is spelt most alike, if any is close: at most a third of its letters differ, or only case.
pub(super) fn nearest(name: &str, known: &[&str]) -> Option<String> {
    let close = |candidate: &&&str| {
        let limit = (name.len().max(candidate.len()) / 3).max(1);
        // A long name cannot be near a short one; this also bounds the work.
        name.len().abs_diff(candidate.len()) <= limit
            && (distance(name, candidate) <= limit || name.eq_ignore_ascii_case(candidate))
    };
    known
        .iter()
        .filter(close)
        .min_by_key(|candidate| distance(name, candidate))
        .map(|name| (*name).to_owned())
}

/// How many bytes have to be put in, taken out or changed to get from one word to the other.
fn distance(one: &str, two: &str) -> usize {
    // `row` holds the distances of what was read of `one` to the beginnings of `two`.
    let mut row: Vec<usize> = (0..=two.len()).collect();
    for (read, one) in one.bytes().enumerate() {
        let mut diagonal = read;
        let mut left = read + 1;
        for (cell, two) in row.iter_mut().skip(1).zip(two.bytes()) {
            left = (diagonal + usize::from(one != two)).min(*cell + 1).min(left + 1);
            diagonal = std::mem::replace(cell, left);
        }
    }
    if two.is_empty() { one.len() } else { row.last().copied().unwrap_or_default() }
}

#[cfg(test)]
mod tests {
    use super::{distance, nearest};

    #[test]
    fn distance_counts_edits() {
        for (one, two, edits) in
            [("", "", 0), ("a", "", 1), ("", "ab", 2), ("state", "status", 2), ("id", "di", 2)]
        {
            assert_eq!((distance(one, two), distance(two, one)), (edits, edits), "{one} {two}");
        }
    }

    #[test]
    fn the_nearest_name_is_close_or_none() {
        let known = ["assigned_to", "case_id", "id", "name", "state"];
        let near = |name: &str| nearest(name, &known);
        assert_eq!(near("status").as_deref(), Some("state"));
        assert_eq!(near("asigned_to").as_deref(), Some("assigned_to"));
        assert_eq!(near("ID").as_deref(), Some("id"));
        assert_eq!(near("nope"), None);
        assert_eq!(near(&"x".repeat(8_000)), None);
    }
}

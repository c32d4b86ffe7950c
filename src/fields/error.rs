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

//! What can be wrong with a `filter` or a `sort` text. Every error has one caret and says the fix.

use std::ops::Range;

/// Why a text is refused. Positions are bytes of the text that was read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ListError {
    /// The text breaks the grammar.
    #[error("{why}")]
    Malformed {
        /// What is wrong, and the fix.
        why: String,
        /// The character that is wrong; empty at the end of the text.
        at: Range<usize>,
    },
    /// The text is past a bound of ours.
    #[error("{why}")]
    TooLarge {
        /// Which bound, and what it is.
        why: String,
        /// What is over it.
        at: Range<usize>,
    },
    /// The endpoint's elements have no such member.
    #[error("no member `{path}` here{}", suggestion(nearest.as_deref()))]
    Unknown {
        /// The name within those above it: `rules(nme)`.
        path: String,
        /// The known name of that level that is spelt most alike.
        nearest: Option<String>,
        /// Where the member is named.
        at: Range<usize>,
    },
    /// No element that is here has the member, so nothing can be known of it.
    #[error("none of the elements here has the member `{path}`")]
    Absent {
        /// The name within those above it.
        path: String,
        /// Where the member is named.
        at: Range<usize>,
    },
    /// What the elements have in this member is in no order that is known.
    #[error("`{path}` holds {what} here, and their order is not known")]
    Orderless {
        /// The member.
        path: String,
        /// What it holds.
        what: &'static str,
        /// Where the key stands.
        at: Range<usize>,
    },
    /// What the elements have in this member cannot be compared in this way (one source).
    #[error("{why}")]
    Unfit {
        /// Why not, and the fix.
        why: String,
        /// Where the member is named.
        at: Range<usize>,
    },
    /// The elements have placeholders in this member, and what they stand for is not known.
    #[error("`{member}` holds placeholders here, and whether one of them stands for `{text}` is not known")]
    Hidden {
        /// The member.
        member: String,
        /// What it is compared to.
        text: String,
        /// Where the member is named.
        at: Range<usize>,
    },
}

impl ListError {
    /// Where the caret belongs.
    pub fn span(&self) -> Range<usize> {
        match self {
            Self::Malformed { at, .. }
            | Self::TooLarge { at, .. }
            | Self::Unknown { at, .. }
            | Self::Absent { at, .. }
            | Self::Orderless { at, .. }
            | Self::Unfit { at, .. }
            | Self::Hidden { at, .. } => at.clone(),
        }
    }

    /// Whether a console might know more than what is here: nothing is wrong with the text itself.
    pub fn is_ignorance(&self) -> bool {
        matches!(self, Self::Absent { .. } | Self::Orderless { .. } | Self::Hidden { .. })
    }
}

fn suggestion(nearest: Option<&str>) -> String {
    nearest.map_or_else(|| "; remove it".to_owned(), |name| format!("; did you mean `{name}`?"))
}

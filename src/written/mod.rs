//! Files that people write: a TOML text of which every mistake is told, with its place and its fix.
//!
//! - `read` turns a text into tables whose every value knows its place; `mend` goes on where a text is not TOML
//! - [`Mistakes`] are all that is wrong in one, each a [`Diagnostic`]

mod diagnostic;
mod mend;
mod mistakes;
pub(crate) mod read;

use std::ops::Range;

pub use diagnostic::Diagnostic;
pub use mistakes::Mistakes;

/// A name from the text, with its bytes, resolved by a higher layer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Named {
    /// The name.
    pub name: String,
    /// Where it stands in the text, quotes included.
    pub at: Range<usize>,
}

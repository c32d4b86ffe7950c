//! Reports: what a run came to, made from its ledger and from nothing else.
//!
//! One file per format, each a function from ledger lines to text. Nothing here prints. Whatever stands in a ledger
//! may come from a recorded body or a client's own words, so every text goes through [`visible()`] before it is shown:
//! no terminal control character, no direction override and nothing illegal in XML leaves this module.

mod account;
mod columns;
mod console;
mod content;
mod coverage;
mod digest;
mod example;
mod failure;
mod format;
mod github;
mod gitlab;
mod html;
mod human;
mod in_short;
mod json;
mod junit;
mod known;
mod lines;
mod markdown;
mod matrix;
mod runs;
mod sarif;
mod shell;
mod table;
mod violations;
mod visible;

pub use content::Content;
pub use digest::Digest;
pub use format::{FORMATS, Format, FormatError};
pub use github::github;
pub use gitlab::gitlab;
pub use html::html;
pub use human::human;
pub use json::json;
pub use junit::junit;
pub use lines::{LinePieces, greeted_line, refused_line, request_line};
pub use markdown::{MARKDOWN_MAX, markdown};
pub use sarif::sarif;
pub use shell::{Part, shell_parts, shell_word};

pub use visible::{brief, visible};

/// Whether a report for a person carries colour. Colour never carries meaning alone.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Paint {
    /// Text only.
    #[default]
    Plain,
    /// With ANSI colour; for a terminal, or for a stream that strips colour where it is not wanted.
    Colour,
}

impl Paint {
    fn over(self, code: &str, text: &str) -> String {
        match self {
            Self::Plain => text.to_owned(),
            Self::Colour => format!("\u{1b}[{code}m{text}\u{1b}[0m"),
        }
    }

    fn good(self, text: &str) -> String {
        self.over("32", text)
    }

    fn bad(self, text: &str) -> String {
        self.over("1;31", text)
    }

    fn doubtful(self, text: &str) -> String {
        self.over("33", text)
    }

    fn heading(self, text: &str) -> String {
        self.over("1", text)
    }
}

//! Why a scenario cannot be had.

use crate::written::Mistakes;

/// Why a scenario cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum ScenarioError {
    /// The text has mistakes.
    #[error(transparent)]
    Invalid(#[from] Mistakes),
    /// The file cannot be read.
    #[error("cannot read {path}: {source}")]
    Io {
        /// The file.
        path: String,
        /// Why.
        source: std::io::Error,
    },
    /// No scenario is called so.
    #[error("no scenario is called `{name}`")]
    NoSuch {
        /// The name.
        name: String,
        /// Names that look like it, the nearest first.
        nearest: Vec<String>,
        /// The fault that is called so, in one line, if there is one.
        fault: Option<String>,
    },
    /// Several scenarios are called so.
    #[error("`{name}` means several scenarios: {full}", full = full.join(", "))]
    Ambiguous {
        /// The name.
        name: String,
        /// Their full names.
        full: Vec<String>,
    },
    /// A folder is named where one scenario is needed.
    #[error("`{name}` names a folder of scenarios, and one scenario is needed")]
    Folder {
        /// The name.
        name: String,
        /// The scenarios in it.
        full: Vec<String>,
    },
    /// No folder of scenarios is called so.
    #[error("there is no folder of scenarios `{name}`")]
    NoFolder {
        /// The name.
        name: String,
        /// The folders that there are.
        known: Vec<String>,
    },
    /// A folder without scenarios, or with more than can be looked through.
    #[error("the folder `{name}` {why}")]
    BadFolder {
        /// The name.
        name: String,
        /// What is wrong with it.
        why: &'static str,
    },
}

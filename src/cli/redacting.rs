//! What is redacted beside credentials: `--redact`, `--redact-file` and the nearest `redact.toml`.

use std::path::{Path, PathBuf};

use super::problem::Problem;
use crate::files;
use crate::redact::Rules;

/// The file of rules that is looked for beside a cassette and above it.
const FILE: &str = "redact.toml";
/// How many folders up it is looked for.
const FOLDERS_MAX: usize = 32;

/// What is redacted beside credentials.
#[derive(Clone, Debug, Default, clap::Args)]
#[command(next_help_heading = "What is redacted beside credentials")]
pub(super) struct Redacting {
    /// Redacts the values of this name (header, parameter, member, element), what this JSON pointer leads to (`*` is
    /// any), or what this pattern matches (its first group, if it has one). Can be given several times.
    #[arg(long, value_name = "NAME|/POINTER|regex:PATTERN")]
    redact: Vec<String>,
    /// Takes rules from this file, too; without it, from the nearest `redact.toml` beside or above the cassette:
    /// `redact = ["NAME", "/pointer", "regex:PATTERN"]`, and `keep = ["hosts"]` for customer data that stays.
    #[arg(long, value_name = "FILE")]
    redact_file: Option<PathBuf>,
}

impl Redacting {
    /// The rules for a cassette in this place.
    pub(super) fn rules(&self, cassette: &Path) -> Result<Rules, Problem> {
        let mut rules = Rules::default();
        for rule in &self.redact {
            rules.add(rule).map_err(Problem::input)?;
        }
        if let Some(file) = self.redact_file.clone().or_else(|| nearest(cassette)) {
            let text = files::read_text(&file, files::SMALL_MAX_BYTES);
            let text = text.map_err(|error| Problem::file("read", &file, error))?;
            let wrong = |error| Problem::input(format!("{}: {error}", file.display()));
            rules.add_file(&text).map_err(wrong)?;
        }
        Ok(rules)
    }
}

fn nearest(cassette: &Path) -> Option<PathBuf> {
    let whole = std::path::absolute(cassette).ok()?;
    whole.ancestors().skip(1).take(FOLDERS_MAX).map(|folder| folder.join(FILE)).find(|file| file.is_file())
}

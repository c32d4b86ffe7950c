//! `faultdeck.toml`: the settings of a project.
//!
//! It lies in the working folder or in the nearest one above ([`find`]), and is read by [`Settings::parse`]: where
//! cassettes, scenarios and profiles are, the defaults of flags, and which failures are known. Which flags there are, and which may be given a
//! default, is the command line's affair ([`Verb`]); a default is a text here, as it would stand on the command line.
//!
//! Such a file comes with a project, so a stranger may have written it. All its folders lie below its own.

mod known;
mod read;
mod secrets;

use std::path::{Path, PathBuf};

use crate::files::folders::Folders;
use crate::ledger::Known;
#[cfg(feature = "cli")]
pub(crate) use read::at_line;

/// What the file is called.
pub const NAME: &str = "faultdeck.toml";
/// The largest one, in bytes.
pub const LARGEST_BYTES: u64 = 256 * 1024;
/// How many folders are looked through, the working folder first.
const UPWARDS_MOST: usize = 64;

/// What a settings file says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Settings {
    /// Folders, relative to the file.
    pub folders: Folders,
    /// Defaults, in the order of the file.
    pub defaults: Vec<FlagDefault>,
    /// Failures that are known, by scenarios as they are called in the file.
    pub known: Vec<KnownEntry>,
}

/// A `[[known]]` failure.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KnownEntry {
    /// What it says.
    pub known: Known,
    /// The line it begins on, from 1.
    pub line: usize,
}

/// The default of a flag.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FlagDefault {
    /// The verb it is of.
    pub verb: String,
    /// The key: the flag without its dashes, `_` for `-`; or the name of an argument.
    pub key: String,
    /// The values, as they would stand on the command line: none for a switch that is off, one empty text for one that is on.
    pub values: Vec<String>,
    /// The line it stands on, from 1.
    pub line: usize,
}

/// A verb that a settings file can have a table for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verb {
    /// Its name.
    pub name: String,
    /// Its table, as messages call it: `[run]` in back quotes.
    pub title: String,
    /// Its flags.
    pub flags: Vec<Flag>,
    /// Why none of them may be given a default.
    pub refused: Option<String>,
}

/// A flag, or an argument with a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Flag {
    /// What it is called in a settings file.
    pub key: String,
    /// What it takes.
    pub takes: Takes,
    /// What it is for, in a sentence.
    pub about: String,
    /// Why it may not be given a default.
    pub refused: Option<String>,
}

/// What a flag takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Takes {
    /// Nothing: it is there or not.
    Nothing,
    /// A value.
    One,
    /// A value, each time it is given.
    Many,
}

/// What is wrong with a value as that of a flag: the verb, the key, the value.
pub type Check<'c> = &'c dyn Fn(&str, &str, &str) -> Result<(), String>;

/// The settings file that holds in `folder`: its own, else that of the nearest folder above it. Whatever holds a `.git` is
/// the top of a project, and nothing above it is looked at.
///
/// The path leads from `folder` to the file, by as many `..` as it takes.
pub fn find(folder: &Path) -> Option<PathBuf> {
    let mut up = PathBuf::new();
    for above in folder.ancestors().take(UPWARDS_MOST) {
        if above.join(NAME).symlink_metadata().is_ok() {
            return Some(up.join(NAME));
        }
        if above.join(".git").symlink_metadata().is_ok() {
            return None;
        }
        up.push("..");
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_file_is_found_and_none_beyond_the_top_of_a_project() {
        let top = tempfile::tempdir().unwrap();
        let deep = top.path().join("repo/a/b");
        std::fs::create_dir_all(&deep).unwrap();
        std::fs::create_dir(top.path().join("repo/.git")).unwrap();
        let put = |at: &str| std::fs::write(top.path().join(at).join(NAME), "").unwrap();
        put(".");
        assert_eq!(find(&deep), None);
        put("repo");
        assert_eq!(find(&deep), Some(PathBuf::from("../../faultdeck.toml")));
        put("repo/a/b");
        assert_eq!(find(&deep), Some(PathBuf::from(NAME)));
        assert_eq!(find(top.path()), Some(PathBuf::from(NAME)));
    }
}

//! Which cassette a name means.

use std::path::{Component, Path, PathBuf};

use super::{Cassette, CassetteError, FILE_MAX_BYTES, journal_of};
use crate::files::folders;

/// The cassettes in the binary: name and text.
pub(crate) const BUILTINS: &[(&str, &str)] = &[
    ("forensics/create-case", include_str!("../../cassettes/forensics/create-case.json")),
    ("forensics/two-cases", include_str!("../../cassettes/forensics/two-cases.json")),
    ("ariel/search", include_str!("../../cassettes/ariel/search.json")),
    ("siem/offenses", include_str!("../../cassettes/siem/offenses.json")),
    ("reference-data/delete-set", include_str!("../../cassettes/reference-data/delete-set.json")),
];

/// Who names a cassette: it decides what a relative path is relative to, and where names are looked up first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asker<'a> {
    /// The command line: paths are relative to the working folder.
    CommandLine,
    /// A scenario, with its file if it is not a built-in one: paths are relative to that file's folder, and names
    /// are looked up in `cassettes/` beside that folder first, or beside the folder `scenarios` it stands below.
    Scenario(Option<&'a Path>),
}

/// Why no cassette can be had for a name.
#[derive(Debug, thiserror::Error)]
pub enum FindError {
    /// A name that could lead out of a `cassettes/` folder.
    #[error("`{name}` is not the name of a cassette")]
    BadName {
        /// The name.
        name: String,
    },
    /// No such file, and no such built-in cassette.
    #[error("no cassette `{name}`")]
    NoSuch {
        /// The name, without `builtin:`.
        name: String,
        /// The files looked for, in order.
        looked: Vec<PathBuf>,
    },
    /// It is there and cannot be read.
    #[error(transparent)]
    Cassette(#[from] CassetteError),
}

/// The cassette that `argument` means: a path if it ends in `.json`; a cassette in the binary if it starts with
/// `builtin:`; else a name, looked up in `cassettes/` beside the folder of the asking scenario, then in the project's
/// folders, then in `cassettes/` of the working folder, then in the binary.
///
/// # Errors
/// If there is no such cassette, or it cannot be read.
pub fn find(argument: &str, asker: Asker<'_>) -> Result<Cassette, FindError> {
    find_within(argument, asker, FILE_MAX_BYTES)
}

/// The same, of a file of at most `most` bytes.
///
/// # Errors
/// Those of [`find`].
pub fn find_within(argument: &str, asker: Asker<'_>, most: u64) -> Result<Cassette, FindError> {
    let beside = match asker {
        Asker::CommandLine | Asker::Scenario(None) => None,
        Asker::Scenario(Some(file)) => file.parent(),
    };
    if argument.ends_with(".json") {
        let path = beside.unwrap_or(Path::new("")).join(argument);
        return Ok(Cassette::load_within(&path, most)?);
    }
    if let Some(name) = argument.strip_prefix("builtin:") {
        return builtin(name).unwrap_or_else(|| Err(no_such(name, Vec::new())));
    }
    if !is_name(argument) {
        return Err(FindError::BadName { name: argument.to_owned() });
    }
    let folders = beside.map(|folder| scenarios_folder(folder).join("..").join("cassettes"));
    let folders = folders.into_iter().chain(folders::cassettes());
    let files: Vec<PathBuf> = folders.map(|folder| folder.join(format!("{argument}.json"))).collect();
    // A recording to it may be under way.
    if let Some(file) = files.iter().find(|file| file.is_file() || journal_of(file).is_file()) {
        let mut cassette = Cassette::load_within(file, most)?;
        cassette.name = argument.to_owned();
        return Ok(cassette);
    }
    builtin(argument).unwrap_or_else(|| Err(no_such(argument, files)))
}

/// Where a cassette of this name or path is written when it is recorded: the path itself, else below the first folder in
/// which it is looked for: the project's, or `cassettes/` of the working folder.
///
/// # Errors
/// If it is neither a path ending in `.json` nor a legal name.
pub fn file_to_write(argument: &str) -> Result<PathBuf, FindError> {
    if argument.ends_with(".json") {
        return Ok(PathBuf::from(argument));
    }
    if argument.starts_with("builtin:") || !is_name(argument) {
        return Err(FindError::BadName { name: argument.to_owned() });
    }
    let folder = folders::cassettes().into_iter().next().unwrap_or_default();
    Ok(folder.join(format!("{argument}.json")))
}

/// `scenarios/` for a scenario in `scenarios/found/`.
fn scenarios_folder(folder: &Path) -> &Path {
    folder.ancestors().find(|above| above.ends_with("scenarios")).unwrap_or(folder)
}

fn builtin(name: &str) -> Option<Result<Cassette, FindError>> {
    let (name, text) = BUILTINS.iter().find(|(known, _)| *known == name)?;
    Some(Cassette::parse(name, text).map_err(FindError::from))
}

fn no_such(name: &str, looked: Vec<PathBuf>) -> FindError {
    FindError::NoSuch { name: name.to_owned(), looked }
}

/// Folders and a stem, separated by `/`; nothing that leads elsewhere.
fn is_name(argument: &str) -> bool {
    !argument.is_empty()
        && !argument.contains('\\')
        && !argument.chars().any(char::is_control)
        && Path::new(argument).components().all(|part| matches!(part, Component::Normal(_)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_never_leads_out_of_its_folder() {
        for name in ["../x", "/etc/passwd", "a/../../b", "", "a\\b", "a\nb"] {
            assert!(matches!(find(name, Asker::CommandLine), Err(FindError::BadName { .. })), "{name}");
            assert!(file_to_write(name).is_err(), "{name}");
        }
    }

    #[test]
    fn an_unknown_name_says_where_it_was_looked_for() {
        let asker = Asker::Scenario(Some(Path::new("scenarios/slow.toml")));
        let Err(FindError::NoSuch { looked, .. }) = find("no/such", asker) else { panic!() };
        assert_eq!(
            looked,
            [Path::new("scenarios/../cassettes/no/such.json"), Path::new("cassettes/no/such.json")]
        );
    }
}

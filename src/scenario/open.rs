//! Where scenarios come from: the binary, a path, a name.

use std::path::{Path, PathBuf};

use super::builtin::{BUILTINS, STORIES};
use super::lookup::{Names, Place, file_of, is_name};
use super::{Scenario, ScenarioError};
use crate::files::{self, folders};
use crate::profile::Profile;

/// What a scenario from standard input is called.
const INPUT: &str = "stdin";

impl Scenario {
    /// The largest scenario file that is read, in bytes.
    pub(crate) const LARGEST_BYTES: u64 = 1 << 20;

    /// The scenario that came on standard input.
    ///
    /// # Errors
    /// If it has a mistake.
    #[cfg(feature = "cli")]
    pub(crate) fn of_input(text: &str, profile: &Profile) -> Result<Self, ScenarioError> {
        Self::parse(INPUT, INPUT, text, profile)
    }

    /// What tells it from every other, by whichever name it was asked for: its file, or its full name in the binary.
    #[cfg(feature = "cli")]
    pub(crate) fn identity(&self) -> String {
        match &self.file {
            Some(file) => file.canonicalize().unwrap_or_else(|_| file.clone()).display().to_string(),
            None => {
                let full = BUILTINS.iter().find(|(_, text)| *text == self.text).map(|(name, _)| *name);
                format!("builtin:{}", full.unwrap_or(&self.name))
            }
        }
    }

    /// Whether it came on standard input: nobody can have it again by its name.
    pub(crate) fn is_of_input(&self) -> bool {
        self.name == INPUT && self.file.is_none()
    }

    /// `builtin:NAME`; a path, if it ends in `.toml`; else a name: `NAME.toml` in the project's folders, then in
    /// `scenarios/` of the working folder, then the built-in ones. The last part of a name alone (`hang` for `network/hang`) is enough where only one scenario
    /// has it. A name may contain `/`, but never leads out of the folder.
    ///
    /// # Errors
    /// If there is none or more than one, it cannot be read, or it has a mistake.
    pub fn open(argument: &str, profile: &Profile) -> Result<Self, ScenarioError> {
        if argument.ends_with('/') {
            let full = folder(argument)?.into_iter().map(|(name, _)| name).collect();
            return Err(ScenarioError::Folder { name: argument.to_owned(), full });
        }
        if let Some(name) = argument.strip_prefix("builtin:") {
            return builtin(name, profile);
        }
        if argument.ends_with(".toml") {
            return Self::load(Path::new(argument), profile);
        }
        if !is_name(argument) {
            return Err(Names::all().no_such(argument));
        }
        // A full name needs no look through folders.
        if let Some(path) = file_of(argument) {
            return load_as(argument, &path, profile);
        }
        match Names::all().find(argument)? {
            Place::Binary(text) => parse_builtin(argument, text, profile),
            Place::File(path) => load_as(argument, &path, profile),
        }
    }

    /// All scenarios that an argument names, one or those of a folder: an argument that ends in `/` is one. It is looked
    /// up like a name, in `scenarios/` of the working folder and among the built-in ones together (`task/`); `builtin:task/`
    /// is the latter alone; what is found in neither is a path.
    ///
    /// # Errors
    /// As [`Self::open`]; if the folder is not there, or holds nothing.
    #[cfg(feature = "cli")]
    pub(crate) fn open_all(argument: &str, profile: &Profile) -> Result<Vec<Self>, ScenarioError> {
        if !argument.ends_with('/') {
            return Self::open(argument, profile).map(|one| vec![one]);
        }
        let open = |(name, place): (String, Place)| match place {
            Place::Binary(text) => parse_builtin(&name, text, profile),
            Place::File(path) => load_as(&name, &path, profile),
        };
        folder(argument)?.into_iter().map(open).collect()
    }

    /// The scenario in a file; its name is the file's stem.
    ///
    /// # Errors
    /// If it cannot be read or has a mistake.
    pub fn load(path: &Path, profile: &Profile) -> Result<Self, ScenarioError> {
        let name = path.file_stem().map_or_else(|| "scenario".into(), |stem| stem.to_string_lossy());
        load_as(&name, path, profile)
    }

    /// The embedded ones: full name and text, the six stories first and what finds most beside them, then folder by folder.
    pub fn builtins() -> &'static [(&'static str, &'static str)] {
        BUILTINS
    }

    /// The stories among them that everything begins with.
    pub fn stories() -> &'static [(&'static str, &'static str)] {
        BUILTINS.get(..STORIES).unwrap_or(BUILTINS)
    }

    /// The embedded one called `name`, without `builtin:`; its last part is enough.
    pub fn builtin(name: &str, profile: &Profile) -> Option<Self> {
        builtin(name, profile).ok()
    }
}

/// The scenarios of a folder, by full name.
fn folder(argument: &str) -> Result<Vec<(String, Place)>, ScenarioError> {
    let owned = |found: Vec<(&str, &Place)>| -> Vec<(String, Place)> {
        found.into_iter().map(|(name, place)| (name.to_owned(), place.clone())).collect()
    };
    let (name, names) = match argument.strip_prefix("builtin:") {
        Some(name) => (name, Names::builtin()),
        None => (argument, Names::all()),
    };
    let is_named = name.strip_suffix('/').is_some_and(is_name);
    let found = if is_named { owned(names.of_folder(name)?) } else { Vec::new() };
    if !found.is_empty() {
        return Ok(found);
    }
    let path = Path::new(argument);
    let bad = |why| Err(ScenarioError::BadFolder { name: argument.to_owned(), why });
    if name == argument && path.is_dir() {
        let found = owned(Names::below(path).of_folder("")?);
        return if found.is_empty() { bad("holds no scenario") } else { Ok(found) };
    }
    let is_there = || folders::scenarios().iter().any(|folder| folder.join(name).is_dir());
    if name == argument && is_named && is_there() {
        return bad("holds no scenario");
    }
    Err(ScenarioError::NoFolder { name: argument.to_owned(), known: names.folders() })
}

fn builtin(name: &str, profile: &Profile) -> Result<Scenario, ScenarioError> {
    let exact = BUILTINS.iter().find(|(known, _)| *known == name);
    let place = match exact {
        Some((_, text)) => Place::Binary(text),
        None => Names::builtin().find(name)?,
    };
    match place {
        Place::Binary(text) => parse_builtin(name, text, profile),
        Place::File(path) => load_as(name, &path, profile),
    }
}

fn parse_builtin(name: &str, text: &str, profile: &Profile) -> Result<Scenario, ScenarioError> {
    Scenario::parse(name, &format!("builtin:{name}"), text, profile)
}

fn load_as(name: &str, path: &Path, profile: &Profile) -> Result<Scenario, ScenarioError> {
    let text = files::read_text(path, Scenario::LARGEST_BYTES)
        .map_err(|error| ScenarioError::Io { path: path.display().to_string(), source: error.into() })?;
    let mut scenario = Scenario::parse(name, &path.display().to_string(), &text, profile)?;
    scenario.file = Some(PathBuf::from(path));
    Ok(scenario)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_name_gets_the_nearest() {
        let error = Scenario::open("builtin:slow-hots", Profile::builtin()).unwrap_err();
        assert!(matches!(error, ScenarioError::NoSuch { nearest, .. } if nearest == ["slow-host"]));
    }

    #[test]
    fn every_builtin_scenario_loads() {
        for (name, text) in BUILTINS {
            let scenario = Scenario::parse(name, name, text, Profile::builtin())
                .unwrap_or_else(|error| panic!("{error}"));
            assert!(!scenario.summary.is_empty() && !scenario.must.hold.is_empty(), "{name}");
        }
    }
}

//! Where scenarios come from: the binary, a path, a name.

use std::path::{Path, PathBuf};

use super::builtin::BUILTINS;
use super::{Scenario, ScenarioError};
use crate::files;
use crate::profile::Profile;
use crate::spelling::nearest;

/// What a scenario from standard input is called.
const INPUT: &str = "stdin";

/// The folder, below the working folder, in which names are looked up.
const FOLDER: &str = "scenarios";

/// How deep below [`FOLDER`] names are collected for a suggestion.
const DEEPEST: usize = 3;

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

    /// Whether it came on standard input: nobody can have it again by its name.
    pub(crate) fn is_of_input(&self) -> bool {
        self.name == INPUT && self.file.is_none()
    }

    /// `builtin:NAME`; a path, if it ends in `.toml`; else a name: `scenarios/NAME.toml` of the working folder, then
    /// the built-in ones. A name may contain `/`, but never leads out of the folder.
    ///
    /// # Errors
    /// If there is none, it cannot be read, or it has a mistake.
    pub fn open(argument: &str, profile: &Profile) -> Result<Self, ScenarioError> {
        if let Some(name) = argument.strip_prefix("builtin:") {
            return builtin(name, profile).unwrap_or_else(|| Err(no_such(name, builtin_names())));
        }
        if argument.ends_with(".toml") {
            return Self::load(Path::new(argument), profile);
        }
        if is_name(argument) {
            let path = Path::new(FOLDER).join(format!("{argument}.toml"));
            if path.is_file() {
                return load_as(argument, &path, profile);
            }
            if let Some(scenario) = builtin(argument, profile) {
                return scenario;
            }
        }
        let mut known = builtin_names();
        collect(Path::new(FOLDER), "", 0, &mut known);
        known.sort();
        known.dedup();
        Err(no_such(argument, known))
    }

    /// The scenario in a file; its name is the file's stem.
    ///
    /// # Errors
    /// If it cannot be read or has a mistake.
    pub fn load(path: &Path, profile: &Profile) -> Result<Self, ScenarioError> {
        let name = path.file_stem().map_or_else(|| "scenario".into(), |stem| stem.to_string_lossy());
        load_as(&name, path, profile)
    }

    /// The embedded ones: name and text. The six stories first, then one per fault kind that they do not use.
    pub fn builtins() -> &'static [(&'static str, &'static str)] {
        BUILTINS
    }

    /// The embedded one called `name`, without `builtin:`.
    pub fn builtin(name: &str, profile: &Profile) -> Option<Self> {
        builtin(name, profile)?.ok()
    }
}

fn builtin(name: &str, profile: &Profile) -> Option<Result<Scenario, ScenarioError>> {
    let (name, text) = BUILTINS.iter().find(|(known, _)| *known == name)?;
    Some(Scenario::parse(name, &format!("builtin:{name}"), text, profile))
}

fn builtin_names() -> Vec<String> {
    BUILTINS.iter().map(|(name, _)| (*name).to_owned()).collect()
}

fn load_as(name: &str, path: &Path, profile: &Profile) -> Result<Scenario, ScenarioError> {
    let text = files::read_text(path, Scenario::LARGEST_BYTES)
        .map_err(|error| ScenarioError::Io { path: path.display().to_string(), source: error.into() })?;
    let mut scenario = Scenario::parse(name, &path.display().to_string(), &text, profile)?;
    scenario.file = Some(PathBuf::from(path));
    Ok(scenario)
}

/// Whether `text` is a name: segments of letters, digits, `-`, `_` and `.`, none of them starting with a dot.
fn is_name(text: &str) -> bool {
    let legal = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    text.split('/')
        .all(|segment| !segment.is_empty() && !segment.starts_with('.') && segment.bytes().all(legal))
}

fn no_such(name: &str, known: Vec<String>) -> ScenarioError {
    let near: Vec<String> =
        nearest(name, known.iter().map(String::as_str)).into_iter().map(str::to_owned).collect();
    ScenarioError::NoSuch { name: name.to_owned(), nearest: near }
}

/// Adds the names of the scenario files in `folder`, for a suggestion. What cannot be listed has no names.
fn collect(folder: &Path, prefix: &str, depth: usize, names: &mut Vec<String>) {
    let Ok(entries) = std::fs::read_dir(folder) else { return };
    for entry in entries.flatten() {
        let path = entry.path();
        let Some(name) = path.file_name().and_then(|name| name.to_str()) else { continue };
        if path.is_dir() && depth < DEEPEST {
            collect(&path, &format!("{prefix}{name}/"), depth + 1, names);
        } else if let Some(stem) = name.strip_suffix(".toml") {
            names.push(format!("{prefix}{stem}"));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_never_leads_out_of_the_folder() {
        for name in ["../secret", "a/../../b", "/etc/passwd", "a//b", "", ".hidden", "a\\b", "a b"] {
            assert!(!is_name(name), "{name}");
        }
        assert!(is_name("faults/hang") && is_name("found/terminates-1.2"));
    }

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

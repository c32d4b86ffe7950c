//! Which scenario a name means, through folders, and which one a name that means none was probably meant to be.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use super::builtin::BUILTINS;
use super::{Scenario, ScenarioError};
use crate::fault::{Fault, Row};
use crate::files::folders;
use crate::profile::Profile;
use crate::spelling::nearest;

/// How deep below such a folder scenarios have names that their last part alone finds.
const DEEPEST: usize = 3;
/// How many entries of all of them are looked at for that.
const MOST_ENTRIES: usize = 10_000;
/// How many names are offered at most.
const OFFERED: usize = 3;
/// Where the scenarios of one fault each stood before they had folders of their own.
const FORMER_FOLDER: &str = "faults";

/// Where a scenario's text is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Place {
    Binary(&'static str),
    File(PathBuf),
}

/// The scenarios that can be named, by full name.
#[derive(Default)]
pub(super) struct Names {
    known: BTreeMap<String, Place>,
    /// Whether there is more than was looked at.
    is_cut: bool,
}

impl Names {
    /// Those in the binary.
    pub(super) fn builtin() -> Self {
        let known = BUILTINS.iter().map(|(name, text)| ((*name).to_owned(), Place::Binary(text))).collect();
        Self { known, is_cut: false }
    }

    /// Those in the binary, over them those in `scenarios/` of the working folder, and over these the project's.
    pub(super) fn all() -> Self {
        let mut all = Self::builtin();
        let mut left = MOST_ENTRIES;
        for folder in folders::scenarios().iter().rev() {
            all.collect(folder, "", 0, &mut left);
        }
        all
    }

    /// Those below this folder, wherever it is; they are called by its own name and what follows.
    pub(super) fn below(folder: &Path) -> Self {
        let own = folder.file_name().map_or_else(String::new, |name| format!("{}/", name.to_string_lossy()));
        let mut below = Self::default();
        let mut left = MOST_ENTRIES;
        below.collect(folder, &own, 0, &mut left);
        below
    }

    /// The scenarios of a folder by full name, in order.
    ///
    /// # Errors
    /// If there are more than were looked at.
    pub(super) fn of_folder(&self, folder: &str) -> Result<Vec<(&str, &Place)>, ScenarioError> {
        let of_it =
            |(name, place)| Some((String::as_str(name), place)).filter(|(name, _)| name.starts_with(folder));
        let all: Vec<_> = self.known.iter().filter_map(of_it).collect();
        if self.is_cut && all.iter().any(|(_, place)| matches!(place, Place::File(_))) {
            let why = "lies where there is too much to look through, or is too deep";
            return Err(ScenarioError::BadFolder { name: folder.to_owned(), why });
        }
        Ok(all)
    }

    /// The folders that there are, each with a slash at its end.
    pub(super) fn folders(&self) -> Vec<String> {
        let folders: BTreeSet<&str> = self.known.keys().map(|name| folder_of(name)).collect();
        folders.into_iter().filter(|folder| !folder.is_empty()).map(|folder| format!("{folder}/")).collect()
    }

    /// What cannot be listed has no names.
    fn collect(&mut self, folder: &Path, prefix: &str, depth: usize, left: &mut usize) {
        let Ok(entries) = std::fs::read_dir(folder) else { return };
        for entry in entries.flatten() {
            let Some(fewer) = left.checked_sub(1) else {
                self.is_cut = true;
                return;
            };
            *left = fewer;
            let path = entry.path();
            let Some(name) = path.file_name().and_then(|name| name.to_str()) else { continue };
            if path.is_dir() {
                match depth < DEEPEST {
                    true => self.collect(&path, &format!("{prefix}{name}/"), depth + 1, left),
                    false => self.is_cut = true,
                }
            } else if let Some(stem) = name.strip_suffix(".toml") {
                self.known.insert(format!("{prefix}{stem}"), Place::File(path));
            }
        }
    }

    /// The scenario that `name` means: one of this full name, else the only one with this last part.
    ///
    /// # Errors
    /// If there is none, or there are several.
    pub(super) fn find(&self, name: &str) -> Result<Place, ScenarioError> {
        if let Some(place) = self.known.get(name) {
            return Ok(place.clone());
        }
        let is_short = !name.contains('/') || folder_of(name) == FORMER_FOLDER;
        let same = |known: &String| is_short && last_part(known) == last_part(name);
        let found: Vec<(&String, &Place)> = self.known.iter().filter(|(known, _)| same(known)).collect();
        match found.as_slice() {
            [] => Err(self.no_such(name)),
            [(_, place)] => Ok((*place).clone()),
            several => {
                let full = several.iter().map(|(known, _)| (*known).clone()).collect();
                Err(ScenarioError::Ambiguous { name: name.to_owned(), full })
            }
        }
    }

    /// Says so, with names that are near and the fault that is called so.
    pub(super) fn no_such(&self, name: &str) -> ScenarioError {
        let fault = Fault::known(last_part(name)).and_then(|known| in_a_line(known.row));
        ScenarioError::NoSuch { name: name.to_owned(), nearest: self.near(name), fault }
    }

    /// The likeliest first: the same last part in another folder, then what it may be a slip of, those of the same
    /// folder before others. Folders do not count as letters: a long one would make any two names in it near.
    fn near(&self, name: &str) -> Vec<String> {
        let (folder, last) = (folder_of(name), last_part(name));
        let known: Vec<&str> = self.known.keys().map(String::as_str).collect();
        let slips = |known: &[&str]| -> Vec<String> {
            let parts = nearest(last, known.iter().map(|known| last_part(known)));
            let mut found: Vec<String> = Vec::new();
            for part in parts {
                let named = known.iter().filter(|known| last_part(known) == part);
                found.extend(named.map(|known| (*known).to_owned()));
            }
            found
        };
        let beside: Vec<&str> = known.iter().copied().filter(|known| folder_of(known) == folder).collect();
        let mut near: Vec<String> =
            known.iter().filter(|known| last_part(known) == last).map(|known| (*known).to_owned()).collect();
        for slip in slips(&beside).into_iter().chain(slips(&known)) {
            if !near.contains(&slip) {
                near.push(slip);
            }
        }
        near.truncate(OFFERED);
        // Who asks by the last part alone is answered so, where that finds the scenario.
        let is_alone =
            |full: &String| known.iter().filter(|other| last_part(other) == last_part(full)).count() == 1;
        let as_asked = |full: String| {
            if name.contains('/') || !is_alone(&full) { full } else { last_part(&full).to_owned() }
        };
        near.into_iter().map(as_asked).collect()
    }
}

/// A row's example as `--fault` takes it.
pub(crate) fn in_a_line(row: &Row) -> Option<String> {
    let text = format!("[[fault]]\n{}\n", row.example);
    let scenario = Scenario::parse(row.name, row.name, &text, Profile::builtin()).ok()?;
    scenario.faults.first().map(ToString::to_string)
}

/// The file of a full name, if there is one.
pub(super) fn file_of(name: &str) -> Option<PathBuf> {
    let file = |folder: PathBuf| folder.join(format!("{name}.toml"));
    folders::scenarios().into_iter().map(file).find(|file| file.is_file())
}

/// `hang` of `network/hang`.
fn last_part(name: &str) -> &str {
    name.rsplit_once('/').map_or(name, |(_, last)| last)
}

/// `network` of `network/hang`; empty if there is none.
fn folder_of(name: &str) -> &str {
    name.rsplit_once('/').map_or("", |(folder, _)| folder)
}

/// Whether `text` is a name: segments of letters, digits, `-`, `_` and `.`, none of them starting with a dot.
pub(super) fn is_name(text: &str) -> bool {
    let legal = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    text.split('/')
        .all(|segment| !segment.is_empty() && !segment.starts_with('.') && segment.bytes().all(legal))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file_of(name: &str) -> PathBuf {
        Path::new("scenarios").join(format!("{name}.toml"))
    }

    fn names(all: &[&str]) -> Names {
        let known = all.iter().map(|name| ((*name).to_owned(), Place::File(file_of(name)))).collect();
        Names { known, is_cut: false }
    }

    #[test]
    fn a_name_never_leads_out_of_the_folder() {
        for name in ["../secret", "a/../../b", "/etc/passwd", "a//b", "", ".hidden", "a\\b", "a b"] {
            assert!(!is_name(name), "{name}");
        }
        assert!(is_name("network/hang") && is_name("found/terminates-1.2"));
    }

    #[test]
    fn a_last_part_finds_the_only_scenario_that_has_it() {
        let names = names(&["network/hang", "tls/hang", "task/slow-host", "top"]);
        for (asked, full) in
            [("slow-host", "task/slow-host"), ("faults/slow-host", "task/slow-host"), ("top", "top")]
        {
            assert_eq!(names.find(asked).unwrap(), Place::File(file_of(full)), "{asked}");
        }
        assert_eq!(names.find("tls/hang").unwrap(), Place::File(file_of("tls/hang")));
        let several = names.find("hang").unwrap_err();
        assert_eq!(several.to_string(), "`hang` means several scenarios: network/hang, tls/hang");
        assert!(matches!(names.find("tls/slow-host"), Err(ScenarioError::NoSuch { .. })));
    }

    #[test]
    fn a_folder_is_all_that_lies_below_it_and_nothing_beside() {
        let names = names(&["task/slow", "task/deep/er", "tasks/other", "task", "top"]);
        let of =
            |folder| names.of_folder(folder).unwrap().into_iter().map(|(name, _)| name).collect::<Vec<_>>();
        assert_eq!(of("task/"), ["task/deep/er", "task/slow"]);
        assert!(of("none/").is_empty());
        assert_eq!(names.folders(), ["task/", "task/deep/", "tasks/"]);
    }

    #[test]
    fn a_near_name_is_near_by_its_last_part_and_its_own_folder_comes_first() {
        let names = names(&["network/close", "network/rest", "task/reset-late", "task/resets", "task/hang"]);
        assert_eq!(names.near("network/reset"), ["network/rest", "task/reset-late", "task/resets"]);
        assert_eq!(names.near("tls/hang"), ["task/hang"]);
        assert_eq!(names.near("hagn"), ["hang"]);
        assert!(names.near("network/quite-another").is_empty());
    }

    #[test]
    fn a_fault_of_the_name_is_named_with_the_flag_that_takes_it() {
        let error = names(&["network/close"]).find("network/reset").unwrap_err();
        let ScenarioError::NoSuch { nearest, fault, .. } = error else { panic!() };
        assert!(nearest.is_empty() && fault.unwrap().starts_with("reset"), "{nearest:?}");
    }
}

//! The profiles of the user's own: `--profile`, and the folder `profiles/` of the working folder and of the project.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use super::problem::Problem;
use crate::files::{self, folders};
use crate::profile::Profile;
use crate::schemas;

/// The folder whose files are taken without being named.
pub(super) const FOLDER: &str = "profiles";
/// The largest answer of a console that is taken for a profile, in bytes: the whole API takes some 8 MiB.
pub(super) const JSON_MAX_BYTES: u64 = 128 * 1024 * 1024;
/// Files that are taken.
const FILES_MAX: usize = 64;

/// What the user knows of the API beside what is built in.
#[derive(Debug, Default, clap::Args)]
pub(super) struct Profiles {
    /// Takes endpoints and task families from this file, too: TOML, or a console's own answer to GET
    /// /api/help/endpoints in JSON. They replace what is built in and what `profiles/` holds. Can be given several times;
    /// the last one wins.
    #[arg(long = "profile", value_name = "FILE", global = true, help_heading = "What is known of the API")]
    named: Vec<PathBuf>,
}

/// What `--profile` named, in order.
static NAMED: OnceLock<Vec<String>> = OnceLock::new();

/// The files that a command line which does the same again has to name: those of the folder are found anyway.
pub(super) fn named() -> &'static [String] {
    NAMED.get().map_or(&[], Vec::as_slice)
}

impl Profiles {
    /// From here on every part of this process knows what these files say.
    ///
    /// # Errors
    /// If one cannot be read, or is no profile.
    pub(super) fn install(&self) -> Result<(), Problem> {
        let mut paths: Vec<PathBuf> = self.named.iter().rev().cloned().collect();
        for folder in folders::profiles() {
            paths.extend(in_folder(&folder)?);
        }
        if paths.len() > FILES_MAX {
            return Err(Problem::input(format!("more than {FILES_MAX} files of profiles"))
                .help("put what they hold into fewer"));
        }
        let mut read = Vec::new();
        for path in &paths {
            let is_json = path.extension().is_some_and(|ending| ending == "json");
            let most = if is_json { JSON_MAX_BYTES } else { files::SMALL_MAX_BYTES };
            let text = files::read_text(path, most).map_err(|error| Problem::file("read", path, error))?;
            read.push((path.display().to_string(), text));
        }
        if read.is_empty() {
            return Ok(());
        }
        let files: Vec<(&str, &str)> =
            read.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect();
        let profile = Profile::with_files(&files).map_err(|error| {
            Problem::input(error).help("`faultdeck profile --help` says what stands in such a file")
        })?;
        let _ = profile.install();
        let _ = NAMED.set(self.named.iter().map(|path| path.display().to_string()).collect());
        Ok(())
    }
}

/// Whether these are the files that faultdeck is built from: its own sources are no profiles of anybody's.
fn holds_our_own(folder: &Path) -> bool {
    let text = files::read_text(&folder.join("lifecycles.toml"), files::SMALL_MAX_BYTES);
    text.is_ok_and(|text| text.contains("\n[versions]") && text.contains("\ncomplete"))
}

/// The profiles of a folder, by name: what a person wrote before what a console said.
fn in_folder(folder: &Path) -> Result<Vec<PathBuf>, Problem> {
    if !folder.is_dir() || holds_our_own(folder) {
        return Ok(Vec::new());
    }
    let cannot = |error| Problem::file("read", folder, error);
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).map_err(cannot)? {
        let path = entry.map_err(cannot)?.path();
        let ending = path.extension().and_then(|ending| ending.to_str()).unwrap_or_default().to_owned();
        let is_hidden = path.file_name().is_some_and(|name| name.to_string_lossy().starts_with('.'));
        if !is_hidden
            && !schemas::is_schema(&path)
            && path.is_file()
            && (ending == "toml" || ending == "json")
        {
            found.push((ending == "json", path));
        }
        if found.len() > FILES_MAX {
            break;
        }
    }
    found.sort();
    Ok(found.into_iter().map(|(_, path)| path).collect())
}

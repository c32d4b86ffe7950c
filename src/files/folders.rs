//! Where a name of a cassette, scenario or profile is looked for.
//!
//! That is the folder of this kind in the working folder, and before it whatever a project's settings name. These are
//! installed once, before anything is looked up.

use std::path::PathBuf;
use std::sync::OnceLock;

/// The folders of a project.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Folders {
    /// Of cassettes; the first is also where a new one is recorded to.
    pub cassettes: Vec<PathBuf>,
    /// Of scenarios.
    pub scenarios: Vec<PathBuf>,
    /// Of profiles: all their files are taken.
    pub profiles: Vec<PathBuf>,
}

static INSTALLED: OnceLock<Folders> = OnceLock::new();

impl Folders {
    /// From here on names are looked for in these, too. Only the first call counts.
    pub fn install(self) {
        let _ = INSTALLED.set(self);
    }
}

/// Where cassettes are looked for, in order.
pub(crate) fn cassettes() -> Vec<PathBuf> {
    with_own("cassettes", |folders| &folders.cassettes)
}

/// Where scenarios are looked for, in order.
pub(crate) fn scenarios() -> Vec<PathBuf> {
    with_own("scenarios", |folders| &folders.scenarios)
}

/// Whose files are profiles, in order.
#[cfg(feature = "cli")]
pub(crate) fn profiles() -> Vec<PathBuf> {
    with_own("profiles", |folders| &folders.profiles)
}

fn with_own(own: &str, of: impl Fn(&Folders) -> &Vec<PathBuf>) -> Vec<PathBuf> {
    let mut all = INSTALLED.get().map(|folders| of(folders).clone()).unwrap_or_default();
    let own = PathBuf::from(own);
    if !all.contains(&own) {
        all.push(own);
    }
    all
}

//! A cassette that one process records to, and no other.

use std::fmt;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use super::beside::{self, Beside, BesideError};

/// Bytes of a mark that are read; a process number has ten digits at most.
const MARK_BYTES_MAX: u64 = 64;

/// While it lives, nobody else can hold the same cassette. If its process ends in whatever way, the hold ends, too.
#[derive(Debug)]
pub struct Hold {
    mark: Beside,
    path: PathBuf,
}

/// Why a cassette cannot be held.
#[derive(Debug)]
pub enum HoldError {
    /// Another process records to it.
    Held {
        /// The cassette.
        path: PathBuf,
        /// The number of that process, if it could be read.
        process: Option<u32>,
    },
    /// There is something of that name that is no regular file.
    NotAFile {
        /// The cassette.
        path: PathBuf,
    },
    /// Its folder cannot be made, or not be written to.
    Folder {
        /// The folder.
        folder: PathBuf,
        /// What the system says.
        source: io::Error,
    },
}

impl fmt::Display for HoldError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Held { path, process } => {
                write!(f, "another faultdeck ")?;
                if let Some(process) = process {
                    write!(f, "(process {process}) ")?;
                }
                write!(f, "is recording to {}: stop it, or choose another name", path.display())
            }
            Self::NotAFile { path } => {
                write!(f, "{} is no regular file: choose another name", path.display())
            }
            Self::Folder { folder, source } => write!(
                f,
                "cannot write to {}: {source}: make that folder writable, or choose another for the cassette",
                folder.display()
            ),
        }
    }
}

impl std::error::Error for HoldError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Folder { source, .. } => Some(source),
            Self::Held { .. } | Self::NotAFile { .. } => None,
        }
    }
}

impl Hold {
    /// Holds the cassette at `path`; a missing folder is made, leftovers in it are taken away. If `path` is a link, what
    /// it leads to is held.
    ///
    /// # Errors
    /// If another process holds it, or its folder cannot be written to.
    pub fn take(path: &Path) -> Result<Self, HoldError> {
        let path = path.canonicalize().unwrap_or_else(|_| path.to_owned());
        let folder = beside::folder_of(&path).to_owned();
        let failed = |source| HoldError::Folder { folder: folder.clone(), source };
        std::fs::create_dir_all(&folder).map_err(failed)?;
        if std::fs::symlink_metadata(&path).is_ok_and(|there| !there.is_file()) {
            return Err(HoldError::NotAFile { path });
        }
        let mut mark = match Beside::mark(&path) {
            Ok(mark) => mark,
            Err(BesideError::Held(file)) => return Err(HoldError::Held { path, process: process_in(file) }),
            Err(BesideError::Io(source)) => return Err(failed(source)),
        };
        let written = writeln!(mark.file, "{}", std::process::id());
        let hold = Self { mark, path };
        written.map_err(failed)?;
        beside::sweep(&folder);
        Ok(hold)
    }

    /// The file that is held.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for Hold {
    fn drop(&mut self) {
        self.mark.remove();
    }
}

fn process_in(file: impl Read) -> Option<u32> {
    let mut text = String::new();
    file.take(MARK_BYTES_MAX).read_to_string(&mut text).ok()?;
    text.trim().parse().ok()
}

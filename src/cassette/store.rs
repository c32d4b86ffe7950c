//! Cassette files on disk: bounded reads, atomic writes.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::Path;

use super::CassetteError;
use super::beside::{self, Beside};
use crate::files::{self, Unreadable};

/// The largest file that is read unless somebody says more, in bytes; a larger one is never written.
pub const FILE_MAX_BYTES: u64 = 256 * 1024 * 1024;

/// Bytes handed to the system at one time.
const WRITE_BYTES: usize = 256 * 1024;

/// A file of at most `most` bytes, to be read bit by bit, and its length. Why there is none [`read`] says.
pub(super) fn open(path: &Path, most: u64) -> Option<(File, u64)> {
    let file = files::open_file(path, most).ok()?;
    let length = file.metadata().ok()?.len();
    Some((file, length))
}

/// A file of at most `most` bytes.
pub(super) fn read(path: &Path, most: u64) -> Result<String, CassetteError> {
    let name = path.display().to_string();
    files::read_text(path, most).map_err(|error| match error {
        Unreadable::System(source) => CassetteError::Io { path: name, source },
        Unreadable::NoFile(kind) => CassetteError::NotAFile { path: name, kind },
        Unreadable::TooLarge(mebibytes) => CassetteError::TooLarge { path: name, mebibytes },
        Unreadable::NotText { line, column } => {
            CassetteError::Invalid { path: name, message: "not UTF-8".to_owned(), line, column }
        }
    })
}

/// Puts `parts`, one after the other, in the place of a file: into a new file beside it, synced, then renamed; mode
/// 0600. Whatever goes wrong, the old file stays whole.
pub(super) fn write<'t>(path: &Path, parts: impl Iterator<Item = &'t str>) -> Result<(), CassetteError> {
    replace(path, parts).map_err(|source| CassetteError::Io { path: path.display().to_string(), source })
}

fn replace<'t>(path: &Path, parts: impl Iterator<Item = &'t str>) -> io::Result<()> {
    let folder = beside::folder_of(path);
    fs::create_dir_all(folder)?;
    beside::sweep(folder);
    let next = Beside::next(path)?;
    if let Err(error) = fill(&next.file, parts) {
        next.remove();
        return Err(error);
    }
    next.rename(path)?;
    // The rename is durable once its folder is.
    files::sync_folder(folder)
}

fn fill<'t>(file: &File, parts: impl Iterator<Item = &'t str>) -> io::Result<()> {
    let mut out = BufWriter::with_capacity(WRITE_BYTES, file);
    for part in parts {
        out.write_all(part.as_bytes())?;
    }
    out.flush()?;
    file.sync_all()
}

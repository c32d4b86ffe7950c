//! Cassette files on disk: bounded reads, atomic writes.

use std::fs;
use std::io::{self, Write};
use std::path::Path;

use tempfile::NamedTempFile;

use super::CassetteError;
use crate::files::{self, Unreadable};

/// The largest file that is read, in bytes.
pub const FILE_MAX_BYTES: u64 = 256 * 1024 * 1024;

pub(super) fn read(path: &Path) -> Result<String, CassetteError> {
    let name = path.display().to_string();
    files::read_text(path, FILE_MAX_BYTES).map_err(|error| match error {
        Unreadable::System(source) => CassetteError::Io { path: name, source },
        Unreadable::NoFile(kind) => CassetteError::NotAFile { path: name, kind },
        Unreadable::TooLarge(_) => CassetteError::TooLarge { path: name },
        Unreadable::NotText { line, column } => {
            CassetteError::Invalid { path: name, message: "not UTF-8".to_owned(), line, column }
        }
    })
}

pub(super) fn write(path: &Path, text: &str) -> Result<(), CassetteError> {
    replace(path, text.as_bytes())
        .map_err(|source| CassetteError::Io { path: path.display().to_string(), source })
}

fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    fs::create_dir_all(folder)?;
    let mut file = NamedTempFile::new_in(folder)?;
    file.write_all(bytes)?;
    file.as_file().sync_all()?;
    file.persist(path).map_err(|error| error.error)?;
    // The rename is durable once its folder is.
    files::sync_folder(folder);
    Ok(())
}

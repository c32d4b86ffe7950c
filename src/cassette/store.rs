//! Cassette files on disk: bounded reads, atomic writes.

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::Path;

use tempfile::NamedTempFile;

use super::CassetteError;

/// The largest file that is read, in bytes.
pub const FILE_MAX_BYTES: u64 = 256 * 1024 * 1024;

pub(super) fn read(path: &Path) -> Result<String, CassetteError> {
    let name = || path.display().to_string();
    let failed = |source| CassetteError::Io { path: name(), source };
    // Looked at before it is opened: opening a pipe would wait for a writer.
    if !fs::metadata(path).map_err(failed)?.is_file() {
        return Err(CassetteError::NotAFile { path: name() });
    }
    let mut bytes = Vec::new();
    File::open(path).map_err(failed)?.take(FILE_MAX_BYTES + 1).read_to_end(&mut bytes).map_err(failed)?;
    if bytes.len() as u64 > FILE_MAX_BYTES {
        return Err(CassetteError::TooLarge { path: name() });
    }
    String::from_utf8(bytes).map_err(|error| {
        let before = &error.as_bytes()[..error.utf8_error().valid_up_to()];
        CassetteError::Invalid {
            path: name(),
            message: "not UTF-8".to_owned(),
            line: before.iter().filter(|byte| **byte == b'\n').count() + 1,
            column: before.rsplit(|byte| *byte == b'\n').next().map_or(0, <[u8]>::len) + 1,
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
    // The rename is durable once its folder is; file systems that cannot sync a folder need no such call.
    let _ = File::open(folder).and_then(|folder| folder.sync_all());
    Ok(())
}

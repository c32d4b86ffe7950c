//! Files that only their owner may read: ledgers and reports hold what a console answered.

use std::fs::{self, File, OpenOptions, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::Path;

use rustix::fs::{OFlags, fcntl_getfl, fcntl_setfl};
use rustix::io::Errno;

/// Read and write, for the owner alone.
const OWNER_ONLY: u32 = 0o600;

/// Takes hold of a file, so that a wrong path is found before anything runs. What is no plain file (`/dev/stdout`, a
/// pipe) is left for [`write()`]: its reader may come later.
///
/// # Errors
/// If it is a folder, or cannot be written.
pub(super) fn claim(path: &Path) -> io::Result<()> {
    match fs::metadata(path) {
        Ok(about) if about.is_dir() => Err(io::ErrorKind::IsADirectory.into()),
        Ok(about) if !about.is_file() => Ok(()),
        Ok(_) | Err(_) => open(path).map(drop),
    }
}

/// Writes a whole file, whatever it held and whoever could read it before.
///
/// # Errors
/// If it cannot be written.
pub(super) fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    open(path)?.write_all(bytes)
}

/// Adds to a file that is somebody else's: who may read it stays as it is.
///
/// # Errors
/// If it cannot be written.
pub(super) fn append(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let flags = OFlags::NONBLOCK | OFlags::NOCTTY;
    OpenOptions::new()
        .append(true)
        .create(true)
        .custom_flags(i32::try_from(flags.bits()).unwrap_or_default())
        .open(path)?
        .write_all(bytes)
}

/// Begins a file that is written bit by bit.
///
/// # Errors
/// If it cannot be written.
pub(super) fn begin(path: &Path) -> io::Result<File> {
    opened(path, OpenOptions::new().append(true).create(true)).and_then(|file| {
        if file.metadata()?.is_file() {
            file.set_len(0)?;
        }
        Ok(file)
    })
}

/// Goes on at the end of a file that was begun.
///
/// # Errors
/// If it cannot be written.
pub(super) fn resume(path: &Path) -> io::Result<File> {
    opened(path, OpenOptions::new().append(true))
}

fn open(path: &Path) -> io::Result<File> {
    opened(path, OpenOptions::new().write(true).create(true).truncate(true))
}

/// Opens without waiting for a pipe's reader: there may never be one.
fn opened(path: &Path, options: &mut OpenOptions) -> io::Result<File> {
    let flags = OFlags::NONBLOCK | OFlags::NOCTTY;
    let file = options
        .mode(OWNER_ONLY)
        .custom_flags(i32::try_from(flags.bits()).unwrap_or_default())
        .open(path)
        .map_err(|error| match Errno::from_io_error(&error) {
            Some(Errno::NXIO) => io::Error::other("this is a pipe or a socket that nobody reads"),
            _ => error,
        })?;
    // From here on a slow reader is waited for.
    let flags = fcntl_getfl(&file)?;
    fcntl_setfl(&file, flags.difference(OFlags::NONBLOCK))?;
    if file.metadata()?.is_file() {
        file.set_permissions(Permissions::from_mode(OWNER_ONLY))?;
    }
    Ok(file)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pipe_is_written_to_if_somebody_reads_it_and_never_waited_for() {
        let folder = tempfile::tempdir().unwrap();
        let fifo = folder.path().join("fifo");
        let mode = rustix::fs::Mode::RUSR | rustix::fs::Mode::WUSR;
        rustix::fs::mkfifoat(rustix::fs::CWD, &fifo, mode).unwrap();
        claim(&fifo).unwrap();
        assert!(write(&fifo, b"x").unwrap_err().to_string().contains("nobody reads"));
        let of_reader = fifo.clone();
        let reader = std::thread::spawn(move || fs::read(of_reader).unwrap());
        let until = std::time::Instant::now() + std::time::Duration::from_secs(10);
        while write(&fifo, &[b'x'; 200_000]).is_err() {
            assert!(std::time::Instant::now() < until);
        }
        assert_eq!(reader.join().unwrap().len(), 200_000);
    }

    #[test]
    fn a_file_is_its_owners_alone_even_if_it_was_not_before() {
        let folder = tempfile::tempdir().unwrap();
        let (fresh, old) = (folder.path().join("fresh"), folder.path().join("old"));
        fs::write(&old, "a longer text that was there").unwrap();
        fs::set_permissions(&old, Permissions::from_mode(0o644)).unwrap();
        for path in [&fresh, &old] {
            claim(path).unwrap();
            write(path, b"new").unwrap();
            assert_eq!(fs::metadata(path).unwrap().permissions().mode() & 0o777, OWNER_ONLY);
            assert_eq!(fs::read(path).unwrap(), b"new");
        }
        assert_eq!(claim(folder.path()).unwrap_err().kind(), io::ErrorKind::IsADirectory);
        assert!(claim(Path::new("/dev/null")).is_ok() && write(Path::new("/dev/null"), b"x").is_ok());
    }
}

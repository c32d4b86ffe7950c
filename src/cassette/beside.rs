//! The files that stand beside a cassette for a while: the next version of it while it is written, and the mark that
//! somebody is recording to it.
//!
//! Each is locked by its process for as long as it is in use. The kernel lets go of a lock when its process ends,
//! however it ends; so a file of ours that nobody holds is a leftover, and whoever writes next takes it away.

use std::ffi::OsString;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

/// How the name of the next version ends.
const NEXT: &str = ".faultdeck-next";
/// How the name of the mark ends.
const MARK: &str = ".faultdeck-recording";
/// The longest part of a cassette's name in the name of a file beside it; file systems allow 255 bytes in all.
const STEM_MAX: usize = 180;
/// Leftovers taken away at one time.
const SWEPT_MAX: usize = 1000;
/// Tries to get a file that another process is taking away at the same moment.
const TRIES_MAX: usize = 100;

static WRITTEN: AtomicU64 = AtomicU64::new(0);

/// The folder a file is in.
pub(super) fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    }
}

/// A file of our own beside a cassette, locked by this process.
#[derive(Debug)]
pub(super) struct Beside {
    pub(super) file: File,
    path: PathBuf,
}

/// Why there is no such file.
#[derive(Debug)]
pub(super) enum BesideError {
    /// Another process holds it; it is read to say which.
    Held(File),
    Io(io::Error),
}

impl From<io::Error> for BesideError {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

impl Beside {
    /// A file for the next version of the cassette, of this process alone.
    pub(super) fn next(cassette: &Path) -> io::Result<Self> {
        let number = WRITTEN.fetch_add(1, Ordering::Relaxed);
        let path = named(cassette, &format!(".{}-{number}{NEXT}", std::process::id()));
        match Self::open(path) {
            Ok(it) => Ok(it),
            // A process of the same number in another container.
            Err(BesideError::Held(_)) => Err(io::ErrorKind::ResourceBusy.into()),
            Err(BesideError::Io(error)) => Err(error),
        }
    }

    /// The mark that this process records to the cassette.
    pub(super) fn mark(cassette: &Path) -> Result<Self, BesideError> {
        Self::open(named(cassette, MARK))
    }

    fn open(path: PathBuf) -> Result<Self, BesideError> {
        for _ in 0..TRIES_MAX {
            let mut options = OpenOptions::new();
            options.read(true).write(true).create(true).truncate(false).mode(0o600);
            // A link or a pipe of this name is not ours.
            options.custom_flags(rustix::fs::OFlags::NOFOLLOW.bits().cast_signed());
            let file = options.open(&path)?;
            match file.try_lock() {
                Ok(()) => {}
                Err(TryLockError::WouldBlock) => return Err(BesideError::Held(file)),
                Err(TryLockError::Error(error)) => return Err(error.into()),
            }
            // It may have been taken away between the two calls.
            if is_still(&path, &file) {
                file.set_len(0)?;
                return Ok(Self { file, path });
            }
        }
        Err(io::Error::from(io::ErrorKind::ResourceBusy).into())
    }

    /// Becomes the cassette, or goes.
    pub(super) fn rename(self, cassette: &Path) -> io::Result<()> {
        fs::rename(&self.path, cassette).inspect_err(|_| self.remove())
    }

    /// Goes away, still locked, so that nobody else's is taken.
    pub(super) fn remove(&self) {
        if is_still(&self.path, &self.file) {
            // What cannot be removed is a leftover for the next to take away.
            let _ = fs::remove_file(&self.path);
        }
    }
}

/// Whether `path` is still this very file.
pub(super) fn is_still(path: &Path, file: &File) -> bool {
    match (fs::symlink_metadata(path), file.metadata()) {
        (Ok(there), Ok(here)) => (there.dev(), there.ino()) == (here.dev(), here.ino()),
        _ => false,
    }
}

fn named(cassette: &Path, end: &str) -> PathBuf {
    let name = cassette.file_name().unwrap_or_default().as_bytes();
    let stem = name.get(..STEM_MAX).unwrap_or(name);
    let name = [b".", stem, end.as_bytes()].concat();
    folder_of(cassette).join(OsString::from_vec(name))
}

/// Takes away what dead processes left in a folder. Only files of our own naming, and only those that nobody holds.
pub(super) fn sweep(folder: &Path) {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let ours = entries.filter(|entry| {
        let name = entry.file_name();
        let name = name.as_bytes();
        name.starts_with(b".") && (name.ends_with(NEXT.as_bytes()) || name.ends_with(MARK.as_bytes()))
    });
    for entry in ours.take(SWEPT_MAX) {
        let path = entry.path();
        let is_file = entry.file_type().is_ok_and(|kind| kind.is_file());
        let opened = is_file.then(|| OpenOptions::new().read(true).write(true).open(&path));
        if let Some(Ok(file)) = opened
            && file.try_lock().is_ok()
        {
            Beside { file, path }.remove();
        }
    }
}

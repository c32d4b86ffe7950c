//! Reading the files that a user names.
//!
//! A name may lead to a pipe that nobody writes to, to a device that never ends, or to something much larger than it
//! should be. So a file is opened without waiting, what was opened is looked at, and no more than a limit is read.
//! Nothing else in this project reads a file.

pub mod folders;

use std::fmt;
use std::fs::{File, FileType};
use std::io::ErrorKind::{InvalidInput, PermissionDenied, Unsupported};
use std::io::{self, Read};
use std::os::unix::fs::FileTypeExt;
use std::path::Path;

use rustix::fs::{Mode, OFlags, open};

/// The largest scenario, client file, rule file or certificate, in bytes.
pub(crate) const SMALL_MAX_BYTES: u64 = 4 * 1024 * 1024;
/// The largest ledger, in bytes: a run holds 256 MiB of lines, and escapes make them longer on disk.
pub const LEDGER_MAX_BYTES: u64 = 1024 * 1024 * 1024;

/// What a name leads to if it is no file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A folder.
    Folder,
    /// A FIFO or another pipe.
    Pipe,
    /// A device, such as a terminal or `/dev/zero`.
    Device,
    /// A socket.
    Socket,
    /// Something else that is no file.
    Other,
}

/// Why a file is not read.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Unreadable {
    /// The system does not let us.
    #[error(transparent)]
    System(#[from] io::Error),
    /// It is no file.
    #[error("this is {0}, not a file")]
    NoFile(Kind),
    /// It is too large.
    #[error("this is larger than {0} MiB")]
    TooLarge(u64),
    /// It was to be text.
    #[error("this is not text in UTF-8 (line {line}, byte {column})")]
    NotText {
        /// The line of the first byte that is none, from 1.
        line: usize,
        /// The place of that byte in its line, from 1.
        column: usize,
    },
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Folder => "a folder",
            Self::Pipe => "a pipe",
            Self::Device => "a device",
            Self::Socket => "a socket",
            Self::Other => "something else",
        })
    }
}

impl From<Unreadable> for io::Error {
    /// Keeps the system's own errors as they are.
    fn from(error: Unreadable) -> Self {
        match error {
            Unreadable::System(error) => error,
            other => Self::new(io::ErrorKind::InvalidInput, other),
        }
    }
}

impl Kind {
    /// What is not a file; `None` if it is one.
    fn of(found: FileType) -> Option<Self> {
        match () {
            () if found.is_file() => None,
            () if found.is_dir() => Some(Self::Folder),
            () if found.is_fifo() => Some(Self::Pipe),
            () if found.is_char_device() || found.is_block_device() => Some(Self::Device),
            () if found.is_socket() => Some(Self::Socket),
            () => Some(Self::Other),
        }
    }
}

/// The bytes of a file, if there are at most `most`.
///
/// # Errors
/// If it cannot be read, is no file or too large. Nothing is waited for.
pub(crate) fn read(path: &Path, most: u64) -> Result<Vec<u8>, Unreadable> {
    // A file that says it is too large is not read at all; one that grows or has no length is read up to the limit.
    let file = open_file(path, most)?;
    let about = file.metadata()?.len().min(most).saturating_add(1);
    let mut bytes = Vec::with_capacity(usize::try_from(about).unwrap_or_default());
    file.take(most.saturating_add(1)).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > most { Err(Unreadable::TooLarge(most / (1024 * 1024))) } else { Ok(bytes) }
}

/// A file to be read bit by bit, if it says that it has at most `most` bytes.
///
/// # Errors
/// If it cannot be opened, is no file or too large. Nothing is waited for.
pub(crate) fn open_file(path: &Path, most: u64) -> Result<File, Unreadable> {
    let file = opened(path)?;
    let about = file.metadata()?;
    match Kind::of(about.file_type()) {
        Some(kind) => Err(Unreadable::NoFile(kind)),
        None if about.len() > most => Err(Unreadable::TooLarge(most / (1024 * 1024))),
        None => Ok(file),
    }
}

/// The text of a file, if it is UTF-8 of at most `most` bytes.
///
/// # Errors
/// As [`read`], and if it is not text.
pub(crate) fn read_text(path: &Path, most: u64) -> Result<String, Unreadable> {
    text_of(read(path, most)?, most)
}

/// Bytes as text, if they are UTF-8 and at most `most`.
///
/// # Errors
/// If they are not.
pub(crate) fn text_of(bytes: Vec<u8>, most: u64) -> Result<String, Unreadable> {
    if bytes.len() as u64 > most {
        return Err(Unreadable::TooLarge(most / (1024 * 1024)));
    }
    String::from_utf8(bytes).map_err(|error| {
        let before = error.as_bytes().get(..error.utf8_error().valid_up_to()).unwrap_or_default();
        Unreadable::NotText {
            line: before.iter().filter(|byte| **byte == b'\n').count() + 1,
            column: before.rsplit(|byte| *byte == b'\n').next().map_or(0, <[u8]>::len) + 1,
        }
    })
}

/// The terminal of this process, if it may read from it: one in the background would be stopped for that.
#[cfg(feature = "cli")]
pub(crate) fn terminal() -> Option<impl Read + Send> {
    let terminal = open("/dev/tty", OFlags::RDONLY | OFlags::NOCTTY | OFlags::CLOEXEC, Mode::empty()).ok()?;
    let foreground = rustix::termios::tcgetpgrp(&terminal).ok()?;
    (foreground == rustix::process::getpgrp()).then(|| File::from(terminal))
}

/// Makes a change in a folder (a new or renamed file) last.
///
/// # Errors
/// If the disk fails. Some file systems have no such call, and some folders cannot be opened by those who may write in
/// them; that is no error.
pub(crate) fn sync_folder(folder: &Path) -> io::Result<()> {
    match File::open(folder).and_then(|folder| folder.sync_all()) {
        Err(error) if matches!(error.kind(), InvalidInput | Unsupported | PermissionDenied) => Ok(()),
        other => other,
    }
}

/// Opens without waiting for the other end of a pipe, and without taking a terminal over.
fn opened(path: &Path) -> Result<File, Unreadable> {
    let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
    match open(path, flags, Mode::empty()) {
        Ok(file) => Ok(file.into()),
        // A socket cannot be opened at all, and the system's own words for that say nothing.
        Err(rustix::io::Errno::NXIO) => Err(Unreadable::NoFile(Kind::Socket)),
        Err(error) => Err(Unreadable::System(error.into())),
    }
}

/// A regular file that this process has written, to be read again.
///
/// # Errors
/// If it cannot be read, or is another thing by now.
#[cfg(feature = "cli")]
pub(crate) fn written(path: &Path) -> io::Result<File> {
    let file = opened(path).map_err(io::Error::other)?;
    if file.metadata()?.is_file() { Ok(file) } else { Err(io::ErrorKind::InvalidInput.into()) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::net::UnixListener;
    use std::time::{Duration, Instant};

    #[test]
    fn what_is_no_file_is_refused_at_once_with_what_it_is() {
        let folder = tempfile::tempdir().unwrap();
        let fifo = folder.path().join("fifo");
        rustix::fs::mkfifoat(rustix::fs::CWD, &fifo, Mode::RUSR | Mode::WUSR).unwrap();
        let socket = folder.path().join("socket");
        let _listener = UnixListener::bind(&socket).unwrap();
        let link = folder.path().join("link");
        std::os::unix::fs::symlink(&fifo, &link).unwrap();
        let cases = [
            (folder.path(), Kind::Folder),
            (&fifo, Kind::Pipe),
            (&link, Kind::Pipe),
            (&socket, Kind::Socket),
            (Path::new("/dev/zero"), Kind::Device),
            (Path::new("/dev/null"), Kind::Device),
        ];
        for (path, wanted) in cases {
            let began = Instant::now();
            assert!(matches!(read(path, 10), Err(Unreadable::NoFile(kind)) if kind == wanted), "{wanted}");
            assert!(began.elapsed() < Duration::from_millis(100), "{wanted}");
        }
    }

    #[test]
    fn no_more_than_the_limit_is_read() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("file");
        std::fs::write(&file, "1234567890").unwrap();
        assert_eq!(read_text(&file, 10).unwrap(), "1234567890");
        assert!(matches!(read(&file, 9), Err(Unreadable::TooLarge(_))));
        // A file of /proc has no length beforehand.
        assert!(matches!(read(Path::new("/proc/self/maps"), 9), Err(Unreadable::TooLarge(_))));
    }

    #[test]
    fn what_a_name_means_a_moment_later_does_not_count() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        std::fs::write(at("file"), "text").unwrap();
        rustix::fs::mkfifoat(rustix::fs::CWD, at("fifo"), Mode::RUSR | Mode::WUSR).unwrap();
        let swapping = std::sync::atomic::AtomicBool::new(true);
        let (mut files, mut others) = (0, 0);
        std::thread::scope(|scope| {
            let swap = || {
                while swapping.load(std::sync::atomic::Ordering::Relaxed) {
                    for target in [at("file"), at("fifo"), "/dev/zero".into(), folder.path().to_owned()] {
                        std::os::unix::fs::symlink(target, at("next")).unwrap();
                        std::fs::rename(at("next"), at("link")).unwrap();
                    }
                }
            };
            std::os::unix::fs::symlink(at("file"), at("link")).unwrap();
            scope.spawn(swap);
            let began = Instant::now();
            while began.elapsed() < Duration::from_millis(500) {
                match read(&at("link"), 10) {
                    Ok(bytes) => {
                        assert_eq!(bytes, b"text");
                        files += 1;
                    }
                    Err(Unreadable::NoFile(_)) => others += 1,
                    Err(error) => panic!("{error}"),
                }
            }
            swapping.store(false, std::sync::atomic::Ordering::Relaxed);
        });
        assert!(files > 0 && others > 0, "{files} {others}");
    }

    #[test]
    fn what_is_not_text_is_told_with_its_place() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("file");
        std::fs::write(&file, b"ab\nc\xfcd").unwrap();
        assert!(matches!(read_text(&file, 10), Err(Unreadable::NotText { line: 2, column: 2 })));
        assert!(matches!(read(&folder.path().join("none"), 1), Err(Unreadable::System(_))));
    }
}

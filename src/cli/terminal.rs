//! The lines of a process that serves, on their way to its standard streams.

use std::io::{self, ErrorKind, IsTerminal, Write};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use anstream::{AutoStream, ColorChoice};
use rustix::fs::{FileType, fstat};

use super::queue::{Entry, Full, Queue, Weight};

/// What is longer is written before more is added to it.
const PIECE_MAX: usize = 32 * 1024;

/// Where a text goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stream {
    Out,
    Err,
}

/// Adds its line, if it has one, when it is written.
pub(super) type Later = Box<dyn FnOnce(&mut String) + Send>;

/// What is on its way.
pub(super) enum Text {
    Ready(Stream, String),
    /// For standard error.
    Later(Later),
}

/// Both streams, with their queue.
#[derive(Default)]
pub(super) struct Terminal {
    queue: Queue<Text>,
    /// What became of standard output, if it failed for another reason than a reader that went away.
    failed: Mutex<Option<io::Error>>,
}

impl Terminal {
    /// A text that somebody waits for, or may look for.
    pub(super) fn lasting(&self, stream: Stream, text: String) {
        let bytes = text.len();
        self.queue.push(Text::Ready(stream, text), bytes, Weight::Lasting, Full::LeaveOut);
    }

    /// A line about one request of many, of about so many bytes until it is written.
    pub(super) fn passing(&self, text: Text, bytes: usize) {
        // In a regular file nothing is left out.
        let full = if is_file() { Full::Wait } else { Full::LeaveOut };
        self.queue.push(text, bytes, Weight::Passing, full);
    }

    /// As [`Queue::flush`].
    pub(super) fn flush(&self, limit: Duration) -> bool {
        self.queue.flush(limit)
    }

    /// Why standard output could not be written, once.
    pub(super) fn failure(&self) -> Option<io::Error> {
        self.failed.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    /// Writes what comes, for ever: the work of a thread of its own.
    pub(super) fn write_to(&self, mut write: impl FnMut(Stream, &str) -> io::Result<()>) {
        loop {
            let mut piece = Piece::default();
            for entry in self.queue.take(None) {
                let stream = match &entry {
                    Entry::Thing(Text::Ready(stream, _), _) => *stream,
                    Entry::Thing(Text::Later(_), _) | Entry::Gap(_) => Stream::Err,
                };
                if piece.stream != Some(stream) || piece.text.len() >= PIECE_MAX {
                    self.write(std::mem::take(&mut piece), &mut write);
                    piece.text.reserve(PIECE_MAX);
                }
                piece.stream = Some(stream);
                piece.count += 1;
                match entry {
                    Entry::Gap(count) => piece.text.push_str(&left_out(count)),
                    Entry::Thing(Text::Ready(_, text), bytes) => {
                        piece.text.push_str(&text);
                        piece.bytes += bytes;
                    }
                    Entry::Thing(Text::Later(add), bytes) => {
                        add(&mut piece.text);
                        piece.bytes += bytes;
                    }
                }
            }
            self.write(piece, &mut write);
        }
    }

    fn write(&self, piece: Piece, write: &mut impl FnMut(Stream, &str) -> io::Result<()>) {
        let Some(stream) = piece.stream else { return };
        let written = write(stream, &piece.text);
        if let (Stream::Out, Err(error)) = (stream, written)
            && error.kind() != ErrorKind::BrokenPipe
        {
            *self.failed.lock().unwrap_or_else(PoisonError::into_inner) = Some(error);
        }
        self.queue.done(piece.count, piece.bytes);
    }
}

/// Texts that are written in one go.
#[derive(Default)]
struct Piece {
    stream: Option<Stream>,
    text: String,
    count: usize,
    bytes: usize,
}

fn left_out(count: u64) -> String {
    let many = if count == 1 { "line was" } else { "lines were" };
    format!("{count} {many} left out here, because nobody read them in time\n")
}

/// Whether standard error is a regular file.
fn is_file() -> bool {
    static IS_FILE: OnceLock<bool> = OnceLock::new();
    *IS_FILE.get_or_init(|| {
        fstat(io::stderr()).is_ok_and(|about| FileType::from_raw_mode(about.st_mode).is_file())
    })
}

/// Writes a text whole and sends it off.
pub(super) fn write_now(stream: Stream, text: &str) -> io::Result<()> {
    match stream {
        Stream::Out => {
            let mut out = anstream::stdout();
            out.write_all(text.as_bytes())?;
            out.flush()
        }
        Stream::Err => {
            // Asked once: who reads does not change, and asking is a call of the system's.
            static CHOICE: OnceLock<ColorChoice> = OnceLock::new();
            let err = io::stderr();
            let choice = *CHOICE.get_or_init(|| AutoStream::choice(&err));
            if choice == ColorChoice::Never && !err.is_terminal() {
                // Nearly all lines are plain as they are.
                if memchr::memchr2(0x1b, 0x9b, text.as_bytes()).is_none() {
                    return err.lock().write_all(text.as_bytes());
                }
                let plain = anstream::adapter::strip_str(text).to_string();
                return err.lock().write_all(plain.as_bytes());
            }
            AutoStream::new(err, choice).write_all(text.as_bytes())
        }
    }
}

/// A terminal with its writer, for as long as the process lives; `None` if the system gives us no thread.
pub(super) fn started() -> Option<Arc<Terminal>> {
    let terminal = Arc::new(Terminal::default());
    let of_writer = Arc::clone(&terminal);
    let thread = std::thread::Builder::new().name("faultdeck-lines".to_owned());
    thread.spawn(move || of_writer.write_to(write_now)).ok().map(|_| terminal)
}

#[cfg(test)]
mod tests {
    use super::*;

    const LONG: Duration = Duration::from_secs(20);

    #[test]
    fn a_stream_that_fails_is_told_once_and_a_reader_that_went_away_is_no_failure() {
        for (kind, fails) in [(ErrorKind::StorageFull, true), (ErrorKind::BrokenPipe, false)] {
            let terminal = Arc::new(Terminal::default());
            let of_writer = Arc::clone(&terminal);
            std::thread::spawn(move || of_writer.write_to(|_, _| Err(kind.into())));
            terminal.lasting(Stream::Out, "http://x\n".to_owned());
            assert!(terminal.flush(LONG));
            assert_eq!(terminal.failure().is_some(), fails, "{kind:?}");
            assert!(terminal.failure().is_none());
        }
    }
}

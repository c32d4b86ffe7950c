//! The process's own streams. A reader that went away is no error of ours.
//!
//! A token that stands in the environment (`SEC_TOKEN`, `API_KEY`) or in the arguments is shown nowhere, wherever it
//! was pasted: all that is printed passes by here.
//!
//! A verb that serves never waits for whoever should read its lines (see [`super::queue`] and [`super::terminal`]); all others do, because what
//! they print is what they were asked for.

use std::ffi::OsString;
use std::io::{self, ErrorKind};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use super::problem::Problem;
use super::terminal::{Stream, Terminal, Text, started, write_now};
use crate::redact::Redactor;

/// How long the URL of a server is waited for to be written.
const URL_WAIT: Duration = Duration::from_secs(2);
/// How long the end of a server waits for a reader that takes nothing.
const END_WAIT: Duration = Duration::from_millis(500);
/// How long a second signal waits for its line to be written.
const LAST_WAIT: Duration = Duration::from_millis(100);
/// How long an ordinary verb waits for a reader that takes nothing, before its own lines.
const READER_WAIT: Duration = Duration::from_secs(3600);

/// The secrets that the process was started with.
static GIVEN: OnceLock<Redactor> = OnceLock::new();
/// The lines that nobody waits for.
static TERMINAL: OnceLock<Option<Arc<Terminal>>> = OnceLock::new();
/// Whether this process serves: then nothing waits for a reader.
static SERVES: AtomicBool = AtomicBool::new(false);
/// How wide the line is that stands on the terminal and is going to be written over.
static STATUS: AtomicUsize = AtomicUsize::new(0);
/// How wide a terminal is taken to be that does not say.
const WIDTH: usize = 80;

/// Learns the secrets that the process was started with. Only the first call counts.
pub(super) fn hide(arguments: &[OsString], environment: impl Iterator<Item = (OsString, OsString)>) {
    let redactor = Redactor::new();
    for (name, value) in environment {
        redactor.learn_variable(&name.to_string_lossy(), &value.to_string_lossy());
    }
    let words: Vec<String> = arguments.iter().map(|word| word.to_string_lossy().into_owned()).collect();
    redactor.learn_arguments(&words);
    let _ = GIVEN.set(redactor);
}

/// Learns one more secret: from here on it is printed nowhere.
pub(super) fn learn(secret: &str) {
    if let Some(redactor) = GIVEN.get() {
        redactor.learn(secret);
    }
}

/// A text without the secrets that this process was given.
pub(super) fn clean(text: &str) -> String {
    hidden(text)
}

fn hidden(text: &str) -> String {
    GIVEN.get().map_or_else(|| text.to_owned(), |redactor| redactor.text(text))
}

/// From here on nothing that is printed is waited for: a server serves, whether or not somebody reads its lines.
pub(super) fn never_wait() {
    SERVES.store(terminal().is_some(), Ordering::SeqCst);
}

/// The queue with its writer; `None` if the system gives us no thread.
fn terminal() -> Option<&'static Terminal> {
    TERMINAL.get_or_init(started).as_deref()
}

/// The queue, if anything was ever put in it.
fn begun() -> Option<&'static Terminal> {
    TERMINAL.get().and_then(Option::as_deref)
}

/// The queue, if this process serves.
fn of_server() -> Option<&'static Terminal> {
    SERVES.load(Ordering::SeqCst).then(terminal).flatten()
}

/// What an ordinary verb does before it prints: what was printed in passing comes first.
fn in_order() {
    if let Some(terminal) = begun() {
        terminal.flush(READER_WAIT);
    }
    let wide = STATUS.swap(0, Ordering::SeqCst);
    if wide > 0 {
        let _ = write_now(Stream::Err, &format!("\r{}\r", " ".repeat(wide)));
    }
}

/// Writes a line on the terminal that the next one takes the place of, whichever that is. For a terminal only: see
/// [`is_watched`].
pub(super) fn status(line: &str) {
    let width = rustix::termios::tcgetwinsize(io::stderr())
        .ok()
        .map(|size| usize::from(size.ws_col))
        .filter(|width| *width > 0)
        .unwrap_or(WIDTH)
        .saturating_sub(1);
    // What is in a status is plain text of one column a character; what is not, is cut a little early.
    let shown: String = hidden(line).chars().take(width).collect();
    let wide = shown.chars().count();
    let before = STATUS.swap(wide, Ordering::SeqCst);
    let _ = write_now(Stream::Err, &format!("\r{shown}{}", " ".repeat(before.saturating_sub(wide))));
}

/// Writes data on standard output and sends it off.
///
/// # Errors
/// If it cannot be written for another reason than a closed pipe.
pub(super) fn data(text: &str) -> Result<(), Problem> {
    let text = hidden(text);
    let written = match of_server() {
        Some(terminal) => {
            terminal.lasting(Stream::Out, text);
            terminal.flush(URL_WAIT);
            terminal.failure().map_or(Ok(()), Err)
        }
        None => {
            in_order();
            write_now(Stream::Out, &text)
        }
    };
    match written {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            Err(Problem::input(format!("cannot write to standard output: {error}")))
        }
        _ => Ok(()),
    }
}

/// Writes a line on standard error. If nobody reads it, nothing is lost that the ledger does not hold.
pub(super) fn note(line: &str) {
    let text = hidden(line) + "\n";
    match of_server() {
        Some(terminal) => terminal.lasting(Stream::Err, text),
        None => {
            in_order();
            let _ = write_now(Stream::Err, &text);
        }
    }
}

/// Writes a line on standard error that nobody waits for, whatever the verb: one about each request, for instance.
pub(super) fn in_passing(line: &str) {
    match terminal() {
        Some(terminal) => {
            let text = hidden(line) + "\n";
            let bytes = text.len();
            terminal.passing(Text::Ready(Stream::Err, text), bytes);
        }
        None => note(line),
    }
}

/// The same for a line that is added, clean and with its end, when it is written; until then it takes about so many bytes.
pub(super) fn in_passing_later(bytes: usize, add: impl FnOnce(&mut String) + Send + 'static) {
    match terminal() {
        Some(terminal) => terminal.passing(Text::Later(Box::new(add)), bytes),
        None => {
            let mut line = String::new();
            add(&mut line);
            note(line.trim_end_matches('\n'));
        }
    }
}

/// Writes the last line of a process that ends at once.
pub(super) fn last_word(line: &str) {
    in_passing(line);
    if let Some(terminal) = begun() {
        terminal.flush(LAST_WAIT);
    }
}

/// Gives what a server has printed a moment to be read.
pub(super) fn finish() {
    if let Some(terminal) = begun() {
        terminal.flush(END_WAIT);
    }
}

/// Whether a person sits at standard error: progress is shown to nobody else.
pub(super) fn is_watched() -> bool {
    io::IsTerminal::is_terminal(&io::stderr())
}

//! A ledger that is written while the run goes on: what was served stands in the file at most half a second later.
//!
//! One thread makes lines of events, cleans them and writes them in batches; nothing is kept. In a regular file nothing is
//! left out: whoever serves waits for room in the queue. Into a pipe or a terminal that nobody reads lines are left out,
//! and a line says how many.

use std::fs::{self, File};
use std::io::{self, Write};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::event_lines::{EventLines, clean_line};
use super::private;
use super::problem::Problem;
use super::queue::{Entry, Full, Queue, Weight};
use super::rewriting::rewrite;
use crate::ledger::{GapLine, Line};
use crate::redact::Redactor;
use crate::replay::{Event, Watch};

/// What is longer is written before more is added to it.
const PIECE_MAX: usize = 256 * 1024;
/// Room for a piece and the line that makes it whole; what a longer line takes is given back.
const PIECE_ROOM: usize = PIECE_MAX + 16 * 1024;
/// What was learnt since is searched for in what is written at most so often.
const SEARCH_EVERY: Duration = Duration::from_millis(250);
/// How many times longer than a search the pause after it is.
const PAUSE: u32 = 2;
/// How long a pipe that nobody reads is waited for at the end.
const END_WAIT: Duration = Duration::from_secs(2);
/// How long a disk that takes nothing is waited for at the end.
const DISK_WAIT: Duration = Duration::from_secs(600);

/// What is on its way to the ledger.
enum Item {
    Event(Event),
    /// Lines that stand in the ledger as they are, but for secrets.
    Lines(Vec<Line>),
    /// What was learnt since is searched for now.
    Search,
}

/// A ledger being written.
pub(super) struct Flowing {
    path: PathBuf,
    is_regular: bool,
    queue: Arc<Queue<Item>>,
    book: Arc<Mutex<Book>>,
}

impl Flowing {
    /// Begins a ledger, and a thread that writes it.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub(super) fn begin(path: &Path, redactor: &Redactor) -> Result<Self, Problem> {
        let failed = |error| Problem::file("write", path, error);
        let is_regular = fs::metadata(path).is_ok_and(|about| about.is_file());
        let file = if is_regular { Some(private::begin(path).map_err(failed)?) } else { None };
        let book = Book {
            path: path.to_owned(),
            file,
            is_regular,
            redactor: redactor.clone(),
            lines: EventLines::default(),
            piece: String::new(),
            length: 0,
            clean_of: 0,
            searched: None,
            failed: None,
            unwritten: 0,
        };
        let flowing = Self {
            path: path.to_owned(),
            is_regular,
            queue: Arc::default(),
            book: Arc::new(Mutex::new(book)),
        };
        let (queue, book) = (Arc::clone(&flowing.queue), Arc::clone(&flowing.book));
        let thread = std::thread::Builder::new().name("faultdeck-ledger".to_owned());
        thread.spawn(move || write_for_ever(&queue, &book)).map_err(failed)?;
        Ok(flowing)
    }

    /// Takes what happens.
    pub(super) fn watch(&self) -> Watch {
        let queue = Arc::clone(&self.queue);
        let full = self.full();
        Arc::new(move |event| {
            let bytes = match event {
                Event::Served { served, .. } => served.weight(),
                Event::Opened(_) | Event::Refused(_) | Event::Greeted(_) | Event::Performed { .. } => 256,
            };
            queue.push(Item::Event(event.clone()), bytes, Weight::Passing, full);
        })
    }

    fn full(&self) -> Full {
        if self.is_regular { Full::Wait } else { Full::WaitWhileMoving }
    }

    /// Whether lines may be left out.
    pub(super) fn is_lossy(&self) -> bool {
        !self.is_regular
    }

    /// Waits until all that happened is written: how many lines are missing.
    pub(super) fn flush(&self) -> u64 {
        // A writer that is stuck has the book in its hands.
        let unwritten = if self.is_written() { book(&self.book).unwritten } else { 1 };
        self.queue.left_out() + unwritten
    }

    fn is_written(&self) -> bool {
        self.queue.flush(if self.is_regular { DISK_WAIT } else { END_WAIT })
    }

    /// Adds lines that are made already.
    pub(super) fn add(&self, lines: Vec<Line>) {
        let bytes = lines.iter().map(Line::weight).sum();
        self.queue.push(Item::Lines(lines), bytes, Weight::Passing, self.full());
    }

    /// Adds the last lines, and waits until all is written and clean.
    ///
    /// # Errors
    /// If the file could not be written.
    pub(super) fn close(self, lines: Vec<Line>) -> Result<(), Problem> {
        self.queue.push(Item::Lines(lines), 0, Weight::Lasting, self.full());
        self.queue.push(Item::Search, 0, Weight::Lasting, self.full());
        let failed = match self.is_written() {
            true => book(&self.book).failure(),
            false if self.is_regular => Some(io::Error::other("its last lines could not be written in time")),
            // Lines that a reader does not take are counted.
            false => None,
        };
        failed.map_or(Ok(()), |error| Err(Problem::file("write", &self.path, error)))
    }
}

fn book(book: &Mutex<Book>) -> MutexGuard<'_, Book> {
    book.lock().unwrap_or_else(PoisonError::into_inner)
}

fn write_for_ever(queue: &Queue<Item>, shared: &Mutex<Book>) {
    let _served = queue.served();
    loop {
        let patience = book(shared).search_is_due_in();
        let batch = queue.take(patience);
        let mut book = book(shared);
        book.write_batch(batch, queue);
        if book.search_is_due_in().is_some_and(|wait| wait.is_zero()) {
            book.search();
        }
    }
}

/// The file, and how far it is.
struct Book {
    path: PathBuf,
    /// `None` for a pipe that nobody has opened yet.
    file: Option<File>,
    is_regular: bool,
    redactor: Redactor,
    lines: EventLines,
    /// Where pieces are put together: a text that grows anew each time takes twice the room.
    piece: String,
    /// Bytes of whole lines.
    length: u64,
    /// What is written is clean of so many of the values that are searched for.
    clean_of: usize,
    /// When it was last searched for what was learnt since, and how long that took.
    searched: Option<(Instant, Duration)>,
    failed: Option<io::Error>,
    /// Lines that could not be written.
    unwritten: u64,
}

impl Book {
    fn write_batch(&mut self, batch: Vec<Entry<Item>>, queue: &Queue<Item>) {
        if self.length == 0 {
            self.clean_of = self.redactor.wanted();
        }
        let (mut text, mut lines, mut count, mut bytes) = (std::mem::take(&mut self.piece), 0, 0, 0);
        text.reserve(PIECE_ROOM);
        let total = batch.len();
        for (place, entry) in batch.into_iter().enumerate() {
            let before = text.len();
            let weight = match entry {
                Entry::Gap(count) => {
                    text.push_str(&self.text(&Line::Gap(GapLine { lines: count })));
                    0
                }
                Entry::Thing(Item::Event(event), weight) => {
                    self.lines.add(&event, &self.redactor, &mut text);
                    weight
                }
                Entry::Thing(Item::Lines(lines), weight) => {
                    lines.iter().for_each(|line| text.push_str(&self.text(line)));
                    weight
                }
                Entry::Thing(Item::Search, weight) => {
                    self.write(&mut text, std::mem::take(&mut lines));
                    self.search();
                    weight
                }
            };
            lines += u64::from(text.len() > before);
            count += 1;
            bytes += weight;
            if text.len() >= PIECE_MAX || place + 1 == total {
                self.write(&mut text, std::mem::take(&mut lines));
                queue.done(std::mem::take(&mut count), std::mem::take(&mut bytes));
            }
        }
        text.shrink_to(PIECE_ROOM);
        self.piece = text;
    }

    fn text(&self, line: &Line) -> String {
        clean_line(line, &self.redactor)
    }

    /// Writes a piece, and empties it.
    fn write(&mut self, piece: &mut String, lines: u64) {
        if !piece.is_empty() {
            self.append(piece, lines);
        }
        piece.clear();
    }

    fn append(&mut self, text: &str, lines: u64) {
        if self.file.is_none() && !self.is_regular {
            self.file = private::begin(&self.path).ok();
        }
        let Some(file) = self.file.as_mut().filter(|_| self.failed.is_none()) else {
            self.unwritten += lines;
            return;
        };
        match file.write_all(text.as_bytes()) {
            Ok(()) => self.length += text.len() as u64,
            Err(error) => {
                // The lines before this piece stay whole. A pipe has no length to set.
                let _ = file.set_len(self.length);
                self.unwritten += lines;
                // Whoever read a pipe has gone: that is no error of the file's.
                if self.is_regular || error.kind() != io::ErrorKind::BrokenPipe {
                    self.failed = Some(error);
                }
            }
        }
    }

    /// What went wrong, once. A file that is no longer where it was begun is lost, however well it was written.
    fn failure(&mut self) -> Option<io::Error> {
        let file = self.file.as_ref().filter(|_| self.is_regular && self.failed.is_none());
        let place = |about: fs::Metadata| (about.dev(), about.ino());
        let is_there = |file: &File| Ok(place(fs::metadata(&self.path)?) == place(file.metadata()?));
        match file.map(is_there) {
            Some(Err(error)) => Some(error),
            Some(Ok(false)) => {
                Some(io::Error::other("something else was put in its place while it was written"))
            }
            None | Some(Ok(true)) => self.failed.take(),
        }
    }

    /// When what is written must be searched for what was learnt since; `None` if nothing was.
    fn search_is_due_in(&self) -> Option<Duration> {
        let is_behind = self.is_regular && self.length > 0 && self.redactor.wanted() > self.clean_of;
        is_behind.then(|| {
            let pause = |(at, took): (Instant, Duration)| {
                SEARCH_EVERY.max(took.saturating_mul(PAUSE)).saturating_sub(at.elapsed())
            };
            self.searched.map_or(Duration::ZERO, pause)
        })
    }

    /// Takes what was learnt since out of what is written.
    fn search(&mut self) {
        if self.search_is_due_in().is_none() || self.failed.is_some() {
            return;
        }
        let began = Instant::now();
        let wanted = self.redactor.wanted();
        let late = self.redactor.since(self.clean_of);
        match rewrite(&self.path, self.length, &|line| late.json(line)) {
            Ok(None) => {}
            Ok(Some((file, length))) => (self.file, self.length) = (Some(file), length),
            Err(error) => {
                self.failed = Some(error);
                return;
            }
        }
        self.clean_of = wanted;
        self.searched = Some((Instant::now(), began.elapsed()));
    }
}

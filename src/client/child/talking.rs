//! A program that stays and is spoken to in lines: it reads them on its standard input, and answers on its standard
//! output. Dropping it kills it and all that descends from it.

use std::future::pending;
use std::pin::pin;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::process::{Child, ChildStderr, ChildStdin, ChildStdout};

use super::captured::Captured;
use super::family::Family;
use super::{Command, Ending, GRACE, NotStarted, Streams, ending_of, spawn, within};

/// The longest line that is read.
const LINE_MAX: usize = 1024 * 1024;
/// Bytes read at once.
const PIECE: usize = 16 * 1024;
/// Pieces of standard error taken at the end of a line: what is left is taken with the next one.
const PIECES_MAX: usize = 64;

/// A program that is spoken to.
#[derive(Debug)]
pub(in crate::client) struct Talking {
    child: Child,
    family: Family,
    stdin: Option<ChildStdin>,
    stdout: ChildStdout,
    stderr: Option<ChildStderr>,
    /// What has come of the next lines.
    pending: Vec<u8>,
    complaints: Captured,
    /// Where a piece of each output is read into.
    pieces: Box<[[u8; PIECE]; 2]>,
}

/// What a program says when it is listened to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::client) enum Said {
    /// A line, without its end.
    Line(String),
    /// More than a line may be long.
    TooMuch,
    /// Nothing more: it has ended, or (`None`) has closed its standard output and goes on.
    Ended(Option<Ending>),
}

impl Talking {
    /// Starts a program.
    pub(in crate::client) fn start(command: &Command) -> Result<Self, NotStarted> {
        let command = Command { streams: Streams::Spoken, ..command.clone() };
        let (mut child, family) = spawn(&command)?;
        let (stdin, stderr) = (child.stdin.take(), child.stderr.take());
        let Some(stdout) = child.stdout.take() else { return Err(NotStarted::Empty) };
        Ok(Self {
            child,
            family,
            stdin,
            stdout,
            stderr,
            pending: Vec::new(),
            complaints: Captured::default(),
            pieces: Box::new([[0; PIECE]; 2]),
        })
    }

    /// Whether it has ended by now.
    pub(in crate::client) fn has_ended(&mut self) -> bool {
        !matches!(self.child.try_wait(), Ok(None))
    }

    /// Says a line, and gives the next one that the program says. Whoever lets this future go must let the program go,
    /// too: how much of the line was said is not known.
    pub(in crate::client) async fn ask(&mut self, line: &str) -> Said {
        let mut stdin = self.stdin.take();
        let mut is_said = false;
        let text = format!("{line}\n");
        let answer = {
            let mut speak = pin!(async {
                // A program that reads no more shows it by its end, or by its silence.
                if let Some(stdin) = &mut stdin
                    && stdin.write_all(text.as_bytes()).await.is_ok()
                {
                    let _ = stdin.flush().await;
                }
            });
            let mut listen = pin!(self.listen());
            loop {
                tokio::select! {
                    biased;
                    () = speak.as_mut(), if !is_said => is_said = true,
                    answer = listen.as_mut() => break answer,
                }
            }
        };
        // Who answers before it was asked has half a line before it: with its input closed it comes to an end.
        self.stdin = stdin.filter(|_| is_said);
        answer
    }

    /// The next line that the program says. What it complains of meanwhile is kept for [`Self::complaints`].
    pub(in crate::client) async fn listen(&mut self) -> Said {
        let mut looked_at = 0;
        loop {
            if let Some(line) = self.next_line(&mut looked_at) {
                return Said::Line(line);
            }
            if self.pending.len() > LINE_MAX {
                return Said::TooMuch;
            }
            let [piece, complaint] = &mut *self.pieces;
            tokio::select! {
                biased;
                more = self.stdout.read(piece) => match more.unwrap_or(0) {
                    0 => return self.last().await,
                    more => self.pending.extend_from_slice(piece.get(..more).unwrap_or_default()),
                },
                more = complain(&mut self.stderr, complaint) => match more {
                    0 => self.stderr = None,
                    more => self.complaints.push(complaint.get(..more).unwrap_or_default()),
                },
            }
        }
    }

    /// Lets go of what has come of a line that is too long.
    pub(in crate::client) fn forget(&mut self) {
        self.pending.clear();
    }

    /// What it said last, without an end of the line; then how it ended.
    async fn last(&mut self) -> Said {
        let line = std::mem::take(&mut self.pending);
        let line = String::from_utf8_lossy(&line);
        if !line.trim().is_empty() {
            return Said::Line(line.into_owned());
        }
        match within(Some(GRACE), self.child.wait()).await {
            Some(Ok(status)) => Said::Ended(Some(ending_of(status))),
            Some(Err(_)) => Said::Ended(Some(Ending::Exited(-1))),
            None => Said::Ended(None),
        }
    }

    /// What it has complained of since it was asked last. All that a program wrote before a line of its own is here
    /// when the line is.
    pub(in crate::client) fn complaints(&mut self) -> Captured {
        let [piece, _] = &mut *self.pieces;
        // Not by way of the runtime, which learns of what has come only later.
        for _ in 0..PIECES_MAX {
            let Some(stderr) = &self.stderr else { break };
            match rustix::io::read(stderr, &mut *piece) {
                Ok(more @ 1..) => self.complaints.push(piece.get(..more).unwrap_or_default()),
                Ok(0) | Err(_) => break,
            }
        }
        std::mem::take(&mut self.complaints)
    }

    /// Closes its standard input, and kills what is left of it and of its descendants a little later.
    pub(in crate::client) async fn stop(mut self) {
        drop(self.stdin.take());
        let left = within(Some(GRACE), async {
            // What it still says is read, so that it is not stuck with it.
            while !matches!(self.listen().await, Said::Ended(_)) {
                self.pending.clear();
            }
        });
        left.await;
        self.family.end().await;
    }

    /// Takes a whole line off what has come; lines without a word are passed over.
    fn next_line(&mut self, looked_at: &mut usize) -> Option<String> {
        loop {
            let rest = self.pending.get(*looked_at..)?;
            let Some(end) = memchr::memchr(b'\n', rest).map(|at| *looked_at + at) else {
                *looked_at = self.pending.len();
                return None;
            };
            let line: Vec<u8> = self.pending.drain(..=end).collect();
            *looked_at = 0;
            let line = String::from_utf8_lossy(&line);
            if !line.trim().is_empty() {
                return Some(line.trim_end_matches(['\n', '\r']).to_owned());
            }
        }
    }
}

/// What comes on standard error; for ever nothing once it is closed.
async fn complain(stderr: &mut Option<ChildStderr>, into: &mut [u8]) -> usize {
    match stderr {
        Some(stderr) => stderr.read(into).await.unwrap_or(0),
        None => pending().await,
    }
}

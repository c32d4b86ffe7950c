//! Reads a file that is laid out as faultdeck lays it out through a window that moves along it: the whole text is never in
//! memory, and what is made of it is not beside what it was made from.
//!
//! What is around the interactions is gathered and read as a cassette without any. As everywhere in [`super::laid_out`],
//! whatever is not as expected is `None`, and the file is read as a whole.

use std::io::Read;

use super::Interaction;
use super::laid_out::{LaidOut, Memory, foresee};
use super::parts::FIRST;

/// Bytes read at one time, at least.
const READ_BYTES: usize = 256 * 1024;
/// What may stand behind the interactions.
const TAIL_BYTES_MAX: usize = 1024 * 1024;

/// A file's text, cut.
pub(super) struct Split {
    /// The text without interactions.
    pub(super) around: String,
    pub(super) interactions: Vec<Interaction>,
}

/// Reads a file of about `length` bytes, and of no more than `most`.
pub(super) fn split(file: impl Read, length: u64, most: u64) -> Option<Split> {
    let mut window = Window { file, left: most, bytes: Vec::new(), begin: 0, is_all: false };
    window.more()?;
    let head_end = window.text()?.find(FIRST)? + FIRST.len() - 1;
    let mut around = window.text()?.get(..head_end)?.to_owned();
    window.begin = head_end;
    let mut memory = Memory::default();
    let mut interactions = Vec::new();
    let mut passed = head_end as u64;
    loop {
        let text = window.text()?;
        let mut laid_out = LaidOut::new(text, &mut memory);
        let mut read = 0;
        let mut is_last = false;
        while let Some(interaction) = laid_out.interaction() {
            is_last = laid_out.has("\n  ]");
            if !is_last && !laid_out.has(",\n    ") {
                break;
            }
            read = laid_out.at;
            let behind = passed + read as u64;
            foresee(&mut interactions, behind, length.saturating_sub(behind));
            interactions.push(interaction);
            if is_last {
                break;
            }
        }
        window.begin += read;
        passed += read as u64;
        if is_last {
            around.push_str("\n  ]");
            break;
        }
        window.more()?;
    }
    while !window.is_all {
        window.more()?;
        window.text().filter(|text| text.len() <= TAIL_BYTES_MAX)?;
    }
    around.push_str(window.whole()?);
    interactions.shrink_to_fit();
    Some(Split { around, interactions })
}

/// A part of a file.
struct Window<F> {
    file: F,
    /// How many more bytes may be read.
    left: u64,
    bytes: Vec<u8>,
    /// What stands before this is done with.
    begin: usize,
    /// Whether the file has ended.
    is_all: bool,
}

impl<F: Read> Window<F> {
    /// Lets go of what is done with, and reads on; nothing if there is no more.
    fn more(&mut self) -> Option<()> {
        if self.is_all {
            return None;
        }
        self.bytes.drain(..self.begin);
        self.begin = 0;
        // Something longer than the window is looked at again and again: each time there is twice as much of it.
        let wanted = READ_BYTES.max(self.bytes.len()) as u64;
        let allowed = wanted.min(self.left + 1);
        self.bytes.reserve(usize::try_from(allowed).ok()?);
        let got = (&mut self.file).take(allowed).read_to_end(&mut self.bytes).ok()? as u64;
        self.left = self.left.checked_sub(got)?;
        self.is_all = got < allowed;
        Some(())
    }

    /// What is there, up to a character that is cut.
    fn text(&self) -> Option<&str> {
        let bytes = self.bytes.get(self.begin..)?;
        match std::str::from_utf8(bytes) {
            Ok(text) => Some(text),
            Err(error) if error.error_len().is_none() => {
                std::str::from_utf8(bytes.get(..error.valid_up_to())?).ok()
            }
            Err(_) => None,
        }
    }

    /// All that is there, which is the end of the file.
    fn whole(&self) -> Option<&str> {
        std::str::from_utf8(self.bytes.get(self.begin..)?).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::super::write;
    use super::*;
    use crate::cassette::Cassette;
    use crate::message::{Request, Response};

    fn tape(many: usize, long: usize) -> Cassette {
        let interaction = |n: usize| Interaction {
            id: format!("x.get-{n}"),
            endpoint: "".into(),
            request: Request::new("GET", &format!("/api/x/{n}")).with("X", "\u{e9}"),
            response: Response::json(
                200,
                format!("{{\"n\":{n},\"text\":\"{}\"}}", "\u{e9}".repeat(n % long)),
            ),
            by_recorder: false,
            moment: 0,
            notes: Vec::new(),
        };
        Cassette { interactions: (0..many).map(interaction).collect(), ..Cassette::default() }
    }

    /// Gives a few bytes at a time.
    struct Slow<'t>(&'t [u8]);

    impl Read for Slow<'_> {
        fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
            let many = into.len().min(1000).min(self.0.len());
            let (now, later) = self.0.split_at(many);
            into[..many].copy_from_slice(now);
            self.0 = later;
            Ok(many)
        }
    }

    #[test]
    fn a_file_is_the_same_through_a_window_however_long_its_interactions_are() {
        for (many, long) in [(1, 1), (3, 2), (5000, 3), (40, 9000), (2, 2), (300, 4000)] {
            let cassette = tape(many, long);
            let text = write::text(&cassette);
            let split = split(Slow(text.as_bytes()), text.len() as u64, text.len() as u64).unwrap();
            assert_eq!(split.interactions, cassette.interactions, "{many} {long}");
            let without = write::text(&Cassette { interactions: Vec::new(), ..cassette });
            let (one, other): (serde_json::Value, serde_json::Value) =
                (serde_json::from_str(&split.around).unwrap(), serde_json::from_str(&without).unwrap());
            assert_eq!(one, other);
        }
    }

    #[test]
    fn what_is_cut_too_long_or_no_text_is_left_to_others() {
        let text = write::text(&tape(1000, 2));
        let length = text.len() as u64;
        let read = |text: &[u8], most: u64| split(Slow(text), length, most).is_some();
        assert!(read(text.as_bytes(), length) && !read(text.as_bytes(), length - 1));
        for end in [0, 1, 100, text.len() / 2, text.len() - 20] {
            assert!(!read(&text.as_bytes()[..end], length), "{end}");
        }
        let mut broken = text.into_bytes();
        let middle = broken.len() / 2;
        broken[middle] = 0xff;
        assert!(!read(&broken, length));
    }
}

//! One entry of a journal: a head, which is a line of its own, then a text, then the end of a line.
//!
//! `@interaction 37 4711 9f3a00c1 1b2c3d4e`: what it is, the place of its request in the recording, the length of its
//! text, the checksum of the text, and the checksum of the head before it. The text of an interaction is the one it has
//! in a cassette; no line of it begins with `@`, so the next entry is found behind one that is damaged.

use std::io::Write;

/// What an entry is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// Where the recording is from: a cassette without interactions. The first of a journal.
    From,
    /// An interaction.
    Interaction,
    /// All of it is in a cassette: the digest of that file.
    Done,
}

impl Kind {
    const ALL: [(Self, &str); 3] =
        [(Self::From, "from"), (Self::Interaction, "interaction"), (Self::Done, "done")];

    fn word(self) -> &'static str {
        Self::ALL.iter().find(|(kind, _)| *kind == self).map_or("", |(_, word)| *word)
    }

    fn of(word: &str) -> Option<Self> {
        Self::ALL.iter().find(|(_, known)| *known == word).map(|(kind, _)| *kind)
    }
}

/// No head is longer than this, its end included.
pub(super) const HEAD_MAX: usize = 96;

/// What a line says of the text that comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Head {
    pub(super) kind: Kind,
    pub(super) place: u64,
    pub(super) length: u64,
    check: u32,
}

impl Head {
    /// Reads a line, its end included; `None` if it is none or damaged.
    pub(super) fn parse(line: &[u8]) -> Option<Self> {
        let line = std::str::from_utf8(line).ok()?.strip_suffix('\n')?;
        let (start, check) = line.rsplit_once(' ')?;
        let mut words = start.strip_prefix('@')?.split(' ');
        let head = Self {
            kind: Kind::of(words.next()?)?,
            place: words.next()?.parse().ok()?,
            length: words.next()?.parse().ok()?,
            check: u32::from_str_radix(words.next()?, 16).ok()?,
        };
        // As it is written, and nothing like it: `+1` is a number, too.
        (words.next().is_none() && format!("{head}{check}") == line && check == hex(start.as_bytes()))
            .then_some(head)
    }

    /// Whether this is its text.
    pub(super) fn fits(&self, text: &[u8]) -> bool {
        text.len() as u64 == self.length && crc32fast::hash(text) == self.check
    }
}

impl std::fmt::Display for Head {
    /// All but its own checksum.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "@{} {} {} {:08x} ", self.kind.word(), self.place, self.length, self.check)
    }
}

fn hex(bytes: &[u8]) -> String {
    format!("{:08x}", crc32fast::hash(bytes))
}

/// Whether a line that has no end could be the beginning of a head.
pub(super) fn is_begun(line: &[u8]) -> bool {
    line.len() < HEAD_MAX
        && line.first().is_none_or(|first| *first == b'@')
        && line.iter().skip(1).all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || *byte == b' ')
}

/// Writes an entry.
pub(super) fn write(out: &mut Vec<u8>, kind: Kind, place: u64, text: &str) {
    let head = Head { kind, place, length: text.len() as u64, check: crc32fast::hash(text.as_bytes()) };
    let start = head.to_string();
    // Writing to memory cannot fail.
    let _ = writeln!(out, "{start}{}", hex(start.trim_end().as_bytes()));
    out.extend_from_slice(text.as_bytes());
    out.push(b'\n');
}

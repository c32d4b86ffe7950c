//! Text with its escapes taken off, and where each byte of it stood: escapes have more spellings than can be listed, and
//! may be nested.

use std::ops::Range;

use super::names::PREFIX;
use super::readings::Readings;

/// A family of escapes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Escapes {
    /// `%41`, `%u0041`, `\u0041`, `\x41`, `\101`, `\/`, `&#65;`, `&#x41;`, `&amp;`.
    Web,
    /// `=41` and soft line breaks, as mail writes them.
    Quoted,
    /// Two or four bytes for a character: those that are zero go.
    Wide,
    /// Line breaks within a word, with the blanks after them.
    Folded,
}

impl Escapes {
    pub(super) const ALL: [Self; 4] = [Self::Web, Self::Quoted, Self::Wide, Self::Folded];

    /// Where the first of them may begin.
    fn next(self, bytes: &[u8]) -> Option<usize> {
        match self {
            Self::Web => memchr::memchr3(b'%', b'\\', b'&', bytes),
            Self::Quoted => memchr::memchr(b'=', bytes),
            Self::Wide => memchr::memchr(0, bytes),
            Self::Folded => memchr::memchr2(b'\r', b'\n', bytes),
        }
    }

    /// Whether a text can hold any.
    fn may_be_in(self, readings: Readings) -> bool {
        match self {
            Self::Web => readings.has_web(),
            Self::Quoted => readings.has_quoted(),
            Self::Wide => readings.has_zero(),
            Self::Folded => readings.has_line_feed(),
        }
    }
}

/// Bytes without one layer of escapes.
pub(super) struct View {
    pub(super) bytes: Vec<u8>,
    /// The place in the source of each byte, and of the end.
    starts: Vec<usize>,
    /// Whether an escape stood for something, and bytes were not only left out.
    pub(super) is_decoded: bool,
}

/// What an escape stands for.
enum Decoded {
    Byte(u8),
    Character(char),
    Nothing,
}

impl View {
    /// `source` without its outermost layer of these escapes; `None` if nothing in it is escaped.
    pub(super) fn of(source: &[u8], escapes: Escapes, readings: Readings) -> Option<Self> {
        if !escapes.may_be_in(readings) {
            return None;
        }
        let mut view = Self {
            bytes: Vec::with_capacity(source.len()),
            starts: Vec::with_capacity(source.len() + 1),
            is_decoded: false,
        };
        let (mut at, mut changed) = (0, false);
        while let Some(rest) = source.get(at..) {
            // What begins no escape stands for itself.
            let next = at + escapes.next(rest).unwrap_or(rest.len());
            view.bytes.extend_from_slice(source.get(at..next).unwrap_or_default());
            view.starts.extend(at..next);
            at = next;
            let Some((byte, rest)) = source.get(at).zip(source.get(at..)) else { break };
            let found = match escapes {
                Escapes::Web => web(rest),
                Escapes::Quoted => quoted(rest),
                Escapes::Wide => (*byte == 0).then_some((Decoded::Nothing, 1)),
                Escapes::Folded => folded(rest),
            };
            // `=fd` of a placeholder is no escape.
            let is_before_placeholder =
                || rest.get(1..).is_some_and(|rest| rest.starts_with(PREFIX.as_bytes()));
            let Some((decoded, length)) = found.filter(|_| !is_before_placeholder()) else {
                view.push(*byte, at);
                at += 1;
                continue;
            };
            changed = true;
            view.is_decoded |= !matches!(decoded, Decoded::Nothing);
            match decoded {
                Decoded::Byte(byte) => view.push(byte, at),
                Decoded::Character(c) => {
                    c.encode_utf8(&mut [0; 4]).bytes().for_each(|byte| view.push(byte, at))
                }
                Decoded::Nothing => {}
            }
            at += length;
        }
        view.starts.push(source.len());
        changed.then_some(view)
    }

    fn push(&mut self, byte: u8, at: usize) {
        self.bytes.push(byte);
        self.starts.push(at);
    }

    /// Where these bytes stand in the source.
    pub(super) fn place(&self, at: Range<usize>) -> Range<usize> {
        let start = |at: usize| self.starts.get(at).or(self.starts.last()).copied().unwrap_or_default();
        start(at.start)..start(at.end)
    }
}

fn digits(bytes: &[u8], range: Range<usize>, radix: u32) -> Option<u32> {
    let text = std::str::from_utf8(bytes.get(range)?).ok()?;
    let plain = !text.is_empty() && text.chars().all(|c| c.is_digit(radix));
    plain.then(|| u32::from_str_radix(text, radix).ok()).flatten()
}

fn character(number: u32) -> Option<Decoded> {
    char::from_u32(number).map(Decoded::Character)
}

fn web(bytes: &[u8]) -> Option<(Decoded, usize)> {
    match bytes {
        [b'%', b'u', ..] => Some((character(digits(bytes, 2..6, 16)?)?, 6)),
        // A percent-encoded byte stands for itself, not for the character of its number.
        [b'%', ..] => Some((Decoded::Byte(u8::try_from(digits(bytes, 1..3, 16)?).ok()?), 3)),
        [b'\\', b'u', b'{', ..] => {
            let end = bytes.iter().take(10).position(|byte| *byte == b'}')?;
            Some((character(digits(bytes, 3..end, 16)?)?, end + 1))
        }
        [b'\\', b'u', ..] => Some((character(digits(bytes, 2..6, 16)?)?, 6)),
        [b'\\', b'x', ..] => Some((Decoded::Byte(u8::try_from(digits(bytes, 2..4, 16)?).ok()?), 4)),
        [b'\\', b'0'..=b'3', ..] => Some((Decoded::Byte(u8::try_from(digits(bytes, 1..4, 8)?).ok()?), 4)),
        [b'\\', escaped @ (b'/' | b'"' | b'\'' | b'\\' | b'='..=b'@' | b'-' | b'.' | b'+' | b':'), ..] => {
            Some((Decoded::Byte(*escaped), 2))
        }
        [b'&', b'#', ..] => numbered(bytes),
        [b'&', ..] => named(bytes),
        _ => None,
    }
}

/// `&#65;`, `&#x41;`, zeros before and the semicolon left out as browsers allow.
fn numbered(bytes: &[u8]) -> Option<(Decoded, usize)> {
    let (start, radix) = if matches!(bytes.get(2), Some(b'x' | b'X')) { (3, 16) } else { (2, 10) };
    let is_digit = |byte: &&u8| char::from(**byte).is_digit(radix);
    let length = bytes.get(start..)?.iter().take(16).take_while(is_digit).count();
    let number = character(digits(bytes, start..start + length, radix)?)?;
    let semicolon = usize::from(bytes.get(start + length) == Some(&b';'));
    Some((number, start + length + semicolon))
}

/// The names that HTML gives to ASCII signs.
const NAMED: &[(&str, u8)] = &[
    ("amp", b'&'),
    ("lt", b'<'),
    ("gt", b'>'),
    ("quot", b'"'),
    ("apos", b'\''),
    ("sol", b'/'),
    ("plus", b'+'),
    ("equals", b'='),
    ("colon", b':'),
    ("semi", b';'),
    ("comma", b','),
    ("period", b'.'),
    ("lowbar", b'_'),
    ("num", b'#'),
    ("dollar", b'$'),
    ("percnt", b'%'),
    ("excl", b'!'),
    ("quest", b'?'),
    ("commat", b'@'),
    ("ast", b'*'),
    ("lpar", b'('),
    ("rpar", b')'),
    ("lsqb", b'['),
    ("lbrack", b'['),
    ("rsqb", b']'),
    ("rbrack", b']'),
    ("lcub", b'{'),
    ("lbrace", b'{'),
    ("rcub", b'}'),
    ("rbrace", b'}'),
    ("verbar", b'|'),
    ("vert", b'|'),
    ("bsol", b'\\'),
    ("grave", b'`'),
    ("Hat", b'^'),
    ("AMP", b'&'),
    ("LT", b'<'),
    ("GT", b'>'),
    ("QUOT", b'"'),
    ("Tab", b'\t'),
    ("NewLine", b'\n'),
    ("nbsp", b' '),
];

fn named(bytes: &[u8]) -> Option<(Decoded, usize)> {
    let end = bytes.iter().take(10).position(|byte| *byte == b';')?;
    let name = std::str::from_utf8(bytes.get(1..end)?).ok()?;
    let (_, byte) = NAMED.iter().find(|(known, _)| *known == name)?;
    Some((Decoded::Byte(*byte), end + 1))
}

fn quoted(bytes: &[u8]) -> Option<(Decoded, usize)> {
    match bytes {
        [b'=', b'\r', b'\n', ..] => Some((Decoded::Nothing, 3)),
        [b'=', b'\n', ..] => Some((Decoded::Nothing, 2)),
        [b'=', ..] => Some((Decoded::Byte(u8::try_from(digits(bytes, 1..3, 16)?).ok()?), 3)),
        _ => None,
    }
}

fn folded(bytes: &[u8]) -> Option<(Decoded, usize)> {
    let length = match bytes {
        [b'\r', b'\n', ..] => 2,
        [b'\n', ..] => 1,
        _ => return None,
    };
    let blanks = bytes.iter().skip(length).take_while(|byte| matches!(byte, b' ' | b'\t')).count();
    Some((Decoded::Nothing, length + blanks))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(source: &[u8], escapes: Escapes) -> Option<View> {
        View::of(source, escapes, Readings::of(source))
    }

    fn web_view(source: &[u8]) -> View {
        seen(source, Escapes::Web).unwrap()
    }

    #[test]
    fn each_byte_knows_where_it_stood() {
        let view = web_view(br#"a%2Fb\/c\u0064%zz\n"#);
        assert_eq!(view.bytes, br#"a/b/cd%zz\n"#);
        assert_eq!((0..6).map(|at| view.place(at..at).start).collect::<Vec<_>>(), [0, 1, 4, 5, 7, 8]);
        assert_eq!(view.place(0..view.bytes.len()), 0..19);
        assert!(seen(b"plain", Escapes::Web).is_none() && seen(b"100%", Escapes::Web).is_none());
    }

    #[test]
    fn bytes_and_characters_are_told_apart() {
        assert_eq!(web_view(b"%e9").bytes, b"\xe9");
        assert_eq!(web_view(br"\u00e9").bytes, "é".as_bytes());
    }

    #[test]
    fn every_family_is_taken_off() {
        for (source, escapes, bytes) in [
            (&b"&#65;&#x42;&#0067&sol;&quot;"[..], Escapes::Web, &b"ABC/\""[..]),
            (br"\x41\102\u{43}%u0044\:", Escapes::Web, b"ABCD:"),
            (b"a=41=\r\nb=3D=zz", Escapes::Quoted, b"aAb==zz"),
            (b"a\0b\0", Escapes::Wide, b"ab"),
            (b"ab\r\n  cd\nef", Escapes::Folded, b"abcdef"),
        ] {
            assert_eq!(seen(source, escapes).unwrap().bytes, bytes, "{escapes:?}");
        }
    }
}

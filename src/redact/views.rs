//! Text with its escapes taken off, and where each byte of it stood: percent-encoding and JSON escapes have more
//! spellings than can be listed, and may be nested.

/// How deep escapes are taken off: JSON text in a JSON string, or a target encoded twice.
pub(super) const DEPTH: usize = 3;

/// Bytes without one layer of escapes.
pub(super) struct View {
    pub(super) bytes: Vec<u8>,
    /// The place in the source of each byte, and of the end.
    starts: Vec<usize>,
}

impl View {
    /// `source` without its outermost layer; `None` if nothing in it is escaped.
    pub(super) fn of(source: &[u8]) -> Option<Self> {
        if !source.iter().any(|byte| matches!(byte, b'%' | b'\\')) {
            return None;
        }
        let mut view =
            Self { bytes: Vec::with_capacity(source.len()), starts: Vec::with_capacity(source.len() + 1) };
        let (mut at, mut changed) = (0, false);
        while let Some(byte) = source.get(at) {
            let rest = source.get(at..).unwrap_or_default();
            let (decoded, length) = unescaped(rest).unwrap_or((char::from(*byte), 1));
            changed |= length > 1;
            if length > 1 && !decoded.is_ascii() {
                let mut buffer = [0; 4];
                let text = if byte == &b'%' { None } else { Some(decoded.encode_utf8(&mut buffer)) };
                match text {
                    Some(text) => text.bytes().for_each(|byte| view.push(byte, at)),
                    // A percent-encoded byte stands for itself, not for the character of its number.
                    None => view.push(u8::try_from(u32::from(decoded)).unwrap_or(b'?'), at),
                }
            } else {
                view.push(u8::try_from(u32::from(decoded)).unwrap_or(*byte), at);
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

    /// The places of this view in what `outer` was made from.
    pub(super) fn within(mut self, outer: Option<&Self>) -> Self {
        if let Some(outer) = outer {
            self.starts.iter_mut().for_each(|at| *at = outer.place(*at));
        }
        self
    }

    /// Where the byte at `at` starts in the source.
    pub(super) fn place(&self, at: usize) -> usize {
        self.starts.get(at).or(self.starts.last()).copied().unwrap_or_default()
    }
}

/// What an escape at the start of `bytes` stands for, and its length.
fn unescaped(bytes: &[u8]) -> Option<(char, usize)> {
    let digits = |range: std::ops::Range<usize>| {
        let text = std::str::from_utf8(bytes.get(range)?).ok()?;
        let plain = text.bytes().all(|byte| byte.is_ascii_hexdigit());
        plain.then(|| u32::from_str_radix(text, 16).ok()).flatten()
    };
    match bytes {
        [b'%', ..] => Some((char::from_u32(digits(1..3)?)?, 3)),
        [b'\\', b'u', ..] => Some((char::from_u32(digits(2..6)?)?, 6)),
        [b'\\', escaped @ (b'/' | b'"' | b'\\'), ..] => Some((char::from(*escaped), 2)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_byte_knows_where_it_stood() {
        let view = View::of(br#"a%2Fb\/c\u0064%zz\n"#).unwrap();
        assert_eq!(view.bytes, br#"a/b/cd%zz\n"#);
        assert_eq!((0..6).map(|at| view.place(at)).collect::<Vec<_>>(), [0, 1, 4, 5, 7, 8]);
        assert_eq!(view.place(view.bytes.len()), 19);
        assert!(View::of(b"plain").is_none() && View::of(b"100%").is_none());
    }

    #[test]
    fn a_view_of_a_view_leads_back_to_the_source() {
        let outer = View::of(b"x%252Fy").unwrap();
        let inner = View::of(&outer.bytes).unwrap().within(Some(&outer));
        assert_eq!(inner.bytes, b"x/y");
        assert_eq!((inner.place(1), inner.place(2), inner.place(3)), (1, 6, 7));
    }

    #[test]
    fn bytes_and_characters_are_told_apart() {
        assert_eq!(View::of(b"%e9").unwrap().bytes, b"\xe9");
        assert_eq!(View::of(br"\u00e9").unwrap().bytes, "é".as_bytes());
    }
}

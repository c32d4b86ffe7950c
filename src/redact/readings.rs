//! Which other readings a text can have, told by one pass over its bytes. Most texts have none, and need no more looks.

use std::sync::LazyLock;

use super::coded::RUN_MIN;

/// A digit of base64, in either alphabet.
const BASE64: u8 = 1;
const HEX: u8 = 2;
/// Stands between the digits of a dump, or ends a line of it.
const DUMP: u8 = 4;

static CLASSES: LazyLock<[u8; 256]> = LazyLock::new(|| {
    let mut classes = [0; 256];
    for (byte, class) in (0..=u8::MAX).zip(&mut classes) {
        let is = |found: bool, class: u8| if found { class } else { 0 };
        *class = is(byte.is_ascii_alphanumeric() || b"+/-_".contains(&byte), BASE64)
            | is(byte.is_ascii_hexdigit(), HEX)
            | is(b" :-,\r\n".contains(&byte), DUMP);
    }
    classes
});

/// What a text may hold. What is not set here is not there; what is set may turn out to be nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Readings {
    web: bool,
    quoted: bool,
    zero: bool,
    line_feed: bool,
    pub(super) has_base64: bool,
    pub(super) has_hex: bool,
}

impl Readings {
    pub(super) fn of(bytes: &[u8]) -> Self {
        let classes: &[u8; 256] = &CLASSES;
        Self {
            has_base64: has_run(bytes, classes, BASE64, BASE64),
            // Whatever may stand between the digits of a run is part of it; only what may not ends it.
            has_hex: has_run(bytes, classes, HEX | DUMP, HEX),
            ..Self::of_escapes(bytes)
        }
    }

    /// The same without runs of digits.
    pub(super) fn of_escapes(bytes: &[u8]) -> Self {
        let mut found = Self::default();
        for byte in bytes {
            found.web |= (*byte == b'%') | (*byte == b'\\') | (*byte == b'&');
            found.quoted |= *byte == b'=';
            found.zero |= *byte == 0;
            found.line_feed |= *byte == b'\n';
        }
        found
    }

    /// As if it held everything.
    #[cfg(test)]
    pub(super) fn all() -> Self {
        Self { web: true, quoted: true, zero: true, line_feed: true, has_base64: true, has_hex: true }
    }

    pub(super) fn has_web(self) -> bool {
        self.web
    }

    pub(super) fn has_quoted(self) -> bool {
        self.quoted
    }

    pub(super) fn has_zero(self) -> bool {
        self.zero
    }

    pub(super) fn has_line_feed(self) -> bool {
        self.line_feed
    }

    /// Whether it may be read without some of its bytes.
    pub(super) fn has_breaks(self) -> bool {
        self.quoted || self.zero || self.line_feed
    }

    /// Whether any of its bytes may stand for others, runs of digits apart.
    pub(super) fn has_escapes(self) -> bool {
        self.web || self.has_breaks()
    }

    /// Whether the text can be read in no way but as it stands, and so can each part of it.
    pub(super) fn is_one(self) -> bool {
        !(self.has_escapes() || self.has_base64 || self.has_hex)
    }
}

/// Whether somewhere [`RUN_MIN`] bytes of the class `counted` stand with nothing between them but bytes of `within`. A run
/// of so many bytes holds one of every so many places, so the others are not looked at.
fn has_run(bytes: &[u8], classes: &[u8; 256], within: u8, counted: u8) -> bool {
    let class = |at: usize| {
        bytes.get(at).and_then(|byte| classes.get(usize::from(*byte))).copied().unwrap_or_default()
    };
    let (mut from, mut at) = (0, RUN_MIN - 1);
    while at < bytes.len() {
        if class(at) & within == 0 {
            (from, at) = (at + 1, at + RUN_MIN);
            continue;
        }
        let mut start = at;
        while start > from && class(start - 1) & within != 0 {
            start -= 1;
        }
        let (mut end, mut count) = (start, 0);
        while class(end) & within != 0 {
            count += usize::from(class(end) & counted != 0);
            end += 1;
        }
        if count >= RUN_MIN {
            return true;
        }
        (from, at) = (end + 1, end + RUN_MIN);
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Byte by byte, without leaving one out.
    fn slow_run(bytes: &[u8], within: u8, counted: u8) -> bool {
        let (mut count, mut most) = (0, 0);
        for byte in bytes {
            let class = CLASSES[usize::from(*byte)];
            count = if class & within == 0 { 0 } else { count + usize::from(class & counted != 0) };
            most = count.max(most);
        }
        most >= RUN_MIN
    }

    proptest::proptest! {
        #[test]
        fn a_run_is_seen_wherever_it_begins(text in "(?:[a-f0-9]{1,18}|[A-Za-z0-9+/_-]{1,18}|[ :,-]|[{}\"é.\n]){0,16}") {
            let bytes = text.as_bytes();
            let readings = Readings::of(bytes);
            proptest::prop_assert_eq!(readings.has_base64, slow_run(bytes, BASE64, BASE64));
            proptest::prop_assert_eq!(readings.has_hex, slow_run(bytes, HEX | DUMP, HEX));
        }
    }
}

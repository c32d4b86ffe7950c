//! Which other readings a text can have, told by one pass over its bytes. Most texts have none, and need no more looks.

use std::sync::LazyLock;

use super::coded::RUN_MIN;

/// Begins an escape of the web.
const WEB: u8 = 1;
/// Begins an escape of mail.
const QUOTED: u8 = 2;
const ZERO: u8 = 4;
const LINE_FEED: u8 = 8;
/// A digit of base64, in either alphabet.
const BASE64: u8 = 16;
const HEX: u8 = 32;
/// Stands between the digits of a dump, or ends a line of it.
const DUMP: u8 = 64;

static CLASSES: LazyLock<[u8; 256]> = LazyLock::new(|| {
    let mut classes = [0; 256];
    for (byte, class) in (0..=u8::MAX).zip(&mut classes) {
        let is = |found: bool, class: u8| if found { class } else { 0 };
        *class = is(b"%\\&".contains(&byte), WEB)
            | is(byte == b'=', QUOTED)
            | is(byte == 0, ZERO)
            | is(byte == b'\n', LINE_FEED)
            | is(byte.is_ascii_alphanumeric() || b"+/-_".contains(&byte), BASE64)
            | is(byte.is_ascii_hexdigit(), HEX)
            | is(b" :-,\r\n".contains(&byte), DUMP);
    }
    classes
});

/// What a text may hold. What is not set here is not there; what is set may turn out to be nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Readings {
    held: u8,
    pub(super) has_base64: bool,
    pub(super) has_hex: bool,
}

impl Readings {
    pub(super) fn of(bytes: &[u8]) -> Self {
        let classes: &[u8; 256] = &CLASSES;
        let (mut held, mut digits, mut most, mut dump, mut most_dump) = (0, 0, 0, 0, 0);
        for byte in bytes {
            let class = classes.get(usize::from(*byte)).copied().unwrap_or_default();
            held |= class;
            digits = if class & BASE64 == 0 { 0 } else { digits + 1 };
            most = digits.max(most);
            // Whatever may stand between the digits of a run keeps the count; only what may not ends it.
            dump = if class & (HEX | DUMP) == 0 { 0 } else { dump + usize::from(class & HEX != 0) };
            most_dump = dump.max(most_dump);
        }
        Self { held, has_base64: most >= RUN_MIN, has_hex: most_dump >= RUN_MIN }
    }

    /// As if it held everything.
    #[cfg(test)]
    pub(super) fn all() -> Self {
        Self { held: u8::MAX, has_base64: true, has_hex: true }
    }

    pub(super) fn has_web(self) -> bool {
        self.held & WEB != 0
    }

    pub(super) fn has_quoted(self) -> bool {
        self.held & QUOTED != 0
    }

    pub(super) fn has_zero(self) -> bool {
        self.held & ZERO != 0
    }

    pub(super) fn has_line_feed(self) -> bool {
        self.held & LINE_FEED != 0
    }

    /// Whether the text can be read in no way but as it stands, and so can each part of it.
    pub(super) fn is_one(self) -> bool {
        self.held & (WEB | QUOTED | ZERO | LINE_FEED) == 0 && !self.has_base64 && !self.has_hex
    }
}

//! Bytes of a request target as text, and back, without a loss.
//!
//! Real clients send raw bytes in a target that are no UTF-8 (a Latin-1 `ü`). A target is text everywhere in this
//! project, in a cassette and a ledger too. So each byte that is no part of a character stands for itself as one of 128
//! private characters, U+EF80 to U+EFFF. Where the client sent one of those, or a C1 control, its bytes stand in the
//! same way. Every sequence of bytes has one text, and that text gives back these bytes.

use std::ops::RangeInclusive;

/// The characters that stand for the bytes 0x80 to 0xFF.
const STAND_INS: RangeInclusive<char> = '\u{ef80}'..='\u{efff}';
/// What is added to a byte to get its character.
const OFFSET: u32 = 0xef00;

/// The text of `bytes`.
pub(crate) fn text(bytes: &[u8]) -> String {
    // Nearly every one.
    if let Some(text) = std::str::from_utf8(bytes).ok().filter(|text| text.is_ascii()) {
        return text.to_owned();
    }
    let mut text = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        for character in chunk.valid().chars() {
            if STAND_INS.contains(&character) || matches!(character, '\u{80}'..='\u{9f}') {
                text.extend(character.encode_utf8(&mut [0; 4]).bytes().map(stand_in));
            } else {
                text.push(character);
            }
        }
        text.extend(chunk.invalid().iter().copied().map(stand_in));
    }
    text
}

/// The bytes of `text`.
pub fn bytes(text: &str) -> Vec<u8> {
    // Nearly every target.
    if text.is_ascii() {
        return text.as_bytes().to_vec();
    }
    let mut bytes = Vec::with_capacity(text.len());
    for character in text.chars() {
        if STAND_INS.contains(&character) {
            bytes.extend(u8::try_from(u32::from(character) - OFFSET));
        } else {
            bytes.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
        }
    }
    bytes
}

/// The character of a byte from 0x80 up; others are ASCII and stand for themselves.
fn stand_in(byte: u8) -> char {
    if byte.is_ascii() {
        char::from(byte)
    } else {
        char::from_u32(OFFSET + u32::from(byte)).unwrap_or('\u{fffd}')
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_that_is_utf_8_stays_as_it_is() {
        for plain in
            ["", "/api/x?filter=description=Z\u{fc}rich", "\u{65e5}\u{672c} \u{1f600} \u{e000} \u{f000}"]
        {
            assert_eq!(text(plain.as_bytes()), plain);
            assert_eq!(bytes(plain), plain.as_bytes());
        }
    }

    #[test]
    fn every_sequence_of_bytes_comes_back_and_no_two_share_a_text() {
        let mut seen = std::collections::BTreeMap::new();
        let some =
            [0x00, 0x41, 0x7f, 0x80, 0x85, 0xa9, 0xbe, 0xbf, 0xc2, 0xc3, 0xe0, 0xed, 0xee, 0xef, 0xf0, 0xff];
        for a in some {
            for b in some {
                for c in some {
                    for length in 0..=3 {
                        let sent = [a, b, c][..length].to_vec();
                        let text = text(&sent);
                        assert_eq!(bytes(&text), sent);
                        assert_eq!(*seen.entry(text).or_insert_with(|| sent.clone()), sent);
                    }
                }
            }
        }
    }

    #[test]
    fn nothing_that_is_obeyed_comes_out_of_a_byte_that_is_not() {
        assert_eq!(text(b"Z\xfcrich"), "Z\u{effc}rich");
        assert_eq!(text("\u{85}\u{effc}".as_bytes()), "\u{efc2}\u{ef85}\u{efee}\u{efbf}\u{efbc}");
    }
}

//! What kind of bytes a body is: text of some encoding, text that is compressed, or neither. What is neither cannot be
//! searched for secrets.

use std::borrow::Cow;
use std::io::Read;

use flate2::read::{DeflateDecoder, MultiGzDecoder, ZlibDecoder};

use super::deflate;

/// The most that is unpacked from one body, in bytes.
const UNPACKED_MAX: u64 = 64 * 1024 * 1024;
/// The most that is unpacked for each packed byte: beyond it, it is a bomb.
const RATIO_MAX: u64 = 256;
/// Unpacked in any case, whatever the ratio.
const UNPACKED_MIN: u64 = 64 * 1024;
/// How far into decoded bytes packed ones may begin.
const MISTAKEN_MAX: usize = 64;
/// Packed within packed.
const LAYERS_MAX: usize = 3;

/// How text stands in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Charset {
    Utf8,
    /// One byte for a character, as Latin-1 has it; also stands for every other such set, and for bytes that are no text.
    OneByte,
    /// Two bytes for a character.
    Utf16 {
        big_endian: bool,
    },
}

/// What kind of bytes a body is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Text(Charset),
    Packed,
    /// Neither text nor anything that can be unpacked.
    Opaque,
}

pub(super) fn kind(bytes: &[u8]) -> Kind {
    if let Some(big_endian) = utf16_order(bytes) {
        return Kind::Text(Charset::Utf16 { big_endian });
    }
    if std::str::from_utf8(bytes).is_ok() {
        return Kind::Text(Charset::Utf8);
    }
    if is_packed(bytes) || (bytes.iter().any(is_binary) && unpacked(bytes).is_some()) {
        return Kind::Packed;
    }
    if bytes.iter().any(is_binary) { Kind::Opaque } else { Kind::Text(Charset::OneByte) }
}

/// A control byte that no text has.
fn is_binary(byte: &u8) -> bool {
    byte.is_ascii_control() && !matches!(byte, b'\t' | b'\n' | b'\r' | 0x0b | 0x0c | 0x1b)
}

/// The order of bytes if this is UTF-16 and gives back the same bytes when it is written again.
fn utf16_order(bytes: &[u8]) -> Option<bool> {
    let (pairs, rest) = bytes.as_chunks::<2>();
    if pairs.is_empty() || !rest.is_empty() {
        return None;
    }
    let big_endian = match pairs.first() {
        Some([0xfe, 0xff]) => true,
        Some([0xff, 0xfe]) => false,
        // Without a mark: ASCII text has every second byte zero.
        _ if memchr::memchr(0, bytes).is_none() => return None,
        _ => {
            let high = pairs.iter().filter(|[high, low]| *high == 0 && *low != 0).count() * 10;
            let low = pairs.iter().filter(|[high, low]| *low == 0 && *high != 0).count() * 10;
            if high.max(low) < pairs.len() * 7 {
                return None;
            }
            high > low
        }
    };
    let charset = Charset::Utf16 { big_endian };
    (charset.encode(&charset.decode(bytes)) == bytes).then_some(big_endian)
}

/// As `String::from_utf8_lossy`, which looks at what is well formed bit by bit.
fn text_of(bytes: &[u8]) -> Cow<'_, str> {
    std::str::from_utf8(bytes).map_or_else(|_| String::from_utf8_lossy(bytes), Cow::Borrowed)
}

impl Charset {
    /// The text; of bytes that are no text, each byte as a character.
    pub(super) fn decode(self, bytes: &[u8]) -> Cow<'_, str> {
        match self {
            Self::Utf8 => text_of(bytes),
            Self::OneByte => bytes.iter().map(|byte| char::from(*byte)).collect::<String>().into(),
            Self::Utf16 { big_endian } => {
                let unit = |pair: &[u8; 2]| {
                    if big_endian { u16::from_be_bytes(*pair) } else { u16::from_le_bytes(*pair) }
                };
                let units: Vec<u16> = bytes.as_chunks::<2>().0.iter().map(unit).collect();
                String::from_utf16_lossy(&units).into()
            }
        }
    }

    pub(super) fn encode(self, text: &str) -> Vec<u8> {
        match self {
            Self::Utf8 => text.as_bytes().to_vec(),
            Self::OneByte => text.chars().map(|c| u8::try_from(u32::from(c)).unwrap_or(b'?')).collect(),
            Self::Utf16 { big_endian } => text
                .encode_utf16()
                .flat_map(|unit| if big_endian { unit.to_be_bytes() } else { unit.to_le_bytes() })
                .collect(),
        }
    }
}

fn is_packed(bytes: &[u8]) -> bool {
    match bytes {
        [0x1f, 0x8b, ..] => true,
        [first @ 0x78, second, ..] => (u16::from(*first) * 256 + u16::from(*second)).is_multiple_of(31),
        _ => false,
    }
}

/// What is packed as gzip, zlib or bare deflate, however often; `None` if it is not, or does not end within the limits.
pub(super) fn unpacked(bytes: &[u8]) -> Option<Vec<u8>> {
    let mut inner = once(bytes)?;
    for _ in 1..LAYERS_MAX {
        match once(&inner) {
            Some(further) => inner = further,
            None if is_packed(&inner) => return None,
            None => return Some(inner),
        }
    }
    (!is_packed(&inner)).then_some(inner)
}

/// The same for bytes before which others may stand that were decoded by mistake.
pub(super) fn unpacked_within(bytes: &[u8]) -> Option<Vec<u8>> {
    let near = bytes.get(..bytes.len().min(MISTAKEN_MAX)).unwrap_or_default();
    let starts = memchr::memchr2_iter(0x1f, 0x78, near)
        .filter(|start| *start > 0 && is_packed(bytes.get(*start..).unwrap_or_default()));
    unpacked(bytes).or_else(|| starts.into_iter().find_map(|start| unpacked(bytes.get(start..)?)))
}

fn once(bytes: &[u8]) -> Option<Vec<u8>> {
    match bytes {
        [0x1f, 0x8b, ..] => within(MultiGzDecoder::new(bytes), bytes.len()),
        [0x78, ..] if is_packed(bytes) => within(ZlibDecoder::new(bytes), bytes.len()),
        // Bare deflate has no mark. Text never reads as it by chance: it would have to end well, and be longer.
        _ if !deflate::may_begin(bytes) || std::str::from_utf8(bytes).is_ok() => None,
        _ => within(DeflateDecoder::new(bytes), bytes.len()).filter(|inner| inner.len() > bytes.len() / 2),
    }
}

fn within(from: impl Read, packed: usize) -> Option<Vec<u8>> {
    let max = (packed as u64).saturating_mul(RATIO_MAX).clamp(UNPACKED_MIN, UNPACKED_MAX);
    let mut inner = Vec::new();
    let read = from.take(max + 1).read_to_end(&mut inner).ok()?;
    (read as u64 <= max && read > 0).then_some(inner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use flate2::Compression;
    use flate2::read::{DeflateEncoder, GzEncoder, ZlibEncoder};

    fn all(mut from: impl Read) -> Vec<u8> {
        let mut bytes = Vec::new();
        from.read_to_end(&mut bytes).unwrap();
        bytes
    }

    #[test]
    fn kinds_are_told_apart() {
        for charset in [Charset::Utf16 { big_endian: true }, Charset::Utf16 { big_endian: false }] {
            for text in ["{\"a\":\"é\"}", "\u{feff}plain"] {
                let bytes = charset.encode(text);
                assert_eq!(kind(&bytes), Kind::Text(charset));
                assert_eq!(charset.decode(&bytes), text);
            }
        }
        assert_eq!(kind("é{}".as_bytes()), Kind::Text(Charset::Utf8));
        assert_eq!(kind(b"Z\xfcrich"), Kind::Text(Charset::OneByte));
        assert_eq!(kind(b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\xff"), Kind::Opaque);
        assert_eq!(kind(b"PK\x03\x04\x14\0\x08\x08\xc9\xd0"), Kind::Opaque);
    }

    #[test]
    fn what_is_packed_is_unpacked_within_limits() {
        let text = b"some text, and some text, and some text again".as_slice();
        let gzip = all(GzEncoder::new(text, Compression::default()));
        for packed in [
            gzip.clone(),
            all(ZlibEncoder::new(text, Compression::fast())),
            all(DeflateEncoder::new(text, Compression::best())),
            all(GzEncoder::new(&gzip[..], Compression::default())),
        ] {
            assert_eq!(kind(&packed), Kind::Packed);
            assert_eq!(unpacked(&packed).as_deref(), Some(text));
        }
        let bomb = all(GzEncoder::new(&vec![0; 4 * 1024 * 1024][..], Compression::best()));
        assert_eq!((kind(&bomb), unpacked(&bomb)), (Kind::Packed, None));
        assert_eq!(unpacked(gzip.get(..20).unwrap()), None, "what is cut short is not known");
    }
}

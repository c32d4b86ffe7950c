//! Whether bytes can be bare deflate (RFC 1951), which has no mark. Most bytes cannot, and a look at the first of them
//! says so at a thousandth of what it costs to unpack them.

use super::EVERYWHERE_MIN_BYTES;

/// So many symbols are read. Of bytes that are no deflate hardly any get so far.
const SYMBOLS: u32 = 24;

/// Whether the first block can be one of deflate.
pub(super) fn may_begin(bytes: &[u8]) -> bool {
    let mut first = [0; 16];
    for (place, byte) in first.iter_mut().zip(bytes) {
        *place = *byte;
    }
    let bits = u128::from_le_bytes(first);
    let part = |from: u32, length: u32| (bits >> from) & ((1 << length) - 1);
    match part(1, 2) {
        // Stored: a length and its complement.
        0 => part(8, 16) == !part(24, 16) & 0xffff,
        1 => bytes.len() >= EVERYWHERE_MIN_BYTES && Bits { bytes, at: 3 }.are_of_the_fixed_code(),
        // Codes of its own: their lengths must fill the code they are told in.
        2 if part(3, 5) > 29 || part(8, 5) > 29 => false,
        2 => {
            let lengths =
                (0..part(13, 4) as u32 + 4).map(|n| part(17 + 3 * n, 3)).filter(|length| *length > 0);
            let filled: u128 = lengths.clone().map(|length| 128 >> length).sum();
            filled == 128 || lengths.count() == 1
        }
        _ => false,
    }
}

/// What a symbol stands for.
enum Symbol {
    Literal,
    /// So many bytes from so far back.
    Copy {
        length: u32,
        distance: u32,
    },
    End,
}

struct Bits<'b> {
    bytes: &'b [u8],
    at: usize,
}

impl Bits<'_> {
    fn bit(&mut self) -> Option<u32> {
        let byte = *self.bytes.get(self.at / 8)?;
        let bit = byte >> (self.at % 8) & 1;
        self.at += 1;
        Some(u32::from(bit))
    }

    /// Numbers come with their lowest bit first ...
    fn number(&mut self, length: u32) -> Option<u32> {
        (0..length).try_fold(0, |number, n| Some(number | self.bit()? << n))
    }

    /// ... and codes with their highest.
    fn code(&mut self, length: u32) -> Option<u32> {
        (0..length).try_fold(0, |code, _| Some(code << 1 | self.bit()?))
    }

    /// Whether the first symbols can be read, and none of them points back to before the start.
    fn are_of_the_fixed_code(mut self) -> bool {
        let mut produced = 0;
        for _ in 0..SYMBOLS {
            produced += match self.symbol() {
                Some(Symbol::Literal) => 1,
                Some(Symbol::Copy { length, distance }) if distance <= produced => length,
                Some(Symbol::End) => return true,
                Some(Symbol::Copy { .. }) | None => return false,
            };
        }
        true
    }

    /// Section 3.2.6: codes of seven bits are those of copies, of eight and nine mostly those of literals.
    fn symbol(&mut self) -> Option<Symbol> {
        let seven = self.code(7)?;
        if seven < 24 {
            return if seven == 0 { Some(Symbol::End) } else { self.copy(256 + seven) };
        }
        match seven << 1 | self.bit()? {
            eight @ 0xc0..0xc8 => self.copy(280 + eight - 0xc0),
            eight if eight < 0xc0 => Some(Symbol::Literal),
            _ => self.bit().map(|_| Symbol::Literal),
        }
    }

    /// Section 3.2.5: a length and a distance, each with bits of its own behind its code.
    fn copy(&mut self, symbol: u32) -> Option<Symbol> {
        let length = match symbol {
            257..265 => symbol - 254,
            265..285 => {
                let extra = (symbol - 261) / 4;
                (((symbol - 261) % 4 + 4) << extra) + 3 + self.number(extra)?
            }
            285 => 258,
            _ => return None,
        };
        let distance = match self.code(5)? {
            near @ 0..4 => near + 1,
            far @ 4..30 => {
                let extra = far / 2 - 1;
                ((2 + far % 2) << extra) + 1 + self.number(extra)?
            }
            _ => return None,
        };
        Some(Symbol::Copy { length, distance })
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use flate2::Compression;
    use flate2::read::DeflateEncoder;

    use super::*;

    fn packed(text: &[u8], level: u32) -> Vec<u8> {
        let mut bytes = Vec::new();
        DeflateEncoder::new(text, Compression::new(level)).read_to_end(&mut bytes).unwrap();
        bytes
    }

    #[test]
    fn whatever_is_bare_deflate_begins_like_it() {
        let mut stream = crate::seed::Seed(7).stream(&["deflate"]);
        for n in 0..600_usize {
            let letters = 2 + n % 60;
            let text: Vec<u8> = (0..8 + n * 3).map(|_| b'A' + stream.below(letters as u64) as u8).collect();
            for level in [0, 1, 6, 9] {
                let packed = packed(&text, level);
                assert!(may_begin(&packed), "{packed:?}");
            }
        }
        let random = (0..4_000).filter(|_| {
            let bytes: Vec<u8> = (0..24).map(|_| stream.below(256) as u8).collect();
            may_begin(&bytes)
        });
        let taken = random.count();
        assert!(taken < 120, "next to nothing gets by: {taken}");
    }
}

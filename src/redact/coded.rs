//! Runs of base64 and hexadecimal digits within a text, and what they stand for.

use std::ops::Range;

use super::readings::Readings;

/// The shortest run that is decoded, in digits; shorter spellings of a known value are searched for as they are.
pub(super) const RUN_MIN: usize = 16;
/// Lines of base64 are at least so long where a run goes on in the next line.
const LINE_MIN: usize = 56;

/// A run of digits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Run {
    pub(super) at: Range<usize>,
    is_hex: bool,
}

/// Every run that is long enough. A run of hexadecimal digits is one of base64 as well, and comes as both.
pub(super) fn runs(bytes: &[u8], readings: Readings) -> Vec<Run> {
    let mut all = Vec::new();
    if readings.has_base64 {
        collect(bytes, is_base64, LINE_MIN, &mut |at| all.push(Run { at, is_hex: false }));
    }
    if readings.has_hex {
        collect(bytes, u8::is_ascii_hexdigit, 1, &mut |at| all.push(Run { at, is_hex: true }));
    }
    all
}

/// Whether a run is among these, which are all of a text and in its order, those of one kind after those of the other.
pub(super) fn holds(runs: &[Run], run: &Run) -> bool {
    let place = |run: &Run| (run.is_hex, run.at.start);
    runs.binary_search_by_key(&place(run), place).is_ok_and(|found| runs.get(found) == Some(run))
}

/// Whether a run of hexadecimal digits goes on over signs that stand between tokens of JSON, too: two tokens may share it.
pub(super) fn has_shared_run(bytes: &[u8], readings: Readings) -> bool {
    let is_sign = |byte: &u8| !byte.is_ascii_hexdigit();
    let is_shared =
        |run: &Run| run.is_hex && bytes.get(run.at.clone()).unwrap_or_default().iter().any(is_sign);
    readings.has_hex && runs(bytes, readings).iter().any(is_shared)
}

fn is_base64(byte: &u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'-' | b'_')
}

/// Runs of digits, with what may stand between them: line breaks after `line_min` digits at least; between pairs of
/// hexadecimal digits also the signs that dumps have there.
fn collect(bytes: &[u8], is_digit: impl Fn(&u8) -> bool, line_min: usize, put: &mut dyn FnMut(Range<usize>)) {
    let is_dump = line_min == 1;
    let mut at = 0;
    while let Some(found) = bytes.get(at..).and_then(|rest| rest.iter().position(&is_digit)) {
        let start = at + found;
        let (mut end, mut digits, mut line) = (start, 0, 0);
        let mut next = start;
        while let Some(byte) = bytes.get(next) {
            if is_digit(byte) {
                (digits, line) = (digits + 1, line + 1);
                next += 1;
                end = next;
            } else if is_dump && line == 2 && b" :-,".contains(byte)
                || matches!(byte, b'\r' | b'\n') && line >= line_min
            {
                next += 1;
                if !matches!(bytes.get(next), Some(b'\r' | b'\n' | b' ')) {
                    line = 0;
                }
            } else {
                break;
            }
        }
        if digits >= RUN_MIN {
            put(start..end);
        }
        at = end.max(start + 1);
    }
}

impl Run {
    /// The same kind of run at another place.
    pub(super) fn moved_to(&self, at: Range<usize>) -> Self {
        Self { at, is_hex: self.is_hex }
    }

    /// What the run stands for, from each digit it could begin at.
    pub(super) fn decoded(&self, bytes: &[u8]) -> impl Iterator<Item = Vec<u8>> {
        let digits = bytes.get(self.at.clone()).unwrap_or_default().iter().copied();
        let mut values = Vec::with_capacity(self.at.len());
        let is_hex = self.is_hex;
        if is_hex {
            values.extend(digits.filter(u8::is_ascii_hexdigit));
        } else {
            values.extend(digits.filter_map(value));
        }
        (0..if is_hex { 2 } else { 4 }).map(move |from| {
            let part = values.get(from..).unwrap_or_default();
            if is_hex { unhex(part) } else { unbase64(part) }
        })
    }
}

/// What a digit of base64 stands for, in either alphabet.
fn value(digit: u8) -> Option<u8> {
    Some(match digit {
        b'A'..=b'Z' => digit - b'A',
        b'a'..=b'z' => digit - b'a' + 26,
        b'0'..=b'9' => digit - b'0' + 52,
        b'+' | b'-' => 62,
        b'/' | b'_' => 63,
        _ => return None,
    })
}

/// What digits stand for, by their values; bits at the end that make no byte are left out.
fn unbase64(digits: &[u8]) -> Vec<u8> {
    let (fours, rest) = digits.as_chunks::<4>();
    let mut bytes = Vec::with_capacity(digits.len() / 4 * 3 + 2);
    for [a, b, c, d] in fours {
        bytes.extend_from_slice(&[a << 2 | b >> 4, b << 4 | c >> 2, c << 6 | d]);
    }
    match rest {
        [a, b] => bytes.push(a << 2 | b >> 4),
        [a, b, c] => bytes.extend_from_slice(&[a << 2 | b >> 4, b << 4 | c >> 2]),
        _ => {}
    }
    bytes
}

fn unhex(digits: &[u8]) -> Vec<u8> {
    let value =
        |digit: u8| char::from(digit).to_digit(16).and_then(|value| u8::try_from(value).ok()).unwrap_or(0);
    digits.as_chunks::<2>().0.iter().map(|[high, low]| value(*high) * 16 + value(*low)).collect()
}

#[cfg(test)]
mod tests {
    use base64::Engine;
    use base64::alphabet::STANDARD;
    use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

    use super::*;

    fn found(bytes: &[u8]) -> Vec<Run> {
        runs(bytes, Readings::of(bytes))
    }

    #[test]
    fn a_run_is_held_by_all_the_runs_of_its_text_and_no_other_one_is() {
        let all = found(b"0123456789abcdef0123 QUJDREVGR0hJSktMTU5PUFFS fedcba9876543210 ghijklmnopqrstuvwx");
        assert!(all.len() > 5 && all.iter().all(|run| holds(&all, run)), "{all:?}");
        let others = all.iter().flat_map(|run| {
            let Range { start, end } = run.at;
            [
                run.moved_to(start..end - 1),
                run.moved_to(start + 1..end),
                Run { is_hex: !run.is_hex, ..run.clone() },
            ]
        });
        let held = others.filter(|other| holds(&all, other) && !all.contains(other)).count();
        assert_eq!(held, 0);
    }

    proptest::proptest! {
        #[test]
        fn base64_is_decoded_as_everybody_does(text in "[A-Za-z0-9+/]{0,40}") {
            let engine = GeneralPurpose::new(
                &STANDARD,
                GeneralPurposeConfig::new()
                    .with_decode_allow_trailing_bits(true)
                    .with_decode_padding_mode(DecodePaddingMode::Indifferent),
            );
            let whole = if text.len() % 4 == 1 { text.len() - 1 } else { text.len() };
            let values = |text: &str| text.bytes().filter_map(value).collect::<Vec<u8>>();
            proptest::prop_assert_eq!(unbase64(&values(&text)), engine.decode(&text[..whole]).unwrap());
            proptest::prop_assert_eq!(values(&text.replace('+', "-").replace('/', "_")), values(&text));
        }

        #[test]
        fn no_run_is_passed_over(
            text in "(?:[0-9a-f]{1,3}[ :,\r\n-]?|[A-Za-z0-9+/_-]{1,20}|[A-Za-z0-9]{50,70}\r?\n|[ -~é]){0,30}",
        ) {
            let all = Readings::all();
            proptest::prop_assert_eq!(found(text.as_bytes()), runs(text.as_bytes(), all));
        }
    }

    #[test]
    fn runs_are_decoded_from_wherever_they_begin() {
        let inner = "eyJ0b2tlbiI6ImFiY2RlZmdoIn0";
        let text = format!("x={inner}== and 61 62:63-64 65,66 67 68 69");
        let decoded: Vec<Vec<u8>> =
            found(text.as_bytes()).iter().flat_map(|run| run.decoded(text.as_bytes())).collect();
        assert!(decoded.iter().any(|bytes| bytes.starts_with(br#"{"token":"abcdefgh"}"#)), "{decoded:?}");
        assert!(decoded.contains(&b"abcdefghi".to_vec()), "{decoded:?}");
    }

    #[test]
    fn base64_goes_on_over_long_lines_only() {
        let long = format!("{}\r\n{}\n", "A".repeat(76), "B".repeat(20));
        assert_eq!(found(long.as_bytes())[0].at, 0..98);
        assert!(found(b"short\nwords\nin\nlines").is_empty());
    }
}

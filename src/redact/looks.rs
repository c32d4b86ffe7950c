//! Whether a value looks like a secret, or like an ordinary word, a path or a date that stands in many other places.

use super::EVERYWHERE_MIN_BYTES;
use super::names;

/// A cookie that is called nothing like a credential is a secret from this length on, in bytes.
const COOKIE_MIN_BYTES: usize = 12;
/// The longest single word, in letters, that is taken for one.
const WORD_MAX: usize = 20;
/// So many different bytes at least: `********` and `00000000` stand for nothing.
const DIFFERENT_MIN: usize = 4;
/// So many consonants in a row are no word of any language written here.
const CONSONANTS_MAX: usize = 6;

/// Whether a value from a place that holds credentials is replaced wherever else it stands: at least
/// [`EVERYWHERE_MIN_BYTES`] long, and no ordinary word, identifier or path. It is replaced in its own place anyway.
pub(super) fn everywhere(value: &[u8]) -> bool {
    value.len() >= EVERYWHERE_MIN_BYTES
        && !names::is_of_ours(value)
        && different(value) >= DIFFERENT_MIN
        && !is_vocabulary(value)
}

/// Whether a value looks like a secret by itself: letters and digits mixed, or letters that form no word.
pub(super) fn secret(value: &[u8]) -> bool {
    everywhere(value) && !is_measure(value) && !is_words(value)
}

/// The same for a cookie, most of which hold a view or a time.
pub(super) fn secret_cookie(value: &[u8]) -> bool {
    value.len() >= COOKIE_MIN_BYTES && secret(value)
}

fn different(value: &[u8]) -> usize {
    let mut seen = [false; 256];
    value.iter().for_each(|byte| {
        if let Some(place) = seen.get_mut(usize::from(*byte)) {
            *place = true;
        }
    });
    seen.iter().filter(|seen| **seen).count()
}

/// One word (`offenses`, `COMPLETED`), an identifier (`start_time`), a path (`/api/siem/offenses`).
fn is_vocabulary(value: &[u8]) -> bool {
    value.split(|byte| b"_/.".contains(byte)).all(|part| part.is_empty() || is_word(part))
}

/// Words with anything between them: `two offenses seen`, `dark-mode`.
fn is_words(value: &[u8]) -> bool {
    value.split(|byte| !byte.is_ascii_alphanumeric()).all(|part| part.is_empty() || is_word(part))
}

/// Letters in a case that words have, and with vowels.
fn is_word(part: &[u8]) -> bool {
    let Some((first, rest)) = part.split_first() else { return false };
    let cased = part.iter().all(u8::is_ascii_uppercase)
        || (first.is_ascii_alphabetic() && rest.iter().all(u8::is_ascii_lowercase));
    let humps = part.iter().filter(|byte| byte.is_ascii_uppercase()).count() * 4 < part.len();
    let is_vowel = |byte: &u8| b"aeiouyAEIOUY".contains(byte);
    let consonants = part.split(is_vowel).map(<[u8]>::len).max().unwrap_or_default();
    part.len() <= WORD_MAX
        && part.iter().all(u8::is_ascii_alphabetic)
        && (cased || humps)
        && consonants <= CONSONANTS_MAX
}

/// A number, a date, a version, an address: digits with signs between them.
fn is_measure(value: &[u8]) -> bool {
    value.iter().all(|byte| byte.is_ascii_digit() || b" .:-+/TZ,%".contains(byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ordinary_words_are_told_from_secrets() {
        for ordinary in [
            "offenses",
            "administrator",
            "COMPLETED",
            "PARTIALLY_COMPLETE",
            "start_time",
            "/api/siem/offenses",
            "startTime",
            "********",
            "00000000",
            "short1",
            "fd-secret-1",
            "default.view.name",
        ] {
            assert!(!everywhere(ordinary.as_bytes()), "{ordinary}");
        }
        for secret in [
            "Sommer-2031!",
            "5f0c7a1e-9d3b-4c22-8f10-aa12bb34cc56",
            "any-token-of-mine",
            "c4n4ry/x",
            "kXqPzRtWvB",
            "12345678",
            "correct horse battery",
            "b7x9b7x9",
        ] {
            assert!(everywhere(secret.as_bytes()), "{secret}");
        }
    }

    #[test]
    fn a_cookie_is_a_secret_only_if_it_looks_like_one() {
        for ordinary in
            ["dark-mode-theme", "1700000000000", "2024-01-01T00:00:00Z", "two offenses seen", "a1b2c3d4"]
        {
            assert!(!secret_cookie(ordinary.as_bytes()), "{ordinary}");
        }
        assert!(secret_cookie(b"0000hQ7xLm2:-1") && secret_cookie(b"5f0c7a1e-9d3b-4c22"));
    }
}

//! Fresh ids for things that are created again: of the recorded shape, drawn from the seed.

use crate::seed::Stream;

/// Draws for one id. Short ones have little room; one that finds none becomes longer.
const DRAWS_MAX: usize = 64;

/// Where a uuid has its version and its variant.
const UUID_KEPT: [usize; 2] = [14, 19];

/// A text of the same length and alphabet as a recorded id, which nobody has: a uuid for a uuid, of the same version.
pub(super) fn text(recorded: &str, stream: &mut Stream, is_taken: impl Fn(&str) -> bool) -> String {
    let is_uuid = is_uuid(recorded);
    let mut drawn = String::new();
    for _ in 0..DRAWS_MAX {
        let is_hex = recorded.bytes().all(|byte| !byte.is_ascii_alphabetic() || byte.is_ascii_hexdigit());
        let draw = |(place, char): (usize, char)| match is_uuid {
            true if UUID_KEPT.contains(&place) || char == '-' => char,
            true => {
                from(stream, if char.is_ascii_uppercase() { "0123456789ABCDEF" } else { "0123456789abcdef" })
            }
            false => like(stream, char, place, is_hex),
        };
        drawn = recorded.chars().enumerate().map(draw).collect();
        if !is_taken(&drawn) {
            return drawn;
        }
    }
    let more = (1_usize..).map(|n| format!("{drawn}{n}")).find(|longer| !is_taken(longer));
    more.unwrap_or(drawn)
}

fn is_uuid(text: &str) -> bool {
    text.len() == 36
        && text.bytes().enumerate().all(|(place, byte)| match place {
            8 | 13 | 18 | 23 => byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        })
}

/// A letter for a letter and a digit for a digit; a number keeps its length, so it does not begin with a zero.
fn like(stream: &mut Stream, char: char, place: usize, is_hex: bool) -> char {
    match char {
        '1'..='9' if place == 0 => from(stream, "123456789"),
        '0'..='9' => from(stream, "0123456789"),
        'a'..='f' if is_hex => from(stream, "abcdef"),
        'A'..='F' if is_hex => from(stream, "ABCDEF"),
        'a'..='z' => from(stream, "abcdefghijklmnopqrstuvwxyz"),
        'A'..='Z' => from(stream, "ABCDEFGHIJKLMNOPQRSTUVWXYZ"),
        other => other,
    }
}

fn from(stream: &mut Stream, letters: &str) -> char {
    let place = usize::try_from(stream.below(letters.len() as u64)).unwrap_or_default();
    letters.as_bytes().get(place).map_or('0', |byte| char::from(*byte))
}

/// `text` with `to` in the place of `from`, wherever that stands as a whole word; `None` if it does not.
pub(super) fn put_word(text: &str, from: &str, to: &str) -> Option<String> {
    let is_part =
        |char: Option<char>| char.is_some_and(|char| char.is_alphanumeric() || matches!(char, '_' | '-'));
    let mut out = String::new();
    let mut done = 0;
    for (at, _) in text.match_indices(from) {
        let (before, after) = (text.get(..at)?, text.get(at + from.len()..)?);
        // `%2F` before a word is no part of it.
        let is_escaped = before.len() >= 3 && before.as_bytes().get(before.len() - 3) == Some(&b'%');
        if (is_part(before.chars().next_back()) && !is_escaped) || is_part(after.chars().next()) {
            continue;
        }
        out.push_str(text.get(done..at)?);
        out.push_str(to);
        done = at + from.len();
    }
    if done == 0 {
        return None;
    }
    out.push_str(text.get(done..)?);
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::seed::Seed;

    fn fresh(recorded: &str) -> String {
        text(recorded, &mut Seed(1).stream(&["x"]), |drawn| drawn == recorded)
    }

    #[test]
    fn a_fresh_id_has_the_shape_of_the_recorded_one() {
        let uuid = "0a1b2c3d-0000-4000-8000-00000000000f";
        let drawn = fresh(uuid);
        assert!(is_uuid(&drawn) && drawn != uuid, "{drawn}");
        assert_eq!((&drawn[14..15], &drawn[19..20]), ("4", "8"));
        assert_eq!(drawn, drawn.to_lowercase());
        for recorded in ["s16:SearchId_7", "12345", "deadBEEF01", "größe-1", "a"] {
            let drawn = fresh(recorded);
            assert_ne!(drawn, recorded);
            let shape = |text: &str| -> Vec<(bool, bool, bool)> {
                text.chars()
                    .map(|c| (c.is_ascii_digit(), c.is_ascii_lowercase(), c.is_ascii_uppercase()))
                    .collect()
            };
            assert_eq!(shape(&drawn), shape(recorded), "{drawn}");
        }
        assert!(fresh("deadBEEF01").bytes().all(|byte| byte.is_ascii_hexdigit()));
        assert_eq!(fresh("12345"), fresh("12345"), "the seed decides");
    }

    #[test]
    fn an_id_without_room_becomes_longer() {
        let taken = |drawn: &str| drawn.len() < 3;
        let drawn = text("-", &mut Seed(1).stream(&["x"]), taken);
        assert_eq!(drawn, "-10");
    }

    #[test]
    fn a_word_is_replaced_where_it_stands_alone() {
        let put = |text| put_word(text, "abc", "xyz");
        assert_eq!(
            put(r#"{"a":"abc","b":"abcd","c":"/s/abc/r","d":"x-abc"}"#).unwrap(),
            r#"{"a":"xyz","b":"abcd","c":"/s/xyz/r","d":"x-abc"}"#
        );
        assert_eq!(put("?q=%22abc%22").unwrap(), "?q=%22xyz%22");
        assert_eq!(put("nothing"), None);
    }
}

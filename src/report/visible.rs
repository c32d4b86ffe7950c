//! Text from outside, made safe to show.

use std::borrow::Cow;

/// `text` with every character that a terminal, an editor or an XML parser would obey instead of show spelt out:
/// `\t`, `\n`, `\r`, else `\u{1b}`.
///
/// That is: control characters (C0, DEL, C1), line and paragraph separators, marks that turn the writing direction
/// or have no width, private characters (they stand for bytes that are no text), and the two code points that are not
/// characters. All other text is left as it is.
pub fn visible(text: &str) -> Cow<'_, str> {
    if !text.chars().any(is_obeyed) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len() + 16);
    for character in text.chars() {
        if is_obeyed(character) {
            shown.extend(character.escape_default());
        } else {
            shown.push(character);
        }
    }
    Cow::Owned(shown)
}

/// The most of a message that is shown, in characters, and how much of that is its end.
const BRIEF_MAX: usize = 1_200;
const BRIEF_END: usize = 200;

/// As [`visible`], and short enough to read: a message may repeat a name or a number of ten million characters from the
/// file it is about. Its end stays, because the place or the fix stands there.
pub fn brief(text: &str) -> Cow<'_, str> {
    let count = text.chars().count();
    if count <= BRIEF_MAX {
        return visible(text);
    }
    let begin: String = text.chars().take(BRIEF_MAX - BRIEF_END).collect();
    let end: String = text.chars().skip(count - BRIEF_END).collect();
    Cow::Owned(format!("{}[{} characters left out]{}", visible(&begin), count - BRIEF_MAX, visible(&end)))
}

/// Whether a character acts on what shows it.
pub(super) fn is_obeyed(character: char) -> bool {
    character.is_control()
        || matches!(character,
            '\u{061c}'
            | '\u{200b}'..='\u{200f}'
            | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}'
            | '\u{e000}'..='\u{f8ff}'
            | '\u{feff}'
            | '\u{fffe}'
            | '\u{ffff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_text_is_not_touched() {
        assert!(matches!(visible("caf\u{e9} \u{65e5}\u{672c} {\"id\": 1}"), Cow::Borrowed(_)));
    }

    #[test]
    fn a_long_message_keeps_its_beginning_and_its_end() {
        assert_eq!(brief("unknown key"), "unknown key");
        let shown = brief(&format!("unknown key {}\u{e9}\n, at line 7", "k".repeat(1_000_000))).into_owned();
        assert!(shown.starts_with("unknown key kkk") && shown.ends_with("\u{e9}\\n, at line 7"), "{shown}");
        assert!(shown.contains("characters left out") && shown.chars().count() < 1_300);
    }

    #[test]
    fn what_a_terminal_would_obey_is_spelt_out() {
        assert_eq!(visible("\u{1b}[31mred\u{7}"), "\\u{1b}[31mred\\u{7}");
        assert_eq!(visible("a\nb\rc\td"), "a\\nb\\rc\\td");
        assert_eq!(visible("\u{9b}2J\u{7f}\u{202e}txt\u{ffff}"), "\\u{9b}2J\\u{7f}\\u{202e}txt\\u{ffff}");
    }
}

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
    fn what_a_terminal_would_obey_is_spelt_out() {
        assert_eq!(visible("\u{1b}[31mred\u{7}"), "\\u{1b}[31mred\\u{7}");
        assert_eq!(visible("a\nb\rc\td"), "a\\nb\\rc\\td");
        assert_eq!(visible("\u{9b}2J\u{7f}\u{202e}txt\u{ffff}"), "\\u{9b}2J\\u{7f}\\u{202e}txt\\u{ffff}");
    }
}

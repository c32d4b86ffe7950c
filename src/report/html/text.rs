//! Text from a ledger, made harmless in a page.

use super::super::visible;

/// How long a line gets, in bytes.
const LINE_MAX: usize = 8 * 1024;

/// A text on one line, as a page shows it: nothing in it is markup, and nothing turns the writing direction.
///
/// What is longer than anybody reads is cut: a name may be as long as a ledger.
pub(super) fn escaped(text: &str) -> String {
    let left = text.len().saturating_sub(LINE_MAX);
    if left > 0 {
        return format!("{} ... ({left} bytes more)", escaped(beginning(text, LINE_MAX)));
    }
    let mut shown = String::with_capacity(text.len() + 16);
    for character in visible(text).chars() {
        match character {
            '&' => shown.push_str("&amp;"),
            '<' => shown.push_str("&lt;"),
            '>' => shown.push_str("&gt;"),
            '"' => shown.push_str("&quot;"),
            '\'' => shown.push_str("&#39;"),
            other => shown.push(other),
        }
    }
    shown
}

/// The same for a text that may keep its lines.
pub(super) fn lines_of(text: &str) -> String {
    text.split('\n').map(|line| escaped(line.trim_end_matches('\r'))).collect::<Vec<_>>().join("\n")
}

/// The beginning of a text, in bytes at most so long.
pub(super) fn beginning(text: &str, most: usize) -> &str {
    let end = (0..=most.min(text.len())).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
    text.get(..end).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_of_a_text_is_markup_and_nothing_is_endless() {
        let shown = escaped("<script>\"'&\u{202e}\n</pre>]]>");
        assert_eq!(shown, "&lt;script&gt;&quot;&#39;&amp;\\u{202e}\\n&lt;/pre&gt;]]&gt;");
        assert_eq!(lines_of("a\r\n<b"), "a\n&lt;b");
        assert!(escaped(&"\u{e9}".repeat(100_000)).len() < 9_000);
        assert_eq!(beginning("\u{e9}x", 1), "");
    }
}

//! Secrets that somebody put into a settings file: they are refused, and never shown.

use crate::redact::is_credential_name;

/// The text with every value blotted out that stands under the name of a credential, and nothing else moved: what is shown
/// of the file shows none of them. What is between quotes stays a text.
pub(super) fn blotted(text: &str) -> String {
    text.split_inclusive('\n').map(line).collect()
}

fn line(line: &str) -> String {
    let value = line.match_indices('=').find(|(at, _)| {
        let before = line.get(..*at).unwrap_or_default().trim_end().trim_end_matches(['"', '\'']);
        let of_name = |letter: char| letter.is_alphanumeric() || matches!(letter, '_' | '-');
        let start = before.rfind(|letter| !of_name(letter));
        let name = start.map_or(before, |start| before.get(start..).unwrap_or_default());
        is_credential_name(name.trim_start_matches(|letter| !of_name(letter)))
    });
    let Some((before, value)) = value.and_then(|(at, _)| line.split_at_checked(at)) else {
        return line.to_owned();
    };
    let blot = |letter: char| match letter {
        letter if letter.is_ascii_digit() => "1".to_owned(),
        // As many bytes as before: nothing moves.
        letter if letter.is_alphanumeric() => "x".repeat(letter.len_utf8()),
        '\\' => "x".to_owned(),
        letter => letter.to_string(),
    };
    before.to_owned() + &value.chars().map(blot).collect::<String>()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stands_under_the_name_of_a_credential_is_blotted_out_in_place() {
        for (text, blotted_out) in [
            ("sec = \"abc-1\"\njobs = 2\n", "sec = \"xxx-1\"\njobs = 2\n"),
            ("a = { api_key = 'S\u{e9}c\\ret' }\n", "a = { api_key = 'xxxxxxxx' }\n"),
            ("\"password\" = \"open\n", "\"password\" = \"xxxx\n"),
            ("[run]\nseeds = 50 # sec\n", "[run]\nseeds = 50 # sec\n"),
        ] {
            assert_eq!(blotted(text), blotted_out);
            assert_eq!(blotted(text).len(), text.len());
        }
    }
}

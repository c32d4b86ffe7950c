//! A cassette that is laid out as faultdeck lays it out is cut into what is around its interactions and these, a large
//! one in parts that are read in parallel.
//!
//! Nothing is taken on trust. What is around the interactions is read as a cassette without any, and each interaction by
//! itself, as strictly as in one piece: put together with commas they are the text, so the text is valid, too. Line feeds
//! stand in no JSON string, so a place that looks like the end of an interaction is one or makes a piece that cannot be
//! read; then the file is read in one piece, which finds what is wrong, and where.

use memchr::memmem::Finder;

use super::facts::threads;

/// A shorter text is not worth a second thread.
const TEXT_MIN: usize = 512 * 1024;

/// What stands before the first interaction, between two, and behind the last.
pub(super) const FIRST: &str = "\"interactions\": [\n    {";
const BETWEEN: &str = "\n    },\n    {";
const LAST: &str = "\n    }\n  ]\n}";
/// How much of [`BETWEEN`] and [`LAST`] belongs to the interaction before, and where the next one begins.
const ENDS_AFTER: usize = "\n    }".len();
const BEGINS_AFTER: usize = "\n    },\n    ".len();

/// A cassette's text, cut.
pub(super) struct Cut<'t> {
    /// The text without interactions.
    pub(super) around: String,
    /// Interactions, with a comma, a line feed and four blanks between two of a part.
    pub(super) parts: Vec<&'t str>,
}

/// One part of a short text, of a longer one as many as there are processors; `None` where none is found.
pub(super) fn cut(text: &str) -> Option<Cut<'_>> {
    cut_into(text, if text.len() < TEXT_MIN { 1 } else { threads() })
}

fn cut_into(text: &str, many: usize) -> Option<Cut<'_>> {
    let from = text.find(FIRST)? + FIRST.len() - 1;
    let to = text.rfind(LAST)? + ENDS_AFTER;
    let middle = text.get(from..to)?;
    let between = Finder::new(BETWEEN);
    let mut parts = Vec::with_capacity(many);
    let mut begin = 0;
    for part in 1..many {
        let about = (middle.len() / many * part).max(begin);
        let Some(found) = middle.as_bytes().get(about..).and_then(|rest| between.find(rest)) else { break };
        parts.push(middle.get(begin..about + found + ENDS_AFTER)?);
        begin = about + found + BEGINS_AFTER;
    }
    parts.push(middle.get(begin..)?);
    Some(Cut { around: [text.get(..from)?, text.get(to..)?].concat(), parts })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(many: usize) -> String {
        let all: Vec<String> = (0..many).map(|n| format!("    {{\n      \"id\": \"{n}\"\n    }}")).collect();
        format!("{{\n  \"format\": 1,\n  \"interactions\": [\n{}\n  ]\n}}\n", all.join(",\n"))
    }

    #[test]
    fn the_parts_hold_every_interaction_once_and_in_order() {
        for many in [1, 2, 3, 10, 101] {
            let text = text(many);
            for parts in 1..6 {
                let cut = cut_into(&text, parts).unwrap();
                let found: Vec<&str> = cut.parts.iter().flat_map(|part| part.split(",\n    {")).collect();
                let expected: Vec<String> =
                    (0..many).map(|n| format!("{{\n      \"id\": \"{n}\"\n    }}")).collect();
                let found: Vec<String> =
                    found.iter().map(|text| format!("{{{}", text.trim_start_matches('{'))).collect();
                assert_eq!(found, expected, "{many} {parts}");
                assert!(serde_json::from_str::<serde_json::Value>(&cut.around).is_ok(), "{}", cut.around);
            }
        }
    }

    #[test]
    fn another_layout_is_left_in_one_piece() {
        for text in [
            "",
            "{}",
            "{\"interactions\": []}",
            "\"interactions\": [\n    {",
            "\n    }\n  ]\n}\"interactions\": [\n    {",
        ] {
            assert!(cut_into(text, 2).is_none(), "{text}");
        }
    }
}

//! A large cassette that is laid out as faultdeck lays it out is read in parts, in parallel.
//!
//! Nothing is taken on trust. What is around the interactions is read as a cassette without any, and each interaction by
//! itself, as strictly as in one piece: put together with commas they are the text, so the text is valid, too. Line feeds
//! stand in no JSON string, so a place that looks like the end of an interaction is one or makes a piece that cannot be
//! read; then the file is read in one piece, which finds what is wrong, and where.

use memchr::memmem::Finder;

use super::facts::threads;

/// A shorter text is read in one piece.
const TEXT_MIN: usize = 512 * 1024;

/// What stands before the first interaction, between two, and behind the last.
const FIRST: &str = "\"interactions\": [\n    {";
const BETWEEN: &str = "\n    },\n    {";
const LAST: &str = "\n    }\n  ]\n}";
/// How much of [`BETWEEN`] and [`LAST`] belongs to the interaction before, and where the next one begins.
const ENDS_AFTER: usize = "\n    }".len();
const BEGINS_AFTER: usize = "\n    },\n    ".len();

/// A cassette's text, cut.
pub(super) struct Cut<'t> {
    /// The text without interactions.
    pub(super) around: String,
    /// Interactions, each part to be cut by [`each`].
    pub(super) parts: Vec<&'t str>,
}

/// The parts of a text that is worth it; `None` for any other.
pub(super) fn cut(text: &str) -> Option<Cut<'_>> {
    let threads = if text.len() < TEXT_MIN { 1 } else { threads() };
    if threads < 2 { None } else { cut_into(text, threads) }
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

/// The interactions of a part, one by one.
pub(super) fn each(part: &str) -> impl Iterator<Item = &str> {
    let between = Finder::new(BETWEEN);
    let mut rest = Some(part);
    std::iter::from_fn(move || {
        let text = rest?;
        match between.find(text.as_bytes()) {
            Some(found) => {
                rest = text.get(found + BEGINS_AFTER..);
                text.get(..found + ENDS_AFTER)
            }
            None => {
                rest = None;
                Some(text)
            }
        }
    })
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
                let found: Vec<&str> = cut.parts.iter().flat_map(|part| each(part)).collect();
                let expected: Vec<String> =
                    (0..many).map(|n| format!("{{\n      \"id\": \"{n}\"\n    }}")).collect();
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

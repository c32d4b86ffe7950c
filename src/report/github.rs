//! Annotations of GitHub's workflows, a line each: `::error file=...,title=...::why`.
//!
//! That a runner reads them on both streams of a step, and shows ten of a kind and drops the others without a word, is from memory
//! and was not tried; so the tenth says how many are left out.

use super::account::Account;
use super::content::Content;
use super::failure::{Failure, Level, failures};

/// How many annotations of a kind GitHub shows for a step.
const SHOWN: usize = 10;

/// The annotations; nothing where nothing went wrong.
pub fn github<'a>(content: impl Into<Content<'a>>) -> String {
    let account = Account::of(content);
    let all = failures(&account);
    let kinds = [(Level::Failed, "error"), (Level::Open, "warning"), (Level::Note, "notice")];
    let mut text = String::new();
    for (level, command) in kinds {
        let these: Vec<&Failure<'_>> = all.iter().filter(|failure| failure.level == level).collect();
        let room = if these.len() > SHOWN { SHOWN - 1 } else { SHOWN };
        for failure in these.iter().take(room) {
            text.push_str(&line(command, failure));
        }
        if these.len() > room {
            let more = these.len() - room;
            text.push_str(&format!("::{command} title=faultdeck::and {more} more: see the report\n"));
        }
    }
    text
}

fn line(command: &str, failure: &Failure<'_>) -> String {
    // Only a file that is there can be annotated: the one that the counter-example was saved to.
    let found = failure.verdict.and_then(|verdict| verdict.found.as_deref());
    let file = found.map_or_else(String::new, |found| format!("file={},", property(found)));
    let repeat = failure.repeat.map_or_else(String::new, |repeat| format!("\nrepeat it: {repeat}"));
    let title = property(&format!("faultdeck: {}", failure.title()));
    format!("::{command} {file}title={title}::{}\n", message(&format!("{}{repeat}", failure.why)))
}

/// A message as the runner reads it back.
fn message(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '%' => escaped.push_str("%25"),
            '\n' => escaped.push_str("%0A"),
            '\r' => escaped.push_str("%0D"),
            other if super::visible::is_obeyed(other) => escaped.extend(other.escape_default()),
            other => escaped.push(other),
        }
    }
    escaped
}

/// A property of an annotation: it also ends at a comma or a colon.
fn property(text: &str) -> String {
    message(text).replace(':', "%3A").replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    use super::super::failure::OF_THE_RUN;
    use super::*;

    #[test]
    fn nothing_in_a_text_ends_an_annotation_or_begins_another() {
        let failure = Failure {
            id: OF_THE_RUN,
            level: Level::Failed,
            why: "100 % :: a, b\n::error::x\r\u{202e}".into(),
            scenario: "a,b:c::d",
            client: "",
            verdict: None,
            repeat: None,
            times: 2,
        };
        assert_eq!(
            line("error", &failure),
            "::error title=faultdeck%3A exit-code (a%2Cb%3Ac%3A%3Ad)%2C 2 times::100 %25 :: a, b%0A::error::x%0D\\u{202e}\n"
        );
    }
}

//! What `explain` teaches of a law, for a terminal.

use super::explain::wrapped;
use crate::judge::{Example, Lesson};

/// Why the law matters and what it rests on; an example of each kind; what it does not judge, and the fix.
pub(super) fn text(lesson: &Lesson) -> String {
    let mut text = format!("\nWhy it matters\n\n{}\n\nWhat it rests on\n\n", wrapped(&lesson.why));
    for fact in &lesson.facts {
        // The words behind the source are as wide as the longest of them.
        for (index, line) in wrapped(&fact.says).lines().enumerate() {
            let source = if index == 0 { fact.source.as_str() } else { "" };
            text.push_str(&format!("  {source:<11} {line}\n"));
        }
    }
    text.push_str(&example("breaks", &lesson.fails));
    text.push_str(&example("keeps", &lesson.holds));
    text.push_str(&format!("\nWhat it does not judge\n\n{}\n", wrapped(&lesson.beyond)));
    text.push_str(&format!("\nThe fix\n\n{}\n", wrapped(&lesson.fix.says)));
    for (language, code) in lesson.fix.languages() {
        text.push_str(&format!("\n{language}:\n\n{}", indented(code)));
    }
    text
}

fn example(verb: &str, example: &Example) -> String {
    format!("\nWhat {verb} it\n\n{}\n{}\n", indented(&example.example), wrapped(&example.because))
}

fn indented(text: &str) -> String {
    let line = |line: &str| if line.is_empty() { "\n".to_owned() } else { format!("    {line}\n") };
    text.lines().map(line).collect()
}

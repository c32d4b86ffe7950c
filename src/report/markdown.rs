//! Markdown as GitHub and GitLab render it: for a step summary, a comment, a wiki.

use super::account::Account;
use super::content::Content;
use super::example::example;
use super::failure::{Failure, failures};
use super::human::{seeds, served};
use super::known::{KnownSum, known};
use super::lines::{refused_line, target};
use super::matrix::rows;
use super::runs::row;
use super::table::Cell;
use super::{Paint, visible};
use crate::ledger::by_scenario;

/// How large a report gets: GitHub takes 1 MiB for all steps of a job's summary.
pub const MARKDOWN_MAX: usize = 256 * 1024;
/// How many failures are told in full.
const FAILURES_SHOWN: usize = 50;
/// How many scenarios of a matrix are told.
const SCENARIOS_SHOWN: usize = 200;
/// How many of each other list are told.
const LISTED: usize = 10;

/// The report: what it came to, the table of verdicts, then each failure, folded, with the command that repeats it.
pub fn markdown<'a>(content: impl Into<Content<'a>>) -> String {
    let account = Account::of(content);
    let mut text = heading(&account);
    text.push_str(&runs(&account));
    text.push_str(&table(&account));
    let failures = failures(&account);
    let mut shown = 0;
    for failure in failures.iter().take(FAILURES_SHOWN) {
        let folded = folded(&account, failure);
        if text.len() + folded.len() > MARKDOWN_MAX {
            break;
        }
        shown += 1;
        text.push_str(&folded);
    }
    if failures.len() > shown {
        text.push_str(&format!("\nAnd {} more: in the ledger.\n", failures.len() - shown));
    }
    for (title, lines) in lists(&account) {
        text.push_str(&list(title, &lines));
    }
    text.push_str(&format!("\n{}", escaped(served(&account.counts()).trim_end())));
    text.push('\n');
    text
}

fn heading(account: &Account<'_>) -> String {
    let run = account.runs.first();
    let verb = run.map_or("report", |run| run.verb.as_str());
    let result = account.end.map_or_else(
        || "cut short".to_owned(),
        |end| format!("{} (exit {})", end.exit.word(), end.exit.code()),
    );
    let mut text = format!("## faultdeck {}: {result}\n", escaped(verb));
    let because = account.end.map_or("the ledger has no closing line", |end| end.because.as_str());
    if !because.is_empty() {
        let because: String = because.chars().take(BECAUSE_MAX).collect();
        text.push_str(&format!("\n{}\n", escaped(&because)));
    }
    let names = |values: Vec<&str>| {
        let more = values.len().saturating_sub(LISTED);
        let named = values.into_iter().take(LISTED).collect::<Vec<_>>().join(", ");
        if more > 0 { format!("{named} and {more} more") } else { named }
    };
    let mut facts = Vec::new();
    let scenarios = account.distinct(|run| run.scenario.as_deref().filter(|name| !name.is_empty()));
    let clients = account.distinct(|run| run.client.as_deref().filter(|name| !name.is_empty()));
    let cassettes = account.distinct(|run| run.cassette.as_deref());
    for (what, values) in [("scenario", scenarios), ("cassette", cassettes), ("client", clients)] {
        if !values.is_empty() {
            facts.push(format!("{what} {}", names(values)));
        }
    }
    if run.is_some() {
        facts.push(seeds(&account.seeds()));
    }
    if !facts.is_empty() {
        text.push_str(&format!("\n{}\n", escaped(&facts.join("; "))));
    }
    text
}

/// How many characters of the reason for all are told.
const BECAUSE_MAX: usize = 1000;

/// The runs of a matrix, a row a scenario.
fn runs(account: &Account<'_>) -> String {
    if account.ran.is_empty() {
        return String::new();
    }
    let head = ["scenario", "runs", "came to", "seeds"].map(Cell::plain).to_vec();
    let groups = by_scenario(&account.ran);
    let shown =
        groups.iter().take(SCENARIOS_SHOWN).map(|(scenario, group)| row(scenario, group, Paint::Plain));
    let mut text =
        format!("\n### Runs\n\n{}", lined(&std::iter::once(head).chain(shown).collect::<Vec<_>>()));
    if groups.len() > SCENARIOS_SHOWN {
        text.push_str(&format!("\nAnd {} more scenarios: in the ledger.\n", groups.len() - SCENARIOS_SHOWN));
    }
    text
}

/// A table, its first row the head.
fn lined(rows: &[Vec<Cell>]) -> String {
    let mut text = String::new();
    for (place, row) in rows.iter().enumerate() {
        let cells: Vec<String> = row.iter().map(|cell| escaped(cell.text())).collect();
        text.push_str(&format!("| {} |\n", cells.join(" | ")));
        if place == 0 {
            text.push_str(&format!("|{}\n", "---|".repeat(row.len())));
        }
    }
    text
}

fn table(account: &Account<'_>) -> String {
    let answered = account.answered();
    if answered.is_empty() {
        return String::new();
    }
    let mut text = format!("\n### Verdicts\n\n{}", lined(&rows(&answered, Paint::Plain)));
    if answered.iter().any(|verdict| !verdict.required) {
        text.push_str("\n\\* not asked for by the scenario: for information only\n");
    }
    text
}

fn folded(account: &Account<'_>, failure: &Failure<'_>) -> String {
    let summary = html(&failure.title());
    let mut text = format!("\n<details><summary>{summary}</summary>\n\n{}\n", escaped(&failure.why));
    if let Some(verdict) = failure.verdict {
        let shown = example(account, verdict, Paint::Plain);
        // Its first line is the title.
        let shown = shown.split_once('\n').map_or("", |(_, rest)| rest);
        text.push_str(&format!("\n<pre>\n{}</pre>\n", html(shown)));
    }
    if let Some(repeat) = failure.repeat {
        text.push_str(&format!("\nRepeat it:\n\n{}", fenced(&visible(repeat))));
    }
    text.push_str("\n</details>\n");
    text
}

/// What else a person has to know.
fn lists(account: &Account<'_>) -> Vec<(&'static str, Vec<String>)> {
    let often = |times: usize| if times > 1 { format!(" ({times} times)") } else { String::new() };
    let misses = account.misses().into_iter().map(|(miss, times)| {
        format!("{} {}{}: {}", miss.method, target(miss.target), often(times), miss.cause)
    });
    let refused = account.refused().into_iter();
    let refused = refused.map(|(refused, times)| format!("{}{}", refused_line(refused), often(times)));
    let never = account.end.map_or(&[][..], |end| &end.never_fired[..]).to_vec();
    let in_force = account.end.map_or(&[][..], |end| &end.in_force[..]).to_vec();
    let elsewhere = account.end.map_or(&[][..], |end| &end.elsewhere[..]).to_vec();
    let known = known(account).iter().map(KnownSum::in_words).collect();
    vec![
        ("Known failures", known),
        ("Requests that no recording answers", misses.collect()),
        ("Requests that were refused before anybody was asked", refused.collect()),
        ("Planned faults that never fired", never),
        ("Planned faults that were in force: whether a client met them cannot be known", in_force),
        ("Whom the command wanted to reach beside the console, and could not", elsewhere),
    ]
}

fn list(title: &str, lines: &[String]) -> String {
    if lines.is_empty() {
        return String::new();
    }
    let shown: String = lines.iter().take(LISTED).map(|line| format!("- {}\n", escaped(line))).collect();
    let more = lines.len().saturating_sub(LISTED);
    let more = if more > 0 { format!("- and {more} more: in the ledger\n") } else { String::new() };
    format!("\n### {title}\n\n{shown}{more}")
}

/// A text that is a text wherever it stands, even in a cell of a table: whatever has a meaning in Markdown is written by
/// its number, which no renderer reads as a sign.
fn escaped(text: &str) -> String {
    let mut shown = String::with_capacity(text.len() + 16);
    let mut before = ' ';
    for character in visible(text).chars() {
        let is_plain = character.is_alphanumeric()
            || !character.is_ascii()
            || matches!(character, ' ' | ',' | ';' | '/' | '(' | ')' | '-')
            // `www.` begins a link.
            || (character == '.' && before != 'w');
        if is_plain {
            shown.push(character);
        } else {
            shown.push_str(&format!("&#{};", u32::from(character)));
        }
        before = character.to_ascii_lowercase();
    }
    shown
}

/// Lines of text within an element of HTML.
fn html(text: &str) -> String {
    let lines: Vec<String> = text
        .split('\n')
        .map(|line| visible(line).replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;"))
        .collect();
    lines.join("\n")
}

/// A line of code in a fence that is longer than any in it.
fn fenced(line: &str) -> String {
    let longest = line.split(|character| character != '`').map(str::len).max().unwrap_or(0);
    let fence = "`".repeat(longest.max(2) + 1);
    format!("{fence}sh\n{line}\n{fence}\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_sign_of_markdown_or_html_is_left_in_a_text() {
        let text = "a|b `c` *d* _e_ [f](http://x) <img src=x> &amp; # @g www.h !i ~j~ \\k \u{202e}";
        let shown = escaped(text);
        assert!(
            !shown.contains(['|', '`', '*', '_', '[', ']', '<', '>', '@', '!', '~', '\\', ':']),
            "{shown}"
        );
        assert!(
            shown.contains("&#124;") && !shown.contains("www.") && !shown.contains('\u{202e}'),
            "{shown}"
        );
        assert_eq!(escaped("creates-once (2 cases), a/b.c"), "creates-once (2 cases), a/b.c");
    }

    #[test]
    fn a_command_with_backquotes_stays_in_its_fence() {
        assert_eq!(fenced("a ```` b"), "`````sh\na ```` b\n`````\n");
        assert_eq!(fenced("a"), "```sh\na\n```\n");
    }
}

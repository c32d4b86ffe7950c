//! One self-contained page: no script, no link out of it, every text escaped.
//!
//! - `text` makes text harmless and keeps the page within its size
//! - `style` is how it looks: light, dark, on paper
//! - `lanes` draws the runs, `hosts` reads the managed hosts from a scenario
//! - `exchanges` tells each request, what was recorded and what was served, equal ones once

mod exchanges;
mod hosts;
mod lanes;
mod style;
mod text;

use std::collections::BTreeMap;

use super::account::Account;
use super::content::Content;
use super::example::example;
use super::failure::{Failure, Level, failures};
use super::human::{seeds, served};
use super::known::known;
use super::lines::refused_line;
use super::matrix::rows;
use super::table::Cell;
use super::{Paint, runs, visible};
use crate::ledger::{Line, Timing, by_scenario};
use exchanges::Folded;
use text::{escaped, lines_of};

/// How many failures are told in full.
const FAILURES_SHOWN: usize = 200;
/// How many rows a table has at most.
const ROWS_SHOWN: usize = 1000;

/// How many recorded interactions are named that were not used.
const UNUSED_SHOWN: usize = 20;

/// The page: what it came to, verdicts, failures, swim lanes, coverage, and every exchange, as far as ten megabytes hold them.
pub fn html<'a>(content: impl Into<Content<'a>>) -> String {
    let content = content.into();
    let times: BTreeMap<_, &Timing> = (content.lines.iter())
        .filter_map(
            |(line, _)| if let Line::Timing(timing) = line { Some((&timing.key, timing)) } else { None },
        )
        .collect();
    let account = Account::of(content.clone());
    let folded = Folded::of(&account, &times);
    let failures = failures(&account);
    let mut page = style::head(&title(&account));
    page.push_str(&heading(&account));
    page.push_str("<main id=\"main\">\n");
    page.push_str(&section("runs", "Runs of the matrix", &matrix(&account)));
    page.push_str(&section("verdicts", "Verdicts", &verdicts(&account)));
    page.push_str(&section("failures", "What went wrong", &wrong(&account, &failures)));
    page.push_str(&section("known", "Known failures", &known_list(&account)));
    if content.is_whole {
        page.push_str(&section("lanes", "Swim lanes", &lanes::lanes(&account, &folded, &times)));
        page.push_str(&section("coverage", "Faults by endpoint", &coverage(&account)));
        page.push_str(&section("exchanges", "Exchanges", &folded.html()));
    } else {
        page.push_str(&section("exchanges", "Exchanges", NOT_KEPT));
    }
    page.push_str("</main>\n</body>\n</html>\n");
    page
}

/// A server keeps no exchange.
const NOT_KEPT: &str = "<p>This page was made by a server that had ended, which keeps no exchange: with <code>--ledger FILE</code> \
     they stand in that file, and <code>faultdeck report FILE --format html</code> shows them.</p>\n";

fn title(account: &Account<'_>) -> String {
    let verb = account.runs.first().map_or("report", |run| run.verb.as_str());
    let result = account.end.map_or("cut short", |end| end.exit.word());
    escaped(&format!("faultdeck {verb}: {result}"))
}

fn heading(account: &Account<'_>) -> String {
    let mut text = format!("<header>\n<h1>{}</h1>\n", title(account));
    let class = match account.end.map(|end| end.exit.code()) {
        Some(0) => "held",
        Some(3) | None => "open",
        Some(_) => "violated",
    };
    let because = account.end.map_or_else(
        || "The ledger has no closing line: the run was cut short.".to_owned(),
        |end| format!("exit {} ({}): {}", end.exit.code(), end.exit.word(), end.because),
    );
    text.push_str(&format!("<p class=\"{class}\">{}</p>\n<dl>\n", escaped(&because)));
    let mut row = |name: &str, values: Vec<&str>| {
        if !values.is_empty() {
            let values: Vec<&str> = values.into_iter().take(20).collect();
            text.push_str(&format!("<dt>{name}</dt><dd>{}</dd>\n", escaped(&values.join(", "))));
        }
    };
    row("console", account.distinct(|run| run.console.as_deref()));
    row("cassette", account.distinct(|run| run.cassette.as_deref()));
    row("scenario", account.distinct(|run| run.scenario.as_deref().filter(|name| !name.is_empty())));
    row("client", account.distinct(|run| run.client.as_deref().filter(|name| !name.is_empty())));
    let of_seeds = seeds(&account.seeds());
    row("seed", if account.runs.is_empty() { Vec::new() } else { vec![of_seeds.as_str()] });
    row("command", account.end.and_then(|end| end.command.as_deref()).into_iter().collect());
    let served = served(&account.counts());
    row("served", vec![served.trim_end()]);
    let end = account.end;
    row("never fired", end.iter().flat_map(|end| &end.never_fired).map(String::as_str).collect());
    row("in force", end.iter().flat_map(|end| &end.in_force).map(String::as_str).collect());
    row("not reached", end.iter().flat_map(|end| &end.elsewhere).map(String::as_str).collect());
    let refused: Vec<String> = account.refused().iter().map(|(refused, _)| refused_line(refused)).collect();
    row("refused", refused.iter().map(String::as_str).collect());
    text.push_str("</dl>\n</header>\n");
    text
}

/// A part of the page, if there is anything in it.
fn section(id: &str, title: &str, body: &str) -> String {
    if body.is_empty() {
        return String::new();
    }
    format!(
        "<section id=\"{id}\" aria-labelledby=\"{id}-title\">\n<h2 id=\"{id}-title\">{title}</h2>\n{body}</section>\n"
    )
}

/// A table that can be scrolled by keyboard where it is wide; its first row is the head.
fn table(name: &str, rows: &[Vec<Cell>]) -> String {
    let mut text = format!(
        "<div class=\"wide\" role=\"region\" aria-label=\"table: {name}\" tabindex=\"0\">\n<table>\n"
    );
    for (place, row) in rows.iter().take(ROWS_SHOWN + 1).enumerate() {
        let cell = |(column, cell): (usize, &Cell)| {
            let shown = escaped(cell.text());
            match (place, column) {
                (0, _) => format!("<th scope=\"col\">{shown}</th>"),
                (_, 0) => format!("<th scope=\"row\">{shown}</th>"),
                _ => format!("<td class=\"{}\">{shown}</td>", class(cell.text())),
            }
        };
        let cells: String = row.iter().enumerate().map(cell).collect();
        let (before, after) = match place {
            0 => ("<thead>", "</thead>\n<tbody>"),
            _ => ("", ""),
        };
        text.push_str(&format!("{before}<tr>{cells}</tr>{after}\n"));
    }
    text.push_str("</tbody>\n</table>\n</div>\n");
    let more = rows.len().saturating_sub(ROWS_SHOWN + 1);
    if more > 0 {
        text.push_str(&format!("<p>And {more} more rows: in the ledger.</p>\n"));
    }
    text
}

/// The class of a cell by its first word. Colour never carries meaning alone.
fn class(text: &str) -> &'static str {
    let has = |word: &str| text.contains(word);
    match () {
        () if has("VIOLATED") || has("FAILED") => "violated",
        () if has("inconclusive") || has("not reached") || has("flaky") || has("not run") => "open",
        () if text.starts_with("held") || has("passed") => "held",
        () => "plain",
    }
}

fn matrix(account: &Account<'_>) -> String {
    if account.ran.is_empty() {
        return String::new();
    }
    let head = ["scenario", "runs", "came to", "seeds"].map(Cell::plain).to_vec();
    let groups = by_scenario(&account.ran);
    let rows = groups.iter().map(|(scenario, group)| runs::row(scenario, group, Paint::Plain));
    table("Runs of the matrix", &std::iter::once(head).chain(rows).collect::<Vec<_>>())
}

fn verdicts(account: &Account<'_>) -> String {
    let answered = account.answered();
    if answered.is_empty() {
        return String::new();
    }
    let mut text = table("Verdicts", &rows(&answered, Paint::Plain));
    if answered.iter().any(|verdict| !verdict.required) {
        text.push_str("<p>* not asked for by the scenario: for information only</p>\n");
    }
    text
}

fn known_list(account: &Account<'_>) -> String {
    let items = known(account);
    let shown: String =
        items.iter().take(ROWS_SHOWN).map(|sum| format!("<li>{}</li>\n", escaped(&sum.in_words()))).collect();
    if shown.is_empty() { shown } else { format!("<ul>\n{shown}</ul>\n") }
}

fn wrong(account: &Account<'_>, failures: &[Failure<'_>]) -> String {
    let mut text = String::new();
    for (place, failure) in failures.iter().take(FAILURES_SHOWN).enumerate() {
        let class = match failure.level {
            Level::Failed => "violated",
            Level::Open => "open",
            Level::Note | Level::Known => "plain",
        };
        let open = if place == 0 { " open" } else { "" };
        text.push_str(&format!(
            "<details{open}>\n<summary><span class=\"{class}\">{}</span></summary>\n<p>{}</p>\n",
            escaped(&failure.title()),
            escaped(&failure.why)
        ));
        if let Some(verdict) = failure.verdict {
            let shown = example(account, verdict, Paint::Plain);
            let shown = shown.split_once('\n').map_or("", |(_, rest)| rest);
            text.push_str(&format!("<pre tabindex=\"0\">{}</pre>\n", lines_of(shown.trim_end())));
        }
        if let Some(repeat) = failure.repeat {
            text.push_str(&format!(
                "<p>Repeat it:</p>\n<pre tabindex=\"0\">{}</pre>\n",
                escaped(&visible(repeat))
            ));
        }
        text.push_str("</details>\n");
    }
    let more = failures.len().saturating_sub(FAILURES_SHOWN);
    if more > 0 {
        text.push_str(&format!("<p>And {more} more: in the ledger.</p>\n"));
    }
    text
}

fn count(times: u64) -> usize {
    usize::try_from(times).unwrap_or(usize::MAX)
}

/// How often each fault fired at each endpoint; then what a judgement says of faults that it did not meet.
fn coverage(account: &Account<'_>) -> String {
    let mut kinds: Vec<&str> = Vec::new();
    let mut endpoints: BTreeMap<&str, (usize, BTreeMap<&str, usize>)> = BTreeMap::new();
    const UNKNOWN: &str = "a path that no profile knows";
    if let Some(seen) = account.seen {
        for (endpoint, it) in &seen.endpoints {
            let (requests, fired) =
                endpoints.entry(if endpoint.is_empty() { UNKNOWN } else { endpoint }).or_default();
            *requests += count(it.requests);
            fired.extend(it.faults.iter().map(|(kind, times)| (kind.as_str(), count(*times))));
            kinds.extend(it.faults.keys().map(String::as_str));
        }
    }
    for (exchange, times) in account.exchanges.iter().filter(|_| account.seen.is_none()) {
        let name = &exchange.key.endpoint;
        let (requests, fired) = endpoints.entry(if name.is_empty() { UNKNOWN } else { name }).or_default();
        *requests += times;
        for fault in &exchange.faults {
            kinds.push(&fault.kind);
            *fired.entry(&fault.kind).or_default() += times;
        }
    }
    if endpoints.is_empty() {
        return String::new();
    }
    kinds.sort_unstable();
    kinds.dedup();
    let head = ["endpoint", "requests"]
        .into_iter()
        .chain(kinds.iter().copied())
        .map(|name| Cell::plain(visible(name)));
    let mut rows = vec![head.collect::<Vec<_>>()];
    for (endpoint, (requests, fired)) in endpoints {
        let counts =
            kinds.iter().map(|kind| fired.get(kind).map_or_else(|| "-".to_owned(), ToString::to_string));
        let cells = [visible(endpoint).into_owned(), requests.to_string()].into_iter().chain(counts);
        rows.push(cells.map(Cell::plain).collect());
    }
    let mut text = table("Faults by endpoint", &rows);
    if let Some(seen) = account.seen {
        let (used, all) = seen.used();
        if all > 0 {
            let unused: Vec<&str> = seen.unused().take(UNUSED_SHOWN).collect();
            let not = if unused.is_empty() { String::new() } else { format!("; not {}", unused.join(", ")) };
            text.push_str(&format!(
                "<p>{used} of {all} recorded interactions{}</p>\n",
                escaped(&visible(&not))
            ));
        }
    }
    for line in &account.coverage {
        if !line.faults.missing.is_empty() {
            let missing = line.faults.missing.join(", ");
            text.push_str(&format!("<p>Not met by {}: {}</p>\n", escaped(&line.client), escaped(&missing)));
        }
    }
    text
}

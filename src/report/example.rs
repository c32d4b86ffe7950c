//! A violation on one screen: what was told, sent, got and reported, the difference, the law, the command.

use super::account::Account;
use super::columns::{WIDTH_MAX, broken, columns, command, cut};
use super::lines::{LinePieces, request_line};
use super::{Paint, visible};
use crate::ledger::{Exchange, OutcomeLine, VerdictLine};

/// How many lines one may take, from its title to the name of its law.
const LINES_MAX: usize = 24;
/// How many lines say what is wrong.
const BECAUSE_MAX: usize = 2;
/// How much of them stays empty, because lines are broken between words.
const BROKEN_OFF: usize = 32;
/// How many lines of evidence are weighed; the others are counted.
const WEIGHED_MAX: usize = 400;
/// How many lines of a difference come before what was sent earlier.
const CHANGES_FIRST: usize = 8;
/// How many lines of the client's complaints do.
const COMPLAINTS_FIRST: usize = 2;

/// The violation with all that shows it, as far as it fits a screen.
pub(super) fn example(account: &Account<'_>, verdict: &VerdictLine, paint: Paint) -> String {
    let title = paint.bad(&format!("VIOLATED: {}", visible(&verdict.property)));
    let place: Vec<_> = [&verdict.scenario, &verdict.client]
        .into_iter()
        .filter(|part| !part.is_empty())
        .map(|part| visible(part))
        .collect();
    let place = format!(" ({})", place.join(", "));
    // The reason gives way, and the place stays to be read.
    let room = (BECAUSE_MAX * WIDTH_MAX).saturating_sub(columns(&place) + BROKEN_OFF);
    let because = format!("{}{place}", cut(&visible(&verdict.because), room, None));
    let mut front: Vec<String> =
        broken(&because, WIDTH_MAX - 2, BECAUSE_MAX).iter().map(|line| format!("  {line}")).collect();
    let back = trail(verdict);
    let room = LINES_MAX.saturating_sub(1 + front.len() + back.len());
    front.extend(fitted(&shown(account, verdict), &names(&verdict.because), room));
    front.extend(back);
    format!("{title}\n{}\n", front.join("\n"))
}

/// A line and how dispensable it is: 0 stays.
struct Line {
    text: String,
    weight: u8,
}

/// All lines that show a violation, indented.
fn shown(account: &Account<'_>, verdict: &VerdictLine) -> Vec<Line> {
    let evidence: Vec<String> = (verdict.evidence.iter().flat_map(|evidence| evidence.lines()))
        .map(|line| visible(line).into_owned())
        .collect();
    let is_whole = evidence.iter().any(|line| line.starts_with("told:"));
    let mut lines = weighed(evidence);
    let Some(session) = &verdict.session else { return lines };
    if !is_whole {
        lines.extend(served(&account.session(session)));
    }
    // Evidence tells what the client reported; without any, the outcome does.
    let outcomes = account.outcomes.iter().filter(|outcome| outcome.session == *session);
    lines.extend(outcomes.flat_map(|outcome| reported(outcome, verdict.evidence.is_empty())));
    lines
}

/// Evidence: what was told and reported stays, then come the last request, the difference, and the first request.
fn weighed(evidence: Vec<String>) -> Vec<Line> {
    let is_exchange = |line: &String| line.starts_with("sent:") || line.starts_with("got:");
    let first = evidence.iter().position(is_exchange).unwrap_or(0);
    let last = evidence.iter().rposition(|line| line.starts_with("sent:")).unwrap_or(0);
    let (mut changes, mut in_difference) = (0, false);
    let weight = |(at, line): (usize, &String)| {
        in_difference |= line.starts_with("expected (-)");
        if in_difference && (line.starts_with("- ") || line.starts_with("+ ")) {
            changes += 1;
            return if changes <= CHANGES_FIRST { 1 } else { 4 };
        }
        // How often a request came stands behind it, indented.
        match is_exchange(line) || line.starts_with("  ") {
            true if in_difference => 5,
            true if at >= last => 1,
            true if at <= first + 2 => 2,
            true => 3,
            false => 0,
        }
    };
    let weights: Vec<u8> = evidence.iter().enumerate().map(weight).collect();
    evidence
        .into_iter()
        .zip(weights)
        .map(|(text, weight)| Line { text: format!("    {text}"), weight })
        .collect()
}

/// What was served, equal requests in a row once.
fn served(exchanges: &[&Exchange]) -> Vec<Line> {
    let mut groups: Vec<(LinePieces, usize, &Exchange, usize)> = Vec::new();
    for (index, exchange) in exchanges.iter().enumerate() {
        let pieces = LinePieces::of(exchange);
        match groups.last_mut() {
            Some((known, times, _, _)) if *known == pieces => *times += 1,
            _ => groups.push((pieces, 1, *exchange, index + 1)),
        }
    }
    let mut lines = Vec::new();
    let count = groups.len();
    for (place, (_, times, exchange, number)) in groups.into_iter().enumerate() {
        let weight = if place < 2 || place + 2 >= count { 2 } else { 4 };
        lines.push(Line { text: format!("    {number:>3}. {}", request_line(exchange)), weight });
        if times > 1 {
            lines.push(Line { text: format!("         ... {} times more the same ...", times - 1), weight });
        }
    }
    if !lines.is_empty() {
        lines.insert(0, Line { text: "  served, in order:".to_owned(), weight: 1 });
    }
    lines
}

fn reported(outcome: &OutcomeLine, whole: bool) -> Vec<Line> {
    let mut lines = Vec::new();
    if whole {
        let task = outcome.task.as_deref().unwrap_or_default();
        let text = format!("  the client's report: {} {}", visible(&outcome.outcome), visible(task));
        lines.push(Line { text: text.trim_end().to_owned(), weight: 0 });
    }
    for (index, line) in outcome.stderr.lines().enumerate() {
        let weight = if index < COMPLAINTS_FIRST { 2 } else { 5 };
        lines.push(Line { text: format!("    stderr: {}", visible(line)), weight });
    }
    lines
}

/// The weightiest of these lines that fit, in their order; how many are missing stands where they were.
fn fitted(lines: &[Line], names: &[String], room: usize) -> Vec<String> {
    let mut by_weight: Vec<usize> = (0..lines.len()).collect();
    by_weight.sort_by_key(|at| lines.get(*at).map_or(u8::MAX, |line| line.weight));
    let mut kept = vec![false; lines.len()];
    for at in by_weight.into_iter().take(WEIGHED_MAX) {
        keep(&mut kept, at, true);
        if height(&kept) > room {
            keep(&mut kept, at, false);
        }
    }
    let mut shown = Vec::new();
    let mut missing = 0;
    for (at, line) in lines.iter().enumerate() {
        if !kept.get(at).is_some_and(|kept| *kept) {
            missing += 1;
            continue;
        }
        shown.extend(gap(std::mem::take(&mut missing)));
        let earlier = lines.get(..at).unwrap_or_default();
        let later = lines.get(at + 1);
        shown.push(cut(&line.text, WIDTH_MAX, focus(&line.text, names, earlier, later)));
    }
    shown.extend(gap(missing));
    shown
}

fn keep(kept: &mut [bool], at: usize, is_kept: bool) {
    if let Some(place) = kept.get_mut(at) {
        *place = is_kept;
    }
}

/// How many lines these take, with one where some are missing.
fn height(kept: &[bool]) -> usize {
    let gaps = kept.chunk_by(|a, b| a == b).filter(|run| run.first() == Some(&false)).count();
    kept.iter().filter(|kept| **kept).count() + gaps
}

fn gap(missing: usize) -> Option<String> {
    let many = if missing == 1 { "line" } else { "lines" };
    (missing > 0).then(|| {
        format!("              ... {missing} more {many}: in the ledger, and in `--report json` ...")
    })
}

/// The names that a reason speaks of, as they stand in JSON.
fn names(because: &str) -> Vec<String> {
    let quoted = because.split('`').skip(1).step_by(2);
    quoted
        .filter_map(|name| name.rsplit('/').next())
        .filter(|name| !name.is_empty())
        .map(|name| format!("\"{name}\""))
        .collect()
}

/// The byte of a line that must stay to be seen: a member that the reason names, where it differs from its like, or the
/// code of an error.
fn focus(line: &str, names: &[String], earlier: &[Line], later: Option<&Line>) -> Option<usize> {
    if columns(line) <= WIDTH_MAX {
        return None;
    }
    let named = names.iter().find_map(|name| line.find(name.as_str()));
    // The first one is that of the status.
    named.or_else(|| difference(line, earlier, later)).or_else(|| line.rfind("\"code\":"))
}

/// Where a line differs from its like: the other side of a difference, or the last one with the same label.
fn difference(line: &str, earlier: &[Line], later: Option<&Line>) -> Option<usize> {
    let label = line.trim_start().split(' ').next().unwrap_or_default();
    let begins = |text: &&str, with: &str| text.trim_start().starts_with(with);
    let like = match label {
        "-" => later.map(|line| line.text.as_str()).filter(|text| begins(text, "+ ")),
        "+" => earlier.last().map(|line| line.text.as_str()).filter(|text| begins(text, "- ")),
        _ => earlier.iter().rev().map(|line| line.text.as_str()).find(|text| begins(text, label)),
    }?;
    let differs = |((_, one), other): &((usize, char), char)| one != other && !matches!(one, '-' | '+');
    line.char_indices().zip(like.chars()).find(differs).map(|((at, _), _)| at)
}

/// Where a violation was saved, how to see it again, and its law.
fn trail(verdict: &VerdictLine) -> Vec<String> {
    let mut lines = Vec::new();
    if let Some(found) = &verdict.found {
        let line = format!("  saved as:  {}", visible(found));
        // The command names it, too.
        lines.extend((columns(&line) <= WIDTH_MAX || verdict.repeat.is_none()).then_some(line));
    }
    lines.extend(verdict.repeat.iter().flat_map(|repeat| again(repeat, "  ")));
    lines.push(format!("  the law:   faultdeck explain {}", visible(&verdict.property)));
    lines
}

/// The command that shows a verdict again, in lines.
pub(super) fn again(repeat: &str, indent: &str) -> Vec<String> {
    const LABEL: &str = "repeat it: ";
    let room = WIDTH_MAX - LABEL.len() - indent.len();
    let mut first = true;
    command(&visible(repeat), room)
        .into_iter()
        .map(|line| {
            let label = if std::mem::take(&mut first) { LABEL.to_owned() } else { " ".repeat(LABEL.len()) };
            format!("{indent}{label}{line}")
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ledger::{self, Line as LedgerLine, Standing};

    fn violated(because: &str, evidence: Vec<String>) -> VerdictLine {
        VerdictLine {
            property: "reports-what-it-got".into(),
            scenario: "generated".into(),
            client: "mine".into(),
            verdict: Standing::Violated,
            required: true,
            because: because.into(),
            evidence,
            cases: 1,
            session: None,
            found: Some("scenarios/found/x.toml".into()),
            repeat: Some("faultdeck judge mine --scenario scenarios/found/x.toml".into()),
            rests_on: None,
            known: None,
        }
    }

    fn text(verdict: &VerdictLine) -> String {
        let lines: [LedgerLine; 0] = [];
        example(&Account::of(&lines), verdict, Paint::Plain)
    }

    fn fits(text: &str) {
        assert!(text.lines().count() <= LINES_MAX, "{} lines:\n{text}", text.lines().count());
        for line in text.lines() {
            assert!(columns(line) <= WIDTH_MAX, "{} columns: {line}", columns(line));
        }
    }

    #[test]
    fn a_long_story_and_a_long_difference_fit_one_screen() {
        let body =
            |id: &str| format!(r#"{{"a":"{}","case_id":{id},"z":"{}"}}"#, "x".repeat(300), "y".repeat(300));
        let mut evidence = vec!["told:     wait for task 42".to_owned()];
        for n in 0..30 {
            evidence.push(format!("sent:     GET /api/x/{n}"));
            evidence.push(format!("got:      200 OK {}", body("9007199254740993")));
        }
        evidence.push(format!("reported: done {}", body("9007199254740992")));
        evidence.push("expected (-) and reported (+):".to_owned());
        evidence.extend((0..40).map(|n| format!("    \"same-{n}\": 1,")));
        evidence.push("-   \"case_id\": 9007199254740993,".to_owned());
        evidence.push("+   \"case_id\": 9007199254740992,".to_owned());
        let text = text(&violated(
            "`case_id` came as 9007199254740993 and is reported as 9007199254740992",
            evidence,
        ));
        fits(&text);
        for part in [
            "told:     wait",
            "GET /api/x/0",
            "GET /api/x/29",
            "\"case_id\":9007199254740993",
            "reported: done",
            "\"case_id\":9007199254740992",
            "-   \"case_id\": 9007199254740993,",
            "+   \"case_id\": 9007199254740992,",
            "more lines",
            "repeat it: faultdeck judge mine",
            "the law:   faultdeck explain reports-what-it-got",
        ] {
            assert!(text.contains(part), "no `{part}` in\n{text}");
        }
    }

    #[test]
    fn two_long_texts_are_shown_where_they_differ() {
        let long = |end: &str| format!("  \"name\": \"{}{end}{}\"", "x".repeat(400), "y".repeat(300));
        let evidence = vec![
            "told:     get task 42".to_owned(),
            "expected (-) and reported (+):".to_owned(),
            format!("- {}", long("RIGHT")),
            format!("+ {}", long("WRONG")),
        ];
        let text = text(&violated("a text is not the same", evidence));
        fits(&text);
        assert!(text.contains("xRIGHTy") && text.contains("xWRONGy"), "{text}");
    }

    #[test]
    fn the_place_and_the_code_of_an_error_stay_to_be_seen() {
        let body = format!(
            r#"{{"http_response":{{"code":500,"message":"{}"}},"code":1020,"m":"x"}}"#,
            "x".repeat(300)
        );
        let evidence = vec![
            "told:     get task 42".to_owned(),
            "sent:     GET /api/x".to_owned(),
            format!("got:      500 Internal Server Error {body} [api-error: answered 500/1020]"),
            format!("reported: pending {body}"),
        ];
        let text = text(&violated(&format!("the client reports a task: {body}"), evidence));
        fits(&text);
        assert!(text.contains("(generated, mine)") && text.matches("\"code\":1020").count() >= 2, "{text}");
    }

    #[test]
    fn whatever_stands_in_a_ledger_fits_one_screen() {
        for (count, width) in [(0, 0), (1, 5_000), (500, 10), (1_000, 1_000)] {
            let evidence = (0..count).map(|n| format!("{n} {}", "\u{65e5}".repeat(width))).collect();
            let mut verdict = violated(&"because ".repeat(200), evidence);
            verdict.scenario = "s".repeat(60);
            fits(&text(&verdict));
        }
    }

    #[test]
    fn equal_requests_in_a_row_are_served_once() {
        let exchange = |target: &str, tick| {
            let key = ledger::ExchangeKey { session: "s".into(), ..ledger::ExchangeKey::default() };
            let target = target.into();
            LedgerLine::Exchange(Box::new(Exchange {
                key,
                target,
                tick: Some(tick),
                status: 200,
                ..Exchange::default()
            }))
        };
        let mut lines: Vec<LedgerLine> = (1..40).map(|tick| exchange("/api/x", tick)).collect();
        lines.push(exchange("/api/y", 1));
        let verdict = VerdictLine { session: Some("s".into()), ..violated("too often", Vec::new()) };
        let text = example(&Account::of(&lines), &verdict, Paint::Plain);
        fits(&text);
        assert!(text.contains("... 38 times more the same ...") && text.contains(" 40.  /api/y"), "{text}");
    }
}

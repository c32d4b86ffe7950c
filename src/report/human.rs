//! The report a person reads: most of all when something failed.

use std::collections::{BTreeMap, BTreeSet};

use super::account::{Account, Counts, word};
use super::console;
use super::content::Content;
use super::coverage::coverage;
use super::in_short::{LAST_LINES, in_short};
use super::known;
use super::lines::{refused_line, target};
use super::runs::runs;
use super::shell::shell_word;
use super::{Paint, matrix, violations, visible};
use crate::ledger::{EndLine, Exit, Standing, VerdictLine, needs_client_file};

/// How many different misses, and how many findings, are shown.
const GROUPS_SHOWN: usize = 10;
/// How many properties stand on one line where several share a reason.
const PLACES_A_LINE: usize = 3;
/// How many names stand in a row of the heading.
const NAMES_SHOWN: usize = 8;
/// How long a reason may be before it is cut, in characters.
const BECAUSE_MAX: usize = 240;

/// How many sections come before the first counter-example.
const BEFORE_EXAMPLE: usize = 3;

/// The whole report: verdicts, the first counter-example in full, misses, findings, faults, counts, exit and why.
pub fn human<'a>(content: impl Into<Content<'a>>, paint: Paint) -> String {
    let account = Account::of(content);
    if account.is_of_a_console() {
        let sections = [heading(&account, paint)].into_iter().chain(console::sections(&account, paint));
        return joined(sections.chain([closing(&account, paint)]));
    }
    let sections = [
        heading(&account, paint),
        runs(&account, paint),
        verdicts(&account, paint),
        violations::first(&account, paint),
        violations::others(&account, paint),
        known::section(&account, paint),
        fixed(&account, paint),
        coverage(&account, paint),
        unclear(&account, paint),
        misses(&account, paint),
        refused(&account, paint),
        greeted(&account, paint),
        findings(&account, paint),
        faults(&account, paint),
    ];
    let closing = closing(&account, paint);
    // Where a log's last lines reach up to the first counter-example, they have it.
    let from_there = sections.iter().skip(BEFORE_EXAMPLE).filter(|section| !section.is_empty());
    let lines: usize = from_there.map(|section| section.lines().count() + 1).sum();
    let is_long = lines + closing.lines().count() > LAST_LINES;
    let in_short = if is_long { in_short(&account, paint) } else { String::new() };
    let text = joined(sections);
    joined([text, in_short, closing])
}

fn joined(sections: impl IntoIterator<Item = String>) -> String {
    let sections: Vec<String> = sections.into_iter().filter(|section| !section.is_empty()).collect();
    sections.join("\n")
}

fn heading(account: &Account<'_>, paint: Paint) -> String {
    let Some(run) = account.runs.first() else {
        return String::new();
    };
    let title = format!("faultdeck {} {}", visible(&run.faultdeck), visible(&run.verb));
    let mut text = format!("{}, {}\n", paint.heading(&title), seeds(&account.seeds()));
    let mut row = |name: &str, values: Vec<&str>| {
        if !values.is_empty() {
            let more = values.len().saturating_sub(NAMES_SHOWN);
            let mut values: Vec<_> = values.into_iter().take(NAMES_SHOWN).map(visible).collect();
            if more > 0 {
                values.push(format!("and {more} more").into());
            }
            text.push_str(&format!("  {name:<9} {}\n", values.join(", ")));
        }
    };
    row("console", account.distinct(|run| run.console.as_deref()));
    row("cassette", account.distinct(|run| run.cassette.as_deref()));
    row("scenario", account.distinct(|run| run.scenario.as_deref().filter(|name| !name.is_empty())));
    row("client", account.distinct(|run| run.client.as_deref().filter(|client| !client.is_empty())));
    let command = run.command.iter().map(|word| shell_word(word)).collect::<Vec<_>>().join(" ");
    row("command", if command.is_empty() { Vec::new() } else { vec![&command] });
    text
}

/// `seed 3`, `seeds 1 to 50`, `seeds 1, 7, 9`.
pub(super) fn seeds(seeds: &[u64]) -> String {
    match seeds {
        [one] => format!("seed {one}"),
        [first, .., last] if last.checked_sub(*first) == Some(seeds.len() as u64 - 1) => {
            format!("seeds {first} to {last}")
        }
        several => {
            let named: Vec<String> = several.iter().take(NAMES_SHOWN).map(u64::to_string).collect();
            let more = several.len().saturating_sub(NAMES_SHOWN);
            let more = if more > 0 { format!(" and {more} more") } else { String::new() };
            format!("seeds {}{more}", named.join(", "))
        }
    }
}

/// The answers of what was asked for, in a table; then, a line each, what held beside them and what was not
/// judged.
fn verdicts(account: &Account<'_>, paint: Paint) -> String {
    if account.verdicts.is_empty() {
        return String::new();
    }
    let is_answered = |verdict: &&VerdictLine| verdict.required || verdict.verdict == Standing::Violated;
    let (lacking, judged): (Vec<&VerdictLine>, Vec<&VerdictLine>) =
        account.verdicts.iter().copied().partition(|verdict| verdict.verdict == Standing::NotApplicable);
    let (answered, idle): (Vec<&VerdictLine>, Vec<&VerdictLine>) = judged.into_iter().partition(is_answered);
    let (held, idle): (Vec<&VerdictLine>, Vec<&VerdictLine>) =
        idle.into_iter().partition(|verdict| verdict.verdict == Standing::Held);
    let mut text = format!("{}\n", paint.heading("Verdicts"));
    if !answered.is_empty() {
        text.push_str(&matrix::matrix(&answered, paint));
    }
    if answered.iter().any(|verdict| !verdict.required) {
        text.push_str("  * not asked for by the scenario: for information only\n");
    }
    if !held.is_empty() {
        text.push_str(&format!("  {} more held: {}\n", held.len(), ids(&held)));
    }
    for (because, properties) in by_reason(&lacking) {
        text.push_str(&format!("  not applicable: {} ({})\n", ids(&properties), visible(because)));
    }
    // What was seen under several stories has its reasons; of one story the ledger has them.
    let is_of_all = idle.iter().all(|verdict| verdict.scenario.is_empty());
    let reasons = by_reason(&idle);
    if reasons.len() > 1 && !is_of_all {
        text.push_str(&format!("  not judged: {}\n", ids(&idle)));
    } else {
        // Of a command that was observed, what the wire could show comes first.
        let is_hidden = |verdicts: &[&VerdictLine]| verdicts.iter().any(|verdict| needs_client_file(verdict));
        let (hidden, shown): (Vec<_>, Vec<_>) =
            reasons.into_iter().partition(|(_, properties)| is_hidden(properties));
        let from_the_wire = if hidden.is_empty() { "not judged" } else { "judged from the wire alone" };
        let words = [(from_the_wire, shown), ("not judged", hidden)];
        for (words, reasons) in words {
            for (because, properties) in reasons {
                text.push_str(&format!("  {words}: {} ({})\n", ids(&properties), visible(because)));
            }
        }
    }
    text
}

/// The properties of these verdicts, each once.
fn ids(verdicts: &[&VerdictLine]) -> String {
    let ids: BTreeSet<&str> = verdicts.iter().map(|verdict| verdict.property.as_str()).collect();
    visible(&ids.into_iter().collect::<Vec<_>>().join(", ")).into_owned()
}

/// The verdicts that share a reason.
fn by_reason<'a>(verdicts: &[&'a VerdictLine]) -> BTreeMap<&'a str, Vec<&'a VerdictLine>> {
    let mut reasons: BTreeMap<&str, Vec<&VerdictLine>> = BTreeMap::new();
    for verdict in verdicts {
        reasons.entry(&verdict.because).or_default().push(verdict);
    }
    reasons
}

/// What was found before and holds now.
fn fixed(account: &Account<'_>, paint: Paint) -> String {
    let lines: Vec<String> = (account.fixed())
        .map(|verdict| {
            let file = verdict.found.as_deref().unwrap_or_default();
            format!("  {} holds now: {}\n", visible(&verdict.property), visible(file))
        })
        .collect();
    if lines.is_empty() {
        return String::new();
    }
    format!("{}\n{}", paint.good("Fixed: counter-examples found before"), lines.concat())
}

/// Properties that were asked for and got no answer, by reason.
fn unclear(account: &Account<'_>, paint: Paint) -> String {
    let open = account.verdicts.iter().filter(|verdict| {
        verdict.required && matches!(verdict.verdict, Standing::NotReached | Standing::Inconclusive)
    });
    let mut reasons: BTreeMap<(&str, &str), Vec<String>> = BTreeMap::new();
    for verdict in open {
        let place = format!("{} ({})", verdict.property, verdict.scenario);
        reasons.entry((word(verdict.verdict), &verdict.because)).or_default().push(place);
    }
    if reasons.is_empty() {
        return String::new();
    }
    let mut text = format!("{}\n", paint.heading("Asked for, without an answer"));
    for ((word, because), places) in reasons {
        text.push_str(&format!("  {word}: {}\n", visible(because)));
        for places in places.chunks(PLACES_A_LINE) {
            text.push_str(&format!("    {}\n", visible(&places.join(", "))));
        }
    }
    text
}

fn misses(account: &Account<'_>, paint: Paint) -> String {
    let misses = account.misses();
    if misses.is_empty() {
        return String::new();
    }
    let mut text = format!("{}\n", paint.heading("Requests that no recording answers"));
    for (miss, times) in misses.iter().take(GROUPS_SHOWN) {
        let target = target(miss.target);
        text.push_str(&format!(
            "  {} {target}{}: {}\n",
            visible(miss.method),
            often(*times),
            visible(miss.cause)
        ));
        for near in miss.nearest.iter().take(3) {
            text.push_str(&format!("    nearest: {}\n", visible(near)));
        }
    }
    text.push_str(&and_more(misses.len()));
    text
}

fn refused(account: &Account<'_>, paint: Paint) -> String {
    let refused = account.refused();
    if refused.is_empty() {
        return String::new();
    }
    let mut text = format!("{}\n", paint.heading("Requests that were refused before anybody was asked"));
    for (refused, times) in refused.iter().take(GROUPS_SHOWN) {
        text.push_str(&format!("  {}{}\n", refused_line(refused), often(*times)));
    }
    text.push_str(&and_more(refused.len()));
    text
}

fn greeted(account: &Account<'_>, paint: Paint) -> String {
    let greeted = account.greeted();
    if greeted.is_empty() {
        return String::new();
    }
    let mut text = format!("{}\n", paint.heading("Faults of connections"));
    for ((kind, did), times) in greeted.iter().take(GROUPS_SHOWN) {
        text.push_str(&format!("  {} [{}]{}\n", visible(did), visible(kind), often(*times)));
    }
    text.push_str(&and_more(greeted.len()));
    text
}

fn findings(account: &Account<'_>, paint: Paint) -> String {
    let findings = account.findings();
    if findings.is_empty() {
        return String::new();
    }
    let mut text = format!("{}\n", paint.heading("Findings"));
    for ((at, finding), times) in findings.iter().take(GROUPS_SHOWN) {
        text.push_str(&format!("  {}: {}{}\n", target(at), visible(finding), often(*times)));
    }
    text.push_str(&and_more(findings.len()));
    text
}

fn faults(account: &Account<'_>, paint: Paint) -> String {
    let mut text = String::new();
    let never = account.end.map_or(&[][..], |end| &end.never_fired[..]);
    if !never.is_empty() {
        text.push_str(&format!("{}\n", paint.doubtful("Planned faults that never fired")));
        for planned in never {
            text.push_str(&format!("  {}\n", visible(planned)));
        }
    }
    let in_force = account.end.map_or(&[][..], |end| &end.in_force[..]);
    if !in_force.is_empty() {
        let title = "Planned faults that were in force: whether a client met them cannot be known";
        text.push_str(&format!("{}\n", paint.doubtful(title)));
        for planned in in_force {
            text.push_str(&format!("  {}\n", visible(planned)));
        }
    }
    text
}

fn closing(account: &Account<'_>, paint: Paint) -> String {
    let counts = account.counts();
    let mut text = if account.is_of_a_console() { console::sent(account) } else { served(&counts) };
    if account.passed_over > 0 {
        text.push_str(&format!(
            "{} more misses, refusals and remarks: see the ledger\n",
            account.passed_over
        ));
    }
    match account.end {
        None => text.push_str("The ledger has no closing line: the run was cut short.\n"),
        Some(end) => {
            if let Some(command) = &end.command {
                text.push_str(&format!("command: {}\n", visible(command)));
            }
            text.push_str(&lost(end));
            text.push_str(&exit_line(end, paint));
        }
    }
    text
}

/// What was served, and from what; a model answers only where there is no recording.
pub(super) fn served(counts: &Counts) -> String {
    let sum = &counts.sum;
    let computed = if sum.computed > 0 { format!(" ({} computed)", sum.computed) } else { String::new() };
    let mut from = vec![format!("{} from the recording{computed}", sum.recorded)];
    if sum.modelled > 0 {
        from.push(format!("{} from the model", sum.modelled));
    }
    from.push(format!("{} by rule", sum.synthesised));
    from.push(format!("{} by fault", sum.by_fault));
    from.push(plural(sum.misses, "miss", "misses"));
    let refused = if sum.refused > 0 { format!("; {} refused", sum.refused) } else { String::new() };
    format!(
        "{} served: {}{refused}; {} fired; {} to another host\n",
        plural(sum.served, "request", "requests"),
        from.join(", "),
        plural(sum.faults, "fault", "faults"),
        plural(counts.dials, "connection", "connections"),
    )
}

/// What is missing from this ledger, and why.
fn lost(end: &EndLine) -> String {
    let mut text = String::new();
    if end.lost_lines > 0 {
        let lines = plural(end.lost_lines, "ledger line", "ledger lines");
        text.push_str(&format!("{lines} did not fit in memory: this report is about the start of the run\n"));
    }
    if !end.elsewhere.is_empty() {
        let whom = visible(&end.elsewhere.join(", ")).into_owned();
        text.push_str(&format!("the command wanted to reach somebody else, and could not: {whom}\n"));
    }
    if end.closed_sessions > 0 {
        let sessions = plural(end.closed_sessions, "session was", "sessions were");
        text.push_str(&format!(
            "{sessions} closed because too many were open; asked again, they start over\n"
        ));
    }
    text
}

fn exit_line(end: &EndLine, paint: Paint) -> String {
    let word = format!("exit {} ({})", end.exit.code(), end.exit.word());
    let painted = match end.exit {
        Exit::Passed => paint.good(&word),
        Exit::Inconclusive => paint.doubtful(&word),
        Exit::Failed | Exit::BadInput | Exit::Defect => paint.bad(&word),
    };
    let because = cut(&end.because);
    if because.is_empty() { format!("{painted}\n") } else { format!("{painted}: {because}\n") }
}

/// A reason made visible, at a length that one reads to the end: all of it stands elsewhere in the ledger.
fn cut(because: &str) -> String {
    let mut shown: String = visible(because).chars().take(BECAUSE_MAX).collect();
    if because.chars().count() > BECAUSE_MAX {
        shown.push_str(" ...");
    }
    shown
}

fn plural(count: u64, one: &str, many: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { many })
}

fn often(times: usize) -> String {
    if times > 1 { format!(" ({times} times)") } else { String::new() }
}

fn and_more(groups: usize) -> String {
    let more = groups.saturating_sub(GROUPS_SHOWN);
    if more > 0 { format!("  and {more} more: see the ledger\n") } else { String::new() }
}

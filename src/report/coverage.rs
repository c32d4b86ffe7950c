//! Coverage, for a person: of a judgement a row a law, and a line each for what the cases were like; of a command a row an
//! endpoint, and a line each for what was there to be seen.

use std::collections::BTreeMap;

use super::account::Account;
use super::table::{Cell, aligned};
use super::{Paint, visible};
use crate::ledger::{CoverageLine, LawCoverage};

/// How many that were not met are named.
const MISSING_SHOWN: usize = 8;

/// The section, or nothing where no judgement said what it reached.
pub(super) fn coverage(account: &Account<'_>, paint: Paint) -> String {
    let several = account.coverage.len() > 1;
    let of_each = account.coverage.iter().map(|line| {
        let client = if several { format!(" of {}", visible(&line.client)) } else { String::new() };
        format!("{}\n{}{}", paint.heading(&format!("Coverage{client}")), table(line), lines(line))
    });
    of_each.chain([seen(account, paint)]).collect()
}

/// What a command was seen to do, if it asked for anything.
fn seen(account: &Account<'_>, paint: Paint) -> String {
    let Some(seen) = account.seen.filter(|seen| !seen.endpoints.is_empty()) else { return String::new() };
    let mut rows = vec![["endpoint", "requests", "statuses", "states", "faults"].map(Cell::plain).to_vec()];
    for (endpoint, it) in &seen.endpoints {
        let endpoint = if endpoint.is_empty() { "a path that no profile knows" } else { endpoint };
        let cells = [
            visible(endpoint).into_owned(),
            it.requests.to_string(),
            counts(&it.statuses),
            counts(&it.states),
            counts(&it.faults),
        ];
        rows.push(cells.map(Cell::plain).to_vec());
    }
    let mut text = format!("{}\n{}", paint.heading("Coverage"), aligned(&rows));
    let mut share = |what: &str, (reached, of): (usize, usize), missing: &[String]| {
        if of > 0 {
            text.push_str(&format!("  {reached} of {of} {what}{}\n", not(missing)));
        }
    };
    let unused: Vec<String> = seen.unused().map(str::to_owned).collect();
    share("recorded endpoints", seen.recorded.counts(), &seen.recorded.missing);
    share("recorded interactions", seen.used(), &unused);
    share("states of tasks", seen.states.counts(), &seen.states.missing);
    share("planned faults", seen.faults.counts(), &seen.faults.missing);
    if seen.widest() > 0 {
        text.push_str(&format!("  selectors up to {} wide and {} deep\n", seen.widest(), seen.deepest()));
    }
    text
}

fn counts<K: std::fmt::Display>(counts: &BTreeMap<K, u64>) -> String {
    let words: Vec<String> = counts
        .iter()
        .map(|(key, count)| if *count == 1 { key.to_string() } else { format!("{key} x{count}") })
        .collect();
    visible(&words.join(" ")).into_owned()
}

fn table(line: &CoverageLine) -> String {
    let mut rows = vec![["law", "cases", "kinds of faults", "states", "found"].map(Cell::plain).to_vec()];
    let mut laws: Vec<LawCoverage> = Vec::new();
    for law in &line.laws {
        match laws.iter_mut().find(|known| known.property == law.property) {
            Some(known) => add(known, law),
            None => laws.push(law.clone()),
        }
    }
    for law in laws {
        let found = match law.cases.checked_div(law.broken) {
            Some(0 | 1) => "in each case".to_owned(),
            Some(cases) => format!("once in {cases} cases"),
            None => String::new(),
        };
        let states: Vec<&str> = STATES.into_iter().filter(|state| law.states.contains_key(*state)).collect();
        rows.push(vec![
            Cell::plain(visible(&law.property)),
            Cell::plain(format!("{} of {}", law.cases, law.judged)),
            Cell::plain(law.faults.len().to_string()),
            Cell::plain(states.join(" ")),
            Cell::plain(found),
        ]);
    }
    aligned(&rows)
}

/// The states in the order of a task's life.
const STATES: [&str; 6] = ["waiting", "working", "partial", "done", "failed", "cancelled"];

fn add(sum: &mut LawCoverage, law: &LawCoverage) {
    sum.judged += law.judged;
    sum.cases += law.cases;
    sum.broken += law.broken;
    for (kind, cases) in &law.faults {
        *sum.faults.entry(kind.clone()).or_default() += cases;
    }
    for (state, cases) in &law.states {
        *sum.states.entry(state.clone()).or_default() += cases;
    }
}

fn lines(line: &CoverageLine) -> String {
    let mut text = String::new();
    if !line.laws_not_reached.is_empty() {
        text.push_str(&format!("  put to no test: {}\n", visible(&line.laws_not_reached.join(", "))));
    }
    for (what, it) in [("states of tasks", &line.states), ("kinds of faults", &line.faults)] {
        let (reached, of) = it.counts();
        if of > 0 {
            text.push_str(&format!("  {reached} of {of} {what}{}\n", not(&it.missing)));
        }
    }
    let drawn = &line.drawn;
    if drawn.cases > 0 {
        let share = |part: u64| format!("{} %", part * 100 / drawn.cases);
        text.push_str(&format!(
            "  {} drawn cases: {} with faults, {} with an error, {} whole, {} with brackets, {} beyond ASCII, {} with \
             something empty; selectors up to {} wide and {} deep\n",
            drawn.cases,
            share(drawn.disturbed),
            share(drawn.errors),
            share(drawn.whole),
            share(drawn.deep),
            share(drawn.unicode),
            share(drawn.empty),
            drawn.widest,
            drawn.deepest
        ));
    }
    text
}

fn not(missing: &[String]) -> String {
    if missing.is_empty() {
        return String::new();
    }
    let named: Vec<&str> = missing.iter().take(MISSING_SHOWN).map(String::as_str).collect();
    let more = missing.len() - named.len();
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    format!("; not {}{more}", visible(&named.join(", ")))
}

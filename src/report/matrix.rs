//! The table of verdicts: a row a property and scenario, or a row a property where those would be too many.

use std::collections::BTreeMap;

use super::account::word;
use super::table::{Cell, aligned};
use super::{Paint, visible};
use crate::ledger::{Standing, VerdictLine};

/// What stands for a violation that is known.
const KNOWN: &str = "known";
/// How many rows a table has before it is told by property alone.
const ROWS_MAX: usize = 40;

/// The table in lines of text.
pub(super) fn matrix(verdicts: &[&VerdictLine], paint: Paint) -> String {
    let table = aligned(&rows(verdicts, paint));
    match is_by_property(verdicts) {
        true => format!("{table}  in each scenario: `--report json=FILE`, and the ledger\n"),
        false => table,
    }
}

fn keys<'a>(verdicts: &[&'a VerdictLine]) -> Vec<(&'a str, &'a str)> {
    distinct(verdicts.iter().map(|verdict| (verdict.property.as_str(), verdict.scenario.as_str())))
}

fn is_by_property(verdicts: &[&VerdictLine]) -> bool {
    keys(verdicts).len() > ROWS_MAX
}

/// One row per property and scenario, one column per client; where that is no table to read, one row per property. The first row
/// is the head.
pub(super) fn rows(verdicts: &[&VerdictLine], paint: Paint) -> Vec<Vec<Cell>> {
    let clients = distinct(verdicts.iter().map(|verdict| verdict.client.as_str()));
    if is_by_property(verdicts) {
        return by_property(verdicts, &clients, paint);
    }
    let mut rows = vec![head(&["property", "scenario"], &clients)];
    for (property, scenario) in keys(verdicts) {
        let mut row = vec![Cell::plain(visible(property)), Cell::plain(visible(scenario))];
        for client in &clients {
            let of = |verdict: &&&VerdictLine| {
                verdict.property == property && verdict.scenario == scenario && verdict.client == *client
            };
            let of: Vec<&VerdictLine> = verdicts.iter().filter(of).copied().collect();
            row.push(match of.as_slice() {
                [] => Cell::plain("-"),
                [one] => cell(one, paint),
                // Under several seeds, or on several machines.
                several => sum(several.iter().copied(), paint),
            });
        }
        rows.push(row);
    }
    rows
}

/// Each value once, in the order of first sight.
fn distinct<T: PartialEq>(values: impl Iterator<Item = T>) -> Vec<T> {
    let mut known = Vec::new();
    for value in values {
        if !known.contains(&value) {
            known.push(value);
        }
    }
    known
}

fn head(first: &[&str], clients: &[&str]) -> Vec<Cell> {
    let client = |client: &&str| {
        Cell::plain(if client.is_empty() { "verdict".to_owned() } else { visible(client).into_owned() })
    };
    first.iter().map(|name| Cell::plain(*name)).chain(clients.iter().map(client)).collect()
}

fn cell(verdict: &VerdictLine, paint: Paint) -> Cell {
    let mut text = if verdict.let_pass().is_some() { KNOWN } else { word(verdict.verdict) }.to_owned();
    if verdict.cases > 1 {
        text.push_str(&format!(" ({} cases)", verdict.cases));
    }
    if !verdict.required {
        text.push('*');
    }
    match verdict.let_pass() {
        Some(_) => Cell::plain(text),
        None => painted(verdict.verdict, text, paint),
    }
}

fn painted(standing: Standing, text: String, paint: Paint) -> Cell {
    let painted = match standing {
        Standing::Held => paint.good(&text),
        Standing::Violated => paint.bad(&text),
        Standing::NotApplicable => text.clone(),
        Standing::NotReached | Standing::Inconclusive => paint.doubtful(&text),
    };
    Cell::painted(text, painted)
}

/// One row per property: in how many scenarios it was violated, and what else it came to there.
fn by_property(verdicts: &[&VerdictLine], clients: &[&str], paint: Paint) -> Vec<Vec<Cell>> {
    let mut rows = vec![head(&["property"], clients)];
    for property in distinct(verdicts.iter().map(|verdict| verdict.property.as_str())) {
        let mut row = vec![Cell::plain(visible(property))];
        for client in clients {
            let of = |verdict: &&&VerdictLine| verdict.property == property && verdict.client == *client;
            row.push(sum(verdicts.iter().filter(of).copied(), paint));
        }
        rows.push(row);
    }
    rows
}

/// What the verdicts on one property come to, the weightiest first.
fn sum<'a>(verdicts: impl Iterator<Item = &'a VerdictLine>, paint: Paint) -> Cell {
    const ORDER: [Standing; 5] = [
        Standing::Violated,
        Standing::Inconclusive,
        Standing::NotReached,
        Standing::Held,
        Standing::NotApplicable,
    ];
    let mut counts: BTreeMap<(usize, bool), usize> = BTreeMap::new();
    let mut known = 0_usize;
    for verdict in verdicts {
        if verdict.let_pass().is_some() {
            known += 1;
            continue;
        }
        let place = ORDER.iter().position(|standing| *standing == verdict.verdict).unwrap_or(ORDER.len());
        *counts.entry((place, !verdict.required)).or_default() += 1;
    }
    let part = |((place, is_beside), count): (&(usize, bool), &usize)| {
        let standing = ORDER.get(*place).copied().unwrap_or(Standing::NotApplicable);
        let star = if *is_beside { "*" } else { "" };
        format!("{} in {count}{star}", word(standing))
    };
    let known = (known > 0).then(|| format!("{KNOWN} in {known}"));
    let text = counts.iter().map(part).chain(known).collect::<Vec<_>>().join(", ");
    let first = counts.keys().next().and_then(|(place, _)| ORDER.get(*place)).copied();
    match first {
        Some(standing) => painted(standing, text, paint),
        None if text.is_empty() => Cell::plain("-"),
        None => Cell::plain(text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verdict(property: &str, scenario: &str, verdict: Standing, required: bool) -> VerdictLine {
        VerdictLine {
            property: property.into(),
            scenario: scenario.into(),
            client: "mine".into(),
            verdict,
            required,
            because: String::new(),
            evidence: Vec::new(),
            cases: 1,
            session: None,
            found: None,
            repeat: None,
            rests_on: None,
            known: None,
        }
    }

    #[test]
    fn a_table_of_many_rows_is_told_by_property() {
        let mut verdicts: Vec<VerdictLine> =
            (0..50).map(|n| verdict("terminates", &format!("s{n}"), Standing::Held, true)).collect();
        verdicts.push(verdict("terminates", "t", Standing::Violated, false));
        verdicts.push(verdict("terminates", "u", Standing::Violated, true));
        verdicts.push(verdict("creates-once", "t", Standing::NotReached, true));
        let all: Vec<&VerdictLine> = verdicts.iter().collect();
        let expected = "  property      mine
  terminates    VIOLATED in 1, VIOLATED in 1*, held in 50
  creates-once  not reached in 1
  in each scenario: `--report json=FILE`, and the ledger
";
        assert_eq!(matrix(&all, Paint::Plain), expected);
        assert!(matrix(&all[..10], Paint::Plain).contains("s9"));
    }

    #[test]
    fn a_cell_of_several_runs_hides_no_violation() {
        let of = |standing| verdict("terminates", "s", standing, true);
        let verdicts = [of(Standing::Held), of(Standing::Violated), of(Standing::Held)];
        let all: Vec<&VerdictLine> = verdicts.iter().collect();
        let text = matrix(&all, Paint::Plain);
        assert!(text.contains("  terminates  s         VIOLATED in 1, held in 2\n"), "{text}");
    }
}

//! Tables as text: a first row of names, then rows with as many fields, between commas, semicolons, tabs or bars.

use std::ops::Range;

use super::super::names::NAME_MAX;
use super::super::place::{Place, What};
use super::super::rules::Rules;
use super::{Find, counts};

/// More columns than any export has.
const COLUMNS_MAX: usize = 1024;

pub(super) fn find(bytes: &[u8], rules: &Rules) -> Vec<Find> {
    let mut rows = rows(bytes);
    let Some(head) = rows.next() else { return Vec::new() };
    let line = bytes.get(head.clone()).unwrap_or_default();
    let Some(separator) = [b'\t', b';', b',', b'|'].into_iter().find(|byte| line.contains(byte)) else {
        return one_column(bytes, &head, rules);
    };
    let names = fields(bytes, head, separator);
    let text =
        |at: &Range<usize>| String::from_utf8_lossy(bytes.get(at.clone()).unwrap_or_default()).into_owned();
    let is_name = |name: &str| name.len() <= NAME_MAX && !name.contains(['=', ':', '<', '{', '(']);
    if names.len() > COLUMNS_MAX || !names.iter().all(|at| is_name(&text(at))) {
        return Vec::new();
    }
    let columns: Vec<_> = names.iter().map(|at| rules.likeness(&text(at)).map(|it| (text(at), it))).collect();
    if columns.iter().all(Option::is_none) {
        return Vec::new();
    }
    let mut found = Vec::new();
    for row in rows {
        let fields = fields(bytes, row, separator);
        if fields.len() != columns.len() {
            continue;
        }
        for (at, column) in fields.into_iter().zip(&columns) {
            if let Some((name, likeness)) = column
                && counts(*likeness, bytes.get(at.clone()).unwrap_or_default())
            {
                found.push(Find { at, place: Place::new(What::Text, name.clone()) });
            }
        }
    }
    found
}

/// A name alone on the first line, a value alone on each other.
fn one_column(bytes: &[u8], head: &Range<usize>, rules: &Rules) -> Vec<Find> {
    let name = String::from_utf8_lossy(bytes.get(head.clone()).unwrap_or_default()).trim().to_owned();
    let Some(likeness) = rules.likeness(&name) else { return Vec::new() };
    let is_one = |at: &Range<usize>| !bytes.get(at.clone()).unwrap_or_default().contains(&b' ');
    let values = rows(bytes).skip(1).filter(|at| is_one(at));
    values
        .filter(|at| counts(likeness, bytes.get(at.clone()).unwrap_or_default()))
        .map(|at| Find { at, place: Place::new(What::Text, name.clone()) })
        .collect()
}

fn rows(bytes: &[u8]) -> impl Iterator<Item = Range<usize>> {
    let mut at = 0;
    bytes.split(|byte| *byte == b'\n').filter_map(move |line| {
        let start = at;
        at += line.len() + 1;
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        (!line.is_empty()).then_some(start..start + line.len())
    })
}

/// The fields of a row without their quotes.
fn fields(bytes: &[u8], row: Range<usize>, separator: u8) -> Vec<Range<usize>> {
    let mut all = Vec::new();
    let (mut start, mut in_quotes) = (row.start, false);
    let line = bytes.get(row.clone()).unwrap_or_default();
    let mut end_field = |start: usize, end: usize| {
        let field = bytes.get(start..end).unwrap_or_default();
        let quoted = field.len() >= 2 && field.starts_with(b"\"") && field.ends_with(b"\"");
        all.push(if quoted { start + 1..end - 1 } else { start..end });
    };
    for (place, byte) in line.iter().enumerate() {
        match byte {
            b'"' => in_quotes = !in_quotes,
            byte if *byte == separator && !in_quotes => {
                end_field(start, row.start + place);
                start = row.start + place + 1;
            }
            _ => {}
        }
    }
    end_field(start, row.end);
    all
}

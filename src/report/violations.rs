//! All violations, by law: the smallest one on a screen of its own, and of each law how many there are.

use std::collections::BTreeSet;

use super::account::Account;
use super::columns::{WIDTH_MAX, broken};
use super::example::{again, example};
use super::{Paint, visible};
use crate::ledger::VerdictLine;

/// How many lines a reason takes in the list.
const BECAUSE_MAX: usize = 2;
/// How many scenarios are named.
const PLACES_SHOWN: usize = 4;
/// How many further kinds of one law's violations are told.
const KINDS_SHOWN: usize = 3;

/// The violations of one law by one client.
struct Group<'a> {
    /// The smallest first, those of what was asked for before others.
    violations: Vec<&'a VerdictLine>,
}

/// The smallest counter-example of the first law that is broken, whole.
pub(super) fn first(account: &Account<'_>, paint: Paint) -> String {
    let groups = groups(account);
    groups
        .first()
        .and_then(Group::smallest)
        .map_or_else(String::new, |verdict| example(account, verdict, paint))
}

/// What else is violated of all that was asked for: a law at a time.
pub(super) fn others(account: &Account<'_>, paint: Paint) -> String {
    let mut text = String::new();
    for (place, group) in groups(account).iter().enumerate() {
        let shown = usize::from(place == 0);
        text.push_str(&group.entry(shown));
    }
    if text.is_empty() { text } else { format!("{}\n{text}", paint.heading("Also violated")) }
}

fn groups<'a>(account: &Account<'a>) -> Vec<Group<'a>> {
    let mut groups: Vec<Group<'a>> = Vec::new();
    for verdict in account.violations() {
        let is_like = |group: &&mut Group<'a>| {
            group
                .smallest()
                .is_some_and(|one| one.property == verdict.property && one.client == verdict.client)
        };
        match groups.iter_mut().find(is_like) {
            Some(group) => group.violations.push(verdict),
            None => groups.push(Group { violations: vec![verdict] }),
        }
    }
    for group in &mut groups {
        group.violations.sort_by_key(|verdict| size(verdict));
    }
    groups
}

/// What is read first: asked for, in few lines, in few words.
fn size(verdict: &VerdictLine) -> (bool, usize, usize) {
    let lines: usize = verdict.evidence.iter().map(|evidence| evidence.lines().count()).sum();
    let words: usize = verdict.evidence.iter().map(String::len).sum();
    (!verdict.required, lines, words)
}

impl<'a> Group<'a> {
    fn smallest(&self) -> Option<&'a VerdictLine> {
        self.violations.first().copied()
    }

    /// The group without those shown elsewhere. Violations of what nobody asked for are told with those that were.
    fn entry(&self, shown: usize) -> String {
        let left = self.violations.get(shown..).unwrap_or_default();
        let (Some(smallest), Some(first)) = (self.smallest(), left.first()) else { return String::new() };
        if !smallest.required {
            return String::new();
        }
        let more = if shown > 0 { "more " } else { "" };
        let mut lines = Vec::new();
        let client = if first.client.is_empty() { String::new() } else { format!(", {}", first.client) };
        match left {
            [one] if shown == 0 => {
                let place = format!("{} ({}{client})", one.property, one.scenario);
                lines.push(format!("{place}: {}", one.because));
            }
            _ => {
                let many = if left.len() == 1 { "scenario" } else { "scenarios" };
                let head = format!("{} ({} {more}{many}{client})", first.property, left.len());
                lines.push(format!("{head}: {}", places(left)));
                lines.push(format!("  {}: {}", first.scenario, first.because));
            }
        }
        let mut text = String::new();
        for line in lines {
            let indent = if line.starts_with(' ') { "    " } else { "  " };
            for line in broken(visible(line.trim_start()).as_ref(), WIDTH_MAX - indent.len(), BECAUSE_MAX) {
                text.push_str(&format!("{indent}{line}\n"));
            }
        }
        for line in further(left) {
            text.push_str(&format!("    {line}\n"));
        }
        for line in first.repeat.iter().flat_map(|repeat| again(repeat, "    ")) {
            text.push_str(&format!("{line}\n"));
        }
        text
    }
}

/// The names of a few scenarios, and how many more there are; those that do not ask for the law are counted.
fn places(verdicts: &[&VerdictLine]) -> String {
    let (asked, beside): (Vec<&&VerdictLine>, Vec<&&VerdictLine>) =
        verdicts.iter().partition(|verdict| verdict.required);
    let names: Vec<&str> = asked.iter().take(PLACES_SHOWN).map(|verdict| verdict.scenario.as_str()).collect();
    let mut parts = vec![names.join(", ")];
    if asked.len() > names.len() {
        parts.push(format!("{} more", asked.len() - names.len()));
    }
    if !beside.is_empty() {
        parts.push(format!("{} where it is not asked for", beside.len()));
    }
    parts.retain(|part| !part.is_empty());
    parts.join(", and ")
}

/// Reasons of another kind than the first, a line each.
fn further(verdicts: &[&VerdictLine]) -> Vec<String> {
    let mut known: BTreeSet<String> =
        verdicts.first().map(|first| kind(&first.because)).into_iter().collect();
    let mut lines = Vec::new();
    for verdict in verdicts {
        if lines.len() < KINDS_SHOWN && known.insert(kind(&verdict.because)) {
            let line = format!("{}: {}", verdict.scenario, verdict.because);
            lines.extend(broken(visible(&line).as_ref(), WIDTH_MAX - 4, 1));
        }
    }
    lines
}

/// A reason without what differs from case to case: numbers, names and values.
fn kind(because: &str) -> String {
    let before_value = because.split(": {").next().unwrap_or(because);
    let plain: Vec<&str> = before_value.split('`').step_by(2).collect();
    plain.concat().chars().filter(|character| !character.is_ascii_digit()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ledger::{Line, Standing};

    fn violated(property: &str, scenario: &str, because: &str, required: bool, lines: usize) -> Line {
        Line::Verdict(VerdictLine {
            property: property.into(),
            scenario: scenario.into(),
            client: "mine".into(),
            verdict: Standing::Violated,
            required,
            because: because.into(),
            evidence: vec!["told:     x".into(); lines],
            cases: 1,
            session: None,
            found: None,
            repeat: Some(format!("faultdeck judge mine --scenario {scenario}")),
            rests_on: None,
            known: None,
        })
    }

    #[test]
    fn many_violations_of_a_law_are_one_entry_with_the_smallest() {
        let mut lines: Vec<Line> = (0..40)
            .map(|n| violated("terminates", &format!("s{n}"), &format!("asked {n} times"), n < 30, 90 - n))
            .collect();
        lines.push(violated("terminates", "odd", "another thing", true, 200));
        lines.push(violated("creates-once", "lost", "twice", true, 3));
        let account = Account::of(&lines);
        let first = first(&account, Paint::Plain);
        assert!(first.contains("VIOLATED: terminates") && first.contains("(s29, mine)"), "{first}");
        let others = others(&account, Paint::Plain);
        let expected = "\
Also violated
  terminates (40 more scenarios, mine): s28, s27, s26, s25, and 26 more, and 10 where it is not asked for
    s28: asked 28 times
    odd: another thing
    repeat it: faultdeck judge mine --scenario s28
  creates-once (lost, mine): twice
    repeat it: faultdeck judge mine --scenario lost
";
        assert_eq!(others, expected);
    }

    #[test]
    fn what_was_not_asked_for_alone_is_no_entry() {
        let lines =
            [violated("terminates", "a", "x", false, 1), violated("creates-once", "b", "y", false, 1)];
        let account = Account::of(&lines);
        assert!(first(&account, Paint::Plain).contains("VIOLATED: terminates"));
        assert_eq!(others(&account, Paint::Plain), "");
    }
}

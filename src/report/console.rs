//! What a person reads of a console that was put to the rules of the API.

use std::collections::BTreeMap;

use super::account::Account;
use super::table::{Cell, aligned};
use super::{Paint, visible};
use crate::ledger::{Standing, VerdictLine};

/// How many departures are shown in full; as many observations.
const SHOWN: usize = 20;
/// How many endpoints are named for one reason.
const NAMED: usize = 4;
/// How many reasons are told.
const REASONS: usize = 15;

/// The sections between heading and closing.
pub(super) fn sections(account: &Account<'_>, paint: Paint) -> Vec<String> {
    let departs: Vec<&VerdictLine> = account.violations();
    let (broken, observed): (Vec<&VerdictLine>, Vec<&VerdictLine>) =
        departs.into_iter().partition(|verdict| verdict.required);
    vec![
        rules(account, paint),
        departures(&paint.bad("The console departs from the published pages"), &broken),
        departures(&paint.heading("Observed: the console is right, and no page says so"), &observed),
        open(account, paint),
    ]
}

/// How many requests there were, in place of what a replay served.
pub(super) fn sent(account: &Account<'_>) -> String {
    let count = account.counts().dials;
    format!("{count} request{} sent, GET and HEAD alone\n", if count == 1 { "" } else { "s" })
}

#[derive(Default)]
struct Counts {
    held: usize,
    departs: usize,
    open: usize,
}

/// One row a rule: what it rests on, and at how many endpoints it holds, does not, and is open.
fn rules(account: &Account<'_>, paint: Paint) -> String {
    let mut order: Vec<&str> = Vec::new();
    let mut rows: BTreeMap<&str, (&str, Counts)> = BTreeMap::new();
    for verdict in &account.verdicts {
        let rests_on = verdict.rests_on.as_deref().unwrap_or_default();
        let (_, counts) = rows.entry(&verdict.property).or_insert_with(|| {
            order.push(&verdict.property);
            (rests_on, Counts::default())
        });
        match verdict.verdict {
            Standing::Held => counts.held += 1,
            Standing::Violated => counts.departs += 1,
            Standing::NotReached | Standing::Inconclusive | Standing::NotApplicable => counts.open += 1,
        }
    }
    let mut table = vec![["rule", "rests on", "holds", "departs", "open"].map(Cell::plain).to_vec()];
    for rule in order {
        let Some((rests_on, counts)) = rows.get(rule) else { continue };
        let number = |count: usize| if count == 0 { "-".to_owned() } else { count.to_string() };
        let departs = number(counts.departs);
        let painted = match (counts.departs, *rests_on) {
            (0, _) => departs.clone(),
            (_, "documented") => paint.bad(&departs),
            _ => paint.doubtful(&departs),
        };
        table.push(vec![
            Cell::plain(visible(rule)),
            Cell::plain(visible(rests_on)),
            Cell::plain(number(counts.held)),
            Cell::painted(departs, painted),
            Cell::plain(number(counts.open)),
        ]);
    }
    if table.len() == 1 {
        return String::new();
    }
    format!("{}\n{}", paint.heading("Rules, and at how many endpoints"), aligned(&table))
}

fn departures(title: &str, verdicts: &[&VerdictLine]) -> String {
    if verdicts.is_empty() {
        return String::new();
    }
    let mut text = format!("{title}\n");
    for verdict in verdicts.iter().take(SHOWN) {
        let rests_on = verdict.rests_on.as_deref().unwrap_or_default();
        text.push_str(&format!(
            "  {} at {} ({})\n    {}\n",
            visible(&verdict.property),
            visible(&verdict.scenario),
            visible(rests_on),
            visible(&verdict.because)
        ));
        for line in verdict.evidence.iter().flat_map(|evidence| evidence.lines()) {
            text.push_str(&format!("    {}\n", visible(line)));
        }
        if let Some(repeat) = &verdict.repeat {
            text.push_str(&format!("    ask it:   {}\n", visible(repeat)));
        }
    }
    if verdicts.len() > SHOWN {
        text.push_str(&format!("  and {} more: see a report in JSON\n", verdicts.len() - SHOWN));
    }
    text
}

/// What was not put to the test or says nothing, by reason.
fn open(account: &Account<'_>, paint: Paint) -> String {
    let mut reasons: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    let is_open =
        |verdict: &&&VerdictLine| matches!(verdict.verdict, Standing::NotReached | Standing::Inconclusive);
    for verdict in account.verdicts.iter().filter(is_open) {
        let places = reasons.entry(&verdict.because).or_default();
        if !places.contains(&verdict.scenario.as_str()) {
            places.push(&verdict.scenario);
        }
    }
    if reasons.is_empty() {
        return String::new();
    }
    let mut text = format!("{}\n", paint.heading("Not put to the test, or without an answer"));
    let others = reasons.len().saturating_sub(REASONS);
    for (because, places) in reasons.into_iter().take(REASONS) {
        let more = places.len().saturating_sub(NAMED);
        let named: Vec<&str> = places.into_iter().take(NAMED).collect();
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        text.push_str(&format!("  {}\n    {}{more}\n", visible(because), visible(&named.join(", "))));
    }
    if others > 0 {
        text.push_str(&format!("  and {others} more reasons: see a report in JSON\n"));
    }
    text
}

#[cfg(test)]
mod tests {
    use crate::ledger::{EndLine, Exit, Line, Reasons, RunLine, Standing, VerdictLine};
    use crate::report::{Paint, human};

    fn verdict(property: &str, endpoint: &str, verdict: Standing, rests_on: &str) -> Line {
        Line::Verdict(VerdictLine {
            property: property.into(),
            scenario: endpoint.into(),
            client: String::new(),
            verdict,
            required: rests_on == "documented",
            because: if verdict == Standing::Held { String::new() } else { format!("why {property}") },
            evidence: Vec::new(),
            cases: 1,
            session: None,
            found: None,
            repeat: (verdict == Standing::Violated).then(|| format!("curl {endpoint}")),
            rests_on: Some(rests_on.into()),
            known: None,
        })
    }

    #[test]
    fn violations_observations_and_what_is_open_stand_apart() {
        let mut reasons = Reasons::default();
        reasons.push(Exit::Failed, "broken");
        let console = Some("https://console.example, Version: 26.0".to_owned());
        let text = human(
            &vec![
                Line::Run(RunLine { verb: "judge".into(), console, ..RunLine::default() }),
                verdict("page-rule", "GET /a", Standing::Violated, "documented"),
                verdict("page-rule", "GET /b", Standing::Held, "documented"),
                verdict("page-rule", "GET /c", Standing::NotReached, "documented"),
                verdict("our-rule", "GET /a", Standing::Violated, "inferred"),
                Line::End(EndLine { dials: 7, ..EndLine::default() }.closed(reasons)),
            ],
            Paint::Plain,
        );
        let place = |part: &str| text.find(part).unwrap_or_else(|| panic!("no {part}: {text}"));
        assert!(text.contains("  page-rule  documented  1      1        1\n"), "{text}");
        assert!(place("The console departs") < place("page-rule at GET /a (documented)"));
        assert!(place("page-rule at GET /a (documented)") < place("Observed:"));
        assert!(place("Observed:") < place("our-rule at GET /a (inferred)"));
        assert!(place("our-rule at GET /a (inferred)") < place("Not put to the test"));
        assert!(place("why page-rule\n    GET /c") < place("7 requests sent, GET and HEAD alone"));
        assert!(place("ask it:   curl GET /a") > 0 && place("exit 1 (failed): broken") > 0);
    }
}

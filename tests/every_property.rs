//! The bundled clients prove each property useful: the careful one keeps them all, the careless one breaks each.

// A test may stop where a fact it relies on does not hold.
#![allow(clippy::unwrap_used, clippy::panic)]

mod harness;

use std::collections::{BTreeMap, BTreeSet};

use faultdeck::judge::PROPERTIES;
use faultdeck::ledger::{self, Line, Standing, VerdictLine};
use faultdeck::profile::Profile;
use faultdeck::scenario::Scenario;
use harness::Lab;

/// Judges a built-in client with few generated cases; the exit code and the verdicts.
fn judge(client: &str) -> (Option<i32>, Vec<VerdictLine>) {
    let lab = Lab::new();
    let finished = lab.run(&["judge", client, "--cases", "25", "--ledger", "ledger.jsonl"]);
    let lines = ledger::read(&lab.read("ledger.jsonl"))
        .unwrap_or_else(|error| panic!("{error}: {}", finished.stderr));
    let verdicts = lines
        .into_iter()
        .filter_map(|line| if let Line::Verdict(verdict) = line { Some(verdict) } else { None });
    (finished.code, verdicts.collect())
}

fn all() -> BTreeSet<String> {
    PROPERTIES.iter().map(|property| property.id.to_owned()).collect()
}

#[test]
fn the_careful_client_violates_nothing_and_reaches_everything() {
    let (code, verdicts) = judge("builtin:careful");
    let violated: Vec<_> = verdicts.iter().filter(|verdict| verdict.verdict == Standing::Violated).collect();
    assert!(violated.is_empty(), "{violated:#?}");
    assert_eq!(code, Some(0));

    let held: BTreeSet<(&str, &str)> = verdicts
        .iter()
        .filter(|verdict| verdict.verdict == Standing::Held)
        .map(|verdict| (verdict.scenario.as_str(), verdict.property.as_str()))
        .collect();
    for (name, _) in Scenario::builtins() {
        let scenario = Scenario::builtin(name, Profile::builtin()).unwrap();
        for named in &scenario.must.hold {
            assert!(
                held.contains(&(*name, named.name.as_str())),
                "`{}` is not held under {name}",
                named.name
            );
        }
    }
    let somewhere: BTreeSet<String> = held.iter().map(|(_, property)| (*property).to_owned()).collect();
    assert_eq!(somewhere, all(), "each property is held somewhere");
}

#[test]
fn each_property_stands_in_the_hold_of_a_scenario_or_is_put_to_generated_cases() {
    let mut asked: BTreeMap<String, usize> = BTreeMap::new();
    for (name, _) in Scenario::builtins() {
        for named in &Scenario::builtin(name, Profile::builtin()).unwrap().must.hold {
            *asked.entry(named.name.clone()).or_default() += 1;
        }
    }
    assert!(asked.len() >= 6, "{asked:?}");
}

#[test]
fn the_careless_client_violates_each_property() {
    let (code, verdicts) = judge("builtin:careless");
    assert_eq!(code, Some(1));
    let violated: BTreeSet<String> = verdicts
        .iter()
        .filter(|verdict| verdict.verdict == Standing::Violated && verdict.required)
        .map(|verdict| verdict.property.clone())
        .collect();
    assert_eq!(violated, all());
    for verdict in verdicts.iter().filter(|verdict| verdict.verdict == Standing::Violated && verdict.required)
    {
        assert!(!verdict.evidence.is_empty() && verdict.repeat.is_some(), "{verdict:?}");
    }
}

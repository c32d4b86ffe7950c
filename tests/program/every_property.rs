//! The bundled clients prove each property useful: the careful one keeps them all, the careless one breaks each.

use crate::harness;

use std::collections::BTreeSet;

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
    let mut asked = BTreeSet::new();
    for (name, _) in Scenario::builtins() {
        let scenario = Scenario::builtin(name, Profile::builtin()).unwrap();
        for named in &scenario.must.hold {
            asked.insert(named.name.clone());
            assert!(
                held.contains(&(*name, named.name.as_str())),
                "`{}` is not held under {name}",
                named.name
            );
        }
    }
    assert_eq!(asked, all(), "each property is asked for by at least one scenario");
    let under_a_scenario = held.iter().filter(|(scenario, _)| *scenario != "generated");
    let somewhere: BTreeSet<String> = under_a_scenario.map(|(_, property)| (*property).to_owned()).collect();
    assert_eq!(somewhere, all(), "each property is held in at least one scenario");
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

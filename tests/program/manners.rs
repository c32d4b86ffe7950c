//! Defects that only stories show: each breaks its property there, and nothing else.

use crate::harness;

use std::collections::BTreeSet;

use faultdeck::bundled::{DEFECTS, Defect};
use faultdeck::judge::property;
use faultdeck::ledger::{self, Line, Standing};
use faultdeck::profile::Profile;
use faultdeck::scenario::Scenario;
use harness::Lab;

/// The first built-in scenario in which this property must hold.
fn story(id: &str) -> Scenario {
    let scenarios =
        Scenario::builtins().iter().filter_map(|(name, _)| Scenario::builtin(name, Profile::builtin()));
    let holds = |scenario: &Scenario| scenario.must.hold.iter().any(|named| named.name == id);
    scenarios.into_iter().find(holds).unwrap()
}

#[test]
fn a_defect_of_stories_breaks_its_property_there_and_no_other() {
    let is_of_stories = |defect: &&Defect| property(defect.property).unwrap().story.is_some();
    let defects: Vec<&Defect> = DEFECTS.iter().filter(is_of_stories).collect();
    assert!(!defects.is_empty());
    for defect in defects {
        let (lab, story) = (Lab::new(), story(defect.property));
        let own = include_str!("../../clients/careless.toml");
        let user = if defect.needs_login { r#""--user", "{user}", "# } else { "" };
        let with = own.replace("\"--base\"", &format!("{user}\"--defect\", \"{}\", \"--base\"", defect.name));
        assert_ne!(own, with);
        let with = if defect.needs_login {
            with.replace(r#"SEC_TOKEN = "{sec}""#, r#"PASSWORD = "{password}""#)
        } else {
            with
        };
        lab.write("one.toml", &with);
        let mut flags = vec!["judge", "one.toml", "--scenario", &story.name, "--ledger", "ledger.jsonl"];
        if story.needs_tls() {
            flags.push("--tls");
        }
        let finished = lab.run(&flags);
        assert_eq!(finished.code, Some(1), "{}: {}{}", defect.name, finished.stdout, finished.stderr);
        let lines = ledger::read(&lab.read("ledger.jsonl")).unwrap();
        let violated = |line: Line| match line {
            Line::Verdict(verdict) if verdict.verdict == Standing::Violated => Some(verdict.property),
            _ => None,
        };
        let violated: BTreeSet<String> = lines.into_iter().filter_map(violated).collect();
        assert_eq!(violated, BTreeSet::from([defect.property.to_owned()]), "{}", defect.name);
        // What `explain` says shows it.
        let explained = lab.run(&["explain", defect.name]).stdout;
        let shown =
            if defect.needs_login { "--user".to_owned() } else { format!("--scenario {}", story.name) };
        assert!(explained.contains(&shown), "{explained}");
    }
}

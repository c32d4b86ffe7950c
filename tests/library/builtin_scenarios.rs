//! The scenarios in the binary are those in `scenarios/`, and every fault has one.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use faultdeck::fault::Fault;
use faultdeck::profile::Profile;
use faultdeck::scenario::{CommandMust, PlannedFault, Scenario};
use faultdeck::timeline::Phase;

fn builtin(name: &str) -> Scenario {
    Scenario::builtin(name, Profile::builtin()).unwrap_or_else(|| panic!("{name} is built in"))
}

/// Names and texts of the files below `folder`, shrunk counter-examples apart.
fn files(folder: &Path, prefix: &str, found: &mut Vec<(String, String)>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        if path.is_dir() && name != "found" {
            files(&path, &format!("{prefix}{name}/"), found);
        } else if let Some(stem) = name.strip_suffix(".toml") {
            found.push((format!("{prefix}{stem}"), fs::read_to_string(&path).unwrap()));
        }
    }
}

#[test]
fn the_binary_holds_every_file_of_the_folder_and_no_other() {
    let mut there = Vec::new();
    files(&Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios"), "", &mut there);
    there.sort();
    let mut embedded: Vec<(String, String)> =
        Scenario::builtins().iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect();
    embedded.sort();
    assert_eq!(there, embedded);
}

#[test]
fn the_six_stories_come_first() {
    let names: Vec<&str> = Scenario::builtins().iter().take(6).map(|(name, _)| *name).collect();
    let stories = [
        "task/not-found",
        "task/server-error",
        "task/partial-completion",
        "task/slow-host",
        "task/lagging-managed-host",
        "task/lost-answer",
    ];
    assert_eq!(names, stories);
    assert_eq!(Scenario::stories().iter().map(|(name, _)| *name).collect::<Vec<_>>(), stories);
}

#[test]
fn every_fault_is_in_a_scenario_of_its_own_or_a_story() {
    let kinds =
        |name: &str| builtin(name).faults.iter().map(|fault| fault.inject.kind()).collect::<BTreeSet<_>>();
    let alone: BTreeSet<&str> = (Scenario::builtins().iter())
        .map(|(name, _)| kinds(name))
        .filter(|kinds| kinds.len() == 1)
        .flatten()
        .collect();
    for row in Fault::CATALOGUE {
        assert!(alone.contains(row.name), "no scenario shows `{}` alone", row.name);
    }
}

#[test]
fn a_last_part_is_enough_and_so_is_the_name_of_former_days() {
    let last = |name: &'static str| name.rsplit('/').next().unwrap();
    let lasts: BTreeSet<&str> = Scenario::builtins().iter().map(|(name, _)| last(name)).collect();
    assert_eq!(lasts.len(), Scenario::builtins().len(), "two scenarios end in one name");
    for (name, text) in Scenario::builtins() {
        for asked in [(*name).to_owned(), last(name).to_owned(), format!("faults/{}", last(name))] {
            assert_eq!(builtin(&asked).text, *text, "{asked}");
        }
    }
}

#[test]
fn there_are_sixty_scenarios_at_least() {
    assert!(Scenario::builtins().len() >= 60, "{}", Scenario::builtins().len());
}

#[test]
fn every_scenario_stands_in_a_folder() {
    let folders: BTreeSet<&str> = (Scenario::builtins().iter())
        .map(|(name, _)| name.split_once('/').unwrap_or_else(|| panic!("{name} is in no folder")).0)
        .collect();
    let known = BTreeSet::from(["task", "lists", "ariel", "network", "tls", "auth", "outage"]);
    assert!(folders.is_subset(&known), "{folders:?}");
}

#[test]
fn every_scenario_teaches_and_says_what_must_hold() {
    for (name, text) in Scenario::builtins() {
        let scenario = builtin(name);
        assert!(text.starts_with("# "), "{name} opens with what it teaches");
        let comment: Vec<&str> = text.lines().map_while(|line| line.strip_prefix('#')).collect();
        let comment = comment.join(" ");
        let (_, aim) =
            comment.split_once("Aimed at").unwrap_or_else(|| panic!("{name} says what it is aimed at"));
        for named in &scenario.must.hold {
            assert!(aim.contains(&format!("`{}`", named.name)), "{name} is aimed at `{}`", named.name);
        }
        assert_eq!(
            scenario.must.command,
            CommandMust::Passes,
            "{name} asks of a command what any scenario does"
        );
        assert!(scenario.summary.ends_with('.') && !scenario.must.hold.is_empty(), "{name}");
        let is_sure = |fault: &PlannedFault| fault.when.chance.is_none() && !fault.inject.is_identity();
        assert!(scenario.faults.iter().all(is_sure), "{name} leaves nothing to chance");
    }
}

#[test]
fn errors_fire_on_every_poll_from_the_first() {
    let poll = "GET /forensics/case_management/case_create_tasks/{id}";
    for name in ["not-found", "server-error"] {
        let fault = &builtin(name).faults[0];
        let resource = "/api/forensics/case_management/case_create_tasks/7";
        assert!((1..100).all(|nth| fault.fires(faultdeck::seed::Seed(1), "main", poll, resource, nth)));
    }
}

#[test]
fn partial_tasks_walk_through_all_four_states_and_stay_partial_for_several_polls() {
    for name in ["partial-completion", "lagging-managed-host"] {
        let deployment = builtin(name).deployment.unwrap();
        let phases: Vec<Phase> = deployment.phases().into_iter().map(|(_, phase)| phase).collect();
        assert_eq!(phases, [Phase::Waiting, Phase::Working, Phase::Partial, Phase::Done]);
        let partial =
            (0..deployment.settles()).filter(|tick| deployment.phase_at(*tick) == Phase::Partial).count();
        assert!(partial > 2, "{name}");
    }
}

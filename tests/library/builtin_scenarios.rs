//! The scenarios in the binary are those in `scenarios/`, and every fault has one.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use faultdeck::fault::Fault;
use faultdeck::profile::Profile;
use faultdeck::scenario::{CommandMust, Scenario};
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
        "not-found",
        "server-error",
        "partial-completion",
        "slow-host",
        "lagging-managed-host",
        "lost-answer",
    ];
    assert_eq!(names, stories);
}

#[test]
fn every_fault_is_in_a_story_or_has_a_scenario_of_its_name() {
    let kinds =
        |name: &str| builtin(name).faults.iter().map(|fault| fault.inject.kind()).collect::<BTreeSet<_>>();
    let all = Scenario::builtins().iter().map(|(name, _)| *name);
    let in_stories: BTreeSet<&str> = all.filter(|name| !name.contains('/')).flat_map(kinds).collect();
    // The bundled clients read no windows, ask for no fields and do case tasks alone: what needs more is proved there.
    let proved = include_str!("faults_of_content.rs");
    let is_shown = |name: &str| {
        in_stories.contains(name)
            || Scenario::builtins().iter().any(|(own, _)| *own == format!("faults/{name}"))
    };
    for row in Fault::CATALOGUE
        .iter()
        .filter(|row| is_shown(row.name) || !proved.contains(&format!("\"{} = ", row.name)))
    {
        let own = format!("faults/{}", row.name);
        let has_own = Scenario::builtins().iter().any(|(name, _)| *name == own);
        assert!(in_stories.contains(row.name) != has_own, "{}: in a story, or in {own}", row.name);
        if has_own {
            assert_eq!(kinds(&own), BTreeSet::from([row.name]));
        }
    }
}

#[test]
fn every_scenario_teaches_and_says_what_must_hold() {
    for (name, text) in Scenario::builtins() {
        let scenario = builtin(name);
        assert!(text.starts_with("# "), "{name} opens with what it teaches");
        assert_eq!(
            scenario.must.command,
            CommandMust::Passes,
            "{name} asks of a command what any scenario does"
        );
        assert!(scenario.summary.ends_with('.') && !scenario.must.hold.is_empty(), "{name}");
        assert!(scenario.faults.iter().all(|fault| fault.must_fire()), "{name} leaves nothing to chance");
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

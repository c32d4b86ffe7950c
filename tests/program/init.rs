//! `faultdeck init`: from nothing to a green judgement in two commands.

use std::process::{Command, Stdio};

use crate::harness::Lab;

/// Runs the line that `init` prints as the next step, in a shell that finds this faultdeck.
fn next(lab: &Lab, printed: &str) -> (Option<i32>, String) {
    let line =
        printed.lines().find_map(|line| line.strip_prefix("next: ")).unwrap_or_else(|| panic!("{printed}"));
    let folder =
        std::path::Path::new(env!("CARGO_BIN_EXE_faultdeck")).parent().unwrap().display().to_string();
    let path = format!("{folder}:{}", std::env::var("PATH").unwrap_or_default());
    let output = Command::new("sh")
        .args(["-c", line])
        .current_dir(lab.path())
        .env("PATH", path)
        .env("GOFLAGS", "-mod=mod")
        .env_remove("CI")
        .env_remove("GITHUB_ACTIONS")
        .env_remove("GITHUB_STEP_SUMMARY")
        .stdin(Stdio::null())
        .output()
        .unwrap();
    lab.show(&output.stdout);
    lab.show(&output.stderr);
    let text =
        String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    (output.status.code(), text)
}

fn there_is(program: &str) -> bool {
    let found = Command::new(program).arg(if program == "go" { "version" } else { "--version" }).output();
    found.is_ok_and(|output| output.status.success())
}

#[test]
fn in_an_empty_folder_what_it_prints_as_the_next_step_is_green_at_once() {
    for (client, program) in [("python", "python3"), ("node", "node"), ("go", "go")] {
        if !there_is(program) {
            println!("skipped: init --client {client}: there is no {program} here");
            continue;
        }
        let lab = Lab::new();
        let made = lab.run(&["init", "--client", client, "--ci", "github"]);
        assert_eq!(made.code, Some(0), "{}", made.stderr);
        for file in [
            "faultdeck.toml",
            "scenarios/console-fails-once.toml",
            "clients/qradar.toml",
            ".gitattributes",
            ".pre-commit-config.yaml",
            ".github/workflows/faultdeck.yml",
        ] {
            assert!(
                lab.file(file).is_file() && made.stdout.contains(&format!("wrote  {file}")),
                "{file}: {}",
                made.stdout
            );
        }
        for (file, schema) in [
            ("faultdeck.toml", "settings.schema.json"),
            ("scenarios/console-fails-once.toml", "scenarios/scenario.schema.json"),
            ("clients/qradar.toml", "clients/client.schema.json"),
        ] {
            let name = schema.rsplit('/').next().unwrap();
            assert!(lab.read(file).starts_with(&format!("#:schema ./{name}\n")), "{file}");
            assert!(lab.file(schema).is_file(), "{schema}");
        }
        let (code, text) = next(&lab, &made.stdout);
        assert_eq!(code, Some(0), "{client}: {text}");
        assert!(
            text.contains("every property that must hold was put to the test and holds"),
            "{client}: {text}"
        );
        // What stands there is well, by its own lint, and the adapter as well.
        assert_eq!(lab.run(&["lint"]).code, Some(0), "{client}");
        assert_eq!(lab.run(&["lint", "faultdeck.toml"]).code, Some(0), "{client}");
        let checked = lab.run(&["judge", "--check-adapter"]);
        assert!(checked.code == Some(0) && !checked.stdout.contains("odd:"), "{client}: {}", checked.stdout);
    }
}

#[test]
fn twice_is_harmless_and_what_is_there_is_never_written_over() {
    let lab = Lab::new();
    lab.write(".gitattributes", "*.bin binary\n");
    lab.write("clients/qradar.toml", "mine");
    let first = lab.run(&["init", "--ci", "gitlab"]);
    assert_eq!(first.code, Some(0), "{}", first.stderr);
    assert!(
        first.stdout.contains("kept   .gitattributes") && first.stdout.contains("kept   clients/qradar.toml"),
        "{}",
        first.stdout
    );
    assert!(
        first.stdout.contains("add to .gitattributes, if it is not there:\n\n    # Recordings"),
        "{}",
        first.stdout
    );
    assert_eq!(
        (lab.read(".gitattributes").as_str(), lab.read("clients/qradar.toml").as_str()),
        ("*.bin binary\n", "mine")
    );
    let files = |lab: &Lab| {
        let names = ["faultdeck.toml", "clients/qradar.py", ".gitlab-ci.yml", ".pre-commit-config.yaml"];
        names.map(|name| lab.read(name))
    };
    let before = files(&lab);
    let second = lab.run(&["init", "--ci", "gitlab"]);
    assert!(second.code == Some(0) && !second.stdout.contains("wrote"), "{}", second.stdout);
    assert!(!second.stdout.contains("add to .gitlab-ci.yml"), "{}", second.stdout);
    assert_eq!(files(&lab), before);
    let forced = lab.run(&["init", "--force"]);
    assert!(
        forced.stdout.contains("wrote  clients/qradar.toml") && lab.read("clients/qradar.toml") != "mine"
    );
}

#[test]
fn a_link_in_the_place_of_a_file_is_not_written_through() {
    let lab = Lab::new();
    lab.write("elsewhere", "as it was");
    std::os::unix::fs::symlink(lab.file("elsewhere"), lab.file("faultdeck.toml")).unwrap();
    std::os::unix::fs::symlink(lab.file("nowhere"), lab.file(".gitattributes")).unwrap();
    assert_eq!(lab.run(&["init"]).code, Some(0));
    assert_eq!(lab.run(&["init", "--force"]).code, Some(2));
    assert!(lab.read("elsewhere") == "as it was" && !lab.file("nowhere").exists());
}

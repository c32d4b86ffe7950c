//! The shipped cassette is what `record` writes against `emulate --seed 1`: it is recorded again and compared.

use crate::harness;

use harness::Lab;

const SHIPPED: &str = "cassettes/forensics/create-case.json";

/// Records the bundled tour against the emulator, as the shipped cassette was made.
fn record(lab: &Lab) -> String {
    let console = lab.serve(&["emulate", "--seed", "1"]);
    let recorder = lab.serve(&[
        "record",
        "--upstream",
        &console.url,
        "--cassette",
        "forensics/create-case",
        "--allow-writes",
        "cases.post",
    ]);
    let tour =
        lab.run(&["client", "careful", "tour", "--base", &recorder.url, "--name", "CASE1", "--pace-ms", "1"]);
    assert_eq!(tour.code, Some(0), "{}", tour.stderr);
    let finished = recorder.stop();
    assert_eq!(finished.code, Some(0), "{}", finished.stderr);
    assert_eq!(console.stop().code, Some(0), "an emulator ended by a signal passes");
    lab.read("cassettes/forensics/create-case.json")
}

#[test]
fn recorded_again_it_is_the_same() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let lab = Lab::new();
    // The lab's own first request carries the canary; it is the one thing a fresh recording has more.
    let cassette = faultdeck::cassette::Cassette::parse("fresh", &record(&lab)).unwrap();
    let mut fresh = cassette.clone();
    fresh.interactions.retain(|interaction| interaction.request.path() != "/api/plant");
    fresh.canonicalise(faultdeck::profile::Profile::builtin());
    assert_eq!(fresh.interactions.len() + 1, cassette.interactions.len());
    if std::env::var_os("SNAPSHOTS").is_some_and(|value| value == "overwrite") {
        std::fs::create_dir_all(root.join("cassettes/forensics")).unwrap();
        std::fs::write(root.join(SHIPPED), fresh.to_text()).unwrap();
    }
    let shipped = std::fs::read_to_string(root.join(SHIPPED)).unwrap();
    assert_eq!(fresh.to_text(), shipped, "renew it with SNAPSHOTS=overwrite, and read the difference");
}

#[test]
fn it_holds_a_whole_story() {
    let text =
        std::fs::read_to_string(std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(SHIPPED)).unwrap();
    for state in ["WAITING", "PROCESSING", "PARTIALLY_COMPLETE", "COMPLETE"] {
        assert!(text.contains(&format!("\"state\": \"{state}\"")), "{state}");
    }
    let cassette = faultdeck::cassette::Cassette::parse("shipped", &text).unwrap();
    let count = |method: &str, end: &str| {
        let is = |it: &&faultdeck::cassette::Interaction| {
            it.request.method == method && it.request.path().ends_with(end)
        };
        cassette.interactions.iter().filter(is).count()
    };
    assert_eq!((count("GET", "/cases"), count("POST", "/cases")), (2, 1));
    let agents = cassette.interactions.iter().filter_map(|it| it.request.headers.text("User-Agent"));
    assert!(agents.into_iter().all(|agent| agent == "faultdeck-careful"));
    assert!(cassette.interactions.iter().all(|it| !it.request.target.contains("fields")));
}

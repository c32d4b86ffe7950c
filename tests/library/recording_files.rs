//! The files that a recording writes: never one that cannot be loaded, never two recorders on one, nothing left behind.

use crate::canary;
use crate::recorder::{proxy, raw_console, settings, whole};

use std::cell::Cell;
use std::fs;
use std::path::Path;

use faultdeck::cassette::{
    Cassette, Found, Group, Hold, HoldError, Intake, Interaction, Journal, RecordedFrom,
};
use faultdeck::message::{Headers, HttpVersion, Request, Response};
use faultdeck::profile::Profile;
use faultdeck::record::{KeepError, RecordError, Recorder, Settings};
use faultdeck::redact::Rules;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

/// Names in a folder, those that start with a dot included.
fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    names
}

/// Text that is mostly what it should be, with what it should not be in between.
fn text(usual: &'static str) -> impl Strategy<Value = String> {
    prop_oneof![40 => crate::laws::text(usual), 1 => crate::laws::text(".{0,8}"), 1 => crate::laws::text("[\u{0}-\u{a0}]{0,4}"), 1 => crate::laws::text("\u{1b}\\[|\u{85}|\u{202e}|\\\\|\"|\u{feff}")]
}

fn bytes() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        30 => crate::laws::text("[ -~]{0,12}").prop_map(String::into_bytes),
        2 => vec(any::<u8>(), 0..12),
        1 => crate::laws::text("(\\[|\\]|\\{|\\}|\"|:|,|1|\\\\u00|\n|\r| ){0,12}").prop_map(String::into_bytes),
        1 => Just(b"{\"$serde_json::private::RawValue\":\"1,2\"}".to_vec()),
        1 => Just(b"{\"a\":\"\\ud800\",\"b\":1e400}".to_vec()),
        1 => Just([b"[".repeat(300), b"]".repeat(300)].concat()),
    ]
}

fn headers() -> impl Strategy<Value = Headers> {
    vec((text("[A-Za-z-]{1,8}"), bytes()), 0..4).prop_map(|lines| lines.into_iter().collect())
}

prop_compose! {
    fn interaction()(
        method in text("GET|POST|odd"),
        target in text("/[ -~]{0,12}"),
        old in any::<bool>(),
        lines in headers(),
        sent in bytes(),
        status in prop_oneof![20 => 100_u16..1000, 1 => any::<u16>()],
        reason in bytes(),
        answered in headers(),
        body in bytes(),
        chunks in proptest::option::of(vec(0_usize..9, 0..4)),
        trailers in headers(),
        notes in vec(text("[a-z ]{0,9}"), 0..2),
    ) -> Interaction {
        let version = if old { HttpVersion::Http10 } else { HttpVersion::Http11 };
        let mut request = Request::new(&method, &target);
        (request.version, request.headers, request.body) = (version, lines, sent.into());
        Interaction {
            id: String::new(),
            endpoint: "".into(),
            request,
            response: Response { version, status, reason: reason.into(), headers: answered, body: body.into(), chunks, trailers },
            by_recorder: false,
            moment: 0,
            notes,
        }
    }
}

#[test]
fn whatever_is_taken_in_can_be_loaded_again_and_anything_else_is_refused_with_a_reason() {
    let folder = canary::Folder::new();
    let path = folder.path().join("c.json");
    let (taken, refused) = (Cell::new(0), Cell::new(0));
    let mut runner = TestRunner::new(Config { cases: 400, failure_persistence: None, ..Config::default() });
    let result = runner.run(&vec(interaction(), 1..6), |interactions| {
        let intake = Intake::new(Profile::builtin(), Rules::default());
        let from = RecordedFrom { host: "host-1".into(), ..RecordedFrom::default() };
        let mut journal = Journal::begin(&path, &from, None, &mut |_, _| {}).unwrap();
        let mut group = Group::default();
        for (place, interaction) in (1..).zip(interactions) {
            match intake.ready(place, interaction.clone()) {
                Ok(ready) => group.push(place, ready.text()),
                Err(why) => {
                    refused.set(refused.get() + 1);
                    prop_assert!(!why.to_string().is_empty());
                    // Nobody else writes it either.
                    let lone = Cassette { interactions: vec![interaction], ..Cassette::default() };
                    let before = fs::read(&path).ok();
                    if lone.save(&path).is_err() {
                        prop_assert_eq!(fs::read(&path).ok(), before);
                    } else {
                        Cassette::load(&path).unwrap();
                    }
                }
            }
        }
        let count = usize::try_from(group.count()).unwrap();
        taken.set(taken.get() + count);
        journal.commit(&group).unwrap();
        let found = Found::beside(&path).unwrap().unwrap();
        prop_assert_eq!((found.interactions, found.damaged), (count as u64, 0));
        let interactions = journal.interactions().unwrap().0.into_iter().map(|(_, it)| it).collect();
        Cassette { recorded_from: from, interactions, ..Cassette::default() }.save(&path).unwrap();
        journal.remove().unwrap();
        let canonical = Cassette::load(&path).unwrap();
        prop_assert_eq!(canonical.interactions.len(), count);
        prop_assert_eq!(canonical.to_text(), fs::read_to_string(&path).unwrap());
        Ok(())
    });
    result.unwrap_or_else(|error| panic!("{error}"));
    let (taken, refused) = (taken.get(), refused.get());
    assert!(taken > 100 && refused > 100, "{taken} taken, {refused} refused");
    assert_eq!(names(folder.path()), ["c.json"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_second_recorder_of_a_cassette_is_told_who_has_it() {
    let folder = canary::Folder::new();
    let path = folder.path().join("c.json");
    let settings = || settings("http://127.0.0.1:1", &path);
    let first = Recorder::new(settings(), None).unwrap();
    let second = Recorder::new(settings(), None).unwrap_err();
    assert!(matches!(second, RecordError::Keep(KeepError::Hold(HoldError::Held { .. }))));
    let process = format!("process {}", std::process::id());
    assert!(second.to_string().contains(&process), "{second}");
    // A link to the same file is the same cassette.
    std::os::unix::fs::symlink(folder.path(), folder.path().join("link")).unwrap();
    assert!(Hold::take(&folder.path().join("link/c.json")).is_err());
    let other = Hold::take(&folder.path().join("d.json")).unwrap();
    let marks = [".c.json.faultdeck-recording", ".d.json.faultdeck-recording"];
    assert_eq!(names(folder.path()), [&marks[..], &["c.journal", "link"]].concat());
    drop((first, other));
    assert!(Recorder::new(settings(), None).is_ok());
    assert_eq!(names(folder.path()), ["link"]);
}

#[test]
fn what_a_dead_process_left_is_taken_away_and_what_a_living_one_holds_stays() {
    let folder = canary::Folder::new();
    let file = |name: &str| folder.path().join(name);
    for name in
        [".c.json.1-0.faultdeck-next", ".old.json.faultdeck-recording", "mine.faultdeck-next", ".c.json.swp"]
    {
        fs::write(file(name), "left").unwrap();
    }
    std::os::unix::fs::symlink(file("mine.faultdeck-next"), file(".link.faultdeck-next")).unwrap();
    let held = fs::File::create(file(".c.json.2-0.faultdeck-next")).unwrap();
    held.try_lock().unwrap();
    Cassette::default().save(&file("c.json")).unwrap();
    let stays = [
        ".c.json.2-0.faultdeck-next",
        ".c.json.swp",
        ".link.faultdeck-next",
        "c.json",
        "mine.faultdeck-next",
    ];
    assert_eq!(names(folder.path()), stays);
    drop(held);
    drop(Hold::take(&file("d.json")).unwrap());
    assert_eq!(
        names(folder.path()),
        [".c.json.swp", ".link.faultdeck-next", "c.json", "mine.faultdeck-next"]
    );
    assert_eq!(fs::read_to_string(file("mine.faultdeck-next")).unwrap(), "left");
}

#[test]
fn a_cassette_that_cannot_be_written_is_an_error_before_the_first_request() {
    let folder = canary::Folder::new();
    let file = folder.path().join("file");
    fs::write(&file, "").unwrap();
    let below_a_file = Recorder::new(settings("http://127.0.0.1:1", &file.join("c.json")), None).unwrap_err();
    assert!(below_a_file.to_string().contains("cannot write to"), "{below_a_file}");
    let no_folder = Recorder::new(settings("http://127.0.0.1:1", Path::new("/proc/none/c.json")), None);
    assert!(no_folder.unwrap_err().to_string().contains("cannot write to /proc/none"));
    let overwrite = Settings {
        existing: faultdeck::record::Existing::Overwrite,
        ..settings("http://127.0.0.1:1", folder.path())
    };
    assert!(Recorder::new(overwrite, None).unwrap_err().to_string().contains("no regular file"));
    assert_eq!(names(folder.path()), ["file"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rename_that_fails_at_the_end_keeps_the_journal_and_works_once_the_way_is_free() {
    let folder = canary::Folder::new();
    let path = folder.path().join("c.json");
    let console = raw_console(vec![whole("200 OK", "1")]).await;
    let proxy = proxy(settings(&console.url, &path)).await;
    proxy.get("/api/x").await;
    // A folder where the file should go.
    fs::create_dir(&path).unwrap();
    let error = proxy.recorder.finish().unwrap_err().to_string();
    assert!(error.contains("c.json: ") && error.contains("(interactions: 1)"), "{error}");
    assert!(error.contains("record to the same cassette again"), "{error}");
    assert_eq!(Found::beside(&path).unwrap().unwrap().interactions, 1);
    fs::remove_dir(&path).unwrap();
    assert_eq!(proxy.stop().await.stored, 1);
    assert_eq!(Cassette::load(&path).unwrap().interactions.len(), 1);
    assert_eq!(names(folder.path()), ["c.json"], "nothing is left of the save that failed");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_fresh_cookie_in_every_answer_never_stops_a_recording() {
    // More than the different secrets that can be told apart.
    const ANSWERS: usize = 4200;
    let folder = canary::Folder::new();
    let path = folder.path().join("c.json");
    // Long ones are looked for everywhere, which takes its time in a debug build; short ones in their place.
    let cookie = |n: usize| match n % 20 {
        0 => format!("{:032x}", (n as u128 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c834)),
        _ => format!("c{n:05}"),
    };
    let url = crate::recorder::many(move |n| {
        let set = format!("Set-Cookie: JSESSIONID={}; Path=/", cookie(n));
        format!("HTTP/1.1 200 OK\r\n{set}\r\nContent-Length: 2\r\n\r\nok")
    })
    .await;
    let proxy = proxy(settings(&url, &path)).await;
    proxy.get_many(ANSWERS).await;
    let summary = proxy.stop().await;
    assert_eq!((summary.stored, summary.not_stored), (ANSWERS, 0), "{:?}", summary.reasons);
    let text = fs::read_to_string(&path).unwrap();
    assert!((0..ANSWERS).step_by(20).all(|n| !text.contains(&cookie(n))));
    assert_eq!(text.matches("JSESSIONID=fd-secret-").count(), ANSWERS);
    assert_eq!(Cassette::load(&path).unwrap().interactions.len(), ANSWERS);
}

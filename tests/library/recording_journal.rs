//! The journal of a recording: whatever happens to it, what was committed is read again, and what is damaged is known.

use crate::canary;
use crate::recorder::{many, proxy, raw_console, settings, whole};

use std::fs;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use faultdeck::cassette::{Cassette, Found, Group, Intake, Interaction, Journal, RecordedFrom, journal_of};
use faultdeck::message::{Request, Response};
use faultdeck::profile::Profile;
use faultdeck::record::{Event, Existing, Most, Recorder, Settings, Syncing};
use faultdeck::redact::Rules;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

fn text(n: u64) -> String {
    let interaction = Interaction {
        id: String::new(),
        endpoint: "".into(),
        request: Request::new("GET", &format!("/api/x/{n}")),
        response: Response::json(200, format!("{{\"n\":{n}}}")),
        by_recorder: false,
        moment: 0,
        notes: Vec::new(),
    };
    Intake::new(Profile::builtin(), Rules::default()).ready(n, interaction).unwrap().into_text()
}

/// A journal of so many interactions, and where each of them ends.
fn journal(cassette: &Path, count: u64) -> Vec<u64> {
    let from = RecordedFrom { host: "host-1".to_owned(), ..RecordedFrom::default() };
    let mut journal = Journal::begin(cassette, &from, None, &mut |_, _| {}).unwrap();
    (1..=count)
        .map(|n| {
            let mut group = Group::default();
            group.push(n, &text(n));
            journal.commit(&group).unwrap();
            fs::metadata(journal_of(cassette)).unwrap().len()
        })
        .collect()
}

#[test]
fn a_journal_cut_at_any_byte_gives_every_interaction_before_the_cut_and_calls_none_damaged() {
    let folder = canary::Folder::new();
    let cassette = folder.path().join("c.json");
    let ends = journal(&cassette, 3);
    let whole = fs::read(journal_of(&cassette)).unwrap();
    for cut in 0..=whole.len() {
        fs::write(journal_of(&cassette), &whole[..cut]).unwrap();
        let found = Found::beside(&cassette).unwrap().unwrap();
        let before = ends.iter().filter(|end| **end <= cut as u64).count();
        assert_eq!((found.interactions, found.damaged), (before as u64, 0), "cut at {cut}");
    }
}

#[test]
fn whichever_byte_changes_it_is_found_and_all_other_interactions_are_read() {
    let folder = canary::Folder::new();
    let cassette = folder.path().join("c.json");
    journal(&cassette, 3);
    let whole = fs::read(journal_of(&cassette)).unwrap();
    for at in 0..whole.len() {
        for flip in [1, 0x20, 0x80, 0xff] {
            let mut changed = whole.clone();
            changed[at] ^= flip;
            fs::write(journal_of(&cassette), &changed).unwrap();
            let found = Found::beside(&cassette).unwrap().unwrap();
            assert!(found.damaged > 0, "byte {at} changed by {flip:#x}: {found:?}");
            assert!(found.interactions >= 2, "byte {at} changed by {flip:#x}: {found:?}");
        }
    }
}

#[test]
fn what_a_power_cut_left_empty_at_the_end_is_no_damage() {
    let folder = canary::Folder::new();
    let cassette = folder.path().join("c.json");
    let ends = journal(&cassette, 2);
    let whole = fs::read(journal_of(&cassette)).unwrap();
    let end = usize::try_from(ends[0]).unwrap();
    for kept in [end, end + 10] {
        let torn = [&whole[..kept], &[0; 4096]].concat();
        fs::write(journal_of(&cassette), torn).unwrap();
        let found = Found::beside(&cassette).unwrap().unwrap();
        assert_eq!((found.interactions, found.is_torn), (1, true), "{kept}: {found:?}");
    }
}

fn note(events: &Arc<Mutex<Vec<Event>>>) -> Arc<dyn Fn(&Event) + Send + Sync> {
    let events = Arc::clone(events);
    Arc::new(move |event: &Event| events.lock().unwrap().push(event.clone()))
}

#[test]
fn a_damaged_journal_is_gone_on_with_said_and_kept_beside_as_it_was() {
    let folder = canary::Folder::new();
    let cassette = folder.path().join("c.json");
    let ends = journal(&cassette, 3);
    let mut changed = fs::read(journal_of(&cassette)).unwrap();
    changed[usize::try_from(ends[0]).unwrap() + 200] ^= 4;
    fs::write(journal_of(&cassette), &changed).unwrap();
    let events = Arc::default();
    let recorder = Recorder::new(settings("http://127.0.0.1:1", &cassette), Some(note(&events))).unwrap();
    let events = format!("{:?}", events.lock().unwrap());
    assert!(events.contains("recovered 2 interactions from") && events.contains("c.journal"), "{events}");
    assert!(events.contains("1 entry is damaged") && events.contains("*.damaged"), "{events}");
    assert_eq!(fs::read(folder.path().join("c.journal.damaged")).unwrap(), changed);
    let summary = recorder.finish().unwrap();
    assert_eq!((summary.stored, summary.recovered, summary.damaged), (2, 2, 1));
    assert_ne!(summary.weigh().exit(), faultdeck::ledger::Exit::Passed, "something was lost");
    assert_eq!(Cassette::load(&cassette).unwrap().interactions.len(), 2);
}

#[test]
fn another_file_of_that_name_is_left_alone_with_what_to_do() {
    let folder = canary::Folder::new();
    let cassette = folder.path().join("c.json");
    fs::write(journal_of(&cassette), "dear diary,\n").unwrap();
    let error = Recorder::new(settings("http://127.0.0.1:1", &cassette), None).unwrap_err().to_string();
    assert!(error.contains("c.journal is no journal of a recording: move it away"), "{error}");
    assert_eq!(fs::read_to_string(journal_of(&cassette)).unwrap(), "dear diary,\n");
    fs::remove_file(journal_of(&cassette)).unwrap();
    fs::create_dir(journal_of(&cassette)).unwrap();
    let error = Recorder::new(settings("http://127.0.0.1:1", &cassette), None).unwrap_err().to_string();
    assert!(error.contains("move it away"), "{error}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_recording_that_is_gone_on_with_keeps_its_placeholders_apart_from_the_new_ones() {
    let folder = canary::Folder::new();
    let path = folder.path().join("c.json");
    let (first, second) = ("first-0001-aaaa-zz", "other-0002-bbbb-zz");
    folder.hide(first);
    folder.hide(second);
    for (n, token) in [first, second].into_iter().enumerate() {
        let console = raw_console(vec![whole("200 OK", &format!("[{{\"owner\":\"ann{n}\"}}]"))]).await;
        let proxy = proxy(settings(&console.url, &path)).await;
        let request = format!(
            "GET /api/x/{n} HTTP/1.1\r\nHost: {}\r\nSEC: {token}\r\nConnection: close\r\n\r\n",
            proxy.addr
        );
        proxy.send(&request).await.unwrap();
        if n == 1 {
            assert_eq!(proxy.stop().await.stored, 2);
        }
        // The first is dropped with its journal, as one that was cut short.
    }
    let cassette = Cassette::load(&path).unwrap();
    let tokens: Vec<_> =
        cassette.interactions.iter().map(|it| it.request.headers.text("SEC").unwrap().into_owned()).collect();
    assert_eq!(tokens, ["fd-secret-1", "fd-secret-2"]);
    let bodies: Vec<_> =
        cassette.interactions.iter().map(|it| String::from_utf8_lossy(&it.response.body)).collect();
    assert_eq!(bodies, ["[{\"owner\":\"user-1\"}]", "[{\"owner\":\"user-2\"}]"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_secret_learnt_late_is_out_of_the_journal_within_half_a_second() {
    let folder = canary::Folder::new();
    let path = folder.path().join("c.json");
    let late = "late-5511-kkqq-8800";
    folder.hide(late);
    let console =
        raw_console(vec![whole("200 OK", &format!("{{\"remark\":\"{late}\"}}")), whole("200 OK", "{}")])
            .await;
    let proxy = proxy(Settings { syncing: Syncing::Always, ..settings(&console.url, &path) }).await;
    proxy.get("/api/first").await;
    let written = || fs::read_to_string(journal_of(&path)).unwrap();
    assert!(written().contains(late), "nobody knows yet");
    let request =
        format!("GET /api/x HTTP/1.1\r\nHost: {}\r\nSEC: {late}\r\nConnection: close\r\n\r\n", proxy.addr);
    let learnt = Instant::now();
    proxy.send(&request).await.unwrap();
    while written().contains(late) {
        assert!(learnt.elapsed() < Duration::from_millis(500), "it is still there");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    assert!(written().contains("/api/first"), "and nothing else is lost");
    assert_eq!(proxy.stop().await.stored, 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_ends_only_when_it_is_committed_if_that_is_asked_for() {
    let folder = canary::Folder::new();
    let path = folder.path().join("c.json");
    let count = folder.path().join("committed");
    // The end of an answer is the last byte of its body, its last chunk, or its head.
    let url = many(|n| {
        let rest = ["Content-Length: 2\r\n\r\nok", "Content-Length: 0\r\n\r\n"];
        let chunks = "Transfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n";
        format!("HTTP/1.1 200 OK\r\n{}", [rest[0], rest[1], chunks][n % 3])
    })
    .await;
    let proxy = proxy(Settings {
        syncing: Syncing::Always,
        committed_file: Some(count.clone()),
        ..settings(&url, &path)
    })
    .await;
    let mut stream = TcpStream::connect(&proxy.addr).await.unwrap();
    for n in 1..=20 {
        let request = format!("GET /api/x/{n} HTTP/1.1\r\nHost: {}\r\n\r\n", proxy.addr);
        stream.write_all(request.as_bytes()).await.unwrap();
        let end = ["\r\n\r\nok", "\r\n\r\n", "0\r\n\r\n"][usize::try_from(n - 1).unwrap() % 3];
        let mut answer = Vec::new();
        while !String::from_utf8_lossy(&answer).ends_with(end) {
            let mut part = [0; 1024];
            let read = stream.read(&mut part).await.unwrap();
            answer.extend_from_slice(&part[..read]);
        }
        assert_eq!(Found::beside(&path).unwrap().unwrap().interactions, n, "as soon as the answer has ended");
    }
    proxy.stop().await;
    assert_eq!(fs::read_to_string(count).unwrap().lines().last(), Some("20"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_limit_is_said_before_it_is_reached_and_the_cassette_can_be_loaded() {
    let folder = canary::Folder::new();
    for (most, stored) in [
        (Most { interactions: 20, ..Most::default() }, Some(20)),
        (Most { bytes: 16 * 1024, ..Most::default() }, None),
    ] {
        let path = folder.path().join("c.json");
        let url = many(|_| "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok".to_owned()).await;
        let events = Arc::default();
        let settings = Settings { most, existing: Existing::Overwrite, ..settings(&url, &path) };
        let mut proxy =
            proxy(Settings { cassette: folder.path().join("unused.json"), ..settings.clone() }).await;
        proxy.replace(Recorder::new(settings, Some(note(&events))).unwrap()).await;
        proxy.get_many(60).await;
        let summary = proxy.stop().await;
        let remarks: Vec<Event> = events
            .lock()
            .unwrap()
            .iter()
            .filter(|event| matches!(event, Event::Remark(_)))
            .cloned()
            .collect();
        assert!(format!("{remarks:?}").contains("the recording is nearly full"), "{remarks:?}");
        assert_eq!(remarks.len(), 1, "once: {remarks:?}");
        assert!(summary.not_stored > 0 && summary.stored as u64 + summary.not_stored == 60, "{summary:?}");
        assert!(stored.is_none_or(|stored| stored == summary.stored), "{summary:?}");
        assert_eq!(Cassette::load(&path).unwrap().interactions.len(), summary.stored);
    }
}

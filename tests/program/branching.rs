//! The branching client: recorded once, replayed as often as one likes, whatever it polls and however it is timed.

use crate::harness;
use crate::raw::raw_console;

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use harness::{Finished, Lab};

/// How many runs, unless `FAULTDECK_BRANCHING_RUNS` says another number: a campaign has a thousand.
const RUNS: usize = 100;
const THREADS: usize = 8;
const ID: &str = "0a1b2c3d-7777-4888-8999-aabbccddeeff";

/// A console with five open offenses, a search that is done at the second poll and has three events, and a set.
fn console() -> String {
    let (polls, elements) = (AtomicUsize::new(0), Mutex::new(0));
    raw_console(move |request| {
        let (line, head) = request.split_once("\r\n").unwrap();
        let (method, target) = line.split_once(' ').unwrap();
        let path = target.split([' ', '?']).next().unwrap();
        let status = |state: &str| format!(r#"{{"cursor_id":"{ID}","status":"{state}","search_id":"{ID}"}}"#);
        let window = |of: usize| window(head, of);
        let set = |size: usize| format!(r#"{{"name":"branching","number_of_elements":{size}}}"#);
        match (method, path.strip_prefix("/api/").unwrap()) {
            ("POST", "ariel/searches") => {
                let host = head.lines().find_map(|line| line.strip_prefix("Host: ")).unwrap();
                let location = format!("Location: http://{host}/api/ariel/searches/{ID}\r\n");
                answer("201 Created", &location, &status("WAIT"))
            }
            ("GET", path) if path.ends_with(ID) => match polls.fetch_add(1, Ordering::SeqCst) {
                0 => answer("200 OK", "", &status("EXECUTE")),
                _ => answer("200 OK", "", &status("COMPLETED")),
            },
            ("GET", path) if path.ends_with("/results") => {
                let (range, places) = window(3);
                let events: Vec<String> = places.map(|n| format!(r#"{{"sourceip":"10.0.0.{n}"}}"#)).collect();
                answer("200 OK", &range, &format!(r#"{{"events":[{}]}}"#, events.join(",")))
            }
            ("DELETE", _) => answer("202 Accepted", "", &status("COMPLETED")),
            ("GET", "siem/offenses") => {
                let (range, places) = window(5);
                let offenses: Vec<String> =
                    places.map(|n| format!(r#"{{"id":{},"status":"OPEN"}}"#, n + 40)).collect();
                answer("200 OK", &range, &format!("[{}]", offenses.join(",")))
            }
            ("GET", "reference_data/sets/branching") => answer("200 OK", "", &set(*elements.lock().unwrap())),
            ("POST", "reference_data/sets/bulk_load/branching") => {
                *elements.lock().unwrap() += 2;
                answer("200 OK", "", &set(2))
            }
            _ => answer("404 Not Found", "", r#"{"code":4}"#),
        }
    })
}

fn answer(status: &str, lines: &str, body: &str) -> Vec<u8> {
    let length = body.len();
    format!(
        "HTTP/1.1 {status}\r\nContent-Type: application/json\r\n{lines}Content-Length: {length}\r\n\r\n{body}"
    )
    .into_bytes()
}

/// The `Content-Range` line for the window asked for, and the places in it.
fn window(head: &str, of: usize) -> (String, std::ops::Range<usize>) {
    let range = head.lines().find_map(|line| line.strip_prefix("Range: items=")).unwrap();
    let (from, to) = range.split_once('-').unwrap();
    let (from, to) = (from.parse::<usize>().unwrap(), (to.parse::<usize>().unwrap() + 1).min(of));
    (format!("Content-Range: items {from}-{}/{of}\r\n", to - 1), from..to)
}

fn client(lab: &Lab, base: &str, polls: usize) -> Finished {
    lab.run(&["client", "branching", "--base", base, "--polls", &polls.to_string()])
}

/// The recording of one run, in `c.json`.
fn recorded() -> Lab {
    let lab = Lab::new();
    let console = console();
    let writes = [
        "POST /api/ariel/searches",
        "DELETE /api/ariel/searches/{search_id}",
        "POST /api/reference_data/sets/bulk_load/branching",
    ];
    let mut args = vec!["record", "--upstream", &console, "--cassette", "c.json"];
    args.extend(writes.iter().flat_map(|write| ["--allow-writes", write]));
    let recorder = lab.serve(&args);
    let run = client(&lab, &recorder.url, 1);
    assert_eq!(run.code, Some(0), "{}{}", run.stdout, run.stderr);
    assert!(run.stdout.contains("search: 2 polls, 3 events"), "{}", run.stdout);
    assert!(
        run.stdout.contains("offenses: 5 open") && run.stdout.contains("set: 0, then 2"),
        "{}",
        run.stdout
    );
    let recorder = recorder.stop();
    assert_eq!(recorder.code, Some(0), "{}", recorder.stderr);
    lab
}

#[test]
fn one_recording_is_enough_whatever_it_polls_and_however_it_is_timed() {
    let lab = recorded();
    let runs = std::env::var("FAULTDECK_BRANCHING_RUNS").map_or(RUNS, |runs| runs.parse().unwrap());
    let replay = lab.serve(&["replay", "c.json"]);
    // A search that is done at once: one poll is enough.
    let at_once = "summary = \"x\"\n[[path]]\nat = 0\nset = { status = \"COMPLETED\" }\n";
    lab.write("at-once.toml", at_once);
    let quick = lab.serve(&["replay", "c.json", "--scenario", "at-once.toml"]);
    let next = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| {
                loop {
                    let run = next.fetch_add(1, Ordering::SeqCst);
                    if run >= runs {
                        return;
                    }
                    let polls = 1 + run % 50;
                    let server = if polls == 1 { &quick } else { &replay };
                    let told = client(&lab, &format!("{}/@run-{run}", server.url), polls);
                    assert_eq!(told.code, Some(0), "run {run}: {}{}", told.stdout, told.stderr);
                    assert!(told.stdout.contains(&format!("search: {polls} polls")), "{}", told.stdout);
                }
            });
        }
    });
    for server in [quick, replay] {
        let ended = server.stop();
        assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    }
}

#[test]
fn whatever_is_missing_of_the_recording_is_a_miss_that_names_its_cause_and_the_fix() {
    let lab = recorded();
    let tape: serde_json::Value = serde_json::from_str(&lab.read("c.json")).unwrap();
    let count = tape["interactions"].as_array().unwrap().len();
    assert!(count >= 10, "{count}");
    let (mut causes, mut misses) = (std::collections::BTreeSet::new(), 0);
    for left_out in 0..count {
        let mut shorter = tape.clone();
        let gone = shorter["interactions"].as_array_mut().unwrap().remove(left_out);
        lab.write("shorter.json", &serde_json::to_string_pretty(&shorter).unwrap());
        let replay = lab.serve(&["replay", "shorter.json"]);
        let run = client(&lab, &replay.url, 2);
        // Another recording may stand in for this one, as in a shorter story: then the client is served, or sees that
        // the story makes no sense.
        let Some(miss) = run.stdout.lines().find_map(|line| Some(line.split_once(": 501 ")?.1)) else {
            continue;
        };
        let miss: serde_json::Value = serde_json::from_str(miss).unwrap();
        let named = |name: &str| miss[name].as_str().unwrap_or_else(|| panic!("{gone}: {miss}")).to_owned();
        assert!(!named("cause").is_empty() && named("help").len() > 20, "{miss}");
        assert_eq!((run.code, replay.stop().code), (Some(1), Some(3)));
        causes.insert(named("cause"));
        misses += 1;
    }
    assert!(misses >= count / 2, "{misses} of {count}");
    assert!(causes.len() >= 2, "{causes:?}");
}

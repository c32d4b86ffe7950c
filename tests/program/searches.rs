//! A search recorded once, posted again and again to the real binary: each has an id and answers of its own.

use crate::harness::{Lab, Running};
use crate::raw::raw_console;

const SEARCHES: &str = "/api/ariel/searches";
const ID: &str = "0a1b2c3d-0000-4000-8000-00000000000f";

fn console(request: &str) -> Vec<u8> {
    let task = |status: &str| format!(r#"{{"cursor_id":"{ID}","search_id":"{ID}","status":"{status}"}}"#);
    let (status, body) = match request {
        posted if posted.starts_with("POST") => ("201 Created", task("WAIT")),
        read if read.contains("/results") => ("200 OK", r#"{"events":[{"n":1}]}"#.to_owned()),
        _ => ("200 OK", task("COMPLETED")),
    };
    let length = body.len();
    format!("HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}")
        .into_bytes()
}

/// Posts a search; its id, and what its poll and its results say.
fn searched(server: &Running, aql: &str) -> (String, String, String) {
    let posted = server.post(&format!("{SEARCHES}?query_expression={aql}"), "");
    assert_eq!(posted.status(), 201, "{}", posted.text());
    let text = posted.text();
    let id = text.split(r#""search_id":""#).nth(1).unwrap().split('"').next().unwrap().to_owned();
    let poll = server.get(&format!("{SEARCHES}/{id}")).text();
    let results = server.get(&format!("{SEARCHES}/{id}/results")).text();
    (id, poll, results)
}

#[test]
fn a_search_posted_again_has_a_fresh_id_that_polls_and_results_know_and_another_search_misses() {
    let lab = Lab::new();
    let upstream = raw_console(console);
    let allow = [
        "record",
        "--upstream",
        &upstream,
        "--cassette",
        "c.json",
        "--allow-writes",
        "POST /api/ariel/searches",
    ];
    let recorder = lab.serve(&allow);
    let aql = |start: &str| format!("SELECT%20a%20FROM%20events%20START%20{start}");
    assert_eq!(searched(&recorder, &aql("1699999990000")).0, ID);
    assert_eq!(recorder.stop().code, Some(0));

    let replay = lab.serve(&["replay", "c.json"]);
    let mut ids = Vec::new();
    for start in ["1699999990000", "1764123000123", "1764123000456"] {
        let (id, poll, results) = searched(&replay, &aql(start));
        assert_eq!(id.len(), ID.len());
        assert!(poll.contains(&id) && poll.contains("COMPLETED"), "{poll}");
        assert_eq!(results, r#"{"events":[{"n":1}]}"#);
        ids.push(id);
    }
    assert_eq!(ids[0], ID);
    assert!(ids[1] != ID && ids[2] != ID && ids[1] != ids[2], "{ids:?}");
    let other = replay.post(&format!("{SEARCHES}?query_expression=SELECT%20b%20FROM%20flows"), "");
    assert!(other.status() == 501 && other.text().contains("query_expression"), "{}", other.text());
    assert_eq!(replay.stop().code, Some(3), "a miss is never green");
}

/// No job of a judged client can ask for what goes wrong in these (`tests/verdicts.txt` says why), so a client of no
/// program's meets them here.
#[test]
fn the_stories_about_results_and_a_lost_closing_come_to_pass() {
    let lab = Lab::new();
    let under = |scenario: &str| lab.serve(&["replay", "--scenario", scenario, "--no-auth"]);
    let recorded = "/api/ariel/searches/8e5f3c2a-6b1d-4f7e-9a40-51c2d3e4f506/results";
    let fine = |server: Running| {
        let ended = server.stop();
        assert!(!ended.stderr.contains("never fired"), "{}", ended.stderr);
    };

    let server = under("ariel/results-too-early");
    let answers: Vec<(u16, bool)> = (0..3)
        .map(|_| server.get(recorded))
        .map(|answer| (answer.status(), answer.text().contains("\"code\":1003")))
        .collect();
    assert_eq!(answers, [(404, true), (404, true), (200, false)], "still in progress, then there");
    fine(server);

    let server = under("ariel/results-break-off");
    let results = |server: &Running| {
        let head =
            format!("GET {recorded} HTTP/1.1\r\nHost: localhost\r\nSEC: x\r\nConnection: close\r\n\r\n");
        let bytes = String::from_utf8(server.exchange(head.as_bytes()).unwrap()).unwrap();
        let (head, body) = bytes.split_once("\r\n\r\n").unwrap();
        let announced =
            head.lines().find_map(|line| line.to_lowercase().strip_prefix("content-length: ")?.parse().ok());
        (announced.unwrap_or(body.len()), body.len())
    };
    let (announced, came) = results(&server);
    assert!(came == 40 && announced > 40, "{came} of {announced}");
    let (announced, came) = results(&server);
    assert_eq!(announced, came, "they are still there");
    fine(server);

    let server = under("lists/closing-is-lost");
    let closing = "/api/siem/offenses/101?status=CLOSED&closing_reason_id=1";
    let head = format!("POST {closing} HTTP/1.1\r\nHost: localhost\r\nSEC: x\r\nContent-Length: 0\r\n\r\n");
    let lost = server.exchange(head.as_bytes());
    assert!(lost.as_ref().map_or(true, Vec::is_empty), "{lost:?}");
    let offense = server.get("/api/siem/offenses/101").text();
    assert!(offense.contains("\"CLOSED\""), "it is closed all the same: {offense}");
    fine(server);
}

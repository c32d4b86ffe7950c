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

//! A search is posted as often as a client likes: each one has an id of its own, and each id has the answers that were
//! recorded for its text, and for no other.

use crate::evidence;

use std::sync::Arc;

use evidence::*;
use faultdeck::cassette::Cassette;
use faultdeck::json::Json;
use faultdeck::ledger::Origin;
use faultdeck::message::Request;
use faultdeck::profile::Profile;
use faultdeck::redact::Redactor;
use faultdeck::replay::{Auth, Clock, Evidence, Material, Outside, Replay, Setup};
use faultdeck::seed::Seed;

const SEARCHES: &str = "/api/ariel/searches";
const UUID: &str = "0a1b2c3d-0000-4000-8000-00000000000f";

/// The endpoints of a search, and what makes them one.
fn profile() -> &'static Profile {
    let endpoint = |method: &str, path: &str| {
        format!(
            r#"{{"http_method":"{method}","path":"{path}","version":"26.0","last_modified_version":null,"deprecated":false,"summary":"","description":null,"caller_has_access":true,"parameters":[],"success_responses":[],"error_responses":[],"response_mime_types":[],"response_description":null}}"#
        )
    };
    let endpoints = [
        endpoint("POST", "/ariel/searches"),
        endpoint("GET", "/ariel/searches/{search_id}"),
        endpoint("DELETE", "/ariel/searches/{search_id}"),
        endpoint("GET", "/ariel/searches/{search_id}/results"),
    ];
    let life = r#"
        complete = []
        [versions]
        described = "26.0"
        removed_before = "14.0"
        [[lifecycle]]
        task = "GET /ariel/searches/{search_id}"
        created_by = "POST /ariel/searches"
        id = "/search_id"
        key = ["query_expression"]
        state = ["/status"]
        phases = { WAIT = "waiting", EXECUTE = "working", COMPLETED = "done" }
    "#;
    let profile =
        Profile::parse(&[("e.json", &format!("[{}]", endpoints.join(",")))], ("l.toml", life)).unwrap();
    Box::leak(Box::new(profile))
}

fn started(mut cassette: Cassette, seed: u64) -> Replay {
    let profile = profile();
    cassette.canonicalise(profile);
    Replay::new(Setup {
        evidence: Evidence::Cassette(Arc::new(Material::new(cassette, profile))),
        scenario: None,
        profile,
        seed: Seed(seed),
        auth: Auth::Required,
        outside: Outside::Miss,
        redactor: Redactor::new(),
        verb: "replay".to_owned(),
        session: "main".to_owned(),
        clock: Clock::default(),
    })
    .keeping()
}

fn encoded(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02X}")).collect()
}

fn search(aql: &str) -> Request {
    post(&format!("{SEARCHES}?query_expression={}", encoded(aql)), "")
}

fn delete(target: &str) -> Request {
    Request { method: "DELETE".into(), ..get(target) }
}

fn status(id: &str, status: &str) -> String {
    format!(
        r#"{{"cursor_id":"{id}","status":"{status}","search_id":"{id}","query_string":"SELECT a FROM events"}}"#
    )
}

/// A search as it is recorded: posted, polled, read, discarded.
fn recorded(id: &str, aql: &str, result: &str) -> Vec<(Request, u16, String)> {
    vec![
        (search(aql), 201, status(id, "WAIT")),
        (get(&format!("{SEARCHES}/{id}")), 200, status(id, "EXECUTE")),
        (get(&format!("{SEARCHES}/{id}")), 200, status(id, "COMPLETED")),
        (get(&format!("{SEARCHES}/{id}/results")), 404, r#"{"code":1003}"#.to_owned()),
        (get(&format!("{SEARCHES}/{id}/results")), 200, format!(r#"{{"events":[{result}]}}"#)),
        (delete(&format!("{SEARCHES}/{id}")), 202, status(id, "COMPLETED")),
    ]
}

fn tape(searches: &[(&str, &str, &str)]) -> Cassette {
    let all: Vec<_> = searches.iter().flat_map(|(id, aql, result)| recorded(id, aql, result)).collect();
    let mut tape = cassette(
        all.iter().map(|(request, status, body)| (request.clone(), *status, body.as_str())).collect(),
    );
    for interaction in tape.interactions.iter_mut().filter(|it| it.request.method == "POST") {
        let id = Json::parse(interaction.response.text().unwrap())
            .unwrap()
            .member("search_id")
            .unwrap()
            .as_str()
            .unwrap()
            .to_owned();
        interaction.response.headers.push("Location", format!("{{base}}{SEARCHES}/{id}"));
    }
    tape
}

fn created(replay: &Replay, request: Request) -> String {
    let delivery = ask(replay, request);
    let text = delivery.response.text().unwrap().to_owned();
    assert_eq!(delivery.response.status, 201, "{text}");
    let body = Json::parse(&text).unwrap();
    let id = body.member("search_id").unwrap().as_str().unwrap().to_owned();
    assert_eq!(
        body.member("cursor_id").unwrap().as_str(),
        Some(id.as_str()),
        "every member that holds the id"
    );
    assert!(delivery.response.headers.text("Location").unwrap().ends_with(&format!("/{id}")));
    id
}

/// All that a client asks of a search: two polls, two looks at its results, and it is discarded.
fn walk(replay: &Replay, id: &str, result: &str) {
    let task = format!("{SEARCHES}/{id}");
    for expected in ["EXECUTE", "COMPLETED", "COMPLETED"] {
        let (status, body) = answer(replay, get(&task));
        assert!(
            status == 200 && body.contains(expected) && body.contains(&format!(r#""search_id":"{id}""#)),
            "{body}"
        );
    }
    assert_eq!(
        answer(replay, get(&format!("{task}/results"))).0,
        404,
        "each id has its own answers from the first on"
    );
    assert_eq!(answer(replay, get(&format!("{task}/results"))).1, format!(r#"{{"events":[{result}]}}"#));
    let (status, body) = answer(replay, delete(&task));
    assert!(status == 202 && body.contains(id), "{body}");
    assert_eq!(answer(replay, delete(&task)).0, 501, "a write is served once for each id");
}

#[test]
fn the_same_search_posted_again_has_a_fresh_id_and_the_recorded_answers() {
    for id in [UUID, "S1search", "abc"] {
        let aql = "SELECT a FROM events LAST 5 MINUTES";
        let replay = started(tape(&[(id, aql, "1")]), 1);
        let ids: Vec<String> = (0..4).map(|_| created(&replay, search(aql))).collect();
        assert_eq!(ids[0], id);
        for (place, fresh) in ids.iter().enumerate().skip(1) {
            assert!(!ids[..place].contains(fresh), "{ids:?}");
            assert_eq!(fresh.len(), id.len());
            assert!(fresh.bytes().zip(id.bytes()).all(|(one, two)| (one == b'-') == (two == b'-')));
        }
        assert!(matches!(exchanges(&replay)[1].origin, Origin::Created(_)));
        ids.iter().for_each(|id| walk(&replay, id, "1"));
    }
}

#[test]
fn fresh_ids_are_drawn_from_the_seed() {
    let ids = |seed: u64| {
        let replay = started(tape(&[(UUID, "SELECT a FROM events", "1")]), seed);
        (0..3).map(|_| created(&replay, search("SELECT a FROM events"))).collect::<Vec<_>>()
    };
    assert_eq!(ids(1), ids(1));
    assert_ne!(ids(1)[1], ids(2)[1]);
}

#[test]
fn no_search_is_answered_with_another_searches_results() {
    let other = "ffffffff-1111-4111-9111-11111111111a";
    let (a, b) = ("SELECT a FROM events LAST 5 MINUTES", "SELECT b FROM flows LAST 5 MINUTES");
    let replay = started(tape(&[(UUID, a, "1"), (other, b, "2")]), 1);
    let ids = [b, a, a, b].map(|aql| created(&replay, search(aql)));
    assert_eq!(&ids[..2], [other, UUID]);
    for (id, result) in ids.iter().zip(["2", "1", "1", "2"]) {
        walk(&replay, id, result);
    }
    let (status, body) = answer(&replay, search("SELECT c FROM events LAST 5 MINUTES"));
    assert!(status == 501, "{body}");
    for part in
        ["no creation recorded with this query_expression", "record this one", "recorded SELECT a FROM"]
    {
        assert!(body.contains(part), "{part}: {body}");
    }
    assert_eq!(answer(&replay, post(SEARCHES, "")).0, 501, "no text is no search");
    assert_eq!(answer(&replay, post(&format!("{SEARCHES}?saved_search_id=3"), "")).0, 501);
}

#[test]
fn the_text_may_come_in_the_query_in_a_form_or_as_json_and_its_window_may_move() {
    let aql = |window: &str| format!("select a from events where InOffense(12) limit 9 start {window}");
    let replay = started(tape(&[(UUID, &aql("1699999990000"), "1")]), 1);
    let mut form = post(SEARCHES, &format!("query_expression={}", encoded(&aql("1764123000000"))));
    form.headers.set("Content-Type", "application/x-www-form-urlencoded");
    let json = post(SEARCHES, &format!(r#"{{"query_expression":"{}"}}"#, aql("1764123000001")));
    assert_eq!(created(&replay, search(&aql("1764123000123"))), UUID);
    assert!(exchanges(&replay).pop().unwrap().findings.join("").contains("1764123000123"));
    for request in [form, json] {
        let id = created(&replay, request);
        assert_ne!(id, UUID);
        walk(&replay, &id, "1");
    }
    assert_eq!(answer(&replay, search(&aql("1764123000123").replace("12", "13"))).0, 501);
}

#[test]
fn a_refused_search_is_refused_as_often_as_it_is_posted() {
    let mut all = recorded(UUID, "SELECT a FROM events", "1");
    all.push((search("SELECT nonsense"), 422, r#"{"code":1005}"#.to_owned()));
    let held = cassette(
        all.iter().map(|(request, status, body)| (request.clone(), *status, body.as_str())).collect(),
    );
    let replay = started(held, 1);
    for _ in 0..3 {
        assert_eq!(answer(&replay, search("SELECT nonsense")), (422, r#"{"code":1005}"#.to_owned()));
    }
}

#[test]
fn a_fresh_id_is_found_wherever_a_client_sends_it() {
    let about = |id: &str| post("/api/x/reports", &format!(r#"{{"search":"{id}"}}"#));
    let by_query = |id: &str| get(&format!("/api/x/reports?search={id}"));
    let mut held = tape(&[(UUID, "SELECT a FROM events", "1")]);
    held.interactions.extend(
        cassette(vec![(about(UUID), 200, &format!(r#"{{"of":"{UUID}"}}"#)), (by_query(UUID), 200, "[]")])
            .interactions,
    );
    let replay = started(held, 1);
    assert_eq!(created(&replay, search("SELECT a FROM events")), UUID);
    let fresh = created(&replay, search("SELECT a FROM events"));
    for id in [UUID, &fresh] {
        assert_eq!(answer(&replay, about(id)), (200, format!(r#"{{"of":"{id}"}}"#)));
        assert_eq!(answer(&replay, by_query(id)).0, 200);
    }
    assert_eq!(answer(&replay, by_query("11111111-1111-4111-9111-11111111111a")).0, 501);
}

#[test]
fn an_address_in_a_search_is_a_placeholder_in_the_file_and_the_clients_own_in_the_answers() {
    let aql =
        |address: &str, time: &str| format!("SELECT a FROM events WHERE sourceip='{address}' START '{time}'");
    let (then, now) = ("2024-01-09 10:00", "2026-11-26 02:13");
    let found = |address: &str| format!(r#"{{"sourceip":"{address}"}}"#);
    let held = tape(&[(UUID, &aql("10.20.30.40", then), &found("10.20.30.40"))]);
    assert!(!held.to_text().contains("10.20.30.40"));
    for time in [then, now] {
        let replay = started(held.clone(), 1);
        let first = created(&replay, search(&aql("10.9.8.7", time)));
        let again = created(&replay, search(&aql("10.9.8.7", time)));
        walk(&replay, &first, &found("10.9.8.7"));
        walk(&replay, &again, &found("10.9.8.7"));
        let (status, body) = answer(&replay, search(&aql("10.9.8.6", time)));
        assert!(
            status == 501 && body.contains("query_expression"),
            "another address is another search: {body}"
        );
    }
}

#[test]
fn a_lookup_of_the_same_address_is_another_task_and_one_of_another_address_is_a_miss() {
    const LOOKUPS: &str = "/api/services/dns_lookups";
    let lookup = |ip: &str| post(&format!("{LOOKUPS}?IP={ip}"), "");
    let task = |status: &str| format!(r#"{{"id":7,"ip":"192.0.2.1","status":"{status}"}}"#);
    let (queued, done) = (task("QUEUED"), task("COMPLETED"));
    let replay = evidence::replay(
        cassette(vec![
            (lookup("192.0.2.1"), 201, queued.as_str()),
            (get(&format!("{LOOKUPS}/7")), 200, queued.as_str()),
            (get(&format!("{LOOKUPS}/7")), 200, done.as_str()),
        ]),
        None,
    );
    let id = |request| {
        let (status, body) = answer(&replay, request);
        assert_eq!(status, 201, "{body}");
        Json::parse(&body).unwrap().member("id").unwrap().text().to_owned()
    };
    let ids = [id(lookup("10.1.2.3")), id(lookup("10.1.2.3"))];
    assert_eq!((ids[0].as_str(), ids[1] != ids[0]), ("7", true), "{ids:?}");
    for id in &ids {
        let polls = [(); 2].map(|()| state(&replay, get(&format!("{LOOKUPS}/{id}"))));
        assert_eq!(polls, ["QUEUED", "COMPLETED"], "{id}");
    }
    assert_eq!(answer(&replay, lookup("10.9.9.9")).0, 501);
}

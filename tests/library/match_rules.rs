//! What a user says of matching: in a scenario, and in a file beside a cassette.

use crate::canary::Folder;
use crate::evidence;

use evidence::*;
use faultdeck::cassette::Cassette;

const EVENTS: &str = "/api/x/events";

fn under(rules: &str) -> Option<String> {
    Some(format!("summary = \"x\"\n[match]\n{rules}\n"))
}

#[test]
fn a_parameter_or_a_member_of_the_body_can_be_left_out_or_written_otherwise() {
    let tape = || {
        cassette(vec![
            (get(&format!("{EVENTS}?_=1&filter=a%20=%201")), 200, "[1]"),
            (post(EVENTS, r#"{"run":{"id":1},"tags":"b, a"}"#), 200, "{}"),
        ])
    };
    let moved = get(&format!("{EVENTS}?filter=a%20%20=%201&_=2"));
    let sent = post(EVENTS, r#"{"tags":"a,b","run":{"id":2}}"#);
    let calm = replay(tape(), None);
    assert_eq!([answer(&calm, moved.clone()).0, answer(&calm, sent.clone()).0], [501, 501]);

    let rules =
        under("ignore = [\"_\", \"/run/id\"]\nnormalise = { filter = \"blanks\", \"/tags\" = \"list\" }");
    let replay = replay(tape(), rules.as_deref());
    assert_eq!(answer(&replay, moved.clone()), (200, "[1]".to_owned()));
    let remark = exchanges(&replay)[0].findings.join("");
    assert!(remark.contains("query parameter _: recorded 1, received 2"), "{remark}");
    assert_eq!(answer(&replay, sent.clone()).0, 200);
    assert!(answer(&replay, sent).1.contains("exhausted"), "a write is served once, however it is written");
    assert_eq!(answer(&replay, get(&format!("{EVENTS}?filter=a%20=%202&_=1"))).0, 501);
}

#[test]
fn a_header_can_take_part() {
    let of = |tenant: &str| get(EVENTS).with("X-Tenant", tenant);
    let tape = || cassette(vec![(of("a"), 200, "\"a\""), (of("b"), 200, "\"b\"")]);
    let rules = under("headers = [\"x-tenant\"]");
    let replay = replay(tape(), rules.as_deref());
    for tenant in ["b", "a", "b"] {
        assert_eq!(answer(&replay, of(tenant)).1, format!("\"{tenant}\""));
    }
    for request in [of("c"), get(EVENTS)] {
        let (status, body) = answer(&replay, request);
        assert!(status == 501 && body.contains("other headers") && body.contains("[match]"), "{body}");
    }
}

#[test]
fn volatile_values_can_be_made_to_count() {
    let at = |time: &str| get(&format!("{EVENTS}?after={time}"));
    let rules = under("loose = false");
    let replay = replay(cassette(vec![(at("1699999990000"), 200, "[1]")]), rules.as_deref());
    assert_eq!(answer(&replay, at("1699999990000")).0, 200);
    assert_eq!(answer(&replay, at("1764123000123")).0, 501);
}

#[test]
fn a_file_beside_the_cassette_says_the_same_and_a_scenario_adds_to_it() {
    let folder = Folder::new();
    let path = folder.path().join("mine.json");
    cassette(vec![(get(&format!("{EVENTS}?_=1&n=1&after=1699999990000")), 200, "[1]")]).save(&path).unwrap();
    let ask = |scenario: Option<&str>| {
        let replay = replay(Cassette::load(&path).unwrap(), scenario);
        answer(&replay, get(&format!("{EVENTS}?_=2&n=2&after=1764123000123"))).0
    };
    assert_eq!(ask(None), 501);
    std::fs::write(folder.path().join("mine.match.toml"), "ignore = [\"_\"]\n").unwrap();
    assert_eq!(ask(None), 501);
    assert_eq!(ask(under("ignore = [\"n\"]").as_deref()), 200);
    assert_eq!(ask(under("ignore = [\"n\"]\nloose = false").as_deref()), 501);

    std::fs::write(folder.path().join("mine.match.toml"), "\nignores = [\"_\"]\n").unwrap();
    let error = Cassette::load(&path).unwrap_err().to_string();
    assert!(error.contains("mine.match.toml:2:1") && error.contains("ignores"), "{error}");
}

#[test]
fn what_a_creation_asks_for_is_read_by_the_rules_too() {
    let search = |text: &str| post(&format!("/api/ariel/searches?query_expression={text}"), "");
    let tape =
        || cassette(vec![(search("SELECT%20*%20FROM%20events"), 201, r#"{"search_id":"s-00000001"}"#)]);
    let moved = search("SELECT%20%20*%20FROM%20events");
    assert_eq!(answer(&replay(tape(), None), moved.clone()).0, 501);
    let rules = under("normalise = { query_expression = \"blanks\" }");
    let replay = replay(tape(), rules.as_deref());
    assert_eq!(answer(&replay, moved.clone()).0, 201);
    assert!(!answer(&replay, moved).1.contains("s-00000001"), "asked again it is another search");
    assert_eq!(answer(&replay, search("SELECT%20*%20FROM%20flows")).0, 501);
}

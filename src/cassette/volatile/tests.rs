use super::*;
use crate::message::{Request, Response};

fn same(one: &str, two: &str) -> bool {
    let given = Given::default();
    text_of(one, &given) == text_of(two, &given)
}

#[test]
fn the_window_of_a_search_moves_as_published_clients_write_it() {
    for (one, two) in [
        (
            "select * from events where InOffense(12) limit 100 start '2024-01-09 10:00' stop '2024-01-09 11:00'",
            "select * from events where InOffense(12) limit 100 start '2026-11-26 02:13' stop '2026-11-26 03:13'",
        ),
        (
            "SELECT CATEGORYNAME(highlevelcategory) FROM events WHERE INOFFENSE(7) START 1699999990000",
            "SELECT CATEGORYNAME(highlevelcategory) FROM events WHERE INOFFENSE(7) START 1764123000123",
        ),
        (
            "SELECT sourceip, QIDNAME(qid) as eventname FROM events WHERE INOFFENSE(3) LIMIT 1 LAST 24 HOURS",
            "SELECT sourceip, QIDNAME(qid) as eventname FROM events WHERE INOFFENSE(3) LIMIT 1 LAST 5 MINUTES",
        ),
        (
            r#"select "Event ID" from events where "Event ID"='4740' order by "startTime" desc LIMIT 9 last 120 minutes;"#,
            r#"select "Event ID" from events where "Event ID"='4740' order by "startTime" desc LIMIT 9 last 1 day;"#,
        ),
        (
            "SELECT * FROM flows WHERE starttime > 1699999990000 START PARSEDATETIME('1 hour ago')",
            "SELECT * FROM flows WHERE starttime > 1764123000123 START PARSEDATETIME('2 hours ago')",
        ),
    ] {
        assert!(same(one, two), "{}", text_of(one, &Given::default()));
        assert_ne!(one, two);
    }
}

#[test]
fn what_a_search_asks_for_never_moves() {
    for (one, two) in [
        (
            "SELECT * FROM events WHERE INOFFENSE(7) LAST 5 MINUTES",
            "SELECT * FROM events WHERE INOFFENSE(8) LAST 5 MINUTES",
        ),
        ("SELECT a FROM events LIMIT 5 LAST 5 MINUTES", "SELECT a FROM events LIMIT 6 LAST 5 MINUTES"),
        ("SELECT a FROM events LAST 5 MINUTES", "SELECT a FROM flows LAST 5 MINUTES"),
        ("SELECT 'LAST 5 MINUTES' FROM events", "SELECT 'LAST 6 MINUTES' FROM events"),
        (r#"SELECT "START 1" FROM events"#, r#"SELECT "START 2" FROM events"#),
        ("SELECT start FROM events", "SELECT stop FROM events"),
        ("the LAST 5 MINUTES", "the LAST 6 MINUTES"),
        ("SELECT a FROM events WHERE qid=1002250123", "SELECT a FROM events WHERE qid=1002250124"),
        ("SELECT a FROM events WHERE sourceip='10.0.0.1'", "SELECT a FROM events WHERE sourceip='10.0.0.2'"),
        (
            "SELECT a FROM events WHERE m='d41d8cd98f00b204e9800998ecf8427e'",
            "SELECT a FROM events WHERE m='d41d8cd98f00b204e9800998ecf8427f'",
        ),
    ] {
        assert!(!same(one, two), "{one} {two}");
    }
}

#[test]
fn times_and_uuids_are_volatile_and_ordinary_numbers_are_not() {
    let uuid = ["0a1b2c3d-0000-4000-8000-00000000000f", "FFFFFFFF-1111-4111-9111-11111111111A"];
    for (one, two) in [
        (uuid[0], uuid[1]),
        ("start_time>1699999990000", "start_time>1764123000123"),
        ("1699999990", "1764123000"),
        ("1699999990.25", "1764123000"),
        ("2026-11-26T02:13:00Z", "2025-01-01T00:00:00.123456+01:00"),
        ("from 2026-11-26 02:13 on", "from 2025-01-01 00:00:59 on"),
        ("2026-11-26", "2025-12-31"),
        ("2024/01/09-10:00:00", "2026/11/26-02:13:00"),
    ] {
        assert!(same(one, two), "{one} {two}");
    }
    for (one, two) in [
        ("7", "8"),
        ("1234567890", "1234567891"),
        ("9999999999999", "9999999999998"),
        ("17000000001", "17000000002"),
        ("a1700000001", "a1700000002"),
        ("1699999990", "1699999990000"),
        ("10.0.0.1", "10.0.0.2"),
        ("2026-11-26", "1764123000"),
    ] {
        assert!(!same(one, two), "{one} {two}");
    }
}

fn key(target: &str, body: &'static str) -> MatchKey {
    let mut request = Request::new("POST", target);
    request.body = body.into();
    MatchKey::of(&request)
}

#[test]
fn a_key_is_masked_in_its_values_and_in_no_id_of_its_path() {
    let none = &Given::default();
    let masked = |target: &str, body| masked(&key(target, body), none);
    assert_eq!(masked("/api/x?filter=a%3D7", r#"{"id":1700000,"n":[1,{}]}"#), None);
    assert_eq!(masked("/api/x/1699999990?b=7", ""), None, "a number in a path is an id");
    assert_eq!(
        masked("/api/x?t=1699999990000", r#"{"at":1699999990,"to":1699999990000,"s":"on 2026-11-26"}"#),
        masked("/api/x?t=1764123000123", r#"{"at":1764123000.5,"to":1764123000123,"s":"on 2025-01-01"}"#)
    );
    assert!(
        masked("/api/x/0a1b2c3d-0000-4000-8000-00000000000f", "")
            .is_some_and(|key| key.path.ends_with("\u{1}uuid"))
    );
    assert_eq!(masked("/api/x", r#"{"1699999990":1}"#), None, "a name is no value");
}

#[test]
fn a_form_is_read_value_by_value() {
    let form = |query: &str| {
        let mut request = Request::new("POST", "/api/ariel/searches")
            .with("Content-Type", "application/x-www-form-urlencoded");
        request.body = format!("query_expression={query}&x=%22").into();
        masked(&MatchKey::of(&request), &Given::default())
    };
    assert!(form("SELECT+a+FROM+events+LAST+5+MINUTES").is_some());
    assert_eq!(form("SELECT+a+FROM+events+LAST+5+MINUTES"), form("SELECT+a+FROM+events+LAST+6+MINUTES"));
}

#[test]
fn what_the_console_gave_is_no_volatile_value() {
    let interaction = |target: &str, body: &str| Interaction {
        id: String::new(),
        endpoint: "".into(),
        request: Request::new("GET", target),
        response: Response::json(200, body.to_owned()),
        by_recorder: false,
        moment: 0,
        notes: Vec::new(),
    };
    let cassette = Cassette {
        interactions: vec![
            interaction("/api/a?t=1699999990001", r#"{"echo":1699999990001,"text":"START 1699999990002"}"#),
            interaction(
                "/api/b",
                r#"[{"start_time":1699999990000,"id":"0A1b2c3d-0000-4000-8000-00000000000f"}]"#,
            ),
        ],
        ..Cassette::default()
    };
    let given = Given::of(&cassette);
    let masks = |text: &str| text_of(text, &given) != text;
    assert!(!masks("1699999990000") && !masks("0a1b2c3d-0000-4000-8000-00000000000f"));
    assert!(!masks("SELECT a FROM events START 1699999990000"));
    assert!(masks("1699999990001"), "the client said it first");
    assert!(masks("1699999990002"), "a part of a longer text is no value of its own");
    assert!(masks("1764123000123"));
}

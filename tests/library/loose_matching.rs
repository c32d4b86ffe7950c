//! Times and uuids of the client's own are another in each run. Where nothing recorded is the very request they do not
//! count, and the exchange says so; everything else counts.

use crate::evidence;

use evidence::*;
use faultdeck::message::Request;
use faultdeck::replay::Replay;

const EVENTS: &str = "/api/x/events";
const SEARCHES: &str = "/api/ariel/searches";
const ONE: &str = "0a1b2c3d-0000-4000-8000-00000000000f";
const TWO: &str = "ffffffff-1111-4111-9111-11111111111a";

fn remarks(replay: &Replay) -> Vec<String> {
    exchanges(replay).pop().unwrap().findings
}

fn search(aql: &str) -> Request {
    let aql: String = aql.bytes().map(|byte| format!("%{byte:02X}")).collect();
    post(&format!("{SEARCHES}?query_expression={aql}"), "")
}

#[test]
fn a_time_that_moved_is_passed_over_with_a_remark_and_the_very_request_has_none() {
    let replay =
        replay(cassette(vec![(get(&format!("{EVENTS}?after=1699999990000&n=7")), 200, "[1]")]), None);
    assert_eq!(answer(&replay, get(&format!("{EVENTS}?n=7&after=1699999990000"))), (200, "[1]".to_owned()));
    assert!(remarks(&replay).is_empty());
    assert_eq!(answer(&replay, get(&format!("{EVENTS}?n=7&after=1764123000123"))), (200, "[1]".to_owned()));
    let remark = remarks(&replay).join("");
    assert!(remark.contains("after: recorded 1699999990000, received 1764123000123"), "{remark}");
    assert!(matches!(exchanges(&replay)[1].origin, faultdeck::ledger::Origin::Recorded(_)));
    for other in ["n=8&after=1764123000123", "n=7&after=now", "n=7&after=1764123000", "n=7"] {
        let (status, body) = answer(&replay, get(&format!("{EVENTS}?{other}")));
        assert!(status == 501 && body.contains("not recorded"), "{other}: {body}");
    }
}

#[test]
fn of_two_candidates_the_first_that_has_answered_nothing_is_taken() {
    let at = |second: u32| get(&format!("{EVENTS}?after=2026-11-26T02:00:{second:02}Z"));
    let tape =
        || cassette((0..4).map(|n| (at(n), 200, ["\"0\"", "\"1\"", "\"2\"", "\"3\""][n as usize])).collect());
    let replay_ = replay(tape(), None);
    let got: Vec<String> = [50, 2, 51, 52, 53, 0].map(|second| answer(&replay_, at(second)).1).into();
    assert_eq!(got, ["\"0\"", "\"2\"", "\"1\"", "\"3\"", "\"3\"", "\"0\""]);
    let strict = replay(tape(), Some("summary = \"x\"\nrepeats = \"error\"\n"));
    let got: Vec<u16> = [50, 51, 52, 53, 54].map(|second| answer(&strict, at(second)).0).into();
    assert_eq!(got, [200, 200, 200, 200, 501]);
}

#[test]
fn an_id_is_never_passed_over() {
    let tape = cassette(vec![
        (get("/api/x/rules/1699999990"), 200, "1"),
        (get(&format!("{EVENTS}?id=17")), 200, "17"),
        (post(EVENTS, r#"{"id":17,"at":"2026-11-26 02:13"}"#), 200, "{}"),
    ]);
    let replay = replay(tape, None);
    for request in [
        get("/api/x/rules/1699999991"),
        get(&format!("{EVENTS}?id=18")),
        post(EVENTS, r#"{"id":18,"at":"2026-11-26 02:13"}"#),
    ] {
        assert_eq!(answer(&replay, request).0, 501);
    }
    assert_eq!(answer(&replay, post(EVENTS, r#"{"at":"2026-11-27 09:00","id":17}"#)).0, 200);
    assert!(remarks(&replay).join("").contains("body member at"), "{:?}", remarks(&replay));
    assert_eq!(
        answer(&replay, post(EVENTS, r#"{"at":"2026-11-27 09:01","id":17}"#)).0,
        501,
        "a write is served once"
    );
}

#[test]
fn a_uuid_of_the_clients_own_is_passed_over_and_one_that_the_console_gave_is_not() {
    let own = cassette(vec![(get(&format!("/api/x/runs/{ONE}")), 200, "1")]);
    let replay_ = replay(own, None);
    assert_eq!(answer(&replay_, get(&format!("/api/x/runs/{TWO}"))).0, 200);
    assert!(remarks(&replay_).join("").contains(TWO));

    let given = cassette(vec![
        (get("/api/x/runs"), 200, &format!(r#"["{ONE}"]"#)),
        (get(&format!("/api/x/runs/{ONE}")), 200, "1"),
    ]);
    let (status, body) = answer(&replay(given, None), get(&format!("/api/x/runs/{TWO}")));
    assert!(status == 501 && body.contains(ONE), "the nearest is named: {body}");
}

#[test]
fn a_search_whose_window_moved_is_the_search_and_another_is_not() {
    // As programs that are published write them.
    for (recorded, received) in [
        (
            "select * from events where InOffense(12) limit 100 start '2024-01-09 10:00' stop '2024-01-09 11:00'",
            "select * from events where InOffense(12) limit 100 start '2026-11-26 02:13' stop '2026-11-26 03:13'",
        ),
        (
            "SELECT CATEGORYNAME(highlevelcategory) FROM events WHERE INOFFENSE(12) START 1699999990000",
            "SELECT CATEGORYNAME(highlevelcategory) FROM events WHERE INOFFENSE(12) START 1764123000123",
        ),
        (
            "SELECT sourceip, UTF8(payload) as payload FROM events WHERE INOFFENSE(12) LIMIT 1 LAST 24 HOURS",
            "SELECT sourceip, UTF8(payload) as payload FROM events WHERE INOFFENSE(12) LIMIT 1 LAST 25 HOURS",
        ),
    ] {
        let tape = cassette(vec![(search(recorded), 201, r#"{"search_id":"abc"}"#)]);
        let replay = replay(tape, None);
        let (status, body) = answer(&replay, search(&received.replace("12", "13")));
        assert!(status == 501 && body.contains("query_expression"), "{body}");
        assert_eq!(answer(&replay, search(received)).0, 201, "{received}");
        assert!(remarks(&replay).join("").contains("query_expression"), "{:?}", remarks(&replay));
    }
}

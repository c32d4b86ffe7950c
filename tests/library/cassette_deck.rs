//! The deck finds what was recorded: by key, by placeholder, by epoch; and tells a refusal from an answer.

use faultdeck::cassette::{Cassette, Deck, Interaction, MatchKey};
use faultdeck::message::{Request, Response};
use faultdeck::profile::Profile;

const CASES: &str = "/api/forensics/case_management/cases";

fn request(method: &str, target: &str, body: &str) -> Request {
    let mut request = Request::new(method, target).with("SEC", "fd-secret-1");
    request.body = body.to_owned().into();
    request
}

fn deck(exchanges: &[(Request, u16)]) -> Deck {
    let interactions = exchanges.iter().enumerate().map(|(place, (request, status))| Interaction {
        id: format!("i{place}"),
        endpoint: "".into(),
        request: request.clone(),
        response: Response::json(*status, "{}"),
        by_recorder: false,
        moment: 0,
        notes: Vec::new(),
    });
    Deck::new(Cassette { interactions: interactions.collect(), ..Cassette::default() }, Profile::builtin())
}

fn found(deck: &Deck, request: &Request) -> Vec<(usize, usize, bool)> {
    deck.under(&MatchKey::of(request)).iter().map(|slot| (slot.index, slot.epoch, slot.refused)).collect()
}

#[test]
fn an_accepted_write_cuts_its_own_resource_and_no_other() {
    let list = request("GET", CASES, "");
    let item = request("GET", &format!("{CASES}/7"), "");
    let refused = request("POST", CASES, r#"{"name":"a b"}"#);
    let made = request("POST", CASES, r#"{"name":"A"}"#);
    let deck = deck(&[
        (list.clone(), 200),
        (refused.clone(), 422),
        (list.clone(), 200),
        (made.clone(), 201),
        (list.clone(), 200),
        (item.clone(), 200),
    ]);
    assert_eq!(found(&deck, &list), [(0, 0, false), (2, 0, false), (4, 1, false)]);
    assert_eq!(found(&deck, &made), [(3, 0, false)]);
    assert_eq!(found(&deck, &item), [(5, 0, false)]);
    assert_eq!((deck.epoch_of(4), deck.epoch_of(99)), (1, 0));
}

#[test]
fn a_recorded_user_stands_for_any_user_and_a_recorded_name_for_itself() {
    let recorded = request("POST", CASES, r#"{"assigned_to":["user-1"],"name":"A"}"#);
    let literal = request("POST", CASES, r#"{"assigned_to":["bob"],"name":"B"}"#);
    let deck = deck(&[(recorded, 201), (literal.clone(), 201)]);
    let ask = |user: &str, name: &str| {
        let body = format!(r#"{{ "name": "{name}", "assigned_to": ["{user}"] }}"#);
        found(&deck, &request("POST", CASES, &body)).iter().map(|slot| slot.0).collect::<Vec<_>>()
    };
    assert_eq!(ask("alice", "A"), [0]);
    assert_eq!(ask("bob", "A"), [0]);
    assert_eq!(ask("bob", "B"), [1]);
    assert!(ask("alice", "B").is_empty() && ask("alice", "C").is_empty());
}

#[test]
fn a_recorded_refusal_is_marked_and_lends_its_answer_to_nobody() {
    let bare = Request::new("GET", CASES);
    let wrong = request("GET", &format!("{CASES}?fields=nope"), "");
    let whole = request("GET", CASES, "");
    let deck = deck(&[(bare, 401), (wrong, 422), (whole.clone(), 200)]);
    assert_eq!(found(&deck, &whole), [(0, 0, true), (1, 0, true), (2, 0, false)]);
}

#[test]
fn a_miss_names_the_three_nearest() {
    let all: Vec<(Request, u16)> =
        (1..9).map(|n| (request("GET", &format!("{CASES}/{n}"), ""), 200)).collect();
    let nearest = deck(&all).nearest(&MatchKey::of(&request("GET", &format!("{CASES}/10"), "")));
    assert_eq!(nearest.len(), 3);
    assert_eq!(nearest[0], (0, format!("path: recorded {CASES}/1, received {CASES}/10")));
    assert!(Deck::new(Cassette::default(), Profile::builtin()).nearest(&MatchKey::of(&all[0].0)).is_empty());
}

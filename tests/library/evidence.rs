//! Cassettes and replays made in a test, without a file or a port.

// Each test binary uses its own part of this, and stops where a fact it relies on does not hold.
#![allow(dead_code, unreachable_pub, clippy::unwrap_used, clippy::panic)]

use std::sync::Arc;
use std::time::Duration;

use faultdeck::cassette::{Cassette, Interaction, RecordedFrom};
use faultdeck::delivery::Delivery;
use faultdeck::ledger::{Exchange, Line};
use faultdeck::message::{Request, Response};
use faultdeck::profile::Profile;
use faultdeck::redact::Redactor;
use faultdeck::replay::{Auth, Clock, Evidence, Material, Outside, Replay, Setup};
use faultdeck::scenario::Scenario;
use faultdeck::seed::Seed;

pub const TASK: &str = "/api/forensics/case_management/case_create_tasks/42";
pub const CASES: &str = "/api/forensics/case_management/cases";

use crate::canary;

/// A request with the canary as its token and in another header.
fn request(method: &str, target: &str) -> Request {
    let request = Request::new(method, target).with("Host", "console").with("SEC", canary::canary());
    request.with("X-Carried-Along", canary::canary())
}

/// A GET with a token.
pub fn get(target: &str) -> Request {
    request("GET", target)
}

/// A POST of JSON with a token.
pub fn post(target: &str, body: &str) -> Request {
    let mut request = request("POST", target).with("Content-Type", "application/json");
    request.body = body.to_owned().into();
    request
}

/// A cassette of these requests and JSON answers, in order.
pub fn cassette(pairs: Vec<(Request, u16, &str)>) -> Cassette {
    let profile = Profile::builtin();
    let interactions = pairs.into_iter().map(|(request, status, body)| Interaction {
        id: String::new(),
        endpoint: profile
            .find(&request.method, request.path())
            .map(|it| it.endpoint.id.as_str().into())
            .unwrap_or_default(),
        request,
        response: Response::json(status, body.to_owned()),
        by_recorder: false,
        moment: 0,
        notes: Vec::new(),
    });
    let mut cassette = Cassette {
        name: "test".to_owned(),
        recorded_from: RecordedFrom { host: "host-1".to_owned(), ..RecordedFrom::default() },
        interactions: interactions.collect(),
        ..Cassette::default()
    };
    cassette.canonicalise(profile);
    canary::assert_clean("the cassette", cassette.to_text().as_bytes());
    cassette
}

/// The task in one state, all five members.
pub fn task(state: &str) -> String {
    format!(r#"{{"assigned_to":["user-1"],"case_id":7,"id":42,"name":"CASE1","state":"{state}"}}"#)
}

/// A task recorded through these states, polled without `fields`.
pub fn life(states: &[&str]) -> Cassette {
    let bodies: Vec<String> = states.iter().map(|state| task(state)).collect();
    cassette(bodies.iter().map(|body| (get(TASK), 200, body.as_str())).collect())
}

/// A replay of `cassette` under the scenario text, if any.
pub fn replay(cassette: Cassette, scenario: Option<&str>) -> Replay {
    replay_seeded(cassette, scenario, 1)
}

pub fn replay_seeded(cassette: Cassette, scenario: Option<&str>, seed: u64) -> Replay {
    Replay::new(setup_seeded(cassette, scenario, seed)).keeping()
}

/// What such a replay is made of: made once, it can be begun again and again.
pub fn setup_seeded(cassette: Cassette, scenario: Option<&str>, seed: u64) -> Setup {
    let profile = Profile::builtin();
    let scenario = scenario.map(|text| {
        Arc::new(
            Scenario::parse("test", "test.toml", text, profile)
                .unwrap_or_else(|error| panic!("{error}: {error:?}")),
        )
    });
    Setup {
        evidence: Evidence::Cassette(Arc::new(Material::new(cassette, profile))),
        scenario,
        profile,
        seed: Seed(seed),
        auth: Auth::Required,
        outside: Outside::Miss,
        redactor: Redactor::new(),
        verb: "replay".to_owned(),
        session: "main".to_owned(),
        clock: Clock::default(),
    }
}

/// What a replay decides for a request.
pub fn ask(replay: &Replay, request: Request) -> Delivery {
    let delivery = replay.decide(request, Duration::ZERO).0;
    if let Some(line) = replay.lines().last() {
        canary::assert_clean("the ledger", line.to_json().unwrap().as_bytes());
    }
    delivery
}

/// The status and body text of what a replay decides.
pub fn answer(replay: &Replay, request: Request) -> (u16, String) {
    let delivery = ask(replay, request);
    (delivery.response.status, String::from_utf8_lossy(&delivery.response.body).into_owned())
}

/// The exchanges so far.
pub fn exchanges(replay: &Replay) -> Vec<Exchange> {
    let lines = replay.lines();
    lines
        .into_iter()
        .filter_map(|line| if let Line::Exchange(exchange) = line { Some(*exchange) } else { None })
        .collect()
}

/// The state an answer shows.
pub fn state(replay: &Replay, request: Request) -> String {
    let (_, body) = answer(replay, request);
    let json = faultdeck::json::Json::parse(&body).unwrap();
    json.member("state")
        .or_else(|| json.member("status"))
        .and_then(|state| state.as_str())
        .unwrap_or("none")
        .to_owned()
}

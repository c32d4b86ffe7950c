//! A request that comes again byte for byte gets its answer without being decided anew, once nothing can change any more.
//! Nobody can tell: not by the answers, and not by the ledger.

use crate::evidence;

use std::sync::Arc;

use evidence::*;
use faultdeck::cassette::Cassette;
use faultdeck::delivery::Delivery;
use faultdeck::ledger::{self, Origin};
use faultdeck::message::Request;
use faultdeck::replay::{Asked, Replay};
use faultdeck::serve::{Answer, Came, Rendered, Reply};
use proptest::prelude::*;

const ITEM: &str = "/api/forensics/case_management/cases/7";
const OFFENSE: &str = "/api/siem/offenses/5";
const OFFENSES: &str = "/api/siem/offenses";
const MAP: &str = "/api/reference_data/maps/users/dependents";
const MAP_TASK: &str = "/api/reference_data/map_dependent_tasks/7";
const UNKNOWN: &str = "/api/no/such/page";

fn map_task(state: &str) -> String {
    format!(r#"{{"id":7,"maximum":8,"progress":3,"status":"{state}"}}"#)
}

fn offense(status: &str) -> String {
    format!(r#"{{"id":5,"description":"d","status":"{status}","severity":4}}"#)
}

/// Tasks that are started by a GET and by a POST, walk and are called off, reads around a write, lists, errors.
fn world() -> Cassette {
    let (waiting, done) = (task("WAITING"), task("COMPLETE"));
    let (queued, busy, ended) = (map_task("QUEUED"), map_task("PROCESSING"), map_task("CANCELLED"));
    let (open, closed) = (offense("OPEN"), offense("CLOSED"));
    let case = r#"{"assigned_to":["user-1"],"id":7,"name":"CASE1"}"#;
    let later = format!("[{closed}]");
    let (cases, offenses) = (format!("[{case}]"), format!("[{open},{}]", open.replace(":5", ":6")));
    cassette(vec![
        (get(CASES), 200, "[]"),
        (post(CASES, r#"{"name":"CASE1","assigned_to":["user-1"]}"#), 201, &waiting),
        (get(TASK), 200, &waiting),
        (get(TASK), 200, &done),
        (get(ITEM), 200, case),
        (get(CASES), 200, &cases),
        (get(MAP), 202, &queued),
        (get(MAP_TASK), 200, &queued),
        (get(MAP_TASK), 200, &busy),
        (post(MAP_TASK, r#"{"status":"CANCELLED"}"#), 200, &ended),
        (get(MAP_TASK), 200, &ended),
        (get(OFFENSES), 200, &offenses),
        (get(OFFENSES), 200, &later),
        (get(OFFENSE), 200, &open),
        (post(&format!("{OFFENSE}?status=CLOSED"), ""), 200, &closed),
        (get(OFFENSE), 200, &closed),
        (get(UNKNOWN), 200, r#"{"a":1,"b":2}"#),
        (get(UNKNOWN), 503, r#"{"a":2}"#),
    ])
}

/// What a client of this world may ask for.
fn requests() -> Vec<Request> {
    let head = |target: &str| Request { method: "HEAD".to_owned(), ..get(target) };
    let asked = [
        CASES,
        ITEM,
        TASK,
        MAP,
        MAP_TASK,
        OFFENSES,
        OFFENSE,
        UNKNOWN,
        "/api/forensics/case_management/case_create_tasks/43",
        "/api/forensics/case_management/case_create_tasks/42?fields=state",
        "/api/forensics/case_management/cases?filter=id%3D7",
        "/api/reference_data/map_dependent_tasks/8",
        "/api/siem/offenses?sort=-id&fields=id",
        "/api/siem/offenses?filter=severity%3E9",
        "/api/siem/offenses/5?fields=nope",
        "/api/siem/offenses/99",
        "/api/siem/offenses/5?fields=id",
        "/api/no/such/page?fields=a",
        "/@other/api/siem/offenses/5",
        "/@other/api/forensics/case_management/case_create_tasks/42",
    ];
    let reads = asked.iter().map(|target| get(target)).chain([head(TASK), head(OFFENSES), head(UNKNOWN)]);
    let writes = [
        post(CASES, r#"{"name":"CASE1","assigned_to":["user-1"]}"#),
        post(CASES, r#"{"name":"CASE2","assigned_to":["user-1"]}"#),
        post(MAP_TASK, r#"{"status":"CANCELLED"}"#),
        post(&format!("{OFFENSE}?status=CLOSED"), ""),
        Request::new("GET", OFFENSE).with("Host", "console"),
    ];
    reads.chain(writes).collect()
}

/// Clients that ask for the same few things many times over.
fn walks() -> impl Strategy<Value = Vec<Request>> {
    let all = requests();
    let few = prop::sample::subsequence(all, 1..6);
    few.prop_flat_map(|few| prop::collection::vec(prop::sample::select(few), 1..60))
}

/// What may go wrong meanwhile.
const TROUBLES: [Option<&str>; 3] = [
    None,
    Some(
        r#"
summary = "Some of everything: in place of the answer, in it, and on its way."
[[fault]]
when = { endpoint = "case_create_tasks.get", chance = "1/3" }
inject = { latency = { ms = 5, jitter_ms = 50 } }
[[fault]]
when = { nth = "every 2" }
inject = { latency = { ms = 7 } }
[[fault]]
when = { nth = "every 7", of = "endpoint" }
inject = { api-error = { status = 500, code = 1020 } }
[[fault]]
when = { nth = "every 3", chance = "1/2" }
inject = { truncate = { body_bytes = 5 } }
[[fault]]
when = { connection = "2" }
inject = { latency = { ms = 3 } }
[[fault]]
when = { nth = "every 5" }
inject = { drop-field = { name = "id" } }
"#,
    ),
    Some("summary = \"Slow.\"\npolls_per_phase = 3\n"),
];

/// An answer, as it is planned or as bytes that were made before.
enum Given {
    Anew(Delivery),
    Again(Vec<u8>),
}

fn came_on(connection: u64) -> Came {
    Came { connection: Some(connection), ..Came::default() }
}

/// A client of a listener that knows again the heads it has met, as far as a replay can tell.
struct Met(Vec<(Request, Arc<Asked>)>);

impl Met {
    fn ask(&mut self, replay: &Replay, request: &Request) -> Given {
        self.ask_on(1, replay, request)
    }

    fn ask_on(&mut self, connection: u64, replay: &Replay, request: &Request) -> Given {
        let came = came_on(connection);
        let known = self.0.iter().find(|(met, _)| met == request && met.body.is_empty());
        let asked = known.map(|(_, asked)| Arc::clone(asked)).unwrap_or_else(|| {
            let asked = Arc::new(replay.asked(request.clone()));
            self.0.push((request.clone(), Arc::clone(&asked)));
            asked
        });
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        match runtime.block_on(replay.answer(asked, came)) {
            Reply::Planned { delivery, .. } => Given::Anew(delivery),
            Reply::Rendered { rendered, .. } => Given::Again(rendered.bytes()),
            Reply::Streamed { .. } => panic!("a replay streams nothing"),
        }
    }

    /// The bytes of an answer with nothing amiss, and whether they were made for an earlier one.
    fn bytes(&mut self, replay: &Replay, request: &Request) -> (Vec<u8>, bool) {
        match self.ask(replay, request) {
            Given::Anew(delivery) => (Rendered::of(&delivery, request).unwrap().bytes(), false),
            Given::Again(bytes) => (bytes, true),
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn nobody_can_tell_a_decision_that_is_given_again_from_one_that_is_made_anew(
        walk in walks(),
        trouble in prop::sample::select(TROUBLES.to_vec()),
    ) {
        let (again, anew) = (replay(world(), trouble), replay(world(), trouble));
        let mut met = Met(Vec::new());
        for (connection, request) in (1..4).cycle().zip(&walk) {
            let given = met.ask_on(connection, &again, request);
            let wanted = anew.decide_as(request.clone(), came_on(connection)).0;
            match given {
                Given::Anew(delivery) => prop_assert_eq!(delivery, wanted),
                Given::Again(bytes) => {
                    let wanted = Rendered::of(&wanted, request).unwrap().bytes();
                    prop_assert_eq!(String::from_utf8_lossy(&bytes), String::from_utf8_lossy(&wanted));
                }
            }
        }
        prop_assert_eq!(ledger::stable(&again.lines()), ledger::stable(&anew.lines()));
        prop_assert_eq!(again.account(), anew.account());
    }
}

#[test]
fn what_comes_to_rest_is_given_again() {
    for request in requests().into_iter().filter(|request| request.body.is_empty() && request.method == "GET")
    {
        let replay = replay(world(), None);
        let mut met = Met(Vec::new());
        let given: Vec<bool> = (0..6).map(|_| met.bytes(&replay, &request).1).collect();
        let missed = exchanges(&replay).iter().any(|exchange| matches!(exchange.origin, Origin::Miss { .. }));
        // A GET that starts a task starts another each time; a miss quotes what is known by then.
        let rests = request.target != MAP && !missed;
        assert_eq!(given.last(), Some(&rests), "{}: {given:?}", request.target);
        assert!(!given.iter().take(2).any(|again| *again), "{}: {given:?}", request.target);
    }
}

#[test]
fn a_write_wakes_what_rested() {
    let replay = replay(world(), None);
    let mut met = Met(Vec::new());
    for _ in 0..5 {
        assert!(met.bytes(&replay, &get(OFFENSE)).0.ends_with(offense("OPEN").as_bytes()));
    }
    assert!(met.bytes(&replay, &get(OFFENSE)).1);
    met.ask(&replay, &post(&format!("{OFFENSE}?status=CLOSED"), ""));
    let (bytes, again) = met.bytes(&replay, &get(OFFENSE));
    assert!(bytes.ends_with(offense("CLOSED").as_bytes()) && !again);
}

#[test]
fn no_fault_and_no_timeline_is_passed_over() {
    let fault = r#"
summary = "x"
[[fault]]
when = { endpoint = "case_create_tasks.get", nth = "50" }
inject = { api-error = { status = 500, code = 1020 } }
"#;
    let replay = replay(world(), Some(fault));
    let mut met = Met(Vec::new());
    let fired = (1..60).filter(|_| met.bytes(&replay, &get(TASK)).0.starts_with(b"HTTP/1.1 500 ")).count();
    assert_eq!(fired, 1);
}

/// As many of them are kept as there are requests to think of.
#[test]
fn a_long_answer_that_is_no_recordings_own_is_made_anew_each_time() {
    let long = |id: u32| format!(r#"{{"id":{id},"description":"{}","status":"OPEN"}}"#, "d".repeat(3000));
    let list = format!("[{},{},{}]", long(1), long(2), long(3));
    let replay = replay(cassette(vec![(get(OFFENSES), 200, list.as_str())]), None);
    let mut met = Met(Vec::new());
    let mut ask = |target: &str| (0..5).map(|_| met.bytes(&replay, &get(target))).last().unwrap();
    let (whole, is_again) = ask(OFFENSES);
    assert!(is_again && whole.ends_with(list.as_bytes()), "the recording's own memory");
    let (two, is_again) = ask("/api/siem/offenses?filter=id%3C3");
    assert!(!is_again && two.ends_with(format!("[{},{}]", long(1), long(2)).as_bytes()));
    assert!(ask("/api/siem/offenses?filter=id%3C2").1, "a short one");
}

//! The emulator is a small console: cases are created, tasks walk their states, and nothing depends on a clock.

use crate::canary;

use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::Arc;

use faultdeck::emulate::{Console, Emulator, Settings, default_deployment};
use faultdeck::json::Json;
use faultdeck::message::{Request, Response};
use faultdeck::seed::Seed;
use faultdeck::serve::{Options, Server};
use faultdeck::timeline::{Deployment, HostChange, HostState, ManagedHost};

const CASES: &str = "/api/forensics/case_management/cases";
const TASKS: &str = "/api/forensics/case_management/case_create_tasks";

fn console(settings: Settings) -> Console {
    Console::new(settings).unwrap()
}

fn get(console: &mut Console, target: &str) -> Response {
    console.answer(&Request::new("GET", target).with("SEC", canary::canary()))
}

fn request(body: &str) -> Request {
    let mut request =
        Request::new("POST", CASES).with("SEC", canary::canary()).with("Content-Type", "application/json");
    request.body = body.to_owned().into();
    request
}

fn post(console: &mut Console, body: &str) -> Response {
    console.answer(&request(body))
}

fn member(response: &Response, name: &str) -> String {
    let body = Json::parse(response.text().unwrap()).unwrap();
    body.member(name).unwrap_or_else(|| panic!("no {name} in {}", body.text())).text().to_owned()
}

fn names(response: &Response) -> Vec<String> {
    let body = Json::parse(response.text().unwrap()).unwrap();
    body.members().iter().map(|(name, _)| name.to_string()).collect()
}

fn code(response: &Response) -> (u16, String) {
    (response.status, member(response, "code"))
}

/// The states of the first polls of a new task.
fn walk(console: &mut Console, polls: usize) -> Vec<String> {
    let id = member(&post(console, r#"{"name":"walk"}"#), "id");
    (0..polls)
        .map(|_| member(&get(console, &format!("{TASKS}/{id}")), "state").trim_matches('"').to_owned())
        .collect()
}

#[test]
fn a_new_case_is_a_task_that_walks_through_all_states() {
    let mut console = console(Settings::default());
    let created = post(&mut console, r#"{"name":"Case1","assigned_to":["ann"]}"#);
    assert_eq!(created.status, 201);
    assert_eq!(names(&created), ["assigned_to", "case_id", "id", "name", "state"]);
    assert_eq!(member(&created, "state"), r#""WAITING""#);
    assert_eq!(member(&created, "assigned_to"), r#"["ann"]"#);
    assert_eq!(created.headers.text("Content-Type").as_deref(), Some("application/json;charset=UTF-8"));
    assert_eq!(created.headers.text("Content-Length").unwrap(), created.body.len().to_string());
    assert!(!created.headers.has("Date"));
    assert_eq!(
        walk(&mut console, 7),
        [
            "WAITING",
            "PROCESSING",
            "PROCESSING",
            "PARTIALLY_COMPLETE",
            "PARTIALLY_COMPLETE",
            "COMPLETE",
            "COMPLETE"
        ]
    );
}

#[test]
fn all_five_members_are_there_from_the_first_poll() {
    let mut console = console(Settings::default());
    let id = member(&post(&mut console, r#"{"name":"Case1"}"#), "id");
    let first = get(&mut console, &format!("{TASKS}/{id}"));
    assert_eq!(names(&first), ["assigned_to", "case_id", "id", "name", "state"]);
    assert_eq!(member(&first, "assigned_to"), "[]");
    assert_eq!(member(&first, "name"), r#""Case1""#);
}

#[test]
fn a_host_that_stays_down_leaves_the_task_partial_until_it_is_removed() {
    let host = |name: &str, changes: &[(u32, HostState)]| ManagedHost {
        name: name.to_owned(),
        changes: changes.iter().map(|(at, becomes)| HostChange { at: *at, becomes: *becomes }).collect(),
    };
    let deployment = Deployment {
        picked_up_at: 2,
        hosts: vec![
            host("console", &[(2, HostState::Done)]),
            host("mh-2", &[(1, HostState::Down), (5, HostState::Removed)]),
        ],
    };
    let mut console = console(Settings { deployment, ..Settings::default() });
    assert_eq!(
        walk(&mut console, 6),
        ["WAITING", "WAITING", "PARTIALLY_COMPLETE", "PARTIALLY_COMPLETE", "PARTIALLY_COMPLETE", "COMPLETE"]
    );
}

#[test]
fn each_task_has_its_own_ticks_and_only_a_poll_that_is_let_in_counts() {
    let mut console = console(Settings::default());
    let first = member(&post(&mut console, r#"{"name":"Case1"}"#), "id");
    let second = member(&post(&mut console, r#"{"name":"Case2"}"#), "id");
    assert_ne!(first, second);
    for _ in 0..5 {
        get(&mut console, &format!("{TASKS}/{first}"));
        get(&mut console, &format!("{TASKS}/{second}?fields=nope"));
        console.answer(&Request::new("GET", &format!("{TASKS}/{second}")));
        console.answer(&Request::new("HEAD", &format!("{TASKS}/{second}")).with("SEC", "t"));
    }
    assert_eq!(member(&get(&mut console, &format!("{TASKS}/{first}")), "state"), r#""COMPLETE""#);
    assert_eq!(member(&get(&mut console, &format!("{TASKS}/{second}")), "state"), r#""WAITING""#);
}

#[test]
fn fields_are_honoured_in_the_query_of_a_poll_and_in_the_header_of_a_creation() {
    let mut console = console(Settings::default());
    let created = console.answer(&request(r#"{"name":"Case1"}"#).with("fields", "id, state"));
    assert_eq!(created.status, 201);
    assert_eq!(names(&created), ["id", "state"]);
    let id = member(&created, "id");
    let poll = get(&mut console, &format!("{TASKS}/{id}?fields=state,id"));
    assert_eq!(poll.text().unwrap(), format!(r#"{{"id":{id},"state":"WAITING"}}"#));
    let refused = console.answer(&request(r#"{"name":"Case2"}"#).with("fields", "id,nope"));
    assert_eq!(code(&refused), (422, "30".to_owned()));
    assert!(
        !get(&mut console, CASES).text().unwrap().contains("Case2"),
        "a refused creation creates nothing"
    );
}

#[test]
fn a_creation_that_breaks_a_rule_is_refused() {
    let mut console = console(Settings::default());
    assert_eq!(post(&mut console, r#"{"name":"Case1","assigned_to":["ann"]}"#).status, 201);
    for (body, expected) in [
        (r#"{"assigned_to":["ann"]}"#, "1005"),
        (r#"{"name":"with space"}"#, "1005"),
        (r#"{"name":"sixteencharacter"}"#, "1005"),
        (r#"{"name":""}"#, "1005"),
        (r#"{"name":"Case2","assigned_to":["ann","bob"]}"#, "1005"),
        (r#"{"name":"Case1"}"#, "1005"),
        (r#"{"name":"Cas\u00651"}"#, "1005"),
        (r#"{"name":"Phishing07"}"#, "1005"),
        ("", "10"),
        ("{", "11"),
        (r#""Case2""#, "11"),
    ] {
        let answer = post(&mut console, body);
        assert_eq!(code(&answer), (422, expected.to_owned()), "{body}");
        if expected == "1005" {
            assert_eq!(member(&answer, "description"), r#""A request parameter is not valid.""#);
        }
    }
    assert_eq!(Json::parse(get(&mut console, CASES).text().unwrap()).unwrap().elements().len(), 3);
}

#[test]
fn cases_are_listed_in_ranges_and_got_one_by_one() {
    let cases = (0..5).map(|number| format!("Old{number}")).collect();
    let mut console = console(Settings { cases, ..Settings::default() });
    let ranged = |console: &mut Console, range: &str| {
        let request =
            Request::new("GET", &format!("{CASES}?fields=name")).with("SEC", "t").with("Range", range);
        let answer = console.answer(&request);
        let shown = answer.headers.text("Content-Range").map(|text| text.into_owned());
        (answer.status, answer.text().unwrap().to_owned(), shown.unwrap_or_default())
    };
    for (range, count, shown) in [
        ("items=0-4", 5, "items 0-4/5"),
        ("items=1-2", 2, "items 1-2/5"),
        ("items=3-100", 2, "items 3-4/5"),
        ("items=9-10", 0, "items */5"),
    ] {
        let (status, body, found) = ranged(&mut console, range);
        assert_eq!((status, found.as_str()), (200, shown));
        assert_eq!(Json::parse(&body).unwrap().elements().len(), count, "{range}");
    }
    assert_eq!(ranged(&mut console, "items=1-1").1, r#"[{"name":"Old1"}]"#);
    assert!(!get(&mut console, CASES).headers.has("Content-Range"));

    let created = post(&mut console, r#"{"name":"New","assigned_to":["ann"]}"#);
    let case = member(&created, "case_id");
    let one = get(&mut console, &format!("{CASES}/{case}"));
    assert_eq!(one.text().unwrap(), format!(r#"{{"assigned_to":["ann"],"id":{case},"name":"New"}}"#));
    let found = get(&mut console, &format!("{CASES}?filter=name%3D%22New%22"));
    assert_eq!(found.text().unwrap(), format!("[{}]", one.text().unwrap()));
}

#[test]
fn what_is_not_there_is_answered_as_documented() {
    let mut console = console(Settings::default());
    for (target, status, code, description) in [
        (format!("{TASKS}/1"), 404, "1002", "No case create task was found for the provided ID."),
        (
            format!("{TASKS}/9007199254740993"),
            404,
            "1002",
            "No case create task was found for the provided ID.",
        ),
        (format!("{CASES}/1"), 404, "1002", "No case was found for the provided ID."),
        (
            "/api/forensics/capture/recoveries/1".to_owned(),
            404,
            "1002",
            "No recovery job was found for the provided ID.",
        ),
        (
            "/api/forensics/capture/recovery_tasks/1".to_owned(),
            404,
            "1002",
            "No recovery job was found for the provided ID.",
        ),
        (format!("{TASKS}/9223372036854775808"), 422, "11", ""),
        (TASKS.to_owned(), 404, "4", ""),
        ("/api/siem/offences".to_owned(), 404, "4", ""),
    ] {
        let answer = get(&mut console, &target);
        assert_eq!((answer.status, member(&answer, "code").as_str()), (status, code), "{target}");
        assert_eq!(member(&answer, "description").trim_matches('"'), description, "{target}");
    }
    for list in ["/api/forensics/capture/recoveries", "/api/forensics/capture/recovery_tasks"] {
        assert_eq!(get(&mut console, list).text(), Some("[]"));
    }
    let mut recovery = request("{}");
    recovery.target = "/api/forensics/capture/recoveries".to_owned();
    assert_eq!(code(&console.answer(&recovery)), (403, "1009".to_owned()));
    assert_eq!(code(&console.answer(&Request::new("GET", CASES))), (401, "18".to_owned()));
    let outside = get(&mut console, "/console");
    assert_eq!((outside.status, outside.text().unwrap().contains("Application error")), (200, true));
}

#[test]
fn the_prose_dialect_renames_members_and_the_fields_that_select_them() {
    let mut console = console(Settings { dialect: "prose".to_owned(), ..Settings::default() });
    let created = post(&mut console, r#"{"name":"Case1","assigned_to":["ann"]}"#);
    assert_eq!(names(&created), ["assigned_to", "case_id", "case_name", "id", "status"]);
    let id = member(&created, "id");
    let poll = get(&mut console, &format!("{TASKS}/{id}?fields=case_name,status"));
    assert_eq!(poll.text(), Some(r#"{"case_name":"Case1","status":"WAITING"}"#));
    assert_eq!(code(&get(&mut console, &format!("{TASKS}/{id}?fields=state"))), (422, "30".to_owned()));
    let unknown =
        Console::new(Settings { dialect: "klingon".to_owned(), ..Settings::default() }).unwrap_err();
    assert_eq!(unknown.to_string(), "there is no dialect `klingon`; there is sample and prose");
}

#[test]
fn equal_seeds_give_equal_answers_and_other_seeds_other_ids() {
    let session = |seed: u64| {
        let mut console = console(Settings { seed: Seed(seed), ..Settings::default() });
        let answers = ["Case1", "Case2"].map(|name| post(&mut console, &format!(r#"{{"name":"{name}"}}"#)));
        (answers, get(&mut console, CASES))
    };
    assert_eq!(session(1), session(1));
    assert_ne!(session(1), session(2));
}

#[test]
fn ids_beyond_what_a_double_holds_are_kept() {
    let mut console = console(Settings { ids_from: Some(9_007_199_254_740_993), ..Settings::default() });
    let created = post(&mut console, r#"{"name":"Big"}"#);
    let id = member(&created, "id");
    assert!(id.parse::<i64>().unwrap() > 9_007_199_254_740_993);
    assert_eq!(member(&get(&mut console, &format!("{TASKS}/{id}")), "id"), id);
    assert_eq!(member(&get(&mut console, &format!("{CASES}/9007199254740993")), "id"), "9007199254740993");
}

#[test]
fn the_default_deployment_settles_in_a_few_polls() {
    assert_eq!(default_deployment().settles(), 5);
}

/// What a real socket gets, to the last byte.
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn over_a_socket_a_head_is_a_get_without_its_body() {
    let emulator = Arc::new(Emulator::new(console(Settings::default())));
    let server = Server::start(Options::default(), emulator).await.unwrap();
    let addr = server.addr();
    let ask = move |method: &str| {
        let mut stream = TcpStream::connect(addr).unwrap();
        let request = format!(
            "{method} {CASES}?fields=name HTTP/1.1\r\nHost: localhost\r\nSEC: t\r\nConnection: close\r\n\r\n"
        );
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    };
    let [get, head] = tokio::task::spawn_blocking(move || ["GET", "HEAD"].map(ask)).await.unwrap();
    let body = r#"[{"name":"Phishing07"},{"name":"Exfiltration2"}]"#;
    let expected = format!(
        "HTTP/1.1 200 OK\r\nContent-Type: application/json;charset=UTF-8\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    assert_eq!(get, format!("{expected}{body}"));
    assert_eq!(head, expected);
    server.stop().await;
}

/// A console that has nothing behind an endpoint never tells a client that its request is wrong.
#[test]
fn what_has_no_model_says_so() {
    let mut console = console(Settings::default());
    for target in ["/api/ariel/searches?query_expression=SELECT%201", "/api/services/dns_lookups?IP=10.0.0.1"]
    {
        let response = console.answer(&Request::new("POST", target).with("SEC", canary::canary()));
        let text = response.text().unwrap();
        assert!(text.contains("The built-in console does not do this."), "{target}: {text}");
    }
}

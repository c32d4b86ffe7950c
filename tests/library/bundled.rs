//! The bundled clients against a console made of bytes: what the careful one does, and that each defect of the
//! careless one does one thing wrong.

use crate::canary;

use std::ffi::OsString;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use faultdeck::bundled::{DEFECTS, run};
use faultdeck::client::read_outcome;
use faultdeck::client::{Outcome, Resting};

const TASK: &str =
    r#"{"assigned_to":["analyst"],"case_id":9007199254740993,"id":42,"name":"case1","state":"STATE"}"#;
const POLL: &str = "/api/forensics/case_management/case_create_tasks/42";
const CASES: &str = "/api/forensics/case_management/cases";

/// What the console does with a request.
enum Act {
    /// Answers with JSON.
    Json(u16, String),
    /// Answers with a page.
    Page(u16),
    /// Sends these bytes and ends.
    Raw(String),
    /// Sends nothing and resets.
    Reset,
    /// Sends nothing and waits for the client to leave.
    Hang,
}

struct Console {
    base: String,
    seen: Arc<Mutex<Vec<String>>>,
}

impl Console {
    /// Answers the n-th request (from 0) as `act` says; n counts requests with the same first line.
    fn start(act: impl Fn(usize, &str) -> Act + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let seen = Arc::new(Mutex::new(Vec::<String>::new()));
        let record = Arc::clone(&seen);
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let Ok(mut stream) = stream else { return };
                let Some(request) = read_request(&mut stream) else { continue };
                let line = request.lines().next().unwrap_or("").to_owned();
                let nth = {
                    let mut seen = record.lock().unwrap();
                    let nth = seen.iter().filter(|each| each.starts_with(&line)).count();
                    seen.push(request);
                    nth
                };
                perform(stream, act(nth, &line));
            }
        });
        Self { base, seen }
    }

    fn lines(&self) -> Vec<String> {
        self.seen.lock().unwrap().iter().map(|each| each.lines().next().unwrap_or("").to_owned()).collect()
    }

    fn count(&self, start: &str) -> usize {
        self.lines().iter().filter(|line| line.starts_with(start)).count()
    }
}

fn read_request(stream: &mut TcpStream) -> Option<String> {
    let mut bytes = Vec::new();
    let mut piece = [0; 4096];
    loop {
        let text = String::from_utf8_lossy(&bytes).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head.lines().find_map(|line| line.strip_prefix("Content-Length: "));
            if body.len() >= length.map_or(0, |length| length.parse().unwrap()) {
                return Some(text);
            }
        }
        match stream.read(&mut piece) {
            Ok(count @ 1..) => bytes.extend_from_slice(&piece[..count]),
            _ => return None,
        }
    }
}

fn perform(mut stream: TcpStream, act: Act) {
    let answer = |status: u16, kind: &str, body: &str| {
        format!("HTTP/1.1 {status} x\r\nContent-Type: {kind}\r\nContent-Length: {}\r\n\r\n{body}", body.len())
    };
    match act {
        Act::Json(status, body) => {
            drop(stream.write_all(answer(status, "application/json", &body).as_bytes()))
        }
        Act::Page(status) => drop(stream.write_all(answer(status, "text/html", "<html>").as_bytes())),
        Act::Raw(text) => drop(stream.write_all(text.as_bytes())),
        Act::Reset => rustix::net::sockopt::set_socket_linger(&stream, Some(Duration::ZERO)).unwrap(),
        Act::Hang => drop(stream.read(&mut [0; 16])),
    }
}

fn task(state: &str) -> Act {
    Act::Json(200, TASK.replace("STATE", state))
}

fn error(status: u16, code: u32) -> Act {
    let body = format!(
        r#"{{"http_response":{{"code":{status},"message":"m"}},"code":{code},"description":"","details":{{}},"message":""}}"#
    );
    Act::Json(status, body)
}

struct Ran {
    outcome: Result<Outcome, String>,
    exit: u8,
    err: String,
    took: Duration,
}

/// Runs a client; its token must show nowhere.
fn client(console: &Console, words: &str) -> Ran {
    let (ran, out) = talkative(console, words);
    assert!(
        !out.contains(canary::canary()) && !ran.err.contains(canary::canary()),
        "the token leaks: {out}{}",
        ran.err
    );
    ran
}

/// Runs a client, and gives its standard output as well. Without a pace it is fast.
fn talkative(console: &Console, words: &str) -> (Ran, String) {
    let pace = if words.contains("--pace-ms") { "" } else { " --pace-ms 1" };
    let words = format!("{words} --base {}{pace}", console.base);
    let arguments: Vec<OsString> = words.split_whitespace().map(OsString::from).collect();
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let since = Instant::now();
    let exit = run(
        &arguments,
        &|name| ["SEC_TOKEN", "PASSWORD"].contains(&name).then(|| canary::canary().into()),
        &mut out,
        &mut err,
    );
    let (out, err) = (String::from_utf8(out).unwrap(), String::from_utf8(err).unwrap());
    assert!(console.lines().iter().all(|line| !line.contains(canary::canary())), "the token stands in a URL");
    assert!(out.lines().count() <= 1, "the outcome is one line: {out}");
    (Ran { outcome: read_outcome(out.trim()), exit, err, took: since.elapsed() }, out)
}

fn standing(ran: &Ran) -> Option<Resting> {
    match &ran.outcome {
        Ok(Outcome::Task { standing, .. }) => Some(*standing),
        _ => None,
    }
}

fn reported(ran: &Ran) -> String {
    match &ran.outcome {
        Ok(Outcome::Task { task, .. }) => task.clone(),
        other => panic!("no task: {other:?} {}", ran.err),
    }
}

/// All states of a creation, one each.
fn life(nth: usize) -> Act {
    task(["WAITING", "PROCESSING", "PARTIALLY_COMPLETE", "COMPLETE"][nth.min(3)])
}

/// A console without trouble.
fn whole(nth: usize, line: &str) -> Act {
    if line.starts_with("POST") { Act::Json(201, TASK.replace("STATE", "WAITING")) } else { life(nth) }
}

#[test]
fn get_asks_once_and_reports_what_came_verbatim() {
    let console =
        Console::start(|_, _| Act::Json(200, "{ \"id\": 42,\n \"w\": [1.00, 1E5], \"id\": 7 }\n".into()));
    let ran = client(&console, "careful get --id 42 --fields id,w");
    assert_eq!(reported(&ran), r#"{"id":42,"w":[1.00,1E5],"id":7}"#);
    assert_eq!(console.lines(), [format!("GET {POLL}?fields=id%2Cw HTTP/1.1")]);
    let head = console.seen.lock().unwrap()[0].clone();
    let token = format!("SEC: {}", canary::canary());
    for line in [token.as_str(), "Accept: application/json", "Version: 26.0", "User-Agent: faultdeck-careful"]
    {
        assert!(head.contains(&format!("\r\n{line}\r\n")), "{line}: {head}");
    }
    assert_eq!((ran.exit, standing(&ran)), (8, Some(Resting::Pending)), "the state is not known");
}

#[test]
fn wait_watches_a_task_to_its_end_in_either_dialect() {
    let console = Console::start(|nth, _| life(nth));
    let ran = client(&console, "careful wait --id 42");
    assert_eq!((ran.exit, standing(&ran)), (0, Some(Resting::Done)));
    assert_eq!(reported(&ran), TASK.replace("STATE", "COMPLETE"));
    assert_eq!(console.lines().len(), 4);
    let console = Console::start(|nth, _| {
        Act::Json(200, format!(r#"{{"status":"{}","id":42}}"#, if nth < 2 { "WAITING" } else { "COMPLETE" }))
    });
    assert_eq!(standing(&client(&console, "careful wait --id 42 --fields id,status")), Some(Resting::Done));
    assert!(console.lines().iter().all(|line| line.contains("fields=id%2Cstatus")));
}

#[test]
fn wait_asks_for_the_whole_task_when_the_selector_leaves_the_state_out() {
    let console = Console::start(|nth, _| life(nth));
    assert_eq!(standing(&client(&console, "careful wait --id 42 --fields id,name")), Some(Resting::Done));
    assert!(console.lines().iter().all(|line| !line.contains('?')));
}

#[test]
fn a_task_that_stays_partial_is_usable_when_the_time_is_up() {
    let console = Console::start(|_, _| task("PARTIALLY_COMPLETE"));
    let ran = client(&console, "careful wait --id 42 --deadline-ms 200");
    assert_eq!((ran.exit, standing(&ran)), (3, Some(Resting::Usable)));
    assert!(ran.took >= Duration::from_millis(190), "it watched until its limit");
    assert!(console.lines().len() < 60, "it polls more slowly while nothing changes");
}

#[test]
fn a_task_that_never_gets_anywhere_is_given_up() {
    let console = Console::start(|_, _| task("PROCESSING"));
    assert_eq!(client(&console, "careful wait --id 42 --deadline-ms 100").outcome, Ok(Outcome::GaveUp));
    let console = Console::start(|_, _| Act::Json(200, r#"{"id":42}"#.into()));
    assert!(matches!(client(&console, "careful wait --id 42").outcome, Ok(Outcome::Error { .. })));
}

#[test]
fn each_error_is_named_and_none_is_data() {
    let not_found = Outcome::NotFound { code: Some(1002) };
    let failed = |code| Outcome::ServerError { code };
    let rejected = |code| Outcome::Rejected { code: Some(code) };
    for job in ["get", "wait"] {
        let outcome = |act: fn() -> Act| {
            let console = Console::start(move |_, _| act());
            let ran = client(&console, &format!("careful {job} --id 42"));
            (ran.outcome.unwrap(), console.lines().len())
        };
        assert_eq!(outcome(|| error(404, 1002)), (not_found.clone(), 1));
        assert_eq!(outcome(|| error(500, 1020)), (failed(Some(1020)), 4));
        assert_eq!(outcome(|| Act::Page(503)), (failed(None), 4));
        assert_eq!(outcome(|| error(422, 30)), (rejected(30), 1));
        assert_eq!(outcome(|| error(422, 31)), (rejected(31), 1));
        assert_eq!(outcome(|| error(401, 18)), (rejected(18), 1));
        assert_eq!(outcome(|| error(501, 0)), (failed(Some(0)), 1));
        for act in [|| error(404, 4), || Act::Page(200), || Act::Page(404)] {
            let (outcome, requests) = outcome(act);
            assert!(matches!(outcome, Outcome::Error { .. }), "{outcome:?}");
            assert_eq!(requests, 1);
        }
    }
}

#[test]
fn trouble_that_passes_is_survived_and_told_apart() {
    let broken = "HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\n{\"id\":42";
    for (act, word) in [
        (Box::new(|| Act::Reset) as Box<dyn Fn() -> Act + Send>, "reset"),
        (Box::new(|| Act::Raw(String::new())), "closed"),
        (Box::new(|| Act::Raw("HTTP/1.1 200 OK\r\nConte".into())), "closed"),
        (Box::new(move || Act::Raw(broken.into())), "stopped in its midst"),
        (Box::new(|| Act::Json(200, "{\"id\":42".into())), "not JSON"),
        (Box::new(|| Act::Hang), "no answer in time"),
        (Box::new(|| Act::Raw("NOT HTTP\r\n\r\n".into())), "not HTTP"),
    ] {
        let console = Console::start(move |nth, _| if nth == 0 { act() } else { task("COMPLETE") });
        let ran = client(&console, "careful wait --id 42 --deadline-ms 600");
        assert_eq!(standing(&ran), Some(Resting::Done), "{word}: {:?} {}", ran.outcome, ran.err);
        assert!(ran.err.contains(word), "{word}: {}", ran.err);
    }
}

#[test]
fn whoever_asks_to_be_left_alone_is_left_alone() {
    let busy = "HTTP/1.1 429 x\r\nRetry-After: 1\r\nContent-Length: 0\r\n\r\n";
    let console =
        Console::start(move |nth, _| if nth == 0 { Act::Raw(busy.into()) } else { task("COMPLETE") });
    let ran = client(&console, "careful wait --id 42");
    assert_eq!(standing(&ran), Some(Resting::Done));
    assert!(ran.took >= Duration::from_secs(1), "{:?}", ran.took);
    // For longer than it has: it gives up at once, and asks no more.
    let console = Console::start(move |_, _| Act::Raw(busy.replace("1\r", "60\r")));
    let ran = client(&console, "careful wait --id 42");
    assert_eq!((ran.outcome, console.lines().len()), (Ok(Outcome::GaveUp), 1));
}

#[test]
fn a_warning_of_the_console_is_passed_on_once() {
    let warning = "HTTP/1.1 200 x\r\nDeprecated: 26.0 goes\r\nContent-Length: 31\r\n\r\n";
    let console = Console::start(move |nth, _| {
        let state = if nth == 0 { "PROCESSING" } else { "COMPLETE" };
        let body = format!(r#"{{"id":42,"state":"{state}"}}"#);
        Act::Raw(warning.replace("31", &body.len().to_string()) + &body)
    });
    let ran = client(&console, "careful wait --id 42");
    assert_eq!(standing(&ran), Some(Resting::Done));
    assert_eq!(ran.err.matches("deprecated: 26.0 goes").count(), 1, "{}", ran.err);
}

#[test]
fn trouble_that_stays_ends_in_time() {
    let console = Console::start(|_, _| Act::Hang);
    let ran = client(&console, "careful wait --id 42 --deadline-ms 300");
    assert_eq!(ran.outcome, Ok(Outcome::GaveUp));
    assert!(ran.took < Duration::from_secs(2));
    let console = Console::start(|_, _| Act::Reset);
    assert!(matches!(client(&console, "careful get --id 42").outcome, Ok(Outcome::Error { .. })));
    assert_eq!(console.lines().len(), 4);
    let nobody = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let console = Console { base: format!("http://{nobody}"), seen: Arc::default() };
    assert!(matches!(client(&console, "careful get --id 42").outcome, Ok(Outcome::Error { .. })));
}

#[test]
fn a_creation_is_sent_once_and_its_task_is_watched() {
    let console = Console::start(whole);
    let ran = client(&console, "careful create --name case1 --fields id,state");
    assert_eq!(standing(&ran), Some(Resting::Done));
    assert_eq!(console.count("POST"), 1);
    assert_eq!(console.count(&format!("GET {POLL}?fields=id%2Cstate")), 4);
    let sent = console.seen.lock().unwrap()[0].clone();
    assert!(sent.contains("\r\nfields: id,state\r\n"), "{sent}");
    assert!(sent.ends_with(r#"{"name":"case1","assigned_to":["analyst"]}"#), "{sent}");
}

#[test]
fn after_a_lost_answer_the_case_is_looked_up_and_nothing_is_posted_again() {
    for act in
        [|| Act::Reset, || Act::Raw("HTTP/1.1 201".into()), || Act::Json(201, "{".into()), || Act::Hang]
    {
        let console = Console::start(move |_, line| {
            if line.starts_with("POST") {
                act()
            } else {
                Act::Json(200, r#"[{"id":7,"name":"case1"}]"#.into())
            }
        });
        let ran = client(&console, "careful create --name case1 --deadline-ms 600");
        assert_eq!(ran.outcome, Ok(Outcome::GaveUp));
        assert!(ran.err.contains("the case is there"), "{}", ran.err);
        assert_eq!(console.lines(), [format!("POST {CASES} HTTP/1.1"), format!("GET {CASES} HTTP/1.1")]);
    }
}

#[test]
fn a_refused_or_failed_creation_is_not_repeated() {
    for (act, outcome) in [
        ((|| error(422, 1005)) as fn() -> Act, Outcome::Rejected { code: Some(1005) }),
        (|| error(500, 1020), Outcome::ServerError { code: Some(1020) }),
        (|| Act::Page(503), Outcome::ServerError { code: None }),
    ] {
        let console = Console::start(move |_, _| act());
        assert_eq!(client(&console, "careful create --name case1").outcome, Ok(outcome));
        assert_eq!(console.lines().len(), 1);
    }
}

/// What was asked, the names of the programs apart, and what was said.
fn behaviour(words: &str, act: fn(usize, &str) -> Act) -> (Vec<String>, Result<Outcome, String>) {
    let console = Console::start(act);
    let outcome = client(&console, &format!("{words} --deadline-ms 300")).outcome;
    let port = console.base.rsplit(':').next().unwrap().to_owned();
    let seen = console.seen.lock().unwrap();
    (seen.iter().map(|each| each.replace("careless", "careful").replace(&port, "PORT")).collect(), outcome)
}

#[test]
fn without_a_defect_the_careless_client_acts_as_the_careful_one() {
    let acts: [fn(usize, &str) -> Act; 5] =
        [whole, |_, _| error(404, 1002), |_, _| error(500, 1020), |_, _| Act::Reset, |_, _| Act::Page(200)];
    for act in acts {
        for job in ["get --id 42 --fields id,case_id,assigned_to", "wait --id 42", "create --name case1"] {
            assert_eq!(
                behaviour(&format!("careful {job}"), act),
                behaviour(&format!("careless {job} --defect none"), act)
            );
        }
    }
}

/// A task on its way, with a session for whoever logs in.
fn gives_session(nth: usize) -> Act {
    let state = if nth < 2 { "PROCESSING" } else { "COMPLETE" };
    let body = TASK.replace("STATE", state);
    let length = body.len();
    Act::Raw(format!(
        "HTTP/1.1 200 x\r\nSet-Cookie: SEC=session-{nth}; Path=/\r\nContent-Length: {length}\r\n\r\n{body}"
    ))
}

#[test]
fn who_logs_in_goes_on_in_the_session_and_leaves_it_at_the_end() {
    let console = Console::start(|nth, _| gives_session(nth));
    let ran = client(&console, "careful wait --id 42 --user analyst");
    assert_eq!(standing(&ran), Some(Resting::Done));
    let seen = console.seen.lock().unwrap();
    let signed = |each: &String| {
        let line =
            each.lines().find(|line| line.starts_with("Authorization: ") || line.starts_with("Cookie: "));
        line.unwrap().split(' ').take(2).collect::<Vec<_>>().join(" ")
    };
    let signed: Vec<String> = seen.iter().map(signed).collect();
    assert_eq!(
        signed,
        ["Authorization: Basic", "Cookie: SEC=session-0", "Cookie: SEC=session-1", "Cookie: SEC=session-2"]
    );
    assert!(seen[3].starts_with("GET /auth/logout "), "{}", seen[3]);
}

/// A page of so many offenses.
fn page(count: usize) -> Act {
    let all: Vec<String> = (1..=count).map(|id| format!(r#"{{"id":{id}}}"#)).collect();
    Act::Json(200, format!("[{}]", all.join(",")))
}

#[test]
fn a_list_is_read_to_its_end_and_an_element_that_comes_twice_is_one() {
    let listed = |act: fn(usize, &str) -> Act| {
        let (asked, outcome) = behaviour("careful list", act);
        let Ok(Outcome::Task { standing: Resting::Done, task }) = outcome else { panic!("{outcome:?}") };
        (asked.len(), task.matches("\"id\"").count())
    };
    assert_eq!(listed(|nth, _| page(if nth == 0 { 50 } else { 0 })), (2, 50));
    assert_eq!(listed(|_, _| page(3)), (1, 3), "a short page is the last");
    assert_eq!(listed(|_, _| page(50)), (2, 50), "the same once more brings nothing new");
    assert_eq!(listed(|_, _| page(70)), (1, 70), "who asks for 50 and gets 70 has all");
    assert_eq!(listed(|_, _| page(0)), (1, 0));
}

/// Where the defect alone, and with all others, shows; and what then shows it.
fn shows(defect: &str, defects: &str) -> bool {
    let with = |job: &str| format!("careless {job} --defect {defects}");
    let asked = |job: &str, act: fn(usize, &str) -> Act| behaviour(&with(job), act).0;
    let report = |job: &str, act: fn(usize, &str) -> Act| behaviour(&with(job), act).1;
    let task_text = |outcome: Result<Outcome, String>| match outcome {
        Ok(Outcome::Task { task, .. }) => task,
        _ => String::new(),
    };
    match defect {
        "encodes-twice" => asked("get --id 42 --fields id,name,state", whole)[0].contains("%252C"),
        "double-api" => asked("get --id 42 --fields assigned_to", whole)[0].contains("/api/api/forensics/"),
        "through-floats" => {
            task_text(report("get --id 42 --fields case_id", whole)).contains("9007199254740992")
        }
        "zero-fill" => {
            task_text(report("get --id 42 --fields id", |_, _| Act::Json(200, r#"{"id":42}"#.into())))
                .contains("\"state\":\"\"")
        }
        "strict-shape" => {
            report("get --id 42", |_, _| Act::Json(200, r#"{"id":42,"unrequested":1}"#.into())).is_err()
        }
        "by-position" => {
            let report = report("get --id 42 --fields id,case_id", |_, _| {
                Act::Json(200, r#"{"case_id":7,"id":42}"#.into())
            });
            task_text(report).contains(r#""case_id":42"#)
        }
        "error-as-data" => task_text(report("get --id 42", |_, _| error(500, 1020))).contains("1020"),
        "polls-404" => {
            let console = Console::start(|nth, _| if nth < 30 { error(404, 1002) } else { task("COMPLETE") });
            let ran = client(&console, &format!("{} --deadline-ms 50", with("wait --id 42")));
            console.lines().len() > 30 && standing(&ran) == Some(Resting::Done)
        }
        "partial-as-done" => asked("wait --id 42", whole).len() == 3,
        "first-seen" => {
            let console = Console::start(|nth, _| task(if nth == 0 { "WAITING" } else { "COMPLETE" }));
            let ran = client(&console, &with("wait --id 42"));
            task_text(ran.outcome).contains("WAITING")
        }
        "first-page" => asked("list", |nth, _| page(if nth == 0 { 50 } else { 0 })).len() == 1,
        "small-name" => {
            let console = Console::start(|_, _| error(422, 1005));
            drop(client(&console, &with("create --name Case1")));
            let lines = console.seen.lock().unwrap().join("\n");
            lines.contains(r#""name":"case1""#)
        }
        "posts-again" => {
            let lost = |_: usize, line: &str| {
                if line.starts_with("POST") { Act::Reset } else { Act::Json(200, "[]".into()) }
            };
            asked("create --name case1", lost).iter().filter(|each| each.starts_with("POST")).count() == 2
        }
        "no-pause" => {
            // Three pauses of 300 ms, or none.
            let ran = client(&Console::start(|nth, _| life(nth)), &with("wait --id 42 --pace-ms 300"));
            ran.took < Duration::from_millis(300)
        }
        "prints-token" => {
            let console = Console::start(|nth, _| life(nth));
            talkative(&console, &with("get --id 42 --fields case_id,assigned_to"))
                .0
                .err
                .contains(canary::canary())
        }
        "logs-out-early" => {
            let asked = asked("wait --id 42 --user analyst", |nth, _| gives_session(nth));
            let left = asked.iter().position(|each| each.starts_with("GET /auth/logout")).unwrap();
            left + 1 < asked.len()
        }
        "trusts-anyone" => {
            let ran = client(&over_tls().0, &with("get --id 42"));
            matches!(ran.outcome, Ok(Outcome::Task { .. }))
        }
        other => panic!("no test for the defect {other}"),
    }
}

#[test]
fn each_defect_shows_alone_and_among_all_and_not_without() {
    for defect in DEFECTS {
        assert!(shows(defect.name, defect.name), "{} alone", defect.name);
        assert!(shows(defect.name, "all"), "{} among all", defect.name);
        assert!(!shows(defect.name, "none"), "{} without", defect.name);
        for other in DEFECTS.iter().filter(|other| other.name != defect.name) {
            assert!(!shows(defect.name, other.name), "{} shows as {}", other.name, defect.name);
        }
    }
}

#[test]
fn every_property_has_a_defect_that_breaks_it() {
    let properties: Vec<&str> = DEFECTS.iter().map(|defect| defect.property).collect();
    for property in [
        "asks-for-what-it-was-told",
        "right-address",
        "reports-what-it-got",
        "invents-nothing",
        "survives-the-unrequested",
        "selector-laws",
        "names-the-error",
        "terminates",
        "partial-is-usable-not-done",
        "says-what-it-heard",
        "creates-what-it-was-told",
        "pages-through",
        "creates-once",
        "patient-not-greedy",
        "keeps-secrets",
        "verifies-tls",
        "keeps-the-session",
    ] {
        assert!(properties.contains(&property), "{property}");
    }
}

#[test]
fn a_wrong_call_says_how_it_is_called() {
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let exit = run(&["careful".into(), "fly".into()], &|_| None, &mut out, &mut err);
    assert_eq!((exit, out.len()), (2, 0));
    assert!(String::from_utf8(err).unwrap().contains("usage: faultdeck client"));
}

/// A console that speaks TLS with a certificate of its own, and that certificate.
fn over_tls() -> (Console, String) {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let key = rustls::pki_types::PrivatePkcs8KeyDer::from(made.signing_key.serialize_der());
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![made.cert.der().clone()], key.into())
        .unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let base = format!("https://localhost:{}", listener.local_addr().unwrap().port());
    std::thread::spawn(move || {
        let config = Arc::new(config);
        for stream in listener.incoming() {
            let connection = rustls::ServerConnection::new(Arc::clone(&config)).unwrap();
            let mut stream = rustls::StreamOwned::new(connection, stream.unwrap());
            if stream.read(&mut [0; 4096]).is_ok_and(|count| count > 0) {
                // It goes away without TLS's farewell: the length says that nothing is missing.
                let _ = stream.write_all(b"HTTP/1.1 200 x\r\nContent-Length: 9\r\n\r\n{\"id\":42}");
                let _ = stream.flush();
            }
        }
    });
    (Console { base, seen: Arc::default() }, made.cert.pem())
}

#[test]
fn https_is_spoken_to_whom_the_ca_file_vouches_for() {
    let (console, own) = over_tls();
    let folder = canary::Folder::new();
    let (ours, other) = (folder.path().join("ours.pem"), folder.path().join("other.pem"));
    std::fs::write(&ours, own).unwrap();
    let stranger = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    std::fs::write(&other, stranger.cert.pem()).unwrap();
    let call = |file: &std::path::Path| {
        client(&console, &format!("careful get --id 42 --ca-file {}", file.display()))
    };
    assert_eq!(reported(&call(&ours)), "{\"id\":42}");
    let refused = call(&other);
    assert!(matches!(refused.outcome, Ok(Outcome::Error { .. })));
    assert!(refused.err.contains("TLS"), "{}", refused.err);
    assert!(call(&folder.path().join("none.pem")).outcome.is_ok_and(|outcome| outcome.word() == "error"));
}

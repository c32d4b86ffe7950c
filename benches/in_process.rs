//! What needs no port: what a decision costs, counted in instructions under callgrind (`scripts/instructions`), and what
//! judging a client costs beside calling it (`cargo bench`).
//!
//! `in_process kinds` lists the kinds of decisions, `in_process decide KIND` makes some. `cargo bench` judges a client in
//! this process, and `in_process judge CASES` does so once, through a door, for callgrind: it prints how many requests were
//! served. Without either, as `cargo test --all-targets` runs it, it decides once of each kind and says nothing.

// A bench may stop where a fact it relies on does not hold, and prints.
#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stdout, missing_docs)]

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use faultdeck::cassette::find::{Asker, find};
use faultdeck::cassette::{Cassette, Interaction, RecordedFrom};
use faultdeck::client::{Called, InProcess, Job, JobKind, Outcome, Resting, Through};
use faultdeck::judge::{Plan, judge};
use faultdeck::ledger::Exit;
use faultdeck::message::{Request, Response};
use faultdeck::profile::Profile;
use faultdeck::redact::Redactor;
use faultdeck::replay::{Auth, Clock, Door, Evidence, Material, Outside, Replay, Setup, recorded};
use faultdeck::scenario::Scenario;
use faultdeck::seed::Seed;

/// Decisions of each kind that are counted.
const DECISIONS: u64 = 100;
/// Interactions of the longer cassettes: few, because callgrind is slow, and their number must not matter.
const LONG: u64 = 100;
/// Generated cases of a short judgement and of a long one: the difference is free of what every start costs.
const FEW: u32 = 100;
const CASES: u32 = 4_100;
/// Judgements at a time.
const THREADS: u64 = 2;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["kinds"] => KINDS.iter().for_each(|kind| println!("{} {DECISIONS}", kind.name)),
        ["decide", name] => {
            KINDS.iter().filter(|kind| kind.name == name).for_each(|kind| decide(kind, DECISIONS))
        }
        ["judge", cases] => {
            println!("{}", judgement(&Through(ask_through), cases.parse().unwrap(), 0));
        }
        // `cargo bench` says so, `cargo test` does not.
        [.., "--bench"] => judged(),
        _ => KINDS.iter().for_each(|kind| decide(kind, 1)),
    }
}

/// A kind of decision.
struct Kind {
    name: &'static str,
    interactions: u64,
    query: &'static str,
    has_faults: bool,
}

const KINDS: [Kind; 4] = [
    Kind { name: "one-interaction", interactions: 1, query: "", has_faults: false },
    Kind { name: "a-hundred-interactions", interactions: LONG, query: "", has_faults: false },
    Kind { name: "fields", interactions: LONG, query: "?fields=id%2C%20state", has_faults: false },
    Kind { name: "ten-planned-faults", interactions: LONG, query: "", has_faults: true },
];

fn decide(kind: &Kind, many: u64) {
    let replay = replay(kind.interactions, kind.has_faults);
    let request = |at: u64| get(&format!("{}{}", target(1 + at * 7 % kind.interactions), kind.query));
    // What is made once is not counted.
    for at in 0..many.min(20) {
        assert_eq!(replay.decide(request(at), Duration::ZERO).0.response.status, 200);
    }
    decide_each(&replay, (0..many).map(request).collect());
}

/// Called once, and never inlined: callgrind counts from its first instruction to its last.
#[inline(never)]
fn decide_each(replay: &Replay, requests: Vec<Request>) {
    for request in requests {
        std::hint::black_box(replay.decide(request, Duration::ZERO));
    }
}

fn target(id: u64) -> String {
    format!("/api/forensics/case_management/case_create_tasks/{id}")
}

fn get(target: &str) -> Request {
    Request::new("GET", target).with("Host", "localhost").with("SEC", "any").with("Version", "26.0")
}

fn replay(length: u64, faults: bool) -> Replay {
    let profile = Profile::builtin();
    let interactions = (1..=length).map(|id| {
        let body =
            format!(r#"{{"assigned_to":["user-1"],"case_id":7,"id":{id},"name":"case","state":"COMPLETE"}}"#);
        Interaction {
            id: String::new(),
            endpoint: "".into(),
            request: get(&target(id)),
            response: Response::json(200, body),
            by_recorder: false,
            moment: 0,
            notes: Vec::new(),
        }
    });
    let mut cassette = Cassette {
        name: "bench".to_owned(),
        recorded_from: RecordedFrom { host: "host-1".to_owned(), ..RecordedFrom::default() },
        interactions: interactions.collect(),
        ..Cassette::default()
    };
    cassette.canonicalise(profile);
    let fault = "[[fault]]\noptional = true\ninject = { hang = {} }\n\
                 when = { endpoint = \"case_create_tasks.get\", nth = \"4000000000\" }\n";
    let scenario = faults.then(|| {
        let text =
            (0..10).map(|at| fault.replace("]]\n", &format!("]]\nname = \"f{at}\"\n"))).collect::<String>();
        Arc::new(Scenario::parse("ten", "ten.toml", &text, profile).unwrap())
    });
    Replay::new(Setup {
        evidence: Evidence::Cassette(Arc::new(Material::new(cassette, profile))),
        scenario,
        profile,
        seed: Seed(1),
        auth: Auth::Required,
        outside: Outside::Miss,
        redactor: Redactor::new(),
        verb: "replay".to_owned(),
        session: "main".to_owned(),
        clock: Clock::default(),
    })
}

/// The client that is judged: it can do one thing.
fn ask(job: &Job) -> std::io::Result<Outcome> {
    let host = job.base_url.trim_start_matches("http://");
    let id = job.id.as_deref().unwrap_or_default();
    let fields =
        job.fields.as_ref().map_or(String::new(), |fields| format!("?fields={}", fields.replace(' ', "%20")));
    let mut socket = TcpStream::connect(host)?;
    let request = format!(
        "GET /api/forensics/case_management/case_create_tasks/{id}{fields} HTTP/1.1\r\n\
         Host: {host}\r\nSEC: {}\r\nVersion: 26.0\r\nConnection: close\r\n\r\n",
        job.sec
    );
    // In one piece: the floor reads once.
    socket.write_all(request.as_bytes())?;
    let mut answer = String::new();
    socket.read_to_string(&mut answer)?;
    Ok(match answer.split_once("\r\n\r\n") {
        Some((head, body)) if head.starts_with("HTTP/1.1 200 ") => {
            Outcome::Task { standing: Resting::Pending, task: body.to_owned() }
        }
        _ => Outcome::Rejected { code: None },
    })
}

/// The same client without a socket.
async fn ask_through(job: Job, door: Door) -> Outcome {
    let fields =
        job.fields.as_ref().map_or(String::new(), |fields| format!("?fields={}", fields.replace(' ', "%20")));
    let request = get(&format!("/api{}{fields}", job.path)).with("SEC", &job.sec);
    match door.ask(request).await {
        Ok(answer) if answer.status == 200 => {
            Outcome::Task { standing: Resting::Pending, task: answer.text().unwrap_or_default().to_owned() }
        }
        _ => Outcome::Rejected { code: None },
    }
}

/// Processor time of this process so far.
fn cpu() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap();
    let (_, fields) = stat.rsplit_once(')').unwrap();
    let ticks: f64 =
        fields.split_whitespace().skip(11).take(2).map(|field| field.parse::<f64>().unwrap()).sum();
    ticks / 100.0
}

fn judged() {
    let calls: Arc<Mutex<Vec<Job>>> = Arc::default();
    let called = Arc::clone(&calls);
    let over_sockets = move |job: Job| {
        called.lock().unwrap().push(job.clone());
        async move {
            let answer = tokio::task::spawn_blocking(move || ask(&job)).await.unwrap();
            answer.unwrap_or_else(|error| Outcome::Error { text: error.to_string() })
        }
    };
    let before = cpu();
    let sockets = rate(&over_sockets);
    let judging = cpu() - before;
    let jobs = std::mem::take(&mut *calls.lock().unwrap());
    let calls = jobs.len() as f64;
    let calling = unjudged(jobs);
    let memory = rate(&Through(ask_through));
    println!("judge, `get` cases a second, {THREADS} judgements at a time, each on a thread of its own:");
    println!("  over sockets    {sockets:7.0} (goal 3,000)");
    println!("  through a door  {memory:7.0} (goal 20,000)");
    println!(
        "over sockets: {:.0} us of the processor a case, {:.0} us for the same client and a fixed answer",
        judging * 1e6 / calls,
        calling * 1e6 / calls
    );
}

/// Cases a second, without what a start costs.
fn rate<F: Called + Clone + 'static>(client: &F) -> f64 {
    let timed = |cases: u32| {
        let began = Instant::now();
        let jobs: usize = std::thread::scope(|scope| {
            let threads: Vec<_> =
                (0..THREADS).map(|seed| scope.spawn(move || judgement(client, cases, seed))).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).sum()
        });
        (jobs as f64, began.elapsed().as_secs_f64())
    };
    let ((few, short), (many, long)) = (timed(FEW), timed(CASES));
    (many - few) / (long - short)
}

/// One judgement on this thread: how many cases it ran, variants included.
fn judgement<F: Called + Clone>(client: &F, cases: u32, seed: u64) -> usize {
    let client = InProcess::new("bench", client.clone()).with_jobs(&[JobKind::Get]);
    let evidence = recorded(find("builtin:forensics/create-case", Asker::CommandLine).unwrap());
    let plan = Plan {
        cases,
        faults: false,
        scenarios: Vec::new(),
        seed: Seed(seed),
        ..Plan::new(Arc::new(move |_| Ok(evidence.clone())))
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let judged = runtime.block_on(judge(&plan, &client, &|_| {})).unwrap();
    assert_eq!(judged.account.exit, Exit::Passed, "{}", judged.account.because);
    usize::try_from(judged.account.sum.served).unwrap()
}

/// The floor: the same client with the same jobs, and somebody who always answers the same.
fn unjudged(jobs: Vec<Job>) -> f64 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let base_url = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        let body = r#"{"assigned_to":["user-1"],"case_id":35,"id":956,"name":"CASE1","state":"WAITING"}"#;
        let answer = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{body}", body.len());
        for socket in listener.incoming() {
            let mut socket = socket.unwrap();
            let mut head = [0; 4096];
            let _ = socket.read(&mut head).unwrap();
            socket.write_all(answer.as_bytes()).unwrap();
        }
    });
    let before = cpu();
    for job in jobs {
        std::hint::black_box(ask(&Job { base_url: base_url.clone(), ..job }).unwrap());
    }
    cpu() - before
}

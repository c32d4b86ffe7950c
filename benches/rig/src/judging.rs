//! Clients under `judge`, beside the same clients in a bare loop that judges nothing.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::cassette;
use crate::process::{Place, Server};
use crate::rows::Bench;
use crate::table::{Measured, median};

/// Different tasks of a bare loop.
const TASKS: u64 = 1_000;
/// Generated cases of a short judgement and of a long one: the difference is free of what every start costs.
const FEW: u64 = 100;
/// Those of the long one, of workers and of programs that are started anew.
const OF_WORKERS: u64 = 2_100;
const OF_PROGRAMS: u64 = 600;

/// Runs of a matrix, and how many at a time.
const RUNS: u64 = 200;
const RUNS_AT_A_TIME: u64 = 4;

/// How clients are judged, and run in the loop.
#[derive(Clone, Copy)]
pub(crate) enum Way {
    /// One at a time, on whatever processor the system likes: how long a case takes.
    OneByOne,
    /// Two at a time, all on one processor: what a case costs.
    TwoOnOneProcessor,
}

impl Way {
    /// At a time.
    fn jobs(self) -> u64 {
        match self {
            Self::OneByOne => 1,
            Self::TwoOnOneProcessor => 2,
        }
    }
}

/// The page with the worker that is measured.
const PAGE: &str = include_str!("../../../docs/worker.md");

/// A worker in Python: wall time a case, against the same worker given cases by nobody who judges.
pub(crate) fn worker(bench: &Bench, way: Way) -> Result<Measured, String> {
    let text = PAGE.split_once("```python\n").and_then(|(_, rest)| rest.split_once("```"));
    let worker = bench.write("worker.py", text.ok_or("docs/worker.md has no worker in Python")?.0)?;
    let file = format!("summary = \"bench\"\njobs = [\"get\"]\n[worker]\nargv = [\"python3\", {worker:?}]\n");
    let file = bench.write("worker.toml", &file)?;
    let floor = floor(bench)?;
    against(
        bench,
        way,
        |bench| judged(bench, way, &file, OF_WORKERS),
        |_| {
            in_turns(way, OF_WORKERS - FEW, |part| {
                let mut child = Command::new("python3")
                    .arg(&worker)
                    .stdin(Stdio::piped())
                    .stdout(Stdio::piped())
                    .spawn()
                    .map_err(|error| format!("python3: {error}"))?;
                let took = loop_of(&mut child, &floor, part);
                let _ = (child.kill(), child.wait());
                took
            })
        },
    )
}

/// The bundled client: wall time a case, against as many bare starts of it.
pub(crate) fn program(bench: &Bench, way: Way) -> Result<Measured, String> {
    let floor = floor(bench)?;
    let file = "summary = \"bench\"\njobs = [\"get\"]\n[exec]\nargv = [\"{faultdeck}\", \"client\", \"careful\", \"get\", \
                \"--base\", \"{base_url}\", \"--id\", \"1\"]\nenv = { SEC_TOKEN = \"{sec}\" }\n";
    let file = file.replace("\"--id\", \"1\"", "[\"--id\", \"{id}\"], [\"--fields\", \"{fields}\"]");
    let file = bench.write("program.toml", &file)?;
    let base = format!("http://{}", floor.addr);
    against(
        bench,
        way,
        |bench| judged(bench, way, &file, OF_PROGRAMS),
        |bench| {
            let faultdeck = &bench.faultdeck;
            in_turns(way, OF_PROGRAMS - FEW, |part| {
                let began = Instant::now();
                for id in part {
                    let id = (id % TASKS + 1).to_string();
                    let ended = Command::new(faultdeck)
                        .args([
                            "client", "careful", "get", "--base", &base, "--id", &id, "--fields", "id,state",
                        ])
                        .env("SEC_TOKEN", "01234567-89ab-cdef-0123-456789abcdef")
                        .stdin(Stdio::null())
                        .stderr(Stdio::null())
                        .output()
                        .map_err(|error| error.to_string())?;
                    if !ended.status.success() {
                        return Err(format!("the client ended with {}", ended.status));
                    }
                }
                Ok(began.elapsed())
            })
        },
    )
}

/// A command of one request, 200 times in 4 threads: runs of a matrix, each with a replay of its own, against bare commands that ask
/// one server.
pub(crate) fn matrix(bench: &Bench) -> Result<Measured, String> {
    let floor = floor(bench)?;
    let (cassette, _) = bench.cassette(1)?;
    let scenario = format!(
        "summary = \"bench\"\ncassette = {cassette:?}\n\n[[fault]]\noptional = true\nwhen = {{ endpoint = \
         \"case_create_tasks.get\", nth = \"9\", chance = \"1/2\" }}\ninject = {{ latency = {{ ms = 1 }} }}\n"
    );
    let scenario = bench.write("bench.toml", &scenario)?;
    let (faultdeck, folder) = (bench.faultdeck.display().to_string(), bench.folder.clone());
    let base = format!("http://{}", floor.addr);
    let command = |base: &str| {
        [faultdeck.as_str(), "client", "careful", "get", "--base", base, "--id", "1"].map(str::to_owned)
    };
    let (mut floors, mut rates, mut figures) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..bench.rounds {
        bench.processors.to_both();
        let began = Instant::now();
        threads(RUNS_AT_A_TIME, RUNS, |_| {
            let [program, arguments @ ..] = command(&base);
            passes(Command::new(program).args(arguments).current_dir(&folder))
        })?;
        let bare = began.elapsed();
        let began = Instant::now();
        let (runs, at_a_time) = (RUNS.to_string(), RUNS_AT_A_TIME.to_string());
        let flags = ["run", "--scenario", &scenario, "--seeds", &runs, "--jobs", &at_a_time, "--"];
        passes(Command::new(&faultdeck).args(flags).args(command("{base_url}")).current_dir(&bench.folder))?;
        let took = began.elapsed();
        bench.processors.to_load();
        floors.push(RUNS as f64 / bare.as_secs_f64());
        rates.push(RUNS as f64 / took.as_secs_f64());
        figures.push(took.as_secs_f64() / bare.as_secs_f64());
    }
    let shown = |rates: &[f64]| format!("{:.0}/s", median(rates));
    Ok(Measured { floor: shown(&floors), faultdeck: shown(&rates), figures })
}

/// Runs a command to its end, which has to be a good one.
fn passes(command: &mut Command) -> Result<(), String> {
    let command = command.env("SEC_TOKEN", "01234567-89ab-cdef-0123-456789abcdef").stdin(Stdio::null());
    let ended = command.output().map_err(|error| error.to_string())?;
    let reason = String::from_utf8_lossy(&ended.stderr);
    match ended.status.success() {
        true => Ok(()),
        false => Err(format!("{}: {}", ended.status, reason.lines().last().unwrap_or_default())),
    }
}

/// So much work in so many threads.
fn threads(many: u64, pieces: u64, work: impl Fn(u64) -> Result<(), String> + Sync) -> Result<(), String> {
    let work = &work;
    std::thread::scope(|scope| {
        let each =
            |thread: u64| scope.spawn(move || (thread..pieces).step_by(many as usize).try_for_each(work));
        let threads: Vec<_> = (0..many).map(each).collect();
        threads
            .into_iter()
            .try_for_each(|thread| thread.join().map_err(|_| "a thread panicked".to_owned())?)
    })
}

fn floor(bench: &Bench) -> Result<Server, String> {
    bench.floor(&["replay-floor", "--map", &TASKS.to_string()], Place::BesideTheLoad)
}

/// Cases a second, judged and bare, in turns; the figure is how many times as long a judged case takes.
fn against(
    bench: &Bench,
    way: Way,
    judged: impl Fn(&Bench) -> Result<f64, String>,
    bare: impl Fn(&Bench) -> Result<f64, String>,
) -> Result<Measured, String> {
    let (mut floors, mut rates, mut figures) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..bench.rounds {
        if let Way::OneByOne = way {
            bench.processors.to_both();
        }
        let (floor, rate) = (bare(bench)?, judged(bench)?);
        bench.processors.to_load();
        floors.push(floor);
        rates.push(rate);
        figures.push(floor / rate);
    }
    let shown = |rates: &[f64]| format!("{:.0}/s", median(rates));
    Ok(Measured { floor: shown(&floors), faultdeck: shown(&rates), figures })
}

/// Cases a second of a judgement, without what its start and its end cost.
fn judged(bench: &Bench, way: Way, file: &str, many: u64) -> Result<f64, String> {
    let (few, little) = judgement(bench, way, file, FEW)?;
    let (all, long) = judgement(bench, way, file, many)?;
    let (cases, time) = (all.saturating_sub(few), long.saturating_sub(little));
    Ok(cases as f64 / time.as_secs_f64())
}

/// One judgement: the requests that it served, one a case, and its time.
fn judgement(bench: &Bench, way: Way, file: &str, cases: u64) -> Result<(u64, Duration), String> {
    let (cases, jobs) = (cases.to_string(), way.jobs().to_string());
    let began = Instant::now();
    let ended = Command::new(&bench.faultdeck)
        .args(["judge", file, "--cases", &cases, "--no-faults", "--scenario", "not-found", "--jobs", &jobs])
        .current_dir(&bench.folder)
        .stdin(Stdio::null())
        .output()
        .map_err(|error| error.to_string())?;
    let took = began.elapsed();
    let report = String::from_utf8_lossy(&ended.stdout).into_owned();
    let served = report.lines().find_map(|line| line.split_once(" requests served")?.0.parse().ok());
    match (ended.status.success(), served) {
        (true, Some(served)) => Ok((served, took)),
        _ => Err(format!("judge ended with {}: {}", ended.status, report.lines().last().unwrap_or_default())),
    }
}

/// So many cases in one thread for each at a time; gives the cases a second.
fn in_turns(
    way: Way,
    cases: u64,
    work: impl Fn(std::ops::Range<u64>) -> Result<Duration, String> + Sync,
) -> Result<f64, String> {
    let (jobs, each) = (way.jobs(), cases / way.jobs());
    let times: Result<Vec<Duration>, String> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..jobs)
            .map(|job| {
                let work = &work;
                scope.spawn(move || work(job * each..(job + 1) * each))
            })
            .collect();
        threads.into_iter().map(|thread| thread.join().map_err(|_| "a thread panicked".to_owned())?).collect()
    });
    let longest = times?.into_iter().max().unwrap_or_default();
    Ok((each * jobs) as f64 / longest.as_secs_f64())
}

/// Gives a worker its cases, and waits for each reply; how long that took once it was up.
fn loop_of(child: &mut Child, floor: &Server, cases: std::ops::Range<u64>) -> Result<Duration, String> {
    let (Some(mut to), Some(from)) = (child.stdin.take(), child.stdout.take()) else {
        return Err("no pipes".to_owned());
    };
    let mut from = BufReader::new(from);
    let mut line = String::new();
    from.read_line(&mut line).map_err(|error| error.to_string())?;
    let began = Instant::now();
    for case in cases {
        let id = case % TASKS + 1;
        let path = cassette::target(id);
        let path = path.trim_start_matches("/api");
        let told = format!(
            "{{\"case\":{case},\"job\":\"get\",\"base_url\":\"http://{}\",\"path\":\"{path}\",\"fields\":\"id, state\",\"sec\":\
             \"01234567-89ab-cdef-0123-456789abcdef\",\"pace_ms\":1,\"deadline_ms\":3000}}\n",
            floor.addr
        );
        to.write_all(told.as_bytes()).map_err(|error| error.to_string())?;
        line.clear();
        from.read_line(&mut line).map_err(|error| error.to_string())?;
        if !line.contains("\"outcome\":\"task\"") {
            return Err(format!("the worker wrote {line}"));
        }
    }
    Ok(began.elapsed())
}

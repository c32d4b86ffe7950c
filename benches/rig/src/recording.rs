//! Recordings beside proxies that only pass on, or write to a file without redacting or syncing.

use std::time::Duration;

use crate::cassette;
use crate::load::{self, Loaded, Until};
use crate::process::{Place, Server};
use crate::replaying::against;
use crate::rows::Bench;
use crate::table::{Measured, median};

/// Connections of the load.
const CONNECTIONS: usize = 32;
/// Tasks of the console that is recorded.
const TASKS: u64 = 10_000;
/// How long a recorder may take to end.
const END: Duration = Duration::from_secs(60);

/// What all rounds of recording came to.
#[derive(Clone, Default)]
pub(crate) struct Recorded {
    writer: Vec<f64>,
    recorder: Vec<f64>,
    writer_p99: Vec<f64>,
    recorder_p99: Vec<f64>,
}

/// Processor time of the recorder a request, against the writer.
pub(crate) fn cost(bench: &Bench) -> Result<Measured, String> {
    let recorded = recorded(bench)?;
    Ok(against(&recorded.writer, &recorded.recorder))
}

/// How long the slowest hundredth of all requests took at least.
pub(crate) fn latency(bench: &Bench) -> Result<Measured, String> {
    let Recorded { writer_p99, recorder_p99, .. } = recorded(bench)?;
    let shown = |times: &[f64]| format!("{:.1} ms", median(times));
    Ok(Measured { floor: shown(&writer_p99), faultdeck: shown(&recorder_p99), figures: recorder_p99 })
}

fn recorded(bench: &Bench) -> Result<Recorded, String> {
    if let Some(recorded) = &*bench.recorded.borrow() {
        return Ok(recorded.clone());
    }
    let console = bench.floor(&["replay-floor", "--map", &TASKS.to_string()], Place::BesideTheLoad)?;
    let to = console.addr.to_string();
    let upstream = format!("http://{to}");
    let requests: Vec<_> = (1..=TASKS).map(|id| load::request(&cassette::target(id))).collect();
    let mut recorded = Recorded::default();
    for _ in 0..bench.rounds {
        let writer =
            bench.floor(&["record-floor", "--to", &to, "--out", "written.jsonl"], Place::Measured)?;
        let (cost, p99) = one(&writer, &requests, bench.time)?;
        recorded.writer.push(cost);
        recorded.writer_p99.push(p99);
        drop(writer);
        let arguments = ["record", "--upstream", &upstream, "--cassette", "recorded.json", "--overwrite"];
        let recorder = bench.faultdeck(&arguments)?;
        let (cost, p99) = one(&recorder, &requests, bench.time)?;
        recorded.recorder.push(cost);
        recorded.recorder_p99.push(p99);
        recorder.stop(END).ok_or("the recorder did not end within a minute")?;
    }
    *bench.recorded.borrow_mut() = Some(recorded.clone());
    Ok(recorded)
}

/// Microseconds of the processor a request, and the p99 in milliseconds.
fn one(server: &Server, requests: &[Vec<u8>], time: Duration) -> Result<(f64, f64), String> {
    let ask = |until| load::run(server.addr, requests, CONNECTIONS, until).map_err(|error| error.to_string());
    ask(Until::Requests(500))?;
    let before = server.cpu();
    let mut loaded: Loaded = ask(Until::Time(time))?;
    // What is written behind the answers belongs to them.
    std::thread::sleep(Duration::from_millis(200));
    let took = server.cpu() - before;
    if loaded.broken > 0 || loaded.others > 0 || loaded.answers == 0 {
        return Err(format!("{} answers not 200, {} connections broke", loaded.others, loaded.broken));
    }
    let p99 = loaded.latency(0.99);
    Ok((took.as_secs_f64() * 1e6 / loaded.answers as f64, p99.as_secs_f64() * 1e3))
}

//! Injected delays, and loads that are wide: connections, sessions, a steady rate.

use std::time::{Duration, Instant};

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use crate::cassette;
use crate::load::{self, Connection, Loaded, Until};
use crate::process::{Place, Server};
use crate::rows::Bench;
use crate::table::Measured;

/// The delay that is injected.
const DELAY: Duration = Duration::from_millis(50);
/// Polls of a task from its first state to its last.
const POLLS: usize = 4;
/// Descriptors beside those of the connections.
const SPARE: u64 = 100;

const DELAYED: &str = "summary = \"Every answer is 50 ms late.\"\n[[fault]]\n\
    when = { endpoint = \"case_create_tasks.get\", nth = \"1-\" }\ninject = { latency = { ms = 50 } }\n";

fn delayed(bench: &Bench) -> Result<Server, String> {
    let (cassette, _) = bench.cassette(1)?;
    let scenario = bench.write("delayed.toml", DELAYED)?;
    bench.faultdeck(&["replay", &cassette, "--scenario", &scenario])
}

fn ask(server: &Server, connections: usize, time: Duration) -> Result<Loaded, String> {
    let requests = [load::request(&cassette::target(1))];
    let loaded = load::run(server.addr, &requests, connections, Until::Time(time));
    let loaded = loaded.map_err(|error| error.to_string())?;
    if loaded.broken > 0 || loaded.others > 0 || loaded.answers == 0 {
        return Err(format!("{} answers not 200, {} connections broke", loaded.others, loaded.broken));
    }
    Ok(loaded)
}

/// How many answers came before their time.
pub(crate) fn early(bench: &Bench) -> Result<Measured, String> {
    let loaded = ask(&delayed(bench)?, 32, bench.time * 2)?;
    let early = loaded.latencies.iter().filter(|took| u128::from(**took) < DELAY.as_micros()).count();
    Ok(Measured::once("0", format!("{early} of {}", loaded.answers), early as f64))
}

/// How late `share` of all answers are at most, beside tokio's own timer.
pub(crate) fn late(bench: &Bench, connections: usize, share: f64) -> Result<Measured, String> {
    let faultdeck = delayed(bench)?;
    let delay = DELAY.as_millis().to_string();
    let floor = bench.floor(&["replay-floor", "--delay-ms", &delay], Place::Measured)?;
    let mut late = (Vec::new(), Vec::new());
    for _ in 0..bench.rounds {
        for (server, late) in [(&floor, &mut late.0), (&faultdeck, &mut late.1)] {
            let took = ask(server, connections, bench.time)?.latency(share);
            late.push(took.saturating_sub(DELAY).as_secs_f64() * 1e3);
        }
    }
    let shown = |times: &[f64]| format!("{:.2} ms", crate::table::median(times));
    Ok(Measured { floor: shown(&late.0), faultdeck: shown(&late.1), figures: late.1 })
}

/// Connections that are all open at one time, and each answered twice: how many were lost.
pub(crate) fn connections(bench: &Bench, many: u64) -> Result<Measured, String> {
    let limit = getrlimit(Resource::Nofile);
    if limit.maximum.is_some_and(|maximum| maximum < many + SPARE) {
        return Err(format!("`ulimit -Hn` is below {}", many + SPARE));
    }
    setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, maximum: limit.maximum })
        .map_err(|error| error.to_string())?;
    let (cassette, _) = bench.cassette(1)?;
    let server = bench.faultdeck(&["replay", &cassette])?;
    let request = load::request(&cassette::target(1));
    let mut open = Vec::new();
    for _ in 0..many {
        let mut connection = Connection::open(server.addr).map_err(|error| error.to_string())?;
        if connection.ask(&request) == Some(200) {
            open.push(connection);
        }
    }
    let held =
        open.iter_mut().filter_map(|connection| connection.ask(&request)).filter(|status| *status == 200);
    let held = held.count() as u64;
    let memory = server.memory("VmRSS") as f64 / (1024.0 * 1024.0);
    Ok(Measured::once(format!("{held} held"), format!("{memory:.1} MiB"), (many - held) as f64))
}

/// Sessions that walk through a task's life side by side: how many lost their place.
pub(crate) fn sessions(bench: &Bench, many: u64) -> Result<Measured, String> {
    let start = || bench.faultdeck(&["replay", "builtin:forensics/create-case"]);
    let open = |server: &Server| Connection::open(server.addr).map_err(|error| error.to_string());
    let ask = |connection: &mut Connection, session: &str| {
        let target = format!("/@{session}{}", cassette::target(956));
        connection.ask_for_body(&load::request(&target)).ok_or("an answer did not come")
    };
    let quiet = start()?;
    let mut connection = open(&quiet)?;
    let alone: Vec<Vec<u8>> = (0..POLLS).map(|_| ask(&mut connection, "alone")).collect::<Result<_, _>>()?;
    if alone.iter().all(|body| *body == alone[0]) {
        return Err("the task's life does not show".to_owned());
    }
    let server = start()?;
    let mut connection = open(&server)?;
    let mut lives = vec![Vec::new(); many as usize];
    for _ in 0..POLLS {
        for (at, life) in lives.iter_mut().enumerate() {
            life.push(ask(&mut connection, &format!("s{at}"))?);
        }
    }
    let lost = lives.iter().filter(|life| **life != alone).count();
    Ok(Measured::once("0", format!("{lost}"), lost as f64))
}

/// A hundred requests a second, each at its time: how many were not answered.
pub(crate) fn steady(bench: &Bench) -> Result<Measured, String> {
    let (cassette, _) = bench.cassette(1)?;
    let server = bench.faultdeck(&["replay", &cassette])?;
    let request = load::request(&cassette::target(1));
    let mut connection = Connection::open(server.addr).map_err(|error| error.to_string())?;
    let began = Instant::now();
    let (mut lost, mut slowest) = (0, Duration::ZERO);
    for at in 0..1000 {
        std::thread::sleep(
            (began + Duration::from_millis(10) * at).saturating_duration_since(Instant::now()),
        );
        let asked = Instant::now();
        if connection.ask(&request) != Some(200) {
            lost += 1;
        }
        slowest = slowest.max(asked.elapsed());
    }
    Ok(Measured::once(
        format!("max {:.1} ms", slowest.as_secs_f64() * 1e3),
        format!("{lost}"),
        f64::from(lost),
    ))
}

//! Replays beside the floor.

use std::time::Duration;

use crate::cassette;
use crate::load::{self, Connection, Until};
use crate::process::{Place, Server};
use crate::rows::Bench;
use crate::table::{Measured, median};

/// Connections of every load that is not about connections.
const CONNECTIONS: usize = 32;
/// Different requests of a load, spread over the cassette.
const REQUESTS_MAX: u64 = 10_000;
/// More different heads than a listener keeps.
const NEW_HEADS: u64 = 40_000;

/// Processor time is counted in hundredths of a second: less than this in a round says nothing.
const TICKS_LEAST: Duration = Duration::from_millis(50);

/// A kind of replay.
pub(crate) struct Replay {
    /// Interactions in the cassette.
    pub(crate) many: u64,
    /// Further flags.
    pub(crate) options: &'static [&'static str],
    /// Whether each request asks for some `fields`.
    pub(crate) fields: bool,
    /// Whether a scenario plans ten faults, none of which ever fires.
    pub(crate) faults: bool,
    /// How many sessions the requests are of; 0 for the first alone.
    pub(crate) sessions: u64,
    /// Whether each request has a header line that no other has, so that no head is ever known.
    pub(crate) new_heads: bool,
}

/// Processor time a request, floor and faultdeck in turns.
pub(crate) fn pair(bench: &Bench, replay: &Replay) -> Result<Measured, String> {
    let (cassette, _) = bench.cassette(replay.many)?;
    let mut arguments = vec!["replay", &cassette];
    arguments.extend(replay.options);
    let scenario = bench.write("ten.toml", &ten_faults())?;
    if replay.faults {
        arguments.extend(["--scenario", &scenario]);
    }
    let faultdeck = bench.faultdeck(&arguments)?;
    let floor = floor(bench, replay.many)?;
    let asked = requests(replay);
    let plain = requests(&Replay { fields: false, sessions: 0, new_heads: false, ..*replay });
    // What a request costs is measured once each has come three times: first its recording is looked up, then it is known
    // to be the last one, then its line is made. What first sight costs is a row of its own.
    for (server, requests) in [(&floor, &plain), (&faultdeck, &asked)] {
        let often = Until::Requests(3 * requests.len() as u64 + 2_000);
        load::run(server.addr, requests, CONNECTIONS, often).map_err(|error| error.to_string())?;
    }
    let mut costs = (Vec::new(), Vec::new());
    for _ in 0..bench.rounds {
        costs.0.push(cost(&floor, &plain, Until::Time(bench.time))?);
        costs.1.push(cost(&faultdeck, &asked, Until::Time(bench.time))?);
    }
    Ok(against(&costs.0, &costs.1))
}

/// What faults cost that fire each time and can change nothing: the same replay without them is the floor.
pub(crate) fn without_strength(bench: &Bench) -> Result<Measured, String> {
    let (cassette, _) = bench.cassette(crate::rows::MANY.many)?;
    let scenario = bench.write("none.toml", WITHOUT_STRENGTH)?;
    let plain = bench.faultdeck(&["replay", &cassette])?;
    let spoilt = bench.faultdeck(&["replay", &cassette, "--scenario", &scenario])?;
    let asked = requests(&crate::rows::MANY);
    let mut costs = (Vec::new(), Vec::new());
    for server in [&plain, &spoilt] {
        let often = Until::Requests(3 * asked.len() as u64 + 2_000);
        load::run(server.addr, &asked, CONNECTIONS, often).map_err(|error| error.to_string())?;
    }
    for _ in 0..bench.rounds {
        costs.0.push(cost(&plain, &asked, Until::Time(bench.time))?);
        costs.1.push(cost(&spoilt, &asked, Until::Time(bench.time))?);
    }
    Ok(against(&costs.0, &costs.1))
}

/// The same of requests each of which comes for the first time, to servers that were just started.
pub(crate) fn first_sight(bench: &Bench) -> Result<Measured, String> {
    let many = REQUESTS_MAX;
    let (cassette, _) = bench.cassette(many)?;
    let asked = requests(&Replay { many, ..crate::rows::ONE });
    let mut costs = (Vec::new(), Vec::new());
    for _ in 0..bench.rounds {
        // The floor has no first sight, and takes too little time for so few requests to be measured.
        costs.0.push(cost(&floor(bench, many)?, &asked, Until::Requests(8 * many))?);
        let server = bench.faultdeck(&["replay", &cassette])?;
        // The start itself is no part of it.
        answered(&server)?;
        costs.1.push(cost(&server, &asked, Until::Requests(many))?);
    }
    Ok(against(&costs.0, &costs.1))
}

/// Two series that were measured in turns, in microseconds, as a row.
pub(crate) fn against(floor: &[f64], faultdeck: &[f64]) -> Measured {
    Measured {
        floor: format!("{:.1} us", median(floor)),
        faultdeck: format!("{:.1} us", median(faultdeck)),
        figures: floor.iter().zip(faultdeck).map(|(floor, faultdeck)| faultdeck / floor).collect(),
    }
}

fn floor(bench: &Bench, many: u64) -> Result<Server, String> {
    bench.floor(&["replay-floor", "--map", &many.to_string()], Place::Measured)
}

/// Microseconds of the server's processor a request.
fn cost(server: &Server, requests: &[Vec<u8>], until: Until) -> Result<f64, String> {
    let before = server.cpu();
    let loaded = load::run(server.addr, requests, CONNECTIONS, until).map_err(|error| error.to_string())?;
    // What is written behind the answers belongs to them.
    std::thread::sleep(Duration::from_millis(60));
    if loaded.broken > 0 || loaded.others > 0 || loaded.answers == 0 {
        let (answers, others, broken) = (loaded.answers, loaded.others, loaded.broken);
        return Err(format!("{answers} answers, {others} of them not 200, {broken} connections broke"));
    }
    let took = server.cpu() - before;
    if took < TICKS_LEAST {
        return Err(format!("the machine is too busy: {} ms of the processor in a round", took.as_millis()));
    }
    Ok(took.as_secs_f64() * 1e6 / loaded.answers as f64)
}

fn requests(replay: &Replay) -> Vec<Vec<u8>> {
    let query = if replay.fields { "?fields=id%2C%20state%2C%20assigned_to" } else { "" };
    let many = replay.many.max(replay.sessions).min(REQUESTS_MAX);
    let heads = if replay.new_heads { NEW_HEADS } else { many };
    (0..heads)
        .map(|head| {
            let at = head % many;
            let target = cassette::target(1 + at * replay.many / many);
            let session = match replay.sessions {
                0 => String::new(),
                sessions => format!("/@s{}", at % sessions),
            };
            let more = if replay.new_heads { format!("X-Request-Id: {head}\r\n") } else { String::new() };
            load::request_with(&format!("{session}{target}{query}"), &more)
        })
        .collect()
}

const WITHOUT_STRENGTH: &str = r#"
summary = "Nothing goes wrong."
[[fault]]
when = { endpoint = "case_create_tasks.get", nth = "1-" }
inject = { latency = { ms = 0 } }
[[fault]]
when = { endpoint = "case_create_tasks.get", nth = "1-" }
inject = { bandwidth = { kb_per_s = 0 } }
"#;

/// Ten planned faults that look at each request and never fire.
fn ten_faults() -> String {
    let injected = [
        "latency = { ms = 1 }",
        "api-error = { status = 500, code = 1020 }",
        "api-error = { status = 404, code = 1002 }",
        "html-page = { status = 503 }",
        "drop-field = { name = \"name\" }",
        "malformed-json = {}",
        "truncate = { body_bytes = 20 }",
        "close = { after_bytes = 20 }",
        "reset = { after_bytes = 20 }",
        "hang = {}",
    ];
    let faults = injected.iter().enumerate().map(|(at, inject)| {
        format!(
            "[[fault]]\nname = \"f{at}\"\noptional = true\n\
             when = {{ endpoint = \"case_create_tasks.get\", nth = \"4000000000\" }}\ninject = {{ {inject} }}\n"
        )
    });
    format!("summary = \"Ten faults that wait.\"\n{}", faults.collect::<String>())
}

/// From the start of the process to the end of its first answer.
pub(crate) fn first_answer(bench: &Bench, many: u64) -> Result<Measured, String> {
    let (cassette, _) = bench.cassette(many)?;
    let rounds = 2 * bench.rounds + 1;
    let mut times = (Vec::new(), Vec::new());
    for _ in 0..rounds {
        times.0.push(answered(&floor(bench, many)?)?);
        times.1.push(answered(&bench.faultdeck(&["replay", &cassette])?)?);
    }
    let shown = |times: &[f64]| format!("{:.1} ms", median(times));
    Ok(Measured { floor: shown(&times.0), faultdeck: shown(&times.1), figures: times.1 })
}

/// Milliseconds until a server that was just started has answered.
fn answered(server: &Server) -> Result<f64, String> {
    let mut connection = Connection::open(server.addr).map_err(|error| error.to_string())?;
    match connection.ask(&load::request(&cassette::target(1))) {
        Some(200) => Ok(server.began.elapsed().as_secs_f64() * 1e3),
        other => Err(format!("the first answer was {other:?}")),
    }
}

/// The resident set after the first answer, against 1.5 times the file and 200 bytes an interaction.
pub(crate) fn memory(bench: &Bench, many: u64) -> Result<Measured, String> {
    let (cassette, length) = bench.cassette(many)?;
    let server = bench.faultdeck(&["replay", &cassette])?;
    answered(&server)?;
    Ok(held(server.memory("VmRSS"), length * 3 / 2 + 200 * many))
}

/// The resident set after many requests, against 12 MiB and the cassette.
pub(crate) fn flat(bench: &Bench, options: &[&str]) -> Result<Measured, String> {
    let (cassette, length) = bench.cassette(1)?;
    let server = bench.faultdeck(&[&["replay", &cassette], options].concat())?;
    cost(&server, &requests(&crate::rows::ONE), Until::Requests(240_000))?;
    Ok(held(server.memory("VmRSS"), 12 * 1024 * 1024 + length))
}

fn held(bytes: u64, allowed: u64) -> Measured {
    let shown = |bytes: u64| format!("{:.1} MiB", bytes as f64 / (1024.0 * 1024.0));
    Measured::once(format!("<= {}", shown(allowed)), shown(bytes), bytes as f64 / allowed as f64)
}

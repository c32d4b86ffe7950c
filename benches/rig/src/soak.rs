//! Full load for minutes: whether the resident set stays as it is.

use std::time::{Duration, Instant};

use crate::cassette;
use crate::load::{self, Until};
use crate::process::{Arguments, Place, Server};
use crate::rows::Bench;

/// Connections of the load.
const CONNECTIONS: usize = 32;
/// Tasks that are asked for.
const TASKS: u64 = 1_000;
/// From then on the resident set is looked at.
const WARM: Duration = Duration::from_secs(60);
/// Between two looks.
const LOOK: Duration = Duration::from_secs(5);
/// The slope that is too much, in bytes a second.
const GOAL: f64 = 1024.0;

/// `rig soak --binary FILE MINUTES [--only replay|record]`: whether neither grows.
pub(crate) fn main(arguments: &Arguments) -> Result<bool, String> {
    let minutes =
        arguments.0.first().and_then(|word| word.parse::<u64>().ok()).filter(|minutes| *minutes >= 2);
    let minutes = minutes.ok_or("say how many minutes each takes, 2 or more: scripts/soak 10")?;
    Arguments(arguments.0[1..].to_vec()).check(&[], &["--only", "--binary"])?;
    let only = arguments.text("--only");
    if only.is_some_and(|only| !KINDS.iter().any(|(name, _)| *name == only)) {
        return Err("--only takes replay or record".to_owned());
    }
    let bench = Bench::new(arguments, 1, Duration::ZERO)?;
    let mut within = true;
    for (name, start) in KINDS {
        if only.is_none_or(|only| only == *name) {
            within &= soak(&bench, name, *start, Duration::from_secs(60 * minutes))?;
        }
    }
    Ok(within)
}

type Start = fn(&Bench, &Server) -> Result<Server, String>;

const KINDS: &[(&str, Start)] = &[
    ("replay", |bench, _| {
        let (cassette, _) = bench.cassette(TASKS)?;
        bench.faultdeck(&["replay", &cassette, "--ledger", "ledger.jsonl"])
    }),
    ("record", |bench, console| {
        let upstream = format!("http://{}", console.addr);
        bench.faultdeck(&["record", "--upstream", &upstream, "--cassette", "soak.json", "--overwrite"])
    }),
];

fn soak(bench: &Bench, name: &str, start: Start, time: Duration) -> Result<bool, String> {
    let console = bench.floor(&["replay-floor", "--map", &TASKS.to_string()], Place::BesideTheLoad)?;
    let server = start(bench, &console)?;
    let requests: Vec<_> = (1..=TASKS).map(|id| load::request(&cassette::target(id))).collect();
    let began = Instant::now();
    let (mut answers, mut refused, mut broken) = (0, 0, 0);
    let mut looks = Vec::new();
    while began.elapsed() < time {
        let loaded = load::run(server.addr, &requests, CONNECTIONS, Until::Time(LOOK));
        let loaded = loaded.map_err(|error| error.to_string())?;
        (answers, refused, broken) =
            (answers + loaded.answers, refused + loaded.others, broken + loaded.broken);
        let (at, bytes) = (began.elapsed(), server.memory("VmRSS"));
        println!("{name} {:>5} s {answers:>10} answers {:>9} KiB", at.as_secs(), bytes / 1024);
        if at >= WARM {
            looks.push((at.as_secs_f64(), bytes as f64));
        }
    }
    let slope = slope(&looks);
    let verdict = if slope < GOAL && refused + broken == 0 { "ok" } else { "above" };
    println!(
        "{name}: {:.2} KiB/s after the first minute (goal: below 1), {refused} answers not 200, {broken} connections broke: {verdict}",
        slope / 1024.0
    );
    Ok(verdict == "ok")
}

/// The slope of the line that lies closest to all points.
fn slope(points: &[(f64, f64)]) -> f64 {
    let many = points.len() as f64;
    let mean = |of: fn(&(f64, f64)) -> f64| points.iter().map(of).sum::<f64>() / many;
    let (x, y) = (mean(|point| point.0), mean(|point| point.1));
    let above: f64 = points.iter().map(|point| (point.0 - x) * (point.1 - y)).sum();
    let below: f64 = points.iter().map(|point| (point.0 - x).powi(2)).sum();
    above / below
}

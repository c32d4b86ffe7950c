//! What is measured, and the goal of each row.

use std::cell::RefCell;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use crate::judging::Way;
use crate::process::{Arguments, Place, Processors, Server};
use crate::recording::{self, Recorded};
use crate::replaying::{self, Replay};
use crate::table::{Measured, Table};
use crate::{cassette, judging, paced, wide};

/// One row of the table.
struct Row {
    name: &'static str,
    /// The figure is at most this; rows without a goal are for information.
    goal: Option<f64>,
    /// Whether `--quick` measures it.
    is_quick: bool,
    measure: fn(&Bench) -> Result<Measured, String>,
}

/// The least that is asked of a replay: one recorded interaction, and its answer.
pub(crate) const ONE: Replay =
    Replay { many: 1, options: &[], fields: false, faults: false, sessions: 0, new_heads: false };
pub(crate) const MANY: Replay = Replay { many: 10_000, ..ONE };

const fn row(name: &'static str, goal: f64, measure: fn(&Bench) -> Result<Measured, String>) -> Row {
    Row { name, goal: Some(goal), is_quick: true, measure }
}

/// A row that only the whole run measures.
const fn long(row: Row) -> Row {
    Row { is_quick: false, ..row }
}

/// A row for information.
const fn open(row: Row) -> Row {
    Row { goal: None, ..row }
}

const ROWS: &[Row] = &[
    row("replay, 1 interaction, --quiet", 1.25, |bench| {
        replaying::pair(bench, &Replay { options: &["--quiet"], ..ONE })
    }),
    row("replay, 1 interaction, a line a request", 1.4, |bench| replaying::pair(bench, &ONE)),
    row("replay, 1 interaction, --quiet --ledger", 1.6, |bench| {
        replaying::pair(bench, &Replay { options: &["--quiet", "--ledger", "ledger.jsonl"], ..ONE })
    }),
    open(row("replay, 1 interaction, line and --ledger", 0.0, |bench| {
        replaying::pair(bench, &Replay { options: &["--ledger", "ledger.jsonl"], ..ONE })
    })),
    row("replay, 10,000 interactions, line", 1.45, |bench| replaying::pair(bench, &MANY)),
    long(row("replay, 1,000,000 interactions, line", 1.6, |bench| {
        replaying::pair(bench, &Replay { many: 1_000_000, options: &["--max-cassette", "2GiB"], ..ONE })
    })),
    open(row("replay, 1 interaction, line, no head twice", 0.0, |bench| {
        replaying::pair(bench, &Replay { new_heads: true, ..ONE })
    })),
    open(row("replay, 10,000 interactions, line, first sight", 0.0, replaying::first_sight)),
    open(row("replay, 10,000, line, `fields`", 0.0, |bench| {
        replaying::pair(bench, &Replay { fields: true, ..MANY })
    })),
    open(row("replay, 10,000, line, ten planned faults", 0.0, |bench| {
        replaying::pair(bench, &Replay { faults: true, ..MANY })
    })),
    row("replay, 10,000, line, faults without strength, against none", 1.1, replaying::without_strength),
    open(row("replay, 10,000, line, 100 sessions", 0.0, |bench| {
        replaying::pair(bench, &Replay { sessions: 100, ..MANY })
    })),
    row("first answer, 1 interaction, ms", 2.0, |bench| replaying::first_answer(bench, 1)),
    row("first answer, 10,000 interactions, ms", 25.0, |bench| replaying::first_answer(bench, 10_000)),
    row("memory at 10,000 interactions", 1.0, |bench| replaying::memory(bench, 10_000)),
    long(row("memory at 200,000 interactions", 1.0, |bench| replaying::memory(bench, 200_000))),
    row("memory after 240,000 requests, line", 1.0, |bench| replaying::flat(bench, &[])),
    row("memory after 240,000 requests, --ledger", 1.0, |bench| {
        replaying::flat(bench, &["--ledger", "ledger.jsonl"])
    }),
    row("record, against a naive file writer", 1.2, recording::cost),
    row("record, p99 of a request under load, ms", 3.0, recording::latency),
    // At least 0.8 and 0.9 times as many cases a second as without anybody who judges.
    row("judge, a worker in Python, against a bare loop", 1.25, |bench| {
        judging::worker(bench, Way::OneByOne)
    }),
    row("judge, exec, against bare starts", 1.11, |bench| judging::program(bench, Way::OneByOne)),
    open(row("judge, two workers, one processor for all", 0.0, |bench| {
        judging::worker(bench, Way::TwoOnOneProcessor)
    })),
    open(row("judge, two exec, one processor for all", 0.0, |bench| {
        judging::program(bench, Way::TwoOnOneProcessor)
    })),
    row("run, 200 runs by 4 jobs, against bare commands", 1.5, judging::matrix),
    row("50 ms injected: answers that came early", 0.0, wide::early),
    row("50 ms injected, 1 connection: median late, ms", 0.8, |bench| wide::late(bench, 1, 0.5)),
    row("50 ms injected, 256 connections: p99 late, ms", 3.0, |bench| wide::late(bench, 256, 0.99)),
    row("0.1 MB/s injected: off by, %", 1.0, |bench| paced::deviation(bench, 100)),
    row("1 MB/s injected: off by, %", 1.0, |bench| paced::deviation(bench, 1_000)),
    row("10 MB/s injected: off by, %", 1.0, |bench| paced::deviation(bench, 10_000)),
    row("100 MB/s injected: off by, %", 3.0, |bench| paced::deviation(bench, 100_000)),
    row("10,000 open connections: lost", 0.0, |bench| wide::connections(bench, 10_000)),
    row("1,000 sessions: lost or mixed up", 0.0, |bench| wide::sessions(bench, 1_000)),
    long(row("100 requests a second for 10 s: lost", 0.0, wide::steady)),
];

/// What all rows are measured with.
pub(crate) struct Bench {
    pub(crate) faultdeck: PathBuf,
    pub(crate) rig: PathBuf,
    pub(crate) folder: PathBuf,
    pub(crate) processors: Processors,
    /// Pairs of measurements in turns.
    pub(crate) rounds: usize,
    /// How long each takes.
    pub(crate) time: Duration,
    pub(crate) recorded: RefCell<Option<Recorded>>,
    replay_help: String,
}

impl Bench {
    pub(crate) fn new(arguments: &Arguments, rounds: usize, time: Duration) -> Result<Self, String> {
        let binary = arguments.text("--binary").ok_or("--binary FILE is missing")?;
        let faultdeck = std::path::absolute(binary).map_err(|error| error.to_string())?;
        let help = Command::new(&faultdeck).args(["replay", "--help"]).output();
        let help = help.map_err(|error| format!("{binary}: {error}"))?;
        let folder = std::env::temp_dir().join(format!("faultdeck-bench-{}", std::process::id()));
        std::fs::create_dir(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
        let processors = Processors::of_this_machine();
        processors.to_load();
        Ok(Self {
            faultdeck,
            rig: std::env::current_exe().map_err(|error| error.to_string())?,
            folder,
            processors,
            rounds,
            time,
            recorded: RefCell::default(),
            replay_help: String::from_utf8_lossy(&help.stdout).into_owned(),
        })
    }

    /// A cassette of so many interactions, and its length.
    pub(crate) fn cassette(&self, many: u64) -> Result<(String, u64), String> {
        let path = self.folder.join(format!("{many}.json"));
        let length = match std::fs::metadata(&path) {
            Ok(there) => there.len(),
            Err(_) => cassette::write(&path, many).map_err(|error| error.to_string())?,
        };
        Ok((path.display().to_string(), length))
    }

    /// A file of the bench's own folder.
    pub(crate) fn write(&self, name: &str, text: &str) -> Result<String, String> {
        let path = self.folder.join(name);
        std::fs::write(&path, text).map_err(|error| error.to_string())?;
        Ok(path.display().to_string())
    }

    /// Starts the faultdeck that is measured.
    pub(crate) fn faultdeck<S: AsRef<str>>(&self, arguments: &[S]) -> Result<Server, String> {
        if arguments.first().is_some_and(|verb| verb.as_ref() == "replay")
            && let Some(unknown) = arguments
                .iter()
                .map(AsRef::as_ref)
                .find(|word| word.starts_with("--") && !self.replay_help.contains(word))
        {
            return Err(format!("this faultdeck has no {unknown}"));
        }
        Server::start(&self.faultdeck, arguments, &self.folder, self.processors, Place::Measured)
    }

    /// Starts a floor.
    pub(crate) fn floor<S: AsRef<str>>(&self, arguments: &[S], place: Place) -> Result<Server, String> {
        Server::start(&self.rig, arguments, &self.folder, self.processors, place)
    }
}

impl Drop for Bench {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(Path::new(&self.folder));
    }
}

/// `rig bench --binary FILE [--quick] [--only WORD]...`: whether every row is at or below its goal.
pub(crate) fn main(arguments: &Arguments) -> Result<bool, String> {
    arguments.check(&["--quick"], &["--only", "--binary"])?;
    let quick = arguments.flag("--quick");
    let (rounds, time) = if quick { (3, Duration::from_millis(400)) } else { (5, Duration::from_secs(2)) };
    let bench = Bench::new(arguments, rounds, time)?;
    let only = arguments.texts("--only");
    if let Some(none) = only.iter().find(|word| !ROWS.iter().any(|row| row.name.contains(**word))) {
        return Err(format!("no row has `{none}` in its name"));
    }
    let mut table = Table::begin();
    for row in ROWS {
        if !only.is_empty() && !only.iter().any(|word| row.name.contains(word)) {
            continue;
        }
        if quick && !row.is_quick {
            table.left_out(row.name, row.goal);
            continue;
        }
        table.add(row.name, row.goal, (row.measure)(&bench));
    }
    Ok(table.end())
}

//! `faultdeck run` over many scenarios and seeds: what is run, what is said meanwhile, and what is left behind.

use std::collections::BTreeMap;
use std::future::Future;
use std::time::Duration;

use super::ci;
use super::guard::Programs;
use super::output;
use super::outputs::{Outputs, Shown};
use super::problem::Problem;
use super::progress;
use super::run::{self, Args};
use super::seeds::Seeds;
use super::settings;
use super::setup::{self, a_line_each};
use super::shard::Shard;
use super::signals::Signals;
use crate::judge::Progress;
use crate::ledger::{
    EndLine, Exchange, Exit, Late, Line, Origin, RanLine, Reasons, RunStanding, SeenLine, Sum, weigh_runs,
};
use crate::record;
use crate::redact::Redactor;
use crate::replay::Evidence;
use crate::report::{Digest, visible};
use crate::run::{Cell, Done, Matrix, Plan, matrix, seen};
use crate::scenario::{Clock, PlannedFault, Scenario};
use crate::seed::Seed;

/// How many runs one matrix may have.
pub(super) const CELLS_MAX: usize = 100_000;
/// How many lines are shown of what the command wrote in the first failed run of a scenario.
const LINES_SHOWN: usize = 10;
/// For how many scenarios that is shown.
const OUTPUTS_SHOWN: usize = 3;

/// `90s`, `30m`, `2h`.
pub(super) fn time(text: &str) -> Result<Duration, String> {
    let wrong = || "write a time as `90s`, `30m` or `2h`".to_owned();
    let units = [("s", 1), ("m", 60), ("h", 3600)];
    let found = units.iter().find_map(|(name, unit)| Some((text.strip_suffix(name)?, *unit)));
    let (digits, unit) = found.ok_or_else(wrong)?;
    let seconds = digits.parse::<u64>().ok().and_then(|number| number.checked_mul(unit));
    seconds.filter(|seconds| *seconds > 0).map(Duration::from_secs).ok_or_else(wrong)
}

/// A scenario that a command line names.
pub(super) struct Named {
    pub(super) scenario: Scenario,
    /// How it is asked for by itself.
    pub(super) argument: String,
    /// Whether only its folder was named.
    of_folder: bool,
}

/// The scenarios that a command line names.
///
/// # Errors
/// If one of them cannot be had.
pub(super) fn scenarios(arguments: &[String]) -> Result<Vec<Named>, Problem> {
    let mut all: Vec<Named> = Vec::new();
    for argument in arguments {
        let of_folder = argument.ends_with('/');
        for scenario in setup::open_all(argument)? {
            let argument = match &scenario.file {
                _ if !of_folder => argument.clone(),
                Some(file) => file.display().to_string(),
                None => format!("builtin:{}", scenario.name),
            };
            let is_it = |known: &&mut Named| {
                known.scenario.name == scenario.name && known.scenario.file == scenario.file
            };
            match all.iter_mut().find(is_it) {
                // One that is named by itself, too, was meant.
                Some(known) if !of_folder => *known = Named { scenario, argument, of_folder },
                Some(_) => {}
                None => all.push(Named { scenario, argument, of_folder }),
            }
        }
    }
    Ok(all)
}

/// Runs the matrix that the arguments say.
///
/// # Errors
/// If the input is wrong, no listener can be had, or a file cannot be written.
pub(super) async fn run(args: Args, scenarios: Vec<Named>) -> Result<Exit, Problem> {
    let mut signals = Signals::listen()?;
    let redactor = Redactor::new();
    let kept = Kept::of(&args)?;
    let mut outputs = Outputs::new(Shown::AsNote, args.ledger.clone(), args.report.clone())?;
    let cells = cells(&args, scenarios, &redactor)?;
    outputs.flow(&redactor)?;
    if cells.is_empty() {
        // Other parts have all the runs there are. This one tested nothing, and says so in a ledger that merges.
        let mut reasons = Reasons::default();
        weigh_runs(&[], &mut reasons);
        return outputs.finish_flow(Digest::default(), EndLine::default().closed(reasons), &redactor);
    }
    let _programs = Programs::begin();
    let left = all(&args, cells, &kept, &redactor, signals.first(), &outputs, |_| {}).await?;
    left.finish(&args, outputs, Reasons::default())
}

/// Does every run that is not kept from an earlier call; `done` is told of each, those that are kept included.
///
/// # Errors
/// If no listener can be had.
pub(super) async fn all(
    args: &Args,
    cells: Vec<Cell>,
    kept: &Kept,
    redactor: &Redactor,
    stop: impl Future,
    outputs: &Outputs,
    mut done: impl FnMut(&Done),
) -> Result<Left, Problem> {
    let mut left = Left::new(redactor);
    let (old, cells): (Vec<Cell>, Vec<Cell>) = cells.into_iter().partition(|cell| kept.has(cell, redactor));
    output::note(&format!("{}: {}", args.matrix.words(old.len(), cells.len()), run::shown(args, redactor)));
    let tell = progress::teller_of("run", "runs");
    tell(Progress::Plans { cases: cells.len() });
    for cell in &old {
        left.take_over(kept, cell, outputs, &mut done);
    }
    let plan = Matrix {
        cells,
        jobs: usize::from(args.matrix.jobs),
        fails_fast: args.matrix.fail_fast,
        budget: args.matrix.budget,
        again: args.matrix.again,
    };
    let is_stopped = matrix(plan, stop, |one| {
        tell(Progress::Begins { name: one.ran.session.clone(), cases: 1 });
        tell(Progress::Ran { done: 1, of: 1 });
        done(&one);
        left.add(one, outputs);
    });
    is_stopped.await?;
    Ok(left)
}

/// The flags of a matrix.
#[derive(Clone, Debug, clap::Args)]
pub(super) struct MatrixArgs {
    /// Runs the command under each of these seeds: so many from 1 on, or from one to another (`7..12`). A scenario in which
    /// nothing is left to chance runs once.
    #[arg(long, value_name = "N|A..B", conflicts_with = "seed")]
    pub(super) seeds: Option<Seeds>,
    /// How many runs at a time. The command has to be able to do that: no fixed files, no fixed ports.
    #[arg(long, value_name = "N", default_value = "1", value_parser = clap::value_parser!(u16).range(1..=64))]
    pub(super) jobs: u16,
    /// Begins no run after this time (`90s`, `30m`, `2h`): what is left is told as not run, and the exit code is 3.
    #[arg(long, value_name = "TIME", value_parser = time)]
    pub(super) budget: Option<Duration>,
    /// Begins no run after one has failed.
    #[arg(long)]
    pub(super) fail_fast: bool,
    /// How often a failed run is run again under its seed, to tell a flaky one: one that passes then is neither green nor red
    /// (exit code 3).
    #[arg(long = "again", value_name = "N", default_value = "1", value_parser = clap::value_parser!(u32).range(0..=20))]
    pub(super) again: u32,
    /// Takes over what an earlier call has left in the file of --ledger, and runs the rest.
    #[arg(long, requires = "ledger")]
    pub(super) resume: bool,
    /// Runs a part of the matrix alone, the second of four (`2/4`): for several machines. `faultdeck report merge` puts their
    /// ledgers together. `auto` takes both numbers from what GitLab, CircleCI, Buildkite and Slurm arrays set; `auto/4` the
    /// first alone, as an indexed Job of Kubernetes sets it.
    #[arg(long, value_name = "K/N|auto|auto/N")]
    pub(super) shard: Option<Shard>,
}

impl MatrixArgs {
    /// Whether the arguments ask for a matrix, with so many scenarios.
    pub(super) fn is_asked_for(&self, scenarios: usize) -> bool {
        scenarios > 1 || self.seeds.is_some() || self.shard.is_some() || self.resume
    }

    fn words(&self, old: usize, new: usize) -> String {
        let runs = |count: usize| if count == 1 { "1 run".to_owned() } else { format!("{count} runs") };
        let mut words = runs(new);
        if self.jobs > 1 {
            words.push_str(&format!(", {} at a time", self.jobs));
        }
        if let Some(shard) = self.shard {
            words.push_str(&format!(", {shard}"));
        }
        if old > 0 {
            words.push_str(&format!(", {} over already", runs(old)));
        }
        words
    }
}

/// Every run, in order.
fn cells(args: &Args, scenarios: Vec<Named>, redactor: &Redactor) -> Result<Vec<Cell>, Problem> {
    let named = |it: Named| (Some(it.scenario), Some(it.argument), it.of_folder);
    let scenarios = match scenarios.is_empty() {
        true => vec![(None, None, false)],
        false => scenarios.into_iter().map(named).collect(),
    };
    let (door, variables) = (run::door(args)?, run::variables(args)?);
    let is_named =
        |it: &(Option<Scenario>, Option<String>, bool)| Some((it.0.as_ref()?.name.clone(), it.1.clone()?));
    let all_named: Vec<(String, String)> = scenarios.iter().filter_map(is_named).collect();
    let part = args.matrix.shard.map(Shard::part);
    let mut all = Vec::new();
    for (scenario, argument, of_folder) in scenarios {
        if of_folder && !door.has_handshakes() && scenario.as_ref().is_some_and(Scenario::needs_tls) {
            output::note(&format!(
                "left out, because it is about TLS handshakes and there is no `--tls` and no `--proxy`: {}",
                visible(argument.as_deref().unwrap_or_default())
            ));
            continue;
        }
        if let Some(it) = scenario.as_ref().filter(|it| it.clock == Some(Clock::ByHand)) {
            let why = format!(
                "{}: its clock is stepped by hand, and there is nobody to do that in a matrix",
                it.name
            );
            if !of_folder {
                return Err(Problem::input(why).help("run it by itself, without --seeds and --shard"));
            }
            output::note(&format!("left out: {}", visible(&why)));
            continue;
        }
        let known = settings::knowns(&scenario)?;
        let mut setup = args.story.setup("run", scenario, args.cassette.as_deref())?;
        setup.redactor = redactor.clone();
        let one = (setup.scenario.as_ref().map(|it| it.name.as_str()), argument.as_deref());
        let flags = run::of_one(&args.must, one, &all_named);
        let must = run::asked(&flags, setup.scenario.as_deref(), argument.as_deref())?;
        let is_drawn = setup.scenario.as_ref().is_some_and(|it| it.faults.iter().any(PlannedFault::draws))
            || matches!(setup.evidence, Evidence::Console(_));
        for seed in seeds(args, is_drawn) {
            if all.len() == CELLS_MAX {
                return Err(Problem::input(format!("these are more than {CELLS_MAX} runs"))
                    .help("take fewer seeds, or fewer scenarios"));
            }
            let mut setup = setup.clone();
            setup.seed = seed;
            if matches!(setup.evidence, Evidence::Console(_)) {
                setup.evidence = setup::evidence(
                    args.cassette.as_deref(),
                    setup.scenario.as_deref(),
                    seed,
                    setup.auth,
                    args.story.max_cassette,
                )?;
            }
            let faults = &args.story.faults;
            let repeat =
                run::repeat(args, &flags, argument.as_deref(), faults, seed, &variables, redactor).line();
            let name = setup.scenario.as_ref().map_or(String::new(), |scenario| scenario.name.clone());
            let plan = run::plan(args, variables.clone(), setup, door.clone(), must, repeat);
            let plan = Plan {
                known: known.clone(),
                watches: args.trace.then(a_line_each).into_iter().collect(),
                ..plan
            };
            all.push(Cell { scenario: name, seed, may_be_skipped: of_folder, part, whole: None, plan });
        }
    }
    if all.is_empty() {
        return Err(Problem::input("there is nothing to run in this matrix"));
    }
    let all = match args.matrix.shard {
        None => all,
        Some(shard) => {
            let whole = Some(all.len());
            let numbered = all.into_iter().enumerate();
            numbered.filter(|(index, _)| shard.has(*index)).map(|(_, cell)| Cell { whole, ..cell }).collect()
        }
    };
    Ok(all)
}

/// The seeds of a scenario.
fn seeds(args: &Args, is_drawn: bool) -> Vec<Seed> {
    match args.matrix.seeds {
        Some(seeds) if is_drawn => seeds.each().collect(),
        Some(seeds) => vec![seeds.lowest()],
        None => vec![args.story.seed],
    }
}

/// What an earlier call has left.
#[derive(Default)]
pub(super) struct Kept {
    runs: BTreeMap<String, (RanLine, Vec<Line>)>,
}

impl Kept {
    /// Reads it, if it is to be gone on with.
    ///
    /// # Errors
    /// If it cannot be read, or is of another command.
    pub(super) fn of(args: &Args) -> Result<Self, Problem> {
        let Some(file) = args.ledger.as_ref().filter(|file| args.matrix.resume && file.exists()) else {
            return Ok(Self::default());
        };
        let lines = super::report::whole_lines(file)?;
        let mut sessions: BTreeMap<String, Vec<Line>> = BTreeMap::new();
        let mut kept = Self::default();
        for line in lines {
            match line {
                Line::Ran(ran) if ran.standing == RunStanding::NotRun => {}
                Line::Ran(ran) => {
                    let own = sessions.remove(&ran.session).unwrap_or_default();
                    kept.runs.insert(ran.session.clone(), (*ran, own));
                }
                line => {
                    if let Some(session) = line.run_of() {
                        sessions.entry(session).or_default().push(line);
                    }
                }
            }
        }
        let command = run::words(args);
        let is_other = |line: &Line| matches!(line, Line::Run(run) if run.command != command);
        if kept.runs.values().flat_map(|(_, lines)| lines).any(is_other) {
            return Err(Problem::file("go on with", file, std::io::Error::other("it is of another command"))
                .help("take another file for --ledger, or leave --resume out"));
        }
        Ok(kept)
    }

    /// Whether it holds this very run: of the same command line, of scenario and cassette as they stand now, and with its lines. A
    /// run that left none, a skipped one, is cheap to do again.
    fn has(&self, cell: &Cell, redactor: &Redactor) -> bool {
        let session = RanLine::session(&cell.scenario, cell.seed.0);
        let Some((ran, lines)) = self.runs.get(&session) else { return false };
        let scenario = cell.plan.setup.scenario.as_ref().map(|scenario| redactor.text(&scenario.text));
        let cassette = match &cell.plan.setup.evidence {
            Evidence::Cassette(material) => Some(material.id()),
            Evidence::Console(_) => None,
        };
        let is_it = |line: &Line| match line {
            Line::Run(run) => {
                let theirs = run.cassette_id.as_ref().map(Late::text);
                run.session == session && run.scenario_text == scenario && theirs == cassette
            }
            _ => false,
        };
        ran.repeat == redactor.text(&cell.plan.repeat) && lines.iter().any(is_it)
    }
}

/// What is left behind so far.
pub(super) struct Left {
    redactor: Redactor,
    digest: Digest,
    runs: Vec<RanLine>,
    end: EndLine,
    /// Of failed runs, by scenario: what the command wrote last.
    written: Vec<(String, Vec<String>)>,
    seen: SeenLine,
}

impl Left {
    fn new(redactor: &Redactor) -> Self {
        Self {
            redactor: redactor.clone(),
            digest: Digest::default(),
            runs: Vec::new(),
            end: EndLine::default(),
            written: Vec::new(),
            seen: SeenLine::default(),
        }
    }

    fn take_over(&mut self, kept: &Kept, cell: &Cell, outputs: &Outputs, mut done: impl FnMut(&Done)) {
        let Some((ran, lines)) = kept.runs.get(&RanLine::session(&cell.scenario, cell.seed.0)) else {
            return;
        };
        let sum = Sum::of(lines.iter());
        let end = EndLine { sum, ..EndLine::default() };
        let seen = seen(&cell.plan.setup, lines);
        let one = Done { ran: ran.clone(), lines: lines.clone(), end, output: String::new(), seen };
        done(&one);
        self.add(one, outputs);
    }

    fn add(&mut self, done: Done, outputs: &Outputs) {
        let Done { ran, mut lines, end, output, seen } = done;
        let is_bad = ran.standing.exit() > Exit::Passed;
        lines.push(Line::Ran(Box::new(ran.clone())));
        let shows_all = is_bad && self.written.len() < OUTPUTS_SHOWN;
        lines.iter().for_each(|line| digested(line, shows_all, &mut self.digest));
        outputs.add(lines);
        self.seen = std::mem::take(&mut self.seen).and(&seen);
        self.end.sum += end.sum;
        self.end.lost_lines += end.lost_lines;
        self.end.closed_sessions += end.closed_sessions;
        self.end.in_force.extend(end.in_force.into_iter().filter(|_| ran.standing != RunStanding::Skipped));
        self.end.elsewhere.extend(end.elsewhere);
        let is_new =
            !self.written.iter().any(|(session, _)| session.starts_with(&format!("{}#", ran.scenario)));
        if is_bad && is_new && ran.standing != RunStanding::NotRun && self.written.len() < OUTPUTS_SHOWN {
            let all: Vec<String> = output.trim_end().lines().map(str::to_owned).collect();
            let from = all.len().saturating_sub(LINES_SHOWN);
            self.written.push((ran.session.clone(), all.into_iter().skip(from).collect()));
        }
        self.runs.push(ran);
    }

    /// How many faults fired in all.
    pub(super) fn fired(&self) -> u64 {
        self.end.sum.faults
    }

    /// Closes the ledger and writes the reports; `reasons` are what speaks against all the runs together.
    ///
    /// # Errors
    /// If a file cannot be written.
    pub(super) fn finish(self, args: &Args, outputs: Outputs, mut reasons: Reasons) -> Result<Exit, Problem> {
        let Self { redactor, mut digest, runs, mut end, written, seen } = self;
        end.in_force.sort();
        end.in_force.dedup();
        end.elsewhere.sort();
        end.elsewhere.dedup();
        end.dials = record::dials();
        weigh_runs(&runs.iter().collect::<Vec<_>>(), &mut reasons);
        let end = run::seen_enough(args, &seen, end.closed(reasons));
        digest.hold(Line::Seen(Box::new(seen.clone())));
        outputs.add(vec![Line::Seen(Box::new(seen))]);
        let exit = outputs.finish_flow(digest, end, &redactor)?;
        for (session, lines) in written.iter().filter(|(_, lines)| !lines.is_empty()) {
            output::note(&format!("the command wrote last, under {}:", visible(session)));
            lines
                .iter()
                .for_each(|line| output::note(&ci::inert(&format!("  {}", visible(&redactor.text(line))))));
        }
        if runs.iter().any(|run| run.standing == RunStanding::NotRun) {
            output::note("go on with the same command line and `--resume`, if it has a --ledger");
        }
        Ok(exit)
    }
}

/// Puts a line into what reports are made of: of a run that is not shown in full, what they count.
fn digested(line: &Line, shows_all: bool, digest: &mut Digest) {
    match line {
        Line::Run(run) => digest.run(run),
        Line::Exchange(exchange) if !shows_all => {
            if is_remarkable(exchange) {
                digest.remarkable(exchange);
            }
            digest.fired(&exchange.faults);
        }
        Line::Refused(refused) => digest.refused(refused),
        Line::Greeted(greeted) => digest.greeted(greeted),
        Line::Timing(_)
        | Line::Gap(_)
        | Line::Coverage(_)
        | Line::Seen(_)
        | Line::Outcome(_)
        | Line::End(_) => {}
        Line::Exchange(_) | Line::Verdict(_) | Line::Ran(_) => digest.hold(line.clone()),
    }
}

/// Whether it missed, or there is something to say of it.
fn is_remarkable(exchange: &Exchange) -> bool {
    let is_miss = matches!(exchange.origin, Origin::Miss { .. });
    is_miss || !exchange.findings.is_empty() || !exchange.taken.is_empty()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_and_nothing_else() {
        assert_eq!(time("30m"), Ok(Duration::from_secs(1800)));
        assert!(["30", "0s", "1d", "", "m"].iter().all(|text| time(text).is_err()));
    }
}

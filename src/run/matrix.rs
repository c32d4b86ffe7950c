//! A command under many scenarios and seeds: one run after the other, or several at a time.

use std::collections::BTreeMap;
use std::future::Future;
use std::pin::pin;
use std::time::{Duration, Instant};

use tokio::sync::watch;
use tokio::task::JoinSet;

use super::combine::of_command;
use super::command::Ended;
use super::isolated::NotRun;
use super::seen::has_fired;
use super::whole::{Plan, Ran, run};
use crate::ledger::{Came, EndLine, Exchange, Exit, Line, Origin, RanLine, RunStanding, SeenLine, Standing};
use crate::profile::hits;
use crate::replay::MAIN;
use crate::scenario::{CommandMust, Scenario};
use crate::seed::Seed;

/// How many failed runs are run again to see whether they are flaky: after that many there is little doubt.
const AGAIN_MOST: usize = 10;

/// One run of a matrix.
#[derive(Clone)]
pub struct Cell {
    /// The scenario's name; empty if there is none.
    pub scenario: String,
    /// The seed.
    pub seed: Seed,
    /// Whether it may be skipped where the command comes near nothing that its scenario is about: nobody named it.
    pub may_be_skipped: bool,
    /// Which part of the matrix it belongs to, of how many, if it was cut into parts.
    pub part: Option<(usize, usize)>,
    /// How many runs the whole matrix has, if it was cut.
    pub whole: Option<usize>,
    /// The run.
    pub plan: Plan,
}

/// What is run, and how.
pub struct Matrix {
    /// Its runs, in order.
    pub cells: Vec<Cell>,
    /// How many at a time, at least one.
    pub jobs: usize,
    /// Whether no run begins after one has failed.
    pub fails_fast: bool,
    /// After which time no run begins.
    pub budget: Option<Duration>,
    /// How often a failed run is run again under the same seed.
    pub again: u32,
}

/// A run of a matrix that is over.
#[derive(Clone, Debug)]
pub struct Done {
    /// How it ended.
    pub ran: RanLine,
    /// Its lines, without verdicts that say nothing and without its closing account.
    pub lines: Vec<Line>,
    /// Its account.
    pub end: EndLine,
    /// What the command wrote.
    pub output: String,
    /// What it was seen to do; nothing where that was under a scenario that is skipped.
    pub seen: SeenLine,
}

/// Runs all cells; `done` is told of each in the order of the cells. Returns whether `stop` ended it early: what had not begun by
/// then is told as not run.
///
/// # Errors
/// If no listener can be had.
pub async fn matrix(matrix: Matrix, stop: impl Future, mut done: impl FnMut(Done)) -> Result<bool, NotRun> {
    let Matrix { cells, jobs, fails_fast, budget, again } = matrix;
    let began = Instant::now();
    let mut stop = pin!(stop);
    let (stopping, stopped) = watch::channel(false);
    let mut row = cells.into_iter().enumerate();
    let (mut busy, mut waiting) = (JoinSet::new(), BTreeMap::new());
    let (mut next, mut failed, mut is_stopped) = (0_usize, 0_usize, false);
    loop {
        while busy.len() < jobs.max(1)
            && let Some((index, cell)) = row.next()
        {
            let why = if is_stopped {
                Some("the command was interrupted")
            } else if fails_fast && failed > 0 {
                Some("an earlier one had failed")
            } else {
                budget.filter(|budget| began.elapsed() >= *budget).map(|_| "the time for all was up")
            };
            match why {
                Some(why) => {
                    waiting.insert(index, not_run(&cell, why));
                }
                None => {
                    let again = if failed < AGAIN_MOST && !fails_fast { again } else { 0 };
                    let stopped = stopped.clone();
                    busy.spawn(async move { (index, ran(cell, again, stopped).await) });
                }
            }
        }
        while let Some(one) = waiting.remove(&next) {
            next += 1;
            done(one);
        }
        let ended = tokio::select! {
            biased;
            _ = &mut stop, if !is_stopped => {
                is_stopped = true;
                let _ = stopping.send(true);
                continue;
            }
            ended = busy.join_next() => ended,
        };
        match ended {
            None => return Ok(is_stopped),
            Some(Ok((index, one))) => {
                let one = one?;
                failed += usize::from(one.ran.standing == RunStanding::Failed);
                waiting.insert(index, one);
            }
            // A defect of ours goes on as what it is.
            Some(Err(panicked)) => std::panic::resume_unwind(panicked.into_panic()),
        }
    }
}

/// Runs a cell, and again if it fails.
async fn ran(cell: Cell, again: u32, stopped: watch::Receiver<bool>) -> Result<Done, NotRun> {
    let once = async || {
        let mut stopped = stopped.clone();
        let stop = async move {
            let _ = stopped.wait_for(|is_stopped| *is_stopped).await;
        };
        run(cell.plan.clone(), stop).await
    };
    let first = once().await?;
    let mut done = looked_at(&cell, first);
    if done.ran.standing != RunStanding::Failed {
        return Ok(done);
    }
    let (mut times, mut passed) = (0, 0);
    for _ in 0..again {
        let Ran { end, .. } = once().await?;
        if *stopped.borrow() {
            break;
        }
        times += 1;
        passed += u32::from(end.exit == Exit::Passed);
    }
    if times > 0 {
        done.ran.again = Some((times, passed));
    }
    if passed > 0 {
        done.ran.standing = RunStanding::Flaky;
        done.ran.because =
            format!("passed {passed} of {times} times when it was run again; {}", done.ran.because);
    }
    Ok(done)
}

/// What a run came to.
fn looked_at(cell: &Cell, ran: Ran) -> Done {
    let Ran { lines, end, ended, output, seen, marks } = ran;
    let scenario = cell.plan.setup.scenario.as_deref();
    // A crash is one, whatever it was about, and so is a broken law.
    let is_sound = ended.lived() && !lines.iter().any(is_broken_law);
    let is_skipped = cell.may_be_skipped
        && is_sound
        && scenario.is_some_and(|it| is_beside(it, &ended, cell.plan.must, &lines, &end));
    let standing = match end.exit {
        // What was cut short is run again by who goes on.
        _ if ended == Ended::Interrupted => RunStanding::NotRun,
        _ if is_skipped => RunStanding::Skipped,
        Exit::Passed if marks.iter().any(|mark| mark.came == Came::Failed) => RunStanding::Known,
        Exit::Passed => RunStanding::Passed,
        Exit::Inconclusive => RunStanding::Inconclusive,
        Exit::Failed | Exit::BadInput | Exit::Defect => RunStanding::Failed,
    };
    let because = match standing {
        RunStanding::Skipped => "the command asks for nothing that this scenario is about".to_owned(),
        _ => end.because.clone(),
    };
    let silent = scenario.map(|scenario| silent(scenario, &lines)).unwrap_or_default();
    let known = match standing {
        RunStanding::NotRun | RunStanding::Skipped => Vec::new(),
        _ => marks,
    };
    let ran = RanLine { silent, known, ..line(cell, standing, because) };
    let session = ran.session.clone();
    let is_news = |line: &Line| match line {
        Line::Verdict(verdict) => verdict.required || verdict.verdict == Standing::Violated,
        _ => true,
    };
    let lines = if is_skipped { Vec::new() } else { lines };
    let lines = lines.into_iter().filter(is_news).map(|line| line.of_run(&session, MAIN)).collect();
    let seen = if is_skipped { SeenLine::default() } else { seen };
    Done { ran, lines, end, output: output.unwrap_or_default(), seen }
}

fn is_broken_law(line: &Line) -> bool {
    matches!(line, Line::Verdict(verdict) if verdict.required && verdict.verdict == Standing::Violated)
}

fn not_run(cell: &Cell, why: &str) -> Done {
    let ran = line(cell, RunStanding::NotRun, why.to_owned());
    Done { ran, lines: Vec::new(), end: EndLine::default(), output: String::new(), seen: SeenLine::default() }
}

fn line(cell: &Cell, standing: RunStanding, because: String) -> RanLine {
    RanLine {
        session: RanLine::session(&cell.scenario, cell.seed.0),
        scenario: cell.scenario.clone(),
        seed: cell.seed.0,
        standing,
        because,
        again: None,
        silent: Vec::new(),
        repeat: cell.plan.repeat.clone(),
        part: cell.part,
        whole: cell.whole,
        known: Vec::new(),
    }
}

fn exchanges(lines: &[Line]) -> impl Iterator<Item = &Exchange> {
    lines.iter().filter_map(|line| match line {
        Line::Exchange(exchange) => Some(&**exchange),
        _ => None,
    })
}

/// Whether the command came near nothing that a scenario is about: no request that one of its faults waits for, or, if it has
/// none, none that its recording answers; and nothing else went wrong for it than that it was answered by no recording.
fn is_beside(
    scenario: &Scenario,
    ended: &Ended,
    must: Option<CommandMust>,
    lines: &[Line],
    end: &EndLine,
) -> bool {
    let is_miss = |exchange: &Exchange| matches!(exchange.origin, Origin::Miss { .. });
    let is_meant = |exchange: &Exchange| {
        let path = exchange.target.split('?').next().unwrap_or_default();
        let asked = format!("{} {path}", exchange.method);
        let place = &exchange.key.endpoint;
        scenario.faults.iter().any(|planned| {
            let aim = planned.when.endpoint.as_deref();
            aim.is_none_or(|aim| hits(aim, place, &asked))
        })
    };
    let is_near = |exchange: &Exchange| match scenario.faults.is_empty() {
        true => !is_miss(exchange),
        false => is_meant(exchange),
    };
    // What must be seen is seen where the command comes near, and its absence says nothing here.
    let (of_command, _) = of_command(must.unwrap_or(scenario.must.command), ended, true);
    let has_failed_by_itself = of_command == Exit::Failed && !exchanges(lines).any(is_miss);
    end.sum.greeted == 0 && !has_failed_by_itself && !exchanges(lines).any(is_near)
}

/// Planned faults with a chance that did not fire.
fn silent(scenario: &Scenario, lines: &[Line]) -> Vec<String> {
    let by_chance = scenario.faults.iter().filter(|it| it.must_fire_somewhere() && !it.must_fire());
    by_chance
        .filter(|planned| !has_fired(&planned.title(), lines))
        .map(|planned| scenario.title_of(planned))
        .collect()
}

//! `faultdeck run --chaos`: trouble that is drawn over what the command was seen to ask for.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

use super::faults::Faults;
use super::guard::Programs;
use super::matrix::{self, CELLS_MAX, Kept};
use super::output;
use super::outputs::{Outputs, Shown};
use super::problem::Problem;
use super::run::{self, Args, CommandMay, Door};
use super::seeds::Seeds;
use super::setup::a_line_each;
use super::shard::Shard;
use super::signals::Signals;
use super::smallest::{Failure, Hunt};
use crate::ledger::{Exit, Reasons, RunStanding};
use crate::profile::Profile;
use crate::redact::Redactor;
use crate::replay::Setup;
use crate::report::visible;
use crate::run::{Cell, Done, Plan, Ran, Seen, Variable, chaos_plan};
use crate::scenario::{CommandMust, Scenario};
use crate::seed::Seed;

/// What the runs are called in tables.
const NAME: &str = "chaos";
/// How many seeds there are if `--seeds` does not say.
const SEEDS: u64 = 50;
/// The shortest time that a command has where nobody says how long it may take, in seconds: most clients wait less for an answer.
const LIMIT_S: u64 = 60;
/// And so many times as long as it took where nothing went wrong.
const LIMIT_TIMES: u64 = 10;
/// How many ways of failing are made small.
const FAILURES_MOST: usize = 3;
/// How many lines are shown of what the command wrote where it fails without any trouble.
const LINES_SHOWN: usize = 20;

/// `--chaos` and what belongs to it.
#[derive(Clone, Debug, clap::Args)]
pub(super) struct ChaosArgs {
    /// Draws what goes wrong: one quiet run shows what the command asks for, then each seed (of --seeds, 50 unless given) has a plan
    /// of one to four faults over that. The command may do what it likes (--command says otherwise), but it must end, must not crash and
    /// must break no law that the wire shows. A plan that fails is made as small as it still does.
    #[arg(long, conflicts_with_all = ["scenario", "lines", "seed", "stands_for"])]
    chaos: bool,
    /// Writes the smallest plan that fails to this file, as a scenario.
    #[arg(long, value_name = "FILE", requires = "chaos")]
    save: Option<PathBuf>,
}

impl ChaosArgs {
    /// Whether it is asked for.
    pub(super) fn is_asked_for(&self) -> bool {
        self.chaos
    }
}

/// The faults of each seed.
type Plans = BTreeMap<u64, Vec<String>>;

/// What every run of the command has.
pub(super) struct Chaos {
    pub(super) args: Args,
    setup: Setup,
    door: Door,
    variables: Vec<Variable>,
    must: Option<CommandMust>,
    pub(super) redactor: Redactor,
}

impl Chaos {
    fn new(args: Args, redactor: &Redactor) -> Result<Self, Problem> {
        let mut setup = args.story.setup("run", None, args.cassette.as_deref())?;
        setup.redactor = redactor.clone();
        let must = run::asked(&args.must, None, None)?;
        let (door, variables) = (run::door(&args)?, run::variables(&args)?);
        Ok(Self { setup, door, variables, must, redactor: redactor.clone(), args })
    }

    /// What the command must do.
    pub(super) fn must(&self) -> CommandMust {
        self.must.unwrap_or(CommandMust::Any)
    }

    /// The run of these faults under this seed.
    ///
    /// # Errors
    /// If they are no faults.
    pub(super) fn plan(&self, seed: Seed, lines: &[String]) -> Result<Plan, Problem> {
        let mut setup = self.setup.clone();
        setup.seed = seed;
        setup.scenario = Some(Arc::new(Scenario::of_faults(lines, Profile::builtin())?));
        let repeat = self.repeat(seed, lines);
        let plan = self.of(setup, Some(self.must()), repeat);
        Ok(Plan { is_drawn: true, ..plan })
    }

    fn of(&self, setup: Setup, must: Option<CommandMust>, repeat: String) -> Plan {
        let plan = run::plan(&self.args, self.variables.clone(), setup, self.door.clone(), must, repeat);
        Plan { watches: self.args.trace.then(a_line_each).into_iter().collect(), ..plan }
    }

    /// The command line that does such a run again.
    pub(super) fn repeat(&self, seed: Seed, lines: &[String]) -> String {
        let faults = Faults::of(lines.to_vec());
        let (args, must) = (&self.args, &self.args.must);
        run::repeat(args, must, None, &faults, seed, &self.variables, &self.redactor).line()
    }

    /// A run in which nothing goes wrong.
    async fn quiet(&self, signals: &mut Signals) -> Result<Ran, Problem> {
        let must = self.must.unwrap_or(CommandMust::Passes);
        let repeat = self.repeat(self.setup.seed, &[]);
        Ok(crate::run::run(self.of(self.setup.clone(), Some(must), repeat), signals.first()).await?)
    }

    /// The runs, each with its faults.
    fn cells(&self, seen: &Seen) -> Result<(Vec<Cell>, Plans), Problem> {
        let matrix = &self.args.matrix;
        let seeds = matrix.seeds.unwrap_or_else(|| Seeds::first(SEEDS));
        let whole = matrix.shard.map(|_| seeds.each().count());
        let (mut cells, mut plans) = (Vec::new(), Plans::new());
        for (index, seed) in seeds.each().enumerate() {
            if index == CELLS_MAX {
                return Err(
                    Problem::input(format!("these are more than {CELLS_MAX} runs")).help("take fewer seeds")
                );
            }
            if matrix.shard.is_some_and(|shard| !shard.has(index)) {
                continue;
            }
            let lines = chaos_plan(seed, seen, self.door.has_handshakes());
            let (plan, part) = (self.plan(seed, &lines)?, matrix.shard.map(Shard::part));
            cells.push(Cell { scenario: NAME.to_owned(), seed, may_be_skipped: false, part, whole, plan });
            plans.insert(seed.0, lines);
        }
        Ok((cells, plans))
    }
}

pub(super) async fn run(args: Args) -> Result<Exit, Problem> {
    let (began, save) = (Instant::now(), args.chaos.save.clone());
    if let Some(file) = save.as_ref().filter(|file| file.exists()) {
        let error = std::io::Error::from(std::io::ErrorKind::AlreadyExists);
        return Err(
            Problem::file("write", file, error).help("take another file for --save, or remove this one")
        );
    }
    let mut signals = Signals::listen()?;
    let redactor = Redactor::new();
    let kept = Kept::of(&args)?;
    let mut outputs = Outputs::new(Shown::AsNote, args.ledger.clone(), args.report.clone())?;
    let mut chaos = Chaos::new(args, &redactor)?;
    let _programs = Programs::begin();
    output::note(&format!(
        "a quiet run first, in which nothing goes wrong: {}",
        run::shown(&chaos.args, &redactor)
    ));
    let ran = chaos.quiet(&mut signals).await?;
    if ran.end.exit != Exit::Passed {
        return unquiet(ran, outputs, &redactor);
    }
    let seen = Seen::of(&ran.lines);
    let took = began.elapsed().as_secs().saturating_add(1);
    chaos.args.timeout.get_or_insert(LIMIT_S.max(took.saturating_mul(LIMIT_TIMES)));
    if chaos.must.is_none() {
        chaos.args.must.push(CommandMay::any());
    }
    output::note(&visible(&format!("it passed, and asked for {}", seen.names().join(", "))));
    let (cells, plans) = chaos.cells(&seen)?;
    outputs.flow(&redactor)?;
    let mut failures: Vec<Failure> = Vec::new();
    let tell = |done: &Done| {
        let lines = plans.get(&done.ran.seed).map(Vec::as_slice).unwrap_or_default();
        output::note(&redactor.text(&visible(&in_a_line(done, lines))));
        if let Some(failure) = Failure::of(done, lines)
            && failures.len() < FAILURES_MOST
            && failures.iter().all(|known| known.how != failure.how)
        {
            failures.push(failure);
        }
    };
    let left = matrix::all(&chaos.args, cells, &kept, &redactor, signals.first(), &outputs, tell).await?;
    let mut small = Vec::new();
    let is_late = || chaos.args.matrix.budget.is_some_and(|budget| began.elapsed() >= budget);
    for failure in failures {
        let mut hunt = Hunt::new(&chaos, signals.clone());
        small.push(hunt.shrink(failure, is_late).await?);
    }
    let mut reasons = Reasons::default();
    if left.fired() == 0 && !plans.is_empty() {
        reasons.push(Exit::Inconclusive, "no fault fired in any run: the command was put to no test");
    }
    let exit = left.finish(&chaos.args, outputs, reasons)?;
    // The one that was found first is told last: its command line is what stays in sight.
    if let (Some(file), Some(first)) = (&save, small.first()) {
        let text = first.scenario(&chaos)?;
        std::fs::write(file, text).map_err(|error| Problem::file("write", file, error))?;
    }
    for (place, one) in small.iter().enumerate().rev() {
        one.tell(&chaos);
        if let Some(file) = save.as_ref().filter(|_| place == 0) {
            output::note(&visible(&format!("saved {}", file.display())));
        }
        output::note(&format!("repeat it: {}", redactor.text(&one.repeat(&chaos))));
    }
    Ok(exit)
}

/// Says that the command does not even pass where nothing goes wrong.
fn unquiet(ran: Ran, outputs: Outputs, redactor: &Redactor) -> Result<Exit, Problem> {
    let Ran { lines, end, output, .. } = ran;
    let exit = outputs.finish(lines, end, redactor)?;
    let written = output.unwrap_or_default();
    let written: Vec<&str> = written.trim_end().lines().collect();
    if !written.is_empty() {
        output::note("the command wrote last:");
        let from = written.len().saturating_sub(LINES_SHOWN);
        written
            .iter()
            .skip(from)
            .for_each(|line| output::note(&format!("  {}", visible(&redactor.text(line)))));
    }
    output::note(
        "that was the quiet run, in which nothing goes wrong: it has to pass before trouble says anything, and none \
         was drawn; `--command any` lets it end as it likes",
    );
    Ok(exit)
}

/// A run in a line: what it met, and what it came to.
fn in_a_line(done: &Done, lines: &[String]) -> String {
    let faults: Vec<String> = lines.iter().map(|line| without_optional(line)).collect();
    let because = match done.ran.standing {
        RunStanding::Passed => String::new(),
        _ => format!(": {}", done.ran.because),
    };
    format!("{} {}: {}{because}", done.ran.session, done.ran.standing.word(), faults.join(", "))
}

/// A fault that has to fire.
pub(super) fn without_optional(line: &str) -> String {
    let bare = line.strip_suffix("?optional").or_else(|| line.strip_suffix("&optional"));
    bare.unwrap_or(line).to_owned()
}

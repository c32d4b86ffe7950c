//! What `run --chaos` makes of a plan that fails: the smallest that still does, how often it does, and how to do it again.

use super::chaos::{Chaos, without_optional};
use super::output;
use super::problem::Problem;
use super::signals::Signals;
use crate::ledger::{EndLine, RunStanding};
use crate::profile::Profile;
use crate::report::visible;
use crate::run::{Budget, Done, Ended, Tries, run, smallest};
use crate::scenario::{Named, Scenario, Source};
use crate::seed::Seed;

/// How many runs shrinking one plan may take.
const TRIES: u32 = 60;
/// How often the smallest plan is run to see how often it fails.
const LOOKS: u32 = 3;

/// A run that failed.
#[derive(Clone, Debug)]
pub(super) struct Failure {
    session: String,
    seed: Seed,
    lines: Vec<String>,
    /// In which way: the property, or what became of the command.
    pub(super) how: String,
    why: String,
}

impl Failure {
    /// The failure that a run was, if it was one.
    pub(super) fn of(done: &Done, lines: &[String]) -> Option<Self> {
        if done.ran.standing != RunStanding::Failed {
            return None;
        }
        let (how, why) = ways(&done.end).into_iter().next()?;
        let session = done.ran.session.clone();
        Some(Self { session, seed: Seed(done.ran.seed), lines: lines.to_vec(), how, why })
    }
}

/// In which ways a run failed, and why; laws first, for what becomes of the command may follow from it.
fn ways(end: &EndLine) -> Vec<(String, String)> {
    let laws = end.failures().filter_map(|reason| Some((reason.property.clone()?, reason.why.clone())));
    let others = end.failures().filter(|reason| reason.property.is_none());
    laws.chain(others.map(|reason| (reason.why.clone(), reason.why.clone()))).collect()
}

/// The runs by which a failing plan becomes small.
pub(super) struct Hunt<'c> {
    chaos: &'c Chaos,
    signals: Signals,
}

impl<'c> Hunt<'c> {
    pub(super) fn new(chaos: &'c Chaos, signals: Signals) -> Self {
        Self { chaos, signals }
    }

    /// Makes the plan of a failure small, as long as it is not too late.
    ///
    /// # Errors
    /// If no listener can be had.
    pub(super) async fn shrink(
        &mut self,
        failure: Failure,
        is_late: impl Fn() -> bool + Sync,
    ) -> Result<Small, Problem> {
        let bare = |lines: &[String]| lines.iter().map(|line| without_optional(line)).collect::<Vec<_>>();
        let mut small = Small { lines: bare(&failure.lines), runs: 0, fails: None, note: None, failure };
        if is_late() {
            small.note = Some("not made smaller: the time for all was up");
            return Ok(small);
        }
        output::note(&visible(&format!("{}: looking for the fewest faults", small.failure.session)));
        if self.fails(&small.failure, &[]).await? == Some(true) {
            (small.lines, small.runs) = (Vec::new(), 1);
            small.note = Some("it fails without any trouble at times: this is none of the faults' doing");
            return Ok(small);
        }
        let mut budget = Budget { tries: TRIES };
        let lines = small.failure.lines.clone();
        let mut trying = Trying { failure: &small.failure, hunt: self, is_late: &is_late, problem: None };
        let (lines, is_all) = smallest(lines, &mut budget, &mut trying).await;
        if let Some(problem) = trying.problem {
            return Err(problem);
        }
        (small.lines, small.runs) = (bare(&lines), TRIES.saturating_sub(budget.tries).saturating_add(1));
        small.note = (!is_all).then_some("there was no time to look further: a smaller plan may fail, too");
        let mut fails = 0;
        for _ in 0..LOOKS {
            match self.fails(&small.failure, &small.lines).await? {
                Some(true) => fails += 1,
                Some(false) => {}
                None => return Ok(small),
            }
        }
        small.fails = Some(fails);
        Ok(small)
    }

    /// Whether these faults make the command fail in the same way; nothing if it was interrupted.
    async fn fails(&mut self, failure: &Failure, lines: &[String]) -> Result<Option<bool>, Problem> {
        let plan = self.chaos.plan(failure.seed, lines)?;
        let ran = run(plan, self.signals.first()).await?;
        if ran.ended == Ended::Interrupted {
            return Ok(None);
        }
        Ok(Some(ways(&ran.end).iter().any(|(how, _)| *how == failure.how)))
    }
}

/// The tries of one plan.
struct Trying<'t, 'c, L> {
    failure: &'t Failure,
    hunt: &'t mut Hunt<'c>,
    is_late: &'t L,
    /// Why there are no more of them.
    problem: Option<Problem>,
}

impl<L: Fn() -> bool + Sync> Tries for Trying<'_, '_, L> {
    async fn fails(&mut self, lines: &[String]) -> Option<bool> {
        if (self.is_late)() {
            return None;
        }
        match self.hunt.fails(self.failure, lines).await {
            Ok(fails) => fails,
            Err(problem) => {
                self.problem = Some(problem);
                None
            }
        }
    }
}

/// The smallest plan that was found.
pub(super) struct Small {
    failure: Failure,
    lines: Vec<String>,
    /// How many runs it took to find it.
    runs: u32,
    /// How often it failed of [`LOOKS`] times, if that was looked at.
    fails: Option<u32>,
    note: Option<&'static str>,
}

impl Small {
    /// Says what it is.
    pub(super) fn tell(&self, chaos: &Chaos) {
        let Failure { session, lines, why, .. } = &self.failure;
        let (few, all) = (self.lines.len(), lines.len());
        let count = match (few, all) {
            (_, 1) if few == all => "with its one fault".to_owned(),
            (few, all) if few == all => format!("with all of its {all} faults"),
            (few, all) => format!("with {few} of its {all} faults"),
        };
        let rate = match self.fails {
            Some(LOOKS) => format!(", {LOOKS} of {LOOKS} times"),
            Some(fails) => format!(", {fails} of {LOOKS} times: it is flaky"),
            None => String::new(),
        };
        let runs = if self.runs == 1 { "1 run".to_owned() } else { format!("{} runs", self.runs) };
        let text = format!("{session} fails {count}{rate} (after {runs} to make it small): {why}");
        output::note("");
        output::note(&visible(&chaos.redactor.text(&text)));
        self.lines.iter().for_each(|line| output::note(&visible(&format!("  {line}"))));
        self.note.iter().for_each(|note| output::note(note));
    }

    /// The command line that does it again.
    pub(super) fn repeat(&self, chaos: &Chaos) -> String {
        chaos.repeat(self.failure.seed, &self.lines)
    }

    /// The same as a file.
    ///
    /// # Errors
    /// If its faults are none.
    pub(super) fn scenario(&self, chaos: &Chaos) -> Result<String, Problem> {
        let mut scenario = Scenario::of_faults(&self.lines, Profile::builtin())?;
        let why = chaos.redactor.text(&self.failure.why);
        scenario.summary =
            format!("Trouble that was drawn (seed {}) and made small: {why}.", self.failure.seed);
        scenario.source = Source::Cassette(chaos.args.cassette.clone());
        scenario.must.command = chaos.must();
        // A law that is broken is to hold; what else failed needs no word.
        let is_law = crate::judge::property(&self.failure.how).is_some();
        scenario.must.hold.extend(is_law.then(|| Named { name: self.failure.how.clone(), at: 0..0 }));
        let limit = chaos.args.timeout.map_or_else(String::new, |timeout| format!(" --timeout {timeout}"));
        let how = format!(
            "# Run it with --seed {}{limit}: what is drawn is drawn again then.\n",
            self.failure.seed
        );
        Ok(how + &scenario.to_toml())
    }
}

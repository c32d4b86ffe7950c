//! What went wrong, one by one: the rows of every format that lists findings.

use sha2::{Digest, Sha256};

use super::account::{Account, word};
use super::{human, visible};
use crate::ledger::{
    Came, Exit, Reason, Reasons, RunStanding, Standing, VerdictLine, by_scenario, weigh_runs,
};

/// How many characters of a reason are told where a line has to be short.
const WHY_MAX: usize = 600;

/// How much a failure matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Level {
    /// What was asked for does not hold.
    Failed,
    /// What was asked for has no answer.
    Open,
    /// Nobody asked for it.
    Note,
    /// It is known, and counts against nobody.
    Known,
}

/// Something that went wrong, in one run or several.
#[derive(Clone, Debug)]
pub(super) struct Failure<'a> {
    /// The property's id, or [`OF_THE_RUN`].
    pub(super) id: &'a str,
    pub(super) level: Level,
    /// Why, made visible.
    pub(super) why: String,
    pub(super) scenario: &'a str,
    pub(super) client: &'a str,
    /// The verdict, if it is one; of several that are alike, the first.
    pub(super) verdict: Option<&'a VerdictLine>,
    /// The command that shows it again.
    pub(super) repeat: Option<&'a str>,
    /// How many are alike.
    pub(super) times: usize,
}

/// What is no verdict: the command failed, nothing was tested.
pub(super) const OF_THE_RUN: &str = "exit-code";

/// All of them: what failed first, each group in the order of the ledger. Verdicts of one law on one client under one scenario are
/// one failure, whatever their seeds.
pub(super) fn failures<'a>(account: &Account<'a>) -> Vec<Failure<'a>> {
    let mut all: Vec<Failure<'a>> = with_known(account);
    all.retain(|failure| failure.level != Level::Known);
    all
}

/// The same with those that are known, at the end.
pub(super) fn with_known<'a>(account: &Account<'a>) -> Vec<Failure<'a>> {
    let mut all: Vec<Failure<'a>> = Vec::new();
    for verdict in &account.verdicts {
        let Some(level) = level(verdict) else { continue };
        let is_like = |known: &&mut Failure<'a>| {
            (known.id, known.level, known.scenario, known.client)
                == (verdict.property.as_str(), level, verdict.scenario.as_str(), verdict.client.as_str())
        };
        match all.iter_mut().find(is_like) {
            Some(known) => known.times += 1,
            None => all.push(Failure {
                id: &verdict.property,
                level,
                why: short(&why(verdict)),
                scenario: &verdict.scenario,
                client: &verdict.client,
                verdict: Some(verdict),
                repeat: verdict.repeat.as_deref(),
                times: 1,
            }),
        }
    }
    all.extend(of_the_run(account));
    all.sort_by_key(|failure| failure.level);
    all
}

fn why(verdict: &VerdictLine) -> String {
    match verdict.let_pass() {
        Some(mark) => format!("known {}: {}", mark.entry.in_words(), verdict.because),
        None => format!("{}: {}", word(verdict.verdict), verdict.because),
    }
}

fn level(verdict: &VerdictLine) -> Option<Level> {
    match (verdict.verdict, verdict.required) {
        (Standing::Violated, true) if verdict.let_pass().is_some() => Some(Level::Known),
        (Standing::Violated, true) => Some(Level::Failed),
        (Standing::NotReached | Standing::Inconclusive, true) => Some(Level::Open),
        (Standing::Violated, false) => Some(Level::Note),
        (Standing::Held | Standing::NotApplicable, _)
        | (Standing::NotReached | Standing::Inconclusive, false) => None,
    }
}

/// Why the run as a whole came to its exit code, as far as no verdict tells the same.
fn of_the_run<'a>(account: &Account<'a>) -> Vec<Failure<'a>> {
    let scenarios = account.distinct(|run| run.scenario.as_deref().filter(|name| !name.is_empty()));
    let scenario = if let [one] = scenarios.as_slice() { one } else { "" };
    let failure = |exit: Exit, why: &str| Failure {
        id: OF_THE_RUN,
        level: if exit == Exit::Inconclusive { Level::Open } else { Level::Failed },
        why: short(why),
        scenario,
        client: "",
        verdict: None,
        repeat: None,
        times: 1,
    };
    let Some(end) = account.end else {
        return vec![failure(Exit::Inconclusive, "the ledger has no closing line: the run was cut short")];
    };
    // An older ledger says it in one sentence.
    if end.reasons.is_empty() && end.exit > Exit::Passed {
        return vec![failure(end.exit, &end.because)];
    }
    // What the runs of a matrix come to is told run by run.
    let mut of_runs = Reasons::default();
    if !account.ran.is_empty() {
        weigh_runs(&account.ran, &mut of_runs);
    }
    let of_runs = of_runs.into_all();
    let groups = by_scenario(&account.ran);
    let names = || groups.iter().map(|(name, _)| if name.is_empty() { "without a scenario" } else { name });
    let is_told = |reason: &Reason| {
        let of_a_scenario = || {
            of_runs.contains(reason)
                && names()
                    .any(|name| reason.why.strip_prefix(name).is_some_and(|rest| rest.starts_with(": ")))
        };
        of_runs.first() == Some(reason) || of_a_scenario()
    };
    let own = (end.reasons.iter())
        .filter(|reason| reason.property.is_none() && reason.exit > Exit::Passed && !is_told(reason))
        .map(|reason| failure(reason.exit, &reason.why));
    let is_known = |reason: &&Reason| {
        reason.property.is_none() && reason.known.as_ref().is_some_and(|mark| mark.came == Came::Failed)
    };
    let known = end.reasons.iter().filter(is_known);
    let known = known.map(|reason| Failure { level: Level::Known, ..failure(reason.exit, &reason.why) });
    own.chain(of_a_matrix(account)).chain(known).collect()
}

/// The runs of a matrix that did not pass: one failure a scenario and standing, with the command that repeats the first.
fn of_a_matrix<'a>(account: &Account<'a>) -> Vec<Failure<'a>> {
    let mut all = Vec::new();
    let is_told = |standing: &RunStanding| standing.exit() > Exit::Passed || *standing == RunStanding::Known;
    for (scenario, group) in by_scenario(&account.ran) {
        for standing in RunStanding::ALL.into_iter().rev().filter(is_told) {
            let mut these = group.iter().filter(|run| run.standing == standing).peekable();
            let Some(first) = these.peek().map(|run| **run) else { continue };
            let seeds: Vec<u64> = these.map(|run| run.seed).collect();
            all.push(Failure {
                id: OF_THE_RUN,
                level: match standing.exit() {
                    Exit::Failed => Level::Failed,
                    Exit::Passed => Level::Known,
                    _ => Level::Open,
                },
                why: short(&format!("{} ({}): {}", standing.word(), human::seeds(&seeds), first.because)),
                scenario,
                client: "",
                verdict: None,
                repeat: Some(first.repeat.as_str()).filter(|repeat| !repeat.is_empty()),
                times: seeds.len(),
            });
        }
    }
    all
}

impl Failure<'_> {
    /// Where it is shown: the file that it was saved to, which repeats it; else its scenario's name.
    pub(super) fn place(&self) -> &str {
        let found = self.verdict.and_then(|verdict| verdict.found.as_deref());
        match (found, self.scenario) {
            (Some(found), _) => found,
            (None, "") => "faultdeck",
            (None, scenario) => scenario,
        }
    }

    /// Where it is, in words: `terminates (slow-host, mine), 3 times`.
    pub(super) fn title(&self) -> String {
        let parts: Vec<_> =
            [self.scenario, self.client].into_iter().filter(|part| !part.is_empty()).map(visible).collect();
        let place = if parts.is_empty() { String::new() } else { format!(" ({})", parts.join(", ")) };
        let times = if self.times > 1 { format!(", {} times", self.times) } else { String::new() };
        format!("{}{place}{times}", visible(self.id))
    }

    /// What stays the same from run to run as long as it goes wrong: 64 hex digits.
    pub(super) fn fingerprint(&self) -> String {
        // Of a matrix the standing tells them apart; seeds and numbers may change.
        let reason = match (self.verdict, self.repeat) {
            (Some(_), _) => "",
            (None, Some(_)) => self.why.split(" (").next().unwrap_or_default(),
            (None, None) => self.why.as_str(),
        };
        let text = [self.id, self.scenario, self.client, reason].join("\n");
        Sha256::digest(text.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

fn short(why: &str) -> String {
    let mut shown: String = visible(why).chars().take(WHY_MAX).collect();
    if why.chars().count() > WHY_MAX {
        shown.push_str(" ...");
    }
    shown
}

//! A command under one story after the other, judged from the wire alone.

use std::collections::BTreeSet;
use std::future::Future;
use std::pin::pin;

use super::command::Ended;
use super::isolated::NotRun;
use super::whole::{Plan, Served, served};
use crate::judge::{Needs, PROPERTIES};
use crate::ledger::{EndLine, Exit, Line, Reasons, Standing, VerdictLine, needs_client_file};

/// A story that a command is observed under.
pub struct Story {
    /// Its name, in reports.
    pub name: String,
    /// What is run.
    pub plan: Plan,
    /// Whether its faults have to fire: somebody chose it.
    pub is_chosen: bool,
}

/// What came of all stories.
#[derive(Clone, Debug)]
pub struct Observed {
    /// The ledger but for its last line.
    pub lines: Vec<Line>,
    /// Its last line: the account of all, closed.
    pub end: EndLine,
    /// What the command wrote where it asked for nothing, or did not live.
    pub output: Option<String>,
}

/// Runs the command under every story, until `stop`; `tell` is told of each that begins.
///
/// # Errors
/// If no listener can be had.
pub async fn observe(
    stories: Vec<Story>,
    stop: impl Future,
    tell: &(dyn Fn(&str) + Send + Sync),
) -> Result<Observed, NotRun> {
    let mut stop = pin!(stop);
    let mut all = All::default();
    for story in stories {
        tell(&story.name);
        let repeat = story.plan.repeat.clone();
        let served = served(story.plan, stop.as_mut()).await?;
        let is_over = served.ended == Ended::Interrupted;
        all.add(&story.name, story.is_chosen, served, &repeat);
        if is_over {
            break;
        }
    }
    Ok(all.observed())
}

/// The sum so far.
#[derive(Default)]
struct All {
    lines: Vec<Line>,
    verdicts: Vec<VerdictLine>,
    end: EndLine,
    reasons: Reasons,
    ends: Vec<String>,
    output: Option<String>,
}

impl All {
    fn add(&mut self, name: &str, is_chosen: bool, served: Served, repeat: &str) {
        let Served { lines, account, verdicts, ended, output, .. } = served;
        self.weigh(name, &ended);
        let is_idle = account.sum.served == 0 && account.sum.greeted == 0;
        if is_idle && ended != Ended::Interrupted && !matches!(ended, Ended::NotStarted(_)) {
            self.reasons.push(Exit::Inconclusive, format!("nothing was asked of the console ({name})"));
        }
        if (is_idle || !ended.lived()) && self.output.is_none() {
            self.output = output.filter(|output| !output.trim().is_empty());
        }
        self.lines.extend(lines);
        self.end.sum += account.sum;
        self.end.lost_lines += account.lost_lines;
        self.end.closed_sessions += account.closed_sessions;
        self.end.in_force.extend(account.in_force);
        if is_chosen && !is_idle {
            self.end.never_fired.extend(account.never_fired);
        }
        self.ends.push(format!("{ended} ({name})"));
        for verdict in verdicts.into_iter().filter(|verdict| verdict.verdict == Standing::Violated) {
            let why = format!("{} is violated: {}", verdict.property, verdict.because);
            self.reasons.push_verdict(Exit::Failed, &verdict.property, why);
            self.verdicts.push(VerdictLine {
                scenario: name.to_owned(),
                required: true,
                repeat: Some(repeat.to_owned()),
                rests_on: None,
                ..verdict
            });
        }
    }

    /// Of the command's end: what it did itself is its own choice, a crash is none, and one that took too long says nothing.
    fn weigh(&mut self, name: &str, ended: &Ended) {
        match ended {
            Ended::Interrupted | Ended::TimedOut(_) => {
                self.reasons.push(Exit::Inconclusive, format!("{ended} ({name})"));
            }
            _ if !ended.lived() => self.reasons.push(Exit::Failed, format!("{ended} ({name})")),
            _ => {}
        }
    }

    fn observed(mut self) -> Observed {
        let silent: Vec<VerdictLine> = PROPERTIES
            .iter()
            .filter(|property| !self.verdicts.iter().any(|verdict| verdict.property == property.id))
            .map(|property| {
                let why = match (property.in_a_suite.is_some(), property.report) {
                    (true, _) => "no request breaks it, which is all that the wire can show",
                    (false, Needs::Nothing) => {
                        "needs a client file: it needs to know what the client was told to do"
                    }
                    (false, Needs::Outcome | Needs::Resource) => {
                        "needs a client file: it needs the client's report"
                    }
                };
                silent(property.id, why)
            })
            .collect();
        self.verdicts.extend(silent);
        let sum = in_sum(&self.verdicts);
        self.lines.extend(self.verdicts.into_iter().map(Line::Verdict));
        if self.end.sum.served + self.end.sum.greeted > 0 {
            self.end.weigh("nothing was asked of the console", &mut self.reasons);
        }
        self.reasons.push(Exit::Passed, sum);
        let end = EndLine { command: Some(in_a_line(&self.ends)), ..self.end };
        Observed { lines: self.lines, end: end.closed(self.reasons), output: self.output }
    }
}

/// What was judged, and how to go on.
fn in_sum(verdicts: &[VerdictLine]) -> String {
    let laws = |count: usize| if count == 1 { "1 law".to_owned() } else { format!("{count} laws") };
    let hidden = verdicts.iter().filter(|verdict| needs_client_file(verdict)).count();
    let broken: BTreeSet<&str> = (verdicts.iter())
        .filter(|verdict| verdict.verdict == Standing::Violated)
        .map(|verdict| verdict.property.as_str())
        .collect();
    let shown = PROPERTIES.len().saturating_sub(hidden);
    let outcome = match broken.len() {
        0 => "none was broken".to_owned(),
        1 => "1 was broken".to_owned(),
        many => format!("{many} were broken"),
    };
    format!(
        "{} could be judged from the wire, {outcome}; a client file lets the other {hidden} be judged: write one as \
         docs/clients.md tells, then `faultdeck judge clients/mine.toml`",
        laws(shown)
    )
}

/// How the command ended under each story; where it was the same under all, once.
fn in_a_line(ends: &[String]) -> String {
    let alike = |end: &str| end.rsplit_once(" (").map_or(end, |(end, _)| end).to_owned();
    match ends.first().map(|first| alike(first)) {
        Some(first) if ends.iter().all(|end| alike(end) == first) => {
            format!("{first} ({} times)", ends.len())
        }
        _ => ends.join(", "),
    }
}

fn silent(property: &str, why: &str) -> VerdictLine {
    VerdictLine::without_a_case(property, "", Standing::NotReached, why)
}

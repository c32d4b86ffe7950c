//! One ledger of many: the parts of a matrix, or the runs of several machines.
//!
//! The order in which the parts are given does not change what comes out. Nothing is counted twice: a run is known again by
//! its lines, times included, whatever its session is called.

use std::collections::{BTreeSet, HashMap, HashSet};

use sha2::{Digest, Sha256};

use super::account::EndLine;
use super::exit::{Exit, Reason, Reasons};
use super::lines::{Line, RunLine};
use super::ran::{EMPTY_PART, RanLine, weigh_parts, weigh_runs};
use super::seen::SeenLine;
use super::{LedgerError, read};

/// What tells a run or a ledger from all others.
type Print = [u8; 32];
/// A ledger that was left out, and which other holds the same.
type Doubled = (String, String);

/// A ledger, read whole: it has its closing line.
#[derive(Clone, Debug)]
pub struct Part {
    name: String,
    lines: Vec<Line>,
}

/// What came of several ledgers.
#[derive(Clone, Debug)]
pub struct Merged {
    /// One ledger.
    pub lines: Vec<Line>,
    /// The parts that were left out because another holds the same: which, and which other.
    pub doubled: Vec<(String, String)>,
}

/// Why ledgers cannot be merged.
#[derive(Debug, thiserror::Error)]
pub enum MergeError {
    /// Two of them have a run in common, and others that they have not.
    #[error("`{one}` and `{other}` both hold {run}, and other runs as well: it would be counted twice")]
    Overlap {
        /// One of them.
        one: String,
        /// The other.
        other: String,
        /// The run, in words.
        run: String,
    },
}

impl Part {
    /// Reads a ledger that is called `name`. What was put together of several files, one behind the other, has several
    /// closing lines, and all of them count.
    ///
    /// # Errors
    /// As [`read`], and if the closing line is missing.
    pub fn read(name: &str, text: &str) -> Result<Self, LedgerError> {
        let lines = read(text)?;
        match lines.last() {
            Some(Line::End(_)) => Ok(Self { name: name.to_owned(), lines }),
            _ => Err(LedgerError::Cut { line: text.lines().count() }),
        }
    }

    /// The ledgers in it, each with its closing line.
    fn closed(self) -> Vec<Closed> {
        let mut closed = Vec::new();
        let mut lines = Vec::new();
        for line in self.lines {
            match line {
                Line::End(end) => {
                    closed.push(Closed::of(&self.name, std::mem::take(&mut lines), end));
                }
                line => lines.push(line),
            }
        }
        closed
    }
}

/// Puts `parts` together.
///
/// # Errors
/// If one run stands in two of them that are not the same.
pub fn merge(parts: Vec<Part>) -> Result<Merged, MergeError> {
    let mut all: Vec<Closed> = parts.into_iter().flat_map(Part::closed).collect();
    // A part without a run says nothing of the whole, unless there is no other.
    if !all.iter().all(Closed::is_empty_part) {
        all.retain(|part| !part.is_empty_part());
    }
    // What holds the most comes first, so that what it holds already is found; the rest of the order is for its own sake.
    all.sort_by(|a, b| b.prints.len().cmp(&a.prints.len()).then_with(|| a.order().cmp(&b.order())));
    let (mut kept, doubled) = once(all)?;
    kept.sort_by(|a, b| a.order().cmp(&b.order()));
    let is_one = kept.len() == 1;
    if !is_one {
        name_apart(&mut kept);
    }
    let (mut end, mut reasons, mut commands) = (EndLine::default(), Gathered::default(), Vec::new());
    let mut lines = Vec::new();
    // Runs of a matrix are weighed all together, wherever they were run.
    reasons.all = of_runs(kept.iter().flat_map(|part| &part.lines));
    reasons.all.extend(missing(kept.iter().flat_map(|part| &part.lines)));
    for mut part in kept {
        let label = if is_one { String::new() } else { part.label() };
        let own = of_runs(&part.lines);
        if !own.is_empty() {
            part.end.reasons.retain(|reason| !own.contains(reason));
            part.end.exit = part.end.reasons.iter().map(|reason| reason.exit).max().unwrap_or_default();
        }
        lines.extend(part.lines);
        reasons.add(&part.end, &label);
        add(&mut end, part.end, &mut commands);
    }
    end.command = (!commands.is_empty()).then(|| commands.join(", "));
    let mut lines = seen_together(lines);
    lines.push(Line::End(end.closed(Reasons::of(reasons.all))));
    Ok(Merged { lines, doubled })
}

/// What the parts were seen to do, in one line.
fn seen_together(lines: Vec<Line>) -> Vec<Line> {
    let mut all: Option<SeenLine> = None;
    let mut rest = Vec::with_capacity(lines.len());
    for line in lines {
        match line {
            Line::Seen(seen) => all = Some(all.unwrap_or_default().and(&seen)),
            line => rest.push(line),
        }
    }
    rest.extend(all.map(|all| Line::Seen(Box::new(all))));
    rest
}

/// The parts of a matrix that nobody has handed in.
fn missing<'l>(lines: impl IntoIterator<Item = &'l Line>) -> Vec<Reason> {
    let ran = |line: &'l Line| if let Line::Ran(ran) = line { Some(&**ran) } else { None };
    let mut reasons = Reasons::default();
    weigh_parts(&lines.into_iter().filter_map(ran).collect::<Vec<_>>(), &mut reasons);
    reasons.into_all()
}

/// What the runs of a matrix come to, if there are any.
fn of_runs<'l>(lines: impl IntoIterator<Item = &'l Line>) -> Vec<Reason> {
    let ran = |line: &'l Line| if let Line::Ran(ran) = line { Some(&**ran) } else { None };
    let runs: Vec<&RanLine> = lines.into_iter().filter_map(ran).collect();
    let mut reasons = Reasons::default();
    if !runs.is_empty() {
        weigh_runs(&runs, &mut reasons);
    }
    reasons.into_all()
}

/// A ledger without its closing line, which stands beside it.
struct Closed {
    name: String,
    lines: Vec<Line>,
    end: EndLine,
    /// Of each run in which anything happened.
    prints: Vec<(Print, String)>,
    whole: Print,
}

impl Closed {
    fn of(name: &str, lines: Vec<Line>, end: EndLine) -> Self {
        let whole = print(lines.iter().cloned().chain([Line::End(end.clone())]));
        let mut sessions: HashMap<String, Vec<Line>> = HashMap::new();
        let mut order = Vec::new();
        for line in &lines {
            let mut line = line.clone();
            // What is said of a run is no part of it.
            if matches!(line, Line::Verdict(_)) {
                continue;
            }
            let Some(session) = session(&mut line).map(std::mem::take) else { continue };
            sessions
                .entry(session)
                .or_insert_with_key(|session| {
                    order.push(session.clone());
                    Vec::new()
                })
                .push(line);
        }
        let has_happened = |lines: &Vec<Line>| lines.iter().any(|line| !matches!(line, Line::Run(_)));
        let prints = order.iter().filter_map(|session| {
            let lines = sessions.remove(session).filter(has_happened)?;
            let words = in_words(&lines);
            Some((print(lines), words))
        });
        let prints = prints.collect();
        Self { name: name.to_owned(), lines, end, prints, whole }
    }

    /// Whether it is that of a part for which no run was left.
    fn is_empty_part(&self) -> bool {
        self.lines.is_empty() && self.end.reasons.iter().any(|reason| reason.why == EMPTY_PART)
    }

    /// Scenario, seed, client; then what else tells ledgers apart.
    fn order(&self) -> (&str, u64, &str, Print) {
        runs(&self.lines).next().map_or(("", 0, "", self.whole), |run| {
            let scenario = run.scenario.as_deref().unwrap_or_default();
            (scenario, run.seed, run.client.as_deref().unwrap_or_default(), self.whole)
        })
    }

    /// What tells it from the others, in words: scenario and seed of its one run, or the client of all of them.
    fn label(&self) -> String {
        let all: Vec<&RunLine> = runs(&self.lines).collect();
        let parts: Vec<String> = match all.as_slice() {
            [run] => {
                let seed = Some(format!("seed {}", run.seed));
                [run.scenario.clone(), run.client.clone(), seed].into_iter().flatten().collect()
            }
            several => {
                let clients: BTreeSet<String> = several.iter().filter_map(|run| run.client.clone()).collect();
                clients.into_iter().collect()
            }
        };
        let parts: Vec<String> = parts.into_iter().filter(|part| !part.is_empty()).collect();
        parts.join(", ")
    }
}

/// Leaves out what another holds already.
fn once(all: Vec<Closed>) -> Result<(Vec<Closed>, Vec<Doubled>), MergeError> {
    let mut wholes: HashMap<Print, String> = HashMap::new();
    let mut runs: HashMap<Print, String> = HashMap::new();
    let (mut kept, mut doubled) = (Vec::new(), Vec::new());
    for part in all {
        let known = |(print, words): &(Print, String)| Some((runs.get(print)?.clone(), words.clone()));
        let met: Vec<(String, String)> = part.prints.iter().filter_map(known).collect();
        let other = wholes.get(&part.whole).or_else(|| {
            let is_all = !part.prints.is_empty() && met.len() == part.prints.len();
            met.first().filter(|_| is_all).map(|(other, _)| other)
        });
        if let Some(other) = other {
            doubled.push((part.name, other.clone()));
            continue;
        }
        if let Some((other, run)) = met.into_iter().next() {
            return Err(MergeError::Overlap { one: other, other: part.name, run });
        }
        wholes.insert(part.whole, part.name.clone());
        runs.extend(part.prints.iter().map(|(print, _)| (*print, part.name.clone())));
        kept.push(part);
    }
    doubled.sort();
    Ok((kept, doubled))
}

/// The digest of lines, whatever their order.
fn print(lines: impl IntoIterator<Item = Line>) -> Print {
    let mut digests: Vec<Print> = lines
        .into_iter()
        .filter_map(|line| line.to_json().ok())
        .map(|text| Sha256::digest(text.as_bytes()).into())
        .collect();
    digests.sort_unstable();
    Sha256::digest(digests.concat()).into()
}

/// A run in words: `the run of slow-host with seed 3`.
fn in_words(lines: &[Line]) -> String {
    match runs(lines).next() {
        None => "a run".to_owned(),
        Some(run) => match run.scenario.as_deref().filter(|name| !name.is_empty()) {
            Some(scenario) => format!("the run of {scenario} with seed {}", run.seed),
            None => format!("the run with seed {}", run.seed),
        },
    }
}

fn runs(lines: &[Line]) -> impl Iterator<Item = &RunLine> {
    lines.iter().filter_map(|line| if let Line::Run(run) = line { Some(run) } else { None })
}

/// The session that a line is about.
fn session(line: &mut Line) -> Option<&mut String> {
    match line {
        Line::Run(it) => Some(&mut it.session),
        Line::Exchange(it) => Some(&mut it.key.session),
        Line::Refused(it) => Some(&mut it.session),
        Line::Greeted(it) => Some(&mut it.session),
        Line::Timing(it) => Some(&mut it.key.session),
        Line::Outcome(it) => Some(&mut it.session),
        Line::Verdict(it) => it.session.as_mut(),
        Line::Ran(it) => Some(&mut it.session),
        Line::Coverage(_) | Line::Seen(_) | Line::Gap(_) | Line::End(_) => None,
    }
}

/// Gives each run a session name of its own: one that stands in two ledgers is called by its scenario and seed, and where
/// that is not enough, it is numbered.
fn name_apart(parts: &mut [Closed]) {
    let mut counts: HashMap<String, usize> = HashMap::new();
    for part in &mut *parts {
        for name in names(&mut part.lines) {
            *counts.entry(name).or_default() += 1;
        }
    }
    let mut taken: HashSet<String> =
        counts.iter().filter(|(_, count)| **count == 1).map(|(name, _)| name.clone()).collect();
    for part in parts {
        let run = runs(&part.lines).next();
        let label = run.map_or_else(String::new, |run| {
            format!("{}#{}", run.scenario.as_deref().unwrap_or_default(), run.seed)
        });
        let mut known: HashMap<String, String> = HashMap::new();
        for name in names(&mut part.lines) {
            if counts.get(&name).is_some_and(|count| *count > 1) {
                let wanted = if name == MAIN { label.clone() } else { format!("{label}@{name}") };
                let mut fresh = wanted.clone();
                let mut number = 1_usize;
                while !taken.insert(fresh.clone()) {
                    number += 1;
                    fresh = format!("{wanted} ({number})");
                }
                known.insert(name, fresh);
            }
        }
        for line in &mut part.lines {
            if let Some(session) = session(line)
                && let Some(fresh) = known.get(session)
            {
                session.clone_from(fresh);
            }
        }
        own(&mut part.lines);
    }
}

/// Where a ledger is about one session, its verdicts are, too: beside others that is no longer plain.
fn own(lines: &mut [Line]) {
    if let [one] = names(lines).as_slice() {
        for line in lines {
            if let Line::Verdict(verdict) = line {
                verdict.session.get_or_insert_with(|| one.clone());
            }
        }
    }
}

/// The session that a listener opens by itself.
const MAIN: &str = "main";

/// The names of sessions in the order of first sight.
fn names(lines: &mut [Line]) -> Vec<String> {
    let mut known = HashSet::new();
    lines
        .iter_mut()
        .filter_map(|line| session(line).cloned())
        .filter(|name| known.insert(name.clone()))
        .collect()
}

/// Reasons of several runs, equal ones once.
#[derive(Default)]
struct Gathered {
    all: Vec<Reason>,
    known: HashSet<(u8, String, Option<String>)>,
}

impl Gathered {
    /// Adds why a run ended as it did. What went wrong says where.
    fn add(&mut self, end: &EndLine, label: &str) {
        let mut reasons = end.reasons.clone();
        // An older ledger has one reason for all.
        if reasons.iter().map(|reason| reason.exit).max().unwrap_or_default() < end.exit {
            reasons.push(Reason { exit: end.exit, why: end.because.clone(), property: None, known: None });
        }
        for mut reason in reasons {
            let place = format!(" ({label})");
            let is_open = reason.exit > Exit::Passed && reason.property.is_none() && !label.is_empty();
            if is_open && !reason.why.ends_with(&place) {
                reason.why.push_str(&place);
            }
            if self.known.insert((reason.exit.code(), reason.why.clone(), reason.property.clone())) {
                self.all.push(reason);
            }
        }
    }
}

fn add(sum: &mut EndLine, end: EndLine, commands: &mut Vec<String>) {
    sum.sum += end.sum;
    sum.lost_lines += end.lost_lines;
    sum.closed_sessions += end.closed_sessions;
    sum.dials += end.dials;
    for (all, these) in [
        (&mut sum.never_fired, end.never_fired),
        (&mut sum.in_force, end.in_force),
        (&mut sum.elsewhere, end.elsewhere),
    ] {
        for one in these {
            if !all.contains(&one) {
                all.push(one);
            }
        }
    }
    commands.extend(end.command.filter(|command| !commands.contains(command)));
}

#[cfg(test)]
mod tests;

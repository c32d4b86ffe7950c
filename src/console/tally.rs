//! What an examination comes to: one answer for each rule and endpoint, and the exit code.

use std::collections::BTreeMap;

use super::check::{Departure, Finding};
use super::kept;
use super::plan::Plan;
use super::question::{Answer, Question};
use super::rule::{RULES, Rule};
use super::talk::Stop;
use crate::ledger::{EndLine, Exit, Line, Reasons, Standing, VerdictLine};
use crate::profile::Observation;
use crate::record;

/// What came of an examination.
#[derive(Clone, Debug)]
pub struct Examined {
    /// A verdict for each rule and endpoint.
    pub lines: Vec<Line>,
    /// The closing account: its exit code is what the run comes to.
    pub account: EndLine,
    /// The same, to be kept in a file.
    pub observed: Vec<Observation>,
    /// Requests that were sent.
    pub sent: u64,
    /// The version that was sent along.
    pub version: Option<String>,
}

/// A departure, as small as it still departs, and confirmed.
#[derive(Clone, Debug)]
pub(super) struct Departed {
    pub(super) case: String,
    pub(super) departure: Departure,
    pub(super) questions: Vec<Question>,
    pub(super) answer: Option<Answer>,
}

#[derive(Clone, Debug, Default)]
struct Entry {
    held: u32,
    tested: u32,
    departed: Option<Departed>,
    unclear: Option<String>,
    not_reached: Option<String>,
    /// How a refusal was answered: what a console really says.
    answered: Option<String>,
}

/// All that was found so far.
#[derive(Debug, Default)]
pub(super) struct Tally {
    /// By endpoint (empty for the console itself) in the order they were met, and by rule.
    places: Vec<String>,
    entries: BTreeMap<(usize, usize), Entry>,
}

/// What verdicts call the console itself.
const CONSOLE: &str = "the console";

impl Tally {
    /// Takes a finding; a departure only once it was confirmed, by [`depart`](Self::depart).
    pub(super) fn take(&mut self, endpoint: &str, rule: &Rule, finding: Finding, answer: Option<&Answer>) {
        let entry = self.entry(endpoint, rule);
        match finding {
            Finding::Holds => {
                entry.held += 1;
                entry.tested += 1;
                let refusal = answer.filter(|answer| !answer.is_success());
                entry.answered = refusal.map(Answer::named).or(entry.answered.take());
            }
            Finding::NotReached(why) => {
                entry.not_reached.get_or_insert(why);
            }
            Finding::Unclear(why) => {
                entry.tested += 1;
                entry.unclear.get_or_insert(why);
            }
            Finding::Departs(_) => entry.tested += 1,
        }
    }

    pub(super) fn depart(&mut self, endpoint: &str, rule: &Rule, departed: Departed) {
        let entry = self.entry(endpoint, rule);
        entry.answered = departed.answer.as_ref().map(Answer::named);
        entry.departed.get_or_insert(departed);
    }

    /// Whether this is known to depart already.
    pub(super) fn departs(&self, endpoint: &str, rule: &Rule) -> bool {
        let place = self.places.iter().position(|it| it == endpoint);
        let order = RULES.iter().position(|it| it.id == rule.id);
        let entry = place.zip(order).and_then(|key| self.entries.get(&key));
        entry.is_some_and(|entry| entry.departed.is_some())
    }

    fn entry(&mut self, endpoint: &str, rule: &Rule) -> &mut Entry {
        let place = self.places.iter().position(|it| it == endpoint).unwrap_or_else(|| {
            self.places.push(endpoint.to_owned());
            self.places.len() - 1
        });
        let order = RULES.iter().position(|it| it.id == rule.id).unwrap_or_default();
        self.entries.entry((place, order)).or_default()
    }

    /// The result.
    pub(super) fn examined(&self, plan: &Plan, stopped: Option<&Stop>) -> Examined {
        let mut verdicts: Vec<VerdictLine> = Vec::new();
        let mut observed = Vec::new();
        let mut entries: Vec<_> = self.entries.iter().collect();
        entries.sort_by_key(|((place, order), _)| (*order, *place));
        for ((place, order), entry) in entries {
            let (Some(endpoint), Some(rule)) = (self.places.get(*place), RULES.get(*order)) else { continue };
            let name = if endpoint.is_empty() { CONSOLE } else { endpoint.as_str() };
            verdicts.push(entry.verdict(plan, name, rule));
            observed.extend(entry.observation(endpoint, rule));
        }
        let reasons = reasons(&verdicts, stopped);
        let account = EndLine { dials: record::dials(), ..EndLine::default() }.closed(reasons);
        let lines = verdicts.into_iter().map(Line::Verdict).collect();
        Examined { lines, account, observed, sent: 0, version: None }
    }
}

impl Entry {
    fn verdict(&self, plan: &Plan, endpoint: &str, rule: &'static Rule) -> VerdictLine {
        let (verdict, because) = match (&self.departed, self.held, &self.unclear, &self.not_reached) {
            (Some(departed), ..) => (Standing::Violated, departed.departure.because.clone()),
            (None, 1.., ..) => (Standing::Held, String::new()),
            (None, 0, Some(why), _) => (Standing::Inconclusive, why.clone()),
            (None, 0, None, Some(why)) => (Standing::NotReached, why.clone()),
            (None, 0, None, None) => (Standing::NotReached, "nothing was asked".to_owned()),
        };
        let text = |text: String| plan.redactor.text(&text);
        VerdictLine {
            property: rule.id.to_owned(),
            scenario: endpoint.to_owned(),
            client: String::new(),
            verdict,
            required: rule.is_published(),
            because: text(because),
            evidence: self.departed.iter().flat_map(|it| it.evidence(rule)).map(text).collect(),
            cases: self.tested,
            session: None,
            found: None,
            repeat: self.departed.as_ref().map(|departed| departed.repeat(plan)),
            rests_on: Some(rule.source.as_str().to_owned()),
            known: None,
        }
    }

    fn observation(&self, endpoint: &str, rule: &'static Rule) -> Option<Observation> {
        let departed = self.departed.as_ref();
        (departed.is_some() || self.held > 0).then(|| Observation {
            rule: rule.id.to_owned(),
            endpoint: endpoint.to_owned(),
            rests_on: rule.source.as_str().to_owned(),
            holds: departed.is_none(),
            cases: self.tested,
            answered: self.answered.clone(),
            instead: departed.map(|it| it.departure.kept.to_owned()),
            case: departed.and_then(|it| kept::shape(&it.case, endpoint)),
        })
    }
}

impl Departed {
    fn evidence(&self, rule: &Rule) -> Vec<String> {
        let came = self.answer.as_ref().map_or("nothing".to_owned(), Answer::line);
        vec![
            format!("case:     {}", self.case),
            format!("came:     {came}"),
            format!("expected: {}", self.departure.expected),
            format!("the rule: {} ({}: {})", rule.law, rule.source.as_str(), rule.because),
        ]
    }

    fn repeat(&self, plan: &Plan) -> String {
        let shows = self.questions.get(self.departure.at).or(self.questions.first());
        shows.map(|question| (plan.ask)(question)).unwrap_or_default()
    }
}

fn reasons(verdicts: &[VerdictLine], stopped: Option<&Stop>) -> Reasons {
    let mut reasons = Reasons::default();
    let of = |standing: Standing| verdicts.iter().filter(move |line| line.verdict == standing);
    for line in of(Standing::Violated).filter(|line| line.required) {
        let why = format!("the console breaks {} at {}", line.property, line.scenario);
        reasons.push_verdict(Exit::Failed, &line.property, why);
    }
    let observed = of(Standing::Violated).filter(|line| !line.required).count();
    if of(Standing::Held).next().is_none() && of(Standing::Violated).next().is_none() {
        reasons.push(Exit::Inconclusive, "no rule was put to the test");
    } else if !verdicts
        .iter()
        .any(|line| line.required && matches!(line.verdict, Standing::Held | Standing::Violated))
    {
        reasons.push(Exit::Inconclusive, "no documented rule was put to the test");
    }
    if let Some(stop) = stopped {
        let exit = if stop.is_planned() { Exit::Passed } else { Exit::Inconclusive };
        reasons.push(exit, stop.to_string());
    }
    reasons.push(Exit::Passed, "every documented rule that was put to the test holds");
    if observed > 0 {
        let many = if observed == 1 { "" } else { "s" };
        reasons.push(Exit::Passed, format!("{observed} observation{many} of what no page states"));
    }
    reasons
}

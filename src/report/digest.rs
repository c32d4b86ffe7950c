//! [`Digest`]: what a report needs of a run whose lines nobody keeps.
//!
//! A report names misses, refusals, remarks and faults, equal ones together. So of each that differs one line is held,
//! without what no report looks at, and how often it came; of everything else nothing.

use std::collections::HashMap;

use super::content::Content;
use crate::ledger::{Exchange, ExchangeKey, FaultLine, GreetedLine, Line, RefusedLine, RunLine};

/// Bytes of different lines that are held; what differs from all of them after that is counted.
const HELD_MAX: usize = 4 * 1024 * 1024;

/// Different lines, and how often each came.
#[derive(Debug, Default)]
pub struct Digest {
    lines: Vec<(Line, usize)>,
    places: HashMap<String, usize>,
    weight: usize,
    passed_over: u64,
}

impl Digest {
    /// A session was opened. What tells it from others is its name alone, and no report looks at the cassette's id.
    pub fn run(&mut self, run: &RunLine) {
        let run = RunLine { session: String::new(), scenario_text: None, cassette_id: None, ..run.clone() };
        self.hold(Line::Run(run));
    }

    /// A request was turned away.
    pub fn refused(&mut self, refused: &RefusedLine) {
        self.hold(Line::Refused(refused.clone()));
    }

    /// A connection met a planned fault; which one it was, no report says, but whether it was one.
    pub fn greeted(&mut self, greeted: &GreetedLine) {
        let connection = greeted.connection.map(|_| 1);
        self.hold(Line::Greeted(GreetedLine { connection, ..greeted.clone() }));
    }

    /// A request missed, or is worth a remark.
    pub fn remarkable(&mut self, exchange: &Exchange) {
        let key = ExchangeKey { endpoint: exchange.key.endpoint.clone(), ..ExchangeKey::default() };
        self.hold(Line::Exchange(Box::new(Exchange {
            key,
            method: exchange.method.clone(),
            target: exchange.target.clone(),
            origin: exchange.origin.clone(),
            findings: exchange.findings.clone(),
            taken: exchange.taken.clone(),
            ..Exchange::default()
        })));
    }

    /// Planned faults fired.
    pub fn fired(&mut self, faults: &[FaultLine]) {
        for fault in faults {
            let fault = FaultLine {
                kind: fault.kind.clone(),
                planned: fault.planned.clone(),
                ..FaultLine::default()
            };
            self.hold(Line::Exchange(Box::new(Exchange { faults: vec![fault], ..Exchange::default() })));
        }
    }

    /// A line that stands in every report: a verdict, the closing account.
    pub fn hold(&mut self, line: Line) {
        let is_one_of_many =
            matches!(line, Line::Run(_) | Line::Exchange(_) | Line::Refused(_) | Line::Greeted(_));
        let Ok(text) = line.to_json() else { return };
        if let Some((_, times)) = self.places.get(&text).and_then(|place| self.lines.get_mut(*place)) {
            *times += 1;
            return;
        }
        let weight = line.weight() + text.len();
        if is_one_of_many && self.weight + weight > HELD_MAX {
            self.passed_over += 1;
            return;
        }
        self.weight += weight;
        self.places.insert(text, self.lines.len());
        self.lines.push((line, 1));
    }

    /// The same with every line changed by `change`; one that it gives back nothing for is left out.
    #[must_use]
    pub fn map(self, change: impl Fn(&Line) -> Option<Line>) -> Self {
        let lines = self.lines.iter().filter_map(|(line, times)| Some((change(line)?, *times))).collect();
        Self { lines, places: HashMap::new(), ..self }
    }
}

impl<'a> From<&'a Digest> for Content<'a> {
    fn from(digest: &'a Digest) -> Self {
        let lines = digest.lines.iter().map(|(line, times)| (line, *times)).collect();
        Self { lines, passed_over: digest.passed_over, is_whole: false }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ledger::{EndLine, Origin};
    use crate::report::{Paint, human, json};

    fn missed(target: &str) -> Exchange {
        let origin = Origin::Miss { cause: "not recorded".to_owned(), nearest: vec!["x.get-1".to_owned()] };
        let key = ExchangeKey { nth: 7, ..ExchangeKey::default() };
        Exchange { key, method: "GET".into(), target: target.into(), origin, ..Exchange::default() }
    }

    #[test]
    fn a_digest_and_all_lines_give_the_same_report() {
        let run =
            |session: &str| RunLine { session: session.into(), verb: "replay".into(), ..RunLine::default() };
        let refused = RefusedLine { status: 400, why: "no".into(), ..RefusedLine::default() };
        let remark = Exchange { findings: vec!["odd".into()], target: "/x".into(), ..Exchange::default() };
        let late = FaultLine { kind: "latency".into(), planned: "late".into(), ..FaultLine::default() };
        let slow = |did: &str| FaultLine { did: did.into(), ..late.clone() };
        let mut lines = vec![Line::Run(run("main")), Line::Run(run("other"))];
        let mut digest = Digest::default();
        digest.run(&run("main"));
        digest.run(&run("other"));
        for exchange in [missed("/a"), missed("/b"), missed("/a"), remark] {
            digest.remarkable(&exchange);
            lines.push(Line::Exchange(Box::new(exchange)));
        }
        for did in ["held back 1 ms", "held back 2 ms"] {
            digest.fired(&[slow(did)]);
            lines.push(Line::Exchange(Box::new(Exchange { faults: vec![slow(did)], ..Exchange::default() })));
        }
        for connection in [2, 5] {
            let greeted = GreetedLine {
                connection: Some(connection),
                kind: "a-kind".into(),
                did: "reset".into(),
                ..GreetedLine::default()
            };
            digest.greeted(&greeted);
            lines.push(Line::Greeted(greeted));
        }
        digest.refused(&refused);
        digest.hold(Line::End(EndLine::default()));
        lines.extend([Line::Refused(refused), Line::End(EndLine::default())]);
        assert_eq!(human(&digest, Paint::Plain), human(&lines, Paint::Plain));
        assert_eq!(json(&digest).unwrap(), json(&lines).unwrap());
        assert!(human(&lines, Paint::Plain).contains("GET /a (2 times)"));
        assert!(human(&lines, Paint::Plain).contains("  reset [a-kind] (2 times)"));
    }

    #[test]
    fn a_digest_is_bounded_and_says_what_it_passed_over() {
        let mut digest = Digest::default();
        (0..2000).for_each(|n| digest.remarkable(&missed(&format!("/{}/{n}", "x".repeat(4000)))));
        assert!(digest.weight <= HELD_MAX && digest.passed_over > 0);
        digest.hold(Line::End(EndLine::default()));
        let text = human(&digest, Paint::Plain);
        assert!(text.contains(&format!("{} more misses", digest.passed_over)), "{text}");
    }
}

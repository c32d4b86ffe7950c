//! One line of text for one request.

use std::fmt::Write;

use super::visible;
use crate::ledger::{Exchange, GreetedLine, Origin, RefusedLine};

/// How many characters of a target are shown before it is cut.
const TARGET_MAX: usize = 120;

/// A request and its answer on one line: method, target, status, origin, tick, state, faults.
///
/// Safe to print: what came from outside is made visible, and a long target is cut.
pub fn request_line(exchange: &Exchange) -> String {
    let mut line = String::new();
    LinePieces::of(exchange).add(exchange.tick, &mut line);
    line
}

/// The same without its tick, for many that are alike.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LinePieces {
    text: String,
    /// Where the tick goes.
    tick_at: usize,
}

impl LinePieces {
    /// The pieces of this exchange's line.
    pub fn of(exchange: &Exchange) -> Self {
        Self::joined(&line_start(exchange), &line_end(exchange))
    }

    fn joined(start: &str, end: &str) -> Self {
        Self { text: [start, end].concat(), tick_at: start.len() }
    }

    /// The same with both pieces changed.
    #[must_use]
    pub fn map(&self, start: impl FnOnce(&str) -> String, end: impl FnOnce(&str) -> String) -> Self {
        let (before, after) = self.text.split_at(self.tick_at);
        Self::joined(&start(before), &end(after))
    }

    /// Bytes of text.
    pub fn weight(&self) -> usize {
        self.text.len()
    }

    /// Adds the line at this tick.
    pub fn add(&self, tick: Option<u32>, text: &mut String) {
        let (start, end) = self.text.split_at(self.tick_at);
        text.push_str(start);
        if let Some(tick) = tick {
            // Writing to a text cannot fail.
            let _ = write!(text, ", poll {tick}");
        }
        text.push_str(end);
    }
}

fn line_start(exchange: &Exchange) -> String {
    let mut line = format!(
        "{} {} -> {} {}",
        visible(&exchange.method),
        target(&exchange.target),
        answered(exchange),
        origin(&exchange.origin)
    );
    if !exchange.computed.is_empty() {
        line.push_str(&format!(", computed: {}", visible(&exchange.computed.join(", "))));
    }
    if exchange.projected {
        line.push_str(", projected");
    }
    line
}

fn line_end(exchange: &Exchange) -> String {
    let mut line = String::new();
    if let Some(state) = &exchange.state {
        line.push_str(&format!(", {}", visible(state)));
    }
    for fault in &exchange.faults {
        line.push_str(&format!(" [{}: {}]", visible(&fault.kind), visible(&fault.did)));
    }
    line
}

/// A request that was turned away, on one line: its first line, the status, why.
pub fn refused_line(refused: &RefusedLine) -> String {
    let head = if refused.head.is_empty() { "(no request line)".to_owned() } else { target(&refused.head) };
    format!("{head} -> {} REFUSED: {}", refused.status, visible(&refused.why))
}

/// What became of a connection before a request, on one line.
pub fn greeted_line(greeted: &GreetedLine) -> String {
    let connection = greeted
        .connection
        .map_or_else(|| "(no connection)".to_owned(), |number| format!("connection {number}"));
    format!("{connection} -> {} [{}]", visible(&greeted.did), visible(&greeted.kind))
}

/// The status, unless a fault kept the client from seeing even the first byte of it.
fn answered(exchange: &Exchange) -> String {
    if exchange.planned_bytes == 0 && !exchange.faults.is_empty() {
        return "no answer,".to_owned();
    }
    exchange.status.to_string()
}

/// A target, made visible and cut.
pub(super) fn target(target: &str) -> String {
    let shown = visible(target);
    if shown.chars().count() <= TARGET_MAX {
        return shown.into_owned();
    }
    shown.chars().take(TARGET_MAX).chain("...".chars()).collect()
}

/// Where an answer came from, in few words.
fn origin(origin: &Origin) -> String {
    match origin {
        Origin::Recorded(id) => format!("recorded {}", visible(id)),
        Origin::Timeline(id) => format!("timeline over {}", visible(id)),
        Origin::Created(id) => format!("created after {}", visible(id)),
        Origin::Synthesised { rule, source } => format!("by rule {} ({})", visible(rule), visible(source)),
        Origin::Model => "modelled".to_owned(),
        Origin::Fault(kind) => format!("by fault {}", visible(kind)),
        Origin::Miss { cause, .. } => format!("MISS: {}", visible(cause)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ledger::FaultLine;

    #[test]
    fn a_line_says_what_was_asked_and_what_was_decided() {
        let exchange = Exchange {
            method: "GET".into(),
            target: "/api/x/7?fields=id".into(),
            status: 200,
            origin: Origin::Recorded("x.get-1".into()),
            projected: true,
            computed: vec!["filter".into(), "Range".into()],
            planned_bytes: 100,
            tick: Some(2),
            state: Some("WAITING".into()),
            faults: vec![FaultLine {
                kind: "latency".into(),
                planned: "k".into(),
                did: "held back 12 ms".into(),
                ..FaultLine::default()
            }],
            ..Exchange::default()
        };
        let expected = "GET /api/x/7?fields=id -> 200 recorded x.get-1, computed: filter, Range, projected, poll 2, WAITING [latency: held back 12 ms]";
        assert_eq!(request_line(&exchange), expected);
    }

    #[test]
    fn an_answer_that_never_comes_has_no_status() {
        let exchange = Exchange {
            method: "POST".into(),
            target: "/api/x".into(),
            status: 201,
            origin: Origin::Recorded("x.post-1".into()),
            faults: vec![FaultLine { kind: "reset".into(), did: "reset it".into(), ..FaultLine::default() }],
            ..Exchange::default()
        };
        assert_eq!(request_line(&exchange), "POST /api/x -> no answer, recorded x.post-1 [reset: reset it]");
    }

    #[test]
    fn a_hostile_target_stays_on_its_line_and_short() {
        let exchange = Exchange {
            method: "GET".into(),
            target: format!("/api/\u{1b}[2J\n{}", "x".repeat(5000)),
            origin: Origin::Miss { cause: "no \u{7} such".into(), nearest: vec![] },
            ..Exchange::default()
        };
        let line = request_line(&exchange);
        assert!(!line.chars().any(char::is_control) && line.len() < 300, "{line}");
    }
}

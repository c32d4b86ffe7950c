//! Every exchange: what was asked, what was recorded, what was served. Equal ones stand once, with their number.

use std::collections::{BTreeMap, HashMap};

use sha2::{Digest, Sha256};

use super::super::account::Account;
use super::super::request_line;
use super::text::{beginning, escaped, lines_of};
use crate::ledger::{BodyText, Exchange, ExchangeKey, HeadLine, Line, Origin, Timing};

/// Bytes of the page that exchanges take which can be opened.
const OPENED_MAX: usize = 5 * 1024 * 1024;
/// Bytes of the page that exchanges take in all; those beyond are counted.
const ALL_MAX: usize = 7 * 1024 * 1024;
/// Bytes of a body that are shown.
const BODY_SHOWN: usize = 4 * 1024;

/// Equal exchanges.
struct Group<'a> {
    exchange: &'a Exchange,
    times: usize,
    sessions: Vec<&'a str>,
    timing: Option<&'a Timing>,
}

/// All exchanges, equal ones together, as they stand in the page.
pub(super) struct Folded<'a> {
    html: String,
    /// The place of each exchange that can be opened.
    places: BTreeMap<&'a ExchangeKey, usize>,
}

impl<'a> Folded<'a> {
    pub(super) fn of(account: &Account<'a>, times: &BTreeMap<&'a ExchangeKey, &'a Timing>) -> Self {
        let mut groups: Vec<Group<'a>> = Vec::new();
        let mut known: HashMap<[u8; 32], usize> = HashMap::new();
        let mut places = BTreeMap::new();
        for (exchange, count) in &account.exchanges {
            let place = *known.entry(print(exchange)).or_insert(groups.len());
            if place == groups.len() {
                let timing = times.get(&exchange.key).copied();
                groups.push(Group { exchange, times: 0, sessions: Vec::new(), timing });
            }
            if let Some(group) = groups.get_mut(place) {
                group.times += count;
                if group.sessions.last() != Some(&exchange.key.session.as_str()) {
                    group.sessions.push(&exchange.key.session);
                }
            }
            places.insert(&exchange.key, place);
        }
        let (html, opened) = listed(&groups);
        places.retain(|_, place| *place < opened);
        Self { html, places }
    }

    /// The part of the page.
    pub(super) fn html(&self) -> String {
        self.html.clone()
    }

    /// Where an exchange can be opened.
    pub(super) fn anchor(&self, key: &ExchangeKey) -> Option<String> {
        self.places.get(key).map(|place| format!("#e{place}"))
    }
}

/// What is the same of equal exchanges.
fn print(exchange: &Exchange) -> [u8; 32] {
    let key = ExchangeKey { session: String::new(), nth: 0, ..exchange.key.clone() };
    let same = Exchange { key, call: 0, tick: None, ..exchange.clone() };
    let text = Line::Exchange(Box::new(same)).to_json().unwrap_or_default();
    Sha256::digest(text.as_bytes()).into()
}

/// The list, and how many of it can be opened.
fn listed(groups: &[Group<'_>]) -> (String, usize) {
    if groups.is_empty() {
        return (String::new(), 0);
    }
    let mut text = "<p>Equal ones stand once. What was recorded stands in the cassette, under the id that is named.</p>\n<div class=\"list\">\n".to_owned();
    let (mut opened, mut shown) = (0, 0);
    for (place, group) in groups.iter().enumerate() {
        let whole = if opened == place { detail(place, group) } else { String::new() };
        if !whole.is_empty() && text.len() + whole.len() < OPENED_MAX {
            opened += 1;
            text.push_str(&whole);
        } else {
            let line = format!("<p>{}</p>\n", summary(group));
            if text.len() + line.len() > ALL_MAX {
                break;
            }
            text.push_str(&line);
        }
        shown += 1;
    }
    text.push_str("</div>\n");
    if opened < groups.len() {
        let (closed, left) = (shown - opened, groups.len() - shown);
        text.push_str(&format!(
            "<p>{closed} more stand in one line, and {left} are left out: the ledger has all of them.</p>\n"
        ));
    }
    (text, opened)
}

fn summary(group: &Group<'_>) -> String {
    let times = if group.times > 1 { format!(" <b>({} times)</b>", group.times) } else { String::new() };
    format!("{}{times}", escaped(&request_line(group.exchange)))
}

fn detail(place: usize, group: &Group<'_>) -> String {
    let Group { exchange, sessions, timing, .. } = group;
    let mut facts = vec![("session", named(sessions)), ("endpoint", exchange.key.endpoint.clone())];
    if let Some(tick) = exchange.tick {
        facts.push(("tick", tick.to_string()));
    }
    facts.push(("state", exchange.state.clone().unwrap_or_default()));
    if let Some(timing) = timing {
        let cut = if timing.cut_short { ", and the client went away" } else { "" };
        facts.push((
            "time",
            format!(
                "at {} ms, for {} ms; {} of {} bytes sent{cut}",
                timing.at_us / 1000,
                timing.took_us / 1000,
                timing.sent_bytes,
                exchange.planned_bytes
            ),
        ));
    }
    for finding in &exchange.findings {
        facts.push(("remark", finding.clone()));
    }
    for rule in &exchange.taken {
        facts.push(("rule left out", rule.clone()));
    }
    let facts = facts.iter().filter(|(_, text)| !text.is_empty());
    let facts: String =
        facts.map(|(name, text)| format!("<dt>{name}</dt><dd>{}</dd>", escaped(text))).collect();
    let asked = format!("{} {}", exchange.method, exchange.target);
    format!(
        "<details id=\"e{place}\">\n<summary>{}</summary>\n<dl>{facts}</dl>\n<h3>Asked</h3>\n{}<div class=\"two\">\n<div>\n<h3>Recorded</h3>\n{}</div>\n<div>\n<h3>Served</h3>\n{}</div>\n</div>\n</details>\n",
        summary(group),
        message(&asked, &exchange.request_headers, &exchange.request_body),
        recorded(exchange),
        served(exchange),
    )
}

fn named(sessions: &[&str]) -> String {
    let more = sessions.len().saturating_sub(3);
    let names = sessions.iter().take(3).copied().collect::<Vec<_>>().join(", ");
    if more > 0 { format!("{names} and {more} more") } else { names }
}

/// What the answer was made of, and what was done to it.
fn recorded(exchange: &Exchange) -> String {
    let (what, id) = match &exchange.origin {
        Origin::Recorded(id) => ("the recorded interaction ", id.as_str()),
        Origin::Timeline(id) => ("a recorded poll whose state the timeline has put in place: ", id.as_str()),
        Origin::Created(id) => ("a fresh task or case, made after ", id.as_str()),
        Origin::Synthesised { rule, source } => {
            return format!("<p>nothing: said by the rule {} ({})</p>\n", escaped(rule), escaped(source));
        }
        Origin::Model => return "<p>nothing: said by a model of a console</p>\n".to_owned(),
        Origin::Fault(kind) => {
            return format!("<p>nothing: said by the fault {} in the console's place</p>\n", escaped(kind));
        }
        Origin::Miss { cause, nearest } => {
            let nearest: String = nearest.iter().map(|near| format!("<li>{}</li>", escaped(near))).collect();
            let nearest =
                if nearest.is_empty() { nearest } else { format!("<p>nearest:</p>\n<ul>{nearest}</ul>\n") };
            return format!("<p class=\"open\">nothing that fits: {}</p>\n{nearest}", escaped(cause));
        }
    };
    let mut text = format!("<p>{what}<b>{}</b></p>\n", escaped(id));
    if !exchange.computed.is_empty() {
        text.push_str(&format!("<p>computed from it: {}</p>\n", escaped(&exchange.computed.join(", "))));
    }
    if exchange.projected {
        text.push_str("<p>less what `fields` did not ask for</p>\n");
    }
    let is_changed = exchange.projected || !exchange.computed.is_empty() || !exchange.faults.is_empty();
    text.push_str(match &exchange.response_body {
        BodyText::SameAs(_) => "<p>its body is the recorded one</p>\n",
        _ if is_changed => "<p>what was done to it stands here and beside</p>\n",
        _ => "<p>no fault and no selector touched it</p>\n",
    });
    text
}

fn served(exchange: &Exchange) -> String {
    let mut text = String::new();
    for fault in &exchange.faults {
        let planned = if fault.planned.is_empty() { String::new() } else { format!(" ({})", fault.planned) };
        let line = format!("{}{planned}: {}", fault.kind, fault.did);
        text.push_str(&format!("<p class=\"violated\">fault {}</p>\n", escaped(&line)));
    }
    if !exchange.work_done {
        text.push_str("<p>the console did not do what was asked</p>\n");
    }
    let status = format!("{} {}", exchange.status, exchange.reason);
    text.push_str(&message(status.trim_end(), &exchange.response_headers, &exchange.response_body));
    text
}

/// A message as it crossed the wire: its first line, its heads, its body.
fn message(first: &str, heads: &[HeadLine], body: &BodyText) -> String {
    let mut lines = vec![escaped(first)];
    lines.extend(heads.iter().map(|(name, value)| escaped(&format!("{name}: {value}"))));
    let (text, note) = match body {
        BodyText::Empty => ("", String::new()),
        BodyText::SameAs(id) => ("", format!("(the body recorded as {id})")),
        BodyText::Text(text) => {
            let left = text.len().saturating_sub(BODY_SHOWN);
            (
                text.as_str(),
                if left > 0 { format!("({left} bytes more: in the ledger)") } else { String::new() },
            )
        }
        BodyText::Cut { length, hash, start } => {
            (start.as_str(), format!("(of {length} bytes; SHA-256 begins with {hash})"))
        }
    };
    if !text.is_empty() {
        lines.push(String::new());
        lines.push(lines_of(beginning(text, BODY_SHOWN)));
    }
    if !note.is_empty() {
        lines.push(escaped(&note));
    }
    format!("<pre tabindex=\"0\">{}</pre>\n", lines.join("\n"))
}

//! [`When`]: which requests a planned fault waits for.
//!
//! All of its conditions must hold. What a condition looks at decides how repeatable it is: the resource's own
//! occurrences, calls, ticks and states are the same at any concurrency; occurrences of a whole endpoint, earlier faults
//! and caps depend on the order of arrival within the session; times and connections on more than that.

use std::fmt;
use std::ops::Range;
use std::str::FromStr;
use std::time::Duration;

use super::planned::{Nth, Of};
use crate::profile::{Lifecycle, hits, wildcard};
use crate::seed::Ratio;
use crate::timeline::Phase;

/// When a planned fault fires.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct When {
    /// Which requests it waits for: the full id of their endpoint, or method and path of what no profile knows, in which
    /// `*` is any segment and `**` any number of them; `None` is any request.
    pub endpoint: Option<String>,
    /// On which occurrences.
    pub nth: Nth,
    /// What is counted.
    pub of: Of,
    /// On which calls of a resource: the same request repeated at once is one call.
    pub call: Option<Nth>,
    /// In which session; `*` stands for any part of its name.
    pub session: Option<String>,
    /// About which resource, as its path without `/api`; `*` stands for any part of it.
    pub resource: Option<String>,
    /// Parameters that the query must carry, with their decoded value, if one is given.
    pub query: Vec<(String, Option<String>)>,
    /// The state that the answer would show: as it is spelt there, or as the phase it stands for (`waiting`, `working`,
    /// `partial`, `done`, `failed`, `cancelled`).
    pub state: Option<String>,
    /// At which ticks of the task, the first being 0.
    pub tick: Option<Span>,
    /// How many milliseconds after the start.
    pub since_start_ms: Option<Span>,
    /// Only after the planned fault of this name has fired in the session.
    pub after: Option<String>,
    /// On which connections of the listener.
    pub connection: Option<Nth>,
    /// The chance on each of them; `None` is always.
    pub chance: Option<Ratio>,
    /// At most so many times in a session.
    pub most: Option<u32>,
}

impl Default for When {
    /// Any request, each time.
    fn default() -> Self {
        Self {
            endpoint: None,
            nth: Nth::ALL,
            of: Of::default(),
            call: None,
            session: None,
            resource: None,
            query: Vec::new(),
            state: None,
            tick: None,
            since_start_ms: None,
            after: None,
            connection: None,
            chance: None,
            most: None,
        }
    }
}

/// What is known of a request when faults are chosen for it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Moment<'a> {
    /// The session's name.
    pub(crate) session: &'a str,
    /// The endpoint's full id, or method and path where no profile knows it.
    pub(crate) place: &'a str,
    /// Method and raw path as sent.
    pub(crate) asked: &'a str,
    /// What is counted.
    pub(crate) resource: &'a str,
    /// The decoded parameters of the query.
    pub(crate) query: &'a [(String, String)],
    /// Which occurrence it is, of the resource and of the endpoint, and which call.
    pub(crate) nth: (u32, u32, u32),
    /// The tick, if a task is polled.
    pub(crate) tick: Option<u32>,
    /// The state that the answer shows, once that is known.
    pub(crate) state: Option<(&'a str, Option<&'a Lifecycle>)>,
    /// The time since the start.
    pub(crate) at: Duration,
    /// On which connection of the listener, if there is one.
    pub(crate) connection: Option<u64>,
}

impl When {
    /// Whether such a request is meant, whichever time it is asked; but for its state, which is known later.
    pub(crate) fn is_aimed_at(&self, moment: &Moment<'_>) -> bool {
        let carries = |(name, value): &(String, Option<String>)| {
            let same = |(key, other): &(String, String)| {
                key == name && value.as_ref().is_none_or(|value| value == other)
            };
            moment.query.iter().any(same)
        };
        self.endpoint.as_deref().is_none_or(|aim| hits(aim, moment.place, moment.asked))
            && self.session.as_deref().is_none_or(|name| wildcard(name, moment.session))
            && self.resource.as_deref().is_none_or(|path| wildcard(path, without_method(moment.resource)))
            && self.query.iter().all(carries)
    }

    /// Whether it is the right time: the occurrence, the call, the tick, the state, the clock. Chance apart.
    pub(crate) fn is_the_time(&self, moment: &Moment<'_>) -> bool {
        let (of_resource, of_endpoint, call) = moment.nth;
        let nth = if self.of == Of::Endpoint { of_endpoint } else { of_resource };
        let state = |wanted: &str| moment.state.is_some_and(|(state, life)| is_state(wanted, state, life));
        self.nth.holds(nth)
            && self.call.is_none_or(|calls| calls.holds(call))
            && self.tick.is_none_or(|ticks| moment.tick.is_some_and(|tick| ticks.holds(tick.into())))
            && self.since_start_ms.is_none_or(|window| window.holds(millis(moment.at)))
            && self.connection.is_none_or(|these| moment.connection.is_some_and(|it| is_one(these, it)))
            && self.state.as_deref().is_none_or(state)
    }

    /// Whether a connection is meant: the listener's `connection`th, which came at `at`.
    pub(crate) fn is_about(&self, connection: u64, at: Duration) -> bool {
        self.connection.is_none_or(|these| is_one(these, connection))
            && self.since_start_ms.is_none_or(|window| window.holds(millis(at)))
    }

    /// Whether what it looks at moves on although nothing is asked: the clock.
    pub(crate) fn depends_on_time(&self) -> bool {
        self.since_start_ms.is_some()
    }

    /// Whether which requests it meets depends on the order in which those of several resources arrive, or on the time. A
    /// fault's own quota apart: [`super::PlannedFault::depends_on_order`].
    pub(super) fn depends_on_order(&self) -> bool {
        self.of == Of::Endpoint
            || self.after.is_some()
            || self.most.is_some()
            || self.connection.is_some()
            || self.depends_on_time()
    }
}

/// Whether a connection is one of these.
fn is_one(these: Nth, connection: u64) -> bool {
    these.holds(u32::try_from(connection).unwrap_or(u32::MAX))
}

/// The milliseconds of a time.
fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

/// What no profile knows is counted by method and path.
fn without_method(resource: &str) -> &str {
    match resource.split_once(' ') {
        Some((method, path)) if !method.is_empty() && method.bytes().all(|b| b.is_ascii_uppercase()) => path,
        _ => resource,
    }
}

fn is_state(wanted: &str, state: &str, life: Option<&Lifecycle>) -> bool {
    let phase = || PHASES.iter().find(|(word, _)| *word == wanted).map(|(_, phase)| *phase);
    wanted == state || life.is_some_and(|life| phase().is_some_and(|phase| life.phase(state) == Some(phase)))
}

/// The phases by the words of a scenario.
pub(crate) const PHASES: [(&str, Phase); 6] = [
    ("waiting", Phase::Waiting),
    ("working", Phase::Working),
    ("partial", Phase::Partial),
    ("done", Phase::Done),
    ("failed", Phase::Failed),
    ("cancelled", Phase::Cancelled),
];

/// Numbers from the first up to and with the last; without a last, for ever. Written `"3"`, `"0-3"` or `"3-"`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// The first.
    pub first: u64,
    /// The last; `None` is for ever.
    pub last: Option<u64>,
}

impl Span {
    /// The time in which so many milliseconds are over.
    pub fn as_time(self) -> Range<Duration> {
        let ms = Duration::from_millis;
        ms(self.first)..self.last.map_or(Duration::MAX, |last| ms(last.saturating_add(1)))
    }

    /// Whether `number` is one of them.
    pub fn holds(self, number: u64) -> bool {
        number >= self.first && self.last.is_none_or(|last| number <= last)
    }
}

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.last {
            None => write!(f, "{}-", self.first),
            Some(last) if last == self.first => write!(f, "{last}"),
            Some(last) => write!(f, "{}-{last}", self.first),
        }
    }
}

/// Why a text is not a [`Span`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SpanError {
    /// It has none of the three forms.
    #[error("neither a number nor a range of numbers")]
    Form,
    /// It ends before it starts.
    #[error("the range ends before it starts")]
    Backwards,
}

impl FromStr for Span {
    type Err = SpanError;

    fn from_str(text: &str) -> Result<Self, SpanError> {
        let number = |part: &str| {
            let is_plain = !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
            if is_plain { part.parse::<u64>().map_err(|_| SpanError::Form) } else { Err(SpanError::Form) }
        };
        let (first, last) = match text.split_once('-') {
            None => (number(text)?, Some(number(text)?)),
            Some((first, "")) => (number(first)?, None),
            Some((first, last)) => (number(first)?, Some(number(last)?)),
        };
        if last.is_some_and(|last| last < first) {
            return Err(SpanError::Backwards);
        }
        Ok(Self { first, last })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn moment() -> Moment<'static> {
        Moment {
            session: "main",
            place: "GET /x/{id}",
            asked: "GET /api/x/7",
            resource: "/x/7",
            query: &[],
            nth: (2, 5, 1),
            tick: Some(1),
            state: None,
            at: Duration::from_millis(2_500),
            connection: Some(3),
        }
    }

    #[test]
    fn a_span_is_a_number_or_a_range_and_begins_at_0() {
        for (text, inside, outside) in [("0", 0, 1), ("2-4", 4, 5), ("3-", 1_000_000, 2)] {
            let span: Span = text.parse().unwrap();
            assert!(span.holds(inside) && !span.holds(outside) && span.to_string() == text, "{text}");
        }
        for none in ["", "-", "-3", "a", "1.5", "+1", "1-2-3", "99999999999999999999"] {
            assert_eq!(none.parse::<Span>(), Err(SpanError::Form), "{none}");
        }
        assert_eq!("4-2".parse::<Span>(), Err(SpanError::Backwards));
    }

    #[test]
    fn each_condition_holds_and_fails_by_itself() {
        let query = [("status".to_owned(), "CLOSED".to_owned())];
        let moment = Moment { query: &query, state: Some(("EXECUTE", None)), ..moment() };
        let span = |text: &str| Some(text.parse::<Span>().unwrap());
        let nth = |text: &str| text.parse::<Nth>().unwrap();
        let text = |text: &str| Some(text.to_owned());
        let of_query = |name: &str, value: Option<&str>| vec![(name.to_owned(), value.map(str::to_owned))];
        let pairs = [
            (When { nth: nth("2"), ..When::default() }, When { nth: nth("3"), ..When::default() }),
            (
                When { nth: nth("5"), of: Of::Endpoint, ..When::default() },
                When { nth: nth("2"), of: Of::Endpoint, ..When::default() },
            ),
            (
                When { call: Some(nth("1")), ..When::default() },
                When { call: Some(nth("2")), ..When::default() },
            ),
            (
                When { session: text("ma*"), ..When::default() },
                When { session: text("m"), ..When::default() },
            ),
            (
                When { resource: text("/x/*"), ..When::default() },
                When { resource: text("/y/*"), ..When::default() },
            ),
            (
                When { query: of_query("status", None), ..When::default() },
                When { query: of_query("Status", None), ..When::default() },
            ),
            (
                When { query: of_query("status", Some("CLOSED")), ..When::default() },
                When { query: of_query("status", Some("OPEN")), ..When::default() },
            ),
            (
                When { state: text("EXECUTE"), ..When::default() },
                When { state: text("WAIT"), ..When::default() },
            ),
            (When { tick: span("0-1"), ..When::default() }, When { tick: span("0"), ..When::default() }),
            (
                When { since_start_ms: span("2000-3000"), ..When::default() },
                When { since_start_ms: span("2501-"), ..When::default() },
            ),
            (
                When { connection: Some(nth("3")), ..When::default() },
                When { connection: Some(nth("1-2")), ..When::default() },
            ),
        ];
        for (holds, fails) in pairs {
            assert!(holds.is_aimed_at(&moment) && holds.is_the_time(&moment), "{holds:?}");
            assert!(!(fails.is_aimed_at(&moment) && fails.is_the_time(&moment)), "{fails:?}");
        }
    }

    #[test]
    fn what_no_profile_knows_is_a_resource_by_its_path() {
        let when = When { resource: Some("/console/*".to_owned()), ..When::default() };
        assert!(when.is_aimed_at(&Moment { resource: "POST /console/do", ..moment() }));
    }
}

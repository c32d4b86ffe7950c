//! A fault with when it fires.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use super::Scenario;
use super::when::{Moment, When};
use crate::fault::{Fault, Greets};
use crate::seed::{Ratio, Seed};

/// A fault with when it fires.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlannedFault {
    /// Its name, unique in the scenario, if it has one.
    pub name: Option<String>,
    /// When it fires.
    pub when: When,
    /// Whether a run in which it never fires is fine.
    pub optional: bool,
    /// What happens.
    pub inject: Fault,
    /// What its draws depend on: its name, else a hash of all that says what it does and when, with an ordinal among
    /// equals. So a new fault never changes the draws of another.
    pub key: String,
}

/// What occurrences are counted over.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Of {
    /// Each resource by itself: the same at any concurrency.
    #[default]
    Resource,
    /// All resources of the endpoint together: depends on the order of arrival, and is marked so.
    Endpoint,
}

impl Of {
    pub(super) const WORDS: [(&'static str, Self); 2] =
        [("resource", Self::Resource), ("endpoint", Self::Endpoint)];
}

/// Which occurrences, counted from 1: `"3"`, `"2-4"`, `"3-"` or `"every 3"`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Nth {
    /// From the first up to and with the second; without a second, for ever.
    Between(u32, Option<u32>),
    /// Every third, for 3: the 3rd, the 6th, the 9th.
    Every(u32),
}

impl Nth {
    /// Every occurrence.
    pub const ALL: Self = Self::Between(1, None);

    /// Whether occurrence `n`, from 1, is one of them.
    pub fn holds(self, n: u32) -> bool {
        match self {
            Self::Between(first, last) => n >= first && last.is_none_or(|last| n <= last),
            Self::Every(step) => n > 0 && n.checked_rem(step) == Some(0),
        }
    }
}

impl fmt::Display for Nth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Between(first, None) => write!(f, "{first}-"),
            Self::Between(first, Some(last)) if first == last => write!(f, "{first}"),
            Self::Between(first, Some(last)) => write!(f, "{first}-{last}"),
            Self::Every(step) => write!(f, "every {step}"),
        }
    }
}

/// Why a text is not an [`Nth`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NthError {
    /// It has none of the four forms.
    #[error("not an occurrence")]
    Form,
    /// It counts from 0.
    #[error("occurrences count from 1")]
    Zero,
    /// The range ends before it starts.
    #[error("the range ends before it starts")]
    Backwards,
}

impl FromStr for Nth {
    type Err = NthError;

    fn from_str(text: &str) -> Result<Self, NthError> {
        let number = |part: &str| {
            let is_plain = !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
            let number = if is_plain { part.parse::<u32>().ok() } else { None };
            match number {
                None => Err(NthError::Form),
                Some(0) => Err(NthError::Zero),
                Some(number) => Ok(number),
            }
        };
        if let Some(step) = text.strip_prefix("every ") {
            return number(step.trim_start()).map(Self::Every);
        }
        match text.split_once('-') {
            None => number(text).map(|only| Self::Between(only, Some(only))),
            Some((first, "")) => number(first).map(|first| Self::Between(first, None)),
            Some((first, last)) => match (number(first)?, number(last)?) {
                (first, last) if first <= last => Ok(Self::Between(first, Some(last))),
                _ => Err(NthError::Backwards),
            },
        }
    }
}

impl PlannedFault {
    /// Whether it fires on occurrence `nth` (from 1, counted as [`Of`] says) of this endpoint and resource, as far as
    /// nothing else is asked of a request. The answer depends on nothing else, so it is the same at any concurrency.
    pub fn fires(&self, seed: Seed, session: &str, endpoint: &str, resource: &str, nth: u32) -> bool {
        let moment = Moment {
            session,
            place: endpoint,
            asked: endpoint,
            resource,
            query: &[],
            nth: (nth, nth, nth),
            tick: None,
            state: None,
            at: Duration::ZERO,
            connection: None,
        };
        self.fires_at(seed, &moment)
    }

    /// Whether it fires at this moment, as far as the session's own past does not matter.
    pub(crate) fn fires_at(&self, seed: Seed, moment: &Moment<'_>) -> bool {
        self.when.is_aimed_at(moment) && self.when.is_the_time(moment) && self.is_drawn(seed, moment)
    }

    /// Whether it fires on the listener's `connection`th connection, which came at `at`; the answer depends on nothing else.
    pub(crate) fn fires_on(&self, seed: Seed, session: &str, connection: u64, at: Duration) -> bool {
        self.inject.is_of_connections()
            && self.when.is_about(connection, at)
            && self.when.chance.is_none_or(|chance| {
                seed.stream(&[session, &self.key, "connection", &connection.to_string()]).chance(chance)
            })
    }

    /// Whether chance has it fire. The draw belongs to the occurrence that is counted, whatever else happens.
    fn is_drawn(&self, seed: Seed, moment: &Moment<'_>) -> bool {
        let Some(chance) = self.when.chance else { return true };
        let (of_resource, of_endpoint, _) = moment.nth;
        let nth = if self.when.of == Of::Endpoint { of_endpoint } else { of_resource };
        let key = [moment.session, &self.key, moment.place, moment.resource, &nth.to_string()];
        seed.stream(&key).chance(chance)
    }

    /// Whether which requests it meets depends on the order in which those of several resources arrive, or on the time. A
    /// quota counts whatever is aimed at in a window of time: who comes first is answered.
    pub fn depends_on_order(&self) -> bool {
        self.when.depends_on_order() || self.inject.quota().is_some()
    }

    /// What it is called in ledgers: its name, or all of it in a line.
    pub(crate) fn title(&self) -> String {
        self.name.clone().unwrap_or_else(|| self.to_string())
    }

    /// Whether a run in which it never fired is inconclusive: it is not optional, has no chance and some strength.
    pub fn must_fire(&self) -> bool {
        self.when.chance.is_none() && self.must_fire_somewhere()
    }

    /// Whether anything about it is drawn from the seed.
    pub fn draws(&self) -> bool {
        let is_open = |chance: Ratio| !chance.is_never() && !chance.is_always();
        self.when.chance.is_some_and(is_open) || self.inject.draws()
    }

    /// Whether a whole matrix of runs in which it never fired is inconclusive: as [`Self::must_fire`], faults with a
    /// chance included, unless that chance is none.
    pub fn must_fire_somewhere(&self) -> bool {
        !self.optional && !self.inject.is_identity() && !self.when.chance.is_some_and(Ratio::is_never)
    }
}

impl Scenario {
    /// Whether it needs a listener that speaks TLS.
    pub fn needs_tls(&self) -> bool {
        self.of_handshakes().next().is_some()
    }

    /// What is planned for TLS handshakes.
    pub(crate) fn of_handshakes(&self) -> impl Iterator<Item = &PlannedFault> {
        let is_of_them =
            |planned: &&PlannedFault| planned.inject.greets().and_then(Greets::trouble).is_some();
        self.faults.iter().filter(is_of_them)
    }

    /// What one of its planned faults is called where several scenarios are told of.
    pub(crate) fn title_of(&self, planned: &PlannedFault) -> String {
        format!("{}: {}", self.name, planned.title())
    }
}

impl fmt::Display for PlannedFault {
    /// One line, as `--fault` takes it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&super::one_line::written(self))
    }
}

//! Trouble that is drawn: plans of faults over what a command was seen to ask for, and the smallest of one that fails.
//!
//! - [`Seen`] is what a command asks for where nothing goes wrong
//! - `draw` makes the plan of a seed, as a swarm: few kinds of faults at a time, drawn from the fault table
//! - `shrink` takes out of a plan whatever it fails without

mod draw;
mod shrink;

use std::collections::BTreeMap;

pub use draw::plan;
pub use shrink::{Budget, Tries, smallest};

use crate::ledger::{Line, Origin};
use crate::profile::Profile;
use crate::scenario::{PlannedFault, Scenario};

/// What a command asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Seen {
    /// By the id of its endpoint, or by method and path where no profile knows one: how often the most asked for resource of it
    /// was asked for.
    places: BTreeMap<String, u32>,
}

impl Seen {
    /// What the exchanges of a ledger show; what no recording answers is left out.
    pub fn of(lines: &[Line]) -> Self {
        let mut seen = Self::default();
        for line in lines {
            let Line::Exchange(exchange) = line else { continue };
            if matches!(exchange.origin, Origin::Miss { .. }) {
                continue;
            }
            let key = &exchange.key;
            let place = if key.endpoint.is_empty() { &key.resource } else { &key.endpoint };
            let most = seen.places.entry(place.clone()).or_default();
            *most = (*most).max(key.nth);
        }
        seen
    }

    /// How many places there are.
    pub fn len(&self) -> usize {
        self.places.len()
    }

    /// Whether nothing was asked for.
    pub fn is_empty(&self) -> bool {
        self.places.is_empty()
    }

    /// What was asked for, by short names.
    pub fn names(&self) -> Vec<String> {
        self.places.keys().map(|place| short(place)).collect()
    }
}

/// The name of an endpoint that a person writes, if it has one.
fn short(place: &str) -> String {
    let profile = Profile::builtin();
    match profile.endpoint(place) {
        Some(endpoint) => profile.short_name(&endpoint.id),
        None => place.to_owned(),
    }
}

/// A planned fault as `--fault` takes it, with the short name of its endpoint.
pub fn in_a_line(planned: &PlannedFault) -> String {
    let whole = planned.to_string();
    let Some(place) = &planned.when.endpoint else { return whole };
    let line = whole.replacen(&format!("@{place}"), &format!("@{}", short(place)), 1);
    let is_it = |read: Scenario| read.faults.first().is_some_and(|it| it.to_string() == whole);
    let read = Scenario::of_faults(std::slice::from_ref(&line), Profile::builtin());
    if read.is_ok_and(is_it) { line } else { whole }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ledger::{Exchange, ExchangeKey};

    fn asked(endpoint: &str, resource: &str, nth: u32, origin: Origin) -> Line {
        let key = ExchangeKey {
            endpoint: endpoint.into(),
            resource: resource.into(),
            nth,
            ..ExchangeKey::default()
        };
        Line::Exchange(Box::new(Exchange { key, origin, ..Exchange::default() }))
    }

    #[test]
    fn what_was_answered_is_seen_with_how_often() {
        let miss = Origin::Miss { cause: "x".into(), nearest: Vec::new() };
        let tasks = "GET /forensics/case_management/case_create_tasks/{id}";
        let lines = [
            asked(tasks, "/a/1", 1, Origin::default()),
            asked(tasks, "/a/2", 1, Origin::default()),
            asked(tasks, "/a/1", 2, Origin::default()),
            asked("", "GET /console/x", 1, Origin::default()),
            asked("GET /siem/offenses", "/siem/offenses", 1, miss),
        ];
        let seen = Seen::of(&lines);
        assert_eq!(seen.places, BTreeMap::from([(tasks.to_owned(), 2), ("GET /console/x".to_owned(), 1)]));
        assert_eq!(seen.names(), ["GET /console/x", "case_create_tasks.get"]);
    }

    #[test]
    fn a_line_has_the_short_name_and_means_the_same() {
        let profile = Profile::builtin();
        let of = |line: &str| Scenario::of_faults(&[line.to_owned()], profile).unwrap().faults.remove(0);
        let planned = of("latency:30@GET /forensics/case_management/case_create_tasks/{id}#2?optional");
        let line = in_a_line(&planned);
        assert_eq!(line, "latency:30@case_create_tasks.get#2?optional");
        assert_eq!(of(&line), planned);
        assert_eq!(in_a_line(&of("connection-reset?connection=1")), "connection-reset?connection=1");
    }
}

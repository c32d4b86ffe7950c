//! What a judgement reached: which laws were put to the test, by which jobs, under which faults, over which states.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// What a judgement reached, over all of its cases.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CoverageLine {
    /// The client.
    pub client: String,
    /// What put each law to the test, a row for each job.
    pub laws: Vec<LawCoverage>,
    /// Laws that the client can be judged by and that no case put to the test.
    pub laws_not_reached: Vec<String>,
    /// The states of tasks that the client was shown: `waiting`, `partial`.
    pub states: Reached,
    /// The kinds of faults that its answers met, of those that can befall what it asks.
    pub faults: Reached,
    /// What the drawn cases were like.
    pub drawn: DrawnCoverage,
}

/// Of a known number of things, those that were reached and those that were not.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reached {
    /// Those that were.
    pub reached: Vec<String>,
    /// Those that were not.
    pub missing: Vec<String>,
}

/// How often a law was put to the test in a job.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LawCoverage {
    /// The property's id.
    pub property: String,
    /// The job.
    pub job: String,
    /// Cases that were judged by it.
    pub judged: u64,
    /// Those of them that put it to the test.
    pub cases: u64,
    /// Those that broke it. `cases` divided by this is the mean number of cases to a detection.
    pub broken: u64,
    /// In how many of the cases that put it to the test each kind of fault fired.
    pub faults: BTreeMap<String, u64>,
    /// In how many of them each state of a task was shown.
    pub states: BTreeMap<String, u64>,
}

/// What the drawn cases were like.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DrawnCoverage {
    /// How many there were.
    pub cases: u64,
    /// Those with faults.
    pub disturbed: u64,
    /// Those that ask for the whole resource.
    pub whole: u64,
    /// Those whose selector has brackets: it is at least two levels deep.
    pub deep: u64,
    /// Those with text beyond ASCII in the resource or in a name.
    pub unicode: u64,
    /// Those with an empty text, an empty list or `null` in the resource.
    pub empty: u64,
    /// Those in which an answer was an error.
    pub errors: u64,
    /// The most names on one level of a selector.
    pub widest: u64,
    /// The most levels of a selector.
    pub deepest: u64,
}

impl CoverageLine {
    /// How many laws were put to the test, and how many there are for this client.
    pub fn laws_reached(&self) -> (usize, usize) {
        let mut reached: Vec<&str> =
            self.laws.iter().filter(|law| law.cases > 0).map(|law| law.property.as_str()).collect();
        reached.dedup();
        (reached.len(), reached.len() + self.laws_not_reached.len())
    }
}

impl Reached {
    /// How many were reached, and how many there are.
    pub fn counts(&self) -> (usize, usize) {
        (self.reached.len(), self.reached.len() + self.missing.len())
    }
}

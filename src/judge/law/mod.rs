//! The laws: one file a property, called by its id, and the table of them all.
//!
//! Ids are public: scenarios name them in `must.hold`, and `faultdeck explain` tells of them. A law judges what crossed
//! the wire and what the client reported. It starts nothing, and knows neither the engine nor the replay.

mod asks_for_what_it_was_told;
mod creates_once;
mod creates_what_it_was_told;
mod heeds_deprecation;
mod invents_nothing;
mod keeps_secrets;
mod keeps_the_session;
mod names_the_error;
mod pages_through;
mod partial_is_usable_not_done;
mod patient_not_greedy;
mod reports_what_it_got;
mod right_address;
mod says_what_it_heard;
mod selector_laws;
mod survives_the_unrequested;
pub(super) mod terminates;
mod verifies_tls;

use crate::client::JobKind;
use crate::judge::case::{Case, Run};
use crate::judge::verdict::Verdict;
use crate::judge::wire::Suite;

/// A law that a client of the API keeps, how it is put to the test, and how a run is judged by it.
///
/// Judging is pure: it sees what crossed the wire and what the client reported, and nothing else. Whatever runs cases
/// reads these columns; no list of properties stands anywhere else.
#[derive(Clone, Copy, Debug)]
pub struct Property {
    /// Its public id.
    pub id: &'static str,
    /// The law in one sentence.
    pub summary: &'static str,
    /// The law at length: what breaks it, what does not, and why it matters.
    pub long: &'static str,
    /// The jobs that put it to the test. The first one that a client does is run for its sake; in the others it is
    /// judged along when they are run. A client that does none of them is not judged by it.
    pub jobs: &'static [JobKind],
    /// Further jobs that are judged by it where they are run for another's sake. A client that does these alone is not
    /// asked for it, but where one of them breaks it.
    pub along: &'static [JobKind],
    /// What it needs of the client's report.
    pub report: Needs,
    /// Whether generated cases put it to the test.
    pub generated: bool,
    /// What its cases are told, if only stories put it to the test: no generated case asks for it then.
    pub story: Option<Story>,
    /// Further cases whose runs are judged together with that of the case itself. They need a task of the case's own.
    pub variants: Option<fn(&Case) -> Vec<Case>>,
    /// Whether breaking it counts in every story: nothing that goes wrong excuses it, whatever the story asks for.
    pub everywhere: bool,
    /// How much of something is still no violation.
    pub limits: &'static [Limit],
    /// The answer for the runs of a case and its variants, the case itself first.
    pub judge: fn(&[Run]) -> Verdict,
    /// The first violation that the requests of a whole test suite show: its place, and why it is one. Without it, the
    /// wire alone does not show the property.
    pub in_a_suite: Option<InASuite>,
}

/// Judges the requests of a whole test suite: the place of the first violation, and why it is one.
pub type InASuite = fn(&Suite<'_>) -> Option<(usize, String)>;

/// What the cases of a property that only stories put to the test are told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Story {
    /// How many milliseconds to leave between polls, at least.
    pub pace_ms: u64,
}

/// What a property needs of a client's report.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Needs {
    /// Nothing: the wire shows it.
    Nothing,
    /// The outcome: done, not found, given up.
    Outcome,
    /// The resource it got.
    Resource,
}

/// How much of something is still no violation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limit {
    /// How much.
    pub most: u32,
    /// Of what.
    pub of: &'static str,
}

/// The pace of a case that is not about pace, in milliseconds.
pub(super) const USUAL_PACE_MS: u64 = 1;

/// Every property, in the order reports show them.
pub static PROPERTIES: &[&Property] = &[
    &asks_for_what_it_was_told::PROPERTY,
    &right_address::PROPERTY,
    &reports_what_it_got::PROPERTY,
    &invents_nothing::PROPERTY,
    &survives_the_unrequested::PROPERTY,
    &selector_laws::PROPERTY,
    &names_the_error::PROPERTY,
    &terminates::PROPERTY,
    &partial_is_usable_not_done::PROPERTY,
    &says_what_it_heard::PROPERTY,
    &pages_through::PROPERTY,
    &creates_what_it_was_told::PROPERTY,
    &creates_once::PROPERTY,
    &patient_not_greedy::PROPERTY,
    &keeps_secrets::PROPERTY,
    &verifies_tls::PROPERTY,
    &keeps_the_session::PROPERTY,
    &heeds_deprecation::PROPERTY,
];

/// The property with this id.
pub fn property(id: &str) -> Option<&'static Property> {
    PROPERTIES.iter().copied().find(|property| property.id == id)
}

impl Property {
    /// How many milliseconds a client is told to leave between polls where this is put to the test. Where nothing is
    /// said of it, cases are fast.
    pub(super) fn pace_ms(&self) -> u64 {
        self.story.map_or(USUAL_PACE_MS, |story| story.pace_ms)
    }

    /// Whether a case of this job is judged by it.
    pub(super) fn judges(&self, job: JobKind) -> bool {
        self.jobs.contains(&job) || self.along.contains(&job)
    }

    /// The job that is run for its sake with a client that does these jobs.
    pub(super) fn job_among(&self, jobs: &[JobKind]) -> Option<JobKind> {
        self.jobs.iter().copied().find(|job| jobs.contains(job))
    }
}

/// An id is one property's.
impl PartialEq for Property {
    fn eq(&self, other: &Self) -> bool {
        self.id == other.id
    }
}

impl Eq for Property {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_is_whole_and_ids_are_unique() {
        for (index, property) in PROPERTIES.iter().enumerate() {
            assert!(!PROPERTIES[..index].contains(property), "{} twice", property.id);
            assert!(!property.jobs.is_empty() && property.summary.ends_with('.'), "{}", property.id);
            // Generated cases are `get` cases, and only they have a task of their own to vary.
            let is_of_get = property.judges(JobKind::Get);
            assert!(is_of_get || !(property.generated || property.variants.is_some()), "{}", property.id);
            assert!(!property.generated || property.story.is_none(), "{}", property.id);
            assert!(property.in_a_suite.is_none() || property.report != Needs::Resource, "{}", property.id);
        }
    }

    #[test]
    fn the_first_job_that_a_client_does_is_run() {
        let address = property("right-address").unwrap();
        assert_eq!(address.job_among(&JobKind::ALL), Some(JobKind::Get));
        assert_eq!(address.job_among(&[JobKind::Create, JobKind::Wait]), Some(JobKind::Wait));
        assert_eq!(property("creates-once").unwrap().job_among(&[JobKind::Get]), None);
    }

    #[test]
    fn a_law_about_pace_is_put_to_the_test_at_a_pace_and_every_other_one_fast() {
        assert!(
            property("patient-not-greedy").unwrap().pace_ms() >= 10,
            "a shorter one cannot be told from none"
        );
        assert_eq!(property("reports-what-it-got").unwrap().pace_ms(), USUAL_PACE_MS);
        assert_eq!(property("keeps-the-session").unwrap().pace_ms(), USUAL_PACE_MS);
    }

    #[test]
    fn a_job_is_judged_by_the_laws_that_name_it_and_by_no_other() {
        let judges = |id: &str, job| property(id).unwrap().judges(job);
        assert!(judges("terminates", JobKind::Wait) && judges("terminates", JobKind::Get), "along, too");
        assert!(!judges("creates-once", JobKind::Get) && !judges("terminates", JobKind::Send));
        assert_eq!(
            property("terminates"),
            Some(PROPERTIES.iter().copied().find(|it| it.id == "terminates").unwrap())
        );
        assert_ne!(property("terminates"), property("creates-once"));
    }
}

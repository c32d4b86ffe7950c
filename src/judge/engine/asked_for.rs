//! Each law is asked for of each job that it can judge: by a story and by a generated case, or here stands why not.

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::sync::{Arc, Mutex, PoisonError};

    use super::super::keep::Keeper;
    use super::super::plan::Plan;
    use super::super::unit::{self, Unit};
    use crate::cassette::FILE_MAX_BYTES;
    use crate::client::{Client, InProcess, JobKind, Outcome};
    use crate::judge::law::PROPERTIES;
    use crate::replay::{Evidence, evidence_of};
    use crate::scenario::Scenario;

    /// The jobs that have an endpoint of their own. Where `send` goes, a client file says, and no story can know.
    const USUAL: [JobKind; 3] = [JobKind::Get, JobKind::Wait, JobKind::Create];

    /// Of which jobs nothing asks for a law: law, jobs, why.
    type Excuse = (&'static str, &'static [JobKind], &'static str);

    /// No story that travels with the program.
    const NO_STORY: &[Excuse] = &[(
        "verifies-tls",
        &[JobKind::Create],
        "A handshake comes before anything is asked: a look and a wait show all that a creation would.",
    )];
    /// No such story in which nothing goes wrong.
    const NO_CLEAN_STORY: &[Excuse] = &[
        (
            "survives-the-unrequested",
            &[JobKind::Get],
            "Its answers are altered, by generated cases or by faults.",
        ),
        ("selector-laws", &[JobKind::Get], "It runs a case several times: generated ones."),
        ("names-the-error", &USUAL, "There has to be an error."),
        ("creates-once", &[JobKind::Create], "The answer to a creation has to be lost."),
        (
            "patient-not-greedy",
            &[JobKind::Get],
            "Who looks once has nothing to be patient about, unless the look fails.",
        ),
        ("verifies-tls", &USUAL, "There has to be a wrong certificate."),
        ("heeds-deprecation", &USUAL, "An answer has to say that a version is deprecated."),
    ];
    /// No generated case.
    const NOT_GENERATED: &[Excuse] = &[
        (
            "patient-not-greedy",
            &[JobKind::Wait, JobKind::Create, JobKind::Get],
            "Generated cases are told to be fast.",
        ),
        ("verifies-tls", &USUAL, "A case is generated for a client that has its connection."),
        (
            "keeps-the-session",
            &[JobKind::Wait, JobKind::Create, JobKind::Get],
            "It rests on no value that could be drawn: one story shows it.",
        ),
        ("heeds-deprecation", &USUAL, "It gives advice alone: one story shows it."),
    ];

    fn client() -> impl Client {
        InProcess::new("any", |_| std::future::ready(Outcome::GaveUp)).with_jobs(&USUAL)
    }

    fn plan() -> Plan {
        // Each cassette is read once.
        let read: Mutex<BTreeMap<String, Evidence>> = Mutex::default();
        Plan::new(Arc::new(move |scenario| {
            let mut read = read.lock().unwrap_or_else(PoisonError::into_inner);
            let name = format!("{:?}", scenario.source);
            if let Some(evidence) = read.get(&name) {
                return Ok(evidence.clone());
            }
            let evidence =
                evidence_of(Some(scenario), None, FILE_MAX_BYTES).map_err(|error| error.to_string())?;
            read.insert(name, evidence.clone());
            Ok(evidence)
        }))
    }

    /// Whether a unit asks for a law of a job: it judges a case of that job by it, and what it finds counts.
    fn asks(plan: &Plan, unit: &Unit, id: &str, job: JobKind) -> bool {
        let keeper = Keeper::new(plan, unit, "any");
        unit.trials.iter().filter(|trial| trial.case.job == job).any(|trial| {
            trial.properties.iter().any(|property| property.id == id && keeper.is_required(property))
        })
    }

    /// The laws and jobs that nothing among these asks for.
    fn unasked(units: &[Unit]) -> Vec<(&'static str, JobKind)> {
        let plan = plan();
        let pairs = PROPERTIES
            .iter()
            .flat_map(|property| property.jobs.iter().chain(property.along).map(|job| (property.id, *job)))
            .filter(|(_, job)| USUAL.contains(job));
        pairs.filter(|(id, job)| !units.iter().any(|unit| asks(&plan, unit, id, *job))).collect()
    }

    fn excused(excuses: &[Excuse]) -> Vec<(&'static str, JobKind)> {
        assert!(excuses.iter().all(|(_, _, why)| why.ends_with('.')), "each says why");
        excuses.iter().flat_map(|(id, jobs, _)| jobs.iter().map(|job| (*id, *job))).collect()
    }

    /// All stories, those about handshakes, too.
    fn stories() -> Vec<Arc<Scenario>> {
        let plan = plan().over_http();
        plan.scenarios.into_iter().chain(plan.left_out).collect()
    }

    #[test]
    fn a_story_asks_for_each_law_of_each_job_that_it_judges() {
        let (plan, client) = (plan(), client());
        let stories = stories();
        let made = stories.iter().map(|scenario| unit::of_scenario(&plan, scenario, &client).unwrap());
        assert_eq!(unasked(&made.collect::<Vec<_>>()), excused(NO_STORY));
    }

    #[test]
    fn a_story_in_which_nothing_goes_wrong_asks_of_each_job_what_needs_no_trouble() {
        let (plan, client) = (plan(), client());
        let stories = stories();
        let clean = stories.iter().filter(|scenario| scenario.faults.is_empty());
        let made = clean.map(|scenario| unit::of_scenario(&plan, scenario, &client).unwrap());
        assert_eq!(unasked(&made.collect::<Vec<_>>()), excused(NO_CLEAN_STORY));
    }

    #[test]
    fn a_generated_case_asks_for_each_law_of_each_job_that_it_judges() {
        let unit = unit::generated(&plan(), &client());
        assert_eq!(unasked(&[unit]), excused(NOT_GENERATED));
    }
}

//! Whether a client can be read at all. Each job that is to be judged is given once where nothing goes wrong. A client
//! that ends well there and whose outcome cannot be read is not broken: what starts it or reads it is. From then on an
//! outcome that cannot be read is the client's own doing, and is judged.

use super::evidence;
use super::generate::plain;
use super::plan::JudgeError;
use super::slot::Slot;
use super::trial::{Bench, Trial};
use super::unit::{Unit, dialects};
use crate::client::{Client, JobKind, Outcome};
use crate::judge::case::Case;
use crate::judge::law::Needs;
use crate::profile::Taken;
use crate::seed::Seed;

/// The name of the case to create.
const NAME: &str = "Case1";
/// How much of what came is shown, in characters.
const SHOWN: usize = 400;

/// What the clean cases came to, if all can be read.
pub(super) enum Adapter {
    /// Whatever the client writes is read.
    Reads,
    /// The client cannot be started: why.
    NotStarted(String),
}

/// Runs the clean case of each job of which the report matters to somebody.
pub(super) async fn check<C: Client>(
    bench: &Bench<'_, C>,
    slots: &[Slot],
    units: &[Unit],
) -> Result<Adapter, JudgeError> {
    let Some(slot) = slots.first() else { return Ok(Adapter::Reads) };
    for job in JobKind::ALL {
        let is_read = |trial: &Trial| {
            trial.case.job == job && trial.properties.iter().any(|property| property.report != Needs::Nothing)
        };
        if !units.iter().any(|unit| unit.trials.iter().any(is_read)) {
            continue;
        }
        let trial = clean(job, &dialects(bench.client).swap_remove(0), &bench.taken);
        let report = bench.run(slot, &trial, &trial.case, &trial.label).await.run.report;
        let why = match report.outcome {
            Outcome::NotStarted { why } => return Ok(Adapter::NotStarted(why)),
            Outcome::Silent => "there is nothing on its standard output".to_owned(),
            Outcome::Unreadable { why } => why,
            _ => continue,
        };
        let expected = bench.client.expects().to_owned();
        let came = shown(&bench.redactor.text(report.stdout.trim()));
        return Err(JudgeError::Unreadable { job, why: bench.redactor.text(&why), expected, came });
    }
    Ok(Adapter::Reads)
}

/// A task that is there and done, and a console that answers at once.
fn clean(job: JobKind, dialect: &str, taken: &Taken) -> Trial {
    let whole = plain(dialect);
    let task = whole.task.clone();
    let get = whole.case(dialect, Seed(1));
    let case = match job {
        JobKind::Get | JobKind::Wait => Case { job, ..get },
        JobKind::Create => Case { job, id: None, task: None, name: Some(NAME.to_owned()), ..get },
    };
    let evidence = (job == JobKind::Create).then(|| evidence::created(NAME, &task, taken));
    Trial { label: format!("clean/{job}"), case, evidence, properties: Vec::new(), sprout: None }
}

fn shown(text: &str) -> String {
    let start: String = text.chars().take(SHOWN).collect();
    if start.len() < text.len() { format!("{start} ...") } else { start }
}

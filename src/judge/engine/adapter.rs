//! Whether a client can be read at all. Each job that is to be judged is given once where nothing goes wrong. A client
//! that ends well there and whose outcome cannot be read is not broken: what starts it or reads it is. From then on an
//! outcome that cannot be read is the client's own doing, and is judged.

use super::generate::plain;
use super::plan::JudgeError;
use super::slot::Slot;
use super::trial::{Bench, Trial};
use super::unit::{Unit, dialects_of};
use crate::client::{Client, JobKind, Outcome};
use crate::judge::about::About;
use crate::judge::case::Case;
use crate::judge::law::Needs;
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
    for (job, about) in About::jobs(bench.client) {
        let is_read = |trial: &Trial| {
            trial.case.job == job && trial.properties.iter().any(|property| property.report != Needs::Nothing)
        };
        if !units.iter().any(|unit| unit.trials.iter().any(is_read)) {
            continue;
        }
        let Some(dialect) = dialects_of(bench.client, &about).into_iter().next() else { continue };
        let trial = clean((job, about), &dialect, bench.client.body());
        let report = bench.run_alone(slot, &trial).await.run.report;
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
fn clean((job, about): (JobKind, About), dialect: &str, body: Option<&str>) -> Trial {
    let case = plain(&about, dialect).case((job, about), dialect, Seed(1));
    let name = (job == JobKind::Create).then(|| NAME.to_owned());
    let case = Case { name, body: body.map(str::to_owned), ..case };
    Trial { label: format!("clean/{job}"), case, evidence: None, properties: Vec::new(), sprout: None }
}

fn shown(text: &str) -> String {
    let start: String = text.chars().take(SHOWN).collect();
    if start.len() < text.len() { format!("{start} ...") } else { start }
}

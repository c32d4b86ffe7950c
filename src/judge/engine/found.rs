//! Counter-examples as scenario files: saved as soon as they are confirmed, and run first the next time.

use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use sha2::{Digest, Sha256};

use super::plan::JudgeError;
use crate::cassette::MatchRules;
use crate::judge::case::Case;
use crate::judge::law::Property;
use crate::profile::Profile;
use crate::redact::Redactor;
use crate::scenario::{Case as FoundCase, Must, Named, Repeats, Scenario, Source, Writes};
use crate::schemas;

/// The counter-examples in a folder that this client broke, by name. A folder that is not there holds none.
pub(super) fn read(folder: &Path, client: &str) -> Result<Vec<Arc<Scenario>>, JudgeError> {
    let failed = |source| JudgeError::Found { folder: folder.to_owned(), source };
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(failed(error)),
    };
    let mut files = Vec::new();
    for entry in entries {
        let path = entry.map_err(failed)?.path();
        if path.extension().is_some_and(|ending| ending == "toml") {
            files.push(path);
        }
    }
    files.sort();
    let mut scenarios = Vec::new();
    for file in files {
        let scenario = Scenario::load(&file, Profile::builtin())?;
        if scenario.case.as_ref().is_some_and(|case| case.client == client) {
            scenarios.push(Arc::new(scenario));
        }
    }
    Ok(scenarios)
}

/// What is said about a finding at the head of its file.
#[derive(Debug)]
pub(super) struct Finding<'a> {
    pub(super) property: &'static Property,
    pub(super) client: &'a str,
    pub(super) case: &'a Case,
    pub(super) because: &'a str,
}

/// The scenario that repeats a finding.
pub(super) fn scenario(finding: &Finding<'_>) -> Scenario {
    let case = finding.case;
    let found = FoundCase {
        property: finding.property.id.to_owned(),
        client: finding.client.to_owned(),
        job: case.job.as_str().to_owned(),
        endpoint: (!case.about.is_usual).then(|| case.about.asks.id.clone()),
        path: (!case.about.is_usual).then(|| case.about.path(&case.params)),
        dialect: case.dialect.clone(),
        fields: case.fields.clone(),
        task: case.task.clone(),
        seed: case.seed,
    };
    let hold = vec![Named { name: finding.property.id.to_owned(), at: 0..0 }];
    let base = case.scenario.as_ref().map_or_else(blank, |scenario| (**scenario).clone());
    Scenario {
        summary: format!("Found: {} breaks {}.", finding.client, finding.property.id),
        must: Must { hold, ..base.must.clone() },
        case: Some(found),
        ..base
    }
}

/// A scenario in which nothing goes wrong.
fn blank() -> Scenario {
    Scenario {
        name: String::new(),
        summary: String::new(),
        text: String::new(),
        source: Source::Cassette(None),
        must: Must::default(),
        deployment: None,
        path: Vec::new(),
        polls_per_phase: None,
        clock: None,
        repeats: Repeats::default(),
        writes: Writes::default(),
        matching: MatchRules::default(),
        unknown_id_misses: false,
        faults: Vec::new(),
        case: None,
        file: None,
    }
}

/// Saves a finding: whole, or not at all; says whether its file is new. The schema by which editors know its keys lies
/// beside it.
///
/// # Errors
/// If the folder cannot be made or the file not written.
pub(super) fn save(folder: &Path, finding: &Finding<'_>, redactor: &Redactor) -> io::Result<(PathBuf, bool)> {
    let toml = scenario(finding).to_toml();
    let because: String = finding.because.chars().filter(|char| !char.is_control()).take(300).collect();
    let text = redactor.text(&format!(
        "{}# A counter-example that `faultdeck judge` found and shrank; it runs first the next time.\n# {because}\n{toml}",
        schemas::SCENARIO.line()
    ));
    let digest = Sha256::digest(toml.as_bytes());
    let short: String = digest.iter().take(4).map(|byte| format!("{byte:02x}")).collect();
    let path = folder.join(format!("{}-{short}.toml", finding.property.id));
    fs::create_dir_all(folder)?;
    let mut file = tempfile::Builder::new().prefix(".found-").tempfile_in(folder)?;
    file.write_all(text.as_bytes())?;
    file.as_file().sync_all()?;
    let is_new = !path.exists();
    file.persist(&path).map_err(|error| error.error)?;
    // What helps an editor is not worth a finding.
    let _ = schemas::SCENARIO.put_into(folder);
    Ok((path, is_new))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::judge::{property, sample};

    #[test]
    fn a_finding_comes_back_from_its_file() {
        let folder = tempfile::tempdir().unwrap();
        let case = Case {
            task: Some(r#"{"id":9007199254740993,"name":"a\u0007\"b"}"#.into()),
            ..sample::get(Some("id, name"))
        };
        let property = property("reports-what-it-got").unwrap();
        let finding = Finding { property, client: "careless", case: &case, because: "`id` is\nrounded" };
        let (path, is_new) = save(folder.path(), &finding, &Redactor::new()).unwrap();
        assert!(is_new);
        assert_eq!(read(folder.path(), "someone-else").unwrap().len(), 0);
        let found = read(folder.path(), "careless").unwrap();
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].case, scenario(&finding).case);
        assert_eq!(found[0].file.as_deref(), Some(path.as_path()));
        assert_eq!(found[0].must.hold[0].name, property.id);
        // Saved again, it is the same file.
        assert_eq!(save(folder.path(), &finding, &Redactor::new()).unwrap(), (path.clone(), false));
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2);
        let text = fs::read_to_string(&path).unwrap();
        let (first, _) = text.split_once('\n').unwrap();
        let schema = folder.path().join(first.strip_prefix("#:schema ").unwrap());
        assert_eq!(fs::read_to_string(schema).unwrap(), schemas::SCENARIO.text);
    }

    #[test]
    fn a_folder_that_is_not_there_holds_nothing() {
        let folder = tempfile::tempdir().unwrap();
        assert!(read(&folder.path().join("none"), "x").unwrap().is_empty());
    }
}

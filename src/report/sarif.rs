//! SARIF 2.1.0, the exchange format of analysers: what code scanning of GitHub, Azure DevOps and editors read.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Value, json};

use super::account::Account;
use super::content::Content;
use super::failure::{Failure, Level, OF_THE_RUN, with_known};
use super::json::safe;
use super::visible;

/// What stands for itself in the path of a URI.
const PATH: &AsciiSet = &NON_ALPHANUMERIC.remove(b'/').remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// The report as pretty JSON text, newline included: a rule a law, a result a failure.
///
/// # Errors
/// Only if a value cannot be written as JSON, which no line of a ledger does.
pub fn sarif<'a>(content: impl Into<Content<'a>>) -> serde_json::Result<String> {
    let account = Account::of(content);
    let failures = with_known(&account);
    let mut rules: Vec<&str> = Vec::new();
    for failure in &failures {
        if !rules.contains(&failure.id) {
            rules.push(failure.id);
        }
    }
    let results: Vec<Value> = failures.iter().map(|failure| result(failure, &rules)).collect();
    let version = account.runs.first().map(|run| visible(&run.faultdeck).into_owned());
    let mut driver = json!({
        "name": "faultdeck",
        "rules": rules.iter().map(|id| rule(id)).collect::<Vec<_>>(),
    });
    if let (Some(version), Some(driver)) =
        (version.filter(|version| !version.is_empty()), driver.as_object_mut())
    {
        driver.insert("version".to_owned(), version.into());
    }
    let report = json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": driver },
            "invocations": [invocation(&account)],
            "results": results,
        }],
    });
    Ok(safe(&serde_json::to_string_pretty(&report)?))
}

fn rule(id: &str) -> Value {
    let help = match id {
        OF_THE_RUN => "Why a run came to its exit code: `faultdeck help`.".to_owned(),
        law => format!("The law, why it is one, and the fix: `faultdeck explain {}`.", visible(law)),
    };
    json!({ "id": visible(id), "help": { "text": help } })
}

/// Whether the run came to its end, and what it ended with.
fn invocation(account: &Account<'_>) -> Value {
    match account.end {
        None => json!({ "executionSuccessful": false }),
        Some(end) => json!({
            "executionSuccessful": true,
            "exitCode": end.exit.code(),
            "exitCodeDescription": visible(&end.because),
        }),
    }
}

fn result(failure: &Failure<'_>, rules: &[&str]) -> Value {
    let uri = utf8_percent_encode(failure.place(), PATH).to_string();
    let place = json!({
        "physicalLocation": { "artifactLocation": { "uri": uri }, "region": { "startLine": 1 } },
    });
    let mut properties = serde_json::Map::new();
    let texts = [
        ("scenario", Some(failure.scenario).filter(|text| !text.is_empty())),
        ("client", Some(failure.client).filter(|text| !text.is_empty())),
        ("repeat", failure.repeat),
    ];
    for (name, text) in texts {
        if let Some(text) = text {
            properties.insert(name.to_owned(), visible(text).into());
        }
    }
    properties.insert("times".to_owned(), failure.times.into());
    let mut result = json!({
        "ruleId": visible(failure.id),
        "ruleIndex": rules.iter().position(|id| *id == failure.id),
        "level": match failure.level {
            Level::Failed => "error",
            Level::Open => "warning",
            Level::Note => "note",
            // What it would be; that it is let pass stands beside it.
            Level::Known => "error",
        },
        "message": { "text": format!("{}: {}", failure.title(), failure.why) },
        "locations": [place],
        "partialFingerprints": { "faultdeck/v1": failure.fingerprint() },
        "properties": properties,
    });
    if let (Level::Known, Some(result)) = (failure.level, result.as_object_mut()) {
        let why = json!([{ "kind": "external", "justification": failure.why }]);
        result.insert("suppressions".to_owned(), why);
    }
    result
}

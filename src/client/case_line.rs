//! What a worker or a service is told of a job: one JSON object.

use std::borrow::Cow;
use std::path::Path;

use serde::{Serialize, Serializer};
use serde_json::Value;

use super::Job;

/// The job as a line of JSON, without its end.
///
/// An id is a number where the API has one, of any size, and stands there once more as a text: a reader whose numbers
/// end at 2^53 takes that.
pub(super) fn case_line(case: u64, job: &Job) -> String {
    let all = Told {
        base_url: &job.base_url,
        body: job.body.as_deref(),
        ca_file: job.ca_file.as_deref().map(Path::to_string_lossy),
        deadline_ms: job.deadline_ms,
        fields: job.fields.as_deref(),
        id_text: job.id.as_deref(),
        job: job.kind.as_str(),
        method: &job.method,
        name: job.name.as_deref(),
        pace_ms: job.pace_ms,
        params: Params(&job.params),
        password: &job.password,
        path: &job.path,
        sec: &job.sec,
        user: &job.user,
    };
    // Texts and numbers are never refused.
    let rest = serde_json::to_string(&all).unwrap_or_default();
    format!("{{\"case\":{case},\"id\":{},{}", id(job), rest.trim_start_matches('{'))
}

/// All but the number of the case and the id, in the order in which it is written.
#[derive(Serialize)]
struct Told<'j> {
    base_url: &'j str,
    body: Option<&'j str>,
    ca_file: Option<Cow<'j, str>>,
    deadline_ms: u64,
    fields: Option<&'j str>,
    id_text: Option<&'j str>,
    job: &'j str,
    method: &'j str,
    name: Option<&'j str>,
    pace_ms: u64,
    params: Params<'j>,
    password: &'j str,
    path: &'j str,
    sec: &'j str,
    user: &'j str,
}

/// Names and values, as an object.
struct Params<'j>(&'j [(String, String)]);

impl Serialize for Params<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(name, value)| (name, value)))
    }
}

/// The id as it stands in JSON: its digits are not ours to change.
fn id(job: &Job) -> String {
    let Some(id) = &job.id else { return "null".to_owned() };
    let digits = id.strip_prefix('-').unwrap_or(id);
    let is_number = digits.bytes().all(|byte| byte.is_ascii_digit())
        && !digits.is_empty()
        && (digits == "0" || !digits.starts_with('0'));
    if is_number { id.clone() } else { Value::from(id.as_str()).to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::JobKind;
    use crate::json::Json;

    #[test]
    fn an_id_keeps_its_digits_and_is_there_as_a_text_too() {
        let line = |id: &str| case_line(7, &Job { id: Some(id.to_owned()), ..Job::example(JobKind::Get) });
        for (id, written) in [
            ("9007199254740993", "9007199254740993"),
            ("-1", "-1"),
            ("0", "0"),
            ("007", "\"007\""),
            ("-", "\"-\""),
            ("a\"b", "\"a\\\"b\""),
        ] {
            let line = line(id);
            let json = Json::parse(&line).unwrap();
            assert_eq!(json.member("id").unwrap().text(), written, "{line}");
            assert_eq!(json.member("id_text").unwrap().as_str(), Some(id), "{line}");
            assert_eq!(json.member("case").unwrap().text(), "7");
        }
        assert!(
            line("1").contains(r#""password":"correct-horse-9b1""#)
                && line("1").contains(r#""user":"analyst""#)
        );
        let create = case_line(8, &Job { id: None, ..Job::example(JobKind::Create) });
        assert!(create.contains("\"id\":null") && create.contains("\"id_text\":null"), "{create}");
    }
}

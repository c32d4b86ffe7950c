//! What a worker or a service is told of a job: one JSON object.

use serde_json::{Map, Value, json};

use super::Job;

/// The job as a line of JSON, without its end.
///
/// An id is a number where the API has one, of any size, and stands there once more as a text: a reader whose numbers
/// end at 2^53 takes that.
pub(super) fn case_line(case: u64, job: &Job) -> String {
    let params: Map<String, Value> =
        job.params.iter().map(|(name, value)| (name.clone(), Value::from(value.as_str()))).collect();
    let ca_file = job.ca_file.as_ref().map(|file| file.display().to_string());
    let rest = json!({
        "job": job.kind.as_str(),
        "base_url": job.base_url,
        "method": job.method,
        "path": job.path,
        "params": params,
        "id_text": job.id,
        "fields": job.fields,
        "name": job.name,
        "body": job.body,
        "sec": job.sec,
        "user": job.user,
        "password": job.password,
        "ca_file": ca_file,
        "pace_ms": job.pace_ms,
        "deadline_ms": job.deadline_ms,
    });
    let rest = rest.to_string();
    format!("{{\"case\":{case},\"id\":{},{}", id(job), rest.trim_start_matches('{'))
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

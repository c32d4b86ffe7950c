//! The tasks that everything here serves, and cassettes of them.

use std::fmt::Write as _;
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::Path;

/// The media type of every answer.
pub(crate) const JSON: &str = "application/json";

/// Task number `id`.
pub(crate) fn target(id: u64) -> String {
    format!("/api/forensics/case_management/case_create_tasks/{id}")
}

/// What it answers: about 120 bytes.
pub(crate) fn body(id: u64) -> String {
    format!(
        r#"{{"assigned_to":["analyst"],"case_id":{id},"id":{id},"name":"case {id}","note":"one of very many","state":"COMPLETE"}}"#
    )
}

/// Writes a cassette of task 1 alone, with a body of `length` bytes and some more.
pub(crate) fn write_long(path: &Path, length: u64) -> io::Result<()> {
    let mut file = BufWriter::with_capacity(1024 * 1024, File::create(path)?);
    let note = "x".repeat(usize::try_from(length).unwrap_or(usize::MAX));
    let (target, frame) = (target(1), r#"{"id":1,"note":"","state":"COMPLETE"}"#.len());
    write!(
        file,
        r#"{HEAD}
    {{
      "id": "case_create_tasks.get-1",
      "endpoint": "GET /forensics/case_management/case_create_tasks/{{id}}",
      "request": {{
        "method": "GET",
        "target": "{target}",
        "version": "HTTP/1.1",
        "headers": [["Host", "{{base}}"], ["SEC", "fd-secret-1"], ["Version", "26.0"]]
      }},
      "response": {{
        "version": "HTTP/1.1",
        "status": 200,
        "reason": "OK",
        "headers": [["Content-Type", "{JSON}"], ["Content-Length", "{length}"]],
        "body": {{"json": {{"id": 1, "note": "{note}", "state": "COMPLETE"}}}}
      }}
    }}
  ]
}}
"#,
        length = frame + note.len()
    )?;
    file.flush()
}

/// Writes a cassette of the tasks 1 to `many`, as a recording of them would be; gives the bytes.
pub(crate) fn write(path: &Path, many: u64) -> io::Result<u64> {
    let mut file = BufWriter::with_capacity(1024 * 1024, File::create(path)?);
    file.write_all(HEAD.as_bytes())?;
    let mut text = String::new();
    for id in 1..=many {
        text.clear();
        let (target, length) = (target(id), body(id).len());
        let end = if id == many { "" } else { "," };
        let _ = write!(
            text,
            r#"
    {{
      "id": "case_create_tasks.get-{id}",
      "endpoint": "GET /forensics/case_management/case_create_tasks/{{id}}",
      "request": {{
        "method": "GET",
        "target": "{target}",
        "version": "HTTP/1.1",
        "headers": [
          ["Host", "{{base}}"],
          ["SEC", "fd-secret-1"],
          ["Version", "26.0"]
        ]
      }},
      "response": {{
        "version": "HTTP/1.1",
        "status": 200,
        "reason": "OK",
        "headers": [
          ["Content-Type", "{JSON}"],
          ["Content-Length", "{length}"]
        ],
        "body": {{
          "json": {{
            "assigned_to": [
              "analyst"
            ],
            "case_id": {id},
            "id": {id},
            "name": "case {id}",
            "note": "one of very many",
            "state": "COMPLETE"
          }}
        }}
      }}
    }}{end}"#
        );
        file.write_all(text.as_bytes())?;
    }
    file.write_all(b"\n  ]\n}\n")?;
    file.flush()?;
    Ok(file.get_ref().metadata()?.len())
}

const HEAD: &str = r#"{
  "format": 1,
  "recorded_from": {
    "host": "host-1",
    "api_version": "26.0",
    "tls": "none",
    "encoding": "identity"
  },
  "interactions": ["#;

//! A request that was turned away, as it may be written.

use super::Refusal;
use crate::ledger::RefusedLine;
use crate::message::Request;
use crate::redact::Redactor;

/// Longest method that is shown; longer words are no method of anybody's.
const METHOD_MAX: usize = 20;

impl Refusal {
    /// The ledger's line about it. What was read is shown only if it is the beginning of a request: anything else may be
    /// the rest of a body, and hold whatever a body holds.
    pub(crate) fn line(&self, session: &str, redactor: &Redactor) -> RefusedLine {
        let head = match (&self.method, &self.target) {
            (Some(method), Some(target)) if is_request_line(method, target) => {
                let clean = redactor.request(&Request::new(method, target));
                format!("{} {}", clean.method, clean.target)
            }
            _ if self.first_line.is_empty() => String::new(),
            _ => format!("({} bytes that are no request line)", self.first_line.len()),
        };
        RefusedLine { session: session.to_owned(), status: self.status, why: redactor.text(&self.why), head }
    }
}

fn is_request_line(method: &str, target: &str) -> bool {
    let is_method = method.len() <= METHOD_MAX && method.bytes().all(|byte| byte.is_ascii_uppercase());
    is_method
        && (target.starts_with('/') || target.contains("://") || matches!(method, "OPTIONS" | "CONNECT"))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn line(first_line: &str, method: Option<&str>, target: Option<&str>) -> RefusedLine {
        let refusal = Refusal {
            status: 400,
            why: "x".into(),
            method: method.map(str::to_owned),
            target: target.map(str::to_owned),
            first_line: first_line.to_owned().into(),
            at: Duration::ZERO,
        };
        refusal.line("main", &Redactor::new())
    }

    #[test]
    fn what_begins_a_request_is_shown_without_its_secrets() {
        let target = "/api/x y?access_token=a-long-secret-1";
        let line = line(&format!("GET {target} HTTP/1.1"), Some("GET"), Some(target));
        assert_eq!(line.head, "GET /api/x y?access_token=fd-secret-1");
        assert_eq!((line.session.as_str(), line.status, line.why.as_str()), ("main", 400, "x"));
    }

    #[test]
    fn what_does_not_begin_a_request_is_counted_in_bytes() {
        for (text, method, target) in [
            ("{\"password\":\"a-long-secret\"}", None, None),
            ("password is a-long-secret", Some("password"), Some("is a-long-secret")),
            ("SECRET a-long-secret", Some("SECRET"), Some("a-long-secret")),
        ] {
            let head = line(text, method, target).head;
            assert_eq!(head, format!("({} bytes that are no request line)", text.len()));
        }
        assert_eq!(line("", None, None).head, "");
    }
}

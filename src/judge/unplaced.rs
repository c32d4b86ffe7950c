//! Takes the address of a listener out of what is kept: its port differs from run to run, and means nothing.

use crate::client::{Outcome, Report};
use crate::ledger::{BodyText, HeadLine, Line};

/// What stands in its place.
const BASE: &str = "{base}";

/// `text` without the address of this listener, with and without its scheme.
fn text(text: &str, url: &str) -> String {
    let authority = url.split_once("://").map_or(url, |(_, authority)| authority);
    if authority.is_empty() || !text.contains(authority) {
        return text.to_owned();
    }
    text.replace(url, BASE).replace(authority, BASE)
}

/// Ledger lines without it.
pub(super) fn lines(mut lines: Vec<Line>, url: &str) -> Vec<Line> {
    let head = |lines: &mut Vec<HeadLine>| lines.iter_mut().for_each(|(_, value)| *value = text(value, url));
    let body = |body: &mut BodyText| {
        if let BodyText::Text(whole) = body {
            *whole = text(whole, url);
        }
    };
    for line in &mut lines {
        if let Line::Exchange(exchange) = line {
            exchange.target = text(&exchange.target, url);
            head(&mut exchange.request_headers);
            head(&mut exchange.response_headers);
            body(&mut exchange.request_body);
            body(&mut exchange.response_body);
        }
    }
    lines
}

/// A client's report without it.
pub(super) fn report(mut report: Report, url: &str) -> Report {
    report.stderr = text(&report.stderr, url);
    report.stdout = text(&report.stdout, url);
    if let Outcome::Error { text: why } = &mut report.outcome {
        *why = text(why, url);
    }
    report
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::judge::sample;

    #[test]
    fn a_port_is_nowhere_left() {
        let url = "http://127.0.0.1:41234";
        let mut exchange = sample::poll("/api/x?next=http://127.0.0.1:41234/y", 200, "see 127.0.0.1:41234");
        exchange.request_headers.push(("Host".into(), "127.0.0.1:41234".into()));
        let told = Report { stderr: format!("cannot reach {url}/api"), ..sample::report(Outcome::GaveUp) };
        let kept = lines(vec![Line::Exchange(Box::new(exchange))], url);
        let kept = kept[0].to_json().unwrap() + &report(told, url).stderr;
        assert!(!kept.contains("41234") && kept.contains("cannot reach {base}/api"), "{kept}");
    }
}

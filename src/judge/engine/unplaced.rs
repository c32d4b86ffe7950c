//! Takes the address of a listener out of what a client wrote: its port differs from run to run, and means nothing.

use crate::client::{Outcome, Report};
use crate::ledger::without_address;

/// A client's report without it.
pub(super) fn report(mut report: Report, url: &str) -> Report {
    report.stderr = without_address(&report.stderr, url);
    report.stdout = without_address(&report.stdout, url);
    if let Outcome::Error { text: why } = &mut report.outcome {
        *why = without_address(why, url);
    }
    report
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::judge::sample;
    use crate::ledger::Line;

    #[test]
    fn a_port_is_nowhere_left() {
        let url = "http://127.0.0.1:41234";
        let mut exchange = sample::poll("/api/x?next=http://127.0.0.1:41234/y", 200, "see 127.0.0.1:41234");
        exchange.request_headers.push(("Host".into(), "127.0.0.1:41234".into()));
        let complaint =
            Report { stderr: format!("cannot reach {url}/api"), ..sample::report(Outcome::GaveUp) };
        exchange.leave_address(url);
        let kept = Line::Exchange(Box::new(exchange)).to_json().unwrap() + &report(complaint, url).stderr;
        assert!(!kept.contains("41234") && kept.contains("cannot reach {base}/api"), "{kept}");
    }
}

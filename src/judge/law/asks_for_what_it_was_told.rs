//! `asks-for-what-it-was-told`: the selector on the wire is the one the client was told to use.

mod polling;

use super::{Needs, Property};
use crate::client::JobKind;
use crate::fields::FieldSelector;
use crate::judge::case::Run;
use crate::judge::verdict::Verdict;
use crate::judge::wire;
use crate::ledger::Exchange;
use crate::profile::{Carrier, Profile};

pub(super) static PROPERTY: Property = Property {
    id: "asks-for-what-it-was-told",
    summary: "The `fields` on the wire mean what the client was told to ask for, sent once, in the right place, encoded \
              once.",
    long: "\
The selector read from the request equals the selector the client was told: the same names at every level, in any \
order. It travels as the query parameter `fields` on a GET (as a header on a POST with a body), once, encoded once.

Broken by: dropping, adding or renaming a name; encoding twice (`%252C`, from a library that encodes what was encoded \
already); sending it as a header on a GET; sending it twice.

Not broken by: another order of names; blanks; `%2C` or a bare comma; leaving `fields` out where every name the \
resource has was asked for, which means the same. Whoever waits may ask for the id and the state beside what it was told, \
for them alone until the end, and for anything more where it was not told the state; where it was told nothing it may ask \
as it likes. A client whose file hands no `{fields}` on was told nothing.",
    jobs: &[JobKind::Get, JobKind::Send, JobKind::Wait, JobKind::Create],
    along: &[],
    report: Needs::Nothing,
    generated: true,
    story: None,
    variants: None,
    everywhere: false,
    limits: &[],
    judge,
    in_a_suite: None,
};

fn judge(runs: &[Run]) -> Verdict {
    let Some(run) = runs.first() else { return Verdict::not_reached("no run") };
    if let Some(why) = run.vacuous() {
        return Verdict::not_reached(why);
    }
    if !run.given.fields {
        return Verdict::NotApplicable("its file hands no `{fields}` on".to_owned());
    }
    let Ok(meant) = run.case.selector() else {
        return Verdict::not_reached("what it was told is no selector");
    };
    if let Some((exchange, why)) = run.exchanges.iter().find_map(|one| Some((one, wrong_place(one)?))) {
        return violated(run, exchange, &why);
    }
    if matches!(run.case.job, JobKind::Wait | JobKind::Create) {
        return match polling::wrong(run, meant.as_ref()) {
            Ok(verdict) => verdict,
            Err((exchange, why)) => violated(run, exchange, &why),
        };
    }
    let about = run.case.about;
    let mut polls = run.exchanges.iter().filter(|exchange| about.is_asked(exchange)).peekable();
    if polls.peek().is_none() {
        return Verdict::not_reached("it never asked for what it was told to");
    }
    for exchange in polls {
        if let Some(why) = wrong_selector(run, exchange, meant.as_ref()) {
            return violated(run, exchange, &why);
        }
    }
    Verdict::held()
}

fn violated(run: &Run, exchange: &Exchange, why: &str) -> Verdict {
    let evidence = vec![
        format!("told:     {}", run.case.task_line()),
        format!("sent:     {}", wire::sent_line(exchange)),
        format!("wrong:    {why}"),
        format!("reported: {}", run.reported_line()),
    ];
    Verdict::violated(why.to_owned(), evidence)
}

/// Whether `fields` travels where the console does not look for it, or twice.
fn wrong_place(exchange: &Exchange) -> Option<String> {
    let in_query = wire::params(exchange).iter().filter(|param| param.name == "fields").count();
    let in_headers = wire::headers(exchange, "fields").count();
    let carrier = Profile::builtin().endpoint(&exchange.key.endpoint).and_then(|endpoint| endpoint.fields_in);
    let has_body = exchange.request_body.text() != Some("") && carrier != Some(Carrier::Query);
    if in_query + in_headers > 1 {
        return Some(format!("`fields` is sent {} times", in_query + in_headers));
    }
    match exchange.method.as_str() {
        "POST" | "PUT" | "PATCH" if in_headers > 0 && carrier == Some(Carrier::Query) => {
            Some("`fields` is sent as a header; on this endpoint it is a query parameter".to_owned())
        }
        "GET" | "HEAD" | "DELETE" if in_headers > 0 => {
            Some("`fields` is sent as a header; on a GET it is a query parameter".to_owned())
        }
        "POST" | "PUT" | "PATCH" if in_query > 0 && has_body => {
            Some("`fields` is sent in the query; on a request with a body it is a header".to_owned())
        }
        _ => None,
    }
}

/// The selector that a request carries.
fn sent(exchange: &Exchange, carrier: Option<Carrier>) -> Result<Option<FieldSelector>, String> {
    let text = match carrier {
        Some(Carrier::Header) => wire::headers(exchange, "fields").next().map(str::to_owned),
        _ => wire::params(exchange).into_iter().find(|param| param.name == "fields").map(|param| param.value),
    };
    let text = text.unwrap_or_default();
    // The reader of selectors knows one that was encoded twice.
    FieldSelector::parse(&text).map_err(|error| format!("what it sends is no selector: {error}"))
}

fn wrong_selector(run: &Run, exchange: &Exchange, meant: Option<&FieldSelector>) -> Option<String> {
    let sent = match sent(exchange, run.case.about.shows.fields_in) {
        Ok(sent) => sent,
        Err(why) => return Some(why),
    };
    // Nothing told, or nothing sent, means all there is.
    let is_all = |one: &FieldSelector| {
        let full = run.case.about.shape(&run.case.dialect).and_then(|shape| shape.full());
        full.is_some_and(|full| one.same(&full))
    };
    let same = match (meant, sent.as_ref()) {
        (Some(meant), Some(sent)) => meant.same(sent),
        (Some(one), None) | (None, Some(one)) => is_all(one),
        (None, None) => true,
    };
    if same {
        return None;
    }
    Some(otherwise(meant, sent.as_ref()))
}

fn otherwise(meant: Option<&FieldSelector>, sent: Option<&FieldSelector>) -> String {
    let words = |selector: Option<&FieldSelector>| match selector {
        Some(selector) => format!("`{selector}`"),
        None => "the whole resource".to_owned(),
    };
    format!("told to ask for {}, it asks for {}", words(meant), words(sent))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::judge::about::About;
    use crate::judge::case::Case;
    use crate::judge::sample;

    const PATH: &str = "/api/forensics/case_management/case_create_tasks/42";

    fn judged(fields: Option<&str>, query: &str) -> Verdict {
        let mut run = sample::run(sample::get(fields));
        run.exchanges = vec![sample::poll(&format!("{PATH}{query}"), 200, r#"{"id":42}"#)];
        judge(&[run])
    }

    #[test]
    fn any_spelling_of_the_same_selector_holds() {
        for query in
            ["?fields=id,state", "?fields=id%2Cstate", "?fields=state%2cid+", "?x=1&fields=%20id,%20state"]
        {
            assert_eq!(judged(Some("id,state"), query), Verdict::held(), "{query}");
        }
        assert_eq!(judged(None, ""), Verdict::held());
    }

    #[test]
    fn another_selector_and_another_encoding_are_violations() {
        for (query, word) in [
            ("", "the whole resource"),
            ("?fields=id", "asks for `id`"),
            ("?fields=id,state,name", "`id,state,name`"),
            ("?fields=id%252Cstate", "encoded twice"),
            ("?fields=id,state&fields=id,state", "2 times"),
            ("?fields=id,,state", "no selector"),
        ] {
            let Verdict::Violated(violation) = judged(Some("id,state"), query) else { panic!("{query}") };
            assert!(violation.because.contains(word), "{query}: {}", violation.because);
        }
    }

    #[test]
    fn the_wrong_carrier_is_a_violation() {
        let mut run = sample::run(sample::get(Some("id")));
        let mut exchange = sample::poll(PATH, 200, "{}");
        exchange.request_headers.push(("Fields".into(), "id".into()));
        run.exchanges = vec![exchange];
        assert!(judge(&[run]).is_violated());
    }

    #[test]
    fn naming_everything_means_the_same_as_naming_nothing() {
        assert_eq!(judged(None, "?fields=id,case_id,name,state,assigned_to"), Verdict::held());
        assert_eq!(judged(Some("id,case_id,name,state,assigned_to"), ""), Verdict::held());
    }

    #[test]
    fn without_a_request_for_the_task_nothing_is_reached() {
        let mut run = sample::run(sample::get(Some("id")));
        let mut exchange = sample::poll("/api/help/versions", 200, "[]");
        exchange.key.endpoint = "GET /help/versions".into();
        run.exchanges = vec![exchange];
        assert!(matches!(judge(&[run]), Verdict::NotReached(_)));
    }

    #[test]
    fn where_fields_travels_is_read_from_the_endpoint() {
        const GET: &str = "GET /forensics/case_management/case_create_tasks/{id}";
        const IN_A_HEADER: &str = "POST /forensics/case_management/cases";
        const IN_THE_QUERY: &str = "POST /services/dns_lookups";
        for (endpoint, query, header, body, wrong) in [
            (GET, "?fields=id", "", "", None),
            (GET, "", "id", "", Some("on a GET it is a query parameter")),
            (GET, "?fields=id", "id", "", Some("sent 2 times")),
            (IN_A_HEADER, "", "id", "{}", None),
            (IN_A_HEADER, "?fields=id", "", "{}", Some("on a request with a body it is a header")),
            (IN_A_HEADER, "?fields=id", "", "", None),
            (IN_A_HEADER, "", "", "{}", None),
            (IN_THE_QUERY, "?IP=1.1.1.1&fields=id", "", "", None),
            (IN_THE_QUERY, "?IP=1.1.1.1&fields=id", "", "IP=1.1.1.1", None),
            (IN_THE_QUERY, "?IP=1.1.1.1", "", "", None),
            (IN_THE_QUERY, "?IP=1.1.1.1", "id", "", Some("on this endpoint it is a query parameter")),
        ] {
            let mut exchange = sample::poll(&format!("/api/x{query}"), 200, "{}");
            exchange.key.endpoint = endpoint.into();
            exchange.method = endpoint.split(' ').next().unwrap().to_owned();
            exchange.request_body = crate::ledger::BodyText::Text(body.into());
            if !header.is_empty() {
                exchange.request_headers.push(("fields".into(), header.into()));
            }
            let why = wrong_place(&exchange);
            assert_eq!(why.is_some(), wrong.is_some(), "{endpoint} {query} {header}: {why:?}");
            assert!(
                why.unwrap_or_default().contains(wrong.unwrap_or_default()),
                "{endpoint} {query} {header}"
            );
        }
    }

    #[test]
    fn where_nobody_knows_all_names_asking_for_some_is_not_asking_for_the_whole() {
        let about = About::of(JobKind::Get, "GET /qvm/filters").unwrap();
        assert_eq!(about.shape("sample").and_then(|shape| shape.full()), None, "the endpoint of this test");
        let asked = |told: Option<&str>, query: &str| {
            let mut run = sample::run(Case { about, ..sample::get(told) });
            let mut exchange = sample::poll(&format!("/api/qvm/filters{query}"), 200, "{}");
            exchange.key.endpoint.clone_from(&about.asks.id);
            run.exchanges = vec![exchange];
            judge(&[run])
        };
        assert_eq!(asked(None, ""), Verdict::held());
        assert_eq!(asked(Some("name"), "?fields=name"), Verdict::held());
        assert!(asked(None, "?fields=name").is_violated() && asked(Some("name"), "").is_violated());
    }
}

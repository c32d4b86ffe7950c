//! `creates-what-it-was-told`: the creation on the wire asks for what the client was told to create.

use super::{Needs, Property};
use crate::client::JobKind;
use crate::fields::{Scalar, Shape};
use crate::json::{Json, Kind};
use crate::judge::case::Run;
use crate::judge::verdict::Verdict;
use crate::judge::wire;
use crate::ledger::{BodyText, Exchange};
use crate::profile::{Endpoint, Key, Lifecycle, Parameter, ParameterKind};

pub(super) static PROPERTY: Property = Property {
    id: "creates-what-it-was-told",
    summary: "A creation asks for what the client was told to create: the name, once, where it belongs, and all that is \
              required, of the documented type.",
    long: "\
What a creation asks for is made, and stays: a case under another name is not the one that was wanted, and nobody finds \
it again. The name travels as it was told, to the last letter, in the place that the endpoint documents (a member of the \
body, or a parameter of the query); the body is JSON where the endpoint takes JSON; and what is required is there.

Broken by: a name that is shortened, changed in case, quoted twice or left out; a name in the query where the body is the \
place; a member that stands twice; a body that is no JSON object; a text where a number or a list is documented; \
creating something else beside.

Not broken by: further members and parameters; members in any order; white space; null for what is not required; a name \
of its own if the client's file hands no `{name}` on; a body of JSON without a `Content-Type` that says so, which is advice. Whether the creation may be repeated is judged by creates-once.",
    jobs: &[JobKind::Create],
    along: &[],
    report: Needs::Nothing,
    generated: false,
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
    let asks = run.case.about.asks;
    let is_it = |exchange: &&Exchange| exchange.key.endpoint == asks.id && exchange.method == asks.method;
    let Some(creation) = run.exchanges.iter().find(is_it) else {
        return Verdict::not_reached("it never asked for the creation");
    };
    let is_other = |exchange: &&Exchange| wire::is_creation(exchange) && exchange.key.endpoint != asks.id;
    if let Some(other) = run.exchanges.iter().find(is_other) {
        return violated(run, other, "it creates something else beside what it was told");
    }
    match wrong(run, creation) {
        Some(why) => violated(run, creation, &why),
        None => Verdict::Held(untyped(asks, creation).into_iter().collect()),
    }
}

/// Advice: a body whose type is not told. What a console makes of it is not known.
fn untyped(asks: &Endpoint, creation: &Exchange) -> Option<String> {
    object_of(asks)?;
    body(creation)?;
    let mut types = wire::headers(creation, "Content-Type").map(str::to_ascii_lowercase).peekable();
    let none = types.peek().is_none().then(|| "nothing of its type".to_owned());
    let other = || types.find(|one| !one.contains("json")).map(|one| format!("that it is {one}"));
    let says = none.or_else(other)?;
    Some(format!("its body is JSON, as documented, and its headers say {says} (`Content-Type`)"))
}

fn violated(run: &Run, exchange: &Exchange, why: &str) -> Verdict {
    let evidence = vec![
        format!("told:     {}", run.case.task_line()),
        format!("sent:     {}", wire::sent_line(exchange)),
        format!("got:      {}", wire::got_line(exchange)),
        format!("wrong:    {why}"),
        format!("reported: {}", run.reported_line()),
    ];
    Verdict::violated(why.to_owned(), evidence)
}

fn wrong(run: &Run, creation: &Exchange) -> Option<String> {
    let asks = run.case.about.asks;
    wrong_body(asks, creation)
        .or_else(|| missing(run, asks, creation))
        .or_else(|| wrong_type(asks, creation))
        .or_else(|| wrong_name(run, asks, creation))
}

/// Whether the endpoint takes a JSON object.
fn object_of(asks: &Endpoint) -> Option<&Parameter> {
    asks.body().filter(|body| body.mime == "application/json" && body.data_type == "Object")
}

/// The body as JSON, where it is one.
fn body(creation: &Exchange) -> Option<Json<'_>> {
    creation.request_body.text().and_then(|text| Json::parse(text.trim_start_matches('\u{feff}')).ok())
}

fn wrong_body(asks: &Endpoint, creation: &Exchange) -> Option<String> {
    let documented = object_of(asks)?;
    let text = match &creation.request_body {
        BodyText::Empty => "",
        other => other.text()?,
    };
    if text.trim().is_empty() {
        let is_wrong = documented.required && !wire::is_taken(creation, "422/10");
        return is_wrong.then(|| "its body is empty".to_owned());
    }
    if wire::is_taken(creation, "422/11") {
        return None;
    }
    let Some(json) = body(creation) else { return Some("its body is no JSON".to_owned()) };
    if !matches!(json.kind(), Kind::Object(_)) {
        return Some("its body is JSON, but no object".to_owned());
    }
    let members = json.members();
    let twice = members.iter().enumerate().find_map(|(index, (name, _))| {
        members.iter().take(index).any(|(earlier, _)| earlier == name).then_some(name)
    })?;
    Some(format!("`{twice}` stands twice in its body"))
}

/// What is required and not there.
fn missing(run: &Run, asks: &Endpoint, creation: &Exchange) -> Option<String> {
    let params = wire::params(creation);
    let is_sent = |known: &Parameter| match known.kind {
        ParameterKind::Query => params.iter().any(|param| param.name == known.name) || is_form(creation),
        ParameterKind::Header => wire::headers(creation, &known.name).next().is_some(),
        ParameterKind::Path | ParameterKind::Body => true,
    };
    let lacks = |known: &&Parameter| known.required && !is_sent(known);
    let is_ruled = !wire::is_taken(creation, "422/8");
    if let Some(known) = asks.parameters.iter().find(lacks).filter(|_| is_ruled) {
        return Some(format!("the parameter `{}` is required, and it sends none", known.name));
    }
    let json = body(creation)?;
    let names = run.case.about.life.map_or(&[][..], |life| &life.required);
    let is_lacking = |name: &&String| json.member(name).is_none_or(Json::is_null);
    names
        .iter()
        .find(is_lacking)
        .map(|name| format!("the member `{name}` is required, and its body has none"))
}

/// Parameters of a query may come as a form.
fn is_form(creation: &Exchange) -> bool {
    wire::headers(creation, "Content-Type").any(|value| value.to_ascii_lowercase().contains("form"))
}

/// A member of the body whose type is not the documented one.
fn wrong_type(asks: &Endpoint, creation: &Exchange) -> Option<String> {
    let Some(Shape::Object(members)) = object_of(asks).and_then(|body| body.shape.as_ref()) else {
        return None;
    };
    let json = body(creation)?;
    members.iter().find_map(|(name, shape)| {
        let value = json.member(name)?;
        let documented = mismatch(value, shape)?;
        Some(format!("`{name}` is {}, and {documented} is documented", value.text()))
    })
}

/// The documented type, if a value has another.
fn mismatch(value: &Json<'_>, shape: &Shape) -> Option<&'static str> {
    let is_right = match (shape, value.kind()) {
        (_, Kind::Null) | (Shape::Any, _) => true,
        (Shape::Object(_), kind) => matches!(kind, Kind::Object(_)),
        (Shape::List(_), kind) => matches!(kind, Kind::Array(_)),
        (Shape::Scalar(Scalar::Bool), kind) => matches!(kind, Kind::Bool(_)),
        (Shape::Scalar(Scalar::Integer | Scalar::Number), kind) => matches!(kind, Kind::Number),
        (Shape::Scalar(Scalar::String | Scalar::OneOf(_)), kind) => matches!(kind, Kind::String(_)),
    };
    (!is_right).then_some(match shape {
        Shape::Object(_) => "an object",
        Shape::List(_) => "a list",
        Shape::Scalar(Scalar::Bool) => "true or false",
        Shape::Scalar(Scalar::Integer | Scalar::Number) => "a number",
        Shape::Any | Shape::Scalar(_) => "a text",
    })
}

/// The member or parameter that takes the name, or what stands for one.
fn name_of(life: &Lifecycle) -> Option<&String> {
    life.name_member.as_ref().or(match &life.key {
        Key::Members(names) => names.first(),
        Key::Whole => None,
    })
}

fn wrong_name(run: &Run, asks: &Endpoint, creation: &Exchange) -> Option<String> {
    let wanted = run.case.name.as_deref().filter(|_| run.given.name)?;
    let name = name_of(run.case.about.life?)?;
    let is_param = |known: &Parameter| known.kind == ParameterKind::Query && known.name == *name;
    let params = wire::params(creation);
    let in_query: Vec<&str> =
        params.iter().filter(|param| param.name == *name).map(|param| param.value.as_str()).collect();
    let sent = if asks.parameters.iter().any(is_param) {
        match in_query.as_slice() {
            [] if is_form(creation) => return None,
            [] => return Some(format!("it was told `{wanted}`, and sends no `{name}`")),
            [one] => (*one).to_owned(),
            _ => return Some(format!("`{name}` is sent {} times", in_query.len())),
        }
    } else {
        let json = body(creation)?;
        if !in_query.is_empty() {
            return Some(format!(
                "`{name}` is sent in the query; on this endpoint it is a member of the body"
            ));
        }
        match json.member(name) {
            None => return Some(format!("it was told `{wanted}`, and sends no `{name}`")),
            Some(value) => value.as_str().unwrap_or(value.text()).to_owned(),
        }
    };
    (sent != wanted).then(|| format!("it was told to create `{wanted}`, and asks for `{sent}`"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::judge::about::About;
    use crate::judge::sample;

    const CREATED: &str = r#"{"id":42,"case_id":7,"name":"Case1","state":"WAITING"}"#;

    fn sending(body: &str, query: &str) -> Run {
        let mut creation = sample::creation("", 201, CREATED);
        creation.target.push_str(query);
        creation.request_headers.push(("content-type".into(), "application/json; charset=utf-8".into()));
        creation.request_body = if body.is_empty() { BodyText::Empty } else { BodyText::Text(body.into()) };
        let mut run = sample::run(sample::create("Case1"));
        run.exchanges = vec![creation];
        run
    }

    fn judged(body: &str, query: &str) -> Verdict {
        judge(&[sending(body, query)])
    }

    fn because(verdict: Verdict) -> String {
        match verdict {
            Verdict::Violated(violation) => violation.because,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn the_told_name_in_a_json_object_holds() {
        for body in [
            r#"{"name":"Case1"}"#,
            "{ \"assigned_to\" : [],\n  \"name\" : \"\\u0043ase1\" }",
            r#"{"assigned_to":null,"name":"Case1","note":7}"#,
        ] {
            assert_eq!(judged(body, ""), Verdict::held(), "{body}");
        }
    }

    #[test]
    fn a_body_whose_type_is_not_told_is_advice() {
        let notes = |kind: Option<&str>, body: &str| {
            let mut run = sending(body, "");
            let headers = &mut run.exchanges[0].request_headers;
            headers.pop();
            headers.extend(kind.map(|kind| ("Content-Type".to_owned(), kind.to_owned())));
            match judge(&[run]) {
                Verdict::Held(notes) => notes.join(" "),
                other => panic!("{other:?}"),
            }
        };
        const NAMED: &str = r#"{"name":"Case1"}"#;
        assert!(notes(None, NAMED).contains("say nothing of its type"));
        let form = "application/x-www-form-urlencoded";
        assert!(notes(Some(form), NAMED).contains(&format!("say that it is {form}")));
        assert_eq!(notes(Some("Application/JSON"), NAMED), "");
    }

    #[test]
    fn another_name_another_place_and_another_type_are_violations() {
        for (body, query, word) in [
            ("", "", "empty"),
            ("name=Case1", "", "no JSON"),
            (r#"["Case1"]"#, "", "no object"),
            (r#"{"name":"Case1","name":"Case1"}"#, "", "twice"),
            (r#"{"assigned_to":[]}"#, "", "`name` is required"),
            (r#"{"name":null}"#, "", "`name` is required"),
            (r#"{"name":"case1"}"#, "", "asks for `case1`"),
            (r#"{"name":"Case"}"#, "", "asks for `Case`"),
            (r#"{"name":"\"Case1\""}"#, "", "asks for `\"Case1\"`"),
            (r#"{"name":"Case1"}"#, "?name=Case1", "in the query"),
            (r#"{"name":["Case1"]}"#, "", "a text is documented"),
            (r#"{"assigned_to":"analyst","name":"Case1"}"#, "", "a list is documented"),
        ] {
            let because = because(judged(body, query));
            assert!(because.contains(word), "{body}: {because}");
        }
    }

    #[test]
    fn whoever_was_not_told_a_name_has_its_own() {
        let mut run = sending(r#"{"name":"Mine"}"#, "");
        run.given.name = false;
        assert_eq!(judge(&[run]), Verdict::held());
    }

    #[test]
    fn what_a_recording_shows_the_console_to_take_is_taken() {
        let mut run = sending("", "");
        run.exchanges[0].taken = vec!["422/10 body case".into()];
        run.given.name = false;
        assert_eq!(judge(&[run]), Verdict::held());
    }

    #[test]
    fn something_else_beside_is_a_violation_and_no_creation_is_not_reached() {
        let mut run = sending(r#"{"name":"Case1"}"#, "");
        let mut other = sample::creation("Case1", 201, "{}");
        other.key.endpoint = "POST /ariel/searches".into();
        run.exchanges.push(other);
        assert!(because(judge(&[run])).contains("beside"));
        let mut never = sample::run(sample::create("Case1"));
        never.exchanges = vec![sample::state("WAITING")];
        assert!(matches!(judge(&[never]), Verdict::NotReached(_)));
    }

    #[test]
    fn a_parameter_of_the_query_is_read_there() {
        let searched = |query: &str| {
            let mut run = sending("", "");
            run.case.about = About::of(JobKind::Create, "POST /ariel/searches").unwrap();
            run.exchanges[0].key.endpoint = "POST /ariel/searches".into();
            run.exchanges[0].target = format!("/api/ariel/searches{query}");
            judge(&[run])
        };
        assert_eq!(searched("?query_expression=Case1"), Verdict::held());
        assert!(because(searched("?query_expression=Case%31x")).contains("asks for `Case1x`"));
        assert!(because(searched("?query_expression=Case1&query_expression=Case1")).contains("2 times"));
        assert!(because(searched("")).contains("sends no `query_expression`"));
    }

    #[test]
    fn another_request_before_the_creation_is_not_taken_for_it() {
        let mut run = sending(r#"{"name":"Case1"}"#, "");
        let mut other = sample::creation("", 404, "{}");
        other.key.endpoint.clear();
        run.exchanges.insert(0, other);
        assert_eq!(judge(&[run]), Verdict::held());
    }

    #[test]
    fn an_object_is_asked_for_only_where_one_is_documented() {
        let profile = crate::profile::Profile::builtin();
        let list = profile.endpoint("POST /reference_data/map_of_sets/bulk_load/{name}").unwrap();
        assert!(list.body().is_some_and(|body| body.mime == "application/json"), "the endpoint of this test");
        let run = sending(r#"["Case1"]"#, "");
        assert_eq!(wrong_body(list, &run.exchanges[0]), None);
    }

    #[test]
    fn a_required_parameter_is_there_or_the_console_was_seen_to_do_without() {
        let looked_up = |query: &str, edit: fn(&mut Exchange)| {
            let mut run = sending("", "");
            run.case.about = About::of(JobKind::Create, "POST /services/dns_lookups").unwrap();
            run.exchanges[0].key.endpoint = "POST /services/dns_lookups".into();
            run.exchanges[0].target = format!("/api/services/dns_lookups{query}");
            edit(&mut run.exchanges[0]);
            judge(&[run])
        };
        assert_eq!(looked_up("?IP=Case1", |_| {}), Verdict::held());
        assert!(because(looked_up("?fields=id", |_| {})).contains("`IP` is required"));
        let taken = |exchange: &mut Exchange| exchange.taken = vec!["422/8 IP".into()];
        assert!(because(looked_up("?fields=id", taken)).contains("sends no `IP`"), "it was told one");
        // Parameters may come as a form.
        let form = |exchange: &mut Exchange| {
            let kind = ("content-type".to_owned(), "application/x-www-form-urlencoded".to_owned());
            exchange.request_headers.push(kind);
        };
        assert_eq!(looked_up("", form), Verdict::held());
    }

    #[test]
    fn a_name_of_the_body_is_looked_for_there_whatever_else_the_query_takes() {
        let run = sending(r#"{"name":"Case1"}"#, "?dry_run=true");
        let mut asks = run.case.about.asks.clone();
        let mut other = asks.parameters[0].clone();
        (other.name, other.kind) = ("dry_run".into(), ParameterKind::Query);
        asks.parameters.push(other);
        assert_eq!(wrong_name(&run, &asks, &run.exchanges[0]), None);
    }
}

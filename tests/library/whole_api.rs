//! All endpoints of the API, one after the other: what holds for the case task holds for each of them.

use crate::evidence;

use evidence::{answer, cassette, replay, state};
use faultdeck::fields::strategy::{partial_resources, selectors};
use faultdeck::json::Json;
use faultdeck::message::Request;
use faultdeck::profile::{Creator, Endpoint, Lifecycle, Parameter, ParameterKind, Profile};
use faultdeck::timeline::Phase;
use proptest::strategy::{Strategy as _, ValueTree as _};
use proptest::test_runner::TestRunner;

/// A request that the endpoint takes.
fn request(endpoint: &Endpoint) -> Request {
    let of = |kind| endpoint.parameters.iter().filter(move |parameter| parameter.kind == kind);
    let mut target = format!("/api{}", endpoint.template);
    for parameter in of(ParameterKind::Path) {
        target = target.replace(&format!("{{{}}}", parameter.name), value(&parameter.data_type));
    }
    let query: Vec<String> = of(ParameterKind::Query)
        .filter(|parameter| parameter.required)
        .map(|parameter| format!("{}={}", parameter.name, value(&parameter.data_type)))
        .collect();
    if !query.is_empty() {
        target = format!("{target}?{}", query.join("&"));
    }
    let mut request = Request::new(&endpoint.method, &target).with("SEC", "x");
    for parameter in of(ParameterKind::Header).filter(|parameter| parameter.required) {
        request = request.with(&parameter.name, "x");
    }
    if let Some(body) = endpoint.body() {
        let array = body.data_type.starts_with("Array");
        request = request.with("Content-Type", &body.mime);
        request.body = if array { "[]".into() } else { "{}".into() };
    }
    request
}

fn value(data_type: &str) -> &'static str {
    if data_type.contains("Integer") || data_type == "Long" { "7" } else { "seven" }
}

#[test]
fn every_endpoint_is_found_and_answers_what_was_recorded_of_it() {
    let mut count = 0;
    for endpoint in Profile::builtin().endpoints() {
        let asked = request(endpoint);
        let found = Profile::builtin().find(&asked.method, asked.path()).unwrap();
        assert_eq!(found.endpoint.id, endpoint.id);
        let replay = replay(cassette(vec![(asked.clone(), endpoint.success[0], r#"{"here":1.00}"#)]), None);
        let expected = (endpoint.success[0], r#"{"here":1.00}"#.to_owned());
        assert_eq!(answer(&replay, asked), expected, "{}", endpoint.id);
        count += 1;
    }
    assert_eq!(count, 729);
}

#[test]
fn every_documented_error_of_every_endpoint_can_be_injected() {
    let mut count = 0;
    for endpoint in Profile::builtin().endpoints().filter(|endpoint| !endpoint.errors.is_empty()) {
        let asked = request(endpoint);
        let faults: Vec<String> = (1..)
            .zip(&endpoint.errors)
            .map(|(nth, error)| {
                format!(
                    "[[fault]]\nwhen = {{ endpoint = \"{}\", nth = \"{nth}\" }}\ninject = {{ api-error = {{ status = {}, code = {} }} }}\n",
                    endpoint.id, error.status, error.code
                )
            })
            .collect();
        let scenario = format!("summary = \"x\"\n{}", faults.concat());
        let replay = replay(cassette(vec![(asked.clone(), 200, "{}")]), Some(&scenario));
        for error in &endpoint.errors {
            let (status, body) = answer(&replay, asked.clone());
            let code = Json::parse(&body).unwrap().member("code").and_then(Json::as_i128);
            assert_eq!((status, code), (error.status, Some(error.code.into())), "{}", endpoint.id);
            count += 1;
        }
    }
    assert!(count > 1900, "{count} errors");
}

#[test]
fn the_shape_of_every_endpoint_passes_the_laws_of_fields() {
    const CASES: usize = 10;
    let mut runner = TestRunner::deterministic();
    let mut shapes = 0;
    for endpoint in Profile::builtin().endpoints() {
        let Some(full) = endpoint.shape.full() else { continue };
        shapes += 1;
        for _ in 0..CASES {
            let value = partial_resources(&endpoint.shape).new_tree(&mut runner).unwrap().current();
            let selector = selectors(&endpoint.shape).new_tree(&mut runner).unwrap().current();
            assert!(selector.check(&endpoint.shape).is_ok(), "{}: {selector}", endpoint.id);
            let json = Json::parse(&value).unwrap();
            let once = selector.project(&json);
            let projected = Json::parse(&once).unwrap();
            assert_eq!(selector.project(&projected), once, "{}: {selector}", endpoint.id);
            for (name, kept) in projected.members() {
                assert!(selector.selects(name), "{}: {selector} kept {name}", endpoint.id);
                let held = json.member(name).map(Json::text);
                assert!(held.is_some_and(|held| held.len() >= kept.text().len()), "{}", endpoint.id);
            }
            let whole = Json::parse(&full.project(&json)).is_ok_and(|whole| whole.same(&json));
            assert!(whole, "{}: the full selector yields the value", endpoint.id);
        }
    }
    assert!(shapes > 600, "{shapes}");
}

/// A poll of a life cycle's task, in this state.
#[test]
fn every_list_computes_its_windows_and_refuses_a_wrong_filter_with_a_code() {
    let mut runner = TestRunner::deterministic();
    let (mut windows, mut filters) = (0, 0);
    for endpoint in Profile::builtin().endpoints().filter(|it| it.method == "GET" && it.is_list) {
        let takes =
            |kind, name: &str| endpoint.parameters.iter().any(|it| it.kind == kind && it.name == name);
        let resource = partial_resources(&endpoint.shape);
        let mut element = || resource.new_tree(&mut runner).unwrap().current();
        let elements = [element(), element(), element(), element()];
        let whole = format!("[{}]", elements.join(","));
        let replay = replay(cassette(vec![(request(endpoint), 200, whole.as_str())]), None);
        if takes(ParameterKind::Header, "Range") {
            let recorded = answer(&replay, request(endpoint)).1;
            let recorded = Json::parse(&recorded).unwrap();
            let page = evidence::ask(&replay, request(endpoint).with("Range", "items=1-2")).response;
            let texts: Vec<&str> = recorded.elements()[1..3].iter().map(|one| one.text()).collect();
            let shown = page.headers.text("Content-Range").unwrap_or_default().into_owned();
            assert_eq!((page.status, shown.as_str()), (200, "items 1-2/4"), "{}", endpoint.id);
            assert_eq!(page.text().unwrap(), format!("[{}]", texts.join(",")), "{}", endpoint.id);
            windows += 1;
        }
        if takes(ParameterKind::Query, "filter") {
            let mut wrong = request(endpoint);
            wrong.target += if wrong.target.contains('?') { "&filter=(" } else { "?filter=(" };
            let (status, body) = answer(&replay, wrong);
            let documented = endpoint.errors.iter().filter(|row| row.status == 422);
            let codes: Vec<String> = documented.map(|row| format!("\"code\":{},", row.code)).collect();
            let is_documented = codes.iter().any(|code| body.contains(code));
            assert_eq!(status, 422, "{}: {body}", endpoint.id);
            assert!(is_documented || body.contains("\"code\":1010,"), "{}: {body}", endpoint.id);
            filters += 1;
        }
    }
    assert!(windows > 150 && filters > 150, "{windows} {filters}");
}

fn poll(life: &Lifecycle, state: &str) -> (Request, u16, String) {
    let endpoint = Profile::builtin().by_name(&life.task).unwrap();
    let id = if life.id.is_empty() { String::new() } else { format!("\"{}\":{},", life.id, id(endpoint)) };
    (request(endpoint), 200, format!("{{{id}\"{}\":\"{state}\"}}", life.state[0]))
}

/// The id in an endpoint's path, as JSON.
fn id(endpoint: &Endpoint) -> &'static str {
    let of_path = |parameter: &&Parameter| parameter.kind == ParameterKind::Path;
    let last = endpoint.parameters.iter().rfind(of_path);
    match last.map(|parameter| value(&parameter.data_type)) {
        Some("seven") => "\"seven\"",
        _ => "7",
    }
}

#[test]
fn every_life_cycle_is_stretched_to_1_7_and_50_polls_a_phase() {
    let mut count = 0;
    for life in Profile::builtin().lifecycles() {
        let mut states: Vec<&str> = Vec::new();
        for phase in [Phase::Waiting, Phase::Working, Phase::Done] {
            states
                .extend(life.phases.iter().find(|(_, kind)| *kind == phase).map(|(state, _)| state.as_str()));
        }
        assert!(states.len() >= 2, "{}", life.task);
        let polls: Vec<(Request, u16, String)> = states.iter().map(|state| poll(life, state)).collect();
        for each in [1, 7, 50] {
            let recorded = polls.iter().map(|(asked, status, body)| (asked.clone(), *status, body.as_str()));
            let scenario = format!("summary = \"x\"\npolls_per_phase = {each}\n");
            let replay = replay(cassette(recorded.collect()), Some(&scenario));
            for expected in &states {
                for _ in 0..each {
                    assert_eq!(state(&replay, polls[0].0.clone()), *expected, "{}", life.task);
                }
            }
            assert_eq!(state(&replay, polls[0].0.clone()), *states.last().unwrap(), "{}", life.task);
        }
        count += 1;
    }
    assert!(count >= 50, "{count} life cycles");
}

/// A task that this creator has started, and its polls through a state of each phase.
fn started(life: &Lifecycle, creator: &Creator) -> Vec<(Request, u16, String)> {
    let profile = Profile::builtin();
    let (task, starts) = (profile.by_name(&life.task).unwrap(), profile.by_name(&creator.endpoint).unwrap());
    let of = |phase| life.phases.iter().find(move |(_, kind)| *kind == phase);
    let phases = [Phase::Waiting, Phase::Working, Phase::Done].into_iter().filter_map(of);
    let link = format!("/api{}", task.template.replace(&format!("{{{}}}", last_parameter(task)), "7"));
    let answer = format!("{{\"{}\":{},\"link\":\"https://console{link}\"}}", creator.id, id(task));
    let creation = (request(starts), starts.success[0], answer);
    std::iter::once(creation).chain(phases.map(|(state, _)| poll(life, state))).collect()
}

fn last_parameter(endpoint: &Endpoint) -> &str {
    let path = endpoint.parameters.iter().rfind(|it| it.kind == ParameterKind::Path);
    path.map_or("", |parameter| parameter.name.as_str())
}

#[test]
fn every_task_that_is_started_again_is_another_and_walks_from_its_beginning() {
    let mut count = 0;
    for life in Profile::builtin().lifecycles() {
        for creator in life.creators.iter().filter(|creator| !creator.endpoint.starts_with("DELETE")) {
            let all = started(life, creator);
            let recorded: Vec<_> =
                all.iter().map(|(asked, status, body)| (asked.clone(), *status, body.as_str())).collect();
            let replay = replay(cassette(recorded), None);
            let (start, task) = (all[0].0.clone(), all[1].0.clone());
            assert_eq!(answer(&replay, start.clone()).1, all[0].2, "{}", creator.endpoint);
            let states: Vec<&str> = all[1..].iter().map(|(_, _, body)| body.as_str()).collect();
            for expected in &states {
                assert_eq!(answer(&replay, task.clone()).1, *expected, "{}", creator.endpoint);
            }
            let (status, again) = answer(&replay, start);
            let again = Json::parse(&again).unwrap();
            let fresh = again.member(&creator.id).unwrap();
            assert!(
                status == all[0].1 && fresh.text() != id_text(&all[0].2, creator),
                "{}",
                creator.endpoint
            );
            let word = fresh.as_str().unwrap_or(fresh.text());
            let mut fresh_task = task.clone();
            let (path, query) = task.target.split_once('?').unwrap_or((&task.target, ""));
            let place = path.rfind("/7").or_else(|| path.rfind("/seven")).unwrap() + 1;
            let after = path[place..].find('/').map_or("", |end| &path[place + end..]);
            fresh_task.target = format!("{}{word}{after}", &path[..place]);
            assert!(query.is_empty());
            if id_text(&all[0].2, creator) == "7" {
                assert!(
                    again.member("link").unwrap().as_str().unwrap().contains(&format!("/{word}")),
                    "{}",
                    again.text()
                );
            }
            for expected in &states {
                let (_, body) = answer(&replay, fresh_task.clone());
                let body = Json::parse(&body).unwrap();
                assert_eq!(body.member(&life.id).unwrap().text(), fresh.text(), "{}", creator.endpoint);
                let expected = Json::parse(expected).unwrap();
                assert!(body.member(&life.state[0]).unwrap().same(expected.member(&life.state[0]).unwrap()));
            }
            count += 1;
        }
    }
    assert!(count >= 30, "{count}");
}

fn id_text(answer: &str, creator: &Creator) -> String {
    Json::parse(answer).unwrap().member(&creator.id).unwrap().text().to_owned()
}

#[test]
fn no_task_is_answered_with_what_was_started_for_another() {
    for life in Profile::builtin().lifecycles() {
        for creator in &life.creators {
            let all = started(life, creator);
            let (start, status, body) = &all[0];
            let mut other = start.clone();
            let path = start.path().to_owned();
            other.target = other.target.replacen("/seven", "/eight", 1).replacen("/7", "/8", 1);
            if other.path() == path {
                continue;
            }
            let replay = replay(cassette(vec![(start.clone(), *status, body.as_str())]), None);
            let (status, _) = answer(&replay, other);
            assert!(matches!(status, 404 | 501), "{}: {status}", creator.endpoint);
        }
    }
}

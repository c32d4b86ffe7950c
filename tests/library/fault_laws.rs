//! The laws of the fault table, over every kind and any delivery.

use crate::laws;

use std::time::Duration;

use bytes::Bytes;
use faultdeck::delivery::{Delivery, End, Framing, Step};
use faultdeck::fault::{
    ApiError, At, Close, Context, Did, DropField, Effect, FRAMEWORK_ERRORS, Fault, HtmlPage, Latency,
    MalformedJson, RenamedKeys, Reset, Takes, Truncate, Work,
};
use faultdeck::greeting::{Arrival, Ending, Greeting, Welcome};
use faultdeck::json::Json;
use faultdeck::message::{HttpVersion, Request, Response};
use faultdeck::profile::{Endpoint, Lifecycle, Profile, framework_error};
use faultdeck::scenario::Scenario;
use faultdeck::seed::{Seed, Stream};
use laws::holds;
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::{Just, Strategy, any, prop_assert, prop_assert_eq, prop_assert_ne, prop_oneof};
use proptest::sample::select;

const CASES: u32 = 10_000;
const TASK: &str = "case_create_tasks.get";

fn endpoint() -> &'static Endpoint {
    Profile::builtin().by_name(TASK).unwrap()
}

fn lifecycle() -> &'static Lifecycle {
    Profile::builtin().task_of(&endpoint().id).unwrap()
}

/// Injects, with all there is to know or with nothing.
pub(crate) fn inject(fault: &Fault, delivery: &mut Delivery, knows: bool) -> Option<Did> {
    let mut stream = Seed(7).stream(&["fault laws"]);
    let mut cx = Context {
        endpoint: knows.then(endpoint),
        lifecycle: knows.then(lifecycle),
        request: &Request::new("GET", "/api/forensics/case_management/case_create_tasks/7"),
        nth: 1,
        heard: knows,
        at: Duration::from_millis(1500),
        stream: &mut stream,
    };
    fault.inject(delivery, &mut cx)
}

/// Injects with the next draws of a stream.
pub(crate) fn inject_drawing(fault: &Fault, delivery: &mut Delivery, stream: &mut Stream) -> Option<Did> {
    let request = &Request::new("GET", "/api/x");
    let mut cx = Context {
        endpoint: None,
        lifecycle: None,
        request,
        nth: 1,
        heard: false,
        at: Duration::ZERO,
        stream,
    };
    fault.inject(delivery, &mut cx)
}

pub(crate) fn sent(delivery: &Delivery) -> Vec<u8> {
    let image = delivery.image();
    let mut out = Vec::new();
    for step in &delivery.steps {
        match step {
            Step::Send(range) => {
                image.slice(range.clone()).iter().for_each(|part| out.extend_from_slice(part))
            }
            Step::Raw(raw) => out.extend_from_slice(raw),
            Step::Wait(_) | Step::Beat(_) | Step::Pace(_) | Step::End(_) => {}
        }
    }
    out
}

fn bodies() -> impl Strategy<Value = Bytes> {
    let texts = [
        "",
        " ",
        "7",
        "null",
        "{}",
        "[]",
        "[{\"id\":1,\"state\":\"COMPLETE\"},{\"id\":2}]",
        "{\"assigned_to\":[\"a\"],\"case_id\":9007199254740993,\"id\":1,\"name\":\"x\",\"state\":\"WAITING\"}\n",
        "{\"status\":\"COMPLETE\",\"case_name\":\"y\",\"id\":1.00,\"id\":2}",
        "{\"name\":",
        "<html></html>",
    ];
    prop_oneof![
        select(texts.to_vec()).prop_map(|text| Bytes::from_static(text.as_bytes())),
        vec(any::<u8>(), 0..40).prop_map(Bytes::from),
    ]
}

fn responses() -> impl Strategy<Value = Response> {
    let types = [Some("application/json;charset=UTF-8"), Some("text/html"), Some("application/JSON"), None];
    let lengths =
        prop_oneof![Just(None), Just(Some(None)), (0..60usize).prop_map(|length| Some(Some(length)))];
    let head = (
        select(&[200, 201, 204, 304, 404, 422, 500, 100, 999][..]),
        select(types.to_vec()),
        lengths,
        any::<bool>(),
    );
    (head, bodies(), option::of(vec(0..20usize, 0..4)), any::<bool>()).prop_map(
        |((status, media, length, old), body, chunks, encoded)| {
            let mut response = Response::new(status);
            response.version = if old { HttpVersion::Http10 } else { HttpVersion::Http11 };
            if let Some(media) = media {
                response.headers.push("content-Type", media);
            }
            if let Some(length) = length {
                response.headers.push("Content-Length", length.unwrap_or(body.len()).to_string());
            }
            if chunks.is_some() {
                response.headers.push("Transfer-Encoding", "chunked");
            }
            if encoded && status == 422 {
                response.headers.push("Content-Encoding", "gzip");
            }
            response.body = body;
            response.chunks = chunks;
            response
        },
    )
}

fn steps() -> impl Strategy<Value = Step> {
    prop_oneof![
        (0..5u64).prop_map(|ms| Step::Wait(Duration::from_millis(ms))),
        (0..5u64).prop_map(|ms| Step::Beat(Duration::from_millis(ms))),
        (0..5u64).prop_map(Step::Pace),
        (0..200usize, 0..200usize).prop_map(|(start, length)| Step::Send(start..start + length)),
        vec(any::<u8>(), 0..9).prop_map(|bytes| Step::Raw(bytes.into())),
    ]
}

/// Any delivery, plain or as earlier faults may have left it.
pub(crate) fn deliveries() -> impl Strategy<Value = Delivery> {
    let framing = prop_oneof![
        4 => Just(Framing::AsRecorded),
        1 => any::<u64>().prop_map(Framing::Length),
        1 => vec(0..9usize, 0..4).prop_map(Framing::Chunked),
        1 => vec(any::<u8>(), 0..20).prop_map(|bytes| Framing::Raw(bytes.into())),
    ];
    let ends = [End::Keep, End::Fin, End::Rst, End::HalfClose, End::Hang];
    let ended = (vec(steps(), 0..6), select(ends.to_vec())).prop_map(|(mut steps, end)| {
        steps.push(Step::End(end));
        steps
    });
    let plain = Just(vec![Step::Send(0..usize::MAX), Step::End(End::Keep)]);
    let steps = prop_oneof![3 => plain, 1 => ended];
    (responses(), framing, any::<bool>(), steps).prop_map(|(response, framing, head_only, steps)| {
        let mut delivery = Delivery::of(response);
        delivery.framing = framing;
        delivery.bodiless |= head_only;
        delivery.steps = steps;
        delivery
    })
}

/// Any delivery at all, steps after the end and no end included.
fn odd_deliveries() -> impl Strategy<Value = Delivery> {
    (deliveries(), any::<bool>(), vec(steps(), 0..3)).prop_map(|(mut delivery, ends, more)| {
        if !ends {
            delivery.steps.pop();
        }
        delivery.steps.extend(more);
        delivery
    })
}

/// A task as a console answers it, in the dialect of the sample, members left out at times, alone or in a list.
fn tasks() -> impl Strategy<Value = String> {
    let members = [
        "\"assigned_to\":[]",
        "\"case_id\":18014398509481985",
        "\"id\": 7",
        "\"name\":\"n\\u00e9\"",
        "\"state\":\"WAITING\"",
    ];
    let task = proptest::sample::subsequence(members.to_vec(), 0..=5).prop_shuffle();
    let task = task.prop_map(|members| format!("{{{}}}", members.join(", ")));
    prop_oneof![task.clone(), vec(task, 0..4).prop_map(|tasks| format!("[{}]", tasks.join(",")))]
}

fn answers() -> impl Strategy<Value = Delivery> {
    (tasks(), option::of(0..3u64)).prop_map(|(body, more)| {
        let count = Json::parse(&body).unwrap().elements().len() as u64;
        let mut response = Response::json(200, body);
        if let Some(more) = more.filter(|_| count > 0) {
            let range = format!("items 2-{}/{}", count + 1, count + 2 + more);
            response.headers.push("Content-Range", range);
        }
        Delivery::of(response)
    })
}

#[test]
fn every_fault_is_total_and_says_when_it_changed_nothing() {
    holds(
        50_000,
        (Fault::strategy(At::Response), odd_deliveries(), any::<bool>()),
        |(fault, before, knows)| {
            let mut after = before.clone();
            let did = inject(&fault, &mut after, knows);
            if did.is_none() || fault.is_identity() {
                prop_assert_eq!(&before, &after, "{:?} did {:?}", fault, did);
            }
            let _ = (after.image(), after.planned_bytes(), sent(&after));
            let mut again = before.clone();
            prop_assert_eq!(inject(&fault, &mut again, knows), did);
            prop_assert_eq!(again, after);
            Ok(())
        },
    );
}

#[test]
fn a_fault_of_zero_strength_is_the_identity() {
    let zero = prop_oneof![
        Just(Fault::Latency(Latency::uniform(0, 0))),
        Just(Fault::DropField(DropField { name: "no_such_member".to_owned() })),
        Just(Fault::Truncate(Truncate { body_bytes: 1_000_000 })),
    ];
    holds(CASES, (zero, deliveries()), |(fault, before)| {
        let mut after = before.clone();
        prop_assert_eq!(inject(&fault, &mut after, true), None);
        prop_assert_eq!(before, after);
        Ok(())
    });
    // Without a second dialect there is nothing to rename.
    holds(CASES, deliveries(), |before| {
        let mut after = before.clone();
        prop_assert_eq!(inject(&Fault::RenamedKeys(RenamedKeys {}), &mut after, false), None);
        prop_assert_eq!(before, after);
        Ok(())
    });
    assert!(Fault::Latency(Latency::uniform(0, 0)).is_identity());
    assert!(!Fault::Latency(Latency::uniform(0, 1)).is_identity());
}

#[test]
fn latency_changes_no_byte_and_is_never_less_than_promised() {
    holds(CASES, (0..500u32, 0..500u32, deliveries()), |(ms, jitter_ms, before)| {
        let mut after = before.clone();
        let did = inject(&Fault::Latency(Latency::uniform(ms, jitter_ms)), &mut after, true);
        prop_assert_eq!(sent(&before), sent(&after));
        prop_assert_eq!((&before.response, &before.framing), (&after.response, &after.framing));
        if did.is_some() {
            let Some(Step::Wait(wait)) = after.steps.first() else { panic!("{:?}", after.steps) };
            let waited_ms = u32::try_from(wait.as_millis()).unwrap();
            prop_assert!(waited_ms >= ms && waited_ms <= ms + jitter_ms);
            prop_assert_eq!(&after.steps[1..], &before.steps[..]);
        }
        Ok(())
    });
}

#[test]
fn reset_and_close_send_the_start_of_what_would_have_been_sent() {
    holds(CASES, (0..400u32, any::<bool>(), deliveries()), |(after_bytes, resets, before)| {
        let (fault, end) = match resets {
            true => (Fault::Reset(Reset { after_bytes, ms: 0 }), End::Rst),
            false => (Fault::Close(Close { after_bytes }), End::Fin),
        };
        let mut after = before.clone();
        let did = inject(&fault, &mut after, true);
        prop_assert_eq!((&before.response, &before.framing), (&after.response, &after.framing));
        if did.is_some() {
            let whole = sent(&before);
            prop_assert_eq!(&sent(&after)[..], &whole[..whole.len().min(after_bytes as usize)]);
            prop_assert_eq!(after.steps.last(), Some(&Step::End(end)));
        }
        Ok(())
    });
}

#[test]
fn what_one_fault_has_ended_a_later_one_does_not_end_again() {
    let mut delivery = Delivery::of(Response::json(200, "{\"id\":1}"));
    assert!(inject(&Fault::Reset(Reset { after_bytes: 10, ms: 0 }), &mut delivery, true).is_some());
    let ended = delivery.clone();
    for later in [
        Fault::Close(Close { after_bytes: 10 }),
        Fault::Truncate(Truncate { body_bytes: 3 }),
        Fault::MalformedJson(MalformedJson::default()),
        Fault::DropField(DropField { name: "id".to_owned() }),
    ] {
        assert_eq!(inject(&later, &mut delivery, true), None);
        assert_eq!(delivery, ended);
    }
    assert!(inject(&Fault::Close(Close { after_bytes: 4 }), &mut delivery, true).is_some());
    assert_eq!(sent(&delivery), b"HTTP");
}

#[test]
fn a_truncated_answer_announces_its_full_length_and_sends_less() {
    let response = (bodies(), option::of(vec(0..9usize, 0..4)), any::<bool>());
    holds(CASES, (response, 0..40u32), |((body, chunks, with_length), body_bytes)| {
        let mut response = Response::new(200);
        response.headers.push("X-First", "1");
        match &chunks {
            Some(_) => response.headers.push("transfer-encoding", "chunked"),
            None if with_length => response.headers.push("content-length", body.len().to_string()),
            None => {}
        }
        response.body = body.clone();
        response.chunks = chunks;
        let mut delivery = Delivery::of(response);
        let did = inject(&Fault::Truncate(Truncate { body_bytes }), &mut delivery, true);
        prop_assert_eq!(did.is_some(), (body_bytes as usize) < body.len());
        if did.is_some() {
            let wire = sent(&delivery);
            let head = String::from_utf8(delivery.image().head.to_vec()).unwrap().to_ascii_lowercase();
            prop_assert!(head.contains(&format!("content-length: {}\r\n", body.len())), "{}", head);
            prop_assert!(!head.contains("transfer-encoding"));
            prop_assert_eq!(&wire[head.len()..], &body[..body_bytes as usize]);
            prop_assert_eq!(delivery.steps.last(), Some(&Step::End(End::Fin)));
        }
        Ok(())
    });
}

#[test]
fn a_malformed_body_is_no_json_and_its_length_is_right() {
    holds(CASES, answers(), |before| {
        let mut after = before.clone();
        let did = inject(&Fault::MalformedJson(MalformedJson::default()), &mut after, true);
        prop_assert!(did.is_some());
        prop_assert!(Json::parse_bytes(&after.response.body).is_err());
        prop_assert_eq!(after.response.body.len() + 1, before.response.body.len());
        let length = after.response.headers.text("Content-Length").unwrap().into_owned();
        prop_assert_eq!(length, after.response.body.len().to_string());
        prop_assert_eq!((after.response.status, after.steps), (before.response.status, before.steps));
        Ok(())
    });
}

#[test]
fn a_dropped_field_is_gone_everywhere_and_nothing_else_is() {
    let names = select(&["assigned_to", "case_id", "id", "name", "state"][..]);
    holds(CASES, (answers(), names), |(before, name)| {
        let mut after = before.clone();
        let did = inject(&Fault::DropField(DropField { name: name.to_owned() }), &mut after, true);
        let (old, new) = (before.response.text().unwrap(), after.response.text().unwrap());
        prop_assert_eq!(
            did.map(|did| did.members),
            old.contains(&format!("\"{name}\"")).then(|| vec![name.to_owned()])
        );
        let (old, new) = (Json::parse(old).unwrap(), Json::parse(new).unwrap());
        prop_assert_eq!(old.elements().len(), new.elements().len());
        let pairs = std::iter::once((&old, &new)).chain(old.elements().iter().zip(new.elements()));
        for (old, new) in pairs {
            let kept = old.members().iter().filter(|(key, _)| key != name);
            let kept: Vec<(&str, &str)> = kept.map(|(key, value)| (&**key, value.text())).collect();
            let left: Vec<(&str, &str)> =
                new.members().iter().map(|(key, value)| (&**key, value.text())).collect();
            prop_assert_eq!(kept, left);
        }
        Ok(())
    });
}

#[test]
fn renaming_leads_to_the_other_dialect_and_back() {
    holds(CASES, answers(), |before| {
        let fault = Fault::RenamedKeys(RenamedKeys {});
        let mut other = before.clone();
        let did = inject(&fault, &mut other, true);
        let text = other.response.text().unwrap().to_owned();
        let was = before.response.text().unwrap();
        prop_assert_eq!(did.is_some(), was.contains("\"name\"") || was.contains("\"state\""));
        prop_assert!(!text.contains("\"name\"") && !text.contains("\"state\""));
        prop_assert_eq!(text.matches("\"case_name\"").count(), was.matches("\"name\"").count());
        prop_assert_eq!(text.matches("\"status\"").count(), was.matches("\"state\"").count());
        prop_assert_eq!(inject(&fault, &mut other, true).is_some(), did.is_some());
        prop_assert_eq!(other, before);
        Ok(())
    });
}

#[test]
fn faults_of_the_body_leave_errors_and_pages_alone() {
    let body = "{\"id\":1,\"name\":\"x\",\"state\":\"WAITING\"}";
    let mut compressed = Response::json(200, body);
    compressed.headers.push("Content-Encoding", "gzip");
    let others = [Response::json(404, body), Response::with_body(200, "text/html", body), compressed];
    for response in others {
        for fault in [
            Fault::MalformedJson(MalformedJson::default()),
            Fault::DropField(DropField { name: "name".to_owned() }),
            Fault::RenamedKeys(RenamedKeys {}),
        ] {
            let before = Delivery::of(response.clone());
            let mut after = before.clone();
            assert_eq!(inject(&fault, &mut after, true), None);
            assert_eq!(before, after);
        }
    }
}

#[test]
fn an_api_error_has_the_description_of_its_endpoint() {
    let mut delivery = Delivery::of(Response::json(200, "{}"));
    inject(&Fault::ApiError(ApiError::documented(404, 1002)), &mut delivery, true);
    let body = Json::parse(delivery.response.text().unwrap()).unwrap();
    assert_eq!(delivery.response.status, 404);
    assert_eq!(body.member("code").unwrap().as_i128(), Some(1002));
    let documented = "No case create task was found for the provided ID.";
    assert_eq!(body.member("description").unwrap().as_str(), Some(documented));
    for (status, code) in FRAMEWORK_ERRORS {
        assert!(framework_error(status, code).is_some(), "{status}/{code}");
        inject(&Fault::ApiError(ApiError::documented(status, code)), &mut delivery, true);
        assert_eq!(delivery.response, framework_error(status, code).unwrap());
    }
}

#[test]
fn a_page_is_html_and_whole() {
    holds(CASES, (200..=599u16, deliveries()), |(status, mut delivery)| {
        let page = HtmlPage { status };
        prop_assert_eq!(page.check_says_ok(), !matches!(status, 204 | 205 | 304));
        inject(&Fault::HtmlPage(page), &mut delivery, true);
        prop_assert_eq!(delivery.response.status, status);
        prop_assert!(delivery.response.headers.text("Content-Type").unwrap().starts_with("text/html"));
        let length = delivery.response.headers.text("Content-Length").unwrap().into_owned();
        prop_assert_eq!(length, delivery.response.body.len().to_string());
        prop_assert!(Json::parse_bytes(&delivery.response.body).is_err());
        Ok(())
    });
}

/// A word of its own, so that the law above reads as one.
trait CheckSaysOk {
    fn check_says_ok(&self) -> bool;
}

impl CheckSaysOk for HtmlPage {
    fn check_says_ok(&self) -> bool {
        Fault::HtmlPage(self.clone()).check().is_ok()
    }
}

/// What became of an answer that is a task, or a list of tasks, as whoever reads it on the wire would say.
fn seen(before: &Delivery, after: &Delivery) -> Effect {
    let image = after.image();
    let sends_all = sent(after).len() == image.head.len() + image.body.len();
    let is_framed = match &after.framing {
        Framing::AsRecorded | Framing::Chunked(_) => true,
        Framing::Length(length) => *length == after.response.body.len() as u64,
        Framing::Raw(_) => false,
    };
    if !sends_all || !is_framed {
        return Effect::Lost;
    }
    let head =
        |delivery: &Delivery, name: &str| delivery.response.headers.text(name).map(|text| text.into_owned());
    let differs = |name: &str| head(before, name) != head(after, name);
    let is_same_body = before.response.body == after.response.body;
    if after.response.status != before.response.status || (differs("Content-Type") && !is_same_body) {
        return Effect::Replaced;
    }
    if differs("Content-Type") || differs("Content-Encoding") {
        return Effect::Unreadable;
    }
    let was = Json::parse_bytes(&before.response.body).unwrap();
    let Ok(is) = Json::parse_bytes(&after.response.body) else { return Effect::Unreadable };
    let members = |json: &Json<'_>| {
        let all = std::iter::once(json).chain(json.elements()).flat_map(Json::members);
        all.map(|(name, value)| (name.to_string(), value.text().to_owned())).collect::<Vec<_>>()
    };
    let (old, new) = (members(&was), members(&is));
    let values =
        |members: &[(String, String)]| members.iter().map(|(_, value)| value.clone()).collect::<Vec<_>>();
    match () {
        () if !is.duplicates().is_empty() => Effect::Ambiguous,
        () if was.compact() == is.compact() && differs("Content-Range") => Effect::Altered,
        () if was.compact() == is.compact() => Effect::Whole,
        () if was.same(&is) => Effect::Rewritten,
        () if was.elements().len() != is.elements().len() => Effect::Altered,
        () if new.len() < old.len() && new.iter().all(|member| old.contains(member)) => Effect::Thinner,
        () if values(&old) == values(&new) => Effect::Respelt,
        () => Effect::Altered,
    }
}

#[test]
fn the_table_says_what_becomes_of_the_answer() {
    holds(CASES, (Fault::strategy(At::Response), answers()), |(fault, before)| {
        let mut after = before.clone();
        if let Some(did) = inject(&fault, &mut after, true) {
            let row = Fault::row(fault.kind()).unwrap();
            // What would end the answer early does not if it comes after the last byte.
            let is_late = match &fault {
                Fault::Close(Close { after_bytes }) | Fault::Reset(Reset { after_bytes, .. }) => {
                    *after_bytes as usize >= sent(&before).len()
                }
                _ => false,
            };
            let effect = if is_late { Effect::Whole } else { row.effect };
            prop_assert_eq!(seen(&before, &after), effect, "{:?}", fault);
            match row.effect {
                Effect::Thinner | Effect::Respelt => prop_assert!(!did.members.is_empty(), "{:?}", did),
                Effect::Ambiguous => prop_assert_eq!(did.members.len(), 1),
                // It may be about no member: a list, an order.
                Effect::Altered => {}
                _ => prop_assert!(did.members.is_empty(), "{:?}", did),
            }
        }
        Ok(())
    });
}

#[test]
fn what_a_fault_does_to_the_work_fits_what_it_does_to_the_answer() {
    for row in Fault::CATALOGUE {
        if row.at == At::Connection {
            // Without a connection nobody asks for anything; what is only late is done.
            assert_eq!(row.work == Work::Done, row.effect == Effect::Whole, "{}", row.name);
            assert!(matches!(row.effect, Effect::Whole | Effect::Lost) && !row.meets_refused, "{}", row.name);
            continue;
        }
        match row.effect {
            // There is an answer to edit only if the work was done, and one to put in its place only if it was not.
            Effect::Thinner
            | Effect::Respelt
            | Effect::Altered
            | Effect::Ambiguous
            | Effect::Rewritten
            | Effect::Unreadable
            | Effect::Whole => assert_eq!(row.work, Work::Done),
            Effect::Replaced => assert_eq!(row.work, Work::NotDone),
            Effect::Lost => {}
        }
        // At the door there is no answer of an endpoint yet: only what is about the bytes on the wire can be met there.
        let is_of_the_wire = matches!(row.effect, Effect::Whole | Effect::Lost);
        assert_eq!(row.meets_refused, is_of_the_wire, "{}", row.name);
    }
}

#[test]
fn the_errors_to_be_told_apart_are_legal_and_have_names_of_their_own() {
    let errors = Fault::errors();
    let mut names: Vec<&str> = errors.iter().map(|(name, _)| *name).collect();
    names.dedup();
    assert!(errors.len() >= 5 && names.len() == errors.len());
    for (name, error) in errors {
        assert!(error.check().is_ok(), "{name}");
        assert_eq!(Fault::row(error.kind()).unwrap().effect, Effect::Replaced, "{name}");
    }
}

#[test]
fn every_row_of_the_table_is_complete_and_its_example_loads() {
    for row in Fault::CATALOGUE {
        let scenario =
            Scenario::parse("x", row.name, &format!("[[fault]]\n{}\n", row.example), Profile::builtin());
        let scenario = scenario.unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(scenario.faults[0].inject.kind(), row.name);
        assert!(row.summary.ends_with('.') && row.docs.len() > 200, "{}", row.name);
        assert!(row.parameters.iter().all(|parameter| !parameter.meaning.is_empty()));
    }
}

#[test]
fn every_generated_fault_is_legal_and_has_the_parameters_of_its_row() {
    let any = prop_oneof![Fault::strategy(At::Response), Fault::strategy(At::Connection)];
    holds(CASES, any, |fault| {
        prop_assert!(fault.check().is_ok());
        let row = Fault::row(fault.kind()).unwrap();
        let value = serde_json::to_value(&fault).unwrap();
        let parameters = value[row.name].as_object().unwrap();
        // What has its default may be left out, and must be where the parameter came after its kind.
        let written = row.parameters.iter().filter(|parameter| parameters.contains_key(parameter.name));
        let names: Vec<&str> = written.clone().map(|parameter| parameter.name).collect();
        prop_assert_eq!(parameters.keys().map(String::as_str).collect::<Vec<_>>(), names);
        let left_out = row.parameters.iter().filter(|parameter| !parameters.contains_key(parameter.name));
        prop_assert!(left_out.clone().all(|parameter| parameter.default.is_some()), "{:?}", fault);
        for parameter in written {
            let value = &parameters[parameter.name];
            match parameter.takes {
                Takes::Number(least, most) => {
                    let number = value.as_u64().unwrap();
                    prop_assert!(number >= u64::from(least) && number <= u64::from(most));
                }
                Takes::Name => prop_assert_ne!(value.as_str().unwrap(), ""),
                Takes::Text => prop_assert!(value.as_str().unwrap().len() <= Takes::TEXT_MAX),
                Takes::Flag => prop_assert!(value.is_boolean()),
                Takes::Word(words) => prop_assert!(words.contains(&value.as_str().unwrap())),
            }
        }
        Ok(())
    });
}

#[test]
fn a_fault_befalls_a_connection_or_an_answer_and_never_both() {
    holds(CASES, (Fault::strategy(At::Connection), answers(), 1..9usize), |(fault, before, open)| {
        prop_assert_eq!(Fault::row(fault.kind()).unwrap().at, At::Connection);
        let mut after = before.clone();
        prop_assert_eq!(inject(&fault, &mut after, true), None);
        prop_assert_eq!(before, after);
        let greets = fault.greets().unwrap();
        let mut greeting = Greeting::default();
        let part = greets.greet(&mut greeting, &Arrival { connection: 1, open, ..Arrival::default() });
        prop_assert_eq!(part.is_none(), greeting.is_plain());
        prop_assert!(!fault.is_identity() || greeting.is_plain());
        prop_assert!(!greets.did().is_empty());
        // What has become of a connection is not undone, and nothing else becomes of it.
        let reset = Welcome::End(Ending::Reset);
        let mut greeting = Greeting { then: reset, ..Greeting::default() };
        greets.greet(&mut greeting, &Arrival { connection: 1, open, ..Arrival::default() });
        prop_assert_eq!(greeting.then, reset);
        Ok(())
    });
    holds(CASES, Fault::strategy(At::Response), |fault| {
        prop_assert!(fault.greets().is_none() && !fault.is_of_connections());
        Ok(())
    });
    for row in Fault::CATALOGUE {
        let scenario =
            Scenario::parse("x", row.name, &format!("[[fault]]\n{}\n", row.example), Profile::builtin());
        let is_of_connections = scenario.unwrap().faults[0].inject.is_of_connections();
        assert_eq!(is_of_connections, row.at == At::Connection, "{}", row.name);
    }
}

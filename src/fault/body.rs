//! How the faults that edit a body get at it.

use proptest::sample::select;
use proptest::strategy::Strategy;

use super::{Parameter, Takes};
use crate::delivery::{Delivery, End, Framing, Step};
use crate::json::{self, Json, Kind};

/// The parameter of a fault that is about one member.
pub(super) const MEMBER: Parameter = Parameter {
    name: "name",
    takes: Takes::Name,
    default: None,
    meaning: "the member, at the top level or in each element of a list",
};

/// Such members, for the generator: those of a case task, and one that is never there.
pub(super) fn members() -> impl Strategy<Value = String> {
    select(&["name", "assigned_to", "case_id", "id", "state", "absent"][..]).prop_map(str::to_owned)
}

/// Puts `edit(body)` in place of the body of a successful JSON answer and keeps the framing true to it. Anything else
/// is left alone: error answers, other media types, compressed bodies, bodies that are not JSON, and responses that
/// an earlier fault has cut (what is on the wire by then cannot change). Says whether the body changed.
pub(super) fn edit_json(
    delivery: &mut Delivery,
    edit: impl FnOnce(&str, &Json<'_>) -> Option<String>,
) -> bool {
    let Some(edited) = json_body(delivery).and_then(|text| edit(text, &Json::parse(text).ok()?)) else {
        return false;
    };
    if edited.as_bytes() == &delivery.response.body[..] {
        return false;
    }
    delivery.response.set_body(edited);
    true
}

fn json_body(delivery: &Delivery) -> Option<&str> {
    let response = &delivery.response;
    let is_json = response.headers.text("Content-Type")?.to_ascii_lowercase().contains("json");
    let is_plain_text = !response.headers.has("Content-Encoding");
    let is_framed_by_itself = matches!(delivery.framing, Framing::AsRecorded | Framing::Chunked(_));
    let sees_it =
        response.is_success() && is_json && is_plain_text && is_framed_by_itself && !delivery.bodiless;
    if sees_it && is_whole(delivery) { response.text() } else { None }
}

/// Whether the whole response is sent in order, in however many pieces and however slowly.
pub(super) fn is_whole(delivery: &Delivery) -> bool {
    let mut sent = 0;
    for step in &delivery.steps {
        match step {
            Step::Wait(_) | Step::Beat(_) | Step::Pace(_) => {}
            Step::Send(range) if range.start == sent && range.end > sent => sent = range.end,
            Step::End(end) => {
                return sent == usize::MAX && matches!(end, End::Keep | End::Fin | End::HalfClose);
            }
            Step::Send(_) | Step::Raw(_) => return false,
        }
    }
    false
}

/// The object a JSON body is, or the objects of the list it is.
pub(super) fn objects<'j, 'a>(json: &'j Json<'a>) -> impl Iterator<Item = &'j Json<'a>> {
    std::iter::once(json).chain(json.elements())
}

/// The same with where each stands, as an RFC 6901 pointer; what is no object is left out.
pub(super) fn objects_at<'j, 'a>(json: &'j Json<'a>) -> Vec<(String, &'j Json<'a>)> {
    let is_object = |json: &Json<'_>| matches!(json.kind(), Kind::Object(_));
    let own = is_object(json).then(|| (String::new(), json));
    let elements = json.elements().iter().enumerate().filter(|(_, element)| is_object(element));
    own.into_iter().chain(elements.map(|(place, element)| (format!("/{place}"), element))).collect()
}

/// Puts `new(value)` in place of the value of the member `name`, at the top level or in each element of a list. It is
/// put into the text as it is. Says whether the body changed.
pub(super) fn edit_member(
    delivery: &mut Delivery,
    name: &str,
    new: impl Fn(&Json<'_>) -> Option<String>,
) -> bool {
    edit_json(delivery, |text, json| {
        let edits = objects_at(json).into_iter().filter_map(|(at, object)| {
            Some((format!("{at}/{}", json::escape(name)), new(object.member(name)?)?))
        });
        let edits: Vec<(String, String)> = edits.collect();
        let edits: Vec<(&str, &str)> = edits.iter().map(|(at, new)| (at.as_str(), new.as_str())).collect();
        (!edits.is_empty()).then(|| json::replace(text, &edits))
    })
}

/// Whether this is a successful answer whose body comes whole, of any media type.
pub(super) fn is_good(delivery: &Delivery) -> bool {
    let has_body = !delivery.bodiless && !delivery.response.body.is_empty();
    let is_framed_by_itself = matches!(delivery.framing, Framing::AsRecorded | Framing::Chunked(_));
    delivery.response.is_success() && has_body && is_framed_by_itself && is_whole(delivery)
}

/// The text of a successful JSON answer that comes whole.
pub(super) fn good_json(delivery: &Delivery) -> Option<&str> {
    json_body(delivery)
}

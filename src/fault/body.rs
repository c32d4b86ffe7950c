//! How the faults that edit a body get at it.

use crate::delivery::{Delivery, End, Framing, Step};
use crate::json::Json;

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

/// Whether the whole response is sent in order, waits apart.
pub(super) fn is_whole(delivery: &Delivery) -> bool {
    let mut steps = delivery.steps.iter().filter(|step| !matches!(step, Step::Wait(_)));
    let sends_all =
        matches!(steps.next(), Some(Step::Send(range)) if range.start == 0 && range.end == usize::MAX);
    let keeps = matches!(steps.next(), Some(Step::End(End::Keep | End::Fin | End::HalfClose)));
    sends_all && keeps && steps.next().is_none()
}

/// The object a JSON body is, or the objects of the list it is.
pub(super) fn objects<'j, 'a>(json: &'j Json<'a>) -> impl Iterator<Item = &'j Json<'a>> {
    std::iter::once(json).chain(json.elements())
}

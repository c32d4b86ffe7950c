//! How the faults of lists get at a page.

use super::body::{edit_json, is_good};
use crate::delivery::Delivery;
use crate::fields::Shape;
use crate::json::{self, Json, Kind};
use crate::lists::{Window, window_of_answer};
use crate::profile::Endpoint;

/// Puts other elements in the place of those of a successful JSON answer that is a list, or that holds one list in an
/// object and has a `Content-Range`. Says whether the body changed.
pub(super) fn edit_list(
    delivery: &mut Delivery,
    edit: impl for<'t> FnOnce(&[&'t str]) -> Option<Vec<&'t str>>,
) -> bool {
    let is_page = delivery.response.headers.has("Content-Range");
    edit_json(delivery, |text, json| {
        let (at, list) = list_in(json, is_page)?;
        let elements: Vec<&str> = list.elements().iter().map(Json::text).collect();
        let kept = edit(&elements).filter(|kept| *kept != elements)?;
        Some(json::replace(text, &[(&at, &format!("[{}]", kept.join(",")))]))
    })
}

/// Where the list of an answer stands, and the list.
fn list_in<'j, 'a>(json: &'j Json<'a>, is_page: bool) -> Option<(String, &'j Json<'a>)> {
    let is_list = |json: &Json<'_>| matches!(json.kind(), Kind::Array(_));
    if is_list(json) {
        return Some((String::new(), json));
    }
    let mut lists = json.members().iter().filter(|(_, value)| is_page && is_list(value));
    match (lists.next(), lists.next()) {
        (Some((name, list)), None) => Some((format!("/{}", json::escape(name)), list)),
        _ => None,
    }
}

/// The `Content-Range` of a successful answer that comes whole.
pub(super) fn range_of(delivery: &Delivery) -> Option<String> {
    let shown = delivery.response.headers.text("Content-Range").filter(|_| is_good(delivery))?;
    Some(shown.into_owned())
}

/// What it says: the window, and how many there are in all.
pub(super) fn window_of(delivery: &Delivery) -> Option<(Window, u64)> {
    window_of_answer(&range_of(delivery)?)
}

/// Why a fault of a list cannot happen here, if it cannot. Where no page shows the answer, anything may come.
pub(super) fn no_list(endpoint: &Endpoint) -> Option<String> {
    let may_be = endpoint.is_list || endpoint.takes_range() || endpoint.shape == Shape::Any;
    (!may_be).then(|| format!("`{}` answers with no list", endpoint.id))
}

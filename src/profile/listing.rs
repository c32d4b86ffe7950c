//! Lists and items as the API answers them: filtered, cut to the range asked for, projected.

use super::{Admitted, Filter, error_response};
use crate::fields::FieldSelector;
use crate::json::Json;
use crate::message::{Request, Response};

/// The answer of a list endpoint to an admitted request: what its `filter`, `Range` and `fields` leave of `elements`.
/// A filter that is not understood is refused with 422/1010 (ours): a wrong list would be worse.
pub(crate) fn answer_list(elements: &[String], admitted: &Admitted<'_>, request: &Request) -> Response {
    match request.param("filter").map(|text| Filter::parse(&text)).transpose() {
        Ok(filter) => list_response(elements, filter.as_ref(), admitted.range, admitted.selector.as_ref()),
        Err(error) => error_response(422, 1010, "", &error.to_string()),
    }
}

/// A list of JSON texts: those that `filter` accepts, of these the ones in `range` (zero-based, inclusive, clipped),
/// each projected. Status 200 even for a part (documented); `Content-Range: items 0-4/5`, counted after the filter,
/// stands there if a range was asked for (seen; `items */5` for a range past the end, one source).
fn list_response(
    elements: &[String],
    filter: Option<&Filter>,
    range: Option<(u64, u64)>,
    selector: Option<&FieldSelector>,
) -> Response {
    let accepted: Vec<&String> = elements
        .iter()
        .filter(|text| match filter {
            Some(filter) => Json::parse(text).is_ok_and(|element| filter.accepts(&element)),
            None => true,
        })
        .collect();
    let total = accepted.len();
    let from = range.map_or(0, |(first, _)| place(first)).min(total);
    let to = range.map_or(total, |(_, last)| place(last).saturating_add(1)).clamp(from, total);
    let texts: Vec<String> =
        accepted.into_iter().skip(from).take(to - from).map(|text| projected(text, selector)).collect();
    let mut response = Response::json(200, format!("[{}]", texts.join(",")));
    if range.is_some() {
        let shown = if from == to { "*".to_owned() } else { format!("{from}-{}", to - 1) };
        response.headers.push("Content-Range", format!("items {shown}/{total}"));
    }
    response
}

/// One element, projected.
pub(crate) fn item_response(status: u16, text: &str, selector: Option<&FieldSelector>) -> Response {
    Response::json(status, projected(text, selector))
}

fn place(number: u64) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}

fn projected(text: &str, selector: Option<&FieldSelector>) -> String {
    match (selector, Json::parse(text)) {
        (Some(selector), Ok(value)) => selector.project(&value),
        _ => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(range: Option<(u64, u64)>) -> (String, Option<String>) {
        let elements: Vec<String> = (0..5).map(|id| format!(r#"{{"id":{id},"name":"n{id}"}}"#)).collect();
        let selector = FieldSelector::parse("id").unwrap();
        let response = list_response(&elements, None, range, selector.as_ref());
        assert_eq!(response.status, 200);
        let shown = response.headers.text("Content-Range").map(|text| text.into_owned());
        (response.text().unwrap().to_owned(), shown)
    }

    #[test]
    fn ranges_are_inclusive_and_clipped() {
        for (range, ids, shown) in [
            (None, "01234", None),
            (Some((0, 4)), "01234", Some("items 0-4/5")),
            (Some((1, 2)), "12", Some("items 1-2/5")),
            (Some((3, 99)), "34", Some("items 3-4/5")),
            (Some((0, u64::MAX)), "01234", Some("items 0-4/5")),
            (Some((5, 9)), "", Some("items */5")),
            (Some((u64::MAX, u64::MAX)), "", Some("items */5")),
        ] {
            let elements: Vec<String> = ids.chars().map(|id| format!(r#"{{"id":{id}}}"#)).collect();
            assert_eq!(list(range), (format!("[{}]", elements.join(",")), shown.map(str::to_owned)));
        }
    }

    #[test]
    fn a_filter_is_applied_before_the_range() {
        let elements =
            [r#"{"id":1,"v":"a"}"#, r#"{"id":2,"v":"b"}"#, r#"{"id":3,"v":"a"}"#].map(str::to_owned);
        let filter = Filter::parse("v=\"a\"").unwrap();
        let response = list_response(&elements, Some(&filter), Some((1, 1)), None);
        assert_eq!(response.text(), Some(r#"[{"id":3,"v":"a"}]"#));
        assert_eq!(response.headers.text("Content-Range").as_deref(), Some("items 1-1/2"));
    }
}

//! All that a place answers to its plain request: what narrower requests are compared with.

use super::question::Answer;
use crate::fields::Shape;
use crate::json::{Json, Kind};

/// Elements of a list that are asked for at once. Of a longer list the rest is not known.
pub(super) const WINDOW: usize = 50;

/// The plain answer of a place.
#[derive(Clone, Debug)]
pub(super) struct Whole {
    text: String,
    /// Whether this is every element there is.
    pub(super) is_all: bool,
    /// How many there are in all, if that was said or is known.
    pub(super) total: Option<u64>,
    pub(super) is_list: bool,
}

impl Whole {
    /// What a successful answer in JSON holds; `None` for any other. `is_window` says whether it was asked for with
    /// `Range: items=0-49`.
    pub(super) fn of(answer: &Answer, is_window: bool) -> Option<Self> {
        let json = answer.is_success().then(|| answer.json()).flatten()?;
        let (is_list, count) = match json.kind() {
            Kind::Array(elements) => (true, elements.len()),
            Kind::Object(_) => (false, 1),
            _ => return None,
        };
        let counted = answer.content_range.as_deref().and_then(total);
        let is_all = match counted {
            _ if !is_list || !is_window => true,
            Some(total) => total == count as u64,
            // A window that is not full is all there is; a fuller one was no window.
            None => count != WINDOW,
        };
        let total = if is_all { Some(count as u64) } else { counted };
        let text = answer.body.clone()?;
        Some(Self { text, is_all, total, is_list })
    }

    /// The value.
    pub(super) fn json(&self) -> Option<Json<'_>> {
        Json::parse(&self.text).ok()
    }

    /// Whether both are the same value.
    pub(super) fn same(&self, other: &Self) -> bool {
        match (self.json(), other.json()) {
            (Some(one), Some(two)) => one.same(&two),
            _ => false,
        }
    }

    /// What one resource looks like here: every member that any element has.
    pub(super) fn shape(&self) -> Shape {
        let Some(json) = self.json() else { return Shape::Any };
        let mut elements = match json.kind() {
            Kind::Array(elements) => elements.iter(),
            _ => std::slice::from_ref(&json).iter(),
        };
        let Some(first) = elements.next() else { return Shape::Any };
        let mut shape = Shape::of_value(first);
        elements.for_each(|element| shape.absorb(element));
        shape
    }
}

/// `items 0-49/729`, `items */0`: how many there are in all.
fn total(text: &str) -> Option<u64> {
    text.trim().strip_prefix("items")?.split_once('/')?.1.trim().parse().ok()
}

/// The elements of a list; of a single resource, itself.
pub(super) fn elements<'j, 'a>(json: &'j Json<'a>) -> &'j [Json<'a>] {
    match json.kind() {
        Kind::Array(elements) => elements,
        _ => std::slice::from_ref(json),
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// A list or a resource that came whole.
    pub(crate) fn whole(text: &str) -> Whole {
        Whole::of(&answer(200, text), false).unwrap()
    }

    pub(crate) fn answer(status: u16, text: &str) -> Answer {
        Answer {
            status,
            content_type: "application/json".to_owned(),
            content_range: None,
            body: Some(text.to_owned()),
        }
    }

    #[test]
    fn a_window_that_is_not_the_end_is_not_all() {
        let with = |range: Option<&str>, count: usize| {
            let text = format!("[{}]", vec!["1"; count].join(","));
            let answer = Answer { content_range: range.map(str::to_owned), ..answer(200, &text) };
            let whole = Whole::of(&answer, true).unwrap();
            (whole.is_all, whole.total)
        };
        assert_eq!(with(Some("items 0-2/3"), 3), (true, Some(3)));
        assert_eq!(with(Some("items 0-49/729"), 50), (false, Some(729)));
        assert_eq!(with(Some("items */0"), 0), (true, Some(0)));
        assert_eq!(with(None, 50), (false, None));
        // It passes `Range` over.
        assert_eq!(with(None, 80), (true, Some(80)));
        assert!(
            Whole::of(&answer(404, "{}"), true).is_none() && Whole::of(&answer(200, "7"), true).is_none()
        );
    }
}

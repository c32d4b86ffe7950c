//! Lists: which elements a request asks for, in which order, and which window of them.
//!
//! [`Filter`] and [`Sort`] are the languages of the parameters of these names, [`Window`] is what stands in a `Range`
//! header. On one request they apply in this order: filter, sort, range, then `fields` on each element (inferred).
//! Rules carry the same marks as those of [`fields`](crate::fields).

mod error;
pub mod filter;
pub mod sort;
mod window;

pub use error::ListError;
pub use filter::Filter;
pub use sort::Sort;
pub use window::{RangeError, Window, window_of_answer};

use crate::fields::FieldSelector;
use crate::json::Json;

/// What is asked of a list.
#[derive(Clone, Debug, Default)]
pub struct Asked<'a> {
    /// Which elements.
    pub filter: Option<&'a Filter>,
    /// In which order; without one they keep theirs.
    pub sort: Option<&'a Sort>,
    /// Which of those that are left.
    pub window: Option<Window>,
    /// What of each.
    pub selector: Option<&'a FieldSelector>,
}

/// What is left of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    /// A JSON array; an element that is not projected is its own source text.
    pub body: String,
    /// The value of `Content-Range`, if a window was asked for: counted after the filter.
    pub content_range: Option<String>,
}

impl Asked<'_> {
    /// Applies everything asked for to a whole list.
    pub fn of(&self, elements: &[Json<'_>]) -> Listed {
        let kept = elements.iter().filter(|element| self.filter.is_none_or(|filter| filter.accepts(element)));
        let mut kept: Vec<&Json<'_>> = kept.collect();
        if let Some(sort) = self.sort {
            sort.apply(&mut kept);
        }
        let total = kept.len();
        let places = self.window.map_or(0..total, |window| window.places(total));
        let text = |element: &&Json<'_>| match self.selector {
            Some(selector) => selector.project(element),
            None => element.text().to_owned(),
        };
        let texts: Vec<String> = kept.get(places.clone()).unwrap_or_default().iter().map(text).collect();
        Listed {
            body: format!("[{}]", texts.join(",")),
            content_range: self.window.map(|_| window::content_range(places, total)),
        }
    }
}

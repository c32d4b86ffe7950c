//! Windows of a list: `Range: items=0-4` and the `Content-Range: items 0-4/5` of its answer.

use std::ops::Range;

/// Places in a list, counted from 0, both ends included (documented).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// The first place.
    pub first: u64,
    /// The last place; not before the first.
    pub last: u64,
}

/// Why a `Range` header is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RangeError {
    /// It is not `items=x-y`, or runs backwards (ours).
    #[error("write `items=x-y`, both numbers counted from 0")]
    Syntax,
    /// One of its numbers is below zero.
    #[error("places are counted from 0")]
    Negative,
}

impl Window {
    /// Reads the value of a `Range` header.
    ///
    /// # Errors
    /// If it is not the API's own form.
    pub fn parse(text: &str) -> Result<Self, RangeError> {
        let items =
            text.trim().strip_prefix("items").map(str::trim_start).and_then(|rest| rest.strip_prefix('='));
        let items = items.map(str::trim).ok_or(RangeError::Syntax)?;
        // The dash between the numbers is the first one that is not a sign.
        let dash = items.char_indices().skip(1).find(|(_, char)| *char == '-').map(|(at, _)| at);
        let (first, last) = dash
            .and_then(|at| Some((items.get(..at)?.trim(), items.get(at + 1..)?.trim())))
            .ok_or(RangeError::Syntax)?;
        if [first, last].iter().any(|number| is_negative(number)) {
            return Err(RangeError::Negative);
        }
        match (number(first), number(last)) {
            (Some(first), Some(last)) if first <= last => Ok(Self { first, last }),
            _ => Err(RangeError::Syntax),
        }
    }

    /// The places of it that a list of this length has; past the end there are none.
    pub fn places(self, length: usize) -> Range<usize> {
        let place = |number: u64| usize::try_from(number).unwrap_or(usize::MAX);
        let from = place(self.first).min(length);
        from..place(self.last).saturating_add(1).clamp(from, length)
    }
}

/// The value of `Content-Range` for these places (documented; `items */5` past the end and of an empty list, too).
pub(super) fn content_range(places: Range<usize>, total: usize) -> String {
    match places.is_empty() {
        true => format!("items */{total}"),
        false => format!("items {}-{}/{total}", places.start, places.end - 1),
    }
}

/// What a `Content-Range` says: the window, and how many there are in all. `None` for no window, and for anything that
/// does not fit together.
pub fn window_of_answer(text: &str) -> Option<(Window, u64)> {
    let (places, total) = text.trim().strip_prefix("items")?.trim().split_once('/')?;
    let (first, last) = places.split_once('-')?;
    let (first, last, total) = (number(first.trim())?, number(last.trim())?, number(total.trim())?);
    (first <= last && last < total).then_some((Window { first, last }, total))
}

fn number(text: &str) -> Option<u64> {
    text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok()).flatten()
}

fn is_negative(text: &str) -> bool {
    text.strip_prefix('-').is_some_and(|rest| number(rest).is_some())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_is_read_in_the_apis_own_form_only() {
        let window = |first, last| Ok(Window { first, last });
        for (text, expected) in [
            ("items=0-4", window(0, 4)),
            (" items= 3 - 5 ", window(3, 5)),
            ("items = 3-5", window(3, 5)),
            ("items=7-7", window(7, 7)),
            ("items=0-18446744073709551615", window(0, u64::MAX)),
            ("items=5-4", Err(RangeError::Syntax)),
            ("items=-1-4", Err(RangeError::Negative)),
            ("items=0--4", Err(RangeError::Negative)),
            ("items=0-18446744073709551616", Err(RangeError::Syntax)),
            ("bytes=0-4", Err(RangeError::Syntax)),
            ("items=4", Err(RangeError::Syntax)),
            ("items=a-b", Err(RangeError::Syntax)),
            ("items=", Err(RangeError::Syntax)),
            ("", Err(RangeError::Syntax)),
        ] {
            assert_eq!(Window::parse(text), expected, "{text}");
        }
    }

    #[test]
    fn what_a_content_range_says_is_read_back() {
        for (first, last, length) in [(0, 4, 5), (1, 2, 5), (3, 99, 5), (0, u64::MAX, 1)] {
            let places = Window { first, last }.places(length);
            let (window, total) = window_of_answer(&content_range(places.clone(), length)).unwrap();
            assert_eq!((window.first, window.last + 1), (places.start as u64, places.end as u64));
            assert_eq!(total, length as u64);
        }
        for none in ["items */5", "items */0", "items 0-5/5", "items 3-2/9", "bytes 0-1/2", "items 0-1/*", ""]
        {
            assert_eq!(window_of_answer(none), None, "{none}");
        }
    }
}

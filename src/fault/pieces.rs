//! Where the body of an answer stands, and how many pieces anything is cut into.

use std::ops::Range;

use crate::delivery::Delivery;

/// The most pieces or chunks of one answer; what is left over comes in one more. Each is a step that is kept.
pub(super) const PIECES_MAX: usize = 100_000;

/// Where the body stands in the bytes of the whole response, as it is framed; empty if it has none.
pub(super) fn body_of(delivery: &Delivery) -> Range<usize> {
    let image = delivery.image();
    let head = image.head.len();
    head..head + image.body.len()
}

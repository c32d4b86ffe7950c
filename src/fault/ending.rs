//! How the faults that end a response early do it.

use std::time::Duration;

use crate::delivery::{Delivery, End, Step};

/// Ends the response after `bytes` bytes, counted from the first byte of the status line. What an earlier fault has
/// ended at or before that point stays ended as it was; then nothing changes and the answer is false.
pub(super) fn end_after(delivery: &mut Delivery, bytes: usize, end: End) -> bool {
    if !goes_on(delivery) && delivery.planned_bytes() <= bytes as u64 {
        return false;
    }
    delivery.cut(bytes, end);
    true
}

/// Whether the connection is still meant to be kept after this response.
pub(super) fn goes_on(delivery: &Delivery) -> bool {
    matches!(delivery.steps.last(), Some(Step::End(End::Keep)))
}

/// How many bytes, in words.
pub(super) fn in_bytes(bytes: u64) -> String {
    if bytes == 1 { "1 byte".to_owned() } else { format!("{bytes} bytes") }
}

/// Puts a wait of so many milliseconds before the end; none at all for 0.
pub(super) fn wait_before_the_end(delivery: &mut Delivery, ms: u32) {
    if ms > 0 {
        let end = delivery.steps.pop();
        delivery.steps.push(Step::Wait(Duration::from_millis(ms.into())));
        delivery.steps.extend(end);
    }
}

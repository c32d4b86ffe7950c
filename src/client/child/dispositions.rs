//! Every signal at its default in the programs that are started.
//!
//! A program inherits which signals are ignored: whoever started faultdeck with `nohup`, or in the background of a
//! script, has some ignored, and a client under test would behave otherwise than on its own. A signal that is *handled*
//! goes back to its default when another program takes over, so each one that is ignored gets a handler that does
//! nothing, which is the same to this program. Blocked signals and SIGPIPE are the standard library's care.

use std::sync::Once;

use tokio::signal::unix::{SignalKind, signal};

/// Those that must stay as they are: KILL and STOP cannot be handled, the runtime refuses ILL, FPE and SEGV, the standard
/// library resets PIPE, and a handled TTIN or TTOU would make a read or write in the background try again for ever.
const LEFT_ALONE: [u32; 8] = [4, 8, 9, 11, 13, 19, 21, 22];

/// Sees to it once; signals that are ignored later on are not looked for.
pub(super) fn default_for_children() {
    static SEEN_TO: Once = Once::new();
    SEEN_TO.call_once(|| {
        for number in ignored() {
            // The handler stays when the stream goes. If one cannot be had, all is as it was.
            let _ = signal(SignalKind::from_raw(number));
        }
    });
}

/// The classic signals that this process ignores and could handle; none where the system does not tell.
pub fn ignored() -> impl Iterator<Item = i32> {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let mask = mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or_default();
    (1..=31_u32)
        .filter(move |number| mask >> (number - 1) & 1 == 1 && !LEFT_ALONE.contains(number))
        .filter_map(|number| i32::try_from(number).ok())
}

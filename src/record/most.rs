//! What a recording may grow to.

use super::desk::mib;
use crate::cassette::RECORDING_MAX_BYTES;

/// Interactions in one recording.
const INTERACTIONS_MAX: u64 = 1_000_000;

/// What a recording may grow to; a remark is made when nine tenths of it are used. By default no more than a cassette that
/// can be loaded again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Most {
    /// Interactions.
    pub interactions: u64,
    /// Their length in a cassette, in bytes.
    pub bytes: u64,
}

impl Default for Most {
    fn default() -> Self {
        Self { interactions: INTERACTIONS_MAX, bytes: RECORDING_MAX_BYTES }
    }
}

impl Most {
    /// Why there is no room for a further one.
    pub(super) fn full(&self) -> String {
        format!(
            "the recording is full: it may be {} long, so that the cassette can be loaded",
            mib(self.bytes)
        )
    }
}

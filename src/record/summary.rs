//! What a recording comes to.

use super::Summary;
use crate::ledger::{Exit, Reasons};

impl Summary {
    /// Everything found out about the recording, with what each asks for.
    pub fn weigh(&self) -> Reasons {
        let mut reasons = Reasons::default();
        if self.not_stored > 0 {
            reasons.push(Exit::Failed, format!("{} could not be stored", self.not_stored));
        }
        if self.stored == 0 {
            reasons.push(Exit::Inconclusive, "nothing was recorded");
        }
        reasons
    }
}

//! What the program's exit code means. CI scripts branch on these numbers, so they never change.

/// An exit code. The order is the precedence when several apply: the greatest wins.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Exit {
    /// 0: all that was asked for was put to the test and holds.
    #[default]
    Passed,
    /// 3: nothing was served, a planned fault never fired, a request missed, or the client could not be started.
    Inconclusive,
    /// 1: a property was violated, or the command under test did not do what the scenario says it must.
    Failed,
    /// 2: the user's input is wrong: an argument, a scenario, a cassette, a client file.
    BadInput,
    /// 70: faultdeck itself is broken.
    Defect,
}

impl Exit {
    /// The number the process ends with.
    pub fn code(self) -> u8 {
        match self {
            Self::Passed => 0,
            Self::Failed => 1,
            Self::BadInput => 2,
            Self::Inconclusive => 3,
            Self::Defect => 70,
        }
    }

    /// The one that outranks the other: 70, 2, 1, 3, 0.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        self.max(other)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_violation_outweighs_a_miss_and_a_defect_outweighs_all() {
        let order = [Exit::Defect, Exit::BadInput, Exit::Failed, Exit::Inconclusive, Exit::Passed];
        assert!(order.is_sorted_by(|a, b| a.and(*b) == *a && a != b));
        assert_eq!(order.map(Exit::code), [70, 2, 1, 3, 0]);
    }
}

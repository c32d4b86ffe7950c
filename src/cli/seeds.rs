//! `--seeds`: under which seeds a command is run.

use std::str::FromStr;

use super::matrix::CELLS_MAX;
use crate::seed::Seed;

/// Which seeds: `50` are 1 to 50, `7..12` are both and all between.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Seeds {
    first: u64,
    last: u64,
}

impl Seeds {
    /// These many, from 1 on.
    pub(super) fn first(count: u64) -> Self {
        Self { first: 1, last: count }
    }

    /// The first of them.
    pub(super) fn lowest(self) -> Seed {
        Seed(self.first)
    }

    /// Each of them, but no more than a matrix may have.
    pub(super) fn each(self) -> impl Iterator<Item = Seed> {
        (self.first..=self.last).take(CELLS_MAX.saturating_add(1)).map(Seed)
    }
}

impl FromStr for Seeds {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let wrong = "write how many, `50`, or from which to which, `7..12`";
        let number = |text: &str| text.trim().parse::<u64>().map_err(|_| wrong);
        let (first, last) = match text.split_once("..") {
            Some((first, last)) => (number(first)?, number(last)?),
            None => (1, number(text)?),
        };
        if first > last { Err(wrong) } else { Ok(Self { first, last }) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seeds_are_read_and_nothing_else() {
        assert_eq!("50".parse(), Ok(Seeds { first: 1, last: 50 }));
        assert_eq!("7..12".parse(), Ok(Seeds { first: 7, last: 12 }));
        assert!(["", "0", "12..7", "a", "1...3", "-1"].iter().all(|text| text.parse::<Seeds>().is_err()));
        assert!("7..9".parse::<Seeds>().unwrap().each().eq([Seed(7), Seed(8), Seed(9)]));
    }
}

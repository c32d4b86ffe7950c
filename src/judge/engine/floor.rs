//! What a judgement has to reach: `laws=100%,states=all,faults=40%`.

use std::str::FromStr;

use crate::ledger::CoverageLine;

/// The shares, in percent, that a judgement has to reach; what is not named is not asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CoverageFloor {
    /// Of the laws that the client can be judged by.
    pub laws: u8,
    /// Of the states of the tasks that it waits for.
    pub states: u8,
    /// Of the kinds of faults that can befall the answers to what it asks.
    pub faults: u8,
    /// How many levels deep the deepest selector is.
    pub depth: u8,
}

/// Why a text is no [`CoverageFloor`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "write `laws=100%`, `states=all`, `faults=40%` or `depth=2`, with commas between several: `{part}` is none of them"
)]
pub struct FloorError {
    part: String,
}

impl FromStr for CoverageFloor {
    type Err = FloorError;

    fn from_str(text: &str) -> Result<Self, FloorError> {
        let mut floor = Self::default();
        for part in text.split(',').map(str::trim) {
            let wrong = || FloorError { part: part.to_owned() };
            let (name, value) = part.split_once('=').ok_or_else(wrong)?;
            let share = || share_in_percent(value).ok_or_else(wrong);
            match name.trim() {
                "laws" => floor.laws = share()?,
                "states" => floor.states = share()?,
                "faults" => floor.faults = share()?,
                "depth" => floor.depth = value.trim().parse().map_err(|_| wrong())?,
                _ => return Err(wrong()),
            }
        }
        Ok(floor)
    }
}

/// `all`, or `40%`.
pub(crate) fn share_in_percent(text: &str) -> Option<u8> {
    match text.trim() {
        "all" => Some(100),
        text => text.strip_suffix('%')?.parse().ok().filter(|share| *share <= 100),
    }
}

/// That of so many too few were reached, in words. Of nothing, all is reached.
pub(crate) fn short_of(
    what: &str,
    (reached, of): (usize, usize),
    share: u8,
    missing: &[String],
) -> Option<String> {
    let is_short = reached * 100 < of * usize::from(share);
    is_short.then(|| {
        let missing = missing.join(", ");
        format!("coverage: {reached} of {of} {what} were reached, and {share} % have to be; not: {missing}")
    })
}

impl CoverageFloor {
    /// What falls short of it, in words; nothing if nothing does.
    pub fn short(&self, line: &CoverageLine) -> Vec<String> {
        let mut short = Vec::new();
        short.extend(short_of("laws", line.laws_reached(), self.laws, &line.laws_not_reached));
        short.extend(short_of("states", line.states.counts(), self.states, &line.states.missing));
        short.extend(short_of("kinds of faults", line.faults.counts(), self.faults, &line.faults.missing));
        if line.drawn.deepest < u64::from(self.depth) {
            short.push(format!(
                "coverage: the deepest selector has {} levels, and {} have to be reached",
                line.drawn.deepest, self.depth
            ));
        }
        short
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ledger::{LawCoverage, Reached};

    #[test]
    fn shares_are_read_and_slips_are_shown() {
        let floor: CoverageFloor = "laws=100%, states=all,depth=2".parse().unwrap();
        assert_eq!(floor, CoverageFloor { laws: 100, states: 100, faults: 0, depth: 2 });
        for wrong in ["", "laws", "law=1%", "laws=5", "laws=101%", "laws=x%", "depth=deep", "laws=1%,"] {
            assert!(wrong.parse::<CoverageFloor>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn what_falls_short_is_named_and_of_nothing_all_is_reached() {
        let reached = |names: &[&str], missing: &[&str]| Reached {
            reached: names.iter().map(|&name| name.to_owned()).collect(),
            missing: missing.iter().map(|&name| name.to_owned()).collect(),
        };
        let law = |cases| LawCoverage { property: "terminates".to_owned(), cases, ..LawCoverage::default() };
        let line = CoverageLine {
            laws: vec![law(3)],
            laws_not_reached: vec!["creates-once".to_owned()],
            states: reached(&["done"], &["partial"]),
            ..CoverageLine::default()
        };
        let short = |text: &str| text.parse::<CoverageFloor>().unwrap().short(&line);
        assert_eq!(short("laws=50%,states=50%,faults=all"), Vec::<String>::new());
        let found = short("laws=51%,states=all,depth=1");
        assert_eq!(found.len(), 3, "{found:?}");
        assert!(found[0].contains("1 of 2 laws") && found[0].ends_with("creates-once"), "{found:?}");
        assert!(found[1].ends_with("partial") && found[2].contains("0 levels"), "{found:?}");
    }
}

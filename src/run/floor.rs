//! What a command has to be seen to do: `interactions=all,faults=all,endpoints=80%`.

use std::fmt;
use std::str::FromStr;

use crate::judge::{share_in_percent, short_of};
use crate::ledger::SeenLine;

/// The shares, in percent, of what a command has to be seen to do; what is not named is not asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SeenFloor {
    /// Of the endpoints of the recordings.
    pub endpoints: u8,
    /// Of the interactions of the recordings.
    pub interactions: u8,
    /// Of the states of the tasks that were asked for.
    pub states: u8,
    /// Of the planned faults.
    pub faults: u8,
    /// How many levels the deepest selector has.
    pub depth: u8,
}

/// Why a text is no [`SeenFloor`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "write `endpoints=all`, `interactions=90%`, `states=all`, `faults=all` or `depth=2`, with commas between several: \
     `{part}` is none of them"
)]
pub struct SeenFloorError {
    part: String,
}

impl FromStr for SeenFloor {
    type Err = SeenFloorError;

    fn from_str(text: &str) -> Result<Self, SeenFloorError> {
        let mut floor = Self::default();
        for part in text.split(',').map(str::trim) {
            let wrong = || SeenFloorError { part: part.to_owned() };
            let (name, value) = part.split_once('=').ok_or_else(wrong)?;
            let place = match name.trim() {
                "endpoints" => &mut floor.endpoints,
                "interactions" => &mut floor.interactions,
                "states" => &mut floor.states,
                "faults" => &mut floor.faults,
                "depth" => {
                    floor.depth = value.trim().parse().map_err(|_| wrong())?;
                    continue;
                }
                _ => return Err(wrong()),
            };
            *place = share_in_percent(value).ok_or_else(wrong)?;
        }
        Ok(floor)
    }
}

impl fmt::Display for SeenFloor {
    /// As it is read.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shares = [
            ("endpoints", self.endpoints),
            ("interactions", self.interactions),
            ("states", self.states),
            ("faults", self.faults),
        ];
        let asked =
            shares.iter().filter(|(_, share)| *share > 0).map(|(name, share)| format!("{name}={share}%"));
        let depth = (self.depth > 0).then(|| format!("depth={}", self.depth));
        f.write_str(&asked.chain(depth).collect::<Vec<_>>().join(","))
    }
}

impl SeenFloor {
    /// Whether it asks for something of a recording: a console that is a model has none.
    pub fn needs_a_recording(&self) -> bool {
        self.endpoints + self.interactions > 0
    }

    /// What falls short of it, in words; nothing if nothing does.
    pub fn short(&self, seen: &SeenLine) -> Vec<String> {
        let mut short = Vec::new();
        let recorded = &seen.recorded;
        short.extend(short_of("recorded endpoints", recorded.counts(), self.endpoints, &recorded.missing));
        let unused: Vec<String> = seen.unused().take(UNUSED_SHOWN).map(str::to_owned).collect();
        short.extend(short_of("interactions", seen.used(), self.interactions, &unused));
        short.extend(short_of("states", seen.states.counts(), self.states, &seen.states.missing));
        short.extend(short_of("planned faults", seen.faults.counts(), self.faults, &seen.faults.missing));
        if seen.deepest() < u64::from(self.depth) {
            let (deepest, asked) = (seen.deepest(), self.depth);
            short.push(format!(
                "coverage: the deepest selector has {deepest} levels, and {asked} have to be reached"
            ));
        }
        short
    }
}

/// How many interactions are named that were not used.
const UNUSED_SHOWN: usize = 5;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ledger::{EndpointSeen, Reached, RecordingUsed};

    #[test]
    fn shares_are_read_and_slips_are_shown() {
        let floor: SeenFloor = "interactions=90%, faults=all,depth=2".parse().unwrap();
        assert_eq!(floor, SeenFloor { interactions: 90, faults: 100, depth: 2, ..SeenFloor::default() });
        assert_eq!(floor.to_string().parse(), Ok(floor));
        for wrong in ["", "laws=all", "faults", "faults=5", "faults=101%", "depth=all", "states=all,"] {
            assert!(wrong.parse::<SeenFloor>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn what_falls_short_is_named_and_of_nothing_all_is_seen() {
        let used = RecordingUsed { interactions: 4, unused: ["x.get-1".to_owned()].into() };
        let seen = SeenLine {
            endpoints: [("GET /x".to_owned(), EndpointSeen { deepest: 1, ..EndpointSeen::default() })].into(),
            faults: Reached { reached: vec![], missing: vec!["s: late".into()] },
            recordings: [("r".to_owned(), used)].into(),
            ..SeenLine::default()
        };
        let short = |text: &str| text.parse::<SeenFloor>().unwrap().short(&seen);
        assert_eq!(short("interactions=75%,states=all,endpoints=all,depth=1"), Vec::<String>::new());
        let found = short("interactions=76%,faults=1%,depth=2");
        assert_eq!(found.len(), 3, "{found:?}");
        assert!(found[0].contains("3 of 4 interactions") && found[0].ends_with("x.get-1"), "{found:?}");
        assert!(found[1].ends_with("s: late") && found[2].contains("1 levels"), "{found:?}");
    }
}

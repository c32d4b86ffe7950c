//! A part of a matrix, for one of several machines.

use std::env;
use std::fmt;
use std::str::FromStr;

/// `2/4`: every fourth run, from the second on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Shard {
    part: usize,
    of: usize,
}

/// What sets which part a machine has to run.
struct Setter {
    name: &'static str,
    /// The variable with the number of the part, and what the first part is called.
    part: &'static str,
    first: First,
    /// The variable with the number of parts, if there is one.
    of: Option<&'static str>,
}

/// What the first part is called.
enum First {
    Is(usize),
    /// What this variable says; and so much lies between two parts as the other says, 1 if it says nothing.
    Said(&'static str, &'static str),
}

/// As their documentation has it.
const SETTERS: [Setter; 5] = [
    Setter { name: "GitLab", part: "CI_NODE_INDEX", first: First::Is(1), of: Some("CI_NODE_TOTAL") },
    Setter {
        name: "CircleCI",
        part: "CIRCLE_NODE_INDEX",
        first: First::Is(0),
        of: Some("CIRCLE_NODE_TOTAL"),
    },
    Setter {
        name: "Buildkite",
        part: "BUILDKITE_PARALLEL_JOB",
        first: First::Is(0),
        of: Some("BUILDKITE_PARALLEL_JOB_COUNT"),
    },
    Setter {
        name: "Slurm",
        part: "SLURM_ARRAY_TASK_ID",
        first: First::Said("SLURM_ARRAY_TASK_MIN", "SLURM_ARRAY_TASK_STEP"),
        of: Some("SLURM_ARRAY_TASK_COUNT"),
    },
    Setter { name: "Kubernetes", part: "JOB_COMPLETION_INDEX", first: First::Is(0), of: None },
];

impl Shard {
    /// Whether the run with this number, from 0, is one of this part.
    pub(super) fn has(self, index: usize) -> bool {
        index % self.of == self.part - 1
    }

    /// Which part of how many.
    pub(super) fn part(self) -> (usize, usize) {
        (self.part, self.of)
    }

    fn of(part: usize, of: usize) -> Option<Self> {
        (1..=of).contains(&part).then_some(Self { part, of })
    }

    /// What the environment says; `of` is how many parts there are, if the command line says so.
    fn found(of: Option<usize>, value: impl Fn(&str) -> Option<String>) -> Result<Self, String> {
        let Some(setter) = SETTERS.iter().find(|setter| value(setter.part).is_some()) else {
            let known: Vec<&str> = SETTERS.iter().map(|setter| setter.part).collect();
            return Err(format!("`auto` finds none of {} here: write `2/4`", known.join(", ")));
        };
        let number = |name: &str| {
            let text = value(name).ok_or_else(|| format!("{}: {name} is not set", setter.name))?;
            text.trim()
                .parse::<usize>()
                .map_err(|_| format!("{}: {name} is no number: `{text}`", setter.name))
        };
        let (first, step) = match setter.first {
            First::Is(first) => (first, 1),
            First::Said(first, step) => (number(first)?, value(step).map_or(Ok(1), |_| number(step))?),
        };
        let of = match (of, setter.of) {
            (Some(of), _) => of,
            (None, Some(name)) => number(name)?,
            (None, None) => {
                return Err(format!("{} does not say how many parts there are: write `auto/4`", setter.name));
            }
        };
        let part = number(setter.part)?;
        let place = part.checked_sub(first).filter(|_| step > 0).map(|after| after / step + 1);
        place
            .and_then(|place| Self::of(place, of))
            .ok_or_else(|| format!("{}: {} is {part}, and there are {of} parts", setter.name, setter.part))
    }
}

impl fmt::Display for Shard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "part {} of {}", self.part, self.of)
    }
}

impl FromStr for Shard {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let wrong = || "write which part of how many, from 1: `2/4`, or `auto`".to_owned();
        let of_environment = |of| Self::found(of, |name| env::var(name).ok());
        match text.split_once('/') {
            None if text == "auto" => of_environment(None),
            None => Err(wrong()),
            Some(("auto", of)) => of_environment(Some(of.parse().map_err(|_| wrong())?)),
            Some((part, of)) => {
                let (part, of) = (part.parse().map_err(|_| wrong())?, of.parse().map_err(|_| wrong())?);
                Self::of(part, of).ok_or_else(wrong)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_is_read_and_nothing_else() {
        assert_eq!("2/4".parse(), Ok(Shard { part: 2, of: 4 }));
        assert!(
            ["0/4", "5/4", "2", "2/", "a/b", "1/0", "auto/x"]
                .iter()
                .all(|text| text.parse::<Shard>().is_err())
        );
    }

    #[test]
    fn each_run_is_of_one_part() {
        for index in 0..20 {
            assert_eq!((1..=3).filter(|part| Shard { part: *part, of: 3 }.has(index)).count(), 1);
        }
    }

    #[test]
    fn what_others_set_is_found() {
        let found = |set: &[(&str, &str)], of| {
            let value = |name: &str| Some(set.iter().find(|(known, _)| *known == name)?.1.to_owned());
            Shard::found(of, value)
        };
        let second = Ok(Shard { part: 2, of: 4 });
        assert_eq!(found(&[("CI_NODE_INDEX", "2"), ("CI_NODE_TOTAL", "4")], None), second);
        assert_eq!(found(&[("CIRCLE_NODE_INDEX", "1"), ("CIRCLE_NODE_TOTAL", "4")], None), second);
        assert_eq!(
            found(&[("BUILDKITE_PARALLEL_JOB", "1"), ("BUILDKITE_PARALLEL_JOB_COUNT", "4")], None),
            second
        );
        let slurm =
            [("SLURM_ARRAY_TASK_ID", "12"), ("SLURM_ARRAY_TASK_MIN", "10"), ("SLURM_ARRAY_TASK_COUNT", "4")];
        let by_twos = [&slurm[..], &[("SLURM_ARRAY_TASK_STEP", "2")]].concat();
        assert_eq!(found(&by_twos, None), second);
        assert_eq!(found(&slurm, None), Ok(Shard { part: 3, of: 4 }));
        assert_eq!(found(&[("JOB_COMPLETION_INDEX", "1")], Some(4)), second);
        for (wrong, of) in [
            (&[][..], None),
            (&[("JOB_COMPLETION_INDEX", "1")], None),
            (&[("JOB_COMPLETION_INDEX", "4")], Some(4)),
            (&[("CI_NODE_INDEX", "0"), ("CI_NODE_TOTAL", "4")], None),
            (&[("CI_NODE_INDEX", "x"), ("CI_NODE_TOTAL", "4")], None),
            (&[("CI_NODE_INDEX", "1")], None),
        ] {
            assert!(found(wrong, of).is_err(), "{wrong:?}");
        }
    }
}

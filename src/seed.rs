//! [`Seed`] and its keyed streams: the only randomness below the command line.
//!
//! A stream belongs to a key (session, planned fault, resource, occurrence ...), never to an order of arrival, so the
//! same request meets the same decision at any concurrency. Words come from ChaCha8, whose output is the same on
//! every machine; they are mapped by integer arithmetic of our own, because the helpers of the `rand` family may
//! change between releases. Golden vectors are pinned in the tests below.

use std::fmt;
use std::str::FromStr;

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use sha2::{Digest, Sha256};

/// The one number that fixes all randomness of a run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(transparent)]
pub struct Seed(pub u64);

impl Seed {
    /// The 32 bytes that key the stream of `key`. Parts are length-prefixed, so `["ab"]` and `["a", "b"]` differ.
    pub(crate) fn derive(self, key: &[&str]) -> [u8; 32] {
        let mut hash = Sha256::new();
        hash.update(self.0.to_le_bytes());
        for part in key {
            hash.update((part.len() as u64).to_le_bytes());
            hash.update(part.as_bytes());
        }
        hash.finalize().into()
    }

    /// The stream that belongs to `key`.
    pub fn stream(self, key: &[&str]) -> Stream {
        Stream(ChaCha8Rng::from_seed(self.derive(key)))
    }
}

impl fmt::Display for Seed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

impl FromStr for Seed {
    type Err = std::num::ParseIntError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.parse().map(Self)
    }
}

/// A stream of draws.
#[derive(Clone, Debug)]
pub struct Stream(ChaCha8Rng);

impl Stream {
    /// The next 64-bit word.
    pub(crate) fn word(&mut self) -> u64 {
        self.0.next_u64()
    }

    /// A number from 0 up to and without `bound`; 0 if `bound` is 0. One word a draw.
    pub fn below(&mut self, bound: u64) -> u64 {
        ((u128::from(self.word()) * u128::from(bound)) >> 64) as u64
    }

    /// Whether an event of chance `ratio` happens. One word a draw, whatever the ratio.
    pub(crate) fn chance(&mut self, ratio: Ratio) -> bool {
        self.below(u64::from(ratio.of)) < u64::from(ratio.hits)
    }
}

/// A chance, written `"1/10"`. `"0/1"` is legal and never happens.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Ratio {
    hits: u32,
    of: u32,
}

/// Why a text is not a [`Ratio`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "a chance is written \"1/10\": hits, a slash, out of how many (at least 1, and no fewer than the hits)"
)]
pub struct RatioError;

impl Ratio {
    /// `hits` out of `of`.
    ///
    /// # Errors
    /// If `of` is 0 or less than `hits`.
    pub fn new(hits: u32, of: u32) -> Result<Self, RatioError> {
        if of == 0 || hits > of { Err(RatioError) } else { Ok(Self { hits, of }) }
    }

    /// Whether it always happens.
    pub fn is_always(self) -> bool {
        self.hits >= self.of
    }

    /// Whether it never happens.
    pub fn is_never(self) -> bool {
        self.hits == 0
    }
}

impl FromStr for Ratio {
    type Err = RatioError;

    fn from_str(text: &str) -> Result<Self, RatioError> {
        let (hits, of) = text.split_once('/').ok_or(RatioError)?;
        let number = |part: &str| part.trim().parse::<u32>().map_err(|_| RatioError);
        Self::new(number(hits)?, number(of)?)
    }
}

impl TryFrom<String> for Ratio {
    type Error = RatioError;

    fn try_from(text: String) -> Result<Self, RatioError> {
        text.parse()
    }
}

impl From<Ratio> for String {
    fn from(ratio: Ratio) -> Self {
        ratio.to_string()
    }
}

impl fmt::Display for Ratio {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.hits, self.of)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chacha8_gives_the_pinned_words() {
        let mut rng = ChaCha8Rng::seed_from_u64(42);
        assert_eq!([rng.next_u64(), rng.next_u64()], [0xae90_bfb5_395d_5ba1, 0xf345_3fc6_2579_9188]);
    }

    #[test]
    fn keyed_streams_give_the_pinned_draws() {
        let mut stream = Seed(1).stream(&["main", "latency", "GET /x/1", "3"]);
        let draws: Vec<u64> = (0..4).map(|_| stream.below(1000)).collect();
        assert_eq!(draws, GOLDEN);
    }

    const GOLDEN: [u64; 4] = [594, 463, 992, 500];

    #[test]
    fn keys_are_not_concatenated() {
        assert_ne!(Seed(1).derive(&["ab", "c"]), Seed(1).derive(&["a", "bc"]));
    }

    #[test]
    fn a_chance_of_nothing_never_happens_and_of_all_always() {
        let mut stream = Seed(7).stream(&["x"]);
        let never: Ratio = "0/1".parse().unwrap();
        let always: Ratio = "3/3".parse().unwrap();
        assert!((0..1000).all(|_| !stream.chance(never) && stream.chance(always)));
        assert!("4/3".parse::<Ratio>().is_err() && "1/0".parse::<Ratio>().is_err());
    }
}

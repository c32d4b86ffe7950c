//! `latency`: the answer comes late.

use std::time::Duration;

use proptest::strategy::{BoxedStrategy, Strategy};
use serde::{Deserialize, Serialize};

use super::spread::{around, deviation, skewed};
use super::{Alias, Context, Did, Effect, FaultKind, Mistake, Parameter, Takes, Work};
use crate::delivery::Delivery;

/// The most that one parameter may hold a response back: 10 minutes.
pub(super) const MOST_MS: u32 = 600_000;
/// The most that all of them together may.
const LONGEST_MS: u32 = 2 * MOST_MS;
/// The widest lognormal spread: one draw in six is then more than twenty times the median.
const MOST_SIGMA: u32 = 3000;

/// Holds the head back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Latency {
    /// The least wait, its mean or its median, in milliseconds, 0 to 600,000.
    pub ms: u32,
    /// Up to this many milliseconds more, or the standard deviation, 0 to 600,000.
    #[serde(default)]
    pub jitter_ms: u32,
    /// How the waits are spread.
    #[serde(default, skip_serializing_if = "Spread::is_uniform")]
    pub spread: Spread,
    /// The sigma of a lognormal spread, in thousandths, 0 to 3,000.
    #[serde(default, skip_serializing_if = "is_none")]
    pub sigma_thousandths: u32,
    /// No wait is longer, in milliseconds, 0 to 1,200,000.
    #[serde(default = "longest", skip_serializing_if = "is_longest")]
    pub max_ms: u32,
}

/// How waits are spread.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Spread {
    /// Each between `ms` and `ms + jitter_ms` is as likely.
    #[default]
    Uniform,
    /// Around the mean `ms`, with the standard deviation `jitter_ms`; never below 0.
    Normal,
    /// Around the median `ms`, with a long tail: the logarithm has the standard deviation `sigma_thousandths`.
    Lognormal,
}

impl Spread {
    fn is_uniform(&self) -> bool {
        *self == Self::Uniform
    }
}

// What is not set is not written: the draws of a fault without a name hang on its text.

fn is_none(number: &u32) -> bool {
    *number == 0
}

fn longest() -> u32 {
    LONGEST_MS
}

fn is_longest(ms: &u32) -> bool {
    *ms == LONGEST_MS
}

impl Latency {
    /// `ms`, and up to `jitter_ms` more.
    pub fn uniform(ms: u32, jitter_ms: u32) -> Self {
        Self { ms, jitter_ms, spread: Spread::Uniform, sigma_thousandths: 0, max_ms: LONGEST_MS }
    }

    /// One word a draw.
    fn draw(&self, cx: &mut Context<'_>) -> u64 {
        let drawn = match self.spread {
            Spread::Uniform => u64::from(self.ms) + cx.stream.below(u64::from(self.jitter_ms) + 1),
            Spread::Normal => around(self.ms, self.jitter_ms, deviation(cx.stream)),
            Spread::Lognormal => skewed(self.ms, self.sigma_thousandths, deviation(cx.stream)),
        };
        drawn.min(self.max_ms.into())
    }
}

impl FaultKind for Latency {
    const SUMMARY: &'static str = "The whole answer comes late.";
    const DOCS: &'static str = "\
The console has done its work, but nothing is sent for a while; never less than was drawn. Then the answer comes as it \
would have. The wait is drawn anew each time: with `spread = \"uniform\"` from `ms` to `ms + jitter_ms`; with \"normal\" around \
the mean `ms` with the standard deviation `jitter_ms`, never below 0; with \"lognormal\" around the median `ms`, with a long \
tail: one wait in six is longer than `ms` times e to the power of sigma, and `sigma_thousandths = 400` is a sigma of 0.4. \
`max_ms` cuts what would be longer.

The client sees an answer that takes its time. It puts request deadlines to the test: a client with a shorter one \
must give up on the request, say so, and ask again with care; a client without one waits. A late answer to a creation \
means the case exists even if the client stopped listening.";
    const EXAMPLE: &'static str = "inject = { latency = { ms = 1500, jitter_ms = 200 } }";
    const PARAMETERS: &'static [Parameter] = &[
        Parameter {
            name: "ms",
            takes: Takes::Number(0, MOST_MS),
            default: None,
            meaning: "the wait before the first byte, in milliseconds: the least, the mean or the median, by `spread`",
        },
        Parameter {
            name: "jitter_ms",
            takes: Takes::Number(0, MOST_MS),
            default: Some("0"),
            meaning: "up to this many milliseconds more (uniform), or the standard deviation (normal)",
        },
        Parameter {
            name: "spread",
            takes: Takes::Word(&["uniform", "normal", "lognormal"]),
            default: Some("\"uniform\""),
            meaning: "how the waits are spread; each is drawn anew",
        },
        Parameter {
            name: "sigma_thousandths",
            takes: Takes::Number(0, MOST_SIGMA),
            default: Some("0"),
            meaning: "the sigma of a lognormal spread, in thousandths",
        },
        Parameter {
            name: "max_ms",
            takes: Takes::Number(0, LONGEST_MS),
            default: Some("1200000"),
            meaning: "no wait is longer, in milliseconds",
        },
    ];
    const WORK: Work = Work::Done;
    const EFFECT: Effect = Effect::Whole;
    const MEETS_REFUSED: bool = true;
    // Toxiproxy's `jitter` goes both ways, which is something else than `jitter_ms`.
    const ALIASES: &'static [Alias] =
        &[Alias { name: "latency", of: "Toxiproxy", parameters: &[("latency", "ms")], sets: &[] }];

    fn inject(&self, delivery: &mut Delivery, cx: &mut Context<'_>) -> Option<Did> {
        let wait_ms = self.draw(cx);
        delivery.delay(Duration::from_millis(wait_ms));
        (wait_ms > 0).then(|| format!("held the answer back for {wait_ms} ms").into())
    }

    fn is_identity(&self) -> bool {
        let spreads_nothing = self.spread == Spread::Lognormal || self.jitter_ms == 0;
        self.max_ms == 0 || self.ms == 0 && spreads_nothing
    }

    fn draws(&self) -> bool {
        self.spread == Spread::Lognormal || self.jitter_ms > 0
    }

    fn check(&self) -> Result<(), Mistake> {
        let wrong = |parameter, why: &str| Err(Mistake { parameter, why: why.to_owned() });
        match self.spread {
            Spread::Lognormal if self.jitter_ms > 0 => wrong(
                "jitter_ms",
                "means nothing in a lognormal spread: `sigma_thousandths` says how wide it is",
            ),
            Spread::Lognormal if self.sigma_thousandths == 0 => {
                wrong("sigma_thousandths", "must be given in a lognormal spread: 400 is a sigma of 0.4")
            }
            Spread::Uniform | Spread::Normal if self.sigma_thousandths > 0 => wrong(
                "sigma_thousandths",
                "is that of a lognormal spread: write spread = \"lognormal\" or take it out",
            ),
            _ => Ok(()),
        }
    }

    fn strategy() -> BoxedStrategy<Self> {
        let plain = (0..=400u32, 0..=100u32).prop_map(|(ms, jitter_ms)| Self::uniform(ms, jitter_ms));
        let normal = (0..=400u32, 0..=100u32, 0..=600u32).prop_map(|(ms, jitter_ms, max_ms)| Self {
            spread: Spread::Normal,
            max_ms,
            ..Self::uniform(ms, jitter_ms)
        });
        let skewed = (0..=200u32, 1..=500u32, 0..=600u32).prop_map(|(ms, sigma_thousandths, max_ms)| Self {
            spread: Spread::Lognormal,
            sigma_thousandths,
            max_ms,
            ..Self::uniform(ms, 0)
        });
        proptest::prop_oneof![plain, normal, skewed].boxed()
    }
}

//! `slicer`: the answer comes in small pieces, with a pause after each.

use std::time::Duration;

use proptest::strategy::{BoxedStrategy, Strategy};
use serde::{Deserialize, Serialize};

use super::pieces::PIECES_MAX;
use super::{Alias, Context, Did, Effect, FaultKind, Mistake, Parameter, Takes, Work};
use crate::delivery::{Delivery, Step};

/// The longest pause between two pieces: 10 seconds.
const MOST_US: u32 = 10_000_000;

/// Sends the answer in small pieces.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Slicer {
    /// About how many bytes a piece has, 1 to 1,000,000.
    pub bytes: u32,
    /// By how many bytes a piece may be longer or shorter, drawn for each; less than `bytes`.
    #[serde(default)]
    pub vary_bytes: u32,
    /// How long nothing comes between two pieces, in microseconds, 0 to 10,000,000.
    #[serde(default)]
    pub pause_us: u32,
}

impl FaultKind for Slicer {
    const SUMMARY: &'static str = "The answer comes in small pieces.";
    const DOCS: &'static str = "\
The answer, head included, is sent in pieces of `bytes` bytes, each longer or shorter by up to `vary_bytes`, drawn from \
the seed. Between two pieces nothing comes for `pause_us` microseconds, and never less; a pause of some hundred makes it \
likely that a client sees each piece by itself. After 100,000 pieces the rest comes in one.

The client sees what a network may always do: a read that ends within the status line, a header, a number or a character. \
All that came must be put together before it is understood.";
    const EXAMPLE: &'static str = "inject = { slicer = { bytes = 16, vary_bytes = 8, pause_us = 500 } }";
    const PARAMETERS: &'static [Parameter] = &[
        Parameter {
            name: "bytes",
            takes: Takes::Number(1, 1_000_000),
            default: None,
            meaning: "about how many bytes a piece has",
        },
        Parameter {
            name: "vary_bytes",
            takes: Takes::Number(0, 999_999),
            default: Some("0"),
            meaning: "by how many bytes a piece may be longer or shorter, drawn for each",
        },
        Parameter {
            name: "pause_us",
            takes: Takes::Number(0, MOST_US),
            default: Some("0"),
            meaning: "how long nothing comes between two pieces, in microseconds",
        },
    ];
    const WORK: Work = Work::Done;
    const EFFECT: Effect = Effect::Whole;
    const MEETS_REFUSED: bool = true;
    const ALIASES: &'static [Alias] = &[Alias {
        name: "slicer",
        of: "Toxiproxy",
        parameters: &[("average_size", "bytes"), ("size_variation", "vary_bytes"), ("delay", "pause_us")],
        sets: &[],
    }];

    fn draws(&self) -> bool {
        self.vary_bytes > 0
    }

    fn inject(&self, delivery: &mut Delivery, cx: &mut Context<'_>) -> Option<Did> {
        let whole = delivery.planned_bytes();
        let least = u64::from(self.bytes.saturating_sub(self.vary_bytes)).max(1);
        let mut at = 0;
        let marks = std::iter::from_fn(|| {
            at += least + cx.stream.below(2 * u64::from(self.vary_bytes) + 1);
            (at < whole).then(|| usize::try_from(at).unwrap_or(usize::MAX))
        });
        let pause = Step::Wait(Duration::from_micros(self.pause_us.into()));
        let put = delivery.put_before(marks.take(PIECES_MAX - 1), &pause);
        (put > 0).then(|| format!("sent the answer in {} pieces", put + 1).into())
    }

    fn check(&self) -> Result<(), Mistake> {
        if self.vary_bytes < self.bytes {
            return Ok(());
        }
        let why = format!("must be less than `bytes`, which is {}: a piece has at least a byte", self.bytes);
        Err(Mistake { parameter: "vary_bytes", why })
    }

    fn strategy() -> BoxedStrategy<Self> {
        (1..=64u32, 0..=63u32, 0..=500u32)
            .prop_map(|(bytes, vary_bytes, pause_us)| Self {
                bytes,
                vary_bytes: vary_bytes.min(bytes - 1),
                pause_us,
            })
            .boxed()
    }
}

//! The line of an exchange in pieces, for many that are alike.

use std::fmt::Write;

use super::exchange::Exchange;
use super::lines::{Line, Timing, exchange_to_json};

/// All of an exchange's two lines but its numbers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExchangePieces {
    /// Up to `nth`.
    start: String,
    /// From the members behind `tick` on.
    rest: String,
    /// Its timing, up to `nth`.
    timing: String,
}

/// What stands between the pieces. Within a JSON text's strings there is no bare quote, so it is found nowhere else.
const NUMBERS: &str = r#""nth":0},"call":0,"tick":null"#;
const NTH: &str = r#""nth":"#;

impl ExchangePieces {
    /// The pieces of this exchange's line; `None` if it cannot be written as JSON, which none of ours does.
    pub fn of(exchange: &Exchange) -> Option<Self> {
        let mut exchange = exchange.clone();
        (exchange.key.nth, exchange.call, exchange.tick) = (0, 0, None);
        let line = exchange_to_json(&exchange).ok()?;
        let (start, rest) = line.split_once(NUMBERS)?;
        let timing = Line::Timing(Timing { key: exchange.key, ..Timing::default() }).to_json().ok()?;
        let end = timing.find(r#""nth":0}"#)?;
        Some(Self {
            start: start.to_owned() + NTH,
            rest: rest.to_owned(),
            timing: timing.get(..end)?.to_owned() + NTH,
        })
    }

    /// Adds the line of an exchange that is this one but for its numbers.
    pub fn exchange(&self, text: &mut String, nth: u32, call: u32, tick: Option<u32>) {
        text.push_str(&self.start);
        // Writing to a text cannot fail.
        let _ = write!(text, "{nth}}},\"call\":{call},\"tick\":");
        match tick {
            Some(tick) => drop(write!(text, "{tick}")),
            None => text.push_str("null"),
        }
        text.push_str(&self.rest);
    }

    /// Adds the line of its timing, all of `timing` but the key.
    pub fn timing(&self, text: &mut String, nth: u32, timing: &Timing) {
        let Timing { key: _, at_us, took_us, sent_bytes, cut_short } = timing;
        text.push_str(&self.timing);
        let _ = writeln!(
            text,
            "{nth}}},\"at_us\":{at_us},\"took_us\":{took_us},\"sent_bytes\":{sent_bytes},\"cut_short\":{cut_short}}}}}"
        );
    }

    /// Bytes of text.
    pub fn weight(&self) -> usize {
        self.start.len() + self.rest.len() + self.timing.len()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::exchange::{BodyText, ExchangeKey};
    use super::*;

    proptest! {
        /// Whatever stands in the texts, what looks like the numbers themselves among it.
        #[test]
        fn the_pieces_make_the_very_lines(
            texts in prop::collection::vec(prop_oneof![".{0,20}", Just(NUMBERS.to_owned()), Just(NUMBERS.replace('"', "\\\""))], 4),
            (nth, call, tick) in any::<(u32, u32, Option<u32>)>(),
            (at_us, took_us, sent_bytes, cut_short) in any::<(u64, u64, u64, bool)>(),
        ) {
            let [session, resource, state, body] = texts.try_into().unwrap();
            let key = ExchangeKey { session, endpoint: "x.get".to_owned(), resource, nth };
            let exchange = Exchange {
                key: key.clone(), call, tick, state: Some(state), response_body: BodyText::Text(body), ..Exchange::default()
            };
            let other = Exchange { call: 9, tick: Some(8), key: ExchangeKey { nth: 7, ..key.clone() }, ..exchange.clone() };
            let pieces = ExchangePieces::of(&other).unwrap();
            let mut text = String::new();
            pieces.exchange(&mut text, nth, call, tick);
            prop_assert_eq!(&text, &exchange_to_json(&exchange).unwrap());
            let timing = Timing { key, at_us, took_us, sent_bytes, cut_short };
            text.clear();
            pieces.timing(&mut text, nth, &timing);
            prop_assert_eq!(text, Line::Timing(timing).to_json().unwrap());
        }
    }
}

//! Pieces that came before, and what became of them: the same stand in most interactions.

use std::collections::HashMap;

use foldhash::quality::RandomState;

use super::Place;
use crate::redact::customer::{Piece, is_distinctive, tokens, words};

/// How many are remembered; then they are forgotten and begun anew.
const PIECES_MAX: usize = 2048;
/// Longer ones are not remembered.
const LENGTH_MAX: usize = 96;
/// Those under more names are not, either.
const NAMES_MAX: usize = 4;

/// What became of a piece.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    /// It holds no customer data, nor any word that could turn out to be a name: it stays as it is, unless the whole of
    /// it does.
    Plain,
    /// This took its place, if anything did, when so many values were known.
    Became { known: usize, new: Option<Box<str>> },
}

/// What became of pieces.
#[derive(Clone, Debug, Default)]
pub(super) struct Pieces {
    held: HashMap<Box<[u8]>, Outcome, RandomState>,
    /// Where keys are put together.
    key: Vec<u8>,
}

impl Pieces {
    pub(super) fn get(&mut self, place: Place, piece: Piece<'_>, is_whole: bool) -> Option<&Outcome> {
        if self.has_key(place, piece, is_whole) { self.held.get(self.key.as_slice()) } else { None }
    }

    /// Remembers what became of the piece that was asked for last.
    pub(super) fn put(&mut self, place: Place, piece: Piece<'_>, is_whole: bool, outcome: Outcome) {
        if !self.has_key(place, piece, is_whole) {
            return;
        }
        if let Some(held) = self.held.get_mut(self.key.as_slice()) {
            *held = outcome;
            return;
        }
        if self.held.len() >= PIECES_MAX {
            self.held.clear();
        }
        self.held.insert(self.key.as_slice().into(), outcome);
    }

    /// Puts together by what a piece is remembered: its text and the names it stands under, and whether the whole of it
    /// could be one value. Whether it is at all: texts with numbers are mostly new, those in heads apart.
    fn has_key(&mut self, place: Place, piece: Piece<'_>, is_whole: bool) -> bool {
        let is_long = piece.text.len() > LENGTH_MAX || piece.under.len() > NAMES_MAX;
        let has_number = || piece.text.bytes().fold(false, |found, byte| found | byte.is_ascii_digit());
        if is_long || (place != Place::Headers && has_number()) {
            return false;
        }
        self.key.clear();
        self.key.push(u8::from(is_whole));
        for part in piece.under.iter().chain([&piece.text]) {
            self.key.extend_from_slice(&part.len().to_le_bytes());
            self.key.extend_from_slice(part.as_bytes());
        }
        true
    }
}

/// Whether a piece in which nothing was found is plain.
pub(super) fn is_plain(piece: Piece<'_>) -> bool {
    let is_name = |at| is_distinctive(piece.text.get(at).unwrap_or_default());
    tokens(piece.text).next().is_none() && !words(piece.text).any(is_name)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::{Customers, Interaction};
    use super::Pieces;
    use crate::message::{Request, Response};
    use crate::profile::Profile;
    use crate::redact::Rules;

    fn put_all(customers: &mut Customers, line: &str, body: &str) -> Interaction {
        let mut interaction = Interaction {
            id: String::new(),
            endpoint: "".into(),
            request: Request::new("GET", "/api/x").with("X-Note", line),
            response: Response::json(200, body.to_owned()),
            by_recorder: false,
            moment: 0,
            notes: Vec::new(),
        };
        customers.learn_and_put(&mut interaction, Profile::builtin());
        interaction
    }

    fn put(customers: &mut Customers, line: &str, body: &str) -> String {
        let interaction = put_all(customers, line, body);
        interaction.request.headers.text("X-Note").unwrap_or_default().into_owned()
    }

    #[test]
    fn a_piece_that_came_before_is_looked_at_again_once_a_name_in_it_is_known() {
        let mut customers = Customers::new(&Rules::default());
        for (line, body, expected) in [
            ("seen by svc-a17", "{}", "seen by svc-a17"),
            ("seen by svc-a17", "{}", "seen by svc-a17"),
            ("ann", "{}", "ann"),
            ("ann", r#"{"username":"svc-a17"}"#, "ann"),
            ("seen by svc-a17", "{}", "seen by user-1"),
            ("seen by svc-a17", "{}", "seen by user-1"),
            ("ann", r#"{"username":"ann"}"#, "user-2"),
            ("ann", "{}", "user-2"),
            ("seen by svc-a17", r#"{"username":"bob"}"#, "seen by user-1"),
            ("bob", "{}", "user-3"),
        ] {
            assert_eq!(put(&mut customers, line, body), expected, "{line} beside {body}");
        }
        assert!(!customers.pieces.held.is_empty());
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(1000))]
        #[test]
        fn what_is_remembered_changes_nothing(
            all in prop::collection::vec(
                (
                    "(?:ann|svc-a1|10\\.1\\.2\\.3|fe80::1|host-7|user-1|ann@acme\\.example|by|SEEN|[ ,;=@])".prop_flat_map(|one| {
                        prop::collection::vec(prop_oneof![Just(one), "ann|svc-a1|10\\.1\\.2\\.[34]|user-[12]|host-7|seen by| "], 0..4)
                    }),
                    prop::sample::select(vec!["username", "hostname", "source_ip", "filter", "note", "name", "email", "description"]),
                    any::<bool>(),
                ),
                1..12,
            ),
            kept in prop::sample::select(vec![None, Some("users"), Some("customer-data")]),
        ) {
            let mut rules = Rules::default();
            kept.map_or(Ok(()), |kept| rules.keep(kept)).unwrap();
            let (mut warm, mut cold) = (Customers::new(&rules), Customers::new(&rules));
            for (words, name, is_list) in all.iter().chain(&all) {
                let text = words.concat();
                let body = serde_json::json!({*name: if *is_list { vec![&text; 2] } else { vec![] }, "note": text, "a": {*name: words}});
                cold.pieces = Pieces::default();
                let body = body.to_string();
                prop_assert_eq!(put_all(&mut warm, &text, &body), put_all(&mut cold, &text, &body));
                prop_assert_eq!((&warm.order, &warm.literal), (&cold.order, &cold.literal));
            }
        }
    }

    #[test]
    fn what_is_remembered_is_bounded() {
        let mut customers = Customers::new(&Rules::default());
        let letters =
            |n: usize| n.to_string().bytes().map(|digit| char::from(digit + 49)).collect::<String>();
        for n in 0..2 * super::PIECES_MAX {
            put(&mut customers, &letters(n), "{}");
            assert!(customers.pieces.held.len() <= super::PIECES_MAX);
        }
    }
}

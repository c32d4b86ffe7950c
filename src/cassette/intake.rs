//! Interactions on their way into a cassette.
//!
//! Each is made ready once, when it comes in: users become placeholders, its text is written, and where anything in it is
//! unusual the text is read back and compared. So the one that could not be read again is found there and then, and nothing of it has to be looked at
//! again until the end. Order, numbers and ids become canonical then.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::customer::Customers;
use super::{Cassette, FILE_MAX_BYTES, Interaction, format, write};
use crate::message::{Request, Response};
use crate::profile::Profile;
use crate::redact::{self, Open, Rules};

/// What a recording may grow to. The canonical text is about as long; the rest of [`FILE_MAX_BYTES`] is for the
/// difference.
pub const RECORDING_MAX_BYTES: u64 = FILE_MAX_BYTES / 16 * 15;

/// Why an interaction cannot be in a cassette.
#[derive(Debug, thiserror::Error)]
pub enum Unkept {
    /// Its text could not be read again.
    #[error("a cassette cannot hold it: {0}")]
    Unreadable(String),
    /// Its text reads as something else.
    #[error("a cassette cannot hold it: it reads back as something else")]
    Changed,
    /// A credential is left that could not be taken out.
    #[error("a credential could not be taken out of its {0}")]
    Secret(String),
    /// A secret that was learnt later could stand in it, or not be taken out.
    #[error("{0}")]
    Unsearchable(&'static str),
    /// The cassette is as long as one may be.
    #[error("the cassette is full: one over 256 MiB could not be loaded")]
    Full,
}

/// The text of an interaction that is certain to be readable.
#[derive(Debug)]
pub struct Ready {
    text: String,
}

impl Ready {
    /// What stands in a cassette for it.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The same, taken out.
    pub fn into_text(self) -> String {
        self.text
    }
}

/// What makes interactions ready.
#[derive(Debug)]
pub struct Intake {
    profile: &'static Profile,
    rules: Rules,
    /// A value has the same placeholder in all interactions of a recording.
    customers: Mutex<Customers>,
}

impl Intake {
    /// For one recording, redacted by these rules beside the built-in ones.
    pub fn new(profile: &'static Profile, rules: Rules) -> Self {
        let customers = Mutex::new(Customers::new(&rules));
        Self { profile, rules, customers }
    }

    /// Makes a redacted interaction ready. `place` is its number in the recording.
    ///
    /// # Errors
    /// If no cassette can hold it, or if it is not redacted after all.
    pub fn ready(&self, place: u64, interaction: Interaction) -> Result<Ready, Unkept> {
        self.again(place, self.without_customers(interaction))
    }

    /// The same for one that was redacted by these rules just now: what came out of that as it was is clean. Its text goes
    /// to the end of `out`.
    ///
    /// # Errors
    /// Those of [`Intake::ready`].
    pub(crate) fn ready_from(
        &self,
        place: u64,
        interaction: Interaction,
        (request, response): (&Request, &Response),
        out: &mut String,
    ) -> Result<(), Unkept> {
        let interaction = self.without_customers(interaction);
        let mut open = redact::open_in_edits_of_request(&interaction.request, request, &self.rules);
        open.extend(redact::open_in_edits_of_response(&interaction.response, response, &self.rules));
        Self::written(place, interaction, open, out)
    }

    fn without_customers(&self, mut interaction: Interaction) -> Interaction {
        self.customers().learn_and_put(&mut interaction, self.profile);
        interaction
    }

    fn customers(&self) -> MutexGuard<'_, Customers> {
        self.customers.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Leaves the placeholders of a text to those that they were given to: it was recorded before this recording.
    pub(crate) fn was_before(&self, text: &str) {
        self.customers().take(text);
    }

    /// How many values of customer data are known.
    pub(crate) fn known(&self) -> usize {
        self.customers().len()
    }

    /// What puts placeholders in the place of what was learnt after an interaction came in; nothing that is one already
    /// is touched.
    pub(crate) fn late(&self) -> Late {
        Late { customers: self.customers().without_placeholders(), profile: self.profile }
    }

    /// The rules of the recording.
    pub(crate) fn rules(&self) -> &Rules {
        &self.rules
    }

    /// Makes an interaction ready that was so before, and was redacted further since.
    ///
    /// # Errors
    /// Those of [`Intake::ready`].
    pub(crate) fn again(&self, place: u64, interaction: Interaction) -> Result<Ready, Unkept> {
        let mut open = redact::open_in_request(&interaction.request, &self.rules);
        open.extend(redact::open_in_response(&interaction.response, &self.rules));
        let mut text = String::new();
        Self::written(place, interaction, open, &mut text)?;
        Ok(Ready { text })
    }

    fn written(
        place: u64,
        mut interaction: Interaction,
        open: Vec<Open>,
        out: &mut String,
    ) -> Result<(), Unkept> {
        if let Some(open) = open.into_iter().next() {
            return Err(Unkept::Secret(open.place));
        }
        // Both are put right when the cassette is made.
        interaction.id = format!("request-{place}");
        interaction.endpoint = Arc::default();
        let start = out.len();
        write::put_interaction(out, &interaction);
        if format::is_plain(&interaction) {
            return Ok(());
        }
        match format::parse_interaction(out.get(start..).unwrap_or_default()) {
            Err(message) => Err(Unkept::Unreadable(message)),
            Ok(back) if back != interaction => Err(Unkept::Changed),
            Ok(_) => Ok(()),
        }
    }

    /// The interaction of a text that was made ready.
    pub(crate) fn read(text: &str) -> Option<Interaction> {
        format::parse_interaction(text).ok()
    }
}

/// The customer data known at one moment.
#[derive(Debug)]
pub(crate) struct Late {
    customers: Customers,
    profile: &'static Profile,
}

impl Late {
    /// Puts placeholders in its place.
    pub(crate) fn put(&self, interaction: &mut Interaction) {
        self.customers.put(interaction, self.profile);
    }

    /// The same in a whole cassette.
    pub(crate) fn put_all(&self, cassette: &mut Cassette) {
        cassette.interactions.iter_mut().for_each(|interaction| self.put(interaction));
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn headers() -> impl Strategy<Value = Vec<(String, Vec<u8>)>> {
        let value = prop_oneof![
            "[ -~\t]{0,12}".prop_map(String::into_bytes),
            proptest::collection::vec(any::<u8>(), 0..6)
        ];
        proptest::collection::vec(("[A-Za-z!#-]{0,6}|é|a b", value), 0..4)
    }

    fn body() -> impl Strategy<Value = Vec<u8>> {
        let json = prop::sample::select(vec![
            r#"{"a\u00e9":"b\\\"[:,]}"}"#,
            r#"[{},[],1.0e5,-0,"é"]"#,
            r#"{"a": 1}"#,
            r#"{"a":{"b":[null,true]}}"#,
            r#""x""#,
            "12",
            "[",
        ]);
        prop_oneof![
            json.prop_map(|text| text.as_bytes().to_vec()),
            "[ -~\t\r\né]{0,20}".prop_map(String::into_bytes),
            proptest::collection::vec(any::<u8>(), 0..9),
        ]
    }

    proptest! {
        #[test]
        fn what_is_plain_is_read_as_it_was_written(
            (method, target, status) in ("[A-Z]{1,4}|a b", "/[!-~]{0,12}|/é|x|/ ", 90_u16..1010),
            (asked, answered, trailers) in (headers(), headers(), headers()),
            (sent, received, reason) in (body(), body(), "[ -~é]{0,6}"),
            chunks in proptest::option::of(proptest::collection::vec(0_usize..9, 0..4)),
            notes in proptest::collection::vec(".{0,9}", 0..3),
        ) {
            let mut request = Request::new(&method, &target);
            (request.headers, request.body) = (asked.into_iter().collect(), sent.into());
            let mut response = Response::new(status);
            (response.headers, response.body) = (answered.into_iter().collect(), received.into());
            (response.trailers, response.reason, response.chunks) = (trailers.into_iter().collect(), reason.into(), chunks);
            let interaction = Interaction {
                id: "request-1".to_owned(),
                endpoint: "".into(),
                request,
                response,
                by_recorder: false,
                moment: 0,
                notes,
            };
            let back = Intake::read(&write::interaction(&interaction));
            if format::is_plain(&interaction) {
                prop_assert_eq!(back.as_ref(), Some(&interaction));
            }
        }
    }

    #[test]
    fn an_ordinary_interaction_is_plain_and_an_odd_one_is_not() {
        let interaction = |target: &str, name: &str| Interaction {
            id: String::new(),
            endpoint: "".into(),
            request: Request::new("GET", target).with(name, "26.0"),
            response: Response::json(200, "{}"),
            by_recorder: false,
            moment: 0,
            notes: Vec::new(),
        };
        assert!(format::is_plain(&interaction("/api/x?a=%20", "Version")));
        assert!(!format::is_plain(&interaction("/api/é", "Version")));
        assert!(!format::is_plain(&interaction("/api/x", "a b")));
    }
}

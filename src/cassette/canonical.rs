//! The one form in which exchanges are written: the same exchanges, in the same order within each resource, give the
//! same bytes.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use super::customer::Customers;
use super::{Cassette, Interaction, MatchKey, key, moments};
use crate::message::Headers;
use crate::profile::Profile;
use crate::redact::{Numbering, Redactor, Rules};

pub(super) fn canonicalise(cassette: &mut Cassette, profile: &Profile) {
    canonicalise_by(cassette, profile, &Rules::default());
}

/// The same, redacted by rules of the user's own beside the built-in ones.
pub(super) fn canonicalise_by(cassette: &mut Cassette, profile: &Profile, rules: &Rules) {
    redact(cassette, rules);
    for interaction in &mut cassette.interactions {
        let found = profile.find(&interaction.request.method, interaction.request.path());
        interaction.endpoint = found.map(|found| found.endpoint.id.as_str().into()).unwrap_or_default();
    }
    moments::put(cassette, profile);
    cassette.interactions.sort_by_cached_key(|interaction| resource_order(profile, interaction));
    let mut secrets = Numbering::of_secrets();
    let mut customers = Customers::new(rules);
    for interaction in &cassette.interactions {
        customers.learn(interaction, profile);
    }
    customers.number();
    for interaction in &mut cassette.interactions {
        // Customers first: a secret that goes away with a user's name must not have taken a number.
        customers.put(interaction, profile);
        number_secrets(interaction, &mut secrets);
    }
    put_ids(cassette, profile);
}

/// Every file is redacted when it is written, whoever writes it: learnt first, so that a value is also found in what
/// stands before its place.
fn redact(cassette: &mut Cassette, rules: &Rules) {
    let greatest = cassette.interactions.iter().map(greatest_secret).max().unwrap_or_default();
    let redactor = Redactor::counting_from(greatest).with_rules(rules.clone());
    for interaction in &cassette.interactions {
        redactor.learn_request(&interaction.request);
        redactor.learn_response(&interaction.response);
    }
    if redactor.generation() == 0 {
        return;
    }
    for interaction in &mut cassette.interactions {
        interaction.request = redactor.request(&interaction.request);
        interaction.response = redactor.response(&interaction.response);
        interaction.notes.iter_mut().for_each(|note| *note = redactor.text(note));
    }
}

fn greatest_secret(interaction: &Interaction) -> usize {
    let (request, response) = (&interaction.request, &interaction.response);
    let lines = [&request.headers, &response.headers, &response.trailers];
    let values = lines.into_iter().flat_map(|headers| headers.iter().map(|line| &line.value[..]));
    let all = values.chain([request.target.as_bytes(), &request.body, &response.body, &response.reason]);
    all.map(Numbering::greatest_secret).max().unwrap_or_default()
}

/// Resources by path, numeric segments by value; the order within one is kept by the sort.
fn resource_order(profile: &Profile, interaction: &Interaction) -> Vec<Segment> {
    let path = interaction.request.path();
    let resource = profile.find(&interaction.request.method, path).map(|found| found.resource);
    let resource = key::without_placeholders(resource.as_deref().unwrap_or(path));
    resource.split('/').map(Segment::of).collect()
}

#[derive(PartialEq, Eq)]
enum Segment {
    Number { digits: String, text: String },
    Text(String),
}

impl Segment {
    fn of(text: &str) -> Self {
        if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
            Self::Number { digits: text.trim_start_matches('0').to_owned(), text: text.to_owned() }
        } else {
            Self::Text(text.to_owned())
        }
    }
}

impl Ord for Segment {
    fn cmp(&self, other: &Self) -> Ordering {
        match (self, other) {
            (Self::Number { digits, text }, Self::Number { digits: other, text: other_text }) => digits
                .len()
                .cmp(&other.len())
                .then_with(|| digits.cmp(other))
                .then_with(|| text.cmp(other_text)),
            (Self::Text(one), Self::Text(two)) => one.cmp(two),
            (Self::Number { .. }, Self::Text(_)) => Ordering::Less,
            (Self::Text(_), Self::Number { .. }) => Ordering::Greater,
        }
    }
}

impl PartialOrd for Segment {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

fn number_secrets(interaction: &mut Interaction, numbers: &mut Numbering) {
    let request = &mut interaction.request;
    if let Some(target) = numbers.renumber(request.target.as_bytes()) {
        request.target = String::from_utf8_lossy(&target).into_owned();
    }
    number_lines(&mut request.headers, numbers);
    if let Some(body) = numbers.renumber(&request.body) {
        request.set_body(body);
    }
    let response = &mut interaction.response;
    if let Some(reason) = numbers.renumber(&response.reason) {
        response.reason = reason.into();
    }
    number_lines(&mut response.headers, numbers);
    if let Some(body) = numbers.renumber(&response.body) {
        response.set_body(body);
    }
    number_lines(&mut response.trailers, numbers);
}

fn number_lines(headers: &mut Headers, numbers: &mut Numbering) {
    for line in headers.iter_mut() {
        if let Some(value) = numbers.renumber(&line.value) {
            line.value = value.into();
        }
    }
}

fn put_ids(cassette: &mut Cassette, profile: &Profile) {
    let mut ordinals: BTreeMap<String, usize> = BTreeMap::new();
    for interaction in &mut cassette.interactions {
        let stem = id_stem(interaction, profile);
        let ordinal = ordinals.entry(stem.clone()).or_default();
        *ordinal += 1;
        interaction.id = format!("{stem}-{ordinal}");
    }
}

/// An interaction's id without its ordinal.
pub(super) fn id_stem(interaction: &Interaction, profile: &Profile) -> String {
    let endpoint = profile.endpoint(&interaction.endpoint);
    let short = endpoint.map_or("opaque", |endpoint| endpoint.short.as_str());
    format!("{short}-{}", MatchKey::of(&interaction.request).hash8())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numeric_segments_are_ordered_by_value() {
        let mut segments: Vec<Segment> = ["b", "10", "9", "007", "a", ""].map(Segment::of).into();
        segments.sort();
        let expected: Vec<Segment> = ["007", "9", "10", "", "a", "b"].map(Segment::of).into();
        assert!(segments == expected);
    }
}

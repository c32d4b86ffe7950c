//! Lists that are read to their end: of the lengths at which pages end.

use super::generate::{Generated, plain, plain_text};
use crate::fields::{Scalar, Shape};
use crate::json::{quote, replace};
use crate::judge::about::About;

/// How long they are: long enough for two pages of most clients first, then none, one, and as many as usual pages have
/// and one more.
pub(super) const LENGTHS: [usize; 17] =
    [101, 0, 1, 51, 11, 2, 10, 20, 21, 25, 26, 50, 100, 200, 201, 500, 501];
/// The same for a story, which tells of more than one page.
pub(super) const LENGTHS_OF_STORIES: [usize; 4] = [101, 11, 51, 1];

/// How many plain members an element has beside what tells it from others: a long list stays small, also where a
/// client writes each member on a line of its own.
const MEMBERS: usize = 1;

/// A list of this length, each of its elements unlike the others.
pub(super) fn of_length(about: &About, dialect: &str, length: usize) -> Generated {
    let element = element(about);
    // The newest stands first, as in most lists of the API.
    let elements = (1..=length).rev().map(|n| match &element {
        (text, Some((at, is_text))) => {
            let value = if *is_text { quote(&n.to_string()) } else { n.to_string() };
            replace(text, &[(at, &value)])
        }
        (text, None) => text.clone(),
    });
    let task = format!("[{}]", elements.collect::<Vec<_>>().join(","));
    Generated { fields: None, task, params: plain(about, dialect).params }
}

/// A plain element of a few members; where the one stands that tells it from others, and whether that is a text.
fn element(about: &About) -> (String, Option<(String, bool)>) {
    let Shape::Object(members) = &about.shows.shape else {
        return (plain_text(&about.shows.shape), Some((String::new(), false)));
    };
    let is_number = |shape: &Shape| matches!(shape, Shape::Scalar(Scalar::Integer | Scalar::Number));
    let is_text = |shape: &Shape| matches!(shape, Shape::Scalar(Scalar::String));
    let own = about.element_id();
    let named = members.iter().find(|(name, _)| Some(name.as_str()) == own);
    let sign = named
        .or_else(|| members.iter().find(|(_, shape)| is_number(shape)))
        .or_else(|| members.iter().find(|(_, shape)| is_text(shape)));
    let is_plain = |shape: &Shape| matches!(shape, Shape::Scalar(_));
    let others =
        members.iter().filter(|member| Some(member) != sign.as_ref() && is_plain(&member.1)).take(MEMBERS);
    let written: Vec<String> = (sign.into_iter().chain(others))
        .map(|(name, shape)| format!("{}:{}", quote(name), plain_text(shape)))
        .collect();
    let at = sign.map(|(name, shape)| (format!("/{}", crate::json::escape(name)), !is_number(shape)));
    (format!("{{{}}}", written.join(",")), at)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::JobKind;
    use crate::json::Json;

    #[test]
    fn each_element_has_an_id_of_its_own() {
        let about = About::of(JobKind::List, "GET /siem/offenses").unwrap();
        for length in LENGTHS {
            let list = of_length(&about, "sample", length).task;
            let json = Json::parse(&list).unwrap();
            let mut ids: Vec<i128> =
                json.elements().iter().map(|each| each.member("id").unwrap().as_i128().unwrap()).collect();
            ids.sort_unstable();
            ids.dedup();
            assert_eq!(ids.len(), length);
        }
    }

    #[test]
    fn every_list_of_the_api_that_takes_windows_can_be_made() {
        let profile = crate::profile::Profile::builtin();
        let lists = profile.endpoints().filter(|each| each.is_list && each.takes_range());
        let mut seen = 0;
        for endpoint in lists {
            let about = About::of(JobKind::List, &endpoint.id).unwrap();
            let list = of_length(&about, "sample", 3).task;
            assert_eq!(Json::parse(&list).unwrap().elements().len(), 3, "{}", endpoint.id);
            seen += 1;
        }
        assert!(seen > 50, "{seen}");
    }
}

//! The tests of each rule: what is drawn for a place, and how the answers are judged. Pure: nothing here asks anybody.
//!
//! - `fields`, `filter`, `sort`, `range` draw from what the place answers by itself, so that they mean something there
//! - `refused` holds what a console has to refuse, `answers` what is looked at in every answer

pub(super) mod answers;
mod fields;
mod filter;
mod range;
mod refused;
mod sort;

use super::check::Check;
use super::question::Question;
use super::rule::{self, Rule};
use super::whole::Whole;
use crate::profile::Endpoint;
use crate::seed::Stream;

pub(super) use refused::{anywhere, needed, once};

/// A place that is put to the test.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ground<'g> {
    pub(super) endpoint: &'static Endpoint,
    /// What it answers to its plain request, if it answers that.
    pub(super) whole: Option<&'g Whole>,
    /// Its plain request.
    pub(super) base: &'g Question,
}

/// What a row makes of a place.
#[derive(Debug)]
pub(super) enum Drawn {
    /// A test.
    Check(Box<dyn Check>),
    /// The endpoint has nothing of the kind.
    NotApplicable,
    /// The endpoint has it, and this place cannot be tested, and why.
    NotReached(&'static str),
}

impl Drawn {
    fn check(check: impl Check + 'static) -> Self {
        Self::Check(Box::new(check))
    }
}

/// A kind of test.
#[derive(Debug)]
pub(super) struct Row {
    /// The rules it puts to the test.
    pub(super) rules: &'static [&'static Rule],
    /// Whether it is drawn anew for each case; else once is enough.
    pub(super) generated: bool,
    pub(super) draw: fn(&Ground<'_>, &mut Stream) -> Drawn,
}

/// Every kind of test, the most telling first: where requests are few, the rest is left out.
pub(super) static ROWS: &[Row] = &[
    Row { rules: &[&rule::NO_SUCH_ID], generated: false, draw: refused::no_such_id },
    Row { rules: &[&rule::FIELDS_KEEP, &rule::FIELDS_ELEMENTS], generated: true, draw: fields::one_name },
    Row {
        rules: &[&rule::RANGE_SLICE, &rule::RANGE_COUNTS, &rule::RANGE_STATUS],
        generated: true,
        draw: range::slice,
    },
    Row { rules: &[&rule::FILTER_COMPARES], generated: true, draw: filter::compares },
    Row { rules: &[&rule::SORT_ORDERS], generated: true, draw: sort::orders },
    Row {
        rules: &[
            &rule::FIELDS_KEEP,
            &rule::FIELDS_BRACKETS,
            &rule::FIELDS_LISTS,
            &rule::FIELDS_ELEMENTS,
            &rule::FIELDS_NULL,
        ],
        generated: true,
        draw: fields::any,
    },
    Row { rules: &[&rule::FIELDS_UNKNOWN], generated: false, draw: refused::unknown_field },
    Row { rules: &[&rule::FIELDS_TWICE], generated: false, draw: refused::named_twice },
    Row { rules: &[&rule::RANGE_MALFORMED], generated: true, draw: refused::range_malformed },
    Row {
        rules: &[&rule::FILTER_MALFORMED, &rule::FILTER_MALFORMED_GUESSED],
        generated: true,
        draw: refused::filter_malformed,
    },
    Row {
        rules: &[&rule::SORT_MALFORMED, &rule::SORT_MALFORMED_GUESSED],
        generated: true,
        draw: refused::sort_malformed,
    },
    Row { rules: &[&rule::MISSING], generated: false, draw: refused::missing },
    Row { rules: &[&rule::NOT_AN_INTEGER], generated: false, draw: refused::not_an_integer },
    Row { rules: &[&rule::FIELDS_MALFORMED], generated: true, draw: refused::malformed_fields },
    Row { rules: &[&rule::FIELDS_SCALAR], generated: false, draw: refused::of_a_scalar },
    Row { rules: &[&rule::FIELDS_TWICE_FIRST], generated: false, draw: refused::twice_and_unknown },
    Row { rules: &[&rule::FIELDS_ENCODED_TWICE], generated: false, draw: refused::encoded_twice },
    Row { rules: &[&rule::FIELDS_BLANK], generated: false, draw: fields::blank },
    Row { rules: &[&rule::FIELDS_EMPTY], generated: false, draw: fields::empty },
    Row { rules: &[&rule::FIELDS_ORDER], generated: true, draw: fields::in_any_order },
    Row { rules: &[&rule::FIELDS_BLANKS], generated: true, draw: fields::with_blanks },
    Row { rules: &[&rule::FIELDS_ENCODING], generated: true, draw: fields::in_any_encoding },
    Row { rules: &[&rule::FIELDS_AGAIN], generated: false, draw: fields::again },
    Row { rules: &[&rule::FIELDS_WIDER], generated: true, draw: fields::wider },
    Row { rules: &[&rule::FILTER_JOINS], generated: true, draw: filter::joins },
    Row { rules: &[&rule::FILTER_NULL], generated: false, draw: filter::null },
    Row { rules: &[&rule::FILTER_LIKE], generated: true, draw: filter::like },
    Row { rules: &[&rule::FILTER_CONTAINS], generated: true, draw: filter::contains },
    Row { rules: &[&rule::FILTER_UNKNOWN], generated: false, draw: refused::filter_unknown },
    Row { rules: &[&rule::SORT_TEXTS], generated: true, draw: sort::texts },
    Row { rules: &[&rule::SORT_UNSIGNED], generated: false, draw: sort::unsigned },
    Row { rules: &[&rule::RANGE_CUT], generated: false, draw: range::past_the_end },
    Row { rules: &[&rule::RANGE_BEYOND], generated: false, draw: range::beyond_the_end },
    Row { rules: &[&rule::RANGE_NEGATIVE], generated: false, draw: refused::range_negative },
    Row { rules: &[&rule::RANGE_BACKWARDS], generated: false, draw: refused::range_backwards },
    Row { rules: &[&rule::ALL_FOUR], generated: true, draw: range::all_four },
    Row { rules: &[&rule::HEAD], generated: false, draw: answers::head },
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::console::rule::RULES;

    #[test]
    fn every_rule_has_a_test() {
        let along = [
            &rule::STATUS,
            &rule::CONTENT_TYPE,
            &rule::MEMBERS,
            &rule::FILTER_ORDER,
            &rule::DESCRIPTION,
            &rule::ERROR_BODY,
            &rule::ERROR_TYPE,
        ];
        let of_rows = ROWS.iter().flat_map(|row| row.rules.iter().map(|rule| rule.id));
        let of_console = once().into_iter().map(|check| check.rule().id);
        let tested: Vec<&str> = of_rows.chain(of_console).chain(along.iter().map(|rule| rule.id)).collect();
        for rule in RULES {
            assert!(tested.contains(&rule.id), "nothing tests {}", rule.id);
        }
    }
}

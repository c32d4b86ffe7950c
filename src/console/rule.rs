//! The rules of the API that a console is put to, and what each rests on.

use crate::profile::Source;

/// A rule of the API, as faultdeck has it.
#[derive(Debug)]
pub struct Rule {
    /// Its public id.
    pub id: &'static str,
    /// The rule in one sentence.
    pub law: &'static str,
    /// What it rests on.
    pub source: Source,
    /// Where that is said, or how it came about.
    pub because: &'static str,
}

impl Rule {
    /// Whether the published documentation states it: then a console that does otherwise is at fault. Of any other rule,
    /// what a console does is an observation, and the console is right.
    pub fn is_published(&self) -> bool {
        self.source == Source::Documented
    }
}

macro_rules! rules {
    ($($name:ident: $id:literal, $source:ident, $law:literal, $because:literal;)*) => {
        $(pub(super) static $name: Rule =
            Rule { id: $id, law: $law, source: Source::$source, because: $because };)*
        /// Every rule, in the order reports show them.
        pub static RULES: &[&Rule] = &[$(&$name),*];
    };
}

rules! {
    STATUS: "documented-status", Documented,
        "A plain request is answered with a success status of its page.",
        "the page's table of responses";
    CONTENT_TYPE: "answers-are-json", Documented,
        "An answer in JSON says `application/json` in its Content-Type.",
        "the page's MIME type of the response";
    MEMBERS: "members-of-the-sample", Inferred,
        "An answer has no member that the page's sample does not show.",
        "the page's sample; pages contradict themselves at times (`name` and `state` against `case_name` and `status`)";
    FIELDS_KEEP: "fields-keep-the-named", Documented,
        "`fields` keeps the fields it names, with their values, and leaves out all others.",
        "every page with `fields`: fields that are not named are excluded";
    FIELDS_BRACKETS: "fields-in-brackets", Documented,
        "Subfields in brackets keep only those of an object.",
        "every page with `fields`: specify subfields in brackets";
    FIELDS_LISTS: "fields-within-lists", Seen,
        "Subfields of a list apply to each of its elements.",
        "captures and several programs";
    FIELDS_ELEMENTS: "fields-of-each-element", Seen,
        "On an endpoint that answers a list, `fields` applies to each element.",
        "captures and several programs";
    FIELDS_NULL: "fields-below-null", Ours,
        "Subfields of a field that is null leave it null.",
        "nothing is published";
    FIELDS_ORDER: "fields-in-any-order", Inferred,
        "The order of the names changes nothing.",
        "nothing is published; it follows from what a selection is";
    FIELDS_BLANKS: "fields-with-blanks", Seen,
        "Blanks after a comma, within brackets and before them change nothing.",
        "several programs send them";
    FIELDS_ENCODING: "fields-in-any-encoding", Seen,
        "`%2C`, `%28` and `,`, `(` are the same in `fields`.",
        "programs send both";
    FIELDS_AGAIN: "fields-asked-again", Inferred,
        "The same request gives the same answer while the data stands still.",
        "nothing is published";
    FIELDS_WIDER: "fields-wider-is-more", Inferred,
        "What a narrower selection gives, a wider one gives, too.",
        "it follows from what a selection is";
    FIELDS_BLANK: "fields-blank-is-all", OneSource,
        "A blank `fields` is none: everything comes.",
        "one observer";
    FIELDS_EMPTY: "fields-empty-is-all", Ours,
        "An empty `fields=` is none: everything comes.",
        "nothing is published";
    FIELDS_UNKNOWN: "fields-unknown", OneSource,
        "A field that the endpoint does not have is refused with 422/30.",
        "one observer";
    FIELDS_TWICE: "fields-named-twice", OneSource,
        "A field that is named twice at one level is refused with 422/31.",
        "one observer";
    FIELDS_TWICE_FIRST: "fields-twice-outranks-unknown", OneSource,
        "Where one field is named twice and another is unknown, the answer is 422/31.",
        "one observer";
    FIELDS_MALFORMED: "fields-malformed", Ours,
        "A `fields` that breaks its grammar is refused with 422/31.",
        "nothing is published";
    FIELDS_SCALAR: "fields-of-a-plain-value", Ours,
        "Subfields of a field that has none are refused with 422/30.",
        "nothing is published";
    FIELDS_ENCODED_TWICE: "fields-encoded-twice", Ours,
        "A `fields` that is encoded twice is refused with 422/31.",
        "the overview advises to encode twice, its own examples encode once, and so does every program";
    FILTER_COMPARES: "filter-compares", Documented,
        "`filter` keeps the elements whose member compares as asked, and no others.",
        "the overview of filtering";
    FILTER_JOINS: "filter-joins", Documented,
        "`and`, `or`, `not` and brackets join tests.",
        "the overview of filtering";
    FILTER_NULL: "filter-null", Documented,
        "`is null` and `is not null` keep what they say.",
        "the overview of filtering";
    FILTER_LIKE: "filter-like", OneSource,
        "`like` compares the whole text, `%` being any part of it.",
        "one source";
    FILTER_CONTAINS: "filter-contains", OneSource,
        "`contains` and brackets look at the elements of a list and the members of an object.",
        "one source";
    FILTER_ORDER: "filter-keeps-the-order", Inferred,
        "What a filter keeps stands in the order of the whole list.",
        "nothing is published";
    FILTER_MALFORMED: "filter-malformed", Documented,
        "A filter that breaks the grammar is refused with the code that the page has for it.",
        "the page's table of errors";
    FILTER_MALFORMED_GUESSED: "filter-malformed-elsewhere", Inferred,
        "Where a page has no code for a malformed filter, it is refused as on most others: with 422/1010.",
        "the tables of other endpoints";
    FILTER_UNKNOWN: "filter-unknown", Inferred,
        "A filter by a member that does not exist is refused as a malformed one is.",
        "nothing is published";
    SORT_ORDERS: "sort-orders", Documented,
        "`sort` puts all elements in order, `+` ascending and `-` descending.",
        "the overview of sorting";
    SORT_TEXTS: "sort-orders-texts", Ours,
        "Texts are in order character by character.",
        "nothing is published";
    SORT_UNSIGNED: "sort-without-a-sign", Seen,
        "A name without a sign sorts ascending.",
        "several programs";
    SORT_MALFORMED: "sort-malformed", Documented,
        "A sort that breaks the grammar is refused with the code that the page has for it.",
        "the page's table of errors";
    SORT_MALFORMED_GUESSED: "sort-malformed-elsewhere", Inferred,
        "Where a page has no code for a malformed sort, it is refused as on most others: with 422/1015.",
        "the tables of other endpoints";
    RANGE_SLICE: "range-gives-the-slice", Documented,
        "`Range: items=a-b` gives the elements a to b, counted from 0, both included.",
        "every page with `Range`";
    RANGE_COUNTS: "content-range-counts", Seen,
        "`Content-Range: items a-b/total` says which elements came and how many there are.",
        "the overview of paging and captures";
    RANGE_STATUS: "range-answers-200", Seen,
        "A window is answered with 200.",
        "captures; some consoles answer 206";
    RANGE_CUT: "range-past-the-end", Seen,
        "A window that reaches past the end is cut there.",
        "captures";
    RANGE_BEYOND: "range-beyond-the-end", Ours,
        "A window that begins past the end is an empty list.",
        "nothing is published";
    RANGE_MALFORMED: "range-malformed", Seen,
        "A `Range` that is not `items=x-y` is refused with 422/36.",
        "captures";
    RANGE_NEGATIVE: "range-negative", Seen,
        "A `Range` with a number below zero is refused with 422/36.",
        "captures";
    RANGE_BACKWARDS: "range-backwards", Ours,
        "A `Range` that runs backwards is refused with 422/36.",
        "nothing is published";
    ALL_FOUR: "filter-sort-range-fields", Inferred,
        "On one request filter, sort, range and fields apply in this order.",
        "nothing is published";
    NO_SUCH_ID: "no-such-id", Documented,
        "An id that is not there is answered with the 404 of the page.",
        "the page's table of errors";
    DESCRIPTION: "error-repeats-the-table", Seen,
        "An error with a code of the page has the page's description.",
        "captures";
    NOT_AN_INTEGER: "id-of-another-type", Ours,
        "An id that is no integer, where the page asks for one, is refused with 422/11.",
        "the code is seen for parameters of a query, and inferred for a path";
    MISSING: "missing-parameter", Seen,
        "A request without a required parameter is refused with 422/8.",
        "captures";
    ERROR_BODY: "error-body", Documented,
        "An error has `http_response` with its status, `code`, `description`, `details` and `message`.",
        "the overview of errors";
    ERROR_TYPE: "errors-are-json", Documented,
        "An error is JSON, whatever the endpoint answers otherwise.",
        "the overview of errors";
    HEAD: "head-is-its-get", Ours,
        "A HEAD is answered like its GET, without a body.",
        "HTTP says so; nothing is published of this API";
    NO_SUCH_PATH: "no-such-path", OneSource,
        "A path below /api that is no endpoint is answered with 404/4.",
        "one observer";
    OUTSIDE: "outside-the-api", OneSource,
        "A path outside /api that is nothing is answered with 200 and an HTML page.",
        "one observer";
    VERSION_MALFORMED: "version-malformed", Seen,
        "A `Version` that is none is refused with a 422.",
        "captures; which code it has is not known";
    VERSION_REMOVED: "version-removed", Seen,
        "A `Version` that was taken out is refused with a 422.",
        "captures; which code it has is not known";
    NO_CREDENTIALS: "no-credentials", Seen,
        "A request without credentials is answered with 401/18.",
        "captures";
}

/// The rule with this id.
pub fn rule(id: &str) -> Option<&'static Rule> {
    RULES.iter().copied().find(|rule| rule.id == id)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_rule_is_whole_and_ids_are_unique() {
        for (index, rule) in RULES.iter().enumerate() {
            assert!(!RULES[..index].iter().any(|other| other.id == rule.id), "{} twice", rule.id);
            assert!(rule.law.ends_with('.') && !rule.because.is_empty(), "{}", rule.id);
        }
        assert!(rule("fields-keep-the-named").unwrap().is_published());
        assert!(rule("nothing").is_none());
    }
}

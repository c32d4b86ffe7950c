//! What `fields` leaves of an answer: compared with the projection of the whole one.

use super::{Drawn, Ground};
use crate::console::check::{Check, Finding, obstacle};
use crate::console::question::{Answer, Question, cut, first_difference};
use crate::console::rule::{self, Rule};
use crate::console::whole::{Whole, elements};
use crate::fields::{Field, FieldSelector, Shape};
use crate::json::{Json, Kind};
use crate::profile::{Carrier, Endpoint};
use crate::seed::Stream;

/// Why nothing can be selected of a place.
const NOTHING_THERE: &str = "it answers nothing that could be selected from";
/// Names of one selector that is drawn, at each level: enough for every rule, few enough to be read.
const NAMES_MAX: usize = 6;
/// Levels of brackets that are drawn.
const LEVELS_MAX: usize = 4;

/// Whether an endpoint takes `fields` in its query.
pub(super) fn takes(endpoint: &Endpoint) -> bool {
    endpoint.fields_in == Some(Carrier::Query)
}

/// The members that can be named, each with what is below it.
pub(super) fn names(shape: &Shape) -> Vec<(&str, &Shape)> {
    let Shape::Object(members) = shape.element() else { return Vec::new() };
    let is_legal = |name: &str| {
        !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
    };
    members.iter().filter(|(name, _)| is_legal(name)).map(|(name, below)| (name.as_str(), below)).collect()
}

fn drawn(shape: &Shape, stream: &mut Stream, levels: usize) -> Option<FieldSelector> {
    let mut open = names(shape);
    let most = open.len().min(NAMES_MAX) as u64;
    let mut fields = Vec::new();
    for _ in 0..(1 + stream.below(most)).min(most) {
        let place = stream.below(open.len() as u64) as usize;
        let (name, below) = open.remove(place);
        let goes_down = levels > 1 && stream.below(2) == 0;
        let subfields = goes_down.then(|| drawn(below, stream, levels - 1)).flatten();
        fields.push(Field { name: name.to_owned(), subfields });
    }
    FieldSelector::of(fields)
}

fn selector(ground: &Ground<'_>, stream: &mut Stream, levels: usize) -> Result<FieldSelector, Drawn> {
    if !takes(ground.endpoint) {
        return Err(Drawn::NotApplicable);
    }
    let shape = ground.whole.map(Whole::shape).ok_or(Drawn::NotReached(NOTHING_THERE))?;
    drawn(&shape, stream, levels).ok_or(Drawn::NotReached(NOTHING_THERE))
}

pub(super) fn one_name(ground: &Ground<'_>, stream: &mut Stream) -> Drawn {
    match selector(ground, stream, 1) {
        Ok(selector) => match selector.fields().first().cloned().and_then(|it| FieldSelector::of(vec![it])) {
            Some(selector) => Drawn::check(Projects { selector }),
            None => Drawn::NotApplicable,
        },
        Err(other) => other,
    }
}

pub(super) fn any(ground: &Ground<'_>, stream: &mut Stream) -> Drawn {
    match selector(ground, stream, LEVELS_MAX) {
        Ok(selector) => Drawn::check(Projects { selector }),
        Err(other) => other,
    }
}

/// A selection against the projection of the whole.
#[derive(Debug)]
struct Projects {
    selector: FieldSelector,
}

impl Check for Projects {
    fn rule(&self) -> &'static Rule {
        &rule::FIELDS_KEEP
    }

    fn case(&self) -> String {
        format!("fields={}", self.selector)
    }

    fn questions(&self, base: &Question) -> Vec<Question> {
        vec![base.clone().with("fields", &self.selector.to_string())]
    }

    fn judge(&self, whole: Option<&Whole>, answers: &[Answer]) -> Vec<(&'static Rule, Finding)> {
        let (Some(whole), Some(answer)) = (whole, answers.first()) else { return Vec::new() };
        let Some(json) = whole.json() else { return Vec::new() };
        let rule = class(&self.selector, &json);
        vec![(rule, is_value(answer, &self.selector.project(&json)))]
    }

    fn compares(&self) -> bool {
        true
    }

    fn smaller(&self) -> Vec<Box<dyn Check>> {
        let boxed = |selector| Box::new(Self { selector }) as Box<dyn Check>;
        smaller(&self.selector).into_iter().map(boxed).collect()
    }
}

/// Whether an answer is this value.
pub(super) fn is_value(answer: &Answer, expected: &str) -> Finding {
    if let Some(finding) = obstacle(answer) {
        return finding;
    }
    let shown = format!("200: {}", cut(expected));
    if !answer.is_success() {
        return Finding::answered(answer.named(), shown);
    }
    let (Some(found), Ok(expected)) = (answer.json(), Json::parse(expected)) else {
        return Finding::departs("the answer is no JSON", "the answer is no JSON", shown);
    };
    match first_difference(&expected, &found) {
        None => Finding::Holds,
        Some(difference) => Finding::departs(difference.kept, difference.text, shown),
    }
}

/// Which rule a selection of this value is a test of: the least sure one that has a part in it.
fn class(selector: &FieldSelector, json: &Json<'_>) -> &'static Rule {
    let mut met = Met::default();
    elements(json).iter().for_each(|element| met.look(selector, element));
    match met {
        Met { nothing: true, .. } => &rule::FIELDS_NULL,
        Met { list: true, .. } => &rule::FIELDS_LISTS,
        _ if matches!(json.kind(), Kind::Array(_)) => &rule::FIELDS_ELEMENTS,
        Met { object: true, .. } => &rule::FIELDS_BRACKETS,
        _ => &rule::FIELDS_KEEP,
    }
}

/// What stands where subfields are asked for.
#[derive(Default)]
struct Met {
    object: bool,
    list: bool,
    nothing: bool,
}

impl Met {
    fn look(&mut self, selector: &FieldSelector, value: &Json<'_>) {
        for field in selector.fields() {
            let (Some(below), Some(found)) = (&field.subfields, value.member(&field.name)) else { continue };
            self.below(below, found);
        }
    }

    fn below(&mut self, selector: &FieldSelector, value: &Json<'_>) {
        match value.kind() {
            Kind::Object(_) => {
                self.object = true;
                self.look(selector, value);
            }
            Kind::Array(elements) => {
                self.list = true;
                elements.iter().for_each(|element| self.below(selector, element));
            }
            _ => self.nothing = true,
        }
    }
}

/// Simpler selectors, the simplest first: one name, then one name less, then fewer subfields.
fn smaller(selector: &FieldSelector) -> Vec<FieldSelector> {
    let fields = selector.fields();
    let mut found = Vec::new();
    for field in fields {
        let plain = Field { name: field.name.clone(), subfields: None };
        let is_it = fields.len() == 1 && field.subfields.is_none();
        found.extend(FieldSelector::of(vec![plain]).filter(|_| !is_it));
        found.extend(FieldSelector::of(vec![field.clone()]).filter(|_| fields.len() > 1));
    }
    for place in 0..fields.len() {
        let mut rest = fields.to_vec();
        let field = rest.remove(place);
        found.extend(FieldSelector::of(rest.clone()));
        let below = field.subfields.as_ref().map(smaller).unwrap_or_default();
        for subfields in below {
            let mut with = fields.to_vec();
            if let Some(held) = with.get_mut(place) {
                held.subfields = Some(subfields);
            }
            found.extend(FieldSelector::of(with));
        }
    }
    found
}

/// Another way to ask for the same.
#[derive(Clone, Copy, Debug)]
enum Way {
    Reversed,
    Blanks,
    Encoding,
    Again,
}

impl Way {
    fn rule(self) -> &'static Rule {
        match self {
            Self::Reversed => &rule::FIELDS_ORDER,
            Self::Blanks => &rule::FIELDS_BLANKS,
            Self::Encoding => &rule::FIELDS_ENCODING,
            Self::Again => &rule::FIELDS_AGAIN,
        }
    }

    fn asked(self, base: &Question, selector: &FieldSelector) -> Question {
        let text = selector.to_string();
        match self {
            Self::Reversed => base.clone().with("fields", &reversed(selector).to_string()),
            Self::Blanks => {
                let spaced = text.replace(',', " , ").replace('(', " ( ").replace(')', " ) ");
                base.clone().with("fields", &spaced)
            }
            // Encoded is how it is asked the first time.
            Self::Encoding => base.clone().with_raw("fields", &text),
            Self::Again => base.clone().with("fields", &text),
        }
    }

    /// Whether it asks otherwise at all.
    fn differs(self, selector: &FieldSelector) -> bool {
        match self {
            Self::Reversed => reversed(selector) != *selector,
            Self::Blanks | Self::Encoding => selector.names() > 1,
            Self::Again => true,
        }
    }
}

fn reversed(selector: &FieldSelector) -> FieldSelector {
    let field =
        |field: &Field| Field { name: field.name.clone(), subfields: field.subfields.as_ref().map(reversed) };
    FieldSelector::of(selector.fields().iter().rev().map(field).collect()).unwrap_or_else(|| selector.clone())
}

fn in_way(way: Way, ground: &Ground<'_>, stream: &mut Stream) -> Drawn {
    // A selector of one name cannot be written otherwise: a few draws find a longer one, if there is any.
    for _ in 0..8 {
        match selector(ground, stream, LEVELS_MAX) {
            Ok(selector) if way.differs(&selector) => return Drawn::check(Same { way, selector }),
            Ok(_) => {}
            Err(other) => return other,
        }
    }
    Drawn::NotReached("its answers have one field alone")
}

pub(super) fn in_any_order(ground: &Ground<'_>, stream: &mut Stream) -> Drawn {
    in_way(Way::Reversed, ground, stream)
}

pub(super) fn with_blanks(ground: &Ground<'_>, stream: &mut Stream) -> Drawn {
    in_way(Way::Blanks, ground, stream)
}

pub(super) fn in_any_encoding(ground: &Ground<'_>, stream: &mut Stream) -> Drawn {
    in_way(Way::Encoding, ground, stream)
}

pub(super) fn again(ground: &Ground<'_>, stream: &mut Stream) -> Drawn {
    in_way(Way::Again, ground, stream)
}

/// Two requests that mean the same.
#[derive(Debug)]
struct Same {
    way: Way,
    selector: FieldSelector,
}

impl Check for Same {
    fn rule(&self) -> &'static Rule {
        self.way.rule()
    }

    fn case(&self) -> String {
        format!("fields={}, in two spellings", self.selector)
    }

    fn questions(&self, base: &Question) -> Vec<Question> {
        vec![base.clone().with("fields", &self.selector.to_string()), self.way.asked(base, &self.selector)]
    }

    fn judge(&self, _whole: Option<&Whole>, answers: &[Answer]) -> Vec<(&'static Rule, Finding)> {
        let [first, other] = answers else { return Vec::new() };
        let finding = match first.json().filter(|_| first.is_success()) {
            Some(json) => is_value(other, json.text()).at(1),
            None => obstacle(first).unwrap_or_else(|| {
                Finding::NotReached(format!("the selection itself is answered with {}", first.named()))
            }),
        };
        vec![(self.way.rule(), finding)]
    }

    fn compares(&self) -> bool {
        true
    }

    fn smaller(&self) -> Vec<Box<dyn Check>> {
        let way = self.way;
        let differing = smaller(&self.selector).into_iter().filter(|selector| way.differs(selector));
        differing.map(|selector| Box::new(Self { way, selector }) as Box<dyn Check>).collect()
    }
}

pub(super) fn wider(ground: &Ground<'_>, stream: &mut Stream) -> Drawn {
    match selector(ground, stream, LEVELS_MAX) {
        Ok(wide) => {
            let narrower = smaller(&wide);
            let place = stream.below(narrower.len() as u64) as usize;
            match narrower.get(place).filter(|narrow| wide.covers(narrow)) {
                Some(narrow) => Drawn::check(Wider { wide, narrow: narrow.clone() }),
                None => Drawn::NotReached("the selection that was drawn has no part"),
            }
        }
        Err(other) => other,
    }
}

/// A selection and a part of it.
#[derive(Debug)]
struct Wider {
    wide: FieldSelector,
    narrow: FieldSelector,
}

impl Check for Wider {
    fn rule(&self) -> &'static Rule {
        &rule::FIELDS_WIDER
    }

    fn case(&self) -> String {
        format!("fields={} and fields={}", self.wide, self.narrow)
    }

    fn questions(&self, base: &Question) -> Vec<Question> {
        [&self.wide, &self.narrow].map(|it| base.clone().with("fields", &it.to_string())).into()
    }

    fn judge(&self, _whole: Option<&Whole>, answers: &[Answer]) -> Vec<(&'static Rule, Finding)> {
        let [wide, narrow] = answers else { return Vec::new() };
        let finding = match (wide.json(), narrow.json()) {
            (Some(from), Some(_)) if wide.is_success() && narrow.is_success() => {
                is_value(narrow, &self.narrow.project(&from)).at(1)
            }
            _ => Finding::NotReached("one of the two selections is not answered".to_owned()),
        };
        vec![(&rule::FIELDS_WIDER, finding)]
    }

    fn compares(&self) -> bool {
        true
    }
}

pub(super) fn blank(ground: &Ground<'_>, _stream: &mut Stream) -> Drawn {
    nothing(ground, &rule::FIELDS_BLANK, "%20")
}

pub(super) fn empty(ground: &Ground<'_>, _stream: &mut Stream) -> Drawn {
    nothing(ground, &rule::FIELDS_EMPTY, "")
}

fn nothing(ground: &Ground<'_>, rule: &'static Rule, raw: &'static str) -> Drawn {
    match (takes(ground.endpoint), ground.whole) {
        (false, _) => Drawn::NotApplicable,
        (true, None) => Drawn::NotReached(NOTHING_THERE),
        (true, Some(_)) => Drawn::check(Nothing { rule, raw }),
    }
}

/// A selection of nothing in particular.
#[derive(Debug)]
struct Nothing {
    rule: &'static Rule,
    raw: &'static str,
}

impl Check for Nothing {
    fn rule(&self) -> &'static Rule {
        self.rule
    }

    fn case(&self) -> String {
        format!("fields={}", self.raw)
    }

    fn questions(&self, base: &Question) -> Vec<Question> {
        vec![base.clone().with_raw("fields", self.raw)]
    }

    fn judge(&self, whole: Option<&Whole>, answers: &[Answer]) -> Vec<(&'static Rule, Finding)> {
        let json = whole.and_then(Whole::json);
        let (Some(json), Some(answer)) = (json, answers.first()) else { return Vec::new() };
        vec![(self.rule, is_value(answer, json.text()))]
    }

    fn compares(&self) -> bool {
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::console::whole::tests::{answer, whole};
    use crate::seed::Seed;

    fn judged(selector: &str, of: &str, came: &str) -> (&'static str, Finding) {
        let selector = FieldSelector::parse(selector).unwrap().unwrap();
        let found = Projects { selector }.judge(Some(&whole(of)), &[answer(200, came)]).remove(0);
        (found.0.id, found.1)
    }

    #[test]
    fn a_selection_is_a_test_of_the_least_sure_rule_in_it() {
        for (selector, of, rule) in [
            ("a", r#"{"a":1,"b":2}"#, "fields-keep-the-named"),
            ("a(c)", r#"{"a":{"c":1,"d":2}}"#, "fields-in-brackets"),
            ("a(c)", r#"{"a":[{"c":1}]}"#, "fields-within-lists"),
            ("a(c)", r#"{"a":null}"#, "fields-below-null"),
            ("a,b(c)", r#"{"a":1,"b":[{"c":1},null]}"#, "fields-below-null"),
            ("a", r#"[{"a":1}]"#, "fields-of-each-element"),
        ] {
            assert_eq!(judged(selector, of, "{}").0, rule, "{selector} of {of}");
        }
    }

    #[test]
    fn a_selection_that_is_passed_over_or_loses_something_departs() {
        let of = r#"{"id":9007199254740993,"b":[],"c":null}"#;
        let because = |selector, came| match judged(selector, of, came).1 {
            Finding::Departs(departure) => departure.because,
            other => panic!("{other:?}"),
        };
        assert_eq!(because("id", of), "/b is there and should not be");
        assert_eq!(because("id,b", r#"{"id":9007199254740993}"#), "/b is missing");
        assert_eq!(
            because("id", r#"{"id":9007199254740992}"#),
            "/id is 9007199254740992 and should be 9007199254740993"
        );
        assert_eq!(judged("c,id", of, r#"{"c":null,"id":9007199254740993}"#).1, Finding::Holds);
    }

    #[test]
    fn selectors_shrink_to_one_name_and_are_drawn_from_what_is_there() {
        let selector = FieldSelector::parse("a,b(c,d)").unwrap().unwrap();
        let all = smaller(&selector);
        assert_eq!(all[0].to_string(), "a");
        for smaller in &all {
            assert!(*smaller != selector && smaller.names() <= selector.names(), "{smaller}");
        }
        assert!(all.iter().any(|smaller| smaller.to_string() == "a,b(d)"));
        assert!(smaller(&FieldSelector::parse("a").unwrap().unwrap()).is_empty());
        let shape = whole(r#"[{"a":1,"b":{"c":2}},{"e":"x","b b":1}]"#).shape();
        let mut stream = Seed(7).stream(&["x"]);
        for _ in 0..100 {
            let selector = drawn(&shape, &mut stream, 3).unwrap();
            assert!(selector.check(&shape).is_ok() && !selector.to_string().contains("b b"), "{selector}");
        }
    }
}

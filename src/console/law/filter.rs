//! What `filter` leaves of a list: compared with what our own evaluator leaves of the whole one.
//!
//! Filters are drawn from what the elements have, in the part of the language that is sure: numbers compared with
//! numbers, plain texts with plain texts, members that no element lacks.

use std::collections::BTreeSet;

use super::fields::is_value;
use super::{Drawn, Ground};
use crate::console::check::{Check, Finding, obstacle};
use crate::console::question::{Answer, Question, cut};
use crate::console::rule::{self, Rule};
use crate::console::whole::{Whole, elements};
use crate::fields::FieldSelector;
use crate::json::{Json, Kind};
use crate::lists::filter::{Is, Member, Operator, Test, Value};
use crate::lists::{Asked, Filter};
use crate::profile::Language;
use crate::seed::Stream;

/// Why no filter can be drawn.
const NOTHING_THERE: &str = "it has no elements with a member that could be filtered by";
/// The longest text that is compared, in bytes.
const TEXT_MAX: usize = 60;

/// A member of the elements of a list, and what they have in it.
#[derive(Clone, Debug)]
pub(super) struct Column {
    pub(super) name: String,
    pub(super) holds: Holds,
    /// Each different value once, as a filter has it; of lists, what stands in them.
    pub(super) values: Vec<Value>,
    /// Whether some element has null there.
    pub(super) has_null: bool,
}

/// What a column holds, null aside.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Holds {
    Numbers,
    Texts,
    Bools,
    /// Lists of numbers or texts.
    Lists,
    /// Anything else, or several of these.
    Other,
}

/// The columns that every element has.
pub(super) fn columns(json: &Json<'_>) -> Vec<Column> {
    let all = elements(json);
    let Some(first) = all.first() else { return Vec::new() };
    let is_legal = |name: &str| {
        let of_name = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
        let reserved = ["and", "or", "not"].iter().any(|word| name.eq_ignore_ascii_case(word));
        !name.is_empty() && !reserved && name.bytes().all(of_name)
    };
    let names = first.members().iter().map(|(name, _)| name.as_ref()).filter(|name| is_legal(name));
    names.filter_map(|name| column(name, all)).collect()
}

fn column(name: &str, all: &[Json<'_>]) -> Option<Column> {
    let found: Vec<&Json<'_>> = all.iter().map(|element| element.member(name)).collect::<Option<_>>()?;
    let plain: Vec<&Json<'_>> = found.iter().copied().filter(|value| !value.is_null()).collect();
    let mut kinds = plain.iter().map(|value| holds(value));
    let first = kinds.next()?;
    let holds = if kinds.all(|kind| kind == first) { first } else { Holds::Other };
    let contents: Vec<&Json<'_>> = match holds {
        Holds::Lists => plain.iter().flat_map(|value| value.elements()).collect(),
        _ => plain.clone(),
    };
    let mut values: Vec<Value> = Vec::new();
    for value in contents.into_iter().filter_map(value_of) {
        if !values.contains(&value) {
            values.push(value);
        }
    }
    Some(Column { name: name.to_owned(), holds, values, has_null: plain.len() < found.len() })
}

fn holds(value: &Json<'_>) -> Holds {
    match value.kind() {
        Kind::Number => Holds::Numbers,
        Kind::String(_) => Holds::Texts,
        Kind::Bool(_) => Holds::Bools,
        Kind::Array(elements) if elements.iter().all(|it| value_of(it).is_some()) => Holds::Lists,
        _ => Holds::Other,
    }
}

/// A value as a filter has it, if there is no doubt how it is compared.
fn value_of(value: &Json<'_>) -> Option<Value> {
    let text = value.text();
    match value.kind() {
        Kind::Number if text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-') => {
            Some(Value::Number(text.to_owned()))
        }
        Kind::Bool(_) => Some(Value::Word(text.to_owned())),
        Kind::String(text) => is_tame(text).then(|| Value::Text(text.to_string())),
        _ => None,
    }
}

/// Whether a text is compared in one way only: it looks like no number and no word of the language.
fn is_tame(text: &str) -> bool {
    let is_letter = |byte: u8| byte.is_ascii_alphanumeric() || b" -_.:/@".contains(&byte);
    let is_word = ["true", "false", "null"].iter().any(|word| text.eq_ignore_ascii_case(word));
    (1..=TEXT_MAX).contains(&text.len())
        && text.trim() == text
        && text.bytes().all(is_letter)
        && text.bytes().any(|byte| byte.is_ascii_alphabetic())
        && !is_word
}

impl Column {
    /// Whether what is asked of it rests on nothing of ours: no null, and no two texts that differ in case alone.
    fn is_sure(&self) -> bool {
        let texts: BTreeSet<String> = self.values.iter().map(|it| it.text().to_ascii_lowercase()).collect();
        let is_plain = matches!(self.holds, Holds::Numbers | Holds::Texts | Holds::Bools);
        is_plain && !self.has_null && !self.values.is_empty() && texts.len() == self.values.len()
    }

    fn any_value(&self, stream: &mut Stream) -> Option<Value> {
        self.values.get(stream.below(self.values.len() as u64) as usize).cloned()
    }

    fn test(&self, negated: bool, is: Is) -> Filter {
        Filter::Test(Test { member: Member(vec![self.name.clone()]), negated, is })
    }

    /// A comparison that is sure. Of a list that is not known whole, none that other elements might meet otherwise.
    fn compared(&self, stream: &mut Stream, is_all: bool) -> Option<Filter> {
        use Operator::{AtLeast, AtMost, Equal, Greater, Less, Other};
        let (one, two) = (self.any_value(stream)?, self.any_value(stream)?);
        let is_number = self.holds == Holds::Numbers;
        let (negated, is) = match stream.below(if is_number { 9 } else { 3 }) {
            0 => (false, Is::Compared(Equal, one)),
            1 if is_all => (false, Is::Compared(Other, one)),
            2 if self.holds != Holds::Bools => (is_all && stream.below(2) == 0, Is::In(vec![one, two])),
            3 => (false, Is::Compared(Less, one)),
            4 => (false, Is::Compared(AtMost, one)),
            5 => (false, Is::Compared(Greater, one)),
            6 => (false, Is::Compared(AtLeast, one)),
            7 => (false, Is::Between(one, two)),
            8 if is_all => (true, Is::Between(one, two)),
            _ => (false, Is::Compared(Equal, one)),
        };
        Some(self.test(negated, is))
    }
}

/// The columns of a place, and whether it is known whole.
fn ground(ground: &Ground<'_>) -> Result<(Vec<Column>, bool), Drawn> {
    if !Language::Filter.is_taken_by(ground.endpoint) {
        return Err(Drawn::NotApplicable);
    }
    let nothing = || Drawn::NotReached(NOTHING_THERE);
    let whole = ground.whole.filter(|whole| whole.is_list).ok_or_else(nothing)?;
    let columns = whole.json().map(|json| columns(&json)).unwrap_or_default();
    if columns.is_empty() { Err(nothing()) } else { Ok((columns, whole.is_all)) }
}

fn pick<'c>(columns: &[&'c Column], stream: &mut Stream) -> Option<&'c Column> {
    columns.get(stream.below(columns.len() as u64) as usize).copied()
}

fn filters(rule: &'static Rule, filter: Option<Filter>) -> Drawn {
    filter.map_or(Drawn::NotReached(NOTHING_THERE), |filter| Drawn::check(Filters { rule, filter }))
}

pub(super) fn compares(place: &Ground<'_>, stream: &mut Stream) -> Drawn {
    let (columns, is_all) = match ground(place) {
        Ok(found) => found,
        Err(other) => return other,
    };
    let sure: Vec<&Column> = columns.iter().filter(|column| column.is_sure()).collect();
    let filter = pick(&sure, stream).and_then(|column| column.compared(stream, is_all));
    filters(&rule::FILTER_COMPARES, filter)
}

pub(super) fn joins(place: &Ground<'_>, stream: &mut Stream) -> Drawn {
    let (columns, is_all) = match ground(place) {
        Ok(found) => found,
        Err(other) => return other,
    };
    let sure: Vec<&Column> = columns.iter().filter(|column| column.is_sure()).collect();
    let mut one = || pick(&sure, stream).and_then(|column| column.compared(stream, is_all));
    let (Some(first), Some(second), Some(third)) = (one(), one(), one()) else {
        return Drawn::NotReached(NOTHING_THERE);
    };
    let not = |filter| if is_all { Filter::Not(Box::new(filter)) } else { filter };
    let filter = match stream.below(4) {
        0 => Filter::all(vec![first, second]),
        1 => Filter::any(vec![first, second]),
        2 => Filter::any(vec![first, second]).and_then(|either| Filter::all(vec![either, third])),
        _ => Filter::all(vec![not(first), second]).and_then(|both| Filter::any(vec![both, third])),
    };
    filters(&rule::FILTER_JOINS, filter)
}

pub(super) fn null(place: &Ground<'_>, stream: &mut Stream) -> Drawn {
    let (columns, _) = match ground(place) {
        Ok(found) => found,
        Err(other) => return other,
    };
    let with_null: Vec<&Column> = columns.iter().filter(|column| column.has_null).collect();
    match pick(&with_null, stream) {
        Some(column) => filters(&rule::FILTER_NULL, Some(column.test(stream.below(2) == 0, Is::Null))),
        None => Drawn::NotReached("no member is null in some of its elements"),
    }
}

pub(super) fn like(place: &Ground<'_>, stream: &mut Stream) -> Drawn {
    let (columns, _) = match ground(place) {
        Ok(found) => found,
        Err(other) => return other,
    };
    let texts: Vec<&Column> =
        columns.iter().filter(|column| column.holds == Holds::Texts && column.is_sure()).collect();
    let Some((column, value)) = pick(&texts, stream).and_then(|it| Some((it, it.any_value(stream)?))) else {
        return Drawn::NotReached("no member of its elements is a plain text");
    };
    let text: Vec<char> = value.text().chars().filter(|letter| letter.is_ascii_alphanumeric()).collect();
    let part: String = value.text().chars().take_while(char::is_ascii_alphanumeric).collect();
    let pattern = match (part.is_empty(), stream.below(2)) {
        (false, 0) => format!("{part}%"),
        _ => format!("%{}%", text.first().copied().unwrap_or('a')),
    };
    filters(&rule::FILTER_LIKE, Some(column.test(false, Is::Like { pattern, any_case: false })))
}

pub(super) fn contains(place: &Ground<'_>, stream: &mut Stream) -> Drawn {
    let (columns, _) = match ground(place) {
        Ok(found) => found,
        Err(other) => return other,
    };
    let lists: Vec<&Column> = columns
        .iter()
        .filter(|column| column.holds == Holds::Lists && !column.has_null && !column.values.is_empty())
        .collect();
    match pick(&lists, stream).and_then(|it| Some((it, it.any_value(stream)?))) {
        Some((column, value)) => {
            filters(&rule::FILTER_CONTAINS, Some(column.test(false, Is::ContainsValue(value))))
        }
        None => Drawn::NotReached("no member of its elements is a list of plain values"),
    }
}

/// A filter against what it leaves of the whole.
#[derive(Debug)]
struct Filters {
    rule: &'static Rule,
    filter: Filter,
}

impl Check for Filters {
    fn rule(&self) -> &'static Rule {
        self.rule
    }

    fn case(&self) -> String {
        format!("filter={}", self.filter)
    }

    fn questions(&self, base: &Question) -> Vec<Question> {
        vec![base.clone().with(Language::Filter.name(), &self.filter.to_string())]
    }

    fn judge(&self, whole: Option<&Whole>, answers: &[Answer]) -> Vec<(&'static Rule, Finding)> {
        let json = whole.and_then(Whole::json);
        let (Some(whole), Some(json), Some(answer)) = (whole, json, answers.first()) else {
            return Vec::new();
        };
        if answer.status == 422 {
            // Which members can be filtered by is published for a few endpoints alone.
            let why = format!("the console does not take this filter ({})", answer.named());
            return vec![(self.rule, Finding::NotReached(why))];
        }
        let accepted = Asked { filter: Some(&self.filter), ..Asked::default() }.of(elements(&json)).body;
        match whole.is_all {
            true => self.exactly(answer, &accepted),
            false => vec![(self.rule, self.none_but(answer))],
        }
    }

    fn compares(&self) -> bool {
        true
    }

    fn smaller(&self) -> Vec<Box<dyn Check>> {
        let rule = self.rule;
        let parts = smaller(&self.filter).into_iter();
        parts.map(|filter| Box::new(Self { rule, filter }) as Box<dyn Check>).collect()
    }
}

impl Filters {
    /// All elements are known: these came, whatever their order.
    fn exactly(&self, answer: &Answer, accepted: &str) -> Vec<(&'static Rule, Finding)> {
        let in_order = is_value(answer, accepted);
        let (Some(found), Ok(expected)) = (answer.json(), Json::parse(accepted)) else {
            return vec![(self.rule, in_order)];
        };
        if !matches!(in_order, Finding::Departs(_)) {
            let says_order = expected.elements().len() > 1 && in_order == Finding::Holds;
            let order = says_order.then_some((&rule::FILTER_ORDER, Finding::Holds));
            return [(self.rule, in_order)].into_iter().chain(order).collect();
        }
        match answer.is_success() && same_elements(&found, &expected) {
            true => vec![(self.rule, Finding::Holds), (&rule::FILTER_ORDER, in_order)],
            false => vec![(self.rule, in_order)],
        }
    }

    /// Some elements are known: whatever came is as the filter asks.
    fn none_but(&self, answer: &Answer) -> Finding {
        if let Some(finding) = obstacle(answer) {
            return finding;
        }
        let Some(json) = answer.json().filter(|json| answer.is_success() && json.as_str().is_none()) else {
            return Finding::answered(answer.named(), "200 and a list");
        };
        match elements(&json).iter().find(|element| !self.filter.accepts(element)) {
            None => Finding::Holds,
            Some(wrong) => Finding::departs(
                "an element came that does not fit the filter",
                format!("an element came that does not fit: {}", cut(wrong.text())),
                format!("elements with {} alone", self.filter),
            ),
        }
    }
}

/// Whether both hold the same elements, in any order.
pub(super) fn same_elements(one: &Json<'_>, other: &Json<'_>) -> bool {
    let mut open: Vec<&Json<'_>> = other.elements().iter().collect();
    let all = one.elements().iter().all(|element| {
        let place = open.iter().position(|candidate| candidate.same(element));
        place.is_some_and(|place| {
            open.remove(place);
            true
        })
    });
    all && open.is_empty()
}

/// Simpler filters, the simplest first: a part alone, then fewer values.
fn smaller(filter: &Filter) -> Vec<Filter> {
    match filter {
        Filter::All(parts) | Filter::Any(parts) => {
            parts.iter().flat_map(|part| smaller(part).into_iter().chain([part.clone()])).collect()
        }
        Filter::Not(part) => smaller(part).into_iter().chain([(**part).clone()]).collect(),
        Filter::Test(test) => match &test.is {
            Is::In(values) if values.len() > 1 => {
                let one =
                    |value: &Value| Filter::Test(Test { is: Is::In(vec![value.clone()]), ..test.clone() });
                values.iter().map(one).collect()
            }
            _ => Vec::new(),
        },
    }
}

/// A filter that is sure and keeps something, for a request that asks for more than that.
pub(super) fn sure(whole: &Whole, stream: &mut Stream) -> Option<Filter> {
    let json = whole.json()?;
    let columns = columns(&json);
    let sure: Vec<&Column> = columns.iter().filter(|column| column.is_sure()).collect();
    let filter = pick(&sure, stream)?.compared(stream, true)?;
    elements(&json).iter().any(|element| filter.accepts(element)).then_some(filter)
}

/// A plain selection of what an element has, for the same.
pub(super) fn plain_fields(whole: &Whole) -> Option<FieldSelector> {
    let shape = whole.shape();
    let name = super::fields::names(&shape).first().map(|(name, _)| (*name).to_owned())?;
    FieldSelector::parse(&name).ok().flatten()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::console::whole::tests::{answer, whole};
    use crate::seed::Seed;

    const LIST: &str =
        r#"[{"id":1,"s":"OPEN","n":null,"l":["a"],"x":"a\"b"},{"id":2,"s":"CLOSED","n":3,"l":[],"x":"7"}]"#;

    fn judged(filter: &str, came: &str) -> Vec<(&'static str, Finding)> {
        let filter = Filter::parse(filter).unwrap().unwrap();
        let check = Filters { rule: &rule::FILTER_COMPARES, filter };
        let found = check.judge(Some(&whole(LIST)), &[answer(200, came)]);
        found.into_iter().map(|(rule, finding)| (rule.id, finding)).collect()
    }

    #[test]
    fn columns_are_what_every_element_has_and_values_are_tame() {
        let list = whole(LIST);
        let columns = columns(&list.json().unwrap());
        let sure: Vec<&str> = columns.iter().filter(|it| it.is_sure()).map(|it| it.name.as_str()).collect();
        assert_eq!(sure, ["id", "s"]);
        assert!(columns.iter().any(|it| it.name == "n" && it.has_null));
        assert!(columns.iter().any(|it| it.name == "l" && it.holds == Holds::Lists));
    }

    #[test]
    fn a_filter_that_is_passed_over_departs_and_another_order_is_only_observed() {
        let first = r#"{"id":1,"s":"OPEN","n":null,"l":["a"],"x":"a\"b"}"#;
        let second = r#"{"id":2,"s":"CLOSED","n":3,"l":[],"x":"7"}"#;
        assert_eq!(judged("id = 1", &format!("[{first}]")), [("filter-compares", Finding::Holds)]);
        assert!(matches!(judged("id = 1", LIST)[0].1, Finding::Departs(_)));
        assert!(matches!(judged("id = 1", "[]")[0].1, Finding::Departs(_)));
        let turned = judged("id >= 1", &format!("[{second},{first}]"));
        assert_eq!(turned[0], ("filter-compares", Finding::Holds));
        assert!(turned[1].0 == "filter-keeps-the-order" && matches!(turned[1].1, Finding::Departs(_)));
    }

    #[test]
    fn of_a_long_list_only_what_came_is_looked_at() {
        let mut part = whole(LIST);
        (part.is_all, part.total) = (false, Some(700));
        let filter = Filter::parse("id > 1").unwrap().unwrap();
        let check = Filters { rule: &rule::FILTER_COMPARES, filter };
        let came = |text: &str| check.judge(Some(&part), &[answer(200, text)]).remove(0).1;
        assert_eq!(came(r#"[{"id":700}]"#), Finding::Holds);
        assert!(matches!(came(r#"[{"id":1}]"#), Finding::Departs(_)));
    }

    #[test]
    fn filters_that_are_drawn_can_be_read_and_shrink() {
        let list = whole(LIST);
        let mut stream = Seed(3).stream(&["x"]);
        let found: Vec<Filter> = (0..50).filter_map(|_| sure(&list, &mut stream)).collect();
        assert!(!found.is_empty());
        for filter in found {
            assert_eq!(Filter::parse(&filter.to_string()).unwrap().unwrap(), filter);
        }
        let joined = Filter::parse("not (id in (1, 2) and s = \"OPEN\")").unwrap().unwrap();
        let texts: Vec<String> = smaller(&joined).iter().map(ToString::to_string).collect();
        assert!(texts.contains(&"id in (1)".to_owned()) && texts.contains(&"s = \"OPEN\"".to_owned()));
    }
}

//! The order that `sort` puts a list in.

use std::cmp::Ordering;

use super::filter::{Column, Holds, columns, same_elements};
use super::{Drawn, Ground};
use crate::console::check::{Check, Finding, obstacle};
use crate::console::question::{Answer, Question, cut};
use crate::console::rule::{self, Rule};
use crate::console::whole::{Whole, elements};
use crate::json::{Json, Kind, compare_numbers};
use crate::profile::Language;
use crate::seed::Stream;

/// The columns of a place that hold this and no null.
fn of_kind(ground: &Ground<'_>, holds: Holds) -> Result<Vec<Column>, Drawn> {
    if !Language::Sort.is_taken_by(ground.endpoint) {
        return Err(Drawn::NotApplicable);
    }
    let nothing = || Drawn::NotReached("it has no two elements with a member that could be sorted by");
    let whole = ground.whole.filter(|whole| whole.is_list).ok_or_else(nothing)?;
    let json = whole.json().filter(|json| elements(json).len() > 1).ok_or_else(nothing)?;
    let found: Vec<Column> =
        columns(&json).into_iter().filter(|it| it.holds == holds && !it.has_null).collect();
    if found.is_empty() { Err(nothing()) } else { Ok(found) }
}

fn drawn(ground: &Ground<'_>, stream: &mut Stream, rule: &'static Rule, holds: Holds, sign: Sign) -> Drawn {
    let columns = match of_kind(ground, holds) {
        Ok(columns) => columns,
        Err(other) => return other,
    };
    match columns.get(stream.below(columns.len() as u64) as usize) {
        Some(column) => Drawn::check(Sorts { rule, name: column.name.clone(), sign }),
        None => Drawn::NotApplicable,
    }
}

pub(super) fn orders(ground: &Ground<'_>, stream: &mut Stream) -> Drawn {
    let sign = if stream.below(2) == 0 { Sign::Plus } else { Sign::Minus };
    drawn(ground, stream, &rule::SORT_ORDERS, Holds::Numbers, sign)
}

pub(super) fn texts(ground: &Ground<'_>, stream: &mut Stream) -> Drawn {
    let sign = if stream.below(2) == 0 { Sign::Plus } else { Sign::Minus };
    drawn(ground, stream, &rule::SORT_TEXTS, Holds::Texts, sign)
}

pub(super) fn unsigned(ground: &Ground<'_>, stream: &mut Stream) -> Drawn {
    drawn(ground, stream, &rule::SORT_UNSIGNED, Holds::Numbers, Sign::None)
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Sign {
    Plus,
    Minus,
    None,
}

/// A list asked for in an order.
#[derive(Debug)]
struct Sorts {
    rule: &'static Rule,
    name: String,
    sign: Sign,
}

impl Sorts {
    fn text(&self) -> String {
        let sign = match self.sign {
            Sign::Plus => "+",
            Sign::Minus => "-",
            Sign::None => "",
        };
        format!("{sign}{}", self.name)
    }

    fn is_in_order(&self, one: &Json<'_>, two: &Json<'_>) -> bool {
        let order = match (one.member(&self.name), two.member(&self.name)) {
            (Some(one), Some(two)) => match (one.kind(), two.kind()) {
                (Kind::Number, Kind::Number) => compare_numbers(one.text(), two.text()),
                (Kind::String(one), Kind::String(two)) => one.cmp(two),
                // Null is nothing that this is a test of.
                _ => Ordering::Equal,
            },
            _ => Ordering::Equal,
        };
        if self.sign == Sign::Minus { order.is_ge() } else { order.is_le() }
    }
}

impl Check for Sorts {
    fn rule(&self) -> &'static Rule {
        self.rule
    }

    fn case(&self) -> String {
        format!("sort={}", self.text())
    }

    fn questions(&self, base: &Question) -> Vec<Question> {
        vec![base.clone().with(Language::Sort.name(), &self.text())]
    }

    fn judge(&self, whole: Option<&Whole>, answers: &[Answer]) -> Vec<(&'static Rule, Finding)> {
        let json = whole.and_then(Whole::json);
        let (Some(whole), Some(json), Some(answer)) = (whole, json, answers.first()) else {
            return Vec::new();
        };
        vec![(self.rule, self.found(whole, &json, answer))]
    }

    fn compares(&self) -> bool {
        true
    }
}

impl Sorts {
    fn found(&self, whole: &Whole, json: &Json<'_>, answer: &Answer) -> Finding {
        if let Some(finding) = obstacle(answer) {
            return finding;
        }
        if answer.status == 422 {
            // Which members can be sorted by is published for a few endpoints alone.
            return Finding::NotReached(format!("the console does not take this sort ({})", answer.named()));
        }
        let expected = format!("all elements in the order of {}", self.text());
        let Some(found) = answer.json().filter(|found| matches!(found.kind(), Kind::Array(_))) else {
            return Finding::answered(answer.named(), expected);
        };
        let wrong = found.elements().windows(2).find(|pair| match pair {
            [one, two] => !self.is_in_order(one, two),
            _ => false,
        });
        if let Some([one, two]) = wrong {
            let value = |element: &Json<'_>| element.member(&self.name).map_or("", Json::text).to_owned();
            let because = format!("{} comes before {}", cut(&value(one)), cut(&value(two)));
            return Finding::departs("elements stand in another order", because, expected);
        }
        match whole.is_all && !same_elements(json, &found) {
            true => {
                let because = "other elements come than without it";
                Finding::departs(because, because, expected)
            }
            false => Finding::Holds,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::console::whole::tests::{answer, whole};

    #[test]
    fn an_order_that_is_passed_over_departs() {
        let list = whole(r#"[{"id":2},{"id":10},{"id":1}]"#);
        let came = |sign, text: &str| {
            let check = Sorts { rule: &rule::SORT_ORDERS, name: "id".into(), sign };
            check.judge(Some(&list), &[answer(200, text)]).remove(0).1
        };
        assert_eq!(came(Sign::Plus, r#"[{"id":1},{"id":2},{"id":10}]"#), Finding::Holds);
        assert_eq!(came(Sign::Minus, r#"[{"id":10},{"id":2},{"id":1}]"#), Finding::Holds);
        for wrong in [r#"[{"id":2},{"id":10},{"id":1}]"#, r#"[{"id":1},{"id":10},{"id":2}]"#, r#"[{"id":1}]"#]
        {
            assert!(matches!(came(Sign::Plus, wrong), Finding::Departs(_)), "{wrong}");
        }
        assert!(matches!(came(Sign::Plus, "{}"), Finding::Departs(_)));
    }
}

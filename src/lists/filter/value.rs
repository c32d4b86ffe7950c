//! Values in a filter, and how they compare with what an element has.

use std::cmp::Ordering;
use std::fmt;

use super::{Is, Operator};
use crate::json::{Json, Kind, compare_numbers};

/// A value to compare with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// In quotes.
    Text(String),
    /// As it is spelt: `7`, `+1.50`, `.5`, `1e3`.
    Number(String),
    /// Letters, digits and `_` that are no number: `OPEN`, `true`, `null`.
    Word(String),
}

impl Value {
    /// As it is spelt, without quotes.
    pub fn text(&self) -> &str {
        match self {
            Self::Text(text) | Self::Number(text) | Self::Word(text) => text,
        }
    }

    /// The number it stands for, if it does.
    pub(super) fn number(&self) -> Option<&str> {
        Some(self.text()).filter(|text| is_number(text))
    }

    /// What is true or false here.
    pub(super) fn bool(&self) -> Option<bool> {
        let is = |word: &str| self.text().eq_ignore_ascii_case(word);
        if is("true") { Some(true) } else { is("false").then_some(false) }
    }

    /// `null`, in any case.
    pub(super) fn is_null(&self) -> bool {
        matches!(self, Self::Word(word) if word.eq_ignore_ascii_case("null"))
    }

    /// Where what an element has stands to this value; `None` if the two are neither equal nor in an order.
    fn order_of(&self, found: &Json<'_>) -> Option<Ordering> {
        if self.is_null() {
            return None;
        }
        match found.kind() {
            Kind::Number => Some(compare_numbers(found.text(), self.number()?)),
            Kind::String(text) => Some(text.as_ref().cmp(self.text())),
            Kind::Bool(found) => (self.bool()? == *found).then_some(Ordering::Equal),
            Kind::Null | Kind::Array(_) | Kind::Object(_) => None,
        }
    }
}

/// Whether a text is a number as a filter spells them: with a sign `+` and a point at either end, too (documented).
pub(super) fn is_number(text: &str) -> bool {
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent.strip_prefix(['+', '-']).unwrap_or(exponent))),
        None => (unsigned, None),
    };
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    digits(whole)
        && digits(fraction)
        && !(whole.is_empty() && fraction.is_empty())
        && exponent.is_none_or(|exponent| !exponent.is_empty() && digits(exponent))
}

impl Is {
    /// Whether a value is so. `None` for what is asked of a member as a whole.
    pub(super) fn holds_for(&self, found: &Json<'_>) -> Option<bool> {
        let equal = |value: &Value| value.order_of(found) == Some(Ordering::Equal);
        Some(match self {
            // The opposite is for the whole member to say.
            Self::Compared(Operator::Equal | Operator::Other, value) => equal(value),
            Self::Compared(operator, value) => value.order_of(found).is_some_and(|order| match operator {
                Operator::Less => order.is_lt(),
                Operator::AtMost => order.is_le(),
                Operator::Greater => order.is_gt(),
                Operator::AtLeast => order.is_ge(),
                Operator::Equal | Operator::Other => order.is_eq(),
            }),
            Self::In(values) => values.iter().any(equal),
            Self::Between(low, high) => {
                low.order_of(found).is_some_and(Ordering::is_ge)
                    && high.order_of(found).is_some_and(Ordering::is_le)
            }
            Self::Like { pattern, any_case } => match found.kind() {
                Kind::String(text) => is_like(text, pattern, *any_case),
                _ => false,
            },
            Self::ContainsValue(value) => equal(value),
            Self::Null | Self::Contains(_) => return None,
        })
    }

    /// The values that it compares with; of `like` its pattern.
    pub(super) fn values(&self) -> Vec<Value> {
        match self {
            Self::Compared(_, value) | Self::ContainsValue(value) => vec![value.clone()],
            Self::In(values) => values.clone(),
            Self::Between(low, high) => vec![low.clone(), high.clone()],
            Self::Like { pattern, .. } => vec![Value::Text(pattern.clone())],
            Self::Null | Self::Contains(_) => Vec::new(),
        }
    }
}

/// A step of a pattern.
#[derive(Clone, Copy, PartialEq)]
enum Step {
    Just(char),
    One,
    Many,
}

/// Whether the whole text is as the pattern says. Going back to the last `%` alone is enough, and costs at most the
/// product of both lengths.
fn is_like(text: &str, pattern: &str, any_case: bool) -> bool {
    let (text, pattern) = match any_case {
        true => (text.to_lowercase(), pattern.to_lowercase()),
        false => (text.to_owned(), pattern.to_owned()),
    };
    let (steps, text) = (steps(&pattern), text.chars().collect::<Vec<char>>());
    let (mut at, mut step) = (0, 0);
    let mut back = None;
    while let Some(letter) = text.get(at) {
        match steps.get(step) {
            Some(Step::Many) => {
                step += 1;
                back = Some((at, step));
            }
            Some(Step::One) => (at, step) = (at + 1, step + 1),
            Some(Step::Just(wanted)) if wanted == letter => (at, step) = (at + 1, step + 1),
            _ => {
                let Some((from, after)) = back else { return false };
                back = Some((from + 1, after));
                (at, step) = (from + 1, after);
            }
        }
    }
    steps.get(step..).unwrap_or_default().iter().all(|rest| *rest == Step::Many)
}

fn steps(pattern: &str) -> Vec<Step> {
    let mut steps = Vec::new();
    let mut letters = pattern.chars();
    while let Some(letter) = letters.next() {
        steps.push(match letter {
            '%' => Step::Many,
            '_' => Step::One,
            '\\' => Step::Just(letters.next().unwrap_or('\\')),
            other => Step::Just(other),
        });
    }
    steps
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => {
                write!(f, "\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
            }
            Self::Number(text) | Self::Word(text) => f.write_str(text),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_those_that_are_documented() {
        for text in ["0", "7", "+7", "-7", ".5", "5.", "-.5e3", "1e+9", "1E-9", "007"] {
            assert!(is_number(text), "{text}");
        }
        for text in ["", "+", ".", "e5", "1e", "1.2.3", "0x1", "1 ", "--1", "Infinity", "1_0"] {
            assert!(!is_number(text), "{text}");
        }
    }

    #[test]
    fn a_pattern_wants_the_whole_text() {
        for (pattern, fits, others) in [
            (
                "server.domain",
                &["server.domain"][..],
                &["server.domain1", "a server.domain", "SERVER.domain"][..],
            ),
            ("%.domain_", &["a.domain1", ".domainx"], &["a.domain", "a.domain12"]),
            ("%", &["", "a", "ab"], &[]),
            ("%a%b%", &["ab", "xaxbx", "aabb"], &["ba", "a"]),
            ("_", &["a", "é"], &["", "ab"]),
            ("100\\%", &["100%"], &["1000"]),
            ("a\\_b", &["a_b"], &["axb"]),
            ("\\\\%", &["\\", "\\x"], &["x"]),
            ("a\\", &["a\\"], &["a"]),
        ] {
            fits.iter().for_each(|text| assert!(is_like(text, pattern, false), "{text} like {pattern}"));
            others.iter().for_each(|text| assert!(!is_like(text, pattern, false), "{text} like {pattern}"));
        }
        assert!(is_like("SERVER.Domain", "server.DOMAIN", true));
    }
}

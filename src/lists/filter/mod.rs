//! The `filter` language: which elements of a list a request asks for.
//!
//! ```text
//! any     = all *( "or" all )                           ; keywords in any case
//! all     = one *( "and" one )
//! one     = "not" one | "(" any ")" | test
//! test    = member [ "not" ] is | name "(" any ")"      ; a(b = 1) is a contains (b = 1)
//! member  = "." | name [ "(" member ")" ]               ; "." is the element itself
//! is      = op value | "in" "(" value *( "," value ) ")" | "between" value "and" value
//!         | ( "like" | "ilike" ) text | "is" [ "not" ] "null" | "contains" content
//! op      = "=" | "!=" | "<>" | "^=" | "<" | "<=" | ">" | ">="
//! content = value | test | "(" ( value | any ) ")"
//! value   = number | text | word                        ; text in double or single quotes
//! ```
//!
//! The operators, the brackets, `contains`, `like` and what a comparison with `null` comes to are documented. Ours:
//!
//! - A number is compared by exact value, also where it stands in quotes. Anything else is never equal to a number.
//! - A text is compared as it is written, character by character, also where the value looks like a number.
//! - `true` and `false` are compared in any case, with or without quotes; they are in no order.
//! - `null` as a value is equal to nothing, as any value is to a member that is null; a member that an element lacks is
//!   null.
//! - A member within a list is looked for in each of its elements: the test holds if it holds for one of them. `!=`,
//!   `not in`, `not between` and `not like` hold where `=`, `in`, `between` and `like` do not.
//! - `like` wants the whole text; a backslash takes the meaning from `%` and `_`.

mod fit;
mod meaning;
mod parse;
pub mod strategy;
mod value;

use std::fmt;

use super::ListError;
pub use value::Value;

use crate::fields::{Field, FieldSelector, Shape};

/// Levels of brackets, `not` and `contains` a text may have (ours).
pub const DEPTH_MAX: usize = 32;
/// Bytes a text may have (ours); a request's first line has no more.
pub const LENGTH_MAX: usize = 8 * 1024;
/// Tests a text may have (ours).
pub const TESTS_MAX: usize = 1_000;
/// Characters a pattern of `like` may have (ours).
pub const PATTERN_MAX: usize = 500;

/// A parsed filter. `Display` writes it in one spelling, and parsing that gives it back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Filter {
    /// All of these hold; at least two, none of them an `All`. [`Filter::all`] makes it.
    All(Vec<Filter>),
    /// One of these holds; at least two, none of them an `Any`. [`Filter::any`] makes it.
    Any(Vec<Filter>),
    /// This does not hold.
    Not(Box<Filter>),
    /// A member is as asked.
    Test(Test),
}

/// What is asked of one member.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Test {
    /// Which member.
    pub member: Member,
    /// Whether the opposite is asked for: `not in`, `is not null`. [`Is::Compared`] has operators for it.
    pub negated: bool,
    /// What it is.
    pub is: Is,
}

/// A member, by the names that lead to it: letters, digits and `_`. Without a name it is the element itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member(pub Vec<String>);

/// What a member is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Is {
    /// `= 1`
    Compared(Operator, Value),
    /// `in (1, 2)`; at least one.
    In(Vec<Value>),
    /// `between 1 and 2`, both included.
    Between(Value, Value),
    /// `like "a%"`
    Like {
        /// The pattern.
        pattern: String,
        /// Whether it is `ilike`.
        any_case: bool,
    },
    /// `is null`
    Null,
    /// `contains "x"`
    ContainsValue(Value),
    /// `contains (id = 1)`
    Contains(Box<Filter>),
}

/// How two values are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operator {
    /// `=`
    Equal,
    /// `!=`, `<>`, `^=`
    Other,
    /// `<`
    Less,
    /// `<=`
    AtMost,
    /// `>`
    Greater,
    /// `>=`
    AtLeast,
}

impl Operator {
    fn as_str(self) -> &'static str {
        match self {
            Self::Equal => "=",
            Self::Other => "!=",
            Self::Less => "<",
            Self::AtMost => "<=",
            Self::Greater => ">",
            Self::AtLeast => ">=",
        }
    }
}

impl Filter {
    /// Parses a decoded text. Blank or empty text is `Ok(None)`: every element (ours).
    ///
    /// # Errors
    /// [`ListError::TooLarge`] or [`ListError::Malformed`], at the first place that breaks a rule.
    pub fn parse(text: &str) -> Result<Option<Self>, ListError> {
        parse::parse(text).map(|parsed| parsed.filter)
    }

    /// Parses a text and checks its names, with positions in that text throughout.
    ///
    /// # Errors
    /// Those of [`Filter::parse`], then those of [`Filter::check`].
    pub fn parse_for(text: &str, shape: &Shape) -> Result<Option<Self>, ListError> {
        let parsed = parse::parse(text)?;
        if let Some(filter) = &parsed.filter {
            filter.first_unknown(shape, &mut fit::Places::of(&parsed.members))?;
        }
        Ok(parsed.filter)
    }

    /// All of these: those that are an `All` themselves are taken apart. `None` if there are none.
    pub fn all(filters: Vec<Filter>) -> Option<Self> {
        let parts = filters.into_iter().flat_map(|filter| match filter {
            Self::All(parts) => parts,
            other => vec![other],
        });
        joined(parts.collect(), Self::All)
    }

    /// One of these: those that are an `Any` themselves are taken apart. `None` if there are none.
    pub fn any(filters: Vec<Filter>) -> Option<Self> {
        let parts = filters.into_iter().flat_map(|filter| match filter {
            Self::Any(parts) => parts,
            other => vec![other],
        });
        joined(parts.collect(), Self::Any)
    }

    /// What a recording must hold for this filter to be applied to it; `None` if the elements themselves are asked for.
    pub fn selector(&self) -> Option<FieldSelector> {
        match self {
            Self::All(parts) | Self::Any(parts) => {
                let mut selectors = parts.iter().map(Self::selector);
                let first = selectors.next()??;
                selectors.try_fold(first, |all, one| Some(all.union(&one?)))
            }
            Self::Not(part) => part.selector(),
            Self::Test(test) => {
                let below = match &test.is {
                    Is::Contains(filter) => filter.selector(),
                    _ => None,
                };
                test.member.selector(below)
            }
        }
    }
}

fn joined(mut parts: Vec<Filter>, join: fn(Vec<Filter>) -> Filter) -> Option<Filter> {
    if parts.len() > 1 { Some(join(parts)) } else { parts.pop() }
}

impl Member {
    /// The selector of this member with `below` selected of it; `None` for the element itself.
    fn selector(&self, below: Option<FieldSelector>) -> Option<FieldSelector> {
        self.0
            .iter()
            .rev()
            .fold(below, |subfields, name| FieldSelector::of(vec![Field { name: name.clone(), subfields }]))
    }
}

impl fmt::Display for Filter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bracketed = |f: &mut fmt::Formatter<'_>, part: &Filter, brackets: bool| match brackets {
            true => write!(f, "({part})"),
            false => write!(f, "{part}"),
        };
        match self {
            Self::All(parts) | Self::Any(parts) => {
                let is_all = matches!(self, Self::All(_));
                for (place, part) in parts.iter().enumerate() {
                    if place > 0 {
                        f.write_str(if is_all { " and " } else { " or " })?;
                    }
                    bracketed(f, part, is_all && matches!(part, Self::Any(_)))?;
                }
                Ok(())
            }
            Self::Not(part) => {
                f.write_str("not ")?;
                bracketed(f, part, matches!(**part, Self::All(_) | Self::Any(_)))
            }
            Self::Test(test) => write!(f, "{test}"),
        }
    }
}

impl fmt::Display for Test {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let not = if self.negated { "not " } else { "" };
        write!(f, "{} ", self.member)?;
        match &self.is {
            Is::Compared(operator, value) => write!(f, "{} {value}", operator.as_str()),
            Is::In(values) => {
                write!(f, "{not}in (")?;
                for (place, value) in values.iter().enumerate() {
                    write!(f, "{}{value}", if place > 0 { ", " } else { "" })?;
                }
                f.write_str(")")
            }
            Is::Between(low, high) => write!(f, "{not}between {low} and {high}"),
            Is::Like { pattern, any_case } => {
                let like = if *any_case { "ilike" } else { "like" };
                write!(f, "{not}{like} {}", Value::Text(pattern.clone()))
            }
            Is::Null => write!(f, "is {not}null"),
            Is::ContainsValue(value) => write!(f, "{not}contains {value}"),
            Is::Contains(filter) => write!(f, "{not}contains ({filter})"),
        }
    }
}

impl fmt::Display for Member {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.split_last() {
            None => f.write_str("."),
            Some((last, above)) => {
                above.iter().try_for_each(|name| write!(f, "{name}("))?;
                f.write_str(last)?;
                above.iter().try_for_each(|_| f.write_str(")"))
            }
        }
    }
}

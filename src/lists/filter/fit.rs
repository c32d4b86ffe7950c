//! Whether a filter fits what an endpoint promises, and what a list really has.

use std::ops::Range;

use super::meaning::{contents, objects};
use super::value::Value;
use super::{Filter, Is, ListError, Member, Operator, Test, parse};
use crate::fields::{Scalar, Shape};
use crate::json::{Json, Kind};
use crate::spelling::nearest;

/// Where the members of a filter's tests stand, handed out in text order.
pub(super) struct Places<'r>(std::slice::Iter<'r, Range<usize>>);

impl<'r> Places<'r> {
    pub(super) fn of(members: &'r [Range<usize>]) -> Self {
        Self(members.iter())
    }

    fn next(&mut self) -> Range<usize> {
        self.0.next().cloned().unwrap_or_default()
    }
}

impl Filter {
    /// Whether the shape knows every member. A shape without names says nothing.
    ///
    /// # Errors
    /// [`ListError::Unknown`] for the first unknown one in text order; its position is that in the filter's own
    /// `Display` text.
    pub fn check(&self, shape: &Shape) -> Result<(), ListError> {
        let members = self.places();
        self.first_unknown(shape, &mut Places::of(&members))
    }

    /// Whether the filter can be applied to these elements so that nothing is made up: each member is there, and has
    /// values that can be compared as asked. `is_hidden` says whether a text stands for another that is not known.
    ///
    /// # Errors
    /// [`ListError::Absent`], [`ListError::Unfit`] or [`ListError::Hidden`], with positions as [`Filter::check`].
    pub fn suits(&self, elements: &[Json<'_>], is_hidden: &dyn Fn(&str) -> bool) -> Result<(), ListError> {
        let members = self.places();
        let elements: Vec<&Json<'_>> = elements.iter().collect();
        self.meets(&elements, is_hidden, &mut Places::of(&members))
    }

    /// The same filter with texts spelt as the shape lists them: published clients ask for `status = open` and mean
    /// `OPEN` (seen).
    #[must_use]
    pub fn spelt_for(&self, shape: &Shape) -> Filter {
        match self {
            Self::All(parts) => Self::All(parts.iter().map(|part| part.spelt_for(shape)).collect()),
            Self::Any(parts) => Self::Any(parts.iter().map(|part| part.spelt_for(shape)).collect()),
            Self::Not(part) => Self::Not(Box::new(part.spelt_for(shape))),
            Self::Test(test) => Self::Test(test.spelt_for(shape)),
        }
    }

    fn places(&self) -> Vec<Range<usize>> {
        parse::parse(&self.to_string()).map_or(Vec::new(), |parsed| parsed.members)
    }

    pub(super) fn first_unknown(&self, shape: &Shape, places: &mut Places<'_>) -> Result<(), ListError> {
        match self {
            Self::All(parts) | Self::Any(parts) => {
                parts.iter().try_for_each(|part| part.first_unknown(shape, places))
            }
            Self::Not(part) => part.first_unknown(shape, places),
            Self::Test(test) => {
                let at = places.next();
                let below = test.member.known(shape, &at)?;
                match (&test.is, below) {
                    (Is::Contains(filter), Some(below)) => filter.first_unknown(below, places),
                    _ => Ok(()),
                }
            }
        }
    }

    fn meets(
        &self,
        elements: &[&Json<'_>],
        is_hidden: &dyn Fn(&str) -> bool,
        places: &mut Places<'_>,
    ) -> Result<(), ListError> {
        match self {
            Self::All(parts) | Self::Any(parts) => {
                parts.iter().try_for_each(|part| part.meets(elements, is_hidden, places))
            }
            Self::Not(part) => part.meets(elements, is_hidden, places),
            Self::Test(test) => {
                let at = places.next();
                let values = test.member.present(elements, &at)?;
                match &test.is {
                    Is::Null => Ok(()),
                    Is::Contains(filter) => {
                        test.wants_a_list(&values, &at)?;
                        filter.meets(&contents(&values), is_hidden, places)
                    }
                    Is::ContainsValue(_) => {
                        test.wants_a_list(&values, &at)?;
                        test.compares(&contents(&values), is_hidden, &at)
                    }
                    _ => test.compares(&values, is_hidden, &at),
                }
            }
        }
    }
}

impl Member {
    /// The shape of this member; `None` where the shape says nothing.
    fn known<'s>(&self, shape: &'s Shape, at: &Range<usize>) -> Result<Option<&'s Shape>, ListError> {
        let mut here = shape;
        for (depth, name) in self.0.iter().enumerate() {
            let Shape::Object(members) = here.element() else { return Ok(None) };
            let Some((_, below)) = members.iter().find(|(known, _)| known == name) else {
                let nearest = nearest(name, here.names()).first().map(|name| (*name).to_owned());
                return Err(ListError::Unknown { path: self.to(depth), nearest, at: at.clone() });
            };
            here = below;
        }
        Ok(Some(here))
    }

    /// The values that these elements have in this member. At each level some element has the name, or there is nothing
    /// that could have it.
    fn present<'j, 'a>(
        &self,
        elements: &[&'j Json<'a>],
        at: &Range<usize>,
    ) -> Result<Vec<&'j Json<'a>>, ListError> {
        let mut values: Vec<&Json<'_>> = elements.to_vec();
        for (depth, name) in self.0.iter().enumerate() {
            let objects = objects(&values);
            let has_others =
                values.iter().any(|value| is_plain(value) || value.elements().iter().any(is_plain));
            let found: Vec<&Json<'_>> = objects.iter().filter_map(|object| object.member(name)).collect();
            if found.is_empty() && (has_others || !objects.is_empty()) {
                return Err(ListError::Absent { path: self.to(depth), at: at.clone() });
            }
            values = found;
        }
        values.retain(|value| !value.is_null());
        Ok(values)
    }

    /// As a filter spells it, down to this depth.
    fn to(&self, depth: usize) -> String {
        Member(self.0.iter().take(depth + 1).cloned().collect()).to_string()
    }
}

/// Whether a value has no members and no elements, and is not null.
fn is_plain(value: &Json<'_>) -> bool {
    matches!(value.kind(), Kind::Bool(_) | Kind::Number | Kind::String(_))
}

impl Test {
    fn unfit(&self, why: &str, at: &Range<usize>) -> ListError {
        ListError::Unfit { why: format!("`{}` {why}", self.member), at: at.clone() }
    }

    fn wants_a_list(&self, values: &[&Json<'_>], at: &Range<usize>) -> Result<(), ListError> {
        match !values.is_empty() && values.iter().all(|value| is_plain(value)) {
            true => Err(self.unfit("is no list: compare it with `=`", at)),
            false => Ok(()),
        }
    }

    /// Whether some value can be compared as asked, if there is any.
    fn compares(
        &self,
        values: &[&Json<'_>],
        is_hidden: &dyn Fn(&str) -> bool,
        at: &Range<usize>,
    ) -> Result<(), ListError> {
        let operands = self.is.values();
        let all = |kind: fn(&Json<'_>) -> bool| !values.is_empty() && values.iter().all(|value| kind(value));
        if all(|value| !is_plain(value) && !value.is_null()) {
            return Err(self.unfit("is a list or has members: write `a contains b = 1` or `a(b) = 1`", at));
        }
        let is_like = matches!(self.is, Is::Like { .. });
        let of_numbers = all(|value| matches!(value.kind(), Kind::Number));
        let no_number = operands.iter().find(|value| value.number().is_none() && !value.is_null());
        if of_numbers && let Some(value) = no_number.filter(|_| !is_like) {
            return Err(self.unfit(&format!("is a number, and `{}` is none", value.text()), at));
        }
        if of_numbers && is_like {
            return Err(self.unfit("is a number: `like` is for texts", at));
        }
        if all(|value| matches!(value.kind(), Kind::Bool(_))) && !self.is_about_bools(&operands) {
            return Err(self.unfit("is true or false: compare it with `= true` or `= false`", at));
        }
        self.knows_texts(values, &operands, is_hidden, at)
    }

    fn is_about_bools(&self, operands: &[Value]) -> bool {
        let is_equality = match &self.is {
            Is::Compared(operator, _) => matches!(operator, Operator::Equal | Operator::Other),
            Is::In(_) | Is::ContainsValue(_) => true,
            _ => false,
        };
        is_equality && operands.iter().all(|value| value.bool().is_some() || value.is_null())
    }

    /// Whether each text that is compared is known not to hide behind a placeholder: it is one itself, or stands in an
    /// element as it is.
    fn knows_texts(
        &self,
        values: &[&Json<'_>],
        operands: &[Value],
        is_hidden: &dyn Fn(&str) -> bool,
        at: &Range<usize>,
    ) -> Result<(), ListError> {
        if !values.iter().any(|value| value.as_str().is_some_and(is_hidden)) {
            return Ok(());
        }
        let is_shown = |text: &str| values.iter().any(|value| value.as_str() == Some(text));
        let is_known = |value: &Value| value.is_null() || is_hidden(value.text()) || is_shown(value.text());
        match operands.iter().find(|operand| !is_known(operand)) {
            None => Ok(()),
            Some(operand) => Err(ListError::Hidden {
                member: self.member.to_string(),
                text: operand.text().to_owned(),
                at: at.clone(),
            }),
        }
    }

    fn spelt_for(&self, shape: &Shape) -> Test {
        let Ok(Some(shape)) = self.member.known(shape, &(0..0)) else { return self.clone() };
        let spelt = |value: &Value| match shape.element() {
            Shape::Scalar(Scalar::OneOf(listed)) => {
                let listed = listed.iter().find(|listed| listed.eq_ignore_ascii_case(value.text()));
                listed.map_or_else(|| value.clone(), |listed| Value::Text(listed.clone()))
            }
            _ => value.clone(),
        };
        let is = match &self.is {
            Is::Compared(operator, value) => Is::Compared(*operator, spelt(value)),
            Is::In(values) => Is::In(values.iter().map(spelt).collect()),
            Is::ContainsValue(value) => Is::ContainsValue(spelt(value)),
            Is::Contains(filter) => Is::Contains(Box::new(filter.spelt_for(shape.element()))),
            other => other.clone(),
        };
        Test { is, ..self.clone() }
    }
}

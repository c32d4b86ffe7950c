//! Whether an element is as a filter asks.

use super::{Filter, Is, Member, Operator, Test};
use crate::json::{Json, Kind};

impl Filter {
    /// Whether this element stays in the list. Total: what cannot be compared is not equal, and in no order.
    pub fn accepts(&self, element: &Json<'_>) -> bool {
        match self {
            Self::All(parts) => parts.iter().all(|part| part.accepts(element)),
            Self::Any(parts) => parts.iter().any(|part| part.accepts(element)),
            Self::Not(part) => !part.accepts(element),
            Self::Test(test) => test.accepts(element),
        }
    }
}

impl Test {
    fn accepts(&self, element: &Json<'_>) -> bool {
        let values = self.member.values(&[element]);
        let holds = match &self.is {
            Is::Null => values.is_empty(),
            Is::Contains(filter) => contents(&values).into_iter().any(|content| filter.accepts(content)),
            Is::ContainsValue(_) => contents(&values).into_iter().any(|one| self.holds_for(one)),
            _ => values.into_iter().any(|one| self.holds_for(one)),
        };
        holds != self.is_opposite()
    }

    fn holds_for(&self, value: &Json<'_>) -> bool {
        self.is.holds_for(value).unwrap_or(false)
    }

    /// Whether the test holds where what it names does not (documented for a member that is null).
    fn is_opposite(&self) -> bool {
        self.negated || matches!(self.is, Is::Compared(Operator::Other, _))
    }
}

impl Member {
    /// All values that these elements have in this member, through lists on the way to it; null is none.
    fn values<'j, 'a>(&self, elements: &[&'j Json<'a>]) -> Vec<&'j Json<'a>> {
        let mut values = elements.to_vec();
        for name in &self.0 {
            values = objects(&values).into_iter().filter_map(|object| object.member(name)).collect();
        }
        values.retain(|value| !value.is_null());
        values
    }
}

/// The objects among these values, and in their lists.
pub(super) fn objects<'j, 'a>(values: &[&'j Json<'a>]) -> Vec<&'j Json<'a>> {
    let mut found = Vec::new();
    let mut open: Vec<&Json<'_>> = values.iter().rev().copied().collect();
    while let Some(value) = open.pop() {
        match value.kind() {
            Kind::Array(elements) => open.extend(elements.iter().rev()),
            Kind::Object(_) => found.push(value),
            _ => {}
        }
    }
    found
}

/// What `contains` looks at: the elements of a list, an object itself.
pub(super) fn contents<'j, 'a>(values: &[&'j Json<'a>]) -> Vec<&'j Json<'a>> {
    let mut found = Vec::new();
    for value in values {
        match value.kind() {
            Kind::Array(elements) => found.extend(elements),
            Kind::Object(_) => found.push(*value),
            _ => {}
        }
    }
    found
}

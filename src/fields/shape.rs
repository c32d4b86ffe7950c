//! Shapes: which members a resource can have, and of what type.

use std::collections::BTreeMap;
use std::ops::Range;

use super::{Field, FieldSelector, FieldsError};
use crate::json::{Json, Kind, quote};
use crate::spelling::nearest;

/// What an endpoint can return: the tree a selector selects from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Shape {
    /// A value without members.
    Scalar(Scalar),
    /// Members in the order of the sample, then in the order they were first seen.
    Object(Vec<(String, Shape)>),
    /// An array, by its elements.
    List(Box<Shape>),
    /// Not published: any value, with any members.
    Any,
}

/// The type of a value without members.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Scalar {
    /// `true` or `false`.
    Bool,
    /// A 64-bit integer.
    Integer,
    /// Any number.
    Number,
    /// Any text. Also where only `null` was ever seen.
    String,
    /// One of these texts.
    OneOf(Vec<String>),
}

impl Shape {
    /// From a sample of the console's self-description, whose values stand for types: `"String"`,
    /// `"String <one of: A, B>"`, `42`, `42.5`, `true` (seen). An object without members tells nothing (ours).
    pub fn of_sample(sample: &Json<'_>) -> Self {
        let mut shape = Self::read(sample, sample_scalar);
        shape.open_empty();
        shape
    }

    /// From an example whose values name their types, as our own files write it: `"string"`, `"integer"`, `"number"`,
    /// `"boolean"`, `"string: A | B"`. What is not published is `{}` or `"null"`; the name `*` stands for any name.
    pub(crate) fn of_types(example: &Json<'_>) -> Result<Self, String> {
        match example.kind() {
            Kind::Null => Ok(Self::Any),
            Kind::String(name) if name == "null" => Ok(Self::Any),
            Kind::Object(members) if members.is_empty() || members.iter().any(|(name, _)| name == "*") => {
                Ok(Self::Any)
            }
            Kind::Object(members) => {
                let mut typed = Vec::with_capacity(members.len());
                for (name, value) in members {
                    typed.push((name.to_string(), Self::of_types(value)?));
                }
                Ok(Self::Object(typed))
            }
            Kind::Array(elements) => {
                let element = elements.first().map_or(Ok(Self::Any), Self::of_types)?;
                Ok(Self::List(Box::new(element)))
            }
            Kind::String(name) => scalar_called(name).map(Self::Scalar),
            Kind::Number | Kind::Bool(_) => Err(format!("`{}` is no type", example.text())),
        }
    }

    /// A sample as a console's self-description shows it: [`of_sample`](Self::of_sample) reads it back.
    pub(crate) fn sample(&self) -> String {
        match self {
            Self::Scalar(Scalar::Bool) => "true".to_owned(),
            Self::Scalar(Scalar::Integer) => "42".to_owned(),
            Self::Scalar(Scalar::Number) => "42.5".to_owned(),
            Self::Scalar(Scalar::String) => quote("String"),
            Self::Scalar(Scalar::OneOf(choices)) => {
                quote(&format!("String <one of: {}>", choices.join(", ")))
            }
            Self::List(element) => format!("[{}]", element.sample()),
            Self::Object(members) => {
                let member = |(name, shape): &(String, Shape)| format!("{}:{}", quote(name), shape.sample());
                format!("{{{}}}", members.iter().map(member).collect::<Vec<_>>().join(","))
            }
            Self::Any => "{}".to_owned(),
        }
    }

    /// From a real value alone: only what stands in it is known.
    pub(crate) fn of_value(value: &Json<'_>) -> Self {
        Self::read(value, real_scalar)
    }

    /// Adds every member seen in a real value. Where the shape has a scalar and the value an object or an array, the
    /// value is believed (ours); an array given to an object shape is a list of such objects.
    pub fn absorb(&mut self, value: &Json<'_>) {
        self.grow(value, real_scalar);
    }

    /// Whether [`Self::absorb`] would leave it as it is: it has every member of this real value.
    pub(crate) fn holds(&self, value: &Json<'_>) -> bool {
        match (self, value.kind()) {
            (Self::Scalar(_), Kind::Object(_) | Kind::Array(_)) => false,
            (Self::Scalar(_) | Self::Any, _) => true,
            (Self::List(element), Kind::Array(elements)) => elements.iter().all(|value| element.holds(value)),
            (Self::List(element), _) => element.holds(value),
            (Self::Object(_), Kind::Array(elements)) => elements.iter().all(|value| self.holds(value)),
            (Self::Object(known), _) => {
                // In most objects the members are the known ones, in their order.
                let mut next = known.iter();
                value.members().iter().all(|(name, value)| {
                    let is_it = |(known, _): &&(String, Self)| known == name;
                    let shape = next.next().filter(is_it).or_else(|| known.iter().find(is_it));
                    shape.is_some_and(|(_, shape)| shape.holds(value))
                })
            }
        }
    }

    /// Adds every name of a selector that a console took. What an added one holds is not known: of the members below
    /// it, only those that were named.
    pub fn admit(&mut self, selector: &FieldSelector) {
        match self {
            Self::List(element) => element.admit(selector),
            Self::Any => {}
            Self::Scalar(_) => {
                *self = Self::Object(Vec::new());
                self.admit(selector);
            }
            Self::Object(members) => {
                for field in selector.fields() {
                    let place =
                        members.iter().position(|(name, _)| *name == field.name).unwrap_or_else(|| {
                            members.push((field.name.clone(), Self::Scalar(Scalar::String)));
                            members.len() - 1
                        });
                    if let Some(((_, below), named)) = members.get_mut(place).zip(field.subfields.as_ref()) {
                        below.admit(named);
                    }
                }
            }
        }
    }

    /// Whether it has any of the members that a selector names; of `a(b)` that is `b`.
    pub fn has_any(&self, selector: &FieldSelector) -> bool {
        if matches!(self.element(), Self::Any) {
            return true;
        }
        selector.fields().iter().any(|field| {
            let member = self.members().iter().find(|(name, _)| *name == field.name);
            member.is_some_and(|(_, below)| field.subfields.as_ref().is_none_or(|named| below.has_any(named)))
        })
    }

    /// The resource's own shape: through arrays to the element.
    pub fn element(&self) -> &Shape {
        match self {
            Self::List(element) => element.element(),
            own => own,
        }
    }

    /// The names of the element's members, in order; none for a scalar.
    pub fn names(&self) -> Vec<&str> {
        self.members().iter().map(|(name, _)| name.as_str()).collect()
    }

    /// The selector with every name at every level, which selects all; `None` for a shape without names.
    pub fn full(&self) -> Option<FieldSelector> {
        let field = |(name, shape): &(String, Shape)| Field { name: name.clone(), subfields: shape.full() };
        FieldSelector::of(self.members().iter().map(field).collect())
    }

    /// This shape with members at the top level (of the element) renamed, from the first name of a pair to the
    /// second: a dialect.
    #[must_use]
    pub fn renamed(&self, renames: &[(&str, &str)]) -> Shape {
        match self {
            Self::Scalar(_) | Self::Any => self.clone(),
            Self::List(element) => Self::List(Box::new(element.renamed(renames))),
            Self::Object(members) => {
                let renamed = members.iter().map(|(name, shape)| {
                    let new =
                        renames.iter().find(|(old, _)| old == name).map_or(name.as_str(), |(_, new)| new);
                    (new.to_owned(), shape.clone())
                });
                Self::Object(renamed.collect())
            }
        }
    }

    /// The element's members; none for a scalar.
    pub(super) fn members(&self) -> &[(String, Shape)] {
        match self.element() {
            Self::Object(members) => members,
            _ => &[],
        }
    }

    fn read(value: &Json<'_>, scalar: fn(&Json<'_>) -> Scalar) -> Self {
        let mut shape = match value.kind() {
            Kind::Object(_) => Self::Object(Vec::new()),
            Kind::Array(elements) => {
                let first =
                    elements.first().map_or(Self::Scalar(Scalar::String), |first| Self::read(first, scalar));
                Self::List(Box::new(first))
            }
            _ => return Self::Scalar(scalar(value)),
        };
        shape.grow(value, scalar);
        shape
    }

    fn open_empty(&mut self) {
        match self {
            Self::Scalar(_) | Self::Any => {}
            Self::List(element) => element.open_empty(),
            Self::Object(members) if members.is_empty() => *self = Self::Any,
            Self::Object(members) => members.iter_mut().for_each(|(_, shape)| shape.open_empty()),
        }
    }

    fn grow(&mut self, value: &Json<'_>, scalar: fn(&Json<'_>) -> Scalar) {
        match (&mut *self, value.kind()) {
            (Self::Scalar(_), Kind::Object(_) | Kind::Array(_)) => *self = Self::read(value, scalar),
            (Self::Scalar(_) | Self::Any, _) => {}
            (Self::List(element), Kind::Array(elements)) => {
                elements.iter().for_each(|value| element.grow(value, scalar));
            }
            (Self::List(element), _) => element.grow(value, scalar),
            (Self::Object(_), Kind::Array(elements)) => {
                elements.iter().for_each(|value| self.grow(value, scalar))
            }
            (Self::Object(known), _) => grow_object(known, value, scalar),
        }
    }
}

fn grow_object(known: &mut Vec<(String, Shape)>, object: &Json<'_>, scalar: fn(&Json<'_>) -> Scalar) {
    // In most objects the members are the known ones, in their order, or a few of them: nothing is to be sorted then.
    let is_in_order = object.members().iter().zip(known.iter()).all(|((name, _), (known, _))| name == known);
    if is_in_order && object.members().len() <= known.len() {
        for ((_, value), (_, shape)) in object.members().iter().zip(known) {
            shape.grow(value, scalar);
        }
        return;
    }
    let mut places: BTreeMap<String, usize> =
        known.iter().enumerate().map(|(place, (name, _))| (name.clone(), place)).collect();
    for (name, value) in object.members() {
        match places.get(name.as_ref()).and_then(|place| known.get_mut(*place)) {
            Some((_, shape)) => shape.grow(value, scalar),
            None => {
                places.insert(name.to_string(), known.len());
                known.push((name.to_string(), Shape::read(value, scalar)));
            }
        }
    }
}

fn scalar_called(name: &str) -> Result<Scalar, String> {
    match name.split_once(": ") {
        Some(("string", choices)) => {
            Ok(Scalar::OneOf(choices.split(" | ").map(|choice| choice.trim().to_owned()).collect()))
        }
        _ => match name {
            "boolean" => Ok(Scalar::Bool),
            "integer" => Ok(Scalar::Integer),
            "number" => Ok(Scalar::Number),
            "string" => Ok(Scalar::String),
            other => Err(format!("`{other}` is no type: there are string, integer, number, boolean")),
        },
    }
}

fn sample_scalar(sample: &Json<'_>) -> Scalar {
    let listed = sample
        .as_str()
        .and_then(|text| text.split_once("<one of:"))
        .and_then(|(_, rest)| rest.split_once('>'));
    match listed {
        Some((choices, _)) => {
            let choices = choices.split(',').map(str::trim).filter(|choice| !choice.is_empty());
            let choices: Vec<_> = choices.map(str::to_owned).collect();
            if choices.is_empty() { Scalar::String } else { Scalar::OneOf(choices) }
        }
        None => real_scalar(sample),
    }
}

fn real_scalar(value: &Json<'_>) -> Scalar {
    match value.kind() {
        Kind::Bool(_) => Scalar::Bool,
        Kind::Number if value.text().contains(['.', 'e', 'E']) => Scalar::Number,
        Kind::Number => Scalar::Integer,
        _ => Scalar::String,
    }
}

/// An unknown name, by its ordinal among all names in text order.
pub(super) struct Unknown {
    ordinal: usize,
    name: String,
    path: String,
    nearest: Option<String>,
}

impl Unknown {
    /// The error, given where the names stand.
    pub(super) fn at(self, names: &[Range<usize>]) -> FieldsError {
        let at = names.get(self.ordinal).cloned().unwrap_or_default();
        FieldsError::Unknown { name: self.name, path: self.path, nearest: self.nearest, at }
    }
}

impl FieldSelector {
    /// The first name the shape does not know, in text order, depth first.
    pub(super) fn first_unknown(&self, shape: &Shape) -> Option<Unknown> {
        find_unknown(self, shape, &mut Vec::new(), &mut 0)
    }
}

fn find_unknown<'s>(
    selector: &'s FieldSelector,
    shape: &Shape,
    above: &mut Vec<&'s str>,
    passed: &mut usize,
) -> Option<Unknown> {
    if matches!(shape.element(), Shape::Any) {
        *passed += selector.names();
        return None;
    }
    for field in selector.fields() {
        above.push(&field.name);
        let Some((_, known)) = shape.members().iter().find(|(name, _)| *name == field.name) else {
            let path = above.join("(") + &")".repeat(above.len() - 1);
            let nearest = nearest(&field.name, shape.names()).first().map(|name| (*name).to_owned());
            return Some(Unknown { ordinal: *passed, name: field.name.clone(), path, nearest });
        };
        *passed += 1;
        if let Some(unknown) =
            field.subfields.as_ref().and_then(|below| find_unknown(below, known, above, passed))
        {
            return Some(unknown);
        }
        above.pop();
    }
    None
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// JSON of few names, so that much of it fits together.
    fn value() -> impl Strategy<Value = String> {
        let leaf = prop::sample::select(vec!["1", "2.5", "null", "true", "\"x\"", "{}", "[]"]);
        leaf.prop_map(str::to_owned).prop_recursive(3, 12, 3, |inner| {
            let member = (prop::sample::select(vec!["a", "b", "c"]), inner.clone());
            let member = member.prop_map(|(name, value)| format!("\"{name}\":{value}"));
            prop_oneof![
                prop::collection::vec(member, 0..4).prop_map(|members| format!("{{{}}}", members.join(","))),
                prop::collection::vec(inner, 0..3).prop_map(|elements| format!("[{}]", elements.join(","))),
            ]
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2000))]
        #[test]
        fn a_shape_holds_a_value_that_adds_nothing_to_it(first in value(), other in value(), is_open in any::<bool>()) {
            let (first, other) = (Json::parse(&first).unwrap(), Json::parse(&other).unwrap());
            let mut shape = Shape::of_value(&first);
            if is_open {
                shape.open_empty();
            }
            for value in [&first, &other] {
                let mut grown = shape.clone();
                grown.absorb(value);
                prop_assert_eq!(shape.holds(value), grown == shape, "{:?} and {}", shape, value.text());
                shape = grown;
            }
        }
    }
}

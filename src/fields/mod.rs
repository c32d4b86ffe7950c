//! The `fields` language: which members of a resource a request asks for.
//!
//! ```text
//! fields = item *( "," item )
//! item   = OWS name [ OWS "(" fields ")" ] OWS          ; OWS = spaces or tabs
//! name   = 1*( ALPHA / DIGIT / "_" )
//! ```
//!
//! A name keeps that member with its value; what is not named is left out (documented). Subfields stand in round
//! brackets and apply to an object or to each element of an array (seen). Everything else here is marked where it is
//! written: *documented*, *seen*, *one source*, *inferred*, *ours*.

mod error;
mod parse;
mod project;
mod shape;
pub mod strategy;

use std::fmt;

pub use error::FieldsError;
pub use shape::{Scalar, Shape};

/// Levels of brackets a text may have, the outermost included (ours).
pub const DEPTH_MAX: usize = 32;
/// Bytes a text may have (ours).
pub const LENGTH_MAX: usize = 8 * 1024;
/// Names a text may have at all levels together (ours).
pub const NAMES_MAX: usize = 1_000;

/// A parsed `fields` value; the order of names is kept, and there is at least one.
///
/// `==` is textual order; [`FieldSelector::same`] is meaning. `Display` writes it without blanks, and parsing that
/// gives it back.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct FieldSelector(Vec<Field>);

/// One name, with what is selected below it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Field {
    /// Letters, digits and `_`; at least one.
    pub name: String,
    /// `None` keeps the member whole.
    pub subfields: Option<FieldSelector>,
}

impl FieldSelector {
    /// Parses a decoded text. Blank or empty text is `Ok(None)`: the whole resource (one source for blank, ours for
    /// empty).
    ///
    /// # Errors
    /// [`FieldsError::TooLarge`] and [`FieldsError::Malformed`] at the first place that breaks a rule; then, in a
    /// well-formed text, [`FieldsError::Duplicate`] for the first name that stands again at its level.
    pub fn parse(text: &str) -> Result<Option<Self>, FieldsError> {
        parse::parse(text).map(|parsed| parsed.selector)
    }

    /// Parses a text and checks its names, with positions in that text throughout.
    ///
    /// # Errors
    /// Those of [`FieldSelector::parse`], then those of [`FieldSelector::check`].
    pub fn parse_for(text: &str, shape: &Shape) -> Result<Option<Self>, FieldsError> {
        let parsed = parse::parse(text)?;
        match parsed.selector.as_ref().and_then(|selector| selector.first_unknown(shape)) {
            Some(unknown) => Err(unknown.at(&parsed.names)),
            None => Ok(parsed.selector),
        }
    }

    /// From parts already checked: the caller guarantees that names are legal and unique at each level. `None` if
    /// there are none.
    pub fn of(fields: Vec<Field>) -> Option<Self> {
        (!fields.is_empty()).then_some(Self(fields))
    }

    /// The fields of the top level, in order.
    pub fn fields(&self) -> &[Field] {
        &self.0
    }

    /// The most names that one level of it has.
    pub fn widest(&self) -> u64 {
        self.below().map(Self::widest).max().unwrap_or_default().max(self.0.len() as u64)
    }

    /// How many levels it has: 1 without brackets.
    pub fn deepest(&self) -> u64 {
        1 + self.below().map(Self::deepest).max().unwrap_or_default()
    }

    fn below(&self) -> impl Iterator<Item = &Self> {
        self.0.iter().filter_map(|field| field.subfields.as_ref())
    }

    /// Whether the shape knows every name. Subfields of a scalar, or of an array of scalars, are unknown (ours).
    ///
    /// # Errors
    /// [`FieldsError::Unknown`] for the first unknown name in text order, depth first; its position is that in the
    /// selector's own `Display` text.
    pub fn check(&self, shape: &Shape) -> Result<(), FieldsError> {
        match self.first_unknown(shape) {
            Some(unknown) => {
                Err(unknown.at(&parse::parse(&self.to_string()).map_or(Vec::new(), |text| text.names)))
            }
            None => Ok(()),
        }
    }

    /// Whether everything `narrower` selects, this selects too. `a` covers `a(b)`; `a(b)` does not cover `a`.
    pub fn covers(&self, narrower: &FieldSelector) -> bool {
        narrower.0.iter().all(|asked| {
            self.field(&asked.name).is_some_and(|held| match (&held.subfields, &asked.subfields) {
                (None, _) => true,
                (Some(_), None) => false,
                (Some(held), Some(asked)) => held.covers(asked),
            })
        })
    }

    /// Whether both mean the same: the same names at each level, in any order.
    pub fn same(&self, other: &FieldSelector) -> bool {
        self.covers(other) && other.covers(self)
    }

    /// What either selects: `a` beside `a(b)` is `a`. This one's names come first, then the other's new ones.
    #[must_use]
    pub fn union(&self, other: &FieldSelector) -> FieldSelector {
        let mut fields = self.0.clone();
        for theirs in &other.0 {
            match fields.iter_mut().find(|ours| ours.name == theirs.name) {
                None => fields.push(theirs.clone()),
                Some(ours) => {
                    ours.subfields = match (ours.subfields.take(), &theirs.subfields) {
                        (Some(one), Some(two)) => Some(one.union(two)),
                        _ => None,
                    }
                }
            }
        }
        FieldSelector(fields)
    }

    /// How many names there are, at all levels together.
    pub fn names(&self) -> usize {
        self.0.iter().map(|field| 1 + field.subfields.as_ref().map_or(0, FieldSelector::names)).sum()
    }

    /// Whether a name of the top level is selected, whole or in part.
    pub fn selects(&self, name: &str) -> bool {
        self.field(name).is_some()
    }

    fn field(&self, name: &str) -> Option<&Field> {
        self.0.iter().find(|field| field.name == name)
    }
}

impl fmt::Display for FieldSelector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, field) in self.0.iter().enumerate() {
            if index > 0 {
                f.write_str(",")?;
            }
            write!(f, "{field}")?;
        }
        Ok(())
    }
}

impl fmt::Display for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.subfields {
            Some(subfields) => write!(f, "{}({subfields})", self.name),
            None => f.write_str(&self.name),
        }
    }
}

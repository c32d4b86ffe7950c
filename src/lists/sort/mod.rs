//! The `sort` language: in which order a request asks for a list.
//!
//! ```text
//! sort = key *( "," key )
//! key  = OWS [ "+" / "-" ] OWS path OWS                 ; OWS = spaces or tabs
//! path = name [ OWS "(" OWS path OWS ")" ]
//! name = 1*( ALPHA / DIGIT / "_" / "\" any character )
//! ```
//!
//! `+` and `-` are ascending and descending, and a backslash goes before what else has a meaning (documented). Without a
//! sign a key is ascending (seen), and so is one whose `+` a query has made a blank. Ours: numbers are in order by
//! exact value, texts character by character, `false` before `true`; null, and a member that an element lacks, comes
//! last ascending and first descending; equal elements keep their order. Values of several kinds, and lists, have no
//! order: nothing is made up about them.

mod order;
mod parse;
pub mod strategy;

use std::fmt;
use std::ops::Range;

use super::ListError;
use crate::fields::{Field, FieldSelector, Shape};
use crate::spelling::nearest;

/// Bytes a text may have (ours); a request's first line has no more.
pub const LENGTH_MAX: usize = 8 * 1024;
/// Keys a text may have (ours).
pub const KEYS_MAX: usize = 100;
/// Names within each other a key may have (ours).
pub const DEPTH_MAX: usize = 32;

/// A parsed `sort`: at least one key, the first weighs most. `Display` writes it in one spelling, and parsing that gives
/// it back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sort(pub Vec<Key>);

/// What is looked at, and in which direction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Key {
    /// The names that lead to the member; at least one, none of them empty.
    pub path: Vec<String>,
    /// Whether the greatest comes first.
    pub descending: bool,
}

impl Sort {
    /// Parses a decoded text. Blank or empty text is `Ok(None)`: no order (ours).
    ///
    /// # Errors
    /// [`ListError::TooLarge`] or [`ListError::Malformed`], at the first place that breaks a rule.
    pub fn parse(text: &str) -> Result<Option<Self>, ListError> {
        parse::parse(text).map(|parsed| parsed.sort)
    }

    /// Parses a text and checks its names, with positions in that text throughout.
    ///
    /// # Errors
    /// Those of [`Sort::parse`], then those of [`Sort::check`].
    pub fn parse_for(text: &str, shape: &Shape) -> Result<Option<Self>, ListError> {
        let parsed = parse::parse(text)?;
        if let Some(sort) = &parsed.sort {
            sort.first_unknown(shape, &parsed.keys)?;
        }
        Ok(parsed.sort)
    }

    /// Whether the shape knows every member. A shape without names says nothing.
    ///
    /// # Errors
    /// [`ListError::Unknown`] for the first unknown one; its position is that in the `Display` text.
    pub fn check(&self, shape: &Shape) -> Result<(), ListError> {
        self.first_unknown(shape, &self.places())
    }

    /// What a recording must hold for this order to be known.
    pub fn selector(&self) -> Option<FieldSelector> {
        let of_key = |key: &Key| {
            let names = key.path.iter().rev();
            names.fold(None, |subfields, name| {
                FieldSelector::of(vec![Field { name: name.clone(), subfields }])
            })
        };
        self.0.iter().filter_map(of_key).reduce(|all, one| all.union(&one))
    }

    fn places(&self) -> Vec<Range<usize>> {
        parse::parse(&self.to_string()).map_or(Vec::new(), |parsed| parsed.keys)
    }

    fn first_unknown(&self, shape: &Shape, places: &[Range<usize>]) -> Result<(), ListError> {
        for (place, key) in self.0.iter().enumerate() {
            let mut here = shape;
            for (depth, name) in key.path.iter().enumerate() {
                let Shape::Object(members) = here.element() else { break };
                let Some((_, below)) = members.iter().find(|(known, _)| known == name) else {
                    let nearest = nearest(name, here.names()).first().map(|name| (*name).to_owned());
                    let at = places.get(place).cloned().unwrap_or_default();
                    return Err(ListError::Unknown { path: key.to(depth), nearest, at });
                };
                here = below;
            }
        }
        Ok(())
    }
}

impl Key {
    /// As a text spells it, down to this depth, without its sign.
    fn to(&self, depth: usize) -> String {
        let mut text = String::new();
        for (place, name) in self.path.iter().take(depth + 1).enumerate() {
            if place > 0 {
                text.push('(');
            }
            for letter in name.chars() {
                if !(letter.is_ascii_alphanumeric() || letter == '_') {
                    text.push('\\');
                }
                text.push(letter);
            }
        }
        text + &")".repeat(depth.min(self.path.len().saturating_sub(1)))
    }
}

impl fmt::Display for Sort {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, key) in self.0.iter().enumerate() {
            write!(f, "{}{key}", if place > 0 { "," } else { "" })?;
        }
        Ok(())
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", if self.descending { "-" } else { "+" }, self.to(self.path.len()))
    }
}

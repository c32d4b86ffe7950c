//! A lossless view of JSON text.
//!
//! `serde_json::Value` turns `1.00` into `1.0`, `1E5` into `100000.0`, a 23-digit integer into a float, and drops all
//! but the last of duplicate members. This view keeps number text, duplicates and member order, and every value knows
//! its own source text, so that what is copied from a recording is copied to the byte.
//!
//! A text is read in one pass, which is as strict as serde_json; that has the words for what is wrong. Members with its
//! private names (`$serde_json::private::RawValue`) are ordinary members here.

mod decimal;
mod edit;
pub(crate) mod tokens;
mod walk;

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

pub(crate) use edit::{Spot, rewrite, try_rewrite};
pub use edit::{remove_member, rename_members, replace};

/// Containers may be nested this deep; one deeper is [`JsonError::TooDeep`]. Keeps every recursion within the stack.
pub const DEPTH_MAX: usize = 128;

/// A text may hold so many values; one more is [`JsonError::TooMany`]. A value takes some 40 bytes beside its text, so
/// `[0,0,0...` would take twenty times its length.
pub const VALUES_MAX: usize = 2_000_000;

/// [`Json::duplicates`] stops listing after this many bytes, so that a hostile text cannot make it quadratic.
const DUPLICATES_BYTES_MAX: usize = 64 * 1024;

/// A member: its decoded name and its value.
type Member<'a> = (Cow<'a, str>, Json<'a>);

/// A value and its source text.
#[derive(Clone, Debug)]
pub struct Json<'a> {
    text: &'a str,
    kind: Kind<'a>,
}

/// What a value is.
#[derive(Clone, Debug)]
pub enum Kind<'a> {
    /// `null`.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A number of any size; its digits are in [`Json::text`].
    Number,
    /// A string, decoded.
    String(Cow<'a, str>),
    /// Elements in order.
    Array(Vec<Json<'a>>),
    /// Members in text order, duplicates included; names are decoded.
    Object(Vec<Member<'a>>),
}

/// Why a text is not JSON that this program handles.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum JsonError {
    /// The text breaks the grammar of JSON.
    #[error("{message} at line {line} column {column}")]
    Syntax {
        /// What is wrong, in serde_json's words.
        message: String,
        /// Line of the text, from 1.
        line: usize,
        /// Column in bytes, from 1; 0 stands for the end of the line before.
        column: usize,
    },
    /// More than [`DEPTH_MAX`] containers inside each other.
    #[error("nested deeper than 128")]
    TooDeep,
    /// More than [`VALUES_MAX`] values.
    #[error("more than 2000000 values")]
    TooMany,
    /// The bytes are not UTF-8.
    #[error("not UTF-8")]
    NotUtf8,
}

impl<'a> Json<'a> {
    /// Reads a whole text. White space around the value is allowed and is not part of its source text.
    ///
    /// # Errors
    /// [`JsonError::Syntax`], also for half a surrogate pair, [`JsonError::TooDeep`] or [`JsonError::TooMany`].
    pub fn parse(text: &'a str) -> Result<Self, JsonError> {
        walk::parse(text)
    }

    /// Whether [`Json::parse`] reads a text, told mostly without a tree.
    pub(crate) fn is_one(text: &str) -> bool {
        // Half a surrogate pair is written `\ud...`; no value takes less than a byte.
        let bytes = text.as_bytes();
        let is_half = |at: usize| matches!(bytes.get(at + 1..at + 3), Some([b'u', b'd' | b'D']));
        let is_simple = text.len() <= VALUES_MAX && !memchr::memchr_iter(b'\\', bytes).any(is_half);
        (is_simple && tokens::is_shallow_value(text)) || Json::parse(text).is_ok()
    }

    /// As [`Json::parse`], from bytes.
    ///
    /// # Errors
    /// Those of [`Json::parse`], and [`JsonError::NotUtf8`].
    pub fn parse_bytes(bytes: &'a [u8]) -> Result<Self, JsonError> {
        Self::parse(std::str::from_utf8(bytes).map_err(|_| JsonError::NotUtf8)?)
    }

    /// The value's own source text, white space inside it included.
    pub fn text(&self) -> &'a str {
        self.text
    }

    /// What the value is.
    pub fn kind(&self) -> &Kind<'a> {
        &self.kind
    }

    /// The member of that name, the first of duplicates; `None` if there is none or this is no object.
    pub fn member(&self, name: &str) -> Option<&Json<'a>> {
        self.members().iter().find(|(known, _)| known == name).map(|(_, value)| value)
    }

    /// Of an object with a name and a value, as pairs are written, the name, for the member that is the value.
    pub(crate) fn paired_name(&self, member: &str) -> Option<&str> {
        if member == "value" { self.member("name")?.as_str() } else { None }
    }

    /// The value an RFC 6901 pointer leads to, through the first of duplicate members. The empty pointer is the value
    /// itself.
    pub fn pointer(&self, pointer: &str) -> Option<&Json<'a>> {
        if pointer.is_empty() {
            return Some(self);
        }
        pointer.strip_prefix('/')?.split('/').try_fold(self, |value, segment| match &value.kind {
            Kind::Object(_) if segment.contains('~') => {
                value.member(&segment.replace("~1", "/").replace("~0", "~"))
            }
            Kind::Object(_) => value.member(segment),
            Kind::Array(elements) => elements.get(array_index(segment)?),
            _ => None,
        })
    }

    /// The elements of an array; empty for anything else.
    pub fn elements(&self) -> &[Json<'a>] {
        match &self.kind {
            Kind::Array(elements) => elements,
            _ => &[],
        }
    }

    /// The members of an object in text order, duplicates included; empty for anything else.
    pub fn members(&self) -> &[Member<'a>] {
        match &self.kind {
            Kind::Object(members) => members,
            _ => &[],
        }
    }

    /// The decoded text of a string.
    pub fn as_str(&self) -> Option<&str> {
        match &self.kind {
            Kind::String(text) => Some(text),
            _ => None,
        }
    }

    /// The exact value of a number that is an integer in range, however it is spelt: `1.00` is 1, `1E5` is 100000.
    pub fn as_i128(&self) -> Option<i128> {
        match self.kind {
            Kind::Number => decimal::integer(self.text),
            _ => None,
        }
    }

    /// Whether this is `null`.
    pub(crate) fn is_null(&self) -> bool {
        matches!(self.kind, Kind::Null)
    }

    /// Whether both are the same value: numbers by exact decimal value (`1.00` is `1`), strings decoded, members in any
    /// order and the first of duplicates, elements in order.
    pub fn same(&self, other: &Json<'_>) -> bool {
        match (&self.kind, &other.kind) {
            (Kind::Null, Kind::Null) => true,
            (Kind::Bool(one), Kind::Bool(two)) => one == two,
            (Kind::Number, Kind::Number) => decimal::same(self.text, other.text),
            (Kind::String(one), Kind::String(two)) => one == two,
            (Kind::Array(one), Kind::Array(two)) => {
                one.len() == two.len() && one.iter().zip(two).all(|(one, two)| one.same(two))
            }
            (Kind::Object(one), Kind::Object(two)) => {
                let (one, two) = (first_members(one), first_members(two));
                one.len() == two.len()
                    && one.iter().zip(&two).all(|((name, value), (other_name, other_value))| {
                        name == other_name && value.same(other_value)
                    })
            }
            _ => false,
        }
    }

    /// Pointers of the members that stand more than once in one object, in text order, each once. Listing stops after
    /// 64 KiB of pointers.
    pub fn duplicates(&self) -> Vec<String> {
        let mut found = Duplicates::default();
        found.visit(self);
        found.pointers
    }

    /// The source text without insignificant white space: numbers, strings and names keep their spelling.
    pub fn compact(&self) -> String {
        let mut out = String::with_capacity(self.text.len());
        let mut kept_from = 0;
        let (mut in_string, mut escaped) = (false, false);
        for (at, byte) in self.text.bytes().enumerate() {
            match byte {
                _ if escaped => escaped = false,
                b'\\' if in_string => escaped = true,
                b'"' => in_string = !in_string,
                b' ' | b'\t' | b'\r' | b'\n' if !in_string => {
                    out.push_str(self.text.get(kept_from..at).unwrap_or_default());
                    kept_from = at + 1;
                }
                _ => {}
            }
        }
        out.push_str(self.text.get(kept_from..).unwrap_or_default());
        out
    }
}

/// Which of two numbers is the smaller one, by exact decimal value. Both are texts as JSON spells numbers; a sign `+`
/// and a point at either end are allowed, too.
pub(crate) fn compare_numbers(one: &str, two: &str) -> std::cmp::Ordering {
    decimal::compare(one, two)
}

/// `value` as a JSON string literal, quotes included.
pub fn quote(value: &str) -> String {
    let mut out = String::with_capacity(value.len() + 2);
    push_quoted(&mut out, value);
    out
}

/// The same, at the end of a text.
pub(crate) fn push_quoted(out: &mut String, value: &str) {
    // Without an early end the compiler looks at many bytes at once.
    let is_escaped =
        value.bytes().fold(false, |found, byte| found | (byte < b' ') | (byte == b'"') | (byte == b'\\'));
    if is_escaped {
        out.push_str(&serde_json::Value::from(value).to_string());
    } else {
        out.push('"');
        out.push_str(value);
        out.push('"');
    }
}

/// An array index of RFC 6901: decimal digits without a leading zero.
fn array_index(segment: &str) -> Option<usize> {
    let plain =
        segment.bytes().all(|byte| byte.is_ascii_digit()) && (segment == "0" || !segment.starts_with('0'));
    plain.then(|| segment.parse().ok()).flatten()
}

/// The first member of each name, by name.
fn first_members<'j, 'a>(members: &'j [Member<'a>]) -> BTreeMap<&'j str, &'j Json<'a>> {
    let mut first = BTreeMap::new();
    for (name, value) in members {
        first.entry(name.as_ref()).or_insert(value);
    }
    first
}

/// The walk behind [`Json::duplicates`].
#[derive(Default)]
struct Duplicates {
    path: Vec<String>,
    pointers: Vec<String>,
    listed: BTreeSet<String>,
    bytes: usize,
}

impl Duplicates {
    fn visit(&mut self, value: &Json<'_>) {
        match &value.kind {
            Kind::Array(elements) => {
                for (index, element) in elements.iter().enumerate() {
                    if matches!(element.kind, Kind::Array(_) | Kind::Object(_)) {
                        self.descend(index.to_string(), element);
                    }
                }
            }
            Kind::Object(members) => {
                let mut seen = BTreeSet::new();
                for (name, value) in members {
                    if !seen.insert(name.as_ref()) {
                        self.list(name);
                    }
                    if matches!(value.kind, Kind::Array(_) | Kind::Object(_)) {
                        self.descend(escape(name), value);
                    }
                }
            }
            _ => {}
        }
    }

    fn descend(&mut self, segment: String, value: &Json<'_>) {
        self.path.push(segment);
        self.visit(value);
        self.path.pop();
    }

    fn list(&mut self, name: &str) {
        if self.bytes > DUPLICATES_BYTES_MAX {
            return;
        }
        let mut pointer = String::new();
        for segment in self.path.iter().chain([&escape(name)]) {
            pointer.push('/');
            pointer.push_str(segment);
        }
        self.bytes += pointer.len();
        if self.listed.insert(pointer.clone()) {
            self.pointers.push(pointer);
        }
    }
}

/// A name as a segment of an RFC 6901 pointer.
pub(crate) fn escape(name: &str) -> String {
    name.replace('~', "~0").replace('/', "~1")
}

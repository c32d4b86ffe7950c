//! A TOML text as tables whose every value knows its place, so that each mistake is told with its bytes and its fix.
//!
//! serde is not used here: the text of its errors is not ours, and it names no fix.

use std::ops::{Range, RangeInclusive};

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::{Diagnostic, ScenarioError};
use crate::spelling::nearest;

pub(super) type Read<T> = Result<T, ScenarioError>;

/// The text being read.
#[derive(Debug)]
pub(super) struct Text<'t> {
    pub(super) file: &'t str,
    pub(super) text: &'t str,
}

impl<'t> Text<'t> {
    /// The document.
    pub(super) fn parse(&self) -> Read<Spanned<DeTable<'t>>> {
        DeTable::parse(self.text).map_err(|error| {
            let message = format!("this is not TOML: {}", error.message());
            self.fail(error.span().unwrap_or(0..0), message, "here", None)
        })
    }

    pub(super) fn fail(
        &self,
        at: Range<usize>,
        message: impl Into<String>,
        label: impl Into<String>,
        help: Option<String>,
    ) -> ScenarioError {
        ScenarioError::Invalid(Box::new(Diagnostic {
            file: self.file.to_owned(),
            text: self.text.to_owned(),
            message: message.into(),
            at,
            label: label.into(),
            help,
        }))
    }
}

/// A table, its keys known to be legal.
#[derive(Clone, Debug)]
pub(super) struct Table<'t> {
    source: &'t Text<'t>,
    /// As messages call it: "`[must]`".
    what: &'t str,
    at: Range<usize>,
    members: &'t DeTable<'t>,
}

impl<'t> Table<'t> {
    /// The table `members`, which takes only `keys`; of several wrong ones the first in the text is told.
    pub(super) fn new(
        source: &'t Text<'t>,
        what: &'t str,
        at: Range<usize>,
        members: &'t DeTable<'t>,
        keys: &[&str],
    ) -> Read<Self> {
        let wrong = members.keys().filter(|key| !keys.contains(&key.get_ref().as_ref()));
        match wrong.min_by_key(|key| key.span().start) {
            None => Ok(Self { source, what, at, members }),
            Some(key) => {
                let name = key.get_ref().as_ref();
                let message = format!("unknown key `{name}` in {what}");
                Err(source.fail(key.span(), message, "nothing reads this", Some(key_help(what, name, keys))))
            }
        }
    }

    pub(super) fn get(&self, key: &str) -> Option<Entry<'t>> {
        let (key, value) = self.members.iter().find(|(name, _)| name.get_ref().as_ref() == key)?;
        Some(Entry { source: self.source, key: key.get_ref(), key_at: key.span(), value })
    }

    pub(super) fn required(&self, key: &str, help: &str) -> Read<Entry<'t>> {
        self.get(key).ok_or_else(|| {
            let message = format!("{} lacks `{key}`", self.what);
            self.source.fail(
                self.at.clone(),
                message,
                format!("`{key}` is needed here"),
                Some(help.to_owned()),
            )
        })
    }
}

fn key_help(what: &str, name: &str, keys: &[&str]) -> String {
    let all = match keys {
        [] => format!("{what} takes no keys"),
        keys => format!("{what} takes {}", quoted(keys.iter().copied(), "and")),
    };
    match nearest(name, keys.iter().copied()).first() {
        Some(near) => format!("did you mean `{near}`? {all}"),
        None => all,
    }
}

/// A key and its value.
#[derive(Clone, Debug)]
pub(super) struct Entry<'t> {
    source: &'t Text<'t>,
    pub(super) key: &'t str,
    pub(super) key_at: Range<usize>,
    value: &'t Spanned<DeValue<'t>>,
}

impl<'t> Entry<'t> {
    /// Where the value stands.
    pub(super) fn at(&self) -> Range<usize> {
        self.value.span()
    }

    pub(super) fn value(&self) -> &'t DeValue<'t> {
        self.value.get_ref()
    }

    /// A mistake in the value.
    pub(super) fn fail(
        &self,
        message: impl Into<String>,
        label: impl Into<String>,
        help: Option<String>,
    ) -> ScenarioError {
        self.source.fail(self.at(), message, label, help)
    }

    /// A mistake in the key.
    pub(super) fn fail_at_key(&self, message: impl Into<String>, label: &str, help: String) -> ScenarioError {
        self.source.fail(self.key_at.clone(), message, label, Some(help))
    }

    fn wrong_kind(&self, wanted: &str, help: Option<String>) -> ScenarioError {
        let found = in_words(self.value());
        self.fail(format!("`{}` must be {wanted}, not {found}", self.key), format!("this is {found}"), help)
    }

    pub(super) fn text(&self, help: &str) -> Read<&'t str> {
        let help = if help.is_empty() { None } else { Some(help.to_owned()) };
        self.value().as_str().ok_or_else(|| self.wrong_kind("a text in quotes", help))
    }

    /// A text that is not empty and at most 200 bytes long, without control characters.
    pub(super) fn name(&self) -> Read<&'t str> {
        let text = self.text("")?;
        if text.trim().is_empty() || text.len() > 200 || text.chars().any(char::is_control) {
            let message = format!("`{}` must be a text of 1 to 200 bytes on one line", self.key);
            return Err(self.fail(message, "not such a text", None));
        }
        Ok(text)
    }

    pub(super) fn number(&self, range: RangeInclusive<u64>) -> Read<u64> {
        let wanted = format!("a whole number from {} to {}", range.start(), range.end());
        let Some(number) = self.value().as_integer() else {
            let quotes = self.value().is_str().then(|| "write it without quotes".to_owned());
            return Err(self.wrong_kind(&wanted, quotes));
        };
        let value = u64::from_str_radix(number.as_str(), number.radix()).ok();
        value.filter(|value| range.contains(value)).ok_or_else(|| {
            let message = format!("`{}` must be {wanted}, not {number}", self.key);
            self.fail(message, "out of range", None)
        })
    }

    /// As [`Self::number`], for ranges within 32 bits.
    pub(super) fn number32(&self, range: RangeInclusive<u32>) -> Read<u32> {
        let number = self.number(u64::from(*range.start())..=u64::from(*range.end()))?;
        Ok(u32::try_from(number).unwrap_or(*range.end()))
    }

    pub(super) fn flag(&self) -> Read<bool> {
        self.value().as_bool().ok_or_else(|| self.wrong_kind("true or false", None))
    }

    /// One of a few words.
    pub(super) fn word<W: Copy>(&self, words: &[(&str, W)]) -> Read<W> {
        let known = || words.iter().map(|(word, _)| *word);
        let help = match words {
            [(only, _)] => format!("`{}` can only be `{only}`", self.key),
            _ => format!("`{}` is {}", self.key, quoted(known(), "or")),
        };
        let text = self.text(&help)?;
        words.iter().find(|(word, _)| *word == text).map(|(_, meaning)| *meaning).ok_or_else(|| {
            let near = nearest(text, known()).first().map(|near| format!("did you mean `{near}`? "));
            let message = format!("`{}` cannot be `{}`", self.key, text.escape_debug());
            self.fail(message, "not one of its words", Some(near.unwrap_or_default() + &help))
        })
    }

    pub(super) fn table(&self, what: &'t str, keys: &[&str], help: &str) -> Read<Table<'t>> {
        match self.value().as_table() {
            Some(members) => Table::new(self.source, what, self.at(), members, keys),
            None => Err(self.wrong_kind("a table", Some(help.to_owned()))),
        }
    }

    /// The members of a table that takes any key, in the order of the text; `None` if this is no table.
    pub(super) fn members(&self) -> Option<Vec<Entry<'t>>> {
        let members = self.value().as_table()?.iter();
        let mut entries: Vec<Entry<'t>> = members
            .map(|(key, value)| Entry { source: self.source, key: key.get_ref(), key_at: key.span(), value })
            .collect();
        entries.sort_by_key(|entry| entry.key_at.start);
        Some(entries)
    }

    /// The elements of a list, each as an entry under this key.
    pub(super) fn items(&self, help: &str) -> Read<Vec<Entry<'t>>> {
        let items =
            self.value().as_array().ok_or_else(|| self.wrong_kind("a list", Some(help.to_owned())))?;
        let item = |value| Entry { source: self.source, key: self.key, key_at: self.key_at.clone(), value };
        Ok(items.iter().map(item).collect())
    }

    /// At most `most` tables.
    pub(super) fn tables(
        &self,
        what: &'t str,
        keys: &[&str],
        most: usize,
        help: &str,
    ) -> Read<Vec<Table<'t>>> {
        let items = self.items(help)?;
        if let Some(over) = items.get(most) {
            let message = format!("more than {most} of {what}");
            return Err(over.fail(message, "this one is too many", None));
        }
        items.iter().map(|item| item.table(what, keys, help)).collect()
    }
}

/// A kind of value in words, with its article.
fn in_words(value: &DeValue<'_>) -> &'static str {
    match value {
        DeValue::String(_) => "a text",
        DeValue::Integer(_) => "a whole number",
        DeValue::Float(_) => "a number with a fraction",
        DeValue::Boolean(_) => "true or false",
        DeValue::Datetime(_) => "a date",
        DeValue::Array(_) => "a list",
        DeValue::Table(_) => "a table",
    }
}

/// Names in back quotes: "`a`, `b` and `c`".
pub(super) fn quoted<'n>(names: impl IntoIterator<Item = &'n str>, last: &str) -> String {
    let mut names: Vec<String> = names.into_iter().map(|name| format!("`{name}`")).collect();
    match names.pop() {
        None => String::new(),
        Some(only) if names.is_empty() => only,
        Some(end) => format!("{} {last} {end}", names.join(", ")),
    }
}

//! A TOML text as tables whose every value knows its place, so that each mistake is told with its bytes and its fix.
//!
//! A mistake is noted as soon as it is found, and reading goes on: [`Noted`] in place of a value only says that there is
//! none. So `?` gives up what hangs on that value, and what does not is read before it ([`every`]).
//!
//! serde is not used here: the text of its errors is not ours, it names no fix, and it ends at the first.

use std::borrow::Cow;
use std::cell::RefCell;
use std::ops::{Range, RangeInclusive};

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::mend::mend;
use super::mistakes::{Found, Mistakes, SHOWN_MOST};
use super::{Diagnostic, Named};
use crate::spelling::nearest;

/// Of so many unknown keys of a table the nearest known one is looked for.
const NEAR_MOST: usize = 1_000;

/// What is read, unless it has a mistake.
pub(crate) type Read<T> = Result<T, Noted>;

/// In place of a value: its mistake is noted in the [`Text`].
#[derive(Clone, Copy, Debug)]
pub(crate) struct Noted(());

/// The text being read, and what was found wrong in it.
#[derive(Debug)]
pub(crate) struct Text<'t> {
    file: &'t str,
    text: &'t str,
    /// The text as far as it is TOML.
    toml: Cow<'t, str>,
    is_cut: bool,
    found: RefCell<Found>,
}

impl<'t> Text<'t> {
    /// `file` is what messages call the text.
    pub(crate) fn new(file: &'t str, text: &'t str) -> Self {
        let mended = mend(text);
        let (toml, is_cut) = (mended.toml, mended.is_cut);
        let source = Self { file, text, toml, is_cut, found: RefCell::default() };
        for error in mended.errors {
            let message = format!("this is not TOML: {}", error.message());
            source.fail(error.span().unwrap_or(0..0), message, "here", None);
        }
        source
    }

    /// What can be read of it.
    pub(crate) fn document(&self) -> Spanned<DeTable<'_>> {
        // It was parsed before; nothing is said twice.
        DeTable::parse(&self.toml).unwrap_or_else(|_| Spanned::new(0..0, DeTable::new()))
    }

    /// What came of reading, or all that was found wrong.
    pub(crate) fn finish<T>(self, read: Read<T>) -> Result<T, Mistakes> {
        let found = self.found.into_inner();
        match read {
            Ok(read) if found.is_empty() => Ok(read),
            _ => Err(found.into_mistakes(self.file, self.text, self.is_cut)),
        }
    }

    /// Notes a mistake.
    pub(crate) fn fail(
        &self,
        at: Range<usize>,
        message: impl Into<String>,
        label: impl Into<String>,
        help: Option<String>,
    ) -> Noted {
        let (file, text) = (String::new(), String::new());
        let mistake = Diagnostic { file, text, message: message.into(), at, label: label.into(), help };
        self.found.borrow_mut().add(mistake);
        Noted(())
    }

    /// Notes that something is missing. Of a text that is not TOML nobody knows that.
    fn fail_without(
        &self,
        at: Range<usize>,
        message: impl Into<String>,
        label: impl Into<String>,
        help: Option<String>,
    ) -> Noted {
        if self.toml == self.text { self.fail(at, message, label, help) } else { Noted(()) }
    }

    /// So many mistakes more, which come after more than are shown.
    fn more(&self, mistakes: usize) {
        self.found.borrow_mut().more(mistakes);
    }

    /// Keeps a name that a higher layer resolves.
    pub(crate) fn name(&self, name: Named) {
        self.found.borrow_mut().name(name);
    }
}

/// All of them, each read whether or not those before it have mistakes.
pub(crate) fn every<T>(reads: impl IntoIterator<Item = Read<T>>) -> Read<Vec<T>> {
    let reads: Vec<Read<T>> = reads.into_iter().collect();
    reads.into_iter().collect()
}

/// A table, its keys known to be legal.
#[derive(Clone, Debug)]
pub(crate) struct Table<'t> {
    source: &'t Text<'t>,
    /// As messages call it: "`[must]`".
    what: &'t str,
    at: Range<usize>,
    members: &'t DeTable<'t>,
    /// Keys that are missing because they are misspelt: that was noted.
    misspelt: Vec<String>,
}

impl<'t> Table<'t> {
    /// The table `members`, which takes only `keys`.
    pub(crate) fn new(
        source: &'t Text<'t>,
        what: &'t str,
        at: Range<usize>,
        members: &'t DeTable<'t>,
        keys: &[&str],
    ) -> Self {
        let mut unknown: Vec<_> =
            members.keys().filter(|key| !keys.contains(&key.get_ref().as_ref())).collect();
        unknown.sort_by_key(|key| key.span().start);
        let mut misspelt = Vec::new();
        for (place, key) in unknown.iter().enumerate() {
            let name = key.get_ref().as_ref();
            let is_looked_at = place < NEAR_MOST;
            let near = if is_looked_at { nearest(name, keys.iter().copied()).first().copied() } else { None };
            misspelt.extend(near.map(str::to_owned));
            // Of one table the first mistakes are shown at most: the others need no words.
            if place < SHOWN_MOST {
                let message = format!("unknown key `{name}` in {what}");
                source.fail(key.span(), message, "nothing reads this", Some(key_help(what, near, keys)));
            }
        }
        source.more(unknown.len().saturating_sub(SHOWN_MOST));
        Self { source, what, at, members, misspelt }
    }

    /// What a key that may be left out holds, read by `read`.
    pub(crate) fn read<T>(&self, key: &str, read: impl FnOnce(&Entry<'t>) -> Read<T>) -> Read<Option<T>> {
        self.get(key).as_ref().map(read).transpose()
    }

    pub(crate) fn get(&self, key: &str) -> Option<Entry<'t>> {
        let (key, value) = self.members.iter().find(|(name, _)| name.get_ref().as_ref() == key)?;
        Some(Entry { source: self.source, key: key.get_ref(), key_at: key.span(), value })
    }

    pub(crate) fn required(&self, key: &str, help: &str) -> Read<Entry<'t>> {
        self.get(key).ok_or_else(|| {
            let (message, label) =
                (format!("{} lacks `{key}`", self.what), format!("`{key}` is needed here"));
            self.lacks(key, self.at.clone(), message, label, help)
        })
    }

    /// Where the table stands.
    pub(crate) fn at(&self) -> Range<usize> {
        self.at.clone()
    }

    /// Whether a key that is missing is probably there, misspelt.
    pub(crate) fn has_misspelt(&self, key: &str) -> bool {
        self.misspelt.iter().any(|misspelt| misspelt == key)
    }

    /// A key is missing. Of one that is misspelt that was noted.
    pub(crate) fn lacks(
        &self,
        key: &str,
        at: Range<usize>,
        message: String,
        label: String,
        help: &str,
    ) -> Noted {
        match self.has_misspelt(key) {
            true => Noted(()),
            false => self.source.fail_without(at, message, label, Some(help.to_owned())),
        }
    }
}

fn key_help(what: &str, near: Option<&str>, keys: &[&str]) -> String {
    let all = match keys {
        [] => format!("{what} takes no keys"),
        keys => format!("{what} takes {}", quoted(keys.iter().copied(), "and")),
    };
    match near {
        Some(near) => format!("did you mean `{near}`? {all}"),
        None => all,
    }
}

/// A key and its value.
#[derive(Clone, Debug)]
pub(crate) struct Entry<'t> {
    source: &'t Text<'t>,
    pub(crate) key: &'t str,
    pub(crate) key_at: Range<usize>,
    value: &'t Spanned<DeValue<'t>>,
}

impl<'t> Entry<'t> {
    /// Where the value stands.
    pub(crate) fn at(&self) -> Range<usize> {
        self.value.span()
    }

    pub(crate) fn value(&self) -> &'t DeValue<'t> {
        self.value.get_ref()
    }

    /// A mistake in the value.
    pub(crate) fn fail(
        &self,
        message: impl Into<String>,
        label: impl Into<String>,
        help: Option<String>,
    ) -> Noted {
        self.source.fail(self.at(), message, label, help)
    }

    /// Something that should stand in the value and does not.
    pub(crate) fn fail_without(
        &self,
        message: impl Into<String>,
        label: impl Into<String>,
        help: Option<String>,
    ) -> Noted {
        self.source.fail_without(self.at(), message, label, help)
    }

    /// Keeps the value as a name that a higher layer resolves.
    pub(crate) fn keep(&self, name: &Named) {
        self.source.name(name.clone());
    }

    /// A mistake in the key.
    pub(crate) fn fail_at_key(&self, message: impl Into<String>, label: &str, help: String) -> Noted {
        self.source.fail(self.key_at.clone(), message, label, Some(help))
    }

    pub(crate) fn wrong_kind(&self, wanted: &str, help: Option<String>) -> Noted {
        let found = in_words(self.value());
        self.fail(format!("`{}` must be {wanted}, not {found}", self.key), format!("this is {found}"), help)
    }

    pub(crate) fn text(&self, help: &str) -> Read<&'t str> {
        let help = if help.is_empty() { None } else { Some(help.to_owned()) };
        self.value().as_str().ok_or_else(|| self.wrong_kind("a text in quotes", help))
    }

    /// A text that is not empty and at most 200 bytes long, without control characters.
    pub(crate) fn name(&self) -> Read<&'t str> {
        let text = self.text("")?;
        if text.trim().is_empty() || text.len() > 200 || text.chars().any(char::is_control) {
            let message = format!("`{}` must be a text of 1 to 200 bytes on one line", self.key);
            return Err(self.fail(message, "not such a text", None));
        }
        Ok(text)
    }

    pub(crate) fn number(&self, range: RangeInclusive<u64>) -> Read<u64> {
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
    pub(crate) fn number32(&self, range: RangeInclusive<u32>) -> Read<u32> {
        let number = self.number(u64::from(*range.start())..=u64::from(*range.end()))?;
        Ok(u32::try_from(number).unwrap_or(*range.end()))
    }

    pub(crate) fn flag(&self) -> Read<bool> {
        self.value().as_bool().ok_or_else(|| self.wrong_kind("true or false", None))
    }

    /// One of a few words.
    pub(crate) fn word<W: Copy>(&self, words: &[(&str, W)]) -> Read<W> {
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

    pub(crate) fn table(&self, what: &'t str, keys: &[&str], help: &str) -> Read<Table<'t>> {
        match self.value().as_table() {
            Some(members) => Ok(Table::new(self.source, what, self.at(), members, keys)),
            None => Err(self.wrong_kind("a table", Some(help.to_owned()))),
        }
    }

    /// The members of a table that takes any key, in the order of the text; `None` if this is no table.
    pub(crate) fn members(&self) -> Option<Vec<Entry<'t>>> {
        let members = self.value().as_table()?.iter();
        let mut entries: Vec<Entry<'t>> = members
            .map(|(key, value)| Entry { source: self.source, key: key.get_ref(), key_at: key.span(), value })
            .collect();
        entries.sort_by_key(|entry| entry.key_at.start);
        Some(entries)
    }

    /// The elements of a list, each as an entry under this key.
    pub(crate) fn items(&self, help: &str) -> Read<Vec<Entry<'t>>> {
        let items =
            self.value().as_array().ok_or_else(|| self.wrong_kind("a list", Some(help.to_owned())))?;
        let item = |value| Entry { source: self.source, key: self.key, key_at: self.key_at.clone(), value };
        Ok(items.iter().map(item).collect())
    }

    /// At most `most` tables; what is no table is left out, and that is noted.
    pub(crate) fn tables(
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
        Ok(items.iter().filter_map(|item| item.table(what, keys, help).ok()).collect())
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
pub(crate) fn quoted<'n>(names: impl IntoIterator<Item = &'n str>, last: &str) -> String {
    let mut names: Vec<String> = names.into_iter().map(|name| format!("`{name}`")).collect();
    match names.pop() {
        None => String::new(),
        Some(only) if names.is_empty() => only,
        Some(end) => format!("{} {last} {end}", names.join(", ")),
    }
}

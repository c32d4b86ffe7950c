//! [`MatchRules`]: what a user says of matching, in a scenario (`[match]`) or beside a cassette (`NAME.match.toml`).

use std::collections::BTreeMap;
use std::path::Path;

use super::{CassetteError, MatchKey};
use crate::files;
use crate::json::{Json, Kind, quote, remove_member, replace};
use crate::message::{Request, is_credential_header};
use crate::redact::{is_credential_name, is_redacted};
use crate::written::Mistakes;
use crate::written::read::{Entry, Read, Table, Text, every};

/// The largest file of rules that is read, in bytes.
const FILE_MAX_BYTES: u64 = 64 * 1024;

/// How many names a file or table may list in all.
pub const NAMES_MAX: usize = 100;

/// What counts in matching and what does not. Names that begin with a slash point into a JSON body; others are
/// parameters of the query or of a form.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MatchRules {
    /// Do not count.
    pub ignore: Vec<String>,
    /// Count but for how they are written.
    pub normalise: BTreeMap<String, Normal>,
    /// Headers that count, beside what counts anyway.
    pub headers: Vec<String>,
    /// Whether times and uuids of the client's own may be passed over; they may unless this says otherwise.
    pub loose: Option<bool>,
}

/// In what two spellings of a value may differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Normal {
    /// In capitals and small letters.
    Case,
    /// In white space: any of it is one blank, and none at the ends.
    Blanks,
    /// In the order of a list with commas.
    List,
}

impl Normal {
    /// How each is written.
    pub const WORDS: [(&'static str, Self); 3] =
        [("case", Self::Case), ("blanks", Self::Blanks), ("list", Self::List)];

    fn apply(self, text: &str) -> String {
        match self {
            Self::Case => text.to_lowercase(),
            Self::Blanks => text.split_whitespace().collect::<Vec<_>>().join(" "),
            Self::List => {
                let mut parts: Vec<&str> = text.split(',').map(str::trim).collect();
                parts.sort_unstable();
                parts.join(",")
            }
        }
    }
}

/// The first mistake with its place, and how many more there are.
pub(super) fn in_a_line(mistakes: &Mistakes) -> String {
    let Some(first) = mistakes.shown().first() else { return mistakes.to_string() };
    let (line, column) = first.line_column();
    mistakes.to_string().replacen(&format!("{}:", first.file), &format!("{}:{line}:{column}:", first.file), 1)
}

/// No more names than one list takes.
fn at_most(entries: Vec<Entry<'_>>) -> Read<Vec<Entry<'_>>> {
    match entries.get(NAMES_MAX) {
        Some(over) => Err(over.fail(format!("more than {NAMES_MAX} names"), "this one is too many", None)),
        None => Ok(entries),
    }
}

fn is_a_name(name: &str) -> bool {
    !name.is_empty() && !name.chars().any(char::is_control)
}

fn is_secret(header: &str) -> bool {
    is_credential_header(header) || is_credential_name(header)
}

impl MatchRules {
    /// The keys of a table of rules.
    pub(crate) const KEYS: [&'static str; 4] = ["ignore", "normalise", "headers", "loose"];
    /// How they are written.
    pub(crate) const HELP: &'static str = "write ignore = [\"_\", \"/run/id\"], normalise = { filter = \"blanks\" }, headers = [\"X-Tenant\"] or loose = false";

    /// The rules beside a cassette, none if there is no such file.
    pub(super) fn beside(cassette: &Path) -> Result<Self, CassetteError> {
        let path = cassette.with_extension("match.toml");
        if !path.is_file() {
            return Ok(Self::default());
        }
        Self::load(&path)
    }

    /// Reads a file of rules.
    ///
    /// # Errors
    /// If it cannot be read, or has a mistake.
    pub fn load(path: &Path) -> Result<Self, CassetteError> {
        let shown = path.display().to_string();
        let text = files::read_text(path, FILE_MAX_BYTES)
            .map_err(|error| CassetteError::Io { path: shown.clone(), source: error.into() })?;
        Self::parse(&shown, &text).map_err(CassetteError::Rules)
    }

    /// Reads the text of a file of rules, which messages call `file`.
    ///
    /// # Errors
    /// All its mistakes.
    fn parse(file: &str, text: &str) -> Result<Self, Mistakes> {
        let source = Text::new(file, text);
        let read = {
            let document = source.document();
            let whole = 0..text.len().min(1);
            Self::read(&Table::new(
                &source,
                "a file of rules for matching",
                whole,
                document.get_ref(),
                &Self::KEYS,
            ))
        };
        source.finish(read)
    }

    /// Reads a table of rules: the whole of such a file, or a part of a scenario.
    pub(crate) fn read(table: &Table<'_>) -> Read<Self> {
        let names = |key: &str| {
            table.read(key, |entry| {
                let items = at_most(entry.items(Self::HELP)?)?;
                every(items.iter().map(|item| item.name().map(str::to_owned)))
            })
        };
        let ignore = names("ignore");
        let headers = table.read("headers", |entry| {
            let items = at_most(entry.items(Self::HELP)?)?;
            every(items.iter().map(|item| {
                let name = item.name()?;
                if is_secret(name) {
                    let help = "take it out: a credential counts in no matching".to_owned();
                    return Err(item.fail(
                        format!("`{name}` is a credential, which is in no cassette"),
                        "this",
                        Some(help),
                    ));
                }
                Ok(name.to_owned())
            }))
        });
        let normalise = table.read("normalise", |entry| {
            let members = entry.members().ok_or_else(|| {
                let help = Some(Self::HELP.to_owned());
                entry.fail("`normalise` must be a table of names", "no such table", help)
            })?;
            every(at_most(members)?.iter().map(|member| {
                let key = member.key;
                if !is_a_name(key) {
                    let help =
                        "write the name of a parameter, or a pointer into a body: \"/run/id\"".to_owned();
                    return Err(member.fail_at_key(
                        format!("`{}` is no name", key.escape_debug()),
                        "this",
                        help,
                    ));
                }
                Ok((key.to_owned(), member.word(&Normal::WORDS)?))
            }))
        });
        let loose = table.read("loose", Entry::flag);
        Ok(Self {
            ignore: ignore?.unwrap_or_default(),
            headers: headers?.unwrap_or_default(),
            normalise: normalise?.unwrap_or_default().into_iter().collect(),
            loose: loose?,
        })
    }

    /// Whether the names are ones that can be meant.
    ///
    /// # Errors
    /// Which is not, and why.
    pub fn check(&self) -> Result<(), String> {
        let names = self.ignore.iter().chain(self.normalise.keys()).chain(&self.headers);
        if names.clone().count() > NAMES_MAX {
            return Err(format!("more than {NAMES_MAX} names"));
        }
        if let Some(empty) = names.clone().find(|name| !is_a_name(name)) {
            return Err(format!("`{}` is no name", empty.escape_debug()));
        }
        match self.headers.iter().find(|name| is_secret(name)) {
            Some(name) => Err(format!("`{name}` is a credential, which is in no cassette: take it out")),
            None => Ok(()),
        }
    }

    /// These rules and those of a scenario; where both speak of the same, the scenario's count.
    #[must_use]
    pub fn and(&self, scenario: &Self) -> Self {
        let mut both = self.clone();
        both.ignore.extend(scenario.ignore.iter().cloned());
        both.headers.extend(scenario.headers.iter().cloned());
        both.normalise.extend(scenario.normalise.iter().map(|(name, normal)| (name.clone(), *normal)));
        both.loose = scenario.loose.or(self.loose);
        both
    }

    /// Whether volatile values may be passed over.
    pub(crate) fn is_loose(&self) -> bool {
        self.loose.unwrap_or(true)
    }

    /// Whether the headers that count are the same in two requests. What was redacted stands for any value.
    pub(crate) fn same_headers(&self, recorded: &Request, live: &Request) -> bool {
        self.headers.iter().all(|name| {
            let value = |request: &Request| request.headers.text(name).map(|value| value.trim().to_owned());
            let recorded = value(recorded);
            recorded == value(live) || recorded.is_some_and(|value| is_redacted(value.as_bytes()))
        })
    }

    /// Whether any key looks otherwise by them.
    pub(crate) fn change_keys(&self) -> bool {
        !self.ignore.is_empty() || !self.normalise.is_empty()
    }

    /// A key as these rules see it.
    pub(crate) fn seen(&self, key: &MatchKey) -> MatchKey {
        if !self.change_keys() {
            return key.clone();
        }
        let mut query = self.pairs(key.query.clone());
        query.sort();
        let body = match key.form() {
            Some(pairs) => {
                let pairs = self.pairs(pairs);
                pairs.iter().map(|(name, value)| format!("{}={}\n", quote(name), quote(value))).collect()
            }
            None => self.body(&key.body),
        };
        MatchKey { query, body, ..key.clone() }
    }

    fn pairs(&self, pairs: Vec<(String, String)>) -> Vec<(String, String)> {
        let counts = |(name, _): &(String, String)| !self.ignore.contains(name);
        let normal = |(name, value): (String, String)| match self.normalise.get(&name) {
            Some(normal) => (name, normal.apply(&value)),
            None => (name, value),
        };
        pairs.into_iter().filter(counts).map(normal).collect()
    }

    /// The canonical text of a JSON body without what is ignored.
    fn body(&self, body: &str) -> String {
        let mut text = body.to_owned();
        for pointer in self.ignore.iter().filter(|name| name.starts_with('/')) {
            let Some((around, name)) = pointer.rsplit_once('/') else { continue };
            let name = name.replace("~1", "/").replace("~0", "~");
            let without = Json::parse(&text)
                .ok()
                .and_then(|json| json.pointer(around).map(|object| remove_member(object.text(), &name)));
            if let Some(without) = without {
                text = replace(&text, &[(around, &without)]);
            }
        }
        for (pointer, normal) in self.normalise.iter().filter(|(name, _)| name.starts_with('/')) {
            let value = Json::parse(&text).ok().and_then(|json| match json.pointer(pointer)?.kind() {
                Kind::String(value) => Some(quote(&normal.apply(value))),
                _ => None,
            });
            if let Some(value) = value {
                text = replace(&text, &[(pointer, &value)]);
            }
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::written::Diagnostic;

    fn seen(rules: &MatchRules, target: &str, body: &'static str) -> MatchKey {
        let mut request = Request::new("POST", target);
        request.body = body.into();
        rules.seen(&MatchKey::of(&request))
    }

    #[test]
    fn what_is_ignored_is_gone_and_what_is_normalised_has_one_spelling() {
        let rules = MatchRules::parse(
            "x",
            "ignore = [\"_\", \"/run/id\"]\nnormalise = { filter = \"blanks\", hosts = \"list\", \"/name\" = \"case\" }\n",
        )
        .unwrap();
        assert_eq!(
            seen(&rules, "/a?_=1&filter=a%20%20=%0a1&hosts=b,%20a", r#"{"run":{"id":1,"n":2},"name":"Ab"}"#),
            seen(&rules, "/a?hosts=a,b&filter=a%20=%201&_=7&_=8", r#"{"name":"aB","run":{"n":2,"id":[3]}}"#)
        );
        assert_ne!(seen(&rules, "/a?b=1", ""), seen(&rules, "/a?b=2", ""));
        assert_ne!(seen(&rules, "/a", r#"{"run":{"n":2}}"#), seen(&rules, "/a", r#"{"run":{"n":3}}"#));
        assert_eq!(seen(&rules, "/a", "no json"), seen(&MatchRules::default(), "/a", "no json"));
    }

    #[test]
    fn names_that_cannot_be_meant_are_refused() {
        for (text, why) in [
            ("headers = [\"SEC\"]", "a credential"),
            ("headers = [\"cookie\"]", "a credential"),
            ("ignore = [\"\"]", "must be a text of 1 to 200 bytes"),
            ("normalise = { \"\" = \"case\" }", "is no name"),
            ("ignored = []", "unknown key `ignored`"),
        ] {
            let mistakes = MatchRules::parse("x", text).unwrap_err();
            assert!(mistakes.count() == 1 && mistakes.to_string().contains(why), "{text}: {mistakes}");
        }
        let rules = MatchRules { headers: vec!["SEC".into()], ..MatchRules::default() };
        assert!(rules.check().unwrap_err().contains("a credential"));
    }

    #[test]
    fn all_mistakes_of_a_file_are_told_in_the_order_of_the_text() {
        let text = "ignores = [\"_\"]\nheaders = [\"SEC\", 7, \"Cookie\"]\nnormalise = { a = \"cases\", b = \"list\" }\nloose = \"no\"\n";
        let mistakes = MatchRules::parse("mine.match.toml", text).unwrap_err();
        let places: Vec<(usize, usize)> = mistakes.shown().iter().map(Diagnostic::line_column).collect();
        assert_eq!(places, [(1, 1), (2, 12), (2, 19), (2, 22), (3, 19), (4, 9)], "{mistakes:?}");
        let line = in_a_line(&mistakes);
        assert!(line.starts_with("mine.match.toml:1:1: unknown key `ignores`"), "{line}");
        assert!(line.ends_with("; and 5 more mistakes"), "{line}");
    }
}

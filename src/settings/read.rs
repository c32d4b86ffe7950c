//! Reads a settings file from its text.

use std::path::{Component, Path, PathBuf};

use toml::de::DeValue;

use super::known::read_known;
use super::secrets::blotted;
use super::{Check, Flag, FlagDefault, Settings, Takes, Verb};
use crate::files::folders::Folders;
use crate::redact::is_credential_name;
#[cfg(feature = "cli")]
use crate::written::Diagnostic;
use crate::written::Mistakes;
use crate::written::read::{Entry, Read, Table, Text, every};

/// The keys that are no table of a verb's.
const FOLDERS: [&str; 3] = ["cassettes", "scenarios", "profiles"];
/// The most folders of a kind, and the most values of a flag.
const MANY_MOST: usize = 64;

const FOLDERS_HELP: &str = "write cassettes = [\"tests/cassettes\"]: folders below that of this file";
const SECRET: &str = "a secret does not belong into a file that others read";
const SECRET_HELP: &str =
    "leave it out: faultdeck reads the token of a console from FAULTDECK_CONSOLE_SEC or --sec-file";

impl Settings {
    /// What `text` says. `file` is what messages call it; `verbs` are those that can have a table, and `check` says what is
    /// wrong with a value. A kind of folders that the file says nothing of is the one beside it.
    ///
    /// # Errors
    /// All mistakes, each with its place and the way out.
    pub fn parse(file: &str, text: &str, verbs: &[Verb], check: Check<'_>) -> Result<Self, Mistakes> {
        let text = blotted(text);
        let source = Text::new(file, &text);
        let read = {
            let document = source.document();
            let there: Vec<&str> = document.get_ref().keys().map(|key| key.get_ref().as_ref()).collect();
            // What may not be set is told with its reason, and is no key that is offered.
            let names =
                verbs.iter().filter(|verb| verb.refused.is_none() || there.contains(&verb.name.as_str()));
            let names = names.map(|verb| verb.name.as_str());
            let mut keys: Vec<&str> = FOLDERS.into_iter().chain(["known"]).chain(names).collect();
            let secret = credentials(there.into_iter());
            keys.extend(secret.iter().map(String::as_str));
            let top = Table::new(&source, "a settings file", document.span(), document.get_ref(), &keys);
            refuse(&top, &secret).and(read_top(&top, verbs, &text, check))
        };
        source.finish(read)
    }
}

/// The names of credentials among keys.
fn credentials<'k>(keys: impl Iterator<Item = &'k str>) -> Vec<String> {
    keys.filter(|key| is_credential_name(key)).map(str::to_owned).collect()
}

/// Notes each secret that a table has.
fn refuse(table: &Table<'_>, secret: &[String]) -> Read<()> {
    let refused = secret.iter().filter_map(|key| table.get(key));
    every(refused.map(|entry| Err(entry.fail_at_key(SECRET, "this is one", SECRET_HELP.to_owned()))))
        .map(|_: Vec<()>| ())
}

fn read_top(top: &Table<'_>, verbs: &[Verb], text: &str, check: Check<'_>) -> Read<Settings> {
    let folders = FOLDERS.map(|kind| top.read(kind, read_folders));
    let tables = every(verbs.iter().map(|verb| {
        let read = top.read(&verb.name, |entry| read_verb(entry, verb, text, check));
        read.map(Option::unwrap_or_default)
    }));
    let known = top.read("known", |entry| read_known(entry, text));
    let [cassettes, scenarios, profiles] = folders;
    let beside = |kind: &str| vec![PathBuf::from(kind)];
    let folders = Folders {
        cassettes: cassettes?.unwrap_or_else(|| beside("cassettes")),
        scenarios: scenarios?.unwrap_or_else(|| beside("scenarios")),
        profiles: profiles?.unwrap_or_else(|| beside("profiles")),
    };
    let mut defaults: Vec<FlagDefault> = tables?.into_iter().flatten().collect();
    defaults.sort_by_key(|default| default.line);
    Ok(Settings { folders, defaults, known: known?.unwrap_or_default() })
}

/// One folder, or a list of them.
fn read_folders(entry: &Entry<'_>) -> Read<Vec<PathBuf>> {
    if entry.value().is_str() {
        return read_folder(entry).map(|folder| vec![folder]);
    }
    let items = entry.items(FOLDERS_HELP)?;
    if items.len() > MANY_MOST {
        return Err(entry.fail(format!("more than {MANY_MOST} folders"), "these are too many", None));
    }
    every(items.iter().map(read_folder))
}

fn read_folder(entry: &Entry<'_>) -> Read<PathBuf> {
    let folder = Path::new(entry.text(FOLDERS_HELP)?);
    let is_below = folder.components().all(|part| matches!(part, Component::Normal(_) | Component::CurDir));
    if folder.as_os_str().is_empty() || !is_below {
        let message = format!("`{}` must be folders below that of this file", entry.key);
        return Err(entry.fail(message, "this leads elsewhere", Some(FOLDERS_HELP.to_owned())));
    }
    Ok(folder.components().filter(|part| matches!(part, Component::Normal(_))).collect())
}

/// The defaults of a verb.
fn read_verb(entry: &Entry<'_>, verb: &Verb, text: &str, check: Check<'_>) -> Read<Vec<FlagDefault>> {
    if let Some(why) = &verb.refused {
        let message = format!("`{}` takes no defaults: {why}", verb.name);
        return Err(entry.fail_at_key(
            message,
            "not from a settings file",
            "leave this table out".to_owned(),
        ));
    }
    let members = entry.members().unwrap_or_default();
    let secret = credentials(members.iter().map(|member| member.key));
    let keys = verb.flags.iter().map(|flag| flag.key.as_str());
    let keys: Vec<&str> = keys.chain(secret.iter().map(String::as_str)).collect();
    let help = format!("write [{}] and below it a line for each flag", verb.name);
    let offered: Vec<&str> = {
        let is_refused =
            |key: &&str| verb.flags.iter().any(|flag| flag.key == **key && flag.refused.is_some());
        let is_there = |key: &&str| members.iter().any(|member| *member.key == **key);
        keys.into_iter().filter(|key| !is_refused(key) || is_there(key)).collect()
    };
    let table = entry.table(&verb.title, &offered, &help)?;
    let refused = refuse(&table, &secret);
    let own = members.iter().filter_map(|member| {
        let flag = verb.flags.iter().find(|flag| flag.key == member.key)?;
        Some(read_default(member, verb, flag, text, check))
    });
    let defaults = every(own);
    refused?;
    Ok(defaults?.into_iter().flatten().collect())
}

fn read_default(
    entry: &Entry<'_>,
    verb: &Verb,
    flag: &Flag,
    text: &str,
    check: Check<'_>,
) -> Read<Option<FlagDefault>> {
    if let Some(why) = &flag.refused {
        let message = format!("`{}` takes no default: {why}", flag.key);
        let help = format!("give it on the command line: --{}", flag.key.replace('_', "-"));
        return Err(entry.fail_at_key(message, "not from a settings file", help));
    }
    let values = match flag.takes {
        Takes::Nothing if entry.flag()? => vec![String::new()],
        Takes::Nothing => Vec::new(),
        Takes::One => vec![read_value(entry, verb, flag, check)?],
        Takes::Many if entry.value().is_array() => {
            let items = entry.items("")?;
            if items.len() > MANY_MOST {
                let message = format!("more than {MANY_MOST} values of `{}`", flag.key);
                return Err(entry.fail(message, "these are too many", None));
            }
            every(items.iter().map(|item| read_value(item, verb, flag, check)))?
        }
        Takes::Many => vec![read_value(entry, verb, flag, check)?],
    };
    if values.is_empty() {
        return Ok(None);
    }
    let line = line_of(text, entry.key_at.start);
    Ok(Some(FlagDefault { verb: verb.name.clone(), key: flag.key.clone(), values, line }))
}

/// The line of a place, from 1.
pub(super) fn line_of(text: &str, at: usize) -> usize {
    text.get(..at).unwrap_or_default().matches('\n').count() + 1
}

/// A value as it would stand on the command line.
fn read_value(entry: &Entry<'_>, verb: &Verb, flag: &Flag, check: Check<'_>) -> Read<String> {
    let value = match entry.value() {
        DeValue::String(text) => text.to_string(),
        DeValue::Integer(_) => entry.number(0..=u64::MAX)?.to_string(),
        _ => return Err(entry.wrong_kind("a text in quotes, or a whole number", None)),
    };
    if value.chars().any(char::is_control) {
        return Err(entry.fail(format!("`{}` has a control character", flag.key), "in this", None));
    }
    check(&verb.name, &flag.key, &value).map_err(|why| {
        let message = format!("`{}` cannot be this: {why}", flag.key);
        entry.fail(
            message,
            "not a value of it",
            Some(format!("`faultdeck {} --help` says what it takes", verb.name)),
        )
    })?;
    Ok(value)
}

/// Another mistake of the text, at a line.
#[cfg(feature = "cli")]
pub(crate) fn at_line(file: &str, text: &str, line: usize, message: String, label: String) -> Diagnostic {
    let text = blotted(text);
    let start: usize = text.split_inclusive('\n').take(line.saturating_sub(1)).map(str::len).sum();
    let length = text.get(start..).and_then(|rest| rest.lines().next()).map_or(0, str::len);
    Diagnostic { file: file.to_owned(), at: start..start + length, text, message, label, help: None }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verbs() -> Vec<Verb> {
        let flag = |key: &str, takes| Flag {
            key: key.to_owned(),
            takes,
            about: String::new(),
            refused: (key == "env").then(|| "it says what is run".to_owned()),
        };
        let flags = vec![
            flag("jobs", Takes::One),
            flag("report", Takes::Many),
            flag("fail_fast", Takes::Nothing),
            flag("env", Takes::Many),
        ];
        let verb = |name: &str, flags, refused| Verb {
            name: name.to_owned(),
            title: format!("`[{name}]`"),
            flags,
            refused,
        };
        vec![verb("run", flags, None), verb("record", Vec::new(), Some("it dials".to_owned()))]
    }

    fn read(text: &str) -> Result<Settings, Vec<String>> {
        let check = |_: &str, key: &str, value: &str| match (key, value) {
            ("jobs", "0") => Err("0 is too few".to_owned()),
            _ => Ok(()),
        };
        Settings::parse("faultdeck.toml", text, &verbs(), &check)
            .map_err(|mistakes| mistakes.shown().iter().map(|mistake| mistake.message.clone()).collect())
    }

    #[test]
    fn folders_and_defaults_are_read_in_the_order_of_the_file() {
        let settings = read(
            "scenarios = [\"tests/faults\", \"./more/\"]\n[run]\nreport = \"junit=r.xml\"\njobs = 2\nfail_fast = false\n",
        );
        let settings = settings.unwrap();
        assert_eq!(settings.folders.scenarios, [PathBuf::from("tests/faults"), PathBuf::from("more")]);
        assert_eq!(settings.folders.cassettes, [PathBuf::from("cassettes")]);
        let defaults: Vec<_> =
            settings.defaults.iter().map(|it| (it.key.as_str(), it.values.join(","), it.line)).collect();
        assert_eq!(defaults, [("report", "junit=r.xml".to_owned(), 3), ("jobs", "2".to_owned(), 4)]);
        assert_eq!(read("").unwrap().folders.profiles, [PathBuf::from("profiles")]);
    }

    #[test]
    fn all_that_is_wrong_is_told_at_once() {
        let text = "cassettes = \"../elsewhere\"\nprofiles = [\"/etc\"]\nsec = \"geheim\"\n[run]\njobs = 0\nenv = \"A=b\"\nfail-fast = true\ntoken = 1\n[record]\n";
        assert_eq!(
            read(text).unwrap_err(),
            [
                "`cassettes` must be folders below that of this file",
                "`profiles` must be folders below that of this file",
                SECRET,
                "`jobs` cannot be this: 0 is too few",
                "`env` takes no default: it says what is run",
                "unknown key `fail-fast` in `[run]`",
                SECRET,
                "`record` takes no defaults: it dials",
            ]
        );
        let mistakes = Settings::parse("x", text, &verbs(), &|_, _, _| Ok(())).unwrap_err();
        assert!(mistakes.shown().iter().all(|mistake| !mistake.text.contains("geheim")));
    }
}

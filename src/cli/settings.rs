//! `faultdeck.toml` on the command line: the file that holds is found and read, its folders are installed, and its defaults
//! are put into the arguments, before they are read for good.
//!
//! Every long flag of a verb can be given a default, and an argument that may be left out. What is excepted follows from
//! the table of flags itself (`settings/table.rs`).

mod known;
mod schema;
mod table;

use std::ffi::OsString;
use std::path::{Component, Path, PathBuf};
use std::sync::OnceLock;

use clap::parser::ValueSource;
use clap::{Arg, ArgMatches, Command};

use super::output;
use super::problem::Problem;
use crate::files;
use crate::files::folders::Folders;
use crate::report::visible;
use crate::settings::{FlagDefault, KnownEntry, LARGEST_BYTES, Settings, at_line, find};
use crate::written::{Diagnostic, Mistakes};

pub(super) use known::knowns;
pub(super) use schema::schema;
pub(super) use table::BY_HAND;

/// The word that asks for none.
const NONE: &str = "none";
/// Verbs that take nothing from a settings file, beside those that nobody types: a broken one stands in no way of theirs.
const WITHOUT: [&str; 4] = ["completions", "doctor", "init", "man"];

/// Which settings file holds.
#[derive(Debug, Default, clap::Args)]
pub(super) struct Asked {
    /// Takes folders, defaults of flags and known failures from this file in place of the nearest `faultdeck.toml`; `none`
    /// takes none.
    #[arg(long = "settings", value_name = "FILE|none", global = true, help_heading = "Settings")]
    pub(super) file: Option<PathBuf>,
}

/// What holds in this process.
#[derive(Debug, Default)]
struct InForce {
    /// What `--settings` said, if it was given.
    asked: Option<String>,
    file: String,
    /// The defaults that were taken over.
    taken: Vec<FlagDefault>,
    /// Failures that are known.
    known: Vec<KnownEntry>,
}

/// The flag that names a settings file.
const FLAG: &str = "--settings";

static IN_FORCE: OnceLock<InForce> = OnceLock::new();

/// What `--settings` said: a command line that does the same again has to say it, too.
pub(super) fn named() -> Option<&'static str> {
    IN_FORCE.get().and_then(|it| it.asked.as_deref())
}

/// Whether a flag of this verb has its value from a settings file, or could have: a command line that does the same again
/// then has to name it, whatever its value is.
pub(super) fn speaks_of(key: &str) -> bool {
    IN_FORCE.get().is_some_and(|it| it.taken.iter().any(|default| default.key == key))
}

/// What to say beside an argument that is wrong: it may not stand on the command line at all.
pub(super) fn origin() -> Option<String> {
    let InForce { file, taken, .. } = IN_FORCE.get().filter(|it| !it.taken.is_empty())?;
    let flags: Vec<String> =
        taken.iter().map(|default| format!("{} (line {})", shown(default), default.line)).collect();
    Some(format!("{file} adds to the command line: {}", flags.join(", ")))
}

/// The file that holds, by its name as the user knows it: the one that is asked for, else the nearest.
pub(super) fn file(asked: Option<&Path>) -> Option<PathBuf> {
    match asked {
        Some(file) if file == Path::new(NONE) => None,
        Some(file) => Some(file.to_owned()),
        None => find(&std::env::current_dir().ok()?),
    }
}

/// What a settings file says.
///
/// # Errors
/// If it cannot be read, or has mistakes.
pub(super) fn read(file: &Path) -> Result<Settings, Problem> {
    let text = files::read_text(file, LARGEST_BYTES).map_err(|error| Problem::file("read", file, error))?;
    parse(&file.display().to_string(), &text).map_err(Problem::mistakes)
}

/// What a text says as a settings file.
///
/// # Errors
/// All its mistakes.
pub(super) fn parse(file: &str, text: &str) -> Result<Settings, Mistakes> {
    let mut command = super::command();
    command.build();
    let verbs = table::verbs(&command);
    let check = |verb: &str, key: &str, value: &str| table::check(&command, verb, key, value);
    let settings = Settings::parse(file, text, &verbs, &check)?;
    let among = |one: &FlagDefault, other: &FlagDefault| {
        let verb = command.find_subcommand(&one.verb).filter(|_| one.verb == other.verb)?;
        let (this, that) = (table::argument(verb, &one.key)?, table::argument(verb, &other.key)?);
        table::exclude(verb, this, that).then(|| {
            let message = format!("`{}` and `{}` exclude each other", one.key, other.key);
            at_line(file, text, other.line, message, format!("`{}` stands on line {}", one.key, one.line))
        })
    };
    let mut all = settings.defaults.iter().enumerate();
    let twice =
        all.find_map(|(place, other)| settings.defaults.iter().take(place).find_map(|one| among(one, other)));
    let mistakes: Vec<Diagnostic> = twice.into_iter().chain(known::unknown(file, text, &settings)).collect();
    let mut mistakes = mistakes.into_iter();
    match mistakes.next() {
        Some(first) => Err(Mistakes::from(first).and(mistakes)),
        None => Ok(settings),
    }
}

/// The arguments with the defaults of the settings file that holds; its folders are installed.
///
/// # Errors
/// If the file cannot be read, has mistakes, or leads out of its own folder.
pub(super) fn put_into(
    command: impl FnOnce() -> Command,
    arguments: Vec<OsString>,
) -> Result<Vec<OsString>, Problem> {
    // Most calls have no settings: then nothing is worth building the table of all flags twice.
    let is_asked = |word: &OsString| word.as_encoded_bytes().starts_with(FLAG.as_bytes());
    if !arguments.iter().any(is_asked) && file(None).is_none() {
        let _ = IN_FORCE.set(InForce::default());
        return Ok(arguments);
    }
    let command = &command();
    // What is wrong with them is told later, when they are complete.
    let lenient = command.clone().ignore_errors(true).try_get_matches_from(&arguments);
    let Ok(matches) = lenient else { return Ok(arguments) };
    let Some((name, given)) = matches.subcommand() else { return Ok(arguments) };
    let Some(verb) =
        command.find_subcommand(name).filter(|verb| !verb.is_hide_set() && !WITHOUT.contains(&name))
    else {
        return Ok(arguments);
    };
    let asked = given.get_one::<PathBuf>("file").or_else(|| matches.get_one::<PathBuf>("file"));
    let named = asked.map(|asked| asked.display().to_string());
    let Some(file) = file(asked.map(PathBuf::as_path)) else {
        let _ = IN_FORCE.set(InForce { asked: named, ..InForce::default() });
        return Ok(arguments);
    };
    let Settings { folders, defaults, known } = read(&file)?;
    let above = file.parent().unwrap_or(Path::new(""));
    folders_at(above, folders)?.install();
    // Defaults are for who types a command line. A test tool that starts a run for one test wants that run and no other.
    let is_of_a_tool = given.try_contains_id("stands_for").unwrap_or(false);
    let own: Vec<FlagDefault> = match given.subcommand() {
        // A verb within a verb has flags of its own.
        Some(_) => Vec::new(),
        None if is_of_a_tool => Vec::new(),
        None => defaults.into_iter().filter(|default| default.verb == name).collect(),
    };
    let taken: Vec<FlagDefault> =
        own.into_iter().filter(|default| is_wanted(verb, given, default, &file)).collect();
    for default in &taken {
        stays_inside(verb, default, &file)?;
    }
    let words: Vec<OsString> = taken.iter().flat_map(|default| words(verb, default)).collect();
    let shown_file = file.display().to_string();
    if !taken.is_empty() {
        let flags: Vec<String> = taken.iter().map(shown).collect();
        output::note(&visible(&format!("from {shown_file}: {}", flags.join(", "))));
    }
    let _ = IN_FORCE.set(InForce { asked: named, file: shown_file, taken, known });
    Ok(with(command, name, arguments, words))
}

/// Whether a default counts: nothing of the command line stands in its way.
fn is_wanted(verb: &Command, given: &ArgMatches, default: &FlagDefault, file: &Path) -> bool {
    let is_given =
        |argument: &Arg| given.value_source(argument.get_id().as_str()) == Some(ValueSource::CommandLine);
    let Some(own) = table::argument(verb, &default.key) else { return false };
    if is_given(own) {
        return false;
    }
    let other = verb.get_arguments().find(|other| is_given(other) && table::exclude(verb, own, other));
    if let Some(other) = other {
        let line = format!(
            "{}:{}: {} is left aside: it does not go with `{}` of the command line",
            file.display(),
            default.line,
            shown(default),
            table::name(other)
        );
        output::note(&visible(&line));
    }
    other.is_none()
}

/// `jobs = 2`.
fn shown(default: &FlagDefault) -> String {
    let FlagDefault { key, values, .. } = default;
    match values.as_slice() {
        [switch] if switch.is_empty() => key.clone(),
        values => format!("{key} = {}", values.join(", ")),
    }
}

/// A default as it stands on a command line.
fn words(verb: &Command, default: &FlagDefault) -> Vec<OsString> {
    let long = table::argument(verb, &default.key).and_then(Arg::get_long);
    let word = |value: &String| match long {
        None => value.clone(),
        Some(long) if value.is_empty() => format!("--{long}"),
        Some(long) => format!("--{long}={value}"),
    };
    default.values.iter().map(|value| word(value).into()).collect()
}

/// The arguments with `words` right behind the verb: flags that stand before it have their values beside them.
fn with(command: &Command, verb: &str, arguments: Vec<OsString>, words: Vec<OsString>) -> Vec<OsString> {
    let takes_next = |word: &OsString| {
        let long = word.to_str().and_then(|word| word.strip_prefix("--"));
        let flag = long.and_then(|long| command.get_arguments().find(|it| it.get_long() == Some(long)));
        flag.is_some_and(|flag| flag.get_action().takes_values())
    };
    let mut place = 1;
    while let Some(word) = arguments.get(place) {
        if word == verb {
            let mut all = arguments;
            all.splice(place + 1..=place, words);
            return all;
        }
        place += if takes_next(word) { 2 } else { 1 };
    }
    arguments
}

/// The folders of a file in the folder `above`.
///
/// # Errors
/// If one leads elsewhere, by a link.
fn folders_at(above: &Path, folders: Folders) -> Result<Folders, Problem> {
    let at = |all: Vec<PathBuf>| -> Result<Vec<PathBuf>, Problem> {
        let placed: Vec<PathBuf> = all.into_iter().map(|folder| above.join(folder)).collect();
        match placed.iter().find(|folder| !is_inside(above, folder)) {
            Some(folder) => Err(leads_out(&folder.display().to_string(), "the settings file")),
            None => Ok(placed),
        }
    };
    Ok(Folders {
        cassettes: at(folders.cassettes)?,
        scenarios: at(folders.scenarios)?,
        profiles: at(folders.profiles)?,
    })
}

/// No default names a file outside of the working folder: nobody but the user may have one written, or read, there.
///
/// # Errors
/// If one does.
fn stays_inside(verb: &Command, default: &FlagDefault, file: &Path) -> Result<(), Problem> {
    let Some(argument) = table::argument(verb, &default.key).filter(|it| table::names_a_file(it)) else {
        return Ok(());
    };
    let path = |value: &String| PathBuf::from(table::path_of(argument, value));
    let is_plain =
        |path: &Path| path.components().all(|part| matches!(part, Component::Normal(_) | Component::CurDir));
    let stray =
        default.values.iter().map(path).find(|path| !is_plain(path) || !is_inside(Path::new(""), path));
    match stray {
        None => Ok(()),
        Some(path) => {
            let place = format!("{}:{}: {}", file.display(), default.line, path.display());
            Err(leads_out(&place, "the working folder"))
        }
    }
}

fn leads_out(what: &str, of: &str) -> Problem {
    Problem::input(format!("{what} leads out of {of}, which settings may not do"))
        .help("give it on the command line, or leave the settings aside with `--settings none`")
}

/// Whether a path leads to something below `folder`, wherever its links lead.
fn is_inside(folder: &Path, path: &Path) -> bool {
    let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
    let Ok(folder) = folder.canonicalize() else { return false };
    let whole = path.ancestors().find(|above| above.symlink_metadata().is_ok());
    let whole = whole.filter(|above| !above.as_os_str().is_empty()).unwrap_or(Path::new("."));
    // A link to nothing would be written through.
    whole.canonicalize().is_ok_and(|whole| whole.starts_with(folder))
}

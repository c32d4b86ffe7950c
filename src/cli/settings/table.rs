//! Which flags a settings file may give a default, as the table of flags has it.
//!
//! A settings file comes with a project, and a stranger may have written it. So no default decides who is asked, who is let
//! in, who is vouched for or what is run, and none changes a file that is there. That is:
//!
//! - no flag of a verb that cannot do without `--upstream`: it asks a console
//! - no flag of the group [`BY_HAND`]: each says so where it is defined
//! - no flag whose value is a host, an address or a URL, by what its value is called
//! - what names a file stays below the working folder (`settings.rs`)

use clap::builder::Str;
use clap::error::ErrorKind;
use clap::{Arg, ArgAction, Command};

use crate::settings::{Flag, Takes, Verb};

/// The group of flags that are given by hand alone.
pub(in crate::cli) const BY_HAND: &str = "by-hand";
/// What values are called that say where something is in the network.
const PLACES: [&str; 4] = ["URL", "HOST", "ADDRESS", "ORIGIN"];
/// What values are called that are files or folders.
const FILES: [&str; 3] = ["FILE", "DIR", "FOLDER"];

/// All verbs, each with its flags.
pub(super) fn verbs(command: &Command) -> Vec<Verb> {
    let is_shown = |verb: &&Command| !verb.is_hide_set() && verb.get_name() != "help";
    let verbs = command.get_subcommands().filter(is_shown).map(|verb| Verb {
        name: verb.get_name().to_owned(),
        title: format!("`[{}]`", verb.get_name()),
        flags: offered(verb).map(|argument| flag(verb, argument)).collect(),
        refused: dials(verb).then(|| "it asks a console, and you alone say which, and how".to_owned()),
    });
    verbs.filter(|verb| !verb.flags.is_empty()).collect()
}

fn dials(verb: &Command) -> bool {
    let needs = |verb: &Command| {
        verb.get_arguments().any(|it| it.get_long() == Some("upstream") && it.is_required_set())
    };
    needs(verb) || verb.get_subcommands().any(needs)
}

/// Whatever can be told of by a name of its own.
fn offered(verb: &Command) -> impl Iterator<Item = &Arg> {
    verb.get_arguments().filter(|argument| {
        let is_ours = argument.is_global_set()
            || matches!(
                argument.get_action(),
                ArgAction::Help | ArgAction::HelpLong | ArgAction::HelpShort | ArgAction::Version
            );
        let is_one = matches!(argument.get_action(), ArgAction::Set);
        let is_named_place = is_one && !argument.is_last_set() && !argument.is_required_set();
        !is_ours && (argument.get_long().is_some() || is_named_place)
    })
}

/// What it is called in a settings file.
fn key(argument: &Arg) -> String {
    argument.get_long().unwrap_or(argument.get_id().as_str()).replace('-', "_")
}

/// The argument of this key.
pub(super) fn argument<'c>(verb: &'c Command, key: &str) -> Option<&'c Arg> {
    offered(verb).find(|argument| self::key(argument) == key)
}

/// What it is called on the command line.
pub(super) fn name(argument: &Arg) -> String {
    match argument.get_long() {
        Some(long) => format!("--{long}"),
        None => value_name(argument),
    }
}

fn value_name(argument: &Arg) -> String {
    let names = argument.get_value_names().unwrap_or_default();
    names.first().map_or_else(|| argument.get_id().to_string(), Str::to_string)
}

fn words(argument: &Arg) -> Vec<String> {
    let letters = |letter: char| !letter.is_ascii_alphabetic();
    value_name(argument).split(letters).map(str::to_owned).collect()
}

fn flag(verb: &Command, argument: &Arg) -> Flag {
    let takes = match argument.get_action() {
        ArgAction::Append => Takes::Many,
        action if action.takes_values() => Takes::One,
        _ => Takes::Nothing,
    };
    let about = argument.get_help().map(ToString::to_string).unwrap_or_default();
    Flag { key: key(argument), takes, about, refused: refused(verb, argument) }
}

fn refused(verb: &Command, argument: &Arg) -> Option<String> {
    let by_hand = verb.get_groups().find(|group| group.get_id() == BY_HAND);
    let is_by_hand = by_hand.is_some_and(|group| group.get_args().any(|id| id == argument.get_id()));
    let is_place = words(argument).iter().any(|word| PLACES.contains(&word.as_str()));
    let why = match () {
        () if is_by_hand => {
            "who is asked, who is let in, what is vouched for and what is run is for you alone to say"
        }
        () if is_place && argument.get_action().takes_values() => "it says where something is in the network",
        () => return None,
    };
    Some(why.to_owned())
}

/// Whether its value is a file or a folder.
pub(super) fn names_a_file(argument: &Arg) -> bool {
    words(argument).iter().any(|word| FILES.contains(&word.as_str()))
}

/// The file in a value: what stands behind `FORMAT=`.
pub(super) fn path_of<'v>(argument: &Arg, value: &'v str) -> &'v str {
    let has_form = value_name(argument).contains('=');
    value.split_once('=').filter(|_| has_form).map_or(value, |(_, file)| file)
}

/// Whether two flags do not go together.
pub(super) fn exclude(verb: &Command, one: &Arg, other: &Arg) -> bool {
    let excludes = |one: &Arg, other: &Arg| {
        verb.get_arg_conflicts_with(one).iter().any(|it| it.get_id() == other.get_id())
    };
    excludes(one, other) || excludes(other, one)
}

/// What the flag itself says against a value.
pub(super) fn check(command: &Command, verb: &str, key: &str, value: &str) -> Result<(), String> {
    let Some(verb) = command.find_subcommand(verb) else { return Ok(()) };
    let Some(argument) = argument(verb, key) else { return Ok(()) };
    let word = match argument.get_long() {
        Some(long) => format!("--{long}={value}"),
        None if value.starts_with('-') => return Err("it would be read as a flag".to_owned()),
        None => value.to_owned(),
    };
    let read = verb.clone().try_get_matches_from([verb.get_name().to_owned(), word]);
    let error = match read {
        Ok(_) => return Ok(()),
        Err(error) => error,
    };
    match error.kind() {
        // What is missing, or does not go together, is seen where all is together.
        ErrorKind::MissingRequiredArgument | ErrorKind::ArgumentConflict | ErrorKind::MissingSubcommand => {
            Ok(())
        }
        _ => Err(in_a_line(&error.to_string())),
    }
}

/// What clap says, without its opening word and its hint at `--help`.
fn in_a_line(error: &str) -> String {
    let text = error.strip_prefix("error: ").unwrap_or(error);
    let lines = text.lines().take_while(|line| !line.starts_with("Usage:") && !line.starts_with("For more"));
    let parts: Vec<&str> = lines.map(str::trim).filter(|line| !line.is_empty()).collect();
    parts.join(" ")
}

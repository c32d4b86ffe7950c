//! Credentials in a command line, as programs are usually given them.

use super::bodies::text;
use super::looks;
use super::names::Likeness;
use super::place::{Place, What};
use super::places::{Visit, header, target};
use super::rules::Rules;
use crate::message::Header;

/// The words of a command line with the visited values put in place: what follows `--token` or `--token=`, in
/// `TOKEN=...`, in a header (`-H 'SEC: ...'`), after `-u user:`, in a URL, and whatever a text of any kind shows.
pub(super) fn arguments(words: &[String], rules: &Rules, visit: &mut Visit<'_>) -> Vec<String> {
    let visit: &mut Visit<'_> =
        &mut |place, value| if is_reference(value) { None } else { visit(place, value) };
    let mut out = Vec::with_capacity(words.len());
    let mut flag: Option<&str> = None;
    for word in words {
        let after = flag.take();
        out.push(match after.and_then(|flag| after_flag(flag, word, rules, visit)) {
            Some(new) => new,
            None => by_itself(word, rules, visit),
        });
        // `--token=abc` and `-HSEC:abc` have their value already.
        flag = (word.starts_with('-') && !word.contains(['=', ':'])).then_some(word.as_str());
    }
    out
}

/// Whether a value is no credential, but says where a shell finds one: `$SEC_TOKEN`, `${SEC_TOKEN}`, `$(pass show x)`. A
/// name in small letters may as well be a password.
fn is_reference(value: &[u8]) -> bool {
    let Some(rest) = value.trim_ascii().strip_prefix(b"$") else { return false };
    if rest.starts_with(b"(") {
        return rest.ends_with(b")");
    }
    let name = rest.strip_prefix(b"{").map_or(Some(rest), |inner| inner.strip_suffix(b"}"));
    name.is_some_and(|name| {
        let is_plain = |byte: &u8| byte.is_ascii_uppercase() || byte.is_ascii_digit() || *byte == b'_';
        name.iter().all(is_plain) && name.first().is_some_and(|first| !first.is_ascii_digit())
    })
}

/// A word that the flag before it speaks of.
fn after_flag(flag: &str, word: &str, rules: &Rules, visit: &mut Visit<'_>) -> Option<String> {
    if word.starts_with('-') {
        return None;
    }
    if matches!(flag, "-u" | "-U" | "--user" | "--proxy-user" | "--basic") {
        let (user, password) = word.split_once(':')?;
        return visit(&Place::new(What::Argument, flag), password.as_bytes())
            .map(|new| format!("{user}:{new}"));
    }
    if matches!(flag, "-b" | "--cookie") {
        return header_value("Cookie", word, rules, visit);
    }
    let likeness = rules.likeness(flag.trim_start_matches('-'))?;
    if likeness == Likeness::Maybe && !looks::secret(word.as_bytes()) {
        return None;
    }
    visit(&Place::new(What::Argument, flag), word.as_bytes())
}

fn by_itself(word: &str, rules: &Rules, visit: &mut Visit<'_>) -> String {
    // `SEC: abc`, `-HSEC: abc`: a header, with all that a header can hold.
    let start = if word.starts_with("-H") {
        2
    } else {
        word.find('=').filter(|_| word.starts_with("--")).map_or(0, |at| at + 1)
    };
    let (before, line) = word.split_at(start);
    if let Some((name, value)) = line.split_once(':')
        && is_header_name(name)
        && let Some(new) = header_value(name, value.trim(), rules, visit)
    {
        let blanks = value.get(..value.len() - value.trim_start().len()).unwrap_or_default();
        return format!("{before}{name}:{blanks}{new}");
    }
    // `--token=abc`, `TOKEN=abc`: all of the rest is the value, blanks included.
    if let Some((name, value)) = word.split_once('=')
        && !value.is_empty()
        && !name.contains([' ', '/', '?', '&', ':'])
        && rules
            .likeness(name.trim_start_matches('-'))
            .is_some_and(|it| it == Likeness::Sure || looks::secret(value.as_bytes()))
        && let Some(new) = visit(&Place::new(What::Argument, name), value.as_bytes())
    {
        return format!("{name}={new}");
    }
    if word.contains("://") || word.contains('?') {
        return target(word, rules, visit);
    }
    text(word.as_bytes(), rules, visit)
        .map_or_else(|| word.to_owned(), |new| String::from_utf8_lossy(&new).into_owned())
}

fn is_header_name(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
}

fn header_value(name: &str, value: &str, rules: &Rules, visit: &mut Visit<'_>) -> Option<String> {
    let line = Header { name: name.to_owned(), value: value.to_owned().into() };
    header(&line, rules, visit).map(|new| String::from_utf8_lossy(&new).into_owned())
}

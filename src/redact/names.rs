//! What counts as a credential by its name, and what a redacted value looks like.
//!
//! A name is cut into words (`clientSecret`, `client-secret` and `CLIENT_SECRET` are the same two) and its last words
//! decide: `token_count` counts tokens, `access_token` is one.

use std::cell::RefCell;
use std::collections::HashMap;

use foldhash::quality::RandomState;
use sha2::{Digest, Sha256};

use super::looks;

/// How every redacted value starts.
pub(super) const PREFIX: &str = "fd-secret-";
/// What it has before its first dash, by which it is looked for.
const PREFIX_WORD: &str = "fd";

/// The rules of this page in words; its hash stands in each cassette, so that a later change of policy shows.
pub(super) const POLICY: &str = "2; headers SEC Authorization Proxy-Authorization Cookie Set-Cookie QRadarCSRF; \
     names of headers, parameters, members, elements, attributes and arguments by their last words; the value beside \
     such a name; bearer and basic credentials, web tokens, private keys, passwords in URLs; known values of 8 bytes \
     and more that are no ordinary word everywhere";

/// Eight hex digits that name the redaction policy a cassette was written under.
pub(super) fn policy_hash() -> String {
    hash8(POLICY)
}

pub(super) fn hash8(policy: &str) -> String {
    Sha256::digest(policy.as_bytes()).iter().take(4).map(|byte| format!("{byte:02x}")).collect()
}

/// How surely a name speaks of a credential.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Likeness {
    /// `password`, `access_token`, `apiKey`: whatever text stands there is a secret.
    Sure,
    /// `session`, `auth`: a value that looks like a secret is one; `basic` or `12` is not.
    Maybe,
}

/// Words that name a credential where they stand last.
const SURE: &[&str] = &[
    "token",
    "secret",
    "password",
    "passwd",
    "passphrase",
    "passcode",
    "pass",
    "pwd",
    "psk",
    "jwt",
    "bearer",
    "credential",
    "csrf",
    "xsrf",
    "otp",
    "totp",
];
/// Words that may name a credential where they stand last.
const MAYBE: &[&str] = &["session", "auth", "authorization", "authorisation", "cookie"];
/// Ends of a word written together (`authtoken`, `jsessionid`) that name a credential.
const ENDS: &[&str] = &[
    "token",
    "secret",
    "password",
    "passwd",
    "passphrase",
    "passcode",
    "pwd",
    "apikey",
    "secretkey",
    "privatekey",
    "accesskey",
    "authkey",
    "jwt",
    "sessionid",
    "sessid",
    "sessionkey",
    "csrf",
    "xsrf",
    "credential",
];
/// What a key opens, or who holds it, if it is a secret one. A key of a map, a table or a registry is none.
const KEYS: &[&str] = &[
    "api",
    "app",
    "secret",
    "private",
    "priv",
    "access",
    "account",
    "admin",
    "auth",
    "authentication",
    "authorization",
    "client",
    "consumer",
    "decryption",
    "deploy",
    "encryption",
    "hmac",
    "license",
    "master",
    "session",
    "shared",
    "signing",
    "storage",
    "subscription",
];
/// Last words that say in which form the credential before them stands.
const FORMS: &[&str] = &[
    "value",
    "hash",
    "digest",
    "text",
    "string",
    "raw",
    "plain",
    "plaintext",
    "base",
    "hex",
    "encoded",
    "encrypted",
    "header",
    "new",
    "old",
    "current",
    "default",
    "confirm",
    "confirmation",
    "confirmed",
    "again",
    "repeat",
    "verify",
    "v",
    "sha",
    "md",
];

/// Whether, and how surely, a parameter, member, header, element, attribute or argument of this name holds a
/// credential. Ours, after the names seen in practice.
pub(super) fn likeness(name: &str) -> Option<Likeness> {
    if name.len() > NAME_MAX || holds_placeholder(name.as_bytes()) {
        return None;
    }
    NameParts::of(name).map_or_else(|| likeness_of(&words(name)), |parts| parts.likeness())
}

/// How many names are remembered; then they are forgotten and begun anew.
const REMEMBERED_MAX: usize = 1024;
/// Longer names are not remembered.
const REMEMBERED_LENGTH_MAX: usize = 48;

thread_local! {
    /// What was found out about names: the same stand in every message.
    static REMEMBERED: RefCell<HashMap<Box<str>, Option<Likeness>, RandomState>> = RefCell::default();
}

/// The same, remembered: for what is the name of a member, a header, a parameter, and not any text.
pub(super) fn remembered_likeness(name: &str) -> Option<Likeness> {
    // Numbers in a path are many, and no names.
    if name.bytes().all(|byte| byte.is_ascii() && !byte.is_ascii_alphabetic()) {
        return None;
    }
    if name.len() > REMEMBERED_LENGTH_MAX {
        return likeness(name);
    }
    REMEMBERED.with_borrow_mut(|remembered| {
        if let Some(found) = remembered.get(name) {
            return *found;
        }
        if remembered.len() >= REMEMBERED_MAX {
            remembered.clear();
        }
        let found = likeness(name);
        remembered.insert(name.into(), found);
        found
    })
}

/// Forgets all names.
#[cfg(test)]
pub(super) fn forget() {
    REMEMBERED.take();
}

/// The same for a name that is no ASCII, or has more words than [`NameParts`] holds.
fn likeness_of(words: &[String]) -> Option<Likeness> {
    let words: Vec<&str> =
        words.iter().map(|word| unnumbered(word)).filter(|word| !word.is_empty()).collect();
    by_words(&words)
}

/// By words without their numbers, none of them empty.
fn by_words(words: &[&str]) -> Option<Likeness> {
    let mut words = words;
    let (last, before) = loop {
        let (last, before) = words.split_last()?;
        if before.is_empty() || !FORMS.contains(&singular(last)) {
            break (singular(last), before);
        }
        words = before;
    };
    let owner = before.last().copied().map(singular).unwrap_or_default();
    let is_sure = SURE.contains(&last)
        || ENDS.iter().any(|end| last.ends_with(end))
        || (last == "key" && KEYS.contains(&owner))
        || (last == "id" && matches!(owner, "session" | "sess" | "jsession"))
        || (last == "sec" && matches!(before, [] | ["x"] | ["qradar"] | ["q", "radar"]));
    // Several sessions (`session_ids`, `authorizations`) are a list of something else.
    let likeness = if is_sure { Likeness::Sure } else { MAYBE.contains(&last).then_some(Likeness::Maybe)? };
    (!before.contains(&"public")).then_some(likeness)
}

/// The words of a name of ASCII, where they fit on the stack: names are asked about for every member of every body.
struct NameParts {
    letters: [u8; NAME_MAX],
    /// Where each word begins and ends, without its number.
    places: [(u8, u8); PARTS_MAX],
    many: usize,
}

/// Words of a name that are read without an allocation.
const PARTS_MAX: usize = 16;

impl NameParts {
    fn of(name: &str) -> Option<Self> {
        let mut parts = Self { letters: [0; NAME_MAX], places: [(0, 0); PARTS_MAX], many: 0 };
        let (mut length, mut start) = (0_u8, 0_u8);
        let (mut after_small, mut fresh) = (false, true);
        for byte in name.bytes() {
            if !byte.is_ascii_alphanumeric() {
                if !byte.is_ascii() {
                    return None;
                }
                fresh = true;
                continue;
            }
            if fresh || (after_small && byte.is_ascii_uppercase()) {
                parts.put(start, length)?;
                start = length;
            }
            fresh = false;
            after_small = byte.is_ascii_lowercase() || byte.is_ascii_digit();
            *parts.letters.get_mut(usize::from(length))? = byte.to_ascii_lowercase();
            length += 1;
        }
        parts.put(start, length)?;
        Some(parts)
    }

    fn put(&mut self, start: u8, end: u8) -> Option<()> {
        let word = self.letters.get(usize::from(start)..usize::from(end))?;
        let digits = word.iter().rev().take_while(|byte| byte.is_ascii_digit()).count();
        let end = end.saturating_sub(u8::try_from(digits).ok()?);
        if end > start {
            *self.places.get_mut(self.many)? = (start, end);
            self.many += 1;
        }
        Some(())
    }

    fn likeness(&self) -> Option<Likeness> {
        let mut words = [""; PARTS_MAX];
        for (word, (start, end)) in words.iter_mut().zip(self.places).take(self.many) {
            *word = std::str::from_utf8(self.letters.get(usize::from(start)..usize::from(end))?).ok()?;
        }
        by_words(words.get(..self.many)?)
    }
}

/// The longest name, in bytes, that is looked at: a longer one is no name.
pub(super) const NAME_MAX: usize = 128;

/// Whether a parameter, member or header of this name can hold a credential. See [`is_secret`] for its value.
pub fn is_credential_name(name: &str) -> bool {
    likeness(name).is_some()
}

/// Whether all that stands below a member of this name is a credential, lists and objects included.
pub(crate) fn covers(name: &str) -> bool {
    likeness(name) == Some(Likeness::Sure)
}

/// Whether a value of this name is a credential, or was one before it was redacted.
pub fn is_secret(name: &str, value: &str) -> bool {
    match likeness(name) {
        // The shell's working folder is called like a password.
        Some(Likeness::Sure) => !(is_folder_name(name) && value.starts_with('/')),
        Some(Likeness::Maybe) => is_redacted(value.as_bytes()) || looks::secret(value.as_bytes()),
        None => false,
    }
}

fn is_folder_name(name: &str) -> bool {
    name.to_ascii_lowercase().ends_with("pwd")
}

/// A word without its number: `token2`.
fn unnumbered(word: &str) -> &str {
    word.trim_end_matches(|c: char| c.is_ascii_digit())
}

/// A word without its plural: `tokens`. Plurals of what may be a credential stay.
fn singular(word: &str) -> &str {
    match word.strip_suffix('s') {
        Some(one) if SURE.contains(&one) || ENDS.contains(&one) || one == "key" => one,
        _ => word,
    }
}

/// The words of `some_name`, `some-name`, `someName`, `SOME_NAME`, in lower case.
pub(super) fn words(name: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    let mut after_small = false;
    let mut fresh = true;
    for c in name.chars() {
        if !c.is_alphanumeric() {
            fresh = true;
            continue;
        }
        if fresh || (after_small && c.is_uppercase()) {
            words.push(String::new());
        }
        fresh = false;
        after_small = c.is_lowercase() || c.is_ascii_digit();
        if let Some(word) = words.last_mut() {
            word.extend(c.to_lowercase());
        }
    }
    words
}

/// What stands in a secret's place: legal in a header, a target, a cookie, a JSON string and plain text.
pub(super) fn placeholder(number: usize) -> String {
    format!("{PREFIX}{number}")
}

/// Whether a value is already redacted: `fd-secret-` and digits.
pub(crate) fn is_redacted(value: &[u8]) -> bool {
    value
        .strip_prefix(PREFIX.as_bytes())
        .is_some_and(|digits| !digits.is_empty() && digits.iter().all(u8::is_ascii_digit))
}

/// Whether a placeholder stands somewhere in a value: it was redacted before, and what is around it is no secret's.
pub(super) fn holds_placeholder(value: &[u8]) -> bool {
    value.len() >= PREFIX.len()
        && memchr::memchr_iter(b'-', value).any(|at| {
            at.checked_sub(PREFIX_WORD.len())
                .and_then(|start| value.get(start..))
                .is_some_and(|rest| rest.starts_with(PREFIX.as_bytes()))
        })
}

/// Whether a value is part of a placeholder, or the name of a credential itself: never looked for elsewhere.
pub(super) fn is_of_ours(value: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(value) else { return false };
    let in_placeholder = text.trim_end_matches(|c: char| c.is_ascii_digit());
    (!in_placeholder.is_empty() && PREFIX.contains(in_placeholder))
        || (is_credential_name(text) && !text.contains(|c: char| c.is_ascii_digit()))
        || ["proxy-authorization", "set-cookie"].iter().any(|name| text.eq_ignore_ascii_case(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_like_a_credential_are_told_from_others() {
        for name in [
            "token",
            "tokens",
            "access_token",
            "api_key",
            "apiKey",
            "APIKey",
            "API-KEY",
            "x-api-key",
            "apikey",
            "password",
            "password2",
            "userPassword",
            "old_password",
            "password_confirmation",
            "passwordHash",
            "clientSecret",
            "X-Auth-Token",
            "sec",
            "SEC",
            "X-SEC",
            "secret_key",
            "secretAccessKey",
            "private_key",
            "privateKeys",
            "jwt",
            "session_id",
            "sessionId",
            "JSESSIONID",
            "PHPSESSID",
            "pwd",
            "db.pwd",
            "pass",
            "smtp_pass",
            "passphrase",
            "credentials",
            "_csrf",
            "csrf-token",
            "XSRF-TOKEN",
            "QRadarCSRF",
            "AWS_SECRET_ACCESS_KEY",
            "token_value",
            "--api-key",
            "x-qrd-encryption-password",
            "key_password",
        ] {
            assert_eq!(likeness(name), Some(Likeness::Sure), "{name}");
        }
        for name in ["session", "auth", "Authorization", "authorisation", "x-auth", "cookie", "auth_header"] {
            assert_eq!(likeness(name), Some(Likeness::Maybe), "{name}");
        }
        for name in [
            "id",
            "name",
            "token_id",
            "token_count",
            "tokenizer",
            "sector",
            "secretary",
            "key",
            "keyword",
            "case_id",
            "state",
            "fields",
            "",
            "authenticated",
            "author",
            "authority_key_id",
            "passed",
            "bypass",
            "session_ids",
            "session_timeout",
            "is_password_set",
            "password_creation_time",
            "authorization_flow",
            "outer_key",
            "registry_key",
            "function_keys",
            "public_encryption_keys",
            "name_localization_key",
            "duration_sec",
            "fd-secret-1",
            "Sec-Fetch-Site",
            "Sec-WebSocket-Key",
            "geohash",
            "signature",
            "oauth2",
            "authentication",
            "compass",
        ] {
            assert_eq!(likeness(name), None, "{name}");
        }
    }

    #[test]
    fn a_doubtful_name_needs_a_value_that_looks_like_a_secret() {
        assert!(is_secret("session", "9f2c4e8a01b7") && is_secret("auth", "fd-secret-3"));
        for value in ["basic", "12", "COMPLETED", "oauth2", "/console", ""] {
            assert!(!is_secret("auth", value), "{value}");
        }
        assert!(is_secret("pwd", "hunter") && !is_secret("PWD", "/home/me"));
    }

    proptest::proptest! {
        #[test]
        fn a_name_on_the_stack_is_read_as_one_on_the_heap(
            name in "(?:[a-z]{0,6}|public|api|x|q|radar|sec|key|keys|Token|tokens|SESSION|id|value|hash|auth|[0-9]{1,2}|[_ .-]|é){0,20}",
        ) {
            proptest::prop_assert_eq!(likeness(&name), if name.len() > NAME_MAX { None } else { likeness_of(&words(&name)) });
            proptest::prop_assert_eq!(remembered_likeness(&name), likeness(&name));
        }
    }

    #[test]
    fn a_redacted_value_is_known_as_such() {
        assert!(is_redacted(b"fd-secret-12"));
        assert!(!is_redacted(b"fd-secret-") && !is_redacted(b"fd-secret-1x") && !is_redacted(b"x"));
        assert!(is_of_ours(b"fd-secret") && is_of_ours(b"-secret-1") && is_of_ours(b"password"));
    }
}

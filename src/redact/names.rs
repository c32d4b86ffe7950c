//! What counts as a credential by its name, and what a redacted value looks like.
//!
//! A name is cut into words (`clientSecret`, `client-secret` and `CLIENT_SECRET` are the same two) and its last words
//! decide: `token_count` counts tokens, `access_token` is one.

use sha2::{Digest, Sha256};

use super::looks;

/// How every redacted value starts.
pub(super) const PREFIX: &str = "fd-secret-";

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
    if name.len() > NAME_MAX || name.contains(PREFIX) {
        return None;
    }
    let words: Vec<String> =
        words(name).iter().map(|word| stem(word)).filter(|word| !word.is_empty()).collect();
    let mut words: Vec<&str> = words.iter().map(String::as_str).collect();
    while words.len() > 1 && words.last().is_some_and(|last| FORMS.contains(last)) {
        words.pop();
    }
    let (last, before) = words.split_last()?;
    let owner = before.last().copied().unwrap_or_default();
    if before.contains(&"public") {
        return None;
    }
    let is_sure = SURE.contains(last)
        || ENDS.iter().any(|end| last.ends_with(end))
        || (*last == "key" && KEYS.contains(&owner))
        || (*last == "id" && matches!(owner, "session" | "sess" | "jsession"))
        || (*last == "sec" && matches!(before, [] | ["x"] | ["qradar"] | ["q", "radar"]));
    if is_sure {
        return Some(Likeness::Sure);
    }
    // Several sessions (`session_ids`, `authorizations`) are a list of something else.
    MAYBE.contains(last).then_some(Likeness::Maybe)
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

/// A word without its plural and its number: `tokens`, `token2`. Plurals of what may be a credential stay.
fn stem(word: &str) -> String {
    let word = word.trim_end_matches(|c: char| c.is_ascii_digit());
    match word.strip_suffix('s') {
        Some(one) if SURE.contains(&one) || ENDS.contains(&one) || one == "key" => one.to_owned(),
        _ => word.to_owned(),
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
    value.windows(PREFIX.len()).any(|window| window == PREFIX.as_bytes())
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

    #[test]
    fn a_redacted_value_is_known_as_such() {
        assert!(is_redacted(b"fd-secret-12"));
        assert!(!is_redacted(b"fd-secret-") && !is_redacted(b"fd-secret-1x") && !is_redacted(b"x"));
        assert!(is_of_ours(b"fd-secret") && is_of_ours(b"-secret-1") && is_of_ours(b"password"));
    }
}

//! What counts as a credential by its name, and what a redacted value looks like.

use sha2::{Digest, Sha256};

/// How every redacted value starts.
pub(super) const PREFIX: &str = "fd-secret-";

/// The rules of this page in words; its hash stands in each cassette, so that a later change of policy shows.
const POLICY: &str = "1; headers SEC Authorization Proxy-Authorization Cookie Set-Cookie QRadarCSRF; \
     headers, parameters and JSON members whose last word is token, secret, password, passwd, passphrase, \
     apikey, api key or sec; known values of 8 bytes and more everywhere";

/// Eight hex digits that name the redaction policy a cassette was written under.
pub fn policy_hash() -> String {
    Sha256::digest(POLICY.as_bytes()).iter().take(4).map(|byte| format!("{byte:02x}")).collect()
}

/// Whether a parameter, JSON member or header of this name holds a credential: its last word is `token`, `secret`,
/// `password` or the like (`access_token`, `apiKey`, `X-Auth-Token`). Ours, after the names seen in practice.
pub fn is_credential_name(name: &str) -> bool {
    let words = words(name);
    let Some(last) = words.last() else { return false };
    let before = words.len().checked_sub(2).and_then(|at| words.get(at));
    match last.as_str() {
        "token" | "secret" | "password" | "passwd" | "passphrase" | "apikey" | "qradarcsrf" => true,
        "key" => before.is_some_and(|word| word == "api"),
        "csrf" => before.is_some_and(|word| word == "radar" || word == "qradar"),
        "sec" => words.len() == 1,
        _ => false,
    }
}

/// The words of `some_name`, `some-name`, `someName`, `SOME_NAME`, in lower case.
fn words(name: &str) -> Vec<String> {
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

/// The header whose whole value (or, after its scheme or cookie name, the rest of it) is a credential.
pub(super) fn is_credential_header(name: &str) -> bool {
    ["SEC", "QRadarCSRF"].iter().any(|known| name.eq_ignore_ascii_case(known)) || is_credential_name(name)
}

/// Whether a value is already redacted: `fd-secret-` and digits.
pub fn is_redacted(value: &[u8]) -> bool {
    value
        .strip_prefix(PREFIX.as_bytes())
        .is_some_and(|digits| !digits.is_empty() && digits.iter().all(u8::is_ascii_digit))
}

/// Whether a value is too ordinary to be looked for everywhere: part of a placeholder, or the name of a credential
/// itself. It is still replaced in its own place.
pub(super) fn is_ordinary(value: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(value) else { return false };
    let in_placeholder = text.trim_end_matches(|c: char| c.is_ascii_digit());
    (!in_placeholder.is_empty() && PREFIX.contains(in_placeholder))
        || is_credential_name(text)
        || ["authorization", "proxy-authorization", "set-cookie"]
            .iter()
            .any(|name| text.eq_ignore_ascii_case(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_like_a_credential_are_told_from_others() {
        for name in [
            "token",
            "access_token",
            "api_key",
            "apiKey",
            "API-KEY",
            "password",
            "clientSecret",
            "X-Auth-Token",
            "sec",
            "SEC",
        ] {
            assert!(is_credential_name(name), "{name}");
        }
        for name in [
            "id",
            "name",
            "token_id",
            "sector",
            "secretary",
            "key",
            "keyword",
            "case_id",
            "state",
            "fields",
            "",
        ] {
            assert!(!is_credential_name(name), "{name}");
        }
    }

    #[test]
    fn a_redacted_value_is_known_as_such() {
        assert!(is_redacted(b"fd-secret-12"));
        assert!(!is_redacted(b"fd-secret-") && !is_redacted(b"fd-secret-1x") && !is_redacted(b"x"));
        assert!(is_ordinary(b"fd-secret") && is_ordinary(b"-secret-1") && is_ordinary(b"password"));
    }
}

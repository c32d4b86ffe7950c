//! The `Version` header.

use serde::Deserialize;

use super::Source;
use super::error::{invalid_version, removed_version};

/// What is known of the API's versions; `[versions]` of `lifecycles.toml`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Versions {
    /// The version the profiles describe.
    pub described: Version,
    /// Every version before this one is known to be gone.
    pub removed_before: Version,
}

/// A version of the API, `26.0`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(try_from = "String")]
pub struct Version {
    major: u8,
    minor: u8,
}

impl Version {
    /// Up to two digits, and a point and up to two more if there is a minor part. `322.0123` is known to be refused
    /// as no version at all; that two digits are the limit is ours.
    fn parse(text: &str) -> Option<Self> {
        let number = |part: &str| {
            let legal = (1..=2).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_digit());
            if legal { part.parse().ok() } else { None }
        };
        let (major, minor) = text.split_once('.').unwrap_or((text, "0"));
        Some(Self { major: number(major)?, minor: number(minor)? })
    }
}

impl TryFrom<String> for Version {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        Self::parse(&text).ok_or_else(|| format!("`{text}` is no version: write it like \"26.0\""))
    }
}

impl std::fmt::Display for Version {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}.{}", self.major, self.minor)
    }
}

/// One spelling for each version: `6` and ` 6.0 ` are `6.0`. What is none stands as it is.
pub(crate) fn spelt(text: &str) -> String {
    let text = text.trim();
    Version::parse(text).map_or_else(|| text.to_owned(), |version| version.to_string())
}

impl Versions {
    /// Why a version is refused, as the console words it: it is malformed or known to be removed. Any other passes: a
    /// newer one may exist, and an unknown minor part is rounded down by the console.
    pub(super) fn refuse(&self, text: &str) -> Option<(Source, String)> {
        match Version::parse(text.trim()) {
            None => Some((Source::Seen, invalid_version(text))),
            // That old versions go was seen; which are gone by now is inferred.
            Some(version) if version < self.removed_before => Some((Source::Inferred, removed_version(text))),
            Some(_) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_known_to_be_wrong_is_refused() {
        let versions = Versions {
            described: Version { major: 26, minor: 0 },
            removed_before: Version { major: 14, minor: 0 },
        };
        for fine in ["26.0", "26", "26.7", "29.0", "14.0", "99.99", " 26.0 "] {
            assert!(versions.refuse(fine).is_none(), "{fine}");
        }
        for (wrong, says) in
            [("3.0", "has been removed"), ("13.1", "has been removed"), ("322.0123", "not a valid")]
        {
            assert!(versions.refuse(wrong).unwrap().1.contains(says), "{wrong}");
        }
        for malformed in ["", "latest", "26.", ".0", "26.0.1", "-1.0", "2 6.0", "+9.0"] {
            assert!(versions.refuse(malformed).unwrap().1.contains("not a valid"), "{malformed}");
        }
    }
}

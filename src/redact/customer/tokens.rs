//! Placeholders in a text, and what fits in the place of one.

use std::ops::Range;

use super::{Class, apart, looks};

/// A placeholder in a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Token {
    /// Where it stands.
    pub(crate) at: Range<usize>,
    /// What it stands for.
    pub(crate) class: Class,
}

/// What a mail's placeholder ends with.
const DOMAIN: &str = "@example.test";

/// How placeholders begin that are no addresses; each has a dash.
const PREFIXES: [(&str, Class); 3] = [("host-", Class::Host), ("user-", Class::User), ("mail-", Class::Mail)];

/// The placeholders in a text, in order and apart.
pub(crate) fn tokens(text: &str) -> impl Iterator<Item = Token> + use<> {
    let mut all: Vec<Token> = Vec::new();
    let kinds: &[_] = match memchr::memchr(b'-', text.as_bytes()) {
        Some(_) => &PREFIXES,
        None => &[],
    };
    for (prefix, class) in kinds.iter().copied() {
        for (start, _) in text.match_indices(prefix) {
            let digits_at = start + prefix.len();
            let rest = text.get(digits_at..).unwrap_or_default();
            let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
            let tail = rest.get(digits..).unwrap_or_default();
            let is_alone = class == Class::Host
                || !text
                    .get(..start)
                    .unwrap_or_default()
                    .ends_with(|c: char| c.is_alphanumeric() || c == '-');
            let domain = if class == Class::Mail { DOMAIN } else { "" };
            if digits > 0 && is_alone && tail.starts_with(domain) {
                all.push(Token { at: start..digits_at + digits + domain.len(), class });
            }
        }
    }
    if text.contains('.') || text.contains(':') {
        all.extend(looks::placeholder_addresses(text).map(|at| Token { at, class: Class::Address }));
    }
    apart(all, |token| token.at.clone()).into_iter()
}

/// Whether a character can be in the name of a user or a host that stands alone in a text.
pub(super) fn is_of_a_name(c: char) -> bool {
    c.is_alphanumeric() || "._-@\\".contains(c)
}

impl Class {
    /// Whether a character can be in a value of this class, within a text.
    pub(crate) fn takes(self, c: char, is_quoted: bool) -> bool {
        match self {
            Self::User if is_quoted => c != '"' && c != '\'' && !c.is_control(),
            Self::User => is_of_a_name(c) || c == '+' || c == '$',
            Self::Host => c.is_ascii_alphanumeric() || "-._:[]".contains(c),
            Self::Address => c.is_ascii_hexdigit() || c == '.' || c == ':',
            Self::Mail => is_of_a_name(c) || "+%'".contains(c),
        }
    }

    /// Whether a text is a value of this class.
    pub(crate) fn fits(self, text: &str) -> bool {
        match self {
            Self::User | Self::Host => !text.is_empty(),
            Self::Address => text.parse::<std::net::IpAddr>().is_ok(),
            Self::Mail => looks::mail_of(text),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn placeholders_are_found_where_they_end() {
        let text = "user-1 xuser-2 host-12.x mail-3@example.test 192.0.2.7 10.1.2.3 2001:db8::1 user- mail-1";
        let found: Vec<&str> = tokens(text).map(|token| &text[token.at]).collect();
        assert_eq!(found, ["user-1", "host-12", "mail-3@example.test", "192.0.2.7", "2001:db8::1"]);
    }
}

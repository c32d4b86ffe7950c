//! Customer data: users, hosts, addresses and mail addresses, and the placeholders that stand for them in a file.
//!
//! - `names` says which names hold some, `terms` finds names with their values in a filter or a query
//! - `looks` finds what is known by its form alone: addresses and mail addresses
//! - `tokens` finds placeholders in a text, and says what fits in the place of one

mod looks;
mod names;
mod terms;
mod tokens;

use std::ops::Range;

pub(crate) use looks::address_of;
pub(crate) use names::{Holds, holds, is_query, is_version};
pub(crate) use tokens::{Token, tokens};

/// What stands before a user in a member that says who reported something.
const BY_A_USER: &str = "USER:";

/// A kind of customer data.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Class {
    /// The name of a person or an account: `user-1`.
    User,
    /// The name of a machine: `host-1`.
    Host,
    /// An IPv4 or IPv6 address: one of the ranges kept for documentation.
    Address,
    /// A mail address: `mail-1@example.test`.
    Mail,
}

impl Class {
    /// Each of them.
    pub const ALL: [Self; 4] = [Self::User, Self::Host, Self::Address, Self::Mail];

    /// How a rule calls it.
    pub fn name(self) -> &'static str {
        match self {
            Self::User => "users",
            Self::Host => "hosts",
            Self::Address => "addresses",
            Self::Mail => "mails",
        }
    }

    /// What stands for all its placeholders where numbers do not count.
    pub(crate) fn stem(self) -> &'static str {
        match self {
            Self::User => "user-",
            Self::Host => "host-",
            Self::Address => "192.0.2.",
            Self::Mail => "mail-",
        }
    }

    /// What stands in the place of the n-th value, from 1.
    pub(crate) fn placeholder(self, number: usize, value: &str) -> String {
        match self {
            Self::User => format!("user-{number}"),
            Self::Host => format!("host-{number}"),
            Self::Mail => format!("mail-{number}@example.test"),
            Self::Address => looks::placeholder(number, value.contains(':')),
        }
    }
}

/// A piece of a message that is read as one: a member's text, a parameter's value, a segment, a body that is no JSON.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Piece<'p> {
    /// The text, decoded.
    pub(crate) text: &'p str,
    /// The names it stands under, the nearest last.
    pub(crate) under: &'p [&'p str],
}

/// Customer data that a piece is seen to hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Find {
    /// Where in the text.
    pub(crate) at: Range<usize>,
    /// What it is; `None` where a name leaves it open whether a user or a host stands there.
    pub(crate) class: Option<Class>,
}

impl Piece<'_> {
    /// What stands in this piece by its names or its form; in order and apart.
    pub(crate) fn finds(&self) -> Vec<Find> {
        let mut found = Vec::new();
        let whole = self.text.trim();
        let start = self.text.len() - self.text.trim_start().len();
        let (whole, start) = match whole.strip_prefix(BY_A_USER) {
            Some(user) => (user, start + BY_A_USER.len()),
            None => (whole, start),
        };
        if let Some(held) = holds(self.under)
            && let Some(class) = class_of(held, whole)
            // An address may have the length of a prefix behind it.
            && class != Some(Class::Address)
        {
            found.push(Find { at: start..start + whole.len(), class });
            return found;
        }
        if let Some(at) = looks::named_at_its_end(self.text) {
            let class = class_of(Holds::Class(Class::Host), self.text.get(at.clone()).unwrap_or_default());
            found.extend(class.filter(|class| *class == Some(Class::Host)).map(|class| Find { at, class }));
        }
        if self.under.last().is_some_and(|name| is_query(name)) {
            for (at, held) in terms::terms(self.text) {
                let value = self.text.get(at.clone()).unwrap_or_default();
                if let Some(class) = class_of(held, value) {
                    found.push(Find { at, class });
                }
            }
        }
        let is_named = holds(self.under) == Some(Holds::Class(Class::Address));
        if is_named || self.under.last().is_none_or(|name| !is_version(name)) {
            // A mail address may begin with an address.
            let by_looks = |at, class| Find { at, class: Some(class) };
            found.extend(looks::mails(self.text).into_iter().map(|at| by_looks(at, Class::Mail)));
            found.extend(looks::addresses(self.text).into_iter().map(|at| by_looks(at, Class::Address)));
        }
        apart(found, |find| find.at.clone())
    }
}

/// Those that overlap none before them, in order; of two with the same start the one that stands first here.
pub(crate) fn apart<T>(mut finds: Vec<T>, at: impl Fn(&T) -> Range<usize>) -> Vec<T> {
    finds.sort_by_key(|find| at(find).start);
    let mut done = 0;
    finds.retain(|find| {
        let is_apart = at(find).start >= done;
        done = if is_apart { at(find).end } else { done };
        is_apart
    });
    finds
}

/// What a value under a name is; `None` if it is no customer data.
fn class_of(held: Holds, value: &str) -> Option<Option<Class>> {
    if value.is_empty() || value.contains("fd-secret-") || value.starts_with("{base}") {
        return None;
    }
    if value.eq_ignore_ascii_case("localhost") {
        return None;
    }
    // What something looks like outranks what its name says.
    if looks::address_of(value).is_some() {
        return Some(Some(Class::Address));
    }
    if looks::stays(value) {
        return None;
    }
    if looks::mail_of(value) {
        return Some(Some(Class::Mail));
    }
    // `IDENTITY:112`: who reported something, where it was no user.
    let is_kind =
        |kind: &str| kind.len() > 2 && kind.bytes().all(|byte| byte.is_ascii_uppercase() || byte == b'_');
    if held == Holds::Class(Class::User) && value.split_once(':').is_some_and(|(kind, _)| is_kind(kind)) {
        return None;
    }
    let is_number = value.bytes().all(|byte| byte.is_ascii_digit() || b".,-/:".contains(&byte));
    match held {
        Holds::Class(Class::Address) if value.contains('.') && !is_number && looks::is_host(value) => {
            Some(Some(Class::Host))
        }
        Holds::Class(Class::Address) => None,
        Holds::Class(class) => Some(Some(class)),
        Holds::Either if is_number || value.contains(char::is_whitespace) => None,
        Holds::Either => Some(None),
    }
}

/// Whether a user's or a host's name is told from a word wherever it stands: letters, and something else beside them.
pub(crate) fn is_distinctive(value: &str) -> bool {
    value.len() >= 4
        && value.bytes().any(|byte| byte.is_ascii_digit() || b"._-@\\".contains(&byte))
        && value.chars().any(char::is_alphabetic)
        && value.chars().any(|c| c.is_ascii_digit() || "._-@\\".contains(c))
        && value.chars().all(tokens::is_of_a_name)
}

/// The words of a text that could be a name, and where they stand.
pub(crate) fn words(text: &str) -> impl Iterator<Item = Range<usize>> + '_ {
    let mut from = 0;
    std::iter::from_fn(move || {
        let rest = text.get(from..)?;
        let start = from + rest.find(tokens::is_of_a_name)?;
        let rest = text.get(start..)?;
        let end = start + rest.find(|c| !tokens::is_of_a_name(c)).unwrap_or(rest.len());
        from = end;
        let word = text.get(start..end)?;
        // A sentence ends with a dot that is no part of a name.
        Some(start..start + word.trim_end_matches(['.', '-']).len())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn marked(name: &str, text: &str) -> String {
        let under = [name];
        let mut out = String::new();
        let mut done = 0;
        for find in (Piece { text, under: &under }).finds() {
            out.push_str(&text[done..find.at.start]);
            out.push_str(match find.class {
                Some(Class::User) => "<user>",
                Some(Class::Host) => "<host>",
                Some(Class::Address) => "<address>",
                Some(Class::Mail) => "<mail>",
                None => "<either>",
            });
            done = find.at.end;
        }
        out + &text[done..]
    }

    #[test]
    fn a_value_is_known_by_its_name_or_by_its_looks() {
        for (name, text, expected) in [
            ("assigned_to", "ann", "<user>"),
            ("assigned_to", "", ""),
            ("owner", "10.1.2.3", "<address>"),
            ("hostname", "qr7", "<host>"),
            ("email", "ann@acme.example", "<mail>"),
            ("description", "Login of ann@acme.example from 10.1.2.3.", "Login of <mail> from <address>."),
            ("description", "10.0.0.0/8 and fe80::1c2%eth0", "<address>/8 and <address>%eth0"),
            ("offense_source", "ACME7", "<either>"),
            ("offense_source", "10.1.2.3", "<address>"),
            ("offense_source", "Login Failures", "Login Failures"),
            ("offense_source", "443", "443"),
            ("server_address", "mail.acme.example", "<host>"),
            ("version", "7.5.0.1", "7.5.0.1"),
            ("agent_ip", "10.1.2.3", "<address>"),
            (
                "description",
                "at 127.0.0.1, 0.0.0.0, ::1, 255.255.255.0",
                "at 127.0.0.1, 0.0.0.0, ::1, 255.255.255.0",
            ),
            (
                "description",
                "version 7.5.0.1, v7.5.0.1, a-1.2.3.4, 1.2.3.4.5",
                "version 7.5.0.1, v7.5.0.1, a-1.2.3.4, 1.2.3.4.5",
            ),
            ("assigned_to", "fd-secret-1", "fd-secret-1"),
            ("status", "OPEN", "OPEN"),
            ("cidr", "10.0.0.0/8", "<address>/8"),
            ("name", "SIM Audit-2 :: qr7", "SIM Audit-2 :: <host>"),
            ("name", "WindowsAuthServer @ dc01.acme.example", "WindowsAuthServer @ <host>"),
            ("name", "FortiGate @ 10.1.2.3", "FortiGate @ <address>"),
            ("name", "std::fs", "std::fs"),
            ("hostname", "localhost", "localhost"),
            ("last_reported_by", "USER:admin", "USER:<user>"),
            ("last_reported_by", "IDENTITY:112", "IDENTITY:112"),
        ] {
            assert_eq!(marked(name, text), expected, "{name}");
        }
    }

    #[test]
    fn a_filter_is_read_by_its_terms() {
        for (text, expected) in [
            (
                r#"assigned_to="ann" and source_ip = "10.1.2.3""#,
                r#"assigned_to="<user>" and source_ip = "<address>""#,
            ),
            ("status=OPEN and assigned_to=ann", "status=OPEN and assigned_to=<user>"),
            (
                "assigned_to in ('ann', \"bob lee\") or id in (1,2)",
                "assigned_to in ('<user>', \"<user>\") or id in (1,2)",
            ),
            ("assigned_to is not null and status = 'OPEN'", "assigned_to is not null and status = 'OPEN'"),
            ("hostnames(name = \"qr\")", "hostnames(name = \"<host>\")"),
            ("interfaces(ip_addresses(value='10.1.1.1'))", "interfaces(ip_addresses(value='<address>'))"),
            (
                "SELECT username FROM events WHERE username='ann' AND sourceip='10.1.2.3' LAST 5 MINUTES",
                "SELECT username FROM events WHERE username='<user>' AND sourceip='<address>' LAST 5 MINUTES",
            ),
            ("username ilike '%ann%'", "username ilike '%<user>%'"),
            ("user_role_id = 7", "user_role_id = 7"),
        ] {
            assert_eq!(marked("filter", text), expected);
        }
    }

    #[test]
    fn a_placeholder_is_of_the_kind_it_stands_for() {
        assert_eq!(Class::Address.placeholder(1, "10.1.2.3"), "192.0.2.1");
        assert_eq!(Class::Address.placeholder(255, "10.1.2.3"), "198.51.100.1");
        assert_eq!(Class::Address.placeholder(763, "10.1.2.3"), "198.18.0.0");
        assert_eq!(Class::Address.placeholder(17, "fe80::1"), "2001:db8::11");
        let mut seen = std::collections::BTreeSet::new();
        for number in 1..200_000 {
            let made = Class::Address.placeholder(number, "10.1.2.3");
            assert!(tokens(&made).next().is_some_and(|token| token.class == Class::Address), "{made}");
            assert!(seen.insert(made));
        }
    }
}

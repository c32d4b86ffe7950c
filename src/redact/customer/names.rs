//! Which names hold customer data: the rule, by the last words of a name. After the names of all endpoints of the API.
//!
//! `user_id`, `hostname_count` and `owner_group` hold none: what stands last is a number or a thing of its own.

use std::cell::RefCell;
use std::collections::HashMap;

use foldhash::quality::RandomState;

use super::Class;
use crate::redact::names::words;

/// What stands under a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Holds {
    /// One kind of thing.
    Class(Class),
    /// A user, a host, an address: whatever an offense came from.
    Either,
}

/// A longer name holds none.
const NAME_MAX: usize = 256;

/// Last words that speak of a person or an account.
const USERS: &[&str] = &[
    "user",
    "users",
    "username",
    "usernames",
    "owner",
    "owners",
    "author",
    "authors",
    "assignee",
    "assignees",
    "creator",
    "modifier",
    "account",
    "accounts",
    "accountname",
    "userid",
    "surname",
    "analyst",
    "requester",
    "reporter",
    "approver",
];
/// Last words that speak of a machine.
const HOSTS: &[&str] = &[
    "host",
    "hosts",
    "hostname",
    "hostnames",
    "fqdn",
    "fqdns",
    "machine",
    "computer",
    "workstation",
    "server",
    "servers",
    "machinename",
    "computername",
];
/// Last words that speak of an address, of a network or a machine.
const ADDRESSES: &[&str] =
    &["ip", "ips", "ipv4", "ipv6", "addr", "addrs", "address", "addresses", "cidr", "cidrs"];
/// Last words that speak of a mail address, alone or before one of [`ADDRESSES`].
const MAILS: &[&str] = &["mail", "mails", "email", "emails"];
/// What makes an address another thing than one of a network, standing before it.
const OTHER_ADDRESSES: &[&str] = &["mac", "street", "physical", "postal", "web", "memory", "bluetooth"];
/// First names of people: the word before `name`.
const PEOPLE: &[&str] = &["full", "given", "family", "first", "last", "middle", "nick"];
/// Machines whose names are called names: the word before `name`.
const NAMED_HOSTS: &[&str] = &["dns", "netbios", "nt", "unified"];
/// Words that name a part of what is around them: the name of the owner, the value among host names.
const PARTS: &[&str] = &["name", "names", "value", "values"];
/// Last words of a parameter or member whose text has names and values in it.
const QUERIES: &[&str] = &["filter", "query", "expression", "aql", "condition", "criteria", "where"];
/// Words of a name under which four numbers with dots are no address.
const VERSIONS: &[&str] = &["version", "versions", "release", "build", "firmware", "oid", "patch", "agent"];

/// What is known of a name.
#[derive(Clone, Copy)]
struct Facts {
    holds: Option<Holds>,
    is_part: bool,
    is_query: bool,
    is_version: bool,
}

impl Facts {
    fn of(name: &str) -> Self {
        let words = words_of(name);
        Self {
            holds: by_words(&words),
            is_part: matches!(words.as_slice(), [word] if PARTS.contains(&word.as_str())),
            is_query: words.last().is_some_and(|word| QUERIES.contains(&word.as_str())),
            is_version: words.iter().any(|word| VERSIONS.contains(&word.as_str())),
        }
    }
}

/// How many names are remembered; then they are forgotten and begun anew.
const REMEMBERED_MAX: usize = 1024;
/// Longer names are not remembered.
const REMEMBERED_LENGTH_MAX: usize = 48;

thread_local! {
    /// The same names stand in every message.
    static REMEMBERED: RefCell<HashMap<Box<str>, Facts, RandomState>> = RefCell::default();
}

fn facts(name: &str) -> Facts {
    if name.len() > REMEMBERED_LENGTH_MAX {
        return Facts::of(name);
    }
    REMEMBERED.with_borrow_mut(|remembered| {
        if let Some(facts) = remembered.get(name) {
            return *facts;
        }
        if remembered.len() >= REMEMBERED_MAX {
            remembered.clear();
        }
        let facts = Facts::of(name);
        remembered.insert(name.into(), facts);
        facts
    })
}

/// What stands under these names, the nearest last.
pub(crate) fn holds(under: &[&str]) -> Option<Holds> {
    let (name, around) = under.split_last()?;
    let facts = facts(name);
    if facts.is_part { around.last().and_then(|name| self::facts(name).holds) } else { facts.holds }
}

/// Whether a text under this name is a filter or a query.
pub(crate) fn is_query(name: &str) -> bool {
    facts(name).is_query
}

/// Whether a text under this name is a version.
pub(crate) fn is_version(name: &str) -> bool {
    facts(name).is_version
}

fn words_of(name: &str) -> Vec<String> {
    if name.len() > NAME_MAX { Vec::new() } else { words(name) }
}

fn by_words(words: &[String]) -> Option<Holds> {
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let class = match words.as_slice() {
        ["offense", "source"] => return Some(Holds::Either),
        // `assigned_to`, `created_by`, `cancelled_by`, and what the API writes for `initiated_by`.
        [.., "assigned", "to"] => Class::User,
        [.., done, "by"] if done.ends_with("ed") => Class::User,
        ["login" | "logon"] | [.., "login" | "logon", "name"] => Class::User,
        [.., person, "name"] if PEOPLE.contains(person) => Class::User,
        [.., machine, "name" | "names"] if NAMED_HOSTS.contains(machine) => Class::Host,
        [before @ .., of, "name" | "names"] if !matches!(*of, "server" | "address") => {
            return last(&[before, &[*of]].concat()).filter(|held| *held != Holds::Class(Class::Address));
        }
        words => return last(words),
    };
    Some(Holds::Class(class))
}

fn last(words: &[&str]) -> Option<Holds> {
    let (word, before) = words.split_last()?;
    let class = if USERS.contains(word) {
        Class::User
    } else if HOSTS.contains(word) {
        Class::Host
    } else if MAILS.contains(word) {
        Class::Mail
    } else if ADDRESSES.contains(word) {
        match before.last() {
            Some(kind) if MAILS.contains(kind) => Class::Mail,
            Some(kind) if OTHER_ADDRESSES.contains(kind) => return None,
            _ => Class::Address,
        }
    } else {
        return None;
    };
    Some(Holds::Class(class))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_words_of_a_name_say_what_stands_there() {
        for (names, class) in [
            (
                "assigned_to username user users owner dependent_owner author creator assignee closing_user created_by \
                 cancelled_by added_by initiated_by intiated_by installed_by last_reported_by commentUser assignedUser \
                 full_name given_name surname login login_name account owner_name userName user_name",
                Some(Class::User),
            ),
            (
                "host hostname hostnames managed_host_hostname host_name fqdn dns_name server Hostname",
                Some(Class::Host),
            ),
            (
                "ip host_ip public_ip private_ip nat_ip console_ip source_ip remote_ip sending_ip capture_device_ip \
                 local_destination_ip destination_host_ip ip_address ip_addresses cidr cidrs source_cidr intermediate_ips \
                 ntp_server_addresses email_server_address x_originating_ip IP",
                Some(Class::Address),
            ),
            ("email emails authored_by_email email_addr email_addrs email_address mail", Some(Class::Mail)),
            (
                "user_id user_role_id user_roles user_type username_count user_has_edit_permissions owner_group owner_id \
                 hostname_count host_id host_status hosts_count ip_address_id source_address_ids \
                 maximum_ip_address_per_asset ipversion is_any_source_ip_range is_auto_ips_enabled mac_address \
                 street_address email_server_id server_id name display_name app_name file_name status type id sort_by \
                 group_by order_by last_login display_login_history_after_login source source_network network domain domain_id device_name log_source_name \
                 description vendor_name",
                None,
            ),
        ] {
            for name in names.split_whitespace() {
                assert_eq!(holds(&[name]), class.map(Holds::Class), "{name}");
            }
        }
        assert_eq!(holds(&["offense_source"]), Some(Holds::Either));
    }

    #[test]
    fn a_part_is_what_is_around_it() {
        assert_eq!(holds(&["owner", "name"]), Some(Holds::Class(Class::User)));
        assert_eq!(holds(&["ip_addresses", "value"]), Some(Holds::Class(Class::Address)));
        assert_eq!(holds(&["hostnames", "name"]), Some(Holds::Class(Class::Host)));
        assert_eq!(holds(&["rule", "name"]), None);
        assert_eq!(holds(&["owner", "id"]), None);
    }
}

//! What is customer data by its form alone: addresses of networks, and mail addresses.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::ops::Range;

/// Words before four numbers that make them a version.
const VERSIONS: [&str; 7] = ["version", "release", "build", "ver", "firmware", "patch", "v"];
/// The longest name of a product, in characters.
const PRODUCT_MAX: usize = 64;
/// The longest mail address, in bytes, before and behind the `@` (RFC 5321).
const MAIL_MAX: usize = 254;

/// The address that a whole text is, with or without the length of a prefix or a zone behind it, unless it says nothing
/// of anybody.
pub(crate) fn address_of(text: &str) -> Option<IpAddr> {
    let bare = text.split(['/', '%']).next().unwrap_or(text);
    let bare = bare.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(bare);
    parsed(bare).filter(|address| !says_nothing(*address))
}

/// Whether a whole text is an address that stays as it is.
pub(super) fn stays(text: &str) -> bool {
    let bare = text.split(['/', '%']).next().unwrap_or(text);
    parsed(bare).is_some_and(says_nothing)
}

fn parsed(text: &str) -> Option<IpAddr> {
    // `face::` and `::add` are words of a text more often than addresses.
    let has_digit = text.bytes().any(|byte| byte.is_ascii_digit()) || text == "::";
    text.parse().ok().filter(|_| has_digit)
}

/// Loopback, unspecified, a mask, a group: the same for everybody.
fn says_nothing(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => {
            v4.is_loopback() || v4.octets()[0] == 0 || v4.octets()[0] == 255 || v4.is_multicast()
        }
        IpAddr::V6(v6) => match v6.to_ipv4_mapped() {
            Some(v4) => says_nothing(IpAddr::V4(v4)),
            None => v6.is_loopback() || v6.is_unspecified() || v6.is_multicast(),
        },
    }
}

/// Where in a text addresses stand that say something of somebody.
pub(super) fn addresses(text: &str) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    // Every address has one of them.
    if memchr::memchr2(b'.', b':', text.as_bytes()).is_none() {
        return found;
    }
    let is_part = |c: char| c.is_ascii_hexdigit() || c == '.' || c == ':';
    let mut from = 0;
    while let Some(start) = text.get(from..).and_then(|rest| rest.find(is_part)).map(|at| from + at) {
        let rest = text.get(start..).unwrap_or_default();
        let end = start + rest.find(|c| !is_part(c)).unwrap_or(rest.len());
        from = end;
        if let Some(at) = address_in(text, start..end) {
            found.push(at);
        }
    }
    found
}

/// The address in a run of digits, dots and colons: the run, or what is before a port or the end of a sentence.
fn address_in(text: &str, run: Range<usize>) -> Option<Range<usize>> {
    let whole = text.get(run.clone())?;
    let after = text.get(run.end..).unwrap_or_default();
    let before = text.get(..run.start).unwrap_or_default();
    let trimmed = whole.trim_end_matches(['.', ':']);
    let v4 = trimmed.split(':').next().unwrap_or(trimmed);
    let taken = if parsed(trimmed).is_some() {
        trimmed
    } else if v4.parse::<Ipv4Addr>().is_ok() {
        v4
    } else {
        return None;
    };
    let behind = if taken.len() == whole.len() { after } else { "" };
    let is_address = parsed(taken).is_some_and(|address| !says_nothing(address));
    let goes_on = behind.starts_with(|c: char| c.is_alphanumeric() || c == '_')
        || behind.strip_prefix('-').is_some_and(|rest| rest.starts_with(char::is_alphabetic));
    (is_address && !goes_on && starts_alone(before)).then(|| run.start..run.start + taken.len())
}

/// Whether what stands before leaves an address be one, and no end of a word or of a version.
fn starts_alone(before: &str) -> bool {
    if before.ends_with(|c: char| c.is_alphanumeric() || "_-.".contains(c)) {
        return false;
    }
    if before.strip_suffix('/').is_some_and(ends_with_a_product) {
        return false;
    }
    let word: String = before
        .trim_end_matches([' ', ':', '='])
        .chars()
        .rev()
        .take_while(|c| c.is_alphabetic())
        .take(16)
        .collect();
    let word: String = word.chars().rev().collect::<String>().to_lowercase();
    !VERSIONS.contains(&word.as_str())
}

/// `curl`, as in `curl/7.5.0.1`; but not `/api/lookup`, as in `/api/lookup/10.1.2.3`.
fn ends_with_a_product(before: &str) -> bool {
    let blank = |c: char| c.is_whitespace() || "\"'(,;".contains(c);
    let near = before.char_indices().rev().take(PRODUCT_MAX).last().map_or(0, |(at, _)| at);
    let word = before.get(near..).unwrap_or_default().rsplit(blank).next().unwrap_or_default();
    word.starts_with(|c: char| c.is_ascii_alphabetic())
        && word.ends_with(|c: char| c.is_ascii_alphanumeric())
        && !word.contains(['/', ':'])
}

/// Whether a whole text is a mail address.
pub(crate) fn mail_of(text: &str) -> bool {
    matches!(mails(text).as_slice(), [at] if *at == (0..text.len()))
}

/// Where in a text mail addresses stand.
pub(super) fn mails(text: &str) -> Vec<Range<usize>> {
    let is_local = |c: char| c.is_ascii_alphanumeric() || "._%+-'".contains(c) || !c.is_ascii();
    let is_domain = |c: char| c.is_ascii_alphanumeric() || ".-".contains(c) || !c.is_ascii();
    let mut found: Vec<Range<usize>> = Vec::new();
    for at in memchr::memchr_iter(b'@', text.as_bytes()) {
        let (before, after) = (text.get(..at).unwrap_or_default(), text.get(at + 1..).unwrap_or_default());
        let local = before.len() - before.trim_end_matches(is_local).len();
        let local =
            before.get(at - local..).map_or(0, |text| text.trim_start_matches(['\'', '.', '%']).len());
        let domain = after.get(..after.find(|c| !is_domain(c)).unwrap_or(after.len())).unwrap_or_default();
        let domain = domain.trim_end_matches(['.', '-']);
        let is_top = |top: &str| top.len() >= 2 && top.chars().all(char::is_alphabetic);
        let is_mail = local > 0
            && local + domain.len() < MAIL_MAX
            && domain.rsplit_once('.').is_some_and(|(rest, top)| !rest.is_empty() && is_top(top))
            && !before.get(..at - local).unwrap_or_default().ends_with("//");
        if is_mail && found.last().is_none_or(|last| last.end <= at - local) {
            found.push(at - local..at + 1 + domain.len());
        }
    }
    found
}

/// The machine at the end of a log source's name, as the console makes them: `SIM Audit-2 :: qr7`, `Cisco ASA @ fw1`.
pub(super) fn named_at_its_end(text: &str) -> Option<Range<usize>> {
    memchr::memchr2(b':', b'@', text.as_bytes())?;
    let (before, host) = text.rsplit_once(" :: ").or_else(|| text.rsplit_once(" @ "))?;
    let start = text.len() - host.len();
    let host = host.trim_end();
    (!before.is_empty() && !host.is_empty() && is_host(host)).then(|| start..start + host.len())
}

/// Whether a text could be the name of a machine.
pub(super) fn is_host(text: &str) -> bool {
    text.len() <= 253 && text.chars().all(|c| c.is_alphanumeric() || "._-:".contains(c))
}

/// The ranges of IPv4 kept for documentation.
const DOCUMENTATION: [[u8; 3]; 3] = [[192, 0, 2], [198, 51, 100], [203, 0, 113]];
/// How many hosts one of them has.
const IN_ONE: usize = 254;
/// The range for measurements (198.18.0.0/15), which takes what the three have no room for.
const MEASUREMENTS: u32 = u32::from_be_bytes([198, 18, 0, 0]);
const IN_MEASUREMENTS: u32 = 1 << 17;
/// The range that nobody uses (240.0.0.0/4), which takes the rest.
const RESERVED: u32 = u32::from_be_bytes([240, 0, 0, 0]);

/// The n-th address that stands for another.
pub(super) fn placeholder(number: usize, is_v6: bool) -> String {
    if is_v6 {
        return match u32::try_from(number) {
            Ok(n) => {
                let [a, b, c, d] = n.to_be_bytes();
                let group = |a, b| u16::from_be_bytes([a, b]);
                Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, group(a, b), group(c, d)).to_string()
            }
            Err(_) => Ipv6Addr::new(0x2001, 0xdb8, 1, 0, 0, 0, 0, 0).to_string(),
        };
    }
    let index = number.saturating_sub(1);
    if let Some([a, b, c]) = DOCUMENTATION.get(index / IN_ONE) {
        return format!("{a}.{b}.{c}.{}", index % IN_ONE + 1);
    }
    let beyond = u32::try_from(index - DOCUMENTATION.len() * IN_ONE).unwrap_or(u32::MAX);
    let bits = match beyond.checked_sub(IN_MEASUREMENTS) {
        None => MEASUREMENTS + beyond,
        // No cassette is so long that it holds more.
        Some(rest) => RESERVED + rest % (1 << 27),
    };
    Ipv4Addr::from(bits).to_string()
}

/// Whether an address stands for another.
pub(super) fn is_placeholder(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => {
            let bits = u32::from(v4);
            v4.is_documentation()
                || bits & !(IN_MEASUREMENTS - 1) == MEASUREMENTS
                || (bits >= RESERVED && v4.octets()[0] != 255)
        }
        IpAddr::V6(v6) => v6.segments()[0] == 0x2001 && v6.segments()[1] == 0xdb8,
    }
}

/// Where in a text any address stands.
pub(super) fn placeholder_addresses(text: &str) -> impl Iterator<Item = Range<usize>> + '_ {
    addresses(text)
        .into_iter()
        .filter(|at| text.get(at.clone()).and_then(|text| text.parse().ok()).is_some_and(is_placeholder))
}

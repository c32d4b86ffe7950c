//! What is a credential by its form or by the sign before it: web tokens, private keys, `Bearer ...`, passwords in
//! URLs, `--token ...`, `-u user:password`, parts of a multipart body.

use std::sync::LazyLock;

use base64::Engine;
use base64::engine::general_purpose::STANDARD_PAD_INDIFFERENT;
use regex::bytes::Regex;

use super::super::looks;
use super::super::names::Likeness;
use super::super::place::{Place, What};
use super::super::rules::Rules;
use super::{Find, Holds, counts};

/// One of the fixed patterns of this page; a test holds that each of them compiles.
type Pattern = LazyLock<Option<Regex>>;

static WEB_TOKEN: Pattern =
    LazyLock::new(|| Regex::new(r"(?-u)eyJ[A-Za-z0-9_-]{8,}(?:\.[A-Za-z0-9_-]*){1,4}").ok());
static PRIVATE_KEY: Pattern = LazyLock::new(|| {
    let dashes = "PRIVATE KEY[A-Z0-9 ]*-----";
    Regex::new(&format!(r"(?-u)-----BEGIN [A-Z0-9 ]*{dashes}((?s:.)*?)(?:-----END [A-Z0-9 ]*{dashes}|\z)"))
        .ok()
});
static SCHEME: Pattern = LazyLock::new(|| {
    Regex::new(r"(?i-u)\b(basic|bearer|token|apikey|negotiate)[ :=]{1,2}([A-Za-z0-9._~+/=-]{8,})").ok()
});
static USER_INFO: Pattern =
    LazyLock::new(|| Regex::new(r#"(?-u)://([^\s/?#@:"'<>\\]*)(?::([^\s/?#"'<>\\]*))?@"#).ok());
static FLAG: Pattern = LazyLock::new(|| {
    Regex::new(r#"(?-u)(?:^|[\s"'\[,])--?([A-Za-z][A-Za-z0-9_-]+)(?:[ \t]+|["'],[ \t]*)(?:"([^"]*)"|'([^']*)'|([^\s"']+))"#).ok()
});
static PAIR: Pattern = LazyLock::new(|| {
    Regex::new(r#"(?-u)["']([A-Za-z][A-Za-z0-9_.-]{1,63})["']\s*,\s*["']([^"'\s]{8,})["']"#).ok()
});
static USER: Pattern = LazyLock::new(|| {
    Regex::new(r#"(?-u)(?:^|\s)(?:-u|-U|--user|--proxy-user)[ =]?["']?[^\s:"']+:([^\s"']+)"#).ok()
});
static PART: Pattern = LazyLock::new(|| {
    Regex::new(r#"(?i-u)content-disposition:[^\r\n]*?\bname="?([^";\r\n]+)[^\r\n]*(?:\r?\n[^\r\n]+)*\r?\n\r?\n((?s:.)*?)(?:\r?\n--|\z)"#).ok()
});

pub(super) fn find(bytes: &[u8], holds: &Holds, rules: &Rules, found: &mut Vec<Find>) {
    if holds.all(b"eyJ.") {
        whole(&WEB_TOKEN, bytes, What::WebToken, found);
    }
    if holds.all(b"-BEGINPRVATKY") {
        whole(&PRIVATE_KEY, bytes, What::PrivateKey, found);
    }
    // A pattern takes long to be made and much room: most texts, and most runs, get by without these.
    if (holds.all(b" ") || holds.all(b":")) && may_hold_scheme(bytes) {
        schemes(bytes, found);
    }
    if holds.all(b":/@") {
        users_of_urls(bytes, found);
    }
    if holds.all(b"-") && may_hold_flag(bytes) {
        flags(bytes, rules, found);
    }
    if holds.all(b"',") || holds.all(b"\",") {
        pairs(bytes, rules, found);
    }
    if holds.all(b":-\n") {
        parts(bytes, rules, found);
    }
}

/// The words of [`SCHEME`].
const SCHEMES: [&[u8]; 5] = [b"basic", b"bearer", b"token", b"apikey", b"negotiate"];

/// Whether any such word stands before what [`SCHEME`] has behind it; without one it finds nothing.
pub(super) fn may_hold_scheme(bytes: &[u8]) -> bool {
    memchr::memchr3_iter(b' ', b':', b'=', bytes).any(|at| {
        let before = bytes.get(..at).unwrap_or_default();
        let last = before.last().map(u8::to_ascii_lowercase);
        SCHEMES.iter().any(|word| {
            word.last().copied() == last
                && before
                    .get(before.len().saturating_sub(word.len())..)
                    .is_some_and(|end| end.eq_ignore_ascii_case(word))
        })
    })
}

/// Whether any dash stands where [`FLAG`] and [`USER`] have their first; without one they find nothing.
fn may_hold_flag(bytes: &[u8]) -> bool {
    let begins = |before: Option<&u8>| {
        before.is_none_or(|byte| matches!(byte, b'\t'..=b'\r' | b' ' | b'"' | b'\'' | b'[' | b','))
    };
    let mut dashes = memchr::memchr_iter(b'-', bytes);
    dashes.any(|at| begins(at.checked_sub(1).and_then(|before| bytes.get(before))))
}

/// What is a credential from its first byte to its last; of a private key its inside.
fn whole(pattern: &Pattern, bytes: &[u8], what: What, found: &mut Vec<Find>) {
    let Some(pattern) = pattern.as_ref() else { return };
    for captures in pattern.captures_iter(bytes) {
        let at = captures.get(1).or_else(|| captures.get(0)).map(|it| it.range()).unwrap_or_default();
        if counts(Likeness::Sure, bytes.get(at.clone()).unwrap_or_default()) {
            found.push(Find { at, place: Place::new(what, "") });
        }
    }
}

fn schemes(bytes: &[u8], found: &mut Vec<Find>) {
    let Some(pattern) = SCHEME.as_ref() else { return };
    for captures in pattern.captures_iter(bytes) {
        let (Some(scheme), Some(value)) = (captures.get(1), captures.get(2)) else { continue };
        let is_basic = scheme.as_bytes().eq_ignore_ascii_case(b"basic");
        let pair = STANDARD_PAD_INDIFFERENT.decode(value.as_bytes()).unwrap_or_default();
        let is_pair = pair.contains(&b':') && pair.iter().all(|byte| !byte.is_ascii_control());
        if counts(Likeness::Maybe, value.as_bytes()) && (!is_basic || is_pair) {
            let what = if is_basic { What::Authorization } else { What::Text };
            let name = String::from_utf8_lossy(scheme.as_bytes()).into_owned();
            found.push(Find { at: value.range(), place: Place::new(what, name) });
        }
    }
}

/// The password of `https://user:password@host`, or a user's name that looks like a token.
fn users_of_urls(bytes: &[u8], found: &mut Vec<Find>) {
    let Some(pattern) = USER_INFO.as_ref() else { return };
    for captures in pattern.captures_iter(bytes) {
        let password = captures.get(2).filter(|it| counts(Likeness::Sure, it.as_bytes()));
        let user = captures.get(1).filter(|it| looks::secret(it.as_bytes()));
        let is_alone = captures.get(2).is_none_or(|it| it.is_empty() || it.as_bytes() == b"x-oauth-basic");
        for value in password.into_iter().chain(user.filter(|_| is_alone)) {
            found.push(Find { at: value.range(), place: Place::new(What::Url, "") });
        }
    }
}

fn flags(bytes: &[u8], rules: &Rules, found: &mut Vec<Find>) {
    if let Some(pattern) = FLAG.as_ref() {
        for captures in pattern.captures_iter(bytes) {
            let Some(name) = captures.get(1).map(|it| String::from_utf8_lossy(it.as_bytes()).into_owned())
            else {
                continue;
            };
            let value = captures.get(2).or_else(|| captures.get(3)).or_else(|| captures.get(4));
            if let (Some(value), Some(likeness)) = (value, rules.likeness(&name))
                && counts(likeness, value.as_bytes())
                && !value.as_bytes().starts_with(b"-")
            {
                found.push(Find { at: value.range(), place: Place::new(What::Argument, name) });
            }
        }
    }
    if let Some(pattern) = USER.as_ref() {
        for value in pattern.captures_iter(bytes).filter_map(|captures| captures.get(1)) {
            if counts(Likeness::Sure, value.as_bytes()) {
                found.push(Find { at: value.range(), place: Place::new(What::Argument, "--user") });
            }
        }
    }
}

/// `('SEC', 'abc')`, if the second looks like a secret: the first may be one of a list of names.
fn pairs(bytes: &[u8], rules: &Rules, found: &mut Vec<Find>) {
    let Some(pattern) = PAIR.as_ref() else { return };
    for captures in pattern.captures_iter(bytes) {
        let (Some(name), Some(value)) = (captures.get(1), captures.get(2)) else { continue };
        let name = String::from_utf8_lossy(name.as_bytes()).into_owned();
        if rules.likeness(&name).is_some() && counts(Likeness::Maybe, value.as_bytes()) {
            found.push(Find { at: value.range(), place: Place::new(What::Text, name) });
        }
    }
}

fn parts(bytes: &[u8], rules: &Rules, found: &mut Vec<Find>) {
    let Some(pattern) = PART.as_ref() else { return };
    for captures in pattern.captures_iter(bytes) {
        let (Some(name), Some(value)) = (captures.get(1), captures.get(2)) else { continue };
        let name = String::from_utf8_lossy(name.as_bytes()).into_owned();
        if let Some(likeness) = rules.likeness(&name)
            && counts(likeness, value.as_bytes())
        {
            found.push(Find { at: value.range(), place: Place::new(What::FormField, name) });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    proptest::proptest! {
        #[test]
        fn what_no_pattern_is_asked_about_no_pattern_finds(
            text in r#"(?:--?|[ "'\[,\t=:.]|-u|--user|token|Bearer|BASIC|apikey|negotiate|[a-z]{1,8}|dXNlcjpwYXNz|[A-Za-z0-9]{9,12}){0,12}"#,
        ) {
            let (mut quick, mut slow) = (Vec::new(), Vec::new());
            if may_hold_scheme(text.as_bytes()) {
                schemes(text.as_bytes(), &mut quick);
            }
            if may_hold_flag(text.as_bytes()) {
                flags(text.as_bytes(), &Rules::default(), &mut quick);
            }
            schemes(text.as_bytes(), &mut slow);
            flags(text.as_bytes(), &Rules::default(), &mut slow);
            proptest::prop_assert_eq!(quick, slow);
        }
    }

    #[test]
    fn every_pattern_compiles() {
        for pattern in [&WEB_TOKEN, &PRIVATE_KEY, &SCHEME, &USER_INFO, &FLAG, &PAIR, &USER, &PART] {
            assert!(pattern.is_some());
        }
    }

    #[test]
    fn a_look_before_a_pattern_never_keeps_it_from_what_it_finds() {
        let words = [
            "bAsic",
            "Bearer",
            "token",
            "apikey",
            "negotiate",
            "-u",
            "--user",
            "-",
            "--x",
            "secret",
            "12345678",
            " ",
            ":",
            "=",
            "\t",
            "\n",
            "\u{b}",
            "\"",
            "'",
            "[",
            ",",
            "a",
            "\u{e9}",
            ": ",
            "",
        ];
        let finds = |pattern: &Pattern, text: &str| pattern.as_ref().unwrap().is_match(text.as_bytes());
        let (mut schemes, mut flags) = (0, 0);
        for a in words {
            for b in words {
                for c in words {
                    for text in [[a, b, c, "abcdefgh"].concat(), ["x", a, b, c, ":abcdefgh"].concat()] {
                        let found = finds(&SCHEME, &text);
                        assert!(!found || may_hold_scheme(text.as_bytes()), "{text:?}");
                        schemes += usize::from(found);
                        let found = finds(&FLAG, &text) || finds(&USER, &text);
                        assert!(!found || may_hold_flag(text.as_bytes()), "{text:?}");
                        flags += usize::from(found);
                    }
                }
            }
        }
        assert!(schemes > 50 && flags > 50, "{schemes} {flags}");
    }
}

//! Credentials in any text, whatever its format: `token=...`, `SEC: ...`, `<password>...</password>`, a web token, the
//! password of a URL. Found by the name beside the value, or by the form of the value itself.

mod assign;
mod form;
mod markup;
mod table;

use std::ops::Range;
use std::sync::LazyLock;

use super::coded::RUN_MIN;
use super::looks;
use super::names::{Likeness, holds_placeholder};
use super::place::Place;
use super::readings::Readings;
use super::rules::Rules;

/// A credential and where its value stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Find {
    pub(super) at: Range<usize>,
    pub(super) place: Place,
}

/// Which bytes a text holds: most texts lack what most searches begin with.
pub(super) struct Holds([bool; 256]);

impl Holds {
    fn of(bytes: &[u8]) -> Self {
        let mut holds = [false; 256];
        for byte in bytes {
            if let Some(there) = holds.get_mut(usize::from(*byte)) {
                *there = true;
            }
        }
        Self(holds)
    }

    fn all(&self, bytes: &[u8]) -> bool {
        bytes.iter().all(|byte| self.0.get(usize::from(*byte)) == Some(&true))
    }
}

/// Bytes that anything found in a text begins with or has in it, however it may be read; but for words before a value,
/// which [`form::may_hold_scheme`] finds, and long runs of digits, which [`Readings`] finds.
const SIGNS: &[u8] = b"=:<>'\"{[%\\&-J\0\n";

static IS_SIGN: LazyLock<[bool; 256]> = LazyLock::new(|| {
    let mut signs = [false; 256];
    for (byte, is_sign) in (0..=u8::MAX).zip(&mut signs) {
        *is_sign = SIGNS.contains(&byte);
    }
    signs
});

/// Whether a text holds no credential for certain, nor JSON, and can be read in one way only: what a member holds mostly.
pub(super) fn is_dull(text: &str, rules: &Rules) -> bool {
    let bytes = text.as_bytes();
    let signs: &[bool; 256] = &IS_SIGN;
    let holds = |found: bool, byte: &u8| found | signs.get(usize::from(*byte)).copied().unwrap_or(true);
    !bytes.iter().fold(false, holds)
        && !rules.has_patterns()
        && (bytes.len() < SCHEME_MIN || !form::may_hold_scheme(bytes))
        && (bytes.len() < RUN_MIN || Readings::of(bytes).is_one())
}

/// Every credential in a text, in no order; some may overlap.
pub(super) fn find(bytes: &[u8], rules: &Rules) -> Vec<Find> {
    let holds = Holds::of(bytes);
    let mut found = Vec::new();
    if holds.all(b"=") || holds.all(b":") {
        assign::find(bytes, rules, &mut found);
    }
    if holds.all(b"<>") {
        markup::find(bytes, rules, &mut found);
    }
    form::find(bytes, &holds, rules, &mut found);
    rules.matches(bytes, &mut found);
    found
}

/// The credentials in the columns of a table with a first row of names; see [`table`].
pub(super) fn in_table(bytes: &[u8], rules: &Rules) -> Vec<Find> {
    table::find(bytes, rules)
}

/// No scheme with a value behind it is shorter.
const SCHEME_MIN: usize = 14;
/// So many signs without a letter or digit may be a secret; fewer are a bracket or a dash.
const SIGNS_MIN: usize = 4;

/// Words that stand for a value that is not there.
const NOTHING: &[&str] = &["null", "none", "nil", "true", "false", "undefined", "yes", "no"];

/// Whether a value beside a name is a secret's.
fn counts(likeness: Likeness, value: &[u8]) -> bool {
    let is_nothing = || NOTHING.iter().any(|word| value.eq_ignore_ascii_case(word.as_bytes()));
    let is_sign =
        value.len() < SIGNS_MIN && !value.iter().any(|byte| byte.is_ascii_alphanumeric() || !byte.is_ascii());
    match likeness {
        _ if value.trim_ascii().is_empty() || is_sign || holds_placeholder(value) => false,
        Likeness::Sure => !is_nothing(),
        Likeness::Maybe => looks::secret(value),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::{bodies, tokens};
    use super::*;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(4000))]
        #[test]
        fn a_dull_text_holds_nothing_that_a_longer_look_finds(
            text in r#"(?:token|password|sec|Bearer|BASIC|apikey|negotiate|eyJhbGciOi[a-z]{2}|\.|[=:<>'"{%\\&,@/ -]|\[|--?u|\\u0041|\n|[a-z]{1,6}|[0-9a-f]{8}|[A-Za-z0-9+/]{7,9}|dG9rZW49OWYyYzRlOGEwMWI3|746f6b656e3d3966|é){1,6}"#,
        ) {
            let rules = Rules::default();
            let mut visit = |_: &Place, _: &[u8]| Some("x".to_owned());
            let finds = bodies::text(text.as_bytes(), &rules, &mut visit).is_some();
            let is_found = finds || (text.len() > 1 && tokens::looks_like_json(&text));
            prop_assert!(!(is_found && is_dull(&text, &rules)), "{text:?}");
        }
    }

    #[test]
    fn an_ordinary_text_is_dull_and_a_rule_of_the_users_own_makes_none_so() {
        let mut rules = Rules::default();
        for text in ["COMPLETE", "one of very many", "case 17", "10.1.2.3", "Login Failures", "a word"] {
            assert!(is_dull(text, &rules), "{text}");
        }
        for text in ["Bearer abcdefgh", "eyJhbGci.x", "a=b", "-u a", "9f2c4e8a01b79f2c", "case #1: x"] {
            assert!(!is_dull(text, &rules), "{text}");
        }
        rules.add("regex:CUST[0-9]+").unwrap();
        assert!(!is_dull("CUST17", &rules));
    }
}

//! What a user redacts beyond the built-in rules: names, places in JSON, patterns.

use std::collections::BTreeSet;

use regex::bytes::{Regex, RegexBuilder};
use serde::Deserialize;

use super::customer::Class;
use super::names::{self, Likeness, POLICY};
use super::place::{Place, What};
use super::text::Find;

/// The most rules of one policy.
const RULES_MAX: usize = 256;
/// The longest pattern, in bytes: a longer one is refused before it is looked at.
const PATTERN_LENGTH_MAX: usize = 16 * 1024;
/// The most memory that one compiled pattern may take, in bytes.
const PATTERN_MAX_BYTES: usize = 1024 * 1024;

/// What stands for all kinds of customer data.
const ALL_KINDS: &str = "customer-data";

/// Names, pointers and patterns whose values are secrets. Without any, the built-in rules alone.
#[derive(Clone, Debug, Default)]
pub struct Rules {
    /// As words with a dash between them.
    names: Vec<String>,
    /// Each its steps, decoded; `*` stands for any.
    pointers: Vec<(String, Vec<String>)>,
    patterns: Vec<(String, Regex)>,
    /// Customer data that stays as it is.
    kept: BTreeSet<Class>,
}

/// Why a rule cannot be used.
#[derive(Clone, Debug, thiserror::Error)]
pub enum RuleError {
    /// Not a name, not a pointer, not a pattern.
    #[error(
        "`{0}` is no name to redact: write a NAME, a JSON pointer such as /data/0/owner, or regex:PATTERN"
    )]
    NoName(String),
    /// The pattern does not compile, or is too large.
    #[error("the pattern `{pattern}` cannot be used: {why}")]
    Pattern {
        /// As it was written.
        pattern: String,
        /// What the compiler says.
        why: String,
    },
    /// Everything would be redacted.
    #[error(
        "the pattern `{0}` matches the empty text, and so everything: write one that needs a character at least"
    )]
    Empty(String),
    /// More than can be.
    #[error("more than {RULES_MAX} rules: use patterns that say the same in fewer")]
    TooMany,
    /// No kind of customer data.
    #[error(
        "`{0}` is no kind of customer data to keep: write users, hosts, addresses, mails or customer-data"
    )]
    NoKind(String),
    /// The file of rules is not what it should be.
    #[error("{0}")]
    File(String),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    redact: Vec<String>,
    #[serde(default)]
    keep: Vec<String>,
}

impl Rules {
    /// Adds one rule: a name, a JSON pointer (`/data/*/owner`), or `regex:PATTERN`.
    ///
    /// # Errors
    /// If it is none of them, or there are too many.
    pub fn add(&mut self, rule: &str) -> Result<(), RuleError> {
        if self.names.len() + self.pointers.len() + self.patterns.len() >= RULES_MAX {
            return Err(RuleError::TooMany);
        }
        if let Some(pattern) = rule.strip_prefix("regex:") {
            self.patterns.push((rule.to_owned(), compiled(pattern)?));
        } else if rule.starts_with('/') {
            let steps = rule.split('/').skip(1).map(|step| step.replace("~1", "/").replace("~0", "~"));
            self.pointers.push((rule.to_owned(), steps.collect()));
        } else {
            let name = names::words(rule).join("-");
            if name.is_empty() || rule.len() > names::NAME_MAX || rule.contains(['=', ':', ' ']) {
                return Err(RuleError::NoName(rule.to_owned()));
            }
            self.names.push(name);
        }
        Ok(())
    }

    /// Adds the rules of a `redact.toml`: `redact = ["NAME", "/pointer", "regex:PATTERN"]`, and what
    /// it keeps: `keep = ["users"]`.
    ///
    /// # Errors
    /// If it is not TOML of this form, or holds a rule that cannot be used.
    pub fn add_file(&mut self, text: &str) -> Result<(), RuleError> {
        let file: File =
            toml::from_str(text).map_err(|error| RuleError::File(error.to_string().trim().to_owned()))?;
        file.redact.iter().try_for_each(|rule| self.add(rule))?;
        file.keep.iter().try_for_each(|kind| self.keep(kind))
    }

    /// Keeps a kind of customer data as it is: `users`, `hosts`, `addresses`, `mails`, or `customer-data` for all.
    ///
    /// # Errors
    /// If it is none of them.
    pub fn keep(&mut self, kind: &str) -> Result<(), RuleError> {
        let found: Vec<Class> =
            Class::ALL.into_iter().filter(|class| class.name() == kind || kind == ALL_KINDS).collect();
        if found.is_empty() {
            return Err(RuleError::NoKind(kind.to_owned()));
        }
        self.kept.extend(found);
        Ok(())
    }

    /// The kinds of customer data that stay as they are.
    pub(crate) fn kept(&self) -> &BTreeSet<Class> {
        &self.kept
    }

    /// Eight hex digits that name these rules together with the built-in ones.
    pub fn policy_hash(&self) -> String {
        if self.names.is_empty()
            && self.pointers.is_empty()
            && self.patterns.is_empty()
            && self.kept.is_empty()
        {
            return names::policy_hash();
        }
        let mut all: Vec<&str> = self.names.iter().map(String::as_str).collect();
        all.extend(self.pointers.iter().map(|(text, _)| text.as_str()));
        all.extend(self.patterns.iter().map(|(text, _)| text.as_str()));
        let kept: Vec<String> = self.kept.iter().map(|class| format!("keep {}", class.name())).collect();
        all.extend(kept.iter().map(String::as_str));
        all.sort_unstable();
        all.dedup();
        names::hash8(&format!("{POLICY}\n{}", all.join("\n")))
    }

    /// Whether a name holds a credential, by these rules or the built-in ones.
    pub(super) fn likeness(&self, name: &str) -> Option<Likeness> {
        self.beside(name, names::remembered_likeness(name))
    }

    /// The same for a text that may be one, of which there are too many to be remembered.
    pub(super) fn likeness_of_text(&self, text: &str) -> Option<Likeness> {
        self.beside(text, names::likeness(text))
    }

    fn beside(&self, name: &str, built_in: Option<Likeness>) -> Option<Likeness> {
        if built_in == Some(Likeness::Sure) || self.names.is_empty() || name.len() > names::NAME_MAX {
            return built_in;
        }
        let words = names::words(name).join("-");
        if self.names.contains(&words) { Some(Likeness::Sure) } else { built_in }
    }

    /// Whether a name is one of the user's own: its value is hidden whatever it is, numbers included.
    pub(super) fn names(&self, name: &str) -> bool {
        !self.names.is_empty() && self.names.contains(&names::words(name).join("-"))
    }

    /// Whether names of the user's own count.
    pub(super) fn has_names(&self) -> bool {
        !self.names.is_empty()
    }

    /// Whether patterns of the user's own count.
    pub(super) fn has_patterns(&self) -> bool {
        !self.patterns.is_empty()
    }

    pub(super) fn matches(&self, bytes: &[u8], found: &mut Vec<Find>) {
        for (rule, pattern) in &self.patterns {
            for captures in pattern.captures_iter(bytes) {
                let Some(value) = captures.get(1).or_else(|| captures.get(0)) else { continue };
                if !value.is_empty() && !names::holds_placeholder(value.as_bytes()) {
                    found.push(Find { at: value.range(), place: Place::new(What::Rule, rule.clone()) });
                }
            }
        }
    }

    pub(super) fn pointers(&self) -> &[(String, Vec<String>)] {
        &self.pointers
    }
}

fn compiled(pattern: &str) -> Result<Regex, RuleError> {
    if pattern.len() > PATTERN_LENGTH_MAX {
        let start: String = pattern.chars().take(60).collect();
        let why = format!("it is longer than {PATTERN_LENGTH_MAX} bytes");
        return Err(RuleError::Pattern { pattern: format!("{start}..."), why });
    }
    let built =
        RegexBuilder::new(pattern).size_limit(PATTERN_MAX_BYTES).dfa_size_limit(PATTERN_MAX_BYTES).build();
    let why =
        |error: regex::Error| RuleError::Pattern { pattern: pattern.to_owned(), why: error.to_string() };
    let built = built.map_err(why)?;
    if built.is_match(b"") { Err(RuleError::Empty(pattern.to_owned())) } else { Ok(built) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rule_is_a_name_a_pointer_or_a_pattern() {
        let mut rules = Rules::default();
        rules.add_file("redact = [\"customerNumber\", \"/data/*/owner~1x\", \"regex:CUST-[0-9]+\"]").unwrap();
        assert_eq!(rules.likeness("customer_number"), Some(Likeness::Sure));
        assert_eq!(rules.pointers()[0].1, ["data", "*", "owner/x"]);
        for wrong in ["", "a=b", "regex:(", "regex:a*"] {
            assert!(rules.add(wrong).is_err(), "{wrong}");
        }
        assert!(rules.add("regex:(?:(?:a{1000}){1000}){1000}").is_err(), "a pattern is bounded");
        assert!(Rules::default().add_file("names = []").is_err());
    }

    #[test]
    fn the_hash_names_the_rules_whatever_their_order() {
        let hash = |rules: &[&str]| {
            let mut all = Rules::default();
            rules.iter().for_each(|rule| all.add(rule).unwrap());
            all.policy_hash()
        };
        assert_eq!(hash(&["a", "/b"]), hash(&["/b", "a", "a"]));
        assert_ne!(hash(&["a"]), hash(&[]));
        assert_eq!(hash(&[]), names::policy_hash());
    }
}

//! The command line that does a run again: what was typed, quoted for a shell, with variables in the place of secrets.

use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;

use super::{profiles, settings};
use crate::redact::{EVERYWHERE_MIN_BYTES, Redactor, is_credential_name, is_redacted, placeholders};
use crate::report::{Part, shell_parts, shell_word};

/// The variable that stands for the first secret of a command; further ones carry a number.
const VARIABLE: &str = "FAULTDECK_SECRET";

/// A command line, and the variables that must be set before it is run again.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Repeat {
    words: Vec<String>,
    variables: Vec<String>,
}

impl Repeat {
    /// Begins with a program and its verb.
    pub(super) fn of(verb: &str) -> Self {
        let mut repeat = Self { words: vec!["faultdeck".to_owned(), verb.to_owned()], variables: Vec::new() };
        profiles::named().iter().for_each(|file| repeat.flag("--profile", file));
        if let Some(file) = settings::named() {
            repeat.flag("--settings", file);
        }
        repeat
    }

    /// A command line that somebody else names, without a secret in it.
    pub(super) fn of_words(words: &[String]) -> Self {
        let words = words.iter().map(|word| shell_word(word)).collect();
        Self { words, variables: Vec::new() }
    }

    /// Adds a word that holds no secret.
    pub(super) fn word(&mut self, word: &str) {
        self.words.push(shell_word(word));
    }

    /// Adds what a shell reads: a redirection.
    pub(super) fn shell(&mut self, text: &str) {
        self.words.push(text.to_owned());
    }

    /// Adds a flag with its value.
    pub(super) fn flag(&mut self, flag: &str, value: &str) {
        self.word(flag);
        self.word(value);
    }

    /// Adds flags that may hold secrets, and somebody's command. Only the secrets themselves are left out of it; one that a variable of `environment`
    /// holds is taken from there again.
    pub(super) fn command(
        &mut self,
        flags: &[String],
        command: &[OsString],
        environment: impl Iterator<Item = (OsString, OsString)>,
        redactor: &Redactor,
    ) {
        let command: Vec<OsString> =
            flags.iter().map(OsString::from).chain(["--".into()]).chain(command.iter().cloned()).collect();
        let texts: Vec<String> = command.iter().map(|word| word.to_string_lossy().into_owned()).collect();
        let mut variables = Variables::of(environment, &texts);
        variables.held.iter().for_each(|(_, value)| redactor.learn(value));
        // By its place first, then wherever it stands once more.
        let masked = redactor.arguments(&texts).iter().map(|word| redactor.text(word)).collect::<Vec<_>>();
        for ((word, text), masked) in command.iter().zip(&texts).zip(&masked) {
            let parts = if word.to_str().is_some() {
                parts(text, masked, &mut variables)
            } else {
                vec![Part::Bytes(redactor.bytes(&word.clone().into_vec()))]
            };
            self.words.push(shell_parts(&parts));
        }
        self.variables = (0..variables.new.len()).map(variable).collect();
    }

    /// The line.
    pub(super) fn line(&self) -> String {
        self.words.join(" ")
    }

    /// What is to be done before it is run, if anything.
    pub(super) fn first(&self) -> Option<String> {
        let what = if self.variables.len() == 1 {
            "the secret that stood there"
        } else {
            "the secrets, in their order"
        };
        (!self.variables.is_empty()).then(|| format!("set {} first, to {what}", self.variables.join(", ")))
    }
}

/// The variables that secrets are taken from.
#[derive(Default)]
struct Variables {
    /// Those of the environment with a credential that stands in the command: name and value.
    held: Vec<(String, String)>,
    /// The placeholders of the secrets that need a new one.
    new: Vec<String>,
}

impl Variables {
    fn of(environment: impl Iterator<Item = (OsString, OsString)>, texts: &[String]) -> Self {
        let text =
            |(name, value): (OsString, OsString)| Some((name.into_string().ok()?, value.into_string().ok()?));
        let is_name = |name: &str| {
            let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
            name.bytes().all(plain) && !name.starts_with(|c: char| c.is_ascii_digit())
        };
        let held = environment.filter_map(text).filter(|(name, value)| {
            let stands_there =
                value.len() >= EVERYWHERE_MIN_BYTES && texts.iter().any(|text| text.contains(value));
            stands_there && is_name(name) && is_credential_name(name)
        });
        Self { held: held.collect(), new: Vec::new() }
    }

    /// Equal secrets have one variable.
    fn name(&mut self, placeholder: &str, value: Option<&str>) -> String {
        if let Some((name, _)) = self.held.iter().find(|(_, held)| value == Some(held)) {
            return name.clone();
        }
        let index = self.new.iter().position(|known| known == placeholder).unwrap_or_else(|| {
            self.new.push(placeholder.to_owned());
            self.new.len() - 1
        });
        variable(index)
    }
}

fn variable(index: usize) -> String {
    if index == 0 { VARIABLE.to_owned() } else { format!("{VARIABLE}_{}", index + 1) }
}

/// The parts of a word: `masked` is the same with placeholders in it.
fn parts(text: &str, masked: &str, variables: &mut Variables) -> Vec<Part> {
    let mut parts = Vec::new();
    let (mut rest, mut at) = (text, 0);
    for placeholder in placeholders(masked) {
        let between = masked.get(at..placeholder.start).unwrap_or_default();
        at = placeholder.end;
        let name = masked.get(placeholder).unwrap_or_default();
        // A header may have been put in order: `SEC:abc` is `SEC: abc`.
        let behind = rest.strip_prefix(between).or_else(|| rest.strip_prefix(between.trim_end()));
        let Some(behind) = behind else { return all_masked(masked, variables) };
        let before = rest.get(..rest.len() - behind.len()).unwrap_or_default();
        let after = masked.get(at..).unwrap_or_default();
        let next = placeholders(after).next().map_or(after.len(), |next| next.start);
        let follows = after.get(..next).unwrap_or_default();
        let end = if follows.is_empty() { Some(behind.len()) } else { behind.find(follows) };
        let Some((value, left)) = end.and_then(|end| behind.split_at_checked(end)) else {
            return all_masked(masked, variables);
        };
        let secret = value.trim();
        let blanks = value.find(secret).unwrap_or_default();
        add(&mut parts, before);
        add(&mut parts, value.get(..blanks).unwrap_or_default());
        if is_redacted(secret.as_bytes()) {
            add(&mut parts, secret);
        } else {
            parts.push(Part::Variable(variables.name(name, Some(secret))));
        }
        add(&mut parts, value.get(blanks + secret.len()..).unwrap_or_default());
        rest = left;
    }
    add(&mut parts, rest);
    parts
}

/// Adds text; what stands side by side is one part.
fn add(parts: &mut Vec<Part>, text: &str) {
    match parts.last_mut() {
        _ if text.is_empty() => {}
        Some(Part::Bytes(bytes)) => bytes.extend_from_slice(text.as_bytes()),
        Some(Part::Variable(_)) | None => parts.push(Part::Bytes(text.into())),
    }
}

/// Where what is around a secret was put otherwise, too, the masked word is all that can be shown.
fn all_masked(masked: &str, variables: &mut Variables) -> Vec<Part> {
    let (mut parts, mut at) = (Vec::new(), 0);
    for placeholder in placeholders(masked) {
        add(&mut parts, masked.get(at..placeholder.start).unwrap_or_default());
        at = placeholder.end;
        parts.push(Part::Variable(variables.name(masked.get(placeholder).unwrap_or_default(), None)));
    }
    add(&mut parts, masked.get(at..).unwrap_or_default());
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    fn repeated(words: &[&str]) -> Repeat {
        let mut repeat = Repeat::of("run");
        let words: Vec<OsString> = words.iter().map(OsString::from).collect();
        let held = [("POLLER_TOKEN".into(), "a-token-that-is-set".into())];
        repeat.command(&[], &words, held.into_iter(), &Redactor::new());
        repeat
    }

    #[test]
    fn only_a_secrets_value_is_left_out() {
        let repeat =
            repeated(&["curl", "-H", "SEC: a-long-secret-1", "--token=a-long-secret-2", "a-long-secret-1/x"]);
        let expected = "faultdeck run -- curl -H \"SEC: $FAULTDECK_SECRET\" \"--token=$FAULTDECK_SECRET_2\" \
                        \"$FAULTDECK_SECRET/x\"";
        assert_eq!(repeat.line(), expected);
        let first = repeat.first().unwrap();
        assert!(first.starts_with("set FAULTDECK_SECRET, FAULTDECK_SECRET_2 first"), "{first}");
    }

    #[test]
    fn blanks_around_a_secret_stay_as_they_were_typed() {
        let mut variables = Variables::default();
        for (typed, masked, expected) in [
            ("SEC:a-secret", "SEC: fd-secret-1", "\"SEC:$FAULTDECK_SECRET\""),
            ("SEC:  a-secret ", "SEC: fd-secret-1", "\"SEC:  $FAULTDECK_SECRET \""),
            ("a=a-secret;b=c", "a=fd-secret-1;b=c", "\"a=$FAULTDECK_SECRET;b=c\""),
            ("quite another", "SEC: fd-secret-1", "\"SEC: $FAULTDECK_SECRET\""),
        ] {
            assert_eq!(shell_parts(&parts(typed, masked, &mut variables)), expected);
        }
    }

    #[test]
    fn a_shell_makes_of_the_line_the_words_that_were_typed() {
        let script = "curl -s -H \"SEC: a-long-secret-1\" \"$FAULTDECK_URL/x?a=b\"\n[ $? = 0 ] || exit 3";
        for typed in [
            &["curl", "-H", "SEC: a-long-secret-1", "http://h/x"][..],
            &["curl", "-HSEC:a-long-secret-1", "--header=SEC:  a-long-secret-1", "it's \"$HOME\" `x` \\ %s"],
            &["sh", "-c", script],
            &[
                "./poller",
                "--token",
                "a-long-secret-1",
                "--token=a-long-secret-1",
                "TOKEN=a-long-secret-1",
                "*",
            ],
            &[
                "curl",
                "-u",
                "ana:a-long-secret-1",
                "http://ana:a-long-secret-1@h/x?token=a-long-secret-1&b=c",
            ],
            &["curl", "-d", "{\"password\": \"a-long-secret-1\", \"name\": \"x\"}"],
        ] {
            let line = repeated(typed).line();
            assert!(!line.contains("a-long-secret-1"), "{line}");
            let words = line.split_once(" -- ").unwrap().1;
            let shell = std::process::Command::new("sh")
                .args(["-c", &format!("printf '%s\\000' {words}")])
                .env("FAULTDECK_SECRET", "a-long-secret-1")
                .output()
                .unwrap();
            let came = String::from_utf8(shell.stdout).unwrap();
            assert_eq!(came.split_terminator('\0').collect::<Vec<_>>(), typed, "{line}");
        }
    }

    #[test]
    fn without_a_secret_the_words_are_those_that_were_typed() {
        let repeat = repeated(&["sh", "-c", "curl \"$FAULTDECK_URL\"\nexit 3"]);
        assert_eq!(repeat.line(), "faultdeck run -- sh -c \"$(printf 'curl \"$FAULTDECK_URL\"\\nexit 3')\"");
        assert_eq!(repeat.first(), None);
    }

    #[test]
    fn a_secret_that_a_variable_holds_is_taken_from_there_wherever_it_stands() {
        let repeat = repeated(&["./poller", "a-token-that-is-set", "SEC: a-token-that-is-set"]);
        let expected = "faultdeck run -- ./poller \"$POLLER_TOKEN\" \"SEC: $POLLER_TOKEN\"";
        assert_eq!((repeat.line().as_str(), repeat.first()), (expected, None));
    }

    #[test]
    fn a_variable_in_a_script_is_no_secret() {
        let script = "curl -H \"SEC: $FAULTDECK_SEC\" --token ${POLLER_TOKEN} \"$FAULTDECK_URL/x\"; exit 3";
        let repeat = repeated(&["sh", "-c", script]);
        let expected = format!("faultdeck run -- sh -c '{script}'");
        assert_eq!((repeat.line(), repeat.first()), (expected, None));
    }

    #[test]
    fn a_flag_s_secret_has_a_variable_as_the_commands_have() {
        let mut repeat = Repeat::of("run");
        let flags = ["--env", "API_TOKEN=a-long-secret-1", "--env", "API={url}/api"].map(str::to_owned);
        let command = ["x", "a-long-secret-1"].map(OsString::from);
        repeat.command(&flags, &command, std::iter::empty(), &Redactor::new());
        let expected = "faultdeck run --env \"API_TOKEN=$FAULTDECK_SECRET\" --env 'API={url}/api' -- x \"$FAULTDECK_SECRET\"";
        assert_eq!(repeat.line(), expected);
    }

    #[test]
    fn a_variable_in_a_header_is_no_secret() {
        let repeat = repeated(&["curl", "-H", "SEC: $FAULTDECK_SEC"]);
        assert_eq!(
            (repeat.line().as_str(), repeat.first()),
            ("faultdeck run -- curl -H 'SEC: $FAULTDECK_SEC'", None)
        );
    }
}

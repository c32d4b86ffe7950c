//! What went wrong, as the user gets to read it: `error:` and `help:` lines, or a caret under the place.

use std::collections::BTreeSet;
use std::fmt::Display;
use std::path::Path;

use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};

use super::output;
use crate::cassette::CassetteError;
use crate::cassette::find::{BUILTINS, FindError};
use crate::client::child::room::NoRoom;
use crate::ledger::Exit;
use crate::replay::BuildError;
use crate::report::{brief, shell_word, visible};
use crate::run::NotRun;
use crate::scenario::{Diagnostic, Mistakes, Scenario, ScenarioError};
use crate::serve::StartError;
use crate::spelling::nearest;

/// An error that ends a verb.
#[derive(Debug)]
pub(super) struct Problem {
    exit: Exit,
    message: String,
    help: Vec<String>,
    mistakes: Option<Mistakes>,
}

impl Problem {
    /// The user's input is wrong: exit code 2.
    pub(super) fn input(message: impl Display) -> Self {
        Self { exit: Exit::BadInput, message: message.to_string(), help: Vec::new(), mistakes: None }
    }

    /// The input is fine and the work did not succeed: exit code 1.
    pub(super) fn failed(message: impl Display) -> Self {
        Self { exit: Exit::Failed, ..Self::input(message) }
    }

    /// Mistakes in a text, each shown with a caret.
    pub(super) fn mistakes(mistakes: Mistakes) -> Self {
        Self { mistakes: Some(mistakes.clone()), ..Self::input(mistakes) }
    }

    /// A file cannot be read or written.
    pub(super) fn file(verb: &str, path: &Path, error: impl Display) -> Self {
        Self::input(format!("cannot {verb} {}: {error}", path.display()))
    }

    /// The same with a line that names the fix.
    #[must_use]
    pub(super) fn help(mut self, help: impl Display) -> Self {
        self.help.push(help.to_string());
        self
    }

    /// What is wrong, made visible and short.
    pub(super) fn message(&self) -> String {
        brief(&self.message).into_owned()
    }

    /// The exit code it asks for.
    pub(super) fn exit(&self) -> Exit {
        self.exit
    }

    /// Shows it on standard error.
    pub(super) fn show(&self) {
        match &self.mistakes {
            Some(mistakes) => output::note(&with_carets(mistakes)),
            None => output::note(&format!("\u{1b}[1;31merror\u{1b}[0m: {}", brief(&self.message))),
        }
        for help in &self.help {
            output::note(&format!("\u{1b}[1mhelp\u{1b}[0m: {}", brief(help)));
        }
    }
}

/// All mistakes of a text, as [`with_caret`], and how many they are if there is more than one. A way out that was named
/// for one of them is not named again.
pub(super) fn with_carets(mistakes: &Mistakes) -> String {
    let mut named = BTreeSet::new();
    let once = |mistake: &Diagnostic| match &mistake.help {
        Some(help) if !named.insert(help.clone()) => {
            with_caret(&Diagnostic { help: None, ..mistake.clone() })
        }
        _ => with_caret(mistake),
    };
    let mut texts: Vec<String> = mistakes.shown().iter().map(once).collect();
    let file = mistakes.shown().first().map_or("", |first| first.file.as_str());
    let rest = if mistakes.is_cut() { "; the rest is read once this is TOML" } else { "" };
    match (mistakes.count(), mistakes.more()) {
        (0 | 1, _) => {}
        (count, 0) => texts.push(format!("{count} mistakes in {}{rest}", visible(file))),
        (count, more) => {
            texts.push(format!("and {more} more: {count} mistakes in {}{rest}", visible(file)));
        }
    }
    texts.join("\n")
}

/// A mistake in a text, with the line it stands on and a caret. Colour is stripped by the stream where unwanted.
pub(super) fn with_caret(diagnostic: &Diagnostic) -> String {
    let length = diagnostic.text.len();
    let start = floor(&diagnostic.text, diagnostic.at.start.min(length));
    let end = floor(&diagnostic.text, diagnostic.at.end.clamp(start, length));
    let snippet = Snippet::source(&diagnostic.text)
        .path(visible(&diagnostic.file))
        .annotation(AnnotationKind::Primary.span(start..end).label(brief(&diagnostic.label)));
    let mut report = vec![Level::ERROR.primary_title(brief(&diagnostic.message)).element(snippet)];
    if let Some(help) = &diagnostic.help {
        report.push(Group::with_title(Level::HELP.secondary_title(brief(help))));
    }
    Renderer::styled().render(&report)
}

/// The nearest place at or before `at` where a character starts.
fn floor(text: &str, at: usize) -> usize {
    (0..=at).rev().find(|place| text.is_char_boundary(*place)).unwrap_or(0)
}

impl From<ScenarioError> for Problem {
    fn from(error: ScenarioError) -> Self {
        let problem = Self::input(&error);
        match error {
            ScenarioError::Invalid(mistakes) => Self::mistakes(mistakes),
            ScenarioError::NoSuch { nearest, fault: None, .. } => {
                problem.help(nearest_or(&nearest, &scenarios()))
            }
            // A fault of that very name is likelier to be meant than a scenario that is called nearly so.
            ScenarioError::NoSuch { nearest, fault: Some(line), .. } => {
                let problem = problem.help(format!(
                    "there is a fault of that name: use it with `--fault {}`",
                    shell_word(&line)
                ));
                if nearest.is_empty() { problem } else { problem.help(nearest_or(&nearest, "")) }
            }
            ScenarioError::Ambiguous { full, .. } => {
                problem.help(format!("write one of `{}`", full.join("`, `")))
            }
            ScenarioError::Folder { full, .. } => problem
                .help(format!("name one of them: `{}`", full.join("`, `")))
                .help("`faultdeck judge` and `faultdeck run` take folders: every scenario in one"),
            ScenarioError::NoFolder { name, known } => {
                let asked = name.strip_prefix("builtin:").unwrap_or(&name);
                let near = nearest(asked, known.iter().map(String::as_str));
                problem.help(match near.first() {
                    Some(near) => format!("did you mean `{near}`?"),
                    None => format!("the folders are `{}`", known.join("`, `")),
                })
            }
            ScenarioError::Io { .. } | ScenarioError::BadFolder { .. } => problem,
        }
    }
}

impl From<StartError> for Problem {
    fn from(error: StartError) -> Self {
        let problem = Self::input(&error);
        match error {
            StartError::NoTls { .. } => {
                problem.help("it needs `--tls`, or `--proxy` and a client that asks for https")
            }
            StartError::Tls { .. } => problem.help("leave out `--tls-cert` and `--tls-key`"),
            StartError::TlsProxy => problem.help("leave out `--tls`"),
            StartError::Listen { .. } | StartError::Bundle(_) | StartError::Thread(_) => problem,
        }
    }
}

impl From<NoRoom> for Problem {
    fn from(error: NoRoom) -> Self {
        let problem = Self::input(&error);
        match error {
            NoRoom::System => problem.help("`--proxy` needs no network of its own"),
            NoRoom::Missing { package, .. } => problem.help(format!("install the package {package}")),
            NoRoom::Forbidden { help, .. } => problem.help(help),
            NoRoom::Io(_) => problem,
        }
    }
}

impl From<NotRun> for Problem {
    fn from(error: NotRun) -> Self {
        match error {
            NotRun::Start(error) => error.into(),
            NotRun::Room(error) => error.into(),
        }
    }
}

impl From<FindError> for Problem {
    fn from(error: FindError) -> Self {
        let problem = Self::input(&error);
        match error {
            FindError::BadName { .. } => {
                problem.help("a name is like `forensics/create-case`; a path ends in `.json`; `builtin:` names one in the binary")
            }
            FindError::NoSuch { looked, .. } => {
                let looked: Vec<String> = looked.iter().map(|path| path.display().to_string()).collect();
                let looked = if looked.is_empty() { String::new() } else { format!("looked for {}; ", looked.join(", ")) };
                let carried: Vec<String> = BUILTINS.iter().map(|(name, _)| format!("builtin:{name}")).collect();
                let carried = carried.join(", ");
                problem.help(format!("{looked}there is {carried}; `faultdeck record` makes one; a path ends in `.json`"))
            }
            FindError::Cassette(error) => error.into(),
        }
    }
}

impl From<BuildError> for Problem {
    fn from(error: BuildError) -> Self {
        match error {
            BuildError::Cassette(error) => error.into(),
            BuildError::Scenario(error) => error.into(),
            BuildError::NoCassette => Self::input(error).help(
                "name one, as `builtin:forensics/create-case`, `forensics/mine` or `path/to/file.json`, or a scenario with --scenario",
            ),
            BuildError::NoConsole | BuildError::Start(_) => Self::input(error),
        }
    }
}

impl From<CassetteError> for Problem {
    fn from(error: CassetteError) -> Self {
        match error {
            CassetteError::Rules(mistakes) => Self::mistakes(mistakes),
            error => Self::input(error),
        }
    }
}

/// The six stories by name, and where the rest is listed.
fn scenarios() -> String {
    let last = |name: &&'static str| name.rsplit('/').next().unwrap_or(name).to_owned();
    let names = Scenario::stories().iter().map(|(name, _)| name);
    let names: Vec<String> = names.map(|name| format!("`{}`", last(name))).collect();
    let more = Scenario::builtins().len() - names.len();
    format!(
        "there are {} and {more} more: `faultdeck explain scenarios` lists them; a path ends in `.toml`",
        names.join(", ")
    )
}

/// "did you mean", or where to look.
pub(super) fn nearest_or(nearest: &[String], otherwise: &str) -> String {
    match nearest {
        [] => otherwise.to_owned(),
        names => format!("did you mean `{}`?", names.join("` or `")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn diagnostic(at: std::ops::Range<usize>) -> Diagnostic {
        Diagnostic {
            file: "scenarios/x.toml".into(),
            text: "summary = \"\u{e9}\"\n[[fault]]\ninject = { latncy = {} }\n".into(),
            message: "no fault `latncy`".into(),
            at,
            label: "did you mean `latency`?".into(),
            help: Some("faultdeck explain latency".into()),
        }
    }

    #[test]
    fn a_mistake_is_shown_on_its_line_with_a_caret() {
        let shown = anstream::adapter::strip_str(&with_caret(&diagnostic(36..42))).to_string();
        assert!(shown.contains("scenarios/x.toml:3") && shown.contains("^^^^^^ did you mean"), "{shown}");
        assert!(shown.contains("help: faultdeck explain latency"), "{shown}");
    }

    #[test]
    #[allow(clippy::reversed_empty_ranges, reason = "a backwards place is one of the wrong ones")]
    fn a_place_beyond_the_text_or_inside_a_character_is_no_panic() {
        for (start, end) in [(12, 13), (13, 12), (500, 900), (0, usize::MAX)] {
            assert!(!with_caret(&diagnostic(start..end)).is_empty());
        }
    }
}

//! Placeholders in a client file's arguments: `{base_url}`, `{id}`, and the parameters of the paths that its jobs ask;
//! `{{` and `}}` stand for single braces.

use std::ffi::OsString;
use std::path::PathBuf;

use super::Job;
use super::jobs::Asks;

/// What a placeholder stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Placeholder {
    Faultdeck,
    Job,
    BaseUrl,
    Method,
    Path,
    Id,
    Body,
    Fields,
    Name,
    Sec,
    User,
    Password,
    CaFile,
    PaceMs,
    DeadlineMs,
    /// A parameter of the path, by its name in the endpoint.
    Param(String),
}

impl Placeholder {
    const ALL: [(Self, &'static str); 15] = [
        (Self::Faultdeck, "faultdeck"),
        (Self::Job, "job"),
        (Self::BaseUrl, "base_url"),
        (Self::Id, "id"),
        (Self::Fields, "fields"),
        (Self::Name, "name"),
        (Self::Sec, "sec"),
        (Self::User, "user"),
        (Self::Password, "password"),
        (Self::CaFile, "ca_file"),
        (Self::PaceMs, "pace_ms"),
        (Self::DeadlineMs, "deadline_ms"),
        (Self::Method, "method"),
        (Self::Path, "path"),
        (Self::Body, "body"),
    ];

    /// Every name, for messages.
    pub(super) fn list() -> String {
        let names: Vec<String> = Self::ALL.iter().map(|(_, name)| format!("{{{name}}}")).collect();
        names.join(" ")
    }

    /// Its name.
    pub(super) fn name(&self) -> &str {
        match self {
            Self::Param(name) => name,
            plain => Self::ALL.iter().find(|(each, _)| each == plain).map_or("", |(_, name)| name),
        }
    }

    /// Whether some jobs give it no value.
    fn may_lack(&self) -> bool {
        matches!(self, Self::Id | Self::Body | Self::Fields | Self::Name | Self::CaFile | Self::Param(_))
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Piece {
    Text(String),
    Hole(Placeholder),
}

/// A text with placeholders.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Template(Vec<Piece>);

/// Why a text is not a template: the message and what to do.
pub(super) struct Misplaced {
    pub(super) message: String,
    pub(super) help: String,
}

impl Template {
    /// Reads a text; `asks` says which paths there are, and so which parameters. If it is not known, there may be any.
    pub(super) fn parse(text: &str, asks: Option<&[Asks]>) -> Result<Self, Misplaced> {
        let mut pieces = Vec::new();
        let mut plain = String::new();
        let mut rest = text;
        while let Some(at) = rest.find(['{', '}']) {
            let (before, from) = rest.split_at(at);
            plain.push_str(before);
            if let Some(after) = from.strip_prefix("{{") {
                plain.push('{');
                rest = after;
            } else if let Some(after) = from.strip_prefix("}}") {
                plain.push('}');
                rest = after;
            } else if let Some(after) = from.strip_prefix('}') {
                plain.push('}');
                rest = after;
            } else {
                let (hole, after) = hole(from, asks)?;
                if !plain.is_empty() {
                    pieces.push(Piece::Text(std::mem::take(&mut plain)));
                }
                pieces.push(Piece::Hole(hole));
                rest = after;
            }
        }
        plain.push_str(rest);
        if !plain.is_empty() || pieces.is_empty() {
            pieces.push(Piece::Text(plain));
        }
        Ok(Self(pieces))
    }

    /// The first placeholder that some jobs give no value.
    pub(super) fn may_lack(&self) -> Option<&Placeholder> {
        self.0.iter().find_map(|piece| match piece {
            Piece::Hole(hole) if hole.may_lack() => Some(hole),
            _ => None,
        })
    }

    /// Whether this placeholder stands in it.
    pub(super) fn holds(&self, hole: &Placeholder) -> bool {
        self.0.iter().any(|piece| matches!(piece, Piece::Hole(each) if each == hole))
    }

    /// The first placeholder that differs from job to job.
    pub(super) fn of_a_job(&self) -> Option<&Placeholder> {
        self.0.iter().find_map(|piece| match piece {
            Piece::Hole(hole) if *hole != Placeholder::Faultdeck => Some(hole),
            _ => None,
        })
    }

    /// The text with every placeholder's value in its place; nothing if one has none.
    pub(super) fn fill(&self, values: &Values<'_>) -> Option<OsString> {
        let mut text = OsString::new();
        for piece in &self.0 {
            match piece {
                Piece::Text(plain) => text.push(plain),
                Piece::Hole(hole) => text.push(values.value(hole)?),
            }
        }
        Some(text)
    }
}

/// Reads the placeholder that `text` starts with.
fn hole<'t>(text: &'t str, asks: Option<&[Asks]>) -> Result<(Placeholder, &'t str), Misplaced> {
    let braces = "for a brace as it is, write it twice: {{ or }}";
    let inner = text.strip_prefix('{').unwrap_or(text);
    let Some((name, after)) = inner.split_once('}') else {
        return Err(Misplaced {
            message: "a placeholder is not closed".to_owned(),
            help: format!("write {{name}}; {braces}"),
        });
    };
    match Placeholder::ALL.iter().find(|(_, each)| *each == name) {
        Some((hole, _)) => Ok((hole.clone(), after)),
        // The name of a parameter stands in its endpoint in braces, too.
        None if asks
            .is_none_or(|asks| asks.iter().any(|asks| asks.endpoint.contains(&format!("{{{name}}}")))) =>
        {
            Ok((Placeholder::Param(name.to_owned()), after))
        }
        None => Err(Misplaced {
            message: format!("there is no placeholder `{{{name}}}`"),
            help: format!(
                "there are: {} and the parameters of the paths that its jobs ask; {braces}",
                Placeholder::list()
            ),
        }),
    }
}

/// What placeholders stand for in one job.
pub(super) struct Values<'a> {
    pub(super) job: &'a Job,
    pub(super) faultdeck: &'a PathBuf,
}

impl Values<'_> {
    fn value(&self, hole: &Placeholder) -> Option<OsString> {
        let job = self.job;
        let param =
            |name: &str| job.params.iter().find(|(known, _)| known == name).map(|(_, value)| value.into());
        match hole {
            Placeholder::Faultdeck => Some(self.faultdeck.into()),
            Placeholder::Job => Some(job.kind.as_str().into()),
            Placeholder::BaseUrl => Some(job.base_url.as_str().into()),
            Placeholder::Method => Some(job.method.as_str().into()),
            Placeholder::Path => Some(job.path.as_str().into()),
            Placeholder::Body => job.body.as_ref().map(Into::into),
            Placeholder::Param(name) => param(name),
            Placeholder::Id => job.id.as_ref().map(Into::into),
            Placeholder::Fields => job.fields.as_ref().map(Into::into),
            // Many a path has a parameter of this name.
            Placeholder::Name => param("name").or_else(|| job.name.as_ref().map(Into::into)),
            Placeholder::Sec => Some(job.sec.as_str().into()),
            Placeholder::User => Some(job.user.as_str().into()),
            Placeholder::Password => Some(job.password.as_str().into()),
            Placeholder::CaFile => job.ca_file.as_ref().map(Into::into),
            Placeholder::PaceMs => Some(job.pace_ms.to_string().into()),
            Placeholder::DeadlineMs => Some(job.deadline_ms.to_string().into()),
        }
    }
}

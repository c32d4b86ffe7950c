//! The formats of reports: a row each.

use std::fmt;

use quick_junit::SerializeError;

use super::content::Content;
use super::{Paint, github, gitlab, html, human, json, junit, markdown, sarif};

/// A format that a report can have.
pub struct Format {
    /// Its name on a command line.
    pub name: &'static str,
    /// What it is for, in a few words.
    pub about: &'static str,
    /// What the file is called where every format is written to a folder; empty where it is not.
    pub usual_file: &'static str,
    make: fn(Content<'_>, Paint) -> Result<String, FormatError>,
}

/// Every format.
pub const FORMATS: &[Format] = &[
    Format {
        name: "human",
        about: "a table, the first counter-example in full, and why: for a person",
        usual_file: "report.txt",
        make: |content, paint| Ok(human(content, paint)),
    },
    Format {
        name: "json",
        about: "one JSON object with stable members: for a program",
        usual_file: "report.json",
        make: |content, _| Ok(json(content)?),
    },
    Format {
        name: "junit",
        about: "JUnit XML, a test case per property and scenario: for a CI system",
        usual_file: "report.xml",
        make: |content, _| Ok(junit(content)?),
    },
    Format {
        name: "markdown",
        about: "Markdown with a table and folded failures: for a step summary or a comment",
        usual_file: "report.md",
        make: |content, _| Ok(markdown(content)),
    },
    Format {
        name: "html",
        about: "one page with swim lanes and every exchange, without a script: for a person",
        usual_file: "report.html",
        make: |content, _| Ok(html(content)),
    },
    Format {
        name: "github",
        about: "annotations, a line each: for a workflow of GitHub",
        usual_file: "",
        make: |content, _| Ok(github(content)),
    },
    Format {
        name: "gitlab",
        about: "a code quality report: for a merge request of GitLab",
        usual_file: "",
        make: |content, _| Ok(gitlab(content)?),
    },
    Format {
        name: "sarif",
        about: "SARIF 2.1.0: for code scanning and editors",
        usual_file: "",
        make: |content, _| Ok(sarif(content)?),
    },
];

/// Why a report cannot be made: only if memory is short.
#[derive(Debug, thiserror::Error)]
pub enum FormatError {
    /// JSON cannot be written.
    #[error(transparent)]
    Json(#[from] serde_json::Error),
    /// XML cannot be written.
    #[error(transparent)]
    Xml(#[from] SerializeError),
}

impl Format {
    /// The format of this name.
    pub fn named(name: &str) -> Option<&'static Self> {
        FORMATS.iter().find(|format| format.name == name)
    }

    /// The report in this format. Only a report for a person carries colour.
    ///
    /// # Errors
    /// If it cannot be written, which is so only when memory is short.
    pub fn make<'a>(&self, content: impl Into<Content<'a>>, paint: Paint) -> Result<String, FormatError> {
        (self.make)(content.into(), paint)
    }
}

impl fmt::Debug for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}

impl PartialEq for Format {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

impl Eq for Format {}

//! Where a credential stands, in words that hold no value.

use std::fmt;

/// The kind of a place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum What {
    Header,
    /// A header's credentials, without the scheme before them.
    Authorization,
    Cookie,
    Parameter,
    Segment,
    FormField,
    Member,
    Argument,
    Environment,
    Url,
    /// `name: value` and the like within a text.
    Text,
    WebToken,
    PrivateKey,
    /// A rule of the user's own.
    Rule,
}

/// Where a credential stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) what: What,
    /// The name beside it, as it was written; empty if it stands for itself.
    pub(super) name: String,
}

impl Place {
    pub(super) fn new(what: What, name: impl Into<String>) -> Self {
        Self { what, name: name.into() }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = &self.name;
        match self.what {
            What::Header | What::Authorization => write!(f, "header {name}"),
            What::Cookie => write!(f, "cookie {name}"),
            What::Parameter => write!(f, "parameter {name}"),
            What::Segment => write!(f, "the path after {name}"),
            What::FormField => write!(f, "form field {name}"),
            What::Member => write!(f, "member {name}"),
            What::Argument => write!(f, "argument {name}"),
            What::Environment => write!(f, "variable {name}"),
            What::Url => f.write_str("password of a URL"),
            What::Text => write!(f, "a text, after {name}"),
            What::WebToken => f.write_str("a web token"),
            What::PrivateKey => f.write_str("a private key"),
            What::Rule => write!(f, "a place of --redact {name}"),
        }
    }
}

//! The fault table: everything that can go wrong on purpose.
//!
//! A fault is a pure edit of a [`Delivery`]; only `serve` misbehaves on a socket. One kind is one file and one row of
//! the table at the end of this one; the TOML name, the reader, the generator, the catalogue and `explain` follow from it.

mod api_error;
mod body;
mod close;
mod drop_field;
mod ending;
mod garbage;
mod half_close;
mod hang;
mod html_page;
mod latency;
mod malformed_chunk;
mod malformed_json;
mod renamed_keys;
mod reset;
mod truncate;

pub use api_error::FRAMEWORK_ERRORS;
use proptest::strategy::{BoxedStrategy, Strategy, Union};
use serde::{Deserialize, Serialize};

use crate::delivery::Delivery;
use crate::message::Request;
use crate::profile::{Endpoint, Lifecycle};
use crate::seed::Stream;

/// Whether the console did what the request asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Work {
    /// It did; only the answer suffers. A recording is consumed and a write takes effect.
    Done,
    /// It did not. No recording is consumed and no write takes effect; time goes on.
    NotDone,
}

/// What becomes of the answer that the console would have given. Whoever judges a client goes by this, never by a
/// fault's name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// All of it comes, as it would have; perhaps late.
    Whole,
    /// Another answer comes in its place: an error, a page.
    Replaced,
    /// It comes as JSON, and members of it are missing.
    Thinner,
    /// It comes as JSON, and members of it are called otherwise.
    Respelt,
    /// It comes as JSON, and says something else than the console would have: other values, members, elements, another
    /// state.
    Altered,
    /// All of its bytes come, and they are not what the head says they are.
    Unreadable,
    /// It never comes, or not to its end.
    Lost,
}

impl Effect {
    /// In a sentence, for `explain`.
    pub fn in_words(self) -> &'static str {
        match self {
            Self::Whole => "The answer comes whole.",
            Self::Replaced => "Another answer comes in place of the console's.",
            Self::Thinner => "The answer lacks members.",
            Self::Respelt => "The answer spells members otherwise.",
            Self::Altered => "The answer says something else than the console would have.",
            Self::Unreadable => "The answer cannot be read.",
            Self::Lost => "The answer never comes to its end.",
        }
    }

    /// Whether the answer can be read, and holds something else than the console gave it.
    pub fn changes_content(self) -> bool {
        matches!(self, Self::Thinner | Self::Respelt | Self::Altered)
    }
}

/// What a fault did to one answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Did {
    /// In words: `held the answer back for 1612 ms`.
    pub words: String,
    /// The members of the answer that are missing now, or called otherwise.
    pub members: Vec<String>,
}

impl<T: Into<String>> From<T> for Did {
    fn from(words: T) -> Self {
        Self { words: words.into(), members: Vec::new() }
    }
}

/// What a fault may look at.
#[derive(Debug)]
pub struct Context<'a> {
    /// The endpoint the request hit, if a profile knows it.
    pub endpoint: Option<&'a Endpoint>,
    /// The life cycle whose task the response carries, if it carries one.
    pub lifecycle: Option<&'a Lifecycle>,
    /// The request.
    pub request: &'a Request,
    /// Which occurrence of its resource it is, from 1.
    pub nth: u32,
    /// Whether the console has heard what [`Fault::hears`] made of the request.
    pub heard: bool,
    /// The only randomness: the stream of this fault on this occurrence.
    pub stream: &'a mut Stream,
}

/// One kind of fault: its parameters, its words, its effect.
trait FaultKind: Sized {
    /// What it does, in a line.
    const SUMMARY: &'static str;
    /// What the client sees and what that puts to the test, for `explain`.
    const DOCS: &'static str;
    /// How a scenario asks for it.
    const EXAMPLE: &'static str;
    /// What can be set, in the order of the fields.
    const PARAMETERS: &'static [Parameter];
    /// Whether the console did its work.
    const WORK: Work;
    /// What becomes of the answer.
    const EFFECT: Effect;
    /// Whether a request that the console refuses before an endpoint runs may meet it.
    const MEETS_REFUSED: bool = false;
    /// What other tools call it, where they mean the same.
    const ALIASES: &'static [Alias] = &[];

    /// What the console understands in place of the request, if it is something else. The answer is then made for that,
    /// and [`Context::heard`] says so to [`Self::inject`].
    fn hears(&self, request: &Request, endpoint: Option<&Endpoint>) -> Option<Request> {
        let _ = (request, endpoint);
        None
    }

    /// Edits the delivery; says what it did, or `None` if it changed nothing.
    fn inject(&self, delivery: &mut Delivery, cx: &mut Context<'_>) -> Option<Did>;

    /// The error of the API that it answers with, status and code, if it does.
    fn answers(&self) -> Option<(u16, u32)> {
        None
    }

    /// The errors of this kind that a client has to tell apart, each with a name for its case.
    fn errors() -> Vec<(&'static str, Self)> {
        Vec::new()
    }

    /// Whether it can never change anything, whatever it meets.
    fn is_identity(&self) -> bool {
        false
    }

    /// What no single parameter's range says.
    ///
    /// # Errors
    /// The parameter that is wrong, and why.
    fn check(&self) -> Result<(), Mistake> {
        Ok(())
    }

    /// Faults of this kind, mild ones first.
    fn strategy() -> BoxedStrategy<Self>;
}

/// A parameter of a fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Parameter {
    /// Its key.
    pub name: &'static str,
    /// What it takes.
    pub takes: Takes,
    /// Its value if it is left out, as written in TOML; `None` if it must be given.
    pub default: Option<&'static str>,
    /// What it means, unit included.
    pub meaning: &'static str,
}

/// What a parameter takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Takes {
    /// A whole number from the first up to and with the second.
    Number(u32, u32),
    /// A text of 1 to 200 bytes.
    Name,
    /// Any text of at most 10,000 bytes.
    Text,
    /// `true` or `false`.
    Flag,
    /// One of these words.
    Word(&'static [&'static str]),
}

impl Takes {
    /// The longest [`Takes::Text`], in bytes.
    pub const TEXT_MAX: usize = 10_000;

    /// In words, to follow "must be".
    pub fn in_words(self) -> String {
        match self {
            Self::Number(least, most) => format!("a whole number from {least} to {most}"),
            Self::Name => "a text of 1 to 200 bytes".to_owned(),
            Self::Text => format!("a text of at most {} bytes", Self::TEXT_MAX),
            Self::Flag => "true or false".to_owned(),
            Self::Word(words) => {
                let words: Vec<String> = words.iter().map(|word| format!("\"{word}\"")).collect();
                words.join(" or ")
            }
        }
    }
}

/// A name that another tool has for a fault that is the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Alias {
    /// The name. It may be the fault's own, where only the parameters differ.
    pub name: &'static str,
    /// The tool.
    pub of: &'static str,
    /// What it calls the parameters, and what they are called here. The units are the same.
    pub parameters: &'static [(&'static str, &'static str)],
    /// Values that the name stands for, as written in TOML.
    pub sets: &'static [(&'static str, &'static str)],
}

/// A parameter that is wrong although it is within its range.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mistake {
    /// Which.
    pub parameter: &'static str,
    /// Why, to follow its name: "must not be 204: ...".
    pub why: String,
}

/// A row of the catalogue.
#[derive(Clone, Copy, Debug)]
pub struct Row {
    /// The name in a scenario.
    pub name: &'static str,
    /// What it does, in a line.
    pub summary: &'static str,
    /// What the client sees and what that puts to the test.
    pub docs: &'static str,
    /// How a scenario asks for it.
    pub example: &'static str,
    /// What can be set.
    pub parameters: &'static [Parameter],
    /// Whether the console did its work.
    pub work: Work,
    /// What becomes of the answer.
    pub effect: Effect,
    /// Whether a request refused before an endpoint runs may meet it.
    pub meets_refused: bool,
    /// What other tools call it.
    pub aliases: &'static [Alias],
}

/// A fault by one of its names.
#[derive(Clone, Copy, Debug)]
pub struct Known {
    /// Its row.
    pub row: &'static Row,
    /// The name of another tool that it was called by, or whose parameters it may have.
    pub alias: Option<&'static Alias>,
}

macro_rules! faults {
    ($($name:literal => $module:ident::$Kind:ident),+ $(,)?) => {
        $(pub use $module::$Kind;)+

        /// A fault and its parameters, as written in a scenario, generated, shrunk, injected and printed.
        #[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
        pub enum Fault {
            $(
                #[doc = concat!("`", $name, "`")]
                #[serde(rename = $name)]
                $Kind($Kind)
            ),+
        }

        impl Fault {
            /// Every kind, mildest first.
            pub const CATALOGUE: &'static [Row] = &[$(Row {
                name: $name,
                summary: $Kind::SUMMARY,
                docs: $Kind::DOCS,
                example: $Kind::EXAMPLE,
                parameters: $Kind::PARAMETERS,
                work: $Kind::WORK,
                effect: $Kind::EFFECT,
                meets_refused: $Kind::MEETS_REFUSED,
                aliases: $Kind::ALIASES,
            }),+];

            /// Its name in a scenario.
            pub fn kind(&self) -> &'static str {
                match self { $(Self::$Kind(_) => $name),+ }
            }

            /// Whether the console did its work.
            pub(crate) fn work(&self) -> Work {
                match self { $(Self::$Kind(_) => $Kind::WORK),+ }
            }

            /// Whether a request refused before an endpoint runs may meet it.
            pub(crate) fn meets_refused(&self) -> bool {
                match self { $(Self::$Kind(_) => $Kind::MEETS_REFUSED),+ }
            }

            /// Whether it has zero strength: it can never change anything.
            pub fn is_identity(&self) -> bool {
                match self { $(Self::$Kind(kind) => kind.is_identity()),+ }
            }

            /// The error of the API that it answers with, status and code, if it does.
            pub fn answers(&self) -> Option<(u16, u32)> {
                match self { $(Self::$Kind(kind) => kind.answers()),+ }
            }

            /// The errors that a client has to tell apart, of all kinds, each with a name for its case.
            pub fn errors() -> Vec<(&'static str, Self)> {
                let mut all = Vec::new();
                $(all.extend($Kind::errors().into_iter().map(|(name, kind)| (name, Self::$Kind(kind))));)+
                all
            }

            /// What the console understands in place of the request, if it is something else.
            pub fn hears(&self, request: &Request, endpoint: Option<&Endpoint>) -> Option<Request> {
                match self { $(Self::$Kind(kind) => kind.hears(request, endpoint)),+ }
            }

            /// Edits the delivery; says what it did, or `None` if it changed nothing.
            pub fn inject(&self, delivery: &mut Delivery, cx: &mut Context<'_>) -> Option<Did> {
                match self { $(Self::$Kind(kind) => kind.inject(delivery, cx)),+ }
            }

            /// What no single parameter's range says.
            ///
            /// # Errors
            /// The parameter that is wrong, and why.
            pub fn check(&self) -> Result<(), Mistake> {
                match self { $(Self::$Kind(kind) => kind.check()),+ }
            }

            /// Faults of every kind, the mildest kind first.
            pub fn strategy() -> BoxedStrategy<Self> {
                Union::new([$($Kind::strategy().prop_map(Self::$Kind).boxed()),+]).boxed()
            }
        }
    };
}

faults! {
    "latency" => latency::Latency,
    "half-close" => half_close::HalfClose,
    "api-error" => api_error::ApiError,
    "html-page" => html_page::HtmlPage,
    "drop-field" => drop_field::DropField,
    "renamed-keys" => renamed_keys::RenamedKeys,
    "malformed-json" => malformed_json::MalformedJson,
    "truncate" => truncate::Truncate,
    "malformed-chunk" => malformed_chunk::MalformedChunk,
    "close" => close::Close,
    "reset" => reset::Reset,
    "garbage" => garbage::Garbage,
    "hang" => hang::Hang,
}

impl Fault {
    /// The row of the kind called `name`.
    pub fn row(name: &str) -> Option<&'static Row> {
        Self::CATALOGUE.iter().find(|row| row.name == name)
    }

    /// The fault that is called `name` here or by another tool.
    pub fn known(name: &str) -> Option<Known> {
        let alias = |row: &'static Row| row.aliases.iter().find(|alias| alias.name == name);
        match Self::row(name) {
            Some(row) => Some(Known { row, alias: alias(row) }),
            None => Self::CATALOGUE
                .iter()
                .find_map(|row| alias(row).map(|alias| Known { row, alias: Some(alias) })),
        }
    }
}

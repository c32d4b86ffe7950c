//! The fault table: everything that can go wrong on purpose.
//!
//! A fault is a pure edit of a [`Delivery`], or of a connection's [`Greeting`](crate::greeting::Greeting); only `serve`
//! misbehaves on a socket. One kind is one file and one row of
//! the table at the end of this one; the TOML name, the reader, the generator, the catalogue and `explain` follow from it.

mod api_error;
mod bandwidth;
mod big_integer;
mod body;
mod byte_order_mark;
mod changing_total;
mod chunk;
mod close;
mod connection_close;
mod connection_hang;
mod connection_limit;
mod connection_reset;
mod context;
mod corrupt_gzip;
mod deprecated_version;
mod dribble;
mod drop_field;
mod drop_idle;
mod duplicate_fields;
mod effect;
mod empty_body;
mod empty_last_page;
mod ending;
mod extra_field;
mod failed_task;
mod finished_at_once;
mod flapping_state;
mod garbage;
mod greets;
mod half_close;
mod hang;
mod html_page;
mod ignored_fields;
mod ignored_range;
mod late_result_id;
mod latency;
mod latin_1;
mod login_page;
mod longer_length;
mod malformed_chunk;
mod malformed_json;
mod missing_state;
mod ndjson;
mod null_field;
mod odd_unicode;
mod over_projected;
mod overlapping_page;
mod page;
mod parameter;
mod pieces;
mod rate_limit;
mod redirect;
mod refuse;
mod regressed_state;
mod removed_version;
mod renamed_keys;
mod reordered_fields;
mod reset;
mod retyped_field;
mod short_page;
mod shorter_length;
mod slicer;
mod slow_accept;
mod slow_close;
mod spread;
mod stall;
mod stalled_task;
mod task;
mod tls_alert;
mod tls_close;
mod tls_expired;
mod tls_hang;
mod tls_old_version;
mod tls_reset;
mod tls_unknown_ca;
mod tls_wrong_name;
mod truncate;
mod unknown_state;
mod vanished_task;
mod wrong_content_range;
mod wrong_content_type;

pub use api_error::FRAMEWORK_ERRORS;
pub use context::{Before, Context, Quota};
pub use drop_idle::How;
pub use effect::{Effect, Work};
pub use greets::Greets;
pub use latency::Spread;
pub use malformed_json::Break;
pub use parameter::{Alias, Mistake, Parameter, Takes};
use proptest::strategy::{BoxedStrategy, Strategy, Union};
use serde::{Deserialize, Serialize};
pub use wrong_content_range::Wrong;

use crate::delivery::Delivery;
use crate::message::Request;
use crate::profile::{Endpoint, Lifecycle};

/// What a fault befalls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum At {
    /// A connection, before its first request.
    Connection,
    /// An answer.
    Response,
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
    /// What it befalls.
    const AT: At = At::Response;
    /// What other tools call it, where they mean the same.
    const ALIASES: &'static [Alias] = &[];

    /// What the console understands in place of the request, if it is something else. The answer is then made for that,
    /// and [`Context::heard`] says so to [`Self::inject`].
    fn hears(&self, request: &Request, endpoint: Option<&Endpoint>) -> Option<Request> {
        let _ = (request, endpoint);
        None
    }

    /// Whether it can happen to this request at all. What answers in the console's place says here what it leaves to
    /// the console; whatever edits an answer sees that when it is there.
    fn meets(&self, before: &Before<'_>) -> bool {
        let _ = before;
        true
    }

    /// Why it can never happen where this endpoint answers with a task of this life cycle, or with none, if that is so.
    fn never_at(&self, endpoint: &Endpoint, lifecycle: Option<&Lifecycle>) -> Option<String> {
        let _ = (endpoint, lifecycle);
        None
    }

    /// How often the console answers before this fault does, if it waits for that.
    fn quota(&self) -> Option<Quota> {
        None
    }

    /// Edits the delivery; says what it did, or `None` if it changed nothing. A fault of a response does it.
    fn inject(&self, delivery: &mut Delivery, cx: &mut Context<'_>) -> Option<Did> {
        let _ = (delivery, cx);
        None
    }

    /// What becomes of a connection. A fault of a connection says it.
    fn greets(&self) -> Option<Greets> {
        None
    }

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

    /// Whether what it does is drawn from the seed.
    fn draws(&self) -> bool {
        false
    }

    /// The origin (`scheme://host:port`) of another host that it leads its client to, if it does.
    fn leads_to(&self) -> Option<&str> {
        None
    }

    /// The same, leading to this origin.
    fn leading_to(&self, origin: &str) -> Option<Self> {
        let _ = origin;
        None
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
    /// What it befalls.
    pub at: At,
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
                at: $Kind::AT,
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

            /// Whether what it does is drawn from the seed.
            pub fn draws(&self) -> bool {
                match self { $(Self::$Kind(kind) => kind.draws()),+ }
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

            /// Whether it can happen to this request at all.
            pub fn meets(&self, before: &Before<'_>) -> bool {
                match self { $(Self::$Kind(kind) => kind.meets(before)),+ }
            }

            /// Why it can never happen where this endpoint answers with a task of this life cycle, or with none, if
            /// that is so.
            pub fn never_at(&self, endpoint: &Endpoint, lifecycle: Option<&Lifecycle>) -> Option<String> {
                match self { $(Self::$Kind(kind) => kind.never_at(endpoint, lifecycle)),+ }
            }

            /// How often the console answers before this fault does, if it waits for that.
            pub fn quota(&self) -> Option<Quota> {
                match self { $(Self::$Kind(kind) => kind.quota()),+ }
            }

            /// Edits the delivery; says what it did, or `None` if it changed nothing.
            pub fn inject(&self, delivery: &mut Delivery, cx: &mut Context<'_>) -> Option<Did> {
                match self { $(Self::$Kind(kind) => kind.inject(delivery, cx)),+ }
            }

            /// What becomes of a connection, if that is what it befalls.
            pub fn greets(&self) -> Option<Greets> {
                match self { $(Self::$Kind(kind) => kind.greets()),+ }
            }

            /// The origin (`scheme://host:port`) of another host that it leads its client to, if it does.
            pub fn leads_to(&self) -> Option<&str> {
                match self { $(Self::$Kind(kind) => kind.leads_to()),+ }
            }

            /// The same, leading to this origin, if it leads anywhere.
            pub fn leading_to(&self, origin: &str) -> Option<Self> {
                match self { $(Self::$Kind(kind) => kind.leading_to(origin).map(Self::$Kind)),+ }
            }

            /// What no single parameter's range says.
            ///
            /// # Errors
            /// The parameter that is wrong, and why.
            pub fn check(&self) -> Result<(), Mistake> {
                match self { $(Self::$Kind(kind) => kind.check()),+ }
            }

            /// Faults of every kind that befalls this, the mildest kind first.
            pub fn strategy(at: At) -> BoxedStrategy<Self> {
                Union::new(Self::strategies(at).into_iter().map(|(_, strategy)| strategy)).boxed()
            }

            /// The same, each kind for itself, with its name.
            pub(crate) fn strategies(at: At) -> Vec<(&'static str, BoxedStrategy<Self>)> {
                let all = [$(($name, $Kind::AT, $Kind::strategy().prop_map(Self::$Kind).boxed())),+];
                all.into_iter().filter(|(_, of, _)| *of == at).map(|(name, _, it)| (name, it)).collect()
            }
        }
    };
}

faults! {
    "latency" => latency::Latency,
    "bandwidth" => bandwidth::Bandwidth,
    "stall" => stall::Stall,
    "dribble" => dribble::Dribble,
    "slicer" => slicer::Slicer,
    "chunk" => chunk::Chunk,
    "slow-close" => slow_close::SlowClose,
    "drop-idle" => drop_idle::DropIdle,
    "half-close" => half_close::HalfClose,
    "api-error" => api_error::ApiError,
    "html-page" => html_page::HtmlPage,
    "drop-field" => drop_field::DropField,
    "renamed-keys" => renamed_keys::RenamedKeys,
    "deprecated-version" => deprecated_version::DeprecatedVersion,
    "reordered-fields" => reordered_fields::ReorderedFields,
    "extra-field" => extra_field::ExtraField,
    "ignored-fields" => ignored_fields::IgnoredFields,
    "odd-unicode" => odd_unicode::OddUnicode,
    "big-integer" => big_integer::BigInteger,
    "null-field" => null_field::NullField,
    "retyped-field" => retyped_field::RetypedField,
    "over-projected" => over_projected::OverProjected,
    "duplicate-fields" => duplicate_fields::DuplicateFields,
    "changing-total" => changing_total::ChangingTotal,
    "wrong-content-range" => wrong_content_range::WrongContentRange,
    "ignored-range" => ignored_range::IgnoredRange,
    "overlapping-page" => overlapping_page::OverlappingPage,
    "short-page" => short_page::ShortPage,
    "empty-last-page" => empty_last_page::EmptyLastPage,
    "finished-at-once" => finished_at_once::FinishedAtOnce,
    "late-result-id" => late_result_id::LateResultId,
    "stalled-task" => stalled_task::StalledTask,
    "flapping-state" => flapping_state::FlappingState,
    "regressed-state" => regressed_state::RegressedState,
    "failed-task" => failed_task::FailedTask,
    "unknown-state" => unknown_state::UnknownState,
    "missing-state" => missing_state::MissingState,
    "vanished-task" => vanished_task::VanishedTask,
    "rate-limit" => rate_limit::RateLimit,
    "removed-version" => removed_version::RemovedVersion,
    "redirect" => redirect::Redirect,
    "login-page" => login_page::LoginPage,
    "byte-order-mark" => byte_order_mark::ByteOrderMark,
    "wrong-content-type" => wrong_content_type::WrongContentType,
    "latin-1" => latin_1::Latin1,
    "ndjson" => ndjson::Ndjson,
    "empty-body" => empty_body::EmptyBody,
    "corrupt-gzip" => corrupt_gzip::CorruptGzip,
    "malformed-json" => malformed_json::MalformedJson,
    "truncate" => truncate::Truncate,
    "shorter-length" => shorter_length::ShorterLength,
    "longer-length" => longer_length::LongerLength,
    "malformed-chunk" => malformed_chunk::MalformedChunk,
    "close" => close::Close,
    "reset" => reset::Reset,
    "garbage" => garbage::Garbage,
    "hang" => hang::Hang,
    "slow-accept" => slow_accept::SlowAccept,
    "connection-limit" => connection_limit::ConnectionLimit,
    "connection-close" => connection_close::ConnectionClose,
    "connection-reset" => connection_reset::ConnectionReset,
    "connection-hang" => connection_hang::ConnectionHang,
    "refuse" => refuse::Refuse,
    "tls-expired" => tls_expired::TlsExpired,
    "tls-wrong-name" => tls_wrong_name::TlsWrongName,
    "tls-unknown-ca" => tls_unknown_ca::TlsUnknownCa,
    "tls-old-version" => tls_old_version::TlsOldVersion,
    "tls-alert" => tls_alert::TlsAlert,
    "tls-close" => tls_close::TlsClose,
    "tls-reset" => tls_reset::TlsReset,
    "tls-hang" => tls_hang::TlsHang,
}

impl Row {
    /// How a scenario asks for it, in a line.
    pub fn example_in_a_line(&self) -> String {
        self.example.replace('\n', ", ")
    }
}

impl Fault {
    /// Whether it befalls a connection.
    pub fn is_of_connections(&self) -> bool {
        self.greets().is_some()
    }

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

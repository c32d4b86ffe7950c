//! What a console was seen to do, as `[[observed]]` in a file of profiles.

use serde::{Deserialize, Serialize};

/// What was seen of one rule at one endpoint.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Observation {
    /// The rule's id.
    pub rule: String,
    /// The endpoint's full id; empty for the console as a whole.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub endpoint: String,
    /// What the rule rested on before.
    pub rests_on: String,
    /// Whether the console keeps it.
    pub holds: bool,
    /// How many cases show it.
    pub cases: u32,
    /// How a wrong request was answered: `422/31`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answered: Option<String>,
    /// What the console does instead.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instead: Option<String>,
    /// The smallest case that shows it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub case: Option<String>,
}

impl Observation {
    /// What stands in `instead` where something came that was not asked for.
    pub const IS_THERE: &'static str = "a member is there and should not be";
    /// What stands there where an answer does not say which window it is.
    pub const NO_CONTENT_RANGE: &'static str = "there is no Content-Range";
}

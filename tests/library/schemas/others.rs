//! `NAME.match.toml`, and `redact.toml` as serde reads it.

use faultdeck::redact::Class;
use schemars::JsonSchema;
use serde_json::json;

use super::generate::leaf;
use super::scenario::Match;

/// The table that is a part of a scenario is a file by itself.
pub struct MatchRules;

impl JsonSchema for MatchRules {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "MatchRules".into()
    }

    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        let mut schema = Match::json_schema(generator);
        schema.insert("title".to_owned(), "faultdeck match rules".into());
        let what =
            "What counts when a request is matched to the recordings of the cassette beside this file.";
        schema.insert("description".to_owned(), what.into());
        schema
    }
}

/// What `record` redacts beside credentials, in every cassette beside this file and below.
#[derive(JsonSchema)]
#[schemars(title = "faultdeck redaction rules", deny_unknown_fields)]
#[expect(dead_code, reason = "read by its schema alone")]
pub struct Redact {
    /// What is redacted: the value of a name (header, parameter, member, element), what a JSON pointer leads to (`*` is
    /// any), or what a pattern matches (its first group, if it has one), as `regex:PATTERN`.
    #[schemars(length(max = 256), extend("default" = json!([]), "examples" = [["owner", "/data/*/owner", "regex:CASE-[0-9]+"]]))]
    redact: Option<Vec<Rule>>,
    /// Customer data that stays as it is.
    #[schemars(extend("default" = json!([])))]
    keep: Option<Vec<Kept>>,
}

leaf! { Rule = json!({ "type": "string", "minLength": 1 }) }
leaf! {
    Kept = {
        let kinds: Vec<&str> = Class::ALL.into_iter().map(Class::name).chain(["customer-data"]).collect();
        json!({ "type": "string", "enum": kinds })
    }
}

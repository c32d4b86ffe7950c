//! TOML as validators see it, and as readers see what a schema describes.

use serde_json::{Number, Value};

/// A text as JSON, the way editors make it: dates are texts, and what is no number is null. `None` if it is no TOML, which
/// an editor says by itself.
pub fn as_json(text: &str) -> Option<Value> {
    text.parse::<toml::Table>().ok().map(|table| json_of(toml::Value::Table(table)))
}

fn json_of(value: toml::Value) -> Value {
    match value {
        toml::Value::String(text) => text.into(),
        toml::Value::Integer(number) => number.into(),
        toml::Value::Float(number) => Number::from_f64(number).map_or(Value::Null, Value::Number),
        toml::Value::Boolean(flag) => flag.into(),
        toml::Value::Datetime(date) => date.to_string().into(),
        toml::Value::Array(items) => items.into_iter().map(json_of).collect(),
        toml::Value::Table(members) => {
            members.into_iter().map(|(name, value)| (name, json_of(value))).collect()
        }
    }
}

pub fn text_of(document: &Value) -> String {
    toml::to_string(document).unwrap_or_else(|error| panic!("{document}: {error}"))
}

//! From types to a schema that editors take: draft 7, everything in place, and no `null`, which TOML does not have.

use schemars::generate::SchemaSettings;
use schemars::transform::{RecursiveTransform, Transform as _};
use schemars::{JsonSchema, Schema};
use serde_json::{Map, Value, json};

/// The schema of a type, as it is checked in.
pub fn schema_of<T: JsonSchema>() -> Value {
    let settings = SchemaSettings::draft07().with(|settings| settings.inline_subschemas = true);
    let mut schema = settings.into_generator().into_root_schema_for::<T>();
    RecursiveTransform(tidy).transform(&mut schema);
    schema.to_value()
}

/// The schema of a type that is written as JSON, where `null` is a value.
pub fn json_schema_of<T: JsonSchema>() -> Value {
    let settings = SchemaSettings::draft07().with(|settings| settings.inline_subschemas = true);
    let mut schema = settings.into_generator().into_root_schema_for::<T>();
    RecursiveTransform(in_order).transform(&mut schema);
    schema.to_value()
}

/// As text: two blanks a level, a line feed at the end.
pub fn text_of(schema: &Value) -> String {
    serde_json::to_string_pretty(schema).unwrap() + "\n"
}

fn tidy(schema: &mut Schema) {
    let Some(object) = schema.as_object_mut() else { return };
    without_null(object);
    in_order(schema);
}

fn in_order(schema: &mut Schema) {
    let Some(object) = schema.as_object_mut() else { return };
    // Names of Rust's numbers mean nothing to other validators.
    object.remove("format");
    words_as_enum(object);
    if let Some(Value::String(text)) = object.get_mut("description") {
        *text = paragraphs(text);
    }
    // What a person looks for comes first; the rest stays as it is.
    let mut keys: Vec<(usize, String)> = object.keys().map(|key| (rank(key), key.clone())).collect();
    keys.sort_by_key(|(rank, _)| *rank);
    let sorted = keys.into_iter().filter_map(|(_, key)| object.get(&key).map(|value| (key, value.clone())));
    *object = sorted.collect();
}

fn rank(key: &str) -> usize {
    const ORDER: [&str; 8] =
        ["$schema", "title", "description", "type", "enum", "minimum", "maximum", "required"];
    ORDER.iter().position(|known| *known == key).unwrap_or(ORDER.len())
}

/// What may be left out is left out in TOML, never null.
fn without_null(object: &mut Map<String, Value>) {
    if let Some(Value::Array(kinds)) = object.get_mut("type") {
        kinds.retain(|kind| kind != "null");
        if let [only] = kinds.as_slice() {
            let only = only.clone();
            object.insert("type".to_owned(), only);
        }
    }
    if let Some(Value::Array(words)) = object.get_mut("enum") {
        words.retain(|word| !word.is_null());
    }
    let Some(Value::Array(any)) = object.get("anyOf") else { return };
    if let [inner, null] = any.as_slice()
        && *null == json!({ "type": "null" })
        && let Value::Object(inner) = inner.clone()
    {
        object.remove("anyOf");
        for (key, value) in inner {
            object.entry(key).or_insert(value);
        }
    }
}

/// Words with a meaning each as one list, which editors complete and name when a word is none of them.
fn words_as_enum(object: &mut Map<String, Value>) {
    let Some(Value::Array(each)) = object.get("oneOf") else { return };
    let word = |one: &Value| {
        Some((one.get("const")?.as_str()?.to_owned(), one.get("description")?.as_str()?.to_owned()))
    };
    let Some(words) = each.iter().map(word).collect::<Option<Vec<_>>>() else { return };
    let mut description = object.get("description").and_then(Value::as_str).unwrap_or_default().to_owned();
    for (word, meaning) in &words {
        description.push_str(&format!("\n\n`{word}`: {meaning}"));
    }
    object.remove("oneOf");
    object.insert("description".to_owned(), description.trim().into());
    object.insert("type".to_owned(), "string".into());
    object.insert("enum".to_owned(), words.into_iter().map(|(word, _)| word).collect());
}

/// Lines of a comment as the paragraphs that they are.
fn paragraphs(text: &str) -> String {
    let paragraphs = text.split("\n\n").map(|paragraph| {
        if paragraph.starts_with("```") { paragraph.to_owned() } else { paragraph.replace('\n', " ") }
    });
    paragraphs.collect::<Vec<_>>().join("\n\n")
}

/// A leaf that is written as JSON.
macro_rules! leaf {
    ($(#[doc = $doc:literal])* $Name:ident = $schema:expr) => {
        $(#[doc = $doc])*
        pub struct $Name;

        impl schemars::JsonSchema for $Name {
            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($Name).into()
            }

            fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
                schemars::Schema::try_from($schema).unwrap()
            }
        }
    };
}
pub(crate) use leaf;

/// What a name may be written with: something that is no blank, and no control character.
pub const NAME: &str = r"^[^\x00-\x1f\x7f-\x9f]*[^\s\x00-\x1f\x7f-\x9f][^\x00-\x1f\x7f-\x9f]*$";

leaf! {
    /// A text of 1 to 200 bytes on one line.
    Name = json!({ "type": "string", "minLength": 1, "maxLength": 200, "pattern": NAME })
}

//! Every value that a schema describes, each as the smallest document that has it.

use serde_json::{Map, Value, json};

/// A place in a document.
pub struct Place<'s> {
    /// What stands there.
    pub schema: &'s Value,
    /// Where that is: names, `[]` for an element, `*` for any name.
    pub path: String,
    /// The smallest document with this value there.
    with: Box<dyn Fn(Value) -> Value + 's>,
}

impl Place<'_> {
    pub fn with(&self, value: Value) -> Value {
        (self.with)(value)
    }
}

/// Every place of a schema's documents, the whole of them first.
pub fn places(schema: &Value) -> Vec<Place<'_>> {
    let mut found = Vec::new();
    walk(schema, String::new(), std::rc::Rc::new(|value| value), &mut found);
    found
}

type With<'s> = std::rc::Rc<dyn Fn(Value) -> Value + 's>;

fn walk<'s>(schema: &'s Value, path: String, with: With<'s>, found: &mut Vec<Place<'s>>) {
    let at = std::rc::Rc::clone(&with);
    found.push(Place { schema, path: path.clone(), with: Box::new(move |value| at(value)) });
    let member = |name: &str| {
        let (with, name) = (std::rc::Rc::clone(&with), name.to_owned());
        std::rc::Rc::new(move |value| with(object_with(schema, &name, value))) as With<'s>
    };
    for (name, inner) in schema["properties"].as_object().into_iter().flatten() {
        walk(inner, format!("{path}.{name}"), member(name), found);
    }
    for inner in schema["patternProperties"].as_object().into_iter().flat_map(Map::values) {
        walk(inner, format!("{path}.*"), member("GET /x"), found);
    }
    if schema["additionalProperties"].is_object() {
        let name = if path.ends_with("exit") { "0" } else { "x" };
        walk(&schema["additionalProperties"], format!("{path}.*"), member(name), found);
    }
    let element = |front: Vec<Value>| {
        let with = std::rc::Rc::clone(&with);
        std::rc::Rc::new(move |value| {
            let mut items = front.clone();
            items.push(value);
            with(items.into())
        }) as With<'s>
    };
    match &schema["items"] {
        Value::Array(first) => {
            let front: Vec<Value> = first.iter().map(sample).collect();
            walk(&schema["additionalItems"], format!("{path}[]"), element(front), found);
        }
        Value::Object(_) => walk(&schema["items"], format!("{path}[]"), element(Vec::new()), found),
        _ => {}
    }
    for inner in schema["anyOf"].as_array().into_iter().flatten() {
        if ["properties", "items"].iter().any(|key| inner.get(*key).is_some()) {
            walk(inner, path.clone(), std::rc::Rc::clone(&with), found);
        }
    }
}

/// The smallest object of this schema with this member.
fn object_with(schema: &Value, name: &str, value: Value) -> Value {
    let mut object = match sample(schema) {
        Value::Object(object) if schema["maxProperties"] != 1 => object,
        _ => Map::new(),
    };
    // Of two names of one thing the other is taken out.
    let pairs = schema["oneOf"].as_array().into_iter().flatten();
    let names: Vec<&str> = pairs.filter_map(|one| one["required"][0].as_str()).collect();
    if names.contains(&name) {
        names.iter().for_each(|other| drop(object.remove(*other)));
    }
    object.insert(name.to_owned(), value);
    object.into()
}

/// The smallest value of a schema.
pub fn sample(schema: &Value) -> Value {
    if let Some(any) = schema["anyOf"].as_array()
        && schema.get("properties").is_none()
    {
        return sample(&any[0]);
    }
    match schema["type"].as_str() {
        Some("object") => {
            let mut object = Map::new();
            let one_of = schema["oneOf"][0]["required"].as_array();
            let then = schema["then"]["required"].as_array();
            let any_of = schema["then"]["anyOf"][0]["required"].as_array();
            let required = [schema["required"].as_array(), one_of, then.filter(|_| any_of.is_some()), any_of];
            for name in required.into_iter().flatten().flatten().filter_map(Value::as_str) {
                object.insert(name.to_owned(), sample(&schema["properties"][name]));
            }
            let least = schema["minProperties"].as_u64().unwrap_or(0);
            if least > 0 && object.is_empty() {
                match schema["properties"].as_object().and_then(|all| all.iter().next()) {
                    Some((name, inner)) => object.insert(name.clone(), sample(inner)),
                    None => object.insert("x".to_owned(), json!("x")),
                };
            }
            if let Some(examples) = schema["examples"].as_array()
                && schema.get("properties").is_none()
            {
                return examples[0].clone();
            }
            object.into()
        }
        Some("array") => match (&schema["minItems"], &schema["items"]) {
            (Value::Null, _) => schema["examples"].get(0).cloned().unwrap_or_else(|| json!([])),
            (_, Value::Array(first)) => first.iter().map(sample).collect(),
            (_, items) => json!([sample(items)]),
        },
        Some("integer") => schema.get("minimum").cloned().unwrap_or(json!(0)),
        Some("boolean") => json!(true),
        _ => {
            let first = ["enum", "examples"].iter().find_map(|key| schema[*key].get(0).cloned());
            first.unwrap_or(json!("x"))
        }
    }
}

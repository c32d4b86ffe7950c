//! Projection: what is left of a value when only the selected members are kept. The reference semantics; replay
//! answers with it, and clients are judged by it.

use super::FieldSelector;
use crate::json::{Json, Kind};

impl FieldSelector {
    /// What this selects of a value, as compact JSON text in which each kept value is its own source text.
    ///
    /// - A named member stays as it is, in the order of the value (ours), the first of duplicates; a name this value
    ///   lacks stays absent (ours); a member not named is absent (documented).
    /// - `a(b)` keeps `a` with only `b`, in an array for each element (seen).
    /// - `null` stays `null`, and so does any other scalar where an object was expected (ours): projection is total.
    /// - An array at the top is a list of resources: each element is projected (seen).
    ///
    /// Error bodies are never projected (ours); that is the caller's matter.
    pub fn project(&self, value: &Json<'_>) -> String {
        let mut out = String::with_capacity(value.text().len());
        Level::of(self).write(value, &mut out);
        out
    }
}

/// A level of a selector, made ready for many objects: names are found by binary search, so that neither a long
/// selector nor a large object makes the other's cost.
struct Level<'s> {
    names: Vec<Name<'s>>,
    /// Counts the objects this level was applied to.
    objects: usize,
}

struct Name<'s> {
    name: &'s str,
    subfields: Option<Level<'s>>,
    /// The last object in which this name was met: a second time is a duplicate.
    met_in: usize,
}

impl<'s> Level<'s> {
    fn of(selector: &'s FieldSelector) -> Self {
        let name = |field: &'s super::Field| Name {
            name: &field.name,
            subfields: field.subfields.as_ref().map(Level::of),
            met_in: 0,
        };
        let mut names: Vec<_> = selector.fields().iter().map(name).collect();
        names.sort_by_key(|name| name.name);
        Self { names, objects: 0 }
    }

    fn write(&mut self, value: &Json<'_>, out: &mut String) {
        match value.kind() {
            Kind::Array(elements) => {
                out.push('[');
                for (index, element) in elements.iter().enumerate() {
                    if index > 0 {
                        out.push(',');
                    }
                    self.write(element, out);
                }
                out.push(']');
            }
            Kind::Object(_) => self.write_object(value, out),
            _ => out.push_str(value.text()),
        }
    }

    fn write_object(&mut self, object: &Json<'_>, out: &mut String) {
        self.objects += 1;
        out.push('{');
        let mut comma = "";
        for (name, value) in object.members() {
            let found = self.names.binary_search_by(|known| known.name.cmp(name));
            let Some(selected) = found.ok().and_then(|index| self.names.get_mut(index)) else { continue };
            if std::mem::replace(&mut selected.met_in, self.objects) == self.objects {
                continue;
            }
            out.push_str(comma);
            comma = ",";
            // A selected name is letters, digits and `_`: nothing in it needs an escape.
            out.push('"');
            out.push_str(selected.name);
            out.push_str("\":");
            match &mut selected.subfields {
                Some(subfields) => subfields.write(value, out),
                None => out.push_str(value.text()),
            }
        }
        out.push('}');
    }
}

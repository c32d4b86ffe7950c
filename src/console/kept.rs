//! What is kept of a departure in a file that may be handed on: its kind, and the shape of the case that shows it. What a
//! console holds is a customer's, so no value of it stands there, and no name that the API's pages do not have.

use crate::fields::Shape;
use crate::profile::Profile;

/// The words of the languages in which cases are written.
const WORDS: [&str; 15] = [
    "fields", "filter", "sort", "Range", "items", "and", "or", "not", "in", "between", "is", "null",
    "contains", "HEAD", "Version",
];
/// What stands for a name, a text and a number.
const NAME: &str = "name";
const TEXT: &str = "\"...\"";
const NUMBER: &str = "0";

/// The shape of a case: `filter=status="..." and name>0`; none of one that is a whole path.
pub(super) fn shape(case: &str, endpoint: &str) -> Option<String> {
    let Some((head, _)) = case.split_once(['=', ':']) else {
        // Without a language it is a sentence of ours, or a path.
        return Some(case.to_owned()).filter(|case| !case.contains('/'));
    };
    if head.contains('/') {
        return None;
    }
    let known = known(endpoint);
    let mut shape = String::new();
    let mut rest = case;
    while let Some(first) = rest.chars().next() {
        let (word, after) = if first == '"' || first == '\'' {
            text(rest, first)
        } else {
            let end = rest.find(|next: char| !is_of_a_word(next)).unwrap_or(rest.len());
            rest.split_at_checked(end.max(first.len_utf8())).unwrap_or((rest, ""))
        };
        rest = after;
        shape.push_str(match word {
            word if word.starts_with(['"', '\'']) => TEXT,
            word if !word.starts_with(is_of_a_word) => word,
            word if word.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.') => NUMBER,
            word if WORDS.iter().any(|it| it.eq_ignore_ascii_case(word)) || known.contains(&word) => word,
            _ => NAME,
        });
    }
    Some(shape)
}

fn is_of_a_word(one: char) -> bool {
    one.is_alphanumeric() || matches!(one, '_' | '.' | '%') || !one.is_ascii()
}

/// A text in quotes, to its end, and what follows it.
fn text(from: &str, quote: char) -> (&str, &str) {
    let mut is_escaped = false;
    for (at, one) in from.char_indices().skip(1) {
        match one {
            _ if is_escaped => is_escaped = false,
            '\\' => is_escaped = true,
            one if one == quote => return from.split_at_checked(at + one.len_utf8()).unwrap_or((from, "")),
            _ => {}
        }
    }
    (from, "")
}

/// The names that the page of an endpoint has.
fn known(endpoint: &str) -> Vec<&'static str> {
    let mut names = Vec::new();
    if let Some(endpoint) = Profile::builtin().endpoint(endpoint) {
        collect(&endpoint.shape, &mut names);
    }
    names
}

fn collect(shape: &'static Shape, names: &mut Vec<&'static str>) {
    match shape {
        Shape::Object(members) => {
            for (name, below) in members {
                names.push(name);
                collect(below, names);
            }
        }
        Shape::List(element) => collect(element, names),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_case_keeps_its_shape_and_none_of_the_consoles_values() {
        let of = |case: &str| shape(case, "GET /siem/offenses");
        for (case, kept) in [
            ("fields=id,status", "fields=id,status"),
            ("fields=id,ACME_hosts(secret7),", "fields=id,name(name),"),
            (r#"filter=description="ACME \" Corp" and id > 4711"#, r#"filter=description="..." and id > 0"#),
            ("filter=status in ('OPEN','ACME')", r#"filter=status in ("...","...")"#),
            ("filter=description=%22ACME%22", "filter=description=name"),
            ("filter=description=\"never closed", "filter=description=\"...\""),
            ("Range: items=3-17", "Range: items=0-0"),
            ("sort=+Zürich", "sort=+name"),
            ("no credentials", "no credentials"),
        ] {
            assert_eq!(of(case).as_deref(), Some(kept), "{case}");
        }
        assert_eq!(of("/api/siem/offenses/4711"), None);
        assert_eq!(of("/api/siem/offenses?filter=id=4711"), None);
    }
}

//! Generators, beside the language they speak. All shrink towards few and simple keys.

use proptest::collection::vec;
use proptest::prelude::any;
use proptest::sample::select;
use proptest::strategy::{BoxedStrategy, Just, Strategy, Union};

use super::{Key, Sort};
use crate::fields::Shape;

/// Legal sorts of a shape: any of its members without members of their own, in any order. A shape without names has
/// none; `id` stands in for it.
pub fn sorts(shape: &Shape) -> BoxedStrategy<Sort> {
    let mut paths = Vec::new();
    leaves(shape, &mut Vec::new(), &mut paths);
    if paths.is_empty() {
        paths.push(vec!["id".to_owned()]);
    }
    let key = (select(paths), any::<bool>()).prop_map(|(path, descending)| Key { path, descending });
    vec(key, 1..4).prop_map(Sort).boxed()
}

fn leaves(shape: &Shape, above: &mut Vec<String>, paths: &mut Vec<Vec<String>>) {
    let Shape::Object(members) = shape else { return };
    for (name, below) in members {
        above.push(name.clone());
        match below {
            Shape::Scalar(_) => paths.push(above.clone()),
            Shape::Object(_) => leaves(below, above, paths),
            _ => {}
        }
        above.pop();
    }
}

/// Any sorts, also with names that no API has.
pub fn any_sorts() -> BoxedStrategy<Sort> {
    let letter = select(&["a", "b", "Z", "0", "_", ",", "(", ")", "\\", " ", "+", "-", "é", "\u{0}"][..]);
    let name = vec(letter, 1..4).prop_map(|letters| letters.concat());
    let key = (vec(name, 1..4), any::<bool>()).prop_map(|(path, descending)| Key { path, descending });
    vec(key, 1..4).prop_map(Sort).boxed()
}

/// Other spellings of the same sort as it stands decoded: blanks between tokens, and a `+` that is a blank or not there.
pub fn spellings(sort: &Sort) -> BoxedStrategy<String> {
    let keys: Vec<_> = sort
        .0
        .iter()
        .map(|key| {
            let text = key.to(key.path.len());
            let signs = if key.descending { &["-", " - "][..] } else { &["+", " ", "", " + "][..] };
            (select(signs), Just(text), select(&["", " ", "\t"][..]))
        })
        .collect();
    keys.prop_map(|keys| {
        keys.iter().map(|(sign, text, blank)| format!("{sign}{text}{blank}")).collect::<Vec<_>>().join(",")
    })
    .boxed()
}

/// Texts that break the grammar, each in one way, amid keys that do not.
pub fn malformed() -> BoxedStrategy<String> {
    const BROKEN: &[&str] = &[
        "", "+", "-", "+-a", "--a", "a b", "a desc", "a(", "a)", "a()", "(a)", "a(b", "a(b)c", "a(b)(c)",
        "a(b,c)", "a.b", "a/b", "a[b]", "a%2Cb", "*", "a;b", "\"a\"", "a\nb", "é", "a\\",
    ];
    const AROUND: &[&str] = &["", "x", "+x,-y", "-x(y)"];
    let joined = |(broken, before, after): (&str, &str, &str)| match (before, after) {
        // An empty text is legal by itself, so here it needs a neighbour.
        ("", "") if broken.is_empty() => ",".to_owned(),
        ("", "") => broken.to_owned(),
        // A backslash at the end takes the meaning from the comma after it.
        (before, _) if broken.ends_with('\\') => format!("{before},{broken}"),
        ("", after) => format!("{broken},{after}"),
        (before, "") => format!("{before},{broken}"),
        (before, after) => format!("{before},{broken},{after}"),
    };
    Union::new([(select(BROKEN), select(AROUND), select(AROUND)).prop_map(joined).boxed()]).boxed()
}

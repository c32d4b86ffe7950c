//! A second implementation of `fields`, written from the rules alone and as plainly as possible: the oracle.

use std::collections::BTreeMap;

/// A selector: for each name, in text order, what is selected below it.
pub(crate) type Names = Vec<(String, Option<Names2>)>;
/// A level below; a type of its own only because an alias cannot name itself.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Names2(pub(crate) Names);

/// Reads a text by cutting it at commas outside brackets. `None` if it is malformed; duplicates are let through.
pub(crate) fn parse(text: &str) -> Option<Names> {
    cut(text)?.into_iter().map(item).collect()
}

fn cut(text: &str) -> Option<Vec<String>> {
    let mut parts = vec![String::new()];
    let mut depth = 0_i32;
    for letter in text.chars() {
        depth += i32::from(letter == '(') - i32::from(letter == ')');
        if depth < 0 {
            return None;
        }
        if letter == ',' && depth == 0 {
            parts.push(String::new());
        } else {
            parts.last_mut()?.push(letter);
        }
    }
    (depth == 0).then_some(parts)
}

fn item(part: String) -> Option<(String, Option<Names2>)> {
    let blank = [' ', '\t'];
    let part = part.trim_matches(blank);
    let (name, below) = match part.split_once('(') {
        Some((name, rest)) => (name.trim_end_matches(blank), Some(Names2(parse(rest.strip_suffix(')')?)?))),
        None => (part, None),
    };
    let legal =
        !name.is_empty() && name.chars().all(|letter| letter.is_ascii_alphanumeric() || letter == '_');
    legal.then(|| (name.to_owned(), below))
}

/// The first name that stands again at its level, in text order.
pub(crate) fn first_duplicate(names: &Names) -> Option<String> {
    for (index, (name, below)) in names.iter().enumerate() {
        if names.iter().take(index).any(|(before, _)| before == name) {
            return Some(name.clone());
        }
        if let Some(found) = below.as_ref().and_then(|below| first_duplicate(&below.0)) {
            return Some(found);
        }
    }
    None
}

/// Every name with all those above it: the set that a selector stands for.
pub(crate) fn paths(names: &Names, above: &str) -> Vec<String> {
    let mut all = Vec::new();
    for (name, below) in names {
        let path = format!("{above}/{name}");
        match below {
            Some(below) => all.extend(paths(&below.0, &path)),
            None => all.push(path),
        }
    }
    all
}

/// JSON with number text kept, strings decoded, and the first of duplicate members.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Tree {
    Plain(String),
    List(Vec<Tree>),
    Object(BTreeMap<String, Tree>),
}

/// Reads valid JSON.
pub(crate) fn tree(text: &str) -> Tree {
    let letters: Vec<char> = text.chars().collect();
    read(&letters, &mut 0)
}

fn read(letters: &[char], at: &mut usize) -> Tree {
    blank(letters, at);
    match letters[*at] {
        '[' => {
            *at += 1;
            let mut list = Vec::new();
            while !closed(letters, at, ']') {
                list.push(read(letters, at));
            }
            Tree::List(list)
        }
        '{' => {
            *at += 1;
            let mut object = BTreeMap::new();
            while !closed(letters, at, '}') {
                let Tree::Plain(name) = read(letters, at) else { unreachable!("names are strings") };
                blank(letters, at);
                *at += 1;
                let value = read(letters, at);
                object.entry(name[1..].to_owned()).or_insert(value);
            }
            Tree::Object(object)
        }
        '"' => {
            let start = *at;
            *at += 1;
            while letters[*at] != '"' {
                *at += if letters[*at] == '\\' { 2 } else { 1 };
            }
            *at += 1;
            let literal: String = letters[start..*at].iter().collect();
            Tree::Plain(format!("\"{}", serde_json::from_str::<String>(&literal).expect("a string")))
        }
        _ => {
            let start = *at;
            while *at < letters.len() && !" \t\r\n,]}".contains(letters[*at]) {
                *at += 1;
            }
            Tree::Plain(letters[start..*at].iter().collect())
        }
    }
}

fn blank(letters: &[char], at: &mut usize) {
    while *at < letters.len() && " \t\r\n".contains(letters[*at]) {
        *at += 1;
    }
}

/// Steps over a comma; whether the container ends here.
fn closed(letters: &[char], at: &mut usize, close: char) -> bool {
    blank(letters, at);
    if letters[*at] == ',' {
        *at += 1;
        blank(letters, at);
    }
    let ends = letters[*at] == close;
    *at += usize::from(ends);
    ends
}

/// Keeps the named members.
pub(crate) fn project(names: &Names, tree: &Tree) -> Tree {
    match tree {
        Tree::Plain(_) => tree.clone(),
        Tree::List(list) => Tree::List(list.iter().map(|element| project(names, element)).collect()),
        Tree::Object(object) => {
            let mut kept = BTreeMap::new();
            for (name, below) in names {
                if let Some(value) = object.get(name) {
                    let value =
                        below.as_ref().map_or_else(|| value.clone(), |below| project(&below.0, value));
                    kept.insert(name.clone(), value);
                }
            }
            Tree::Object(kept)
        }
    }
}

/// Both trees laid over each other; `None` if they contradict each other.
pub(crate) fn merge(one: &Tree, two: &Tree) -> Option<Tree> {
    match (one, two) {
        (Tree::Plain(one), Tree::Plain(two)) => (one == two).then(|| Tree::Plain(one.clone())),
        (Tree::List(one), Tree::List(two)) if one.len() == two.len() => {
            one.iter().zip(two).map(|(one, two)| merge(one, two)).collect::<Option<_>>().map(Tree::List)
        }
        (Tree::Object(one), Tree::Object(two)) => {
            let mut both = one.clone();
            for (name, value) in two {
                let merged =
                    one.get(name).map_or_else(|| Some(value.clone()), |known| merge(known, value))?;
                both.insert(name.clone(), merged);
            }
            Some(Tree::Object(both))
        }
        _ => None,
    }
}

/// Whether `part` is `whole` with nothing changed and at most members left out.
pub(crate) fn is_part(part: &Tree, whole: &Tree) -> bool {
    merge(part, whole).as_ref() == Some(whole)
}

//! A second implementation of `filter` and `sort`, written from the rules alone and as plainly as possible: the oracle.

use std::cmp::Ordering;

use crate::naive::Tree;

/// A filter, two parts at a time.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Node {
    And(Box<Node>, Box<Node>),
    Or(Box<Node>, Box<Node>),
    Not(Box<Node>),
    Test(Vec<String>, bool, Kind),
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Kind {
    Compare(String, Value),
    In(Vec<Value>),
    Between(Value, Value),
    Like(String, bool),
    Null,
    Has(Value),
    Contains(Box<Node>),
}

/// A text, and whether it stands in quotes.
pub(crate) type Value = (String, bool);

#[derive(Clone, Debug, PartialEq)]
enum Token {
    Sign(String),
    Quoted(String),
    Bare(String),
}

fn tokens(text: &str) -> Option<Vec<Token>> {
    let letters: Vec<char> = text.chars().collect();
    let (mut found, mut at) = (Vec::new(), 0);
    while at < letters.len() {
        let letter = letters[at];
        let two: String = letters[at..].iter().take(2).collect();
        if letter == ' ' || letter == '\t' {
            at += 1;
        } else if ["!=", "<>", "^=", "<=", ">="].contains(&two.as_str()) {
            found.push(Token::Sign(two));
            at += 2;
        } else if "=<>(),".contains(letter) {
            found.push(Token::Sign(letter.to_string()));
            at += 1;
        } else if letter == '"' || letter == '\'' {
            let mut inner = String::new();
            at += 1;
            while *letters.get(at)? != letter {
                if letters[at] == '\\' && "\"'\\".contains(*letters.get(at + 1)?) {
                    at += 1;
                }
                inner.push(letters[at]);
                at += 1;
            }
            at += 1;
            found.push(Token::Quoted(inner));
        } else {
            let next_is_digit = letters.get(at + 1).is_some_and(char::is_ascii_digit);
            if letter == '.' && !next_is_digit {
                found.push(Token::Bare(".".to_owned()));
                at += 1;
                continue;
            }
            let start = at;
            let numeric = letter.is_ascii_digit() || "+-.".contains(letter);
            while at < letters.len() {
                let here = letters[at];
                let after_e = at > start && "eE".contains(letters[at - 1]);
                let signed = "+-".contains(here) && numeric && (at == start || after_e);
                if !(here.is_ascii_alphanumeric() || here == '_' || numeric && here == '.' || signed) {
                    break;
                }
                at += 1;
            }
            if at == start {
                return None;
            }
            found.push(Token::Bare(letters[start..at].iter().collect()));
        }
    }
    Some(found)
}

/// Reads a text; `None` if it is malformed or blank.
pub(crate) fn filter(text: &str) -> Option<Node> {
    let tokens = tokens(text)?;
    let (node, rest) = or(&tokens)?;
    rest.is_empty().then_some(node)
}

type Rest<'t> = &'t [Token];

fn word<'t>(tokens: Rest<'t>, word: &str) -> Option<Rest<'t>> {
    match tokens.split_first()? {
        (Token::Bare(found), rest) if found.to_lowercase() == word => Some(rest),
        _ => None,
    }
}

fn sign<'t>(tokens: Rest<'t>, sign: &str) -> Option<Rest<'t>> {
    match tokens.split_first()? {
        (Token::Sign(found), rest) if found == sign => Some(rest),
        _ => None,
    }
}

fn or(tokens: Rest<'_>) -> Option<(Node, Rest<'_>)> {
    let (mut node, mut rest) = and(tokens)?;
    while let Some(after) = word(rest, "or") {
        let (next, after) = and(after)?;
        (node, rest) = (Node::Or(Box::new(node), Box::new(next)), after);
    }
    Some((node, rest))
}

fn and(tokens: Rest<'_>) -> Option<(Node, Rest<'_>)> {
    let (mut node, mut rest) = one(tokens)?;
    while let Some(after) = word(rest, "and") {
        let (next, after) = one(after)?;
        (node, rest) = (Node::And(Box::new(node), Box::new(next)), after);
    }
    Some((node, rest))
}

fn one(tokens: Rest<'_>) -> Option<(Node, Rest<'_>)> {
    if let Some(rest) = word(tokens, "not") {
        let (node, rest) = one(rest)?;
        return Some((Node::Not(Box::new(node)), rest));
    }
    if let Some(rest) = sign(tokens, "(") {
        let (node, rest) = or(rest)?;
        return Some((node, sign(rest, ")")?));
    }
    test(tokens)
}

fn name(tokens: Rest<'_>) -> Option<(String, Rest<'_>)> {
    match tokens.split_first()? {
        (Token::Bare(name), rest) if name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') => {
            Some((name.clone(), rest))
        }
        _ => None,
    }
}

/// `a(b(c))`, and nothing but names in its brackets.
fn path(tokens: Rest<'_>) -> Option<(Vec<String>, Rest<'_>)> {
    let (first, rest) = name(tokens)?;
    let mut path = vec![first];
    if let Some(inner) = sign(rest, "(")
        && let Some((below, after)) = path_in(inner)
    {
        path.extend(below);
        return Some((path, after));
    }
    Some((path, rest))
}

fn path_in(tokens: Rest<'_>) -> Option<(Vec<String>, Rest<'_>)> {
    let (first, mut rest) = name(tokens)?;
    let mut path = vec![first];
    if let Some(inner) = sign(rest, "(") {
        let (below, after) = path_in(inner)?;
        path.extend(below);
        rest = after;
    }
    Some((path, sign(rest, ")")?))
}

fn test(tokens: Rest<'_>) -> Option<(Node, Rest<'_>)> {
    let (path, rest) = match word(tokens, ".") {
        Some(rest) => (Vec::new(), rest),
        None => path(tokens)?,
    };
    if path.first().is_some_and(|name| ["and", "or", "not"].contains(&name.to_lowercase().as_str())) {
        return None;
    }
    if !path.is_empty()
        && let Some(inner) = sign(rest, "(")
    {
        let (node, rest) = or(inner)?;
        return Some((Node::Test(path, false, Kind::Contains(Box::new(node))), sign(rest, ")")?));
    }
    if let Some((Token::Sign(operator), rest)) = rest.split_first()
        && !["(", ")", ","].contains(&operator.as_str())
    {
        let operator = if operator == "<>" || operator == "^=" { "!=" } else { operator };
        let (value, rest) = value(rest)?;
        return Some((Node::Test(path, false, Kind::Compare(operator.to_owned(), value)), rest));
    }
    if let Some(rest) = word(rest, "is") {
        let negated = word(rest, "not");
        let rest = word(negated.unwrap_or(rest), "null")?;
        return Some((Node::Test(path, negated.is_some(), Kind::Null), rest));
    }
    let negated = word(rest, "not");
    let rest = negated.unwrap_or(rest);
    let (kind, rest) = if let Some(rest) = word(rest, "in") {
        let mut rest = sign(rest, "(")?;
        let mut values = Vec::new();
        loop {
            let (next, after) = value(rest)?;
            values.push(next);
            match sign(after, ",") {
                Some(after) => rest = after,
                None => break (Kind::In(values), sign(after, ")")?),
            }
        }
    } else if let Some(rest) = word(rest, "between") {
        let (low, rest) = value(rest)?;
        let (high, rest) = value(word(rest, "and")?)?;
        (Kind::Between(low, high), rest)
    } else if let Some((any_case, rest)) =
        word(rest, "like").map(|rest| (false, rest)).or(word(rest, "ilike").map(|rest| (true, rest)))
    {
        let (Token::Quoted(pattern), rest) = rest.split_first()? else { return None };
        (Kind::Like(pattern.clone(), any_case), rest)
    } else {
        content(word(rest, "contains")?)?
    };
    Some((Node::Test(path, negated.is_some(), kind), rest))
}

fn content(tokens: Rest<'_>) -> Option<(Kind, Rest<'_>)> {
    if let Some(inner) = sign(tokens, "(") {
        if let Some((value, rest)) = value(inner)
            && let Some(rest) = sign(rest, ")")
        {
            return Some((Kind::Has(value), rest));
        }
        let (node, rest) = or(inner)?;
        return Some((Kind::Contains(Box::new(node)), sign(rest, ")")?));
    }
    // What can be read as a test is one.
    if let Some((node, rest)) = test(tokens) {
        return Some((Kind::Contains(Box::new(node)), rest));
    }
    let (value, rest) = value(tokens)?;
    Some((Kind::Has(value), rest))
}

fn value(tokens: Rest<'_>) -> Option<(Value, Rest<'_>)> {
    match tokens.split_first()? {
        (Token::Quoted(text), rest) => Some(((text.clone(), true), rest)),
        (Token::Bare(text), rest) => {
            let is_word = text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
            (is_word || fixed(text).is_some()).then(|| ((text.clone(), false), rest))
        }
        _ => None,
    }
}

/// Whether an element stays.
pub(crate) fn accepts(node: &Node, element: &Tree) -> bool {
    match node {
        Node::And(one, two) => accepts(one, element) && accepts(two, element),
        Node::Or(one, two) => accepts(one, element) || accepts(two, element),
        Node::Not(one) => !accepts(one, element),
        Node::Test(path, negated, kind) => {
            let values: Vec<&Tree> =
                values(path, element).into_iter().filter(|value| **value != null()).collect();
            let contents = || values.iter().flat_map(|value| contents(value));
            let holds = match kind {
                Kind::Null => values.is_empty(),
                Kind::Compare(operator, value) if operator == "!=" => {
                    !values.iter().any(|found| compare(found, value) == Some(Ordering::Equal))
                }
                Kind::Compare(operator, value) => values.iter().any(|found| {
                    let order = compare(found, value);
                    match operator.as_str() {
                        "=" => order == Some(Ordering::Equal),
                        "<" => order == Some(Ordering::Less),
                        ">" => order == Some(Ordering::Greater),
                        "<=" => matches!(order, Some(Ordering::Less | Ordering::Equal)),
                        _ => matches!(order, Some(Ordering::Greater | Ordering::Equal)),
                    }
                }),
                Kind::In(listed) => values
                    .iter()
                    .any(|found| listed.iter().any(|one| compare(found, one) == Some(Ordering::Equal))),
                Kind::Between(low, high) => values.iter().any(|found| {
                    matches!(compare(found, low), Some(Ordering::Greater | Ordering::Equal))
                        && matches!(compare(found, high), Some(Ordering::Less | Ordering::Equal))
                }),
                Kind::Like(pattern, any_case) => {
                    values.iter().any(|found| is_like(found, pattern, *any_case))
                }
                Kind::Has(value) => contents().any(|found| compare(found, value) == Some(Ordering::Equal)),
                Kind::Contains(node) => contents().any(|found| accepts(node, found)),
            };
            holds != *negated
        }
    }
}

fn null() -> Tree {
    Tree::Plain("null".to_owned())
}

fn values<'t>(path: &[String], tree: &'t Tree) -> Vec<&'t Tree> {
    match (path.split_first(), tree) {
        (None, tree) => vec![tree],
        (Some(_), Tree::List(list)) => list.iter().flat_map(|element| values(path, element)).collect(),
        (Some((name, below)), Tree::Object(members)) => {
            members.get(name).map_or(Vec::new(), |value| values(below, value))
        }
        _ => Vec::new(),
    }
}

fn contents(value: &Tree) -> Vec<&Tree> {
    match value {
        Tree::List(list) => list.iter().collect(),
        Tree::Object(_) => vec![value],
        Tree::Plain(_) => Vec::new(),
    }
}

fn compare(found: &Tree, (text, quoted): &Value) -> Option<Ordering> {
    let Tree::Plain(found) = found else { return None };
    if !quoted && text.to_lowercase() == "null" {
        return None;
    }
    if let Some(found) = found.strip_prefix('"') {
        return Some(found.cmp(text));
    }
    match found.as_str() {
        "null" => None,
        "true" | "false" => (text.to_lowercase() == *found).then_some(Ordering::Equal),
        number => Some(fixed(number)?.cmp(&fixed(text)?)),
    }
}

fn is_like(found: &Tree, pattern: &str, any_case: bool) -> bool {
    let Tree::Plain(found) = found else { return false };
    let Some(found) = found.strip_prefix('"') else { return false };
    let case = |text: &str| if any_case { text.to_lowercase() } else { text.to_owned() };
    let (text, pattern): (Vec<char>, Vec<char>) =
        (case(found).chars().collect(), case(pattern).chars().collect());
    like(&text, &pattern)
}

fn like(text: &[char], pattern: &[char]) -> bool {
    match pattern.split_first() {
        None => text.is_empty(),
        Some(('%', rest)) => (0..=text.len()).any(|at| like(&text[at..], rest)),
        Some(('_', rest)) => !text.is_empty() && like(&text[1..], rest),
        Some(('\\', rest)) if !rest.is_empty() => {
            text.first() == rest.first() && like(&text[1..], &rest[1..])
        }
        Some((letter, rest)) => text.first() == Some(letter) && like(&text[1..], rest),
    }
}

/// A number as 410 digits before and 410 after the point, negative ones by the complement: as texts they are in
/// order.
pub(crate) fn fixed(text: &str) -> Option<String> {
    const HALF: usize = 410;
    let (negative, unsigned) = match text.chars().next()? {
        '-' => (true, &text[1..]),
        '+' => (false, &text[1..]),
        _ => (false, text),
    };
    let lower = unsigned.to_lowercase();
    let (mantissa, exponent) = lower.split_once('e').unwrap_or((&lower, "0"));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = format!("{whole}{fraction}");
    let unsigned_exponent = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
    let plain = |text: &str| !text.is_empty() && text.chars().all(|letter| letter.is_ascii_digit());
    if !plain(&digits) || !plain(unsigned_exponent) {
        return None;
    }
    let exponent: i64 = exponent.trim_start_matches('+').parse().ok()?;
    let point = whole.len() as i64 + exponent;
    let mut places = vec![0_u8; 2 * HALF];
    for (at, digit) in digits.bytes().enumerate() {
        let place = HALF as i64 - point + at as i64;
        if digit != b'0' {
            places[usize::try_from(place).ok()?] = digit - b'0';
        }
    }
    let is_zero = places.iter().all(|digit| *digit == 0);
    let sign = if negative && !is_zero { "-" } else { "0" };
    let digits = places.iter().map(|digit| if negative && !is_zero { 9 - digit } else { *digit });
    Some(digits.fold(sign.to_owned(), |mut text, digit| {
        text.push(char::from(b'0' + digit));
        text
    }))
}

/// Puts elements in order by inserting one after the other.
pub(crate) fn sorted<'t>(keys: &[(Vec<String>, bool)], elements: &'t [Tree]) -> Vec<&'t Tree> {
    let mut sorted: Vec<&Tree> = Vec::new();
    for element in elements {
        let place = sorted.iter().position(|there| in_order(keys, element, there) == Ordering::Less);
        sorted.insert(place.unwrap_or(sorted.len()), element);
    }
    sorted
}

fn in_order(keys: &[(Vec<String>, bool)], one: &Tree, two: &Tree) -> Ordering {
    for (path, descending) in keys {
        let rank = |element: &Tree| match step(path, element) {
            Some(Tree::Plain(text)) if text.starts_with('"') => (0, text),
            Some(Tree::Plain(text)) if text == "true" || text == "false" => (0, text),
            Some(Tree::Plain(text)) if text != "null" => (0, fixed(&text).expect("a number")),
            _ => (1, String::new()),
        };
        let order = rank(one).cmp(&rank(two));
        if order != Ordering::Equal {
            return if *descending { order.reverse() } else { order };
        }
    }
    Ordering::Equal
}

fn step(path: &[String], element: &Tree) -> Option<Tree> {
    path.iter().try_fold(element.clone(), |value, name| match value {
        Tree::Object(members) => members.get(name).cloned(),
        _ => None,
    })
}

//! Generators, beside the language they speak. All shrink towards few and simple tests.

use proptest::collection::vec;
use proptest::prelude::any;
use proptest::sample::select;
use proptest::strategy::{BoxedStrategy, Just, Strategy, Union};

use super::{Filter, Is, Member, Operator, Test, Value};
use crate::fields::{Scalar, Shape};

/// Legal filters of a shape, with values of its members' types, and some of others.
pub fn filters(shape: &Shape) -> BoxedStrategy<Filter> {
    joined(tests(shape))
}

/// Tests joined by `and`, `or`, `not`, a few levels deep.
fn joined(tests: BoxedStrategy<Filter>) -> BoxedStrategy<Filter> {
    tests
        .prop_recursive(3, 8, 3, |inner| {
            Union::new([
                vec(inner.clone(), 2..4).prop_filter_map("two parts", Filter::all).boxed(),
                vec(inner.clone(), 2..4).prop_filter_map("two parts", Filter::any).boxed(),
                inner.prop_map(|part| Filter::Not(Box::new(part))).boxed(),
            ])
        })
        .boxed()
}

fn tests(shape: &Shape) -> BoxedStrategy<Filter> {
    let mut members = Vec::new();
    collect(shape, &mut Vec::new(), &mut members);
    if members.is_empty() {
        members.push((Member(Vec::new()), shape.element().clone()));
    }
    let drawn = members.into_iter().map(|(member, shape)| {
        let test = (is(&shape), any::<bool>()).prop_map(move |(is, negated)| {
            let negated = negated && !matches!(is, Is::Compared(..));
            Filter::Test(Test { member: member.clone(), negated, is })
        });
        test.boxed()
    });
    Union::new(drawn).boxed()
}

/// Every member at every level, through lists, too.
fn collect(shape: &Shape, above: &mut Vec<String>, members: &mut Vec<(Member, Shape)>) {
    let Shape::Object(known) = shape.element() else { return };
    for (name, below) in known {
        above.push(name.clone());
        members.push((Member(above.clone()), below.clone()));
        collect(below, above, members);
        above.pop();
    }
}

fn is(shape: &Shape) -> BoxedStrategy<Is> {
    let null = Just(Is::Null).boxed();
    match shape {
        Shape::Scalar(scalar) => Union::new([compared(values(scalar)), null, like()]).boxed(),
        Shape::List(element) if element.names().is_empty() => {
            let scalar = match element.element() {
                Shape::Scalar(scalar) => scalar.clone(),
                _ => Scalar::String,
            };
            let itself = |is| Filter::Test(Test { member: Member(Vec::new()), negated: false, is });
            let within = compared(values(&scalar)).prop_map(move |is| Is::Contains(Box::new(itself(is))));
            Union::new([values(&scalar).prop_map(Is::ContainsValue).boxed(), within.boxed(), null]).boxed()
        }
        below => {
            let within = tests(below).prop_map(|filter| Is::Contains(Box::new(filter)));
            Union::new([within.boxed(), null]).boxed()
        }
    }
}

fn compared(values: BoxedStrategy<Value>) -> BoxedStrategy<Is> {
    use Operator::{AtLeast, AtMost, Equal, Greater, Less, Other};
    let operator = select(&[Equal, Other, Less, AtMost, Greater, AtLeast][..]);
    Union::new([
        (operator, values.clone()).prop_map(|(operator, value)| Is::Compared(operator, value)).boxed(),
        vec(values.clone(), 1..4).prop_map(Is::In).boxed(),
        (values.clone(), values).prop_map(|(low, high)| Is::Between(low, high)).boxed(),
    ])
    .boxed()
}

fn like() -> BoxedStrategy<Is> {
    let pieces = select(&["%", "_", "a", "b", "Z", "\\", "é", "ß"][..]);
    let pattern = vec(pieces, 0..5).prop_map(|pieces| pieces.concat());
    (pattern, any::<bool>()).prop_map(|(pattern, any_case)| Is::Like { pattern, any_case }).boxed()
}

fn values(scalar: &Scalar) -> BoxedStrategy<Value> {
    let number = |texts: &'static [&'static str]| {
        select(texts).prop_map(|text| Value::Number(text.to_owned())).boxed()
    };
    let words = select(WORDS).prop_map(|text| Value::Word(text.to_owned())).boxed();
    let texts = vec(select(TEXT), 0..4).prop_map(|pieces| Value::Text(pieces.concat())).boxed();
    let of_type = match scalar {
        Scalar::Integer | Scalar::Number => number(NUMBERS),
        Scalar::Bool => {
            select(&["true", "false", "TRUE"][..]).prop_map(|text| Value::Word(text.to_owned())).boxed()
        }
        Scalar::OneOf(listed) if !listed.is_empty() => select(listed.clone()).prop_map(Value::Text).boxed(),
        _ => texts.clone(),
    };
    Union::new_weighted(vec![(6, of_type), (1, number(NUMBERS)), (1, words), (1, texts)]).boxed()
}

/// Around the limits of what numbers are kept in, and odd spellings.
const NUMBERS: &[&str] = &[
    "0",
    "1",
    "7",
    "42",
    "-1",
    "+5",
    ".5",
    "5.",
    "1.00",
    "1e5",
    "1E-7",
    "007",
    "9007199254740993",
    "9007199254740992",
    "-9223372036854775808",
    "100000000000000000000001",
    "1e400",
];

const WORDS: &[&str] = &["OPEN", "true", "False", "null", "and", "or", "not", "in", "like", "7abc", "a_b"];

/// Pieces of a text, the plain ones first.
const TEXT: &[&str] = &[
    "a", "b", "Z", "0", " ", "-", ".", "7", "null", "and", ",", "(", ")", "\"", "'", "\\", "%", "_", "é",
    "\n",
];

/// Other spellings of the same filter: keywords in any case, other operators of the same meaning, brackets, blanks.
pub fn spellings(filter: &Filter) -> BoxedStrategy<String> {
    let tokens = tokens(&filter.to_string());
    vec((0..4_u8, select(&["", " ", "\t"][..])), tokens.len())
        .prop_map(move |choices| {
            let mut text = String::new();
            for ((choice, blank), token) in choices.iter().zip(&tokens) {
                text.push_str(&spelt(token, *choice));
                text.push_str(blank);
            }
            format!("({text})")
        })
        .boxed()
}

fn spelt(token: &str, choice: u8) -> String {
    const KEYWORDS: &[&str] =
        &[" and ", " or ", "not ", " in ", " between ", " is ", " like ", " ilike ", " contains "];
    match (token, choice) {
        ("!=", 1) => "<>".to_owned(),
        ("!=", 2) => "^=".to_owned(),
        (token, 1) if KEYWORDS.contains(&token) => token.to_uppercase(),
        _ => token.to_owned(),
    }
}

/// The pieces of a text between which blanks mean nothing; a keyword has the blanks around it.
fn tokens(text: &str) -> Vec<String> {
    let mut tokens: Vec<String> = vec![String::new()];
    let mut letters = text.chars().peekable();
    let mut quoted = false;
    while let Some(letter) = letters.next() {
        let Some(token) = tokens.last_mut() else { break };
        match letter {
            '\\' if quoted => {
                token.push(letter);
                token.extend(letters.next());
            }
            '"' => {
                quoted = !quoted;
                token.push(letter);
            }
            '(' | ')' | ',' if !quoted => tokens.extend([letter.to_string(), String::new()]),
            _ => token.push(letter),
        }
    }
    tokens
}

/// Texts that break the grammar, each in one way, amid tests that do not.
pub fn malformed() -> BoxedStrategy<String> {
    const BROKEN: &[&str] = &[
        "a",
        "=1",
        "a=",
        "a==1",
        "a 1",
        "a=1 b=2",
        "a=\"x",
        "a='x\"",
        "a=x y",
        "a=1.2.3",
        "a=192.0.2.1",
        "a=x-y",
        "a in 1",
        "a in ()",
        "a in (1",
        "a in (1,)",
        "a between 1",
        "a between 1 or 2",
        "a is 1",
        "a is not 1",
        "a like x",
        "a like",
        "a not 1",
        "a not = 1",
        "a contains",
        "a contains ()",
        "(a=1",
        "a=1)",
        "()",
        "(a)",
        "a(b)",
        "a(b=1",
        "a(=1)",
        "a.b=1",
        "a[b]=1",
        "\"a\"=1",
        "a=1 and",
        "and",
        "a=1 && b=2",
        "a=1 or or b=2",
        "é=1",
        "a=é",
        "a=1;",
        "a=%22x%22",
        "a!1",
        "*",
        "a=1 not b=2",
        ". =",
        "a=\u{0}",
    ];
    const AROUND: &[&str] = &["x = 1", "not x is null", "(x = 1 or y = \"z\")"];
    let around = (select(BROKEN), select(AROUND), 0..3_u8);
    around
        .prop_map(|(broken, whole, place)| match place {
            0 => broken.to_owned(),
            1 => format!("{broken} and {whole}"),
            _ => format!("{whole} or {broken}"),
        })
        .boxed()
}

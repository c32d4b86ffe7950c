//! Generators, beside the language they speak. All shrink towards few names and small values.

use proptest::collection::vec;
use proptest::sample::select;
use proptest::strategy::{BoxedStrategy, Just, Strategy, Union};

use super::{Field, FieldSelector, Scalar, Shape};
use crate::json::quote;

/// Legal selectors of a shape: names in any order, subfields at times. A shape without names has no legal selector;
/// `id` stands in for it.
pub fn selectors(shape: &Shape) -> BoxedStrategy<FieldSelector> {
    selectors_to(shape, super::DEPTH_MAX)
}

/// As [`selectors`], with brackets so many levels deep at most; 0 is none.
pub fn selectors_to(shape: &Shape, depth: usize) -> BoxedStrategy<FieldSelector> {
    let members = shape.members();
    if members.is_empty() {
        return Just(FieldSelector(vec![Field { name: "id".to_owned(), subfields: None }])).boxed();
    }
    // Per member: whether it is named, its rank in the order of names, and the field.
    let drawn: Vec<_> =
        members.iter().map(|member| (proptest::bool::ANY, 0..8_u8, field(member, depth))).collect();
    (drawn, 0..members.len())
        .prop_map(|(mut drawn, fallback)| {
            if let Some((named, _, _)) = drawn.get_mut(fallback) {
                // At least one is always named; the case without any shrinks to the first alone.
                *named = true;
            }
            drawn.retain(|(named, _, _)| *named);
            drawn.sort_by_key(|(_, rank, _)| *rank);
            FieldSelector(drawn.into_iter().map(|(_, _, field)| field).collect())
        })
        .boxed()
}

fn field((name, shape): &(String, Shape), depth: usize) -> BoxedStrategy<Field> {
    let whole = Field { name: name.clone(), subfields: None };
    let Some(below) = depth.checked_sub(1).filter(|_| !shape.members().is_empty()) else {
        return Just(whole).boxed();
    };
    let name = name.clone();
    let narrowed = selectors_to(shape, below)
        .prop_map(move |below| Field { name: name.clone(), subfields: Some(below) });
    Union::new([Just(whole).boxed(), narrowed.boxed()]).boxed()
}

/// JSON text of a resource of that shape, with every member: 64-bit integers, also beyond 2^53; odd text; `null` and
/// `[]` at times; numbers such as `1.00` and `1E5` where the shape has [`Scalar::Number`]. A member that is one of a
/// list of texts is always one of them.
pub fn resources(shape: &Shape) -> BoxedStrategy<String> {
    value(shape, Style { members: Members::All, knobs: Knobs::default() })
}

/// What may stand in a resource.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Knobs {
    /// Text beyond plain ASCII, and escapes.
    pub odd_text: bool,
    /// Numbers at the edges of what clients keep them in.
    pub edges: bool,
}

impl Default for Knobs {
    /// Everything.
    fn default() -> Self {
        Self { odd_text: true, edges: true }
    }
}

/// As [`resources`], with less of what is odd.
pub fn resources_with(shape: &Shape, knobs: Knobs) -> BoxedStrategy<String> {
    value(shape, Style { members: Members::All, knobs })
}

/// As [`resources`], with members left out at times, at every level.
pub fn partial_resources(shape: &Shape) -> BoxedStrategy<String> {
    value(shape, Style { members: Members::Some, knobs: Knobs::default() })
}

#[derive(Clone, Copy)]
enum Members {
    All,
    Some,
}

/// Which members there are, and what stands in them.
#[derive(Clone, Copy)]
struct Style {
    members: Members,
    knobs: Knobs,
}

fn value(shape: &Shape, which: Style) -> BoxedStrategy<String> {
    match shape {
        Shape::Scalar(scalar) => scalar_text(scalar, which.knobs),
        Shape::List(element) => {
            vec(value(element, which), 0..4).prop_map(|elements| format!("[{}]", elements.join(","))).boxed()
        }
        Shape::Object(members) => {
            let members: Vec<_> = members.iter().map(|(name, shape)| member(name, shape, which)).collect();
            members.prop_map(|members| format!("{{{}}}", join(&members))).boxed()
        }
        Shape::Any => select(ANYTHING).prop_map(str::to_owned).boxed(),
    }
}

/// What may stand where nothing is published.
const ANYTHING: &[&str] = &["null", "7", "\"a\"", "[]", "{}", r#"{"a":1}"#, r#"[{"b":"c"}]"#];

fn join(members: &[String]) -> String {
    let mut joined = String::new();
    for member in members.iter().filter(|member| !member.is_empty()) {
        if !joined.is_empty() {
            joined.push(',');
        }
        joined.push_str(member);
    }
    joined
}

/// `"name":value`, or nothing for a member left out.
fn member(name: &str, shape: &Shape, which: Style) -> BoxedStrategy<String> {
    let name = quote(name) + ":";
    let null = name.clone() + "null";
    let present = value(shape, which).prop_map(move |value| format!("{name}{value}")).boxed();
    let mut choices = vec![(8, present)];
    if !matches!(shape, Shape::Scalar(Scalar::OneOf(_))) {
        choices.push((1, Just(null).boxed()));
    }
    if matches!(which.members, Members::Some) {
        choices.push((2, Just(String::new()).boxed()));
    }
    Union::new_weighted(choices).boxed()
}

fn scalar_text(scalar: &Scalar, knobs: Knobs) -> BoxedStrategy<String> {
    match scalar {
        Scalar::Bool => select(&["false", "true"][..]).prop_map(str::to_owned).boxed(),
        Scalar::Integer | Scalar::Number if !knobs.edges => small().boxed(),
        Scalar::Integer => Union::new([small().boxed(), spelt(INTEGERS)]).boxed(),
        Scalar::Number => Union::new([small().boxed(), spelt(NUMBERS)]).boxed(),
        Scalar::String => {
            vec(select(if knobs.odd_text { TEXT } else { TEXT.get(..PLAIN).unwrap_or(TEXT) }), 0..6)
                .prop_map(|pieces| format!("\"{}\"", pieces.concat()))
                .boxed()
        }
        Scalar::OneOf(choices) if choices.is_empty() => Just("\"\"".to_owned()).boxed(),
        Scalar::OneOf(choices) => {
            select(choices.iter().map(|choice| quote(choice)).collect::<Vec<_>>()).boxed()
        }
    }
}

fn small() -> impl Strategy<Value = String> {
    (0..100_u8).prop_map(|number| number.to_string())
}

fn spelt(numbers: &'static [&'static str]) -> BoxedStrategy<String> {
    select(numbers).prop_map(str::to_owned).boxed()
}

/// Around the limits of what clients keep numbers in. 2^53 + 1 is the first integer a double cannot hold.
const INTEGERS: &[&str] = &[
    "-1",
    "2147483648",
    "-2147483649",
    "4294967296",
    "9007199254740993",
    "-9007199254740993",
    "9223372036854775807",
    "-9223372036854775808",
];

/// Spellings that a reader through doubles does not give back.
const NUMBERS: &[&str] = &[
    "0.5",
    "1.00",
    "-0.0",
    "1E5",
    "1e-7",
    "0.1e1",
    "1e400",
    "100000000000000000000001",
    "0.30000000000000000001",
];

/// How many of [`TEXT`] are plain ASCII without an escape.
const PLAIN: usize = 16;
/// Pieces of a string literal, the plain ones first.
const TEXT: &[&str] = &[
    "a",
    "b",
    "Z",
    "0",
    " ",
    "-",
    "null",
    ",",
    "(",
    "}",
    "]",
    ":",
    "'",
    "<b>",
    "&",
    "%2C",
    "\\\"",
    "\\\\",
    "\\/",
    "\\n",
    "\\t",
    "\\u0000",
    "\\u001b[31m",
    "\\u0061",
    "é",
    "e\u{301}",
    "ß",
    "日本",
    "😀",
    "\\ud83d\\ude00",
    "\u{202e}",
    "\u{feff}",
    "\u{2028}",
];

/// Other spellings of the same selector as it stands decoded: blanks wherever they may be.
pub fn spellings(selector: &FieldSelector) -> BoxedStrategy<String> {
    let tokens = tokens(&selector.to_string());
    vec(select(&["", " ", "\t", "  "][..]), tokens.len() + 1)
        .prop_map(move |blanks| {
            let mut text = String::new();
            for (blank, token) in blanks.iter().zip(tokens.iter().map(String::as_str).chain([""])) {
                text.push_str(blank);
                text.push_str(token);
            }
            text
        })
        .boxed()
}

/// Other spellings of the same selector as it may stand in a query string: blanks, `+`, and percent-encoding in
/// either case, also where there is no need for it.
pub fn encoded_spellings(selector: &FieldSelector) -> BoxedStrategy<String> {
    let length = selector.to_string().len();
    // As many choices as a spelling can have characters: two blanks around each character at most.
    (spellings(selector), vec(0..4_u8, length * 3 + 2))
        .prop_map(|(text, choices)| {
            text.chars().zip(choices).map(|(letter, choice)| encoded(letter, choice)).collect()
        })
        .boxed()
}

fn encoded(letter: char, choice: u8) -> String {
    match (letter, choice) {
        (' ', 0) => "+".to_owned(),
        (' ' | '\t', 0 | 1) | (_, 2) => format!("%{:02X}", u32::from(letter)),
        (' ' | '\t', _) | (_, 3) => format!("%{:02x}", u32::from(letter)),
        _ => letter.to_string(),
    }
}

/// Names and punctuation, each for itself.
fn tokens(text: &str) -> Vec<String> {
    let mut tokens: Vec<String> = Vec::new();
    let mut in_name = false;
    for letter in text.chars() {
        let of_name = !matches!(letter, ',' | '(' | ')');
        match tokens.last_mut() {
            Some(token) if of_name && in_name => token.push(letter),
            _ => tokens.push(letter.to_string()),
        }
        in_name = of_name;
    }
    tokens
}

/// Texts that break the grammar, each in one way, amid fields that do not.
pub fn malformed() -> BoxedStrategy<String> {
    const BROKEN: &[&str] = &[
        "", "a(", "a)", "a()", "a( )", "(", ")", "(a)", "a(,b)", "a(b,)", "a(b", "a(b(c)", "a(b)c",
        "a(b)(c)", "a b", "a[b]", "[a]", "a.b", "a/b", "*", "a(*)", "a%2Cb", "a-b", "\"a\"", "a\nb", "é",
        "a;b", "a+b", "\u{0}", "a:b", "{a}",
    ];
    const AROUND: &[&str] = &["", "x", "x,y", "x(y)", " x ( y , z ) "];
    (select(BROKEN), select(AROUND), select(AROUND))
        .prop_map(|(broken, before, after)| match (before, after) {
            // An empty text is legal by itself, so here it needs a neighbour.
            ("", "") if broken.is_empty() => ",".to_owned(),
            ("", "") => broken.to_owned(),
            ("", after) => format!("{broken},{after}"),
            (before, "") => format!("{before},{broken}"),
            (before, after) => format!("{before},{broken},{after}"),
        })
        .boxed()
}

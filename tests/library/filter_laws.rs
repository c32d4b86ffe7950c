//! The laws of the `filter` language, each on 100,000 generated cases.

use crate::laws;
use crate::naive;
use crate::naive_lists;

use faultdeck::fields::{Shape, strategy as values};
use faultdeck::json::Json;
use faultdeck::lists::ListError;
use faultdeck::lists::filter::{Filter, Is, Member, Operator, Test, Value, strategy};
use laws::holds;
use proptest::collection::vec;
use proptest::prelude::{Strategy, prop_assert, prop_assert_eq};
use proptest::sample::select;
use proptest::strategy::{BoxedStrategy, Just, Union};
use proptest::test_runner::TestCaseError;

const CASES: u32 = 100_000;

/// Flat and nested, through objects and lists, with every scalar.
const SAMPLES: &[&str] = &[
    r#"{"assigned_to":"String","id":42,"rate":42.5,"protected":true,"status":"String <one of: OPEN, CLOSED>"}"#,
    r#"[{"id":42,"owner":{"name":"String","rank":{"id":42}},"categories":["String"],"source_address_ids":[42],
        "interfaces":[{"id":42,"ip_addresses":[{"type":"String","value":"String"}]}]}]"#,
];

fn shapes() -> Vec<Shape> {
    SAMPLES.iter().map(|sample| Shape::of_sample(&Json::parse(sample).expect("a sample"))).collect()
}

fn json(text: &str) -> Json<'_> {
    Json::parse(text).expect("the generators give JSON")
}

fn parsed(text: &str) -> Filter {
    Filter::parse(text).unwrap_or_else(|error| panic!("{text}: {error}")).expect("a text that is not blank")
}

/// A case for each shape at even odds.
fn each_shape<T: std::fmt::Debug + 'static>(case: impl Fn(&Shape) -> BoxedStrategy<T>) -> BoxedStrategy<T> {
    Union::new(shapes().iter().map(|shape| case(shape.element()))).boxed()
}

fn element(shape: &Shape) -> BoxedStrategy<String> {
    Union::new([values::resources(shape), values::partial_resources(shape)]).boxed()
}

type Law = Result<(), TestCaseError>;
type Filtered = (Filter, Filter, String);

fn filtered() -> BoxedStrategy<Filtered> {
    each_shape(|shape| (strategy::filters(shape), strategy::filters(shape), element(shape)).boxed())
}

fn two_independent_implementations_agree((filter, _, text): &Filtered) -> Law {
    let oracle = naive_lists::filter(&filter.to_string());
    prop_assert!(oracle.is_some(), "{}", filter);
    let expected = oracle.is_some_and(|node| naive_lists::accepts(&node, &naive::tree(text)));
    prop_assert_eq!(filter.accepts(&json(text)), expected, "{} of {}", filter, text);
    Ok(())
}

fn what_is_joined_means_what_its_parts_mean((one, two, text): &Filtered) -> Law {
    let element = json(text);
    let (left, right) = (one.accepts(&element), two.accepts(&element));
    let both = Filter::all(vec![one.clone(), two.clone()]).expect("two parts");
    let either = Filter::any(vec![two.clone(), one.clone()]).expect("two parts");
    prop_assert_eq!(both.accepts(&element), left && right);
    prop_assert_eq!(either.accepts(&element), left || right);
    prop_assert_eq!(Filter::Not(Box::new(both)).accepts(&element), !(left && right));
    prop_assert_eq!(
        parsed(&format!("{one} and ({two})")).accepts(&element),
        match one {
            // Without brackets `and` takes the last part only.
            Filter::Any(parts) => {
                let (last, before) = parts.split_last().expect("two parts");
                before.iter().any(|part| part.accepts(&element)) || (last.accepts(&element) && right)
            }
            _ => left && right,
        }
    );
    Ok(())
}

fn a_recording_with_what_the_filter_names_is_as_good_as_the_whole((filter, _, text): &Filtered) -> Law {
    if let Some(selector) = filter.selector() {
        let narrow = selector.project(&json(text));
        prop_assert_eq!(filter.accepts(&json(&narrow)), filter.accepts(&json(text)), "{}", selector);
    }
    Ok(())
}

fn a_filter_is_its_own_text((filter, _, _): &Filtered) -> Law {
    let text = filter.to_string();
    prop_assert_eq!(&parsed(&text), filter);
    prop_assert_eq!(parsed(&text).to_string(), text);
    Ok(())
}

#[test]
fn every_law_of_filters_holds() {
    holds(CASES, filtered(), |case| {
        two_independent_implementations_agree(&case)?;
        what_is_joined_means_what_its_parts_mean(&case)?;
        a_recording_with_what_the_filter_names_is_as_good_as_the_whole(&case)?;
        a_filter_is_its_own_text(&case)
    });
}

#[test]
fn operators_that_are_said_of_each_other_are() {
    let numbers = select(
        &["0", "7", "-1", ".5", "1.00", "1e5", "9007199254740993", "9007199254740992", "1e400", "-1e-400"][..],
    );
    let found =
        select(&["0", "7", "0.5", "1", "100000", "9007199254740993", "1E400", "null", "true", "\"7\""][..]);
    let member = || Member(vec!["a".to_owned()]);
    let test = move |negated, is| Filter::Test(Test { member: member(), negated, is });
    holds(CASES, (numbers.clone(), numbers, found), |(low, high, found)| {
        let text = format!("{{\"a\":{found}}}");
        let element = json(&text);
        let (low, high) = (Value::Number(low.to_owned()), Value::Number(high.to_owned()));
        let is =
            |operator, value: &Value| test(false, Is::Compared(operator, value.clone())).accepts(&element);
        let not = |is: &Is| test(true, is.clone()).accepts(&element);
        prop_assert_eq!(is(Operator::Equal, &low), !is(Operator::Other, &low));
        prop_assert_eq!(is(Operator::AtMost, &low), is(Operator::Less, &low) || is(Operator::Equal, &low));
        prop_assert_eq!(
            is(Operator::AtLeast, &low),
            is(Operator::Greater, &low) || is(Operator::Equal, &low)
        );
        prop_assert!(!(is(Operator::Less, &low) && is(Operator::Greater, &low)));
        let within = Is::In(vec![low.clone(), high.clone()]);
        prop_assert_eq!(!not(&within), is(Operator::Equal, &low) || is(Operator::Equal, &high));
        let between = Is::Between(low.clone(), high.clone());
        prop_assert_eq!(!not(&between), is(Operator::AtLeast, &low) && is(Operator::AtMost, &high));
        if found == "null" {
            let operators =
                [Operator::Equal, Operator::Less, Operator::AtMost, Operator::Greater, Operator::AtLeast];
            prop_assert!(!operators.into_iter().any(|operator| is(operator, &low)));
            prop_assert!(is(Operator::Other, &low) && not(&within) && not(&between));
        }
        Ok(())
    });
}

#[test]
fn any_spelling_parses_to_the_same_filter() {
    let cases = each_shape(|shape| {
        strategy::filters(shape)
            .prop_flat_map(|filter| (Just(filter.clone()), strategy::spellings(&filter)))
            .boxed()
    });
    holds(CASES, cases, |(filter, text)| {
        prop_assert_eq!(&parsed(&text), &filter, "{}", text);
        Ok(())
    });
}

#[test]
fn what_is_malformed_is_refused_with_one_caret_in_the_text() {
    holds(CASES, strategy::malformed(), |text| {
        let Err(error) = Filter::parse(&text) else { panic!("{text} is legal") };
        prop_assert!(text.get(error.span()).is_some(), "{} at {:?}", text, error.span());
        prop_assert!(!error.to_string().is_empty() && naive_lists::filter(&text).is_none(), "{}", text);
        Ok(())
    });
}

#[test]
fn both_parsers_agree_on_any_text() {
    let pieces = select(
        &[
            "a",
            "b1",
            "not",
            "and",
            "or",
            "in",
            "is",
            "null",
            "like",
            "ilike",
            "between",
            "contains",
            "=",
            "!=",
            "<",
            ">=",
            "(",
            ")",
            ",",
            ".",
            "'x'",
            "\"y\\\"\"",
            "7",
            "-1",
            "1e5",
            "x.y",
            "\"",
            "é",
            ";",
        ][..],
    );
    let texts = vec((pieces, select(&["", " ", " ", " "][..])), 0..9)
        .prop_map(|pieces| pieces.iter().map(|(piece, blank)| format!("{piece}{blank}")).collect::<String>());
    let (legal, refused) = (std::cell::Cell::new(0), std::cell::Cell::new(0));
    holds(CASES, texts, |text| {
        let oracle = naive_lists::filter(&text);
        match Filter::parse(&text) {
            Ok(None) => prop_assert!(text.trim().is_empty()),
            Ok(Some(filter)) => {
                legal.set(legal.get() + 1);
                prop_assert!(oracle.is_some(), "{} is {}", text, filter);
                prop_assert_eq!(&parsed(&filter.to_string()), &filter);
                for element in [r#"{"a":7,"b1":[{"a":"x"}]}"#, r#"{"a":[7,"x"],"b1":null}"#, "7"] {
                    let expected =
                        oracle.as_ref().is_some_and(|node| naive_lists::accepts(node, &naive::tree(element)));
                    prop_assert_eq!(filter.accepts(&json(element)), expected, "{} of {}", text, element);
                }
            }
            Err(error) => {
                refused.set(refused.get() + 1);
                prop_assert!(oracle.is_none() && text.get(error.span()).is_some(), "{}: {}", text, error);
            }
        }
        Ok(())
    });
    assert!(legal.get() > 500 && refused.get() > 10_000, "{legal:?} {refused:?}");
}

#[test]
fn a_shape_knows_its_own_filters_and_names_the_first_stranger() {
    let cases = each_shape(|shape| {
        let shape = shape.clone();
        (strategy::filters(&shape)).prop_map(move |filter| (shape.clone(), filter)).boxed()
    });
    holds(CASES, cases, |(shape, filter)| {
        prop_assert_eq!(filter.check(&shape), Ok(()));
        let text = format!("{filter}  and idd = 1 or stat(us) is null");
        let Err(error) = Filter::parse_for(&text, &shape) else { panic!("{text}") };
        prop_assert!(matches!(&error, ListError::Unknown { path, .. } if path == "idd"), "{error:?}");
        prop_assert_eq!(&text[error.span()], "idd");
        prop_assert_eq!(error.span().start, filter.to_string().len() + 6);
        Ok(())
    });
}

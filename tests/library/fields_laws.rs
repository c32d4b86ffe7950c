//! The laws of the `fields` language, each on 100,000 generated cases.

use crate::laws;
use crate::naive;

use faultdeck::fields::{FieldSelector, FieldsError, Shape, strategy};
use faultdeck::json::{Json, Kind};
use laws::holds;
use naive::Tree;
use proptest::collection::vec;
use proptest::prelude::{Strategy, prop_assert, prop_assert_eq, prop_assert_ne};
use proptest::sample::select;
use proptest::strategy::{BoxedStrategy, Union};
use proptest::test_runner::TestCaseError;

const CASES: u32 = 100_000;

/// The create task, and the self-description: flat and nested, with every scalar.
const SAMPLES: &[&str] = &[
    r#"{"assigned_to":["String"],"case_id":42,"id":42,"name":"String",
        "state":"String <one of: COMPLETE, PARTIALLY_COMPLETE, PROCESSING, WAITING>"}"#,
    r#"[{"id":42,"rate":42.5,"deprecated":true,"owner":{"name":"String","rank":{"id":42,"name":"String"}},
        "parameters":[{"name":"String","mime_types":[{"sample":"String","name":"String"}]}]}]"#,
];

fn shapes() -> Vec<Shape> {
    SAMPLES.iter().map(|sample| Shape::of_sample(&Json::parse(sample).expect("a sample"))).collect()
}

fn json(text: &str) -> Json<'_> {
    Json::parse(text).expect("the generators give JSON")
}

/// `Ok(None)` and errors have no place where this is used.
fn parsed(text: &str) -> FieldSelector {
    FieldSelector::parse(text).expect("a legal text").expect("a text that is not blank")
}

/// The oracle's reading of a selector, by way of its text.
fn names(selector: &FieldSelector) -> naive::Names {
    naive::parse(&selector.to_string()).expect("a legal text")
}

/// Values no shape promised: duplicates, scalars for objects, arrays in arrays, white space, odd spellings of names.
fn wild(shape: &Shape) -> BoxedStrategy<String> {
    let mut known: Vec<String> = Vec::new();
    for name in shape.names().into_iter().chain(["name", "extra"]) {
        let first = name.chars().next().map_or(0, u32::from);
        known.push(format!("\"{name}\""));
        known.push(format!(" \"{name}\"\n"));
        known.push(format!("\"\\u{first:04x}{}\"", &name[1..]));
    }
    let leaves = select(
        &["null", "1.00", " 1E5 ", "12345678901234567890123", "\"a\"", "\"\\u0061,\\\"\"", "[ ]", "{\t}"][..],
    );
    let value = leaves.prop_map(str::to_owned).prop_recursive(3, 16, 4, move |inner| {
        let member =
            (select(known.clone()), inner.clone()).prop_map(|(name, value)| format!("{name}:{value}"));
        Union::new([
            vec(member, 1..6).prop_map(|members| format!("{{{}}}", members.join(", "))).boxed(),
            vec(inner, 0..3).prop_map(|elements| format!("[{}]", elements.join(" ,"))).boxed(),
        ])
    });
    value.boxed()
}

fn values(shape: &Shape) -> BoxedStrategy<String> {
    let element = shape.element();
    let list =
        vec(strategy::partial_resources(element), 0..3).prop_map(|list| format!("[{}]", list.join(",")));
    Union::new_weighted(vec![
        (2, strategy::resources(element)),
        (3, strategy::partial_resources(element)),
        (1, list.boxed()),
        (3, wild(element)),
    ])
    .boxed()
}

/// A case for each shape at even odds.
fn each_shape<T: std::fmt::Debug + 'static>(
    strategy: impl Fn(&Shape) -> BoxedStrategy<T>,
) -> BoxedStrategy<T> {
    Union::new(shapes().iter().map(strategy)).boxed()
}

/// What a law of these says; a test below holds several of them on the same cases, which cost more than the laws.
type Law = Result<(), TestCaseError>;
type Selected = (FieldSelector, String);
type SelectedTwice = (FieldSelector, FieldSelector, String);

fn selected() -> BoxedStrategy<Selected> {
    each_shape(|shape| (strategy::selectors(shape), values(shape)).boxed())
}

fn selected_twice() -> BoxedStrategy<SelectedTwice> {
    each_shape(|shape| (strategy::selectors(shape), strategy::selectors(shape), values(shape)).boxed())
}

fn projecting_twice_changes_nothing_more((selector, value): &Selected) -> Law {
    let once = selector.project(&json(value));
    prop_assert_eq!(selector.project(&json(&once)), once);
    Ok(())
}

fn a_projection_is_a_subset_and_kept_values_are_their_own_source_text((selector, value): &Selected) -> Law {
    /// Follows product and source together, so that what is kept whole is compared to the byte.
    fn kept(selector: &FieldSelector, projected: &Json<'_>, source: &Json<'_>) -> bool {
        match (projected.kind(), source.kind()) {
            (Kind::Array(one), Kind::Array(two)) => {
                one.len() == two.len() && one.iter().zip(two).all(|(one, two)| kept(selector, one, two))
            }
            (Kind::Object(members), Kind::Object(_)) => members.iter().all(|(name, value)| {
                let field = selector.fields().iter().find(|field| field.name == *name);
                match (field.map(|field| &field.subfields), source.member(name)) {
                    (Some(None), Some(source)) => value.text() == source.text(),
                    (Some(Some(below)), Some(source)) => kept(below, value, source),
                    _ => false,
                }
            }),
            _ => projected.text() == source.text(),
        }
    }
    let source = json(value);
    let projected = selector.project(&source);
    prop_assert!(kept(selector, &json(&projected), &source));
    prop_assert!(naive::is_part(&naive::tree(&projected), &naive::tree(value)));
    prop_assert!(json(&projected).members().len() <= selector.fields().len());
    Ok(())
}

/// The selector with the names of each level in another order.
fn permuted(selector: &FieldSelector, mut words: u64) -> FieldSelector {
    let mut fields = selector.fields().to_vec();
    for last in (1..fields.len()).rev() {
        fields.swap(last, usize::try_from(words % (last as u64 + 1)).unwrap_or(0));
        words = words / 7 + words % 7 * 1_000_003;
    }
    for field in &mut fields {
        field.subfields = field.subfields.as_ref().map(|below| permuted(below, words));
    }
    FieldSelector::of(fields).expect("as many names as before")
}

fn the_order_of_names_means_nothing((selector, value): &Selected, words: u64) -> Law {
    let other = permuted(selector, words);
    prop_assert!(selector.same(&other));
    prop_assert_eq!(selector.names(), other.names());
    prop_assert_eq!(selector.project(&json(value)), other.project(&json(value)));
    Ok(())
}

fn a_wider_selector_never_yields_less((one, two, value): &SelectedTwice) -> Law {
    let wide = one.union(two);
    prop_assert!(wide.covers(one) && wide.covers(two));
    let (narrow_text, wide_text) = (one.project(&json(value)), wide.project(&json(value)));
    prop_assert!(naive::is_part(&naive::tree(&narrow_text), &naive::tree(&wide_text)));
    prop_assert_eq!(one.project(&json(&wide_text)), narrow_text);
    Ok(())
}

fn a_union_yields_the_merge_of_both((one, two, value): &SelectedTwice) -> Law {
    let value = json(value);
    let both = one.union(two);
    let merged = naive::merge(&naive::tree(&one.project(&value)), &naive::tree(&two.project(&value)));
    prop_assert_eq!(Some(naive::tree(&both.project(&value))), merged);
    prop_assert!(both.same(&two.union(one)));
    prop_assert!(one.union(one) == *one);
    Ok(())
}

#[test]
fn every_law_of_one_selector_holds() {
    holds(CASES, (selected(), proptest::num::u64::ANY), |(selected, words)| {
        projecting_twice_changes_nothing_more(&selected)?;
        a_projection_is_a_subset_and_kept_values_are_their_own_source_text(&selected)?;
        the_order_of_names_means_nothing(&selected, words)
    });
}

#[test]
fn every_law_of_two_selectors_holds() {
    holds(CASES, selected_twice(), |selected| {
        a_wider_selector_never_yields_less(&selected)?;
        a_union_yields_the_merge_of_both(&selected)?;
        covering_is_covering_every_path(&selected)
    });
}

#[test]
fn the_full_selector_yields_the_value() {
    let cases = each_shape(|shape| {
        let (shape, full) = (shape.element(), shape.full().expect("a shape with names"));
        let value = Union::new([strategy::resources(shape), strategy::partial_resources(shape)]);
        value.prop_map(move |value| (full.clone(), value)).boxed()
    });
    holds(CASES, cases, |(full, value)| {
        prop_assert_eq!(full.project(&json(&value)), value);
        Ok(())
    });
}

#[test]
fn two_independent_implementations_agree() {
    holds(CASES, selected(), |(selector, value)| {
        let ours = naive::tree(&selector.project(&json(&value)));
        prop_assert_eq!(ours, naive::project(&names(&selector), &naive::tree(&value)));
        Ok(())
    });
}

fn covering_is_covering_every_path((one, two, value): &SelectedTwice) -> Law {
    let covered = |wide: &FieldSelector, narrow: &FieldSelector| {
        let wide = naive::paths(&names(wide), "");
        naive::paths(&names(narrow), "")
            .iter()
            .all(|path| wide.iter().any(|held| path == held || path.starts_with(&format!("{held}/"))))
    };
    prop_assert_eq!(one.covers(two), covered(one, two));
    prop_assert_eq!(one.same(two), covered(one, two) && covered(two, one));
    if one.covers(two) {
        let value = json(value);
        prop_assert_eq!(two.project(&json(&one.project(&value))), two.project(&value));
    }
    Ok(())
}

#[test]
fn any_spelling_parses_to_the_same_selector() {
    let cases = each_shape(|shape| {
        let spelt = |selector: FieldSelector| {
            let (plain, encoded) = (strategy::spellings(&selector), strategy::encoded_spellings(&selector));
            (proptest::strategy::Just(selector), plain, encoded)
        };
        strategy::selectors(shape).prop_flat_map(spelt).boxed()
    });
    holds(CASES, cases, |(selector, plain, encoded)| {
        prop_assert_eq!(&parsed(&selector.to_string()), &selector);
        prop_assert_eq!(&parsed(&plain), &selector);
        let query = format!("fields={encoded}");
        let decoded: Vec<_> = form_urlencoded::parse(query.as_bytes()).collect();
        prop_assert_eq!(decoded.len(), 1);
        prop_assert_eq!(&parsed(&decoded[0].1), &selector);
        Ok(())
    });
}

#[test]
fn a_broken_text_is_refused_with_a_caret_on_it() {
    holds(CASES, strategy::malformed(), |text| {
        let error = FieldSelector::parse(&text).err();
        prop_assert!(matches!(error, Some(FieldsError::Malformed { .. })), "{error:?}");
        let span = error.map(|error| error.span()).unwrap_or_default();
        prop_assert!(text.get(span.clone()).is_some_and(|marked| marked.chars().count() <= 1), "{span:?}");
        prop_assert!(!span.is_empty() || span.start == text.len());
        Ok(())
    });
}

/// Pieces that, strung together, are sometimes a legal text and always close to one.
fn soup() -> impl Strategy<Value = String> {
    const PIECES: &[&str] = &[
        "a", "b", "cc", "a,", "b,", ",", "(", ")", "a(", "b)", "),", " ", "\t", "a(b)", "a(b,b)", "_9", "é",
        "[", "%", "\n",
    ];
    vec(select(PIECES), 0..9).prop_map(|pieces| pieces.concat())
}

#[test]
fn any_text_is_read_or_refused_as_the_oracle_does() {
    holds(CASES, soup(), |text| {
        let result = FieldSelector::parse(&text);
        if let Err(error) = &result {
            prop_assert!(text.get(error.span()).is_some());
            prop_assert!(!error.to_string().is_empty() && !error.is_unknown());
        }
        match (result, naive::parse(&text)) {
            (Ok(None), _) => prop_assert!(text.trim_matches([' ', '\t']).is_empty()),
            (Ok(Some(selector)), Some(oracle)) => {
                prop_assert_eq!(names(&selector), oracle.clone());
                prop_assert_eq!(naive::first_duplicate(&oracle), None);
            }
            (Err(FieldsError::Duplicate { name, first, again }), Some(oracle)) => {
                prop_assert_eq!(naive::first_duplicate(&oracle), Some(name.clone()));
                prop_assert_eq!((&text[first.clone()], &text[again.clone()]), (name.as_str(), name.as_str()));
                prop_assert!(first.end < again.start);
            }
            (result, oracle) => prop_assert!(
                matches!(result, Err(FieldsError::Malformed { .. })) && oracle.is_none(),
                "{result:?} against {oracle:?}"
            ),
        }
        Ok(())
    });
}

#[test]
fn a_shape_accepts_its_own_selectors_and_names_the_first_stranger() {
    let cases = each_shape(|shape| {
        let shape = shape.clone();
        let rank = proptest::num::u8::ANY;
        (strategy::selectors(&shape), rank, rank).prop_map(move |(s, a, b)| (shape.clone(), s, a, b)).boxed()
    });
    holds(CASES, cases, |(shape, selector, one, two)| {
        prop_assert_eq!(selector.check(&shape), Ok(()));
        let text = selector.to_string();
        // Two names are spoilt; the first of them in the text has to be the one that is named.
        let starts: Vec<_> = (0..text.len())
            .filter(|at| !matches!(text.as_bytes()[*at], b',' | b'(' | b')'))
            .filter(|at| *at == 0 || matches!(text.as_bytes()[*at - 1], b',' | b'('))
            .collect();
        let mut spoilt = [starts[one as usize % starts.len()], starts[two as usize % starts.len()]];
        spoilt.sort_unstable();
        let mut broken = text.clone();
        broken.insert_str(spoilt[1], "q1_");
        broken.insert_str(spoilt[0], "q0_");
        let error = FieldSelector::parse_for(&broken, &shape).err();
        prop_assert_eq!(parsed(&broken).check(&shape).err(), error.clone());
        let Some(FieldsError::Unknown { name, at, .. }) = error else { panic!("{broken}") };
        prop_assert_eq!(at.start, spoilt[0]);
        prop_assert_eq!(&broken[at], name.as_str());
        Ok(())
    });
}

#[test]
fn generated_resources_are_json_of_their_shape_and_reach_the_odd_corners() {
    let seen = std::cell::RefCell::new(std::collections::BTreeSet::new());
    let cases = each_shape(|shape| {
        let shape = shape.clone();
        strategy::resources(shape.element()).prop_map(move |value| (shape.clone(), value)).boxed()
    });
    holds(20_000, cases, |(shape, value)| {
        let mut grown = shape.clone();
        grown.absorb(&json(&value));
        prop_assert_eq!(grown.names(), shape.names());
        prop_assert_eq!(json(&value).members().len(), shape.names().len());
        for corner in ["9007199254740993", "1.00", "1E5", "null", "[]", "\"\"", "\\\"", "é", "\\ud83d"] {
            if value.contains(corner) {
                seen.borrow_mut().insert(corner);
            }
        }
        prop_assert_ne!(naive::tree(&value), Tree::Plain(String::new()));
        Ok(())
    });
    assert_eq!(seen.borrow().len(), 9, "{seen:?}");
}

//! The laws of the `sort` language and of windows, each on 100,000 generated cases.

use crate::laws;
use crate::naive;
use crate::naive_lists;

use faultdeck::fields::{Shape, strategy as values};
use faultdeck::json::Json;
use faultdeck::lists::sort::strategy;
use faultdeck::lists::{Asked, Filter, Sort, Window, window_of_answer};
use laws::holds;
use naive::Tree;
use proptest::collection::vec;
use proptest::prelude::{Strategy, prop_assert, prop_assert_eq};
use proptest::strategy::{BoxedStrategy, Just};

const CASES: u32 = 100_000;

const SAMPLE: &str =
    r#"[{"id":42,"rate":42.5,"protected":true,"name":"String","owner":{"name":"String","rank":{"id":42}}}]"#;

fn shape() -> Shape {
    Shape::of_sample(&Json::parse(SAMPLE).expect("a sample")).element().clone()
}

fn lists() -> BoxedStrategy<String> {
    vec(values::partial_resources(&shape()), 0..8).prop_map(|list| format!("[{}]", list.join(","))).boxed()
}

fn trees(list: &str) -> Vec<Tree> {
    match naive::tree(list) {
        Tree::List(list) => list,
        other => panic!("{other:?}"),
    }
}

#[test]
fn every_law_of_orders_holds() {
    holds(CASES, (strategy::sorts(&shape()), lists()), |(sort, list)| {
        let value = Json::parse(&list).expect("a list");
        let asked = Asked { sort: Some(&sort), ..Asked::default() };
        let sorted = asked.of(value.elements()).body;
        // Two independent implementations agree, equal elements included.
        let keys: Vec<_> = sort.0.iter().map(|key| (key.path.clone(), key.descending)).collect();
        let elements = trees(&list);
        let expected: Vec<Tree> = naive_lists::sorted(&keys, &elements).into_iter().cloned().collect();
        prop_assert_eq!(trees(&sorted), expected);
        // Nothing is lost, and sorting once more changes nothing.
        prop_assert_eq!(sorted.len(), list.len());
        let again = Json::parse(&sorted).expect("a list");
        prop_assert_eq!(asked.of(again.elements()).body, sorted.clone());
        // A recording with what the keys name is as good as the whole.
        let selector = sort.selector().expect("a key");
        let narrow = selector.project(&value);
        let narrow = Json::parse(&narrow).expect("a list");
        let (narrow, whole) = (asked.of(narrow.elements()).body, selector.project(&again));
        prop_assert_eq!(narrow, whole);
        Ok(())
    });
}

#[test]
fn any_spelling_parses_to_the_same_sort() {
    let cases = strategy::any_sorts().prop_flat_map(|sort| (Just(sort.clone()), strategy::spellings(&sort)));
    holds(CASES, cases, |(sort, text)| {
        prop_assert_eq!(Sort::parse(&sort.to_string()), Ok(Some(sort.clone())));
        prop_assert_eq!(Sort::parse(&text), Ok(Some(sort)), "{}", text);
        Ok(())
    });
}

#[test]
fn what_is_malformed_is_refused_with_one_caret_in_the_text() {
    holds(CASES, strategy::malformed(), |text| {
        let Err(error) = Sort::parse(&text) else { panic!("{text} is legal") };
        prop_assert!(text.get(error.span()).is_some() && !error.to_string().is_empty(), "{}", text);
        Ok(())
    });
}

#[test]
fn windows_side_by_side_are_the_whole_list() {
    let filter = Filter::parse("id > 1 or name is null").expect("legal").expect("not blank");
    holds(CASES, (lists(), 1..5_u64, strategy::sorts(&shape())), |(list, width, sort)| {
        let value = Json::parse(&list).expect("a list");
        let whole = Asked { filter: Some(&filter), sort: Some(&sort), ..Asked::default() };
        let all = trees(&whole.of(value.elements()).body);
        let mut found = Vec::new();
        for first in (0..).step_by(usize::try_from(width).expect("small")) {
            let window = Window { first, last: first + width - 1 };
            let page = Asked { window: Some(window), ..whole.clone() }.of(value.elements());
            let shown = page.content_range.expect("a range was asked for");
            let elements = trees(&page.body);
            match window_of_answer(&shown) {
                None => {
                    prop_assert_eq!(shown, format!("items */{}", all.len()));
                    prop_assert!(elements.is_empty() && first as usize >= all.len());
                    break;
                }
                Some((shown, total)) => {
                    prop_assert_eq!((shown.first, total), (first, all.len() as u64));
                    prop_assert_eq!(shown.last - shown.first + 1, elements.len() as u64);
                }
            }
            found.extend(elements);
        }
        prop_assert_eq!(found, all);
        Ok(())
    });
}

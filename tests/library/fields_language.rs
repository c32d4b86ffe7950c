//! The `fields` language by example: what is kept, what is refused, and what the refusal says.

use faultdeck::fields::{DEPTH_MAX, FieldSelector, FieldsError, LENGTH_MAX, NAMES_MAX, Scalar, Shape};
use faultdeck::json::Json;

fn selector(text: &str) -> FieldSelector {
    FieldSelector::parse(text).expect("a legal text").expect("a text that is not blank")
}

fn project(fields: &str, value: &str) -> String {
    selector(fields).project(&Json::parse(value).expect("JSON"))
}

fn shape(sample: &str) -> Shape {
    Shape::of_sample(&Json::parse(sample).expect("JSON"))
}

fn task() -> Shape {
    shape(
        r#"{"assigned_to":["String"],"case_id":42,"id":42,"name":"String",
            "state":"String <one of: COMPLETE, PARTIALLY_COMPLETE, PROCESSING, WAITING>"}"#,
    )
}

fn refusal(text: &str) -> (String, std::ops::Range<usize>) {
    let error = FieldSelector::parse_for(text, &task()).expect_err("a text that is refused");
    (error.to_string(), error.span())
}

#[test]
fn named_members_are_kept_exactly_and_in_the_order_of_the_value() {
    let value =
        r#"{ "n" : 1.00, "big":12345678901234567890123, "e":1E5, "none":null, "l":[ 1, 2 ], "s":"\u0061" }"#;
    assert_eq!(
        project("s,l,none,e,big,n", value),
        r#"{"n":1.00,"big":12345678901234567890123,"e":1E5,"none":null,"l":[ 1, 2 ],"s":"\u0061"}"#
    );
    assert_eq!(project("e,absent", value), r#"{"e":1E5}"#);
    assert_eq!(project("absent", value), "{}");
}

#[test]
fn the_first_of_duplicate_members_is_projected() {
    assert_eq!(project("a", r#"{"a":1,"b":2,"a":3}"#), r#"{"a":1}"#);
    assert_eq!(project("a(b)", r#"{"a":{"b":1,"b":2},"a":{"b":3}}"#), r#"{"a":{"b":1}}"#);
    assert_eq!(
        project("a(b)", r#"[{"a":{"b":1}},{"\u0061":{"b":2},"a":3}]"#),
        r#"[{"a":{"b":1}},{"a":{"b":2}}]"#
    );
}

#[test]
fn subfields_apply_to_an_object_and_to_each_element_and_leave_null_alone() {
    assert_eq!(project("a(b)", r#"{"a":{"b":1,"c":2}}"#), r#"{"a":{"b":1}}"#);
    assert_eq!(project("a(b)", r#"{"a":[{"b":1,"c":2},{"c":3},null]}"#), r#"{"a":[{"b":1},{},null]}"#);
    assert_eq!(project("a(b)", r#"{"a":null}"#), r#"{"a":null}"#);
    assert_eq!(project("a(b)", r#"{"a":[]}"#), r#"{"a":[]}"#);
    assert_eq!(project("a(b)", r#"{"a":"text"}"#), r#"{"a":"text"}"#);
    assert_eq!(project("a", r#"{"a":{"b":1,"c":2}}"#), r#"{"a":{"b":1,"c":2}}"#);
}

#[test]
fn a_list_of_resources_is_projected_element_by_element() {
    assert_eq!(project("id", r#"[ {"id":1,"x":2} , {"id":3} ]"#), r#"[{"id":1},{"id":3}]"#);
    assert_eq!(project("id", "[]"), "[]");
    assert_eq!(project("id", "null"), "null");
}

#[test]
fn blank_text_is_the_whole_resource() {
    for text in ["", " ", "\t  "] {
        assert_eq!(FieldSelector::parse(text), Ok(None));
    }
}

#[test]
fn a_selector_is_written_without_blanks() {
    let written = selector(" id , rules ( id ,type(\tname ) )  ");
    assert_eq!(written.to_string(), "id,rules(id,type(name))");
    assert_eq!(written.names(), 5);
    assert!(written.selects("rules") && !written.selects("type"));
}

#[test]
fn every_refusal_names_the_fix_and_the_place() {
    let cases = [
        ("id,rules[id]", "QRadar writes subfields in round brackets: write `a(b)`", 8..9),
        ("a.b", "QRadar has no paths in `fields`: write `a(b)`", 1..2),
        ("*", "QRadar has no wildcards in `fields`; leave it out to get every field", 0..1),
        ("id%2Cname", "the value is percent-encoded twice; encode it once", 2..3),
        ("a(b(c)", "this bracket is never closed; add `)` after its last subfield", 1..2),
        ("a)", "this bracket closes nothing; remove it", 1..2),
        ("a()", "a field name is missing here; remove the empty item or name a field", 2..3),
        ("a,", "a field name is missing here; remove the empty item or name a field", 2..2),
        ("(a)", "subfields need the name of their field before the bracket: write `a(b)`", 0..1),
        ("a(b)(c)", "subfields are given once: write `a(b,c)` in place of `a(b)(c)`", 4..5),
        ("id name", "a comma is missing before this name", 3..4),
        (
            "id\u{e9}",
            "`é` has no place in `fields`; names are letters, digits and `_`, joined by commas",
            2..4,
        ),
        ("id,nope,id", "field `id` is named twice at one level; name it once", 8..10),
        ("id,status", "no field `status` here; did you mean `state`?", 3..9),
        ("id, nope", "no field `nope` here; remove it", 4..8),
        ("assigned_to(name)", "no field `assigned_to(name)` here; remove it", 12..16),
    ];
    for (text, message, place) in cases {
        assert_eq!(refusal(text), (message.to_owned(), place), "{text}");
    }
}

#[test]
fn a_malformed_text_outranks_a_duplicate_and_a_duplicate_outranks_an_unknown_name() {
    let kind = |text: &str| FieldSelector::parse_for(text, &task()).expect_err("a text that is refused");
    assert!(matches!(kind("id,id,nope,"), FieldsError::Malformed { .. }));
    assert!(matches!(kind("nope,id,id"), FieldsError::Duplicate { name, .. } if name == "id"));
    assert!(matches!(kind("nope,x(y(z,z)),nope"), FieldsError::Duplicate { name, .. } if name == "z"));
    assert!(
        matches!(kind("id(x),nope"), FieldsError::Unknown { name, path, .. } if name == "x" && path == "id(x)")
    );
    assert!(FieldSelector::parse("a(b),c(b)").is_ok());
}

#[test]
fn bounds_are_held_exactly() {
    let nested = |depth: usize| vec!["a"; depth].join("(") + &")".repeat(depth - 1);
    assert!(FieldSelector::parse(&nested(DEPTH_MAX)).is_ok());
    let named = |count: usize| (0..count).map(|n| format!("f{n}")).collect::<Vec<_>>().join(",");
    assert_eq!(selector(&named(NAMES_MAX)).names(), NAMES_MAX);
    let long = "a".repeat(LENGTH_MAX);
    assert_eq!(selector(&long).to_string(), long);
    for (text, place) in [
        (nested(DEPTH_MAX + 1), 63..64),
        (named(NAMES_MAX + 1), 4_890..4_895),
        (long + " ", LENGTH_MAX..LENGTH_MAX + 1),
        ("(".repeat(1_000_000), LENGTH_MAX..1_000_000),
    ] {
        let error = FieldSelector::parse(&text).expect_err("a text past a bound");
        assert!(matches!(error, FieldsError::TooLarge { .. }), "{error:?}");
        assert_eq!(error.span(), place);
    }
}

#[test]
fn a_sample_gives_names_types_and_choices() {
    let shape = task();
    assert_eq!(shape.names(), ["assigned_to", "case_id", "id", "name", "state"]);
    let Shape::Object(members) = &shape else { unreachable!("the sample is an object") };
    assert_eq!(members[0].1, Shape::List(Box::new(Shape::Scalar(Scalar::String))));
    assert_eq!(members[1].1, Shape::Scalar(Scalar::Integer));
    let choices = ["COMPLETE", "PARTIALLY_COMPLETE", "PROCESSING", "WAITING"].map(str::to_owned).to_vec();
    assert_eq!(members[4].1, Shape::Scalar(Scalar::OneOf(choices)));
    assert_eq!(
        shape.full().map(|full| full.to_string()).as_deref(),
        Some("assigned_to,case_id,id,name,state")
    );
}

#[test]
fn a_shape_learns_members_from_real_values() {
    let mut known = shape(r#"[{"id":42,"host":"String","tags":[]}]"#);
    for value in [
        r#"[{"id":1,"host":{"name":"h"},"progress":30}]"#,
        r#"{"tags":[{"key":"k"},{"value":1.5}],"id":"text","host":null}"#,
    ] {
        known.absorb(&Json::parse(value).expect("JSON"));
    }
    assert_eq!(
        known.full().map(|full| full.to_string()).as_deref(),
        Some("id,host(name),tags(key,value),progress")
    );
    assert!(selector("tags(value),progress").check(&known).is_ok());
}

#[test]
fn a_dialect_renames_the_top_level_only() {
    let shape = shape(r#"[{"name":"String","owner":{"name":"String"},"state":true}]"#);
    let prose = shape.renamed(&[("name", "state"), ("state", "name")]);
    assert_eq!(prose.full().map(|full| full.to_string()).as_deref(), Some("state,owner(name),name"));
    assert!(matches!(prose, Shape::List(_)));
}

#[test]
fn hostile_sizes_stay_linear() {
    let names: Vec<_> = (0..NAMES_MAX).map(|n| format!("k{n}")).collect();
    let wide = selector(&names.join(","));
    let members: Vec<_> = (0..200_000).map(|n| format!("\"k{n}\":{n}")).collect();
    let value = format!("[{{{}}},{}{{}}]", members.join(","), "{\"k1\":1},".repeat(100_000));
    let projected = wide.project(&Json::parse(&value).expect("JSON"));
    assert!(projected.starts_with("[{\"k0\":0,") && projected.ends_with(",{\"k1\":1},{}]"));
}

#[test]
fn width_and_depth_are_those_of_the_widest_and_the_deepest_level() {
    let of = |text: &str| {
        let selector = FieldSelector::parse(text).unwrap().unwrap();
        (selector.widest(), selector.deepest())
    };
    assert_eq!([of("a"), of("a,b(c,d,e(f))"), of("a(b(c))")], [(1, 1), (3, 3), (1, 3)]);
}

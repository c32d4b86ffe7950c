//! The JSON view loses nothing: numbers, duplicates and order are kept, and edits touch only what they name.

use crate::laws;

use faultdeck::json::{DEPTH_MAX, Json, JsonError, Kind, quote, remove_member, rename_members, replace};
use laws::holds;
use proptest::collection::vec;
use proptest::prelude::{Strategy, any, prop_assert, prop_assert_eq};
use proptest::sample::select;
use serde_json::Value;

fn json(text: &str) -> Json<'_> {
    Json::parse(text).expect("the test gives JSON")
}

/// Pieces that, strung together, are sometimes JSON and always close to it.
fn soup() -> impl Strategy<Value = String> {
    const PIECES: &[&str] = &[
        "{",
        "}",
        "[",
        "]",
        ",",
        ":",
        "\"",
        "\\",
        "\"a\"",
        "\"a\":",
        "\"b\":",
        "\"\\u00e9\"",
        "\"\\ud83d\\ude00\"",
        "\"\\ud800\"",
        "\"é😀\"",
        "\"$serde_json::private::RawValue\":",
        "\"$serde_json::private::Number\":",
        " ",
        "\n",
        "\t",
        "0",
        "-0",
        "1.00",
        "1E5",
        "12345678901234567890123",
        "01",
        "1.",
        "-",
        "+1",
        "null",
        "true",
        "false",
        "nul",
        "\u{0}",
        "\u{feff}",
        "{}",
        "[]",
        "{\"a\":1}",
        "[1,",
        "{\"a\":",
        "2]",
        "3}",
        "\"\"",
    ];
    vec(select(PIECES), 1..14).prop_map(|pieces| pieces.concat())
}

/// Valid JSON, loosely spaced, with duplicates and odd numbers.
fn texts() -> impl Strategy<Value = String> {
    const LEAVES: &[&str] = &[
        "null",
        "true",
        "false",
        "0",
        "-0.0",
        "1",
        "1.00",
        "1E0",
        "1E5",
        "100000",
        "12345678901234567890123",
        "\"\"",
        "\"a\"",
        "\"\\u0061\"",
        "\"{,\\\"\"",
        "\"é\"",
        "[]",
        "{}",
        "[ ]",
        "{\t}",
    ];
    const NAMES: &[&str] = &["\"a\"", "\"b\"", "\"\\u0061\"", "\"c d\"", "\"\"", "\"a~/b\""];
    let blank = || select(&["", "", " ", "\n  ", "\t"][..]);
    select(LEAVES).prop_map(str::to_owned).prop_recursive(3, 24, 4, move |inner| {
        let element = (blank(), inner.clone(), blank()).prop_map(|(a, value, b)| format!("{a}{value}{b}"));
        let member = (blank(), select(NAMES), blank(), blank(), inner, blank())
            .prop_map(|(a, name, b, c, value, d)| format!("{a}{name}{b}:{c}{value}{d}"));
        proptest::prop_oneof![
            vec(element, 1..4).prop_map(|elements| format!("[{}]", elements.join(","))),
            vec(member, 1..5).prop_map(|members| format!("{{{}}}", members.join(","))),
        ]
    })
}

#[test]
fn every_value_knows_its_own_source_text() {
    let text =
        " {\"n\" : 1.00, \"big\":12345678901234567890123,\"e\":1E5, \"l\" : [ 1 , -0 ], \"s\":\"\\u0061\"} ";
    let whole = json(text);
    assert_eq!(whole.text(), text.trim());
    let texts: Vec<_> = whole.members().iter().map(|(name, value)| (name.as_ref(), value.text())).collect();
    let kept = [
        ("n", "1.00"),
        ("big", "12345678901234567890123"),
        ("e", "1E5"),
        ("l", "[ 1 , -0 ]"),
        ("s", "\"\\u0061\""),
    ];
    assert_eq!(texts, kept);
    assert_eq!(whole.member("s").and_then(Json::as_str), Some("a"));
    assert_eq!(
        whole.compact(),
        "{\"n\":1.00,\"big\":12345678901234567890123,\"e\":1E5,\"l\":[1,-0],\"s\":\"\\u0061\"}"
    );
}

#[test]
fn duplicate_members_are_kept_in_order_found_and_read_first() {
    let whole = json(r#"{"a":1,"b":[{"x/y":1,"x/y":2,"x/y":3}],"a":2}"#);
    assert_eq!(whole.members().len(), 3);
    assert_eq!(whole.member("a").map(Json::text), Some("1"));
    assert_eq!(whole.duplicates(), ["/b/0/x~1y", "/a"]);
    assert_eq!(whole.pointer("/b/0/x~1y").map(Json::text), Some("1"));
    assert!(json("{\"a\":{\"b\":1},\"b\":2}").duplicates().is_empty());
}

#[test]
fn a_pointer_leads_through_objects_and_arrays_or_nowhere() {
    let whole = json(r#"{"":{"~1":[10,{"a":null}]},"0":5}"#);
    assert_eq!(whole.pointer("").map(Json::text), Some(whole.text()));
    assert_eq!(whole.pointer("//~01/1/a").map(Json::text), Some("null"));
    assert_eq!(whole.pointer("/0").map(Json::text), Some("5"));
    for nowhere in [
        "0",
        "/1",
        "//~01/2",
        "//~01/01",
        "//~01/-",
        "//~01/+1",
        "//~01/",
        "/0/x",
        "//~01/99999999999999999999",
    ] {
        assert!(whole.pointer(nowhere).is_none(), "{nowhere}");
    }
}

#[test]
fn members_with_serde_jsons_private_names_are_ordinary() {
    for name in ["$serde_json::private::RawValue", "$serde_json::private::Number"] {
        let text = format!("{{\"{name}\":\"[1]\"}}");
        assert_eq!(json(&text).member(name).and_then(Json::as_str), Some("[1]"));
        assert_eq!(json(&text).compact(), text);
        assert_eq!(rename_members(&text, &[(name, "a")]), "{\"a\":\"[1]\"}");
    }
}

#[test]
fn errors_say_where() {
    let at = |text: &str| Json::parse(text).err().map(|error| error.to_string());
    assert_eq!(at("{\"a\":\n 1,}").as_deref(), Some("key must be a string at line 2 column 4"));
    assert_eq!(at("[1] x").as_deref(), Some("trailing characters at line 1 column 5"));
    assert_eq!(at("").as_deref(), Some("EOF while parsing a value at line 1 column 0"));
    let half = at("[\n  \"ab\\ud800\"]").unwrap_or_default();
    assert!(half.ends_with("at line 2 column 12"), "{half}");
    assert_eq!(Json::parse_bytes(b"\"\xff\"").err(), Some(JsonError::NotUtf8));
}

#[test]
fn depth_has_a_limit_and_an_error_of_its_own() {
    let nested = |depth: usize| "[".repeat(depth) + &"]".repeat(depth);
    assert!(Json::parse(&nested(DEPTH_MAX)).is_ok());
    assert_eq!(Json::parse(&nested(DEPTH_MAX + 1)).err(), Some(JsonError::TooDeep));
    assert_eq!(Json::parse(&nested(1_000_000)).err(), Some(JsonError::TooDeep));
    let objects = "{\"a\":".repeat(100_000) + "1" + &"}".repeat(100_000);
    assert_eq!(Json::parse(&objects).err(), Some(JsonError::TooDeep));
    assert!(matches!(Json::parse(&"[".repeat(1_000_000)), Err(JsonError::Syntax { .. })));
}

#[test]
fn numbers_are_the_same_by_exact_decimal_value() {
    let same = |one: &str, two: &str| json(one).same(&json(two));
    for (one, two) in [
        ("1.00", "1"),
        ("1E0", "1"),
        ("1e5", "100000"),
        ("0.001", "1e-3"),
        ("-0.0", "0"),
        ("0e9", "0.000e-7"),
        ("12345678901234567890123.0", "12345678901234567890123"),
        ("10e999999999", "1e1000000000"),
        ("1e-99999999999999999999999999999999999999999", "0.1e-99999999999999999999999999999999999999998"),
        ("10e99999999999999999999999999999999999999999", "1e100000000000000000000000000000000000000000"),
        ("1e+0005", "1e5"),
    ] {
        assert!(same(one, two) && same(two, one), "{one} is {two}");
    }
    for (one, two) in [
        ("9007199254740993", "9007199254740992"),
        ("1", "-1"),
        ("1", "10"),
        ("0.1", "0.10000000000000000000000001"),
        ("1e999999999", "1e999999998"),
        ("1e999999999999999999999999999999999999999999", "1"),
        ("1", "\"1\""),
        ("1e-999999999999999999999999999999999999999999", "1e999999999999999999999999999999999999999999"),
        ("0", "null"),
    ] {
        assert!(!same(one, two) && !same(two, one), "{one} is not {two}");
    }
}

#[test]
fn numbers_that_are_integers_are_read_exactly() {
    let read = |text: &str| json(text).as_i128();
    assert_eq!(read("12345678901234567890123"), Some(12_345_678_901_234_567_890_123));
    assert_eq!(
        (read("1.00"), read("1E5"), read("-0"), read("12.5e1")),
        (Some(1), Some(100_000), Some(0), Some(125))
    );
    assert_eq!(read(&i128::MAX.to_string()), Some(i128::MAX));
    assert_eq!(read(&i128::MIN.to_string()), Some(i128::MIN));
    for none in [
        "170141183460469231731687303715884105728",
        "1.5",
        "1e-1",
        "1e999999999",
        "1e-999999999999999999999",
        "\"1\"",
    ] {
        assert_eq!(read(none), None, "{none}");
    }
}

#[test]
fn objects_are_the_same_in_any_order_by_the_first_of_duplicates() {
    assert!(json(r#"{"a":1,"b":[{"c":"\u0061"}],"a":9}"#).same(&json(r#"{"b":[{"c":"a"}],"a":1.0}"#)));
    assert!(!json(r#"{"a":1,"a":2}"#).same(&json(r#"{"a":2,"a":1}"#)));
    assert!(!json(r#"{"a":null}"#).same(&json("{}")));
    assert!(!json("[1,2]").same(&json("[2,1]")));
}

#[test]
fn replace_touches_only_what_the_pointers_name() {
    let text = "{ \"a\" : 1.00 ,\n\"b\":[ true , {\"c\":\"x\"} ], \"a\" : 2 }";
    assert_eq!(
        replace(text, &[("/b/1/c", "null"), ("/a", "7"), ("/nowhere", "0")]),
        "{ \"a\" : 7 ,\n\"b\":[ true , {\"c\":null} ], \"a\" : 2 }"
    );
    assert_eq!(
        replace(text, &[("/b/0", "1"), ("/b", "[]"), ("/b", "2")]),
        "{ \"a\" : 1.00 ,\n\"b\":[], \"a\" : 2 }"
    );
    assert_eq!(replace(" 5 ", &[("", "6")]), " 6 ");
    assert_eq!(replace("not json", &[("", "6")]), "not json");
}

#[test]
fn removing_a_member_takes_its_comma_and_nothing_else() {
    let cases = [
        ("{ \"a\" : 1 , \"b\" : 2 }", "{ \"b\" : 2 }"),
        ("{ \"b\" : 2 , \"a\" : 1 }", "{ \"b\" : 2 }"),
        ("{ \"a\" : 1 }", "{  }"),
        ("{\"a\":1,\"\\u0061\":2,\"b\":3,\"a\":4,\"a\":5,\"c\":6}", "{\"b\":3,\"c\":6}"),
        ("[{\"a\":1},2,{\"b\":{\"a\":1},\"a\":{}}]", "[{},2,{\"b\":{\"a\":1}}]"),
        ("{\"b\":1}", "{\"b\":1}"),
        ("\"a\"", "\"a\""),
        ("{\"a\":1", "{\"a\":1"),
    ];
    for (text, expected) in cases {
        assert_eq!(remove_member(text, "a"), expected);
    }
}

#[test]
fn renaming_members_can_swap_two_names() {
    let text = "[ {\"a\" : \"a\", \"b\":{\"a\":1}, \"\\u0061\" :2} ]";
    assert_eq!(
        rename_members(text, &[("a", "b"), ("b", "a\"")]),
        "[ {\"b\" : \"a\", \"a\\\"\":{\"a\":1}, \"b\" :2} ]"
    );
}

#[test]
fn quoting_and_reading_a_string_gives_it_back() {
    holds(10_000, any::<String>(), |text| {
        let literal = quote(&text);
        let back = json(&literal);
        prop_assert_eq!(back.as_str(), Some(text.as_str()));
        Ok(())
    });
}

#[test]
fn no_text_panics_and_serde_json_agrees_on_what_is_json() {
    holds(100_000, soup(), |text| {
        let ours = Json::parse(&text);
        // `Value` is fooled by its own private names and has no place for huge numbers; both are left out.
        let theirs = serde_json::from_str::<Value>(&text);
        let range = theirs.as_ref().is_err_and(|error| error.to_string().starts_with("number out of range"));
        if !text.contains("private") && !range {
            prop_assert_eq!(ours.is_ok(), theirs.is_ok());
        }
        if let Ok(whole) = ours {
            let compact = whole.compact();
            prop_assert!(whole.same(&json(&compact)));
            whole.duplicates();
        }
        remove_member(&text, "a");
        rename_members(&text, &[("a", "b")]);
        replace(&text, &[("/a", "1"), ("/0", "2")]);
        Ok(())
    });
    holds(50_000, vec(any::<u8>(), 0..40), |bytes| {
        prop_assert_eq!(Json::parse_bytes(&bytes).is_ok(), serde_json::from_slice::<Value>(&bytes).is_ok());
        Ok(())
    });
}

#[test]
fn the_view_holds_the_same_as_serde_json_where_that_loses_nothing() {
    fn agrees(ours: &Json<'_>, theirs: &Value) -> bool {
        match (ours.kind(), theirs) {
            (Kind::Null, Value::Null) | (Kind::Number, Value::Number(_)) => true,
            (Kind::Bool(one), Value::Bool(two)) => one == two,
            (Kind::String(one), Value::String(two)) => one == two,
            (Kind::Array(one), Value::Array(two)) => {
                one.len() == two.len() && one.iter().zip(two).all(|(one, two)| agrees(one, two))
            }
            (Kind::Object(one), Value::Object(two)) => two.keys().all(|name| {
                // serde_json keeps the last of duplicates.
                let last = one.iter().rev().find(|(known, _)| known == name);
                last.is_some_and(|(_, value)| agrees(value, &two[name]))
            }),
            _ => false,
        }
    }
    holds(50_000, texts(), |text| {
        let whole = json(&text);
        prop_assert!(agrees(&whole, &serde_json::from_str(&text).unwrap()));
        prop_assert!(whole.same(&whole));
        let compact = whole.compact();
        prop_assert!(json(&compact).same(&whole));
        prop_assert_eq!(json(&compact).compact(), compact.as_str());
        Ok(())
    });
}

#[test]
fn sameness_of_numbers_agrees_with_plain_integer_arithmetic() {
    let number = || (-2000_i128..2000, 0..4_u32, -3..4_i32, any::<bool>());
    let text = |(digits, point, exponent, plus): (i128, u32, i32, bool)| {
        let (whole, part) = (digits.abs() / 10_i128.pow(point), digits.abs() % 10_i128.pow(point));
        let sign = if digits < 0 { "-" } else { "" };
        let fraction =
            if point > 0 { format!(".{part:0width$}", width = point as usize) } else { String::new() };
        let plus = if plus && exponent >= 0 { "+" } else { "" };
        format!("{sign}{whole}{fraction}E{plus}{exponent}")
    };
    let scaled = |(digits, point, exponent, _): (i128, u32, i32, bool)| {
        digits * 10_i128.pow(u32::try_from(10 + exponent).unwrap() - point)
    };
    holds(100_000, (number(), number()), |(one, two)| {
        let (one_text, two_text) = (text(one), text(two));
        prop_assert_eq!(json(&one_text).same(&json(&two_text)), scaled(one) == scaled(two));
        let whole = (scaled(one) % 10_i128.pow(10) == 0).then(|| scaled(one) / 10_i128.pow(10));
        prop_assert_eq!(json(&one_text).as_i128(), whole);
        Ok(())
    });
}

#[test]
fn edits_leave_valid_json_with_only_the_named_part_changed() {
    holds(50_000, texts(), |text| {
        let whole = json(&text);
        let removed = remove_member(&text, "a");
        let left = json(&removed);
        for object in std::iter::once(&left).chain(left.elements()) {
            prop_assert!(object.member("a").is_none());
        }
        if whole.member("a").is_none() && whole.elements().iter().all(|element| element.member("a").is_none())
        {
            prop_assert_eq!(&removed, &text);
        }
        let kept = |json: &Json<'_>| -> Vec<String> {
            json.members()
                .iter()
                .filter(|(name, _)| name != "a")
                .map(|(name, value)| format!("{name}={}", value.text()))
                .collect()
        };
        prop_assert_eq!(kept(&whole), kept(&left));
        let renamed = rename_members(&text, &[("a", "zz"), ("b", "yy")]);
        prop_assert_eq!(json(&renamed).members().len(), whole.members().len());
        prop_assert!(json(&rename_members(&renamed, &[("zz", "a"), ("yy", "b")])).same(&whole));
        if let Some(old) = whole.pointer("/a") {
            let replaced = replace(&text, &[("/a", "[9]")]);
            prop_assert!(json(&replaced).pointer("/a").is_some_and(|value| value.text() == "[9]"));
            prop_assert_eq!(replaced.len() + old.text().len(), text.len() + 3);
        }
        Ok(())
    });
}

#[test]
fn hostile_sizes_stay_linear() {
    let many: String = (0..200_000).map(|n| format!("\"k{n}\":{n},")).collect();
    let text = format!("{{{many}\"a\":{{{many}\"a\":1}},\"a\":2}}");
    let whole = json(&text);
    assert!(whole.same(&whole));
    assert_eq!(whole.duplicates(), ["/a"]);
    assert!(remove_member(&text, "a").ends_with("\"k199999\":199999}"));
    let digits = "9".repeat(1_000_000);
    assert!(json(&format!("{digits}e{digits}")).same(&json(&format!("{digits}.0e{digits}"))));
    let escapes = format!("[{}1]", "\"\\n\",".repeat(200_000));
    assert_eq!(json(&escapes).elements().len(), 200_001);
}

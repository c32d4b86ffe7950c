//! The `filter` and `sort` languages on real texts: those of the published pages, and those that published clients send.

use faultdeck::fields::Shape;
use faultdeck::json::Json;
use faultdeck::lists::filter::{DEPTH_MAX, LENGTH_MAX, PATTERN_MAX, TESTS_MAX};
use faultdeck::lists::{Filter, ListError, Sort};

const OFFENSES: &str = r#"[
{"id":1,"status":"OPEN","magnitude":3,"start_time":1500000000001,"assigned_to":null,"protected":false,
 "categories":["Device Information","SSH Login"],"source_address_ids":[1,7],"offense_source":"10.0.0.1",
 "log_sources":[{"id":5,"name":"Asa"}],"duration":{"days":20}},
{"id":2,"status":"CLOSED","magnitude":9,"start_time":1400000000000,"assigned_to":"admin","protected":true,
 "categories":[],"source_address_ids":[9],"offense_source":"host","log_sources":[],"duration":{"days":1}},
{"id":9007199254740993,"status":"OPEN","magnitude":5,"start_time":1500000000000,"assigned_to":"root","protected":true,
 "categories":["X"],"source_address_ids":[],"offense_source":"10.%","log_sources":[{"id":6,"name":"asa 2"}],
 "duration":{"days":30}}]"#;

const ASSETS: &str = r#"[
{"id":1,"hostnames":[{"name":"Server.domain1"}],
 "interfaces":[{"id":1,"ip_addresses":[{"type":"IPV4","value":"192.0.2.1"}]},{"id":2,"ip_addresses":[]}]},
{"id":2,"hostnames":[{"name":"server.domain"}],
 "interfaces":[{"id":3,"ip_addresses":[{"type":"IPV4","value":"192.0.2.2"},{"type":"IPV6","value":"::1"}]}]}]"#;

/// The places, from 1, of those elements that a filter keeps.
fn kept(list: &str, filter: &str) -> Vec<usize> {
    let list = Json::parse(list).unwrap();
    let parsed = Filter::parse(filter).unwrap_or_else(|error| panic!("{filter}: {error}"));
    let parsed = parsed.expect("not blank");
    parsed.suits(list.elements(), &|_| false).unwrap_or_else(|error| panic!("{filter}: {error}"));
    (1..).zip(list.elements()).filter(|(_, one)| parsed.accepts(one)).map(|(place, _)| place).collect()
}

#[test]
fn the_filters_of_the_published_pages_mean_what_they_say() {
    for (filter, expected) in [
        ("status=CLOSED", &[2][..]),
        ("magnitude > 3", &[2, 3]),
        ("magnitude < 9", &[1, 3]),
        ("id <= 2", &[1, 2]),
        ("id >= 2", &[2, 3]),
        ("id != 2", &[1, 3]),
        ("id <> 2", &[1, 3]),
        ("id ^= 2", &[1, 3]),
        ("id in (1,2)", &[1, 2]),
        ("id not in (1,3)", &[2, 3]),
        ("id between 0 and 2", &[1, 2]),
        ("id not between 2 and 31", &[1, 3]),
        ("assigned_to is null", &[1]),
        ("assigned_to is not null", &[2, 3]),
        ("assigned_to is not null or id = 1", &[1, 2, 3]),
        ("protected =true and not id in (2, 112,113)", &[3]),
        ("status = \"OPEN\"", &[1, 3]),
        ("duration(days) >= 20", &[1, 3]),
        ("source_address_ids contains (.<3)", &[1]),
        ("source_address_ids contains 7", &[1]),
        ("categories contains X", &[3]),
        ("magnitude = +3", &[1]),
        ("magnitude = 3e0", &[1]),
    ] {
        assert_eq!(kept(OFFENSES, filter), expected, "{filter}");
    }
    assert_eq!(kept(r#"["events","flows","simarc"]"#, ".= events"), [1]);
}

#[test]
fn null_is_in_no_comparison_and_in_each_opposite() {
    for filter in ["= admin", "> a", ">= a", "< z", "<= z", "in (admin)", "between a and z", "= null"] {
        assert!(!kept(OFFENSES, &format!("assigned_to {filter}")).contains(&1), "{filter}");
    }
    for filter in ["!= admin", "<> x", "^= x", "not in (admin)", "not between a and z", "!= null"] {
        assert!(kept(OFFENSES, &format!("assigned_to {filter}")).contains(&1), "{filter}");
    }
}

#[test]
fn the_filters_that_published_clients_send_are_understood() {
    for (filter, expected) in [
        ("status=\"OPEN\" and start_time>1500000000000", &[1][..]),
        ("log_sources contains id=5 and status=\"OPEN\"", &[1]),
        ("categories CONTAINS \"Device Information\" AND start_time>1400000000000", &[1]),
        ("not offense_source='10.0.0.1' and not offense_source='192.168.%' and start_time > 1", &[2, 3]),
        ("status!=CLOSED", &[1, 3]),
        ("(status='OPEN') AND id>1", &[3]),
        ("status = 'OPEN' AND magnitude >= 5", &[3]),
        ("id=9007199254740993", &[3]),
        ("id = 9007199254740992", &[]),
        ("id=\"2\"", &[2]),
        ("magnitude>=5 and (status = 'OPEN' or assigned_to = 'admin')", &[2, 3]),
    ] {
        assert_eq!(kept(OFFENSES, filter), expected, "{filter}");
    }
    for (filter, expected) in [
        ("interfaces contains ip_addresses contains value=\"192.0.2.1\"", &[1][..]),
        (
            "interfaces contains ip_addresses contains value=\"::1\" or interfaces contains ip_addresses contains value=\"192.0.2.1\"",
            &[1, 2],
        ),
        ("interfaces contains ip_addresses contains value in ('192.0.2.2','192.0.2.9')", &[2]),
        ("interfaces contains (ip_addresses contains (value = \"192.0.2.1\"))", &[1]),
        ("interfaces(ip_addresses(value=\"192.0.2.1\"))", &[1]),
        ("interfaces(ip_addresses(value))='192.0.2.2'", &[2]),
        ("interfaces(ip_addresses(value)) in ('192.0.2.2', '::1')", &[2]),
        ("hostnames contains (name ILIKE \"%server.domain%\")", &[1, 2]),
        ("hostnames(name) like \"server.domain\"", &[2]),
        ("hostnames contains name like '%.domain_'", &[1]),
        ("interfaces contains (ip_addresses contains (type = IPV6 and value = \"192.0.2.2\"))", &[]),
        ("interfaces contains (ip_addresses(type) = IPV6 and ip_addresses(value) = \"192.0.2.2\")", &[2]),
    ] {
        assert_eq!(kept(ASSETS, filter), expected, "{filter}");
    }
}

#[test]
fn what_a_console_was_seen_to_refuse_is_refused() {
    let list = Json::parse(ASSETS).unwrap();
    for filter in [
        "id in (192.0.2.1, 192.0.2.2)",
        "interfaces in (192.0.2.1, 192.0.2.2)",
        "interfaces in ('192.0.2.1', '192.0.2.2')",
        "interfaces.source_ip = 192.0.2.1",
        "interfaces contains ip_addresses contains value = 192.0.2.1",
        "id = 192.0.2.1",
        "id = '192.0.2.1'",
        "hostnames = 'host01.example.com'",
        "id contains 1",
        "id like '1%'",
    ] {
        let refused = match Filter::parse(filter) {
            Ok(parsed) => parsed.unwrap().suits(list.elements(), &|_| false).err(),
            Err(error) => Some(error),
        };
        assert!(refused.is_some_and(|error| !error.is_ignorance()), "{filter}");
    }
}

#[test]
fn a_member_that_no_element_has_is_not_known_rather_than_null() {
    let list = Json::parse(r#"[{"id":1,"rules":[]},{"id":2,"rules":[{"id":7}],"owner":null}]"#).unwrap();
    let suits = |filter: &str| Filter::parse(filter).unwrap().unwrap().suits(list.elements(), &|_| false);
    for (filter, path) in [
        ("status = OPEN", "status"),
        ("id = 1 or rules contains name = x", "name"),
        ("rules(name) = x", "rules(name)"),
        ("id(x) = 1", "id(x)"),
        ("not status is null", "status"),
    ] {
        let Err(ListError::Absent { path: found, at }) = suits(filter) else { panic!("{filter}") };
        assert_eq!(found, path);
        assert!(!at.is_empty(), "{filter}");
    }
    for filter in ["rules contains id = 7", "owner = x", "owner(name) = x", "rules(id) = 7"] {
        assert_eq!(suits(filter), Ok(()), "{filter}");
    }
    let empty: &[Json<'_>] = &[];
    assert_eq!(Filter::parse("status = OPEN").unwrap().unwrap().suits(empty, &|_| false), Ok(()));
}

#[test]
fn a_placeholder_may_be_anybody() {
    let list = Json::parse(r#"[{"assigned_to":"user-1"},{"assigned_to":"user-2"}]"#).unwrap();
    let suits = |filter: &str| {
        let is_user = |text: &str| text.starts_with("user-");
        Filter::parse(filter).unwrap().unwrap().suits(list.elements(), &is_user)
    };
    for filter in [
        "assigned_to = alice",
        "assigned_to != 'alice'",
        "assigned_to in ('user-1', bob)",
        "assigned_to like '%'",
    ] {
        assert!(matches!(suits(filter), Err(ListError::Hidden { .. })), "{filter}");
    }
    for filter in ["assigned_to = 'user-1'", "assigned_to is null", "assigned_to = null"] {
        assert_eq!(suits(filter), Ok(()), "{filter}");
    }
}

#[test]
fn published_values_count_in_any_case() {
    let shape = Shape::of_sample(
        &Json::parse(r#"[{"status":"String <one of: OPEN, CLOSED>","name":"String"}]"#).unwrap(),
    );
    let spelt = |filter: &str| Filter::parse(filter).unwrap().unwrap().spelt_for(&shape).to_string();
    assert_eq!(spelt("status=open and name=open"), "status = \"OPEN\" and name = open");
    assert_eq!(spelt("not status in (Closed, other)"), "not status in (\"CLOSED\", other)");
}

#[test]
fn every_error_points_at_its_place_and_says_the_fix() {
    for (text, at, word) in [
        ("status", 6..6, "operator is missing"),
        ("status=a-b", 8..9, "quotes"),
        ("id in 1", 6..7, "in (1, 2)"),
        ("id = ", 5..5, "value is missing"),
        ("(id = 1", 0..1, "never closed"),
        ("id = 1)", 6..7, "closes nothing"),
        ("name = \"x", 7..8, "quote is never closed"),
        ("id = 1 id = 2", 7..8, "`and` or `or`"),
        ("ip = 192.0.2.1", 5..14, "in quotes"),
        ("a.b = 1", 1..2, "a(b) = 1"),
        ("name like x", 10..11, "quotes"),
        ("id between 1 or 2", 13..14, "between 1 and 2"),
        ("id is 7", 6..7, "not null"),
        ("id = 1 && b = 2", 7..8, "`and`"),
        ("= 1", 0..1, "name of a member"),
        ("id=%31", 3..4, "encoded twice"),
    ] {
        let error = Filter::parse(text).unwrap_err();
        assert_eq!(error.span(), at, "{text}: {error}");
        assert!(error.to_string().contains(word), "{text}: {error}");
    }
    for (text, at, word) in [
        ("-id desc", 4..5, "comma is missing"),
        ("id,,name", 3..4, "+id,-status"),
        ("a(b", 1..2, "never closed"),
        ("a.b", 1..2, "a(b)"),
        ("-", 1..1, "missing"),
    ] {
        let error = Sort::parse(text).unwrap_err();
        assert_eq!(error.span(), at, "{text}: {error}");
        assert!(error.to_string().contains(word), "{text}: {error}");
    }
}

#[test]
fn depth_length_and_number_are_bounded() {
    let legal = |text: String| assert!(Filter::parse(&text).is_ok(), "{} bytes", text.len());
    let refused = |text: String| {
        let error = Filter::parse(&text).unwrap_err();
        assert!(matches!(error, ListError::TooLarge { .. }), "{error}");
    };
    let brackets = |count: usize| format!("{}a = 1{}", "(".repeat(count), ")".repeat(count));
    legal(brackets(DEPTH_MAX - 1));
    refused(brackets(DEPTH_MAX));
    refused("not ".repeat(DEPTH_MAX) + "a = 1");
    refused("a contains ".repeat(DEPTH_MAX) + "a = 1");
    refused("a(".repeat(LENGTH_MAX / 2));
    legal(vec!["a=1"; TESTS_MAX].join(" or "));
    refused(vec!["a=1"; TESTS_MAX + 1].join(" or "));
    legal(format!("a=\"{}\"", "x".repeat(LENGTH_MAX - 4)));
    refused(format!("a=\"{}\"", "x".repeat(LENGTH_MAX - 3)));
    legal(format!("a like \"{}\"", "x".repeat(PATTERN_MAX)));
    refused(format!("a like \"{}\"", "x".repeat(PATTERN_MAX + 1)));
}

#[test]
fn the_order_is_that_of_the_keys_and_what_has_none_is_refused() {
    let list = Json::parse(
        r#"[{"id":2,"n":"b","o":{"x":1}},{"id":10,"n":null,"o":{"x":3}},{"id":1,"n":"a","o":null},{"id":2.0,"n":"a"}]"#,
    )
    .unwrap();
    let sorted = |sort: &str| {
        let sort = Sort::parse(sort).unwrap().unwrap();
        sort.suits(list.elements()).unwrap_or_else(|error| panic!("{sort}: {error}"));
        let mut elements: Vec<&Json<'_>> = list.elements().iter().collect();
        sort.apply(&mut elements);
        elements.iter().map(|one| one.member("id").unwrap().text().to_owned()).collect::<Vec<_>>().join(" ")
    };
    for (sort, expected) in [
        ("id", "1 2 2.0 10"),
        ("+id", "1 2 2.0 10"),
        // A `+` that a query made a blank.
        (" id", "1 2 2.0 10"),
        ("-id", "10 2 2.0 1"),
        ("n,-id", "2.0 1 2 10"),
        ("-n", "10 2 1 2.0"),
        ("-n, id", "10 2 1 2.0"),
        ("o(x)", "2 10 1 2.0"),
        ("-o(x)", "1 2.0 10 2"),
    ] {
        assert_eq!(sorted(sort), expected, "{sort}");
    }
    let mixed = Json::parse(r#"[{"a":1,"l":[1],"s":"x"},{"a":"x","l":[],"s":null}]"#).unwrap();
    for (sort, word) in
        [("a", "several kinds"), ("-l", "lists"), ("x", "none of the elements"), ("s(x)", "s(x)")]
    {
        let error = Sort::parse(sort).unwrap().unwrap().suits(mixed.elements()).unwrap_err();
        assert!(error.is_ignorance() && error.to_string().contains(word), "{sort}: {error}");
    }
    let shape = Shape::of_sample(&Json::parse(r#"[{"status":"String","o":{"x":42}}]"#).unwrap());
    let Err(ListError::Unknown { path, nearest, at }) = Sort::parse_for(" -o(x) , -statu", &shape) else {
        panic!()
    };
    assert_eq!((path.as_str(), nearest.as_deref(), at), ("statu", Some("status"), 10..15));
}

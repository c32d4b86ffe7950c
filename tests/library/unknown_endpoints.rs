//! What a cassette holds of endpoints that no profile knows is answered as deep as `fields` goes.

use crate::evidence;

use evidence::*;

const OFFENSES: &str = "/api/siem/offences";

#[test]
fn each_selector_gets_its_own_recording_however_it_is_spelt() {
    let tape = cassette(vec![
        (get(&format!("{OFFENSES}?fields=id")), 200, r#"[{"id":1}]"#),
        (get(&format!("{OFFENSES}?fields=id%2Cstatus")), 200, r#"[{"id":1,"status":"OPEN"}]"#),
    ]);
    let replay = replay(tape, None);
    assert_eq!(answer(&replay, get(&format!("{OFFENSES}?fields=id"))), (200, r#"[{"id":1}]"#.to_owned()));
    for fields in ["id,status", "id%2Cstatus", "status,id", "id%2cstatus"] {
        let answered = answer(&replay, get(&format!("{OFFENSES}?fields={fields}")));
        assert_eq!(answered, (200, r#"[{"id":1,"status":"OPEN"}]"#.to_owned()), "{fields}");
    }
    let (status, body) = answer(&replay, get(&format!("{OFFENSES}?fields=magnitude")));
    assert!(status == 501 && body.contains("too narrow"), "{body}");
    let (status, body) = answer(&replay, get(OFFENSES));
    assert!(status == 501 && body.contains("too narrow"), "the whole was never recorded: {body}");
}

#[test]
fn a_whole_recording_serves_every_selector_and_keeps_the_source_text() {
    let whole = r#"[{"id":1.00,"rules":[{"id":7,"type":"CRE_RULE"}],"source":null}]"#;
    let replay = replay(cassette(vec![(get(OFFENSES), 200, whole)]), None);
    assert_eq!(answer(&replay, get(OFFENSES)).1, whole);
    let narrow = answer(&replay, get(&format!("{OFFENSES}?fields=id,rules(id)")));
    assert_eq!(narrow, (200, r#"[{"id":1.00,"rules":[{"id":7}]}]"#.to_owned()));
}

const OLDER: &str = "/api/siem/older_offenses";

#[test]
fn a_name_that_no_recording_has_is_absent_beside_one_that_has() {
    let pairs = vec![
        (get(OLDER), 200, r#"[{"id":1,"rules":[{"id":7}],"owner":null}]"#),
        (get(&format!("{OLDER}?fields=id,weight")), 200, r#"[{"id":1}]"#),
    ];
    let replay = replay(cassette(pairs), None);
    for (fields, expected) in [
        ("id,severity", r#"[{"id":1}]"#),
        ("severity,owner", r#"[{"owner":null}]"#),
        ("id,rules(name)", r#"[{"id":1,"rules":[{}]}]"#),
        ("rules(name,id)", r#"[{"rules":[{"id":7}]}]"#),
        ("owner", r#"[{"owner":null}]"#),
        // Asked for and taken, though no answer has it.
        ("weight,owner", r#"[{"owner":null}]"#),
    ] {
        let answered = answer(&replay, get(&format!("{OLDER}?fields={fields}")));
        assert_eq!(answered, (200, expected.to_owned()), "{fields}");
    }
}

#[test]
fn names_of_which_no_recording_has_any_are_a_miss_and_no_empty_answer() {
    let answers = [(OLDER, r#"[{"id":1,"rules":[{"id":7}],"owner":null}]"#), ("/api/siem/older_types", "[]")];
    let tape = answers.into_iter().map(|(path, body)| (get(path), 200, body)).collect();
    let replay = replay(cassette(tape), None);
    for fields in ["idd", "idd,severity", "rules(name)", "id(x)", "owner(name)"] {
        let (status, body) = answer(&replay, get(&format!("{OLDER}?fields={fields}")));
        assert!(status == 501 && body.contains("no recording has"), "{fields}: {body}");
    }
    let empty = answer(&replay, get("/api/siem/older_types?fields=id"));
    assert_eq!(empty, (200, "[]".to_owned()), "what is not there has every form");
}

#[test]
fn what_is_no_json_is_never_passed_off_as_filtered() {
    let replay = replay(cassette(vec![(get(OFFENSES), 200, "id,status\n1,OPEN\n")]), None);
    assert_eq!(answer(&replay, get(OFFENSES)).0, 200);
    let (status, body) = answer(&replay, get(&format!("{OFFENSES}?fields=id")));
    assert!(status == 501 && body.contains("no JSON"), "{body}");
}

#[test]
fn a_recorded_refusal_of_a_selector_answers_that_text_alone() {
    let tape = cassette(vec![
        (get(&format!("{OFFENSES}?fields=id,(")), 422, r#"{"code":31}"#),
        (get(OFFENSES), 200, r#"[{"id":1,"status":"OPEN"}]"#),
    ]);
    let replay = replay(tape, None);
    assert_eq!(answer(&replay, get(OFFENSES)).0, 200);
    assert_eq!(answer(&replay, get(&format!("{OFFENSES}?fields=id,("))), (422, r#"{"code":31}"#.to_owned()));
    assert_eq!(answer(&replay, get(&format!("{OFFENSES}?fields=id"))).1, r#"[{"id":1}]"#);
    let (status, body) = answer(&replay, get(&format!("{OFFENSES}?fields=),")));
    assert_ne!(status, 422, "{body}");
}

//! What a client asked for with `fields` comes back however it spells it, on an endpoint far from the case task.

use crate::evidence;

use evidence::{answer, cassette, get, replay};

const OFFENSES: &str = "/api/siem/offenses";

#[test]
fn a_recorded_selector_is_found_in_any_spelling_and_order() {
    let body = r#"[{"id":41,"status":"OPEN"}]"#;
    let replay = replay(cassette(vec![(get(&format!("{OFFENSES}?fields=id%2Cstatus")), 200, body)]), None);
    for fields in ["id%2Cstatus", "id%2cstatus", "id,status", "status,id", "id,%20status", "id+,status"] {
        let asked = get(&format!("{OFFENSES}?fields={fields}"));
        assert_eq!(answer(&replay, asked), (200, body.to_owned()), "{fields}");
    }
    let narrower = answer(&replay, get(&format!("{OFFENSES}?fields=id")));
    assert_eq!(narrower, (200, r#"[{"id":41}]"#.to_owned()));
    let (status, miss) = answer(&replay, get(&format!("{OFFENSES}?fields=id,severity")));
    assert!(status == 501 && miss.contains("recorded too narrow"), "{miss}");
}

#[test]
fn a_whole_recording_answers_every_selector_nested_ones_too() {
    let body = r#"[{"id":41,"log_sources":[{"id":7,"name":"fw","type_id":3}],"offense_source":null}]"#;
    let replay = replay(cassette(vec![(get(OFFENSES), 200, body)]), None);
    for (fields, expected) in [
        ("id", r#"[{"id":41}]"#),
        ("log_sources(name)", r#"[{"log_sources":[{"name":"fw"}]}]"#),
        (
            "offense_source,log_sources(id,name)",
            r#"[{"log_sources":[{"id":7,"name":"fw"}],"offense_source":null}]"#,
        ),
        ("severity", "[{}]"),
    ] {
        let asked = get(&format!("{OFFENSES}?fields={fields}"));
        assert_eq!(answer(&replay, asked), (200, expected.to_owned()), "{fields}");
    }
    for (fields, code) in [("idd", 30), ("log_sources(nmae)", 30), ("id,id", 31)] {
        let (status, refusal) = answer(&replay, get(&format!("{OFFENSES}?fields={fields}")));
        assert!(status == 422 && refusal.contains(&format!("\"code\":{code}")), "{fields}: {refusal}");
    }
}

#[test]
fn an_endpoint_whose_page_names_no_fields_is_filtered_all_the_same() {
    const SEARCH: &str = "/api/ariel/searches/s-1";
    let whole = r#"{"search_id":"s-1","status":"COMPLETED","progress":100}"#;
    let replay_of = |pairs| replay(cassette(pairs), None);
    let one = replay_of(vec![(get(SEARCH), 200, whole)]);
    let asked = answer(&one, get(&format!("{SEARCH}?fields=status,unheard_of")));
    assert_eq!(asked, (200, r#"{"status":"COMPLETED"}"#.to_owned()));
}

#[test]
fn a_fault_aimed_by_a_pattern_hits_what_fits_and_nothing_else() {
    for (aim, hit) in [
        ("siem/offenses.list", [true, false, false]),
        ("GET /api/siem/**", [true, true, false]),
        ("GET /siem/offenses/{id}", [false, true, false]),
        ("* /api/mine/*", [false, false, true]),
        ("GET", [true, true, true]),
        ("POST", [false, false, false]),
    ] {
        let text = format!(
            "summary = \"x\"\n[[fault]]\noptional = true\nwhen = {{ endpoint = \"{aim}\" }}\ninject = {{ html-page = {{ status = 503 }} }}\n"
        );
        let targets = [OFFENSES, "/api/siem/offenses/41", "/api/mine/7"];
        let tape = cassette(targets.iter().map(|target| (get(target), 200, "{}")).collect());
        let replay = replay(tape, Some(&text));
        let hits = targets.map(|target| answer(&replay, get(target)).0 == 503);
        assert_eq!(hits, hit, "{aim}");
    }
}

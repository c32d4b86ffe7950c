//! Text that was made to do harm: no reader panics or takes long, whatever it is given, and nothing in it is obeyed.

use crate::laws;

use std::collections::BTreeSet;
use std::process::Command;
use std::time::{Duration, Instant};

use faultdeck::cassette::Cassette;
use faultdeck::client::{ClientFile, read_outcome};
use faultdeck::fields::FieldSelector;
use faultdeck::json::{Json, JsonError, VALUES_MAX};
use faultdeck::ledger::{self, Line, RunLine, Standing, VerdictLine};
use faultdeck::lists::{Filter, Sort, Window};
use faultdeck::profile::Profile;
use faultdeck::redact::{Redactor, Rules};
use faultdeck::report::{self, shell_word};
use faultdeck::scenario::{Scenario, ScenarioError};
use proptest::collection::vec;
use proptest::prelude::{Just, Strategy, any, prop_assert, prop_oneof};
use quick_xml::events::Event;

/// Longer than any reader may take for a text of some kilobytes, on a busy machine.
const PATIENCE: Duration = Duration::from_secs(5);

/// Pieces that readers stumble over.
const ODD: [&str; 24] = [
    "\u{1b}[2J",
    "\0",
    "\u{feff}",
    "\u{202e}",
    "\\ud800",
    "\"",
    "'''",
    "\"\"\"",
    "[",
    "{",
    "]",
    "}",
    "[[",
    "=",
    ".",
    ",",
    "1e400",
    "-0",
    "nan",
    "99999999999999999999",
    "\r\n",
    "%zz",
    "$serde_json::private::RawValue",
    "\u{10ffff}",
];

/// A change of a text: at a place (as a part of 256), something is taken out, doubled or put in.
#[derive(Clone, Debug)]
enum Change {
    Out(u8, u8),
    Twice(u8, u8),
    In(u8, usize),
    Byte(u8, char),
}

fn changes() -> impl Strategy<Value = Vec<Change>> {
    let change = prop_oneof![
        (any::<u8>(), any::<u8>()).prop_map(|(at, many)| Change::Out(at, many)),
        (any::<u8>(), any::<u8>()).prop_map(|(at, many)| Change::Twice(at, many)),
        (any::<u8>(), 0..ODD.len()).prop_map(|(at, odd)| Change::In(at, odd)),
        (any::<u8>(), any::<char>()).prop_map(|(at, with)| Change::Byte(at, with)),
    ];
    vec(change, 1..6)
}

fn changed(text: &str, changes: &[Change]) -> String {
    let mut text: Vec<char> = text.chars().collect();
    for change in changes {
        let place = |at: u8| usize::from(at) * text.len() / 256;
        let range = |at: u8, many: u8| place(at)..(place(at) + usize::from(many)).min(text.len());
        match *change {
            Change::Out(at, many) => drop(text.drain(range(at, many))),
            Change::Twice(at, many) => {
                let again: Vec<char> = text[range(at, many)].to_vec();
                let at = place(at);
                text.splice(at..at, again);
            }
            Change::In(at, odd) => {
                let at = place(at);
                text.splice(at..at, ODD[odd].chars());
            }
            Change::Byte(at, with) => {
                let at = place(at);
                text.splice(at..(at + 1).min(text.len()), [with]);
            }
        }
    }
    text.into_iter().collect()
}

/// A cassette with one of everything a cassette can hold.
const CASSETTE: &str = r#"{"format":1,"recorded_from":{"host":"host-1","api_version":"26.0","tls":"pinned","encoding":"identity","redaction":"x"},
"interactions":[{"id":"a-1","endpoint":"GET /x","by":"recorder","notes":["n"],
"request":{"method":"POST","target":"/api/x?a=%22","version":"HTTP/1.0","headers":[["SEC","fd-secret-1"]],"body":{"lines":["a","b"]}},
"response":{"status":200,"reason":"OK","headers":[["X",{"base64":"//8="}]],"chunks":[3,4],"body":{"json":{"a":[1.00,"é"]}},"trailers":[["T","1"]]}}]}"#;

/// What is read, a text of it, and who reads it.
type Reader = (&'static str, String, fn(&str));

/// Every reader of text, and a text it takes.
fn readers() -> Vec<Reader> {
    let scenarios: String = Scenario::builtins().iter().map(|(_, text)| *text).take(6).collect();
    let client =
        std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/clients/careful.toml")).unwrap();
    let line = Line::Run(RunLine { verb: "run".into(), session: "s".into(), ..RunLine::default() });
    let one = Scenario::builtins().iter().max_by_key(|(_, text)| text.len()).unwrap().1;
    vec![
        ("cassette", CASSETTE.to_owned(), |text| drop(Cassette::parse("x", text))),
        ("scenario", one.to_owned(), |text| drop(Scenario::parse("x", "x", text, Profile::builtin()))),
        ("scenarios", scenarios, |text| drop(Scenario::parse("x", "x", text, Profile::builtin()))),
        ("client", client, |text| drop(ClientFile::parse("x", "x", text))),
        ("ledger", line.to_json().unwrap(), |text| drop(ledger::read(text))),
        ("outcome", r#"{"outcome":"done","task":{"id":1}}"#.to_owned(), |text| drop(read_outcome(text))),
        ("fields", "id,a(b,c(d)),e".to_owned(), |text| drop(FieldSelector::parse(text))),
        ("filter", r#"name="a" and b = 1 and c = null"#.to_owned(), |text| drop(Filter::parse(text))),
        ("sort", "+id,-owner(name), a".to_owned(), |text| drop(Sort::parse(text))),
        ("Range", "items=0-49".to_owned(), |text| {
            let _ = Window::parse(text);
        }),
        ("json", r#"{"a":[1,-1.5E+3,"\u0041\n",{"b":null}],"a":true}"#.to_owned(), |text| {
            drop(Json::parse(text))
        }),
    ]
}

/// As many lines as a scenario may have bytes for.
fn lines(line: impl Fn(usize) -> String) -> String {
    let mut text = String::new();
    for n in 0.. {
        let line = line(n);
        if text.len() + line.len() > 1_000_000 {
            break;
        }
        text.push_str(&line);
    }
    text
}

#[test]
fn a_mistake_in_every_line_of_the_longest_scenario_is_told_at_once() {
    let keys = lines(|n| format!("k{n} = 1\n"));
    let inline = lines(|n| format!("k{n} = 1, "));
    let inline = inline.trim_end_matches([',', ' ']);
    let names = lines(|n| format!("\"p{n}\", "));
    for (what, text, least) in [
        ("a scenario", keys.clone(), 80_000),
        ("must", format!("[must]\n{keys}"), 80_000),
        ("when", format!("[[fault]]\nwhen = {{ {inline} }}\ninject = {{ hang = {{}} }}\n"), 70_000),
        ("parameters", format!("[[fault]]\ninject = {{ latency = {{ ms = 1, {inline} }} }}\n"), 70_000),
        ("hold", format!("[must]\nhold = [{names}]\n"), 1),
    ] {
        // A machine that is slow or busy is so for any reader of TOML.
        let began = Instant::now();
        assert!(text.parse::<toml::Table>().is_ok(), "{what}");
        let floor = began.elapsed();
        let began = Instant::now();
        let Err(ScenarioError::Invalid(mistakes)) = Scenario::parse("x", "x", &text, Profile::builtin())
        else {
            panic!("{what} is wrong");
        };
        let mistakes = faultdeck::judge::with_names(mistakes);
        assert!(began.elapsed() < floor * 15 + PATIENCE / 5, "{what} takes {:?}, {floor:?}", began.elapsed());
        assert!(mistakes.count() >= least && mistakes.shown().len() == mistakes.count().min(20), "{what}");
    }
}

#[test]
fn no_reader_panics_or_takes_long_whatever_text_it_is_given() {
    for (name, text, read) in readers() {
        laws::holds(400, changes(), |changes| {
            let text = changed(&text, &changes);
            let began = Instant::now();
            read(&text);
            prop_assert!(began.elapsed() < PATIENCE, "{name} takes long");
            Ok(())
        });
    }
}

#[test]
fn a_text_with_too_many_values_is_an_error_of_its_own() {
    let zeros = |many: usize| format!("[{}0]", "0,".repeat(many - 1));
    assert!(Json::parse(&zeros(VALUES_MAX - 1)).is_ok());
    assert_eq!(Json::parse(&zeros(VALUES_MAX)).map(drop), Err(JsonError::TooMany));
}

#[test]
fn a_pattern_of_the_users_own_takes_linear_time() {
    for pattern in ["regex:(a+)+$", "regex:(a|aa)+$", "regex:(.*a){20}$"] {
        let mut rules = Rules::default();
        rules.add(pattern).unwrap();
        let redactor = Redactor::new().with_rules(rules);
        let text = format!("{}!", "a".repeat(20_000));
        let began = Instant::now();
        let shown = redactor.text(&text);
        assert!(began.elapsed() < PATIENCE, "{pattern} takes {:?}", began.elapsed());
        assert!(!shown.is_empty());
    }
    let long = format!("regex:{}", "a".repeat(10 << 20));
    assert!(Rules::default().add(&long).is_err(), "a pattern is bounded");
}

#[test]
fn a_scenario_starts_nothing_reads_nothing_and_fills_in_nothing() {
    for key in ["exec", "run", "script", "include", "import", "file", "env", "template", "middleware", "hook"]
    {
        let text = format!("summary = \"x\"\n{key} = \"touch pwned\"\n");
        let Err(ScenarioError::Invalid(mistake)) = Scenario::parse("x", "x", &text, Profile::builtin())
        else {
            panic!("`{key}` is taken");
        };
        assert!(mistake.to_string().contains("unknown key"), "{mistake}");
    }
    let word = "${PATH} {{7*7}} $(id) `id` %PATH% <%= 7*7 %> @/etc/passwd";
    let text = format!("summary = \"x\"\n[[path]]\nat = 1\nset = {{ state = \"{word}\" }}\n");
    let scenario = Scenario::parse("x", "x", &text, Profile::builtin()).unwrap();
    assert!(format!("{:?}", scenario.path).contains(word), "{:?}", scenario.path);
}

#[test]
fn a_printed_word_means_the_same_to_a_shell() {
    let piece = prop_oneof![
        Just("'"),
        Just("\""),
        Just("\\"),
        Just("$(touch pwned)"),
        Just("`id`"),
        Just("; rm -rf /"),
        Just("\n"),
        Just("-n"),
        Just("~"),
        Just("*"),
        Just("!x"),
        Just("&&"),
        Just("é"),
        Just(" "),
        Just("/api/x?a=1"),
        Just("#"),
    ];
    let words = vec(vec(piece, 0..6).prop_map(|pieces| pieces.concat()), 100);
    laws::holds(100, words, |words| {
        let quoted: Vec<String> = words.iter().map(|word| shell_word(word)).collect();
        let script = format!("printf '%s\\0' {}", quoted.join(" "));
        let heard = Command::new("sh").args(["-c", &script]).output().unwrap();
        let expected: String = words.iter().map(|word| format!("{word}\0")).collect();
        prop_assert!(heard.stdout == expected.as_bytes(), "{script}");
        Ok(())
    });
}

#[test]
fn a_report_for_a_ci_system_holds_no_element_but_its_own_whatever_was_recorded() {
    let hostile = "]]><failure message='x'/><![CDATA[ <img src=x onerror=alert(1)> &lt; &#0; \u{0} \u{b} \u{fffe} =cmd \"'";
    let verdict = |standing| {
        Line::Verdict(VerdictLine {
            property: hostile.into(),
            scenario: hostile.into(),
            client: hostile.into(),
            verdict: standing,
            required: true,
            because: hostile.into(),
            evidence: vec![hostile.into()],
            cases: 1,
            session: None,
            found: Some(hostile.into()),
            repeat: Some(hostile.into()),
            rests_on: None,
            known: None,
        })
    };
    let run = RunLine { verb: hostile.into(), scenario: Some(hostile.into()), ..RunLine::default() };
    let lines = [
        Line::Run(run),
        verdict(Standing::Violated),
        verdict(Standing::Inconclusive),
        verdict(Standing::Held),
    ];
    let text = report::junit(&lines).unwrap();
    let mut reader = quick_xml::Reader::from_str(&text);
    let mut elements = BTreeSet::new();
    loop {
        match reader.read_event().unwrap() {
            Event::Eof => break,
            Event::Start(tag) | Event::Empty(tag) => {
                elements.insert(String::from_utf8(tag.name().as_ref().to_vec()).unwrap());
                for attribute in tag.attributes() {
                    attribute.unwrap();
                }
            }
            _ => {}
        }
    }
    let own: BTreeSet<String> =
        ["testsuites", "testsuite", "testcase", "failure", "error"].map(str::to_owned).into();
    assert_eq!(elements, own, "{text}");
    // Only one failure: the one that is ours.
    assert_eq!(text.matches("<failure").count(), 1, "{text}");
    assert!(!text.contains("&#0;") && !text.contains("&#x0;"), "{text}");
}

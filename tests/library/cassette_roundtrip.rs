//! What is saved is what is loaded, whatever bytes it holds; what is wrong in a file is named with line and column.

use crate::canary;

use crate::laws;

use std::fs;
use std::path::Path;

use faultdeck::cassette::{Cassette, CassetteError, Interaction, RecordedFrom, TlsTrust};
use faultdeck::message::{Headers, HttpVersion, Request, Response};
use faultdeck::profile::Profile;
use proptest::collection::vec;
use proptest::prelude::{Just, Strategy, any, prop_assert, prop_assert_eq, prop_oneof};
use proptest::test_runner::TestCaseError;

fn body() -> impl Strategy<Value = Vec<u8>> {
    let scalar = prop_oneof![
        Just("1.00".to_owned()),
        Just("-0".to_owned()),
        Just("1E5".to_owned()),
        Just("123456789012345678901234567890".to_owned()),
        Just("null".to_owned()),
        Just(r#""\ud800""#.to_owned()),
        Just(r#""\/\u0041\"{[,:]}""#.to_owned()),
        any::<String>().prop_map(|text| serde_json::Value::from(text).to_string()),
    ];
    let json = scalar.prop_recursive(4, 24, 4, |inner| {
        let name = prop_oneof![
            Just("id"),
            Just("assigned_to"),
            Just("token"),
            Just("$serde_json::private::RawValue"),
            Just("")
        ];
        prop_oneof![
            vec(inner.clone(), 0..4).prop_map(|all| format!("[{}]", all.join(","))),
            vec((name, inner), 0..4).prop_map(|all| {
                let members: Vec<String> =
                    all.iter().map(|(name, value)| format!("\"{name}\":{value}")).collect();
                format!("{{{}}}", members.join(","))
            }),
        ]
    });
    prop_oneof![
        4 => json.clone().prop_map(String::into_bytes),
        1 => (json, prop_oneof![Just(" "), Just("\n"), Just("\r\n\t")]).prop_map(|(json, blank)| {
            format!("{blank}{}{blank}", json.replace(',', &format!(",{blank}"))).into_bytes()
        }),
        1 => any::<String>().prop_map(String::into_bytes),
        1 => laws::text("[a-z \r\n\t{}\"]{0,40}").prop_map(String::into_bytes),
        1 => vec(any::<u8>(), 0..40),
        1 => (0_usize..300).prop_map(|depth| [vec![b'['; depth], vec![b']'; depth]].concat()),
    ]
}

fn headers() -> impl Strategy<Value = Headers> {
    let name = prop_oneof![
        Just("SEC".to_owned()),
        Just("Set-Cookie".to_owned()),
        Just("cookie".to_owned()),
        Just("Location".to_owned()),
        Just("Authorization".to_owned()),
        Just("Content-Length".to_owned()),
        laws::text("[A-Za-z!#$%&'*+.^_`|~-]{1,12}"),
    ];
    let value = vec(prop_oneof![3 => 0x20_u8..0x7f, 1 => 0x80_u8..=0xff, 1 => Just(b'\t')], 0..24);
    vec((name, value.prop_map(|value| value.trim_ascii().to_vec())), 0..6)
        .prop_map(|lines| lines.into_iter().collect())
}

fn target() -> impl Strategy<Value = String> {
    let path = prop_oneof![
        Just("/api/forensics/case_management/cases".to_owned()),
        (0_u64..30).prop_map(|id| format!("/api/forensics/case_management/case_create_tasks/{id}")),
        laws::text("/[!-~é]{0,16}"),
    ];
    (path, proptest::option::of(laws::text("[!-~]{0,16}")))
        .prop_map(|(path, query)| query.map_or(path.clone(), |query| format!("{path}?{query}")))
}

fn interaction() -> impl Strategy<Value = Interaction> {
    let request = (prop_oneof![Just("GET"), Just("POST"), Just("x-Odd")], target(), headers(), body());
    let response =
        (100_u16..=999, vec(prop_oneof![0x20_u8..0x7f, 0x80_u8..=0xff], 0..8), headers(), body(), headers());
    (
        request,
        response,
        proptest::option::of(vec(1_usize..9, 0..6)),
        any::<bool>(),
        vec(any::<String>(), 0..2),
    )
        .prop_map(
            |(
                (method, target, headers, body),
                (status, reason, response_headers, response_body, trailers),
                chunks,
                by_recorder,
                notes,
            )| {
                Interaction {
                    id: String::new(),
                    endpoint: "".into(),
                    request: Request {
                        method: method.to_owned(),
                        target,
                        version: HttpVersion::Http10,
                        headers,
                        body: body.into(),
                        scheme: None,
                    },
                    response: Response {
                        version: HttpVersion::Http11,
                        status,
                        reason: reason.into(),
                        headers: response_headers,
                        chunks: chunks.map(|sizes| true_sizes(&sizes, response_body.len())),
                        body: response_body.into(),
                        trailers,
                    },
                    by_recorder,
                    moment: 0,
                    notes,
                }
            },
        )
}

fn true_sizes(sizes: &[usize], length: usize) -> Vec<usize> {
    let mut left = length;
    let mut out = Vec::new();
    for size in sizes.iter().chain([&length]) {
        let size = left.min(*size);
        left -= size;
        if size > 0 {
            out.push(size);
        }
    }
    out
}

fn cassette() -> impl Strategy<Value = Cassette> {
    vec(interaction(), 0..4).prop_map(|interactions| Cassette {
        name: "x".to_owned(),
        recorded_from: RecordedFrom {
            host: "host-1".to_owned(),
            api_version: None,
            tls: TlsTrust::Pinned,
            encoding: "identity".to_owned(),
            redaction: "x".to_owned(),
        },
        interactions,
        ..Cassette::default()
    })
}

#[test]
fn what_is_loaded_is_what_was_saved() {
    laws::holds(10_000, cassette(), |original| {
        let text = original.to_text();
        let loaded =
            Cassette::parse("x", &text).map_err(|error| TestCaseError::fail(format!("{error}\n{text}")))?;
        let mut canonical = original.clone();
        canonical.canonicalise(Profile::builtin());
        prop_assert_eq!(&loaded, &canonical);
        prop_assert_eq!(loaded.to_text(), text);
        prop_assert!(loaded.unredacted().is_empty(), "{:?}", loaded.unredacted());
        Ok(())
    });
}

#[test]
fn a_body_without_secrets_keeps_every_byte() {
    laws::holds(3_000, body(), |bytes| {
        let text = String::from_utf8_lossy(&bytes);
        if text.contains("token") || text.contains("assigned_to") {
            return Ok(());
        }
        let mut response = Response::new(200);
        response.body = bytes.clone().into();
        let interaction = Interaction {
            id: String::new(),
            endpoint: "".into(),
            request: Request::new("GET", "/api/x"),
            response,
            by_recorder: false,
            moment: 0,
            notes: Vec::new(),
        };
        let cassette = Cassette { interactions: vec![interaction], ..Cassette::default() };
        let loaded = Cassette::parse("x", &cassette.to_text()).unwrap();
        prop_assert_eq!(&loaded.interactions[0].response.body[..], &bytes[..]);
        Ok(())
    });
}

#[test]
fn a_bad_cassette_is_refused_with_line_and_column() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/bad-cassettes");
    let mut files: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    let mut checked = 0;
    let mut wrong = Vec::new();
    for file in files.iter().filter(|file| file.extension().is_some_and(|ending| ending == "json")) {
        let name = file.file_stem().unwrap().to_string_lossy().into_owned();
        let text = fs::read_to_string(file).unwrap();
        let error = Cassette::parse("file", &text).map(drop).expect_err(&name).to_string();
        let expected = fs::read_to_string(file.with_extension("expected")).unwrap_or_default();
        if error != expected.trim_end() {
            wrong.push(format!("{name}: {error}"));
        }
        checked += 1;
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(checked > 20, "the folder is read");
}

#[test]
fn only_regular_files_of_a_bearable_size_are_read() {
    let folder = canary::Folder::new();
    assert!(matches!(Cassette::load(folder.path()), Err(CassetteError::NotAFile { .. })));
    assert!(matches!(Cassette::load(&folder.path().join("no.json")), Err(CassetteError::Io { .. })));
    let odd = folder.path().join("odd.json");
    fs::write(&odd, b"{\n \"a\": \xff}").unwrap();
    let error = Cassette::load(&odd).unwrap_err();
    assert!(matches!(error, CassetteError::Invalid { line: 2, column: 7, .. }), "{error}");
    #[cfg(unix)]
    {
        let device = Cassette::load(Path::new("/dev/zero")).unwrap_err();
        assert!(matches!(device, CassetteError::NotAFile { .. }));
    }
}

#[test]
fn hostile_depth_and_length_are_no_danger() {
    let deep = "[".repeat(1_000_000);
    assert!(Cassette::parse("x", &deep).is_err());
    let mut cassette = Cassette::default();
    let mut response = Response::new(200);
    response.body = format!("{deep}{}", "]".repeat(1_000_000)).into();
    let bodies = response.body.clone();
    cassette.interactions.push(Interaction {
        id: String::new(),
        endpoint: "".into(),
        request: Request::new("GET", "/api/x"),
        response,
        by_recorder: false,
        moment: 0,
        notes: Vec::new(),
    });
    let text = cassette.to_text();
    assert!(text.len() < 3_000_000);
    assert_eq!(Cassette::parse("x", &text).unwrap().interactions[0].response.body, bodies);
}

#[test]
fn a_save_leaves_nothing_else_behind_and_redacts_what_it_was_given() {
    let folder = canary::Folder::new();
    let path = folder.path().join("a.json");
    let mut cassette = Cassette::default();
    for target in ["/api/b?token=abcde-12345", "/api/a/abcde-12345"] {
        cassette.interactions.push(Interaction {
            id: String::new(),
            endpoint: "".into(),
            request: Request::new("GET", target).with("SEC", "abcde-12345"),
            response: Response::json(200, r#"{"assigned_to":["alice"]}"#),
            by_recorder: false,
            moment: 0,
            notes: Vec::new(),
        });
    }
    cassette.save(&path).unwrap();
    cassette.save(&path).unwrap();
    let text = fs::read_to_string(&path).unwrap();
    assert!(!text.contains("abcde-12345"));
    assert!(text.contains("/api/a/fd-secret-1") && text.contains("token=fd-secret-1"), "{text}");
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
}

#[test]
fn whoever_reads_a_cassette_while_it_is_saved_sees_a_whole_one() {
    let folder = canary::Folder::new();
    let path = folder.path().join("a.json");
    let of = |many: usize| {
        let one = |n: usize| Interaction {
            id: String::new(),
            endpoint: "".into(),
            request: Request::new("GET", &format!("/api/{n}")),
            response: Response::json(200, "{}"),
            by_recorder: false,
            moment: 0,
            notes: Vec::new(),
        };
        Cassette { interactions: (0..many).map(one).collect(), ..Cassette::default() }
    };
    let (small, large) = (of(1), of(60));
    small.save(&path).unwrap();
    let saving = std::sync::atomic::AtomicBool::new(true);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            for _ in 0..10 {
                large.save(&path).unwrap();
                small.save(&path).unwrap();
            }
            saving.store(false, std::sync::atomic::Ordering::Relaxed);
        });
        while saving.load(std::sync::atomic::Ordering::Relaxed) {
            let seen = Cassette::load(&path).unwrap().interactions.len();
            assert!(seen == 1 || seen == 60, "{seen}");
        }
    });
}

/// A cassette of so many interactions, laid out as faultdeck does it.
fn large(many: usize) -> String {
    let one = |n: usize| {
        let body = match n % 3 {
            0 => format!(
                "{{\n          \"json\": {{\n            \"id\": {n},\n            \"note\": \"a \\\" b  c\"\n          }}\n        }}"
            ),
            1 => format!(
                "{{\n          \"lines\": [\n            \"line {n}\",\n            \"\"\n          ]\n        }}"
            ),
            _ => "{\n          \"base64\": \"AAEC\"\n        }".to_owned(),
        };
        format!(
            "    {{\n      \"id\": \"i-{n}\",\n      \"request\": {{\n        \"method\": \"GET\",\n        \"target\": \"/api/x/{n}\",\n        \"headers\": [\n          [\"SEC\", \"fd-secret-1\"],\n          [\"N\", \"{}\"]\n        ]\n      }},\n      \"response\": {{\n        \"status\": 200,\n        \"reason\": \"OK\",\n        \"body\": {body}\n      }}\n    }}",
            n % 7
        )
    };
    let from = "{\n    \"host\": \"host-1\",\n    \"encoding\": \"identity\"\n  }";
    let all: Vec<String> = (0..many).map(one).collect();
    format!(
        "{{\n  \"format\": 1,\n  \"recorded_from\": {from},\n  \"interactions\": [\n{}\n  ]\n}}\n",
        all.join(",\n")
    )
}

#[test]
fn a_large_cassette_reads_the_same_in_whatever_layout() {
    let text = large(3000);
    assert!(text.len() > 1024 * 1024, "large enough to be read in parts: {}", text.len());
    let laid_out = Cassette::parse("c", &text).unwrap();
    let other = Cassette::parse("c", &text.replace("[\n    {", "[ {").replace("\n    },", " },")).unwrap();
    assert_eq!(laid_out.interactions.len(), 3000);
    assert!(laid_out == other);
    // As git checks it out where lines end otherwise.
    assert!(laid_out == Cassette::parse("c", &text.replace('\n', "\r\n")).unwrap());
    let (first, last) = (&laid_out.interactions[0], &laid_out.interactions[2999]);
    assert_eq!((first.id.as_str(), last.request.target.as_str()), ("i-0", "/api/x/2999"));
    assert_eq!(first.response.body, "{\"id\":0,\"note\":\"a \\\" b  c\"}");
    assert_eq!(laid_out.interactions[1].response.body, "line 1\n");
    assert_eq!(last.request.headers.text("n").as_deref(), Some("3"));
}

#[test]
fn what_is_wrong_with_a_large_cassette_is_told_with_its_line_wherever_it_stands() {
    let text = large(3000);
    for (n, wrong, right, why) in [
        (2, "\"status\": 20", "\"status\": 200", "status 20 is not between 100 and 999"),
        (1500, "\"odd\": 1,\n        \"target\": ", "\"target\": ", "unknown field `odd`"),
        (2999, "\"reason\": \"O\\u0001K\"", "\"reason\": \"OK\"", "byte 0x01 may not stand in a head"),
    ] {
        let at = text.find(&format!("\"i-{n}\"")).unwrap();
        let (before, after) = text.split_at(at);
        let broken = format!("{before}{}", after.replacen(right, wrong, 1));
        let place = at + after.find(right).unwrap();
        let expected = broken[..place].matches('\n').count() + 1;
        match Cassette::parse("c", &broken) {
            Err(CassetteError::Invalid { message, line, .. }) => {
                assert!(message.contains(why), "{message}");
                assert_eq!(line, expected, "{message}");
            }
            other => panic!("{n}: {:?}", other.map(|cassette| cassette.interactions.len())),
        }
    }
    // Cut off, and with something behind it.
    for broken in [&text[..text.len() / 2], &format!("{text}{{}}")] {
        assert!(matches!(Cassette::parse("c", broken), Err(CassetteError::Invalid { line, .. }) if line > 1));
    }
}

//! What is remembered (parts, names, structures) never changes what comes out: a redactor that remembers all it can, beside
//! one that knows the same secrets and is made to forget everything else before each message.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use proptest::prelude::*;

use super::memory::Memory;
use super::{Redactor, Rules, names, structures};
use crate::message::{Request, Response};

fn forget_all(redactor: &Redactor) {
    redactor.known().memory = Memory::default();
    structures::forget();
    names::forget();
}

/// JSON without its leaves; `#` stands for each of them.
fn shape() -> impl Strategy<Value = String> {
    let name = prop::sample::select(vec![
        "id",
        "name",
        "key",
        "header",
        "value",
        "values",
        "text",
        "data",
        "token",
        "password",
        "session",
        "SEC",
        "note",
        "state",
        "apiKey",
        "to\\u006ben",
        "авторизация",
        "Kennwörter",
        "public_key",
        "2",
        "",
    ]);
    Just("#".to_owned()).prop_recursive(4, 20, 5, move |inner| {
        let member = (name.clone(), inner.clone()).prop_map(|(name, value)| format!("\"{name}\":{value}"));
        prop_oneof![
            4 => prop::collection::vec(member, 0..5).prop_map(|members| format!("{{{}}}", members.join(", "))),
            2 => prop::collection::vec(inner.clone(), 0..4).prop_map(|all| format!("[{}]", all.join(","))),
            2 => (inner.clone(), 1..4_usize).prop_map(|(one, many)| format!("[{}]", vec![one; many].join(","))),
            // No JSON: cut short, or with something between.
            1 => (inner.clone(), 0..60_usize).prop_map(|(text, at)| text.chars().take(at).collect()),
            1 => prop::collection::vec(inner, 1..4).prop_map(|all| format!("[{}]", all.join(" "))),
        ]
    })
}

/// Values of every kind, as they stand in JSON.
fn leaf() -> impl Strategy<Value = String> {
    let secret = prop::sample::select(vec![
        "9f2c4e8a01b79f2c".to_owned(),
        "Zürich-17-q8!kk".to_owned(),
        "c4n4ry/Tok+en".to_owned(),
        "x7".to_owned(),
        "0k".repeat(40),
    ]);
    let text = prop_oneof![
        4 => secret.clone(),
        1 => secret.clone().prop_map(|it| format!("token={it}")),
        1 => secret.clone().prop_map(|it| format!("Bearer {it}")),
        1 => secret.clone().prop_map(|it| STANDARD.encode(format!("password: {it}"))),
        1 => secret.clone().prop_map(|it| it.bytes().map(|byte| format!("%{byte:02x}")).collect()),
        1 => secret.clone().prop_map(|it| format!("{{\"password\":\"{it}\"}}")),
        1 => secret.prop_map(|it| format!("[{{\"name\":\"token\",\"value\":\"{it}\"}}]")),
        6 => prop::sample::select(vec![
            "password", "token", "--token", "SEC", "COMPLETE", "one of very many", "", "ä", "-v", "a=b", "fd-secret-1",
        ])
        .prop_map(str::to_owned),
    ];
    prop_oneof![
        6 => text.clone().prop_map(|text| serde_json::Value::from(text).to_string()),
        1 => text.prop_map(|text| format!("\"{}\"", text.chars().map(|c| format!("\\u{:04x}", u32::from(c))).collect::<String>())),
        2 => prop::sample::select(vec!["null", "true", "17", "9876543210123", "-1.5e3", ""]).prop_map(str::to_owned),
    ]
}

/// The same few shapes again and again with other values in them, and beside each a value for the heads.
fn bodies() -> impl Strategy<Value = Vec<(String, String)>> {
    let leaves = || prop::collection::vec(leaf(), 1..6);
    let filled = |shape: &str, leaves: &[String]| {
        let (mut leaves, mut parts) = (leaves.iter().cycle(), shape.split('#'));
        let first = parts.next().unwrap_or_default().to_owned();
        parts.fold(first, |out, part| out + leaves.next().map_or("", String::as_str) + part)
    };
    let many = prop::collection::vec((any::<prop::sample::Index>(), leaves(), leaf()), 2..6);
    (prop::collection::vec(shape(), 1..4), many).prop_map(move |(shapes, many)| {
        many.into_iter()
            .map(|(at, leaves, head)| (filled(at.get::<String>(&shapes), &leaves), head))
            .collect()
    })
}

fn rules(which: u8) -> Rules {
    let mut rules = Rules::default();
    let added = match which {
        0 => rules.add("note"),
        1 => rules.add("/data"),
        2 => rules.add("regex:very ([a-z]+)"),
        _ => Ok(()),
    };
    added.unwrap();
    rules
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(250))]
    #[test]
    fn what_is_remembered_changes_nothing(bodies in bodies(), which in 0..8_u8) {
        let messages: Vec<(Request, Response)> = bodies
            .into_iter()
            .map(|(body, head)| {
                let head: String = head.chars().filter(|c| !c.is_control()).collect();
                let mut request = Request::new("POST", &format!("/api/x?note={}", head.replace(' ', "+")));
                request = request.with("SEC", "5ec-0f-th1s-0ne").with("X-Note", &head).with("Cookie", &format!("a={head}"));
                request.body = body.clone().into();
                (request, Response::json(200, body))
            })
            .collect();
        let (warm, cold) = (Redactor::new().with_rules(rules(which)), Redactor::new().with_rules(rules(which)));
        // Twice, so that all that can be remembered is.
        let all = || messages.iter().chain(&messages);
        structures::forget();
        names::forget();
        let quick: Vec<_> = all().map(|(asked, answer)| (warm.request(asked), warm.response(answer))).collect();
        for ((asked, answer), quick) in all().zip(quick) {
            forget_all(&cold);
            let slow_request = cold.request(asked);
            forget_all(&cold);
            let slow = (slow_request, cold.response(answer));
            prop_assert_eq!(&quick, &slow);
            let shown = format!("{quick:?}{:?}", quick.1.text());
            prop_assert!(!shown.contains("5ec-0f-th1s-0ne"));
        }
    }
}

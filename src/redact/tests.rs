use base64::engine::general_purpose::STANDARD;

use super::*;

const TOKEN: &str = "c4n4ry/Tok+en \"q\" 0123456789";

fn all_text(request: &Request) -> String {
    let lines: String =
        request.headers.iter().map(|line| format!("{}: {}\n", line.name, line.text())).collect();
    format!("{} {}\n{lines}\n{}", request.method, request.target, String::from_utf8_lossy(&request.body))
}

#[test]
fn credentials_are_replaced_in_their_places_and_keep_their_form() {
    let redactor = Redactor::new();
    let request = Request::new("GET", "/api/x?a=1&access_token=q%20q&token=&fields=id")
        .with("SEC", "abc")
        .with("authorization", "Basic dXNlcjpwYXNzd29yZC0x")
        .with("Cookie", "SEC=abc; JSESSIONID=\"zz\"")
        .with("QRadarCSRF", "abc")
        .with("X-Api-Key", "kkk");
    let out = redactor.request(&request);
    assert_eq!(out.target, "/api/x?a=1&access_token=fd-secret-1&token=&fields=id");
    let values: Vec<String> = out.headers.iter().map(|line| line.text().into_owned()).collect();
    assert_eq!(
        values,
        [
            "fd-secret-2",
            "Basic fd-secret-3",
            "SEC=fd-secret-2; JSESSIONID=fd-secret-4",
            "fd-secret-2",
            "fd-secret-5"
        ]
    );
    assert!(out.has_credentials());
    assert_eq!(redactor.request(&out), out, "redaction is idempotent");
    assert!(open_in_request(&out, &Rules::default()).is_empty());
    assert_eq!(open_in_request(&request, &Rules::default()).len(), 7);
    assert_eq!(
        redactor.text("it says password-1 and user:password-1"),
        "it says fd-secret-3 and fd-secret-3"
    );
}

#[test]
fn set_cookie_keeps_its_name_and_attributes() {
    let redactor = Redactor::new();
    let mut response = Response::json(
        200,
        r#"{"sec":"abcd-123","x":"say abcd-123","n":null,"token":12345678,"y":[912345678]}"#,
    );
    response.headers.push("Set-Cookie", "SEC=abcd-123; Path=/; Secure");
    let out = redactor.response(&response);
    assert_eq!(out.headers.text("set-cookie").as_deref(), Some("SEC=fd-secret-1; Path=/; Secure"));
    assert_eq!(
        out.text(),
        Some(
            r#"{"sec":"fd-secret-1","x":"say fd-secret-1","n":null,"token":"fd-secret-2","y":["fd-secret-2"]}"#
        )
    );
    assert_eq!(out.headers.text("content-length").as_deref(), Some(out.body.len().to_string().as_str()));
}

#[test]
fn a_known_value_is_found_in_every_spelling() {
    let redactor = Redactor::new();
    redactor.learn_request(&Request::new("GET", "/").with("SEC", TOKEN));
    let quoted = serde_json::Value::from(TOKEN).to_string();
    let unicode: String = TOKEN.bytes().map(|byte| format!("\\u{byte:04X}")).collect();
    let percent: String = TOKEN.bytes().map(|byte| format!("%{byte:02x}")).collect();
    let mixed = percent.replacen("%2f", "/", 0).replacen("63", "c", 0).replacen("%63", "c", 1);
    let mut request = Request::new(
        "GET",
        &format!("/api/{mixed}/{}?x={percent}&y=a{}", percent.replace('%', "%25"), STANDARD.encode(TOKEN)),
    );
    request = request
        .with("X-Other", &format!("pre{TOKEN}post"))
        .with("X-B", &STANDARD.encode(format!("u:{TOKEN}")));
    request.body = format!("{{{quoted}:[{quoted},\"{unicode}\"],\"z\":1.00}}").into();
    let out = redactor.request(&request);
    let text = all_text(&out);
    assert_eq!(out.body, r#"{"fd-secret-1":["fd-secret-1","fd-secret-1"],"z":1.00}"#);
    assert_eq!(text.matches("fd-secret-1").count(), 9, "{text}");
    assert!(!text.contains(TOKEN.get(..8).unwrap()), "{text}");
    assert!(!text.contains("%2f") && !text.contains("%252f"), "{text}");
}

#[test]
fn a_short_value_is_replaced_in_its_own_place_only() {
    let redactor = Redactor::new();
    let mut request = Request::new("GET", "/api/state?token=state");
    request.body = br#"{"state":"state","secret":"state"}"#[..].into();
    let out = redactor.request(&request);
    assert_eq!(out.target, "/api/state?token=fd-secret-1");
    assert_eq!(out.body, r#"{"state":"state","secret":"fd-secret-1"}"#);
}

#[test]
fn other_bytes_of_a_body_stay_as_they_are() {
    let redactor = Redactor::new();
    redactor.learn("abcdefghij1");
    let body =
        r#"{ "a" : 1.00, "b":1E5,"b":"é\u00e9\/", "password":"" , "c": 123456789012345678901234567890 }"#;
    let response = Response::json(200, body);
    assert_eq!(redactor.response(&response), response);
}

#[test]
fn debug_shows_no_value() {
    let redactor = Redactor::new();
    redactor.learn(TOKEN);
    assert_eq!(format!("{redactor:?}"), "Redactor { secrets: 1 }");
}

#[test]
fn a_full_redactor_still_hides_values_in_their_place() {
    let redactor = Redactor::new();
    for n in 0..=SECRETS_MAX {
        redactor.learn(&format!("s{n}"));
    }
    assert!(redactor.is_full());
    let out = redactor.request(&Request::new("GET", "/").with("SEC", "another one"));
    assert_eq!(out.headers.text("SEC").as_deref(), Some("fd-secret-0"));
}

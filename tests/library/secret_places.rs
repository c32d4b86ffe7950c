//! A secret that nobody knows of is found by the place it stands in: taken out of what is written, and told by `lint`
//! where somebody put it into a file by hand.

use std::fmt::Write as _;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use faultdeck::cassette::{Cassette, Interaction};
use faultdeck::message::{Request, Response};
use faultdeck::profile::Profile;
use faultdeck::redact::{Redactor, Rules};

/// What nobody has said to be a secret.
const SECRET: &str = "9hX2-kq7RtZ0wLm5";
/// One that is a web token by its form.
const WEB_TOKEN: &str = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiI5aFgyIn0.c2lnbmF0dXJlLTk5";

/// A request or a response with the secret somewhere in it.
enum Message {
    Asked(Request),
    Answered(Response),
}

fn asked(name: &str, value: &str) -> Message {
    Message::Asked(Request::new("GET", "/api/x").with(name, value))
}

fn target(target: &str) -> Message {
    Message::Asked(Request::new("GET", target))
}

fn sent(kind: &str, body: &str) -> Message {
    let mut request = Request::new("POST", "/api/x").with("Content-Type", kind);
    request.body = body.to_owned().into();
    Message::Asked(request)
}

fn answered(name: &str, value: &str) -> Message {
    let mut response = Response::new(200);
    response.headers.push(name, value.to_owned());
    Message::Answered(response)
}

fn body(kind: &str, body: impl Into<Vec<u8>>) -> Message {
    Message::Answered(Response::with_body(200, kind, body.into()))
}

fn json(text: &str) -> Message {
    body("application/json", text)
}

fn text(text: &str) -> Message {
    body("text/plain", text)
}

fn html(text: &str) -> Message {
    body("text/html", text)
}

fn xml(text: &str) -> Message {
    body("application/xml", text)
}

fn in_heads() -> Vec<Message> {
    let s = SECRET;
    let basic = BASE64_STANDARD.encode(format!("admin:{s}"));
    let mut late = Response::new(200);
    late.trailers.push("X-Auth-Token", s);
    let mut odd = Response::new(401);
    odd.reason = format!("bad token={s}").into();
    vec![
        asked("SEC", s),
        asked("sec", s),
        asked("Authorization", &format!("Bearer {s}")),
        asked("Authorization", &format!("Basic {basic}")),
        asked("Authorization", s),
        asked("Authorization", &format!("Digest username=\"u\", response=\"{s}\"")),
        asked("Proxy-Authorization", &format!("Basic {basic}")),
        asked("Cookie", &format!("a=b; SEC={s}")),
        asked("Cookie", &format!("JSESSIONID=\"{s}\"; x=1")),
        asked("QRadarCSRF", s),
        asked("X-API-Key", s),
        asked("X-Auth-Token", s),
        asked("X-CSRF-TOKEN", s),
        asked("X-Session-Id", s),
        asked("X-Amz-Security-Token", s),
        asked("X-QRD-Encryption-Password", s),
        asked("X-Session", s),
        asked("X-Original-URL", &format!("/api?token={s}")),
        asked("X-Forwarded-Auth", &format!("Bearer {s}")),
        asked("Referer", &format!("https://h/x?access_token={s}&y=1")),
        target(&format!("/api/x?token={s}")),
        target(&format!("/api/x?a=1&apiKey={s}&b=2")),
        target(&format!("/api/x?session_id={s}")),
        target(&format!("/api/x;jsessionid={s}?a=1")),
        target(&format!("/api/x?user%5Bpassword%5D={s}")),
        target(&format!("/api/x?next=https%3A%2F%2Fh%2Fy%3Ftoken%3D{s}")),
        target(&format!("/api/x?next=https%3A%2F%2Fu%3A{s}%40h%2F")),
        target(&format!("/api/x?q=%7B%22password%22%3A%22{s}%22%7D")),
        target(&format!("/api/token/{s}")),
        target(&format!("/api/session/{s}/renew")),
        answered("Set-Cookie", &format!("SEC={s}; Path=/; Secure")),
        answered("Set-Cookie", &format!("LtpaToken2={s}")),
        answered("Location", &format!("https://h/cb?code=1&access_token={s}")),
        answered("Location", &format!("https://h/cb#access_token={s}&x=1")),
        answered("Location", &format!("https://user:{s}@h/")),
        answered("Location", &format!("https://{s}@h/")),
        answered("Link", &format!("<https://h/x?token={s}&page=2>; rel=\"next\"")),
        answered("Refresh", &format!("5; url=https://h/?token={s}")),
        answered("Content-Location", &format!("/x?api_key={s}")),
        answered("X-Auth-Token", s),
        answered("X-Debug", &format!("user=bob, token={s}, n=1")),
        answered("X-Jwt-Assertion", WEB_TOKEN),
        answered("X-Whatever", WEB_TOKEN),
        Message::Answered(late),
        Message::Answered(odd),
    ]
}

fn in_json() -> Vec<Message> {
    let s = SECRET;
    let mut all: Vec<Message> = [
        "token",
        "password",
        "secret",
        "api_key",
        "apiKey",
        "apikey",
        "access_token",
        "clientSecret",
        "secret_key",
        "private_key",
        "authorization",
        "auth",
        "jwt",
        "session",
        "session_id",
        "sessionId",
        "pwd",
        "pass",
        "passphrase",
        "credential",
        "credentials",
        "csrf",
        "Cookie",
        "SEC",
        "db_password",
        "PASSWORD",
        "user.password",
        "refreshToken",
        "encryptionKey",
        "passwd",
        "tokens",
        "authToken",
        "sharedSecret",
        "accessKey",
    ]
    .iter()
    .map(|name| json(&format!("{{\"id\":1,\"{name}\":\"{s}\",\"z\":2}}")))
    .collect();
    let inner = format!("{{\\\"user\\\":\\\"u\\\",\\\"password\\\":\\\"{s}\\\"}}");
    let escaped = s.bytes().fold(String::new(), |mut out, byte| {
        let _ = write!(out, "\\u{byte:04x}");
        out
    });
    all.extend([
        json(&format!("{{\"tokens\":[\"a\",\"{s}\"]}}")),
        json(&format!("{{\"credentials\":{{\"user\":\"u\",\"value\":\"{s}\"}}}}")),
        json(&format!("{{\"password\":\"{escaped}\"}}")),
        json(&format!("{{\"pass\\u0077ord\":\"{s}\"}}")),
        json(&format!("{{\"a\":\"{inner}\"}}")),
        json(&format!("{{\"a\":\"{}\"}}", inner.replace('\\', "\\\\\\"))),
        json(&format!("{{\"a\":\"{{\\\"tokens\\\":[\\\"{s}\\\"]}}\"}}")),
        json(&format!("{{\"a\":\"{}\"}}", BASE64_STANDARD.encode(format!("{{\"password\":\"{s}\"}}")))),
        json(&format!("{{\"url\":\"https://h/x?token={s}\"}}")),
        json(&format!("{{\"url\":\"https:\\/\\/u:{s}@h\\/\"}}")),
        json(&format!("{{\"log\":\"request failed: Authorization: Bearer {s}\"}}")),
        json(&format!("{{\"cmd\":\"curl -H 'SEC: {s}' https://h/\"}}")),
        json(&format!("{{\"cmd\":\"curl -u admin:{s} https://h/\"}}")),
        json(&format!("{{\"cmd\":\"tool --api-key {s} -v\"}}")),
        json(&format!("{{\"argv\":[\"tool\",\"--token\",\"{s}\"]}}")),
        json(&format!("{{\"headers\":[[\"SEC\",\"{s}\"]]}}")),
        json(&format!("{{\"headers\":[{{\"name\":\"SEC\",\"value\":\"{s}\"}}]}}")),
        json(&format!("[{{\"id\":2,\"value\":\"{s}\",\"name\":\"remotePassword\"}}]")),
        json(&format!("{{\"key\":\"api_key\",\"values\":[\"{s}\"]}}")),
        json(&format!("{{\"t\":\"{WEB_TOKEN}\"}}")),
        json(&format!(
            "{{\"k\":\"-----BEGIN RSA PRIVATE KEY-----\\nMIIE{s}\\n-----END RSA PRIVATE KEY-----\\n\"}}"
        )),
        json(&format!("{{\"message\":\"password={s} is wrong\"}}")),
        json(&format!("{{\"message\":\"the token: {s}, is no longer valid\"}}")),
        json(&format!("{{\"token\":\"{s}")),
        body("application/x-ndjson", format!("{{\"a\":1}}\n{{\"token\":\"{s}\"}}\n")),
        body("text/event-stream", format!("event: x\ndata: {{\"token\":\"{s}\"}}\n\n")),
        body("application/javascript", format!("cb({{\"token\":\"{s}\"}});")),
        body("application/json", format!("\u{feff}{{\"token\":\"{s}\"}}")),
        body(
            "application/json",
            [b"{\"name\":\"Z\xfcrich\",\"token\":\"".as_slice(), s.as_bytes(), b"\"}"].concat(),
        ),
        body("application/json", wide(&format!("{{\"token\":\"{s}\"}}"))),
        body("application/json", wide(&format!("\u{feff}{{\"token\":\"{s}\"}}"))),
    ]);
    all
}

fn wide(text: &str) -> Vec<u8> {
    text.encode_utf16().flat_map(u16::to_le_bytes).collect()
}

fn in_text() -> Vec<Message> {
    let s = SECRET;
    let part = |name: &str, value: &str| {
        format!("--b\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n--b--\r\n")
    };
    vec![
        sent("application/x-www-form-urlencoded", &format!("user=u&password={s}")),
        sent("application/x-www-form-urlencoded", &format!("a=b&client_secret={s}&c=d")),
        sent("text/plain", &format!("user=u&password={s}")),
        sent("multipart/form-data; boundary=b", &part("password", s)),
        sent("multipart/form-data; boundary=b", &part("data", &format!("{{\"token\":\"{s}\"}}"))),
        body("multipart/mixed; boundary=b", part("api_key", s)),
        text(&format!("token: {s}")),
        text(&format!("user: u\npassword: {s}\n")),
        text(&format!("  api_key = {s}\n")),
        text(&format!("API key: {s}")),
        text(&format!("export SEC_TOKEN={s}\n")),
        text(&format!("$env:API_KEY = \"{s}\"")),
        text(&format!("Authorization: Bearer {s}")),
        text(&format!("GET /x HTTP/1.1\r\nHost: h\r\nSEC: {s}\r\n\r\n")),
        text(&format!("Cookie: a=b; JSESSIONID={s}")),
        text(&format!("Set-Cookie: SEC={s}; Path=/")),
        text(&format!("curl -H \"SEC: {s}\" https://h/")),
        text(&format!("curl --user admin:{s} https://h/")),
        text(&format!("mysql://root:{s}@db/x")),
        text(&format!("jdbc:db2://h:1/x:user=u;password={s};")),
        text(&format!("Server=h;User Id=u;Password={s}")),
        text(&format!("{{'token': '{s}'}}")),
        text(&format!("headers = [('SEC', '{s}')]")),
        text(&format!("{{token: '{s}', n: 1}}")),
        text(&format!("Map{{user=u, token={s}, n=1}}")),
        text(&format!("array('password' => '{s}')")),
        text(&format!("login with Bearer {s} failed")),
        text(&format!("a token {WEB_TOKEN} somewhere")),
        text(&format!("-----BEGIN PRIVATE KEY-----\nMIIE{s}\n-----END PRIVATE KEY-----\n")),
        text(&format!("-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNz{s}")),
        text(&format!("{{&quot;token&quot;:&quot;{s}&quot;}}")),
        text(&format!("%7B%22token%22%3A%22{s}%22%7D")),
        text(&BASE64_STANDARD.encode(format!("{{\"token\":\"{s}\"}}"))),
        text(&format!("Authorization: Basic {}", BASE64_STANDARD.encode(format!("u:{s}")))),
        body("text/csv", format!("user,token,n\r\nu,{s},1\r\n")),
        body("text/csv", format!("\"user\";\"password\"\n\"u\";\"{s}\"\n")),
        body("text/csv", format!("token\n{s}\n")),
        body("text/tab-separated-values", format!("user\tapi_key\nu\t{s}\n")),
        xml(&format!("<a><password>{s}</password></a>")),
        xml(&format!("<a><w:Password Type='x'>\n  {s}\n</w:Password></a>")),
        xml(&format!("<a><token><![CDATA[{s}]]></token></a>")),
        xml(&format!("<a><signingKey>{s}</signingKey></a>")),
        xml(&format!("<a password=\"{s}\" n='1'/>")),
        xml(&format!("<a apiKey='{s}'>x</a>")),
        xml(&format!("<p name=\"password\" value=\"{s}\"/>")),
        xml(&format!("<p value=\"{s}\" name=\"password\"/>")),
        xml(&format!("<property name=\"db.password\">{s}</property>")),
        xml(&format!("<property name=\"db.password\"><value>{s}</value></property>")),
        xml(&format!("<entry key=\"secret\">{s}</entry>")),
        xml(&format!("<dict><key>token</key><string>{s}</string></dict>")),
        xml(&format!("<p><name>password</name><value>{s}</value></p>")),
        xml(&format!("<a>&lt;password&gt;{s}&lt;/password&gt;</a>")),
        html(&format!("<input type=\"hidden\" name=\"csrf_token\" value=\"{s}\">")),
        html(&format!("<input type=password value={s}>")),
        html(&format!("<meta name=\"csrf-token\" content=\"{s}\">")),
        html(&format!("<a href=\"/x?token={s}&amp;y=1\">x</a>")),
        html(&format!("<a href=\"/x?y=1&amp;token={s}\">x</a>")),
        html(&format!("<script>var token = \"{s}\";</script>")),
        html(&format!("<script>window.cfg = {{ sessionId: '{s}' }}</script>")),
        html(&format!("<table><tr><th>API key</th><td>{s}</td></tr></table>")),
        html(&format!("<!-- password: {s} -->")),
    ]
}

fn cassette(message: &Message) -> Cassette {
    let (request, response) = match message {
        Message::Asked(request) => (request.clone(), Response::new(204)),
        Message::Answered(response) => (Request::new("GET", "/api/x"), response.clone()),
    };
    let interaction = Interaction {
        id: "x".to_owned(),
        endpoint: "".into(),
        request,
        response,
        by_recorder: false,
        moment: 0,
        notes: Vec::new(),
    };
    Cassette { interactions: vec![interaction], ..Cassette::default() }
}

/// All that a message says, in every form in which the secret could stand in it.
fn shown(cassette: &Cassette) -> String {
    let it = &cassette.interactions[0];
    let mut all = format!("{} {}", it.request.target, String::from_utf8_lossy(&it.response.reason));
    let lines =
        it.request.headers.iter().chain(it.response.headers.iter()).chain(it.response.trailers.iter());
    lines.for_each(|line| write!(all, "\n{}: {}", line.name, line.text()).unwrap());
    for body in [&it.request.body, &it.response.body] {
        let narrow: Vec<u8> = body.iter().copied().filter(|byte| *byte != 0).collect();
        let text = String::from_utf8_lossy(&narrow).into_owned();
        write!(all, "\n{text}").unwrap();
        for word in text.split(|c: char| !c.is_ascii_alphanumeric() && !"+/=".contains(c)) {
            let bytes = BASE64_STANDARD.decode(word).unwrap_or_default();
            write!(all, "\n{}", String::from_utf8_lossy(&bytes)).unwrap();
        }
    }
    // Values in credentials of the Basic kind.
    for word in all.clone().split_whitespace() {
        let bytes = BASE64_STANDARD.decode(word).unwrap_or_default();
        write!(all, "\n{}", String::from_utf8_lossy(&bytes)).unwrap();
    }
    all
}

fn is_open(cassette: &Cassette) -> bool {
    let all = shown(cassette);
    let escaped = SECRET.bytes().fold(String::new(), |mut out, byte| {
        let _ = write!(out, "\\u{byte:04x}");
        out
    });
    all.contains(SECRET) || all.contains(WEB_TOKEN) || all.contains(&escaped)
}

#[test]
fn a_secret_that_nobody_knows_is_found_by_its_place() {
    let (mut open, mut missed) = (Vec::new(), Vec::new());
    let all: Vec<Message> = in_heads().into_iter().chain(in_json()).chain(in_text()).collect();
    let many = all.len();
    for message in all {
        let before = cassette(&message);
        assert!(is_open(&before), "the test looks in the wrong place: {}", shown(&before));
        if before.unredacted().is_empty() {
            missed.push(shown(&before));
        }
        let mut after = before.clone();
        after.canonicalise(Profile::builtin());
        if is_open(&after) || !shown(&after).contains("fd-secret-1") {
            open.push(shown(&after));
        }
        let mut again = after.clone();
        again.canonicalise(Profile::builtin());
        assert_eq!(again, after, "redaction is idempotent");
        assert!(after.unredacted().is_empty(), "{:?}", after.unredacted());
    }
    assert!(open.is_empty(), "{} of {many} are open:\n{}", open.len(), open.join("\n---\n"));
    assert!(missed.is_empty(), "lint misses {} of {many}:\n{}", missed.len(), missed.join("\n---\n"));
}

#[test]
fn the_password_of_a_pair_is_known_wherever_the_pair_stood() {
    let basic = BASE64_STANDARD.encode(format!("admin:{SECRET}"));
    for body in [
        format!("{{\"authorization\":\"Basic {basic}\",\"echo\":\"it was {SECRET}\"}}"),
        format!("Authorization: Basic {basic}\nit was {SECRET}\n"),
    ] {
        let out = Redactor::new().response(&Response::with_body(200, "text/plain", body));
        let text = out.text().unwrap();
        assert!(
            !text.contains(SECRET) && !text.contains(&basic) && text.contains("it was fd-secret-1"),
            "{text}"
        );
    }
}

#[test]
fn json_stays_json_and_all_else_in_it_stays_as_it_was() {
    for message in in_json() {
        let Message::Answered(response) = message else { continue };
        let Some(text) =
            response.text().filter(|text| serde_json::from_str::<serde_json::Value>(text).is_ok())
        else {
            continue;
        };
        let out = Redactor::new().response(&response);
        let out: serde_json::Value =
            serde_json::from_slice(&out.body).unwrap_or_else(|error| panic!("{error}: {text}"));
        let before: serde_json::Value = serde_json::from_str(text).unwrap();
        let names =
            |value: &serde_json::Value| value.as_object().map(|it| it.keys().cloned().collect::<Vec<_>>());
        assert_eq!(names(&out), names(&before), "{text}");
    }
}

#[test]
fn what_is_no_credential_stays() {
    for body in [
        r#"{"token_count":12,"session_timeout":300,"is_password_set":true,"authenticated":"yes","key":"abc-123-def-456"}"#,
        r#"{"password":null,"token":false,"secret":"","author":"Jane Q. 77","passed":"all-of-9f2c4e8a"}"#,
        r#"{"message":"No SEC token was given","description":"The password: it is required"}"#,
        r#"{"auth":"basic","session":"12","cookie":"none","token":123,"session_ids":["a1b2c3d4e5f6"]}"#,
        r#"{"type":"password","label":"Password","data":"Enter your password here"}"#,
        r#"{"session":{"uid":"9hX2-kq7RtZ0wLm5","created_time":1700000000000}}"#,
        "<html><label>Password</label><input type=\"password\" name=\"password\"></html>",
        "<p>Your token has expired. Password: required.</p>",
        "if (token == null) { token = getToken(); }",
        "a,b\n1,2\n",
        "host=h&path=/x:y&state=COMPLETED",
    ] {
        let response = Response::with_body(200, "text/html", body);
        assert_eq!(Redactor::new().response(&response).text(), Some(body));
    }
}

/// What is documented of the API and named like a credential; each was looked at. `authorizations`, `authorisation` and
/// `session` are objects there, `auth` and `authorization` are segments of paths: they hide nothing but a text that looks
/// like a secret.
const DOCUMENTED: [&str; 10] = [
    "auth",
    "authorisation",
    "authorization",
    "authorizations",
    "key_password",
    "old_password",
    "password",
    "session",
    "token",
    "x-qrd-encryption-password",
];

/// Every name that the profiles know: members, parameters, error texts.
fn documented() -> Vec<String> {
    let text = format!("{:?}", Profile::builtin().endpoints().collect::<Vec<_>>());
    let words = text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_' && c != '-');
    let mut names: Vec<String> =
        words.filter(|word| word.starts_with(|c: char| c.is_ascii_lowercase())).map(str::to_owned).collect();
    names.sort();
    names.dedup();
    names
}

#[test]
fn no_documented_name_of_the_api_is_taken_for_a_credential_but_these() {
    let names = documented();
    assert!(names.len() > 50, "the profiles are read: {}", names.len());
    let hits: Vec<&String> = (names.iter())
        .filter(|name| faultdeck::redact::is_credential_name(name) && !DOCUMENTED.contains(&name.as_str()))
        .collect();
    assert!(hits.is_empty(), "{hits:?}");
}

#[test]
fn whatever_stands_under_another_documented_name_stays_to_the_byte() {
    use proptest::prelude::{Just, Strategy, prop_assert_eq, prop_oneof};
    let name = proptest::sample::select(
        documented().into_iter().filter(|name| !DOCUMENTED.contains(&name.as_str())).collect::<Vec<_>>(),
    );
    let value = prop_oneof![
        crate::laws::text("[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{12}").prop_map(|text| format!("\"{text}\"")),
        crate::laws::text("[A-Za-z0-9 .,:/_-]{0,30}")
            .prop_map(|text| serde_json::Value::from(text).to_string()),
        (0_u64..2_000_000_000_000).prop_map(|number| number.to_string()),
        Just("null".to_owned()),
        Just("true".to_owned()),
        Just("[{\"id\":1.00,\"state\":\"COMPLETE\"}]".to_owned()),
    ];
    crate::laws::holds(1_000, proptest::collection::vec((name, value), 1..8), |members| {
        let members: Vec<String> =
            members.iter().map(|(name, value)| format!("\"{name}\":{value}")).collect();
        let response = Response::json(200, format!("{{{}}}", members.join(",")));
        prop_assert_eq!(&Redactor::new().response(&response), &response);
        Ok(())
    });
}

#[test]
fn rules_of_the_users_own_are_kept() {
    let mut rules = Rules::default();
    for rule in ["customerNumber", "/data/*/owner", "regex:CUST-([0-9]{4})"] {
        rules.add(rule).unwrap();
    }
    let response = Response::json(
        200,
        r#"{"customer_number":17,"data":[{"owner":"Bob","n":1},{"owner":["Eve"]}],"note":"CUST-1234 and CUST\u002d5678"}"#,
    );
    let redactor = Redactor::new().with_rules(rules);
    let out = redactor.response(&response);
    assert_eq!(
        out.text(),
        Some(
            r#"{"customer_number":"fd-secret-1","data":[{"owner":"fd-secret-2","n":1},{"owner":["fd-secret-3"]}],"note":"CUST-fd-secret-4 and CUST\u002dfd-secret-5"}"#
        )
    );
    assert_eq!(redactor.response(&out), out);
    let request = Request::new("GET", "/x?customer-number=17&y=CUST-9999").with("X-Customer-Number", "17");
    assert_eq!(redactor.request(&request).target, "/x?customer-number=fd-secret-1&y=CUST-fd-secret-6");
}

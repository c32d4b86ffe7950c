use super::super::put_base;
use super::*;

fn post(body: &str) -> Request {
    let mut request =
        Request::new("POST", "/api/forensics/case_management/cases").with("Content-Type", "application/json");
    request.body = body.to_owned().into();
    request
}

#[test]
fn a_user_placeholder_matches_any_user_and_binds_it() {
    let recorded = post(r#"{"name":"x","assigned_to":["user-1"]}"#);
    let bindings = bind(&recorded, &post(r#"{"assigned_to":["al\"ice"],"name":"x"}"#)).unwrap();
    assert_eq!(bindings.0.get("user-1").map(String::as_str), Some("al\"ice"));
    let mut response =
        Response::json(201, r#"{"id": 1.00,"assigned_to": ["user-1", "user-2"],"name":"user-1"}"#);
    bindings.apply(&mut response);
    assert_eq!(response.text(), Some(r#"{"id": 1.00,"assigned_to": ["al\"ice", "user-2"],"name":"user-1"}"#));
    assert!(bind(&recorded, &post(r#"{"assigned_to":["alice"],"name":"y"}"#)).is_none());
    assert!(bind(&recorded, &post(r#"{"assigned_to":["alice","bob"],"name":"x"}"#)).is_none());
    assert!(bind(&post(r#"{"name":"user-1"}"#), &post(r#"{"name":"alice"}"#)).is_none());
}

#[test]
fn a_host_placeholder_binds_within_a_text() {
    let recorded = Request::new("GET", "/api/x?filter=host%20%3D%20%22host-1%22");
    let live = Request::new("GET", "/api/x?filter=host%20%3D%20%22other.example%3A443%22");
    let bindings = bind(&recorded, &live).unwrap();
    let mut response = Response::json(200, r#"{"h":"https://host-1/x","g":"host-12 host-"}"#);
    bindings.apply(&mut response);
    assert_eq!(response.text(), Some(r#"{"h":"https://other.example:443/x","g":"host-12 host-"}"#));
}

#[test]
fn a_console_leaves_and_the_listener_comes() {
    let console = Console::new("https", "console.example", 443);
    let mut response = Response::json(
        201,
        r#"{"u":"https:\/\/Console.example\/x","v":"myconsole.example","w":"console.example.org, console.example."}"#,
    );
    response.headers.push("Location", "https://console.example/api/x?y#z");
    response.headers.push("Location", "https://console.example.org/api");
    response.headers.push("Set-Cookie", "SEC=x; Domain=.console.example; Path=/");
    console.leave_response(&mut response);
    assert_eq!(
        response.text(),
        Some(r#"{"u":"https:\/\/host-1\/x","v":"myconsole.example","w":"console.example.org, host-1."}"#)
    );
    put_base(&mut response, "http://127.0.0.1:8080");
    let values: Vec<String> = response.headers.iter().skip(2).map(|line| line.text().into_owned()).collect();
    assert_eq!(
        values,
        [
            "http://127.0.0.1:8080/api/x?y#z",
            "https://console.example.org/api",
            "SEC=x; Domain=127.0.0.1; Path=/"
        ]
    );

    let mut request = Request::new("GET", "/api/x")
        .with("Host", "127.0.0.1:8080")
        .with("Referer", "http://127.0.0.1:8080/a");
    console.leave_request(&mut request, "http://127.0.0.1:8080");
    assert_eq!(request.headers.text("Host").as_deref(), Some("{base}"));
    assert_eq!(request.headers.text("Referer").as_deref(), Some("{base}/a"));
}

#[test]
fn a_console_named_by_one_word_is_replaced_in_urls_only() {
    let console = Console::new("http", "console", 80);
    let mut response = Response::json(200, r#"{"a":"the console","b":"http://console/x"}"#);
    console.leave_response(&mut response);
    assert_eq!(response.text(), Some(r#"{"a":"the console","b":"http://host-1/x"}"#));
}

#[test]
fn a_redacted_value_stands_for_any_value_in_its_place() {
    let recorded = Request::new("GET", "/api/x?customer=fd-secret-1");
    assert!(bind(&recorded, &Request::new("GET", "/api/x?customer=17")).is_some());
    assert!(bind(&recorded, &Request::new("GET", "/api/x?customer=")).is_none());
    let recorded = Request::new("GET", "/api/token/fd-secret-1/state");
    assert!(bind(&recorded, &Request::new("GET", "/api/token/9hX2-kq7RtZ0/state")).is_some());
    assert!(
        bind(&recorded, &Request::new("GET", "/api/token/current/state")).is_none(),
        "a word is no secret"
    );
    let recorded = post(r#"{"customer":"fd-secret-1","n":1}"#);
    assert!(bind(&recorded, &post(r#"{"n":1,"customer":17}"#)).is_some());
    assert!(bind(&recorded, &post(r#"{"n":2,"customer":17}"#)).is_none());
}

#[test]
fn a_console_that_was_dialled_by_name_leaves_by_address_as_well() {
    let console = Console::new("https", "console.example", 443).at("10.1.2.3".parse().unwrap());
    let mut response =
        Response::json(200, r#"{"ip":"10.1.2.3","other":"10.1.2.30","name":"console.example"}"#);
    console.leave_response(&mut response);
    assert_eq!(response.text(), Some(r#"{"ip":"host-1","other":"10.1.2.30","name":"host-1"}"#));
    let local = Console::new("http", "localhost", 80).at("127.0.0.1".parse().unwrap());
    let mut response = Response::json(200, r#"{"ip":"127.0.0.1"}"#);
    local.leave_response(&mut response);
    assert_eq!(response.text(), Some(r#"{"ip":"127.0.0.1"}"#));
}

//! Users, hosts, addresses and mail addresses leave a recording on every path, and come back at a replay.

use faultdeck::cassette::{Cassette, Interaction, RecordedFrom};
use faultdeck::message::{Request, Response};
use faultdeck::redact::Rules;

use crate::evidence;

fn interaction(request: Request, response: Response) -> Interaction {
    Interaction {
        id: String::new(),
        endpoint: "".into(),
        request,
        response,
        by_recorder: false,
        moment: 0,
        notes: Vec::new(),
    }
}

fn cassette(interactions: Vec<Interaction>) -> Cassette {
    let recorded_from = RecordedFrom { host: "host-1".to_owned(), ..RecordedFrom::default() };
    Cassette { name: "c".to_owned(), recorded_from, interactions, ..Cassette::default() }
}

fn get(target: &str) -> Request {
    Request::new("GET", target).with("SEC", "fd-secret-1")
}

/// Written and read again, and that twice: the file is then as it will always be.
fn written(cassette: &Cassette) -> (Cassette, String) {
    let text = cassette.to_text();
    let read = Cassette::parse("c", &text).unwrap();
    assert_eq!(read.to_text(), text, "writing what was read changes nothing");
    (read, text)
}

const OFFENSE: &str = r#"{"assigned_to": "ann", "closing_user":null, "id": 12, "offense_source": "10.1.2.3", "status": "OPEN",
 "log_sources":[{"name":"Custom Rule Engine-8 :: qr-cre7","type_name":"EventCRE","id":63}], "description":"Logins of jdoe7 (j.doe@acme.example)\n",
 "source_address_ids":[1,2], "username_count": 1, "destination_networks": ["Net-10-172-192.Net_10_0_0_0"]}"#;

#[test]
fn one_value_has_one_placeholder_wherever_it_stands() {
    let held = cassette(vec![
        interaction(
            get("/api/siem/offenses?filter=assigned_to%3D%22ann%22%20and%20source_ip%20%3D%20%2210.1.2.3%22"),
            Response::json(200, format!("[{OFFENSE}]")),
        ),
        interaction(
            get("/api/unknown/10.1.2.3/jdoe7?assigned_to=ann&q=jdoe7").with("X-User", "ann"),
            Response::json(
                200,
                r#"{"username":"jdoe7","hostname":"qr-cre7","hosts":["","10.1.2.3"],"email":"j.doe@acme.example"}"#,
            ),
        ),
    ]);
    let (read, text) = written(&held);
    for gone in ["ann", "jdoe7", "10.1.2.3", "acme.example", "qr-cre7"] {
        assert!(!text.contains(gone), "{gone} in {text}");
    }
    let first = &read.interactions[0];
    assert_eq!(
        first.request.target,
        "/api/siem/offenses?filter=assigned_to%3D%22user-1%22%20and%20source_ip%20%3D%20%22192.0.2.1%22"
    );
    let body = first.response.text().unwrap();
    for kept in [
        r#""assigned_to": "user-1""#,
        r#""closing_user":null"#,
        r#""id": 12"#,
        r#""offense_source": "192.0.2.1""#,
        r#""status": "OPEN""#,
        r#"Custom Rule Engine-8 :: host-3"#,
        r#""username_count": 1"#,
        "Net-10-172-192.Net_10_0_0_0",
        r#"Logins of user-2 (mail-1@example.test)\n"#,
        r#""source_address_ids":[1,2]"#,
    ] {
        assert!(body.contains(kept), "{kept} in {body}");
    }
    let second = &read.interactions[1];
    assert_eq!(second.request.target, "/api/unknown/192.0.2.1/user-2?assigned_to=user-1&q=user-2");
    assert_eq!(second.request.headers.text("X-User").as_deref(), Some("user-1"));
    assert_eq!(
        second.response.text().unwrap(),
        r#"{"username":"user-2","hostname":"host-3","hosts":["","192.0.2.1"],"email":"mail-1@example.test"}"#
    );
}

#[test]
fn what_the_api_itself_says_stays() {
    let body = r#"{"user_role_id":7,"username":"","hostname":7,"owner":null,"version":"7.5.0.1","status":"CLOSED","ip":"127.0.0.1","gateway":"0.0.0.0","netmask":"255.255.255.0","ipv6":"::1","name":"Admin","type":"LOCAL","owner_group":"all","ip_address_id":"5"}"#;
    let held = cassette(vec![interaction(
        get("/api/x?filter=status%3DOPEN&sort=-username").with("User-Agent", "curl/8.1.2.3"),
        Response::json(200, body),
    )]);
    let (read, _) = written(&held);
    assert_eq!(read.interactions[0].response.text().unwrap(), body);
    assert_eq!(read.interactions[0].request, held.interactions[0].request);
}

#[test]
fn an_address_in_a_link_goes_and_the_version_of_a_product_stays() {
    let mut response = Response::json(201, r#"{"uri":"/api/lookup/10.1.2.3/x","agent":"curl/8.1.2.3 (x)"}"#);
    response.headers.push("Location", "{base}/api/lookup/10.1.2.3");
    let (read, _) = written(&cassette(vec![interaction(get("/api/lookup/10.1.2.3"), response)]));
    let read = &read.interactions[0];
    assert_eq!(read.request.target, "/api/lookup/192.0.2.1");
    assert_eq!(read.response.headers.text("Location").as_deref(), Some("{base}/api/lookup/192.0.2.1"));
    assert_eq!(read.response.text(), Some(r#"{"uri":"/api/lookup/192.0.2.1/x","agent":"curl/8.1.2.3 (x)"}"#));
}

/// In the shape of what consoles give for assets: pairs of name and value, and who reported them.
#[test]
fn pairs_of_name_and_value_are_read_as_members() {
    let asset = r#"[{"hostnames":[{"name":"HOST12X","type":"NETBIOS"}],"users":[{"id":7,"username":"Administrator"}],
  "interfaces":[{"mac_address":"00:0c:29:aa:bb:cc","ip_addresses":[{"type":"IPV4","network_id":2,"value":"1.1.1.1"}]}],
  "properties":[{"last_reported_by":"IDENTITY:112","name":"Unified Name","type_id":1002,"value":"HOST12X"},
   {"value":"Ann Lee","last_reported_by":"USER:admin","name":"Technical Owner"},{"name":"Weight","value":"5"}]}]"#;
    let (read, _) = written(&cassette(vec![interaction(
        get(
            "/api/asset_model/assets?filter=interfaces%20contains%20ip_addresses%20contains%20value%3D%221.1.1.1%22",
        ),
        Response::json(200, asset),
    )]));
    let read = &read.interactions[0];
    assert!(read.request.target.ends_with("value%3D%22192.0.2.1%22"), "{}", read.request.target);
    let body = read.response.text().unwrap();
    for part in [
        r#""name":"host-3","type":"NETBIOS""#,
        r#""username":"user-1""#,
        r#""type":"IPV4","network_id":2,"value":"192.0.2.1""#,
        r#""IDENTITY:112","name":"Unified Name","type_id":1002,"value":"host-3""#,
        r#""value":"user-2","last_reported_by":"USER:user-3","name":"Technical Owner""#,
        r#"{"name":"Weight","value":"5"}"#,
    ] {
        assert!(body.contains(part), "{part}: {body}");
    }
}

#[test]
fn other_bodies_are_read_as_what_they_are() {
    let mut form = Request::new("POST", "/api/x").with("Content-Type", "application/x-www-form-urlencoded");
    form.body = "owner=ann+lee&n=1".into();
    let csv = "username,sourceip,count\n\"ann lee\",10.1.2.3,1\r\nbob,10.1.2.4,2\n";
    let held = cassette(vec![
        interaction(form, Response::with_body(200, "text/csv", csv)),
        interaction(get("/api/y"), Response::with_body(200, "text/plain", "10.1.2.4 met ann lee\n")),
    ]);
    let (read, _) = written(&held);
    let texts: Vec<&str> = read.interactions.iter().map(|it| it.response.text().unwrap()).collect();
    assert_eq!(read.interactions[0].request.body, "owner=user-1&n=1");
    assert_eq!(
        texts,
        [
            "username,sourceip,count\n\"user-1\",192.0.2.1,1\r\nuser-2,192.0.2.2,2\n",
            "192.0.2.2 met ann lee\n"
        ]
    );
}

#[test]
fn a_placeholder_in_a_request_stands_for_any_value_of_its_type_and_comes_back_as_it() {
    let filter = |user: &str, address: &str| {
        get(&format!(
            "/api/siem/offenses?filter=assigned_to%3D%22{user}%22%20and%20source_ip%20%3D%20%22{address}%22"
        ))
    };
    let body = r#"[{"assigned_to":"user-1","offense_source":"192.0.2.1","description":"user-1 at 192.0.2.1, 192.0.2.2","mail":"mail-1@example.test"}]"#;
    let tape = evidence::cassette(vec![(filter("user-1", "192.0.2.1"), 200, body)]);
    let replay = evidence::replay(tape, None);
    let (status, body) = evidence::answer(&replay, filter("eve.b", "10.9.9.9"));
    assert_eq!(
        (status, body.as_str()),
        (
            200,
            r#"[{"assigned_to":"eve.b","offense_source":"10.9.9.9","description":"eve.b at 10.9.9.9, 192.0.2.2","mail":"mail-1@example.test"}]"#
        )
    );
    assert_eq!(evidence::answer(&replay, filter("eve.b", "no-address")).0, 501, "an address is an address");
    assert_eq!(evidence::answer(&replay, get("/api/siem/offenses?filter=status%3DOPEN")).0, 501);
}

#[test]
fn values_that_differ_are_answered_with_what_was_recorded_for_each() {
    let one = |ip: &str| get(&format!("/api/asset_model/assets?ip={ip}"));
    let path = |ip: &str| get(&format!("/api/lookup/{ip}"));
    let tape = evidence::cassette(vec![
        (one("192.0.2.1"), 200, r#"[{"ip":"192.0.2.1","n":1}]"#),
        (one("192.0.2.2"), 200, r#"[{"ip":"192.0.2.2","n":2}]"#),
        (path("192.0.2.1"), 200, r#"{"n":1}"#),
        (path("192.0.2.2"), 200, r#"{"n":2}"#),
    ]);
    let replay = evidence::replay(tape, None);
    let body = |request| evidence::answer(&replay, request).1;
    assert_eq!(body(one("10.0.0.8")), r#"[{"ip":"10.0.0.8","n":1}]"#);
    assert_eq!(body(one("10.0.0.9")), r#"[{"ip":"10.0.0.9","n":2}]"#);
    assert_eq!(body(one("10.0.0.8")), r#"[{"ip":"10.0.0.8","n":1}]"#);
    assert_eq!(body(path("10.0.0.9")), r#"{"n":2}"#, "what an address stands for holds on every path");
}

#[test]
fn every_class_can_be_kept_and_lint_finds_what_is_not() {
    let held = cassette(vec![interaction(
        get("/api/x?owner=ann"),
        Response::json(200, r#"{"hostname":"qr7","ip":"10.1.2.3","email":"a@acme.example"}"#),
    )]);
    let text = |rules: &Rules| held.fixed(rules).interactions[0].response.text().unwrap().to_owned();
    let remarks = |rules: &Rules| {
        held.check("", rules).into_iter().map(|remark| remark.text).collect::<Vec<_>>().join("; ")
    };
    let found = remarks(&Rules::default());
    for kind in
        ["name of a user stands in the request's target", "name of a host", "an address", "a mail address"]
    {
        assert!(found.contains(kind), "{kind}: {found}");
    }
    let mut rules = Rules::default();
    rules.add_file("keep = [\"addresses\", \"mails\"]").unwrap();
    assert_eq!(text(&rules), r#"{"hostname":"host-3","ip":"10.1.2.3","email":"a@acme.example"}"#);
    assert!(!remarks(&rules).contains("address"));
    let hash = rules.policy_hash();
    rules.keep("customer-data").unwrap();
    assert_eq!(held.fixed(&rules).interactions[0].response, held.interactions[0].response);
    assert_ne!(hash, rules.policy_hash());
    assert!(rules.keep("people").is_err());
}

#[test]
fn the_same_recording_gives_the_same_bytes_whatever_numbers_it_had_on_the_way() {
    let page = |one: &str, two: &str, ip: &str, other: &str| {
        let body = format!(r#"[{{"owner":"{one}","ip":"{ip}"}},{{"owner":"{two}","ip":"{other}"}}]"#);
        cassette(vec![
            interaction(get("/api/b"), Response::json(200, body)),
            interaction(get(&format!("/api/a?owner={two}&ip={ip}")), Response::json(200, "[]")),
        ])
    };
    let text = page("ann", "bob", "10.0.0.1", "10.0.0.2").to_text();
    assert_eq!(page("user-7", "user-1", "192.0.2.2", "192.0.2.1").to_text(), text);
    assert_eq!(page("user-1", "user-2", "192.0.2.1", "192.0.2.2").to_text(), text);
    assert!(text.contains("user-1") && text.contains("192.0.2.2") && !text.contains("user-3"));
}

#[test]
fn a_text_that_only_reads_like_a_placeholder_is_never_taken_for_one() {
    let held = cassette(vec![interaction(
        get("/api/x"),
        Response::json(200, r#"{"note":"see user-1","owner":"ann"}"#),
    )]);
    let (read, _) = written(&held);
    assert_eq!(read.interactions[0].response.text(), Some(r#"{"note":"see user-1","owner":"user-2"}"#));
}

#[test]
fn a_search_for_somebody_is_found_again_though_its_times_moved() {
    let search = |who: &str, from: &str, minute: u32| {
        let aql = format!(
            "SELECT * FROM events WHERE username='{who}' AND sourceip='{from}' START '2026-01-01 10:{minute}' STOP '2026-01-01 11:{minute}'"
        );
        let query = aql.replace(' ', "%20").replace('\'', "%27");
        Request::new("POST", &format!("/api/ariel/searches?query_expression={query}"))
            .with("SEC", "fd-secret-1")
            .with("Version", "26.0")
    };
    let tape = evidence::cassette(vec![
        (search("user-1", "192.0.2.1", 10), 201, r#"{"search_id":"one","created_by":"user-1"}"#),
        (search("user-2", "192.0.2.2", 11), 201, r#"{"search_id":"two"}"#),
    ]);
    let replay = evidence::replay(tape, None);
    let asked = |request| {
        let (status, body) = evidence::answer(&replay, request);
        (status, body.chars().take(40).collect::<String>())
    };
    let (status, body) = asked(search("ann.lee", "10.0.0.1", 42));
    assert!(status == 201 && body.contains("one") && body.contains("ann.lee"), "{status} {body}");
    let (status, body) = asked(search("bob.lee", "10.0.0.2", 42));
    assert!(status == 201 && body.contains("two"), "the first search is another's: {status} {body}");
}

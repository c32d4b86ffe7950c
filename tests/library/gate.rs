//! The gate refuses in one order, names its rule and how sure it is, and lets everything else pass.

use faultdeck::json::Json;
use faultdeck::lists::Window;
use faultdeck::message::Request;
use faultdeck::profile::{Admitted, GateOptions, Gated, OwnShapes, Profile, Source, Taken, gate};

const TASK: &str = "/api/forensics/case_management/case_create_tasks/42";
const CASES: &str = "/api/forensics/case_management/cases";

fn get(target: &str) -> Request {
    Request::new("GET", target).with("SEC", "token")
}

fn post(target: &str, body: &str) -> Request {
    let mut request = Request::new("POST", target).with("SEC", "token");
    request.body = body.to_owned().into();
    request
}

fn options(closed: bool) -> GateOptions<'static> {
    GateOptions { no_auth: false, shape_of: &OwnShapes, taken: Taken::nothing(), closed, has_pages: true }
}

fn at_the_gate(request: &Request) -> Gated<'static> {
    gate(Profile::builtin(), request, &options(false))
}

/// Rule, status, source and body of a refusal.
fn refusal(request: &Request) -> (&'static str, u16, Source, String) {
    match at_the_gate(request) {
        Gated::Answered { response, rule, source, refused: true, .. } => {
            (rule, response.status, source, response.text().unwrap().to_owned())
        }
        other => panic!("{} {} was not refused: {other:?}", request.method, request.target),
    }
}

fn admitted(request: &Request) -> Admitted<'static> {
    match at_the_gate(request) {
        Gated::Admitted(admitted) => admitted,
        other => panic!("{} {} was not admitted: {other:?}", request.method, request.target),
    }
}

/// Status and body of an answer from the self-description.
fn help(target: &str) -> (u16, String, Option<String>) {
    help_of(&get(target))
}

fn help_of(request: &Request) -> (u16, String, Option<String>) {
    match at_the_gate(request) {
        Gated::Answered { response, rule: "help", refused: false, source: Source::Documented, .. } => {
            let shown = response.headers.text("Content-Range").map(|text| text.into_owned());
            (response.status, response.text().unwrap().to_owned(), shown)
        }
        other => panic!("{} was not answered from the self-description: {other:?}", request.target),
    }
}

#[test]
fn every_rule_answers_with_its_own_status_code_and_source() {
    let anonymous = |target: &str| Request::new("GET", target);
    for (request, rule, status, code, source) in [
        (anonymous("/api_doc"), "outside /api", 200, None, Source::OneSource),
        (anonymous("/"), "outside /api", 200, None, Source::OneSource),
        (anonymous(TASK), "401/18", 401, Some(18), Source::Seen),
        (get(TASK).with("Version", "3.0"), "version", 422, Some(0), Source::Inferred),
        (get(TASK).with("Version", "latest"), "version", 422, Some(0), Source::Seen),
        (get("/api/forensics/nope"), "404/4", 404, Some(4), Source::OneSource),
        (get("/api/help/nope"), "404/4", 404, Some(4), Source::OneSource),
        (Request::new("DELETE", TASK).with("SEC", "t"), "404/4", 404, Some(4), Source::Ours),
        (get(&format!("{TASK}?fields=id,nope,id")), "422/31", 422, Some(31), Source::OneSource),
        (get(&format!("{TASK}?fields=id,(")), "422/31", 422, Some(31), Source::Ours),
        (get(&format!("{TASK}?fields=nope")), "422/30", 422, Some(30), Source::OneSource),
        (get(&format!("{TASK}?fields=assigned_to(x)")), "422/30", 422, Some(30), Source::OneSource),
        (post(CASES, ""), "422/10", 422, Some(10), Source::Seen),
        (post(CASES, " \n"), "422/10", 422, Some(10), Source::Seen),
        (get("/api/forensics/case_management/cases/seven"), "422/11", 422, Some(11), Source::Ours),
        (post(CASES, "{"), "422/11", 422, Some(11), Source::Ours),
        (post(CASES, "[]"), "422/11", 422, Some(11), Source::Ours),
        (get(CASES).with("Range", "items=0"), "422/36", 422, Some(36), Source::Seen),
        (get(CASES).with("Range", "items=0--3"), "422/36", 422, Some(36), Source::Seen),
    ] {
        let (named, answered, sure, body) = refusal(&request);
        let what = format!("{} {}: {body}", request.method, request.target);
        assert_eq!((named, answered, sure), (rule, status, source), "{what}");
        let found = Json::parse(&body).ok().and_then(|body| body.member("code")?.as_i128());
        assert_eq!(found, code, "{what}");
    }
}

#[test]
fn messages_are_those_of_the_captures() {
    for (request, says) in [
        (
            get("/api/forensics/nope/7?x=1"),
            "Relative path (/forensics/nope/7) is not a known endpoint resource. Please refer to documentation for list of endpoint resources.",
        ),
        (
            get(&format!("{TASK}?fields=name,%20invalid1,%20invalid2,%20name")),
            "fields parameter value \"name, invalid1, invalid2, name\" was invalid. Specified field \"name\" was used more than once at the same level",
        ),
        (
            get(&format!("{TASK}?fields=id,invalid1,invalid2")),
            "Specified field \"invalid1\" is not recognized by this endpoint for media type \"application/json\"",
        ),
        (post(CASES, ""), "Request body must be populated for body parameter \"case\""),
        (
            get(CASES).with("Range", "0-3"),
            "Failed to parse Range header. The syntax of the Range header must follow this pattern: items=x-y",
        ),
        (
            get(CASES).with("Range", "items=-1-3"),
            "Range of pages specified in \"Range\" header is negative. Non-negative page range must be specified.",
        ),
        (
            get(TASK).with("Version", "3.0"),
            "Version (3.0) from header parameter (Version) has been removed and is no longer valid. Please refer to documentation for list of valid versions.",
        ),
    ] {
        let (.., body) = refusal(&request);
        let body = Json::parse(&body).unwrap();
        assert_eq!(body.member("message").and_then(Json::as_str), Some(says));
        assert_eq!(body.member("description").and_then(Json::as_str), Some(""));
        assert_eq!(body.member("details").map(Json::text), Some("{}"));
    }
}

/// Each row breaks its own rule and all that come after it.
#[test]
fn the_first_broken_rule_answers() {
    let mut worst = Request::new("POST", "/nope?fields=id");
    worst.headers.push("Version", "3.0");
    worst.headers.push("fields", "id,nope,id");
    worst.headers.push("Range", "bad");
    assert_eq!(refusal(&worst).0, "outside /api");
    worst.target = "/api/forensics/nope".to_owned();
    assert_eq!(refusal(&worst).0, "401/18");
    worst.headers.push("SEC", "token");
    assert_eq!(refusal(&worst).0, "version");
    worst.headers.remove("Version");
    assert_eq!(refusal(&worst).0, "404/4");
    worst.target = CASES.to_owned();
    assert_eq!(refusal(&worst).0, "422/31");
    worst.headers.set("fields", "id,nope");
    assert_eq!(refusal(&worst).0, "422/30");
    worst.headers.set("fields", "id");
    assert_eq!(refusal(&worst).0, "422/10");
    worst.body = "nope".into();
    assert_eq!(refusal(&worst).0, "422/11");
    worst.body = "{}".into();
    admitted(&worst);
    let item = get("/api/help/endpoints/x?fields=nope");
    assert_eq!(refusal(&item).0, "422/30");
    assert_eq!(refusal(&get("/api/help/endpoints/x")).0, "422/11");
}

#[test]
fn only_the_presence_of_a_credential_counts() {
    for (name, value) in
        [("SEC", ""), ("sec", "anything"), ("Authorization", "basic dXNlcjpwYXNz"), ("Cookie", "a=b; SEC=x")]
    {
        admitted(&Request::new("GET", TASK).with(name, value));
    }
    for (name, value) in [("Authorization", "Bearer x"), ("Cookie", "SECX=x"), ("X-SEC", "x")] {
        assert_eq!(refusal(&Request::new("GET", TASK).with(name, value)).0, "401/18");
    }
    let open = GateOptions { no_auth: true, ..options(false) };
    let passed = gate(Profile::builtin(), &Request::new("GET", TASK), &open);
    assert!(matches!(passed, Gated::Admitted(_)));
}

#[test]
fn a_path_no_profile_knows_is_opaque_unless_its_root_or_the_gate_is_closed() {
    for target in
        ["/api/siem/offences", "/api/api/forensics/case_management/cases", "/api/", "/api/forensicsx"]
    {
        assert!(matches!(at_the_gate(&get(target)), Gated::Opaque { .. }), "{target}");
        match gate(Profile::builtin(), &get(target), &options(true)) {
            Gated::Answered { rule: "404/4", refused: true, .. } => {}
            other => panic!("{target}: {other:?}"),
        }
    }
}

#[test]
fn ids_are_integers_of_64_bits() {
    for id in ["0", "42", "9007199254740993", "9223372036854775807", "-1"] {
        let target = format!("/api/forensics/case_management/cases/{id}");
        let admitted = admitted(&get(&target));
        assert_eq!(admitted.matched.path_params, [("id".to_owned(), id.to_owned())]);
        assert_eq!(admitted.matched.resource, target);
    }
    for id in ["9223372036854775808", "99999999999999999999999", "4.2", "4e2", "0x2a", "%20", "42;x"] {
        assert_eq!(refusal(&get(&format!("/api/forensics/case_management/cases/{id}"))).0, "422/11", "{id}");
    }
}

#[test]
fn fields_are_read_where_the_endpoint_takes_them() {
    let selector = |request: &Request| admitted(request).selector.map(|selector| selector.to_string());
    for query in ["fields=id,state", "fields=id,%20state", "fields=id%2cstate+", "x=1&fields=id%2Cstate"] {
        let found = admitted(&get(&format!("{TASK}?{query}"))).selector.unwrap();
        assert_eq!(found.names(), 2, "{query}");
        assert!(found.selects("id") && found.selects("state"), "{query}");
    }
    for query in ["", "?fields=", "?fields=%20", "?fields"] {
        assert_eq!(selector(&get(&format!("{TASK}{query}"))), None, "{query}");
    }
    let in_header = post(CASES, "{}").with("Fields", "id");
    assert_eq!(selector(&in_header).as_deref(), Some("id"));
    let in_query = post(&format!("{CASES}?fields=id"), "{}");
    assert_eq!(selector(&in_query), None);
    assert_eq!(selector(&get(TASK).with("fields", "nope,nope")), None);
}

#[test]
fn oddities_are_remarked_and_change_nothing() {
    for (request, remark) in [
        (get(&format!("{TASK}?fields=id&fields=nope")), "sent more than once"),
        (get(&format!("{TASK}?id=42")), "`id` is none of this endpoint's"),
        (get(&format!("{CASES}?Range=items%3D0-1")), "takes it as a header"),
        (get(&format!("{CASES}?range=0-20")), "takes it as a header"),
        (get(TASK).with("fields", "id"), "takes it as a query parameter"),
        (post(&format!("{CASES}?fields=id"), "{}"), "takes it as a header"),
        (post(CASES, "{}").with("fields", "id").with("fields", "name"), "sent more than once"),
    ] {
        let findings = admitted(&request).findings;
        assert_eq!(findings.len(), 1, "{findings:?}");
        assert!(findings[0].contains(remark), "{findings:?}");
    }
    assert_eq!(admitted(&get(&format!("{TASK}?fields=id"))).findings, Vec::<String>::new());
    match at_the_gate(&get(&format!("{TASK}?fields=id%252Cstate"))) {
        Gated::Answered { rule: "422/31", findings, .. } => {
            assert_eq!(findings, ["`fields` is encoded twice"])
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn ranges_are_parsed_where_they_belong() {
    let range = |text: &str| admitted(&get(CASES).with("Range", text)).range;
    assert_eq!(range("items=0-4"), Some(Window { first: 0, last: 4 }));
    assert_eq!(range("items=7-7"), Some(Window { first: 7, last: 7 }));
    assert_eq!(range(" items= 0 - 4 "), Some(Window { first: 0, last: 4 }));
    assert_eq!(admitted(&get(TASK).with("Range", "nonsense")).range, None);
    for text in [
        "",
        "items",
        "items=",
        "items=-",
        "items=a-b",
        "items=4-2",
        "bytes=0-4",
        "items=0-4,6-7",
        "items=+1-2",
    ] {
        assert_eq!(refusal(&get(CASES).with("Range", text)).0, "422/36", "{text}");
    }
}

#[test]
fn a_head_is_its_get() {
    let head = Request::new("HEAD", TASK).with("SEC", "token");
    assert_eq!(admitted(&head).matched.endpoint.short, "case_create_tasks.get");
}

#[test]
fn the_self_description_answers_with_filter_fields_and_range() {
    let path = "/forensics/case_management/case_create_tasks/{id}";
    let filter = "filter=version%3D%2226.0%22%20and%20path%3D%22%2Fforensics%2Fcase_management%2Fcase_create_tasks%2F%7Bid%7D%22";
    let (status, body, _) =
        help(&format!("/api/help/endpoints?{filter}&fields=http_method,path,error_responses(unique_code)"));
    assert_eq!(status, 200);
    assert_eq!(
        body,
        format!(
            r#"[{{"http_method":"GET","path":"{path}","error_responses":[{{"unique_code":1002}},{{"unique_code":1020}}]}}]"#
        )
    );
    let ranged = get("/api/help/endpoints?filter=version=%2226.0%22&fields=id").with("Range", "items=3-4");
    assert_eq!(
        help_of(&ranged),
        (200, r#"[{"id":4},{"id":5}]"#.to_owned(), Some("items 3-4/729".to_owned()))
    );
    assert_eq!(help("/api/help/endpoints?filter=version=%2217.0%22").1, "[]");
    assert_eq!(
        help("/api/help/versions?fields=version,deprecated,removed").1,
        r#"[{"version":"26.0","deprecated":false,"removed":false}]"#
    );
    assert_eq!(help("/api/help/endpoints?filter=path%20like%20x").0, 422);
    assert_eq!(help("/api/help/endpoints/730").0, 404);
    assert_eq!(help("/api/help/endpoints/0").0, 404);
    assert_eq!(help("/api/help/endpoints/-1").0, 404);
}

#[test]
fn the_samples_of_the_self_description_say_which_states_there_are() {
    let (_, body, _) = help("/api/help/endpoints/6");
    let body = Json::parse(&body).unwrap();
    let sample = body.pointer("/response_mime_types/0/sample").and_then(Json::as_str).unwrap();
    let sample = Json::parse(sample).unwrap();
    let states = sample.member("state").and_then(Json::as_str);
    assert_eq!(states, Some("String <one of: COMPLETE, PARTIALLY_COMPLETE, PROCESSING, WAITING>"));
}

#[test]
fn ids_of_the_self_description_refer_to_each_other() {
    let number = |json: &Json<'_>, member: &str| json.member(member).and_then(Json::as_i128);
    let (_, endpoints, _) = help("/api/help/endpoints");
    for endpoint in Json::parse(&endpoints).unwrap().elements() {
        let id = number(endpoint, "id").unwrap();
        let (status, one, _) = help(&format!("/api/help/endpoints/{id}"));
        assert_eq!((status, one.as_str()), (200, endpoint.text()));
        let (_, resource, _) =
            help(&format!("/api/help/resources/{}", number(endpoint, "resource_id").unwrap()));
        let resource = Json::parse(&resource).unwrap();
        assert_eq!(resource.member("path").map(Json::text), endpoint.member("path").map(Json::text));
        let listed = resource.member("endpoint_ids").unwrap();
        assert!(listed.elements().iter().any(|listed| listed.as_i128() == Some(id)));
    }
    let (_, resources, _) = help("/api/help/resources");
    for resource in Json::parse(&resources).unwrap().elements() {
        for child in resource.member("child_resource_ids").unwrap().elements() {
            let (_, child, _) = help(&format!("/api/help/resources/{}", child.text()));
            let parent = number(&Json::parse(&child).unwrap(), "parent_resource_id");
            assert_eq!(parent, number(resource, "id"));
        }
    }
}

/// An endpoint that is not in the profiles: a required query parameter, a required header, an integer in the query.
const SEARCHES: &str = r#"[{"http_method":"POST","path":"/ariel/searches","version":"26.0","last_modified_version":null,
"deprecated":false,"summary":"","description":null,"caller_has_access":true,"parameters":[
{"parameter_name":"note_text","type":"QUERY","default_value":null,"description":"Required - A note.",
 "mime_types":[{"mime_type":"text/plain","data_type":"String","sample":null}]},
{"parameter_name":"Ticket","type":"HEADER","default_value":null,"description":"Required - A ticket.",
 "mime_types":[{"mime_type":"text/plain","data_type":"String","sample":null}]},
{"parameter_name":"status","type":"QUERY","default_value":null,"description":"Optional - A number.",
 "mime_types":[{"mime_type":"text/plain","data_type":"Number (Integer)","sample":null}]}],
"success_responses":[],"error_responses":[],"response_mime_types":[],"response_description":null}]"#;

#[test]
fn parameters_that_are_missing_or_of_the_wrong_type_are_refused_from_the_profile_alone() {
    let lifecycles = "complete = []\n[versions]\ndescribed = \"26.0\"\nremoved_before = \"14.0\"\n";
    let profile = Profile::parse(&[("e.json", SEARCHES)], ("l.toml", lifecycles)).unwrap();
    let answer = |request: &Request| match gate(&profile, request, &options(false)) {
        Gated::Answered { response, .. } => response.text().unwrap().to_owned(),
        Gated::Admitted(_) => "admitted".to_owned(),
        Gated::Opaque { .. } => "opaque".to_owned(),
    };
    let path = "/api/ariel/searches";
    let missing = answer(&post(path, ""));
    assert!(
        missing.contains(r#""code":8,"#) && missing.contains(r#"\"note_text\" from query parameters"#),
        "{missing}"
    );
    let missing = answer(&post(&format!("{path}?note_text="), ""));
    assert!(
        missing.contains(r#""code":8,"#) && missing.contains(r#"\"Ticket\" from header parameters"#),
        "{missing}"
    );
    let wrong = answer(&post(&format!("{path}?note_text=x&status=open"), "").with("ticket", "1"));
    let message =
        r#"Failed to transform user query parameter \"status\" with a content type of \"TEXT_PLAIN\""#;
    assert!(wrong.contains(r#""code":11,"#) && wrong.contains(message), "{wrong}");
    assert_eq!(answer(&post(&format!("{path}?note_text=x&status=7"), "").with("ticket", "1")), "admitted");
}

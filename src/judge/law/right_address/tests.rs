use super::*;
use crate::fault::Effect;
use crate::judge::about::About;
use crate::judge::sample;

fn judged(target: &str) -> Verdict {
    let mut run = sample::run(sample::get(Some("id")));
    run.exchanges = vec![sample::poll(target, 200, r#"{"id":42}"#)];
    judge(&[run])
}

fn because(verdict: Verdict) -> String {
    match verdict {
        Verdict::Violated(violation) => violation.because,
        other => panic!("{other:?}"),
    }
}

const PATH: &str = "/api/forensics/case_management/case_create_tasks/42";

#[test]
fn the_documented_address_holds() {
    assert!(matches!(judged(&format!("{PATH}?fields=id")), Verdict::Held(_)));
    assert!(matches!(judged("/api/forensics/case_management/case_create_tasks/%34%32"), Verdict::Held(_)));
}

#[test]
fn what_is_like_no_known_path_is_not_judged() {
    for target in
        ["/console/logon.jsp", "/api/reference_data/sets/a%2Fb", "/api/custom%2Fextension", "/auth/logout"]
    {
        assert!(matches!(judged(target), Verdict::Held(_)), "{target}: {:?}", judged(target));
    }
}

#[test]
fn each_way_to_miss_the_address_is_named() {
    for (target, word) in [
        (format!("/api{PATH}"), "2 times"),
        (PATH.replace("/api", ""), "missing"),
        (format!("/{PATH}"), "empty segment"),
        (format!("{PATH}/"), "slash"),
        (format!("{PATH}?id=42"), "query"),
        (format!("{PATH}?taskId=42"), "query"),
        (PATH.replace("42", "43"), "asks for task 43"),
        // Any path that is known, not the task's alone.
        ("/siem/offenses".to_owned(), "missing"),
        ("/api/api/siem/offenses/3?filter=id%3D3".to_owned(), "2 times"),
        ("/api/ariel/searches/".to_owned(), "slash"),
        ("/api/siem//offenses".to_owned(), "empty segment"),
        ("/api/siem%2Foffenses".to_owned(), "%2F"),
        ("/api/siem/offenses%2f3".to_owned(), "%2F"),
        ("/api/siem/offenses/3%2Fnotes".to_owned(), "%2F"),
        (format!("{PATH}?token=fd-secret-1"), "credential stands in the URL"),
    ] {
        let why = because(judged(&target));
        assert!(why.contains(word), "{target}: {why}");
    }
}

#[test]
fn a_wrong_method_and_a_missing_credential_are_violations() {
    let mut run = sample::run(sample::get(None));
    let mut exchange = sample::poll(PATH, 404, "");
    exchange.method = "POST".into();
    exchange.key.endpoint.clear();
    run.exchanges = vec![exchange];
    assert!(because(judge(&[run.clone()])).contains("POST"));
    let mut exchange = sample::poll(PATH, 401, "");
    exchange.request_headers.clear();
    run.exchanges = vec![exchange];
    assert!(because(judge(&[run])).contains("SEC"));
}

/// A `get` that asked these, all of them unknown to the console.
fn asked(targets: &[&str]) -> Verdict {
    let mut run = sample::run(sample::get(None));
    run.exchanges = targets.iter().map(|target| sample::poll(target, 404, r#"{"code":4}"#)).collect();
    for exchange in run.exchanges.iter_mut().filter(|exchange| !exchange.target.starts_with(PATH)) {
        exchange.key.endpoint.clear();
    }
    judge(&[run])
}

const SLIP: &str = "/api/forensics/case_management/case_create_task/42";

#[test]
fn the_jobs_own_path_with_a_slip_in_it_is_named_if_nothing_better_was_asked() {
    for slip in [
        SLIP,
        "/api/forensics/Case_Management/case_create_tasks/42?fields=id",
        "/api/forensics/case_create_tasks/42",
    ] {
        assert!(because(asked(&[slip])).contains("it was to ask /api/forensics"), "{slip}");
        assert!(because(asked(&["/api/help/versions", slip, slip])).contains("it was to ask"), "{slip}");
        assert!(matches!(asked(&[slip, PATH]), Verdict::Held(_)), "{slip}");
    }
    for other in ["/api/custom/extension/42", "/api/forensics/case_management/summaries/42"] {
        assert!(matches!(asked(&[other]), Verdict::Held(_)), "{other}");
    }
    for other in [
        "/api/forensics/case_management/case_create_tasks?id=42",
        "/api/forensics/case_management/case_create_tasks/?taskId=42",
    ] {
        assert!(because(asked(&[other])).contains("in the query alone"), "{other}");
        assert!(matches!(asked(&[other, PATH]), Verdict::Held(_)), "{other}");
    }
    let look_up = "/api/forensics/case_management/case_create_tasks?filter=id%3D42";
    assert!(matches!(asked(&[look_up]), Verdict::Held(_)));
}

#[test]
fn a_recording_speaks_for_a_path_and_a_parameter() {
    let mut run = sample::run(sample::get(None));
    let mut exchange = sample::poll(SLIP, 200, r#"{"id":42}"#);
    exchange.origin = Origin::Recorded("x".into());
    run.exchanges = vec![exchange];
    assert!(matches!(judge(&[run.clone()]), Verdict::Held(_)));
    let mut exchange = sample::poll(SLIP, 404, "");
    exchange.taken = vec!["path /forensics".into()];
    run.exchanges = vec![exchange];
    assert!(matches!(judge(&[run]), Verdict::Held(_)));
}

#[test]
fn a_slip_in_the_poll_of_what_was_made_is_named_too() {
    let mut run = sample::run(sample::create("Case1"));
    let post = sample::creation("Case1", 201, r#"{"id":42,"case_id":7,"state":"WAITING"}"#);
    run.exchanges = vec![post.clone(), sample::poll(SLIP, 404, "{}")];
    assert!(because(judge(&[run.clone()])).contains("case_create_tasks/{id}"));
    run.exchanges = vec![post];
    assert!(matches!(judge(&[run]), Verdict::Held(_)));
}

#[test]
fn a_dead_version_is_named_unless_another_one_follows() {
    let refused = |rule: &str| {
        let mut exchange = sample::poll(PATH, 422, r#"{"http_response":{},"code":0}"#);
        exchange.request_headers.push(("Version".into(), "3.0".into()));
        exchange.origin = Origin::Synthesised { rule: rule.into(), source: "seen".into() };
        exchange
    };
    let mut run = sample::run(sample::get(None));
    run.exchanges = vec![refused("version"), refused("version")];
    assert!(because(judge(&[run.clone()])).contains("in version 3.0"));
    run.exchanges.push(sample::poll(PATH, 200, r#"{"id":42}"#));
    assert!(matches!(judge(&[run.clone()]), Verdict::Held(_)), "it asked again in another");
    run.exchanges = vec![refused("422/30")];
    assert!(matches!(judge(&[run.clone()]), Verdict::Held(_)));
    // That a fault answers so is no word about the version.
    let mut faulted = refused("version");
    faulted.origin = Origin::Fault(sample::fault(Effect::Replaced).kind);
    run.exchanges = vec![faulted];
    assert!(matches!(judge(&[run]), Verdict::Held(_)));
}

#[test]
fn nothing_sent_is_not_reached() {
    let mut run = sample::run(sample::get(None));
    run.exchanges.clear();
    assert!(matches!(judge(&[run]), Verdict::NotReached(_)));
}

#[test]
fn answering_a_challenge_and_other_business_are_no_violation() {
    let mut run = sample::run(sample::get(None));
    let mut first = sample::poll(PATH, 401, "");
    first.request_headers.clear();
    let mut page = sample::poll("/console/logout", 200, "");
    page.key.endpoint.clear();
    run.exchanges = vec![first, sample::poll(PATH, 200, r#"{"id":42}"#), page];
    assert!(matches!(judge(&[run]), Verdict::Held(_)));
    // `fields` may name a member whose value happens to be the id, and a filter is not the id.
    assert!(matches!(judged(&format!("{PATH}?fields=id&limit=42")), Verdict::Held(_)));
}

#[test]
fn a_version_is_advice_unless_the_client_says_that_it_sends_one() {
    let mut run = sample::run(sample::get(None));
    run.exchanges = vec![sample::poll(PATH, 200, r#"{"id":42}"#)];
    let Verdict::Held(notes) = judge(std::slice::from_ref(&run)) else { panic!() };
    assert_eq!(notes.len(), 1);
    run.claims.sends_version = true;
    assert!(because(judge(&[run])).contains("Version"));
}

#[test]
fn the_cases_id_polled_for_the_tasks_is_named() {
    let mut run = sample::run(sample::create("Case1"));
    let post = sample::creation("Case1", 201, r#"{"id":42,"case_id":7,"state":"WAITING"}"#);
    run.exchanges = vec![post, sample::poll(&PATH.replace("42", "7"), 404, "{}")];
    assert!(because(judge(&[run])).contains("id of the case"));
}

/// A look at this resource that asked these, each answered so.
fn looked_at(endpoint: &str, params: &[(&str, &str)], targets: &[&str]) -> Verdict {
    let about = About::of(JobKind::Get, endpoint).unwrap();
    let params = params.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    let mut run = sample::run(Case { about, params, ..sample::get(None) });
    run.exchanges = targets.iter().map(|target| sample::poll(target, 200, "{}")).collect();
    run.exchanges.iter_mut().for_each(|exchange| exchange.key.endpoint = endpoint.into());
    judge(&[run])
}

#[test]
fn every_parameter_of_the_path_is_the_one_that_was_told() {
    let note = |target| {
        let values = [("offense_id", "3"), ("note_id", "7")];
        looked_at("GET /siem/offenses/{offense_id}/notes/{note_id}", &values, &[target])
    };
    assert!(matches!(note("/api/siem/offenses/3/notes/7"), Verdict::Held(_)));
    let why = because(note("/api/siem/offenses/4/notes/7"));
    assert_eq!(why, "`offense_id` in its path is 4, but it was told 3");
    assert!(because(note("/api/siem/offenses/3/notes/8")).contains("it asks for 8, but the id is 7"));
}

#[test]
fn a_name_in_the_path_may_have_an_encoded_slash_and_a_number_may_not() {
    let tunnel = |target: &str| {
        let mut exchange = sample::poll(target, 200, "{}");
        exchange.method = "POST".into();
        wrong_path(&exchange)
    };
    assert_eq!(tunnel("/api/staged_config/deployment/hosts/1/tunnels/a%2Fb"), None);
    assert_eq!(tunnel("/api/staged_config/deployment/hosts/1%2F2/tunnels/a").as_deref(), Some(ENCODED_SLASH));
}

#[test]
fn a_path_that_a_console_was_seen_to_answer_is_right_however_it_is_spelt() {
    for taken in ["path /forensics", "422/11 /forensics"] {
        let mut exchange = sample::poll(&format!("{PATH}/"), 200, r#"{"id":42}"#);
        assert!(wrong_path(&exchange).is_some());
        exchange.taken = vec![taken.into()];
        assert_eq!(wrong_path(&exchange), None, "{taken}");
    }
}

#[test]
fn a_credential_is_asked_for_below_api_alone_and_where_the_console_was_not_seen_to_do_without() {
    let bare = |target: &str| {
        let mut exchange = sample::poll(target, 200, r#"{"id":42}"#);
        exchange.request_headers.clear();
        exchange
    };
    assert!(uncredited(&bare(PATH), &[]).is_some());
    assert_eq!(uncredited(&bare("/console/logon.jsp"), &[]), None);
    let mut free = bare(PATH);
    free.taken = vec!["401/18 /api".into()];
    assert_eq!(uncredited(&free, &[]), None);
}

#[test]
fn a_missing_credential_is_excused_by_the_same_request_with_one_after_a_401() {
    let mut bare = sample::poll(PATH, 401, "");
    bare.request_headers.clear();
    let again = sample::poll(PATH, 200, "{}");
    assert_eq!(uncredited(&bare, &[&again]), None);
    let other_path = sample::poll("/api/siem/offenses", 200, "[]");
    let other_method = Exchange { method: "DELETE".into(), ..again.clone() };
    let unasked = Exchange { status: 403, ..bare.clone() };
    assert!(uncredited(&bare, &[&other_path]).is_some() && uncredited(&bare, &[&other_method]).is_some());
    assert!(uncredited(&bare, &[&bare]).is_some() && uncredited(&unasked, &[&again]).is_some());
}

#[test]
fn what_a_lost_answer_said_of_ids_binds_nobody() {
    let mut run = sample::run(sample::create("Case1"));
    let mut post = sample::creation("Case1", 201, r#"{"id":42,"case_id":7,"state":"WAITING"}"#);
    let polled = sample::poll(&PATH.replace("42", "43"), 200, r#"{"id":43}"#);
    run.exchanges = vec![post.clone(), polled.clone()];
    assert!(because(judge(&[run.clone()])).contains("the id is 42"));
    post.faults.push(sample::fault(Effect::Lost));
    run.exchanges = vec![post, polled];
    assert!(matches!(judge(&[run]), Verdict::Held(_)));
}

#[test]
fn a_dead_version_is_not_made_good_by_another_path() {
    let mut run = sample::run(sample::get(None));
    let mut refused = sample::poll(PATH, 422, r#"{"http_response":{},"code":0}"#);
    refused.request_headers.push(("Version".into(), "3.0".into()));
    refused.origin = Origin::Synthesised { rule: "version".into(), source: "seen".into() };
    let mut other = sample::poll("/api/help/versions", 200, "[]");
    other.key.endpoint = "GET /help/versions".into();
    run.exchanges = vec![refused, other];
    assert!(because(judge(&[run])).contains("in version 3.0"));
}

#[test]
fn a_job_that_only_looks_creates_nothing_and_one_that_is_told_to_write_may() {
    let created = || sample::creation("Case1", 201, r#"{"id":42,"state":"WAITING"}"#);
    let mut look = sample::run(sample::get(None));
    look.exchanges = vec![sample::poll(PATH, 200, r#"{"id":42}"#), created()];
    assert!(because(judge(&[look])).contains("it was given the job `get`, and creates something"));
    let about = About::of(JobKind::Send, "POST /forensics/case_management/cases").unwrap();
    let send = Case { job: JobKind::Send, about, params: Vec::new(), ..sample::get(None) };
    for case in [send, sample::create("Case1")] {
        let mut run = sample::run(case);
        run.exchanges = vec![created()];
        assert!(matches!(judge(&[run]), Verdict::Held(_)));
    }
}

#[test]
fn a_suite_is_judged_by_its_addresses_alone() {
    let line = |target: &str| crate::ledger::Line::Exchange(Box::new(sample::poll(target, 404, "{}")));
    let lines = [line(PATH), line(&format!("/api{PATH}"))];
    let (index, why) = wrongly_addressed(&Suite::of(&lines, false)).unwrap();
    assert!(index == 1 && why.contains("2 times"), "{index}: {why}");
    assert_eq!(wrongly_addressed(&Suite::of(&lines[..1], false)), None);
}

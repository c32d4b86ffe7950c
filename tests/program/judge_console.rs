//! `judge --upstream`: a console against the rules of the API, and what is found of consoles that break them.

use std::sync::{Arc, Mutex};

use crate::harness::{CASES, Finished, Lab, TASKS, token};
use crate::raw::raw_console;

/// The text of each request that came.
type Heard = Arc<Mutex<Vec<String>>>;

/// A console with three cases that keeps every rule about lists and `fields`, but for what `spoil` makes of an answer:
/// it is given the path, the query and the `Range`, and what a right console answers, as status, body, `Content-Range`.
fn small_console(
    spoil: impl Fn(&Asked, (u16, String, Option<String>)) -> (u16, String, Option<String>) + Send + 'static,
) -> (String, Heard) {
    let heard: Heard = Heard::default();
    let log = Arc::clone(&heard);
    let url = raw_console(move |request| {
        log.lock().unwrap().push(request.to_owned());
        let asked = Asked::of(request);
        let right = match request.contains("\r\nSEC: ") {
            true => asked.right(),
            false => (401, error(401, 18, ""), None),
        };
        let (status, body, range) = spoil(&asked, right);
        let range = range.map_or(String::new(), |range| format!("Content-Range: {range}\r\n"));
        format!(
            "HTTP/1.1 {status} X\r\nContent-Type: application/json\r\n{range}Content-Length: {}\r\n\
             Connection: close\r\n\r\n{body}",
            body.len()
        )
        .into_bytes()
    });
    (url, heard)
}

/// A request to the small console.
struct Asked {
    path: String,
    fields: Option<String>,
    filter: Option<String>,
    range: Option<(usize, usize)>,
}

const NAMES: [&str; 3] = ["Alpha", "Beta", "Gamma"];

impl Asked {
    fn of(request: &str) -> Self {
        let target = request.split(' ').nth(1).unwrap_or_default();
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let pairs: Vec<(String, String)> = form_urlencoded::parse(query.as_bytes()).into_owned().collect();
        let of = |name: &str| pairs.iter().find(|(known, _)| known == name).map(|(_, value)| value.clone());
        let range = request.lines().find_map(|line| line.strip_prefix("Range: items="));
        let range = range.and_then(|text| text.split_once('-'));
        let range = range.and_then(|(first, last)| Some((first.parse().ok()?, last.parse().ok()?)));
        Self { path: path.to_owned(), fields: of("fields"), filter: of("filter"), range }
    }

    /// What a right console answers: it knows plain names, comparisons of `id`, and windows.
    fn right(&self) -> (u16, String, Option<String>) {
        let case = |index: usize| {
            let all = [
                ("assigned_to", r#"["analyst"]"#.to_owned()),
                ("id", (10 + index).to_string()),
                ("name", format!("\"{}\"", NAMES[index])),
            ];
            let named: Vec<String> = self
                .fields
                .as_deref()
                .unwrap_or_default()
                .split(',')
                .map(|it| it.trim().to_owned())
                .collect();
            let kept = all
                .iter()
                .filter(|(name, _)| named.iter().all(String::is_empty) || named.iter().any(|it| it == name));
            let members: Vec<String> = kept.map(|(name, value)| format!("\"{name}\":{value}")).collect();
            format!("{{{}}}", members.join(","))
        };
        if self.path == CASES {
            let kept: Vec<usize> = (0..3).filter(|index| self.keeps(10 + index)).collect();
            let (first, last) = self.range.unwrap_or((0, usize::MAX));
            let shown: Vec<usize> = kept
                .iter()
                .copied()
                .enumerate()
                .filter(|(at, _)| (first..=last).contains(at))
                .map(|it| it.1)
                .collect();
            let range = match shown.len() {
                0 => format!("items */{}", kept.len()),
                count => format!("items {first}-{}/{}", first + count - 1, kept.len()),
            };
            let body: Vec<String> = shown.into_iter().map(case).collect();
            return (200, format!("[{}]", body.join(",")), self.range.map(|_| range));
        }
        let id = self.path.strip_prefix(&format!("{CASES}/")).and_then(|id| id.parse::<usize>().ok());
        match id {
            Some(id @ 10..=12) => (200, case(id - 10), None),
            Some(_) => (404, error(404, 1002, "No case was found for the provided ID."), None),
            None => (404, error(404, 4, ""), None),
        }
    }

    fn keeps(&self, id: usize) -> bool {
        let Some(filter) = &self.filter else { return true };
        let filter = faultdeck::lists::Filter::parse(filter).ok().flatten();
        let text = format!("{{\"id\":{id},\"name\":\"{}\",\"assigned_to\":[\"analyst\"]}}", NAMES[id - 10]);
        filter.is_none_or(|filter| filter.accepts(&faultdeck::json::Json::parse(&text).unwrap()))
    }
}

fn error(status: u16, code: u32, description: &str) -> String {
    format!(
        "{{\"http_response\":{{\"code\":{status},\"message\":\"m\"}},\"code\":{code},\"description\":\"{description}\",\
         \"details\":{{}},\"message\":\"m\"}}"
    )
}

/// Judges the cases of a console, as fast as it goes.
fn judge(lab: &Lab, url: &str, more: &[&str]) -> Finished {
    let mut words =
        vec!["judge", "--upstream", url, "--rate", "1000", "--endpoint", "/forensics/case_management/cases*"];
    words.extend_from_slice(more);
    lab.run_with(&words, &[("FAULTDECK_CONSOLE_SEC", token())])
}

/// The verdicts of a report in JSON: rule, endpoint, verdict.
fn verdicts(lab: &Lab, name: &str) -> Vec<(String, String, String)> {
    let report: serde_json::Value = serde_json::from_str(&lab.read(name)).unwrap();
    let text = |verdict: &serde_json::Value, name: &str| verdict[name].as_str().unwrap().to_owned();
    let verdicts = report["verdicts"].as_array().unwrap();
    verdicts.iter().map(|it| (text(it, "property"), text(it, "scenario"), text(it, "verdict"))).collect()
}

fn departing(lab: &Lab, name: &str) -> Vec<String> {
    let mut rules: Vec<String> = verdicts(lab, name)
        .into_iter()
        .filter(|(_, _, it)| it == "violated")
        .map(|(rule, ..)| rule)
        .collect();
    rules.sort();
    rules.dedup();
    rules
}

#[test]
fn the_built_in_console_keeps_every_rule() {
    let lab = Lab::new();
    let console = lab.serve(&["emulate", "--seed", "1"]);
    let created = console.post(CASES, r#"{"name":"Judged1","assigned_to":["analyst"]}"#);
    let id: String =
        created.text().split("\"id\":").nth(1).unwrap().chars().take_while(char::is_ascii_digit).collect();
    let task = format!("{TASKS}/{id}");
    let more = ["--resource", task.as_str(), "--report", "json=report.json", "--profile-out", "seen.toml"];
    let done = judge(&lab, &console.url, &more);
    assert_eq!(done.code, Some(0), "{}{}", done.stdout, done.stderr);
    assert_eq!(departing(&lab, "report.json"), Vec::<String>::new(), "{}", done.stdout);
    let held: Vec<String> = verdicts(&lab, "report.json")
        .into_iter()
        .filter(|(_, _, it)| it == "held")
        .map(|(rule, ..)| rule)
        .collect();
    for rule in [
        "documented-status",
        "fields-keep-the-named",
        "fields-of-each-element",
        "fields-unknown",
        "fields-named-twice",
        "filter-compares",
        "range-gives-the-slice",
        "content-range-counts",
        "range-malformed",
        "no-such-id",
        "error-body",
        "no-such-path",
        "no-credentials",
        "version-malformed",
    ] {
        assert!(held.contains(&rule.to_owned()), "{rule} was not put to the test\n{}", done.stdout);
    }
    let shown = lab.run(&["profile", "show", "cases.list", "--profile", "seen.toml"]);
    assert!(
        shown.stdout.contains("Seen of a console:") && shown.stdout.contains("(422/30)"),
        "{}",
        shown.stdout
    );
    let seen = lab.read("seen.toml");
    assert!(seen.contains("rule = \"fields-unknown\"") && seen.contains("answered = \"422/30\""), "{seen}");
    console.stop();
}

#[test]
fn a_replay_of_a_shipped_cassette_keeps_every_rule_that_it_can_show() {
    let lab = Lab::new();
    for (cassette, endpoint) in
        [("builtin:siem/offenses", "/siem/offenses*"), ("builtin:forensics/create-case", "/forensics/*")]
    {
        let console = lab.serve(&["replay", cassette]);
        let words = [
            "judge",
            "--upstream",
            &console.url,
            "--rate",
            "1000",
            "--endpoint",
            endpoint,
            "--report",
            "json=r.json",
        ];
        let done = lab.run_with(&words, &[("FAULTDECK_CONSOLE_SEC", token())]);
        assert_eq!(done.code, Some(0), "{cassette}: {}{}", done.stdout, done.stderr);
        assert_eq!(departing(&lab, "r.json"), Vec::<String>::new(), "{cassette}: {}", done.stdout);
        console.stop();
    }
}

#[test]
fn nothing_but_get_and_head_is_sent_and_the_token_is_printed_nowhere() {
    let lab = Lab::new();
    let (url, heard) = small_console(|_, right| right);
    let done =
        judge(&lab, &url, &["--report", "json=r.json", "--report", "junit=r.xml", "--ledger", "run.jsonl"]);
    let heard = heard.lock().unwrap();
    assert!(heard.len() > 30, "{} requests: {}{}", heard.len(), done.stdout, done.stderr);
    for request in heard.iter() {
        let line = request.lines().next().unwrap_or_default();
        assert!(line.starts_with("GET /") || line.starts_with("HEAD /"), "{line}");
        assert!(request.ends_with("\r\n\r\n"), "a body: {request}");
        assert!(!line.contains("canary"), "{line}");
    }
    let with_token =
        heard.iter().filter(|request| request.contains(&format!("SEC: {}\r\n", token()))).count();
    assert_eq!(heard.len() - with_token, 1, "one request asks what comes without credentials");
    // The lab searches all that was printed and written when it goes.
    assert!(lab.read("r.json").contains("FAULTDECK_CONSOLE_SEC"), "{}", lab.read("r.json"));
}

#[test]
fn a_console_that_passes_fields_over_is_found_with_the_smallest_selection() {
    let lab = Lab::new();
    let (url, _) = small_console(|asked, right| {
        if asked.fields.is_none() {
            return right;
        }
        Asked { fields: None, path: asked.path.clone(), filter: asked.filter.clone(), range: asked.range }
            .right()
    });
    let done = judge(&lab, &url, &["--report", "json=r.json"]);
    assert_eq!(done.code, Some(1), "{}{}", done.stdout, done.stderr);
    let rules = departing(&lab, "r.json");
    assert!(rules.contains(&"fields-keep-the-named".to_owned()), "{rules:?}");
    assert!(done.stdout.contains("and should not be"), "{}", done.stdout);
    let case = done.stdout.lines().find(|line| line.contains("case:     fields=")).unwrap();
    assert!(!case.contains(','), "not the smallest: {case}");
    assert!(done.stdout.contains("curl -isg -H \"SEC: $FAULTDECK_CONSOLE_SEC\""), "{}", done.stdout);
    for kept in ["range-gives-the-slice", "filter-compares", "no-such-id"] {
        assert!(!rules.contains(&kept.to_owned()), "{kept}: {}", done.stdout);
    }
}

#[test]
fn a_console_that_cuts_windows_one_short_is_found() {
    let lab = Lab::new();
    let (url, _) = small_console(|asked, right| match asked.range {
        Some((first, last)) if last < 40 && last > 0 => {
            let range = Some((first, last - 1)).filter(|_| last > first).or(Some((9, 9)));
            Asked {
                range,
                path: asked.path.clone(),
                filter: asked.filter.clone(),
                fields: asked.fields.clone(),
            }
            .right()
        }
        _ => right,
    });
    let done = judge(&lab, &url, &["--report", "json=r.json"]);
    assert_eq!(done.code, Some(1), "{}{}", done.stdout, done.stderr);
    let rules = departing(&lab, "r.json");
    assert!(rules.contains(&"range-gives-the-slice".to_owned()), "{rules:?}");
    assert!(!rules.contains(&"fields-keep-the-named".to_owned()), "{rules:?}");
}

#[test]
fn a_console_with_codes_of_its_own_is_found_and_what_no_page_states_is_only_observed() {
    let lab = Lab::new();
    let (url, _) = small_console(|asked, right| match right.0 {
        404 if asked.path.starts_with(CASES) => (404, error(404, 1001, "x"), None),
        _ => right,
    });
    let done = judge(&lab, &url, &["--report", "json=r.json"]);
    assert_eq!(done.code, Some(1), "{}{}", done.stdout, done.stderr);
    assert!(departing(&lab, "r.json").contains(&"no-such-id".to_owned()), "{}", done.stdout);
    assert!(done.stdout.contains("it is answered with 404/1001"), "{}", done.stdout);

    // The small console knows no error of `fields`: no page has one, so that is no violation.
    let (url, _) = small_console(|_, right| right);
    let done = judge(&lab, &url, &["--report", "json=right.json", "--profile-out", "seen.toml"]);
    assert_eq!(done.code, Some(0), "{}{}", done.stdout, done.stderr);
    assert!(departing(&lab, "right.json").contains(&"fields-unknown".to_owned()), "{}", done.stdout);
    assert!(lab.read("seen.toml").contains("holds = false"), "{}", lab.read("seen.toml"));
}

/// What a console was seen to do in place of what the rules say: rule, endpoint, how it answered.
const SEEN: [(&str, &str, &str); 5] = [
    ("fields-unknown", "GET /forensics/case_management/cases", "200"),
    ("fields-named-twice", "GET /forensics/case_management/cases", "422/30"),
    ("no-such-id", "GET /forensics/case_management/cases/{id}", "404/1001"),
    ("range-answers-200", "GET /forensics/case_management/cases", "206"),
    ("no-credentials", "", "403/26"),
];

#[test]
fn what_was_seen_of_a_console_the_built_in_one_does_too_and_says_what_it_cannot() {
    let lab = Lab::new();
    let row = |(rule, endpoint, answered): &(&str, &str, &str)| {
        let endpoint =
            if endpoint.is_empty() { String::new() } else { format!("endpoint = \"{endpoint}\"\n") };
        format!(
            "[[observed]]\nrule = \"{rule}\"\n{endpoint}rests_on = \"inferred\"\nholds = false\ncases = 1\nanswered = \
             \"{answered}\"\n"
        )
    };
    let mut text: String = SEEN.iter().map(row).collect();
    let held = row(&("filter-malformed", SEEN[0].1, "422/1010")).replace("false", "true");
    text.push_str(&(held + &row(&("filter-compares", SEEN[0].1, "200"))));
    lab.write("seen.toml", &text);
    let console = lab.serve(&["emulate", "--seed", "1", "--profile", "seen.toml"]);
    let got = |target: &str| {
        let answer = console.get(target);
        (answer.status(), answer.text())
    };
    let cases = |query: &str| got(&format!("{CASES}?{query}"));
    assert_eq!(cases("fields=id,nope"), cases("fields=id"));
    assert_eq!(cases("fields=nope"), cases(""));
    let (status, body) = cases("fields=id,id");
    assert!(status == 422 && body.contains("\"code\":30"), "{status} {body}");
    let (status, body) = got(&format!("{CASES}/7"));
    assert!(status == 404 && body.contains("\"code\":1001"), "{status} {body}");
    let window = console.request("GET", CASES, &[("SEC", "x"), ("Range", "items=0-0")], b"");
    assert_eq!((window.status(), window.header("Content-Range")), (206, Some("items 0-0/2")));
    let host = console.url.trim_start_matches("http://");
    let bare = format!("GET {CASES} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
    let unknown = String::from_utf8(console.exchange(bare.as_bytes()).unwrap()).unwrap();
    assert!(unknown.starts_with("HTTP/1.1 403") && unknown.contains("\"code\":26"), "{unknown}");
    // Elsewhere the rules stand.
    assert_eq!(got(&format!("{TASKS}/7?fields=id,nope")).0, 422);

    // A judgement finds what was followed, and nothing else.
    let done = judge(&lab, &console.url, &["--report", "json=r.json"]);
    let mut followed: Vec<&str> = SEEN.iter().map(|(rule, ..)| *rule).collect();
    // Where a name stands twice and another is unknown, it departs along.
    followed.push("fields-twice-outranks-unknown");
    let rules = departing(&lab, "r.json");
    assert!(rules.iter().all(|rule| followed.contains(&rule.as_str())), "{rules:?}: {}", done.stdout);
    for rule in ["fields-unknown", "fields-named-twice", "no-such-id", "range-answers-200"] {
        assert!(rules.contains(&rule.to_owned()), "{rule} is not followed: {rules:?}{}", done.stdout);
    }
    let finished = console.stop();
    assert!(finished.stderr.contains("following 5 observations of a console"), "{}", finished.stderr);
    let names = "filter-compares at GET /forensics/case_management/cases";
    assert!(
        finished.stderr.contains("not followed") && finished.stderr.contains(names),
        "{}",
        finished.stderr
    );
}

#[test]
fn data_that_changes_is_no_departure() {
    let lab = Lab::new();
    let count = Mutex::new(0_u32);
    let (url, _) = small_console(move |asked, (status, body, range)| {
        let mut count = count.lock().unwrap();
        *count += 1;
        // Each answer is about another moment; every few requests the data stands still for a while.
        let moment = *count / 5;
        let body = if asked.path.starts_with(CASES) {
            body.replace("analyst", &format!("user{moment}"))
        } else {
            body
        };
        (status, body, range)
    });
    let done = judge(&lab, &url, &["--report", "json=r.json"]);
    let rules = departing(&lab, "r.json");
    for rule in [
        "fields-keep-the-named",
        "fields-asked-again",
        "filter-compares",
        "range-gives-the-slice",
        "fields-of-each-element",
    ] {
        assert!(!rules.contains(&rule.to_owned()), "{rule}: {}", done.stdout);
    }
    assert_eq!(done.code, Some(0), "{}{}", done.stdout, done.stderr);
}

#[test]
fn a_refused_token_ends_it_at_once_and_so_does_a_console_that_is_away() {
    let lab = Lab::new();
    let (url, heard) = small_console(|_, _| (401, "{}".to_owned(), None));
    let done = judge(&lab, &url, &[]);
    assert_eq!((done.code, heard.lock().unwrap().len()), (Some(3), 1), "{}{}", done.stdout, done.stderr);
    assert!(done.stdout.contains("does not take the token"), "{}", done.stdout);
    let done = judge(&lab, "http://127.0.0.1:1", &[]);
    assert_eq!(done.code, Some(3), "{}{}", done.stdout, done.stderr);
    assert!(done.stdout.contains("was not reached"), "{}", done.stdout);
}

#[test]
fn a_console_that_asks_for_patience_is_given_it_and_redirects_are_not_followed() {
    let lab = Lab::new();
    let (other, at_other) = small_console(|_, right| right);
    let url = raw_console(move |_| {
        format!("HTTP/1.1 302 X\r\nLocation: {other}/api/x\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
            .into_bytes()
    });
    let done = judge(&lab, &url, &[]);
    assert_eq!(done.code, Some(3), "{}{}", done.stdout, done.stderr);
    assert!(at_other.lock().unwrap().is_empty());
    let url = raw_console(|_| {
        b"HTTP/1.1 429 X\r\nRetry-After: 0\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".to_vec()
    });
    let done = judge(&lab, &url, &[]);
    assert_eq!(done.code, Some(3), "{}{}", done.stdout, done.stderr);
    assert!(done.stdout.contains("429"), "{}", done.stdout);
}

#[test]
fn limits_are_kept_and_wrong_arguments_are_told() {
    let lab = Lab::new();
    let (url, heard) = small_console(|_, right| right);
    let done = judge(&lab, &url, &["--requests", "12"]);
    assert_eq!(heard.lock().unwrap().len(), 12, "{}{}", done.stdout, done.stderr);
    assert!(done.stdout.contains("12 requests sent"), "{}", done.stdout);
    for (words, says) in [
        (vec!["judge", "--upstream", "console.example"], "is not the address of a console"),
        (vec!["judge", "--upstream", "http://x", "--endpoint", "cases.post"], "only GET is ever sent"),
        (vec!["judge", "--upstream", "http://x", "--endpoint", "cases.lst"], "cases.list"),
        (vec!["judge", "--upstream", "http://x", "clients/mine.toml"], "cannot be used with"),
        (vec!["judge", "builtin:careful", "--endpoint", "cases.list"], "--upstream"),
        (vec!["judge"], "CLIENT"),
    ] {
        let done = lab.run(&words);
        assert!(
            done.code == Some(2) && done.stderr.contains(says),
            "{words:?}: {:?} {}",
            done.code,
            done.stderr
        );
    }
}

#[test]
fn over_https_the_certificate_is_judged_first() {
    let lab = Lab::new();
    let console = lab.serve(&["emulate", "--seed", "1", "--tls"]);
    let no_such = format!("sha256:{}", "0".repeat(64));
    let done = judge(&lab, &console.url, &["--pin", &no_such]);
    assert_eq!(done.code, Some(3), "{}{}", done.stdout, done.stderr);
    let pin =
        done.stdout.split("--pin ").nth(1).map(|rest| rest.split_whitespace().next().unwrap_or_default());
    let pin =
        pin.unwrap_or_else(|| panic!("{}", done.stdout)).trim_matches(['`', '(', ')', ',', ';']).to_owned();
    let done = judge(&lab, &console.url, &["--pin", &pin]);
    assert_eq!(done.code, Some(0), "{}{}", done.stdout, done.stderr);
    assert!(done.stdout.contains(&console.url), "{}", done.stdout);
    console.stop();
}

#[test]
fn a_console_that_keeps_the_wrong_elements_is_found_with_the_smallest_filter() {
    let lab = Lab::new();
    let (url, _) = small_console(|asked, right| match &asked.filter {
        // It knows `=` alone, and takes anything else for true.
        Some(filter) if !filter.contains(" = ") || filter.contains(" and ") || filter.contains(" or ") => {
            let fields = asked.fields.clone();
            Asked { filter: None, path: asked.path.clone(), range: asked.range, fields }.right()
        }
        _ => right,
    });
    let done = judge(&lab, &url, &["--cases", "12", "--report", "json=r.json"]);
    assert_eq!(done.code, Some(1), "{}{}", done.stdout, done.stderr);
    let rules = departing(&lab, "r.json");
    assert!(rules.contains(&"filter-compares".to_owned()), "{rules:?}");
    assert!(!rules.contains(&"range-gives-the-slice".to_owned()), "{rules:?}");
    assert!(!rules.contains(&"fields-keep-the-named".to_owned()), "{rules:?}");
}

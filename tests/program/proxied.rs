//! Clients whose host and https are fixed in their code, with a replay or a recorder for a proxy.

use crate::harness;

use std::path::Path;
use std::process::Command;

use harness::{CASES, Finished, Lab};

const CREATE_CASE: &str = "builtin:forensics/create-case";
const CONSOLE: &str = "https://console.example";

fn run(lab: &Lab, flags: &[&str], command: &[&str]) -> Finished {
    lab.run(&[&["run", "--cassette", CREATE_CASE], flags, &["--"], command].concat())
}

/// The exchanges of a ledger, but for what a client says of itself and how long it took.
fn exchanges(lab: &Lab, file: &str) -> Vec<String> {
    let text = lab.read(file);
    text.lines().filter(|line| line.starts_with("{\"exchange\"")).map(str::to_owned).collect()
}

#[test]
fn curl_is_answered_by_any_name_and_the_ledger_shows_what_it_shows_when_asked_directly() {
    let lab = Lab::new();
    let ask =
        |base: &str| format!("curl -sf -A c -H 'SEC: any' {base}{CASES}?fields=id%2Cname > answer || exit 9");
    let mut seen = Vec::new();
    for (flags, base) in [
        (&[][..], "\"$FAULTDECK_URL\""),
        (&["--tls"][..], "\"$FAULTDECK_URL\""),
        (&["--proxy"][..], "\"$FAULTDECK_URL\""),
        (&["--proxy"][..], CONSOLE),
        (&["--proxy"][..], "http://console.example"),
        (&["--proxy"][..], "https://10.1.2.3:8443"),
        (&["--proxy"][..], "-p http://console.example:8080"),
    ] {
        let flags = [flags, &["--ledger", "run.jsonl"]].concat();
        let run = run(&lab, &flags, &["sh", "-c", &ask(base)]);
        assert_eq!(run.code, Some(0), "{flags:?} {base}: {}", run.stderr);
        assert!(run.stderr.contains("0 connections to another host"), "{}", run.stderr);
        seen.push((lab.read("answer"), exchanges(&lab, "run.jsonl")));
        std::fs::remove_file(lab.file("run.jsonl")).unwrap();
    }
    assert_eq!(seen[0].1.len(), 1);
    for other in &seen[1..] {
        assert_eq!(other, &seen[0]);
    }
}

/// A small client as people write them: the console's address is a constant.
const PYTHON: &str = "import json, urllib.request
request = urllib.request.Request('https://console.example/api/forensics/case_management/cases', headers={'SEC': 'any'})
for _ in range(3):
    print(len(json.load(urllib.request.urlopen(request, timeout=20))))
";

/// Node before version 24 looks at no variable of a proxy: what its libraries do, in its own words.
const NODE: &str = "
const { request } = require('http'); const https = require('https');
const proxy = new URL(process.env.HTTPS_PROXY);
const open = request({ host: proxy.hostname, port: proxy.port, method: 'CONNECT', path: 'console.example:443' });
open.on('connect', (answer, socket) => {
  const options = { socket, agent: false, servername: 'console.example', headers: { SEC: 'any' } };
  https.get('https://console.example/api/forensics/case_management/cases', options, (answer) => {
    let text = ''; answer.on('data', (part) => { text += part; });
    answer.on('end', () => { console.log(JSON.parse(text).length); });
  });
}).end();
";

#[test]
fn clients_in_python_and_node_need_nothing_but_their_environment() {
    let lab = Lab::new();
    lab.write("client.py", PYTHON);
    lab.write("client.js", NODE);
    for (command, printed) in [(["python3", "client.py"], "2\n2\n2\n"), (["node", "client.js"], "2\n")] {
        let run = run(&lab, &["--proxy"], &command);
        assert_eq!((run.code, run.stdout.as_str()), (Some(0), printed), "{}", run.stderr);
    }
    // Without the proxy nobody answers for that name.
    assert_eq!(run(&lab, &[], &["python3", "client.py"]).code, Some(1));
}

#[test]
fn what_the_user_said_of_other_proxies_sends_nobody_past_the_replay() {
    let lab = Lab::new();
    let ask =
        format!("curl -sf -H 'SEC: any' {CONSOLE}{CASES} > /dev/null && test -z \"$ALL_PROXY$all_proxy\"");
    let env = [
        ("NO_PROXY", "*"),
        ("no_proxy", "console.example"),
        ("ALL_PROXY", "socks5://127.0.0.1:9"),
        ("https_proxy", "http://127.0.0.1:9"),
    ];
    let args = ["run", "--cassette", CREATE_CASE, "--proxy", "--", "sh", "-c", &ask];
    let run = lab.run_with(&args, &env);
    assert_eq!(run.code, Some(0), "{}", run.stderr);
}

#[test]
fn a_bundle_trusts_the_machine_s_own_roots_too_and_is_gone_afterwards() {
    let lab = Lab::new();
    lab.write("theirs.pem", "THEIRS\n");
    let ask = format!(
        "curl -sf -H 'SEC: any' {CONSOLE}{CASES} > /dev/null; grep -q THEIRS \"$SSL_CERT_FILE\" && \
         printf '%s\\n' \"$SSL_CERT_FILE\" \"$FAULTDECK_CA_FILE\" > files && grep -c BEGIN \"$SSL_CERT_FILE\" > many"
    );
    let theirs = lab.file("theirs.pem").display().to_string();
    let args = ["run", "--cassette", CREATE_CASE, "--proxy", "--", "sh", "-c", &ask];
    let run = lab.run_with(&args, &[("REQUESTS_CA_BUNDLE", &theirs)]);
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    assert!(lab.read("many").trim().parse::<u32>().unwrap() >= 1);
    let files = lab.read("files");
    assert_eq!(files.lines().count(), 2);
    assert!(files.lines().all(|file| !std::path::Path::new(file).exists()), "{files}");
}

/// What curl's exit code is under a fault, and that it fired.
fn under(lab: &Lab, flags: &[&str], fault: &str, url: &str) -> String {
    let ask = format!("curl -s --max-time 5 -o /dev/null -H 'SEC: any' {url}{CASES}; echo $? > code");
    let run = run(lab, &[flags, &["--fault", fault]].concat(), &["sh", "-c", &ask]);
    assert_eq!(run.code, Some(0), "{flags:?} {fault}: {}", run.stderr);
    lab.read("code").trim().to_owned()
}

#[test]
fn what_goes_wrong_on_a_connection_goes_wrong_in_a_tunnel_in_the_same_way() {
    let lab = Lab::new();
    for fault in [
        "tls-expired",
        "tls-wrong-name",
        "tls-unknown-ca",
        "tls-old-version",
        "tls-alert",
        "tls-reset",
        "tls-close",
        "connection-close",
        "connection-reset",
        "slow-accept:200",
        "reset:40",
        "truncate:10",
        "latency:200",
        "shorter-length:5",
        "api-error:500/1020",
        "connection-hang",
        "tls-hang",
    ] {
        let direct = under(&lab, &["--tls"], fault, "\"$FAULTDECK_URL\"");
        // A connection that is reset at once may be over before curl has taken notice of it; a tunnel's never is.
        let direct = if direct == "7" { "35".to_owned() } else { direct };
        assert_eq!(under(&lab, &["--proxy"], fault, CONSOLE), direct, "{fault}");
    }
}

#[test]
fn a_handshake_that_nobody_begins_is_a_fault_that_never_fired() {
    let lab = Lab::new();
    let ask = format!("curl -sf -H 'SEC: any' http://console.example{CASES} > /dev/null");
    let run = run(&lab, &["--proxy", "--fault", "tls-expired"], &["sh", "-c", &ask]);
    assert_eq!(run.code, Some(3), "{}", run.stderr);
    assert!(run.stderr.contains("never fired: --fault: tls-expired"), "{}", run.stderr);
    let both = lab.run(&["run", "--cassette", CREATE_CASE, "--proxy", "--tls", "--", "true"]);
    assert_eq!(both.code, Some(2), "{}", both.stderr);
}

fn curl(args: &[&str]) -> (Option<i32>, String) {
    let output =
        Command::new("curl").args(["-s", "--max-time", "20", "-H", "SEC: any"]).args(args).output().unwrap();
    (output.status.code(), String::from_utf8_lossy(&output.stdout).into_owned())
}

#[test]
fn a_replay_and_an_emulator_are_proxies_too_and_their_authority_is_shown_by_ca() {
    let lab = Lab::new();
    let shown = lab.run(&["ca", "--proxy"]);
    assert_eq!(shown.code, Some(0), "{}", shown.stderr);
    let ca_file = shown.stdout.trim().to_owned();
    for verb in [&["replay", CREATE_CASE][..], &["emulate"]] {
        let server = lab.serve(&[verb, &["--proxy"]].concat());
        let url = format!("{CONSOLE}{CASES}");
        let (code, text) = curl(&["-x", &server.url, "--cacert", &ca_file, &url]);
        assert!(code == Some(0) && text.starts_with('['), "{verb:?}: {code:?} {text}");
        assert_eq!(curl(&["-x", &server.url, &url]).0, Some(60), "nobody else trusts it");
        let finished = server.stop();
        assert_eq!(finished.code, Some(0), "{}", finished.stderr);
        assert!(finished.stderr.contains("no host is contacted"), "{}", finished.stderr);
    }
}

#[test]
fn what_is_said_to_the_proxy_alone_stands_nowhere() {
    let lab = Lab::new();
    let secret = lab.canary().to_owned();
    let server = lab.replay(&["--proxy", "--ledger", "run.jsonl"]);
    let user = format!("user:{secret}");
    for base in ["http://console.example", "-p http://console.example"] {
        let words: Vec<&str> = base.split(' ').collect();
        let url = format!("{}{CASES}", words[words.len() - 1]);
        let args = [&["-x", &server.url, "-U", &user][..], &words[..words.len() - 1], &[&url]].concat();
        let (code, text) = curl(&args);
        assert!(code == Some(0) && text.starts_with('['), "{base}: {code:?} {text}");
    }
    for head in [
        format!("CONNECT user:{secret}@console.example:443 HTTP/1.1\r\nHost: a\r\n\r\n"),
        format!("CONNECT {secret}/x HTTP/1.1\r\nHost: a\r\n\r\n"),
        format!("GET http://user:{secret}@console.example/ HTTP/1.1\r\nHost: a\r\n\r\n"),
        format!("CONNECT a:1 HTTP/1.1\r\nHost: a\r\nHost: b\r\nProxy-Authorization: Basic {secret}\r\n\r\n"),
    ] {
        let answer = server.exchange(head.as_bytes()).unwrap();
        assert!(answer.starts_with(b"HTTP/1.1 400 "), "{head}");
    }
    let finished = server.stop();
    assert_eq!(finished.code, Some(3), "{}", finished.stderr);
    // The lab itself looks for the secret in all that was printed and written.
    let ledger = lab.read("run.jsonl");
    assert!(!ledger.contains("Proxy-") && ledger.contains("CONNECT console.example:443"), "{ledger}");
}

#[test]
fn a_listener_that_is_away_refuses_a_proxy_s_clients_too() {
    let lab = Lab::new();
    let ask = format!(
        "curl -s --max-time 5 -H 'SEC: any' {CONSOLE}{CASES}; echo $? > code; sleep 1; curl -sf -H 'SEC: any' {CONSOLE}{CASES} > answer"
    );
    let run = run(&lab, &["--proxy", "--fault", "refuse?since_start_ms=0-700"], &["sh", "-c", &ask]);
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    assert_eq!(lab.read("code").trim(), "7");
    assert!(lab.read("answer").starts_with('['));
}

#[test]
fn a_recorder_asks_its_console_and_nobody_else() {
    let lab = Lab::new();
    let console = lab.serve(&["emulate"]);
    let args = [
        "record",
        "--cassette",
        "mine.json",
        "--upstream",
        &console.url,
        "--proxy",
        "--host",
        "console.example",
        "--overwrite",
    ];
    let recorder = lab.serve(&args);
    // The authority is the one of these names.
    let shown = lab.run(&["ca", "--tls-name", "console.example"]);
    let ca_file = shown.stdout.trim().to_owned();
    let asked = |url: &str| {
        curl(&["-x", &recorder.url, "--cacert", &ca_file, "-w", "%{http_code}/%{http_connect}", url])
    };
    for own in [CONSOLE, &console.url] {
        let (code, text) = asked(&format!("{own}{CASES}"));
        assert!(code == Some(0) && text.contains("]200/"), "{own}: {code:?} {text}");
    }
    assert_eq!(asked(&format!("https://evil.example{CASES}")), (Some(56), "000/403".to_owned()));
    let (_, text) = asked(&format!("http://evil.example{CASES}"));
    assert!(text.contains("asks http://127.0.0.1:") && text.ends_with("403/000"), "{text}");
    let finished = recorder.stop();
    assert_eq!(finished.code, Some(3), "{}", finished.stderr);
    for part in
        ["2 requests turned away", "evil.example", "interactions in", "no console but http://127.0.0.1:"]
    {
        assert!(finished.stderr.contains(part), "{part}: {}", finished.stderr);
    }
    let cassette = lab.read("mine.json");
    assert!(cassette.contains(CASES) && !cassette.contains("console.example"), "{cassette}");
    console.stop();
}

/// The commands of `docs/ways-in.md`, block by block.
fn blocks() -> Vec<String> {
    let text =
        std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/ways-in.md")).unwrap();
    let blocks = text.split("```").skip(1).step_by(2).filter(|block| !block.starts_with("text\n"));
    blocks.map(|block| block.trim_start().to_owned()).collect()
}

#[test]
fn every_command_of_the_page_about_ways_in_does_what_it_says() {
    let lab = Lab::new();
    let console = lab.serve(&["emulate"]);
    let bin = Path::new(env!("CARGO_BIN_EXE_faultdeck")).parent().unwrap().display().to_string();
    let blocks = blocks();
    assert_eq!(blocks.len(), 6);
    for block in blocks {
        if block.contains("--isolate")
            && !crate::isolated::can("every_command_of_the_page_about_ways_in_does_what_it_says")
        {
            continue;
        }
        // No console is at hand here but our own, which goes by that name.
        let upstream = format!("--upstream {} --host qradar.example", console.url);
        let script = block.replace("--upstream https://qradar.example", &upstream);
        let output = Command::new("bash")
            .args(["-e", "-c", &script])
            .current_dir(lab.path())
            .env("PATH", format!("{bin}:{}", std::env::var("PATH").unwrap()))
            .env("FAULTDECK_HOME", lab.file("home"))
            .env("SEC_TOKEN", lab.canary())
            .env_remove("CI")
            .output()
            .unwrap();
        lab.show(&output.stdout);
        lab.show(&output.stderr);
        let printed = String::from_utf8_lossy(&output.stdout);
        let errors = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(0), "{block}\n{printed}\n{errors}");
        assert!(!errors.contains("error"), "{block}\n{errors}");
        let is_asked = block.contains("/api/forensics");
        assert!(!is_asked || printed.contains("\"id\":"), "{block}\n{printed}");
    }
    let cassette = lab.read("cassettes/forensics/mine.json");
    assert!(cassette.contains(CASES), "{cassette}");
    console.stop();
}

//! `faultdeck doctor`: what stands in the way, each with its fix.

use std::collections::BTreeMap;
use std::net::TcpListener;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::harness::{Finished, Lab};

/// Which state each check is in.
fn states(ended: &Finished) -> BTreeMap<String, (String, String)> {
    let report: serde_json::Value = serde_json::from_str(&ended.stdout)
        .unwrap_or_else(|error| panic!("{error}: {}{}", ended.stdout, ended.stderr));
    assert_eq!(report["exit"], ended.code.unwrap());
    let text = |value: &serde_json::Value| value.as_str().unwrap_or_default().to_owned();
    let checks = report["checks"].as_array().unwrap().iter();
    checks
        .map(|check| {
            let state = text(&check["state"]);
            assert!(state != "trouble" || !text(&check["fix"]).is_empty(), "{check}: no fix");
            (text(&check["check"]), (state, text(&check["found"])))
        })
        .collect()
}

fn doctor(lab: &Lab, more: &[&str], env: &[(&str, &str)]) -> Finished {
    let clean = ["HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"]
        .map(|name| (name, ""));
    let env: Vec<_> = clean.into_iter().chain(env.iter().copied()).collect();
    lab.run_with(&[&["doctor", "--format", "json"], more].concat(), &env)
}

const WAY: [&str; 6] = ["name", "connection", "certificate", "clock", "token", "version"];

#[test]
fn without_a_console_only_this_machine_is_looked_at() {
    let lab = Lab::new();
    let ended = doctor(&lab, &[], &[]);
    assert_eq!(ended.code, Some(0), "{}", ended.stdout);
    let found = states(&ended);
    for check in ["settings", "ports", "localhost", "ulimit", "proxy", "temporary", "home", "cassettes"] {
        assert_eq!(found[check].0, "ok", "{check}: {found:?}");
    }
    assert!(WAY.iter().all(|check| found[*check].0 == "not_tried"), "{found:?}");
    let human = lab.run(&["doctor"]);
    assert!(human.stdout.contains("not tried  token"), "{}", human.stdout);
}

#[test]
fn a_console_that_is_well_is_ok_and_its_token_is_put_to_the_test() {
    let lab = Lab::new();
    let console = lab.serve(&["emulate"]);
    let with = [("FAULTDECK_CONSOLE_SEC", lab.canary())];
    let ended = doctor(&lab, &["--upstream", &console.url], &with);
    assert_eq!(ended.code, Some(0), "{}", ended.stdout);
    let found = states(&ended);
    for check in ["name", "connection", "token", "version"] {
        assert_eq!(found[check].0, "ok", "{check}: {found:?}");
    }
    assert_eq!(found["certificate"].0, "not_tried");
    assert!(found["token"].1.contains("refused without"), "{found:?}");
    let without = states(&doctor(&lab, &["--upstream", &console.url], &[]));
    assert_eq!(without["token"].0, "not_tried");
    // Nobody looks at a token there.
    let open = lab.serve(&["emulate", "--no-auth"]);
    let found = states(&doctor(&lab, &["--upstream", &open.url], &with));
    assert!(found["token"].1.contains("not looked at"), "{found:?}");
}

fn ca_file(lab: &Lab) -> PathBuf {
    let folders = std::fs::read_dir(lab.file("home/ca")).unwrap();
    folders.map(|entry| entry.unwrap().path().join("ca.pem")).find(|file| file.exists()).unwrap()
}

#[test]
fn a_certificate_that_is_not_believed_is_told_with_what_to_do() {
    let lab = Lab::new();
    let console = lab.serve(&["emulate", "--tls"]);
    let url = console.url.replace("127.0.0.1", "localhost");
    let found = states(&doctor(&lab, &["--upstream", &url], &[]));
    assert_eq!(
        (found["connection"].0.as_str(), found["certificate"].0.as_str()),
        ("ok", "trouble"),
        "{found:?}"
    );
    assert!(found["certificate"].1.contains("--pin sha256:"), "{found:?}");
    assert_eq!(found["token"].0, "not_tried");
    let ca = ca_file(&lab).display().to_string();
    let found = states(&doctor(&lab, &["--upstream", &url, "--ca-file", &ca], &[]));
    assert_eq!(found["certificate"].0, "ok", "{found:?}");
    // A server with another certificate than the one that is believed.
    let other = lab.serve(&["emulate", "--tls", "--tls-name", "other.test"]);
    let wrong = format!("sha256:{}", "0".repeat(64));
    let found = states(&doctor(&lab, &["--upstream", &other.url, "--pin", &wrong], &[]));
    assert!(
        found["certificate"].0 == "trouble" && found["certificate"].1.contains("it is not the pinned one"),
        "{found:?}"
    );
    // https is spoken to one that has none.
    let plain = lab.serve(&["emulate"]);
    let found = states(&doctor(&lab, &["--upstream", &plain.url.replace("http:", "https:")], &[]));
    assert_eq!(found["certificate"].0, "trouble", "{found:?}");
}

#[test]
fn a_dead_port_and_an_unknown_name_are_trouble_and_nothing_after_them_is_tried() {
    let lab = Lab::new();
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let ended = doctor(&lab, &["--upstream", &format!("https://127.0.0.1:{port}")], &[]);
    assert_eq!(ended.code, Some(1), "{}", ended.stdout);
    let found = states(&ended);
    assert_eq!(found["connection"].0, "trouble", "{found:?}");
    assert!(
        ["certificate", "clock", "token", "version"].iter().all(|it| found[*it].0 == "not_tried"),
        "{found:?}"
    );
    let found = states(&doctor(
        &lab,
        &["--upstream", "https://no-such-console.invalid", "--console-timeout", "5"],
        &[],
    ));
    assert_eq!(
        (found["name"].0.as_str(), found["connection"].0.as_str()),
        ("trouble", "not_tried"),
        "{found:?}"
    );
    assert_eq!(doctor(&lab, &["--upstream", "console.example/path"], &[]).code, Some(2));
}

/// It is looked at, and never asked.
#[test]
fn a_proxy_that_takes_loopback_is_trouble_is_never_asked_and_its_password_never_shown() {
    let lab = Lab::new();
    let console = lab.serve(&["emulate"]);
    let refusing = TcpListener::bind("127.0.0.1:0").unwrap();
    let asked = Arc::new(AtomicUsize::new(0));
    let proxy = format!("http://user:{}@{}", lab.canary(), refusing.local_addr().unwrap());
    let counted = Arc::clone(&asked);
    std::thread::spawn(move || {
        refusing.incoming().for_each(|_| {
            counted.fetch_add(1, Ordering::SeqCst);
        });
    });
    let set = [("HTTP_PROXY", proxy.as_str()), ("https_proxy", &proxy), ("NO_PROXY", ""), ("no_proxy", "")];
    let ended = doctor(&lab, &["--upstream", &console.url], &set);
    let found = states(&ended);
    assert!(ended.code == Some(1) && found["proxy"].0 == "trouble", "{found:?}");
    assert_eq!(found["connection"].0, "ok", "{found:?}");
    let spared = [set[0], ("NO_PROXY", "localhost,127.0.0.1")];
    assert_eq!(states(&doctor(&lab, &[], &spared))["proxy"].0, "ok");
    assert_eq!(asked.load(Ordering::SeqCst), 0);
}

#[test]
fn what_is_wrong_on_this_machine_is_told() {
    let lab = Lab::new();
    lab.write("faultdeck.toml", "[run]\njobs = 0\n");
    lab.write("file", "");
    let home = lab.file("file/home").display().to_string();
    let found = states(&doctor(&lab, &[], &[("FAULTDECK_HOME", &home), ("TMPDIR", &home)]));
    assert!(found["settings"].0 == "trouble" && found["settings"].1.contains("jobs"), "{found:?}");
    assert_eq!(
        (found["home"].0.as_str(), found["temporary"].0.as_str()),
        ("trouble", "trouble"),
        "{found:?}"
    );
    assert_eq!(states(&doctor(&lab, &["--settings", "none"], &[]))["settings"].0, "ok");
    // Few files may be open.
    let script = format!("ulimit -n 100; {} doctor", env!("CARGO_BIN_EXE_faultdeck"));
    let few =
        std::process::Command::new("sh").args(["-c", &script]).current_dir(lab.path()).output().unwrap();
    let text = String::from_utf8_lossy(&few.stdout).into_owned();
    assert!(text.contains("TROUBLE    ulimit       at most 100 files"), "{text}");
}

#[test]
fn a_console_of_another_version_is_told_with_the_way_to_its_own_description() {
    let lab = Lab::new();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for socket in listener.incoming().flatten() {
            use std::io::{Read, Write};
            let mut socket = socket;
            let mut head = [0_u8; 2048];
            let count = socket.read(&mut head).unwrap_or(0);
            assert!(head[..count].starts_with(b"GET "), "only safe methods");
            let body =
                r#"[{"id":1,"version":"12.0","removed":true},{"id":2,"version":"19.1","removed":false}]"#;
            let date = "Thu, 01 Jan 2015 00:00:00 GMT";
            let _ = write!(
                socket,
                "HTTP/1.1 200 OK\r\nDate: {date}\r\nContent-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
                body.len()
            );
        }
    });
    let found = states(&doctor(&lab, &["--upstream", &url], &[]));
    assert!(
        found["version"].0 == "trouble" && found["version"].1.contains("the console has 19.1"),
        "{found:?}"
    );
    assert!(found["clock"].0 == "trouble" && found["clock"].1.contains("before the console's"), "{found:?}");
}

//! `run --isolate`: clients whose host and https are fixed in their code, and that reach nobody else.

use crate::harness;

use std::process::Command;
use std::time::Instant;

use harness::{CASES, Finished, Lab};

const FAULTDECK: &str = env!("CARGO_BIN_EXE_faultdeck");
const CREATE_CASE: &str = "builtin:forensics/create-case";

fn run(lab: &Lab, flags: &[&str], command: &[&str]) -> Finished {
    lab.run(&[&["run", "--cassette", CREATE_CASE, "--isolate"], flags, &["--"], command].concat())
}

/// Whether this machine lets programs have a network of their own. One that does not skips the test, by its name.
pub fn can(test: &str) -> bool {
    let flags =
        ["--user", "--map-current-user", "--keep-caps", "--net", "--mount", "ip", "link", "set", "lo", "up"];
    let tried = Command::new("unshare").args(flags).output();
    let can = tried.is_ok_and(|tried| tried.status.success());
    if !can {
        println!("SKIPPED isolated::{test}: this machine allows no network of one's own (user namespaces)");
    }
    can
}

/// The command, as a user that may do no more than others: then it takes a user namespace.
fn humble(args: &[&str]) -> Vec<String> {
    let drop: &[&str] = match rustix::process::getuid().is_root() {
        true => &["setpriv", "--bounding-set=-sys_admin", "--inh-caps=-sys_admin"],
        false => &[],
    };
    drop.iter().chain(&[FAULTDECK]).chain(args).map(|word| (*word).to_owned()).collect()
}

#[test]
fn curl_reaches_the_console_by_its_own_name_and_the_ledger_shows_what_it_shows_without() {
    if !can("curl_reaches_the_console_by_its_own_name_and_the_ledger_shows_what_it_shows_without") {
        return;
    }
    let lab = Lab::new();
    let exchanges = || {
        let text = lab.read("run.jsonl");
        std::fs::remove_file(lab.file("run.jsonl")).unwrap();
        text.lines().filter(|line| line.starts_with("{\"exchange\"")).map(str::to_owned).collect::<Vec<_>>()
    };
    let ask =
        |base: &str| format!("curl -sf -A c -H 'SEC: any' {base}{CASES}?fields=id%2Cname > answer || exit 9");
    let direct = ["run", "--cassette", CREATE_CASE, "--ledger", "run.jsonl", "--", "sh", "-c"];
    assert_eq!(lab.run(&[&direct[..], &[&ask("$FAULTDECK_URL")]].concat()).code, Some(0));
    let plain = (lab.read("answer"), exchanges());
    for (flags, base) in [
        (&[][..], "https://console.example"),
        (&[][..], "\"$FAULTDECK_URL\""),
        (&["--as", "qradar.lab.test:8443"][..], "https://qradar.lab.test:8443"),
        (&["--as", "10.77.0.9"][..], "https://10.77.0.9"),
        (&["--as", "[2001:db8::7]"][..], "-g https://[2001:db8::7]"),
    ] {
        let ran = run(&lab, &[flags, &["--ledger", "run.jsonl"]].concat(), &["sh", "-c", &ask(base)]);
        assert_eq!(ran.code, Some(0), "{base}: {}", ran.stderr);
        assert_eq!((lab.read("answer"), exchanges()), plain, "{base}");
    }
}

/// As people write them: the address is a constant, and nothing speaks of certificates.
const PYTHON: &str = "import json, os, ssl, urllib.request
request = urllib.request.Request('https://console.example/api/forensics/case_management/cases', headers={'SEC': 'any'})
for _ in range(2):
    print(len(json.load(urllib.request.urlopen(request, timeout=20))))
try:
    import requests
    print(len(requests.get('https://console.example/api/forensics/case_management/cases', headers={'SEC': 'any'}).json()))
except ImportError:
    print(2)
";

const NODE: &str = "
const https = require('https');
https.get('https://console.example/api/forensics/case_management/cases', { headers: { SEC: 'any' } }, (answer) => {
  let text = ''; answer.on('data', (part) => { text += part; });
  answer.on('end', () => { console.log(JSON.parse(text).length); });
});
";

#[test]
fn clients_in_python_and_node_with_everything_fixed_in_their_code_need_no_change() {
    if !can("clients_in_python_and_node_with_everything_fixed_in_their_code_need_no_change") {
        return;
    }
    let lab = Lab::new();
    lab.write("client.py", PYTHON);
    lab.write("client.js", NODE);
    for (command, printed) in [(["python3", "client.py"], "2\n2\n2\n"), (["node", "client.js"], "2\n")] {
        let ran = run(&lab, &[], &command);
        assert_eq!((ran.code, ran.stdout.as_str()), (Some(0), printed), "{}", ran.stderr);
    }
    // A proxy of the machine's is none that could be reached.
    let args = ["run", "--cassette", CREATE_CASE, "--isolate", "--", "python3", "client.py"];
    let ran = lab
        .run_with(&args, &[("HTTPS_PROXY", "http://10.1.2.3:3128"), ("http_proxy", "http://10.1.2.3:3128")]);
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
}

#[test]
fn whoever_else_is_asked_cannot_be_reached_and_is_told() {
    if !can("whoever_else_is_asked_cannot_be_reached_and_is_told") {
        return;
    }
    let lab = Lab::new();
    let ask = format!(
        "curl -s https://hooks.example/x; a=$?; curl -s --max-time 5 http://10.1.2.3/; b=$?; getent hosts $(hostname) > /dev/null; \
         curl -s --max-time 5 'http://[2001:db8::1]/'; c=$?; curl -s --max-time 5 https://console.example:444/; d=$?; \
         curl -sf -H 'SEC: any' https://console.example{CASES} > /dev/null && echo $a $b $c $d > codes"
    );
    let began = Instant::now();
    let ran = run(&lab, &["--ledger", "run.jsonl", "--report", "json=r.json"], &["sh", "-c", &ask]);
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    // No such name; not connected, three times.
    assert_eq!(lab.read("codes"), "6 7 7 7\n");
    assert!(began.elapsed().as_secs() < 5, "at once: {:?}", began.elapsed());
    assert!(
        ran.stderr.contains(
            "wanted to reach somebody else, and could not: hooks.example, an address by its number, 2 times"
        ),
        "{}",
        ran.stderr
    );
    assert!(lab.read("r.json").contains("\"hooks.example\""));
    let report = lab.run(&["report", "run.jsonl"]);
    assert!(report.stdout.contains("could not: hooks.example"), "{}", report.stdout);
}

#[test]
fn faults_of_transport_come_through_as_they_do_without() {
    if !can("faults_of_transport_come_through_as_they_do_without") {
        return;
    }
    let lab = Lab::new();
    for fault in [
        "reset:40",
        "truncate:10",
        "close:40",
        "tls-expired",
        "tls-wrong-name",
        "tls-unknown-ca",
        "connection-reset",
        "connection-close",
        "slow-accept:200",
        "refuse?since_start_ms=0-300&optional",
    ] {
        let under = |way: &[&str], base: &str| {
            let pause = if fault.starts_with("refuse") { "0.5" } else { "0" };
            let ask = format!(
                "for n in 1 2; do curl -s --max-time 5 -o body -w '%{{http_code}} %{{size_download}} ' -H 'SEC: any' {base}{CASES}; \
                 echo $?; sleep {pause}; done > codes"
            );
            let args =
                [&["run", "--cassette", CREATE_CASE, "--fault", fault], way, &["--", "sh", "-c", &ask]]
                    .concat();
            let ran = lab.run(&args);
            assert_eq!(ran.code, Some(0), "{way:?} {fault}: {}", ran.stderr);
            let codes = lab.read("codes");
            // Whether curl hears of a reset while it connects (7) or in the handshake (35) is a matter of microseconds.
            if fault == "connection-reset" { codes.replace(" 7\n", " 35\n") } else { codes }
        };
        assert_eq!(
            under(&["--isolate"], "https://console.example"),
            under(&["--tls"], "$FAULTDECK_URL"),
            "{fault}"
        );
    }
}

#[test]
fn a_command_is_who_where_and_how_it_would_be_without() {
    if !can("a_command_is_who_where_and_how_it_would_be_without") {
        return;
    }
    let lab = Lab::new();
    let ask = format!(
        "curl -sf -H 'SEC: any' https://console.example{CASES} > /dev/null; id > who; pwd > where; cat > heard; \
         echo $FAULTDECK_URL; ps -o pid=,pgid= -p $$ > group; exit 7"
    );
    let ran = run(&lab, &[], &["sh", "-c", &ask]);
    assert_eq!(ran.code, Some(1), "{}", ran.stderr);
    assert!(ran.stderr.contains("exit code 7"), "{}", ran.stderr);
    assert_eq!(ran.stdout, "https://console.example\n");
    let id = Command::new("id").output().unwrap();
    assert_eq!(lab.read("who").as_bytes(), id.stdout);
    assert_eq!(lab.read("where").trim(), lab.path().canonicalize().unwrap().display().to_string());
    let group: Vec<String> = lab.read("group").split_whitespace().map(str::to_owned).collect();
    assert_eq!(group[0], group[1], "it leads a group of its own");
    for (command, code, said) in [
        (&["no-such-program-at-all"][..], 1, "was not found"),
        (&["/"][..], 1, "could not be executed"),
        (&["sh", "-c", "kill -SEGV $$"][..], 1, "ended by signal 11"),
    ] {
        let ran = run(&lab, &[], command);
        assert!(ran.code == Some(code) && ran.stderr.contains(said), "{command:?}: {}", ran.stderr);
    }
}

#[test]
fn a_user_like_any_other_gets_a_user_namespace_and_stays_who_he_is() {
    if !can("a_user_like_any_other_gets_a_user_namespace_and_stays_who_he_is") {
        return;
    }
    let lab = Lab::new();
    let ask = format!("curl -sf -H 'SEC: any' https://console.example{CASES} > answer && id -u && exit 0");
    let args = ["run", "--cassette", CREATE_CASE, "--isolate", "--", "sh", "-c", &ask];
    let words = humble(&args);
    let ran = Command::new(&words[0])
        .args(&words[1..])
        .current_dir(lab.path())
        .env("FAULTDECK_HOME", lab.file("home"))
        .output()
        .unwrap();
    let (out, err) = (String::from_utf8_lossy(&ran.stdout), String::from_utf8_lossy(&ran.stderr));
    assert_eq!(ran.status.code(), Some(0), "{err}");
    assert_eq!(out.trim(), rustix::process::getuid().as_raw().to_string());
}

#[test]
fn nothing_is_left_of_a_command_that_is_stopped_nor_of_its_network() {
    if !can("nothing_is_left_of_a_command_that_is_stopped_nor_of_its_network") {
        return;
    }
    let lab = Lab::new();
    let ask = "touch begun; setsid sleep 613 & setsid sleep 613 & wait; sleep 613";
    let args = ["run", "--cassette", CREATE_CASE, "--isolate", "--", "sh", "-c", ask];
    for (signal, code) in [(rustix::process::Signal::TERM, Some(3)), (rustix::process::Signal::KILL, None)] {
        let mut child = lab.start(&args);
        let began = Instant::now();
        while !lab.file("begun").exists() && began.elapsed().as_secs() < 30 {
            std::thread::sleep(std::time::Duration::from_millis(5));
        }
        std::fs::remove_file(lab.file("begun")).unwrap();
        let pid = rustix::process::Pid::from_raw(i32::try_from(child.id()).unwrap()).unwrap();
        rustix::process::kill_process(pid, signal).unwrap();
        assert_eq!(child.wait().unwrap().code(), code);
        let home = lab.path().display().to_string();
        let left = || {
            let all = std::fs::read_dir("/proc").unwrap().flatten();
            all.filter(|process| {
                let of = |name: &str| std::fs::read(process.path().join(name)).unwrap_or_default();
                let line = String::from_utf8_lossy(&of("cmdline")).replace('\0', " ");
                let is_ours = String::from_utf8_lossy(&of("environ")).contains(&home);
                is_ours && (line.contains("sleep 613") || line.contains("room hold"))
            })
            .count()
        };
        let began = Instant::now();
        while left() > 0 && began.elapsed().as_secs() < 10 {
            std::thread::sleep(std::time::Duration::from_millis(20));
        }
        assert_eq!(left(), 0, "{signal:?}");
    }
}

#[test]
fn a_matrix_gives_each_run_a_network_of_its_own() {
    if !can("a_matrix_gives_each_run_a_network_of_its_own") {
        return;
    }
    let lab = Lab::new();
    let ask = format!(
        "curl -sf -H 'SEC: any' https://console.example{CASES} > /dev/null; curl -s http://hooks.example; true"
    );
    let fault = "latency:1/20?chance=1/2";
    let flags = ["--fault", fault, "--seeds", "12", "--jobs", "4"];
    let ran = run(&lab, &flags, &["sh", "-c", &ask]);
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    assert!(ran.stderr.contains("could not: hooks.example\n"), "{}", ran.stderr);
}

#[test]
fn a_failed_run_is_repeated_with_the_same_flags_and_what_makes_no_sense_is_refused() {
    let lab = Lab::new();
    for (flags, said) in [
        (&["--isolate", "--tls"][..], "cannot be used with"),
        (&["--isolate", "--proxy"][..], "cannot be used with"),
        (&["--as", "a.example"][..], "--isolate"),
        (&["--isolate", "--as", "https://a.example"][..], "without `https://`"),
    ] {
        let ran = lab.run(&[&["run", "--cassette", CREATE_CASE], flags, &["--", "true"]].concat());
        assert!(ran.code == Some(2) && ran.stderr.contains(said), "{flags:?}: {}", ran.stderr);
    }
    if !can("a_failed_run_is_repeated_with_the_same_flags_and_what_makes_no_sense_is_refused") {
        return;
    }
    let ran = run(&lab, &["--as", "qradar.lab.test"], &["false"]);
    assert!(ran.stderr.contains("--isolate --as qradar.lab.test:443 -- false"), "{}", ran.stderr);
}

#[test]
fn where_it_cannot_be_had_the_reason_and_the_way_out_are_told() {
    // What is missing is told first.
    if Command::new("ip").arg("-V").output().is_err() {
        println!(
            "SKIPPED isolated::where_it_cannot_be_had_the_reason_and_the_way_out_are_told: there is no `ip`"
        );
        return;
    }
    let lab = Lab::new();
    let nowhere = lab.file("nowhere").display().to_string();
    let args = ["run", "--cassette", CREATE_CASE, "--isolate", "--", "true"];
    // Programs that refuse, as the system's do where it is not allowed.
    let refuses = lab.write(
        "bin/unshare",
        "#!/bin/sh\necho 'unshare: unshare failed: Operation not permitted' >&2; exit 1\n",
    );
    std::fs::set_permissions(&refuses, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    let path = format!("{}:{}", refuses.parent().unwrap().display(), std::env::var("PATH").unwrap());
    let ran = lab.run_with(&args, &[("PATH", &path)]);
    assert_eq!(ran.code, Some(2), "{}", ran.stderr);
    assert!(
        ran.stderr.contains("Operation not permitted") && ran.stderr.contains("help: "),
        "{}",
        ran.stderr
    );
    // Those of the system are found even where nobody names their folder.
    let ran = lab.run_with(&args, &[("PATH", &nowhere)]);
    assert!(!ran.stderr.contains("`ip` was not found"), "{}", ran.stderr);
}

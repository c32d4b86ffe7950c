//! `[worker]` and `[http]`: the page is true, what it shows is judged, and what goes wrong is told.

use crate::harness;

use std::path::Path;
use std::process::{Command, Stdio};

use harness::{Finished, Lab};

fn page(name: &str) -> String {
    std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs").join(name)).unwrap()
}

/// The first block of a language in a page.
fn example(page: &str, language: &str) -> String {
    let rest = page.split_once(&format!("```{language}\n")).unwrap().1;
    rest.split_once("```").unwrap().0.to_owned()
}

fn has(program: &str) -> bool {
    let mut version = Command::new(program);
    version.arg("--version").stdout(Stdio::null()).stderr(Stdio::null());
    version.status().is_ok_and(|status| status.success())
}

/// A lab with a client `mine` that is this worker.
fn lab(file: &str, text: &str, argv: &str, jobs: &str, more: &str) -> Lab {
    let lab = Lab::new();
    lab.write(file, text);
    lab.write(
        "clients/mine.toml",
        &format!("summary = \"s\"\njobs = {jobs}\n[worker]\nargv = {argv}\n{more}\n"),
    );
    lab
}

fn judged(lab: &Lab, more: &[&str]) -> Finished {
    lab.run(&[&["judge", "mine"][..], more].concat())
}

const CLAIMS: &str = "[claims]\nsends_version = true\nretries = { max = 3, on = [500, 502, 503, 504] }\n\
                      request_timeout_ms = 1000\ngives_up_after_ms = 3000\n";
const STORIES: [&str; 14] = [
    "--cases",
    "30",
    "--scenario",
    "not-found",
    "--scenario",
    "server-error",
    "--scenario",
    "partial-completion",
    "--scenario",
    "task/html-page",
    "--scenario",
    "task/big-integer",
    "--scenario",
    "network/reset",
];

#[test]
fn every_example_is_under_40_lines_and_the_rust_one_is_compiled() {
    let page = page("worker.md");
    for language in ["python", "js", "go", "rust"] {
        let lines = example(&page, language).lines().count();
        assert!(lines < 40, "{language}: {lines}");
    }
    let compiled = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/worker.rs");
    assert_eq!(example(&page, "rust"), std::fs::read_to_string(compiled).unwrap());
}

#[test]
fn the_examples_in_python_and_node_are_judged_and_hold() {
    let page = page("worker.md");
    for (language, program, file) in [("python", "python3", "worker.py"), ("js", "node", "worker.mjs")] {
        if !has(program) {
            println!("not run: there is no {program}");
            continue;
        }
        let argv = format!("[\"{program}\", \"{file}\"]");
        let lab = lab(file, &example(&page, language), &argv, "[\"get\", \"wait\"]", CLAIMS);
        let finished = judged(&lab, &STORIES);
        assert_eq!(finished.code, Some(0), "{language}: {}{}", finished.stdout, finished.stderr);
    }
}

#[test]
fn the_example_in_go_is_compiled_and_judged_where_there_is_go() {
    if !Command::new("go").arg("version").stdout(Stdio::null()).status().is_ok_and(|status| status.success())
    {
        println!("not run: there is no go");
        return;
    }
    let lab = lab("worker.go", &example(&page("worker.md"), "go"), "[\"./worker\"]", "[\"get\"]", CLAIMS);
    let built = Command::new("go").args(["build", "worker.go"]).current_dir(lab.path()).output().unwrap();
    assert!(built.status.success(), "{}", String::from_utf8_lossy(&built.stderr));
    let finished = judged(&lab, &["--cases", "30", "--scenario", "not-found"]);
    assert_eq!(finished.code, Some(0), "{}{}", finished.stdout, finished.stderr);
}

#[test]
fn the_example_in_rust_is_judged_and_holds() {
    let folder = Path::new(env!("CARGO_BIN_EXE_faultdeck")).parent().unwrap();
    let program = folder.join("examples/worker");
    if !program.exists() {
        println!("not run: cargo builds the examples with all tests only");
        return;
    }
    let lab = lab("x", "", &format!("[{:?}]", program.display().to_string()), "[\"get\"]", CLAIMS);
    let finished = judged(&lab, &["--cases", "30", "--scenario", "not-found", "--scenario", "server-error"]);
    assert_eq!(finished.code, Some(0), "{}{}", finished.stdout, finished.stderr);
}

/// A worker in sh: what it does with a case `$n` is `reply`.
fn shell(reply: &str) -> String {
    format!(
        "echo '{{\"faultdeck\":1,\"jobs\":[\"get\",\"wait\"]}}'\nwhile read -r line; do\n  n=${{line#*\\\"case\\\":}}; \
         n=${{n%%,*}}\n  {reply}\ndone\n"
    )
}

#[test]
fn a_worker_that_cannot_be_read_where_nothing_goes_wrong_is_told_what_to_write() {
    let reply = |text: &str| shell(&format!("echo \"{}\"", text.replace('"', "\\\"")));
    for (script, words) in [
        ("echo ready; cat".to_owned(), &["first line of its worker is not JSON", "it wrote: ready"][..]),
        (
            "echo '{\"faultdeck\":1,\"jobs\":[\"wait\"]}'; cat".to_owned(),
            &["does not name the job `get`, which its file names"],
        ),
        ("cat > /dev/null".to_owned(), &["wrote no first line within 5 s"]),
        (reply("done"), &["line of its worker is not JSON", "it wrote: done"]),
        (reply("{\"case\":77,\"outcome\":\"gave_up\"}"), &["about case 77, and it was given case 1"]),
        (reply("{\"outcome\":\"gave_up\"}"), &["no member `case`"]),
        (reply("{\"case\":$n,\"outcome\":\"fine\"}"), &["the outcome is `fine`"]),
        (shell("exit 0"), &["there is nothing on its standard output"]),
    ] {
        let lab = lab("worker.sh", &script, "[\"sh\", \"worker.sh\"]", "[\"get\"]", "");
        let finished = judged(&lab, &["--cases", "2"]);
        let shown = finished.stdout + &finished.stderr;
        assert_eq!(finished.code, Some(2), "{script}: {shown}");
        let always = ["{\"case\":N,\"outcome\":\"task\"", "{\"faultdeck\":1"];
        for word in words.iter().chain(&always) {
            assert!(shown.contains(word), "{script}: {word}: {shown}");
        }
        assert!(!shown.contains("VIOLATED"), "{shown}");
    }
}

#[test]
fn a_worker_that_does_not_come_up_is_a_client_that_could_not_be_started() {
    for (script, words) in [
        ("echo oops >&2; exit 7", "its worker was gone before its first line (exit code 7): oops"),
        ("kill -9 $$", "its worker was gone before its first line (signal 9)"),
    ] {
        let lab = lab("worker.sh", script, "[\"sh\", \"worker.sh\"]", "[\"get\"]", "");
        let finished = judged(&lab, &["--cases", "2"]);
        assert_eq!(finished.code, Some(3), "{}{}", finished.stdout, finished.stderr);
        assert!(finished.stdout.contains(words), "{}", finished.stdout);
    }
    let lab = lab("x", "", "[\"/no/such/program\"]", "[\"get\"]", "");
    let finished = judged(&lab, &["--cases", "2"]);
    assert_eq!(finished.code, Some(3), "{}{}", finished.stdout, finished.stderr);
    assert!(finished.stdout.contains("was not found"), "{}", finished.stdout);
}

#[test]
fn a_worker_that_never_answers_a_case_is_given_up_after_20_more() {
    let script = format!("echo started >> starts; {}", shell("exit 3"));
    let lab = lab("worker.sh", &script, "[\"sh\", \"worker.sh\"]", "[\"get\"]", "");
    let finished = judged(&lab, &["--cases", "60", "--jobs", "1"]);
    assert_eq!(finished.code, Some(3), "{}{}", finished.stdout, finished.stderr);
    assert!(finished.stdout.contains("started again 20 times"), "{}", finished.stdout);
    assert_eq!(lab.read("starts").lines().count(), 21);
}

/// Ends in the way of `fatal` whenever the console answers an error; else reports the task.
fn fragile(fatal: &str) -> String {
    format!(
        "import json, sys, os, time, urllib.parse, urllib.request\n\
         print('{{\"faultdeck\":1,\"jobs\":[\"get\"]}}', flush=True)\n\
         for line in sys.stdin:\n    \
             it = json.loads(line)\n    \
             url = it['base_url'] + '/api' + it['path'] + ('?' + urllib.parse.urlencode({{'fields': it['fields']}}) if it['fields'] else '')\n    \
             try:\n        \
                 text = urllib.request.urlopen(urllib.request.Request(url, headers={{'SEC': it['sec']}})).read().decode()\n    \
             except Exception:\n        \
                 {fatal}\n    \
             print('{{\"case\":%d,\"outcome\":{{\"outcome\":\"task\",\"standing\":\"pending\",\"task\":%s}}}}' % (it['case'], text.replace('\\n', ' ')), flush=True)\n"
    )
}

#[test]
fn what_a_worker_does_in_a_later_case_is_judged_however_often_it_is_lost_by_it() {
    for (fatal, how, code) in [
        ("os._exit(9)", "crashed: exit code 9, and no answer", 1),
        ("os.kill(os.getpid(), 11)", "crashed: signal 11", 1),
        // Each line says when to give up.
        ("time.sleep(600)", "timed out", 1),
        ("print('Traceback', flush=True); continue", "unreadable: the line of its worker is not JSON", 1),
        (
            "print('{\"case\":0,\"outcome\":\"gave_up\"}', flush=True); continue",
            "unreadable: the line of its worker is about case 0",
            1,
        ),
        ("os._exit(0)", "silent", 1),
    ] {
        let lab = lab(
            "worker.py",
            &fragile(fatal),
            "[\"python3\", \"worker.py\"]",
            "[\"get\"]",
            "timeout_ms = 400",
        );
        // More cases in a row than a worker that never answered would be started again.
        let stories =
            ["--scenario", "not-found", "--scenario", "server-error", "--scenario", "task/no-such-path"];
        let more = ["--scenario", "task/html-page", "--ledger", "l.jsonl", "--jobs", "1"];
        let finished = judged(&lab, &[&stories[..], &more].concat());
        assert_eq!(finished.code, Some(code), "{fatal}: {}{}", finished.stdout, finished.stderr);
        assert!(!finished.stdout.contains("could not be started"), "{fatal}: {}", finished.stdout);
        assert!(lab.read("l.jsonl").contains(how), "{fatal}: {}", lab.read("l.jsonl"));
    }
}

#[test]
fn workers_are_as_many_as_jobs_and_nothing_of_them_is_left() {
    let script = format!(
        "echo $$ >> pids; sleep 1000 & echo $! >> pids; {}",
        shell("echo \"{\\\"case\\\":$n,\\\"outcome\\\":\\\"gave_up\\\"}\"")
    );
    let lab = lab("worker.sh", &script, "[\"sh\", \"worker.sh\"]", "[\"get\"]", "");
    let finished = judged(&lab, &["--cases", "40", "--jobs", "3"]);
    assert_eq!(finished.code, Some(3), "it asks for nothing: {}{}", finished.stdout, finished.stderr);
    let pids = lab.read("pids");
    let started = pids.lines().count() / 2;
    assert!((1..=3).contains(&started), "{started} workers for 3 jobs");
    for pid in pids.lines() {
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        assert!(stat.is_empty() || stat.contains(") Z "), "{pid} is left: {stat}");
    }
}

/// A client with `get` alone, by the whole of what `judge` does without further words.
#[test]
fn a_client_that_does_only_get_can_be_green_in_all_that_is_judged() {
    let page = page("worker.md");
    let lab =
        lab("worker.py", &example(&page, "python"), "[\"python3\", \"worker.py\"]", "[\"get\"]", CLAIMS);
    let finished = judged(&lab, &["--jobs", "4"]);
    assert_eq!(finished.code, Some(0), "{}{}", finished.stdout, finished.stderr);
    assert!(
        finished.stdout.contains("(the client does not do the job `wait` or `create`)"),
        "{}",
        finished.stdout
    );
}

/// A service in Python around the worker of the page.
fn service() -> String {
    let worker = example(&page("worker.md"), "python");
    let (client, _) = worker.split_once("print('{\"faultdeck\"").unwrap();
    format!(
        "{client}\nfrom http.server import BaseHTTPRequestHandler, ThreadingHTTPServer\n\
         class Service(BaseHTTPRequestHandler):\n    \
             def do_POST(self):\n        \
                 text = ('{{' + work(json.loads(self.rfile.read(int(self.headers['Content-Length'])))) + '}}').encode()\n        \
                 self.send_response(200 if self.path == '/case?x=1' else 404)\n        \
                 self.send_header('Content-Length', str(len(text)))\n        \
                 self.end_headers()\n        \
                 self.wfile.write(text)\n    \
             def log_message(self, *_): print('x' * 1000, flush=True)\n\
         server = ThreadingHTTPServer(('127.0.0.1', int(sys.argv[1])), Service)\n\
         server.serve_forever()\n"
    )
}

/// A port that is free now.
fn free_port() -> u16 {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

fn service_lab(url: &str, more: &str) -> Lab {
    let lab = Lab::new();
    lab.write("service.py", &service());
    lab.write(
        "clients/mine.toml",
        &format!("summary = \"s\"\njobs = [\"get\", \"wait\"]\n[http]\nurl = \"{url}\"\n{more}\n{CLAIMS}"),
    );
    lab
}

#[test]
fn a_service_is_started_judged_and_ended() {
    let port = free_port();
    let argv = format!("argv = [\"python3\", \"service.py\", \"{port}\"]");
    let lab = service_lab(&format!("http://127.0.0.1:{port}/case?x=1"), &argv);
    let finished = judged(&lab, &STORIES);
    assert_eq!(finished.code, Some(0), "{}{}", finished.stdout, finished.stderr);
    assert!(std::net::TcpListener::bind(("127.0.0.1", port)).is_ok(), "it is ended");
}

#[test]
fn a_service_that_is_there_already_is_judged_and_left_alone() {
    let port = free_port();
    let lab = service_lab(&format!("http://localhost:{port}/case?x=1"), "");
    let nobody = judged(&lab, &["--cases", "3"]);
    assert_eq!(nobody.code, Some(3), "{}{}", nobody.stdout, nobody.stderr);
    assert!(nobody.stdout.contains("the service is not there"), "{}", nobody.stdout);
    let mut running = Command::new("python3")
        .args(["service.py", &port.to_string()])
        .current_dir(lab.path())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let until = std::time::Instant::now() + std::time::Duration::from_secs(10);
    while std::net::TcpStream::connect(("127.0.0.1", port)).is_err() {
        assert!(std::time::Instant::now() < until, "the service does not come up");
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
    let finished = judged(&lab, &STORIES);
    let goes_on = running.try_wait().unwrap().is_none();
    let other = lab.read("clients/mine.toml").replace("/case?x=1", "/elsewhere");
    lab.write("clients/mine.toml", &other);
    let elsewhere = judged(&lab, &["--cases", "3"]);
    running.kill().unwrap();
    running.wait().unwrap();
    assert_eq!(finished.code, Some(0), "{}{}", finished.stdout, finished.stderr);
    assert!(goes_on);
    assert_eq!(elsewhere.code, Some(2), "{}{}", elsewhere.stdout, elsewhere.stderr);
    assert!(elsewhere.stderr.contains("the service answered 404, not 200"), "{}", elsewhere.stderr);
}

#[test]
fn a_service_that_hangs_is_started_again_and_each_case_is_judged() {
    let port = free_port();
    let argv = format!("argv = [\"python3\", \"service.py\", \"{port}\"]\ntimeout_ms = 700");
    let lab = service_lab(&format!("http://127.0.0.1:{port}/case?x=1"), &argv);
    let hanging =
        service().replace("if status != 200:", "if status == 404: time.sleep(600)\n    if status != 200:");
    lab.write("service.py", &hanging);
    let finished = judged(&lab, &["--scenario", "not-found", "--ledger", "l.jsonl", "--jobs", "2"]);
    assert_eq!(finished.code, Some(1), "{}{}", finished.stdout, finished.stderr);
    assert!(lab.read("l.jsonl").contains("timed out"), "{}", lab.read("l.jsonl"));
    assert!(!finished.stdout.contains("could not be started"), "{}", finished.stdout);
}

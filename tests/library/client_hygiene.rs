//! A client under test leaves nothing behind, however it behaves, and how it ended is told apart.

use crate::canary;

use std::ffi::OsString;
use std::future::Future;
use std::path::Path;
use std::time::{Duration, Instant};

use faultdeck::client::child::{self, Command, Ending, Environment, Finished};
use faultdeck::client::{Client as _, Job, JobKind, Outcome, Report, Resting, Settings, open};

fn shell(script: &str, deadline_ms: u64) -> Command {
    Command {
        argv: ["/bin/sh", "-c", script].map(OsString::from).to_vec(),
        environment: Environment::clean([("PATH".into(), std::env::var_os("PATH").unwrap())]),
        deadline: Some(Duration::from_millis(deadline_ms)),
        ..Command::default()
    }
}

fn block_on<T>(work: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(work)
}

fn ran(script: &str, deadline_ms: u64) -> Finished {
    block_on(child::run(&shell(script, deadline_ms))).unwrap()
}

/// Whether a process is there and no zombie.
fn lives(pid: &str) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{}/stat", pid.trim())).unwrap_or_default();
    stat.rsplit(") ").next().is_some_and(|rest| !stat.is_empty() && !rest.starts_with('Z'))
}

/// A killed process may take a moment to vanish.
fn vanishes(pid: &str) -> bool {
    let until = Instant::now() + Duration::from_secs(2);
    while lives(pid) && Instant::now() < until {
        std::thread::sleep(Duration::from_millis(5));
    }
    !lives(pid)
}

#[test]
fn a_client_that_hangs_is_ended_with_its_descendants() {
    let since = Instant::now();
    let finished = ran("sleep 1000 & echo $$ $!; sleep 1000", 200);
    assert_eq!(finished.ending, Ending::TimedOut);
    assert!(since.elapsed() < Duration::from_secs(2), "TERM was enough");
    let text = finished.stdout.text();
    let pids: Vec<&str> = text.split_whitespace().collect();
    assert_eq!(pids.len(), 2, "{text}");
    assert!(pids.iter().all(|pid| vanishes(pid)), "{text}");
    assert!(!Path::new(&format!("/proc/{}", pids[0])).exists(), "the client itself is reaped, no zombie");
}

#[test]
fn a_client_that_ignores_term_is_killed() {
    let since = Instant::now();
    let finished = ran("trap '' TERM; echo $$; while :; do sleep 0.05; done", 100);
    assert_eq!(finished.ending, Ending::TimedOut);
    assert!(since.elapsed() >= Duration::from_secs(2), "it had its two seconds");
    assert!(vanishes(&finished.stdout.text()));
}

#[test]
fn what_a_client_leaves_running_is_killed_at_its_end() {
    let finished = ran("sleep 1000 & echo $!", 10_000);
    assert_eq!(finished.ending, Ending::Exited(0));
    assert!(vanishes(&finished.stdout.text()));
}

#[test]
fn a_descendant_that_left_the_group_does_not_hold_the_harness_up() {
    let since = Instant::now();
    let finished = ran("setsid sleep 5 & echo said", 10_000);
    assert_eq!((finished.ending, finished.stdout.text().as_str()), (Ending::Exited(0), "said\n"));
    assert!(since.elapsed() < Duration::from_secs(4), "output is read a moment longer, not for ever");
}

/// A script that starts a daemon (a session of its own, its parent gone), writes its number to `file` and goes on.
fn with_daemon(file: &Path, then: &str) -> String {
    format!(
        "(setsid sh -c 'echo $$ > {0}.new; mv {0}.new {0}; exec sleep 1000' > /dev/null 2>&1 &)\n\
         while [ ! -e {0} ]; do sleep 0.01; done\n{then}",
        file.display()
    )
}

#[test]
fn a_daemon_that_a_client_has_started_is_ended_with_it() {
    let folder = canary::Folder::new();
    for (name, then, ending) in [
        ("by-itself", "exit 3", Ending::Exited(3)),
        ("at-its-deadline", "sleep 1000", Ending::TimedOut),
        ("crashed", "kill -SEGV $$", Ending::Signalled(11)),
    ] {
        let file = folder.path().join(name);
        assert_eq!(ran(&with_daemon(&file, then), 3_000).ending, ending);
        assert!(vanishes(&std::fs::read_to_string(&file).unwrap()), "{name}");
    }
}

#[test]
fn what_a_client_beside_it_has_started_is_left_alone() {
    let folder = canary::Folder::new();
    let (file, go) = (folder.path().join("daemon"), folder.path().join("go"));
    let wait =
        format!("while [ ! -e {} ]; do sleep 0.01; done; kill -0 $(cat {})", go.display(), file.display());
    let long = shell(&with_daemon(&file, &wait), 20_000);
    let (long, short) = block_on(async {
        let beside = async {
            while !file.exists() {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
            let short = child::run(&shell("setsid sleep 1000 & exit 0", 10_000)).await.unwrap();
            std::fs::write(&go, "").unwrap();
            short
        };
        let long = async { child::run(&long).await.unwrap() };
        tokio::join!(long, beside)
    });
    assert_eq!(
        (long.ending, short.ending),
        (Ending::Exited(0), Ending::Exited(0)),
        "its daemon was still there"
    );
    assert!(vanishes(&std::fs::read_to_string(&file).unwrap()), "and ended with it");
}

#[test]
fn dropping_the_future_kills_the_client() {
    let folder = canary::Folder::new();
    let pid = folder.path().join("pid");
    let script = format!("sleep 1000 & echo $$ $! > {0}.new; mv {0}.new {0}; sleep 1000", pid.display());
    let command = shell(&script, 60_000);
    block_on(async {
        let appears = async {
            while !pid.exists() {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        tokio::select! {
            _ = child::run(&command) => panic!("it ended by itself"),
            () = appears => {}
        }
    });
    let pids = std::fs::read_to_string(&pid).unwrap();
    assert_eq!(pids.split_whitespace().count(), 2, "{pids}");
    assert!(pids.split_whitespace().all(vanishes), "{pids}");
}

#[test]
fn floods_of_output_are_read_and_cut() {
    let finished =
        ran("head -c 3000000 /dev/zero | tr '\\0' x; echo end; head -c 3000000 /dev/zero >&2", 20_000);
    assert_eq!(finished.ending, Ending::Exited(0));
    let out = finished.stdout.text();
    assert!(out.len() < 3 * child::KEPT && out.ends_with("xend\n"), "{} bytes", out.len());
    assert!(finished.stdout.cut > 2_000_000 && finished.stderr.cut > 2_000_000);
    assert_eq!(ran("yes", 100).ending, Ending::TimedOut);
}

#[test]
fn a_client_gets_no_input_no_descriptors_and_no_variables_but_the_listed() {
    assert_eq!(ran("cat; echo end", 10_000).stdout.text(), "end\n");
    // Whoever started this test may have left descriptors open to all; none of this program's own are added.
    let list = "ls /proc/self/fd";
    let plain = std::process::Command::new("/bin/sh").args(["-c", list]).output().unwrap();
    assert_eq!(ran(list, 10_000).stdout.text(), String::from_utf8(plain.stdout).unwrap());
    let text = ran("env", 10_000).stdout.text();
    let mut names: Vec<&str> = text.lines().filter_map(|line| line.split('=').next()).collect();
    names.retain(|name| !["PWD", "OLDPWD", "SHLVL", "_"].contains(name));
    names.sort_unstable();
    assert_eq!(names, ["FAULTDECK_CHILD", "NO_PROXY", "PATH", "no_proxy"]);
    let ignored = ran("grep SigIgn /proc/self/status | cut -f 2", 10_000).stdout.text();
    let ignored = u64::from_str_radix(ignored.trim(), 16).unwrap();
    assert_eq!(ignored & 0x7fff_ffff, 0, "every classic signal has its default, SIGPIPE above all");
}

#[test]
fn a_program_that_cannot_be_started_is_no_client_that_failed() {
    let folder = canary::Folder::new();
    let plain = folder.path().join("plain");
    std::fs::write(&plain, "hello").unwrap();
    for argv in [vec![], vec![OsString::from("/no/such/program")], vec![plain.into_os_string()]] {
        let command = Command { argv, ..shell("", 100) };
        assert!(block_on(child::run(&command)).is_err());
    }
}

/// What comes of a client that is a shell script, through its file.
fn report(script: &str, more: &str) -> Report {
    let folder = canary::Folder::new();
    let script = script.replace('{', "{{").replace('}', "}}");
    let text = format!(
        "summary = \"x\"\njobs = [\"get\"]\n[exec]\nargv = [\"/bin/sh\", \"-c\", {script:?}, \"sh\", \"{{base_url}}\"]\n\
         env = {{ TOKEN = \"{{sec}}\" }}\ntimeout_ms = 2000\n{more}"
    );
    std::fs::write(folder.path().join("c.toml"), text).unwrap();
    let settings = Settings {
        faultdeck: "faultdeck".into(),
        environment: Environment::clean([("PATH".into(), std::env::var_os("PATH").unwrap())]),
        folder: folder.path().to_owned(),
    };
    block_on(open("c.toml", settings).unwrap().run(&job("http://127.0.0.1:1")))
}

fn job(base_url: &str) -> Job {
    Job {
        kind: JobKind::Get,
        base_url: base_url.to_owned(),
        method: "GET".to_owned(),
        path: "/forensics/case_management/case_create_tasks/42".to_owned(),
        params: Vec::new(),
        body: None,
        id: Some("42".to_owned()),
        name: None,
        fields: None,
        sec: canary::canary().to_owned(),
        user: "analyst".to_owned(),
        password: "correct-horse-9b1".to_owned(),
        ca_file: None,
        pace_ms: 1,
        deadline_ms: 1000,
    }
}

#[test]
fn every_way_to_end_has_an_outcome_of_its_own() {
    let crashed = |how: &str| Outcome::Crashed { how: how.to_owned() };
    let no_outcome = |code: i32| crashed(&format!("exit code {code}, and no outcome"));
    let prints = r#"echo {\"outcome\":\"task\",\"standing\":\"done\",\"task\":{\"id\":9007199254740993}}"#;
    let task = Outcome::Task { standing: Resting::Done, task: r#"{"id":9007199254740993}"#.to_owned() };
    let map = "exit = { 0 = \"done\", 4 = \"not_found\" }";
    for (script, more, outcome) in [
        (prints, "", task.clone()),
        (
            r#"echo "{\"outcome\":\"error\",\"text\":\"$1 $TOKEN\"}""#,
            "",
            Outcome::Error { text: format!("http://127.0.0.1:1 {}", canary::canary()) },
        ),
        ("kill -SEGV $$", "", crashed("signal 11")),
        ("exit 3", "", no_outcome(3)),
        ("exit 0", "", Outcome::Silent),
        ("exit 4", map, no_outcome(4)),
        ("exit 4", &format!("stdout = \"resource\"\n{map}"), Outcome::NotFound { code: None }),
        (
            "echo '{\"id\":1}'",
            &format!("stdout = \"resource\"\n{map}"),
            Outcome::Task { standing: Resting::Done, task: "{\"id\":1}".into() },
        ),
    ] {
        assert_eq!(report(script, more).outcome, outcome, "{script}");
    }
    let differs = report(&format!("{prints}; exit 4"), map);
    assert_eq!(differs.outcome, task);
    assert_eq!(differs.notes.len(), 1);
    let line = differs.line("main", JobKind::Get);
    assert_eq!((line.outcome.as_str(), line.task.as_deref()), ("done", Some(r#"{"id":9007199254740993}"#)));
    assert!(line.stderr.contains("[faultdeck] exit code 4 means `not_found`"), "{}", line.stderr);
}

#[test]
fn sixteen_at_once_do_not_get_in_each_others_way() {
    let all = block_on(async {
        let mut tasks = tokio::task::JoinSet::new();
        for number in 0..16 {
            tasks.spawn(async move {
                let script = format!("echo {number}; echo {number} >&2; exit {number}");
                (number, child::run(&shell(&script, 10_000)).await.unwrap())
            });
        }
        tasks.join_all().await
    });
    for (number, finished) in all {
        assert_eq!(finished.ending, Ending::Exited(number));
        assert_eq!(finished.stdout.text(), format!("{number}\n"));
        assert_eq!(finished.stderr.text(), format!("{number}\n"));
    }
}

//! What a command leaves behind when it ends, or is ended: nothing.

use crate::harness;

use std::os::unix::fs::PermissionsExt;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use harness::Lab;

const CASSETTE: [&str; 2] = ["--cassette", "builtin:forensics/create-case"];

/// A script that starts a daemon (a session of its own, its parent gone) through `how`, waits until it has written its
/// number to `daemon`, and goes on.
fn with_daemon(how: &str, then: &str) -> String {
    format!(
        "({how} setsid sh -c 'echo $$ > new; mv new daemon; exec sleep 1000' > /dev/null 2>&1 &)\n\
         while [ ! -e daemon ]; do sleep 0.01; done\n{then}"
    )
}

fn args<'a>(flags: &[&'a str], script: &'a str) -> Vec<&'a str> {
    [&["run"][..], &CASSETTE, flags, &["--", "sh", "-c", script]].concat()
}

fn lives(pid: &str) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{}/stat", pid.trim())).unwrap_or_default();
    stat.rsplit(") ").next().is_some_and(|rest| !stat.is_empty() && !rest.starts_with('Z'))
}

fn vanishes(pid: &str) -> bool {
    assert!(!pid.trim().is_empty(), "there was a daemon");
    let until = Instant::now() + Duration::from_secs(3);
    while lives(pid) && Instant::now() < until {
        std::thread::sleep(Duration::from_millis(5));
    }
    !lives(pid)
}

fn appears(lab: &Lab, name: &str) {
    let until = Instant::now() + Duration::from_secs(20);
    while !lab.file(name).exists() {
        assert!(Instant::now() < until, "no {name}: {}", lab.read("err"));
        std::thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn a_program_asked_for_by_its_name_is_called_by_it_and_a_script_that_names_no_reader_is_read_by_a_shell() {
    let lab = Lab::new();
    for (name, text) in
        [("called", "#!/bin/sh\necho \"$0\" > called-as\n"), ("bare", "echo read > bare-ran\n")]
    {
        let file = lab.write(&format!("bin/{name}"), text);
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o755)).unwrap();
    }
    let path = format!("{}:/usr/bin:/bin", lab.file("bin").display());
    for name in ["called", "bare"] {
        let args = [&["run"][..], &CASSETTE, &["--", name]].concat();
        let ran = lab.run_with(&args, &[("PATH", &path)]);
        assert!(ran.stderr.contains("command: the command passed"), "{name}: {}", ran.stderr);
    }
    assert_eq!(lab.read("bare-ran"), "read\n");
    // The system hands a script its path; what is no script sees the name.
    assert!(lab.read("called-as").ends_with("bin/called\n"));
    let args =
        [&["run"][..], &CASSETTE, &["--", "sh", "-c", "tr '\\0' ' ' < /proc/$$/cmdline > words"]].concat();
    lab.run(&args);
    assert!(lab.read("words").starts_with("sh -c "), "{}", lab.read("words"));
}

#[test]
fn a_daemon_of_the_command_ends_with_the_run_even_if_it_has_dropped_its_environment() {
    for how in ["", "env -i PATH=\"$PATH\""] {
        for (flags, then) in [(&[][..], "exit 0"), (&["--timeout", "1"], "sleep 600")] {
            let lab = Lab::new();
            let script = with_daemon(how, then);
            lab.run(&args(flags, &script));
            assert!(vanishes(&lab.read("daemon")), "{how} {then}");
        }
    }
}

#[test]
fn a_signal_to_the_run_ends_the_command_and_its_daemon() {
    for signal in ["-INT", "-TERM"] {
        let lab = Lab::new();
        let script = with_daemon("", "sleep 600");
        let mut run = lab.start(&args(&[], &script));
        appears(&lab, "daemon");
        assert!(Command::new("kill").args([signal, &run.id().to_string()]).status().unwrap().success());
        assert_eq!(run.wait().unwrap().code(), Some(3), "{}", lab.read("err"));
        assert!(vanishes(&lab.read("daemon")), "{signal}");
    }
}

#[test]
fn a_run_that_is_killed_takes_the_command_and_its_daemon_with_it() {
    let lab = Lab::new();
    let script = with_daemon("", "echo $$ > command.new; mv command.new command; sleep 600");
    let mut run = lab.start(&args(&[], &script));
    appears(&lab, "command");
    run.kill().unwrap();
    run.wait().unwrap();
    assert!(vanishes(&lab.read("command")) && vanishes(&lab.read("daemon")));
}

#[test]
fn a_client_that_is_judged_leaves_no_daemon_behind() {
    let lab = Lab::new();
    let script = with_daemon("", "rm daemon; exit 1").replace("> new; mv new daemon", ">> all; touch daemon");
    lab.write("client.sh", &script);
    lab.write(
        "clients/c.toml",
        "summary = \"x\"\njobs = [\"get\"]\n[exec]\nargv = [\"sh\", \"client.sh\"]\ntimeout_ms = 5000\nstdout = \"outcome\"\n",
    );
    lab.run(&["judge", "clients/c.toml", "--cases", "1", "--jobs", "1", "--scenario", "builtin:slow-host"]);
    let all = lab.read("all");
    assert!(all.lines().count() > 0 && all.lines().all(vanishes), "{all}");
}

#[test]
fn a_command_gets_the_three_standard_streams_and_no_other_descriptor() {
    let lab = Lab::new();
    lab.write("show.sh", "ls /proc/self/fd > descriptors");
    let binary = env!("CARGO_BIN_EXE_faultdeck");
    // Two that whoever starts it has left open.
    let script =
        format!("exec 5< /dev/null 9< /; exec {binary} run {} {} -- sh show.sh", CASSETTE[0], CASSETTE[1]);
    let run = Command::new("sh")
        .args(["-c", &script])
        .current_dir(lab.path())
        .stdin(Stdio::null())
        .output()
        .unwrap();
    assert_eq!(run.status.code(), Some(3), "it asked nothing");
    let descriptors = lab.read("descriptors");
    // `ls` reads the folder through 3.
    assert_eq!(descriptors.split_whitespace().collect::<Vec<_>>(), ["0", "1", "2", "3"]);
}

#[test]
fn a_command_starts_with_every_signal_at_its_default_and_none_blocked() {
    let lab = Lab::new();
    lab.write("show.sh", "grep -E 'Sig(Ign|Blk)' /proc/self/status > signals");
    // Those that a script, a service manager or `nohup` has ignored in what it starts.
    let ignored = "trap '' HUP INT QUIT USR1 USR2 PIPE ALRM TERM";
    let binary = env!("CARGO_BIN_EXE_faultdeck");
    let script = format!("{ignored}; exec {binary} run {} {} -- sh show.sh", CASSETTE[0], CASSETTE[1]);
    let status = Command::new("sh")
        .args(["-c", &script])
        .current_dir(lab.path())
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .unwrap();
    assert_eq!(status.code(), Some(3), "it asked nothing: {script}");
    let signals = lab.read("signals");
    for line in signals.lines() {
        let mask = u64::from_str_radix(line.split_whitespace().last().unwrap(), 16).unwrap();
        assert_eq!(mask & 0x7fff_ffff, 0, "{signals}");
    }
    assert_eq!(signals.lines().count(), 2, "{signals}");
}

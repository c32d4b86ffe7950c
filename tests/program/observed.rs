//! `faultdeck judge --observe`: a command without a client file, judged by its requests alone.

use crate::harness;

use harness::{Finished, Lab, TASKS};

fn observed(lab: &Lab, flags: &[&str], script: &str) -> Finished {
    lab.run(&[&["judge", "--observe"][..], flags, &["--", "sh", "-c", script]].concat())
}

fn poll(more: &str) -> String {
    format!("curl -s {more} \"$FAULTDECK_URL{TASKS}/956\"")
}

const TOKEN: &str = "-H \"SEC: $FAULTDECK_SEC\"";

#[test]
fn a_right_command_passes_and_what_only_a_report_shows_is_named() {
    let lab = Lab::new();
    let finished = observed(&lab, &["--report", "json=r.json"], &format!("{} > /dev/null", poll(TOKEN)));
    assert_eq!(finished.code, Some(0), "{}{}", finished.stdout, finished.stderr);
    for words in [
        "no request breaks it, which is all that the wire can show",
        "needs a client file: it needs the client's report",
        "needs a client file: it needs to know what the client was told to do",
        "the command passed (8 times)",
    ] {
        assert!(finished.stdout.contains(words), "{words}: {}", finished.stdout);
    }
    // What was judged is said first, and how to go on is said, too.
    let (first, then) = finished.stdout.split_once("  not judged: ").unwrap();
    assert!(
        first.contains("  judged from the wire alone: creates-once, right-address, terminates"),
        "{first}"
    );
    assert!(!then.contains("judged from the wire alone"), "{then}");
    let wire = faultdeck::judge::PROPERTIES.iter().filter(|property| property.in_a_suite.is_some()).count();
    let rest = faultdeck::judge::PROPERTIES.len() - wire;
    let sum = format!(
        "{wire} laws could be judged from the wire, none was broken; a client file lets the other {rest} be judged"
    );
    assert!(then.contains(&sum) && then.contains("`faultdeck judge clients/mine.toml`"), "{then}");
    let report = lab.read("r.json");
    for property in faultdeck::judge::PROPERTIES {
        assert!(report.contains(property.id), "{} is not spoken of", property.id);
    }
}

#[test]
fn a_command_that_is_wrong_on_the_wire_fails_with_the_request_and_the_line_that_repeats_it() {
    let lab = Lab::new();
    for (script, because) in [
        (poll(""), "right-address"),
        (poll(TOKEN).replace("$FAULTDECK_URL", "$FAULTDECK_URL/api"), "right-address"),
        (
            // A creation that is sent again whatever became of the first.
            format!(
                "for n in 1 2; do curl -s {TOKEN} -H 'Content-Type: application/json' -d '{{\"name\":\"CASE1\"}}' \
                 \"$FAULTDECK_URL/api/forensics/case_management/cases\" && exit; done; true"
            ),
            "creates-once",
        ),
        (format!("for n in $(seq 40); do {} > /dev/null; done", poll(TOKEN)), "terminates"),
    ] {
        let finished = observed(&lab, &[], &script);
        assert_eq!(finished.code, Some(1), "{script}: {}{}", finished.stdout, finished.stderr);
        assert!(finished.stdout.contains(&format!("VIOLATED: {because}")), "{script}: {}", finished.stdout);
        assert!(
            finished.stdout.contains("faultdeck judge --observe --seed 1 -- sh -c "),
            "{}",
            finished.stdout
        );
    }
}

#[test]
fn a_command_that_never_calls_is_inconclusive_and_shown_with_what_it_wrote() {
    let lab = Lab::new();
    let finished = observed(&lab, &[], "echo no address given; exit 2");
    assert_eq!(finished.code, Some(3), "{}{}", finished.stdout, finished.stderr);
    assert!(finished.stdout.contains("nothing was asked of the console (clean)"), "{}", finished.stdout);
    assert!(finished.stderr.contains("the command wrote: no address given"), "{}", finished.stderr);
    let elsewhere = observed(&lab, &[], &poll(TOKEN).replace("/956", "/7"));
    assert!(matches!(elsewhere.code, Some(0 | 3)), "{}{}", elsewhere.stdout, elsewhere.stderr);
}

#[test]
fn a_command_may_fail_and_may_not_crash_or_stay() {
    let lab = Lab::new();
    let (asked, stories) = (poll(TOKEN), ["--scenario", "not-found"]);
    let failing = observed(&lab, &stories, &format!("{asked} > /dev/null; exit 4"));
    assert_eq!(failing.code, Some(0), "{}{}", failing.stdout, failing.stderr);
    let crashing = observed(&lab, &stories, &format!("{asked} > /dev/null; kill -11 $$"));
    assert_eq!(crashing.code, Some(1), "{}{}", crashing.stdout, crashing.stderr);
    assert!(crashing.stdout.contains("was ended by signal 11"), "{}", crashing.stdout);
    let limited = [&stories[..], &["--timeout", "1"]].concat();
    let staying = observed(&lab, &limited, &format!("{asked} > /dev/null; sleep 600"));
    assert_eq!(staying.code, Some(3), "{}{}", staying.stdout, staying.stderr);
    assert!(staying.stdout.contains("took longer than 1 s"), "{}", staying.stdout);
    let missing = lab.run(&["judge", "--observe", "--", "/no/such/program"]);
    assert_eq!(missing.code, Some(1), "{}{}", missing.stdout, missing.stderr);
}

#[test]
fn what_was_chosen_has_to_come_to_pass() {
    let lab = Lab::new();
    let asked = format!("{} > /dev/null", poll(TOKEN));
    let creation = observed(&lab, &["--scenario", "lost-answer"], &asked);
    assert_eq!(creation.code, Some(3), "{}{}", creation.stdout, creation.stderr);
    assert!(creation.stdout.contains("never fired"), "{}", creation.stdout);
    let fault = observed(&lab, &["--fault", "latency:20@case_create_tasks.get"], &asked);
    assert_eq!(fault.code, Some(0), "{}{}", fault.stdout, fault.stderr);
    assert!(fault.stdout.contains("1 fault fired"), "{}", fault.stdout);
    let tls = observed(&lab, &["--tls", "--scenario", "not-found"], &asked);
    assert_eq!(tls.code, Some(0), "{}{}", tls.stdout, tls.stderr);
}

#[test]
fn what_does_not_go_together_is_refused() {
    let lab = Lab::new();
    for (arguments, word) in [
        (&["judge"][..], "required"),
        (&["judge", "--observe"], "COMMAND"),
        (&["judge", "builtin:careful", "--observe", "--", "true"], "cannot be used with"),
        (&["judge", "builtin:careful", "--", "true"], "--observe"),
        (&["judge", "--observe", "--cases", "3", "--", "true"], "cannot be used with"),
        (&["judge", "--check-adapter"], "required"),
        (&["judge", "builtin:careful", "--check-adapter", "--scenario", "not-found"], "cannot be used with"),
    ] {
        let refused = lab.run(arguments);
        assert_eq!(refused.code, Some(2), "{arguments:?}: {}{}", refused.stdout, refused.stderr);
        assert!(refused.stderr.contains(word), "{arguments:?}: {}", refused.stderr);
    }
}

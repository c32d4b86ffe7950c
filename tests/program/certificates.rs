//! `faultdeck ca`: what a client has to trust, and how it is forgotten.

use crate::harness;

use std::path::Path;
use std::process::Command;

use harness::{Lab, TASKS};

#[test]
fn an_authority_is_shown_and_forgotten_with_its_key() {
    let lab = Lab::new();
    let shown = lab.run(&["ca"]);
    assert_eq!(shown.code, Some(0), "{}", shown.stderr);
    for client in ["curl", "Python", "Node", "Java", "Go"] {
        assert!(shown.stderr.lines().any(|line| line.trim_start().starts_with(client)), "{}", shown.stderr);
    }
    let file = Path::new(shown.stdout.trim()).to_owned();
    assert!(file.exists() && file.with_file_name("ca-key.pem").exists());
    assert_eq!(lab.run(&["ca"]).stdout, shown.stdout, "the same one each time");

    // A client that was handed it trusts the listener, and one that was not does not.
    let server = lab.replay(&["--tls"]);
    let url = format!("{}{TASKS}/956", server.url);
    let ask = |trust: &[&str]| {
        let mut curl = Command::new("curl");
        curl.args(["-s", "-o", "/dev/null", "-H", "SEC: any"]).args(trust).arg(&url);
        curl.status().unwrap().code()
    };
    assert_eq!(ask(&["--cacert", file.to_str().unwrap()]), Some(0));
    assert_eq!(ask(&[]), Some(60), "not known to anybody else");
    server.stop();

    let other = lab.run(&["ca", "--tls-name", "qradar.example.com"]);
    assert_ne!(other.stdout, shown.stdout, "one authority for each set of names");
    let folder = file.parent().and_then(Path::parent).unwrap();
    std::fs::write(folder.join("mine.txt"), "kept").unwrap();
    let forgotten = lab.run(&["ca", "forget"]);
    assert!(
        forgotten.code == Some(0) && forgotten.stderr.contains("2 certificate authorities removed"),
        "{}",
        forgotten.stderr
    );
    assert!(!file.exists() && folder.join("mine.txt").exists());
    assert!(lab.run(&["ca", "forget"]).stderr.contains("0 certificate authorities"));
}

//! Many replays started at the same time, each on a port that the system chooses.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::sync::Mutex;

use crate::harness::{Lab, TASKS, canary};

/// At a time, and how often each of them.
const AT_A_TIME: usize = 50;
const EACH: usize = 20;

/// The processes that were started in this folder.
fn processes_in(folder: &Path) -> usize {
    let all = fs::read_dir("/proc").unwrap().flatten();
    all.filter(|entry| fs::read_link(entry.path().join("cwd")).is_ok_and(|cwd| cwd == folder)).count()
}

#[test]
fn a_thousand_starts_fifty_at_a_time_leave_no_process_and_no_file_and_mix_nothing_up() {
    let lab = Lab::new();
    let before: BTreeSet<_> = canary::files(lab.path()).into_iter().collect();
    let at_work = Mutex::new(BTreeSet::new());
    std::thread::scope(|scope| {
        for _ in 0..AT_A_TIME {
            scope.spawn(|| {
                for _ in 0..EACH {
                    let running = lab.replay(&[]);
                    assert!(at_work.lock().unwrap().insert(running.addr), "two at {}", running.addr);
                    // Each has polls of its own: the first of many that ask for one task at the same time sees it wait.
                    let answer = running.get(&format!("{TASKS}/956"));
                    assert!(answer.text().contains("\"WAITING\""), "{}", answer.text());
                    assert!(at_work.lock().unwrap().remove(&running.addr));
                    let ended = running.stop();
                    assert!(ended.code.is_some(), "{}", ended.stderr);
                }
            });
        }
    });
    let after: BTreeSet<_> = canary::files(lab.path()).into_iter().collect();
    assert_eq!(after, before);
    assert_eq!(processes_in(&fs::canonicalize(lab.path()).unwrap()), 0);
}

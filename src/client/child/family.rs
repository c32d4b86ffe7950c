//! All that descends from a program, whatever group or session it has made for itself.
//!
//! Each program finds a mark of its own in its environment ([`MARK`]), and hands it on to whatever it starts. A process
//! belongs to a program if it is in its group, carries its mark, or was started by one that does; so what belongs to
//! another program, which may still run beside it, is never touched. Only a descendant that both hides from the group
//! and drops its environment is missed at first; in a process that has [`take_charge`]d of all its children it is found
//! at the end ([`end_all`]), because orphans become children of ours.
//!
//! Where there is no /proc, the group alone is ended.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::fs;
use std::io::{self, Read};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, WaitOptions, getpid, kill_process, kill_process_group, waitpid};

use super::{GRACE, Group};

/// The variable that holds a program's mark: `RUN.NUMBER`, after those of the runs around this one, with colons between.
pub(crate) const MARK: &str = "FAULTDECK_CHILD";

/// Bytes of the longest line that is read of /proc: a name is short, and all else are numbers.
const LINE: usize = 1024;

/// For so long after a program was started the numbers of processes cannot have gone round once.
const IN_ORDER: Duration = Duration::from_secs(10);

/// So many numbers after a program's own are asked for one by one.
const FEW: i32 = 16;

/// Whether every child of this process was started from here.
static IN_CHARGE: AtomicBool = AtomicBool::new(false);

/// The children that somebody waits for.
static WAITED_FOR: Mutex<BTreeSet<i32>> = Mutex::new(BTreeSet::new());

fn waited_for() -> MutexGuard<'static, BTreeSet<i32>> {
    WAITED_FOR.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Says that nobody else in this process starts programs. From then on orphans of its programs become its own children
/// (it is a "subreaper"), are reaped, and [`end_all`] finds them; and no program gets a descriptor that this process was
/// itself started with, beside the three standard streams.
pub fn take_charge() {
    IN_CHARGE.store(true, Ordering::SeqCst);
    close_fds::set_fds_cloexec_threadsafe(3, &[]);
    // Where it cannot be had, orphans go to the system's first process, and are found by their marks.
    #[cfg(target_os = "linux")]
    let _ = rustix::process::set_child_subreaper(Some(getpid()));
}

/// The name of this run: no other process of this machine has had it since it was started.
pub(super) fn run_name() -> &'static str {
    static NAME: OnceLock<String> = OnceLock::new();
    NAME.get_or_init(|| {
        let own = getpid().as_raw_nonzero().get();
        format!("{own}-{}", Process::read(own).map_or(0, |process| process.started))
    })
}

/// A mark that no other program has.
pub(super) fn new_mark() -> String {
    static COUNT: AtomicU64 = AtomicU64::new(1);
    format!("{}.{}", run_name(), COUNT.fetch_add(1, Ordering::Relaxed))
}

/// The mark as it stands in the variable: a run may be part of another one's.
pub(super) fn with_outer(mark: &str) -> OsString {
    let mut all = std::env::var_os(MARK).filter(|outer| !outer.is_empty()).unwrap_or_default();
    if !all.is_empty() {
        all.push(":");
    }
    all.push(mark);
    all
}

/// A program and what descends from it. Dropping it kills all of them.
#[derive(Debug)]
pub(super) struct Family {
    leader: Option<Pid>,
    group: Group,
    mark: String,
    /// When the program was started, in the system's ticks: its descendants are younger.
    since: u64,
    born: Instant,
    /// Whether nothing is left of it.
    is_gone: bool,
}

/// Starts a program and remembers that somebody waits for it: nobody else may reap it.
pub(super) fn born(
    spawn: impl FnOnce() -> io::Result<tokio::process::Child>,
    mark: String,
    group: Group,
) -> io::Result<(tokio::process::Child, Family)> {
    let mut waited_for = waited_for();
    let child = spawn()?;
    let raw = child.id().and_then(|id| i32::try_from(id).ok());
    waited_for.extend(raw);
    let since = raw.and_then(Process::read).map_or(0, |process| process.started);
    let (leader, born) = (raw.and_then(Pid::from_raw), Instant::now());
    Ok((child, Family { leader, group, mark, since, born, is_gone: false }))
}

/// Starts a helper that is left alone until this process ends.
pub(super) fn kept(
    spawn: impl FnOnce() -> io::Result<std::process::Child>,
) -> io::Result<std::process::Child> {
    let mut waited_for = waited_for();
    let child = spawn()?;
    waited_for.extend(i32::try_from(child.id()).ok());
    Ok(child)
}

/// Says that a helper has ended, and was waited for.
pub(super) fn forget(id: u32) {
    if let Ok(id) = i32::try_from(id) {
        waited_for().remove(&id);
    }
}

impl Family {
    /// Sends a signal to the program and what it has started. Those who are gone are fine.
    pub(super) fn signal(&self, signal: Signal) {
        let Some(leader) = self.leader else { return };
        if self.group == Group::Own {
            let _ = kill_process_group(leader, signal);
            return;
        }
        for process in self.members(&self.younger()) {
            process.send(signal);
        }
        let _ = kill_process(leader, signal);
    }

    /// Kills all that is left, until nothing is, or for [`GRACE`].
    pub(super) async fn end(&mut self) {
        let until = Instant::now() + GRACE;
        let mut pause = Duration::from_millis(1);
        while self.kill() > 0 && Instant::now() < until {
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(Duration::from_millis(50));
        }
        self.is_gone = true;
    }

    /// Kills what is left; says how many there were.
    fn kill(&self) -> usize {
        if let (Group::Own, Some(leader)) = (self.group, self.leader) {
            // The only likely error is that the group is gone, which is what is wanted.
            let _ = kill_process_group(leader, Signal::KILL);
        }
        let all = self.younger();
        let members = self.members(&all);
        let living = members.iter().filter(|process| !process.is_zombie);
        let count = living.map(|process| process.send(Signal::KILL)).count();
        reap(&all, &members);
        count
    }

    /// Every process that can be younger than the program.
    fn younger(&self) -> Vec<Process> {
        let leader = self.leader.map_or(0, |pid| pid.as_raw_nonzero().get());
        // Numbers are given in order: what is younger lies between the program and who came last. Once they have begun
        // anew, a younger process may have a smaller one.
        let last = || newest().filter(|newest| self.born.elapsed() < IN_ORDER && *newest >= leader);
        // Mostly there is nobody, or few: to ask for each is quicker than to have all listed. Nobody came meanwhile if
        // the last one is still the last.
        if let Some(newest) = last().filter(|newest| newest - leader <= FEW) {
            let few = (leader + 1..=newest).filter_map(Process::read).collect();
            if newest == leader || last() == Some(newest) {
                return few;
            }
        }
        // Who came last is asked for after all the others were seen.
        let (pids, newest) = (pids(), last());
        let meant = |pid: &i32| newest.is_none_or(|newest| (leader + 1..=newest).contains(pid));
        pids.into_iter().filter(meant).filter_map(Process::read).collect()
    }

    /// The processes that belong to the program; of itself only what is no longer waited for.
    fn members(&self, all: &[Process]) -> Vec<Process> {
        let leader = self.leader.map(|pid| pid.as_raw_nonzero().get());
        let is_own_group = |process: &Process| self.group == Group::Own && Some(process.group) == leader;
        let own = getpid().as_raw_nonzero().get();
        let candidates = all.iter().filter(|process| {
            process.started >= self.since && process.pid != own && Some(process.pid) != leader
        });
        let roots: BTreeSet<i32> = candidates
            .filter(|process| {
                Some(process.parent) == leader
                    || is_own_group(process)
                    || process.has_mark(|mark| mark == self.mark)
            })
            .map(|process| process.pid)
            .collect();
        with_descendants(all, roots)
    }
}

impl Drop for Family {
    fn drop(&mut self) {
        if !self.is_gone {
            self.kill();
        }
        if let Some(leader) = self.leader {
            waited_for().remove(&leader.as_raw_nonzero().get());
        }
    }
}

/// Kills every process whose mark is one of those; says how many there were.
pub(super) fn kill_marked(is_meant: impl Fn(&str) -> bool) -> usize {
    let all = everybody();
    let own = getpid().as_raw_nonzero().get();
    let marked = all.iter().filter(|process| process.pid != own && process.has_mark(&is_meant));
    let mut meant = with_descendants(&all, marked.map(|process| process.pid).collect());
    meant.retain(|process| process.pid != own && !process.is_zombie);
    meant.iter().for_each(|process| process.send(Signal::KILL));
    meant.len()
}

/// Kills whatever descends from this process, helpers apart, for a moment at most: it is about to end. Does nothing in
/// a process that has not [`take_charge`]d.
pub fn end_all() {
    let until = Instant::now() + GRACE;
    while IN_CHARGE.load(Ordering::SeqCst) && Instant::now() < until {
        let all = everybody();
        let own = getpid().as_raw_nonzero().get();
        let helpers = waited_for().clone();
        let roots = all.iter().filter(|process| process.parent == own && !helpers.contains(&process.pid));
        let left = with_descendants(&all, roots.map(|process| process.pid).collect());
        let living: Vec<&Process> = left.iter().filter(|process| !process.is_zombie).collect();
        if living.is_empty() {
            return;
        }
        living.iter().for_each(|process| process.send(Signal::KILL));
        std::thread::sleep(Duration::from_millis(2));
    }
}

/// Takes the dead off the system's list: those just killed, and in a process that is in charge every orphan.
fn reap(all: &[Process], killed: &[Process]) {
    let own = getpid().as_raw_nonzero().get();
    let in_charge = IN_CHARGE.load(Ordering::SeqCst);
    let waited_for = waited_for();
    for process in all.iter().filter(|process| process.parent == own && process.is_zombie) {
        let is_ours = in_charge || killed.iter().any(|one| one.pid == process.pid);
        if is_ours && !waited_for.contains(&process.pid) {
            let _ = waitpid(Pid::from_raw(process.pid), WaitOptions::NOHANG);
        }
    }
}

/// One process, as /proc shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Process {
    pid: i32,
    parent: i32,
    group: i32,
    is_zombie: bool,
    started: u64,
}

impl Process {
    fn read(pid: i32) -> Option<Self> {
        Self::parse(pid, &line(&format!("{pid}/stat"))?)
    }

    /// Reads `pid (name) state parent group session terminal ... started ...`; the name may hold anything.
    fn parse(pid: i32, stat: &str) -> Option<Self> {
        let (_, rest) = stat.rsplit_once(") ")?;
        let mut words = rest.split(' ');
        let state = words.next()?;
        let parent = words.next()?.parse().ok()?;
        let group = words.next()?.parse().ok()?;
        let started = words.nth(16)?.parse().ok()?;
        Some(Self { pid, parent, group, is_zombie: matches!(state, "Z" | "X"), started })
    }

    /// Whether its environment, as it was when it was started, holds such a mark. Of a process of somebody else's
    /// nothing is known, and nothing could be done about it.
    fn has_mark(&self, is_meant: impl Fn(&str) -> bool) -> bool {
        let Ok(environment) = fs::read(format!("/proc/{}/environ", self.pid)) else { return false };
        let mut marks = environment
            .split(|byte| *byte == 0)
            .filter_map(|variable| std::str::from_utf8(variable).ok()?.strip_prefix(MARK)?.strip_prefix('='));
        marks.any(|marks| marks.split(':').any(&is_meant))
    }

    fn send(&self, signal: Signal) {
        // It may be gone by now, which is what is wanted.
        let _ = Pid::from_raw(self.pid).map(|pid| kill_process(pid, signal));
    }
}

/// Every process that can be seen.
fn everybody() -> Vec<Process> {
    pids().into_iter().filter_map(Process::read).collect()
}

/// The number of each of them.
fn pids() -> Vec<i32> {
    let Ok(entries) = fs::read_dir("/proc") else { return Vec::new() };
    entries.flatten().filter_map(|entry| entry.file_name().to_str()?.parse().ok()).collect()
}

/// The number that was given last.
fn newest() -> Option<i32> {
    line("loadavg")?.split_whitespace().last()?.parse().ok()
}

/// A line of /proc: the system makes it up as a whole when it is read.
fn line(name: &str) -> Option<String> {
    let mut line = [0; LINE];
    let length = fs::File::open(format!("/proc/{name}")).ok()?.read(&mut line).ok()?;
    // A name may be no UTF-8.
    Some(String::from_utf8_lossy(line.get(..length)?).into_owned())
}

/// The processes with these numbers, and all that descends from them.
fn with_descendants(all: &[Process], mut found: BTreeSet<i32>) -> Vec<Process> {
    let mut children: BTreeMap<i32, Vec<i32>> = BTreeMap::new();
    for process in all {
        children.entry(process.parent).or_default().push(process.pid);
    }
    let mut open: Vec<i32> = found.iter().copied().collect();
    while let Some(pid) = open.pop() {
        for child in children.get(&pid).into_iter().flatten() {
            if found.insert(*child) {
                open.push(*child);
            }
        }
    }
    all.iter().filter(|process| found.contains(&process.pid)).cloned().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_is_read_whatever_its_name_is() {
        let stat = "42 (a) Z 1 (b)) S 7 40 40 0 -1 4194560 1 0 0 0 0 0 0 0 20 0 1 0 1234 8192 1 18446744073709551615";
        let process = Process { pid: 42, parent: 7, group: 40, is_zombie: false, started: 1234 };
        assert_eq!(Process::parse(42, stat), Some(process));
        assert_eq!(Process::parse(42, "42 (a) S"), None);
    }

    #[test]
    fn a_process_whose_name_is_no_text_is_seen() {
        use std::os::unix::ffi::OsStrExt;
        let folder = tempfile::tempdir().unwrap();
        let program = folder.path().join(std::ffi::OsStr::from_bytes(b"\xff) S 1"));
        fs::copy("/bin/sleep", &program).unwrap();
        let mut child = std::process::Command::new(program).arg("60").spawn().unwrap();
        let seen = i32::try_from(child.id()).ok().and_then(Process::read);
        child.kill().unwrap();
        child.wait().unwrap();
        assert_eq!(seen.map(|process| process.parent), Some(getpid().as_raw_nonzero().get()));
    }

    #[test]
    fn descendants_are_found_through_all_generations_and_no_others() {
        let process = |pid, parent| Process { pid, parent, group: 1, is_zombie: false, started: 1 };
        let all = [process(1, 0), process(2, 1), process(3, 2), process(4, 3), process(5, 1), process(6, 6)];
        let found = with_descendants(&all, BTreeSet::from([2, 6]));
        assert_eq!(found.iter().map(|process| process.pid).collect::<Vec<_>>(), [2, 3, 4, 6]);
    }

    #[test]
    fn marks_differ_and_carry_the_name_of_their_run() {
        let (one, other) = (new_mark(), new_mark());
        assert!(one != other && one.starts_with(&format!("{}.", run_name())));
        assert!(with_outer(&one).to_string_lossy().ends_with(&one));
    }
}

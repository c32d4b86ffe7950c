//! A [`Room`]: a network and a view of the files of its own, in which a program runs and reaches nobody.
//!
//! `unshare` makes it and starts a process of this very program there, which furnishes it ([`hold`]: brings the loopback up,
//! lays files over others), makes sockets in it for whoever has the other end of its input, and ends with that. `nsenter` brings
//! a program in, which keeps its process number, group, terminal and user.
//!
//! Who may do all of that anyway gets no user namespace: in one, files of other users are nobody's.

use std::env;
use std::ffi::{OsStr, OsString};
use std::io::{self, Read, Write};
use std::net::IpAddr;
use std::os::fd::OwnedFd;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use super::family;
use crate::serve::{Ground, give};

/// How long a room may take to be made.
const MAKING: Duration = Duration::from_secs(20);
/// What the process in a room writes when all is ready.
const READY: u8 = b'+';
/// How much is repeated of what a helper complains about, in characters.
const COMPLAINT_MAX: usize = 300;
/// Where programs of an administrator's are found that a user's `PATH` may lack.
const ALSO: [&str; 4] = ["/usr/sbin", "/sbin", "/usr/bin", "/bin"];
/// The capabilities that make a user namespace needless: over networks and over the system, by their numbers.
const NET_ADMIN: u32 = 12;
const SYS_ADMIN: u32 = 21;

/// Why there is no room.
#[derive(Debug, thiserror::Error)]
pub enum NoRoom {
    /// Only Linux has such rooms.
    #[error("a network of its own for a command is a thing of Linux, and this is another system")]
    System,
    /// A helper is missing.
    #[error("`{program}` was not found")]
    Missing {
        /// The program.
        program: &'static str,
        /// The package that has it.
        package: &'static str,
    },
    /// The system does not let this user have one.
    #[error("this system lets you make no network of your own: {said}")]
    Forbidden {
        /// What the helper said.
        said: String,
        /// What an administrator can do.
        help: String,
    },
    /// Something else went wrong in the making.
    #[error("cannot make a network of its own for the command: {0}")]
    Io(#[from] io::Error),
}

/// What it takes to make rooms.
#[derive(Clone, Debug)]
pub struct Tools {
    /// This program.
    own: PathBuf,
    unshare: PathBuf,
    nsenter: PathBuf,
    /// The folder that a program starts in.
    folder: PathBuf,
    has_user: bool,
}

/// What stands in a room.
#[derive(Clone, Debug, Default)]
pub struct Furniture {
    /// Its addresses, beside loopback.
    pub addresses: Vec<IpAddr>,
    /// Files that are laid over others: which, and over which.
    pub over: Vec<(PathBuf, PathBuf)>,
    /// Folders that are empty in there.
    pub empty: Vec<PathBuf>,
}

/// A room, until this is dropped; a program in it goes on, in a room that nobody can be reached from.
#[derive(Debug)]
pub struct Room {
    holder: Child,
    tools: Tools,
    ours: Option<UnixStream>,
}

impl Tools {
    /// Looks for the programs of the system. `own` is this program, and `folder` the one that programs start in.
    ///
    /// # Errors
    /// If one is missing, or this is no Linux.
    pub fn find(own: PathBuf, folder: PathBuf) -> Result<Self, NoRoom> {
        if !cfg!(target_os = "linux") {
            return Err(NoRoom::System);
        }
        let found = |program, package| find(program).ok_or(NoRoom::Missing { program, package });
        let (unshare, nsenter) = (found("unshare", "util-linux")?, found("nsenter", "util-linux")?);
        found("mount", "mount, or util-linux")?;
        found("ip", "iproute2")?;
        Ok(Self { own, unshare, nsenter, folder, has_user: !is_mighty() })
    }
}

impl Room {
    /// Makes a room. It takes some milliseconds, in which this waits.
    ///
    /// # Errors
    /// If the system does not allow it, or something goes wrong.
    pub fn open(tools: &Tools, furniture: &Furniture) -> Result<Self, NoRoom> {
        let (mut ours, theirs) = UnixStream::pair()?;
        ours.set_read_timeout(Some(MAKING))?;
        let mut command = Command::new(&tools.unshare);
        if tools.has_user {
            command.args(["--user", "--map-current-user", "--keep-caps"]);
        }
        command.args(["--net", "--mount", "--"]).arg(&tools.own).args(["room", "hold"]);
        for address in &furniture.addresses {
            command.arg("address").arg(address.to_string());
        }
        for (file, over) in &furniture.over {
            command.arg("over").arg(file).arg(over);
        }
        for folder in &furniture.empty {
            command.arg("empty").arg(folder);
        }
        command.env(family::MARK, family::with_outer(&family::new_mark())).current_dir("/");
        // A group of its own: Ctrl-C ends the program in the room, and the room with it.
        command.process_group(0).stdin(Stdio::from(OwnedFd::from(theirs))).stdout(Stdio::null());
        command.stderr(Stdio::piped());
        let holder = family::kept(|| command.spawn())?;
        // The end that the holder has is open in `command`, too.
        drop(command);
        let mut room = Self { holder, tools: tools.clone(), ours: None };
        let mut ready = [0];
        match ours.read(&mut ready) {
            Ok(1) if ready[0] == READY => {
                room.ours = Some(ours);
                Ok(room)
            }
            Ok(_) => Err(room.forbidden()),
            Err(error) => Err(NoRoom::Io(error)),
        }
    }

    /// Its network, in which a listener is called `authority`. It can be had once.
    ///
    /// # Errors
    /// If it was had before.
    pub fn ground(&mut self, authority: String) -> io::Result<Ground> {
        let ours = self.ours.take().ok_or_else(|| io::Error::from(io::ErrorKind::NotConnected))?;
        Ground::new(ours, authority)
    }

    /// The command that runs a command in it.
    pub fn inside(&self, argv: Vec<OsString>) -> Vec<OsString> {
        let mut all = vec![self.tools.nsenter.clone().into_os_string()];
        let mut words = vec!["--target".to_owned(), self.holder.id().to_string()];
        if self.tools.has_user {
            words.extend(["--user", "--preserve-credentials"].map(str::to_owned));
        }
        words.extend(["--net", "--mount", "--"].map(str::to_owned));
        all.extend(words.into_iter().map(OsString::from));
        all.push(self.tools.own.clone().into());
        all.extend(["room", "enter"].map(OsString::from));
        all.push(self.tools.folder.clone().into());
        all.extend(argv);
        all
    }

    /// How often somebody in it wanted to reach an address that there is no way to; nothing if the system does not count.
    pub fn unreached(&self) -> u64 {
        let id = self.holder.id();
        let of_4 = std::fs::read_to_string(format!("/proc/{id}/net/snmp")).unwrap_or_default();
        let of_6 = std::fs::read_to_string(format!("/proc/{id}/net/snmp6")).unwrap_or_default();
        unreached_4(&of_4).unwrap_or(0) + unreached_6(&of_6).unwrap_or(0)
    }

    /// Why the holder has ended.
    fn forbidden(&mut self) -> NoRoom {
        let mut complaint = String::new();
        if let Some(stderr) = self.holder.stderr.take() {
            // What is no text helps nobody.
            let _ = stderr.take(4096).read_to_string(&mut complaint);
        }
        let said: String =
            complaint.trim().lines().next().unwrap_or("").chars().take(COMPLAINT_MAX).collect();
        NoRoom::Forbidden { said, help: remedy() }
    }
}

impl Drop for Room {
    fn drop(&mut self) {
        // It has nothing to put away: all that it made ends with its last process.
        let _ = self.holder.kill();
        let _ = self.holder.wait();
        family::forget(self.holder.id());
    }
}

/// The counter of the IPv4 table, which has a line of names and one of numbers.
fn unreached_4(table: &str) -> Option<u64> {
    let mut lines = table.lines().filter(|line| line.starts_with("Ip:"));
    let (names, numbers) = (lines.next()?, lines.next()?);
    let place = names.split(' ').position(|name| name == "OutNoRoutes")?;
    numbers.split(' ').nth(place)?.parse().ok()
}

/// The counter of the IPv6 table, which has a name and a number in each line.
fn unreached_6(table: &str) -> Option<u64> {
    let line = table.lines().find(|line| line.starts_with("Ip6OutNoRoutes"))?;
    line.split_whitespace().nth(1)?.parse().ok()
}

/// What an administrator can do so that rooms can be made here.
fn remedy() -> String {
    let says = |file: &str, value: &str| {
        std::fs::read_to_string(format!("/proc/sys/{file}")).is_ok_and(|text| text.trim() == value)
    };
    if says("kernel/unprivileged_userns_clone", "0") {
        return "user namespaces are switched off: `sysctl kernel.unprivileged_userns_clone=1`".to_owned();
    }
    if says("user/max_user_namespaces", "0") {
        return "user namespaces are switched off: `sysctl user.max_user_namespaces=10000`".to_owned();
    }
    if says("kernel/apparmor_restrict_unprivileged_userns", "1") {
        return "AppArmor keeps user namespaces from programs: `sysctl \
                kernel.apparmor_restrict_unprivileged_userns=0`"
            .to_owned();
    }
    "user namespaces are needed, and a container often has none: start it with `--privileged`, or use `--proxy`"
        .to_owned()
}

/// Whether this process may make networks without a user namespace.
fn is_mighty() -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let held = status.lines().find_map(|line| line.strip_prefix("CapEff:"));
    let held = held.and_then(|held| u64::from_str_radix(held.trim(), 16).ok()).unwrap_or_default();
    [NET_ADMIN, SYS_ADMIN].iter().all(|capability| held >> capability & 1 == 1)
}

/// A program of the system.
fn find(program: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    let also = ALSO.iter().map(PathBuf::from);
    env::split_paths(&path).chain(also).map(|folder| folder.join(program)).find(|file| is_program(file))
}

fn is_program(file: &Path) -> bool {
    file.metadata().is_ok_and(|found| found.is_file() && found.permissions().mode() & 0o111 != 0)
}

/// Furnishes the room that this process stands in, as the arguments say, and makes sockets for who has the other end of
/// standard input.
///
/// # Errors
/// If the room cannot be furnished.
pub fn hold(arguments: &[OsString]) -> io::Result<()> {
    run("ip", &["link", "set", "lo", "up"].map(OsStr::new))?;
    let mut words = arguments.iter();
    while let Some(kind) = words.next() {
        let mut word = || words.next().map(OsString::as_os_str).ok_or(io::ErrorKind::InvalidInput);
        match kind.to_str() {
            Some("address") => {
                let address = word()?.to_string_lossy().into_owned();
                let bits = if address.contains(':') { "128" } else { "32" };
                let whole = format!("{address}/{bits}");
                run("ip", &["address", "add", &whole, "dev", "lo"].map(OsStr::new))?;
            }
            Some("over") => {
                let (file, over) = (word()?, word()?);
                run("mount", &[OsStr::new("--bind"), file, over])?;
            }
            Some("empty") => {
                run("mount", &[OsStr::new("-t"), OsStr::new("tmpfs"), OsStr::new("none"), word()?])?
            }
            _ => return Err(io::ErrorKind::InvalidInput.into()),
        }
    }
    let mut asked = UnixStream::from(rustix::io::dup(io::stdin())?);
    asked.write_all(&[READY])?;
    give(&asked)
}

fn run(program: &str, arguments: &[&OsStr]) -> io::Result<()> {
    let found = find(program).ok_or(io::ErrorKind::NotFound)?;
    let ran = Command::new(found).args(arguments).stdin(Stdio::null()).output()?;
    if ran.status.success() {
        return Ok(());
    }
    let words = arguments.iter().map(|word| word.to_string_lossy()).collect::<Vec<_>>().join(" ");
    Err(io::Error::other(format!("{program} {words}: {}", String::from_utf8_lossy(&ran.stderr).trim())))
}

/// Becomes the program of the arguments, in the folder that stands before it; comes back only with the reason why not.
pub fn enter(arguments: &[OsString]) -> io::Error {
    let [folder, program, rest @ ..] = arguments else { return io::ErrorKind::InvalidInput.into() };
    match env::set_current_dir(Path::new(folder)) {
        Ok(()) => Command::new(program).args(rest).exec(),
        Err(error) => error,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_system_s_counters_are_read() {
        let table = "Ip: Forwarding OutNoRoutes ReasmTimeout\nIp: 2 7 0\nIcmp: InMsgs\nIcmp: 3\n";
        assert_eq!(unreached_4(table), Some(7));
        assert_eq!(unreached_6("Ip6InNoRoutes   \t1\nIp6OutNoRoutes   \t4\n"), Some(4));
        assert_eq!((unreached_4(""), unreached_6("x")), (None, None));
    }

    #[test]
    fn a_helper_that_is_not_there_is_named_with_its_package() {
        assert!(find("sh").is_some() && find("no-such-program-at-all").is_none());
        let missing = NoRoom::Missing { program: "ip", package: "iproute2" };
        assert_eq!(missing.to_string(), "`ip` was not found");
    }
}

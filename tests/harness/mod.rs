//! What the tests share: a folder of its own per test, the real binary, a client that sends exact bytes, and a canary.
//!
//! Each request of a [`Lab`] carries the canary as `SEC` and in another header; each process it starts is also sent one
//! request with the canary as a query parameter. When the lab goes, every file in its folder and all that its processes
//! printed is searched for the canary (see `canary`).

// Each test binary uses its own part of this, and stops where a fact it relies on does not hold.
#![allow(dead_code, unreachable_pub, clippy::unwrap_used, clippy::panic)]

use std::ffi::OsStr;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

pub mod canary;

#[allow(unused_imports)] // Each test binary uses its own part.
pub use canary::{Folder, canary as token, files};

/// The endpoint everything starts from.
pub const TASKS: &str = "/api/forensics/case_management/case_create_tasks";
/// Cases.
pub const CASES: &str = "/api/forensics/case_management/cases";

/// A folder, a canary, and what processes printed.
pub struct Lab {
    folder: Folder,
}

/// What a finished process came to.
#[derive(Debug)]
pub struct Finished {
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

/// A server of ours, running.
pub struct Running {
    child: Child,
    pub url: String,
    pub addr: SocketAddr,
    readers: Vec<JoinHandle<Vec<u8>>>,
    printed: Arc<Mutex<Vec<u8>>>,
}

/// A response as it crossed the wire.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Raw {
    /// Status line and header lines, without the blank line.
    pub head: String,
    /// Everything after the blank line.
    pub body: Vec<u8>,
}

impl Raw {
    pub fn status(&self) -> u16 {
        self.head.split(' ').nth(1).and_then(|code| code.parse().ok()).unwrap_or(0)
    }

    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().skip(1).find_map(|line| {
            let (key, value) = line.split_once(':')?;
            key.eq_ignore_ascii_case(name).then(|| value.trim())
        })
    }
}

impl Lab {
    pub fn new() -> Self {
        Self { folder: Folder::new() }
    }

    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    pub fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.file(name);
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        std::fs::write(&path, text).expect("a file");
        path
    }

    pub fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.file(name)).expect("a file")
    }

    pub fn canary(&self) -> &str {
        token()
    }

    /// A further secret to look for when the lab goes.
    pub fn hide(&self, secret: &str) {
        self.folder.hide(secret);
    }

    /// Takes note of what a process printed that this lab did not start.
    pub fn show(&self, bytes: &[u8]) {
        self.folder.show(bytes);
    }

    fn command<S: AsRef<OsStr>>(&self, args: &[S]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_faultdeck"));
        command
            .args(args)
            .current_dir(self.path())
            .env("FAULTDECK_HOME", self.file("home"))
            .env("SEC_TOKEN", token())
            .env_remove("CI")
            .env_remove("GITHUB_ACTIONS")
            .env_remove("GITHUB_STEP_SUMMARY")
            .env("NO_COLOR", "1")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    /// Runs the binary to its end.
    pub fn run<S: AsRef<OsStr>>(&self, args: &[S]) -> Finished {
        self.run_with(args, &[])
    }

    /// Runs the binary to its end, with more in its environment.
    pub fn run_with<S: AsRef<OsStr>>(&self, args: &[S], env: &[(&str, &str)]) -> Finished {
        let mut command = self.command(args);
        for (name, value) in env {
            command.env(name, value);
        }
        let output = command.output().expect("the binary starts");
        self.folder.show(&output.stdout);
        self.folder.show(&output.stderr);
        Finished {
            code: output.status.code(),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }

    /// Starts the binary and leaves it to the test; what it prints goes to the files `out` and `err` of the folder.
    pub fn start<S: AsRef<OsStr>>(&self, args: &[S]) -> Child {
        let file = |name: &str| std::fs::File::create(self.file(name)).expect("a file");
        self.command(args).stdout(file("out")).stderr(file("err")).spawn().expect("the binary starts")
    }

    /// Starts the binary as a server: the URL is the only line on stdout. A request with the canary as a query
    /// parameter, and without credentials, goes to it at once.
    pub fn serve<S: AsRef<OsStr>>(&self, args: &[S]) -> Running {
        self.serve_with(args, &[])
    }

    /// The same, with more in its environment.
    pub fn serve_with<S: AsRef<OsStr>>(&self, args: &[S], env: &[(&str, &str)]) -> Running {
        let mut command = self.command(args);
        command.envs(env.iter().copied());
        let mut child = command.spawn().expect("the binary starts");
        let mut stdout = BufReader::new(child.stdout.take().expect("stdout"));
        let stderr = child.stderr.take().expect("stderr");
        let err = std::thread::spawn(move || drain(stderr));
        let mut url = String::new();
        stdout.read_line(&mut url).expect("a line on stdout");
        let url = url.trim().to_owned();
        let Some((_, addr)) = url.split_once("://") else {
            let stderr = err.join().expect("stderr");
            panic!("no URL on stdout; stderr: {}", String::from_utf8_lossy(&stderr));
        };
        let addr = addr.parse().unwrap_or_else(|_| panic!("the URL is scheme://host:port, not {url}"));
        let out = std::thread::spawn(move || drain(stdout));
        let running = Running { child, url, addr, readers: vec![out, err], printed: self.folder.shown() };
        if running.url.starts_with("http://") {
            let token: String = form_urlencoded::byte_serialize(token().as_bytes()).collect();
            running.try_send(
                format!(
                    "GET /api/plant?token={token} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
                )
                .as_bytes(),
            );
        }
        running
    }

    /// A replay of the shipped cassette.
    pub fn replay(&self, more: &[&str]) -> Running {
        let mut args = vec!["replay", "builtin:forensics/create-case"];
        args.extend_from_slice(more);
        self.serve(&args)
    }
}

fn drain(mut from: impl Read) -> Vec<u8> {
    let mut all = Vec::new();
    let _ = from.read_to_end(&mut all);
    all
}

impl Running {
    /// A GET with the canary as `SEC` and in another header.
    pub fn get(&self, target: &str) -> Raw {
        self.request("GET", target, &[], b"")
    }

    pub fn post(&self, target: &str, body: &str) -> Raw {
        self.request("POST", target, &[("Content-Type", "application/json")], body.as_bytes())
    }

    pub fn request(&self, method: &str, target: &str, headers: &[(&str, &str)], body: &[u8]) -> Raw {
        self.try_request(method, target, headers, body)
            .unwrap_or_else(|error| panic!("{method} {target}: {error}"))
    }

    pub fn try_request(
        &self,
        method: &str,
        target: &str,
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> std::io::Result<Raw> {
        let mut text = format!("{method} {target} HTTP/1.1\r\nHost: {}\r\nSEC: {}\r\n", self.addr, token());
        text.push_str(&format!("X-Carried-Along: {}\r\nConnection: close\r\n", token()));
        for (name, value) in headers {
            text.push_str(&format!("{name}: {value}\r\n"));
        }
        if !body.is_empty() {
            text.push_str(&format!("Content-Length: {}\r\n", body.len()));
        }
        let mut bytes = (text + "\r\n").into_bytes();
        bytes.extend_from_slice(body);
        let answer = self.exchange(&bytes)?;
        Ok(split(&answer, method == "HEAD"))
    }

    /// Sends exact bytes and reads until the connection ends.
    pub fn exchange(&self, bytes: &[u8]) -> std::io::Result<Vec<u8>> {
        let mut socket = TcpStream::connect(self.addr)?;
        socket.set_read_timeout(Some(Duration::from_secs(20)))?;
        socket.write_all(bytes)?;
        let mut answer = Vec::new();
        socket.read_to_end(&mut answer)?;
        Ok(answer)
    }

    fn try_send(&self, bytes: &[u8]) {
        let _ = self.exchange(bytes);
    }

    /// The number of its process.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Asks it to stop, as Ctrl-C does, and waits.
    pub fn stop(self) -> Finished {
        self.signal("INT")
    }

    pub fn signal(mut self, name: &str) -> Finished {
        let pid = self.child.id().to_string();
        let sent = Command::new("kill").args([&format!("-{name}"), &pid]).status().expect("kill");
        assert!(sent.success());
        self.wait()
    }

    fn wait(&mut self) -> Finished {
        let until = Instant::now() + Duration::from_secs(20);
        let status = loop {
            if let Some(status) = self.child.try_wait().expect("a child") {
                break status;
            }
            assert!(Instant::now() < until, "it does not stop");
            std::thread::sleep(Duration::from_millis(5));
        };
        let mut texts = self.readers.drain(..).map(|reader| reader.join().expect("output"));
        let (stdout, stderr) = (texts.next().unwrap_or_default(), texts.next().unwrap_or_default());
        let mut printed = self.printed.lock().expect("printed");
        printed.extend_from_slice(&stdout);
        printed.extend_from_slice(&stderr);
        Finished {
            code: status.code(),
            stdout: String::from_utf8_lossy(&stdout).into_owned(),
            stderr: String::from_utf8_lossy(&stderr).into_owned(),
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        for reader in self.readers.drain(..) {
            self.printed.lock().expect("printed").extend(reader.join().unwrap_or_default());
        }
    }
}

fn split(answer: &[u8], head_only: bool) -> Raw {
    let end = answer.windows(4).position(|window| window == b"\r\n\r\n");
    let (head, rest) = match end {
        Some(end) => (&answer[..end], &answer[end + 4..]),
        None => (answer, &[][..]),
    };
    let head = String::from_utf8_lossy(head).into_owned();
    let mut raw = Raw { head, body: rest.to_vec() };
    let chunked = raw.header("Transfer-Encoding").is_some_and(|value| value.eq_ignore_ascii_case("chunked"));
    if chunked && !head_only {
        raw.body = dechunk(rest);
    }
    raw
}

/// A chunked body put together; panics on a malformed one, which is what a test wants to know.
pub fn dechunk(mut rest: &[u8]) -> Vec<u8> {
    let mut body = Vec::new();
    loop {
        let end = rest.windows(2).position(|window| window == b"\r\n").expect("a chunk size");
        let size = usize::from_str_radix(std::str::from_utf8(&rest[..end]).expect("text"), 16).expect("hex");
        rest = &rest[end + 2..];
        if size == 0 {
            return body;
        }
        body.extend_from_slice(&rest[..size]);
        rest = &rest[size + 2..];
    }
}

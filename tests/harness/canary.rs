//! The canary: a token that every test sends and that must not get out, and the folder that is searched for it.
//!
//! Whatever a test writes, it writes in a [`Folder`]. When that goes, each file in it, and all that was shown to it, is
//! searched for the canary in every usual spelling: a hit fails the test, whichever it is.

// Each test binary uses its own part of this, and stops where a fact it relies on does not hold.
#![allow(dead_code, unreachable_pub, clippy::unwrap_used, clippy::panic)]

use std::borrow::Cow;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, OnceLock};

use aho_corasick::AhoCorasick;
use base64::Engine as _;
use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD};

/// The token of this test process: with characters that each encoding spells differently.
pub fn canary() -> &'static str {
    static CANARY: OnceLock<String> = OnceLock::new();
    CANARY.get_or_init(|| format!("canary-{:08x}-Zq7/+x9Kp", std::process::id()))
}

/// A temporary folder that must hold no secret when it goes.
#[derive(Debug)]
pub struct Folder {
    dir: tempfile::TempDir,
    shown: Arc<Mutex<Vec<u8>>>,
    secrets: Mutex<Vec<String>>,
}

impl Folder {
    pub fn new() -> Self {
        let dir = tempfile::tempdir().expect("a temporary folder");
        Self { dir, shown: Arc::default(), secrets: Mutex::new(vec![canary().to_owned()]) }
    }

    pub fn path(&self) -> &Path {
        self.dir.path()
    }

    /// Takes note of something that was printed, or could be.
    pub fn show(&self, bytes: &[u8]) {
        self.shown.lock().expect("shown").extend_from_slice(bytes);
    }

    /// Where what is printed is noted.
    pub fn shown(&self) -> Arc<Mutex<Vec<u8>>> {
        Arc::clone(&self.shown)
    }

    /// A further secret to look for.
    pub fn hide(&self, secret: &str) {
        self.secrets.lock().expect("secrets").push(secret.to_owned());
    }

    fn hits(&self) -> Vec<String> {
        let mut hits = Vec::new();
        for secret in self.secrets.lock().expect("secrets").iter() {
            hits.extend(found(secret, "what was printed", &self.shown.lock().expect("shown")));
            for file in files(self.path()) {
                let name = file.strip_prefix(self.path()).unwrap_or(&file).display().to_string();
                hits.extend(found(secret, &name, &std::fs::read(&file).unwrap_or_default()));
                hits.extend(found(secret, "the name of a file", name.as_bytes()));
            }
        }
        hits
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let hits = self.hits();
        if !std::thread::panicking() {
            assert!(hits.is_empty(), "a secret got out:\n{}", hits.join("\n"));
        }
    }
}

/// Stops the test if `bytes` hold the canary.
pub fn assert_clean(place: &str, bytes: &[u8]) {
    let hits = found(canary(), place, bytes);
    assert!(hits.is_empty(), "a secret got out:\n{}", hits.join("\n"));
}

/// Every file below a folder. A pipe or a device holds nothing that was written, and could be read for ever.
pub fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            found.extend(files(&path));
        } else if path.is_file() {
            found.push(path);
        }
    }
    found.sort();
    found
}

fn found(secret: &str, place: &str, bytes: &[u8]) -> Vec<String> {
    let spelt = AhoCorasick::builder().ascii_case_insensitive(true).build(spellings(secret)).expect("short");
    let hit = |at: std::ops::Range<usize>| {
        let around = &bytes[at.start.saturating_sub(60)..(at.end + 60).min(bytes.len())];
        format!("{place} holds it: ...{}...", String::from_utf8_lossy(around))
    };
    let hits: Vec<String> = spelt.find_iter(bytes).map(|found| hit(found.range())).take(8).collect();
    // Percent-encoding has more spellings than can be listed, so it is taken off.
    let plain = Cow::from(percent_encoding::percent_decode(bytes));
    let is_encoded = matches!(plain, Cow::Owned(_)) && spelt.is_match(&*plain);
    if hits.is_empty() && is_encoded { vec![format!("{place} holds it in percent-encoding")] } else { hits }
}

fn spellings(secret: &str) -> Vec<Vec<u8>> {
    let hex: String = secret.bytes().map(|byte| format!("{byte:02x}")).collect();
    let percent: String = form_urlencoded::byte_serialize(secret.as_bytes()).collect();
    let mut all =
        vec![secret.to_owned(), hex, percent, secret.replace('/', "\\/"), BASE64_STANDARD.encode(secret)];
    // The inside of a base64 text at each of the three alignments, without the ends that depend on neighbours.
    for pad in 0..3 {
        let text = BASE64_URL_SAFE_NO_PAD.encode(format!("{}{secret}", "x".repeat(pad)));
        all.push(text[4..text.len() - 4].to_owned());
    }
    all.into_iter().map(String::into_bytes).collect()
}

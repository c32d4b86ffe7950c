//! The cookies in use. A console that sends a fresh one with every answer replaces the old ones: what nobody has sent or
//! set for long makes room in what is searched for, and a recording goes on for as long as it likes.

use std::collections::{BTreeMap, BTreeSet};

use crate::message::{Request, Response};

/// Cookies that are looked for wherever they stand, from the one used last.
const IN_USE_MAX: usize = 256;

/// The values of cookies, by when they were last sent or set.
#[derive(Debug, Default)]
pub(super) struct Jar {
    last_used: BTreeMap<Vec<u8>, u64>,
    clock: u64,
}

impl Jar {
    /// Takes note of the cookies of an exchange. What comes back is out of use.
    pub(super) fn take(&mut self, request: &Request, response: &Response) -> BTreeSet<Vec<u8>> {
        self.clock += 1;
        for line in request.headers.all("Cookie") {
            line.split(|byte| *byte == b';').for_each(|pair| self.note(pair));
        }
        for line in response.headers.all("Set-Cookie") {
            line.split(|byte| *byte == b';').take(1).for_each(|pair| self.note(pair));
        }
        if self.last_used.len() <= 2 * IN_USE_MAX {
            return BTreeSet::new();
        }
        let mut times: Vec<u64> = self.last_used.values().copied().collect();
        times.sort_unstable();
        let oldest_kept = times.len().checked_sub(IN_USE_MAX).and_then(|at| times.get(at)).copied();
        let oldest_kept = oldest_kept.unwrap_or_default();
        let (kept, gone) =
            std::mem::take(&mut self.last_used).into_iter().partition(|(_, used)| *used >= oldest_kept);
        self.last_used = kept;
        let gone: BTreeMap<Vec<u8>, u64> = gone;
        gone.into_keys().collect()
    }

    fn note(&mut self, pair: &[u8]) {
        let Some(equals) = pair.iter().position(|byte| *byte == b'=') else { return };
        let value = pair.get(equals + 1..).unwrap_or_default().trim_ascii();
        let value = value.strip_prefix(b"\"").and_then(|value| value.strip_suffix(b"\"")).unwrap_or(value);
        if !value.is_empty() {
            self.last_used.insert(value.to_vec(), self.clock);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cookie_that_is_sent_stays_and_those_replaced_long_ago_go() {
        let mut jar = Jar::default();
        let request = Request::new("GET", "/").with("Cookie", "a=b; SEC=\"kept-for-ever\"");
        let mut gone = BTreeSet::new();
        for n in 0..2000 {
            let mut response = Response::new(200);
            response.headers.push("Set-Cookie", format!("JSESSIONID=fresh-{n}; Path=/; Expires=never"));
            gone.extend(jar.take(&request, &response));
            assert!(jar.last_used.len() <= 2 * IN_USE_MAX, "{n}");
        }
        assert!(gone.contains(&b"fresh-0"[..]) && !gone.contains(&b"fresh-1990"[..]));
        assert!(!gone.contains(&b"kept-for-ever"[..]) && !gone.contains(&b"b"[..]));
        assert!(gone.iter().all(|value| value.starts_with(b"fresh-")));
    }
}

//! Placeholders numbered anew in the order they stand in a file.

use std::collections::BTreeMap;

/// Gives each placeholder of one kind (`fd-secret-7`) a new number by first sight, so that the same exchanges give
/// the same file whatever order the values were learnt in.
#[derive(Debug, Default)]
pub(crate) struct Numbering {
    prefix: String,
    numbers: BTreeMap<Vec<u8>, usize>,
}

impl Numbering {
    /// For placeholders that start with `prefix`, dash included.
    pub(crate) fn of(prefix: &str) -> Self {
        Self { prefix: prefix.to_owned(), numbers: BTreeMap::new() }
    }

    /// For redacted secrets.
    pub(crate) fn of_secrets() -> Self {
        Self::of(super::names::PREFIX)
    }

    /// The greatest number of a redacted secret in `bytes`; 0 if there is none. Numbers past a million do not count:
    /// nobody has that many, and the next must fit.
    pub(crate) fn greatest_secret(bytes: &[u8]) -> usize {
        let prefix = super::names::PREFIX.as_bytes();
        let mut greatest = 0;
        let mut done = 0;
        while let Some(found) = find(bytes, prefix, done) {
            done = found + prefix.len();
            let digits: Vec<u8> = bytes
                .get(done..)
                .unwrap_or_default()
                .iter()
                .copied()
                .take_while(u8::is_ascii_digit)
                .collect();
            let number =
                std::str::from_utf8(&digits).ok().and_then(|digits| digits.parse().ok()).unwrap_or(0);
            greatest = if number <= 1_000_000 { greatest.max(number) } else { greatest };
        }
        greatest
    }

    /// The placeholder of `value`, the same for equal values.
    pub(crate) fn placeholder(&mut self, value: &[u8]) -> String {
        let next = self.numbers.len() + 1;
        let number = *self.numbers.entry(value.to_vec()).or_insert(next);
        format!("{}{number}", self.prefix)
    }

    /// A text with every placeholder renumbered.
    pub(crate) fn renumbered(&mut self, text: &str) -> String {
        let new = self.renumber(text.as_bytes());
        new.map_or_else(|| text.to_owned(), |new| String::from_utf8_lossy(&new).into_owned())
    }

    /// `bytes` with every placeholder renumbered; `None` if nothing changes.
    pub(crate) fn renumber(&mut self, bytes: &[u8]) -> Option<Vec<u8>> {
        let prefix = self.prefix.clone();
        let prefix = prefix.as_bytes();
        let mut out = Vec::new();
        let mut done = 0;
        let mut changed = false;
        while let Some(found) = find(bytes, prefix, done) {
            let digits_at = found + prefix.len();
            let rest = bytes.get(digits_at..).unwrap_or_default();
            let digits = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
            let end = digits_at + digits;
            out.extend_from_slice(bytes.get(done..found).unwrap_or_default());
            let old = bytes.get(found..end).unwrap_or_default();
            if digits == 0 {
                out.extend_from_slice(old);
            } else {
                let new = self.placeholder(old);
                changed |= new.as_bytes() != old;
                out.extend_from_slice(new.as_bytes());
            }
            done = end;
        }
        out.extend_from_slice(bytes.get(done..).unwrap_or_default());
        changed.then_some(out)
    }
}

fn find(bytes: &[u8], needle: &[u8], from: usize) -> Option<usize> {
    let rest = bytes.get(from..)?;
    rest.windows(needle.len().max(1)).position(|window| window == needle).map(|at| from + at)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_follow_first_sight_and_equal_stays_equal() {
        let mut numbering = Numbering::of("user-");
        assert_eq!(
            numbering.renumber(b"user-7 user-2,user-7 user- user-x").as_deref(),
            Some(&b"user-1 user-2,user-1 user- user-x"[..])
        );
        assert_eq!(numbering.renumber(b"nothing"), None);
        assert_eq!(numbering.placeholder(b"alice"), "user-3");
    }
}

//! Output of a program, kept within bounds.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

use tokio::io::{AsyncRead, AsyncReadExt};

/// Bytes kept of the start of each output, and as many of its end.
pub const KEPT: usize = 64 * 1024;

/// Output of a program: its start and its end, and how much is missing between.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Captured {
    head: Vec<u8>,
    tail: VecDeque<u8>,
    /// Bytes left out between start and end.
    pub cut: u64,
}

impl Captured {
    #[cfg(test)]
    pub(in crate::client) fn of(text: &str) -> Self {
        let mut captured = Self::default();
        captured.push(text.as_bytes());
        captured
    }

    pub(super) fn push(&mut self, bytes: &[u8]) {
        let (head, rest) = bytes.split_at(bytes.len().min(KEPT - self.head.len()));
        self.head.extend_from_slice(head);
        self.tail.extend(rest);
        let over = self.tail.len().saturating_sub(KEPT);
        self.tail.drain(..over);
        self.cut += over as u64;
    }

    /// As text, bytes that are not UTF-8 replaced; a line of its own says how much is missing in the middle.
    pub fn text(&self) -> String {
        let (front, back) = self.tail.as_slices();
        let tail = [front, back].concat();
        if self.cut == 0 {
            return String::from_utf8_lossy(&[self.head.as_slice(), &tail].concat()).into_owned();
        }
        let (head, tail) = (String::from_utf8_lossy(&self.head), String::from_utf8_lossy(&tail));
        format!("{head}\n[{} bytes not kept]\n{tail}", self.cut)
    }
}

/// Reads a pipe to its end.
pub(super) async fn drain(pipe: Option<impl AsyncRead + Unpin>, into: &Mutex<Captured>) {
    let Some(mut pipe) = pipe else { return };
    let mut buffer = vec![0; 16 * 1024];
    while let Ok(count @ 1..) = pipe.read(&mut buffer).await {
        if let Some(bytes) = buffer.get(..count) {
            into.lock().unwrap_or_else(PoisonError::into_inner).push(bytes);
        }
    }
}

/// Takes out what was read so far.
pub(super) fn kept(captured: &Mutex<Captured>) -> Captured {
    std::mem::take(&mut captured.lock().unwrap_or_else(PoisonError::into_inner))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_middle_of_long_output_is_cut() {
        let mut captured = Captured::default();
        for letter in [b'a', b'b', b'c', b'd'] {
            captured.push(&vec![letter; KEPT]);
        }
        let text = captured.text();
        assert_eq!(captured.cut, 2 * KEPT as u64);
        assert!(text.starts_with("aaa") && text.ends_with("ddd"), "start and end are kept");
        assert!(text.contains("\n[131072 bytes not kept]\n"));
        assert!(!text.contains('c') || !text.contains("ccc"), "the middle is gone");
    }
}

//! Every spelling in which a known value may stand somewhere else.

use std::fmt::Write;

use base64::Engine;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};

/// All spellings of `value`, itself first, without repeats; in capitals or not is the same. Base64 comes at the three
/// offsets a value can have in a longer encoded text, without the characters that its neighbours decide.
pub(super) fn of(value: &[u8]) -> Vec<Vec<u8>> {
    let mut all: Vec<Vec<u8>> = vec![value.to_vec()];
    let mut add = |spelling: Vec<u8>| {
        if spelling.len() >= 8 && !all.contains(&spelling) {
            all.push(spelling);
        }
    };
    for keep in [Keep::Unreserved, Keep::Form, Keep::Nothing] {
        add(percent(value, keep).into_bytes());
    }
    for offset in 0..3 {
        let mut padded = vec![0; offset];
        padded.extend_from_slice(value);
        let (start, end) = ([0, 2, 3].get(offset).copied().unwrap_or(0), padded.len() * 8 / 6);
        for encoded in [STANDARD_NO_PAD.encode(&padded), URL_SAFE_NO_PAD.encode(&padded)] {
            add(encoded.as_bytes().get(start..end).unwrap_or_default().to_vec());
        }
    }
    add(hex(value).into_bytes());
    add(without_dashes(value));
    add(value.iter().rev().copied().collect());
    if let Ok(text) = std::str::from_utf8(value) {
        let quoted = serde_json::Value::from(text).to_string();
        let inner = quoted.get(1..quoted.len().saturating_sub(1)).unwrap_or_default().to_owned();
        add(inner.replace('/', "\\/").into_bytes());
        add(inner.into_bytes());
        add(html(text).into_bytes());
        add(wide(text, u16::to_le_bytes));
        add(wide(text, u16::to_be_bytes));
        // A byte for a character, where each has one.
        if text.chars().all(|c| u32::from(c) < 256) {
            add(text.chars().filter_map(|c| u8::try_from(u32::from(c)).ok()).collect());
        }
    }
    all
}

/// A uuid as some programs write it: only its digits. Nothing for another value.
fn without_dashes(value: &[u8]) -> Vec<u8> {
    let is_uuid = value.len() == 36 && value.iter().all(|byte| byte.is_ascii_hexdigit() || *byte == b'-');
    if is_uuid { value.iter().copied().filter(|byte| *byte != b'-').collect() } else { Vec::new() }
}

/// Two bytes for a character.
fn wide(text: &str, bytes: fn(u16) -> [u8; 2]) -> Vec<u8> {
    text.encode_utf16().flat_map(bytes).collect()
}

#[derive(Clone, Copy, PartialEq)]
enum Keep {
    /// Letters, digits and `-._~` stay, as `encodeURIComponent` and `quote` write.
    Unreserved,
    /// The same, a space as `+`.
    Form,
    /// Every byte is escaped.
    Nothing,
}

fn percent(value: &[u8], keep: Keep) -> String {
    value.iter().fold(String::new(), |mut out, byte| {
        match byte {
            b' ' if keep == Keep::Form => out.push('+'),
            b'-' | b'.' | b'_' | b'~' if keep != Keep::Nothing => out.push(char::from(*byte)),
            byte if keep != Keep::Nothing && byte.is_ascii_alphanumeric() => out.push(char::from(*byte)),
            byte => {
                let _ = write!(out, "%{byte:02X}");
            }
        }
        out
    })
}

fn hex(value: &[u8]) -> String {
    value.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn html(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
        .replace('\'', "&#39;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_offset_of_base64_is_covered() {
        let secret = b"s3cr3t/value+9";
        let spellings = of(secret);
        for before in 0..7 {
            let mut text = vec![b'x'; before];
            text.extend_from_slice(secret);
            text.extend_from_slice(b"yz");
            let encoded = STANDARD_NO_PAD.encode(&text);
            assert!(
                spellings.iter().any(|spelling| encoded.contains(&*String::from_utf8_lossy(spelling))),
                "{before}"
            );
        }
    }

    #[test]
    fn percent_json_and_hex_are_covered() {
        let spellings: Vec<String> =
            of(b"a/b\"c d+e").iter().map(|s| String::from_utf8_lossy(s).into_owned()).collect();
        for spelling in
            ["a%2Fb%22c%20d%2Be", "a%2Fb%22c+d%2Be", "a/b\\\"c d+e", "a\\/b\\\"c d+e", "612f62226320642b65"]
        {
            assert!(spellings.iter().any(|s| s == spelling), "{spelling}");
        }
    }
}

//! Words as a POSIX shell would have to be given them.

/// A part of a word.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Part {
    /// These bytes.
    Bytes(Vec<u8>),
    /// What a variable of this name holds.
    Variable(String),
}

/// `word`, quoted if need be.
pub fn shell_word(word: &str) -> String {
    quoted(word.as_bytes())
}

/// A word of several parts: a shell makes exactly them of it.
pub fn shell_parts(parts: &[Part]) -> String {
    let is_tame = |byte: &u8| !b"$`\"\\!".contains(byte) && (b' '..0x7f).contains(byte);
    let in_one = parts.iter().all(|part| match part {
        Part::Bytes(bytes) => bytes.iter().all(is_tame),
        Part::Variable(_) => true,
    });
    if in_one && parts.iter().any(|part| matches!(part, Part::Variable(_))) {
        return format!("\"{}\"", inside(parts));
    }
    let part = |part: &Part| match part {
        Part::Bytes(bytes) => quoted(bytes),
        Part::Variable(name) => format!("\"${name}\""),
    };
    if parts.is_empty() { quoted(b"") } else { parts.iter().map(part).collect() }
}

/// Parts between double quotes. A name ends where a character comes that no name holds.
fn inside(parts: &[Part]) -> String {
    let mut text = String::new();
    for (index, part) in parts.iter().enumerate() {
        match part {
            Part::Bytes(bytes) => text.push_str(&String::from_utf8_lossy(bytes)),
            Part::Variable(name) => {
                let goes_on = parts.get(index + 1).is_some_and(|next| match next {
                    Part::Bytes(bytes) => {
                        bytes.first().is_some_and(|byte| byte.is_ascii_alphanumeric() || *byte == b'_')
                    }
                    Part::Variable(_) => false,
                });
                text.push_str(&if goes_on { format!("${{{name}}}") } else { format!("${name}") });
            }
        }
    }
    text
}

fn quoted(word: &[u8]) -> String {
    let plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"-_./:=,@%+".contains(byte);
    let text = String::from_utf8_lossy(word);
    let is_shown = !text.contains('\u{fffd}') && !text.chars().any(super::visible::is_obeyed);
    if !word.is_empty() && word.iter().all(plain) {
        text.into_owned()
    } else if is_shown {
        format!("'{}'", text.replace('\'', "'\\''"))
    } else {
        printed(word)
    }
}

/// What cannot be shown as it is, so that it can be copied: `printf` makes it again. A shell drops line breaks at the
/// end of what a program prints, so those stand for themselves.
fn printed(word: &[u8]) -> String {
    let end = word.iter().rposition(|byte| *byte != b'\n').map_or(0, |at| at + 1);
    let (front, breaks) = word.split_at(end);
    let mut text = String::new();
    if !front.is_empty() {
        text.push_str("\"$(printf '");
        for (at, byte) in front.iter().enumerate() {
            match byte {
                // In front it would begin an option of `printf`.
                b'-' if at == 0 => text.push_str("\\055"),
                b'\n' => text.push_str("\\n"),
                b'%' => text.push_str("%%"),
                b'\\' => text.push_str("\\\\"),
                // A quote ends what is quoted; as a number it is a character like any other.
                b' '..=b'~' if *byte != b'\'' => text.push(char::from(*byte)),
                _ => text.push_str(&format!("\\{byte:03o}")),
            }
        }
        text.push_str("')\"");
    }
    if !breaks.is_empty() {
        text.push_str(&format!("'{}'", "\n".repeat(breaks.len())));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::ffi::OsStrExt;
    use std::process::Command;

    /// What a shell makes of a word.
    fn through_a_shell(word: &str, variables: &[(&str, &str)]) -> Vec<u8> {
        let script = format!("printf %s {word}");
        Command::new("sh").args(["-c", &script]).envs(variables.iter().copied()).output().unwrap().stdout
    }

    #[test]
    fn a_word_comes_through_a_shell_unchanged() {
        let words = [
            "plain",
            "",
            "two words",
            "it's",
            "$HOME `x` \"y\"",
            "a\nb",
            "a\n\n",
            "\n",
            "50%\t\\n\u{1b}[1m'é\u{202e}",
        ];
        for word in words {
            let shown = shell_word(word);
            assert_eq!(through_a_shell(&shown, &[]), word.as_bytes(), "{shown}");
        }
        let bytes = b"\xff\x00".split_last().unwrap().1;
        assert_eq!(through_a_shell(&shell_parts(&[Part::Bytes(bytes.to_vec())]), &[]), bytes);
        assert_eq!(std::ffi::OsStr::from_bytes(bytes).len(), 1);
    }

    #[test]
    fn what_a_variable_holds_stands_in_its_place_whatever_it_is() {
        let bytes = |text: &str| Part::Bytes(text.as_bytes().to_vec());
        let secret = || Part::Variable("FAULTDECK_SECRET".to_owned());
        let value = "it's \"$HOME\"  \\ *";
        for (parts, before, after) in [
            (vec![bytes("SEC: "), secret()], "SEC: ", ""),
            (vec![secret(), bytes("_x")], "", "_x"),
            (vec![bytes("a\n$b`\""), secret(), bytes("'c'")], "a\n$b`\"", "'c'"),
            (vec![secret()], "", ""),
        ] {
            let word = shell_parts(&parts);
            let came = through_a_shell(&word, &[("FAULTDECK_SECRET", value)]);
            assert_eq!(String::from_utf8(came).unwrap(), format!("{before}{value}{after}"), "{word}");
        }
        assert_eq!(shell_parts(&[bytes("SEC: "), secret()]), "\"SEC: $FAULTDECK_SECRET\"");
        assert_eq!(shell_parts(&[secret(), bytes("x")]), "\"${FAULTDECK_SECRET}x\"");
    }
}

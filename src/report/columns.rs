//! Texts that fit a screen: how wide one is there, and how one that is too wide is cut or broken.

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// How wide a line may be.
pub(super) const WIDTH_MAX: usize = 120;
/// What stands where something was cut out.
const GAP: &str = " ... ";
/// How much of the beginning stays where the middle of a line is what matters.
const HEAD: usize = 40;
/// How much of the end stays, if nothing else is there to say.
const TAIL: usize = 16;
/// How much of a note in brackets at the end of a line stays.
const NOTE_MAX: usize = 56;
/// How far before the place that matters the shown part begins.
const LEAD: usize = 12;

/// How many columns of a terminal a text takes.
pub(super) fn columns(text: &str) -> usize {
    text.width()
}

/// The beginning of a text, at most so wide.
fn first(text: &str, max: usize) -> &str {
    let mut wide = 0;
    for (at, character) in text.char_indices() {
        wide += character.width().unwrap_or(0);
        if wide > max {
            return text.get(..at).unwrap_or(text);
        }
    }
    text
}

/// The end of a text, at most so wide.
fn last(text: &str, max: usize) -> &str {
    let mut wide = 0;
    for (at, character) in text.char_indices().rev() {
        wide += character.width().unwrap_or(0);
        if wide > max {
            return text.get(at + character.len_utf8()..).unwrap_or(text);
        }
    }
    text
}

/// A line in at most `max` columns: what is cut out stands in the middle. The place `focus` (a byte of it) stays to be
/// seen, and so does a note at its end, as faults leave one.
pub(super) fn cut(line: &str, max: usize, focus: Option<usize>) -> String {
    if columns(line) <= max {
        return line.to_owned();
    }
    let (body, note) = line.split_at(note_of(line));
    let note = match columns(note) > NOTE_MAX {
        true => format!("{}...", first(note, NOTE_MAX.saturating_sub(3))),
        false => note.to_owned(),
    };
    let room = max.saturating_sub(columns(&note));
    if columns(body) <= room {
        return format!("{body}{note}");
    }
    let focus = focus.filter(|at| body.is_char_boundary(*at));
    let before = focus.map_or(0, |at| columns(body.get(..at).unwrap_or(body)));
    if before + 2 * TAIL <= room {
        let front = first(body, room.saturating_sub(GAP.len() + TAIL));
        return format!("{}{GAP}{}{note}", front.trim_end(), last(body, TAIL));
    }
    let from_there = last(body, (columns(body) + LEAD).saturating_sub(before));
    let left = room.saturating_sub(HEAD + GAP.len());
    let shown = match columns(from_there) <= left {
        true => last(body, left).to_owned(),
        false => format!("{}{}", first(from_there, left.saturating_sub(GAP.len() - 1)), GAP.trim_end()),
    };
    format!("{}{GAP}{shown}{note}", first(body, HEAD).trim_end())
}

/// Where a note in brackets begins that ends the line, or its end: `{"id":1} [latency: held it back]`.
fn note_of(line: &str) -> usize {
    let begins = line.ends_with(']').then(|| line.rfind(" [")).flatten();
    let is_note = |at: &usize| {
        line.get(at + 2..).is_some_and(|rest| rest.starts_with(|first: char| first.is_ascii_lowercase()))
    };
    begins.filter(is_note).unwrap_or(line.len())
}

/// A text in at most so many lines, broken between words where there are any.
pub(super) fn broken(text: &str, max: usize, lines_max: usize) -> Vec<String> {
    let mut shown = text.to_owned();
    for less in 0..=lines_max {
        let lines = between_words(&shown, max);
        if lines.len() <= lines_max {
            return lines;
        }
        // What breaking between words leaves unused at the ends of lines is not known before.
        shown = cut(text, (max * lines_max).saturating_sub(TAIL * (less + 1)), None);
    }
    between_words(&shown, max).into_iter().take(lines_max).collect()
}

fn between_words(text: &str, max: usize) -> Vec<String> {
    let mut lines = Vec::new();
    let mut line = String::new();
    for word in text.split(' ') {
        let mut word = word;
        if !line.is_empty() && columns(&line) + 1 + columns(word) > max {
            // What fits no line is begun on this one.
            let room = if columns(word) > max { max.saturating_sub(columns(&line) + 1) } else { 0 };
            let piece = first(word, room);
            if !piece.is_empty() {
                line = format!("{line} {piece}");
                word = word.get(piece.len()..).unwrap_or_default();
            }
            lines.push(std::mem::take(&mut line));
        }
        while columns(word) > max {
            let piece = first(word, max);
            if piece.is_empty() {
                break;
            }
            lines.push(piece.to_owned());
            word = word.get(piece.len()..).unwrap_or_default();
        }
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
    }
    lines.push(line);
    lines
}

/// A command in lines that a shell reads as one. A word that is wider than a line stays whole.
pub(super) fn command(text: &str, max: usize) -> Vec<String> {
    if columns(text) <= max {
        return vec![text.to_owned()];
    }
    let mut lines = Vec::new();
    let mut line = String::new();
    for word in words(text) {
        if !line.is_empty() && columns(&line) + columns(word) + 3 > max {
            lines.push(format!("{line} \\"));
            line = "  ".to_owned();
        } else if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
    }
    lines.push(line);
    lines
}

/// The words of a command as they are written, quotes and all.
fn words(text: &str) -> Vec<&str> {
    let (mut words, mut begins, mut quote) = (Vec::new(), 0, None);
    for (at, character) in text.char_indices() {
        match (quote, character) {
            (None, '\'' | '"') => quote = Some(character),
            (Some(open), _) if open == character => quote = None,
            (None, ' ') => {
                words.extend(text.get(begins..at).filter(|word| !word.is_empty()));
                begins = at + 1;
            }
            _ => {}
        }
    }
    words.extend(text.get(begins..).filter(|word| !word.is_empty()));
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_cut_out_is_the_middle_and_never_what_matters() {
        assert_eq!(cut("short", 20, None), "short");
        let body =
            format!(r#"got:      200 OK {{"a":"{}","id":7,"z":"{}"}}"#, "x".repeat(200), "y".repeat(200));
        let line = format!("{body} [latency: held back 12 ms]");
        let plain = cut(&line, 100, None);
        assert!(
            plain.starts_with("got:      200 OK {\"a\"") && plain.ends_with(" [latency: held back 12 ms]")
        );
        let focused = cut(&line, 100, line.find("\"id\""));
        assert!(focused.contains("\"id\":7") && focused.contains(" ... "), "{focused}");
        for at in (0..body.len()).step_by(7) {
            let shown = cut(&line, 100, Some(at));
            assert!(columns(&shown) <= 100, "{}: {shown}", columns(&shown));
            let seen: String = body[at..].chars().take(4).collect();
            assert!(shown.contains(&seen), "{at}: `{seen}` in {shown}");
        }
    }

    #[test]
    fn wide_characters_are_counted_as_a_terminal_shows_them() {
        let wide = "\u{65e5}\u{672c}".repeat(100);
        assert_eq!(columns("\u{65e5}"), 2);
        for line in [cut(&wide, 50, None), cut(&wide, 50, Some(300)), cut(&wide, 50, Some(301))] {
            assert!(columns(&line) <= 50 && line.contains("..."), "{line}");
        }
        assert!(broken(&wide, 60, 2).iter().all(|line| columns(line) <= 60));
    }

    #[test]
    fn a_reason_takes_a_few_lines_and_no_more() {
        let text = "word ".repeat(100);
        let lines = broken(text.trim_end(), 60, 2);
        assert!(lines.len() == 2 && lines.iter().all(|line| columns(line) <= 60), "{lines:?}");
        assert!(lines.concat().contains("..."));
        assert_eq!(broken("one two", 60, 2), ["one two"]);
        assert_eq!(broken(&format!("it is {} here", "x".repeat(70)), 60, 2).len(), 2);
        assert_eq!(broken(&"x".repeat(70), 60, 2).concat(), "x".repeat(70));
    }

    #[test]
    fn a_command_over_several_lines_is_still_the_same_command() {
        let long = format!("printf %s 'two words' \"a b\" {}", "word ".repeat(40));
        let lines = command(long.trim_end(), 80);
        assert!(lines.len() > 2 && lines.iter().all(|line| columns(line) <= 80), "{lines:?}");
        let through =
            |script: &str| std::process::Command::new("sh").args(["-c", script]).output().unwrap().stdout;
        assert_eq!(through(&lines.join("\n")), through(&long));
        assert_eq!(command("faultdeck judge x", 80), ["faultdeck judge x"]);
    }
}

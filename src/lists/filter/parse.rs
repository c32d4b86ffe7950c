//! From text to filter, by recursive descent, with the position of every member.

use std::ops::Range;

use super::value::is_number;
use super::{
    DEPTH_MAX, Filter, Is, LENGTH_MAX, ListError, Member, Operator, PATTERN_MAX, TESTS_MAX, Test, Value,
};

/// What a text holds.
pub(super) struct Parsed {
    /// `None` for a blank text.
    pub(super) filter: Option<Filter>,
    /// Where the members of the tests stand, in text order.
    pub(super) members: Vec<Range<usize>>,
}

/// Parses a whole text.
pub(super) fn parse(text: &str) -> Result<Parsed, ListError> {
    if text.len() > LENGTH_MAX {
        let why = format!("`filter` has {} bytes; at most {LENGTH_MAX} are read", text.len());
        return Err(ListError::TooLarge { why, at: LENGTH_MAX..text.len() });
    }
    let mut parser = Parser { text, at: 0, members: Vec::new() };
    parser.skip_blank();
    if parser.at == text.len() {
        return Ok(Parsed { filter: None, members: Vec::new() });
    }
    let filter = parser.any(1)?;
    match parser.peek() {
        None => Ok(Parsed { filter: Some(filter), members: parser.members }),
        Some(_) => Err(parser.unexpected()),
    }
}

type Read<T> = Result<T, ListError>;

struct Parser<'t> {
    text: &'t str,
    at: usize,
    members: Vec<Range<usize>>,
}

/// Operators, the longer ones first.
const OPERATORS: &[(&str, Operator)] = &[
    ("!=", Operator::Other),
    ("<>", Operator::Other),
    ("^=", Operator::Other),
    ("<=", Operator::AtMost),
    (">=", Operator::AtLeast),
    ("=", Operator::Equal),
    ("<", Operator::Less),
    (">", Operator::Greater),
];

/// Words that join tests, and are no member's name.
const RESERVED: &[&str] = &["and", "or", "not"];

/// Words after a member that say what is asked of it.
const KEYWORDS: &[&str] = &["not", "in", "between", "is", "like", "ilike", "contains"];

impl<'t> Parser<'t> {
    fn rest(&self) -> &'t str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn skip_blank(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t')) {
            self.at += 1;
        }
    }

    /// The letters, digits and `_` that come next; may be empty.
    fn word(&self) -> &'t str {
        let rest = self.rest();
        let end = rest.bytes().position(|byte| !(byte.is_ascii_alphanumeric() || byte == b'_'));
        rest.get(..end.unwrap_or(rest.len())).unwrap_or_default()
    }

    fn is_next(&self, keyword: &str) -> bool {
        self.word().eq_ignore_ascii_case(keyword)
    }

    /// Steps over a keyword and what is blank after it, if it comes next.
    fn takes(&mut self, keyword: &str) -> bool {
        let is_next = self.is_next(keyword);
        if is_next {
            self.at += keyword.len();
            self.skip_blank();
        }
        is_next
    }

    fn takes_sign(&mut self, sign: u8) -> bool {
        let is_next = self.peek() == Some(sign);
        if is_next {
            self.at += 1;
            self.skip_blank();
        }
        is_next
    }

    fn closes(&mut self, opened: usize) -> Read<()> {
        match (self.takes_sign(b')'), self.peek()) {
            (true, _) => Ok(()),
            (false, None) => {
                let why = "this bracket is never closed; add `)`".to_owned();
                Err(ListError::Malformed { why, at: opened..opened + 1 })
            }
            (false, Some(_)) => Err(self.unexpected()),
        }
    }

    fn any(&mut self, depth: usize) -> Read<Filter> {
        let mut parts = vec![self.all(depth)?];
        while self.takes("or") {
            parts.push(self.all(depth)?);
        }
        self.joined(Filter::any(parts))
    }

    fn all(&mut self, depth: usize) -> Read<Filter> {
        let mut parts = vec![self.one(depth)?];
        while self.takes("and") {
            parts.push(self.one(depth)?);
        }
        self.joined(Filter::all(parts))
    }

    /// There is always a part.
    fn joined(&self, filter: Option<Filter>) -> Read<Filter> {
        filter.ok_or_else(|| self.unexpected())
    }

    fn one(&mut self, depth: usize) -> Read<Filter> {
        if depth > DEPTH_MAX {
            let why = format!("brackets and `not` are nested deeper than {DEPTH_MAX} levels");
            return Err(ListError::TooLarge { why, at: self.at..self.at });
        }
        let start = self.at;
        if self.takes("not") {
            return Ok(Filter::Not(Box::new(self.one(depth + 1)?)));
        }
        if self.takes_sign(b'(') {
            let filter = self.any(depth + 1)?;
            self.closes(start)?;
            return Ok(filter);
        }
        self.test(depth)
    }

    /// Whether what comes next says what is asked of a member, so that the word before it is one.
    fn is_asked_of_a_member(&self) -> bool {
        OPERATORS.iter().any(|(sign, _)| self.rest().starts_with(sign))
            || (self.is_keyword() && !self.is_a_member())
    }

    fn is_keyword(&self) -> bool {
        KEYWORDS.iter().any(|keyword| self.is_next(keyword))
    }

    /// Whether the word that comes next is itself followed by an operator: then it is a member's name.
    fn is_a_member(&self) -> bool {
        let after = self.rest().get(self.word().len()..).unwrap_or_default().trim_start_matches([' ', '\t']);
        OPERATORS.iter().any(|(sign, _)| after.starts_with(sign))
    }

    fn test(&mut self, depth: usize) -> Read<Filter> {
        let start = self.at;
        let first = self.members.len();
        if first == TESTS_MAX {
            let why = format!("`filter` has more than {TESTS_MAX} tests");
            return Err(ListError::TooLarge { why, at: start..start });
        }
        let name = if self.peek() == Some(b'.') { "." } else { self.word() };
        if name.is_empty() || RESERVED.iter().any(|word| name.eq_ignore_ascii_case(word)) {
            return Err(self.nameless());
        }
        self.at += name.len();
        self.members.push(start..self.at);
        self.skip_blank();
        let mut member = Member(if name == "." { Vec::new() } else { vec![name.to_owned()] });
        let opened = self.at;
        if name != "." && self.peek() == Some(b'(') {
            match self.names_in_brackets() {
                Some(names) => member.0.extend(names),
                None => {
                    self.takes_sign(b'(');
                    let content = self.any(depth + 1)?;
                    self.closes(opened)?;
                    let is = Is::Contains(Box::new(content));
                    return Ok(Filter::Test(Test { member, negated: false, is }));
                }
            }
            if let Some(place) = self.members.get_mut(first) {
                place.end = start + self.text.get(start..self.at).unwrap_or_default().trim_end().len();
            }
        }
        let (negated, is) = self.is(depth)?;
        Ok(Filter::Test(Test { member, negated, is }))
    }

    /// `(b(c))`: names alone, each within the one before it. Steps over them if that is all there is.
    fn names_in_brackets(&mut self) -> Option<Vec<String>> {
        let start = self.at;
        let mut names = Vec::new();
        while self.takes_sign(b'(') {
            let name = self.word();
            if name.is_empty() || names.len() == DEPTH_MAX {
                break;
            }
            self.at += name.len();
            self.skip_blank();
            names.push(name.to_owned());
        }
        let are_closed = names.iter().all(|_| self.takes_sign(b')'));
        if are_closed && !names.is_empty() {
            return Some(names);
        }
        self.at = start;
        None
    }

    /// What is asked of a member, and whether it is the opposite.
    fn is(&mut self, depth: usize) -> Read<(bool, Is)> {
        if let Some((sign, operator)) = OPERATORS.iter().find(|(sign, _)| self.rest().starts_with(sign)) {
            self.at += sign.len();
            self.skip_blank();
            return Ok((false, Is::Compared(*operator, self.value()?)));
        }
        if self.takes("is") {
            let negated = self.takes("not");
            return match self.takes("null") {
                true => Ok((negated, Is::Null)),
                false => {
                    Err(self.malformed("after `is` comes `null` or `not null`; compare values with `=`"))
                }
            };
        }
        let negated = self.takes("not");
        let is = if self.takes("in") {
            Is::In(self.values()?)
        } else if self.takes("between") {
            let low = self.value()?;
            if !self.takes("and") {
                return Err(self.malformed("`between` needs two values: write `between 1 and 2`"));
            }
            Is::Between(low, self.value()?)
        } else if self.takes("like") {
            self.pattern(false)?
        } else if self.takes("ilike") {
            self.pattern(true)?
        } else if self.takes("contains") {
            self.content(depth)?
        } else {
            return Err(self.operatorless());
        };
        Ok((negated, is))
    }

    fn values(&mut self) -> Read<Vec<Value>> {
        let opened = self.at;
        if !self.takes_sign(b'(') {
            return Err(self.malformed("`in` needs its values in brackets: write `in (1, 2)`"));
        }
        let mut values = vec![self.value()?];
        while self.takes_sign(b',') {
            values.push(self.value()?);
        }
        self.closes(opened)?;
        Ok(values)
    }

    fn pattern(&mut self, any_case: bool) -> Read<Is> {
        let start = self.at;
        if !matches!(self.peek(), Some(b'"' | b'\'')) {
            return Err(self.malformed("the text after `like` has to stand in quotes"));
        }
        let pattern = self.quoted()?;
        if pattern.chars().count() > PATTERN_MAX {
            let why = format!("a text after `like` has more than {PATTERN_MAX} characters");
            return Err(ListError::TooLarge { why, at: start..self.at });
        }
        Ok(Is::Like { pattern, any_case })
    }

    fn content(&mut self, depth: usize) -> Read<Is> {
        let opened = self.at;
        if !self.takes_sign(b'(') {
            return match self.is_value(&[]) {
                true => Ok(Is::ContainsValue(self.value()?)),
                // One test needs no brackets; `and` after it is not its own.
                false => Ok(Is::Contains(Box::new(self.one_test(depth + 1)?))),
            };
        }
        if self.is_value(b")") {
            let value = self.value()?;
            self.closes(opened)?;
            return Ok(Is::ContainsValue(value));
        }
        let filter = self.any(depth + 1)?;
        self.closes(opened)?;
        Ok(Is::Contains(Box::new(filter)))
    }

    fn one_test(&mut self, depth: usize) -> Read<Filter> {
        if depth > DEPTH_MAX {
            let why = format!("`contains` is nested deeper than {DEPTH_MAX} levels");
            return Err(ListError::TooLarge { why, at: self.at..self.at });
        }
        self.test(depth)
    }

    /// Whether a value comes next, and not a test. With `ends` a word is a value only if one of these comes after it.
    fn is_value(&self, ends: &[u8]) -> bool {
        let rest = self.rest();
        let second = rest.as_bytes().get(1).copied();
        match self.peek() {
            Some(b'"' | b'\'' | b'+' | b'-') => true,
            Some(b'.') => second.is_some_and(|byte| byte.is_ascii_digit()),
            Some(byte) if byte.is_ascii_alphanumeric() || byte == b'_' => {
                let mut ahead = Parser { text: self.text, at: self.at, members: Vec::new() };
                ahead.at += bare(rest).len();
                ahead.skip_blank();
                match ahead.peek() {
                    next if !ends.is_empty() => next.is_some_and(|next| ends.contains(&next)),
                    Some(b'(') => false,
                    _ => !ahead.is_asked_of_a_member(),
                }
            }
            _ => false,
        }
    }

    fn value(&mut self) -> Read<Value> {
        if matches!(self.peek(), Some(b'"' | b'\'')) {
            return self.quoted().map(Value::Text);
        }
        let start = self.at;
        let text = bare(self.rest());
        self.at += text.len();
        let place = start..self.at;
        self.skip_blank();
        if text.is_empty() {
            return Err(self.valueless());
        }
        if is_number(text) {
            return Ok(Value::Number(text.to_owned()));
        }
        if text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_') {
            return Ok(Value::Word(text.to_owned()));
        }
        let why = format!("`{text}` is neither a number nor a word; write it in quotes");
        Err(ListError::Malformed { why, at: place })
    }

    /// A text in quotes. A backslash takes the meaning from a quote and from a backslash, and stays before all else.
    fn quoted(&mut self) -> Read<String> {
        let start = self.at;
        let mut letters = self.rest().char_indices();
        let Some((_, quote)) = letters.next() else { return Err(self.valueless()) };
        let mut text = String::new();
        while let Some((offset, letter)) = letters.next() {
            match letter {
                _ if letter == quote => {
                    self.at = start + offset + 1;
                    self.skip_blank();
                    return Ok(text);
                }
                '\\' => match letters.clone().next() {
                    Some((_, next @ ('"' | '\'' | '\\'))) => {
                        letters.next();
                        text.push(next);
                    }
                    _ => text.push('\\'),
                },
                other => text.push(other),
            }
        }
        let why = format!("this quote is never closed; add `{quote}`");
        Err(ListError::Malformed { why, at: start..start + 1 })
    }

    /// Where a test has to stand and does not.
    fn nameless(&self) -> ListError {
        match self.peek() {
            None => self.malformed("the text ends too early: a test such as `id = 1` is missing"),
            Some(b')') => self.malformed("a test such as `id = 1` is missing before this bracket"),
            Some(b'"' | b'\'') => self.malformed("the name of a member comes first, without quotes"),
            Some(b'=' | b'<' | b'>' | b'!' | b'^') => {
                self.malformed("the name of a member is missing before this operator")
            }
            Some(_) if !self.word().is_empty() => {
                self.malformed("a test such as `id = 1` is missing before this word")
            }
            _ => self.foreign(),
        }
    }

    fn valueless(&self) -> ListError {
        match self.peek() {
            None => self.malformed("the text ends too early: a value is missing"),
            Some(b')' | b',') => self.malformed("a value is missing here"),
            _ => self.foreign(),
        }
    }

    /// After a member, where something has to be asked of it.
    fn operatorless(&self) -> ListError {
        match self.peek() {
            Some(b'.') => self.malformed("QRadar has no paths in `filter`: write `a(b) = 1`"),
            Some(b'[') => self.malformed("QRadar writes subfields in round brackets: write `a(b) = 1`"),
            _ => self.malformed(
                "an operator is missing: =, !=, <, <=, >, >=, in, between, like, ilike, contains or is null",
            ),
        }
    }

    /// After a whole test.
    fn unexpected(&self) -> ListError {
        match self.peek() {
            Some(b')') => self.malformed("this bracket closes nothing; remove it"),
            Some(byte) if byte.is_ascii_alphanumeric() || byte == b'_' => self.malformed(
                "`and` or `or` is missing before this word; a text of several words stands in quotes",
            ),
            _ => self.foreign(),
        }
    }

    /// A character that has no place in the language.
    fn foreign(&self) -> ListError {
        let why = match self.rest().chars().next() {
            Some('%') => "the value is percent-encoded twice, or needs quotes".to_owned(),
            Some('[' | ']' | '{' | '}') => "QRadar writes subfields and lists in round brackets".to_owned(),
            Some('&') => "tests are joined by `and`".to_owned(),
            Some('|') => "tests are joined by `or`".to_owned(),
            Some(found) => format!(
                "`{}` has no place here; a text with other characters than letters, digits and `_` stands in quotes",
                found.escape_debug()
            ),
            None => "the text ends too early".to_owned(),
        };
        self.malformed(&why)
    }

    /// An error at the character that is next, or at the end.
    fn malformed(&self, why: &str) -> ListError {
        let width = self.rest().chars().next().map_or(0, char::len_utf8);
        ListError::Malformed { why: why.to_owned(), at: self.at..self.at + width }
    }
}

/// The number or word that a text starts with; may be empty. A sign belongs to it at the start and after an `e`.
fn bare(text: &str) -> &str {
    let mut before = None;
    let end = text.bytes().position(|byte| {
        let belongs = match byte {
            b'+' | b'-' => matches!(before, None | Some(b'e' | b'E')) && starts_like_a_number(text),
            b'.' => true,
            _ => byte.is_ascii_alphanumeric() || byte == b'_',
        };
        before = Some(byte);
        !belongs
    });
    text.get(..end.unwrap_or(text.len())).unwrap_or_default()
}

fn starts_like_a_number(text: &str) -> bool {
    text.starts_with(|letter: char| letter.is_ascii_digit() || matches!(letter, '+' | '-' | '.'))
}

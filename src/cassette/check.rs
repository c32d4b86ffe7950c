//! What is wrong with a cassette that was edited by hand, and on which line.

use std::collections::BTreeSet;

use super::customer::{self, Place};
use super::{Cassette, CassetteError, Interaction, MatchKey, Side, canonical, write};
use crate::json::Json;
use crate::profile::Profile;
use crate::redact::customer::Class;
use crate::redact::{Doubt, Part, Redactor, Rules};

/// How much a remark weighs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Weight {
    /// It holds a secret, or would not be found or served as it stands.
    Broken,
    /// It means the same, in another order or layout than faultdeck writes it.
    Layout,
}

/// Something to be put right in a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Remark {
    /// The line, from 1.
    pub line: usize,
    /// How much it weighs.
    pub weight: Weight,
    /// What it is, and never a secret.
    pub text: String,
}

impl Cassette {
    /// What is to be put right in a file with this text, which was read as this cassette; in the order of its lines.
    pub fn check(&self, text: &str, rules: &Rules) -> Vec<Remark> {
        let mut checker = Checker { lines: Lines::of(text), found: Vec::new() };
        self.credentials(rules, &mut checker);
        let mut ids = BTreeSet::new();
        for (index, interaction) in self.interactions.iter().enumerate() {
            checker.doubts(index, interaction, rules);
            checker.customers(index, interaction, rules);
            checker.framing(index, interaction);
            checker.names(index, interaction, &mut ids);
        }
        if checker.found.is_empty() {
            let canonical = self.fixed(rules);
            let expected = write::text(&canonical);
            if let Some(line) = first_difference(text, &expected) {
                let why = "from here on the order or the layout is not as faultdeck writes it (harmless)"
                    .to_owned();
                checker.found.push(Remark { line, weight: Weight::Layout, text: why });
            }
        }
        checker.found.sort_by_key(|remark| remark.line);
        checker.found
    }

    /// The same interactions as faultdeck writes them: redacted by these rules, lengths, ids, order and placeholders right.
    #[must_use]
    pub fn fixed(&self, rules: &Rules) -> Self {
        let mut fixed = self.clone();
        for interaction in &mut fixed.interactions {
            if wrong_length(interaction).is_some() {
                let body = interaction.response.body.clone();
                interaction.response.headers.set("Content-Length", body.len().to_string());
            }
        }
        canonical::canonicalise_by(&mut fixed, Profile::builtin(), rules);
        fixed
    }

    /// Writes the fixed form over the file it was read from. Nothing is written unless every interaction is in it.
    ///
    /// # Errors
    /// If a secret is left, the text would not be read back as the same, or it cannot be written.
    pub fn fix(&self, path: &std::path::Path, rules: &Rules) -> Result<(), CassetteError> {
        let fixed = self.fixed(rules);
        let lost = |message: &str| CassetteError::Invalid {
            path: path.display().to_string(),
            message: message.to_owned(),
            line: 1,
            column: 1,
        };
        let places: Vec<String> = fixed.unredacted_by(rules).iter().map(ToString::to_string).collect();
        if !places.is_empty() {
            return Err(CassetteError::Secret { path: path.display().to_string(), places });
        }
        let read = Self::parse(&path.display().to_string(), &write::text(&fixed))?;
        if read.interactions.len() != self.interactions.len() {
            return Err(lost("an interaction would be lost by rewriting it; the file is as it was"));
        }
        // The file itself, where the name is a link to it.
        let target = std::fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
        let text = write::text(&fixed);
        fixed.check_back(&target, &text)?;
        super::store::write(&target, std::iter::once(text.as_str()))
    }

    fn credentials(&self, rules: &Rules, checker: &mut Checker<'_>) {
        for open in self.unredacted_by(rules) {
            let side = side(open.side);
            let part = match open.open.part {
                Part::Start if open.side == Side::Request => "target".to_owned(),
                Part::Start => "reason".to_owned(),
                Part::Header(place) => format!("headers/{place}"),
                Part::Trailer(place) => format!("trailers/{place}"),
                Part::Body => "body".to_owned(),
            };
            let line = checker
                .lines
                .of_name(&format!("/interactions/{}/{side}/{part}", open.index), &open.open.name);
            let text = format!("a secret: a placeholder should stand in the {side}, at {}", open.open.place);
            checker.found.push(Remark { line, weight: Weight::Broken, text });
        }
    }
}

fn side(side: Side) -> &'static str {
    match side {
        Side::Request => "request",
        Side::Response => "response",
    }
}

struct Checker<'t> {
    lines: Lines<'t>,
    found: Vec<Remark>,
}

impl Checker<'_> {
    fn broken(&mut self, index: usize, part: &str, text: String) {
        let line = self.lines.of_value(&format!("/interactions/{index}/{part}"));
        self.found.push(Remark { line, weight: Weight::Broken, text });
    }

    fn doubts(&mut self, index: usize, interaction: &Interaction, rules: &Rules) {
        let redactor = Redactor::new().with_rules(rules.clone());
        let request = redactor.doubt_request(&interaction.request).map(|doubt| ("request", doubt));
        let response = redactor.doubt_response(&interaction.response).map(|doubt| ("response", doubt));
        for (side, doubt) in request.into_iter().chain(response) {
            let help = if doubt == Doubt::Binary { "" } else { "; --fix cannot mend it" };
            self.broken(index, &format!("{side}/body"), format!("{doubt}{help}"));
        }
    }

    fn customers(&mut self, index: usize, interaction: &Interaction, rules: &Rules) {
        for (of, place, class) in customer::open(interaction, Profile::builtin(), rules) {
            let (part, shown) = match place {
                Place::Target => ("target", "target"),
                Place::Headers => ("headers", "headers"),
                Place::Body => ("body", "body"),
            };
            let what = match class {
                Some(Class::User) => "the name of a user",
                Some(Class::Host) => "the name of a host",
                Some(Class::Address) => "an address",
                Some(Class::Mail) => "a mail address",
                None => "the source of an offense",
            };
            let side = side(of);
            self.broken(index, &format!("{side}/{part}"), format!("{what} stands in the {side}'s {shown}"));
        }
    }

    fn framing(&mut self, index: usize, interaction: &Interaction) {
        if let Some(length) = wrong_length(interaction) {
            let real = interaction.response.body.len();
            let text = format!(
                "Content-Length says {length}, and the body has {real} bytes: no client would read it"
            );
            self.broken(index, "response/headers", text);
        }
        if interaction.request.target.contains('#') {
            let text = "no request would match: a client never sends what follows `#`".to_owned();
            self.broken(index, "request/target", text);
        }
    }

    /// Endpoint and id follow from the request.
    fn names(&mut self, index: usize, interaction: &Interaction, ids: &mut BTreeSet<String>) {
        let request = &interaction.request;
        let found = Profile::builtin().find(&request.method, request.path()).map(|found| found.endpoint);
        let endpoint = found.map(|endpoint| endpoint.id.clone()).unwrap_or_default();
        if *endpoint != *interaction.endpoint {
            let shown = if endpoint.is_empty() { "none that a profile knows" } else { &endpoint };
            self.broken(index, "endpoint", format!("the endpoint of this request is {shown}"));
        }
        let short = found.map_or("opaque", |endpoint| endpoint.short.as_str());
        let stem = format!("{short}-{}-", MatchKey::of(request).hash8());
        let ordinal = interaction.id.strip_prefix(&stem).is_some_and(|rest| rest.parse::<u32>().is_ok());
        if !ordinal {
            let text = format!("the id is stale: the id of this request starts with {stem}");
            self.broken(index, "id", text);
        } else if !ids.insert(interaction.id.clone()) {
            self.broken(index, "id", format!("two interactions have the id {}", interaction.id));
        }
    }
}

/// The recorded length, if it is not the body's and the body is sent.
fn wrong_length(interaction: &Interaction) -> Option<String> {
    let response = &interaction.response;
    let has_none = interaction.request.method == "HEAD" || matches!(response.status, 100..=199 | 204 | 304);
    let length = response.headers.text("Content-Length")?.trim().to_owned();
    (!has_none && length != response.body.len().to_string()).then_some(length)
}

/// The lines of a file's values.
struct Lines<'t> {
    text: &'t str,
    tree: Option<Json<'t>>,
}

impl<'t> Lines<'t> {
    fn of(text: &'t str) -> Self {
        Self { text, tree: Json::parse(text).ok() }
    }

    /// Where in the text a value starts and what it is.
    fn value(&self, pointer: &str) -> (usize, &'t str) {
        let mut pointer = pointer;
        loop {
            if let Some(value) = self.tree.as_ref().and_then(|tree| tree.pointer(pointer)) {
                // A value's own text is a part of the whole: the distance of their starts is its place.
                return (value.text().as_ptr() as usize - self.text.as_ptr() as usize, value.text());
            }
            // What is not written there is told of the value around it.
            let Some((around, _)) = pointer.rsplit_once('/') else { return (0, self.text) };
            pointer = around;
        }
    }

    fn of_value(&self, pointer: &str) -> usize {
        self.at(self.value(pointer).0)
    }

    /// The line of a member of this name within a value, or of the value.
    fn of_name(&self, pointer: &str, name: &str) -> usize {
        let (start, value) = self.value(pointer);
        let member = if name.is_empty() {
            None
        } else {
            value.find(&format!("\"{name}\"")).or_else(|| value.find(name))
        };
        self.at(start + member.unwrap_or(0))
    }

    fn at(&self, offset: usize) -> usize {
        self.text.bytes().take(offset).filter(|byte| *byte == b'\n').count() + 1
    }
}

fn first_difference(one: &str, two: &str) -> Option<usize> {
    if one == two {
        return None;
    }
    let same = one.split('\n').zip(two.split('\n')).take_while(|(one, two)| one == two).count();
    Some(same + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_those_of_the_value_or_of_what_is_around_it() {
        let text = "{\n \"a\": [\n  1,\n  {\"b\":\n 2, \"token\":\n \"x\"}]\n}";
        let lines = Lines::of(text);
        assert_eq!(lines.of_value("/a/0"), 3);
        assert_eq!(lines.of_value("/a/1/b"), 5);
        assert_eq!(lines.of_value("/a/1/no/such"), 4);
        assert_eq!(lines.of_name("/a/1", "token"), 5);
        assert_eq!(first_difference("a\nb\nc", "a\nx\nc"), Some(2));
    }
}

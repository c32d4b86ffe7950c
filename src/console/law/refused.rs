//! What a console has to refuse, and with which status and code.

use super::fields::{names, takes};
use super::{Drawn, Ground};
use crate::console::check::{Check, Finding, obstacle};
use crate::console::place::parameters;
use crate::console::question::{Answer, Question, encoded};
use crate::console::rule::{self, Rule};
use crate::console::whole::{Whole, elements};
use crate::fields::Shape;
use crate::profile::{Endpoint, Language, Parameter, ParameterKind, Source, refused_list};
use crate::seed::Stream;

/// A name that no endpoint has.
const NO_SUCH_NAME: &str = "faultdeck_no_such_name";
/// An id that nothing has, and that any integer column takes.
const NO_SUCH_NUMBER: &str = "2147483646";
/// An id that nothing has, where ids are texts.
const NO_SUCH_TEXT: &str = "00000000-0000-4000-8000-00fa17dec000";
/// A place that any console has.
const ANYWHERE: &str = "/api/help/versions";

/// How a request is made wrong.
#[derive(Clone, Debug)]
enum Wrong {
    Query(&'static str, String),
    RawQuery(&'static str, String),
    Header(&'static str, &'static str),
    Path(String),
    WithoutCredentials,
    Nothing,
}

/// What it is to be answered with.
#[derive(Clone, Debug)]
enum Expected {
    /// This status, and one of these codes; any, if there are none.
    Error(u16, Vec<u32>),
    /// A page of HTML.
    Page,
}

/// A request that is to be refused.
#[derive(Clone, Debug)]
pub(in crate::console) struct Refused {
    rule: &'static Rule,
    wrong: Wrong,
    expected: Expected,
    /// Whether the place is known to be there.
    is_known: bool,
}

impl Refused {
    fn new(rule: &'static Rule, wrong: Wrong, status: u16, codes: &[u32]) -> Self {
        Self { rule, wrong, expected: Expected::Error(status, codes.to_vec()), is_known: true }
    }

    fn expected_text(&self) -> String {
        match &self.expected {
            Expected::Page => "200 and an HTML page".to_owned(),
            Expected::Error(status, codes) if codes.is_empty() => status.to_string(),
            Expected::Error(status, codes) => {
                let named: Vec<String> = codes.iter().map(|code| format!("{status}/{code}")).collect();
                named.join(" or ")
            }
        }
    }

    fn is_met(&self, answer: &Answer) -> bool {
        match &self.expected {
            Expected::Page => answer.status == 200 && answer.content_type.starts_with("text/html"),
            Expected::Error(status, codes) => {
                let has_code = |code: &u32| answer.code() == Some(i128::from(*code));
                answer.status == *status && (codes.is_empty() || codes.iter().any(has_code))
            }
        }
    }
}

impl Check for Refused {
    fn rule(&self) -> &'static Rule {
        self.rule
    }

    fn case(&self) -> String {
        match &self.wrong {
            Wrong::Query(name, value) | Wrong::RawQuery(name, value) => format!("{name}={value}"),
            Wrong::Header(name, value) => format!("{name}: {value}"),
            Wrong::Path(path) => path.clone(),
            Wrong::WithoutCredentials => "no credentials".to_owned(),
            Wrong::Nothing => "nothing".to_owned(),
        }
    }

    fn questions(&self, base: &Question) -> Vec<Question> {
        let base = base.clone();
        vec![match &self.wrong {
            Wrong::Query(name, value) => base.with(name, value),
            Wrong::RawQuery(name, value) => base.with_raw(name, value),
            Wrong::Header(name, value) => base.header(name, value),
            Wrong::Path(path) => Question { path: path.clone(), ..base },
            Wrong::WithoutCredentials => Question { credited: false, ..base },
            Wrong::Nothing => base,
        }]
    }

    fn judge(&self, _whole: Option<&Whole>, answers: &[Answer]) -> Vec<(&'static Rule, Finding)> {
        let Some(answer) = answers.first() else { return Vec::new() };
        let finding = match obstacle(answer) {
            _ if self.is_met(answer) => Finding::Holds,
            Some(finding) => finding,
            None if !self.is_known
                && (answer.status == 404 && answer.code().is_none_or(|code| code == 4)) =>
            {
                let why = format!("whether this console has the endpoint is not known ({})", answer.named());
                Finding::NotReached(why)
            }
            None => Finding::answered(answer.named(), self.expected_text()),
        };
        vec![(self.rule, finding)]
    }
}

/// Tests of the console as a whole, each with nothing but its own request.
pub(in crate::console) fn once() -> Vec<Refused> {
    let outside = format!("/{NO_SUCH_NAME}");
    let page =
        Refused { expected: Expected::Page, ..Refused::new(&rule::OUTSIDE, Wrong::Path(outside), 200, &[]) };
    vec![
        Refused::new(&rule::NO_SUCH_PATH, Wrong::Path(format!("/api/{NO_SUCH_NAME}/x")), 404, &[4]),
        page,
        Refused::new(&rule::VERSION_MALFORMED, Wrong::Header("Version", "322.0123"), 422, &[]),
        Refused::new(&rule::VERSION_REMOVED, Wrong::Header("Version", REMOVED), 422, &[]),
        Refused::new(&rule::NO_CREDENTIALS, Wrong::WithoutCredentials, 401, &[18]),
    ]
}

/// A version that every console of today has taken out (seen).
const REMOVED: &str = "3.0";

/// The plain request that those are made of.
pub(in crate::console) fn anywhere() -> Question {
    Question::get(ANYWHERE).header("Accept", "application/json")
}

/// The last parameter of an endpoint's path, if the path ends with one.
fn last_parameter(endpoint: &Endpoint) -> Option<&Parameter> {
    let name = endpoint.template.rsplit('/').next()?.strip_prefix('{')?.strip_suffix('}')?;
    let of_path = |parameter: &&Parameter| parameter.kind == ParameterKind::Path && parameter.name == name;
    endpoint.parameters.iter().find(of_path)
}

/// A query parameter that a request has to have.
pub(in crate::console) fn needed(endpoint: &Endpoint) -> Option<&Parameter> {
    let is_needed =
        |it: &&Parameter| it.required && matches!(it.kind, ParameterKind::Query | ParameterKind::Header);
    endpoint.parameters.iter().find(is_needed)
}

/// The path of the place with another last segment; whatever else the path needs may be made up, too.
fn with_last(base: &Question, last: &str) -> String {
    let front = base.path.rsplit_once('/').map_or("", |(front, _)| front);
    format!("{front}/{}", encoded(last))
}

pub(super) fn no_such_id(ground: &Ground<'_>, _stream: &mut Stream) -> Drawn {
    let endpoint = ground.endpoint;
    let (Some(parameter), true) =
        (last_parameter(endpoint), endpoint.errors.iter().any(|error| error.status == 404))
    else {
        return Drawn::NotApplicable;
    };
    if needed(endpoint).is_some() {
        return Drawn::NotReached("it needs a parameter that nobody named");
    }
    let codes: Vec<u32> =
        endpoint.errors.iter().filter(|error| error.status == 404).map(|error| error.code).collect();
    let is_number = parameter.is_integer();
    let path = with_last(ground.base, if is_number { NO_SUCH_NUMBER } else { NO_SUCH_TEXT });
    let refused = Refused {
        is_known: ground.whole.is_some(),
        ..Refused::new(&rule::NO_SUCH_ID, Wrong::Path(path), 404, &codes)
    };
    let is_alone = ground.whole.is_some() || parameters(&endpoint.template) == 1;
    Drawn::check(NoSuchId { refused, is_number, is_alone, others: refusals(endpoint) })
}

/// The codes of the other refusals that a page has for a request, 422 among them.
fn refusals(endpoint: &Endpoint) -> Vec<(u16, u32)> {
    let others = endpoint.errors.iter().filter(|error| error.status != 404);
    others.map(|error| (error.status, error.code)).collect()
}

/// An id that nothing has.
#[derive(Debug)]
struct NoSuchId {
    refused: Refused,
    is_number: bool,
    /// Whether nothing else in the path was made up.
    is_alone: bool,
    /// What else the page says this endpoint refuses with.
    others: Vec<(u16, u32)>,
}

impl Check for NoSuchId {
    fn rule(&self) -> &'static Rule {
        self.refused.rule
    }

    fn case(&self) -> String {
        self.refused.case()
    }

    fn questions(&self, base: &Question) -> Vec<Question> {
        self.refused.questions(base)
    }

    fn judge(&self, whole: Option<&Whole>, answers: &[Answer]) -> Vec<(&'static Rule, Finding)> {
        let mut found = self.refused.judge(whole, answers);
        let Some(answer) = answers.first() else { return found };
        let is_other = self
            .others
            .iter()
            .any(|(status, code)| *status == answer.status && answer.code() == Some(i128::from(*code)));
        // Of a text nobody knows whether it could be an id at all, or is one.
        let is_no_id = !self.is_number && (answer.status == 422 || answer.is_success());
        let is_above = !self.is_alone && matches!(found.first(), Some((_, Finding::Departs(_))));
        if is_other || is_no_id || is_above {
            let why = format!("the made-up id is answered with {}", answer.named());
            found = vec![(self.refused.rule, Finding::NotReached(why))];
        }
        found
    }
}

pub(super) fn not_an_integer(ground: &Ground<'_>, _stream: &mut Stream) -> Drawn {
    match last_parameter(ground.endpoint) {
        Some(parameter) if parameter.is_integer() && needed(ground.endpoint).is_none() => {
            let path = with_last(ground.base, "seven");
            let is_known = ground.whole.is_some();
            let refused = Refused::new(&rule::NOT_AN_INTEGER, Wrong::Path(path), 422, &[11]);
            Drawn::check(Refused { is_known, ..refused })
        }
        _ => Drawn::NotApplicable,
    }
}

pub(super) fn missing(ground: &Ground<'_>, _stream: &mut Stream) -> Drawn {
    match needed(ground.endpoint) {
        Some(_) => {
            let refused = Refused::new(&rule::MISSING, Wrong::Nothing, 422, &[8]);
            Drawn::check(Refused { is_known: false, ..refused })
        }
        None => Drawn::NotApplicable,
    }
}

/// A place that is there and takes `fields`.
fn of_fields(ground: &Ground<'_>) -> Result<(), Drawn> {
    match (takes(ground.endpoint), ground.whole) {
        (false, _) => Err(Drawn::NotApplicable),
        (true, None) => Err(Drawn::NotReached("it is not known to be there")),
        (true, Some(_)) => Ok(()),
    }
}

/// The shape of a place: what it answers, else what its page shows.
fn shape(ground: &Ground<'_>) -> Shape {
    let seen = ground.whole.map_or(Shape::Any, Whole::shape);
    if names(&seen).is_empty() { ground.endpoint.shape.clone() } else { seen }
}

fn a_name(ground: &Ground<'_>) -> Option<String> {
    names(&shape(ground)).first().map(|(name, _)| (*name).to_owned())
}

fn wrong_fields(
    ground: &Ground<'_>,
    rule: &'static Rule,
    codes: &[u32],
    text: impl FnOnce(&str) -> Option<String>,
) -> Drawn {
    if let Err(other) = of_fields(ground) {
        return other;
    }
    let Some(text) = a_name(ground).and_then(|name| text(&name)) else {
        return Drawn::NotReached("no field of it is known");
    };
    Drawn::check(Refused::new(rule, Wrong::Query("fields", text), 422, codes))
}

pub(super) fn unknown_field(ground: &Ground<'_>, _stream: &mut Stream) -> Drawn {
    wrong_fields(ground, &rule::FIELDS_UNKNOWN, &[30], |_| Some(NO_SUCH_NAME.to_owned()))
}

pub(super) fn named_twice(ground: &Ground<'_>, _stream: &mut Stream) -> Drawn {
    wrong_fields(ground, &rule::FIELDS_TWICE, &[31], |name| Some(format!("{name},{name}")))
}

pub(super) fn twice_and_unknown(ground: &Ground<'_>, _stream: &mut Stream) -> Drawn {
    let text = |name: &str| Some(format!("{NO_SUCH_NAME},{name},{name}"));
    wrong_fields(ground, &rule::FIELDS_TWICE_FIRST, &[31], text)
}

pub(super) fn malformed_fields(ground: &Ground<'_>, stream: &mut Stream) -> Drawn {
    let text = |name: &str| {
        let all = [
            format!("{name}("),
            format!("{name})"),
            format!(",{name}"),
            format!("{name},"),
            format!("{name}()"),
            format!("[{name}]"),
            format!("({name})"),
            format!("{name}."),
        ];
        all.get(stream.below(all.len() as u64) as usize).cloned()
    };
    wrong_fields(ground, &rule::FIELDS_MALFORMED, &[31], text)
}

pub(super) fn of_a_scalar(ground: &Ground<'_>, _stream: &mut Stream) -> Drawn {
    if let Err(other) = of_fields(ground) {
        return other;
    }
    let shape = shape(ground);
    // Null may stand for an object: only a number or a truth value surely has nothing below it.
    let values = ground.whole.and_then(Whole::json);
    let is_plain = |name: &str| {
        values.as_ref().is_some_and(|json| {
            let held: Vec<_> = elements(json).iter().filter_map(|it| it.member(name)).collect();
            !held.is_empty()
                && held.iter().all(|it| !it.is_null() && it.members().is_empty() && it.elements().is_empty())
        })
    };
    let named =
        names(&shape).into_iter().find(|(name, below)| matches!(below, Shape::Scalar(_)) && is_plain(name));
    match named {
        Some((name, _)) => {
            let text = format!("{name}({NO_SUCH_NAME})");
            Drawn::check(Refused::new(&rule::FIELDS_SCALAR, Wrong::Query("fields", text), 422, &[30]))
        }
        None => Drawn::NotReached("none of its fields is known to be a plain value"),
    }
}

pub(super) fn encoded_twice(ground: &Ground<'_>, _stream: &mut Stream) -> Drawn {
    if let Err(other) = of_fields(ground) {
        return other;
    }
    let shape = shape(ground);
    let [(one, _), (two, _), ..] = names(&shape)[..] else {
        return Drawn::NotReached("fewer than two fields of it are known");
    };
    let raw = format!("{one}%252C{two}");
    Drawn::check(Refused::new(&rule::FIELDS_ENCODED_TWICE, Wrong::RawQuery("fields", raw), 422, &[31]))
}

/// A `filter` or `sort` that the endpoint has to refuse as its page says, or as most pages say.
fn wrong_list(
    ground: &Ground<'_>,
    language: Language,
    (published, guessed): (&'static Rule, &'static Rule),
    text: String,
) -> Drawn {
    if !language.is_taken_by(ground.endpoint) {
        return Drawn::NotApplicable;
    }
    if ground.whole.is_none() {
        return Drawn::NotReached("it is not known to be there");
    }
    let (_, named, source) = refused_list(ground.endpoint, language, &text, "");
    let code: Option<u32> = named.split_once('/').and_then(|(_, code)| code.parse().ok());
    let rule = if source == Source::Documented { published } else { guessed };
    let codes: Vec<u32> = code.into_iter().collect();
    Drawn::check(Refused::new(rule, Wrong::Query(language.name(), text), 422, &codes))
}

pub(super) fn filter_malformed(ground: &Ground<'_>, stream: &mut Stream) -> Drawn {
    let name = a_name(ground).unwrap_or_else(|| "id".to_owned());
    let all = [
        format!("{name} ="),
        format!("({name} = 1"),
        format!("{name} = 1 and"),
        format!("{name} in ()"),
        format!("{name} 1"),
        "= 1".to_owned(),
    ];
    let text = all.get(stream.below(all.len() as u64) as usize).cloned().unwrap_or_default();
    wrong_list(ground, Language::Filter, (&rule::FILTER_MALFORMED, &rule::FILTER_MALFORMED_GUESSED), text)
}

pub(super) fn filter_unknown(ground: &Ground<'_>, _stream: &mut Stream) -> Drawn {
    if names(&ground.endpoint.shape).is_empty() {
        return Drawn::NotApplicable;
    }
    let text = format!("{NO_SUCH_NAME} = 1");
    wrong_list(ground, Language::Filter, (&rule::FILTER_UNKNOWN, &rule::FILTER_UNKNOWN), text)
}

pub(super) fn sort_malformed(ground: &Ground<'_>, stream: &mut Stream) -> Drawn {
    let name = a_name(ground).unwrap_or_else(|| "id".to_owned());
    let all = [format!("+{name},"), format!("++{name}"), format!("+{name}("), "+".to_owned()];
    let text = all.get(stream.below(all.len() as u64) as usize).cloned().unwrap_or_default();
    wrong_list(ground, Language::Sort, (&rule::SORT_MALFORMED, &rule::SORT_MALFORMED_GUESSED), text)
}

fn wrong_range(ground: &Ground<'_>, rule: &'static Rule, text: &'static str) -> Drawn {
    match (ground.endpoint.takes_range(), ground.whole) {
        (false, _) => Drawn::NotApplicable,
        (true, None) => Drawn::NotReached("it is not known to be there"),
        (true, Some(_)) => Drawn::check(Refused::new(rule, Wrong::Header("Range", text), 422, &[36])),
    }
}

pub(super) fn range_malformed(ground: &Ground<'_>, stream: &mut Stream) -> Drawn {
    const ALL: [&str; 5] = ["items=a-b", "items=5", "bytes=0-4", "items=", "items=0"];
    let text = ALL.get(stream.below(ALL.len() as u64) as usize).copied().unwrap_or("items=a-b");
    wrong_range(ground, &rule::RANGE_MALFORMED, text)
}

pub(super) fn range_negative(ground: &Ground<'_>, _stream: &mut Stream) -> Drawn {
    wrong_range(ground, &rule::RANGE_NEGATIVE, "items=-3-4")
}

pub(super) fn range_backwards(ground: &Ground<'_>, _stream: &mut Stream) -> Drawn {
    wrong_range(ground, &rule::RANGE_BACKWARDS, "items=4-0")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::console::whole::tests::{answer, whole};
    use crate::profile::Profile;
    use crate::seed::Seed;

    const CASE: &str = "GET /forensics/case_management/cases/{id}";

    fn no_such(base: &str, known: bool, came: &Answer) -> Finding {
        let (resource, base) = (whole("{\"id\":7}"), Question::get(base));
        let endpoint = Profile::builtin().endpoint(CASE).unwrap();
        let ground = Ground { endpoint, whole: known.then_some(&resource), base: &base };
        let Drawn::Check(check) = no_such_id(&ground, &mut Seed(1).stream(&["x"])) else {
            panic!("no check")
        };
        assert_eq!(check.questions(&base)[0].path, "/api/forensics/case_management/cases/2147483646");
        check.judge(None, std::slice::from_ref(came)).remove(0).1
    }

    #[test]
    fn an_id_that_is_not_there_is_the_404_of_the_page_and_nothing_else() {
        let base = "/api/forensics/case_management/cases/7";
        assert_eq!(no_such(base, true, &answer(404, r#"{"code":1002}"#)), Finding::Holds);
        for (status, code) in [(404, 1001), (404, 4), (200, 0), (422, 11), (400, 7)] {
            let came = answer(status, &format!("{{\"code\":{code}}}"));
            assert!(matches!(no_such(base, true, &came), Finding::Departs(_)), "{status}/{code}");
        }
        // A console without the endpoint, a token without the right, a console in trouble, a recording.
        assert!(matches!(no_such(base, false, &answer(404, r#"{"code":4}"#)), Finding::NotReached(_)));
        assert!(matches!(no_such(base, true, &answer(403, r#"{"code":26}"#)), Finding::NotReached(_)));
        assert!(matches!(no_such(base, true, &answer(503, "{}")), Finding::Unclear(_)));
        assert!(matches!(no_such(base, true, &answer(501, "{}")), Finding::NotReached(_)));
        // What stands above it was made up, too: nobody knows which of the two is answered.
        let endpoint =
            Profile::builtin().endpoint("GET /siem/offenses/{offense_id}/notes/{note_id}").unwrap();
        let above = Question::get("/api/siem/offenses/2147483646/notes/2147483646");
        let ground = Ground { endpoint, whole: None, base: &above };
        let Drawn::Check(check) = no_such_id(&ground, &mut Seed(1).stream(&["x"])) else {
            panic!("no check")
        };
        let found = check.judge(None, &[answer(404, r#"{"code":77}"#)]).remove(0).1;
        assert!(matches!(found, Finding::NotReached(_)), "{found:?}");
        // The page has it for any request.
        assert!(matches!(no_such(base, true, &answer(500, r#"{"code":1020}"#)), Finding::NotReached(_)));
    }

    #[test]
    fn a_filter_that_no_page_has_a_code_for_is_a_guess() {
        let profile = Profile::builtin();
        let list = whole("[{\"id\":7}]");
        let base = Question::get("/x");
        for (id, rule) in [
            ("GET /forensics/case_management/cases", "filter-malformed-elsewhere"),
            ("GET /siem/offenses", "filter-malformed"),
        ] {
            let endpoint = profile.endpoint(id).unwrap();
            let ground = Ground { endpoint, whole: Some(&list), base: &base };
            let Drawn::Check(check) = filter_malformed(&ground, &mut Seed(1).stream(&["x"])) else {
                panic!("no check of {id}")
            };
            assert_eq!(check.judge(None, &[answer(200, "[]")])[0].0.id, rule);
        }
    }
}

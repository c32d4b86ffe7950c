//! Lists and items as the API answers them: filtered, put in order, cut to the range asked for, projected.

use super::{Admitted, Endpoint, ParameterKind, Source, error_response};
use crate::fields::FieldSelector;
use crate::json::Json;
use crate::lists::{Asked, Filter, ListError, Sort};
use crate::message::{Request, Response};

/// A parameter that holds a text in a language of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Language {
    /// Which elements.
    Filter,
    /// In which order.
    Sort,
}

impl Language {
    /// The parameter's name.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Filter => "filter",
            Self::Sort => "sort",
        }
    }

    /// The codes of the endpoints that document one for it, the more telling first.
    fn usual(self) -> [u32; 2] {
        match self {
            Self::Filter => [1010, 1005],
            Self::Sort => [1015, 1030],
        }
    }

    /// Whether an endpoint takes it in the query.
    pub(crate) fn is_taken_by(self, endpoint: &Endpoint) -> bool {
        endpoint.parameter(ParameterKind::Query, self.name()).is_some()
    }

    /// What an endpoint answers to a text that is wrong: its documented 422 for this language; else one of its own, the
    /// one whose text names the parameter, or the last by number (inferred); else the usual one (inferred).
    fn refusal(self, endpoint: &Endpoint) -> (u32, &str, Source) {
        let documented = self.usual().into_iter().find_map(|code| endpoint.error(422, code));
        if let Some(error) = documented {
            return (error.code, &error.description, Source::Documented);
        }
        let others = [Self::Filter.usual(), Self::Sort.usual()].concat();
        let own = || endpoint.errors.iter().filter(|row| row.status == 422 && !others.contains(&row.code));
        let named = own().find(|row| row.description.to_ascii_lowercase().contains(self.name()));
        match named.or_else(|| own().max_by_key(|row| row.code)) {
            Some(error) => (error.code, &error.description, Source::Inferred),
            None => (self.usual()[0], "", Source::Inferred),
        }
    }
}

/// The refusal of a `filter` or `sort`: the answer, its rule (`422/1010`), and what that rests on. The message is ours.
pub(crate) fn refused_list(
    endpoint: &Endpoint,
    language: Language,
    text: &str,
    why: &str,
) -> (Response, String, Source) {
    let (code, description, source) = language.refusal(endpoint);
    let message = format!("{} parameter value \"{text}\" was invalid: {why}", language.name());
    (error_response(422, code, description, &message), format!("422/{code}"), source)
}

/// The answer of a list endpoint to an admitted request: what its `filter`, `sort`, `Range` and `fields` leave of
/// `elements`, which are all there are.
pub(crate) fn answer_list(elements: &[String], admitted: &Admitted<'_>, request: &Request) -> Response {
    let endpoint = admitted.matched.endpoint;
    let elements: Vec<Json<'_>> = elements.iter().filter_map(|text| Json::parse(text).ok()).collect();
    let text = |language: Language| request.param(language.name()).filter(|_| language.is_taken_by(endpoint));
    let refused = |language, text: &str, why: &str| refused_list(endpoint, language, text, why).0;
    let filter_text = text(Language::Filter).unwrap_or_default();
    let filter = match read_filter(endpoint, &filter_text, &elements) {
        Ok(filter) => filter,
        Err(error) => return refused(Language::Filter, &filter_text, &error.to_string()),
    };
    let sort_text = text(Language::Sort).unwrap_or_default();
    let sort = match read_sort(endpoint, &sort_text, &elements) {
        Ok(sort) => sort,
        Err(error) => return refused(Language::Sort, &sort_text, &error.to_string()),
    };
    let asked = Asked {
        filter: filter.as_ref(),
        sort: sort.as_ref(),
        window: admitted.range,
        selector: admitted.selector.as_ref(),
    };
    let listed = asked.of(&elements);
    let mut response = Response::json(200, listed.body);
    if let Some(shown) = listed.content_range {
        response.headers.push("Content-Range", shown);
    }
    response
}

/// A member that no element has may still be one of the page's; one that neither has is unknown.
fn read_filter(endpoint: &Endpoint, text: &str, elements: &[Json<'_>]) -> Result<Option<Filter>, ListError> {
    let Some(filter) = Filter::parse(text)? else { return Ok(None) };
    let unknown = filter.check(&endpoint.shape);
    match filter.suits(elements, &|_| false) {
        Err(ListError::Absent { .. }) => unknown?,
        Err(error) => return Err(error),
        Ok(()) if elements.is_empty() => unknown?,
        Ok(()) => {}
    }
    Ok(Some(filter.spelt_for(&endpoint.shape)))
}

fn read_sort(endpoint: &Endpoint, text: &str, elements: &[Json<'_>]) -> Result<Option<Sort>, ListError> {
    let Some(sort) = Sort::parse(text)? else { return Ok(None) };
    let unknown = sort.check(&endpoint.shape);
    match sort.suits(elements) {
        Err(ListError::Absent { .. }) => unknown?,
        Err(error) => return Err(error),
        Ok(()) if elements.is_empty() => unknown?,
        Ok(()) => {}
    }
    Ok(Some(sort))
}

/// One element, projected.
pub(crate) fn item_response(status: u16, text: &str, selector: Option<&FieldSelector>) -> Response {
    let body = match (selector, Json::parse(text)) {
        (Some(selector), Ok(value)) => selector.project(&value),
        _ => text.to_owned(),
    };
    Response::json(status, body)
}

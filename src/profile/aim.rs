//! Which requests are meant, as a scenario and `--allow-writes` write it.
//!
//! An endpoint by name (`cases.post`, `GET /siem/offenses`), or a method and a path that no profile need know, with or
//! without `/api`: `POST //api/x`, `POST /auth/logout`. A parameter in braces or `*` is any segment, `**` any number of
//! them; a method alone, or `*` for one, is any. A name that fits nothing known and has no `/api` is a slip.

use percent_encoding::percent_decode_str;

use super::endpoint::is_parameter;
use super::{NameError, Profile};

/// One segment, whatever it is.
const ONE: &str = "*";
/// Any number of segments.
const MANY: &str = "**";
/// A pattern has at most so many segments: what it costs is that many looks at each segment of a request.
const SEGMENTS_MAX: usize = 64;

impl Profile {
    /// The one text for an aim: the full id of an endpoint, else method and path with `*` for a parameter.
    ///
    /// # Errors
    /// If it is no name, and neither a path of requests nor one that any endpoint fits.
    pub fn aim(&self, text: &str) -> Result<String, NameError> {
        let (method, path) = match text.split_once(' ') {
            Some((method, path)) => match self.endpoint(text) {
                Some(endpoint) => return Ok(endpoint.id.clone()),
                None => (method, path.trim()),
            },
            None => match self.by_name(text) {
                Ok(endpoint) => return Ok(endpoint.id.clone()),
                Err(_) if is_method(text) => (text, "/**"),
                Err(error) => return Err(error),
            },
        };
        let is_short = path.split('/').count() <= SEGMENTS_MAX;
        if !is_method(method) || !path.starts_with('/') || path.contains(char::is_whitespace) || !is_short {
            return Err(self.unknown(text));
        }
        if let Some(id) = self.ids().find(|id| same_template(id, method, without_api(path))) {
            return Ok(id.to_owned());
        }
        let aim = format!("{method} {}", wild(path));
        let root = path.split('/').nth(1).unwrap_or_default();
        let is_sure = root == "api" || root.is_empty() || root.contains('*') || !self.has_root(root);
        if is_sure || (path.contains(['*', '{']) && self.ids().any(|id| hits(&aim, id, id))) {
            return Ok(aim);
        }
        // What is near is looked for here alone: it costs a look at every name.
        Err(self.unknown(text))
    }
}

/// Whether a request is meant: `place` is its endpoint's full id, or method and path where no profile knows it; `asked`
/// is method and raw path as sent.
pub(crate) fn hits(aim: &str, place: &str, asked: &str) -> bool {
    if aim == place || aim == asked {
        return true;
    }
    // A parameter in braces is left in the ids of endpoints alone.
    !aim.contains('{') && (fits(aim, place) || fits(aim, asked))
}

/// Whether `text` is `pattern`, in which `*` is any part of it, of any length. Without recursion, as [`all_fit`].
pub(crate) fn wildcard(pattern: &str, text: &str) -> bool {
    let mut parts = pattern.split('*');
    let Some(mut rest) = parts.next().and_then(|start| text.strip_prefix(start)) else { return false };
    let Some(end) = pattern.rsplit_once('*').map(|(_, end)| end) else { return rest.is_empty() };
    let between: Vec<&str> = parts.collect();
    for part in between.iter().take(between.len().saturating_sub(1)) {
        let Some((_, after)) = rest.split_once(part) else { return false };
        rest = after;
    }
    rest.ends_with(end)
}

fn is_method(text: &str) -> bool {
    text == ONE || (!text.is_empty() && text.bytes().all(|byte| byte.is_ascii_uppercase()))
}

fn without_api(path: &str) -> &str {
    path.strip_prefix("/api").filter(|rest| rest.starts_with('/')).unwrap_or(path)
}

/// Whether an endpoint has this method and path, whatever its parameters are called.
fn same_template(id: &str, method: &str, path: &str) -> bool {
    let Some((known, template)) = id.split_once(' ') else { return false };
    let alike = |(one, two): (&str, &str)| one == two || (is_parameter(one) && is_parameter(two));
    known == method
        && template.split('/').count() == path.split('/').count()
        && template.split('/').zip(path.split('/')).all(alike)
}

fn wild(path: &str) -> String {
    let segments = path.split('/').map(|segment| if is_parameter(segment) { ONE } else { segment });
    segments.collect::<Vec<_>>().join("/")
}

fn fits(aim: &str, request: &str) -> bool {
    let (Some((method, path)), Some((asked, target))) = (aim.split_once(' '), request.split_once(' ')) else {
        return false;
    };
    let segments = |path: &'_ str| -> Vec<String> {
        without_api(path)
            .split('/')
            .map(|segment| percent_decode_str(segment).decode_utf8_lossy().into())
            .collect()
    };
    (method == ONE || method == asked) && all_fit(&segments(path), &segments(target))
}

/// Segment by segment; with `**`, whichever number it stands for. Without recursion: the last `**` is the only one that
/// need ever stand for more.
fn all_fit(aim: &[String], found: &[String]) -> bool {
    let (mut at, mut here) = (0, 0);
    let mut many: Option<(usize, usize)> = None;
    while here < found.len() {
        match aim.get(at).map(String::as_str) {
            Some(MANY) => {
                many = Some((at, here));
                at += 1;
            }
            Some(segment) if segment == ONE && !found.get(here).is_none_or(String::is_empty) => {
                (at, here) = (at + 1, here + 1);
            }
            Some(segment) if found.get(here).is_some_and(|found| found == segment) => {
                (at, here) = (at + 1, here + 1);
            }
            _ => {
                let Some((star, from)) = many else { return false };
                many = Some((star, from + 1));
                (at, here) = (star + 1, from + 1);
            }
        }
    }
    aim.get(at..).is_none_or(|rest| rest.iter().all(|segment| segment == MANY))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn aim(text: &str) -> String {
        Profile::builtin().aim(text).unwrap()
    }

    #[test]
    fn a_name_or_a_template_of_a_known_endpoint_is_that_endpoint() {
        let search = "DELETE /ariel/searches/{search_id}";
        for text in
            [search, "ariel/searches.delete", "DELETE /api/ariel/searches/{id}", "DELETE /ariel/searches/{x}"]
        {
            assert_eq!(aim(text), search, "{text}");
        }
    }

    #[test]
    fn what_no_profile_knows_is_a_method_and_a_path() {
        for (text, canonical) in [
            ("POST //api/x", "POST //api/x"),
            ("POST /console/{name}/do", "POST /console/*/do"),
            ("POST /api/reference_data/sets/bulk_load/{name}", "POST /api/reference_data/sets/bulk_load/*"),
            ("DELETE /ariel/**", "DELETE /ariel/**"),
            ("DELETE", "DELETE /**"),
            ("* /api/siem/offenses", "* /api/siem/offenses"),
        ] {
            assert_eq!(aim(text), canonical);
        }
        for slip in
            ["GET /siem/ofenses", "GET /siem/ofenses/*", "casespost", "get /siem/offenses", "GET siem", "GET"]
        {
            let found = Profile::builtin().aim(slip);
            assert!(found.is_err() || slip == "GET", "{slip}: {found:?}");
        }
    }

    #[test]
    fn a_request_is_meant_by_its_endpoint_its_path_or_a_pattern_of_either() {
        let (place, asked) = ("DELETE /ariel/searches/{search_id}", "DELETE /api/ariel/searches/a%2Fb");
        for text in [
            "ariel/searches.delete",
            "DELETE /ariel/searches/*",
            "DELETE /api/ariel/**",
            "DELETE",
            "* /ariel/**",
            "* /**",
            "DELETE /api/ariel/searches/a%2fb",
            "DELETE /**/searches/*",
        ] {
            assert!(hits(&aim(text), place, asked), "{text}");
        }
        for text in [
            "POST",
            "DELETE /ariel/lookups/*",
            "* /siem/**",
            "DELETE /api/ariel/searches/other",
            "ariel/searches.get",
        ] {
            assert!(!hits(&aim(text), place, asked), "{text}");
        }
        let outside = "POST /auth/logout";
        assert!(hits(&aim(outside), outside, outside) && hits(&aim("* /auth/*"), outside, outside));
        assert!(!hits(&aim("POST /api/x/*"), "POST //api/x/1", "POST //api/x/1"));
        // A template is its endpoint, and no pattern for others.
        let set = aim("GET /reference_data/sets/{name}");
        assert!(!hits(&set, "GET /reference_data/sets/bulk", "GET /api/reference_data/sets/bulk"));
    }

    #[test]
    fn a_star_in_a_text_is_any_part_of_it() {
        for (pattern, text) in
            [("a", "a"), ("*", ""), ("a*", "a"), ("a*c", "abc"), ("*b*", "abc"), ("a*b*c", "axbbc")]
        {
            assert!(wildcard(pattern, text), "{pattern} {text}");
        }
        for (pattern, text) in [("a", "ab"), ("", "a"), ("a*a", "a"), ("*b*c", "abd"), ("a*b*c", "acb")] {
            assert!(!wildcard(pattern, text), "{pattern} {text}");
        }
    }

    #[test]
    fn a_pattern_costs_little_whatever_it_is_held_against() {
        let many = "/**/a".repeat(31);
        let long = format!("GET {}", "/a".repeat(30_000));
        assert!(hits(&aim(&format!("GET {many}")), &long, &long));
        assert!(!hits(&aim(&format!("GET {many}/b")), &long, &long));
        assert!(Profile::builtin().aim(&format!("GET {many}{many}{many}")).is_err(), "too long");
    }
}

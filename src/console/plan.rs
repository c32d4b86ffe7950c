//! What of a console is put to the test, and within which limits.

use std::sync::Arc;
use std::time::Duration;

use super::question::Question;
use crate::profile::{Endpoint, NameError, Profile, wildcard};
use crate::redact::Redactor;
use crate::seed::Seed;

/// Says how a question is asked again by hand, without the token.
pub type Ask = dyn Fn(&Question) -> String + Send + Sync;

/// What is said on the way.
pub type Tell<'a> = &'a (dyn Fn(Progress) + Send + Sync);

/// Something to say on the way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Progress {
    /// Which version is sent; none, if the console names none that the profiles describe.
    Version(Option<String>),
    /// So many of the endpoints were asked plainly, and so many of them are there.
    Looked {
        /// Asked.
        asked: usize,
        /// Of how many.
        of: usize,
        /// There.
        there: usize,
    },
    /// So many rounds are over: in each, every place is put to one kind of test.
    Round {
        /// Over.
        done: usize,
        /// Of how many.
        of: usize,
    },
    /// A rule was found broken: it is made smaller and confirmed.
    Departs {
        /// The rule.
        rule: &'static str,
        /// Where.
        endpoint: String,
    },
    /// The console asks for patience.
    Waits(Duration),
}

/// What is put to the test.
#[derive(Clone)]
pub struct Plan {
    /// The endpoints, all of them read by GET.
    pub endpoints: Vec<&'static Endpoint>,
    /// Paths of resources that are there: `/api/forensics/case_management/case_create_tasks/42`.
    pub resources: Vec<String>,
    /// How many cases are drawn for each kind of test and place.
    pub cases: u32,
    /// Where all draws come from.
    pub seed: Seed,
    /// How many requests a second, at most.
    pub rate: u32,
    /// How many requests in all, at most.
    pub requests: u32,
    /// How long in all, at most.
    pub time: Duration,
    /// Every text that is kept goes through it.
    pub redactor: Redactor,
    /// How a question is asked by hand.
    pub ask: Arc<Ask>,
}

impl std::fmt::Debug for Plan {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Plan")
            .field("endpoints", &self.endpoints.len())
            .field("resources", &self.resources)
            .field("cases", &self.cases)
            .field("seed", &self.seed)
            .finish_non_exhaustive()
    }
}

/// Why an argument chooses no endpoint.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Chosen {
    /// No endpoint is called so.
    #[error(transparent)]
    Name(#[from] NameError),
    /// The endpoint does not read.
    #[error("`{0}` changes things on a console: only GET is ever sent")]
    Writes(String),
    /// Nothing fits.
    #[error("no endpoint that is read by GET fits `{0}`")]
    Nothing(String),
}

/// The endpoints that these arguments name: a full id, a short name, or a pattern in which `*` is any part of either;
/// every GET, if there are none.
///
/// # Errors
/// If one names nothing, or an endpoint that is no GET.
pub fn chosen(profile: &'static Profile, arguments: &[String]) -> Result<Vec<&'static Endpoint>, Chosen> {
    let reads = || profile.endpoints().filter(|endpoint| endpoint.method == "GET");
    if arguments.is_empty() {
        return Ok(reads().collect());
    }
    let mut found: Vec<&'static Endpoint> = Vec::new();
    for argument in arguments {
        let fitting: Vec<&'static Endpoint> = match argument.contains('*') {
            true => reads()
                .filter(|it| {
                    let short = profile.short_name(&it.id);
                    [&it.id, &it.template, &short].iter().any(|name| wildcard(argument, name))
                })
                .collect(),
            false => vec![profile.by_name(argument)?],
        };
        if fitting.is_empty() {
            return Err(Chosen::Nothing(argument.clone()));
        }
        for endpoint in fitting {
            if endpoint.method != "GET" {
                return Err(Chosen::Writes(endpoint.id.clone()));
            }
            if !found.iter().any(|it| it.id == endpoint.id) {
                found.push(endpoint);
            }
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn endpoints_are_named_or_fit_a_pattern_and_none_of_them_writes() {
        let of = |words: &[&str]| {
            let words: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
            chosen(Profile::builtin(), &words).map(|all| all.len())
        };
        assert_eq!(of(&["cases.list", "GET /forensics/case_management/cases"]), Ok(1));
        assert_eq!(of(&["/forensics/case_management/*"]), Ok(3));
        assert_eq!(of(&[]), Ok(415));
        assert!(matches!(of(&["cases.post"]), Err(Chosen::Writes(_))));
        assert!(matches!(of(&["cases.lst"]), Err(Chosen::Name(_))));
        assert!(matches!(of(&["/nothing/*"]), Err(Chosen::Nothing(_))));
    }
}

//! What was asked in place of the endpoint that a job is about: its path with a slip in it, or the id in the query.

use super::case::Run;
use super::wire;
use crate::ledger::{Exchange, Origin};
use crate::profile::{Endpoint, Parameter, ParameterKind, Profile};
use crate::spelling::nearest;

/// What was asked in place of the endpoint that the job is about, if that was never asked: its path with a slip in it, or
/// the path before its id with the id in the query.
pub(super) fn missed(run: &Run) -> Option<(usize, String)> {
    let about = &run.case.about;
    [about.asks, about.shows].into_iter().find_map(|endpoint| {
        let is_it = |exchange: &Exchange| exchange.key.endpoint == endpoint.id;
        if run.exchanges.iter().any(is_it) {
            return None;
        }
        run.exchanges.iter().enumerate().find_map(|(index, exchange)| {
            let path = wire::path(exchange).strip_prefix("/api")?;
            if exchange.method != endpoint.method {
                return None;
            }
            let slip = || {
                let is_unknown = !is_documented(exchange) && !is_known_to_work(exchange);
                let is_slip = is_unknown && is_slip(endpoint, path);
                is_slip
                    .then(|| format!("there is no path /api{path}; it was to ask /api{}", endpoint.template))
            };
            slip().or_else(|| id_only_in_query(run, endpoint, exchange, path)).map(|why| (index, why))
        })
    })
}

/// Whether the evidence speaks for the request.
fn is_known_to_work(exchange: &Exchange) -> bool {
    wire::is_taken(exchange, "path") || matches!(exchange.origin, Origin::Recorded(_))
}

fn is_documented(exchange: &Exchange) -> bool {
    Profile::builtin().of_path(wire::path(exchange)).is_some()
}

/// Whether the id stands in the query of the path that ends before it.
fn id_only_in_query(run: &Run, endpoint: &Endpoint, exchange: &Exchange, path: &str) -> Option<String> {
    let id = run.case.id()?;
    let own = run.case.about.path(&run.case.params);
    let (before, _) = own.rsplit_once('/')?;
    let is_taken = wire::is_taken(exchange, "parameter");
    if is_taken || !endpoint.template.ends_with('}') || path.trim_end_matches('/') != before {
        return None;
    }
    let found = Profile::builtin().find(&exchange.method, wire::path(exchange));
    let known = found.map(|found| found.endpoint);
    let is_id = |param: &wire::Param| {
        param.value == id && param.name.to_ascii_lowercase().ends_with("id") && !takes(known, &param.name)
    };
    let param = wire::params(exchange).into_iter().find(is_id)?;
    Some(format!(
        "the id stands in the query alone, as `{}={}`; it belongs in the path",
        param.name, param.raw
    ))
}

/// Whether an endpoint takes a query parameter of this name.
pub(super) fn takes(endpoint: Option<&Endpoint>, name: &str) -> bool {
    let is_it = |known: &Parameter| known.kind == ParameterKind::Query && known.name == name;
    endpoint.is_some_and(|endpoint| endpoint.parameters.iter().any(is_it))
}

/// Whether `path` (without `/api`) is that of `endpoint` with a slip: names misspelt by a few letters or written in another
/// case, or one name left out. What stands in the place of a parameter is not looked at.
fn is_slip(endpoint: &Endpoint, path: &str) -> bool {
    let wanted: Vec<Segment<'_>> = endpoint.template.split('/').skip(1).map(Segment::of).collect();
    let came: Vec<&str> = path.split('/').skip(1).collect();
    if came.iter().any(|segment| segment.is_empty()) {
        return false;
    }
    if came.len() == wanted.len() {
        let fits: Vec<Fit> = wanted.iter().zip(&came).map(|(wanted, came)| wanted.fit(came)).collect();
        return fits.contains(&Fit::Near) && !fits.contains(&Fit::Not);
    }
    // A list of the same things ends in a name, where the other path has a value.
    let is_value =
        |came: &str| !wanted.iter().any(|wanted| matches!(wanted, Segment::Name(name) if *name == came));
    let is_without = |left_out: usize| {
        let others = wanted.iter().enumerate().filter(|(index, _)| *index != left_out);
        others.zip(&came).all(|((_, wanted), came)| match wanted {
            Segment::Parameter => is_value(came),
            Segment::Name(_) => wanted.fit(came) == Fit::Is,
        })
    };
    let is_name = |index: &usize| matches!(wanted.get(*index), Some(Segment::Name(_)));
    came.len() + 1 == wanted.len() && (0..wanted.len()).filter(is_name).any(is_without)
}

/// A segment of a documented path.
enum Segment<'e> {
    Name(&'e str),
    Parameter,
}

/// How a segment that came fits one that is documented.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Fit {
    Is,
    Near,
    Not,
}

impl<'e> Segment<'e> {
    fn of(text: &'e str) -> Self {
        if text.starts_with('{') { Self::Parameter } else { Self::Name(text) }
    }

    fn fit(&self, came: &str) -> Fit {
        match self {
            Self::Parameter => Fit::Is,
            Self::Name(name) if *name == came => Fit::Is,
            Self::Name(name) if nearest(came, [*name]).is_empty() => Fit::Not,
            Self::Name(_) => Fit::Near,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::profile::Profile;

    fn is_slip_of_the_task(path: &str) -> bool {
        let task = "GET /forensics/case_management/case_create_tasks/{id}";
        is_slip(Profile::builtin().endpoint(task).unwrap(), path)
    }

    #[test]
    fn a_letter_the_case_or_a_name_left_out_is_a_slip() {
        for path in [
            "/forensics/case_management/case_create_task/42",
            "/forensics/case-management/case_create_tasks/42",
            "/forensics/Case_Management/case_create_tasks/42",
            "/forensics/case_managment/case_create_tasks/42",
            "/forensics/case_create_tasks/42",
        ] {
            assert!(is_slip_of_the_task(path), "{path}");
        }
    }

    #[test]
    fn the_path_itself_and_other_business_are_none() {
        for path in [
            "/forensics/case_management/case_create_tasks/42",
            "/forensics/case_management/cases/42",
            "/forensics/case_management/case_create_tasks/42/log",
            "/forensics/case_management/reports/42",
            "/custom/extension",
            "/forensics//case_create_tasks/42",
            "/forensics/case_management/case_create_tasks",
            "",
        ] {
            assert!(!is_slip_of_the_task(path), "{path}");
        }
    }
}

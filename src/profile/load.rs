//! From `profiles/` to a [`Profile`].

use std::sync::{Arc, OnceLock};

use super::area::Area;
use super::{Lifecycle, Profile, description, lifecycle};
use crate::json::JsonError;

/// A root of the API and the file with its endpoints.
macro_rules! area {
    ($root:literal, $file:literal) => {
        ($root, concat!("profiles/", $file), include_str!(concat!("../../profiles/", $file)))
    };
}

/// The files in the binary.
const AREAS: &[(&str, &str, &str)] = &[
    area!("forensics", "forensics.json"),
    area!("help", "help.json"),
    area!("access", "access.toml"),
    area!("analytics", "analytics.toml"),
    area!("ariel", "ariel.toml"),
    area!("asset_model", "asset_model.toml"),
    area!("auth", "auth.toml"),
    area!("backup_and_restore", "backup_and_restore.toml"),
    area!("bandwidth_manager", "bandwidth_manager.toml"),
    area!("config", "config.toml"),
    area!("data_classification", "data_classification.toml"),
    area!("disaster_recovery", "disaster_recovery.toml"),
    area!("dynamic_search", "dynamic_search.toml"),
    area!("gui_app_framework", "gui_app_framework.toml"),
    area!("health", "health.toml"),
    area!("health_data", "health_data.toml"),
    area!("qni", "qni.toml"),
    area!("qrm", "qrm.toml"),
    area!("qvm", "qvm.toml"),
    area!("reference_data", "reference_data.toml"),
    area!("reference_data_collections", "reference_data_collections.toml"),
    area!("scanner", "scanner.toml"),
    area!("services", "services.toml"),
    area!("siem", "siem.toml"),
    area!("staged_config", "staged_config.toml"),
    area!("system", "system.toml"),
];

const LIFECYCLES: (&str, &str) = ("profiles/lifecycles.toml", include_str!("../../profiles/lifecycles.toml"));

static BUILTIN: OnceLock<Profile> = OnceLock::new();

/// Why files are no profile.
#[derive(Debug, thiserror::Error)]
pub enum ProfileError {
    /// A file of endpoints does not parse.
    #[error("{file}: {source}")]
    Endpoints {
        /// The file.
        file: String,
        /// Why, with line and column.
        source: serde_json::Error,
    },
    /// What a file has beside its endpoints does not parse.
    #[error("{file}, line {line}: {}", one_line(source))]
    Lifecycles {
        /// The file.
        file: String,
        /// The line, from 1.
        line: usize,
        /// Why.
        source: Box<toml::de::Error>,
    },
    /// A section of facts does not parse.
    #[error("{file}, line {line}: `{endpoint}`: {}", one_line(source))]
    Facts {
        /// The file.
        file: String,
        /// The line, from 1.
        line: usize,
        /// The endpoint.
        endpoint: String,
        /// Why.
        source: Box<toml::de::Error>,
    },
    /// A response sample is not JSON.
    #[error("{file}: the response sample of `{endpoint}` is not JSON: {source}")]
    Sample {
        /// The file.
        file: String,
        /// The endpoint.
        endpoint: String,
        /// Why.
        source: JsonError,
    },
    /// An endpoint is described twice.
    #[error("{file}: `{endpoint}` is described a second time")]
    Twice {
        /// The file of the second description.
        file: String,
        /// The endpoint.
        endpoint: String,
    },
    /// A life cycle lacks something.
    #[error("{file}: {why}")]
    Lifecycle {
        /// The file.
        file: String,
        /// What it lacks.
        why: String,
    },
    /// A life cycle names an endpoint that is not described.
    #[error("{file}: a life cycle names `{endpoint}`, which no file describes")]
    NoSuchEndpoint {
        /// The file of life cycles.
        file: String,
        /// The endpoint.
        endpoint: String,
    },
}

impl ProfileError {
    /// What is wrong in `text`, which has the lines of the file.
    pub(super) fn lifecycles(file: &str, text: &str, source: toml::de::Error) -> Self {
        Self::Lifecycles { file: file.to_owned(), line: line_of(text, &source), source: Box::new(source) }
    }
}

/// The line of a mistake, from 1.
pub(super) fn line_of(text: &str, error: &toml::de::Error) -> usize {
    let before = error.span().and_then(|span| text.get(..span.start)).unwrap_or_default();
    1 + before.matches('\n').count()
}

/// What is wrong, without a picture of it.
fn one_line(error: &toml::de::Error) -> String {
    error.message().replace('\n', ", ")
}

impl Profile {
    /// The profiles in the binary, or what this program has put in their place ([`install`](Self::install)).
    pub fn builtin() -> &'static Self {
        BUILTIN.get_or_init(|| {
            Self::of(&[], AREAS, LIFECYCLES).expect("the profiles in the binary parse: a test reads them all")
        })
    }

    /// Makes this what [`builtin`](Self::builtin) gives, in the whole process; whether it does, for that has to come
    /// before anybody has asked.
    pub fn install(self) -> bool {
        BUILTIN.set(self).is_ok()
    }

    /// A console's own answer to `GET /api/help/endpoints` as a profile's text, and how many of its samples are no JSON
    /// and were left out. Of an endpoint that is described in several versions the newest is kept.
    ///
    /// # Errors
    /// If it is no list of descriptions, with line and column; `file` stands in the error.
    pub fn tidied(file: &str, text: &str) -> Result<(String, usize), ProfileError> {
        description::tidied(text).map_err(|source| ProfileError::Endpoints { file: file.to_owned(), source })
    }

    /// The profiles in the binary, and files of somebody's own (name and text), which replace what they describe
    /// again. A `.json` file is a console's own answer to `GET /api/help/endpoints`; any other is TOML, as ours are.
    ///
    /// # Errors
    /// If a file does not parse, describes an endpoint twice, or has a life cycle that names one that nobody describes.
    pub fn with_files(files: &[(&str, &str)]) -> Result<Self, ProfileError> {
        Self::of(files, AREAS, LIFECYCLES)
    }

    /// A profile of nothing but these files, given as name and text, and these life cycles.
    ///
    /// # Errors
    /// As [`with_files`](Self::with_files).
    pub fn parse(endpoints: &[(&str, &str)], lifecycles: (&str, &str)) -> Result<Self, ProfileError> {
        let profile = Self::of(endpoints, &[], lifecycles)?;
        for id in profile.lifecycles.iter().flat_map(Lifecycle::endpoints) {
            profile.check_named(lifecycles.0, id)?;
        }
        Ok(profile)
    }

    fn of(
        own: &[(&str, &str)],
        known: &[(&'static str, &'static str, &'static str)],
        (file, text): (&str, &str),
    ) -> Result<Self, ProfileError> {
        let written: lifecycle::File =
            toml::from_str(text).map_err(|source| ProfileError::lifecycles(file, text, source))?;
        let vocabularies = Arc::new(written.vocabulary);
        let own: Result<Vec<Area>, _> =
            own.iter().map(|(file, text)| Area::of_file(file, text, &vocabularies)).collect();
        let known = known.iter().map(|(root, file, text)| Area::of_root(root, file, text, &vocabularies));
        let rows = written.lifecycle.into_iter().map(|row| row.into_lifecycle(&vocabularies));
        let lifecycles: Result<Vec<Lifecycle>, String> = rows.collect();
        let own = own?;
        let profile = Self {
            own: own.len(),
            areas: own.into_iter().chain(known).collect(),
            lifecycles: lifecycles.map_err(|why| ProfileError::Lifecycle { file: file.to_owned(), why })?,
            complete: written.complete,
            outside: written.outside,
            versions: written.versions,
            documents: OnceLock::new(),
            names: OnceLock::new(),
        };
        profile.check_lifecycles()?;
        Ok(profile)
    }

    /// Whether the life cycles in somebody's own files name endpoints that are described.
    fn check_lifecycles(&self) -> Result<(), ProfileError> {
        for area in self.areas.iter().take(self.own) {
            for id in area.contents().lifecycles.iter().flat_map(Lifecycle::endpoints) {
                self.check_named(area.file(), id)?;
            }
        }
        Ok(())
    }

    fn check_named(&self, file: &str, endpoint: &str) -> Result<(), ProfileError> {
        match self.endpoint(endpoint) {
            Some(_) => Ok(()),
            None => {
                Err(ProfileError::NoSuchEndpoint { file: file.to_owned(), endpoint: endpoint.to_owned() })
            }
        }
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    const NO_LIFECYCLES: (&str, &str) =
        ("l.toml", "complete = []\n[versions]\ndescribed = \"26.0\"\nremoved_before = \"14.0\"\n");

    /// A profile of GET endpoints without parameters.
    pub(crate) fn with_endpoints(templates: &[&str]) -> Profile {
        let described: Vec<String> = templates.iter().map(|template| described(template)).collect();
        Profile::parse(&[("e.json", &format!("[{}]", described.join(",")))], NO_LIFECYCLES).unwrap()
    }

    fn described(template: &str) -> String {
        format!(
            r#"{{"http_method":"GET","path":"{template}","version":"26.0","last_modified_version":null,"deprecated":false,"summary":"","description":null,"caller_has_access":true,"parameters":[],"success_responses":[],"error_responses":[],"response_mime_types":[],"response_description":null}}"#
        )
    }

    #[test]
    fn the_profiles_in_the_binary_parse() {
        for area in &Profile::builtin().areas {
            area.check().unwrap();
        }
        for id in Profile::builtin().lifecycles().flat_map(Lifecycle::endpoints) {
            assert!(Profile::builtin().endpoint(id).is_some(), "a life cycle names {id}");
        }
        let files: Vec<(&str, &str)> = AREAS.iter().map(|(_, file, text)| (*file, *text)).collect();
        let profile = Profile::parse(&files, LIFECYCLES).unwrap();
        assert_eq!(profile.endpoints().count(), 729);
        assert!(profile.endpoints().all(|endpoint| !endpoint.errors.iter().any(|error| error.status < 400)));
        let strays =
            profile.ids().filter(|id| !AREAS.iter().any(|(root, ..)| *root == super::super::root_of(id)));
        assert_eq!(strays.count(), 0);
    }

    #[test]
    fn a_file_of_ones_own_adds_and_replaces() {
        let own = "[\"GET /siem/offenses\"]\nquery = [\"new\"]\n[\"GET /mine/{id}\"]\n";
        let profile = Profile::with_files(&[("mine.toml", own)]).unwrap();
        assert_eq!(profile.ids().count(), 730);
        let offenses = profile.find("GET", "/api/siem/offenses").unwrap().endpoint;
        assert_eq!(offenses.parameters[0].name, "new");
        assert_eq!(profile.file_of("GET /siem/offenses"), Some("mine.toml"));
        assert_eq!(profile.file_of("GET /siem/offenses/{offense_id}"), Some("profiles/siem.toml"));
        assert_eq!(profile.find("GET", "/api/mine/7").unwrap().endpoint.id, "GET /mine/{id}");
    }

    #[test]
    fn bad_files_are_errors_that_say_where() {
        let one = described("/a");
        let twice = format!("[{one},{one}]");
        let bad_sample = format!("[{}]", one).replace(
            r#""response_mime_types":[]"#,
            r#""response_mime_types":[{"mime_type":"application/json","media_type":null,"sample":"{"}]"#,
        );
        let named = format!(
            "{}[[lifecycle]]\ntask = \"GET /b\"\nid = \"/id\"\nstate = [\"/state\"]\nphases = {{ A = \"done\" }}\n",
            NO_LIFECYCLES.1
        );
        let deep = named.replace("\"/id\"", "\"/a/b\"");
        for (endpoints, lifecycles, says) in [
            ("[", NO_LIFECYCLES.1, "e.json: EOF"),
            ("[{\"nope\":1}]", NO_LIFECYCLES.1, "missing field `http_method`"),
            (twice.as_str(), NO_LIFECYCLES.1, "described a second time"),
            (bad_sample.as_str(), NO_LIFECYCLES.1, "the response sample of `GET /a` is not JSON"),
            ("[]", "complete = 1", "l.toml"),
            ("[]", named.as_str(), "names `GET /b`"),
            ("[]", deep.as_str(), "does not point at a top-level member"),
        ] {
            let error =
                Profile::parse(&[("e.json", endpoints)], ("l.toml", lifecycles)).unwrap_err().to_string();
            assert!(error.contains(says), "{error}");
        }
    }
}

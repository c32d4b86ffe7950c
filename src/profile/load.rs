//! From `profiles/` to a [`Profile`].

use std::sync::OnceLock;

use super::endpoint::Description;
use super::help::Documents;
use super::{Profile, lifecycle};
use crate::json::JsonError;

/// The endpoint files in the binary; a new family is a file and a line here, or objects in one of these.
const ENDPOINTS: &[(&str, &str)] = &[
    ("profiles/forensics.json", include_str!("../../profiles/forensics.json")),
    ("profiles/help.json", include_str!("../../profiles/help.json")),
];

const LIFECYCLES: (&str, &str) = ("profiles/lifecycles.toml", include_str!("../../profiles/lifecycles.toml"));

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
    /// The file of life cycles does not parse.
    #[error("{file}: {source}")]
    Lifecycles {
        /// The file.
        file: String,
        /// Why, with line and column.
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
    /// A life cycle names an endpoint that is not described.
    #[error("{file}: a life cycle names `{endpoint}`, which no file describes")]
    NoSuchEndpoint {
        /// The file of life cycles.
        file: String,
        /// The endpoint.
        endpoint: String,
    },
}

impl Profile {
    /// The profiles in the binary.
    pub fn builtin() -> &'static Self {
        static BUILTIN: OnceLock<Profile> = OnceLock::new();
        BUILTIN.get_or_init(|| {
            Self::parse(ENDPOINTS, LIFECYCLES)
                .expect("the profiles in the binary parse: a test reads them all")
        })
    }

    /// A profile from files given as name and text: endpoints in the shape of `GET /api/help/endpoints`, and life
    /// cycles.
    ///
    /// # Errors
    /// If a file does not parse, an endpoint is described twice, or a life cycle names one that is not described.
    pub fn parse(endpoints: &[(&str, &str)], lifecycles: (&str, &str)) -> Result<Self, ProfileError> {
        let (file, text) = lifecycles;
        let rows: lifecycle::File = toml::from_str(text)
            .map_err(|source| ProfileError::Lifecycles { file: file.to_owned(), source: Box::new(source) })?;
        let mut descriptions = Vec::new();
        let mut profile = Self {
            endpoints: Vec::new(),
            lifecycles: Vec::new(),
            complete: rows.complete,
            versions: rows.versions,
            documents: Documents::default(),
            by_length: Vec::new(),
        };
        for (file, text) in endpoints {
            descriptions.extend(profile.add(file, text)?);
        }
        for row in rows.lifecycle {
            if let Some(endpoint) = row.endpoints().find(|id| profile.endpoint(id).is_none()) {
                return Err(ProfileError::NoSuchEndpoint {
                    file: file.to_owned(),
                    endpoint: endpoint.to_owned(),
                });
            }
            profile.lifecycles.push(row.into_lifecycle());
        }
        profile.documents = Documents::of(descriptions, profile.versions.described);
        Ok(profile)
    }

    /// Adds a file's endpoints; gives back their descriptions.
    fn add(&mut self, file: &str, text: &str) -> Result<Vec<Description>, ProfileError> {
        let descriptions: Vec<Description> = serde_json::from_str(text)
            .map_err(|source| ProfileError::Endpoints { file: file.to_owned(), source })?;
        for description in &descriptions {
            let endpoint = description.to_endpoint().map_err(|source| ProfileError::Sample {
                file: file.to_owned(),
                endpoint: description.endpoint_id(),
                source,
            })?;
            if self.endpoint(&endpoint.id).is_some() {
                return Err(ProfileError::Twice { file: file.to_owned(), endpoint: endpoint.id });
            }
            let length = super::template_segments(&endpoint).count();
            if self.by_length.len() <= length {
                self.by_length.resize(length + 1, Vec::new());
            }
            if let Some(places) = self.by_length.get_mut(length) {
                places.push(self.endpoints.len());
            }
            self.endpoints.push(endpoint);
        }
        Ok(descriptions)
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
        let profile = Profile::parse(ENDPOINTS, LIFECYCLES).unwrap();
        assert_eq!(profile.endpoints.iter().filter(|e| e.template.starts_with("/forensics/")).count(), 9);
        assert_eq!(profile.endpoints.iter().filter(|e| e.template.starts_with("/help/")).count(), 6);
        assert_eq!(profile.lifecycles.len(), 2);
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
            "{}[[lifecycle]]\ntask = \"GET /b\"\nid = \"/id\"\nstate = [\"/state\"]\nphases = {{}}\n",
            NO_LIFECYCLES.1
        );
        let deep = named.replace("\"/id\"", "\"/a/b\"");
        for (endpoints, lifecycles, says) in [
            ("[", NO_LIFECYCLES.1, "e.json: EOF"),
            ("[{\"nope\":1}]", NO_LIFECYCLES.1, "unknown field `nope`"),
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

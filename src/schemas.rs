//! The JSON Schemas of the files that people write, as editors take them. A test writes them, and holds them to the
//! readers (`tests/library/schemas.rs`).

use std::io::{self, Write as _};
use std::path::Path;

/// What the name of such a file ends with, wherever it lies: it is none of a user's own files.
pub(crate) const ENDING: &str = ".schema.json";

/// A schema.
#[derive(Clone, Copy, Debug)]
pub struct Schema {
    /// What is asked for by `faultdeck explain schema`.
    pub name: &'static str,
    /// Which files it is of.
    pub of: &'static str,
    /// The schema, draft 7.
    pub text: &'static str,
}

/// That of scenarios.
pub const SCENARIO: Schema = Schema {
    name: "scenario",
    of: "scenarios: what goes wrong, when, and what must hold",
    text: include_str!("../docs/schemas/scenario.schema.json"),
};

/// All of them.
pub const ALL: [Schema; 6] = [
    SCENARIO,
    Schema {
        name: "client",
        of: "client files: how `judge` starts a program and reads what it reports",
        text: include_str!("../docs/schemas/client.schema.json"),
    },
    Schema {
        name: "match",
        of: "`NAME.match.toml` beside a cassette: what counts when a request is matched",
        text: include_str!("../docs/schemas/match.schema.json"),
    },
    Schema {
        name: "redact",
        of: "`redact.toml`: what is redacted beside credentials",
        text: include_str!("../docs/schemas/redact.schema.json"),
    },
    Schema {
        name: "profile",
        of: "profiles in TOML: endpoints and task families of your own",
        text: include_str!("../docs/schemas/profile.schema.json"),
    },
    Schema {
        name: "settings",
        of: "`faultdeck.toml`: folders, defaults of flags, known failures",
        text: include_str!("../docs/schemas/settings.schema.json"),
    },
];

impl Schema {
    /// What its file is called.
    pub fn file(&self) -> String {
        format!("{}{ENDING}", self.name)
    }

    /// The line by which editors find the schema beside a file: its first.
    pub fn line(&self) -> String {
        format!("#:schema ./{}\n", self.file())
    }

    /// Puts the schema into a folder, unless this one is there already: whole, or not at all.
    ///
    /// # Errors
    /// If it cannot be written.
    pub(crate) fn put_into(&self, folder: &Path) -> io::Result<()> {
        let path = folder.join(self.file());
        let most = u64::try_from(self.text.len()).unwrap_or(u64::MAX);
        if crate::files::read_text(&path, most).is_ok_and(|text| text == self.text) {
            return Ok(());
        }
        let mut file = tempfile::Builder::new().prefix(".schema-").tempfile_in(folder)?;
        file.write_all(self.text.as_bytes())?;
        file.persist(&path).map_err(|error| error.error)?;
        Ok(())
    }
}

/// Whether a file is a schema, by its name.
pub fn is_schema(file: &Path) -> bool {
    file.file_name().is_some_and(|name| name.to_string_lossy().ends_with(ENDING))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_schema_is_written_once_and_anew_where_it_is_another() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("scenario.schema.json");
        SCENARIO.put_into(folder.path()).unwrap();
        let first = std::fs::metadata(&path).unwrap().modified().unwrap();
        SCENARIO.put_into(folder.path()).unwrap();
        assert_eq!(std::fs::metadata(&path).unwrap().modified().unwrap(), first);
        std::fs::write(&path, "{}").unwrap();
        SCENARIO.put_into(folder.path()).unwrap();
        assert_eq!(std::fs::read_to_string(&path).unwrap(), SCENARIO.text);
        assert!(is_schema(&path) && !is_schema(Path::new("scenario.json")));
        assert_eq!(SCENARIO.line(), "#:schema ./scenario.schema.json\n");
    }
}

//! Where a program lies that is asked for by its name.
//!
//! A program named by its path is started without copying this process first, which for a large process costs more than the
//! start itself; by its name it is not, because the search is left to the copy. So the search is done here, by the same rules,
//! wherever what it finds is what the copy would find.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use rustix::fs::{Access, access};

use super::Environment;

/// The path of `program` by `PATH`; nothing if it is a path itself, if a folder of `PATH` before it is not absolute (it could
/// be another one for the child), or if it is not found.
pub(super) fn found(program: &OsStr, environment: &Environment) -> Option<PathBuf> {
    if program.as_encoded_bytes().contains(&b'/') || program.is_empty() {
        return None;
    }
    let folders = environment.0.get(OsStr::new("PATH"))?;
    for folder in std::env::split_paths(folders) {
        if !folder.is_absolute() {
            return None;
        }
        let file = folder.join(program);
        if is_executable(&file) {
            return Some(file);
        }
    }
    None
}

fn is_executable(file: &Path) -> bool {
    file.is_file() && access(file, Access::EXEC_OK).is_ok()
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn the_first_executable_file_in_path_is_found_and_nothing_by_a_folder_that_depends_on_where_one_is() {
        let root = tempfile::tempdir().unwrap();
        let [one, two] = ["one", "two"].map(|name| root.path().join(name));
        for (folder, name, mode) in [(&one, "x", 0o644), (&two, "x", 0o755), (&two, "y", 0o755)] {
            fs::create_dir_all(folder.join("folder")).unwrap();
            fs::write(folder.join(name), "").unwrap();
            fs::set_permissions(folder.join(name), fs::Permissions::from_mode(mode)).unwrap();
        }
        let by = |path: String| Environment([("PATH".into(), path.into())].into());
        let both = by(format!("{}:{}", one.display(), two.display()));
        let at = |name: &str, environment: &Environment| found(OsStr::new(name), environment);
        assert_eq!(at("x", &both), Some(two.join("x")), "a file that cannot be executed is passed over");
        assert_eq!(at("y", &both), Some(two.join("y")));
        assert_eq!(at("folder", &both), None);
        assert_eq!((at("z", &both), at("./x", &both), at("", &both)), (None, None, None));
        assert_eq!(at("y", &by(format!("bin:{}", two.display()))), None);
        assert_eq!(at("y", &by(format!(":{}", two.display()))), None, "an empty one is where the child is");
        assert_eq!(at("y", &Environment::default()), None);
    }
}

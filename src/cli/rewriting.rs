//! Lines that are already in a file, changed.

use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, BufWriter, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use super::private;
use crate::files;

/// Changes every line in the first `length` bytes of a file by `change`, and cuts what comes after. Gives the file to go on
/// with, open at its end, and its length; `None` if no line changed.
///
/// The new file takes the old one's place whole, if the folder and the file's other names allow it: whoever is killed in
/// between leaves the one or the other.
///
/// # Errors
/// If it cannot be read or written.
pub(super) fn rewrite(
    path: &Path,
    length: u64,
    change: &dyn Fn(&str) -> String,
) -> io::Result<Option<(File, u64)>> {
    let path = &fs::canonicalize(path)?;
    let mut old = BufReader::new(files::written(path)?.take(length));
    let Some((same, first)) = first_changed(&mut old, change)? else { return Ok(None) };
    let folder = path.parent().unwrap_or(Path::new("/"));
    let named = tempfile::NamedTempFile::new_in(folder);
    let is_alone = fs::metadata(path)?.nlink() == 1;
    match named {
        Ok(new) if is_alone => {
            fill(new.as_file(), path, same, &first, &mut old, change)?;
            new.persist(path).map_err(|error| error.error)?;
        }
        Ok(_) | Err(_) => {
            let mut new = tempfile::tempfile()?;
            fill(&new, path, 0, "", &mut BufReader::new(files::written(path)?.take(length)), change)?;
            new.seek(SeekFrom::Start(0))?;
            let mut file = private::begin(path)?;
            io::copy(&mut new, &mut file)?;
        }
    }
    let file = private::resume(path)?;
    let length = file.metadata()?.len();
    Ok(Some((file, length)))
}

/// How many bytes come before the first line that changes, and what it becomes.
fn first_changed(
    lines: &mut impl BufRead,
    change: &dyn Fn(&str) -> String,
) -> io::Result<Option<(u64, String)>> {
    let mut line = String::new();
    let mut before = 0;
    while lines.read_line(&mut line)? > 0 {
        let changed = change(&line);
        if changed != line {
            return Ok(Some((before, changed)));
        }
        before += line.len() as u64;
        line.clear();
    }
    Ok(None)
}

/// Fills `new` with the first `same` bytes of the file at `path`, then `first`, then the changed rest.
fn fill(
    new: &File,
    path: &Path,
    same: u64,
    first: &str,
    rest: &mut impl BufRead,
    change: &dyn Fn(&str) -> String,
) -> io::Result<()> {
    let mut new = BufWriter::new(new);
    io::copy(&mut files::written(path)?.take(same), &mut new)?;
    new.write_all(first.as_bytes())?;
    let mut line = String::new();
    while rest.read_line(&mut line)? > 0 {
        new.write_all(change(&line).as_bytes())?;
        line.clear();
    }
    new.flush()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn in_a_folder(text: &str) -> (tempfile::TempDir, std::path::PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("l.jsonl");
        fs::write(&path, text).unwrap();
        (folder, path)
    }

    #[test]
    fn changed_lines_take_the_place_of_the_old_ones_and_writing_goes_on_behind_them() {
        for has_another_name in [false, true] {
            let (folder, path) = in_a_folder("one\ntwo\nthree\ntorn");
            if has_another_name {
                fs::hard_link(&path, folder.path().join("other")).unwrap();
            }
            let (mut file, length) =
                rewrite(&path, 14, &|line| line.replace("two", "second")).unwrap().unwrap();
            assert_eq!(length, 17);
            file.write_all(b"four\n").unwrap();
            assert_eq!(fs::read_to_string(&path).unwrap(), "one\nsecond\nthree\nfour\n");
            let others = fs::read_dir(folder.path()).unwrap().count();
            assert_eq!(others, if has_another_name { 2 } else { 1 }, "nothing is left behind");
        }
    }

    #[test]
    fn a_file_in_which_nothing_changes_is_left_alone() {
        let (_folder, path) = in_a_folder("one\ntwo\n");
        assert!(rewrite(&path, 8, &|line| line.to_owned()).unwrap().is_none());
        assert_eq!(fs::read_to_string(&path).unwrap(), "one\ntwo\n");
    }
}

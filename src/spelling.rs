//! Which of the known names an unknown one was probably meant to be: the one place that guesses.

/// Longer names are near nothing; this bounds the work on a hostile one.
const NAME_MAX: usize = 64;
/// How many names are offered at most.
const OFFERED: usize = 3;

/// Up to three of `known` that `name` may be a slip of, the likeliest first: at most a third of its letters are put in,
/// taken out, changed or swapped (one letter at least), or it is the start of the name. Case does not count, nor `-`
/// for `_`: people mix these up most.
pub(crate) fn nearest<'k>(name: &str, known: impl IntoIterator<Item = &'k str>) -> Vec<&'k str> {
    if name.is_empty() || name.len() > NAME_MAX {
        return Vec::new();
    }
    let name = folded(name);
    let mut near: Vec<(usize, &str)> = known
        .into_iter()
        .filter(|candidate| candidate.len() <= NAME_MAX)
        .map(|candidate| (distance(&name, &folded(candidate)), candidate))
        .filter(|(distance, candidate)| *distance <= (name.len().max(candidate.len()) / 3).max(1))
        .collect();
    near.sort_by_key(|(distance, _)| *distance);
    near.dedup_by_key(|(_, candidate)| *candidate);
    near.into_iter().take(OFFERED).map(|(_, candidate)| candidate).collect()
}

/// How far apart two folded names are; the start of a name, of three letters or more, is one edit away from it.
fn distance(name: &str, known: &str) -> usize {
    let edits = strsim::osa_distance(name, known);
    if name.len() > 2 && known.starts_with(name) { edits.min(1) } else { edits }
}

fn folded(name: &str) -> String {
    name.to_ascii_lowercase().replace('_', "-")
}

#[cfg(test)]
mod tests {
    use super::nearest;

    #[test]
    fn a_slip_of_the_finger_is_near() {
        let known = ["latency", "reset", "hang", "drop-field", "truncate"];
        assert_eq!(nearest("latncy", known), ["latency"]);
        assert_eq!(nearest("hnag", known), ["hang"]);
        assert_eq!(nearest("Drop_Field", known), ["drop-field"]);
        assert_eq!(nearest("lat", known), ["latency"]);
        assert!(nearest("explode", known).is_empty());
    }

    #[test]
    fn the_names_of_fields_are_no_different() {
        let known = ["assigned_to", "case_id", "id", "name", "state"];
        assert_eq!(nearest("status", known), ["state"]);
        assert_eq!(nearest("asigned_to", known), ["assigned_to"]);
        assert_eq!(nearest("ID", known), ["id"]);
    }

    #[test]
    fn what_is_near_nothing_gets_no_guess() {
        assert!(nearest("", ["a", "b"]).is_empty());
        assert!(nearest(&"x".repeat(8_000), ["x"]).is_empty());
        assert!(nearest("nope", ["assigned_to", "id", "state"]).is_empty());
    }
}

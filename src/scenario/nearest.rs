//! Which known names look like an unknown one.

/// Up to three of `known` within a third of the name's length in edits (at least one), or that start with the name; the
/// nearest first.
pub(super) fn nearest<'k>(name: &str, known: impl IntoIterator<Item = &'k str>) -> Vec<&'k str> {
    let name = folded(name);
    let most = (name.len() / 3).max(1);
    let mut near: Vec<(usize, &str)> = (known.into_iter())
        .map(|candidate| (distance(&name, &folded(candidate)), candidate))
        .filter(|(distance, _)| *distance <= most)
        .collect();
    near.sort_by_key(|(distance, _)| *distance);
    near.into_iter().take(3).map(|(_, candidate)| candidate).collect()
}

/// How far apart two names are; the start of a name, of three letters or more, is one edit away from it.
fn distance(name: &[char], known: &[char]) -> usize {
    let distance = edits(name, known);
    if name.len() > 2 && known.starts_with(name) { distance.min(1) } else { distance }
}

/// Without case, and with `-` for `_`: people mix these up most. Long names are cut: they are near nothing anyway.
fn folded(name: &str) -> Vec<char> {
    name.chars().take(64).map(|char| if char == '_' { '-' } else { char.to_ascii_lowercase() }).collect()
}

/// Insertions, removals, replacements and swaps of neighbours that lead from one name to the other.
fn edits(one: &[char], other: &[char]) -> usize {
    let width = other.len() + 1;
    let mut rows: Vec<Vec<usize>> = vec![(0..width).collect()];
    for (i, a) in one.iter().enumerate() {
        let mut row = vec![i + 1];
        for (j, b) in other.iter().enumerate() {
            let at = |row: usize, column: usize| rows.get(row).and_then(|row| row.get(column)).copied();
            let replaced = at(i, j).map(|cost| cost + usize::from(a != b));
            let removed = at(i, j + 1).map(|cost| cost + 1);
            let inserted = row.last().map(|cost| cost + 1);
            let is_swap = i > 0 && j > 0 && one.get(i - 1) == Some(b) && other.get(j - 1) == Some(a);
            let swapped = if is_swap { at(i - 1, j - 1).map(|cost| cost + 1) } else { None };
            row.push([replaced, removed, inserted, swapped].into_iter().flatten().min().unwrap_or(0));
        }
        rows.push(row);
    }
    rows.last().and_then(|row| row.last()).copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::nearest;

    #[test]
    fn a_slip_of_the_finger_is_near() {
        let known = ["latency", "reset", "hang", "drop-field", "truncate"];
        assert_eq!(nearest("latncy", known), ["latency"]);
        assert_eq!(nearest("hnag", known), ["hang"]);
        assert_eq!(nearest("drop_field", known), ["drop-field"]);
        assert_eq!(nearest("lat", known), ["latency"]);
        assert!(nearest("explode", known).is_empty() && nearest("", known).is_empty());
    }
}

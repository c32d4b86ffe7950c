//! What a selector names.

/// The names at the top level of a selector.
pub(super) fn top_level(fields: &str) -> Vec<&str> {
    let mut depth = 0_u32;
    let mut at = 0;
    let mut found = Vec::new();
    for (index, letter) in fields.char_indices() {
        match letter {
            '(' => depth += 1,
            ')' => depth = depth.saturating_sub(1),
            ',' if depth == 0 => {
                found.push(fields.get(at..index).unwrap_or(""));
                at = index + 1;
            }
            _ => {}
        }
    }
    found.push(fields.get(at..).unwrap_or(""));
    found.iter().map(|item| item.split('(').next().unwrap_or("").trim()).collect()
}

/// Whether a selector names any of these at its top level.
pub(super) fn names(fields: &str, wanted: &[&str]) -> bool {
    top_level(fields).iter().any(|name| wanted.contains(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_selector_is_read_at_its_top_level() {
        assert_eq!(top_level("id, rules (id,state) ,name"), ["id", "rules", "name"]);
        assert!(names("id,state", &["state"]) && !names("rules(state)", &["state"]));
    }
}

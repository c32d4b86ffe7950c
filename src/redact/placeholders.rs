//! Where placeholders stand in a text.

use std::ops::Range;

use super::names::PREFIX;

/// The places of redacted secrets in `text`, from its start to its end.
pub fn placeholders(text: &str) -> impl Iterator<Item = Range<usize>> {
    text.match_indices(PREFIX).filter_map(|(start, _)| {
        let digits = text.get(start + PREFIX.len()..)?.bytes().take_while(u8::is_ascii_digit).count();
        (digits > 0).then(|| start..start + PREFIX.len() + digits)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_placeholder_ends_where_its_number_does() {
        let text = "fd-secret-1, xfd-secret-23y fd-secret- fd-secret";
        let found: Vec<&str> = placeholders(text).map(|place| &text[place]).collect();
        assert_eq!(found, ["fd-secret-1", "fd-secret-23"]);
    }
}

//! What a client that waits is told to ask for: enough to know the end, and something beside, so that a selector of its
//! own shows.

use super::evidence::spelt;
use crate::fields::{Field, FieldSelector, Shape};
use crate::judge::about::About;

/// Of how many members of its own a nested name is told.
const NESTED: usize = 2;

/// A selector with what decides and one name more, with brackets where the resource has any. `None` where the endpoint
/// takes none, or has no members that are known.
pub(super) fn with_the_state(about: &About, dialect: &str) -> Option<String> {
    about.shows.fields_in?;
    let Shape::Object(members) = &about.shows.shape else { return None };
    let of = |name: &str, subfields| Field { name: spelt(about, name, dialect), subfields };
    let deciding = members.iter().filter(|(name, _)| about.decides(name)).map(|(name, _)| of(name, None));
    let mut others = members.iter().filter(|(name, _)| !about.decides(name));
    let nested = others.clone().find_map(|(name, shape)| Some(of(name, Some(below(shape)?))));
    let other = nested.or_else(|| others.next().map(|(name, _)| of(name, None)));
    FieldSelector::of(deciding.chain(other).collect()).map(|selector| selector.to_string())
}

/// The first member that has members of its own, narrowed.
pub(super) fn nested(shape: Shape) -> Option<Field> {
    let Shape::Object(members) = shape else { return None };
    members
        .iter()
        .find_map(|(name, shape)| Some(Field { name: name.clone(), subfields: Some(below(shape)?) }))
}

/// The first names below a member, if it has members of its own.
fn below(shape: &Shape) -> Option<FieldSelector> {
    let Shape::Object(members) = shape.element() else { return None };
    let names = members.iter().take(NESTED).map(|(name, _)| Field { name: name.clone(), subfields: None });
    FieldSelector::of(names.collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::JobKind;
    use crate::profile::Profile;

    #[test]
    fn every_task_that_takes_fields_is_asked_for_with_its_state_and_more() {
        let mut nested = 0;
        for life in Profile::builtin().lifecycles() {
            let about = About::of(JobKind::Wait, &life.task).unwrap();
            let Some(text) = with_the_state(&about, "sample") else { continue };
            let selector = FieldSelector::parse_for(&text, &about.shows.shape).unwrap().unwrap();
            assert!(life.state.iter().any(|state| selector.selects(state)), "{}: {text}", life.task);
            nested += u32::from(text.contains('('));
        }
        assert!(nested > 0, "no task has members below members");
    }

    #[test]
    fn a_dialect_is_spelt_as_it_spells() {
        let about = crate::judge::sample::about(JobKind::Wait);
        let text = with_the_state(&about, "prose").unwrap();
        assert!(text.contains("status") && !text.contains("state"), "{text}");
    }
}

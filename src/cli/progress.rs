//! What is said while a client is judged: plain lines, and only to a person.

use std::sync::atomic::{AtomicBool, Ordering};

use super::output;
use crate::judge::Progress;
use crate::report::visible;

/// Says what a judgement of `client` is at. A saved counter-example is told to anybody, all else to a terminal only.
pub(super) fn teller(client: &str) -> impl Fn(Progress) + Send + Sync + use<> {
    let client = visible(client).into_owned();
    let shrinking = AtomicBool::new(false);
    move |progress| match progress {
        Progress::Saved { path } => {
            shrinking.store(false, Ordering::Relaxed);
            output::note(&format!("saved {}", visible(&path.display().to_string())));
        }
        _ if !output::is_watched() => {}
        Progress::Begins { name, cases } => {
            shrinking.store(false, Ordering::Relaxed);
            let many = if cases == 1 { "" } else { "s" };
            output::note(&format!("{client}: {}, {cases} case{many}", visible(&name)));
        }
        Progress::Shrinks { property, .. } => {
            if !shrinking.swap(true, Ordering::Relaxed) {
                output::note(&format!(
                    "{client}: {} is broken, looking for the smallest case",
                    visible(&property)
                ));
            }
        }
        Progress::Ran { .. } => {}
    }
}

/// The same, without a line for each file that is saved: the report names them all.
pub(super) fn quiet_teller(client: &str) -> impl Fn(Progress) + Send + Sync + use<> {
    let tell = teller(client);
    move |progress| {
        if output::is_watched() || !matches!(progress, Progress::Saved { .. }) {
            tell(progress);
        }
    }
}

/// One step of a longer piece of work.
pub(super) fn step(text: &str) {
    if output::is_watched() {
        output::note(text);
    }
}

//! [`Late`]: a text of a line that takes long to make, and that most who are handed the line never look at.

use std::fmt;
use std::sync::{Arc, OnceLock};

use serde::{Deserialize, Deserializer, Serialize, Serializer};

type Make = Box<dyn Fn() -> String + Send + Sync>;

/// A text that is made when somebody first reads it.
#[derive(Clone)]
pub struct Late(Arc<Made>);

struct Made {
    text: OnceLock<String>,
    make: Option<Make>,
}

impl Late {
    /// What `make` gives, whenever it is asked.
    pub fn new(make: impl Fn() -> String + Send + Sync + 'static) -> Self {
        Self(Arc::new(Made { text: OnceLock::new(), make: Some(Box::new(make)) }))
    }

    /// The text; the first call makes it.
    pub fn text(&self) -> &str {
        self.0.text.get_or_init(|| self.0.make.as_ref().map_or_else(String::new, |make| make()))
    }
}

impl From<String> for Late {
    fn from(text: String) -> Self {
        Self(Arc::new(Made { text: OnceLock::from(text), make: None }))
    }
}

impl fmt::Debug for Late {
    /// Makes nothing.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.text.get().fmt(f)
    }
}

impl PartialEq for Late {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0) || self.text() == other.text()
    }
}

impl Eq for Late {}

impl Serialize for Late {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.text().serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Late {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Self::from(String::deserialize(deserializer)?))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    #[test]
    fn a_late_text_is_made_once_and_not_before_it_is_read() {
        let made = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&made);
        let late = Late::new(move || format!("made {}", 1 + counted.fetch_add(1, Ordering::Relaxed)));
        let copy = late.clone();
        assert!(format!("{late:?}") == "None" && late == copy);
        assert_eq!(made.load(Ordering::Relaxed), 0);
        assert_eq!(serde_json::to_string(&copy).unwrap(), "\"made 1\"");
        assert_eq!((late.text(), made.load(Ordering::Relaxed)), ("made 1", 1));
        assert_eq!(serde_json::from_str::<Late>("\"made 1\"").unwrap(), late);
    }
}

//! What can be set of a fault, and what other tools call it.

/// A parameter of a fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Parameter {
    /// Its key.
    pub name: &'static str,
    /// What it takes.
    pub takes: Takes,
    /// Its value if it is left out, as written in TOML; `None` if it must be given.
    pub default: Option<&'static str>,
    /// What it means, unit included.
    pub meaning: &'static str,
}

/// What a parameter takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Takes {
    /// A whole number from the first up to and with the second.
    Number(u32, u32),
    /// A text of 1 to 200 bytes.
    Name,
    /// Any text of at most 10,000 bytes.
    Text,
    /// `true` or `false`.
    Flag,
    /// One of these words.
    Word(&'static [&'static str]),
}

impl Takes {
    /// The longest [`Takes::Text`], in bytes.
    pub const TEXT_MAX: usize = 10_000;

    /// In words, to follow "must be".
    pub fn in_words(self) -> String {
        match self {
            Self::Number(least, most) => format!("a whole number from {least} to {most}"),
            Self::Name => "a text of 1 to 200 bytes".to_owned(),
            Self::Text => format!("a text of at most {} bytes", Self::TEXT_MAX),
            Self::Flag => "true or false".to_owned(),
            Self::Word(words) => {
                let words: Vec<String> = words.iter().map(|word| format!("\"{word}\"")).collect();
                words.join(" or ")
            }
        }
    }
}

/// A name that another tool has for a fault that is the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Alias {
    /// The name. It may be the fault's own, where only the parameters differ.
    pub name: &'static str,
    /// The tool.
    pub of: &'static str,
    /// What it calls the parameters, and what they are called here. The units are the same.
    pub parameters: &'static [(&'static str, &'static str)],
    /// Values that the name stands for, as written in TOML.
    pub sets: &'static [(&'static str, &'static str)],
}

/// A parameter that is wrong although it is within its range.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mistake {
    /// Which.
    pub parameter: &'static str,
    /// Why, to follow its name: "must not be 204: ...".
    pub why: String,
}

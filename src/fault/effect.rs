//! What a fault does to the work and to the answer.

/// Whether the console did what the request asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Work {
    /// It did; only the answer suffers. A recording is consumed and a write takes effect.
    Done,
    /// It did not. No recording is consumed and no write takes effect; time goes on.
    NotDone,
}

/// What becomes of the answer that the console would have given. Whoever judges a client goes by this, never by a
/// fault's name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// All of it comes, as it would have; perhaps late.
    Whole,
    /// It comes as JSON, and says the same in another order or spelling.
    Rewritten,
    /// Another answer comes in its place: an error, a page.
    Replaced,
    /// It comes as JSON, and members of it are missing.
    Thinner,
    /// It comes as JSON, and members of it are called otherwise.
    Respelt,
    /// It comes as JSON, and says something else than the console would have: other values, members, elements, another
    /// state.
    Altered,
    /// It comes as JSON, and says two things of one member: what a client reads there is not defined.
    Ambiguous,
    /// All of its bytes come, and they are not what the head says they are.
    Unreadable,
    /// It never comes, or not to its end.
    Lost,
}

impl Effect {
    /// In a sentence, for `explain`.
    pub fn in_words(self) -> &'static str {
        match self {
            Self::Whole => "The answer comes whole.",
            Self::Rewritten => "The answer says the same, written otherwise.",
            Self::Replaced => "Another answer comes in place of the console's.",
            Self::Thinner => "The answer lacks members.",
            Self::Respelt => "The answer spells members otherwise.",
            Self::Altered => "The answer says something else than the console would have.",
            Self::Ambiguous => "The answer says two things of one member.",
            Self::Unreadable => "The answer cannot be read.",
            Self::Lost => "The answer never comes to its end.",
        }
    }

    /// Whether the answer can be read, and holds something else than the console gave it.
    pub fn changes_content(self) -> bool {
        matches!(self, Self::Thinner | Self::Respelt | Self::Altered)
    }

    /// Whether nobody can say what a client makes of the answer, although all of it comes.
    pub fn is_unclear(self) -> bool {
        matches!(self, Self::Ambiguous | Self::Unreadable)
    }
}

//! What is wrong with an event, field by field. A mistake names the field and what to do; it never
//! repeats the value, which may be personal.

use std::fmt;

/// One mistake in an event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mistake {
    /// The field, `legs[2].from_ms` for example.
    pub field: String,
    /// What is wrong with it.
    pub problem: Problem,
}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.field, self.problem)
    }
}

/// What can be wrong with a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    /// A field without which nothing can be done is missing or empty.
    #[error("is missing or empty")]
    Missing,
    /// JSON of another type.
    #[error("must be {0}")]
    WrongType(&'static str),
    /// More bytes than allowed.
    #[error("is {actual} bytes, more than the {limit} allowed")]
    TooLong {
        /// How many it has.
        actual: usize,
        /// How many it may have.
        limit: usize,
    },
    /// More elements than allowed.
    #[error("has {actual} elements, more than the {limit} allowed")]
    TooMany {
        /// How many it has.
        actual: usize,
        /// How many it may have.
        limit: usize,
    },
    /// Characters that an id may not have.
    #[error("must not hold {0}")]
    Forbidden(&'static str),
    /// A code that is not in the list.
    #[error("has a value that this version does not know: see proto/README.md, or leave it out")]
    UnknownCode,
    /// A language that callqa does not judge.
    #[error("is no language that can be judged: send zh or en, or leave it out")]
    UnknownLanguage,
    /// No RFC 3339 date and time with offset.
    #[error("must be an RFC 3339 date and time with offset, 2025-03-01T09:30:00+08:00 for example")]
    BadTime,
    /// Not a SHA-256.
    #[error("must be 64 hexadecimal digits")]
    BadSha256,
    /// Not a URI.
    #[error("must be a URI with a scheme, https://… for example")]
    BadUri,
    /// Not base64.
    #[error("must be standard base64 with padding")]
    BadBase64,
    /// Neither of the two places for the audio.
    #[error("must have uri or inline, but has neither")]
    NoAudio,
    /// Both places for the audio.
    #[error("must have either uri or inline, but has both")]
    TwoAudios,
    /// Not the length of the inline audio.
    #[error("is {said}, but inline holds {actual} bytes")]
    OtherLength {
        /// What the event says.
        said: u64,
        /// What it holds.
        actual: usize,
    },
    /// Ends before it starts.
    #[error("must not come before {0}")]
    Before(&'static str),
    /// `supersedes` is no earlier revision.
    #[error("must be lower than revision")]
    NotEarlier,
}

/// Collects mistakes, so that a sender sees all of them at once.
#[derive(Debug, Default)]
pub(crate) struct Mistakes(Vec<Mistake>);

impl Mistakes {
    pub(crate) fn add(&mut self, field: impl Into<String>, problem: Problem) {
        let field = field.into();
        // What could not be read looks absent afterwards: once said is enough.
        let looks_absent = matches!(problem, Problem::Missing | Problem::NoAudio);
        if !(looks_absent && self.0.iter().any(|known| known.field.starts_with(&field))) {
            self.0.push(Mistake { field, problem });
        }
    }

    pub(crate) fn into_vec(self) -> Vec<Mistake> {
        self.0
    }
}

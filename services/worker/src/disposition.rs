//! What becomes of a call that failed.

/// What becomes of a call that failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Disposition {
    /// Try again, in place, within a budget: the cause may pass.
    Retry,
    /// Never: the same input fails the same way.
    DeadLetter,
}

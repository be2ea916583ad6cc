//! The answer of a destination.

/// The answer of a destination to something that was sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Delivery {
    /// It has it; what it said.
    Sent(String),
    /// It may take it later: it is away, full or busy. The reason in words, without patient data.
    Later(String),
    /// It never will. The reason in words, without patient data.
    Refused(String),
}

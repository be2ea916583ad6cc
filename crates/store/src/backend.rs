//! Both doors to one place.

use crate::{LabelStore, Queue, StoreError};

/// Store as the daemon needs it.
pub trait Backend: Queue + LabelStore {
    /// Brings everything committed into the main database file; called once at the end.
    fn checkpoint(&self) -> Result<(), StoreError>;
}

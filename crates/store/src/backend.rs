//! Both doors to one place.

use crate::{LabelStore, Queue, StoreError};

/// What the daemon needs of a store.
pub trait Backend: Queue + LabelStore {
    /// Brings everything committed into the main database file; called once at the end.
    fn checkpoint(&self) -> Result<(), StoreError>;
}

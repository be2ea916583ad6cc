//! Both traits in one.

use crate::{LabelStore, Queue, StoreError};

/// A store as the daemon uses it.
pub trait Backend: Queue + LabelStore {
    /// Brings everything committed into the main database file; called once at the end.
    ///
    /// # Errors
    /// The database cannot be written.
    fn checkpoint(&self) -> Result<(), StoreError>;
}

//! Both traits in one.

use crate::{LabelStore, PageStore, Queue, StoreError};

/// A store as the daemon uses it.
pub trait Backend: Queue + LabelStore {
    /// Brings everything committed into the main database file; called once at the end.
    ///
    /// # Errors
    /// The database cannot be written.
    fn checkpoint(&self) -> Result<(), StoreError>;
}

/// A store as the page uses it.
pub trait PageBackend: Queue + LabelStore + PageStore {}

impl<T: Queue + LabelStore + PageStore> PageBackend for T {}

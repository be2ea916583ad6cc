//! Work that blocks, off the threads that answer.

use std::sync::Arc;

use store::{PageBackend, StoreError};

use crate::PageError;
use crate::settings::Stores;

impl Stores {
    /// Reads from the database.
    ///
    /// # Errors
    /// `work` fails.
    pub(crate) async fn read<T: Send + 'static>(
        &self,
        work: impl FnOnce(&dyn PageBackend) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, PageError> {
        Ok(on_thread(self.reader(), work).await??)
    }

    /// Writes to the database.
    ///
    /// # Errors
    /// `work` fails.
    pub(crate) async fn write<T: Send + 'static>(
        &self,
        work: impl FnOnce(&dyn PageBackend) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, PageError> {
        Ok(on_thread(self.writer(), work).await??)
    }
}

async fn on_thread<T: Send + 'static>(
    store: Arc<dyn PageBackend>,
    work: impl FnOnce(&dyn PageBackend) -> T + Send + 'static,
) -> Result<T, PageError> {
    spawn(move || work(store.as_ref())).await
}

/// Runs work on a thread where it may block.
///
/// # Errors
/// [`PageError::Stopped`] where it panicked, or the server is being stopped.
pub(crate) async fn spawn<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, PageError> {
    tokio::task::spawn_blocking(work).await.map_err(|_| PageError::Stopped)
}

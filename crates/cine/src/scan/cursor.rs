//! A reading position with a small window, so that thousands of element headers cost few system calls.

use crate::error::CineError;
use crate::scan::Source;

/// Small, so that a walk over headers reads next to no pixel bytes.
const WINDOW_BYTES: usize = 4096;

/// A reading position in a [`Source`].
pub(crate) struct Cursor<'a> {
    source: &'a Source,
    pub(crate) position: u64,
    window: Vec<u8>,
    window_start: u64,
}

impl<'a> Cursor<'a> {
    pub(crate) fn new(source: &'a Source, position: u64) -> Self {
        Self { source, position, window: Vec::new(), window_start: 0 }
    }

    /// Returns the next `N` bytes without moving, or nothing where the file ends before.
    pub(crate) fn peek<const N: usize>(&mut self) -> Result<Option<[u8; N]>, CineError> {
        if let Some(bytes) = self.window_bytes() {
            return Ok(Some(bytes));
        }
        self.window.resize(WINDOW_BYTES, 0);
        let count = self
            .source
            .read_up_to(self.position, &mut self.window)
            .map_err(|source| CineError::Io { doing: "reading element headers", source })?;
        self.window.truncate(count);
        self.window_start = self.position;
        Ok(self.window_bytes())
    }

    /// Returns the next `N` bytes, moving past them.
    pub(crate) fn take<const N: usize>(&mut self) -> Result<Option<[u8; N]>, CineError> {
        let bytes = self.peek()?;
        if bytes.is_some() {
            self.position += N as u64;
        }
        Ok(bytes)
    }

    fn window_bytes<const N: usize>(&self) -> Option<[u8; N]> {
        let start = usize::try_from(self.position.checked_sub(self.window_start)?).ok()?;
        self.window.get(start..start.checked_add(N)?)?.try_into().ok()
    }
}

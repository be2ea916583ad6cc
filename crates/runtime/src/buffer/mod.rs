//! Aligned memory that kernels work in.

#[cfg(all(debug_assertions, target_os = "linux"))]
mod guarded;
#[cfg(not(all(debug_assertions, target_os = "linux")))]
mod plain;

#[cfg(all(debug_assertions, target_os = "linux"))]
use guarded::Memory;
#[cfg(not(all(debug_assertions, target_os = "linux")))]
use plain::Memory;

/// Bytes of a cache line, and of the widest vector.
const LINE_BYTES: usize = 64;

/// Zeroed numbers at the start of a cache line. Builds with debug assertions, so all tests, put them between guard pages.
pub(crate) struct Buffer {
    memory: Memory,
    length: usize,
}

// SAFETY: the buffer owns its memory, like a boxed slice.
unsafe impl Send for Buffer {}
// SAFETY: a shared buffer only gives shared slices and a pointer whose users answer for what they do with it.
unsafe impl Sync for Buffer {}

impl Buffer {
    pub(crate) fn zeroed(length: usize) -> Self {
        let lines = (length * size_of::<f32>()).div_ceil(LINE_BYTES).max(1);
        Self { memory: Memory::zeroed(lines * LINE_BYTES, LINE_BYTES), length }
    }

    /// Copies rows of `width` numbers, each padded with zeros to `padded` numbers.
    pub(crate) fn from_rows(numbers: &[f32], width: usize, padded: usize) -> Self {
        let mut buffer = Self::zeroed(numbers.len() / width * padded);
        for (row, numbers) in buffer.as_mut_slice().chunks_exact_mut(padded).zip(numbers.chunks_exact(width)) {
            row[..width].copy_from_slice(numbers);
        }
        buffer
    }

    fn start(&self) -> *mut f32 {
        self.memory.start().as_ptr().cast()
    }

    pub(crate) fn len(&self) -> usize {
        self.length
    }

    pub(crate) fn as_ptr(&self) -> *const f32 {
        self.start()
    }

    /// Returns a pointer through which kernels write, to disjoint parts if from several threads.
    pub(crate) fn as_mut_ptr(&mut self) -> *mut f32 {
        self.start()
    }

    /// Returns the memory as bytes.
    pub(crate) fn as_mut_bytes(&mut self) -> &mut [u8] {
        // SAFETY: the memory is owned, every byte of it is set, and bytes need no alignment.
        unsafe { std::slice::from_raw_parts_mut(self.start().cast(), self.length * size_of::<f32>()) }
    }

    pub(crate) fn as_mut_slice(&mut self) -> &mut [f32] {
        // SAFETY: the memory is owned, zeroed at first and `length` numbers long.
        unsafe { std::slice::from_raw_parts_mut(self.start(), self.length) }
    }
}

//! Memory of the global allocator.

use std::alloc::{Layout, alloc, dealloc, handle_alloc_error};
use std::ptr::NonNull;

/// Size of a huge page of x86-64 and of most ARM systems.
const HUGE_PAGE_BYTES: usize = 2 << 20;

/// Zeroed bytes. Large allocations ask for huge pages, because a kernel that walks down channels touches a new small page at
/// almost every pixel and misses the TLB each time.
pub(super) struct Memory {
    start: NonNull<u8>,
    layout: Layout,
}

impl Memory {
    /// Allocates `bytes`, at least one, at a multiple of `alignment`.
    pub(super) fn zeroed(bytes: usize, alignment: usize) -> Self {
        let is_huge = bytes >= HUGE_PAGE_BYTES;
        let alignment = if is_huge { HUGE_PAGE_BYTES } else { alignment };
        let Ok(layout) = Layout::from_size_align(bytes.next_multiple_of(alignment), alignment) else {
            panic!("a buffer of {bytes} bytes is larger than an address space");
        };
        // SAFETY: the layout is not of zero size.
        let Some(start) = NonNull::new(unsafe { alloc(layout) }) else { handle_alloc_error(layout) };
        #[cfg(target_os = "linux")]
        if is_huge {
            let advice = rustix::mm::Advice::LinuxHugepage;
            // SAFETY: the range is the allocation just made; the advice changes no content. A refusal costs only speed.
            let _ = unsafe { rustix::mm::madvise(start.as_ptr().cast(), layout.size(), advice) };
        }
        // Only now: a page that was touched before the advice stays small.
        // SAFETY: the range is the allocation just made.
        unsafe { start.as_ptr().write_bytes(0, layout.size()) };
        Self { start, layout }
    }

    pub(super) fn start(&self) -> NonNull<u8> {
        self.start
    }
}

impl Drop for Memory {
    fn drop(&mut self) {
        // SAFETY: allocated with this layout and freed once.
        unsafe { dealloc(self.start.as_ptr(), self.layout) }
    }
}

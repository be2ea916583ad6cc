use std::alloc::{Layout, alloc_zeroed, dealloc, handle_alloc_error};
use std::ptr::NonNull;

/// A cache line, and the widest vector.
const LINE_BYTES: usize = 64;
/// A huge page of x86-64 and of most ARM systems.
const HUGE_PAGE_BYTES: usize = 2 << 20;

/// Zeroed numbers at the start of a cache line; large ones on huge pages where the system gives them, because a kernel
/// that walks down channels touches a new small page at almost every pixel.
pub(crate) struct Buffer {
    start: NonNull<f32>,
    length: usize,
    layout: Layout,
}

// SAFETY: the buffer owns its memory, like a boxed slice.
unsafe impl Send for Buffer {}
// SAFETY: a shared buffer only gives shared slices and a pointer whose users answer for what they do with it.
unsafe impl Sync for Buffer {}

impl Buffer {
    pub(crate) fn zeroed(length: usize) -> Self {
        let bytes = (length * size_of::<f32>()).max(LINE_BYTES);
        let is_huge = bytes >= HUGE_PAGE_BYTES;
        let alignment = if is_huge { HUGE_PAGE_BYTES } else { LINE_BYTES };
        let Ok(layout) = Layout::from_size_align(bytes.next_multiple_of(alignment), alignment) else {
            panic!("a buffer of {length} numbers is larger than an address space");
        };
        // SAFETY: the layout is not of zero size.
        let start = unsafe { alloc_zeroed(layout) };
        let Some(start) = NonNull::new(start.cast::<f32>()) else { handle_alloc_error(layout) };
        #[cfg(target_os = "linux")]
        if is_huge {
            // SAFETY: the range is the allocation just made; the advice changes no content. A refusal costs only speed.
            let _ =
                unsafe { rustix::mm::madvise(start.as_ptr().cast(), layout.size(), rustix::mm::Advice::LinuxHugepage) };
        }
        Self { start, length, layout }
    }

    pub(crate) fn len(&self) -> usize {
        self.length
    }

    pub(crate) fn as_ptr(&self) -> *const f32 {
        self.start.as_ptr()
    }

    /// A pointer through which kernels write, to disjoint places if from several threads.
    pub(crate) fn as_mut_ptr(&mut self) -> *mut f32 {
        self.start.as_ptr()
    }

    /// The memory of the numbers.
    pub(crate) fn as_mut_bytes(&mut self) -> &mut [u8] {
        // SAFETY: the memory is owned, every byte of it is set, and bytes need no alignment.
        unsafe { std::slice::from_raw_parts_mut(self.start.as_ptr().cast(), self.length * size_of::<f32>()) }
    }

    pub(crate) fn as_mut_slice(&mut self) -> &mut [f32] {
        // SAFETY: the memory is owned, zeroed at first and `length` numbers long.
        unsafe { std::slice::from_raw_parts_mut(self.start.as_ptr(), self.length) }
    }
}

impl Drop for Buffer {
    fn drop(&mut self) {
        // SAFETY: allocated with this layout and freed once.
        unsafe { dealloc(self.start.as_ptr().cast(), self.layout) }
    }
}

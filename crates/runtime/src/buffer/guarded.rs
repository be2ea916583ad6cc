//! Memory between two guard pages: a kernel that reads or writes beyond it faults at once.

use std::ffi::c_void;
use std::ptr::NonNull;

use rustix::mm::{MapFlags, MprotectFlags, ProtFlags, mmap_anonymous, mprotect, munmap};

/// Zeroed bytes whose end is the end of a page.
pub(super) struct Memory {
    start: NonNull<u8>,
    mapping: *mut c_void,
    mapped_bytes: usize,
}

impl Memory {
    /// Maps `bytes`, a multiple of `alignment`: as the last one ends with a page, so is the first one's address.
    pub(super) fn zeroed(bytes: usize, alignment: usize) -> Self {
        debug_assert!(bytes.is_multiple_of(alignment));
        let page = rustix::param::page_size();
        let inside = bytes.next_multiple_of(page);
        let mapped_bytes = inside + 2 * page;
        let (read_and_write, private) = (ProtFlags::READ | ProtFlags::WRITE, MapFlags::PRIVATE);
        // SAFETY: a new mapping wherever the system likes touches no other memory.
        let mapped = unsafe { mmap_anonymous(std::ptr::null_mut(), mapped_bytes, read_and_write, private) };
        let mapping = mapped.unwrap_or_else(|error| panic!("no memory for a buffer of {bytes} bytes: {error}"));
        for guard in [0, page + inside] {
            // SAFETY: the page lies within the mapping just made, of which nobody has a reference.
            let guarded = unsafe { mprotect(mapping.byte_add(guard), page, MprotectFlags::empty()) };
            guarded.unwrap_or_else(|error| panic!("a page beside a buffer cannot be protected: {error}"));
        }
        // SAFETY: within the mapping, since a buffer is not longer than the pages between the guards.
        let start = unsafe { mapping.byte_add(page + inside - bytes) };
        let Some(start) = NonNull::new(start.cast()) else { panic!("a mapping at address 0") };
        Self { start, mapping, mapped_bytes }
    }

    pub(super) fn start(&self) -> NonNull<u8> {
        self.start
    }
}

impl Drop for Memory {
    fn drop(&mut self) {
        // SAFETY: mapped with this length and given back once. A refusal would only leave it mapped.
        let _ = unsafe { munmap(self.mapping, self.mapped_bytes) };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns the access rights at an address as `/proc/self/maps` has them: `rw-p`.
    fn rights_at(address: usize) -> Option<String> {
        let maps = std::fs::read_to_string("/proc/self/maps").ok()?;
        let number = |text: &str| usize::from_str_radix(text, 16).ok();
        maps.lines().find_map(|line| {
            let (range, rest) = line.split_once(' ')?;
            let (from, to) = range.split_once('-')?;
            (number(from)?..number(to)?).contains(&address).then(|| rest[..4].to_owned())
        })
    }

    #[test]
    fn the_bytes_before_and_after_are_protected() {
        for bytes in [64, 4096, 4160, 3 << 20] {
            let memory = Memory::zeroed(bytes, 64);
            let start = memory.start().as_ptr() as usize;
            assert_eq!(start % 64, 0);
            for inside in [start, start + bytes - 1] {
                assert_eq!(rights_at(inside).as_deref(), Some("rw-p"), "{bytes} bytes");
            }
            let page = rustix::param::page_size();
            for outside in [start - page, start + bytes, start + bytes + page - 1] {
                // QEMU leaves out some pages without rights; what is in no mapping cannot be touched either.
                let rights = rights_at(outside);
                assert!(rights.as_deref().is_none_or(|rights| rights == "---p"), "{bytes} bytes: {rights:?}");
            }
        }
    }
}

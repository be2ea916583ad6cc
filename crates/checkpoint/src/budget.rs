//! Bounds of memory and work for reading a file, in proportion to its length.

use std::cell::Cell;

use crate::error::{Fault, clip};

/// Memory and work that are left for reading one file.
///
/// Only large passing buffers are given back; all else counts as if it stayed until the end.
pub(crate) struct Budget {
    file_bytes: usize,
    bytes_left: Cell<usize>,
    steps_left: Cell<usize>,
}

impl Budget {
    /// For a file of `file_bytes`: six times that in memory, so that the small things that are not counted stay below
    /// eight, and 4 steps a byte.
    pub(crate) fn for_file_of(file_bytes: usize) -> Budget {
        Budget {
            file_bytes,
            bytes_left: Cell::new(file_bytes.saturating_mul(6).saturating_add(512 << 10)),
            steps_left: Cell::new(file_bytes.saturating_mul(4).saturating_add(1 << 20)),
        }
    }

    /// Takes `bytes` of memory, or says that `place` asks for too much.
    pub(crate) fn allocate(&self, bytes: usize, place: &str) -> Result<(), Fault> {
        self.take(&self.bytes_left, bytes, place)
    }

    /// Takes the memory for `count` more items of a vector that grows by doubling: while it moves, the old items and twice
    /// their room are there.
    pub(crate) fn grow<T>(&self, count: usize, place: &str) -> Result<(), Fault> {
        self.allocate(count.saturating_mul(3 * size_of::<T>()), place)
    }

    /// Gives back `bytes` that were allocated for a buffer that is gone, or will be before the next one.
    pub(crate) fn release(&self, bytes: usize) {
        self.bytes_left.set(self.bytes_left.get().saturating_add(bytes));
    }

    /// Takes `steps` of work, or says that `place` asks for too much.
    pub(crate) fn work(&self, steps: usize, place: &str) -> Result<(), Fault> {
        self.take(&self.steps_left, steps, place)
    }

    /// An empty vector with room for exactly `count` items.
    pub(crate) fn vec<T>(&self, count: usize, place: &str) -> Result<Vec<T>, Fault> {
        let bytes = count.checked_mul(size_of::<T>()).ok_or_else(|| self.too_costly(place))?;
        self.allocate(bytes, place)?;
        let mut vec = Vec::new();
        vec.try_reserve_exact(count).map_err(|_| self.too_costly(place))?;
        Ok(vec)
    }

    /// Takes the work for one node of a structure, which a hostile file may lead to again and again; none is smaller than
    /// 16 bytes, so that a file can pay for twice the nodes that fit in it.
    pub(crate) fn visit(&self, place: &str) -> Result<(), Fault> {
        self.work(32, place)
    }

    pub(crate) fn too_costly(&self, place: &str) -> Fault {
        Fault::TooCostly { place: clip(place.to_owned()), file_bytes: self.file_bytes }
    }

    fn take(&self, left: &Cell<usize>, amount: usize, place: &str) -> Result<(), Fault> {
        left.set(left.get().checked_sub(amount).ok_or_else(|| self.too_costly(place))?);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_is_refused_beyond_six_times_the_file() {
        let budget = Budget::for_file_of(1 << 20);
        assert!(budget.vec::<f32>(1 << 20, "a").is_ok());
        assert!(matches!(budget.vec::<f32>(1 << 20, "b"), Err(Fault::TooCostly { .. })));
        assert!(budget.vec::<f64>(usize::MAX, "c").is_err());
    }
}

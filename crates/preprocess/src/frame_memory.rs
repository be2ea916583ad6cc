//! Memory of decoded frames, shared by all loops that are prepared at the same time.

use std::sync::{Condvar, Mutex, PoisonError};

use cine::CineError;

/// Frames of one plan: 18 frames of 2560 x 2048, or 140 of 1024 x 768. The clips of no pipeline have more.
const MAX_LOOP_BYTES: u64 = 320 << 20;
/// Frames of all plans at a time. Ordinary loops take 20 to 60 MB, so that only many threads or huge frames wait.
const MAX_BYTES: u64 = 512 << 20;

static HELD_BYTES: Mutex<u64> = Mutex::new(0);
static RELEASED: Condvar = Condvar::new();

/// The right to keep decoded frames, given back when dropped.
///
/// Whoever holds one waits for no other, so that loops cannot block each other.
#[derive(Debug)]
pub(crate) struct FrameMemory(u64);

impl FrameMemory {
    /// Waits until so many frames of RGB8 may be kept.
    ///
    /// # Errors
    /// No loop may keep so much.
    pub(crate) fn reserve(frames: usize, columns: u32, rows: u32) -> Result<Self, CineError> {
        let frame_bytes = u64::from(columns) * u64::from(rows) * 3;
        let bytes = frame_bytes.saturating_mul(frames as u64);
        if bytes > MAX_LOOP_BYTES {
            return Err(CineError::TooLarge { what: "the frames of the plan", bytes, limit: MAX_LOOP_BYTES });
        }
        let held = HELD_BYTES.lock().unwrap_or_else(PoisonError::into_inner);
        let is_full = |held: &mut u64| *held + bytes > MAX_BYTES;
        let mut held = RELEASED.wait_while(held, is_full).unwrap_or_else(PoisonError::into_inner);
        *held += bytes;
        Ok(Self(bytes))
    }
}

impl Drop for FrameMemory {
    fn drop(&mut self) {
        *HELD_BYTES.lock().unwrap_or_else(PoisonError::into_inner) -= self.0;
        RELEASED.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicBool, Ordering};
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_loop_waits_until_others_have_given_memory_back() {
        let refused = FrameMemory::reserve(18, 4096, 4096).expect_err("864 MiB");
        assert_eq!(refused.kind(), "too_large");
        let first = FrameMemory::reserve(6, 4096, 4096).expect("288 MiB");
        let is_through = AtomicBool::new(false);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                let second = FrameMemory::reserve(6, 4096, 4096).expect("288 MiB");
                is_through.store(true, Ordering::SeqCst);
                drop(second);
            });
            std::thread::sleep(Duration::from_millis(50));
            assert!(!is_through.load(Ordering::SeqCst), "576 MiB are more than all may keep");
            drop(first);
        });
        assert!(is_through.load(Ordering::SeqCst));
    }
}

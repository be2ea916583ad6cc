//! A small pool of threads that share the work of one layer after another, a few microseconds each.
//!
//! A general-purpose pool wakes its threads through a lock and a condition variable for each task, which takes longer than
//! many a layer. These workers spin between layers instead, and sleep only when no work has come for several layers' time.

use std::any::Any;
use std::cell::UnsafeCell;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle, Thread};
use std::{hint, ptr};

/// Polls for the next job before a worker sleeps: about a quarter of a millisecond, several layers long. Waking a sleeping
/// thread costs more than many a layer.
const SPINS_BEFORE_SLEEP: u32 = 10_000;
/// Polls for the end of a job before the calling thread yields to other programs.
const SPINS_BEFORE_YIELD: u32 = 10_000;

/// Bits of the state that count the workers inside the job.
const ACTIVE_WORKERS: u64 = 0xffff;
/// Bit of the state that admits workers to the job.
const OPEN: u64 = 0x1_0000;
/// Increment of the state that makes a new job of it.
const NEXT_JOB: u64 = 0x2_0000;

/// The calling thread and the workers that wait for its jobs.
pub(crate) struct ThreadPool {
    shared: Arc<Shared>,
    workers: Vec<JoinHandle<()>>,
    threads: Vec<Thread>,
}

/// `f(worker, part)`, for a worker below the size of the pool; the calling thread is worker 0.
type Work<'a> = dyn Fn(usize, usize) + Sync + 'a;

struct Shared {
    /// Number of the job, the [`OPEN`] bit, count of workers inside.
    state: AtomicU64,
    /// The job. Written only while closed and without workers, read only by workers inside it.
    job: UnsafeCell<Option<(*const Work<'static>, usize)>>,
    next_part: AtomicUsize,
    is_shut_down: AtomicBool,
    panic: Mutex<Option<Box<dyn Any + Send>>>,
}

// SAFETY: `job` is the only part that is not `Sync` by itself. The caller writes it while no worker is inside, workers read
// it after they entered (which synchronizes with the opening), and what it points to is `Sync`.
unsafe impl Sync for Shared {}
// SAFETY: the pointer in `job` is used only between opening and closing, while the caller keeps its target alive.
unsafe impl Send for Shared {}

impl ThreadPool {
    /// Starts a pool of `size` threads, the calling one among them.
    pub(crate) fn new(size: usize) -> Self {
        let shared = Arc::new(Shared {
            state: AtomicU64::new(0),
            job: UnsafeCell::new(None),
            next_part: AtomicUsize::new(0),
            is_shut_down: AtomicBool::new(false),
            panic: Mutex::new(None),
        });
        let mut workers = Vec::new();
        for index in 1..size {
            let shared = Arc::clone(&shared);
            let worker = thread::Builder::new().name(format!("runtime-{index}"));
            // Where the system refuses a thread, fewer threads still give the result.
            workers.extend(worker.spawn(move || shared.worker_loop(index)));
        }
        let threads = workers.iter().map(|worker| worker.thread().clone()).collect();
        Self { shared, workers, threads }
    }

    /// Returns the number of threads, the calling one included.
    pub(crate) fn size(&self) -> usize {
        self.workers.len() + 1
    }

    /// Calls `work(worker, part)` once for each part in `0..parts`, on any of the threads, and waits for all of them.
    ///
    /// # Panics
    /// If `work` panics, after every thread has left it.
    pub(crate) fn run(&mut self, parts: usize, work: &Work<'_>) {
        if parts <= 1 || self.workers.is_empty() {
            (0..parts).for_each(|part| work(0, part));
            return;
        }
        let shared = &*self.shared;
        // SAFETY: only the lifetime is changed. No worker uses the pointer after `CloseOnDrop` is dropped, within this call.
        let work_for_workers =
            unsafe { std::mem::transmute::<*const Work<'_>, *const Work<'static>>(ptr::from_ref(work)) };
        // SAFETY: the last job is closed and no worker is inside, as its `CloseOnDrop` waited for that; `&mut self` keeps
        // other callers out.
        unsafe { *shared.job.get() = Some((work_for_workers, parts)) };
        shared.next_part.store(0, Ordering::Relaxed);
        shared.state.fetch_add(NEXT_JOB | OPEN, Ordering::SeqCst);
        let close = CloseOnDrop(shared);
        for thread in &self.threads {
            thread.unpark();
        }
        shared.run_parts(0, parts, work);
        drop(close);
        let panic = shared.panic.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(panic) = panic {
            resume_unwind(panic);
        }
    }
}

impl Drop for ThreadPool {
    fn drop(&mut self) {
        self.shared.is_shut_down.store(true, Ordering::SeqCst);
        for worker in self.workers.drain(..) {
            worker.thread().unpark();
            // A worker catches the panics of its work, so joining cannot report one.
            let _ = worker.join();
        }
    }
}

/// Closes the job when dropped, also while unwinding, and waits until no worker is inside; a worker that comes late finds
/// the job closed.
struct CloseOnDrop<'a>(&'a Shared);

impl Drop for CloseOnDrop<'_> {
    fn drop(&mut self) {
        self.0.state.fetch_and(!OPEN, Ordering::SeqCst);
        let mut spins = 0;
        while self.0.state.load(Ordering::Acquire) & ACTIVE_WORKERS != 0 {
            spins += 1;
            if spins < SPINS_BEFORE_YIELD { hint::spin_loop() } else { thread::yield_now() }
        }
    }
}

impl Shared {
    /// Takes part in every job until the pool is shut down.
    fn worker_loop(&self, worker: usize) {
        let mut last_job = 0;
        let mut spins = 0;
        while !self.is_shut_down.load(Ordering::SeqCst) {
            let state = self.state.load(Ordering::SeqCst);
            let job = state / NEXT_JOB;
            if state & OPEN == 0 || job == last_job {
                spins += 1;
                if spins < SPINS_BEFORE_SLEEP {
                    hint::spin_loop();
                } else {
                    // A job opened since the last poll has left a token that makes this return at once.
                    thread::park();
                    spins = 0;
                }
                continue;
            }
            if self.state.compare_exchange(state, state + 1, Ordering::SeqCst, Ordering::SeqCst).is_err() {
                continue;
            }
            last_job = job;
            // SAFETY: this worker is inside the job, so the caller neither writes it nor returns.
            if let Some((work, parts)) = unsafe { *self.job.get() } {
                // SAFETY: as above, the caller keeps the work alive.
                let work = unsafe { &*work };
                if let Err(panic) = catch_unwind(AssertUnwindSafe(|| self.run_parts(worker, parts, work))) {
                    *self.panic.lock().unwrap_or_else(PoisonError::into_inner) = Some(panic);
                }
            }
            self.state.fetch_sub(1, Ordering::Release);
            spins = 0;
        }
    }

    /// Runs parts until none is left. They are handed out one by one, because threads may be of unequal speed.
    fn run_parts(&self, worker: usize, parts: usize, work: &Work<'_>) {
        loop {
            let part = self.next_part.fetch_add(1, Ordering::Relaxed);
            if part >= parts {
                return;
            }
            work(worker, part);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_part_is_done_once_in_job_after_job() {
        let mut pool = ThreadPool::new(3);
        for job in 0..3000 {
            let parts = job % 17;
            let done: Vec<AtomicUsize> = (0..parts).map(|_| AtomicUsize::new(0)).collect();
            pool.run(parts, &|worker, part| {
                assert!(worker < 3);
                done[part].fetch_add(1, Ordering::Relaxed);
            });
            assert!(done.iter().all(|count| count.load(Ordering::Relaxed) == 1));
        }
    }

    #[test]
    fn sleeping_workers_wake() {
        let mut pool = ThreadPool::new(2);
        for _ in 0..3 {
            thread::sleep(std::time::Duration::from_millis(20));
            let seen = Mutex::new(std::collections::HashSet::new());
            pool.run(64, &|worker, _| {
                thread::sleep(std::time::Duration::from_millis(1));
                seen.lock().unwrap().insert(worker);
            });
            assert_eq!(seen.into_inner().unwrap().len(), 2);
        }
    }

    #[test]
    fn a_panic_in_a_part_reaches_the_caller_and_the_pool_goes_on() {
        let mut pool = ThreadPool::new(2);
        let outcome = catch_unwind(AssertUnwindSafe(|| {
            pool.run(8, &|_, part| {
                thread::sleep(std::time::Duration::from_millis(1));
                assert!(part != 5, "part five");
            });
        }));
        assert!(outcome.is_err());
        let sum = AtomicUsize::new(0);
        pool.run(8, &|_, part| {
            sum.fetch_add(part, Ordering::Relaxed);
        });
        assert_eq!(sum.into_inner(), 28);
    }
}

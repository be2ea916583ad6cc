//! A few threads that share the work of one layer after another, a few microseconds each.

use std::any::Any;
use std::cell::UnsafeCell;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle, Thread};
use std::{hint, ptr};

/// How often a helper looks for the next job before it sleeps: about a quarter of a millisecond, several layers long.
/// Waking a sleeping thread costs more than many a layer.
const LOOKS_BEFORE_SLEEP: u32 = 10_000;
/// How often the caller looks whether helpers are done before it lets other programs run.
const LOOKS_BEFORE_YIELD: u32 = 10_000;

/// The lowest bits of the state: how many helpers are in the job.
const HELPERS: u64 = 0xffff;
/// The bit that lets helpers in.
const OPEN: u64 = 0x1_0000;
/// Adding this makes the state of a new job.
const NEXT_JOB: u64 = 0x2_0000;

/// The calling thread and helpers that wait for it.
pub(crate) struct Team {
    shared: Arc<Shared>,
    helpers: Vec<JoinHandle<()>>,
    threads: Vec<Thread>,
}

/// `f(worker, part)`, for a worker below the size of the team.
type Work<'a> = dyn Fn(usize, usize) + Sync + 'a;

struct Shared {
    /// Number of the job, whether it is open, helpers in it.
    state: AtomicU64,
    /// The job. Written only while closed and empty of helpers, read only by helpers inside it.
    job: UnsafeCell<Option<(*const Work<'static>, usize)>>,
    next_part: AtomicUsize,
    is_over: AtomicBool,
    panic: Mutex<Option<Box<dyn Any + Send>>>,
}

// SAFETY: `job` is the only part that is not `Sync` by itself. The caller writes it while no helper is inside, helpers read
// it after they entered (which synchronizes with the opening), and what it points to is `Sync`.
unsafe impl Sync for Shared {}
// SAFETY: the pointer in `job` is used only between opening and closing, while the caller keeps its target alive.
unsafe impl Send for Shared {}

impl Team {
    /// A team of `size` threads with the caller.
    pub(crate) fn new(size: usize) -> Self {
        let shared = Arc::new(Shared {
            state: AtomicU64::new(0),
            job: UnsafeCell::new(None),
            next_part: AtomicUsize::new(0),
            is_over: AtomicBool::new(false),
            panic: Mutex::new(None),
        });
        let mut helpers = Vec::new();
        for worker in 1..size {
            let shared = Arc::clone(&shared);
            let helper = thread::Builder::new().name(format!("kernels-{worker}"));
            // A machine that refuses a thread still gets its result, from fewer.
            helpers.extend(helper.spawn(move || shared.help(worker)));
        }
        let threads = helpers.iter().map(|helper| helper.thread().clone()).collect();
        Self { shared, helpers, threads }
    }

    /// How many threads there are with the caller.
    pub(crate) fn size(&self) -> usize {
        self.helpers.len() + 1
    }

    /// Calls `work(worker, part)` once for each part in `0..parts`, on any of the threads, and waits for all of them.
    pub(crate) fn run(&mut self, parts: usize, work: &Work<'_>) {
        if parts <= 1 || self.helpers.is_empty() {
            (0..parts).for_each(|part| work(0, part));
            return;
        }
        let shared = &*self.shared;
        // SAFETY: only the lifetime is changed. No helper uses the pointer after `Closing` is dropped, within this call.
        let work_for_helpers =
            unsafe { std::mem::transmute::<*const Work<'_>, *const Work<'static>>(ptr::from_ref(work)) };
        // SAFETY: the last job is closed and no helper is inside, as its `Closing` waited for; `&mut self` keeps others out.
        unsafe { *shared.job.get() = Some((work_for_helpers, parts)) };
        shared.next_part.store(0, Ordering::Relaxed);
        shared.state.fetch_add(NEXT_JOB | OPEN, Ordering::SeqCst);
        let closing = Closing(shared);
        for thread in &self.threads {
            thread.unpark();
        }
        shared.take_parts(0, parts, work);
        drop(closing);
        let panic = shared.panic.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(panic) = panic {
            resume_unwind(panic);
        }
    }
}

impl Drop for Team {
    fn drop(&mut self) {
        self.shared.is_over.store(true, Ordering::SeqCst);
        for helper in self.helpers.drain(..) {
            helper.thread().unpark();
            // A helper catches the panics of its work, so there is nothing to hear.
            let _ = helper.join();
        }
    }
}

/// Closes the job when dropped, and waits until no helper is inside; a helper that comes late finds it closed.
struct Closing<'a>(&'a Shared);

impl Drop for Closing<'_> {
    fn drop(&mut self) {
        self.0.state.fetch_and(!OPEN, Ordering::SeqCst);
        let mut looks = 0;
        while self.0.state.load(Ordering::Acquire) & HELPERS != 0 {
            looks += 1;
            if looks < LOOKS_BEFORE_YIELD { hint::spin_loop() } else { thread::yield_now() }
        }
    }
}

impl Shared {
    /// What a helper does all its life.
    fn help(&self, worker: usize) {
        let mut last_job = 0;
        let mut looks = 0;
        while !self.is_over.load(Ordering::SeqCst) {
            let state = self.state.load(Ordering::SeqCst);
            let job = state / NEXT_JOB;
            if state & OPEN == 0 || job == last_job {
                looks += 1;
                if looks < LOOKS_BEFORE_SLEEP {
                    hint::spin_loop();
                } else {
                    // A job opened since the last look has left a token that makes this return at once.
                    thread::park();
                    looks = 0;
                }
                continue;
            }
            if self.state.compare_exchange(state, state + 1, Ordering::SeqCst, Ordering::SeqCst).is_err() {
                continue;
            }
            last_job = job;
            // SAFETY: this helper is inside the job, so the caller neither writes it nor leaves.
            if let Some((work, parts)) = unsafe { *self.job.get() } {
                // SAFETY: as above, the caller keeps the work alive.
                let work = unsafe { &*work };
                if let Err(panic) = catch_unwind(AssertUnwindSafe(|| self.take_parts(worker, parts, work))) {
                    *self.panic.lock().unwrap_or_else(PoisonError::into_inner) = Some(panic);
                }
            }
            self.state.fetch_sub(1, Ordering::Release);
            looks = 0;
        }
    }

    fn take_parts(&self, worker: usize, parts: usize, work: &Work<'_>) {
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
        let mut team = Team::new(3);
        for job in 0..3000 {
            let parts = job % 17;
            let done: Vec<AtomicUsize> = (0..parts).map(|_| AtomicUsize::new(0)).collect();
            team.run(parts, &|worker, part| {
                assert!(worker < 3);
                done[part].fetch_add(1, Ordering::Relaxed);
            });
            assert!(done.iter().all(|count| count.load(Ordering::Relaxed) == 1));
        }
    }

    #[test]
    fn sleeping_helpers_wake() {
        let mut team = Team::new(2);
        for _ in 0..3 {
            thread::sleep(std::time::Duration::from_millis(20));
            let seen = Mutex::new(std::collections::HashSet::new());
            team.run(64, &|worker, _| {
                thread::sleep(std::time::Duration::from_millis(1));
                seen.lock().unwrap().insert(worker);
            });
            assert_eq!(seen.into_inner().unwrap().len(), 2);
        }
    }

    #[test]
    fn a_panic_in_a_part_comes_out_and_the_team_goes_on() {
        let mut team = Team::new(2);
        let outcome = catch_unwind(AssertUnwindSafe(|| {
            team.run(8, &|_, part| {
                thread::sleep(std::time::Duration::from_millis(1));
                assert!(part != 5, "part five");
            });
        }));
        assert!(outcome.is_err());
        let sum = AtomicUsize::new(0);
        team.run(8, &|_, part| {
            sum.fetch_add(part, Ordering::Relaxed);
        });
        assert_eq!(sum.into_inner(), 28);
    }
}
